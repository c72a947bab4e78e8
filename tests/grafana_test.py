#!/usr/bin/env python3
"""The files for Grafana and Prometheus.

    grafana_test.py files
        They are what make.py writes, and dashboards are complete.
    grafana_test.py prometheus METRICS_PAGE
        promtool checks them and runs the rules' own tests. Then a real
        Prometheus on loopback scrapes a healthy sensor and sick ones: each
        query of each panel gives a result, and each rule fires for what is sick
        and for nothing else. Skipped without Prometheus.
"""
import contextlib
import http.server
import json
import math
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
GRAFANA = ROOT / "dashboards/grafana"
RULES = ROOT / "dashboards/prometheus"
UNITS = {"short", "s", "percentunit", "pps", "Bps", "ops", "bytes"}
SENSORS = ("healthy", "sick", "full")
STEPS = 6
WAIT_S = 90  # where many other things run; alone it takes seven
sys.dont_write_bytecode = True
sys.path.insert(0, str(GRAFANA))


def boards():
    return [json.loads(p.read_text(encoding="utf-8"))
            for p in sorted((GRAFANA / "dashboards").glob("*.json"))]


# ---- files ----

def check_panel(p, metrics):
    for key in ("title", "description", "gridPos", "type"):
        assert p.get(key), (p["title"], key)
    assert p["type"] in ("stat", "timeseries"), p["type"]
    assert p["datasource"]["uid"] == "${datasource}", p["title"]
    assert p["fieldConfig"]["defaults"]["unit"] in UNITS, p["title"]
    assert p["targets"], p["title"]
    assert len({t["refId"] for t in p["targets"]}) == len(p["targets"])
    for t in p["targets"]:
        assert t["datasource"]["uid"] == "${datasource}", p["title"]
        names = re.findall(r"span25_\w+", t["expr"])
        assert names and set(names) <= metrics, (p["title"], names)
        assert t["expr"].count('instance=~"$instance"') == len(names), t["expr"]


def check_grid(panels):
    """Within 24 columns, none over another."""
    taken = set()
    for p in panels:
        g = p["gridPos"]
        cells = {(x, y) for x in range(g["x"], g["x"] + g["w"])
                 for y in range(g["y"], g["y"] + g["h"])}
        assert g["x"] + g["w"] <= 24 and not cells & taken, p["title"]
        taken |= cells


def check_board(board, metrics):
    panels = board["panels"]
    data = [p for p in panels if p["type"] not in ("row", "text")]
    links = [p for p in panels if p["type"] == "text"]
    assert len({p["id"] for p in panels}) == len(panels), board["title"]
    assert len({p["title"] for p in panels}) == len(panels), board["title"]
    assert board["title"] and board["uid"] and board["description"]
    assert [v["name"] for v in board["templating"]["list"]] == [
        "datasource", "sensor", "instance", "page"]
    assert links and all(
        "${__from:date:iso}" in p["options"]["content"]
        and "${__to:date:iso}" in p["options"]["content"] for p in links)
    check_grid(panels)
    for p in data:
        check_panel(p, metrics)
    return len(data)


def known_metrics():
    rows = (ROOT / "sensor/app/live_metrics.def").read_text(encoding="ascii")
    return {"span25_" + name for name in re.findall(r"^X\((\w+),", rows, re.M)}


def files():
    made = subprocess.run([sys.executable, GRAFANA / "make.py", "--check"],
                          capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    all_boards = boards()
    assert len(all_boards) == 3
    assert len({b["uid"] for b in all_boards}) == 3
    metrics = known_metrics()
    n = sum(check_board(b, metrics) for b in all_boards)
    from alerts import RULES as rules
    assert len({row[0].lower() for row in rules}) == len(rules)
    for name, severity, _, expression, summary, todo in rules:
        assert severity in ("none", "warning", "critical") and todo, name
        # Grafana takes a dollar for a variable of its environment
        assert "$" not in summary + todo + expression, name
        assert set(re.findall(r"span25_\w+", expression)) <= metrics, name
    print(f"{n} panels, {len(rules)} rules")


# ---- a real Prometheus ----

def pages_of(program):
    """Pages of each sensor, a step each."""
    return {kind: [subprocess.run([program, kind, str(step)], check=True,
                                  capture_output=True).stdout
                   for step in range(1, STEPS + 1)] for kind in SENSORS}


class Sensors(http.server.BaseHTTPRequestHandler):
    """Each path is a sensor; each look at it is a step, up to the last one."""
    pages, looks, lock = {}, {}, threading.Lock()

    def do_GET(self):
        kind = self.path.strip("/")
        with self.lock:
            look = self.looks[kind] = self.looks.get(kind, -1) + 1
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(self.pages[kind][min(look, STEPS - 1)])

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def configure(folder, served):
    shutil.copy(RULES / "span25.rules.yml", folder)
    rows = "".join(
        f'      - targets: ["127.0.0.1:{served}"]\n'
        f"        labels: {{instance: {kind}, __metrics_path__: /{kind}}}\n"
        for kind in SENSORS)
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 500ms, scrape_timeout: 500ms, "
        "evaluation_interval: 500ms}\n"
        "rule_files: [span25.rules.yml]\n"
        "scrape_configs:\n  - job_name: span25\n    static_configs:\n" + rows +
        '      - targets: ["127.0.0.1:1"]\n'
        "        labels: {instance: dead}\n", encoding="ascii")
    return config


def started(folder, config):
    """One that listens, and its address; another port where one is taken."""
    for _ in range(5):
        address = f"127.0.0.1:{free_port()}"
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                ["prometheus", f"--config.file={config}",
                 f"--storage.tsdb.path={folder / 'data'}",
                 f"--web.listen-address={address}",
                 "--scrape.discovery-reload-interval=100ms"],
                stdout=log, stderr=log)
        while process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://{address}/-/ready",
                                       timeout=2).close()
                return process, "http://" + address
            time.sleep(0.1)
    raise AssertionError((folder / "log").read_text()[-3000:])


@contextlib.contextmanager
def prometheus(folder, served):
    """The address of one that is ready; it ends with us."""
    process, base = started(folder, configure(folder, served))
    with process:
        try:
            yield base
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def ask(base, path, **parameters):
    data = urllib.parse.urlencode(parameters).encode() if parameters else None
    try:
        with urllib.request.urlopen(base + path, data, timeout=20) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as e:
        raise AssertionError(f"{parameters}: {e.read().decode()}") from e


def query(base, expression):
    return ask(base, "/api/v1/query", query=expression)["result"]


def await_samples(base):
    """Each sensor was scraped four times, and all rules were looked at."""
    got = query(base, "count_over_time(span25_watchdog[5m]) >= 4")
    assert len(got) == len(SENSORS), "Prometheus has no samples"
    groups = ask(base, "/api/v1/rules")["groups"]
    assert groups and all(r["health"] != "unknown" for r in groups[0]["rules"])
    return groups[0]["rules"]


def await_results(base):
    """A scrape that came too late is a sensor that is away: then once more."""
    end = time.monotonic() + WAIT_S
    while True:
        try:
            rules = check_rules(base, await_samples(base))
            return rules, check_panels(base)
        except (AssertionError, OSError, ValueError, KeyError, IndexError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def check_panels(base):
    n = 0
    for board in boards():
        for p in board["panels"]:
            for t in p.get("targets", []):
                expression = (t["expr"]
                              .replace("$instance", "healthy|sick")
                              .replace("$__rate_interval", "1m")
                              .replace("$__range", "1h"))
                assert "$" not in expression, expression
                values = [float(r["value"][1]) for r in query(base, expression)]
                assert any(map(math.isfinite, values)), (p["title"], expression)
                assert "{{" not in t["legendFormat"] or all(
                    label in query(base, expression)[0]["metric"]
                    for label in re.findall(r"{{(\w+)}}", t["legendFormat"])
                ), (p["title"], t["legendFormat"])
                n += 1
    return n


def check_rules(base, rules):
    from make import alerts, grafana_rule
    assert len(rules) == len(alerts.RULES)
    for rule in rules:
        assert rule["health"] == "ok", rule
        who = {r["metric"].get("instance") for r in query(base, rule["query"])}
        if rule["name"] == "Span25Watchdog":
            assert who == set(SENSORS), who
        else:
            assert who and "healthy" not in who, (rule["name"], who)
    for row in alerts.RULES:
        expression = grafana_rule(row)["data"][0]["model"]["expr"]
        got = query(base, expression)
        assert got and all(r["value"][1] == "1" for r in got), expression
    firing = {a["labels"]["alertname"]: a
              for a in ask(base, "/api/v1/alerts")["alerts"]}
    assert firing["Span25Watchdog"]["state"] == "firing"
    late = firing["Span25NoPackets"]["annotations"]["summary"]
    assert re.search(r"No packet on mirror\d for", late), late
    return len(rules)


def tool(*arguments):
    done = subprocess.run(["promtool", *map(str, arguments)], cwd=RULES,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def check_with_promtool():
    tool("check", "rules", "span25.rules.yml")
    tool("check", "config", "prometheus.yml")
    tool("test", "rules", "span25.rules.test.yml")


def with_prometheus(program):
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        print("skipped: Prometheus is not here (tools/setup installs it)")
        return 77
    Sensors.pages = pages_of(program)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sensors) as served, \
            tempfile.TemporaryDirectory() as name:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        with prometheus(pathlib.Path(name), served.server_port) as base:
            check_with_promtool()  # while the other one finds its sensors
            try:
                n_rules, n = await_results(base)
            except AssertionError:
                print((pathlib.Path(name) / "log").read_text()[-3000:])
                raise
            sensors = ask(base, "/api/v1/label/sensor/values")
            assert set(SENSORS) <= set(sensors), sensors
        served.shutdown()
    print(f"{n} queries of panels and {n_rules} rules give results")
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "files":
        files()
        sys.exit(0)
    sys.exit(with_prometheus(sys.argv[2]))
