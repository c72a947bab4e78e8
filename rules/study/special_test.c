#include "rules/study/special.h"

#include "rules/study/reference_kit.h"

static bool
compute(const struct reference_row *r, double *got)
{
    switch (r->what) {
    case NORMAL_QUANTILE: *got = special_normal_quantile(r->a); return true;
    case NORMAL_CDF: *got = special_normal_cdf(r->a); return true;
    case BETA_CDF: *got = special_beta_cdf(r->a, r->b, r->c); return true;
    case BETA_QUANTILE:
        *got = special_beta_quantile(r->a, r->b, r->c);
        return true;
    case GAMMA_CDF: *got = special_gamma_cdf(r->a, r->b); return true;
    case GAMMA_QUANTILE: *got = special_gamma_quantile(r->a, r->b); return true;
    case T_QUANTILE: *got = special_t_quantile(r->a, r->b); return true;
    case BINOMIAL: *got = special_binomial_cdf(r->a, r->b, r->c); return true;
    default: return false;
    }
}

static void
as_scipy_has_them(void **state)
{
    (void)state;
    reference_check(compute, 1e-9, 35);
}

static void
ends(void **state)
{
    (void)state;
    assert_true(isinf(special_normal_quantile(0)));
    assert_true(isinf(special_normal_quantile(1)));
    assert_true(isnan(special_normal_quantile(1.5)));
    assert_true(isnan(special_normal_quantile(NAN)));
    assert_true(isnan(special_beta_cdf(0, 1, 0.5)));
    assert_true(isnan(special_beta_quantile(1, -1, 0.5)));
    assert_true(isnan(special_gamma_cdf(-1, 1)));
    assert_true(isnan(special_t_quantile(0, 0.5)));
    assert_true(special_beta_cdf(2, 3, -1) == 0);
    assert_true(special_beta_cdf(2, 3, 7) == 1);
    assert_true(special_gamma_quantile(3, 0) == 0);
    assert_true(special_binomial_cdf(-1, 5, 0.5) == 0);
    assert_true(special_binomial_cdf(5, 5, 0.5) == 1);
}

/* A quantile is where the function has its level. */
static void
there_and_back(void **state)
{
    (void)state;
    for (double p = 0.001; p < 1; p += 0.0317) {
        for (double a = 0.1; a < 5000; a *= 3.7) {
            const double x = special_beta_quantile(a, 7, p);
            const double y = special_gamma_quantile(a, p);

            assert_true(fabs(special_beta_cdf(a, 7, x) - p) < 1e-6);
            assert_true(fabs(special_gamma_cdf(a, y) - p) < 1e-9);
        }
        assert_true(fabs(special_normal_cdf(special_normal_quantile(p)) - p) <
                    1e-15);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_scipy_has_them),
        cmocka_unit_test(ends),
        cmocka_unit_test(there_and_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
