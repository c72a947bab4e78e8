#!/usr/bin/env python3
"""All views of all studies made by hand, read by parsers that are not ours.

    study_parse_test.py STUDY_SAMPLE

HTML as check_report.py reads it, and what must stand on it; JSON: the counts
are those of CSV, what cannot be said is null, infinite is "inf"; CSV: whole
rows, no cell that a spreadsheet takes for a formula."""
import csv
import io
import json
import math
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "dashboards"))
import check_report

KINDS = "full good empty zero nan inf huge hostile large".split()
TABLES = "policies hosts sites hours days shares".split()
CLASSES = ["bot", "mixed", "legitimate", "unknown"]
SECTIONS = """cover decision criteria method sight found policies limits errors
    sites rollout work privacy passive hosts glossary estimators repeat""".split()
ATTACK = "<script>alert('x')</script>"


def view(name, kind):
    done = subprocess.run([sys.argv[1], name, kind], check=True, timeout=60,
                          stdout=subprocess.PIPE)
    return done.stdout.decode("utf-8")


def check_html(kind):
    page, rest = check_report.read_page(view("html", kind))
    text = "".join(page.text)
    assert rest == "; img-src data:", rest
    assert page.ids >= set(SECTIONS)
    assert "Recommendation: " in text
    assert not re.search(r"\b(nan|inf)\b", text)
    if kind == "hostile":
        assert text.count(ATTACK) > 100
    else:
        assert len(page.regions) == len(set(page.regions)), page.regions
    return text


def no_constants(word):
    raise AssertionError(f"{word} is no JSON")


def check_json(kind):
    text = view("json", kind)
    doc = json.loads(text, parse_constant=no_constants)
    assert text.count("\n") == 1 and text.endswith("\n")
    assert doc["schema"] == "span25-study-1"
    for p in doc["policies"]:
        assert list(p["hosts"]) == CLASSES
        assert len(p["by_day"]) == len(doc["sight"]["days"])
    for h in doc["hosts"]:
        assert len(h["outcomes"]) == len(doc["policies"])
    assert len(doc["sight"]["week"]) == 168
    if kind == "nan":
        assert doc["sight"]["loss"] is None
        assert doc["policies"][1]["wrong"]["low"] is None
    if kind == "inf":
        assert doc["sight"]["loss"] == "inf"
        assert doc["policies"][1]["seconds"]["median"] == "inf"
    if kind == "huge":
        assert doc["sight"]["events"] == 2**64 - 1
        assert doc["sight"]["loss"] == 1e300
    if kind == "full":
        assert doc["policies"][0]["tie_none"] is None
        assert doc["effective"] == "2027-01-11T00:00:00.000000Z"
        assert sum(c["hosts"] for group in doc["cells"].values()
                   for c in group.values()) == len(doc["hosts"]) == 240
    return doc


def read_table(name, kind):
    text = view(name, kind)
    assert text.count("\n") == text.count("\r\n")
    assert not check_report.RAW.search(text.replace("\r\n", ""))
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert all(len(r) == len(rows[0]) for r in rows), name
    for cell in sum(rows, []):
        assert cell[:1] not in tuple("=+-@\t\r"), cell
    return rows


def check_csv(kind, doc):
    tables = {name: read_table(name, kind) for name in TABLES}
    assert len(tables["policies"]) == len(doc["policies"]) + 1
    assert len(tables["sites"]) == len(doc["sites"]) + 1
    assert len(tables["hours"]) == len(doc["sight"]["hours"]) + 1
    assert len(tables["days"]) == len(doc["sight"]["days"]) + 1
    assert len(tables["shares"]) == len(doc["shares"]) + 1
    assert len(tables["hosts"]) == \
        len(doc["hosts"]) * max(1, len(doc["policies"])) + 1
    if kind == "full":
        head, *rows = tables["policies"]
        for row, p in zip(rows, doc["policies"]):
            got = dict(zip(head, row))
            assert [int(got[c]) for c in CLASSES] == list(p["hosts"].values())
            assert int(got["lost_most"]) == p["total"]["lost_most"]
            assert math.isclose(float(got["right"]), p["right"]["value"])
    if kind == "nan":
        assert dict(zip(*tables["policies"][:2]))["wrong"] == ""


def check_text(kind):
    text = view("narrow", kind)
    assert not check_report.RAW.search(text), text
    assert not re.search(r"\b(nan|inf)\b", text), text
    for line in text.split("\n"):
        assert len(line) <= 80 or kind == "hostile" or "  " in line.strip(), line


def main():
    texts = {}
    for kind in KINDS:
        texts[kind] = check_html(kind)
        if kind in ("full", "nan", "huge", "hostile"):
            check_csv(kind, check_json(kind))
            check_text(kind)
    assert "No. 1 of 7 criteria agreed on before fails" in texts["full"]
    assert "Yes. 7 of 7 criteria agreed on before are met" in texts["good"]
    print("ok:", len(KINDS), "studies,", 4 + len(TABLES), "views")


main()
