#include "rules/host/subkey.h"

#include "rules/host/stat.h"
#include "sensor/base/hash.h"

static struct subkeys *
all_of(const struct hosts *h, const struct detail *d)
{
    return d->subkeys != POOL_NONE ? pool_at(&h->subkeys, d->subkeys) : NULL;
}

/* The entry of that name used last, or NULL; of that dialect, or of one not
 * yet known, when dialect is not 0. */
static struct subkey *
find(struct subkeys *all, uint64_t helo, uint64_t dialect)
{
    struct subkey *best = NULL;

    for (uint32_t i = 0; i < all->n; i++) {
        struct subkey *s = &all->v[i];

        if (s->helo_hash != helo ||
            (dialect != 0 && s->dialect != 0 && s->dialect != dialect))
            continue;
        if (best == NULL || s->last > best->last)
            best = s;
    }
    return best;
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
fresh(struct subkeys *all)
{
    struct subkey *old = &all->v[0];

    if (all->n < HOST_SUBKEYS)
        return &all->v[all->n++];
    for (uint32_t i = 1; i < all->n; i++) {
        if (all->v[i].last < old->last)
            old = &all->v[i];
    }
    fold(all, old);
    memset(old, 0, sizeof(*old));
    return old;
}

static struct subkey *
add(struct subkeys *all, const struct detail *d, uint64_t dialect, ns_t now)
{
    struct subkey *s = fresh(all);

    s->helo_hash = d->helo_hash;
    s->helo_n = d->helo_n;
    memcpy(s->helo, d->helo, sizeof(s->helo));
    s->dialect = dialect;
    s->last = now;
    return s;
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
    first = add(all, d, d->dialect[0], host->last);
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
           struct span helo, ns_t now)
{
    struct subkeys *all = all_of(h, d);
    uint64_t hash;
    struct subkey *s;

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
    s = find(all, hash, 0);
    if (s == NULL)
        s = add(all, d, 0, now);
    s->last = now;
    return s;
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
subkey_dialect(struct hosts *h, const struct host *host, struct detail *d,
               uint64_t dialect, ns_t now)
{
    struct subkeys *all = all_of(h, d);
    struct subkey *s;

    if (d->helo_hash == 0)
        return;
    if (all == NULL && d->dialect[0] != 0 && d->dialect[0] != dialect)
        all = begin(h, host, d);
    if (all == NULL)
        return;
    s = find(all, d->helo_hash, dialect);
    if (s == NULL)
        s = add(all, d, dialect, now);
    s->dialect = dialect;
    s->last = now;
}
