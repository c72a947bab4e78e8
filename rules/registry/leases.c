#include "rules/registry/leases.h"

#include <stdlib.h>

#include "rules/registry/leases_entry.h"
#include "rules/registry/prefix_map.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#define PROBES_MAX  32 /* host names are chosen by clients: no long runs */
#define CHUNK_BYTES (1U << 16)

struct row {
    struct lease lease;
    uint32_t order; /* in which it was read */
    enum leases_kind kind;
};

/* Texts that many leases share, kept once each. */
struct chunk {
    struct chunk *next;
    size_t used;
    char bytes[CHUNK_BYTES];
};

struct texts {
    const char **slots; /* a hash table, NULL: free */
    size_t n, n_slots;  /* a power of two */
    struct chunk *chunks;
};

struct leases {
    struct row *rows;
    size_t n, cap;
    struct texts texts;
    struct prefix_map *map; /* an address to its first row */
};

/* ---- texts ---- */

static size_t
text_slot(const struct texts *t, struct span s)
{
    return hash_span(s, 0) & (t->n_slots - 1);
}

static bool
texts_grow(struct texts *t)
{
    struct texts bigger = {NULL, 0, t->n_slots > 0 ? 2 * t->n_slots : 1024,
                           t->chunks};

    if (2 * (t->n + 1) <= t->n_slots)
        return true;
    bigger.slots = calloc(bigger.n_slots, sizeof(*bigger.slots));
    if (bigger.slots == NULL)
        return false;
    for (size_t i = 0; i < t->n_slots; i++) {
        size_t at;

        if (t->slots[i] == NULL)
            continue;
        at = text_slot(&bigger, span_str(t->slots[i]));
        for (unsigned k = 0; k < PROBES_MAX && bigger.slots[at] != NULL; k++)
            at = (at + 1) & (bigger.n_slots - 1);
        if (bigger.slots[at] != NULL)
            continue;
        bigger.slots[at] = t->slots[i];
        bigger.n++;
    }
    free(t->slots);
    *t = bigger;
    return true;
}

static const char *
text_store(struct texts *t, struct span s)
{
    struct chunk *c = t->chunks;
    char *at;

    if (c == NULL || s.n + 1 > CHUNK_BYTES - c->used) {
        c = malloc(sizeof(*c));
        if (c == NULL)
            return NULL;
        c->next = t->chunks;
        c->used = 0;
        t->chunks = c;
    }
    at = c->bytes + c->used;
    memcpy(at, s.p, s.n);
    at[s.n] = '\0';
    c->used += s.n + 1;
    return at;
}

/* s has at most LEASES_HOLDER_MAX bytes and no NUL. */
static const char *
text_get(struct texts *t, struct span s)
{
    const char *text;
    size_t at;

    if (s.n == 0)
        return "";
    if (!texts_grow(t))
        return NULL;
    at = text_slot(t, s);
    for (unsigned k = 0; k < PROBES_MAX && t->slots[at] != NULL; k++) {
        if (span_eq(span_str(t->slots[at]), s))
            return t->slots[at];
        at = (at + 1) & (t->n_slots - 1);
    }
    text = text_store(t, s);
    if (text != NULL && t->slots[at] == NULL) {
        t->slots[at] = text;
        t->n++;
    }
    return text;
}

static void
texts_free(struct texts *t)
{
    for (struct chunk *c = t->chunks; c != NULL;) {
        struct chunk *next = c->next;

        free(c);
        c = next;
    }
    free(t->slots);
}

/* ---- what the readers use ---- */

void
leases_hex(struct span bytes, struct buf *out)
{
    for (size_t i = 0; i < bytes.n; i++) {
        if (i > 0)
            buf_putc(out, ':');
        text_hex(out, (struct span){bytes.p + i, 1});
    }
}

static int
digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A byte of one or two digits (ISC writes one for those below 16) at the head
 * of text; gives its length, or 0. */
static size_t
hex_byte(struct span text, uint8_t *out)
{
    int high = digit(span_at(text, 0));
    int low = digit(span_at(text, 1));

    if (high < 0)
        return 0;
    *out = (uint8_t)(low < 0 ? high : high * 16 + low);
    return low < 0 ? 1 : 2;
}

bool
leases_hex_text(struct span text, struct buf *out)
{
    for (;;) {
        uint8_t byte = 0;
        size_t n = hex_byte(text, &byte);

        if (n == 0)
            return false;
        text_hex(out, span_of(&byte, 1));
        if (n == text.n)
            return true;
        if (text.p[n] != ':' && text.p[n] != '-')
            return false;
        buf_putc(out, ':');
        text = span_tail(text, n + 1);
    }
}

bool
leases_seconds(struct span text, ns_t *out)
{
    uint64_t s;

    return span_to_u64(text, &s) && !__builtin_mul_overflow(s, NS_PER_S, out);
}

void
leases_fault(struct leases_input *in, size_t line, struct span value,
             const char *what)
{
    if (++*in->faulty > LEASES_FAULTS)
        return;
    text_term(in->messages, span_str(in->name));
    buf_printf(in->messages, ":%zu: ", line);
    if (value.n > 0) {
        buf_putc(in->messages, '"');
        text_term(in->messages, span_head(value, 60));
        buf_str(in->messages, "\" ");
    }
    buf_printf(in->messages, "%s; the entry is left out\n", what);
}

/* Whole characters, as many as there is room for. */
static void
put_name(struct span name, struct buf *out)
{
    while (name.n > 0) {
        size_t n = utf8_len(name);
        size_t before = out->n;

        text_term(out, span_head(name, n > 0 ? n : 1));
        if (out->n > LEASES_NAME_MAX) {
            out->n = before;
            return;
        }
        name = span_tail(name, n > 0 ? n : 1);
    }
}

static void
put_holder(struct span holder, struct buf *out)
{
    size_t kept = LEASES_HOLDER_MAX - 17;

    if (holder.n <= LEASES_HOLDER_MAX) {
        buf_span(out, holder);
        return;
    }
    buf_span(out, span_head(holder, kept));
    buf_printf(out, "~%016llx", (unsigned long long)hash_span(holder, 0));
}

static bool
rows_grow(struct leases *l)
{
    size_t cap = l->cap > 0 ? l->cap * 2 : 256;
    struct row *rows;

    if (l->n < l->cap)
        return true;
    rows = reallocarray(l->rows, cap, sizeof(*rows));
    if (rows == NULL)
        return false;
    l->rows = rows;
    l->cap = cap;
    return true;
}

bool
leases_add(struct leases_input *in, const struct leases_entry *e)
{
    struct leases *l = in->leases;
    struct row r = {
        {e->addr, e->start, e->end, 0, NULL, NULL},
        (uint32_t)l->n, e->kind
    };

    if (l->n == LEASES_MAX) {
        in->err = ERR_LIMIT;
        return false;
    }
    buf_reset(&in->room);
    put_holder(e->holder, &in->room);
    r.lease.holder = text_get(&l->texts, buf_view(&in->room));
    buf_reset(&in->room);
    put_name(e->name, &in->room);
    r.lease.name = text_get(&l->texts, buf_view(&in->room));
    if (r.lease.holder == NULL || r.lease.name == NULL || !rows_grow(l)) {
        in->err = ERR_NOMEM;
        return false;
    }
    l->rows[l->n++] = r;
    return true;
}

/* ---- reading ---- */

enum err
leases_new(struct leases **out)
{
    struct leases *l = calloc(1, sizeof(*l));

    if (l == NULL)
        return ERR_NOMEM;
    *out = l;
    return ERR_OK;
}

void
leases_free(struct leases *l)
{
    if (l == NULL)
        return;
    prefix_map_free(l->map);
    texts_free(&l->texts);
    free(l->rows);
    free(l);
}

enum err
leases_read(struct leases *l, struct span text, const char *name,
            size_t *faulty, struct buf *messages)
{
    struct leases_input in = {.leases = l,
                              .text = text,
                              .name = name,
                              .faulty = faulty,
                              .messages = messages};
    size_t before = l->n;

    *faulty = 0;
    if (span_starts(text, SPAN_LIT("\xef\xbb\xbf")))
        in.text = span_tail(text, 3);
    if (span_trim(in.text).n == 0)
        return ERR_OK;
    buf_init(&in.room, 1024);
    if (leases_csv_is(in.text))
        leases_csv_read(&in);
    else
        leases_isc_read(&in);
    buf_free(&in.room);
    if (in.err == ERR_OK && !in.understood)
        in.err = ERR_FORMAT;
    if (in.err != ERR_OK)
        l->n = before;
    return in.err;
}

/* ---- sorting out ---- */

static int
by_time(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;
    int order = addr_cmp(&x->lease.addr, &y->lease.addr);

    if (order != 0)
        return order;
    if (x->lease.start != y->lease.start)
        return x->lease.start < y->lease.start ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool
is_renewal(const struct lease *old, const struct lease *new)
{
    ns_t late = old->end < LEASES_OPEN - LEASES_GAP ? old->end + LEASES_GAP
                                                    : LEASES_OPEN;

    return old->holder[0] != '\0' && strcmp(old->holder, new->holder) == 0 &&
           new->start <= late;
}

static void
cut(struct lease *old, ns_t when)
{
    if (old->end > when)
        old->end = when;
}

/* What r, the next of this address, makes of the lease before it; true when it
 * is a lease of its own. */
static bool
follow(struct lease *old, const struct row *r)
{
    switch (r->kind) {
    case LEASES_BACK:
        /* Kea writes the start of the lease when it knows no better. */
        if (r->lease.start > old->start &&
            strcmp(old->holder, r->lease.holder) == 0)
            cut(old, r->lease.start);
        return false;
    case LEASES_REFUSED: cut(old, r->lease.start); return false;
    case LEASES_HELD: break;
    }
    if (is_renewal(old, &r->lease)) {
        old->end = r->lease.end;
        if (r->lease.name[0] != '\0')
            old->name = r->lease.name;
        return false;
    }
    cut(old, r->lease.start);
    return true;
}

static uint64_t
identity(const struct lease *l)
{
    uint64_t id = hash_mix(hash_span(span_of(l->addr.b, 16), 0), l->start);

    id = hash_mix(id, hash_span(span_str(l->holder), 0));
    return id != 0 ? id : 1;
}

static bool
is_same_addr(const struct lease *a, const struct lease *b)
{
    return addr_cmp(&a->addr, &b->addr) == 0;
}

/* Puts r behind the n leases sorted out so far, of which the last may have the
 * same address; gives how many there are then. A lease that is cut at its start
 * never was: the one before it is looked at again. */
static size_t
put_behind(struct row *rows, size_t n, const struct row *r)
{
    bool own = r->kind == LEASES_HELD;
    bool again = n > 0;

    while (again && is_same_addr(&rows[n - 1].lease, &r->lease)) {
        struct lease *old = &rows[n - 1].lease;

        own = follow(old, r);
        again = own && old->end <= old->start && --n > 0;
    }
    if (own)
        rows[n++] = *r;
    return n;
}

static void
join(struct leases *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct row r = l->rows[i];

        n = put_behind(l->rows, n, &r);
    }
    l->n = n;
}

static void
drop_empty(struct leases *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        if (l->rows[i].lease.end <= l->rows[i].lease.start)
            continue;
        l->rows[n] = l->rows[i];
        l->rows[n].lease.id = identity(&l->rows[n].lease);
        n++;
    }
    l->n = n;
}

enum err
leases_done(struct leases *l)
{
    struct prefix_item *items;
    size_t n = 0;
    enum err e;

    if (l->n > 0)
        qsort(l->rows, l->n, sizeof(*l->rows), by_time);
    join(l);
    drop_empty(l);
    items = calloc(l->n + 1, sizeof(*items));
    if (items == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < l->n; i++) {
        if (i == 0 || !is_same_addr(&l->rows[i - 1].lease, &l->rows[i].lease))
            items[n++] = (struct prefix_item){
                {l->rows[i].lease.addr, 128},
                (uint32_t)i
            };
    }
    e = prefix_map_new(items, n, &l->map, NULL);
    free(items);
    return e;
}

/* ---- asking ---- */

size_t
leases_n(const struct leases *l)
{
    return l->n;
}

const struct lease *
leases_at(const struct leases *l, size_t i)
{
    return &l->rows[i].lease;
}

/* Row i is of another address, or begins later. */
static bool
is_behind(const struct leases *l, size_t i, const struct addr *a, ns_t when)
{
    return addr_cmp(&l->rows[i].lease.addr, a) != 0 ||
           l->rows[i].lease.start > when;
}

/* The last row from `from` on that is not behind, which from is not. Doubled
 * steps out, halved steps in: most addresses have few leases. */
static size_t
last_begun(const struct leases *l, size_t from, const struct addr *a, ns_t when)
{
    size_t step = 1;

    while (step < l->n - from && !is_behind(l, from + step, a, when))
        step *= 2;
    for (; step > 0; step /= 2) {
        if (step < l->n - from && !is_behind(l, from + step, a, when))
            from += step;
    }
    return from;
}

const struct lease *
leases_find(const struct leases *l, const struct addr *a, ns_t when)
{
    uint32_t place = prefix_map_find(l->map, a);
    size_t first;
    const struct lease *last;

    if (place == PREFIX_MAP_NONE)
        return NULL;
    first = prefix_map_value(l->map, place);
    if (is_behind(l, first, a, when))
        return NULL;
    last = &l->rows[last_begun(l, first, a, when)].lease;
    return when < last->end ? last : NULL;
}
