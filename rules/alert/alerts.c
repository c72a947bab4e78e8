#include "rules/alert/alerts.h"

#include "rules/alert/alerts_event.h"
#include "rules/alert/checks.h"
#include "rules/alert/episodes.h"
#include "rules/alert/reason.h"
#include "rules/alert/snap.h"
#include "sensor/base/frame.h"
#include "sensor/base/hash.h"

#define SNAPSHOT UINT64_C(0x315f737472656c61) /* "alerts_1" */
/* An episode ten times as large is told of again. */
#define GROWTH 10U

struct alerts {
    struct alerts_options options;
    struct episodes s;
    struct record_out out, keep;
    struct buf text, matched;
    struct alerts_counts counts;
    ns_t now;
    uint64_t told_number;
    uint32_t seq; /* of the next event of alerts */
};

enum err
alerts_new(const struct alerts_options *o, struct alerts **out)
{
    struct alerts *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return ERR_NOMEM;
    a->options = *o;
    record_init(&a->out);
    record_init(&a->keep);
    buf_init(&a->text, 4096);
    buf_init(&a->matched, 2048);
    if (!episodes_init(&a->s, o->seed)) {
        alerts_free(a);
        return ERR_NOMEM;
    }
    *out = a;
    return ERR_OK;
}

void
alerts_free(struct alerts *a)
{
    if (a == NULL)
        return;
    episodes_fini(&a->s);
    record_free(&a->out);
    record_free(&a->keep);
    buf_free(&a->text);
    buf_free(&a->matched);
    free(a);
}

/* ---- hosts ---- */

void
alerts_event(struct alerts *a, const struct record_map *event)
{
    struct subject subject;

    if (record_head_of(event->record).type != EVENT_HOST)
        return;
    subject = subject_of(event, SUBJECT_CLIENT);
    if (subject.known == 0)
        return;
    if (!episodes_host(&a->s, &subject, checks_keep(&a->keep, event)))
        a->counts.failed++;
}

/* ---- telling ---- */

static void
tell(struct alerts *a, uint32_t slot, const char *state, ns_t when,
     const struct record_sink *sink)
{
    struct episode *e = &a->s.v[slot];
    const struct exception *x = NULL;
    struct alerts_telling t = {
        .state = state,
        .head = {.when = when, .seq = a->seq++, .type = EVENT_ALERT},
        .host = episodes_host_find(&a->s, &e->subject),
    };

    if (a->options.exceptions != NULL && e->subject.known != 0) {
        x = exceptions_find(a->options.exceptions, &e->subject.prefix,
                            EXCEPT_ALERT, span_str(e->rule->id), when);
        t.unblockable =
            exceptions_find(a->options.exceptions, &e->subject.prefix,
                            EXCEPT_BLOCK, span_str(e->rule->id), when) != NULL;
    }
    t.silenced = x != NULL ? x->id : "";
    a->counts.silenced += x != NULL;
    alerts_write(&a->out, &a->s, slot, &t);
    sink->put(sink->ctx, record_view(&a->out));
    e->told = when;
    e->told_count = e->count;
    e->told_worth = e->worth;
    e->told_severity = (uint8_t)alerts_severity(span_str(e->rule->level));
    e->told_number = a->told_number++;
    e->dirty = 0;
    episodes_told(&a->s, slot);
}

/* It has lasted until its last match, and nobody heard of it since. */
static void
end(struct alerts *a, uint32_t slot, ns_t when, const struct record_sink *sink)
{
    tell(a, slot, "ended", when, sink);
    episodes_close(&a->s, slot);
    a->counts.ended++;
}

void
alerts_time(struct alerts *a, ns_t now, const struct record_sink *sink)
{
    uint32_t i;

    if (now > a->now)
        a->now = now;
    while ((i = a->s.idle.head) != 0 && a->now - a->s.v[i].last >= ALERTS_QUIET)
        end(a, i, a->now, sink);
    while ((i = a->s.recent.head) != 0 &&
           a->now - a->s.v[i].told >= ALERTS_REPEAT) {
        if (a->s.v[i].dirty)
            tell(a, i, "ongoing", a->now, sink);
        else
            episodes_not_recent(&a->s, i);
    }
}

void
alerts_end(struct alerts *a, ns_t now, const struct record_sink *sink)
{
    alerts_time(a, now, sink);
    for (uint32_t i = a->s.idle.head; i != 0; i = a->s.idle.at[i].next) {
        if (a->s.v[i].count != a->s.v[i].told_count)
            tell(a, i, "ongoing", a->now, sink);
    }
}

/* ---- matches ---- */

static struct subject
subject_of_match(const struct alert_match *m, enum subject_end *end)
{
    *end = span_eq(m->rule.subject, SPAN_LIT("server")) ? SUBJECT_SERVER
                                                        : SUBJECT_CLIENT;
    if (m->correlation && m->group_subject.n > 0) {
        enum subject_end which;
        struct subject s = subject_of_group(m->event, m->group_subject, &which);

        if (s.known != 0) {
            *end = which;
            return s;
        }
    }
    return subject_of(m->event, *end);
}

/* The worst it can be is nearly all ones, so that first of equals counts. */
static uint64_t
worth_of(const struct alert_match *m)
{
    double thousand = m->figure * 1000;

    if (!m->correlation)
        return alerts_worth(m->event, m->matched);
    if (!(thousand > 0))
        return 0;
    return thousand < 1e18 ? (uint64_t)thousand : (uint64_t)1e18;
}

static uint64_t
id_of(const struct alert_match *m, struct span subject)
{
    uint64_t h = hash_span(m->rule.id, 0);

    h = hash_mix(h, hash_span(subject, 0));
    return hash_mix(h, hash_span(record_map_find(m->event, FIELD_EVENT_ID), 0));
}

static void
set_evidence(struct episode *e, enum role role, const struct alert_match *m)
{
    struct span id = record_map_find(m->event, FIELD_EVENT_ID);
    struct evidence *v = &e->evidence[role];

    *v = (struct evidence){
        .when = record_head_of(m->event->record).when,
        .sight = (uint8_t)alerts_sight(m->event),
    };
    if (id.n > 0 && id.n < sizeof(v->event))
        memcpy(v->event, id.p, id.n);
}

/* What the registry and the configuration say of an end of an event. */
static const struct {
    enum field reg_site, site, state, protected;
} ends[] = {
    [SUBJECT_CLIENT] = {FIELD_SRC_REG_SITE,  FIELD_SRC_HOST_SITE,
                        FIELD_SRC_REG_STATE,  FIELD_SRC_REG_PROTECTED },
    [SUBJECT_SERVER] = {FIELD_DEST_REG_SITE, FIELD_DEST_HOST_SITE,
                        FIELD_DEST_REG_STATE, FIELD_DEST_REG_PROTECTED},
};

static void
set_registered(struct episode *e, const struct record_map *event)
{
    const enum field state = ends[e->server].state;

    e->registered = record_map_is(event, state, "registered")     ? 1
                    : record_map_is(event, state, "unregistered") ? 2
                                                                  : 0;
    e->protected = record_map_bool(event, ends[e->server].protected);
}

static struct span
site_of(const struct episode *e, const struct record_map *event)
{
    struct span site = record_map_find(event, ends[e->server].reg_site);

    if (site.n == 0)
        site = record_map_find(event, ends[e->server].site);
    return span_head(site, EPISODES_TEXT);
}

/* The reason and what matched, of the worst event so far. */
static bool
set_reason(struct alerts *a, struct episode *e, const struct alert_match *m)
{
    struct buf subject;
    bool ok;

    buf_init(&subject, SUBJECT_TEXT_MAX);
    subject_text(&e->subject, &subject);
    buf_reset(&a->text);
    reason_write(
        &a->text,
        &(struct reason_facts){
            .subject = buf_view(&subject),
            .site = e->site != NULL ? span_str(e->site) : SPAN_NONE,
            .registered = record_map_find(m->event, ends[e->server].state),
            .template = m->rule.reason,
            .title = m->rule.title,
            .event = m->event,
            .count = e->count,
            .correlation = m->correlation,
            .figure = m->figure,
            .limit = m->limit,
            .timespan = m->timespan,
        });
    buf_reset(&a->matched);
    alerts_matched(&a->matched, m->matched);
    ok = episodes_text(&e->reason, buf_view(&a->text)) &&
         episodes_text(&e->matched, buf_view(&a->matched));
    buf_free(&subject);
    return ok;
}

/* What it has in common with others, by the event or its host. */
static void
set_shares(struct alerts *a, uint32_t slot, const struct alert_match *m)
{
    struct episode *e = &a->s.v[slot];
    struct span host = episodes_host_find(&a->s, &e->subject);
    struct span helo = record_map_find(m->event, FIELD_SMTP_HELO);
    struct span cluster = SPAN_NONE;
    struct span dialect = SPAN_NONE;

    if (host.n > 0) {
        cluster = record_find(host, FIELD_HOST_S4_CLUSTER);
        dialect = record_find(host, FIELD_HOST_DIALECT);
        if (helo.n == 0)
            helo = record_find(host, FIELD_HOST_HELO);
    }
    if (e->server)
        helo = dialect = SPAN_NONE; /* the client's, not its own */
    memset(e->cluster, 0, sizeof(e->cluster));
    if (cluster.n > 0 && cluster.n < sizeof(e->cluster))
        memcpy(e->cluster, cluster.p, cluster.n);
    episodes_set_share(&a->s, slot, SHARE_CLUSTER, cluster);
    episodes_set_share(&a->s, slot, SHARE_DIALECT, dialect);
    episodes_set_share(&a->s, slot, SHARE_HELO, helo);
    episodes_set_share(&a->s, slot, SHARE_SITE,
                       e->site != NULL ? span_str(e->site) : SPAN_NONE);
}

/* Its figures only grow: of equals the later one says more. */
static bool
is_of_host(const struct alert_match *m)
{
    return !m->correlation &&
           record_head_of(m->event->record).type == EVENT_HOST;
}

static bool
update(struct alerts *a, uint32_t slot, const struct alert_match *m)
{
    struct episode *e = &a->s.v[slot];
    uint64_t worth = worth_of(m);
    bool worst = e->count == 0 || worth > e->worth ||
                 (worth == e->worth && is_of_host(m));
    bool ok = true;

    e->count++;
    e->last = a->now;
    e->mx |= span_search(m->matched, SPAN_LIT("host.hour.mx")) < m->matched.n;
    set_registered(e, m->event);
    if (e->count == 1) {
        e->first = a->now;
        set_evidence(e, ROLE_FIRST, m);
    }
    set_evidence(e, ROLE_LATEST, m);
    if (site_of(e, m->event).n > 0)
        ok = episodes_text(&e->site, site_of(e, m->event));
    if (worst) {
        e->worth = worth;
        set_evidence(e, ROLE_WORST, m);
        ok = set_reason(a, e, m) && ok;
    }
    set_shares(a, slot, m);
    episodes_touch(&a->s, slot);
    return ok;
}

static uint32_t
open_episode(struct alerts *a, struct rule_kept *rule,
             const struct alert_match *m, const struct record_sink *sink)
{
    enum subject_end which;
    struct subject subject = subject_of_match(m, &which);
    struct buf text;
    uint32_t i;

    if (a->s.n >= ALERTS_OPEN) {
        end(a, a->s.idle.head, a->now, sink);
        a->counts.evicted++;
    }
    i = episodes_open(&a->s, rule, &subject);
    if (i == 0)
        return 0;
    buf_init(&text, SUBJECT_TEXT_MAX);
    subject_text(&subject, &text);
    a->s.v[i].id = id_of(m, buf_view(&text));
    a->s.v[i].server = which == SUBJECT_SERVER;
    buf_free(&text);
    a->counts.opened++;
    return i;
}

static bool
is_worth_telling(const struct episode *e)
{
    unsigned severity = alerts_severity(span_str(e->rule->level));

    return e->count / GROWTH >= e->told_count || e->worth > e->told_worth ||
           severity < e->told_severity;
}

void
alerts_match(struct alerts *a, const struct alert_match *m,
             const struct record_sink *sink)
{
    enum subject_end which;
    struct subject subject = subject_of_match(m, &which);
    struct rule_kept *rule;
    uint32_t i;

    alerts_time(a, m->when, sink);
    i = episodes_find(&a->s, m->rule.id, &subject);
    rule = episodes_rule(&a->s, &m->rule);
    if (rule != NULL && i != 0)
        episodes_set_rule(&a->s, i, rule);
    else if (rule != NULL)
        i = open_episode(a, rule, m, sink);
    if (i == 0 || rule == NULL) {
        a->counts.failed++;
        return;
    }
    if (!update(a, i, m))
        a->counts.failed++;
    if (a->s.v[i].count == 1)
        tell(a, i, "opened", a->now, sink);
    else if (!is_worth_telling(&a->s.v[i]))
        return;
    else if (a->now - a->s.v[i].told >= ALERTS_REPEAT)
        tell(a, i, "ongoing", a->now, sink);
    else
        a->s.v[i].dirty = 1;
}

/* Of a host event the lines also say how bad it is. */
bool
alerts_wants_words(const struct alerts *a, const struct alert_match *m)
{
    enum subject_end which;
    struct subject subject;
    uint32_t i;

    if (m->correlation)
        return false;
    if (record_head_of(m->event->record).type == EVENT_HOST)
        return true;
    subject = subject_of_match(m, &which);
    i = episodes_find(&a->s, m->rule.id, &subject);
    return i == 0 || m->when >= a->s.v[i].last + ALERTS_QUIET ||
           worth_of(m) > a->s.v[i].worth;
}

struct alerts_counts
alerts_counts(const struct alerts *a)
{
    struct alerts_counts c = a->counts;

    c.open = a->s.n;
    c.hosts = a->s.n_hosts;
    return c;
}

void
alerts_open_by(const struct alerts *a, uint64_t by[ALERTS_SEVERITIES])
{
    memset(by, 0, ALERTS_SEVERITIES * sizeof(*by));
    for (uint32_t i = 0; i < EPISODES_BUCKETS; i++) {
        for (const struct rule_kept *r = a->s.rules[i]; r != NULL; r = r->next)
            by[alerts_severity(span_str(r->level)) - 1] += r->users;
    }
}

uint64_t
alerts_open_since(const struct alerts *a, ns_t t)
{
    uint64_t n = 0;

    for (uint32_t slot = 1; slot <= a->s.top; slot++)
        n += a->s.v[slot].used != 0 && a->s.v[slot].first <= t;
    return n;
}

/* ---- snapshots ---- */

enum err
alerts_save(const struct alerts *a, struct buf *out)
{
    size_t at = out->n;

    frame_begin(out, SNAPSHOT, a->options.seed);
    snap_u64(out, a->now);
    snap_u64(out, a->told_number);
    snap_u64(out, a->seq);
    snap_u64(out, a->counts.opened);
    snap_u64(out, a->counts.ended);
    snap_u64(out, a->counts.evicted);
    snap_u64(out, a->counts.silenced);
    episodes_save(&a->s, out);
    return frame_end(out, at);
}

enum err
alerts_load(struct alerts *a, struct span snapshot)
{
    struct episodes s;
    struct alerts n = {0};
    struct cursor c;
    enum err err = frame_open(snapshot, SNAPSHOT, a->options.seed, &c);

    if (err != ERR_OK)
        return err;
    n.now = cur_le64(&c);
    n.told_number = cur_le64(&c);
    n.seq = (uint32_t)snap_take_count(&c, UINT32_MAX);
    n.counts.opened = cur_le64(&c);
    n.counts.ended = cur_le64(&c);
    n.counts.evicted = cur_le64(&c);
    n.counts.silenced = cur_le64(&c);
    err =
        episodes_init(&s, a->options.seed) ? episodes_load(&s, &c) : ERR_NOMEM;
    if (err == ERR_OK && cur_left(&c) > 0)
        err = ERR_CORRUPT;
    if (err != ERR_OK) {
        episodes_fini(&s);
        return err;
    }
    episodes_fini(&a->s);
    a->s = s;
    a->now = n.now;
    a->told_number = n.told_number;
    a->seq = n.seq;
    a->counts = n.counts;
    return ERR_OK;
}
