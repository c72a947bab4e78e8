#!/usr/bin/env python3
"""count_results NAME FILE.xml [KEEP-DIR] - what a run of ctest amounts to

Prints the output of each test that failed and the reason of each that was
skipped, then "passed failed skipped" as three numbers on the last line. A test
that skipped a part of itself counts as skipped, one that failed as failed.
With KEEP-DIR each output is kept there, dated.
"""

import re
import sys
import xml.etree.ElementTree as ET
from datetime import datetime, timezone
from pathlib import Path

SKIP = re.compile(r"^(?:skipped:.*|\[  SKIPPED \] (?!\d+ test).*)$", re.MULTILINE)


def verdict(case, output):
    """One of passed, failed, skipped."""
    skipped = case.find("skipped")
    if case.get("status") == "fail" or case.find("failure") is not None:
        return "failed"
    if skipped is not None:
        by_itself = "SKIP_" in (skipped.get("message") or "")
        return "skipped" if by_itself else "failed"
    if case.get("status") != "run":
        return "failed"
    return "skipped" if SKIP.search(output) else "passed"


def keep(folder, name, output):
    folder.mkdir(parents=True, exist_ok=True)
    day = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    (folder / f"{day}-{name}.txt").write_text(output)


def main():
    run, source = sys.argv[1], sys.argv[2]
    folder = Path(sys.argv[3]) if len(sys.argv) > 3 else None
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for case in ET.parse(source).getroot().iter("testcase"):
        output = case.findtext("system-out") or ""
        name = case.get("name")
        what = verdict(case, output)
        counts[what] += 1
        if what == "failed":
            print(f"---- FAILED: {run}: {name}\n{output}\n----")
        elif what == "skipped":
            reason = SKIP.search(output)
            print(f"skipped: {run}: {name}: {reason.group(0) if reason else 'no reason given'}")
        if folder is not None:
            keep(folder, name, f"{what}\n{output}")
    print(counts["passed"], counts["failed"], counts["skipped"])


main()
