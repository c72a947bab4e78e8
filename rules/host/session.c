#include "rules/host/session.h"

#include "rules/host/hidden.h"
#include "rules/host/mail.h"
#include "rules/host/queueing.h"
#include "rules/host/stat.h"
#include "rules/host/subkey.h"
#include "rules/host/window.h"
#include "sensor/base/hash.h"

#define DAY (UINT64_C(86400) * NS_PER_S)

bool
session_counts(const struct record_map *session)
{
    return !record_map_bool(session, FIELD_QUALITY_ONEWAY) &&
           record_map_bool(session, FIELD_TCP_HANDSHAKE) &&
           record_map_u64(session, FIELD_FLOW_BYTES_TOCLIENT, 0) > 0;
}

bool
session_is_tls(const struct record_map *session)
{
    return record_map_bool(session, FIELD_SMTP_STARTTLS_USED) ||
           record_map_is(session, FIELD_APP_PROTO, "tls");
}

bool
session_is_triangle(const struct hosts *h, const struct scene *s)
{
    const struct record_map *m = s->event;

    return s->outbound && record_map_bool(m, FIELD_QUALITY_ONEWAY) &&
           record_map_u64(m, FIELD_FLOW_PKTS_TOSERVER, 1) == 0 &&
           record_map_u64(m, FIELD_FLOW_PKTS_TOCLIENT, 0) > 0 &&
           h->both_sides != 0 &&
           s->now - h->both_sides <= HOST_LIMIT_NS(triangle_s);
}

/* The map has the first entry of a list only. */
static bool
list_has(const struct record_map *m, enum field list, struct span word)
{
    struct cursor c = record_map_list(m, list);
    struct record_entry e;

    while (record_next(&c, &e) && e.field == list) {
        if (span_eq(e.value, word))
            return true;
    }
    return false;
}

/* ---- ways ---- */

/* Loopback, and tunnels without a link below, have none. */
static bool
is_nobody(struct span mac)
{
    return mac.n == 0 || span_eq(mac, SPAN_LIT("00:00:00:00:00:00"));
}

/* Of a capture whose link layer was written over nothing is taken. */
static struct path_flow
flow_of(const struct scene *s)
{
    const struct record_map *m = s->event;
    uint64_t ttl = record_map_u64(
        m, s->inbound ? FIELD_TCP_TTL_TOSERVER : FIELD_TCP_TTL_TOCLIENT, 0);
    struct span next = record_map_find(m, FIELD_ETHER_DEST_MAC);
    struct span client =
        is_nobody(next) ? SPAN_NONE : record_map_find(m, FIELD_ETHER_SRC_MAC);
    struct span server = record_map_find(m, FIELD_ETHER_SERVER_MAC);

    return (struct path_flow){
        .sensor = record_map_find(m, FIELD_SENSOR),
        .home_mac = s->inbound ? server : client,
        .away_mac = s->inbound ? client : server,
        .home = s->inbound ? s->dest.addr : s->src.addr,
        .away = s->inbound ? s->src.addr : s->dest.addr,
        .ttl = ttl > UINT8_MAX ? 0 : (uint8_t)ttl,
        .away_serves = !s->inbound,
        .now = s->now,
    };
}

enum path
session_path(struct hosts *h, const struct scene *s)
{
    struct path_flow f = flow_of(s);

    return paths_see(h->paths, &f);
}

/* Of the latest connections all but one in eight with the same hop limit. */
static bool
is_one_ttl(const struct detail *d, uint8_t ttl)
{
    uint32_t n = d->ttl_at < HOST_TTLS ? d->ttl_at : HOST_TTLS;
    uint64_t orgs[HOST_TTLS] = {0};
    uint32_t same = 0;

    if (n < HOST_LIMIT(ttl_sessions))
        return false;
    for (uint32_t i = 0; i < n; i++) {
        if (d->ttl[i] != ttl)
            continue;
        same++;
        (void)window_set_add(orgs, HOST_TTLS, (uint64_t)d->ttl_org[i] << 1);
    }
    return same * 8 >= n * 7 &&
           window_set_count(orgs, HOST_TTLS) >= HOST_LIMIT(ttl_orgs);
}

/* Somebody who makes up servers has to make up how far away each is. */
static void
hop_limit(struct hosts *h, struct detail *d, const struct scene *s,
          uint64_t org)
{
    struct path_flow f = flow_of(s);

    if (f.ttl == 0)
        return;
    d->ttl[d->ttl_at % HOST_TTLS] = f.ttl;
    d->ttl_org[d->ttl_at % HOST_TTLS] = (uint16_t)org;
    if (++d->ttl_at == 2 * HOST_TTLS)
        d->ttl_at = HOST_TTLS;
    if (paths_varied(h->paths, f.sensor) && is_one_ttl(d, f.ttl))
        d->flags |= DETAIL_ONE_TTL;
    switch (paths_ttl(h->paths, &f)) {
    case TTL_UNKNOWN: break;
    case TTL_AS_OTHERS: d->ttl_usual++; break;
    case TTL_ODD: d->ttl_odd++; break;
    }
    if (d->ttl_odd >= HOST_LIMIT(ttl_odd) && d->ttl_odd > d->ttl_usual)
        d->flags |= DETAIL_ODD_TTL;
}

/* ---- evidence ---- */

/* The /16 of IPv4 or /32 of IPv6. */
static uint64_t
network_of(const struct hosts *h, const struct addr *a)
{
    struct addr net = *a;
    size_t keep = addr_is_v4(a) ? 14 : 4;

    memset(net.b + keep, 0, sizeof(net.b) - keep);
    return hash_span(span_of(net.b, sizeof(net.b)), h->seed);
}

static bool
is_evidence(const struct record_map *m)
{
    struct span banner = record_map_find(m, FIELD_SMTP_BANNER);

    /* The greeting may have had more lines than its first: what follows EHLO
     * comes behind them too, so the first is the least. */
    return record_map_u64(m, FIELD_TCP_ACKED_TOCLIENT, 0) > banner.n + 2;
}

static void
evidence(struct hosts *h, struct detail *d, const struct scene *s,
         enum path path)
{
    uint64_t org = org_of_server(h->org, s->event);

    if (d->ev_sessions++ == 0)
        d->ev_first = s->now;
    if (path == PATH_BOUND)
        d->ev_bound++;
    else
        d->ev_unbound++;
    hop_limit(h, d, s, org);
    d->ev_last = s->now;
    (void)sketch_add(&d->orgs, &h->large, org);
    (void)window_set_add(d->ev_nets, HOST_NETS, network_of(h, &s->dest.addr));
}

static void
measure(struct detail *d, const struct record_map *m)
{
    d->commands += record_map_u64(m, FIELD_SMTP_COMMANDS, 0);
    d->unanswered += record_map_u64(m, FIELD_SMTP_UNANSWERED, 0);
    d->bytes += record_map_u64(m, FIELD_FLOW_BYTES_TOSERVER, 0) +
                record_map_u64(m, FIELD_FLOW_BYTES_TOCLIENT, 0);
    d->lost += record_map_u64(m, FIELD_TCP_LOST_TOSERVER, 0) +
               record_map_u64(m, FIELD_TCP_LOST_TOCLIENT, 0);
}

/* ---- identity ---- */

/* Who else spoke in its name is not forgotten before what they said: else a
 * victim of forgery is stopped a day later for its good conduct. */
static void
forget(const struct hosts *h, const struct host *host, struct detail *d,
       ns_t now)
{
    if (d->macs_since != 0 &&
        (now - d->macs_since < DAY || stat_is_block(h, host, now)))
        return;
    memset(d->macs, 0, sizeof(d->macs));
    d->flags &= ~DETAIL_FORGED;
    d->id_sessions = d->objected = d->ttl_odd = d->ttl_usual = 0;
    d->ev_unbound = 0;
    d->macs_since = now;
}

/* Where the stack of the host gets what is said to it, it answers with a RST
 * to a conversation that it does not know, and who leads it goes on. */
static void
objections(struct detail *d, const struct record_map *m)
{
    d->id_sessions++;
    d->objected += list_has(m, FIELD_SMTP_ANOMALIES, SPAN_LIT("rst_ignored"));
    if (d->objected >= HOST_LIMIT(rst_sessions) &&
        d->objected >= d->id_sessions / 2)
        d->flags |= DETAIL_OBJECTS;
}

static void
identity(const struct hosts *h, const struct host *host, struct detail *d,
         const struct scene *s, enum path path)
{
    struct span mac = record_map_find(s->event, FIELD_ETHER_SRC_MAC);

    forget(h, host, d, s->now);
    objections(d, s->event);
    if (path == PATH_FOREIGN)
        d->flags |= DETAIL_FOREIGN;
    if (is_nobody(mac))
        return;
    (void)window_set_add(d->macs, HOST_MACS, hash_span(mac, h->seed));
    if (path == PATH_ONE ||
        span_eq(mac, record_map_find(s->event, FIELD_ETHER_DEST_MAC)))
        d->flags |= DETAIL_ONE_MAC;
}

uint32_t
session_conflict(const struct host *host, const struct detail *d)
{
    static const struct {
        uint32_t flag, sign;
    } signs[] = {
        {DETAIL_ONE_MAC, SIGN_ONE_MAC},
        {DETAIL_FOREIGN, SIGN_PATH   },
        {DETAIL_ONE_TTL, SIGN_ONE_TTL},
        {DETAIL_ODD_TTL, SIGN_ODD_TTL},
        {DETAIL_OBJECTS, SIGN_OBJECTS},
    };
    uint32_t all = 0;

    if ((host->flags & HOST_IS_FOLDED) != 0)
        all |= 1U << SIGN_FOLDED;
    if (window_set_count(d->macs, HOST_MACS) >= 2)
        all |= 1U << SIGN_MACS;
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        if ((d->flags & signs[i].flag) != 0)
            all |= 1U << signs[i].sign;
    }
    return all;
}

const char *
session_sign(enum session_sign sign)
{
    static const char *const words[] = {
#define SIGN_WORD(id, word) word,
        SESSION_SIGNS(SIGN_WORD)
#undef SIGN_WORD
    };

    return words[sign];
}

/* ---- how it speaks ---- */

_Static_assert(DIALECT_ODD_COUNT <= 16, "bits of detail.odd");

/* The ones of most sessions (Space-Saving, Metwally and others 2005), the most
 * frequent first. */
static void
count_dialect(struct detail *d, uint64_t fingerprint)
{
    size_t i = 0;

    while (i + 1 < HOST_DIALECTS && d->dialect[i] != fingerprint &&
           d->dialect[i] != 0)
        i++;
    d->dialect[i] = fingerprint;
    d->dialect_n[i]++;
    for (; i > 0 && d->dialect_n[i] > d->dialect_n[i - 1]; i--) {
        uint64_t f = d->dialect[i - 1];
        uint32_t n = d->dialect_n[i - 1];

        d->dialect[i - 1] = d->dialect[i];
        d->dialect_n[i - 1] = d->dialect_n[i];
        d->dialect[i] = f;
        d->dialect_n[i] = n;
    }
}

static void
speech(struct hosts *h, struct host *host, struct detail *d,
       const struct scene *s)
{
    struct span helo = record_map_find(s->event, FIELD_SMTP_HELO);
    struct dialect dialect;
    bool spoke;

    (void)subkey_use(h, host, d, helo, s);
    queueing_name(h, host, d, helo, s->now);
    queueing_looks(d, s->now);
    spoke = dialect_of(s->event, &dialect);
    subkey_end(h, host, d, spoke && dialect.whole ? dialect.fingerprint : 0, s);
    if (!spoke)
        return;
    d->odd_latest = (uint16_t)dialect.odd;
    d->odd |= d->odd_latest;
    count_dialect(d, dialect.fingerprint);
}

/* ---- policy ---- */

static void
policy(struct host *host, struct detail *d, const struct scene *s)
{
    if (record_map_has(s->event, FIELD_SRC_REG_STATE))
        host->flags |= HOST_HAS_REG;
    if (s->outbound && record_map_u64(s->event, FIELD_DEST_PORT, 0) == 25 &&
        list_has(s->event, FIELD_POLICY_FINDINGS,
                 SPAN_LIT("unregistered_sender")))
        d->p_sessions++;
}

/* ---- outward ---- */

static void
under_tls(struct hosts *h, uint32_t i, struct detail *d, const struct scene *s)
{
    struct host *host = host_at(h, i);
    uint64_t sent = record_map_u64(s->event, FIELD_TLS_EST_MESSAGES_MIN, 0);

    host->sessions_tls++;
    hidden_session(h, i, s);
    if (s->outbound && record_map_u64(s->event, FIELD_DEST_PORT, 0) == 25)
        mail_reached(h, host, d, org_of_server(h->org, s->event));
    if (d != NULL)
        window_hour_add(d, HOUR_MESSAGES,
                        sent > UINT32_MAX ? UINT32_MAX : (uint32_t)sent);
}

void
session_outward(struct hosts *h, uint32_t i, const struct scene *s)
{
    struct host *host = host_at(h, i);
    struct detail *d = detail_of(h, host);
    enum path path = s->outbound ? session_path(h, s) : PATH_UNSEEN;

    host->sessions++;
    if (session_is_tls(s->event))
        under_tls(h, i, d, s);
    if (d == NULL)
        return;
    window_hour_add(d, HOUR_SESSIONS, 1);
    measure(d, s->event);
    policy(host, d, s);
    identity(h, host, d, s, path);
    speech(h, host, d, s);
    if (!s->outbound)
        return;
    if (is_evidence(s->event))
        evidence(h, d, s, path);
    mail_listed(h, d, s);
}

bool
session_is_served(const struct scene *s)
{
    uint64_t port = record_map_u64(s->event, FIELD_DEST_PORT, 0);

    return (s->inbound || s->internal) && (port == 25 || port == 587) &&
           record_map_u64(s->event, FIELD_SMTP_BANNER_CODE, 0) == 220 &&
           is_evidence(s->event);
}

/* ---- passwords ---- */

static struct span
outcome_of(struct span object)
{
    struct cursor c = cur_open(object);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == FIELD_SMTP_AUTH_OUTCOME)
            return e.value;
    }
    return SPAN_NONE;
}

struct auth {
    uint32_t failures, successes;
};

static struct auth
count_auth(const struct record_map *m)
{
    struct cursor c = record_map_list(m, FIELD_SMTP_AUTH);
    struct auth n = {0};
    struct record_entry e;

    while (record_next(&c, &e) && e.field == FIELD_SMTP_AUTH) {
        struct span outcome = outcome_of(e.value);

        n.failures += span_eq(outcome, SPAN_LIT("failure"));
        n.successes += span_eq(outcome, SPAN_LIT("success"));
    }
    return n;
}

bool
session_guesses(const struct record_map *session)
{
    return count_auth(session).failures > 0;
}

void
session_auth(const struct hosts *h, struct detail *d, const struct scene *s)
{
    struct auth n = count_auth(s->event);

    if (n.failures + n.successes == 0)
        return;
    window_daily(d, s->now);
    d->auth_failures += n.failures;
    d->auth_successes += n.successes;
    (void)window_set_add(
        d->auth_servers, HOST_NETS,
        hash_span(span_of(s->dest.addr.b, sizeof(s->dest.addr.b)), h->seed));
}
