#!/usr/bin/env python3
"""Ask the page's server as a browser does, with the real program.

    serve_test.py PROGRAM

A state is made from the bot's capture. Every route of the API's own description
is asked; where a verb stands behind it, the answer is what the verb prints. What
people change is in the journal, with their names. What must be refused is.
Attacks, and passwords in what is left behind, are those of serve_attack_test.py.
The last line is "N passed, N failed".
"""
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
        if "get" not in methods or path in ("/stream", "/studies/{name}", "/sessions/{id}", "/openapi.json"):
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
            every_answer(server, who)
            refusals(server)
            if Schema is not None:
                gets = {("GET", p) for p, m in api["paths"].items() if "get" in m}
                missing = gets - held - {("GET", "/stream"), ("GET", "/studies/{name}")}
                check("every answer was held against its description", not missing, missing)
            else:
                print("no jsonschema: answers are not held against their description")
        finally:
            began = time.monotonic()
            code, told = server.stop()
        check("SIGTERM ends it in order", code == 0 and time.monotonic() - began < PATIENCE_S, (code, told))
        journal = "".join(p.read_text() for p in pathlib.Path(state, "journal").glob("*.jsonl"))
        for action in ("login", "logout", "refused", "look"):
            check(f"{action} is journaled", f'"kind":"page","action":"{action}"' in journal
                  or re.search(rf'"kind":"page","text":"[^"]*","action":"{action}"', journal))
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
