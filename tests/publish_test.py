#!/usr/bin/env python3
"""Events of a live sensor in real Kafka, Redis and collectors, whatever breaks.

    publish_test.py [--long] PROGRAM [PART...]

Parts: sinks (what is journaled is what each consumer has, in the order of each
key), outages (brokers stopped and killed under load, the process that publishes
killed, a full disk under a file), disk, cursor (one sink's cannot be read, and
the others go on), latency (only with --long). Needs root: it makes namespaces.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import brokers  # noqa: E402
import live  # noqa: E402
import live_disk_test  # noqa: E402
import live_test  # noqa: E402

LANES = {"alert": "alerts", "decision": "alerts", "control": "alerts",
         "host": "statistics", "stats": "statistics", "dns": "statistics"}
USUAL = ("alert", "decision", "smtp", "smtp_session", "fileinfo", "anomaly",
         "host", "stats")
TOPICS = {"alert": "alert", "decision": "decision", "host": "stats",
          "stats": "stats"}
MIB = 1 << 20


def lane_of(event):
    if event["event_type"] == "control" and event["control"]["kind"] == "tick":
        return "statistics"
    return LANES.get(event["event_type"], "transactions")


def topic_of(event):
    return TOPICS.get(event["event_type"], "smtp.tx")


# ---- who reads ----

class Collector(threading.Thread):
    """Takes what a stream sink sends; may be slow, or gone for a time."""

    def __init__(self, listener, framed):
        super().__init__(daemon=True)
        self.listener, self.framed = listener, framed
        self.lines, self.bad = [], []
        self.start()

    def run(self):
        while True:
            peer, _ = self.listener.accept()
            rest = b""
            while data := peer.recv(1 << 16):
                rest = self.take(rest + data)

    def take(self, data):
        while True:
            if self.framed:
                length, space, rest = data.partition(b" ")
                if not space or len(rest) < int(length):
                    return data
                message, data = rest[:int(length)], rest[int(length):]
                line = message[message.index(b" - {") + 3:]
            else:
                line, newline, rest = data.partition(b"\n")
                if not newline:
                    return data
                data = rest
            self.lines.append(json.loads(line))

    def events(self):
        return list(self.lines)


def unix_collector(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    os.chmod(path, 0o777)
    s.listen(4)
    return Collector(s, False)


def tcp_collector():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen(4)
    return Collector(s, True), s.getsockname()[1]


def of_kafka(kafka):
    """Every message of every topic: (topic, key, event), by partition."""
    found = []
    for topic in ("smtp.tx", "alert", "decision", "stats"):
        for row in kafka.consume(f"span25.{topic}", "%p\t%k\t%s\n").split(b"\n"):
            if row:
                _, key, text = row.split(b"\t", 2)
                if text: # or a tombstone
                    found.append((topic, key.decode(), json.loads(text)))
    return found


def of_redis(redis):
    found = []
    for topic in ("smtp.tx", "alert", "decision", "stats"):
        rows = redis.cli("XRANGE", f"span25:{topic}", "-", "+").split(b"\n")
        for name, value in zip(rows, rows[1:]):
            if name == b"json":
                found.append((topic, None, json.loads(value)))
    return found


# ---- a sensor with sinks ----

class Bench(live_test.Bench):
    def sinks(self, folder, targets, more=""):
        """The configuration of a sensor that publishes to these; more is in
        it besides."""
        kinds = {"kafka": "    linger-ms: 1\n", "redis": "", "syslog": "",
                 "unix": "", "file": ""}
        text = f"live:\n  user: {live.user()}\nsinks:\n"
        for name, target in targets.items():
            kind = name.split("-")[0]
            text += (f"  - name: {name}\n    kind: {kind}\n"
                     f"    target: \"{target}\"\n{kinds[kind]}")
        (folder / "state.yaml").write_text(text + more)


def numbers():
    """(sink, lane) -> what the metrics page says."""
    import http.client
    c = http.client.HTTPConnection("127.0.0.1", 9125, timeout=10)
    found = collections.defaultdict(dict)
    try:
        c.request("GET", "/metrics")
        for line in c.getresponse().read().decode().splitlines():
            if not line.startswith("span25_sink_") or 'lane="' not in line:
                continue
            name, _, rest = line.partition("{")
            labels, _, value = rest.rpartition("} ")
            sink, lane = [w.split('"')[1] for w in labels.split(",")]
            word = name.removeprefix("span25_sink_").removesuffix("_total")
            found[sink, lane][word] = int(value)
    except OSError:
        return {}
    finally:
        c.close()
    return found


def settled(names):
    """Everything that was journaled is with all of them."""
    found = numbers()
    return len(found) == 3 * len(names) and all(
        n["waiting"] == 0 for n in found.values()) and found


def saved(state, name):
    """lane -> [settled, journaled, acknowledged, lost] of a cursor."""
    rows = (pathlib.Path(state) / "publish" / f"{name}.cursor").read_text()
    return {w[0]: [int(n) for n in w[1:]] for w in map(str.split, rows.splitlines())
            if w[0] in ("alerts", "transactions", "statistics")}


def since_first(wanted, rows):
    """A new sink begins with what comes, which is statistics here."""
    first = {e["event_id"] for _, _, e in rows}
    at = next(i for i, e in enumerate(wanted) if e["event_id"] in first)
    assert {e["event_type"] for e in wanted[:at]} <= {"stats"}, wanted[:at]
    return wanted[at:]


def check_books(sensor, name, wanted):
    """journal = acknowledged + lost where nothing waits any more, with the
    journal counted here."""
    journaled = collections.Counter(map(lane_of, wanted))
    for lane, (_, n, acknowledged, lost) in saved(sensor.state, name).items():
        assert n == journaled[lane], (name, lane, n, journaled)
        assert acknowledged + lost == n, (name, lane, n, acknowledged, lost)
    return journaled


def check_same(name, got, wanted, doubles):
    """Every event wanted is there, as journaled; more than once only whole."""
    ours = {e["event_id"]: e for e in wanted}
    seen = collections.Counter(e["event_id"] for e in got)
    missing = [e for i, e in ours.items() if i not in seen]
    assert not missing, (name, len(missing), missing[:2])
    for e in got:
        assert e == ours.get(e["event_id"]), (name, e)
    n = sum(seen.values()) - len(seen)
    assert doubles or n == 0, (name, n)
    return n


def check_order(name, got, wanted):
    """Of one key, first copies come in the order of the journal."""
    place = {e["event_id"]: i for i, e in enumerate(wanted)}
    last, seen = {}, set()
    for topic, key, event in got:
        if event["event_id"] in seen:
            continue
        seen.add(event["event_id"])
        at = place[event["event_id"]]
        assert at > last.get((topic, key), -1), (name, topic, key)
        last[topic, key] = at


def wanted_of(sensor, kinds=USUAL):
    """As they were put into the journal, which adds a key of its own."""
    return [{k: v for k, v in e.items() if k != "journal"}
            for e in sensor.events() if e["event_type"] in kinds]


def send(name, rate=4000):
    sender = live.Sender(rate)
    sender.send(live_test.frames(name))
    sender.close()


SHAPED = """  - name: severe
    kind: file
    target: {0}/severe.jsonl
    filter: |
      grave:
        event_type: alert
        alert.severity|lte: 2
      condition: grave
    format: ecs
  - name: veiled
    kind: file
    target: {0}/veiled.jsonl
    events: [smtp, alert]
    pseudonyms: network
    pseudonym-key: {0}/key
    hide-domains: true
"""


def check_shaped(out, sensor):
    """What is chosen, in the other schema; and nobody's name or address."""
    severe = [json.loads(e) for e in
              (out / "severe.jsonl").read_text().splitlines()]
    alerts = wanted_of(sensor, ("alert",))
    assert sorted(e["event"]["id"] for e in severe) == sorted(
        e["event_id"] for e in alerts if e["alert"]["severity"] <= 2), severe
    assert 0 < len(severe) < len(alerts)
    assert all(e["event"]["kind"] == "alert" and e["@timestamp"] and e["rule"]
               for e in severe), severe[0]
    veiled = (out / "veiled.jsonl").read_text()
    ours = wanted_of(sensor, ("smtp", "alert"))
    assert sorted(json.loads(e)["event_id"] for e in veiled.splitlines()) == \
        sorted(e["event_id"] for e in ours)
    for e in ours:
        for word in [e.get("src_ip"), e.get("dest_ip")] + e.get("smtp", {}).get(
                "rcpt_to", []):
            assert word is None or len(word) < 5 or word not in veiled, word


def desk_codes(bench, sensor, codes, *words):
    done = subprocess.run([bench.program, *words, "--state", str(sensor.state)],
                          capture_output=True, text=True, check=False)
    assert done.returncode in codes, (words, done.stdout, done.stderr)
    return done.stdout


def desk(bench, sensor, *words):
    return desk_codes(bench, sensor, (0,), *words)


def check_test_alert(bench, sensor, targets):
    """A test alert is followed to each sink that wants it."""
    said = json.loads(desk(bench, sensor, "test-alert", "--json"))
    assert said["passed"], said
    assert said["sinks"] == dict.fromkeys(targets, True), said


def check_metrics(bench, sensor, targets):
    """The verb says what stands in the cursors, and the sums are right."""
    rows = json.loads(desk(bench, sensor, "metrics", "--json"))
    assert {r["sink"] for r in rows} == set(targets), rows
    for r in rows:
        _, journaled, acknowledged, lost = saved(sensor.state, r["sink"])[
            r["lane"]]
        assert (r["journaled"], r["acknowledged"], r["lost"], r["waiting"]) == (
            journaled, acknowledged, lost, 0), r
        assert r["saved"] > "2026" and not r["left_over"], r
    table = desk(bench, sensor, "metrics").splitlines()
    assert len(table) == 1 + 3 * len(targets), table


def part_sinks(bench):
    folder = bench.fresh("sinks")
    out = folder / "out"
    out.mkdir()
    out.chmod(0o777)
    unix = unix_collector(str(out / "unix.sock"))
    syslog, port = tcp_collector()
    with brokers.Kafka(folder / "kafka") as kafka, \
            brokers.Redis(folder / "redis") as redis:
        targets = {"kafka": kafka.address, "redis": redis.address,
                   "unix": out / "unix.sock", "syslog": f"127.0.0.1:{port}",
                   "file": out / "events.jsonl"}
        bench.sinks(folder, targets, SHAPED.format(out))
        (out / "key").write_text("a key of 32 bytes, or whatever..\n")
        targets |= {"severe": "", "veiled": ""}
        sensor = bench.sensor(folder)
        assert live.wait_for(lambda: len(numbers()) == 3 * len(targets))
        send("lab.pcap")
        assert live.wait_for(lambda: len(sensor.of_type("alert")) > 3, 60)
        time.sleep(1)
        check_test_alert(bench, sensor, targets)
        found = live.wait_for(lambda: settled(targets), 60)
        assert found, (numbers(), sensor.log_text())
        sensor.stop()
        check_metrics(bench, sensor, targets)
        wanted = wanted_of(sensor)
        got = {"kafka": of_kafka(kafka), "redis": of_redis(redis),
               "unix": [(topic_of(e), None, e) for e in unix.events()],
               "syslog": [(topic_of(e), None, e) for e in syslog.events()],
               "file": [(topic_of(e), None, e) for e in map(
                   json.loads, (out / "events.jsonl").read_text().splitlines())]}
        for name, rows in got.items():
            mine = since_first(wanted, rows)
            check_same(name, [e for _, _, e in rows], mine, False)
            check_order(name, rows, wanted)
            books = check_books(sensor, name, mine)
        check_shaped(out, sensor)
    print(f"sinks: {len(wanted)} events, in five sinks as journaled, in order, "
          f"and in two others as chosen and veiled; "
          f"{dict(books)}")


# ---- outages ----

class Outage:
    """What happens while mail flows: (share of the time, what) in order."""

    def __init__(self, seconds, kills, plan):
        self.begin, self.seconds = time.monotonic(), seconds
        self.plan = sorted(plan, key=lambda row: row[0])
        self.kills = sorted(random.random() for _ in range(kills))
        self.killed, self.looks = 0, 0

    def over(self):
        return time.monotonic() - self.begin > self.seconds

    def __call__(self):
        share = (time.monotonic() - self.begin) / self.seconds
        while self.plan and self.plan[0][0] <= share:
            self.plan.pop(0)[1]()
        if self.kills and self.kills[0] <= share:
            self.kill()
        self.look()

    def kill(self):
        for pid in live.processes().get("span25-publish", []):
            os.kill(pid, signal.SIGKILL)
            self.killed += 1
            self.kills.pop(0)

    def look(self):
        """What waits is the rest: more settled than journaled would wrap."""
        for (sink, lane), n in numbers().items():
            assert n["waiting"] < 1 << 40, (sink, lane, n)
            self.looks += 1


def tiny_disk(folder, size):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=777",
                    "tmpfs", str(folder)], check=True)
    return folder


def rotate(sensor, path, n):
    """As logrotate does it: away with the file, and a signal."""
    shutil.move(path, f"{path}.{n}")
    sensor.process.send_signal(signal.SIGHUP)


def fill(path):
    with path.open("wb", buffering=0) as f:  # nothing is left for the close
        try:
            while True:
                f.write(bytes(1 << 16))
        except OSError:
            pass


def lines_of(paths):
    for path in paths:
        for line in pathlib.Path(path).read_text().splitlines():
            yield json.loads(line)


def dropped():
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    import live_long
    return live_long.metric("span25_capture_dropped_packets_total")


def part_outages(bench):
    seconds, kills, rate = (1010, 100, 1500) if bench.long else (30, 8, 4000)
    folder = bench.fresh("outages")
    out = folder / "out"
    out.mkdir()
    out.chmod(0o777)
    small = tiny_disk(folder / "small", "600m" if bench.long else "24m")
    (small / "ballast").touch()  # a full disk takes no new file
    with brokers.Kafka(folder / "kafka") as kafka, \
            brokers.Redis(folder / "redis") as redis:
        targets = {"kafka": kafka.address, "redis": redis.address,
                   "file": out / "events.jsonl",
                   "file-full": small / "events.jsonl"}
        bench.sinks(folder, targets)
        sensor = bench.sensor(folder)
        assert live.wait_for(lambda: len(numbers()) == 3 * len(targets))
        rotated = lambda: rotate(sensor, out / "events.jsonl", 1)  # noqa: E731
        outage = Outage(seconds, kills, [
            (.10, kafka.kill), (.20, lambda: fill(small / "ballast")),
            (.30, redis.kill), (.45, rotated), (.55, redis.start),
            (.70, kafka.start), (.80, (small / "ballast").unlink)])
        data, sender = live_test.frames("lab.pcap"), live.Sender(rate)
        while not outage.over():
            for at in range(0, len(data), 256):
                sender.send(data[at:at + 256])
                outage()
        sender.close()
        found = live.wait_for(lambda: settled(targets), 240)
        assert found, (numbers(), sensor.log_text()[-3000:])
        n_dropped = dropped()
        sensor.stop()
        wanted = wanted_of(sensor)
        got = {"kafka": of_kafka(kafka), "redis": of_redis(redis)}
        for name, paths in (("file", [out / "events.jsonl.1",
                                      out / "events.jsonl"]),
                            ("file-full", [small / "events.jsonl"])):
            got[name] = [(topic_of(e), None, e) for e in lines_of(paths)]
        doubles = {}
        for name, rows in got.items():
            mine = since_first(wanted, rows)
            doubles[name] = check_same(name, [e for _, _, e in rows], mine, True)
            check_order(name, rows, wanted)
            for lane, (_, n, acknowledged, lost) in saved(
                    sensor.state, name).items():
                assert n == acknowledged and lost == 0, (name, lane)
            check_books(sensor, name, mine)
    subprocess.run(["umount", str(small)], check=True)
    alerts = sum(e["event_type"] in ("alert", "decision") for e in wanted)
    print(f"outages: {seconds} s with brokers away and killed, a full disk, a "
          f"rotation and {outage.killed} kills of the publishing process: "
          f"{len(wanted)} events, {alerts} of them alerts and decisions, in "
          f"every sink; doubles {doubles}; {outage.looks} times no more "
          f"settled than journaled; {n_dropped:.0f} packets dropped")
    assert outage.killed >= kills - 1, outage.killed


# ---- a full disk under the journal ----

def part_disk(bench):
    """The state is on a disk that fills, Redis is away, and who publishes is
    killed: each alert that was taken is in Redis at the end."""
    disk = tiny_disk(bench.folder / "small-state", "24m")
    redis = brokers.Redis(bench.folder / "redis-disk")
    bench.sinks(disk, {"redis": redis.address}, "journal:\n  high_water: 8MiB\n"
                "  high_water_percent: 0\n")
    sensor = bench.sensor(disk)
    assert live.wait_for(lambda: len(numbers()) == 3)
    send("lab.pcap")
    assert live.wait_for(lambda: len(sensor.of_type("alert")) > 3, 60)

    def is_full():
        live_disk_test.fill(disk, 600 << 10)
        return live_disk_test.value("journal_room_step") == 3
    assert live.wait_for(is_full, 60), live_disk_test.value("journal_room_step")
    asked = [threading.Thread(target=live_disk_test.test_alert,
                              args=(bench.program, sensor),
                              kwargs={"codes": (0, 4)}) for _ in range(20)]
    for n, thread in enumerate(asked):  # each waits for a sink that is away
        thread.start()
        if n % 5 == 2:
            for pid in live.processes().get("span25-publish", []):
                os.kill(pid, signal.SIGKILL)
    for thread in asked:
        thread.join()
    (disk / "other").unlink()
    with redis:
        assert live.wait_for(lambda: settled(["redis"]), 120), (
            numbers(), sensor.log_text()[-2000:])
        sensor.stop()
        wanted, rows = wanted_of(sensor), of_redis(redis)
        doubles = check_same("redis", [e for _, _, e in rows],
                             since_first(wanted, rows), True)
        check_books(sensor, "redis", since_first(wanted, rows))
    tests = sum(e["event_type"] == "alert" and "test" in e["alert"]
                for e in wanted)
    subprocess.run(["umount", str(disk)], check=True)
    assert tests == 20, tests
    print(f"disk: {len(wanted)} events of a disk that was full, {tests} alerts "
          f"made then, all in Redis; {doubles} doubles")


# ---- a cursor that cannot be read ----

def check_left_over(bench, sensor, cursor):
    """A sink that is configured no more has its cursor still, and it is said;
    what is no cursor's name is not shown."""
    old = cursor.with_name("renamed.cursor")
    for name in (old, cursor.with_name("a\x1b[31m.cursor")):
        shutil.copy(cursor, name)
        os.utime(name, (1.7e9, 1.7e9))
    rows = json.loads(desk(bench, sensor, "metrics", "--json"))
    assert {r["sink"] for r in rows if r["left_over"]} == {"renamed"}, rows
    assert len({r["sink"] for r in rows}) == 3, rows
    table = desk(bench, sensor, "metrics")
    assert table.count("not kept since") == 1 and "\x1b" not in table, table
    assert "since 2023-11-14" in table and old.name in table, table


def part_cursor(bench):
    """The others go on, and so does this one when it can be read again."""
    folder = bench.fresh("cursor")
    out = folder / "out"
    out.mkdir()
    out.chmod(0o777)
    targets = {"file-a": out / "a.jsonl", "file-b": out / "b.jsonl"}
    bench.sinks(folder, targets)
    sensor = bench.sensor(folder)
    assert live.wait_for(lambda: len(numbers()) == 3 * len(targets))
    send("lab.pcap")
    assert live.wait_for(lambda: len(sensor.of_type("alert")) > 3, 60)
    assert live.wait_for(lambda: settled(targets), 60), numbers()
    cursor = sensor.state / "publish" / "file-a.cursor"
    aside = cursor.with_suffix(".aside")
    cursor.rename(aside)
    cursor.mkdir()
    before = live.processes()["span25-publish"]
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    assert live.wait_for(
        lambda: "sink file-a: how far it is" in sensor.log_text(), 30)
    mine = live.processes()["span25-publish"]
    said = json.loads(desk_codes(bench, sensor, (4,), "test-alert", "--json"))
    up = live_disk_test.value('sink_up{sink="file-a"}')
    assert up == 0 and settled(targets), (up, numbers())
    assert said["sinks"] == {"file-a": False, "file-b": True}, said
    cursor.rmdir()
    aside.rename(cursor)
    texts = [p.read_text for p in targets.values()]
    assert live.wait_for(lambda: said["alert"] in texts[0]() and
                         settled(targets), 30), numbers()
    assert live.processes()["span25-publish"] == mine != before
    assert sensor.log_text().count("sink file-a: how far it is") == 1
    sensor.stop()
    wanted = wanted_of(sensor)
    for name, path in targets.items():
        rows = [(topic_of(e), None, e) for e in lines_of([path])]
        books = since_first(wanted, rows)
        check_same(name, [e for _, _, e in rows], books, True)
        check_books(sensor, name, books)
    check_left_over(bench, sensor, cursor)
    print(f"cursor: {len(wanted)} events in both, though the cursor of one could "
          "not be read for a time")


# ---- latency ----

def part_latency(bench):
    """From the last packet of an event to the broker's having it, by the
    broker's own time of appending, which is the same clock here."""
    for rate in (1000, 10000, 40000) if bench.long else (4000,):
        folder = bench.fresh(f"latency-{rate}")
        with brokers.Kafka(folder / "kafka") as kafka:
            for topic in ("smtp.tx", "alert", "decision", "stats"):
                kafka.kcat("-P", "-t", f"span25.{topic}", data=b"{}\n")
            bench.sinks(folder, {"kafka": kafka.address})
            sensor = bench.sensor(folder)
            assert live.wait_for(lambda: len(numbers()) == 3)
            data, sender = live_test.frames("lab.pcap"), live.Sender(rate)
            sender.send(data[:2000])  # topics are made, connections too
            assert live.wait_for(lambda: settled(["kafka"]), 60)
            begin, n = time.time(), 0
            while time.time() < begin + (20 if bench.long else 3):
                n += sender.send(data)
            took = time.time() - begin
            sender.close()
            assert live.wait_for(lambda: settled(["kafka"]), 60)
            sensor.stop()
            for topic in ("smtp.tx", "alert"):
                rows = kafka.consume(f"span25.{topic}", "%T\t%s\n").splitlines()
                tell_latency(topic, rows, begin, f"{n / took:.0f} packets/s")


def tell_latency(topic, rows, begin, load):
    found = []
    for row in rows:
        when, _, text = row.partition(b"\t")
        if text == b"{}":  # it made the topic
            continue
        at = live_test.seconds_of(json.loads(text)["timestamp"])
        if at > begin and json.loads(text)["event_type"] in ("smtp", "alert"):
            found.append(int(when) / 1000 - at)
    found.sort()
    if found:
        print(f"latency: {load}, load {os.getloadavg()[0]:.1f}: {topic}: "
              f"{len(found)} events, p50 {found[len(found) // 2] * 1000:.0f} ms, "
              f"p99 {found[len(found) * 99 // 100] * 1000:.0f} ms, most "
              f"{found[-1] * 1000:.0f} ms")


PARTS = {"sinks": part_sinks, "outages": part_outages, "disk": part_disk,
         "cursor": part_cursor, "latency": part_latency}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--long", action="store_true")
    p.add_argument("program")
    p.add_argument("parts", nargs="*")
    options = p.parse_args()
    live.inside()
    live.ip("link", "set", "lo", "up")
    for kind in (brokers.Kafka, brokers.Redis):
        if why := kind.missing():
            live.skip(why)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        options.confined = None
        bench = Bench(options, folder)
        usual = [p for p in PARTS if options.long or p != "latency"]
        for part in options.parts or usual:
            PARTS[part](bench)


main()
