/* Against values that tables and papers print, and small cases done by hand. */
#include "tests/evaluate/stat.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

static void
near_to(const char *why, double got, double want, double by)
{
    if (!(fabs(got - want) <= by))
        fail_msg("%s: got %.6g, want %.6g", why, got, want);
}

static void
quantiles(void **state)
{
    (void)state;
    near_to("normal .975", stat_normal_quantile(.975), 1.959964, 1e-6);
    near_to("normal .05", stat_normal_quantile(.05), -1.644854, 1e-6);
    near_to("chi2 1 .95", stat_chi2_quantile(1, .95), 3.841459, 1e-5);
    near_to("chi2 2 .95", stat_chi2_quantile(2, .95), 5.991465, 1e-5);
    near_to("chi2 10 .025", stat_chi2_quantile(10, .025), 3.246973, 1e-5);
    near_to("chi2 100 .975", stat_chi2_quantile(100, .975), 129.5612, 1e-3);
    near_to("chi2 2000 .5", stat_chi2_quantile(2000, .5), 1999.333, 1e-2);
    near_to("beta 1 1", stat_beta_cdf(1, 1, .3), .3, 1e-12);
    near_to("beta 2 3", stat_beta_cdf(2, 3, .4), .5248, 1e-9);
    near_to("beta 500 500", stat_beta_cdf(500, 500, .5), .5, 1e-9);
    near_to("beta quantile", stat_beta_quantile(2, 3, .5248), .4, 1e-9);
}

static const struct {
    const char *why;
    struct interval (*of)(uint64_t k, uint64_t n, double level);
    uint64_t k, n;
    double lo, hi;
} shares[] = {
  /* Newcombe 1998, table I, methods 3 and 5 */
    {"Wilson 81/263",  stat_wilson,          81,  263, .2553, .3662},
    {"Wilson 15/148",  stat_wilson,          15,  148, .0624, .1605},
    {"Wilson 0/20",    stat_wilson,          0,   20,  0,     .1611},
    {"Wilson 1/29",    stat_wilson,          1,   29,  .0061, .1718},
    {"exact 81/263",   stat_clopper_pearson, 81,  263, .2527, .3676},
    {"exact 15/148",   stat_clopper_pearson, 15,  148, .0578, .1617},
    {"exact 0/20",     stat_clopper_pearson, 0,   20,  0,     .1684},
    {"exact 1/29",     stat_clopper_pearson, 1,   29,  .0009, .1776},
    {"exact 20/20",    stat_clopper_pearson, 20,  20,  .8316, 1    },
 /* DETECTION 1.1: SPOT's own precision and recall */
    {"SPOT precision", stat_wilson,          126, 132, .904,  .979 },
    {"SPOT recall",    stat_wilson,          126, 133, .895,  .974 },
    {"nothing",        stat_wilson,          0,   0,   0,     1    },
};

static void
intervals_of_shares(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        struct interval got = shares[i].of(shares[i].k, shares[i].n, .95);

        near_to(shares[i].why, got.lo, shares[i].lo, 6e-4);
        near_to(shares[i].why, got.hi, shares[i].hi, 6e-4);
    }
}

static void
rates(void **state)
{
    struct interval i;

    (void)state;
    i = stat_poisson(0, 1, .95);
    near_to("none, below", i.lo, 0, 0);
    near_to("none, two-sided 3.69", i.hi, 3.6889, 1e-3);
    near_to("none, one-sided 3.00", stat_poisson_upper(0, 1, .95), 2.9957,
            1e-3);
    i = stat_poisson(10, 2, .95);
    near_to("10 events, below", i.lo, 4.7954 / 2, 1e-3);
    near_to("10 events, above", i.hi, 18.3904 / 2, 1e-3);
}

static void
mcnemar(void **state)
{
    (void)state;
    near_to("alike", stat_mcnemar(5, 5), 1, 0);
    near_to("no pair differs", stat_mcnemar(0, 0), 1, 0);
    near_to("5 to 0: 2/32", stat_mcnemar(5, 0), .0625, 1e-9);
    near_to("1 to 9: 2*11/1024", stat_mcnemar(1, 9), 22.0 / 1024, 1e-9);
    near_to("both ways the same", stat_mcnemar(9, 1), 22.0 / 1024, 1e-9);
}

static void
survival(void **state)
{
    /* Freireich 1963, 6-MP: the textbook's table; 1 - S(t) of it */
    static const double reached[] = {6, 6, 6, 7, 10, 13, 16, 22, 23};
    static const double censored[] = {6,  9,  10, 11, 17, 19,
                                      20, 25, 32, 32, 34, 35};
    struct stat_time v[21], none[] = {
                                {5, false},
                                {7, false}
    };
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(reached); i++)
        v[n++] = (struct stat_time){reached[i], true};
    for (size_t i = 0; i < ARRAY_LEN(censored); i++)
        v[n++] = (struct stat_time){censored[i], false};
    near_to("S(6) = .857", stat_km_reached(v, n, 6), 1 - .857, 1e-3);
    near_to("S(10) = .753", stat_km_reached(v, n, 10), 1 - .753, 1e-3);
    near_to("S(23) = .448", stat_km_reached(v, n, 23), 1 - .448, 1e-3);
    near_to("median 23", stat_km_quantile(v, n, .5), 23, 0);
    assert_true(isinf(stat_km_quantile(v, n, .9)));
    assert_true(isinf(stat_km_quantile(none, 2, .5)));
    assert_true(isinf(stat_km_quantile(NULL, 0, .5)));
}

static void
spreads(void **state)
{
    static const double v[] = {2, 4, 4, 4, 5, 5, 7, 9};
    struct stat_spread s = stat_spread(v, ARRAY_LEN(v));

    (void)state;
    near_to("mean", s.mean, 5, 1e-12);
    near_to("sd", s.sd, 2.13809, 1e-5);
    near_to("least", s.least, 2, 0);
    near_to("most", s.most, 9, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles), cmocka_unit_test(intervals_of_shares),
        cmocka_unit_test(rates),     cmocka_unit_test(mcnemar),
        cmocka_unit_test(survival),  cmocka_unit_test(spreads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
