#!/usr/bin/env python3
"""geo_test.py PROGRAM - country and network on the events of the real program

Fields where the databases have them and nowhere else, a broken database refused
at the start, one that is replaced while a reading goes on taken with a control
event before the first event that is judged by it.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAB = ROOT / "tests" / "fixtures" / "lab.pcap"
GEO = ROOT / "tests" / "fixtures" / "geo"


def check(good, why):
    if not good:
        raise AssertionError(why)


def configure(folder, **paths):
    name = folder / "span25.yaml"
    lines = ["geo:"] + [f"  {key}: {value}" for key, value in paths.items()]
    name.write_text("\n".join(lines) + "\n")
    return name


def run(program, config, code=0):
    done = subprocess.run([program, "read", "-c", config, "--events", "-", LAB],
                          capture_output=True, text=True, timeout=120,
                          check=False)
    check(done.returncode == code, f"exit {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def of_lab(address):
    """What tests/fixtures/geo/make.pl says."""
    if address.startswith("198.51.100."):
        as_ = {"number": 64500, "org": "Example [31m Carrier"}
        last = int(address.rsplit(".", 1)[1])
        return {"country": "FR" if last >= 128 else "DE"}, as_
    if address.startswith("203.0.113."):
        return None, {"number": 64511, "org": "Flat Networks"}
    if address.startswith("2001:db8:5:"):
        return {"country": "JP"}, None
    return None, None


def test_events_say_where(program, folder):
    config = configure(folder, country=GEO / "country.mmdb", **{"as": GEO / "asn.mmdb"})
    events, _ = run(program, config)
    n = 0
    for event in events:
        for side in ("src", "dest"):
            if f"{side}_ip" not in event:
                continue
            country, as_ = of_lab(event[f"{side}_ip"])
            check(event.get(f"{side}_geo") == country, event)
            check(event.get(f"{side}_as") == as_, event)
            n += country is not None
    check(n > 100, f"only {n} addresses with a country")
    check("span25-test-country of" in events[0]["control"]["text"], events[0])


def test_nothing_without_databases(program, folder):
    config = configure(folder, country_path="country_code")
    events, _ = run(program, config)
    check(not any(key.endswith(("_geo", "_as")) for e in events for key in e), "fields")


def test_a_broken_database_is_refused(program, folder):
    name = folder / "broken.mmdb"
    name.write_bytes((GEO / "country.mmdb").read_bytes()[:700])
    events, err = run(program, configure(folder, country=name), code=1)
    check(events == [] and "broken.mmdb: is not a MaxMind DB file, or is damaged" in err, err)


def test_a_replaced_database_takes_force(program, folder):
    mine = folder / "country.mmdb"
    shutil.copy(GEO / "country.mmdb", mine)
    config = configure(folder, country=mine)
    whole = LAB.read_bytes()
    half = 24
    while half < len(whole) // 2:
        half += 16 + int.from_bytes(whole[half + 8:half + 12], "little")
    told = folder / "events.jsonl"
    with subprocess.Popen([program, "read", "-c", config, "--events", told, "-"],
                          stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as reading:
        reading.stdin.write(whole[:half])
        reading.stdin.flush()
        time.sleep(1.5)
        new = folder / "new.mmdb"
        shutil.copy(GEO / "asn.mmdb", new)  # flat: it has countries elsewhere
        os.rename(new, mine)
        time.sleep(1.5)
        _, err = reading.communicate(whole[half:], timeout=120)
        check(reading.returncode == 0, err)
    events = [json.loads(line) for line in told.read_text().splitlines()]
    at = [i for i, e in enumerate(events) if e.get("control", {}).get("kind") == "geo"]
    check(len(at) == 1, f"{len(at)} controls; {err}")
    check("span25-test-asn" in events[at[0]]["control"]["text"], events[at[0]])
    check(any("dest_geo" in e for e in events[:at[0]]), "no country before")
    check(any(e.get("dest_ip", "").startswith("203.0.113.") for e in events[at[0]:]), "no such event")
    for event in events[at[0]:]:
        if event.get("dest_ip", "").startswith("203.0.113."):
            check(event.get("dest_geo") == {"country": "NL"}, event)
        elif "dest_ip" in event:
            check("dest_geo" not in event, event)


def fetch(folder, path, patience):
    env = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"), PATH=path)
    return subprocess.run([ROOT / "tools" / "setup", "--geo"], env=env,
                          capture_output=True, text=True, timeout=patience,
                          check=False)


def test_setup_fetches_a_database(program, folder):
    """From a stand-in for npm, and from npm where it reaches a registry."""
    stand_in = folder / "bin"
    package = folder / "package"
    stand_in.mkdir()
    package.mkdir()
    shutil.copy(GEO / "country.mmdb", package / "iptoasn-country.mmdb")
    (stand_in / "npm").write_text(f"#!/bin/sh\ntar -czf it.tgz -C {folder} package\n")
    (stand_in / "npm").chmod(0o755)
    done = fetch(folder, f"{stand_in}:{os.environ['PATH']}", 60)
    check(done.returncode == 0, done.stderr)
    config = folder / "fetched.yaml"
    config.write_text(done.stdout.split("\n", 1)[1])
    run(program, config)
    (stand_in / "npm").write_text("#!/bin/sh\nexit 1\n")
    done = fetch(folder, f"{stand_in}:{os.environ['PATH']}", 60)
    check(done.returncode == 1 and "cannot be had" in done.stderr, done.stderr)
    if shutil.which("npm") is None:
        print("there is no npm: only the stand-in was asked")
        return
    done = fetch(folder, os.environ["PATH"], 300)
    if done.returncode != 0:
        print(f"npm reaches nobody, only the stand-in was asked: {done.stderr[-300:]}")
        return
    check((folder / "cache/span25/geo/country.mmdb").stat().st_size > 10**6, "size")
    run(program, config)


def main():
    program = os.path.abspath(sys.argv[1])
    failed = 0
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    for test in tests:
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(program, pathlib.Path(folder))
                print(f"ok {test.__name__}")
            except (AssertionError, subprocess.TimeoutExpired) as why:
                failed += 1
                print(f"FAILED {test.__name__}: {why}")
    print(f"{len(tests) - failed} passed, {failed} failed, 0 skipped")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
