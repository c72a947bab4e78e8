"""Several sensors, one verdict: span25 aggregate on a real Kafka.

    aggregate_test.py SPAN25 SINK_RUN [--long | --live]

Two readings of one capture, each of every other connection, are published as
two sensors would; what the aggregate says is read by another client (kcat). With
--long aggregators are killed, and with --live, which is a part of it, a sensor
on a link of its own publishes by itself (it needs root). A partition is done when its state in the topic
says that it is: no test waits for a time. Exit code 77 when there is no Kafka.
"""
import collections
import hashlib
import hmac
import gzip
import json
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/support")
import brokers  # noqa: E402
import live  # noqa: E402

SPAN25 = SINK_RUN = ""
LONG = LIVE = False
CAPTURE = pathlib.Path(__file__).parent / "fixtures/bot.pcap.gz"
HOME = "10.20.0.0/16"
BOT = "10.20.4.17"
BOT_RULE = "Behaves like a spam bot, by unknown users and many organisations"
# Of hosts in a cluster: with few refusals or none, and with many.
SAME_RULES = ("Same mail from several hosts at home", "Behaves like one of several spam bots")
SEEN = ("smtp", "smtp_session", "fileinfo", "anomaly", "tls", "dns")
STAGES = ("source", "group", "decide")
PARTITIONS = 4
TASKS = 2 * PARTITIONS + 1


# ---- captures and events ----

def address(raw):
    return ".".join(str(b) for b in raw)


def halves(host=None, connections=None):
    """The capture in two: every other connection of each client."""
    data = gzip.decompress(CAPTURE.read_bytes())
    out = [bytearray(data[:24]), bytearray(data[:24])]
    number = {}
    clients = collections.Counter()
    at = 24
    while at < len(data):
        size = struct.unpack(">I", data[at + 8:at + 12])[0]
        record, at = data[at:at + 16 + size], at + 16 + size
        ip = record[30:]
        end = (ip[0] & 15) * 4
        ends = ((ip[12:16], ip[end:end + 2]), (ip[16:20], ip[end + 2:end + 4]))
        if host and host not in (address(ends[0][0]), address(ends[1][0])):
            continue
        key = tuple(sorted(ends))
        if key not in number:
            number[key] = clients[ends[0][0]]
            clients[ends[0][0]] += 1
        if connections is None or number[key] < connections:
            out[number[key] % 2] += record
    return out


def read(folder, sensor, capture):
    """Its events, as a sensor of that name tells them."""
    path = pathlib.Path(folder) / f"{sensor}.pcap"
    events = pathlib.Path(folder) / f"{sensor}.jsonl"
    path.write_bytes(capture)
    subprocess.run((SPAN25, "read", "--sensor", sensor, "--home", HOME, "--events",
                    str(events), str(path)), check=True, capture_output=True, timeout=120)
    return [json.loads(line) for line in events.read_text().splitlines()]


def seen(events):
    return [e for e in events if e["event_type"] in SEEN]


def alerts_of(events):
    return {(e["alert"]["subject"], e["alert"]["signature"])
            for e in events if e["event_type"] == "alert"}


def lines(events):
    return "".join(json.dumps(e, ensure_ascii=False, separators=(",", ":")) + "\n" for e in events)


def now_text(ago=0):
    t = time.time() - ago
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + ".000000+0000"


# ---- another implementation of sensor/sinks/auth.h ----

def signature(secret, topic, writer, sequence, key, value):
    """value None: a tombstone."""
    def framed(b):
        return struct.pack("<Q", len(b)) + b
    text = (b"span25 message 1" + framed(topic.encode()) + framed(writer.encode()) +
            struct.pack("<Q", sequence) + framed(key.encode()) +
            (b"tombstone" if value is None else framed(hashlib.sha256(value.encode()).digest())))
    mac = hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return f"1 {sequence} {mac} {writer}"


class Site:
    """One prefix of topics, its keys and its aggregators."""

    def __init__(self, test, prefix, **options):
        self.test, self.prefix, self.broker = test, prefix, test.broker
        self.folder = pathlib.Path(test.folder.name) / prefix
        home = options.pop("home", HOME)
        keys = self.folder / "keys"
        keys.mkdir(parents=True)
        self.secret = {}
        for name in ("north", "south", "aggregate"):
            self.secret[name] = hashlib.sha256(name.encode()).hexdigest()
            (keys / name).write_text(self.secret[name] + "\n")
        more = "".join(f"  {k}: {v}\n" for k, v in options.items())
        self.config = self.folder / "aggregate.yaml"
        self.config.write_text(
            f"network:\n  home: [{home}]\naggregate:\n  keys: {keys}\n"
            f"  partitions: {PARTITIONS}\n  snapshot: 300ms\n{more}"
            f"sinks:\n  - name: bus\n    kind: kafka\n    target: \"{self.broker.address}\"\n"
            f"    prefix: {prefix}\n    linger-ms: 1\n")
        self.running = []
        test.addCleanup(self.end)

    def end(self):
        for a in self.running:
            a.kill()
            a.log.close()

    def aggregator(self, wait=True):
        a = Aggregator(self)
        self.running.append(a)
        if wait:
            a.wait_for(lambda log: len(a.owned()) == TASKS)
        return a

    def feed(self, sensor, events, **settings):
        words = [f"prefix={self.prefix}", "linger-ms=1",
                 f"hmac-key-file={self.folder / 'keys' / sensor}"]
        words += [f"{k.replace('_', '-')}={v}" for k, v in settings.items()]
        done = subprocess.run((SINK_RUN, "kafka", self.broker.address, *words),
                              input=lines(events).encode(), capture_output=True,
                              check=True, timeout=300)
        counts = json.loads(done.stdout)
        self.test.assertEqual(counts["delivered"], len(events))

    def feed_both(self, north, south, slices=8):
        """As both see it: one stretch of time after the other."""
        times = sorted(e["timestamp"] for e in north + south)
        bounds = [times[i * len(times) // slices] for i in range(1, slices)] + ["9"]
        begin = ""
        for end in bounds:
            for sensor, events in (("north", north), ("south", south)):
                part = [e for e in events if begin <= e["timestamp"] < end]
                if part:
                    self.feed(sensor, part)
            begin = end

    def topic(self, name):
        return f"{self.prefix}.{name}"

    def raw(self, name, form):
        return self.broker.kcat("-t", self.topic(name), "-C", "-e", "-o", "beginning", "-f", form,
                                "-X", "fetch.wait.max.ms=5").decode(errors="surrogateescape")

    def events(self, name):
        return [json.loads(line) for line in self.raw(name, "%s\n").splitlines() if line]

    def wait_for(self, name, wanted):
        """Until there is such an event."""
        found = live.wait_for(lambda: any(map(wanted, self.events(name))), brokers.PATIENCE)
        self.test.assertTrue(found, name)

    def ends(self, name):
        """Messages of each partition."""
        known = json.loads(self.broker.kcat("-L", "-J"))["topics"]
        (n,) = [len(t["partitions"]) for t in known if t["topic"] == self.topic(name)]
        asked = [w for p in range(n) for w in ("-t", f"{self.topic(name)}:{p}:-1")]
        said = self.broker.kcat("-Q", *asked).decode()
        return {int(line.split("[")[1].split("]")[0]): int(line.rsplit(" ", 1)[1])
                for line in said.splitlines()}

    def saved(self, stage):
        """Offsets that whole states stand for."""
        sizes = {}  # the last of a key counts; a tombstone has none
        for line in self.raw(f"agg.{stage}.state", "%p %k %S\n").splitlines():
            partition, key, size = line.split()
            sizes[int(partition), key] = int(size)
        out = collections.Counter()
        for (partition, key), size in sizes.items():
            if key.endswith("/whole") and size > 0:
                out[partition] = max(out[partition], int(key.split("-")[0], 16))
        return out

    def is_done(self):
        """Every message that there is was judged, and that was saved."""
        for stage, name in zip(STAGES, ("smtp.tx", "agg.group", "agg.decide")):
            saved = self.saved(stage)
            if any(saved[p] < n for p, n in self.ends(name).items()):
                return False
        return True

    def settle(self):
        """Twice: a stage may have told the one before it meanwhile."""
        for _ in range(2):
            end = time.monotonic() + brokers.PATIENCE
            while not self.is_done():
                for a in self.running:
                    a.check()
                if time.monotonic() > end:
                    raise AssertionError([a.said()[-2000:] for a in self.running])
                time.sleep(0.1)

    def put(self, name, key, value, header=None, partition=None):
        """One message by another client."""
        words = ["-t", self.topic(name), "-P", "-X", "topic.partitioner=murmur2_random"]
        words += ["-p", str(partition)] if partition is not None else []
        words += ["-H", f"hmac={header}"] if header else []
        words += ["-Z", "-K\x01"] if value is None else ["-k", key]
        self.broker.kcat(*words, data=f"{key}\x01\n".encode() if value is None else value.encode())

    def sign(self, name, writer, key, value, sequence=None, secret=None):
        return signature(secret or self.secret[writer], self.topic(name), writer,
                         sequence or int(time.time() * 1e6), key, value)


class Aggregator:
    def __init__(self, site):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen((SPAN25, "aggregate", "-c", str(site.config)),
                                        stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log, preexec_fn=brokers.die_with_parent)

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def check(self):
        if self.process.returncode is None and self.process.poll() is not None:
            raise AssertionError(self.said())

    def wait_for(self, count):
        """Until count(lines of its log) is true."""
        end = time.monotonic() + brokers.PATIENCE
        while not count(self.said().splitlines()):
            self.check()
            if time.monotonic() > end:
                raise AssertionError(self.said())
            time.sleep(0.1)

    def owned(self):
        """Tasks that it has now."""
        out = set()
        for line in self.said().splitlines():
            words = dict(w.split("=", 1) for w in line.split() if "=" in w)
            if words.get("event") == "assigned":
                out.add(words["task"])
            elif words.get("event") in ("revoked", "lost"):
                out.discard(words["task"])
        return out

    def stop(self):
        """Its counts."""
        self.process.terminate()
        self.process.wait(brokers.PATIENCE)
        if self.process.returncode != 0:
            raise AssertionError(self.said())
        last = [line for line in self.said().splitlines() if "event=aggregate " in line][-1]
        return {k: int(v) for k, v in (w.split("=") for w in last.split()[2:])}

    def kill(self):
        self.process.kill()
        self.process.wait()


class OnKafka(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.broker = brokers.Kafka(cls.folder.name + "/kafka")
        cls.addClassCleanup(cls.broker.kill)
        begun = time.monotonic()
        cls.broker.start()
        print(f"kafka answers after {time.monotonic() - begun:.1f} s")

    def sensors(self, folder, **which):
        north, south = halves(**which)
        return read(folder, "north", north), read(folder, "south", south)

    def check_alerts(self, site):
        """Nothing that stage source told is lost, and nothing is told twice."""
        told = {}
        for e in site.events("agg.decide"):
            if e["event_type"] == "alert":
                self.assertEqual(told.setdefault(e["event_id"], e), e)
        published = {}
        end = time.monotonic() + brokers.PATIENCE  # the world is told behind the state
        while not set(told) <= set(published) and time.monotonic() < end:
            for e in site.events("alert"):
                self.assertEqual(published.setdefault(e["event_id"], e), e)
        self.assertEqual(told, published)
        self.assertEqual(len({(e["alert"]["id"], e["alert"]["state"], e["timestamp"])
                              for e in published.values()}), len(published))
        return alerts_of(published.values())


class Sensors(OnKafka):
    def test_half_a_bot_each(self):
        """Neither sees a bot; the aggregate does, once, also of doubles."""
        site = Site(self, "half")
        north, south = self.sensors(site.folder, host=BOT, connections=28)
        for events in (north, south):
            self.assertNotIn((BOT, BOT_RULE), alerts_of(events))
        a = site.aggregator()
        site.feed_both(seen(north), seen(south))
        site.feed("south", seen(south)[:20])  # as after a crash of the sensor
        site.settle()
        self.assertIn((BOT, BOT_RULE), self.check_alerts(site))
        counts = a.stop()
        self.assertEqual(counts["double"], 20)
        self.assertEqual(counts["forged"] + counts["stale"] + counts["replayed"], 0)
        self.assertEqual(counts["decisions"], 0)  # nobody's registry was read
        self.assertGreater(counts["unjudged"], 0)

    def test_campaign_over_partitions(self):
        """Hosts of different partitions that send the same mail are found."""
        site = Site(self, "same")
        north, south = self.sensors(site.folder)
        a = site.aggregator()
        site.feed_both(seen(north), seen(south))
        site.settle()
        found = {subject for subject, rule in self.check_alerts(site) if rule in SAME_RULES}
        where = {line.split()[1]: line.split()[0]
                 for line in site.raw("smtp.tx", "%p %k\n").splitlines()}
        self.assertGreater(len({where[host] for host in found}), 1, (found, where))
        a.stop()

    def test_not_let_in(self):
        """Forged, changed, replayed, stale and misplaced messages count for nothing."""
        site = Site(self, "wrong")
        north, _ = self.sensors(site.folder, host=BOT)
        everything = seen(read(site.folder, "north", sum_of(halves(host=BOT))))
        self.assertIn((BOT, BOT_RULE), alerts_of(read(site.folder, "north",
                                                     sum_of(halves(host=BOT)))))
        a = site.aggregator()
        site.feed("north", everything[:6])
        site.settle()
        (again,) = site.raw("smtp.tx", "%h\x01%s\x02").split("\x02")[:1]
        header, value = again.split("\x01")
        header = header.split("hmac=")[1]
        now = int(time.time() * 1e6)
        rest = lines(everything[6:])
        site.put("smtp.tx", BOT, rest)  # no header at all
        other = site.secret["south"]
        wanted = {"forged": len(everything) - 6}
        for why, word, name, key, line, mark in (
                ("the key of another sensor", "forged", "smtp.tx", BOT, everything[7], {"secret": other}),
                ("signed an hour ago", "stale", "smtp.tx", BOT, everything[8], {"sequence": now - 3600 * 10**6}),
                ("signed in an hour", "stale", "smtp.tx", BOT, everything[9], {"sequence": now + 3600 * 10**6}),
                ("under another's key", "refused", "smtp.tx", "10.20.4.18", everything[10], {}),
                ("of another sensor", "refused", "smtp.tx", BOT, everything[11] | {"sensor": "south"}, {}),
                ("an alert of a sensor", "refused", "smtp.tx", BOT, everything[12] | {"event_type": "alert"}, {}),
                ("for stage decide", "refused", "agg.decide", BOT, everything[13] | {"event_type": "alert"}, {}),
                ("for stage group", "refused", "agg.group", "campaign", everything[14], {})):
            value_of = lines([line])[:-1]
            with self.subTest(why):
                site.put(name, key, value_of, site.sign(name, "north", key, value_of, **mark))
            wanted[word] = wanted.get(word, 0) + 1
        changed = lines([everything[15]])[:-1]
        site.put("smtp.tx", BOT, changed.replace(BOT, "10.20.4.19"),
                 site.sign("smtp.tx", "north", BOT, changed))
        wanted["forged"] += 1
        site.put("smtp.tx", BOT, value, header)
        wanted["replayed"] = 1
        site.settle()
        counts = a.stop()
        self.assertEqual({k: counts[k] for k in wanted}, wanted)
        self.assertEqual(site.events("alert"), [])

    def test_registry(self):
        """A decision names its registry; with an old one there is none."""
        site = Site(self, "book", registry="south")
        north, south = self.sensors(site.folder)
        a = site.aggregator()
        site.feed("south", [tick("south", 601, 1)])
        half = len(seen(north)) // 2
        site.feed("north", seen(north)[:half])
        site.settle()
        self.assertEqual(site.events("decision"), [])
        site.feed("south", [tick("south", 0, 2), permit("south")])
        site.feed("south", seen(south))
        site.feed("north", seen(north)[half:])
        site.settle()
        counts = a.stop()
        self.assertGreater(counts["unjudged"], 0)
        decisions = site.events("decision")
        self.assertTrue(decisions)
        for e in decisions:
            self.assertRegex(e["decision"]["registry"], r"^1 records, \d+ s old$")
        self.assertEqual({e["decision"]["mode"] for e in decisions}, {"simulate"})


class Odd(OnKafka):
    """Brokers, topics and states that are not as they should be."""

    def test_state_that_cannot_be_read(self):
        """It goes on at its offset; where there is no such, somebody must look."""
        site = Site(self, "unread")
        for part, offset, event in ((2, 0, "state_unusable"), (1, 1 << 20, "aggregate_failed")):
            site.aggregator().stop()
            key = f"{offset:016x}-{1:016x}/whole"
            site.put("agg.source.state", key, "x" * 24, signature(
                site.secret["aggregate"], site.topic("agg.source.state"),
                f"aggregate/state/source/{part}", int(time.time() * 1e6), key, "x" * 24), part)
            a = site.aggregator(wait=False)
            a.wait_for(lambda log, e=event: any(f"event={e}" in line for line in log))
            if event == "state_unusable":
                a.wait_for(lambda log, a=a: len(a.owned()) == TASKS)
                a.stop()
        self.assertEqual(a.process.wait(brokers.PATIENCE), 1)
        self.assertIn("made anew, so delete", a.said())

    def test_too_long_for_the_broker(self):
        """What cannot be put is counted; it ends nobody, and the rest goes on."""
        site = Site(self, "long")
        everything = seen(read(site.folder, "north", sum_of(halves(host=BOT))))
        a = site.aggregator()
        self.broker.set_topic(site.topic("agg.group"), "max.message.bytes=300")
        site.feed("north", everything)
        site.settle()
        self.assertIn((BOT, BOT_RULE), self.check_alerts(site))
        self.assertGreater(a.stop()["too_long"], 0)

    def test_no_broker(self):
        """It waits, and says for what."""
        site = Site(self, "gone")
        site.config.write_text(site.config.read_text().replace(
            self.broker.address, "127.0.0.1:1"))
        a = site.aggregator(wait=False)
        a.wait_for(lambda log: any("event=aggregate_waits" in line for line in log))
        self.assertIn("127.0.0.1:1", a.said())


class Kills(OnKafka):
    """With --long: aggregators end in the middle, and nobody notices."""

    COPIES = 30

    @classmethod
    def setUpClass(cls):
        if not LONG:
            raise unittest.SkipTest("with --long")
        super().setUpClass()

    def copies(self, events):
        """As of so many networks at once."""
        out = []
        for c in range(self.COPIES):
            for e in events:
                text = json.dumps(e, ensure_ascii=False).replace("10.20.", f"10.{20 + c}.")
                e = json.loads(text)
                out.append(e | {"event_id": f"{c:02x}" + e["event_id"][2:],
                                "flow_id": e["flow_id"] + (c << 40)})
        return sorted(out, key=lambda e: e["timestamp"])

    def test_live(self):
        """In namespaces of its own, with a broker of its own."""
        done = subprocess.run((sys.executable, __file__, SPAN25, SINK_RUN, "--live"),
                              timeout=300, check=False)
        if done.returncode == 77:
            self.skipTest("no live sensor here")
        self.assertEqual(done.returncode, 0)

    def check_shared(self, running):
        """Each task has one owner."""
        end = time.monotonic() + brokers.PATIENCE
        while True:
            owned = [a.owned() for a in running]
            if sum(map(len, owned)) == TASKS == len(set().union(*owned)):
                return owned
            self.assertLess(time.monotonic(), end, owned)
            time.sleep(0.1)

    def conclusions(self, site, begin=0):
        """Of agg.decide from an offset on: writer and sequence to value."""
        out = {}
        doubles = 0
        for text in site.raw("agg.decide", "%o %h\x01%s\x02").split("\x02")[:-1]:
            head, value = text.split("\x01")
            offset, mark = head.split(" ", 1)
            _, sequence, _, writer = mark.split("hmac=")[1].split(" ", 3)
            if int(offset) < begin:
                continue
            doubles += (writer, sequence) in out
            self.assertEqual(out.setdefault((writer, sequence), value), value)
        return out, doubles

    def forget_states(self, site):
        """As if there had never been one: signed tombstones for all of them."""
        for stage in ("source", "group"):
            name = f"agg.{stage}.state"
            keys = {tuple(line.split()) for line in site.raw(name, "%p %k\n").splitlines()}
            for partition, key in keys:
                mark = signature(site.secret["aggregate"], site.topic(name),
                                 f"aggregate/state/{stage}/{partition}",
                                 int(time.time() * 1e6), key, None)
                site.put(name, key, None, mark, int(partition))

    def test_killed(self):
        """kill -9 of one of three, again and again, under load."""
        site = Site(self, "kill", home="10.0.0.0/8", registry="south")
        north, south = (self.copies(seen(e)) for e in self.sensors(site.folder))
        running = [site.aggregator(wait=False) for _ in range(3)]
        self.check_shared(running)
        site.feed("south", [tick("south", 0, 1)])  # so there are decisions
        rounds = 10
        for n in range(rounds):
            parts = [e[n * len(e) // rounds:(n + 1) * len(e) // rounds] for e in (north, south)]
            feeder = threading.Thread(target=site.feed_both, args=parts, kwargs={"slices": 4})
            feeder.start()
            victim = running.pop(0)
            victim.wait_for(lambda log, v=victim: len(v.owned()) > 0)
            begun = sum(site.saved("source").values())
            while feeder.is_alive() and sum(site.saved("source").values()) == begun:
                pass  # until it is at work
            tasks = len(victim.owned())
            victim.kill()
            victim.log.close()
            site.running.remove(victim)
            running.append(site.aggregator(wait=False))
            feeder.join()
            print(f"round {n}: killed one with {tasks} partitions")
        site.settle()
        self.check_shared(running)
        first, doubles = self.conclusions(site)
        alerts = self.check_alerts(site)
        published = site.events("alert")
        decided = self.check_decisions(site)
        print(f"{len(north) + len(south)} events, {len(first)} conclusions and {doubles} doubles "
              f"of them, {len(published)} alerts published, "
              f"{len({e['event_id'] for e in published})} different, "
              f"{len(decided)} different decisions")
        self.assertGreaterEqual(len(alerts), self.COPIES)
        for a in running:
            a.stop()
        self.check_reference(site, first)

    def check_decisions(self, site):
        """What was told twice is equal, and nobody is decided about twice at once."""
        out = {}
        for e in site.events("decision"):
            self.assertEqual(out.setdefault(e["event_id"], e), e)
        begun = collections.Counter((e["decision"]["subject"], e["decision"]["action"])
                                    for e in out.values()
                                    if e["decision"]["action"] in ("block", "hold"))
        self.assertEqual([who for who, n in begun.items() if n > 1], [])
        self.assertTrue(out)
        return out

    def check_reference(self, site, first):
        """One aggregator that is not interrupted says the same of the same log."""
        begin = site.ends("agg.decide")[0]
        self.forget_states(site)
        for stage in ("source", "group"):
            self.assertFalse(site.saved(stage))
        site.aggregator()
        site.settle()
        again, _ = self.conclusions(site, begin)
        self.assertEqual(set(again) ^ set(first), set())
        self.assertEqual([k for k in first if again[k] != first[k]], [])
        self.check_alerts(site)


class Live(OnKafka):
    """With --live: span25 live on a link publishes what span25 aggregate reads."""

    def test_live(self):
        site = Site(self, "live", registry="north")
        state = pathlib.Path(site.folder) / "state"
        state.with_suffix(".yaml").write_text(
            f"live:\n  user: root\nsinks:\n  - name: bus\n    kind: kafka\n"
            f"    target: \"{self.broker.address}\"\n    prefix: live\n"
            f"    hmac-key-file: {site.folder}/keys/north\n"
            f"    events: [{', '.join(SEEN)}, control]\n")
        a = site.aggregator()
        sensor = live.Sensor(SPAN25, state, "--sensor", "north")
        self.addCleanup(sensor.process.kill)
        site.wait_for("control", lambda e: e["control"]["kind"] == "tick")
        sender = live.Sender(3000)
        sender.send(data for _, data in live.packets(CAPTURE))
        sender.close()
        self.assertTrue(live.wait_for(lambda: sensor.of_type("alert"), 60))
        sensor.stop()  # what is open is told, and published
        journaled = sensor.events()
        wanted = {e["event_id"] for e in journaled if e["event_type"] in SEEN}
        self.assertEqual({e["event_id"] for e in site.events("smtp.tx")
                          if e["sensor"] == "north"}, wanted)
        site.settle()
        alerts = self.check_alerts(site)
        print(f"{len(wanted)} events, alerts of the sensor {sorted(alerts_of(journaled))}, "
              f"of the aggregate {sorted(alerts)}")
        self.assertIn(BOT, {subject for subject, _ in alerts})
        counts = a.stop()
        self.assertEqual({k: counts[k] for k in
                          ("forged", "replayed", "stale", "double", "failed", "unjudged")},
                         dict.fromkeys(("forged", "replayed", "stale", "double", "failed",
                                        "unjudged"), 0))
        self.assertGreater(counts["entered"], 0)


def sum_of(parts):
    """Two halves as one capture; not in the order of time, but of one host."""
    records = []
    for part in parts:
        at = 24
        while at < len(part):
            size = struct.unpack(">I", part[at + 8:at + 12])[0]
            records.append(bytes(part[at:at + 16 + size]))
            at += 16 + size
    records.sort(key=lambda r: r[:8])
    return bytes(parts[0][:24]) + b"".join(records)


def tick(sensor, ago, n):
    return {"timestamp": now_text(ago), "event_type": "control", "event_id": f"{n:016x}",
            "schema_version": 1, "sensor": sensor, "control": {"kind": "tick"}}


def permit(sensor):
    """An exception: the host of the newsletter is never stopped."""
    return {"timestamp": now_text(), "event_type": "control", "event_id": "00000000000000e1",
            "schema_version": 1, "sensor": sensor,
            "control": {"kind": "exception", "action": "add", "time": now_text(3600), "actor": "ada",
                        "reason": "a newsletter", "exception": "00000000000000e1",
                        "subject": "10.20.6.30/32", "from": "block"}}


def load_tests(loader, tests, _):
    """The others need no link, and Live nothing else."""
    if not LIVE:
        return unittest.TestSuite(map(loader.loadTestsFromTestCase, (Sensors, Odd, Kills)))
    return loader.loadTestsFromTestCase(Live)


if __name__ == "__main__":
    if LIVE := "--live" in sys.argv:
        live.inside()
        live.ip("link", "set", "lo", "up")
        sys.argv.remove("--live")
    SPAN25, SINK_RUN = sys.argv.pop(1), sys.argv.pop(1)
    if LONG := "--long" in sys.argv:
        sys.argv.remove("--long")
    if brokers.Kafka.missing():
        print("skipped: " + brokers.Kafka.missing())
        sys.exit(77)
    unittest.main(verbosity=2)
