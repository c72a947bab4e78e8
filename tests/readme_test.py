#!/usr/bin/env python3
"""Runs every command of README.md, verbatim, in the order in which it stands.

Usage: readme_test.py ROOT. The README is copied into no other place: commands
run in ROOT, as a reader would. tools/test is left out, for it is what runs
this; tools/demo runs as it is.
"""
import pathlib
import re
import subprocess
import sys

LEFT_OUT = {"tools/test"}
TIMEOUT_S = 900


def commands(text):
    for block in re.findall(r"```sh\n(.*?)```", text, re.S):
        for line in block.splitlines():
            line = line.strip()
            if line and not line.startswith("#"):
                yield line


def run(root, line):
    done = subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=root,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, errors="replace", timeout=TIMEOUT_S,
                          check=False)
    # head closes the pipe: the writer may end by SIGPIPE (141)
    good = done.returncode in (0, 141) and done.stdout
    # A showcase that finds nothing shows nothing.
    return good and not re.search(r"^of \d+ events? 0 match", done.stdout,
                                  re.M), done


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    passed = failed = 0
    for line in commands((root / "README.md").read_text()):
        if line in LEFT_OUT:
            continue
        good, done = run(root, line)
        if good:
            passed += 1
            continue
        failed += 1
        print(f"failed: {line}\nexit {done.returncode}\n"
              f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
