#!/usr/bin/env python3
"""Compare the program with facts that others established about real captures.

    captures_test.py [--program FILE] FOLDER

FOLDER has captures and facts.json (its README says how the facts were made).
For each capture: packets, SMTP sessions, and per session HELO, AUTH, STARTTLS
and each transferred mail. A difference is a failure unless a row of
captures_differences.csv (file, what, manifest, ours, reason, command) explains
it; rows that explain nothing any more are failures too, and at most 3 % of the
files may have a row.
"""
import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SHARE_MAX = 0.03


def run(program, path):
    done = subprocess.run([program, "read", "--events", "-", "--body-digest",
                           str(path)], capture_output=True, check=False,
                          timeout=120)
    # 4: a damaged capture, read up to the damage
    if done.returncode not in (0, 4):
        raise RuntimeError(f"exit {done.returncode}: "
                           + done.stderr[-1000:].decode(errors="replace"))
    return [json.loads(line) for line in done.stdout.splitlines()]


def end(ip, port):
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def ends_of(e):
    return end(e["src_ip"], e["src_port"]), end(e["dest_ip"], e["dest_port"])


def plain(address):
    """Manifest's and ours, spelt alike."""
    ip, _, port = address.rpartition(":")
    return end(ip.strip("[]"), port)


def is_session(e):
    return e["event_type"] == "smtp_session" and "attempts" not in e


def is_mail(e):
    return e["event_type"] == "smtp" and e["smtp"].get("via") is not None


class Check:
    def __init__(self, name):
        self.name = name
        self.found = []  # (what, manifest, ours)

    def same(self, what, want, got):
        if want != got:
            self.found.append((what, str(want), str(got)))


def our_auth(smtp):
    return [(a["mechanism"], a["outcome"] == "success")
            for a in smtp.get("auth", [])]


def their_auth(fact):
    return [((a["mech"] or "").upper(), a["result"] == "235")
            for a in fact.get("auth", [])]


def check_session(c, at, fact, e):
    s = e.get("smtp", {})
    c.same(f"{at} helo", fact.get("helo") or None, s.get("helo"))
    c.same(f"{at} auth", their_auth(fact), our_auth(s))
    want = fact.get("starttls")
    c.same(f"{at} starttls", int(want) if want else None,
           s.get("starttls", {}).get("code"))


def path_alone(rcpt):
    """The facts keep RCPT's parameters beside the path; smtp.rcpt does not."""
    return rcpt.split("> ")[0] + ">" if "> " in rcpt else rcpt


def text(value):
    return " ".join(value.split()) if value is not None else None


def check_mail(c, at, fact, mails):
    """A transaction that reports in parts is put together by the caller."""
    e = mails[-1]
    s = e["smtp"]
    rcpt = [r for m in mails for r in m["smtp"].get("rcpt", [])]
    c.same(f"{at} mail_from", fact["mail_from"], s.get("mail_from"))
    c.same(f"{at} params", fact["mail_from_params"] or None,
           s.get("mail_params"))
    oneway = e["quality"]["oneway"]
    c.same(f"{at} rcpt_to", [path_alone(r) for r in fact["rcpt_to"]],
           [r["addr"] for r in rcpt
            if r.get("code", 250 if oneway else 0) // 100 == 2])
    c.same(f"{at} rcpt_rejected", [str(r[-1]) for r in fact["rcpt_rejected"]],
           [str(r["code"]) for r in rcpt if r.get("code", 0) >= 300])
    c.same(f"{at} final_code", str(fact["final_code"] or None),
           str(s.get("final_code")))
    c.same(f"{at} via", fact["via"], s.get("via"))
    c.same(f"{at} body_size", fact["body_size"], s.get("message_bytes"))
    c.same(f"{at} body_sha256", fact["body_sha256"], s.get("body_sha256"))
    email = e.get("email", {})
    c.same(f"{at} subject", text(fact["subject"]) or None,
           text(email.get("subject")))
    c.same(f"{at} message_id", text(fact["message_id"]) or None,
           text(email.get("message_id")))


def their_attachments(fact):
    """(name, size, SHA-256). An attached message has neither of the last: of it
    we tell the parts."""
    return sorted((a["name"] or "", a["size"], a["sha256"])
                  for a in fact["attachments"] if a["sha256"] is not None)


def our_attachments(events, e):
    """Of the reading that the RFCs ask for; bytes that were lost leave no
    digest."""
    files = [f["fileinfo"] for f in events
             if f["event_type"] == "fileinfo" and f["flow_id"] == e["flow_id"]
             and f["tx_id"] == e["tx_id"] and "reading" not in f["fileinfo"]]
    return sorted((f.get("filename", ""), f["size"], f.get("sha256"))
                  for f in files if "filename" in f or
                  f.get("disposition") == "attachment")


def mails_of(events, flow):
    """Lists of the events of each transferred mail of a connection."""
    by_tx = {}
    for e in events:
        if e["event_type"] == "smtp" and e["flow_id"] == flow:
            by_tx.setdefault(e["tx_id"], []).append(e)
    return [parts for parts in by_tx.values() if is_mail(parts[-1])]


def check_file(c, fact, events):
    stats = [e for e in events if e["event_type"] == "stats"]
    c.same("packets", fact["packets"],
           sum(e["stats"]["capture"]["packets"] for e in stats))
    ours = [e for e in events if is_session(e)]
    # "empty": no payload at all; those are attempts, never sessions.
    sessions = [f for f in fact.get("smtp", []) if not f.get("empty")]
    c.same("smtp_sessions", len(sessions), len(ours))
    ours.sort(key=lambda e: e["flow"]["start"])
    for want in sessions:
        ends = plain(want["client"]), plain(want["server"])
        at = "stream " + str(want["stream"])
        e = next((e for e in ours if ends_of(e) == ends), None)
        if e is None:
            c.same(f"{at} ends", ends, [ends_of(e) for e in ours])
            continue
        ours.remove(e)
        check_session(c, at, want, e)
        mails = mails_of(events, e["flow_id"])
        wanted = want.get("mails", [])
        c.same(f"{at} mails", len(wanted), len(mails))
        for i, (m, got) in enumerate(zip(wanted, mails)):
            check_mail(c, f"{at} mail {i}", m, got)
            c.same(f"{at} mail {i} attachments", their_attachments(m),
                   our_attachments(events, got[-1]))


def load_differences():
    path = HERE / "captures_differences.csv"
    with path.open(encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f))
    return {(r["file"], r["what"], r["manifest"], r["ours"]): r for r in rows}


def find_program(given):
    for path in [given] if given else sorted(
            HERE.parent.glob("build/*/span25"), key=os.path.getmtime,
            reverse=True):
        if os.access(path, os.X_OK):
            return str(path)
    return None


def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--program")
    p.add_argument("folder", type=pathlib.Path)
    a = p.parse_args()
    program = find_program(a.program)
    facts_file = a.folder / "facts.json"
    if program is None or not facts_file.exists():
        print("skipped: " + ("no program" if program is None
                             else f"{a.folder} is not here"))
        return 77
    facts = json.loads(facts_file.read_text(encoding="utf-8"))
    allowed = load_differences()
    used, failed, exact = set(), 0, 0
    for name, fact in sorted(facts.items()):
        c = Check(name)
        try:
            check_file(c, fact, run(program, a.folder / name))
        except (RuntimeError, ValueError, KeyError) as e:
            c.found.append(("run", "", repr(e)))
        bad = []
        for what, want, got in c.found:
            key = (name, what, want[:200], got[:200])
            used.add(key)
            if key not in allowed:
                bad.append((what, want, got))
        exact += not c.found
        failed += bool(bad)
        for what, want, got in bad:
            print(f"FAILED {name}: {what}: {want[:200]} / ours {got[:200]}")
    for key in set(allowed) - used:
        failed += 1
        print(f"FAILED: {key[0]}: {key[1]}: no longer differs")
    explained = len({k[0] for k in allowed})
    if explained > SHARE_MAX * len(facts):
        failed += 1
        print(f"FAILED: {explained} of {len(facts)} files differ")
    print(f"{len(facts)} captures: {exact} exact, {explained} explained, "
          f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
