#!/usr/bin/env python3
"""From a bot's first packet to a refused SYN: a live sensor and a firewall.

    bot_stopped_test.py PROGRAM JOURNAL_MAKE

In namespaces of its own: a mirror on which the bot of tests/fixtures/bot.md goes
by, a sensor that listens there, and a router between home and the world that
loads the sensor's list. Enforcing, the bot's next SYN is refused and counted,
and nobody else's; policy mode off gives it back. Simulating, the same bot is
decided about and nothing is ever listed.
"""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import blocks_test as blocks
import feed_loaded_test as lab
from support import live

BOT, OFFICE = "10.20.4.17", "10.20.1.11"
CAPTURE = pathlib.Path(__file__).parent / "fixtures" / "bot.pcap.gz"
# Ten minutes of the capture go by in seconds, and its router is nobody's.
CONFIG = """live:
  user: {user}
sensor:
  name: lab
network:
  home: [10.20.0.0/16]
block:
  mode: {mode}
  seconds: 0
  fast_seconds: 0
  bound: 0
feeds:
  lists: [nft]
  quality_permille: 0
"""
PATIENCE = 90
PROGRAM = None


def span25(*words, codes=(0,)):
    done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True,
                          text=True, check=False, timeout=PATIENCE)
    lab.check(done.returncode in codes, (words, done))
    return done


class Bench:
    def __init__(self, folder, mode):
        self.state = folder / mode
        blocks.append(self.state, [])
        forms = folder / "registry.csv"
        forms.write_text(f"address,site\n10.20.1.10,Library\n{OFFICE},Office\n")
        span25("registry", "import", "--state", self.state, forms)
        (folder / f"{mode}.yaml").write_text(
            CONFIG.format(user=live.user(), mode=mode))
        lab.run("chown", "-R", live.user(), str(self.state))
        self.begin = time.monotonic()
        self.sensor = live.Sensor(PROGRAM, self.state)

    def decisions(self):
        return [d["decision"] for d in self.sensor.of_type("decision")
                if d["decision"]["subject"] == f"{BOT}/32"]

    def bot(self):
        """It goes by; gives the block that it leads to."""
        sender = live.Sender(2000)
        sender.send([frame for _, frame in live.packets(CAPTURE)])
        sender.close()
        found = live.wait_for(
            lambda: [d for d in self.decisions() if d["action"] == "block"],
            PATIENCE)
        lab.check(found, (self.decisions(), self.sensor.log_text()))
        return found[0]

    def nft(self):
        """The list as a firewall takes it; empty: there is none."""
        return span25("blocks", "export", "--state", self.state, "--format",
                      "nft", "--allow-empty", codes=(0, 5)).stdout

    def listed(self, wanted):
        lab.check(live.wait_for(lambda: (BOT in self.nft()) == wanted,
                                PATIENCE), (self.nft(), self.sensor.log_text()))
        return self.nft()


def out(router, host):
    return router.mail(True, host, lab.WORLD4)


def evidence_is_kept(bench, block):
    path = (bench.state / "evidence" / "decisions" /
            f"{block['evidence_hash']}.json")
    text = path.read_bytes()
    lab.check(path.stat().st_mode & 0o777 == 0o600, "mode")
    lab.check(hashlib.sha256(text).hexdigest() == block["evidence_hash"],
              "hash")
    found = json.loads(text)
    lab.check(found["subject"] == f"{BOT}/32" and found["host"] and
              0 < len(found["transactions"]) <= 10 and found["trajectory"] and
              found["sensor"] == "lab" and "rules" in found["rules"], found)


def it_is_stopped(folder, router):
    bench = Bench(folder, "enforce")
    lab.check(out(router, BOT) == "open", "not yet")
    block = bench.bot()
    lab.check(block["mode"] == "enforce", block)
    evidence_is_kept(bench, block)
    rules = span25("blocks", "export", "--state", bench.state, "--format",
                   "nft-rules").stdout
    lab.nft(rules)
    lab.nft(bench.listed(True))
    lab.check(out(router, BOT) == "refused", "the bot sends on")
    took = time.monotonic() - bench.begin
    chain = lab.run("nft", "list", "chain", "inet", "span25_feed", "stop").stdout
    lab.check("packets 1 " in chain, chain)
    for host in (OFFICE, "10.20.1.10", "10.20.7.3"):
        lab.check(out(router, host) == "open", host)
    lab.check(router.mail(True, BOT, lab.WORLD4, 587) == "open", "submission")
    span25("policy", "mode", "off", "--state", bench.state, "--reason", "test")
    said = time.monotonic()
    lab.nft(bench.listed(False))
    print(f"policy mode off to an empty list: {time.monotonic() - said:.1f} s")
    lab.check(out(router, BOT) == "open", "off, and it is stopped still")
    lifts = [d for d in bench.decisions() if d["action"] == "lift"]
    lab.check(lifts and lifts[-1]["mode"] == "enforce" and
              lifts[-1]["against"] == ["mode"], lifts)
    bench.sensor.stop()
    lab.run("nft", "delete", "table", "inet", "span25_feed")
    print(f"start of the sensor to refused SYN: {took:.1f} s")


def simulated_it_is_not(folder, router):
    bench = Bench(folder, "simulate")
    block = bench.bot()
    lab.check(block["mode"] == "simulate", block)
    made = live.wait_for(lambda: (bench.state / "feeds").exists() and
                         list((bench.state / "feeds").glob("*")), 5)
    for _ in range(3):
        lab.check(BOT not in bench.nft(), bench.nft())
    for path in made or []:
        lab.check(BOT not in path.read_text(errors="replace"), path)
    lab.check(out(router, BOT) == "open", "simulated, and stopped")
    lab.check(all(d["mode"] == "simulate" for d in bench.decisions()),
              bench.decisions())
    bench.sensor.stop()


def main():
    global PROGRAM  # pylint: disable=global-statement
    PROGRAM = str(pathlib.Path(sys.argv[1]).resolve())
    lab.inside()
    os.environ["TZ"] = "UTC"
    blocks.PROGRAM, blocks.MAKE = PROGRAM, sys.argv[2]
    live.make_link()
    router = lab.Router()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        for test in (it_is_stopped, simulated_it_is_not):
            test(folder, router)
            print(f"{test.__name__} ok")
    router.close()


main()
