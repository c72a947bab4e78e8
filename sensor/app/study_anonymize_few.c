#include <math.h>
#include <string.h>

#include "sensor/app/study_anonymize_parts.h"

/* What is too small to be told. */
struct coarse {
    uint64_t most; /* a group of up to so many hosts */
    const struct study_result *from;
    struct study_result *r;
};

static bool
is_few(const struct coarse *c, uint64_t n)
{
    return n > 0 && n <= c->most;
}

/* n hosts of `of`; of 0: of nothing that is told. Where both parts are small,
 * the first one is what must not be told. */
static uint64_t
few(const struct coarse *c, uint64_t n, uint64_t of)
{
    if (is_few(c, n))
        return c->most;
    if (of > n && is_few(c, of - n))
        return of > c->most ? of - c->most : 0;
    return n;
}

static void
hide(struct study_figure *f)
{
    f->k = f->n = f->value = f->low = f->high = (double)NAN;
    f->method = NULL;
}

/* A share of hosts, of which either part is small. */
static bool
tells(const struct coarse *c, const struct study_figure *f)
{
    const double most = (double)c->most;
    const double rest = f->n - f->k;

    return (f->k > 0 && f->k <= most) || (rest > 0 && rest <= most) ||
           (f->n > 0 && f->n <= most);
}

static void
hide_few(const struct coarse *c, struct study_figure *f)
{
    if (tells(c, f))
        hide(f);
}

/* ---- hosts and days ---- */

/* Within its class a cell is what the other one lacks. */
static void
coarse_cells(const struct coarse *c)
{
    uint64_t before = 0, forms = 0;

    for (unsigned i = 0; i < STUDY_CLASS_COUNT; i++) {
        const struct study_cell *from = c->from->cells[i];
        struct study_cell *to = c->r->cells[i];
        const uint64_t all = from[0].hosts + from[1].hosts;

        for (unsigned k = 0; k < 2; k++)
            to[k].hosts = few(c, from[k].hosts, all);
        before += i != STUDY_BOT ? from[0].hosts : 0;
        forms += i != STUDY_BOT ? to[0].hosts : 0;
    }
    /* the forms are a sum of cells: an exact one would tell the small one */
    c->r->queue.forms =
        c->r->queue.forms == before ? forms : few(c, c->r->queue.forms, 0);
}

static void
coarse_days(const struct coarse *c)
{
    for (size_t i = 0; i < c->r->n_days; i++) {
        struct study_day *d = &c->r->days[i];

        d->senders_new = few(c, d->senders_new, d->senders);
        d->senders = few(c, d->senders, 0);
    }
}

static void
coarse_unseen(const struct coarse *c)
{
    const struct study_unseen *from = &c->from->unseen;
    struct study_unseen *to = &c->r->unseen;

    to->once = few(c, from->once, from->seen);
    to->twice = few(c, from->twice, from->seen);
    to->seen = few(c, from->seen, 0);
    /* what is there is worked out of them, and back */
    if (to->once != from->once || to->twice != from->twice ||
        to->seen != from->seen)
        *to = (struct study_unseen){.seen = to->seen,
                                    .once = to->once,
                                    .twice = to->twice,
                                    .days = from->days,
                                    .there = (double)NAN,
                                    .low = (double)NAN,
                                    .high = (double)NAN,
                                    .coverage = (double)NAN};
}

static void
coarse_shares(const struct coarse *c)
{
    for (size_t i = 0; i < c->r->n_shares; i++) {
        struct study_share *s = &c->r->shares[i];

        hide_few(c, &s->hosts);
        s->senders = few(c, s->senders, 0);
    }
}

static void
coarse_review(const struct coarse *c)
{
    struct study_review *v = &c->r->review;

    hide_few(c, &v->precision);
    hide_few(c, &v->sensitivity);
    hide_few(c, &v->specificity);
    hide_few(c, &v->corrected);
}

/* ---- policies ---- */

static uint64_t
hosts_registered(const struct study_result *r)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < STUDY_CLASS_COUNT; i++)
        n += r->cells[i][1].hosts;
    return n;
}

static void
coarse_times(const struct coarse *c, struct study_times *t)
{
    if (is_few(c, t->stopped) || is_few(c, t->hosts))
        t->median = t->p90 = t->p95 = t->median_low = t->median_high =
            (double)NAN;
    t->stopped = few(c, t->stopped, t->hosts);
    t->hosts = few(c, t->hosts, 0);
    t->truncated = few(c, t->truncated, 0);
    t->steps = NULL; /* each of them is one host's */
    t->n_steps = 0;
}

/* True when a class is not told exactly. */
static bool
coarse_classes(const struct coarse *c, struct study_policy *p)
{
    bool any = false;

    for (unsigned i = 0; i < STUDY_CLASS_COUNT; i++) {
        const uint64_t n = few(c, p->hosts[i], p->hosts_of[i]);

        any = any || n != p->hosts[i];
        p->hosts[i] = n;
        p->hosts_of[i] = few(c, p->hosts_of[i], 0);
        p->tuned_hosts[i] = p->tuned_of[i] = 0; /* they have both, in part */
    }
    p->tuned = (struct study_outcome){0};
    return any;
}

static void
coarse_first(const struct coarse *c, struct study_policy *p)
{
    const uint64_t all = p->first_day + p->later_days;
    const uint64_t later = few(c, p->later_days, all);

    if (later != p->later_days && p->later_days > 0)
        p->per_day *= (double)later / (double)p->later_days;
    p->first_day = few(c, p->first_day, all);
    p->later_days = later;
    for (size_t i = 0; p->by_day != NULL && i < c->r->n_days; i++)
        p->by_day[i] = few(c, p->by_day[i], 0);
}

static void
coarse_policy(const struct coarse *c, struct study_policy *p)
{
    bool any;

    hide_few(c, &p->wrong);
    hide_few(c, &p->right);
    hide_few(c, &p->precise);
    any = coarse_classes(c, p);
    if (any) /* both are of all classes at once */
        hide(&p->precise);
    if (any || is_few(c, p->owners) || is_few(c, p->owners_unknown))
        p->staff_h = p->staff_h_tickets = p->staff_h_forms = (double)NAN;
    p->registered = few(c, p->registered, hosts_registered(c->from));
    p->devices = few(c, p->devices, 0);
    p->owners = few(c, p->owners, 0);
    p->owners_unknown = few(c, p->owners_unknown, 0);
    coarse_times(c, &p->seconds);
    coarse_times(c, &p->messages);
    coarse_first(c, p);
}

static void
coarse_sweep(const struct coarse *c, struct study_sweep *s)
{
    const struct study_result *from = c->from;

    for (size_t i = 0; i < s->n; i++) {
        struct study_sweep_point *p = &s->v[i];

        for (unsigned k = 0; k < STUDY_CLASS_COUNT; k++)
            p->stopped[k] =
                few(c, p->stopped[k],
                    from->cells[k][0].hosts + from->cells[k][1].hosts);
        p->registered = few(c, p->registered, hosts_registered(from));
    }
}

/* ---- criteria: what was measured is one of the above ---- */

static double
most_of(const struct study_result *r, const struct study_policy *p)
{
    uint64_t most = 0;

    for (size_t i = 0; p->by_day != NULL && i < r->n_days; i++)
        most = p->by_day[i] > most ? p->by_day[i] : most;
    return (double)most;
}

static double
registered_of(const struct study_result *r, const struct study_policy *p)
{
    (void)r;
    return (double)p->registered;
}

static double
legitimate_of(const struct study_result *r, const struct study_policy *p)
{
    (void)r;
    return (double)p->hosts[STUDY_LEGITIMATE];
}

static double
unknown_of(const struct study_result *r, const struct study_policy *p)
{
    (void)r;
    return (double)p->owners_unknown;
}

static double
wrong_of(const struct study_result *r, const struct study_policy *p)
{
    (void)r;
    return p->wrong.high;
}

static double
right_of(const struct study_result *r, const struct study_policy *p)
{
    (void)r;
    return p->right.value;
}

static double
staff_of(const struct study_result *r, const struct study_policy *p)
{
    (void)r;
    return p->staff_h;
}

static double
median_of(const struct study_result *r, const struct study_policy *p)
{
    (void)r;
    return p->seconds.median;
}

static const struct {
    const char *measure;
    double (*of)(const struct study_result *r, const struct study_policy *p);
} measures[] = {
    {"registered-stopped",  registered_of},
    {"legitimate-stopped",  legitimate_of},
    {"stopped-day-most",    most_of      },
    {"owners-unknown",      unknown_of   },
    {"wrong-share-high",    wrong_of     },
    {"bots-stopped-share",  right_of     },
    {"staff-hours",         staff_of     },
    {"time-to-stop-median", median_of    },
};

/* A criterion does not say of which policy it is: any of which it may be. */
static void
coarse_criterion(const struct coarse *c, struct study_criterion *k)
{
    const double was = k->measured;

    for (size_t m = 0; m < sizeof(measures) / sizeof(measures[0]); m++) {
        if (k->measure == NULL || strcmp(k->measure, measures[m].measure) != 0)
            continue;
        for (size_t i = 0; i < c->r->n_policies; i++) {
            const double now = measures[m].of(c->r, &c->r->policies[i]);

            if (measures[m].of(c->from, &c->from->policies[i]) == was &&
                now != was)
                k->measured = now;
        }
    }
    if (k->measure != NULL && strcmp(k->measure, "precision-low") == 0 &&
        isnan(c->r->review.precision.low))
        k->measured = (double)NAN;
}

void
anonymize_few(const struct study_result *from, struct study_result *r,
              uint32_t least)
{
    const struct coarse c = {least - 1, from, r};

    r->few = least;
    r->hosts = NULL;
    r->n_hosts = 0;
    r->sites = NULL;
    r->n_sites = 0;
    coarse_cells(&c);
    coarse_days(&c);
    coarse_unseen(&c);
    coarse_shares(&c);
    coarse_review(&c);
    for (size_t i = 0; i < r->n_policies; i++)
        coarse_policy(&c, &r->policies[i]);
    for (size_t i = 0; i < r->n_sweeps; i++)
        coarse_sweep(&c, &r->sweeps[i]);
    for (size_t i = 0; i < r->n_criteria; i++)
        coarse_criterion(&c, &r->criteria[i]);
}
