#!/usr/bin/env python3
"""scenario - a mail conversation in words, made into a capture.

    scenario.py FILE.smtp [-o FILE.pcap]     one capture, default standard output
    scenario.py --all FOLDER OUT             every scenario of a folder

A line is a comment (#), a setting, a packet, or an expectation. Strings have C
escapes (\\r \\n \\t \\0 \\" \\\\ \\xNN); everything else in them is UTF-8.

Settings, before the first packet of the connection they speak of:
  conn N               the lines from here on speak of connection N (first: 1)
  ipv6 | vlan N | mss N | isn C N | isn S N | port N | client A | server A
  no handshake         the capture begins behind it (also: midstream)
  oneway C|S           only that side's packets are captured
  snap N               packets are captured up to N bytes of payload
  leave open           no FIN exchange at the end
  secret TEXT          may stand in no output, nor its base64
  option --WORD        for the program that reads the capture
  no golden            only the expectations are checked
  lockstep             tests/mangle_test.c: no loss may hurt a later mail
  fragile WORD...      it leaves out these manglings: cut reorder duplicate drop

Packets; "at SECONDS" before them sets the time, else 10 ms pass:
  C PIECE... WORD...   a segment of the client (S: of the server), cut at mss
     pieces: "text", bytes N [text|base64|zero], gap N (sent and acknowledged,
     not captured), {i} in a string: the round of the repeat it stands in
     words:  blind       does not acknowledge what the other side sent last
             unseen-acked  the whole segment is not captured
             unacked     the other side never acknowledges it by itself
             dup         captured twice, as mirror ports deliver
             late        captured after its own acknowledgement
             hold N      captured after N more packets
             urg         with an urgent pointer
             split N     sent in segments of N bytes
             retransmit  with the sequence number of this side's last segment
             seq N       raw: N bytes from this side's next sequence number
             old         fin, retransmit: with the same IP identification
  C ack                an empty acknowledgement
  C keepalive          one octet before the next sequence number (RFC 9293 3.8.4)
  C syn N | S synack N a further SYN with sequence number N
  fin C|S [hold N]     rst C|S [badseq]         close (all FINs, in order)
  dup                  the last packet again
  hello                greeting, EHLO and its reply with PIPELINING, lock-step
  mail N               a small mail of <aN@client.example>, all answered 2xx
  bye                  QUIT and its reply
  attempt refused|unanswered|silent    a connection without a byte
  repeat N ... end     the lines between, N times

Expectations, checked by tests/scenarios/run:
  expect TYPE KEY=VALUE...   one event of TYPE has all; KEY is dotted, a list
                             matches when a member does; KEY~VALUE: contains;
                             !KEY: absent
  expect no TYPE [KEY=VALUE...]    expect count TYPE N [KEY=VALUE...]
  expect anomaly NAME [N]          expect no anomaly
Every anomaly must be expected: one that is not fails the scenario.

Handshake, lengths, checksums and acknowledgements come by themselves: a segment
acknowledges all that the other side has sent before it, and what is not
acknowledged that way gets an empty ACK.
"""
import ipaddress
import pathlib
import re
import struct
import sys

START = 1767225600  # 2026-01-01 00:00:00 UTC
FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
MASK = 0xFFFFFFFF


HELLO = [
    r'S "220 mx.example ESMTP\r\n"',
    r'C "EHLO client.example\r\n"',
    r'S "250-mx.example\r\n250-SIZE 10485760\r\n250-8BITMIME\r\n'
    r'250 PIPELINING\r\n"',
]
MAIL = [
    r'C "MAIL FROM:<a{n}@client.example>\r\n"',
    r'S "250 2.1.0 Ok\r\n"',
    r'C "RCPT TO:<b{n}@mx.example>\r\n"',
    r'S "250 2.1.5 Ok\r\n"',
    r'C "DATA\r\n"',
    r'S "354 go ahead\r\n"',
    r'C "From: a{n}@client.example\r\nTo: b{n}@mx.example\r\n'
    r'Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <m{n}@client.example>'
    r'\r\nSubject: mail {n}\r\n\r\nText {n}.\r\n.\r\n"',
    r'S "250 2.0.0 Ok: queued as AB12CDQ{n}\r\n"',
]
BYE = [r'C "QUIT\r\n"', r'S "221 2.0.0 Bye\r\n"']


class Bad(Exception):
    """A line that makes no sense."""


# ---- words of a line ----

ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", '"': '"', "\\": "\\"}
TOKEN = re.compile(r'((?:[^\s"])*)"((?:[^"\\]|\\.)*)"|(\S+)')


def unescape(text):
    out = bytearray()
    at = 0
    while at < len(text):
        c = text[at]
        if c != "\\":
            out += c.encode()
            at += 1
        elif text[at + 1] == "x":
            out.append(int(text[at + 2:at + 4], 16))
            at += 4
        else:
            out += ESCAPES[text[at + 1]].encode()
            at += 2
    return bytes(out)


def words(line):
    """Words as str, quoted strings as bytes; k="v w" as (k=, bytes)."""
    out = []
    for m in TOKEN.finditer(line):
        if m.group(3) is not None:
            out.append(m.group(3))
        elif m.group(1):
            out.append((m.group(1), unescape(m.group(2))))
        else:
            out.append(unescape(m.group(2)))
    return out


# ---- bytes ----

LETTERS = b"abcdefghijklmnopqrstuvwxyz     etaoinshrdlu"
BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def filler(n, kind, seed):
    """n bytes; lines of 76 and CRLF but for zero, the last one cut to fit."""
    if kind == "zero":
        return bytes(n)
    letters = LETTERS if kind == "text" else BASE64
    out = bytearray()
    state = seed * 2654435761 + 1 & MASK
    while len(out) < n:
        for _ in range(76):
            state = state * 1664525 + 1013904223 & MASK
            out.append(letters[(state >> 16) % len(letters)])
        out += b"\r\n"
    del out[n:]
    if n >= 2:
        out[-2:] = b"\r\n"
    return bytes(out)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# ---- one connection ----

class Side:
    def __init__(self, name, address, port, isn):
        self.name = name
        self.address = ipaddress.ip_address(address)
        self.port = port
        self.next = isn      # sequence number to send next
        self.last = isn      # and of the last segment
        self.acked = 0       # what this side has acknowledged
        self.owes = False    # an acknowledgement
        self.ip_id = isn & 0x7FFF
        self.fin = False


class Conn:
    def __init__(self, number):
        self.number = number
        self.set = {"mss": 1448, "port": 25, "client": None, "server": None,
                    "isn": {"C": 1000 + number, "S": 500000 + number},
                    "vlan": [], "ipv6": False, "handshake": True,
                    "oneway": None, "snap": None, "open": False}
        self.sides = None
        self.over = False

    def begin(self):
        n = self.number
        net = "2001:db8::{}:" if self.set["ipv6"] else "10.0.{}."
        self.sides = {
            "C": Side("C", self.set["client"] or net.format(1) + str(n),
                      40000 + n, self.set["isn"]["C"]),
            "S": Side("S", self.set["server"] or net.format(2) + str(n),
                      self.set["port"], self.set["isn"]["S"]),
        }

    def peer(self, side):
        return self.sides["S" if side.name == "C" else "C"]


class Packet:
    def __init__(self, when, frame, wire_len):
        self.when = when
        self.frame = frame
        self.wire_len = wire_len
        self.hold = 0


class Scenario:
    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.packets = []
        self.held = []
        self.expects = []   # lists of words
        self.secrets = []
        self.options = []
        self.about = []
        self.golden = True
        self.fragile = []
        self.now = 0.0
        self.conns = {}
        self.conn = self.get_conn(1)
        self.n_filler = 0
        lines = self.path.read_text(encoding="utf-8").splitlines()
        numbered = [(i + 1, text) for i, text in enumerate(lines)]
        self.run_lines(numbered, {})
        for conn in self.conns.values():
            self.finish(conn)
        self.flush_held()

    def get_conn(self, number):
        if number not in self.conns:
            self.conns[number] = Conn(number)
        return self.conns[number]

    # -- lines --

    def run_lines(self, lines, values):
        at = 0
        while at < len(lines):
            number, text = lines[at]
            text = text.strip()
            if text.startswith("repeat "):
                end = self.find_end(lines, at)
                for i in range(int(text.split()[1])):
                    self.run_lines(lines[at + 1:end], {**values, "i": i})
                at = end
            elif text.startswith("#"):
                self.about.append(text[1:].strip())
            elif text:
                try:
                    self.run_line(text, values)
                except (Bad, ValueError, KeyError, IndexError) as e:
                    raise Bad(f"{self.path}:{number}: {text}: {e}") from e
            at += 1

    @staticmethod
    def find_end(lines, at):
        depth = 0
        for i in range(at, len(lines)):
            word = lines[i][1].strip().split(" ")[0]
            depth += (word == "repeat") - (word == "end")
            if depth == 0:
                return i
        raise Bad(f"line {lines[at][0]}: repeat without end")

    def run_line(self, text, values):
        for key, value in values.items():
            text = text.replace("{" + key + "}", str(value))
        w = words(text)
        if w[0] == "expect":
            self.expects.append(w[1:])
            return
        if w[0] == "secret":
            self.secrets.append(text.split(None, 1)[1])
            return
        if w[0] == "option":
            self.options += w[1:]
            return
        if w == ["no", "golden"]:
            self.golden = False
            return
        if w[0] in ("fragile", "lockstep"):
            self.fragile += w if w[0] == "lockstep" else w[1:]
            return
        timed = w[0] == "at"
        if timed:
            if float(w[1]) < self.now:
                raise Bad("time goes back")
            self.now = float(w[1])
            w = w[2:]
        if self.setting(w):
            return
        if w[0] in ("hello", "mail", "bye"):
            n = w[1] if len(w) > 1 else 1
            for line in {"hello": HELLO, "mail": MAIL, "bye": BYE}[w[0]]:
                self.run_line(line, {"n": n})
            return
        if not timed:
            self.now += 0.010
        self.packet_line(w)

    def setting(self, w):
        s = self.conn.set
        word = w[0]
        if word == "conn":
            self.conn = self.get_conn(int(w[1]))
        elif word in ("mss", "port", "snap"):
            s[word] = int(w[1])
        elif word in ("client", "server"):
            s[word] = w[1]
        elif word == "isn":
            s["isn"][w[1]] = int(w[2], 0)
        elif word == "vlan":
            s["vlan"] = [int(v) for v in w[1:]]
        elif word == "ipv6":
            s["ipv6"] = True
        elif word == "midstream" or w == ["no", "handshake"]:
            s["handshake"] = False
        elif word == "oneway":
            s["oneway"] = w[1]
        elif w == ["leave", "open"]:
            s["open"] = True
        else:
            return False
        return True

    # -- packets --

    def packet_line(self, w):
        conn = self.conn
        if w[0] == "dup":
            self.emit(Packet(self.now, self.packets[-1].frame,
                             self.packets[-1].wire_len))
            return
        if w[0] == "attempt":
            self.attempt(conn, w[1])
            return
        self.start(conn)
        if w[0] == "close":
            self.close(conn)
        elif w[0] == "fin":
            held = int(w[3]) if w[2:3] == ["hold"] else 0
            self.send_fin(conn, conn.sides[w[1]], held)
        elif w[0] == "rst":
            side = conn.sides[w[1]]
            off = 900000 if w[2:] == ["badseq"] else 0
            self.flush_ack(conn, side)
            self.segment(conn, side, b"", RST | ACK, seq=side.next + off)
            conn.over |= not off
        elif w[0] in ("C", "S"):
            self.side_line(conn, conn.sides[w[0]], w[1:])
        else:
            raise Bad("unknown word " + str(w[0]))

    def start(self, conn):
        if conn.sides is not None:
            return
        conn.begin()
        c, s = conn.sides["C"], conn.sides["S"]
        later = self.now
        if conn.set["handshake"]:
            self.now = max(0.0, later - 0.003)
            self.segment(conn, c, b"", SYN)
            c.next = c.next + 1 & MASK
            self.now += 0.001
            s.acked = c.next
            self.segment(conn, s, b"", SYN | ACK)
            s.next = s.next + 1 & MASK
            self.now += 0.001
            c.acked = s.next
            self.segment(conn, c, b"", ACK)
        else:
            c.next, s.next = c.next + 1 & MASK, s.next + 1 & MASK
            c.acked, s.acked = s.next, c.next
        self.now = max(later, self.now)

    def attempt(self, conn, how):
        conn.over = True
        if how == "silent":
            conn.over = False
            self.start(conn)
            return
        conn.begin()
        client, server = conn.sides["C"], conn.sides["S"]
        for _ in range(1 if how == "refused" else 3):
            self.segment(conn, client, b"", SYN)
            self.now += 1.0
        if how == "refused":
            server.acked = client.next + 1
            self.segment(conn, server, b"", RST | ACK, seq=0)

    def side_line(self, conn, side, w):
        if w[0] == "ack":
            self.ack(conn, side)
        elif w[0] == "keepalive":
            self.segment(conn, side, b"", ACK, seq=side.next - 1)
        elif w[0] in ("syn", "synack"):
            self.segment(conn, side, b"", SYN | (ACK if w[0] == "synack" else 0),
                         seq=int(w[1], 0))
        else:
            self.send(conn, side, *self.pieces(w))

    def pieces(self, w):
        data = bytearray()
        gaps = []   # [from, to) not captured
        how = {}
        at = 0
        while at < len(w):
            word = w[at]
            at += 1
            if isinstance(word, bytes):
                data += word
            elif word == "bytes":
                kind = "text"
                n = int(w[at])
                at += 1
                if at < len(w) and w[at] in ("text", "base64", "zero"):
                    kind = w[at]
                    at += 1
                self.n_filler += 1
                data += filler(n, kind, self.n_filler)
            elif word == "gap":
                n = int(w[at])
                at += 1
                gaps.append((len(data), len(data) + n))
                data += b"?" * n
            elif word in ("hold", "split", "seq"):
                how[word] = int(w[at])
                at += 1
            elif word in ("blind", "unseen-acked", "unacked", "dup", "late",
                          "urg", "retransmit", "old"):
                how[word] = True
            else:
                raise Bad("unknown word " + str(word))
        if "unseen-acked" in how:
            gaps = [(0, len(data))]
        return bytes(data), gaps, how

    def send(self, conn, side, data, gaps, how):
        peer = conn.peer(side)
        conn.over = conn.over and any(s.fin for s in (side, peer))
        raw = "seq" in how or "retransmit" in how
        ack = side.acked if "blind" in how else peer.next
        seq = side.next + how.get("seq", 0)
        if "retransmit" in how:
            seq = side.last
        # What the other side has sent it knows; what this side sent before
        # needs an acknowledgement of its own.
        if peer.owes and "blind" not in how:
            self.ack(conn, peer)
        if not raw:
            side.last = side.next
            side.next = side.next + len(data) & MASK
        if "late" in how:
            self.ack(conn, peer)
        self.segments(conn, side, data, gaps, seq, ack, how)
        if "blind" not in how:
            side.acked, side.owes = ack, False
        peer.owes = not raw and "late" not in how and "unacked" not in how

    def segments(self, conn, side, data, gaps, seq, ack, how):
        size = how.get("split", conn.set["mss"])
        cuts = {0, len(data)}
        for a, b in gaps:
            cuts |= {a, b}
        edges = sorted(cuts)
        for a, b in zip(edges, edges[1:]):
            for at in range(a, b, size):
                end = min(at + size, b)
                flags = ACK | (PSH if end == len(data) else 0)
                if "urg" in how:
                    flags |= URG
                if "old" in how:
                    side.ip_id -= 1
                if any(x <= at < y for x, y in gaps):
                    side.ip_id += 1
                    continue
                p = self.segment(conn, side, data[at:end], flags, seq + at,
                                 ack, hold=how.get("hold", 0))
                if "dup" in how:
                    self.dup(conn, side, p)

    def ack(self, conn, side):
        side.acked, side.owes = conn.peer(side).next, False
        self.segment(conn, side, b"", ACK)

    def flush_ack(self, conn, *sides):
        for side in sides:
            if side.owes:
                self.ack(conn, side)

    def send_fin(self, conn, side, hold=0):
        peer = conn.peer(side)
        self.flush_ack(conn, peer)
        side.acked, side.owes = peer.next, False
        self.segment(conn, side, b"", FIN | ACK, hold=hold)
        side.next = side.next + 1 & MASK
        side.fin = True
        peer.owes = True
        conn.over |= peer.fin

    def close(self, conn):
        for name in ("C", "S"):
            if not conn.sides[name].fin:
                self.send_fin(conn, conn.sides[name])
        self.flush_ack(conn, *conn.sides.values())

    def finish(self, conn):
        if conn.sides is None:
            return
        self.now += 0.010
        if not conn.over and not conn.set["open"]:
            self.close(conn)
        elif not any(s.fin for s in conn.sides.values()) or conn.over:
            self.flush_ack(conn, *conn.sides.values())

    # -- frames --

    def segment(self, conn, side, payload, flags, seq=None, ack=None, hold=0):
        peer = conn.peer(side)
        seq = (side.next if seq is None else seq) & MASK
        ack = (side.acked if ack is None else ack) & MASK
        options = b""
        if flags & SYN:
            options = struct.pack("!BBH", 2, 4, conn.set["mss"])
        if not flags & ACK:
            ack = 0
        urgent = len(payload) if flags & URG else 0
        head = struct.pack("!HHIIBBHHH", side.port, peer.port, seq, ack,
                           (5 + len(options) // 4) << 4, flags, 65535, 0,
                           urgent) + options
        frame, cut = self.frame(conn, side, peer, head, payload)
        p = Packet(self.now, frame[:len(frame) - cut], len(frame))
        p.hold = hold
        if self.is_seen(conn, side):
            self.emit(p)
        return p

    @staticmethod
    def is_seen(conn, side):
        return conn.set["oneway"] in (None, side.name)

    def dup(self, conn, side, p):
        if self.is_seen(conn, side):
            self.emit(Packet(self.now, p.frame, p.wire_len))

    @staticmethod
    def frame(conn, side, peer, head, payload):
        src, dst = side.address.packed, peer.address.packed
        n = len(head) + len(payload)
        if len(src) == 4:
            pseudo = src + dst + struct.pack("!BBH", 0, 6, n)
        else:
            pseudo = src + dst + struct.pack("!IHBB", n, 0, 0, 6)
        tcp = bytearray(head + payload)
        struct.pack_into("!H", tcp, 16, checksum(pseudo + bytes(tcp)))
        side.ip_id = side.ip_id + 1 & 0xFFFF
        if len(src) == 4:
            ip = bytearray(struct.pack("!BBHHHBBH", 0x45, 0, 20 + n,
                                       side.ip_id, 0x4000, 64, 6, 0) + src + dst)
            struct.pack_into("!H", ip, 10, checksum(bytes(ip)))
            ethertype = 0x0800
        else:
            ip = struct.pack("!IHBB", 6 << 28, n, 6, 64) + src + dst
            ethertype = 0x86DD
        macs = {"C": b"\x02\0\0\0\0\x01", "S": b"\x02\0\0\0\0\x02"}
        ether = macs[peer.name] + macs[side.name]
        for v in conn.set["vlan"]:
            ether += struct.pack("!HH", 0x8100, v)
        snap = conn.set["snap"]
        cut = max(0, len(payload) - snap) if snap is not None else 0
        return ether + struct.pack("!H", ethertype) + bytes(ip) + bytes(tcp), cut

    def emit(self, p):
        if p.hold > 0:
            self.held.append(p)
            return
        due = []
        self.packets.append(p)
        for h in self.held:
            h.hold -= 1
            if h.hold == 0:
                due.append(h)
        self.held = [h for h in self.held if h not in due]
        for h in due:
            h.when = p.when
            self.emit(h)

    def flush_held(self):
        for h in self.held:
            h.hold = 0
            self.packets.append(h)
        self.held = []

    def pcap(self):
        out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
        last = 0
        for p in self.packets:
            us = max(round(p.when * 1e6), last + 1)
            last = us
            out.append(struct.pack("<IIII", START + us // 1000000,
                                   us % 1000000, len(p.frame), p.wire_len))
            out.append(p.frame)
        return b"".join(out)


def main(argv):
    if argv[:1] == ["--all"] and len(argv) == 3:
        out = pathlib.Path(argv[2])
        out.mkdir(parents=True, exist_ok=True)
        for old in (*out.glob("*.pcap"), *out.glob("*.fragile")):
            old.unlink()
        files = sorted(pathlib.Path(argv[1]).glob("*.smtp"))
        for path in files:
            scenario = Scenario(path)
            (out / (path.stem + ".pcap")).write_bytes(scenario.pcap())
            (out / (path.stem + ".fragile")).write_text(
                " ".join(scenario.fragile), encoding="ascii")
        print(f"{len(files)} captures made")
        return 0
    if len(argv) == 1:
        sys.stdout.buffer.write(Scenario(argv[0]).pcap())
        return 0
    if len(argv) == 3 and argv[1] == "-o":
        pathlib.Path(argv[2]).write_bytes(Scenario(argv[0]).pcap())
        return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Bad, OSError) as e:
        print(e, file=sys.stderr)
        sys.exit(1)
