"""Scenarios with attachments: the ordinary ones of a campus by every client and server, and what bots send."""

import email.message
import email.policy

import files
import plan
from common import MX, MX6, SINK, scenario
from mailers import Mail, by_curl, by_hand, by_nodemailer, by_swaks, drivers, note
from talk import Talk, digest, stuffed

HTML = ("<html><body><h1>Hello</h1><p>A page of the lab with a <a href=\"https://www.lab.test/\">link</a>"
        " and an &auml;.</p></body></html>\r\n")
# Which files go into one mail.
GROUPS = (("pdf", "docx", "xlsx"), ("odt", "jpeg", "png", "zip", "7z"),
          ("ics", "vcf", "csv", "utf8", "latin1", "empty"), ("eml", "winmail", "locked", "targz"))


def servers(book):
    """The servers of different make that are there, by name."""
    found = {"mx": MX, "sink": SINK, "mx-v6": MX6}
    for name, (ipv4, ipv6) in plan.ROOT_SERVERS.items():
        if name in book.have:
            found |= {ipv4.name: ipv4.address, ipv6.name: ipv6.address}
    return found


def chosen(book):
    """The ordinary files."""
    return files.campus(book.base + "/made", book.have, book.small)


@scenario("campus")
def kinds_of_mail(book):
    """Each client to each make of server: plain, HTML, eight bits, long lines."""
    places = servers(book)
    for client, driver in drivers(book).items():
        for make in ("mx", "exim", "opensmtpd"):
            if make not in places:
                continue
            name, address = f"{client}_to_{make}", places[make]
            driver(book, Mail(name, address, subject="plain"))
            driver(book, Mail(name, address, number=2, html=HTML, subject="Grüße"))
            driver(book, Mail(name, address, number=3, subject="用户", text="Grüße aus dem Labor, 用户\r\n"
                              + "long " * 190 + "\r\n.dot\r\n..two\r\nFrom here on\r\n"))


@scenario("campus")
def ordinary_attachments(book):
    """Every client sends every file; clients and servers meet in turn."""
    table, places = chosen(book), servers(book)
    for turn, (client, driver) in enumerate(drivers(book).items()):
        for number, group in enumerate(GROUPS, 1):
            make = list(places)[(turn + number) % len(places)]
            some = tuple(table[word] for word in group if word in table)
            driver(book, Mail(f"{client}_attachments_{make}", places[make], number=number, files=some))


@scenario("campus")
def escaped_names(book):
    """A name with quotation marks, which two of the clients escape and which readers then see differently."""
    for number, (client, driver) in enumerate(drivers(book).items(), 1):
        if client in ("smtplib", "curl"):
            driver(book, Mail("escaped_name", MX, number=number, files=(chosen(book)["quoted"],)))


@scenario("campus")
def large_attachments(book):
    """The large file by two clients, and in chunks."""
    mail = Mail("large_attachment", MX, files=(chosen(book)["large"],))
    for number, (client, driver) in enumerate(drivers(book).items(), 1):
        if client in ("curl", "nodemailer"):
            driver(book, mail._replace(number=number))
    mail = mail._replace(name="large_in_chunks")
    message = by_hand(mail)
    with Talk(book, mail.name, MX) as talk:
        talk.say("EHLO campus.test", f"MAIL FROM:<{mail.sender}>", "RCPT TO:<user1@mx.test>", expect="250")
        talk.bdat(message, [40_000] * (len(message) // 40_000 // 2))
        talk.note(message)
        talk.say("QUIT", expect="221")
    note(book, "script", mail)


@scenario("campus")
def tls_attachments(book):
    """The same in TLS, where nobody sees it; OpenSMTPD 6.8 with OpenSSL 3 offers TLS and fails in it."""
    places, table = servers(book), chosen(book)
    for make, driver, client in (("exim", by_nodemailer, "nodemailer"), ("exim-v6", by_curl, "curl"),
                                 ("mx", by_swaks, "swaks")):
        if make in places and client in drivers(book):
            driver(book, Mail(f"{client}_in_tls", places[make], files=(table["pdf"],), tls=True))


@scenario("campus")
def forwarded_back(book):
    """What exim and OpenSMTPD forward to our library: exim in BDAT, OpenSMTPD in DATA."""
    table, places = chosen(book), servers(book)
    for make in plan.ROOT_SERVERS:
        for number, (client, driver) in enumerate(drivers(book).items(), 1):
            if make in places:
                some = tuple(table[word] for word in ("pdf", "csv", "latin1"))
                driver(book, Mail(f"forwarded_by_{make}", places[make], number=number, files=some,
                                  recipients=("staff1@library.test",)))


@scenario("campus")
def forwarded_mail(book):
    """A mail in a mail, as a part of its own kind; the attachment is in the inner one."""
    inside = chosen(book)["pdf"]
    inner, outer = (email.message.EmailMessage(policy=email.policy.SMTP) for _ in range(2))
    for message, name in ((inner, "forwarded_inner"), (outer, "forwarded_outer")):
        mail = Mail(name, MX, files=(inside,))
        for key, value in {**mail.headers, "Subject": name}.items():
            message[key] = value
        message.set_content("See below.")
    inner.add_attachment(inside.data, "application", "pdf", filename=inside.name)
    outer.add_attachment(inner)
    message = outer.as_bytes()
    with Talk(book, mail.name, MX) as talk:
        talk.say("EHLO campus.test", expect="250")
        talk.mail(mail.sender, ["user1@mx.test"], message)
        talk.say("QUIT", expect="221")
    note(book, "script", mail)


# ---- what bots send ----

def infected(book, mail, wait_banner=True, expect="250"):
    """Straight to the server, by a client that says HELO with a bare name and not goodbye."""
    message = by_hand(mail, turn=mail.number)
    with Talk(book, mail.name, mail.address, wait_banner=wait_banner) as talk:
        if wait_banner:
            talk.say("HELO pc25")
            talk.mail(mail.sender, mail.recipients, message, expect)
        else:
            talk.send("HELO pc25\r\n" f"MAIL FROM:<{mail.sender}>\r\n"
                      + "".join(f"RCPT TO:<{one}>\r\n" for one in mail.recipients) + "DATA\r\n")
            talk.send(stuffed(message) + b"QUIT\r\n")
            replies = [talk.reply() for _ in range(6)]
            assert replies[-1].startswith("250"), replies
            talk.note(message)
    note(book, "bot", mail)


@scenario("bot")
def malicious_mail(book):
    """Every bad file to a server of its own, the first before the greeting; one is refused after it."""
    table = files.malicious(book.base + "/bad", book.have)
    for number, (word, one) in enumerate(table.items(), 1):
        text = f"Please open it. The password is {files.PASSWORD}\r\n" if word.startswith("locked") \
            else "Please see the invoice.\r\n"
        mail = Mail(f"bad_{word}", plan.DESTINATIONS[number].address, text, files=(one,), number=number,
                    sender=f"billing{number}@prize.test", subject="Invoice 25",
                    recipients=(f"user{number}@{plan.DESTINATIONS[number].name}.test",))
        if number == 1:
            infected(book, mail._replace(address="198.51.100.32"), wait_banner=False)
        else:
            infected(book, mail)
    infected(book, Mail("bad_refused", SINK, files=(table["eicar"],), sender="spam@prize.test",
                        recipients=("user1@sink.test",)), expect="554")


@scenario("bot")
def malicious_by_clients(book):
    """Bots use ordinary programs too."""
    table, places = files.malicious(book.base + "/bad", book.have), servers(book)
    for number, (client, driver) in enumerate(drivers(book).items()):
        make = list(places)[number % len(places)]
        driver(book, Mail(f"bad_by_{client}", places[make], number=number, sender="billing@prize.test",
                          helo="pc25", subject="Rechnung", files=(table["eicar_zip"], table["double"])))


@scenario("world")
def inbound_infected(book):
    """An infected mail from outside to our library."""
    bad = files.malicious(book.base + "/bad-world", book.have)["eicar_nested"]
    mail = Mail("inbound_infected", "10.20.1.10", files=(bad,), sender="billing@outside.test",
                recipients=("staff1@library.test",))
    message = by_hand(mail, turn=1)
    with Talk(book, mail.name, mail.address, source=plan.OUTSIDE_CLIENTS[0]) as talk:
        talk.say("EHLO outside.test", expect="250")
        talk.mail(mail.sender, mail.recipients, message)
        talk.say("QUIT", expect="221")
    note(book, "script", mail, message=digest(message))
