#include "rules/study/special.h"

#include <math.h>
#include <stdbool.h>

#define STEPS  100000 /* of a continued fraction or series */
#define HALVES 2200   /* more than a double has values to halve through */
#define TINY   1e-300
#define ENOUGH 1e-16
#define WIDEST 40.0 /* the normal distribution has nothing beyond */

static double
log_gamma(double x)
{
    int sign;

    return lgamma_r(x, &sign);
}

/* The middle of two numbers of one sign, or where they meet zero. */
static bool
halve(double low, double high, double *middle)
{
    *middle = low + (high - low) / 2;
    return *middle > low && *middle < high;
}

static bool
is_share(double p)
{
    return p >= 0 && p <= 1;
}

/* ---- normal ---- */

double
special_normal_cdf(double x)
{
    return erfc(-x / sqrt(2.0)) / 2;
}

/* p below a half, where the tail has the digits. */
static double
normal_low(double p)
{
    double low = -WIDEST, high = 0, x = 0;

    for (int i = 0; i < HALVES && halve(low, high, &x); i++)
        *(special_normal_cdf(x) < p ? &low : &high) = x;
    return x;
}

double
special_normal_quantile(double p)
{
    if (!is_share(p))
        return NAN;
    if (p <= 0 || p >= 1)
        return p <= 0 ? -INFINITY : INFINITY;
    if (p < 0.5)
        return normal_low(p);
    return p > 0.5 ? -normal_low(1 - p) : 0;
}

/* ---- beta ---- */

static double
away_from_zero(double v)
{
    return fabs(v) < TINY ? TINY : v;
}

/* Lentz's method for the continued fraction of I_x(a, b). */
static double
beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), h = d;

    for (int i = 1; i < STEPS; i++) {
        const double m = i;
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        const double odd =
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double step;

        d = 1 / away_from_zero(1 + even * d);
        c = away_from_zero(1 + even / c);
        h *= d * c;
        d = 1 / away_from_zero(1 + odd * d);
        c = away_from_zero(1 + odd / c);
        step = d * c;
        h *= step;
        if (fabs(step - 1) < ENOUGH)
            break;
    }
    return h;
}

double
special_beta_cdf(double a, double b, double x)
{
    double front;

    if (!(a > 0) || !(b > 0) || isnan(x))
        return NAN;
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) +
                b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double
special_beta_quantile(double a, double b, double p)
{
    double low = 0, high = 1, x = 0;

    if (!is_share(p) || !(a > 0) || !(b > 0))
        return NAN;
    if (p <= 0 || p >= 1)
        return p;
    for (int i = 0; i < HALVES && halve(low, high, &x); i++)
        *(special_beta_cdf(a, b, x) < p ? &low : &high) = x;
    return x;
}

double
special_t_quantile(double df, double p)
{
    const double tail = p < 0.5 ? p : 1 - p;
    double x, t;

    if (!is_share(p) || !(df > 0))
        return NAN;
    x = special_beta_quantile(df / 2, 0.5, 2 * tail);
    t = sqrt(df * (1 - x) / x);
    return p < 0.5 ? -t : t;
}

double
special_binomial_cdf(double k, double n, double p)
{
    if (!is_share(p) || !(n >= 0))
        return NAN;
    if (k < 0 || k >= n)
        return k < 0 ? 0 : 1;
    return special_beta_cdf(n - floor(k), floor(k) + 1, 1 - p);
}

/* ---- gamma ---- */

static double
gamma_series(double a, double x)
{
    double term = 1 / a, sum = term;

    for (int i = 1; i < STEPS && term > sum * ENOUGH; i++) {
        term *= x / (a + i);
        sum += term;
    }
    return sum;
}

static double
gamma_fraction(double a, double x)
{
    double b = x + 1 - a, c = 1 / TINY, d = 1 / away_from_zero(b), h = d;

    for (int i = 1; i < STEPS; i++) {
        const double n = i, an = -n * (n - a);
        double step;

        b += 2;
        d = 1 / away_from_zero(an * d + b);
        c = away_from_zero(b + an / c);
        step = d * c;
        h *= step;
        if (fabs(step - 1) < ENOUGH)
            break;
    }
    return h;
}

double
special_gamma_cdf(double a, double x)
{
    double front;

    if (!(a > 0) || isnan(x))
        return NAN;
    if (x <= 0)
        return 0;
    front = exp(a * log(x) - x - log_gamma(a));
    return x < a + 1 ? front * gamma_series(a, x)
                     : 1 - front * gamma_fraction(a, x);
}

double
special_gamma_quantile(double a, double p)
{
    double low = 0, high = a + 1, x = 0;

    if (!is_share(p) || !(a > 0))
        return NAN;
    if (p <= 0 || p >= 1)
        return p <= 0 ? 0 : INFINITY;
    while (special_gamma_cdf(a, high) < p)
        high *= 2;
    for (int i = 0; i < HALVES && halve(low, high, &x); i++)
        *(special_gamma_cdf(a, x) < p ? &low : &high) = x;
    return x;
}
