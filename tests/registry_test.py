#!/usr/bin/env python3
"""Walk the registry through its verbs with the real program.

    registry_test.py PROGRAM MAKE_CAPTURES [NAME...]

Forms come in, are decided about, exported, confirmed and read back; every
refusal has its exit code and its sentence and changes nothing. Exports are
checked by the real nft and ipset, in a network namespace, where those are.

Each test prints why it failed. The last line is "N passed, N failed, N skipped".
"""
import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
LAB = HERE / "fixtures" / "lab.pcap"
PATIENCE = 240
T0 = "2026-11-20T09:12:00Z"
PROGRAM = MAKE = TEMP = None
failures = []


class Skip(Exception):
    """What the test needs is not here."""


def check(good, why):
    if not good:
        raise AssertionError(why)


class Run:
    def __init__(self, *args, stdin=None, program=None):
        done = subprocess.run([program or PROGRAM, *map(str, args)],
                              input=stdin, capture_output=True, check=False,
                              timeout=PATIENCE)
        self.args = args
        self.code = done.returncode
        self.out = done.stdout.decode(errors="replace")
        self.err = done.stderr.decode(errors="replace")

    def expect(self, code):
        check(self.code == code, f"{self.args}: exit {self.code}, not {code}: "
                                 f"{self.out[-500:]} {self.err[-1500:]}")
        return self


def fresh(name="state"):
    return pathlib.Path(tempfile.mkdtemp(dir=TEMP)) / name


def text_file(name, text):
    path = pathlib.Path(tempfile.mkdtemp(dir=TEMP)) / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def reg(state, verb, *args, at=None, code=0, stdin=None):
    more = ["--at", at] if at else []
    return Run("registry", verb, "--state", state, *more, "--utc", *args,
               stdin=stdin).expect(code)


FORM = """site.name: Lakeside HS
contacts.site.name: J. Alvarez
contacts.site.phone: "+1 555 0100"
contacts.site.mail: office@lakeside.example
contacts.technical.name: M. Koch
contacts.technical.phone: "+1 555 0101"
contacts.technical.mail: tech@lakeside.example
signature.name: M. Koch
signature.date: "2026-11-19"
lines:
  - {port: "25", address: 10.20.1.10, device: mail server, direction: both}
  - {port: "25", address: 10.20.1.11, device: printer, direction: send}
"""


def submitted(at=T0):
    state = fresh()
    done = reg(state, "submit", text_file("f.yaml", FORM), at=at)
    return state, done.out.split(":")[0]


def rows(state, verb="list", *args, at=None):
    return json.loads(reg(state, verb, "--json", *args, at=at).out)["rows"]


def states(state, at=None):
    return {r["line"]: r["state"] for r in rows(state, at=at)}


def records(state):
    with contextlib.closing(sqlite3.connect(state / "registry.db")) as db:
        return db.execute("SELECT count(*) FROM audit").fetchone()[0]


def journal(state):
    lines = []
    for path in sorted((state / "journal").iterdir()):
        if path.suffix == ".zst":
            data = subprocess.run(["zstd", "-dc", path], check=True,
                                  capture_output=True).stdout
        elif path.name.startswith("damaged") or path.name == "lock":
            continue
        else:
            data = path.read_bytes()
        lines += [json.loads(x) for x in data.splitlines() if x[:1] == b"{"]
    return lines


def controls(state):
    return [e["control"] for e in journal(state)
            if e.get("control", {}).get("kind") == "registry"]


# ---- the way of a form ----

def test_a_form_goes_its_way():
    state, form = submitted()
    check(form == "2026-1", form)
    check(states(state, T0) == {1: "requested", 2: "requested"}, "submit")
    due = rows(state, "due", at="2026-11-22T07:32:00Z")[0]
    check(due["due"] == "2026-11-22T09:12:00Z" and "1 h 40 m" in due["left"]
          and "!" in due["left"], due)
    reg(state, "decide", form, "return", "--reason", "which printer?",
        at="2026-11-20T19:12:00Z")
    due = rows(state, "due", at="2026-11-21T06:12:00Z")[0]
    check("paused 11 h" in due["left"] and "which printer?" in due["left"], due)
    reg(state, "submit", text_file("f.yaml", "form: 2026-1\n" + FORM),
        at="2026-11-21T06:12:00Z")
    due = rows(state, "due", at="2026-11-21T06:12:00Z")[0]
    check(due["due"] == "2026-11-22T20:12:00Z" and due["net_s"] == 36000 and
          due["elapsed_s"] == 75600, due)
    reg(state, "decide", form, "permit", "--lines", "1", "--reference", "FW-7",
        at="2026-11-21T07:00:00Z")
    now = "2026-11-21T08:00:00Z"
    check(states(state, now) == {1: "permitted", 2: "requested"}, "partly")
    check(rows(state, "list", "--state-of", "permitted", at=now)[0]["until"]
          == "2027-11-21T07:00:00Z", "12 months")
    reg(state, "confirm", "-", at=now, stdin=b"10.20.1.10 2026-1/1\n")
    line = rows(state, at=now)[0]
    check(line["entered"] == now, line)
    lost = reg(state, "confirm", "-", at="2026-11-21T09:00:00Z",
               stdin=b"10.99.0.1\n", code=4)
    check("no permit: 10.99.0.1\n" == lost.err, lost.err)
    check(rows(state, at="2026-11-21T09:00:00Z")[0]["entered"] is None, "lost")
    reg(state, "decide", form, "suspend", "--lines", "1", "--reason", "relay",
        at="2026-11-21T10:00:00Z")
    check(states(state, "2026-11-23T09:59:59Z")[1] == "permitted", "notice")
    check(states(state, "2026-11-23T10:00:00Z")[1] == "suspended", "notice")
    reg(state, "decide", form, "reinstate", "--lines", "1",
        at="2026-11-24T10:00:00Z")
    reg(state, "decide", form, "revoke", "--reason", "gone",
        at="2026-11-25T10:00:00Z")
    reg(state, "decide", form, "withdraw", at="2026-11-25T11:00:00Z")
    check(states(state, "2026-11-26") == {1: "ended", 2: "ended"}, "end")
    check(states(state, "2026-11-21T08:00:00Z")[1] == "permitted", "then")
    shown = json.loads(reg(state, "show", form, "--json", at="2026-11-26").out)
    check([r["action"] for r in shown["history"]["rows"]] ==
          ["submit", "return", "submit", "permit", "enter", "lose", "suspend",
           "reinstate", "revoke", "withdraw"], shown["history"])
    told = controls(state)
    check([c["audit"] for c in told] == list(range(1, 11)), "in the journal")
    check(told[3]["action"] == "permit" and told[3]["lines"] == [1], told[3])


def test_incomplete_forms_do_not_start_the_clock():
    state = fresh()
    text = FORM.replace("signature.name: M. Koch\n", "").replace("25", "x", 1)
    done = reg(state, "submit", text_file("f.yaml", text), at=T0, code=4)
    check("missing: Signed by (signature.name): " in done.err, done.err)
    check("clock does not run" in done.out, done.out)
    check(not rows(state, "due", at=T0), "no clock")


def test_a_corrected_address_starts_the_clock():
    state = fresh()
    wrong = FORM.replace("10.20.1.11", "10.20.1.300")
    reg(state, "submit", text_file("f.yaml", wrong), at=T0, code=4)
    reg(state, "decide", "2026-1", "return", "--reason", "typo", at=T0)
    again = text_file("f.yaml", "form: 2026-1\n" + FORM)
    done = reg(state, "submit", again, at="2026-11-21")
    check("an earlier line of the form is not complete" in done.out, done.out)
    check(not rows(state, "due", at="2026-11-21"), "no clock yet")
    reg(state, "decide", "2026-1", "withdraw", "--lines", "2",
        at="2026-11-22")
    due = rows(state, "due", at="2026-11-22")
    check(due and due[0]["due"] == "2026-11-24T00:00:00Z", due)
    done = reg(state, "submit", again, at="2026-11-23")
    check("due 2026-11-24 00:00" in done.out, done.out)
    check(states(state, "2026-11-23") ==
          {1: "requested", 2: "ended", 3: "requested"}, "states")


def test_asks_whose_form_it_is():
    state, form = submitted()
    other = "form: 2026-1\n" + FORM.replace("Lakeside HS", "Physics")
    done = reg(state, "submit", "--dry-run", text_file("f.yaml", other), at=T0)
    check("question: Site (site.name): form 2026-1 was that of 'Lakeside HS', "
          "is it the same site?\n" in done.err, done.err)
    done = reg(state, "submit", "--dry-run", at=T0,
               *[text_file("f.yaml", f"form: {form}\n" + FORM)])
    check("question" not in done.err, done.err)


def test_protects_before_the_deadline():
    config = text_file("c.yaml", "registry:\n  deadline: 2026-12-01\n"
                                 "  protect: 10d\n")
    state = fresh()
    reg(state, "submit", "-c", config, text_file("f.yaml", FORM), at=T0)
    check(rows(state, at=T0)[0]["protected_until"] == "2026-12-11T00:00:00Z",
          "deadline and ten days")
    late = fresh()
    reg(late, "submit", "-c", config, text_file("f.yaml", FORM),
        at="2026-12-01")
    check(rows(late, at="2026-12-02")[0]["protected_until"] is None, "late")


# ---- refusals ----

REFUSALS = [
    # why, verb, arguments, exit code, all of standard error (form: {f})
    ("no such form", "decide", ["2026-9", "permit"], 2,
     "span25: there is no form '2026-9'\n"),
    ("no such line", "decide", ["{f}", "permit", "--lines", "1,7"], 2,
     "span25: form '{f}' has no line 7\n"),
    ("no list", "decide", ["{f}", "permit", "--lines", "a"], 2,
     "span25: --lines: 'a' is not a list of lines such as 1,2\n"),
    ("no action", "decide", ["{f}", "bless"], 2,
     "span25: 'bless' is not one of permit|return|reject|suspend|reinstate|"
     "renew|revoke|withdraw|check|mail\n"),
    ("no reason", "decide", ["{f}", "return"], 5,
     "span25: 'return' needs --reason; nothing was changed\n"),
    ("bad until", "decide", ["{f}", "permit", "--until", "soon"], 2,
     "span25: --until: 'soon' is not a time that this action takes\n"),
    ("until without sense", "decide", ["{f}", "withdraw", "--until", "2h"], 2,
     "span25: --until: '2h' is not a time that this action takes\n"),
    ("empty list", "export", [], 5,
     "span25: no permit is in force: a list without an entry would stop "
     "everybody; --allow-empty prints it\n"),
    ("form and blank", "form", ["--blank", "{f}"], 2,
     "span25: registry form needs a form's number or --blank\n"),
    ("neither", "show", ["10.0.0.300"], 2,
     "span25: '10.0.0.300' is neither a form of the registry nor an address\n"),
]


def test_refusals_say_why_and_change_nothing():
    state, form = submitted()
    before = records(state)
    for why, verb, args, code, text in REFUSALS:
        done = reg(state, verb, *[a.format(f=form) for a in args],
                   at="2026-11-21T00:00:00Z", code=code)
        check(done.err == text.format(f=form), f"{why}: {done.err!r}")
        check(done.out == "", f"{why}: {done.out!r}")
    for args in (["suspend", "--reason", "x"], ["renew"], ["reinstate"],
                 ["revoke", "--reason", "x"]):
        done = reg(state, "decide", form, *args, at="2026-11-21", code=5)
        check(done.err.endswith("; nothing was changed\n"), done.err)
    back = reg(state, "decide", form, "permit", at="2026-11-19", code=5)
    check(back.err.count("\n") == 1, back.err)
    check(records(state) == before, "nothing was changed")
    done = Run("registry", "list").expect(2)
    check(done.err == "span25: --state DIR is needed\n", done.err)
    done = reg(fresh(), "list", code=6)
    check("registry.db: no such file" in done.err, done.err)
    done = reg(state, "list", at="yesterday", code=2)
    check("'yesterday' is not a time" in done.err, done.err)


def bytes_of(folder):
    return {p.relative_to(folder): p.read_bytes() if p.is_file() else None
            for p in folder.rglob("*")}


def test_dry_runs_change_nothing():
    state, form = submitted()
    before = records(state)
    reg(state, "decide", form, "permit", "--dry-run", at="2026-11-21")
    reg(state, "submit", "--dry-run", text_file("f.yaml", FORM),
        at="2026-11-21")
    done = reg(state, "import", "--dry-run", text_file("f.yaml", FORM),
               at="2026-11-21")
    check("nothing was changed" in done.out, done.out)
    check(records(state) == before, "records")
    left = bytes_of(state)
    for args in (["submit", "--dry-run", text_file("f.yaml", FORM)],
                 ["decide", form, "permit", "--dry-run"],
                 ["import", "--dry-run", text_file("f.yaml", FORM)],
                 ["confirm", "--dry-run", text_file("e.txt", "10.0.0.1\n")],
                 ["list"], ["show", form], ["due"], ["contacts"],
                 ["form", form]):
        reg(state, *args, at="2026-11-21", code=4 if args[0] == "confirm"
            else 0)
        check(bytes_of(state) == left, f"{args[0]} left or changed something")
    nowhere = fresh()
    reg(nowhere, "submit", "--dry-run", text_file("f.yaml", FORM))
    check(not nowhere.exists(), "the folder was made")


# ---- import ----

def test_dry_run_tells_the_difference():
    state, form = submitted()
    out = reg(state, "form", form, at=T0).out
    changed = text_file("g.yaml", out.replace("printer", "scanner") +
                        '    - {port: "25", address: 10.20.1.12, '
                        "device: relay, direction: both}\n")
    done = reg(state, "import", "--dry-run", changed, at=T0)
    for line in (f"~ form {form} (Lakeside HS)",
                 "    ~ line 2: 10.20.1.11 port 25",
                 "        device: 'printer' -> 'scanner'",
                 "    + line"):
        check(line in done.out, f"no {line!r} in\n{done.out}")
    check("line 1" not in done.out and "    - " not in done.out, done.out)
    check(done.out.endswith("0 new, 1 changed, 0 unchanged forms, 3 lines: "
                            "nothing was changed\n"), done.out)
    check(reg(state, "form", form, at=T0).out == out, "it was changed")
    reg(state, "import", changed, at=T0)
    now = text_file("h.yaml", reg(state, "form", form, at=T0).out)
    again = reg(state, "import", "--dry-run", now, at=T0).out
    check(again.count("\n") == 1 and "1 unchanged" in again, again)
    new = reg(fresh(), "import", "--dry-run", text_file("f.yaml", FORM),
              at=T0).out
    check("+ form 2026-1 (Lakeside HS), 2 lines" in new, new)


def test_imports_all_or_nothing():
    state = fresh()
    bad = text_file("bad.csv", "address,site\n10.0.0.1,a\nnonsense,b\n")
    done = reg(state, "import", bad, code=2)
    check(re.search(r"bad\.csv:3:1: 'nonsense' ", done.err), done.err)
    check(not (state / "registry.db").exists() or records(state) == 0, "none")
    good = text_file("good.csv", "address,site\n10.0.0.1,a\n10.0.0.2,a\n"
                                 "2001:db8::/64,b\n")
    done = reg(state, "import", good, at=T0)
    check(done.out.startswith("2 new"), done.out)
    n = records(state)
    done = reg(state, "import", good, at="2026-11-21")
    check(done.out.startswith("0 new, 0 changed, 2 unchanged"), done.out)
    check(records(state) == n, "twice is once")
    check({r["state"] for r in rows(state, at=T0)} == {"permitted"}, "permits")
    long = text_file("long.csv", "form,site,address,port\nA,s,10.0.1.1,25\n"
                                 "A,s,no address,25\nB,s,10.0.1.2,25\n")
    reg(state, "import", long, at="2026-11-21")
    n = records(state)
    done = reg(state, "import", long, at="2026-11-21")
    check(done.out.startswith("0 new, 0 changed, 2 unchanged"), done.out)
    check(records(state) == n, "twice is once, without numbers of lines too")


def test_forms_make_the_round():
    state, form = submitted()
    for ending in ("yaml", "csv"):
        path = fresh(f"f.{ending}")
        path.parent.mkdir(exist_ok=True)
        reg(state, "form", form, "-o", path)
        n = records(state)
        done = reg(state, "import", path, at="2026-11-21")
        check("1 unchanged" in done.out and records(state) == n,
              f"{ending}: {done.out}")
    html = reg(state, "form", form, "-o", fresh("f.html")).out
    check(html == "", html)
    blank = reg(state, "form", "--blank").out
    done = reg(state, "submit", "-", stdin=blank.encode(), at="2026-11-21",
               code=4)
    check(done.err.count("missing: ") > 5, done.err)


HOSTILE = ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\u202eevil",
           "a,b;c\td".replace("\t", " "), '"quoted"', "<script>x</script>"]


def test_hostile_texts_reach_nobody():
    for text in HOSTILE:
        state = fresh()
        form = FORM.replace("Lakeside HS", json.dumps(text, ensure_ascii=False))
        reg(state, "submit", text_file("f.yaml", form), at=T0)
        reg(state, "decide", "2026-1", "permit", at=T0)
        for args in (["list"], ["due"], ["contacts"], ["show", "2026-1"]):
            out = reg(state, *args, at=T0).out
            check("\u202e" not in out, f"{args}: {out!r}")
        for args in (["list", "--csv"], ["contacts", "--csv"],
                     ["export", "--format", "csv"]):
            for row in reg(state, *args, at=T0).out.splitlines():
                for cell in re.split(r'[,;\t"]', row):
                    check(cell.lstrip()[:1] not in ("=", "+", "@"),
                          f"{text!r}: {args}: {row!r}")
        for kind in ("nft", "ipset", "edl"):
            out = reg(state, "export", "--format", kind, at=T0).out
            check(text not in out, f"{kind}: {out}")
    state = fresh()
    done = reg(state, "submit", text_file("f.yaml", FORM.replace(
        "Lakeside HS", '"x\\e[31m"')), code=2)
    check("\x1b" not in done.err and "\x1b" not in done.out, done.err)


# ---- exports ----

def exported():
    state = fresh()
    reg(state, "import", at=T0, *[text_file(
        "a.csv", "address,site\n10.0.0.1,a\n10.1.0.0/24,b\n10.1.0.7,c\n"
                 "2001:db8::/64,d\n")])
    reg(state, "submit", text_file("f.yaml", FORM), at=T0)
    reg(state, "decide", "2026-5", "permit", at=T0)
    reg(state, "decide", "2026-3", "suspend", "--reason", "relay", "--until",
        T0, at=T0)
    return state


def namespace(program):
    if shutil.which(program) is None or shutil.which("unshare") is None:
        raise Skip(f"no {program}")
    probe = subprocess.run(["unshare", "-rn", program,
                            *(["list", "ruleset"] if program == "nft"
                              else ["list"])], capture_output=True,
                           check=False, timeout=30)
    if probe.returncode != 0:
        raise Skip(f"no namespace for {program}: {probe.stderr[-200:]!r}")


def test_nft_takes_and_gives_back():
    namespace("nft")
    state = exported()
    path = TEMP / "e.nft"
    reg(state, "export", "-o", path, at=T0)
    subprocess.run(["unshare", "-rn", "nft", "-c", "-f", path], check=True,
                   timeout=60)
    for flags in ("", "-j"):
        done = subprocess.run(
            ["unshare", "-rn", "sh", "-c",
             f"nft -f {path} && nft -f {path} && nft {flags} list ruleset"],
            check=True, capture_output=True, timeout=60)
        check(b"2026-1/1" in done.stdout, done.stdout)
        back = reg(state, "confirm", "--dry-run", "-", stdin=done.stdout,
                   at=T0)
        check("5 lines entered, 0 lost, 0 entries without a permit, 0 not"
              in back.out, f"{flags}: {back.out} {back.err}")


def test_ipset_takes_and_gives_back():
    namespace("ipset")
    state = exported()
    path = TEMP / "e.ipset"
    reg(state, "export", "--format", "ipset", "-o", path, at=T0)
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c",
         f"ipset -exist restore < {path} && ipset -exist restore < {path} && "
         "ipset save"], check=True, capture_output=True, timeout=60)
    back = reg(state, "confirm", "--dry-run", "-", stdin=done.stdout, at=T0)
    check("5 lines entered, 0 lost, 0 entries without a permit, 0 not"
          in back.out, back.out + back.err)


def test_exports_leave_out_what_is_not_permitted():
    state = exported()
    edl = reg(state, "export", "--format", "edl", at=T0).out.splitlines()
    check("10.0.0.1/32 2026-1/1" in edl, edl)
    check(not any(x.startswith("10.1.0.7/") for x in edl), edl)
    check(any(x.startswith("10.1.0.6/") for x in edl), edl)
    for kind in ("edl", "csv"):
        out = reg(state, "export", "--format", kind, at=T0).out
        back = reg(state, "confirm", "--dry-run", "-", stdin=out.encode(),
                   at=T0)
        check("5 lines entered, 0 lost, 0 entries without" in back.out,
              back.out)
    reg(state, "import", text_file("all.csv", "address,site\n0.0.0.0/0,z\n"),
        at=T0)
    done = reg(state, "export", at=T0, code=5)
    check("permits every address" in done.err and not done.out, done.err)
    state = fresh()
    reg(state, "import", text_file("halves.csv", "address,site\n0.0.0.0/1,z\n"
                                   "128.0.0.0/1,y\n"), at=T0)
    done = reg(state, "export", at=T0, code=5)
    check("line 1 and others together permit every address" in done.err and
          not done.out, done.err)


# ---- the store ----

def test_tampering_is_named():
    state, _ = submitted()
    reg(state, "decide", "2026-1", "permit", at=T0)
    with contextlib.closing(sqlite3.connect(state / "registry.db")) as db:
        db.execute("DROP TRIGGER audit_unchanged")
        db.execute("UPDATE audit SET actor = 'x' WHERE number = 2")
        db.commit()
    done = reg(state, "list", code=6)
    check("record 2 was changed" in done.err, done.err)
    with contextlib.closing(sqlite3.connect(state / "registry.db")) as db:
        db.execute("UPDATE audit SET text = replace(text, '10.20.1.10', "
                   "'10.20.1.99') WHERE number = 1")
        db.commit()
    done = reg(state, "decide", "2026-1", "renew", code=6)
    check("registry.db" in done.err and "1" in done.err, done.err)


def test_a_record_cut_off_is_missed():
    state, form = submitted()
    reg(state, "decide", form, "permit", at=T0)
    with contextlib.closing(sqlite3.connect(state / "registry.db")) as db:
        db.execute("DROP TRIGGER audit_kept")
        db.execute("DELETE FROM audit WHERE number = 2")
        db.execute("UPDATE head SET number = 1, hash = "
                   "(SELECT hash FROM audit WHERE number = 1)")
        db.commit()
    for args in (["list"], ["decide", form, "permit"]):
        done = reg(state, *args, code=6)
        check("record 2 is missing" in done.err, done.err)


def test_reads_where_nothing_can_be_written():
    state, _ = submitted()
    folder = fresh()
    folder.mkdir()
    script = ('mount -t tmpfs none "$1" && cp -r "$2" "$1/a b%?#" && '
              'mount -o remount,ro "$1" && '
              '"$3" registry list --json --state "$1/a b%?#" && '
              '! "$3" registry decide 2026-1 permit --state "$1/a b%?#"')
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none",
                       folder], capture_output=True,
                      check=False).returncode != 0:
        raise Skip("nothing can be mounted")
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script, "sh", folder,
                           state, PROGRAM], capture_output=True, check=False,
                          timeout=60)
    check(done.returncode == 0, done.stderr)
    check(len(json.loads(done.stdout)["rows"]) == 2, done.stdout)


def test_one_only_begun_stops_nobody():
    state, _ = submitted()
    for name in ("registry.db", "registry.db-wal", "registry.db-shm"):
        (state / name).unlink(missing_ok=True)
    (state / "registry.db").touch()
    reg(state, "list", code=6)
    reg(state, "submit", "--dry-run", text_file("f.yaml", FORM), at=T0)
    Run("read", "-q", "--state", state, LAB).expect(0)
    reg(state, "submit", text_file("f.yaml", FORM), at=T0)
    check(records(state) == 1, "begun anew")


def test_time_has_an_end():
    state, form = submitted()
    left = bytes_of(state)
    for at in ("2500-01-01T00:00:00Z", "2262-04-12", "106751d"):
        done = reg(state, "decide", form, "permit", at=at, code=2)
        check("is not a time" in done.err, done.err)
    check(bytes_of(state) == left, "something was changed")
    reg(state, "decide", form, "permit", at="2262-04-11")
    check(rows(state, at="2262-04-11")[0]["state"] == "permitted", "last day")


def test_forms_do_not_fall_into_one():
    state = fresh()
    reg(state, "submit", at=T0, *[text_file(
        "f.yaml", "form: 2026-999999999\n" + FORM)])
    numbers = {reg(state, "submit", text_file("f.yaml", FORM.replace(
        "10.20.", f"10.3{i}.")), at=T0).out.split(":")[0] for i in range(4)}
    check(len(numbers) == 4 and "2026-999999999" not in numbers, numbers)
    for number in ("--all", "..", ".x", "-1"):
        done = reg(state, "submit", at=T0, code=2, *[text_file(
            "f.yaml", f'form: "{number}"\n' + FORM)])
        check("is not the number of a form" in done.err, done.err)


def test_what_is_written_is_a_file_of_its_own():
    state = exported()
    folder = fresh()
    folder.mkdir()
    victim = folder / "victim"
    victim.write_text("mine")
    (folder / "out.new").symlink_to(victim)
    reg(state, "export", "-o", folder / "out", at=T0)
    check(victim.read_text() == "mine", "a planted link was written through")
    check((folder / "out").read_text().startswith("#!/usr/sbin/nft"), "out")
    (folder / "out.new").write_text("left by one that was killed")
    reg(state, "export", "-o", folder / "out", at=T0)
    check(sorted(p.name for p in folder.iterdir()) == ["out", "victim"], "rest")
    os.mkfifo(folder / "pipe")
    with subprocess.Popen(["cat", folder / "pipe"],
                          stdout=subprocess.PIPE) as job:
        reg(state, "export", "-o", folder / "pipe", at=T0)
        check(job.communicate(timeout=60)[0].startswith(b"#!/usr"), "pipe")
    check((folder / "pipe").is_fifo(), "a file is in the place of the pipe")


def test_lists_that_are_not_whole():
    state = exported()
    nft = reg(state, "export", at=T0).out
    reg(state, "confirm", "-", stdin=nft.encode(), at=T0)
    n = records(state)
    done = reg(state, "confirm", "-", stdin=nft[:nft.rindex("}")].encode(),
               at=T0, code=2)
    check("the list ends in the middle" in done.err, done.err)
    done = reg(state, "confirm", "-", stdin=b"", at=T0, code=5)
    check("--allow-empty" in done.err and records(state) == n, done.err)
    done = reg(state, "confirm", "--allow-empty", "-", stdin=b"", at=T0)
    check(", 5 lost, 0 " in done.out.replace(" lines entered", ""), done.out)


def test_ports_by_turns_cost_no_more():
    state = fresh()
    text = "form,site,address,port,direction\n" + "".join(
        f"A,s,10.{i >> 8}.{i & 255}.1,{25 if i & 1 else 587},both\n"
        for i in range(20000))
    reg(state, "import", "--permitted", text_file("a.csv", text), at=T0)
    nft = reg(state, "export", at=T0).out
    began = time.monotonic()
    done = reg(state, "confirm", "-", stdin=nft.encode(), at=T0)
    check("20000 lines entered" in done.out, done.out)
    check(time.monotonic() - began < 10, "not linear")


def test_many_begin_at_once():
    state = fresh()
    form = text_file("f.yaml", FORM)
    jobs = [subprocess.Popen([PROGRAM, "registry", "submit", "--state", state,
                              form], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE) for _ in range(16)]
    done = [(*j.communicate(timeout=60), j.returncode) for j in jobs]
    check(all(d[2] == 0 for d in done), done)
    check(records(state) == 16, records(state))


def test_two_at_once():
    state, _ = submitted()
    jobs = [subprocess.Popen([PROGRAM, "registry", "submit", "--state", state,
                              "--at", T0, text_file("f.yaml", FORM)],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(8)]
    numbers = {j.communicate(timeout=60)[0].split(b":")[0] for j in jobs}
    check(len(numbers) == 8, numbers)
    check(records(state) == 9, records(state))
    reg(state, "decide", "2026-1", "permit", at=T0)
    told = [c["audit"] for c in controls(state)]
    check(told == list(range(1, 11)), told)


def test_kill_between_store_and_journal():
    """A record that is in the store only, with and without an intent."""
    state, _ = submitted()
    reg(state, "decide", "2026-1", "permit", at=T0)
    with contextlib.closing(sqlite3.connect(state / "registry.db")) as db:
        db.execute("DROP TRIGGER audit_carried_once")
        db.execute("UPDATE audit SET carried = NULL")
        db.execute("UPDATE intent SET number = 1, seq = 1")
        db.commit()
    reg(state, "decide", "2026-1", "renew", "--until", "2030-01-01", at=T0)
    told = [c["audit"] for c in controls(state)]
    check(told == [1, 2, 3], f"each once: {told}")


def test_killed_at_any_time():
    """Whatever is in the store is in the journal, once, in the end."""
    state, _ = submitted()
    form = text_file("f.yaml", FORM)
    begun = time.monotonic()
    reg(state, "submit", form, at=T0)
    whole = time.monotonic() - begun
    for n in range(120):
        job = subprocess.Popen([PROGRAM, "registry", "submit", "--state",
                                state, "--at", T0, form],
                               stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
        time.sleep(whole * (0.3 + n % 40 / 40))
        job.kill()
        job.wait(timeout=60)
    reg(state, "decide", "2026-1", "permit", at=T0)
    told = [c["audit"] for c in controls(state)]
    check(told == list(range(1, records(state) + 1)), told)
    check(len(told) > 5, "none got through")


# ---- who is seen ----

def read_lab():
    state = fresh()
    Run("read", "-q", "--state", state, "--home", "10.0.0.0/8", LAB).expect(0)
    return state


def test_candidates_become_forms():
    state = read_lab()
    path = TEMP / "forms.yaml"
    found = rows(state, "candidates", "-o", path)
    hosts = {r["address"] for r in found}
    check("10.20.1.10" in hosts and len(hosts) > 3, hosts)
    check(not any(r["direction"] == "send" and r["port"] in (465, 587)
                  for r in found), "submission outward is no candidate")
    reg(state, "import", "--permitted", path)
    left = {r["address"] for r in rows(state, "candidates")}
    bots = {r["address"] for r in found if "spam bot" in r["looks_like"]}
    check(left == bots, f"{left} are left, not {bots}")
    events = TEMP / "lab.jsonl"
    Run("read", "-q", "--events", events, "--home", "10.0.0.0/8",
        LAB).expect(0)
    done = Run("registry", "candidates", "--json", "--events", events).expect(0)
    check({r["address"] for r in json.loads(done.out)["rows"]} == hosts,
          "from a file")
    events.write_text(events.read_text() + "{broken\n")
    done = Run("registry", "candidates", "--events", events).expect(4)
    check(re.search(r"lab\.jsonl:\d+: column ", done.err), done.err)
    done = Run("registry", "candidates").expect(2)
    check(done.err == "span25: --state DIR or --events FILE is needed\n",
          done.err)


def test_letters_are_written_and_not_sent():
    state = read_lab()
    config = text_file("c.yaml", "registry:\n  deadline: \"2027-01-31\"\n"
                                 "  support: \"<b>desk</b>\"\n")
    folder = fresh("letters")
    reg(state, "letters", "-c", config, "--out", folder)
    names = sorted(p.name for p in folder.iterdir())
    check(names and len(names) % 3 == 0, names)
    for path in folder.iterdir():
        text = path.read_text()
        if path.name.endswith(".form.html"):
            # nobody is asked to register what behaves like a bot
            bot = "10.20.4.17" in path.with_name(path.name.replace(".form", "")).read_text()
            check("Registration of mail servers" in text and "spam" not in text
                  and ("10.20.4.17" in text) != bot or not bot, text)
            continue
        check("This is not a report of abuse." in text and "2027-01-31" in text
              and "within 48 hours" in text and "spam" not in text, text)
        check(("<b>" in text) == (path.suffix == ".txt"), text)
    done = reg(state, "letters", "-c", config, "--out", folder, code=1)
    check("File exists" in done.err, done.err)
    done = reg(state, "letters", "--out", fresh("x"), code=2)
    check("registry.deadline" in done.err, done.err)
    done = reg(state, "letters", code=2)
    check(done.err == "span25: --out DIR is needed\n", done.err)


def test_letters_carry_a_link_of_their_own():
    state = read_lab()
    config = text_file("c.yaml", "registry:\n  deadline: \"2027-01-31\"\n"
                                 "  url: https://register.example.org\n")
    folder = fresh("letters")
    reg(state, "letters", "-c", config, "--out", folder)
    links = [re.search(r"https://register\.example\.org/#([0-9A-Z-]{23}) ",
                       p.read_text()) for p in folder.glob("*.txt")]
    bots = sum("10.20.4.17" in p.read_text() for p in folder.glob("*.txt"))
    links = [m.group(1) for m in links if m]
    check(len(links) == len(set(links)) == len(list(folder.glob("*.txt"))) - bots,
          links)
    kept = list((state / "drafts").iterdir())
    check(len(kept) == len(links) and (state / "drafts").stat().st_mode & 0o77 == 0,
          kept)
    names = {hashlib.sha256(link.encode()).hexdigest() for link in links}
    check({p.name for p in kept} == names, "links cannot be read from names")
    check(not any(link in p.read_text() for p in kept for link in links),
          "nor from what is kept")


def test_shows_what_was_seen_beside_what_is_attested():
    state = read_lab()
    form = text_file("f.yaml", FORM + "conditions.no_open_relay: \"yes\"\n")
    reg(state, "submit", form)
    shown = json.loads(reg(state, "show", "2026-1", "--json", "--checks").out)
    check(shown["complete"] and shown["faults"] == [] and
          shown["form"]["contacts.site.phone"] == "+1 555 0100" and
          shown["form"]["lines"][1]["address"] == "10.20.1.11", shown["form"])
    of = {(r["line"], r["requirement"]): r for r in shown["checks"]["rows"]}
    relay, server = of[1, "open_relay"], of[1, "speaks_smtp"]
    check(relay["attested"] == "yes" and relay["answer"] == "none_observed",
          relay)
    check(server["answer"] == "observed" and server["count"] > 0 and
          server["attested"] is None, server)
    check(of[1, "mail_without_auth"]["answer"] == "not_observable", of)
    shown = json.loads(reg(state, "show", "2026-1", "--json").out)
    check("checks" not in shown, shown.keys())
    check("greets with 220" in reg(state, "show", "2026-1", "--checks").out,
          "for people")
    broken = FORM.replace("site.name: Lakeside HS\n", "")
    reg(state, "submit", text_file("f.yaml", broken), code=4)
    shown = json.loads(reg(state, "show", "2026-2", "--json").out)
    check([(f["path"], f["line"], f["asks"]) for f in shown["faults"]] ==
          [("site.name", 0, False)] and not shown["complete"], shown["faults"])


# ---- a reading ----

def test_takes_force_in_a_running_reading():
    capture = LAB.read_bytes()
    lines = Run("read", "--events", "-", LAB).expect(0).out.splitlines()
    hosts = {}
    for e in map(json.loads, lines):
        if e.get("src_ip") and e["event_type"] == "smtp":
            hosts.setdefault(e["src_ip"], []).append(e["timestamp"])
    host = max(hosts, key=lambda h: len(hosts[h]))
    day = min(hosts[host])[:10]
    state = fresh()
    reg(state, "submit", text_file("f.yaml", FORM), at=day)
    out = TEMP / "live.jsonl"
    with open(out, "wb") as to, subprocess.Popen(
            [PROGRAM, "read", "--state", state, "--events", "-", "--home",
             host + "/32", "-q", "-"], stdin=subprocess.PIPE, stdout=to) as job:
        half = len(capture) // 2
        job.stdin.write(capture[:half])
        job.stdin.flush()
        time.sleep(1)
        reg(state, "import", at=day, *[text_file(
            "a.csv", f"address,site\n{host},post\n")])
        time.sleep(0.3)
        job.stdin.write(capture[half:])
        job.stdin.close()
        check(job.wait(timeout=60) == 0, "the reading failed")
    seen = [json.loads(x) for x in out.read_bytes().splitlines()]
    kinds = [("control" if e.get("control", {}).get("action") == "permit" else
              e["src_reg"]["state"]) for e in seen
             if e.get("control", {}).get("action") == "permit" or
             (e.get("src_ip") == host and "src_reg" in e)]
    at = kinds.index("control")
    check(set(kinds[:at]) <= {"unregistered"}, kinds)
    check(set(kinds[at + 1:]) == {"registered"}, kinds)
    check([(c["audit"], c["action"]) for c in controls(state)] ==
          [(1, "submit"), (2, "submit"), (3, "permit"), (4, "see")],
          controls(state))


def test_a_host_nobody_named_has_the_site_of_its_network():
    lines = Run("read", "--events", "-", LAB).expect(0).out.splitlines()
    host = next(e["src_ip"] for e in map(json.loads, lines)
                if e["event_type"] == "smtp")
    config = text_file("c.yaml", f"network:\n  home: [{host}/32]\n"
                       "registry:\n  deadline: 2026-12-31\nsites:\n"
                       "  - {code: hall, name: Old Hall, "
                       f"prefixes: [{host}/32]}}\n")
    events = TEMP / "site.jsonl"
    Run("read", "-q", "-c", config, "--events", events, LAB).expect(0)
    found = json.loads(Run("registry", "candidates", "-c", config, "--events",
                           events, "--json").expect(0).out)["rows"]
    check(found and {r["site"] for r in found} == {"hall"}, found)
    out = fresh("letters")
    out.parent.mkdir(exist_ok=True)
    Run("registry", "letters", "-c", config, "--events", events, "--out",
        out).expect(0)
    names = sorted(p.name for p in out.iterdir())
    check(names == ["001-hall.form.html", "001-hall.html", "001-hall.txt"],
          names)


def test_packets_of_the_future_do_not_stop_the_registry():
    data = LAB.read_bytes()
    check(data[:4] == b"\xd4\xc3\xb2\xa1", "not in this machine's order")
    ahead = int(time.time()) + 200 * 86400 - struct.unpack_from("<I", data,
                                                                24)[0]
    out, at = [data[:24]], 24
    while at < len(data):
        second, *rest = struct.unpack_from("<IIII", data, at)
        out += [struct.pack("<IIII", second + ahead, *rest),
                data[at + 16:at + 16 + rest[1]]]
        at += 16 + rest[1]
    capture = text_file("ahead.pcap", b"".join(out))
    lines = Run("read", "--events", "-", LAB).expect(0).out.splitlines()
    host = next(e["src_ip"] for e in map(json.loads, lines)
                if e["event_type"] == "smtp")
    state = fresh()
    reg(state, "import", text_file("a.csv", f"address,site\n{host},post\n"))
    Run("read", "-q", "--state", state, "--home", host + "/32",
        capture).expect(0)
    seen = [c for c in controls(state) if c["action"] == "see"]
    check(len(seen) == 1, "the first mail")
    reg(state, "decide", rows(state)[0]["form"], "renew")


def main():
    global PROGRAM, MAKE, TEMP
    PROGRAM, MAKE = sys.argv[1:3]
    wanted = sys.argv[3:]
    passed = skipped = 0
    with tempfile.TemporaryDirectory(prefix="span25-registry-") as temp:
        TEMP = pathlib.Path(temp)
        for name, test in sorted(globals().items()):
            if not name.startswith("test_") or \
                    (wanted and name[5:] not in wanted):
                continue
            try:
                test()
                passed += 1
            except Skip as why:
                skipped += 1
                print(f"skipped {name[5:]}: {why}")
            except Exception as why:  # pylint: disable=broad-except
                failures.append(name)
                print(f"FAILED {name[5:]}: {type(why).__name__}: {why}")
    print(f"\n{passed} passed, {len(failures)} failed, {skipped} skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
