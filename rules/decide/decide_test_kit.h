/* decide_test_kit - host events and what comes of them, for tests of decide
 *
 * Begins with a host that everything of 1.10 and 6.1 holds for and nothing
 * stands against; a test changes what it is about. Exceptions are an array of
 * the test's: the functions of rules/alert/exceptions.h are here. */
#include "rules/decide/decide_evidence.h"
#include "sensor/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define KIT_T0 UINT64_C(1767225600) /* 2026-01-01, a UTC midnight */

struct kit_speaker {
    uint64_t accepted, n, bad, score;
};

struct kit_host {
    const char *ip;
    double at; /* seconds since KIT_T0 */
    bool away, no_home;
    const char *reg, *line; /* NULL: absent */
    bool protected, queueing, open, conflict;
    const char *site, *pool, *lease;
    const char *level[DECIDE_STATS]; /* s1 s1t s2 s3 s4 s5 s6 s7 */
    uint64_t score[DECIDE_STATS];
    uint64_t bad, ordinary, macs;
    uint64_t sessions, organisations, networks, seconds, replies, loss;
    uint64_t volume;         /* messages of the last hour */
    uint64_t bound, unbound; /* by a router; by another way */
    bool no_loss;
    struct kit_speaker speakers[3];
    size_t n_speakers;
};

static inline struct kit_host
kit_bot(const char *ip, double at)
{
    return (struct kit_host){
        .ip = ip,
        .at = at,
        .reg = "unregistered",
        .level = {"block",   "normal", "normal", "alert", "normal", "normal",
                  "normal", "normal"},
        .score = {14000, 0,            0,            7000                  },
        .bad = 9,
        .ordinary = 3,
        .macs = 1,
        .sessions = 10,
        .organisations = 5,
        .networks = 3,
        .seconds = 120,
        .replies = 800,
        .loss = 49,
        .volume = 10,
        .bound = 10,
    };
}

struct kit {
    struct record_out out;
    struct record_map map;
    struct decide *d;
    struct buf log; /* decision records: u64 length, bytes */
    size_t n, told; /* in the log, already looked at */
    uint64_t events;
    size_t doings; /* control events that it told */
};

static inline ns_t
kit_ns(double at)
{
    return KIT_T0 * NS_PER_S + (ns_t)(at * 1e6) * NS_PER_US;
}

static inline void
kit_sink(void *ctx, struct span record)
{
    struct kit *k = ctx;
    uint64_t n = record.n;

    assert_true(record_check(record));
    if (record_head_of(record).type == EVENT_CONTROL) {
        k->doings++;
        return;
    }
    buf_put(&k->log, &n, sizeof(n));
    buf_span(&k->log, record);
    k->n++;
}

static inline struct record_sink
kit_to(struct kit *k)
{
    return (struct record_sink){kit_sink, k};
}

static inline void
kit_open(struct kit *k, const struct decide_options *o)
{
    *k = (struct kit){0};
    record_init(&k->out);
    buf_init(&k->log, 64U << 20);
    assert_int_equal(decide_new(o, &k->d), ERR_OK);
}

static inline void
kit_close(struct kit *k)
{
    decide_free(k->d);
    record_free(&k->out);
    buf_free(&k->log);
}

static inline void
kit_text(struct record_out *r, enum field f, const char *s)
{
    if (s != NULL)
        record_text(r, f, s);
}

static inline void
kit_stats(struct record_out *r, const struct kit_host *h)
{
    static const enum field level[DECIDE_STATS] = {
        FIELD_HOST_S1_LEVEL, FIELD_HOST_S1T_LEVEL, FIELD_HOST_S2_LEVEL,
        FIELD_HOST_S3_LEVEL, FIELD_HOST_S4_LEVEL,  FIELD_HOST_S5_LEVEL,
        FIELD_HOST_S6_LEVEL, FIELD_HOST_S7_LEVEL,
    };

    for (unsigned i = 0; i < DECIDE_STATS; i++) {
        if (i < 4) { /* score and limit stand before the level */
            record_u64(r, (enum field)(level[i] - 2), h->score[i]);
            record_u64(r, (enum field)(level[i] - 1), i < 2 ? 9200 : 6900);
        }
        kit_text(r, level[i], h->level[i]);
        if (i == 0) {
            record_u64(r, FIELD_HOST_S1_N, h->bad * 2);
            record_u64(r, FIELD_HOST_S1_BAD, h->bad);
        }
    }
}

static inline void
kit_evidence(struct record_out *r, const struct kit_host *h)
{
    record_u64(r, FIELD_HOST_EVIDENCE_SESSIONS, h->sessions);
    record_u64(r, FIELD_HOST_EVIDENCE_ORGANISATIONS, h->organisations);
    record_u64(r, FIELD_HOST_EVIDENCE_NETWORKS, h->networks);
    record_u64(r, FIELD_HOST_EVIDENCE_SECONDS, h->seconds);
    record_u64(r, FIELD_HOST_EVIDENCE_REPLIES, h->replies);
    if (!h->no_loss)
        record_u64(r, FIELD_HOST_EVIDENCE_LOSS, h->loss);
    record_u64(r, FIELD_HOST_EVIDENCE_BOUND, h->bound);
    record_u64(r, FIELD_HOST_EVIDENCE_UNBOUND, h->unbound);
    record_u64(r, FIELD_HOST_IDENTITY_MACS, h->macs);
    record_bool(r, FIELD_HOST_IDENTITY_CONFLICT, h->conflict);
    for (size_t i = 0; i < h->n_speakers; i++) {
        record_object_begin(r, FIELD_HOST_SUBKEY);
        record_u64(r, FIELD_HOST_SUBKEY_ACCEPTED, h->speakers[i].accepted);
        record_u64(r, FIELD_HOST_SUBKEY_N, h->speakers[i].n);
        record_u64(r, FIELD_HOST_SUBKEY_BAD, h->speakers[i].bad);
        record_u64(r, FIELD_HOST_SUBKEY_SCORE, h->speakers[i].score);
        record_object_end(r);
    }
}

static inline const struct record_map *
kit_map(struct kit *k)
{
    struct span record = record_view(&k->out);

    assert_true(record_check(record));
    record_map_init(&k->map, record);
    return &k->map;
}

/* Builds it only. */
static inline const struct record_map *
kit_host_event(struct kit *k, const struct kit_host *h)
{
    struct record_head head = {kit_ns(h->at), 0, 1, EVENT_HOST};
    char id[17];
    struct addr a;

    assert_true(addr_parse(span_str(h->ip), &a));
    snprintf(id, sizeof(id), "%016llx", (unsigned long long)++k->events);
    record_begin(&k->out, &head);
    record_text(&k->out, FIELD_EVENT_ID, id);
    record_addr(&k->out, FIELD_SRC_IP, &a);
    kit_text(&k->out, FIELD_SRC_REG_STATE, h->reg);
    kit_text(&k->out, FIELD_SRC_REG_LINE_STATE, h->line);
    if (h->protected)
        record_bool(&k->out, FIELD_SRC_REG_PROTECTED, true);
    kit_text(&k->out, FIELD_SRC_HOST_SITE, h->site);
    kit_text(&k->out, FIELD_SRC_HOST_POOL, h->pool);
    kit_text(&k->out, FIELD_SRC_HOST_LEASE, h->lease);
    if (!h->no_home)
        record_bool(&k->out, FIELD_HOST_HOME, !h->away);
    record_u64(&k->out, FIELD_HOST_ORDINARY, h->ordinary);
    record_u64(&k->out, FIELD_HOST_HOUR_MESSAGES, h->volume);
    kit_stats(&k->out, h);
    record_bool(&k->out, FIELD_HOST_QUEUEING, h->queueing);
    record_bool(&k->out, FIELD_HOST_QUEUEING_OPEN, h->open);
    kit_evidence(&k->out, h);
    return kit_map(k);
}

static inline void
kit_show(struct kit *k, const struct kit_host *h)
{
    struct record_sink sink = kit_to(k);

    decide_event(k->d, kit_host_event(k, h), &sink);
}

static inline void
kit_time(struct kit *k, double at)
{
    struct record_sink sink = kit_to(k);

    decide_time(k->d, kit_ns(at), &sink);
}

/* A control event; each text may be NULL. */
static inline void
kit_said(struct kit *k, double at, const char *const words[4], double until)
{
    static const enum field fields[4] = {
        FIELD_CONTROL_KIND, FIELD_CONTROL_ACTION, FIELD_CONTROL_ACTOR,
        FIELD_CONTROL_SUBJECT};
    struct record_head head = {kit_ns(at), 0, 1, EVENT_CONTROL};
    struct record_sink sink = kit_to(k);

    record_begin(&k->out, &head);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        kit_text(&k->out, fields[i], words[i]);
    if (until > 0)
        record_time(&k->out, FIELD_CONTROL_UNTIL, kit_ns(until));
    decide_event(k->d, kit_map(k), &sink);
}

static inline void
kit_control(struct kit *k, double at, const char *kind, const char *action,
            const char *subject, double until)
{
    kit_said(k, at, (const char *const[4]){kind, action, NULL, subject}, until);
}

static inline struct span
kit_at(const struct kit *k, size_t i)
{
    size_t at = 0;
    uint64_t n;

    for (;; i--) {
        memcpy(&n, k->log.p + at, sizeof(n));
        if (i == 0)
            return span_of(k->log.p + at + sizeof(n), n);
        at += sizeof(n) + n;
    }
}

/* Since the last call, "action subject against,against; ..." */
static inline const char *
kit_told(struct kit *k)
{
    static char text[65536];
    struct buf out = {(uint8_t *)text,  0,     sizeof(text) - 1,
                      sizeof(text) - 1, false, false};

    for (; k->told < k->n; k->told++) {
        struct span r = kit_at(k, k->told);
        struct cursor c = record_entries_of(r);
        struct record_entry e;
        const char *between = " ";

        if (out.n > 0)
            buf_str(&out, "; ");
        buf_span(&out, record_find(r, FIELD_DECISION_ACTION));
        buf_str(&out, " ");
        buf_span(&out, record_find(r, FIELD_DECISION_SUBJECT));
        while (record_next(&c, &e)) {
            if (e.field != FIELD_DECISION_AGAINST)
                continue;
            buf_str(&out, between);
            buf_span(&out, e.value);
            between = ",";
        }
    }
    text[out.n] = '\0';
    return text;
}

#define kit_expect(k, want) assert_string_equal(kit_told(k), want)

/* ---- exceptions of the test's ---- */

struct exceptions {
    struct exception *all;
    size_t n;
};

size_t
exceptions_count(const struct exceptions *x)
{
    return x->n;
}

const struct exception *
exceptions_get(const struct exceptions *x, size_t i)
{
    return &x->all[i];
}

const struct exception *
exceptions_find(const struct exceptions *x, const struct prefix *p,
                enum exception_from from, struct span rule, ns_t when)
{
    const struct exception *best = NULL;

    (void)rule;
    for (size_t i = 0; i < x->n; i++) {
        const struct exception *at = &x->all[i];

        if ((at->from & from) != 0 && at->prefix.bits <= p->bits &&
            prefix_has(&at->prefix, &p->addr) && at->since <= when &&
            (at->until == 0 || when < at->until) &&
            (at->removed == 0 || when < at->removed) &&
            (best == NULL || at->prefix.bits > best->prefix.bits))
            best = at;
    }
    return best;
}
