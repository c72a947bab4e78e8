/* study_series - how often intervals of a change hold what they claim to hold
 *
 *     study_series [--replicates N]
 *
 * Days without any change: normal numbers of which each has so much (rho) of
 * the one before. For each size and rho the share of 95 % intervals, of the
 * change of level, of trend and of the mean, that hold nought. Fails where
 * those of ar1 are further from 95 % than series.h tells, or those of Newey and
 * West were better. */
#include "rules/study/random.h"
#include "rules/study/series.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL 0.95
#define TERMS 3
/* A short run, of the smaller ones. */
#define SHORT      80U
#define SHORT_SIDE 28U

/* least: of ar1, as series.h tells. */
static const struct row {
    unsigned side;
    bool weekdays;
    double rho, least;
} rows[] = {
    {8,  false, 0,   0.90},
    {8,  false, 0.3, 0.89},
    {8,  false, 0.6, 0.85},
    {14, true,  0,   0.91},
    {14, true,  0.3, 0.90},
    {14, true,  0.6, 0.90},
    {28, true,  0,   0.92},
    {28, true,  0.3, 0.92},
    {28, true,  0.6, 0.92},
    {56, true,  0,   0.92},
    {56, true,  0.3, 0.92},
    {56, true,  0.6, 0.92},
};

struct tally {
    double ar1[TERMS], newey_west[TERMS];
};

static double
normal(uint64_t *state)
{
    return sqrt(2 * random_exponential(state)) *
           cos(6.283185307179586 * random_share(state));
}

static void
note(double *holds, const struct series_fitted *f)
{
    const struct series_term *const terms[TERMS] = {
        &f->level_change, &f->trend_change, &f->mean_change};

    for (unsigned i = 0; i < TERMS; i++)
        holds[i] += terms[i]->interval.low <= 0 && terms[i]->interval.high >= 0;
}

static void
replicate(const struct row *row, uint64_t *state, struct tally *t)
{
    const struct series_options o = {row->side, LEVEL, SERIES_COUNTS,
                                     row->weekdays, SERIES_LAG_DEFAULT};
    struct series_day v[128];
    double z = normal(state) / sqrt(1 - row->rho * row->rho);
    struct series s;

    for (unsigned i = 0; i < 2 * row->side; i++) {
        v[i] = (struct series_day){i, 1000 + z};
        z = row->rho * z + normal(state);
    }
    if (series_of(v, 2 * (size_t)row->side, &o, &s) != SERIES_FINE)
        exit(1);
    note(t->ar1, &s.ar1);
    note(t->newey_west, &s.newey_west);
}

static bool
judge(const struct row *row, unsigned replicates)
{
    uint64_t state = 20021012;
    struct tally t = {0};
    bool good = true;

    for (unsigned i = 0; i < replicates; i++)
        replicate(row, &state, &t);
    printf("%2u days a side%s, rho %.1f: ", row->side,
           row->weekdays ? ", weekdays" : "          ", row->rho);
    for (unsigned i = 0; i < TERMS; i++) {
        const double holds = t.ar1[i] / replicates;
        const double chance = 3 * sqrt(0.07 / replicates);

        good &= holds >= row->least - chance && holds <= 0.96 + chance;
        good &= fabs(holds - LEVEL) <=
                fabs(t.newey_west[i] / replicates - LEVEL) + chance;
        printf(" %5.1f", 100 * holds);
    }
    printf("   Newey and West:");
    for (unsigned i = 0; i < TERMS; i++)
        printf(" %5.1f", 100 * t.newey_west[i] / replicates);
    puts(good ? "" : "  TOO FAR");
    return good;
}

int
main(int argc, char **argv)
{
    const unsigned replicates =
        argc == 3 && strcmp(argv[1], "--replicates") == 0
            ? (unsigned)strtoul(argv[2], NULL, 10)
            : SHORT;
    bool good = replicates > 0;

    printf("%u replicates; %% of intervals of level, trend and mean that hold "
           "nought, for 95\n",
           replicates);
    for (size_t i = 0; good && i < sizeof(rows) / sizeof(rows[0]); i++)
        good = (replicates <= SHORT && rows[i].side > SHORT_SIDE) ||
               judge(&rows[i], replicates);
    return good ? 0 : 1;
}
