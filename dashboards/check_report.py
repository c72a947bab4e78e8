"""check_report.py REPORT_SAMPLE - all views of all sample summaries, parsed.

HTML: every element is closed in order, nothing but the elements and attributes
of the report is there, headings go down one level at a time, tables have
captions and scopes, no address is referred to. JSON and CSV: read back whole."""
import base64
import csv
import hashlib
import html.parser
import io
import json
import re
import subprocess
import sys

KINDS = "busy no-registry empty one huge hostile zero".split()
ELEMENTS = set(
    """html head meta title style body header main footer section nav h1 h2 h3 p
    a ul ol li div span b br strong bdi time table caption thead tbody tr th td
    figure figcaption svg desc rect path circle text dl dt dd pre code""".split())
VOID = {"meta", "rect", "br", "path", "circle"}
ATTRIBUTES = set(
    """lang charset http-equiv content name class id href scope colspan role
    tabindex aria-label aria-hidden datetime viewbox preserveaspectratio width
    height x y rx cx cy r d text-anchor transform""".split())
POLICY = re.compile("default-src 'none'; style-src 'sha256-([A-Za-z0-9+/=]+)'(.*)")
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f\x80-\x9f\u200b-\u200f\u202a-\u202e"
                 "\u2066-\u2069\ufeff]")


def view(name, kind):
    return subprocess.run([sys.argv[1], name, kind], check=True,
                          stdout=subprocess.PIPE).stdout.decode("utf-8")


class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.level = [], set(), [], 0
        self.text, self.head_cells, self.tables = [], 0, 0
        self.policy, self.sheets, self.regions = None, [], []

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        assert tag in ELEMENTS, tag
        assert set(a) <= ATTRIBUTES, a
        if tag not in VOID:
            self.open.append(tag)
        if tag == "th":
            assert a["scope"] in ("row", "col")
        if tag in ("h1", "h2", "h3"):
            assert int(tag[1]) <= self.level + 1, "heading order"
            self.level = int(tag[1])
        if "id" in a:
            assert a["id"] not in self.ids
            self.ids.add(a["id"])
        if "href" in a:
            self.links.append(a["href"])
        if a.get("http-equiv") == "Content-Security-Policy":
            self.policy = a["content"]
        if a.get("role") == "region":
            self.regions.append(a["aria-label"])
        self.tables += tag == "table"
        self.tables -= tag == "caption"

    def handle_startendtag(self, tag, attrs):
        assert tag in VOID, tag
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open[-1:] == ["style"]:
            self.sheets.append(data)


def read_page(text):
    """What is true of every page: closed, inert, and its sheet is the one that
    its policy lets in."""
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == [] and page.tables == 0
    assert all(h[0] == "#" and h[1:] in page.ids for h in page.links)
    assert not RAW.search(text), RAW.search(text)
    hash_, rest = POLICY.fullmatch(page.policy).groups()
    assert text.count("<style>") == 1
    sheet = "".join(page.sheets)
    assert not re.search(r"url\(|@import|expression", sheet)
    digest = hashlib.sha256(sheet.encode()).digest()
    assert base64.b64encode(digest).decode() == hash_
    return page, rest


def check_html(kind):
    page, rest = read_page(view("html", kind))
    assert rest == "; base-uri 'none'; form-action 'none'"
    if kind == "hostile":
        assert "<script>alert('x')</script>" in "".join(page.text)


def check_json(kind):
    text = view("json", kind)
    doc = json.loads(text)
    assert doc["schema"] == "span25-summary-1"
    assert not re.search("[\x00-\x09\x0b-\x1f]", text)
    if kind == "huge":
        assert doc["coverage"]["sessions"] == 2**64 - 1
    for file in doc["attachments"]:
        assert file["class"] in file["classes"] or kind == "hostile"
        assert len(file["findings"]) > 0
    if kind == "busy":
        a, b, c, d = doc["parts"]["classes"]
        assert (a["class"], a["messages"], a["messages_could_inspect"]) == \
            ("A", 4, 3)
        assert (d["class"], d["parts"]) == ("D", 49)
        assert doc["parts"]["messages_could_inspect"] == 8311
        first, second = doc["attachments"][:2]
        assert first["findings"] == ["eicar", "forbidden_member"]
        assert second["name"] == "invoice \u202efdp.exe"
        assert doc["attachments"][4]["sha256"] is None
        assert doc["hosts"][0]["messages_by_class"] == [
            {"class": "A", "n": 3}, {"class": "B", "n": 14}]
    assert ("alerts" in doc) == (kind not in ("empty", "zero"))
    if kind == "busy":
        assert [a["severity"] for a in doc["alerts"]] == \
            ["high", "high", "medium", "low", "low", "info"]
        assert doc["alerts"][2]["registered"] is True
        assert doc["decisions"][1]["subject"] == "2001:db8:20:4::/64"
        assert doc["if_blocked"] == {
            "hosts": 12, "stopped": 2, "stopped_over": 1,
            "stopped_with_ordinary_mail": 1, "ordinary_messages": 14,
            "stopped_with_site": 1, "stopped_with_owner": 1, "held": 1, "withheld": 2}
    if kind == "no-registry":
        assert doc["answers"]["senders_unregistered"] is None
    if kind == "busy":
        assert doc["answers"]["senders_unregistered"] == 8
        assert doc["coverage"]["first"] == "2026-03-07T08:00:00.000000Z"
    return len(doc["hosts"])


def check_csv(kind, n_hosts):
    text = view("csv", kind)
    assert text.count("\n") == text.count("\r\n")
    assert not RAW.search(text.replace("\r\n", ""))
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert len(rows) == n_hosts + 1
    assert all(len(r) == len(rows[0]) for r in rows)
    assert rows[0][-8:] == ["messages_" + c for c in "abcd"] + \
        ["look", "look_why", "decision", "against"]
    if kind == "busy":
        assert rows[1][-8:-4] == ["3", "14", "0", "0"]
        decided = {r[0]: r[-2:] for r in rows}
        assert decided["10.20.4.17"] == ["block", ""]
        assert decided["10.31.0.9"] == ["hold", "queueing, pool"]
        assert decided["2001:db8:20:4::1:17"] == ["block", ""]
        assert decided["10.0.0.26"] == ["", ""]
    for cell in sum(rows, []):
        assert cell[:1] not in tuple("=+-@\t\r"), cell


def check_text(kind):
    for name in ("text", "narrow"):
        text = view(name, kind)
        assert not RAW.search(text), RAW.search(text)
    for line in view("narrow", kind).split("\n"):
        assert len(line) <= 80 or kind in ("huge", "hostile") or \
            "packets" in line, line


def main():
    for k in KINDS:
        check_html(k)
        check_csv(k, check_json(k))
        check_text(k)
    print("ok:", len(KINDS), "summaries, 4 views")


if __name__ == "__main__":
    main()
