#!/usr/bin/env python3
"""Send hostile mail through the program: limits, loss, and dying inspectors.

    content_test.py [--program FILE] [NAME...]

Bombs, a thousand multiparts in one another, an attachment of 100 MB, 10,000
parts, a header line of 10 MB: each has bounds of time and memory, generous
ones, and what was measured is printed. Fifty large mails at once under a small
limits.content; holes at many places of a mail; inspectors and their keeper
killed at random moments.

The last line is "N passed, N failed, N skipped".
"""
import argparse
import base64
import hashlib
import io
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zipfile

import messages_test

try:
    import jsonschema
except ImportError:
    jsonschema = None

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 300
MIB = 1 << 20

PROGRAM = TEMP = None
VALID = None # checks an event by the schema


class Skip(Exception):
    """What the test needs is not here."""


def check(good, why):
    if not good:
        raise AssertionError(why)


# ---- mails ----

def zipped(**files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in files.items():
            z.writestr(name.replace("_", "."), data)
    return out.getvalue()


def base64_lines(data):
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def head(content_type):
    return (b"From: a@client.example\r\nTo: b@mx.example\r\nSubject: x\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: " + content_type +
            b"\r\n\r\n")


def attachment(name, data):
    return (b"Content-Type: application/octet-stream\r\n"
            b"Content-Transfer-Encoding: base64\r\n"
            b"Content-Disposition: attachment; filename=\"" + name.encode() +
            b"\"\r\n\r\n" + base64_lines(data))


def multipart(*parts):
    out = [head(b"multipart/mixed; boundary=\"=_b\"")]
    for part in parts:
        out += [b"--=_b\r\n", part]
    return b"".join(out) + b"--=_b--\r\n"


TEXT = b"Content-Type: text/plain\r\n\r\nHello, see the file.\r\n"


# ---- captures ----

def capture_of(name, mails, cut=messages_test.of_size(1460)):
    path = TEMP / name
    c = messages_test.Capture(path)
    for mail in mails:
        c.mail(mail, cut, False)
    c.close()
    return path


class Packets(messages_test.Capture):
    """Packets in a list: (time, frame)."""

    def __init__(self):
        self.all = []
        self.time = 1700000000 * 1000000
        self.conns = 0
        self.f = self

    def write(self, data):
        self.all.append(data)

    def take(self):
        pairs = [self.all[i] + self.all[i + 1]
                 for i in range(0, len(self.all), 2)]
        self.all = []
        return pairs


def at_once(name, mails):
    """Each mail in a connection of its own, packets in turn."""
    p, talks = Packets(), []
    for mail in mails:
        p.mail(mail, messages_test.of_size(8000), False)
        talks.append(p.take())
    path = TEMP / name
    messages_test.Capture(path).close()
    with open(path, "ab") as f:
        for i in range(max(map(len, talks))):
            for talk in talks:
                if i < len(talk):
                    f.write(messages_test.at_time(talk[i], p.time))
                    p.time += 10
    return path


# ---- the program ----

# The size of what starts a process counts for it: so a small one does.
PEAK = """
import os, sys
pid = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ,
                     file_actions=[(os.POSIX_SPAWN_OPEN, 1, sys.argv[1],
                                    os.O_WRONLY | os.O_CREAT, 0o600)])
_, status, usage = os.wait4(pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""


class Run:
    """A reading from standard input, where no mapped page of the capture
    counts."""

    def __init__(self, path, *more):
        out = TEMP / "events.jsonl"
        out.unlink(missing_ok=True)
        begun = time.monotonic()
        with open(path, "rb") as f:
            done = subprocess.run(
                [sys.executable, "-S", "-c", PEAK, str(out), PROGRAM, "read",
                 "--events", "-", *map(str, more), "-"], stdin=f,
                capture_output=True, timeout=PATIENCE, check=True)
        self.seconds = time.monotonic() - begun
        code, kib = map(int, done.stdout.split())
        check(code == 0, f"exit {code}: {done.stderr[-800:]}")
        self.mib = kib / 1024
        self.events = [json.loads(line) for line in
                       out.read_bytes().splitlines()]
        if VALID is not None:
            for e in self.events[:200] + self.events[-20:]:
                VALID.validate(e)

    def of_type(self, kind):
        return [e for e in self.events if e["event_type"] == kind]

    def files(self):
        return [e["fileinfo"] for e in self.of_type("fileinfo")]

    def mail(self):
        mails = self.of_type("smtp")
        check(len(mails) == 1, f"{len(mails)} mails")
        return mails[0]


AT_REST = 0.0


def measured(what, run, seconds, mib):
    """Bounds are for a slow machine; the figures are for the reader."""
    grown = run.mib - AT_REST
    print(f"{what}: {run.seconds:.2f} s, {grown:.0f} MiB more than a small "
          "reading")
    if is_sanitized():
        return
    check(run.seconds <= seconds, f"{what}: {run.seconds:.1f} s")
    check(grown <= mib, f"{what}: {grown:.0f} MiB more")


def is_sanitized():
    data = pathlib.Path(PROGRAM).read_bytes()
    return b"__asan_init" in data or b"__tsan_init" in data


# ---- limits ----

def test_bombs():
    """Each of 100 parts would be 100 MB."""
    bomb = zipped(a_bin=bytes(100 * MIB))
    mail = multipart(TEXT, *(attachment(f"{i}.zip", bomb) for i in range(100)))
    run = Run(capture_of("bombs.pcap", [mail]))
    files = run.files()
    measured(f"100 bombs of {len(bomb)} bytes", run, 60, 150)
    check(len(files) == 100, f"{len(files)} files")
    for f in files:
        check({"inspection_limit", "bomb_ratio"} & set(f["findings"]),
              f"{f['findings']}")
        check(f["sha256"] == hashlib.sha256(bomb).hexdigest(), "digest")
    total = sum(f.get("unpacked", 0) for f in files)
    check(total <= 250 * MIB, f"{total} bytes unpacked")
    check(run.mail()["smtp"]["outcome"] == "accepted", "outcome")


def test_small_bombs():
    """Below every limit of one part, 25 MB each."""
    bomb = zipped(a_bin=bytes(24 * MIB))
    mail = multipart(TEXT, *(attachment(f"{i}.zip", bomb) for i in range(300)))
    run = Run(capture_of("small.pcap", [mail]))
    measured(f"300 bombs of {len(bomb)} bytes", run, 30, 150)
    total = sum(f.get("unpacked", 0) for f in run.files())
    check(total <= 150 * MIB, f"{total} bytes unpacked")


def test_deep_nesting():
    n = 1000
    out = [b"From: a@client.example\r\nMIME-Version: 1.0\r\n"]
    for i in range(n):
        out.append(b"Content-Type: multipart/mixed; boundary=\"b%d\"\r\n\r\n"
                   b"--b%d\r\n" % (i, i))
    out.append(attachment("deep.bin", b"MZ not"))
    out += [b"--b%d--\r\n" % i for i in reversed(range(n))]
    run = Run(capture_of("deep.pcap", [b"".join(out)]))
    measured("1,000 multiparts in one another", run, 10, 50)
    mail = run.mail()
    check("too_deep" in mail["email"]["mime"], f"{mail['email']['mime']}")


def test_nested_messages():
    n = 1000
    mail = (head(b"message/rfc822") * n) + head(b"text/plain") + b"hello\r\n"
    run = Run(capture_of("messages.pcap", [mail]))
    measured("1,000 messages in one another", run, 10, 50)
    check("too_deep" in run.mail()["email"]["mime"], "not too deep")


def test_a_large_attachment():
    data = random.Random(1).randbytes(100 * 1000 * 1000)
    run = Run(capture_of("large.pcap",
                         [multipart(TEXT, attachment("l.zip", b"PK\3\4"
                                                     + data))],
                         messages_test.of_size(8000)))
    measured("an attachment of 100 MB", run, 60, 150)
    f = run.files()[0]
    check(f["size"] == len(data) + 4, f"size {f['size']}")
    check(f["sha256"] == hashlib.sha256(b"PK\3\4" + data).hexdigest(),
          "digest")
    check("part_cut" in f["findings"] and not f["inspected"],
          f"{f['findings']}")


def test_many_parts():
    n = 12000
    mail = multipart(*(attachment(f"{i}.txt", b"x%d" % i) for i in range(n)))
    run = Run(capture_of("parts.pcap", [mail]))
    measured("12,000 parts", run, 60, 100)
    files = run.files()
    check(len(files) == 10000, f"{len(files)} files")
    check("too_many_parts" in run.mail()["email"]["mime"], "not too many")
    check(len(run.mail()["email"]["attachment"]) == 64, "names")
    check(run.mail()["email"]["parts"] == n, "the parts are not counted")
    check(run.mail()["email"]["parts_more"] == n - 10000, "nor those beyond")


def test_many_parts_in_many_readings():
    """Two boundaries: the parts come out again and again."""
    n = 3000
    part = b"Content-Disposition: attachment; filename=a%d\r\n\r\nx%d\r\n"
    mail = head(b"multipart/mixed; boundary=\"a\"; boundary=\"b\"") + b"".join(
        b"--%s\r\n" % (b"a" if i % 2 else b"b") + part % (i, i)
        for i in range(n)) + b"--a--\r\n--b--\r\n"
    run = Run(capture_of("readings.pcap", [mail]))
    measured("3,000 parts under two boundaries", run, 60, 100)
    check(run.mail()["smtp"]["outcome"] == "accepted", "outcome")


def test_a_long_header_line():
    line = b"X-Long: " + b"x" * 10000000 + b"\r\n"
    mail = line + multipart(TEXT, b"X: " + b"y" * 10000000 + b"\r\n"
                            + attachment("a.bin", b"abc"))
    run = Run(capture_of("line.pcap", [mail], messages_test.of_size(8000)))
    measured("two header lines of 10 MB", run, 30, 60)
    files = run.files()
    check([f["sha256"] for f in files] == [hashlib.sha256(b"abc").hexdigest()],
          f"{files}")


def test_long_names():
    name = "n" * 4000 + ".exe"
    long = "n" * 60000 + ".exe"
    parts = [b"Content-Type: text/plain\r\nContent-Disposition: attachment"
             + "".join(f";\r\n filename*{i}=\"{n[i * 900:(i + 1) * 900]}\""
                       for i in range(67)).encode() + b"\r\n\r\nhello\r\n"
             for n in (name, long)]
    nul = attachment("a\0b\x1b[31m\u202ecod.exe", b"hello")
    run = Run(capture_of("names.pcap", [multipart(TEXT, *parts, nul)]))
    files = run.files()
    check(len(files) == 3, f"{len(files)} files")
    check("forbidden_type" in files[0]["findings"], f"{files[0]['findings']}")
    check("name_control" in files[2]["findings"], f"{files[2]['findings']}")
    check(all(len(n) <= 1024 for n in run.mail()["email"]["attachment"]),
          "a long name in the mail's event")


def test_the_largest_event():
    """All that a mail can tell at once: the outcome is never lost."""
    urls = b"".join(b"http://h%d.example/" % i + b"u" * 2000 + b"\r\n"
                    for i in range(150))
    parts = [b"Content-Type: text/plain\r\n\r\n" + urls]
    parts += [attachment("n" * 800 + f"{i}.txt", b"x") for i in range(70)]
    received = b"".join(b"Received: from " + b"r" * 900 + b" %d\r\n" % i
                        for i in range(250))
    mail = received + multipart(*parts)
    path = TEMP / "largest.pcap"
    c = messages_test.Capture(path)
    c.mail(mail, messages_test.of_size(1460), False,
           [(b"<" + b"r" * 900 + b"%d@mx.example>" % i, b"t" * 480)
            for i in range(130)])
    c.close()
    run = Run(path)
    e = run.mail()
    check(e["smtp"]["rcpt_offered"] == 130, f"{e['smtp']['rcpt_offered']}")
    check(e["smtp"]["outcome"] == "accepted", "outcome")
    check(e["smtp"]["final_code"] == 250, "code")
    check(len(e["email"]["url"]) == 100 and e["email"]["urls"] == 150,
          f"{len(e['email']['url'])} of {e['email']['urls']} URLs")
    check(len(e["email"]["attachment"]) == 64, "names")
    stats = run.of_type("stats")[-1]["stats"]
    check(stats["core"]["records_refused"] == 0, f"{stats['core']}")


def test_little_memory_for_many():
    """Each has its name, size and digest, and says that it was cut."""
    r = random.Random(2)
    data = [b"PK\3\4" + r.randbytes(6 * MIB) for _ in range(50)]
    path = at_once("fifty.pcap", [
        multipart(TEXT, attachment(f"{i}.zip", d), attachment("s.txt", b"end"))
        for i, d in enumerate(data)])
    small = TEMP / "small.yaml"
    small.write_text("limits:\n  content: 64MiB\n", encoding="ascii")
    run = Run(path, "-c", small)
    measured("50 mails of 6 MiB at once under 64 MiB", run, 60, 90)
    files = run.files()
    got = {f["filename"]: f for f in files if f["filename"] != "s.txt"}
    check(len(files) == 100 and len(got) == 50, f"{len(files)} files")
    for i, d in enumerate(data):
        f = got[f"{i}.zip"]
        check(f["sha256"] == hashlib.sha256(d).hexdigest() and
              f["size"] == len(d), f"{i}: {f}")
        check("part_cut" in f.get("findings", []), f"{i} was not cut")
    check(len(run.of_type("smtp")) == 50, "mails")
    check(not run.of_type("anomaly"), f"{run.of_type('anomaly')[:3]}")
    enough = Run(path)
    check(not any("part_cut" in f.get("findings", []) for f in
                  enough.files()), "cut with enough memory")


# ---- holes ----

def without(path, skipped, name):
    """The capture without these packets of it."""
    data = path.read_bytes()
    out, at, n = [data[:24]], 24, 0
    while at < len(data):
        size = 16 + int.from_bytes(data[at + 8:at + 12], "little")
        if n not in skipped:
            out.append(data[at:at + size])
        at, n = at + size, n + 1
    to = TEMP / name
    to.write_bytes(b"".join(out))
    return to, n


def test_holes():
    """What lies behind a hole, and other mails, are as without. Known gap: a
    hole in the header of the mail itself hides what its boundary was."""
    r = random.Random(3)
    files = [(f"{i}.bin", r.randbytes(1500)) for i in range(8)]
    mail = multipart(TEXT, *(attachment(n, d) for n, d in files))
    path = capture_of("whole.pcap", [mail, mail], messages_test.of_size(600))
    digests = {n: hashlib.sha256(d).hexdigest() for n, d in files}
    _, n = without(path, (), "same.pcap")
    tried = 0
    for hole in range(12, n // 2 - 8):
        run = Run(without(path, (hole,), "hole.pcap")[0])
        got = {}
        for e in run.of_type("fileinfo"):
            if "filename" in e["fileinfo"]:
                got.setdefault(e["flow_id"], []).append(e["fileinfo"])
        flows = list(dict.fromkeys(e["flow_id"] for e in
                                   run.of_type("smtp_session")))
        whole = [sum(f.get("sha256") == digests.get(f["filename"])
                     for f in got.get(flow, [])) for flow in flows]
        check(max(whole) == 8, f"hole {hole}: the other mail: {whole}")
        lost = any("header_gap" in e["email"].get("anomalies", [])
                   for e in run.of_type("smtp"))
        if not lost: # else the boundary is not known
            check(min(whole) >= 6, f"hole {hole}: {min(whole)} of 8 whole")
        tried += 1
    print(f"{tried} holes")


# ---- inspectors that die ----

def descendants(pid):
    out, queue = [], [pid]
    while queue:
        p = queue.pop()
        try:
            text = pathlib.Path(f"/proc/{p}/task/{p}/children").read_text(
                encoding="ascii")
        except OSError:
            continue
        queue += [int(c) for c in text.split()]
        out += [int(c) for c in text.split()]
    return out


def named(pids, name):
    found = []
    for p in pids:
        try:
            comm = pathlib.Path(f"/proc/{p}/comm").read_text(encoding="ascii")
        except OSError:
            continue
        if comm.strip() == name:
            found.append(p)
    return found


def zips_capture():
    path = TEMP / "zips.pcap"
    if not path.exists():
        r = random.Random(4)
        files = [zipped(**{f"f{k}_txt": r.randbytes(2000) for k in range(50)})
                 for _ in range(20)]
        capture_of("zips.pcap", [
            multipart(TEXT, attachment(f"{i}.zip", files[i % 20]))
            for i in range(1500)], messages_test.of_size(8000))
    return path


def keys_of(lines):
    out = {}
    for line in lines:
        e = json.loads(line)
        if e["event_type"] not in ("stats", "control", "host", "alert",
                                   "decision"):
            out[e["event_id"]] = e
    return out


def read_while(path, disturb, *more):
    p = subprocess.Popen([PROGRAM, "read", "--events", TEMP / "d.jsonl", "-q",
                          *more, path], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE)
    stop = threading.Event()
    thread = threading.Thread(target=disturb, args=(p.pid, stop))
    begun = time.monotonic()
    thread.start()
    try:
        _, err = p.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        p.kill()
        raise AssertionError("it hangs") from None
    finally:
        stop.set()
        thread.join()
    check(p.returncode == 0, f"exit {p.returncode}: {err[-500:]}")
    return (keys_of((TEMP / "d.jsonl").read_bytes().splitlines()),
            time.monotonic() - begun)


def compare_hit(whole, got, what):
    """Events of files that were hit say so; all others are the same."""
    check(set(whole) == set(got), f"{what}: {len(got)} of {len(whole)} events")
    hit = 0
    for key, e in got.items():
        if e == whole[key]:
            continue
        if e["event_type"] == "fileinfo":
            f = e["fileinfo"]
            check("inspection_fault" in f["findings"] and
                  f["nondeterministic"] and not f["inspected"], f"{what}: {f}")
            check(f["sha256"] == whole[key]["fileinfo"]["sha256"], what)
            hit += 1
        else: # its sum counts classes of findings
            check(e["event_type"] == "smtp" and e["smtp"] ==
                  whole[key]["smtp"], f"{what}: {e}")
    return hit


def test_inspectors_killed():
    path = zips_capture()
    whole, _ = read_while(path, lambda pid, stop: None)

    def kill_some(pid, stop):
        r = random.Random(5)
        while not stop.is_set():
            for p in named(descendants(pid), "span25-inspect"):
                if r.random() < 0.5:
                    try:
                        os.kill(p, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            stop.wait(r.random() * 0.02)

    for more in ([], ["--workers", "2"], ["--workers", "2", "--processes"]):
        got, seconds = read_while(path, kill_some, *more)
        hit = compare_hit(whole, got, f"{more}")
        print(f"{' '.join(more) or '1 worker'}: {hit} of 1500 files hit, "
              f"{seconds:.1f} s")
        check(hit > 0, f"{more}: none was hit")


def test_keeper_killed():
    path = zips_capture()
    whole, _ = read_while(path, lambda pid, stop: None)

    def kill_keeper(pid, stop):
        while not stop.is_set():
            found = named(descendants(pid), "span25-keeper")
            if found:
                time.sleep(0.1)
                os.kill(found[0], signal.SIGKILL)
                return

    for more in ([], ["--workers", "2", "--processes"]):
        got, seconds = read_while(path, kill_keeper, *more)
        hit = compare_hit(whole, got, f"{more}")
        print(f"keeper killed, {' '.join(more) or '1 worker'}: {hit} files "
              f"hit, {seconds:.1f} s")
        check(seconds < 60, f"{more}: {seconds:.1f} s")


def locked(data):
    """Of a zip with one member: it says that a password is needed."""
    data = bytearray(data)
    data[6] |= 1
    data[data.index(b"PK\1\2") + 8] |= 1
    return bytes(data)


def given(what, *parts):
    """What is told of such a mail, and that the password is nowhere."""
    path = capture_of("locked.pcap", [multipart(*parts)])
    state = TEMP / f"state-{what}"
    run = Run(path, "--state", state)
    files = [p for p in state.rglob("*") if p.is_file()]
    texts = [p.read_bytes() for p in files] + [json.dumps(run.events).encode()]
    texts += [zstd(t) for t in texts if t[:4] == b"\x28\xb5\x2f\xfd"]
    for text in texts:
        check(CANARY not in text and CANARY.lower() not in text,
              f"{what}: the password is written")
    check(len(files) > 2, f"{what}: {files}")
    told = [e["alert"]["signature"] for e in run.of_type("alert")]
    return (run.mail()["email"].get("password_given", False),
            "Locked archive with its password in the mail" in told)


def zstd(data):
    return subprocess.run(["zstd", "-dc"], input=data, capture_output=True,
                          check=True).stdout


CANARY = b"Xq7CanaryBird"


def test_password_beside_locked_archive():
    zip_file = locked(zipped(letter_txt=b"dear"))
    file = attachment("letter.zip", zip_file)
    text = TEXT + b"Password: " + CANARY + b"\r\n"
    coded = (b"Content-Type: text/html; charset=utf-8\r\n"
             b"Content-Transfer-Encoding: base64\r\n\r\n" +
             base64_lines(b"<p>Kennwort: <b>" + CANARY + b"</b></p>"))
    filled = TEXT + b"x" * 8300 + b"\r\n"
    for what, parts, want in [
            ("before it", (text, file), True),
            ("behind it", (file, text), True),
            ("HTML in base64", (coded, file), True),
            ("the second text", (TEXT, coded, file), True),
            ("no archive", (text, coded), False),
            ("not locked", (text, attachment("a.txt", b"hello")), False),
            ("no password", (TEXT, file), False),
            ("behind 8 KiB", (filled, text, file), False),
            ("HTML behind 8 KiB", (filled, coded, file), True)]:
        got = given(what.replace(" ", "-"), *parts)
        check(got == (want, want), f"{what}: {got}")


# ---- all ----

def validator():
    path = pathlib.Path(PROGRAM).parent / "man" / "events.schema.json"
    if jsonschema is None or not path.exists():
        return None
    schema = json.loads(path.read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


def run_one(name, test):
    try:
        test()
    except Skip as e:
        print(f"skipped: {name}: {e}")
        return "skipped"
    except (AssertionError, OSError, ValueError, KeyError, IndexError,
            subprocess.SubprocessError) as e:
        print(f"FAILED {name}: {type(e).__name__}: {str(e)[:2000]}")
        return "failed"
    return "passed"


def main():
    global PROGRAM, TEMP, VALID, AT_REST
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--program", default="build/release/span25")
    p.add_argument("names", nargs="*")
    a = p.parse_args()
    PROGRAM = str(pathlib.Path(a.program).resolve())
    if not os.access(PROGRAM, os.X_OK):
        print(f"skipped: {PROGRAM} is not there")
        return 77
    tests = {n[5:]: t for n, t in globals().items() if n.startswith("test_")}
    VALID = validator()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with tempfile.TemporaryDirectory(prefix="span25-content-") as d:
        TEMP = pathlib.Path(d)
        AT_REST = Run(capture_of("rest.pcap", [multipart(TEXT)])).mib
        for name in a.names or tests:
            counts[run_one(name, tests[name])] += 1
    print(", ".join(f"{n} {what}" for what, n in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
