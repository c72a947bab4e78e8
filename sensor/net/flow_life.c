#include "sensor/net/flow_life.h"

#include "sensor/net/flow_probe.h"

#define OPEN_EVICTS       16 /* sessions that may end for a new one */
#define PROBE_EARLY_SHARE 16 /* of early_bytes, while nothing is known yet */

static ns_t
ms(uint64_t n)
{
    return n * NS_PER_MS;
}

/* ---- what reasm tells ---- */

static void
free_probe(struct flow_env *e, struct shard *s, const struct flow *f,
           struct probe *p)
{
    if (p->second != NULL)
        e->ops->second_end(e->ops_ctx, f, &p->second);
    net_mem_put(&s->mem, p, sizeof(*p));
}

static void
ignore(struct flow_step *st)
{
    struct conn *c = st->c;

    if (c->state == CONN_PROBE)
        free_probe(st->e, st->s, &c->flow, c->probe);
    c->session = NULL;
    c->state = CONN_IGNORED;
    st->e->stats->ignored++;
}

/* Both FINs reached. */
static bool
is_done(const struct conn *c)
{
    return reasm_done(&c->r[DIR_C2S]) && reasm_done(&c->r[DIR_S2C]);
}

/* A session ends, whose memory another needs; never that of the segment or the
 * timer at hand, which has none yet. False: there is none. */
static bool
evict_idle(struct flow_env *e, struct shard *s)
{
    struct conn *c =
        e->ending ? NULL
                  : shard_idle(s, (uint32_t)e->limits.evict_sample, e->now);

    if (c == NULL)
        return false;
    e->stats->evicted += !is_done(c);
    flow_life_drop(e, s, c, END_EVICTED);
    return true;
}

static void
open_session(struct flow_step *st)
{
    struct conn *c = st->c;

    c->state = CONN_OPEN;
    c->session = st->e->ops->open(st->e->ops_ctx, &c->flow, st->e->now);
    for (unsigned i = 0;
         c->session == NULL && i < OPEN_EVICTS && evict_idle(st->e, st->s); i++)
        c->session = st->e->ops->open(st->e->ops_ctx, &c->flow, st->e->now);
    if (c->session != NULL) {
        st->e->stats->sessions++;
        return;
    }
    st->e->stats->no_memory++;
    ignore(st);
}

void
flow_life_start(struct flow_step *st)
{
    struct conn *c = st->c;

    if ((c->facts & CONN_MAIL) != 0) {
        open_session(st);
        return;
    }
    c->probe = net_mem_get(&st->s->mem, sizeof(*c->probe));
    if (c->probe == NULL) {
        st->e->stats->no_memory++;
        ignore(st);
        return;
    }
    memset(c->probe, 0, sizeof(*c->probe));
    c->state = CONN_PROBE;
}

static void
give_chunk(struct flow_step *st, const struct chunk *k)
{
    if (st->c->state == CONN_OPEN && k->data.n > 0)
        st->e->ops->data(st->c->session, k);
}

/* The protocol was recognised; s is what the probe had no room for. */
static void
probe_won(struct flow_step *st, const size_t skip[2])
{
    struct probe *p = st->c->probe;

    for (unsigned d = 0; d < 2; d++)
        st->c->flow.half[d].skipped = (uint16_t)skip[d];
    open_session(st);
    if (st->c->state == CONN_OPEN)
        flow_probe_replay(p, skip, st->e->now, st->e->ops->data,
                          st->c->session);
    free_probe(st->e, st->s, &st->c->flow, p);
}

/* Either may find it. */
static int
opinion(struct flow_step *st, size_t skip[2])
{
    const struct stream_ops *ops = st->e->ops;
    struct flow *f = &st->c->flow;
    struct probe *p = st->c->probe;
    const struct span c2s = flow_probe_view(p, DIR_C2S);
    const struct span s2c = flow_probe_view(p, DIR_S2C);
    const int v = ops->probe(c2s, s2c, skip);
    int w = -1;

    f->found_by = FLOW_FOUND_PROBE;
    if (v > 0 || ops->second == NULL)
        return v;
    if (!p->second_over)
        w = ops->second(st->e->ops_ctx, f, &p->second, c2s, s2c);
    p->second_over = w < 0;
    if (w <= 0)
        return v < w ? w : v;
    f->found_by = (uint8_t)w;
    skip[DIR_C2S] = skip[DIR_S2C] = 0;
    return 1;
}

static void
probe_data(struct flow_step *st, const struct chunk *k)
{
    struct probe *p = st->c->probe;
    size_t max = st->e->limits.probe_bytes;
    size_t kept = flow_probe_add(p, k, max);
    struct chunk rest = *k;
    size_t skip[2] = {0, 0};
    int v = opinion(st, skip);

    if (v > 0) {
        probe_won(st, skip);
        rest.data = span_tail(k->data, kept);
        rest.offset += kept;
        give_chunk(st, &rest);
    } else if (v < 0 || kept < k->data.n || p->n[st->d] >= max) {
        ignore(st);
    }
}

static void
sink_data(void *ctx, struct span s, uint64_t off, uint64_t acked, ns_t seen)
{
    struct flow_step *st = ctx;
    struct chunk k = {s, st->d, st->e->now, off, acked, seen};

    flow_life_half(st)->bytes += s.n;
    st->e->stats->bytes_seen += s.n;
    if (st->c->state == CONN_PROBE)
        probe_data(st, &k);
    else
        give_chunk(st, &k);
}

static void
sink_gap(void *ctx, uint64_t lost)
{
    struct flow_step *st = ctx;
    struct conn *c = st->c;

    if (c->state == CONN_NEW) /* its first payload was lost */
        flow_life_start(st);
    flow_life_half(st)->lost += lost;
    flow_life_half(st)->gaps++;
    st->e->stats->lost += lost;
    st->e->stats->gaps++;
    if (c->state == CONN_OPEN)
        st->e->ops->gap(c->session, st->d, lost, st->e->now);
    else if (c->state == CONN_PROBE)
        ignore(st);
}

static void
sink_odd(void *ctx, unsigned kind, uint64_t off, struct span other)
{
    struct flow_step *st = ctx;

    flow_life_odd(st, kind, off, other);
}

static const struct reasm_ops sink = {sink_data, sink_gap, sink_odd};

struct reasm_env
flow_life_env(struct flow_step *st)
{
    return (struct reasm_env){
        .ops = &sink,
        .ctx = st,
        .mem = &st->s->mem,
        .pool = &st->s->pool,
        .now = st->e->now,
        .acked =
            flow_life_is_seen(st->c, st->d) ? flow_life_half(st)->acked : 0,
        .seed = st->e->seed,
        .blind = !flow_life_is_seen(st->c, dir_other(st->d)),
    };
}

void
flow_life_odd(struct flow_step *st, unsigned kind, uint64_t off,
              struct span other)
{
    if (kind == ANOM_OVERLAP_DIFFERS) {
        flow_life_half(st)->overlaps_differ++;
        st->e->stats->overlaps_differ++;
    }
    if (st->c->state == CONN_OPEN)
        st->e->ops->odd(st->c->session, kind, st->d, off, other, st->e->now);
}

/* ---- deadlines ---- */

/* The last bytes may come with the last FIN, or be shown behind it: that they
 * were acknowledged must not depend on the order of packets
 * (tests/scenarios/last-ack-after-both-fins.smtp). */
static bool
awaits_ack(const struct conn *c)
{
    return c->state == CONN_OPEN && c->rst_from == 0 &&
           (c->flow.half[DIR_C2S].acked < c->r[DIR_C2S].next ||
            c->flow.half[DIR_S2C].acked < c->r[DIR_S2C].next);
}

static ns_t
end_deadline(const struct flow_env *e, const struct conn *c)
{
    const struct net_limits *l = &e->limits;

    if (c->state == CONN_CLOSED)
        return c->last + ms(l->linger_ms);
    if (c->rst_from != 0)
        return c->last + ms(l->rst_linger_ms);
    if ((c->facts & CONN_ENDING) != 0)
        return c->last + ms(l->linger_ms);
    if (is_done(c))
        return c->last + ms(l->last_ack_ms);
    if (c->state == CONN_NEW && !c->flow.handshake &&
        (c->facts & CONN_ACK) == 0)
        return c->last + ms(l->handshake_ms);
    return c->last + ms(l->idle_ms);
}

/* In a capture of one side that side's FIN is the end of what can be seen. */
static bool
is_half_done(const struct conn *c)
{
    for (unsigned d = 0; d < 2; d++) {
        if (reasm_done(&c->r[d]) &&
            !flow_life_is_seen(c, dir_other((enum dir)d)))
            return true;
    }
    return false;
}

/* How far the first hole may be given up at e->now; next: not at all. */
static uint64_t
hole_limit(const struct flow_env *e, const struct conn *c, enum dir d)
{
    const struct reasm *r = &c->r[d];
    ns_t since = r->work->noticed;

    if (e->now >= since + ms(e->limits.hole_open_ms))
        return UINT64_MAX;
    if (e->now < since + ms(e->limits.hole_acked_ms))
        return r->next;
    if (!flow_life_is_seen(c, dir_other(d)))
        return UINT64_MAX;
    return c->flow.half[d].acked;
}

static ns_t
hole_deadline(const struct flow_env *e, const struct conn *c, enum dir d)
{
    const struct reasm *r = &c->r[d];

    if (!reasm_has_hole(r))
        return UINT64_MAX;
    if (!flow_life_is_seen(c, dir_other(d)) || c->flow.half[d].acked > r->next)
        return r->work->noticed + ms(e->limits.hole_acked_ms);
    return r->work->noticed + ms(e->limits.hole_open_ms);
}

static ns_t
wanted(const struct flow_env *e, const struct conn *c)
{
    ns_t t = c->state == CONN_OPEN ? e->ops->wants_tick(c->session) : 0;

    return t != 0 ? t : UINT64_MAX;
}

static ns_t
least(ns_t a, ns_t b)
{
    return a < b ? a : b;
}

static uint64_t
due_tick(const struct flow_env *e, const struct conn *c)
{
    ns_t t = end_deadline(e, c);
    uint64_t tick;

    if (is_half_done(c))
        t = least(t, c->last + ms(e->limits.linger_ms));
    t = least(t, hole_deadline(e, c, DIR_C2S));
    t = least(t, hole_deadline(e, c, DIR_S2C));
    t = least(t, wanted(e, c));
    tick = timer_tick_of(t);
    return tick > e->now / TIMER_TICK_NS ? tick : e->now / TIMER_TICK_NS + 1;
}

/* Timers only move forward here; one that comes too early is set anew. */
static void
hurry(struct shard *s, struct conn *c, uint64_t tick)
{
    if (tick < c->due)
        shard_timer_set(s, c, tick);
}

void
flow_life_wants(struct flow_env *e, struct shard *s, struct conn *c)
{
    ns_t t = wanted(e, c);
    uint64_t now;

    if (LIKELY(t == UINT64_MAX))
        return;
    now = e->now / TIMER_TICK_NS;
    hurry(s, c, timer_tick_of(t) > now ? timer_tick_of(t) : now + 1);
}

/* ---- the end ---- */

static void
tell_end(struct flow_env *e, struct conn *c, enum end_why why)
{
    if (c->state == CONN_OPEN) {
        e->ops->end(c->session, why, e->now);
    } else if (c->state == CONN_NEW && (c->facts & CONN_MAIL) != 0) {
        e->stats->attempts++;
        e->ops->attempt(e->ops_ctx, &c->flow, (c->facts & CONN_REFUSED) != 0,
                        (c->facts & (CONN_SYN_ACK | CONN_ACK)) != 0, e->now);
    }
}

static void
clear_both(struct shard *s, struct conn *c)
{
    reasm_clear(&c->r[DIR_C2S], &s->mem, &s->pool);
    reasm_clear(&c->r[DIR_S2C], &s->mem, &s->pool);
}

static void
flush_both(struct flow_env *e, struct shard *s, struct conn *c)
{
    for (unsigned d = 0; d < 2; d++) {
        struct flow_step st = {e, s, c, (enum dir)d};
        struct reasm_env env = flow_life_env(&st);

        reasm_flush(&c->r[d], &env);
    }
}

static void
let_go(struct flow_env *e, struct shard *s, struct conn *c)
{
    if (c->state == CONN_PROBE)
        free_probe(e, s, &c->flow, c->probe);
    c->session = NULL;
    clear_both(s, c);
    c->state = CONN_CLOSED;
}

void
flow_life_close(struct flow_env *e, struct shard *s, struct conn *c,
                enum end_why why)
{
    if (is_done(c)) {
        why = END_FIN;
        c->rst_from = 0;
    }
    if (c->state == CONN_OPEN || c->state == CONN_NEW)
        flush_both(e, s, c);
    tell_end(e, c, why);
    let_go(e, s, c);
    c->last = e->now;
}

void
flow_life_drop(struct flow_env *e, struct shard *s, struct conn *c,
               enum end_why why)
{
    if (c->state != CONN_CLOSED)
        flow_life_close(e, s, c, why);
    shard_remove(s, c);
}

static void
evict(struct flow_env *e, struct shard *s, struct conn *c)
{
    if (c->state != CONN_CLOSED && c->state != CONN_IGNORED && !is_done(c))
        e->stats->evicted++;
    flow_life_drop(e, s, c, END_EVICTED);
}

/* ---- after a segment ---- */

static enum conn_list
list_of(const struct conn *c)
{
    if (c->state == CONN_OPEN && !is_done(c))
        return reasm_has_hole(&c->r[DIR_C2S]) || reasm_has_hole(&c->r[DIR_S2C])
                   ? CONN_LIST_HOLES
                   : CONN_LIST_NONE;
    if (c->state == CONN_NEW && (c->facts & CONN_MAIL) != 0)
        return CONN_LIST_EMBRYO;
    return CONN_LIST_SPARE;
}

void
flow_life_settle(struct flow_env *e, struct shard *s, struct conn *c)
{
    enum conn_list list;

    if (c->state != CONN_CLOSED && c->state != CONN_IGNORED && is_done(c) &&
        !awaits_ack(c))
        flow_life_close(e, s, c, END_FIN);
    if (c->state == CONN_IGNORED)
        clear_both(s, c);
    list = list_of(c);
    if (list != (enum conn_list)c->list)
        shard_list_set(s, c, list);
    hurry(s, c, due_tick(e, c));
}

/* ---- birth ---- */

static enum dir
role(const struct flow_env *e, const struct decoded *p)
{
    bool from = flow_life_is_listed(e, p->sport);
    bool to = flow_life_is_listed(e, p->dport);

    if ((p->flags & TCP_SYN) != 0)
        return (p->flags & TCP_ACK) != 0 ? DIR_S2C : DIR_C2S;
    if (from != to)
        return to ? DIR_C2S : DIR_S2C;
    return p->sport < p->dport ? DIR_S2C : DIR_C2S;
}

static bool
deserves_flow(const struct flow_env *e, const struct decoded *p, enum dir d)
{
    uint16_t server = d == DIR_C2S ? p->dport : p->sport;

    if ((p->flags & TCP_RST) != 0)
        return false;
    if ((p->flags & TCP_SYN) == 0 && p->payload.n == 0)
        return false;
    return e->ops->probe != NULL || flow_life_is_listed(e, server);
}

static void
make_room(struct flow_env *e, struct shard *s)
{
    while (!shard_has_room(s)) {
        struct conn *c = shard_victim(s, (uint32_t)e->limits.evict_sample);

        if (c == NULL)
            return;
        evict(e, s, c);
    }
}

static void
fill_in(struct conn *c, const struct flow_env *e, const struct shard *s,
        const struct decoded *p, enum dir d)
{
    struct flow *f = &c->flow;

    f->start = e->now;
    f->shard = s->number;
    f->midstream = true;
    flow_key_fill(f, p, d);
    if (p->has_mac) {
        memcpy(f->mac_src, d == DIR_C2S ? p->mac_src : p->mac_dst, 6);
        memcpy(f->mac_dst, d == DIR_C2S ? p->mac_dst : p->mac_src, 6);
        f->has_mac = true;
    }
    if (flow_life_is_listed(e, f->server_port))
        c->facts |= CONN_MAIL;
    c->last = e->now;
}

struct conn *
flow_life_new(struct flow_env *e, struct shard *s, const struct decoded *p,
              uint16_t iface, uint32_t tag, enum dir *d)
{
    struct conn *c;

    *d = role(e, p);
    if (!deserves_flow(e, p, *d))
        return NULL;
    make_room(e, s);
    c = shard_has_room(s) ? shard_add(s, tag) : NULL;
    if (c == NULL) {
        e->stats->no_memory++;
        return NULL;
    }
    fill_in(c, e, s, p, *d);
    c->flow.iface = iface;
    e->stats->flows++;
    if ((p->flags & TCP_SYN) == 0)
        e->stats->midstream++;
    return c;
}

/* ---- room for early segments ---- */

static bool
hole_is_acked(const struct conn *c, enum dir d)
{
    return c->flow.half[d].acked >= c->r[d].work->head->off ||
           !flow_life_is_seen(c, dir_other(d));
}

static void
give_up_first(struct flow_step *st)
{
    struct reasm *r = flow_life_reasm(st);
    struct reasm_env env = flow_life_env(st);

    if (r->work->head != NULL && !hole_is_acked(st->c, st->d))
        flow_life_odd(st, ANOM_BUFFER_FULL, r->next, SPAN_NONE);
    st->e->stats->reassembly_dropped++;
    reasm_give_up(r, &env, UINT64_MAX);
}

/* The older hole of the connection that has waited longest. */
static bool
give_up_oldest(struct flow_step *st)
{
    uint32_t slot = st->s->list[CONN_LIST_HOLES].head;
    struct conn *c = slot != CONN_NIL ? shard_at(st->s, slot) : NULL;
    struct flow_step v;
    bool c2s;

    if (c == NULL)
        return false;
    c2s = reasm_has_hole(&c->r[DIR_C2S]) &&
          (!reasm_has_hole(&c->r[DIR_S2C]) ||
           c->r[DIR_C2S].work->noticed <= c->r[DIR_S2C].work->noticed);
    v = (struct flow_step){st->e, st->s, c, c2s ? DIR_C2S : DIR_S2C};
    if (!reasm_has_hole(flow_life_reasm(&v))) /* its list is out of date */
        shard_list_set(st->s, c, CONN_LIST_NONE);
    else
        give_up_first(&v);
    if (c != st->c)
        flow_life_settle(st->e, st->s, c);
    else if (c->state != CONN_OPEN)
        return false;
    return true;
}

void
flow_life_room(struct flow_step *st, size_t n, uint64_t off)
{
    const struct net_limits *l = &st->e->limits;
    const struct reasm *r = flow_life_reasm(st);
    uint64_t need = n + 2 * sizeof(struct early) + sizeof(struct reasm_work);
    uint64_t max = l->early_bytes;

    if (st->c->state == CONN_PROBE)
        max /= PROBE_EARLY_SHARE;
    while (
        off > r->next && r->work != NULL && r->work->head != NULL &&
        (r->work->bytes + need > max || r->work->n_early >= l->early_segments))
        give_up_first(st);
    while (off > r->next && !net_mem_has(&st->s->mem, need)) {
        if (!give_up_oldest(st))
            return;
    }
}

/* ---- timers ---- */

static void
give_up_due(struct flow_env *e, struct shard *s, struct conn *c, enum dir d)
{
    struct flow_step st = {e, s, c, d};

    while (reasm_has_hole(&c->r[d]) && c->state != CONN_IGNORED) {
        struct reasm_env env = flow_life_env(&st);
        uint64_t upto = hole_limit(e, c, d);

        if (upto <= c->r[d].next)
            return;
        reasm_give_up(&c->r[d], &env, upto);
    }
}

static void
run_end(struct flow_env *e, struct shard *s, struct conn *c)
{
    if (c->state == CONN_CLOSED)
        shard_remove(s, c);
    else if (is_done(c))
        flow_life_close(e, s, c, END_FIN);
    else if (c->rst_from != 0)
        flow_life_close(e, s, c, END_RST);
    else if (is_half_done(c))
        flow_life_drop(e, s, c, END_FIN);
    else
        flow_life_drop(e, s, c, END_TIMEOUT);
}

void
flow_life_timer(struct flow_env *e, struct shard *s, struct conn *c)
{
    ns_t end;

    shard_timer_drop(s, c);
    give_up_due(e, s, c, DIR_C2S);
    give_up_due(e, s, c, DIR_S2C);
    if (wanted(e, c) <= e->now)
        e->ops->tick(c->session, e->now);
    end = end_deadline(e, c);
    if (is_half_done(c))
        end = least(end, c->last + ms(e->limits.linger_ms));
    if (end <= e->now)
        run_end(e, s, c);
    if (c->state != CONN_FREE)
        flow_life_settle(e, s, c);
}

void
flow_life_finish(struct flow_env *e, struct shard *s, struct conn *c)
{
    flow_life_drop(e, s, c, c->rst_from != 0 ? END_RST : END_CAPTURE);
}

void
flow_life_forget(struct flow_env *e, struct shard *s, struct conn *c)
{
    let_go(e, s, c);
}
