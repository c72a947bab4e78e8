#!/usr/bin/env python3
"""Who finds SMTP on ports that are not listed, on real captures.

    odd_ports_test.py ODD_PORTS FOLDER

ODD_PORTS judges each connection of a capture as if no port were listed
(tests/odd_ports.c). FOLDER has real captures and facts.json, which says what is
SMTP in them; the lab's capture in tests/fixtures has its truth beside it. What
begins with TLS is no business of either. The sensor's two looks together must
find all but what MISSED names, and nothing else.
"""
import collections
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LAB = HERE / "fixtures" / "lab.pcap"
WHO = {"o": "own", "d": "deep", "l": "lines", "b": "both", "p": "packets"}

# file -> (connections that are not found, why)
MISSED = {
    "lab.pcap": (2, "421 at once, and nobody says more"),
    "suricata-verify/smtp-quit.pcap": (1, "QUIT is all that was captured"),
}
# file -> (connections taken for SMTP that the facts do not name, why)
TAKEN = {}


def end(text):
    """a.b.c.d:port or [v6]:port -> (address, port)"""
    address, port = text.rsplit(":", 1)
    return address.strip("[]"), int(port)


def judged(tool, paths):
    """path -> {both ends: letters of who found it}, with payload only"""
    done = subprocess.run([tool, "--flows", *map(str, paths)], text=True,
                          capture_output=True, timeout=300, check=True)
    found = {str(path): {} for path in paths}
    for line in done.stdout.splitlines():
        path, a, a_port, b, b_port, letters = line.rsplit(" ", 5)
        found[path][frozenset(((a, int(a_port)), (b, int(b_port))))] = letters
    return found


def truth_of_facts(facts):
    return {frozenset((end(s["client"]), end(s["server"])))
            for s in facts.get("smtp", ())
            if s.get("commands") or s.get("banner")}


def truth_of_lab():
    truth = json.loads(LAB.with_suffix(".truth.json").read_text())
    return {frozenset(((s["client_ip"], s["client_port"]),
                       (s["server_ip"], s["server_port"])))
            for s in truth["sessions"] if not s["implicit_tls"]}


def inputs(folder):
    yield "lab.pcap", LAB, truth_of_lab()
    if not (folder / "facts.json").exists():
        print(f"skipped: {folder} is not there")
        return
    facts = json.loads((folder / "facts.json").read_text())
    for name in sorted(facts):
        if facts[name].get("packets"):
            yield name, folder / name, truth_of_facts(facts[name])


def main(tool, folder):
    sums = collections.Counter()
    wrong = []
    print(f"{'':46}   of " + "".join(f"{n:>8}" for n in WHO.values()))
    rounds = list(inputs(pathlib.Path(folder)))
    all_found = judged(tool, [path for _, path, _ in rounds])
    for name, path, truth in rounds:
        found = all_found[str(path)]
        rows = {True: collections.Counter(), False: collections.Counter()}
        for ends, letters in found.items():
            is_smtp = ends in truth
            rows[is_smtp].update(letters)
            rows[is_smtp]["of"] += 1
        for is_smtp, row in rows.items():
            sums.update({(is_smtp, k): n for k, n in row.items()})
            if row["of"] and (is_smtp or row.total() > 0):
                print(f"{name[-40:]:40} {'SMTP' if is_smtp else 'not':4} "
                      f"{row['of']:5} "
                      + "".join(f"{row[w]:8}" for w in WHO))
        missed = rows[True]["of"] - rows[True]["b"]
        if missed != MISSED.get(name, (0,))[0]:
            wrong.append(f"{name}: {missed} of {rows[True]['of']} missed")
        if rows[False]["b"] != TAKEN.get(name, (0,))[0]:
            wrong.append(f"{name}: {rows[False]['b']} taken for SMTP")
    for is_smtp in (True, False):
        print(f"{'all':40} {'SMTP' if is_smtp else 'not':4} "
              f"{sums[is_smtp, 'of']:5} "
              + "".join(f"{sums[is_smtp, w]:8}" for w in WHO))
    print("\n".join(wrong) or "all as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
