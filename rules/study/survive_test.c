#include "rules/study/survive.h"

#include "rules/study/reference_kit.h"

/* As in tests/study_reference.py. */
static const double times[] = {0.2, 0.5, 0.5, 1,  1.5, 2,  2,  2,
                               3,   4.5, 5,   7,  7,   9,  12, 12,
                               15,  20,  24,  30, 36,  48, 48, 60};
static const int ends[] = {1, 1, 2, 1, 0, 1, 1, 0, 2, 1, 1, 0,
                           1, 2, 1, 1, 0, 1, 0, 1, 2, 0, 1, 0};

static struct survive
of_reference(void)
{
    struct survive_unit u[ARRAY_LEN(times)];
    struct survive s;

    for (size_t i = 0; i < ARRAY_LEN(times); i++)
        u[i] = (struct survive_unit){times[i], (enum survive_end)ends[i]};
    assert_int_equal(survive_of(u, ARRAY_LEN(u), 0.95, &s), ERR_OK);
    return s;
}

static const struct survive_step *
step_at(const struct survive *s, double time)
{
    const struct survive_step *found = NULL;

    for (size_t i = 0; i < s->n && s->v[i].time <= time; i++)
        found = &s->v[i];
    assert_non_null(found);
    return found;
}

static bool
compute(const struct reference_row *r, double *got)
{
    struct survive s;
    struct interval i;
    double median;
    bool known = true;

    if (r->what < FREE)
        return false;
    s = of_reference();
    survive_quantile(&s, 0.5, &median, &i);
    switch (r->what) {
    case FREE: *got = step_at(&s, r->a)->free; break;
    case FREE_ERROR: *got = step_at(&s, r->a)->error; break;
    case INCIDENCE: *got = step_at(&s, r->a)->incidence; break;
    case MEDIAN: *got = median; break;
    case MEDIAN_LOW: *got = i.low; break;
    case MEDIAN_HIGH: *got = i.high; break;
    default: known = false; break;
    }
    survive_free(&s);
    return known;
}

static void
as_statsmodels_has_them(void **state)
{
    (void)state;
    reference_check(compute, 1e-9, 30);
}

/* Worked by hand: 1 and 3 of four, one censored at 2, one at 4. */
static void
the_mean(void **state)
{
    struct survive_unit u[] = {
        {4, SURVIVE_CENSORED},
        {1, SURVIVE_EVENT   },
        {2, SURVIVE_CENSORED},
        {3, SURVIVE_EVENT   }
    };
    struct survive s;
    double error;

    (void)state;
    assert_int_equal(survive_of(u, ARRAY_LEN(u), 0.95, &s), ERR_OK);
    /* 1 until 1, then 3/4 until 3, then 3/8 until 4 */
    assert_true(fabs(survive_mean(&s, 4, &error) - 2.875) < 1e-12);
    /* (3/2 + 3/8)^2 / 12 + (3/8)^2 / 2 */
    assert_true(fabs(error - sqrt(0.29296875 + 0.0703125)) < 1e-12);
    assert_true(isnan(survive_mean(&s, 4.1, &error)));
    assert_true(fabs(survive_mean(&s, 0.5, &error) - 0.5) < 1e-12);
    survive_free(&s);
}

static void
nobody_came_to_it(void **state)
{
    struct survive_unit u[] = {
        {1, SURVIVE_CENSORED},
        {5, SURVIVE_CENSORED}
    };
    struct survive_unit bad[] = {
        {NAN, SURVIVE_EVENT}
    };
    struct interval i;
    struct survive s;
    double median;

    (void)state;
    assert_int_equal(survive_of(u, 2, 0.95, &s), ERR_OK);
    assert_int_equal(s.n, 0);
    survive_quantile(&s, 0.5, &median, &i);
    assert_true(isinf(median) && isinf(i.low) && isinf(i.high));
    survive_free(&s);
    assert_int_equal(survive_of(u, 0, 0.95, &s), ERR_USAGE);
    assert_int_equal(survive_of(bad, 1, 0.95, &s), ERR_USAGE);
    assert_int_equal(survive_of(u, 2, 1, &s), ERR_USAGE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_statsmodels_has_them),
        cmocka_unit_test(the_mean),
        cmocka_unit_test(nobody_came_to_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
