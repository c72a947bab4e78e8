#!/usr/bin/env python3
"""capture_test - the generator's packets say what its events say

    capture_test.py EVALUATE SPAN25

A sample of every row is written as events and as a capture; span25 reads the
capture. Transactions must be the same: ends, envelope, replies and their
classes, outcome, and the score where no attachment has a part in it.
"""

import collections
import json
import subprocess
import sys
import tempfile
from pathlib import Path

WITH_FILES = ("class_", "ambiguous")
HOME = "10.0.0.0/8,fd25:20::/32"


def symbols(event):
    return {s["name"] for s in event.get("email", {}).get("symbols", [])}


def has_files(event):
    return any(name.startswith(WITH_FILES) for name in symbols(event))


def transaction(event):
    smtp = event["smtp"]
    replies = tuple((r["addr"], r.get("code"), r.get("class")) for r in smtp.get("rcpt", []))
    fate = (smtp["outcome"], smtp.get("via"), smtp.get("final_code"), smtp.get("final_class"))
    return (event["src_ip"], event["src_port"], event["dest_ip"], event["dest_port"], event["direction"],
            smtp.get("helo"), smtp["mail_from"], replies, fate)


def scored(event):
    return event["smtp"].get("via") is not None


def session(event):
    smtp = event["smtp"]
    dialect = smtp["dialect"]
    return (event["src_ip"], event["src_port"], event["dest_ip"], smtp.get("helo"), smtp["transactions"],
            smtp["messages"], smtp["postscreen"]["pregreet"], smtp["postscreen"]["no_quit"], dialect["helo_class"],
            dialect["verb_case"], dialect.get("space_after_colon"), dialect.get("brackets"), dialect["eol"],
            event["tcp"]["handshake"], event["ether"]["src_mac"])


def load(path):
    """Transactions, connections and scores of a file, and which have files."""
    mails, sessions, scores = collections.Counter(), collections.Counter(), {}
    filed = set()
    for line in open(path, encoding="utf-8"):
        event = json.loads(line)
        if event.get("quality", {}).get("oneway"):
            continue
        if event["event_type"] == "smtp":
            key = transaction(event)
            mails[key] += 1
            if has_files(event):
                filed.add(key)
            if scored(event):
                scores[key] = symbols(event)
        elif event["event_type"] == "smtp_session" and "tcp" in event:
            sessions[session(event)] += 1
    return mails, sessions, scores, filed


def show(what, ours, read):
    missing, more = ours - read, read - ours
    if not missing and not more:
        return 0
    print(f"{what}: {sum(missing.values())} only in the events, {sum(more.values())} only read")
    for key in list(missing)[:3]:
        print("  event", key)
        print("  read ", [k for k in more if k[:2] == key[:2]][:1])
    return 1


def main():
    evaluate, span25 = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as scratch:
        events, pcap, read = (Path(scratch) / name for name in ("e.json", "e.pcap", "r.json"))
        subprocess.run([evaluate, "--half", "both", "--scale", "0.2", "--days", "2", "--cap", "20", "--write-events",
                        events, "--write-capture", pcap], check=True)
        subprocess.run([span25, "read", "--home", HOME, "--events", read, pcap], check=True, stdout=subprocess.DEVNULL)
        mails, sessions, scores, filed = load(events)
        read_mails, read_sessions, read_scores, _ = load(read)
    bad = show("transactions", mails, read_mails) + show("connections", sessions, read_sessions)
    wrong = [k for k in scores if k not in filed and scores[k] != read_scores.get(k)]
    for key in wrong[:5]:
        print("symbols of", key, "made", sorted(scores[key]), "read", sorted(read_scores.get(key, ["nothing"])))
    print(f"{len(mails)} transactions, {len(sessions)} connections, {len(scores)} messages, {len(wrong)} scores differ")
    return 1 if bad or wrong or len(mails) < 1000 else 0


if __name__ == "__main__":
    sys.exit(main())
