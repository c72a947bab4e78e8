#include "rules/host/cusum.h"

#include <math.h>

#define HOUR_US     UINT64_C(3600000000)
#define SHARE_LEAST 0.000001
#define RATE_LEAST  0.001
#define RATE_MOST   1000000.0

static double
within(double v, double least, double most)
{
    if (!(v > least))
        return least;
    return v > most ? most : v;
}

static int32_t
thousandths(double nats)
{
    return (int32_t)lround(nats * 1000);
}

struct cusum_steps
cusum_bernoulli(double normal, double bad)
{
    double p = within(normal, SHARE_LEAST, 1 - 2 * SHARE_LEAST);
    double q = within(bad, p + SHARE_LEAST / 2, 1 - SHARE_LEAST);

    return (struct cusum_steps){
        .up = thousandths(log(q / p)),
        .down = thousandths(log((1 - q) / (1 - p))),
    };
}

struct cusum_steps
cusum_poisson(double normal, double bad)
{
    double p = within(normal, RATE_LEAST, RATE_MOST / 2);
    double q = within(bad, p, RATE_MOST);

    return (struct cusum_steps){
        .up = thousandths(log(q / p)),
        .hour = (uint32_t)thousandths(q - p),
    };
}

struct cusum
cusum_init(struct cusum_steps steps)
{
    return (struct cusum){.steps = steps};
}

void
cusum_add(struct cusum *c, bool x)
{
    c->score = cusum_next(&c->steps, c->score, x);
}

int32_t
cusum_fall(const struct cusum_steps *s, int32_t score, uint32_t *rest,
           ns_t elapsed)
{
    uint64_t us = elapsed / NS_PER_US;
    uint64_t whole = us / HOUR_US;
    uint64_t part;
    uint64_t fall;

    if (s->hour == 0 || score == 0)
        return score;
    /* Long before this the score is 0, and nothing below overflows. */
    if (whole >= CUSUM_MAX) {
        *rest = 0;
        return 0;
    }
    part = us % HOUR_US * s->hour + *rest;
    fall = whole * s->hour + part / HOUR_US;
    *rest = fall >= (uint64_t)score ? 0 : (uint32_t)(part % HOUR_US);
    return fall >= (uint64_t)score ? 0 : (int32_t)((uint64_t)score - fall);
}

void
cusum_time(struct cusum *c, ns_t elapsed)
{
    c->score = cusum_fall(&c->steps, c->score, &c->rest, elapsed);
}
