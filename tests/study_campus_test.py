#!/usr/bin/env python3
"""Every figure of a study of the made campus, against what is true of it.

    study_campus_test.py PROGRAM CAMPUS [--full]

CAMPUS is build/*/tests/campus/campus. Counts are exact: they are those of
tests/campus/recount.py, which counts again from the lines, and what policies
P1, P2 and P5 stop is what its models stop, host by host. What the program
holds hosts for is compared with what they are.

--full: of the campus of scale 1, which takes some minutes. Intervals are tried
by study_campus_cover.py, over many campuses.
"""
import collections
import csv
import json
import math
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE / "campus"), str(HERE / "support")]
import recount
from program import Run, check

# With a gap, a lossy day, and two days behind the time of grace.
QUICK = ["--hosts", "130", "--sites", "30", "--scale", "0.003", "--days", "16"]
GRACE, PER_HOUR, PER_DAY = 14, 20, 100  # as the shipped policies have them
ANSWER = .9
WEIGHT_MOST = 10
# Misses that are known (tests/evaluate/README.md): a deaf victim, and one in
# whose /64 a bot was met first. Until a router is known, which takes two hours,
# simulating does not ask for one (rules/decide/decide.h); enforcing would.
KNOWN = {"all copied, the victim is deaf", "one bot among 100 in a /64"}
ROUTER_KNOWN = 3 * 3600 * 10**9
SHIPPED = [f"P{i}" for i in range(7)]
# What is in force at once is a share of the hosts: of few hosts one. A campus
# has more bots than any network of its size, so caps would be what is measured.
FREE = """policies:
  - name: free
    title: What the detector finds is stopped, without caps
    kind: detector
    block: {active_permille: 1000, site_percent: 100, per_net: 65536,
            per_minute: 100000}
"""


def table(folder, name):
    with open(folder / name, newline="") as f:
        return list(csv.DictReader(f))


def make(campus, folder, *options):
    subprocess.run([campus, *options, "--events", folder / "events.jsonl",
                    "--truth", folder], check=True)


def window(folder):
    w = table(folder, "window.csv")[0]
    return w["from"].replace("+0000", "Z"), w["to"].replace("+0000", "Z")


def study(program, folder, *more):
    """The study of a made campus, as study.json has it."""
    out = folder / "study.json"
    begin, end = window(folder)
    free = folder / "free.yaml"
    free.write_text(FREE)
    policies = [x for p in (*SHIPPED, free) for x in ("--policy", p)]
    Run(program, "study", "run", "--config", folder / "span25.yaml",
        "--registry", folder / "registry.csv", "--from", begin, "--to", end,
        *policies, folder / "events.jsonl", "-o", out, *more).expect(0)
    with open(out) as f:
        return json.load(f)


def near(a, b, why, error=1e-9):
    same = a is None and (b is None or math.isnan(b)) or \
        None not in (a, b) and math.isclose(a, b, rel_tol=error, abs_tol=error)
    check(same, f"{why}: {a}, not {b}")


def equal(got, want, why):
    check(got == want, f"{why}: {got}, not {want}")


# ---- counts ----

def check_sight(s, r):
    framed, whole = r.whole_by_size()
    sums = sum(r.hours, collections.Counter())
    for key in ("sessions", "sessions_tls", "sessions_oneway"):
        equal(s["sight"][key], sums[key], key)
    equal(s["sight"]["events"], r.events, "events")
    near(s["sight"]["loss"], sums["unseen"] / (sums["seen"] + sums["unseen"]),
         "loss")
    equal(s["sight"]["hours_refused"], sums["refused"], "hours refused")
    check(sums["refused"] > 0, "no hour is bad enough to be refused")
    equal(s["sight"]["messages_refused"],
          sum(m.framed and r.is_refused(m) for messages in r.group("all")
              for m in messages), "messages of those hours")
    equal(s["sight"]["q_n"], framed, "messages by size")
    for got, n, k in zip(s["sight"]["q"], framed, whole):
        near(got, k / n if n else None, "seen whole, by size")
    for key, at in (("estimated_least", 1), ("estimated_most", 2)):
        equal(s["sight"][key], sum(t[at] for h in r.hosts.values()
                                   for t in h.tls), key)


def check_hours(s, r):
    week = [0] * 168
    equal(len(s["sight"]["hours"]), len(r.hours), "hours")
    for i, (got, want) in enumerate(zip(s["sight"]["hours"], r.hours)):
        for key in ("seen", "unseen", "sessions", "sessions_tls",
                    "sessions_oneway"):
            equal(got[key], want[key], f"hour {i}, {key}")
        for key in ("registered", "unregistered", "outside"):
            equal(got["messages"][key], want[key], f"hour {i}, {key}")
        equal(got["messages"]["all"], want["registered"] +
              want["unregistered"] + want["outside"], f"hour {i}, all")
        equal(got["refused"], bool(want["refused"]), f"hour {i}, refused")
        near(got["covered_s"], want["covered_ns"] / 1e9, f"hour {i}, covered",
             .6)
        week[i % 168] += want["covered_ns"] >= .9 * 3600e9  # from a Monday
    equal(s["sight"]["week"], week, "hours of the week")
    check(sum(h["covered_s"] == 0 for h in s["sight"]["hours"]) == 5, "the gap")


def check_days(s, r):
    equal(len(s["sight"]["days"]), len(r.days), "days")
    for i, (got, want) in enumerate(zip(s["sight"]["days"], r.days)):
        for key in ("messages", "recipients", "class_a", "senders_new",
                    "attempts"):
            equal(got[key], want[key], f"day {i}, {key}")
        equal(got["senders"], len(r.senders[i]), f"day {i}, senders")


def time_text(when):
    import datetime
    base = datetime.datetime(1970, 1, 1)
    t = base + datetime.timedelta(microseconds=when // 1000)
    return t.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def check_hosts(s, r, truth):
    rows = {h["addr"]: h for h in s["hosts"]}
    equal(set(rows), set(r.hosts), "hosts")
    for addr, got in rows.items():
        want, m = r.hosts[addr], r.hosts[addr].messages
        said = {
            "registered": want.registered, "messages": len(m),
            "delivered": sum(x.delivered for x in m),
            "recipients": sum(x.recipients for x in m),
            "recipients_refused": sum(x.refused for x in m),
            "class_a": sum(x.class_a for x in m),
            "sessions": want.sessions, "sessions_tls": want.sessions_tls,
            "peak": max(want.ends.values(), default=0),
            "days": len(want.days), "first": time_text(want.first),
            "last": time_text(want.last), "site": truth[addr]["site"],
        }
        for key, value in said.items():
            equal(got[key], value, f"{addr}, {key}")
        check(got["bad"] <= got["messages"], f"{addr}: more bad than all")
    return rows


def check_cells(s, rows, r):
    want = collections.defaultdict(collections.Counter)
    for addr, h in rows.items():
        cell = want[h["class"], h["registered"]]
        cell["hosts"] += 1
        for key in ("messages", "delivered", "recipients", "sessions",
                    "sessions_tls"):
            cell[key] += h[key]
        cell["bytes"] += sum(m.bytes for m in r.hosts[addr].messages)
        for key, at in (("tls_least", 1), ("tls_most", 2)):
            cell[key] += sum(t[at] for t in r.hosts[addr].tls)
    for name, cell in s["cells"].items():
        for word, registered in (("registered", True), ("unregistered", False)):
            for key, value in cell[word].items():
                equal(value, want[name, registered][key],
                      f"{name}, {word}, {key}")


def check_sites(s, rows, truth):
    want = collections.defaultdict(collections.Counter)
    for addr, h in rows.items():
        site = want[truth[addr]["site"]]
        site["hosts"] += 1
        site["registered"] += h["registered"]
        site["legitimate"] += not h["registered"] and \
            h["class"] in ("legitimate", "unknown")
    equal([x["code"] for x in s["sites"]], sorted(want), "sites")
    for x in s["sites"]:
        for key in ("hosts", "registered", "legitimate"):
            equal(x[key], want[x["code"]][key], f"site {x['code']}, {key}")
        known = int(x["code"][1:]) % 7 != 0
        equal(x["contact"] is not None, known, f"contact of {x['code']}")


# ---- shares ----

def weights_of(r):
    q, out = 1, []
    for n, k in zip(*r.whole_by_size()):
        q = k / n if k else q
        out.append(min(1 / q, WEIGHT_MOST))
    return out


def check_shares(s, r, truth):
    weights = weights_of(r)
    for x in s["shares"]:
        if x["spam"]:
            check(x["raw"]["n"] <= sum(h["bad"] for h in s["hosts"]) or
                  x["group"] in ("all", "outside"), "more spam than bad mail")
            continue
        k, n, with_one, with_any = r.share(x["group"])
        name = f"share of {x['group']}"
        equal((x["raw"]["k"], x["raw"]["n"]), (k, n), name)
        equal((x["hosts"]["k"], x["hosts"]["n"]), (with_one, with_any),
              f"{name}, hosts")
        near(x["raw"]["value"], k / n, name)
        whole = [m for messages in r.group(x["group"]) for m in messages
                 if m.whole and not r.is_refused(m)]
        near(x["weighted"]["n"], sum(weights[m.size] for m in whole), name,
             1e-6)
        near(x["weighted"]["k"], sum(weights[m.size] for m in whole
                                     if m.class_a), name, 1e-6)
        sent = truth[x["group"], "sent"]
        real = int(sent["class_a"]) / int(sent["messages"])
        if x["bound_low"] is not None:
            check(x["bound_low"] <= real <= x["bound_high"],
                  f"{name} of all mail: {real} is not in "
                  f"{x['bound_low']}..{x['bound_high']}")
    check({x["group"] for x in s["shares"]} ==
          {"all", "registered", "unregistered", "outside"}, "groups of shares")


def check_unseen(s, rows, r):
    days = [len(r.hosts[a].days) for a, h in rows.items()
            if not h["registered"] and h["class"] != "bot"]
    want = recount.unseen(days, len(r.days))
    for key, value in want.items():
        near(s["unseen"][key], value, f"not seen: {key}")


# ---- policies ----

def stopped_of(row, policy):
    o = row["outcomes"][policy] or {}
    return {
        "messages": sum(o.get("stopped", {}).values()),
        "delivered": sum(o.get("delivered", {}).values()),
        "recipients": sum(o.get("rcpt", {}).values()),
        "tls_least": o.get("tls_least", 0), "tls_most": o.get("tls_most", 0),
        "first": o.get("first"),
    }


def model(m):
    return {"messages": m.messages, "delivered": m.delivered,
            "recipients": m.recipients, "tls_least": m.tls_least,
            "tls_most": m.tls_most,
            "first": time_text(m.first) if m.first is not None else None}


def check_stops(s, rows, r):
    """P1, P2 and P5: what was stopped, host by host."""
    at = {p["name"]: i for i, p in enumerate(s["policies"])}
    since = r.begin + GRACE * recount.DAY
    models = {"P1": recount.all_unregistered(r),
              "P2": recount.rate_limited(r, PER_HOUR, PER_DAY),
              "P5": recount.all_unregistered(r, since)}
    answered = asked = 0
    for addr, row in rows.items():
        equal(stopped_of(row, at["P0"])["first"], None, f"{addr}, P0")
        for name, hosts in models.items():
            got, want = stopped_of(row, at[name]), model(hosts[addr])
            if name == "P5" and want["first"] is not None and \
                    row["class"] in ("legitimate", "unknown") and \
                    r.hosts[addr].first < since:
                asked += 1
                if got["first"] is None:  # its owner registered in time
                    answered += 1
                    continue
            equal(got, want, f"{addr} ({row['class']}), {name}")
    error = 5 * math.sqrt(ANSWER * (1 - ANSWER) / max(asked, 1))
    check(abs(answered / max(asked, 1) - ANSWER) < error,
          f"{answered} of {asked} answered")
    for name in models:
        check(any(stopped_of(h, at[name])["messages"] for h in rows.values()),
              f"{name} stops nobody")


def check_policy(s, rows, i, p):
    """Sums of a policy are those of its hosts."""
    stopped = collections.Counter()
    of = collections.Counter(h["class"] for h in rows.values())
    total, days = collections.Counter(), collections.Counter()
    for h in rows.values():
        o = h["outcomes"][i] or {}
        for key in ("after", "after_rcpt", "before", "before_rcpt",
                    "lost_least", "lost_most", "delayed_least",
                    "delayed_most", "tls_least", "tls_most", "blocks"):
            total[key] += o.get(key, 0)
        for key in ("stopped", "delivered", "rcpt"):
            for word, n in o.get(key, {}).items():
                total[key, word] += n
        check(o.get("lost_least", 0) <= o.get("lost_most", 0) and
              o.get("delayed_least", 0) <= o.get("delayed_most", 0),
              f"{h['addr']}: least above most")
        check(o.get("blocked_h", 0) >= 0, f"{h['addr']}: stopped for less "
                                          f"than no time by {p['name']}")
        if o.get("first"):
            stopped[h["class"]] += 1
            days[o["first"][:10]] += 1
            stopped["registered"] += h["registered"]
    for word, n in of.items():
        equal((p["hosts"][word], p["hosts_of"][word]), (stopped[word], n),
              f"{p['name']}, {word}")
    equal(p["registered"], stopped["registered"], f"{p['name']}, registered")
    for key, value in p["total"].items():
        if isinstance(value, dict):
            for word, n in value.items():
                equal(n, total[key, word], f"{p['name']}, {key} {word}")
        elif key in total:
            equal(value, total[key], f"{p['name']}, {key}")
    equal(p["by_day"], [days[d["begin"][:10]] for d in s["sight"]["days"]],
          f"{p['name']}, by day")
    caught = stopped["bot"] + stopped["mixed"]
    everybody = sum(stopped[c] for c in of)
    for key, k, n in (("wrong", stopped["legitimate"], of["legitimate"]),
                      ("right", stopped["bot"], of["bot"]),
                      ("precise", caught, everybody),
                      ("lost", total["lost_most"], len(rows) * len(s["sight"]["days"])),
                      ("spared", total["rcpt", "malicious"],
                       total["before_rcpt"] + total["after_rcpt"])):
        equal((p[key]["k"], p[key]["n"]), (k, n), f"{p['name']}, {key}")
    abusers = of["bot"] + of["mixed"]
    for times in (p["seconds"], p["messages"]):
        equal(times["hosts"] + times["truncated"], abusers,
              f"{p['name']}, hosts that are timed")


def check_detector(s, rows, truth, begin):
    """P4 and P6: nobody who must not be is stopped."""
    for i, p in enumerate(s["policies"]):
        if p["kind"] != "detector":
            continue
        wrong = []
        for a, h in rows.items():
            first = (h["outcomes"][i] or {}).get("first")
            if first and (h["registered"] or truth[a]["label"] in
                          ("legitimate", "victim")) and \
                    truth[a]["kind"] not in KNOWN and \
                    recount.Clock().ns(first) > begin + ROUTER_KNOWN:
                wrong.append(f"{a} ({truth[a]['kind']}) {first}")
        equal(wrong, [], f"{p['name']} stops who must not be")
        bots = [a for a in rows if truth[a]["label"] == "bot"]
        caught = sum((rows[a]["outcomes"][i] or {}).get("first") is not None
                     for a in bots)
        print(f"  {p['name']} stops {caught} of {len(bots)} bots")
        check(p["name"] != "free" or caught * 2 >= len(bots), "too few of them")


# ---- what hosts are held for ----

def confusion(rows, truth):
    seen = collections.Counter((truth[a]["label"], h["class"])
                               for a, h in rows.items())
    for (label, held), n in sorted(seen.items()):
        print(f"  {label:11} held for {held:11} {n:4}")
    bots = sum(n for (label, _), n in seen.items() if label == "bot")
    found = seen["bot", "bot"] + seen["bot", "mixed"]
    check(found * 2 > bots, f"{found} of {bots} bots are held for abusers")
    innocent = sum(n for (label, _), n in seen.items() if label == "legitimate")
    accused = seen["legitimate", "bot"]
    check(accused * 20 <= innocent, f"{accused} of {innocent} innocents "
                                    "are held for bots")


def try_all(program, campus, *options):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        make(campus, folder, *options)
        s = study(program, folder)
        clock = recount.Clock()
        with open(folder / "events.jsonl", "rb") as f:
            r = recount.Recount(f, *map(clock.ns, window(folder)))
        truth = {h["host"]: h for h in table(folder, "hosts.csv")}
        shares = {(x["group"], x["stage"]): x
                  for x in table(folder, "shares.csv")}
        check_sight(s, r)
        check_hours(s, r)
        check_days(s, r)
        rows = check_hosts(s, r, truth)
        check_cells(s, rows, r)
        check_sites(s, rows, truth)
        check_shares(s, r, shares)
        check_unseen(s, rows, r)
        check_stops(s, rows, r)
        for i, p in enumerate(s["policies"]):
            check_policy(s, rows, i, p)
        check_detector(s, rows, truth, r.begin)
        confusion(rows, truth)
        print(f"{r.events} events of {len(rows)} hosts")


if __name__ == "__main__":
    try_all(*sys.argv[1:3], *([] if "--full" in sys.argv else QUICK))
