#include "rules/detect.h"

#include "sensor/base/hash.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#define TICK_NS     (NS_PER_S / 10) /* as net's */
#define QUEUE_MAX   (256U << 20)    /* bytes of conclusions not yet taken */
#define WORDS_MAX   (64U << 10)     /* of what a rule met */
#define MATCHES_MAX 4096U           /* alerting matches of one event */

struct detect {
    struct campaigns *campaigns; /* or NULL: judged elsewhere */
    struct hosts *hosts;
    struct exceptions *exceptions;
    struct alerts *alerts;
    struct decide *decide;
    struct sigma_run *run;         /* or NULL: no rules */
    const struct sigma_set *rules; /* of run */
    enum detect_part part;
    struct detect_spread spread;
    const struct record_map *event; /* at hand, for spread */
    struct buf queue;               /* lengths and records */
    size_t taken;                   /* bytes of it */
    struct buf words;
    struct sigma_match *matches; /* copied: explaining overwrites them */
    ns_t tick;                   /* the latest that timers saw */
    ns_t latest;                 /* time of the latest event of traffic */
    struct record_out control;   /* one, at that time */
    uint64_t seed;
    uint64_t dropped;
    uint64_t unread; /* exceptions */
};

static enum err
new_parts(struct detect *d, const struct detect_options *o)
{
    struct alerts_options alerts = {.seed = o->hosts.seed};
    struct decide_options decide = o->decide;
    enum err e = exceptions_new(&d->exceptions);

    alerts.exceptions = d->exceptions;
    decide.exceptions = d->exceptions;
    decide.seed = o->hosts.seed;
    if (e == ERR_OK && o->part == DETECT_ALL)
        e = campaigns_new(o->hosts.seed, &d->campaigns);
    if (e == ERR_OK)
        e = hosts_new(&o->hosts, &d->hosts);
    if (e == ERR_OK)
        e = alerts_new(&alerts, &d->alerts);
    if (e == ERR_OK)
        e = decide_new(&decide, &d->decide);
    if (e == ERR_OK && o->rules != NULL)
        e = detect_rules(d, o->rules);
    return e;
}

enum err
detect_new(const struct detect_options *o, struct detect **out)
{
    struct detect *d = calloc(1, sizeof(*d));
    enum err e = ERR_NOMEM;

    if (d == NULL)
        return ERR_NOMEM;
    d->seed = o->hosts.seed;
    d->part = o->part;
    d->spread = o->spread;
    buf_init(&d->queue, QUEUE_MAX);
    buf_init(&d->words, WORDS_MAX);
    record_init(&d->control);
    d->matches = calloc(MATCHES_MAX, sizeof(*d->matches));
    if (d->matches != NULL)
        e = new_parts(d, o);
    if (e != ERR_OK) {
        detect_free(d);
        return e;
    }
    *out = d;
    return ERR_OK;
}

void
detect_free(struct detect *d)
{
    if (d == NULL)
        return;
    sigma_run_free(d->run);
    decide_free(d->decide);
    alerts_free(d->alerts);
    hosts_free(d->hosts);
    campaigns_free(d->campaigns);
    exceptions_free(d->exceptions);
    buf_free(&d->queue);
    buf_free(&d->words);
    record_free(&d->control);
    free(d->matches);
    free(d);
}

enum err
detect_rules(struct detect *d, const struct sigma_set *rules)
{
    enum err e = d->run == NULL ? sigma_run_new(rules, d->seed, NULL, &d->run)
                                : sigma_run_reload(d->run, rules);

    if (e == ERR_OK)
        d->rules = rules;
    return e;
}

/* ---- conclusions ---- */

static void
put(void *ctx, struct span record)
{
    struct detect *d = ctx;
    uint32_t n = (uint32_t)record.n;
    size_t before = d->queue.n;

    buf_put(&d->queue, &n, sizeof(n));
    buf_span(&d->queue, record);
    if (d->queue.n != before + sizeof(n) + record.n) {
        d->queue.n = before;
        d->dropped++;
    }
}

struct span
detect_take(struct detect *d)
{
    struct span rest = span_tail(buf_view(&d->queue), d->taken);
    struct span record;
    uint32_t n;

    if (rest.n < sizeof(n)) {
        buf_reset(&d->queue);
        d->taken = 0;
        return SPAN_NONE;
    }
    memcpy(&n, rest.p, sizeof(n));
    record = span_of(rest.p + sizeof(n), n);
    d->taken += sizeof(n) + n;
    return record;
}

/* ---- rules ---- */

static const char *const level_words[] = {
    [SIGMA_LEVEL_NONE] = "informational",
    [SIGMA_INFORMATIONAL] = "informational",
    [SIGMA_LOW] = "low",
    [SIGMA_MEDIUM] = "medium",
    [SIGMA_HIGH] = "high",
    [SIGMA_CRITICAL] = "high",
};

static struct alert_rule
rule_of(const struct sigma_info *info)
{
    return (struct alert_rule){
        .id = info->id.n > 0 ? info->id : info->title,
        .title = info->title,
        .level = span_str(level_words[info->level]),
        .pack = info->pack,
        .subject = info->subject,
        .reason = info->reason,
        .tags = info->tags,
        .n_tags = info->n_tags,
        .hash = info->hash,
    };
}

/* Only the figure of a correlation can be told; of others what they met. */
static void
tell(struct detect *d, const struct record_map *event,
     const struct sigma_match *m)
{
    const struct sigma_info *info = sigma_set_info(d->rules, m->rule);
    struct record_sink sink = {put, d};
    struct alert_match match = {
        .rule = rule_of(info),
        .event = event,
        .when = m->when,
        .correlation = info->kind == SIGMA_CORRELATION,
        .figure = m->figure,
        .timespan = info->timespan,
        .limit = info->threshold,
        .group_subject =
            m->subject < m->n_group ? m->group[m->subject].value : SPAN_NONE,
    };

    buf_reset(&d->words);
    if (alerts_wants_words(d->alerts, &match))
        (void)sigma_explain(d->run, m->rule, event->record, &d->words);
    match.matched = buf_view(&d->words);
    alerts_match(d->alerts, &match, &sink);
}

/* Here, and not elsewhere. */
static bool
alerts(const struct detect *d, uint32_t rule)
{
    if (!sigma_set_info(d->rules, rule)->alerts)
        return false;
    return d->part == DETECT_ALL ||
           (d->part == DETECT_SPREAD) == sigma_set_is_spread(d->rules, rule);
}

/* Rules of the event that alert; to explain one overwrites what the run lent.
 */
static size_t
keep_alerting(struct detect *d, const struct sigma_match *m, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n && kept < MATCHES_MAX; i++) {
        if (alerts(d, m[i].rule))
            d->matches[kept++] = m[i];
    }
    return kept;
}

static void
tell_correlations(struct detect *d, const struct record_map *event,
                  const struct sigma_match *m, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (alerts(d, m[i].rule))
            tell(d, event, &m[i]);
    }
}

static void
put_spread(void *ctx, uint32_t rule, const struct span *group, uint32_t n_group)
{
    struct detect *d = ctx;
    const struct sigma_info *info = sigma_set_info(d->rules, rule);

    d->spread.put(d->spread.ctx, d->event,
                  info->id.n > 0 ? info->id : info->name, group, n_group);
}

static void
spread(struct detect *d, const struct record_map *event)
{
    const struct sigma_spread to = {put_spread, d};

    if (d->spread.put == NULL)
        return;
    d->event = event;
    sigma_spread(d->run, &to);
    d->event = NULL;
}

static void
apply_rules(struct detect *d, const struct record_map *event, ns_t now)
{
    const struct sigma_match *m;
    size_t n, kept;

    if (d->run == NULL)
        return;
    m = sigma_eval_map(d->run, event, &n);
    kept = keep_alerting(d, m, n);
    spread(d, event);
    m = sigma_correlate(d->run, now, &n);
    tell_correlations(d, event, m, n);
    for (size_t i = 0; i < kept; i++)
        tell(d, event, &d->matches[i]);
}

/* ---- events ---- */

static void
count(struct detect *d, const struct record_map *event)
{
    struct record_sink sink = {put, d};
    struct campaign_join joined;
    bool joins =
        d->campaigns != NULL && campaigns_event(d->campaigns, event, &joined);

    hosts_event(d->hosts, event, joins ? &joined : NULL, &sink);
}

static void
on_traffic(struct detect *d, const struct record_map *event, ns_t now)
{
    count(d, event);
    apply_rules(d, event, now);
}

/* In a replay nobody tells that the input was over, but these events do. Where
 * they come from here there is nothing more to end. */
static void
on_host(struct detect *d, const struct record_map *event, ns_t now)
{
    struct record_sink sink = {put, d};

    if (record_map_is(event, FIELD_HOST_WHY, "end"))
        hosts_end(d->hosts, now, &sink);
    alerts_event(d->alerts, event);
    apply_rules(d, event, now);
}

/* A reading tells of its input when that is over. A fault in what a person
 * entered was told when it was entered. */
static void
on_control(struct detect *d, const struct record_map *event, ns_t now)
{
    struct record_sink sink = {put, d};

    if (record_map_is(event, FIELD_CONTROL_KIND, "tick"))
        detect_time(d, now);
    if (record_map_is(event, FIELD_CONTROL_KIND, "input"))
        alerts_end(d->alerts, now, &sink);
    if (exceptions_event(d->exceptions, event) != ERR_OK)
        d->unread++;
}

/* What was lifted begins anew, or it would be stopped again at once. */
static void
on_decision(struct detect *d, const struct record_map *event, ns_t now)
{
    struct prefix p;

    (void)now;
    if (record_map_is(event, FIELD_DECISION_ACTION, "lift") &&
        prefix_parse(record_map_find(event, FIELD_DECISION_SUBJECT), &p))
        hosts_reset(d->hosts, &p.addr);
}

static void (*const handlers[EVENT_TYPE_COUNT])(struct detect *,
                                                const struct record_map *,
                                                ns_t) = {
    [EVENT_SMTP] = on_traffic,      [EVENT_SMTP_SESSION] = on_traffic,
    [EVENT_FILEINFO] = on_traffic,  [EVENT_TLS] = on_traffic,
    [EVENT_ANOMALY] = on_traffic,   [EVENT_DNS] = on_traffic,
    [EVENT_HOST] = on_host,         [EVENT_CONTROL] = on_control,
    [EVENT_DECISION] = on_decision,
};

/* What people do is journaled when they do it, and a capture may be older: so
 * it does not move the time of the traffic. */
static void
show_control(struct detect *d, const struct record_map *event)
{
    struct cursor entries = record_entries_of(event->record);
    struct record_head head = record_head_of(event->record);
    struct record_sink sink = {put, d};
    struct record_map map;

    if (head.when > d->latest)
        head.when = d->latest;
    record_begin(&d->control, &head);
    record_entries(&d->control, cur_rest(&entries));
    record_map_init(&map, record_view(&d->control));
    on_control(d, &map, head.when);
    decide_event(d->decide, &map, &sink);
}

void
detect_event(struct detect *d, const struct record_map *event)
{
    struct record_head head = record_head_of(event->record);
    struct record_sink sink = {put, d};

    if (head.type == EVENT_CONTROL) {
        show_control(d, event);
        return;
    }
    if (record_map_bool(event, FIELD_ALERT_TEST))
        return; /* nothing happened */
    if (head.when > d->latest)
        d->latest = head.when;
    detect_time(d, head.when);
    if (handlers[head.type] != NULL)
        handlers[head.type](d, event, head.when);
    decide_event(d->decide, event, &sink);
}

void
detect_joined(struct detect *d, const struct record_map *event,
              const struct campaign_join *joined)
{
    ns_t when = record_head_of(event->record).when;
    struct record_sink sink = {put, d};

    REQUIRE(d->campaigns == NULL);
    if (when > d->latest)
        d->latest = when;
    detect_time(d, when);
    hosts_joined(d->hosts, event, joined, &sink);
}

bool
detect_spread(struct detect *d, const struct record_map *event,
              struct span rule)
{
    ns_t when = record_head_of(event->record).when;
    const struct sigma_match *m;
    uint32_t i;
    size_t n;

    REQUIRE(d->part == DETECT_SPREAD);
    i = d->run != NULL ? sigma_set_find(d->rules, rule) : 0;
    if (d->run == NULL || i == sigma_set_count(d->rules) ||
        !sigma_set_is_spread(d->rules, i))
        return false;
    if (when > d->latest)
        d->latest = when;
    detect_time(d, when);
    (void)sigma_eval_map(d->run, event, &n);
    m = sigma_correlate_one(d->run, i, when, &n);
    tell_correlations(d, event, m, n);
    return true;
}

/* ---- time ---- */

/* Windows that end without an event have none to show. */
static void
tick_rules(struct detect *d, ns_t now)
{
    struct record_map none = {.record = SPAN_NONE};
    const struct sigma_match *m;
    size_t n;

    if (d->run == NULL)
        return;
    m = sigma_tick(d->run, now, &n);
    tell_correlations(d, &none, m, n);
}

void
detect_time(struct detect *d, ns_t now)
{
    struct record_sink sink = {put, d};
    ns_t tick = now - now % TICK_NS;

    if (tick <= d->tick)
        return;
    d->tick = tick;
    hosts_time(d->hosts, tick, &sink);
    tick_rules(d, tick);
    alerts_time(d->alerts, tick, &sink);
    decide_time(d->decide, tick, &sink);
}

void
detect_end(struct detect *d, ns_t now)
{
    struct record_sink sink = {put, d};

    detect_time(d, now);
    hosts_end(d->hosts, now, &sink);
}

/* ---- snapshots ---- */

#define SNAPSHOT_MARK 0x33746365746564ULL /* "detect3" */
#define SNAPSHOT_MAX  (1ULL << 32)
#define SECTIONS      6

static void
put_u64(struct buf *out, uint64_t v)
{
    v = htole64(v);
    buf_put(out, &v, sizeof(v));
}

static enum err
save_clusters(const struct detect *d, struct buf *out)
{
    return d->campaigns != NULL ? campaigns_save(d->campaigns, out) : ERR_OK;
}

/* Its length stands before it: known only behind it. */
static enum err
put_section(const struct detect *d, unsigned section, struct buf *out)
{
    struct buf part;
    enum err e = ERR_OK;

    buf_init(&part, SNAPSHOT_MAX);
    switch (section) {
    case 0: e = save_clusters(d, &part); break;
    case 1: e = hosts_save(d->hosts, &part); break;
    case 2: e = alerts_save(d->alerts, &part); break;
    case 3: e = decide_save(d->decide, &part); break;
    case 4: e = exceptions_save(d->exceptions, &part); break;
    case 5: e = d->run != NULL ? sigma_run_save(d->run, &part) : ERR_OK; break;
    }
    if (e == ERR_OK) {
        put_u64(out, part.n);
        buf_span(out, buf_view(&part));
    }
    buf_free(&part);
    return e;
}

enum err
detect_save(const struct detect *d, struct buf *out)
{
    enum err e = ERR_OK;

    put_u64(out, SNAPSHOT_MARK);
    put_u64(out, d->latest);
    put_u64(out, d->tick);
    for (unsigned i = 0; i < SECTIONS && e == ERR_OK; i++)
        e = put_section(d, i, out);
    if (e == ERR_OK && (out->cut || out->failed))
        e = out->cut ? ERR_LIMIT : ERR_NOMEM;
    return e;
}

static enum err
load_clusters(struct detect *d, struct span part)
{
    if (d->campaigns == NULL)
        return part.n == 0 ? ERR_OK : ERR_FORMAT;
    return campaigns_load(d->campaigns, part);
}

/* Of a run with rules for one without, and the reverse, there is nothing. */
static enum err
load_windows(struct detect *d, struct span part)
{
    return d->run != NULL && part.n > 0 ? sigma_run_load(d->run, part) : ERR_OK;
}

static enum err
take_section(struct detect *d, unsigned section, struct span part)
{
    switch (section) {
    case 0: return load_clusters(d, part);
    case 1: return hosts_load(d->hosts, part);
    case 2: return alerts_load(d->alerts, part);
    case 3: return decide_load(d->decide, part);
    case 4: return exceptions_load(d->exceptions, part);
    case 5: return load_windows(d, part);
    }
    return ERR_OK;
}

enum err
detect_load(struct detect *d, struct span snapshot)
{
    struct cursor c = cur_open(snapshot);
    enum err e = ERR_OK;

    if (cur_le64(&c) != SNAPSHOT_MARK)
        return ERR_FORMAT;
    d->latest = cur_le64(&c);
    d->tick = cur_le64(&c);
    for (unsigned i = 0; i < SECTIONS && e == ERR_OK; i++) {
        uint64_t n = cur_le64(&c);
        struct span part = cur_take(&c, n);

        e = c.bad ? ERR_TRUNCATED : take_section(d, i, part);
    }
    return e;
}

/* ---- what others may see ---- */

struct detect_counts
detect_counts(const struct detect *d)
{
    struct detect_counts c = {
        .hosts = hosts_counts(d->hosts),
        .alerts = alerts_counts(d->alerts),
        .decide = decide_counts(d->decide),
        .dropped = d->dropped,
        .exceptions_unread = d->unread,
    };

    if (d->campaigns != NULL)
        c.campaigns = campaigns_counts(d->campaigns);
    if (d->run != NULL)
        c.sigma = sigma_run_counts(d->run);
    return c;
}

void
detect_keep_evidence(struct detect *d, const struct decide_store *store)
{
    decide_keep_evidence(d->decide, store);
}

const struct rollout *
detect_policy(const struct detect *d)
{
    return decide_policy(d->decide);
}

void
detect_open_by(const struct detect *d, uint64_t by[ALERTS_SEVERITIES])
{
    alerts_open_by(d->alerts, by);
}

uint64_t
detect_open_since(const struct detect *d, ns_t t)
{
    return alerts_open_since(d->alerts, t);
}
