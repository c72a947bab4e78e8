#ifndef SPAN25_TESTS_EVALUATE_STAT_H
#define SPAN25_TESTS_EVALUATE_STAT_H
/* stat - intervals and tests of DETECTION 4.3 and 5.2
 *
 * Two-sided intervals of the given level (0.95) unless said otherwise. Exact
 * ones come from the incomplete beta and gamma functions by bisection: slow,
 * for reports. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interval {
    double lo, hi;
};

double stat_normal_quantile(double p);
/* P(X <= x) of beta(a, b) and of gamma(a), scale 1. */
double stat_beta_cdf(double a, double b, double x);
double stat_gamma_cdf(double a, double x);
double stat_beta_quantile(double a, double b, double p);
double stat_chi2_quantile(double df, double p);

/* Of k in n; n == 0: nothing is known, 0 to 1. */
struct interval stat_wilson(uint64_t k, uint64_t n, double level);
struct interval stat_clopper_pearson(uint64_t k, uint64_t n, double level);
/* Of a rate: k events in that exposure (> 0). */
struct interval stat_poisson(uint64_t k, double exposure, double level);
/* Upper bound, one-sided: 3.00 / exposure for k == 0 and .95. */
double stat_poisson_upper(uint64_t k, double exposure, double level);

/* Exact two-sided p of McNemar's test: of pairs that differ, b one way and c
 * the other. */
double stat_mcnemar(uint64_t b, uint64_t c);

/* A time that was reached, or at which watching ended before it was. */
struct stat_time {
    double t;
    bool reached;
};

/* Kaplan-Meier: the smallest time by which a share q has been reached;
 * INFINITY when that share was not. Sorts v. At equal times what was reached
 * comes before what was censored. */
double stat_km_quantile(struct stat_time *v, size_t n, double q);
/* Share reached by t. */
double stat_km_reached(struct stat_time *v, size_t n, double t);

/* Mean and standard deviation (n - 1). */
struct stat_spread {
    double mean, sd, least, most;
};
struct stat_spread stat_spread(const double *v, size_t n);

#endif
