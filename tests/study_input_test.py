"""The same events for a study, wherever they are kept.

    study_input_test.py PROGRAM STUDY_INPUT_RUN JOURNAL_MAKE [SINK_RUN]

What span25 read says of a capture, a line each, is what is compared: from its
journal, also while it is written, from files plain and packed, through pipes,
and from the capture. With SINK_RUN only what takes a real Kafka is done
(tests/support/brokers.py); exit code 77 when there is none.
"""
import gzip
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/support")
import brokers  # noqa: E402
from program import Run  # noqa: E402

CAPTURE = pathlib.Path(__file__).parent / "fixtures/bot.pcap.gz"
PROGRAM = RUN = MAKE = SINK_RUN = ""


def hold(*words):
    """One that has opened its inputs, and waits for us before it reads."""
    end, go = os.pipe()
    ours = subprocess.Popen((RUN, "--hold", str(end), *map(str, words)), bufsize=0,
                            pass_fds=(end,), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(end)
    line = ours.stderr.readline()
    if line != b"opened\n":
        raise AssertionError(line + ours.communicate()[1])
    return ours, go


def go_on(ours, go):
    os.write(go, b"x")
    out, err = ours.communicate(timeout=brokers.PATIENCE)
    os.close(go)
    return out.decode().split(), err.decode()


class Events(unittest.TestCase):
    """A folder with the capture, plain, and its events."""

    @classmethod
    def setUpClass(cls):
        made = tempfile.TemporaryDirectory()
        cls.addClassCleanup(made.cleanup)
        cls.folder = pathlib.Path(made.name)
        cls.capture = cls.folder / "bot.pcap"
        cls.capture.write_bytes(gzip.decompress(CAPTURE.read_bytes()))
        cls.state = cls.folder / "state"
        cls.plain = cls.folder / "events.json"
        Run(PROGRAM, "read", "--quiet", "--state", cls.state, "--events", cls.plain,
            cls.capture).expect(0)
        cls.lines = cls.plain.read_bytes().splitlines()
        cls.events = [json.loads(line) for line in cls.lines]
        cls.ids = [e["event_id"] for e in cls.events]

    def study(self, *words, stdin=None, code=0, program=PROGRAM):
        done = Run(RUN, "--program", program or PROGRAM, *words, stdin=stdin).expect(code)
        self.rows = [dict(zip(("kind", "events", "faults", "hash"), row.split()[1:5]))
                     for row in done.err.splitlines() if row.startswith("row ")]
        self.said = "".join(line + "\n" for line in done.err.splitlines()
                            if not line.startswith("row "))
        return done.out.split()

    def same(self, *words, stdin=None, kind="events", digest=None):
        self.assertEqual(self.study(*words, stdin=stdin), self.ids)
        self.assertEqual(self.said, "")
        self.assertEqual(self.rows, [{
            "kind": kind, "events": str(len(self.ids)), "faults": "0",
            "hash": hashlib.sha256(digest).hexdigest() if digest else "-"}])

    def resumes(self, *words, stdin=None):
        """Read in parts, with another process for each."""
        place = self.folder / "place"
        got, load = [], ()
        for n in (0, 1, len(self.ids) // 2, 10, len(self.ids)):
            got += self.study(*load, "--save", place, n, *words, stdin=stdin)
            load = ("--load", place)
        self.assertEqual(got, self.ids)
        self.assertEqual(self.said, "")
        self.assertEqual(self.rows[0]["events"], str(len(self.ids)))


class OfFiles(Events):
    def test_journal(self):
        self.same("--state", self.state, kind="journal")
        self.resumes("--state", self.state)

    def test_file(self):
        self.same(self.plain, digest=self.plain.read_bytes())
        self.resumes(self.plain)

    def test_packed(self):
        text = self.plain.read_bytes()
        # two members, as of logs that were rotated and put together
        half = text.index(b"\n", len(text) // 2) - 100
        packs = {"gz": gzip.compress(text[:half]) + gzip.compress(text[half:])}
        packs["zst"] = brokers.tool("zstd", "-q", "-c", data=text)
        for end, pack in packs.items():
            path = self.folder / f"pack.{end}"
            path.write_bytes(pack)
            self.same(path, digest=pack)
            self.same("-", stdin=pack, digest=pack)
            self.resumes(path)

    def test_standard_input(self):
        text = self.plain.read_bytes()
        self.same("-", stdin=text, digest=text)
        self.resumes("-", stdin=text)

    def test_named_pipe(self):
        path, text = self.folder / "pipe", self.plain.read_bytes()
        os.mkfifo(path)
        writer = threading.Thread(target=path.write_bytes, args=(text,))
        writer.start()
        self.same(path, digest=text)
        writer.join()

    def test_all_of_them_in_their_order(self):
        got = self.study("--state", self.state, self.plain, "-", self.capture,
                         stdin=self.plain.read_bytes())
        self.assertEqual(got, 4 * self.ids)
        self.assertEqual([r["kind"] for r in self.rows],
                         ["journal", "events", "events", "capture"])


class OfCaptures(Events):
    def test_capture(self):
        self.same(self.capture, kind="capture", digest=self.capture.read_bytes())
        self.resumes(self.capture)

    def test_packed(self):
        self.same(CAPTURE, kind="capture", digest=CAPTURE.read_bytes())

    def test_name_like_an_option(self):
        path = self.folder / "--quiet"
        path.write_bytes(self.capture.read_bytes())
        done = subprocess.run((RUN, "--program", PROGRAM, "./--quiet"), check=True,
                              cwd=self.folder, capture_output=True)
        self.assertEqual(done.stdout.decode().split(), self.ids)

    def test_home_networks(self):
        """The process that reads it has our flags and our configuration."""
        want = self.folder / "home.json"
        Run(PROGRAM, "read", "--quiet", "--home", "198.51.100.0/24", "--home", "2001:db8::/32",
            "--events", want, self.capture).expect(0)
        ids = [json.loads(line)["event_id"] for line in want.read_bytes().splitlines()]
        self.assertNotEqual(ids, self.ids)
        self.assertEqual(self.study("--home", "198.51.100.0/24", "--home", "2001:db8::/32",
                                    self.capture), ids)
        path = self.folder / "home.yaml"
        path.write_text("network:\n  home: [198.51.100.0/24, '2001:db8::/32']\n")
        self.assertEqual(self.study("--config", path, self.capture), ids)

    def test_damage(self):
        path = self.folder / "cut.pcap"
        path.write_bytes(self.capture.read_bytes()[:-7])
        got = self.study(path)
        self.assertGreater(len(got), len(self.ids) // 2)
        self.assertEqual(self.rows[0]["faults"], "1")
        self.assertIn("cut.pcap: after event ", self.said)

    def test_reader_is_killed(self):
        """What it wrote until then is given, the failure is told."""
        path = self.folder / "reader"
        half = self.folder / "half.json"
        half.write_bytes(b"\n".join(self.lines[:100]) + b"\n" + self.lines[100][:50])
        for end, wants in (("kill -9 $$", "ended too early"), ("exit 1", "ended too early"),
                           ("exit 2", "cannot be read like this")):
            path.write_text(f"#!/bin/sh\necho 'span25: it is ill' >&2\ncat {half}\n{end}\n")
            path.chmod(0o755)
            got = self.study(self.capture, self.plain, program=path,
                             code=2 if end == "exit 2" else 1)
            self.assertEqual(got, self.ids[:100] + self.ids)
            self.assertIn("span25: it is ill\n", self.said)
            self.assertIn(wants, self.said)
            self.assertEqual(self.rows[0]["faults"], "1") # the half line

    def test_reader_is_not_there(self):
        self.study(self.capture, program="/nonexistent", code=1)
        self.assertIn("cannot be started", self.said)

    def test_reader_ends_with_us(self):
        """It does not outlive who wants its events."""
        path, told = self.folder / "slow", self.folder / "pid"
        path.write_text(f"#!/bin/sh\necho $$ > {told}.new; mv {told}.new {told}\n"
                        "exec sleep 1000\n")
        path.chmod(0o755)
        ours = subprocess.Popen((RUN, "--program", path, self.capture),
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + brokers.PATIENCE
        while not told.exists():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)
        ours.kill()
        ours.wait()
        status = pathlib.Path(f"/proc/{told.read_text().strip()}/status")
        while self.is_alive(status):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    @staticmethod
    def is_alive(status):
        """One that nobody has waited for is dead too."""
        try:
            return "State:\tZ" not in status.read_text()
        except OSError:
            return False

    def test_through_a_pipe(self):
        self.study("-", stdin=self.capture.read_bytes(), code=2)
        self.assertIn("a capture through a pipe", self.said)


class OfGrowingJournals(Events):
    def test_opened_before_more_comes(self):
        """What comes after opening is not given."""
        state = self.folder / "grows"
        make = subprocess.Popen((MAKE, state, "live"), stdin=subprocess.PIPE)
        self.addCleanup(make.wait)
        make.stdin.write(b"\n".join(self.lines[:300]) + b"\n")
        make.stdin.flush()
        end = time.monotonic() + brokers.PATIENCE
        while not state.exists() or self.journaled(state) < 300:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)
        ours = hold("--state", state)
        make.stdin.write(b"\n".join(self.lines[300:]) + b"\n")
        make.stdin.close()
        make.wait()
        got, err = go_on(*ours)
        self.assertEqual(got, self.ids[:300], err)
        self.assertEqual(self.study("--state", state), self.ids)

    @staticmethod
    def journaled(state):
        return sum(p.read_bytes().count(b"\n") for p in state.glob("journal/*.jsonl"))

    def test_read_while_it_is_written(self):
        """Each reading gives a beginning of it, and nothing is told."""
        state = self.folder / "busy"
        text = b"\n".join(self.lines) + b"\n"
        rounds = 20
        make = subprocess.Popen((MAKE, state, "live"), stdin=subprocess.PIPE)
        self.addCleanup(make.wait)
        writer = threading.Thread(target=self.feed, args=(make.stdin, rounds * text))
        writer.start()
        whole, lengths = rounds * self.ids, []
        while writer.is_alive() or not lengths:
            if not list(state.glob("journal/*.jsonl")):
                continue
            got = self.study("--state", state)
            self.assertEqual(got, whole[:len(got)])
            self.assertEqual(self.said, "")
            lengths.append(len(got))
        writer.join()
        make.wait()
        self.assertEqual(lengths, sorted(lengths))
        self.assertEqual(self.study("--state", state), whole)

    @staticmethod
    def feed(stdin, text):
        stdin.write(text)
        stdin.close()


class OfKafka(Events):
    @classmethod
    def setUpClass(cls):
        why = brokers.Kafka.missing()
        if why:
            raise unittest.SkipTest(why)
        super().setUpClass()
        cls.kafka = brokers.Kafka(cls.folder / "kafka")
        cls.addClassCleanup(cls.kafka.kill)
        cls.kafka.start()
        cls.put(cls.lines, "span25")
        cls.url = cls.url_of("span25")
        cls.when = {e["event_id"]: e["timestamp"] for e in cls.events}
        # of one host: as they came
        cls.keys = {e["event_id"]: e.get("src_ip") for e in cls.events}

    @classmethod
    def url_of(cls, prefix):
        return f"kafka://{cls.kafka.address}/" + ",".join(
            f"{prefix}.{t}" for t in ("smtp.tx", "alert", "decision", "stats", "control"))

    @classmethod
    def put(cls, lines, prefix):
        subprocess.run((SINK_RUN, "kafka", cls.kafka.address, f"prefix={prefix}"),
                       input=b"\n".join(lines) + b"\n", check=True,
                       stdout=subprocess.DEVNULL, timeout=brokers.PATIENCE)

    def check_order(self, got):
        self.assertEqual(sorted(got), sorted(self.ids))
        times = [self.when[i] for i in got]
        self.assertEqual(times, sorted(times))
        for key in set(self.keys.values()):
            self.assertEqual([i for i in got if self.keys[i] == key and "smtp" in self.type_of(i)],
                             [i for i in self.ids if self.keys[i] == key and "smtp" in self.type_of(i)])

    def type_of(self, event_id):
        return self.events[self.ids.index(event_id)]["event_type"]

    def test_topics(self):
        """All partitions of all topics by time, twice the same."""
        got = self.study(self.url)
        self.check_order(got)
        self.assertEqual(self.said, "")
        self.assertEqual(self.rows[0], {"kind": "kafka", "events": str(len(self.ids)),
                                        "faults": "0", "hash": "-"})
        self.assertGreater(self.used_partitions("span25.smtp.tx"), 1)
        self.assertEqual(self.study(self.url), got)
        self.in_parts(got)
        groups = self.kafka.kcat("-L", "-J")
        self.assertNotIn(b"__consumer_offsets", groups)

    def used_partitions(self, topic):
        return len(set(self.kafka.consume(topic, "%p\n").split()))

    def in_parts(self, whole):
        place, got, load = self.folder / "place", [], ()
        for n in (0, 1, 300, 10, len(whole)):
            got += self.study(*load, "--save", place, n, self.url)
            load = ("--load", place)
        self.assertEqual(got, whole)
        self.assertEqual(self.rows[0]["events"], str(len(whole)))

    def test_one_topic(self):
        want = sorted(i for i in self.ids if self.type_of(i).startswith("smtp"))
        got = self.study(f"kafka://{self.kafka.address}/span25.smtp.tx")
        self.assertEqual(sorted(got), want)

    def test_what_comes_later(self):
        """It ends where it ended at opening, and a place keeps its ends."""
        self.put(self.lines[:400], "later")
        topics = f"kafka://{self.kafka.address}/later.smtp.tx"
        place = self.folder / "later"
        half = self.study("--save", place, 100, topics)
        first = self.study(topics)
        self.put(self.lines[400:], "later")
        self.assertEqual(half + self.study("--load", place, topics), first)
        self.assertGreater(len(self.study(topics)), len(first))

    def test_what_is_no_event(self):
        """Counted, told and passed over; without a value it is nothing."""
        topic = "strange"
        self.kafka.kcat("-P", "-t", topic, "-p", "0", data=self.lines[1] + b"\nno event\n")
        self.kafka.kcat("-P", "-t", topic, "-p", "0", "-Z", "-K", "\t", data=b"key\t\n")
        self.kafka.kcat("-P", "-t", topic, "-p", "0", "-D", "\t",
                        data=b"{\0}\t\xff\xfe\t{}\t" + self.lines[2])
        got = self.study(f"kafka://{self.kafka.address}/{topic}")
        self.assertEqual(got, self.ids[1:3])
        self.assertEqual(self.rows[0]["faults"], "4")
        self.assertIn("strange partition 0 offset 1: column 1: ", self.said)

    def test_an_empty_topic(self):
        self.kafka.kcat("-P", "-t", "empty", "-p", "0", "-Z", "-K", "\t", data=b"key\t\n")
        self.assertEqual(self.study(f"kafka://{self.kafka.address}/empty"), [])
        self.assertEqual(self.rows[0]["faults"], "0")

    def test_what_is_not_there(self):
        self.study(f"kafka://{self.kafka.address}/none", code=1)
        self.assertIn("topic none: ", self.said)

    def test_urls(self):
        for url in ("kafka://", "kafka:///topic", "kafka://host", "kafka://host/",
                    "kafka://host/a,,b", "kafka://host/a,a", "kafka://host/a b",
                    "kafka://host/" + 250 * "a",
                    "kafka://host/" + ",".join(map(str, range(17)))):
            self.study(url, code=2)
            self.assertIn("is no kafka://HOST:PORT", self.said)

    def test_login(self):
        """TLS and a login, as the sink of the same brokers has them."""
        path, secret = self.folder / "span25.yaml", self.folder / "secret"
        secret.write_text(self.kafka.PASSWORD + "\n")
        path.write_text(
            f"sinks:\n  - name: bus\n    kind: kafka\n    target: {self.kafka.secure}\n"
            f"    tls: yes\n    ca-file: {self.kafka.certificate}\n    sasl: PLAIN\n"
            f"    user: {self.kafka.USER}\n    password-file: {secret}\n")
        url = self.url.replace(self.kafka.address, self.kafka.secure)
        self.check_order(self.study("--config", path, url))

    def test_wrong_login(self):
        url = self.url.replace(self.kafka.address, self.kafka.secure)
        self.study("--patience", 1, url, code=1)
        self.assertIn("no answer within 1 s: ", self.said)

    def test_z_broker_goes_away(self):
        """The last one: given up, with what came until then; or waited for."""
        opened = [hold("--patience", n, self.url) for n in (1, 300)]
        self.kafka.kill()
        _, err = go_on(*opened[0])
        self.assertIn("no answer within 1 s: ", err)
        self.assertEqual(opened[0][0].returncode, 1)
        os.write(opened[1][1], b"x")
        self.kafka.start()
        got, _ = go_on(*opened[1])
        self.check_order(got)
        self.study("--patience", 1, "kafka://127.0.0.1:1/topic", code=1)
        self.assertIn("no answer within 1 s: ", self.said)


def main(argv):
    global PROGRAM, RUN, MAKE, SINK_RUN
    if len(argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    PROGRAM, RUN, MAKE, SINK_RUN = [str(pathlib.Path(p).resolve()) for p in argv] + \
        [""] * (4 - len(argv))
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    if SINK_RUN and brokers.Kafka.missing():
        print(f"skipped: {brokers.Kafka.missing()}")
        return 77
    cases = (OfKafka,) if SINK_RUN else (OfFiles, OfCaptures, OfGrowingJournals)
    done = unittest.TextTestRunner(stream=sys.stdout).run(
        unittest.TestSuite(load(c) for c in cases))
    return 0 if done.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
