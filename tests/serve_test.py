#!/usr/bin/env python3
"""Ask the page's server as a browser does, with the real program.

    serve_test.py PROGRAM

A state is made from the bot's capture. Every route of the API's own description
is asked; where a verb stands behind it, the answer is what the verb prints. What
people change is in the journal, with their names. What must be refused is.
Attacks, and passwords in what is left behind, are those of serve_attack_test.py.
The last line is "N passed, N failed".
"""
import hashlib
import http.client
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

try:
    from jsonschema import Draft202012Validator as Schema
except ImportError:  # tools/setup brings it
    Schema = None

FIXTURES = pathlib.Path(__file__).resolve().parent / "fixtures"
CONFIG = ["-c", str(FIXTURES / "bot.yaml")]
PATIENCE_S = 240  # with sanitizers, on a machine with other work
# What a {name}, or a parameter that must be there, is asked with.
OF = {"/alerts/{id}": "c566", "/hosts/{address}": "10.20.4.17", "/rules/{id}": "6305d4f4",
      "/studies/{name}": "one"}
VERBS = {"/alerts": ["alerts", "list", "--limit=500"], "/hosts": ["hosts", "list", "--limit=500"],
         "/alerts/{id}": ["alerts", "show", "c566"], "/hosts/{address}": ["hosts", "show", "10.20.4.17"],
         "/blocks": ["blocks", "list"], "/blocks/diff": ["blocks", "diff"], "/policy": ["policy", "show"],
         "/exceptions": ["exceptions", "list"], "/registry/candidates": ["registry", "candidates"],
         "/registry/lines": ["registry", "list"], "/registry/contacts": ["registry", "contacts"]}
results = {"passed": 0, "failed": 0}


def check(what, good, got=""):
    results["passed" if good else "failed"] += 1
    if not good:
        print(f"failed: {what}: {str(got)[:400]}")


class Server:
    def __init__(self, program, state, users, *more):
        self.process = subprocess.Popen(
            [program, "serve", *CONFIG, "--state", state, "--users", users, "--listen", "127.0.0.1:0", *more],
            stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        at = re.match(r"span25: serving at http://127\.0\.0\.1:(\d+)/$", line)
        assert at, line + self.process.stderr.read()
        self.port = int(at[1])

    def ask(self, method, path, body=None, **fields):
        to = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        headers = {"Host": f"127.0.0.1:{self.port}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
            headers["Origin"] = f"http://127.0.0.1:{self.port}"
        headers.update({name.replace("_", "-"): value for name, value in fields.items()})
        to.request(method, path, body if body is None or isinstance(body, str) else json.dumps(body), headers)
        answer = to.getresponse()
        text = answer.read()
        to.close()
        kind = answer.headers.get("Content-Type", "")
        return answer.status, json.loads(text) if "json" in kind else text, answer.headers

    def login(self, user, password):
        status, body, headers = self.ask("POST", "/api/v1/login", {"user": user, "password": password})
        assert status == 200, body
        return {"Cookie": headers["Set-Cookie"].split(";")[0], "X_CSRF_Token": body["data"]["csrf"]}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        return code, self.process.stderr.read()


def run(program, *words, given=None):
    done = subprocess.run([program, *words], input=given, capture_output=True, text=True, timeout=PATIENCE_S,
                          check=False)
    return done.returncode, done.stdout, done.stderr


def every_route(server, program, state, who):
    status, api, _ = server.ask("GET", "/api/v1/openapi.json", **who)
    check("the API is described", status == 200 and api["openapi"].startswith("3.1"), status)
    for path, methods in api["paths"].items():
        if "get" not in methods or path in ("/stream", "/studies/{name}", "/sessions/{id}", "/openapi.json",
                                            "/studies/report/{name}", "/studies/review/{name}"):
            continue
        query = {"/registry/show": "?what=2026-1", "/why": "?q=10.20.4.17"}.get(path, "")
        full = re.sub(r"\{.*\}", OF.get(path, ""), path)
        status, body, _ = server.ask("GET", "/api/v1" + full + query, **who)
        check(f"{path} answers", status == 200 and "data" in body, (status, body))
        if path in VERBS and status == 200:
            _, out, _ = run(program, *VERBS[path], "--json", "--utc", "--state", state, *CONFIG)
            want = json.loads(out)
            got = {key: body["data"].get(key) for key in want}
            check(f"{path} says what the verb says", got == want, got)


def described(api):
    """That the description is one: of OpenAPI 3.1 what we use of it, and every schema of JSON Schema 2020-12."""
    names = [m["operationId"] for methods in api["paths"].values() for m in methods.values()]
    check("each operation has a name of its own", len(set(names)) == len(names), names)
    check("title and version", api["info"]["title"] and api["info"]["version"], api["info"])
    for path, methods in api["paths"].items():
        for method, m in methods.items():
            in_path = {p["name"] for p in m["parameters"] if p["in"] == "path" and p["required"]}
            check(f"{method} {path} has its parameters", in_path == set(re.findall(r"\{(\w+)\}", path)), in_path)
            schemas = [p["schema"] for p in m["parameters"]]
            for part in [m.get("requestBody", {"content": {}}), *m["responses"].values()]:
                schemas += [c["schema"] for c in part["content"].values()]
            for schema in schemas:
                Schema.check_schema(schema)
            check(f"{method} {path} describes its answers", all(
                r["description"] and r["content"] for r in m["responses"].values()) and "200" in m["responses"], m)
    for schema in api["components"]["schemas"].values():
        Schema.check_schema(schema)
        for example in schema["examples"]:
            Schema(schema).validate(example)


class Described:
    """A server whose every answer is held against its description."""

    def __init__(self, server, api):
        self.ask_it, self.api, self.held = server.ask, api, set()
        server.ask = self.ask
        self.paths = [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + "$"), path)
                      for path in sorted(api["paths"], key=lambda p: "{" in p)]

    def ask(self, method, path, body=None, **fields):
        status, answer, headers = self.ask_it(method, path, body, **fields)
        of = next((p for at, p in self.paths if at.match(path.removeprefix("/api/v1").partition("?")[0])), None)
        known = self.api["paths"].get(of, {}).get(method.lower())
        if known and str(status) in known["responses"]:
            schema = known["responses"][str(status)]["content"].get("application/json")
            wrong = [] if schema is None else list(Schema(
                {**schema["schema"], "components": self.api["components"]}).iter_errors(answer))
            check(f"{method} {path}, {status}: as described", not wrong, wrong[:1])
            if status == 200:
                self.held.add((method, of))
        return status, answer, headers


def every_answer(server, who):
    """Those that nothing else asks for."""
    for path in ("/why?q=c566", "/registry/show?what=10.20.4.17", "/blocks/diff?preview=true", "/sessions?type=all&limit=500",
                 "/alerts?group=host,rule", "/alerts?silenced=true", "/exceptions?all=true", "/blocks?all=true"):
        status, body, _ = server.ask("GET", "/api/v1" + path, **who)
        check(f"{path} answers", status == 200, body)
    for path, sent in (("/exceptions/add", {"prefix": "10.9.9.9", "from": "both", "for": "48h", "reason": "a test"}),
                       ("/policy/mode", {"mode": "off", "reason": "a test"}), ("/policy/mode", {"mode": "simulate", "reason": "again"}),
                       ("/policy/pause", {"for": "30m", "reason": "a test"}), ("/policy/resume", {"reason": "a test"}),
                       ("/registry/decide", {"form": "2026-1", "action": "check"}),
                       ("/registry/receipt", {"form": "2026-1", "receipt": True})):
        status, body, _ = server.ask("POST", "/api/v1" + path, sent, **who)
        check(f"{path} is done", status == 200, body)
        check(f"{path} says what it did", body["messages"] or body["data"], body)
    server.ask("GET", "/api/v1/exceptions", **who)


def events(server, who):
    _, body, _ = server.ask("GET", "/api/v1/sessions?limit=2", **who)
    first = body["data"]["rows"]
    check("a page has so many rows", len(first) == 2 and body["data"]["next"], body)
    _, body, _ = server.ask("GET", "/api/v1/sessions?limit=2&after=" + body["data"]["next"], **who)
    check("the next page goes on", not {r["event_id"] for r in first} & {r["event_id"] for r in body["data"]["rows"]})
    status, body, _ = server.ask("GET", "/api/v1/sessions/" + first[0]["event_id"], **who)
    check("an event is explained", status == 200 and body["data"]["schema"] == "span25.event", body)


def changes(server, who):
    token = {k: v for k, v in who.items() if k != "X_CSRF_Token"}
    act = {"action": "ack", "ids": ["c566"], "note": "--help"}
    path = "/api/v1/alerts/act"
    for why, fields in (("no token", token), ("a wrong token", {**who, "X_CSRF_Token": "0" * 64}),
                        ("another origin", {**who, "Origin": "http://evil.example"})):
        status, body, _ = server.ask("POST", path, act, **fields)
        check(f"{why} is refused", status == 403, (status, body))
    status, body, _ = server.ask("POST", path, act, **who)
    check("an alert is acknowledged", status == 200 and "acknowledged" in body["messages"][0], body)
    status, body, _ = server.ask("POST", path, {"action": "close", "ids": ["c566"]}, **who)
    check("a close without a reason is refused", status == 409, (status, body))
    form = (FIXTURES / "library-form.yaml").read_text()
    status, body, _ = server.ask("POST", "/api/v1/registry/submit", {"text": form}, **who)
    check("a form is taken in", status == 200 and "received" in body["messages"][0], body)
    status, body, _ = server.ask("GET", "/api/v1/audit", **who)
    rows = body["data"]["rows"]
    check("the change is in the log", any(r["kind"] == "alert" and r["actor"] == "ines" and r["note"] == "--help"
                                          for r in rows), rows)


def refusals(server):
    for path in ("/api/v1/me", "/api/v1/alerts", "/api/v1/stream", "/api/v1/now"):
        status, _, _ = server.ask("GET", path)
        check(f"nobody sees {path}", status == 401, status)
    fixed = "span25=" + "A" * 43
    status, _, headers = server.ask("POST", "/api/v1/login", {"user": "ines", "password": "one"}, Cookie=fixed)
    check("a session is not chosen by who logs in", status == 200 and fixed not in headers["Set-Cookie"], headers)
    viewer = server.login("vera", "two")
    status, body, _ = server.ask("GET", "/api/v1/alerts/c566", **viewer)
    check("who only looks sees no content", status == 200 and body["data"]["content"] is False
          and all(not e["said"] and "smtp" not in e["event"] for e in body["data"]["evidence"]), body)
    for method, path, sent in (("POST", "/api/v1/alerts/act", {"action": "ack", "ids": ["c566"]}),
                               ("GET", "/api/v1/audit", None)):
        status, _, _ = server.ask(method, path, sent, **viewer)
        check(f"{path} is not for who only looks", status == 403, status)
    status, body, _ = server.ask("GET", "/api/v1/alerts?colour=red", **viewer)
    check("an unknown parameter is named", status == 400 and "colour" in body["error"]["message"], body)
    status, _, _ = server.ask("POST", "/api/v1/logout", {}, **viewer)
    check("log-out", status == 200, status)
    status, _, _ = server.ask("GET", "/api/v1/me", **viewer)
    check("a session that ended is none", status == 401, status)
    # one more than may be tried
    said = [server.ask("POST", "/api/v1/login", {"user": "vera", "password": "x"}) for _ in range(40)]
    slow = [headers for status, _, headers in said if status == 429]
    check("wrong passwords are slowed down", slow and slow[0]["Retry-After"], [s for s, _, _ in said])


def settled(server, who):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        _, body, _ = server.ask("GET", "/api/v1/studies", **who)
        if not body["data"]["job"]["running"]:
            return body["data"]
        time.sleep(0.05)
    raise TimeoutError("the study does not end")


def study_begun(server, state, who):
    path = "/api/v1/studies/start"
    _, body, _ = server.ask("GET", "/api/v1/studies", **who)
    recorded = body["data"]["recorded"]
    check("what is recorded is told", recorded["from"].startswith("2026-01-05T08:00:11") and
          recorded["to"].startswith("2026-01-05T08:11:06") and body["data"]["job"] is None, body)
    for why, ask in (("no name", {"action": "run"}), ("a path", {"action": "run", "name": "../x"}),
                     ("a path", {"action": "run", "name": "a/b"}), ("an ending", {"action": "run", "name": "a.json"}),
                     ("a flag", {"action": "run", "name": "-o"}), ("another verb", {"action": "show", "name": "a"}),
                     ("a file as policy", {"action": "run", "name": "a", "policies": ["/etc/passwd"]}),
                     ("a review of none", {"action": "review", "name": "nothing"}),
                     ("a review that was not counted", {"action": "run", "name": "a", "reviewed": "../x"})):
        status, body, _ = server.ask("POST", path, ask, **who)
        check(f"{why} begins no study", status == 400, (status, body))
    asked = {"action": "run", "name": "one", "title": "First", "policies": ["P1", "P4"], "from": "2026-01-05"}
    status, body, _ = server.ask("POST", path, asked, **who)
    check("a study begins", status == 200, body)
    data = settled(server, who)
    check("and ends", data["job"]["code"] == 0 and data["job"]["user"] == "fay" and data["job"]["messages"] == [], data)
    row = data["rows"][0]
    check("it is listed", row["name"] == "one" and row["author"] == "fay" and row["report"] and row["to"].startswith(
        "2026-01-05T08:11") and row["review"] is None and row["published"] is None, row)
    text = pathlib.Path(state, "studies", "one.json").read_text()
    check("it says how it was made", f"span25 study run --state={state}" in json.loads(text)["cover"]["command"])
    status, _, _ = server.ask("POST", path, asked, **who)
    check("nothing is written over", status == 409 and pathlib.Path(state, "studies", "one.json").read_text() == text)
    server.ask("POST", path, {"action": "run", "name": "two", "plan": "policies: [{name: X, kind: nonsense}]"}, **who)
    job = settled(server, who)["job"]
    check("what is wrong is told in the words of the verb", job["code"] == 2 and "nonsense" in str(job["messages"]), job)
    server.ask("POST", path, {"action": "sweep", "name": "swept", "policies": ["P2"], "limit": "per-hour", "low": "5",
                              "high": "500"}, **who)
    check("a limit is swept", settled(server, who)["job"]["code"] == 0)
    _, body, _ = server.ask("GET", "/api/v1/studies/swept", **who)
    check("from low to high", [p["limit"] for p in body["data"]["sweeps"][0]["v"]][::8] == [5, 500], body)
    status, _, _ = server.ask("POST", "/api/v1/studies/stop", {}, **who)
    check("nothing runs that could be stopped", status == 409, status)
    pathlib.Path(state, "studies", "slow.d").mkdir()
    status, _, _ = server.ask("POST", path, {"action": "run", "name": "slow"}, **who)
    check("what the page keeps of another study is kept", status == 409, status)


def study_report(server, who):
    status, text, headers = server.ask("GET", "/api/v1/studies/report/one", **who)
    policy = headers["Content-Security-Policy"]
    check("the report is given out", status == 200 and text.startswith(b"<!DOCTYPE html>") and b"<script" not in text)
    check("with a policy of its own", policy.startswith("sandbox; default-src 'none'; ") and "script" not in policy, policy)
    for name in ("nothing", "..%2fone", "one.html", "one%00"):
        status, _, headers = server.ask("GET", "/api/v1/studies/report/" + name, **who)
        check(f"no report of {name}", status in (400, 404) and "script-src 'self'" in headers["Content-Security-Policy"])
    status, _, _ = server.ask("GET", "/api/v1/studies/report/one")
    check("nobody sees a report", status == 401, status)


def judged(server, who, word):
    seen = []
    while True:
        _, body, _ = server.ask("GET", "/api/v1/studies/review/one", **who)
        data = body["data"]
        if data["message"] is None:
            return data, seen
        seen.append(data["message"])
        n = data["message"]["number"]
        status, body, _ = server.ask("POST", "/api/v1/studies/judge", {"name": "one", "number": n, "verdict": word(n)}, **who)
        assert status == 200, body


def study_reviewed(server, who, people):
    ana, ben, cyd = people
    count = "/api/v1/studies/count"
    server.ask("POST", "/api/v1/studies/start", {"action": "review", "name": "one", "sample": "20"}, **who)
    check("messages are drawn", settled(server, who)["job"]["code"] == 0)
    status, body, _ = server.ask("POST", "/api/v1/studies/start", {"action": "review", "name": "one"}, **who)
    check("once", status == 409, body)
    status, _, _ = server.ask("GET", "/api/v1/studies/review/one", **who)
    check("who may not see content sees no message", status == 403, status)
    data, seen = judged(server, ana, lambda n: "malicious")
    check("all messages come", data["reviewer"] == 1 and data["done"] == data["of"] == len(seen) > 5, data)
    check("without host and verdict", not any({"host", "class", "detector", "stratum"} & set(m) for m in seen) and
          "10.20." not in json.dumps(seen), seen)
    _, body, _ = server.ask("GET", "/api/v1/studies/review/one?number=2", **ana)
    check("one's own word can be seen again", body["data"]["said"] == "malicious" and
          body["data"]["message"]["number"] == 2, body)
    for ask in ({"number": "0", "verdict": "ordinary"}, {"number": "9999", "verdict": "ordinary"},
                {"number": "1", "verdict": "spam"}):
        status, _, _ = server.ask("POST", "/api/v1/studies/judge", {"name": "one", **ask}, **ana)
        check(f"{ask} is no judgement", status == 400, status)
    status, _, _ = server.ask("POST", count, {"name": "one"}, **ana)
    check("one reviewer is not enough", status == 409, status)
    _, body, _ = server.ask("GET", "/api/v1/studies/review/one", **cyd)
    check("the second place is free", body["data"]["reviewer"] == 2 and body["data"]["said"] is None, body)
    judged(server, ben, lambda n: "malicious" if n % 3 else "ordinary")
    status, _, _ = server.ask("POST", count, {"name": "one"}, **ana)
    check("where they differ a third one is needed", status == 409, status)
    data, seen = judged(server, cyd, lambda n: "ordinary")
    check("who sees only those", data["reviewer"] == 3 and all(m["number"] % 3 == 0 for m in seen), seen)
    status, body, _ = server.ask("POST", count, {"name": "one"}, **who)
    check("then it is counted", status == 200 and body["data"]["schema"] == "span25-review-1" and
          body["data"]["counts"]["resolved"] == len(seen), body)
    server.ask("POST", "/api/v1/studies/start", {"action": "run", "name": "again", "reviewed": "one"}, **who)
    check("a study takes it", settled(server, who)["job"]["code"] == 0)
    _, body, _ = server.ask("GET", "/api/v1/studies/again", **who)
    check("and says so", body["data"]["review"]["there"] and any(h["reviewed"] for h in body["data"]["hosts"]))


def study_published(server, state, who):
    ask, file = {"name": "one", "reason": "agreed by all"}, pathlib.Path(state, "studies", "one.json")
    status, _, _ = server.ask("POST", "/api/v1/studies/publish", {"name": "one"}, **who)
    check("it is not published without a reason", status == 409, status)
    status, body, _ = server.ask("POST", "/api/v1/studies/publish", ask, **who)
    check("a study is published", status == 200, body)
    status, _, _ = server.ask("POST", "/api/v1/studies/publish", ask, **who)
    check("once", status == 409, status)
    _, body, _ = server.ask("GET", "/api/v1/studies", **who)
    row = next(r for r in body["data"]["rows"] if r["name"] == "one")
    check("by whom and why", row["published"]["by"] == "fay" and row["published"]["reason"] == "agreed by all" and
          row["published"]["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest(), row)
    _, body, _ = server.ask("GET", "/api/v1/studies/one", **who)
    check("it is what was published", not body["partial"], body["messages"])
    file.chmod(0o600)
    file.write_text(file.read_text() + "\n")
    _, body, _ = server.ask("GET", "/api/v1/studies/one", **who)
    check("what was changed is told", body["partial"] and "changed since" in body["messages"][0], body["messages"])


def studies(server, program, state, users):
    people = {}
    for name, roles in (("fay", "firewall"), ("ana", "analyst"), ("ben", "analyst"), ("cyd", "analyst")):
        run(program, "serve", "user", "--users", users, "--roles", roles, name, given=name + "\n")
    server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end: # until it has read the file
        status, _, _ = server.ask("POST", "/api/v1/login", {"user": "cyd", "password": "cyd"})
        if status == 200:
            break
    people = {name: server.login(name, name) for name in ("fay", "ana", "ben", "cyd")}
    study_begun(server, state, people["fay"])
    study_report(server, people["ana"])
    study_reviewed(server, people["fay"], [people["ana"], people["ben"], people["cyd"]])
    study_published(server, state, people["fay"])


def headlines(server, who):
    _, body, _ = server.ask("GET", "/api/v1/now", **who)
    said = body["data"]["headlines"]
    strangers = said["unregistered"]
    check("who is not registered is told", strangers["count"] == 3 and strangers["exact"] and
          {r["host"] for r in strangers["rows"]} == {"10.20.4.17", "10.20.6.30", "10.20.7.3"}, strangers)
    blocked = said["if_blocked"]
    check("who would be stopped is told", blocked["hosts"] == 1 and blocked["owners"] == 1, blocked)
    check("nobody is listed", said["world"] == {"count": 0, "exact": True, "rows": []}, said["world"])


def listed(program, temp, users):
    state = temp + "/listed"
    run(program, "read", "-q", *CONFIG, "--state", state, str(FIXTURES / "lab.pcap"))
    server = Server(program, state, users)
    _, body, _ = server.ask("GET", "/api/v1/now", **server.login("ines", "one"))
    server.stop()
    world = body["data"]["headlines"]["world"]
    rows = {(r["list"], r["host"], r["servers"], r["replies"]) for r in world["rows"]}
    check("who is listed is told, and where", rows == {
        ("bl.example-rbl.test", "10.20.4.17", 1, 2), ("zen.example-bl.test", "10.20.4.17", 1, 2)} and
          world["count"] == 2, world)


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as temp:
        state, users = temp + "/state", temp + "/users"
        code, _, err = run(program, "read", "-q", *CONFIG, "--registry", str(FIXTURES / "bot-registry.csv"), "--state",
                           state, str(FIXTURES / "bot.pcap.gz"))
        check("a state is made", code == 0, err)
        for name, roles, password in (("ines", "admin", "one"), ("vera", "viewer", "two")):
            code, out, err = run(program, "serve", "user", "--users", users, "--roles", roles, name, given=password + "\n")
            check(f"{name} is added", code == 0 and f"{name}: added, {roles}" in out, err)
        check("the file is its owner's", pathlib.Path(users).stat().st_mode & 0o777 == 0o600)
        server = Server(program, state, users)
        try:
            who = server.login("ines", "one")
            _, api, _ = server.ask("GET", "/api/v1/openapi.json", **who)
            if Schema is not None:
                described(api)
                held = Described(server, api).held
            changes(server, who)
            every_route(server, program, state, who)
            events(server, who)
            headlines(server, who)
            studies(server, program, state, users)
            every_answer(server, who)
            refusals(server)
            if Schema is not None:
                gets = {("GET", p) for p, m in api["paths"].items() if "get" in m}
                missing = gets - held - {("GET", "/stream"), ("GET", "/studies/{name}"), ("GET", "/studies/report/{name}")}
                check("every answer was held against its description", not missing, missing)
            else:
                print("no jsonschema: answers are not held against their description")
        finally:
            began = time.monotonic()
            code, told = server.stop()
        check("SIGTERM ends it in order", code == 0 and time.monotonic() - began < PATIENCE_S, (code, told))
        journal = "".join(p.read_text() for p in pathlib.Path(state, "journal").glob("*.jsonl"))
        for action in ("login", "logout", "refused", "look", "study", "publish"):
            check(f"{action} is journaled", f'"kind":"page","action":"{action}"' in journal
                  or re.search(rf'"kind":"page","text":"[^}}]*","action":"{action}"', journal))
        server = Server(program, state, users, "--read-only")
        who = server.login("ines", "one")
        status, _, _ = server.ask("POST", "/api/v1/policy/mode", {"mode": "off", "reason": "x"}, **who)
        check("a read-only server changes nothing", status == 403, status)
        server.stop()
        listed(program, temp, users)
    print(f"{results['passed']} passed, {results['failed']} failed")
    return 1 if results["failed"] or not results["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
