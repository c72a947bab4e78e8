#!/usr/bin/env python3
"""Check a made folder of thousands of rules with the real program.

    rules_folder_test.py PROGRAM [--rules N] [--seed N] [--keep DIR]

Shapes are those of public rules, about as often: rules for other products,
contains, endswith, all, re, windash, cidr and base64offset, filters in
conditions, several documents in a file; beside them rules for span25,
correlations and filters. Faults are sown among them: the program must name each
by file and sentence, refuse exactly those documents, and load all others.

The last line is "N passed, N failed".
"""
import argparse
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time
import uuid

PATIENCE = 300

FOREIGN = [
    "product: windows\n    category: process_creation",
    "product: windows\n    service: security",
    "product: linux\n    category: process_creation",
    "product: zeek\n    service: http",
    "category: proxy",
    "category: webserver",
    "product: aws\n    service: cloudtrail",
]
FOREIGN_FIELDS = ["Image", "CommandLine", "ParentImage", "OriginalFileName",
                  "TargetFilename", "EventID", "cs-uri-query", "eventName"]
OURS = {
    "smtp": ["smtp.helo", "mail_from", "email.subject", "smtp.rcpt[].text",
             "source.ip", "smtp.final_text", "header_from_domain"],
    "smtp_session": ["smtp.banner", "smtp.helo", "smtp.end", "dest_port"],
    "fileinfo": ["fileinfo.filename", "fileinfo.mime_type", "fileinfo.sha256"],
    "tls": ["tls.sni", "tls.version"],
    "anomaly": ["anomaly.event", "anomaly.detail"],
}
WORDS = ["\\cmd.exe", "powershell", " -enc ", "/invoice", "urgent", "wallet",
         ".scr", "C:\\Users\\*\\AppData", "mail?.example", "Rundll32", "50%"]

# What stands in place of a good line, and what is said of it.
FAULTS = [
    ("condition", "condition: selecton", "there is no selection"),
    ("condition", "condition: selection | count() > 5", "is old Sigma"),
    ("condition", "condition: selection AND selection", "missing before 'AND'"),
    ("condition", "condition: 2 of selection*", "'2 of' is not known"),
    ("condition", "condition: 1 of nothing_*", "nothing_*"),
    ("condition", "note: none", "condition: is missing"),
    ("level", "level: urgent", "must be informational, low, medium"),
    ("level", "level: [high]", "must be informational, low, medium"),
    ("status", "status: good", "must be stable, test"),
    ("id", "id: 12345", "must be a UUID"),
    ("title", "name: untitled", "title: is missing"),
    ("logsource", "logsrc: x", "logsource: is missing"),
    ("date", "date: 2026/11/22", "must be a date"),
    ("tags", "tags: attack.t1048", "must be a list"),
    ("title", "title: &a anchored", "anchors, aliases and tags"),
    ("title", "title: [", "not valid YAML"),
    ("value", "|contians: x", "did you mean 'contains'?"),
    ("value", "|re: 'a(b'", "bad regular expression"),
    ("value", "|cidr: 10.0.0.1/8", "is no network"),
    ("value", "|gt: word", "takes a number"),
    ("value", ": [a, null]", "null may not stand in a list"),
    ("value", ": .nan", "NaN and infinity"),
    ("value", "|base64: 'a*'", "a wildcard cannot be encoded"),
]
CORRELATION_FAULTS = [
    ("type: event_count", "type: event_cuont", "is not known"),
    ("type: event_count", "kind: event_count", "type: is missing"),
    ("timespan: 10m", "timespan: 10", "write a number and s, m"),
    ("timespan: 10m", "timespan: 1x", "write a number and s, m"),
    ("gte: 5", "more: 5", "is no operator"),
    ("gte: 5", "gte: five", "must be a number"),
    ("rules: [", "rules: [nobody_at_all, ", "no rule has the id or name"),
    ("group-by: [src_ip]", "group-by: {src_ip: x}", "must be a list"),
    ("type: event_count", "type: value_count", "field: is missing"),
    ("generate: false", "generate: maybe", "must be true or false"),
]


def quote(text):
    return "'" + text.replace("'", "''") + "'"


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.counts = {"rules": 0, "correlations": 0, "filters": 0,
                       "foreign": 0, "refused": 0}
        self.expected = []  # (file, sentence)
        self.names = []

    def uuid(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def item(self, field):
        r = self.random
        words = [quote(r.choice(WORDS)) for _ in range(r.randint(1, 6))]
        some = "[" + ", ".join(words) + "]"
        return r.choices([
            f"{field}|contains: {some}", f"{field}|endswith: {some}",
            f"{field}|contains|all: {some}", f"{field}|startswith: {words[0]}",
            f"{field}|re: '(?:evil|bad)[0-9]{{2,4}}\\.exe'",
            f"{field}|windash|contains: ' -enc '",
            f"{field}|cidr: [10.0.0.0/8, '2001:db8::/32']",
            f"{field}|base64offset|contains: 'http://'",
            f"{field}: {words[0]}", f"{field}: null", f"{field}: {some}",
            f"{field}|fieldref: {field}", f"{field}|exists: true",
        ], weights=[46, 34, 12, 6, 4, 2, 2, 1, 20, 2, 10, 1, 1])[0]

    def rule(self, ours, name=None):
        r = self.random
        service = r.choice(sorted(OURS))
        fields = OURS[service] if ours else FOREIGN_FIELDS
        source = (f"product: span25\n    service: {service}" if ours
                  else r.choice(FOREIGN))
        shape = r.choices(["one", "all of", "filters", "1 of", "keywords",
                           "maps"], weights=[50, 15, 12, 6, 3, 4])[0]
        names = {"one": ["selection"], "all of": ["selection_a", "selection_b"],
                 "filters": ["selection", "filter_main_a", "filter_main_b"],
                 "1 of": ["selection_a", "selection_b"],
                 "keywords": ["keywords"], "maps": ["selection"]}[shape]
        condition = {
            "one": "selection", "all of": "all of selection_*",
            "filters": "selection and not 1 of filter_main_*",
            "1 of": "1 of selection_*", "keywords": "keywords",
            "maps": "selection"}[shape]
        lines = [f"title: Made rule {self.counts['rules']} of "
                 f"{r.choice(WORDS[:4]).strip(' -/').strip(chr(92))}",
                 f"id: {self.uuid()}"]
        if name:
            lines.append(f"name: {name}")
        lines += ["status: test", "description: |", "    Made for a test.",
                  "references:", "    - https://example.org/a",
                  "author: nobody", "date: 2026-11-22",
                  "tags:", "    - attack.execution", "    - attack.t1059.001",
                  "logsource:", "    " + source, "detection:"]
        for selection in names:
            lines.append(f"    {selection}:")
            if shape == "keywords":
                lines += [f"        - {quote(w)}" for w in WORDS[:3]]
            elif shape == "maps":
                for _ in range(3):
                    lines.append("        - " + self.item(r.choice(fields)))
            else:
                for field in r.sample(fields, r.randint(1, 2)):
                    lines.append("        " + self.item(field))
        lines += [f"    condition: {condition}", "falsepositives:",
                  "    - Unknown", "level: " +
                  r.choice(["low", "medium", "high", "critical"])]
        return "\n".join(lines) + "\n"

    def spoil(self, text, fault):
        """The rule with this fault in the place of a good line."""
        where, bad, _ = fault
        if where == "value":
            return re.sub(r"    condition:.*",
                          lambda m: f"    spoilt:\n        smtp.helo{bad}\n"
                                    "    condition: spoilt", text)
        if where == "logsource":
            return text.replace("logsource:", "logsrc:")
        if where == "tags":
            return re.sub(r"tags:\n(    - .*\n)+", bad + "\n", text)
        lines = text.split("\n")
        at = next(i for i, line in enumerate(lines)
                  if line.strip().startswith(where + ":"))
        indent = lines[at][:len(lines[at]) - len(lines[at].lstrip())]
        if where == "condition":  # which selections there are differs
            first = lines[lines.index("detection:") + 1].strip(" :")
            bad = bad.replace("selection ", first + " ")
        lines[at] = indent + bad
        return "\n".join(lines)

    def correlation(self):
        names = ", ".join(self.random.sample(self.names, 2))
        return (f"title: Made correlation {self.counts['correlations']}\n"
                f"id: {self.uuid()}\ncorrelation:\n    type: event_count\n"
                f"    rules: [{names}]\n    group-by: [src_ip]\n"
                "    timespan: 10m\n    condition: {gte: 5}\n"
                "    generate: false\nlevel: high\n")

    def filter(self):
        name = self.random.choice(self.names)
        return (f"title: Made filter {self.counts['filters']}\n"
                "logsource: {product: span25}\nfilter:\n"
                f"    rules: [{name}]\n    own: {{src_ip: 192.0.2.1}}\n"
                "    condition: not own\n")

    def document(self, path):
        """One document, good or not; what it counts as is noted."""
        r = self.random
        kind = r.choices(["foreign", "ours", "correlation", "filter"],
                         weights=[60, 34, 4, 2])[0]
        bad = r.random() < 0.04
        if kind in ("correlation", "filter") and len(self.names) < 2:
            kind = "ours"
        if kind == "correlation":
            text = self.correlation()
            if bad:
                old, new, why = r.choice(CORRELATION_FAULTS)
                text = text.replace(old, new)
                return self.refuse(path, text, why)
            self.counts["correlations"] += 1
            return text
        if kind == "filter":
            self.counts["filters"] += 1
            return self.filter()
        ours = kind == "ours"
        name = f"made_{len(self.names)}" if ours and not bad else None
        text = self.rule(ours, name)
        if bad:
            fault = r.choice([f for f in FAULTS if ours or f[0] != "value"
                              or not f[1].startswith("|contians")])
            return self.refuse(path, self.spoil(text, fault), fault[2])
        if name:
            self.names.append(name)
        self.counts["rules"] += 1
        self.counts["foreign"] += not ours
        return text

    def refuse(self, path, text, why):
        self.counts["refused"] += 1
        self.expected.append((path, why))
        return text

    def folder(self, root, n):
        done = number = 0
        while done < n:
            path = (f"{number % 17:02}/{number % 5}/"
                    f"made_{number:05}.{'yml' if number % 3 else 'yaml'}")
            number += 1
            several = 3 if self.random.random() < 0.05 else 1
            texts = [self.document(path) for _ in range(several)]
            done += several
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text("---\n".join(texts))
        for name in ("README.md", "notes.txt", ".hidden.yml"):
            (root / name).write_text("title: [\n")
        return number


def verify(maker, files, done):
    """What is wrong with the answer, a sentence each."""
    c = maker.counts
    wanted = (f"{files} files: {c['rules']} rules, {c['correlations']} "
              f"correlations, {c['filters']} filters loaded\n"
              f"{c['foreign']} rules are for other log sources and will never "
              f"match\n{c['refused']} documents refused\n")
    if done.stdout != wanted:
        yield f"says {done.stdout!r}, not {wanted!r}"
    if done.returncode != 4:
        yield f"exit {done.returncode}, not 4"
    told = {}
    for line in done.stderr.splitlines():
        match = re.match(r"(.*?\.ya?ml):(\d+):(\d+): (.*)", line)
        if not match:
            yield f"not a fault: {line}"
            continue
        told.setdefault(match[1], []).append(match[4])
    for path, why in maker.expected:
        if not any(why in text for text in told.get(path, [])):
            yield f"{path}: {why!r} is not told: {told.get(path)}"
    for path in told.keys() - {path for path, _ in maker.expected}:
        yield f"{path}: nothing is wrong with it: {told[path]}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--rules", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=25)
    parser.add_argument("--keep", type=pathlib.Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temp:
        root = args.keep or pathlib.Path(temp)
        root.mkdir(parents=True, exist_ok=True)
        maker = Maker(args.seed)
        files = maker.folder(root, args.rules)
        before = time.monotonic()
        done = subprocess.run([args.program.resolve(), "rules", "check", "."],
                              cwd=root, capture_output=True, text=True,
                              check=False, timeout=PATIENCE)
        took = time.monotonic() - before
        done.stderr = re.sub(r"^\./", "", done.stderr, flags=re.M)
    faults = list(verify(maker, files, done))
    for fault in faults[:30]:
        print(fault)
    print(done.stdout + f"{sum(maker.counts.values()) - maker.counts['foreign']}"
          f" documents in {took:.2f} s")
    print(f"{0 if faults else 1} passed, {1 if faults else 0} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
