#include "rules/campaign/snowshoe.h"

#include <stdlib.h>

#include "sensor/base/hash.h"
#include "sensor/base/ways.h"

#define HOST_MAX 253U
#define PARENTS  4U /* of a host that may be the site's own domain */

struct mark {
    struct way way; /* last: a minute */
    uint32_t first;
    bool own;
};

struct group {
    struct way way;
    uint32_t first; /* minute */
    uint32_t n, n_domains;
    uint32_t messages;
    uint32_t who[SNOWSHOE_WHO];
    uint32_t domains[CAMPAIGN_SNOW_DOMAINS];
    struct cluster_ref part;
    uint8_t each[SNOWSHOE_WHO]; /* messages, at most EACH + 1 */
};

struct snowshoe {
    struct ways marks;
    struct ways groups;
};

enum err
snowshoe_new(struct snowshoe **out)
{
    struct snowshoe *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_NOMEM;
    if (ways_init(&s->marks, sizeof(struct mark), SNOWSHOE_MARKS) != ERR_OK ||
        ways_init(&s->groups, sizeof(struct group), SNOWSHOE_GROUPS) !=
            ERR_OK) {
        snowshoe_free(s);
        return ERR_NOMEM;
    }
    *out = s;
    return ERR_OK;
}

void
snowshoe_free(struct snowshoe *s)
{
    if (s == NULL)
        return;
    ways_fini(&s->marks);
    ways_fini(&s->groups);
    free(s);
}

static bool
is_young(uint32_t then, uint32_t minute)
{
    return then + CLUSTERS_MINUTES > minute;
}

/* ---- marks ---- */

static struct span
domain_of(struct span path)
{
    const uint8_t *at = path.n > 0 ? memrchr(path.p, '@', path.n) : NULL;
    struct span domain = SPAN_NONE;

    if (at != NULL)
        domain = span_tail(path, (size_t)(at - path.p) + 1);
    return span_head(domain, span_find(domain, '>'));
}

/* scheme://user@host:port/path */
static struct span
host_of(struct span url)
{
    size_t at = span_search(url, SPAN_LIT("://"));
    struct span host = span_tail(url, at + 3);
    const uint8_t *user;

    if (at == url.n)
        return SPAN_NONE;
    for (size_t i = 0; i < host.n; i++) {
        uint8_t c = span_at(host, i);

        if (c == '/' || c == '?' || c == '#')
            host = span_head(host, i);
    }
    user = host.n > 0 ? memrchr(host.p, '@', host.n) : NULL;
    if (user != NULL)
        host = span_tail(host, (size_t)(user - host.p) + 1);
    return span_head(host, span_find(host, ':'));
}

static uint64_t
mark_key(const struct mail *m, struct span name)
{
    uint8_t b[HOST_MAX];
    size_t n = name.n < HOST_MAX ? name.n : HOST_MAX;

    for (size_t i = 0; i < n; i++) {
        uint8_t c = span_at(name, i);

        b[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
    }
    return hash_span(span_of(b, n), m->seed);
}

static struct mark *
mark_of(struct snowshoe *s, const struct mail *m, uint64_t key)
{
    bool fresh;
    struct mark *k = ways_take(&s->marks, key, m->minute, &fresh);

    if (fresh)
        k->first = m->minute;
    return k;
}

/* Is it, or a domain above it, the site's own? */
static bool
is_own(const struct snowshoe *s, const struct mail *m, struct span name)
{
    for (unsigned i = 0; i < PARENTS && name.n > 0; i++) {
        const struct mark *k = ways_find(&s->marks, mark_key(m, name));

        if (k != NULL && k->own)
            return true;
        name = span_tail(name, span_find(name, '.') + 1);
    }
    return false;
}

static void
learn(struct snowshoe *s, const struct mail *m, struct span name)
{
    if (name.n > 0 && name.n <= HOST_MAX)
        mark_of(s, m, mark_key(m, name))->own = true;
}

/* ---- what is the site's own ---- */

static void
learn_links(struct snowshoe *s, const struct mail *m)
{
    struct cursor at = record_map_list(m->event, FIELD_EMAIL_URL);
    struct record_entry e;

    for (unsigned i = 0; i < SNOWSHOE_LINKS && record_next(&at, &e) &&
                         e.field == FIELD_EMAIL_URL;
         i++)
        learn(s, m, host_of(e.value));
}

void
snowshoe_own(struct snowshoe *s, const struct mail *m)
{
    bool out = m->outbound;
    struct span rcpt = record_map_find(m->event, FIELD_SMTP_RCPT_TO);
    struct span from = record_map_find(m->event, FIELD_SMTP_MAIL_FROM);

    if (!out && record_map_u64(m->event, FIELD_SMTP_RCPT_ACCEPTED, 0) == 0)
        return;
    learn(s, m, domain_of(out ? from : rcpt));
    if (out)
        learn_links(s, m);
}

/* ---- groups ---- */

/* Messages of a source of the group, this one included; 0: no room. */
static unsigned
count(struct group *g, uint32_t source)
{
    for (uint32_t i = 0; i < g->n; i++) {
        if (g->who[i] == source) {
            if (g->each[i] <= CAMPAIGN_SNOW_EACH)
                g->each[i]++;
            return g->each[i];
        }
    }
    if (g->n == SNOWSHOE_WHO)
        return 0;
    g->who[g->n] = source;
    g->each[g->n++] = 1;
    return 1;
}

static void
count_domain(struct group *g, uint32_t domain)
{
    for (uint32_t i = 0; i < g->n_domains; i++) {
        if (g->domains[i] == domain)
            return;
    }
    if (g->n_domains < CAMPAIGN_SNOW_DOMAINS)
        g->domains[g->n_domains++] = domain;
}

static bool
is_snow(const struct group *g)
{
    unsigned quiet = 0;

    for (uint32_t i = 0; i < g->n; i++)
        quiet += g->each[i] <= CAMPAIGN_SNOW_EACH;
    return quiet >= CAMPAIGN_SNOW_SOURCES &&
           g->n_domains == CAMPAIGN_SNOW_DOMAINS &&
           g->messages >= CAMPAIGN_SNOW_MESSAGES;
}

/* Those so far, at the minute that runs. */
static void
open_cluster(struct group *g, struct clusters *c, const struct mail *m)
{
    uint64_t id = hash_mix(hash_mix(g->way.key, m->minute), m->source);

    g->part = clusters_open(c, CAMPAIGN_SNOWSHOE, id, 0, m->minute);
    for (uint32_t i = 0; i < g->n; i++) {
        if (g->each[i] <= CAMPAIGN_SNOW_EACH)
            clusters_add(c, g->part, g->who[i], g->each[i], m->minute);
    }
}

static struct cluster_ref
group_mail(struct snowshoe *s, struct clusters *c, const struct mail *m,
           uint64_t mark)
{
    bool fresh;
    struct group *g =
        ways_take(&s->groups, hash_mix(m->prefix, mark), m->minute, &fresh);
    struct way way = g->way;

    if (g->part.slot != 0 && clusters_is(c, g->part, m->minute)) {
        clusters_add(c, g->part, m->source, 1, m->minute);
        return g->part;
    }
    if (fresh || g->part.slot != 0 || !is_young(g->first, m->minute))
        *g = (struct group){.way = way, .first = m->minute};
    if (count(g, m->source) == 0)
        return g->part;
    g->messages++;
    count_domain(g, (uint32_t)mark_key(m, domain_of(record_map_find(
                                              m->event, FIELD_SMTP_RCPT_TO))));
    if (is_snow(g))
        open_cluster(g, c, m);
    return g->part;
}

static struct cluster_ref
name_mail(struct snowshoe *s, struct clusters *c, const struct mail *m,
          struct span name)
{
    struct cluster_ref none = {0, 0};
    const struct group *g;
    uint64_t key;

    if (name.n == 0 || name.n > HOST_MAX || is_own(s, m, name))
        return none;
    key = mark_key(m, name);
    g = ways_find(&s->groups, hash_mix(m->prefix, key));
    if (!is_young(mark_of(s, m, key)->first, m->minute) &&
        (g == NULL || !clusters_is(c, g->part, m->minute)))
        return none;
    return group_mail(s, c, m, key);
}

struct cluster_ref
snowshoe_mail(struct snowshoe *s, struct clusters *c, const struct mail *m)
{
    struct cursor at = record_map_list(m->event, FIELD_EMAIL_URL);
    struct span from = record_map_find(m->event, FIELD_SMTP_MAIL_FROM);
    struct cluster_ref part = name_mail(s, c, m, domain_of(from));
    struct span last = SPAN_NONE;
    struct record_entry e;

    for (unsigned i = 0; i < SNOWSHOE_LINKS && record_next(&at, &e) &&
                         e.field == FIELD_EMAIL_URL;
         i++) {
        struct span host = host_of(e.value);
        struct cluster_ref p;

        if (span_eq(host, last))
            continue;
        last = host;
        p = name_mail(s, c, m, host);
        if (part.slot == 0)
            part = p;
    }
    return part;
}

uint64_t
snowshoe_memory(const struct snowshoe *s)
{
    return sizeof(*s) + s->marks.n * s->marks.size +
           s->groups.n * s->groups.size;
}

uint64_t
snowshoe_evicted(const struct snowshoe *s)
{
    return s->marks.evicted + s->groups.evicted;
}

/* ---- snapshots ---- */

void
snowshoe_save(const struct snowshoe *s, struct buf *out)
{
    ways_save(&s->marks, out);
    ways_save(&s->groups, out);
}

bool
snowshoe_load(struct snowshoe *s, struct cursor *in)
{
    if (!ways_load(&s->marks, in) || !ways_load(&s->groups, in))
        return false;
    for (size_t i = 0; i < s->groups.n; i++) {
        const struct group *g = (const struct group *)s->groups.base + i;

        if (g->n > SNOWSHOE_WHO || g->n_domains > CAMPAIGN_SNOW_DOMAINS)
            return false;
    }
    return true;
}
