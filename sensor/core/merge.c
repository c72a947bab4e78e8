#include "sensor/core/merge.h"

#include <stdlib.h>

struct item {
    ns_t when;
    uint64_t flow_id;
    uint64_t at; /* in bytes */
    uint32_t seq;
    uint32_t n;
};

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
    struct buf bytes;  /* of the records that wait */
    struct buf items;  /* struct item */
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

static struct item *
items_of(const struct merge *m, size_t *n)
{
    *n = m->items.n / sizeof(struct item);
    return (struct item *)(void *)m->items.p;
}

static int
by_order(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;

    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    if (x->flow_id != y->flow_id)
        return x->flow_id < y->flow_id ? -1 : 1;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return 0;
}

static bool
is_before(ns_t when, uint64_t flow_id, const struct mark *m)
{
    return when < m->when || (when == m->when && flow_id < m->flow_id);
}

static bool
is_farewell(const struct record_head *h)
{
    return h->flow_id == 0 &&
           (h->type == EVENT_STATS || h->type == EVENT_CONTROL);
}

static void
on_tick(struct mark *r, const struct record_head *h)
{
    if (h->when < r->when)
        return;
    r->when = h->when;
    r->sorted |= h->seq == TICK_SORTED;
}

/* A worker whose time goes back is wrong; it must not undo what was given. */
static void
take(struct merge *m, struct mark *r, struct span record,
     const struct record_sink *farewell)
{
    struct record_head h;
    struct item it;

    if (!record_check(record)) {
        m->refused++;
        return;
    }
    h = record_head_of(record);
    if (is_farewell(&h)) {
        farewell->put(farewell->ctx, record);
        return;
    }
    if (is_before(h.when, h.flow_id, r) && h.type != EVENT_TICK) {
        m->refused++;
        return;
    }
    if (h.type == EVENT_TICK) {
        on_tick(r, &h);
        return;
    }
    if (r->when != h.when || r->sorted)
        r->flow_id = r->sorted ? h.flow_id : 0;
    r->when = h.when;
    it = (struct item){h.when, h.flow_id, m->bytes.n, h.seq,
                       (uint32_t)record.n};
    buf_span(&m->bytes, record);
    buf_put(&m->items, &it, sizeof(it));
}

/* What all workers have reached. */
static struct mark
reached_by_all(const struct merge *m)
{
    struct mark least = {UINT64_MAX, UINT64_MAX, false};

    for (size_t w = 0; w < m->n; w++) {
        const struct mark *r = &m->reached[w];

        if (!ring_ended(&m->rings[w]) &&
            is_before(r->when, r->flow_id, &least))
            least = *r;
    }
    return least;
}

/* True when something was read. */
static bool
drain(struct merge *m, const struct record_sink *farewell)
{
    struct mark least = reached_by_all(m);
    bool any = false;

    for (size_t w = 0; w < m->n; w++) {
        struct span record;
        uint64_t before = m->bytes.n;

        while (ring_peek(&m->rings[w], &record)) {
            take(m, &m->reached[w], record, farewell);
            ring_next(&m->rings[w]);
            any = true;
            if (m->bytes.n - before > MERGE_AHEAD / 16)
                break;
            if (m->bytes.n > MERGE_AHEAD &&
                is_before(least.when, least.flow_id, &m->reached[w]))
                break;
        }
        m->corrupt |= m->rings[w].corrupt;
    }
    return any;
}

static void
keep_rest(struct merge *m, size_t from)
{
    size_t n;
    struct item *it = items_of(m, &n);
    struct buf rest;

    if (from == n) {
        m->bytes.n = 0;
        m->items.n = 0;
        return;
    }
    buf_init(&rest, m->bytes.max);
    for (size_t i = from; i < n; i++) {
        uint64_t at = rest.n;

        buf_put(&rest, m->bytes.p + it[i].at, it[i].n);
        it[i - from] = it[i];
        it[i - from].at = at;
    }
    m->items.n = (n - from) * sizeof(*it);
    buf_free(&m->bytes);
    m->bytes = rest;
}

static void
give(struct merge *m, const struct record_sink *sink)
{
    struct mark limit = reached_by_all(m);
    size_t n;
    struct item *it = items_of(m, &n);
    size_t i = 0;

    if (n == 0)
        return;
    qsort(it, n, sizeof(*it), by_order);
    for (; i < n && is_before(it[i].when, it[i].flow_id, &limit); i++)
        sink->put(sink->ctx, span_of(m->bytes.p + it[i].at, it[i].n));
    if (i > 0)
        keep_rest(m, i);
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

    if (any || ended)
        give(m, sink);
    if (ended && !drain(m, farewell))
        return false;
    if (!any && !ended)
        ring_bell_wait(m->bell, look);
    return true;
}
