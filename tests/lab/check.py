#!/usr/bin/python3
"""Checks a capture against its truth with tshark: check.py PCAP TRUTH [TCPDUMP-LOG]."""

import json
import pathlib
import subprocess
import sys

FIELDS = ("tcp.stream", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst", "tcp.srcport", "tcp.dstport",
          "tcp.flags.syn", "tcp.flags.ack", "tcp.flags.reset", "tcp.len", "tcp.seq_raw", "frame.time_epoch")
COPY_SECONDS = 0.001  # the same segment again within this time is a copy; later, TCP sent it again


def tshark(pcap, *options):
    """The lines that tshark prints; checksums are left to the offload of the virtual links."""
    return subprocess.run(["tshark", "-n", "-r", pcap, "-o", "tcp.relative_sequence_numbers:FALSE",
                           *options], check=True, capture_output=True, text=True).stdout.splitlines()


def streams(pcap):
    """For each connection its client, its server and what was seen of it."""
    found = {}
    options = [word for field in FIELDS for word in ("-e", field)]
    for line in tshark(pcap, "-Y", "tcp && !icmp && !icmpv6", "-T", "fields", *options):
        (stream, src4, src6, dst4, dst6, sport, dport, syn, ack, rst, length, seq, time) = line.split("\t")
        here, there = (src4 or src6, int(sport)), (dst4 or dst6, int(dport))
        seen = found.setdefault(stream, {"tuple": (*here, *there), "syn": 0, "synack": 0, "rst": 0,
                                         "copies": 0, "times": {}, "from": set(), "first": {}})
        syn, ack, rst = (value in ("1", "True") for value in (syn, ack, rst))
        seen["syn"] += syn and not ack
        seen["synack"] += syn and ack
        seen["rst"] += rst
        seen["from"].add(here)
        if syn:
            seen["first"][here] = int(seq) + 1
        if int(length):
            before = seen["times"].get((here, seq, length), 0.0)
            seen["copies"] += float(time) - before < COPY_SECONDS
            seen["times"][(here, seq, length)] = float(time)
    return found.values()


def holes(seen):
    """Bytes of a connection that are not in the capture though later ones are. What was lost before
    the capture's place came again and is no hole."""
    for here, first in seen["first"].items():
        spans = sorted(((int(seq) - first) % 2**32, int(length))
                       for who, seq, length in seen["times"] if who == here)
        end = 0
        for start, length in spans:
            if start > end and start < 2**31:  # a byte before the first is a keep-alive
                yield f"{start - end} bytes from {here} at {end}"
            end = max(end, start + length) if start < 2**31 else end


def tuples(rows):
    """The four-tuples of truth rows."""
    return {(row["client_ip"], row["client_port"], row["server_ip"], row["server_port"])
            for row in rows}


def problems(pcap, truth, log):
    """Every sentence that says what is wrong."""
    all_streams = list(streams(pcap))
    established = {one["tuple"] for one in all_streams if one["synack"]}
    unanswered = {one["tuple"] for one in all_streams if len(one["from"]) == 1}
    refused = {one["tuple"] for one in all_streams
               if not one["synack"] and one["rst"] and len(one["from"]) == 2}
    said = tuples(truth["sessions"])
    tries = {kind: tuples(row for row in truth["attempts"] if row["attempt"] == kind)
             for kind in ("refused", "unanswered")}
    for name, seen, expected in (("established", established, said),
                                 ("refused", refused, tries["refused"]),
                                 ("unanswered", unanswered, tries["unanswered"])):
        for one in sorted(seen - expected):
            yield f"{name} connection in the capture only: {one}"
        for one in sorted(expected - seen):
            yield f"{name} connection in the truth only: {one}"
    for one in all_streams:
        if one["synack"] > 1 or (one["synack"] and one["syn"] > 1):
            yield f"handshake seen more than once: {one['tuple']}"
        if one["copies"]:
            yield f"segment seen more than once: {one['tuple']}"
        for hole in holes(one):
            yield f"a hole in {one['tuple']}: {hole}"
    for line in tshark(pcap, "-Y", "tcp.analysis.ack_lost_segment"):
        yield f"a hole in the capture: {line}"
    if log and "\n0 packets dropped by kernel" not in pathlib.Path(log).read_text(encoding="utf-8"):
        yield "the kernel dropped packets of the capture"


def main():
    pcap, truth = sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    found = list(problems(pcap, truth, sys.argv[3] if len(sys.argv) > 3 else None))
    for sentence in found:
        print(f"lab: {sentence}", file=sys.stderr)
    sums = truth["totals"]
    print(f"{sums['sessions']} sessions, {sums['transactions']} transactions,"
          f" {sums['mails_accepted']} mails accepted,"
          f" {pathlib.Path(pcap).stat().st_size} bytes of capture")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
