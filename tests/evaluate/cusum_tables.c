#include "tests/evaluate/cusum_tables.h"

#include <math.h>

#include "rules/host/cusum.h"
#include "tests/evaluate/rng.h"

#define NATS(score) ((double)(score) / 1000)
#define RUNS_MAX    20000U
#define LONGEST     1000000U /* observations of one run */

struct design {
    double normal, bad;
    double up, down, kl, ceiling; /* as DETECTION 1.2 prints them */
    double w[4];
};

static const double w_at[4] = {.02, .05, .10, .20};
static const struct design designs[] = {
    {.20, .90, 1.504, -2.079, 1.146, .58, {2.60, 1.98, 1.50, 1.00}},
    {.05, .40, 2.079, -.460,  .556,  .18, {1.57, 1.00, .51, 0}    },
    {.10, .50, 1.609, -.588,  .511,  .27, {2.24, 1.57, 1.00, .34} },
    {.02, .25, 2.526, -.267,  .431,  .10, {1.00, .46, 0, 0}       },
};

static const double levels[] = {6.9, 9.2, 11.5, 13.8, 17.4};
#define N_LEVELS ARRAY_LEN(levels)

static const struct delay {
    double normal, bad, truth;
    unsigned median[N_LEVELS], p95[N_LEVELS];
} delays[] = {
    {.05, .40, .20, {38, 60, 84, 110, 161}, {127, 205, 281, 369, 489}},
    {.05, .40, .30, {17, 24, 30, 37, 49},   {47, 60, 77, 87, 104}    },
    {.05, .40, .40, {11, 15, 19, 23, 30},   {26, 33, 39, 47, 53}     },
    {.05, .40, .60, {6, 9, 11, 13, 16},     {12, 16, 19, 22, 26}     },
    {.05, .40, .90, {4, 5, 6, 8, 10},       {6, 7, 8, 11, 13}        },
    {.20, .90, .60, {15, 25, 36, 47, 67},   {50, 78, 115, 152, 222}  },
    {.20, .90, .90, {5, 8, 10, 12, 14},     {10, 13, 15, 19, 22}     },
};

static const struct rate {
    double level, truth, per_1000;
} rates[] = {
    {9.2,  .02, 0   },
    {9.2,  .05, .01 },
    {9.2,  .10, .69 },
    {9.2,  .20, 12.8},
    {11.5, .02, 0   },
    {11.5, .05, 0   },
    {11.5, .10, .16 },
    {11.5, .20, 9.2 },
};

/* A figure that was printed with so many decimals, and computed exactly. */
static bool
is_printed(double printed, double got, double unit)
{
    return fabs(printed - got) <= unit * .5 + 1e-3;
}

static double
excess(double theta, double up, double down, double w)
{
    return theta * exp(w * up) + (1 - theta) * exp(w * down) - 1;
}

double
cusum_root(double theta, double up, double down)
{
    double lo = 1e-9, hi = 1;

    if (theta * up + (1 - theta) * down >= 0)
        return 0;
    while (excess(theta, up, down, hi) < 0)
        hi *= 2;
    for (unsigned i = 0; i < 200; i++) {
        double mid = (lo + hi) / 2;

        if (excess(theta, up, down, mid) < 0)
            lo = mid;
        else
            hi = mid;
    }
    return hi;
}

/* ---- designs ---- */

static unsigned
design_row(const struct design *d, struct buf *out)
{
    struct cusum_steps s = cusum_bernoulli(d->normal, d->bad);
    double up = NATS(s.up), down = NATS(s.down);
    double kl = d->bad * up + (1 - d->bad) * down;
    double ceiling = -down / (up - down);
    unsigned wrong = 0;

    wrong += !is_printed(d->up, up, .001) || !is_printed(d->down, down, .001);
    wrong += !is_printed(d->kl, kl, .001);
    wrong += !is_printed(d->ceiling, ceiling, .01);
    buf_printf(out, "| (%.2f, %.2f) | %+.3f / %+.3f | %.3f | %.2f |", d->normal,
               d->bad, up, down, kl, ceiling);
    for (unsigned i = 0; i < 4; i++) {
        double w = cusum_root(w_at[i], up, down);

        wrong += !is_printed(d->w[i], w, .01);
        buf_printf(out, " %.2f |", w);
    }
    buf_str(out, wrong > 0 ? " differs |\n" : " |\n");
    return wrong;
}

static unsigned
design_table(struct buf *out)
{
    unsigned wrong = 0;

    buf_str(out, "| design | steps | KL | theta* | w(.02) | w(.05) | w(.10) | "
                 "w(.20) | |\n|---|---|---|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(designs); i++)
        wrong += design_row(&designs[i], out);
    return wrong;
}

/* ---- delays ---- */

static uint32_t
run_length(struct rng *r, struct cusum_steps steps, double truth, double level)
{
    struct cusum c = cusum_init(steps);
    uint32_t n = 0;

    while (NATS(c.score) < level && n++ < LONGEST)
        cusum_add(&c, rng_chance(r, truth));
    return n;
}

static int
by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Share of the sorted lengths up to at. */
static double
share_to(const uint32_t *v, unsigned n, uint32_t at)
{
    unsigned k = 0;

    while (k < n && v[k] <= at)
        k++;
    return (double)k / n;
}

/* Was that, printed from 1,500 runs, the q of these lengths? Both have Monte
 * Carlo error: four standard errors of the share, and a message of rounding. */
static bool
is_quantile(const uint32_t *v, unsigned n, uint32_t printed, double q)
{
    double error = 4 * sqrt(q * (1 - q) * (1 / 1500.0 + 1.0 / n));

    return share_to(v, n, printed + 1) >= q - error &&
           (printed == 0 || share_to(v, n, printed - 2) <= q + error);
}

static unsigned
delay_cell(struct rng *r, const struct delay *d, size_t level, unsigned runs,
           struct buf *out)
{
    struct cusum_steps steps = cusum_bernoulli(d->normal, d->bad);
    uint32_t *v = malloc(runs * sizeof(*v));
    bool good;

    REQUIRE(v != NULL);
    for (unsigned i = 0; i < runs; i++)
        v[i] = run_length(r, steps, d->truth, levels[level]);
    qsort(v, runs, sizeof(*v), by_size);
    good = is_quantile(v, runs, d->median[level], .5) &&
           is_quantile(v, runs, d->p95[level], .95);
    buf_printf(out, " %u / %u%s (%u / %u) |", v[runs / 2], v[runs * 95 / 100],
               good ? "" : " differs", d->median[level], d->p95[level]);
    free(v);
    return !good;
}

static unsigned
delay_table(struct rng *r, unsigned runs, struct buf *out)
{
    unsigned wrong = 0;

    buf_str(out, "\nDelay in observations, median / 95th percentile; in "
                 "brackets what DETECTION prints.\n\n| design, true |");
    for (size_t k = 0; k < N_LEVELS; k++)
        buf_printf(out, " h = %.1f |", levels[k]);
    buf_str(out, "\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < ARRAY_LEN(delays); i++) {
        const struct delay *d = &delays[i];

        buf_printf(out, "| (%.2f, %.2f) %.2f |", d->normal, d->bad, d->truth);
        for (size_t k = 0; k < N_LEVELS; k++)
            wrong += delay_cell(r, d, k, runs, out);
        buf_putc(out, '\n');
    }
    return wrong;
}

/* ---- false alarms ---- */

static unsigned
count_alarms(struct rng *r, const struct rate *f, unsigned n)
{
    struct cusum c = cusum_init(cusum_bernoulli(.05, .40));
    unsigned alarms = 0;

    for (unsigned i = 0; i < n; i++) {
        cusum_add(&c, rng_chance(r, f->truth));
        if (NATS(c.score) < f->level)
            continue;
        alarms++;
        c.score = 0;
    }
    return alarms;
}

/* Printed from 400,000 observations; counts of about Poisson's spread. */
static bool
is_rate(const struct rate *f, unsigned alarms, unsigned n)
{
    double want = f->per_1000, got = alarms * 1000.0 / n;
    double unit = want >= 1 ? .1 : .01;
    double error = 4 * sqrt((fmax(want, got) + 1000.0 / n) *
                            (1000.0 / n + 1000 / 400000.0));

    return fabs(want - got) <= error + unit / 2;
}

static unsigned
rate_table(struct rng *r, unsigned n, struct buf *out)
{
    unsigned wrong = 0;

    buf_printf(out,
               "\nFalse alarms in 1,000 observations of (.05, .40), %u "
               "observations each.\n\n| h | true | here | DETECTION | "
               "|\n|---|---|---|---|---|\n",
               n);
    for (size_t i = 0; i < ARRAY_LEN(rates); i++) {
        unsigned alarms = count_alarms(r, &rates[i], n);
        bool good = is_rate(&rates[i], alarms, n);

        buf_printf(out, "| %.1f | %.2f | %.3f | %g | %s|\n", rates[i].level,
                   rates[i].truth, alarms * 1000.0 / n, rates[i].per_1000,
                   good ? "" : "differs ");
        wrong += !good;
    }
    return wrong;
}

unsigned
cusum_tables(uint64_t seed, unsigned runs, unsigned observations,
             struct buf *out)
{
    struct rng r;
    unsigned wrong;

    rng_seed(&r, seed, 12);
    if (runs > RUNS_MAX)
        runs = RUNS_MAX;
    wrong = design_table(out);
    wrong += delay_table(&r, runs, out);
    wrong += rate_table(&r, observations, out);
    buf_printf(out, "\n%u cells differ.\n", wrong);
    return wrong;
}
