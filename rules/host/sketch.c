#include "rules/host/sketch.h"

#include <math.h>

#define SMALL       64U
#define RANK_MAX    52U
#define SMALL_ERROR 130U /* 1.04 / sqrt(64), of a thousand */
#define LARGE_ERROR 65U  /* 1.04 / sqrt(256) */

/* The register is chosen by the low bits; the rank is the place of the first
 * bit set above. */
static bool
touch(uint8_t *reg, uint32_t m, uint64_t hash)
{
    uint64_t rest = hash / m;
    unsigned rank = rest == 0 ? RANK_MAX : (unsigned)__builtin_ctzll(rest) + 1;
    uint8_t *r = &reg[hash % m];

    if (rank > RANK_MAX)
        rank = RANK_MAX;
    if (rank <= *r)
        return false;
    *r = (uint8_t)rank;
    return true;
}

static bool
add_exact(struct sketch *d, uint64_t hash)
{
    for (unsigned i = 0; i < d->n; i++) {
        if (d->u.exact[i] == hash)
            return false;
    }
    if (d->n < SKETCH_EXACT)
        d->u.exact[d->n] = hash;
    d->n++; /* one more than SKETCH_EXACT: the caller makes a sketch */
    return true;
}

static void
make_sketch(struct sketch *d, struct pool *large)
{
    uint64_t exact[SKETCH_EXACT];
    uint8_t *reg = d->u.reg;
    uint32_t m = SMALL;

    memcpy(exact, d->u.exact, sizeof(exact));
    memset(&d->u, 0, sizeof(d->u));
    d->n = 0;
    d->kind = SKETCH_IS_SMALL;
    d->large = pool_take(large);
    if (d->large != POOL_NONE) {
        d->kind = SKETCH_IS_LARGE;
        reg = pool_at(large, d->large);
        m = SKETCH_LARGE;
    }
    for (size_t i = 0; i < SKETCH_EXACT; i++)
        (void)touch(reg, m, exact[i] >> 1);
}

bool
sketch_add(struct sketch *d, struct pool *large, uint64_t hash)
{
    if (d->kind == SKETCH_IS_EXACT) {
        if (!add_exact(d, hash | 1))
            return false;
        if (d->n <= SKETCH_EXACT)
            return true;
        make_sketch(d, large);
    }
    hash |= 1;
    if (d->kind == SKETCH_IS_SMALL)
        return touch(d->u.reg, SMALL, hash >> 1);
    return touch(pool_at(large, d->large), SKETCH_LARGE, hash >> 1);
}

static uint64_t
estimate(const uint8_t *reg, uint32_t m, double alpha)
{
    uint64_t sum = 0; /* of 2^-register, in units of 2^-RANK_MAX */
    uint32_t zeros = 0;
    double e;

    for (uint32_t i = 0; i < m; i++) {
        sum += UINT64_C(1) << (RANK_MAX - reg[i]);
        zeros += reg[i] == 0;
    }
    e = alpha * m * m * (double)(UINT64_C(1) << RANK_MAX) / (double)sum;
    if (e <= 2.5 * m && zeros > 0) /* few: count the empty ones */
        e = m * log((double)m / zeros);
    return (uint64_t)(e + .5);
}

uint64_t
sketch_count(const struct sketch *d, const struct pool *large)
{
    uint64_t n;

    if (d->kind == SKETCH_IS_EXACT)
        return d->n;
    n = d->kind == SKETCH_IS_SMALL
            ? estimate(d->u.reg, SMALL, .709)
            : estimate(pool_at(large, d->large), SKETCH_LARGE, .7182725);
    /* A sketch is made of more than these. */
    return n > SKETCH_EXACT ? n : SKETCH_EXACT + 1;
}

uint32_t
sketch_error_permille(const struct sketch *d)
{
    static const uint32_t errors[] = {0, SMALL_ERROR, LARGE_ERROR};

    return errors[d->kind];
}

void
sketch_clear(struct sketch *d, struct pool *large)
{
    if (d->kind == SKETCH_IS_LARGE)
        pool_give(large, d->large);
    memset(d, 0, sizeof(*d));
}

static bool
ranks_hold(const uint8_t *reg, uint32_t m)
{
    uint8_t most = 0;

    for (uint32_t i = 0; i < m; i++)
        most = reg[i] > most ? reg[i] : most;
    return most <= RANK_MAX;
}

bool
sketch_valid(const struct sketch *d, const struct pool *large)
{
    if (d->kind > SKETCH_IS_LARGE || d->n > SKETCH_EXACT)
        return false;
    if (d->kind == SKETCH_IS_LARGE)
        return d->large != POOL_NONE && d->large <= large->high &&
               ranks_hold(pool_at(large, d->large), SKETCH_LARGE);
    return d->large == POOL_NONE &&
           (d->kind == SKETCH_IS_EXACT || ranks_hold(d->u.reg, SMALL));
}
