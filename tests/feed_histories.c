/* feed_histories - random histories of block lists, against a slow model
 *
 * Usage: feed_histories [--histories N] [--seed S]
 * A history is a dozen sets, each made after the last one: decisions come, go
 * and lie within one another in a /26 and in sixteen /64, some of them broken;
 * registered, permitted, excepted and protected ranges come and go; time goes
 * on by nothing, minutes or hours; the limits are small and the history's own.
 * The model looks at every address, and asks of each set what PEERS 4.4 wants:
 * nothing listed that must not be, nothing wider than allowed, nothing twice,
 * no more than the caps, an end to everything; and, where no cap bit, exactly
 * what the decisions in force say, for exactly as long. Now and then the set is
 * rendered, and a list read back is the same set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/feed/render.h"
#include "rules/registry/permits_read.h"

#define SEED      UINT64_C(0xfeed)
#define HISTORIES 10000
#define STEPS     12
#define ENTRIES   16
#define NEVERS    8
#define V4        64
#define V6        32 /* two addresses in each /64 */
#define PROBES    (V4 + V6)
#define S         NS_PER_S
#define BEGIN     (UINT64_C(1700000000) * S)
#define LOG_MAX   (STEPS * ENTRIES)

static uint64_t
next(uint64_t *r)
{
    uint64_t z = *r += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned
below(uint64_t *r, unsigned n)
{
    return (unsigned)((next(r) >> 33) % n);
}

static uint64_t seed_now;

#define CHECK(cond)                                                            \
    do {                                                                       \
        if (!(cond)) {                                                         \
            fprintf(stderr, "seed %llu: %s (line %d)\n",                       \
                    (unsigned long long)seed_now, #cond, __LINE__);            \
            exit(1);                                                           \
        }                                                                      \
    } while (0)

/* ---- the model: one address at a time ---- */

struct world {
    struct feed_entry entries[ENTRIES];
    size_t n;
    struct feed_never never[NEVERS];
    size_t n_never;
    struct feed_limits l;
    ns_t now;
    struct feed last;
    bool has_last;
    bool good[ENTRIES]; /* in_force, at this step */
    bool was[PROBES];   /* listed by the last set and not over by itself */
    ns_t came[LOG_MAX];
    size_t n_came;
    uint64_t rng;
};

static struct addr
probe(size_t i)
{
    uint8_t a[16] = {0x20, 0x01, 0x0d, 0xb8};
    const uint8_t b[4] = {10, 9, 8, (uint8_t)i};

    if (i < V4)
        return addr_v4(b);
    a[7] = (uint8_t)((i - V4) / 2);
    a[15] = (uint8_t)(1 + (i - V4) % 2);
    return addr_v6(a);
}

static bool
in_prefix(const struct prefix *p, const struct addr *a)
{
    const unsigned whole = p->bits / 8;
    const unsigned rest = p->bits % 8;

    return memcmp(p->addr.b, a->b, whole) == 0 &&
           (rest == 0 || (p->addr.b[whole] ^ a->b[whole]) >> (8 - rest) == 0);
}

static bool
is_never(const struct world *w, const struct addr *a)
{
    for (size_t i = 0; i < w->n_never; i++) {
        const struct permits_range *r = &w->never[i].range;

        if (memcmp(r->first.b, a->b, 16) <= 0 &&
            memcmp(a->b, r->last.b, 16) <= 0)
            return true;
    }
    return false;
}

static bool
four(const struct prefix *p)
{
    static const uint8_t head[12] = {[10] = 0xff, [11] = 0xff};

    return memcmp(p->addr.b, head, 12) == 0;
}

static bool
is_hash(struct span s)
{
    if (s.n != 64)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (strchr("0123456789abcdef", s.p[i]) == NULL || s.p[i] == 0)
            return false;
    }
    return true;
}

static bool
is_whole(const struct prefix *p)
{
    if (p->bits > 128)
        return false;
    for (unsigned i = p->bits; i < 128; i++) {
        if ((p->addr.b[i / 8] >> (7 - i % 8) & 1) != 0)
            return false;
    }
    return true;
}

/* May this entry stop anybody now? */
static bool
in_force(const struct world *w, const struct feed_entry *e)
{
    const unsigned bits =
        four(&e->prefix) ? e->prefix.bits - 96U : e->prefix.bits;
    const uint64_t widest = four(&e->prefix) ? w->l.widest_v4 : w->l.widest_v6;

    return is_whole(&e->prefix) && bits >= widest && e->until > w->now &&
           e->since <= w->now &&
           (e->origin != FEED_DETECTOR || is_hash(e->evidence)) &&
           (e->prefix.addr.b[12] == 10 || !four(&e->prefix)) &&
           (four(&e->prefix) || e->prefix.addr.b[0] == 0x20);
}

/* Until when the decisions want this address stopped; 0: not. */
static ns_t
wanted(const struct world *w, const struct addr *a)
{
    const ns_t most = w->now + w->l.longest_s * S;
    ns_t until = 0;

    for (size_t i = 0; i < w->n; i++) {
        const struct feed_entry *e = &w->entries[i];
        const ns_t own = e->until < most ? e->until : most;

        if (w->good[i] && in_prefix(&e->prefix, a) && own > until)
            until = own;
    }
    return is_never(w, a) ? 0 : until;
}

/* ---- one set looked at ---- */

static const struct feed_item *
listed(const struct feed *f, const struct addr *a)
{
    for (size_t i = 0; i < f->n; i++) {
        if (in_prefix(&f->v[i].prefix, a))
            return &f->v[i];
    }
    return NULL;
}

static bool
meets_never(const struct world *w, const struct prefix *p)
{
    uint8_t last[16];

    memcpy(last, p->addr.b, 16);
    for (unsigned i = p->bits; i < 128; i++)
        last[i / 8] |= (uint8_t)(0x80 >> i % 8);
    for (size_t i = 0; i < w->n_never; i++) {
        if (memcmp(w->never[i].range.first.b, last, 16) <= 0 &&
            memcmp(p->addr.b, w->never[i].range.last.b, 16) <= 0)
            return true;
    }
    return false;
}

static void
look_at_item(const struct world *w, const struct feed *f, size_t i)
{
    const struct feed_item *x = &f->v[i];
    const struct prefix *p = &x->prefix;

    CHECK(is_whole(p));
    CHECK(four(p) ? p->bits - 96U >= w->l.widest_v4
                  : p->bits >= w->l.widest_v6);
    CHECK(!meets_never(w, p));
    CHECK(w->good[x->entry]);
    CHECK(x->until > w->now && x->until <= w->now + w->l.longest_s * S);
    CHECK(feed_end(f, x) <= w->now + w->l.deadman_s * S);
    CHECK(feed_left(f, x, w->now) * S <= x->until - w->now);
    if (i > 0) {
        CHECK(memcmp(f->v[i - 1].prefix.addr.b, p->addr.b, 16) < 0);
        CHECK(!in_prefix(&f->v[i - 1].prefix, &p->addr));
    }
}

static void
look_at_caps(struct world *w, const struct feed *f)
{
    bool fresh[ENTRIES] = {false};
    uint64_t added = 0, hour = 0;

    CHECK(f->n <= w->l.total);
    for (size_t i = 0; i < PROBES; i++) {
        const struct addr a = probe(i);
        const struct feed_item *x = listed(f, &a);

        if (x != NULL && !w->was[i])
            fresh[x->entry] = true;
    }
    for (size_t i = 0; i < ENTRIES; i++)
        added += fresh[i];
    /* a /64 is more than its two addresses here: it may be new beside them */
    CHECK(f->added >= added);
    for (uint64_t i = 0; i < f->added; i++)
        w->came[w->n_came++] = w->now;
    for (size_t i = 0; i < w->n_came; i++)
        hour += w->came[i] + 3600 * S > w->now;
    CHECK(hour <= w->l.hour);
}

static void
look_at_what(const struct world *w, const struct feed *f)
{
    const bool all = f->counts[FEED_WHY_CAP_TOTAL] == 0 &&
                     f->counts[FEED_WHY_CAP_HOUR] == 0 &&
                     f->counts[FEED_WHY_PIECES] == 0;

    for (size_t i = 0; i < PROBES; i++) {
        const struct addr a = probe(i);
        const struct feed_item *x = listed(f, &a);
        const ns_t until = wanted(w, &a);

        CHECK(x == NULL || (until != 0 && x->until <= until));
        if (all)
            CHECK(until == (x != NULL ? x->until : 0));
    }
}

static void
look_at_notes(const struct world *w, const struct feed *f)
{
    uint64_t counts[FEED_WHY_COUNT] = {0};

    for (size_t i = 0; i < f->n_notes; i++) {
        const struct feed_note *x = &f->notes[i];
        bool is = false;

        CHECK(x->entry < w->n && x->why != 0);
        CHECK(i == 0 || f->notes[i - 1].entry < x->entry);
        for (size_t k = 0; k < f->n; k++)
            is = is || f->v[k].entry == x->entry;
        CHECK(is == x->listed);
        for (unsigned k = 0; k < FEED_WHY_COUNT; k++)
            counts[k] += x->why >> k & 1;
    }
    CHECK(memcmp(counts, f->counts, sizeof(counts)) == 0);
    /* who is in no note is in the list whole */
    for (size_t i = 0; i < w->n; i++) {
        bool noted = false, is = false;

        for (size_t k = 0; k < f->n_notes; k++)
            noted = noted || f->notes[k].entry == i;
        for (size_t k = 0; k < f->n; k++)
            is = is || f->v[k].entry == i;
        CHECK(noted || is || !w->good[i] || w->entries[i].prefix.bits < 128);
    }
}

/* ---- rendered ---- */

static void
look_at_list(const struct world *w, const struct feed *f)
{
    const struct render_options o = {.vendor = RENDER_PLAIN, .now = w->now};
    struct buf text, messages;
    struct permits_list l;
    size_t left = 0;

    buf_init(&text, 1 << 20);
    buf_init(&messages, 4096);
    CHECK(render(f, RENDER_LIST, &o, &text) == ERR_OK);
    CHECK(permits_read(buf_view(&text), "l", &l, &messages) == ERR_OK);
    CHECK(l.faulty == 0);
    for (size_t i = 0; i < f->n; i++) {
        const struct permits_range r = permits_range_of(&f->v[i].prefix);

        if (feed_left(f, &f->v[i], w->now) == 0)
            continue;
        CHECK(left < l.n);
        CHECK(memcmp(l.v[left].range.first.b, r.first.b, 16) == 0 &&
              memcmp(l.v[left].range.last.b, r.last.b, 16) == 0);
        left++;
    }
    CHECK(left == l.n);
    for (unsigned i = 0; i < RENDER_FORMAT_COUNT; i++) {
        buf_reset(&text);
        CHECK(render(f, (enum render_format)i, &o, &text) == ERR_OK);
        CHECK(i == RENDER_JSON || i == RENDER_CROWDSEC ||
              span_search(buf_view(&text), SPAN_LIT("; flush")) == text.n);
    }
    permits_list_fini(&l);
    buf_free(&text);
    buf_free(&messages);
}

/* ---- the history ---- */

static struct prefix
some_prefix(uint64_t *r)
{
    static const char *const odd[] = {
        "0.0.0.0/0", "::/0",  "224.0.0.1",   "127.0.0.1",
        "fe80::/64", "::/64", "10.9.0.0/16", "2001:db8::/32"};
    struct prefix p;

    if (below(r, 12) == 0) {
        CHECK(prefix_parse(span_str(odd[below(r, 8)]), &p));
        return p;
    }
    if (below(r, 3) > 0) {
        const unsigned host = below(r, 2) == 0 ? 0 : below(r, 6);

        p.addr = probe(below(r, V4) >> host << host);
        p.bits = (uint8_t)(128 - host);
    } else {
        const unsigned host = below(r, 5);

        p.addr = probe(V4 + 2 * (below(r, V6 / 2) >> host << host));
        p.addr.b[15] = 0;
        p.bits = (uint8_t)(64 - host);
    }
    if (below(r, 40) == 0)
        p.bits = (uint8_t)(p.bits - 1 - below(r, 3)); /* host bits, perhaps */
    return p;
}

static struct feed_entry
some_entry(struct world *w)
{
    static const char hash[] = "0123456789abcdef0123456789abcdef"
                               "0123456789abcdef0123456789abcdef";
    uint64_t *r = &w->rng;
    struct feed_entry e = {
        .prefix = some_prefix(r),
        .since = w->now - below(r, 8000) * S,
        .until = w->now + (1 + below(r, 20000)) * S,
        .origin = (enum feed_origin)below(r, FEED_ORIGIN_COUNT),
        .reason = SPAN_LIT("why\"; flush ruleset\n# \xff"),
        .rule = SPAN_LIT("burst\" }; flush ruleset"),
        .evidence = span_of(hash, 64),
        .site = SPAN_LIT("A"),
    };

    if (below(r, 30) == 0)
        e.until = 0;
    if (below(r, 30) == 0)
        e.since = w->now + 1 + below(r, 1000) * S;
    if (below(r, 30) == 0)
        e.evidence.n = below(r, 64);
    return e;
}

static void
drop_entry(struct world *w, size_t i)
{
    w->n--;
    w->entries[i] = w->entries[w->n];
}

static void
drop_never(struct world *w, size_t i)
{
    w->n_never--;
    w->never[i] = w->never[w->n_never];
}

static void
change_entries(struct world *w)
{
    uint64_t *r = &w->rng;

    for (unsigned i = below(r, 5); i > 0 && w->n < ENTRIES; i--)
        w->entries[w->n++] = some_entry(w);
    if (w->n > 0 && below(r, 3) == 0)
        drop_entry(w, below(r, (unsigned)w->n));
}

static void
change_never(struct world *w)
{
    uint64_t *r = &w->rng;

    if (w->n_never < NEVERS && below(r, 2) == 0) {
        struct permits_range x;

        x.first = x.last = probe(below(r, PROBES));
        if (below(r, 2) == 0) {
            const size_t at = below(r, V4);
            const size_t end = at + below(r, 10);

            x.first = probe(at);
            x.last = probe(end < V4 ? end : V4 - 1);
        }
        w->never[w->n_never++] =
            (struct feed_never){x, (uint8_t)below(r, 5)}; /* 4: unknown */
    }
    if (w->n_never > 0 && below(r, 4) == 0)
        drop_never(w, below(r, (unsigned)w->n_never));
}

static void
take_over(struct world *w, struct feed *f)
{
    CHECK(!w->has_last || f->serial - w->last.serial ==
                              (strcmp(f->digest, w->last.digest) != 0));
    if (w->has_last)
        feed_fini(&w->last);
    w->last = *f;
    w->has_last = true;
}

static void
time_goes_on(struct world *w)
{
    static const unsigned steps[] = {0, 1, 60, 300, 1200, 3599, 3600, 7000};

    w->now += steps[below(&w->rng, 8)] * S;
    for (size_t i = 0; i < PROBES; i++) {
        const struct addr a = probe(i);
        const struct feed_item *x = w->has_last ? listed(&w->last, &a) : NULL;

        w->was[i] = x != NULL && x->until > w->now;
    }
}

static void
step(struct world *w)
{
    uint64_t *r = &w->rng;
    const bool known = below(r, 30) > 0;
    const uint64_t quality = below(r, 20) > 0 ? 960 : 949;
    struct feed_in in = {
        .entries = w->entries,
        .n = w->n,
        .never = w->never,
        .n_never = w->n_never,
        .never_known = known,
        .quality_permille = quality,
        .allow_empty = below(r, 2) == 0,
        .limits = &w->l,
        .last = w->has_last ? &w->last : NULL,
        .now = w->now,
    };
    struct feed f;
    const enum feed_verdict v = feed_make(&in, &f);

    for (size_t i = 0; i < w->n; i++)
        w->good[i] = in_force(w, &w->entries[i]);
    CHECK((v == FEED_UNKNOWN) == !known);
    CHECK((v == FEED_QUALITY) == (known && quality < 950));
    CHECK(v == FEED_DONE || (f.n == 0 && f.n_came == 0));
    if (v == FEED_DONE) {
        CHECK(f.n > 0 || in.allow_empty);
        for (size_t i = 0; i < f.n; i++)
            look_at_item(w, &f, i);
        look_at_caps(w, &f);
        look_at_what(w, &f);
        look_at_notes(w, &f);
        if (below(r, 16) == 0)
            look_at_list(w, &f);
        take_over(w, &f);
    } else {
        CHECK(v == FEED_UNKNOWN || v == FEED_QUALITY ||
              (v == FEED_EMPTY && !in.allow_empty));
        feed_fini(&f);
    }
}

static void
history(uint64_t seed)
{
    struct world w = {.now = BEGIN, .rng = seed, .l = feed_limits_default};

    seed_now = seed;
    w.l.widest_v4 = 26 + below(&w.rng, 7);
    w.l.widest_v6 = 60 + below(&w.rng, 5);
    w.l.total = below(&w.rng, 2) == 0 ? 1 + below(&w.rng, 12) : 5000;
    w.l.hour = below(&w.rng, 2) == 0 ? 1 + below(&w.rng, 4) : 1000;
    w.l.pieces = below(&w.rng, 3) == 0 ? 1 + below(&w.rng, 6) : 512;
    w.l.longest_s = 60 + below(&w.rng, 20000);
    w.l.deadman_s = 60 + below(&w.rng, 7200);
    for (unsigned i = 0; i < STEPS; i++) {
        change_entries(&w);
        change_never(&w);
        step(&w);
        time_goes_on(&w);
    }
    if (w.has_last)
        feed_fini(&w.last);
}

int
main(int argc, char **argv)
{
    uint64_t histories = HISTORIES;
    uint64_t seed = SEED;

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--histories") == 0)
            histories = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
    }
    for (uint64_t i = 0; i < histories; i++)
        history(seed + i);
    printf("%llu histories of %u sets: as the model says\n",
           (unsigned long long)histories, STEPS);
    return 0;
}
