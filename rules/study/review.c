#include "rules/study/review.h"

#include "sensor/base/hash.h"

#include <stdlib.h>

#define THIRDS 3U
#define PAIRED 2.0 /* the organisation or the size is the same */

/* Registered is the last bit, so that strata to be paired are neighbours. */
static unsigned
stratum_of(const struct review_host *h)
{
    return ((h->positive * 2U + h->tls) * THIRDS + h->third) * 2U +
           h->registered;
}

struct review_stratum
review_stratum_of(unsigned stratum)
{
    return (struct review_stratum){
        .registered = stratum % 2 != 0,
        .positive = stratum / 2 / THIRDS / 2 != 0,
        .tls = stratum / 2 / THIRDS % 2 != 0,
        .third = stratum / 2 % THIRDS,
    };
}

double
review_likeness(const struct review_message *a, const struct review_message *b)
{
    const unsigned apart = a->hour < b->hour ? (unsigned)(b->hour - a->hour)
                                             : (unsigned)(a->hour - b->hour);
    const unsigned hours =
        apart <= REVIEW_HOURS / 2 ? apart : REVIEW_HOURS - apart;

    return (a->organisation != 0 && a->organisation == b->organisation ? 4
                                                                       : 0) +
           (a->size == b->size ? 2 : 0) +
           (1 - (double)hours / (REVIEW_HOURS / 2.0));
}

unsigned
review_nth(const struct review_host *h, unsigned nth)
{
    if (nth == 0)
        return h->first;
    return nth <= h->first ? nth - 1 : nth;
}

/* ---- order ---- */

struct place {
    uint64_t key;
    size_t i; /* of the host */
    unsigned stratum;
    uint64_t volume;
};

struct draw {
    struct review_host *v;
    struct place *order; /* of the frame, by stratum and key */
    size_t frame;
    size_t begin[REVIEW_STRATA + 1];
    struct review_drawn *out;
};

static int
by_volume(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    return (x->volume > y->volume) - (x->volume < y->volume);
}

static int
by_stratum(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->stratum != y->stratum)
        return x->stratum < y->stratum ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->i > y->i) - (x->i < y->i);
}

static void
find_frame(struct draw *d, size_t n, uint64_t seed)
{
    for (size_t i = 0; i < n; i++) {
        struct review_host *h = &d->v[i];

        h->take = h->first = h->third = h->stratum = 0;
        h->pair = 0;
        h->weight = 0;
        if (h->n > REVIEW_MESSAGES)
            h->n = REVIEW_MESSAGES;
        if (h->n > 0)
            d->order[d->frame++] = (struct place){
                .key = hash_span(span_of(h->addr.b, sizeof(h->addr.b)), seed),
                .i = i,
                .volume = h->volume,
            };
    }
}

/* Hosts of the same volume are in the same third. */
static void
divide(struct draw *d)
{
    uint64_t low = 0, high = 0;
    size_t at = 0;

    if (d->frame > 0) {
        qsort(d->order, d->frame, sizeof(*d->order), by_volume);
        low = d->order[d->frame / THIRDS].volume;
        high = d->order[d->frame * 2 / THIRDS].volume;
    }
    for (size_t i = 0; i < d->frame; i++) {
        struct review_host *h = &d->v[d->order[i].i];

        h->third = h->volume < low ? 0 : h->volume < high ? 1 : 2;
        h->stratum = d->order[i].stratum = stratum_of(h);
        d->out->of[h->stratum]++;
    }
    if (d->frame > 0)
        qsort(d->order, d->frame, sizeof(*d->order), by_stratum);
    for (unsigned s = 0; s <= REVIEW_STRATA; s++) {
        d->begin[s] = at;
        at += s < REVIEW_STRATA ? d->out->of[s] : 0;
    }
}

/* ---- who is drawn ---- */

/* One more of the stratum; false: all of it are drawn. */
static bool
take_one(struct draw *d, unsigned s)
{
    struct review_drawn *out = d->out;

    if (out->drawn[s] == out->of[s])
        return false;
    d->v[d->order[d->begin[s] + out->drawn[s]++].i].take = 1;
    out->hosts++;
    out->messages++;
    return true;
}

static void
take_hosts(struct draw *d, size_t sample)
{
    bool some = true;

    while (some && d->out->messages < sample) {
        some = false;
        for (unsigned s = 0; s < REVIEW_STRATA; s++) {
            if (d->out->messages < sample)
                some |= take_one(d, s);
        }
    }
}

/* A second, third, ... of those of the largest third, in turn. */
static void
take_more(struct draw *d, size_t sample)
{
    for (unsigned nth = 1; nth < REVIEW_MESSAGES; nth++) {
        for (size_t i = 0; i < d->frame && d->out->messages < sample; i++) {
            struct review_host *h = &d->v[d->order[i].i];

            if (h->third + 1 < THIRDS || h->take != nth || h->n <= nth)
                continue;
            h->take++;
            d->out->messages++;
        }
    }
}

static void
weigh(struct draw *d)
{
    for (size_t i = 0; i < d->frame; i++) {
        struct review_host *h = &d->v[d->order[i].i];

        if (h->take > 0)
            h->weight = (double)d->out->of[h->stratum] /
                        (double)d->out->drawn[h->stratum];
    }
}

/* ---- pairs ---- */

/* The free one among those of stratum s that is most alike; NULL: none is. */
static struct review_host *
find_pair(const struct draw *d, const struct review_host *h, unsigned s,
          size_t from, unsigned *which)
{
    struct review_host *best = NULL;
    double most = PAIRED;
    unsigned looked = 0;

    for (size_t i = from; i < d->out->drawn[s] && looked < REVIEW_NEAR; i++) {
        struct review_host *other = &d->v[d->order[d->begin[s] + i].i];

        if (other->pair != 0)
            continue;
        looked++;
        for (unsigned k = 0; k < other->n; k++) {
            const double alike =
                review_likeness(&h->messages[0], &other->messages[k]);

            if (alike < most || (best != NULL && alike <= most))
                continue;
            most = alike;
            best = other;
            *which = k;
        }
    }
    return best;
}

static size_t
first_free(const struct draw *d, unsigned s, size_t from)
{
    while (from < d->out->drawn[s] &&
           d->v[d->order[d->begin[s] + from].i].pair != 0)
        from++;
    return from;
}

static void
pair_up(struct draw *d)
{
    for (unsigned s = 0; s < REVIEW_STRATA; s += 2) {
        size_t from = 0;

        for (size_t i = 0; i < d->out->drawn[s]; i++) {
            struct review_host *h = &d->v[d->order[d->begin[s] + i].i];
            struct review_host *other;
            unsigned which = 0;

            from = first_free(d, s + 1, from);
            other = find_pair(d, h, s + 1, from, &which);
            if (other == NULL)
                continue;
            h->pair = other->pair = (uint32_t)++d->out->pairs;
            other->first = which;
        }
    }
}

enum err
review_draw(struct review_host *v, size_t n, size_t sample, uint64_t seed,
            struct review_drawn *out)
{
    struct draw d = {.v = v, .out = out};

    *out = (struct review_drawn){0};
    if (n > REVIEW_HOSTS)
        return ERR_LIMIT;
    d.order = calloc(n + 1, sizeof(*d.order));
    if (d.order == NULL)
        return ERR_NOMEM;
    find_frame(&d, n, seed);
    out->frame = d.frame;
    divide(&d);
    take_hosts(&d, sample);
    weigh(&d);
    pair_up(&d);
    take_more(&d, sample);
    free(d.order);
    return ERR_OK;
}
