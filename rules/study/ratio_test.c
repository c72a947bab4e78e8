#include "rules/study/ratio.h"

#include "rules/study/reference_kit.h"

/* Cochran's formula worked by hand: 2 of 10, 5 of 20, 0 of 5, 3 of 5. */
static const struct ratio_host four[] = {
    {2, 10, 0, false},
    {5, 20, 0, false},
    {0, 5,  1, false},
    {3, 5,  1, false},
};

static void
linearised(void **state)
{
    const struct ratio_options o = {0.95, 0, 0};
    struct ratio r;

    (void)state;
    assert_int_equal(ratio_of(four, ARRAY_LEN(four), &o, &r), ERR_OK);
    assert_true(r.hosts == 4 && r.share == 0.25);
    /* 4/3 (0.25 + 0 + 1.5625 + 3.0625) / 1600 */
    assert_true(fabs(r.error * r.error - 4.0 / 3 * 4.875 / 1600) < 1e-15);
    assert_true(fabs(r.df - (1600.0 / 550 - 1)) < 1e-12);
    assert_true(fabs(r.hosts_share - (0.2 + 0.25 + 0 + 0.6) / 4) < 1e-12);
    assert_true(fabs(r.without.low - 7.0 / 35) < 1e-12);
    assert_true(fabs(r.without.high - 10.0 / 35) < 1e-12);
    assert_true(isnan(r.without_top) && isnan(r.bca.low));
    assert_true(r.linear.low == 0 && r.linear.high > 0.25);
}

static void
fill(struct ratio_host *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        v[i] = (struct ratio_host){(double)(i * 7 % 11), 10 + (double)(i % 13),
                                   (unsigned)(i % 3), i % 17 == 0};
}

static void
bootstraps(void **state)
{
    const struct ratio_options o = {0.95, RATIO_SAMPLES, 7}, p = {0.95, 100, 8};
    struct ratio_host v[60];
    struct ratio a, b;

    (void)state;
    fill(v, ARRAY_LEN(v));
    assert_int_equal(ratio_of(v, ARRAY_LEN(v), &o, &a), ERR_OK);
    assert_int_equal(ratio_of(v, ARRAY_LEN(v), &o, &b), ERR_OK);
    assert_memory_equal(&a, &b, sizeof(a));
    /* with hosts that are alike all methods agree, to a tenth of their width */
    assert_true(fabs(a.percentile.low - a.linear.low) < 0.01);
    assert_true(fabs(a.bca.high - a.linear.high) < 0.01);
    assert_true(fabs(a.t.low - a.linear.low) < 0.015);
    assert_int_equal(ratio_of(v, ARRAY_LEN(v), &p, &b), ERR_OK);
    assert_true(b.percentile.low != a.percentile.low);
}

/* Who is in every sample is not drawn: then nothing varies. */
static void
with_certainty(void **state)
{
    const struct ratio_options o = {0.95, 200, 1};
    struct ratio_host v[ARRAY_LEN(four)];
    struct ratio r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        v[i] = four[i];
        v[i].certain = true;
    }
    assert_int_equal(ratio_of(v, ARRAY_LEN(v), &o, &r), ERR_OK);
    assert_true(r.percentile.low == 0.25 && r.percentile.high == 0.25);
}

/* A stratum keeps its number of hosts. */
static void
within_strata(void **state)
{
    const struct ratio_host v[] = {
        {0, 1, 0, false},
        {0, 1, 0, false},
        {1, 1, 5, false},
        {1, 1, 5, false},
    };
    const struct ratio_options o = {0.95, 500, 3};
    struct ratio r;

    (void)state;
    assert_int_equal(ratio_of(v, ARRAY_LEN(v), &o, &r), ERR_OK);
    assert_true(r.percentile.low == 0.5 && r.percentile.high == 0.5);
}

static void
what_is_none(void **state)
{
    const struct ratio_host rows[][2] = {
        {{1, 0, 0, false},   {1, 2, 0, false}},
        {{0, 0, 0, false},   {1, 2, 0, false}},
        {{3, 2, 0, false},   {1, 2, 0, false}},
        {{-1, 2, 0, false},  {1, 2, 0, false}},
        {{1, 2, 64, false},  {1, 2, 0, false}},
        {{NAN, 2, 0, false}, {1, 2, 0, false}},
    };
    const struct ratio_options o = {0.95, 0, 0}, bad = {1, 0, 0};
    struct ratio r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(ratio_of(rows[i], 2, &o, &r), ERR_USAGE);
    assert_int_equal(ratio_of(four, 4, &bad, &r), ERR_USAGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linearised),     cmocka_unit_test(bootstraps),
        cmocka_unit_test(with_certainty), cmocka_unit_test(within_strata),
        cmocka_unit_test(what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
