#!/usr/bin/env python3
"""The policy itself through the program: from forms to packets that stop.

    border_test.py PROGRAM JOURNAL_MAKE

In namespaces of its own: a router between home and the world. Forms are
imported, `blocks export --policy` writes its four scripts, the kernel loads
them, what it has is read back, and only then it is armed. Every registered host
sends and receives as it is permitted; every other one is refused both ways, and
counted; undo gives it all back.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import feed_loaded_test as lab

USES = ("send", "receive", "both")
CONFIG = """network:
  home: [10.0.0.0/8, 'fd25:1::/32']
border:
  phase: deny
  other: deny
feeds:
  protected: [10.1.0.250]
sites:
  - {code: A, prefixes: [10.1.0.0/16]}
  - {code: B, prefixes: [10.2.0.0/16], phase: count}
"""
# Of every three neighbours one is registered.
HOSTS = [(f"10.1.0.{n}", USES[n % 9 // 3] if n % 3 == 0 else None)
         for n in range(3, 33)] + [
    ("fd25:1::5", "both"), ("fd25:1::6", None), ("10.7.0.1", None)]
PROGRAM = None


def span25(*words, code=0):
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True,
                          text=True, check=False, timeout=lab.PATIENCE)
    lab.check(done.returncode == code, (words, done))
    return done


class Bench:
    def __init__(self, folder, maker):
        self.folder, self.state = folder, folder / "state"
        subprocess.run([maker, self.state], input=b"", check=True)
        self.config = folder / "border.yaml"
        self.config.write_text(CONFIG)
        forms = folder / "forms.csv"
        forms.write_text("form,site,address,port,direction\n" + "".join(
            f"F-1,Library,{address},25,{use}\n" for address, use in HOSTS
            if use))
        span25("registry", "import", "--permitted", "--state", self.state,
               forms)
        self.scripts = folder / "scripts"

    def export(self, *more, code=0):
        return span25("blocks", "export", "--policy", "--state", self.state,
                      "-c", self.config, *more, code=code)

    def verify(self, code=0):
        back = self.folder / "back.json"
        back.write_text(lab.listed("span25_border"))
        return self.export("--verify", back, code=code).stdout

    def load(self, name, good=True):
        return lab.run("nft", "-f", str(self.scripts / f"{name}.nft"),
                       good=good)


def drain(router):
    """Nobody accepts there, and a queue has an end."""
    for server in router.servers.values():
        server.setblocking(False)
        try:
            while True:
                server.accept()[0].close()
        except BlockingIOError:
            pass


def ways(router, address):
    drain(router)
    world = lab.WORLD6 if ":" in address else lab.WORLD4
    return {"send": router.mail(True, address, world),
            "receive": router.mail(False, address, world)}


def all_pass(router):
    for address, _ in HOSTS:
        got = ways(router, address)
        lab.check(set(got.values()) == {"open"}, (address, got))


def each_as_permitted(router):
    """How many were refused on the way out, and on the way in."""
    refused = {"send": 0, "receive": 0}
    for address, use in HOSTS:
        for way, got in ways(router, address).items():
            want = "open" if use in (way, "both") else "refused"
            lab.check(got == want, (address, use, way, got))
            refused[way] += got == "refused"
    return refused


def counters():
    text = lab.run("nft", "-j", "list", "counters", "table", "inet",
                   "span25_border").stdout
    return {x["counter"]["name"]: x["counter"]["packets"]
            for x in json.loads(text)["nftables"] if "counter" in x}


def the_rule_is_loaded_and_armed(bench, router):
    bench.export("--output", bench.scripts)
    lab.check(sorted(p.name for p in bench.scripts.iterdir()) ==
              ["arm.nft", "disarm.nft", "load.nft", "undo.nft"], "files")
    lab.check(bench.load("arm", good=False).returncode != 0, "armed unloaded")
    bench.load("load")
    lab.check("may be armed" in bench.verify(), "verify")
    all_pass(router)
    before = counters()
    bench.load("arm")
    refused = each_as_permitted(router)
    after = counters()
    for way, prefix in (("send", "out_"), ("receive", "in_")):
        grown = sum(after[n] - before[n] for n in after if n.startswith(prefix))
        lab.check(grown == refused[way] > 0, (way, grown, refused, before,
                                              after))
    lab.check(ways(router, "10.1.0.250") == {"send": "open",
                                             "receive": "open"}, "protected")
    lab.check(ways(router, "10.2.0.1") == {"send": "open", "receive": "open"},
              "a site whose phase is count")
    lab.check(router.mail(True, "10.1.0.4", lab.WORLD4, 587) == "open",
              "submission is nobody's business")
    begin = time.monotonic()
    bench.load("undo")
    lab.check(ways(router, "10.1.0.4") == {"send": "open", "receive": "open"},
              "undone")
    lab.check(time.monotonic() - begin < 60, "undo")
    all_pass(router)


def a_permit_that_is_gone_is_told(bench, router):
    bench.export("--output", bench.scripts)
    bench.load("load")
    lab.run("nft", "delete", "element", "inet", "span25_border", "send_25_v6",
            "{ fd25:1::5 }")
    lab.check("missing 1" in bench.verify(code=4), "verify")
    lab.check(bench.load("arm", good=False).returncode != 0, "armed")
    bench.load("undo")
    all_pass(router)


def faults_are_told(bench, _):
    lab.check(bench.export("--script", "undo").stdout.count("delete"), "undo")
    bad = bench.folder / "bad.json"
    bad.write_text("{}")
    bench.export("--verify", bad, code=2)
    done = span25("blocks", "export", "--policy", "--state", bench.state,
                  code=5)
    lab.check("network.home" in done.stderr, done)


def main():
    global PROGRAM  # pylint: disable=global-statement
    PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
    lab.inside()
    os.environ["TZ"] = "UTC"
    router = lab.Router()
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(pathlib.Path(name), sys.argv[2])
        for test in (the_rule_is_loaded_and_armed, a_permit_that_is_gone_is_told,
                     faults_are_told):
            test(bench, router)
            print(f"{test.__name__} ok")
    router.close()


main()
