#ifndef SPAN25_NET_NET_TEST_KIT_H
#define SPAN25_NET_NET_TEST_KIT_H
/* net_test_kit - a net with a recorder
 *
 * For net_test.c and net_fuzz.c only. The record of a session reads
 *   open C"text" S"220" gap(S,3) odd(C,urgent_data,0,"") end(fin)
 * with chunks of one direction in a row joined. What must hold for any calls is
 * checked by REQUIRE: offsets without a hole, times that never go back, nothing
 * after the end. */
#include <stdio.h>

#include "sensor/base/hash.h"
#include "sensor/event/anomaly.h"
#include "sensor/net/net.h"

#define KIT_FLOWS 2048
#define KIT_C_ISN UINT32_C(0xfffffff0) /* wraps soon */
#define KIT_S_ISN UINT32_C(0x7ffffffa)
#define KIT_START (1700000000 * NS_PER_S)

/* One session, and what must hold for its calls. */
struct kit_flow {
    struct kit *kit;
    struct flow *flow;
    uint64_t id;
    uint64_t next[2]; /* offset that must come */
    uint64_t hash;    /* of all calls */
    ns_t last;
    ns_t wants;
    bool open;
    bool skipped; /* an odd port: the first bytes may be held back */
    struct buf text;
    struct buf bytes[2]; /* delivered, with '?' for what is lost */
    int last_dir;        /* of an unfinished "..." in text, or -1 */
};

struct kit {
    struct net *net;
    struct net_limits limits;
    struct kit_flow f[KIT_FLOWS];
    size_t n;
    size_t n_attempts;
    struct buf text; /* attempts and refused opens */
    ns_t now;
    ns_t tick;
    uint32_t isn[2];
    uint16_t id;
    bool refuse;   /* open gives NULL */
    size_t room;   /* the same while so many are open; 0: no bound */
    bool quiet;    /* hash only */
    size_t n_open; /* sessions not ended */
    size_t n_opened;
    uint64_t sum;     /* of the hashes of ended sessions: in any order */
    unsigned deny_in; /* the n-th allocation fails; 0: none */
    unsigned n_alloc;
};

static void
kit_close_quote(struct kit_flow *f)
{
    if (f->last_dir >= 0)
        buf_str(&f->text, "\" ");
    f->last_dir = -1;
}

static void
kit_call(struct kit_flow *f, ns_t when, uint64_t a, uint64_t b)
{
    REQUIRE(f->open);
    REQUIRE(when >= f->last);
    f->last = when;
    f->hash = hash_mix(hash_mix(hash_mix(f->hash, when), a), b);
}

static const uint16_t kit_ports[] = {25, 465, 587, 2525};

static bool
kit_is_listed(uint16_t port)
{
    for (size_t i = 0; i < ARRAY_LEN(kit_ports); i++) {
        if (kit_ports[i] == port)
            return true;
    }
    return false;
}

static void
kit_flow_fini(struct kit_flow *f)
{
    buf_free(&f->text);
    buf_free(&f->bytes[DIR_C2S]);
    buf_free(&f->bytes[DIR_S2C]);
}

/* A new record, or that of a session that ended. */
static struct kit_flow *
kit_slot(struct kit *k)
{
    if (k->n < KIT_FLOWS)
        return &k->f[k->n++];
    for (size_t i = 0; i < k->n; i++) {
        if (!k->f[i].open) {
            kit_flow_fini(&k->f[i]);
            return &k->f[i];
        }
    }
    return NULL;
}

static void *
kit_open(void *ctx, struct flow *flow, ns_t when)
{
    struct kit *k = ctx;
    struct kit_flow *f;

    if (k->refuse || (k->room > 0 && k->n_open >= k->room))
        return NULL;
    f = kit_slot(k);
    if (f == NULL)
        return NULL;
    *f = (struct kit_flow){.kit = k,
                           .flow = flow,
                           .id = flow->id,
                           .skipped = !kit_is_listed(flow->server_port),
                           .open = true,
                           .last_dir = -1,
                           .hash = flow->id};
    buf_init(&f->text, 1 << 20);
    buf_init(&f->bytes[DIR_C2S], 1 << 20);
    buf_init(&f->bytes[DIR_S2C], 1 << 20);
    k->n_open++;
    k->n_opened++;
    kit_call(f, when, 1, flow->id);
    REQUIRE(flow->id < UINT64_C(1) << 51);
    if (!k->quiet)
        buf_str(&f->text, "open ");
    return f;
}

static void
kit_data(void *session, const struct chunk *c)
{
    struct kit_flow *f = session;

    kit_call(f, c->when, hash_span(c->data, (uint64_t)c->dir), c->offset);
    f->hash = hash_mix(f->hash, c->peer_acked);
    f->hash = hash_mix(f->hash, c->seen);
    REQUIRE(c->seen > 0 && c->seen <= c->when);
    REQUIRE(c->data.n > 0);
    if (f->skipped && f->next[c->dir] == 0)
        f->next[c->dir] = c->offset;
    REQUIRE(c->offset == f->next[c->dir]);
    f->next[c->dir] += c->data.n;
    if (f->kit->quiet)
        return;
    if (f->last_dir != (int)c->dir) {
        kit_close_quote(f);
        buf_str(&f->text, c->dir == DIR_C2S ? "C\"" : "S\"");
        f->last_dir = (int)c->dir;
    }
    buf_span(&f->text, c->data);
    buf_span(&f->bytes[c->dir], c->data);
}

static void
kit_gap(void *session, enum dir d, uint64_t lost, ns_t when)
{
    struct kit_flow *f = session;

    kit_call(f, when, lost, d);
    REQUIRE(lost > 0);
    f->next[d] += lost;
    if (f->kit->quiet)
        return;
    kit_close_quote(f);
    for (uint64_t i = 0; i < lost && i < 4096; i++)
        buf_putc(&f->bytes[d], '?');
    buf_printf(&f->text, "gap(%c,%llu) ", d == DIR_C2S ? 'C' : 'S',
               (unsigned long long)lost);
}

static void
kit_odd(void *session, unsigned kind, enum dir d, uint64_t offset,
        struct span other, ns_t when)
{
    struct kit_flow *f = session;

    REQUIRE(kind < ANOM_COUNT);
    kit_call(f, when, kind, hash_span(other, offset));
    if (f->kit->quiet)
        return;
    kit_close_quote(f);
    buf_printf(&f->text, "odd(%c,%s,%llu,\"", d == DIR_C2S ? 'C' : 'S',
               anomaly_table[kind].name, (unsigned long long)offset);
    buf_span(&f->text, other);
    buf_str(&f->text, "\") ");
}

static void
kit_tick(void *session, ns_t now)
{
    struct kit_flow *f = session;

    kit_call(f, now, 2, 0);
    REQUIRE(f->wants != 0 && now >= f->wants);
    f->wants = 0;
    if (f->kit->quiet)
        return;
    kit_close_quote(f);
    buf_printf(&f->text, "tick(%llu) ",
               (unsigned long long)((now - KIT_START) / NS_PER_MS));
}

static ns_t
kit_wants(const void *session)
{
    return ((const struct kit_flow *)session)->wants;
}

static void
kit_end(void *session, enum end_why why, ns_t when)
{
    static const char *const names[] = {
#define KIT_END(id, name) name,
        END_WHY_MAP(KIT_END)
#undef KIT_END
    };
    struct kit_flow *f = session;

    kit_call(f, when, 3, why);
    f->open = false;
    f->kit->n_open--;
    f->kit->sum += f->hash;
    for (unsigned d = 0; d < 2; d++)
        REQUIRE(f->flow->half[d].bytes + f->flow->half[d].lost == f->next[d] ||
                f->skipped);
    if (f->kit->quiet)
        return;
    kit_close_quote(f);
    buf_printf(&f->text, "end(%s)%s%s", names[why],
               f->flow->handshake ? " handshake" : "",
               f->flow->midstream ? " midstream" : "");
}

static void
kit_attempt(void *ctx, struct flow *flow, bool refused, bool answered,
            ns_t when)
{
    struct kit *k = ctx;

    (void)when;
    (void)flow;
    k->n_attempts++;
    if (!k->quiet)
        buf_printf(&k->text, "attempt%s%s ", refused ? " refused" : "",
                   answered ? " answered" : "");
}

/* SMTP is what begins with 220 or, after a CONNECT line of 4 bytes, so. */
static int
kit_probe(struct span c2s, struct span s2c, size_t skip[2])
{
    if (span_starts(c2s, SPAN_LIT("CONN"))) {
        skip[DIR_C2S] = 4;
        c2s = span_tail(c2s, 4);
    }
    if (span_starts(s2c, SPAN_LIT("220")))
        return 1;
    if (c2s.n >= 3 && !span_starts(c2s, SPAN_LIT("EHL")))
        return -1;
    return 0;
}

static const struct stream_ops kit_ops = {
    .open = kit_open,
    .data = kit_data,
    .gap = kit_gap,
    .odd = kit_odd,
    .tick = kit_tick,
    .wants_tick = kit_wants,
    .end = kit_end,
    .attempt = kit_attempt,
    .probe = kit_probe,
};

static void
kit_on_tick(void *ctx, ns_t tick)
{
    struct kit *k = ctx;

    REQUIRE(tick > k->tick && tick % (100 * NS_PER_MS) == 0);
    k->tick = tick;
}

static bool
kit_deny(void *ctx)
{
    struct kit *k = ctx;

    return ++k->n_alloc == k->deny_in;
}

/* Limits are set before; memory and flows 0: plenty. */
static enum err
kit_begin(struct kit *k, unsigned worker, unsigned n_workers,
          uint64_t memory_max, uint32_t flows_max)
{
    struct net_options o = {
        .worker = worker,
        .n_workers = n_workers,
        .ports = kit_ports,
        .n_ports = ARRAY_LEN(kit_ports),
        .memory_max = memory_max > 0 ? memory_max : UINT64_C(1) << 30,
        .flows_max = flows_max > 0 ? flows_max : 1 << 20,
        .seed = 25,
        .limits = &k->limits,
        .ops = &kit_ops,
        .ops_ctx = k,
        .on_tick = kit_on_tick,
        .tick_ctx = k,
        .deny = kit_deny,
        .deny_ctx = k,
    };

    buf_init(&k->text, 1 << 20);
    k->now = KIT_START;
    k->isn[DIR_C2S] = KIT_C_ISN;
    k->isn[DIR_S2C] = KIT_S_ISN;
    return net_new(&o, &k->net);
}

static struct kit *
kit_new(void)
{
    struct kit *k = calloc(1, sizeof(*k));

    REQUIRE(k != NULL);
    k->limits = net_limits_default;
    return k;
}

static void
kit_free(struct kit *k)
{
    net_free(k->net);
    for (size_t i = 0; i < k->n; i++)
        kit_flow_fini(&k->f[i]);
    buf_free(&k->text);
    free(k);
}

/* A segment of connection number conn (client port 40000 + conn); seq and ack
 * are offsets. */
struct kit_seg {
    unsigned conn;
    uint16_t port; /* of the server */
    enum dir d;
    unsigned flags;
    uint32_t seq;
    uint32_t ack;
    struct span data;
};

static struct decoded
kit_segment(struct kit *k, struct kit_seg s)
{
    const uint8_t ip[2][4] = {
        {10,  1, (uint8_t)(s.conn >> 14), 7 },
        {192, 0, 2,                       25}
    };
    uint16_t sport = (uint16_t)(40000 + (s.conn & 0x3fff));
    struct decoded p = {
        .kind = PACKET_TCP,
        .src = addr_v4(ip[s.d]),
        .dst = addr_v4(ip[dir_other(s.d)]),
        .ttl = s.d == DIR_C2S ? 64 : 128,
        .proto = 6,
        .ip_id = ++k->id != 0 ? k->id : ++k->id,
        .sport = s.d == DIR_C2S ? sport : s.port,
        .dport = s.d == DIR_C2S ? s.port : sport,
        .seq = s.seq + k->isn[s.d] + 1,
        .ack =
            (s.flags & TCP_ACK) != 0 ? s.ack + k->isn[dir_other(s.d)] + 1 : 0,
        .window = 65535,
        .flags = (uint8_t)s.flags,
        .urgent = (s.flags & TCP_URG) != 0,
        .payload = s.data,
        .payload_len = (uint32_t)s.data.n,
    };

    return p;
}

static void
kit_put(struct kit *k, const struct decoded *p)
{
    (void)net_segment(k->net, p, 0, (uint32_t)p->payload.n + 54, k->now);
}

#endif
