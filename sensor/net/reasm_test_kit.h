#ifndef SPAN25_NET_REASM_TEST_KIT_H
#define SPAN25_NET_REASM_TEST_KIT_H
/* reasm_test_kit - reassembly beside a model of it, for reasm_test.c and
 * reasm_fuzz.c only
 *
 * The model is one array: for each byte of the stream whether it came, was cut
 * off by the capture, or is missing, and its first reading. Each call back is
 * held against it; after each segment reasm must be as far as the model. */
#include "sensor/event/anomaly.h"
#include "sensor/net/reasm.h"

#define MODEL_N 2048

enum model_byte { MODEL_MISSING, MODEL_SEEN, MODEL_CUT };

struct model {
    struct reasm r;
    struct net_mem mem;
    struct reasm_pool pool;
    uint8_t have[MODEL_N];
    uint8_t val[MODEL_N];
    uint64_t next; /* told so far */
    uint64_t acked;
    ns_t now;
    bool giving_up; /* missing bytes may be told lost now */
    unsigned n_odd;
    unsigned deny_in;
    unsigned n_alloc;
};

static void
model_data(void *ctx, struct span s, uint64_t off, uint64_t acked, ns_t seen)
{
    struct model *m = ctx;

    REQUIRE(off == m->next && s.n > 0 && off + s.n <= MODEL_N);
    REQUIRE(acked <= off); /* the segments say where they began */
    REQUIRE(seen > 0 && seen <= m->now);
    for (size_t i = 0; i < s.n; i++)
        REQUIRE(m->have[off + i] == MODEL_SEEN && m->val[off + i] == s.p[i]);
    m->next += s.n;
}

static void
model_gap(void *ctx, uint64_t lost)
{
    struct model *m = ctx;

    REQUIRE(lost > 0 && m->next + lost <= MODEL_N);
    for (uint64_t i = m->next; i < m->next + lost; i++)
        REQUIRE(m->have[i] == MODEL_CUT ||
                (m->giving_up && m->have[i] == MODEL_MISSING));
    m->next += lost;
}

static void
model_odd(void *ctx, unsigned kind, uint64_t off, struct span other)
{
    struct model *m = ctx;

    REQUIRE(kind == ANOM_OVERLAP_DIFFERS && off + other.n <= MODEL_N);
    m->n_odd++;
}

static const struct reasm_ops model_ops = {model_data, model_gap, model_odd};

static bool
model_deny(void *ctx)
{
    struct model *m = ctx;

    return ++m->n_alloc == m->deny_in;
}

static void
model_init(struct model *m, uint32_t base)
{
    *m = (struct model){.now = 1};
    m->mem.max = UINT64_MAX;
    m->mem.deny = model_deny;
    m->mem.deny_ctx = m;
    reasm_base(&m->r, base, REASM_BASE, &m->acked);
}

static struct reasm_env
model_env(struct model *m)
{
    return (struct reasm_env){&model_ops, m,        &m->mem, &m->pool,
                              m->now,     m->acked, 25,      false};
}

/* How far the model could be told without giving anything up. */
static uint64_t
model_reach(const struct model *m)
{
    uint64_t at = m->next;

    while (at < MODEL_N && m->have[at] != MODEL_MISSING)
        at++;
    return at;
}

/* A segment of len bytes at off, of which s was captured. */
static unsigned
model_put(struct model *m, uint64_t off, struct span s, uint32_t len)
{
    struct reasm_env e = model_env(m);
    struct reasm_seg seg = {s, off, len, off, m->now + 1};
    unsigned met;

    REQUIRE(off + len <= MODEL_N && len > 0);
    for (uint64_t i = 0; i < len; i++) {
        if (off + i < m->next || m->have[off + i] != MODEL_MISSING)
            continue;
        m->have[off + i] = i < s.n ? MODEL_SEEN : MODEL_CUT;
        m->val[off + i] = i < s.n ? s.p[i] : 0;
    }
    m->giving_up = m->deny_in != 0;
    m->now++;
    met = reasm_put(&m->r, &e, &seg);
    m->giving_up = false;
    REQUIRE(m->r.next == m->next);
    REQUIRE(m->next == model_reach(m));
    REQUIRE(reasm_has_hole(&m->r) ==
            (reasm_hole_end(&m->r, m->acked) > m->next));
    return met;
}

static void
model_give_up(struct model *m, uint64_t upto)
{
    struct reasm_env e = model_env(m);

    m->giving_up = true;
    reasm_give_up(&m->r, &e, upto);
    m->giving_up = false;
    REQUIRE(m->r.next == m->next);
}

static void
model_fini(struct model *m)
{
    struct reasm_env e = model_env(m);

    m->giving_up = true;
    reasm_flush(&m->r, &e);
    REQUIRE(m->r.next == m->next && m->r.ahead == 0);
    REQUIRE(!reasm_has_hole(&m->r));
    reasm_clear(&m->r, &m->mem, &m->pool);
    REQUIRE(m->mem.used == 0);
    reasm_pool_fini(&m->pool);
}

#endif
