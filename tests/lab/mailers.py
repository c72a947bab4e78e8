"""Real mail clients, each given the same kind of mail; and one that puts mails together by hand.

A driver takes the client's book and a Mail, sends it, and notes what was attached. Where a driver has
`ways` it writes names of files in different encodings, as the programs of others do.
"""

import base64
import email.message
import email.policy
import itertools
import json
import pathlib
import quopri
import smtplib
import subprocess
import urllib.parse
from typing import NamedTuple

from common import message_id
from talk import digest

PATIENCE = 45
DATE = "Sun, 22 Nov 2026 12:00:00 +0000"


class Mail(NamedTuple):
    """What to send. expect: False where the server is to refuse it."""
    name: str
    address: str
    text: str = "This is a made-up mail of the lab.\r\nSee what is attached.\r\n"
    html: str = ""
    files: tuple = ()
    number: int = 1
    helo: str = "campus.test"
    sender: str = "desk@campus.test"
    recipients: tuple = ("user1@mx.test", "user2@mx.test")
    subject: str = "Unterlagen für Müller"
    tls: bool = False

    @property
    def id(self):
        """Its Message-ID without angle brackets."""
        return message_id(self.name, self.number)

    @property
    def headers(self):
        """Fields that every client writes alike."""
        return {"From": f"Lab desk <{self.sender}>", "To": "Lab reader <user1@mx.test>",
                "Date": DATE, "Message-Id": f"<{self.id}>"}  # as swaks spells what it would add


def run(mail, command, **more):
    """A client program; its failure is the scenario's."""
    done = subprocess.run(command, check=False, capture_output=True, timeout=PATIENCE, **more)
    if done.returncode:
        raise AssertionError(f"{mail.name} {mail.number}: {command[0]} ended with {done.returncode}:"
                             f" {(done.stdout + done.stderr)[-600:]!r}")


def note(book, client, mail, **more):
    """What the truth keeps of a mail."""
    book.letter(mail.name, client, mail.id, [one.row() for one in mail.files], **more)


def in_files(book, mail):
    """The attachments as files with plain names, for clients that read them."""
    folder = pathlib.Path(book.base, f"files-{book.role}")
    folder.mkdir(exist_ok=True)
    for number, one in enumerate(mail.files):
        path = folder / str(number)
        path.write_bytes(one.data)
        yield one, path


def by_swaks(book, mail):
    """swaks: base64 and names as they are; a line that begins with From is its own business."""
    command = ["swaks", "--silent", "2", "--server", mail.address, "--helo", mail.helo, "--from", mail.sender,
               "--to", ",".join(mail.recipients), "--timeout", "30", "--body", mail.text]
    for key, value in {**mail.headers, "Subject": encoded_word(mail.subject)}.items():
        command += ["--header", f"{key}: {value}"]
    if mail.html:
        command += ["--attach-type", "text/html", "--attach", mail.html]
    for one, path in in_files(book, mail):
        command += ["--attach-type", one.type, "--attach-name", one.name, "--attach", f"@{path}"]
    run(mail, command + (["-tls"] if mail.tls else []))
    note(book, "swaks", mail)


def by_smtplib(book, mail):
    """Python's own: names by RFC 2231, text in whatever encoding it chooses."""
    letter = email.message.EmailMessage(policy=email.policy.SMTP)
    for key, value in {**mail.headers, "Subject": mail.subject}.items():
        letter[key] = value
    letter.set_content(mail.text)
    if mail.html:
        letter.add_alternative(mail.html, subtype="html")
    for one in mail.files:
        kind, _, rest = one.type.partition("/")
        letter.add_attachment(one.data, kind, rest.partition(";")[0], filename=one.name)
    data = letter.as_bytes()
    with smtplib.SMTP(mail.address, 25, local_hostname=mail.helo, timeout=PATIENCE) as client:
        client.sendmail(mail.sender, mail.recipients, data)
    note(book, "smtplib", mail, message=digest(data))


def by_curl(book, mail):
    """curl: the encoding is chosen by attachment, names are raw and escaped by backslashes."""
    command = ["curl", "-sS", "--max-time", str(PATIENCE), "--mail-from", mail.sender]
    command += ["--ssl-reqd", "--insecure"] if mail.tls else []
    for one in mail.recipients:
        command += ["--mail-rcpt", one]
    for key, value in {**mail.headers, "Subject": encoded_word(mail.subject)}.items():
        command += ["-H", f"{key}: {value}"]
    text = ["-F", f"=<{body(book, mail.text)};type=text/plain; charset=utf-8;encoder=8bit"]
    if mail.html:
        page = ["-F", f"=<{body(book, mail.html)};type=text/html;encoder=quoted-printable"]
        text = ["-F", "=(;type=multipart/alternative", *text, *page, "-F", "=)"]
    command += text
    for one, path in in_files(book, mail):
        encoder = "quoted-printable" if one.type.startswith("text/") else "base64"
        name = one.name.replace("\\", "\\\\").replace('"', '\\"')
        command += ["-F", f'=@{path};filename="{name}";type={one.type};encoder={encoder}']
    run(mail, [*command, f"smtp://{bracketed(mail.address)}/{mail.helo}"])
    note(book, "curl", mail)


def body(book, text):
    """A text in a file, for curl takes one that begins with < for a name."""
    path = pathlib.Path(book.base, f"text-{book.role}-{len(text)}")
    path.write_text(text, encoding="utf-8", newline="")
    return path


def by_nodemailer(book, mail):
    """nodemailer: names both ways at once, RFC 2231 in pieces and RFC 2047."""
    words = itertools.cycle(("base64", "quoted-printable"))
    job = {"server": {"host": mail.address, "name": mail.helo, "ignoreTLS": not mail.tls,
                      "requireTLS": mail.tls},
           "mail": {"envelope": {"from": mail.sender, "to": mail.recipients},
                    "from": mail.headers["From"], "to": mail.headers["To"], "date": "2026-11-22T12:00:00Z",
                    "messageId": f"<{mail.id}>", "subject": mail.subject, "text": mail.text,
                    "html": mail.html or None,
                    "attachments": [{"filename": one.name, "path": str(path), "contentType": one.type,
                                     "contentTransferEncoding": next(words)
                                     if one.type.startswith("text/") else "base64"}
                                    for one, path in in_files(book, mail)]}}
    run(mail, ["node", f"{pathlib.Path(__file__).parent}/node/send.js"], input=json.dumps(job).encode(),
        env={"NODE_PATH": f"{book.base}/node_modules", "PATH": "/usr/local/bin:/usr/bin:/bin"})
    note(book, "nodemailer", mail)


def by_msmtp(book, mail):
    """msmtp sends what others put together; here that is done by hand, each name another way."""
    data = by_hand(mail)
    run(mail, ["msmtp", "--file=/dev/null", f"--host={mail.address}", "--port=25", f"--from={mail.sender}",
               f"--domain={mail.helo}", "--timeout=30", "--", *mail.recipients], input=data)
    note(book, "msmtp", mail, message=digest(data))


def bracketed(address):
    """An address as it stands in a URL."""
    return f"[{address}]" if ":" in address else address


# ---- by hand ----

def encoded_word(text, charset="utf-8", way="B"):
    """RFC 2047, in words of at most 75 characters that end with whole characters."""
    words, piece = [], ""
    for letter in text:
        if len(word_of(piece + letter, charset, way)) > 75:
            words.append(word_of(piece, charset, way))
            piece = ""
        piece += letter
    return " ".join([*words, word_of(piece, charset, way)])


def word_of(text, charset, way):
    """One encoded word."""
    data = text.encode(charset)
    if way == "B":
        return f"=?{charset}?B?{base64.b64encode(data).decode()}?="
    kept = "".join(chr(byte) if chr(byte).isalnum() and byte < 128 else f"={byte:02X}" for byte in data)
    return f"=?{charset}?Q?{kept}?="


def quoted(text):
    """A quoted string, RFC 5322 3.2.4."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def name_raw(name):
    """UTF-8 as it is, in one parameter, letter case mixed."""
    return "", f"; FileName={quoted(name)}"


def name_2047_b(name):
    """As Outlook and many a web mailer: encoded words in quotes, in both fields."""
    word = quoted(encoded_word(name))
    return f";\r\n name={word}", f";\r\n filename={word}"


def name_2047_q(name):
    """Only a name, in the Content-Type."""
    charset = "iso-8859-1" if all(ord(letter) < 256 for letter in name) else "utf-8"
    return f";\r\n\tname={quoted(encoded_word(name, charset, 'Q'))}", ""


def name_2231(name):
    """One extended parameter."""
    return "", f";\r\n filename*=UTF-8''{urllib.parse.quote(name, safe='')}"


def name_2231_pieces(name):
    """Continuations of eight characters each."""
    pieces = [urllib.parse.quote(name[at:at + 8], safe="") for at in range(0, len(name), 8)]
    pieces[0] = "utf-8''" + pieces[0]
    return "", "".join(f";\r\n filename*{number}*={piece}" for number, piece in enumerate(pieces))


NAME_WAYS = (name_2047_b, name_raw, name_2231_pieces, name_2047_q, name_2231)


def wrapped(data):
    """Base64 in lines."""
    text = base64.encodebytes(data).decode().split("\n")
    return "\r\n".join(text).encode()


def quoted_printable(data):
    """Quoted-printable of text with CRLF."""
    return quopri.encodestring(data.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")


def hand_part(one, number):
    """One attachment as bytes; text by turns as 8bit and quoted-printable."""
    in_type, in_disposition = NAME_WAYS[number % len(NAME_WAYS)](one.name)
    encoding, data = "BASE64", wrapped(one.data)
    if one.type.startswith("text/") and one.data:
        encoding, data = (("8bit", one.data), ("Quoted-Printable", quoted_printable(one.data)))[number % 2]
    return (f"Content-Type: {one.type}{in_type}\r\nContent-Transfer-Encoding: {encoding}\r\n"
            f"Content-Disposition: attachment{in_disposition}\r\n\r\n").encode() + data


def by_hand(mail, turn=0):
    """A mail as CRLF bytes; turn says with which way of names to begin."""
    head = {**mail.headers, "Subject": encoded_word(mail.subject, "utf-8", "Q"), "MIME-Version": "1.0"}
    lines = "".join(f"{key}: {value}\r\n" for key, value in head.items())
    kind = "text/html" if mail.html else "text/plain"
    body = (f"Content-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            + (mail.html or mail.text)).encode()
    if not mail.files:
        return lines.encode() + body
    parts = [body, *(hand_part(one, number) for number, one in enumerate(mail.files, turn))]
    edge = b"\r\n--=_lab 25/edge"
    return (f"{lines}Content-Type: multipart/mixed;\r\n boundary=\"=_lab 25/edge\"\r\n\r\n"
            "This is a mail in several parts.\r\n").encode() + b"".join(
                edge + b"\r\n" + part for part in parts) + edge + b"--\r\n"


DRIVERS = {"swaks": by_swaks, "smtplib": by_smtplib, "curl": by_curl, "nodemailer": by_nodemailer,
           "msmtp": by_msmtp}


def drivers(book):
    """Those whose program is there."""
    return {name: driver for name, driver in DRIVERS.items()
            if name in ("swaks", "smtplib") or name in book.have}


