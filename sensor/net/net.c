#include "sensor/net/net.h"

#include <stdlib.h>

#include "sensor/base/hash.h"
#include "sensor/net/decode.h"
#include "sensor/net/defrag.h"
#include "sensor/net/flow.h"

#define TIME_MIN      NS_PER_US           /* 0 is "never" in many places */
#define TIME_MAX      (UINT64_C(1) << 62) /* the year 2116, room for deadlines */
#define SHARD_SHIFT   58                  /* FLOW_SHARDS is 64 */
#define DATAGRAMS_MAX 4 /* fragmented tunnels inside each other */

const struct net_limits net_limits_default = {
#define X(name, value, unit, why) .name = (value),
#include "sensor/net/net_limits.def"
#undef X
};

struct net {
    struct flow_env env;
    struct net_stats stats;
    struct defrag *defrag;
    void (*on_tick)(void *ctx, ns_t tick);
    void *tick_ctx;
    bool (*is_mine)(void *ctx, const struct decoded *d);
    void *mine_ctx;
    const struct datagram_ops *datagram_ops;
    void *datagram_ctx;
    uint16_t datagram_port;
    ns_t now;       /* stream time; 0: no packet yet */
    ns_t tick_next; /* the time of the next tick */
    uint64_t tie_bytes;
    unsigned worker;
    unsigned n_workers;
    uint64_t mine;                   /* a bit for each shard that is ours */
    struct shard shard[FLOW_SHARDS]; /* those not ours stay empty */
};

/* ---- time ---- */

static uint64_t
earliest(const struct net *n)
{
    uint64_t tick = TIMER_NEVER;

    for (unsigned i = n->worker; i < FLOW_SHARDS; i += n->n_workers) {
        uint64_t t = timer_next(&n->shard[i].timer);

        tick = t < tick ? t : tick;
    }
    return tick;
}

static void
run_tick(struct net *n, uint64_t tick)
{
    n->env.now = tick * TIMER_TICK_NS;
    for (unsigned i = n->worker; i < FLOW_SHARDS; i += n->n_workers) {
        struct shard *s = &n->shard[i];

        while (timer_next(&s->timer) <= tick)
            flow_life_timer(&n->env, s,
                            shard_at(s, timer_next_slot(&s->timer)));
    }
}

/* Runs the timers up to now, in the order of their ticks. Out of line, as one
 * packet in thousands comes here. */
static __attribute__((noinline)) void
run_ticks(struct net *n)
{
    uint64_t last = n->now / TIMER_TICK_NS;
    uint64_t tick;

    while ((tick = earliest(n)) <= last)
        run_tick(n, tick);
    n->tick_next = (last + 1) * TIMER_TICK_NS;
    if (n->on_tick != NULL)
        n->on_tick(n->tick_ctx, last * TIMER_TICK_NS);
}

static ns_t
clock_to(struct net *n, ns_t when, uint64_t bytes)
{
    ns_t t = when < TIME_MAX ? when - when % NS_PER_US : TIME_MAX;
    ns_t step = n->env.limits.step_back_ms * NS_PER_MS;

    t = t > TIME_MIN ? t : TIME_MIN;
    if (n->now == 0)
        n->tick_next = (t / TIMER_TICK_NS + 1) * TIMER_TICK_NS;
    if (t > n->now) {
        n->now = t;
        n->tie_bytes = 0;
    } else if (t + step < n->now) {
        n->stats.time_backward++;
    }
    n->tie_bytes += bytes;
    if (n->tie_bytes > n->env.limits.tie_bytes) {
        n->now += NS_PER_US;
        n->tie_bytes = bytes;
        n->stats.time_ties++;
    }
    if (n->now >= n->tick_next)
        run_ticks(n);
    n->env.now = n->now;
    n->env.seen = t;
    return n->now;
}

ns_t
net_time(struct net *n, ns_t when)
{
    return clock_to(n, when, 0);
}

/* ---- packets ---- */

static bool
is_mine(const struct net *n, unsigned shard, const struct decoded *d)
{
    return (n->mine >> shard & 1) != 0 &&
           (n->is_mine == NULL || n->is_mine(n->mine_ctx, d));
}

static void
segment(struct net *n, const struct decoded *d, uint16_t iface)
{
    uint64_t h = flow_key_hash(&n->env.key, d);
    unsigned shard = (unsigned)(h >> SHARD_SHIFT);

    n->stats.segments++;
    if (is_mine(n, shard, d))
        flow_segment(&n->env, &n->shard[shard], d, iface, (uint32_t)h);
}

ns_t
net_segment(struct net *n, const struct decoded *d, uint16_t iface,
            uint32_t caplen, ns_t when)
{
    n->stats.packets++;
    n->stats.bytes += caplen;
    (void)clock_to(n, when, caplen);
    segment(n, d, iface);
    return n->now;
}

static void
datagram(struct net *n, struct decoded *d, uint16_t iface)
{
    unsigned shard = (unsigned)(flow_key_hash(&n->env.key, d) >> SHARD_SHIFT);
    struct flow f;

    n->stats.datagrams++;
    if (!is_mine(n, shard, d) ||
        !n->datagram_ops->wants(n->datagram_ctx, d->payload))
        return;
    f = (struct flow){.start = n->now, .shard = (uint8_t)shard, .iface = iface};
    d->seq = (uint32_t)hash_span(d->payload, 0);
    flow_key_fill(&f, d, DIR_S2C);
    n->datagram_ops->data(n->datagram_ctx, &f, d->payload,
                          d->payload.n == d->payload_len, n->now);
}

/* What is no TCP. */
static void
other(struct net *n, struct decoded *d, uint16_t iface)
{
    n->stats.other++;
    if (d->kind == PACKET_UDP && n->datagram_port != 0 &&
        d->sport == n->datagram_port)
        datagram(n, d, iface);
}

/* Puts fragments together until a whole packet is there; false when one is
 * missing still. */
static bool
whole(struct net *n, struct decoded *d)
{
    for (unsigned i = 0; d->kind == PACKET_FRAGMENT; i++) {
        struct span datagram = SPAN_NONE;

        n->stats.fragments++;
        switch (i < DATAGRAMS_MAX ? defrag_put(n->defrag, d, n->now, &datagram)
                                  : DEFRAG_BAD) {
        case DEFRAG_WAIT: return false;
        case DEFRAG_BAD: n->stats.fragments_bad++; return false;
        case DEFRAG_DONE: break;
        }
        n->stats.defragmented++;
        decode_ip(datagram, d);
    }
    return true;
}

ns_t
net_packet(struct net *n, const struct packet *p)
{
    struct decoded d;

    n->stats.packets++;
    n->stats.bytes += p->data.n;
    n->stats.cut += p->data.n < p->wire_len;
    (void)clock_to(n, p->when, p->data.n);
    decode_packet(p, &d);
    if (UNLIKELY(d.kind == PACKET_FRAGMENT) && !whole(n, &d))
        return n->now;
    if (LIKELY(d.kind == PACKET_TCP))
        segment(n, &d, p->iface);
    else if (d.kind == PACKET_BAD)
        n->stats.malformed++;
    else
        other(n, &d, p->iface);
    return n->now;
}

/* ---- life ---- */

static void
set_env(struct net *n, const struct net_options *o)
{
    struct flow_env *e = &n->env;

    e->limits = o->limits != NULL ? *o->limits : net_limits_default;
    e->ops = o->ops;
    e->ops_ctx = o->ops_ctx;
    e->stats = &n->stats;
    e->seed = o->seed;
    flow_key_seed(&e->key, o->seed);
    for (size_t i = 0; i < o->n_ports; i++)
        e->ports[o->ports[i] / 8] |= (uint8_t)(1U << (o->ports[i] % 8));
}

enum err
net_new(const struct net_options *o, struct net **out)
{
    struct net *n;

    REQUIRE(o->n_workers >= 1 && o->n_workers <= FLOW_SHARDS &&
            o->worker < o->n_workers);
    n = calloc(1, sizeof(*n));
    if (n == NULL)
        return ERR_NOMEM;
    n->worker = o->worker;
    n->n_workers = o->n_workers;
    for (unsigned i = o->worker; i < FLOW_SHARDS; i += o->n_workers)
        n->mine |= UINT64_C(1) << i;
    n->on_tick = o->on_tick;
    n->tick_ctx = o->tick_ctx;
    n->is_mine = o->is_mine;
    n->mine_ctx = o->mine_ctx;
    n->datagram_ops = o->datagram_ops;
    n->datagram_ctx = o->datagram_ctx;
    n->datagram_port = o->datagram_ops != NULL ? o->datagram_port : 0;
    set_env(n, o);
    for (unsigned i = 0; i < FLOW_SHARDS; i++) {
        shard_init(&n->shard[i], (uint8_t)i, o->memory_max / FLOW_SHARDS,
                   o->flows_max / FLOW_SHARDS + 1);
        n->shard[i].mem.deny = o->deny;
        n->shard[i].mem.deny_ctx = o->deny_ctx;
    }
    n->defrag =
        defrag_new(n->env.limits.defrag_bytes, n->env.limits.defrag_datagrams);
    if (n->defrag == NULL) {
        free(n);
        return ERR_NOMEM;
    }
    *out = n;
    return ERR_OK;
}

static void
each_conn(struct net *n, struct shard *s,
          void (*fn)(struct flow_env *e, struct shard *s, struct conn *c))
{
    for (uint32_t i = 0; i < shard_slots(s); i++) {
        struct conn *c = shard_at(s, i);

        if (c->state != CONN_FREE)
            fn(&n->env, s, c);
    }
}

ns_t
net_now(const struct net *n)
{
    return n->now;
}

/* A flow to end is named by its shard and slot: 4 bytes, for there may be a
 * million of them. */
_Static_assert(TIMER_SLOT_BITS == 26 && FLOW_SHARDS == 64,
               "a shard and a slot fit into 32 bits");

static struct conn *
ending_conn(const struct net *n, uint32_t ending)
{
    return shard_at(&n->shard[ending >> TIMER_SLOT_BITS],
                    ending & ((UINT32_C(1) << TIMER_SLOT_BITS) - 1));
}

static int
by_id(const void *a, const void *b, void *ctx)
{
    uint32_t x;
    uint32_t y;
    uint64_t id_x;
    uint64_t id_y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    id_x = ending_conn(ctx, x)->flow.id;
    id_y = ending_conn(ctx, y)->flow.id;
    if (id_x != id_y)
        return id_x < id_y ? -1 : 1;
    return x < y ? -1 : x > y;
}

static size_t
list_endings(struct net *n, uint32_t *list)
{
    size_t k = 0;

    for (unsigned i = n->worker; i < FLOW_SHARDS; i += n->n_workers) {
        struct shard *s = &n->shard[i];

        for (uint32_t slot = 0; slot < shard_slots(s); slot++) {
            if (shard_at(s, slot)->state == CONN_FREE)
                continue;
            if (list != NULL)
                list[k] = (i << TIMER_SLOT_BITS) | slot;
            k++;
        }
    }
    return k;
}

bool
net_finish(struct net *n, void (*sorted)(void *ctx), void *ctx)
{
    size_t k = list_endings(n, NULL);
    uint32_t *list = calloc(k > 0 ? k : 1, sizeof(*list));

    n->env.ending = true;
    if (list == NULL) {
        for (unsigned i = n->worker; i < FLOW_SHARDS; i += n->n_workers)
            each_conn(n, &n->shard[i], flow_life_finish);
        return false;
    }
    (void)list_endings(n, list);
    qsort_r(list, k, sizeof(*list), by_id, n);
    if (sorted != NULL)
        sorted(ctx);
    for (size_t i = 0; i < k; i++)
        flow_life_finish(&n->env, &n->shard[list[i] >> TIMER_SLOT_BITS],
                         ending_conn(n, list[i]));
    free(list);
    return true;
}

const struct net_stats *
net_stats(struct net *n)
{
    const struct defrag_counts *fragments = defrag_counts(n->defrag);

    n->stats.fragments_differ = fragments->overlaps_differ;
    n->stats.datagrams_late = fragments->timeouts;
    n->stats.datagrams_evicted = fragments->evicted;
    n->stats.flows_open = 0;
    n->stats.memory_bytes = 0;
    for (unsigned i = 0; i < FLOW_SHARDS; i++) {
        n->stats.flows_open += n->shard[i].n;
        n->stats.memory_bytes += n->shard[i].mem.used;
    }
    return &n->stats;
}

void
net_free(struct net *n)
{
    if (n == NULL)
        return;
    for (unsigned i = 0; i < FLOW_SHARDS; i++) {
        each_conn(n, &n->shard[i], flow_life_forget);
        shard_fini(&n->shard[i]);
    }
    defrag_free(n->defrag);
    free(n);
}
