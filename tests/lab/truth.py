#!/usr/bin/python3
"""Reads the servers' and clients' logs of a run and prints what happened, as JSON.

truth.py BASE-DIRECTORY. Envelope, replies, outcomes, queue ids and message ids come from the
servers' logs; message sizes and digests from the scripted clients and from the sink.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys

import plan

LINE = re.compile(r"^\w+ +\d+ [\d:]+ \S+ lab-([\w-]+)/smtpd\[(\d+)\]: (.*)$")
PEER = re.compile(r"^(<|>|connect from|disconnect from) \w+\[([^\]]+)\]:(\d+)(?:: | ?)(.*)$")
OTHER = re.compile(r"postfix/(cleanup|qmgr)\[\d+\]: ([0-9A-F]+): (?:message-id=(.*)|from=<.*>, size=(\d+),)")
ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?: |$)")
PATH = re.compile(r"^(?:MAIL FROM|RCPT TO): *(<(?:\"(?:[^\"\\]|\\.)*\"|[^>])*>|\S+)", re.I)
QUEUED = re.compile(r"(?:queued as |id=)([\w-]+)|^([0-9a-f]{8})(?= Message accepted)")
EXIM_LINE = re.compile(r"^ *(\d+) (?:SMTP(<<|>>) (.*)|       (\d{3}[ -].*)"
                       r"|Process \d+ is handling incoming connection from \[(.+)\]:(\d+)$"
                       r"|SMTP>>\((close) on process exit\))")
EXIM_TAKEN = re.compile(r" (\w{6}-\w{6}-\w{2}) <= .* S=(\d+) .*?id=(\S+) ")
OPENSMTPD_LINE = re.compile(r"^(?:smtp: (0x\w+): (?:(>>>|<<<) (.*)|STATE_NEW -> (STATE_CONNECTED))"
                            r"|([0-9a-f]{16}) smtp (connected|disconnected)(?: address=(\S+))?.*)$")
OPENSMTPD_ID = re.compile(r"\(OpenSMTPD\) with \w+ id ([0-9a-f]{8})\b")
IGNORED_MAIL_CODES = {500, 501, 502, 503, 530}
# Servers that send on what they got, with a line more in its header.
FORWARDERS = {one.address for places in plan.ROOT_SERVERS.values() for one in places}
# What the lab means by an answer: a fragment of the text and the class of a refusal.
MEANINGS = (
    ("User unknown", "unknown_user"), ("No such user", "unknown_user"),
    ("tried to reach does not exist", "unknown_user"), ("over its quota", "mailbox_full"),
    ("Mailbox full", "mailbox_full"), ("blocked using", "blocklist"),
    ("listed at bl.example-rbl.test", "blocklist"), ("Greylisted", "greylisting"),
    ("Relay access denied", "relay_denied"), ("refused by local policy", "policy"),
    ("too many recipients", "rate"), ("too much mail", "rate"),
)


def meaning(code, text):
    """The class of a recipient's answer, None where the lab has no opinion."""
    if 200 <= code < 300:
        return "accepted"
    return next((word for fragment, word in MEANINGS if fragment.lower() in text.lower()), None)


class Reply:
    """A whole reply of one or more lines."""

    def __init__(self, lines):
        self.code = int(lines[0][:3])
        texts = [line[4:] for line in lines]
        found = ENHANCED.match(texts[0])
        self.enhanced = found.group(1) if found else None
        if found:
            texts = [re.sub("^" + re.escape(self.enhanced) + " ?", "", text) for text in texts]
        self.text = "\n".join(texts)

    @property
    def good(self):
        """2xx."""
        return 200 <= self.code < 300

    def row(self):
        """The three parts for the truth."""
        return {"code": self.code, "enhanced": self.enhanced, "text": self.text}


class Transaction:
    """From MAIL to whatever ends it."""

    def __init__(self, session, path):
        self.row = {"tls": session.tls, "helo": session.helo, "mail_from": path, "rcpt": [],
                    "via": None, "final_code": None, "final_enhanced": None, "final_text": None,
                    "outcome": None, "queue_id": None, "message_id": None, "message": None,
                    "message_source": None, "optional": False}
        self.started = self.whole = False

    def finish(self, reply, sent):
        """The reply that decides; sent says whether the message had gone before."""
        self.whole = sent
        self.row.update(final_code=reply.code, final_enhanced=reply.enhanced,
                        final_text=reply.text, outcome=[outcome_of(reply.code)])
        found = QUEUED.search(reply.text) if reply.good else None
        self.row["queue_id"] = found.group(found.lastindex) if found else None

    def refuse_data(self, reply):
        """DATA or BDAT refused. Without a good recipient that only repeats what was said before."""
        if any(200 <= one["code"] < 300 for one in self.row["rcpt"]):
            return self.finish(reply, False)
        words = {outcome_of(one["code"]) for one in self.row["rcpt"]}
        self.row.update(outcome=sorted(words | {outcome_of(reply.code)}), data_refused=reply.row())
        return None

    def close(self, how):
        """Ended without a deciding reply: how is reset, quit, lost, server or 421."""
        codes = [one["code"] for one in self.row["rcpt"]]
        if self.started:
            outcome = ["aborted"] if how == "lost" else ["aborted", "no-data", "deferred"]
        elif codes and not any(200 <= code < 300 for code in codes):
            outcome = sorted({outcome_of(code) for code in codes})
        elif how in ("reset", "quit"):
            outcome = ["no-data"]
        else:
            outcome = ["no-data", "aborted"] + (["deferred"] if how == "421" else [])
        self.row["outcome"] = self.row["outcome"] or outcome


def outcome_of(code):
    """The word for a deciding code."""
    return {2: "accepted", 4: "deferred", 5: "rejected"}[code // 100]


class Session:
    """One connection as its server saw it."""

    def __init__(self, place, client_ip, client_port):
        self.place, self.client = place, (client_ip, int(client_port))
        self.tls, self.helo, self.banner = place.tls_wrapper, None, None
        self.offered, self.starttls_code, self.ended = False, None, "lost"
        self.auth, self.transactions, self.lines = [], [], []
        self.pending, self.current, self.sink_messages = None, None, []
        self.summary, self.rcpt_counts = "", [0, 0]

    def command(self, line):
        """A line that the server read."""
        if self.pending == "AUTH-STEP":
            self.pending = "AUTH"
            if line == "*":
                self.auth[-1]["outcome"] = "cancelled"
            return
        self.pending = line

    def reply_line(self, line):
        """A line that the server sent; acts when the reply is whole."""
        self.lines.append(line)
        if line[3:4] != "-":
            lines, self.lines = self.lines, []
            self.reply(Reply(lines), lines)

    def reply(self, reply, lines):
        """A whole reply meets the command it answers."""
        if self.pending is None:
            return self.unasked(reply, lines)
        if reply.code in (221, 421, 521):
            self.ended = "421" if reply.code == 421 else "server"
        verb = self.pending.split(" ")[0].split(":")[0].upper()
        handler = getattr(self, "on_" + verb.lower(), None)
        if handler:
            return handler(self.pending, reply, lines)
        self.pending = None
        return None

    def unasked(self, reply, lines):
        """The greeting, or a server that says goodbye by itself."""
        if self.banner is None:
            self.banner = lines[0]
        elif reply.code == 421:
            self.ended = "421"

    def on_ehlo(self, line, reply, lines):
        self.pending = None
        if reply.good:
            self.close_transaction("reset")
            self.helo = line.partition(" ")[2]
            self.offered |= any("STARTTLS" in one for one in lines) and not self.tls

    on_helo = on_ehlo

    def on_starttls(self, _line, reply, _lines):
        self.pending = None
        self.starttls_code = reply.code
        if reply.good:
            self.close_transaction("reset")
            self.tls, self.helo = True, None

    def on_auth(self, line, reply, _lines):
        if line.upper().startswith("AUTH ") or not self.auth:
            self.auth.append({"mechanism": line.split(" ")[1].upper(), "outcome": None,
                              "tls": self.tls})
        self.pending = "AUTH-STEP" if reply.code == 334 else None
        if self.pending is None:
            self.auth[-1]["code"] = reply.code
            if not self.auth[-1]["outcome"]:
                self.auth[-1]["outcome"] = "success" if reply.good else "failure"
        else:
            self.auth[-1]["steps"] = self.auth[-1].get("steps", 0) + 1

    def on_mail(self, line, reply, _lines):
        self.pending = None
        if self.current and not reply.good:
            return  # nested MAIL: the transaction goes on
        found = PATH.match(line)
        one = Transaction(self, found.group(1) if found else "")
        self.transactions.append(one)
        if reply.good:
            self.current = one
        else:
            one.finish(reply, False)
            one.row["optional"] = reply.code in IGNORED_MAIL_CODES

    def on_rcpt(self, line, reply, _lines):
        self.pending = None
        self.rcpt_counts[0 if reply.good else 1] += 1
        if not self.current:
            return
        found = PATH.match(line)
        self.current.row["rcpt"].append({"addr": found.group(1) if found else "", **reply.row(),
                                         "class": meaning(reply.code, reply.text)})

    def on_data(self, _line, reply, _lines):
        if not self.current:
            self.pending = None
        elif reply.code == 354:
            self.current.started, self.current.row["via"] = True, "DATA"
        else:
            self.pending = None
            self.decide(reply, self.current.started)

    def on_bdat(self, line, reply, _lines):
        self.pending = None
        if not self.current:
            return
        if not reply.good:
            self.decide(reply, False)
        else:
            self.current.started, self.current.row["via"] = True, "BDAT"
            if line.upper().endswith(" LAST"):
                self.decide(reply, True)

    def decide(self, reply, sent):
        if sent and self.sink_messages:
            found = self.sink_messages.pop(0)
            self.current.row["message"] = {"size": found["size"], "sha256": found["sha256"]}
            self.current.row["message_source"] = "server"
            self.current.row["message_id"] = found["message_id"]
        if reply.code == 421:
            self.ended = "421"
            self.current.close("421")
        elif sent:
            self.current.finish(reply, True)
        else:
            self.current.refuse_data(reply)
        self.current = None

    def on_rset(self, _line, reply, _lines):
        self.pending = None
        if reply.good:
            self.close_transaction("reset")

    def on_quit(self, _line, _reply, _lines):
        self.pending = None
        self.close_transaction("quit")
        self.ended = "quit"

    def close_transaction(self, how):
        if self.current:
            self.current.close(how)
            self.current = None

    def disconnect(self, summary=""):
        """The end of the connection: what is still open was broken off."""
        if self.current and self.pending and self.pending.upper().startswith("BDAT"):
            self.current.started, self.current.row["via"] = True, "BDAT"
        self.close_transaction(self.ended)
        self.summary = summary

    def self_check(self):
        """Postfix counts recipients itself; the dialogue must give the same."""
        found = re.search(r"rcpt=(\d+)(?:/(\d+))?", self.summary)
        good, total = (int(found.group(1)), int(found.group(2) or found.group(1))) if found else (0, 0)
        if self.summary and [good, total - good] != self.rcpt_counts:
            raise SystemExit(f"truth: {self.place.name} {self.client}: {self.summary!r} but"
                             f" {self.rcpt_counts} in the dialogue")

    def row(self, scenario):
        used = self.starttls_code == 220
        return {"scenario": scenario, "server": self.place.name,
                "client_ip": self.client[0], "client_port": self.client[1],
                "server_ip": self.place.address, "server_port": self.place.port,
                "implicit_tls": self.place.tls_wrapper, "banner": self.banner,
                "starttls": {"offered": self.offered, "used": used, "code": self.starttls_code},
                "auth": self.auth, "ended": self.ended,
                "transactions": [one.row for one in self.transactions]}


def postfix_log(path, sessions, queue):
    """Adds the sessions of one maillog, and what cleanup and qmgr know by queue id."""
    open_by_pid = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        found = LINE.match(line)
        if not found:
            other = OTHER.search(line)
            if other:
                entry = queue.setdefault(other.group(2), {})
                if other.group(1) == "cleanup":
                    entry["message_id"] = other.group(3)
                elif other.group(4):
                    entry["size"] = int(other.group(4))
            continue
        name, pid, rest = found.groups()
        peer = PEER.match(rest)
        if not peer:
            continue
        kind, address, port, text = peer.groups()
        if kind == "connect from":
            open_by_pid[pid] = Session(plan.SERVERS[name], address, port)
            sessions.append(open_by_pid[pid])
        elif kind == "disconnect from":
            open_by_pid.pop(pid).disconnect(text)
        elif kind == "<":
            open_by_pid[pid].command(text)
        else:
            open_by_pid[pid].reply_line(text)


def of_family(places, address):
    """The one of a server's two addresses that a client with this address talks to."""
    return next(one for one in places if plan.family_of(one.address) == plan.family_of(address))


def exim_log(folder, sessions, queue):
    """Adds what exim wrote while it spoke, and the queue ids and message ids of its main log."""
    open_by_pid = {}
    for line in read_lines(folder / "dialogue.log"):
        found = EXIM_LINE.match(line)
        if not found:
            continue
        pid, way, text, more, address, port, closed = found.groups()
        if address:
            place = of_family(plan.ROOT_SERVERS["exim"], address)
            open_by_pid[pid] = Session(place, address, port)
            sessions.append(open_by_pid[pid])
        elif pid not in open_by_pid:
            continue  # a process that delivers
        elif closed:
            open_by_pid.pop(pid).disconnect()
        elif way == "<<":
            open_by_pid[pid].command(text)
        else:
            open_by_pid[pid].reply_line(text or more)
    for line in read_lines(folder / "exim-main"):
        found = EXIM_TAKEN.search(line)
        if found:
            queue[found.group(1)] = {"message_id": f"<{found.group(3)}>", "size": int(found.group(2))}


def opensmtpd_log(base, sessions, queue):
    """Adds what OpenSMTPD traced. It logs no client port: the ports are those of the connections
    that the capture has from the same address, in the same order."""
    ports = handshakes(base / "lab.pcap", plan.ROOT_SERVERS["opensmtpd"])
    by_pointer, by_name, fresh = {}, {}, None
    for line in read_lines(base / "opensmtpd/dialogue.log"):
        found = OPENSMTPD_LINE.match(line)
        if not found:
            continue
        pointer, way, text, new, name, event, address = found.groups()
        if new:
            fresh = pointer
        elif event == "connected":
            address = address.strip("[]")
            place = of_family(plan.ROOT_SERVERS["opensmtpd"], address)
            by_name[name] = by_pointer[fresh] = Session(place, address, ports[address].pop(0))
            sessions.append(by_name[name])
        elif event:
            by_name.pop(name).disconnect()
        elif way == "<<<":
            by_pointer[pointer].command(text)
        else:
            by_pointer[pointer].reply_line(text)
    for path in (base / "opensmtpd/mail").glob("new/*"):
        head = path.read_bytes().partition(b"\n\n")[0].decode("utf-8", "replace")
        message_id = re.search(r"^message-id: *(\S+)", head, re.I | re.M)
        if message_id:
            queue[OPENSMTPD_ID.search(head).group(1)] = {"message_id": message_id.group(1)}


def handshakes(pcap, places):
    """The ports of each client address that a server of these places agreed to talk to."""
    ports = collections.defaultdict(list)
    where = " || ".join(f"ip{'v6' if plan.family_of(one.address) == 6 else ''}.src == {one.address}"
                        for one in places)
    fields = [word for field in ("ip.dst", "ipv6.dst", "tcp.dstport") for word in ("-e", field)]
    lines = subprocess.run(["tshark", "-n", "-r", pcap, "-T", "fields", *fields, "-Y",
                            f"tcp.flags.syn == 1 && tcp.flags.ack == 1 && tcp.srcport == 25 && ({where})"],
                           check=True, capture_output=True, text=True).stdout.splitlines()
    for line in lines:
        ipv4, ipv6, port = line.split("\t")
        ports[ipv4 or ipv6].append(port)
    return ports


def read_lines(path):
    """The lines of a log; none when its server was not there."""
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def sink_log(path, sessions):
    """Adds the sessions of the sink."""
    known = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        key = (row["server"], row["client_ip"], row["client_port"])
        if row["ev"] == "connect":
            known[key] = Session(plan.SINK_SERVERS[row["server"]], *key[1:])
            sessions.append(known[key])
        elif row["ev"] == "<":
            known[key].command(row["text"])
        elif row["ev"] == ">":
            known[key].reply_line(row["text"])
        elif row["ev"] == "message":
            known[key].sink_messages.append(row)
        else:
            known.pop(key).disconnect()


def add_client_truth(session, record):
    """Sizes and digests as the client sent them, in the order of its whole messages."""
    sent = list(record["messages"])
    for one in session.transactions:
        if not (one.whole and sent):
            continue
        message = sent.pop(0)
        if one.row["message"] and one.row["message"] != message:
            raise SystemExit(f"truth: client and sink differ in {record['scenario']}")
        one.row["message"] = message
        one.row["message_source"] = "client" if not one.row["message_source"] else "client and server"
    if sent:
        raise SystemExit(f"truth: {record['scenario']} sent {len(sent)} messages more than taken")


def add_letters(session, letters):
    """What clients attached, by Message-ID; gives the scenario of the first letter."""
    scenario = None
    for one in session.transactions:
        letter = letters.get((one.row["message_id"] or "").strip("<>"))
        if letter and one.whole:
            scenario = scenario or letter["scenario"]
            one.row["files"] = letter["files"]
            message = letter.get("message")
            if message and session.client[0] not in FORWARDERS:
                one.row["message"] = one.row["message"] or message
                one.row["message_source"] = one.row["message_source"] or "client"
                if one.row["message"] != message:
                    raise SystemExit(f"truth: two digests of {letter['letter']}")
    return scenario


def add_queue_truth(session, queue):
    """Message ids by queue id; a queued mail that no queue manager saw is an error."""
    for one in session.transactions:
        entry = queue.get(one.row["queue_id"])
        if entry:
            one.row["message_id"] = entry.get("message_id")
            one.row["queue_size"] = entry.get("size")
        elif one.row["queue_id"] and session.place.name in plan.SERVERS:
            raise SystemExit(f"truth: queue id {one.row['queue_id']} is in no cleanup line")


def totals(rows, tries):
    """The sums that people look at first."""
    every = [(row, one) for row in rows for one in row["transactions"]]
    accepted = collections.Counter(f"{row['client_ip']} {row['server_ip']}"
                                   for row, one in every if one["outcome"] == ["accepted"])
    refused = collections.Counter(str(rcpt["code"]) for _, one in every for rcpt in one["rcpt"]
                                  if rcpt["code"] >= 400)
    return {"sessions": len(rows), "transactions": len(every),
            "transactions_in_clear": sum(not one["tls"] for _, one in every),
            "mails_accepted": sum(accepted.values()),
            "mails_accepted_by_client_and_server": dict(sorted(accepted.items())),
            "recipients_accepted": sum(rcpt["code"] < 400 for _, one in every for rcpt in one["rcpt"]),
            "recipients_refused_by_code": dict(sorted(refused.items())),
            "attempts": dict(collections.Counter(one["attempt"] for one in tries))}


def lines_of(truth):
    """JSON with one session or attempt a line, so that a change can be read as a diff."""
    parts = []
    for name, value in truth.items():
        if isinstance(value, list):
            text = "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in value) + "\n]"
        else:
            text = json.dumps(value, indent=1, ensure_ascii=False)
        parts.append(f"{json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}"


def main():
    base = pathlib.Path(sys.argv[1])
    sessions, queue = [], {}
    for name in ("world", "relay"):
        postfix_log(base / name / "maillog", sessions, queue)
    sink_log(base / "sink.jsonl", sessions)
    exim_log(base / "exim", sessions, queue)
    opensmtpd_log(base, sessions, queue)
    records = [json.loads(line) for path in sorted(base.glob("clients-*.jsonl"))
               for line in path.read_text(encoding="utf-8").splitlines()]
    tries = [record for record in records if "attempt" in record]
    by_tuple = {tuple(record[key] for key in ("client_ip", "client_port", "server_ip", "server_port")):
                record for record in records if "server_port" in record and "attempt" not in record}
    letters = {record["letter"]: record for record in records if "letter" in record}
    rows = []
    for session in sessions:
        session.self_check()
        add_queue_truth(session, queue)
        record = by_tuple.pop((*session.client, session.place.address, session.place.port), None)
        if record:
            add_client_truth(session, record)
        scenario = add_letters(session, letters)
        rows.append(session.row(record["scenario"] if record else scenario or "relayed"))
    if by_tuple:
        raise SystemExit(f"truth: connections that no server logged: {sorted(by_tuple)}")
    print(lines_of({
        "sources": {
            "server logs": "sessions, helo, envelope, replies, outcomes, queue ids, message ids,"
                           " TLS, AUTH, how a session ended",
            "clients": "scenario names, message size and SHA-256 where message_source says client,"
                       " attempts that no server answered",
            "lab configuration": "rcpt[].class: what the answering server was set up to mean"},
        "totals": totals(rows, tries), "sessions": rows, "attempts": tries}))


if __name__ == "__main__":
    main()
