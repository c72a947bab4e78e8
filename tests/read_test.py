#!/usr/bin/env python3
"""Run the real program on captures and hold it to what it promises.

    read_test.py PROGRAM MAKE_CAPTURES [NAME...]
    read_test.py --memory PROGRAM MAKE_CAPTURES

The same input gives the same bytes with any number of workers, threads or
processes; a damaged capture is read up to the damage; the state directory holds
what was told and survives being cut; signals and dead workers end a reading in
order. --memory measures what an open connection and a long one cost (long; a
build with sanitizers is skipped).

Each test prints why it failed. The last line is "N passed, N failed, N skipped".
"""
import calendar
import concurrent.futures
import contextlib
import csv
import gzip
import hashlib
import io
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
LAB = HERE / "fixtures" / "lab.pcap"
SHARED = ROOT.parent / "shared" / "captures"
HOME = ["--home", "10.0.0.0/8", "--home", "fc00::/7"]
PATIENCE = 240
LEASES_LOOK = 13  # seconds between two looks at files of leases, or more

PROGRAM = MAKE = None
TEMP = None
failures = []


class Skip(Exception):
    """What the test needs is not here."""


def check(good, why):
    if not good:
        raise AssertionError(why)


# ---- the program ----

class Run:
    def __init__(self, *args, stdin=None, env=None):
        done = subprocess.run([PROGRAM, *map(str, args)], input=stdin,
                              capture_output=True, check=False,
                              timeout=PATIENCE, env=env,
                              **({} if stdin is not None
                                 else {"stdin": subprocess.DEVNULL}))
        self.args = args
        self.code = done.returncode
        self.out = done.stdout
        self.err = done.stderr.decode(errors="replace")

    def expect(self, code):
        check(self.code == code, f"{self.args}: exit {self.code}, not {code}: "
                                 f"{self.err[-1500:]}")
        return self


def read(*args, code=0, **more):
    return Run("read", *args, **more).expect(code)


def events(*args, **more):
    """The lines of --events -."""
    return read("--events", "-", *args, **more).out.splitlines()


def parsed(lines):
    return [json.loads(line) for line in lines]


def is_input(event):
    return event.get("control", {}).get("kind") in ("input", "fault")


def of_flows(lines):
    """Events without those that name files and totals, and without the name of
    the file that stands for the interface."""
    return [re.sub(rb'"in_iface":"[^"]*",', b"", line) for line in lines
            if json.loads(line)["event_type"] not in ("control", "stats")]


def stats(lines):
    found = [e for e in parsed(lines) if e["event_type"] == "stats"]
    check(len(found) == 1, f"{len(found)} stats events")
    return found[0]["stats"]


def first_difference(a, b):
    for i in range(max(len(a), len(b))):
        x = a[i] if i < len(a) else b"(end)"
        y = b[i] if i < len(b) else b"(end)"
        if x != y:
            return f"line {i + 1}: {x[:300]!r} became {y[:300]!r}"
    return "none"


def same(a, b, what):
    check(a == b, f"{what}: {len(a)} and {len(b)} lines, "
                  f"{first_difference(a, b)}")


def temp(name):
    return TEMP / name


def text_file(name, text):
    path = temp(name)
    path.write_text(text, encoding="utf-8")
    return path


# ---- captures ----

def packets_of(data):
    """(header, records) of a classic little-endian pcap."""
    at, out = 24, []
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        out.append(data[at:at + 16 + size])
        at += 16 + size
    return data[:24], out


def made(kind, size):
    path = temp(f"{kind}-{size}.pcap")
    if not path.exists():
        subprocess.run([MAKE, kind, path, "--size", str(size)], check=True,
                       stdout=subprocess.DEVNULL)
    return path


def scenarios():
    out = temp("scenarios")
    if not out.exists():
        subprocess.run([sys.executable, HERE / "support" / "scenario.py",
                        "--all", HERE / "scenarios", out], check=True,
                       stdout=subprocess.DEVNULL)
    return sorted(out.glob("*.pcap"))


# ---- the same bytes ----

WAYS = [("2 workers", ["--workers", "2"]), ("4 workers", ["--workers", "4"]),
        ("1 process", ["--processes"]),
        ("4 processes", ["--workers", "4", "--processes"]), ("again", [])]


def same_in_all_ways(path, ways, *more, codes=(0,)):
    first = Run("read", "--events", "-", *more, path)
    check(first.code in codes, f"{path}: exit {first.code}: {first.err[-800:]}")
    lines = first.out.splitlines()
    for name, way in ways:
        other = Run("read", "--events", "-", *more, *way, path)
        check(other.code == first.code,
              f"{path.name}, {name}: exit {other.code}: {other.err[-800:]}")
        same(lines, other.out.splitlines(), f"{path.name}, {name}")
    return lines


def all_of(paths, ways, codes=(0,)):
    """With sanitizers, which look for other faults, in one way alone."""
    ways = ways[-1:] if is_sanitized() else ways
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(same_in_all_ways, p, ways, codes=codes)
                for p in paths]
        for job in jobs:
            job.result()


def test_lab_is_the_same_in_all_ways():
    lines = same_in_all_ways(LAB, WAYS)
    check(len(lines) > 300, f"only {len(lines)} lines")
    whole = read("--events", temp("lab.jsonl"), "--workers", "3", LAB)
    check(whole.out, "no summary")
    same(lines, temp("lab.jsonl").read_bytes().splitlines(), "into a file")


def test_scenarios_are_the_same_in_all_ways():
    all_of(scenarios(), [WAYS[1], WAYS[3]])


def test_shared_captures_are_the_same_in_all_ways():
    if not SHARED.is_dir():
        raise Skip("no ../shared/captures")
    paths = sorted(p for p in SHARED.rglob("*")
                   if p.suffix in (".pcap", ".pcapng", ".cap", ".gz"))
    check(paths, "no captures in it")
    all_of(paths, WAYS[:4], codes=(0, 4))


def test_full_tables_are_the_same_in_all_ways():
    small = text_file("small.yaml", "limits:\n  memory: 64MiB\n"
                                    "  flows: 1000\n  ring: 4MiB\n")
    lines = same_in_all_ways(made("idle200k", 4000), WAYS, "-c", small)
    evicted = stats(lines)["tcp"]["flows_evicted"]
    check(evicted > 0, "nothing was evicted")
    ends = [e["smtp"]["end"] for e in parsed(lines)
            if e["event_type"] == "smtp_session" and "attempts" not in e]
    check(0 < ends.count("evicted") <= evicted,
          f"{ends.count('evicted')} sessions say so, the total {evicted}")


def test_body_digest_is_the_same_in_all_ways():
    lines = same_in_all_ways(LAB, WAYS[1:2], "--body-digest")
    check(b"body_sha256" in b"".join(lines), "no digest")


# ---- formats ----

def test_compressed_captures():
    want = of_flows(events(*HOME, LAB))
    data = LAB.read_bytes()
    packed = temp("lab.pcap.gz")
    packed.write_bytes(gzip.compress(data))
    same(want, of_flows(events(*HOME, packed)), "gzip")
    same(want, of_flows(events(*HOME, "-", stdin=packed.read_bytes())),
         "gzip from standard input")
    half = len(data) // 2
    packed.write_bytes(gzip.compress(data[:half]) + gzip.compress(data[half:]))
    same(want, of_flows(events(*HOME, "--workers", "2", packed)),
         "two gzip members")


def test_zstd_captures():
    if shutil.which("zstd") is None:
        raise Skip("no zstd program")
    want = of_flows(events(*HOME, LAB))
    packed = temp("lab.pcap.zst")
    subprocess.run(["zstd", "-q", "-f", LAB, "-o", packed], check=True)
    same(want, of_flows(events(*HOME, packed)), "zstd")
    same(want, of_flows(events(*HOME, "-", stdin=packed.read_bytes())),
         "zstd from standard input")


def test_standard_input():
    want = of_flows(events(*HOME, LAB))
    same(want, of_flows(events(*HOME, "-", stdin=LAB.read_bytes())), "stdin")
    same(want, of_flows(events(*HOME, "--workers", "4", "-",
                               stdin=LAB.read_bytes())), "stdin, 4 workers")


def test_several_files_are_one_stream():
    whole = events(*HOME, LAB)
    head, packets = packets_of(LAB.read_bytes())
    third = len(packets) // 3
    parts = [packets[:third], packets[third:2 * third], packets[2 * third:]]
    dealt = [packets[i::3] for i in range(3)]
    for what, files in (("parts", parts), ("dealt out", dealt)):
        paths = []
        for i, some in enumerate(files):
            paths.append(temp(f"part{i}.pcap"))
            paths[i].write_bytes(head + b"".join(some))
        for order in (paths, paths[::-1]):
            lines = events(*HOME, *order)
            if what == "parts":
                same(of_flows(whole), of_flows(lines), what)
            else:
                check(len(of_flows(lines)) == len(of_flows(whole)),
                      f"{what}: {len(of_flows(lines))} events of flows, "
                      f"not {len(of_flows(whole))}")
            check(stats(lines) == stats(whole), f"{what}: stats differ: "
                  f"{stats(lines)} {stats(whole)}")
            names = [e["control"]["text"] for e in parsed(lines)
                     if is_input(e)]
            check(sorted(names) == sorted(map(str, order)),
                  f"{what}: inputs {names}")
        for name, way in WAYS[1:4:2]:
            same(events(*HOME, *paths), events(*HOME, *way, *paths),
                 f"{what}, {name}")


# ---- damage ----

def test_truncated_captures():
    data = LAB.read_bytes()
    head, packets = packets_of(data)
    rng = random.Random(25)
    for _ in range(6):
        n = rng.randrange(10, len(packets))
        whole = head + b"".join(packets[:n])
        extra = rng.randrange(1, len(packets[n]))
        cut = temp("cut.pcap")
        cut.write_bytes(whole + packets[n][:extra])
        intact = temp("intact.pcap")
        intact.write_bytes(whole)
        lines = events(*HOME, cut, code=4)
        same(of_flows(events(*HOME, intact)), of_flows(lines), f"{n} packets and {extra} bytes")
        faults = [e["control"] for e in parsed(lines) if is_input(e) and
                  e["control"]["kind"] == "fault"]
        check(len(faults) == 1 and faults[0]["number"] >= len(whole) - 16 and
              "cut" in faults[0]["text"], f"faults {faults}")
        shown = read(*HOME, cut, code=4)
        check(b"partial" in shown.out and b"cut short" in shown.out,
              f"the summary does not name it: {shown.out[:600]!r}")
        check(stats(lines)["capture"]["packets"] == n, "packets")
    for name, way in WAYS[1:4]:
        same(lines, events(*HOME, *way, cut, code=4), f"cut, {name}")


def test_truncated_gzip():
    packed = gzip.compress(LAB.read_bytes())
    path = temp("cut.pcap.gz")
    path.write_bytes(packed[:len(packed) * 2 // 3])
    shown = read(path, code=4)
    check(b"partial" in shown.out, f"{shown.out[:400]!r}")
    lines = events(path, code=4)
    check(len(of_flows(lines)) > 50, f"only {len(lines)} events")


def test_corrupt_captures():
    data = bytearray(LAB.read_bytes())
    head, packets = packets_of(bytes(data))
    at = len(head) + sum(map(len, packets[:500]))
    data[at + 8:at + 12] = b"\xff\xff\xff\xff"
    path = temp("corrupt.pcap")
    path.write_bytes(data)
    shown = read(path, code=4)
    check(b"partial" in shown.out and b"corrupt.pcap" in shown.out,
          f"the summary does not name it: {shown.out[:400]!r}")
    lines = events(path, code=4)
    check(stats(lines)["capture"]["packets"] >= 500,
          f"{stats(lines)['capture']} of 500")


def test_random_bytes_in_a_capture():
    data = LAB.read_bytes()
    rng = random.Random(4)
    for _ in range(8):
        bad = bytearray(data)
        for _ in range(40):
            bad[rng.randrange(24, len(bad))] = rng.randrange(256)
        path = temp("noise.pcap")
        path.write_bytes(bad)
        one = Run("read", "--events", "-", path)
        check(one.code in (0, 4), f"exit {one.code}: {one.err[-500:]}")
        two = Run("read", "--events", "-", "--workers", "4", "--processes",
                  path)
        same(one.out.splitlines(), two.out.splitlines(), "noise, 4 processes")


def test_what_is_no_capture():
    cases = [(temp("nowhere.pcap"), (1, 2)), (TEMP, (1, 2)),
             (text_file("text.pcap", "this is no capture, but a text\n" * 9),
              (1, 2))]
    for path, codes in cases:
        done = Run("read", path)
        check(done.code in codes, f"{path}: exit {done.code}: {done.err}")
        check(done.out == b"", f"{path}: {done.out!r} on standard output")
        check(path.name in done.err, f"{path}: not named in {done.err!r}")
        done = Run("read", LAB, path)
        check(done.code in codes and done.out == b"",
              f"second file {path}: exit {done.code}")
    empty = text_file("empty.pcap", "")
    shown = read(empty, code=4)
    check(b"empty" in shown.out, f"{shown.out!r}")


# ---- output ----

def test_events_on_standard_output_stand_alone():
    for more in ([], ["-q"], ["--color", "always"],
                 ["-o", temp("beside.json")]):
        done = read("--events", "-", *more, LAB)
        for line in done.out.splitlines():
            check(isinstance(json.loads(line), dict), f"{more}: {line!r}")
        check(done.err == "", f"{more}: {done.err}")


def test_events_to_a_reader_that_leaves():
    p = subprocess.Popen([PROGRAM, "read", "--events", "-",
                          made("idle200k", 20000)],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    line = p.stdout.readline()
    p.stdout.close()
    err = p.stderr.read()
    code = p.wait(timeout=PATIENCE)
    check(json.loads(line)["event_type"] == "control", f"{line!r}")
    check(code == 0 and err == b"", f"exit {code}: {err!r}")


def test_events_to_a_full_disk():
    if not os.path.exists("/dev/full"):
        raise Skip("no /dev/full")
    done = read("--events", "/dev/full", LAB, code=1)
    check("/dev/full" in done.err or "space" in done.err, done.err)


def test_events_file_is_begun_anew():
    path = text_file("again.jsonl", "what was there\n" * 100000)
    read("-q", "--events", path, LAB)
    same(events(LAB), path.read_bytes().splitlines(), "a file that was there")


def test_reports():
    read("-o", temp("r.html"), "-o", temp("r.html"), LAB)
    page = temp("r.html").read_text(encoding="utf-8")
    check("<script" not in page.lower(), "a script in the page")
    check(page.lstrip().lower().startswith("<!doctype html"), page[:80])
    read("-o", temp("r.json"), LAB)
    report = json.loads(temp("r.json").read_text(encoding="utf-8"))
    check(isinstance(report, dict) and report, "the JSON report is empty")
    read("-o", temp("r.csv"), LAB)
    rows = list(csv.reader(io.StringIO(
        temp("r.csv").read_text(encoding="utf-8"))))
    check(len(rows) > 3 and len({len(row) for row in rows}) == 1,
          f"{len(rows)} rows of {({len(row) for row in rows})} columns")
    done = Run("read", "-o", temp("r.txt"), LAB).expect(2)
    check(".html" in done.err and done.out == b"", done.err)
    for kind in ("html", "json", "csv"):
        before = temp("r." + kind).read_bytes()
        read("-q", "--workers", "4", "-o", temp("r." + kind), LAB)
        check(before == temp("r." + kind).read_bytes(),
              f"{kind}: another report with 4 workers")


def test_reports_that_cannot_be_written():
    done = read("-o", temp("nowhere") / "r.json", LAB, code=1)
    check("cannot write" in done.err and done.out, done.err)


# ---- files that the operator asked for ----

def index_of(folder):
    text = (folder / "index.csv").read_bytes().decode("utf-8")
    check(text.endswith("\r\n"), f"{folder}: an index that is cut")
    rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    return rows, text


def carved_files(folder, wanted=None):
    """{digest: bytes}, after looking at names, modes and the index."""
    check(folder.stat().st_mode & 0o7777 == 0o700, f"mode of {folder}")
    rows, _ = index_of(folder)
    found = {}
    for path in folder.iterdir():
        check(path.stat().st_mode & 0o7777 == 0o600, f"mode of {path}")
        if path.name != "index.csv":
            found[path.name] = path.read_bytes()
            check(hashlib.sha256(found[path.name]).hexdigest() == path.name,
                  f"{path}: not its digest")
    check(sorted(found) == sorted(r["sha256"] for r in rows),
          f"{folder}: {len(found)} files, {len(rows)} lines")
    check(wanted is None or len(found) == wanted,
          f"{folder}: {len(found)} files, not {wanted}")
    for row in rows:
        check(int(row["size"]) == len(found[row["sha256"]]), f"{row}")
    return found


def as_shown(name):
    """As in a terminal: what cannot be seen is spelt out."""
    return re.sub("[\u200b-\u200f\u202a-\u202e\u2060-\u206f]",
                  lambda m: f"<U+{ord(m[0]):04X}>", name.replace("\\", "\\\\"))


def fresh(name):
    folder = temp(name)
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def without_carving(lines):
    """As they are without: stored is false, and no word of folders."""
    return [re.sub(rb'"stored":true', b'"stored":false', line)
            for line in lines if b'"kind":"carv' not in line]


def test_carved_files_are_what_was_told():
    parts, mails = fresh("parts"), fresh("mails")
    lines = events("--body-digest", "--extract", parts, "--save-mail", mails,
                   LAB)
    same(events("--body-digest", LAB), without_carving(lines), "other events")
    told = {e["event_id"]: e for e in parsed(lines)}
    files = carved_files(parts)
    check(len(files) >= 3, f"only {len(files)} parts")
    for row in index_of(parts)[0]:
        event = told[row["event_id"]]
        check(event["fileinfo"]["sha256"] == row["sha256"] and
              event["fileinfo"]["stored"] and
              as_shown(event["fileinfo"].get("filename", "")) ==
              row["name"] and
              event["fileinfo"].get("class", "") == row["class"] and
              event["timestamp"] == row["time"], f"{row}: {event}")
    for event in parsed(lines):
        info = event.get("fileinfo", {})
        check(info.get("stored", False) == (info.get("sha256") in files),
              f"stored: {info}")
    files = carved_files(mails)
    check(len(files) > 100, f"only {len(files)} mails")
    for row in index_of(mails)[0]:
        event = told[row["event_id"]]
        check(event["smtp"]["body_sha256"] == row["sha256"] and
              row["type"] == "message", f"{row}: {event}")
    text = [e["control"]["text"] for e in parsed(lines)
            if e.get("control", {}).get("kind") == "carving"]
    check(len(text) == 1 and str(parts) in text[0] and
          "1,000 files, 1.0 GiB in all, 25.0 MiB each" in text[0], f"{text}")
    numbers = [e["control"]["number"] for e in parsed(lines)
               if e.get("control", {}).get("kind") == "carved"]
    check(numbers == [len(carved_files(parts)), len(files)], f"{numbers}")


def test_carved_files_are_the_same_in_all_ways():
    more = ["--carve-files", "40", "--carve-file", "100KiB"]
    first = None
    for name, way in [("alone", [])] + WAYS:
        parts, mails = fresh("parts"), fresh("mails")
        done = read("-q", "--extract", parts, "--save-mail", mails, *more,
                    *way, LAB)
        check(done.err == "", done.err)
        carved_files(parts)
        carved_files(mails, 40)
        both = index_of(parts)[1], index_of(mails)[1]
        first = first or both
        check(both == first, f"{name}: other files")


def test_limits_of_carving():
    def run(*more, **kind):
        mails = fresh("mails")
        done = read("--save-mail", mails, *more, LAB, **kind)
        return carved_files(mails), done.err

    everything, _ = run()
    files, err = run("--carve-files", "5")
    check(len(files) == 5, f"{len(files)} files")
    check("5 files, " in err and " past the limit of files" in err, err)
    files, err = run("--carve-bytes", "4KiB")
    check(0 < len(files) < len(everything) and
          sum(map(len, files.values())) <= 4096, f"{len(files)} files")
    check(" past the limit of bytes" in err, err)
    files, err = run("--carve-file", "1KiB")
    small = {k: v for k, v in everything.items() if len(v) <= 1024}
    check(files == small, f"{len(files)} files, not {len(small)}")
    check(" too large or not seen whole" in err, err)
    for bad in (["--carve-files", "0"], ["--carve-file", "1GiB"],
                ["--keep", "1s"]):
        Run("read", "--save-mail", fresh("mails"), *bad, LAB).expect(2)


def test_carving_to_a_full_disk():
    def tight():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))

    mails = fresh("mails")
    done = subprocess.run([PROGRAM, "read", "--save-mail", mails, LAB],
                          capture_output=True, check=False, timeout=PATIENCE,
                          preexec_fn=tight)
    err = done.stderr.decode()
    check(done.returncode == 1, f"exit {done.returncode}: {err}")
    check("File too large" in err and "because it cannot write" in err, err)
    check(b"SMTP" in done.stdout, "no summary")
    check(0 < len(carved_files(mails)) < 100, "files")


@contextlib.contextmanager
def small_disk(name, size):
    folder = fresh(name)
    folder.mkdir()
    mounted = shutil.which("mount") is not None and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder],
        capture_output=True, check=False).returncode == 0
    if not mounted:
        raise Skip("a small disk cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_carving_to_a_small_disk():
    with small_disk("disk", "64k") as disk:
        done = read("--save-mail", disk / "mails", "--extract", disk / "parts",
                    LAB, code=1)
        check("No space left on device" in done.err, done.err)
        carved_files(disk / "mails")
        carved_files(disk / "parts")


def test_folders_of_others_are_left_alone():
    folder = fresh("theirs")
    folder.mkdir()
    (folder / "letter.txt").write_text("dear", encoding="utf-8")
    done = Run("read", "--extract", folder, LAB)
    check(done.code != 0 and done.out == b"" and
          "new or an empty folder" in done.err, f"{done.code} {done.err}")
    check([p.name for p in folder.iterdir()] == ["letter.txt"], "touched")
    folder = fresh("twice")
    done = Run("read", "--extract", folder, "--save-mail", folder, LAB)
    check(done.code != 0 and "given twice" in done.err, done.err)
    config = text_file("noparts.yaml", "content:\n  parts: false\n")
    done = Run("read", "-c", config, "--extract", fresh("none"), LAB)
    check(done.code == 2 and "content.parts" in done.err, done.err)


def test_carved_files_expire():
    mails = fresh("mails")
    read("-q", "--save-mail", mails, "--carve-files", "10", LAB)
    names = sorted(carved_files(mails, 10))
    old = time.time() - 3 * 86400
    for name in names[:4]:
        os.utime(mails / name, (old, old))
    done = read("--save-mail", mails, "--keep", "4d", "--carve-files", "10",
                LAB)
    check(sorted(carved_files(mails)) == names, "kept")
    done = read("--save-mail", mails, "--keep", "2d", "--carve-files", "8",
                LAB)
    check("4 old files deleted" in done.err, done.err)
    carved_files(mails, 8)


def secrets(scenario):
    """What follows AUTH and its prompts."""
    text = (HERE / "scenarios" / f"{scenario}.smtp").read_text(
        encoding="utf-8", errors="replace")
    return re.findall(r'(?:AUTH \w+ |334[^"]*"\s+[^"]*C ")([\w+/=]{8,})', text)


def test_no_secret_is_carved():
    """Of no conversation that we have, with a password or without."""
    n = 0
    for path in scenarios():
        mails = fresh("mails")
        lines = parsed(events("--body-digest", "--save-mail", mails, path))
        told = {e.get("smtp", {}).get("body_sha256") for e in lines}
        for name, data in carved_files(mails).items():
            n += 1
            check(name in told, f"{path.stem}: a file that is no message")
            check(not re.search(rb"^(auth (plain|login|cram)|ehlo )", data,
                                re.I | re.M),
                  f"{path.stem}: commands in a file: {data[:400]!r}")
            check(not any(s.encode() in data for s in secrets(path.stem)),
                  f"{path.stem}: a secret in a file: {data[:400]!r}")
    check(n > 50, f"only {n} messages")


def test_quiet():
    done = read("-q", LAB)
    check(done.out == b"" and done.err == "", f"{done.out!r} {done.err!r}")


def test_bad_registry_lines_are_told():
    path = text_file("reg.csv", "address,site\n10.10.0.10,post\n"
                                "10.20.1.0/16,wide\n\"nonsense\",x\x1b[1m\n")
    done = Run("read", "--registry", path, LAB).expect(2)
    check("reg.csv:3:1: '10.20.1.0/16' is neither" in done.err and
          "reg.csv:4:1: 'nonsense'" in done.err and
          "\x1b" not in done.err and done.out == b"", done.err)
    path = text_file("reg.csv", "address,site\n10.20.1.10,post\n")
    lines = events("--registry", path, LAB)
    states = {e["src_reg"]["state"] for e in parsed(lines) if "src_reg" in e}
    check(states == {"registered", "unregistered"}, f"states {states}")
    done = Run("read", "--registry", text_file("head.csv", "10.0.0.1\n"), LAB)
    check(done.code in (1, 2) and "head.csv:1:" in done.err and not done.out,
          f"exit {done.code}: {done.err}")
    done = Run("read", "--registry", temp("nowhere.csv"), LAB)
    check(done.code in (1, 2) and "nowhere.csv" in done.err and not done.out,
          f"exit {done.code}: {done.err}")


SITES = """
sites:
  - code: LIB
    name: Library
    prefixes: [10.20.1.0/24, "fd25:20::1:0/112"]
  - code: UNI
    prefixes: [10.20.0.0/16]
network:
  home: ["fd25:20::/32"]
  nat: [10.20.4.17]
  dhcp: [10.20.7.0/24]
"""
PLACES = {
    "10.20.1.10": ("LIB", None), "10.20.1.11": ("LIB", None),
    "10.20.4.17": ("UNI", "nat"), "10.20.5.20": ("UNI", None),
    "10.20.7.3": ("UNI", "dhcp"), "fd25:20::1:10": ("LIB", None),
    "fd25:20::1:11": ("LIB", None),
}


def place_of(event, end):
    host = event.get(end + "_host", {})
    return host.get("site"), host.get("pool")


def test_sites_are_on_every_event():
    lines = parsed(same_in_all_ways(LAB, WAYS, "-c",
                                    text_file("sites.yaml", SITES)))
    seen = set()
    for e in lines:
        for end, key in (("src", "src_ip"), ("dest", "dest_ip")):
            address = e.get(key, "")
            want = PLACES.get(address, (None, None))
            check(place_of(e, end) == want, f"{key} {address}: {e}")
            seen.add(address)
    check(seen.issuperset(PLACES), f"not seen: {set(PLACES) - seen}")
    check({e["direction"] for e in lines if e["event_type"] == "smtp"}
          >= {"outbound", "inbound"}, "directions")
    text = lines[0]["control"]["text"]
    check("home networks: 10.20.0.0/16 fd25:20::/32; sites: 2, sha256 " in text,
          text)


def at(event, days):
    """The time of an event, some days away, in seconds since 1970."""
    when = time.strptime(event["timestamp"][:19], "%Y-%m-%dT%H:%M:%S")
    return calendar.timegm(when) + days * 86400


def lease_files(first):
    """The printer's address: handed out in one file, then in another."""
    old = text_file("dhcpd.leases", "lease 10.20.7.3 {\n"
                    f"  starts epoch {at(first, -2)}; ends epoch "
                    f"{at(first, -1)};\n  hardware ethernet 00:01:02:03:04:05;"
                    "\n}\nlease 10.20.7.3 { starts never; }\n")
    new = text_file("kea-leases4.csv", "address,hwaddr,client_id,valid_lifetime"
                    ",expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state\n"
                    "10.20.7.3,00:01:02:03:04:06,,172800,"
                    f"{at(first, 1)},1,0,0,printer,0\n")
    return old, new


def test_leases_are_on_events():
    old, new = lease_files(parsed(events(LAB))[0])
    conf = text_file("leases.yaml", SITES + f"  leases: ['{old}', '{new}']\n")
    done = read("-c", conf, "--events", temp("leases.jsonl"), LAB)
    check(f"{old}:5: the lease has no start" in done.err, done.err)
    lines = parsed(same_in_all_ways(LAB, WAYS[:3], "-c", conf))
    leases = {e["src_ip"]: e["src_host"]["lease"] for e in lines
              if "lease" in e.get("src_host", {})}
    check(set(leases) == {"10.20.7.3"} and
          re.fullmatch("[0-9a-f]{16}", leases["10.20.7.3"]), f"{leases}")
    text = lines[0]["control"]["text"]
    for path in (old, new):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        check(f"leases {path}: 1, sha256 {digest}" in text, text)
    conf = text_file("old.yaml", SITES + f"  leases: ['{old}']\n")
    check(b'"lease"' not in b"".join(events("-c", conf, LAB)),
          "a lease that has ended")
    for name in (text_file("no.leases", "hello\n"), temp("nowhere.leases")):
        conf = text_file("no.yaml", SITES + f"  leases: ['{name}']\n")
        done = Run("read", "-c", conf, LAB)
        check(done.code in (1, 2) and str(name) in done.err and not done.out,
              f"exit {done.code}: {done.err}")


def test_leases_are_read_anew():
    """A server of DHCP goes on writing while a capture comes through a pipe."""
    _, new = lease_files(parsed(events(LAB))[0])
    rows = new.read_text()
    leases = text_file("now.leases", rows.replace("10.20.7.3", "10.20.7.9"))
    conf = text_file("now.yaml", SITES + f"  leases: ['{leases}']\n")
    told = temp("now.jsonl")
    whole = LAB.read_bytes()
    p = subprocess.Popen([PROGRAM, "read", "-c", conf, "--events", told, "-"],
                         stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE)
    p.stdin.write(whole[:len(whole) // 4])
    p.stdin.flush()
    time.sleep(2)
    text_file("new.leases", rows).rename(leases)
    time.sleep(LEASES_LOOK)
    leases.write_text("hello\n")
    time.sleep(LEASES_LOOK)
    _, said = p.communicate(whole[len(whole) // 4:], timeout=PATIENCE)
    check(p.returncode == 0, said)
    check(said.count(b"the leases read before stay in force") == 1, said)
    lines = parsed(told.read_bytes().splitlines())
    at = [i for i, e in enumerate(lines)
          if e.get("control", {}).get("kind") == "leases"]
    check(len(at) == 1, f"{len(at)} controls")
    digest = hashlib.sha256(rows.encode()).hexdigest()
    check(lines[at[0]]["control"]["text"] ==
          f"leases {leases}: 1, sha256 {digest}", lines[at[0]])
    printer = [(i, "lease" in e["src_host"]) for i, e in enumerate(lines)
               if e.get("src_ip") == "10.20.7.3" and
               e["event_type"] in ("smtp", "smtp_session", "fileinfo")]
    check({has for i, has in printer if i < at[0]} == {False} and
          {has for i, has in printer if i > at[0]} == {True}, f"{at} {printer}")


def test_wrong_usage():
    for flag, want in (("--worker", "--workers"), ("--event", "--events"),
                       ("--registri", "--registry")):
        done = Run("read", flag, "x", LAB).expect(2)
        check(f"did you mean '{want}'" in done.err and done.out == b"",
              done.err)
    for args in (["read"], ["red", LAB], ["read", "--workers", "0", LAB],
                 ["read", "--workers", "65", LAB],
                 ["read", "-f", "not a filter (", LAB]):
        done = Run(*args).expect(2)
        check(done.err and done.out == b"", f"{args}: {done.err!r}")


def test_filter():
    lines = events(*HOME, "-f", "port 1", LAB)
    check(not of_flows(lines), f"{len(of_flows(lines))} events of no packets")
    same(of_flows(events(*HOME, LAB)),
         of_flows(events(*HOME, "-f", "len > 0", LAB)), "-f 'len > 0'")


# ---- state ----

def segments(state):
    return sorted((state / "journal").glob("*.jsonl"))


def journal_lines(state):
    """(seq, the line as it was told) of all plain segments."""
    out = []
    for path in segments(state):
        for line in path.read_bytes().splitlines():
            body, tail = line.rsplit(b',"journal":', 1)
            out.append((json.loads(tail[:-1])["seq"], body + b"}"))
    return out


def indexed(state):
    db = sqlite3.connect(f"file:{state}/index.db?mode=ro", uri=True)
    with contextlib.closing(db):
        return list(db.execute("SELECT * FROM events ORDER BY seq"))


def new_state(name):
    path = temp(name)
    shutil.rmtree(path, ignore_errors=True)
    return path


def seen(lines):
    """Without conclusions, and what is counted of them."""
    kinds = {"host", "alert", "decision"}
    out = []
    for line in lines:
        event = json.loads(line)
        event.get("stats", {}).pop("detect", None)
        if event["event_type"] not in kinds:
            out.append(json.dumps(event).encode())
    return out


def test_state_holds_what_was_told():
    state = new_state("state")
    lines = events("--state", state, LAB)
    held = journal_lines(state)
    same(lines, [line for _, line in held], "journal")
    check([seq for seq, _ in held] == list(range(1, len(lines) + 1)),
          "numbers have holes")
    rows = indexed(state)
    check(len(rows) == len(lines), f"{len(rows)} rows for {len(lines)} lines")
    again = events("--state", state, "--workers", "4", "--processes", LAB)
    # detection goes on where it stood, so it concludes other things
    same(seen(lines), seen(again), "second reading")
    held = journal_lines(state)
    same(lines + again, [line for _, line in held], "journal after two")
    both = len(lines) + len(again)
    check([seq for seq, _ in held] == list(range(1, both + 1)),
          "numbers after two have holes")
    check(len(indexed(state)) == both, "rows after two")
    rows = indexed(state)
    (state / "index.db").unlink()
    read("-q", "--state", state, scenarios()[0])
    check(indexed(state)[:len(rows)] == rows, "an index rebuilt differs")
    for path in (state, state / "journal"):
        check(path.stat().st_mode & 0o077 == 0, f"others may enter {path}")


def test_detection_goes_on():
    """From the snapshot, or without one from the journal: the same."""
    first = new_state("first")
    bot = ROOT / "tests" / "fixtures" / "bot.pcap.gz"
    registry = ("--registry", ROOT / "tests" / "fixtures" / "bot-registry.csv")
    read("-q", "--state", first, *registry, bot)
    snapshot = first / "snapshots" / "detect"
    check(snapshot.stat().st_size > 1000, "no snapshot")

    def spoil(path):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    def number(path):
        data = bytearray(path.read_bytes())
        data[8] ^= 1
        path.write_bytes(data)

    told, errors = {}, {}
    for name, change in (("whole", lambda path: None),
                         ("none", pathlib.Path.unlink), ("damaged", spoil),
                         ("of another build", number),
                         ("empty", lambda path: path.write_bytes(b""))):
        state = new_state(f"second-{name}")
        shutil.copytree(first, state)
        change(state / "snapshots" / "detect")
        done = read("--events", "-", "--state", state, *registry, bot)
        told[name], errors[name] = done.out.splitlines(), done.err
    for name in ("none", "damaged", "of another build", "empty"):
        same(told["whole"], told[name], f"detection with snapshot {name}")
    for name, why in (("damaged", "is damaged"),
                      ("of another build", "of another version")):
        check(why in errors[name] and errors[name].count("\n") == 1 and
              "the journal is read instead" in errors[name], errors[name])
    check(errors["whole"] == errors["none"] == "", errors)
    alone = read("--events", "-", *registry, bot).out.splitlines()
    check(seen(alone) == seen(told["whole"]), "wire events differ")
    check(alone != told["whole"], "nothing was gone on with")


def test_what_people_do_does_not_move_the_time():
    """Acts of today between two readings of an old capture."""
    bot = ROOT / "tests" / "fixtures" / "bot.pcap.gz"
    registry = ("--registry", ROOT / "tests" / "fixtures" / "bot-registry.csv")
    told = {}
    for acts in (False, True):
        state = new_state(f"acts-{acts}")
        read("-q", "--state", state, *registry, bot)
        if acts:
            Run("alerts", "ack", "--state", state, "--all-matching").expect(0)
            Run("exceptions", "add", "--state", state, "198.51.100.0/24",
                "--from", "both", "--for", "48h", "--reason",
                "test").expect(0)
        (state / "snapshots" / "detect").unlink()  # so all is lived again
        lines = read("--events", "-", "--state", state, *registry,
                     bot).out.splitlines()
        told[acts] = [line for line in lines
                      if json.loads(line)["event_type"] != "control"]
    same(told[False], told[True], "with acts between")


def test_state_recovers_from_any_cut():
    state = new_state("base")
    lines = events("--state", state, LAB)
    small = scenarios()[0]
    data = segments(state)[0].read_bytes()
    ends = [m.end() for m in re.finditer(b"\n", data)]
    rng = random.Random(7)
    cuts = [0, 1, len(data) - 1, ends[3], ends[3] - 1, ends[3] + 1]
    cuts += [rng.randrange(len(data)) for _ in range(6)]
    for cut in cuts:
        copy = new_state("copy")
        shutil.copytree(state, copy)
        with open(segments(copy)[0], "r+b") as f:
            f.truncate(cut)
        whole = sum(end <= cut for end in ends)
        torn = cut not in (0, *ends)
        done = read("--events", "-", "--state", copy, small)
        check(("recovered" in done.err) == torn, f"cut at {cut}: {done.err!r}")
        held = journal_lines(copy)
        same(lines[:whole] + done.out.splitlines(),
             [line for _, line in held], f"cut at {cut}")
        check([seq for seq, _ in held] == list(range(1, len(held) + 1)),
              f"cut at {cut}: numbers have holes")
        rows = indexed(copy)
        check([row[0] for row in rows] == [seq for seq, _ in held],
              f"cut at {cut}: the index has {len(rows)} of {len(held)}")
        damaged = list((copy / "journal").glob("damaged-*"))
        check(len(damaged) == torn, f"cut at {cut}: {damaged}")


def test_state_of_others_is_refused():
    state = new_state("live")
    state.mkdir()
    (state / "state").write_text("span25 state 1\nkind: live\n",
                                 encoding="ascii")
    done = Run("read", "--state", state, LAB)
    check(done.code in (1, 2) and "live" in done.err and not done.out,
          f"exit {done.code}: {done.err}")
    check(sorted(os.listdir(state)) == ["state"], "something was written")
    other = new_state("other")
    other.mkdir()
    (other / "letters").write_text("mine\n", encoding="ascii")
    done = Run("read", "--state", other, LAB)
    check(done.code in (1, 2) and "other" in done.err,
          f"exit {done.code}: {done.err}")
    check(os.listdir(other) == ["letters"], "something was written")


# ---- signals and dead workers ----

def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as f:
            return f.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


class Stuck:
    """A reading whose events nobody reads: the worker with the one connection
    waits for room in its ring."""

    def __init__(self, *more):
        self.p = subprocess.Popen(
            [PROGRAM, "read", "--events", "-", *map(str, more),
             made("onebig", 40000)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)

    def children(self):
        path = f"/proc/{self.p.pid}/task/{self.p.pid}/children"
        try:
            with open(path, encoding="ascii") as f:
                pids = [int(pid) for pid in f.read().split()]
            return [pid for pid in pids if name_of(pid) == "span25-worker"]
        except FileNotFoundError:
            return []

    def wait_for_children(self, n):
        end = time.monotonic() + PATIENCE
        while len(self.children()) != n and time.monotonic() < end:
            time.sleep(0.02)
        found = self.children()
        check(len(found) == n, f"{len(found)} worker processes")
        return found

    def wait_until_it_writes(self):
        """The first line has come: handlers are in place."""
        self.head = self.p.stdout.readline()
        time.sleep(0.3)

    def finish(self):
        try:
            out, err = self.p.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.p.kill()
            raise AssertionError("it hangs") from None
        return self.head + out, err.decode()


def test_a_worker_that_dies():
    stuck = Stuck("--workers", "4", "--processes")
    children = stuck.wait_for_children(4)
    stuck.wait_until_it_writes()
    busy = stuck.wait_for_children(1)[0]
    os.kill(busy, signal.SIGKILL)
    out, err = stuck.finish()
    check(stuck.p.returncode == 1, f"exit {stuck.p.returncode}: {err}")
    number = children.index(busy) + 1
    check(f"worker {number} was killed by signal 9" in err, f"{err!r}")
    kinds = [json.loads(line)["event_type"] for line in out.splitlines()]
    check(kinds[-1] == "stats", f"ends with {kinds[-1]}")


def test_too_few_threads():
    """Some threads are made and others not: a thread takes 1 GiB of 3. Not for
    sanitizers, which use address space of their own."""
    if is_sanitized():
        return
    few = "ulimit -s 1048576 && ulimit -v 3145728 || exit 77; exec \"$@\""
    for more in ([], ["--processes"]):
        args = [PROGRAM, "read", "--workers", "8", *more,
                str(made("onebig", 40000))]
        try:
            done = subprocess.run(["sh", "-c", few, "sh", *args], check=False,
                                  timeout=PATIENCE, capture_output=True)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{more}: it hangs") from None
        if done.returncode == 77:
            raise Skip("a larger stack is not allowed")
        check(done.returncode == 1 and b"memory" in done.stderr,
              f"{more}: exit {done.returncode}: {done.stderr!r}")


def test_interrupted():
    whole = len(events(made("onebig", 40000)))
    for more in ([], ["--workers", "3"], ["--workers", "3", "--processes"]):
        for number in (signal.SIGINT, signal.SIGTERM):
            report = temp("interrupted.json")
            stuck = Stuck(*more, "-o", report)
            stuck.wait_until_it_writes()
            stuck.p.send_signal(number)
            time.sleep(0.3)
            out, err = stuck.finish()
            check(stuck.p.returncode == 4,
                  f"{more}: exit {stuck.p.returncode}: {err}")
            kinds = [json.loads(line)["event_type"]
                     for line in out.splitlines()]
            check(kinds[-1] == "stats", f"{more}: ends with {kinds[-1]}")
            check(0 < len(kinds) < whole, f"{more}: {len(kinds)} events, all")
            check('"partial":true' in re.sub(r"\s", "", report.read_text(
                encoding="utf-8")), f"{more}: the report is not partial")


def test_workers_do_not_outlive_the_reader():
    stuck = Stuck("--workers", "2", "--processes")
    stuck.wait_for_children(2)
    children = stuck.wait_for_children(1)
    stuck.p.kill()
    stuck.p.wait()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        left = [pid for pid in children if is_running(pid)]
        if not left:
            break
        time.sleep(0.05)
    stuck.p.stdout.close()
    stuck.p.stderr.close()
    check(not left, f"{left} go on")


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


# ---- memory ----

# What a process had in memory before exec counts for the program after it: so
# a small process starts it.
PEAK = """
import os, sys
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


def peak_kib(*args, stdin):
    """Peak resident size of a reading from standard input, where no mapped
    page of the capture counts."""
    with open(stdin, "rb") as f:
        done = subprocess.run([sys.executable, "-S", "-c", PEAK, PROGRAM,
                               "read", "-q", *map(str, args), "-"], stdin=f,
                              stdout=subprocess.PIPE, check=True)
    code, peak = map(int, done.stdout.split())
    check(code == 0, f"exit {code}")
    return peak


def held_kib(*args, stdin):
    """Resident size when all of a capture has been read and its end has not
    come: connections are still open, and nothing was concluded from them."""
    def resident(pid):
        text = pathlib.Path(f"/proc/{pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", text)[1])

    with subprocess.Popen([PROGRAM, "read", "-q", *map(str, args), "-"],
                          stdin=subprocess.PIPE,
                          stdout=subprocess.DEVNULL) as p:
        with open(stdin, "rb") as f:
            shutil.copyfileobj(f, p.stdin, 1 << 20)
        p.stdin.flush()
        held, before = resident(p.pid), 0
        while held != before:
            time.sleep(1)
            held, before = resident(p.pid), held
        p.kill()
    return held


def memory_one_long_connection():
    few = peak_kib(stdin=made("onebig", 100000))
    many = peak_kib(stdin=made("onebig", 300000))
    each = (many - few) * 1024 / 200000
    print(f"one connection of 100,000 mails: {few} KiB, of 300,000: {many} KiB,"
          f" {each:.0f} bytes each")
    # of each mail detection keeps fingerprints for an hour
    check(each <= 128, f"{few} KiB became {many} KiB")


def memory_idle_connections():
    few = held_kib(stdin=made("idle200k", 1000))
    many = held_kib(stdin=made("idle200k", 200000))
    each = (many - few) * 1024 / 199000
    print(f"1,000 idle connections: {few} KiB, 200,000: {many} KiB, "
          f"{each:.0f} bytes each")
    check(each <= 1024, f"{each:.0f} bytes for an idle connection")


def memory_cap():
    few = held_kib(stdin=made("idle200k", 1000))
    small = text_file("cap.yaml", "limits:\n  memory: 64MiB\n")
    held = held_kib("-c", small, stdin=made("idle200k", 200000))
    print(f"200,000 idle connections under a cap of 64 MiB: {held} KiB")
    # Those that had to end were told: what the core keeps of their hosts and
    # mails has caps of its own (640 bytes each were measured at 140,000).
    check(held <= few + 1.25 * 65536 + 200000 * 640 / 1024,
          f"{held} KiB, {few} KiB at rest")


def memory_full_is_told():
    """More sessions than the cap has room for: idle ones end, none is missing
    without a count."""
    small = text_file("full.yaml", "limits:\n  memory: 64MiB\n")
    lines = events("-c", small, made("idle200k", 100000))
    tcp = stats(lines)["tcp"]
    told = sum(b'"event_type":"smtp"' in line for line in lines)
    print(f"100,000 idle connections under a cap of 64 MiB: {told} transactions "
          f"told, {tcp['flows_evicted']} connections given up, "
          f"{tcp['no_memory']} not followed")
    check(told + tcp["no_memory"] == 100000, "some are missing")
    check(tcp["no_memory"] < 1000, "not followed")


# ---- all ----

def run_one(name, test):
    try:
        test()
    except Skip as e:
        print(f"skipped: {name}: {e}")
        return "skipped"
    except (AssertionError, OSError, ValueError, KeyError, IndexError,
            sqlite3.Error, subprocess.SubprocessError) as e:
        print(f"FAILED {name}: {type(e).__name__}: {str(e)[:3000]}")
        return "failed"
    return "passed"


def is_sanitized():
    return b"__asan_init" in pathlib.Path(PROGRAM).read_bytes() or \
        b"__tsan_init" in pathlib.Path(PROGRAM).read_bytes()


def main(argv):
    global PROGRAM, MAKE, TEMP
    memory = argv[:1] == ["--memory"]
    argv = argv[memory:]
    if len(argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    PROGRAM, MAKE = (str(pathlib.Path(p).resolve()) for p in argv[:2])
    if not os.access(PROGRAM, os.X_OK) or not os.access(MAKE, os.X_OK):
        print(f"skipped: {PROGRAM} or {MAKE} is not there")
        return 77
    if memory and is_sanitized():
        print("skipped: sanitizers use memory of their own")
        return 77
    head = "memory_" if memory else "test_"
    tests = {n[len(head):]: t for n, t in globals().items()
             if n.startswith(head)}
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with tempfile.TemporaryDirectory(prefix="span25-read-") as d:
        TEMP = pathlib.Path(d)
        for name in argv[2:] or tests:
            counts[run_one(name, tests[name])] += 1
    print(", ".join(f"{n} {what}" for what, n in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
