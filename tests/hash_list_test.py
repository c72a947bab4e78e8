#!/usr/bin/env python3
"""hash_list_test.py PROGRAM - a list of hashes that changes while mail is read

A capture comes through a pipe in four quarters, each with the same three files:
one that is listed, one in an archive, one that is never listed. Between them
the list is replaced by rename, broken, and written anew in place. Every file is
judged by the list in force, behind the control event that says so; a broken
list is told about once and changes nothing. With a thread and with a process.
"""
import fcntl
import hashlib
import io
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import clamd_test
import messages_test

GIF = b"GIF89a" + bytes(2000)   # of a kind that is not looked into
# Larger than what inspectors have at hand: the list must not take their memory.
MARK = b"".join(hashlib.sha256(bytes([k % 256, k // 256])).digest() * 8
                for k in range(8000))
PATIENCE = 60                   # seconds; loaded machines are slow
LOOKS = 4                       # seconds for two looks at the list, or more


def check(good, why):
    if not good:
        raise AssertionError(why)


def zipped(data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr(zipfile.ZipInfo("note.txt"), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def quarters(folder):
    """The capture cut where a message ends."""
    pcap = folder / "mails.pcap"
    capture = messages_test.Capture(pcap)
    ends = []
    for _ in range(4):
        for name, body in ((b"a.gif", GIF), (b"b.zip", zipped(MARK)),
                           (b"c.zip", zipped(b"nothing"))):
            capture.mail(clamd_test.mail(name, body),
                         messages_test.of_size(1460), False)
        capture.f.flush()
        ends.append(capture.f.tell())
    capture.close()
    whole = pcap.read_bytes()
    return [whole[a:b] for a, b in zip([0] + ends, ends)]


class Reading:
    def __init__(self, program, folder, *more):
        self.folder = folder
        folder.mkdir()
        self.list = folder / "bad.txt"
        self.put_in_place(b"nothing of this")
        self.told = folder / "events.jsonl"
        conf = folder / "span25.yaml"
        conf.write_text(f"content:\n  hash_list: {self.list}\n")
        self.err = open(folder / "err", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [program, "read", "-c", conf, *more, "--events", self.told, "-"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self.err)

    @staticmethod
    def lines(*files):
        return "".join(f"{hashlib.sha256(f).hexdigest()}  it\n" for f in files)

    def put_in_place(self, *files):
        self.list.write_text(self.lines(*files))

    def put_by_rename(self, *files):
        new = self.folder / "new"
        new.write_text(self.lines(*files))
        os.rename(new, self.list)

    def send(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait_until_read(self):
        """Until it took all that was sent, and judged it. Events are written
        when there are many, so the pipe is asked."""
        end = time.monotonic() + PATIENCE
        while struct.unpack("i", fcntl.ioctl(self.process.stdin, termios.FIONREAD, b"1234"))[0]:
            check(self.process.poll() is None, self.said())
            check(time.monotonic() < end, "does not read")
            time.sleep(0.1)
        time.sleep(1)

    def said(self):
        return (self.folder / "err").read_text()

    def events(self):
        self.process.communicate(timeout=PATIENCE)
        check(self.process.returncode == 0, self.said())
        return [json.loads(line) for line in self.told.read_text().splitlines()]

    def close(self):
        self.process.kill()
        self.process.wait()
        self.err.close()


def drive(reading, parts):
    changes = (lambda: reading.put_by_rename(GIF, MARK),
               lambda: reading.list.write_text("<html>404</html>\n"),
               lambda: reading.put_in_place(b"nothing again"))
    reading.send(parts[0])
    for change, part in zip(changes, parts[1:]):
        reading.wait_until_read()
        change()
        time.sleep(LOOKS)
        reading.send(part)


def judge(events, said):
    at = [i for i, e in enumerate(events)
          if e.get("control", {}).get("kind") == "hash_list"]
    check(len(at) == 2, f"{len(at)} controls")
    check(events[at[0]]["control"]["text"] == "hash list: bad.txt (2 digests)", events[at[0]])
    check("hash list: bad.txt (1 digests)" in events[0]["control"]["text"], events[0])
    files = [(i, e["fileinfo"]) for i, e in enumerate(events) if e["event_type"] == "fileinfo"]
    check(len(files) == 12, f"{len(files)} files")
    n = 0
    for i, file in files:
        wanted = at[0] < i < at[1] and file["filename"] != "c.zip"
        found = "hash_list" in file.get("findings", [])
        check(found == wanted, f"event {i}, controls {at}: {file}")
        n += found
    check(n == 4, f"{n} found")
    check(said.count("stays in force") == 1 and said.count("bad.txt:1:") == 1, said)


def run(program, folder, parts, why, more, failed):
    reading = Reading(program, folder, *more)
    try:
        drive(reading, parts)
        judge(reading.events(), reading.said())
        print(f"ok {why}")
    except (AssertionError, subprocess.TimeoutExpired, OSError) as reason:
        failed.append(why)
        print(f"FAILED {why}: {reason}")
    finally:
        reading.close()


def main():
    program = os.path.abspath(sys.argv[1])
    failed = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        parts = quarters(folder)
        runs = [threading.Thread(target=run, args=(program, folder / why, parts, why, more, failed))
                for why, more in (("threads", []), ("processes", ["--processes"]))]
        for one in runs:
            one.start()
        for one in runs:
            one.join()
    print(f"{len(runs) - len(failed)} passed, {len(failed)} failed, 0 skipped")
    return len(failed) > 0


if __name__ == "__main__":
    sys.exit(main())
