"""served - real mail past a mirror that a live sensor hears, and its page served

    with Mail() as mail:                 in live.inside()
        mail.send("a@home.example", "b@world.example")

Our mail client's host is this network namespace (10.20.4.17), other people's
server, Postfix's smtp-sink, is in one of its own; what goes between them is
copied to live.SENDER, as a switch does (tc mirred).
"""
import http.client
import json
import os
import pwd
import queue
import re
import shutil
import signal
import smtplib
import subprocess
import threading
import time

from support import live

CLIENT, WORLD = "10.20.4.17", "198.51.100.25"
PATIENCE_S = 60
# tc's flow classifier that takes everything
ALL = ["protocol", "all", "prio", "1", "u32", "match", "u32", "0", "0"]
API = "/api/v1"


def program(*names):
    for name in names:
        if shutil.which(name) is None:
            live.skip(f"no {name} here")


class Mail:
    """The two hosts, and the mirror of what they say."""

    def __enter__(self):
        program("smtp-sink", "tc", "nsenter")
        live.ip("link", "set", "lo", "up")
        self.world = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        own = os.readlink("/proc/self/ns/net")
        assert live.wait_for(lambda: self.namespace() not in (None, own))
        live.ip("link", "add", "mail0", "type", "veth", "peer", "name", "mail1",
                "netns", str(self.world.pid))
        live.ip("addr", "add", f"{CLIENT}/16", "dev", "mail0")
        live.ip("link", "set", "mail0", "up")
        for words in ("addr add 10.20.0.1/16 dev mail1",
                      f"addr add {WORLD}/32 dev mail1",
                      "link set mail1 up", "link set lo up"):
            subprocess.run([*self.there(), "ip", *words.split()], check=True)
        live.ip("route", "add", "default", "via", "10.20.0.1")
        self.tc("qdisc", "add", "dev", "mail0", "clsact")
        self.mirror(True)
        self.sink = subprocess.Popen(
            [*self.there(), "smtp-sink", "-u", live.user(), f"{WORLD}:25",
             "256"], stderr=subprocess.DEVNULL)
        assert live.wait_for(self.answers)
        return self

    def __exit__(self, *_):
        for process in (self.sink, self.world):
            process.kill()
            process.wait()
        # the link went with its other end

    def namespace(self):
        try:
            return os.readlink(f"/proc/{self.world.pid}/ns/net")
        except OSError:
            return None

    def there(self):
        return ["nsenter", "-t", str(self.world.pid), "-n"]

    def tc(self, *words):
        if subprocess.run(["tc", *words], capture_output=True,
                          check=False).returncode != 0:
            live.skip("traffic cannot be mirrored here")

    def mirror(self, on):
        """The switch's mirror session."""
        for way in ("ingress", "egress"):
            if on:
                self.tc("filter", "add", "dev", "mail0", way, *ALL, "action",
                        "mirred", "egress", "mirror", "dev", live.SENDER)
            else:
                self.tc("filter", "del", "dev", "mail0", way)

    def answers(self):
        try:
            with smtplib.SMTP(WORLD, timeout=5):
                return True
        except OSError:
            return False

    def send(self, sender, *recipients, text="Hello.\r\n"):
        """The time at which the last line of the message was sent."""
        with smtplib.SMTP(WORLD, local_hostname="client.home.example",
                          timeout=PATIENCE_S) as client:
            client.ehlo()
            client.mail(sender)
            for recipient in recipients:
                client.rcpt(recipient)
            client.docmd("DATA")
            client.send(f"From: {sender}\r\nSubject: {sender}\r\n\r\n{text}"
                        .encode())
            when = time.time()
            code, said = client.docmd(".")
            assert code == 250, (code, said)
        return when


class Served:
    """span25 serve on a sensor's state, as the sensor's user."""

    def __init__(self, program, sensor, users, *options):
        who = pwd.getpwnam(live.user())

        def become():
            os.setgid(who.pw_gid)
            os.setuid(who.pw_uid)

        self.log = sensor.state.parent / "serve.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [program, "serve", "-c", str(sensor.config), "--state",
                 str(sensor.state), "--users", str(users), "--listen",
                 "127.0.0.1:0", *options], stderr=log, preexec_fn=become)
        found = live.wait_for(lambda: re.search(
            r"serving at http://127\.0\.0\.1:(\d+)/\n", self.log.read_text()))
        assert found, self.log.read_text()
        self.port = int(found[1])

    def ask(self, method, path, body=None, fields=None):
        """Status, document, header fields."""
        to = http.client.HTTPConnection("127.0.0.1", self.port,
                                        timeout=PATIENCE_S)
        headers = dict(fields or {})
        if body is not None:
            headers |= {"Content-Type": "application/json",
                        "Origin": f"http://127.0.0.1:{self.port}"}
        try:
            to.request(method, API + path,
                       None if body is None else json.dumps(body), headers)
            answer = to.getresponse()
            return answer.status, json.loads(answer.read()), answer.headers
        finally:
            to.close()

    def login(self, user, password):
        status, body, headers = self.ask(
            "POST", "/login", {"user": user, "password": password})
        assert status == 200, body
        return {"Cookie": headers["Set-Cookie"].split(";")[0],
                "X-CSRF-Token": body["data"]["csrf"]}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        assert code == 0, (code, self.log.read_text())


class Person:
    """Somebody who is logged in."""

    def __init__(self, served, user):
        self.served, self.name = served, user
        self.fields = served.login(user, f"secret of {user}")

    def get(self, path):
        status, body, _ = self.served.ask("GET", path, fields=self.fields)
        assert status == 200, (self.name, path, status, body)
        return body["data"]

    def post(self, path, **body):
        status, body, _ = self.served.ask("POST", path, body, self.fields)
        return status, body


class Stream(threading.Thread):
    """What the server tells by itself: (time, kind, data)."""

    def __init__(self, person):
        super().__init__(daemon=True)
        self.events, self.came = [], queue.Queue()
        self.to = http.client.HTTPConnection("127.0.0.1", person.served.port,
                                             timeout=PATIENCE_S)
        self.to.request("GET", f"{API}/stream", headers=person.fields)
        self.answer = self.to.getresponse()
        assert self.answer.status == 200, self.answer.status
        self.start()

    def run(self):
        kind = ""
        try:
            for line in self.answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    self.events.append((time.time(), kind, json.loads(value)))
        except (OSError, ValueError, AttributeError):
            pass  # it was closed

    def of(self, kind):
        return [data for _, name, data in self.events if name == kind]
