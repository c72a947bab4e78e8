#include "rules/host/queueing.h"

#include "sensor/base/hash.h"

static bool
is_old(ns_t since, ns_t now, uint64_t ns)
{
    return now >= since && now - since >= ns;
}

static struct pairs *
pairs_of(const struct hosts *h, const struct detail *d)
{
    return d->pairs != POOL_NONE ? pool_at(&h->pairs, d->pairs) : NULL;
}

bool
queueing_offer(struct hosts *h, const struct detail *d, uint64_t pair,
               uint64_t flow, ns_t now)
{
    struct pairs *p = pairs_of(h, d);

    for (size_t i = 0; p != NULL && i < HOST_PAIRS && p->key[i] != 0; i++) {
        if (p->key[i] != pair)
            continue;
        if (p->retried[i] != 0 || p->flow[i] == flow ||
            !is_old(p->first[i], now, HOST_LIMIT_NS(retry_least_s)))
            return false;
        p->retried[i] = now;
        return true;
    }
    return false;
}

/* Where a new pair goes: a free or expired place, else that of the highest
 * hash; HOST_PAIRS when it is known, or itself the highest. */
static size_t
place_for(const struct pairs *p, uint64_t pair, ns_t now)
{
    size_t at = HOST_PAIRS;
    uint64_t highest = pair;

    for (size_t i = 0; i < HOST_PAIRS; i++) {
        uint64_t key = p->key[i];

        if (key == pair)
            return HOST_PAIRS;
        if (key != 0 && is_old(p->first[i], now, HOST_LIMIT_NS(pair_s)))
            key = 0;
        if (key == 0)
            key = UINT64_MAX;
        if (key > highest) {
            highest = key;
            at = i;
        }
    }
    return at;
}

void
queueing_defer(struct hosts *h, struct detail *d, uint64_t pair, uint64_t flow,
               ns_t now)
{
    struct pairs *p;
    size_t i;

    if (d->pairs == POOL_NONE)
        d->pairs = pool_take(&h->pairs);
    p = pairs_of(h, d);
    if (p == NULL)
        return;
    i = place_for(p, pair, now);
    if (i == HOST_PAIRS)
        return;
    p->key[i] = pair;
    p->flow[i] = flow;
    p->first[i] = now;
    p->retried[i] = 0;
}

struct queueing_sum
queueing_sum(const struct hosts *h, const struct detail *d, ns_t now)
{
    const struct pairs *p = pairs_of(h, d);
    struct queueing_sum sum = {0};

    for (size_t i = 0; p != NULL && i < HOST_PAIRS && p->key[i] != 0; i++) {
        bool retried = p->retried[i] != 0;
        bool ripe = retried || is_old(p->first[i], now, HOST_LIMIT_NS(ripe_s));

        if (is_old(p->first[i], now, HOST_LIMIT_NS(pair_s)))
            continue;
        sum.deferred++;
        sum.retried += retried;
        sum.ripe += ripe;
        sum.settled +=
            retried || is_old(p->first[i], now, HOST_LIMIT_NS(retry_grace_s));
        sum.waits |= !ripe;
    }
    return sum;
}

/* ---- serving, and its name ---- */

/* The name that a banner gives: "220 mx.example ESMTP". */
static struct span
banner_name(struct span banner)
{
    struct span rest = span_trim(span_tail(banner, 4));

    return span_head(rest, span_find(rest, ' '));
}

void
queueing_served(const struct hosts *h, struct detail *d, struct span banner)
{
    uint64_t name = hash_span(banner_name(banner), h->seed) | 1;

    if (d->banner != name)
        d->banner_n = 0;
    d->banner = name;
    d->flags |= DETAIL_ASK;
    d->banner_n += d->banner_n < UINT32_MAX;
}

void
queueing_name(const struct hosts *h, const struct host *host, struct detail *d,
              struct span helo, ns_t now)
{
    if (helo.n == 0)
        return;
    if (!names_is(h->names, &host->addr, helo, now))
        d->name_since = 0;
    else if (d->name_since == 0)
        d->name_since = now;
}

static bool
retries(const struct hosts *h, const struct detail *d, ns_t now)
{
    struct queueing_sum sum;

    if (d->pairs == POOL_NONE)
        return false;
    sum = queueing_sum(h, d, now);
    return sum.settled >= HOST_LIMIT(retry_pairs) &&
           sum.retried * 100 >= sum.settled * HOST_LIMIT(retry_percent);
}

uint32_t
queueing_why(const struct hosts *h, const struct detail *d, ns_t now)
{
    uint32_t why = 0;

    if (retries(h, d, now))
        why |= 1U << QUEUEING_RETRIES;
    if (d->banner_n >= HOST_LIMIT(serves_sessions))
        why |= 1U << QUEUEING_SERVES;
    if (d->name_since != 0 && is_old(d->name_since, now, HOST_LIMIT_NS(name_s)))
        why |= 1U << QUEUEING_NAME;
    return why;
}

/* ---- the chance to be seen ---- */

void
queueing_read(struct detail *d, bool bulk)
{
    d->n_read += d->n_read < UINT32_MAX;
    d->n_bulk += bulk && d->n_bulk < UINT32_MAX;
}

static bool
looks_like_server(const struct detail *d)
{
    return d->name_since != 0 ||
           (d->n_bulk > 0 &&
            (uint64_t)d->n_bulk * 100 >=
                (uint64_t)d->n_read * HOST_LIMIT(list_percent));
}

void
queueing_looks(struct detail *d, ns_t now)
{
    if (d->like_since == 0 && looks_like_server(d))
        d->like_since = now;
}

/* Was it seen not to try again? Some retries are a queue's, if a lame one; bots
 * that deliver by themselves make none. */
static bool
had_its_chance(const struct queueing_sum *sum, ns_t since, ns_t now)
{
    bool some = sum->retried >= HOST_LIMIT(retry_pairs) &&
                sum->retried * 100 >= sum->settled * HOST_LIMIT(some_percent);

    return !some && (sum->settled >= HOST_LIMIT(retry_pairs) ||
                     is_old(since, now, HOST_LIMIT_NS(chance_s)));
}

bool
queueing_open(const struct hosts *h, const struct detail *d, ns_t now)
{
    struct queueing_sum sum;

    if (d->like_since == 0 || !looks_like_server(d))
        return false;
    sum = queueing_sum(h, d, now);
    return !had_its_chance(&sum, d->like_since, now);
}

const char *
queueing_word(enum queueing_why w)
{
    static const char *const words[] = {"retries", "serves_mail",
                                        "stable_name"};

    return words[w];
}
