#include "rules/campaign/clusters.h"

#include <stdlib.h>

#include "sensor/base/frame.h"

struct source {
    uint32_t who;
    uint32_t last; /* minute */
};

struct cluster {
    uint64_t id; /* 0: never used */
    uint32_t generation;
    uint32_t kind;
    uint32_t about;
    uint32_t last; /* minute of the newest message */
    uint32_t n, cap;
    uint32_t minutes[CLUSTERS_MINUTES]; /* messages, by minute % 60 */
    struct source *sources;
};

struct clusters {
    struct cluster *v;
    uint32_t hand;
    uint32_t sources; /* places taken in all */
    uint64_t evicted;
};

enum err
clusters_new(struct clusters **out)
{
    struct clusters *c = calloc(1, sizeof(*c));

    if (c == NULL)
        return ERR_NOMEM;
    c->v = calloc(CAMPAIGNS_CLUSTERS, sizeof(*c->v));
    if (c->v == NULL) {
        free(c);
        return ERR_NOMEM;
    }
    *out = c;
    return ERR_OK;
}

void
clusters_free(struct clusters *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < CAMPAIGNS_CLUSTERS; i++)
        free(c->v[i].sources);
    free(c->v);
    free(c);
}

static bool
is_young(uint32_t then, uint32_t minute)
{
    return then + CLUSTERS_MINUTES > minute;
}

static bool
is_living(const struct cluster *k, uint32_t minute)
{
    return k->id != 0 && is_young(k->last, minute);
}

static struct cluster *
find(const struct clusters *c, struct cluster_ref r)
{
    struct cluster *k;

    if (r.slot == 0 || r.slot > CAMPAIGNS_CLUSTERS)
        return NULL;
    k = &c->v[r.slot - 1];
    return k->id != 0 && k->generation == r.generation ? k : NULL;
}

/* ---- opening ---- */

static uint32_t
place(struct clusters *c, uint32_t minute)
{
    uint32_t best = c->hand;

    for (uint32_t i = 0; i < CLUSTERS_LOOKS; i++) {
        uint32_t at = (c->hand + i) % CAMPAIGNS_CLUSTERS;

        if (!is_living(&c->v[at], minute)) {
            best = at;
            break;
        }
        if (c->v[at].n < c->v[best].n)
            best = at;
    }
    c->hand = (best + 1) % CAMPAIGNS_CLUSTERS;
    return best;
}

struct cluster_ref
clusters_open(struct clusters *c, enum campaign_kind kind, uint64_t id,
              uint32_t about, uint32_t minute)
{
    uint32_t at = place(c, minute);
    struct cluster *k = &c->v[at];
    uint32_t generation = k->generation + 1;

    c->evicted += is_living(k, minute);
    c->sources -= k->cap;
    free(k->sources);
    *k = (struct cluster){
        .id = id != 0 ? id : 1,
        .generation = generation,
        .kind = kind,
        .about = about,
        .last = minute,
    };
    return (struct cluster_ref){at + 1, generation};
}

bool
clusters_is(const struct clusters *c, struct cluster_ref r, uint32_t minute)
{
    const struct cluster *k = find(c, r);

    return k != NULL && is_living(k, minute);
}

uint32_t *
clusters_about(struct clusters *c, struct cluster_ref r)
{
    struct cluster *k = find(c, r);

    REQUIRE(k != NULL);
    return &k->about;
}

/* ---- messages and sources ---- */

/* Minutes that have passed are empty again. */
static void
pass_time(struct cluster *k, uint32_t minute)
{
    uint32_t passed = minute > k->last ? minute - k->last : 0;

    if (passed > CLUSTERS_MINUTES)
        passed = CLUSTERS_MINUTES;
    for (uint32_t i = 0; i < passed; i++)
        k->minutes[(minute - i) % CLUSTERS_MINUTES] = 0;
    if (minute > k->last)
        k->last = minute;
}

static bool
grow(struct clusters *c, struct cluster *k)
{
    uint32_t cap = k->cap > 0 ? k->cap * 4 : 4;
    struct source *sources;

    if (k->n < k->cap)
        return true;
    if (cap > CAMPAIGN_SOURCES || c->sources + cap - k->cap > CLUSTERS_SOURCES)
        return false;
    sources = realloc(k->sources, cap * sizeof(*sources));
    if (sources == NULL)
        return false;
    c->sources += cap - k->cap;
    k->sources = sources;
    k->cap = cap;
    return true;
}

/* Without those that were silent for an hour. */
static void
drop_silent(struct cluster *k, uint32_t minute)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < k->n; i++) {
        if (is_young(k->sources[i].last, minute))
            k->sources[n++] = k->sources[i];
    }
    k->n = n;
}

static void
note_source(struct clusters *c, struct cluster *k, uint32_t source,
            uint32_t minute)
{
    for (uint32_t i = 0; i < k->n; i++) {
        if (k->sources[i].who == source) {
            k->sources[i].last = minute;
            return;
        }
    }
    if (k->n == k->cap)
        drop_silent(k, minute);
    if (grow(c, k))
        k->sources[k->n++] = (struct source){source, minute};
}

void
clusters_add(struct clusters *c, struct cluster_ref r, uint32_t source,
             uint32_t messages, uint32_t minute)
{
    struct cluster *k = find(c, r);

    if (k == NULL || !is_young(minute, k->last))
        return;
    pass_time(k, minute);
    k->minutes[minute % CLUSTERS_MINUTES] += messages;
    note_source(c, k, source, minute);
}

bool
clusters_has_other(const struct clusters *c, struct cluster_ref r,
                   uint32_t source, uint32_t minute)
{
    const struct cluster *k = find(c, r);

    for (uint32_t i = 0; k != NULL && i < k->n; i++) {
        if (k->sources[i].who != source && is_young(k->sources[i].last, minute))
            return true;
    }
    return false;
}

void
clusters_tell(const struct clusters *c, struct cluster_ref r, uint32_t minute,
              struct campaign_join *out)
{
    const struct cluster *k = find(c, r);

    if (k == NULL)
        return;
    out->cluster = k->id;
    out->kind = (enum campaign_kind)k->kind;
    out->sources = 0;
    out->messages = 0;
    for (uint32_t i = 0; i < k->n; i++)
        out->sources += is_young(k->sources[i].last, minute);
    for (uint32_t i = 0; i < CLUSTERS_MINUTES && i <= k->last; i++) {
        if (is_young(k->last - i, minute))
            out->messages += k->minutes[(k->last - i) % CLUSTERS_MINUTES];
    }
}

/* ---- snapshots ---- */

void
clusters_save(const struct clusters *c, struct buf *out)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < CAMPAIGNS_CLUSTERS; i++)
        n += c->v[i].generation != 0;
    frame_u64(out, c->hand);
    frame_u64(out, c->evicted);
    frame_u64(out, n);
    for (uint32_t i = 0; i < CAMPAIGNS_CLUSTERS; i++) {
        const struct cluster *k = &c->v[i];

        if (k->generation == 0)
            continue;
        frame_u64(out, i);
        buf_put(out, k, offsetof(struct cluster, sources));
        buf_put(out, k->sources, k->n * sizeof(*k->sources));
    }
}

static bool
load_one(struct clusters *c, struct cursor *in)
{
    uint64_t at = cur_le64(in);
    struct span raw = cur_take(in, offsetof(struct cluster, sources));
    struct cluster *k;
    struct span sources;

    if (in->bad || at >= CAMPAIGNS_CLUSTERS || c->v[at].generation != 0)
        return false;
    k = &c->v[at];
    memcpy(k, raw.p, raw.n);
    k->sources = NULL;
    if (k->kind >= CAMPAIGN_KIND_COUNT || k->n > k->cap ||
        k->cap > CAMPAIGN_SOURCES || c->sources + k->cap > CLUSTERS_SOURCES)
        return false;
    sources = cur_take(in, k->n * sizeof(*k->sources));
    if (in->bad || k->cap == 0)
        return !in->bad;
    k->sources = malloc(k->cap * sizeof(*k->sources));
    if (k->sources == NULL)
        return false;
    memcpy(k->sources, sources.p, sources.n);
    c->sources += k->cap;
    return true;
}

bool
clusters_load(struct clusters *c, struct cursor *in)
{
    uint64_t n;

    c->hand = (uint32_t)(cur_le64(in) % CAMPAIGNS_CLUSTERS);
    c->evicted = cur_le64(in);
    n = cur_le64(in);
    for (uint64_t i = 0; i < n; i++) {
        if (in->bad || !load_one(c, in))
            return false;
    }
    return !in->bad;
}

struct clusters_counts
clusters_counts(const struct clusters *c, uint32_t minute)
{
    struct clusters_counts n = {
        .evicted = c->evicted,
        .memory_bytes = sizeof(*c) + CAMPAIGNS_CLUSTERS * sizeof(*c->v) +
                        c->sources * sizeof(struct source),
    };

    for (uint32_t i = 0; i < CAMPAIGNS_CLUSTERS; i++)
        n.living += is_living(&c->v[i], minute);
    return n;
}
