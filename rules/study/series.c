#include "rules/study/series.h"

#include "rules/study/special.h"

#include <math.h>
#include <stdlib.h>

enum column { LEVEL, TREND, LEVEL_CHANGE, TREND_CHANGE, WEEKDAYS };

#define WEEK       7
#define FIRST_WEEK 3 /* 1970-01-01 was a Thursday; Monday is 0 */

struct work {
    const struct series_day *v;
    const struct series_options *o;
    struct series_design d;
    double *x, *y, *at, *without;
};

const char *
series_why_text(enum series_why w)
{
    static const char *const texts[] = {
#define X(id, people) people,
        SERIES_WHY(X)
#undef X
    };

    return texts[w];
}

/* ---- may it be used ---- */

static size_t
n_before(const struct series_day *v, size_t n, int64_t cut)
{
    size_t i = 0;

    while (i < n && v[i].day < cut)
        i++;
    return i;
}

static double
mean_of(const struct series_day *v, size_t n)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += v[i].count;
    return n > 0 ? sum / (double)n : 0;
}

enum series_scale
series_scale(const struct series_day *v, size_t n, int64_t cut)
{
    const size_t before = n_before(v, n, cut);

    return mean_of(v, before) >= SERIES_LARGE &&
                   mean_of(v + before, n - before) >= SERIES_LARGE
               ? SERIES_LOG
               : SERIES_COUNTS;
}

/* 5e11 days: all that a double counts, and differences stay whole. */
static bool
are_days(const struct series_day *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!(v[i].count >= 0) || isinf(v[i].count) ||
            v[i].day > INT64_C(500000000000) ||
            v[i].day < -INT64_C(500000000000) ||
            (i > 0 && v[i].day <= v[i - 1].day))
            return false;
    }
    return true;
}

static enum series_why
look(const struct series_day *v, size_t n, const struct series_options *o)
{
    const size_t before = n_before(v, n, o->cut);

    if (!are_days(v, n) || !(o->level > 0 && o->level < 1))
        return SERIES_NO_DAYS;
    if (n > SERIES_DAYS_MAX)
        return SERIES_TOO_MANY;
    if (before < SERIES_SIDE_MIN || n - before < SERIES_SIDE_MIN)
        return SERIES_FEW_DAYS;
    if (v[before].day - v[before - 1].day - 1 >
        v[before - 1].day - v[0].day + 1)
        return SERIES_FAR_APART;
    return SERIES_FINE;
}

/* ---- columns ---- */

static unsigned
weekday(int64_t day)
{
    return (unsigned)(((day + FIRST_WEEK) % WEEK + WEEK) % WEEK);
}

static void
put_row(const struct work *w, size_t i)
{
    const int64_t day = w->v[i].day;
    const double t = (double)(day - w->o->cut), after = t >= 0 ? 1 : 0;
    double *x = &w->x[i * w->d.k];

    x[LEVEL] = 1;
    x[TREND] = t;
    x[LEVEL_CHANGE] = after;
    x[TREND_CHANGE] = after * t;
    for (unsigned j = 0; WEEKDAYS + j < w->d.k; j++)
        x[WEEKDAYS + j] = weekday(day) == j          ? 1
                          : weekday(day) == WEEK - 1 ? -1
                                                     : 0;
    w->at[i] = t;
    w->y[i] = w->o->scale == SERIES_LOG ? log1p(w->v[i].count) : w->v[i].count;
}

static bool
take_room(struct work *w)
{
    w->x = calloc(w->d.n * w->d.k, sizeof(*w->x));
    w->y = calloc(w->d.n, sizeof(*w->y));
    w->at = calloc(w->d.n, sizeof(*w->at));
    w->without = calloc(w->d.n, sizeof(*w->without));
    w->d.x = w->x;
    w->d.y = w->y;
    w->d.at = w->at;
    return w->x != NULL && w->y != NULL && w->at != NULL && w->without != NULL;
}

static void
give_back(struct work *w)
{
    free(w->x);
    free(w->y);
    free(w->at);
    free(w->without);
}

/* ---- terms ---- */

/* Of column i, and so much of column j. */
static struct series_term
term(const struct series_fit *f, size_t i, size_t j, double by, double level)
{
    const double var =
        f->cov[i][i] + 2 * by * f->cov[i][j] + by * by * f->cov[j][j];
    struct series_term t = {.value = f->b[i] + by * f->b[j]};
    double half;

    t.error = sqrt(fmax(0, var));
    half = special_t_quantile(f->df, 0.5 + level / 2) * t.error;
    t.interval = (struct interval){t.value - half, t.value + half};
    return t;
}

static struct series_fitted
fitted(const struct series_fit *f, double mean_after, double level)
{
    return (struct series_fitted){
        .level = term(f, LEVEL, LEVEL, 0, level),
        .trend = term(f, TREND, TREND, 0, level),
        .level_change = term(f, LEVEL_CHANGE, LEVEL_CHANGE, 0, level),
        .trend_change = term(f, TREND_CHANGE, TREND_CHANGE, 0, level),
        .mean_change = term(f, LEVEL_CHANGE, TREND_CHANGE, mean_after, level),
        .df = f->df,
    };
}

static double
mean_after(const struct work *w, size_t before)
{
    double sum = 0;

    for (size_t i = before; i < w->d.n; i++)
        sum += w->at[i];
    return sum / (double)(w->d.n - before);
}

/* The day that moves the change of level most. */
static int64_t
find_day(const struct work *w, double level_change)
{
    double most = -1;
    int64_t which = w->v[0].day;

    for (size_t i = 0; i < w->d.n; i++) {
        const double by = fabs(w->without[i] - level_change);

        if (by > most) {
            most = by;
            which = w->v[i].day;
        }
    }
    return which;
}

static enum err
compute(struct work *w, struct series *out)
{
    struct series_fit nw, ar1;
    const double after = mean_after(w, out->before);
    enum err e =
        series_fit_newey_west(&w->d, out->lag, LEVEL_CHANGE, w->without, &nw);

    if (e == ERR_OK)
        e = series_fit_ar1(&w->d, &ar1);
    if (e != ERR_OK)
        return e;
    out->newey_west = fitted(&nw, after, w->o->level);
    out->ar1 = fitted(&ar1, after, w->o->level);
    out->rho = ar1.rho;
    out->which = find_day(w, nw.b[LEVEL_CHANGE]);
    return ERR_OK;
}

/* ---- all of it ---- */

static enum err
run(struct work *w, struct series *s)
{
    enum err e = ERR_NOMEM;

    w->d.k = WEEKDAYS + (s->weekdays ? WEEK - 1 : 0);
    if (take_room(w)) {
        for (size_t i = 0; i < w->d.n; i++)
            put_row(w, i);
        e = compute(w, s);
    }
    give_back(w);
    return e;
}

/* Where days are left out a weekday may be missing, and its column say nothing:
 * then again without weekdays. */
static enum err
run_twice(const struct series_day *v, size_t n, const struct series_options *o,
          struct series *s)
{
    struct work w = {.v = v, .o = o, .d = {.n = n}};
    enum err e;

    s->before = n_before(v, n, o->cut);
    s->after = n - s->before;
    s->weekdays = o->weekdays && s->before >= SERIES_WEEKS_MIN &&
                  s->after >= SERIES_WEEKS_MIN;
    e = run(&w, s);
    if (e == ERR_USAGE && s->weekdays) {
        s->weekdays = false;
        e = run(&w, s);
    }
    return e;
}

/* Without one day all the others may be the same: then it is that day alone. */
static enum err
run_without(const struct series_day *v, size_t n,
            const struct series_options *o, struct series *s)
{
    struct series_day *others = calloc(n, sizeof(*others));
    struct series rest = {.scale = s->scale, .lag = s->lag};
    enum err e = ERR_NOMEM;
    size_t n_others = 0;

    for (size_t i = 0; others != NULL && i < n; i++) {
        if (v[i].day != s->which)
            others[n_others++] = v[i];
    }
    if (others != NULL)
        e = run_twice(others, n_others, o, &rest);
    free(others);
    s->without = rest.ar1.mean_change;
    s->one_day = e == ERR_USAGE ||
                 s->ar1.mean_change.value < s->without.interval.low ||
                 s->ar1.mean_change.value > s->without.interval.high;
    return e == ERR_NOMEM ? e : ERR_OK;
}

static size_t
lag_of(size_t n, size_t lag)
{
    return lag == SERIES_LAG_DEFAULT
               ? (size_t)floor(4 * pow((double)n / 100, 2.0 / 9))
               : lag;
}

enum series_why
series_of(const struct series_day *v, size_t n, const struct series_options *o,
          struct series *out)
{
    const enum series_why why = look(v, n, o);
    struct series s = {.scale = o->scale, .lag = lag_of(n, o->lag)};
    enum err e;

    if (why != SERIES_FINE)
        return why;
    e = run_twice(v, n, o, &s);
    if (e == ERR_OK)
        e = run_without(v, n, o, &s);
    if (e != ERR_OK)
        return e == ERR_NOMEM ? SERIES_NO_MEMORY : SERIES_NOTHING_VARIES;
    *out = s;
    return SERIES_FINE;
}

struct series_term
series_factor(const struct series_term *t)
{
    return (struct series_term){
        exp(t->value),
        exp(t->value) * t->error,
        {exp(t->interval.low), exp(t->interval.high)},
    };
}
