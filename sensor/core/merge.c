#include "sensor/core/merge.h"

#include "sensor/event/carve.h"

#include <stdlib.h>

#define TURN        (256U << 10) /* bytes taken of one worker at a time */
#define HOLES_MIN   (1U << 20)
#define FLOW_ID_END (UINT64_C(1) << 51)

struct item {
    ns_t when;
    uint64_t flow_id;
    uint64_t at; /* in bytes */
    uint32_t seq;
    uint32_t n : 20;
    uint32_t piece : 12; /* of CARVE records; their event is the last */
};

_Static_assert(RECORD_MAX < 1U << 20 && CARVE_ORDER_LAST < 1U << 12,
               "item has room");

/* No record of the worker will come before this. */
struct mark {
    ns_t when;
    uint64_t flow_id; /* stays 0 until the worker's records come sorted */
    bool sorted;
};

struct merge {
    struct ring *rings;
    struct mark *reached; /* by worker */
    size_t n;
    struct ring_bell *bell;
    struct buf bytes; /* of the records that wait, and of some given ones */
    struct buf items; /* struct item, a heap with the first one on top */
    uint64_t waiting; /* bytes of the records that wait */
    uint64_t most;    /* of these, and of items */
    uint64_t refused;
    bool corrupt;
};

enum err
merge_new(struct ring *rings, size_t n, struct ring_bell *bell,
          struct merge **out)
{
    struct merge *m = calloc(1, sizeof(*m));

    if (m == NULL)
        return ERR_NOMEM;
    m->reached = calloc(n, sizeof(*m->reached));
    if (m->reached == NULL) {
        free(m);
        return ERR_NOMEM;
    }
    m->rings = rings;
    m->n = n;
    m->bell = bell;
    m->most = MERGE_WAITING;
    buf_init(&m->bytes, SIZE_MAX / 2);
    buf_init(&m->items, SIZE_MAX / 2);
    *out = m;
    return ERR_OK;
}

void
merge_free(struct merge *m)
{
    if (m == NULL)
        return;
    buf_free(&m->bytes);
    buf_free(&m->items);
    free(m->reached);
    free(m);
}

void
merge_bound(struct merge *m, uint64_t bytes)
{
    m->most = bytes;
}

uint64_t
merge_refused(const struct merge *m)
{
    return m->refused;
}

bool
merge_corrupt(const struct merge *m)
{
    return m->corrupt;
}

/* ---- the heap ---- */

static size_t
n_items(const struct merge *m)
{
    return m->items.n / sizeof(struct item);
}

static struct item *
items_of(const struct merge *m)
{
    return (struct item *)(void *)m->items.p;
}

/* Two records that claim one place are ordered by their bytes, so that even
 * then it does not matter which came first. */
static bool
is_less(const struct merge *m, const struct item *x, const struct item *y)
{
    if (x->when != y->when)
        return x->when < y->when;
    if (x->flow_id != y->flow_id)
        return x->flow_id < y->flow_id;
    if (x->seq != y->seq)
        return x->seq < y->seq;
    if (x->piece != y->piece)
        return x->piece < y->piece;
    if (x->n != y->n)
        return x->n < y->n;
    return memcmp(m->bytes.p + x->at, m->bytes.p + y->at, x->n) < 0;
}

static bool
push(struct merge *m, const struct item *new)
{
    size_t at = n_items(m);
    struct item *it;

    if (!buf_grow(&m->items, sizeof(*it)))
        return false;
    m->items.n += sizeof(*it);
    it = items_of(m);
    for (; at > 0 && is_less(m, new, &it[(at - 1) / 2]); at = (at - 1) / 2)
        it[at] = it[(at - 1) / 2];
    it[at] = *new;
    m->waiting += new->n;
    return true;
}

static void
pop(struct merge *m)
{
    struct item *it = items_of(m);
    size_t n = n_items(m) - 1;
    struct item last = it[n];
    size_t at = 0;

    m->waiting -= it[0].n;
    m->items.n -= sizeof(*it);
    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < n && is_less(m, &it[child + 1], &it[child]))
            child++;
        if (child >= n || !is_less(m, &it[child], &last))
            break;
        it[at] = it[child];
        at = child;
    }
    if (n > 0)
        it[at] = last;
}

/* ---- in ---- */

static bool
is_before(ns_t when, uint64_t flow_id, const struct mark *m)
{
    return when < m->when || (when == m->when && flow_id < m->flow_id);
}

static void
on_tick(struct mark *r, const struct record_head *h)
{
    const ns_t was = r->when;

    if (h->when < r->when)
        return;
    if (h->when > r->when)
        r->flow_id = 0;
    r->when = h->when;
    /* A live worker that follows one that ended begins anew. */
    r->sorted = h->seq == TICK_SORTED || (r->sorted && h->when == was);
}

/* A record says nothing that is the core's to say, and only a carving one has
 * bytes of mail. Entries are in order: fields of the core stand near the head,
 * those of carving at the end. */
static bool
is_workers_own(struct span record, enum event_type type, enum field last)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    while (record_next(&c, &e) && e.field < FIELD_QUALITY_LOSS) {
        if (e.field == FIELD_EVENT_ID || e.field == FIELD_SCHEMA_VERSION ||
            e.field == FIELD_SENSOR || e.field >= FIELD_DIRECTION)
            return false;
    }
    return last < FIELD_CARVE_KIND || type == EVENT_CARVE;
}

/* A worker whose time goes back is wrong; it must not undo what was given. */
static bool
keep(struct merge *m, struct mark *r, const struct record_head *h, uint64_t at)
{
    bool carves = h->type == EVENT_CARVE;
    struct item it = {
        .when = h->when,
        .flow_id = h->flow_id,
        .at = at,
        .seq = h->seq,
        .n = (uint32_t)(m->bytes.n - at) & 0xfffffU,
        .piece = (carves ? carve_order(span_tail(buf_view(&m->bytes), at))
                         : CARVE_ORDER_LAST) &
                 0xfffU,
    };

    if (is_before(h->when, h->flow_id, r) ||
        m->waiting + m->items.n + it.n + sizeof(it) > m->most || !push(m, &it))
        return false;
    if (r->when != h->when || r->sorted)
        r->flow_id = r->sorted ? h->flow_id : 0;
    r->when = h->when;
    return true;
}

/* False when the record is refused. It stays in bytes only when it waits. */
static bool
judge(struct merge *m, struct mark *r, uint64_t at,
      const struct record_sink *farewell)
{
    struct span record = span_tail(buf_view(&m->bytes), at);
    struct record_head h;
    enum field last;

    if (!record_check_last(record, &last))
        return false;
    h = record_head_of(record);
    if (h.flow_id >= FLOW_ID_END || !is_workers_own(record, h.type, last))
        return false;
    switch (h.type) {
    case EVENT_SMTP:
    case EVENT_SMTP_SESSION:
    case EVENT_TLS:
    case EVENT_FILEINFO:
    case EVENT_CARVE:
    case EVENT_ANOMALY:
    case EVENT_DNS:
    case EVENT_ATTEMPT: return keep(m, r, &h, at);
    case EVENT_TICK: on_tick(r, &h); break;
    case EVENT_STATS:
    case EVENT_CONTROL:
        if (h.flow_id != 0)
            return false;
        farewell->put(farewell->ctx, record);
        break;
    case EVENT_HOST:
    case EVENT_ALERT:
    case EVENT_DECISION:
    case EVENT_NONE:
    case EVENT_TYPE_COUNT: return false;
    }
    m->bytes.n = at;
    return true;
}

/* A worker that was taken over may change the ring's bytes at any time: so they
 * are copied, and the copy is judged. */
static void
take(struct merge *m, struct mark *r, struct span record,
     const struct record_sink *farewell)
{
    size_t at = m->bytes.n;

    buf_span(&m->bytes, record);
    if (m->bytes.n != at + record.n || !judge(m, r, at, farewell)) {
        m->bytes.n = at;
        m->refused++;
    }
}

/* What all workers have reached. */
static struct mark
reached_by_all(const struct merge *m)
{
    struct mark least = {UINT64_MAX, UINT64_MAX, false};

    for (size_t w = 0; w < m->n; w++) {
        const struct mark *r = &m->reached[w];

        if (!ring_ended(&m->rings[w]) && is_before(r->when, r->flow_id, &least))
            least = *r;
    }
    return least;
}

/* Who is ahead of the others waits while much is waiting. */
static bool
may_read(const struct merge *m, size_t w, const struct mark *least)
{
    return m->waiting <= MERGE_AHEAD ||
           !is_before(least->when, least->flow_id, &m->reached[w]);
}

/* True when something was read, or a ring was found damaged: others may be read
 * then that waited for it, and nobody rings for that. */
static bool
drain(struct merge *m, const struct record_sink *farewell)
{
    struct mark least = reached_by_all(m);
    bool any = false;

    for (size_t w = 0; w < m->n; w++) {
        struct span record;
        uint64_t before = m->waiting;
        bool was_corrupt = m->rings[w].corrupt;

        while (m->waiting - before <= TURN && may_read(m, w, &least) &&
               ring_peek(&m->rings[w], &record)) {
            take(m, &m->reached[w], record, farewell);
            ring_next(&m->rings[w]);
            any = true;
        }
        any |= m->rings[w].corrupt && !was_corrupt;
        m->corrupt |= m->rings[w].corrupt;
    }
    return any;
}

/* ---- out ---- */

/* Given records leave holes in bytes; when most of it is holes, the rest moves
 * together. */
static void
close_holes(struct merge *m)
{
    struct item *it = items_of(m);
    struct buf rest;

    if (m->waiting == 0) {
        m->bytes.n = 0;
        return;
    }
    if (m->bytes.n < HOLES_MIN || m->bytes.n / 2 < m->waiting)
        return;
    buf_init(&rest, m->bytes.max);
    if (!buf_grow(&rest, m->waiting))
        return;
    for (size_t i = 0; i < n_items(m); i++) {
        uint64_t at = rest.n;

        buf_put(&rest, m->bytes.p + it[i].at, it[i].n);
        it[i].at = at;
    }
    buf_free(&m->bytes);
    m->bytes = rest;
}

static void
give(struct merge *m, const struct record_sink *sink)
{
    struct mark limit = reached_by_all(m);

    while (n_items(m) > 0) {
        struct item it = items_of(m)[0];

        if (!is_before(it.when, it.flow_id, &limit))
            break;
        sink->put(sink->ctx, span_of(m->bytes.p + it.at, it.n));
        pop(m);
    }
    close_holes(m);
}

static bool
all_ended(const struct merge *m)
{
    for (size_t w = 0; w < m->n; w++) {
        if (!ring_ended(&m->rings[w]))
            return false;
    }
    return true;
}

bool
merge_step(struct merge *m, const struct record_sink *sink,
           const struct record_sink *farewell)
{
    uint32_t look = ring_bell_look(m->bell);
    bool any = drain(m, farewell);
    bool ended = all_ended(m);

    give(m, sink);
    if (ended && !drain(m, farewell))
        return false;
    if (!any && !ended)
        ring_bell_wait(m->bell, look);
    return true;
}
