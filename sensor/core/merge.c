#include "sensor/core/merge.h"

#include <stdlib.h>

struct item {
    ns_t when;
    uint64_t flow_id;
    uint64_t at; /* in bytes */
    uint32_t seq;
    uint32_t n;
};

struct merge {
    struct ring *rings;
    ns_t *reached; /* by worker: no earlier record will come */
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
is_farewell(const struct record_head *h)
{
    return h->flow_id == 0 &&
           (h->type == EVENT_STATS || h->type == EVENT_CONTROL);
}

/* A worker whose time goes back is wrong; it must not undo what was given. */
static void
take(struct merge *m, size_t w, struct span record,
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
    if (h.when < m->reached[w]) {
        m->refused++;
        return;
    }
    m->reached[w] = h.when;
    if (h.type == EVENT_TICK)
        return;
    it = (struct item){h.when, h.flow_id, m->bytes.n, h.seq,
                       (uint32_t)record.n};
    buf_span(&m->bytes, record);
    buf_put(&m->items, &it, sizeof(it));
}

/* The time that all workers have reached. */
static ns_t
reached_by_all(const struct merge *m)
{
    ns_t least = UINT64_MAX;

    for (size_t w = 0; w < m->n; w++) {
        if (!ring_ended(&m->rings[w]) && m->reached[w] < least)
            least = m->reached[w];
    }
    return least;
}

/* True when something was read. */
static bool
drain(struct merge *m, const struct record_sink *farewell)
{
    ns_t least = reached_by_all(m);
    bool any = false;

    for (size_t w = 0; w < m->n; w++) {
        struct span record;
        uint64_t before = m->bytes.n;

        while (ring_peek(&m->rings[w], &record)) {
            take(m, w, record, farewell);
            ring_next(&m->rings[w]);
            any = true;
            if (m->bytes.n - before > MERGE_AHEAD / 16)
                break;
            if (m->bytes.n > MERGE_AHEAD && m->reached[w] > least)
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
    ns_t limit = reached_by_all(m);
    size_t n;
    struct item *it = items_of(m, &n);
    size_t i = 0;

    if (n == 0)
        return;
    qsort(it, n, sizeof(*it), by_order);
    for (; i < n && (it[i].when < limit || limit == UINT64_MAX); i++)
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
