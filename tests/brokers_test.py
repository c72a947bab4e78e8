"""Sinks against real brokers: what was put is what another program reads.

    brokers_test.py SINK_RUN [--long]

A real Kafka and a real Redis are started, and killed and started again while
sink_run puts events (tests/support/brokers.py; tools/setup --brokers). Each of
them starts once for all tests; Kafka, which takes its time, is killed with
--long only, and then more lines come. Exit code 77 when neither can be had.
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/support")
import brokers  # noqa: E402
from certificates import Authority  # noqa: E402

SINK_RUN = ""
LINES = 4000  # of one outage
LONG = False
HOSTS = [f"10.0.0.{n}" for n in range(7)] + ["2001:db8::1", "2001:db8::2"]
TOPICS = {"smtp": "smtp.tx", "alert": "alert", "stats": "stats",
          "decision": "decision"}


def starts(broker):
    """Starts it and tells how long it took to answer."""
    begun = time.monotonic()
    broker.start()
    print(f"{broker.name} answers after {time.monotonic() - begun:.1f} s")


def event(n, kind="smtp", host=None, **more):
    """One line, with what a hostile client may have said in it."""
    line = {"timestamp": "2026-11-22T10:55:18.000001+0000", "flow_id": n + 1,
            "flow_seq": 1, "event_type": kind, "event_id": f"{n:016x}",
            "schema_version": 1, "sensor": "s1"}
    if kind != "stats":
        line["src_ip"] = host or HOSTS[n % len(HOSTS)]
    if kind == "smtp":
        line["smtp"] = {"helo": '%s \r\n*3 "{\u202e' + str(n), "mail_from": "<\u0000@x>"}
    return line | more


def decision(n, action, mode="enforce", subject="192.0.2.7/32", until="2026-11-22T12:00:00.000000+0000"):
    return event(n, "decision", host="192.0.2.7",
                 decision={"action": action, "mode": mode, "subject": subject,
                           "until": until})


def text(lines):
    return "".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"
                   for line in lines).encode()


def put(kind, target, lines, *settings, fails=False):
    """Runs sink_run over lines; its counts."""
    done = subprocess.run((SINK_RUN, kind, target, *settings), input=text(lines),
                          capture_output=True, check=False, timeout=300)
    if (done.returncode != 0) != fails:
        raise AssertionError(done.stderr[-1000:])
    return json.loads(done.stdout or "null")


class Feeder:
    """sink_run in the background: lines go to it as fast as it takes them, but
    the last third only after go: so it is still at work until then."""

    def __init__(self, kind, target, lines, *settings):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            (SINK_RUN, kind, target, *settings), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=self.errors)
        self.out = None
        self.go = threading.Event()
        self.thread = threading.Thread(target=self.talk, args=(lines,))
        self.thread.start()

    def talk(self, lines):
        try:
            self.process.stdin.write(text(lines[:len(lines) * 2 // 3]))
            self.process.stdin.flush()
            self.go.wait()
            self.process.stdin.write(text(lines[len(lines) * 2 // 3:]))
        except BrokenPipeError:
            pass  # it was ended
        self.out, _ = self.process.communicate()

    def said(self):
        return os.pread(self.errors.fileno(), 1 << 20, 0).decode(errors="replace")

    def wait_for(self, words):
        """Until it has told so on standard error."""
        end = time.monotonic() + brokers.PATIENCE
        while words not in self.said():
            if not self.thread.is_alive() or time.monotonic() > end:
                raise AssertionError(f"{words!r} is not in {self.said()!r}")
            time.sleep(0.05)

    def end(self):
        self.process.kill()
        self.go.set()
        self.thread.join()
        self.errors.close()

    def counts(self):
        self.go.set()
        self.thread.join(300)
        if self.process.returncode != 0:
            raise AssertionError(self.said())
        return json.loads(self.out)


class OfBroker(unittest.TestCase):
    kind = None

    @classmethod
    def setUpClass(cls):
        why = cls.kind.missing()
        if why:
            print(f"skipped: {cls.kind.name}: {why}")
            raise unittest.SkipTest(why)
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.broker = cls.kind(cls.folder.name)
        cls.addClassCleanup(cls.broker.kill)
        starts(cls.broker)

    def feed(self, lines, *settings, target=None):
        feeder = Feeder(self.kind.name, target or self.broker.address, lines, *settings)
        self.addCleanup(feeder.end)
        return feeder

    def check_read(self, wanted, got):
        """Each line is there; what is there twice is equal; hosts in order."""
        by_id = {}
        order = collections.defaultdict(list)
        for line in got:
            if line["event_id"] in by_id:
                self.assertEqual(line, by_id[line["event_id"]])
                continue
            by_id[line["event_id"]] = line
            order[line.get("src_ip")].append(line["flow_id"])
        self.assertEqual(by_id, {line["event_id"]: line for line in wanted})
        for numbers in order.values():
            self.assertEqual(numbers, sorted(numbers))


class KafkaSink(OfBroker):
    kind = brokers.Kafka

    def read(self, topic):
        return [json.loads(line) for line in self.broker.consume(topic).splitlines() if line]

    def test_broker_itself(self):
        """Before ours: one client's lines come back by another."""
        lines = [f"10.0.0.{n % 7}|line {n}" for n in range(200)]
        self.broker.kcat("-t", "proof", "-P", "-K|", "-z", "zstd", "-X", "acks=all",
                         "-X", "enable.idempotence=true", data="\n".join(lines).encode())
        got = self.broker.consume("proof", "%k|%s\n").decode().splitlines()
        self.assertEqual(sorted(got), sorted(lines))

    def test_messages(self):
        """Topics, keys, headers, values; a tombstone behind a lift."""
        lines = [event(n, kind) for n, kind in enumerate(("smtp", "alert", "stats"))]
        lines += [decision(10, "block"), decision(11, "lift"),
                  decision(12, "block", mode="simulate")]
        self.assertEqual(put("kafka", self.broker.address, lines, "prefix=m"),
                         {"taken": 6, "delivered": 6, "refused": 0})
        got = []
        for topic in TOPICS.values():
            out = self.broker.consume(f"m.{topic}", "%t|%k|%h|%S|%s\n").decode()
            got += out.split("\n")[:-1]
        keys = {10: "192.0.2.7/32", 11: "192.0.2.7/32", 12: "simulate:192.0.2.7/32"}
        want = []
        for line in lines:
            n = int(line["event_id"], 16)
            key = keys.get(n, line.get("src_ip", "s1"))
            heads = f"event_id={n:016x},schema_version=1,content-type=application/json"
            body = text([line]).decode()[:-1]
            start = f"m.{TOPICS[line['event_type']]}|{key}|{heads}"
            want.append(f"{start}|{len(body.encode())}|{body}")
            if n == 11:
                want.append(f"{start}|-1|")
        self.assertEqual(sorted(got), sorted(want))
        mine = [line.split("|")[3] for line in got if "|192.0.2.7/32|" in line]
        self.assertEqual(mine[-1], "-1")  # block, lift, tombstone

    def test_tls_and_login(self):
        """Through TLS with a password; what is wrong is said and retried."""
        folder = pathlib.Path(self.folder.name)
        other = brokers.Kafka(folder / "other").certificate
        for name in ("right", "wrong"):
            word = self.broker.PASSWORD if name == "right" else "guess"
            (folder / name).write_text(word + "\n")
        def settings(password, certificate):
            return ("prefix=s", "tls=yes", "sasl=PLAIN", f"user={self.broker.USER}",
                    f"password-file={folder / password}", f"ca-file={certificate}")
        good = settings("right", self.broker.certificate)
        self.assertEqual(put("kafka", self.broker.secure, [event(1)], *good)["delivered"], 1)
        for rows, why in ((settings("wrong", self.broker.certificate), "uthentication failed"),
                          (settings("right", other), "certificate verify failed")):
            feeder = self.feed([event(2)], *rows, target=self.broker.secure)
            feeder.go.set()
            feeder.wait_for(why)
            self.assertNotIn("guess", feeder.said())
            feeder.process.kill()
        self.assertEqual(self.read("s.smtp.tx"), [event(1)])

    def test_scram(self):
        """The broker never sees the password; a wrong one is said. What Debian
        12 has cannot speak so to Kafka 4, and then that is said."""
        version = re.search(rb"librdkafka ([\d.]+)", brokers.tool("kcat", "-V", check=False)).group(1)
        is_mended = tuple(map(int, version.split(b"."))) >= (2, 6, 1)
        folder = pathlib.Path(self.folder.name)
        for name, word in (("salted", self.broker.PASSWORD), ("guessed", "guess")):
            (folder / name).write_text(word + "\n")
        kinds = ("SCRAM-SHA-512", "SCRAM-SHA-256")[:2 if LONG else 1]
        for n, kind in enumerate(kinds):
            self.broker.add_scram(kind)
            rows = ("prefix=c", "tls=yes", f"sasl={kind}", f"user={self.broker.USER}",
                    f"ca-file={self.broker.certificate}")
            right = (*rows, f"password-file={folder}/salted")
            if not is_mended:
                feeder = self.feed([event(n)], *right, target=self.broker.secure)
                feeder.go.set()
                feeder.wait_for("librdkafka before 2.6.1 cannot")
                feeder.process.kill()
                print(f"{kind}: librdkafka {version.decode()} cannot log in so, "
                      "before 2.6.1; that it is said was tested, no login")
                continue
            self.assertEqual(put("kafka", self.broker.secure, [event(n)], *right)["delivered"], 1)
            feeder = self.feed([event(9)], *rows, f"password-file={folder}/guessed",
                               target=self.broker.secure)
            feeder.go.set()
            feeder.wait_for("uthentication failed")
            self.assertNotIn("guess", feeder.said())
            feeder.process.kill()
        self.check_read([event(n) for n in range(len(kinds)) if is_mended],
                        self.read("c.smtp.tx"))

    def test_killed(self):
        """kill -9 in the middle: nothing lost, doubles only of equal id."""
        if not LONG:
            self.skipTest("with --long")
        lines = [event(n) for n in range(LINES)]
        feeder = self.feed(lines, "prefix=k", "queue-lines=500")
        while len(self.broker.consume("k.smtp.tx").splitlines()) < LINES // 10:
            self.assertIsNone(self.broker.process.poll())
        self.broker.kill()
        feeder.go.set()
        starts(self.broker)
        self.assertEqual(feeder.counts(), {"taken": LINES, "delivered": LINES, "refused": 0})
        got = self.read("k.smtp.tx")
        print(f"kafka: {LINES} lines, killed in the middle: {len(got) - LINES} doubles")
        self.check_read(lines, got)


class RedisSink(OfBroker):
    kind = brokers.Redis

    def read(self, stream):
        out = self.broker.cli("--json", "XRANGE", stream, "-", "+")
        fields = [dict(zip(f[::2], f[1::2])) for _, f in json.loads(out)]
        for f in fields:
            line = json.loads(f["json"])
            self.assertEqual((f["event_id"], f["event_type"]),
                             (line["event_id"], line["event_type"]))
        return [json.loads(f["json"]) for f in fields]

    def test_streams(self):
        lines = [event(n, kind) for n, kind in enumerate(("smtp", "alert", "stats"))]
        for target in (self.broker.address, self.broker.socket):
            self.broker.cli("FLUSHALL")
            self.assertEqual(put("redis", target, lines),
                             {"taken": 3, "delivered": 3, "refused": 0})
            for line in lines:
                self.assertEqual(self.read(f"span25:{TOPICS[line['event_type']]}"), [line])

    def test_blocks(self):
        """Keys that end by themselves; none of what is simulated."""
        soon = time.strftime("%Y-%m-%dT%H:%M:%S.000000+0000", time.gmtime(time.time() + 1000))
        put("redis", self.broker.address, [
            decision(1, "block", until=soon),
            decision(2, "block", subject="198.51.100.1/32", until=soon),
            decision(3, "block", subject="2001:db8::/64", until=soon),
            decision(4, "block", "simulate", "198.51.100.2/32", soon),
            decision(5, "hold", subject="198.51.100.3/32", until=soon),
            decision(6, "block", subject="198.51.100.4/32"),  # long over
            decision(7, "lift", subject="198.51.100.1/32"),
        ], "prefix=b")
        keys = sorted(self.broker.cli("KEYS", "b:block:*").decode().split())
        self.assertEqual(keys, ["b:block:192.0.2.7", "b:block:2001:db8::/64"])
        for key in keys:
            self.assertIn(int(self.broker.cli("TTL", key)), range(800, 1001))
        self.assertEqual(len(self.read("b:decision")), 7)

    def test_bound(self):
        put("redis", self.broker.socket, [event(n) for n in range(3000)],
            "prefix=t", "stream-max=500")
        n = int(self.broker.cli("XLEN", "t:smtp.tx"))
        self.assertIn(n, range(500, 700))

    def test_killed(self):
        lines = [event(n) for n in range(LINES)]
        feeder = self.feed(lines, "prefix=k", "depth=50")
        while int(self.broker.cli("XLEN", "k:smtp.tx")) < LINES // 10:
            self.assertIsNone(self.broker.process.poll())
        self.broker.kill()
        feeder.go.set()
        starts(self.broker)
        self.assertEqual(feeder.counts(), {"taken": LINES, "delivered": LINES, "refused": 0})
        got = self.read("k:smtp.tx")
        print(f"redis: {LINES} lines, killed in the middle: {len(got) - LINES} doubles")
        self.check_read(lines, got)

    def test_tls_and_rights(self):
        """TLS by name, as a user that may do what a sink does and no more."""
        folder = pathlib.Path(self.folder.name)
        ca, other = Authority(folder, "ca"), Authority(folder, "other")
        cert, key = ca.sign("server", "DNS:localhost")
        (port,) = brokers.free_ports(1)
        self.broker.cli("CONFIG", "SET", "tls-cert-file", str(cert), "tls-key-file", str(key),
                        "tls-auth-clients", "no", "tls-port", str(port))
        self.broker.cli("ACL", "SETUSER", "span25", "reset", "on", ">s3cret", "~x:*",
                        "+auth", "+select", "+xadd", "+set", "+del")
        (folder / "secret").write_text("s3cret\n")
        target = f"localhost:{port}"

        def settings(authority, *more):
            return ("tls=yes", f"ca-file={authority.certificate}", "user=span25",
                    f"password-file={folder / 'secret'}", *more)
        soon = time.strftime("%Y-%m-%dT%H:%M:%S.000000+0000", time.gmtime(time.time() + 1000))
        lines = [event(n) for n in range(500)] + [decision(500, "block", until=soon)]
        self.assertEqual(put("redis", target, lines, *settings(ca, "prefix=x")),
                         {"taken": 501, "delivered": 501, "refused": 0})
        self.check_read(lines[:500], self.read("x:smtp.tx"))
        self.assertEqual(self.broker.cli("KEYS", "x:block:*").strip(), b"x:block:192.0.2.7")
        for why, rows in (("unable to get local issuer", settings(other, "prefix=x")),
                          ("NOPERM", settings(ca, "prefix=y"))):
            feeder = self.feed([event(1)], *rows, target=target)
            feeder.go.set()
            feeder.wait_for(why)
            self.assertNotIn("s3cret", feeder.said())
            feeder.process.kill()
        self.broker.cli("CONFIG", "SET", "tls-port", "0")

    def test_login(self):
        """A wrong password is said, and mended without a loss."""
        self.broker.cli("CONFIG", "SET", "requirepass", "s3cret")
        self.broker.password = "s3cret"
        try:
            secret = pathlib.Path(self.folder.name) / "password"
            secret.write_text("s3cret\n")
            put("redis", self.broker.address, [event(1)], "prefix=l", f"password-file={secret}")
            feeder = self.feed([event(2)], "prefix=l")
            feeder.go.set()
            feeder.wait_for("NOAUTH")
            self.broker.cli("CONFIG", "SET", "requirepass", "")
        finally:
            self.broker.cli("CONFIG", "SET", "requirepass", "", check=False)
            self.broker.password = None
        self.assertEqual(feeder.counts()["delivered"], 1)
        self.check_read([event(1), event(2)], self.read("l:smtp.tx"))


if __name__ == "__main__":
    SINK_RUN = sys.argv.pop(1)
    if sys.argv[1:2] == ["--long"]:
        LONG, LINES = True, 40000
        del sys.argv[1]
    if all(kind.missing() for kind in (brokers.Kafka, brokers.Redis)):
        print("skipped: " + brokers.Kafka.missing())
        sys.exit(77)
    unittest.main(verbosity=2)
