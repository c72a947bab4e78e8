#!/usr/bin/env python3
"""DNS answers through the whole program: made captures, and found ones.

    dns_test.py PROGRAM [CAPTURES]

Answers come plain, in VLANs, tunnels and fragments; each must give the same
event, with 1, 2 and 4 workers the same bytes. Where CAPTURES is there, what is
told is compared with the fields that tshark shows, when that is installed.
"""
import base64
import hashlib
import ipaddress
import json
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

START = 1767225600  # 2026-01-01 00:00:00 UTC
HOME = ["--home", "10.0.0.0/8", "--home", "2001:db8::/32"]
A, PTR, MX, AAAA, TXT = 1, 12, 15, 28, 16
POINTER = b"\xc0\x0c"


# ---- messages ----

def name(text):
    return b"".join(bytes([len(x)]) + x.encode()
                    for x in text.split(".") if x) + b"\0"


def record(kind, data, owner=POINTER):
    return owner + struct.pack("!HHIH", kind, 1, 3600, len(data)) + data


def answer(asked, kind, records=(), flags=0x8180, number=0x1234):
    return (struct.pack("!6H", number, flags, 1, len(records), 0, 0) +
            name(asked) + struct.pack("!HH", kind, 1) + b"".join(records))


def mx(*hosts):
    return [record(MX, struct.pack("!H", 10 * i) + name(h))
            for i, h in enumerate(hosts)]


def addresses(*texts):
    return [record(A if len(a) == 4 else AAAA, a)
            for a in (ipaddress.ip_address(t).packed for t in texts)]


# ---- packets ----

def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp(payload, dport=40000, sport=53):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def ip4(data, src="192.0.2.53", dst="10.1.2.3", proto=17, number=7, frag=0):
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), number, frag, 64,
                       proto, 0)
    head += ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data


def ip6(data, src="2001:db8:53::53", dst="2001:db8::7", following=17):
    return (struct.pack("!IHBB", 6 << 28, len(data), following, 64) +
            ipaddress.ip_address(src).packed +
            ipaddress.ip_address(dst).packed + data)


def ether(data, vlans=()):
    kind = 0x0800 if data[0] >> 4 == 4 else 0x86DD
    tags = b"".join(struct.pack("!HH", 0x8100, v) for v in vlans)
    return (b"\x02\0\0\0\0\x01\x02\0\0\0\0\x02" + tags +
            struct.pack("!H", kind) + data)


def gre(data):
    kind = 0x0800 if data[0] >> 4 == 4 else 0x86DD
    return ip4(struct.pack("!HH", 0, kind) + data, "198.51.100.1",
               "198.51.100.2", 47)


def vxlan(frame):
    return ip4(udp(b"\x08\0\0\0\0\0\x2a\0" + frame, 4789, 50000),
               "198.51.100.1", "198.51.100.2")


def fragments4(data, size):
    return [ether(ip4(data[at:at + size], frag=at // 8 |
                      (0x2000 if at + size < len(data) else 0)))
            for at in range(0, len(data), size)]


def fragments6(data, size):
    out = []
    for at in range(0, len(data), size):
        more = at + size < len(data)
        head = struct.pack("!BBHI", 17, 0, at | more, 99)
        out.append(ether(ip6(head + data[at:at + size], following=44)))
    return out


def pcap(path, packets):
    """packets: (seconds, frame) or (seconds, frame, bytes captured)"""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    for when, frame, *snap in packets:
        us = round(when * 1e6)
        seen = frame[:snap[0]] if snap else frame
        out.append(struct.pack("<IIII", START + us // 1000000, us % 1000000,
                               len(seen), len(frame)) + seen)
    path.write_bytes(b"".join(out))


# ---- the program ----

def run(program, path, *options):
    p = subprocess.run([program, "read", "-q", "--events", "-", *HOME,
                        *options, str(path)], capture_output=True, check=False)
    if p.returncode != 0:
        sys.exit(f"{path}: exit code {p.returncode}\n{p.stderr.decode()}")
    return p.stdout


def lines_of(output, *types):
    events = [json.loads(line) for line in output.splitlines()]
    return [e for e in events if e["event_type"] in types]


def told(events):
    return [(e["src_ip"], e["dest_ip"], e["dns"]["rrname"], e["dns"]["rrtype"],
             e["dns"]["rcode"], *e["dns"].get("answers", [])) for e in events]


FAULTS = []


def check(why, got, want):
    if got != want:
        FAULTS.append(f"{why}:\n  got  {got}\n  want {want}")


ORG = answer("example.org", MX, mx("mx.example.org", "b.example.net"))
LONG = answer("example.org", MX, mx(*(f"mail-exchanger-{i}.example.org"
                                      for i in range(20))))
ORG_TOLD = ("10.1.2.3", "192.0.2.53", "example.org", "MX", "NOERROR",
            "mx.example.org", "b.example.net")
LONG_TOLD = ("10.1.2.3", "192.0.2.53", "example.org", "MX", "NOERROR",
             *(f"mail-exchanger-{i}.example.org" for i in range(16)))
SIX = ("2001:db8::7", "2001:db8:53::53")

# why, frames, events, keys that the first event has
WAYS = [
    ("plain", [ether(ip4(udp(ORG)))], [ORG_TOLD],
     {"direction": "outbound", "proto": "UDP", "app_proto": "dns",
      "src_port": 40000, "dest_port": 53}),
    ("VLAN", [ether(ip4(udp(ORG)), [7])], [ORG_TOLD], {"vlan": [7]}),
    ("QinQ", [ether(ip4(udp(ORG)), [7, 8])], [ORG_TOLD], {"vlan": [7, 8]}),
    ("GRE", [ether(gre(ip4(udp(ORG))))], [ORG_TOLD], {"tunnel": ["gre"]}),
    ("VXLAN", [ether(vxlan(ether(ip4(udp(ORG)))))], [ORG_TOLD],
     {"tunnel": ["vxlan"]}),
    ("IPv6", [ether(ip6(udp(ORG)))], [SIX + ORG_TOLD[2:]],
     {"direction": "internal"}),
    ("IPv6 in GRE in VLAN", [ether(gre(ip6(udp(ORG))), [7])],
     [SIX + ORG_TOLD[2:]], {"vlan": [7], "tunnel": ["gre"]}),
    ("fragments", fragments4(udp(LONG), 256), [LONG_TOLD],
     {"quality": {"truncated": True}}),
    ("fragments, last one first", fragments4(udp(LONG), 256)[::-1],
     [LONG_TOLD], {}),
    ("a fragment is missing", fragments4(udp(LONG), 256)[:-1], [], {}),
    ("fragments of IPv6", fragments6(udp(LONG), 256), [SIX + LONG_TOLD[2:]],
     {}),
    ("a mirror's copy", [ether(ip4(udp(ORG)))] * 2, [ORG_TOLD], {}),
    ("a copy from another VLAN",
     [ether(ip4(udp(ORG)), [7]), ether(ip4(udp(ORG)), [8])], [ORG_TOLD],
     {"vlan": [7]}),
    ("no such name",
     [ether(ip4(udp(answer("example.org", MX, flags=0x8183))))],
     [ORG_TOLD[:4] + ("NXDOMAIN",)], {}),
    ("a query", [ether(ip4(udp(answer("example.org", MX, flags=0x0100))))], [],
     {}),
    ("a query to port 53",
     [ether(ip4(udp(answer("example.org", MX, flags=0x0100), 53, 40000)))], [],
     {}),
    ("from another port", [ether(ip4(udp(ORG, 40000, 5353)))], [], {}),
    ("to a tunnel's port", [ether(ip4(udp(ORG, 4789)))], [ORG_TOLD],
     {"src_port": 4789}),
    ("name of an address",
     [ether(ip4(udp(answer("4.3.2.10.in-addr.arpa", PTR,
                           [record(PTR, name("host.example.edu"))]))))],
     [ORG_TOLD[:2] + ("4.3.2.10.in-addr.arpa", "PTR", "NOERROR",
                      "host.example.edu")], {}),
    ("address at home",
     [ether(ip4(udp(answer("www.example.edu", A,
                           addresses("192.0.2.1", "10.9.9.9")))))],
     [ORG_TOLD[:2] + ("www.example.edu", "A", "NOERROR", "10.9.9.9")], {}),
    ("address of IPv6 at home",
     [ether(ip4(udp(answer("www.example.edu", AAAA,
                           addresses("2001:db8::25")))))],
     [ORG_TOLD[:2] + ("www.example.edu", "AAAA", "NOERROR", "2001:db8::25")],
     {}),
    ("address elsewhere",
     [ether(ip4(udp(answer("www.example.org", A, addresses("192.0.2.1")))))],
     [], {}),
    ("text", [ether(ip4(udp(answer("example.org", TXT))))], [], {}),
]


def check_ways(program, folder):
    path = folder / "way.pcap"
    for why, frames, want, keys in WAYS:
        pcap(path, [(0.5 + i / 1000, f) for i, f in enumerate(frames)])
        output = run(program, path)
        events = lines_of(output, "dns")
        check(why, told(events), want)
        for key, value in keys.items():
            check(f"{why}, {key}", events and events[0].get(key), value)
        stats = lines_of(output, "stats")[-1]["stats"]
        check(f"{why}, packets", stats["decode"]["other"] +
              stats["decode"]["fragments"] -
              stats["decode"]["defragmented"], len(frames))


def check_cut(program, folder):
    path = folder / "cut.pcap"
    frame = ether(ip4(udp(ORG)))
    pcap(path, [(0.5, frame, len(frame) - 5)])
    events = lines_of(run(program, path), "dns")
    check("cut by the capture", told(events), [ORG_TOLD[:-1]])
    check("cut, said so", events[0]["quality"], {"truncated": True})
    ends = (ipaddress.ip_address("10.1.2.3").packed +
            ipaddress.ip_address("192.0.2.53").packed)
    digest = hashlib.sha1(b"\0\0" + ends + struct.pack(
        "!BBHH", 17, 0, 40000, 53)).digest()
    check("community id", events[0]["community_id"],
          "1:" + base64.b64encode(digest).decode())


def check_off(program, folder):
    path = folder / "off.pcap"
    pcap(path, [(0.5, ether(ip4(udp(ORG))))])
    (folder / "off.yaml").write_text("capture: {dns: false}\n",
                                     encoding="ascii")
    output = run(program, path, "-c", str(folder / "off.yaml"))
    check("turned off", lines_of(output, "dns"), [])
    check("turned off, stats", "dns" in lines_of(output, "stats")[-1]["stats"],
          False)  # nobody looked: that is not zero


def crowd():
    """Many clients of two resolvers, answers and other things, some twice."""
    out = []
    for i in range(2000):
        client = f"10.{i % 7}.{i // 256}.{i % 256}"
        kinds = [answer(f"d{i % 40}.example", MX, mx(f"mx{i}.example"), 0x8180,
                        i),
                 answer(f"{i % 250}.3.2.10.in-addr.arpa", PTR,
                        [record(PTR, name(f"h{i}.example.edu"))], 0x8180, i),
                 answer("www.example.edu", A,
                        addresses(f"{10 if i % 3 else 11}.0.0.1"), 0x8180, i),
                 answer("x.example", TXT, (), 0x8180, i),
                 bytes(i % 50)]
        frame = ether(ip4(udp(kinds[i % 5], 1024 + i * 7 % 60000),
                          f"192.0.2.{i % 2 + 1}", client), [i % 3 + 1])
        out.append((1 + i // 8 / 1000, frame))  # eight at a time
        if i % 11 == 0:
            out.append((1 + i // 8 / 1000, frame))
    return out


def check_workers(program, folder):
    path = folder / "crowd.pcap"
    pcap(path, crowd())
    want = run(program, path)
    events = lines_of(want, "dns")
    check("crowd", len(events), 400 + 400 + 267)
    check("crowd, one id each", len({e["event_id"] for e in events}),
          len(events))
    check("crowd, in order", events, sorted(
        events, key=lambda e: (e["timestamp"], e["flow_id"])))
    stats = lines_of(want, "stats")[-1]["stats"]["dns"]
    check("crowd, stats", stats, {"answers": len(crowd()), "told": len(events),
                                  "duplicates": stats["duplicates"],
                                  "malformed": 0})
    for options in (["--workers", "2"], ["--workers", "4"],
                    ["--workers", "4", "--processes"]):
        check(f"crowd, {options}", run(program, path, *options) == want, True)


# ---- found captures ----

FIELDS = ["frame.time_epoch", "dns.qry.name", "dns.qry.type", "dns.count.answers",
          "dns.flags.rcode", "dns.mx.mail_exchange", "dns.ptr.domain_name"]


def tshark_told(path):
    """What tshark sees of answers about mail and names, from UDP port 53."""
    p = subprocess.run(
        ["tshark", "-r", str(path), "-Y", "udp.srcport == 53 && "
         "dns.flags.response == 1 && !icmp && !icmpv6 && !_ws.malformed && "
         "dns.count.queries == 1 && (dns.qry.type == 15 || (dns.qry.type == 12 "
         "&& dns.qry.name matches \"(in-addr|ip6).arpa$\"))",
         "-T", "fields", "-E", "separator=\t", "-E", "aggregator=,",
         *(w for f in FIELDS for w in ("-e", f))],
        capture_output=True, text=True, check=False)
    out = []
    for line in p.stdout.splitlines():
        f = line.split("\t")
        names = f[5] or f[6]
        out.append((f[1].lower(), {"15": "MX", "12": "PTR"}[f[2]],
                    sorted(n.lower() for n in names.split(",") if n)))
    return sorted(out)


def check_found(program, captures):
    n = 0
    paths = sorted(p for p in captures.rglob("*")
                   if p.suffix in (".pcap", ".pcapng", ".cap"))
    for path in paths:
        p = subprocess.run([program, "read", "-q", "--events", "-", *HOME,
                            str(path)], capture_output=True, check=False)
        if p.returncode not in (0, 4):
            continue
        events = [e for e in lines_of(p.stdout, "dns")
                  if e["dns"]["rrtype"] in ("MX", "PTR")]
        got = sorted((e["dns"]["rrname"], e["dns"]["rrtype"],
                      sorted(e["dns"].get("answers", []))) for e in events)
        want = tshark_told(path)
        if got or want:
            n += 1
        check(path.name, got, want)
    print(f"{len(paths)} captures compared with tshark, {n} with answers")


def main(argv):
    program = argv[0]
    with tempfile.TemporaryDirectory() as folder:
        check_ways(program, pathlib.Path(folder))
        check_cut(program, pathlib.Path(folder))
        check_off(program, pathlib.Path(folder))
        check_workers(program, pathlib.Path(folder))
    captures = pathlib.Path(argv[1]) if len(argv) > 1 else None
    if captures is None or not captures.is_dir():
        print("captures: not there, skipped")
    elif shutil.which("tshark") is None:
        print("tshark: not installed, skipped")
    else:
        check_found(program, captures)
    for fault in FAULTS:
        print(fault)
    print(f"{len(WAYS)} ways, {len(FAULTS)} faults")
    return 1 if FAULTS else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
