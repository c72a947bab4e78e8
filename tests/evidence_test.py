#!/usr/bin/env python3
"""Packets of a live sensor: recorded, cut out for alerts, gone when told to.

    evidence_test.py PROGRAM

The lab's capture goes over a virtual link, in a network namespace of its own.
Every alert of the lab that has connections is cut, plain and redacted, while the
sensor runs and when it has stopped, and searched for the lab's AUTH payloads and for text of its messages. Needs root;
skipped without.
"""
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

INSIDE = "SPAN25_EVIDENCE_TEST"
CAPTURE = pathlib.Path(__file__).parent / "fixtures" / "lab.pcap"
CONFIG = """network:
  home: [10.20.0.0/16, "fd25:20::/32"]
live:
  user: root
evidence:
  packets: true
  bytes: 64MiB
  segment: 1MiB
"""
PATIENCE = 60


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def check(good, why):
    if not good:
        raise AssertionError(why)


def enter():
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


def packets(data):
    at = 24
    while at + 16 <= len(data):
        n = struct.unpack("<I", data[at + 8:at + 12])[0]
        yield data[at + 16:at + 16 + n]
        at += 16 + n


def is_mail(frame):
    return any(struct.pack(">H", port) in frame[12:80]
               for port in (25, 465, 587, 2525))


def send():
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind(("out0", 0))
    for number, frame in enumerate(packets(CAPTURE.read_bytes())):
        link.send(frame)
        if number % 20 == 0:
            time.sleep(0.005)


def run(*args):
    return subprocess.run([*map(str, args)], capture_output=True, text=True,
                          check=False, timeout=PATIENCE)


def until(what, why):
    end = time.monotonic() + PATIENCE
    while not what():
        check(time.monotonic() < end, why)
        time.sleep(0.1)


def start(program, state, config, log):
    live = subprocess.Popen([program, "live", "-i", "mirror0", "-c", config,
                             "--state", state],
                            stderr=log, stdout=subprocess.DEVNULL)
    time.sleep(2)
    check(live.poll() is None, "the sensor does not start")
    return live


def stop(live):
    live.send_signal(signal.SIGTERM)
    check(live.wait(PATIENCE) == 0, "the sensor does not end well")


def secrets():
    data = CAPTURE.read_bytes()
    plain = re.findall(rb"AUTH PLAIN ([A-Za-z0-9+/]{12,}=*)\r\n", data)
    check(plain, "the lab has no AUTH")
    return plain


def test_ring(state):
    names = sorted(p.name for p in (state / "evidence").iterdir())
    check("00000001.pcapng" in names and "00000001.index" in names, names)
    for path in (state / "evidence").iterdir():
        want = 0o700 if path.is_dir() else 0o600
        check(path.stat().st_mode & 0o777 == want, f"mode of {path}")
    whole = b"".join(p.read_bytes()
                     for p in (state / "evidence").glob("*.pcapng"))
    lost = sum(1 for frame in packets(CAPTURE.read_bytes())
               if is_mail(frame) and frame not in whole)
    check(lost == 0, f"{lost} packets are not in the ring")


def alerts(program, state):
    listed = json.loads(run(program, "alerts", "list", "--state", state,
                            "--json").stdout)
    rows = next(v for v in listed.values() if isinstance(v, list))
    return [row["alert"] for row in rows]


def test_cuts(program, state, folder):
    hidden, done = secrets(), 0
    for ident in alerts(program, state):
        for more in ([], ["--redact"]):
            path = folder / f"{ident}{len(more)}.pcapng"
            got = run(program, "alerts", "show", ident, "--state", state,
                      "--pcap", path, *more)
            if got.returncode == 5:
                check("name no connection" in got.stderr, got.stderr)
                check(not path.exists(), "a file without packets")
                continue
            check(got.returncode == 0, got.stderr)
            data = path.read_bytes()
            check(path.stat().st_mode & 0o777 == 0o600, "mode of the file")
            check(not any(s in data for s in hidden), f"AUTH in {path}")
            done += 1
            again = run(program, "alerts", "show", ident, "--state", state,
                        "--pcap", path, *more)
            check(again.returncode == 5 and path.read_bytes() == data,
                  "a file was written over")
    check(done >= 6, f"only {done} cuts")
    return done


def test_audit(program, state, done):
    lines = b"".join(p.read_bytes()
                     for p in (state / "journal").glob("*.jsonl"))
    check(lines.count(b'"kind":"evidence"') == done,
          f"not every cut of {done} is in the journal")
    check(any("cut by" in run(program, "alerts", "show", ident, "--state",
                              state).stdout
              for ident in alerts(program, state)),
          "no card tells of a cut")


def test_refusals(program, state, folder):
    ident = alerts(program, state)[0]
    got = run(program, "alerts", "show", ident, "--state", state, "--redact")
    check(got.returncode == 2, "--redact without --pcap")
    for path in (state / "evidence").glob("0*"):
        path.unlink()
    got = run(program, "alerts", "show", alerts(program, state)[-1],
              "--state", state, "--pcap", folder / "none.pcapng")
    check(got.returncode == 5 and "Nothing was cut" in got.stderr
          or "name no connection" in got.stderr, got.stderr)
    check(not (folder / "none.pcapng").exists(), "a file of nothing")


def main(program):
    make_link()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        state, config = folder / "state", folder / "span25.yaml"
        config.write_text(CONFIG)
        with open(folder / "log", "wb") as log:
            live = start(program, state, config, log)
            try:
                send()
                until(lambda: len(list((state / "evidence").glob("*"))) >= 3,
                      "nothing is recorded")
                time.sleep(2)
                done = test_cuts(program, state, folder)
                stop(live)
            finally:
                live.kill()
        test_ring(state)
        (folder / "stopped").mkdir()
        done += test_cuts(program, state, folder / "stopped")
        test_audit(program, state, done)
        test_refusals(program, state, folder)
    print(f"{done} cuts, none shows what it must not")


if __name__ == "__main__":
    if INSIDE not in os.environ:
        enter()
    main(sys.argv[1])
