"""A client that says exactly the bytes it is told to, and notes what it said for the truth."""

import hashlib
import json
import pathlib
import socket
import struct
import time


class Book:
    """The client's log: one JSON object per connection, attempt or letter. Also what it runs in:
    working directory, whether large things are left out, and the parts of the lab that are there."""

    def __init__(self, base, role, small):
        self.base, self.role, self.small = base, role, small
        self.have = set(pathlib.Path(base, "have").read_text(encoding="utf-8").split())
        self.file = open(f"{base}/clients-{role}.jsonl", "a", encoding="utf-8")

    def write(self, **row):
        print(json.dumps(row), file=self.file, flush=True)

    def letter(self, scenario, client, message_id, files, **more):
        """A mail that is known by its Message-ID: what is attached to it."""
        self.write(letter=message_id, scenario=scenario, client=client, files=files, **more)


def stuffed(message):
    """The message as it goes over the wire after DATA, with the closing dot."""
    lines = message.split(b"\r\n")
    doubled = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    return doubled + b".\r\n"


def digest(message):
    """What the truth keeps of a message."""
    return {"size": len(message), "sha256": hashlib.sha256(message).hexdigest()}


class Talk:
    """One connection to a server; `with` ends it and writes it down."""

    def __init__(self, book, scenario, address, port=25, wait_banner=True, source=None):
        self.book, self.scenario, self.messages = book, scenario, []
        self.socket = socket.create_connection((address, port), timeout=12,
                                               source_address=source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.here, self.there = self.socket.getsockname()[:2], self.socket.getpeername()[:2]
        self.file = self.socket.makefile("rb")
        self.banner = self.reply() if wait_banner else ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()
        self.book.write(scenario=self.scenario, client="script", client_ip=self.here[0],
                        client_port=self.here[1], server_ip=self.there[0],
                        server_port=self.there[1], messages=self.messages)

    def reply(self):
        """The text of one reply, all its lines; empty when the server has closed."""
        lines = []
        try:
            for line in self.file:
                lines.append(line.decode("utf-8", "replace").rstrip("\r\n"))
                if lines[-1][3:4] != "-":
                    break
        except ConnectionError:
            pass
        return "\n".join(lines)

    def send(self, data):
        try:
            self.socket.sendall(data if isinstance(data, bytes) else data.encode())
        except ConnectionError:
            pass  # the server has closed; the next reply is empty

    def say(self, *commands, expect=""):
        """Commands one after the other, each after the reply to the one before."""
        answer = ""
        for command in commands:
            self.send(command + "\r\n")
            answer = self.reply()
        if expect and not answer.startswith(expect):
            raise AssertionError(f"{self.scenario}: {commands[-1]!r} got {answer!r}")
        return answer

    def note(self, message):
        """Remembers a message that was sent whole."""
        self.messages.append(digest(message))

    def data(self, message, expect="250"):
        """DATA with the message, dots doubled."""
        self.say("DATA", expect="354")
        self.send(stuffed(message))
        self.note(message)
        answer = self.reply()
        assert answer.startswith(expect), f"{self.scenario}: the message got {answer!r}"
        return answer

    def mail(self, sender, recipients, message, expect="250", options=""):
        """A whole transaction."""
        self.say(f"MAIL FROM:<{sender}>{options}")
        for recipient in recipients:
            self.say(f"RCPT TO:<{recipient}>")
        return self.data(message, expect)

    def bdat(self, message, sizes, expect="250"):
        """The message in BDAT chunks of these sizes; the rest, maybe nothing, is the LAST one."""
        for size in sizes:
            chunk, message = message[:size], message[size:]
            self.send(f"BDAT {len(chunk)}\r\n".encode() + chunk)
            assert self.reply().startswith("250")
        self.send(f"BDAT {len(message)} LAST\r\n".encode() + message)
        assert self.reply().startswith(expect)

    def reset(self):
        """Ends the connection with a RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def attempts(book, scenario, source, addresses, kind, seconds):
    """Connects to all addresses at once and gives up after some seconds."""
    begun = []
    for address in addresses:
        one = socket.socket()
        one.setblocking(False)
        one.bind((source, 0))
        begun.append((one, one.getsockname()[:2], address))
        one.connect_ex((address, 25))
    time.sleep(seconds)
    for one, here, address in begun:
        one.close()
        book.write(scenario=scenario, attempt=kind, client_ip=here[0], client_port=here[1],
                   server_ip=address, server_port=25)
