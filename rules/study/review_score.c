#include "rules/study/review_score.h"

#include <math.h>
#include <stdlib.h>

#define RARE 5.0 /* DETECTION 4.3: up to here intervals are exact */

static const char *const said_words[] = {"",
#define X(id, word) word,
                                         STUDY_MAILS(X)
#undef X
};

enum review_said
review_said_find(struct span word)
{
    for (unsigned s = REVIEW_MALICIOUS; s <= REVIEW_UNCLEAR; s++) {
        if (span_eq_nocase(word, span_str(said_words[s])))
            return (enum review_said)s;
    }
    return REVIEW_NOTHING;
}

const char *
review_said_word(enum review_said s)
{
    return said_words[s];
}

/* ---- messages ---- */

static enum review_said
resolve(const struct review_row *row, struct review_scored *out)
{
    const enum review_said *said = row->said;
    const bool both = said[0] != REVIEW_NOTHING && said[1] != REVIEW_NOTHING;

    for (unsigned i = 0; i < 2; i++)
        out->missing[i] += said[i] == REVIEW_NOTHING;
    out->rated_twice += both;
    if (!both) /* one answer is not blind review */
        return said[2] == REVIEW_NOTHING ? REVIEW_UNCLEAR : said[2];
    if (said[0] == said[1])
        return said[0];
    out->review.disagreed++;
    out->missing[2] += said[2] == REVIEW_NOTHING;
    out->resolved += said[2] != REVIEW_NOTHING;
    out->unresolved += said[2] == REVIEW_NOTHING;
    return said[2] == REVIEW_NOTHING ? REVIEW_UNCLEAR : said[2];
}

static void
count_agreement(const struct review_row *row, struct review_scored *out)
{
    if (row->said[0] != REVIEW_NOTHING && row->said[1] != REVIEW_NOTHING)
        out->table[(row->said[0] - 1) * 3 + (row->said[1] - 1)]++;
}

/* ---- hosts ---- */

enum truth { NOT_KNOWN, ABUSIVE, CLEAN };

struct host {
    unsigned stratum;
    double weight;
    bool positive;
    enum truth truth;
    unsigned malicious, ordinary;
};

struct work {
    struct host *v;
    size_t n;
    double level;
    double all[REVIEW_STRATA];   /* sum of weights */
    double known[REVIEW_STRATA]; /* hosts */
};

static enum study_class
class_of(const struct host *h, enum study_class held)
{
    if (h->truth != ABUSIVE)
        return h->truth == CLEAN ? STUDY_LEGITIMATE : STUDY_UNKNOWN;
    return h->ordinary == 0 && (h->malicious > 1 || held == STUDY_BOT)
               ? STUDY_BOT
               : STUDY_MIXED;
}

static bool
is_fine(const struct review_row *rows, size_t n, size_t n_hosts)
{
    uint32_t last = 0;

    for (size_t i = 0; i < n; i++) {
        const struct review_row *r = &rows[i];

        if (r->stratum >= REVIEW_STRATA || !(r->weight > 0) ||
            isinf(r->weight) || r->host < last || r->host > last + 1 ||
            (i == 0 && r->host != 0))
            return false;
        last = r->host;
    }
    return n_hosts == (n > 0 ? (size_t)last + 1 : 0);
}

static void
gather(struct work *w, const struct review_row *rows, size_t n,
       enum study_class *classes, struct review_scored *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct review_row *r = &rows[i];
        struct host *h = &w->v[r->host];
        const enum review_said said = resolve(r, out);

        if (i == 0 || rows[i - 1].host != r->host)
            count_agreement(r, out);
        h->stratum = r->stratum;
        h->weight = r->weight;
        h->positive = review_stratum_of(r->stratum).positive;
        h->malicious += said == REVIEW_MALICIOUS;
        h->ordinary += said == REVIEW_ORDINARY;
        h->truth = h->malicious > 0  ? ABUSIVE
                   : h->ordinary > 0 ? CLEAN
                                     : NOT_KNOWN;
        classes[r->host] = class_of(h, r->held);
    }
}

static void
sum_strata(struct work *w, struct review_scored *out)
{
    for (size_t i = 0; i < w->n; i++) {
        const struct host *h = &w->v[i];

        w->all[h->stratum] += h->weight;
        w->known[h->stratum] += h->truth != NOT_KNOWN;
        out->abusive += h->truth == ABUSIVE;
        out->clean += h->truth == CLEAN;
        out->not_known += h->truth == NOT_KNOWN;
    }
    out->hosts = w->n;
    for (unsigned s = 0; s < REVIEW_STRATA; s++) {
        out->frame += w->all[s];
        if (w->known[s] <= 0)
            out->uncovered += w->all[s];
    }
}

/* ---- weighted shares ---- */

/* Of the hosts on one side, held for abuse or not: what they are. */
struct side {
    double frame;      /* hosts for which they stand; covered ones only */
    double n, k;       /* hosts that are known; of them abusive */
    double share;      /* of abusive ones, weighted; NAN: not known */
    struct interval i; /* of it */
    bool exact;
};

static struct study_figure
no_figure(void)
{
    return (struct study_figure){0, 0, NAN, NAN, NAN, NULL};
}

/* Known hosts of a stratum stand for those that are not known. */
static double
weight_of(const struct work *w, const struct host *h)
{
    return h->truth == NOT_KNOWN ? 0
                                 : w->all[h->stratum] / w->known[h->stratum];
}

/* Of a share within strata; in a stratum of one host nothing is seen to vary.
 */
static double
variance_of(const struct work *w, const struct side *side, bool positive)
{
    double k[REVIEW_STRATA] = {0}, var = 0;

    for (size_t i = 0; i < w->n; i++)
        k[w->v[i].stratum] += w->v[i].truth == ABUSIVE;
    for (unsigned s = 0; s < REVIEW_STRATA; s++) {
        const double n = w->known[s], weight = w->all[s] / side->frame;
        const double p = n > 0 ? k[s] / n : 0;

        if (n > 1 && review_stratum_of(s).positive == positive)
            var += weight * weight * p * (1 - p) / (n - 1);
    }
    return var;
}

/* Hosts that would be as good without weights: by what varies, and by the
 * weights alone where too little varies to see it. */
static double
effective_of(const struct work *w, const struct side *side, bool positive)
{
    const double var = variance_of(w, side, positive);
    const double p = side->share;
    double all = 0, squares = 0;

    for (size_t i = 0; i < w->n; i++) {
        const double weight = weight_of(w, &w->v[i]);

        if (w->v[i].positive != positive)
            continue;
        all += weight;
        squares += weight * weight;
    }
    return fmin(all * all / squares, var > 0 ? p * (1 - p) / var : INFINITY);
}

static struct side
side_of(const struct work *w, bool positive)
{
    struct side side = {
        .share = NAN, .i = {NAN, NAN}
    };
    double such = 0, n;

    for (size_t i = 0; i < w->n; i++) {
        const struct host *h = &w->v[i];

        if (h->positive != positive || h->truth == NOT_KNOWN)
            continue;
        side.n++;
        side.k += h->truth == ABUSIVE;
        side.frame += weight_of(w, h);
        such += h->truth == ABUSIVE ? weight_of(w, h) : 0;
    }
    if (!(side.n > 0))
        return side;
    side.share = fmin(1, such / side.frame);
    n = effective_of(w, &side, positive);
    side.exact = side.k <= RARE || side.n - side.k <= RARE;
    if (!(side.exact ? share_exact(side.share * n, n, w->level, &side.i)
                     : share_wilson(side.share * n, n, w->level, &side.i)))
        side.i = (struct interval){NAN, NAN};
    return side;
}

/* ---- figures of both sides ---- */

/* Of hosts, held ones and others, of which these shares are abusive. */
typedef double figure_fn(double held, double p_held, double others,
                         double p_others);

static double
sensitivity_fn(double held, double p_held, double others, double p_others)
{
    return held * p_held / (held * p_held + others * p_others);
}

static double
specificity_fn(double held, double p_held, double others, double p_others)
{
    return sensitivity_fn(others, 1 - p_others, held, 1 - p_held);
}

/* What Rogan and Gladen give, when sensitivity and specificity are of the same
 * sample. */
static double
abusive_fn(double held, double p_held, double others, double p_others)
{
    return (held * p_held + others * p_others) / (held + others);
}

/* Newcombe (1998): both sides are samples of their own, so what each end of
 * their intervals moves the figure is squared and added. */
static void
join(figure_fn *f, const struct side *a, const struct side *b,
     struct study_figure *out)
{
    const double v = f(a->frame, a->share, b->frame, b->share);
    const double of_a[2] = {f(a->frame, a->i.low, b->frame, b->share) - v,
                            f(a->frame, a->i.high, b->frame, b->share) - v};
    const double of_b[2] = {f(a->frame, a->share, b->frame, b->i.low) - v,
                            f(a->frame, a->share, b->frame, b->i.high) - v};

    if (isnan(v))
        return;
    out->value = v;
    out->low = fmax(0, v - hypot(fmin(of_a[0], of_a[1]), //
                                 fmin(of_b[0], of_b[1])));
    out->high = fmin(1, v + hypot(fmax(of_a[0], of_a[1]), //
                                  fmax(of_b[0], of_b[1])));
}

static void
fill_figures(const struct side *held, const struct side *others,
             struct review_scored *out)
{
    struct study_review *r = &out->review;

    r->precision = (struct study_figure){
        held->k,
        held->n,
        held->share,
        held->i.low,
        held->i.high,
        isnan(held->share) ? NULL
        : held->exact      ? "Clopper-Pearson over hosts, weighted by stratum"
                           : "Wilson over hosts, weighted by stratum"};
    r->sensitivity = r->specificity = r->corrected = no_figure();
    r->sensitivity.k = held->k;
    r->sensitivity.n = held->k + others->k;
    r->specificity.k = others->n - others->k;
    r->specificity.n = r->specificity.k + held->n - held->k;
    r->corrected.k = held->k + others->k;
    r->corrected.n = held->n + others->n;
    out->apparent = held->frame / (held->frame + others->frame);
    join(sensitivity_fn, held, others, &r->sensitivity);
    join(specificity_fn, held, others, &r->specificity);
    join(abusive_fn, held, others, &r->corrected);
    if (!isnan(r->sensitivity.value))
        r->sensitivity.method = "Newcombe over hosts, weighted by stratum";
    if (!isnan(r->specificity.value))
        r->specificity.method = "Newcombe over hosts, weighted by stratum";
    if (!isnan(r->corrected.value))
        r->corrected.method = "Rogan and Gladen; Newcombe over hosts, weighted "
                              "by stratum";
}

static void
agree(struct review_scored *out, double level)
{
    struct study_review *r = &out->review;
    struct share_kappa k;

    r->kappa = no_figure();
    for (unsigned i = 0; i < 9; i++) {
        r->kappa.n += out->table[i];
        r->kappa.k += i % 4 == 0 ? out->table[i] : 0;
    }
    if (!share_kappa(out->table, 3, level, &k))
        return;
    r->kappa.value = k.kappa;
    r->kappa.low = k.interval.low;
    r->kappa.high = k.interval.high;
    r->kappa.method = "Cohen";
}

static void
estimate(struct work *w, struct review_scored *out)
{
    struct side held, others;

    sum_strata(w, out);
    held = side_of(w, true);
    others = side_of(w, false);
    fill_figures(&held, &others, out);
    agree(out, w->level);
}

enum err
review_score(const struct review_row *rows, size_t n, size_t n_hosts,
             double level, enum study_class *classes, struct review_scored *out)
{
    struct work w = {.n = n_hosts, .level = level};

    if (!(level > 0 && level < 1) || !is_fine(rows, n, n_hosts))
        return ERR_USAGE;
    w.v = calloc(n_hosts + 1, sizeof(*w.v));
    if (w.v == NULL)
        return ERR_NOMEM;
    *out = (struct review_scored){.review = {.there = n > 0}};
    gather(&w, rows, n, classes, out);
    out->review.sampled = n;
    out->review.rated = out->rated_twice;
    estimate(&w, out);
    free(w.v);
    return ERR_OK;
}
