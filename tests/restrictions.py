#!/usr/bin/env python3
"""Says how far the units' restrictions can be had on this machine.

    restrictions.py ROOT BUILD

Boots systemd in a copy of this machine (tests/package/boot), runs the unit there
with the program of BUILD, sends mail past it, and prints what each restriction
came to: what the processes have of it, and what systemd could not do, in its
own words. Its output is kept in tests/results. Needs root and namespaces.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import package_test  # noqa: E402

CONFIG = """capture.interfaces: [eth1]
network.home: [10.20.0.0/16, "fd25:20::/32"]
evidence.packets: true
live.metrics_listen: "127.0.0.1:9125"
"""
SETUP = """set -e
cp {build}/span25 /usr/bin/span25
cp {build}/tools/packaging/span25.service /etc/systemd/system/
cp tools/packaging/span25.sysusers /usr/lib/sysusers.d/span25.conf
systemd-sysusers
mkdir -p /etc/span25/rules
cat >/etc/span25/span25.yaml <<'END'
{config}END
systemctl daemon-reload
systemctl start span25"""
# (what is asked, the command, whether it must succeed)
QUESTIONS = [
    ("exposure, as systemd counts it",
     "systemd-analyze security --no-pager span25 | tail -n 1", True),
    ("the sensor runs under the unit", "systemctl is-active span25", True),
    ("mail goes past it, and is journaled",
     "tests/package/send wire0 tests/fixtures/lab.pcap; for i in $(seq 60); do"
     " n=$(grep -h '\"event_type\":\"smtp\"' /var/lib/span25/journal/*.jsonl | wc -l);"
     " test $n -ge 275 && break; sleep 0.5; done; echo $n transactions; test $n -ge 275", True),
    ("packets are kept, numbers are served",
     "test -n \"$(find /var/lib/span25/evidence -size +10k)\" &&"
     " exec 3<>/dev/tcp/127.0.0.1/9125 && printf 'GET /readyz HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n' >&3 &&"
     " head -n 1 <&3", True),
    ("user, capabilities, no new privileges and number of filters of each process",
     "for p in $(cat /sys/fs/cgroup/systemd/system.slice/span25.service/cgroup.procs); do"
     " sed -n '/^Name:/p; /^Uid:/p; /^CapEff:/p; /^CapBnd:/p; /^NoNewPrivs:/p;"
     " /^Seccomp_filters:/p' /proc/$p/status | cut -f 2 | tr '\\n' ' '; echo; done", True),
    ("the main process sees another file system: /home and /tmp are empty, few devices, all read-only but its state",
     "p=$(systemctl show -P MainPID span25); nsenter -t $p -m -r -w sh -c 'ls -A /home | wc -l;"
     " ls -A /tmp | wc -l; ls /dev | tr \"\\n\" \" \"; echo; touch /usr/x; touch /etc/x;"
     " touch /var/lib/span25/x && rm /var/lib/span25/x && echo its state can be written' 2>&1", True),
    ("it sees no other process (hidepid), and no kernel tunable can be written",
     "p=$(systemctl show -P MainPID span25); nsenter -t $p -m -r -w sh -c '"
     "grep \" /proc\" /proc/self/mountinfo; echo 1 >/proc/sys/kernel/panic;"
     " echo 1 >/sys/kernel/mm/ksm/run' 2>&1; true", None),
    ("nothing was refused to it, and nothing died",
     "! journalctl --no-pager -u span25 | grep -iE 'signal|killed|not permitted|process_ended'", True),
    ("it reloads and stops",
     "systemctl reload span25 && systemctl stop span25 && systemctl show -P Result span25", True),
    ("IPAddressDeny is enforced (it needs BPF and control groups, version 2)",
     "ip route add 192.0.2.0/24 dev wire0; ! systemd-run --wait --pipe -p IPAddressDeny=any"
     " -p IPAddressAllow=localhost bash -c 'echo x >/dev/udp/192.0.2.1/9' 2>&1", None),
    ("MemoryMax is enforced (it needs its controller)",
     "! systemd-run --wait --pipe -p MemoryMax=32M python3 -c 'bytearray(256 << 20); print(\"had 256 MiB\")' 2>&1",
     None),
    ("TasksMax is enforced (it needs its controller)",
     "systemd-run --wait --pipe -p TasksMax=4 python3 -c 'import threading as t;"
     " e = t.Event(); [t.Thread(target=e.wait, daemon=True).start() for _ in range(9)];"
     " print(\"had 9 threads\")' 2>&1 | tail -n 4", None),
    ("WatchdogSec: a supervisor that hangs is ended",
     "systemctl start span25 && p=$(systemctl show -P MainPID span25) && kill -STOP $p &&"
     " for i in $(seq 80); do test $(systemctl show -P MainPID span25) = $p || break; sleep 0.5; done;"
     " journalctl --no-pager -u span25 | grep -i watchdog | tail -n 2;"
     " test $(systemctl show -P MainPID span25) != $p", True),
    ("what systemd could not do, all of it",
     "journalctl --no-pager -b -p warning _PID=1 + _COMM=systemd | tail -n 12", None),
    ("systemd-nspawn", "systemd-nspawn --version", None),
]


def answer(machine, why, line, wanted):
    done = machine.sh(line)
    good = wanted is None or (done.returncode == 0) == wanted
    print(f"\n## {why}\n$ {line}\n{done.stdout}{done.stderr}", end="")
    print({True: "-> holds", False: f"-> FAILS, exit {done.returncode}"}[good]
          if wanted is not None else f"-> exit {done.returncode}")
    return good


def main():
    root, build = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    machine = package_test.Machine(root)
    try:
        if not machine.boots():
            print(f"skipped: systemd does not boot here: {machine.why_not()}")
            return package_test.SKIPPED
        print(machine.sh("uname -r; systemctl --version | head -n 1").stdout, end="")
        done = machine.sh(SETUP.format(build=build, config=CONFIG))
        print(f"set up: exit {done.returncode} {done.stderr}", end="")
        good = all([answer(machine, *q) for q in QUESTIONS])
    finally:
        machine.end()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
