"""A real Kafka and a real Redis on loopback, for tests.

    with Kafka(folder) as kafka:        # started, and asked until it answers
        kafka.address                   # "127.0.0.1:PORT", kept over restarts
        kafka.kill(); kafka.start()     # SIGKILL; what was acknowledged is kept

Each has a folder and free ports of its own. A process that was started is ended
by its id, also when the test dies (PR_SET_PDEATHSIG). missing() says why a
broker cannot be had; tools/setup --brokers gets what it needs.
"""
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 300  # seconds until a broker answers, on a machine with other work
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_ports(n):
    """Ports that were free a moment ago, each another."""
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def tool(*words, data=None, check=True, timeout=PATIENCE):
    """Standard output of a command, bytes."""
    done = subprocess.run(words, input=data, capture_output=True, check=False,
                          timeout=timeout)
    if check and done.returncode != 0:
        raise RuntimeError(f"{words}: {done.returncode}: {done.stderr[-500:]!r}")
    return done.stdout


class Broker:
    """One process with a folder, started and stopped any number of times."""

    name = ""
    programs = ()

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = None
        self.log = self.folder / "log"

    @classmethod
    def missing(cls):
        for program in cls.programs:
            if shutil.which(program) is None:
                return f"{program} is not installed"
        return None

    def command(self):
        raise NotImplementedError

    def answers(self):
        raise NotImplementedError

    def start(self):
        assert self.process is None
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, preexec_fn=die_with_parent)
        end = time.monotonic() + PATIENCE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"{self.name} does not answer: {self.said()}")
            time.sleep(0.05)
        return self

    def said(self):
        return self.log.read_text(errors="replace")[-2000:]

    def end(self, number):
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def stop(self):
        self.end(signal.SIGTERM)

    def kill(self):
        self.end(signal.SIGKILL)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()


class Kafka(Broker):
    """Apache Kafka in KRaft mode: one node that is broker and controller.

    secure is the address for TLS with a login: USER, PASSWORD, certificate; by
    SCRAM too, when add_scram was called."""

    name = "kafka"
    programs = ("java", "kcat", "openssl")
    USER, PASSWORD = "span25", "s3cret"
    # What is short here is what a restart after a kill waits for.
    settings = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{inner}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{inner},SECURE://127.0.0.1:{tls}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SECURE://localhost:{tls}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location={store}
listener.name.secure.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
listener.name.secure.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required ;
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required ;
listener.name.secure.plain.sasl.jaas.config={login}
controller.listener.names=CONTROLLER
log.dirs={data}
log.message.timestamp.type=LogAppendTime
num.partitions=4
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""
    login = ("org.apache.kafka.common.security.plain.PlainLoginModule required "
             'user_{user}="{password}" ;')
    # One cluster id is as good as another; what a format would write.
    identity = "version=1\ncluster.id=c3BhbjI1LXRlc3QtMDAwMQ\nnode.id=1\n"
    java = ("java", "-Xms64m", "-Xmx256m", "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn")

    def __init__(self, folder):
        super().__init__(folder)
        self.port, inner, tls = free_ports(3)
        self.secure = f"localhost:{tls}"
        self.certificate = self.folder / "certificate.pem"
        self.address = f"127.0.0.1:{self.port}"
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        (data / "meta.properties").write_text(self.identity)
        (self.folder / "server.properties").write_text(self.settings.format(
            port=self.port, inner=inner, data=data, tls=tls,
            store=self.make_certificate(), login=self.login.format(
                user=self.USER, password=self.PASSWORD)))

    def make_certificate(self):
        """One that signs itself; gives the file that has its key too."""
        key = self.folder / "key.pem"
        store = self.folder / "store.pem"
        tool("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
             "-keyout", str(key), "-out", str(self.certificate))
        store.write_text(key.read_text() + self.certificate.read_text())
        return store

    @staticmethod
    def jars():
        """The folder that tools/setup makes, of the version named there."""
        text = (REPOSITORY / "tools/setup").read_text()
        version = re.search(r"^kafka=(\S+)$", text, re.M).group(1)
        cache = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
        return pathlib.Path(cache) / "span25/kafka" / version

    @classmethod
    def missing(cls):
        if not cls.jars().is_dir():
            return f"no {cls.jars()}: tools/setup --brokers"
        return super().missing()

    def command(self):
        return (*self.java, "-cp", f"{self.jars()}/*", "kafka.Kafka",
                str(self.folder / "server.properties"))

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        asked = subprocess.run(("kcat", "-b", self.address, "-L", "-m", "2"),
                               capture_output=True, check=False)
        return asked.returncode == 0 and b"broker 1 at" in asked.stdout

    def add_scram(self, kind):
        """Lets USER log in by SCRAM-SHA-256 or -512. Takes a JVM."""
        self.set("users", self.USER, f"{kind}=[password={self.PASSWORD}]")

    def set_topic(self, topic, setting):
        """Of one that there is. Takes a JVM."""
        self.set("topics", topic, setting)

    def set(self, kind, name, setting):
        tool(*self.java, "-cp", f"{self.jars()}/*", "kafka.admin.ConfigCommand",
             "--bootstrap-server", self.address, "--alter", "--add-config", setting,
             "--entity-type", kind, "--entity-name", name)

    def kcat(self, *words, data=None):
        """kcat on this broker, quiet; its output in bytes."""
        return tool("kcat", "-b", self.address, "-q", *words, data=data)

    def consume(self, topic, form="%s\n"):
        """All that is in a topic, partition by partition; of none, nothing."""
        known = json.loads(self.kcat("-L", "-J"))["topics"]
        if not any(t["topic"] == topic and t["partitions"] for t in known):
            return b""
        return self.kcat("-t", topic, "-C", "-e", "-o", "beginning", "-f", form)


class Redis(Broker):
    """redis-server with an append-only file, synced with each write."""

    name = "redis"
    programs = ("redis-server", "redis-cli")

    def __init__(self, folder, *more):
        super().__init__(folder)
        (self.port,) = free_ports(1)
        self.address = f"127.0.0.1:{self.port}"
        self.socket = str(self.folder / "redis.sock")
        self.more = more
        self.password = None

    def command(self):
        return ("redis-server", "--port", str(self.port), "--bind", "127.0.0.1",
                "--unixsocket", self.socket, "--dir", str(self.folder),
                "--save", "", "--appendonly", "yes", "--appendfsync", "always",
                "--daemonize", "no", *self.more)

    def answers(self):
        return self.cli("PING", check=False).strip() in (b"PONG", b"NOAUTH Authentication required.")

    def cli(self, *words, check=True):
        """redis-cli on this server, by its Unix socket; its output in bytes."""
        access = ("-a", self.password, "--no-auth-warning") if self.password else ()
        return tool("redis-cli", "-s", self.socket, *access, *words, check=check)
