#include "rules/study/unseen.h"

#include "rules/study/reference_kit.h"

/* Chao2 of 28 days worked by hand: S 60, Q1 12, Q2 8. */
static void
at_least_so_many_more(void **state)
{
    double days[28] = {12, 8, 5, 5};
    struct unseen u;

    (void)state;
    days[27] = 30;
    assert_true(unseen_of(days, 28, 0.95, &u));
    assert_true(u.seen == 60 && u.once == 12 && u.twice == 8);
    assert_true(fabs(u.there - (60 + 27.0 / 28 * 12 * 11 / 18)) < 1e-12);
    assert_true(fabs(u.coverage - (1 - 12.0 / (12 + 16 + 15 + 20 + 840))) <
                1e-12);
    /* 0.964286 * 7.3333 + 0.929847 * 12 * 529 / 324
     * + 0.929847 * 144 * 8 * 121 / 26244 */
    assert_true(fabs(u.error * u.error - 30.2278) < 1e-3);
    assert_true(u.interval.low > 60 && u.interval.low < u.there);
    assert_true(u.interval.high > u.there);
}

static void
nobody_is_missing(void **state)
{
    const double days[] = {0, 0, 9}, none[] = {0, 0, 0}, day[] = {4};
    struct unseen u;

    (void)state;
    assert_true(unseen_of(days, 3, 0.95, &u));
    assert_true(u.there == 9 && u.coverage == 1);
    assert_true(u.interval.low == 9 && u.interval.high == 9);
    assert_false(unseen_of(none, 3, 0.95, &u));
    assert_false(unseen_of(day, 1, 0.95, &u));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_least_so_many_more),
        cmocka_unit_test(nobody_is_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
