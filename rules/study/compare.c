#include "rules/study/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define HOUR_NS (3600 * NS_PER_S)
#define DAY_NS  (24 * HOUR_NS)
#define WHOLE   3240 /* seconds of an hour: 90 % */
#define APART   (7 * DAY_NS)
#define DIFFER  0.05 /* of shares of hours */

/* Most figures of one policy, and of a study beside. */
#define OF_POLICY 6U
#define OF_STUDY  64U
/* A study has no more; a file may, and each is looked for in the other. */
#define POLICIES 64U

/* ---- words ---- */

const char *
compare_why_text(enum compare_why w)
{
    static const char *const texts[] = {
#define X(id, people) people,
        COMPARE_REFUSALS(X)
#undef X
    };

    return texts[w];
}

const char *
compare_note_word(enum compare_note n)
{
    static const char *const words[] = {
#define X(id, word, people) word,
        COMPARE_NOTES(X)
#undef X
    };

    return words[n];
}

const char *
compare_note_text(enum compare_note n)
{
    static const char *const texts[] = {
#define X(id, word, people) people,
        COMPARE_NOTES(X)
#undef X
    };

    return texts[n];
}

const char *
compare_series_word(enum compare_series s)
{
    static const char *const words[] = {
#define X(id, member, people) #member,
        COMPARE_SERIES(X)
#undef X
    };

    return words[s];
}

const char *
compare_series_text(enum compare_series s)
{
    static const char *const texts[] = {
#define X(id, member, people) people,
        COMPARE_SERIES(X)
#undef X
    };

    return texts[s];
}

/* ---- may they be compared ---- */

static enum compare_why
look(const struct study_result *a, const struct study_result *b)
{
    if (a->to <= a->from || b->to <= b->from)
        return COMPARE_NO_WINDOW;
    if (a->demo != b->demo)
        return COMPARE_DEMO;
    if (b->from >= a->to)
        return COMPARE_FINE;
    return b->to <= a->from ? COMPARE_OTHER_ORDER : COMPARE_OVERLAP;
}

static bool
differs(const char *a, const char *b)
{
    return (a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0);
}

static struct study_figure
watched(const struct study_result *r)
{
    struct study_figure f = {.n = (double)r->n_hours, .low = NAN, .high = NAN};

    for (size_t i = 0; i < r->n_hours; i++)
        f.k += r->hours[i].covered_s >= WHOLE && !r->hours[i].refused;
    f.value = f.n > 0 ? f.k / f.n : NAN;
    return f;
}

static bool
is_measured(const struct study_result *r)
{
    for (size_t i = 0; i < r->n_hours; i++) {
        if (r->hours[i].covered_s >= 0)
            return true;
    }
    return false;
}

static bool
has_reviewed(const struct study_result *r)
{
    for (size_t i = 0; i < r->n_hosts; i++) {
        if (r->hosts[i].reviewed)
            return true;
    }
    return false;
}

static uint32_t
notes_of(const struct study_result *a, const struct study_result *b)
{
    const ns_t length_a = a->to - a->from, length_b = b->to - b->from;
    const bool measured = is_measured(a) && is_measured(b);
    const bool is[COMPARE_NOTE_COUNT] = {
        [COMPARE_NOTE_RULES] = differs(a->rules_hash, b->rules_hash),
        [COMPARE_NOTE_CONFIG] = differs(a->config_hash, b->config_hash),
        [COMPARE_NOTE_VERSION] = differs(a->version, b->version),
        [COMPARE_NOTE_SENSORS] = differs(a->sensors, b->sensors),
        [COMPARE_NOTE_LENGTH] =
            length_a > length_b + DAY_NS || length_b > length_a + DAY_NS,
        [COMPARE_NOTE_SHORT] =
            length_a < COMPARE_DAYS_SHORT * DAY_NS ||
            length_b<COMPARE_DAYS_SHORT * DAY_NS, [COMPARE_NOTE_GAP] =
                                                      b->from - a->to>
                APART,
        [COMPARE_NOTE_WATCHED] =
            measured && fabs(watched(a).value - watched(b).value) > DIFFER,
        [COMPARE_NOTE_NOT_MEASURED] = !measured,
        [COMPARE_NOTE_HOLDOUT] = a->holdout != 0 || b->holdout != 0,
        [COMPARE_NOTE_REVIEWED] = has_reviewed(a) != has_reviewed(b),
        [COMPARE_NOTE_FEW] = a->few != 0 || b->few != 0,
    };
    uint32_t notes = 0;

    for (unsigned i = 0; i < COMPARE_NOTE_COUNT; i++)
        notes |= (uint32_t)is[i] << i;
    return notes;
}

/* ---- days ---- */

struct days {
    const struct study_day **v;
    size_t n, left_out;
};

/* Hours of the day that were measured and had a gap; *hour goes on to the first
 * behind it, for hours and days stand in order. */
static unsigned
gaps_of(const struct study_result *r, ns_t begin, size_t *hour)
{
    unsigned n = 0;

    while (*hour < r->n_hours && r->hours[*hour].begin < begin)
        ++*hour;
    for (; *hour < r->n_hours && r->hours[*hour].begin - begin < DAY_NS;
         ++*hour) {
        const struct study_hour *h = &r->hours[*hour];

        n += h->refused || (h->covered_s >= 0 && h->covered_s < WHOLE);
    }
    return n;
}

/* In order, each once, whatever the file says. */
static void
add_days(struct days *d, const struct study_result *r)
{
    size_t hour = 0;

    for (size_t i = 0; i < r->n_days; i++) {
        const struct study_day *day = &r->days[i];
        const bool whole = day->begin >= r->from && day->begin % DAY_NS == 0 &&
                           r->to >= DAY_NS && day->begin <= r->to - DAY_NS;

        if (!whole || (d->n > 0 && day->begin <= d->v[d->n - 1]->begin) ||
            gaps_of(r, day->begin, &hour) > COMPARE_DAY_HOURS_GAP)
            d->left_out++;
        else
            d->v[d->n++] = day;
    }
}

static bool
is_within(ns_t t, const struct study_result *r)
{
    return t >= r->from && t < r->to;
}

static void
find_cut(const struct study_result *a, const struct study_result *b,
         struct compare *out)
{
    ns_t cut = b->from;

    out->effective = true;
    if (is_within(b->effective, b))
        cut = b->effective;
    else if (is_within(a->effective, b))
        cut = a->effective;
    else
        out->effective = false;
    /* a day on which it took force is no day before */
    out->cut = (int64_t)(cut / DAY_NS);
}

static int64_t
day_of(const struct study_day *d)
{
    return (int64_t)(d->begin / DAY_NS);
}

static uint64_t
count_of(const struct study_day *d, enum compare_series s)
{
    const uint64_t counts[] = {
#define X(id, member, people) d->member,
        COMPARE_SERIES(X)
#undef X
    };

    return counts[s];
}

/* ---- series ---- */

static double
mean_of(const struct days *d, size_t from, size_t to, enum compare_series s)
{
    double sum = 0;

    for (size_t i = from; i < to; i++)
        sum += (double)count_of(d->v[i], s);
    return to > from ? sum / (double)(to - from) : NAN;
}

static void
fill_line(const struct days *d, enum compare_series s, struct series_day *room,
          struct compare *out)
{
    struct compare_line *line = &out->lines[s];
    struct series_options o = {.cut = out->cut,
                               .level = COMPARE_LEVEL,
                               .weekdays = true,
                               .lag = SERIES_LAG_DEFAULT};

    for (size_t i = 0; i < d->n; i++)
        room[i] =
            (struct series_day){day_of(d->v[i]), (double)count_of(d->v[i], s)};
    o.scale = series_scale(room, d->n, out->cut);
    line->mean_before = mean_of(d, 0, out->days_before, s);
    line->mean_after = mean_of(d, out->days_before, d->n, s);
    line->why = series_of(room, d->n, &o, &line->s);
}

/* 1 of a Poisson; what bots try comes in bundles. */
static double
spread_of(const struct days *d, size_t from, double mean)
{
    const double n = (double)(d->n - from);
    double squares = 0;

    for (size_t i = from; i < d->n; i++) {
        const double by =
            (double)count_of(d->v[i], COMPARE_ATTEMPTS_BLOCKED) - mean;

        squares += by * by;
    }
    return n > 1 && mean > 0 ? squares / (n - 1) / mean : NAN;
}

static void
fill_residual(const struct days *d, struct compare *out)
{
    const double mean = out->lines[COMPARE_ATTEMPTS_BLOCKED].mean_after;
    const double n = (double)out->days_after;
    struct study_figure *f = &out->residual;
    struct interval i;
    double by;

    *f = (struct study_figure){0, n, NAN, NAN, NAN, NULL};
    out->spread = NAN;
    if (!(n > 0))
        return;
    out->spread = spread_of(d, out->days_before, mean);
    by = out->spread > 1 ? out->spread : 1;
    f->k = mean * n;
    f->value = mean;
    if (!share_rate(f->k / by, n / by, COMPARE_LEVEL, &i))
        return;
    f->low = i.low;
    f->high = i.high;
    f->method =
        by > 1 ? "Poisson, exact, widened by what days vary" : "Poisson, exact";
}

static enum err
fill_days(const struct study_result *a, const struct study_result *b,
          struct compare *out)
{
    const size_t n = a->n_days + b->n_days;
    struct days d = {.v = calloc(n + 1, sizeof(*d.v))};
    struct series_day *room = calloc(n + 1, sizeof(*room));
    enum err e = d.v != NULL && room != NULL ? ERR_OK : ERR_NOMEM;

    if (e == ERR_OK) {
        add_days(&d, a);
        add_days(&d, b);
        find_cut(a, b, out);
        while (out->days_before < d.n &&
               day_of(d.v[out->days_before]) < out->cut)
            out->days_before++;
        out->days_after = d.n - out->days_before;
        out->days_left_out = d.left_out;
        for (enum compare_series s = 0; s < COMPARE_SERIES_COUNT; s++)
            fill_line(&d, s, room, out);
        fill_residual(&d, out);
    }
    free(d.v);
    free(room);
    return e;
}

/* ---- figures ---- */

static bool
is_sure(const struct study_figure *f)
{
    return isfinite(f->value) && isfinite(f->low) && isfinite(f->high);
}

static void
add_figure(struct compare *out, struct compare_figure f)
{
    f.change = f.low = f.high = NAN;
    if (isnan(f.before.value) && isnan(f.after.value))
        return;
    if (f.unit != COMPARE_COUNT)
        f.change = f.after.value - f.before.value;
    if (f.unit != COMPARE_COUNT && is_sure(&f.before) && is_sure(&f.after)) {
        f.low = f.change - hypot(f.after.value - f.after.low,
                                 f.before.high - f.before.value);
        f.high = f.change + hypot(f.after.high - f.after.value,
                                  f.before.value - f.before.low);
    }
    out->figures[out->n_figures++] = f;
}

static struct study_figure
number(double v)
{
    return (struct study_figure){.value = v, .low = NAN, .high = NAN};
}

static struct study_figure
part(uint64_t k, uint64_t n)
{
    return (struct study_figure){
        .k = (double)k,
        .n = (double)n,
        .value = n > 0 ? (double)k / (double)n : NAN,
        .low = NAN,
        .high = NAN,
    };
}

static uint64_t
hosts_of(const struct study_result *r, enum study_class c)
{
    return r->cells[c][0].hosts + r->cells[c][1].hosts;
}

static void
add_sight(struct compare *out, const struct study_result *a,
          const struct study_result *b)
{
    static const struct {
        const char *key, *what;
    } hosts[STUDY_CLASS_COUNT] = {
        [STUDY_BOT] = {"hosts_bot",        "hosts held for bots"         },
        [STUDY_MIXED] = {"hosts_mixed",      "hosts held for mixed"        },
        [STUDY_LEGITIMATE] = {"hosts_legitimate", "hosts that look legitimate"  },
        [STUDY_UNKNOWN] = {"hosts_unknown",    "hosts too little was seen of"},
    };

    add_figure(out, (struct compare_figure){
                        .key = "watched",
                        .what = "hours watched to 90 %",
                        .unit = COMPARE_SHARE,
                        .before = is_measured(a) ? watched(a) : number(NAN),
                        .after = is_measured(b) ? watched(b) : number(NAN),
                    });
    add_figure(out, (struct compare_figure){.key = "loss",
                                            .what = "bytes not seen",
                                            .unit = COMPARE_SHARE,
                                            .before = number(a->loss),
                                            .after = number(b->loss)});
    add_figure(out, (struct compare_figure){
                        .key = "tls",
                        .what = "sessions under TLS",
                        .unit = COMPARE_SHARE,
                        .before = part(a->sessions_tls, a->sessions),
                        .after = part(b->sessions_tls, b->sessions),
                    });
    for (enum study_class c = 0; c < STUDY_CLASS_COUNT; c++)
        add_figure(out, (struct compare_figure){
                            .key = hosts[c].key,
                            .what = hosts[c].what,
                            .unit = COMPARE_COUNT,
                            .before = number((double)hosts_of(a, c)),
                            .after = number((double)hosts_of(b, c)),
                        });
}

/* ---- shares ---- */

static const struct study_share *
find_share(const struct study_result *r, enum study_group group, bool spam)
{
    for (size_t i = 0; i < r->n_shares; i++) {
        if (r->shares[i].group == group && r->shares[i].spam == spam)
            return &r->shares[i];
    }
    return NULL;
}

static const char *const share_keys[STUDY_GROUP_COUNT][2] = {
    [STUDY_GROUP_ALL] = {"malicious_all",          "malicious_all_spam"    },
    [STUDY_GROUP_REGISTERED] = {"malicious_registered",
                         "malicious_registered_spam"                       },
    [STUDY_GROUP_UNREGISTERED] = {"malicious_unregistered",
                         "malicious_unregistered_spam"                     },
    [STUDY_GROUP_OUTSIDE] = {"malicious_outside",      "malicious_outside_spam"},
};

static const char *const share_texts[STUDY_GROUP_COUNT][2] = {
    [STUDY_GROUP_ALL] = {"malicious code in all mail",
                         "malicious code in all spam"  },
    [STUDY_GROUP_REGISTERED] = {"malicious code in mail of registered hosts",
                         "malicious code in their spam"},
    [STUDY_GROUP_UNREGISTERED] =
        {"malicious code in mail of unregistered hosts",
                         "malicious code in their spam"},
    [STUDY_GROUP_OUTSIDE] = {"malicious code in mail from outside",
                         "malicious code in its spam"  },
};

static void
add_shares(struct compare *out, const struct study_result *a,
           const struct study_result *b)
{
    for (unsigned i = 0; i < 2 * STUDY_GROUP_COUNT; i++) {
        const enum study_group group = (enum study_group)(i / 2);
        const bool spam = i % 2 != 0;
        const struct study_share *x = find_share(a, group, spam);
        const struct study_share *y = find_share(b, group, spam);

        if (x != NULL && y != NULL)
            add_figure(out, (struct compare_figure){
                                .key = share_keys[group][spam],
                                .what = share_texts[group][spam],
                                .unit = COMPARE_SHARE,
                                .before = x->weighted,
                                .after = y->weighted,
                            });
    }
}

static void
add_review(struct compare *out, const struct study_review *a,
           const struct study_review *b)
{
    const struct compare_figure rows[] = {
        {.key = "review_precision",
         .what = "reviewed precision of the detector",
         .before = a->precision,
         .after = b->precision  },
        {.key = "review_sensitivity",
         .what = "reviewed sensitivity of the detector",
         .before = a->sensitivity,
         .after = b->sensitivity},
        {.key = "review_corrected",
         .what = "abusive hosts, corrected by the review",
         .before = a->corrected,
         .after = b->corrected  },
    };

    for (size_t i = 0; a->there && b->there && i < ARRAY_LEN(rows); i++) {
        struct compare_figure f = rows[i];

        f.unit = COMPARE_SHARE;
        add_figure(out, f);
    }
}

/* ---- policies ---- */

static size_t
policies_of(const struct study_result *r)
{
    return r->n_policies < POLICIES ? r->n_policies : POLICIES;
}

static const struct study_policy *
find_policy(const struct study_result *r, const char *name)
{
    const size_t n = policies_of(r);

    for (size_t i = 0; name != NULL && i < n; i++) {
        if (r->policies[i].name != NULL &&
            strcmp(r->policies[i].name, name) == 0)
            return &r->policies[i];
    }
    return NULL;
}

static void
add_policy(struct compare *out, const struct study_policy *a,
           const struct study_policy *b)
{
    const struct compare_figure rows[OF_POLICY] = {
        {.key = "right",
         .what = "bots that it stops",
         .unit = COMPARE_SHARE,
         .before = a->right,
         .after = b->right          },
        {.key = "wrong",
         .what = "legitimate hosts that it stops",
         .unit = COMPARE_SHARE,
         .before = a->wrong,
         .after = b->wrong          },
        {.key = "precise",
         .what = "of the stopped, bots or mixed",
         .unit = COMPARE_SHARE,
         .before = a->precise,
         .after = b->precise        },
        {.key = "spared",
         .what = "malicious recipients spared",
         .unit = COMPARE_SHARE,
         .before = a->spared,
         .after = b->spared         },
        {.key = "lost",
         .what = "ordinary messages lost for 1,000 host-days",
         .unit = COMPARE_RATE,
         .before = a->lost,
         .after = b->lost           },
        {.key = "per_day",
         .what = "hosts stopped a day, behind the first",
         .unit = COMPARE_RATE,
         .before = number(a->per_day),
         .after = number(b->per_day)},
    };

    for (size_t i = 0; i < OF_POLICY; i++) {
        struct compare_figure f = rows[i];

        f.policy = b->name;
        add_figure(out, f);
    }
}

static void
add_other(struct compare *out, const char *name, unsigned why)
{
    out->others[out->n_others].name = name;
    out->others[out->n_others++].why = why;
}

static void
add_policies(struct compare *out, const struct study_result *a,
             const struct study_result *b)
{
    for (size_t i = 0; i < policies_of(b); i++) {
        const struct study_policy *y = &b->policies[i];
        const struct study_policy *x = find_policy(a, y->name);

        if (y->name == NULL)
            continue;
        if (x == NULL)
            add_other(out, y->name, COMPARE_ONLY_AFTER);
        else if (differs(x->kind, y->kind) || differs(x->terms, y->terms))
            add_other(out, y->name, COMPARE_OTHER_TERMS);
        else
            add_policy(out, x, y);
    }
    for (size_t i = 0; i < policies_of(a); i++) {
        const char *name = a->policies[i].name;

        if (name != NULL && find_policy(b, name) == NULL)
            add_other(out, name, COMPARE_ONLY_BEFORE);
    }
}

static enum err
fill_figures(const struct study_result *a, const struct study_result *b,
             struct compare *out)
{
    const size_t policies = policies_of(a) + policies_of(b);

    out->figures =
        calloc(OF_STUDY + OF_POLICY * policies, sizeof(*out->figures));
    out->others = calloc(policies + 1, sizeof(*out->others));
    if (out->figures == NULL || out->others == NULL)
        return ERR_NOMEM;
    add_sight(out, a, b);
    add_shares(out, a, b);
    add_review(out, &a->review, &b->review);
    add_policies(out, a, b);
    return ERR_OK;
}

/* ---- all of it ---- */

enum err
compare_of(const struct study_result *before, const struct study_result *after,
           struct compare *out)
{
    enum err e;

    *out = (struct compare){.why = look(before, after)};
    if (out->why != COMPARE_FINE)
        return ERR_OK;
    out->notes = notes_of(before, after);
    e = fill_days(before, after, out);
    if (e == ERR_OK)
        e = fill_figures(before, after, out);
    return e;
}

void
compare_free(struct compare *c)
{
    free(c->figures);
    free(c->others);
    c->figures = NULL;
    c->others = NULL;
    c->n_figures = c->n_others = 0;
}
