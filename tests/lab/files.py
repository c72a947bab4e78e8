"""Files as people and bots attach them, made here: nothing is copied in, and nothing of it runs."""

import base64
import gzip
import hashlib
import io
import pathlib
import random
import struct
import subprocess
import tarfile
import zipfile
import zlib
from typing import NamedTuple

CRLF = "\r\n"
# The EICAR test file, in two halves so that no scanner takes this source for it.
EICAR = (r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-" + "STANDARD-ANTIVIRUS-TEST-FILE!$H+H*").encode()
PASSWORD = "lab25-secret"
EPOCH = (2026, 11, 22, 12, 0, 0)


class File(NamedTuple):
    """What a client attaches. findings: span25 must name at least these, and no class but this."""
    name: str
    type: str
    data: bytes
    grade: str = ""  # class of the strongest finding, empty where nothing may be found
    findings: tuple = ()

    def row(self, **other):
        """What the truth keeps of it."""
        return {"name": self.name, "size": len(self.data),
                "sha256": hashlib.sha256(self.data).hexdigest(), "class": self.grade or None,
                "findings": list(self.findings), **other}


def zipped(members, method=zipfile.ZIP_DEFLATED):
    """A zip of (name, bytes) with a fixed date."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, method)
    return out.getvalue()


def tarred(members):
    """A tar.gz without times."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return gzip.compress(out.getvalue(), mtime=0)


def by_tool(folder, made, members, *command):
    """What an archiver makes of (name, bytes) in a folder."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in members:
        (folder / name).write_bytes(data)
    (folder / made).unlink(missing_ok=True)
    subprocess.run([*command, made, *(name for name, _ in members)], cwd=folder, check=True,
                   capture_output=True, timeout=20)
    return (folder / made).read_bytes()


# ---- documents ----

def pdf(text):
    """One page with a line of text."""
    stream = zlib.compress(f"BT /F1 18 Tf 72 720 Td ({text}) Tj ET".encode())
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>",
               b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
               b" /Resources << /Font << /F1 5 0 R >> >> >>",
               b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    out, places = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + (b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\n"
                  b"startxref\n%d\n%%%%EOF\n" % (len(places) + 1, table, len(places) + 1, len(out)))


XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
OPEN = "http://schemas.openxmlformats.org/"
TYPES = XML + (f'<Types xmlns="{OPEN}package/2006/content-types"><Default Extension="rels"'
               ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
               '<Default Extension="xml" ContentType="application/xml"/>'
               '<Override PartName="/%s" ContentType="%s"/>%s</Types>')
RELATIONS = XML + (f'<Relationships xmlns="{OPEN}package/2006/relationships"><Relationship Id="rId1"'
                   f' Type="{OPEN}officeDocument/2006/relationships/officeDocument" Target="%s"/>'
                   "</Relationships>")
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"


def docx(text, kind=WORD + ".main+xml", more_types="", more=()):
    """A Word document of one paragraph."""
    body = XML + (f'<w:document xmlns:w="{OPEN}wordprocessingml/2006/main"><w:body><w:p><w:r>'
                  f"<w:t>{text}</w:t></w:r></w:p></w:body></w:document>")
    return zipped([("[Content_Types].xml", TYPES % ("word/document.xml", kind, more_types)),
                   ("_rels/.rels", RELATIONS % "word/document.xml"),
                   ("word/document.xml", body), *more])


def xlsx(rows):
    """A sheet of numbers."""
    cells = "".join(f'<row r="{n}"><c r="A{n}"><v>{value}</v></c></row>' for n, value in enumerate(rows, 1))
    main = f"{OPEN}spreadsheetml/2006/main"
    links = f"{OPEN}officeDocument/2006/relationships"
    return zipped([
        ("[Content_Types].xml", TYPES % ("xl/workbook.xml", SHEET + ".main+xml",
         '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.'
         'openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>')),
        ("_rels/.rels", RELATIONS % "xl/workbook.xml"),
        ("xl/workbook.xml", XML + f'<workbook xmlns="{main}" xmlns:r="{links}"><sheets>'
         '<sheet name="Marks" sheetId="1" r:id="rId1"/></sheets></workbook>'),
        ("xl/_rels/workbook.xml.rels", RELATIONS.replace("officeDocument\"", "worksheet\"")
         % "worksheets/sheet1.xml"),
        ("xl/worksheets/sheet1.xml", XML + f'<worksheet xmlns="{main}"><sheetData>{cells}'
         "</sheetData></worksheet>")])


def odt(text):
    """An OpenDocument text; its first member is stored, as the format asks."""
    office = "urn:oasis:names:tc:opendocument:xmlns:"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo("mimetype", EPOCH), ODT)
        for name, data in (
                ("content.xml", f'{XML}<office:document-content xmlns:office="{office}office:1.0"'
                 f' xmlns:text="{office}text:1.0" office:version="1.3"><office:body><office:text>'
                 f"<text:p>{text}</text:p></office:text></office:body></office:document-content>"),
                ("META-INF/manifest.xml", f'{XML}<manifest:manifest xmlns:manifest="{office}manifest:1.0">'
                 f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{ODT}"/>'
                 '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
                 "</manifest:manifest>")):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


# ---- pictures ----

def png(side):
    """A grey noise square."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    noise = random.Random(side)
    lines = b"".join(b"\0" + noise.randbytes(side) for _ in range(side))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def jpeg(comment):
    """Eight by eight grey points: each table holds one code."""
    def segment(mark, data):
        return b"\xff" + bytes([mark]) + struct.pack(">H", len(data) + 2) + data
    one_code = bytes([1] + [0] * 15 + [0])
    return (b"\xff\xd8" + segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0") + segment(0xFE, comment)
            + segment(0xDB, b"\0" + b"\1" * 64) + segment(0xC0, struct.pack(">BHHBBBB", 8, 8, 8, 1, 1, 0x11, 0))
            + segment(0xC4, b"\0" + one_code) + segment(0xC4, b"\x10" + one_code)
            + segment(0xDA, b"\1\1\0\0\x3f\0") + b"\x3f\xff\xd9")


# ---- mail and calendar ----

def lines(*rows):
    """Text with CRLF, as mail has it."""
    return CRLF.join((*rows, "")).encode()


ICS = lines("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//lab25//EN", "BEGIN:VEVENT", "UID:lab25@lab.test",
            "DTSTART:20261201T090000Z", "DTEND:20261201T100000Z", "SUMMARY:Staff meeting",
            "END:VEVENT", "END:VCALENDAR")
VCF = lines("BEGIN:VCARD", "VERSION:3.0", "N:Reader;Lab;;;", "FN:Lab Reader",
            "EMAIL:user1@mx.test", "END:VCARD")
EML = lines("From: friend@lab.test", "To: user1@mx.test", "Subject: forwarded",
            "Message-ID: <inner@lab25.test>", "Date: Sat, 21 Nov 2026 08:00:00 +0000", "",
            "This mail was forwarded as a file.")


def winmail(members):
    """A TNEF of (name, bytes), MS-OXTNEF: level, attribute, length, data, sum."""
    def attribute(level, number, data):
        return struct.pack("<BII", level, number, len(data)) + data + struct.pack("<H", sum(data) & 0xFFFF)
    out = struct.pack("<IH", 0x223E9F78, 1) + attribute(1, 0x00089006, struct.pack("<I", 0x10000))
    for name, data in members:
        out += attribute(2, 0x00069002, struct.pack("<HIIII", 1, 0xFFFFFFFF, 0, 0, 0)[:14])
        out += attribute(2, 0x00018010, name.encode("ascii") + b"\0")
        out += attribute(2, 0x0006800F, data)
    return out


# ---- what the clients choose from ----

def campus(work, have, small):
    """The ordinary files, by a short word each."""
    table = lines("name;mark", *(f"pupil {n};{n % 6 + 1}" for n in range(40)))
    page = lines("Schulausflug am 3. Dezember, Treffpunkt Bahnhof.", "Bitte Mütze und Tee mitbringen.")
    large = 50_000 if small else 5 * 1024 * 1024
    plan_pdf = pdf("Timetable")
    found = {
        "pdf": File("Übungsblatt 3 – Lösung.pdf", "application/pdf", plan_pdf),
        "docx": File("Отчёт за ноябрь.docx", WORD, docx("Report of the library")),
        "xlsx": File("成绩单.xlsx", SHEET, xlsx(range(60))),
        "odt": File("compte rendu de l'année.odt", ODT, odt("Meeting of the staff")),
        "jpeg": File("IMG_2026.JPG", "image/jpeg", jpeg(b"made by the lab" * 40)),
        "png": File("plan of the house.png", "image/png", png(48)),
        "zip": File("homework.zip", "application/zip", zipped([("sheet1.pdf", plan_pdf), ("read me.txt", page)])),
        "targz": File("results.tar.gz", "application/gzip", tarred([("a.csv", table), ("b.csv", table)])),
        "ics": File("invite.ics", "text/calendar", ICS),
        "vcf": File("Reader, Lab.vcf", "text/vcard", VCF),
        "csv": File("Zeugnisse '7b'; Entwurf.csv", "text/csv", table),
        "eml": File("forwarded.eml", "application/octet-stream", EML),
        "winmail": File("winmail.dat", "application/ms-tnef", winmail([("agenda.txt", page)])),
        "utf8": File("Einladung utf-8.txt", "text/plain; charset=utf-8", page),
        "latin1": File("Einladung latin-1.txt", "text/plain; charset=iso-8859-1",
                       page.decode().encode("iso-8859-1")),
        "empty": File("empty.txt", "text/plain", b""),
        # Some clients end the name at the second quotation mark, others at the third.
        "quoted": File('marks of "7b" and 7c.csv', "text/csv", table, "C", ("names_disagree",)),
        "large": File("lecture.bin", "application/octet-stream", random.Random(25).randbytes(large)),
    }
    if "zip" in have:
        found["locked"] = File("locked marks.zip", "application/zip", by_tool(
            f"{work}/locked", "out.zip", [("marks.csv", table)], "zip", "-q", "-P", PASSWORD),
            "D", ("encrypted_archive",))
    if "7z" in have:
        found["7z"] = File("photos.7z", "application/x-7z-compressed", by_tool(
            f"{work}/seven", "out.7z", [("photo.jpg", jpeg(b"x" * 300)), ("notes.txt", page)],
            "7z", "a", "-bd", "-mtm=off"))
    return found


def program(word):
    """The head of a Windows program that does nothing and is cut after it: MZ, PE, one section."""
    head = b"MZ" + bytes(58) + struct.pack("<I", 64)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x14C, 1, 0, 0, 0, 224, 0x102)
    optional = struct.pack("<HBB", 0x10B, 14, 0) + bytes(220)
    return head + coff + optional + b".text".ljust(8, b"\0") + word.encode().ljust(1000, b"\0")


SCRIPT = lines("// made by the lab: says hello and nothing more", 'WScript.Echo("hello from the lab");')


def smuggler(inner):
    """A page that builds a file in the reader's browser."""
    return lines("<html><head><title>Invoice</title></head><body><p>Your document is loading.</p><script>",
                 f'var parts = atob("{base64.b64encode(inner).decode()}");',
                 "var bytes = new Uint8Array(parts.length);",
                 "for (var i = 0; i < parts.length; i++) bytes[i] = parts.charCodeAt(i);",
                 'var blob = new Blob([bytes], {type: "application/octet-stream"});',
                 'var a = document.createElement("a"); a.href = URL.createObjectURL(blob);',
                 'a.download = "invoice.zip"; document.body.appendChild(a); a.click();',
                 "</script></body></html>")


VBA_TYPE = ('<Override PartName="/word/vbaProject.bin"'
            ' ContentType="application/vnd.ms-office.vbaProject"/>')


def malicious(work, have):
    """What bots send, with the finding that each is about."""
    eicar_zip = zipped([("eicar.com", EICAR)])
    macro = docx("Enable the content", "application/vnd.ms-word.document.macroEnabled.main+xml", VBA_TYPE,
                 [("word/vbaProject.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1528))])
    found = {
        "eicar": File("eicar.com", "application/octet-stream", EICAR, "A", ("eicar",)),
        "eicar_zip": File("statement.zip", "application/zip", eicar_zip, "A", ("eicar", "forbidden_member")),
        "eicar_nested": File("archive.zip", "application/zip", zipped([("inner/statement.zip", eicar_zip)]),
                             "A", ("eicar", "archive_nested")),
        "double": File("invoice.pdf.exe", "application/pdf", program("double"), "B",
                       ("double_extension", "forbidden_type")),
        "script_zip": File("scan_0025.zip", "application/zip", zipped([("scan_0025.pdf.js", SCRIPT)]),
                           "B", ("forbidden_member",)),
        "smuggling": File("Invoice.html", "text/html",
                          smuggler(zipped([("invoice.exe", program("smuggled"))])), "B", ("html_smuggling",)),
        "macro": File("order.docm", "application/vnd.ms-word.document.macroEnabled.12", macro,
                      "C", ("vba_macro",)),
        "rtlo": File("photo\u202egpj.exe", "application/octet-stream", program("bidi"), "B",
                     ("name_bidi", "forbidden_type")),
    }
    if "zip" in have:
        found["locked_program"] = File("document.zip", "application/zip", by_tool(
            f"{work}/program", "out.zip", [("document.exe", program("locked"))], "zip", "-q", "-P", PASSWORD),
            "B", ("encrypted_archive", "forbidden_member"))
    if "7z" in have:
        found["locked_names"] = File("contract.7z", "application/x-7z-compressed", by_tool(
            f"{work}/names", "out.7z", [("contract.exe", program("names"))], "7z", "a", "-bd", "-mhe=on",
            f"-p{PASSWORD}"), "D", ("encrypted_names",))
    return found
