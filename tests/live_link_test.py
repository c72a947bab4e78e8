#!/usr/bin/env python3
"""The live sensor on a link of its own: as read, through faults, to the end.

    live_link_test.py PROGRAM

Runs in a network namespace of its own with a pair of virtual links: what is
sent into one end is what the mirror shows. Needs root; skipped without.
"""
import atexit
import datetime
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

INSIDE = "SPAN25_LIVE_TEST"
CAPTURE = pathlib.Path(__file__).parent / "fixtures" / "lab.pcap"
CONFIG = """network:
  home: [10.20.0.0/16, "fd25:20::/32"]
live:
  user: nobody
"""
PROCESSES = {"worker": "span25-worker", "core": "span25-core",
             "content": "span25-keeper",
             "index": "span25-index"}


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def enter():
    """Again, in a namespace of its own."""
    if os.geteuid() != 0:
        skip("it needs root")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True,
                      check=False).returncode != 0:
        skip("there are no network namespaces here")
    os.environ[INSIDE] = "1"
    os.execvp("unshare", ["unshare", "-n", sys.executable] + sys.argv)


def make_link():
    for command in ("link add out0 type veth peer name mirror0",
                    "link set out0 up mtu 65535",
                    "link set mirror0 up mtu 65535"):
        if subprocess.run(["ip"] + command.split(), capture_output=True,
                          check=False).returncode != 0:
            skip("virtual links cannot be made here")


def packets():
    data, at, out = CAPTURE.read_bytes(), 24, []
    while at < len(data):
        n = struct.unpack_from("<I", data, at + 8)[0]
        out.append(data[at + 16:at + 16 + n])
        at += 16 + n
    return out


def send(frames, pause=0.004, stop=None):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind(("out0", 0))
        for i, frame in enumerate(frames):
            if stop is not None and stop.is_set():
                return
            s.send(frame)
            if i % 50 == 0:
                time.sleep(pause)


def wait(why, condition, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        got = condition()
        if got:
            return got
        time.sleep(0.01)
    raise AssertionError("waited in vain: " + why)


class Sensor:
    def __init__(self, program, folder, *options):
        self.state = folder / "state"
        self.said = folder / "stderr"
        config = folder / "span25.yaml"
        config.write_text(CONFIG)
        self.config = config
        with open(self.said, "wb") as err:
            self.process = subprocess.Popen(
                [program, "live", "-i", "mirror0", "-c", str(config),
                 "--state", str(self.state), *options], stderr=err)
        atexit.register(self.process.kill)
        for name in PROCESSES.values():
            wait(name, lambda n=name: self.pids(n))
        time.sleep(0.5)

    def pids(self, name):
        found = []
        for p in pathlib.Path("/proc").iterdir():
            if not p.name.isdigit():
                continue
            try:
                text = (p / "stat").read_text()
            except OSError:
                continue
            comm = text[text.index("(") + 1:text.rindex(")")]
            parent = int(text[text.rindex(")") + 2:].split()[1])
            if comm == name and parent == self.process.pid:
                found.append(int(p.name))
        return found

    def events(self, kind=None):
        out = []
        for path in sorted((self.state / "journal").glob("*.jsonl")):
            for line in path.read_bytes().split(b"\n")[:-1]:
                event = json.loads(line)
                if kind is None or event["event_type"] == kind:
                    out.append(event)
        return out

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        assert code == 0, (code, self.said.read_text())


def essence(events):
    """Of mail transactions, what does not depend on when they were seen."""
    out = []
    for e in events:
        s = e["smtp"]
        out.append(json.dumps([
            e["src_ip"], e["src_port"], e["dest_ip"], e["dest_port"],
            s.get("helo"), s.get("mail_from"), s.get("rcpt_to"),
            s.get("final_code"), s.get("outcome"), s.get("message_bytes"),
            s.get("queue_id"), e.get("direction")]))
    return sorted(out)


def read_events(program, config):
    text = subprocess.run(
        [program, "read", "-c", str(config), "--events", "-", str(CAPTURE)],
        capture_output=True, check=True).stdout
    return [json.loads(x) for x in text.splitlines()]


def test_as_read(program, folder, frames, workers):
    """The same packets give the same transactions, and all is written."""
    sensor = Sensor(program, folder, "--workers", str(workers))
    send(frames)
    time.sleep(1)
    sensor.end()
    assert "signal" not in sensor.said.read_text(), sensor.said.read_text()
    want = [e for e in read_events(program, sensor.config)
            if e["event_type"] == "smtp"]
    got = sensor.events("smtp")
    assert len(want) > 200 and essence(got) == essence(want), (
        len(got), len(want))
    stats = sensor.events("stats")
    taken = sum(e["stats"]["capture"].get("packets", 0) for e in stats
                if "iface" in e["stats"].get("capture", {}))
    lost = sum(e["stats"]["capture"].get("dropped", 0) for e in stats
               if "capture" in e["stats"])
    assert lost == 0 and taken > 0, (taken, lost)
    seqs = [e["journal"]["seq"] for e in sensor.events()]
    assert seqs == list(range(1, len(seqs) + 1))
    shown = subprocess.run(
        [program, "hosts", "list", "--json", "--state", str(sensor.state)],
        capture_output=True, check=False)
    assert shown.returncode == 0 and b"10.20." in shown.stdout
    for path in sensor.state.rglob("*"):
        assert path.stat().st_uid != 0, path


def when(text):
    return datetime.datetime.fromisoformat(text.replace("+0000", "+00:00")
                                           .replace("Z", "+00:00"))


def test_kills(program, folder, frames):
    """Each process comes back at once; the gap is told and is short."""
    sensor = Sensor(program, folder)
    stop = threading.Event()

    def load():
        while not stop.is_set():
            send(frames, 0.01, stop)
    loader = threading.Thread(target=load)
    loader.start()
    try:
        for what, name in PROCESSES.items():
            for _ in range(2):
                old = wait(name, lambda n=name: sensor.pids(n))
                time.sleep(1.5)
                os.kill(old[0], signal.SIGKILL)
                began = time.monotonic()
                wait(name + " again", lambda o=old, n=name: any(
                    p not in o for p in sensor.pids(n)), 5)
                took = time.monotonic() - began
                print(f"{what}: another process after {took * 1000:.0f} ms")
                assert took < 1, (what, took)
        time.sleep(3)
    finally:
        stop.set()
        loader.join()
    sensor.end()
    gaps = [e["control"] for e in sensor.events("control")
            if e["control"]["kind"] == "gap"]
    for what in PROCESSES:
        told = [g for g in gaps if g["text"].startswith(what)]
        assert len(told) == 2, (what, gaps)
        for gap in told:
            length = (when(gap["until"]) - when(gap["time"])).total_seconds()
            print(f"{gap['text']}: gap of {length:.3f} s")
            assert "signal 9" in gap["text"] and 0 <= length <= 1.5, gap
    seqs = [e["journal"]["seq"] for e in sensor.events()]
    assert seqs == list(range(1, len(seqs) + 1))


def test_reload(program, folder, frames):
    """A bad configuration changes nothing, a good one takes force."""
    sensor = Sensor(program, folder)
    half = len(frames) // 2
    send(frames[:half])
    before = sensor.pids("span25-core")
    sensor.config.write_text(CONFIG + "nonsense: 1\n")
    sensor.process.send_signal(signal.SIGHUP)
    wait("refusal", lambda: "stays in force" in sensor.said.read_text())
    assert sensor.pids("span25-core") == before
    assert "nonsense" in sensor.said.read_text()
    leases = folder / "leases.csv"
    leases.write_text("address,start\n10.20.7.3,2020-01-01T00:00:00Z\n")
    leases.chmod(0o644)
    sensor.config.write_text(
        CONFIG.replace("live:", f"  leases: [{leases}]\nlive:") +
        "rules:\n  packs: [policy]\n")
    sensor.process.send_signal(signal.SIGHUP)
    send(frames[half:])
    time.sleep(1)
    sensor.end()
    told = [e["control"]["kind"] for e in sensor.events("control")]
    assert told.count("start") == 1 and told.count("rules") == 1, told
    assert told.count("leases") == 1, told
    assert any("lease" in e.get("src_host", {}) for e in sensor.events("smtp")
               if e["src_ip"] == "10.20.7.3")
    assert "gap" not in told, told
    want = [e for e in read_events(program, sensor.config)
            if e["event_type"] == "smtp"]
    assert essence(sensor.events("smtp")) == essence(want)


def test_refused(program, folder):
    """What cannot work is told at once, and exit codes say so."""
    rows = (("no interface", ["live", "--state", str(folder / "x")], 2),
            ("an unknown user", ["live", "-i", "mirror0", "--state",
                                 str(folder / "y"), "-c",
                                 str(folder / "user.yaml")], 2))
    (folder / "user.yaml").write_text("live:\n  user: no-such-user\n")
    for why, arguments, code in rows:
        done = subprocess.run([program] + arguments, capture_output=True,
                              timeout=20, check=False)
        assert done.returncode == code and done.stderr, (why, done)


def main():
    if INSIDE not in os.environ:
        enter()
    program = os.path.abspath(sys.argv[1])
    make_link()
    frames = packets()
    tests = [("1 worker", lambda d: test_as_read(program, d, frames, 1)),
             ("2 workers", lambda d: test_as_read(program, d, frames, 2)),
             ("kills", lambda d: test_kills(program, d, frames)),
             ("reload", lambda d: test_reload(program, d, frames)),
             ("refused", lambda d: test_refused(program, d))]
    for name, test in tests:
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            test(pathlib.Path(folder))
        print("passed:", name)


main()
