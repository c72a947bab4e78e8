#!/usr/bin/python3
"""The clients of the lab: clients.py ROLE BASE-DIRECTORY small|full runs all scenarios of a role.

A scenario is a function marked @scenario(role). It gets the book to write its truth into.
"""

import base64
import smtplib
import ssl
import subprocess
import sys
import time

import attachments  # registers its scenarios
import plan
from common import MX, MX6, SCENARIOS, SINK, SINK6, letter, scenario
from talk import Book, Talk, attempts, digest, stuffed

NO_RECIPIENT_TAKEN = 24  # how swaks ends when the server refused them all

def with_attachment(name, size):
    """A multipart mail with one attachment of so many bytes."""
    content = base64.encodebytes(bytes(i * 7 % 251 for i in range(size))).decode().splitlines()
    body = ["--lab25", "Content-Type: text/plain", "", "See the attachment.", "--lab25",
            "Content-Type: application/octet-stream; name=\"lab.bin\"",
            "Content-Transfer-Encoding: base64",
            "Content-Disposition: attachment; filename=\"lab.bin\"", "", *content, "--lab25--"]
    return letter(name, body=body, headers=["MIME-Version: 1.0",
                  "Content-Type: multipart/mixed; boundary=\"lab25\""])


def one_mail(book, name, address, helo, sender, recipients, expect="250", message=None):
    """Connect, greet, one mail, QUIT."""
    with Talk(book, name, address) as talk:
        talk.say(f"EHLO {helo}", expect="250")
        talk.mail(sender, recipients, message or letter(name), expect)
        talk.say("QUIT", expect="221")


def envelope_only(book, name, address, helo, sender, recipients):
    """Connect, greet, MAIL and RCPTs, QUIT: for servers that refuse."""
    with Talk(book, name, address) as talk:
        talk.say(f"EHLO {helo}", f"MAIL FROM:<{sender}>")
        for recipient in recipients:
            talk.say(f"RCPT TO:<{recipient}>")
        talk.say("QUIT")


# The printer: an application that mails by itself.

@scenario("printer")
def plain_single(book):
    with Talk(book, "plain_single", MX) as talk:
        talk.say("HELO printer.test", expect="250")
        talk.mail("scan@printer.test", ["user1@mx.test"], letter("plain_single"))
        talk.say("QUIT", expect="221")


@scenario("printer")
def several_mails(book):
    with Talk(book, "several_mails", MX) as talk:
        talk.say("EHLO printer.test", expect="250")
        for number in range(1, 6):
            talk.mail("scan@printer.test", [f"user{number}@mx.test"],
                      letter("several_mails", number))
        talk.say("QUIT", expect="221")


@scenario("printer")
def null_sender(book):
    one_mail(book, "null_sender", MX, "printer.test", "", ["user1@mx.test"])


def smtplib_mail(book, name, address, starttls=False, port=25, login=None):
    """One mail by Python's own client."""
    wrapped = port == 465
    context = ssl._create_unverified_context()  # the server's certificate is self-made
    maker = smtplib.SMTP_SSL if wrapped else smtplib.SMTP
    extra = {"context": context} if wrapped else {}
    with maker(address, port, local_hostname="printer.test", timeout=12, **extra) as client:
        here, message = client.sock.getsockname(), letter(name)
        if starttls:
            client.starttls(context=context)
        if login:
            client.login(*login)
        client.sendmail("scan@printer.test", ["user1@mx.test", "user2@mx.test"], message)
    book.write(scenario=name, client="smtplib", client_ip=here[0], client_port=here[1],
               server_ip=address, server_port=port, messages=[digest(message)])


@scenario("printer")
def by_smtplib(book):
    smtplib_mail(book, "smtplib", MX)
    smtplib_mail(book, "smtplib_ipv6", MX6)
    smtplib_mail(book, "starttls", MX, starttls=True)
    smtplib_mail(book, "starttls_ipv6", MX6, starttls=True)
    smtplib_mail(book, "implicit_tls", MX, port=465)
    smtplib_mail(book, "implicit_tls_auth", MX, port=465, login=plan.ACCOUNT)
    smtplib_mail(book, "starttls_auth", MX, starttls=True, port=587, login=plan.ACCOUNT)


@scenario("printer")
def starttls_refused_by_client(book):
    """STARTTLS agreed, then the client goes away."""
    with Talk(book, "starttls_gone", MX) as talk:
        talk.say("EHLO printer.test", "STARTTLS", expect="220")


@scenario("printer")
def starttls_injected(book):
    """A command right behind STARTTLS, in the clear, before the handshake."""
    with Talk(book, "starttls_injected", MX) as talk:
        talk.say("EHLO printer.test", expect="250")
        talk.send("STARTTLS\r\nRSET\r\n")
        talk.reply()
        context = ssl._create_unverified_context()
        with context.wrap_socket(talk.socket, server_hostname="mx.lab.test") as secure:
            secure.sendall(b"QUIT\r\n")
            secure.recv(512)


@scenario("printer")
def auth_in_clear(book):
    """AUTH on port 587: right, wrong, and given up."""
    good, bad, user, word, wrong = (
        base64.b64encode(text.encode()).decode() for text in (
            "\0".join(("", *plan.ACCOUNT)), f"\0{plan.ACCOUNT[0]}\0wrong", *plan.ACCOUNT, "wrong"))
    tries = {"auth_plain_ok": [f"AUTH PLAIN {good}"], "auth_plain_bad": [f"AUTH PLAIN {bad}"],
             "auth_plain_late": ["AUTH PLAIN", good],
             "auth_login_ok": ["AUTH LOGIN", user, word],
             "auth_login_bad": ["AUTH LOGIN", user, wrong],
             "auth_cancelled": ["AUTH LOGIN", "*"], "auth_unknown": ["AUTH LAB25"]}
    for name, lines in tries.items():
        with Talk(book, name, MX, 587) as talk:
            talk.say("EHLO printer.test", *lines)
            talk.mail("teacher@lab.test", ["user1@mx.test"], letter(name))
            talk.say("QUIT", expect="221")


@scenario("printer")
def unusual_addresses(book):
    """8BITMIME, SMTPUTF8, quoted local parts, source route, parameters, odd spacing."""
    with Talk(book, "unusual_addresses", MX) as talk:
        talk.say("EHLO [10.20.7.3]", expect="250")
        eight = letter("eight_bit", body=["Gr\u00fc\u00dfe aus dem Labor"],
                       headers=["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
                                "Content-Transfer-Encoding: 8bit"])
        talk.mail("scan@printer.test", ["user1@mx.test"], eight, options=" BODY=8BITMIME")
        talk.mail("scan@printer.test", ["j\u00fcrgen@mx.test", "\u7528\u6237@mx.test"],
                  letter("smtputf8"), options=" SMTPUTF8 BODY=8BITMIME")
        talk.mail('"odd sender"@printer.test', ['"quoted user"@mx.test', '"a@b"@mx.test'],
                  letter("quoted"))
        talk.mail("scan+tag=1@printer.test", ["user1@mx.test"], letter("options"),
                  options=" SIZE=4000 RET=HDRS ENVID=lab25")
        talk.say("mail from:<lower@printer.test>", "rcpt to:<user1@mx.test> NOTIFY=NEVER")
        talk.data(letter("lower_case"))
        talk.say("QUIT", expect="221")


@scenario("printer")
def unusual_bodies(book):
    """Dots, long lines, an empty message, a header only, trailing blanks."""
    dots = ["..two", ".", ".one", "...three", "a line.", ". ", ".."]
    with Talk(book, "unusual_bodies", MX) as talk:
        talk.say("EHLO printer.test", expect="250")
        for number, message in enumerate((letter("dots", body=dots), b"Subject: only\r\n", b"",
                                          letter("long", body=["x" * 3000, "y" * 998]),
                                          letter("blank", body=["", "", "tail", "", ""])), 1):
            talk.mail("scan@printer.test", [f"user{number}@mx.test"], message)
        talk.say("QUIT", expect="221")


@scenario("printer")
def attachment(book):
    one_mail(book, "attachment", MX, "printer.test", "scan@printer.test", ["user1@mx.test"],
             message=with_attachment("attachment", 200000))
    one_mail(book, "attachment_ipv6", MX6, "printer.test", "scan@printer.test",
             ["user1@mx.test"], message=with_attachment("attachment_ipv6", 20000))


@scenario("printer")
def bare_linefeeds(book):
    """Lines that end with LF alone: taken by one server, refused by the other."""
    message = letter("bare_lf").replace(b"\r\n", b"\n") + b"\r\n"
    for name, address, expect in (("bare_lf", MX, "250"), ("bare_lf_refused", "198.51.100.34", "5")):
        with Talk(book, name, address) as talk:
            talk.say("EHLO printer.test", "MAIL FROM:<scan@printer.test>",
                     "RCPT TO:<user1@mx.test>", "DATA", expect="354")
            talk.send(message + b".\r\n")
            talk.note(message)
            assert talk.reply().startswith(expect)
            talk.say("QUIT")


@scenario("printer")
def without_helo(book):
    with Talk(book, "without_helo", MX) as talk:
        talk.mail("scan@printer.test", ["user1@mx.test"], letter("without_helo"))
        talk.say("QUIT", expect="221")
    with Talk(book, "helo_required", "198.51.100.36") as talk:
        talk.say("MAIL FROM:<scan@printer.test>", expect="503")
        talk.say("EHLO printer.test")
        talk.mail("scan@printer.test", ["user1@mx.test"], letter("helo_required"))
        talk.say("QUIT", expect="221")


@scenario("printer")
def other_commands(book):
    with Talk(book, "other_commands", MX) as talk:
        talk.say("ehlo printer.test", "NOOP", "HELP", "VRFY user1@mx.test", "EXPN list",
                 "XLAB25 hello", "RCPT TO:<user1@mx.test>", "DATA", "MAIL FROM:broken@",
                 "MAIL FROM:<scan@printer.test>", "MAIL FROM:<again@printer.test>",
                 "NOOP still here", "RCPT TO:<user1@mx.test>")
        talk.data(letter("other_commands"))
        talk.say("quit", expect="221")


@scenario("printer")
def idle_until_421(book):
    with Talk(book, "idle_421", "198.51.100.35") as talk:
        talk.say("EHLO printer.test", "MAIL FROM:<scan@printer.test>")
        assert talk.reply().startswith("421")


@scenario("printer")
def by_swaks(book):
    """The swaks client; --local-port makes its connections known."""
    runs = (("swaks", MX, [], 0), ("swaks_pipeline", MX, ["--pipeline"], 0),
            ("swaks_tls", MX, ["-tls"], 0), ("swaks_sink", SINK, [], 0),
            ("swaks_sink_pipeline", SINK, ["--pipeline"], 0),
            ("swaks_rejected", MX, ["--to", "nobody@mx.test"], NO_RECIPIENT_TAKEN),
            ("swaks_attach", SINK, ["--attach-name", "plan.txt", "--attach", f"@{plan.__file__}"], 0),
            ("swaks_quit_after_rcpt", MX, ["--quit-after", "RCPT"], 0))
    for port, (name, address, options, expect) in enumerate(runs, 28001):
        done = subprocess.run(["swaks", "--silent", "2", "--server", address, "--helo", "printer.test",
                               "--from", "scan@printer.test", "--to", "user1@mx.test,user2@mx.test",
                               "--local-port", str(port), "--timeout", "10",
                               "--header", f"Message-Id: <{name}@lab25.test>", *options],
                              check=False, capture_output=True, text=True)
        if done.returncode != expect:
            raise AssertionError(f"{name}: swaks ended with {done.returncode}: {done.stdout}{done.stderr}")
        book.write(scenario=name, client="swaks", client_ip=plan.host("printer").ipv4,
                   client_port=port, server_ip=address, server_port=25, messages=[])


# The office: a registered server that uses all of SMTP.

@scenario("office")
def recipient_ladder(book):
    """1 to 20 recipients, every third unknown."""
    for count in (1, 2, 3, 5, 8, 13, 20):
        recipients = [f"{'nobody' if n % 3 == 2 else 'user'}{n}@mx.test" for n in range(count)]
        one_mail(book, f"recipients_{count}", MX, "office.test", "news@office.test", recipients)
    envelope_only(book, "recipients_none", MX, "office.test", "news@office.test",
                  ["nobody1@mx.test", "nobody2@mx.test"])


@scenario("office")
def bdat(book):
    for address in (MX, MX6):
        for name, sizes in (("bdat_single", []), ("bdat_chunks", [100, 1, 70]),
                            ("bdat_empty_last", None)):
            message = letter(name, body=[".dots stay", "line"] * 40)
            with Talk(book, name, address) as talk:
                talk.say("EHLO office.test", "MAIL FROM:<news@office.test>",
                         "RCPT TO:<user1@mx.test>", expect="250")
                talk.bdat(message, [len(message)] if sizes is None else sizes)
                talk.note(message)
                talk.say("QUIT", expect="221")


@scenario("office")
def bdat_pipelined(book):
    """Commands and chunks in one segment, two mails."""
    first, second = letter("bdat_pipelined", 1), letter("bdat_pipelined", 2)
    with Talk(book, "bdat_pipelined", MX) as talk:
        talk.say("EHLO office.test", expect="250")
        for message in (first, second):
            talk.send(b"MAIL FROM:<news@office.test>\r\nRCPT TO:<user1@mx.test>\r\n"
                      b"BDAT 50\r\n" + message[:50]
                      + f"BDAT {len(message) - 50} LAST\r\n".encode() + message[50:])
            for _ in range(4):
                talk.reply()
            talk.note(message)
        talk.say("QUIT", expect="221")


@scenario("office")
def bdat_reset(book):
    with Talk(book, "bdat_reset", MX) as talk:
        talk.say("EHLO office.test", "MAIL FROM:<news@office.test>", "RCPT TO:<user1@mx.test>")
        talk.send(b"BDAT 20\r\nSubject: forgotten\r\n")
        talk.reply()
        talk.say("RSET", expect="250")
        talk.mail("news@office.test", ["user2@mx.test"], letter("bdat_reset"))
        talk.say("QUIT", expect="221")


@scenario("office")
def bdat_without_recipient(book):
    """The chunk of a refused transaction must be read over; it looks like commands."""
    with Talk(book, "bdat_refused", MX) as talk:
        talk.say("EHLO office.test", "MAIL FROM:<news@office.test>", "RCPT TO:<nobody1@mx.test>")
        talk.send(b"BDAT 18 LAST\r\nMAIL FROM:<x@y>\r\n\n")
        talk.reply()
        talk.say("QUIT")


@scenario("office")
def resets(book):
    with Talk(book, "reset", MX) as talk:
        talk.say("EHLO office.test", "MAIL FROM:<news@office.test>", "RCPT TO:<user1@mx.test>",
                 "RSET", expect="250")
        talk.mail("news@office.test", ["user2@mx.test"], letter("reset"))
        talk.say("RSET", "RSET", "MAIL FROM:<news@office.test>", "RSET", "QUIT", expect="221")


@scenario("office")
def ehlo_again(book):
    with Talk(book, "ehlo_again", MX) as talk:
        talk.say("EHLO office.test", "MAIL FROM:<news@office.test>", "RCPT TO:<user1@mx.test>",
                 "EHLO second.office.test", expect="250")
        talk.mail("news@office.test", ["user2@mx.test"], letter("ehlo_again"))
        talk.say("QUIT", expect="221")


@scenario("office")
def nothing_sent(book):
    with Talk(book, "quit_after_ehlo", MX) as talk:
        talk.say("EHLO office.test", "QUIT", expect="221")
    with Talk(book, "quit_at_once", MX) as talk:
        talk.say("QUIT", expect="221")
    with Talk(book, "closed_at_once", MX):
        pass
    with Talk(book, "closed_before_banner", "198.51.100.32", wait_banner=False):
        pass


@scenario("office")
def broken_off(book):
    """The client goes away: after RCPT, in DATA by FIN, in DATA by RST, in a chunk."""
    message = letter("broken_off")
    for name, lines, data, rst in (("gone_after_rcpt", [], b"", False),
                                   ("gone_in_data", ["DATA"], message, False),
                                   ("reset_in_data", ["DATA"], message, True),
                                   ("gone_in_bdat", [], b"BDAT 5000\r\n" + message, False)):
        with Talk(book, name, MX) as talk:
            talk.say("EHLO office.test", "MAIL FROM:<news@office.test>",
                     "RCPT TO:<user1@mx.test>", *lines)
            talk.send(data)
            time.sleep(0.3)
            if rst:
                talk.reset()


@scenario("office")
def pipelined(book):
    """Everything of a mail in two segments; the end of one mail with the start of the next."""
    head = b"MAIL FROM:<news@office.test>\r\nRCPT TO:<user1@mx.test>\r\nRCPT TO:<nobody1@mx.test>\r\nDATA\r\n"
    first, second = letter("pipelined", 1), letter("pipelined", 2)
    with Talk(book, "pipelined", MX) as talk:
        talk.say("EHLO office.test", expect="250")
        talk.send(head)
        for _ in range(4):
            talk.reply()
        talk.send(stuffed(first) + head)
        for _ in range(5):
            talk.reply()
        talk.send(stuffed(second) + b"QUIT\r\n")
        talk.reply()
        talk.reply()
        talk.note(first)
        talk.note(second)


@scenario("office")
def byte_by_byte(book):
    with Talk(book, "byte_by_byte", MX) as talk:
        talk.say("EHLO office.test", expect="250")
        for line in ("MAIL FROM:<news@office.test>", "RCPT TO:<user1@mx.test>", "DATA"):
            for letter_ in line + "\r\n":
                talk.send(letter_)
                time.sleep(0.002)
            talk.reply()
        message = letter("byte_by_byte", body=["x", ".y", "z"])
        for number in range(0, len(stuffed(message)), 3):
            talk.send(stuffed(message)[number:number + 3])
            time.sleep(0.002)
        talk.note(message)
        assert talk.reply().startswith("250")
        talk.say("QUIT", expect="221")


@scenario("office")
def refusals(book):
    """Quota, policy, relay, sender and size refusals."""
    one_mail(book, "refused_recipients", MX, "office.test", "news@office.test",
             ["full1@mx.test", "overquota@mx.test", "policy@mx.test", "later@mx.test",
              "closed@mx.test", "moved@mx.test", "someone@elsewhere.example", "user1@mx.test"])
    envelope_only(book, "relay_deferred", "198.51.100.28", "office.test", "news@office.test",
                  ["someone@elsewhere.example"])
    envelope_only(book, "closing_421", MX, "office.test", "news@office.test",
                  ["user1@mx.test", "bye@mx.test"])
    for sender in ("x@banned.test", "x@wait.test"):
        envelope_only(book, "sender_refused", "198.51.100.36", "office.test", sender,
                      ["user1@mx.test"])
    with Talk(book, "too_big", "198.51.100.29") as talk:
        talk.say("EHLO office.test", "MAIL FROM:<news@office.test> SIZE=50000", expect="552")
        talk.say("RSET")
        talk.mail("news@office.test", ["user1@mx.test"], with_attachment("too_big", 20000), "552")
        talk.mail("news@office.test", ["user1@mx.test"], letter("too_big"))
        talk.say("QUIT")


@scenario("office")
def put_off(book):
    """Greylisting: refused, then taken two seconds later."""
    envelope_only(book, "greylisted", "198.51.100.27", "office.test", "news@office.test",
                  ["grey1@mx.test"])
    time.sleep(2)
    one_mail(book, "greylist_passed", "198.51.100.27", "office.test", "news@office.test",
             ["grey1@mx.test"])


@scenario("office")
def closed_server(book):
    with Talk(book, "no_service", "198.51.100.31") as talk:
        talk.say("EHLO office.test", "MAIL FROM:<news@office.test>", "QUIT")


@scenario("office")
def other_dialects(book):
    """The sink answers as other servers do."""
    for address in (SINK, SINK6):
        with Talk(book, "dialects", address) as talk:
            talk.say("EHLO office.test", expect="250")
            for word in ("qmail", "google", "exim", "exchange", "spam", "late", "nodata"):
                talk.say(f"MAIL FROM:<{word}@office.test>", "RCPT TO:<plain1@sink.test>",
                         "RCPT TO:<gone1@sink.test>", "RCPT TO:<noenhanced@sink.test>",
                         "RCPT TO:<split1@sink.test>", "RCPT TO:<linefeed1@sink.test>",
                         "RCPT TO:<toomany1@sink.test>")
                if word == "nodata":
                    talk.say("DATA", "RSET")
                    continue
                talk.data(letter(f"dialect_{word}", body=["..dots", "text"]), "")
            talk.say("QUIT", expect="221")
    for word in ("drop", "shutdown"):
        with Talk(book, f"server_{word}", SINK) as talk:
            talk.say("EHLO office.test", f"MAIL FROM:<{word}@office.test>",
                     "RCPT TO:<user1@sink.test>", "DATA", expect="354")
            talk.send(letter("server_gone"))
            talk.reply()


# The bot: many servers, many unknown users, no manners.

@scenario("bot")
def knocking(book):
    here = plan.host("bot").ipv4
    attempts(book, "refused", here, plan.REFUSED, "refused", 0.3)
    attempts(book, "unanswered", here, plan.UNANSWERED, "unanswered", 1.5)


@scenario("bot")
def spam_run(book):
    """Thirty destinations, the name in EHLO wrong, four of five recipients unknown."""
    for number, place in enumerate(plan.DESTINATIONS):
        recipients = [f"{'user' if (number + n) % 5 == 0 else 'guess'}{n}@{place.name}.test"
                      for n in range(4)]
        offer = letter("spam_run", number, ["Made-up offer, buy nothing.",
                                            "http://shop.example-spam.test/lab25"])
        with Talk(book, "spam_run", place.address) as talk:
            talk.say(f"HELO host{number % 3}.test", f"MAIL FROM:<win{number}@prize.test>")
            codes = [talk.say(f"RCPT TO:<{one}>")[:3] for one in recipients]
            if "250" in codes:
                talk.data(offer)
            if number % 3:
                talk.say("QUIT")


@scenario("bot")
def early_talker(book):
    """Sends all it has before the server's banner."""
    message = letter("early_talker")
    with Talk(book, "early_talker", "198.51.100.32", wait_banner=False) as talk:
        talk.send(b"HELO bot.test\r\nMAIL FROM:<win@prize.test>\r\nRCPT TO:<user1@mx.test>\r\n"
                  b"DATA\r\n" + stuffed(message) + b"QUIT\r\n")
        replies = [talk.reply() for _ in range(7)]
        assert replies[-2].startswith("250"), replies
        talk.note(message)


@scenario("bot")
def block_listed(book):
    for address in ("198.51.100.26", "2001:db8:25::26"):
        envelope_only(book, "block_listed", address, "bot.test", "win@prize.test",
                      ["user1@mx.test", "user2@mx.test"])
    envelope_only(book, "block_listed_sink", SINK, "bot.test", "win@prize.test",
                  ["listed1@sink.test", "listed2@sink.test"])


@scenario("bot")
def rate_limited(book):
    with Talk(book, "rate_limited", "198.51.100.30") as talk:
        talk.say("EHLO bot.test")
        for number in range(1, 6):
            answer = talk.say(f"MAIL FROM:<win{number}@prize.test>")
            if not answer.startswith("250"):
                continue
            codes = [talk.say(f"RCPT TO:<user{n}@mx.test>")[:3] for n in range(4)]
            if "250" in codes:
                talk.data(letter("rate_limited", number))
            else:
                talk.say("RSET")
        talk.say("QUIT")
    for _ in range(4):
        with Talk(book, "connection_limited", "198.51.100.33") as talk:
            if talk.banner.startswith("220"):
                talk.say("EHLO bot.test", "QUIT")


@scenario("bot")
def too_many_errors(book):
    """Unknown users until the server has had enough."""
    with Talk(book, "too_many_errors", MX) as talk:
        talk.say("EHLO bot.test", "MAIL FROM:<win@prize.test>")
        for number in range(25):
            if talk.say(f"RCPT TO:<guess{number}@mx.test>").startswith("421"):
                break


@scenario("bot")
def foreign_protocol(book):
    """A web request on port 25."""
    with Talk(book, "http_on_25", MX, wait_banner=False) as talk:
        talk.send(b"GET / HTTP/1.1\r\nHost: mx.lab.test\r\n\r\n")
        talk.reply()
        talk.reply()


@scenario("bot")
def protocol_error(book):
    """Pipelining before EHLO, to a server that forbids it."""
    with Talk(book, "unauthorised_pipelining", "198.51.100.34") as talk:
        talk.send(b"HELO bot.test\r\nMAIL FROM:<win@prize.test>\r\nRCPT TO:<user1@mx.test>\r\n")
        talk.reply()
        talk.reply()


# The library: a real Postfix that relays what is put into its queue.

def inject(book, sender, recipients, message):
    """Puts one mail into the relaying Postfix."""
    subprocess.run(["sendmail", "-C", f"{book.base}/relay/conf", "-i", "-f", sender, "--", *recipients],
                   input=message.replace(b"\r\n", b"\n"), check=True)


@scenario("library")
def relayed(book):
    """Mail through Postfix; its servers and the sink write the truth."""
    inject(book, "staff1@library.test", ["user1@mx.test"], letter("relay_one"))
    inject(book, "staff1@library.test", ["user1@v6.test"], letter("relay_ipv6"))
    inject(book, "staff1@library.test", [f"user{n}@mx.test" for n in range(12)] + ["nobody1@mx.test"],
           letter("relay_many"))
    inject(book, "staff1@library.test", ["user1@tls.test"], letter("relay_starttls"))
    inject(book, "staff1@library.test", ["grey2@grey.test"], letter("relay_greylisted"))
    inject(book, "staff1@library.test", ["full1@mx.test", "policy@mx.test"], letter("relay_bounced"))
    inject(book, "staff1@library.test", ["user1@small.test"], letter("relay_no_pipelining"))
    inject(book, "staff1@library.test", ["user1@sink.test", "gone1@sink.test", "split1@sink.test"],
           letter("relay_sink", body=[".dots", "..", "text"]))
    inject(book, "", ["user1@sink6.test"], letter("relay_sink_ipv6"))
    inject(book, "staff1@library.test", ["user3@sink.test"],
           letter("relay_8bit", body=["Gr\u00fc\u00dfe"], headers=[
               "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
               "Content-Transfer-Encoding: 8bit"]))
    for number in range(1, 7):
        inject(book, "staff2@library.test", [f"user{number}@batch.test"], letter("relay_batch", number))


# The world: a client outside writes to our registered server.

@scenario("world")
def inbound(book):
    """Mail from outside: taken, partly unknown, relay refused, by both families, by TLS."""
    for here, there in zip(plan.OUTSIDE_CLIENTS, ("10.20.1.10", "fd25:20::1:10")):
        with Talk(book, "inbound", there, source=here) as talk:
            talk.say("EHLO outside.test", expect="250")
            talk.mail("friend@outside.test", ["staff1@library.test", "unknown@library.test"],
                      letter("inbound"))
            talk.say("QUIT", expect="221")
        with Talk(book, "inbound_relay", there, source=here) as talk:
            talk.say("EHLO outside.test", "MAIL FROM:<friend@outside.test>",
                     "RCPT TO:<someone@elsewhere.example>", "QUIT")
        with Talk(book, "inbound_chunks", there, source=here) as talk:
            message = letter("inbound_chunks")
            talk.say("EHLO outside.test", "MAIL FROM:<>", "RCPT TO:<staff2@library.test>")
            talk.bdat(message, [64])
            talk.note(message)
            talk.say("QUIT", expect="221")
        with Talk(book, "inbound_starttls", there, source=here) as talk:
            talk.say("EHLO outside.test", "STARTTLS", expect="220")
            context = ssl._create_unverified_context()
            with context.wrap_socket(talk.socket, server_hostname="library.test") as secure:
                secure.sendall(b"EHLO outside.test\r\n")
                secure.recv(2048)
                secure.sendall(b"QUIT\r\n")
                secure.recv(512)


def main():
    role, base, size = sys.argv[1:]
    book = Book(base, role, size == "small")
    for run in SCENARIOS[role]:
        run(book)


if __name__ == "__main__":
    main()
