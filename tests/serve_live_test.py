#!/usr/bin/env python3
"""A live sensor behind the page's server: real mail in, the API asked.

    serve_live_test.py [--measure N] [--page SCRIPT] PROGRAM JOURNAL_MAKE
                       [PART...]

Parts: seen (mail in the stream, in /sessions and /now), roles (what people
change goes to the core with their names, and takes force), gone (the sensor is
killed, and is back; times at which none saw are told apart), readers (pages are asked for as fast as they come while
mail flows and the core is killed: nothing is lost, and the index's log does not
grow). --measure: how long N mails take to the stream, in place of the parts. --page:
so is node SCRIPT run, which asks for what it needs (Page). Needs root: it makes namespaces.
"""
import argparse
import datetime
import json
import os
import pathlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import live  # noqa: E402
from support.served import Mail, Person, Served, Stream  # noqa: E402

ROLES = {"vic": "viewer", "ana": "analyst", "reg": "registrar",
         "fay": "firewall", "ada": "admin"}
CONFIG = """network:
  home: [10.20.0.0/16]
live:
  user: {user}
  quiet: 3s
"""
PATIENCE = 60  # with sanitizers, on a machine with other work
MIB = 1 << 20


def check(good, why):
    if not good:
        raise AssertionError(why)


def wait(what, why):
    found = live.wait_for(what, PATIENCE)
    check(found, why() if callable(why) else why)
    return found


def sight(hours, blind):
    """What a sensor said of itself so long ago."""
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(
        hours=hours)
    said = {"window_s": 300, "packets": 0 if blind else 9000}
    return {"timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%f+0000"), "flow_id": 0,
            "flow_seq": 1, "event_type": "stats",
            "event_id": f"{int(hours * 6):016x}",
            "stats": {"sight": said | ({"blind": ["packets"]} if blind else {})}}


def history(maker, state):
    """A quiet night: watched, but from three hours ago to two nothing was seen,
    and from five to four hours ago there was no sensor."""
    events = [sight(n / 6, 12 <= n <= 18) for n in range(42, 2, -1)
              if not 24 <= n <= 30]
    subprocess.run([maker, str(state), "live"], check=True, text=True,
                   input="".join(json.dumps(e) + "\n" for e in events))
    subprocess.run(["chown", "-R", live.user(), str(state)], check=True)


class Bench:
    def __init__(self, program, maker, folder, mail):
        self.program, self.folder, self.mail = program, folder, mail
        self.state = folder / "state"
        history(maker, self.state)
        (folder / "state.yaml").write_text(CONFIG.format(user=live.user()))
        users = folder / "users"
        for name, role in ROLES.items():
            subprocess.run([program, "serve", "user", "--users", str(users),
                            "--roles", role, name], check=True, text=True,
                           input=f"secret of {name}\n", capture_output=True)
        shutil.chown(users, live.user())
        self.start()
        self.served = Served(program, self.sensor, users)
        self.people = {name: Person(self.served, name) for name in ROLES}
        self.n = 0

    def start(self):
        self.sensor = live.Sensor(self.program, self.state)

    def close(self):
        """After a failure: nobody writes to the folder any more."""
        for process in (self.served.process, self.sensor.process):
            process.kill()
            process.wait()
        for pids in live.processes(savers=True).values():
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        live.wait_for(lambda: not live.processes(savers=True))

    def send(self, n=1):
        """Mails of senders that nobody else has; their addresses."""
        senders = []
        for _ in range(n):
            self.n += 1
            senders.append(f"mail{self.n}@home.example")
            self.mail.send(senders[-1], f"to{self.n}@world.example")
        return senders

    def sees(self):
        """Mail goes by until the sensor says that it sees; its last sender."""
        sent = []
        wait(lambda: sent.extend(self.send()) or
             self.health()["state"] == "seeing", self.health)
        return sent[-1]

    def sessions(self, person="ana"):
        rows = self.people[person].get("/sessions?limit=500")["rows"]
        return {r["mail_from"].strip("<>"): r for r in rows if r["mail_from"]}

    def controls(self, kind):
        return [c for c in self.sensor.controls(kind) if c.get("action")]

    def health(self):
        return self.people["vic"].get("/now")["health"]


# ---- what is seen ----

def check_series(series):
    """Steps of ten minutes: a quiet time that was watched is none in which
    nothing was seen."""
    end = datetime.datetime.now(datetime.timezone.utc)
    for hours, seen in ((47, False), (6.5, True), (4.5, False), (3.5, True),
                        (2.5, False), (1.5, True), (0, True)):
        at = (end - datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")
        step = next(s for s in series if s["t"][:15] == at[:15])
        check(step["seen"] == seen, f"{hours} h ago: {step}")


def part_seen(bench):
    stream = Stream(bench.people["vic"])
    senders = bench.send(5)
    wait(lambda: set(senders) <= set(bench.sessions()), "mails in /sessions")
    row = bench.sessions()[senders[0]]
    check(row["outcome"] == "accepted" and row["src_ip"] == "10.20.4.17", row)
    seqs = [e["journal"]["seq"] for e in bench.sensor.of_type("smtp")]
    wait(lambda: any(p["seq"] >= max(seqs) for p in stream.of("position")),
         lambda: f"the stream: {stream.events}")
    told = [p["seq"] for p in stream.of("position")]
    check(told == sorted(set(told)), f"positions go back: {told}")
    now = wait(lambda: (n := bench.people["vic"].get("/now"))["series"][-1][
        "unregistered"] >= 5 and n, "mails in /now")
    # a sensor tells how it is once a second
    wait(lambda: bench.health()["state"] == "seeing", bench.health)
    check_series(now["series"])
    who = bench.people["ana"].get("/sessions/" + row["event_id"])
    check(who["schema"] == "span25.event", who)
    wait(lambda: [c for c in bench.controls("page") if c["action"] == "look"
                  and c["actor"] == "ana"], "that ana looked is journaled")


# ---- who may do what ----

def part_roles(bench):
    """(who, path, body, kind of the event, action; None: it is refused)"""
    hour = {"for": "1h", "reason": "a test"}
    person = bench.people
    for who, path, body, kind, action in (
            ("vic", "/blocks/add", {"subject": "10.20.9.9/32", **hour}, None, 0),
            ("reg", "/policy/mode", {"mode": "off", "reason": "x"}, None, 0),
            ("ana", "/blocks/add", {"subject": "10.20.9.9/32", **hour}, None, 0),
            ("fay", "/policy/mode", {"mode": "enforce", "reason": "a test"},
             "policy", "mode"),
            ("fay", "/blocks/add", {"subject": "10.20.9.9/32", **hour},
             "block", "add"),
            ("ana", "/blocks/lift", {"subject": "10.20.9.9/32",
                                     "reason": "ticket 1"}, "block", "lift"),
            ("ana", "/exceptions/add", {"prefix": "10.20.9.8/32",
                                        "from": "both", **hour},
             "exception", None),
            ("ada", "/policy/mode", {"mode": "simulate", "reason": "done"},
             "policy", "mode")):
        before = len(bench.controls(kind)) if kind else 0
        status, said = person[who].post(path, **body)
        check(status == (200 if kind else 403), f"{who} {path}: {status} {said}")
        if kind:
            done = wait(lambda k=kind, n=before: bench.controls(k)[n:],
                        f"{path} in the journal")[0]
            check(done["actor"] == who and done["action"] == (
                action or done["action"]), f"{who} {path}: {done}")
    mode = [r["state"] for r in person["vic"].get("/policy")["rows"]
            if r["what"] == "mode"]
    check(mode == ["simulate"], mode)
    rows = person["vic"].get("/exceptions")["rows"]
    check(any("10.20.9.8" in str(r) for r in rows), rows)
    audit = person["ada"].get("/audit?kind=block")["rows"]
    check([(r["actor"], r["action"]) for r in audit] ==
          [("ana", "lift"), ("fay", "add")], audit)
    # all of it by the core: nobody else had the journal
    check(bench.sensor.process.poll() is None, bench.sensor.log_text())
    registered(bench)


def registered(bench):
    """What a registrar permits, the core that runs knows."""
    form = (pathlib.Path(__file__).parent / "fixtures" /
            "library-form.yaml").read_text()
    def entered():
        return len(bench.sensor.controls("registry"))
    before = entered()
    status, said = bench.people["reg"].post("/registry/submit", text=form)
    check(status == 200, said)
    wait(lambda: entered() > before, "the core takes the form in")
    due = bench.people["reg"].get("/registry/due")["rows"]
    check(due, "nothing waits for the registrar")


# ---- the sensor is gone ----

def part_gone(bench):
    stream = Stream(bench.people["vic"])
    bench.sees()
    # the mirror is silent
    bench.mail.mirror(False)
    began = time.time()
    wait(lambda: bench.health()["state"] == "blind", bench.health)
    since = bench.health()["since"]
    check(since is not None, bench.health())
    wait(lambda: [h for h in stream.of("health") if h["state"] == "blind"],
         lambda: f"the stream: {stream.events}")
    fails = [r for r in bench.people["vic"].get("/sensor")["doctor"]["rows"]
             if r["blind"]]
    check(fails and all(r["fix"] for r in fails), fails)
    bench.mail.mirror(True)
    bench.sees()
    # killed; what is asked is answered all the same
    bench.sensor.process.send_signal(signal.SIGKILL)
    bench.sensor.process.wait()
    wait(lambda: bench.health()["state"] == "blind", bench.health)
    check(bench.health()["since"] > since, bench.health())
    check(time.time() - began < PATIENCE, "too late")
    rows = bench.people["vic"].get("/sensor")["doctor"]["rows"]
    check(any("no sensor runs" in r["text"] and r["fix"] for r in rows), rows)
    check(bench.sessions(), "what was seen is not shown any more")
    status, said = bench.people["fay"].post("/policy/mode", mode="off",
                                            reason="nobody is there")
    check(status == 200, said)
    wait(lambda: not set(live.processes()) - {"span25"}, live.processes)
    bench.start()
    sender = bench.sees()
    wait(lambda: sender in bench.sessions(), "mail after it is back")
    def told():
        bench.sees() # else it is quiet again
        return stream.of("health")[-1]["state"] == "seeing"
    wait(told, lambda: f"the stream: {stream.of('health')}")
    # what was said meanwhile is in force
    mode = [c for c in bench.controls("policy") if c["action"] == "mode"][-1]
    check(mode["actor"] == "fay" and mode["mode"] == "off", mode)
    status, said = bench.people["fay"].post("/policy/mode", mode="simulate",
                                            reason="done")
    check(status == 200, said)


# ---- readers ----

PAGES = ("/now", "/alerts", "/hosts", "/sessions?limit=500&type=all", "/blocks",
         "/policy", "/exceptions", "/sensor", "/why?q=10.20.4.17",
         "/hosts/10.20.4.17", "/registry/lines", "/rules")
MAILS = 80
LOG_MOST = 100 * MIB


class Reader(threading.Thread):
    """Asks for all pages, one after the other, until it is told to end."""

    def __init__(self, person, end):
        super().__init__(daemon=True)
        self.person, self.end = person, end
        self.n, self.failed = 0, []
        self.start()

    def run(self):
        while not self.end.is_set():
            path = random.choice(PAGES)
            try:
                self.person.get(path)
            except (AssertionError, OSError) as e:
                self.failed.append(str(e)[:300])
            self.n += 1


def hold(path, end, turn_s):
    """Always some reading transaction on the index, so that its log can never
    begin anew while nobody looks."""
    def run(own):
        while not end.is_set():
            db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            own.append(db.execute("begin").fetchall())
            db.execute("select seq from position").fetchall()
            time.sleep(turn_s * random.uniform(0.5, 1.5))
            db.close()
    for _ in range(3):
        threading.Thread(target=run, args=([],), daemon=True).start()


def part_readers(bench):
    end = threading.Event()
    readers = [Reader(bench.people["ana"], end) for _ in range(3)]
    idle = Stream(bench.people["vic"])  # its socket is not read again
    idle.to.sock.setblocking(True)
    hold(bench.state / "index.db", end, 0.2)
    core = live.processes()["span25-core"]
    senders = bench.send(MAILS // 2)
    os.kill(core[0], signal.SIGKILL)
    wait(lambda: live.processes().get("span25-core") not in (None, core),
         lambda: bench.sensor.log_text())
    sender = bench.send()[0]
    wait(lambda: sender in bench.sessions(), "the core is not back")
    after = bench.send(MAILS // 2)
    wait(lambda: after[-1] in bench.sessions(), "the last mail")
    log = bench.state / "index.db-wal"
    size = log.stat().st_size if log.exists() else 0
    end.set()
    for r in readers:
        r.join(PATIENCE)
    asked, failed = sum(r.n for r in readers), [f for r in readers
                                               for f in r.failed]
    check(not failed, f"{len(failed)} of {asked}: {failed[:3]}")
    check(asked > 50, asked)
    have = [e["smtp"]["mail_from"].strip("<>")
            for e in bench.sensor.of_type("smtp")]
    # of what went by when the core was killed some may be lost, and is told
    lost = [s for s in senders + after if s not in have]
    check(len(have) == len(set(have)), "a mail twice")
    check(not set(after) & set(lost) and (not lost or bench.sensor.controls(
        "gap")), f"lost: {lost[:5]}")
    check(size < LOG_MOST, f"the index's log has {size} bytes")
    print(f"readers: {asked} pages, {len(have)} mails in the journal, "
          f"{len(lost)} lost with the core, log {size >> 10} KiB")


# ---- how long it takes ----

def timed(bench, n):
    """Sends so many, one after the other, at most three a second or so; when
    the last line of each was sent."""
    sent = []
    for i in range(n):
        sent.append(bench.mail.send(f"timed{i}@home.example",
                                    f"to{i}@world.example"))
        time.sleep(random.uniform(0.01, 0.3))
    return sent


def measure(bench, n):
    stream = Stream(bench.people["vic"])
    sent = {f"timed{i}@home.example": when
            for i, when in enumerate(timed(bench, n))}
    wait(lambda: f"timed{n - 1}@home.example" in bench.sessions(),
         "the last mail")
    time.sleep(1)
    seqs = {e["smtp"]["mail_from"].strip("<>"): e["journal"]["seq"]
            for e in bench.sensor.of_type("smtp")}
    told = [(when, data["seq"]) for when, kind, data in stream.events
            if kind == "position"]
    took = sorted(min(t for t, seq in told if seq >= seqs[name]) - when
                  for name, when in sent.items())
    print(f"{n} mails, from the last line of the message to the event of the "
          "stream: " + ", ".join(
              f"{what} {took[min(n - 1, int(share * n))]:.3f} s" for what, share
              in (("p50", .5), ("p90", .9), ("p99", .99), ("max", 1))))


# ---- a page ----

class Page:
    """A script at a browser. It says "do WORD" and hears of it when it is done;
    what else it says is printed."""

    def __init__(self, bench):
        self.bench, self.mailing = bench, threading.Event()
        threading.Thread(target=self.mails, daemon=True).start()

    def mails(self):
        """Goes by all the time, whether the sensor sees it or not."""
        while self.mailing.wait():
            self.bench.send()
            time.sleep(0.3)

    def do(self, word, *rest):
        if word == "mail":
            self.mailing.set()
        elif word == "send":
            self.mailing.clear()
            return timed(self.bench, int(rest[0]))
        elif word == "mirror":
            self.bench.mail.mirror(rest[0] == "on")
        elif word == "link":
            live.ip("link", "set", live.TAP, rest[0])
        elif word == "kill":
            self.bench.sensor.process.send_signal(signal.SIGKILL)
            self.bench.sensor.process.wait()
            wait(lambda: not set(live.processes()) - {"span25"}, live.processes)
        elif word == "start":
            self.bench.start()
        return None


def at_page(bench, script, more):
    page = Page(bench)
    node = subprocess.Popen(
        ["node", script, f"http://127.0.0.1:{bench.served.port}", *more],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for line in node.stdout:
        word, *rest = line.split() or [""]
        if word == "do":
            node.stdin.write(json.dumps(page.do(*rest)) + "\n")
            node.stdin.flush()
        else:
            print(line, end="", flush=True)
    page.mailing.clear()
    return node.wait()


PARTS = {"seen": part_seen, "roles": part_roles, "gone": part_gone,
         "readers": part_readers}


def run(bench, options):
    if options.page:
        more = [str(options.measure)] if options.measure else []
        sys.exit(at_page(bench, options.page, more))
    if options.measure:
        measure(bench, options.measure)
        return
    for part in options.parts:
        began = time.monotonic()
        PARTS[part](bench)
        print(f"{part}: {time.monotonic() - began:.1f} s")
    bench.served.stop()
    bench.sensor.stop()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--measure", type=int)
    options.add_argument("--page")
    options.add_argument("program")
    options.add_argument("maker")
    options.add_argument("parts", nargs="*", default=list(PARTS))
    options = options.parse_args()
    if options.page and shutil.which("node") is None:
        live.skip("no node: tools/setup brings it")
    live.inside()
    with tempfile.TemporaryDirectory() as name, Mail() as mail:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        bench = Bench(*(str(pathlib.Path(p).resolve()) for p in (
            options.program, options.maker)), folder, mail)
        try:
            run(bench, options)
        finally:
            bench.close()


main()
