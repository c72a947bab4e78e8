#!/usr/bin/python3
"""Answers Postfix's login questions in Dovecot's auth protocol, for one made-up account."""

import base64
import os
import socketserver
import sys

import plan

GREETING = ("VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n"
            "SPID\t25\nCUID\t25\nCOOKIE\t25252525252525252525252525252525\nDONE\n")
PROMPTS = ("Username:", "Password:")


def encoded(text):
    """Base64 of a text."""
    return base64.b64encode(text.encode()).decode()


def decoded(text):
    """The text behind base64, empty if it is none."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""


class Login(socketserver.StreamRequestHandler):
    """One smtpd process; `asked` holds the open logins by request number."""

    def handle(self):
        self.wfile.write(GREETING.encode())
        self.asked = {}
        for raw in self.rfile:
            verb, *fields = raw.decode().rstrip("\n").split("\t")
            if verb == "AUTH":
                number, mechanism = fields[:2]
                self.asked[number] = [mechanism]
                first = [one[5:] for one in fields[2:] if one.startswith("resp=")]
                self.step(number, first[0] if first else None)
            elif verb == "CONT":
                self.step(fields[0], fields[1])

    def step(self, number, response):
        mechanism, *words = self.asked[number]
        if response is not None:
            words += decoded(response).split("\0")[1:] if mechanism == "PLAIN" else [decoded(response)]
            self.asked[number] = [mechanism, *words]
        if response is None or len(words) < 2:
            prompt = "" if mechanism == "PLAIN" else encoded(PROMPTS[len(words)])
            return self.answer("CONT", number, prompt)
        verdict = "OK" if tuple(words) == plan.ACCOUNT else "FAIL"
        return self.answer(verdict, number, "user=" + words[0])

    def answer(self, *fields):
        self.wfile.write(("\t".join(fields) + "\n").encode())


class Service(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


if __name__ == "__main__":
    server = Service(sys.argv[1], Login)
    os.chmod(sys.argv[1], 0o666)
    server.serve_forever()
