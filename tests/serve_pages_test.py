#!/usr/bin/env python3
"""What the pages of span25 serve ask, beyond what one verb prints.

    serve_pages_test.py PROGRAM JOURNAL_MAKE

Journals are made of a few events of known times; the answers are compared with
what these events say. The last line is "N passed, N failed".
"""
import datetime
import json
import subprocess
import sys
import tempfile

from serve_test import PATIENCE_S, Server, check, results, run

NOW = datetime.datetime(2026, 3, 20, 14, 30, tzinfo=datetime.timezone.utc)
WEEK_H = 7 * 24


def made(kind, hours_ago, n, **more):
    at = NOW - datetime.timedelta(hours=hours_ago, seconds=-n % 600)
    text = at.strftime("%Y-%m-%dT%H:%M:%S.%f+0000")
    return text, {"timestamp": text, "flow_id": n, "flow_seq": 1, "event_type": kind, "event_id": f"{n:016x}", **more}


def session(hours_ago, n, host, registered=False, direction="outbound"):
    return made("smtp_session", hours_ago, n, src_ip=host, dest_ip="192.0.2.1", direction=direction,
                src_reg={"state": "registered" if registered else "unregistered"})[1]


def alert(hours_ago, n, host, severity=1, title="A rule of the test", rule=None, count=1):
    text, event = made("alert", hours_ago, n, src_ip=host)
    event["alert"] = {"id": f"{n:016x}"[::-1], "state": "ended", "signature_id": 7, "signature": title,
                      "severity": severity, "category": "behaviour", "rule": rule or "r" * 8, "rule_hash": "0" * 16,
                      "level": "high", "subject": host, "reason": "for the test", "first": text, "last": text,
                      "count": count}
    return event


def sight(hours_ago, n, seen, unseen):
    return made("stats", hours_ago, n, stats={"sight": {"window_s": 300, "bytes_seen": seen,
                                                        "bytes_unseen": unseen}})[1]


class State:
    """A state of these events, and a server on it."""
    program = make = users = temp = None

    def __init__(self, name, events):
        self.path = f"{State.temp}/{name}"
        events = sorted(events, key=lambda e: e["timestamp"])
        subprocess.run([State.make, self.path], input="".join(json.dumps(e) + "\n" for e in events), text=True,
                       check=True, timeout=PATIENCE_S)

    def __enter__(self):
        self.server = Server(State.program, self.path, State.users)
        self.who = self.server.login("ines", "one")
        return self

    def __exit__(self, *_):
        self.server.stop()

    def get(self, path, who=None):
        return self.server.ask("GET", "/api/v1" + path, **(who or self.who))

    def data(self, path):
        status, body, _ = self.get(path)
        assert status == 200, (path, body)
        return body["data"]


def senders(n, hours_ago, hosts, first):
    """host number i has i sessions"""
    return [session(hours_ago, first + 100 * i + k, f"10.1.{n}.{i}", registered=i % 5 == 0)
            for i in range(1, hosts + 1) for k in range(i)]


def now_page():
    week = senders(1, WEEK_H, 3, 1000) + [alert(WEEK_H + 5, 11, "10.1.1.1"), alert(WEEK_H + 3, 12, "10.1.1.2"),
                                          alert(WEEK_H + 3, 13, "10.1.1.3", severity=3), sight(WEEK_H, 14, 1, 1)]
    today = senders(2, 3, 12, 20000) + [session(30, 15, "10.1.9.9")] + [alert(2, 16, "10.1.1.4")] + [
        session(1, 17, "10.1.8.8", direction="inbound"), sight(0, 18, 999, 1), sight(20, 19, 900, 100)]
    with State("now", week + today) as s:
        data = s.data("/now")
        figures = data["figures"]
        check("open alerts, and those of last week", figures["open_high"] == {"value": 3, "week_ago": 2}, figures)
        # hosts 5 and 10 of twelve are registered; those of 30 h ago are not of today
        check("senders of 24 h, and those of last week", figures["unregistered_24h"] == {"value": 10, "week_ago": 3}
              and figures["unregistered_24h_exact"] is True, figures)
        check("blocks of last week", figures["blocks"] == {"value": 0, "week_ago": 0}, figures)
        check("what is not known of last week is not told", figures["due_12h"] == {"value": 0}, figures)
        check("the hosts with most sessions of 24 h", [(h["host"], h["sessions"]) for h in data["hosts"]] ==
              [(f"10.1.2.{i}", i) for i in range(12, 2, -1)], data["hosts"])
        check("what is seen now, and what was in 24 h", data["health"]["seen_percent"] == 99.9 and
              data["headlines"]["if_blocked"]["seen_percent"] == 94.9, data["headlines"]["if_blocked"])
    with State("unwatched", today) as s:
        figures = s.data("/now")["figures"]
        check("a week ago that nobody saw is not compared with", all("week_ago" not in figures[k] for k in
              ("open_high", "unregistered_24h", "blocks")), figures)


def main():
    State.program, State.make = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as temp:
        State.temp, State.users = temp, temp + "/users"
        for name, roles, password in (("ines", "admin", "one"), ("vera", "viewer", "two")):
            code, _, err = run(State.program, "serve", "user", "--users", State.users, "--roles", roles, name,
                               given=password + "\n")
            check(f"{name} is added", code == 0, err)
        now_page()
    print(f"{results['passed']} passed, {results['failed']} failed")
    return 1 if results["failed"] or not results["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
