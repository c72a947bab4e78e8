#include "rules/host/hosts.h"

#include "rules/host/hidden.h"
#include "rules/host/host_emit.h"
#include "rules/host/mail.h"
#include "rules/host/queueing.h"
#include "rules/host/session.h"
#include "rules/host/stat.h"
#include "rules/host/table.h"
#include "rules/host/window.h"
#include "sensor/base/hash.h"

#define MINUTE (60 * NS_PER_S)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define MIB    UINT64_C(1048576)

/* The shares of DESIGN 7: 32 MiB promoted; 224 MiB of sketches. */
#define FILTER_BYTES  (152 * MIB)
#define HOURS_BYTES   (16 * MIB)
#define SUBKEYS_BYTES (16 * MIB)
#define PAIRS_BYTES   (16 * MIB)
#define LARGE_BYTES   (16 * MIB)

const uint64_t host_limits[HOST_LIMIT_COUNT] = {
#define X(name, value, unit, why) value,
#include "rules/host/limits.def"
#undef X
};

const struct hosts_options hosts_options_default = {
    .design =
        {
#define X(stat, normal, bad, alert, block, doc)                                \
    [HOST_##stat] = {normal, bad, alert, block},
#include "rules/host/design.def"
#undef X
        },
    .hosts = 1000000,
    /* less one chunk of the pool, which is given out whole */
    .detail =
        (uint32_t)((HOST_DETAIL_MB * MIB - MIB / 8) / sizeof(struct detail)),
    .filter = FILTER_BYTES,
    .interval = HOUR,
};

_Static_assert(sizeof(struct host) == 128, "DETECTION 2");
_Static_assert(sizeof(struct slot) == 8, "table: 128 + 2 * 8 at most");

/* ---- life ---- */

static void
make_steps(struct hosts *h)
{
    for (enum host_stat s = HOST_S1; s < HOST_S3; s++)
        h->steps[s] =
            cusum_bernoulli(h->o.design[s].normal, h->o.design[s].bad);
    h->steps[HOST_S3] =
        cusum_poisson(h->o.design[HOST_S3].normal, h->o.design[HOST_S3].bad);
}

static void
check_options(struct hosts_options *o)
{
    if (o->hosts == 0)
        o->hosts = 1;
    if (o->detail == 0)
        o->detail = 1;
    if (o->interval < MINUTE)
        o->interval = MINUTE;
    if (o->interval > DAY)
        o->interval = DAY;
}

static uint32_t
fits(uint64_t bytes, size_t size, uint32_t hosts)
{
    uint64_t n = bytes / size;

    return n < hosts ? (uint32_t)n : hosts;
}

static enum err
make_pools(struct hosts *h)
{
    uint32_t n = h->o.detail;
    enum err e = pool_init(&h->hosts, sizeof(struct host), h->o.hosts);

    if (e == ERR_OK)
        e = pool_init(&h->details, sizeof(struct detail), n);
    if (e == ERR_OK)
        e = pool_init(&h->subkeys, sizeof(struct subkeys),
                      fits(SUBKEYS_BYTES, sizeof(struct subkeys), n));
    if (e == ERR_OK)
        e = pool_init(&h->pairs, sizeof(struct pairs),
                      fits(PAIRS_BYTES, sizeof(struct pairs), n));
    if (e == ERR_OK)
        e = pool_init(&h->large, SKETCH_LARGE, LARGE_BYTES / SKETCH_LARGE);
    return e;
}

static enum err
make_parts(struct hosts *h)
{
    uint64_t hours =
        h->o.filter / 8 < HOURS_BYTES ? h->o.filter / 8 : HOURS_BYTES;
    enum err e = make_pools(h);

    if (e == ERR_OK)
        e = filter_init(&h->seen, h->o.filter, 7 * DAY);
    if (e == ERR_OK)
        e = filter_init(&h->hours, hours, HOUR);
    if (e == ERR_OK)
        e = org_new(h->seed, &h->org);
    if (e == ERR_OK)
        e = names_new(h->seed, &h->names);
    if (e == ERR_OK)
        e = paths_new(h->seed, &h->paths);
    h->nets = calloc(HOST_COUNTERS, sizeof(*h->nets));
    return e == ERR_OK && h->nets == NULL ? ERR_NOMEM : e;
}

enum err
hosts_new(const struct hosts_options *o, struct hosts **out)
{
    struct hosts *h = calloc(1, sizeof(*h));
    enum err e;

    if (h == NULL)
        return ERR_NOMEM;
    h->o = *o;
    check_options(&h->o);
    h->seed = hash_mix(o->seed, UINT64_C(0x686f737473));
    make_steps(h);
    record_init(&h->out);
    e = make_parts(h);
    if (e != ERR_OK) {
        hosts_free(h);
        return e;
    }
    *out = h;
    return ERR_OK;
}

void
hosts_free(struct hosts *h)
{
    if (h == NULL)
        return;
    free(h->slots);
    free(h->nets);
    free(h->pending);
    free(h->buckets);
    pool_fini(&h->hosts);
    pool_fini(&h->details);
    pool_fini(&h->subkeys);
    pool_fini(&h->pairs);
    pool_fini(&h->large);
    filter_fini(&h->seen);
    filter_fini(&h->hours);
    org_free(h->org);
    names_free(h->names);
    paths_free(h->paths);
    record_free(&h->out);
    free(h);
}

/* ---- what is news ---- */

/* Does a figure that only grows stand on a higher step than was told? */
static bool
rose(uint32_t *told, uint64_t n)
{
    uint32_t step = stat_step(n);

    if (step <= *told)
        return false;
    *told = step;
    return true;
}

/* Figures of 6.1, once a statistic stands where only they are missing. */
static bool
evidence_rose(const struct hosts *h, struct detail *d)
{
    bool news = rose(&d->told_evidence[0], d->ev_sessions);

    news |= rose(&d->told_evidence[1], sketch_count(&d->orgs, &h->large));
    news |= rose(&d->told_evidence[2], window_set_count(d->ev_nets, HOST_NETS));
    /* in tens of seconds: 30 and 120 are limits of 6.1 */
    news |= rose(&d->told_evidence[3],
                 (d->ev_last - d->ev_first) / (10 * NS_PER_S));
    news |= rose(&d->told_evidence[4], d->ev_bound);
    return news;
}

static bool
flips(struct detail *d, uint32_t bit, bool is)
{
    if (((d->flags & bit) != 0) == is)
        return false;
    d->flags ^= bit;
    return true;
}

/* Asked when something new may speak for it, and at every interval; events of
 * the host always say what holds then. */
static uint32_t
queueing_news(const struct hosts *h, struct detail *d, ns_t now)
{
    if ((d->flags & DETAIL_ASK) == 0)
        return 0;
    d->flags &= ~DETAIL_ASK;
    if (!flips(d, DETAIL_QUEUEING, queueing_why(h, d, now) != 0))
        return 0;
    return STAT_BIT(CHANGE_QUEUEING);
}

static uint32_t
session_news(const struct hosts *h, const struct host *host, struct detail *d,
             ns_t now)
{
    uint32_t news = 0;

    if (stat_is_block(h, host, now) && evidence_rose(h, d))
        news |= STAT_BIT(CHANGE_EVIDENCE);
    news |= queueing_news(h, d, now);
    if (flips(d, DETAIL_CONFLICT, session_conflict(host, d) != 0))
        news |= STAT_BIT(CHANGE_IDENTITY);
    if (d->auth_failures >= 8 && rose(&d->told_auth, d->auth_failures))
        news |= STAT_BIT(CHANGE_AUTH);
    return news;
}

static uint32_t
cluster_news(const struct hosts *h, const struct host *host, struct detail *d,
             ns_t now)
{
    if (d->s4_cluster == d->s4_told ||
        stat_level(h, host, HOST_S4, now) < LEVEL_ALERT)
        return 0;
    d->s4_told = d->s4_cluster;
    return STAT_BIT(CHANGE_CLUSTER);
}

static void
tell(struct hosts *h, uint32_t i, uint32_t news, const struct scene *s,
     bool session, const struct record_sink *sink)
{
    struct host *host = host_at(h, i);
    struct detail *d = detail_of(h, host);

    news |= stat_news(h, host, s->now, false);
    if (d != NULL && session)
        news |= session_news(h, host, d, s->now);
    if (d != NULL)
        news |= cluster_news(h, host, d, s->now);
    if (news != 0)
        host_emit(h, i, "change", news, s->now, sink);
}

/* ---- events ---- */

static void
touch(struct hosts *h, uint32_t i, ns_t now)
{
    struct host *host = host_at(h, i);
    struct detail *d = detail_of(h, host);

    host->last = now;
    host->flags |= HOST_IS_ACTIVE;
    stat_time(h, host, now);
    if (d != NULL)
        window_time(h, host, d, now);
    table_due(h, i, now + h->o.interval);
}

/* The host of an outward event, with detail where there is room. */
static uint32_t
sender_of(struct hosts *h, const struct scene *s)
{
    uint32_t i;

    if (!s->outbound && !s->internal)
        return POOL_NONE;
    i = table_get(h, &s->src);
    if (i == POOL_NONE)
        return POOL_NONE;
    host_at(h, i)->flags |= HOST_IS_OUTWARD;
    (void)table_detail(h, i);
    touch(h, i, s->now);
    return i;
}

static void
harvest(struct hosts *h, const struct scene *s, const struct record_sink *sink)
{
    struct mail_ledger l = mail_ledger(s->event);
    uint32_t i = l.unknown > 0 ? table_get(h, &s->src) : table_find(h, &s->src);
    struct detail *d;
    uint32_t news = 0;

    if (i == POOL_NONE)
        return;
    d = l.unknown > 0 ? table_detail(h, i) : detail_of(h, host_at(h, i));
    touch(h, i, s->now);
    host_at(h, i)->transactions += !record_map_has(s->event, FIELD_SMTP_PART) ||
                                   record_map_bool(s->event, FIELD_SMTP_LAST);
    if (d == NULL)
        return;
    window_daily(d, s->now);
    d->harvest_offered += l.offered;
    d->harvest_unknown += l.unknown;
    if (d->harvest_unknown >= 8 && rose(&d->told_harvest, d->harvest_unknown))
        news |= STAT_BIT(CHANGE_HARVEST);
    tell(h, i, news, s, false, sink);
}

static void
on_smtp(struct hosts *h, const struct scene *s, const struct record_sink *sink)
{
    uint32_t i;

    if (!mail_counts(s->event))
        return;
    if (s->inbound)
        harvest(h, s, sink);
    i = sender_of(h, s);
    if (i == POOL_NONE)
        return;
    mail_event(h, i, s);
    tell(h, i, 0, s, false, sink);
}

static void
on_half_session(struct hosts *h, const struct scene *s,
                const struct record_sink *sink)
{
    bool triangle = session_is_triangle(h, s);
    uint32_t news = 0;
    uint32_t i = triangle ? table_get(h, &s->src) : table_find(h, &s->src);
    struct detail *d;

    if (i == POOL_NONE)
        return;
    d = triangle ? table_detail(h, i) : detail_of(h, host_at(h, i));
    touch(h, i, s->now);
    host_at(h, i)->sessions_oneway++;
    if (d != NULL) {
        d->triangular += triangle;
        if (rose(&d->told_triangular, d->triangular))
            news = STAT_BIT(CHANGE_TRIANGULAR);
    }
    tell(h, i, news, s, false, sink);
}

static void
on_served(struct hosts *h, const struct scene *s,
          const struct record_sink *sink)
{
    uint32_t i;
    uint32_t news;
    struct detail *d;

    if (!session_is_served(s))
        return;
    i = table_get(h, &s->dest);
    d = i != POOL_NONE ? table_detail(h, i) : NULL;
    if (d == NULL)
        return;
    host_at(h, i)->last = s->now; /* in use, though it sent nothing */
    queueing_served(h, d, record_map_find(s->event, FIELD_SMTP_BANNER));
    news = queueing_news(h, d, s->now);
    if (news != 0)
        host_emit(h, i, "change", news, s->now, sink);
}

static void
on_caller(struct hosts *h, const struct scene *s,
          const struct record_sink *sink)
{
    bool guesses = session_guesses(s->event);
    uint32_t i = guesses ? table_get(h, &s->src) : table_find(h, &s->src);
    struct detail *d;

    if (i == POOL_NONE)
        return;
    d = guesses ? table_detail(h, i) : detail_of(h, host_at(h, i));
    touch(h, i, s->now);
    host_at(h, i)->sessions++;
    host_at(h, i)->sessions_tls += session_is_tls(s->event);
    if (d != NULL) {
        window_hour_add(d, HOUR_SESSIONS, 1);
        session_auth(h, d, s);
    }
    tell(h, i, 0, s, true, sink);
}

static void
on_session(struct hosts *h, const struct scene *s,
           const struct record_sink *sink)
{
    uint32_t i;
    struct detail *d;

    if (record_map_has(s->event, FIELD_ATTEMPTS_COUNT))
        return;
    if (!session_counts(s->event)) {
        on_half_session(h, s, sink);
        return;
    }
    h->both_sides = s->now;
    if (s->inbound)
        (void)session_path(h, s);
    if (s->inbound)
        on_caller(h, s, sink);
    on_served(h, s, sink);
    i = sender_of(h, s);
    if (i == POOL_NONE)
        return;
    session_outward(h, i, s);
    d = detail_of(h, host_at(h, i));
    if (d != NULL)
        session_auth(h, d, s);
    tell(h, i, 0, s, true, sink);
}

static void
on_file(struct hosts *h, const struct scene *s, const struct record_sink *sink)
{
    uint32_t i;

    if (!s->outbound || !record_map_is(s->event, FIELD_FILEINFO_CLASS, "A"))
        return;
    i = sender_of(h, s);
    if (i == POOL_NONE)
        return;
    mail_file(h, i, s);
    tell(h, i, 0, s, false, sink);
}

static void
on_dns(struct hosts *h, const struct scene *s, const struct record_sink *sink)
{
    uint32_t n;
    uint32_t i;
    struct detail *d;

    names_event(h->names, s->event);
    if (!s->src.home || !record_map_is(s->event, FIELD_DNS_RRTYPE, "MX") ||
        !names_mx(h->names, &s->src.addr, s->now, &n) ||
        n < HOST_LIMIT(mx_least))
        return;
    i = table_get(h, &s->src);
    d = i != POOL_NONE ? table_detail(h, i) : NULL;
    if (d == NULL)
        return;
    touch(h, i, s->now);
    tell(h, i, rose(&d->told_mx, n) ? STAT_BIT(CHANGE_MX) : 0, s, false, sink);
}

/* The id of a lease, 16 hexadecimal digits; 0: none. */
static uint64_t
lease_of(struct span text)
{
    uint64_t id = 0;

    if (text.n != 16)
        return 0;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = span_at(text, i);

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return 0;
        id = id << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return id == TABLE_FOLDED ? 0 : id;
}

static void
read_end(const struct record_map *event, enum field ip, enum field lease,
         bool home, struct table_who *out)
{
    struct span text = home ? record_map_find(event, lease) : SPAN_NONE;

    *out = (struct table_who){.home = home};
    (void)record_map_addr(event, ip, &out->addr);
    out->lease = lease_of(text);
}

static void
set_scene(const struct hosts *h, const struct record_map *event,
          const struct campaign_join *joined, struct scene *s)
{
    struct span d = record_map_find(event, FIELD_DIRECTION);

    *s = (struct scene){.event = event, .joined = joined, .now = h->now};
    s->flow = record_head_of(event->record).flow_id;
    s->outbound = span_eq(d, SPAN_LIT("outbound"));
    s->inbound = span_eq(d, SPAN_LIT("inbound"));
    s->internal = span_eq(d, SPAN_LIT("internal"));
    read_end(event, FIELD_SRC_IP, FIELD_SRC_HOST_LEASE,
             s->outbound || s->internal, &s->src);
    read_end(event, FIELD_DEST_IP, FIELD_DEST_HOST_LEASE,
             s->inbound || s->internal, &s->dest);
}

void
hosts_event(struct hosts *h, const struct record_map *event,
            const struct campaign_join *joined, const struct record_sink *sink)
{
    static void (*const on[EVENT_TYPE_COUNT])(
        struct hosts *, const struct scene *, const struct record_sink *) = {
        [EVENT_SMTP] = on_smtp,
        [EVENT_SMTP_SESSION] = on_session,
        [EVENT_FILEINFO] = on_file,
        [EVENT_DNS] = on_dns,
    };
    struct record_head head = record_head_of(event->record);
    struct scene s;

    hosts_time(h, head.when, sink);
    if (head.type >= EVENT_TYPE_COUNT || on[head.type] == NULL ||
        !record_map_has(event, FIELD_SRC_IP))
        return;
    set_scene(h, event, joined, &s);
    on[head.type](h, &s, sink);
}

void
hosts_joined(struct hosts *h, const struct record_map *event,
             const struct campaign_join *joined, const struct record_sink *sink)
{
    struct detail *d;
    struct scene s;
    uint32_t i;

    hosts_time(h, record_head_of(event->record).when, sink);
    set_scene(h, event, joined, &s);
    i = table_find(h, &s.src);
    d = i != POOL_NONE ? detail_of(h, host_at(h, i)) : NULL;
    if (d == NULL)
        return;
    stat_time(h, host_at(h, i), s.now);
    mail_joined(d, joined, s.now);
    tell(h, i, 0, &s, false, sink);
}

/* ---- time ---- */

static bool
is_worth_telling(const struct host *host)
{
    return (host->flags & HOST_IS_ACTIVE) != 0 &&
           ((host->flags & HOST_IS_HOME) != 0 || host->detail != POOL_NONE);
}

static void
on_due(struct hosts *h, uint32_t i, ns_t now, const struct record_sink *sink)
{
    struct host *host = host_at(h, i);
    struct detail *d = detail_of(h, host);
    uint32_t news;

    stat_time(h, host, now);
    if (d != NULL)
        window_time(h, host, d, now);
    news = stat_news(h, host, now, true);
    if (d != NULL) {
        d->flags |= DETAIL_ASK;
        news |= queueing_news(h, d, now);
    }
    if (is_worth_telling(host))
        host_emit(h, i, "interval", news, now, sink);
    else if (news != 0)
        host_emit(h, i, "change", news, now, sink);
    stat_tell(h, host, now);
    host->flags &= (uint16_t)~HOST_IS_ACTIVE;
    if (d != NULL && d->pairs != POOL_NONE && queueing_sum(h, d, now).waits)
        table_due(h, i, now + h->o.interval);
}

static void
on_minute(struct hosts *h, const struct record_sink *sink)
{
    ns_t now = h->minute * MINUTE;
    uint32_t i;

    h->now = now;
    filter_time(&h->seen, now);
    filter_time(&h->hours, now);
    while ((i = hidden_ripe(h, h->minute)) != POOL_NONE) {
        struct scene s = {.now = now};

        stat_time(h, host_at(h, i), now);
        tell(h, i, 0, &s, false, sink);
    }
    while ((i = table_due_take(h, h->minute)) != POOL_NONE)
        on_due(h, i, now, sink);
}

void
hosts_time(struct hosts *h, ns_t now, const struct record_sink *sink)
{
    uint64_t minute = now / MINUTE;

    if (now <= h->now)
        return;
    while (h->minute < minute) {
        /* Nobody waits: nothing happens until then. Who waits does so for two
         * days at most, so this ends soon whatever time was told. */
        if (h->n_due == 0 && h->pending_n == 0)
            h->minute = minute;
        else
            h->minute++;
        on_minute(h, sink);
    }
    h->now = now;
}

/* ---- the end ---- */

struct order {
    struct addr addr;
    uint64_t lease;
    uint32_t host;
};

static int
by_addr(const void *a, const void *b)
{
    const struct order *x = a;
    const struct order *y = b;
    int c = addr_cmp(&x->addr, &y->addr);

    return c != 0 ? c : (x->lease > y->lease) - (x->lease < y->lease);
}

void
hosts_end(struct hosts *h, ns_t now, const struct record_sink *sink)
{
    struct order *all;
    size_t n = 0;

    hosts_time(h, now, sink);
    all = calloc((size_t)h->n_due + 1, sizeof(*all));
    if (all == NULL)
        return; /* their last events are those before */
    for (uint32_t i = 1; i <= h->hosts.high; i++) {
        const struct host *host = host_at(h, i);

        if (is_worth_telling(host) && n < h->n_due)
            all[n++] = (struct order){host->addr, host->lease, i};
    }
    qsort(all, n, sizeof(*all), by_addr);
    for (size_t i = 0; i < n; i++) {
        struct host *host = host_at(h, all[i].host);

        stat_time(h, host, h->now);
        host_emit(h, all[i].host, "end", stat_news(h, host, h->now, true),
                  h->now, sink);
    }
    free(all);
}

/* ---- lifts, counts ---- */

static bool
is_subject(const struct host *host, const struct addr *a)
{
    size_t n = addr_is_v4(a) ? sizeof(a->b) : 8; /* IPv6: its /64 */

    return (host->flags & HOST_IN_USE) != 0 &&
           memcmp(host->addr.b, a->b, n) == 0;
}

void
hosts_reset(struct hosts *h, const struct addr *a)
{
    for (uint32_t i = 1; i <= h->hosts.high; i++) {
        struct host *host = host_at(h, i);

        if (!is_subject(host, a))
            continue;
        memset(host->score, 0, sizeof(host->score));
        stat_tell(h, host, h->now);
    }
}

struct hosts_counts
hosts_counts(const struct hosts *h)
{
    struct hosts_counts c = h->counts;

    c.hosts = h->hosts.n;
    c.detailed = h->details.n;
    c.filter_permille = filter_fill_permille(&h->seen);
    c.table_bytes = h->hosts.bytes + h->n_slots * sizeof(*h->slots);
    c.detail_bytes = h->details.bytes;
    c.sketch_bytes = h->subkeys.bytes + h->pairs.bytes + h->large.bytes +
                     filter_bytes(&h->seen) + filter_bytes(&h->hours);
    c.memory_bytes = c.table_bytes + c.detail_bytes + c.sketch_bytes +
                     sizeof(*h) + HOST_COUNTERS * sizeof(*h->nets) +
                     names_counts(h->names).memory_bytes + paths_bytes();
    if (h->pending != NULL)
        c.memory_bytes += HOST_PENDING * sizeof(*h->pending) +
                          HOST_BUCKETS * sizeof(*h->buckets);
    return c;
}
