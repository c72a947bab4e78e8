#include "rules/host/subkey.h"

#include "rules/host/stat.h"
#include "sensor/base/hash.h"

static struct subkeys *
all_of(const struct hosts *h, const struct detail *d)
{
    return d->subkeys != POOL_NONE ? pool_at(&h->subkeys, d->subkeys) : NULL;
}

/* The entry of that name and dialect. While a name has one entry only, that
 * one, where either dialect is not known. */
static struct subkey *
find(struct subkeys *all, uint64_t helo, uint64_t dialect)
{
    struct subkey *only = NULL;
    uint32_t n = 0;

    for (uint32_t i = 0; i < all->n; i++) {
        struct subkey *s = &all->v[i];

        if (s->helo_hash != helo)
            continue;
        if (s->dialect == dialect)
            return s;
        n++;
        only = s->dialect == 0 || dialect == 0 ? s : NULL;
    }
    return n == 1 ? only : NULL;
}

static struct subsum *
sum_of(struct subkeys *all, uint64_t dialect)
{
    for (uint32_t i = 0; i < all->n_sums; i++) {
        if (all->sums[i].dialect == dialect)
            return &all->sums[i];
    }
    if (all->n_sums == HOST_SUBSUMS - 1)
        return &all->sums[HOST_SUBSUMS - 1];
    all->sums[all->n_sums].dialect = dialect;
    return &all->sums[all->n_sums++];
}

static uint32_t
plus(uint32_t a, uint32_t b)
{
    return b > UINT32_MAX - a ? UINT32_MAX : a + b;
}

static void
fold(struct subkeys *all, const struct subkey *s)
{
    struct subsum *sum = sum_of(all, s->dialect);

    sum->accepted = plus(sum->accepted, s->accepted);
    sum->n = plus(sum->n, s->n);
    sum->bad = plus(sum->bad, s->bad);
    sum->speakers = plus(sum->speakers, 1);
}

static struct subkey *
idle_longest(struct subkey *v, uint32_t n)
{
    struct subkey *old = v;

    for (uint32_t i = 1; i < n; i++) {
        if (v[i].last < old->last)
            old = &v[i];
    }
    return old;
}

static struct subkey *
fresh(struct subkeys *all)
{
    struct subkey *old;

    if (all->n < HOST_SUBKEYS)
        return &all->v[all->n++];
    old = idle_longest(all->v, all->n);
    fold(all, old);
    return old;
}

/* Without figures, of the name that the host gave last. */
static struct subkey
named(const struct detail *d, ns_t now)
{
    struct subkey s = {
        .helo_hash = d->helo_hash, .helo_n = d->helo_n, .last = now};

    memcpy(s.helo, d->helo, sizeof(s.helo));
    return s;
}

/* ---- connections ---- */

/* Runs of a CUSUM follow one another: from a score it comes to that score and
 * all steps of the run, or, where that fell to the floor, to what the run makes
 * of 0. */
static int32_t
after(int32_t score, const struct subkey *run)
{
    int64_t sum = (int64_t)score + run->moved;

    if (sum < run->score)
        return run->score;
    return sum > CUSUM_MAX ? CUSUM_MAX : (int32_t)sum;
}

/* To the speaker of that dialect. */
static void
settle(struct subkeys *all, const struct subkey *run, uint64_t dialect)
{
    struct subkey *s = find(all, run->helo_hash, dialect);

    if (s == NULL) {
        s = fresh(all);
        *s = *run;
        s->flow = 0;
        s->dialect = dialect;
        return;
    }
    if (dialect != 0)
        s->dialect = dialect;
    s->accepted = plus(s->accepted, run->accepted);
    s->n = plus(s->n, run->n);
    s->bad = plus(s->bad, run->bad);
    s->score = after(s->score, run);
    if (run->last > s->last)
        s->last = run->last;
}

static struct subkey *
open_of(struct subkeys *all, const struct detail *d, const struct scene *s)
{
    struct subkey *run;

    for (uint32_t i = 0; i < all->n_open; i++) {
        run = &all->open[i];
        if (run->flow == s->flow && run->helo_hash == d->helo_hash)
            return run;
    }
    if (all->n_open < HOST_SUBFLOWS)
        run = &all->open[all->n_open++];
    else {
        run = idle_longest(all->open, all->n_open);
        settle(all, run, 0);
    }
    *run = named(d, s->now);
    run->flow = s->flow;
    return run;
}

/* There is a second one: the first gets what the host had so far. */
static struct subkeys *
begin(struct hosts *h, const struct host *host, struct detail *d)
{
    struct subkeys *all;
    struct subkey *first;

    d->subkeys = pool_take(&h->subkeys);
    all = all_of(h, d);
    if (all == NULL)
        return NULL;
    first = fresh(all);
    *first = named(d, host->last);
    first->dialect = d->dialect[0];
    first->accepted = host->accepted;
    first->n = host->s1_n;
    first->bad = host->s1_bad;
    first->score = host->score[HOST_S1];
    return all;
}

static void
set_name(struct detail *d, struct span helo, uint64_t hash)
{
    struct span kept = span_head(helo, HOST_HELO);

    d->helo_hash = hash;
    d->helo_n = (uint8_t)kept.n;
    memset(d->helo, 0, sizeof(d->helo));
    memcpy(d->helo, kept.p, kept.n);
}

struct subkey *
subkey_use(struct hosts *h, const struct host *host, struct detail *d,
           struct span helo, const struct scene *s)
{
    struct subkeys *all = all_of(h, d);
    struct subkey *run;
    uint64_t hash;

    if (helo.n == 0)
        return NULL;
    hash = hash_span(helo, h->seed) | 1;
    if (d->helo_hash != hash) {
        if (all == NULL && d->helo_hash != 0)
            all = begin(h, host, d);
        sketch_add(&d->helos, &h->large, hash);
        set_name(d, helo, hash);
    }
    if (all == NULL)
        return NULL;
    run = open_of(all, d, s);
    run->last = s->now;
    return run;
}

void
subkey_verdict(struct subkey *s, const struct cusum_steps *steps, bool bad)
{
    int64_t moved = (int64_t)s->moved + (bad ? steps->up : steps->down);

    s->n = plus(s->n, 1);
    s->bad = plus(s->bad, bad);
    s->score = cusum_next(steps, s->score, bad);
    s->moved = moved > CUSUM_MAX    ? CUSUM_MAX
               : moved < -CUSUM_MAX ? -CUSUM_MAX
                                    : (int32_t)moved;
}

uint64_t
subkey_score(const struct hosts *h, const struct host *host,
             const struct subsum *sum)
{
    struct cusum_steps steps = stat_steps(h, host, HOST_S1);
    uint32_t bad = sum->bad < sum->n ? sum->bad : sum->n;
    int64_t score =
        (int64_t)bad * steps.up + (int64_t)(sum->n - bad) * steps.down;

    if (score < 0)
        return 0;
    return score > CUSUM_MAX ? CUSUM_MAX : (uint64_t)score;
}

void
subkey_end(struct hosts *h, const struct host *host, struct detail *d,
           uint64_t dialect, const struct scene *s)
{
    struct subkeys *all = all_of(h, d);

    if (d->helo_hash == 0)
        return;
    if (all == NULL && dialect != 0 && d->dialect[0] != 0 &&
        d->dialect[0] != dialect) {
        all = begin(h, host, d);
        if (all != NULL)
            (void)open_of(all, d, s);
    }
    if (all == NULL)
        return;
    for (uint32_t i = all->n_open; i-- > 0;) {
        if (all->open[i].flow != s->flow)
            continue;
        settle(all, &all->open[i], dialect);
        all->open[i] = all->open[--all->n_open];
    }
}
