#include "rules/host/distinct.h"

#include <math.h>

#include "sensor/base/hash.h"

#define ALPHA 0.709 /* of 64 registers */

static void
register_add(struct distinct *d, uint32_t hash)
{
    uint64_t h = hash_mix(0, hash);
    uint8_t rank = (uint8_t)(__builtin_clzll(h | 64U) + 1);
    uint8_t *r = &d->reg[h % DISTINCT_REGISTERS];

    if (rank > *r)
        *r = rank;
}

static void
make_many(struct distinct *d)
{
    struct distinct wide = {.many = true};

    for (unsigned i = 0; i < d->n; i++)
        register_add(&wide, d->exact[i]);
    *d = wide;
}

bool
distinct_add(struct distinct *d, uint32_t hash)
{
    if (d->many) {
        register_add(d, hash);
        return false;
    }
    for (unsigned i = 0; i < d->n; i++) {
        if (d->exact[i] == hash)
            return false;
    }
    if (d->n < DISTINCT_EXACT) {
        d->exact[d->n++] = hash;
        return true;
    }
    make_many(d);
    register_add(d, hash);
    return true;
}

/* 2^-n; asked for 64 at a time, so that ldexp was a twentieth of all work. */
static double
half_to(uint8_t n)
{
    uint64_t bits = (UINT64_C(1023) - n) << 52;
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

uint32_t
distinct_count(const struct distinct *d)
{
    double sum = 0, guess;
    unsigned zeros = 0;
    const double m = DISTINCT_REGISTERS;

    if (!d->many)
        return d->n;
    for (unsigned i = 0; i < DISTINCT_REGISTERS; i++) {
        sum += half_to(d->reg[i]);
        zeros += d->reg[i] == 0;
    }
    guess = ALPHA * m * m / sum;
    if (guess <= 2.5 * m && zeros > 0)
        guess = m * log(m / zeros);
    if (guess < DISTINCT_EXACT + 1)
        return DISTINCT_EXACT + 1;
    return guess < UINT32_MAX ? (uint32_t)(guess + 0.5) : UINT32_MAX;
}

uint32_t
distinct_union(const struct distinct *a, const struct distinct *b)
{
    struct distinct both = *a;

    if (!b->many) {
        for (unsigned i = 0; i < b->n; i++)
            (void)distinct_add(&both, b->exact[i]);
        return distinct_count(&both);
    }
    if (!both.many)
        make_many(&both);
    for (unsigned i = 0; i < DISTINCT_REGISTERS; i++) {
        if (b->reg[i] > both.reg[i])
            both.reg[i] = b->reg[i];
    }
    return distinct_count(&both);
}
