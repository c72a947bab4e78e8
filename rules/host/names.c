#include "rules/host/names.h"

#include <stdlib.h>

#include "rules/host/distinct.h"
#include "sensor/base/frame.h"
#include "sensor/base/hash.h"
#include "sensor/base/ways.h"

#define KIND         UINT64_C(0x31736d616e353273) /* "s25nams1" */
#define DNS_NAME_MAX 253U
#define ANSWERS_MAX  16U
#define HOUR         ((ns_t)3600 * 1000000000)
#define DAY          (24 * HOUR)

/* An answer said: this address has this name, or this name that address. */
struct fact {
    struct way way;
};

struct host {
    struct way way;
    ns_t reverse, forward; /* when the answers were */
    uint8_t n;
    char text[NAMES_TEXT];
};

struct client {
    struct way way;
    uint64_t hour;
    struct distinct now, before;
};

enum { REVERSE, FORWARD, HOSTS, CLIENTS, RESOLVERS, TABLES };

static const struct {
    size_t size, n;
} shapes[TABLES] = {
    [REVERSE] = {sizeof(struct fact),   NAMES_FACTS    },
    [FORWARD] = {sizeof(struct fact),   NAMES_FACTS    },
    [HOSTS] = {sizeof(struct host),   NAMES_HOSTS    },
    [CLIENTS] = {sizeof(struct client), NAMES_CLIENTS  },
    [RESOLVERS] = {sizeof(struct way),    NAMES_RESOLVERS},
};

struct names {
    uint64_t seed;
    ns_t now;
    uint64_t answers, too_long;
    struct ways tables[TABLES];
};

void
names_free(struct names *n)
{
    if (n == NULL)
        return;
    for (unsigned i = 0; i < TABLES; i++)
        ways_fini(&n->tables[i]);
    free(n);
}

enum err
names_new(uint64_t seed, struct names **out)
{
    struct names *n = calloc(1, sizeof(*n));

    if (n == NULL)
        return ERR_NOMEM;
    n->seed = seed;
    for (unsigned i = 0; i < TABLES; i++) {
        if (ways_init(&n->tables[i], shapes[i].size, shapes[i].n) != ERR_OK) {
            names_free(n);
            return ERR_NOMEM;
        }
    }
    *out = n;
    return ERR_OK;
}

/* ---- keys ---- */

/* A name in lower case without its last dot. */
struct lower {
    uint8_t b[DNS_NAME_MAX];
    size_t n;
};

static bool
lower_of(struct span name, struct lower *out)
{
    if (span_at(name, name.n - 1) == '.')
        name = span_head(name, name.n - 1);
    if (name.n == 0 || name.n > DNS_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        uint8_t c = span_at(name, i);

        out->b[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
    }
    out->n = name.n;
    return true;
}

static struct span
lower_view(const struct lower *l)
{
    return span_of(l->b, l->n);
}

static uint64_t
addr_key(const struct names *n, const struct addr *a)
{
    uint64_t h = hash_span(span_of(a->b, sizeof(a->b)), n->seed);

    return h != 0 ? h : 1;
}

static uint64_t
pair_key(const struct names *n, const struct addr *a, const struct lower *name)
{
    uint64_t h = hash_span(lower_view(name), addr_key(n, a));

    return h != 0 ? h : 1;
}

/* ---- reverse names, RFC 1035 3.5 and RFC 3596 2.5 ---- */

/* The label at the end of s, which loses it. */
static struct span
last_label(struct span *s)
{
    const uint8_t *dot = s->n > 0 ? memrchr(s->p, '.', s->n) : NULL;
    struct span label = *s;

    if (dot == NULL) {
        *s = SPAN_NONE;
        return label;
    }
    label = span_tail(*s, (size_t)(dot - s->p) + 1);
    *s = span_head(*s, (size_t)(dot - s->p));
    return label;
}

static bool
reverse_v4(struct span s, struct addr *out)
{
    uint8_t b[4];

    for (unsigned i = 0; i < 4; i++) {
        uint64_t v;

        if (!span_to_u64(last_label(&s), &v) || v > UINT8_MAX)
            return false;
        b[i] = (uint8_t)v;
    }
    *out = addr_v4(b);
    return s.n == 0;
}

static bool
nibble_of(struct span label, uint8_t *out)
{
    uint8_t c = span_at(label, 0);

    if (label.n != 1)
        return false;
    if (c >= '0' && c <= '9')
        *out = (uint8_t)(c - '0');
    else if (c >= 'a' && c <= 'f')
        *out = (uint8_t)(c - 'a' + 10);
    else
        return false;
    return true;
}

static bool
reverse_v6(struct span s, struct addr *out)
{
    uint8_t b[16] = {0};

    for (unsigned i = 0; i < 32; i++) {
        uint8_t v;

        if (!nibble_of(last_label(&s), &v))
            return false;
        b[i / 2] = (uint8_t)(b[i / 2] << 4 | v);
    }
    *out = addr_v6(b);
    return s.n == 0;
}

static bool
reverse_of(const struct lower *name, struct addr *out)
{
    static const struct {
        struct span tail;
        bool (*read)(struct span s, struct addr *out);
    } zones[] = {
        {SPAN_INIT(".in-addr.arpa"), reverse_v4},
        {SPAN_INIT(".ip6.arpa"),     reverse_v6},
    };
    struct span s = lower_view(name);

    for (size_t i = 0; i < ARRAY_LEN(zones); i++) {
        struct span tail = zones[i].tail;

        if (s.n > tail.n && span_eq(span_tail(s, s.n - tail.n), tail))
            return zones[i].read(span_head(s, s.n - tail.n), out);
    }
    return false;
}

/* ---- names ---- */

static bool
is_fresh(ns_t when, ns_t now, unsigned days)
{
    return now <= when || now - when <= days * DAY;
}

static void
confirm(struct names *n, const struct addr *a, const struct lower *name,
        ns_t reverse, ns_t forward)
{
    struct host *h;
    bool fresh;

    if (name->n > NAMES_TEXT) {
        n->too_long++;
        return;
    }
    h = ways_take(&n->tables[HOSTS], addr_key(n, a), n->now, &fresh);
    h->reverse = reverse;
    h->forward = forward;
    h->n = (uint8_t)name->n;
    memcpy(h->text, name->b, name->n);
}

/* An answer of one kind: is there one of the other? */
static void
learn(struct names *n, unsigned kind, const struct addr *a,
      const struct lower *name)
{
    uint64_t key = pair_key(n, a, name);
    const struct fact *other =
        ways_find(&n->tables[REVERSE + FORWARD - kind], key);
    bool fresh;

    (void)ways_take(&n->tables[kind], key, n->now, &fresh);
    if (other == NULL || !is_fresh(other->way.last, n->now, NAMES_DAYS))
        return;
    confirm(n, a, name, kind == REVERSE ? n->now : other->way.last,
            kind == FORWARD ? n->now : other->way.last);
}

static void
on_answer(struct names *n, unsigned kind, const struct lower *asked,
          struct span answer)
{
    struct lower name;
    struct addr a;

    if (kind == FORWARD) {
        if (addr_parse(answer, &a))
            learn(n, FORWARD, &a, asked);
    } else if (lower_of(answer, &name) && reverse_of(asked, &a)) {
        learn(n, REVERSE, &a, &name);
    }
}

static void
on_names(struct names *n, const struct record_map *event, unsigned kind,
         const struct lower *asked)
{
    struct cursor c = record_map_list(event, FIELD_DNS_ANSWERS);
    struct record_entry e;

    for (unsigned i = 0;
         i < ANSWERS_MAX && record_next(&c, &e) && e.field == FIELD_DNS_ANSWERS;
         i++)
        on_answer(n, kind, asked, e.value);
}

/* ---- lookups ---- */

static void
on_mx(struct names *n, const struct record_map *event,
      const struct lower *asked)
{
    uint64_t hour = n->now / HOUR;
    struct client *c;
    struct addr a;
    bool fresh;

    if (!record_map_addr(event, FIELD_SRC_IP, &a))
        return;
    c = ways_take(&n->tables[CLIENTS], addr_key(n, &a), n->now, &fresh);
    if (c->hour != hour) {
        static const struct distinct none;

        c->before = c->hour + 1 == hour ? c->now : none;
        c->now = none;
        c->hour = hour;
    }
    (void)distinct_add(&c->now,
                       (uint32_t)hash_span(lower_view(asked), n->seed));
}

static void
on_resolver(struct names *n, const struct record_map *event)
{
    struct addr a;
    bool fresh;

    if (record_map_addr(event, FIELD_DEST_IP, &a))
        (void)ways_take(&n->tables[RESOLVERS], addr_key(n, &a), n->now, &fresh);
}

void
names_event(struct names *n, const struct record_map *event)
{
    static const struct {
        const char *word;
        unsigned kind;
    } types[] = {
        {"PTR",  REVERSE},
        {"A",    FORWARD},
        {"AAAA", FORWARD},
    };
    struct record_head head = record_head_of(event->record);
    struct lower asked;

    if (head.type != EVENT_DNS)
        return;
    if (head.when > n->now)
        n->now = head.when;
    n->answers++;
    on_resolver(n, event);
    if (!lower_of(record_map_find(event, FIELD_DNS_RRNAME), &asked))
        return;
    if (record_map_is(event, FIELD_DNS_RRTYPE, "MX"))
        on_mx(n, event, &asked);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (record_map_is(event, FIELD_DNS_RRTYPE, types[i].word))
            on_names(n, event, types[i].kind, &asked);
    }
}

/* ---- questions ---- */

bool
names_observed(const struct names *n)
{
    return n->answers > 0;
}

struct span
names_of(const struct names *n, const struct addr *a, ns_t now)
{
    const struct host *h = ways_find(&n->tables[HOSTS], addr_key(n, a));

    if (h == NULL || !is_fresh(h->reverse, now, NAMES_DAYS) ||
        !is_fresh(h->forward, now, NAMES_DAYS))
        return SPAN_NONE;
    return span_of(h->text, h->n);
}

static bool
has_fact(const struct names *n, unsigned kind, uint64_t key, ns_t now)
{
    const struct fact *f = ways_find(&n->tables[kind], key);

    return f != NULL && is_fresh(f->way.last, now, NAMES_DAYS);
}

bool
names_is(const struct names *n, const struct addr *a, struct span name,
         ns_t now)
{
    struct lower want;
    uint64_t key;

    if (!lower_of(name, &want))
        return false;
    if (span_eq(names_of(n, a, now), lower_view(&want)))
        return true;
    key = pair_key(n, a, &want);
    return has_fact(n, REVERSE, key, now) && has_fact(n, FORWARD, key, now);
}

bool
names_mx(const struct names *n, const struct addr *client, ns_t now,
         uint32_t *out)
{
    static const struct distinct none;
    uint64_t key = addr_key(n, client);
    const struct client *c = ways_find(&n->tables[CLIENTS], key);
    const struct way *r = ways_find(&n->tables[RESOLVERS], key);
    const struct distinct *this = &none, *before = &none;
    uint64_t seen, more;

    if (n->answers == 0 ||
        (r != NULL && is_fresh(r->last, now, NAMES_RESOLVER_DAYS)))
        return false;
    if (c != NULL && c->hour >= now / HOUR) {
        this = &c->now;
        before = &c->before;
    } else if (c != NULL && c->hour + 1 == now / HOUR) {
        before = &c->now;
    }
    seen = distinct_count(this);
    more = distinct_union(this, before);
    more = more > seen ? more - seen : 0;
    *out = (uint32_t)(seen + (more * (HOUR - now % HOUR) + HOUR / 2) / HOUR);
    return true;
}

/* ---- snapshots ---- */

enum err
names_save(const struct names *n, struct buf *out)
{
    size_t at = out->n;

    frame_begin(out, KIND, n->seed);
    frame_u64(out, n->now);
    frame_u64(out, n->answers);
    frame_u64(out, n->too_long);
    for (unsigned i = 0; i < TABLES; i++)
        ways_save(&n->tables[i], out);
    return frame_end(out, at);
}

/* Lengths that code below relies on. */
static bool
is_sane(const struct names *n)
{
    for (size_t i = 0; i < NAMES_HOSTS; i++) {
        const struct host *h = (const struct host *)n->tables[HOSTS].base + i;

        if (h->n > NAMES_TEXT)
            return false;
    }
    for (size_t i = 0; i < NAMES_CLIENTS; i++) {
        const struct client *c =
            (const struct client *)n->tables[CLIENTS].base + i;

        if (c->now.n > DISTINCT_EXACT || c->before.n > DISTINCT_EXACT)
            return false;
    }
    return true;
}

static bool
load_tables(struct names *n, struct cursor *c)
{
    n->now = cur_le64(c);
    n->answers = cur_le64(c);
    n->too_long = cur_le64(c);
    for (unsigned i = 0; i < TABLES; i++) {
        if (!ways_load(&n->tables[i], c))
            return false;
    }
    return cur_left(c) == 0 && !c->bad && is_sane(n);
}

enum err
names_load(struct names *n, struct span snapshot)
{
    struct cursor c;
    struct names *fresh;
    struct names old = *n;
    enum err e = frame_open(snapshot, KIND, n->seed, &c);

    if (e == ERR_OK)
        e = names_new(n->seed, &fresh);
    if (e != ERR_OK)
        return e;
    if (load_tables(fresh, &c)) {
        *n = *fresh;
        *fresh = old;
    } else {
        e = ERR_CORRUPT;
    }
    names_free(fresh);
    return e;
}

struct names_counts
names_counts(const struct names *n)
{
    struct names_counts c = {
        .answers = n->answers,
        .too_long = n->too_long,
        .confirmed = ways_count(&n->tables[HOSTS]),
        .memory_bytes = sizeof(*n),
    };

    for (unsigned i = 0; i < TABLES; i++) {
        c.evicted += n->tables[i].evicted;
        c.memory_bytes += n->tables[i].size * n->tables[i].n;
    }
    return c;
}
