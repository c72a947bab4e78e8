#include "rules/campaign/recipients.h"

#include <stdlib.h>

#include "sensor/base/hash.h"
#include "sensor/base/ways.h"

#define PATH_MAX_BYTES 320U /* of a recipient that count */

struct recipient {
    struct way way; /* last: a minute */
    uint32_t first; /* minute of its first mail */
    uint32_t n;
    uint32_t who[RECIPIENTS_TIES];
    uint32_t seen[RECIPIENTS_TIES]; /* minutes */
    struct cluster_ref part;
};

struct tie {
    struct way way;
    struct cluster_ref part;
};

struct recipients {
    struct ways all;
    struct ways ties;
};

enum err
recipients_new(struct recipients **out)
{
    struct recipients *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return ERR_NOMEM;
    if (ways_init(&r->all, sizeof(struct recipient), RECIPIENTS_MAX) !=
            ERR_OK ||
        ways_init(&r->ties, sizeof(struct tie), RECIPIENTS_SOURCES) != ERR_OK) {
        recipients_free(r);
        return ERR_NOMEM;
    }
    *out = r;
    return ERR_OK;
}

void
recipients_free(struct recipients *r)
{
    if (r == NULL)
        return;
    ways_fini(&r->all);
    ways_fini(&r->ties);
    free(r);
}

/* Brackets do not count, nor does case: hardly any server minds it. */
static uint64_t
key_of(const struct mail *m, struct span path)
{
    uint8_t b[PATH_MAX_BYTES];
    size_t n = 0;

    for (size_t i = 0; i < path.n && n < sizeof(b); i++) {
        uint8_t c = span_at(path, i);

        if (c != '<' && c != '>')
            b[n++] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
    }
    return hash_span(span_of(b, n), m->seed);
}

/* ---- sources of one recipient ---- */

static bool
is_young(uint32_t then, uint32_t minute)
{
    return then + CLUSTERS_MINUTES > minute;
}

/* True when it is one more than there was. */
static bool
note(struct recipient *e, const struct mail *m)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < e->n; i++) {
        if (e->who[i] == m->source) {
            e->seen[i] = m->minute;
            return false;
        }
    }
    for (uint32_t i = 0; i < e->n; i++) {
        if (is_young(e->seen[i], m->minute)) {
            e->who[n] = e->who[i];
            e->seen[n++] = e->seen[i];
        }
    }
    if (n < RECIPIENTS_TIES) {
        e->who[n] = m->source;
        e->seen[n++] = m->minute;
    }
    e->n = n;
    return true;
}

/* ---- ties ---- */

static uint64_t
tie_key(uint32_t source)
{
    return hash_mix(1, source);
}

/* A cluster that one of them belongs to already, else a new one. */
static struct cluster_ref
cluster_for(struct recipients *r, struct clusters *c, const struct recipient *e,
            const struct mail *m)
{
    uint64_t id = hash_mix(hash_mix(e->way.key, m->minute), m->source);

    for (uint32_t i = 0; i < e->n; i++) {
        const struct tie *t = ways_find(&r->ties, tie_key(e->who[i]));

        if (t != NULL && clusters_is(c, t->part, m->minute))
            return t->part;
    }
    return clusters_open(c, CAMPAIGN_RECIPIENTS, id, 0, m->minute);
}

/* Three sources now: they belong together. Those before count a message each.
 */
static void
bind(struct recipients *r, struct clusters *c, struct recipient *e,
     const struct mail *m, bool earlier)
{
    e->part = cluster_for(r, c, e, m);
    (*clusters_about(c, e->part))++;
    for (uint32_t i = 0; i < e->n; i++) {
        bool fresh;
        struct tie *t =
            ways_take(&r->ties, tie_key(e->who[i]), m->minute, &fresh);

        t->part = e->part;
        if (e->who[i] != m->source)
            clusters_add(c, e->part, e->who[i], earlier, m->minute);
    }
}

/* ---- mails ---- */

/* The cluster of one recipient after this mail. */
static struct cluster_ref
one(struct recipients *r, struct clusters *c, const struct mail *m,
    struct span path, bool first)
{
    bool fresh;
    struct recipient *e =
        ways_take(&r->all, key_of(m, path), m->minute, &fresh);
    struct cluster_ref none = {0, 0};

    if (fresh)
        e->first = m->minute;
    if (e->part.slot != 0 && clusters_is(c, e->part, m->minute))
        return e->part;
    e->part = none;
    if (!is_young(e->first, m->minute) || !note(e, m) || e->n < RECIPIENTS_TIES)
        return none;
    bind(r, c, e, m, first);
    return e->part;
}

struct cluster_ref
recipients_mail(struct recipients *r, struct clusters *c, const struct mail *m)
{
    struct cursor at = record_map_list(m->event, FIELD_SMTP_RCPT_TO);
    struct cluster_ref part = {0, 0};
    struct record_entry e;

    while (record_next(&at, &e) && e.field == FIELD_SMTP_RCPT_TO) {
        struct cluster_ref p = one(r, c, m, e.value, part.slot == 0);

        if (part.slot == 0)
            part = p;
    }
    if (part.slot == 0)
        return part;
    clusters_add(c, part, m->source, m->message, m->minute);
    return *clusters_about(c, part) >= CAMPAIGN_SHARED
               ? part
               : (struct cluster_ref){0, 0};
}

uint64_t
recipients_memory(const struct recipients *r)
{
    return sizeof(*r) + r->all.n * r->all.size + r->ties.n * r->ties.size;
}

uint64_t
recipients_evicted(const struct recipients *r)
{
    return r->all.evicted + r->ties.evicted;
}

/* ---- snapshots ---- */

void
recipients_save(const struct recipients *r, struct buf *out)
{
    ways_save(&r->all, out);
    ways_save(&r->ties, out);
}

bool
recipients_load(struct recipients *r, struct cursor *in)
{
    if (!ways_load(&r->all, in) || !ways_load(&r->ties, in))
        return false;
    for (size_t i = 0; i < r->all.n; i++) {
        const struct recipient *e = (const struct recipient *)r->all.base + i;

        if (e->n > RECIPIENTS_TIES)
            return false;
    }
    return true;
}
