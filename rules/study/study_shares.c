/* What share of mail carries malicious code: DETECTION 4.1.3, 4.2, 4.3. */
#include "rules/study/study_state.h"

#include "rules/study/ratio.h"
#include "rules/study/share.h"

#include <math.h>
#include <stdlib.h>

#define LEVEL       0.95
#define WEIGHT_MOST 10.0 /* DETECTION 4.2 */

/* Hosts of a group, as the estimators want them. */
struct group {
    struct ratio_host *raw, *weighted;
    size_t n;
    double with, all; /* hosts with one, with messages */
};

static bool
in_group(enum study_group g, const struct host *h)
{
    switch (g) {
    case STUDY_GROUP_ALL: return true;
    case STUDY_GROUP_REGISTERED: return h != NULL && h->registered;
    case STUDY_GROUP_UNREGISTERED: return h != NULL && !h->registered;
    default: return h == NULL;
    }
}

/* Of a size of which none was seen whole, the next smaller one's. */
static void
find_weights(const struct study *s, double weights[BINS])
{
    double q = 1;

    for (size_t i = 0; i < BINS; i++) {
        if (s->q_whole[i] > 0)
            q = (double)s->q_whole[i] / (double)s->q_framed[i];
        weights[i] = share_weight(q, WEIGHT_MOST);
    }
}

static void
add_host(struct group *g, const struct sizes *z, bool spam, unsigned stratum,
         const double weights[BINS])
{
    struct ratio_host raw = {.stratum = stratum},
                      weighted = {.stratum = stratum};

    for (size_t i = 0; i < BINS; i++) {
        const struct tally4 *t = &z->bin[i];
        const double m = spam ? t->spam : t->all;
        const double k = spam ? t->both : t->malicious;

        raw.m += m;
        raw.k += k;
        weighted.m += m * weights[i];
        weighted.k += k * weights[i];
    }
    if (raw.m <= 0)
        return;
    g->all++;
    g->with += raw.k > 0;
    g->raw[g->n] = raw;
    g->weighted[g->n++] = weighted;
}

static struct study_figure
none(void)
{
    return (struct study_figure){
        .value = NAN, .low = NAN, .high = NAN, .method = NULL};
}

bool
study_varies(const struct ratio_host *v, size_t n)
{
    double k = 0, m = 0;
    size_t with = 0;

    for (size_t i = 0; i < n; i++) {
        k += v[i].k;
        m += v[i].m;
        with += v[i].k > 0;
    }
    return n >= STUDY_RATED && with >= STUDY_WITH && k < m;
}

static enum err
ratio_figure(const struct ratio_host *v, size_t n, bool rated, uint64_t seed,
             struct study_figure *out, struct ratio *how)
{
    const struct ratio_options o = {
        .level = LEVEL, .samples = RATIO_SAMPLES, .seed = seed};
    enum err e;

    *out = none();
    for (size_t i = 0; i < n; i++) {
        out->k += v[i].k;
        out->n += v[i].m;
    }
    out->value = out->n > 0 ? out->k / out->n : NAN;
    if (!rated || !study_varies(v, n))
        return ERR_OK;
    e = ratio_of(v, n, &o, how);
    if (e == ERR_USAGE)
        return ERR_OK;
    if (e != ERR_OK)
        return e;
    out->low = how->t.low;
    out->high = how->t.high;
    out->method = "bootstrap-t over hosts";
    return ERR_OK;
}

/* Messages of which not all was seen, and those under TLS. */
static double
hidden_of(const struct host *h, size_t part)
{
    double whole = 0;

    for (size_t k = 0; k < BINS; k++)
        whole += h->sizes[part].bin[k].all;
    return fmax((double)h->counts[part].sent - whole, 0) +
           h->counts[part].tls_most;
}

/* For one message that is known of, so many that are not: as of bytes that were
 * acknowledged, and of sessions that were heard one way alone. */
static double
missed(const struct study *s)
{
    const double seen = (double)s->n_seen;
    const double heard = (double)(s->n_sessions - s->n_oneway);

    return (seen > 0 ? (double)s->n_unseen / seen : 0) +
           (heard > 0 ? (double)s->n_oneway / heard : 0);
}

/* What could be looked at of all: the rest is of a size that is not known. */
static void
bound(const struct study *s, enum study_group g, struct study_share *to)
{
    double clear = to->raw.n, hidden = 0;
    struct interval b;

    for (size_t i = 0; i < s->n_hosts; i++) {
        if (in_group(g, &s->hosts[i]))
            hidden += hidden_of(&s->hosts[i], s->n_parts - 1);
    }
    hidden += (clear + hidden) * missed(s);
    to->clear = clear + hidden > 0 ? clear / (clear + hidden) : NAN;
    to->bound_low = to->bound_high = NAN;
    if (g == STUDY_GROUP_OUTSIDE || g == STUDY_GROUP_ALL || to->spam ||
        isnan(to->clear) || isnan(to->raw.value))
        return; /* what comes under TLS from outside is not estimated, nor how
                 * much of what is hidden is spam */
    b = share_bounds(to->clear, to->raw.value);
    to->bound_low = b.low;
    to->bound_high = b.high;
}

static enum err
estimate(const struct study *s, struct group *g, struct study_share *to)
{
    /* Of spam of all senders together a few bots send most: what claims 95 %
     * covered 75 of 100 campuses (tests/results, study_campus). */
    const bool rated = !to->spam || to->group != STUDY_GROUP_ALL;
    struct ratio raw = {0}, weighted = {0};
    struct interval i;
    enum err e;

    e = ratio_figure(g->raw, g->n, rated, s->o.seed, &to->raw, &raw);
    if (e == ERR_OK)
        e = ratio_figure(g->weighted, g->n, rated, s->o.seed, &to->weighted,
                         &weighted);
    to->senders = g->n;
    to->deff = to->raw.method != NULL ? raw.deff : NAN;
    to->without_low = to->raw.method != NULL ? raw.without.low : NAN;
    to->without_high = to->raw.method != NULL ? raw.without.high : NAN;
    to->without_top = to->raw.method != NULL ? raw.without_top : NAN;
    to->hosts = none();
    to->hosts.k = g->with;
    to->hosts.n = g->all;
    if (g->all > 0 && share_wilson(g->with, g->all, LEVEL, &i)) {
        to->hosts.value = g->with / g->all;
        to->hosts.low = i.low;
        to->hosts.high = i.high;
        to->hosts.method = "Wilson";
    }
    return e;
}

static enum err
fill_one(const struct study *s, enum study_group which, bool spam,
         struct group *g, struct study_share *to)
{
    double weights[BINS];
    enum err e;

    find_weights(s, weights);
    *g = (struct group){.raw = g->raw, .weighted = g->weighted};
    for (size_t i = 0; i < s->n_hosts; i++) {
        if (in_group(which, &s->hosts[i]))
            add_host(g, &s->hosts[i].sizes[s->n_parts - 1], spam,
                     s->hosts[i].registered ? 0 : 1, weights);
    }
    for (size_t i = 0; i < s->n_outsiders; i++) {
        if (in_group(which, NULL))
            add_host(g, &s->outsiders[i].sizes, spam, 2, weights);
    }
    *to = (struct study_share){.group = which, .spam = spam};
    e = estimate(s, g, to);
    bound(s, which, to);
    for (size_t i = 0; i < BINS; i++) {
        if (s->q_whole[i] > 0 &&
            (double)s->q_framed[i] > WEIGHT_MOST * (double)s->q_whole[i])
            to->weights_cut += s->q_whole[i];
    }
    return e;
}

enum err
study_fill_shares(const struct study *s, struct study_result *r)
{
    const size_t n = s->n_hosts + s->n_outsiders + 1;
    struct group g = {calloc(n, sizeof(*g.raw)), calloc(n, sizeof(*g.weighted)),
                      0, 0, 0};
    enum err e = g.raw == NULL || g.weighted == NULL ? ERR_NOMEM : ERR_OK;

    for (enum study_group i = 0; e == ERR_OK && i < STUDY_GROUP_COUNT; i++) {
        e = fill_one(s, i, false, &g, &r->shares[r->n_shares++]);
        if (e == ERR_OK)
            e = fill_one(s, i, true, &g, &r->shares[r->n_shares++]);
    }
    free(g.raw);
    free(g.weighted);
    return e;
}
