#!/usr/bin/env python3
"""Parts of mail shown to a real ClamAV daemon, and to one that died.

    clamd_test.py PROGRAM

The daemon is started here with a database of one own signature, on a socket in
a temporary folder, and ended by its pid.
"""
import base64
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import messages_test

MARK = b"span25 test marker, harmless: 7f3c"
PATIENCE = 90


def mail(name, body):
    return (b"From: a@client.example\r\nTo: b@mx.example\r\n"
            b"Subject: t\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n"
            b"Message-ID: <1@client.example>\r\nMIME-Version: 1.0\r\n"
            b"Content-Type: application/octet-stream; name=" + name + b"\r\n"
            b"Content-Disposition: attachment; filename=" + name + b"\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n"
            + base64.encodebytes(body).replace(b"\n", b"\r\n"))


class Clamd:
    def __init__(self, folder):
        self.socket = folder / "clamd.socket"
        db = folder / "db"
        db.mkdir()
        (db / "own.ndb").write_text(f"Span25.Test:0:*:{MARK.hex()}\n")
        conf = folder / "clamd.conf"
        self.log = folder / "log"
        conf.write_text(f"LocalSocket {self.socket}\nDatabaseDirectory {db}\n"
                        "Foreground yes\nUser root\nAlertEncrypted yes\n"
                        f"LogFile {self.log}\nLogClean yes\nStreamMaxLength 1M\n")
        if subprocess.run(["id", "-u"], capture_output=True,
                          check=True).stdout.strip() != b"0":
            conf.write_text(conf.read_text().replace("User root\n", ""))
        folder.chmod(0o755)
        self.p = subprocess.Popen([self.find(), f"--config-file={conf}"],
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while not self.socket.exists():
            if self.p.poll() is not None or time.monotonic() > end:
                raise RuntimeError("clamd did not start: "
                                   + self.log.read_text())
            time.sleep(0.1)

    def scans(self):
        return self.log.read_text(errors="replace").count("instream(")

    @staticmethod
    def find():
        return shutil.which("clamd") or shutil.which("clamd",
                                                     path="/usr/sbin:/sbin")

    def stop(self):
        self.p.send_signal(signal.SIGKILL)
        self.p.wait()


def make(folder, messages, socket):
    pcap = folder / "mails.pcap"
    capture = messages_test.Capture(pcap)
    for message in messages:
        capture.mail(message, messages_test.of_size(1460), False)
    capture.close()
    conf = folder / "span25.yaml"
    conf.write_text(f"content:\n  clamd: {socket}\n")
    return pcap, ["read", "-c", str(conf), "--events", "-"]


def read(program, folder, messages, socket):
    pcap, args = make(folder, messages, socket)
    return subprocess.run([program, *args, str(pcap)], capture_output=True,
                          timeout=PATIENCE, check=False)


def read_while_it_dies(program, folder, messages, clamd):
    """Half of the capture comes, the daemon has looked and is killed, the rest
    comes."""
    pcap, args = make(folder, messages, clamd.socket)
    data = pcap.read_bytes()
    p = subprocess.Popen([program, *args, "-"], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdin.write(data[:len(data) // 2])
    p.stdin.flush()
    end = time.monotonic() + PATIENCE
    while clamd.scans() < 10 and time.monotonic() < end:
        time.sleep(0.05)
    clamd.stop()
    out, err = p.communicate(data[len(data) // 2:], timeout=PATIENCE)
    return subprocess.CompletedProcess(p.args, p.returncode, out, err)


def events(done, kind):
    return [e for e in map(json.loads, done.stdout.splitlines())
            if e["event_type"] == kind]


def main():
    program = sys.argv[1]
    failures = []

    def check(good, text):
        if not good:
            failures.append(text)

    if Clamd.find() is None:
        print("skipped: clamd is not installed")
        return 77
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        clamd = Clamd(folder)
        try:
            sent = [mail(b"a.bin", b"x" * 100 + MARK),
                    mail(b"b.bin", b"nothing in it" * 20),
                    mail(b"c.bin", b"y" * (2 << 20))]
            done = read(program, folder, sent, clamd.socket)
            check(done.returncode == 0, done.stderr)
            files = [e["fileinfo"] for e in events(done, "fileinfo")]
            check([f["filename"] for f in files] == ["a.bin", "b.bin", "c.bin"],
                  files)
            check("clamd" in files[0]["findings"] and files[0]["class"] == "A",
                  files[0])
            check("Span25.Test" in json.dumps(files[0].get("evidence")),
                  files[0])
            check("clamd" not in files[1].get("findings", []), files[1])
            check("clamd_unscanned" in files[2].get("findings", []), files[2])
            check(all(f.get("nondeterministic") for f in files), files)
            stats = events(done, "stats")[-1]["stats"]["content"]
            check(stats["clamd"] == 3 and stats["clamd_failed"] == 0, stats)
        finally:
            clamd.stop()
        # It died: a reading does not begin as if nothing were wrong.
        done = read(program, folder, sent[:1], clamd.socket)
        check(done.returncode == 2 and b"does not answer" in done.stderr,
              (done.returncode, done.stderr))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        clamd = Clamd(folder)
        # It dies in the middle: every later part says so, the reading ends.
        many = [mail(b"n%d.bin" % i, bytes([i]) * 900) for i in range(60)]
        done = read_while_it_dies(program, folder, many, clamd)
        check(done.returncode == 0, done.stderr)
        files = [e["fileinfo"] for e in events(done, "fileinfo")]
        failed = sum("clamd_failed" in f.get("findings", []) for f in files)
        stats = events(done, "stats")[-1]["stats"]["content"]
        check(len(files) == 60, len(files))
        check(stats["clamd"] == 60 and stats["clamd_failed"] == failed,
              (stats, failed))
        check(0 < failed < 60, f"{failed} failed")
        print(f"{failed} of 60 parts without an answer")
    for text in failures:
        print("FAILED:", text)
    print(f"{'failed' if failures else 'passed'}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
