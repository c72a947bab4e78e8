#!/usr/bin/env python3
"""What each process of a running sensor has, and what ends it.

    live_confined_test.py PROGRAM

Looks at the open files and the mappings of every process, then makes one of
each role do what it must not: by ptrace it runs execve, as code that took it
over would. The process is killed, another takes its place, and the sensor goes
on. Needs root, makes namespaces of its own; the second half x86-64 and a build
with filters.
"""
import collections
import ctypes
import os
import pathlib
import platform
import signal
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
import live  # noqa: E402

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
CONFIG = f"""evidence:
  packets: true
feeds:
  lists: [nft]
live:
  user: {live.user()}
"""
ROLES = ("worker", "core", "index", "recorder", "publish", "feeds", "web",
         "keeper",
         "inspect")

# Of each role: what its open files may be, beside nothing (0, 1) and standard
# error (2), and how many there are at most. A worker has a packet socket, the
# state of the interface and an eventfd of libpcap; the journal is the core's.
SOCKET, FOLDER = "socket:", "/state"
FILES = {
    "worker": ((SOCKET, "anon_inode:[eventfd]", "/operstate"), 6),
    "recorder": ((SOCKET, "anon_inode:[eventfd]", "/operstate", "/evidence"),
                 10),
    "core": ((SOCKET, FOLDER), 16),
    "index": ((FOLDER,), 10),
    "publish": ((SOCKET, FOLDER, "/events.jsonl"), 10),
    "feeds": ((FOLDER,), 10),
    "web": ((SOCKET,), 3),
    "keeper": ((), 0),
    "inspect": ((), 0),
}
# Mappings that are shared and may be written. All have their own part of the
# board but keepers and inspectors, who have none of it.
PARTS = {"worker": 1, "core": 1, "index": 1, "recorder": 1,
         "publish": 1, "feeds": 1, "web": 1, "keeper": 0, "inspect": 0}
# A worker: its ring, the bell, its job and its post. The core: both rings, the
# orders, the bell. The keeper: jobs and posts. An inspector: its job.
SHARED = {"worker": 4, "core": 4, "index": 0, "recorder": 0,
          "publish": 0, "feeds": 0, "web": 0,
          "keeper": 4, "inspect": 1}


def pids(role):
    return live.processes().get("span25-" + role, [])


def open_files(pid):
    found = {}
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            found[int(link.name)] = os.readlink(link)
        except FileNotFoundError:
            pass  # closed meanwhile
    return found


def check_files(role, pid):
    allowed, most = FILES[role]
    files = open_files(pid)
    for number in (0, 1):
        assert files.pop(number, "/dev/null") == "/dev/null", (role, number)
    files.pop(2, None)
    for number, what in files.items():
        assert any(word in what for word in allowed), (role, number, what)
    assert len(files) <= most, (role, files)
    return len(files)


def shared(pid):
    """(parts of the board, others): mappings that are shared and written; those
    of packet sockets are the kernel's."""
    parts = others = 0
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
        if " rw-s " not in line or "socket:" in line or "/state/" in line:
            continue
        if "memfd:span25-board" in line:
            parts += 1
        else:
            others += 1
    return parts, others


def check_all():
    for role in ROLES:
        found = pids(role)
        assert found, (role, live.processes())
        for pid in found:
            n = check_files(role, pid)
            parts, others = shared(pid)
            assert parts == PARTS[role], (role, parts)
            assert others <= SHARED[role], (role, others)
        print(f"{role}: {n} files, {parts} part of the board, {others} other "
              "shared mappings")


# ---- a call that it never makes ----

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                        ctypes.c_void_p]
LIBC.ptrace.restype = ctypes.c_long
PEEK, GETREGS, SETREGS, ATTACH, DETACH = 1, 12, 13, 16, 17
RAX, RIP, ORIG_RAX, N_REGS = 10, 16, 15, 27
EXECVE, SYSCALL = 59, 0x050f


def ptrace(what, pid, data=None, at=None):
    ctypes.set_errno(0)
    got = LIBC.ptrace(what, pid, at, data)
    assert ctypes.get_errno() == 0, (what, os.strerror(ctypes.get_errno()))
    return got


def call_in(pid, number):
    """Once it sleeps in a call, which is when it can be told another. It is no
    child of ours, so its stop is awaited as a tracer does."""
    regs = (ctypes.c_ulonglong * N_REGS)()

    def stopped_in_call():
        ptrace(ATTACH, pid)
        os.waitpid(pid, 0x40000000)  # __WALL
        ptrace(GETREGS, pid, ctypes.addressof(regs))
        code = ptrace(PEEK, pid, at=regs[RIP] - 2) & 0xffff
        if code == SYSCALL:
            return True
        ptrace(DETACH, pid)
        return False

    assert live.wait_for(stopped_in_call)
    regs[RAX], regs[RIP] = number, regs[RIP] - 2
    regs[ORIG_RAX] = 2 ** 64 - 1  # nothing is to be restarted
    ptrace(SETREGS, pid, ctypes.addressof(regs))
    ptrace(DETACH, pid)


def is_back(role, before, victim):
    now = pids(role)
    return len(now) == len(before) and victim not in now


def gap_of(sensor, role):
    word = "content" if role == "keeper" else role
    return next((c["text"] for c in sensor.controls("gap")
                 if c["text"].startswith(word)
                 and f"signal {signal.SIGSYS:d}" in c["text"]), None)


def attack(sensor, role):
    """The others live on; what is told of it names SIGSYS."""
    before, victim = live.processes(), pids(role)[0]
    call_in(victim, EXECVE)
    assert live.wait_for(lambda: is_back(role, before["span25-" + role],
                                         victim)), (role, sensor.log_text())
    for name, had in before.items():
        # inspectors are the keeper's, and end with it
        if name != "span25-" + role and (role, name) != ("keeper",
                                                         "span25-inspect"):
            assert live.processes()[name] == had, (role, name)
    if role == "inspect":
        return  # disposable: a finding, no gap
    told = live.wait_for(lambda: gap_of(sensor, role))
    assert told, (role, sensor.controls("gap"), sensor.log_text())
    print(f"{role}: killed by its filter, and back; gap: {told}")


def all_live(sensor):
    """With its last event behind the gaps: mail is still read."""
    n = collections.Counter(e["event_type"] for e in sensor.events())["smtp"]
    sender = live.Sender(4000)
    sender.send([data for _, data in live.packets(FIXTURES / "lab.pcap")])
    sender.close()
    assert live.wait_for(lambda: len(sensor.of_type("smtp")) > n), (
        sensor.log_text())


def attack_all(sensor):
    for role in ROLES:
        attack(sensor, role)
    all_live(sensor)
    check_all()


def has_filter(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return "\nSeccomp:\t2\n" in status


def main(program):
    live.inside()
    live.ip("link", "set", "lo", "up")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        state = pathlib.Path(folder) / "state"
        state.with_suffix(".yaml").write_text(
            f"{CONFIG}sinks:\n  - {{name: f, kind: file, "
            f"target: {state}/events.jsonl}}\n")
        sensor = live.Sensor(program, state, "--workers", "2")
        all_live(sensor)
        check_all()
        if not has_filter(pids("worker")[0]):
            print("attacks: skipped, sanitizers have no filter")
        elif platform.machine() != "x86_64":
            print("attacks: skipped, they are written for x86-64")
        else:
            attack_all(sensor)
        sensor.stop()
        assert not live.processes()


if __name__ == "__main__":
    main(sys.argv[1])
