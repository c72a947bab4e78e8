#include "rules/feed/feed_screen.h"

#include <stdlib.h>

#define V4_BITS 96 /* of a mapped address, before its own */
#define DEPTH   130

/* No host's address: RFC 6890, RFC 4291. What is in ::/16 is not routed, and
 * holds the IPv4-mapped form. */
static const char *const reserved[] = {"0.0.0.0/8",   "127.0.0.0/8",
                                       "224.0.0.0/3", "::/16",
                                       "fe80::/10",   "ff00::/8"};

static bool
is_v4(const struct prefix *p)
{
    return p->bits >= V4_BITS && addr_is_v4(&p->addr);
}

/* Prefixes touch only where one is within the other. */
static bool
is_reserved(const struct prefix *p)
{
    struct prefix r;

    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (prefix_parse(span_str(reserved[i]), &r) && is_v4(&r) == is_v4(p) &&
            (prefix_has(&r, &p->addr) || prefix_has(p, &r.addr)))
            return true;
    }
    return false;
}

bool
feed_is_hash(struct span s)
{
    size_t i = 0;

    while (i < s.n && ((s.p[i] >= '0' && s.p[i] <= '9') ||
                       (s.p[i] >= 'a' && s.p[i] <= 'f')))
        i++;
    return i == s.n && s.n == FEED_HASH;
}

static uint32_t
screen_prefix(const struct prefix *p, const struct feed_limits *l)
{
    if (!carve_is_whole(p))
        return FEED_WHY(MALFORMED);
    if (p->bits == 0 || (p->bits == V4_BITS && addr_is_v4(&p->addr)))
        return FEED_WHY(EVERYTHING);
    if (is_v4(p) ? p->bits < V4_BITS + l->widest_v4 : p->bits < l->widest_v6)
        return FEED_WHY(TOO_WIDE);
    return is_reserved(p) ? FEED_WHY(NO_HOST) : 0;
}

static uint32_t
screen_entry(const struct feed_entry *e, const struct feed_in *in)
{
    uint32_t why = screen_prefix(&e->prefix, in->limits);

    if (why != 0)
        return why;
    if (e->until == 0)
        return FEED_WHY(NO_END);
    if (e->since > in->now)
        return FEED_WHY(NOT_BEGUN);
    if (e->until <= in->now)
        return FEED_WHY(OVER);
    if (e->origin == FEED_DETECTOR && !feed_is_hash(e->evidence))
        return FEED_WHY(NO_EVIDENCE);
    return 0;
}

static void
screen_all(const struct feed_in *in, struct feed_screen *s)
{
    const ns_t most = in->now + in->limits->longest_s * NS_PER_S;

    for (size_t i = 0; i < in->n; i++) {
        s->why[i] = screen_entry(&in->entries[i], in);
        s->out[i] = s->why[i] != 0;
        s->until[i] = in->entries[i].until;
        if (s->out[i])
            continue;
        if (s->until[i] > most) {
            s->until[i] = most;
            s->why[i] |= FEED_WHY(SHORTENED);
        }
        s->kept[s->n_kept++] = (struct carve_item){in->entries[i].prefix, i};
    }
    carve_sort(s->kept, s->n_kept);
}

/* ---- doubles ---- */

static bool
is_same(const struct prefix *a, const struct prefix *b)
{
    return a->bits == b->bits && addr_cmp(&a->addr, &b->addr) == 0;
}

static bool
holds(const struct prefix *outer, const struct prefix *inner)
{
    return outer->bits <= inner->bits && is_v4(outer) == is_v4(inner) &&
           prefix_has(outer, &inner->addr);
}

static void
drop_double(struct feed_screen *s, size_t id)
{
    s->why[id] |= FEED_WHY(DOUBLE);
    s->out[id] = true;
}

/* Of equal prefixes the one that lasts longest stays, of those the first. */
static void
drop_equal(struct feed_screen *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n_kept; i++) {
        struct carve_item *last = n > 0 ? &s->kept[n - 1] : NULL;
        const struct carve_item *x = &s->kept[i];

        if (last == NULL || !is_same(&last->prefix, &x->prefix)) {
            s->kept[n++] = *x;
        } else if (s->until[x->id] > s->until[last->id]) {
            drop_double(s, last->id);
            *last = *x;
        } else {
            drop_double(s, x->id);
        }
    }
    s->n_kept = n;
}

/* Those around the present one are open; each ends later than the one around
 * it, for else it would be a double. */
static void
drop_covered(struct feed_screen *s)
{
    size_t open[DEPTH];
    size_t depth = 0;
    size_t n = 0;

    for (size_t i = 0; i < s->n_kept; i++) {
        const struct carve_item x = s->kept[i];

        while (depth > 0 && !holds(&s->kept[open[depth - 1]].prefix, &x.prefix))
            depth--;
        if (depth > 0 &&
            s->until[s->kept[open[depth - 1]].id] >= s->until[x.id]) {
            drop_double(s, x.id);
            continue;
        }
        s->kept[n] = x;
        REQUIRE(depth < DEPTH);
        open[depth++] = n++;
    }
    s->n_kept = n;
}

/* ---- what is never listed ---- */

/* The IPv4-mapped addresses are of another family than what is around them. */
static size_t
of_one_family(const struct permits_range *r, struct permits_range out[2])
{
    static const struct permits_range v4 = {
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}},
        {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}};
    static const struct addr before = {
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xff}
    };
    static const struct addr behind = {
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 1}
    };

    if (addr_cmp(&r->first, &v4.first) >= 0 ||
        addr_cmp(&r->last, &v4.last) <= 0) {
        out[0] = *r;
        return 1;
    }
    out[0] = (struct permits_range){r->first, before};
    out[1] = (struct permits_range){behind, r->last};
    return 2;
}

static void
gather_kind(const struct feed_in *in, struct feed_screen *s, size_t kind)
{
    struct permits_range *v = s->kinds + s->kind_from[kind];
    size_t n = 0;

    for (size_t i = 0; i < in->n_never; i++) {
        size_t own = in->never[i].kind;

        /* what nobody knows the kind of is kept from being listed all the
         * same */
        if ((own < FEED_NEVER_KINDS ? own : FEED_NEVER_KINDS - 1) == kind)
            n += of_one_family(&in->never[i].range, &v[n]);
    }
    memcpy(s->never + s->kind_from[kind], v, n * sizeof(*v));
    s->kind_from[kind + 1] = s->kind_from[kind] + n;
    s->kind_n[kind] = permits_join(v, n);
}

static bool
gather_never(const struct feed_in *in, struct feed_screen *s)
{
    size_t n = 2 * in->n_never + 2;

    s->kinds = calloc(n, sizeof(*s->kinds));
    s->never = calloc(n, sizeof(*s->never));
    if (s->kinds == NULL || s->never == NULL)
        return false;
    for (size_t kind = 0; kind < FEED_NEVER_KINDS; kind++)
        gather_kind(in, s, kind);
    s->n_never = permits_join(s->never, s->kind_from[FEED_NEVER_KINDS]);
    return true;
}

static void
mark_never(struct feed_screen *s)
{
    for (size_t i = 0; i < s->n_kept; i++) {
        const struct permits_range r = permits_range_of(&s->kept[i].prefix);

        for (size_t kind = 0; kind < FEED_NEVER_KINDS; kind++) {
            if (permits_touches(s->kinds + s->kind_from[kind], s->kind_n[kind],
                                &r))
                s->why[s->kept[i].id] |= UINT32_C(1) << kind;
        }
    }
}

/* ---- all ---- */

bool
feed_screen(const struct feed_in *in, struct feed_screen *s)
{
    *s = (struct feed_screen){.n_kept = 0};
    s->why = calloc(in->n + 1, sizeof(*s->why));
    s->out = calloc(in->n + 1, sizeof(*s->out));
    s->until = calloc(in->n + 1, sizeof(*s->until));
    s->kept = calloc(in->n + 1, sizeof(*s->kept));
    if (s->why == NULL || s->out == NULL || s->until == NULL ||
        s->kept == NULL || !gather_never(in, s))
        return false;
    screen_all(in, s);
    drop_equal(s);
    drop_covered(s);
    mark_never(s);
    return true;
}

void
feed_screen_fini(struct feed_screen *s)
{
    free(s->why);
    free(s->out);
    free(s->until);
    free(s->kept);
    free(s->never);
    free(s->kinds);
    *s = (struct feed_screen){.n_kept = 0};
}

bool
feed_screen_notes(const struct feed_screen *s, const struct feed_in *in,
                  struct feed *f)
{
    f->notes = calloc(in->n + 1, sizeof(*f->notes));
    if (f->notes == NULL)
        return false;
    for (size_t i = 0; i < in->n; i++) {
        if (s->why[i] == 0)
            continue;
        f->notes[f->n_notes++] =
            (struct feed_note){i, in->entries[i].prefix, s->why[i], !s->out[i]};
        for (unsigned w = 0; w < FEED_WHY_COUNT; w++)
            f->counts[w] += s->why[i] >> w & 1;
    }
    return true;
}
