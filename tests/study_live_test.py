#!/usr/bin/env python3
"""Simulate mode live and the study of the same days: the same decisions.

    study_live_test.py PROGRAM JOURNAL_MAKE

A sensor in a namespace of its own, with a registry, simulates; the bot of
tests/fixtures/bot.md goes by, is let go by a person, and goes by again. The study
reads the journal that it left: each decision that was told is made again, at the
same time, about the same host. The same while the sensor still writes.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

from support import live
from support.program import Run, check

CAPTURE = pathlib.Path(__file__).parent / "fixtures" / "bot.pcap.gz"
BOT, OFFICE = "10.20.4.17", "10.20.1.11"
# Ten minutes of the capture go by in seconds, and its router is nobody's.
CONFIG = """live:
  user: {user}
sensor:
  name: lab
network:
  home: [10.20.0.0/16]
block:
  seconds: 0
  fast_seconds: 0
"""


def decided(sensor):
    return [d["decision"]["action"] for d in sensor.of_type("decision")
            if d["decision"]["subject"] == f"{BOT}/32"]


def replay():
    sender = live.Sender(2000)
    sender.send([frame for _, frame in live.packets(CAPTURE)])
    sender.close()


def study(sensor):
    return json.loads(Run(sensor.program, "study", "run", "-c", sensor.config,
                          "--state", sensor.state, "--json").expect(0).out)


def compare(sensor, result):
    d = result["decisions"]
    check(d["there"] and d["journal"] == d["same"] == d["here"],
          (d, sensor.of_type("decision")))
    return d["same"]


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    live.inside()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        state, forms = folder / "state", folder / "registry.csv"
        forms.write_text(f"address,site\n10.20.1.10,Library\n{OFFICE},Office\n")
        (folder / "state.yaml").write_text(CONFIG.format(user=live.user()))
        # a live sensor's state, with a registry in it
        Run(sys.argv[2], state, "live", stdin=b"").expect(0)
        Run(program, "registry", "import", "--state", state, forms).expect(0)
        subprocess.run(["chown", "-R", live.user(), state], check=True)
        sensor = live.Sensor(program, state)
        replay()
        check(live.wait_for(lambda: "block" in decided(sensor), 60),
              sensor.of_type("decision"))
        first = compare(sensor, study(sensor))
        Run(program, "blocks", "lift", BOT, "--state", state, "--reason",
            "test").expect(0)
        check(live.wait_for(lambda: "lift" in decided(sensor), 90),
              sensor.log_text())
        replay()
        sensor.stop()
        result = study(sensor)
        same = compare(sensor, result)
        check(same > first > 0, (same, first))
        sent = [e for e in sensor.of_type("smtp")
                if e.get("direction") == "outbound"]
        check(sum(h["messages"] for h in result["hosts"]) == len(
            [e for e in sent if e["smtp"].get("rcpt_offered")]), len(sent))
        print(f"{same} decisions, the same")


main()
