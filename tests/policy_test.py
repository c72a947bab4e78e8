#!/usr/bin/env python3
"""Whether anything is stopped: the policy's verbs, where no sensor runs.

    policy_test.py PROGRAM JOURNAL_MAKE

States with made decisions, of captures and of a live sensor. What `policy mode`
says must be what becomes of them: what is in force ends, nothing that was only
simulated becomes a block, and of captures nothing is ever enforced.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
NOW, LATE = "2026-11-22T16:00:00Z", "2026-11-22T18:00:00.000000+0000"
WHY = ["--reason", "ticket 5513"]
PROGRAM = MAKE = TEMP = None


def run(*args, code=0, stdin=None):
    done = subprocess.run([*map(str, args)], input=stdin, check=False, text=True,
                          capture_output=True, timeout=120,
                          env={**os.environ, "TZ": "UTC"})
    assert done.returncode == code, (args, done)
    return done


def desk(state, *words, code=0, at=NOW):
    return run(PROGRAM, *words[:2], "--state", state, "--utc", "--at", at,
               *words[2:], code=code)


def decided(n, subject, action, mode, *against, until=LATE):
    return {"timestamp": f"2026-11-22T15:{n:02}:00.000000+0000", "flow_id": 0,
            "flow_seq": n, "event_type": "decision", "event_id": f"{n:016x}",
            "decision": {"id": f"{n:x}" * 16, "action": action, "mode": mode,
                         "subject": subject, "origin": "detector",
                         "reason": "s1 at block level", "collateral": 14,
                         "against": list(against), "until": until}}


def new_state(kind, *events):
    state = pathlib.Path(tempfile.mkdtemp(dir=TEMP)) / "state"
    run(MAKE, state, stdin="".join(json.dumps(e) + "\n" for e in events))
    (state / "state").write_text(f"span25 state 1\nkind: {kind}\n")
    return state


def journal(state):
    return [json.loads(line) for path in sorted((state / "journal").iterdir())
            if path.suffix == ".jsonl" for line in path.read_bytes().splitlines()]


def decisions(state, since=0):
    return [(d["action"], d["subject"], d["mode"], *d.get("against", []))
            for e in journal(state)[since:] if e["event_type"] == "decision"
            for d in [e["decision"]]]


def shown(state, at=NOW):
    rows = json.loads(desk(state, "policy", "show", "--json", at=at).stdout)
    return {row["what"]: row for row in rows["rows"]}


def stands(state, at=NOW):
    rows = json.loads(desk(state, "blocks", "list", "--json", at=at).stdout)
    return {row["subject"]: (row["state"], row["mode"]) for row in rows["rows"]}


A, B, C = "10.20.4.30/32", "10.20.4.31/32", "10.20.4.32/32"
MADE = [decided(1, A, "block", "enforce"), decided(2, B, "block", "simulate"),
        decided(3, C, "hold", "enforce", "queueing")]


def captures_enforce_nothing():
    state = new_state("read", *MADE)
    assert shown(state)["mode"]["state"] == "simulate"
    done = desk(state, "policy", "mode", "enforce", *WHY, code=5)
    assert "state of captures" in done.stderr, done
    desk(state, "blocks", "add", "10.20.4.40", "--for", "1h", *WHY)
    assert stands(state)["10.20.4.40/32"] == ("in force", "simulate")
    desk(state, "policy", "mode", "off", *WHY)
    assert not stands(state) and shown(state)["mode"]["state"] == "off"


def a_reading_enforces_nothing():
    config = TEMP / "enforce.yaml"
    config.write_text("block:\n  mode: enforce\n")
    out = TEMP / "events"
    run(PROGRAM, "read", "-q", "-c", config, "--events", out, "--home",
        "10.20.0.0/16", HERE / "fixtures" / "bot.pcap.gz")
    made = [json.loads(line) for line in out.read_text().splitlines()]
    modes = {e["decision"]["mode"] for e in made
             if e["event_type"] == "decision"}
    assert modes == {"simulate"}, modes
    config.write_text("block:\n  mode: 'off'\n")
    run(PROGRAM, "read", "-q", "-c", config, "--events", out, "--home",
        "10.20.0.0/16", HERE / "fixtures" / "bot.pcap.gz")
    assert '"decision"' not in out.read_text()


def off_ends_everything():
    state = new_state("live", *MADE)
    desk(state, "policy", "mode", "enforce", *WHY, at="2026-11-22T15:30:00Z")
    # What was only simulated does not become a block by itself.
    assert decisions(state, 3) == [("lift", B, "simulate", "mode")]
    assert stands(state) == {A: ("in force", "enforce"), C: ("asked", "enforce")}
    before = len(journal(state))
    desk(state, "policy", "mode", "off", *WHY, "--dry-run")
    assert len(journal(state)) == before
    desk(state, "policy", "mode", "off", *WHY)
    # As what it was told: who put it on a list must take it off.
    assert decisions(state, before) == [("lift", A, "enforce", "mode"),
                                        ("lift", C, "enforce", "mode")]
    row = shown(state)["mode"]
    assert row["state"] == "off" and row["reason"] == "ticket 5513", row
    assert shown(state, at="2026-11-22T15:45:00Z")["mode"]["state"] == "enforce"
    # Off is before all that people say.
    desk(state, "blocks", "add", "10.20.4.40", "--for", "1h", *WHY)
    assert stands(state)["10.20.4.40/32"][0] == "withheld"
    desk(state, "policy", "resume", *WHY)
    assert shown(state)["mode"]["state"] == "off", "resume turns nothing on"


def a_step_down_ends_what_was_enforced():
    state = new_state("live", *MADE)
    desk(state, "policy", "mode", "enforce", *WHY, at="2026-11-22T15:30:00Z")
    before = len(journal(state))
    desk(state, "policy", "mode", "simulate", *WHY)
    assert decisions(state, before) == [("lift", A, "enforce", "mode")]
    desk(state, "blocks", "add", "10.20.4.40", "--for", "1h", *WHY)
    assert stands(state)["10.20.4.40/32"] == ("in force", "simulate")


def a_pause_has_an_end():
    state = new_state("live", *MADE)
    desk(state, "policy", "mode", "enforce", *WHY, at="2026-11-22T15:30:00Z")
    before = len(journal(state))
    assert "until" in desk(state, "policy", "pause", "--for", "30m",
                           *WHY).stdout
    assert ("lift", A, "enforce", "mode") in decisions(state, before)
    row = shown(state)["pause"]
    assert (row["state"], row["until"]) == ("paused", "2026-11-22T16:30:00Z")
    after = "2026-11-22T16:30:00Z"
    assert shown(state, at=after)["pause"]["state"] == "none"
    assert not stands(state, at=after)
    desk(state, "blocks", "add", "10.20.4.40", "--for", "1h", *WHY, at=after)
    assert stands(state, at=after)["10.20.4.40/32"] == ("in force", "enforce")


def people_answer():
    state = new_state("live", *MADE)
    desk(state, "policy", "mode", "enforce", *WHY, at="2026-11-22T15:30:00Z")
    assert "nothing is asked" in desk(state, "blocks", "approve", "10.20.4.30",
                                      *WHY, code=5).stderr
    desk(state, "blocks", "approve", "10.20.4.32", code=5)
    two = TEMP / "two.yaml"
    two.write_text("block:\n  approvals: 2\n")
    done = desk(state, "blocks", "approve", "10.20.4.32", "-c", two, *WHY, code=5)
    assert "two people" in done.stderr
    desk(state, "blocks", "approve", "3333", *WHY)
    assert stands(state)[C] == ("in force", "enforce")
    other = new_state("live", *MADE)
    desk(other, "blocks", "refuse", "10.20.4.32", *WHY)
    assert C not in stands(other)


def faults_are_told():
    state = new_state("live")
    for words, code, says in (
            (("mode", "off"), 5, "--reason"),
            (("mode", "on", *WHY), 2, "not one of off"),
            (("mode", "off", "--rule", "burst", *WHY), 2, "not one of s1"),
            (("pause", *WHY), 2, "--for"),
            (("pause", "--for", "never", *WHY), 2, "not a time"),
            (("pause", "--for", "30m"), 5, "--reason"),
            (("resume",), 5, "--reason")):
        done = desk(state, "policy", *words, code=code)
        assert says in done.stderr, (words, done)
    assert not journal(state)
    desk(state, "policy", "mode", "simulate", "--rule", "s5", *WHY)
    assert shown(state)["s5"]["state"] == "simulate"
    config = TEMP / "bad.yaml"
    config.write_text("block:\n  rules: [s5=never]\n")
    done = run(PROGRAM, "read", "-q", "-c", config,
               HERE / "fixtures" / "lab.pcap", code=2)
    assert "s5=never" in done.stderr, done


def main():
    global PROGRAM, MAKE, TEMP  # pylint: disable=global-statement
    PROGRAM, MAKE = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as folder:
        TEMP = pathlib.Path(folder)
        for test in (captures_enforce_nothing, a_reading_enforces_nothing,
                     off_ends_everything, a_step_down_ends_what_was_enforced,
                     a_pause_has_an_end, people_answer, faults_are_told):
            test()
            print(f"{test.__name__} ok")


main()
