#!/usr/bin/env python3
"""Load the lists and the policy for real, and see packets pass or stop.

    feed_loaded_test.py FEED_RUN

In namespaces of its own: a router between home and the world. What nft and
ipset hold is counted back and compared; connections are opened through the
router with the lists and the policy in force, and without. Waits for facts:
a connection is refused by a reset, or its packets are counted where they stop.
"""
import ctypes
import errno
import json
import os
import pathlib
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
IPV6_FREEBIND = 78
RUN = None
PATIENCE = 60
HOME, WORLD = "s25home", "s25world"

POLICY = """\
site A deny 10.1.0.0/16
site B count 10.2.0.0/16
site C off 10.1.9.0/24
home 10.0.0.0/8
home fd25:1::/32
rest deny
other deny
permit 10.1.0.5 send
permit 10.1.0.6 both
permit 10.1.0.8/31 receive
exempt 10.1.0.7
permit fd25:1::5 both
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def check(good, why):
    if not good:
        raise AssertionError(why)


def run(*words, stdin=None, good=True):
    done = subprocess.run(words, input=stdin, capture_output=True, text=True,
                          check=False, timeout=PATIENCE)
    check(not good or done.returncode == 0,
          f"{words[:4]}: exit {done.returncode}: {done.stderr[:500]}")
    return done


def inside():
    """Returns as root of new namespaces; else ends the test."""
    if os.environ.get("SPAN25_INSIDE") == "yes":
        return
    if os.geteuid() != 0:
        skip("needs root: it makes network namespaces")
    for tool in ("ip", "nft", "ipset", "unshare", "nsenter"):
        if shutil.which(tool) is None:
            skip(f"{tool} is not installed")
    own = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
           "--mount-proc"]
    for probe in (["true"], ["nft", "add", "table", "inet", "t"],
                  ["ipset", "create", "t", "hash:net"]):
        if subprocess.run([*own, *probe], capture_output=True,
                          check=False).returncode != 0:
            skip(f"cannot run here: {' '.join(probe)}")
    done = subprocess.run([*own, sys.executable, *sys.argv], check=False,
                          env=os.environ | {"SPAN25_INSIDE": "yes"})
    sys.exit(done.returncode)


# ---- lists ----

def feed(words, spec):
    return run(RUN, "feed", words, spec).stdout


def nft(text, good=True):
    return run("nft", "-f", "-", stdin=text, good=good)


def listed(table):
    return run("nft", "-j", "list", "table", "inet", table).stdout


def elements(name):
    text = run("nft", "-j", "list", "set", "inet", "span25_feed", name).stdout
    return next(x["set"] for x in json.loads(text)["nftables"]
                if "set" in x).get("elem", [])


def write(folder, name, text):
    path = folder / name
    path.write_text(text)
    return str(path)


def the_feed_is_loaded_and_read_back(folder):
    spec = write(folder, "feed", "block 10.1.0.1 600\nblock 10.1.0.2 7200\n"
                 "block 10.3.0.0/24 600\nnever 10.3.0.9\n"
                 "block fd25:1::/64 600\n")
    for load in range(3):  # again and again, and behind what was there
        nft(feed("nft", spec))
        said = run(RUN, "compare", "nft", spec,
                   stdin=listed("span25_feed")).stdout
        check("missing 0 extra 0 endless 0 good" in said, f"{load}: {said}")
    check("want 11 found 11" in said, said)
    found = {json.dumps(x["elem"]["val"]): x["elem"] for x in elements("blk4")}
    check(found['"10.1.0.1"']["timeout"] == 600, str(found))
    check(found['"10.1.0.2"']["timeout"] == 3600, "the dead man's end")
    check(found['"10.1.0.1"']["comment"].startswith("ev:0123456789abcdef"),
          "its evidence")
    run("nft", "add", "element", "inet", "span25_feed", "blk4", "{ 10.9.9.9 }")
    run("nft", "delete", "element", "inet", "span25_feed", "blk4",
        "{ 10.1.0.1 }")
    said = run(RUN, "compare", "nft", spec, stdin=listed("span25_feed")).stdout
    check("missing 1 extra 1 endless 1 bad" in said, said)


def the_ipset_is_loaded_and_read_back(folder):
    spec = write(folder, "ipset", "block 10.1.0.1 600\nblock 10.1.0.2 9999\n"
                 "block 10.3.0.0/24 600\nnever 10.3.0.9\n"
                 "block fd25:1::/64 600\n")
    run("ipset", "create", "others", "hash:net")
    run("ipset", "add", "others", "192.0.2.7")
    for load in range(3):
        run("ipset", "-exist", "restore", stdin=feed("ipset", spec))
        said = run(RUN, "compare", "ipset", spec,
                   stdin=run("ipset", "save").stdout).stdout
        check("want 11 found 11 missing 0 extra 0 endless 0 good" in said,
              f"{load}: {said}")
    run("ipset", "test", "span25-block-v4", "10.3.0.8")
    check(run("ipset", "test", "span25-block-v4", "10.3.0.9",
              good=False).returncode != 0, "registered, and listed")
    run("ipset", "del", "span25-block-v4", "10.1.0.1")
    run("ipset", "add", "span25-block-v4", "10.9.9.9", "timeout", "0")
    said = run(RUN, "compare", "ipset", spec,
               stdin=run("ipset", "save").stdout).stdout
    check("missing 1 extra 1 endless 1 bad" in said, said)


def many_are_loaded_at_once(folder):
    lines = "".join(f"block 10.{i >> 16}.{i >> 8 & 255}.{i & 255} 600\n"
                    for i in range(6000))
    spec = write(folder, "many", lines)
    nft(feed("nft", spec))
    said = run(RUN, "compare", "nft", spec, stdin=listed("span25_feed")).stdout
    check("want 6000 found 6000 missing 0 extra 0 endless 0 good" in said,
          said)
    run("ipset", "-exist", "restore", stdin=feed("ipset", spec))
    said = run(RUN, "compare", "ipset", spec,
               stdin=run("ipset", "save").stdout).stdout
    check("found 6000 missing 0 extra 0 endless 0 good" in said, said)


def an_element_ends_without_its_writer(folder):
    spec = write(folder, "short", "block 10.1.0.1 1\nblock 10.1.0.2 600\n")
    nft(feed("nft", spec))
    run("ipset", "-exist", "restore", stdin=feed("ipset", spec))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        gone = (len(elements("blk4")) == 1 and
                "10.1.0.1 " not in run("ipset", "save").stdout)
        if gone:
            return
        time.sleep(0.1)
    check(False, "still there")


# ---- a router ----

def enter(namespace):
    if ctypes.CDLL(None, use_errno=True).setns(namespace, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """A process that sleeps in a namespace of its own, and a link to it."""

    def __init__(self, name):
        self.name = name
        self.keeper = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        own = os.readlink("/proc/self/ns/net")
        path = f"/proc/{self.keeper.pid}/ns/net"
        end = time.monotonic() + PATIENCE
        while os.readlink(path) == own:
            check(time.monotonic() < end, "no namespace")
            time.sleep(0.01)
        run("ip", "link", "add", name, "type", "veth", "peer", "name", "eth",
            "netns", str(self.keeper.pid))
        run("ip", "link", "set", name, "up")
        for words in (("link", "set", "lo", "up"), ("link", "set", "eth", "up")):
            self.ip(*words)

    def ip(self, *words):
        run("nsenter", f"--net=/proc/{self.keeper.pid}/ns/net", "ip", *words)

    def socket(self, family):
        """A socket lives in the namespace that it was made in."""
        back = os.open("/proc/self/ns/net", os.O_RDONLY)
        there = os.open(f"/proc/{self.keeper.pid}/ns/net", os.O_RDONLY)
        try:
            enter(there)
            made = socket.socket(family, socket.SOCK_STREAM)
        finally:
            enter(back)
            os.close(there)
            os.close(back)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        return made

    def close(self):
        self.keeper.kill()
        self.keeper.wait()


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Router:
    """home -- this namespace -- world; every address used is on a loopback."""

    def __init__(self):
        self.home, self.world = Namespace(HOME), Namespace(WORLD)
        run("sysctl", "-qw", "net.ipv4.ip_forward=1",
            "net.ipv6.conf.all.forwarding=1")
        for at, name, four, six in ((self.home, HOME, "172.31.1", "fd25:f1::"),
                                    (self.world, WORLD, "172.31.2",
                                     "fd25:f2::")):
            run("ip", "addr", "add", f"{four}.1/24", "dev", name)
            run("ip", "addr", "add", f"{six}1/64", "dev", name, "nodad")
            at.ip("addr", "add", f"{four}.2/24", "dev", "eth")
            at.ip("addr", "add", f"{six}2/64", "dev", "eth", "nodad")
            at.ip("route", "add", "default", "via", f"{four}.1")
            at.ip("-6", "route", "add", "default", "via", f"{six}1")
        run("ip", "route", "add", "10.0.0.0/8", "via", "172.31.1.2")
        run("ip", "-6", "route", "add", "fd25:1::/32", "via", "fd25:f1::2")
        run("ip", "route", "add", "198.51.100.0/24", "via", "172.31.2.2")
        run("ip", "-6", "route", "add", "fd25:2::/32", "via", "fd25:f2::2")
        self.home.ip("route", "add", "local", "10.0.0.0/8", "dev", "lo")
        self.home.ip("-6", "route", "add", "local", "fd25:1::/32", "dev", "lo")
        self.world.ip("route", "add", "local", "198.51.100.0/24", "dev", "lo")
        self.world.ip("-6", "route", "add", "local", "fd25:2::/32", "dev", "lo")
        self.servers = {}
        for at in (self.home, self.world):
            for family, any_ in ((socket.AF_INET, ""), (socket.AF_INET6, "::")):
                for port in (25, 587):
                    server = at.socket(family)
                    if family == socket.AF_INET6:
                        server.setsockopt(socket.IPPROTO_IPV6,
                                          socket.IPV6_V6ONLY, 1)
                    server.bind((any_, port))
                    server.listen(64)
                    self.servers[(at.name, family, port)] = server

    def open(self, at, source, target, port=25, source_port=0):
        """A connection that has been begun; never waits."""
        client = at.socket(family_of(source))
        if client.family == socket.AF_INET6:
            client.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
        client.bind((source, source_port))
        client.setblocking(False)
        code = client.connect_ex((target, port))
        check(code in (0, errno.EINPROGRESS), f"{source}: {os.strerror(code)}")
        return client

    def outcome(self, client):
        """open or refused, whichever it comes to."""
        ready = select.select([], [client], [], PATIENCE)[1]
        check(ready, "neither opened nor refused")
        code = client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        client.close()
        return "open" if code == 0 else "refused" if \
            code == errno.ECONNREFUSED else os.strerror(code)

    def mail(self, outward, inner, outer, port=25):
        source, target = (inner, outer) if outward else (outer, inner)
        at = self.home if outward else self.world
        return self.outcome(self.open(at, source, target, port))

    def close(self):
        for server in self.servers.values():
            server.close()
        self.home.close()
        self.world.close()


def counted(table, name):
    text = run("nft", "-j", "list", "counters", "table", "inet", table).stdout
    return next(x["counter"]["packets"] for x in json.loads(text)["nftables"]
                if x.get("counter", {}).get("name") == name)


def dropped_by(router, at, source, target, source_port, counter):
    """From port 25 nothing is answered: it is counted, and not opened."""
    before = counted("span25_border", counter)
    client = router.open(at, source, target, 587, source_port)
    end = time.monotonic() + PATIENCE
    while counted("span25_border", counter) == before:
        check(time.monotonic() < end, f"{counter} counts nothing")
        time.sleep(0.02)
    ready = select.select([], [client], [], 0)[1]
    client.close()
    return not ready


# who, outward, inner address, armed outcome
WORLD4, WORLD6 = "198.51.100.9", "fd25:2::9"
MAIL = [
    ("permitted to send", True, "10.1.0.5", WORLD4, "open"),
    ("permitted to send receives nothing", False, "10.1.0.5", WORLD4,
     "refused"),
    ("permitted both ways", True, "10.1.0.6", WORLD4, "open"),
    ("permitted both ways, in", False, "10.1.0.6", WORLD4, "open"),
    ("permitted to receive", False, "10.1.0.9", WORLD4, "open"),
    ("permitted to receive sends nothing", True, "10.1.0.9", WORLD4,
     "refused"),
    ("exempt", True, "10.1.0.7", WORLD4, "open"),
    ("exempt, in", False, "10.1.0.7", WORLD4, "open"),
    ("beside the permits", True, "10.1.0.4", WORLD4, "refused"),
    ("behind the permits", True, "10.1.0.10", WORLD4, "refused"),
    ("behind them, in", False, "10.1.0.10", WORLD4, "refused"),
    ("a site that counts", True, "10.2.0.1", WORLD4, "open"),
    ("a site that counts, in", False, "10.2.0.1", WORLD4, "open"),
    ("a site that is off, within another", True, "10.1.9.1", WORLD4, "open"),
    ("at home in no site", True, "10.7.0.1", WORLD4, "refused"),
    ("at home in no site, in", False, "10.7.0.1", WORLD4, "refused"),
    ("IPv6, permitted", True, "fd25:1::5", WORLD6, "open"),
    ("IPv6, permitted, in", False, "fd25:1::5", WORLD6, "open"),
    ("IPv6, not permitted", True, "fd25:1::6", WORLD6, "refused"),
    ("IPv6, not permitted, in", False, "fd25:1::6", WORLD6, "refused"),
]


def all_mail(router, want):
    for why, outward, inner, outer, armed in MAIL:
        got = router.mail(outward, inner, outer)
        check(got == (want or armed), f"{why}: {got}")


def verified(spec):
    return run(RUN, "verify", "x", spec, stdin=listed("span25_border")).stdout


def the_policy_stops_and_passes(folder, router):
    spec = write(folder, "policy", POLICY)
    script = {name: run(RUN, "border", name, spec).stdout
              for name in ("load", "arm", "disarm", "undo")}

    nft(script["undo"])
    all_mail(router, "open")
    check(nft(script["arm"], good=False).returncode != 0,
          "armed where nothing is loaded")
    nft(script["load"])
    check("missing 0 extra 0" in verified(spec), verified(spec))
    all_mail(router, "open")
    check(counted("span25_border", "out_0") > 0, "loaded: nothing is counted")
    nft(script["arm"])
    check("missing 0 extra 0" in verified(spec), verified(spec))
    all_mail(router, None)
    for outward in (True, False):
        check(router.mail(outward, "10.1.0.4", WORLD4, 587) == "open",
              "submission is nobody's business")
    nft(script["disarm"])
    all_mail(router, "open")
    nft(script["arm"])
    nft(script["load"])
    all_mail(router, "open")
    nft(script["arm"])
    begin = time.monotonic()
    nft(script["undo"])
    all_mail(router, "open")
    check(time.monotonic() - begin < 60, "undo takes longer than a minute")
    check(run("nft", "list", "tables").stdout.count("border") == 0, "undone")
    nft(script["undo"])


def source_port_25_is_dropped(folder, router):
    spec = write(folder, "policy", POLICY)
    for name in ("load", "arm"):
        nft(run(RUN, "border", name, spec).stdout)
    for why, at, source, target, counter in (
            ("inbound", router.world, WORLD4, "10.1.0.4", "back_0"),
            ("inbound to one that may only receive", router.world, WORLD4,
             "10.1.0.9", "back_0"),
            ("answers outbound", router.home, "10.1.0.4", WORLD4, "answer_0"),
            ("from one in no site", router.home, "10.7.0.4", WORLD4,
             "answer_3")):
        check(dropped_by(router, at, source, target, 25, counter), why)
    # who may receive may answer, and may not ask by it
    client = router.open(router.home, "10.1.0.9", WORLD4, 25, 2525)
    check(router.outcome(client) == "refused", "asks from an odd port")
    nft(run(RUN, "border", "undo", spec).stdout)


def a_permit_that_is_missing_keeps_it_disarmed(folder, router):
    spec = write(folder, "policy", POLICY)
    nft(run(RUN, "border", "load", spec).stdout)
    run("nft", "delete", "element", "inet", "span25_border", "send_25_v6",
        "{ fd25:1::5 }")
    check("missing 1 extra 0" in verified(spec), verified(spec))
    check(nft(run(RUN, "border", "arm", spec).stdout,
              good=False).returncode != 0, "armed without a permit")
    all_mail(router, "open")
    nft(run(RUN, "border", "undo", spec).stdout)


def a_trial_ends_by_itself(folder, router):
    spec = write(folder, "trial", POLICY + "trial 1\n")
    nft(run(RUN, "border", "load", spec).stdout)
    nft(run(RUN, "border", "arm", spec).stdout)
    end = time.monotonic() + PATIENCE
    while router.mail(True, "10.1.0.4", WORLD4) != "open":
        check(time.monotonic() < end, "the trial does not end")
        time.sleep(0.05)
    nft(run(RUN, "border", "undo", spec).stdout)


def the_feed_stops_what_it_lists(folder, router):
    spec = write(folder, "stop", "block 10.1.0.4 600\nblock fd25:1::/64 600\n")
    nft(feed("nft-rules", spec))
    check(router.mail(True, "10.1.0.4", WORLD4) == "open", "not loaded yet")
    nft(feed("nft", spec))
    for why, outward, inner, outer, port, want in (
            ("listed", True, "10.1.0.4", WORLD4, 25, "refused"),
            ("listed, submission", True, "10.1.0.4", WORLD4, 587, "open"),
            ("not listed", True, "10.1.0.3", WORLD4, 25, "open"),
            ("listed /64", True, "fd25:1::77", WORLD6, 25, "refused"),
            ("the next /64", True, "fd25:1:0:1::1", WORLD6, 25, "open")):
        check(router.mail(outward, inner, outer, port) == want, why)
    run("nft", "flush", "set", "inet", "span25_feed", "blk4")
    check(router.mail(True, "10.1.0.4", WORLD4) == "open", "flushed")
    nft(feed("nft-rules", spec))  # again: not doubled
    text = run("nft", "list", "chain", "inet", "span25_feed", "stop").stdout
    check(text.count("counter") == 4, text)
    run("nft", "delete", "table", "inet", "span25_feed")


LISTS = [the_feed_is_loaded_and_read_back, the_ipset_is_loaded_and_read_back,
         many_are_loaded_at_once, an_element_ends_without_its_writer]
PACKETS = [the_feed_stops_what_it_lists, the_policy_stops_and_passes,
           source_port_25_is_dropped,
           a_permit_that_is_missing_keeps_it_disarmed, a_trial_ends_by_itself]


def main():
    global RUN
    RUN = str(pathlib.Path(sys.argv[1]).resolve())
    inside()
    failed = 0
    router = Router()
    with tempfile.TemporaryDirectory() as name:
        for test in LISTS + PACKETS:
            begin = time.monotonic()
            try:
                test(pathlib.Path(name), *([router] if test in PACKETS else []))
                said = "ok"
            except AssertionError as why:
                failed += 1
                said = f"FAILED: {why}"
            print(f"{test.__name__}: {said} ({time.monotonic() - begin:.1f} s)")
    router.close()
    print(f"{len(LISTS) + len(PACKETS) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
