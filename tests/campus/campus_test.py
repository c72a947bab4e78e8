#!/usr/bin/env python3
"""The made campus for itself: what it promises, without a study.

    campus_test.py CAMPUS SCHEMA

Same options, same bytes; every event in order of time and as the schema says;
truth and events add up; each capture fault shows where it is said to be.
"""
import collections
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

CAMPUS, SCHEMA = sys.argv[1:3]
DAYS = 8
SMALL = ["--hosts", "160", "--sites", "30", "--scale", "0.003", "--days",
         str(DAYS)]
SAMPLE = 200  # each so many events is looked at by the schema


def check(good, why):
    if not good:
        raise AssertionError(why)


def make(folder, *options):
    folder = pathlib.Path(folder)
    folder.mkdir()
    subprocess.run([CAMPUS, *options, "--events", folder / "events.jsonl",
                    "--truth", folder], check=True)
    return folder


def table(folder, name):
    with open(folder / name, newline="") as f:
        return list(csv.DictReader(f))


def events(folder):
    with open(folder / "events.jsonl", "rb") as f:
        return [json.loads(line) for line in f]


def same_bytes(top):
    drawn = ["--drawn", "--hosts", "20", "--scale", "0.01", "--days", "3"]
    one, two = (make(top / n, *drawn, "--seed", "9") for n in ("a", "b"))
    other = make(top / "c", *drawn, "--seed", "10")
    for file in sorted(one.iterdir()):
        check(file.read_bytes() == (two / file.name).read_bytes(),
              f"{file.name} differs between two runs of a seed")
    check((one / "events.jsonl").read_bytes() !=
          (other / "events.jsonl").read_bytes(), "two seeds, one campus")


def as_the_schema_says(found):
    import jsonschema
    with open(SCHEMA) as f:
        judge = jsonschema.Draft202012Validator(json.load(f))
    shown = set()
    for n, event in enumerate(found):
        kind = (event["event_type"], tuple(sorted(event)))
        if kind in shown and n % SAMPLE:
            continue
        shown.add(kind)
        for error in judge.iter_errors(event):
            raise AssertionError(f"event {n}: {error.message}")


def in_order(found, window):
    last = ""
    for event in found:
        check(event["timestamp"] >= last, f"{event['timestamp']} after {last}")
        last = event["timestamp"]
    check(found[0]["timestamp"] >= window["from"] and last < window["to"],
          "events outside of the window")
    ids = {event["event_id"] for event in found}
    check(len(ids) == len(found), "an event_id twice")


def is_outward(event):
    return event.get("direction") == "outbound" and event["dest_port"] == 25


def adds_up(found, hosts, shares):
    seen, a, complete = (collections.Counter() for _ in range(3))
    files = {(e["flow_id"], e["tx_id"]) for e in found
             if e["event_type"] == "fileinfo" and e["fileinfo"]["class"] == "A"}
    groups = collections.Counter()
    for e in found:
        if e["event_type"] != "smtp" or "via" not in e["smtp"] or \
                e["dest_port"] != 25:
            continue
        q = e["quality"]
        whole = not q["truncated"] and not q["oneway"]
        group = e["src_reg"]["state"] if is_outward(e) else "outside"
        groups[group, "seen"] += 1
        groups[group, "complete"] += whole
        check(q["truncated"] == ("cut" in e["smtp"]), "cut without a gap")
        if is_outward(e):
            seen[e["src_ip"]] += 1
            complete[e["src_ip"]] += whole
            a[e["src_ip"]] += whole and (e["flow_id"], e["tx_id"]) in files
    for h in hosts:
        if h["label"] == "victim":
            continue
        at = h["host"]
        got = (seen[at], complete[at], a[at])
        want = tuple(int(h[n]) for n in ("seen", "complete",
                                         "class_a_complete"))
        check(got == want, f"{at} ({h['kind']}): {got} in events, not {want}")
        check(int(h["seen"]) <= int(h["clear"]) <= int(h["messages"]) <=
              int(h["transactions"]), f"{at}: more seen than sent")
    forged = sum(int(h["forged"]) > 0 for h in hosts)
    check(forged > 5, "no forgery")
    for row in shares:
        n = groups[row["group"], row["stage"]]
        if row["stage"] in ("seen", "complete") and \
                row["group"] in ("registered", "outside"):
            check(n == int(row["messages"]), f"{row}: {n} in events")


def placed(found, hosts):
    by = {h["host"]: h for h in hosts}
    for e in found:
        if not is_outward(e):
            continue
        h = by[e["src_ip"]]
        check(e["src_reg"]["state"] == h["registered"] and
              e["src_host"]["site"] == h["site"], f"{e['src_ip']} misplaced")
    labels = collections.Counter((h["registered"], h["label"]) for h in hosts)
    check(all(labels["unregistered", x] > 0 for x in
              ("bot", "mixed", "legitimate", "victim")) and
          labels["registered", "legitimate"] > 10, f"a cast of {labels}")
    check(any(h["pool"] == "nat" for h in hosts), "no NAT")
    unseen = sum(h["sessions"] == "0" for h in hosts)
    check(unseen > 0, "everybody was seen: nothing for Chao to find")


def faults_show(found, faults):
    at = {f["fault"]: (f["from"], f["to"]) for f in faults}
    check(set(at) == {"gap", "loss", "worse", "oneway"}, f"faults {at}")

    def within(e, fault):
        return at[fault][0] <= e["timestamp"] < at[fault][1]

    for e in found:
        check(not at["gap"][0] < e["timestamp"] < at["gap"][1],
              f"{e['timestamp']}: seen in the gap")
        if e["event_type"] == "smtp":
            check(not e["quality"]["truncated"] or within(e, "loss"),
                  f"{e['timestamp']}: lost without a fault")
    gaps = [e["control"] for e in found if e["event_type"] == "control" and
            e["control"]["kind"] == "gap"]
    check([(g["time"], g["until"]) for g in gaps] == [at["gap"]], f"{gaps}")
    sight = [e for e in found if e["event_type"] == "stats"]
    check(len(sight) == DAYS * 24 * 12 - 5 * 12, f"{len(sight)} looks")
    for fault, low, high in (("loss", .02, .06), ("worse", .05, .16)):
        looks = [e["stats"]["sight"] for e in sight if within(e, fault)]
        seen = sum(x["bytes_seen"] for x in looks)
        unseen = sum(x["bytes_unseen"] for x in looks)
        check(low < unseen / (seen + unseen) < high,
              f"{fault}: {unseen} of {seen + unseen} bytes unseen")
    deaf = [e for e in found if e["event_type"] == "smtp_session" and
            e.get("vlan") == [101] and within(e, "oneway") and "flow" in e]
    check(deaf and all(e["quality"]["oneway"] for e in deaf),
          "the VLAN was heard both ways")


def main():
    with tempfile.TemporaryDirectory() as name:
        top = pathlib.Path(name)
        same_bytes(top)
        folder = make(top / "campus", *SMALL)
        found = events(folder)
        hosts = table(folder, "hosts.csv")
        in_order(found, table(folder, "window.csv")[0])
        as_the_schema_says(found)
        placed(found, hosts)
        adds_up(found, hosts, table(folder, "shares.csv"))
        faults_show(found, table(folder, "faults.csv"))
    print(f"{len(found)} events of {len(hosts)} hosts")


main()
