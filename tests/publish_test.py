#!/usr/bin/env python3
"""Events of a live sensor in real Kafka, Redis and collectors, whatever breaks.

    publish_test.py [--long] PROGRAM [PART...]

Parts: sinks (what is journaled is what each consumer has, in the order of each
key), outages (brokers stopped and killed under load, the process that publishes
killed, a full disk under a file), latency. Needs root: it makes namespaces.
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
    def sinks(self, folder, more="", **targets):
        """The configuration of a sensor that publishes to these."""
        kinds = {"kafka": "    linger-ms: 1\n", "redis": "", "syslog": "",
                 "unix": "", "file": ""}
        text = f"live:\n  user: {live.user()}\nsinks:\n"
        for name, target in targets.items():
            kind = name.split("-")[0]
            text += (f"  - name: {name}\n    kind: {kind}\n"
                     f"    target: \"{target}\"\n{kinds[kind]}{more}")
        (folder / "state.yaml").write_text(text)


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
    """journal = acknowledged + waiting + lost, with the journal counted here."""
    journaled = collections.Counter(map(lane_of, wanted))
    for lane, (_, n, acknowledged, lost) in saved(sensor.state, name).items():
        assert n == journaled[lane], (name, lane, n, journaled)
        assert acknowledged + lost <= n, (name, lane, n, acknowledged, lost)
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
        bench.sinks(folder, **targets)
        sensor = bench.sensor(folder)
        assert live.wait_for(lambda: len(numbers()) == 3 * len(targets))
        send("lab.pcap")
        assert live.wait_for(lambda: len(sensor.of_type("alert")) > 3, 60)
        time.sleep(1)
        found = live.wait_for(lambda: settled(targets), 60)
        assert found, (numbers(), sensor.log_text())
        sensor.stop()
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
    print(f"sinks: {len(wanted)} events, in five sinks as journaled, in order; "
          f"{dict(books)}")


PARTS = {"sinks": part_sinks}


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
        for part in options.parts or PARTS:
            PARTS[part](bench)


main()
