#!/usr/bin/env python3
"""Attack the log-in, the sessions and the listeners of the page's server, with the real program.

    serve_attack_test.py PROGRAM

Sessions that somebody else chose, ended or outlived; names and passwords that are guessed; pages of other sites; a proxy
that is none; TLS that is none; certificate and users changed under a running server; what one listener has of the
other; and the passwords of all of it, looked for in every file and every word that the server left.
The last line is "N passed, N failed".
"""
import base64
import http.client
import json
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings

from serve_test import CONFIG, FIXTURES, PATIENCE_S, check, results, run
from support.certificates import Authority

SECRET = "Tr0ub4dor-{}-zebra-quill"
PEOPLE = (("ines", "admin"), ("vera", "viewer"), ("gone", "analyst"), ("rosa", "viewer"))


class Server:
    """One that may have two listeners, TLS, and all that it says is kept."""

    def __init__(self, program, state, users, *more, tls=None, config=None):
        self.tls, self.told = tls, []
        self.process = subprocess.Popen([program, "serve", *(config or CONFIG), "--state", state, "--users", users, "--listen",
                                         "127.0.0.1:0", *more], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports = []
        for _ in range(2 if "--public-listen" in more else 1):
            line = self.process.stderr.readline()
            at = re.search(r"at https?://127\.0\.0\.1:(\d+)/$", line)
            assert at, line + self.process.stderr.read()
            self.ports.append(int(at[1]))
        self.reader = threading.Thread(target=lambda: self.told.extend(self.process.stderr))
        self.reader.start()

    def connect(self, port=None, source=None):
        port = port or self.ports[0]
        if self.tls is not None:
            return http.client.HTTPSConnection("127.0.0.1", port, timeout=PATIENCE_S, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S, source_address=source)

    def ask(self, method, path, body=None, port=None, source=None, **fields):
        to = self.connect(port, source)
        own = f"{'https' if self.tls else 'http'}://127.0.0.1:{port or self.ports[0]}"
        headers = {} if body is None else {"Content-Type": "application/json", "Origin": own}
        headers |= {name.replace("_", "-"): value for name, value in fields.items()}
        to.request(method, path, json.dumps(body) if isinstance(body, dict) else body, headers)
        answer = to.getresponse()
        text = answer.read()
        to.close()
        return answer.status, json.loads(text) if "json" in answer.headers.get("Content-Type", "") else text, answer.headers

    def try_login(self, user, password=None, **fields):
        return self.ask("POST", "/api/v1/login", {"user": user, "password": password or SECRET.format(user)}, **fields)

    def login(self, user, **fields):
        status, body, headers = self.try_login(user, **fields)
        assert status == 200, (user, status, body)
        return {"Cookie": headers["Set-Cookie"].split(";")[0], "X_CSRF_Token": body["data"]["csrf"]}

    def me(self, who):
        return self.ask("GET", "/api/v1/me", **{k: v for k, v in who.items() if k == "Cookie"})[0]

    def hup(self):
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        return code, "".join(self.told) + self.process.stdout.read()


def until(fact):
    end = time.monotonic() + PATIENCE_S
    while not fact():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


class Stream:
    """Server-sent events that are read until they end."""

    def __init__(self, server, who):
        self.to = server.connect()
        self.to.request("GET", "/api/v1/stream", headers={"Cookie": who["Cookie"]})
        self.answer = self.to.getresponse()
        self.over = threading.Event()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while self.answer.read(1):
                pass
        except (OSError, http.client.HTTPException):
            pass
        self.over.set()


# ---- sessions ----

def sessions(server):
    chosen = "span25=" + "a" * 64
    status, _, headers = server.try_login("ines", Cookie=chosen)
    cookie = headers["Set-Cookie"]
    check("the id is not the one that came", status == 200 and "a" * 64 not in cookie, cookie)
    parts = [p.strip() for p in cookie.split(";")]
    check("the cookie", re.fullmatch(r"span25=[0-9a-f]{64}", parts[0]) and set(parts[1:]) ==
          {"Path=/", "HttpOnly", "SameSite=Strict"}, cookie)
    check("a chosen id is nobody", server.me({"Cookie": chosen}) == 401)
    one = {"Cookie": parts[0]}
    again = server.login("ines", Cookie=parts[0])
    check("each log-in has a new id", again["Cookie"] != parts[0])
    check("the id before the log-in is over", server.me(one) == 401)
    both = {"Cookie": f"{again['Cookie']}; span25={'b' * 64}"}
    check("of two cookies none is taken", server.me(both) == 401)
    for odd in ("span25=", "span25=" + again["Cookie"][7:].upper(), again["Cookie"][:-1], again["Cookie"] + "0", "SPAN25=" + again["Cookie"][7:],
                f'span25="{again["Cookie"][7:]}"'):
        check(f"{odd[:20]} is no session", server.me({"Cookie": odd}) == 401)
    other = server.login("vera")
    stream, others = Stream(server, again), Stream(server, other)
    check("a stream is open", stream.answer.status == 200 and not stream.over.is_set())
    status, _, headers = server.ask("POST", "/api/v1/logout", {}, **again)
    check("log-out takes the cookie back", status == 200 and "Max-Age=0" in headers["Set-Cookie"], headers)
    check("log-out ends it on the server", server.me(again) == 401)
    check("its stream ends", stream.over.wait(PATIENCE_S))
    check("that of others goes on", not others.over.is_set() and server.me(other) == 200)
    check("nothing is logged out twice", server.ask("POST", "/api/v1/logout", {}, **again)[0] == 401)


def foreign(server):
    who, other = server.login("ines"), server.login("vera")
    own = f"http://127.0.0.1:{server.ports[0]}"
    act = {"action": "ack", "ids": ["c566"]}
    for why, want, fields in (
            ("no token", 403, {"X_CSRF_Token": ""}), ("the token of another session", 403, {"X_CSRF_Token": other["X_CSRF_Token"]}),
            ("another origin", 403, {"Origin": "http://evil.example"}), ("origin null", 403, {"Origin": "null"}),
            ("a name that looks so", 403, {"Origin": f"{own}.evil.example"}), ("a page of the same site", 403, {"Sec_Fetch_Site": "same-site"}),
            ("another host, as after DNS was changed", 403, {"Host": "evil.example", "Origin": own}),
            ("a body of text", 415, {"Content_Type": "text/plain"}), ("a body of a form", 415, {"Content_Type": "application/x-www-form-urlencoded"})):
        status, body, _ = server.ask("POST", "/api/v1/alerts/act", json.dumps(act), **{**who, **fields})
        check(f"{why} changes nothing", status == want, (status, body))
    for why, fields in (("another origin", {"Origin": "http://evil.example"}), ("a page of another site", {"Sec_Fetch_Site": "cross-site"})):
        status, _, headers = server.try_login("vera", **fields)
        check(f"{why} logs nobody in", status == 403 and headers["Set-Cookie"] is None, status)
    check("a form of another site logs nobody in", server.ask("POST", "/api/v1/login", "user=vera&password=x",
                                                             Content_Type="text/plain")[0] == 415)
    check("a change is no GET", server.ask("GET", "/api/v1/logout", **who)[0] == 405 and server.me(who) == 200)


def guesses(server):
    """Other addresses of this machine are other people."""
    server.login("ines")
    said = [server.try_login("vera", f"wrong-{i}-password", source=(f"127.0.1.{i + 1}", 0)) for i in range(14)]
    slow = [h for s, _, h in said if s == 429]
    check("one name is not guessed from many places", slow and {s for s, _, _ in said} == {401, 429} and
          0 < int(slow[0]["Retry-After"]) < 3600, [s for s, _, _ in said])
    said = [server.try_login("nobody", f"wrong-{i}-password", source=(f"127.0.2.{i + 1}", 0)) for i in range(14)]
    check("a name that is none is slowed down as well", [s for s, _, _ in said].count(429) == len(slow), [s for s, _, _ in said])
    said = [server.try_login(f"name-{i}", source=("127.0.3.1", 0)) for i in range(14)]
    check("one place does not guess many names", 429 in {s for s, _, _ in said}, [s for s, _, _ in said])
    check("somebody else still comes in", server.try_login("ines", source=("127.0.4.1", 0))[0] == 200)


def names(server):
    """Who is there is not told."""
    def answer(user):
        status, body, headers = server.try_login(user, "wrong-Password", source=("127.0.5.1", 0))
        body["error"].pop("id")
        return status, body, sorted(k for k in headers if k != "Date"), headers["Content-Length"]
    check("a wrong name and a wrong password are the same", answer("rosa") == answer("nemo"), (answer("rosa"), answer("nemo")))


# ---- users and certificate that change ----

def users_change(server, program, users):
    gone, rosa, stays = server.login("gone"), server.login("rosa"), server.login("ines")
    stream = Stream(server, gone)
    run(program, "serve", "user", "--users", users, "--remove", "gone")
    run(program, "serve", "user", "--users", users, "--roles", "analyst", "rosa", given=SECRET.format("rosa") + "\n")
    check("before SIGHUP all is as it was", server.me(gone) == 200)
    server.hup()
    check("who was taken out is out", until(lambda: server.me(gone) == 401))
    check("also of the stream", stream.over.wait(PATIENCE_S))
    check("who has other roles logs in anew", until(lambda: server.me(rosa) == 401))
    new = server.login("rosa", Cookie=rosa["Cookie"])
    check("with a new id, and the new roles", new["Cookie"] != rosa["Cookie"] and
          server.ask("GET", "/api/v1/me", Cookie=new["Cookie"])[1]["data"]["roles"] == ["analyst"])
    check("others stay", server.me(stays) == 200)
    check("who was taken out cannot come back", server.try_login("gone")[0] == 401)
    text = pathlib.Path(users).read_text()
    pathlib.Path(users).write_text("no line of users\n")
    server.hup()
    check("a broken file changes nobody", until(lambda: any("stay as they were" in t for t in server.told)) and server.me(stays) == 200)
    pathlib.Path(users).write_text(text)


def tls(program, state, users, temp):
    ca = Authority(temp, "ca")
    cert, key = ca.sign("server", "DNS:localhost,IP:127.0.0.1")
    live_cert, live_key = temp + "/live.pem", temp + "/live.key"
    shutil.copy(cert, live_cert)
    shutil.copy(key, live_key)
    context = ssl.create_default_context(cafile=str(ca.certificate))
    server = Server(program, state, users, "--certificate", live_cert, "--key", live_key, tls=context)
    try:
        who = server.login("ines")
        check("the cookie is for TLS alone", who["Cookie"].startswith("__Host-span25="), who)
        _, _, headers = server.try_login("ines")
        check("and is marked so", "; Secure" in headers["Set-Cookie"] and "Path=/;" in headers["Set-Cookie"], headers["Set-Cookie"])
        with socket.create_connection(("127.0.0.1", server.ports[0]), PATIENCE_S) as plain:
            plain.sendall(b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n\r\n")
            said = plain.recv(4096)
        check("HTTP on its port is none", b"HTTP/1.1 2" not in said, said)
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            old = ssl.create_default_context(cafile=str(ca.certificate))
            old.set_ciphers("ALL:@SECLEVEL=0")
            try:
                old.minimum_version = old.maximum_version = version
                with socket.create_connection(("127.0.0.1", server.ports[0]), PATIENCE_S) as s, old.wrap_socket(s, server_hostname="localhost"):
                    check(f"{version} is refused", False)
            except (ssl.SSLError, OSError):
                check(f"{version} is refused", True)
        reload_certificate(server, ca, live_cert, live_key, who)
    finally:
        code, told = server.stop()
    check("it ends in order", code == 0, told)
    return told


def serial(server):
    with socket.create_connection(("127.0.0.1", server.ports[0]), PATIENCE_S) as s, server.tls.wrap_socket(s, server_hostname="localhost") as t:
        return t.getpeercert()["serialNumber"]


def changed(server, before):
    """A connection that begins while the certificate changes may be ended."""
    try:
        return serial(server) != before
    except OSError:
        return False


def reload_certificate(server, ca, live_cert, live_key, who):
    before = serial(server)
    cert, key = ca.sign("next", "DNS:localhost,IP:127.0.0.1")
    shutil.copy(cert, live_cert)
    shutil.copy(key, live_key)
    server.hup()
    check("SIGHUP brings the new certificate", until(lambda: changed(server, before)))
    check("sessions stay", server.me(who) == 200)
    now = serial(server)
    pathlib.Path(live_cert).write_text("no certificate\n")
    server.hup()
    check("a broken one is told, and the old one stays", until(lambda: any("certificate" in t for t in server.told)) and serial(server) == now)


# ---- a proxy ----

def proxy(program, state, users):
    config = pathlib.Path(state).parent / "proxy.yaml"
    config.write_text("serve:\n  proxy: [127.0.0.9/32]\n")
    server = Server(program, state, users, config=["-c", str(config)])
    try:
        def user(name, source, **more):
            status, body, _ = server.ask("GET", "/api/v1/me", source=(source, 0), X_Remote_User=name, **more)
            return body["data"]["user"] if status == 200 else status
        check("the proxy says who asks", user("ines", "127.0.0.9") == "ines", user("ines", "127.0.0.9"))
        check("nobody else does", user("ines", "127.0.0.8") == 401)
        check("not even behind it", user("ines", "127.0.0.8", X_Forwarded_For="127.0.0.9", Forwarded="for=127.0.0.9") == 401)
        for name in ("nemo", "ines,vera", "ines\t", "INES", "../ines", "i" * 200):
            check(f"the proxy does not know {name[:12]!r}", user(name, "127.0.0.9") in (400, 401), user(name, "127.0.0.9"))
        with socket.create_connection(("127.0.0.1", server.ports[0]), PATIENCE_S, ("127.0.0.9", 0)) as s:
            s.sendall(b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Remote-User: vera\r\nX-Remote-User: ines\r\n\r\n")
            check("two names are none", s.recv(4096).startswith(b"HTTP/1.1 400"))
    finally:
        server.stop()


# ---- two listeners ----

def listeners(server):
    who = server.login("ines")
    _, api, _ = server.ask("GET", "/api/v1/openapi.json", **who)
    public = server.ports[1]
    for path, methods in api["paths"].items():
        for method in methods:
            full = "/api/v1" + re.sub(r"\{.*\}", "x", path)
            status, body, _ = server.ask(method.upper(), full, {} if method == "post" else None, port=public, **who)
            check(f"{method} {path} is not there for sites", status in (404, 405), (status, body))
    known = re.findall(r'^X\((\w+), "(\w+)"', (pathlib.Path(__file__).parent.parent / "sensor/app/serve_public.def").read_text(), re.M)
    check("the routes of sites are known", len(known) >= 6, known)
    for method, name in known:
        status, _, _ = server.ask(method, f"/api/v1/public/{name}", {} if method == "POST" else None, **who)
        check(f"{name} is not there for the desk", status == 404, status)
        other = "GET" if method == "POST" else "POST"
        if (other, name) not in known:
            status, _, _ = server.ask(other, f"/api/v1/public/{name}", {} if other == "POST" else None, port=public)
            check(f"{other} {name} is not described", status == 405, status)
        for why, fields in (("another origin", {"Origin": "http://evil.example"}), ("a page of another site", {"Sec_Fetch_Site": "cross-site"}),
                            ("a body of text", {"Content_Type": "text/plain"})) if method == "POST" else ():
            status, _, _ = server.ask("POST", f"/api/v1/public/{name}", {}, port=public, **fields)
            check(f"{name}: {why}", status == 403, status)
    for secret in ("AAAAA-AAAAA-AAAAA-AAAAA", "../../../users", "' OR 1=1", "%00", "A" * 4000):
        status, _, _ = server.ask("GET", "/api/v1/public/form", port=public, X_CSRF_Token=secret)
        check(f"no form under {secret[:10]}", status == 404, status)
    for path in ("/..", "/%2e%2e/users", "/assets/..%2f..%2fusers", "/..%5cusers", "/journal/00000000000000000001.jsonl", "/etc/passwd", "/drafts", "/healthz"):
        status, text, _ = server.ask("GET", path, port=public)
        check(f"{path} is no file for sites", status in (400, 404) or (status == 200 and text[:2] == b"\x1f\x8b"), (status, str(text)[:80]))


# ---- what is left behind ----

def passwords(told, *folders):
    """Nothing that was typed as a password, and no id of a session, is in a file or a word of the server."""
    typed = [SECRET.format(name) for name, _ in PEOPLE] + ["wrong-3-password", "wrong-Password", "typed-into-the-name"]
    wanted = {t.encode() for t in typed} | {base64.b64encode(t.encode()) for t in typed} | {t.encode().hex().encode() for t in typed}
    looked = 0
    for place in folders:
        for path in pathlib.Path(place).rglob("*"):
            if path.is_file():
                data, looked = path.read_bytes(), looked + 1
                check(f"no password in {path.name}", not [t for t in wanted if t in data])
    check("files were looked at", looked > 5, looked)
    check("what is told was looked at", "login_refused" in told, told[-500:])
    check("no password is told", not [t for t in wanted if t.decode() in told])


def main():
    program = sys.argv[1]
    warnings.simplefilter("ignore", DeprecationWarning) # old versions of TLS are asked for
    with tempfile.TemporaryDirectory() as temp:
        state, users = temp + "/state", temp + "/users"
        code, _, err = run(program, "read", "-q", *CONFIG, "--state", state, str(FIXTURES / "bot.pcap.gz"))
        check("a state is made", code == 0, err)
        for name, roles in PEOPLE:
            run(program, "serve", "user", "--users", users, "--roles", roles, name, given=SECRET.format(name) + "\n")
        server = Server(program, state, users, "--public-listen", "127.0.0.1:0")
        try:
            sessions(server)
            foreign(server)
            names(server)
            check("a password as a name", server.try_login("typed-into-the-name", source=("127.0.6.1", 0))[0] == 401)
            listeners(server)
            users_change(server, program, users)
            guesses(server)
            shown = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
            check("no core of it is written", re.search(r"Max core file size\s+0\s+0\s", shown), shown)
        finally:
            code, told = server.stop()
        check("it ends in order", code == 0, told[-2000:])
        told += tls(program, state, users, temp)
        proxy(program, state, users)
        passwords(told, state)
    print(f"{results['passed']} passed, {results['failed']} failed")
    return 1 if results["failed"] or not results["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
