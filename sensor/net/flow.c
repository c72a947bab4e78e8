#include "sensor/net/flow.h"

#include "sensor/net/reasm_sent.h"

/* A SYN that comes after the first data of a capture is up to this far back. */
#define LATE_SYN_MAX (INT32_C(1) << 16)

enum verdict {
    GO,      /* the segment is good for more */
    STOP,    /* it was dealt with */
    REPLACE, /* it belongs to a new connection on the same ports */
};

/* ---- lookup ---- */

static struct conn *
lookup(const struct shard *s, const struct decoded *p, uint32_t tag,
       enum dir *d)
{
    if (s->slot == NULL)
        return NULL;
    for (uint32_t at = tag & s->mask; s->slot[at].conn != 0;
         at = (at + 1) & s->mask) {
        struct conn *c;

        if (s->slot[at].tag != tag)
            continue;
        c = shard_at(s, s->slot[at].conn - 1);
        if (flow_key_match(&c->flow, p, d))
            return c;
    }
    return NULL;
}

/* ---- copies by the mirror ---- */

__extension__ typedef unsigned __int128 wide_t;

static uint32_t
look_of(const struct decoded *p, enum dir d)
{
    static const uint64_t odd[2] = {UINT64_C(0x9e3779b97f4a7c15),
                                    UINT64_C(0xbf58476d1ce4e5b9)};
    uint64_t a = (uint64_t)p->seq << 32 | p->ack;
    uint64_t b = (uint64_t)p->payload_len << 40 | (uint64_t)p->window << 24 |
                 (uint64_t)p->flags << 16 | p->ip_id;
    wide_t v = (wide_t)(a ^ odd[d]) * (b ^ odd[1 - d]);
    uint32_t h = (uint32_t)(v >> 64) ^ (uint32_t)(v >> 32);

    return h != 0 ? h : 1;
}

static bool
was_seen(const struct conn *c, uint32_t look)
{
    return c->seen[0] == look || c->seen[1] == look || c->seen[2] == look;
}

/* Does a segment that looks like one of age us ago come too soon to be sent
 * again? */
static bool
is_soon(const struct decoded *p, uint32_t age, const struct net_limits *l)
{
    bool bare = p->ip_id == 0 && p->payload_len == 0 &&
                (p->flags & (TCP_SYN | TCP_FIN | TCP_RST)) == 0;

    if (p->ip_id != 0)
        return age <= l->duplicate_ms * 1000;
    return !bare && age <= l->duplicate_blind_us;
}

static bool
is_copy(struct conn *c, const struct decoded *p, enum dir d,
        const struct flow_env *e)
{
    uint32_t now_us = (uint32_t)(e->now / NS_PER_US);
    uint32_t age = now_us - c->seen_us;
    uint32_t look = look_of(p, d);

    if (UNLIKELY(was_seen(c, look)) && is_soon(p, age, &e->limits))
        return true;
    if (age > e->limits.duplicate_ms * 1000)
        c->seen[0] = c->seen[1] = 0;
    c->seen[2] = c->seen[1];
    c->seen[1] = c->seen[0];
    c->seen[0] = look;
    c->seen_us = now_us;
    return false;
}

/* ---- SYN ---- */

static bool
has_base(const struct reasm *r)
{
    return (r->flags & REASM_BASE) != 0;
}

static void
check_handshake(struct flow_step *st)
{
    const unsigned all = CONN_SYN | CONN_SYN_ACK | CONN_ACK;
    struct conn *c = st->c;

    if (c->flow.handshake || (c->facts & all) != all)
        return;
    c->flow.handshake = true;
    c->flow.established = st->e->now;
}

/* The first byte seen was so little after this SYN's that both belong
 * together: some bytes before it are missing. */
static bool
is_late_syn(const struct conn *c, const struct reasm *r, uint32_t base)
{
    int32_t after = (int32_t)(r->base - base);

    return c->flow.midstream && after > 0 && after < LATE_SYN_MAX;
}

static enum verdict
syn_changed(struct flow_step *st, const struct decoded *p)
{
    struct conn *c = st->c;
    ns_t idle = st->e->limits.replace_idle_ms * NS_PER_MS;

    if (c->state != CONN_OPEN || c->rst_from != 0 ||
        reasm_done(flow_life_reasm(st)) || st->e->now - c->last > idle)
        return REPLACE;
    c->syn_isn = p->seq;
    c->facts |= CONN_NEW_SYN;
    flow_life_odd(st, ANOM_SYN_CHANGED, flow_life_reasm(st)->next, SPAN_NONE);
    return STOP;
}

static enum verdict
on_syn(struct flow_step *st, const struct decoded *p)
{
    struct conn *c = st->c;
    struct reasm *r = flow_life_reasm(st);
    uint32_t base = p->seq + 1;

    if (!has_base(r))
        reasm_base(r, base, REASM_BASE, &flow_life_half(st)->acked);
    else if (r->base != base && !is_late_syn(c, r, base))
        return syn_changed(st, p);
    if (st->d == DIR_S2C) /* a simultaneous open: no more is known */
        return GO;
    if (r->base == base)
        c->flow.midstream = false;
    c->facts |= CONN_SYN;
    check_handshake(st);
    return GO;
}

/* A SYN-ACK on a connection whose server has spoken before. */
static enum verdict
second_syn_ack(struct flow_step *st, const struct decoded *p)
{
    struct conn *c = st->c;
    const struct reasm *server = &c->r[DIR_S2C];
    const struct reasm *client = &c->r[DIR_C2S];

    if (server->base == p->seq + 1)
        return GO;
    if (is_late_syn(c, server, p->seq + 1))
        return GO;
    if (has_base(client) && client->base != p->ack)
        return REPLACE; /* the server agreed to another connection */
    flow_life_odd(st, ANOM_SYN_CHANGED, server->next, SPAN_NONE);
    return STOP;
}

/* Does a SYN-ACK answer the SYN that we know, or its data (RFC 7413)? */
static bool
answers(const struct reasm *client, uint32_t ack)
{
    uint32_t after = ack - client->base;

    return !has_base(client) || after <= reasm_high(client);
}

/* Did the client acknowledge the SYN-ACK before the mirror showed it? */
static void
note_early_ack(struct flow_step *st, const struct decoded *p)
{
    const struct reasm *server = &st->c->r[DIR_S2C];
    int32_t after = (int32_t)(server->base - (p->seq + 1));

    if ((server->flags & REASM_HINT) != 0 && after >= 0 && after < LATE_SYN_MAX)
        st->c->facts |= CONN_ACK;
}

static enum verdict
on_syn_ack(struct flow_step *st, const struct decoded *p)
{
    struct conn *c = st->c;
    struct reasm *client = &c->r[DIR_C2S];
    struct reasm *server = &c->r[DIR_S2C];

    if (st->d != DIR_S2C)
        return STOP;
    if (has_base(server)) {
        enum verdict v = second_syn_ack(st, p);

        if (v != GO)
            return v;
    } else if (!answers(client, p->ack)) {
        return (c->facts & CONN_NEW_SYN) != 0 && c->syn_isn + 1 == p->ack
                   ? REPLACE
                   : STOP;
    } else {
        note_early_ack(st, p);
        reasm_base(server, p->seq + 1, REASM_BASE,
                   &c->flow.half[DIR_S2C].acked);
    }
    if (!has_base(client))
        reasm_base(client, p->ack, REASM_BASE, &c->flow.half[DIR_C2S].acked);
    if (client->base == p->ack)
        c->flow.midstream = false;
    c->facts |= CONN_SYN_ACK;
    check_handshake(st);
    return GO;
}

/* ---- RST ---- */

static bool
rst_answers_syn(const struct flow_step *st, const struct decoded *p)
{
    const struct reasm *client = &st->c->r[DIR_C2S];

    return st->d == DIR_S2C && (p->flags & TCP_ACK) != 0 && has_base(client) &&
           answers(client, p->ack);
}

/* Bytes of this direction may be missing: its next number is a guess. */
static bool
is_lossy(const struct flow_step *st)
{
    const struct conn *c = st->c;
    const struct flow_half *h = flow_life_half(st);
    const struct reasm *r = flow_life_reasm(st);

    return c->flow.midstream || reasm_has_hole(r) || h->lost > 0 ||
           h->acked > r->next || !flow_life_is_seen(c, dir_other(st->d));
}

static bool
rst_fits(const struct flow_step *st, const struct decoded *p)
{
    const struct reasm *r = flow_life_reasm(st);
    int64_t off = reasm_off(r, p->seq);
    int64_t next = (int64_t)r->next;
    int64_t high = (int64_t)reasm_high(r);

    if (!has_base(r))
        return rst_answers_syn(st, p) || (r->flags & REASM_HINT) != 0;
    if (off == next || off == high || off == (int64_t)flow_life_half(st)->acked)
        return true;
    if ((r->flags & REASM_FIN) != 0 && off == high + 1)
        return true;
    return is_lossy(st) && off > next &&
           off <= high + (int64_t)st->e->limits.rst_window;
}

static void
on_rst(struct flow_step *st, const struct decoded *p)
{
    struct conn *c = st->c;
    bool unanswered = c->state == CONN_NEW &&
                      (c->facts & (CONN_SYN | CONN_SYN_ACK)) == CONN_SYN;

    if (unanswered && rst_answers_syn(st, p)) {
        c->facts |= CONN_REFUSED;
        flow_life_close(st->e, st->s, c, END_RST);
    } else if (rst_fits(st, p)) {
        if (c->rst_from == 0)
            c->last = st->e->now;
        if (c->rst_from == 0)
            c->rst_from = (uint8_t)(st->d + 1U);
    } else {
        st->e->stats->rst_ignored++;
        flow_life_odd(st, ANOM_RST_IGNORED, flow_life_reasm(st)->next,
                      SPAN_NONE);
    }
}

/* Its sender went on after all. */
static void
revive(struct flow_step *st)
{
    st->c->rst_from = 0;
    st->e->stats->rst_ignored++;
    flow_life_odd(st, ANOM_RST_IGNORED, flow_life_reasm(st)->next, SPAN_NONE);
}

/* ---- acknowledgement ---- */

/* The other direction's base is not known: the first acknowledgement is a hint
 * where it begins. */
static void
ack_hint(struct flow_step *o, uint32_t ack)
{
    struct reasm *r = flow_life_reasm(o);
    struct flow_half *h = flow_life_half(o);
    int64_t off = reasm_off(r, ack);

    /* A lower one that comes late was the first. */
    if ((r->flags & REASM_HINT) == 0 || (off < 0 && off > -LATE_SYN_MAX) ||
        off > (int64_t)(h->acked + o->e->limits.wild_bytes))
        reasm_base(r, ack, REASM_HINT, &h->acked);
    else if (off > (int64_t)h->acked)
        h->acked = (uint64_t)off;
}

/* An acknowledgement of segments that seemed wild: they were not, the capture
 * had an outage. */
static uint64_t
ack_of_wild(struct flow_step *o, uint32_t ack)
{
    struct reasm *r = flow_life_reasm(o);
    struct reasm_env env = flow_life_env(o);

    if (r->work == NULL || r->work->n_wild == 0 || r->work->wild_end != ack)
        return STREAM_ACK_UNKNOWN;
    reasm_resync(r, &env, ack);
    flow_life_half(o)->acked = r->next;
    return r->next;
}

/* Where an acknowledgement points, without the number that a FIN takes. */
static int64_t
ack_offset(const struct reasm *r, uint32_t ack)
{
    int64_t off = reasm_off(r, ack);

    return off == (int64_t)reasm_high(r) + 1 ? off - 1 : off;
}

/* Gives the offset in the other direction, for chunk.peer_acked. */
static uint64_t
on_ack(struct flow_step *st, const struct decoded *p)
{
    struct flow_step o = flow_life_other(st);
    struct reasm *r = flow_life_reasm(&o);
    struct flow_half *h = flow_life_half(&o);
    int64_t off;

    if ((p->flags & TCP_ACK) == 0)
        return STREAM_ACK_UNKNOWN;
    if (UNLIKELY(!has_base(r))) {
        ack_hint(&o, p->ack);
        return STREAM_ACK_UNKNOWN;
    }
    off = ack_offset(r, p->ack);
    if (UNLIKELY(off > (int64_t)(reasm_high(r) + st->e->limits.wild_bytes)))
        return ack_of_wild(&o, p->ack);
    if (off < 0)
        return 0;
    if ((r->flags & REASM_FIN) != 0 && off > (int64_t)reasm_high(r))
        return STREAM_ACK_UNKNOWN;
    if (UNLIKELY(st->d == DIR_C2S && !st->c->flow.handshake)) {
        st->c->facts |= CONN_ACK;
        check_handshake(st);
    }
    if ((uint64_t)off > h->acked) {
        h->acked = (uint64_t)off;
        if (r->work != NULL || h->acked > r->next) {
            struct reasm_env env = flow_life_env(&o);

            reasm_acked(r, &env);
        }
    }
    /* One byte may also be one typed by hand that the mirror shows late
     * (tests/scenarios/typed-by-hand.smtp). */
    if ((r->flags & REASM_FIN) == 0 && off < reasm_off(r, p->ack))
        return (uint64_t)off + 1;
    return (uint64_t)off;
}

/* ---- payload and FIN ---- */

struct payload {
    struct reasm_seg seg;
    bool fin;
    bool bad; /* wild, or nothing is left of it */
};

/* A hint is right when the first byte is at it or a little behind: what is
 * between was not seen. */
static void
first_base(struct flow_step *st, uint32_t seq)
{
    struct reasm *r = flow_life_reasm(st);
    int32_t after = (int32_t)(seq - r->base);

    if ((r->flags & REASM_HINT) != 0 && after >= 0 && after < LATE_SYN_MAX)
        r->flags = (uint8_t)((r->flags & ~REASM_HINT) | REASM_BASE);
    else
        reasm_base(r, seq, REASM_BASE, &flow_life_half(st)->acked);
}

/* Segments outside any window; after some that follow each other it is us who
 * missed something. True when the segment is good after all. */
static bool
on_wild(struct flow_step *st, uint32_t seq, uint32_t len)
{
    struct reasm *r = flow_life_reasm(st);
    struct reasm_env env = flow_life_env(st);
    struct reasm_work *w;

    st->e->stats->wild++;
    flow_life_odd(st, ANOM_WILD_SEGMENT, r->next, SPAN_NONE);
    w = len > 0 ? reasm_work(r, &env) : NULL;
    if (w == NULL)
        return false;
    if (w->n_wild > 0 && w->wild_end == seq)
        w->n_wild = (uint8_t)(w->n_wild + (w->n_wild < UINT8_MAX));
    else
        w->n_wild = 1;
    w->wild_end = seq + len;
    if (w->n_wild < st->e->limits.resync_segments ||
        flow_life_is_seen(st->c, dir_other(st->d)))
        return false;
    reasm_resync(r, &env, seq);
    return true;
}

/* Cuts the payload to what lies between the base and a known FIN. */
static void
trim(struct flow_step *st, struct payload *q, int64_t off)
{
    const struct reasm *r = flow_life_reasm(st);
    struct reasm_seg *s = &q->seg;

    if (off < 0) {
        uint32_t n = -off < s->len ? (uint32_t)-off : s->len;

        s->data = span_tail(s->data, n);
        s->len -= n;
        off += n;
        q->bad = off < 0;
    }
    s->off = off > 0 ? (uint64_t)off : 0;
    if ((r->flags & REASM_FIN) != 0 && s->off + s->len > reasm_high(r)) {
        flow_life_odd(st, ANOM_DATA_AFTER_FIN, reasm_high(r), SPAN_NONE);
        s->len =
            s->off < reasm_high(r) ? (uint32_t)(reasm_high(r) - s->off) : 0;
        s->data = span_head(s->data, s->len);
        q->fin = false;
    }
}

static struct payload
place(struct flow_step *st, const struct decoded *p, uint64_t acked)
{
    struct reasm *r = flow_life_reasm(st);
    uint32_t seq = p->seq + ((p->flags & TCP_SYN) != 0);
    struct payload q = {
        {p->payload, 0, p->payload_len, acked, st->e->seen},
        (p->flags & TCP_FIN) != 0,
        false
    };
    int64_t wild = (int64_t)st->e->limits.wild_bytes;
    int64_t ahead;

    if (!has_base(r))
        first_base(st, seq);
    ahead = reasm_off(r, seq) - (int64_t)r->next;
    if (ahead > wild || ahead < -wild)
        q.bad = !on_wild(st, seq, p->payload_len);
    else if (r->work != NULL)
        r->work->n_wild = 0;
    if (!q.bad)
        trim(st, &q, reasm_off(r, seq));
    return q;
}

static void
count(struct flow_step *st, unsigned met)
{
    struct flow_half *h = flow_life_half(st);
    struct net_stats *stats = st->e->stats;

    if ((met & REASM_OLD) != 0) {
        h->retransmitted++;
        stats->retransmitted++;
    } else if ((met & REASM_FILLED) != 0) {
        h->reordered++;
        stats->reordered++;
    }
    if ((met & REASM_DROPPED) != 0) {
        stats->reassembly_dropped++;
        stats->no_memory++;
    }
}

/* RFC 9293 3.8.4: the number before the next, perhaps with a byte of garbage,
 * only to be answered. */
static bool
is_keepalive(const struct flow_step *st, const struct payload *q)
{
    const struct reasm *r = flow_life_reasm(st);

    return q->seg.len == 1 && q->seg.off + 1 == r->next && !q->fin &&
           flow_life_half(st)->acked >= r->next;
}

static void
on_bytes(struct flow_step *st, const struct payload *q)
{
    struct reasm *r = flow_life_reasm(st);
    bool beyond = q->seg.off + q->seg.len > reasm_high(r);
    struct reasm_env env;

    if (st->c->state == CONN_IGNORED)
        return;
    if (beyond && st->c->rst_from == st->d + 1U)
        revive(st);
    if (q->seg.off > r->next)
        flow_life_room(st, q->seg.data.n, q->seg.off);
    env = flow_life_env(st);
    count(st, reasm_put(r, &env, &q->seg));
}

static void
on_payload(struct flow_step *st, const struct decoded *p, uint64_t acked)
{
    struct reasm *r = flow_life_reasm(st);
    struct payload q;
    uint64_t end;

    if (st->c->state == CONN_NEW && p->payload_len > 0)
        flow_life_start(st);
    q = place(st, p, acked);
    end = q.seg.off + q.seg.len;
    if (q.bad)
        return;
    if (p->urgent && q.seg.len > 0)
        flow_life_odd(st, ANOM_URGENT, q.seg.off, SPAN_NONE);
    if (q.seg.len > 0 && !is_keepalive(st, &q))
        on_bytes(st, &q);
    if (q.fin && (r->flags & REASM_FIN) == 0 && end >= reasm_high(r)) {
        struct flow_half *h = flow_life_half(st);
        struct reasm_env env;

        /* Its acknowledgement came before it: it counted one byte too many
         * (tests/scenarios/fin-after-its-ack.smtp). */
        if (h->acked == end + 1)
            h->acked = end;
        env = flow_life_env(st);
        h->fin_unread = acked == 0;
        reasm_fin(r, &env, end);
    }
}

/* ---- states ---- */

static void
first_packet(struct flow_step *st, struct flow_half *h, const struct decoded *p)
{
    struct flow *f = &st->c->flow;

    h->ttl = p->ttl;
    if (st->d == DIR_C2S || !p->has_mac)
        return;
    memcpy(f->mac_server, p->mac_src, 6);
    f->has_mac_server = true;
}

static void
touch(struct flow_step *st, const struct decoded *p)
{
    struct flow_half *h = flow_life_half(st);

    if (h->packets++ == 0)
        first_packet(st, h, p);
    if (st->c->rst_from == 0)
        st->c->last = st->e->now;
}

/* Out of line, so that the usual way saves few registers. */
static __attribute__((noinline)) enum verdict
on_live(struct flow_step *st, const struct decoded *p)
{
    struct conn *c = st->c;
    enum verdict v = GO;
    uint64_t acked;

    if ((p->flags & TCP_RST) != 0)
        on_rst(st, p);
    else if ((p->flags & TCP_SYN) != 0)
        v = (p->flags & TCP_ACK) != 0 ? on_syn_ack(st, p) : on_syn(st, p);
    if (v == REPLACE)
        return v;
    touch(st, p);
    if (v == GO && (p->flags & TCP_RST) == 0) {
        acked = on_ack(st, p);
        if (p->payload_len > 0 || (p->flags & TCP_FIN) != 0)
            on_payload(st, p, acked);
    }
    flow_life_settle(st->e, st->s, c);
    return STOP;
}

static enum verdict
on_ignored(struct flow_step *st, const struct decoded *p)
{
    if ((p->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
        return REPLACE;
    st->c->last = st->e->now;
    if ((p->flags & (TCP_FIN | TCP_RST)) != 0) {
        st->c->facts |= CONN_ENDING;
        flow_life_settle(st->e, st->s, st->c);
    }
    return STOP;
}

/* Late copies, ACKs and repeated SYNs are swallowed; a new SYN is not, nor are
 * new bytes from the sender of the RST that closed it. */
static enum verdict
on_closed(struct flow_step *st, const struct decoded *p)
{
    const struct reasm *r = flow_life_reasm(st);
    uint32_t next = r->base + (uint32_t)r->next;

    if ((p->flags & TCP_RST) != 0)
        return STOP;
    if ((p->flags & TCP_SYN) != 0)
        return !has_base(r) || r->base != p->seq + 1 ? REPLACE : STOP;
    if (p->payload.n > 0 && st->c->rst_from == st->d + 1U &&
        (int32_t)(p->seq - next) >= 0)
        return REPLACE;
    return STOP;
}

/* ---- the usual ----
 * By far the most: the next bytes of an open connection, whole, or a bare
 * acknowledgement, where nothing is missing in either direction. What follows
 * is on_live without what cannot happen then. */

/* on_ack of a direction without holes, for an acknowledgement not beyond what
 * was seen; false: it is another one, and nothing has happened. */
static inline bool
ack_plain(struct flow_step *st, const struct decoded *p, uint64_t *out)
{
    enum dir d = dir_other(st->d);
    struct conn *c = st->c;
    struct reasm *r = &c->r[d];
    uint64_t *acked = &c->flow.half[d].acked;
    uint32_t back = r->base + (uint32_t)r->next - p->ack;

    if (!reasm_is_plain(r) || back > r->next || back > INT32_MAX ||
        (st->d == DIR_C2S && (c->facts & CONN_ACK) == 0))
        return false;
    *out = r->next - back;
    if (*out > *acked) {
        *acked = *out;
        if (r->work != NULL)
            reasm_sent_acked(r, &st->s->mem, &st->s->pool, *out);
    }
    return true;
}

static bool
is_plain(const struct flow_step *st, const struct decoded *p)
{
    const struct conn *c = st->c;
    const struct reasm *r = &c->r[st->d];

    return c->state == CONN_OPEN && c->rst_from == 0 && !p->urgent &&
           p->payload.n == p->payload_len &&
           (p->flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK &&
           reasm_is_plain(r) && p->seq == r->base + (uint32_t)r->next;
}

static inline void
on_plain_bytes(struct flow_step *st, const struct decoded *p, uint64_t acked)
{
    struct flow_env *e = st->e;
    struct conn *c = st->c;
    struct flow_half *h = flow_life_half(st);
    struct reasm *r = flow_life_reasm(st);
    struct reasm_env env = {
        .mem = &st->s->mem,
        .pool = &st->s->pool,
        .acked = h->acked,
        .seed = e->seed,
        .blind = !flow_life_is_seen(c, dir_other(st->d)),
    };
    struct chunk k = {p->payload, st->d, e->now, r->next, acked, e->seen};

    h->bytes += p->payload.n;
    e->stats->bytes_seen += p->payload.n;
    reasm_sent_delivered(r, &env, p->payload);
    e->ops->data(c->session, &k);
}

static inline void
on_plain(struct flow_step *st, const struct decoded *p)
{
    uint64_t acked;
    bool usual;

    touch(st, p);
    usual = ack_plain(st, p, &acked);
    if (UNLIKELY(!usual))
        acked = on_ack(st, p);
    if (p->payload.n > 0)
        on_plain_bytes(st, p, acked);
    if (UNLIKELY(!usual))
        flow_life_settle(st->e, st->s, st->c);
    else if (p->payload.n > 0)
        flow_life_wants(st->e, st->s, st->c);
}

static enum verdict
on_open(struct flow_step *st, const struct decoded *p)
{
    if (UNLIKELY(is_copy(st->c, p, st->d, st->e))) {
        flow_life_half(st)->duplicates++;
        st->e->stats->duplicates++;
        return STOP;
    }
    if (UNLIKELY(!is_plain(st, p)))
        return on_live(st, p);
    on_plain(st, p);
    return STOP;
}

static enum verdict
dispatch(struct flow_step *st, const struct decoded *p)
{
    switch ((enum conn_state)st->c->state) {
    case CONN_NEW:
    case CONN_PROBE:
    case CONN_OPEN: return on_open(st, p);
    case CONN_IGNORED: return on_ignored(st, p);
    case CONN_CLOSED: return on_closed(st, p);
    case CONN_FREE: break;
    }
    return STOP;
}

/* Ends the old connection; what is known of the new SYN goes along. */
static bool
drop_old(struct flow_env *e, struct shard *s, struct conn *c,
         const struct decoded *p)
{
    bool answered = (c->facts & CONN_NEW_SYN) != 0 &&
                    (p->flags & TCP_ACK) != 0 && c->syn_isn + 1 == p->ack;

    flow_life_drop(e, s, c, c->rst_from != 0 ? END_RST : END_REPLACED);
    return answered;
}

/* No connection, or one that has to go (old). */
static __attribute__((noinline)) void
first_segment(struct flow_step *st, const struct decoded *p, uint16_t iface,
              uint32_t tag)
{
    struct conn *old = st->c;
    bool syn_seen = old != NULL && drop_old(st->e, st->s, old, p);

    st->c = flow_life_new(st->e, st->s, p, iface, tag, &st->d);
    if (st->c == NULL)
        return;
    if (syn_seen)
        st->c->facts |= CONN_SYN;
    (void)dispatch(st, p);
}

void
flow_segment(struct flow_env *e, struct shard *s, const struct decoded *p,
             uint16_t iface, uint32_t tag)
{
    struct flow_step st = {e, s, NULL, DIR_C2S};

    st.c = lookup(s, p, tag, &st.d);
    if (st.c == NULL || dispatch(&st, p) == REPLACE)
        first_segment(&st, p, iface, tag);
}
