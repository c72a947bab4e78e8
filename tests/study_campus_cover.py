#!/usr/bin/env python3
"""How often a study's intervals hold what they claim to hold.

    study_campus_cover.py PROGRAM CAMPUS [--seeds N] [--weeks N] [--jobs N]
                          [--hosts N] [--scale X] [--report FILE]

Each seed draws a campus of its own from one population of hosts, with all
faults of the capture, and is studied. What an interval is to hold is

    own     what the same figure is over all seeds together: its expectation,
            whatever it is an estimate of
    true    the same of the truth of all campuses: what was sent, in the clear,
            by hosts as they are, seen or not
    here    what is true of the campus that was seen

With --weeks a campus is studied so many times: its ordinary hosts stay, who is
abused and what is sent is drawn anew. Then `own` and `true` are of that campus,
and what is tried is whether an interval speaks of its other weeks.

A figure that covers `own` and not `true` has the interval right and the number
wrong: it is biased. Of 200 seeds a share has a standard error of about .016 at
.95. The exit code is 1 when an interval that is promised misses by more than
TOLERANCE beyond chance, which is so of 30 hosts with every method there is
(DETECTION 4.3): no test for each day.
"""
import argparse
import collections
import concurrent.futures
import json
import math
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
import study_campus_test as kit

LEVEL = .95
TOLERANCE = .05
GROUPS = ("all", "registered", "unregistered", "outside")
POLICIES = ("P1", "P2", "P4", "free")
FIGURES = ("wrong", "right", "precise", "lost", "spared")


# ---- a seed ----

def first_of(row, i):
    return (row["outcomes"][i] or {}).get("first")


def truth_of_shares(folder, hosts):
    out = {}
    for x in kit.table(folder, "shares.csv"):
        if x["stage"] in ("clear", "watched"):
            out[x["group"], x["stage"], False] = (int(x["class_a"]),
                                                  int(x["messages"]))
            out[x["group"], x["stage"], True] = (int(x["bad_class_a"]),
                                                 int(x["bad"]))
    for group in ("registered", "unregistered"):
        sent = [h for h in hosts.values()
                if h["registered"] == group and int(h["clear"])]
        out[group, "hosts", False] = (
            sum(int(h["class_a_clear"]) > 0 for h in sent), len(sent))
    return out


def truth_of_policy(i, rows, hosts):
    """What it does to hosts by what they are; forgery's victims are innocent.
    """
    n = collections.Counter()
    for addr, h in hosts.items():
        if addr not in rows:
            continue
        label = {"victim": "legitimate"}.get(h["label"], h["label"])
        n[label] += 1
        if first_of(rows[addr], i):
            n["stopped"] += 1
            n[label, "stopped"] += 1
    caught = n["bot", "stopped"] + n["mixed", "stopped"]
    return {"wrong": (n["legitimate", "stopped"], n["legitimate"]),
            "right": (n["bot", "stopped"], n["bot"]),
            "precise": (caught, n["stopped"])}


def seconds(text):
    return kit.recount.Clock().ns(text) / 1e9


def times_of(s, i, rows, hosts, begin):
    """[time to stop, was it stopped] of those whose abuse began within."""
    out = []
    for addr, h in hosts.items():
        if h["label"] not in ("bot", "mixed") or addr not in rows or \
                not h["first_bad_seen"]:
            continue
        onset = seconds(h["first_bad_seen"])
        if onset < begin + 86400:
            continue
        stop = first_of(rows[addr], i)
        end = seconds(stop if stop else rows[addr]["last"])
        out.append((max(0, end - onset), stop is not None))
    return out


def one(args, number):
    seed, week = number
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        kit.make(args.campus, folder, "--drawn", "--seed", str(seed),
                 "--week", str(week), "--hosts", str(args.hosts), "--sites", "20",
                 "--scale", str(args.scale))
        s = kit.study(args.program, folder)
        hosts = {h["host"]: h for h in kit.table(folder, "hosts.csv")}
        shares = truth_of_shares(folder, hosts)
        begin = seconds(kit.window(folder)[0].replace("Z", "+0000"))
    rows = {h["addr"]: h for h in s["hosts"]}
    at = {p["name"]: i for i, p in enumerate(s["policies"])}
    silent = [h for h in hosts.values() if h["host"] not in rows and
              h["registered"] == "unregistered" and h["label"] != "bot"]
    return {
        "shares": [{k: x[k] for k in ("group", "spam", "raw", "weighted",
                                      "hosts", "bound_low", "bound_high")}
                   for x in s["shares"]],
        "share_truth": shares,
        "policies": {n: {f: s["policies"][at[n]][f] for f in
                         (*FIGURES, "seconds", "messages")}
                     for n in POLICIES},
        "policy_truth": {n: truth_of_policy(at[n], rows, hosts)
                         for n in POLICIES},
        "times": {n: times_of(s, at[n], rows, hosts, begin)
                  for n in POLICIES},
        "unseen": s["unseen"],
        "silent": len(silent),
        "confusion": collections.Counter(
            (hosts[a]["label"], r["class"]) for a, r in rows.items()),
    }


# ---- all of them ----

class Line:
    """One interval over all seeds."""

    def __init__(self, what, against, promised=True):
        self.what, self.against, self.promised = what, against, promised
        self.held = self.n = self.none = 0
        self.below = self.above = 0  # the interval is wholly so
        self.widths, self.values = [], []

    def add(self, low, high, value):
        if low is None or high is None or value is None or math.isnan(value):
            self.none += 1
            return
        low, high = float(low), float(high)
        self.n += 1
        self.values.append(value)
        self.held += low <= value <= high
        self.below += high < value
        self.above += low > value
        if math.isfinite(high - low):
            self.widths.append(high - low)

    def share(self):
        return self.held / self.n if self.n else math.nan

    def error(self):
        p = self.share()
        return math.sqrt(p * (1 - p) / self.n) if self.n else math.nan

    def misses(self):
        if not self.promised or self.n < 20:
            return False
        chance = 3 * math.sqrt(LEVEL * (1 - LEVEL) / self.n)
        return self.share() < LEVEL - TOLERANCE - chance

    def text(self):
        width = sorted(self.widths)[len(self.widths) // 2] \
            if self.widths else math.nan
        value = sum(self.values) / self.n if self.n else math.nan
        return (f"{self.what:44} {self.against:5} {value:9.4g} "
                f"{self.share():6.3f} {self.error():6.3f} {self.below:5} "
                f"{self.above:5} {width:9.3g} {self.n:5} {self.none:5}"
                f"{'  <- too few' if self.misses() else ''}")


HEADER = (f"{'interval':44} {'holds':5} {'value':>9} {'covers':>6} "
          f"{'error':>6} {'below':>5} {'above':>5} {'width':>9} {'given':>5} "
          f"{'none':>5}")


def ratio(pairs):
    pairs = list(pairs)
    n = sum(b for _, b in pairs)
    return sum(a for a, _ in pairs) / n if n else math.nan


class Book:
    """Lines by what they are about, in the order in which they came."""

    def __init__(self):
        self.lines = {}

    def add(self, what, against, values, intervals, promised=True):
        """values: one for each interval, or the same for all."""
        x = self.lines.setdefault((what, against),
                                  Line(what, against, promised))
        intervals = list(intervals)
        if isinstance(values, float):
            values = [values] * len(intervals)
        for (low, high), value in zip(intervals, values):
            x.add(low, high, value)


def share_lines(book, seeds):
    for i, x in enumerate(seeds[0]["shares"]):
        group, spam = x["group"], x["spam"]
        name = f"{group}, {'spam' if spam else 'all'}"
        true = [s["share_truth"][group, "clear", spam] for s in seeds]
        for kind in ("raw", "weighted"):
            figures = [s["shares"][i][kind] for s in seeds]
            ends = [(f["low"], f["high"]) for f in figures]
            what = f"class A of {name}, {kind}"
            book.add(what, "own", ratio((f["k"], f["n"]) for f in figures),
                     ends)
            book.add(what, "true", ratio(true), ends, not spam)
            book.add(what, "here", [ratio([t]) for t in true], ends, False)
        figures = [s["shares"][i]["hosts"] for s in seeds]
        ends = [(f["low"], f["high"]) for f in figures]
        what = f"hosts with class A, {name}"
        book.add(what, "own", ratio((f["k"], f["n"]) for f in figures), ends)
        if (group, "hosts", spam) in seeds[0]["share_truth"]:
            book.add(what, "true", ratio(s["share_truth"][group, "hosts", spam]
                                         for s in seeds), ends)
        if group in ("all", "outside"):
            continue
        book.add(f"class A of {name}, encrypted too", "here",
                 [ratio([s["share_truth"][group, "watched", spam]])
                  for s in seeds],
                 [(s["shares"][i]["bound_low"], s["shares"][i]["bound_high"])
                  for s in seeds], not spam)


def policy_lines(book, seeds):
    for name in POLICIES:
        for key in FIGURES:
            figures = [s["policies"][name][key] for s in seeds]
            ends = [(f["low"], f["high"]) for f in figures]
            unit = 1000 if key == "lost" else 1
            own = unit * ratio((f["k"], f["n"]) for f in figures)
            book.add(f"{name}: {key}", "own", own, ends)
            if key in seeds[0]["policy_truth"][name]:
                true = ratio(s["policy_truth"][name][key] for s in seeds)
                book.add(f"{name}: {key}", "true", true, ends, False)


def km_median(units):
    """Kaplan and Meier: where half are stopped; infinite if never."""
    left, free = len(units), 1
    by_time = collections.defaultdict(lambda: [0, 0])
    for time, stopped in units:
        by_time[time][0 if stopped else 1] += 1
    for time in sorted(by_time):
        events, gone = by_time[time]
        if left and events:
            free *= 1 - events / left
        left -= events + gone
        if free <= .5:
            return float(time)
    return math.inf


def time_lines(book, seeds):
    for name in POLICIES:
        true = km_median([u for s in seeds for u in s["times"][name]])
        book.add(f"{name}: median seconds to the stop", "true", true,
                 [(p["median_low"], p["median_high"]) for p in
                  (s["policies"][name]["seconds"] for s in seeds)], False)


def unseen_lines(book, seeds):
    """Those that were counted, and innocents that were silent."""
    known = [s for s in seeds if s["unseen"]["known"]]
    there = [float(s["unseen"]["seen"] + s["silent"]) for s in known]
    book.add("senders that there are: low end", "here", there,
             [(s["unseen"]["low"], math.inf) for s in known], False)
    book.add("senders that there are: the estimate", "here", there,
             [(s["unseen"]["there"], math.inf) for s in known], False)


def report(args, seeds, lines):
    many = f"{len(seeds)} campuses" if args.weeks == 1 else \
        f"{len(seeds) // args.weeks} campuses, each {args.weeks} times"
    out = [f"{many}, of {args.hosts} drawn hosts, 28 days, scale "
           f"{args.scale:g}, with faults; 95 % intervals.",
           "value: what is to be held, on the average; below, above: the "
           "interval is wholly so; width: median.", "", HEADER]
    out += [x.text() for x in lines]
    total = sum((s["confusion"] for s in seeds), collections.Counter())
    out += ["", "what hosts are, and what they are held for"]
    out += [f"  {label:11} {held:11} {n:6}"
            for (label, held), n in sorted(total.items())]
    n = len(seeds)
    out += ["", f"senders not registered, not held for bots: "
            f"{sum(s['unseen']['seen'] for s in seeds) / n:.1f} seen, "
            f"{sum(s['silent'] for s in seeds) / n:.1f} more were there, "
            f"{sum(s['unseen']['there'] for s in seeds) / n:.1f} estimated"]
    return "\n".join(out) + "\n"


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("program")
    p.add_argument("campus")
    p.add_argument("--seeds", type=int, default=200)
    p.add_argument("--first-seed", type=int, default=1)
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--hosts", type=int, default=60)
    p.add_argument("--scale", type=float, default=.03)
    p.add_argument("--weeks", type=int, default=1,
                   help="of each campus so many times")
    p.add_argument("--report", type=pathlib.Path)
    args = p.parse_args()
    numbers = [(args.first_seed + n // args.weeks, n % args.weeks)
               for n in range(args.seeds)]
    with concurrent.futures.ProcessPoolExecutor(args.jobs) as pool:
        seeds = list(pool.map(one, [args] * args.seeds, numbers))
    book = Book()
    size = args.weeks if args.weeks > 1 else args.seeds
    for group in (seeds[i:i + size] for i in range(0, args.seeds, size)):
        for lines in (share_lines, policy_lines, time_lines, unseen_lines):
            lines(book, group)
    lines = list(book.lines.values())
    text = report(args, seeds, lines)
    print(text, end="")
    if args.report:
        args.report.write_text(text)
    return any(x.misses() for x in lines)


if __name__ == "__main__":
    sys.exit(main())
