/* study_coverage - how often intervals hold what they claim to hold
 *
 *     study_coverage [--replicates N]
 *
 * The population of DETECTION 7: 60,000 hosts, 15 % bots; messages log-normal
 * (3.5, bots 5.0; 1.3); share of malicious mail Beta(6, 6) of bots and
 * Beta(0.3, 30) of others. Samples of 30, 100 and 300 hosts, for each the 95 %
 * intervals, and whether the share of the population is in them. Fails where
 * one is further from the table of DETECTION 4.3 than chance explains: that
 * table is of 250 replicates. */
#include "rules/study/ratio.h"
#include "rules/study/special.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POPULATION 60000U
#define SAMPLES    400U
#define LEVEL      0.95
#define TABLE_N    250.0 /* replicates behind the figures of DETECTION */

enum method { MESSAGES, LINEAR, EFFECTIVE, PERCENTILE, BCA, STUDENT, DEFF };
#define METHODS 7

static const char *const names[METHODS] = {
    "Wilson over messages",     "linearised, t with H - 1",
    "linearised, effective df", "bootstrap, percentile",
    "bootstrap, BCa",           "bootstrap, t",
    "Wilson, n / deff",
};

/* Coverage in DETECTION 4.3; 0: not there. */
static const struct row {
    size_t hosts;
    double covers[METHODS];
} rows[] = {
    {30,  {.08, .72, 0, .76, 0, 0, .79}},
    {100, {.07, .87, 0, .88, 0, 0, .89}},
    {300, {.09, .86, 0, .85, 0, 0, .90}},
};

/* ---- random numbers ---- */

static uint64_t state = 20040611;

static double
uniform(void) /* above 0, below 1 */
{
    uint64_t z = state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return ((double)((z ^ z >> 31) >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal(void)
{
    return sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform());
}

/* Marsaglia and Tsang (2000). */
static double
gamma_of(double shape)
{
    double boost = 1, d, c;

    if (shape < 1) {
        boost = pow(uniform(), 1 / shape);
        shape += 1;
    }
    d = shape - 1.0 / 3;
    c = 1 / sqrt(9 * d);
    for (;;) {
        const double x = normal(), v = pow(1 + c * x, 3);

        if (v > 0 && log(uniform()) < x * x / 2 + d - d * v + d * log(v))
            return boost * d * v;
    }
}

static double
beta_of(double a, double b)
{
    const double x = gamma_of(a);

    return x / (x + gamma_of(b));
}

static double
binomial(double n, double p)
{
    double k = 0;

    for (double i = 0; i < n; i++)
        k += uniform() < p;
    return k;
}

/* ---- hosts ---- */

static struct ratio_host
host(void)
{
    const bool bot = uniform() < 0.15;
    const double m = fmax(1, round(exp((bot ? 5.0 : 3.5) + 1.3 * normal())));
    const double p = bot ? beta_of(6, 6) : beta_of(0.3, 30);

    return (struct ratio_host){.k = binomial(m, p), .m = m};
}

struct tally {
    double holds[METHODS], width[METHODS];
};

static void
note(struct tally *t, enum method m, struct interval i, double truth)
{
    t->holds[m] += i.low <= truth && truth <= i.high;
    t->width[m] += i.high - i.low;
}

static struct interval
wilson(double share, double n)
{
    struct interval i = {NAN, NAN};

    return share_wilson(share * n, n, LEVEL, &i) ? i : (struct interval){0, 1};
}

static void
replicate(struct tally *t, const struct ratio_host *all, size_t n, double truth,
          unsigned number)
{
    const struct ratio_options o = {LEVEL, SAMPLES, number};
    struct ratio_host v[300];
    double messages = 0, half;
    struct ratio r;

    for (size_t i = 0; i < n; i++) {
        v[i] = all[(size_t)(uniform() * POPULATION)];
        messages += v[i].m;
    }
    if (ratio_of(v, n, &o, &r) != ERR_OK)
        exit(1);
    half = special_t_quantile((double)n - 1, 0.5 + LEVEL / 2) * r.error;
    note(t, MESSAGES, wilson(r.share, messages), truth);
    note(t, LINEAR, (struct interval){r.share - half, r.share + half}, truth);
    note(t, EFFECTIVE, r.linear, truth);
    note(t, PERCENTILE, r.percentile, truth);
    note(t, BCA, r.bca, truth);
    note(t, STUDENT, r.t, truth);
    note(t, DEFF, wilson(r.share, messages / r.deff), truth);
}

/* Three standard errors of the difference of two shares. */
static bool
is_near(double got, double n, double wanted)
{
    return fabs(got - wanted) <=
           3 * sqrt(wanted * (1 - wanted) * (1 / n + 1 / TABLE_N));
}

static bool
judge(const struct row *row, const struct ratio_host *all, double truth,
      unsigned replicates)
{
    struct tally t = {0};
    bool good = true;

    for (unsigned i = 0; i < replicates; i++)
        replicate(&t, all, row->hosts, truth, i);
    for (unsigned m = 0; m < METHODS; m++) {
        const double covers = t.holds[m] / replicates;
        const bool near =
            row->covers[m] <= 0 || is_near(covers, replicates, row->covers[m]);

        printf("%3zu hosts  %-26s covers %5.1f %%, width %.3f", row->hosts,
               names[m], 100 * covers, t.width[m] / replicates);
        if (row->covers[m] > 0)
            printf("; DETECTION 4.3 has %.0f %%%s", 100 * row->covers[m],
                   near ? "" : "  TOO FAR");
        putchar('\n');
        good &= near;
    }
    return good;
}

int
main(int argc, char **argv)
{
    const unsigned replicates =
        argc == 3 && strcmp(argv[1], "--replicates") == 0
            ? (unsigned)strtoul(argv[2], NULL, 10)
            : 250;
    struct ratio_host *all = calloc(POPULATION, sizeof(*all));
    double k = 0, m = 0;
    bool good = all != NULL && replicates > 0;

    for (unsigned i = 0; good && i < POPULATION; i++) {
        all[i] = host();
        k += all[i].k;
        m += all[i].m;
    }
    if (good)
        printf("%u replicates; share in the population %.3f\n", replicates,
               k / m);
    for (size_t i = 0; all != NULL && i < sizeof(rows) / sizeof(rows[0]); i++)
        good &= judge(&rows[i], all, k / m, replicates);
    free(all);
    return good ? 0 : 1;
}
