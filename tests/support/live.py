"""live - a link between two ends, and a sensor that listens at one of them.

A test that uses it calls inside() first: that starts it again in namespaces of
its own (network, processes), which end with it and all that it started.
"""
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

SENDER, TAP = "s25a", "s25b"
SKIPPED = 77
HOME = ["--home", "10.0.0.0/8"]


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def inside():
    """Returns in namespaces of its own, with a link up; else ends the test."""
    if os.environ.get("SPAN25_INSIDE") == "yes":
        make_link()
        return
    if os.geteuid() != 0:
        skip("needs root: it makes network namespaces")
    own = ["unshare", "--net", "--pid", "--fork", "--kill-child",
           "--mount-proc"]
    if shutil.which("ip") is None or subprocess.run(
            [*own, "true"], capture_output=True, check=False).returncode != 0:
        skip("no namespaces can be made here")
    done = subprocess.run([*own, sys.executable, *sys.argv], check=False,
                          env=os.environ | {"SPAN25_INSIDE": "yes"})
    sys.exit(done.returncode)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


def make_link(sender=SENDER, tap=TAP):
    """What is sent on sender is seen at tap, and nothing else is."""
    if subprocess.run(["ip", "link", "add", sender, "type", "veth", "peer",
                       "name", tap], capture_output=True,
                      check=False).returncode != 0:
        skip("no veth link can be made here")
    for name in (sender, tap):
        off = pathlib.Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6")
        try:
            off.write_text("1")
        except OSError:
            ip("link", "set", name, "addrgenmode", "none")
        # super-segments of captures are larger than any card's frames
        ip("link", "set", name, "mtu", "65535", "arp", "off")
        ip("link", "set", name, "up")


def user():
    """Who the sensor becomes: its user, where there is one."""
    for name in ("span25", "nobody"):
        try:
            pwd.getpwnam(name)
            return name
        except KeyError:
            pass
    return "root"


def packets(path):
    """(seconds, bytes) of a capture of the old format."""
    data = path.read_bytes() if path.suffix != ".gz" else subprocess.run(
        ["gzip", "-dc", path], check=True, capture_output=True).stdout
    order = "<" if data[0] in (0xd4, 0x4d) else ">"
    unit = 1e9 if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1e6
    at, found = 24, []
    while at + 16 <= len(data):
        second, part, kept, _ = struct.unpack_from(order + "IIII", data, at)
        found.append((second + part / unit, data[at + 16:at + 16 + kept]))
        at += 16 + kept
    return found


class Sender:
    """Sends frames on the link, at most `rate` in a second."""

    def __init__(self, rate):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.socket.bind((SENDER, 0))
        self.rate = rate
        self.sent = 0

    def send(self, frames, until=None):
        begin, first = time.monotonic(), self.sent
        for frame in frames:
            self.socket.send(frame)
            self.sent += 1
            if self.sent % 16 == 0:
                due = begin + (self.sent - first) / self.rate
                if (pause := due - time.monotonic()) > 0:
                    time.sleep(pause)
                if until is not None and until():
                    break
        return self.sent - first

    def close(self):
        self.socket.close()


def numbered(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def processes(savers=False):
    """name -> pids of what a sensor made, in this namespace. The copy of the
    core that writes a snapshot is none of them, unless asked for."""
    found = {}
    for folder in pathlib.Path("/proc").iterdir():
        name = numbered(folder.name) if folder.name.isdigit() else ""
        try:
            status = (folder / "status").read_text() if name else ""
        except OSError:
            continue
        parent = status.partition("\nPPid:\t")[2].partition("\n")[0]
        copy = name != "span25" and numbered(parent) == name
        if name.startswith("span25") and "\nState:\tZ" not in status and (
                savers or not copy):
            found.setdefault(name, []).append(int(folder.name))
    return {name: sorted(pids) for name, pids in found.items()}


def wait_for(what, seconds=20):
    """Gives what() when it is true; else nothing but what it was last."""
    end = time.monotonic() + seconds
    while True:
        found = what()
        if found or time.monotonic() > end:
            return found
        time.sleep(0.01)


class Sensor:
    """span25 live on TAP, with a state directory."""

    def __init__(self, program, state, *options):
        self.program, self.state = program, pathlib.Path(state)
        self.config = self.state.parent / f"{self.state.name}.yaml"
        self.log = self.state.parent / f"{self.state.name}.log"
        if not self.config.exists():
            self.config.write_text(f"live:\n  user: {user()}\n")
        self.ready = self.state.parent / "notify"
        self.ready.unlink(missing_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.ready))
        self.ready.chmod(0o666)
        self.socket.settimeout(30)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [program, "live", "-i", TAP, "--state", str(state), "-c",
                 str(self.config), *HOME, *options], stderr=log,
                env=os.environ | {"NOTIFY_SOCKET": str(self.ready)})
        self.await_notice("READY=1")
        self.socket.close()
        self.ready.unlink()

    def await_notice(self, wanted):
        try:
            while wanted not in self.socket.recv(4096).decode().split():
                pass
        except TimeoutError:
            raise AssertionError(f"no {wanted}: {self.log_text()}") from None

    def log_text(self):
        return self.log.read_text(errors="replace")

    def stop(self, code=0):
        self.process.send_signal(signal.SIGTERM)
        got = self.process.wait(timeout=100)
        assert got == code, (got, self.log_text())

    def events(self):
        return journal(self.state)

    def of_type(self, name):
        return [e for e in self.events() if e.get("event_type") == name]

    def controls(self, kind):
        return [e["control"] for e in self.of_type("control")
                if e["control"]["kind"] == kind]


def journal(state):
    """All whole lines; a compressed segment is read too."""
    found = []
    for path in sorted((pathlib.Path(state) / "journal").glob("*.jsonl*")):
        try:
            data = path.read_bytes() if path.suffix == ".jsonl" else (
                subprocess.run(
                    ["zstd" if path.suffix == ".zst" else "gzip", "-dcq", path],
                    check=True, capture_output=True).stdout)
        except (OSError, subprocess.CalledProcessError):
            assert not path.exists(), path  # it was removed meanwhile
            continue
        for line in data.split(b"\n")[:-1]:
            at = line.find(b"{")
            if at >= 0:
                found.append(json.loads(line[at:]))
    return found
