"""What a study must find in events, counted again from the lines alone.

Written from DETECTION 4 and the words of rules/study/study.h, not from its
code: a second opinion for tests/study_campus_test.py. Nothing is judged here,
so whether a message is bad is left to the program; sums over all messages,
class A and whatever policies P1, P2 and P5 stop do not depend on it.
"""
import collections
import ipaddress
import json
import math

HOUR, DAY = 3600 * 10**9, 86400 * 10**9
SIZES = [4096 << 2 * i for i in range(7)]  # upper ends; the last is open
UNSEEN = .05  # of an hour's bytes: beyond, it is refused


class Clock:
    """RFC 3339 to nanoseconds; days are looked up."""

    def __init__(self):
        self.days = {}

    def ns(self, text):
        day = self.days.get(text[:10])
        if day is None:
            import datetime
            day = datetime.date.fromisoformat(text[:10]).toordinal() - 719163
            self.days[text[:10]] = day
        seconds = int(text[11:13]) * 3600 + int(text[14:16]) * 60 + \
            int(text[17:19])
        return (day * 86400 + seconds) * 10**9 + int(text[20:26]) * 1000


def scope_of(addr):
    """What a border stops: an address, of IPv6 the /64."""
    if ":" not in addr:
        return addr
    return str(ipaddress.ip_network(addr + "/64", strict=False))


class Message:
    __slots__ = ("when", "host", "registered", "delivered", "recipients",
                 "refused", "bytes", "class_a", "framed", "whole", "size")


class Host:
    def __init__(self):
        self.messages = []
        self.tls = []  # (when, least, most)
        self.sessions = self.sessions_tls = 0
        self.ends = collections.Counter()  # sessions, by ten minutes
        self.days = set()
        self.registered = False
        self.first = None  # event of any kind that counts
        self.last = None


class Recount:
    """All that is in a window [from, to)."""

    def __init__(self, lines, begin, end):
        self.clock = Clock()
        self.begin, self.end = begin, end
        self.hosts = collections.defaultdict(Host)
        self.outside = collections.defaultdict(list)
        self.hours = [collections.Counter() for _ in
                      range(-(-(end - begin) // HOUR))]
        self.days = [collections.Counter() for _ in
                     range(-(-(end - begin) // DAY))]
        self.senders = [set() for _ in self.days]
        self.sent = []  # (address, message, or session under TLS), in order
        self.events = 0
        self.looked = begin  # up to here somebody watched
        self.parts = {}  # of a message: [class A, all could be looked into]
        for line in lines:
            self.event(json.loads(line))
        for hour in self.hours:
            seen, unseen = hour["seen"], hour["unseen"]
            hour["refused"] = int(seen + unseen > 0 and
                                  unseen > UNSEEN * (seen + unseen))

    def event(self, e):
        self.events += 1
        when = self.clock.ns(e["timestamp"])
        if not self.begin <= when < self.end:
            return
        kind = e["event_type"]
        if kind == "smtp":
            self.mail(e, when)
        elif kind == "fileinfo":
            self.part(e)
        elif kind == "smtp_session":
            self.session(e, when)
        elif kind == "stats" and "sight" in e["stats"]:
            self.sight(e["stats"]["sight"], when)

    def hour(self, when):
        return self.hours[(when - self.begin) // HOUR]

    def day(self, when):
        return (when - self.begin) // DAY

    def is_outward(self, e):
        return e["direction"] == "outbound" and e["dest_port"] == 25

    # ---- mail ----

    def part(self, e):
        f = e["fileinfo"]
        if "reading" in f:
            return
        part = self.parts.setdefault((e["flow_id"], f["tx_id"]), [False, True])
        part[0] |= f.get("class") == "A" or "A" in f.get("classes", ())
        part[1] &= f.get("class") != "D"

    def mail(self, e, when):
        s, q = e["smtp"], e["quality"]
        part = self.parts.pop((e["flow_id"], e["tx_id"]), (False, True))
        if not s.get("rcpt_offered") or ("part" in s and not s.get("last")):
            return
        m = Message()
        m.when, m.host = when, e["src_ip"]
        m.registered = e.get("src_reg", {}).get("state") == "registered"
        m.delivered = s["outcome"] == "accepted"
        m.recipients = s["rcpt_accepted"] if m.delivered else 0
        m.refused = s.get("rcpt_refused", 0)
        m.bytes = s.get("message_bytes", 0)
        m.class_a = part[0]
        m.framed = "via" in s and not q["oneway"] and not q["midstream"]
        m.whole = m.framed and "cut" not in s and not q["truncated"] and part[1]
        m.size = sum(m.bytes > most for most in SIZES)
        if self.is_outward(e):
            self.outward(m)
        elif e["direction"] == "inbound":
            self.hour(when)["outside"] += 1
            self.outside[m.host].append(m)

    def outward(self, m):
        h = self.hosts[m.host]
        h.messages.append(m)
        self.sent.append((m.host, m))
        h.registered = m.registered
        self.touch(h, m.host, m.when)
        self.hour(m.when)["registered" if m.registered else "unregistered"] += 1
        d = self.days[self.day(m.when)]
        d["messages"] += 1
        d["recipients"] += m.recipients
        d["class_a"] += m.class_a

    def touch(self, h, addr, when):
        if h.first is None:
            h.first = when
            self.days[self.day(when)]["senders_new"] += 1
        h.last = when
        h.days.add(self.day(when))
        self.senders[self.day(when)].add(addr)

    # ---- connections ----

    def session(self, e, when):
        if "attempts" in e:
            if e["direction"] == "outbound":
                self.days[self.day(when)]["attempts"] += e["attempts"]["count"]
            return
        tls = e["smtp"]["starttls"]["used"]
        hour = self.hour(when)
        hour["sessions"] += 1
        hour["sessions_tls"] += tls
        hour["sessions_oneway"] += e["quality"]["oneway"]
        if not e["quality"]["oneway"]:
            hour["seen"] += e["flow"]["bytes_toserver"] + \
                e["flow"]["bytes_toclient"]
            hour["unseen"] += e["tcp"]["lost_toserver"] + \
                e["tcp"]["lost_toclient"]
        if not self.is_outward(e):
            return
        h = self.hosts[e["src_ip"]]
        h.sessions += 1
        h.ends[when // (600 * 10**9)] += 1
        h.sessions_tls += tls
        h.registered = e["src_reg"]["state"] == "registered"
        self.touch(h, e["src_ip"], when)
        if tls:
            est = e.get("tls", {}).get("estimate", {})
            least = est.get("messages_min", 0)
            h.tls.append((when, least, est.get("messages_max", least)))
            self.sent.append((e["src_ip"], h.tls[-1]))

    def sight(self, s, when):
        since = max(when - s["window_s"] * 10**9, self.looked)
        self.looked = when
        while since < when and "blind" not in s:
            end = min(when, since - (since - self.begin) % HOUR + HOUR)
            self.hour(since)["covered_ns"] += end - since
            since = end

    # ---- sums ----

    def is_refused(self, m):
        return bool(self.hour(m.when)["refused"])

    def group(self, name):
        """Messages of each sender of a group."""
        home = [h.messages for h in self.hosts.values()
                if name in ("all", "registered" if h.registered
                            else "unregistered")]
        out = list(self.outside.values()) if name in ("all", "outside") else []
        return home + out

    def share(self, name):
        """Class A of complete messages, hosts with one, hosts with any."""
        k = n = with_one = with_any = 0
        for messages in self.group(name):
            whole = [m for m in messages if m.whole and not self.is_refused(m)]
            found = sum(m.class_a for m in whole)
            k, n = k + found, n + len(whole)
            with_one += found > 0
            with_any += len(whole) > 0
        return k, n, with_one, with_any

    def whole_by_size(self):
        framed, whole = [0] * 8, [0] * 8
        for messages in self.group("all"):
            for m in messages:
                if m.framed and not self.is_refused(m):
                    framed[m.size] += 1
                    whole[m.size] += m.whole
        return framed, whole


# ---- policies, one message after the other ----

class Stopped:
    """What a policy stopped of a host."""

    def __init__(self):
        self.messages = self.delivered = self.recipients = 0
        self.tls_least = self.tls_most = 0
        self.first = None

    def message(self, m):
        self.first = self.first or m.when
        self.messages += 1
        self.delivered += m.delivered
        self.recipients += m.recipients

    def session(self, when, least, most):
        if self.first is None or when < self.first:
            self.first = when
        self.tls_least += least
        self.tls_most += most


def all_unregistered(recount, since=0):
    """P1; with since, P5 for those who did not answer."""
    out = {}
    for addr, h in recount.hosts.items():
        s = out[addr] = Stopped()
        if h.registered:
            continue
        for m in h.messages:
            if m.when >= since:
                s.message(m)
        for when, least, most in h.tls:
            if when >= since:
                s.session(when, least, most)
    return out


class Bucket:
    def __init__(self, limit, period):
        self.limit = self.tokens = limit
        self.period, self.at = period, None

    def refill(self, when):
        if self.at is not None:
            self.tokens = min(self.limit, self.tokens + self.limit *
                              (when - self.at) / self.period)
        self.at = when


def rate_limited(recount, per_hour, per_day):
    """P2: two buckets an address, a message takes one of both. Of a session
    under TLS the messages that there were at least take theirs."""
    out = {addr: Stopped() for addr in recount.hosts}
    buckets = {}
    for addr, m in recount.sent:
        if recount.hosts[addr].registered:
            continue
        tls = isinstance(m, tuple)
        when = m[0] if tls else m.when
        pair = buckets.setdefault(scope_of(addr),
                                  (Bucket(per_hour, HOUR),
                                   Bucket(per_day, DAY)))
        for b in pair:
            b.refill(when)
        if tls:
            _, least, most = m
            room = int(min(b.tokens for b in pair))
            for b in pair:
                b.tokens -= min(least, room)
            if least > room:
                out[addr].session(when, least - room, most - room)
            else:
                out[addr].tls_most += max(most - room, 0)
        elif all(b.tokens >= 1 for b in pair):
            for b in pair:
                b.tokens -= 1
        else:
            out[m.host].message(m)
    return out


# ---- who was not seen ----

def unseen(days_of, n_days):
    """Chao2, bias-corrected (Chao 1987), and Good's coverage."""
    times = collections.Counter(days_of)
    once, twice = times[1], times[2]
    total = sum(k * n for k, n in times.items())
    there = len(days_of) + (n_days - 1) / n_days * once * (once - 1) / \
        (2 * (twice + 1))
    return {"seen": len(days_of), "once": once, "twice": twice, "there": there,
            "coverage": 1 - once / total if total else math.nan}
