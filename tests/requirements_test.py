#!/usr/bin/env python3
"""Requirements and policy findings of made captures, through the program.

    requirements_test.py PROGRAM

Each case is a few connections between the registered server 10.0.2.1 (or others
at home, 10.0.0.0/8) and hosts outside; what the JSON summary answers must be
the truth of the case.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import scenario

SERVER, SPAMMER, OTHER = "10.0.2.1", "198.51.100.7", "203.0.113.9"
FORM = "form,line,site,address,port,direction,domain,relay_for\n"
LINES = ("2026-1,1,School,10.0.2.1,25,both,mx.school.example,{0}\n"
         "2026-1,2,School,10.0.2.1,587,receive,mx.school.example,{0}\n")


def say(side, text):
    return f'{side} "{text}\\r\\n"'


def session(client, server, *inner, port=25, caps="250 STARTTLS", setting=()):
    """One connection in the language of scenario.py."""
    return [f"client {client}", f"server {server}", f"port {port}", *setting,
            say("S", "220 mx.school.example ESMTP"),
            say("C", "EHLO out.client.example"),
            say("S", f"250-mx.school.example\\r\\n{caps}"), *inner,
            say("C", "QUIT"), say("S", "221 bye")]


def mail(*rcpts, code=250):
    lines = [say("C", "MAIL FROM:<x@client.example>"), say("S", "250 ok")]
    for r in rcpts:
        lines += [say("C", f"RCPT TO:<{r}>"),
                  say("S", "250 ok" if code < 400 else
                      f"{code} 5.7.1 Relaying denied")]
    if code >= 400:
        return lines
    return lines + [say("C", "DATA"), say("S", "354 go"),
                    say("C", "Subject: x\\r\\n\\r\\nx\\r\\n."),
                    say("S", "250 ok")]


AUTH = [say("C", "AUTH PLAIN AGphbmUAaHVudGVyMnNlY3JldA=="),
        say("S", "235 2.7.0 ok")]
TLS = [say("C", "STARTTLS"), say("S", "220 go"),
       r'C "\x16\x03\x01\x00\x04\x01\x00\x00\x00"',
       r'S "\x16\x03\x03\x00\x04\x02\x00\x00\x00"']


def tls_session(client, server, port=25):
    lines = session(client, server, *TLS, port=port)
    return lines[:-2]


RELAYED = [
    session(SPAMMER, SERVER, *mail("v@one.example", "w@two.example")),
    session(SERVER, OTHER, *mail("v@one.example")),
    session(SERVER, "192.0.2.77", *mail("w@two.example")),
]

# why, connections, requirement, answer, count, of, [text of relay_for]
CASES = [
    ("relay", RELAYED, "open_relay", "observed", 2, 2),
    ("relay to a mailbox provider",
     [session(SPAMMER, SERVER, *mail("v@gmail.com"))],
     "open_relay", "observed", 1, 1),
    ("registered relay for domains", RELAYED, "open_relay", "not_observable",
     0, 0, "one.example two.example"),
    ("registered relay for a network", RELAYED, "open_relay",
     "not_observable", 0, 0, "198.51.100.0/24"),
    ("relaying with AUTH",
     [session(SPAMMER, SERVER, *AUTH, *mail("v@gmail.com"))],
     "open_relay", "not_observable", 0, 0),
    ("relaying refused",
     [session(SPAMMER, SERVER, *mail("v@gmail.com", code=550))],
     "open_relay", "none_observed", 0, 1),
    ("backup MX",
     [session(SPAMMER, SERVER, *mail("v@partner.example")),
      session(OTHER, SERVER, *mail("u@partner.example")),
      session(SERVER, "192.0.2.77",
              *mail("v@partner.example", "u@partner.example"))],
     "open_relay", "not_observable", 0, 0),
    ("backup MX, first mail",
     [session(SPAMMER, SERVER, *mail("v@partner.example")),
      session(SERVER, "192.0.2.77", *mail("v@partner.example"))],
     "open_relay", "not_observable", 0, 0),
    ("forwarding",
     [session(SPAMMER, SERVER, *mail("ann@school.example")),
      session(SERVER, OTHER, *mail("ann@gmail.com"))],
     "open_relay", "not_observable", 0, 0),
    ("relay, one way",
     [session(SPAMMER, SERVER, *mail("v@gmail.com"),
              setting=["oneway C"])],
     "open_relay", "not_observable", 0, 0),
    ("AUTH in the clear", [session(SPAMMER, SERVER, *AUTH)],
     "auth_in_clear", "observed", 1, 1),
    ("no AUTH", [session(SPAMMER, SERVER)],
     "auth_in_clear", "none_observed", 0, 1),
    ("AUTH one way", [session(SPAMMER, SERVER, *AUTH, setting=["oneway C"])],
     "auth_in_clear", "not_observable", 0, 0),
    ("all under TLS", [tls_session(SPAMMER, SERVER)],
     "auth_in_clear", "not_observable", 0, 0),
    ("587 without AUTH",
     [session(SPAMMER, SERVER, *mail("a@school.example"), port=587)],
     "mail_without_auth", "observed", 1, 1),
    ("587 with AUTH",
     [session(SPAMMER, SERVER, *AUTH, *mail("a@school.example"), port=587)],
     "mail_without_auth", "none_observed", 0, 1),
    ("587 under TLS", [tls_session(SPAMMER, SERVER, 587)],
     "mail_without_auth", "not_observable", 0, 0),
    ("no STARTTLS", [session(SPAMMER, SERVER, caps="250 SIZE 1000")],
     "no_starttls", "observed", 1, 1),
    ("STARTTLS", [session(SPAMMER, SERVER)],
     "no_starttls", "none_observed", 0, 1),
    ("another name", [session(SERVER, OTHER, *mail("a@one.example"))],
     "name_differs", "observed", 1, 1),
    ("no scanner", [session(SERVER, OTHER, *mail("a@one.example"))],
     "scanner_headers", "none_observed", 0, 1),
]

# connections, findings of their smtp_session events
FINDINGS = [
    ("nobody's sender", [session("10.0.9.9", OTHER)], ["unregistered_sender"]),
    ("submission", [session("10.0.9.9", OTHER, port=587)], None),
    ("internal", [session("10.0.9.9", "10.0.9.8")], None),
    ("nobody's receiver", [session(OTHER, "10.0.9.9")],
     ["unregistered_receiver"]),
    ("another name", [session(SERVER, OTHER)], ["helo_mismatch"]),
    ("registered receiver", [session(OTHER, SERVER)], None),
]


def run(program, folder, connections, relay_for=""):
    lines = []
    for i, c in enumerate(connections, 1):
        lines += [f"conn {i}", *c]
    source = folder / "case.smtp"
    source.write_text("\n".join(lines) + "\n")
    pcap, report = folder / "case.pcap", folder / "out.json"
    pcap.write_bytes(b"")
    subprocess.run([sys.executable, scenario.__file__, source, "-o", pcap],
                   check=True)
    registry = folder / "forms.csv"
    registry.write_text(FORM + LINES.format(relay_for))
    done = subprocess.run(
        [program, "read", "--home", "10.0.0.0/8", "--registry", registry,
         "--events", "-", "-o", report, pcap],
        capture_output=True, text=True, timeout=60, check=True)
    return (json.loads(report.read_text()),
            [json.loads(x) for x in done.stdout.splitlines()])


def answer_of(summary, requirement):
    for q in summary["requirements"]:
        if q["address"] == SERVER and q["requirement"] == requirement:
            return q
    return {"answer": "absent", "count": 0, "of": 0, "evidence": []}


def check_case(program, folder, case):
    why, connections, requirement, answer, count, of, *relay_for = case
    summary, events = run(program, folder, connections, *relay_for)
    q = answer_of(summary, requirement)
    got = (q["answer"], q["count"], q["of"])
    bad = []
    if got != (answer, count, of):
        bad.append(f"{why}: {requirement}: {got}, {q.get('text')}")
    ids = {e.get("event_id") for e in events}
    if not set(q["evidence"]) <= ids or bool(q["evidence"]) != (count > 0):
        bad.append(f"{why}: evidence {q['evidence']}")
    return bad


def check_findings(program, folder, case):
    why, connections, want = case
    _, events = run(program, folder, connections)
    got = [e.get("policy", {}).get("findings") for e in events
           if e["event_type"] == "smtp_session"]
    return [] if got == [want] else [f"{why}: findings {got}"]


def check_unseen(program, folder):
    want = [(SERVER, "2026-1", 2)]
    summary, _ = run(program, folder, [session(OTHER, SERVER)])
    got = [(u["address"], u["form"], u["line"])
           for u in summary["registered_not_seen"]]
    return [] if got == want else [f"not seen: {got}"]


def main():
    program = sys.argv[1]
    bad = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for case in CASES:
            bad += check_case(program, folder, case)
        for case in FINDINGS:
            bad += check_findings(program, folder, case)
        bad += check_unseen(program, folder)
    for line in bad:
        print(line)
    print(f"{len(CASES) + len(FINDINGS) + 1} cases, {len(bad)} faults")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
