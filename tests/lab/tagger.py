#!/usr/bin/python3
"""Copies what one interface gets to others, with VLAN tags: tagger.py FROM TO=TAG[,TAG]...

As a TAP that tags what it copies: 802.1Q for one tag, 802.1ad outside it for a second.
Frames go on as they came, super-segments too. Says `ready` when it listens; SIGTERM ends it when
nothing is left to copy, and then it says how many frames it copied.
"""

import select
import signal
import socket
import struct
import sys

ALL = 3  # ETH_P_ALL
PACKET_STATISTICS = 6
BUFFER = 64 << 20
SO_RCVBUFFORCE = 33


def tags_of(word):
    """The bytes between addresses and type."""
    numbers = [int(number) for number in word.split(",") if number]
    return b"".join(struct.pack(">HH", 0x88a8 if at + 1 < len(numbers) else 0x8100, number)
                    for at, number in enumerate(numbers))


def listen(name):
    """What comes in on it; nothing that goes out."""
    found = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
    found.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
    found.bind((name, ALL))
    return found


def copy(source, targets):
    """One frame, if there is one."""
    frame, where = source.recvfrom(1 << 17)
    if where[2] == socket.PACKET_OUTGOING:
        return 0
    for target, tags in targets:
        target.send(frame[:12] + tags + frame[12:])
    return 1


def main():
    source, targets, stopped = listen(sys.argv[1]), [], []
    for word in sys.argv[2:]:
        name, _, tags = word.partition("=")
        target = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        target.bind((name, 0))
        targets.append((target, tags_of(tags)))
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    print("ready", flush=True)
    done = 0
    while True:
        ready = select.select([source], [], [], 0.1)[0]
        if ready:
            done += copy(source, targets)
        elif stopped:
            break
    dropped = struct.unpack("II", source.getsockopt(263, PACKET_STATISTICS, 8))[1]
    print(f"{done} frames, {dropped} lost", flush=True)
    sys.exit(1 if dropped else 0)


if __name__ == "__main__":
    main()
