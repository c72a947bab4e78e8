#!/usr/bin/env python3
"""Check the verbs of rules with the real program.

    rules_test.py PROGRAM [NAME...]

Folders of rules are listed, checked, tested and explained; every refusal has
its exit code and its line, and the others are loaded all the same.

Each test prints why it failed. The last line is "N passed, N failed".
"""
import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PACKS = HERE.parent / "rules" / "packs"
LAB = HERE / "fixtures" / "lab.pcap"
PATIENCE = 240
ID = "11111111-1111-4111-8111-11111111111%d"
PROGRAM = TEMP = None


def check(good, why):
    if not good:
        raise AssertionError(why)


class Run:
    def __init__(self, *args, stdin=None, cwd=None, user=None, program=None):
        done = subprocess.run([program or PROGRAM, *map(str, args)],
                              input=stdin, cwd=cwd, user=user,
                              capture_output=True, check=False, text=True,
                              errors="replace", timeout=PATIENCE)
        self.args = args
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr

    def expect(self, code):
        check(self.code == code, f"{self.args}: exit {self.code}, not {code}: "
                                 f"{self.out[-500:]} {self.err[-1500:]}")
        return self

    def says(self, *words):
        for word in words:
            check(word in self.out + self.err,
                  f"{self.args}: does not say {word!r}: {self.out[-1500:]} "
                  f"{self.err[-1500:]}")
        return self


def folder(files):
    """A new folder with these files, text by name."""
    root = pathlib.Path(tempfile.mkdtemp(dir=TEMP))
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def rule(title, number=None, helo="a", **more):
    lines = [f"title: {title}"]
    if number is not None:
        lines.append(f"id: {ID % number}")
    lines += [f"{key}: {value}" for key, value in more.items()]
    lines += ["logsource: {product: span25, service: smtp}",
              f"detection: {{s: {{smtp.helo: {helo}}}, condition: s}}"]
    return "\n".join(lines) + "\n"


def event(helo="a", second=0, **smtp):
    return json.dumps({"timestamp": f"2026-11-22T10:00:{second:02}Z",
                       "event_type": "smtp", "src_ip": "10.2.3.4",
                       "smtp": {"helo": helo, **smtp}}) + "\n"


def config(text):
    path = pathlib.Path(tempfile.mkdtemp(dir=TEMP)) / "span25.yaml"
    path.write_text(text)
    return path


def rows(*args):
    return json.loads(Run("rules", "list", "--json", *args).out)["rows"]


def shipped_files():
    return sorted(str(p.relative_to(PACKS)) for p in PACKS.glob("*/*.yaml"))


# ---- list ----

def test_list_shows_every_shipped_file():
    got = rows()
    check(sorted({r["file"] for r in got}) == shipped_files(),
          f"files: {got}")
    for row in got:
        check(row["pack"] == row["file"].split("/")[0], f"pack: {row}")
        check(row["use"] in ("alerts", "serves"), f"use: {row}")
        if row["use"] == "alerts":
            check(row["id"], f"no id: {row}")
            check(row["level"] in ("high", "medium", "low", "informational"),
                  f"level: {row}")
    levels = ["critical", "high", "medium", "low", "informational", "none"]
    ranks = [levels.index(r["level"]) for r in got]
    check(ranks == sorted(ranks), "the gravest are not first")


def test_list_has_no_id_twice():
    ids = [r["id"] for r in rows() if r["id"]]
    check(len(ids) == len(set(ids)), "an id is there twice")


def test_list_as_csv_and_for_people():
    done = Run("rules", "list", "--csv").expect(0)
    table = list(csv.DictReader(io.StringIO(done.out)))
    check(len(table) == len(rows()), "rows of CSV")
    check(set(table[0]) >= {"level", "pack", "use", "title", "id", "file"},
          f"columns: {table[0]}")
    Run("rules", "list").expect(0).says("LEVEL", "TITLE", "alerts")


def test_list_a_folder_beside_the_shipped():
    root = folder({"a.yaml": rule("mine", 1), "b/c.yml": rule("deep", 2),
                   "not.txt": "title: [\n", ".hidden.yaml": "title: [\n"})
    done = Run("rules", "list", "--rules", root).expect(0)
    check(done.err == "", done.err)
    got = {r["title"]: r for r in rows("--rules", root)}
    check(got["mine"]["pack"] == "local", f"{got['mine']}")
    check(got["deep"]["file"].endswith("b/c.yml"), f"{got['deep']}")


def test_list_with_a_fault_is_partial():
    root = folder({"a.yaml": "title: [\n", "b.yaml": rule("mine", 1)})
    done = Run("rules", "list", "--rules", root).expect(4)
    done.says("a.yaml:2:1: not valid YAML", "mine")
    check(len(done.err.splitlines()) == 1, done.err)


def test_list_without_the_folder():
    Run("rules", "list", "--rules", "/nowhere/at/all").expect(2).says(
        "/nowhere/at/all: No such file or directory")


def test_own_rule_replaces_the_shipped_one():
    first = shipped_files()[0]
    one = next(r for r in rows() if r["file"] == first and r["id"])
    text = rule("my own of it", None).replace(
        "title:", f"id: {one['id']}\ntitle:")
    root = folder({"a.yaml": text})
    done = Run("rules", "list", "--json", "--rules", root).expect(0)
    done.says(f"'{one['id']}' is replaced by {root}/a.yaml:1")
    got = [r for r in json.loads(done.out)["rows"] if r["id"] == one["id"]]
    check([r["title"] for r in got] == ["my own of it"], f"{got}")


def test_packs_are_chosen():
    check(rows("-c", config("rules:\n  packs: [none]\n")) == [], "none")
    got = rows("-c", config("rules:\n  packs: [protocol]\n"))
    check({r["pack"] for r in got} == {"protocol"}, f"{got}")
    Run("rules", "list", "-c", config("rules:\n  packs: [protocl]\n")).expect(
        2).says("there is no pack 'protocl', did you mean 'protocol'?")


def test_rules_are_disabled():
    one = next(r for r in rows() if r["use"] == "alerts")
    got = rows("-c", config(f"rules:\n  disable: ['{one['id']}']\n"))
    row = next(r for r in got if r["id"] == one["id"])
    check(row["use"] == "disabled", f"{row}")
    Run("rules", "list", "-c", config("rules:\n  disable: [nobody]\n")).expect(
        2).says("no rule has the id or name 'nobody'")


def test_a_disabled_rule_serves_its_correlation():
    root = folder({"a.yaml": rule("base", 1, name="base") +
                   "---\ntitle: two\ncorrelation: {type: event_count, rules: "
                   "[base], timespan: 1m, condition: {gte: 2}}\n"})
    conf = config(f"rules:\n  dir: {root}\n  disable: [base]\n"
                  "  packs: [none]\n")
    (root / "e.json").write_text(event() + event(second=1))
    Run("rules", "explain", "two", "-c", conf, "--events",
        root / "e.json").expect(0).says("of 2 events 1 matches",
                                        "2 matches of 'base'")


# ---- check ----

def test_check_counts_and_names_every_fault():
    root = folder({
        "good.yaml": rule("good", 1),
        "two.yaml": rule("first", 2) + "---\n" + rule("bad", 3, helo="null]"),
        "foreign.yaml": "title: f\nlogsource: {product: windows}\n"
                        "detection: {s: {Image: a}, condition: s}\n",
        "field.yaml": rule("field", 4).replace("smtp.helo", "smtp.hello"),
        "lost.yaml": "title: c\ncorrelation: {type: event_count, rules: "
                     "[nobody], timespan: 1m, condition: {gte: 2}}\n",
    })
    done = Run("rules", "check", root).expect(4)
    done.says("5 files: 3 rules, 0 correlations, 0 filters loaded",
              "1 rule is for other log sources", "3 documents refused",
              "field.yaml:4:17: smtp.hello: there is no such field, did you "
              "mean 'smtp.helo'?",
              "lost.yaml:2:", "no rule has the id or name 'nobody'")
    check(len(done.err.splitlines()) == 3, done.err)


def test_check_a_good_folder():
    root = folder({"a.yaml": rule("a", 1), "b.yaml": rule("b", 2)})
    done = Run("rules", "check", root).expect(0)
    check(done.err == "", done.err)
    done.says("2 files: 2 rules, 0 correlations, 0 filters loaded",
              "0 documents refused")


def test_check_may_look_at_shipped_rules():
    one = next(r for r in rows() if r["kind"] == "rule" and r["id"])
    root = folder({"c.yaml": "title: c\ncorrelation: {type: event_count, "
                             f"rules: ['{one['id']}'], timespan: 1m, "
                             "condition: {gte: 2}}\n"})
    Run("rules", "check", root).expect(0)


def test_check_the_shipped_as_files():
    done = Run("rules", "check", PACKS).expect(0)
    check(f"{len(shipped_files())} file" in done.out, done.out)
    check(done.err == "", done.err[-500:])  # copies replace without a word


def test_check_links():
    root = folder({"a.yaml": rule("a", 1), "in/b.yaml": rule("b", 2)})
    (root / "in" / "round").symlink_to(root)
    (root / "linked.yaml").symlink_to(root / "in" / "b.yaml")
    (root / "nowhere.yaml").symlink_to(root / "gone")
    os.mkfifo(root / "pipe.yaml")
    done = Run("rules", "check", root).expect(4)
    done.says("3 files", "nowhere.yaml: No such file or directory",
              "1 path not read", f"'{ID % 2}' is there twice")


def test_check_unreadable():
    root = folder({"a.yaml": rule("a", 1), "b/c.yaml": rule("b", 2)})
    program = shutil.copy(PROGRAM, root / "span25")
    (root / "a.yaml").chmod(0)
    (root / "b").chmod(0)
    user = None
    if os.geteuid() == 0:  # who reads everything
        user = 65534
        for path in (pathlib.Path(TEMP), root):
            path.chmod(0o755)
    done = Run("rules", "check", root, user=user, program=program).expect(4)
    (root / "b").chmod(0o700)
    done.says("a.yaml: Permission denied", "2 paths not read")


def test_check_deep_folders():
    root = folder({"a.yaml": rule("a", 1)})
    deep = root
    for _ in range(40):
        deep = deep / "d"
        deep.mkdir()
    (deep / "b.yaml").write_text(rule("b", 2))
    Run("rules", "check", root).expect(4).says(
        "is in too many folders", "1 file:", "1 path not read")


def test_check_is_the_same_in_any_order():
    names = [f"{n:02}.yaml" for n in range(30)]
    texts = {n: rule(f"t{n}").replace("title:", f"name: same{i // 2}\ntitle:")
             for i, n in enumerate(names)}
    first = folder(texts)
    second = folder(dict(reversed(texts.items())))
    one = Run("rules", "check", ".", cwd=first).expect(4)
    two = Run("rules", "check", ".", cwd=second).expect(4)
    check(one.err == two.err and one.out == two.out, one.err + two.err)


def test_check_hostile_names():
    root = folder({"a\x1b[31m\n.yaml": "title: [\n"})
    done = Run("rules", "check", root).expect(4)
    check("\x1b" not in done.err and len(done.err.splitlines()) == 1,
          repr(done.err))


# ---- test ----

def test_shipped_rules_pass():
    done = Run("rules", "test").expect(0)
    check(", 0 failed" in done.out, done.out[-500:])
    got = json.loads(Run("rules", "test", "--json").expect(0).out)["rows"]
    for row in got:
        check(row["fires"] >= 1 and row["quiet"] >= 1
              and row["result"] == "passed", f"{row}")
    check(sorted({r["file"] for r in got}) == shipped_files(), "files")


def test_shipped_as_files_pass():
    done = Run("rules", "test", PACKS).expect(0)
    check(", 0 failed" in done.out, done.out[-500:])


def test_results():
    good = "# fires: y\n" + event() + "# quiet: n\n" + event("b")
    table = {
        "passed": good,
        "failed": good + "# quiet: n\n" + event(),
        "no case that fires": "# quiet: n\n" + event("b"),
        "no case that is quiet": "# fires: y\n" + event(),
        "its cases have a fault": good + "x\n",
    }
    for want, text in table.items():
        root = folder({"a.yaml": rule("a", 1), "a.cases": text})
        done = Run("rules", "test", root, "--json").expect(
            0 if want == "passed" else 1)
        got = json.loads(done.out)["rows"]
        check([r["result"] for r in got] == [want], f"{want}: {got}")
    root = folder({"a.yaml": rule("a", 1), "b.yaml": "title: [\n"})
    got = json.loads(Run("rules", "test", root, "--json").expect(1).out)["rows"]
    check([r["result"] for r in got] == ["no cases", "its rules have a fault"],
          f"{got}")


def test_exit_codes_of_a_fault():
    """One table for all verbs that load rules: the others are in force."""
    root = folder({"a.yaml": rule("a", 1), "b.yaml": "title: [\n",
                   "a.cases": "# fires: y\n" + event() + "# quiet: n\n" +
                              event("b")})
    for verb in (["rules", "list", "--rules", root],
                 ["rules", "check", root], ["rules", "test", root],
                 ["rules", "explain", ID % 1, "--rules", root],
                 ["read", "--rules", root, LAB]):
        Run(*verb).expect(4).says("b.yaml:")


def test_a_failed_case_says_why():
    root = folder({"a.yaml": rule("a", 1),
                   "a.cases": "# fires: a name\n" + event("b")})
    for argument in ("a.yaml", "a.cases"):
        Run("rules", "test", root / argument).expect(1).says(
            "a.cases:1:1: 'a' did not fire: a name",
            "    s: smtp.helo: a: no, has 'b'", "0 passed, 1 failed")


def test_cases_without_rules():
    root = folder({"a.cases": "# fires: a name\n" + event("b")})
    Run("rules", "test", root / "a.cases").expect(4).says(
        "a.yml: No such file or directory")


def test_program_alone():
    """The packs are within the program, wherever it is copied."""
    root = folder({})
    shutil.copy(PROGRAM, root / "span25")
    done = subprocess.run([root / "span25", "rules", "test"], cwd="/",
                          capture_output=True, text=True, check=False,
                          timeout=PATIENCE)
    check(done.returncode == 0 and "passed" in done.stdout, done.stderr)


# ---- explain ----

def test_every_shipped_rule_explains_itself():
    for row in rows():
        if row["use"] != "alerts":
            continue
        Run("rules", "explain", row["id"]).expect(0).says(
            row["title"], "why it matters", "limit, and how it was chosen",
            "benign causes", "what to do", "what it looks for",
            "what an alert says")


def test_explain_by_what():
    root = folder({"a.yaml": rule("Some Title", 1, name="some_name")})
    for word in (ID % 1, "11111111", "some_name", "some title"):
        Run("rules", "explain", "--rules", root, word).expect(0).says(
            "Some Title", "id " + ID % 1, "logsource: product span25",
            "s: smtp.helo: a")
    for word in ("some_n", "SOME ti", "Some T"):
        Run("rules", "explain", "--rules", root, word).expect(0).says(
            "id " + ID % 1)
    for word in ("Som", "ome Title"):
        Run("rules", "explain", "--rules", root, word).expect(2).says(
            "no rule has")
    two = folder({"a.yaml": rule("Some Title", 1), "b.yaml": rule("Some", 2),
                  "c.yaml": rule("Something", 3)})
    Run("rules", "explain", "--rules", two, "some").expect(0).says(ID % 2)
    Run("rules", "explain", "--rules", two, "some t").expect(0).says(ID % 1)
    Run("rules", "explain", "--rules", two, "Somet").expect(0).says(ID % 3)
    two = folder({"a.yaml": rule("Twin one", 1), "b.yaml": rule("Twin two", 2)})
    Run("rules", "explain", "--rules", two, "twin").expect(2).says(
        "several rules begin with 'twin'", ID % 1 + "  Twin one",
        ID % 2 + "  Twin two")
    Run("rules", "explain", "--rules", root, "Some Titel").expect(2).says(
        "did you mean 'Some Title'?")


def test_explain_a_match():
    root = folder({"a.yaml": rule("a", 1)})
    text = event("b") + event("A", 7) + "{\n" + event("c")
    done = Run("rules", "explain", "a", "--rules", root, "--events", "-",
               stdin=text).expect(4)
    done.says("line 2, 2026-11-22T10:00:07Z: matches",
              "    s: smtp.helo: a: yes, 'A'", "of 3 events 1 matches",
              "-:3: column 2: a key is missing")
    check("nearest" not in done.out, done.out)


def test_explain_why_not():
    text = ("title: two things\nlogsource: {product: span25, service: smtp}\n"
            "detection: {s: {smtp.helo: a, smtp.outcome: accepted}, "
            "f: {src_ip|cidr: 10.0.0.0/8}, condition: s and not f}\n")
    root = folder({"a.yaml": text})
    events = event("x", outcome="rejected") + event("a", 1, outcome="rejected")
    (root / "e.json").write_text(events)
    Run("rules", "explain", "two things", "--rules", root, "--events",
        root / "e.json").expect(0).says(
            "of 2 events 0 match", "nearest: line 2",
            "s: smtp.helo: a: yes, 'a'",
            "s: smtp.outcome: accepted: no, has 'rejected'",
            "f: src_ip|cidr: 10.0.0.0/8: yes, '10.2.3.4'")


def test_explain_on_the_lab():
    root = folder({})
    events = root / "events.json"
    Run("read", "--events", events, LAB).expect(0)
    for row in rows():
        Run("rules", "explain", row["id"] or row["name"], "--events",
            events).expect(0).says("match")


def test_explain_hostile_values():
    root = folder({"a.yaml": rule("a", 1, helo="'*'")})
    done = Run("rules", "explain", "a", "--rules", root, "--events", "-",
               stdin=event("\x1b[31mx\u202e")).expect(0)
    check("\x1b" not in done.out and "\u202e" not in done.out, repr(done.out))


def main():
    global PROGRAM, TEMP
    PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
    wanted = sys.argv[2:]
    counts = {"passed": 0, "failed": 0}
    with tempfile.TemporaryDirectory() as temp:
        TEMP = temp
        for name, test in sorted(globals().items()):
            if not name.startswith("test_"):
                continue
            if wanted and name not in wanted:
                continue
            try:
                test()
                counts["passed"] += 1
            except (AssertionError, subprocess.TimeoutExpired,
                    json.JSONDecodeError, StopIteration, KeyError) as why:
                counts["failed"] += 1
                print(f"{name}: {type(why).__name__}: {why}")
    print(", ".join(f"{n} {word}" for word, n in counts.items()))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
