#ifndef SPAN25_RULES_STUDY_SPECIAL_H
#define SPAN25_RULES_STUDY_SPECIAL_H
/* special - distribution functions and their quantiles
 *
 * Incomplete beta and gamma functions by continued fraction and series
 * (Abramowitz and Stegun 26.5.8, 6.5.29, 6.5.31), quantiles by halving an
 * interval until it is two neighbouring numbers: slow, without a corner that
 * diverges, and the same everywhere the functions are. Relative error below
 * 1e-10 for parameters up to 1e6. Probabilities are in 0..1; another one, and a
 * parameter that is not positive, gives NaN. Pure. */

double special_normal_cdf(double x);
double special_normal_quantile(double p);

/* Of the regularised incomplete beta function I_x(a, b). */
double special_beta_cdf(double a, double b, double x);
double special_beta_quantile(double a, double b, double p);

/* Of the regularised lower incomplete gamma function P(a, x). */
double special_gamma_cdf(double a, double x);
double special_gamma_quantile(double a, double p);

/* Student's t with df degrees of freedom, which need not be whole. */
double special_t_quantile(double df, double p);

/* P(X <= k) of n trials. */
double special_binomial_cdf(double k, double n, double p);

#endif
