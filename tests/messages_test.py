#!/usr/bin/env python3
"""Send real messages through SMTP to the program and compare their parts.

    messages_test.py [--program FILE] [--broken] FOLDER

FOLDER is the collection of messages (its README says how the facts were made).
Each message is sent as DATA and as BDAT, in segments of 1460 bytes, of odd
sizes, and the small ones byte by byte. The attachments that Python's email
package finds in the very bytes that were sent are the reference, where the
manifest says that three parsers agree: names, sizes and SHA-256. Uuencoded files
in text, which that package does not look for, are decoded here.

--broken: the messages made to hide things (mime-is-broken). For each the exact
payload, or its true name, must be told, or the event must say that mail clients
differ; a table by kind and validity is printed.

Messages that are excused, and why: mime_corpus_exceptions.csv.
"""
import argparse
import binascii
import csv
import email
import email.errors
import email.header
import email.policy
import hashlib
import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile

SMALL = 6000          # sent byte by byte too
SHARE_EXACT = 0.85    # of each kind of broken message


# ---- a capture with one connection for each message ----

class Capture:
    def __init__(self, path):
        self.f = open(path, "wb")
        self.f.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        self.time = 1700000000 * 1000000
        self.conns = 0

    def close(self):
        self.f.close()

    def packet(self, src, dst, sport, dport, seq, ack, flags, data=b""):
        tcp = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff,
                          ack & 0xffffffff, 0x50, flags, 65535, 0, 0) + data
        ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64,
                         6, 0, src, dst)
        frame = b"\x02" * 6 + b"\x04" * 6 + b"\x08\x00" + ip + tcp
        self.time += 100
        self.f.write(struct.pack("<IIII", self.time // 1000000,
                                 self.time % 1000000, len(frame), len(frame)))
        self.f.write(frame)

    def mail(self, message, cut, bdat, rcpts=((b"<b@mx.example>", b"Ok"),)):
        """One connection; cut(n) gives the sizes of segments for n bytes. Of
        each recipient the path and what the server says to it."""
        self.conns += 1
        c, s = b"\x0a\x00" + struct.pack("!H", self.conns), b"\xc6\x33\x64\x19"
        port, seq, ack = 40000, 1000, 5000
        self.packet(c, s, port, 25, seq - 1, 0, 2)
        self.packet(s, c, 25, port, ack - 1, seq, 18)
        self.packet(c, s, port, 25, seq, ack, 16)

        def client(data, sizes=None):
            nonlocal seq
            at = 0
            for n in sizes or [len(data)]:
                self.packet(c, s, port, 25, seq, ack, 24, data[at:at + n])
                seq += len(data[at:at + n])
                at += n
            self.packet(s, c, 25, port, ack, seq, 16)

        def server(data):
            nonlocal ack
            self.packet(s, c, 25, port, ack, seq, 24, data)
            ack += len(data)
            self.packet(c, s, port, 25, seq, ack, 16)

        server(b"220 mx.example ESMTP\r\n")
        client(b"EHLO client.example\r\n")
        server(b"250-mx.example\r\n250-8BITMIME\r\n250 CHUNKING\r\n")
        client(b"MAIL FROM:<a@client.example>\r\n")
        server(b"250 2.1.0 Ok\r\n")
        for path, text in rcpts:
            client(b"RCPT TO:" + path + b"\r\n")
            server(b"250 2.1.5 " + text + b"\r\n")
        if bdat:
            half = len(message) // 3
            client(b"BDAT %d\r\n" % half)
            client(message[:half], cut(half))
            server(b"250 2.0.0 Ok\r\n")
            client(b"BDAT %d LAST\r\n" % (len(message) - half))
            client(message[half:], cut(len(message) - half))
        else:
            wire = re.sub(rb"(?m)^\.", b"..", message)
            if not wire.endswith(b"\r\n"):
                wire += b"\r\n"
            wire += b".\r\n"
            client(b"DATA\r\n")
            server(b"354 go on\r\n")
            client(wire, cut(len(wire)))
        server(b"250 2.0.0 Ok: queued as X%d\r\n" % self.conns)
        client(b"QUIT\r\n")
        server(b"221 Bye\r\n")
        self.packet(c, s, port, 25, seq, ack, 17)
        self.packet(s, c, 25, port, ack, seq + 1, 17)
        self.packet(c, s, port, 25, seq + 1, ack + 1, 16)


def at_time(packet, time):
    """The same, seen at another time (microseconds)."""
    return struct.pack("<II", time // 1000000, time % 1000000) + packet[8:]


def of_size(k):
    return lambda n: [k] * ((n + k - 1) // k)


def of_odd_sizes(seed):
    def sizes(n):
        r, out = random.Random(seed), []
        while sum(out) < n:
            out.append(r.choice((1, 2, 3, 7, 76, 77, 78, 79, 536, 1460)))
        return out
    return sizes


def on_the_wire(data):
    """Line ends of stored mail become CRLF, unless they are the exhibit."""
    if b"\r\n" in data or b"\r" in data:
        return data
    return data.replace(b"\n", b"\r\n")


def run(program, messages, cut, bdat):
    """Events of each message: (its smtp event, its fileinfo events)."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "messages.pcap"
        capture = Capture(path)
        for message in messages:
            capture.mail(message, cut, bdat)
        capture.close()
        done = subprocess.run([program, "read", "--events", "-", str(path)],
                              capture_output=True, check=False, timeout=900)
    if done.returncode != 0:
        raise RuntimeError(f"exit {done.returncode}: "
                           + done.stderr[-1000:].decode(errors="replace"))
    mails, files = {}, {}
    for line in done.stdout.splitlines():
        e = json.loads(line)
        number = int(e.get("src_ip", "0.0.0.0").split(".")[2]) * 256 \
            + int(e.get("src_ip", "0.0.0.0").split(".")[3])
        if e["event_type"] == "smtp":
            mails[number] = e
        elif e["event_type"] == "fileinfo":
            files.setdefault(number, []).append(e["fileinfo"])
    return [(mails.get(i + 1), files.get(i + 1, []))
            for i in range(len(messages))]


# ---- what is compared ----

def uuencoded(data):
    """Files in text, between "begin" and "end"."""
    for m in re.finditer(rb"(?ms)^begin [0-7]{3,4} .+?$(.*?)^end$", data):
        out = b""
        for line in filter(None, m[1].split(b"\n")):
            try:
                out += binascii.a2b_uu(line.rstrip(b"\r"))
            except binascii.Error: # more characters than its length says
                n = (line[0] - 32) & 63
                out += binascii.a2b_uu(line[:1 + (n + 2) // 3 * 4])
        yield out


def plain(name):
    """Blanks are what unfolding made of them."""
    return re.sub(r"\s+", "", name)


def decoded(name):
    """RFC 2047 in a parameter; None where it cannot be compared."""
    try:
        name = str(email.header.make_header(email.header.decode_header(name)))
    except (LookupError, ValueError, email.errors.HeaderParseError):
        return None
    return None if re.search("[\ufffd\udc80-\udcff]", name) else plain(name)


def reference(data):
    """(size, SHA-256, name) of the attachments, by Python's email package."""
    out = [(len(u), hashlib.sha256(u).hexdigest(), None)
           for u in uuencoded(data.replace(b"\r\n", b"\n"))]
    for part in email.message_from_bytes(data).walk():
        if part.is_multipart():
            continue
        name = part.get_filename()
        attached = part.get_content_disposition() == "attachment"
        if name is None and not attached:
            continue
        payload = part.get_payload(decode=True) or b""
        out.append((len(payload), hashlib.sha256(payload).hexdigest(),
                    decoded(name) if name else None))
    return sorted(out, key=str)


def told(files):
    out = []
    for f in files:
        if f.get("reading", 0) != 0:
            continue
        if "filename" in f or f.get("disposition") == "attachment":
            out.append((f["size"], f.get("sha256"), [plain(n) for n in [
                f.get("filename", "")] + f.get("names", [])]))
    return out


def agrees(want, got):
    """Each of want is one of got, by a name that got has too, and no more."""
    left = list(got)
    for size, sha, name in want:
        for g in left:
            if g[:2] == (size, sha) and (name is None or name in g[2]):
                left.remove(g)
                break
        else:
            return False
    return not left


def read_manifest(path):
    with open(path, newline="", encoding="utf-8") as f:
        return list(csv.DictReader(f))


class Counts:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, good, text):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print("FAILED: " + text)


def ways(messages):
    small = [len(m) <= SMALL for m in messages]
    yield "1460 bytes", of_size(1460), False, [True] * len(messages)
    yield "odd sizes", of_odd_sizes(1), False, [True] * len(messages)
    yield "BDAT, odd sizes", of_odd_sizes(2), True, [True] * len(messages)
    yield "single bytes", of_size(1), False, small


def compare_agreed(program, folder, counts):
    rows = [r for r in read_manifest(folder / "MANIFEST.csv")
            if r["parser_agreement"] == "ABC agree"]
    messages = [on_the_wire((folder / r["file"]).read_bytes()) for r in rows]
    for name, cut, bdat, chosen in ways(messages):
        some = [i for i in range(len(rows)) if chosen[i]]
        got = run(program, [messages[i] for i in some], cut, bdat)
        for i, (mail, files) in zip(some, got):
            sent = messages[i]
            if not bdat and not sent.endswith(b"\r\n"):
                sent += b"\r\n"
            want = reference(sent)
            counts.check(mail is not None and (
                         agrees(want, told(files)) or
                         rows[i]["file"] in MORE),
                         f"{rows[i]['file']} ({name}): {told(files)}, not "
                         f"{want}")
            flagged = mail is not None and (
                "readings" in mail["email"] or any(
                    "ambiguous" in f.get("findings", []) for f in files))
            known = (rows[i]["file"], "fork") in EXCUSED
            counts.check(flagged <= known,
                         f"{rows[i]['file']} ({name}): said to be ambiguous: "
                         f"{mail['email'].get('mime') if mail else None}")


EXCUSED = set()  # (file, kind)

# The reference does not unfold the boundary: RFC 5322 2.2.3.
MORE = {"james-mime4j/mimetools-testmsgs_multi-badnames.msg.eml"}


def shown(name):
    """The manifest leaves out characters that stand for quotes or separators."""
    return re.sub(r'[";\\]', "", name)


def compare_broken(program, folder, counts):
    here = folder / "mime-is-broken"
    rows = read_manifest(here / "MANIFEST.csv")
    messages = [on_the_wire((here / r["file"]).read_bytes()) for r in rows]
    validity = [k for k in rows[0] if k.startswith("validity")][0]
    table = {}
    for row, (mail, files) in zip(rows, run(program, messages, of_size(1460),
                                            False)):
        kind = row["file"].split("-")[0]
        if kind == "content":
            exact = any(f.get("sha256") == row["true_payload_sha256"]
                        for f in files)
        else:
            names = [n for f in files
                     for n in [f.get("filename")] + f.get("names", [])]
            exact = row["true_payload_name"] in map(shown, filter(None, names))
        flagged = mail is not None and (
            "readings" in mail["email"] or any(
                "ambiguous" in f.get("findings", []) for f in files))
        cell = table.setdefault((kind, row[validity]), [0, 0, 0])
        cell[0] += 1
        cell[1] += exact
        cell[2] += exact or flagged
        if (row["file"], "missed") in EXCUSED:
            counts.check(any("type_mismatch" in f.get("findings", [])
                             for f in files), f"{row['file']}: no mismatch")
            continue
        counts.check(exact or flagged, f"{row['file']}: missed")
        if int(row[validity]) >= 2:
            counts.check(exact, f"{row['file']}: not exact")
    print("kind      validity  messages  exact  exact or flagged")
    for (kind, v), (n, exact, both) in sorted(table.items(), reverse=True):
        print(f"{kind:9} {v:>8} {n:9} {exact:6} {both:6}")
    for kind in sorted({k for k, _ in table}):
        cells = [c for (k, _), c in table.items() if k == kind]
        n, exact = sum(c[0] for c in cells), sum(c[1] for c in cells)
        print(f"{kind}: {exact} of {n} exact ({100 * exact / n:.1f} %)")
        counts.check(exact >= SHARE_EXACT * n, f"{kind}: {exact} of {n}")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--program", default="build/release/span25")
    p.add_argument("--broken", action="store_true")
    p.add_argument("folder", type=pathlib.Path)
    a = p.parse_args()
    if not (a.folder / "MANIFEST.csv").exists():
        print(f"skipped: {a.folder} is not here")
        return 77
    EXCUSED.update((r["file"], r["kind"]) for r in read_manifest(
        pathlib.Path(__file__).parent / "mime_corpus_exceptions.csv"))
    counts = Counts()
    (compare_broken if a.broken else compare_agreed)(a.program, a.folder, counts)
    print(f"{counts.passed} passed, {counts.failed} failed")
    return 1 if counts.failed else 0


if __name__ == "__main__":
    sys.exit(main())
