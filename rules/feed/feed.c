#include "rules/feed/feed.h"

#include <stdlib.h>

#include "rules/feed/feed_screen.h"
#include "rules/feed/feed_seal.h"

#define HOUR (3600 * NS_PER_S)

/* What one entry comes to: first counted, then chosen, then written. */
struct unit {
    size_t pieces;
    bool fresh; /* an address of it was not in the last set */
    bool chosen;
};

struct work {
    const struct feed_in *in;
    struct feed *out;
    struct feed_screen screen;
    struct unit *units; /* by place in screen.kept */
    size_t *place;      /* of an entry of the caller's: in screen.kept */
    size_t *order;      /* places, those that are chosen first in front */
    struct permits_range *before; /* that the last set lists, joined */
    size_t n_before;
    size_t id; /* of the piece that is being split */
};

/* ---- what the last set listed ---- */

static bool
remember_last(struct work *w)
{
    const struct feed *last = w->in->last;
    size_t n = last != NULL ? last->n : 0;

    w->before = calloc(n + 1, sizeof(*w->before));
    if (w->before == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (last->v[i].until > w->in->now)
            w->before[w->n_before++] = permits_range_of(&last->v[i].prefix);
    }
    w->n_before = permits_join(w->before, w->n_before);
    return true;
}

/* Entries of the last hour stay counted, also those that are gone. */
static bool
remember_hour(struct work *w)
{
    const struct feed *last = w->in->last;
    size_t n = last != NULL ? last->n_came : 0;
    struct feed *f = w->out;

    f->came = calloc(n + w->in->limits->hour, sizeof(*f->came));
    if (f->came == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (last->came[i] + HOUR > w->in->now)
            f->came[f->n_came++] = last->came[i];
    }
    return true;
}

/* ---- pieces: counted, then written ---- */

static void
count_piece(void *ctx, const struct prefix *p)
{
    struct work *w = ctx;
    struct unit *u = &w->units[w->id];
    const struct permits_range r = permits_range_of(p);

    u->pieces++;
    u->fresh = u->fresh || !permits_covers(w->before, w->n_before, &r);
}

static void
write_piece(void *ctx, const struct prefix *p)
{
    struct work *w = ctx;
    const size_t entry = w->screen.kept[w->id].id;
    const struct feed_entry *e = &w->in->entries[entry];

    w->out->v[w->out->n++] = (struct feed_item){
        .prefix = *p,
        .since = e->since,
        .until = w->screen.until[entry],
        .origin = e->origin,
        .entry = entry,
    };
}

static void
count_range(void *ctx, size_t id, const struct permits_range *r)
{
    struct work *w = ctx;

    w->id = id;
    permits_cidrs(r, count_piece, w);
}

static void
write_range(void *ctx, size_t id, const struct permits_range *r)
{
    struct work *w = ctx;

    w->id = id;
    if (w->units[id].chosen)
        permits_cidrs(r, write_piece, w);
}

/* id is the caller's entry. */
static void
count_own(void *ctx, size_t id, const struct permits_range *r)
{
    struct work *w = ctx;

    carve_without(r, w->screen.never, w->screen.n_never, w->place[id],
                  count_range, w);
}

static void
write_own(void *ctx, size_t id, const struct permits_range *r)
{
    struct work *w = ctx;

    carve_without(r, w->screen.never, w->screen.n_never, w->place[id],
                  write_range, w);
}

/* ---- choosing ---- */

static int
by_claim(const void *a, const void *b, void *ctx)
{
    const struct work *w = ctx;
    const size_t x = *(const size_t *)a;
    const size_t y = *(const size_t *)b;
    const ns_t s = w->in->entries[w->screen.kept[x].id].since;
    const ns_t t = w->in->entries[w->screen.kept[y].id].since;

    if (w->units[x].fresh != w->units[y].fresh)
        return w->units[x].fresh ? 1 : -1;
    if (s != t)
        return s < t ? -1 : 1;
    return x < y ? -1 : x > y;
}

/* A bit set of enum feed_why; 0: it is in. */
static uint32_t
refuse_unit(struct work *w, const struct unit *u, size_t used)
{
    const struct feed_limits *l = w->in->limits;

    if (u->pieces == 0)
        return FEED_WHY_NONE_LEFT;
    if (u->pieces > l->pieces)
        return FEED_WHY(PIECES);
    if (u->pieces > l->total - used)
        return FEED_WHY(CAP_TOTAL);
    if (u->fresh && w->out->n_came >= l->hour)
        return FEED_WHY(CAP_HOUR);
    return 0;
}

/* How many elements are chosen. */
static size_t
choose(struct work *w)
{
    const size_t n = w->screen.n_kept;
    size_t used = 0;

    for (size_t i = 0; i < n; i++)
        w->order[i] = i;
    if (n > 0)
        qsort_r(w->order, n, sizeof(*w->order), by_claim, w);
    for (size_t i = 0; i < n; i++) {
        struct unit *u = &w->units[w->order[i]];
        const size_t entry = w->screen.kept[w->order[i]].id;
        const uint32_t why = refuse_unit(w, u, used);

        if (why != 0) {
            w->screen.why[entry] |= why & FEED_WHY_ALL;
            w->screen.out[entry] = true;
            continue;
        }
        u->chosen = true;
        used += u->pieces;
        if (u->fresh) {
            w->out->came[w->out->n_came++] = w->in->now;
            w->out->added++;
        }
    }
    return used;
}

/* ---- all ---- */

static bool
make_rooms(struct work *w)
{
    const size_t n = w->screen.n_kept;

    w->units = calloc(n + 1, sizeof(*w->units));
    w->order = calloc(n + 1, sizeof(*w->order));
    w->place = calloc(w->in->n + 1, sizeof(*w->place));
    if (w->units == NULL || w->order == NULL || w->place == NULL)
        return false;
    for (size_t i = 0; i < n; i++)
        w->place[w->screen.kept[i].id] = i;
    return remember_last(w) && remember_hour(w);
}

static enum feed_verdict
fill(struct work *w)
{
    struct feed *f = w->out;
    size_t used;

    if (!make_rooms(w))
        return FEED_MEMORY;
    carve_inner(w->screen.kept, w->screen.n_kept, count_own, w);
    used = choose(w);
    f->v = calloc(used + 1, sizeof(*f->v));
    if (f->v == NULL)
        return FEED_MEMORY;
    carve_inner(w->screen.kept, w->screen.n_kept, write_own, w);
    REQUIRE(f->n == used);
    if (!feed_screen_notes(&w->screen, w->in, f))
        return FEED_MEMORY;
    if (f->n == 0 && !w->in->allow_empty)
        return FEED_EMPTY;
    return feed_seal(w->in, f) ? FEED_DONE : FEED_MEMORY;
}

static void
drop_set(struct feed *f)
{
    free(f->v);
    free(f->came);
    free(f->texts);
    f->v = NULL;
    f->came = NULL;
    f->texts = NULL;
    f->n = f->n_came = 0;
    f->added = 0;
}

static enum feed_verdict
refuse_all(const struct feed_in *in)
{
    if (feed_limits_bad(in->limits) != NULL)
        return FEED_LIMITS;
    if (in->n > FEED_ENTRIES || in->n_never > FEED_NEVER)
        return FEED_MANY;
    if (!in->never_known)
        return FEED_UNKNOWN;
    if (in->quality_permille < in->limits->quality_permille)
        return FEED_QUALITY;
    if (in->last != NULL && in->now < in->last->made)
        return FEED_BACKWARD;
    return FEED_DONE;
}

enum feed_verdict
feed_make(const struct feed_in *in, struct feed *out)
{
    struct work w = {.in = in, .out = out};
    enum feed_verdict v = refuse_all(in);

    *out = (struct feed){.n = 0};
    if (v != FEED_DONE)
        return v;
    v = feed_screen(in, &w.screen) ? fill(&w) : FEED_MEMORY;
    if (v != FEED_DONE)
        drop_set(out);
    feed_screen_fini(&w.screen);
    free(w.units);
    free(w.place);
    free(w.order);
    free(w.before);
    return v;
}

void
feed_fini(struct feed *f)
{
    drop_set(f);
    free(f->notes);
    *f = (struct feed){.n = 0};
}
