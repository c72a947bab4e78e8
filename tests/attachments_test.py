#!/usr/bin/env python3
"""Compare what content_inspect finds with what is known of attachments.

    attachments_test.py --program CONTENT_RUN [--skip-made] [FOLDER]

First archives and bombs that are made here, within bounds of time and memory.
Then the real attachments of FOLDER (MANIFEST.csv says what they are): for each
row of KNOWN the type, findings that must be there and findings that must not,
and the hash of a member. Every file of the folder must end without a fault of
ours; a file that nobody has an expectation for is listed, not a failure.
"""
import argparse
import bz2
import hashlib
import io
import json
import lzma
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib

CLAM = "71e7b604d18aefd839e51a39c88df8383bb4c071dc31f87f00a2b5df580d4495"
SECONDS = 120
MEMORY_KIB = 256 << 10   # of the process, with the file and all it loads
CPU_MS = 5000            # of one inspection

# file: what must be found there. Whoever adds an inspector adds its rows.
#   type     of the file
#   find     findings that must be there
#   not      findings that must not
#   only     all that may be found
#   member   SHA-256 of a member
KNOWN = {
    "clamav_clam.zip": {"type": "zip", "find": ["forbidden_member"],
                        "member": CLAM},
    "clamav_clam.split.oneseg.zip": {"find": ["forbidden_member"],
                                     "member": CLAM},
    "clamav_clam.7z": {"type": "7z", "find": ["forbidden_member"],
                       "member": CLAM},
    "clamav_clam.cab": {"type": "cab", "find": ["forbidden_member"],
                        "member": CLAM},
    "clamav_clam.tar.gz": {"find": ["forbidden_member"], "member": CLAM,
                           "not": ["archive_nested"]},
    "clamav_clam.exe_and_mail.tar.gz": {"find": ["forbidden_member"],
                                        "member": CLAM},
    "clamav_clam.bin-be.cpio": {"find": ["forbidden_member"], "member": CLAM},
    "clamav_clam.bin-le.cpio": {"find": ["forbidden_member"], "member": CLAM},
    "clamav_clam-v3.rar": {"type": "rar", "find": ["forbidden_member"],
                           "member": CLAM},
    # packed as RAR 2 did, which libarchive does not unpack
    "clamav_clam-v2.rar": {"type": "rar", "find": ["forbidden_member",
                                                   "unsupported_method"]},
    "clamav_clam.arj": {"type": "arj", "find": ["archive_unread"]},
    "msodde_dde-in-word2007.xml.zip": {"find": ["encrypted_archive"]},
    "msodde_dde-test-from-office2016.doc.zip": {"find": ["encrypted_archive"]},
    "rtfobj_issue_185.rtf.zip": {"find": ["encrypted_archive"]},
    # Office
    "basic_encrypted.docx": {"find": ["encrypted_document"]},
    "encrypted_autostart-encrypt-standardpassword.xls":
        {"find": ["encrypted_document", "default_password", "vba_macro"]},
    "encrypted_autostart-encrypt-standardpassword.xlsb":
        {"find": ["encrypted_document"]},
    "encrypted_dde-test-encrypt-standardpassword.xls":
        {"find": ["encrypted_document", "default_password"]},
    "encrypted_dde-test-encrypt-standardpassword.xlsb":
        {"find": ["encrypted_document"]},
    "encrypted_dde-test-encrypt-standardpassword.xlsm":
        {"find": ["encrypted_document"]},
    "encrypted_encrypted.doc": {"find": ["encrypted_document"]},
    "encrypted_encrypted.docm": {"find": ["encrypted_document"]},
    "encrypted_encrypted.docx": {"find": ["encrypted_document"]},
    "encrypted_encrypted.pptm": {"find": ["encrypted_document"]},
    "encrypted_encrypted.pptx": {"find": ["encrypted_document"]},
    "encrypted_encrypted.xls": {"find": ["encrypted_document"]},
    "encrypted_encrypted.xlsb": {"find": ["encrypted_document"]},
    "encrypted_encrypted.xlsx": {"find": ["encrypted_document"]},
    "excel4-macros_excel4_sample_macro.slk": {"find": ["xlm_macro"]},
    "msodde_dde-in-csv.csv": {"find": ["dde"]},
    "msodde_dde-test.xlsb": {"find": ["dde"]},
    "msodde_dde-test.xlsm": {"find": ["dde"]},
    "msodde_dde-test.xlsx": {"find": ["dde"]},
    "msodde_harmless-clean.docx": {"only": []},
    "oleobj_embedded-simple-2007.doc": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.docm": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.ods": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.potm": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.potx": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.pps": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.ppsx": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.ppt": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.xla": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.xlam": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.xls": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.xlsb": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.xlsm": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.xlt": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.xltx": {"find": ["embedded_file"]},
    "oleobj_embedded-simple-2007.xml": {"find": ["embedded_file"]},
    "oleobj_embedded-unicode.doc": {"find": ["embedded_file"]},
    "oleobj_external_link_sample_with_external_link_to_doc.docx":
        {"find": ["remote_object"]},
    "oleobj_external_link_sample_with_external_link_to_doc.dotx":
        {"find": ["remote_object"]},
    "oleobj_external_link_sample_with_external_link_to_doc.potm":
        {"find": ["remote_object"]},
    "oleobj_external_link_sample_with_external_link_to_doc.potx":
        {"find": ["remote_object"]},
    "oleobj_external_link_sample_with_external_link_to_doc.ppsm":
        {"find": ["remote_object"]},
    "oleobj_external_link_sample_with_external_link_to_doc.xlsm":
        {"find": ["remote_object"]},
    "oleobj_external_link_sample_with_external_link_to_doc.xlsx":
        {"find": ["remote_object"]},
    "oleobj_sample_with_lnk_file.doc":
        {"find": ["embedded_file", "embedded_executable"]},
    "oleobj_sample_with_lnk_file.pps":
        {"find": ["embedded_file", "embedded_executable"]},
    "oleobj_sample_with_lnk_file.ppt":
        {"find": ["embedded_file", "embedded_executable"]},
    "olevba_sample_with_vba.ppt": {"find": ["vba_macro"]},
    "ooxml_dde-in-excel2003.xml": {"find": ["dde"]},
    "ooxml_harmless-clean-2003.xml": {"only": []},
    "rtfobj_issue_251.rtf":
        {"find": ["equation_object", "object_update", "rtf_obfuscated"]},
}
CLASS_A = {"eicar", "hash_list", "yara", "clamd", "equation_exploit",
           "remote_exploit", "reminder_unc"}


class Failed(Exception):
    """A difference."""


class Runner:
    """Runs the program, remembers the most that it took."""

    def __init__(self, program):
        self.program = program
        # sanitizers keep what was freed, and take their time
        code = pathlib.Path(program).read_bytes()
        more = 4 if b"__asan_init" in code else 1
        self.bound_kib, self.bound_ms = MEMORY_KIB * more, CPU_MS * more
        self.most_kib = 0
        self.most_ms = (0, "")

    def run(self, paths):
        done = subprocess.run([self.program, "-"], check=False,
                              input="\n".join(map(str, paths)) + "\n",
                              capture_output=True, text=True, timeout=SECONDS)
        if done.returncode != 0:
            raise Failed(f"exit {done.returncode}: {done.stderr[-500:]}")
        kib = int(done.stderr.rsplit("memory_kib=", 1)[1])
        self.most_kib = max(self.most_kib, kib)
        results = [json.loads(line) for line in done.stdout.splitlines()]
        for r in results:
            self.most_ms = max(self.most_ms, (r["ms"], r["file"]))
        return results, kib


# ---- archives made here ----

TEXT = b"The quick brown fox jumps over the lazy dog.\n" * 3
NAME = b"dir/run.exe"


def made_zip(members, **how):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, **how) as z:
        for name, data in members:
            z.writestr(name, data)
    return out.getvalue()


def made_tar(mode):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as t:
        info = tarfile.TarInfo(NAME.decode())
        info.size = len(TEXT)
        t.addfile(info, io.BytesIO(TEXT))
    return out.getvalue()


def made_cab():
    """MS-CAB: one folder, not compressed."""
    name = NAME.replace(b"/", b"\\") + b"\0"
    first_file = 36 + 8
    first_data = first_file + 16 + len(name)
    size = first_data + 8 + len(TEXT)
    return (struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, size, 0, first_file, 0,
                        3, 1, 1, 1, 0, 0, 0)
            + struct.pack("<IHH", first_data, 1, 0)
            + struct.pack("<IIHHHH", len(TEXT), 0, 0, 0x5821, 0, 0x20) + name
            + struct.pack("<IHH", 0, len(TEXT), len(TEXT)) + TEXT)


def made_rar4():
    def block(kind, flags, body, data=b""):
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xffff) + head + data

    name = NAME.replace(b"/", b"\\")
    file_head = struct.pack("<IIBIIBBHI", len(TEXT), len(TEXT), 2,
                            zlib.crc32(TEXT), 0x58210000, 29, 0x30, len(name),
                            0x20) + name
    return (b"Rar!\x1a\7\0" + block(0x73, 0, bytes(6))
            + block(0x74, 0x8000, file_head, TEXT) + block(0x7b, 0x4000, b""))


def made_rar5():
    def vint(n):
        out = b""
        while n > 0x7f:
            out += bytes([n & 0x7f | 0x80])
            n >>= 7
        return out + bytes([n])

    def block(body, data=b""):
        head = vint(len(body)) + body
        return struct.pack("<I", zlib.crc32(head)) + head + data

    member = (b"\2\2" + vint(len(TEXT)) + b"\4" + vint(len(TEXT)) + b"\x20"
              + struct.pack("<I", zlib.crc32(TEXT)) + b"\0\0"
              + vint(len(NAME)) + NAME)
    return (b"Rar!\x1a\7\1\0" + block(b"\1\0\0") + block(member, TEXT)
            + block(b"\5\0\0"))


ARCHIVES = {
    "x.zip": lambda: made_zip([(NAME.decode(), TEXT)]),
    "x.tar": lambda: made_tar("w"),
    "x.tgz": lambda: made_tar("w:gz"),
    "x.tar.bz2": lambda: made_tar("w:bz2"),
    "x.tar.xz": lambda: made_tar("w:xz"),
    "x.cab": made_cab,
    "x.rar": made_rar4,
    "x5.rar": made_rar5,
}


def check_archive(r):
    want = hashlib.sha256(TEXT).hexdigest()
    members = {m.get("sha256"): m for m in r["members"]}
    if want not in members:
        raise Failed("the member is not there as it was")
    if members[want]["name"].replace("\\", "/") != NAME.decode():
        raise Failed(f"the member is called {members[want]['name']}")
    if "forbidden_member" not in r["findings"]:
        raise Failed("no forbidden_member")
    if set(r["findings"]) & {"malformed", "inspection_limit"}:
        raise Failed(f"findings {list(r['findings'])}")


# ---- bombs ----

def fifield(members=250, kernel_bytes=21 << 20):
    """A better zip bomb (D. Fifield, 2019): each member's DEFLATE stream quotes
    the next one's local header in a stored block and goes on in its data."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = packer.compress(bytes(kernel_bytes)) + packer.flush()
    data, size = kernel, kernel_bytes
    parts, central = [], []
    tail = len(kernel)
    for n in reversed(range(members)):
        name = b"%04d" % n
        head = struct.pack("<4sHHHIIIIHH", b"PK\3\4", 20, 0, 8, 0, 0, tail,
                           size, len(name), 0) + name
        central.append((name, tail, size, head))
        parts.append(head)
        quote = b"\0" + struct.pack("<HH", len(head), len(head) ^ 0xffff)
        if n > 0:
            parts.append(quote)
            tail += len(head) + len(quote)
            size += len(head)
    out = b"".join(reversed(parts)) + data
    at, directory = 0, b""
    for name, packed, full, head in reversed(central):
        directory += struct.pack("<4sHHHHIIIIHHHHHII", b"PK\1\2", 20, 20, 0, 8,
                                 0, 0, packed, full, len(name), 0, 0, 0, 0, 0,
                                 at) + name
        at += len(head) + 5
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, members, members,
                      len(directory), len(out), 0)
    return out + directory + end


def nested(levels=10, width=10):
    data = made_zip([("core.txt", bytes(1 << 20))])
    for _ in range(levels):
        data = made_zip([(f"{k}.zip", data) for k in range(width)])
    return data


def many(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for k in range(members):
            z.writestr(f"{k}.txt", "x")
    return out.getvalue()


def gzip_of(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def empty_streams():
    """Gzip members of nothing, packed twice: much work and no byte in the
    end, were the layers not paid for one by one."""
    return gzip_of(gzip_of(gzip_of(b"") * 6_000_000))


def tar_of_zeros(n):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as t:
        info = tarfile.TarInfo("zeros.bin")
        info.size = n
        t.addfile(info, io.BytesIO(bytes(n)))
    return out.getvalue()


ZEROS = 200 << 20

# name: (made by, one of these findings)
BOMBS = {
    "fifield.zip": (fifield, {"bomb_overlap"}),
    "nested.zip": (nested, {"bomb_depth", "bomb_count"}),
    "wide.zip": (lambda: nested(4, 30), {"bomb_depth", "bomb_count"}),
    "many.zip": (lambda: many(99_000), {"bomb_count"}),
    "more.zip": (lambda: many(120_000), {"bomb_count"}),
    "zeros.zip": (lambda: made_zip([("z", bytes(ZEROS))]),
                  {"inspection_limit", "bomb_ratio"}),
    "zeros.gz": (lambda: gzip_of(bytes(ZEROS)), {"inspection_limit"}),
    "zeros.bz2": (lambda: bz2.compress(bytes(ZEROS)), {"bomb_ratio"}),
    "zeros.xz": (lambda: lzma.compress(bytes(ZEROS), preset=0),
                 {"bomb_ratio"}),
    "zeros.tgz": (lambda: tar_of_zeros(ZEROS), {"inspection_limit"}),
    "empty.gz.gz.gz": (empty_streams, {"inspection_limit"}),
}


def check_bomb(name, r, kib, runner):
    if not set(r["findings"]) & BOMBS[name][1]:
        raise Failed(f"findings {list(r['findings'])}")
    if r["bytes_unpacked"] > 100 << 20:
        raise Failed(f"{r['bytes_unpacked']} bytes unpacked")
    if r["ms"] > runner.bound_ms:
        raise Failed(f"{r['ms']} ms")
    if kib > runner.bound_kib:
        raise Failed(f"{kib} KiB")


def made(runner, folder):
    """Each in a process of its own, so that the memory is its own."""
    for name, make in ARCHIVES.items():
        path = folder / name
        path.write_bytes(make())
        yield name, lambda p=path: check_archive(runner.run([p])[0][0])
    for name, (make, _) in BOMBS.items():
        path = folder / name
        path.write_bytes(make())

        def check(p=path, n=name):
            results, kib = runner.run([p])
            r = results[0]
            print(f"{n}: {p.stat().st_size} bytes, {r['n_members']} members, "
                  f"{r['bytes_unpacked']} bytes unpacked, {r['ms']} ms, "
                  f"{kib} KiB, {' '.join(r['findings'])}")
            check_bomb(n, r, kib, runner)
        yield name, check


# ---- real attachments ----

def check_known(want, r):
    found = set(r["findings"])
    if "type" in want and r["type"] != want["type"]:
        raise Failed(f"type {r['type']}, not {want['type']}")
    missing = set(want.get("find", ())) - found
    if missing:
        raise Failed(f"not found: {' '.join(sorted(missing))}; "
                     f"found: {' '.join(sorted(found))}")
    wrong = found & set(want.get("not", ()))
    if "only" in want:
        wrong |= found - set(want["only"])
    if wrong:
        raise Failed(f"wrongly found: {' '.join(sorted(wrong))}")
    hashes = {m.get("sha256") for m in r["members"]}
    if "member" in want and want["member"] not in hashes:
        raise Failed("the member is not there as it was")


def real(runner, folder):
    files = sorted(p for p in folder.iterdir() if p.name != "MANIFEST.csv")
    results, _ = runner.run(files)
    by_name = {pathlib.Path(r["file"]).name: r for r in results}
    for name, want in KNOWN.items():
        if name in by_name:
            yield name, lambda w=want, r=by_name[name]: check_known(w, r)
        else:
            yield name, lambda n=name: sys.exit(f"{n} is not in the folder")
    rest = [n for n in by_name if n not in KNOWN]
    if rest:
        print(f"{len(rest)} files without an expectation")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", required=True)
    parser.add_argument("--skip-made", action="store_true")
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    args = parser.parse_args()
    runner = Runner(args.program)
    bad = n = 0
    with tempfile.TemporaryDirectory() as temporary:
        cases = []
        if not args.skip_made:
            cases += made(runner, pathlib.Path(temporary))
        if args.folder is not None and args.folder.is_dir():
            cases += real(runner, args.folder)
        for name, check in cases:
            n += 1
            try:
                check()
            except Failed as why:
                bad += 1
                print(f"{name}: {why}")
    print(f"{n - bad} passed, {bad} failed; at most {runner.most_kib} KiB, "
          f"{runner.most_ms[0]} ms ({runner.most_ms[1]})")
    if bad:
        return 1
    if args.folder is not None and not args.folder.is_dir():
        print(f"skipped: {args.folder} is not here")
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main())
