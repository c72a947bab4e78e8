#!/usr/bin/env python3
"""A live sensor's block lists: made, served, fetched and loaded for real.

    feeds_live_test.py [--long] PROGRAM JOURNAL_MAKE

In namespaces of its own. The state begins with decisions that were enforced; a
sensor on it serves them at once. curl, the kernel's nftables and ipset and
Debian's crowdsec-firewall-bouncer are the consumers. Without --long no new set
is waited for: the sensor measures for ten seconds before it makes one.
"""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import blocks_test as blocks
from support import live

PATIENCE = 60
PORT = 9126
TOKENS = {name: f"{name}-token-0123456789" for name in
          ("fw", "edge", "bouncer", "json")}
FORMATS = {"fw": "nft", "edge": "edl:paloalto", "bouncer": "crowdsec",
           "json": "json"}


def check(good, why):
    if not good:
        raise AssertionError(why)


def run(*words, stdin=None, good=True):
    done = subprocess.run([*map(str, words)], input=stdin, capture_output=True,
                          text=True, check=False, timeout=PATIENCE)
    check(not good or done.returncode == 0,
          f"{words[:5]}: exit {done.returncode}: {done.stderr[:500]}")
    return done


def skip(why):
    print(f"skipped: {why}")
    sys.exit(live.SKIPPED)


class Reply:
    """Of curl: status, header fields, body."""

    def __init__(self, path, *options, scheme="http"):
        done = run("curl", "-sS", "-k", "-i", "-m", "20", *options,
                   f"{scheme}://127.0.0.1:{PORT}{path}")
        head, _, self.body = done.stdout.replace("\r\n", "\n").partition(
            "\n\n")
        lines = head.split("\n")
        self.status = int(lines[0].split()[1])
        self.fields = {k.lower(): v for k, _, v in
                       (x.partition(": ") for x in lines[1:])}


def bearer(name):
    return ["-H", f"Authorization: Bearer {TOKENS[name]}"]


def fetch(name, *options, **more):
    return Reply(f"/feeds/{name}", *bearer(name), *options, **more)


class Bench:
    def __init__(self, program, maker, folder):
        self.program, self.maker = program, maker
        self.folder = pathlib.Path(folder)
        self.state = self.folder / "state"
        self.sensor = None
        blocks.PROGRAM, blocks.MAKE = program, maker

    def begin(self, *events, more="", tls=False):
        """The state, with its first set, and a sensor on it."""
        blocks.append(self.state, [blocks.policy(), blocks.sight(), *events])
        forms = self.folder / "registry.csv"
        forms.write_text("address,site\n192.0.2.1,Library\n")
        run(self.program, "registry", "import", "--state", self.state, forms)
        run(self.program, "blocks", "export", "--state", self.state)
        text = (f"live:\n  user: {live.user()}\nfeeds:\n"
                f"  listen: 127.0.0.1:{PORT}\n  lists: [nft, edl:plain]\n")
        if tls:
            run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
                "-subj", "/CN=span25", "-days", "2", "-keyout",
                self.folder / "key.pem", "-out", self.folder / "cert.pem")
            (self.folder / "key.pem").chmod(0o644)
            text += (f"  certificate: {self.folder}/cert.pem\n"
                     f"  key: {self.folder}/key.pem\n")
        text += more + "consumers:\n"
        for name, token in TOKENS.items():
            path = self.folder / f"{name}.token"
            path.write_text(token + "\n")
            text += (f"  - {{name: {name}, format: '{FORMATS[name]}', "
                     f"token: {path}}}\n")
        (self.folder / "state.yaml").write_text(text)
        self.start()

    def start(self):
        self.began = time.time()
        run("chown", "-R", live.user(), self.state)
        self.sensor = live.Sensor(self.program, self.state)
        check(live.wait_for(lambda: live.processes().get("span25-feeds")),
              self.sensor.log_text())

    def reply(self, name, *options, **more):
        """The first answer: the server may only just begin."""
        path = f"/feeds/{name}"
        got = live.wait_for(lambda: run(
            "curl", "-sk", "-m", "20", f"{more.get('scheme', 'http')}://"
            f"127.0.0.1:{PORT}{path}", good=False).returncode == 0)
        check(got, self.sensor.log_text())
        return fetch(name, *options, **more)

    def tell(self, *events):
        """Decisions of a sensor that does not run now, told by journal."""
        self.sensor.stop()
        blocks.append(self.state, events)
        self.start()


def metrics(name):
    text = run("curl", "-sS", "http://127.0.0.1:9125/metrics").stdout
    return {line.split(" ")[0]: float(line.split(" ")[1])
            for line in text.splitlines() if line.startswith(f"span25_{name}")}


# ---- who may fetch what ----

def part_http(bench):
    bench.begin(blocks.decision("10.0.0.1/32"), blocks.decision("10.0.0.2/32"),
                blocks.decision("192.0.2.1/32"))
    edge = bench.reply("edge")
    check(edge.status == 200 and edge.body.count("\n") == 2 and
          "192.0.2.1" not in edge.body, f"{edge.status} {edge.body}")
    check(edge.fields["etag"].startswith('"') and
          edge.fields["last-modified"].endswith("GMT"), f"{edge.fields}")
    for options in (["-H", f"If-None-Match: {edge.fields['etag']}"],
                    ["-H", f"If-None-Match: \"x\", W/{edge.fields['etag']}"],
                    ["-H", "If-Modified-Since: " +
                     edge.fields["last-modified"]]):
        again = fetch("edge", *options)
        check(again.status == 304 and not again.body, f"{options}")
    check(fetch("edge", "-H", 'If-None-Match: "x"').status == 200, "changed")
    head = fetch("edge", "-I")
    check(head.status == 200 and not head.body and
          int(head.fields["content-length"]) == len(edge.body), "HEAD")
    basic = base64.b64encode(f"edge:{TOKENS['edge']}".encode()).decode()
    for options, status in (
            ([], 401), (bearer("fw"), 403), (bearer("edge") + ["-d", "x"], 405),
            (["-H", f"Authorization: Basic {basic}"], 200),
            (["-H", f"Authorization: Basic {basic}="], 401),
            (["-u", f"fw:{TOKENS['edge']}"], 401),
            (["-H", "Authorization: Bearer " + TOKENS["edge"][:-1]], 401),
            (["-H", "Authorization: Bearer " + "x" * 9000], 401),
            (["-H", f"X-Api-Key: {TOKENS['edge']}"], 200)):
        got = Reply("/feeds/edge", *options)
        check(got.status == status, f"{options}: {got.status}")
        check(status == 200 or "10.0.0" not in got.body, f"{options}: told")
    check(Reply("/feeds/../feeds/edge", "--path-as-is",
                *bearer("edge")).status == 403, "path")
    got = json.loads(fetch("json").body)
    check(got["count"] == 2 and [e["subject"] for e in got["entries"]] ==
          ["10.0.0.1/32", "10.0.0.2/32"], f"{got}")
    check((bench.state / "feeds" / "edl-plain.txt").exists() or
          bench.sensor is not None, "files")
    run(bench.program, "blocks", "diff", "--state", bench.state, "--target",
        "edge")
    check("feeds_index" not in bench.sensor.log_text(), bench.sensor.log_text())
    seen = live.wait_for(lambda: metrics(
        'feeds_consumer_last_fetch_timestamp_seconds{consumer="edge"}'), 10)
    check(seen, "no metric of the consumer")
    check(not any("10.0.0" in k for k in metrics("feeds")), "an address")
    busy = run(bench.program, "blocks", "export", "--state", bench.state)
    check("the running sensor's" in busy.stderr, busy.stderr)


# ---- CrowdSec ----

def stream(startup):
    got = Reply(f"/v1/decisions/stream?startup={startup}", "-H",
                f"X-Api-Key: {TOKENS['bouncer']}")
    check(got.status == 200, f"{got.status} {got.body}")
    return json.loads(got.body)


def part_crowdsec(bench):
    bench.begin(blocks.decision("10.0.0.1/32"), blocks.decision("10.0.0.2/32"))
    bench.reply("bouncer")
    first = stream("true")
    check([d["value"] for d in first["new"]] == ["10.0.0.1", "10.0.0.2"] and
          not first["deleted"], f"{first}")
    check(all(d["type"] == "ban" and not d["simulated"] and
              d["duration"].endswith("s") for d in first["new"]), f"{first}")
    for key in ([], ["-H", "X-Api-Key: none"],
                ["-H", f"X-Api-Key: {TOKENS['fw']}"]):
        got = Reply("/v1/decisions/stream?startup=true", *key)
        check(got.status == 403 and "10.0.0" not in got.body, f"{key}")


# ---- the kernel ----

def part_kernel(bench):
    bench.begin(blocks.decision("10.0.0.1/32"), blocks.decision("10.0.0.2/32"))
    nft = bench.reply("fw").body
    if shutil.which("nft") is None or run("nft", "-f", "-", stdin=nft,
                                          good=False).returncode != 0:
        skip("nft cannot load a set here")
    found = bench.folder / "found.json"
    found.write_text(run("nft", "-j", "list", "table", "inet",
                         "span25_feed").stdout)
    good = run(bench.program, "blocks", "export", "--state", bench.state,
               "--format", "nft", "--verify", found).stdout
    check(good.startswith("wanted 2, found 2, missing 0, extra 0"), good)
    run("nft", "delete element inet span25_feed blk4 { 10.0.0.1 }")
    found.write_text(run("nft", "-j", "list", "table", "inet",
                         "span25_feed").stdout)
    bad = run(bench.program, "blocks", "export", "--state", bench.state,
              "--format", "nft", "--verify", found, good=False)
    check(bad.returncode == 4 and "missing 1" in bad.stdout, bad.stdout)


# ---- TLS, and the server's death ----

def part_tls(bench):
    bench.begin(blocks.decision("10.0.0.1/32"), tls=True)
    got = bench.reply("edge", scheme="https")
    check(got.status == 200 and "10.0.0.1" in got.body, f"{got.status}")
    plain = run("curl", "-sS", "-m", "5", f"http://127.0.0.1:{PORT}/feeds/edge",
                *bearer("edge"), good=False)
    check("10.0.0.1" not in plain.stdout, "told without TLS")


def part_killed(bench):
    """One that dies comes back with the same list."""
    bench.begin(blocks.decision("10.0.0.1/32"))
    before = bench.reply("edge")
    pid = live.processes()["span25-feeds"][0]
    os.kill(pid, 9)
    check(live.wait_for(lambda: pid not in live.processes().get(
        "span25-feeds", [pid])), "it did not come back")
    after = bench.reply("edge")
    check(after.body == before.body, f"{after.status} {after.body}")


# ---- long: new sets, a bouncer, packets, and the writer's death ----

def fresh(bench):
    """A set was made by this sensor: it has measured what it sees."""
    check(live.wait_for(lambda: metrics("feeds_fresh").get(
        "span25_feeds_fresh") == 1 and metrics("feeds_made").get(
            "span25_feeds_made_timestamp_seconds", 0) > bench.began, 60),
          f"{metrics('feeds')} {bench.sensor.log_text()}")


def lift(bench, address):
    run(bench.program, "blocks", "lift", "--state", bench.state, address,
        "--reason", "cleaned")
    return time.monotonic()


def part_lifted(bench):
    """What is lifted leaves every list, and CrowdSec is told."""
    bench.begin(blocks.decision("10.0.0.1/32"), blocks.decision("10.0.0.2/32"))
    fresh(bench)
    check("10.0.0.1" in fetch("edge").body, "not listed")
    check(len(stream("true")["new"]) == 2, "not told")
    begin = lift(bench, "10.0.0.1")
    check(live.wait_for(lambda: "10.0.0.1" not in fetch("edge").body, 60),
          bench.sensor.log_text())
    took = time.monotonic() - begin
    check(live.wait_for(lambda: "10.0.0.1" not in (
        bench.state / "feeds" / "edl-plain.txt").read_text(), 10), "file")
    check("10.0.0.1" in [d["value"] for d in stream("false")["deleted"]],
          "not told as deleted")
    print(f"lifted: gone from the list {took:.1f} s after the command")


BOUNCER = """\
mode: nftables
pid_dir: {folder}
update_frequency: 1s
daemonize: false
log_mode: stdout
log_level: info
api_url: http://127.0.0.1:{port}/
api_key: {key}
disable_ipv6: true
deny_action: DROP
deny_log: false
supported_decisions_types: [ban]
nftables:
  ipv4: {{enabled: true, set-only: false, table: crowdsec,
          chain: crowdsec-chain, priority: -10}}
  ipv6: {{enabled: false}}
nftables_hooks: [input, forward]
prometheus: {{enabled: false}}
"""


def part_bouncer(bench):
    """Debian's own bouncer, with its nftables."""
    program = shutil.which("crowdsec-firewall-bouncer")
    if program is None:
        print("skipped: crowdsec-firewall-bouncer is not installed")
        return
    bench.begin(blocks.decision("10.0.0.1/32"), blocks.decision("10.0.0.2/32"))
    fresh(bench)
    config = bench.folder / "bouncer.yaml"
    config.write_text(BOUNCER.format(folder=bench.folder, port=PORT,
                                     key=TOKENS["bouncer"]))
    log = (bench.folder / "bouncer.log").open("wb")
    bouncer = subprocess.Popen([program, "-c", str(config)], stdout=log,
                               stderr=log)

    def listed():
        return run("nft", "list", "ruleset").stdout

    try:
        check(live.wait_for(lambda: "10.0.0.1 " in listed() and
                            "10.0.0.2 " in listed(), 30),
              (bench.folder / "bouncer.log").read_text())
        begin = lift(bench, "10.0.0.1")
        check(live.wait_for(lambda: "10.0.0.1 " not in listed(), 60),
              (bench.folder / "bouncer.log").read_text())
        print("bouncer: both loaded; gone from its nftables "
              f"{time.monotonic() - begin:.1f} s after the lift")
    finally:
        bouncer.terminate()
        bouncer.wait(timeout=30)
        log.close()


class Net:
    """home - this namespace - world, and a server there."""

    def __init__(self, homes):
        self.pids = {}
        self.children = []
        for name, ours, theirs in (("home", "10.0.0.254/24", homes),
                                   ("world", "203.0.113.254/24",
                                    ["203.0.113.1/24"])):
            child = subprocess.Popen(["unshare", "--net", "sleep", "900"])
            self.children.append(child)
            mine = os.readlink("/proc/self/ns/net")
            check(live.wait_for(lambda c=child, m=mine: os.readlink(
                f"/proc/{c.pid}/ns/net") != m), "no namespace")
            self.pids[name] = child.pid
            live.ip("link", "add", f"r-{name}", "type", "veth", "peer", "name",
                    "eth0", "netns", str(child.pid))
            live.ip("addr", "add", ours, "dev", f"r-{name}")
            live.ip("link", "set", f"r-{name}", "up")
            for address in theirs:
                self.within(name, "ip", "addr", "add", address, "dev", "eth0")
            self.within(name, "ip", "link", "set", "eth0", "up")
            self.within(name, "ip", "route", "add", "default", "via",
                        ours.partition("/")[0])
        pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        self.children.append(subprocess.Popen(
            ["nsenter", "-t", str(self.pids["world"]), "-n", sys.executable,
             "-c", SERVER]))

    def within(self, name, *words, good=True):
        return run("nsenter", "-t", self.pids[name], "-n", *words, good=good)

    def connects(self, source, port):
        return self.within("home", sys.executable, "-c", CLIENT, source,
                           str(port), good=False).stdout.strip()

    def close(self):
        for child in self.children:
            child.kill()
            child.wait()


SERVER = """
import selectors, socket
s = selectors.DefaultSelector()
for port in (25, 587):
    l = socket.create_server(("203.0.113.1", port), backlog=64)
    s.register(l, selectors.EVENT_READ)
while True:
    for key, _ in s.select():
        key.fileobj.accept()[0].close()
"""
CLIENT = """
import socket, sys
try:
    socket.create_connection(("203.0.113.1", int(sys.argv[2])), 10,
                             (sys.argv[1], 0)).close()
    print("passes")
except ConnectionRefusedError:
    print("refused")
except OSError as e:
    print(e)
"""


def part_deadman(bench):
    """A firewall that fetches: real connections stop; and when the whole sensor
    dies, it keeps what it has, until that ends by itself."""
    bench.begin(blocks.decision("10.0.0.1/32"), more="  deadman: 1m\n")
    net = Net(["10.0.0.1/24", "10.0.0.9/24"])
    try:
        check(live.wait_for(lambda: net.connects("10.0.0.1", 25) == "passes"),
              net.connects("10.0.0.1", 25))
        fresh(bench)
        run("nft", "-f", "-", stdin=run(
            bench.program, "blocks", "export", "--state", bench.state,
            "--format", "nft-rules").stdout)
        run("nft", "-f", "-", stdin=fetch("fw").body)
        for source, port, want in (("10.0.0.1", 25, "refused"),
                                   ("10.0.0.9", 25, "passes"),
                                   ("10.0.0.1", 587, "passes")):
            got = net.connects(source, port)
            check(got == want, f"{source} to {port}: {got}")
        begin = time.monotonic()
        bench.sensor.process.kill()
        bench.sensor.process.wait()
        check(live.wait_for(lambda: not live.processes()), "processes stay")
        check(run("curl", "-s", "-m", "5", f"http://127.0.0.1:{PORT}/feeds/fw",
                  *bearer("fw"), good=False).returncode != 0, "it answers")
        check(net.connects("10.0.0.1", 25) == "refused", "let go at once")
        check(live.wait_for(lambda: net.connects("10.0.0.1", 25) == "passes",
                            90), "never let go")
        print("deadman: refused for "
              f"{time.monotonic() - begin:.0f} s after the sensor was killed")
    finally:
        net.close()


def part_ipset(bench):
    """The same set in the kernel's other kind."""
    bench.begin(blocks.decision("10.0.0.1/32"), blocks.decision("10.0.0.2/32"))
    text = bench.folder / "list"
    if shutil.which("ipset") is None:
        print("skipped: ipset is not installed")
        return
    bench.sensor.stop()
    run(bench.program, "blocks", "export", "--state", bench.state, "--format",
        "ipset", "-o", text)
    run("ipset", "-exist", "restore", stdin=text.read_text())
    text.write_text(run("ipset", "save").stdout)
    good = run(bench.program, "blocks", "export", "--state", bench.state,
               "--format", "ipset", "--verify", text).stdout
    check(good.startswith("wanted 2, found 2, missing 0, extra 0"), good)


PARTS = [part_http, part_crowdsec, part_kernel, part_tls, part_killed]
LONG = [part_lifted, part_bouncer, part_deadman, part_ipset]


def main():
    words = [w for w in sys.argv[1:] if w != "--long"]
    if shutil.which("curl") is None:
        skip("curl is not installed")
    live.inside()
    live.ip("link", "set", "lo", "up")
    wanted = words[2:]
    passed = 0
    for part in LONG if "--long" in sys.argv else PARTS:
        if wanted and part.__name__.removeprefix("part_") not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder).chmod(0o755)
            bench = Bench(words[0], words[1], folder)
            try:
                part(bench)
            except BaseException:
                if bench.sensor is not None:
                    print(bench.sensor.log_text())
                raise
            finally:
                if bench.sensor is not None and \
                        bench.sensor.process.poll() is None:
                    bench.sensor.process.terminate()
                    bench.sensor.process.wait(timeout=60)
            log = bench.sensor.log_text()
            check("Bad system call" not in log, log)
        passed += 1
    print(f"{passed} passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
