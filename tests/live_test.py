#!/usr/bin/env python3
"""The live sensor on a link: what it sees, and how it stands what happens to it.

    live_test.py [--long] PROGRAM CONFINED [PART...]

CONFINED is confine_try.c. Parts: replay, kill, inspectors, stop, reload,
silent, orphans, socket, canaries,
confined, stalled, links. Needs root, makes namespaces of its own.
"""
import argparse
import base64
import collections
import datetime
import ipaddress
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import live  # noqa: E402

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
# Made from time, or from what else was sent.
OWN = {"timestamp", "event_id", "flow_id", "tx_id", "flow_seq", "journal",
       "latency", "in_iface", "timing", "start"}
COMPARED = ("smtp", "smtp_session", "file", "fileinfo", "anomaly", "dns")


def plain(value):
    """Without what differs between two readings of the same packets."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()
                if k not in OWN and not k.endswith(("_ms", "_ns", "_time"))}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


def attempts_together(events):
    """A client's attempts are told by the minute, and two readings need not
    agree on which minute the last ones are in: so their sum, by kind. Who was
    tried in two minutes is counted in both, so destinations are left out."""
    sums = collections.defaultdict(collections.Counter)
    for e in events:
        if "attempts" not in e:
            yield e
            continue
        rest = {k: v for k, v in e.items() if k not in OWN | {"attempts"}}
        rest.pop("dest_ip", None)  # of the minute's first one
        counts = {k: v for k, v in e["attempts"].items() if k != "destinations"}
        sums[json.dumps(rest, sort_keys=True)].update(counts)
    for rest, counts in sums.items():
        yield json.loads(rest) | {"attempts": dict(counts)}


def bag(events, without=()):
    return collections.Counter(
        json.dumps(plain({k: v for k, v in e.items() if k not in without}),
                   sort_keys=True)
        for e in attempts_together(
            e for e in events if e["event_type"] in COMPARED))


# A repeated packet is a copy or a retransmission, as its time says, so these
# are not the same when the same packets are sent twice.
TIMED = ("flow", "tcp")


def read_events(program, path, *options):
    done = subprocess.run([program, "read", "-q", "--events", "-", *live.HOME,
                           *options, str(path)], check=True, timeout=120,
                          capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


class Bench:
    """What the parts share: the programs, a folder, how long they may take."""

    def __init__(self, options, folder):
        self.program, self.confined = options.program, options.confined
        self.long, self.folder = options.long, folder

    def fresh(self, name):
        folder = self.folder / name
        folder.mkdir()
        folder.chmod(0o755)
        return folder

    def sensor(self, folder, *options, **more):
        return live.Sensor(self.program, folder / "state", *options, **more)


REGISTRY = {"lab.pcap": ("--registry", str(FIXTURES / "lab-registry.csv")),
            "bot.pcap.gz": ("--registry", str(FIXTURES / "bot-registry.csv"))}


def frames(name):
    return [data for _, data in live.packets(FIXTURES / name)]


# ---- replay: the same as read ----

def start_dump(folder):
    log = (folder / "tcpdump").open("w")
    dump = subprocess.Popen(
        ["tcpdump", "-Z", "root", "-U", "-n", "-i", live.TAP, "-s", "65536",
         "-B", "65536", "-w", str(folder / "seen.pcap")], stderr=log)
    assert live.wait_for(lambda: "listening on" in
                         (folder / "tcpdump").read_text())
    return dump


def stop_dump(dump, folder, n):
    """Once it has written all n packets: it may be behind."""
    seen = folder / "seen.pcap"
    assert live.wait_for(lambda: len(live.packets(seen)) == n, 30)
    dump.terminate()
    dump.wait(timeout=20)
    assert "\n0 packets dropped" in (folder / "tcpdump").read_text()


def check_counters(sensor, sent, workers):
    """Each packet is one worker's; their last records have all of them."""
    last = {}
    for event in sensor.of_type("stats"):
        capture = event["stats"].get("capture", {})
        if capture.get("iface") == live.TAP:
            last[capture["worker"]] = capture
    assert len(last) == workers, last
    assert sum(c["packets"] for c in last.values()) == sent, (sent, last)
    assert all(c["dropped"] == c["missed"] == 0 for c in last.values()), last


def check_equal(got, wanted, what):
    more, less = got - wanted, wanted - got
    assert not more and not less, (what, sum(more.values()), sum(less.values()),
                                   "".join(list(more)[:1])[:1500],
                                   "".join(list(less)[:1])[:1500])


def replay_one(bench, name, workers):
    folder = bench.fresh(f"replay-{name}-{workers}")
    dump = start_dump(folder)
    sensor = bench.sensor(folder, "--workers", str(workers), *REGISTRY[name])
    sender = live.Sender(3000)
    data = frames(name)
    sender.send(data)
    sender.close()
    # the kernel gives nothing else
    sent = sum(flow_of(frame)[0] is not None for frame in data)
    time.sleep(0.5)
    sensor.stop()
    stop_dump(dump, folder, len(data))
    wanted = bag(read_events(bench.program, folder / "seen.pcap",
                             *REGISTRY[name]))
    check_equal(bag(sensor.events()), wanted, (name, workers))
    check_counters(sensor, sent, workers)
    assert not sensor.controls("gap")
    return sum(wanted.values())


def part_replay(bench):
    for name in REGISTRY:
        for workers in (1, 2, 4):
            n = replay_one(bench, name, workers)
            print(f"replay: {name}, {workers} workers: {n} events equal")


# ---- kill: whoever dies comes back, and what was lost is told ----

ROLE_OF = {"span25-worker": "worker", "span25-core": "core",
           "span25-index": "index", "span25-keeper": "content",
           "span25-recorder": "recorder", "span25-web": "web",
           "span25-publish": "publish"}
KILLED = tuple(ROLE_OF)
ALL_ROLES = ("evidence:\n  packets: true\n  bytes: 64MiB\nsinks:\n"
             "  - {{name: f, kind: file, target: {0}/state/events.jsonl}}\n")
# In whose gaps something may be lost, or not be looked into.
BLIND = ("worker", "core", "content")
BACK_S = 1.0


def patience():
    """BACK_S, where the machine has time for the sensor at all."""
    return BACK_S if os.getloadavg()[0] <= 2 * os.cpu_count() else 5 * BACK_S


def flow_of(frame):
    """The addresses and ports of a frame, in one order; None: no TCP."""
    at = 18 if frame[12:14] == b"\x81\x00" else 14
    if frame[at - 2:at] not in (b"\x08\x00", b"\x86\xdd"):
        return None, 0
    if frame[at] >> 4 == 4:
        size, protocol = 4 * (frame[at] & 15), frame[at + 9]
        ends = frame[at + 12:at + 16], frame[at + 16:at + 20]
    else:
        size, protocol = 40, frame[at + 6]
        ends = frame[at + 8:at + 24], frame[at + 24:at + 40]
    if protocol != 6:
        return None, 0
    at += size
    pair = sorted([(ends[0], frame[at:at + 2]), (ends[1], frame[at + 2:at + 4])])
    return tuple(pair), frame[at + 13]


def packed(address):
    return ipaddress.ip_address(address).packed


def key_of(event):
    """The same of an event."""
    ends = [(packed(event[a]), event[p].to_bytes(2, "big"))
            for a, p in (("src_ip", "src_port"), ("dest_ip", "dest_port"))]
    return tuple(sorted(ends))


class Load:
    """Sends frames once, remembers when each flow's first and last was."""

    def __init__(self, data, seconds):
        self.data, self.rate = data, len(data) / seconds
        self.flows = {}

    def run(self, each):
        sender = live.Sender(self.rate)
        for at in range(0, len(self.data), 16):
            now = time.time()
            for frame in self.data[at:at + 16]:
                self.note(*flow_of(frame), now)
            sender.send(self.data[at:at + 16])
            each()
        sender.close()

    def note(self, flow, flags, now):
        if flow is None:
            return
        first, _, ended = self.flows.get(flow, (now, now, False))
        self.flows[flow] = (first, now, (ended or flags & 1) and not flags & 4)

    def lies_in(self, flow, gaps):
        """A flow that no FIN ends is told late (after a RST more may come), so
        any gap may have it; so are a host's attempts, which are put together.
        """
        if isinstance(flow, bytes):
            begun = [first for ends, (first, _, _) in self.flows.items()
                     if flow in (ends[0][0], ends[1][0])]
            return any(until >= min(begun) for _, until in gaps)
        first, last, ended = self.flows.get(flow, (0, 0, False))
        return any(until >= first and (begin <= last or not ended)
                   for begin, until in gaps)


def seconds_of(text):
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()


def gaps_of(sensor, roles):
    return [(seconds_of(c["time"]), seconds_of(c["until"]))
            for c in sensor.controls("gap") if c["text"].split()[0].rstrip(":")
            in roles]


class Killer:
    """Kills one after the other, at moments of its own, and awaits it back."""

    def __init__(self, random_source, n, seconds, first):
        self.random, self.left, self.first = random_source, n, first
        self.pause = seconds / (n + 1)
        self.next = time.monotonic() + self.pause
        self.done, self.slowest = [], 0.0
        self.awaited = None

    def __call__(self):
        now = time.monotonic()
        if self.awaited is not None:
            self.look(now)
        elif self.left > 0 and now >= self.next:
            self.kill(now)

    def kill(self, now):
        name = KILLED[(self.first + len(self.done)) % len(KILLED)]
        pids = live.processes().get(name, [])
        victim = self.random.choice(pids)
        os.kill(victim, signal.SIGKILL)
        self.done.append((name, time.time()))
        self.awaited = (name, len(pids), victim, now)
        self.left -= 1

    def look(self, now):
        name, n, victim, since = self.awaited
        pids = live.processes().get(name, [])
        if len(pids) == n and victim not in pids:
            self.slowest = max(self.slowest, now - since)
            self.awaited = None
            self.next = max(now + 0.3 + self.random.random() * 0.4,
                            self.next + self.pause)
        assert now - since < 5 * patience(), f"{name} did not come back"


def run_load(bench, name, data, seconds, killer):
    folder = bench.fresh(name)
    (folder / "state.yaml").write_text(
        f"live:\n  user: {live.user()}\n{ALL_ROLES.format(folder)}")
    sensor = bench.sensor(folder, "--workers", "2")
    load = Load(data, seconds)
    load.run(killer if killer is not None else lambda: None)
    time.sleep(1.5)
    sensor.stop()
    return sensor, load


def check_gaps(sensor, killer):
    """One for each kill, which has its moment, and is not long; the longest."""
    found, longest = sensor.controls("gap"), 0
    for name, moment in killer.done:
        fitting = [c for c in found
                   if c["text"].startswith(ROLE_OF[name])
                   and "signal 9" in c["text"]
                   and seconds_of(c["time"]) - 0.001 <= moment
                   <= seconds_of(c["until"])]
        assert len(fitting) == 1, (name, moment, found)
        length = (seconds_of(fitting[0]["until"]) -
                  seconds_of(fitting[0]["time"]))
        assert length <= patience(), (length, fitting)
        longest = max(longest, length)
    # Where there is no time, one may be taken for dead that is only slow.
    assert (len(found) == len(killer.done) or patience() > BACK_S and
            len(found) > len(killer.done)), (found, killer.done)
    return longest


def check_lost(reference, load, sensor):
    """What no gap has is there, and told once."""
    gaps = gaps_of(sensor, BLIND)
    have, want = (bag((e for e in s.events() if "src_port" in e), TIMED)
                  for s in (sensor, reference))
    excused = lost = 0
    for text, n in (want - have).items():
        if load.lies_in(key_of(json.loads(text)), gaps):
            excused += n
        else:
            lost += n
            e = json.loads(text)
            print("lost:", e["event_type"], load.flows.get(key_of(e)), text)
            print("instead:", [t for t in have - want if e["community_id"] in t
                               and f'"{e["event_type"]}"' in t])
    assert lost == 0, (lost, gaps)
    ids = collections.Counter(e["event_id"] for e in sensor.events())
    assert max(ids.values()) == 1, [i for i in ids if ids[i] > 1]
    return excused


def alerts_of(sensor):
    """(rule, subject) -> flows of the evidence; attempts are told together, so
    of them it is the host."""
    events = {e["event_id"]: e for e in sensor.events()}
    found = {}
    for e in events.values():
        if e["event_type"] == "alert" and "rule" in e["alert"]:
            a = e["alert"]
            flows = found.setdefault((a["rule"], a["subject"]), set())
            for item in a.get("evidence", []):
                proof = events.get(item["event_id"], {})
                if "src_port" in proof:
                    flows.add(key_of(proof))
                elif "src_ip" in proof:
                    flows.add(packed(proof["src_ip"]))
    return found


def check_alerts(reference, load, sensor):
    gaps = gaps_of(sensor, BLIND)
    have, excused = alerts_of(sensor), 0
    for key, flows in alerts_of(reference).items():
        if key in have:
            continue
        assert any(load.lies_in(f, gaps) for f in flows), (key, gaps)
        excused += 1
    return excused


def check_published(sensor):
    """Whoever died: what is journaled has been given to the sink, in order but
    for doubles, which are the same. A new sink begins with what comes."""
    kinds = ("alert", "decision", "smtp", "smtp_session")
    wanted = [e["event_id"] for e in sensor.events()
              if e["event_type"] in kinds]
    got = [e for e in map(json.loads, (sensor.state / "events.jsonl")
                          .read_text().splitlines())
           if e["event_type"] in kinds]
    begin = wanted.index(got[0]["event_id"]) if got else 0
    missing = set(wanted[begin:]) - {e["event_id"] for e in got}
    assert begin < 50 and not missing, (begin, len(missing), len(wanted))
    assert len({json.dumps(e) for e in got}) == len(
        {e["event_id"] for e in got})


def kill_round(bench, number, kills, data, reference):
    """{role: kills}"""
    seconds, wanted = 14, len(alerts_of(reference))
    killer = Killer(random.Random(number), kills, seconds, number * kills)
    sensor, load = run_load(bench, f"kill-{number}", data, seconds, killer)
    assert killer.left == 0 and killer.awaited is None, killer.done
    assert killer.slowest <= patience(), killer.slowest
    longest = check_gaps(sensor, killer)
    events = check_lost(reference, load, sensor)
    alerts = check_alerts(reference, load, sensor)
    check_published(sensor)
    print(f"kill: {kills} kills, back in {killer.slowest * 1000:.0f} ms at "
          f"most, the longest gap {longest * 1000:.0f} ms; {events} events and "
          f"{alerts} of {wanted} alerts lie in gaps", flush=True)
    return collections.Counter(ROLE_OF[name] for name, _ in killer.done)


def part_kill(bench):
    rounds, kills = (60, 10) if bench.long else (1, 10)
    data = frames("bot.pcap.gz") + frames("lab.pcap")
    reference, _ = run_load(bench, "kill-none", data, 14, None)
    assert len(alerts_of(reference)) > 5
    done = collections.Counter()
    for number in range(rounds):
        done += kill_round(bench, number, kills, data, reference)
        shutil.rmtree(bench.folder / f"kill-{number}")
    print("kill:", ", ".join(f"{n} of {role}" for role, n in done.items()))


# ---- inspectors: disposable ----

def held(pid):
    """(bytes of memory of its own, open files)"""
    lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    private = sum(int(line.split()[1]) for line in lines
                  if line.startswith("Private_"))
    return private << 10, len(os.listdir(f"/proc/{pid}/fd"))


def kill_inspectors(n, sender, data):
    done = 0
    while done < n:
        pids = live.wait_for(lambda: live.processes().get("span25-inspect"))
        assert pids, "no inspector is there"
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
                done += 1
            except ProcessLookupError:
                pass
        sender.send(data[done % 64::64])


def all_there(before):
    """The same ones, and an inspector a worker at most."""
    now = live.processes()
    others = [{name: pids for name, pids in found.items()
               if name != "span25-inspect"} for found in (before, now)]
    return others[0] == others[1] and len(now.get("span25-inspect", ())) <= 2


def part_inspectors(bench):
    n = 10000 if bench.long else 200
    data = [f for f in frames("lab.pcap") if len(f) > 60]
    sensor = bench.sensor(bench.fresh("inspectors"), "--workers", "2")
    sender = live.Sender(5000)
    kill_inspectors(20, sender, data)
    before = live.processes()
    figures = {p: held(p) for pids in before.values() for p in pids
               if p not in before.get("span25-inspect", ())}
    kill_inspectors(n, sender, data)
    sender.close()
    assert live.wait_for(lambda: all_there(before)), (live.processes(), before)
    for pid, (memory, files) in figures.items():
        # one that is at work has some open; a leak stays
        assert live.wait_for(lambda: held(pid)[1] <= files), (
            live.numbered(pid), files, held(pid))
        now = held(pid)
        assert now[0] < memory + (48 << 20), (live.numbered(pid), memory, now)
    assert not sensor.controls("gap")
    shares_slot_only(before["span25-keeper"][0])
    sensor.stop()
    print(f"inspectors: {n} killed, nothing leaks")


def shares_slot_only(keeper):
    """Inspectors of another keeper have no ring, no board, no stop word."""
    def shared():
        return [pathlib.Path(f"/proc/{pid}/maps").read_text().count("rw-s")
                for pid in live.processes().get("span25-inspect", [])]

    first = shared()
    os.kill(keeper, signal.SIGKILL)
    assert live.wait_for(
        lambda: live.processes().get("span25-keeper", [keeper]) != [keeper]
        and shared() == first), (shared(), first)


# ---- inspections that do not end: nobody waits for them ----

def mail_frames(folder, name, client, text):
    """A mail with this MIME body, from a client of its own."""
    path, out = folder / f"{name}.smtp", folder / f"{name}.pcap"
    path.write_text(
        f"client {client}\nhello\n"
        'C "MAIL FROM:<a@client.example>\\r\\n"\nS "250 ok\\r\\n"\n'
        'C "RCPT TO:<b@mx.example>\\r\\n"\nS "250 ok\\r\\n"\n'
        'C "DATA\\r\\n"\nS "354 go\\r\\n"\n'
        f'C "From: a@client.example\\r\\n{text}\\r\\n.\\r\\n"\n'
        'S "250 2.0.0 ok\\r\\n"\nbye\n')
    subprocess.run(
        [sys.executable, str(FIXTURES.parent / "support/scenario.py"),
         str(path), "-o", str(out)], check=True)
    return [data for _, data in live.packets(out)]


def with_file(word):
    return (r"Content-Type: application/pdf; name=a.pdf\r\n\r\n"
            rf"%PDF-1.4 {word}\r\n%%EOF")


def of_client(sensor, name, client):
    return [e for e in sensor.of_type(name) if client in (e["src_ip"],
                                                          e["dest_ip"])]


def part_stalled(bench):
    folder = bench.fresh("stalled")
    plain, waits, again = "10.20.8.1", "10.20.8.2", "10.20.8.3"
    mails = [mail_frames(folder, "plain", plain, r"Subject: s\r\n\r\nhello"),
             mail_frames(folder, "waits", waits, with_file("waits")),
             mail_frames(folder, "again", again, with_file("again"))]
    crowd = [f for f in frames("lab.pcap") if flow_of(f)[0] is not None]
    sensor = bench.sensor(folder, "--workers", "1")
    pids = live.processes()
    stopped = pids["span25-keeper"] + pids["span25-inspect"]
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    sender = live.Sender(3000)
    sender.send(mails[1])
    begin = time.monotonic()
    sender.send(mails[0])
    assert live.wait_for(lambda: of_client(sensor, "smtp", plain))
    others = time.monotonic() - begin
    held_back = not of_client(sensor, "smtp", waits)
    sender.send(crowd)
    assert live.wait_for(lambda: of_client(sensor, "smtp", waits))
    late = time.monotonic() - begin
    assert held_back or others > 2, (others, late)
    told = of_client(sensor, "fileinfo", waits)[0]["fileinfo"]
    assert "not_inspected" in told["findings"] and not told["inspected"], told
    assert any("no answer came in time" in e.get("detail", "")
               for e in told["evidence"]), told
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    sent = sender.sent
    for _ in range(20):
        sender.send(mails[2])
        sent += len(mails[2])
        if live.wait_for(lambda: any(
                e["fileinfo"]["inspected"]
                for e in of_client(sensor, "fileinfo", again)), 1):
            break
    else:
        raise AssertionError("nothing is inspected any more")
    sender.close()
    sensor.stop()
    check_counters(sensor, sent, 1)
    assert not sensor.controls("gap")
    counts = [e["stats"].get("content", {}).get("late", 0)
              for e in sensor.of_type("stats")]
    assert max(counts) >= 1, counts
    print(f"stalled: others told after {others * 1000:.0f} ms, "
          f"what waited after {late:.1f} s")


# ---- interfaces that go and come back ----

OTHER_SENDER, OTHER_TAP, SPARE = "s25c", "s25d", "s25e"


class Mails:
    """Mails of clients of their own, on either link."""

    def __init__(self, folder):
        self.frame = mail_frames(folder, "link", "10.20.7.0",
                                 r"Subject: s\r\n\r\nhello")
        self.n = 0

    def send(self, sender):
        self.n += 1
        old, new = packed("10.20.7.0"), packed(f"10.20.7.{self.n}")
        raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        raw.bind((sender, 0))
        for frame in self.frame:
            raw.send(frame.replace(old, new))
        raw.close()
        return f"10.20.7.{self.n}"

    def seen(self, sensor, sender):
        """Mails are sent until one is told: it takes a moment to see that an
        interface is there."""
        for _ in range(40):
            client = self.send(sender)
            if live.wait_for(lambda: of_client(sensor, "smtp", client), 0.5):
                return True
        return False


def part_links(bench):
    folder = bench.fresh("links")
    live.make_link(OTHER_SENDER, OTHER_TAP)
    mails = Mails(folder)
    sensor = bench.sensor(folder, "-i", OTHER_TAP, "--workers", "2")
    pids = live.processes()

    def gaps():
        return [c["text"] for c in sensor.controls("gap")]

    def told(name, n):
        return live.wait_for(lambda: len(gaps()) == n and name in gaps()[-1])

    assert mails.seen(sensor, live.SENDER)
    assert mails.seen(sensor, OTHER_SENDER)

    live.ip("link", "set", OTHER_TAP, "down")
    assert live.wait_for(
        lambda: sensor.log_text().count("interface_gone") == 1)
    assert mails.seen(sensor, live.SENDER)  # the other one goes on
    live.ip("link", "set", OTHER_TAP, "up")
    assert mails.seen(sensor, OTHER_SENDER)
    assert told(OTHER_TAP, 1), gaps()

    live.ip("link", "del", OTHER_TAP)
    assert live.wait_for(
        lambda: sensor.log_text().count("interface_gone") == 2)
    assert mails.seen(sensor, live.SENDER)
    live.make_link(OTHER_SENDER, OTHER_TAP)
    assert mails.seen(sensor, OTHER_SENDER), sensor.log_text()
    assert told(OTHER_TAP, 2), gaps()

    # renamed: followed, until somebody else has its name
    live.ip("link", "set", OTHER_TAP, "down")
    live.ip("link", "set", OTHER_TAP, "name", SPARE)
    live.ip("link", "set", SPARE, "up")
    assert mails.seen(sensor, OTHER_SENDER)
    live.ip("link", "del", SPARE)
    live.make_link(OTHER_SENDER, OTHER_TAP)
    assert mails.seen(sensor, OTHER_SENDER)
    assert live.processes() == pids, "a worker had to end"

    # all of them at once
    for tap in (live.TAP, OTHER_TAP):
        live.ip("link", "del", tap)
    live.make_link()
    live.make_link(OTHER_SENDER, OTHER_TAP)
    assert mails.seen(sensor, OTHER_SENDER) and mails.seen(sensor, live.SENDER)
    assert live.processes() == pids, "a worker had to end"
    sensor.stop()
    for gap in sensor.controls("gap"):
        assert gap["text"].startswith("interface "), gap
        assert seconds_of(gap["time"]) <= seconds_of(gap["until"]), gap
    print(f"links: {len(gaps())} times an interface was away, told; "
          f"{mails.n} mails sent")


# ---- an ordinary end, and the next beginning ----

def indexed(state):
    with sqlite3.connect(f"file:{state}/index.db?mode=ro", uri=True) as db:
        return db.execute("SELECT seq FROM position").fetchone()[0]


def part_stop(bench):
    folder = bench.fresh("stop")
    data = frames("lab.pcap")
    sensor = bench.sensor(folder, "--workers", "2", *REGISTRY["lab.pcap"])
    sender = live.Sender(4000)
    sender.send(data)
    sensor.stop()  # at once: what is on its way must not be lost
    first = sensor.events()
    assert sum(e["event_type"] == "smtp" for e in first) == 275
    assert indexed(sensor.state) == first[-1]["journal"]["seq"] == len(first)
    assert any((sensor.state / "snapshots").iterdir())
    second = bench.sensor(folder, "--workers", "1", *REGISTRY["lab.pcap"])
    assert second.events()[:len(first)] == first
    sender.send(data)
    sender.close()
    second.stop()
    both = second.events()
    assert [e["journal"]["seq"] for e in both] == list(range(1, len(both) + 1))
    assert sum(e["event_type"] == "smtp" for e in both) == 2 * 275
    check_equal(bag(both, TIMED), bag(first + first, TIMED), "second start")
    opened = collections.Counter(
        e["alert"]["id"] for e in both if e["event_type"] == "alert"
        and e["alert"]["state"] == "opened")
    assert max(opened.values()) == 1, opened
    assert indexed(second.state) == len(both)
    assert len(second.controls("start")) == 2 and not second.controls("gap")
    assert not live.processes()
    print("stop: nothing lost, nothing twice")


ONE_RULE = "f7456928-51e6-4901-9c87-cb98f8b71b1f"


def rules_in(text):
    return int(re.search(r"rules: (\d+) in force", text).group(1))


def part_reload(bench):
    folder = bench.fresh("reload")
    sensor = bench.sensor(folder)
    pids = live.processes()
    good = sensor.config.read_text()
    sensor.config.write_text(good + "no_such_option: 1\n")
    sensor.process.send_signal(signal.SIGHUP)
    assert live.wait_for(lambda: "stays in force" in sensor.log_text())
    assert "no_such_option" in sensor.log_text()
    sensor.config.write_text(good + f"rules:\n  disable: [{ONE_RULE}]\n")
    sensor.process.send_signal(signal.SIGHUP)
    assert live.wait_for(lambda: sensor.controls("rules")), sensor.log_text()
    before = sensor.controls("start")[0]["text"]
    assert rules_in(sensor.controls("rules")[0]["text"]) == rules_in(before) - 1
    assert live.processes() == pids
    sensor.stop()
    print("reload: a good one takes force, a bad one does not")


def part_silent(bench):
    """One that hangs is ended and replaced; one that is slow is not."""
    sensor = bench.sensor(bench.fresh("silent"), "--workers", "2")
    victim = live.processes()["span25-worker"][0]
    os.kill(victim, signal.SIGSTOP)
    begin = time.monotonic()
    assert live.wait_for(lambda: victim not in
                         live.processes()["span25-worker"], 10)
    waited = time.monotonic() - begin
    assert 4.5 <= waited <= 6.5, waited
    assert live.wait_for(lambda: sensor.controls("gap"), 5), sensor.log_text()
    gap = sensor.controls("gap")[0]
    length = seconds_of(gap["until"]) - seconds_of(gap["time"])
    assert waited - 0.3 <= length <= waited + 1, (waited, gap)
    assert len(live.processes()["span25-worker"]) == 2
    sensor.stop()
    print(f"silent: ended after {waited:.1f} s and replaced")


def part_orphans(bench):
    sensor = bench.sensor(bench.fresh("orphans"), "--workers", "2")
    sensor.process.kill()
    sensor.process.wait()
    assert live.wait_for(lambda: not live.processes(), 5), live.processes()
    again = live.Sensor(bench.program, sensor.state)
    again.stop()
    print("orphans: all end with their supervisor")


# ---- the socket: people's verbs while the sensor has the journal ----

def desk(bench, sensor, *words):
    return subprocess.run([bench.program, *words, "--state",
                           str(sensor.state)], capture_output=True, text=True,
                          check=False, timeout=60)


def dial(sensor):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(5)
    s.connect(str(sensor.state / "core.sock"))
    return s


def framed(data):
    return struct.pack(">I", len(data)) + data


def is_sent_away(s):
    try:
        return s.recv(1) == b""
    except ConnectionResetError:
        return True


def hostile_messages(source):
    yield "empty", framed(b"")
    yield "too long", struct.pack(">I", (64 << 10) + 1)
    yield "huge", struct.pack(">I", 0xffffffff) + bytes(70000)
    for n in (1, 24, 60, 64 << 10):
        yield f"{n} bytes", framed(source.randbytes(n))
        yield f"{n} zeros", framed(bytes(n))


def check_hostile(sensor):
    for why, data in hostile_messages(random.Random(1)):
        with dial(sensor) as s:
            try:
                s.sendall(data)
                got = s.recv(200)
            except (BrokenPipeError, ConnectionResetError):
                got = b""
            assert not got.startswith(b"ok"), (why, got)
    slow = dial(sensor)
    slow.sendall(b"\0\0")
    begin = time.monotonic()
    assert is_sent_away(slow) and 1.5 < time.monotonic() - begin < 4
    slow.close()


def check_many(sensor):
    """Who fills all places is sent away, one after the other."""
    many = []
    try:
        for _ in range(1000):
            s = socket.socket(socket.AF_UNIX)
            s.setblocking(False)
            many.append(s)
            s.connect_ex(str(sensor.state / "core.sock"))
    except OSError:
        pass
    time.sleep(0.5)
    for s in many:
        s.close()


def may_connect(bench, sensor):
    """Nobody but root and the sensor's user."""
    done = subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", "python3", "-c",
         "import socket,sys; socket.socket(1).connect(sys.argv[1])",
         str(sensor.state / "core.sock")], capture_output=True, text=True,
        check=False)
    return "PermissionError" not in done.stderr


def part_socket(bench):
    sensor = bench.sensor(bench.fresh("socket"), "--workers", "2",
                          *REGISTRY["lab.pcap"])
    sender = live.Sender(4000)
    data = frames("lab.pcap")
    sender.send(data[:5000])
    assert live.wait_for(lambda: sensor.of_type("alert"))
    alert = sensor.of_type("alert")[0]["alert"]["id"]
    assert live.wait_for(lambda: desk(bench, sensor, "alerts", "show",
                                      alert).returncode == 0)
    before = live.processes()
    if live.user() != "nobody":
        assert not may_connect(bench, sensor)
    check_hostile(sensor)
    check_many(sensor)
    assert not sensor.controls("alert") and live.processes() == before
    sender.send(data[5000:])
    sender.close()
    done = desk(bench, sensor, "alerts", "ack", alert, "--note", "seen")
    assert done.returncode == 0, done
    told = sensor.controls("alert")  # at once: the answer comes after the sync
    assert [(c["action"], c["alert"], c["note"]) for c in told] == [
        ("ack", alert, "seen")], told
    done = desk(bench, sensor, "exceptions", "add", "10.20.7.3", "--from",
                "alert", "--reason", "a printer", "--for", "48h")
    assert done.returncode == 0 and sensor.controls("exception"), done
    shown = desk(bench, sensor, "exceptions", "list")  # the index is awaited
    assert "10.20.7.3" in shown.stdout, shown
    for mode in ("enforce", "off"):
        done = desk(bench, sensor, "policy", "mode", mode, "--reason", "drill")
        assert done.returncode == 0, done
        shown = desk(bench, sensor, "policy", "show")
        assert f"mode     {mode}" in shown.stdout, shown
    assert live.processes() == before
    sensor.stop()
    assert not (sensor.state / "core.sock").exists()
    events = sensor.events()
    assert sum(e["event_type"] == "smtp" for e in events) == 275
    ids = collections.Counter(e["event_id"] for e in events)
    assert max(ids.values()) == 1
    print("socket: verbs write through it, hostile clients change nothing")


# ---- canaries ----

PASSWORD, BODY, PROOF = "canaryPassw0rd25", "canaryBodyText25", "canaryProof25"


def canary_frames(folder):
    """AUTH in its shapes, in order and broken, and a message with its body."""
    made = []
    for n, (name, lines) in enumerate(canary_talks(base64.b64encode)):
        path = folder / f"{name}.smtp"
        path.write_text(f"client 10.20.9.{n + 1}\nhello\n" + lines + "bye\n")
        out = folder / f"{name}.pcap"
        subprocess.run(
            [sys.executable, str(FIXTURES.parent / "support/scenario.py"),
             str(path), "-o", str(out)], check=True)
        made += [data for _, data in live.packets(out)]
    return made


def canary_talks(b64):
    plain_text = b64(b"\0user25\0" + PASSWORD.encode()).decode()
    word = b64(PASSWORD.encode()).decode()
    proof = b64(f"user25 {PROOF}".encode()).decode()
    ok, no = r'S "235 2.7.0 ok\r\n"', r'S "535 5.7.8 no\r\n"'
    ask = r'S "334 VXNlcm5hbWU6\r\n"'
    yield "plain", f'C "AUTH PLAIN {plain_text}\\r\\n"\n{ok}\n'
    yield "refused", f'C "AUTH PLAIN\\r\\n"\n{ask}\nC "{plain_text}\\r\\n"\n{no}\n'
    yield "login", (f'C "AUTH LOGIN\\r\\n"\n{ask}\nC "dXNlcjI1\\r\\n"\n{ask}\n'
                    f'C "{word}\\r\\n"\n{ok}\n')
    yield "cram", f'C "AUTH CRAM-MD5\\r\\n"\n{ask}\nC "{proof}\\r\\n"\n{ok}\n'
    yield "lost", (f'C gap 12\nC "{plain_text}\\r\\n"\n{no}\n'
                   f'C "{word}\\r\\n"\nS "500 5.5.2 what\\r\\n"\n')
    yield "body", (
        'C "MAIL FROM:<a@client.example>\\r\\n"\nS "250 ok\\r\\n"\n'
        'C "RCPT TO:<b@mx.example>\\r\\n"\nS "250 ok\\r\\n"\n'
        'C "DATA\\r\\n"\nS "354 go\\r\\n"\n'
        'C "From: a@client.example\\r\\nSubject: s\\r\\nMIME-Version: 1.0\\r\\n'
        'Content-Type: multipart/mixed; boundary=x\\r\\n\\r\\n--x\\r\\n\\r\\n'
        f'{BODY}\\r\\n--x\\r\\nContent-Type: text/plain; name=a.txt\\r\\n\\r\\n'
        f'{BODY}\\r\\n--x--\\r\\n.\\r\\n"\nS "250 2.0.0 ok\\r\\n"\n')


def secrets():
    """As they are, and their base64 at each of its three alignments."""
    for word in (PASSWORD, BODY, PROOF):
        yield word.encode()
        for lead in range(3):
            text = base64.b64encode(b"\0" * lead + word.encode())
            yield text[4 if lead else 0:-4]


def part_canaries(bench):
    folder = bench.fresh("canaries")
    data = canary_frames(folder)
    sensor = bench.sensor(folder, "--workers", "2")
    sender = live.Sender(2000)
    sender.send(data)
    assert live.wait_for(lambda: sensor.of_type("smtp")), sensor.log_text()
    for name in [n for n in KILLED if n in live.processes()]:
        pid = live.processes()[name][0]
        os.kill(pid, signal.SIGSEGV)
        assert live.wait_for(lambda: live.processes().get(name, [pid])[0] != pid)
        sender.send(data)
    sender.close()
    time.sleep(1)
    sensor.stop()
    places = [p for p in sensor.state.rglob("*") if p.is_file()]
    places += [sensor.log, *pathlib.Path.cwd().glob("core*"),
               *folder.glob("core*")]
    for path in places:
        if path.is_file():
            text = path.read_bytes()
            for secret in secrets():
                assert secret not in text, (path, secret)
    print(f"canaries: in none of {len(places)} files")


# ---- confined ----

def part_confined(bench):
    """A forbidden call ends its process with SIGSYS; an allowed one does not."""
    rows = [line.split() for line in subprocess.run(
        [bench.confined], check=True, capture_output=True,
        text=True).stdout.splitlines()]
    for role, call, verdict in rows:
        done = subprocess.run([bench.confined, role, call], check=False,
                              capture_output=True, timeout=20)
        wanted = -signal.SIGSYS if verdict == "killed" else 0
        if done.returncode == SKIPPED_BUILD:
            print("confined: skipped, sanitizers have no filter")
            return
        assert done.returncode == wanted, (role, call, done)
    print(f"confined: {len(rows)} system calls")


SKIPPED_BUILD = 77
PARTS = {"replay": part_replay, "kill": part_kill,
         "inspectors": part_inspectors, "stop": part_stop,
         "reload": part_reload, "silent": part_silent,
         "orphans": part_orphans, "socket": part_socket,
         "canaries": part_canaries,
         "confined": part_confined, "stalled": part_stalled,
         "links": part_links}


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--long", action="store_true")
    p.add_argument("program")
    p.add_argument("confined")
    p.add_argument("parts", nargs="*", metavar="PART")
    options = p.parse_args()
    live.inside()
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name in options.parts or PARTS:
            PARTS[name](Bench(options, pathlib.Path(folder)))


if __name__ == "__main__":
    main()
