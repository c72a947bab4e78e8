#!/usr/bin/env python3
"""span25 study run and sweep, as a user calls them.

    study_test.py PROGRAM [CAMPUS]

On the shipped capture with a bot: as a capture, as its events, as its journal.
CAMPUS is the program of tests/campus, for a study that is longer.
"""
import csv
import io
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

from support import live
from support.program import PATIENCE, Run, check

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
CONFIG, REGISTRY = FIXTURES / "bot.yaml", FIXTURES / "bot-registry.csv"
BOT, OFFICE, NEWS = "10.20.4.17", "10.20.1.11", "10.20.6.30"
PLAN = """proposed: P4
effective: 2026-02-02
rollback: policy mode off
criteria:
  - name: registered hosts stopped
    measure: registered-stopped
    at-most: 0
  - name: bots stopped
    measure: bots-stopped-share
    at-least: 0.9
  - name: mail lost
    measure: lost-most
    policy: P1
    at-most: 10
"""


class Bench:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.events, self.state = folder / "bot.jsonl", folder / "state"
        # one sensor has a registry of its own, as a sensor that runs would
        self.run("registry", "import", "--state", self.state, "--at",
                 "2025-12-01T00:00:00Z", REGISTRY).expect(0)
        self.run("read", "-c", CONFIG, "--state", self.state, "--events",
                 self.events, FIXTURES / "bot.pcap.gz").expect(0)

    def run(self, *words, **more):
        return Run(self.program, *words, **more)

    def study(self, *words, **more):
        return self.run("study", "run", "-c", CONFIG, *words, **more)

    def result(self, *words, **more):
        return json.loads(self.study(*words, "--json", **more).expect(0).out)


def by_name(result):
    return {p["name"]: p for p in result["policies"]}


def host(result, address):
    return next(h for h in result["hosts"] if h["addr"] == address)


# ---- what is found ----

def it_counts(bench):
    """By hand: the capture's packets are described in fixtures/bot.md."""
    r = bench.result(bench.events)
    mails = [json.loads(line) for line in bench.events.open()]
    mails = [e for e in mails if e["event_type"] == "smtp" and
             e.get("direction") == "outbound" and e["dest_port"] == 25 and
             e["smtp"].get("rcpt_offered")]
    for h in r["hosts"]:
        own = [e for e in mails if e["src_ip"] == h["addr"]]
        check(h["messages"] == len(own), (h, len(own)))
        accepted = [e for e in own if e["smtp"]["outcome"] == "accepted"]
        check(h["delivered"] == len(accepted), h)
        check(h["recipients"] == sum(e["smtp"]["rcpt_accepted"]
                                     for e in accepted), h)
    check(host(r, BOT)["class"] == "bot", host(r, BOT))
    check(host(r, "10.20.1.10")["class"] == "legitimate", r["hosts"])
    policies = by_name(r)
    check(list(policies) == [f"P{i}" for i in range(7)], policies)
    new = [h for h in r["hosts"] if not h["registered"]]
    check(sum(policies["P1"]["hosts"].values()) == len(new), policies["P1"])
    stopped = policies["P1"]["total"]["stopped"]
    check(sum(stopped.values()) == sum(h["messages"] for h in new), stopped)
    check(policies["P0"]["total"]["blocks"] == 0, policies["P0"])
    check(policies["P4"]["registered"] == 0, policies["P4"])
    check(policies["P4"]["hosts"]["bot"] == 1, policies["P4"])
    # what the decision table says when, and a minute until it is in force
    block = next(e for e in map(json.loads, bench.events.open())
                 if e["event_type"] == "decision" and
                 e["decision"]["action"] == "block")
    first = host(r, BOT)["outcomes"]
    first = (first["P4"] if isinstance(first, dict) else first[4])["first"]
    check(block["timestamp"][:16] < first[:16] and
          block["timestamp"][17:23] == first[17:23], (block, first))


def inputs_are_alike(bench):
    """The same from a capture, its events, its journal, standard input."""
    text = bench.events.read_bytes()
    for ways in (
            (("--state", bench.state), (bench.events,), ("-",)),
            (("--registry", REGISTRY, bench.events),
             ("--registry", REGISTRY, FIXTURES / "bot.pcap.gz"))):
        first, *others = [bench.result(*w, stdin=text if w == ("-",) else None)
                          for w in ways]
        for r in others:
            for key in ("policies", "hosts", "sites", "shares", "sweeps"):
                check(r[key] == first[key], key)
            for key in ("hours", "days", "week"):
                check(r["sight"][key] == first["sight"][key], key)


def decisions_are_the_same(bench):
    """One by one, as they are in the journal of the reading."""
    d = bench.result("--state", bench.state)["decisions"]
    check(d["there"] and d["journal"] == d["same"] == d["here"] > 3, d)
    forged = bench.folder / "forged.jsonl"
    forged.write_text(re.sub(r'"action":"block"', '"action":"hold"',
                             bench.events.read_text(), count=1))
    d = bench.result(forged)["decisions"]
    check(d["same"] == d["journal"] - 1 and BOT in d["differ"], d)


def the_same_bytes(bench):
    """A replayed study gives the same files."""
    texts = []
    for _ in range(2):
        out = bench.folder / "again.html"
        bench.study(bench.events, "-o", out).expect(0)
        texts.append({p.name: p.read_bytes() for p in
                      sorted(bench.folder.glob("again*"))})
        for name in texts[-1]:
            (bench.folder / name).unlink()
    check(texts[0] == texts[1], "the bytes differ")
    check(set(texts[0]) >= {"again.html", "again.json", "again-hosts.csv",
                            "again-policies.csv", "again-sites.csv"}, texts[0])
    rows = list(csv.DictReader(io.StringIO(
        texts[0]["again-hosts.csv"].decode())))
    check({r["address"] for r in rows} ==
          {h["addr"] for h in json.loads(texts[0]["again.json"])["hosts"]}, rows)


def windows(bench):
    """Before the window is warm-up, behind it nothing; the holdout has its own
    figures."""
    r = bench.result(bench.events, "--from", "2026-01-05T08:05:00Z", "--to",
                     "2026-01-05T08:09:00Z")
    whole = bench.result(bench.events)
    check(0 < host(r, BOT)["messages"] < host(whole, BOT)["messages"], r)
    check(host(r, BOT)["class"] == "bot" and
          by_name(r)["P4"]["hosts"]["bot"] == 1, host(r, BOT))
    window = ("--from", "2026-01-05T08:00:00Z", "--to", "2026-01-05T08:12:00Z")
    whole = by_name(bench.result(bench.events, *window))
    parts = by_name(bench.result(bench.events, *window, "--holdout", "6m"))
    for name, p in parts.items():
        for key in ("stopped", "delivered", "rcpt"):
            for kind, n in whole[name]["total"][key].items():
                check(p["tuned"][key][kind] + p["total"][key][kind] == n,
                      f"{name}: {key} of {kind}: {p['tuned']}, {p['total']}")
    check(parts["P1"]["tuned"]["stopped"]["malicious"] > 0 and
          parts["P1"]["tuned_hosts"]["bot"] == 1, parts["P1"])
    for words, say in (
            (("--from", "yesterday-ish"), "--from is a day"),
            (("--from", "2026-01-02", "--to", "2026-01-01"), "window"),
            (("--holdout", "14d"), "--holdout"),
            (("--from", "2020-01-01", "--to", "2026-01-01"), "400 days")):
        bench.study(bench.events, *words).expect(2).warns(say)


# ---- what was agreed on, letters ----

def criteria(bench):
    plan = bench.folder / "plan.yaml"
    plan.write_text(PLAN)
    r = bench.result(bench.events, "--criteria", plan)
    check([c["verdict"] for c in r["criteria"]] == ["pass", "pass", "fail"] or
          [c["verdict"] for c in r["criteria"]][2] == "fail", r["criteria"])
    bench.study(bench.events, "--criteria", plan).expect(0).says(
        "Approve P4 on 2026-02-02?")
    plan.write_text(PLAN.replace("lost-most", "lost-mots"))
    bench.study(bench.events, "--criteria", plan).expect(2).warns(
        "plan.yaml:12:14", "lost-most")


def letters(bench):
    plan, folder = bench.folder / "letters.yaml", bench.folder / "letters"
    plan.write_text(PLAN.replace("P4", "P1", 1))
    bench.study("--state", bench.state, "--criteria", plan, "--letters",
                folder).expect(0)
    made = {p.name for p in folder.iterdir()}
    check("contacts.csv" in made, made)
    letter = next(p for p in folder.iterdir() if "LAKE.abuse.txt" in p.name)
    check(BOT in letter.read_text() and "UTC" in letter.read_text(), letter)
    bench.study("--state", bench.state, "--criteria", plan, "--letters",
                folder).expect(2)  # nothing is written over


def reviewed(bench):
    sheet = bench.folder / "reviewed.csv"
    sheet.write_text(f"host,class\n{BOT},legitimate\n{NEWS},bot\n")
    r = bench.result(bench.events, "--reviewed", sheet)
    check(host(r, BOT)["class"] == "legitimate" and host(r, BOT)["reviewed"] and
          host(r, NEWS)["class"] == "bot", r["hosts"])
    check(by_name(r)["P4"]["hosts"]["legitimate"] == 1, r["policies"])


# ---- sweep ----

def sweep(bench):
    done = bench.run("study", "sweep", "-c", CONFIG, "--policy", "P2", "--limit",
                     "per-hour", "--low", "5", "--high", "80", "--csv",
                     bench.events).expect(0)
    rows = list(csv.DictReader(io.StringIO(done.out)))
    spared = [int(r["recipients_spared"]) for r in rows]
    check(len(rows) == 9 and rows[4]["limit"] == "20", rows)
    check(spared == sorted(spared, reverse=True) and spared[0] > spared[-1], rows)
    own = by_name(bench.result(bench.events))["P2"]
    check(spared[4] == own["total"]["rcpt"]["malicious"], (spared, own))
    rows = list(csv.DictReader(io.StringIO(bench.run(
        "study", "sweep", "-c", CONFIG, "--policy", "P4", "--limit",
        "block.sessions", "--low", "5", "--high", "200", "--steps", "4", "--csv",
        bench.events).expect(0).out)))
    check(rows[0]["bots"] == "1" and rows[-1]["bots"] == "0", rows)
    for words, say in (
            (("--policy", "P2", "--limit", "per-houre", "--low", "1", "--high",
              "2"), "--limit"),
            (("--policy", "P2", "--limit", "per-hour", "--low", "9", "--high",
              "2"), "--low"),
            (("--policy", "P4", "--limit", "block.session", "--low", "1",
              "--high", "2"), "block.KEY"),
            (("--limit", "per-hour", "--low", "1", "--high", "2"),
             "one policy")):
        bench.run("study", "sweep", "-c", CONFIG, *words,
                  bench.events).expect(2).warns(say)


# ---- what goes wrong ----

def bad_input(bench):
    bad = bench.folder / "bad.jsonl"
    lines = bench.events.read_text().splitlines(keepends=True)
    bad.write_text("".join(lines[:50]) + "{\"timestamp\": nonsense}\n" +
                   "".join(lines[50:]))
    done = bench.study(bad, "--json").expect(4).warns("bad.jsonl: line 51")
    r = json.loads(done.out)
    check(r["sight"]["faults"] == 1, r["sight"])
    check(r["policies"] == bench.result(bench.events)["policies"], "one line")
    bench.study(bench.folder / "nothing.jsonl").expect(1).warns("nothing.jsonl")
    bench.study().expect(2).warns("nothing to study")
    empty = bench.folder / "empty.jsonl"
    empty.write_text("")
    check(bench.result(empty)["hosts"] == [], "empty")
    # a stream that does not begin with its sensor's start, and no configuration
    later = bench.folder / "later.jsonl"
    later.write_text("".join(lines[5:]))
    bench.run("study", "run", later).expect(2).warns("home networks", "--home")
    check(json.loads(bench.run("study", "run", bench.events, "--json")
                     .expect(0).out)["hosts"], "told at the start")


def many(bench, campus):
    events, truth = bench.folder / "campus.jsonl", bench.folder / "truth"
    subprocess.run([campus, "--seed", "3", "--scale", "0.01", "--hosts", "80",
                    "--events", events, "--truth", truth], check=True,
                   capture_output=True, timeout=PATIENCE)
    return events, truth / "span25.yaml"


def interrupted_early(words, point):
    """Before there is an event, and before a place is found again: what there
    was of a checkpoint stays."""
    before = point.read_bytes() if point.exists() else None
    child = subprocess.Popen(words, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    status = pathlib.Path(f"/proc/{child.pid}/status")
    check(live.wait_for(lambda: re.search(r"SigCgt:.*[2367abef]$", status.read_text(), re.M)),
          "no handler")  # of SIGINT, the second bit
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=PATIENCE)
    check(child.returncode == 130 and out == b"", (child.returncode, err))
    check((point.read_bytes() if point.exists() else None) == before, "another checkpoint")


def resumed(bench, campus):
    """Interrupted in the middle, twice: the same bytes in the end."""
    events, config = many(bench, campus)
    text = events.read_bytes()
    words = [bench.program, "study", "run", "-c", str(config), "--json", "-"]
    whole = subprocess.run(words, input=text, capture_output=True, check=True,
                           timeout=PATIENCE).stdout
    point = bench.folder / "checkpoint"
    words += ["--checkpoint", str(point)]
    interrupted_early(words, point)
    for part in (3, 2):
        made = point.stat().st_mtime_ns if point.exists() else 0
        child = subprocess.Popen(words, stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        cut = len(text) // part  # in the middle of a line
        child.stdin.write(text[:cut])
        child.stdin.flush()
        # all of it but what a pipe holds was taken when the pipe takes no more
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=PATIENCE)
        check(child.returncode == 130, err)
        check(live.wait_for(lambda: point.exists() and
                            point.stat().st_mtime_ns > made), "no checkpoint")
        interrupted_early(words, point)
    done = subprocess.run(words, input=text, capture_output=True, check=True,
                          timeout=PATIENCE)
    a, b = json.loads(whole), json.loads(done.stdout)
    for r in (a, b):
        r["cover"].pop("command")
    check(a == b, [k for k in a if a[k] != b[k]])
    done = Run(*words[:-3], "--policy", "P1", "-", "--checkpoint", point,
               stdin=text).expect(2)
    done.warns("does not fit")


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(program, pathlib.Path(name))
        for test in (it_counts, inputs_are_alike, decisions_are_the_same,
                     the_same_bytes, windows, criteria, letters, reviewed,
                     sweep, bad_input):
            test(bench)
            print(f"{test.__name__} ok")
        if len(sys.argv) > 2:
            resumed(bench, sys.argv[2])
            print("resumed ok")


main()
