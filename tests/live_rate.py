#!/usr/bin/env python3
"""How fast the live sensor is: the highest rate without a loss, and latency.

    live_rate.py PROGRAM LINK_SEND [--seconds N] [--exact | --latency RATE...]
                 [--least RATE] [--most RATE] [--chroot DIR | --no-suricata]

Rate: the lab's capture again and again on a veth, each time with other
addresses, so that all flows are new; at rising rates until something is lost.
All listen on the same link, one after the other at each rate: span25 live with
1 and with 2 workers, tcpdump -w /dev/null, and Suricata (AF_PACKET, SMTP with
MIME, SHA-256 of files, EVE) with 1 and 2 threads in the chroot that tools/bench
makes. Each has 64 MiB of ring in the kernel; a run lasts N seconds, so that the
ring alone cannot hold it.

Lossless is a run with no packet dropped, and of span25 no record lost between
worker and core. At every step of span25 the packets that were sent must be the
packets that the workers took and those counted as dropped, exactly; else the
exit code is 1. --exact does no more than look at that, once, in few seconds.

Latency: from the last packet of a message (the server's reply with the queue
id, given to the kernel) to its record in the journal's file, at 10, 50 and 90 %
of the highest rate, or at the rates of --latency alone. The file's size is
looked at each millisecond; what is read and matched is done afterwards.

Needs root; makes namespaces of its own. The sender shares the machine, and the
load of others is printed beside each figure.
"""
import argparse
import importlib.machinery
import importlib.util
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "support"))
import live  # noqa: E402

CAPTURE = HERE / "fixtures" / "lab.pcap"
QUEUED = re.compile(rb"queued as ([0-9A-Za-z]{6,})")
RATES = [10_000, 20_000, 40_000, 60_000, 80_000, 100_000, 130_000, 160_000,
         200_000, 250_000, 320_000, 400_000, 500_000]
REACHED = 0.9  # of a rate: less, and the sender is at its end
RING = 64 << 20
AF_PACKET_YAML = f"""
af-packet:
  - interface: {live.TAP}
    threads: THREADS
    cluster-id: 99
    cluster-type: cluster_flow
    defrag: yes
    use-mmap: yes
    tpacket-v3: yes
    ring-size: {RING // 2048} # of 2 KiB
    block-size: 262144
    checksum-checks: no
"""


def load():
    return f"load {os.getloadavg()[0]:.1f}"


# ---- the link ----

def counters(name):
    """(received, dropped) of a device, as the kernel has them."""
    for line in pathlib.Path("/proc/net/dev").read_text().splitlines():
        if line.strip().startswith(name + ":"):
            words = line.split(":")[1].split()
            return int(words[1]), int(words[3])
    raise AssertionError(f"no {name}")


def send(program, rate, count, marks=None):
    """(sent, packets in a second)"""
    before = counters(live.TAP)
    command = [program, live.SENDER, CAPTURE, str(rate), str(count)]
    done = subprocess.run(command + ([marks] if marks else []), check=True,
                          capture_output=True, text=True)
    words = done.stdout.split()
    sent, took = int(words[1]), float(words[3])
    after = counters(live.TAP)
    assert after[0] - before[0] == sent, "the link lost packets"
    return sent, sent / took


# ---- who listens ----

class Span25:
    def __init__(self, program, workers):
        self.name = f"span25 live, {workers} worker{'s' * (workers > 1)}"
        self.program, self.workers = program, workers

    def start(self, folder):
        self.sensor = live.Sensor(self.program, folder / "state", "--workers",
                                  str(self.workers))

    def stop(self):
        """(taken, dropped, records lost, mails told)"""
        self.sensor.stop()
        assert not self.sensor.controls("gap"), self.sensor.log_text()
        taken, lost, mails = {}, {}, 0
        for event in self.sensor.events():
            mails += event["event_type"] == "smtp"
            if event["event_type"] != "stats":
                continue
            c = event["stats"].get("capture", {})
            if c.get("iface") == live.TAP:
                taken[c["worker"]] = (c["packets"], c["dropped"])
            core = event["stats"].get("core", {})
            # the core's own has the same names, and all are 0
            if "records_lost" in core and "records_refused" not in core:
                lost[c["worker"]] = core["records_lost"]
        return (sum(t[0] for t in taken.values()),
                sum(t[1] for t in taken.values()), sum(lost.values()), mails)


class Tcpdump:
    name = "tcpdump -w /dev/null"

    def start(self, folder):
        self.log = folder / "tcpdump"
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                ["tcpdump", "-Z", "root", "-n", "-B", str(RING >> 10), "-i",
                 live.TAP, "-w", "/dev/null"], stderr=out)
        assert live.wait_for(lambda: "listening on" in self.log.read_text())

    def stop(self):
        time.sleep(1)
        self.process.terminate()
        self.process.wait()
        text = self.log.read_text()
        return (int(re.search(r"(\d+) packets captured", text)[1]),
                int(re.search(r"(\d+) packets dropped", text)[1]), 0, 0)


def bench():
    """tools/bench, which knows how to get Suricata."""
    loader = importlib.machinery.SourceFileLoader(
        "bench", str(HERE.parent / "tools" / "bench"))
    spec = importlib.util.spec_from_loader("bench", loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench"] = module
    loader.exec_module(module)
    return module


class Suricata:
    def __init__(self, chroot, threads):
        self.name = f"Suricata, {threads} thread{'s' * (threads > 1)}"
        self.root, self.threads = chroot, threads
        self.files = chroot / "bench"

    def start(self, _):
        text = (self.files / "count.yaml").read_text().replace(
            "default-log-level: warning", "default-log-level: notice")
        (self.files / "live.yaml").write_text(
            text + AF_PACKET_YAML.replace("THREADS", str(self.threads)))
        self.eve = self.files / "eve.json"
        self.eve.unlink(missing_ok=True)
        self.log = self.files / "live.log"
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                ["chroot", self.root, "/usr/bin/suricata", "-c",
                 "/bench/live.yaml", f"--af-packet={live.TAP}", "--runmode",
                 "workers", "-k", "none", "-l", "/bench"], stdout=out,
                stderr=out)
        assert live.wait_for(
            lambda: "Engine started" in self.log.read_text() or
            self.process.poll() is not None, 60)
        assert self.process.poll() is None, self.log.read_text()

    def stop(self):
        time.sleep(1)
        self.process.terminate()
        self.process.wait(timeout=120)
        last, mails = {}, 0
        with self.eve.open("rb") as lines:
            for line in lines:
                mails += b'"event_type":"smtp"' in line
                if b'"event_type":"stats"' in line:
                    last = json.loads(line)["stats"]["capture"]
        self.eve.unlink()
        seen, lost = last["kernel_packets"], last.get("kernel_drops", 0)
        return seen - lost, lost, 0, mails


# ---- rate ----

class Row:
    def __init__(self, listener):
        self.listener = listener
        self.best, self.over = 0, False


def one_step(row, sender, rate, seconds):
    """False when packets were missing without a word."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        row.listener.start(pathlib.Path(name))
        sent, reached = send(sender, rate, rate * seconds)
        taken, dropped, records, mails = row.listener.stop()
    untold = sent - taken - dropped
    print(f"rate: {row.listener.name:24} {sent:8} sent at {reached:7.0f}/s: "
          f"{taken:8} taken, {dropped:7} dropped, {untold} untold, "
          f"{records} records lost, {mails} mails ({load()})", flush=True)
    lossless = dropped == 0 and records == 0 and untold == 0
    if lossless:
        row.best = max(row.best, int(reached))
    row.over = not lossless or reached < REACHED * rate
    return untold == 0 or not isinstance(row.listener, Span25)


def until_loss(rows, sender, seconds, rates):
    good = True
    for rate in rates:
        for row in rows:
            if not row.over:
                good &= one_step(row, sender, rate, seconds)
    print(f"\nhighest rate without a loss, packets in a second, {seconds} s:")
    for row in rows:
        print(f"    {row.listener.name:24} {row.best:8}"
              f"{'' if row.over else ' (not more was tried)'}")
    print(flush=True)
    return good


# ---- latency ----

class Sizes(threading.Thread):
    """When each of the journal's files had which size."""

    def __init__(self, state):
        super().__init__(daemon=True)
        self.folder = state / "journal"
        self.seen, self.stop = {}, False

    def run(self):
        while not self.stop:
            now = time.monotonic_ns()
            for e in os.scandir(self.folder):
                if e.name.endswith(".jsonl"):
                    size = e.stat().st_size
                    known = self.seen.setdefault(e.name, [])
                    if not known or known[-1][1] != size:
                        known.append((now, size))
            time.sleep(0.001)


def marks_of(path):
    """(server, client, port, queue id) -> when it was sent"""
    frames = [f for _, f in live.packets(CAPTURE)]
    found = {}
    for line in path.read_text().splitlines():
        n, number, when = map(int, line.split())
        ip = bytearray(frames[number][14:34])
        for at in (12, 16):
            ip[at + 2] ^= n & 0xff
            ip[at + 1] ^= n >> 8 << 5 & 0xff
        head = 14 + (ip[0] & 15) * 4
        port = struct.unpack_from(">H", frames[number], head + 2)[0]
        key = (socket.inet_ntoa(bytes(ip[12:16])),
               socket.inet_ntoa(bytes(ip[16:20])), port,
               QUEUED.search(frames[number])[1].decode())
        found.setdefault(key, when)
    return found


def key_of(line):
    if b'"event_type":"smtp"' not in line:
        return None
    m = QUEUED.search(line)
    if m is None:
        return None
    e = json.loads(line[line.find(b"{"):])
    return e["dest_ip"], e["src_ip"], e["src_port"], m[1].decode()


def text_of(path):
    if path.exists():
        return path.read_bytes()
    return subprocess.run(["zstd", "-dcq", str(path) + ".zst"], check=True,
                          capture_output=True).stdout


def journaled(folder, sizes):
    """(key, when its line was there) of all messages."""
    for name, grown in sizes.items():
        at, k = 0, 0
        for line in text_of(folder / name).split(b"\n")[:-1]:
            at += len(line) + 1
            while k < len(grown) and grown[k][1] < at:
                k += 1
            if k < len(grown) and (key := key_of(line)) is not None:
                yield key, grown[k][0]


def latency(program, sender, workers, rate, seconds):
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        folder = pathlib.Path(name)
        sensor = live.Sensor(program, folder / "state", "--workers",
                             str(workers))
        sizes = Sizes(folder / "state")
        sizes.start()
        _, reached = send(sender, rate, rate * seconds, folder / "marks")
        time.sleep(2)
        sizes.stop = True
        sizes.join()
        sensor.stop()
        sent = marks_of(folder / "marks")
        found = {}
        for key, when in journaled(sizes.folder, sizes.seen):
            found.setdefault(key, when)
    took = sorted((when - sent[key]) / 1e6 for key, when in found.items()
                  if key in sent)
    assert took, "no message was seen"
    print(f"latency: {workers} worker{'s' * (workers > 1)}, {reached:.0f} "
          f"packets/s, {len(took)} of {len(sent)} messages: "
          f"p50 {took[len(took) // 2]:.1f} ms, "
          f"p99 {took[len(took) * 99 // 100]:.1f} ms, "
          f"most {took[-1]:.1f} ms ({load()})", flush=True)


# ---- all ----

def suricatas(options):
    if options.no_suricata:
        print("Suricata: left out by --no-suricata")
        return []
    module = bench()
    chroot = options.chroot or pathlib.Path(
        os.environ.get("XDG_CACHE_HOME",
                       pathlib.Path.home() / ".cache")) / "span25" / \
        "suricata-chroot"
    try:
        module.Suricata(chroot).prepare()
    except (module.BenchError, OSError, subprocess.SubprocessError) as error:
        print(f"Suricata: {error}")
        return []
    return [Row(Suricata(chroot, n)) for n in (1, 2)]


def arguments():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    p.add_argument("program")
    p.add_argument("link_send")
    p.add_argument("--seconds", type=int, default=10)
    p.add_argument("--least", type=int, default=RATES[0])
    p.add_argument("--most", type=int, default=RATES[-1])
    p.add_argument("--exact", action="store_true")
    p.add_argument("--latency", type=int, nargs="+", default=[])
    p.add_argument("--chroot", type=pathlib.Path)
    p.add_argument("--no-suricata", action="store_true")
    return p.parse_args()


def main():
    options = arguments()
    live.inside()
    program, sender = options.program, options.link_send
    print(f"{os.cpu_count()} cores, shared by the sender and who listens; "
          f"{load()}", flush=True)
    if options.exact:
        rows = [Row(Span25(program, n)) for n in (1, 2)]
        sys.exit(0 if all([one_step(r, sender, 20_000, 1) for r in rows])
                 else 1)
    good = True
    rates = {1: options.latency, 2: options.latency}
    if not options.latency:
        ours = [Row(Span25(program, n)) for n in (1, 2)]
        rows = ours + [Row(Tcpdump())] + suricatas(options)
        good = until_loss(rows, sender, options.seconds, [
            r for r in RATES if options.least <= r <= options.most])
        for row in ours:
            rates[row.listener.workers] = [
                row.best * part // 100 for part in (10, 50, 90)]
    for workers, at in rates.items():
        for rate in at:
            if rate > 0:
                latency(program, sender, workers, rate, options.seconds)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
