#!/usr/bin/env python3
"""span25 study compare, as a user calls it.

    study_compare_test.py PROGRAM

Two studies whose days are made by hand, with a change that is known; and two
that study run makes of the shipped capture, moved by a month.
"""
import datetime
import json
import pathlib
import random
import sys
import tempfile

from support.program import Run, check

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
DAY = datetime.timedelta(days=1)
BEGIN = datetime.datetime(2026, 10, 1)
WEEK = (1, 1.1, 1.2, 1.1, 1, 0.4, 0.3)
ESCAPE = "\x1b[2J"


def stamp(t):
    return t.strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def figure(k, n, low, high):
    return {"value": k / n, "low": low, "high": high, "k": k, "n": n,
            "method": "Wilson"}


def policy(name, terms, right):
    return {"name": name, "kind": "detector", "terms": terms,
            "right": figure(*right), "per_day": 2}


def make(begin, n, seed, bad, effective=None, tries=0, right=(40, 50, .7, .9)):
    """n days from begin: bad messages a day, by day of the week, with noise."""
    draw = random.Random(seed)
    days, hours = [], []
    for i in range(n):
        day = begin + i * DAY
        week = WEEK[day.weekday()]
        days.append({
            "begin": stamp(day),
            "messages": int(1000 * week * draw.uniform(0.9, 1.1)),
            "bad": int(bad * week * draw.uniform(0.8, 1.2)),
            "class_a": draw.randrange(3), "senders": 50,
            "attempts_blocked": draw.randrange(tries) if tries else 0})
        hours += [{"begin": stamp(day + h * DAY / 24), "covered_s": 3600}
                  for h in range(24)]
    return {
        "schema": "span25-study-1",
        "cover": {"title": "T", "from": stamp(begin), "to":
                  stamp(begin + n * DAY), "version": "1", "rules_hash": "r",
                  "config_hash": "c", "sensors": "campus" + ESCAPE},
        "effective": effective,
        "sight": {"days": days, "hours": hours, "loss": 0.01,
                  "sessions": 1000, "sessions_tls": 300},
        "policies": [policy("P4", "as usual", right),
                     policy("P5" + ESCAPE, f"{seed} days", right)]}


class Bench:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def save(self, name, study):
        path = self.folder / name
        path.write_text(json.dumps(study))
        return path

    def run(self, before, after, *words):
        return Run(self.program, "study", "compare",
                   self.save("before.json", before),
                   self.save("after.json", after), *words)

    def result(self, before, after):
        return json.loads(self.run(before, after, "--json").expect(0).out)


def series(result):
    return {s["name"]: s for s in result["series"]}


# ---- ----

def the_change_is_found(bench):
    """Bad mail falls to a third, all mail stays."""
    after = BEGIN + 28 * DAY
    got = bench.result(make(BEGIN, 28, 1, 300),
                       make(after, 28, 2, 100, tries=600))
    check(got["cut"] == "2026-10-29" and not got["took_force"], got["cut"])
    check(got["days"] == {"before": 28, "after": 28, "left_out": 0}, got)
    check(got["notes"] == [], got["notes"])
    s = series(got)
    bad = s["bad"]["ar1"]["factor"]
    check(s["bad"]["scale"] == "log" and s["bad"]["weekdays"], s["bad"])
    check(bad["low"] < 1 / 3 < bad["high"] and bad["high"] < 0.5, bad)
    mail = s["messages"]["ar1"]["factor"]
    check(mail["low"] < 1 < mail["high"], mail)
    check(s["messages"]["newey_west"]["factor"]["low"] < 1, s["messages"])
    check(s["senders"]["refused"] == "all days are the same", s["senders"])
    check(s["class_a"]["scale"] == "counts", s["class_a"])
    tries = s["attempts_blocked"]["ar1"]["mean_change"]
    check(tries["low"] < 300 < tries["high"], tries)
    residual = got["residual"]
    check(residual["low"] < residual["value"] < residual["high"], residual)
    check(residual["n"] == 28 and got["residual_spread"] > 10, got)
    figures = {(f["policy"], f["name"]): f for f in got["figures"]}
    check(figures[None, "watched"]["after"]["value"] == 1, figures)
    check(("P4", "right") in figures and len(figures) < 30, list(figures))
    check(got["policies_not_compared"] ==
          [{"name": "P5" + ESCAPE, "why": "other_terms"}], got)


def nothing_is_found_where_nothing_is(bench):
    """Of ten pairs without a change one may show one."""
    found = 0
    for seed in range(10):
        got = bench.result(make(BEGIN, 28, 2 * seed, 300),
                           make(BEGIN + 28 * DAY, 28, 2 * seed + 1, 300))
        bad = series(got)["bad"]["ar1"]["factor"]
        found += not bad["low"] < 1 < bad["high"]
    check(found <= 2, found)


def as_text(bench):
    before = make(BEGIN, 28, 1, 300)
    after = make(BEGIN + 28 * DAY, 28, 2, 100, tries=600,
                 right=(20, 50, 0.3, 0.5))
    after["cover"]["rules_hash"] = "others"
    run = bench.run(before, after).expect(0)
    run.says("Before: 2026-10-01", "After: 2026-10-29", "sensors campus",
             "Cut: 2026-10-29, the begin of the second window",
             "Note: the rules were others", "28 days before and 28 after",
             "messages judged bad: 2", "no change is computed: all days are",
             "What blocked hosts still try", "bots that it stops",
             "-40 points (-54 to -26)", "P5", "has other terms in the second",
             "Before and after is no experiment")
    run.lacks("\x1b", "nan")


def where_it_took_force(bench):
    before = make(BEGIN, 28, 1, 300)
    day = BEGIN + 38 * DAY
    after = make(BEGIN + 28 * DAY, 28, 2, 300, effective=stamp(day))
    got = bench.result(before, after)
    check(got["took_force"] and got["cut"] == "2026-11-08", got["cut"])
    check(got["days"]["before"] == 38 and got["days"]["after"] == 18, got)
    bench.run(before, after).expect(0).says("2026-11-08, when it took force")
    # the first study said from when on, and the second one kept silent
    before["effective"], after["effective"] = stamp(day), None
    check(bench.result(before, after)["cut"] == "2026-11-08", "the cut")


def days_that_were_not_watched(bench):
    before, after = make(BEGIN, 28, 1, 300), make(BEGIN + 28 * DAY, 28, 2, 300)
    for hour in after["sight"]["hours"][24 * 3:24 * 3 + 5]:
        hour["covered_s"] = 0
    after["cover"]["to"] = stamp(BEGIN + 55 * DAY + DAY / 2)
    check(bench.result(before, after)["days"] ==
          {"before": 28, "after": 26, "left_out": 2}, "days")
    after["sight"]["hours"] = []
    got = bench.result(before, after)
    check("not_measured" in got["notes"], got["notes"])


def too_few_days(bench):
    got = bench.result(make(BEGIN, 7, 1, 300), make(BEGIN + 7 * DAY, 9, 2, 9))
    check("short" in got["notes"], got["notes"])
    for s in got["series"]:
        check(s["refused"].startswith("fewer than 8 days") and
              "ar1" not in s, s)


def it_refuses(bench):
    before, after = make(BEGIN, 28, 1, 300), make(BEGIN + 28 * DAY, 28, 2, 300)
    run = bench.run(after, before).expect(5)
    run.warns("the second begins before the first")
    check(run.out == "", run.out)
    bench.run(before, before).expect(5).warns("their windows overlap")
    bench.run(before, make(BEGIN + 27 * DAY, 28, 2, 300), "--json").expect(5)
    after["cover"]["demo"] = True
    bench.run(before, after).expect(5).warns("made traffic")
    del before["cover"]["to"]
    bench.run(before, after).expect(5).warns("has no window")
    path = bench.folder / "none.json"
    Run(bench.program, "study", "compare", path, path).expect(1).warns(
        "none.json")
    path.write_text('{"schema":"other"}')
    Run(bench.program, "study", "compare", path, path).expect(1).warns(
        "no study.json")
    Run(bench.program, "study", "compare", path).expect(2)


def what_study_run_writes(bench):
    """Of the shipped capture, and of the same a month later."""
    events = bench.folder / "bot.jsonl"
    config = FIXTURES / "bot.yaml"
    Run(bench.program, "read", "-c", config, "--registry",
        FIXTURES / "bot-registry.csv", "--events", events,
        FIXTURES / "bot.pcap.gz").expect(0)
    text, studies = events.read_text(), []
    for i, month in enumerate(("-01-", "-03-")):
        moved = bench.folder / f"{i}.jsonl"
        moved.write_text(text.replace("2026-01-", f"2026{month}"))
        out = bench.folder / f"{i}.json"
        Run(bench.program, "study", "run", "-c", config, moved, "-o",
            out).expect(0)
        studies.append(out)
    got = json.loads(Run(bench.program, "study", "compare", *studies,
                         "--json").expect(0).out)
    check("gap" in got["notes"] and "rules" not in got["notes"], got["notes"])
    names = {f["policy"] for f in got["figures"]}
    check({f"P{i}" for i in range(1, 7)} <= names, names)
    check(got["policies_not_compared"] == [], got)
    for f in got["figures"]:
        check(f["before"]["value"] == f["after"]["value"], f)
    Run(bench.program, "study", "compare", *studies).expect(0).says("P4")


def main():
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(sys.argv[1], pathlib.Path(folder))
        for test in (the_change_is_found, nothing_is_found_where_nothing_is,
                     as_text, where_it_took_force, days_that_were_not_watched,
                     too_few_days, it_refuses, what_study_run_writes):
            test(bench)
            print(test.__name__)


if __name__ == "__main__":
    main()
