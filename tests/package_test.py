#!/usr/bin/env python3
"""Makes the Debian package and uses it as a person would.

Usage: package_test.py ROOT. Builds a package of this version and one of an
older one, looks at what is in them and how the units are confined, then boots
systemd in a copy of this machine (tests/package/boot) and there: installs the
old one, runs the commands of README.md, "Run it as a service", verbatim, sends
mail past the sensor, reloads, upgrades, removes, purges. Nothing outside the
copy changes. Needs root, namespaces and an overlay.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
EXPOSURE_MOST = 2.0
OLD_VERSION = "0.0.9"
STATE = "/var/lib/span25"
NAMESPACES = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork",
              "--uts", "--ipc", "--net", "--cgroup", "--kill-child"]
IN_PACKAGE = [
    "/usr/bin/span25",
    "/lib/systemd/system/span25.service", "/lib/systemd/system/span25@.service",
    "/usr/lib/sysusers.d/span25.conf", "/usr/lib/tmpfiles.d/span25.conf",
    "/etc/span25/span25.yaml", "/etc/span25/rules/",
    "/usr/share/bash-completion/completions/span25",
    "/usr/share/zsh/vendor-completions/_span25",
    "/usr/share/fish/vendor_completions.d/span25.fish",
    "/usr/share/doc/span25/README.md.gz", "/usr/share/doc/span25/changelog.gz",
    "/usr/share/doc/span25/copyright", "/usr/share/span25/events.schema.json",
    "/usr/share/span25/packs/policy/",
    "/usr/share/span25/dashboards/prometheus/span25.rules.yml",
    "/usr/share/span25/dashboards/grafana/dashboards/span25-sensor.json",
    "/usr/share/span25/dashboards/elastic/span25-ecs.json",
]
# Calls that units take away and the program needs all the same: after its
# sockets are open each process gives up more than any unit could.
CALLS_LATE = {"capset", "seccomp", "sched_setaffinity"}
# What fails under the units, and may: SQLite's databases have the right owner as
# they are, and where the clock cannot be asked that is told.
CALLS_REFUSED = {"fchown", "adjtimex", "clock_adjtime"}


class Count:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, why, good, more=""):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print(f"failed: {why}\n{more}")
        return good


def run(command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=1200, check=False, start_new_session=True, **options)


def both(done):
    return f"exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


def build(count, root, *options):
    done = run(["tools/package", *options], cwd=root)
    count.check(f"tools/package {options}", done.returncode == 0, both(done))
    return done.returncode == 0


def look_inside(count, root, package):
    names = {line.split()[5][1:] for line in run(["dpkg-deb", "-c", package]).stdout.splitlines()}
    pages = [path.name for path in (root / "build/release/man").glob("*.[1-8]")]
    wanted = IN_PACKAGE + [f"/usr/share/man/man{page[-1]}/{page}.gz" for page in pages]
    count.check("a page for each verb", len(pages) > 10, pages)
    for name in wanted:
        count.check(f"{name} is in the package", name in names)
    if shutil.which("lintian"):
        done = run(["lintian", "--tag-display-limit", "0", package])
        count.check("lintian has no error and no warning",
                    done.returncode == 0 and not re.search("^[EW]:", done.stdout, re.M), both(done))
    else:
        count.check("lintian is installed", False)


def calls_of(text):
    """What a unit's filter lets through, in the order of its lines."""
    allowed = set()

    def members(word):
        if not word.startswith("@"):
            return {word}
        found = set()
        for line in run(["systemd-analyze", "syscall-filter", word]).stdout.splitlines()[1:]:
            line = line.strip()
            if line and not line.startswith("#"):
                found |= members(line)
        return found

    for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.M):
        words = set().union(*(members(word) for word in line.lstrip("~").split()))
        allowed = allowed - words if line.startswith("~") else allowed | words
    return allowed


def look_at_units(count, root):
    folder = root / "build/release/tools/packaging"
    for name in ("span25.service", "span25@.service"):
        done = run(["systemd-analyze", "security", "--offline=true", "--no-pager",
                    f"--threshold={int(EXPOSURE_MOST * 10)}", str(folder / name)])
        score = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
        count.check(f"{name} is confined, {EXPOSURE_MOST} at most",
                    done.returncode == 0 and score and float(score[1]) <= EXPOSURE_MOST, both(done))
        if score:
            print(f"{name}: exposure {score[1]}")
    text = (folder / "span25.service").read_text()
    allowed = calls_of(text) | members_default()
    lines = (root / "sensor/app/confine_calls.def").read_text()
    for call in sorted(set(re.findall(r"^CALL\((\w+),", lines, re.M)) - CALLS_REFUSED):
        count.check(f"the unit lets {call} through", call in allowed)
    count.check("what the processes give rights up with is let through", CALLS_LATE <= allowed)


def members_default():
    """@system-service has these as @default, which systemd always allows."""
    return {"exit", "exit_group", "rt_sigreturn", "restart_syscall"}


class Machine:
    """The copy of this machine, with its own systemd."""

    def __init__(self, root):
        self.root = root
        self.folder = tempfile.mkdtemp(prefix="span25-machine-")
        self.log = open(f"{self.folder}.log", "w+", encoding="utf-8")
        self.outer = subprocess.Popen(
            [*NAMESPACES, str(root / "tests/package/boot"), self.folder, str(root)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.pid = 0

    def find(self):
        children = pathlib.Path(f"/proc/{self.outer.pid}/task/{self.outer.pid}/children")
        for pid in children.read_text().split():
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "systemd":
                return int(pid)
        return 0

    def boots(self):
        end = time.monotonic() + 60
        while time.monotonic() < end and self.outer.poll() is None:
            self.pid = self.find()
            if self.pid and self.sh("systemctl is-active basic.target").returncode == 0:
                return True
            time.sleep(0.2)
        return False

    def why_not(self):
        self.log.seek(0)
        return self.log.read()[-2000:]

    def sh(self, line):
        return run(["nsenter", "-t", str(self.pid), "-a", "-r", "-w", "env", "-i",
                    "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/",
                    "DEBIAN_FRONTEND=noninteractive", "SYSTEMD_COLORS=0", "bash", "-c",
                    f"cd {self.root} && {line}"])

    def end(self):
        self.outer.send_signal(signal.SIGKILL)
        self.outer.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        os.unlink(f"{self.folder}.log")


class Story:
    """Lines that must hold on the machine, in their order."""

    def __init__(self, count, machine):
        self.count, self.machine = count, machine

    def must(self, why, line, patience=0):
        end = time.monotonic() + patience
        done = self.machine.sh(line)
        while done.returncode != 0 and time.monotonic() < end:
            time.sleep(0.3)
            done = self.machine.sh(line)
        more = "" if done.returncode == 0 else self.machine.sh("journalctl --no-pager -u 'span25*' | tail -n 20").stdout
        return self.count.check(f"{why}: {line}", done.returncode == 0, both(done) + more)

    def install_old(self, package):
        self.must("the old version installs", f"apt-get install -y {package}")
        self.must("its user is there", "getent passwd span25 | grep -q :/usr/sbin/nologin$")
        self.must("state is there before the first start",
                  f"test $(stat -c %U:%a {STATE}) = span25:700")
        self.must("it does not start without interfaces", "! systemctl is-active --quiet span25")
        self.must("nor at the next boot", "! systemctl is-enabled --quiet span25")
        self.must("the configuration that it comes with is valid",
                  "span25 config check /etc/span25/span25.yaml")
        self.must("it finds the rules that it names", "test -d /etc/span25/rules")
        self.must("without interfaces it says so and is not tried again",
                  "! systemctl start span25 && test $(systemctl show -P NRestarts span25) -eq 0 &&"
                  " systemctl reset-failed span25")
        self.must("its units have no fault", "systemd-analyze verify span25.service span25@second.service")
        self.must("its pages are found", "man -w span25 && man -w 7 span25-deploy && man -w 5 span25.conf")

    def use(self, lines):
        for line in lines:
            # the index is there when there is something to look for
            self.must("a command of the README", line, 30 if "alerts list" in line else 0)
        self.must("it runs", "systemctl is-active --quiet span25")
        self.must("none of its processes is root's",
                  "test \"$(ps -o user= -C span25,span25-core,span25-worker,span25-index,span25-keeper,span25-inspect"
                  " | sort -u)\" = span25")
        self.must("only the supervisor may open packet sockets",
                  "test \"$(for p in $(systemctl show -P MainPID span25) $(pgrep -x span25-worker) $(pgrep -x span25-core);"
                  " do sed -n 's/^CapEff:[[:space:]]*//p' /proc/$p/status; done | tr '\\n' ' ')\""
                  " = '0000000000002000 0000000000000000 0000000000000000 '")
        self.must("the unit's filter is on the supervisor",
                  "grep -q '^Seccomp:.2' /proc/$(systemctl show -P MainPID span25)/status")
        self.watch()

    def watch(self):
        self.must("mail goes past", "tests/package/send wire0 tests/fixtures/lab.pcap")
        self.must("it is journaled", f"grep -q '\"event_type\":\"smtp\"' {STATE}/journal/*.jsonl", 30)
        self.must("attachments were inspected, under every restriction",
                  f"grep -q '\"finding\".*eicar\\|eicar' {STATE}/journal/*.jsonl", 30)
        self.must("an alert can be read while it runs",
                  f"runuser -u span25 -- span25 alerts list --state {STATE} | grep -q 'Malicious file'", 30)
        self.must("nothing was refused by the unit's filter",
                  "! journalctl --no-pager -u span25 | grep -iE 'signal|killed|not permitted'")

    def reload(self):
        self.must("a reload is said to be done", "systemctl reload span25 && systemctl is-active -q span25")
        self.must("a faulty configuration changes nothing",
                  "cp /etc/span25/span25.yaml /run/good && echo 'nonsense: 1' >>/etc/span25/span25.yaml &&"
                  " systemctl reload span25; sleep 1; systemctl is-active -q span25 &&"
                  " journalctl --no-pager -u span25 | grep -q nonsense; cp /run/good /etc/span25/span25.yaml")
        self.must("what is killed comes back",
                  "main=$(systemctl show -P MainPID span25) && test $main -gt 0 && kill -9 $main && sleep 3 &&"
                  " systemctl is-active -q span25 && test $(systemctl show -P MainPID span25) != $main")

    def upgrade(self, package):
        self.must("a change of one's own", "echo '# ours' >>/etc/span25/span25.yaml")
        self.must("how much there is", f"cat {STATE}/journal/*.jsonl | wc -l >/run/lines; cp {STATE}/seed /run/seed;"
                                       " systemctl show -P MainPID span25 >/run/main")
        self.must("the new version takes its place", f"apt-get install -y {package}")
        self.must("it is the new one", f"test $(dpkg-query -W -f '${{Version}}' span25) != {OLD_VERSION}")
        self.must("it runs, and is another process",
                  "systemctl is-active -q span25 && test $(systemctl show -P MainPID span25) != $(cat /run/main)", 10)
        self.must("no event was lost", f"test $(cat {STATE}/journal/*.jsonl | wc -l) -ge $(cat /run/lines)")
        self.must("it is the same installation", f"cmp {STATE}/seed /run/seed")
        self.must("alerts are still there",
                  f"runuser -u span25 -- span25 alerts list --state {STATE} | grep -q 'Malicious file'")
        self.must("one's own change is too", "grep -q '^# ours$' /etc/span25/span25.yaml")

    def second(self):
        """YARA and rules of one's own, where no memory may be written and executed."""
        self.must("a rule for YARA", "mkdir /etc/span25/yara && echo 'rule ours { strings: $a = /EICAR-STANDARD.{1,20}!/"
                                     " condition: $a }' >/etc/span25/yara/ours.yar")
        self.must("a rule of one's own",
                  "cp /usr/share/span25/packs/policy/*.yaml /etc/span25/rules/ && span25 rules check /etc/span25/rules")
        self.must("a configuration of its own",
                  "{ cat /etc/span25/span25.yaml; echo 'content.yara: /etc/span25/yara'; echo 'evidence.packets: true';"
                  " echo 'live.metrics_listen: \"127.0.0.1:9126\"';"
                  " } >/etc/span25/second.yaml &&"
                  " span25 config check /etc/span25/second.yaml")
        self.must("a second sensor has a state of its own",
                  "systemctl start span25@second && systemctl is-active -q span25@second &&"
                  f" test -d {STATE}-second/journal")
        self.must("mail goes past", "tests/package/send wire0 tests/fixtures/lab.pcap")
        self.must("YARA finds what it was told to", f"grep -q yara {STATE}-second/journal/*.jsonl", 30)
        self.must("packets are kept where that is wanted", f"test -n \"$(find {STATE}-second/evidence -size +10k)\"", 30)
        self.must("and is not refused anything",
                  "! journalctl --no-pager -u span25@second | grep -iE 'signal|killed|not permitted|process_ended'")

    def purge(self, package):
        self.must("it goes, with all that runs", "apt-get remove -y span25 && ! pgrep -x span25")
        self.must("state and configuration stay", f"test -d {STATE}/journal && test -f /etc/span25/span25.yaml")
        self.must("a purge that cannot ask keeps the state, and says so",
                  f"apt-get purge -y span25 >/run/said 2>&1 && grep -q 'kept {STATE};' /run/said &&"
                  f" grep -q 'kept {STATE}-second;' /run/said && test -d {STATE}/journal")
        self.must("but not the configuration", "test ! -e /etc/span25/span25.yaml")
        self.must("a purge that was told to deletes it",
                  f"apt-get install -y {package} && echo span25 span25/purge_state boolean true | debconf-set-selections"
                  f" && apt-get purge -y span25 && test ! -e {STATE} && test ! -e {STATE}-second")


def readme_lines(root):
    section = (root / "README.md").read_text().split("### Run it as a service", 1)[1].split("\n### ", 1)[0]
    for block in re.findall(r"```bash\n(.*?)```", section, re.S):
        yield from (line for line in block.splitlines() if line.strip())


def on_machine(count, root, old, new):
    machine = Machine(root)
    try:
        if not machine.boots():
            print(f"skipped: systemd does not boot in namespaces here: {machine.why_not()}")
            return SKIPPED
        story = Story(count, machine)
        story.install_old(old)
        story.use([line for line in readme_lines(root) if "apt-get install" not in line])
        story.reload()
        # the README's own line is the upgrade
        for line in readme_lines(root):
            if "apt-get install" in line:
                story.upgrade(line.split()[-1])
        story.second()
        story.purge(new)
    finally:
        machine.end()
    return 0


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    count = Count()
    for tool in ("dpkg-buildpackage", "dh", "systemd-analyze", "nsenter"):
        if not shutil.which(tool):
            print(f"skipped: {tool} is not installed")
            return SKIPPED
    old_folder = root / "build/package-old"
    if not build(count, root, "--version", OLD_VERSION, "--out", str(old_folder)) or not build(count, root):
        return 1
    old = next(old_folder.glob("span25_*.deb"))
    new = next((root / "build/package").glob("span25_*.deb"))
    look_inside(count, root, str(new))
    look_at_units(count, root)
    skipped = SKIPPED
    if os.geteuid() == 0:
        skipped = on_machine(count, root, old, new)
    else:
        print("skipped: the package is not installed without root")
    print(f"{count.passed} passed, {count.failed} failed")
    return 1 if count.failed else skipped


if __name__ == "__main__":
    sys.exit(main())
