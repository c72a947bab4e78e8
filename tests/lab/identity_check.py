#!/usr/bin/env python3
"""identity_check.py PROGRAM LABDIR - what tests/lab/identity made, as span25 sees it

The office's commands are run as they stand in the truth, the capture is read with
the state they leave, and every event, pool, lease, site and requirement is held
against the truth. A requirement that the truth does not name may have any answer
but `observed` when it is a violation. Prints each difference; the last line counts.
"""

import collections
import json
import pathlib
import shlex
import subprocess
import sys
import tempfile

VIOLATIONS = {"name_differs", "open_relay", "auth_in_clear", "no_starttls", "mail_without_auth",
              "volume_over_declared"}
SIDES = {"send": ("src", "src_reg", "src_host"), "receive": ("dest", "dest_reg", "dest_host")}


class Tally:
    def __init__(self):
        self.good = self.bad = 0

    def hold(self, good, what):
        self.good += bool(good)
        self.bad += not good
        if not good:
            print(f"FAILED {what}")


def run(program, lab, *words):
    done = subprocess.run([program, *map(str, words)], cwd=lab, capture_output=True, text=True,
                          timeout=120, check=False)
    if done.returncode not in (0, 4):
        sys.exit(f"{words}: exit {done.returncode}: {done.stderr}")
    return done.stdout


def do_office(program, lab, state, truth):
    for at, words in truth["office"]:
        run(program, lab, "registry", *shlex.split(words), "--state", state, "--at", at, "--actor", "office")


def read(program, lab, state):
    events = state.parent / "events.jsonl"
    report = state.parent / "report.json"
    run(program, lab, "read", "-c", "span25.yaml", "--state", state, "--events", events, "-o", report, "lab.pcap")
    return ([json.loads(line) for line in events.read_text().splitlines()],
            json.loads(report.read_text()))


def is_of(event, row, middle):
    side = SIDES[row["role"]][0]
    late = event["timestamp"].replace("+0000", "Z") >= middle
    return (event.get(f"{side}_ip") == row["host"] and event.get("dest_port") == row["port"]
            and row["phase"] in (0, 1 + late))


def compare_states(tally, events, truth):
    mails = [e for e in events if e["event_type"] in ("smtp", "smtp_session")]
    claimed = set()
    for row in truth["states"]:
        found = [e for e in mails if is_of(e, row, truth["middle"])]
        tally.hold(found, f"{row['name']} {row['role']} {row['port']}: no event")
        for event in found:
            claimed.add((event["event_id"], row["role"]))
            reg = event.get(SIDES[row["role"]][1], {})
            got = {key: reg.get(key) for key in ("state", "line_state", "fit")}
            want = {key: row[key] for key in got}
            tally.hold(got == want, f"{row['name']} {row['role']} {row['port']} phase {row['phase']}: {got}, not {want}")
            if row["fit"] is None:  # a finding of the other side's is none of this one's
                got = sorted(event.get("policy", {}).get("findings", []))
                tally.hold(got == row["findings"], f"{row['name']}: findings {got}, not {row['findings']}")
            else:
                tally.hold(set(row["findings"]) <= set(event.get("policy", {}).get("findings", [])),
                           f"{row['name']}: {event.get('policy')} lacks {row['findings']}")
    hosts = {row["host"] for row in truth["states"]}
    for event in mails:  # nothing about a host of ours that the truth does not say
        for role, (side, _, _) in SIDES.items():
            if event[f"{side}_ip"] in hosts:
                tally.hold((event["event_id"], role) in claimed,
                           f"no truth for {event[f'{side}_ip']} {role} {event['dest_port']}")


def compare_places(tally, events, truth):
    leases = collections.defaultdict(set)
    for event in events:
        if event["event_type"] in ("host", "alert", "decision"):
            continue  # told later than what they are about
        for side, _, host in SIDES.values():
            address, said = event.get(f"{side}_ip"), event.get(host, {})
            if address in truth["pools"]:
                tally.hold(said.get("pool") == truth["pools"][address], f"{address}: pool {said.get('pool')}")
            if address in truth["sites"]:
                tally.hold(said.get("site") == truth["sites"][address], f"{address}: site {said.get('site')}")
            if address in truth["leases"]:
                late = event["timestamp"].replace("+0000", "Z") >= truth["middle"]
                leases[address].add((late, said.get("lease")))
    for address, n in truth["leases"].items():
        tally.hold(len(leases[address]) == n and None not in {lease for _, lease in leases[address]},
                   f"{address}: leases {leases[address]}")
    for event in events:  # statistics are of one lease, whatever is in force when they are told
        if event["event_type"] == "host" and event["src_ip"] in truth["leases"]:
            said = event.get("src_host", {}).get("lease")
            tally.hold(said in {lease for _, lease in leases[event["src_ip"]]},
                       f"{event['src_ip']}: statistics of lease {said}")


def compare_requirements(tally, report, truth):
    told = collections.defaultdict(dict)
    for one in report["requirements"]:
        told[one["address"]][one["requirement"]] = one["answer"].replace("_", " ")
    for host, wanted in truth["requirements"].items():
        for name, answer in wanted.items():
            got = told.get(host, {}).get(name, "not observable")
            tally.hold(got == answer, f"{host} {name}: {got}, not {answer}")
    for host, answers in told.items():
        for name in VIOLATIONS:
            if name not in truth["requirements"].get(host, {}):
                tally.hold(answers.get(name) != "observed", f"{host} {name}: falsely observed")


def main():
    program, lab = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    truth = json.loads((lab / "truth.json").read_text())
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        state = pathlib.Path(folder) / "state"
        do_office(program, lab, state, truth)
        events, report = read(program, lab, state)
        rows = json.loads(run(program, lab, "registry", "list", "--state", state, "--json"))["rows"]
    for row in rows:
        tally.hold((row["first_mail"] is not None) == (row["form"] in truth["seen"]),
                   f"first mail of {row['form']} line {row['line']}: {row['first_mail']}")
    compare_states(tally, events, truth)
    compare_places(tally, events, truth)
    compare_requirements(tally, report, truth)
    print(f"{tally.good} passed, {tally.bad} failed, 0 skipped")
    sys.exit(tally.bad > 0)


if __name__ == "__main__":
    main()
