"""The brokers that the tests of sinks rest on: real ones, started and stopped.

    brokers_test.py

What is produced with one program comes back from another, also after a stop and
after a SIGKILL. Exit code 77 when neither broker can be had.
"""
import sys
import tempfile
import time
import unittest

sys.path.insert(0, __file__.rsplit("/", 1)[0] + "/support")
import brokers  # noqa: E402


def starts(broker):
    """Starts it and tells how long it took to answer."""
    begun = time.monotonic()
    broker.start()
    print(f"{broker.name} answers after {time.monotonic() - begun:.1f} s")


class RealBrokers(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def have(self, kind):
        why = kind.missing()
        if why:
            print(f"skipped: {kind.name}: {why}")
            self.skipTest(why)
        broker = kind(self.folder.name)
        self.addCleanup(broker.kill)
        return broker

    def test_kafka(self):
        """Keys keep their order; a kill -9 keeps what was acknowledged."""
        kafka = self.have(brokers.Kafka)
        lines = [f"10.0.0.{n % 7}|line {n}" for n in range(200)]
        starts(kafka)
        kafka.kcat("-t", "proof", "-P", "-K|", "-z", "zstd", "-X", "acks=all",
                   "-X", "enable.idempotence=true",
                   data="\n".join(lines).encode())
        self.check_keys(kafka, lines)
        kafka.kill()
        starts(kafka)
        more = [f"10.0.0.{n % 7}|line {n}" for n in range(200, 300)]
        kafka.kcat("-t", "proof", "-P", "-K|", "-X", "acks=all",
                   data="\n".join(more).encode())
        self.check_keys(kafka, lines + more)
        kafka.stop()

    def check_keys(self, kafka, lines):
        got = kafka.consume("proof", "%k|%s\n").decode().splitlines()
        self.assertEqual(sorted(got), sorted(lines))
        for key in {line.split("|")[0] for line in lines}:
            self.assertEqual([g for g in got if g.startswith(key + "|")],
                             [w for w in lines if w.startswith(key + "|")])

    def test_redis(self):
        """A stream and a key that ends by itself are there after a restart."""
        redis = self.have(brokers.Redis)
        starts(redis)
        for n in range(20):
            redis.cli("XADD", "proof", "MAXLEN", "~", "1000", "*", "n", str(n))
        redis.cli("SET", "block:192.0.2.1", "why", "EX", "1000")
        for end in (redis.kill, redis.stop):
            end()
            starts(redis)
            got = redis.cli("XREAD", "COUNT", "100", "STREAMS", "proof", "0")
            self.assertEqual([int(v) for v in got.split()[2:] if v.isdigit()],
                             list(range(20)))
            self.assertIn(int(redis.cli("TTL", "block:192.0.2.1")), range(1, 1001))
        redis.stop()


if __name__ == "__main__":
    if all(kind.missing() for kind in (brokers.Kafka, brokers.Redis)):
        print("skipped: " + brokers.Kafka.missing())
        sys.exit(77)
    unittest.main(verbosity=2)
