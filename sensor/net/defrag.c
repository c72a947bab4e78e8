#include "sensor/net/defrag.h"

#include "sensor/base/hash.h"

#define UNIT       8 /* bytes: all offsets, and all lengths but the last */
#define IP_MAX     65535U
#define BLOCKS     ((IP_MAX + DEFRAG_BLOCK - 1) / DEFRAG_BLOCK)
#define HEAD_MAX   60 /* IPv4 with all its options */
#define SLAB_ITEMS 16

/* ----------------------------------------------------- pools of equal items */

struct pool_item {
    struct pool_item *next;
};

struct pool {
    struct pool_item *free;
    struct pool_item *slabs;
    size_t size; /* of an item */
    size_t max;
    size_t made;
    size_t used;
    bool (*deny)(void *ctx);
    void *deny_ctx;
};

/* Slabs begin with their link, in the room of one maximally aligned word. */
static bool
pool_grow(struct pool *p)
{
    size_t n = p->max - p->made < SLAB_ITEMS ? p->max - p->made : SLAB_ITEMS;
    size_t head = _Alignof(max_align_t);
    struct pool_item *slab = NULL;

    if (n > 0 && (p->deny == NULL || !p->deny(p->deny_ctx)))
        slab = malloc(head + n * p->size);
    if (slab == NULL)
        return false;
    slab->next = p->slabs;
    p->slabs = slab;
    p->made += n;
    for (size_t i = n; i-- > 0;) {
        struct pool_item *item = (void *)((char *)slab + head + i * p->size);

        item->next = p->free;
        p->free = item;
    }
    return true;
}

/* A cleared item, or NULL. */
static void *
pool_take(struct pool *p)
{
    struct pool_item *item;

    if (p->free == NULL && !pool_grow(p))
        return NULL;
    item = p->free;
    p->free = item->next;
    p->used++;
    return memset(item, 0, p->size);
}

static void
pool_give(struct pool *p, void *item)
{
    struct pool_item *i = item;

    i->next = p->free;
    p->free = i;
    p->used--;
}

static void
pool_fini(struct pool *p)
{
    while (p->slabs != NULL) {
        struct pool_item *next = p->slabs->next;

        free(p->slabs);
        p->slabs = next;
    }
}

/* ---------------------------------------------------------------- datagrams */

struct block {
    uint64_t have[DEFRAG_BLOCK / UNIT / 64]; /* a bit for each unit */
    uint8_t bytes[DEFRAG_BLOCK];
};

struct key {
    struct addr src;
    struct addr dst;
    uint32_t id;
    uint32_t kind; /* IP version, and for IPv4 the protocol */
};

struct datagram {
    struct datagram *hash_next;
    struct datagram *prev; /* in its list */
    struct datagram *next;
    struct key key;
    ns_t start;
    uint32_t end;    /* of the farthest fragment */
    uint32_t total;  /* of the datagram's payload, 0: not yet known */
    uint32_t units;  /* received */
    uint32_t cut_at; /* bytes from here on are perhaps not there */
    uint32_t echo_total;
    bool echo;      /* finished; bytes are those of last time */
    bool changed;   /* an echo that turns out to be a new datagram */
    uint8_t proto;  /* of the first fragment */
    uint8_t head_n; /* 0: the first fragment is missing */
    uint8_t head[HEAD_MAX];
    struct block *blocks[BLOCKS];
};

struct list { /* oldest first */
    struct datagram *first;
    struct datagram *last;
    size_t n;
};

struct defrag {
    struct list waiting;
    struct list echoes;
    struct pool datagrams;
    struct pool blocks;
    ns_t now;
    uint64_t seed;
    size_t mask;
    struct datagram **table;
    struct defrag_counts counts;
    uint8_t out[HEAD_MAX + IP_MAX];
};

static void
list_add(struct list *l, struct datagram *g)
{
    g->prev = l->last;
    g->next = NULL;
    if (l->last != NULL)
        l->last->next = g;
    else
        l->first = g;
    l->last = g;
    l->n++;
}

static void
list_remove(struct list *l, struct datagram *g)
{
    if (g->prev != NULL)
        g->prev->next = g->next;
    else
        l->first = g->next;
    if (g->next != NULL)
        g->next->prev = g->prev;
    else
        l->last = g->prev;
    l->n--;
}

static struct list *
list_of(struct defrag *d, const struct datagram *g)
{
    return g->echo ? &d->echoes : &d->waiting;
}

static struct datagram **
bucket(struct defrag *d, const struct key *k)
{
    return &d->table[hash_span(span_of(k, sizeof(*k)), d->seed) & d->mask];
}

static void
drop(struct defrag *d, struct datagram *g)
{
    struct datagram **at = bucket(d, &g->key);

    while (*at != g)
        at = &(*at)->hash_next;
    *at = g->hash_next;
    list_remove(list_of(d, g), g);
    for (size_t i = 0; i < BLOCKS; i++) {
        if (g->blocks[i] != NULL)
            pool_give(&d->blocks, g->blocks[i]);
    }
    pool_give(&d->datagrams, g);
}

/* Gives up an echo, or the oldest datagram that is not keep. */
static bool
evict(struct defrag *d, const struct datagram *keep)
{
    struct list *lists[] = {&d->echoes, &d->waiting};

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        struct datagram *g = lists[i]->first;

        if (g != NULL && g == keep)
            g = g->next;
        if (g == NULL)
            continue;
        d->counts.evicted += !g->echo;
        drop(d, g);
        return true;
    }
    return false;
}

/* From the pool, making room as long as there is something to give up. */
static void *
take(struct defrag *d, struct pool *p, const struct datagram *keep)
{
    void *item = pool_take(p);

    while (item == NULL && evict(d, keep))
        item = pool_take(p);
    return item;
}

static struct key
key_of(const struct decoded *f)
{
    unsigned version = span_at(f->frag_head, 0) >> 4;
    struct key k = {f->src, f->dst, f->frag_id, version};

    if (version == 4)
        k.kind |= (uint32_t)f->proto << 8;
    return k;
}

static struct datagram *
find(struct defrag *d, const struct key *k)
{
    struct datagram *g = *bucket(d, k);

    while (g != NULL && memcmp(&g->key, k, sizeof(*k)) != 0)
        g = g->hash_next;
    return g;
}

static struct datagram *
find_or_add(struct defrag *d, const struct key *k)
{
    struct datagram *g = find(d, k);
    struct datagram **at;

    if (g != NULL)
        return g;
    g = take(d, &d->datagrams, NULL);
    if (g == NULL)
        return NULL;
    g->key = *k;
    g->start = d->now;
    g->cut_at = UINT32_MAX;
    at = bucket(d, k);
    g->hash_next = *at;
    *at = g;
    list_add(&d->waiting, g);
    return g;
}

/* -------------------------------------------------------------------- bytes */

struct piece {
    uint32_t at;
    uint32_t end;
    bool more;
    struct span data; /* may be shorter: the capture cut it */
    uint32_t old;     /* units that were there already */
    bool differs;
};

/* Blocks for all of the piece, or false. A new one in an echo is a change. */
static bool
reserve(struct defrag *d, struct datagram *g, const struct piece *p)
{
    for (size_t i = p->at / DEFRAG_BLOCK; i * DEFRAG_BLOCK < p->end; i++) {
        if (g->blocks[i] != NULL)
            continue;
        g->blocks[i] = take(d, &d->blocks, g);
        if (g->blocks[i] == NULL)
            return false;
        g->changed = true;
    }
    return true;
}

static void
put_unit(struct datagram *g, struct piece *p, uint32_t at)
{
    struct block *b = g->blocks[at / DEFRAG_BLOCK];
    size_t unit = at % DEFRAG_BLOCK / UNIT;
    uint64_t bit = UINT64_C(1) << unit % 64;
    uint8_t *to = b->bytes + at % DEFRAG_BLOCK;
    uint32_t n = p->end - at < UNIT ? p->end - at : UNIT;
    struct span from = span_head(span_tail(p->data, at - p->at), n);
    bool known = from.n == n && at + n <= g->cut_at;
    bool same = !known || memcmp(to, from.p, n) == 0;

    if (b->have[unit / 64] & bit) {
        p->old++;
        p->differs |= !same;
        return;
    }
    g->changed |= !same;
    b->have[unit / 64] |= bit;
    g->units++;
    if (from.n > 0)
        memcpy(to, from.p, from.n);
}

static void
put_piece(struct defrag *d, struct datagram *g, struct piece *p)
{
    uint32_t units = (p->end - p->at + UNIT - 1) / UNIT;

    for (uint32_t at = p->at; at < p->end; at += UNIT)
        put_unit(g, p, at);
    if (p->data.n < p->end - p->at && p->at + p->data.n < g->cut_at)
        g->cut_at = p->at + (uint32_t)p->data.n;
    if (p->end > g->end)
        g->end = p->end;
    if (!p->more) {
        g->total = p->end;
        g->changed |= p->end != g->echo_total;
    }
    if (p->differs)
        d->counts.overlaps_differ++;
    if (p->differs || (p->old > 0 && p->old < units))
        d->counts.overlaps++;
    else if (p->old == units || (g->echo && !g->changed))
        d->counts.duplicates++;
}

static void
put_head(struct datagram *g, const struct decoded *f)
{
    if (f->frag_offset != 0 || g->head_n != 0)
        return;
    g->proto = f->proto;
    g->head_n = (uint8_t)f->frag_head.n;
    memcpy(g->head, f->frag_head.p, f->frag_head.n);
}

/* False when the datagram would have two ends. What reaches past the known end
 * is trimmed: some hosts do (scenario: Zeek's ipv4/fragmented-1). */
static bool
fit(struct defrag *d, const struct datagram *g, struct piece *p)
{
    if (!p->more)
        return p->end >= g->end && (g->total == 0 || g->total == p->end);
    if (g->total == 0 || p->end <= g->total)
        return true;
    if (p->at >= g->total)
        return false;
    d->counts.trimmed++;
    p->end = g->total;
    p->data = span_head(p->data, p->end - p->at);
    return true;
}

/* Forgets what was received but keeps the bytes, to know them again. */
static void
rewind_echo(struct defrag *d, struct datagram *g)
{
    list_remove(list_of(d, g), g);
    for (size_t i = 0; i < BLOCKS; i++) {
        if (g->blocks[i] != NULL)
            memset(g->blocks[i]->have, 0, sizeof(g->blocks[i]->have));
    }
    g->echo_total = g->total;
    g->total = g->end = g->units = 0;
    g->cut_at = UINT32_MAX;
    g->head_n = 0;
    g->changed = false;
    g->echo = true;
    g->start = d->now;
    list_add(&d->echoes, g);
}

static void
leave_echo(struct defrag *d, struct datagram *g)
{
    list_remove(&d->echoes, g);
    g->echo = false;
    g->start = d->now;
    list_add(&d->waiting, g);
}

static void
set_be16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static struct span
join(struct defrag *d, const struct datagram *g)
{
    uint32_t n = g->total < g->cut_at ? g->total : g->cut_at;
    uint8_t *to = d->out + g->head_n;

    memcpy(d->out, g->head, g->head_n);
    if ((g->key.kind & 15) == 4) {
        set_be16(d->out + 2, g->head_n + g->total);
        d->out[6] &= 0xc0; /* "do not fragment" stays */
        d->out[7] = 0;
    } else {
        set_be16(d->out + 4, g->total);
        d->out[6] = g->proto;
    }
    for (uint32_t at = 0; at < n; at += DEFRAG_BLOCK) {
        uint32_t k = n - at < DEFRAG_BLOCK ? n - at : DEFRAG_BLOCK;

        memcpy(to + at, g->blocks[at / DEFRAG_BLOCK]->bytes, k);
    }
    return span_of(d->out, g->head_n + (size_t)n);
}

/* All units are there. */
static enum defrag_answer
finish(struct defrag *d, struct datagram *g, struct span *datagram)
{
    if (g->echo) {
        rewind_echo(d, g);
        return DEFRAG_WAIT;
    }
    if ((g->key.kind & 15) == 4 && g->head_n + g->total > IP_MAX) {
        d->counts.too_long++;
        drop(d, g);
        return DEFRAG_BAD;
    }
    *datagram = join(d, g);
    d->counts.datagrams++;
    if (g->cut_at < g->total) {
        d->counts.cut++;
        drop(d, g);
    } else {
        rewind_echo(d, g);
    }
    return DEFRAG_DONE;
}

/* ------------------------------------------------------------------- public */

/* The fragment's range, or false and a count. Linux trims an odd IPv4 length;
 * in IPv6 it is an error (RFC 8200 4.5). */
static bool
read_piece(struct defrag *d, const struct decoded *f, struct piece *p)
{
    bool v4 = span_at(f->frag_head, 0) >> 4 == 4;
    uint32_t len = f->frag_len;
    uint32_t room = IP_MAX - (v4 ? (uint32_t)f->frag_head.n : 0);

    if (v4 && f->frag_more)
        len &= ~(uint32_t)(UNIT - 1);
    if (f->frag_head.n < 20 || f->frag_head.n > HEAD_MAX || len == 0 ||
        f->frag_offset % UNIT != 0 || (f->frag_more && len % UNIT != 0)) {
        d->counts.bad++;
        return false;
    }
    if (f->frag_offset > room || len > room - f->frag_offset) {
        d->counts.too_long++;
        return false;
    }
    *p = (struct piece){.at = f->frag_offset,
                        .end = f->frag_offset + len,
                        .more = f->frag_more,
                        .data = span_head(f->frag_data, len)};
    if (f->proto == 6 && (p->at == 0 ? len < 20 : p->at < 20))
        d->counts.tiny++;
    return true;
}

enum defrag_answer
defrag_put(struct defrag *d, const struct decoded *frag, ns_t when,
           struct span *datagram)
{
    struct key key = key_of(frag);
    struct datagram *g;
    struct piece p;

    defrag_expire(d, when);
    d->counts.fragments++;
    if (!read_piece(d, frag, &p))
        return DEFRAG_BAD;
    g = find_or_add(d, &key);
    if (g == NULL) {
        d->counts.no_memory++;
        return DEFRAG_BAD;
    }
    if (!fit(d, g, &p)) {
        d->counts.bad++;
        return DEFRAG_BAD;
    }
    if (!reserve(d, g, &p)) {
        d->counts.no_memory++;
        drop(d, g);
        return DEFRAG_BAD;
    }
    put_piece(d, g, &p);
    put_head(g, frag);
    if (g->echo && g->changed)
        leave_echo(d, g);
    if (g->total == 0 || g->units != (g->total + UNIT - 1) / UNIT)
        return DEFRAG_WAIT;
    return finish(d, g, datagram);
}

void
defrag_expire(struct defrag *d, ns_t now)
{
    struct datagram *g;

    if (now > d->now)
        d->now = now;
    while ((g = d->waiting.first) != NULL &&
           d->now - g->start >= DEFRAG_TIMEOUT_NS) {
        d->counts.timeouts++;
        drop(d, g);
    }
    while ((g = d->echoes.first) != NULL && d->now - g->start >= DEFRAG_ECHO_NS)
        drop(d, g);
}

struct defrag *
defrag_new(size_t max_bytes, size_t max_datagrams)
{
    struct defrag *d = calloc(1, sizeof(*d));
    size_t n = 1;

    if (d == NULL)
        return NULL;
    d->datagrams.size = sizeof(struct datagram);
    d->datagrams.max = max_datagrams > 0 ? max_datagrams : 1;
    d->blocks.size = sizeof(struct block);
    d->blocks.max = max_bytes / DEFRAG_BLOCK;
    if (d->blocks.max < BLOCKS)
        d->blocks.max = BLOCKS;
    while (n < d->datagrams.max)
        n *= 2;
    d->mask = n - 1;
    d->seed = (uint64_t)(uintptr_t)d; /* no order depends on the hash */
    d->table = calloc(n, sizeof(*d->table));
    if (d->table == NULL) {
        free(d);
        return NULL;
    }
    return d;
}

void
defrag_free(struct defrag *d)
{
    if (d == NULL)
        return;
    pool_fini(&d->datagrams);
    pool_fini(&d->blocks);
    free(d->table);
    free(d);
}

const struct defrag_counts *
defrag_counts(const struct defrag *d)
{
    return &d->counts;
}

size_t
defrag_bytes(const struct defrag *d)
{
    return d->blocks.used * DEFRAG_BLOCK;
}

size_t
defrag_waiting(const struct defrag *d)
{
    return d->waiting.n;
}

void
defrag_deny(struct defrag *d, bool (*deny)(void *ctx), void *ctx)
{
    d->datagrams.deny = d->blocks.deny = deny;
    d->datagrams.deny_ctx = d->blocks.deny_ctx = ctx;
}
