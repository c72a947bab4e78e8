#ifndef SPAN25_RULES_STUDY_SERIES_FIT_H
#define SPAN25_RULES_STUDY_SERIES_FIT_H
/* series_fit - a straight line through days, and how sure it is
 *
 * For series.h. Least squares by orthogonal columns, with two ways to errors
 * where neighbours are alike. Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "sensor/base/attr.h"
#include "sensor/base/err.h"

#define SERIES_COLUMNS_MAX 10U
#define SERIES_DAYS_MAX    4000U /* eleven years; the work is linear in it */

struct series_design {
    size_t n, k;      /* days, columns */
    const double *x;  /* n rows of k */
    const double *y;  /* n */
    const double *at; /* n: when, whole numbers, ascending */
};

struct series_fit {
    double b[SERIES_COLUMNS_MAX];
    double cov[SERIES_COLUMNS_MAX][SERIES_COLUMNS_MAX];
    double df;
    double rho; /* of neighbours, one day apart */
};

/* Ordinary least squares, errors by Newey and West (1987): Bartlett kernel over
 * lag neighbours, times n / (n - k). Whoever is left out in between makes
 * neighbours of others. without, n numbers or NULL: what column `of` would be
 * without each day. ERR_USAGE: columns that say the same, as many of them as
 * days, or nothing is left to vary; ERR_NOMEM. */
MUST_USE enum err series_fit_newey_west(const struct series_design *d,
                                        size_t lag, size_t of, double *without,
                                        struct series_fit *out);

/* Generalised least squares with errors of first-order autoregression, rho by
 * restricted maximum likelihood (Cooper and Thompson 1977) from -0.6 to 0.95;
 * days that are further apart are less alike. df: those that as many days
 * without rho would leave, n (1 - rho) / (1 + rho) - k, at least 3. */
MUST_USE enum err series_fit_ar1(const struct series_design *d,
                                 struct series_fit *out);

#endif
