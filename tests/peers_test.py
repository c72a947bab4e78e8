"""Sinks against collectors that speak TLS, and against hostile ones.

    peers_test.py SINK_RUN [OfSyslog|OfWebhook]

The other side is Python's ssl and http; certificates are made by openssl
(tests/support/certificates.py). What the other side read is what was put.
"""
import hashlib
import hmac
import json
import pathlib
import select
import socket
import ssl
import sys
import tempfile
import threading
import time
import unittest
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import brokers_test  # noqa: E402
from brokers_test import Feeder, event, put  # noqa: E402
from certificates import Authority  # noqa: E402

PATIENCE = 60  # seconds until something must have happened
FOLDER = tempfile.TemporaryDirectory(prefix="span25-peers-")
PLACE = pathlib.Path(FOLDER.name)


def made():
    ca, other = Authority(PLACE, "ca"), Authority(PLACE, "other-ca")
    return {"ca": ca, "other": other,
            "server": ca.sign("server", "DNS:localhost,IP:127.0.0.1"),
            "stranger": ca.sign("stranger", "DNS:elsewhere.example"),
            "client": ca.sign("client", "DNS:client", password="s3cret")}


def context(cert, ask=False, most=None):
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(*map(str, cert))
    if ask:
        c.verify_mode = ssl.CERT_REQUIRED
        c.load_verify_locations(str(CERTS["ca"].certificate))
    if most is not None:
        warnings.simplefilter("ignore", DeprecationWarning)
        c.set_ciphers("DEFAULT:@SECLEVEL=0")
        c.minimum_version = ssl.TLSVersion.TLSv1
        c.maximum_version = most
    return c


class Collector(threading.Thread):
    """Reads frames (RFC 6587 3.4.1) from one caller after the other. `plans`
    has for each call what to do; the last one is for all that follow."""

    def __init__(self, *plans):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.plans, self.calls, self.failed = list(plans), 0, []
        self.frames, self.versions = [], []
        self.start()

    def run(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            plan = self.plans[min(self.calls, len(self.plans) - 1)]
            self.calls += 1
            try:
                self.talk(peer, **plan)
            except (OSError, ssl.SSLError) as error:
                self.failed.append(str(error))
            peer.close()

    @staticmethod
    def shake_late(peer):
        """Looks at what the caller sent only after its kernel has taken it."""
        peer.setblocking(False)
        while True:
            try:
                peer.do_handshake()
                break
            except ssl.SSLWantReadError:
                select.select([peer], [], [])
                time.sleep(0.1)
        peer.setblocking(True)

    def talk(self, peer, tls=None, cut=None, slow=None, garbage=None, late=False):
        if garbage is not None:
            peer.recv(1)
            peer.sendall(garbage)
            return
        if tls is not None:
            peer = tls.wrap_socket(peer, server_side=True, do_handshake_on_connect=not late)
            if late:
                self.shake_late(peer)
            self.versions.append(peer.version())
        rest, n = b"", 0
        while data := peer.recv(slow or 1 << 16):
            n += len(data)
            rest = self.take(rest + data)
            if slow and n < 200 * slow:
                time.sleep(0.001)
            if cut is not None and n >= cut:
                break
        peer.close()

    def take(self, data):
        while True:
            length, space, rest = data.partition(b" ")
            assert length.isdigit() or not space, data[:100]
            if not space or len(rest) < int(length):
                return data
            message, data = rest[:int(length)], rest[int(length):]
            self.frames.append(message)

    def lines(self):
        return [json.loads(f[f.index(b" - {") + 3:]) for f in self.frames]

    def end(self):
        self.listener.close()


def wait_until(what, why):
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, why()
        time.sleep(0.01)


class OfSyslog(unittest.TestCase):
    def collector(self, *plans):
        c = Collector(*plans)
        self.addCleanup(c.end)
        return c

    def settings(self, *more, ca="ca"):
        return ("tls=yes", f"ca-file={CERTS[ca].certificate}", *more)

    def feed(self, c, lines, *settings, host="localhost"):
        f = Feeder("syslog", f"{host}:{c.port}", lines, *settings)
        f.go.set()
        self.addCleanup(f.end)
        return f

    def check_all(self, c, lines):
        wait_until(lambda: len(c.lines()) >= len(lines), c.lines)
        self.assertEqual(c.lines(), lines)

    def test_plain(self):
        c, lines = self.collector({}), [event(n) for n in range(200)]
        self.assertEqual(put("syslog", f"localhost:{c.port}", lines)["delivered"], 200)
        self.check_all(c, lines)

    def test_tls(self):
        """By name and by address; the newest TLS both have."""
        for host in ("localhost", "127.0.0.1"):
            c = self.collector({"tls": context(CERTS["server"])})
            lines = [event(n) for n in range(500)]
            got = put("syslog", f"{host}:{c.port}", lines, *self.settings())
            self.assertEqual(got, {"taken": 500, "delivered": 500, "refused": 0})
            self.check_all(c, lines)
            self.assertEqual(c.versions, ["TLSv1.3"])
        self.assertTrue(c.frames[0].startswith(b"<134>1 2026-11-22T10:55:18.000001Z s1 span25 - smtp - {"))

    def test_tls_1_2(self):
        c = self.collector({"tls": context(CERTS["server"], most=ssl.TLSVersion.TLSv1_2)})
        self.assertEqual(put("syslog", f"localhost:{c.port}", [event(1)], *self.settings())["delivered"], 1)
        self.assertEqual(c.versions, ["TLSv1.2"])

    def check_refused(self, words, bad, *settings, **more):
        """The first caller is turned away; a good one loses nothing."""
        c = self.collector(bad, {"tls": context(CERTS["server"])})
        f = self.feed(c, [event(1), event(2)], *self.settings(*settings), **more)
        f.wait_for(words)
        self.assertEqual(f.counts()["delivered"], 2)
        self.check_all(c, [event(1), event(2)])

    def test_old_version(self):
        self.check_refused("TLS: ", {"tls": context(CERTS["server"], most=ssl.TLSVersion.TLSv1_1)})

    def test_another_name(self):
        self.check_refused("hostname mismatch", {"tls": context(CERTS["stranger"])})

    def test_another_authority(self):
        cert = CERTS["other"].sign("imposter", "DNS:localhost")
        self.check_refused("unable to get local issuer certificate", {"tls": context(cert)})

    def test_garbage(self):
        for garbage in (b"220 mail.example ESMTP\r\n", bytes(range(256)) * 9, b"",
                        b"\x16\x03\x03\xff\xff" + b"\0" * 70000):
            self.check_refused("TLS: ", {"garbage": garbage})

    def test_our_certificate(self):
        """Asked for: shown with its password; without one, no line is given."""
        password = PLACE / "password"
        password.write_text("s3cret\n")
        cert, key = CERTS["client"]
        ours = (f"cert-file={cert}", f"key-file={key}", f"key-password-file={password}")
        for most in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            strict = {"tls": context(CERTS["server"], ask=True, most=most)}
            c = self.collector(strict)
            self.assertEqual(put("syslog", f"localhost:{c.port}", [event(1)], *self.settings(*ours))["delivered"], 1)
            self.check_all(c, [event(1)])
            self.check_refused("TLS: ", strict)
            self.check_refused("TLS: ", strict | {"late": True})

    def test_silent_about_it(self):
        """Who asks for a certificate and then never speaks is believed."""
        tls = context(CERTS["server"])
        tls.verify_mode = ssl.CERT_OPTIONAL
        tls.load_verify_locations(str(CERTS["ca"].certificate))
        tls.num_tickets = 0
        c = self.collector({"tls": tls})
        self.assertEqual(put("syslog", f"localhost:{c.port}", [event(1)], *self.settings())["delivered"], 1)
        self.check_all(c, [event(1)])

    def test_cut(self):
        """Broken in the middle of a line: the next call begins with a whole one,
        and no line is missing that was not read from the one before."""
        tls = {"tls": context(CERTS["server"])}
        c = self.collector(tls | {"cut": 3000}, tls | {"cut": 70000}, tls)
        c.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lines = [event(n) for n in range(1500)]
        f = self.feed(c, lines, *self.settings("queue-lines=100"))
        self.assertEqual(f.counts()["delivered"], 1500)
        wait_until(lambda: c.lines() and c.lines()[-1] == lines[-1], c.lines)
        self.assertEqual(c.calls, 3)
        numbers = [line["flow_id"] for line in c.lines()]
        lost = set(range(1, 1501)) - set(numbers)
        self.assertLess(len(lost), 300)  # what its own buffers can hold

    def test_slow(self):
        c = self.collector({"tls": context(CERTS["server"]), "slow": 97})
        lines = [event(n) for n in range(400)]
        self.assertEqual(put("syslog", f"localhost:{c.port}", lines, *self.settings())["delivered"], 400)
        self.check_all(c, lines)

    def test_settings(self):
        """What is wrong in them is said at the start, and no password."""
        cert, key = CERTS["client"]
        (PLACE / "wrong").write_text("wr0ng\n")
        for words, settings in (
                ("tls: is yes or no", ("tls=maybe",)),
                ("ca-file: /nowhere", ("tls=yes", "ca-file=/nowhere")),
                ("one needs the other", ("tls=yes", f"cert-file={cert}")),
                ("key-file: ", ("tls=yes", f"cert-file={cert}", f"key-file={key}",
                                f"key-password-file={PLACE}/wrong"))):
            with self.assertRaises(AssertionError) as caught:
                put("syslog", "localhost:1", [], *settings)
            self.assertIn(words, str(caught.exception))
            self.assertNotIn("wr0ng", str(caught.exception))


class Hook(threading.Thread):
    """Takes requests one after the other, keeps connections, and answers as
    `answers` says: a code, (code, headers), bytes as they are, or None to hang
    up; the last one goes on for ever."""

    def __init__(self, *answers, tls=None, chunked=False):
        super().__init__(daemon=True)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answers, self.tls, self.chunked = list(answers), tls, chunked
        self.requests, self.calls = [], 0
        self.start()

    def run(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.calls += 1
            try:
                if self.tls:
                    peer = self.tls.wrap_socket(peer, server_side=True)
                while self.talk(peer):
                    pass
            except (OSError, ssl.SSLError):
                pass
            peer.close()

    def read(self, peer):
        data = b""
        while b"\r\n\r\n" not in data:
            more = peer.recv(1 << 16)
            if not more:
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        first, *rows = head.decode().split("\r\n")
        heads = dict(row.split(": ", 1) for row in rows)
        while len(body) < int(heads["Content-Length"]):
            body += peer.recv(1 << 16)
        assert len(body) == int(heads["Content-Length"])
        return first, heads, body

    def talk(self, peer):
        request = self.read(peer)
        if request is None:
            return False
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.requests.append((answer, *request))
        if answer is None:
            return False
        if isinstance(answer, bytes):
            peer.sendall(answer)
            return False
        code, heads = answer if isinstance(answer, tuple) else (answer, "")
        body = "\r\n" if code == 204 else "Content-Length: 5\r\n\r\nhello"
        if self.chunked:
            body = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
        peer.sendall(f"HTTP/1.1 {code} x\r\n{heads}{body}".encode())
        return True

    def lines(self):
        """Of those that were answered with 2xx."""
        return [json.loads(line) for answer, _, _, body in self.requests
                for line in body.splitlines() if answer in (200, 204)]

    def codes(self):
        return [answer for answer, *_ in self.requests]

    def end(self):
        self.listener.close()


class OfWebhook(unittest.TestCase):
    def hook(self, *answers, **more):
        h = Hook(*answers, **more)
        self.addCleanup(h.end)
        return h

    def put(self, h, lines, *settings):
        return put("webhook", f"http://127.0.0.1:{h.port}/alerts?to=soc", lines, *settings)

    def test_one_by_one(self):
        for chunked in (False, True):
            h, lines = self.hook(200, chunked=chunked), [event(n) for n in range(60)]
            self.assertEqual(self.put(h, lines), {"taken": 60, "delivered": 60, "refused": 0})
            self.assertEqual(h.lines(), lines)
            self.assertEqual(h.calls, 1)
            _, first, heads, body = h.requests[7]
            self.assertEqual(first, "POST /alerts?to=soc HTTP/1.1")
            self.assertEqual(heads["Idempotency-Key"], f"{7:016x}")
            self.assertEqual(heads["Host"], f"127.0.0.1:{h.port}")
            self.assertEqual(heads["Content-Type"], "application/json")
            self.assertNotIn("X-Span25-Signature", heads)
            self.assertEqual(body, brokers_test.text([lines[7]])[:-1])

    def test_batches_signed(self):
        (PLACE / "secret").write_text("s3cret key\n")
        (PLACE / "token").write_text("t0ken\n")
        h, lines = self.hook(204), [event(n) for n in range(100)]
        got = self.put(h, lines, "batch=30", f"secret-file={PLACE}/secret", f"token-file={PLACE}/token")
        self.assertEqual(got["delivered"], 100)
        self.assertEqual(h.lines(), lines)
        self.assertLess(len(h.requests), 100)
        for _, _, heads, body in h.requests:
            n = body.count(b"\n")
            self.assertLessEqual(n, 30)
            self.assertEqual(heads["Content-Type"], "application/x-ndjson")
            self.assertEqual(heads["Authorization"], "Bearer t0ken")
            self.assertEqual(heads["Idempotency-Key"], f"{json.loads(body.splitlines()[0])['event_id']}.{n}")
            mac = hmac.new(b"s3cret key", body, hashlib.sha256).hexdigest()
            self.assertEqual(heads["X-Span25-Signature"], f"sha256={mac}")

    def test_tls(self):
        h = self.hook(200, tls=context(CERTS["server"]))
        url = f"https://localhost:{h.port}"
        got = put("webhook", url, [event(1)], f"ca-file={CERTS['ca'].certificate}")
        self.assertEqual(got["delivered"], 1)
        self.assertEqual(h.requests[0][1], "POST / HTTP/1.1")
        f = Feeder("webhook", url, [event(1)], f"ca-file={CERTS['other'].certificate}")
        self.addCleanup(f.end)
        f.go.set()
        f.wait_for("unable to get local issuer certificate")
        self.assertEqual(len(h.requests), 1)

    def test_refused(self):
        """4xx: lost and counted; of a batch only the one that is meant."""
        h = self.hook(200, 400, 404, 200)
        self.assertEqual(self.put(h, [event(n) for n in range(5)]),
                         {"taken": 5, "delivered": 3, "refused": 2})
        self.assertEqual([line["flow_id"] for line in h.lines()], [1, 4, 5])
        h = self.hook(413, 200, 422, 200)
        lines = [event(n) for n in range(3)]
        got = self.put(h, lines, "batch=3")
        self.assertEqual((got["delivered"], got["refused"]), (2, 1))

    def test_again(self):
        """What may pass is tried again, as long as it says so, in order."""
        now = "Retry-After: 0\r\n"
        h = self.hook((503, "Retry-After: 1\r\n"), 500, (429, "Connection: close\r\n" + now),
                      (408, now), (425, now), (302, now + "Location: /\r\n"), None, 200)
        lines = [event(n) for n in range(3)]
        begun = time.monotonic()
        self.feed(h, lines, words="redirections are not followed")
        self.assertGreater(time.monotonic() - begun, 1)
        self.assertEqual(h.lines(), lines)
        self.assertEqual(len({heads["Idempotency-Key"] for _, _, heads, _ in h.requests[:8]}), 1)

    def feed(self, h, lines, words):
        f = Feeder("webhook", f"http://127.0.0.1:{h.port}/", lines)
        self.addCleanup(f.end)
        f.go.set()
        f.wait_for(words)
        self.assertEqual(f.counts()["delivered"], len(lines))

    def test_garbage(self):
        """Answers of no HTTP, cut ones, ones too long: nothing is lost."""
        for garbage, words in (
                (b"SSH-2.0-x\r\n", "not HTTP"), (b"HTTP/1.1 200 OK\r\nContent-Le", "has closed it"),
                (b"\0" * 70000, "not HTTP")):
            h = self.hook(garbage, 200)
            self.feed(h, [event(1), event(2)], words)
            self.assertEqual(h.lines(), [event(1), event(2)])

    def test_more_than_an_answer(self):
        """It counts, and the connection is not used again."""
        h = self.hook(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabHTTP/1.1 400 x\r\n", 200)
        self.assertEqual(self.put(h, [event(1), event(2)])["delivered"], 2)
        self.assertEqual((h.calls, len(h.requests)), (2, 2))

    def test_settings(self):
        for target in ("ftp://x/", "http://", "https://u:p@x/", "http://x/ y", "http://x/#y", "x"):
            with self.assertRaises(AssertionError) as caught:
                put("webhook", target, [])
            self.assertIn("not ", str(caught.exception))


if __name__ == "__main__":
    brokers_test.SINK_RUN = sys.argv.pop(1)
    CERTS = made()
    unittest.main(verbosity=2)
