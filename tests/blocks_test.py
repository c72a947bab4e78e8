#!/usr/bin/env python3
"""Walk the verbs about block lists through states, with the real program.

    blocks_test.py PROGRAM JOURNAL_MAKE [NAME...]

Journals hold made decisions, so it is known what every list has to hold, and
what each refusal is. The last line is "N passed, N failed".
"""
import base64
import datetime
import email
import email.policy
import fcntl
import hashlib
import json
import pathlib
import re
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
from program import Run, check  # noqa: E402

PROGRAM = MAKE = TEMP = None
HASH = "0123456789abcdef" * 4


def at(seconds):
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(
        seconds=seconds)
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f+0000")


COUNT = [0]


def head(kind, seconds):
    COUNT[0] += 1
    return {"timestamp": at(seconds), "flow_id": 0, "flow_seq": COUNT[0],
            "event_type": kind, "event_id": f"{COUNT[0]:016x}"}


def decision(subject, action="block", mode="enforce", seconds=-60, ttl=3600,
             **more):
    body = {"id": f"{COUNT[0] + 0xabc000:016x}", "action": action,
            "mode": mode, "subject": subject,
            "scope": "tcp/25 outbound, and inbound from port 25",
            "origin": "detector", "reason": f"s2 of {subject}", "shown": ["s2"],
            "step": 1, "evidence_hash": HASH}
    if action == "block":
        body |= {"ttl_s": ttl, "until": at(seconds + ttl)}
    return {**head("decision", seconds), "decision": body | more}


def policy(mode="enforce", seconds=-3000):
    return {**head("control", seconds), "control": {
        "kind": "policy", "action": "mode", "actor": "mk", "reason": "test",
        "mode": mode}}


def sight(seconds=-5, **more):
    body = {"window_s": 300, "packets": 1000, "dropped": 0, "sessions": 10,
            "sessions_oneway": 0, "bytes_seen": 100000, "bytes_unseen": 0,
            "resyncs": 0, "records_lost": 0}
    return {**head("stats", seconds), "stats": {"sight": body | more}}


def append(state, events, kind="live"):
    text = "".join(json.dumps(e) + "\n" for e in events)
    Run(MAKE, state, *([kind] if kind else []),
        stdin=text.encode()).expect(0)


def state_of(*events, kind="live", registry="192.0.2.1", seen=-5):
    state = pathlib.Path(tempfile.mkdtemp(dir=TEMP)) / "state"
    append(state, [policy(), sight(seen), *events], kind)
    if registry:
        forms = state.parent / "registry.csv"
        forms.write_text(f"address,site\n{registry},Library\n")
        Run(PROGRAM, "registry", "import", "--state", state,
            forms).expect(0)
    return state


def export(state, *more, code=0):
    return Run(PROGRAM, "blocks", "export", "--state", state,
               *more).expect(code)


def diff(state, *more, code=0):
    return Run(PROGRAM, "blocks", "diff", "--state", state, "--utc",
               *more).expect(code)


def addresses(run):
    return [x for x in run.out.splitlines() if not x.startswith("#")]


def shown(state):
    return json.loads(export(state, "--format", "json").out)


# ---- what is listed ----

def test_newest_decision_counts():
    rows = [
        ("in force", [decision("10.0.0.1/32")], True),
        ("simulated", [decision("10.0.0.1/32", mode="simulate")], False),
        ("lifted", [decision("10.0.0.1/32", seconds=-90),
                    decision("10.0.0.1/32", "lift")], False),
        ("listed again", [decision("10.0.0.1/32", seconds=-90),
                          decision("10.0.0.1/32", "lift", seconds=-80),
                          decision("10.0.0.1/32")], True),
        ("over", [decision("10.0.0.1/32", seconds=-3700)], False),
        ("a human is asked", [decision("10.0.0.1/32", "hold")], False),
        ("withheld", [decision("10.0.0.1/32", "withheld")], False),
        ("an action that nobody knows", [decision("10.0.0.1/32", "blok")],
         False),
        ("registered", [decision("192.0.2.1/32")], False),
        ("no evidence", [decision("10.0.0.1/32", evidence_hash="")], False),
        ("not enforced any more", [
            decision("10.0.0.1/32", seconds=-90),
            policy("simulate", seconds=-80)], False),
        ("off", [decision("10.0.0.1/32"), policy("off", seconds=-50)], False),
    ]
    for why, events, listed in rows:
        # another one is enforced, unless the row ends otherwise
        first = decision("10.9.9.9/32", seconds=-100)
        state = state_of(first, *events)
        got = addresses(export(state, "--allow-empty"))
        check(("10.0.0.1" in got or "192.0.2.1" in got) == listed,
              f"{why}: {got}")


def test_formats():
    state = state_of(decision("10.0.0.1/32"), decision("10.0.0.2/32"),
                     decision("2001:db8:1:2::/64"))
    rows = [("text", "10.0.0.1\n"), ("edl:plain", "10.0.0.1\n10.0.0.2\n"),
            ("edl:paloalto", "10.0.0.1 "), ("edl:fortigate", "10.0.0.2\n"),
            ("edl:cisco", "2001:db8:1:2::/64\n"), ("edl:checkpoint", ",IP,"),
            ("nft", "add element inet span25_feed blk4"),
            ("nft-rules", "tcp dport 25"), ("ipset", "swap"),
            ("crowdsec", '"deleted":[]'), ("rbldnsd4", "$SOA"),
            ("rbldnsd6", "2001:db8:1:2::/64")]
    for name, want in rows:
        export(state, "--format", name).says(want)
    export(state, "--format", "edl:nobody", code=2).warns("none of")
    export(state, "--format", "nft,json", code=2)
    got = shown(state)
    check(got["count"] == 3 and len(got["entries"]) == 3, f"{got}")
    check(all(e["rule"] == "s2" for e in got["entries"]), f"{got}")


def test_serials_go_on():
    state = state_of(decision("10.0.0.1/32"))
    first = shown(state)
    check(shown(state)["serial"] == first["serial"], "the same set")
    append(state, [decision("10.0.0.2/32")])
    second = shown(state)
    check(second["serial"] == first["serial"] + 1, f"{second}")
    (state / "feeds" / "set").write_bytes(b"damaged")
    export(state, code=6).warns("cannot be read")


def test_captures_feed_nothing():
    state = state_of(decision("10.0.0.1/32"), kind="")
    for name in ("text", "json", "nft", "ipset", "edl:paloalto", "crowdsec"):
        export(state, "--format", name, code=5).warns("read by hand")
    check(not (state / "feeds").exists(), "feeds/ was made")
    out = state.parent / "list"
    export(state, "--preview").says("# PREVIEW", "10.0.0.1")
    check(json.loads(export(state, "--preview", "--format", "json").out)[
        "preview"] is True, "not marked")
    for name in ("edl:plain", "edl:paloalto", "edl:checkpoint", "crowdsec"):
        export(state, "--preview", "--format", name, code=2)
    export(state, "--preview", "-o", out)
    before = out.read_text()
    export(state, "--preview", "--format", "json", "-o", out, code=5)
    check(out.read_text() == before, "a file was replaced")
    check(not (state / "feeds").exists(), "feeds/ was made")


def test_simulated_is_previewed():
    state = state_of(policy("simulate", seconds=-2000),
                     decision("10.0.0.1/32", mode="simulate"))
    export(state, code=5).warns("simulated, not enforced")
    export(state, "--preview").says("10.0.0.1")
    diff(state).says("MODE simulate", "+ 10.0.0.1/32", "preview")


def test_refusals():
    good = decision("10.0.0.1/32")
    out = pathlib.Path(tempfile.mkdtemp(dir=TEMP)) / "list"
    out.write_text("the last good one\n")
    rows = [
        ("without a registry", state_of(good, registry=None), "no registry"),
        ("a bad capture", state_of(good, sight(-1, bytes_unseen=50000)),
         "no list"),
        ("packets lost", state_of(good, sight(-1, dropped=500)), "no list"),
        ("blind", state_of(good, sight(-1, blind=["interface"])), "no list"),
        ("not measured lately", state_of(good, seen=-700), "no list"),
        ("nothing in force", state_of(), "nothing is left"),
    ]
    for why, state, want in rows:
        got = export(state, "-o", out, code=5).warns(want)
        check(got.out == "", why)
        check(out.read_text() == "the last good one\n", f"{why}: replaced")
        check(list(out.parent.iterdir()) == [out], f"{why}: files were left")
    export(state_of(), "--allow-empty", "-o", out)
    check(not addresses(Run("cat", out)), "not empty")
    export(state_of(good), "--at", "2026-11-22", code=2)
    export(state_of(good), "-o", out.parent / "none" / "list", code=1)


def test_never_listed():
    state = state_of(decision("10.0.0.1/32"), decision("10.0.0.2/32"),
                     decision("10.0.0.3/32"), decision("10.0.0.0/8"),
                     decision("0.0.0.0/0"), decision("127.0.0.1/32"),
                     decision("10.7.7.7/32"), registry="10.0.0.1")
    config = state.parent / "c.yaml"
    config.write_text("feeds:\n  protected: [10.0.0.3]\n")
    Run(PROGRAM, "exceptions", "add", "--state", state, "10.0.0.2", "--from",
        "block", "--for", "48h", "--reason", "a scanner of ours").expect(0)
    got = export(state, "-c", config)
    check(addresses(got) == ["10.7.7.7"], got.out)
    got.warns("10.0.0.1/32: in the registry; not listed",
              "10.0.0.2/32: an exception from blocking; not listed",
              "10.0.0.3/32: own servers", "10.0.0.0/8: wider than configured",
              "0.0.0.0/0: every address of a family", "127.0.0.1/32: loopback")
    diff(state, "-c", config).says("registered 1", "excepted 1", "protected 1")


def test_limits():
    state = state_of(*[decision(f"10.0.0.{i}/32") for i in range(1, 13)])
    config = state.parent / "c.yaml"
    for hour, total in ((11, 100), (100, 11)):
        config.write_text(f"feeds:\n  hour: {hour}\n  total: {total}\n")
        got = export(state, "-c", config)
        check(len(addresses(got)) == 11, f"{hour}, {total}: {got.out}")
        got.warns("not listed")
    other = state_of(*[decision(f"10.0.0.{i}/32") for i in range(1, 13)])
    check(len(addresses(export(other))) == 10, "the default of an hour")


def test_requested_is_kept():
    state = state_of(decision("10.0.0.5/32"), decision("10.0.0.6/32"))
    form = state.parent / "form.yaml"
    text = (pathlib.Path(__file__).parent / "fixtures" /
            "library-form.yaml").read_text()
    form.write_text(re.sub(r"\b10\.20\.\d+\.\d+\b", "10.0.0.5", text))
    Run(PROGRAM, "registry", "submit", "--state", state, form)
    listed = Run(PROGRAM, "registry", "list", "--state", state).out
    check("requested" in listed and "10.0.0.5" in listed, listed)
    check(addresses(export(state)) == ["10.0.0.6"], "asked for, and listed")


def test_hostile_texts():
    bad = "x\"; flush ruleset; add rule # \n<script>\x1b[2J,"
    state = state_of(decision("10.0.0.1/32", reason=bad, shown=[bad],
                              site=bad))
    for name in ("nft", "ipset", "text", "edl:paloalto", "rbldnsd4",
                 "edl:checkpoint"):
        got = export(state, "--format", name).out
        for word in ("flush ruleset", "<script>", "\x1b", "J,"):
            check(word not in got, f"{name}: {word!r}")
    got = export(state, "--preview", "--format", "json").out
    check("\x1b" not in got + diff(state).out, "an escape")


# ---- diff ----

def test_diff():
    state = state_of(decision("10.0.0.1/32"), decision("10.0.0.2/32"))
    diff(state).says("MODE enforce", "0 -> 2 entries (+2 -0 ~0)",
                     "+ 10.0.0.1/32  until ", "auto")
    export(state)
    diff(state).says("2 -> 2 entries (+0 -0 ~0)")
    append(state, [decision("10.0.0.2/32", "lift"), decision("10.0.0.3/32"),
                   decision("10.0.0.1/32", ttl=7200)])
    diff(state).says("(+1 -1 ~1)", "- 10.0.0.2/32  lift", "~ 10.0.0.1/32",
                     "+ 10.0.0.3/32", "Rails: growth +1 (limit 10/h")
    document = json.loads(diff(state, "--json").out)
    check(document["schema"] == "span25.blocks.diff" and
          document["mode"] == "enforce" and document["before"] == 2 and
          document["added"] == document["gone"] == document["changed"] == 1,
          f"{document}")
    check([x[0] for x in document["lines"]] == ["~", "-", "+"] and
          document["rails"]["growth_limit"] == 10 and
          document["consumers"] == [] and document["notes"] == [],
          f"{document}")
    diff(state, "--target", "fw", code=5).warns("has fetched nothing yet")
    diff(state, "--target", "../fw", code=2)


def test_diff_with_a_firewall():
    state = state_of(decision("10.0.0.1/32"), decision("10.0.0.2/32"))
    found = state.parent / "found"
    found.write_text("10.0.0.2\n10.0.0.9\n")
    diff(state, "--readback", found).says(
        "2 -> 2 entries (+1 -1 ~0)", "+ 10.0.0.1/32", "- 10.0.0.9/32  no "
        "decision is known")


# ---- abuse reports ----

HOSTILE = "x\r\nBcc: all@evil.example\r\n\r\nbody $(touch pwned) `id` \x1b[2J"
IDENT = "1111222233334444"


def alert(subject="10.0.0.1", ident=IDENT, **more):
    return {**head("alert", -50), "src_ip": subject, "alert": {
        "id": ident, "state": "ended", "signature_id": 7,
        "signature": HOSTILE, "severity": 1, "category": "behaviour",
        "rule": "4d202f90-ce55-4541-986f-e33a1a0bc714", "rule_hash": "0" * 16,
        "level": "high", "subject": subject, "reason": HOSTILE,
        "first": at(-90), "last": at(-50), "count": 3,
        "checks": [
            {"name": "s1", "result": "fired", "observed": HOSTILE,
             "limit": "score 9.2"},
            {"name": "s2", "result": "passed", "observed": "victim@v.example"}],
        "evidence": [{"role": "first", "event_id": "00000000000000aa",
                      "when": at(-80), "sight": "text"}]} | more}


def mail(sender="<joe@forged.example>"):
    return {**head("smtp", -80), "event_id": "00000000000000aa",
            "flow_id": 77, "src_ip": "10.0.0.1", "src_port": 40123,
            "dest_ip": "203.0.113.25", "dest_port": 25, "proto": "TCP",
            "tx_id": 0, "direction": "outbound",
            "smtp": {"helo": HOSTILE, "mail_from": sender,
                     "rcpt_to": ["<victim@v.example>"], "rcpt_offered": 1},
            "email": {"subject": "buy"}}


def reporting(*events, site="Library", contact="abuse@site.example"):
    state = state_of(*events)
    config = state.parent / "c.yaml"
    config.write_text(
        "report:\n  org: Example Network\n  contact: noc@example.net\n"
        f"sites:\n  - code: LIB\n    name: {site}\n    contact: "
        f"{json.dumps(contact)}\n    prefixes: [10.0.0.0/24]\n")
    return state, config


def report(state, config, what, *more, code=0):
    return Run(PROGRAM, "blocks", "report", "--state", state, "-c", config,
               what, *more).expect(code)


def close(state, reason, ident=IDENT):
    Run(PROGRAM, "alerts", "close", "--state", state, ident[:6], "--reason",
        reason).expect(0)


def test_report_needs_a_human():
    for reason in ("misconfiguration", "legitimate-bulk", "test", "not-ours",
                   "duplicate", "not-enough-evidence"):
        state, config = reporting(alert(), decision("10.0.0.1/32"))
        report(state, config, "10.0.0.1", code=5).warns("is not confirmed")
        close(state, reason)
        report(state, config, IDENT, code=5)
    state, config = reporting(alert())
    for reason in ("misuse", "compromised-host"):
        close(state, reason)
        report(state, config, "10.0.0.1").says(reason)
        report(state, config, IDENT[:5]).says(reason)
        Run(PROGRAM, "alerts", "reopen", "--state", state, IDENT, "--reason",
            "wrong").expect(0)
        report(state, config, "10.0.0.1", code=5)
    report(state, config, "10.0.0.9", code=5)
    append(state, [decision("10.0.0.9/32", origin="human")])
    report(state, config, "10.0.0.9").says("(stopped by", "is closed")
    config.write_text("")
    report(state, config, "10.0.0.9", code=2).warns("report.org")


def check_xarf(text, smtp):
    got = json.loads(text)
    want = {"xarf_version", "report_id", "timestamp", "reporter", "sender",
            "source_identifier", "category", "type", "protocol", "description",
            "evidence", "evidence_source"}
    check(want <= set(got), f"{want - set(got)}")
    check(got["category"] == "messaging" and got["type"] == "spam", f"{got}")
    check(re.fullmatch(r"4\.\d+\.\d+", got["xarf_version"]), "version")
    check(re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}"
                       r"-[0-9a-f]{12}", got["report_id"]), got["report_id"])
    check(datetime.datetime.fromisoformat(
        got["timestamp"].replace("Z", "+00:00")), "time")
    for who in ("reporter", "sender"):
        check(got[who] == {"org": "Example Network", "contact":
                           "noc@example.net", "domain": "example.net"}, who)
    check(len(got["description"]) <= 1000, "description")
    for item in got["evidence"]:
        payload = base64.b64decode(item["payload"])
        check(item["size"] == len(payload) and item["hash"] == "sha256:" +
              hashlib.sha256(payload).hexdigest(), "hash")
        text += payload.decode()
    check(got["protocol"] == ("smtp" if smtp else "other"), f"{got}")
    if smtp: # the schema of messaging-spam asks for both
        check(got["source_port"] == 40123 and re.fullmatch(
            r"masked-[0-9a-f]{8}@forged\.example", got["smtp_from"]), f"{got}")
    for word in ("victim", "203.0.113", "joe@", "buy", "\x1b"):
        check(word not in text, f"{word!r} is told")
    return got


def test_report_xarf():
    rows = [("<joe@forged.example>", True), ("<>", False), ("<joe>", False),
            ("<joe@bad\r\nBcc: x@y>", False), ("<joe@-x;id>", False)]
    for sender, smtp in rows:
        state, config = reporting(mail(sender), alert())
        close(state, "compromised-host")
        got = check_xarf(report(state, config, "10.0.0.1", "--format",
                                "xarf").out, smtp)
        check(got["source_identifier"] == "10.0.0.1", f"{got}")


def test_report_letter():
    state, config = reporting(mail(), alert())
    close(state, "misuse")
    out = state.parent / "out"
    path = report(state, config, "10.0.0.1", "-o", out).out.strip()
    text = pathlib.Path(path).read_text()
    mail_ = email.message_from_string(text, policy=email.policy.default)
    check(not mail_.defects, f"{mail_.defects}")
    check(mail_["To"] == "abuse@site.example" and mail_["From"] ==
          "noc@example.net" and mail_["Date"].datetime is not None and
          mail_["Bcc"] is None, text)
    check(all(len(line) < 500 and line.isprintable()
              for line in text.splitlines()), "a line")
    check("\nBcc" not in text and "Bcc: all@evil" in text, "inert")
    for word in ("victim", "203.0.113", "joe@", "spammer", "infected"):
        check(word not in text, f"{word!r} is told")
    report(state, config, "10.0.0.1", "-o", out, code=5).warns("there already")
    for contact in ("+1 555 0100", "a@b.example, x@y.example",
                    "-oQ/tmp@evil.example", "a b@c.example", "a@b@c.example"):
        state, config = reporting(alert(), contact=contact)
        close(state, "misuse")
        report(state, config, "10.0.0.1").says("To: owner-not-known:;").lacks(
            "x@y.example")


def test_report_sendmail():
    state, config = reporting(mail(), alert())
    close(state, "misuse")
    folder = state.parent
    tool = folder / "tool"
    tool.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\" > "
                    f"{folder}/args\ncat > {folder}/mail\n")
    tool.chmod(0o755)
    for name, kind in (("letter", "text/plain"), ("xarf", "multipart/mixed")):
        report(state, config, "10.0.0.1", "--format", name, "--sendmail",
               tool).says("given to")
        check((folder / "args").read_text() == "-i\n--\nabuse@site.example\n",
              (folder / "args").read_text())
        sent = email.message_from_bytes((folder / "mail").read_bytes(),
                                        policy=email.policy.default)
        check(sent.get_content_type() == kind and not sent.defects, kind)
    part = list(sent.iter_attachments())[0]
    check_xarf(part.get_content().decode(), True)
    for bad in ("tool", f"{tool} -x", folder / "none"):
        report(state, config, "10.0.0.1", "--sendmail", bad,
               code=2 if bad == "tool" else 1)
    tool.write_text("#!/bin/sh\nexit 75\n")
    report(state, config, "10.0.0.1", "--sendmail", tool, code=1).warns(
        "was not sent")
    (folder / "args").unlink()
    state, config = reporting(alert(), contact="-f@evil.example")
    close(state, "misuse")
    report(state, config, "10.0.0.1", "--sendmail", tool, code=5)
    check(not (folder / "args").exists(), "it was run")


def reports_of(state):
    lines = b"".join(p.read_bytes()
                     for p in sorted((state / "journal").glob("*.jsonl")))
    return [r["control"] for r in map(json.loads, lines.splitlines())
            if r.get("control", {}).get("kind") == "report"]


def test_report_is_recorded():
    state, config = reporting(mail(), alert(),
                              decision("10.0.0.9/32", origin="human"))
    close(state, "misuse")
    printed = report(state, config, "10.0.0.1").out
    out = state.parent / "out"
    path = report(state, config, "10.0.0.1", "--format", "xarf", "-o",
                  out).out.strip()
    report(state, config, "10.0.0.1", "--format", "xarf", "-o", out, code=5)
    report(state, config, "10.0.0.9")
    report(state, config, "10.0.0.8", code=5)
    tool = state.parent / "tool"
    for code in (75, 0):
        tool.write_text("#!/bin/sh\ncat > /dev/null\n"
                        f"grep -q 'SigIgn.*1...$' /proc/$$/status && exit 9\n"
                        f"exit {code}\n")
        tool.chmod(0o755)
        report(state, config, IDENT, "--sendmail", tool,
               code=1 if code else 0)
    got = reports_of(state)
    check([(r["action"], r["subject"], r.get("alert")) for r in got] == [
        ("letter", "10.0.0.1", IDENT), ("xarf", "10.0.0.1", IDENT),
        ("letter", "10.0.0.9", None), ("letter", "10.0.0.1", IDENT)], f"{got}")
    check([r["text"] for r in got] == [
        "printed", f"written into {path}", "printed",
        f"given to abuse@site.example, by {tool}"], f"{got}")
    check(all(r["actor"] for r in got), f"{got}")
    for r, text in zip(got, (printed.encode(), pathlib.Path(path).read_bytes())):
        check(r["hash"] == hashlib.sha256(text).hexdigest(), f"{r}")
    Run(PROGRAM, "alerts", "show", "--state", state, IDENT).expect(0).says(
        "letter by ", "xarf by ")


def test_report_needs_its_record():
    state, config = reporting(mail(), alert())
    close(state, "misuse")
    out = state.parent / "out"
    tool = state.parent / "tool"
    tool.write_text(f"#!/bin/sh\ntouch {state.parent}/sent\n")
    tool.chmod(0o755)
    with open(state / "journal" / "lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for more in ((), ("-o", out), ("--sendmail", tool)):
            got = Run(PROGRAM, "blocks", "report", "--state", state, "-c",
                      config, "10.0.0.1", *more)
            check(got.code != 0 and got.out == "", f"{more}: {got.out}")
            got.warns("nothing was changed")
    check(not out.exists() and not (state.parent / "sent").exists(),
          "given out all the same")


def test_report_is_of_one_host():
    state, config = reporting({**alert("10.0.0.1 lease 00aa"),
                               "src_ip": "10.0.0.1"})
    close(state, "misuse")
    report(state, config, "10.0.0.1").says("Please look at 10.0.0.1:")
    report(state, config, IDENT).says("host 10.0.0.1\n")
    state, config = reporting({**alert("10.0.0.0/24"), "src_ip": "10.0.0.0"})
    close(state, "misuse")
    report(state, config, "10.0.0.1", code=5).warns("is not confirmed")
    report(state, config, IDENT, code=2).warns("is about no host")


TESTS = [v for k, v in list(globals().items()) if k.startswith("test_")]


def main():
    global PROGRAM, MAKE, TEMP
    PROGRAM, MAKE = sys.argv[1:3]
    wanted = sys.argv[3:]
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        TEMP = pathlib.Path(folder)
        for test in TESTS:
            if wanted and not any(w in test.__name__ for w in wanted):
                continue
            try:
                test()
                passed += 1
            except AssertionError as e:
                failed += 1
                print(f"{test.__name__}: {e}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
