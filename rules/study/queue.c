#include "rules/study/queue.h"

#include "rules/study/random.h"
#include "sensor/base/attr.h"

#include <math.h>
#include <stdlib.h>

/* Hours from Monday 00:00 of the first week. */
#define DAY       24.0
#define WEEK      (7 * DAY)
#define OPENS     8.0
#define CLOSES    17.0
#define LUNCH     12.0
#define LUNCH_END 13.0
#define DAWN      7.0
#define DUSK      19.0

#define PROMISED       48.0
#define SOON_SHARE     0.6
#define LATER_DAYS     10.0
#define REPLICATES_MAX 400U

const struct queue_options queue_default = {
    .clerks = 1,
    .waves = 1,
    .form_min = 25,
    .rework = 0.15,
    .cutover_h = DAY,
};

/* Times at which forms are there, and since when they are counted. */
struct form {
    double at, since;
};

struct line { /* first in, first out, in order of at */
    struct form *v;
    size_t first, n;
};

struct office {
    const struct queue_options *o;
    struct line fresh, again;
    double free_at[QUEUE_CLERKS_MAX];
    double *waits;
    size_t n_waits;
    uint64_t random;
};

/* ---- the clock on the wall ---- */

static bool
is_weekend(double t)
{
    return fmod(t, WEEK) >= 5 * DAY;
}

static double
monday_after(double t)
{
    return (floor(t / WEEK) + 1) * WEEK;
}

/* The next moment at which clerks work. */
static double
open_from(const struct queue_options *o, double t)
{
    double midnight = floor(t / DAY) * DAY, hour = t - midnight;

    if (hour >= CLOSES) {
        midnight += DAY;
        hour = 0;
    }
    if (is_weekend(midnight))
        return monday_after(midnight) + OPENS;
    if (hour < OPENS)
        return midnight + OPENS;
    if (o->lunch && hour >= LUNCH && hour < LUNCH_END)
        return midnight + LUNCH_END;
    return t;
}

/* When they stop next; t is within their hours. */
static double
close_after(const struct queue_options *o, double t)
{
    const double midnight = floor(t / DAY) * DAY;

    return midnight + (o->lunch && t - midnight < LUNCH ? LUNCH : CLOSES);
}

/* When so many hours of work are done that begin at t, within their hours. */
static double
end_of_work(const struct queue_options *o, double t, double hours)
{
    while (o->stops && close_after(o, t) - t < hours) {
        hours -= close_after(o, t) - t;
        t = open_from(o, close_after(o, t));
    }
    return t + hours;
}

/* ---- forms ---- */

static double
arrival(struct office *f, double cutover)
{
    const struct queue_options *o = f->o;
    const bool soon = random_share(&f->random) < SOON_SHARE;
    const double days = soon ? random_exponential(&f->random)
                             : LATER_DAYS * random_share(&f->random);
    double t = cutover + days * DAY;

    if (!o->any_time) {
        t = floor(t / DAY) * DAY;
        t = fmax(cutover, t + DAWN + (DUSK - DAWN) * random_share(&f->random));
    }
    return !o->weekend_counts && is_weekend(t) ? monday_after(t) + OPENS : t;
}

static int
earlier(const void *a, const void *b)
{
    const struct form *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

static void
fill(struct office *f)
{
    f->fresh.first = f->again.first = f->again.n = 0;
    f->fresh.n = (size_t)f->o->forms;
    for (size_t i = 0; i < f->fresh.n; i++) {
        const double wave = (double)(i % f->o->waves) * WEEK;
        const double t = arrival(f, f->o->cutover_h + wave);

        f->fresh.v[i] = (struct form){t, t};
    }
    qsort(f->fresh.v, f->fresh.n, sizeof(*f->fresh.v), earlier);
}

/* The one that came first; NULL: all are done. */
static const struct form *
take(struct office *f, bool *again)
{
    const struct line *a = &f->again, *b = &f->fresh;

    if (a->first == a->n && b->first == b->n)
        return NULL;
    *again = a->first < a->n &&
             (b->first == b->n || a->v[a->first].at <= b->v[b->first].at);
    return *again ? &f->again.v[f->again.first++]
                  : &f->fresh.v[f->fresh.first++];
}

static size_t
first_free(const struct office *f)
{
    size_t best = 0;

    for (size_t i = 1; i < f->o->clerks; i++) {
        if (f->free_at[i] < f->free_at[best])
            best = i;
    }
    return best;
}

/* Those that come again do so in the order in which they were worked on, for
 * all take as long: the line stays in order. */
static void
work_on(struct office *f, const struct form *form, bool again)
{
    const struct queue_options *o = f->o;
    const bool more = !again && random_share(&f->random) < o->rework;
    const bool longer = more && o->rework_way == QUEUE_REWORK_AT_ONCE;
    const size_t clerk = first_free(f);
    double t = open_from(o, fmax(form->at, f->free_at[clerk]));

    t = end_of_work(o, t, o->form_min / 60 * (longer ? 2 : 1));
    f->free_at[clerk] = t;
    if (more && !longer) {
        if (o->rework_way == QUEUE_REWORK_NEXT_DAY)
            t += DAY;
        f->again.v[f->again.n++] = (struct form){t, form->since};
    } else {
        f->waits[f->n_waits++] = t - form->since;
    }
}

static void
replicate(struct office *f)
{
    const struct form *form;
    bool again = false;

    for (size_t i = 0; i < f->o->clerks; i++)
        f->free_at[i] = 0;
    fill(f);
    while ((form = take(f, &again)) != NULL)
        work_on(f, form, again);
}

/* ---- all of it ---- */

static int
shorter(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void
sum_up(struct office *f, struct study_queue_row *out)
{
    const size_t n = f->n_waits;
    size_t within = 0;

    qsort(f->waits, n, sizeof(*f->waits), shorter);
    while (within < n && f->waits[within] <= PROMISED)
        within++;
    out->within_48h = (double)within / (double)n;
    out->p95_h = f->waits[(size_t)ceil(0.95 * (double)n) - 1];
}

static bool
is_fine(const struct queue_options *o)
{
    return o->clerks > 0 && o->waves > 0 && o->form_min >= 0 &&
           o->form_min <= 1000 && o->rework >= 0 && o->rework <= 1 &&
           o->cutover_h >= 0 && o->cutover_h < WEEK &&
           o->rework_way <= QUEUE_REWORK_NEXT_DAY;
}

static enum err
simulate(struct office *f, struct study_queue_row *out)
{
    const size_t n = (size_t)f->o->forms;
    size_t replicates = QUEUE_FORMS_SIMULATED / n;

    replicates = replicates < 1                ? 1
                 : replicates > REPLICATES_MAX ? REPLICATES_MAX
                                               : replicates;
    f->fresh.v = calloc(n, sizeof(*f->fresh.v));
    f->again.v = calloc(n, sizeof(*f->again.v));
    f->waits = calloc(n * replicates, sizeof(*f->waits));
    if (f->fresh.v == NULL || f->again.v == NULL || f->waits == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < replicates; i++)
        replicate(f);
    sum_up(f, out);
    return ERR_OK;
}

enum err
queue_simulate(const struct queue_options *o, struct study_queue_row *out)
{
    struct office f = {.o = o, .random = o->seed};
    struct study_queue_row row = {o->clerks, o->waves, NAN, NAN};
    enum err e = ERR_OK;

    if (!is_fine(o))
        return ERR_USAGE;
    if (o->clerks > QUEUE_CLERKS_MAX || o->waves > QUEUE_WAVES_MAX ||
        o->forms > QUEUE_FORMS_MAX)
        return ERR_LIMIT;
    if (o->forms > 0)
        e = simulate(&f, &row);
    free(f.fresh.v);
    free(f.again.v);
    free(f.waits);
    if (e == ERR_OK)
        *out = row;
    return e;
}

enum err
study_queue_fill(uint64_t forms, double form_min, double rework, uint64_t seed,
                 struct study_queue *out)
{
    static const unsigned clerks[] = {1, 2, 4, 8}, waves[] = {1, 2, 4};
    struct queue_options o = queue_default;
    struct study_queue q = {.forms = forms};
    enum err e = ERR_OK;

    q.v = calloc(ARRAY_LEN(clerks) * ARRAY_LEN(waves), sizeof(*q.v));
    if (q.v == NULL)
        return ERR_NOMEM;
    o.forms = forms;
    o.form_min = form_min;
    o.rework = rework;
    o.seed = seed;
    for (size_t i = 0; i < ARRAY_LEN(clerks) && e == ERR_OK; i++) {
        for (size_t k = 0; k < ARRAY_LEN(waves) && e == ERR_OK; k++) {
            o.clerks = clerks[i];
            o.waves = waves[k];
            e = queue_simulate(&o, &q.v[q.n++]);
        }
    }
    if (e != ERR_OK)
        free(q.v);
    else
        *out = q;
    return e;
}
