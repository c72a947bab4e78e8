#!/usr/bin/env python3
"""Quiet or blind: /metrics, /healthz, /readyz, doctor and top, on a link.

    live_health_test.py PROGRAM

Runs in a network namespace of its own with a pair of virtual links. The page
is checked by promtool where it is installed. Needs root; skipped without.
"""
import http.client
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

INSIDE = "SPAN25_HEALTH_TEST"
CAPTURE = pathlib.Path(__file__).parent / "fixtures" / "lab.pcap"
PORT = 9125
CONFIG = """network:
  home: [10.20.0.0/16, "fd25:20::/32"]
capture:
  expect_vlans: [214]
  expect_prefixes: [10.20.0.0/16]
  expect_within: 25s
live:
  user: nobody
  quiet: 5s
"""


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
    for command in ("link set lo up",
                    "link add out0 type veth peer name mirror0",
                    "link set out0 up mtu 65535",
                    "link set mirror0 up mtu 65535"):
        if subprocess.run(["ip"] + command.split(), capture_output=True,
                          check=False).returncode != 0:
            skip("virtual links cannot be made here")


def send():
    """The packets of the capture, which is little-endian pcap."""
    data = CAPTURE.read_bytes()
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind(("out0", 0))
    at, n = 24, 0
    while at + 16 <= len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        out.send(data[at + 16:at + 16 + size])
        at, n = at + 16 + size, n + 1
        if n % 50 == 0:
            time.sleep(0.005)
    out.close()
    return n


def get(path, method="GET"):
    """Status and body; 0 while nobody listens."""
    c = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
    try:
        c.request(method, path)
        answer = c.getresponse()
        return answer.status, answer.read().decode()
    except (ConnectionError, TimeoutError):
        return 0, ""
    finally:
        c.close()


def await_(what, seconds, wanted):
    end = time.monotonic() + seconds
    got = None
    while time.monotonic() < end:
        got = what()
        if wanted(got):
            return got
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s: {got}")


def value(page, name):
    rows = [line.rsplit(" ", 1) for line in page.splitlines()
            if line.startswith(name)]
    assert rows, name
    return sum(float(v) for _, v in rows)


def check_page(page):
    if shutil.which("promtool"):
        lint = subprocess.run(["promtool", "check", "metrics"], input=page,
                              capture_output=True, text=True, check=False)
        assert lint.returncode == 0, lint.stderr + lint.stdout
    else:
        print("promtool is not here: the page is not linted")
    for line in page.splitlines():
        assert "10.20." not in line and "fd25:" not in line, line
        assert ".test" not in line and "@" not in line, line


def numbers(n_sent):
    """The page says what was sent."""
    page = await_(lambda: get("/metrics")[1], 15,
                  lambda p: "span25_stream_gap_bytes_total" in p
                  and value(p, "span25_messages_total") > 0)
    check_page(page)
    seen = value(page, "span25_capture_packets_total{")
    lost = value(page, "span25_capture_dropped_packets_total{")
    assert 0 < seen + lost <= n_sent, (seen, lost, n_sent)
    assert value(page, "span25_watchdog") == 1
    assert value(page, "span25_sessions_total{") > 100
    assert value(page, "span25_alerts_total{") > 5
    assert 5 <= value(page, "span25_process_up{") == page.count(
        "\nspan25_process_up{"), [
            line for line in page.splitlines() if "process_up" in line]
    print(f"{len(page.splitlines())} lines, {len(page)} bytes of metrics")


def crowd():
    """Many who connect and say nothing keep nobody out for long."""
    idle = []
    for _ in range(64):
        s = socket.create_connection(("127.0.0.1", PORT), timeout=5)
        s.send(b"GET /metr")
        idle.append(s)
    begin = time.monotonic()
    await_(lambda: get("/readyz")[0], 20, lambda s: s == 200)
    print(f"answered behind 64 idle ones after "
          f"{time.monotonic() - begin:.1f} s")
    for s in idle:
        s.close()


def wrong():
    assert get("/")[0] == 404
    assert get("/metrics/")[0] == 404
    assert get("/metrics", "POST")[0] == 405
    s = socket.create_connection(("127.0.0.1", PORT), timeout=5)
    s.sendall(b"A" * 4096)
    try:
        assert s.recv(64).startswith(b"HTTP/1.1 400 ")
    except ConnectionResetError:
        pass  # it closed with bytes unread
    s.close()


def blind():
    """Packets stop: 503 after live.quiet, 200 with the next ones."""
    status, body = await_(lambda: get("/healthz"), 15, lambda a: a[0] == 503)
    assert status == 503 and "no packet on mirror0" in body, body
    send()
    await_(lambda: get("/healthz"), 5, lambda a: a == (200, "ok\n"))


def verbs(program, state):
    """doctor and top tell of a sensor that runs, and that none does."""
    def run(verb, *more):
        r = subprocess.run([program, verb, "--state", str(state), *more],
                           capture_output=True, text=True, check=False)
        return r.returncode, r.stdout

    code, text = run("doctor", "-i", "mirror0")
    assert code == 1, (code, text)
    assert "ok    the journal is written\n" in text, text
    assert "ok    interface mirror0 up" in text, text
    assert "fail  VLAN 214: no packet since the start" in text, text
    code, text = run("top", "--once")
    assert code == 0 and "packets/s" in text and "10.20." in text, text
    code, text = run("doctor", "--state", "/nonexistent", "-i", "none0")
    assert code == 6 and "fail  interface none0 is not there" in text, text
    assert run("top", "--state", "/nonexistent")[0] == 6


def core_killed():
    """Each process that is not there is told, and is back soon."""
    pid = subprocess.run(["pgrep", "-x", "span25-core"], text=True,
                         capture_output=True, check=True).stdout.split()
    mine = [p for p in pid if os.readlink(f"/proc/{p}/ns/net")
            == os.readlink("/proc/self/ns/net")]
    os.kill(int(mine[0]), signal.SIGKILL)
    await_(lambda: get("/metrics")[1], 30,
           lambda p: "span25_process_restarts_total" in p
           and value(p, 'span25_process_restarts_total{process="core"}') == 1)
    await_(lambda: get("/readyz")[0], 30, lambda s: s == 200)


def main(program):
    make_link()
    with tempfile.TemporaryDirectory() as folder:
        state = pathlib.Path(folder) / "state"
        config = pathlib.Path(folder) / "span25.yaml"
        os.chmod(folder, 0o755)
        config.write_text(CONFIG, encoding="ascii")
        with subprocess.Popen([program, "live", "-i", "mirror0", "-c",
                               str(config), "--state", str(state)]) as sensor:
            try:
                await_(lambda: get("/readyz")[0], 30, lambda s: s == 200)
                n = send()
                assert get("/healthz") == (200, "ok\n"), get("/healthz")
                numbers(n)
                blind()
                wrong()
                crowd()
                core_killed()
                await_(lambda: (state / "board.prom").read_text(),
                       70, lambda p: "fail blind expected" in p)
                verbs(program, state)
                assert (state / "board.prom").stat().st_size > 0
            finally:
                sensor.send_signal(signal.SIGTERM)
            assert sensor.wait(60) == 0
    print("ok")


if __name__ == "__main__":
    if INSIDE not in os.environ:
        enter()
    main(sys.argv[1])
