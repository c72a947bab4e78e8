#!/usr/bin/env python3
"""Ask the page's server for all that its own description has, and for what it has not.

    serve_fuzz_test.py [--long SECONDS] [--seed N] PROGRAM

Each route and each parameter of /openapi.json: missing, empty, as long as may be, longer by one, of another type, deep,
twice, no UTF-8, paths, flags, format strings, bytes at random; as each role. What comes back must be JSON of the known
shape with the fields of every answer, say what was wrong, and be no fault of the server's. Methods that are not
described are 405, changes without their token or from elsewhere are 403. With --long goes on so long, with a new state
now and then. The last line is "N passed, N failed".
"""
import http.client
import json
import pathlib
import random
import re
import sys
import tempfile
import time
import unicodedata
import urllib.parse

from serve_test import CONFIG, FIXTURES, PATIENCE_S, Server, check, results, run

API = "/api/v1"
SEED = 25
EACH = 9       # odd values of a parameter, without --long
AT_RANDOM = 400
ROUND = 6000   # requests of a state, with --long
ROLES = ("viewer", "analyst", "registrar", "firewall", "admin")
STATUS = {200, 400, 401, 403, 404, 405, 409, 413, 415, 429, 431}
MESSAGE_MOST = 8192
ALWAYS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY",
          "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
          "Cache-Control": "no-store"}
POLICY = ("default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'", "frame-ancestors 'none'",
          "base-uri 'none'", "form-action 'self'")
GOOD = {"id": "c566", "ids": ["c566"], "address": "10.20.4.17", "host": "10.20.4.17", "subject": "10.20.4.18",
        "prefix": "10.20.9.0/24", "q": "10.20.4.17", "what": "2026-1", "limit": "20", "since": "24h", "until": "2026-01-05",
        "severity": "high", "status": "new", "silenced": "true", "group": "host,rule", "level": "alert", "action": "ack",
        "registered": "unregistered", "for": "4h", "mode": "simulate", "from": "both", "form": "2026-1", "within": "12h",
        "reason": "seen by the desk", "name": "one", "type": "smtp", "user": "vera", "password": "two", "who": "vera"}
TEXTS = ["", " ", "0", "-1", "1", "2", "499", "501", "4294967296", "9" * 40, "1e999", "NaN", "null", "true", "[]", "{}", "--help",
         "-h", "--", "-", "--state=/tmp", "-c/etc/passwd", "@/etc/passwd", "../../etc/passwd", "..%2f..%2fetc%2fpasswd",
         "....//....//etc/passwd", "/etc/passwd", "file:///etc/passwd", "..\\..\\x", ".", "..", "a/b", "' OR 1=1 --",
         "\"; DROP TABLE events; --", "%' AND 1=0 UNION SELECT 1,2,3 --", "*", "%", "_", "%s%s%s%n", "%x%p", "{0}", "${x}", "$(id)",
         "`id`", "|id", ";id", "a\nb", "a\r\nSet-Cookie: x=1", "\t", "\x01\x1b[31m\x7f", "\u202eabc\u2066", "\u200b\ufeff",
         "\ufffd", "\U0001f600" * 8, "e" + "\u0301" * 40, "<script>alert(1)</script>", "=1+1", "10.0.0.0/0", "::/0", "0.0.0.0",
         "255.255.255.255", "::ffff:10.0.0.1", "10.20.4.17/33", "fe80::1%eth0", "1" * 16, "f" * 64, "0000", "1969-12-31",
         "9999-12-31T23:59:60Z", "2026-02-30", "-5m", "999999999999h", "1d1d", "now", "in 3 days"]
# Bodies that are no JSON, or more than one reads.
BODIES = [b"", b"{", b"}", b"[]", b"null", b"1", b'"x"', b"{}{}", b"{}x", b"\xef\xbb\xbf{}", b'{"a"', b'{"a":}', b'{"a":1,}', b"{'a':1}",
          b'{"a":1 "b":2}', b"\x00", b"\xff\xfe{\x00}\x00", b'{"a":' + b"[" * 31 + b"]" * 31 + b"}",
          b'{"a":' + b"[" * 5000, b'{"a":' + b'{"a":' * 5000 + b"1" + b"}" * 5001, b'{"reason":"\\ud800"}',
          b'{"reason":"\\u0000"}', b'{"reason":"\xff\xfe"}', b'{"reason":"\xc0\xae"}', b'{"reason":"\xed\xa0\x80"}',
          b'{"reason":"a\nb"}', b'{"reason":"\\x"}', b'{"reason":1e999}', b'{"reason":' + b"9" * 4000 + b"}",
          b'{"reason":"a","reason":"b"}', b'{"":""}', b'{"\\u0072eason":"x"}', b'{"constructor":"x","__proto__":{}}',
          b" " * 60000 + b"{}", b'{"x":"' + b"y" * 300000 + b'"}', b'{"ids":[' + b'"c566",' * 700 + b'"c566"]}',
          b"user=a&password=b", b"<a/>", b"schema: span25.form\nlines: [&a [*a]]\n"]
FORMS = ["", "\0", "a: &a [*a]", "a: !!python/object/apply:os.system [id]", "- " * 2000, "{" * 2000, "x: |\n" + "  y\n" * 3000,
         "---\n---\n", "\ufeff", "a: b: c", "? ", "\t", "%YAML 9.9\n---\n", "a: 'b", "site: {name: [1, {x: y}]}"]


class Odd:
    """Counts what was asked, and keeps what an answer must be."""

    def __init__(self, server, seen):
        self.server, self.seen, self.asked = server, seen, 0
        self.to = None

    def send(self, method, target, body, fields):
        """One request on a connection that is kept; its status, fields and bytes."""
        for again in (True, False):
            if self.to is None:
                self.to = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE_S)
            try:
                self.to.putrequest(method, target, skip_accept_encoding=True)
                for name, value in fields.items():
                    self.to.putheader(name, value)
                if body is not None:
                    self.to.putheader("Content-Length", str(len(body)))
                self.to.endheaders(body)
                answer = self.to.getresponse()
                return answer.status, answer.headers, answer.read()
            except (http.client.HTTPException, OSError):
                self.to.close()
                self.to = None
                if not again:
                    raise

    def ask(self, why, method, target, body=None, who=None, **fields):
        headers = dict(who or {})
        if body is not None:
            headers |= {"Content-Type": "application/json", "Origin": f"http://127.0.0.1:{self.server.port}"}
        headers |= {name.replace("_", "-"): value for name, value in fields.items() if value is not None}
        headers = {name: value for name, value in headers.items() if fields.get(name.replace("-", "_"), "") is not None}
        what = f"{why}: {method} {target[:200]} {(body or b'')[:120]!r}"
        self.asked += 1
        try:
            status, got, text = self.send(method, target, body, headers)
        except (http.client.HTTPException, OSError) as e:
            check(what, False, f"no answer: {e!r}, the server is {self.server.process.poll()}")
            return 0, None
        return status, self.look(what, method, status, got, text)

    def look(self, what, method, status, got, text):
        self.seen[status] = self.seen.get(status, 0) + 1
        wrong = [f"{name}: {got[name]}" for name, value in ALWAYS.items() if got[name] != value]
        wrong += [f"no {part} in the policy" for part in POLICY if part not in (got["Content-Security-Policy"] or "")]
        if not re.fullmatch(r"[0-9a-f]{16}", got["X-Request-Id"] or ""):
            wrong.append("no id")
        if status not in STATUS:
            wrong.append(f"status {status}")
        if status == 429 and not 0 < int(got["Retry-After"] or 0) < 7200:
            wrong.append("no time to wait")
        if status == 405 and "GET" not in (got["Allow"] or ""):
            wrong.append("no Allow")
        if not (got["Content-Type"] or "").startswith("application/json"):
            wrong.append(f"type {got['Content-Type']}")
        document = None
        if method != "HEAD":
            try:
                document = json.loads(text.decode("utf-8"), object_pairs_hook=members, parse_constant=no_number)
                wrong += shape(status, document, got["X-Request-Id"])
            except ValueError as e:
                wrong.append(f"no JSON: {e} {text[:200]!r}")
        check(what, not wrong, (wrong, status, text[:300]))
        return document


def members(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError(f"a member twice: {[name for name, _ in pairs]}")
    return dict(pairs)


def no_number(word):
    raise ValueError(word)


def shape(status, document, number):
    """What is wrong with an answer."""
    if not isinstance(document, dict):
        return ["no object"]
    if status == 200:
        if "openapi" in document:
            return []
        good = {"data", "messages", "partial"} <= set(document) <= {"data", "messages", "partial", "as_of"} and (
            isinstance(document["partial"], bool) and all(isinstance(m, str) for m in document["messages"]))
        return [] if good else [f"members {sorted(document)}"]
    error = document.get("error")
    if set(document) != {"error"} or not isinstance(error, dict) or set(error) != {"message", "id"}:
        return ["no error.message and error.id"]
    said = error["message"]
    if not said or len(said) > MESSAGE_MOST:
        return [f"a message of {len(said)} characters"]
    if error["id"] != number:
        return ["another id"]
    raw = [c for c in said if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")]
    return [f"{raw!r} is in the message as it came"] if raw else []


# ---- what is asked ----

class Fuzz:
    def __init__(self, server, state, seed, every):
        self.random = random.Random(seed)
        self.every, self.state = every, state
        self.seen = {}
        self.odd = Odd(server, self.seen)
        self.who = {None: {}}
        self.server = server
        for role in ROLES:
            in_ = server.login(role[:3], "secret-" + role)
            self.who[role] = {"Cookie": in_["Cookie"], "X-CSRF-Token": in_["X_CSRF_Token"]}
        _, self.api = self.odd.ask("the description", "GET", f"{API}/openapi.json", who=self.who["admin"])
        self.routes = []
        for path, methods in self.api["paths"].items():
            for method, told in methods.items():
                if path not in ("/login", "/logout", "/stream"):
                    told["x-roles"] = told["x-roles"] or list(ROLES)
                    self.routes.append((path, method.upper(), told, self.parameters(method, told)))

    @staticmethod
    def parameters(method, told):
        """name: (in, type, most)"""
        schemas = {p["name"]: (p["in"], p["schema"]) for p in told["parameters"]}
        if method == "post":
            of = told["requestBody"]["content"]["application/json"]["schema"]["properties"]
            schemas |= {name: ("body", p) for name, p in of.items()}
        return {name: (where, s["type"], 5 if s["type"] == "boolean" else s.get("items", s)["maxLength"])
                for name, (where, s) in schemas.items()}

    def good(self, parameters):
        return {name: GOOD[name] for name in parameters if name in GOOD and (name in ("id", "address", "name", "q", "what")
                                                                             or parameters[name][0] == "body")}

    def send(self, why, route, values, role, extra=""):
        """values: name to text, bytes, or of any type where it is in the body."""
        path, method, _, parameters = route
        query, body = [], {}
        for name, value in values.items():
            where = parameters.get(name, ("body" if method == "POST" else "query",))[0]
            if where == "path":
                path = path.replace("{%s}" % name, quote(value))
            elif where == "query":
                query.append(f"{quote(name)}={quote(value)}")
            else:
                body[name] = value.decode("latin-1") if isinstance(value, bytes) else value
        path = re.sub(r"\{.*\}", "", path)
        target = API + path + ("?" + "&".join(query) if query else "") + extra
        # a lone surrogate is sent as its escape, as a hostile client would
        sent = json.dumps(body).encode() if method == "POST" else None
        return self.odd.ask(f"{why} as {role}", method, target, sent, self.who[role])

    # -- routes --

    def roles(self, route):
        """Who may, may: the others are told so, whatever they send."""
        allowed = route[2]["x-roles"]
        for role in self.who:
            status, _ = self.send("who may", route, self.good(route[3]), role)
            want = {401} if role is None else {403} if role not in allowed else STATUS - {401, 403}
            check(f"{route[1]} {route[0]} as {role}", status in want, status)

    def methods(self, path, methods):
        path = re.sub(r"\{.*\}", "x", path)
        there = {m.upper() for m in methods}
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "X" * 40):
            named = [p for p, m in self.api["paths"].items() if "{" in p and method.lower() in m
                     and re.fullmatch(re.sub(r"\{.*\}", "[^/]+", p), path)]
            if method not in there and not named:
                status, _ = self.odd.ask("another method", method, API + path, b"{}" if method == "POST" else None,
                                         self.who["admin"])
                check(f"{method} {path} is not described", status == 405, status)
        if "GET" in there and path != "/stream":
            got, _ = self.odd.ask("head", "HEAD", API + path, None, self.who["admin"])
            check(f"HEAD {path} is as GET", got in STATUS - {405}, got)

    def foreign(self, route):
        """Changes that the page of this server did not ask for."""
        own = f"http://127.0.0.1:{self.server.port}"
        other = self.who["viewer"]["X-CSRF-Token"]
        token = self.who["admin"]["X-CSRF-Token"]
        for why, fields in (("no token", {"X_CSRF_Token": None}), ("an empty token", {"X_CSRF_Token": ""}),
                            ("the token of somebody else", {"X_CSRF_Token": other}),
                            ("a longer token", {"X_CSRF_Token": token + "0"}), ("another origin", {"Origin": "http://evil.example"}),
                            ("an origin that begins so", {"Origin": own + ".evil.example"}), ("no origin", {"Origin": None}),
                            ("origin null", {"Origin": "null"}), ("another scheme", {"Origin": own.replace("http", "https")}),
                            ("another port", {"Origin": "http://127.0.0.1:1"}), ("a page of another site", {"Sec_Fetch_Site": "cross-site"}),
                            ("a page beside", {"Sec_Fetch_Site": "same-site"})):
            status, _ = self.odd.ask(why, "POST", API + route[0], json.dumps(self.good(route[3])).encode(),
                                     self.who["admin"], **fields)
            check(f"{why}: {route[0]}", status == 403, status)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "application/jsonp"):
            status, _ = self.odd.ask(f"type {kind!r}", "POST", API + route[0], b"{}", self.who["admin"], Content_Type=kind)
            check(f"a body of type {kind!r}: {route[0]}", status == 415, status)

    # -- values --

    def sample(self, values, n):
        return values if self.every else self.random.sample(values, min(n, len(values)))

    def role_for(self, route):
        """Mostly one that may: a refusal looks at nothing."""
        return self.random.choice(route[2]["x-roles"]) if self.random.random() < 0.9 else self.random.choice(list(self.who))

    def parameter(self, route, name):
        where, kind, most = route[3][name]
        rest = {k: v for k, v in self.good(route[3]).items() if k != name}
        odd = self.sample(TEXTS + (FORMS if name == "text" and where == "body" else []), EACH)
        if where == "body":
            odd = odd + self.sample([None, 0, -1, 1.5, 10**40, True, False, [], {}, [[]], [None, 1, {}], {"a": []}, ["a"] * 601,
                                     "\ud800", "a\0b", ["c566", "c566"], [["c566"]], "x" * 5000], EACH)
        else:
            odd = odd + self.sample([b"\xff\xfe", b"\xc0\xae\xc0\xae", b"\xed\xa0\x80", b"a\0b", b"\xf4\x90\x80\x80", b"\x80" * 3], 3)
        self.send("it is missing", route, rest, self.role_for(route))
        for value in odd:
            self.send(f"an odd {name}", route, rest | {name: value}, self.role_for(route))
        if kind == "string":
            self.send(f"{name} as long as may be", route, rest | {name: "7" * most}, self.role_for(route))
            status, said = self.send(f"{name} longer by one", route, rest | {name: "7" * (most + 1)}, route[2]["x-roles"][0])
            limit = 1 << 20 if where == "body" else 15000 # of the head or the body
            check(f"{route[0]}: {name} is too long", status in ((400,) if most < limit else (400, 413, 431)) and
                  ("too long" in said["error"]["message"]), (status, said))
        elif where == "query":
            status, _ = self.send(f"{name} is no word", route, rest | {name: "maybe"}, route[2]["x-roles"][0])
            check(f"{route[0]}: {name} is true or false", status == 400, status)
        if where == "query" and name in GOOD:
            status, _ = self.send("twice", route, rest | {name: GOOD[name]}, route[2]["x-roles"][0], f"&{name}={GOOD[name]}")
            check(f"{route[0]}: {name} twice", status == 400, status)

    def bodies(self, route):
        for body in self.sample(BODIES, EACH):
            status, _ = self.odd.ask("a body", "POST", API + route[0], body, self.who[self.random.choice(route[2]["x-roles"])])
            check(f"{route[0]}: {body[:40]!r} is no change", status in (400, 404, 409, 413, 415), status)

    def chance(self):
        """A route, with values of any parameter at random."""
        r = self.random
        route = r.choice(self.routes)
        values = self.good(route[3])
        for name in r.sample(list(route[3]), r.randint(0, len(route[3]))):
            kind = r.random()
            if kind < 0.4:
                values[name] = r.choice(TEXTS)
            elif kind < 0.6:
                values[name] = mangled(r, str(values.get(name, "c566")))
            elif kind < 0.7 and route[3][name][0] == "body":
                values[name] = r.choice(FORMS)
            else:
                values[name] = r.randbytes(r.randint(0, 40))
        if r.random() < 0.1:
            values[r.choice(TEXTS) or "x"] = "x"
        self.send("at random", route, values, self.role_for(route))

    def paths(self):
        """Files, and what lies about them."""
        page = self.odd.send("GET", "/", None, {})[2]
        for path in ("/..", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc/passwd", "/%2e%2e%5c", "/assets/../../etc/passwd", "//etc/passwd",
                     "/api/v1/studies/..", "/api/v1/studies/%2e%2e%2fusers", "/api/v1/studies/..%2fusers", "/api/v1/studies/users%00.json",
                     "/api/v1/studies/.%2e", "/api/v1/studies/%252e%252e%252fusers", "/api/v1/rules/..%2f..%2fusers", "/api/v1/%2e%2e/me",
                     "/api/v1/../v1/me", "/api/", "/api/v2/me", "/api/v1", "/api/v1//me", "/api/v1/me/", "/API/V1/me", "/api/v1/me%20",
                     "/api/v1/me%0d%0aX:%20y", "/%", "/%zz", "/?%zz", "/api/v1/alerts?" + "&".join(f"a{i}=1" for i in range(40)),
                     "*", "http://evil.example/", "/api/v1/sessions/x?y=%00", "/api/v1/alerts?" + "x" * 9000, "/etc/passwd", "/journal", "/state",
                     "/.git/config", "/users", "/index.html/../users"):
            status, got, text = self.odd.send("GET", path, None, self.who["admin"])
            if status == 200: # the page knows its own paths
                check(f"{path} is the page", text == page, text[:200])
            else:
                self.odd.look(f"a path: {path}", "GET", status, got, text)
                check(f"{path} is nothing", status in (400, 404, 431), (status, text[:200]))

    def all(self):
        self.paths()
        for path, methods in self.api["paths"].items():
            if path not in ("/login", "/logout"):
                self.methods(path, methods)
        for route in self.routes:
            self.roles(route)
            if route[1] == "POST":
                self.foreign(route)
                self.bodies(route)
            for name in route[3]:
                self.parameter(route, name)


def quote(value):
    if isinstance(value, list):
        value = ",".join(value)
    if isinstance(value, bytes):
        return urllib.parse.quote_from_bytes(value, safe="")
    return urllib.parse.quote(str(value).encode("utf-8", "surrogatepass"), safe="")


def mangled(r, text):
    data = bytearray(text.encode())
    for _ in range(r.randint(1, 4)):
        at = r.randint(0, len(data))
        what = r.random()
        if what < 0.4 and data:
            data[at % len(data)] = r.randrange(256)
        elif what < 0.7:
            data[at:at] = r.randbytes(r.randint(1, 3))
        else:
            del data[at:at + r.randint(1, 5)]
    return bytes(data)


def prepare(program, temp):
    state, users = temp + "/state", temp + "/users"
    code, _, err = run(program, "read", "-q", *CONFIG, "--registry", str(FIXTURES / "bot-registry.csv"), "--state", state,
                       str(FIXTURES / "bot.pcap.gz"))
    check("a state is made", code == 0, err)
    form = (FIXTURES / "library-form.yaml").read_text()
    code, _, err = run(program, "registry", "submit", *CONFIG, "--state", state, "-", given=form)
    check("a form is taken in", code == 0, err)
    for role in ROLES:
        run(program, "serve", "user", "--users", users, "--roles", role, role[:3], given=f"secret-{role}\n")
    return state, users


def one_round(program, seed, long_s):
    with tempfile.TemporaryDirectory() as temp:
        state, users = prepare(program, temp)
        server = Server(program, state, users)
        code, told = None, ""
        try:
            fuzz = Fuzz(server, state, seed, long_s > 0)
            fuzz.all()
            until = time.monotonic() + long_s
            n = 0
            while n < AT_RANDOM or (n < ROUND and time.monotonic() < until):
                fuzz.chance()
                n += 1
                if server.process.poll() is not None:
                    break
            check("it lives", server.process.poll() is None, server.process.poll())
        finally:
            code, told = server.stop()
        check("it ends in order", code == 0, code)
        for mark in ("AddressSanitizer", "LeakSanitizer", "runtime error:", "REQUIRE", "assert"):
            check(f"no {mark}", mark not in told, told[-4000:])
    return fuzz


def main():
    words = sys.argv[1:]
    long_s = int(words[words.index("--long") + 1]) if "--long" in words else 0
    seed = int(words[words.index("--seed") + 1]) if "--seed" in words else SEED
    began = time.monotonic()
    while True:
        fuzz = one_round(words[-1], seed, long_s)
        print(f"seed {seed}: {fuzz.odd.asked} requests, {len(fuzz.routes)} routes, answers {dict(sorted(fuzz.seen.items()))}",
              flush=True)
        seed += 1
        if time.monotonic() - began >= long_s or results["failed"]:
            break
    print(f"{results['passed']} passed, {results['failed']} failed")
    return 1 if results["failed"] or not results["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
