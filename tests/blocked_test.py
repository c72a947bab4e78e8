#!/usr/bin/env python3
"""What would be stopped in the capture of the bot, through the program.

    blocked_test.py PROGRAM

Reads tests/fixtures/bot.pcap.gz as a user would. bot.md there says who is who;
the decisions, the three lines of the summary and the report must say it too, and
the decisions alone must tell what is in force at each moment.
"""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
BOT, NEWS, OFFICE = "10.20.4.17/32", "10.20.6.30/32", "10.20.1.11/32"
ORDINARY = ["10.20.1.10", "10.20.7.3"]
REGISTRY = ["--registry", str(FIXTURES / "bot-registry.csv")]
SITES = ["-c", str(FIXTURES / "bot.yaml")]


def run(program, *options, capture="bot.pcap.gz"):
    done = subprocess.run([program, "read", *options, str(FIXTURES / capture)],
                          check=True, capture_output=True, text=True,
                          timeout=120)
    return done.stdout


def events(program, *options, **more):
    lines = run(program, "--quiet", "--events", "-", *options, **more)
    return [json.loads(line) for line in lines.splitlines()]


def of_type(all_events, name):
    return [e for e in all_events if e["event_type"] == name]


def decisions(all_events):
    return [e["decision"] | {"timestamp": e["timestamp"]}
            for e in of_type(all_events, "decision")]


def check_decisions(all_events):
    made = decisions(all_events)
    last = {}
    for d in made:
        last[d["subject"]] = d
    assert set(last) == {BOT, NEWS, OFFICE}, set(last)
    assert last[BOT]["action"] == "block"
    assert last[BOT]["against"] == ["evidence:path"]  # no router is learned
    assert last[NEWS]["action"] == "hold"
    assert last[NEWS]["against"] == ["evidence:path", "queueing"]
    assert last[OFFICE]["action"] == "withheld"
    assert last[OFFICE]["against"][0] == "registered"
    assert {d["mode"] for d in made} == {"simulate"}
    assert last[BOT]["site"] == "LAKE"
    ids = {e["event_id"] for e in all_events}
    for d in made:
        assert d["evidence"] and set(d["evidence"]) <= ids, d
        assert len(d["evidence_hash"]) == 64
        # Whoever is stopped is stopped alone, and for a time.
        assert d["action"] != "block" or (d["until"] > d["timestamp"] and
                                          d["subject"].endswith("/32"))


def check_alerts(all_events):
    alerts = [e["alert"] for e in of_type(all_events, "alert")]
    high = {a["subject"] for a in alerts if a["severity"] == 1}
    assert "10.20.4.17" in high, high
    assert not high & set(ORDINARY), high


def check_summary(program):
    text = " ".join(run(program, *SITES, *REGISTRY).split())
    for want in ("1 of 5 hosts that send would be stopped: 10.20.4.17.",
                 "the site of 1 of 1 is known, who answers for it of 1.",
                 "1 host is held for a human: 10.20.6.30 (it behaves like a "
                 "mail server).",
                 "1 host with figures as high would not be stopped: "
                 "10.20.1.11 (registered).",
                 "Judged on what could be read: 307 of 307 sessions (100 %), "
                 "0 % of their bytes lost.",
                 "would stop 3 of 5 senders"):
        assert want in text, (want, text)
    assert "--all" in text
    assert "--all" not in run(program, *SITES, *REGISTRY, "--all")


def check_reports(program):
    with tempfile.TemporaryDirectory() as folder:
        name = pathlib.Path(folder) / "report"
        run(program, *SITES, *REGISTRY, "-q", "-o", f"{name}.json")
        run(program, *SITES, *REGISTRY, "-q", "-o", f"{name}.csv")
        doc = json.loads(pathlib.Path(f"{name}.json").read_text())
        with open(f"{name}.csv", newline="", encoding="utf-8") as f:
            rows = {(r["address"], r["sends"]): r for r in csv.DictReader(f)}
    assert doc["if_blocked"]["stopped"] == 1 and doc["if_blocked"]["held"] == 1
    assert doc["if_blocked"]["withheld"] == 1
    assert rows["10.20.4.17", "yes"]["decision"] == "block"
    assert rows["10.20.6.30", "yes"]["against"].endswith("queueing")
    assert all(rows[a, "yes"]["decision"] == "" for a in ORDINARY)


def check_without_registry(program):
    made = decisions(events(program, *SITES))
    assert any(d["action"] == "block" for d in made)
    for d in made:
        assert "registry:none" in d["against"], d


def check_lab(program):
    """Registered ones of the other capture are never stopped."""
    found = events(program, "--registry", str(FIXTURES / "lab-registry.csv"),
                   capture="lab.pcap")
    registered = {line.split(",")[0] for line in
                  (FIXTURES / "lab-registry.csv").read_text().split()[1:]}
    for d in decisions(found):
        if d["action"] in ("block", "hold"):
            assert d["subject"].split("/")[0] not in registered, d


def main():
    program = sys.argv[1]
    found = events(program, *SITES, *REGISTRY)
    check_decisions(found)
    check_alerts(found)
    check_summary(program)
    check_reports(program)
    check_without_registry(program)
    check_lab(program)
    print("ok:", len(decisions(found)), "decisions")


main()
