#include "rules/study/ratio.h"

#include "rules/study/random.h"
#include "rules/study/special.h"
#include "sensor/base/attr.h"

#include <math.h>
#include <stdlib.h>

#define TOP 5U

struct sums {
    double k, m;
};

struct boot {
    const struct ratio_host
        *v; /* with messages, by stratum, certain ones last */
    size_t n;
    size_t begin[RATIO_STRATA + 1]; /* of the drawn ones of a stratum */
    size_t certain;                 /* the first one */
    uint64_t state;
    double *shares, *ts; /* of the samples */
    size_t samples;
};

static struct sums
sum_of(const struct ratio_host *v, size_t n)
{
    struct sums s = {0, 0};

    for (size_t i = 0; i < n; i++) {
        s.k += v[i].k;
        s.m += v[i].m;
    }
    return s;
}

/* ---- linearised ---- */

static double
variance_of(const struct ratio_host *v, size_t n, const struct sums *s)
{
    const double p = s->k / s->m;
    double squares = 0;

    for (size_t i = 0; i < n; i++) {
        const double d = v[i].k - p * v[i].m;

        squares += d * d;
    }
    return (double)n / ((double)n - 1) * squares / (s->m * s->m);
}

static double
effective_df(const struct ratio_host *v, size_t n, const struct sums *s)
{
    double squares = 0, df;

    for (size_t i = 0; i < n; i++)
        squares += v[i].m * v[i].m;
    df = s->m * s->m / squares - 1;
    return fmax(1, fmin(df, (double)n - 1));
}

static struct interval
cut(double low, double high)
{
    return (struct interval){fmin(1, fmax(0, low)), fmin(1, fmax(0, high))};
}

static void
linear(struct ratio *out, const struct ratio_host *v, size_t n,
       const struct sums *s, double level)
{
    const double p = out->share, var = variance_of(v, n, s);
    double half;

    out->error = sqrt(var);
    out->df = effective_df(v, n, s);
    out->deff = p > 0 && p < 1 ? var / (p * (1 - p) / s->m) : NAN;
    half = special_t_quantile(out->df, 0.5 + level / 2) * out->error;
    out->linear = cut(p - half, p + half);
}

/* ---- what one host does ---- */

static int
larger(const void *a, const void *b)
{
    const struct ratio_host *x = a, *y = b;

    if (x->m < y->m || x->m > y->m)
        return x->m < y->m ? 1 : -1;
    return (x->k < y->k) - (x->k > y->k);
}

static double
without_top(const struct ratio_host *v, size_t n, struct ratio_host *room)
{
    struct sums s;

    if (n <= TOP)
        return NAN;
    for (size_t i = 0; i < n; i++)
        room[i] = v[i];
    qsort(room, n, sizeof(*room), larger);
    s = sum_of(room + TOP, n - TOP);
    return s.k / s.m;
}

static void
leave_out(struct ratio *out, const struct ratio_host *v, size_t n,
          const struct sums *s)
{
    double sum = 0;

    out->without = (struct interval){1, 0};
    for (size_t i = 0; i < n; i++) {
        const double p = (s->k - v[i].k) / (s->m - v[i].m);

        out->without.low = fmin(out->without.low, p);
        out->without.high = fmax(out->without.high, p);
        sum += v[i].k / v[i].m;
    }
    out->hosts_share = sum / (double)n;
}

/* ---- bootstrap ---- */

static void
sample(struct boot *b, struct ratio_host *room)
{
    for (unsigned s = 0; s < RATIO_STRATA; s++) {
        const size_t begin = b->begin[s], n = b->begin[s + 1] - begin;

        for (size_t i = 0; i < n; i++)
            room[begin + i] = b->v[begin + random_below(&b->state, n)];
    }
    for (size_t i = b->certain; i < b->n; i++)
        room[i] = b->v[i];
}

static void
draw_all(struct boot *b, struct ratio_host *room, double share, size_t samples)
{
    for (size_t i = 0; i < samples; i++) {
        struct sums s;
        double error;

        sample(b, room);
        s = sum_of(room, b->n);
        error = sqrt(variance_of(room, b->n, &s));
        b->shares[i] = s.k / s.m;
        b->ts[i] = error > 0 ? (b->shares[i] - share) / error : 0;
    }
    b->samples = samples;
}

static int
ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The p-quantile of a sorted list, between neighbours in proportion. */
static double
quantile(const double *v, size_t n, double p)
{
    const double at = fmin(fmax(p, 0), 1) * ((double)n - 1);
    const size_t i = (size_t)floor(at);

    return i + 1 < n ? v[i] + (at - floor(at)) * (v[i + 1] - v[i]) : v[n - 1];
}

/* Acceleration, from leaving out each host that is drawn. */
static double
acceleration(const struct boot *b, const struct sums *s)
{
    double mean = 0, cubes = 0, squares = 0;
    const size_t n = b->certain;

    for (size_t i = 0; i < n; i++)
        mean += (s->k - b->v[i].k) / (s->m - b->v[i].m) / (double)n;
    for (size_t i = 0; i < n; i++) {
        const double d = mean - (s->k - b->v[i].k) / (s->m - b->v[i].m);

        squares += d * d;
        cubes += d * d * d;
    }
    return squares > 0 ? cubes / (6 * pow(squares, 1.5)) : 0;
}

/* Share of the samples below the estimate, those equal to it half. */
static double
share_below(const struct boot *b, double share)
{
    double below = 0;

    for (size_t i = 0; i < b->samples; i++)
        below += b->shares[i] < share ? 1 : b->shares[i] > share ? 0 : 0.5;
    return below / (double)b->samples;
}

static double
bca_level(double z0, double a, double p)
{
    const double z = z0 + special_normal_quantile(p);

    return special_normal_cdf(z0 + z / (1 - a * z));
}

static void
conclude(struct ratio *out, struct boot *b, const struct sums *s, double level)
{
    const double tail = (1 - level) / 2, below = share_below(b, out->share);
    const size_t n = b->samples;

    qsort(b->shares, n, sizeof(*b->shares), ascending);
    qsort(b->ts, n, sizeof(*b->ts), ascending);
    out->percentile =
        cut(quantile(b->shares, n, tail), quantile(b->shares, n, 1 - tail));
    out->t = cut(out->share - quantile(b->ts, n, 1 - tail) * out->error,
                 out->share - quantile(b->ts, n, tail) * out->error);
    if (below > 0 && below < 1) {
        const double z0 = special_normal_quantile(below);
        const double a = acceleration(b, s);

        out->bca = cut(quantile(b->shares, n, bca_level(z0, a, tail)),
                       quantile(b->shares, n, bca_level(z0, a, 1 - tail)));
    }
}

static void
divide(struct boot *b)
{
    size_t i = 0;

    for (unsigned s = 0; s < RATIO_STRATA; s++) {
        b->begin[s] = i;
        while (i < b->n && !b->v[i].certain && b->v[i].stratum == s)
            i++;
    }
    b->begin[RATIO_STRATA] = b->certain = i;
}

static enum err
bootstrap(struct ratio *out, const struct ratio_host *v, size_t n,
          const struct sums *s, const struct ratio_options *o,
          struct ratio_host *room)
{
    struct boot b = {.v = v, .n = n, .state = o->seed};

    b.shares = calloc(o->samples, sizeof(*b.shares));
    b.ts = calloc(o->samples, sizeof(*b.ts));
    if (b.shares != NULL && b.ts != NULL) {
        divide(&b);
        draw_all(&b, room, out->share, o->samples);
        conclude(out, &b, s, o->level);
    }
    free(b.shares);
    free(b.ts);
    return b.shares != NULL && b.ts != NULL ? ERR_OK : ERR_NOMEM;
}

/* ---- all of it ---- */

static bool
is_host(const struct ratio_host *h)
{
    return h->k >= 0 && h->m >= h->k && !isinf(h->m) &&
           h->stratum < RATIO_STRATA;
}

/* Those with messages, by stratum and otherwise in the caller's order, certain
 * ones last; false: one is none. */
static bool
take(const struct ratio_host *hosts, size_t n, struct ratio_host *to,
     size_t *n_to)
{
    *n_to = 0;
    for (size_t i = 0; i < n; i++) {
        if (!is_host(&hosts[i]))
            return false;
    }
    for (unsigned s = 0; s <= RATIO_STRATA; s++) {
        for (size_t i = 0; i < n; i++) {
            const unsigned at =
                hosts[i].certain ? RATIO_STRATA : hosts[i].stratum;

            if (hosts[i].m > 0 && at == s)
                to[(*n_to)++] = hosts[i];
        }
    }
    return *n_to >= 2;
}

static enum err
estimate(struct ratio_host *v, size_t n, struct ratio_host *room,
         const struct ratio_options *o, struct ratio *out)
{
    const struct interval none = {NAN, NAN};
    struct sums s;

    *out =
        (struct ratio){.hosts = n, .percentile = none, .bca = none, .t = none};
    s = sum_of(v, n);
    out->share = s.k / s.m;
    linear(out, v, n, &s, o->level);
    leave_out(out, v, n, &s);
    out->without_top = without_top(v, n, room);
    return o->samples > 0 ? bootstrap(out, v, n, &s, o, room) : ERR_OK;
}

enum err
ratio_of(const struct ratio_host *hosts, size_t n,
         const struct ratio_options *o, struct ratio *out)
{
    struct ratio_host *v, *room;
    enum err e = ERR_NOMEM;
    size_t n_v = 0;

    if (!(o->level > 0 && o->level < 1))
        return ERR_USAGE;
    v = calloc(n + 1, sizeof(*v));
    room = calloc(n + 1, sizeof(*room));
    if (v != NULL && room != NULL) {
        e = take(hosts, n, v, &n_v) ? ERR_OK : ERR_USAGE;
        if (e == ERR_OK)
            e = estimate(v, n_v, room, o, out);
    }
    free(v);
    free(room);
    return e;
}
