"""What is on the three dashboards.

A panel: kind (stat: the newest value; timeseries), title, unit, doc, queries
(expression, legend); w of 24 columns; limits (from, colour); words for values;
none: what stands there when there is no series. S in an expression is the
choice of sensors.
"""

S = 'instance=~"$instance"'


def expand(expression):
    return expression.replace("{S}", "{" + S + "}").replace("{S,", "{" + S + ",")


def stat(title, unit, doc, expression, **more):
    return {"kind": "stat", "title": title, "unit": unit, "doc": doc,
            "queries": [(expand(expression), more.pop("legend", "{{instance}}"))],
            **more}


def lines(title, unit, doc, *queries, **more):
    return {"kind": "timeseries", "title": title, "unit": unit, "doc": doc,
            "min": 0, "queries": [(expand(e), legend) for e, legend in queries],
            **more}


GOOD, BAD, WARN = "green", "red", "orange"
UP = [(1, "up", GOOD), (0, "down", BAD)]
RATE = "[$__rate_interval]"

SENSOR = {
    "uid": "span25-sensor", "title": "span25: sensor health",
    "doc": "Quiet or blind? What the sensors see, what they miss, and how long they can go on.",
    "links": [("Sensor", "/sensor"), ("Sessions", "/sessions"), ("Audit", "/audit")],
    "panels": [
        {"row": "Does it see?"},
        stat("Last packet", "s",
             "Time since the last packet of the interface that is silent the longest. More than five minutes: the sensor is "
             "blind there.",
             "max by (instance) (time() - span25_capture_last_packet_timestamp_seconds{S})",
             none="no packet yet", limits=[(None, GOOD), (60, WARN), (300, BAD)]),
        stat("Packets dropped", "percentunit",
             "Of the last five minutes, by kernel, driver and card. Above 0.1 % every count of mail is a lower bound.",
             "sum by (instance) (rate(span25_capture_dropped_packets_total{S}[5m])) / (sum by (instance) "
             "(rate(span25_capture_packets_total{S}[5m])) + sum by (instance) "
             "(rate(span25_capture_dropped_packets_total{S}[5m])))",
             limits=[(None, GOOD), (0.001, BAD)]),
        stat("Bytes of mail never seen", "percentunit",
             "Of the last 15 minutes: they were acknowledged, so they passed, but not through the mirror. Limit 2 %.",
             "rate(span25_stream_gap_bytes_total{S}[15m]) / (rate(span25_stream_bytes_total{S}[15m]) + "
             "rate(span25_stream_gap_bytes_total{S}[15m]))",
             none="no mail", limits=[(None, GOOD), (0.02, BAD)]),
        stat("Sessions of one direction", "percentunit",
             "Of the last 15 minutes: sessions of which only one side was seen. More than half: the mirror shows receive or "
             "transmit only.",
             'sum by (instance) (rate(span25_sessions_total{S,evidence="oneway"}[15m])) / '
             "sum by (instance) (rate(span25_sessions_total{S}[15m]))",
             none="no session", limits=[(None, GOOD), (0.2, WARN), (0.5, BAD)]),
        stat("Interfaces", "short", "Interfaces that are open and deliver; down means blind there.",
             "min by (instance) (span25_capture_up{S})", words=UP),
        stat("Journal", "short", "Whether events can be written. When not, nothing is kept and nothing is decided.",
             "span25_journal_failed{S}", words=[(0, "written", GOOD), (1, "failing", BAD)]),
        lines("Packets", "pps", "Taken from the kernel, by interface.",
              (f"sum by (instance, iface) (rate(span25_capture_packets_total{{S}}{RATE}))", "{{instance}} {{iface}}")),
        lines("Packets dropped, by reason", "pps",
              "kernel: the ring was full, the workers are too slow; interface: the driver or card had no room.",
              (f"sum by (instance, iface, reason) (rate(span25_capture_dropped_packets_total{{S}}{RATE}))",
               "{{instance}} {{iface}} {{reason}}")),
        lines("Time since the last packet", "s", "By interface; a line that rises is an interface that is silent.",
              ("time() - span25_capture_last_packet_timestamp_seconds{S}", "{{instance}} {{iface}}"),
              limits=[(None, "transparent"), (300, BAD)]),
        lines("Expected, and silent since", "s",
              "VLANs of capture.expect_vlans, and of capture.expect_prefixes the network that is silent the longest.",
              ("time() - span25_capture_vlan_last_packet_timestamp_seconds{S}", "{{instance}} VLAN {{vlan}}"),
              ("time() - span25_capture_prefixes_oldest_packet_timestamp_seconds{S}", "{{instance}} networks"),
              none="nothing is expected"),
        lines("Bytes of mail, seen and not seen", "Bps", "Payload of mail connections.",
              (f"rate(span25_stream_bytes_total{{S}}{RATE})", "{{instance}} seen"),
              (f"rate(span25_stream_gap_bytes_total{{S}}{RATE})", "{{instance}} not seen"), none="no mail"),
        lines("Oddities of streams", "ops",
              "Anomaly events by kind: what was lost, repeated with other bytes, or against the protocol.",
              (f"topk(10, sum by (reason) (rate(span25_session_parse_errors_total{{S}}{RATE})))", "{{reason}}"),
              none="none so far"),
        {"row": "Does it keep up?"},
        lines("Workers behind", "s", "Clock less the time of the packets that were read; the longest pause beside it.",
              ("max by (instance, worker) (span25_worker_behind_seconds{S})", "{{instance}} worker {{worker}}"),
              ("max by (instance) (span25_worker_longest_pause_seconds{S})", "{{instance}} longest pause")),
        lines("Lost on the way to the core", "ops",
              "Records for which there was no room, or that did not pass the check; connections that were given up or not "
              "followed for want of memory; malformed packets. All should be 0.",
              (f"sum by (instance) (rate(span25_records_lost_total{{S}}{RATE}))", "{{instance}} records lost"),
              (f"rate(span25_records_refused_total{{S}}{RATE})", "{{instance}} records refused"),
              (f"rate(span25_connections_evicted_total{{S}}{RATE})", "{{instance}} connections given up"),
              (f"rate(span25_connections_no_memory_total{{S}}{RATE})", "{{instance}} connections not followed"),
              (f"rate(span25_decode_malformed_packets_total{{S}}{RATE})", "{{instance}} malformed packets")),
        lines("Processor time", "percentunit", "Of one core, by process.",
              (f"sum by (instance, process) (rate(span25_process_cpu_seconds_total{{S}}{RATE}))",
               "{{instance}} {{process}}")),
        lines("Memory", "bytes", "In RAM by process, shared pages included; and of the connections that are followed.",
              ("sum by (instance, process) (span25_process_resident_memory_bytes{S})", "{{instance}} {{process}}"),
              ("sum by (instance) (span25_connections_memory_bytes{S})", "{{instance}} connections")),
        lines("Connections followed", "short", "TCP connections now.",
              ("sum by (instance) (span25_connections{S})", "{{instance}}")),
        lines("Processes that are not there", "short", "1 for each that does not run; restarts in the last hour beside it.",
              ("sum by (instance) (1 - span25_process_up{S})", "{{instance}} not there"),
              ("sum by (instance) (increase(span25_process_restarts_total{S}[1h]))", "{{instance}} restarts")),
        {"row": "How long can it go on?"},
        stat("Room on the disk", "percentunit", "Of the disk of the state. Near journal_room_limit less is journaled.",
             "span25_store_free_bytes{S} / span25_store_size_bytes{S}",
             limits=[(None, BAD), (0.05, WARN), (0.15, GOOD)]),
        stat("What is journaled", "short", "What is left out because the disk is nearly full.",
             "span25_journal_room_step{S}",
             words=[(0, "everything", GOOD), (1, "no statistics", WARN), (2, "no mail", BAD), (3, "no mail", BAD)]),
        stat("Disk full in", "s", "At the pace of the last six hours.",
             "span25_store_free_bytes{S} / clamp_min(-deriv(span25_store_free_bytes{S}[6h]), 1)",
             limits=[(None, BAD), (86400, WARN), (604800, GOOD)]),
        stat("Clock", "short", "Whether the kernel says that the clock is synchronised.",
             "span25_clock_synchronised{S}", words=[(1, "synchronised", GOOD), (0, "not synchronised", BAD)]),
        stat("Clock offset", "s", "From its reference, either way.", "span25_clock_offset_seconds{S}",
             limits=[(None, GOOD), (1, BAD)]),
        stat("Version", "short", "Version and name of each sensor.", "span25_build_info{S}",
             legend="{{sensor}} {{version}}"),
        lines("Store, by kind", "bytes", "Bytes on disk.",
              ("sum by (instance, kind) (span25_store_bytes{S})", "{{instance}} {{kind}}")),
        lines("Events journaled", "ops", "Also those that could not be written, or were left out for want of room.",
              (f"rate(span25_events_total{{S}}{RATE})", "{{instance}} journaled"),
              (f"rate(span25_journal_refused_total{{S}}{RATE})", "{{instance}} could not be written"),
              (f"sum by (instance) (rate(span25_journal_shed_total{{S}}{RATE}))", "{{instance}} left out")),
        lines("Index behind the journal", "short", "Events that lists and the page do not have yet.",
              ("clamp_min(span25_journal_durable_sequence{S} - on (instance) span25_index_journal_sequence{S}, 0)",
               "{{instance}}")),
        lines("Waiting for sinks", "short", "Lines that are still to be delivered, by sink; lost ones beside it.",
              ("sum by (instance, sink) (span25_sink_waiting{S})", "{{instance}} {{sink}} waiting"),
              ("sum by (instance, sink) (span25_sink_lost_total{S})", "{{instance}} {{sink}} lost"),
              none="no sink"),
    ],
}

TRAFFIC = {
    "uid": "span25-traffic", "title": "span25: SMTP traffic and alerts",
    "doc": "How much mail there is, what becomes of it, and what the rules say. Triage is done in span25's own page.",
    "links": [("Alerts", "/alerts"), ("Hosts", "/hosts"), ("Sessions", "/sessions"), ("Why blocked?", "/why")],
    "panels": [
        {"row": "Alerts"},
        stat("Open, high", "short",
             "Episodes that are open: harm to others or to our reputation is happening now. Answer within an hour.",
             'span25_alerts_open{S,severity="high"}', limits=[(None, GOOD), (1, BAD)]),
        stat("Open, medium", "short", "Episodes that are open: policy violated or risk open. The same day.",
             'span25_alerts_open{S,severity="medium"}', limits=[(None, GOOD), (1, WARN)]),
        stat("Open, low", "short", "Episodes that are open: unusual, or a registration is missing. Weekly.",
             'span25_alerts_open{S,severity="low"}'),
        stat("Opened", "short", "Episodes that were opened in the time range.",
             "sum by (instance) (increase(span25_alerts_total{S}[$__range]))", none="none so far"),
        stat("Closed", "short", "Episodes that people closed in the time range.",
             "sum by (instance) (increase(span25_alert_close_total{S}[$__range]))", none="none so far"),
        stat("Not enough evidence", "percentunit",
             "Share of the closed episodes of the time range that people closed for want of evidence, or as not ours.",
             'sum by (instance) (increase(span25_alert_close_total{S,reason=~"not-enough-evidence|not-ours"}[$__range])) / '
             "sum by (instance) (increase(span25_alert_close_total{S}[$__range]))", none="none closed"),
        lines("Open episodes, by severity", "short", "All sensors of the choice.",
              ("sum by (severity) (span25_alerts_open{S})", "{{severity}}")),
        lines("Episodes opened per hour, by rule", "short", "The ten rules that opened most.",
              ("topk(10, sum by (rule, severity) (increase(span25_alerts_total{S}[1h])))", "{{rule}} ({{severity}})"),
              none="none so far"),
        lines("Episodes closed per hour, by reason", "short", "What people found.",
              ("sum by (reason) (increase(span25_alert_close_total{S}[1h]))", "{{reason}}"), none="none so far"),
        lines("Closed as no evidence, by rule", "short",
              "The rules whose episodes people close for want of evidence: candidates for an exception or a higher limit.",
              ('topk(10, sum by (rule) (increase(span25_alert_close_total{S,reason="not-enough-evidence"}[$__range])))',
               "{{rule}}"), none="none so far"),
        {"row": "Mail"},
        lines("Sessions", "ops", "SMTP sessions that ended, by direction.",
              (f"sum by (direction) (rate(span25_sessions_total{{S}}{RATE}))", "{{direction}}")),
        lines("Transactions, by outcome", "ops", "What became of them.",
              (f"sum by (outcome) (rate(span25_transactions_total{{S}}{RATE}))", "{{outcome}}")),
        lines("Refused, by direction", "percentunit",
              "Share of the transactions that the server rejected or deferred. Outbound: what the world thinks of us.",
              (f'sum by (direction) (rate(span25_transactions_total{{S,outcome=~"rejected|deferred"}}{RATE})) / '
               f"sum by (direction) (rate(span25_transactions_total{{S}}{RATE}))", "{{direction}}")),
        lines("Messages", "ops", "Messages whose end was seen.",
              (f"rate(span25_messages_total{{S}}{RATE})", "{{instance}}"), none="no mail"),
        lines("Under TLS", "percentunit", "Share of the sessions, by direction. What is under TLS can only be estimated.",
              (f'sum by (direction) (rate(span25_sessions_total{{S,tls="yes"}}{RATE})) / '
               f"sum by (direction) (rate(span25_sessions_total{{S}}{RATE}))", "{{direction}}")),
        lines("How much was seen of sessions", "ops",
              "whole; midstream: the beginning is missing; gaps: bytes are missing; oneway: one direction is.",
              (f"sum by (evidence) (rate(span25_sessions_total{{S}}{RATE}))", "{{evidence}}")),
        lines("Files with findings", "ops",
              "Parts of messages by strongest class: A malicious, B forbidden type, C risky construct, D uninspectable.",
              (f'sum by (class) (rate(span25_files_total{{S,class!="none"}}{RATE}))', "{{class}}")),
        lines("Files", "ops", "Parts of messages that are named, attached or not plain text.",
              (f"sum by (instance) (rate(span25_files_total{{S}}{RATE}))", "{{instance}}")),
    ],
}

POLICY = {
    "uid": "span25-policy", "title": "span25: policy and registry",
    "doc": "What is stopped and by whom, whether the firewalls have it, who is registered, and whether the 48 hours are kept.",
    "links": [("Blocking", "/blocking"), ("Registry", "/registry"), ("Study", "/study"), ("Audit", "/audit")],
    "panels": [
        {"row": "Policy"},
        stat("Mode", "short", "Of the policy, in force now. Only enforce stops anybody.",
             '(span25_policy_mode{S,mode="enforce"} == 1) * 2 or (span25_policy_mode{S,mode="simulate"} == 1) or '
             '(span25_policy_mode{S,mode="off"} == 1) * 0',
             words=[(0, "off", WARN), (1, "simulate", "blue"), (2, "enforce", GOOD)]),
        stat("Stopped", "short", "Hosts to which port 25 is closed now.", 'span25_blocks{S,state="enforced"}'),
        stat("Would be stopped", "short", "Hosts that would be stopped if the policy were enforced for them.",
             'span25_blocks{S,state="simulated"}'),
        stat("A human is asked", "short", "Hosts that are not stopped before a human has agreed.",
             'span25_blocks{S,state="pending"}', limits=[(None, GOOD), (1, WARN)]),
        stat("On the list", "short", "Elements of the block list that firewalls are given.", "span25_feeds_elements{S}",
             none="no list"),
        stat("Held back by a limit", "short",
             "Decisions in force that are not on the list because it grows too fast or is full (feeds.hour, feeds.total).",
             "span25_feeds_waiting{S}", none="no list", limits=[(None, GOOD), (1, BAD)]),
        lines("Blocks, by state", "short", "enforced: stopped; simulated: would be; pending: a human is asked.",
              ("sum by (state) (span25_blocks{S})", "{{state}}")),
        lines("Decisions per hour", "short", "By action and who is behind it: the detector, a human, or the policy.",
              ("sum by (action, origin) (increase(span25_block_changes_total{S}[1h]))", "{{action}} {{origin}}")),
        lines("The list", "short", "Elements, and decisions that are not on it or only in part.",
              ("span25_feeds_elements{S}", "{{instance}} elements"),
              ("span25_feeds_kept_out{S}", "{{instance}} kept out"), none="no list"),
        lines("The list ends in", "s",
              "If no new list is made, all of it ends then: the dead man's end. It should keep its height.",
              ("span25_feeds_expires_timestamp_seconds{S} - time()", "{{instance}}"),
              none="no list", limits=[(None, BAD), (900, "transparent")]),
        lines("Time since a consumer fetched", "s",
              "A firewall that does not fetch enforces the list that it has: who was lifted is still stopped there.",
              ("time() - (span25_feeds_consumer_last_fetch_timestamp_seconds{S} > 0)", "{{consumer}}"), none="no consumer"),
        lines("Fetches per hour", "short", "By consumer; requests without a known token beside them.",
              ("increase(span25_feeds_consumer_fetches_total{S}[1h])", "{{consumer}}"),
              ("increase(span25_feeds_strangers_total{S}[1h])", "{{instance}} without a token"), none="no consumer"),
        {"row": "Registry"},
        stat("Overdue forms", "short", "Forms whose 48 hours are over.", "span25_registry_overdue_forms{S}",
             none="no registry", limits=[(None, GOOD), (1, BAD)]),
        stat("Next form due in", "s", "Of the forms whose clock runs. Below 0: overdue.",
             "span25_registry_next_due_timestamp_seconds{S} - time()", none="none waits",
             limits=[(None, BAD), (0, WARN), (21600, GOOD)]),
        stat("Oldest waiting form", "s", "Since its clock runs.", "span25_registry_oldest_pending_seconds{S}",
             none="none waits", limits=[(None, GOOD), (151200, WARN), (172800, BAD)]),
        stat("Permitted lines", "short", "Addresses that may send or receive.",
             'span25_registry_lines{S,state="permitted"}', none="no registry"),
        stat("Unregistered senders", "percentunit",
             "Share of the outbound sessions of the time range whose client no permitted line holds.",
             'sum by (instance) (increase(span25_policy_findings_total{S,finding="unregistered_sender"}[$__range])) / '
             'sum by (instance) (increase(span25_sessions_total{S,direction="outbound"}[$__range]))',
             none="no registry"),
        lines("Lines of the registry, by state", "short", "requested, returned, permitted, suspended, ended.",
              ("sum by (state) (span25_registry_lines{S})", "{{state}}"), none="no registry"),
        lines("Sessions against the registry", "ops", "By what it has against them; one session may have several findings.",
              (f"sum by (finding) (rate(span25_policy_findings_total{{S}}{RATE}))", "{{finding}}"), none="no registry"),
        lines("Forms overdue", "short", "Forms whose 48 hours are over.",
              ("span25_registry_overdue_forms{S}", "{{instance}}"), none="no registry"),
        lines("Age of the oldest waiting form", "s", "The limit is 48 hours; it should be answered before 42.",
              ("span25_registry_oldest_pending_seconds{S}", "{{instance}}"), none="none waits",
              limits=[(None, "transparent"), (172800, BAD)]),
    ],
}

BOARDS = [SENSOR, TRAFFIC, POLICY]
