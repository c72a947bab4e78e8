#include "rules/registry/prefix_map.h"

#include <stdlib.h>
#include <sys/mman.h>

/* One hash table of cache-line halves holds every prefix under its bits and
 * length. A look-up probes all lengths that occur at once, so that their misses
 * overlap instead of following each other. With more than FLAT_MAX lengths it
 * takes two rounds: the lengths stand in groups, each group's shortest is
 * probed first, then the rest of the longest group that answered. So that a
 * group answers for its longer prefixes, each of them leaves a marker at the
 * group's shortest length (the idea of Waldvogel et al., SIGCOMM 1997, with two
 * rounds instead of a binary search). */

#define FLAT_MAX  12 /* lengths probed at once; their square is >= 129 */
#define FAMILIES  2
#define RUN_MAX   64 /* slots of a run: keeps chosen collisions from growing */
#define SEEDS_MAX 8  /* tried before the table grows */
#define HUGE      (UINT64_C(2) << 20) /* bytes of a large page */

struct key {
    uint64_t hi, lo;
};

enum kind { SLOT_EMPTY, SLOT_PREFIX, SLOT_MARKER };

struct slot {
    struct key key;
    uint32_t value;
    uint32_t outer; /* place of the next shorter prefix */
    uint8_t bits;
    uint8_t kind;
    uint8_t far; /* slots from here to the last key that hashes to here */
    uint8_t unused[5];
};

_Static_assert(sizeof(struct slot) == 32, "two slots fill a cache line");
_Static_assert(PREFIX_MAP_BESIDE == sizeof(struct slot), "or one and its own");

/* A length that occurs, and the longer ones of its group. */
struct level {
    struct key mask;
    uint8_t bits;
    uint8_t n_group;
    uint8_t group; /* where they begin in levels */
};

struct family {
    struct level first[FLAT_MAX]; /* levels of the first round, longest first */
    uint8_t n_first;
    uint8_t n_levels;
    struct level levels[129]; /* longest first */
};

struct prefix_map {
    struct slot *slots;
    unsigned wide;  /* 1: every other slot is what stands beside one */
    unsigned shift; /* 64 - log2 of their number */
    uint64_t seed;
    struct family families[FAMILIES]; /* IPv6, IPv4 */
};

/* A prefix while the map is made. */
struct row {
    struct key key;
    uint32_t value;
    uint32_t at; /* in the caller's array */
    uint32_t place;
    uint8_t bits;
    bool v4;
};

/* ---- keys ---- */

static struct key
key_of(const struct addr *a)
{
    struct key k;

    memcpy(&k.hi, a->b, 8);
    memcpy(&k.lo, a->b + 8, 8);
    k.hi = __builtin_bswap64(k.hi);
    k.lo = __builtin_bswap64(k.lo);
    return k;
}

static bool
key_is_v4(struct key k)
{
    return k.hi == 0 && k.lo >> 32 == 0xffff;
}

static struct key
mask_of(unsigned bits)
{
    struct key m = {0, 0};

    if (bits > 0)
        m.hi = bits >= 64 ? UINT64_MAX : UINT64_MAX << (64 - bits);
    if (bits > 64)
        m.lo = UINT64_MAX << (128 - bits);
    return m;
}

static struct key
key_and(struct key k, struct key m)
{
    return (struct key){k.hi & m.hi, k.lo & m.lo};
}

static bool
key_eq(struct key a, struct key b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

/* ---- slots ---- */

static struct slot *
slot_at(const struct prefix_map *m, size_t at)
{
    return &m->slots[at << m->wide];
}

static size_t
slot_of(const struct prefix_map *m, struct key k, unsigned bits)
{
    uint64_t h = (k.hi ^ m->seed) * UINT64_C(0x9e3779b97f4a7c15);

    h = ((h ^ h >> 32) + k.lo + bits) * UINT64_C(0xd6e8feb86659fd93);
    h = (h ^ h >> 32) * UINT64_C(0xa0761d6478bd642f);
    return (size_t)(h >> m->shift);
}

static size_t
slot_next(const struct prefix_map *m, size_t at)
{
    return (at + 1) & (size_t)(UINT64_MAX >> m->shift);
}

/* The place of a key, or PREFIX_MAP_NONE; at is where it hashes to. Most keys
 * that are not there are known not to be from that slot alone. */
static uint32_t
slot_find(const struct prefix_map *m, size_t at, struct key k, unsigned bits)
{
    for (unsigned left = slot_at(m, at)->far;; left--) {
        const struct slot *s = slot_at(m, at);

        if (s->bits == bits && key_eq(s->key, k) && s->kind != SLOT_EMPTY)
            return (uint32_t)at;
        if (left == 0)
            return PREFIX_MAP_NONE;
        at = slot_next(m, at);
    }
}

/* Takes a free slot; PREFIX_MAP_NONE when the run is too long. */
static uint32_t
slot_add(struct prefix_map *m, const struct slot *slot)
{
    size_t at = slot_of(m, slot->key, slot->bits);
    struct slot *home = slot_at(m, at);

    for (unsigned run = 0; run < RUN_MAX; run++) {
        struct slot *s = slot_at(m, at);

        if (s->kind == SLOT_EMPTY) {
            *s = *slot;
            home->far = run > home->far ? (uint8_t)run : home->far;
            return (uint32_t)at;
        }
        at = slot_next(m, at);
    }
    return PREFIX_MAP_NONE;
}

/* ---- rows ---- */

static int
compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* A prefix stands behind all that hold it. */
static int
by_key(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;

    if (x->v4 != y->v4)
        return x->v4 ? 1 : -1;
    if (x->key.hi != y->key.hi)
        return compare(x->key.hi, y->key.hi);
    if (x->key.lo != y->key.lo)
        return compare(x->key.lo, y->key.lo);
    if (x->bits != y->bits)
        return compare(x->bits, y->bits);
    return compare(x->at, y->at);
}

static size_t
drop_doubles(struct row *rows, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || rows[i].bits != rows[kept - 1].bits ||
            !key_eq(rows[i].key, rows[kept - 1].key))
            rows[kept++] = rows[i];
    }
    return kept;
}

static struct row *
rows_new(const struct prefix_item *items, size_t n)
{
    struct row *rows = calloc(n + 1, sizeof(*rows));

    for (size_t i = 0; rows != NULL && i < n; i++) {
        const struct prefix *p = &items[i].prefix;
        struct key k = key_and(key_of(&p->addr), mask_of(p->bits));

        REQUIRE(p->bits <= 128 && items[i].value < PREFIX_MAP_NONE);
        rows[i] = (struct row){k, items[i].value, (uint32_t)i,
                               0, p->bits,        key_is_v4(k)};
    }
    if (rows != NULL)
        qsort(rows, n, sizeof(*rows), by_key);
    return rows;
}

/* ---- lengths ---- */

/* Levels of equal groups; a group's shortest is its last. */
static void
make_groups(struct family *f)
{
    size_t size = 1;

    while (size * FLAT_MAX < f->n_levels)
        size++;
    for (size_t from = 0; from < f->n_levels; from += size) {
        size_t last = from + size < f->n_levels ? from + size : f->n_levels;
        struct level *pivot = &f->first[f->n_first++];

        *pivot = f->levels[--last];
        pivot->group = (uint8_t)from;
        pivot->n_group = (uint8_t)(last - from);
    }
}

static void
make_family(struct family *f, const struct row *rows, size_t n, bool v4)
{
    bool occurs[129] = {false};

    for (size_t i = 0; i < n; i++) {
        if (rows[i].v4 == v4)
            occurs[rows[i].bits] = true;
    }
    for (unsigned bits = 129; bits-- > 0;) {
        if (occurs[bits])
            f->levels[f->n_levels++] =
                (struct level){mask_of(bits), (uint8_t)bits, 0, 0};
    }
    make_groups(f);
}

/* The level probed first of the group that this length stands in. */
static const struct level *
pivot_of(const struct family *f, unsigned bits)
{
    size_t i = 0;

    while (f->first[i].bits > bits)
        i++;
    return &f->first[i];
}

/* ---- making ---- */

static bool
holds(const struct row *outer, const struct row *r)
{
    return outer->v4 == r->v4 && outer->bits <= r->bits &&
           key_eq(key_and(r->key, mask_of(outer->bits)), outer->key);
}

/* Rows come behind those around them, which stand on the stack. */
static bool
add_rows(struct prefix_map *m, struct row *rows, size_t n)
{
    const struct row *stack[130];
    size_t depth = 0;

    for (size_t i = 0; i < n; i++) {
        struct row *r = &rows[i];
        struct slot s = {
            r->key, r->value, PREFIX_MAP_NONE, r->bits, SLOT_PREFIX, 0, {0}};

        while (depth > 0 && !holds(stack[depth - 1], r))
            depth--;
        if (depth > 0)
            s.outer = stack[depth - 1]->place;
        r->place = slot_add(m, &s);
        if (r->place == PREFIX_MAP_NONE)
            return false;
        stack[depth++] = r;
    }
    return true;
}

/* A marker knows the longest prefix that holds it: it may lead to none. */
static bool
add_marker(struct prefix_map *m, const struct row *r)
{
    const struct level *pivot = pivot_of(&m->families[r->v4], r->bits);
    struct slot s = {key_and(r->key, pivot->mask),
                     0,
                     r->place,
                     pivot->bits,
                     SLOT_MARKER,
                     0,
                     {0}};

    if (pivot->bits == r->bits || slot_find(m, slot_of(m, s.key, s.bits), s.key,
                                            s.bits) != PREFIX_MAP_NONE)
        return true;
    while (s.outer != PREFIX_MAP_NONE && slot_at(m, s.outer)->bits > s.bits)
        s.outer = slot_at(m, s.outer)->outer;
    return slot_add(m, &s) != PREFIX_MAP_NONE;
}

static bool
fill(struct prefix_map *m, struct row *rows, size_t n)
{
    if (!add_rows(m, rows, n))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (!add_marker(m, &rows[i]))
            return false;
    }
    return true;
}

static bool
has_groups(const struct prefix_map *m)
{
    return m->families[0].n_levels > FLAT_MAX ||
           m->families[1].n_levels > FLAT_MAX;
}

/* A large table asks for large pages: else the way to a cold slot leads through
 * several reads of page tables, which take longer than the slot itself. Memory
 * that was in use before has small pages, which it keeps unless given back. */
static struct slot *
slots_new(size_t bytes)
{
    void *p = aligned_alloc(bytes < HUGE ? 64 : HUGE, bytes);

    if (p == NULL || bytes < HUGE)
        return p;
    (void)madvise(p, bytes, MADV_DONTNEED);
    (void)madvise(p, bytes, MADV_HUGEPAGE);
    return p;
}

/* At most half of the slots are taken. A seed under which runs grow too long
 * (nobody's but a forger's prefixes do that) is left for another. */
static enum err
fill_slots(struct prefix_map *m, struct row *rows, size_t n)
{
    size_t want = 2 * n * (has_groups(m) ? 2 : 1);
    unsigned log = 3;

    while (((size_t)1 << log) < want)
        log++;
    for (unsigned more = 0; more < 3; more++) {
        size_t bytes = sizeof(struct slot) << (log + more + m->wide);

        free(m->slots);
        m->slots = slots_new(bytes);
        if (m->slots == NULL)
            return ERR_NOMEM;
        m->shift = 64 - (log + more);
        for (unsigned seed = 0; seed < SEEDS_MAX; seed++) {
            memset(m->slots, 0, bytes);
            m->seed += UINT64_C(0x2545f4914f6cdd1d);
            if (fill(m, rows, n))
                return ERR_OK;
        }
    }
    return ERR_LIMIT;
}

static enum err
make(const struct prefix_item *items, size_t n, bool wide,
     struct prefix_map **out, size_t *doubles)
{
    struct prefix_map *m;
    struct row *rows;
    size_t kept;
    enum err e;

    if (n > PREFIX_MAP_MAX)
        return ERR_LIMIT;
    m = calloc(1, sizeof(*m));
    rows = rows_new(items, n);
    if (m == NULL || rows == NULL) {
        free(rows);
        free(m);
        return ERR_NOMEM;
    }
    m->wide = wide;
    kept = drop_doubles(rows, n);
    make_family(&m->families[0], rows, kept, false);
    make_family(&m->families[1], rows, kept, true);
    e = fill_slots(m, rows, kept);
    free(rows);
    if (e != ERR_OK) {
        prefix_map_free(m);
        return e;
    }
    if (doubles != NULL)
        *doubles = n - kept;
    *out = m;
    return ERR_OK;
}

enum err
prefix_map_new(const struct prefix_item *items, size_t n,
               struct prefix_map **out, size_t *doubles)
{
    return make(items, n, false, out, doubles);
}

enum err
prefix_map_new_wide(const struct prefix_item *items, size_t n,
                    struct prefix_map **out)
{
    return make(items, n, true, out, NULL);
}

void
prefix_map_free(struct prefix_map *m)
{
    if (m == NULL)
        return;
    free(m->slots);
    free(m);
}

/* ---- look-ups ---- */

/* Probes n levels, longest first; *hit is the one that answered. */
static inline uint32_t
probe(const struct prefix_map *m, const struct level *levels, size_t n,
      struct key k, const struct level **hit)
{
    size_t at[FLAT_MAX];

    for (size_t i = 0; i < n; i++) {
        const struct level *l = &levels[i];

        at[i] = slot_of(m, key_and(k, l->mask), l->bits);
        __builtin_prefetch(slot_at(m, at[i]));
    }
    for (size_t i = 0; i < n; i++) {
        const struct level *l = &levels[i];
        uint32_t place = slot_find(m, at[i], key_and(k, l->mask), l->bits);

        if (place != PREFIX_MAP_NONE) {
            *hit = l;
            return place;
        }
    }
    return PREFIX_MAP_NONE;
}

uint32_t
prefix_map_find(const struct prefix_map *m, const struct addr *a)
{
    struct key k = key_of(a);
    const struct family *f = &m->families[key_is_v4(k)];
    const struct level *pivot = NULL;
    uint32_t first = probe(m, f->first, f->n_first, k, &pivot);
    uint32_t place = PREFIX_MAP_NONE;
    const struct slot *s;

    if (first == PREFIX_MAP_NONE)
        return first;
    if (pivot->n_group > 0)
        place = probe(m, &f->levels[pivot->group], pivot->n_group, k, &pivot);
    if (place != PREFIX_MAP_NONE)
        return place;
    s = slot_at(m, first);
    return s->kind == SLOT_PREFIX ? first : s->outer;
}

uint32_t
prefix_map_value(const struct prefix_map *m, uint32_t place)
{
    return slot_at(m, place)->value;
}

uint32_t
prefix_map_outer(const struct prefix_map *m, uint32_t place)
{
    return slot_at(m, place)->outer;
}

void *
prefix_map_beside(struct prefix_map *m, uint32_t place)
{
    REQUIRE(m->wide == 1);
    return slot_at(m, place) + 1;
}
