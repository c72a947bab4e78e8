#!/usr/bin/env python3
"""The index templates for Elasticsearch and OpenSearch.

    elastic_test.py files PROGRAM GEN_ELASTIC ECS_LINES
        They are what gen_elastic prints, and every field of every event of the
        fixtures, as it is journaled and in the Elastic Common Schema, is mapped
        with a type that it fits.
    elastic_test.py server PROGRAM ECS_LINES
        A real OpenSearch on loopback takes both templates, events with all these
        fields and hostile ones, and answers what is asked. Skipped where
        tools/setup could not get it, or there is no Java compiler.
"""
import contextlib
import datetime
import ipaddress
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "dashboards/elastic"
FIXTURES = ROOT / "tests/fixtures"
VERSION = "2.19.1"
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME")
                     or pathlib.Path.home() / ".cache") / "span25"
JARS = CACHE / "opensearch" / VERSION
NODE = ROOT / "tests/support/SearchNode.java"
READS = (["--registry", "lab-registry.csv", "--body-digest", "lab.pcap"],
         ["-c", "bot.yaml", "--registry", "bot-registry.csv", "bot.pcap.gz"])
RAW = "_raw_b64"


def template(kind):
    return json.loads((TEMPLATES / f"span25-{kind}.json").read_text())


def events(program, ecs_lines):
    """Lines of each kind."""
    eve = b"".join(subprocess.run(
        [os.path.abspath(program), "read", "--events", "-", *arguments], cwd=FIXTURES,
        check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
                   for arguments in READS)
    ecs = subprocess.run([ecs_lines], input=eve, check=True,
                         stdout=subprocess.PIPE).stdout
    return {"eve": eve.splitlines(), "ecs": ecs.splitlines()}


# ---- files ----

def is_time(v):
    with contextlib.suppress(ValueError):
        datetime.datetime.fromisoformat(v)
        return True
    return False


def is_address(v):
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(v)
        return True
    return False


FITS = {
    "boolean": lambda v: isinstance(v, bool),
    "long": lambda v: isinstance(v, int) and not isinstance(v, bool)
            and -2**63 <= v < 2**63,
    "keyword": lambda v: isinstance(v, (str, int)) and not isinstance(v, bool),
    "text": lambda v: isinstance(v, str),
    "ip": lambda v: isinstance(v, str) and is_address(v),
    "date": lambda v: isinstance(v, str) and is_time(v),
}


def leaves(properties, head=""):
    """Each path that is mapped and its mapping; nested ones too."""
    for name, m in properties.items():
        yield head + name, m
        yield from leaves(m.get("properties", {}), head + name + ".")


def check_value(value, path, mapped, used):
    m = mapped.get(path)
    if isinstance(value, list):
        for v in value:
            check_value(v, path, mapped, used)
    elif isinstance(value, dict):
        assert m is None or m["type"] == "nested", path
        for key, v in value.items():
            if not key.endswith(RAW):
                check_value(v, f"{path}.{key}" if path else key, mapped, used)
    else:
        assert m is not None, f"{path} is not mapped"
        assert FITS[m["type"]](value), (path, m, value)
        used.add(path)


def files(program, gen, ecs_lines):
    lines = events(program, ecs_lines)
    for kind, all_lines in lines.items():
        made = subprocess.run([gen, kind], check=True, text=True,
                              stdout=subprocess.PIPE).stdout
        text = json.dumps(json.loads(made), indent=1, ensure_ascii=False) + "\n"
        assert (TEMPLATES / f"span25-{kind}.json").read_text() == text, (
            f"dashboards/elastic/span25-{kind}.json is not what "
            f"{gen} {kind} | python3 -m json.tool --indent 1 prints")
        mapped = dict(leaves(
            template(kind)["template"]["mappings"]["properties"]))
        for path in mapped:  # a value is no object with values
            parts = path.split(".")
            for i in range(1, len(parts)):
                above = mapped.get(".".join(parts[:i]))
                assert above is None or above["type"] == "nested", path
        used = set()
        for line in all_lines:
            check_value(json.loads(line), "", mapped, used)
        assert len(all_lines) > 500 and len(used) > 150, (len(used))
        print(f"{kind}: {len(all_lines)} events, {len(mapped)} fields, "
              f"{len(used)} of them met")


# ---- a server ----

@contextlib.contextmanager
def server(folder):
    subprocess.run(["javac", "-cp", f"{JARS}/*", "-d", folder, NODE],
                   check=True)
    with open(folder / "log", "wb") as log, subprocess.Popen(
            ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1",
             "-Dlog4j2.disable.jmx=true", "-cp", f"{folder}:{JARS}/*",
             "SearchNode", folder / "home"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=log, text=True) as process:
        try:
            address = process.stdout.readline().strip()
            if not address.startswith("127.0.0.1:"):
                raise AssertionError((folder / "log").read_text()[-3000:])
            yield "http://" + address
        finally:
            process.kill()


def ask(base, method, path, body=None, lines=False):
    data = body if lines or body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data, method=method, headers={
        "Content-Type": "application/x-ndjson" if lines else
        "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as e:
        raise AssertionError(f"{path}: {e.read()[:1000]}") from e


def put_events(base, kind, lines):
    """Each under its id: what comes twice is there once."""
    ids = set()
    body = bytearray()
    for line in lines:
        event = json.loads(line)
        one = event["event_id"] if kind == "eve" else event["event"]["id"]
        ids.add(one)
        body += json.dumps({"index": {"_id": one}}).encode() + b"\n"
        body += line + b"\n"
    index = f"/span25-{kind}-2026.11"
    for _ in range(2 if kind == "ecs" else 1):
        done = ask(base, "POST", index + "/_bulk?refresh=true", bytes(body),
                   lines=True)
        wrong = [i["index"]["error"] for i in done["items"]
                 if "error" in i["index"]]
        assert not wrong, wrong[:2]
    n = ask(base, "GET", index + "/_count")["count"]
    assert n == len(ids), (n, len(ids))
    ignored = ask(base, "POST", index + "/_count", {
        "query": {"exists": {"field": "_ignored"}}})["count"]
    return n, ignored


def count(base, kind, query):
    return ask(base, "POST", f"/span25-{kind}-2026.11/_count",
               {"query": query})["count"]


def sample(lines):
    """Each event that has a field which none before it has, and some more."""
    seen = set()

    def news(value, path):
        if isinstance(value, dict):
            return any([news(v, path + "." + k) for k, v in value.items()])
        if isinstance(value, list):
            return any([news(v, path) for v in value])
        new = path not in seen
        seen.add(path)
        return new

    return [line for i, line in enumerate(lines)
            if news(json.loads(line), "") or i % 8 == 0]


def check_answers(base):
    """Types are those of the template, not guessed ones."""
    for kind, address, rcpt, stamp in (
            ("eve", "src_ip", "smtp.rcpt", "timestamp"),
            ("ecs", "source.ip", "smtp.rcpt", "@timestamp")):
        all_of = count(base, kind, {"match_all": {}})
        assert 0 < count(base, kind, {
            "term": {address: "10.20.0.0/16"}}) < all_of
        assert count(base, kind, {
            "range": {stamp: {"gte": "2000-01-01"}}}) == all_of
        refused = {"nested": {"path": rcpt, "query": {
            "range": {rcpt + ".code": {"gte": 500}}}}}
        assert 0 < count(base, kind, refused) < all_of
        found = ask(base, "GET", f"/span25-{kind}-2026.11/_mapping")
        assert next(iter(found.values()))["mappings"]["dynamic"] == "false"


def check_hostile(base):
    """What is said on the wire does not keep an event out."""
    for kind, event in (
            ("eve", {"smtp": {"helo": "x" * 40000, "size_declared": 2**64 - 1,
                              "helo_raw_b64": "/w=="},
                     "email": {"date": "\u0000 yesterday"}}),
            ("ecs", {"smtp": {"helo": "\ufffd" * 40000,
                              "size_declared": 2**64 - 1},
                     "related": {"ip": ["10.0.0.1", "no address"]},
                     "new": {"field": 1}})):
        done = ask(base, "POST", f"/span25-{kind}-2026.11/_doc?refresh=true",
                   event)
        assert done["result"] == "created", done


def serve(program, ecs_lines):
    if not JARS.is_dir() or not shutil.which("javac"):
        print("skipped: OpenSearch is not here, or no javac (tools/setup "
              "--brokers gets both)")
        return 77
    lines = events(program, ecs_lines)
    with tempfile.TemporaryDirectory() as name:
        with server(pathlib.Path(name)) as base:
            for kind in lines:
                ask(base, "PUT", f"/_index_template/span25-{kind}",
                    template(kind))
                n, ignored = put_events(base, kind, sample(lines[kind]))
                print(f"{kind}: {n} events, {ignored} with a value that is "
                      "kept, not indexed")
            check_answers(base)
            check_hostile(base)
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "files":
        files(*sys.argv[2:5])
        sys.exit(0)
    sys.exit(serve(*sys.argv[2:4]))
