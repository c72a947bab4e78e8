#include "rules/study/survive.h"

#include "rules/study/special.h"

#include <math.h>
#include <stdlib.h>

static int
by_time(const void *a, const void *b)
{
    const struct survive_unit *x = a, *y = b;

    if (x->time < y->time || x->time > y->time)
        return x->time < y->time ? -1 : 1;
    /* events first */
    return (x->end == SURVIVE_CENSORED) - (y->end == SURVIVE_CENSORED);
}

static bool
are_good(const struct survive_unit *u, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!(u[i].time >= 0) || isinf(u[i].time))
            return false;
    }
    return n > 0;
}

/* ln(-ln S) has a variance that is alike everywhere. */
static struct interval
log_log(double s, double error, double z)
{
    double width;

    if (s <= 0 || s >= 1)
        return (struct interval){s, s};
    width = z * error / (s * fabs(log(s)));
    return (struct interval){pow(s, exp(width)), pow(s, exp(-width))};
}

struct running {
    double free;      /* the event alone */
    double any;       /* neither the event nor another */
    double greenwood; /* sum */
    double incidence;
    double z;
};

/* All units of one time. */
static void
take_time(struct running *r, struct survive_step *s)
{
    const double risk = (double)s->at_risk, d = (double)s->events;

    r->incidence += r->any * d / risk;
    r->any *= 1 - (d + (double)s->others) / risk;
    r->free *= 1 - d / risk;
    if (d > 0 && risk > d)
        r->greenwood += d / (risk * (risk - d));
    s->free = r->free;
    s->error = r->free * sqrt(r->greenwood);
    s->interval = log_log(s->free, s->error, r->z);
    s->incidence = r->incidence;
}

static void
fill(struct survive *out, const struct survive_unit *u, double z)
{
    struct running r = {1, 1, 0, 0, z};
    size_t i = 0;

    while (i < out->units) {
        struct survive_step s = {.time = u[i].time, .at_risk = out->units - i};

        for (; i < out->units && u[i].time <= s.time; i++) {
            s.events += u[i].end == SURVIVE_EVENT;
            s.others += u[i].end == SURVIVE_OTHER;
        }
        if (s.events + s.others == 0)
            continue;
        take_time(&r, &s);
        out->events += s.events;
        out->others += s.others;
        out->v[out->n++] = s;
    }
}

enum err
survive_of(struct survive_unit *units, size_t n, double level,
           struct survive *out)
{
    *out = (struct survive){.units = n};
    if (!are_good(units, n) || !(level > 0 && level < 1))
        return ERR_USAGE;
    out->v = calloc(n, sizeof(*out->v));
    if (out->v == NULL)
        return ERR_NOMEM;
    qsort(units, n, sizeof(*units), by_time);
    out->last = units[n - 1].time;
    fill(out, units, special_normal_quantile(0.5 + level / 2));
    return ERR_OK;
}

void
survive_free(struct survive *s)
{
    free(s->v);
    *s = (struct survive){0};
}

void
survive_quantile(const struct survive *s, double p, double *time,
                 struct interval *out)
{
    *time = out->low = out->high = INFINITY;
    for (size_t i = s->n; i > 0; i--) {
        const struct survive_step *v = &s->v[i - 1];

        if (v->free <= 1 - p)
            *time = v->time;
        if (v->interval.low <= 1 - p)
            out->low = v->time;
        if (v->interval.high <= 1 - p)
            out->high = v->time;
    }
}

/* Area under S(t) from the i-th step to tau. */
static double
area_from(const struct survive *s, size_t i, double tau)
{
    double area = 0;

    for (; i < s->n && s->v[i].time < tau; i++) {
        const double end =
            i + 1 < s->n && s->v[i + 1].time < tau ? s->v[i + 1].time : tau;

        area += s->v[i].free * (end - s->v[i].time);
    }
    return area;
}

/* Backwards, so that it takes one walk: the area behind each step. */
static double
mean_variance(const struct survive *s, double tau)
{
    double area = 0, sum = 0, end = tau;

    for (size_t i = s->n; i > 0; i--) {
        const struct survive_step *v = &s->v[i - 1];
        const double risk = (double)v->at_risk, d = (double)v->events;

        if (v->time >= tau)
            continue;
        area += v->free * (end - v->time);
        end = v->time;
        if (d > 0 && risk > d)
            sum += area * area * d / (risk * (risk - d));
    }
    return sum;
}

double
survive_mean(const struct survive *s, double tau, double *error)
{
    const double first = s->n > 0 && s->v[0].time < tau ? s->v[0].time : tau;

    *error = NAN;
    if (!(tau > 0) || tau > s->last)
        return NAN;
    *error = sqrt(mean_variance(s, tau));
    return first + area_from(s, 0, tau);
}
