#include "tests/evaluate/stat.h"

#include <math.h>
#include <stdlib.h>

#define STEPS 200 /* of bisection: more than a double has bits */
#define TINY  1e-300

/* Where f, which rises, passes p between lo and hi. */
static double
bisect(double (*f)(const double *arg, double x), const double *arg, double p,
       struct interval in)
{
    for (unsigned i = 0; i < STEPS; i++) {
        double mid = 0.5 * (in.lo + in.hi);

        if (f(arg, mid) < p)
            in.lo = mid;
        else
            in.hi = mid;
    }
    return 0.5 * (in.lo + in.hi);
}

static double
normal_cdf(const double *arg, double x)
{
    (void)arg;
    return 0.5 * erfc(-x / sqrt(2));
}

double
stat_normal_quantile(double p)
{
    return bisect(normal_cdf, NULL, p, (struct interval){-40, 40});
}

static double
not_zero(double x)
{
    return fabs(x) < TINY ? TINY : x;
}

/* Continued fraction of the incomplete beta function, DLMF 8.17.22, by Lentz's
 * method; converges for x < (a + 1) / (a + b + 2). */
static double
beta_fraction(double a, double b, double x)
{
    double c = 1, d = 1 / not_zero(1 - (a + b) * x / (a + 1)), h = d;

    for (unsigned i = 1; i <= 10000; i++) {
        double m = i, even, odd, step;

        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / not_zero(1 + even * d);
        c = not_zero(1 + even / c);
        h *= d * c;
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / not_zero(1 + odd * d);
        c = not_zero(1 + odd / c);
        step = d * c;
        h *= step;
        if (fabs(step - 1) < 1e-15)
            break;
    }
    return h;
}

double
stat_beta_cdf(double a, double b, double x)
{
    double front;

    if (x <= 0 || x >= 1)
        return x >= 1;
    front =
        exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* Series of the lower incomplete gamma function, DLMF 8.7.1; all its terms are
 * positive, so it is good for every x, only slow for large ones. */
double
stat_gamma_cdf(double a, double x)
{
    double term, sum;

    if (x <= 0)
        return 0;
    if (x > a + 40 * sqrt(a) + 800)
        return 1;
    term = exp(a * log(x) - x - lgamma(a + 1));
    sum = term;
    for (double k = a + 1; term > sum * 1e-17 || k < x; k++) {
        term *= x / k;
        sum += term;
    }
    return sum < 1 ? sum : 1;
}

static double
beta_at(const double *arg, double x)
{
    return stat_beta_cdf(arg[0], arg[1], x);
}

double
stat_beta_quantile(double a, double b, double p)
{
    double arg[] = {a, b};

    return bisect(beta_at, arg, p, (struct interval){0, 1});
}

static double
gamma_at(const double *arg, double x)
{
    return stat_gamma_cdf(arg[0], x);
}

double
stat_chi2_quantile(double df, double p)
{
    double arg[] = {df / 2};

    return 2 * bisect(gamma_at, arg, p,
                      (struct interval){0, df / 2 + 40 * sqrt(df) + 800});
}

struct interval
stat_wilson(uint64_t k, uint64_t n, double level)
{
    double z, p, m, half, mid, below;

    if (n == 0)
        return (struct interval){0, 1};
    z = stat_normal_quantile(0.5 + level / 2);
    m = (double)n;
    p = (double)k / m;
    below = 1 + z * z / m;
    mid = (p + z * z / (2 * m)) / below;
    half = z * sqrt(p * (1 - p) / m + z * z / (4 * m * m)) / below;
    return (struct interval){fmax(0, mid - half), fmin(1, mid + half)};
}

struct interval
stat_clopper_pearson(uint64_t k, uint64_t n, double level)
{
    double a = (1 - level) / 2, hit = (double)k, miss = (double)(n - k);
    struct interval i = {0, 1};

    if (k > 0)
        i.lo = stat_beta_quantile(hit, miss + 1, a);
    if (k < n)
        i.hi = stat_beta_quantile(hit + 1, miss, 1 - a);
    return i;
}

struct interval
stat_poisson(uint64_t k, double exposure, double level)
{
    double a = (1 - level) / 2, n = (double)k;
    double lo = k > 0 ? stat_chi2_quantile(2 * n, a) / 2 : 0;

    return (struct interval){
        lo / exposure, stat_chi2_quantile(2 * n + 2, 1 - a) / 2 / exposure};
}

double
stat_poisson_upper(uint64_t k, double exposure, double level)
{
    return stat_chi2_quantile(2 * (double)k + 2, level) / 2 / exposure;
}

double
stat_mcnemar(uint64_t b, uint64_t c)
{
    uint64_t least = b < c ? b : c, n = b + c;
    double p;

    if (b == c)
        return 1;
    /* P(X <= least) of a fair coin thrown n times. */
    p = 2 * stat_beta_cdf((double)(n - least), (double)least + 1, 0.5);
    return p < 1 ? p : 1;
}

static int
by_time(const void *a, const void *b)
{
    const struct stat_time *x = a, *y = b;

    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return (int)y->reached - (int)x->reached;
}

double
stat_km_quantile(struct stat_time *v, size_t n, double q)
{
    double left = 1;

    if (n > 0)
        qsort(v, n, sizeof(*v), by_time);
    for (size_t i = 0; i < n; i++) {
        if (v[i].reached)
            left *= 1 - 1 / (double)(n - i);
        if (v[i].reached && 1 - left >= q - 1e-12)
            return v[i].t;
    }
    return INFINITY;
}

double
stat_km_reached(struct stat_time *v, size_t n, double t)
{
    double left = 1;

    if (n > 0)
        qsort(v, n, sizeof(*v), by_time);
    for (size_t i = 0; i < n && v[i].t <= t; i++) {
        if (v[i].reached)
            left *= 1 - 1 / (double)(n - i);
    }
    return 1 - left;
}

struct stat_spread
stat_spread(const double *v, size_t n)
{
    struct stat_spread s = {0, 0, INFINITY, -INFINITY};

    for (size_t i = 0; i < n; i++) {
        s.mean += v[i] / (double)n;
        s.least = fmin(s.least, v[i]);
        s.most = fmax(s.most, v[i]);
    }
    for (size_t i = 0; n > 1 && i < n; i++)
        s.sd += (v[i] - s.mean) * (v[i] - s.mean) / (double)(n - 1);
    s.sd = sqrt(s.sd);
    return s;
}
