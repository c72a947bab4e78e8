#include "rules/sigma/sigma_window.h"

#include "rules/sigma/sigma_match.h"
#include "sensor/base/frame.h"
#include "sensor/base/hash.h"

#include <math.h>

#define NONE       0U   /* index 0 of both pools is not used */
#define NUMBER_MAX 1e15 /* of value_sum and the like */
#define GROUP_TEXT 512U /* bytes of one group value that are kept */
#define LATE_STEPS 64U  /* how far back a late event looks for its place */
#define IDLE_STEPS 4U   /* buckets without life that go when one comes */

struct event {
    ns_t when;
    union {
        uint64_t hash;
        double number;
    } value;
    uint32_t before, after; /* in the bucket, by time */
    uint32_t chain;         /* in the table of values */
    uint32_t bucket;
};

struct bucket {
    uint64_t key;
    uint32_t chain;         /* in the table of buckets, or free list */
    uint32_t idler, busier; /* by last event */
    uint32_t older, newer;  /* by first event */
    uint32_t head, tail, n; /* events */
    uint64_t count;         /* where no events are kept */
    long double sum;
    ns_t opened, last, fired_at;
    bool fired;
    uint16_t group_n[SIGMA_GROUP_MAX];
    uint32_t room; /* bytes at text */
    uint8_t *text; /* group values, one behind the other */
    ns_t *seen;    /* of temporal: per ref, time + 1; of ordered: starts too */
};

struct sigma_window {
    const struct sigma_corr *c;
    uint64_t seed, memory;
    uint32_t buckets_max, events_max, bucket_max;
    struct bucket *b;
    uint32_t n_b, cap_b, free_b;
    struct event *e;
    uint32_t n_e, cap_e, free_e;
    uint32_t *by_key, mask_key; /* heads of chains */
    uint32_t *by_value, mask_value;
    uint32_t idlest, busiest, oldest, newest;
    double *sorted; /* room of percentiles */
};

static uint32_t
power_of_two(uint32_t n)
{
    uint32_t p = 16;

    while (p < n && p < 1U << 31)
        p *= 2;
    return p;
}

static uint32_t
least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static bool
keeps_events(const struct sigma_corr *c)
{
    switch (c->type) {
    case SIGMA_TEMPORAL:
    case SIGMA_TEMPORAL_ORDERED: return false;
    case SIGMA_VALUE_COUNT:
    case SIGMA_VALUE_PERCENTILE:
    case SIGMA_VALUE_MEDIAN: return true;
    case SIGMA_EVENT_COUNT:
    case SIGMA_VALUE_SUM:
    case SIGMA_VALUE_AVG: break;
    }
    return !c->at_end;
}

/* A threshold above the maximum of one bucket could never be met. */
static uint32_t
bucket_max(const struct sigma_corr *c, const struct sigma_limits *l)
{
    double want = l->window;

    for (uint32_t i = 0; i < c->n_tests; i++) {
        if ((c->type == SIGMA_EVENT_COUNT || c->type == SIGMA_VALUE_COUNT) &&
            c->test[i].value + 1 > want)
            want = c->test[i].value + 1;
    }
    return want < l->events ? (uint32_t)want : l->events;
}

static void *
charge(struct sigma_window *w, size_t count, size_t size)
{
    void *p = calloc(count, size);

    w->memory += p != NULL ? count * size : 0;
    return p;
}

enum err
sigma_window_new(const struct sigma_corr *c, const struct sigma_limits *limits,
                 uint64_t seed, struct sigma_window **out)
{
    struct sigma_window *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return ERR_NOMEM;
    w->c = c;
    w->seed = seed;
    w->buckets_max = limits->buckets > 0 ? limits->buckets : 1;
    w->events_max = limits->events > 0 ? limits->events : 1;
    w->bucket_max = bucket_max(c, limits);
    w->cap_b = w->cap_e = 16;
    w->n_b = w->n_e = 1;
    w->mask_key = w->mask_value = 15;
    w->b = charge(w, w->cap_b, sizeof(*w->b));
    w->e = charge(w, w->cap_e, sizeof(*w->e));
    w->by_key = charge(w, 16, sizeof(*w->by_key));
    w->by_value = charge(w, 16, sizeof(*w->by_value));
    if (w->b == NULL || w->e == NULL || w->by_key == NULL ||
        w->by_value == NULL) {
        sigma_window_free(w);
        return ERR_NOMEM;
    }
    *out = w;
    return ERR_OK;
}

void
sigma_window_free(struct sigma_window *w)
{
    if (w == NULL)
        return;
    for (uint32_t i = 0; w->b != NULL && i < w->n_b; i++) {
        free(w->b[i].text);
        free(w->b[i].seen);
    }
    free(w->b);
    free(w->e);
    free(w->by_key);
    free(w->by_value);
    free(w->sorted);
    free(w);
}

void
sigma_window_use(struct sigma_window *w, const struct sigma_corr *c)
{
    w->c = c;
}

/* ---- pools ---- */

/* Twice the room for one of the pools, or NULL. */
static void *
grow(struct sigma_window *w, void *p, uint32_t *cap, size_t size)
{
    void *grown = realloc(p, 2 * (size_t)*cap * size);

    if (grown == NULL)
        return NULL;
    memset((char *)grown + *cap * size, 0, *cap * size);
    w->memory += *cap * size;
    *cap *= 2;
    return grown;
}

static void
rehash_keys(struct sigma_window *w)
{
    uint32_t cap = power_of_two(w->cap_b);
    uint32_t *heads;

    if (cap <= w->mask_key + 1)
        return;
    heads = calloc(cap, sizeof(*heads));
    if (heads == NULL)
        return;
    for (uint32_t h = 0; h <= w->mask_key; h++) {
        for (uint32_t i = w->by_key[h], next; i != NONE; i = next) {
            uint32_t *head = &heads[w->b[i].key & (cap - 1)];

            next = w->b[i].chain;
            w->b[i].chain = *head;
            *head = i;
        }
    }
    w->memory += (cap - w->mask_key - 1) * sizeof(*heads);
    free(w->by_key);
    w->by_key = heads;
    w->mask_key = cap - 1;
}

static uint32_t
value_slot(uint32_t mask, uint32_t bucket, uint64_t hash)
{
    return (uint32_t)hash_mix(hash, bucket) & mask;
}

static void
rehash_values(struct sigma_window *w)
{
    uint32_t cap = power_of_two(w->cap_e);
    uint32_t *heads;

    if (w->c->type != SIGMA_VALUE_COUNT || cap <= w->mask_value + 1)
        return;
    heads = calloc(cap, sizeof(*heads));
    if (heads == NULL)
        return;
    for (uint32_t h = 0; h <= w->mask_value; h++) {
        for (uint32_t i = w->by_value[h], next; i != NONE; i = next) {
            uint32_t *head =
                &heads[value_slot(cap - 1, w->e[i].bucket, w->e[i].value.hash)];

            next = w->e[i].chain;
            w->e[i].chain = *head;
            *head = i;
        }
    }
    w->memory += (cap - w->mask_value - 1) * sizeof(*heads);
    free(w->by_value);
    w->by_value = heads;
    w->mask_value = cap - 1;
}

static void
grow_buckets(struct sigma_window *w)
{
    struct bucket *grown = grow(w, w->b, &w->cap_b, sizeof(*grown));

    if (grown == NULL)
        return;
    w->b = grown;
    rehash_keys(w);
}

static void
grow_events(struct sigma_window *w)
{
    struct event *grown = grow(w, w->e, &w->cap_e, sizeof(*grown));

    if (grown == NULL)
        return;
    w->e = grown;
    rehash_values(w);
}

/* ---- events of a bucket ---- */

static void
unchain_value(struct sigma_window *w, uint32_t i)
{
    uint32_t *at = &w->by_value[value_slot(w->mask_value, w->e[i].bucket,
                                           w->e[i].value.hash)];

    while (*at != i)
        at = &w->e[*at].chain;
    *at = w->e[i].chain;
}

static void
chain_value(struct sigma_window *w, uint32_t i)
{
    uint32_t *head = &w->by_value[value_slot(w->mask_value, w->e[i].bucket,
                                             w->e[i].value.hash)];

    w->e[i].chain = *head;
    *head = i;
}

static void
unlink_event(struct sigma_window *w, struct bucket *b, uint32_t i)
{
    struct event *e = &w->e[i];

    if (e->before != NONE)
        w->e[e->before].after = e->after;
    else
        b->head = e->after;
    if (e->after != NONE)
        w->e[e->after].before = e->before;
    else
        b->tail = e->before;
    b->n--;
}

static void
drop_event(struct sigma_window *w, struct bucket *b, uint32_t i)
{
    if (w->c->type == SIGMA_VALUE_COUNT)
        unchain_value(w, i);
    else
        b->sum -= w->e[i].value.number;
    unlink_event(w, b, i);
    w->e[i].after = w->free_e;
    w->free_e = i;
    if (b->n == 0)
        b->sum = 0;
}

static void
place_event(struct sigma_window *w, struct bucket *b, uint32_t i,
            uint32_t before)
{
    struct event *e = &w->e[i];

    e->before = before;
    e->after = before != NONE ? w->e[before].after : b->head;
    if (e->before != NONE)
        w->e[e->before].after = i;
    else
        b->head = i;
    if (e->after != NONE)
        w->e[e->after].before = i;
    else
        b->tail = i;
    b->n++;
}

/* By time; a late one looks for its place from the end. */
static void
link_event(struct sigma_window *w, struct bucket *b, uint32_t i)
{
    uint32_t before = b->tail;
    ns_t when = w->e[i].when;

    for (unsigned k = 0;
         before != NONE && w->e[before].when > when && k < LATE_STEPS; k++)
        before = w->e[before].before;
    place_event(w, b, i, before);
}

static void
expire(struct sigma_window *w, struct bucket *b)
{
    while (b->head != NONE && b->last > w->e[b->head].when &&
           b->last - w->e[b->head].when > w->c->timespan)
        drop_event(w, b, b->head);
}

/* ---- buckets ---- */

static size_t
seen_bytes(const struct sigma_corr *c)
{
    return (size_t)c->n_refs * 2 * sizeof(ns_t);
}

static void
unlink_bucket(struct sigma_window *w, uint32_t i)
{
    struct bucket *b = &w->b[i];
    uint32_t *at = &w->by_key[b->key & w->mask_key];

    while (*at != i)
        at = &w->b[*at].chain;
    *at = b->chain;
    *(b->idler != NONE ? &w->b[b->idler].busier : &w->idlest) = b->busier;
    *(b->busier != NONE ? &w->b[b->busier].idler : &w->busiest) = b->idler;
    *(b->older != NONE ? &w->b[b->older].newer : &w->oldest) = b->newer;
    *(b->newer != NONE ? &w->b[b->newer].older : &w->newest) = b->older;
}

static void
drop_bucket(struct sigma_window *w, uint32_t i)
{
    struct bucket *b = &w->b[i];

    while (b->head != NONE)
        drop_event(w, b, b->head);
    unlink_bucket(w, i);
    w->memory -= b->room;
    w->memory -= b->seen != NULL ? seen_bytes(w->c) : 0;
    free(b->text);
    free(b->seen);
    *b = (struct bucket){.chain = w->free_b};
    w->free_b = i;
}

static void
drop_idle(struct sigma_window *w, ns_t now)
{
    for (unsigned k = 0; k < IDLE_STEPS && w->idlest != NONE; k++) {
        const struct bucket *b = &w->b[w->idlest];

        if (w->c->at_end || b->last >= now || now - b->last <= w->c->timespan)
            return;
        drop_bucket(w, w->idlest);
    }
}

static void
make_busiest(struct sigma_window *w, uint32_t i)
{
    struct bucket *b = &w->b[i];

    if (w->busiest == i)
        return;
    *(b->idler != NONE ? &w->b[b->idler].busier : &w->idlest) = b->busier;
    w->b[b->busier].idler = b->idler;
    b->idler = w->busiest;
    b->busier = NONE;
    w->b[w->busiest].busier = i;
    w->busiest = i;
}

static uint32_t
take_bucket(struct sigma_window *w, struct sigma_counts *counts)
{
    uint32_t i = w->free_b;

    if (i == NONE && w->n_b == w->cap_b && w->n_b <= w->buckets_max)
        grow_buckets(w);
    if (i == NONE && w->n_b < w->cap_b && w->n_b <= w->buckets_max)
        return w->n_b++;
    if (i == NONE && w->idlest != NONE) {
        drop_bucket(w, w->idlest);
        counts->buckets_evicted++;
        i = w->free_b;
    }
    if (i != NONE)
        w->free_b = w->b[i].chain;
    return i;
}

static bool
keep_group(struct sigma_window *w, struct bucket *b, const struct sigma_feed *f)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->c->n_group; i++) {
        b->group_n[i] = (uint16_t)span_head(f->group[i], GROUP_TEXT).n;
        n += b->group_n[i];
    }
    b->text = malloc(n > 0 ? n : 1);
    if (b->text == NULL)
        return false;
    b->room = n;
    n = 0;
    for (uint32_t i = 0; i < w->c->n_group; i++) {
        if (b->group_n[i] > 0)
            memcpy(b->text + n, f->group[i].p, b->group_n[i]);
        n += b->group_n[i];
    }
    if (keeps_events(w->c) ||
        (w->c->type != SIGMA_TEMPORAL && w->c->type != SIGMA_TEMPORAL_ORDERED))
        return true;
    b->seen = calloc(1, seen_bytes(w->c));
    return b->seen != NULL;
}

static void
link_bucket(struct sigma_window *w, uint32_t i)
{
    struct bucket *b = &w->b[i];

    b->chain = w->by_key[b->key & w->mask_key];
    w->by_key[b->key & w->mask_key] = i;
    b->idler = w->busiest;
    *(w->busiest != NONE ? &w->b[w->busiest].busier : &w->idlest) = i;
    w->busiest = i;
    b->older = w->newest;
    *(w->newest != NONE ? &w->b[w->newest].newer : &w->oldest) = i;
    w->newest = i;
    w->memory += b->room;
    w->memory += b->seen != NULL ? seen_bytes(w->c) : 0;
}

static uint32_t
make_bucket(struct sigma_window *w, uint64_t key, const struct sigma_feed *f,
            struct sigma_counts *counts)
{
    uint32_t i = take_bucket(w, counts);

    if (i == NONE)
        return NONE;
    w->b[i] = (struct bucket){.key = key, .opened = f->when, .last = f->when};
    if (!keep_group(w, &w->b[i], f)) {
        free(w->b[i].text);
        w->b[i] = (struct bucket){.chain = w->free_b};
        w->free_b = i;
        return NONE;
    }
    link_bucket(w, i);
    return i;
}

static uint32_t
open_bucket(struct sigma_window *w, uint64_t key, const struct sigma_feed *f,
            struct sigma_counts *counts)
{
    drop_idle(w, f->when);
    return make_bucket(w, key, f, counts);
}

static uint32_t
find_bucket(struct sigma_window *w, const struct sigma_feed *f,
            struct sigma_counts *counts)
{
    uint64_t key = w->seed;
    uint32_t i;

    for (uint32_t k = 0; k < w->c->n_group; k++)
        key = hash_mix(key, hash_span(f->group[k], w->seed));
    i = w->by_key[key & w->mask_key];
    while (i != NONE && w->b[i].key != key)
        i = w->b[i].chain;
    if (i == NONE)
        return open_bucket(w, key, f, counts);
    make_busiest(w, i);
    if (w->b[i].last < f->when)
        w->b[i].last = f->when;
    return i;
}

/* ---- taking an event in ---- */

/* Room for one more event, at the cost of the oldest of this bucket, or of the
 * idlest bucket. */
static uint32_t
take_event(struct sigma_window *w, uint32_t bucket, struct sigma_counts *counts)
{
    struct bucket *b = &w->b[bucket];
    uint32_t i;

    if (b->n >= w->bucket_max) {
        drop_event(w, b, b->head);
        counts->events_evicted++;
    }
    if (w->free_e == NONE && w->n_e == w->cap_e && w->n_e <= w->events_max)
        grow_events(w);
    if (w->free_e == NONE && w->n_e < w->cap_e && w->n_e <= w->events_max)
        return w->n_e++;
    if (w->free_e == NONE && w->idlest != bucket && w->idlest != NONE) {
        counts->events_evicted += w->b[w->idlest].n;
        counts->buckets_evicted++;
        drop_bucket(w, w->idlest);
    }
    if (w->free_e == NONE && b->head != NONE) {
        drop_event(w, b, b->head);
        counts->events_evicted++;
    }
    i = w->free_e;
    if (i != NONE)
        w->free_e = w->e[i].after;
    return i;
}

static void
add_number(struct sigma_window *w, uint32_t bucket, const struct sigma_feed *f,
           struct sigma_counts *counts)
{
    uint32_t i = take_event(w, bucket, counts);

    if (i == NONE)
        return;
    w->e[i] = (struct event){.when = f->when, .bucket = bucket};
    w->e[i].value.number = f->number;
    w->b[bucket].sum += f->number;
    link_event(w, &w->b[bucket], i);
}

static void
add_value(struct sigma_window *w, uint32_t bucket, uint64_t hash, ns_t when,
          struct sigma_counts *counts)
{
    uint32_t i = w->by_value[value_slot(w->mask_value, bucket, hash)];

    while (i != NONE &&
           (w->e[i].bucket != bucket || w->e[i].value.hash != hash))
        i = w->e[i].chain;
    if (i != NONE) {
        /* the newest time of a value counts */
        if (w->e[i].when < when) {
            unlink_event(w, &w->b[bucket], i);
            w->e[i].when = when;
            link_event(w, &w->b[bucket], i);
        }
        return;
    }
    i = take_event(w, bucket, counts);
    if (i == NONE)
        return;
    w->e[i] = (struct event){.when = when, .bucket = bucket};
    w->e[i].value.hash = hash;
    chain_value(w, i);
    link_event(w, &w->b[bucket], i);
}

/* seen[k]: when the newest chain that ends with rule k ended, plus one;
 * seen[n + k]: when it began. The event continues chains of the rule before
 * it, which another event has ended. */
static void
add_ordered(const struct sigma_corr *c, struct bucket *b, uint32_t k, ns_t when)
{
    ns_t *end = b->seen, *start = b->seen + c->n_refs;

    if (k == 0) {
        if (end[0] <= when) {
            end[0] = when + 1;
            start[0] = when;
        }
        return;
    }
    if (end[k - 1] == 0 || end[k - 1] - 1 > when ||
        when - start[k - 1] > c->timespan)
        return;
    if (end[k] == 0 || start[k] <= start[k - 1]) {
        end[k] = when + 1;
        start[k] = start[k - 1];
    }
}

static void
take_in(struct sigma_window *w, uint32_t bucket, const struct sigma_feed *f,
        struct sigma_counts *counts)
{
    struct bucket *b = &w->b[bucket];

    b->count++;
    switch (w->c->type) {
    case SIGMA_VALUE_COUNT:
        for (uint32_t i = 0; i < f->n_values; i++)
            add_value(w, bucket, f->value[i], f->when, counts);
        break;
    case SIGMA_TEMPORAL:
        if (b->seen[f->ref] <= f->when)
            b->seen[f->ref] = f->when + 1;
        break;
    case SIGMA_TEMPORAL_ORDERED: add_ordered(w->c, b, f->ref, f->when); break;
    case SIGMA_EVENT_COUNT:
    case SIGMA_VALUE_SUM:
    case SIGMA_VALUE_AVG:
    case SIGMA_VALUE_PERCENTILE:
    case SIGMA_VALUE_MEDIAN:
        if (keeps_events(w->c))
            add_number(w, bucket, f, counts);
        else
            b->sum += f->number;
        break;
    }
}

/* ---- figures ---- */

static bool
is_fresh(const struct sigma_corr *c, const struct bucket *b, ns_t seen)
{
    return seen > 0 &&
           (b->last < seen - 1 || b->last - (seen - 1) <= c->timespan);
}

static double
count_rules(const struct sigma_corr *c, const struct bucket *b)
{
    bool ordered = c->type == SIGMA_TEMPORAL_ORDERED;
    uint32_t n = 0;

    for (uint32_t k = 0; k < c->n_refs; k++) {
        ns_t since =
            ordered && b->seen[k] > 0 ? b->seen[c->n_refs + k] + 1 : b->seen[k];

        if (!is_fresh(c, b, since))
            continue;
        n = ordered ? k + 1 : n + 1;
    }
    return n;
}

static int
by_number(const void *a, const void *b)
{
    double one, two;

    memcpy(&one, a, sizeof(one));
    memcpy(&two, b, sizeof(two));
    return one < two ? -1 : one > two;
}

#define PERCENTILE_EVENTS 512U /* the newest of a bucket */

static double
percentile(struct sigma_window *w, const struct bucket *b)
{
    uint32_t n = 0, rank;

    if (w->sorted == NULL)
        w->sorted = charge(w, PERCENTILE_EVENTS, sizeof(*w->sorted));
    if (w->sorted == NULL)
        return 0;
    for (uint32_t i = b->tail; i != NONE && n < PERCENTILE_EVENTS;
         i = w->e[i].before)
        w->sorted[n++] = w->e[i].value.number;
    if (n == 0)
        return 0;
    qsort(w->sorted, n, sizeof(*w->sorted), by_number);
    rank = (uint32_t)(w->c->percentile * n / 100);
    rank -= rank > 0 && (double)rank * 100 >= w->c->percentile * n ? 1 : 0;
    return w->sorted[least(rank, n - 1)];
}

static double
figure_of(struct sigma_window *w, const struct bucket *b)
{
    bool kept = keeps_events(w->c);
    double n = kept ? b->n : (double)b->count;

    switch (w->c->type) {
    case SIGMA_EVENT_COUNT:
    case SIGMA_VALUE_COUNT: return n;
    case SIGMA_VALUE_SUM: return (double)b->sum;
    case SIGMA_VALUE_AVG: return n > 0 ? (double)(b->sum / n) : 0;
    case SIGMA_VALUE_PERCENTILE:
    case SIGMA_VALUE_MEDIAN: return percentile(w, b);
    case SIGMA_TEMPORAL:
    case SIGMA_TEMPORAL_ORDERED: break;
    }
    return count_rules(w->c, b);
}

static bool
expression_holds(const struct sigma_corr *c, const struct bucket *b)
{
    bool now = false;

    for (uint32_t pc = 0; pc < c->program.n; pc++) {
        struct sigma_code code = c->program.v[pc];

        switch ((enum sigma_code_op)code.op) {
        case SIGMA_CODE_SEL: now = is_fresh(c, b, b->seen[code.arg]); break;
        case SIGMA_CODE_NOT: now = !now; break;
        case SIGMA_CODE_JF: pc += now ? 0 : code.arg; break;
        case SIGMA_CODE_JT: pc += now ? code.arg : 0; break;
        case SIGMA_CODE_AND:
        case SIGMA_CODE_OR: break;
        }
    }
    return now;
}

static bool
is_met(const struct sigma_corr *c, const struct bucket *b, double figure)
{
    if (c->program.n > 0)
        return expression_holds(c, b);
    for (uint32_t i = 0; i < c->n_tests; i++) {
        if (!sigma_match_test(c->test[i].op, (long double)figure,
                              (long double)c->test[i].value))
            return false;
    }
    return true;
}

static void
tell(const struct sigma_window *w, const struct bucket *b, ns_t when,
     double figure, struct sigma_hit *hit)
{
    uint32_t at = 0;

    hit->when = when;
    hit->figure = figure;
    for (uint32_t i = 0; i < w->c->n_group; i++) {
        hit->group[i] = b->group_n[i] > 0 ? span_of(b->text + at, b->group_n[i])
                                          : SPAN_LIT("");
        at += b->group_n[i];
    }
}

/* Once per episode: again when the figure has been below, or a timespan
 * later. */
static bool
fires(const struct sigma_corr *c, struct bucket *b, bool met, ns_t when)
{
    bool again =
        !b->fired || (when > b->fired_at && when - b->fired_at >= c->timespan);

    if (!met) {
        b->fired = false;
        return false;
    }
    if (!again)
        return false;
    b->fired = true;
    b->fired_at = when;
    return true;
}

bool
sigma_window_feed(struct sigma_window *w, const struct sigma_feed *f,
                  struct sigma_counts *counts, struct sigma_hit *hit)
{
    uint32_t i = find_bucket(w, f, counts);
    struct bucket *b;
    double figure;

    if (i == NONE)
        return false;
    b = &w->b[i];
    if (b->last > f->when && b->last - f->when > w->c->timespan) {
        counts->events_late++;
        return false;
    }
    take_in(w, i, f, counts);
    b = &w->b[i];
    if (w->c->at_end)
        return false;
    expire(w, b);
    figure = figure_of(w, b);
    if (!fires(w->c, b, is_met(w->c, b, figure), b->last))
        return false;
    tell(w, b, b->last, figure, hit);
    return true;
}

static ns_t
end_of(const struct sigma_window *w, const struct bucket *b)
{
    ns_t end;

    return __builtin_add_overflow(b->opened, w->c->timespan, &end) ? UINT64_MAX
                                                                   : end;
}

ns_t
sigma_window_next(const struct sigma_window *w)
{
    return w->c->at_end && w->oldest != NONE ? end_of(w, &w->b[w->oldest])
                                             : UINT64_MAX;
}

bool
sigma_window_close(struct sigma_window *w, ns_t now, bool *met,
                   struct sigma_hit *hit)
{
    struct bucket *b = &w->b[w->oldest];
    double figure;

    if (sigma_window_next(w) >= now)
        return false;
    figure = figure_of(w, b);
    *met = is_met(w->c, b, figure);
    tell(w, b, end_of(w, b), figure, hit);
    return true;
}

void
sigma_window_drop(struct sigma_window *w)
{
    drop_bucket(w, w->oldest);
}

uint64_t
sigma_window_memory(const struct sigma_window *w)
{
    return w->memory + sizeof(*w);
}

/* ---- snapshots: buckets by age, each with its place among the idle ---- */

static void
put_double(struct buf *out, double x)
{
    uint64_t u;

    memcpy(&u, &x, sizeof(u));
    frame_u64(out, u);
}

/* In two halves, for it has more digits than one holds. */
static void
put_sum(struct buf *out, long double sum)
{
    double high = (double)sum;

    put_double(out, high);
    put_double(out, (double)(sum - (long double)high));
}

static void
put_group(const struct sigma_window *w, const struct bucket *b, struct buf *out)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < w->c->n_group; i++) {
        frame_u64(out, b->group_n[i]);
        buf_put(out, b->text + at, b->group_n[i]);
        at += b->group_n[i];
    }
}

static void
put_bucket(const struct sigma_window *w, const struct bucket *b,
           struct buf *out)
{
    frame_u64(out, b->key);
    put_group(w, b, out);
    frame_u64(out, b->count);
    frame_u64(out, b->opened);
    frame_u64(out, b->last);
    frame_u64(out, b->fired_at);
    frame_u64(out, b->fired);
    for (uint32_t i = 0; b->seen != NULL && i < 2 * w->c->n_refs; i++)
        frame_u64(out, b->seen[i]);
    frame_u64(out, b->n);
    for (uint32_t i = b->head; i != NONE; i = w->e[i].after) {
        frame_u64(out, w->e[i].when);
        frame_u64(out, w->e[i].value.hash); /* or the bytes of the number */
    }
    put_sum(out, b->sum);
}

bool
sigma_window_is_empty(const struct sigma_window *w)
{
    return w->idlest == NONE;
}

enum err
sigma_window_save(const struct sigma_window *w, struct buf *out)
{
    uint32_t *place = calloc(w->n_b, sizeof(*place));
    uint32_t n = 0;

    if (place == NULL)
        return ERR_NOMEM;
    for (uint32_t i = w->idlest; i != NONE; i = w->b[i].busier)
        place[i] = n++;
    frame_u64(out, n);
    for (uint32_t i = w->oldest; i != NONE; i = w->b[i].newer) {
        frame_u64(out, place[i]);
        put_bucket(w, &w->b[i], out);
    }
    free(place);
    return out->failed ? ERR_NOMEM : out->cut ? ERR_LIMIT : ERR_OK;
}

static uint64_t
take_most(struct cursor *c, uint64_t max)
{
    uint64_t n = cur_le64(c);

    c->bad = c->bad || n > max;
    return c->bad ? 0 : n;
}

static double
take_double(struct cursor *c, double max)
{
    uint64_t u = cur_le64(c);
    double x;

    memcpy(&x, &u, sizeof(x));
    if (fabs(x) <= max) /* no NaN is */
        return x;
    c->bad = true;
    return 0;
}

static void
take_value(struct sigma_window *w, uint32_t i, struct cursor *c)
{
    w->e[i].when = cur_le64(c);
    if (w->c->type != SIGMA_VALUE_COUNT) {
        w->e[i].value.number = take_double(c, NUMBER_MAX);
        return;
    }
    w->e[i].value.hash = cur_le64(c);
    chain_value(w, i);
}

static enum err
take_events(struct sigma_window *w, uint32_t bucket, struct cursor *c)
{
    uint64_t n = take_most(c, keeps_events(w->c) ? w->bucket_max : 0);
    struct sigma_counts none = {0};

    for (uint64_t k = 0; k < n && !c->bad; k++) {
        uint32_t i = take_event(w, bucket, &none);

        if (i == NONE || none.events_evicted + none.buckets_evicted > 0)
            return ERR_LIMIT;
        w->e[i] = (struct event){.bucket = bucket};
        take_value(w, i, c);
        place_event(w, &w->b[bucket], i, w->b[bucket].tail);
    }
    return c->bad ? ERR_CORRUPT : ERR_OK;
}

static uint32_t
take_opened(struct sigma_window *w, struct cursor *c)
{
    struct sigma_counts none = {0};
    struct sigma_feed f = {0};
    uint64_t key = cur_le64(c);

    for (uint32_t i = 0; i < w->c->n_group; i++)
        f.group[i] = cur_take(c, take_most(c, GROUP_TEXT));
    return c->bad ? NONE : make_bucket(w, key, &f, &none);
}

static enum err
take_bucket_of(struct sigma_window *w, struct cursor *c, uint32_t *out)
{
    double most = NUMBER_MAX * UINT32_MAX;
    uint32_t i = take_opened(w, c);
    struct bucket *b = &w->b[i];
    enum err e;

    if (i == NONE)
        return c->bad ? ERR_CORRUPT : ERR_NOMEM;
    b->count = cur_le64(c);
    b->opened = cur_le64(c);
    b->last = cur_le64(c);
    b->fired_at = cur_le64(c);
    b->fired = take_most(c, 1) == 1;
    for (uint32_t k = 0; b->seen != NULL && k < 2 * w->c->n_refs; k++)
        b->seen[k] = cur_le64(c);
    e = take_events(w, i, c);
    if (e != ERR_OK)
        return e;
    b->sum = (long double)take_double(c, most);
    b->sum += (long double)take_double(c, most);
    *out = i;
    return c->bad ? ERR_CORRUPT : ERR_OK;
}

static enum err
take_buckets(struct sigma_window *w, struct cursor *c, uint32_t *at, uint64_t n)
{
    enum err e = ERR_OK;

    for (uint64_t i = 0; i < n && e == ERR_OK; i++) {
        uint64_t place = take_most(c, n - 1);

        if (c->bad || at[place] != NONE)
            return ERR_CORRUPT;
        e = take_bucket_of(w, c, &at[place]);
    }
    for (uint64_t i = 0; i < n && e == ERR_OK; i++)
        make_busiest(w, at[i]);
    return e;
}

enum err
sigma_window_load(struct sigma_window *w, struct span part)
{
    struct cursor c = cur_open(part);
    uint64_t n = take_most(&c, w->buckets_max);
    uint32_t *at = calloc(n + 1, sizeof(*at));
    enum err e;

    if (at == NULL)
        return ERR_NOMEM;
    while (w->idlest != NONE)
        drop_bucket(w, w->idlest);
    e = take_buckets(w, &c, at, n);
    free(at);
    if (e == ERR_OK && (c.bad || cur_left(&c) > 0))
        e = ERR_CORRUPT;
    return e;
}
