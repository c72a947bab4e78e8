#!/usr/bin/env python3
"""What the page's server has given up, and what ends it.

    serve_confined_test.py PROGRAM CONFINED

CONFINED is confine_try.c, which tells whether the build has filters.
A server that has answered has no capability, no new privileges and a filter. By
ptrace it is made to execute a program, as code that took it over would: it is
killed. Skipped without the right to trace; the second half is for x86-64 and a
build with filters.
"""
import pathlib
import platform
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from live_confined_test import EXECVE, call_in, has_filter  # noqa: E402

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"
CONFIG = ["-c", str(FIXTURES / "bot.yaml")]
PATIENCE_S = 60


def begin(program, state):
    process = subprocess.Popen(
        [program, "serve", "--demo", *CONFIG, "--state", state, "--listen",
         "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    at = re.search(r"serving at (http://\S+)/$", line)
    assert at, line
    with urllib.request.urlopen(at[1] + "/api/v1/alerts",
                                timeout=PATIENCE_S) as answer:
        assert answer.status == 200
    return process


def status_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return dict(re.findall(r"^(\w+):\s+(.*)$", text, re.M))


def end(process):
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, told


def is_sanitized(confined):
    return subprocess.run([confined, "page", "poll"],
                          check=False).returncode == 77


def main(program, confined):
    with tempfile.TemporaryDirectory() as folder:
        state = f"{folder}/state"
        subprocess.run([program, "read", *CONFIG, "--state", state,
                        str(FIXTURES / "bot.pcap.gz")], check=True,
                       capture_output=True, timeout=PATIENCE_S)
        process = begin(program, state)
        had = status_of(process.pid)
        for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
            assert int(had[name], 16) == 0, (name, had[name])
        assert had["NoNewPrivs"] == "1"
        if is_sanitized(confined):
            print("a build with sanitizers: it has no filter")
        elif platform.machine() != "x86_64":
            print("not x86-64: no call is made")
        else:
            assert has_filter(process.pid)
            try:
                call_in(process.pid, EXECVE)
            except AssertionError as e:
                if "not permitted" not in str(e):
                    raise
                end(process)
                print("skipped: no right to trace")
                sys.exit(77)
            assert process.wait(PATIENCE_S) == -signal.SIGSYS, process.returncode
            print("what it never calls ends it")
            process = begin(program, state)  # and the state is whole
        end(process)


if __name__ == "__main__":
    main(*sys.argv[1:])
