#!/usr/bin/env python3
"""Hash lists and YARA rules that a user points at, through the program.

    verdicts_test.py PROGRAM
"""
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import clamd_test
import messages_test

TOP = pathlib.Path(__file__).resolve().parent.parent
GIF = b"GIF89a" + bytes(2000)   # of a kind that is not looked into
MARK = b"span25 marks this, harmless"


def run(program, folder, messages, config):
    pcap = folder / "mails.pcap"
    capture = messages_test.Capture(pcap)
    for message in messages:
        capture.mail(message, messages_test.of_size(1460), False)
    capture.close()
    conf = folder / "span25.yaml"
    conf.write_text(config)
    done = subprocess.run([program, "read", "-c", str(conf), "--events", "-",
                           str(pcap)], capture_output=True, text=True,
                          timeout=120, check=False)
    files = [e["fileinfo"] for e in map(json.loads, done.stdout.splitlines())
             if e["event_type"] == "fileinfo"]
    return done, files


def details(file, finding):
    return [e["detail"] for e in file.get("evidence", [])
            if e["finding"] == finding]


def main():
    program, failures = sys.argv[1], []

    def check(good, text):
        if not good:
            failures.append(text)

    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as z:
        z.writestr("note.txt", MARK)
    sent = [clamd_test.mail(b"a.gif", GIF),
            clamd_test.mail(b"b.zip", inner.getvalue()),
            clamd_test.mail(b"c.txt", b"something else\n" * 9)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "bad.txt").write_text(
            "# known\n" + hashlib.sha256(GIF).hexdigest() + "  picture\n"
            "not a digest\n" + hashlib.sha256(MARK).hexdigest() + "\n")
        rules = folder / "rules"
        rules.mkdir()
        (rules / "own.yar").write_text(
            'rule marked { meta: class = "C" strings: $m = "span25 marks"'
            " condition: $m }\n")
        (rules / "broken.yar").write_text("rule x {\n condition: nothing\n}\n")
        done, files = run(program, folder, sent,
                          f"content:\n  hash_list: {folder}/bad.txt\n"
                          f"  yara: {rules}\n")
        check(done.returncode == 0, done.stderr)
        check("bad.txt:3:" in done.stderr, f"names no line: {done.stderr}")
        check("broken.yar:" in done.stderr, f"names no rule: {done.stderr}")
        check(len(files) == 3, files)
        check(details(files[0], "hash_list") == ["picture"]
              and files[0]["class"] == "A", files[0])
        check("hash_list" in files[1]["findings"], files[1])
        check("marked" in str(details(files[1], "yara_risk")), files[1])
        check("findings" not in files[2], files[2])
        for config, word in (
                (f"content:\n  hash_list: {folder}/none\n", "none"),
                (f"content:\n  yara: {folder}/none\n", "none")):
            done, files = run(program, folder, sent, config)
            check(done.returncode != 0 and word in done.stderr,
                  f"{config}: {done.returncode} {done.stderr}")
        done, files = run(program, folder, sent,
                          f"content:\n  yara: {TOP}/rules/yara\n")
        check(done.returncode == 0 and done.stderr == "", done.stderr)
        check(all("findings" not in f for f in files), files)
    for text in failures:
        print("FAILED:", text)
    print("failed" if failures else "passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
