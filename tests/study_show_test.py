#!/usr/bin/env python3
"""span25 study show, on files that are studies and files that are none.

    study_show_test.py PROGRAM STUDY_SAMPLE
"""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support.program import Run, check

PROGRAM, SAMPLE = sys.argv[1:]


def sample(view, kind):
    return subprocess.run([SAMPLE, view, kind], check=True,
                          stdout=subprocess.PIPE).stdout


def show(path):
    return Run(PROGRAM, "study", "show", path)


def studies(folder):
    for kind in ("full", "good", "empty", "nan", "large"):
        path = folder / f"{kind}.json"
        path.write_bytes(sample("json", kind))
        got = show(path).expect(0)
        check(got.out == sample("text", kind).decode(), f"{kind}: not the same "
              "as before it was written")
        check(got.err == "", got.err)
    show(folder / "full.json").says(
        "Approve P4 on 2027-01-11?\n",
        "Recommendation: No; 1 of 7 criteria agreed on before fails",
        "What breaks\n", "What we gain\n", "What we do not know\n",
        "What it costs, and the way back\n", "What stands against it\n",
        "not known  reviewed precision of the detector")
    show(folder / "good.json").says("Recommendation: Yes; 7 of 7", "Conditions\n")
    hostile = folder / "hostile.json"
    hostile.write_bytes(sample("json", "hostile"))
    text = show(hostile).expect(0).out
    check(not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text), text)


def no_studies(folder):
    whole = sample("json", "full")
    for name, text, why in (
            ("nothing", b"", "byte 1: a study is a JSON object"),
            ("other", b'{"schema":"span25-summary-1"}',
             "byte 30: its schema is not span25-study-1"),
            ("cut", whole[:4000], "byte 4001: "),
            ("mail", b"From: a\r\n", "byte 1: a study is a JSON object"),
            ("wrong", whole.replace(b'"demo":false', b'"demo":"\x1b[2J"'),
             "a control character in a string"),
            ("type", whole.replace(b'"demo":false', b'"demo":"yes"'),
             "demo is true or false"),
            ("deep", b'{"a":' + b"[" * 10000, "deeper than 32 levels")):
        path = folder / name
        path.write_bytes(text)
        got = show(path).expect(1).warns("no study.json that can be shown: ",
                                         str(path), why)
        check(got.out == "" and got.err.count("\n") == 1, got.out + got.err)
        check("\x1b" not in got.err, got.err)
    show(folder / "absent").expect(1).warns("No such file")
    show(folder).expect(1).warns("cannot read")
    Run(PROGRAM, "study", "show").expect(2)


with tempfile.TemporaryDirectory() as where:
    studies(pathlib.Path(where))
    no_studies(pathlib.Path(where))
print("ok")
