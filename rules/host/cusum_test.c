#include "rules/host/cusum.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/random_record.h"

#define HOUR (UINT64_C(3600) * NS_PER_S)

static const struct {
    const char *why;
    double normal, bad;
    int32_t up, down;
} bernoulli[] = {
    {"content verdicts, DETECTION 1.2", .20, .90, 1504,  -2079 },
    {"first contacts",                  .05, .40, 2079,  -460  },
    {"first sessions under TLS",        .10, .50, 1609,  -588  },
    {"fourth design of the table",      .02, .25, 2526,  -267  },
    {"shares of 0 and 1 are moved",     0,   1,   13816, -13816},
};

static void
test_steps(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bernoulli) / sizeof(bernoulli[0]); i++) {
        struct cusum_steps s =
            cusum_bernoulli(bernoulli[i].normal, bernoulli[i].bad);

        if (s.up != bernoulli[i].up || s.down != bernoulli[i].down)
            fail_msg("%s: %d %d", bernoulli[i].why, s.up, s.down);
        assert_int_equal(s.hour, 0);
    }
    assert_int_equal(cusum_poisson(2, 20).up, 2303);
    assert_int_equal(cusum_poisson(2, 20).hour, 18000);
    assert_true(cusum_bernoulli(.9, .1).up >= 0);
    assert_true(cusum_bernoulli(.9, .1).down <= 0);
}

static void
test_floor_and_ceiling(void **state)
{
    struct cusum c = cusum_init(cusum_bernoulli(.05, .40));

    (void)state;
    for (int i = 0; i < 1000; i++)
        cusum_add(&c, false);
    assert_int_equal(c.score, 0);
    cusum_add(&c, true);
    assert_int_equal(c.score, 2079);
    cusum_add(&c, false);
    assert_int_equal(c.score, 1619);
    c.score = CUSUM_MAX - 1;
    cusum_add(&c, true);
    assert_int_equal(c.score, CUSUM_MAX);
}

/* The pieces in which time passes make no difference. */
static void
test_time_in_pieces(void **state)
{
    static const uint64_t pieces[] = {1000,      7000,     999000,
                                      123456000, NS_PER_S, 77 * NS_PER_S};

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct cusum one = cusum_init(cusum_poisson(2, 20));
        struct cusum many = one;
        uint64_t n = 3000;

        one.score = many.score = 2000000;
        cusum_time(&one, n * pieces[i]);
        for (uint64_t k = 0; k < n; k++)
            cusum_time(&many, pieces[i]);
        assert_int_equal(one.score, many.score);
        assert_int_equal(one.rest, many.rest);
    }
}

static void
test_time_limits(void **state)
{
    struct cusum c = cusum_init(cusum_poisson(2, 20));

    (void)state;
    c.score = 18000;
    cusum_time(&c, HOUR - 1000);
    assert_int_equal(c.score, 1);
    cusum_time(&c, 1000);
    assert_int_equal(c.score, 0);
    c.score = CUSUM_MAX;
    cusum_time(&c, UINT64_MAX);
    assert_true(c.score < CUSUM_MAX);
    c = cusum_init(cusum_poisson(2, 1000000));
    c.score = CUSUM_MAX;
    cusum_time(&c, UINT64_MAX);
    assert_int_equal(c.score, 0);
    c = cusum_init(cusum_bernoulli(.05, .40));
    c.score = 5;
    cusum_time(&c, UINT64_MAX);
    assert_int_equal(c.score, 5); /* time is nothing to it */
}

/* ---- the tables of DETECTION 1.2 ---- */

static bool
chance(uint64_t *x, double p)
{
    return (double)(random_next(x) & 0xffffff) / 0x1000000 < p;
}

static int
by_value(const void *a, const void *b)
{
    int x = *(const int *)a;
    int y = *(const int *)b;

    return (x > y) - (x < y);
}

/* Observations until the alarm: median and 95th percentile of 1,500 runs. */
static void
delays(struct cusum_steps steps, int32_t h, double p, int out[2])
{
    static int runs[1500];
    uint64_t x = 88172645463325252;

    for (size_t i = 0; i < 1500; i++) {
        struct cusum c = cusum_init(steps);
        int n = 0;

        while (c.score < h && n < 100000) {
            cusum_add(&c, chance(&x, p));
            n++;
        }
        runs[i] = n;
    }
    qsort(runs, 1500, sizeof(int), by_value);
    out[0] = runs[750];
    out[1] = runs[1425];
}

static const struct {
    double normal, bad;
    int32_t h;
    double p;
    int median, p95;
} table[] = {
    {.05, .40, 6900,  .40, 11, 26 },
    {.05, .40, 9200,  .20, 60, 205},
    {.05, .40, 9200,  .40, 15, 33 },
    {.05, .40, 9200,  .90, 5,  7  },
    {.05, .40, 13800, .30, 37, 87 },
    {.05, .40, 13800, .40, 23, 47 },
    {.05, .40, 17400, .60, 16, 26 },
    {.20, .90, 6900,  .90, 5,  10 },
    {.20, .90, 11500, .60, 36, 115},
    {.20, .90, 17400, .90, 14, 22 },
};

static void
test_delays_of_the_paper(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct cusum_steps s = cusum_bernoulli(table[i].normal, table[i].bad);
        int got[2];
        int slack50 = 2 + table[i].median / 10;
        int slack95 = 3 + table[i].p95 / 8;

        delays(s, table[i].h, table[i].p, got);
        if (abs(got[0] - table[i].median) > slack50 ||
            abs(got[1] - table[i].p95) > slack95)
            fail_msg("h %d, true %.2f: %d/%d, not %d/%d", table[i].h,
                     table[i].p, got[0], got[1], table[i].median, table[i].p95);
    }
}

static double
alarms_per_1000(int32_t h, double p)
{
    struct cusum c = cusum_init(cusum_bernoulli(.05, .40));
    uint64_t x = 362436069362436069;
    int alarms = 0;

    for (int i = 0; i < 400000; i++) {
        cusum_add(&c, chance(&x, p));
        if (c.score >= h) {
            alarms++;
            c.score = 0;
        }
    }
    return alarms / 400.0;
}

static void
test_false_alarms_of_the_paper(void **state)
{
    (void)state;
    assert_true(alarms_per_1000(9200, .02) < .01);
    assert_true(alarms_per_1000(9200, .05) < .03);
    assert_true(alarms_per_1000(9200, .10) > .5);
    assert_true(alarms_per_1000(9200, .10) < .9);
    assert_true(alarms_per_1000(9200, .20) > 12);
    assert_true(alarms_per_1000(9200, .20) < 13.6);
    assert_true(alarms_per_1000(11500, .20) > 8.6);
    assert_true(alarms_per_1000(11500, .20) < 9.8);
}

/* One failure for five successes stays below, and is never below 0. */
static void
test_banked_successes(void **state)
{
    struct cusum c = cusum_init(cusum_bernoulli(.05, .40));

    (void)state;
    for (int i = 0; i < 100000; i++)
        cusum_add(&c, false);
    for (int i = 0; i < 5; i++)
        cusum_add(&c, true);
    assert_int_equal(c.score, 5 * 2079); /* nothing was banked */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_floor_and_ceiling),
        cmocka_unit_test(test_time_in_pieces),
        cmocka_unit_test(test_time_limits),
        cmocka_unit_test(test_delays_of_the_paper),
        cmocka_unit_test(test_false_alarms_of_the_paper),
        cmocka_unit_test(test_banked_successes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
