#include "tests/evaluate/rng.h"

#include <math.h>

__extension__ typedef unsigned __int128 u128;

static uint64_t
splitmix(uint64_t *x)
{
    uint64_t z = *x += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void
rng_seed(struct rng *r, uint64_t seed, uint64_t stream)
{
    uint64_t x = seed;
    uint64_t y = splitmix(&x) ^ stream * UINT64_C(0xd1342543de82ef95);

    for (unsigned i = 0; i < 4; i++)
        r->s[i] = splitmix(&y);
}

static inline uint64_t
rotl(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

uint64_t
rng_next(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotl(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

double
rng_unit(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1p-53;
}

/* Lemire 2019: the high word of a product, without the few that would make
 * some numbers likelier. */
uint64_t
rng_below(struct rng *r, uint64_t n)
{
    uint64_t floor = -n % n;

    for (;;) {
        u128 m = (u128)rng_next(r) * n;

        if ((uint64_t)m >= floor)
            return (uint64_t)(m >> 64);
    }
}

bool
rng_chance(struct rng *r, double p)
{
    return p > 0 && rng_unit(r) < p;
}

double
rng_uniform(struct rng *r, double lo, double hi)
{
    return lo + (hi - lo) * rng_unit(r);
}

double
rng_log_uniform(struct rng *r, double lo, double hi)
{
    return lo >= hi ? lo : lo * exp(log(hi / lo) * rng_unit(r));
}

double
rng_exponential(struct rng *r, double mean)
{
    return -mean * log1p(-rng_unit(r));
}

/* Knuth's product of uniforms, in pieces whose exp() does not vanish. */
uint64_t
rng_poisson(struct rng *r, double mean)
{
    uint64_t n = 0;

    while (mean > 0) {
        double piece = mean < 30 ? mean : 30;
        double limit = exp(-piece), p = rng_unit(r);

        for (; p > limit; p *= rng_unit(r))
            n++;
        mean -= piece;
    }
    return n;
}

/* Marsaglia's polar method; the second of its pair is thrown away, so that a
 * stream's state is its four words. */
double
rng_normal(struct rng *r)
{
    double u, v, s;

    do {
        u = rng_uniform(r, -1, 1);
        v = rng_uniform(r, -1, 1);
        s = u * u + v * v;
    } while (s >= 1 || s <= 0);
    return u * sqrt(-2 * log(s) / s);
}

double
rng_lognormal(struct rng *r, double mu, double sigma)
{
    return exp(mu + sigma * rng_normal(r));
}

double
rng_gamma(struct rng *r, double shape)
{
    double boost = shape < 1 ? pow(1 - rng_unit(r), 1 / shape) : 1;
    double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
    double c = 1 / sqrt(9 * d);

    for (;;) {
        double x = rng_normal(r), v = 1 + c * x;

        v = v * v * v;
        if (v > 0 && log1p(-rng_unit(r)) < 0.5 * x * x + d - d * v + d * log(v))
            return boost * d * v;
    }
}

double
rng_beta(struct rng *r, double a, double b)
{
    double x = rng_gamma(r, a), y = rng_gamma(r, b);

    return x + y > 0 ? x / (x + y) : 0.5;
}
