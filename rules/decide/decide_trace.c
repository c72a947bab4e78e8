#include "rules/decide/decide_trace.h"

#include "sensor/base/hash.h"

#include <stdlib.h>

#define ALL ((size_t)TRACE_SETS * TRACE_WAYS)

void
decide_traces_fini(struct traces *t)
{
    for (size_t i = 0; i < TRACE_SETS; i++) {
        free(t->sets[i]);
        t->sets[i] = NULL;
    }
}

static uint64_t
key_of(const struct traces *t, const struct prefix *subject)
{
    const uint64_t key = hash_span(span_of(subject->addr.b, 16), t->seed);

    return key != 0 ? key : 1;
}

static struct trace *
set_of(struct traces *t, uint64_t i)
{
    struct trace **set = &t->sets[i & (TRACE_SETS - 1)];

    if (*set == NULL)
        *set = calloc(TRACE_WAYS, sizeof(**set));
    return *set;
}

static struct trace *
find(const struct traces *t, uint64_t key)
{
    struct trace *set = t->sets[key & (TRACE_SETS - 1)];

    for (size_t i = 0; set != NULL && i < TRACE_WAYS; i++) {
        if (set[i].subject == key)
            return &set[i];
    }
    return NULL;
}

const struct trace *
decide_traces_find(const struct traces *t, const struct prefix *subject)
{
    return find(t, key_of(t, subject));
}

/* NULL: no memory. */
static struct trace *
get(struct traces *t, const struct prefix *subject, ns_t now)
{
    const uint64_t key = key_of(t, subject);
    struct trace *set = set_of(t, key);
    struct trace *at;

    if (set == NULL)
        return NULL;
    at = find(t, key);
    if (at == NULL) {
        at = set;
        for (size_t i = 1; i < TRACE_WAYS; i++) {
            if (set[i].when < at->when)
                at = &set[i];
        }
        *at = (struct trace){.subject = key};
    }
    at->when = now;
    return at;
}

void
decide_traces_mail(struct traces *t, const struct record_map *event)
{
    const struct span id = record_map_find(event, FIELD_EVENT_ID);
    struct trace_mail mail = {.when = record_head_of(event->record).when};
    struct prefix subject;
    struct trace *at;
    struct addr host;

    if (!record_map_is(event, FIELD_DIRECTION, "outbound") ||
        record_map_is(event, FIELD_SMTP_OUTCOME, "accepted") || id.n == 0 ||
        id.n >= sizeof(mail.id) ||
        !record_map_addr(event, FIELD_SRC_IP, &host) ||
        !decide_sha256(event->record, mail.hash))
        return;
    memcpy(mail.id, id.p, id.n);
    subject = decide_subject_of(&host);
    at = get(t, &subject, mail.when);
    if (at != NULL)
        at->mail[at->mails++ % TRACE_MAILS] = mail;
}

void
decide_traces_host(struct traces *t, const struct record_map *event,
                   const struct prefix *subject)
{
    static const enum field fields[TRACE_SCORES] = {
        FIELD_HOST_S1_SCORE, FIELD_HOST_S1T_SCORE, FIELD_HOST_S2_SCORE,
        FIELD_HOST_S3_SCORE};
    struct trace_point p = {.when = record_head_of(event->record).when};
    uint64_t any = 0;
    struct trace *at;

    for (size_t i = 0; i < TRACE_SCORES; i++) {
        p.score[i] = record_map_u64(event, fields[i], 0);
        any |= p.score[i];
    }
    if (any == 0)
        return;
    at = get(t, subject, p.when);
    if (at != NULL)
        at->point[at->points++ % TRACE_POINTS] = p;
}

/* ---- snapshots: number of the place from 1, all of it; 0 ends ---- */

static void
put(struct buf *b, uint64_t v)
{
    buf_put(b, &v, sizeof(v));
}

static void
put_one(struct buf *b, const struct trace *t)
{
    put(b, t->subject);
    put(b, t->when);
    put(b, t->mails);
    put(b, t->points);
    for (size_t i = 0; i < TRACE_MAILS; i++) {
        put(b, t->mail[i].when);
        buf_put(b, t->mail[i].id, sizeof(t->mail[i].id));
        buf_put(b, t->mail[i].hash, sizeof(t->mail[i].hash));
    }
    for (size_t i = 0; i < TRACE_POINTS; i++) {
        put(b, t->point[i].when);
        for (size_t j = 0; j < TRACE_SCORES; j++)
            put(b, t->point[i].score[j]);
    }
}

void
decide_traces_save(const struct traces *t, struct buf *out)
{
    for (size_t i = 0; i < ALL; i++) {
        const struct trace *set = t->sets[i / TRACE_WAYS];

        if (set == NULL || set[i % TRACE_WAYS].subject == 0)
            continue;
        put(out, i + 1);
        put_one(out, &set[i % TRACE_WAYS]);
    }
    put(out, 0);
}

static void
get_bytes(struct cursor *c, void *out, size_t n)
{
    const struct span s = cur_take(c, n);

    if (s.n == n)
        memcpy(out, s.p, n);
}

static void
get_one(struct cursor *c, struct trace *t)
{
    t->subject = cur_le64(c);
    t->when = cur_le64(c);
    t->mails = cur_le64(c);
    t->points = cur_le64(c);
    for (size_t i = 0; i < TRACE_MAILS; i++) {
        t->mail[i].when = cur_le64(c);
        get_bytes(c, t->mail[i].id, sizeof(t->mail[i].id));
        c->bad |= t->mail[i].id[TABLE_ID - 1] != '\0';
        get_bytes(c, t->mail[i].hash, sizeof(t->mail[i].hash));
    }
    for (size_t i = 0; i < TRACE_POINTS; i++) {
        t->point[i].when = cur_le64(c);
        for (size_t j = 0; j < TRACE_SCORES; j++)
            t->point[i].score[j] = cur_le64(c);
    }
}

enum err
decide_traces_load(struct traces *t, struct cursor *c)
{
    struct trace *set;
    uint64_t i;

    while ((i = cur_le64(c)) != 0 && !c->bad) {
        if (i > ALL)
            return ERR_CORRUPT;
        set = set_of(t, (i - 1) / TRACE_WAYS);
        if (set == NULL)
            return ERR_NOMEM;
        get_one(c, &set[(i - 1) % TRACE_WAYS]);
    }
    return c->bad ? ERR_CORRUPT : ERR_OK;
}
