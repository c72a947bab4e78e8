"""What the scenarios of all clients share."""

import plan

MX, MX6, SINK, SINK6 = "198.51.100.25", "2001:db8:25::25", *plan.SINK
SCENARIOS = {}


def scenario(role):
    """Registers a function as scenario of a role."""
    def register(function):
        SCENARIOS.setdefault(role, []).append(function)
        return function
    return register


def letter(name, number=1, body=None, headers=()):
    """A synthetic mail as CRLF bytes."""
    lines = [f"From: Lab {name} <{name}@lab.test>", "To: Lab reader <user1@mx.test>",
             f"Subject: lab mail {name} {number}", "Date: Sun, 22 Nov 2026 12:00:00 +0000",
             f"Message-ID: <{message_id(name, number)}>", *headers, "",
             *(body or ["This is a made-up mail of the lab.", f"Scenario {name}, mail {number}."])]
    return ("\r\n".join(lines) + "\r\n").encode()


def message_id(name, number=1):
    """The Message-ID that names the scenario."""
    return f"{name}.{number}@lab25.test"
