#!/usr/bin/env python3
"""span25 study review, as a user calls it.

    study_review_test.py PROGRAM

A study of hosts whose truth is known, and events of theirs: messages are drawn,
two reviewers with known rates of error fill the sheets, a third one decides,
and what is counted must hold the truth.
"""
import csv
import io
import json
import pathlib
import random
import re
import stat
import sys
import tempfile

from support.program import Run, check

FROM, TO = "2026-10-01T00:00:00.000000Z", "2026-10-29T00:00:00.000000Z"
HOSTS, SAMPLE = 900, 300
ERRS, UNSURE = 0.01, 0.02
WORDS = ("malicious", "ordinary", "unclear")


class Campus:
    """12 % of the unregistered are bots, 2 % of the registered are mixed; the
    detector finds 85 % of them and holds 2 % of the others for bots."""

    def __init__(self, seed):
        draw = random.Random(seed)
        self.hosts = {}
        for i in range(HOSTS):
            registered = draw.random() < 0.2
            abusive = draw.random() < (0.02 if registered else 0.12)
            held = draw.random() < (0.85 if abusive else 0.02)
            self.hosts[f"10.{i >> 8}.{i & 255}.7"] = {
                "registered": registered, "abusive": abusive, "held": held,
                "messages": int(2 ** draw.uniform(0, 10))}

    def study(self):
        rows = [{"addr": a, "class": "bot" if h["held"] else "legitimate",
                 "registered": h["registered"], "messages": h["messages"],
                 "sessions": h["messages"]} for a, h in self.hosts.items()]
        return {"schema": "span25-study-1",
                "cover": {"from": FROM, "to": TO}, "hosts": rows}

    def events(self):
        """Six messages of each host at most; the subject tells the truth."""
        draw, flow = random.Random(1), 0
        for address, h in self.hosts.items():
            for k in range(min(6, h["messages"])):
                flow += 1
                yield {
                    "timestamp": f"2026-10-{1 + flow % 28:02}T{k:02}:00:00"
                                 ".000000+0000",
                    "event_type": "smtp", "flow_id": flow, "tx_id": k,
                    "event_id": f"{flow:016x}", "src_ip": address,
                    "dest_ip": "198.51.100.9", "dest_port": 25,
                    "direction": "outbound",
                    "smtp": {"rcpt_offered": 1, "rcpt_accepted": 1,
                             "rcpt_to": [f"<b@d{draw.randrange(4)}.example>"],
                             "via": "DATA", "outcome": "accepted",
                             "helo": f"h{flow}.campus.example",
                             "message_bytes": draw.choice((900, 9000))},
                    "email": {"from": "=A <a@example.org>", "subject":
                              "win now" if h["abusive"] else "minutes",
                              "score": 31337}}

    def truth(self):
        known = self.hosts.values()
        held = [h for h in known if h["held"]]
        abusive = [h for h in known if h["abusive"]]
        clean = [h for h in known if not h["abusive"]]
        return {
            "precision": sum(h["abusive"] for h in held) / len(held),
            "sensitivity": sum(h["held"] for h in abusive) / len(abusive),
            "specificity": sum(not h["held"] for h in clean) / len(clean),
            "corrected": len(abusive) / len(self.hosts)}


class Bench:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.campus = Campus(7)
        self.study = folder / "study.json"
        self.events = folder / "events.jsonl"
        self.study.write_text(json.dumps(self.campus.study()))
        self.write_events(self.campus.events())
        self.sheet, self.key = folder / "sheet.csv", folder / "sheet-key.csv"

    def write_events(self, events):
        self.events.write_text("".join(
            json.dumps(e, separators=(",", ":")) + "\n" for e in events))

    def review(self, *words):
        return Run(self.program, "study", "review", *words)

    def draw(self, *words, sheet=None):
        return self.review("--study", self.study, self.events, "--sample",
                           SAMPLE, "-o", sheet or self.sheet, *words)

    def count(self, *words):
        return self.review("--key", self.key, *words)


def table(path):
    """Rows behind the line of text that a sheet begins with."""
    text = path.read_text()
    return list(csv.DictReader(io.StringIO(text[text.index("number,"):])))


def save(path, rows, delimiter=","):
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys(), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def judge(row, draw):
    """Sees the sheet alone, and errs."""
    if draw.random() < UNSURE:
        return "unclear"
    malicious = ("win now" in row["subject"]) != (draw.random() < ERRS)
    return "malicious" if malicious else "ordinary"


def reviewers(bench, seed):
    """Sheets of two, and of a third one where they differ."""
    draws = [random.Random(f"{seed}-{i}") for i in range(3)]
    sheets = [table(bench.sheet) for _ in range(3)]
    for a, b, c in zip(*sheets):
        a["verdict"], b["verdict"] = judge(a, draws[0]), judge(b, draws[1])
        if a["verdict"] != b["verdict"]:
            c["verdict"] = judge(c, draws[2])
    return [save(bench.folder / f"{name}.csv", rows)
            for name, rows in zip("ABC", sheets)]


# ---- the sheet ----

def it_draws(bench):
    run = bench.draw().expect(0)
    run.says(f"{SAMPLE} messages of {SAMPLE} hosts, drawn of {HOSTS}, in ",
             "sheet-key.csv", "destroy")
    rows, keys = table(bench.sheet), table(bench.key)
    check(len(rows) == len(keys) == SAMPLE, (len(rows), len(keys)))
    check([r["number"] for r in rows] == [k["number"] for k in keys], "order")
    check(len({k["host"] for k in keys}) == SAMPLE, "one a host first")
    for path in (bench.sheet, bench.key):
        mode = stat.S_IMODE(path.stat().st_mode)
        check(mode == 0o600, oct(mode))
    # weights give the hosts of the study back
    check(abs(sum(float(k["weight"]) for k in keys) - HOSTS) < 1e-6, "weights")
    # all that is rare is drawn
    rare = [a for a, h in bench.campus.hosts.items()
            if h["registered"] and h["held"]]
    check(set(rare) <= {k["host"] for k in keys}, rare)
    pairs = [k["pair"] for k in keys if k["pair"]]
    check(pairs and all(pairs.count(p) == 2 for p in pairs), pairs)
    events = {e["event_id"]: e for e in bench.campus.events()}
    for row, key in zip(rows, keys):
        e = events[key["event"]]
        check(e["src_ip"] == key["host"], key)
        check(row["time"] == e["timestamp"][11:16], (row, e))
        check(row["bytes"] == str(e["smtp"]["message_bytes"]), row)
        held = bench.campus.hosts[key["host"]]["held"]
        check(key["detector"] == ("yes" if held else "no"), key)


def it_is_blind(bench):
    text = bench.sheet.read_text()
    check(text.startswith('"Personal'), text[:80])
    for secret in ("10.", "198.51", "campus", "31337", "2026", "legitimate",
                   "bot", ",=A"):
        check(secret not in text, secret)
    # the order of rows says nothing of who is held for abuse
    held = [k["detector"] == "yes" for k in table(bench.key)]
    half = len(held) // 2
    check(abs(sum(held[:half]) - sum(held[half:])) < 30, held)


def it_draws_the_same(bench):
    """Events in another order, and twice; another study draws others."""
    other = bench.folder / "other.csv"
    events = list(bench.campus.events())
    bench.write_events(events[::-1] + events)
    got = json.loads(bench.draw("--json", sheet=other).expect(0).out)
    check(other.read_bytes() == bench.sheet.read_bytes(), "another sheet")
    check(got["messages"] == SAMPLE and got["frame"] == HOSTS, got)
    check(sum(s["drawn"] for s in got["strata"]) == SAMPLE, got)
    study = bench.campus.study()
    study["hosts"][0]["messages"] += 1
    bench.study.write_text(json.dumps(study))
    third = bench.folder / "third.csv"
    bench.draw(sheet=third).expect(0)
    check(third.read_bytes() != bench.sheet.read_bytes(), "the same sheet")
    bench.study.write_text(json.dumps(bench.campus.study()))
    bench.write_events(events)


def it_refuses(bench):
    filled = bench.sheet.read_bytes()
    bench.draw().expect(2).warns("sheet.csv is there already")
    check(bench.sheet.read_bytes() == filled, "it was written over")
    new = bench.folder / "new.csv"
    bench.draw(sheet=bench.folder / "new.txt").expect(2).warns("ending .csv")
    bench.review("--study", bench.study, bench.events).expect(2).warns(
        "--output")
    bench.review("--study", bench.study, "-o", new).expect(2).warns(
        "nothing to draw from")
    bench.review(bench.events).expect(2).warns("--study", "--key")
    bench.review("--study", bench.study, "--key", bench.key,
                 bench.events).expect(2)
    bench.review("--study", bench.events, bench.events, "-o",
                 new).expect(1).warns("no study.json")
    empty = bench.folder / "empty.jsonl"
    empty.write_text("")
    bench.review("--study", bench.study, empty, "-o", new).expect(5).warns(
        "no message")
    check(not new.exists(), "it was written")
    shared = bench.campus.study()
    shared["cover"]["anonymized"] = "hosts"
    other = bench.folder / "shared.json"
    other.write_text(json.dumps(shared))
    bench.review("--study", other, empty, "-o", new).expect(5).warns(
        "pseudonyms")
    empty.write_text("no event\n" + bench.events.read_text())
    bench.review("--study", bench.study, empty, "-o", new).expect(4)
    check(new.exists(), "what could be read was not drawn from")


# ---- what was said ----

def they_hold_the_truth(bench):
    """Six pairs of reviewers: of 24 intervals of 95 % few may miss."""
    truth, missed, kappas = bench.campus.truth(), [], []
    for seed in range(6):
        got = json.loads(bench.count(*reviewers(bench, seed),
                                     "--json").expect(0).out)
        review = got["review"]
        check(review["there"] and review["sampled"] == SAMPLE, got)
        check(got["counts"]["resolved"] == review["disagreed"] > 0, got)
        kappas.append(review["kappa"]["value"])
        for name, value in truth.items():
            f = review[name]
            check(f["low"] <= f["value"] <= f["high"], f)
            if not f["low"] <= value <= f["high"]:
                missed.append((seed, name, f, value))
    check(len(missed) <= 3, missed)
    check(0.7 < min(kappas) and max(kappas) < 1, kappas)


def it_counts(bench):
    """By hand, of one pair of reviewers."""
    sheets = reviewers(bench, 1)
    said = [table(s) for s in sheets]
    keys = {k["number"]: k for k in table(bench.key)}
    final = {a["number"]: a["verdict"] if a["verdict"] == b["verdict"]
             else c["verdict"] for a, b, c in zip(*said)}
    held = [n for n, k in keys.items() if k["detector"] == "yes"]
    right = sum(final[n] == "malicious" for n in held)
    known = sum(final[n] != "unclear" for n in held)
    out = bench.folder / "reviewed.csv"
    run = bench.count(*sheets, "-o", out).expect(0)
    alike = sum(a["verdict"] == b["verdict"] for a, b, _ in zip(*said))
    run.says(f"{SAMPLE} judged by both; they differ on {SAMPLE - alike}, of "
             f"which a third one decided {SAMPLE - alike}",
             f"{alike} of {SAMPLE} first messages",
             f"\nPrecision    {right} of {known} ")
    classes = {r["host"]: r["class"] for r in csv.DictReader(out.open())}
    check(len(classes) == SAMPLE, len(classes))
    for number, key in keys.items():
        want = {"ordinary": "legitimate", "unclear": "",
                "malicious": "bot" if key["detector"] == "yes" else "mixed"}
        check(classes[key["host"]] == want[final[number]], key)
    got = json.loads(bench.count(*sheets, "--json").expect(0).out)
    check(got["review"]["precision"]["k"] == right, got["review"])
    total = sum(sum(row.values()) for row in got["table"].values())
    check(total == SAMPLE and set(got["table"]) == set(WORDS), got["table"])


def without_a_third(bench):
    a, b, _ = reviewers(bench, 1)
    rows = table(b)
    for row in rows[:7]:
        row["verdict"] = ""
    save(b, rows, delimiter=";")  # as other spreadsheets do
    run = bench.count(a, b).expect(0)
    run.says(f"{SAMPLE - 7} judged by both", "7 messages without a verdict in",
             "of which a third one decided 0", "people could not tell")


def faults(bench):
    a, b, c = reviewers(bench, 1)
    rows = table(a)
    rows[0]["verdict"], rows[1]["number"] = "spam", "9999"
    rows[2]["verdict"] = "ordinry"
    rows[3]["number"] = rows[4]["number"]
    rows[5]["verdict"] = "\x1b[2J=1+1"
    save(a, rows)
    run = bench.count(a, b, c, "-o", bench.folder / "never.csv").expect(2)
    check(run.out == "", run.out)
    run.warns("A.csv:2:", "'spam' is no verdict; it is one of malicious, "
              "ordinary, unclear", "A.csv:3:1: '9999' is no number",
              "A.csv:4:", "did you mean 'ordinary'?", "A.csv:6:1: number",
              "too", "\\x1b[2J=1+1")
    check("\x1b" not in run.err, run.err)
    check(not (bench.folder / "never.csv").exists(), "written")
    bench.count(b).expect(2).warns("two reviewers")
    bench.count(b, b, b, b).expect(2)
    bench.count(b, bench.folder / "none.csv").expect(1).warns("none.csv")
    key = bench.key.read_text()
    bench.key.write_text(re.sub(r"(?m)^1,[0-9.]+,", "1,x,", key))
    bench.count(b, c).expect(2).warns("sheet-key.csv:2:3: 'x' is not an")
    bench.key.write_text(key)


def study_run_takes_it(bench):
    """What people judged is what a study begins with."""
    out = bench.folder / "judged.csv"
    bench.count(*reviewers(bench, 1), "-o", out).expect(0)
    got = json.loads(Run(bench.program, "study", "run", "--home", "10.0.0.0/8",
                         "--reviewed", out, bench.events,
                         "--json").expect(0).out)
    judged = {r["host"]: r["class"] for r in csv.DictReader(out.open())
              if r["class"]}
    for h in got["hosts"]:
        check(h["reviewed"] == (h["addr"] in judged), h)
        if h["reviewed"]:
            check(h["class"] == judged[h["addr"]], h)


def the_report_has_it(bench):
    """Agreement and precision stand in the study, and criteria ask for them."""
    review = bench.folder / "review.json"
    review.write_text(bench.count(*reviewers(bench, 1), "--json").expect(0).out)
    plan = bench.folder / "go.yaml"
    plan.write_text("criteria:\n  - name: agreement\n    measure: kappa\n"
                    "    at-least: 0.7\n  - name: precision\n"
                    "    measure: precision-low\n    at-least: 0.99\n")
    words = ("study", "run", "--home", "10.0.0.0/8", "--criteria", plan,
             bench.events, "--json")
    got = json.loads(Run(bench.program, *words, "--review",
                         review).expect(0).out)
    check(got["review"] == json.loads(review.read_text())["review"], got)
    check([c["verdict"] for c in got["criteria"]] == ["pass", "fail"],
          got["criteria"])
    Run(bench.program, *words, "--review", bench.study).expect(1).warns(
        "not what study review --json printed", "span25-review-1")
    check(not json.loads(Run(bench.program, *words).expect(0).out)
          ["review"]["there"], "a review")


def main():
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sys.argv[1], pathlib.Path(folder))
        for test in (it_draws, it_is_blind, it_draws_the_same, it_refuses,
                     they_hold_the_truth, it_counts, without_a_third, faults,
                     study_run_takes_it, the_report_has_it):
            test(bench)
            print(test.__name__)


if __name__ == "__main__":
    main()
