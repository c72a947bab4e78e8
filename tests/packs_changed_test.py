#!/usr/bin/env python3
"""Do the cases of the shipped rules notice when a rule is changed?

    packs_changed_test.py PROGRAM

Changes each rule of rules/packs in every way below, one at a time, and runs its
cases: at least one must fail. A figure becomes one more or one less, a filter
is left out, a selection or one of its items goes, a window becomes a hundred
times as long, a bucket is shared by all. Changes that change nothing are named
with the reason.
"""
import collections
import concurrent.futures
import pathlib
import re
import subprocess
import sys
import tempfile

PACKS = pathlib.Path(__file__).resolve().parent.parent / "rules/packs"

# (rule, change): why it makes no difference
SAME = {
    ("behaviour/many-sender-domains", "without smtp.mail_from|contains"):
        "what has no domain counts for none",
    ("behaviour/refused-burst", "smtp.rcpt_refused|gte 1 -1"):
        "a message without refusals adds 0",
    ("behaviour/refused-burst", "without smtp.rcpt_refused|gte"):
        "a message without refusals adds 0",
}


def cut(text, found, by=""):
    return text[:found.start()] + by + text[found.end():]


def figures(text):
    for m in re.finditer(r"^( +)((?:[\w.]+\|)?[gl]te?): (\d+)$", text, re.M):
        for step in (1, -1):
            if int(m[3]) + step >= 0:
                yield (f"{m[2]} {m[3]} {step:+}",
                       cut(text, m, f"{m[1]}{m[2]}: {int(m[3]) + step}"))


def conditions(text):
    for m in re.finditer(r"^  condition: (.*)$", text, re.M):
        for part in re.findall(r" and not (?:1 of )?[\w*]+$", m[1]):
            yield (f"condition without{part}",
                   cut(text, m, "  condition: " + m[1].removesuffix(part)))


def selections(text):
    several = r"^  ((?:filter|second|first|wire|at)_\w+|s\d\w*):\n(?:    .*\n)+"
    for m in re.finditer(several, text, re.M):
        yield f"without {m[1]}", cut(text, m)


def items(text):
    for detection in re.finditer(r"^detection:\n(?:  .*\n)+", text, re.M):
        for m in re.finditer(r"^    ([\w.|]+):(?: .+\n|\n(?:      - .*\n)+)",
                             detection[0], re.M):
            changed = cut(detection[0], m)
            yield f"without {m[1]}", cut(text, detection, changed)


def windows(text):
    for m in re.finditer(r"timespan: (\d+)([mhd])$", text, re.M):
        yield "a longer window", cut(text, m,
                                     f"timespan: {int(m[1]) * 100}{m[2]}")
    for m in re.finditer(r"^ +group-by: .*\n", text, re.M):
        yield "one bucket for all", cut(text, m)


def notices(program, folder, path, text):
    name = folder / f"{path.parent.name}-{path.stem}.yaml"
    name.write_text(text)
    name.with_suffix(".cases").write_text(
        path.with_suffix(".cases").read_text())
    done = subprocess.run([program, "rules", "test", name],
                          capture_output=True, timeout=60, check=False)
    return done.returncode != 0


def one(program, path):
    """(changes, [what was not noticed]) of a rule."""
    name, text = f"{path.parent.name}/{path.stem}", path.read_text()
    changes, missed = 0, []
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if notices(program, folder, path, text):
            return 1, [(name, "nothing: it fails as it is")]
        for make in (figures, conditions, selections, items, windows):
            for why, changed in make(text):
                changes += 1
                if not notices(program, folder, path, changed):
                    missed.append((name, why))
    return changes, missed


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    paths = sorted(PACKS.glob("*/*.yaml"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda path: one(program, path), paths))
    missed = collections.Counter(m for _, some in done for m in some)
    for rule, why in missed:
        if (rule, why) not in SAME:
            print(f"{rule}: no case notices: {why}")
    for rule, why in set(SAME) - set(missed):
        print(f"{rule}: is noticed, and said to change nothing: {why}")
    total = sum(n for n, _ in done)
    print(f"{total} changes of {len(paths)} rules, "
          f"{sum(missed.values())} not noticed, {len(SAME)} of them change "
          "nothing")
    return set(missed) != set(SAME)


if __name__ == "__main__":
    sys.exit(main())
