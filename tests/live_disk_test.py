#!/usr/bin/env python3
"""A disk that fills, and events that grow old: what a sensor keeps.

    live_disk_test.py [--long] PROGRAM

The state is on a tmpfs of 24 MiB that is really filled, in namespaces of its
own. Needs root; skipped without.
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import live  # noqa: E402  pylint: disable=wrong-import-position

CAPTURE = pathlib.Path(__file__).parent / "fixtures" / "lab.pcap"
MIB = 1 << 20
CONFIG = """live:
  user: {user}
journal:
  high_water: 8MiB
  high_water_percent: 0
evidence:
  packets: true
  bytes: 16MiB
"""
DAY = 86400


def page(path="/metrics"):
    c = http.client.HTTPConnection("127.0.0.1", 9125, timeout=5)
    try:
        c.request("GET", path)
        return c.getresponse().read().decode()
    except (ConnectionError, TimeoutError):
        return ""
    finally:
        c.close()


def value(name):
    rows = [line.rsplit(" ", 1)[1] for line in page().splitlines()
            if line.startswith("span25_" + name)]
    return sum(map(float, rows)) if rows else -1


def await_value(name, wanted, seconds=60):
    assert live.wait_for(lambda: value(name) == wanted, seconds), (
        name, wanted, value(name))


def free(folder):
    fs = os.statvfs(folder)
    return fs.f_bavail * fs.f_frsize


def fill(folder, left):
    """Other files take all but so many bytes of the disk."""
    other = folder / "other"
    now = other.stat().st_size if other.exists() else 0
    want = now + free(folder) - left
    with other.open("ab", buffering=0) as f:
        if want < now:
            f.truncate(want)
            return
        try:
            while now < want:
                now += f.write(bytes(min(64 << 10, want - now)))
        except OSError:
            assert free(folder) < MIB  # others write too


def mails(sensor):
    return len(sensor.of_type("smtp"))


def send(sensor, more):
    """The capture goes by; `more`: its mail is journaled."""
    before = mails(sensor)
    sender = live.Sender(4000)
    sender.send([frame for _, frame in live.packets(CAPTURE)])
    sender.close()
    if more:
        assert live.wait_for(lambda: mails(sensor) > before + 50, 60), (
            before, mails(sensor), sensor.log_text())


def test_alert(program, sensor, *options, codes=(0,)):
    """An alert about nothing, as the verb follows it."""
    done = subprocess.run([program, "test-alert", "--state",
                           str(sensor.state), "--actor", "eve", *options],
                          capture_output=True, text=True, check=False)
    assert done.returncode in codes, done
    return done.stdout


def counts_nowhere(program, sensor):
    """It is in the journal and the index, and counts for nobody."""
    got = json.loads(test_alert(program, sensor, "--json"))
    assert got["passed"] and got["sensor_ms"] <= got["journal_ms"] <= (
        got["index_ms"]), got
    mine = [e for e in sensor.of_type("alert")
            if e["alert"]["id"] == got["alert"]]
    assert len(mine) == 1 and mine[0]["alert"]["test"] is True, mine
    assert "src_ip" not in mine[0] and mine[0]["journal"]["seq"] == got["line"]
    assert live.wait_for(
        lambda: value("journal_durable_sequence") >= got["line"], 30)
    assert 'rule="test-alert"' not in page()
    decided = [e for e in sensor.of_type("decision")
               if got["alert"] in json.dumps(e)]
    assert not decided, decided
    asked = sensor.controls("test")
    assert asked and asked[-1]["actor"] == "eve", asked
    card = subprocess.run([program, "alerts", "show", "--state",
                           str(sensor.state), got["alert"]],
                          capture_output=True, text=True, check=False)
    assert card.returncode == 0 and "nothing happened" in card.stdout, card
    closed = subprocess.run([program, "alerts", "close", "--state",
                             str(sensor.state), got["alert"], "--reason",
                             "test"], capture_output=True, text=True,
                            check=False)
    assert closed.returncode == 0, closed
    await_value('alert_close_total{rule="test-alert",reason="test"}', 1)
    assert value('process_cpu_seconds_total{process="core"}') > 0
    assert value('process_resident_memory_bytes{process="core"}') > MIB
    print(test_alert(program, sensor).strip())


def steps(sensor):
    return [c["number"] for c in sensor.controls("disk")]


def step_by_step(program, sensor, disk):
    """Statistics first, then mail; page, /readyz, /healthz, doctor say so."""
    fill(disk, 6 * MIB)
    await_value("journal_room_step", 1)
    assert "not journaled, the disk is full: statistics" in page("/readyz")
    fill(disk, 3 * MIB)
    await_value("journal_room_step", 2)
    before = mails(sensor)
    send(sensor, False)
    assert live.wait_for(
        lambda: value('journal_shed_total{kind="transactions"}') > 50, 60)
    assert mails(sensor) == before
    assert "no mail" in page("/healthz"), page("/healthz")
    assert live.wait_for(lambda: "fail blind room" in (
        sensor.state / "board.prom").read_text(), 30)
    narrow = subprocess.run(
        ["script", "-qec", f"stty cols 60; {program} doctor --state "
         f"{sensor.state} -i {live.TAP}; {program} top --once --state "
         f"{sensor.state}", "/dev/null"], capture_output=True, text=True,
        check=False) if shutil.which("script") else None
    assert narrow is None or max(
        map(len, narrow.stdout.replace("\r", "").splitlines())) <= 60, (
            narrow.stdout)
    doctor = subprocess.run([program, "doctor", "--state", str(sensor.state),
                             "-i", live.TAP], capture_output=True, text=True,
                            check=False)
    assert doctor.returncode == 1, doctor.stdout
    assert "no mail: make room" in doctor.stdout, doctor.stdout


def gaps_of_evidence(sensor):
    """The packet ring stopped on the full disk, and went on."""
    def gaps():
        return [c for c in sensor.controls("gap")
                if "packets are kept" in c["text"]]
    assert live.wait_for(lambda: gaps() and "until" in gaps()[-1], 60), (
        sensor.controls("gap"), sensor.log_text())
    told = gaps()
    assert "until" not in told[0] and "no packets" in told[0]["text"], told
    assert told[-1]["time"] < told[-1]["until"], told
    begun = [c["time"] for c in told if "until" not in c]
    assert all(c["time"] in begun for c in told), told


def filling(program, sensor, disk, slowly):
    """Less is journaled, alerts to the end, and all when there is room."""
    send(sensor, True)
    await_value("journal_room_step", 0)
    assert (sensor.state / "reserve").stat().st_size == 8 * MIB // 32
    counts_nowhere(program, sensor)
    if slowly:
        step_by_step(program, sensor, disk)
    def is_full():  # the packet ring may have given room back
        fill(disk, 600 << 10)
        return value("journal_room_step") == 3
    assert live.wait_for(is_full, 60), value("journal_room_step")
    assert not (sensor.state / "reserve").exists()
    before = len(sensor.of_type("alert"))
    said = test_alert(program, sensor, codes=(0, 4))  # the index may be stuck
    assert "ok    on disk in the journal" in said, said
    assert len(sensor.of_type("alert")) > before
    if slowly:  # not a byte is left: what is not on disk is not said to be
        fill(disk, 0)
        said = test_alert(program, sensor, codes=(0, 1, 4))
        print("on a full disk:", said.strip() or "it was not taken")
    (disk / "other").unlink()
    await_value("journal_room_step", 0)
    assert live.wait_for(lambda: steps(sensor) and steps(sensor)[-1] == 0, 30)
    told = steps(sensor)
    assert 3 in told and (not slowly or (1 in told and 2 in told)), told
    last = sensor.controls("disk")[-1]
    assert last["time"] < last["until"], last
    assert "journaled again" in last["text"], last
    assert not slowly or "transactions" in last["text"], last
    gaps_of_evidence(sensor)
    if slowly:
        send(sensor, True)
    assert (sensor.state / "reserve").exists()
    print("steps:", told, "-", last["text"])


OBJECT = "ab" * 32 + ".json"


def grow_old(state, days):
    """The last segment as one that was closed so long ago, and an object."""
    for path in (state / "journal").glob("*.jsonl"):
        subprocess.run(["zstd", "-q", "--rm", str(path)], check=True)
    then = time.time() - days * DAY
    for path in (state / "journal").glob("*.jsonl.zst"):
        shutil.chown(path, live.user())
        os.utime(path, (then, then))
    folder = state / "evidence" / "decisions"
    folder.mkdir(exist_ok=True)
    (folder / OBJECT).write_text("{}\n")
    shutil.chown(folder, live.user())
    os.utime(folder / OBJECT, (then, then))


def kinds(state):
    found = {}
    for e in live.journal(state):
        name = e.get("event_type", "gone")
        found[name] = found.get(name, 0) + 1
    return found


def growing_old(program, state):
    """First statistics go, then mail, then all, each told."""
    before = kinds(state)
    assert before["stats"] > 0 and before["alert"] > 0, before
    for days, gone in ((100, "statistics"), (500, "transactions"),
                       (800, "alerts")):
        grow_old(state, days)
        first = sorted((state / "journal").iterdir())[0].name
        sensor = live.Sensor(program, state)
        assert live.wait_for(lambda: any(
            gone in c["text"].split(";")[0]
            for c in sensor.controls("retention")), 60), (
                days, sensor.log_text(), sensor.controls("retention"))
        text = sensor.controls("retention")[-1]["text"]
        assert live.wait_for(
            lambda: value("journal_retained_lines_total") > 0, 30)
        after = kinds(state)
        if days < 800:
            assert after["alert"] >= before["alert"], (days, after)
            assert after["gone"] > 0
        if days == 100:
            assert after["smtp"] == before["smtp"], after
            assert "host" not in after or after["host"] < before["host"]
        else:
            assert "smtp" not in after, after
        assert (state / "evidence" / "decisions" / OBJECT).exists() == (
            days < 800)
        assert ("the evidence: 1 objects" in text) == (days == 800), text
        if days == 800:
            assert not (state / "journal" / first).exists()
        sensor.stop()
        done = subprocess.run([program, "alerts", "list", "--state",
                               str(state)], capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done
        print(f"{days} days: {text}")


def main(program, grow):
    live.inside()
    live.ip("link", "set", "lo", "up")
    if grow and shutil.which("zstd") is None:
        live.skip("zstd is not here")
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        disk = pathlib.Path(top) / "disk"
        disk.mkdir()
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none",
                           str(disk)], check=False).returncode != 0:
            live.skip("no tmpfs can be mounted here")
        state = disk / "state"
        (disk / "state.yaml").write_text(CONFIG.format(user=live.user()))
        sensor = live.Sensor(program, state)
        try:
            filling(program, sensor, disk, grow)
            sensor.stop()
            if grow:
                growing_old(program, state)
        finally:
            for pids in live.processes().values():
                for pid in pids:
                    os.kill(pid, signal.SIGKILL)
            subprocess.run(["umount", "-l", str(disk)], check=False)
    print("ok")


if __name__ == "__main__":
    main(sys.argv[-1], "--long" in sys.argv)
