#!/usr/bin/python3
"""A small SMTP server that hashes the exact bytes it gets and answers as other servers do.

The local part of a recipient or sender chooses the answer. Every line of the dialogue goes to the
log given as first argument, one JSON object a line.
"""

import hashlib
import json
import re
import socket
import socketserver
import sys
import threading
import time

import plan

RCPT_REPLIES = {
    "plain": "250 ok",
    "gone": "550-5.1.1 The account you tried to reach does not exist. Please try\r\n"
            "550-5.1.1 double-checking the address for typing errors.\r\n"
            "550 5.1.1 See https://help.example.test/nosuchuser lab25 - gsmtp",
    "noenhanced": "550 No such user here",
    "toomany": "452 4.5.3 Too many recipients",
    "listed": "550 5.7.1 [10.20.4.17] listed at bl.example-rbl.test, see"
              " https://example-rbl.test/q?10.20.4.17",
}
FINAL_REPLIES = {
    "qmail": "250 ok 1763800000 qp 4242",
    "google": "250 2.0.0 OK  1763800000 d9443c01a7336-29b5b0f0a1esi25.7 - gsmtp",
    "exim": "250 OK id=1vMlab-000000025Xy-0AbC",
    "exchange": "250 2.6.0 <lab@lab.test> [InternalId=25, Hostname=EX25.lab.test] Queued mail",
    "spam": "554 5.7.1 Spam message rejected, case L25",
    "late": "451 4.7.1 Please try again later",
}
LOCK = threading.Lock()


def local_word(argument):
    """The letters that begin the local part of the path in a MAIL or RCPT argument."""
    found = re.search(r"<([a-z0-9]*?)[0-9]*@", argument)
    return found.group(1) if found else ""


class Talk(socketserver.StreamRequestHandler):
    """One connection."""
    wbufsize = 0

    def record(self, kind, text="", **more):
        address, port = self.client_address[:2]
        row = {"server": self.server.name, "client_ip": address, "client_port": port,
               "ev": kind, "text": text, **more}
        with LOCK:
            print(json.dumps(row), file=self.server.log, flush=True)

    def reply(self, text, end="\r\n"):
        for line in text.split("\r\n"):
            self.record(">", line)
        self.wfile.write((text + end).encode())

    def split_reply(self, text):
        """The same reply in two segments."""
        self.record(">", text)
        self.wfile.write(text[:2].encode())
        time.sleep(0.05)
        self.wfile.write((text[2:] + "\r\n").encode())

    def handle(self):
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.record("connect")
        self.sender = ""
        self.reply("220-sink.lab.test ESMTP\r\n220-Mail is counted here, then thrown away\r\n220 ready")
        try:
            while self.one_command():
                pass
        except ConnectionError:
            pass
        self.record("disconnect")

    def one_command(self):
        raw = self.rfile.readline()
        if not raw:
            return False
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        self.record("<", line)
        verb = line.split(" ")[0].upper()
        return getattr(self, "do_" + verb.lower(), self.do_unknown)(line)

    def do_unknown(self, _line):
        self.reply("500 5.5.1 Unknown command")
        return True

    def do_ehlo(self, _line):
        self.reply("250-sink.lab.test greets you\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n"
                   "250-8BITMIME\r\n250 ENHANCEDSTATUSCODES")
        return True

    def do_helo(self, _line):
        self.reply("250 sink.lab.test")
        return True

    def do_rset(self, _line):
        self.reply("250 2.0.0 Flushed")
        return True

    def do_mail(self, line):
        self.sender = local_word(line)
        self.reply("250 2.1.0 Sender OK")
        return True

    def do_rcpt(self, line):
        word = local_word(line)
        if word == "split":
            self.split_reply("250 2.1.5 Recipient OK")
        elif word == "linefeed":
            self.reply("250 2.1.5 Recipient OK", end="\n")
        else:
            self.reply(RCPT_REPLIES.get(word, "250 2.1.5 Recipient OK"))
        return True

    def do_quit(self, _line):
        self.reply("221 2.0.0 Goodbye")
        return False

    def do_data(self, _line):
        if self.sender == "nodata":
            self.reply("451 4.3.0 No data taken now")
            return True
        self.reply("354 Go ahead")
        if self.sender in ("drop", "shutdown"):
            return self.stop_early()
        self.take_message()
        self.reply(FINAL_REPLIES.get(self.sender, "250 2.0.0 Ok: queued as 25LAB5171717"))
        return True

    def stop_early(self):
        """Closes in the middle of the message, with or without a 421."""
        self.rfile.readline()
        if self.sender == "shutdown":
            self.reply("421 4.3.2 System going down")
        return False

    def take_message(self):
        digest, size, message_id = hashlib.sha256(), 0, ""
        for line in self.rfile:
            if line == b".\r\n":
                break
            line = line[1:] if line.startswith(b".") else line
            digest.update(line)
            size += len(line)
            if not message_id and line.lower().startswith(b"message-id:"):
                message_id = line.split(b":", 1)[1].strip().decode("ascii", "replace")
        self.record("message", size=size, sha256=digest.hexdigest(), message_id=message_id)


class Sink(socketserver.ThreadingTCPServer):
    """Listens on one address of the plan."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, place, log):
        self.name, self.log = place.name, log
        if plan.family_of(place.address) == 6:
            self.address_family = socket.AF_INET6
        super().__init__((place.address, place.port), Talk)


def main():
    with open(sys.argv[1], "a", encoding="utf-8") as log:
        sinks = [Sink(place, log) for place in plan.SINK_SERVERS.values()]
        threads = [threading.Thread(target=sink.serve_forever) for sink in sinks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main()
