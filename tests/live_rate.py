#!/usr/bin/env python3
"""How fast the live sensor is: latency, and the highest rate without a loss.

    live_rate.py PROGRAM [SECONDS]

Latency: from the last packet of a message to its line in the journal, at rates
of packets in a second. Rate: the lab's capture again and again, each time with
other addresses, at rising rates until the first loss; tcpdump -w /dev/null
listens to the same packets in the same run. Needs root; makes namespaces of its
own. Figures are of this machine, with the sender on it.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import live  # noqa: E402

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
MARK = re.compile(rb'queued as ([0-9A-Z]{6,})')


# ---- latency ----

class Follower(threading.Thread):
    """Notes when a queue id is first seen in the journal."""

    def __init__(self, state):
        super().__init__(daemon=True)
        self.path = state / "journal" / f"{1:020}.jsonl"
        self.seen, self.stop = {}, False

    def run(self):
        with self.path.open("rb") as f:
            rest = b""
            while not self.stop:
                data = f.read()
                if not data:
                    time.sleep(0.001)
                    continue
                now = time.monotonic()
                lines = (rest + data).split(b"\n")
                rest = lines.pop()
                for line in lines:
                    m = MARK.search(line)
                    if m and b'"event_type":"smtp"' in line:
                        self.seen.setdefault(m.group(1), now)


def latency(program, folder, rate):
    state = folder / f"latency-{rate}"
    sensor = live.Sensor(program, state, "--workers", "1")
    follower = Follower(state)
    follower.start()
    sender = live.Sender(rate)
    sent = {}
    for _, frame in live.packets(FIXTURES / "lab.pcap"):
        sender.send([frame])
        m = MARK.search(frame)
        if m:
            sent.setdefault(m.group(1), time.monotonic())
        time.sleep(1 / rate)
    sender.close()
    time.sleep(1)
    follower.stop = True
    sensor.stop()
    found = sorted(1000 * (follower.seen[k] - t) for k, t in sent.items()
                   if k in follower.seen)
    assert found, "no message was seen"
    print(f"latency: at most {rate} packets/s, {len(found)} messages: "
          f"p50 {found[len(found) // 2]:.1f} ms, "
          f"p99 {found[len(found) * 99 // 100]:.1f} ms, "
          f"most {found[-1]:.1f} ms", flush=True)


# ---- rate ----

def renumbered(frame, n):
    """With other addresses: the third octet pair of IPv4, so all is new."""
    if frame[12:14] != b"\x08\x00":
        return None
    out = bytearray(frame)
    for at in (26, 30):
        out[at + 2] ^= n & 0xff
        out[at + 1] ^= (n >> 8) << 5
    return bytes(out)


def rounds(count):
    data = [f for _, f in live.packets(FIXTURES / "lab.pcap")]
    return [[g for f in data if (g := renumbered(f, n))] for n in range(count)]


def lost_of(sensor):
    last = {}
    for event in sensor.of_type("stats"):
        c = event["stats"].get("capture", {})
        if c.get("iface") == live.TAP:
            last[c["worker"]] = c
    return (sum(c["dropped"] for c in last.values()),
            sum(c["packets"] for c in last.values()))


def one_rate(program, folder, workers, rate, data):
    """(sent, rate reached, lost by the sensor, untold by it, by tcpdump)"""
    sensor = live.Sensor(program, folder / f"rate-{workers}-{rate}",
                         "--workers", str(workers))
    log = folder / "tcpdump"
    with log.open("w") as out:
        dump = subprocess.Popen(["tcpdump", "-Z", "root", "-n", "-i", live.TAP,
                                 "-w", "/dev/null"], stderr=out)
    assert live.wait_for(lambda: "listening on" in log.read_text())
    sender = live.Sender(rate)
    begin = time.monotonic()
    for part in data:
        sender.send(part)
    took = time.monotonic() - begin
    sender.close()
    time.sleep(1)
    sensor.stop()
    dump.terminate()
    dump.wait()
    dropped = re.search(r"(\d+) packets dropped", log.read_text())
    lost, got = lost_of(sensor)
    return (sender.sent, sender.sent / took, lost, sender.sent - got - lost,
            int(dropped.group(1)))


def rate_until_loss(program, folder, workers, seconds):
    rate = 10000
    while True:
        n = max(1, int(rate * seconds / 6500))
        sent, reached, lost, untold, by_dump = one_rate(
            program, folder, workers, rate, rounds(min(n, 250)))
        print(f"rate: {workers} workers, {sent} packets at {reached:.0f}/s: "
              f"sensor lost {lost}, without a word {untold}, tcpdump "
              f"{by_dump}", flush=True)
        if lost > 0 or untold != 0 or reached < 0.7 * rate:
            return
        rate = rate * 3 // 2


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    live.inside()
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        folder = pathlib.Path(name)
        for rate in (300, 1000, 3000):
            latency(sys.argv[1], folder, rate)
        for workers in (1, 2):
            rate_until_loss(sys.argv[1], folder, workers, seconds)


if __name__ == "__main__":
    main()
