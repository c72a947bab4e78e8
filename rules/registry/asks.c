#include "rules/registry/asks.h"

#include "sensor/base/hash.h"

#include <limits.h>

#define LINE        64 /* bytes of a cache line */
#define SLOTS_FIRST 16
#define SMALL_MAX   256 /* heads of the small map, and a part of the large */
#define SMALL_PART  64
#define RANK_NONE   UINT_MAX

_Static_assert(sizeof(struct ask) == LINE, "one miss for each");

/* What the map says of a prefix in the line that holds the prefix: most events
 * need look no further. It holds from..to. */
struct answer {
    const struct book_line *line;
    ns_t from, to;
    uint32_t first; /* ask */
    uint16_t port;
    uint8_t use : 4;
    uint8_t alone : 1; /* there is no other */
    uint8_t state;
};

_Static_assert(sizeof(struct answer) == PREFIX_MAP_BESIDE, "fits beside");

void
asks_fini(struct asks *k)
{
    free(k->v);
    free(k->heads);
    free(k->slots);
    prefix_map_free(k->large);
    prefix_map_free(k->small);
    *k = (struct asks){0};
}

/* ---- heads by prefix ---- */

/* Prefixes are chosen by strangers, so the seed is one they cannot know; what
 * is found does not depend on it. */
static size_t
slot_of(const struct asks *k, const struct prefix *p)
{
    uint64_t seed = (uint64_t)(uintptr_t)k;
    uint64_t h = hash_span(span_of(p->addr.b, sizeof(p->addr.b)), seed);

    return (size_t)hash_mix(h, p->bits) & (k->n_slots - 1);
}

static bool
same_prefix(const struct prefix *a, const struct prefix *b)
{
    return a->bits == b->bits && addr_cmp(&a->addr, &b->addr) == 0;
}

/* Its slot, or the empty one where it belongs. */
static size_t
find_slot(const struct asks *k, const struct prefix *p)
{
    size_t i = slot_of(k, p);

    while (k->slots[i] != 0 &&
           !same_prefix(&k->heads[k->slots[i] - 1].prefix, p))
        i = (i + 1) & (k->n_slots - 1);
    return i;
}

uint32_t
asks_count(const struct asks *k, const struct prefix *p)
{
    uint32_t head = k->n_slots > 0 ? k->slots[find_slot(k, p)] : 0;

    return head > 0 ? k->heads[head - 1].n : 0;
}

static enum err
reserve_slots(struct asks *k, size_t n)
{
    size_t want = k->n_slots > 0 ? k->n_slots : SLOTS_FIRST;
    uint32_t *slots;

    while (want / 2 < k->n_heads + n)
        want *= 2;
    if (want == k->n_slots)
        return ERR_OK;
    slots = calloc(want, sizeof(*slots));
    if (slots == NULL)
        return ERR_NOMEM;
    free(k->slots);
    k->slots = slots;
    k->n_slots = want;
    for (size_t i = 0; i < k->n_heads; i++)
        slots[find_slot(k, &k->heads[i].prefix)] = (uint32_t)i + 1;
    return ERR_OK;
}

static bool
grow(void **v, size_t *cap, size_t n, size_t size)
{
    size_t want = *cap > 0 ? *cap : SLOTS_FIRST / 2;
    void *p;

    if (n <= *cap)
        return true;
    while (want < n)
        want *= 2;
    p = realloc(*v, want * size);
    if (p == NULL)
        return false;
    *v = p;
    *cap = want;
    return true;
}

/* An ask is a cache line: it starts where one starts. */
static bool
grow_asks(struct asks *k, size_t n)
{
    size_t cap = k->cap > 0 ? k->cap : SLOTS_FIRST / 2;
    struct ask *v;

    if (n <= k->cap)
        return true;
    while (cap < n)
        cap *= 2;
    v = aligned_alloc(LINE, cap * sizeof(*v));
    if (v == NULL)
        return false;
    if (k->n > 0)
        memcpy(v, k->v, k->n * sizeof(*v));
    free(k->v);
    k->v = v;
    k->cap = cap;
    return true;
}

enum err
asks_reserve(struct asks *k, size_t n)
{
    void *heads = k->heads;
    bool good;

    if (k->n + n > PREFIX_MAP_MAX)
        return ERR_LIMIT;
    good = grow_asks(k, k->n + n);
    if (good)
        good = grow(&heads, &k->cap_heads, k->n_heads + n, sizeof(*k->heads));
    k->heads = heads;
    return good ? reserve_slots(k, n) : ERR_NOMEM;
}

/* ---- asks ---- */

bool
asks_is_news(const struct asks *k, const struct book_line *l,
             const struct form_line *asked, ns_t protected_until)
{
    const struct ask *now =
        l != NULL && l->ask != ASK_NONE ? &k->v[l->ask] : NULL;

    if (now == NULL || !asked->readable)
        return asked->readable;
    return now->port != asked->port || now->use != asked->use ||
           now->protected_until != protected_until ||
           !same_prefix(&k->heads[now->head].prefix, &asked->prefix);
}

static uint32_t
head_of(struct asks *k, const struct prefix *p)
{
    size_t slot = find_slot(k, p);

    if (k->slots[slot] == 0) {
        REQUIRE(k->n_heads < k->cap_heads);
        k->heads[k->n_heads] = (struct asks_head){*p, ASK_NONE, ASK_NONE, 0};
        k->slots[slot] = (uint32_t)++k->n_heads;
    }
    return k->slots[slot] - 1;
}

/* Most often it is the last: only a line that is asked for elsewhere now can
 * have arrived before another there. */
static void
link_ask(struct asks *k, uint32_t at, const struct prefix *p)
{
    uint32_t head = head_of(k, p);
    struct asks_head *h = &k->heads[head];
    uint32_t id = k->v[at].line->id;
    uint32_t *link = &h->first;

    if (h->last != ASK_NONE && k->v[h->last].line->id <= id)
        link = &k->v[h->last].next;
    while (*link != ASK_NONE && k->v[*link].line->id <= id)
        link = &k->v[*link].next;
    k->v[at].head = head;
    k->v[at].next = *link;
    if (*link == ASK_NONE)
        h->last = at;
    *link = at;
    h->n++;
}

static void
add_ask(struct asks *k, struct book_line *l, ns_t when)
{
    const struct form_line *asked = l->line;

    REQUIRE(k->n < k->cap);
    k->v[k->n] = (struct ask){
        .line = l,
        .from = when,
        .until = UINT64_MAX,
        .protected_until = l->dates.protected_until,
        .port = asked->port,
        .use = (uint8_t)asked->use,
        .bits = asked->prefix.bits,
    };
    link_ask(k, (uint32_t)k->n, &asked->prefix);
    l->ask = (uint32_t)k->n++;
}

static void
keep_state(struct ask *a, ns_t when)
{
    const struct book_line *l = a->line;
    size_t i = l->n_changes;

    a->state_to = UINT64_MAX;
    for (; i > 0 && l->changes[i - 1].from > when; i--)
        a->state_to = l->changes[i - 1].from;
    a->state = (uint8_t)(i > 0 ? l->changes[i - 1].state : BOOK_NONE);
    a->state_from = i > 0 ? l->changes[i - 1].from : when;
}

/* ---- answers ---- */

/* The first ask of a prefix says it while its line's state is that; of one
 * that is not decided the protection would have to be looked at. */
static struct answer
answer_of(const struct asks *k, const struct asks_head *h)
{
    const struct ask *a = &k->v[h->first];
    struct answer r = {
        .line = a->line,
        .from = a->from > a->state_from ? a->from : a->state_from,
        .to = a->until < a->state_to ? a->until : a->state_to,
        .first = h->first,
        .port = a->port,
        .use = a->use & FORM_BOTH,
        .alone = h->n == 1,
        .state = a->state,
    };

    if (a->state != BOOK_PERMITTED && a->state != BOOK_SUSPENDED &&
        a->state != BOOK_ENDED)
        r.to = 0;
    return r;
}

/* Brings the map's up to the prefix's asks. */
static void
put_answer(struct asks *k, uint32_t head)
{
    const struct asks_head *h = &k->heads[head];
    struct prefix_map *map = head < k->n_large ? k->large : k->small;
    struct answer r = answer_of(k, h);
    uint32_t place;

    if (head >= k->n_indexed)
        return; /* asks_index will do it */
    place = prefix_map_find(map, &h->prefix.addr);
    while (place != PREFIX_MAP_NONE && prefix_map_value(map, place) != head)
        place = prefix_map_outer(map, place);
    REQUIRE(place != PREFIX_MAP_NONE);
    memcpy(prefix_map_beside(map, place), &r, sizeof(r));
}

static void
end_ask(struct asks *k, struct book_line *l, ns_t when)
{
    struct ask *a = &k->v[l->ask];

    a->until = when;
    l->ask = ASK_NONE;
    put_answer(k, a->head);
}

void
asks_put(struct asks *k, struct book_line *l, ns_t when)
{
    bool news = asks_is_news(k, l, l->line, l->dates.protected_until);

    if (l->ask != ASK_NONE && (news || !l->line->readable))
        end_ask(k, l, when);
    if (news)
        add_ask(k, l, when);
    if (l->ask == ASK_NONE)
        return;
    keep_state(&k->v[l->ask], when);
    put_answer(k, k->v[l->ask].head);
}

/* ---- maps ---- */

static enum err
make_map(const struct asks *k, size_t from, struct prefix_map **out)
{
    size_t n = k->n_heads - from;
    struct prefix_item *items = malloc((n + 1) * sizeof(*items));
    enum err e;

    if (items == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        items[i] = (struct prefix_item){k->heads[from + i].prefix,
                                        (uint32_t)(from + i)};
    e = prefix_map_new_wide(items, n, out);
    free(items);
    return e;
}

enum err
asks_index(struct asks *k)
{
    bool merge = k->n_heads - k->n_large > SMALL_MAX + k->n_large / SMALL_PART;
    struct prefix_map *map;
    enum err e;

    if (k->n_heads == k->n_indexed)
        return ERR_OK;
    e = make_map(k, merge ? 0 : k->n_large, &map);
    if (e != ERR_OK)
        return e;
    prefix_map_free(k->small);
    k->small = merge ? NULL : map;
    if (merge) {
        prefix_map_free(k->large);
        k->large = map;
        k->n_large = k->n_heads;
    }
    k->n_indexed = k->n_heads;
    for (size_t i = merge ? 0 : k->n_large; i < k->n_heads; i++)
        put_answer(k, (uint32_t)i);
    return ERR_OK;
}

/* ---- judging ---- */

/* The prefixes around an address in one map, longest first. */
struct walk {
    struct prefix_map *map;
    uint32_t place;
};

static struct walk
walk_start(struct prefix_map *map, const struct addr *a)
{
    return (struct walk){map, map != NULL ? prefix_map_find(map, a)
                                          : PREFIX_MAP_NONE};
}

static const struct answer *
walk_answer(const struct walk *w)
{
    if (w->place == PREFIX_MAP_NONE)
        return NULL;
    return prefix_map_beside(w->map, w->place);
}

static void
walk_out(struct walk *w)
{
    w->place = prefix_map_outer(w->map, w->place);
}

static enum book_state
state_then(const struct ask *a, ns_t when)
{
    if (when < a->from || when >= a->until)
        return BOOK_NONE;
    if (when >= a->state_from && when < a->state_to)
        return (enum book_state)a->state;
    return book_state_at(a->line, when);
}

static enum book_fit
fit_of(uint16_t asked_port, unsigned asked_use, uint16_t port,
       enum form_use use)
{
    if (asked_port != 0 && asked_port != port)
        return BOOK_OTHER_PORT;
    return (asked_use & (unsigned)use) == (unsigned)use ? BOOK_FITS
                                                        : BOOK_OTHER_USE;
}

/* What decides, lowest first: the state, then the fit. */
static unsigned
rank_of(enum book_state s, enum book_fit f)
{
    static const unsigned states[BOOK_STATE_COUNT] = {
        [BOOK_PERMITTED] = 0, [BOOK_SUSPENDED] = 1, [BOOK_REQUESTED] = 2,
        [BOOK_RETURNED] = 3,  [BOOK_ENDED] = 4,     [BOOK_NONE] = 5,
    };
    static const unsigned fits[] = {
        [BOOK_FITS] = 0, [BOOK_OTHER_USE] = 1, [BOOK_OTHER_PORT] = 2};

    return states[s] * 4 + fits[f];
}

static bool
protects(const struct ask *a, enum book_state s, ns_t when)
{
    return s == BOOK_PERMITTED ||
           ((s == BOOK_REQUESTED || s == BOOK_RETURNED) &&
            when < a->protected_until);
}

static struct book_verdict
judge_chain(const struct asks *k, const struct ask *a, uint16_t port,
            enum form_use use, ns_t when)
{
    struct book_verdict best = {0};
    unsigned least = RANK_NONE;
    bool protect = false;

    for (; a != NULL && least > 0;
         a = a->next != ASK_NONE ? &k->v[a->next] : NULL) {
        struct book_verdict v = {a->line, state_then(a, when),
                                 fit_of(a->port, a->use, port, use), false,
                                 false};
        unsigned rank = rank_of(v.state, v.fit);

        if (v.state == BOOK_NONE)
            continue;
        protect = protect || protects(a, v.state, when);
        if (rank >= least)
            continue;
        best = v;
        least = rank;
    }
    best.protect = protect;
    return best;
}

static struct book_verdict
judge_prefix(const struct asks *k, const struct answer *r, uint16_t port,
             enum form_use use, ns_t when)
{
    enum book_fit fit = fit_of(r->port, r->use, port, use);
    bool permitted = r->state == BOOK_PERMITTED;

    if (when < r->from || when >= r->to ||
        (!r->alone && !(permitted && fit == BOOK_FITS)))
        return judge_chain(k, &k->v[r->first], port, use, when);
    return (struct book_verdict){r->line, (enum book_state)r->state, fit, false,
                                 permitted};
}

struct book_verdict
asks_judge(const struct asks *k, const struct addr *a, uint16_t port,
           enum form_use use, ns_t when)
{
    struct walk large = walk_start(k->large, a);
    struct walk small = walk_start(k->small, a);
    struct book_verdict v = {0};

    while (v.line == NULL) {
        const struct answer *x = walk_answer(&large);
        const struct answer *y = walk_answer(&small);
        bool take_x = x != NULL &&
                      (y == NULL || k->v[x->first].bits > k->v[y->first].bits);

        if (x == NULL && y == NULL)
            break;
        v = judge_prefix(k, take_x ? x : y, port, use, when);
        walk_out(take_x ? &large : &small);
    }
    v.registered = v.state == BOOK_PERMITTED && v.fit == BOOK_FITS;
    return v;
}
