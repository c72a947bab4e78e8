#ifndef SPAN25_RULES_STUDY_REFERENCE_KIT_H
#define SPAN25_RULES_STUDY_REFERENCE_KIT_H
/* reference_kit - numbers of other programs, for the tests (reference.def) */
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

enum reference {
    NORMAL_QUANTILE,
    NORMAL_CDF,
    BETA_CDF,
    BETA_QUANTILE,
    GAMMA_CDF,
    GAMMA_QUANTILE,
    T_QUANTILE,
    BINOMIAL,
    WILSON_LOW,
    WILSON_HIGH,
    EXACT_LOW,
    EXACT_HIGH,
    RATE_LOW,
    RATE_HIGH,
    KAPPA,
    KAPPA_ERROR,
    MCNEMAR,
    FREE,
    FREE_ERROR,
    MEDIAN,
    MEDIAN_LOW,
    MEDIAN_HIGH,
    INCIDENCE,
    NEWEY_WEST,
    NEWEY_WEST_ERROR,
    NEWEY_WEST_LOW,
    AR1_RHO,
    AR1,
    AR1_ERROR,
};

static const struct reference_row {
    enum reference what;
    double a, b, c, d, value;
} references[] = {
#define X(what, a, b, c, d, value) {what, a, b, c, d, value},
#include "rules/study/reference.def"
#undef X
};

/* Of a row: false when it is another module's. */
typedef bool reference_compute(const struct reference_row *r, double *got);

/* All rows that compute knows; fails where one differs by more than relative,
 * or there are fewer than so many. */
static inline void
reference_check(reference_compute *compute, double relative, size_t least)
{
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(references); i++) {
        const struct reference_row *r = &references[i];
        double got;

        if (!compute(r, &got))
            continue;
        n++;
        if (!(fabs(got - r->value) <= relative * fmax(fabs(r->value), 1e-12)))
            fail_msg("row %zu (%g, %g, %g): %.17g, not %.17g", i, r->a, r->b,
                     r->c, got, r->value);
    }
    assert_true(n >= least);
}

#endif
