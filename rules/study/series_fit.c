#include "rules/study/series_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define K SERIES_COLUMNS_MAX

/* A column that others say too leaves less than this share of its length. */
#define ALIKE 1e-10
/* What rounding leaves of y: below it nothing varies. */
#define NOTHING 1e-12

#define RHO_LEAST -0.6
#define RHO_MOST  0.95
#define RHO_GRID  32U
#define RHO_NEAR  1e-9
#define DF_LEAST  3.0

/* x = q r with orthogonal columns of length one in q; u: what is left of y. */
struct solved {
    size_t n, k;
    double *q; /* n rows of k */
    double *u; /* n */
    double r[K][K];
    double b[K];
    double inverse[K][K]; /* of r */
    double squares;       /* of u */
};

static void
solved_free(struct solved *s)
{
    free(s->q);
    free(s->u);
    s->q = s->u = NULL;
}

static enum err
solved_new(struct solved *s, const struct series_design *d)
{
    *s = (struct solved){.n = d->n, .k = d->k};
    if (d->k == 0 || d->k > K || d->n <= d->k || d->n > SERIES_DAYS_MAX)
        return ERR_USAGE;
    s->q = calloc(d->n * d->k, sizeof(*s->q));
    s->u = calloc(d->n, sizeof(*s->u));
    if (s->q != NULL && s->u != NULL)
        return ERR_OK;
    solved_free(s);
    return ERR_NOMEM;
}

/* ---- least squares: Gram and Schmidt, modified, on q and u in place ---- */

static double
product(const struct solved *s, size_t i, size_t j)
{
    double sum = 0;

    for (size_t t = 0; t < s->n; t++)
        sum += s->q[t * s->k + i] * s->q[t * s->k + j];
    return sum;
}

static bool
unit_column(struct solved *s, size_t i, double before)
{
    const double length = sqrt(product(s, i, i));

    if (!(length > ALIKE * before))
        return false;
    s->r[i][i] = length;
    for (size_t t = 0; t < s->n; t++)
        s->q[t * s->k + i] /= length;
    return true;
}

static void
take_out(struct solved *s, size_t i, size_t j)
{
    const double by = product(s, i, j);

    s->r[i][j] = by;
    for (size_t t = 0; t < s->n; t++)
        s->q[t * s->k + j] -= by * s->q[t * s->k + i];
}

static double
take_out_of_u(struct solved *s, size_t i)
{
    double by = 0;

    for (size_t t = 0; t < s->n; t++)
        by += s->q[t * s->k + i] * s->u[t];
    for (size_t t = 0; t < s->n; t++)
        s->u[t] -= by * s->q[t * s->k + i];
    return by;
}

static void
back_substitute(struct solved *s, const double *right, double *out)
{
    for (size_t i = s->k; i-- > 0;) {
        double v = right[i];

        for (size_t j = i + 1; j < s->k; j++)
            v -= s->r[i][j] * out[j];
        out[i] = v / s->r[i][i];
    }
}

static void
invert(struct solved *s)
{
    for (size_t j = 0; j < s->k; j++) {
        double unit[K] = {0}, column[K] = {0};

        unit[j] = 1;
        back_substitute(s, unit, column);
        for (size_t i = 0; i < s->k; i++)
            s->inverse[i][j] = column[i];
    }
}

/* False: columns say the same. */
static bool
solve(struct solved *s)
{
    double before[K], right[K] = {0};

    for (size_t i = 0; i < s->k; i++)
        before[i] = sqrt(product(s, i, i));
    for (size_t i = 0; i < s->k; i++) {
        if (!unit_column(s, i, before[i]))
            return false;
        for (size_t j = i + 1; j < s->k; j++)
            take_out(s, i, j);
    }
    for (size_t i = 0; i < s->k; i++)
        right[i] = take_out_of_u(s, i);
    back_substitute(s, right, s->b);
    invert(s);
    s->squares = 0;
    for (size_t t = 0; t < s->n; t++)
        s->squares += s->u[t] * s->u[t];
    return true;
}

static bool
varies(const struct solved *s, const struct series_design *d)
{
    double all = 0;

    for (size_t t = 0; t < d->n; t++)
        all += d->y[t] * d->y[t];
    return s->squares > NOTHING * NOTHING * all;
}

/* ---- Newey and West ---- */

/* Sum over t of what days t and t - lag share, in columns of q. */
static void
add_lag(const struct solved *s, size_t lag, double weight, double meat[K][K])
{
    for (size_t t = lag; t < s->n; t++) {
        const double *a = &s->q[t * s->k], *b = &s->q[(t - lag) * s->k];
        const double uu = weight * s->u[t] * s->u[t - lag];

        for (size_t i = 0; i < s->k; i++) {
            for (size_t j = 0; j < s->k; j++) {
                meat[i][j] += uu * a[i] * b[j];
                if (lag > 0)
                    meat[j][i] += uu * a[i] * b[j];
            }
        }
    }
}

/* inverse m inverse' */
static void
sandwich(const struct solved *s, double m[K][K], double by, double out[K][K])
{
    double half[K][K] = {{0}};

    for (size_t i = 0; i < s->k; i++) {
        for (size_t j = 0; j < s->k; j++) {
            for (size_t l = i; l < s->k; l++)
                half[i][j] += s->inverse[i][l] * m[l][j];
        }
    }
    for (size_t i = 0; i < s->k; i++) {
        for (size_t j = 0; j < s->k; j++) {
            out[i][j] = 0;
            for (size_t l = j; l < s->k; l++)
                out[i][j] += by * half[i][l] * s->inverse[j][l];
        }
    }
}

/* Cook and Weisberg (1982): b without a day, from its residual and leverage. */
static void
leave_out(const struct solved *s, size_t of, double *without)
{
    for (size_t t = 0; t < s->n; t++) {
        const double *q = &s->q[t * s->k];
        double leverage = 0, pull = 0;

        for (size_t i = 0; i < s->k; i++) {
            leverage += q[i] * q[i];
            pull += s->inverse[of][i] * q[i];
        }
        without[t] = leverage < 1 - ALIKE
                         ? s->b[of] - pull * s->u[t] / (1 - leverage)
                         : NAN;
    }
}

enum err
series_fit_newey_west(const struct series_design *d, size_t lag, size_t of,
                      double *without, struct series_fit *out)
{
    struct solved s;
    double meat[K][K] = {{0}};
    enum err e = solved_new(&s, d);

    if (e != ERR_OK)
        return e;
    memcpy(s.q, d->x, d->n * d->k * sizeof(*s.q));
    memcpy(s.u, d->y, d->n * sizeof(*s.u));
    if (solve(&s) && varies(&s, d) && of < d->k) {
        const double n = (double)d->n, df = n - (double)d->k;

        for (size_t l = 0; l <= lag && l < d->n; l++)
            add_lag(&s, l, 1 - (double)l / ((double)lag + 1), meat);
        *out = (struct series_fit){.df = df};
        memcpy(out->b, s.b, sizeof(s.b));
        sandwich(&s, meat, n / df, out->cov);
        if (without != NULL)
            leave_out(&s, of, without);
    } else {
        e = ERR_USAGE;
    }
    solved_free(&s);
    return e;
}

/* ---- first-order autoregression ---- */

/* Each row less what the one before says of it (Prais and Winsten 1954), in
 * units in which all vary alike. Gives the logarithm of the determinant. */
static double
whiten(const struct series_design *d, double rho, struct solved *s)
{
    double logs = 0;

    for (size_t t = 0; t < d->n; t++) {
        const double keeps = t > 0 ? pow(rho, d->at[t] - d->at[t - 1]) : 0;
        const double spread = sqrt((1 - keeps * keeps) / (1 - rho * rho));

        for (size_t i = 0; i < d->k; i++) {
            const double before = t > 0 ? d->x[(t - 1) * d->k + i] : 0;

            s->q[t * d->k + i] = (d->x[t * d->k + i] - keeps * before) / spread;
        }
        s->u[t] = (d->y[t] - (t > 0 ? keeps * d->y[t - 1] : 0)) / spread;
        logs -= log(spread);
    }
    return logs;
}

/* Restricted likelihood, its logarithm but for a constant; s is the fit. */
static double
likelihood(const struct series_design *d, double rho, struct solved *s)
{
    double logs = whiten(d, rho, s);

    memset(s->r, 0, sizeof(s->r));
    if (!solve(s))
        return -INFINITY;
    for (size_t i = 0; i < d->k; i++)
        logs -= log(s->r[i][i]);
    return logs - ((double)d->n - (double)d->k) / 2 * log(s->squares);
}

/* The grid finds the hill, the golden section its top. */
static double
best_rho(const struct series_design *d, struct solved *s)
{
    const double step = (RHO_MOST - RHO_LEAST) / RHO_GRID;
    const double golden = (sqrt(5) - 1) / 2;
    double best = -INFINITY, low = 0, high, a, b, at_a, at_b;

    for (unsigned i = 0; i <= RHO_GRID; i++) {
        const double rho = RHO_LEAST + i * step, l = likelihood(d, rho, s);

        if (l > best) {
            best = l;
            low = rho - step;
        }
    }
    high = fmin(low + 2 * step, RHO_MOST);
    low = fmax(low, RHO_LEAST);
    a = high - golden * (high - low);
    b = low + golden * (high - low);
    at_a = likelihood(d, a, s);
    at_b = likelihood(d, b, s);
    while (high - low > RHO_NEAR) {
        if (at_a > at_b) {
            high = b;
            b = a;
            at_b = at_a;
            a = high - golden * (high - low);
            at_a = likelihood(d, a, s);
        } else {
            low = a;
            a = b;
            at_a = at_b;
            b = low + golden * (high - low);
            at_b = likelihood(d, b, s);
        }
    }
    return (low + high) / 2;
}

static double
df_of(double n, double k, double rho)
{
    const double left = rho > 0 ? n * (1 - rho) / (1 + rho) - k : n - k;

    return fmin(n - k, fmax(DF_LEAST, left));
}

enum err
series_fit_ar1(const struct series_design *d, struct series_fit *out)
{
    struct solved s;
    double one[K][K] = {{0}};
    enum err e = solved_new(&s, d);

    if (e != ERR_OK)
        return e;
    if (isfinite(likelihood(d, 0, &s)) && varies(&s, d)) {
        const double n = (double)d->n, k = (double)d->k;

        *out = (struct series_fit){.rho = best_rho(d, &s)};
        (void)likelihood(d, out->rho, &s);
        memcpy(out->b, s.b, sizeof(s.b));
        for (size_t i = 0; i < d->k; i++)
            one[i][i] = 1;
        sandwich(&s, one, s.squares / (n - k), out->cov);
        out->df = df_of(n, k, out->rho);
    } else {
        e = ERR_USAGE;
    }
    solved_free(&s);
    return e;
}
