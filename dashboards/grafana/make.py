#!/usr/bin/env python3
"""Makes the files that Grafana and Prometheus load, from tables.

    make.py            writes them beside itself and into ../prometheus
    make.py --check    says which of them are not what would be written

panels.py has what is on the dashboards, alerts.py the alert rules. Layout,
variables and links are the same on each dashboard and are here.
"""
import json
import pathlib
import sys

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import alerts  # noqa: E402
import panels  # noqa: E402

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SOURCE_UID = "span25-prometheus"
PAGE = "https://span25.example.net"
TIMES = "since=${__from:date:iso}&until=${__to:date:iso}"
COLUMNS = 24
MADE = "# Made by dashboards/grafana/make.py; change alerts.py there.\n"


def text(value):
    """A YAML scalar on one line; JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


# ---- a dashboard ----

def variables():
    def query(name, label, expression, **more):
        return {"name": name, "label": label, "type": "query",
                "datasource": SOURCE,
                "query": {"query": expression, "refId": "variable-" + name},
                "refresh": 2, "sort": 1, "regex": "", "multi": True,
                "includeAll": True, "allValue": ".*", "hide": 0,
                "current": {"text": ["All"], "value": ["$__all"]},
                "options": [], **more}

    return [
        {"name": "datasource", "label": "Data source", "type": "datasource",
         "query": "prometheus", "regex": "", "refresh": 1, "hide": 0,
         "multi": False, "includeAll": False, "options": []},
        query("sensor", "Sensor", "label_values(span25_build_info, sensor)"),
        query("instance", "Instance",
              'label_values(span25_build_info{sensor=~"$sensor"}, instance)',
              hide=2),
        {"name": "page", "label": "Page of span25", "type": "textbox",
         "query": PAGE, "hide": 0,
         "current": {"text": PAGE, "value": PAGE},
         "options": [{"text": PAGE, "value": PAGE, "selected": True}]},
    ]


def link_panel(number, links, at):
    lines = [f"[{title}](${{page}}{path}?{TIMES})" for title, path in links]
    return {"id": number, "type": "text", "title": "In span25",
            "description": "The same time range in span25's own page: "
                           "triage is done there.",
            "gridPos": at, "datasource": SOURCE,
            "options": {"mode": "markdown", "content": " · ".join(lines)}}


def row_panel(number, title, y):
    return {"id": number, "type": "row", "title": title, "collapsed": False,
            "panels": [], "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": y}}


def target(number, expression, legend, now):
    return {"refId": chr(ord("A") + number), "datasource": SOURCE,
            "expr": expression, "legendFormat": legend, "editorMode": "code",
            "instant": now, "range": not now,
            "format": "time_series"}


def steps(limits):
    """Colours by limits: (number or None, colour)."""
    return {"mode": "absolute",
            "steps": [{"value": v, "color": c} for v, c in limits]}


def data_panel(number, p, at):
    now = p["kind"] == "stat"
    defaults = {"unit": p["unit"], "noValue": p.get("none", "not known"),
                "color": {"mode": "thresholds" if now else "palette-classic"},
                "thresholds": steps(p.get("limits", [(None, "text")])),
                "mappings": [{"type": "value", "options": {
                    str(value): {"text": word, "color": colour, "index": i}
                    for i, (value, word, colour) in enumerate(p["words"])}}]
                if "words" in p else []}
    if "min" in p:
        defaults["min"] = p["min"]
    if now:
        options = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "",
                                     "values": False},
                   "colorMode": "background" if "limits" in p or "words" in p
                   else "none", "graphMode": "none", "justifyMode": "auto",
                   "orientation": "auto", "textMode": "auto"}
    else:
        defaults["custom"] = {
            "drawStyle": "line", "lineWidth": 1, "fillOpacity": 0,
            "showPoints": "auto", "spanNulls": False,
            "stacking": {"mode": "none", "group": "A"},
            "thresholdsStyle": {"mode": "line" if "limits" in p else "off"}}
        options = {"legend": {"showLegend": True, "displayMode": "list",
                              "placement": "bottom", "calcs": []},
                   "tooltip": {"mode": "multi", "sort": "desc"}}
    return {"id": number, "type": p["kind"], "title": p["title"],
            "description": p["doc"], "datasource": SOURCE, "gridPos": at,
            "targets": [target(i, e, legend, now)
                        for i, (e, legend) in enumerate(p["queries"])],
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": options}


def dashboard(board):
    out, x, y, height = [], 0, 0, 0
    out.append(link_panel(1, board["links"],
                          {"h": 2, "w": COLUMNS, "x": 0, "y": 0}))
    y = 2
    for p in board["panels"]:
        if "row" in p:
            y, x, height = y + height, 0, 0
            out.append(row_panel(len(out) + 1, p["row"], y))
            y += 1
            continue
        width, tall = (p.get("w", 4), 4) if p["kind"] == "stat" else (
            p.get("w", 12), 8)
        if x + width > COLUMNS:
            x, y, height = 0, y + height, 0
        out.append(data_panel(len(out) + 1, p,
                              {"h": tall, "w": width, "x": x, "y": y}))
        x, height = x + width, max(height, tall)
    return {
        "uid": board["uid"], "title": board["title"],
        "description": board["doc"], "tags": ["span25"],
        "schemaVersion": 38, "version": 1, "editable": True, "id": None,
        "timezone": "browser", "refresh": "1m", "graphTooltip": 1,
        "time": {"from": "now-24h", "to": "now"},
        "timepicker": {"refresh_intervals": ["10s", "1m", "5m", "15m"]},
        "fiscalYearStartMonth": 0, "liveNow": False, "weekStart": "",
        "annotations": {"list": []},
        "links": [{"type": "dashboards", "tags": ["span25"],
                   "title": "span25", "asDropdown": False, "icon": "dashboard",
                   "includeVars": True, "keepTime": True, "targetBlank": False,
                   "tooltip": "", "url": ""}],
        "templating": {"list": variables()}, "panels": out,
    }


# ---- alert rules ----

def prometheus_rules():
    out = [MADE, "# promtool check rules dashboards/prometheus/span25.rules.yml\n",
           "groups:\n  - name: span25\n    rules:\n"]
    for name, severity, wait, expression, summary, todo in alerts.RULES:
        out.append(f"      - alert: Span25{name}\n        expr: |-\n")
        out += [f"          {line}\n" for line in expression.split("\n")]
        if wait != "0s":
            out.append(f"        for: {wait}\n")
        out.append(f"        labels:\n          severity: {severity}\n"
                   f"        annotations:\n          summary: {text(summary)}\n"
                   f"          description: {text(todo)}\n")
    return "".join(out)


def grafana_rule(row):
    name, severity, wait, expression, summary, todo = row
    # A filter gives the value that it let through, which may be 0.
    query = {"refId": "A", "expr": f"({expression}) * 0 + 1", "instant": True,
             "range": False, "editorMode": "code", "intervalMs": 1000,
             "maxDataPoints": 43200,
             "datasource": {"type": "prometheus", "uid": SOURCE_UID}}
    above = {"refId": "B", "type": "threshold", "expression": "A",
             "datasource": {"type": "__expr__", "uid": "__expr__"},
             "conditions": [{"type": "query", "evaluator": {
                 "type": "gt", "params": [0]}}]}
    return {
        "uid": "span25-" + name.lower(), "title": "Span25" + name,
        "condition": "B", "for": wait, "noDataState": "OK",
        "execErrState": "Error", "isPaused": False,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": todo},
        "data": [
            {"refId": "A", "datasourceUid": SOURCE_UID,
             "relativeTimeRange": {"from": 900, "to": 0}, "model": query},
            {"refId": "B", "datasourceUid": "__expr__",
             "relativeTimeRange": {"from": 0, "to": 0}, "model": above}],
    }


def yaml(value, depth=0):
    """Lists and maps as YAML blocks, all else as JSON on its line."""
    pad = "  " * depth
    out = []
    for key, item in (value.items() if isinstance(value, dict)
                      else ((None, v) for v in value)):
        head = f"{pad}{key}:" if key is not None else f"{pad}-"
        if isinstance(item, (dict, list)) and item:
            inner = yaml(item, depth + 1)
            # the first key of a list's map stands beside the dash
            out.append(f"{head} {inner.lstrip()}" if key is None
                       else f"{head}\n{inner}")
        else:
            out.append(f"{head} {text(item)}\n")
    return "".join(out)


def grafana_alerts():
    return MADE + yaml({"apiVersion": 1, "groups": [{
        "orgId": 1, "name": "span25", "folder": "span25", "interval": "1m",
        "rules": [grafana_rule(row) for row in alerts.RULES]}]})


# ---- files ----

def files():
    out = {HERE / "dashboards" / (board["uid"] + ".json"):
           json.dumps(dashboard(board), indent=2, ensure_ascii=False) + "\n"
           for board in panels.BOARDS}
    out[HERE / "provisioning/alerting/span25.yaml"] = grafana_alerts()
    out[HERE.parent / "prometheus/span25.rules.yml"] = prometheus_rules()
    return out


def main(arguments):
    wrong = []
    if arguments not in ([], ["--check"]):
        print(__doc__)
        return 2
    for path, content in files().items():
        if arguments == []:
            path.write_text(content, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != content:
            wrong.append(path.name)
    for name in wrong:
        print(f"{name} is not what dashboards/grafana/make.py writes")
    if not wrong:
        print(f"{len(files())} files")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
