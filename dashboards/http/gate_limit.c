#include "dashboards/http/gate_limit.h"

struct bucket {
    uint64_t key;
    ns_t full_at; /* 0: not in use */
};

struct gate_limit {
    struct gate_rate rate;
    struct bucket buckets[GATE_BUCKETS];
};

struct gate_limit *
gate_limit_new(struct gate_rate rate)
{
    struct gate_limit *l = calloc(1, sizeof(*l));

    if (l != NULL)
        l->rate = rate;
    return l;
}

void
gate_limit_free(struct gate_limit *l)
{
    free(l);
}

/* Its place, or GATE_BUCKETS. */
static size_t
find(const struct gate_limit *l, uint64_t key)
{
    size_t i = 0;

    while (i < GATE_BUCKETS &&
           (l->buckets[i].full_at == 0 || l->buckets[i].key != key))
        i++;
    return i;
}

/* What takes `every` to come back, for all but one token. */
static ns_t
slack(const struct gate_limit *l)
{
    return (l->rate.burst - 1) * l->rate.every;
}

/* Later than it can be: the clock was set back. Nobody is shut out by that. */
static bool
is_odd(const struct gate_limit *l, const struct bucket *b, ns_t now)
{
    return b->full_at > now + l->rate.burst * l->rate.every;
}

ns_t
gate_limit_wait(const struct gate_limit *l, uint64_t key, ns_t now)
{
    const size_t i = find(l, key);
    const struct bucket *b = &l->buckets[i];

    if (i == GATE_BUCKETS || is_odd(l, b, now) || b->full_at <= now + slack(l))
        return 0;
    return b->full_at - slack(l) - now;
}

static struct bucket *
place(struct gate_limit *l)
{
    struct bucket *first = &l->buckets[0];

    for (size_t i = 1; i < GATE_BUCKETS; i++) {
        if (l->buckets[i].full_at < first->full_at)
            first = &l->buckets[i];
    }
    return first;
}

void
gate_limit_take(struct gate_limit *l, uint64_t key, ns_t now)
{
    const size_t i = find(l, key);
    struct bucket *b = i < GATE_BUCKETS ? &l->buckets[i] : place(l);

    if (i == GATE_BUCKETS)
        *b = (struct bucket){.key = key, .full_at = now};
    if (b->full_at < now || is_odd(l, b, now))
        b->full_at = now;
    b->full_at += l->rate.every;
}

void
gate_limit_give(struct gate_limit *l, uint64_t key)
{
    const size_t i = find(l, key);

    if (i < GATE_BUCKETS)
        l->buckets[i].full_at -= l->rate.every;
}
