#!/usr/bin/env python3
"""The live sensor under floods, and through hours of traffic.

    live_long.py [--long] PROGRAM [PART...]

Parts: syn, idle, fragments, hours, restore. In each of the floods mail goes over the
same link and is read completely, memory stays under what the configuration
says, and what was given up is counted. hours sends a day's work of mail as fast
as nothing is lost and weighs every process meanwhile. restore kills a core that
knows many hosts. Without --long the floods are small and the rest is left out.
Needs root, makes namespaces of its own.
"""
import argparse
import collections
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import live  # noqa: E402
import live_test  # noqa: E402

SOL_PACKET, QDISC_BYPASS = 263, 20
MIB = 1 << 20
LAB_ATTEMPTS = 50  # connections of lab.pcap without a byte


# ---- what the sensor says of itself ----

def page():
    """The metrics: line -> value; empty while there are none."""
    c = http.client.HTTPConnection("127.0.0.1", 9125, timeout=10)
    try:
        c.request("GET", "/metrics")
        answer = c.getresponse()
        text = answer.read().decode() if answer.status == 200 else ""
    except OSError:
        return {}
    finally:
        c.close()
    rows = (line.rsplit(" ", 1) for line in text.splitlines()
            if line and line[0] != "#")
    return {name: float(value) for name, value in rows}


def metric(name, found=None):
    """Its sum over workers and interfaces."""
    found = page() if found is None else found
    return sum(value for key, value in found.items()
               if key.split("{")[0] == "span25_" + name)


def last_counts(events, section):
    """Of each worker, and of the core, the last ones, summed:
    stats.SECTION.NAME -> number."""
    last, sums = {}, {}
    for event in events:
        stats = event.get("stats", {})
        if "iface" not in stats.get("capture", {}) and section in stats:
            last[stats.get("capture", {}).get("worker")] = stats[section]
    for counts in last.values():
        for name, value in counts.items():
            if isinstance(value, int):
                sums[name] = sums.get(name, 0) + value
    return sums


def weights():
    """Process -> (RSS, PSS, memory of its own) in bytes."""
    found = {}
    for name, pids in live.processes(savers=True).items():
        for n, pid in enumerate(pids):
            try:
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            kib = {line.split(":")[0]: int(line.split()[1])
                   for line in text.splitlines()[1:]}
            own = sum(v for k, v in kib.items() if k.startswith("Private_"))
            found[name.removeprefix("span25-") + (f" {n + 1}" if n else "")] = (
                kib["Rss"] << 10, kib["Pss"] << 10, own << 10)
    return found


# ---- what sends ----

class Wire:
    """Sends without a loss: what the sensor has not yet taken is never more
    than its ring in the kernel holds."""

    def __init__(self, window):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.setsockopt(SOL_PACKET, QDISC_BYPASS, 1)
        self.socket.bind((live.SENDER, 0))
        self.window, self.sent, self.taken = window, 0, 0

    def send(self, frames):
        put = self.socket.send
        for frame in frames:
            put(frame)
            self.sent += 1
            if self.sent - self.taken >= self.window:
                self.await_taken(self.window // 2)

    def await_taken(self, left):
        def look():
            self.taken = metric("capture_packets_total")
            return self.sent - self.taken <= left
        assert live.wait_for(look, 120), (self.sent, self.taken)

    def close(self):
        self.await_taken(0)
        self.socket.close()


def ip4(source, target, protocol, payload, ident=0, offset=0):
    """offset: in bytes, with the bit for more fragments in 0x10000."""
    flags = (offset & 0xffff) >> 3 | (0x2000 if offset & 0x10000 else 0)
    return (b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, flags, 64, protocol,
        0, source, target) + payload)


def ip6(source, target, protocol, payload, ident=0, offset=0):
    part = struct.pack(">BBHI", protocol, 0,
                       (offset & 0xfff8) | (offset >> 16 & 1), ident)
    return (b"\2\0\0\0\0\2\2\0\0\0\0\1\x86\xdd" + struct.pack(
        ">IHBB16s16s", 6 << 28, 8 + len(payload), 44, 64, source,
        target) + part + payload)


def tcp(source, target, seq, ack, flags, payload=b""):
    return struct.pack(">HHIIBBHHH", source, target, seq, ack, 0x50, flags,
                       65535, 0, 0) + payload


HOST = bytes((10, 20, 1, 10))


def syns(source, n):
    """Each from another address and port."""
    frame = bytearray(ip4(bytes(4), HOST, 6, tcp(1, 25, 1, 0, 2)))
    for _ in range(n):
        word = source.getrandbits(80)
        # 11 to 126: outside, and none of the lab's
        frame[26:30] = ((11 + word % 116) << 24 | word >> 40 & 0xffffff
                        ).to_bytes(4, "big")
        frame[34:36] = (1024 | word >> 24 & 0xffff).to_bytes(2, "big")
        frame[38:42] = (word & 0xffffffff).to_bytes(4, "big")
        yield frame


TALK = ((0, b""), (1, b""), (0, b""), (1, b"220 mx.example ESMTP\r\n"),
        (0, b"EHLO idle.example\r\n"), (1, b"250-mx.example\r\n250 SIZE\r\n"),
        (0, b"MAIL FROM:<a@idle.example>\r\n"), (1, b"250 2.1.0 ok\r\n"),
        (0, b"RCPT TO:<b@mx.example>\r\n"), (1, b"250 2.1.5 ok\r\n"))


def talk_frames(talk):
    """[(frame, place of the client's address, of its port)]"""
    client, server = bytes((10, 21, 0, 0)), bytes((198, 51, 100, 25))
    seq, made = [1000, 5000], []
    for number, (way, text) in enumerate(talk):
        flags = (2, 18)[number] if number < 2 else 24 if text else 16
        ends = (client, server) if way == 0 else (server, client)
        ports = (1024, 25) if way == 0 else (25, 1024)
        ack = 0 if number == 0 else seq[1 - way]
        made.append((bytearray(ip4(*ends, 6, tcp(*ports, seq[way], ack, flags,
                                                text))),
                     30 if way else 26, 36 if way else 34))
        seq[way] += len(text) + (number < 2)
    return made


def idle_talks(n, hosts=20000):
    """Up to the answer to RCPT, then nothing."""
    made = talk_frames(TALK)
    for number in range(n):
        address = struct.pack(">I", 0x0a150000 + number % hosts)
        port = (1024 + number // hosts).to_bytes(2, "big")
        for frame, a, p in made:
            frame[a:a + 4], frame[p:p + 2] = address, port
            yield frame


class Fragments:
    """Fragments that no host would send, counted by what is wrong."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.n = {"incomplete": 0, "overlapping": 0, "tiny": 0, "bad": 0,
                  "all": 0}

    def ends(self, make):
        size = 4 if make is ip4 else 16
        rest = self.random.randbytes(size - 1)
        return bytes((11 + self.random.randrange(100),)) + rest, bytes(
            (10,)) * size

    def run(self, n):
        kinds = (self.incomplete, self.overlapping, self.tiny, self.bad)
        for number in range(n):
            make = (ip4, ip6)[number & 1]
            for frame in kinds[self.random.randrange(len(kinds))](
                    make, *self.ends(make), self.random.getrandbits(16)):
                self.n["all"] += 1
                yield frame

    def incomplete(self, make, a, b, ident):
        """The first one alone, or the last one alone, or both of three."""
        which = self.random.randrange(1, 4)
        data = self.random.randbytes(self.random.choice((8, 512, 1400)) & ~7)
        self.n["incomplete"] += 1
        if which & 1:
            yield make(a, b, 6, data, ident, 0x10000)
        if which & 2:
            yield make(a, b, 6, data, ident, 2 * len(data))

    def overlapping(self, make, a, b, ident):
        """Whole in the end, the middle in two readings."""
        head = tcp(self.random.randrange(1024, 65536), 25, 1, 1, 24, bytes(44))
        self.n["overlapping"] += 1
        yield make(a, b, 6, head, ident, 0x10000)
        yield make(a, b, 6, b"\xff" * 32, ident, 32 | 0x10000)
        yield make(a, b, 6, b"\xee" * 32, ident, 64)

    def tiny(self, make, a, b, ident):
        """A SYN in three, its header split."""
        head = tcp(self.random.randrange(1024, 65536), 25, ident, 0, 2)
        self.n["tiny"] += 1
        for at in (16, 8, 0):
            yield make(a, b, 6, head[at:at + 8], ident,
                       at | (0 if at == 16 else 0x10000))

    def bad(self, make, a, b, ident):
        self.n["bad"] += 1
        yield make(a, b, 6, bytes(64), ident, 65528)


# ---- mail beside a flood ----

def mail():
    return [f for f in live_test.frames("lab.pcap")
            if live_test.flow_of(f)[0] is not None]


def in_fragments(frame):
    """IPv4 with a payload, in two; anything else as it is."""
    if frame[12:14] != b"\x08\x00" or frame[14] != 0x45 or len(frame) < 120:
        return [frame]
    size = struct.unpack_from(">H", frame, 16)[0]
    ident, data = frame[18:20], frame[34:14 + size]
    half = len(data) // 2 & ~7
    return [bytes(ip4(frame[26:30], frame[30:34], frame[23], part,
                      int.from_bytes(ident, "big"), offset))
            for part, offset in ((data[:half], 0x10000), (data[half:], half))]


def mixed(flood, letters, n):
    """A frame of the mail after every n of the flood; all of both."""
    letters = iter(letters)
    for number, frame in enumerate(flood):
        yield frame
        if number % n == 0:
            yield from next(letters, ())
    for group in letters:
        yield from group


def told(events):
    """Of the lab's mail: what was said, no matter when. Where tables are full a
    connection without payload is the first to go; its handshake is then
    missed, which quality tells, and no word of it."""
    found = [e for e in events if e["event_type"] == "smtp"
             and not e["src_ip"].startswith("10.21.")]
    for e in found:
        for name in ("midstream", "confidence"):
            e.get("quality", {}).pop(name, None)
    return live_test.bag(found, live_test.TIMED)


def config(folder, text):
    (folder / "state.yaml").write_text(
        f"live:\n  user: {live.user()}\n{text}")


class Flood:
    """One flood, with mail in it, seen by one worker."""

    def __init__(self, bench, name, limits):
        self.bench, self.folder = bench, bench.fresh(name)
        config(self.folder, limits)
        self.sensor = bench.sensor(self.folder, "--workers", "1")
        live.wait_for(page)
        self.before, self.most = weights(), {}
        self.memory = 0
        self.begin = time.monotonic()

    def send(self, frames, n, letters, window):
        wire = Wire(window)
        wire.send(self.weighed(mixed(frames, letters,
                                     max(1, n * 3 // 4 // len(letters)))))
        wire.close()
        self.sent, self.took = wire.sent, time.monotonic() - self.begin
        self.weigh()

    def weighed(self, frames):
        for number, frame in enumerate(frames):
            if number % 65536 == 65535:
                self.weigh()
            yield frame

    def weigh(self):
        self.memory = max(self.memory, metric("connections_memory_bytes"))
        for name, now in weights().items():
            self.most[name] = max(self.most.get(name, now), now,
                                  key=lambda w: w[2])

    def grown(self, name):
        """Bytes of its own, since the start."""
        return self.most[name][2] - self.before[name][2]

    def check_memory(self, most):
        """Connections, parsers and what they hold: a KiB each, and some."""
        assert self.memory <= min((most << 10) + (4 << 20), 1 << 30), self.memory
        assert self.grown("worker") <= (most << 10) + (64 << 20), self.most
        assert self.grown("core") <= 512 << 20, self.most

    def counts(self, section):
        return last_counts(self.events, section)

    def stop(self):
        """The mail is there, every packet was taken, nobody died."""
        self.sensor.stop()
        self.events = self.sensor.events()
        wanted = told(live_test.read_events(
            self.bench.program, live_test.FIXTURES / "lab.pcap"))
        live_test.check_equal(told(self.events), wanted, self.folder)
        capture = [e["stats"]["capture"] for e in self.events
                   if "iface" in e.get("stats", {}).get("capture", {})][-1]
        assert capture["packets"] == self.sent, (capture, self.sent)
        assert capture["dropped"] == capture["missed"] == 0, capture
        assert not any(e.get("control", {}).get("kind") == "gap"
                       for e in self.events)
        return sum(wanted.values())

    def say(self, text, n_mail):
        heavy = ", ".join(f"{name} {self.grown(name) / MIB:.0f}"
                          for name in ("worker", "core"))
        print(f"{self.folder.name}: {text}; {self.sent} packets in "
              f"{self.took:.0f} s; MiB more than at the start: {heavy}; "
              f"connections {self.memory / MIB:.0f} MiB; {n_mail} transactions "
              "read beside it", flush=True)


# ---- floods ----

def part_syn(bench):
    """Each is counted as an attempt, those that had to go early too."""
    n, most = (1500000, 1000000) if bench.long else (20000, 5000)
    letters = [[f] for f in mail()]
    flood = Flood(bench, "syn", f"limits:\n  flows: {most}\n")
    flood.send(syns(random.Random(1), n), n, letters, 150000)
    n_mail = flood.stop()
    tcp, core = (flood.counts(name) for name in ("tcp", "core"))
    tried = sum(e["attempts"]["count"] for e in flood.events
                if "attempts" in e)
    assert tried + core["records_lost"] == n + LAB_ATTEMPTS, (tried, core)
    assert 0.99 * (n - most) <= tcp["flows_evicted"] <= n, tcp
    flood.check_memory(most)
    flood.say(f"{n} SYNs from as many sources; {tcp['flows_evicted']} "
              f"connections evicted, {tried} attempts told in {len(flood.events)} "
              f"events, {core['records_lost']} records lost", n_mail)


def part_idle(bench):
    """Handshake to RCPT, and then nothing."""
    n, most = (1100000, 1000000) if bench.long else (2000, 1000)
    letters = [[f] for f in mail()]
    flood = Flood(bench, "idle", f"limits:\n  flows: {most}\n  ring: 64MiB\n")
    flood.send(idle_talks(n), n * len(TALK), letters, 150000)
    assert live.wait_for(lambda: metric("connections") > 0.9 * most, 10)
    flood.weigh()
    n_mail = flood.stop()
    tcp, core = (flood.counts(name) for name in ("tcp", "core"))
    smtp = flood.counts("smtp")
    assert 0.99 * (n - most) <= tcp["flows_evicted"] <= 1.5 * (n - most), tcp
    assert smtp["sessions"] >= n and smtp["transactions"] >= n, smtp
    flood.check_memory(most)
    flood.say(f"{n} connections idle after RCPT; {tcp['flows_evicted']} "
              f"evicted, {core['records_lost']} records lost at the end",
              n_mail)


def part_fragments(bench):
    """The mail is in fragments too."""
    n = 1000000 if bench.long else 10000
    letters = [in_fragments(f) for f in mail()]
    flood = Flood(bench, "fragments", "")
    made = Fragments(1)
    flood.send(made.run(n), n * 2, letters, 40000)
    n_mail = flood.stop()
    found, sent = flood.counts("decode"), made.n
    own = sum(len(group) - 1 for group in letters)
    assert found["fragments"] == sent["all"] + 2 * own, (found, sent, own)
    assert found["fragments_bad"] == sent["bad"], (found, sent)
    assert found["fragments_differ"] == sent["overlapping"], (found, sent)
    assert found["defragmented"] == (
        own + sent["overlapping"] + sent["tiny"]), (found, sent, own)
    waiting = sent["incomplete"] - (found["datagrams_incomplete"] +
                                    found["datagrams_evicted"])
    assert 0 <= waiting <= 4096, (found, sent)
    flood.check_memory(n)
    flood.say(f"{sent['all']} fragments of {n} datagrams ({sent['incomplete']} "
              f"incomplete, {sent['overlapping']} overlapping, {sent['tiny']} "
              f"tiny, {sent['bad']} impossible), mail in {2 * own}; "
              f"{found['datagrams_evicted']} evicted, "
              f"{found['datagrams_incomplete']} timed out", n_mail)


# ---- hours ----

class Day:
    """The lab's mail again and again. Addresses come again after 256 rounds,
    ports do not: a campus has so many hosts, and they speak all day."""

    MAIL_PORTS = (25, 465, 587, 2525)

    def __init__(self):
        self.data = [bytearray(f) for f in mail()]
        self.places = [self.places_of(f) for f in self.data]
        self.done = 0

    def places_of(self, frame):
        """Of what changes in each round: bytes of addresses, of the port."""
        if frame[12] == 8:
            hosts, at = (28, 32), 14 + 4 * (frame[14] & 15)
        else:
            hosts, at = (29, 45), 54
        ports = struct.unpack_from(">HH", frame, at)
        return (*hosts, at if ports[1] in self.MAIL_PORTS else at + 2)

    def round(self):
        """Each frame, told from those of the round before by one xor."""
        before, self.done = self.done, self.done + 1
        host = (before ^ self.done) & 255
        port = (before >> 8 ^ self.done >> 8) & 255
        for frame, (a, b, p) in zip(self.data, self.places):
            frame[a] ^= host
            frame[b] ^= host
            frame[p] ^= port
            yield frame


def journal_lines(state):
    for path in sorted((state / "journal").glob("*.jsonl*")):
        with subprocess.Popen(["zstd", "-dcfq", path] if path.suffix == ".zst"
                              else ["cat", path],
                              stdout=subprocess.PIPE) as cat:
            yield from cat.stdout


KIND = re.compile(rb'"event_type":"([a-z_]+)"')


def kinds(lines):
    """Events by type, without what is told by the minute."""
    found = collections.Counter()
    for line in lines:
        kind = KIND.search(line).group(1).decode()
        if kind in COUNTED and b'"src_port":' in line:
            found[kind] += 1
    return found


COUNTED = ("smtp", "smtp_session", "fileinfo", "tls")


def counts_of_lines(sensor):
    """Of each interface's last word; records lost."""
    last, lost = {}, {}
    for line in journal_lines(sensor.state):
        if b'"event_type":"stats"' not in line or b'"worker"' not in line:
            continue
        stats = json.loads(line[line.index(b"{"):])["stats"]
        capture = stats["capture"]
        if "iface" in capture:
            last[capture["worker"]] = capture
        elif "core" in stats and capture["packets"] > 0:
            lost[capture["worker"]] = stats["core"]["records_lost"]
    return ({name: sum(c[name] for c in last.values())
             for name in ("packets", "dropped")}, sum(lost.values()))


class Scale:
    """Weighs every process while frames go by."""

    def __init__(self, rounds):
        self.rows, self.rounds = [], rounds

    def weigh(self, done):
        self.rows.append((done, weights()))

    def table(self, n=12):
        step = max(1, len(self.rows) // n)
        names = sorted({name for _, row in self.rows for name in row
                        if " " not in name})
        print("  round  " + "".join(f"{name:>16}" for name in names))
        for done, row in self.rows[::step]:
            print(f"  {done:5d}  " + "".join(
                "{:>16}".format("/".join(f"{b / MIB:.0f}" for b in
                                         row.get(name, (0, 0, 0))))
                for name in names))
        return names

    def slope(self, name):
        """Of the memory of its own in the second half: bytes a round, by least
        squares; and what it grew to since the half."""
        rows = [(done, row[name][2]) for done, row in self.rows
                if done >= self.rounds / 2 and name in row]
        n = len(rows)
        x, y = (sum(r[i] for r in rows) / n for i in (0, 1))
        under = sum((a - x) ** 2 for a, _ in rows)
        return (sum((a - x) * (b - y) for a, b in rows) / under,
                rows[-1][1] - rows[0][1])


def part_hours(bench):
    rounds = bench.rounds
    folder = bench.fresh("hours")
    config(folder, "limits:\n  ring: 64MiB\ncapture:\n  buffer: 256MiB\n")
    sensor = bench.sensor(folder, "--workers", "2")
    day, wire, scale = Day(), Wire(60000), Scale(rounds)
    begin = due = time.monotonic()
    for done in range(rounds):
        wire.send(day.round())
        if time.monotonic() >= due:
            due += 2
            scale.weigh(done)
    wire.close()
    took = time.monotonic() - begin
    scale.weigh(rounds)
    names = scale.table()
    sensor.stop()
    once = kinds(json.dumps(e, separators=(",", ":")).encode()
                 for e in live_test.read_events(
                     bench.program, live_test.FIXTURES / "lab.pcap"))
    found = kinds(journal_lines(sensor.state))
    capture, core = counts_of_lines(sensor)
    sessions = found["smtp_session"]
    for name in names:
        slope, grown = scale.slope(name)
        print(f"  {name}: in the second half {grown / MIB:+.1f} MiB, "
              f"{slope * rounds / sessions:+.1f} bytes a session")
    assert capture == {"packets": wire.sent, "dropped": 0} and core == 0, (
        capture, wire.sent, core, found, once)
    assert found == {k: n * rounds for k, n in once.items()}, (found, once)
    print(f"hours: 8 h at {sessions / 28800:.1f} sessions/s: {wire.sent} packets,"
          f" {sessions} sessions, {found['smtp']} transactions, "
          f"{found['fileinfo']} parts in {took:.0f} s; 0 lost, as many told as "
          "sent", flush=True)
    for name in names:
        assert scale.slope(name)[1] < 16 * MIB, (name, scale.slope(name))


# ---- restore ----

BRIEF = ((0, b""), (1, b""), (1, b"220 mx.example ESMTP\r\n"),
         (0, b"EHLO brief.example\r\nMAIL FROM:<a@b.example>\r\n"
             b"RCPT TO:<nobody@mx.example>\r\nQUIT\r\n"),
         (1, b"250 mx.example\r\n250 2.1.0 ok\r\n550 5.1.1 who\r\n"
             b"221 bye\r\n"))


def many_hosts(first, n):
    """Each with a session in which its recipient is refused."""
    made = talk_frames(BRIEF)
    for number in range(first, first + n):
        address = struct.pack(">I", 0x0a400000 + number)
        for frame, a, _ in made:
            frame[a:a + 4] = address
            yield frame


def say_hosts(bench, sensor, wire, first, n):
    """Until the core has journaled all of it."""
    before = metric("events_total")
    wire.send(many_hosts(first, n))
    wire.await_taken(0)
    assert live.wait_for(lambda: metric("events_total") >= before + n, 120)
    live.wait_for(lambda: False, 1.5)  # what is in the core's memory is flushed


def newest(folder):
    return max((p.stat().st_mtime, p.stat().st_size)
               for p in folder.iterdir())


def kill_core(sensor, why):
    """Seconds until rules are in force again."""
    n = len(live_gaps(sensor))
    os.kill(live.processes()["span25-core"][0], signal.SIGKILL)
    assert live.wait_for(lambda: len(live_gaps(sensor)) > n, 60)
    begin, until = live_gaps(sensor)[-1]
    assert until - begin <= 30, (why, until - begin)
    return until - begin


def live_gaps(sensor):
    found = []
    for line in journal_lines(sensor.state):
        if b'"kind":"gap"' in line:
            c = json.loads(line[line.index(b"{"):])["control"]
            found.append((live_test.seconds_of(c["time"]),
                          live_test.seconds_of(c["until"])))
    return found


def part_restore(bench):
    n = bench.hosts
    folder = bench.fresh("restore")
    config(folder, "limits:\n  ring: 64MiB\n")
    sensor = bench.sensor(folder, "--workers", "1")
    live.wait_for(page)
    wire, trace = Wire(100000), folder / "strace"
    say_hosts(bench, sensor, wire, 0, n)
    core = live.processes()["span25-core"][0]
    watch = None if shutil.which("strace") is None else subprocess.Popen(
        ["strace", "-T", "-e", "trace=fork,clone,clone3,vfork", "-o", trace,
         "-p", str(core)], stderr=subprocess.DEVNULL)
    now, saved = time.time(), sensor.state / "snapshots"
    assert live.wait_for(lambda: any(saved.iterdir())
                         and newest(saved)[0] > now, 150)
    live.wait_for(lambda: "core 2" not in weights(), 30)
    own, size = weights()["core"][2], newest(saved)[1]
    if watch is not None:
        watch.terminate()
        watch.wait()
    with_snapshot = kill_core(sensor, "snapshot")
    say_hosts(bench, sensor, wire, n, n // 5)
    with_tail = kill_core(sensor, "tail")
    sensor.stop()
    hosts = last_counts(sensor.of_type("stats"), "detect")["hosts"]
    assert hosts >= n + n // 5, hosts
    pause = re.findall(r"<([0-9.]+)>$", trace.read_text() if watch else "",
                       re.M)
    print(f"restore: {hosts} hosts, core {own / MIB:.0f} MiB, snapshot "
          f"{size / MIB:.1f} MiB; the core stands still for "
          f"{', '.join(pause) or 'unknown'} s while it is made; after kill -9 "
          f"rules are back in {with_snapshot:.2f} s, with {n // 5} sessions "
          f"after the snapshot in {with_tail:.2f} s")


PARTS = {"syn": part_syn, "idle": part_idle, "fragments": part_fragments,
         "hours": part_hours, "restore": part_restore}
SHORT = ("syn", "idle", "fragments")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--long", action="store_true")
    p.add_argument("--rounds", type=int, default=2400, help="of part hours")
    p.add_argument("--hosts", type=int, default=100000, help="of part restore")
    p.add_argument("program")
    p.add_argument("parts", nargs="*", metavar="PART")
    options = p.parse_args()
    options.confined = None
    live.inside()
    live.ip("link", "set", "lo", "up")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        for name in options.parts or (PARTS if options.long else SHORT):
            bench = live_test.Bench(options, pathlib.Path(folder))
            bench.rounds, bench.hosts = options.rounds, options.hosts
            PARTS[name](bench)


if __name__ == "__main__":
    main()
