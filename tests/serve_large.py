#!/usr/bin/env python3
"""How long the page's server takes for each address of its API, on a large state.

    serve_large.py [--limit-ms MS] PROGRAM STATE_PAGES STATE ROWS

STATE is filled with ROWS events, unless it holds as many; then 1,000 events a
second are added to it while every GET of the API's description is asked, with
several sets of parameters, by one who is logged in: by a viewer, as what mail said
is shown to others only when the look can be journaled, and the journal is not the
server's own here; what a viewer may not see is asked by an admin. Prints p50, p99 and the
longest of each, from the request to the last byte. Exit code 1: a p99 is over MS,
or an answer was not 200.
"""
import argparse
import http.client
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"
TURNS = 100
RELAY = "10.0.0.7"
ASKED = [
    "/now", "/alerts?limit=500", "/alerts?status=new&severity=high&limit=500", "/alerts?since=24h&limit=500",
    "/alerts?group=host,rule&limit=500", "/alerts?group=host,rule&status=new&severity=high&limit=500",
    "/alerts?text=10.0.1&limit=500", "/alerts?text=number+1&limit=500", f"/alerts?host={RELAY}&limit=500",
    "/alerts?site=site04&limit=500", "/alerts/{alert}", "/hosts?limit=500", "/hosts?level=block&limit=500",
    "/hosts?text=mx12&limit=500", f"/hosts/{RELAY}", "/hosts/{host}", "/sessions?limit=500", "/sessions?type=all&limit=500",
    f"/sessions?host={RELAY}&limit=500", "/sessions?host={host}&type=smtp&limit=500", "/blocks", "/blocks/diff",
    "/policy", "/exceptions", "/registry/lines", "/registry/due", "/registry/candidates", "/registry/contacts",
    f"/why?q={RELAY}", "/why?q={alert}", "/rules", "/sensor", "/audit?limit=500", "/studies", "/me",
]


class Client:
    def __init__(self, port):
        self.port = port
        self.connect()
        self.headers = {"Host": f"127.0.0.1:{port}", "Origin": f"http://127.0.0.1:{port}"}

    def connect(self):
        """Anew, as the server ends one that is idle."""
        self.to = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)

    def ask(self, path, body=None):
        self.to.request("GET" if body is None else "POST", "/api/v1" + path, body and json.dumps(body),
                        dict(self.headers, **({"Content-Type": "application/json"} if body else {})))
        answer = self.to.getresponse()
        text = answer.read()
        if answer.getheader("Set-Cookie"):
            self.headers["Cookie"] = answer.getheader("Set-Cookie").split(";")[0]
        return answer.status, text


def serve(program, state, work):
    (work / "password").write_text("a long enough pass phrase\n")
    users = str(work / "users")
    for role in ("admin", "viewer"):
        subprocess.run([program, "serve", "user", "--users", users, "--password-file", work / "password",
                        "--roles", role, role], check=True, stdout=subprocess.DEVNULL)
    process = subprocess.Popen([program, "serve", "-c", str(FIXTURES / "bot.yaml"), "--state", state, "--users", users,
                                "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    at = re.search(r"127\.0\.0\.1:(\d+)", process.stderr.readline())
    clients = [Client(int(at[1])), Client(int(at[1]))]
    for client, name in zip(clients, ("viewer", "admin")):
        status, text = client.ask("/login", {"user": name, "password": "a long enough pass phrase"})
        assert status == 200, text
    return process, *clients


def measure(client, what, names, limit):
    took, size = [], 0
    client.connect()
    for _ in range(TURNS):
        begun = time.monotonic()
        status, text = client.ask(what.format(**names))
        took.append((time.monotonic() - begun) * 1000)
        size = len(text)
        if status != 200:
            print(f"FAILED: {what}: {status} {text[:200]}")
            return False
    took.sort()
    p99 = took[len(took) * 99 // 100]
    good = p99 <= limit
    print(f"{what:58} p50 {took[len(took) // 2]:7.1f}  p99 {p99:7.1f}  max {took[-1]:7.1f} ms, {size:7} bytes"
          f"{'' if good else '  FAILED'}", flush=True)
    return good


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--limit-ms", type=float, default=200)
    for name in ("program", "state_pages", "state", "rows"):
        arguments.add_argument(name)
    a = arguments.parse_args()
    pathlib.Path(a.state).mkdir(exist_ok=True)
    writer = subprocess.Popen([a.state_pages, a.state, a.rows], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for line in writer.stdout:
        print(line, end="")
        if line == "filled\n":
            break
    with tempfile.TemporaryDirectory() as work:
        server, viewer, admin = serve(a.program, a.state, pathlib.Path(work))
        alert = json.loads(viewer.ask("/alerts?limit=1")[1])["data"]["rows"][0]
        event = json.loads(viewer.ask("/sessions?type=smtp&limit=1")[1])["data"]["rows"][0]
        names = {"alert": alert["alert"], "host": alert["subject"], "event": event["event_id"]}
        good = [measure(admin if what.startswith("/audit") else viewer, what, names, a.limit_ms) for what in ASKED]
        server.terminate()
        server.wait()
    writer.stdin.close()
    good.append(writer.wait() == 0)
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
