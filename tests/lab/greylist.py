#!/usr/bin/python3
"""A Postfix policy service: the first try of a sender and recipient is put off, later ones pass."""

import socketserver

import plan

SEEN = set()


def answer(request):
    """The action for one policy request."""
    key = (request.get("client_address"), request.get("sender"), request.get("recipient"))
    if key in SEEN:
        return "DUNNO"
    SEEN.add(key)
    return "450 4.2.0 Greylisted, please come back in 1 second"


class Policy(socketserver.StreamRequestHandler):
    """Attribute lines, an empty line, an answer; until the other side closes."""

    def handle(self):
        request = {}
        for line in self.rfile:
            name, _, value = line.decode().rstrip("\n").partition("=")
            if name:
                request[name] = value
                continue
            self.wfile.write(f"action={answer(request)}\n\n".encode())
            request = {}


class Service(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    Service(("127.0.0.1", plan.GREYLIST_PORT), Policy).serve_forever()
