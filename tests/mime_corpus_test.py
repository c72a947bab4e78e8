#!/usr/bin/env python3
"""Read the shared messages and compare with what is known of their parts.

    mime_corpus_test.py [--tool FILE] [--cuts N] [--table FILE] [-v] FOLDER

FOLDER is shared/messages (its README says what the facts are). Three yardsticks:

1. clean: where three parsers agree, names, sizes and SHA-256 of the attachments
   are equal, also with line ends as on the wire.
2. broken: in mime-is-broken the exact payload (content-*) or the true name
   (filename-*) comes out, or an oddity says that clients differ.
3. quiet: no clean message has such an oddity. Rows of
   mime_corpus_exceptions.csv (file, kind, reason) are those that have one, or
   differ from the parsers, for a reason; a row that explains nothing is a
   failure too.

Each message is read whole, byte by byte and in random cuts: all the same.
"""
import argparse
import collections
import csv
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
EXCEPTIONS = HERE / "mime_corpus_exceptions.csv"
SHARE_MIN = 0.85
NAME_CUT = 80  # the manifest cuts names there


def parts_of(tool, folder, files, cuts, crlf):
    command = [tool, "--cuts", str(cuts)] + (["--crlf"] if crlf else [])
    with tempfile.TemporaryDirectory() as save:
        done = subprocess.run(
            command + files, cwd=folder, capture_output=True, check=False,
            timeout=3000, env=dict(os.environ, MIME_PARTS_SAVE=save))
        if done.returncode != 0:
            raise RuntimeError(f"exit {done.returncode}: "
                               + done.stderr[-2000:].decode(errors="replace"))
        found = {}
        for line in done.stdout.splitlines():
            m = json.loads(line)
            m["parts"].pop()
            for p in m["parts"]:
                data = (pathlib.Path(save) / p["sha256"]).read_bytes()
                unix = data.replace(b"\r\n", b"\n")
                p["unix"] = hashlib.sha256(unix).hexdigest()
                p["unix_size"] = len(unix)
                p["names"] = [n.encode("latin-1").decode(errors="replace")
                              for n in p["names"]]
            found[m["file"]] = m
    return found


def forks(m):
    return [o[1:] for o in m["odd"] if o.startswith("*")]


def known(row):
    """The attachments of the manifest: (name, size, sha256)."""
    field = row["attachments(name|size|sha256)"]
    for one in re.findall(r"(.*?)\|(None|\d+)\|(None|[0-9a-f]{64})(?:; |$)",
                          field, re.S):
        yield one


def has_part(m, name, size, sha, unix):
    for p in m["parts"]:
        if unix:
            same = sha in (p["unix"], p["sha256"])
        else:
            same = sha == p["sha256"] and int(size) == p["size"]
        if same and (name == "(none)" or same_name(name, p["names"])):
            return True
    return False


def plain(name):
    """Without what differs only by unfolding."""
    return re.sub(r"\s+", "", name)


def same_name(name, names):
    if "�" in name:
        return bool(names)
    if len(name) >= NAME_CUT:
        return any(plain(n).startswith(plain(name)) for n in names)
    return any(plain(name) == plain(n) for n in names)


class Result:
    def __init__(self):
        self.problems = []
        self.explained = set()
        self.exceptions = {}
        if EXCEPTIONS.exists():
            with open(EXCEPTIONS, newline="", encoding="utf-8") as f:
                self.exceptions = {(r["file"], r["kind"]): r["reason"]
                                   for r in csv.DictReader(f)}

    def problem(self, file, kind, text):
        if (file, kind) in self.exceptions:
            self.explained.add((file, kind))
        else:
            self.problems.append(f"{kind}: {file}: {text}")


def check_clean(result, rows, tool, folder, cuts):
    files = [r["file"] for r in rows]
    raw = parts_of(tool, folder, files, cuts, False)
    wire = parts_of(tool, folder, files, 0, True)
    n = 0
    for row in rows:
        file = row["file"]
        agree = row["parser_agreement"] == "ABC agree"
        for m in (raw[file], wire[file]):
            if not m["cut"]:
                result.problem(file, "cut", "depends on cuts")
            if agree and forks(m):
                result.problem(file, "fork", " ".join(forks(m)))
        for name, size, sha in known(row):
            if not agree or sha == "None":
                continue
            n += 1
            if not has_part(raw[file], name, size, sha, False):
                result.problem(file, "part", f"{name} {size} {sha}")
            if not has_part(wire[file], name, size, sha, True):
                result.problem(file, "part", f"{name} {size} {sha} (wire)")
    return len([r for r in rows if r["parser_agreement"] == "ABC agree"]), n


def shown(name):
    """Characters that stand in for a quote or separator are not compared."""
    return re.sub(r'[";\\]', "", name)


def verdict(row, m):
    want_name = row["true_payload_name"]
    want = row["true_payload_sha256"]
    hits = [p for p in m["parts"] if p["sha256"] == want]
    if row["file"].startswith("filename-"):
        hits = [p for p in hits
                if any(shown(n) == want_name for n in p["names"])]
    if hits:
        return "recovered"
    return "flagged" if forks(m) else "missed"


def check_broken(result, rows, tool, folder, cuts, verbose):
    level = [k for k in rows[0] if k.startswith("validity")][0]
    by = [k for k in rows[0] if k.startswith("recovered_by")][0]
    files = [r["file"] for r in rows]
    wire = parts_of(tool, folder, files, cuts, True)
    table = collections.Counter()
    for row in rows:
        file = row["file"]
        kind = file.split("-")[0]
        got = verdict(row, wire[file])
        table[kind, row[level], got] += 1
        table[kind, "all", got] += 1
        for k in (row[level], "all"):
            table[kind, k, "total"] += 1
            for who in "ABC":
                table[kind, k, who] += who in row[by]
        if not wire[file]["cut"]:
            result.problem(file, "cut", "depends on cuts")
        if got == "missed" or (got == "flagged" and row[level] in "23"):
            result.problem(file, got, "")
        if verbose and got != "recovered":
            print(" ".join([f"{got}: {file}", *wire[file]["odd"]]))
    return table


def print_table(table, out):
    print("kind      level  total  recovered  flagged  missed"
          "   Python  mailparser  postal-mime", file=out)
    for kind in ("content", "filename"):
        for level in ("3", "2", "1", "0", "all"):
            t = {k: table[kind, level, k] for k in
                 ("total", "recovered", "flagged", "missed", "A", "B", "C")}
            print(f"{kind:9} {level:>5} {t['total']:6} {t['recovered']:6} "
                  f"{100 * t['recovered'] / t['total']:3.0f}% {t['flagged']:7} "
                  f"{t['missed']:7} {t['A']:8} {t['B']:11} {t['C']:12}",
                  file=out)


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--tool", default="build/x/tests/mime_parts")
    p.add_argument("--cuts", type=int, default=3)
    p.add_argument("--table")
    p.add_argument("-v", action="store_true")
    p.add_argument("folder", type=pathlib.Path)
    o = p.parse_args()
    if not (o.folder / "MANIFEST.csv").exists():
        print(f"skipped: {o.folder} is not here")
        return 77
    tool = str(pathlib.Path(o.tool).resolve())
    result = Result()
    with open(o.folder / "MANIFEST.csv", newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    broken = o.folder / "mime-is-broken"
    with open(broken / "MANIFEST.csv", newline="", encoding="utf-8") as f:
        broken_rows = list(csv.DictReader(f))
    n_clean, n_parts = check_clean(result, rows, tool, o.folder, o.cuts)
    table = check_broken(result, broken_rows, tool, broken, o.cuts, o.v)
    lines = [sys.stdout] + ([open(o.table, "a", encoding="utf-8")]
                            if o.table else [])
    for out in lines:
        print(f"clean: {n_clean} messages, {n_parts} attachments compared",
              file=out)
        print_table(table, out)
    for kind in ("content", "filename"):
        share = table[kind, "all", "recovered"] / table[kind, "all", "total"]
        if share < SHARE_MIN:
            result.problems.append(f"share: {kind} {share:.3f}")
    for key in sorted(set(result.exceptions) - result.explained):
        result.problems.append(f"exception explains nothing: {key}")
    for text in result.problems:
        print("FAIL", text)
    print(f"{len(result.problems)} problems, "
          f"{len(result.explained)} exceptions with a reason")
    return 1 if result.problems else 0


if __name__ == "__main__":
    sys.exit(main())
