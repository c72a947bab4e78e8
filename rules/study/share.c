#include "rules/study/share.h"

#include "rules/study/special.h"

#include <math.h>

static bool
is_count(double k, double n)
{
    return n > 0 && k >= 0 && k <= n;
}

static bool
is_level(double level)
{
    return level > 0 && level < 1;
}

static double
cut(double p)
{
    return p < 0 ? 0 : p > 1 ? 1 : p;
}

static double
z_of(double level)
{
    return special_normal_quantile(0.5 + level / 2);
}

bool
share_wilson(double k, double n, double level, struct interval *out)
{
    double z, p, middle, half;

    if (!is_count(k, n) || !is_level(level))
        return false;
    z = z_of(level);
    p = k / n;
    middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n);
    /* At the ends it touches them, whatever is rounded. */
    out->low = k <= 0 ? 0 : cut(middle - half);
    out->high = k >= n ? 1 : cut(middle + half);
    return true;
}

bool
share_exact(double k, double n, double level, struct interval *out)
{
    const double tail = (1 - level) / 2;

    if (!is_count(k, n) || !is_level(level))
        return false;
    out->low = k <= 0 ? 0 : special_beta_quantile(k, n - k + 1, tail);
    out->high = k >= n ? 1 : special_beta_quantile(k + 1, n - k, 1 - tail);
    return true;
}

bool
share_rate(double events, double exposure, double level, struct interval *out)
{
    const double tail = (1 - level) / 2;

    if (!(events >= 0) || !(exposure > 0) || !is_level(level))
        return false;
    out->low =
        events <= 0 ? 0 : special_gamma_quantile(events, tail) / exposure;
    out->high = special_gamma_quantile(events + 1, 1 - tail) / exposure;
    return true;
}

double
share_none(double exposure, double level)
{
    return exposure > 0 && is_level(level) ? -log1p(-level) / exposure : NAN;
}

/* ---- what a detector or a reviewer gets wrong ---- */

static double
variance(const struct share_of *s)
{
    const double p = s->k / s->n;

    return p * (1 - p) / s->n;
}

bool
share_rogan_gladen(const struct share_of *apparent,
                   const struct share_of *sensitivity,
                   const struct share_of *specificity, double level,
                   struct share_true *out)
{
    double se, sp, j, p, z;

    if (!is_count(apparent->k, apparent->n) ||
        !is_count(sensitivity->k, sensitivity->n) ||
        !is_count(specificity->k, specificity->n) || !is_level(level))
        return false;
    se = sensitivity->k / sensitivity->n;
    sp = specificity->k / specificity->n;
    j = se + sp - 1;
    if (!(j > 0))
        return false;
    p = (apparent->k / apparent->n + sp - 1) / j;
    z = z_of(level);
    out->error = sqrt(variance(apparent) + p * p * variance(sensitivity) +
                      (1 - p) * (1 - p) * variance(specificity)) /
                 j;
    out->share = cut(p);
    out->interval.low = cut(p - z * out->error);
    out->interval.high = cut(p + z * out->error);
    return true;
}

struct interval
share_bounds(double f, double p)
{
    f = cut(f);
    p = cut(p);
    return (struct interval){f * p, f * p + (1 - f)};
}

/* ---- kappa ---- */

struct margins {
    double n, agreed, expected;
};

static double
row_sum(const double *t, size_t n, size_t row)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += t[row * n + i];
    return sum;
}

static double
column_sum(const double *t, size_t n, size_t column)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += t[i * n + column];
    return sum;
}

static struct margins
margins_of(const double *t, size_t n)
{
    struct margins m = {0, 0, 0};

    for (size_t i = 0; i < n; i++)
        m.n += row_sum(t, n, i);
    for (size_t i = 0; i < n && m.n > 0; i++) {
        m.agreed += t[i * n + i] / m.n;
        m.expected += row_sum(t, n, i) / m.n * (column_sum(t, n, i) / m.n);
    }
    return m;
}

static double
kappa_variance(const double *t, size_t n, const struct margins *m, double kappa)
{
    const double rest = 1 - kappa;
    double a = 0, b = 0, c = kappa - m->expected * rest;

    for (size_t i = 0; i < n; i++) {
        const double both =
            row_sum(t, n, i) / m->n + column_sum(t, n, i) / m->n;

        a += t[i * n + i] / m->n * (1 - both * rest) * (1 - both * rest);
        for (size_t j = 0; j < n; j++) {
            const double sum =
                column_sum(t, n, i) / m->n + row_sum(t, n, j) / m->n;

            if (i != j)
                b += t[i * n + j] / m->n * sum * sum;
        }
    }
    return (a + rest * rest * b - c * c) /
           ((1 - m->expected) * (1 - m->expected) * m->n);
}

bool
share_kappa(const double *table, size_t n_categories, double level,
            struct share_kappa *out)
{
    const struct margins m = margins_of(table, n_categories);
    double z;

    if (!(m.n > 0) || !(m.expected < 1) || !is_level(level))
        return false;
    z = z_of(level);
    out->agreed = m.agreed;
    out->kappa = (m.agreed - m.expected) / (1 - m.expected);
    out->error =
        sqrt(fmax(0, kappa_variance(table, n_categories, &m, out->kappa)));
    out->interval.low = fmax(-1, out->kappa - z * out->error);
    out->interval.high = fmin(1, out->kappa + z * out->error);
    return true;
}

double
share_mcnemar(double b, double c)
{
    double p;

    if (!(b >= 0) || !(c >= 0))
        return NAN;
    p = 2 * special_binomial_cdf(fmin(b, c), b + c, 0.5);
    return p < 1 ? p : 1;
}

/* ---- what it costs ---- */

double
share_break_even(double a, double worth, double l, double cost, double ticket)
{
    const double lost = cost * l + ticket, gained = worth * a;

    return lost + gained > 0 ? lost / (gained + lost) : NAN;
}

double
share_weight(double q, double most)
{
    return q > 0 && 1 / q < most ? 1 / q : most;
}
