#!/usr/bin/env python3
"""What root enters into the registry while a sensor runs that is not root.

    registry_live_test.py PROGRAM

On a link where nothing goes by. A registry made meanwhile is taken up, and so is
one made more of. One that cannot be read ends nothing, is told of once, and is
taken up when it can be read.
"""
import os
import pathlib
import pwd
import shutil
import sys
import tempfile

from support import live
from support.program import Run, check


def enter(program, state, address):
    forms = state.parent / "forms.csv"
    forms.write_text(f"address,site\n{address},Library\n")
    Run(program, "registry", "import", "--state", state, forms).expect(0)


def entered(sensor):
    return sum("audit" in c for c in sensor.controls("registry"))


def started(folder, program, name):
    state = folder / name
    sensor = live.Sensor(program, state)
    return state, sensor, live.processes()["span25-core"]


def entered_meanwhile(folder, program):
    state, sensor, core = started(folder, program, "meanwhile")
    enter(program, state, "10.20.1.10")
    first = live.wait_for(lambda: entered(sensor))
    check(first > 0, sensor.log_text())
    enter(program, state, "10.20.1.11")
    check(live.wait_for(lambda: entered(sensor) > first), sensor.log_text())
    check(live.processes()["span25-core"] == core, core)
    sensor.stop()
    check("registry.db" not in sensor.log_text(), sensor.log_text())


def made_readable(folder, program):
    who = pwd.getpwnam(live.user())
    elsewhere = folder / "elsewhere"
    enter(program, elsewhere, "10.20.1.10")
    state, sensor, core = started(folder, program, "unreadable")
    there = state / "registry.db"
    shutil.copy(elsewhere / "registry.db", folder / "copy")
    (folder / "copy").chmod(0o600)
    (folder / "copy").rename(there)
    told = f'text="span25: {there}: '
    check(live.wait_for(lambda: told in sensor.log_text()), sensor.log_text())
    check(entered(sensor) == 0, sensor.controls("registry"))
    os.chown(there, who.pw_uid, who.pw_gid)
    check(live.wait_for(lambda: f'{told}is followed again"'
                        in sensor.log_text()), sensor.log_text())
    enter(program, state, "10.20.1.11")
    check(live.wait_for(lambda: entered(sensor)), sensor.log_text())
    check(live.processes()["span25-core"] == core, core)
    sensor.stop()
    check(sensor.log_text().count(told) == 2, sensor.log_text())


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    live.inside()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        entered_meanwhile(folder, program)
        if live.user() == "root":
            live.skip("everything can be read: there is no user but root")
        made_readable(folder, program)
    print("entered meanwhile, taken up")


main()
