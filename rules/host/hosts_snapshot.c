#include "rules/host/hidden.h"
#include "rules/host/hosts.h"
#include "rules/host/table.h"
#include "sensor/base/hash.h"

/* Bytes of structs as they lie in memory: for the same program on a machine of
 * the same kind, which MAGIC and the sizes in it tell. */
#define MAGIC   UINT64_C(0x316f686e61707335)
#define VERSION 2U
#define HEAD    40U /* magic, shape, length, sum, version and rest */

/* What must be the same where it is loaded. */
static uint64_t
shape_of(const struct hosts *h)
{
    uint64_t s = hash_mix(h->seed, VERSION);

    s = hash_mix(s, sizeof(struct host) << 16 | sizeof(struct detail));
    s = hash_mix(s, sizeof(struct subkeys) << 16 | sizeof(struct pairs));
    s = hash_mix(s, (uint64_t)h->o.hosts << 32 | h->o.detail);
    s = hash_mix(s, h->o.filter);
    return hash_mix(s, h->o.interval);
}

struct globals {
    uint64_t minute;
    ns_t now, both_sides;
    uint32_t hand, detail_hand, n_due, seq;
    struct hosts_counts counts;
};

static void
put(struct buf *out, const void *p, size_t n)
{
    buf_put(out, p, n);
}

static void
save_globals(const struct hosts *h, struct buf *out)
{
    struct globals g;

    memset(&g, 0, sizeof(g));
    g.minute = h->minute;
    g.now = h->now;
    g.both_sides = h->both_sides;
    g.hand = h->hand;
    g.detail_hand = h->detail_hand;
    g.n_due = h->n_due;
    g.seq = h->seq;
    g.counts.evicted = h->counts.evicted;
    g.counts.refused = h->counts.refused;
    g.counts.detail_evicted = h->counts.detail_evicted;
    g.counts.waits_refused = h->counts.waits_refused;
    g.counts.events = h->counts.events;
    put(out, &g, sizeof(g));
    put(out, h->due, sizeof(h->due));
}

static enum err
save_names(const struct hosts *h, struct buf *out)
{
    struct buf names;
    uint64_t n;
    enum err e;

    buf_init(&names, SIZE_MAX / 2);
    e = names_save(h->names, &names);
    n = names.n;
    put(out, &n, sizeof(n));
    buf_span(out, buf_view(&names));
    buf_free(&names);
    return e;
}

enum err
hosts_save(const struct hosts *h, struct buf *out)
{
    size_t at = out->n;
    uint64_t head[HEAD / 8] = {MAGIC, shape_of(h), 0, 0, VERSION};
    enum err e;

    put(out, head, sizeof(head));
    save_globals(h, out);
    pool_save(&h->hosts, out);
    pool_save(&h->details, out);
    pool_save(&h->subkeys, out);
    pool_save(&h->pairs, out);
    pool_save(&h->large, out);
    filter_save(&h->seen, out);
    filter_save(&h->hours, out);
    hidden_save(h, out);
    paths_save(h->paths, out);
    e = save_names(h, out);
    if (e != ERR_OK)
        return e;
    if (out->failed || out->cut)
        return out->failed ? ERR_NOMEM : ERR_LIMIT;
    head[2] = out->n - at - HEAD;
    head[3] = hash_span(span_of(out->p + at + HEAD, head[2]), h->seed);
    memcpy(out->p + at, head, sizeof(head));
    return ERR_OK;
}

/* ---- load ---- */

static bool
is_one_of(const struct pool *p, uint32_t i)
{
    return i <= p->high; /* POOL_NONE too */
}

static bool
host_holds(const struct hosts *h, uint32_t i)
{
    const struct host *host = host_at(h, i);

    if ((host->flags & HOST_IN_USE) == 0)
        return true;
    if (!is_one_of(&h->details, host->detail) ||
        !is_one_of(&h->hosts, host->prev) ||
        !is_one_of(&h->hosts, host->next) || host->due > HOST_MINUTES)
        return false;
    for (size_t s = 0; s < HOST_CUSUMS; s++) {
        if (host->score[s] < 0 || host->score[s] > CUSUM_MAX)
            return false;
    }
    return host->detail == POOL_NONE ||
           ((const struct detail *)pool_at(&h->details, host->detail))->owner ==
               i;
}

static bool
speakers_hold(const struct subkey *v, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (v[i].helo_n > HOST_HELO || v[i].score < 0)
            return false;
    }
    return true;
}

static bool
detail_holds(const struct hosts *h, uint32_t i)
{
    const struct detail *d = pool_at(&h->details, i);
    const struct subkeys *all;

    if (d->owner == POOL_NONE || !is_one_of(&h->hosts, d->owner) ||
        host_at(h, d->owner)->detail != i)
        return true; /* a free one, which nobody names */
    if (!is_one_of(&h->subkeys, d->subkeys) ||
        !is_one_of(&h->pairs, d->pairs) || d->helo_n > HOST_HELO ||
        !sketch_valid(&d->senders, &h->large) ||
        !sketch_valid(&d->helos, &h->large) ||
        !sketch_valid(&d->orgs, &h->large))
        return false;
    if (d->subkeys == POOL_NONE)
        return true;
    all = pool_at(&h->subkeys, d->subkeys);
    return speakers_hold(all->v, HOST_SUBKEYS) &&
           speakers_hold(all->open, HOST_SUBFLOWS) && all->n <= HOST_SUBKEYS &&
           all->n_open <= HOST_SUBFLOWS && all->n_sums < HOST_SUBSUMS;
}

/* Each list of those due ends, and names each host once. */
static bool
due_holds(const struct hosts *h)
{
    uint32_t n = 0;

    for (uint32_t m = 0; m < HOST_MINUTES; m++) {
        uint32_t before = POOL_NONE;

        for (uint32_t i = h->due[m].head; i != POOL_NONE;
             i = host_at(h, i)->next) {
            const struct host *host;

            if (i > h->hosts.high || n++ >= h->n_due)
                return false;
            host = host_at(h, i);
            if (host->due != m + 1 || host->prev != before)
                return false;
            before = i;
        }
        if (h->due[m].tail != before)
            return false;
    }
    return n == h->n_due;
}

static bool
all_hold(const struct hosts *h)
{
    for (uint32_t i = 1; i <= h->hosts.high; i++) {
        if (!host_holds(h, i))
            return false;
    }
    for (uint32_t i = 1; i <= h->details.high; i++) {
        if (!detail_holds(h, i))
            return false;
    }
    return h->hand <= h->hosts.high && h->detail_hand <= h->details.high &&
           due_holds(h);
}

static bool
load_globals(struct hosts *h, struct cursor *in)
{
    struct globals g;
    struct span bytes = cur_take(in, sizeof(g));
    struct span due = cur_take(in, sizeof(h->due));

    if (in->bad)
        return false;
    memcpy(&g, bytes.p, sizeof(g));
    memcpy(h->due, due.p, sizeof(h->due));
    h->minute = g.minute;
    h->now = g.now;
    h->both_sides = g.both_sides;
    h->hand = g.hand;
    h->detail_hand = g.detail_hand;
    h->n_due = g.n_due;
    h->seq = g.seq;
    h->counts = g.counts;
    return true;
}

static enum err
load_all(struct hosts *h, struct cursor *in)
{
    struct pool *pools[] = {&h->hosts, &h->details, &h->subkeys, &h->pairs,
                            &h->large};
    enum err e = load_globals(h, in) ? ERR_OK : ERR_CORRUPT;
    uint64_t n;

    for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(pools); i++)
        e = pool_load(pools[i], in);
    if (e == ERR_OK)
        e = filter_load(&h->seen, in);
    if (e == ERR_OK)
        e = filter_load(&h->hours, in);
    if (e == ERR_OK)
        e = hidden_load(h, in);
    if (e == ERR_OK)
        e = paths_load(h->paths, in);
    if (e != ERR_OK)
        return e;
    n = cur_le64(in);
    e = names_load(h->names, cur_take(in, n));
    if (e != ERR_OK)
        return e;
    if (in->bad || cur_left(in) > 0 || !all_hold(h))
        return ERR_CORRUPT;
    return table_rebuild(h);
}

static enum err
check_head(const struct hosts *h, struct cursor *in)
{
    uint64_t magic = cur_le64(in);
    uint64_t shape = cur_le64(in);
    uint64_t n = cur_le64(in);
    uint64_t sum = cur_le64(in);
    uint64_t version = cur_le64(in);

    if (in->bad || magic != MAGIC || version != VERSION || shape != shape_of(h))
        return ERR_FORMAT;
    if (n != cur_left(in) ||
        hash_span(span_tail(in->in, in->at), h->seed) != sum)
        return ERR_CORRUPT;
    return ERR_OK;
}

/* Into another one first, which takes the place of h when all of it holds. */
enum err
hosts_load(struct hosts *h, struct span snapshot)
{
    struct cursor in = cur_open(snapshot);
    struct hosts *fresh;
    struct hosts old;
    enum err e = check_head(h, &in);

    if (e != ERR_OK)
        return e;
    e = hosts_new(&h->o, &fresh);
    if (e != ERR_OK)
        return e;
    e = load_all(fresh, &in);
    if (e == ERR_OK) {
        old = *h;
        *h = *fresh;
        *fresh = old;
    }
    hosts_free(fresh);
    return e;
}
