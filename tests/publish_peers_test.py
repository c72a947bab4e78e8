#!/usr/bin/env python3
"""Events of a live, confined sensor over TLS: syslog and a webhook.

    publish_peers_test.py PROGRAM

The process that publishes has its filter of system calls and no rights but to
connect: what TLS, names and certificates need must be in it. Needs root.
"""
import pathlib
import sys
import tempfile
import types

sys.path.insert(0, str(pathlib.Path(__file__).parent / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import live  # noqa: E402
import live_test  # noqa: E402
import peers_test  # noqa: E402

CONFIG = """live:
  user: {user}
sinks:
  - name: siem
    kind: syslog
    target: localhost:{syslog}
    tls: yes
    ca-file: {ca}
    cert-file: {cert}
    key-file: {key}
    key-password-file: {password}
  - name: hook
    kind: webhook
    target: https://localhost:{hook}/alerts
    events: [alert]
    ca-file: {ca}
    secret-file: {password}
"""


def main():
    live.inside()
    live.ip("link", "set", "lo", "up")
    peers_test.CERTS = peers_test.made()
    place, certs = peers_test.PLACE, peers_test.CERTS
    place.chmod(0o755)
    (place / "password").write_text("s3cret\n")
    for path in place.iterdir():
        path.chmod(0o644)
    tls = peers_test.context(certs["server"], ask=True)
    syslog = peers_test.Collector({"tls": tls})
    hook = peers_test.Hook(200, tls=peers_test.context(certs["server"]))
    cert, key = certs["client"]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        (folder / "state.yaml").write_text(CONFIG.format(
            user=live.user(), syslog=syslog.port, hook=hook.port, cert=cert,
            ca=certs["ca"].certificate, key=key, password=place / "password"))
        bench = live_test.Bench(types.SimpleNamespace(
            program=sys.argv[1], confined=None, long=False), folder)
        sensor = bench.sensor(folder, "-c", str(folder / "state.yaml"))
        sender = live.Sender(4000)
        sender.send(live_test.frames("lab.pcap"))
        sender.close()
        assert live.wait_for(lambda: len(sensor.of_type("alert")) > 3, 60)
        alerts = lambda: {e["event_id"] for e in sensor.of_type("alert")}
        assert live.wait_for(lambda: {e["event_id"] for e in hook.lines()} >=
                             alerts(), 60), sensor.log_text()
        assert live.wait_for(lambda: {e["event_id"] for e in syslog.lines()} >=
                             alerts(), 60), sensor.log_text()
        sensor.stop()
        assert {e["event_id"] for e in hook.lines()} == alerts()
        mail = {e["event_id"] for e in sensor.of_type("smtp")}
        assert mail and mail <= {e["event_id"] for e in syslog.lines()}
        assert syslog.versions[:1] == ["TLSv1.3"], syslog.versions
        print(f"TLS: {len(hook.lines())} alerts by webhook, "
              f"{len(syslog.lines())} events by syslog")


if __name__ == "__main__":
    main()
