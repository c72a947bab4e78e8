#include "rules/registry/sites.h"

#include <stdlib.h>

#include "sensor/base/hash.h"

#define NOBODY UINT32_MAX

/* What is said of one prefix, and after sites_done what holds in it. */
struct entry {
    struct prefix prefix;
    uint32_t site; /* NOBODY: none */
    enum sites_pool pool;
    bool home;
};

struct sites {
    struct site *site;
    size_t n, cap;
    uint32_t *codes; /* a hash table of places in site, NOBODY: free */
    size_t n_codes;  /* a power of two */
    struct entry *entries;
    size_t n_entries, cap_entries;
    struct prefix *home;
    size_t n_home;
    uint32_t vlans[SITES_VLAN_MAX + 1];
    uint32_t clash[SITES_VLAN_MAX + 1]; /* the site that came second */
    struct prefix_map *map;             /* values: places in entries */
};

static char *
copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

/* One more item of that size; NULL leaves the old as it was. */
static void *
grow(void *v, size_t n, size_t *cap, size_t size)
{
    size_t more = *cap > 0 ? *cap * 2 : 16;
    void *bigger;

    if (n < *cap)
        return v;
    bigger = reallocarray(v, more, size);
    if (bigger != NULL)
        *cap = more;
    return bigger;
}

enum err
sites_new(struct sites **out)
{
    struct sites *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i <= SITES_VLAN_MAX; i++)
        s->vlans[i] = s->clash[i] = NOBODY;
    *out = s;
    return ERR_OK;
}

/* ---- codes ---- */

static size_t
code_slot(const struct sites *s, const char *code)
{
    size_t at = hash_span(span_str(code), 0) & (s->n_codes - 1);

    while (s->codes[at] != NOBODY &&
           strcmp(s->site[s->codes[at]].code, code) != 0)
        at = (at + 1) & (s->n_codes - 1);
    return at;
}

/* At most half of the table is taken. */
static bool
codes_grow(struct sites *s)
{
    size_t n = s->n_codes > 0 ? 2 * s->n_codes : 64;
    uint32_t *bigger;

    if (2 * (s->n + 1) <= s->n_codes)
        return true;
    bigger = malloc(n * sizeof(*bigger));
    if (bigger == NULL)
        return false;
    memset(bigger, 0xff, n * sizeof(*bigger));
    free(s->codes);
    s->codes = bigger;
    s->n_codes = n;
    for (size_t i = 0; i < s->n; i++)
        s->codes[code_slot(s, s->site[i].code)] = (uint32_t)i;
    return true;
}

/* ---- building ---- */

static void
site_fini(struct site *site)
{
    char *texts[5];

    /* They are ours: copied in site_copy. */
    memcpy(texts,
           (const char *[]){site->code, site->name, site->owner, site->contact,
                            site->zone},
           sizeof(texts));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(texts[i]);
}

static bool
site_copy(const struct site *from, struct site *to)
{
    *to = (struct site){copy(from->code), copy(from->name), copy(from->owner),
                        copy(from->contact), copy(from->zone)};
    if (to->code != NULL && (to->name != NULL) == (from->name != NULL) &&
        (to->owner != NULL) == (from->owner != NULL) &&
        (to->contact != NULL) == (from->contact != NULL) &&
        (to->zone != NULL) == (from->zone != NULL))
        return true;
    site_fini(to);
    return false;
}

void
sites_free(struct sites *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n; i++)
        site_fini(&s->site[i]);
    prefix_map_free(s->map);
    free(s->site);
    free(s->codes);
    free(s->entries);
    free(s->home);
    free(s);
}

enum err
sites_add(struct sites *s, const struct site *site, uint32_t *index)
{
    struct site *bigger;
    size_t slot;

    if (s->n == SITES_MAX)
        return ERR_LIMIT;
    bigger = grow(s->site, s->n, &s->cap, sizeof(*bigger));
    if (bigger == NULL)
        return ERR_NOMEM;
    s->site = bigger;
    if (!codes_grow(s))
        return ERR_NOMEM;
    slot = code_slot(s, site->code);
    if (s->codes[slot] != NOBODY)
        return ERR_EXISTS;
    if (!site_copy(site, &s->site[s->n]))
        return ERR_NOMEM;
    s->codes[slot] = (uint32_t)s->n;
    *index = (uint32_t)s->n++;
    return ERR_OK;
}

static enum err
add(struct sites *s, const struct entry *e)
{
    struct entry *bigger;

    if (s->n_entries == PREFIX_MAP_MAX)
        return ERR_LIMIT;
    bigger = grow(s->entries, s->n_entries, &s->cap_entries, sizeof(*bigger));
    if (bigger == NULL)
        return ERR_NOMEM;
    s->entries = bigger;
    s->entries[s->n_entries++] = *e;
    return ERR_OK;
}

enum err
sites_add_prefix(struct sites *s, uint32_t site, const struct prefix *p)
{
    REQUIRE(site < s->n);
    return add(s, &(struct entry){*p, site, SITES_POOL_NONE, true});
}

enum err
sites_add_pool(struct sites *s, const struct prefix *p, enum sites_pool kind)
{
    return add(s, &(struct entry){*p, NOBODY, kind, false});
}

enum err
sites_add_home(struct sites *s, const struct prefix *p)
{
    return add(s, &(struct entry){*p, NOBODY, SITES_POOL_NONE, true});
}

enum err
sites_add_vlan(struct sites *s, uint32_t site, uint16_t vlan)
{
    REQUIRE(site < s->n);
    if (vlan == 0 || vlan > SITES_VLAN_MAX)
        return ERR_USAGE;
    if (s->vlans[vlan] == NOBODY)
        s->vlans[vlan] = site;
    else if (s->vlans[vlan] != site && s->clash[vlan] == NOBODY)
        s->clash[vlan] = site;
    return ERR_OK;
}

/* ---- sorting out ---- */

/* A prefix stands behind all that hold it. Equal ones by what they say, so
 * that the outcome does not depend on the order in which they came. */
static int
by_prefix(const void *a, const void *b)
{
    const struct entry *x = a;
    const struct entry *y = b;
    int order = addr_cmp(&x->prefix.addr, &y->prefix.addr);

    if (order != 0)
        return order;
    if (x->prefix.bits != y->prefix.bits)
        return x->prefix.bits < y->prefix.bits ? -1 : 1;
    if (x->site != y->site)
        return x->site < y->site ? -1 : 1;
    return (x->pool > y->pool) - (x->pool < y->pool);
}

static enum err
clash_sites(const struct sites *s, const struct entry *a, const struct entry *b,
            struct buf *why)
{
    prefix_format(&a->prefix, why);
    buf_printf(why, " belongs to site %s and to site %s", s->site[a->site].code,
               s->site[b->site].code);
    return ERR_EXISTS;
}

static enum err
clash_pools(const struct entry *a, struct buf *why)
{
    prefix_format(&a->prefix, why);
    buf_str(why, " is a pool of two kinds");
    return ERR_EXISTS;
}

/* Adds what b says of the prefix that a speaks of. */
static enum err
join(const struct sites *s, struct entry *a, const struct entry *b,
     struct buf *why)
{
    if (a->site != NOBODY && b->site != NOBODY && a->site != b->site)
        return clash_sites(s, a, b, why);
    if (a->pool != SITES_POOL_NONE && b->pool != SITES_POOL_NONE &&
        a->pool != b->pool)
        return clash_pools(a, why);
    if (a->site == NOBODY)
        a->site = b->site;
    if (a->pool == SITES_POOL_NONE)
        a->pool = b->pool;
    a->home = a->home || b->home;
    return ERR_OK;
}

static bool
is_same(const struct prefix *a, const struct prefix *b)
{
    return a->bits == b->bits && addr_cmp(&a->addr, &b->addr) == 0;
}

static enum err
join_all(struct sites *s, struct buf *why)
{
    size_t n = 0;
    enum err e = ERR_OK;

    if (s->n_entries > 0)
        qsort(s->entries, s->n_entries, sizeof(*s->entries), by_prefix);
    for (size_t i = 0; i < s->n_entries && e == ERR_OK; i++) {
        const struct entry *now = &s->entries[i];

        if (n > 0 && is_same(&s->entries[n - 1].prefix, &now->prefix))
            e = join(s, &s->entries[n - 1], now, why);
        else
            s->entries[n++] = *now;
    }
    s->n_entries = n;
    return e;
}

static enum err
check_vlans(const struct sites *s, struct buf *why)
{
    for (size_t i = 0; i <= SITES_VLAN_MAX; i++) {
        if (s->clash[i] == NOBODY)
            continue;
        buf_printf(why, "VLAN %zu belongs to site %s and to site %s", i,
                   s->site[s->vlans[i]].code, s->site[s->clash[i]].code);
        return ERR_EXISTS;
    }
    return ERR_OK;
}

static enum err
make_map(struct sites *s)
{
    struct prefix_item *items = calloc(s->n_entries + 1, sizeof(*items));
    enum err e;

    if (items == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n_entries; i++)
        items[i] = (struct prefix_item){s->entries[i].prefix, (uint32_t)i};
    e = prefix_map_new(items, s->n_entries, &s->map, NULL);
    free(items);
    return e;
}

/* Its next shorter entry, or NULL. */
static const struct entry *
outer_of(const struct sites *s, size_t i)
{
    uint32_t place = prefix_map_find(s->map, &s->entries[i].prefix.addr);

    /* Longer ones may begin with the same address. */
    while (prefix_map_value(s->map, place) != i)
        place = prefix_map_outer(s->map, place);
    place = prefix_map_outer(s->map, place);
    return place != PREFIX_MAP_NONE
               ? &s->entries[prefix_map_value(s->map, place)]
               : NULL;
}

/* What a prefix does not say itself the one around it says. Those around come
 * first. */
static enum err
inherit(struct sites *s)
{
    s->home = calloc(s->n_entries + 1, sizeof(*s->home));
    if (s->home == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n_entries; i++) {
        struct entry *e = &s->entries[i];
        const struct entry *outer = outer_of(s, i);

        if (e->home && (outer == NULL || !outer->home))
            s->home[s->n_home++] = e->prefix;
        if (outer == NULL)
            continue;
        if (e->site == NOBODY)
            e->site = outer->site;
        if (e->pool == SITES_POOL_NONE)
            e->pool = outer->pool;
        e->home = e->home || outer->home;
    }
    return ERR_OK;
}

enum err
sites_done(struct sites *s, struct buf *why)
{
    enum err e = check_vlans(s, why);

    if (e == ERR_OK)
        e = join_all(s, why);
    if (e == ERR_OK)
        e = make_map(s);
    return e == ERR_OK ? inherit(s) : e;
}

/* ---- asking ---- */

size_t
sites_n(const struct sites *s)
{
    return s->n;
}

const struct site *
sites_at(const struct sites *s, size_t i)
{
    return &s->site[i];
}

size_t
sites_n_home(const struct sites *s)
{
    return s->n_home;
}

const struct prefix *
sites_home(const struct sites *s)
{
    return s->home;
}

struct sites_place
sites_find(const struct sites *s, const struct addr *a, uint16_t vlan)
{
    uint32_t place = prefix_map_find(s->map, a);
    const struct entry *e;
    uint32_t site;

    if (place == PREFIX_MAP_NONE)
        return (struct sites_place){false, NULL, SITES_POOL_NONE};
    e = &s->entries[prefix_map_value(s->map, place)];
    site = e->site;
    if (site == NOBODY && e->home && vlan <= SITES_VLAN_MAX)
        site = s->vlans[vlan];
    return (struct sites_place){e->home, site != NOBODY ? &s->site[site] : NULL,
                                e->pool};
}
