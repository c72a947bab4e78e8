#!/usr/bin/env python3
"""The shipped rules: what they say, their cases, and where they fire.

    packs_test.py PROGRAM [CAPTURES]

Reads rules/packs: every rule has all that an analyst asks of an alert, no text
stands in two rules, and words keep to what the product may say of people and
hosts. Then runs the cases, then the program on the lab's capture, where the bot
must be found and the registered hosts left alone, and on other people's
captures, which may set off nothing but what they are there to show.
"""
import collections
import json
import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
PACKS = TOP / "rules/packs"
FIXTURES = TOP / "tests/fixtures"

RULES_LEAST = 45
LEVELS = {"informational", "low", "medium", "high"}
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                  r"[0-9a-f]{12}")
# What is never said of a host or a person.
WORDS = re.compile(r"\b(spammers?|infected|hacked|hackers?|attackers?|attacks?|"
                   r"whitelist|blacklist)\b", re.I)

# What others' captures show, by the facts that came with them.
IN_THE_CLEAR = "policy/auth-cleartext-outbound"
SHOWN = {
    # their AUTH PLAIN and LOGIN, without TLS
    "BruteShark/IMAP_-_Authenticate_Plain_(Base64).pcap": {IN_THE_CLEAR},
    "BruteShark/SMTP_-_Auth_Plain.pcap": {"policy/auth-cleartext-inbound"},
    "arkime/smtp-data-250.pcap": {IN_THE_CLEAR},
    "suricata-verify/mime_mime-quoted-printable.pcap": {IN_THE_CLEAR},
    "zeek/smtp.pcap": {IN_THE_CLEAR},
    # the EICAR file, once in a zip
    "suricata-verify/smtp-attachment-md5.pcap": {
        "content/malicious-file-sent"},
    "suricata-verify/smtp-rfc2231.pcap": {"content/malicious-file-sent"},
}

# Hosts of the lab (tests/lab/README.md).
BOT = ["10.20.4.17", "fd25:20::4:17"]
PRINTER = ["10.20.7.3", "fd25:20::7:3"]     # sends, and is not registered
REGISTERED = ["10.20.1.10", "10.20.1.11", "10.20.5.20", "fd25:20::1:10",
              "fd25:20::1:11", "fd25:20::5:20"]
# What came to them from outside, or was asked of them, and is told.
LAB_MAY = {("content/malicious-file-received", "10.20.1.10")}
LAB_MUST = {
    ("behaviour/bot-refusals-and-content", BOT[0]),
    ("behaviour/bad-messages", BOT[0]),
    ("behaviour/malicious-files-spread", BOT[0]),
    ("policy/unregistered-sender", BOT[0]),
    ("policy/unregistered-sender", BOT[1]),
    ("policy/unregistered-sender", PRINTER[0]),
    ("policy/auth-cleartext-outbound", PRINTER[0]),
    ("protocol/starttls-injection", PRINTER[0]),
    ("content/malicious-file-sent", BOT[0]),
    ("content/tricked-name", BOT[0]),
    ("content/html-smuggling", BOT[0]),
    ("content/program-behind-password", BOT[0]),
    ("behaviour/connects-in-vain", BOT[0]),
    ("behaviour/many-helo-names", BOT[0]),
    ("behaviour/refused-burst", BOT[0]),
}


def field(text, key):
    """The value of a key, folded or not, of the first document."""
    found = re.search(rf"^( *){key}: (?:>-\n((?:\1  .*\n)+)|(.*)\n)", text, re.M)
    return " ".join((found[2] or found[3]).split()) if found else ""


class Check:
    def __init__(self):
        self.failures = []

    def __call__(self, good, text):
        if not good:
            self.failures.append(text)


def one_rule(check, path, text):
    name = f"{path.parent.name}/{path.stem}"
    for key in ("title", "id", "status", "description", "level", "date",
                "reason", "limit", "action", "subject"):
        check(field(text, key), f"{name}: no {key}")
    check(UUID.fullmatch(field(text, "id")), f"{name}: id is no UUID v4")
    check(field(text, "level") in LEVELS, f"{name}: a level of its own")
    check(re.search(r"^falsepositives:\n  - ", text, re.M),
          f"{name}: no benign cause")
    check("product: span25" in text, f"{name}: for another product")
    words = re.sub(r"attack\.t", "", text)
    check(not WORDS.search(words), f"{name}: says {WORDS.findall(words)}")
    check(all(re.fullmatch(r"attack\.t\d{4}(\.\d{3})?", tag) for tag in
              re.findall(r"^  - (attack\..*)$", text, re.M)),
          f"{name}: a tag that is no technique")
    check(name.startswith("policy/") or name.startswith("content/") or
          re.search(r"\d|\b(one|two|three|five|ten|twenty|fifty|hundred)\b",
                    field(text, "limit"), re.I),
          f"{name}: a limit without a figure")
    return name


def cases_of(check, name, path):
    heads = re.findall(r"^# (fires|quiet)(?:\[[^]]*\])?: (.+)$",
                       path.read_text(), re.M)
    kinds = collections.Counter(kind for kind, _ in heads)
    check(kinds["fires"] >= 1, f"{name}: no case that fires")
    check(kinds["quiet"] >= 2, f"{name}: fewer than two neighbours")
    check(len(set(heads)) == len(heads), f"{name}: a case twice")


def files(check):
    """id -> name of every rule, after a look at the files themselves."""
    texts = collections.defaultdict(list)
    names = {}
    for path in sorted(PACKS.glob("*/*.yaml")):
        text = path.read_text()
        name = one_rule(check, path, text)
        rule = field(text, "id")
        check(rule not in names, f"{name}: the id of {names.get(rule)}")
        names[rule] = name
        for key in ("title", "description", "limit", "action", "reason"):
            texts[field(text, key)].append(name)
        cases = path.with_suffix(".cases")
        check(cases.exists(), f"{name}: no cases")
        if cases.exists():
            cases_of(check, name, cases)
    for text, users in texts.items():
        check(len(users) == 1, f"{users} say the same: {text[:60]}")
    check(len(names) >= RULES_LEAST, f"{len(names)} rules")
    return names


def run_cases(check, program):
    done = subprocess.run([program, "rules", "test"], capture_output=True,
                          text=True, timeout=120, check=False)
    last = done.stdout.splitlines()[-1:] or [""]
    check(done.returncode == 0 and last[0].endswith(" 0 failed"),
          f"rules test: exit {done.returncode}: {last[0]}{done.stderr[-300:]}")
    return last[0]


def alerts(program, names, *args):
    """{(rule, subject)} of a run, or None when it has no alerts at all."""
    done = subprocess.run([program, "read", "--events", "-", *map(str, args)],
                          capture_output=True, timeout=300, check=False)
    if done.returncode not in (0, 4):
        raise RuntimeError(f"{args}: exit {done.returncode}: "
                           + done.stderr[-500:].decode(errors="replace"))
    out = set()
    for line in done.stdout.splitlines():
        e = json.loads(line)
        if e["event_type"] == "alert":
            a = e["alert"]
            out.add((names.get(a.get("rule"), a.get("signature")),
                     a["subject"]))
    return out


def lab(check, program, names):
    home = ["--home", "10.20.0.0/16", "--home", "fd25:20::/32"]
    got = alerts(program, names, *home, "--registry",
                 FIXTURES / "lab-registry.csv", FIXTURES / "lab.pcap")
    if not got:
        return False
    for want in sorted(LAB_MUST - got):
        check(False, f"lab: {want[0]} did not fire for {want[1]}")
    for rule, subject in sorted(got - LAB_MAY):
        check(subject.split()[0] not in REGISTERED,
              f"lab: {rule} fired for {subject}, which is registered and did "
              "nothing wrong")
    return True


def others(check, program, names, folder):
    n = 0
    for path in sorted(folder.glob("*/*.pcap*")):
        name = f"{path.parent.name}/{path.name}"
        got = {rule for rule, _ in alerts(program, names, path)}
        want = SHOWN.get(name, set())
        check(got == want, f"{name}: fired {sorted(got)}, "
              f"shows {sorted(want)}")
        n += 1
    return n


def main():
    program, check = sys.argv[1], Check()
    names = files(check)
    print(f"{len(names)} rules; {run_cases(check, program)}")
    if not lab(check, program, names):
        print("skipped: this program tells no alerts")
    elif len(sys.argv) < 3 or not pathlib.Path(sys.argv[2]).is_dir():
        print("skipped: no captures of others here")
    else:
        n = others(check, program, names, pathlib.Path(sys.argv[2]))
        print(f"{n} captures of others looked at")
    for text in check.failures:
        print(text)
    return bool(check.failures)


if __name__ == "__main__":
    sys.exit(main())
