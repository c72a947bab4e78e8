#!/usr/bin/env bash
# check_layers.sh - fails on an #include that is not an arrow of the table below
#
# The table is that of CONTRIBUTING.md. A file may always include its own
# folder and tests/support; tests/ may include everything.
set -euo pipefail
cd "$(dirname "$0")/.."

git ls-files -co --exclude-standard -- '*.c' '*.h' '*.def' | python3 -c '
import re
import sys

STAGES = "base event capture net dissectors rules journal store sinks core dashboards"
MAY = {
    "base": "",
    "event": "base",
    "capture": "base event",
    "net": "base event",
    "dissectors": "base event",
    "rules": "base event",
    "journal": "base event",
    "store": "base event",
    "sinks": "base event",
    "core": "base event rules journal store",
    "dashboards": "base event",
    "app": STAGES,
    "program": "base event app",
}
# dashboards read the index through one header of store
EXACT = {("dashboards", "sensor/store/store_query.h")}


def layer(path):
    parts = path.split("/")
    if path == "sensor/main.c" or parts[0] == "tools":
        return "program"
    if parts[0] == "sensor" and len(parts) > 2:
        return parts[1]
    return parts[0]


bad = 0
for path in sys.stdin.read().split("\n"):
    if not path or path.startswith("tests/"):
        continue
    try:
        lines = open(path, encoding="utf-8", errors="replace").readlines()
    except FileNotFoundError:
        continue
    mine = layer(path)
    if mine not in MAY:
        print(f"{path}: folder {mine!r} is not in the table of layers")
        bad += 1
        continue
    for number, line in enumerate(lines, 1):
        found = re.match(r"\s*#\s*include\s+\"([^\"]+)\"", line)
        if not found:
            continue
        target = found.group(1)
        theirs = layer(target) if "/" in target else "support"
        is_test = path.endswith(("_test.c", "_fuzz.c", "_test_pcap.h"))
        if theirs == mine or theirs in MAY[mine].split() or (mine, target) in EXACT:
            continue
        if theirs in ("tests", "support") and is_test:
            continue
        print(f"{path}:{number}: {mine} may not include {target}")
        bad += 1
sys.exit(bad > 0)
'
