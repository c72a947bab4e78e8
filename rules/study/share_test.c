#include "rules/study/share.h"

#include "rules/study/reference_kit.h"

static const double two[] = {40, 5, 3, 52};
static const double three[] = {20, 5, 1, 3, 30, 4, 0, 2, 35};

static bool
kappa_of(const struct reference_row *r, double *got)
{
    struct share_kappa k;

    assert_true(share_kappa(r->a < 3 ? two : three, (size_t)r->a, 0.95, &k));
    *got = r->what == KAPPA ? k.kappa : k.error;
    return true;
}

static bool
compute(const struct reference_row *r, double *got)
{
    struct interval i = {0, 0};

    switch (r->what) {
    case WILSON_LOW:
    case WILSON_HIGH:
        assert_true(share_wilson(r->a, r->b, r->c, &i));
        *got = r->what == WILSON_LOW ? i.low : i.high;
        /* the other program has 1e-19 where k is 0 */
        if (r->what == WILSON_LOW && i.low <= 0 && r->value < 1e-15)
            *got = r->value;
        return true;
    case EXACT_LOW:
    case EXACT_HIGH:
        assert_true(share_exact(r->a, r->b, r->c, &i));
        *got = r->what == EXACT_LOW ? i.low : i.high;
        return true;
    case RATE_LOW:
    case RATE_HIGH:
        assert_true(share_rate(r->a, r->b, r->c, &i));
        *got = r->what == RATE_LOW ? i.low : i.high;
        return true;
    case MCNEMAR: *got = share_mcnemar(r->a, r->b); return true;
    case KAPPA:
    case KAPPA_ERROR: return kappa_of(r, got);
    default: return false;
    }
}

static void
as_statsmodels_has_them(void **state)
{
    (void)state;
    reference_check(compute, 1e-9, 90);
}

/* DETECTION 4.3: 3.00/T one-sided, 3.69/T two-sided. */
static void
nothing_happened(void **state)
{
    struct interval i;

    (void)state;
    assert_true(fabs(share_none(100, 0.95) - 0.0299573) < 1e-6);
    assert_true(share_rate(0, 100, 0.95, &i));
    assert_true(i.low == 0 && fabs(i.high - 0.0368888) < 1e-6);
    assert_true(isnan(share_none(0, 0.95)));
}

/* Worked by hand: 0.20 apparent, 0.9 and 0.95 right. */
static void
behind_an_apparent_share(void **state)
{
    const struct share_of apparent = {200, 1000}, se = {90, 100},
                          sp = {190, 200}, bad = {10, 200};
    struct share_true t;

    (void)state;
    assert_true(share_rogan_gladen(&apparent, &se, &sp, 0.95, &t));
    assert_true(fabs(t.share - 0.15 / 0.85) < 1e-12);
    assert_true(fabs(t.error - 0.02198145) < 1e-6);
    assert_true(t.interval.low < t.share && t.share < t.interval.high);
    assert_false(share_rogan_gladen(&apparent, &se, &bad, 0.95, &t));
}

static void
the_rest_is_not_known(void **state)
{
    const struct interval i = share_bounds(0.36, 0.2);

    (void)state;
    assert_true(fabs(i.low - 0.072) < 1e-12 && fabs(i.high - 0.712) < 1e-12);
}

static void
what_it_costs(void **state)
{
    (void)state;
    assert_true(fabs(share_break_even(100, 1, 2, 10, 5) - 0.2) < 1e-12);
    assert_true(isnan(share_break_even(0, 1, 0, 10, 0)));
    assert_true(share_weight(0.5, 10) == 2);
    assert_true(share_weight(0.01, 10) == 10);
    assert_true(share_weight(0, 10) == 10);
}

static void
what_is_none(void **state)
{
    struct interval i;
    struct share_kappa k;
    const double empty[] = {0, 0, 0, 0}, one[] = {9, 0, 0, 0};

    (void)state;
    assert_false(share_wilson(1, 0, 0.95, &i));
    assert_false(share_wilson(2, 1, 0.95, &i));
    assert_false(share_wilson(1, 2, 1, &i));
    assert_false(share_exact(-1, 2, 0.95, &i));
    assert_false(share_rate(1, 0, 0.95, &i));
    assert_false(share_rate(NAN, 1, 0.95, &i));
    assert_false(share_kappa(empty, 2, 0.95, &k));
    assert_false(share_kappa(one, 2, 0.95, &k));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_statsmodels_has_them),
        cmocka_unit_test(nothing_happened),
        cmocka_unit_test(behind_an_apparent_share),
        cmocka_unit_test(the_rest_is_not_known),
        cmocka_unit_test(what_it_costs),
        cmocka_unit_test(what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
