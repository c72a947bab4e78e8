/* mangle_test - the same bytes in other packets give the same events
 *
 * Usage: mangle_test [--seeds N] [--print] PATH...
 * A PATH is a capture or a folder of them (two levels). Every capture is run as
 * it is, then
 *   cut        every payload in one-byte segments; each payload in two, at
 *              every byte (of long captures a sample; --seeds takes more)
 *   reorder    packets change places within a window of four
 *   duplicate  every packet comes twice
 *   drop       each packet, or a part of one, is not captured
 *   workers    1, 2 and 4 workers, with and without memory caps that bite
 * A capture whose NAME.fragile names one of these words is excused from it: its
 * case depends on the very packets (scenario.py writes it). */
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "sensor/base/hash.h"
#include "support/mangle.h"

#define RUNS_MAX                                                               \
    400 /* of a kind, per capture; beyond, positions are sampled               \
         */
#define WORK_MAX                                                               \
    (UINT64_C(8) << 20) /* and bytes, so that long ones are too                \
                         */
#define WINDOW 4
#define STEP   (NS_PER_MS)

struct counts {
    unsigned captures, failed;
    unsigned long runs[5];
    unsigned seeds;
    bool print;
};

enum kind { CUT, REORDER, DUPLICATE, DROP, WORKERS };
static const char *const kinds[] = {"cut", "reorder", "duplicate", "drop",
                                    "workers"};

static bool
is_excused(const struct mangle_capture *c, enum kind k)
{
    return strstr(c->fragile, kinds[k]) != NULL;
}

static void
check(struct counts *n, enum kind k, const struct mangle_capture *c,
      const struct mangle_list *list, const struct mangle_options *o,
      const struct mangle_run *want, const char *what)
{
    struct mangle_run got;

    mangle_go(c, list, o, &got);
    n->runs[k]++;
    if (!mangle_same(want, &got, c->name, what))
        n->failed++;
    mangle_free(&got);
}

/* ---- cuts ---- */

static size_t
min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Flags that belong to the last byte stay with the last piece. */
static void
add_piece(struct mangle_list *l, const struct mangle_seg *s, size_t from,
          size_t to)
{
    struct mangle_seg p = *s;

    p.d.payload = span_head(span_tail(s->d.payload, from), to - from);
    p.d.payload_len = (uint32_t)(to - from);
    p.caplen = (uint32_t)(to - from);
    p.d.seq = s->d.seq + (uint32_t)from;
    if (to < s->d.payload.n)
        p.d.flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    else
        p.d.payload_len = s->d.payload_len - (uint32_t)from;
    mangle_add(l, &p);
}

static bool
can_cut(const struct mangle_seg *s)
{
    return s->d.payload.n > 1 && (s->d.flags & (TCP_SYN | TCP_RST)) == 0;
}

/* One byte; more where segments wait behind a hole, for so many of them are
 * bounded (limits.early_segments). */
static size_t
piece_of(const struct mangle_seg *s, const struct mangle_run *whole)
{
    return whole->stats.gaps + whole->stats.reordered > 0
               ? s->d.payload.n / 16 + 1
               : 1;
}

static void
cut_all(struct counts *n, const struct mangle_capture *c,
        const struct mangle_options *o, const struct mangle_run *want)
{
    struct mangle_list l = {0};

    for (size_t i = 0; i < c->list.n; i++) {
        const struct mangle_seg *s = &c->list.seg[i];

        if (!can_cut(s)) {
            mangle_add(&l, s);
            continue;
        }
        for (size_t at = 0; at < s->d.payload.n; at += piece_of(s, want))
            add_piece(&l, s, at,
                      min_of(at + piece_of(s, want), s->d.payload.n));
    }
    check(n, CUT, c, &l, o, want, "one-byte segments");
    mangle_clear(&l);
}

static size_t
positions(const struct mangle_list *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        n += can_cut(&l->seg[i]) ? l->seg[i].d.payload.n - 1 : 0;
    return n;
}

/* Every how many positions one is tried. */
static size_t
step_for(const struct counts *n, const struct mangle_capture *c, size_t all)
{
    size_t cost = positions(&c->list) + c->list.n * 64;
    size_t runs = cost > 0 ? WORK_MAX / cost : RUNS_MAX;

    if (runs > RUNS_MAX)
        runs = RUNS_MAX;
    return all / ((runs + 1) * (size_t)n->seeds) + 1;
}

static void
cut_one(struct counts *n, const struct mangle_capture *c, size_t at_packet,
        size_t at, const struct mangle_options *o,
        const struct mangle_run *want)
{
    struct mangle_list l = {0};
    char what[64];

    for (size_t i = 0; i < c->list.n; i++) {
        const struct mangle_seg *s = &c->list.seg[i];

        if (i == at_packet) {
            add_piece(&l, s, 0, at);
            add_piece(&l, s, at, s->d.payload.n);
        } else {
            mangle_add(&l, s);
        }
    }
    (void)snprintf(what, sizeof(what), "segment %zu cut at %zu", at_packet, at);
    check(n, CUT, c, &l, o, want, what);
    mangle_clear(&l);
}

static void
cut_each(struct counts *n, const struct mangle_capture *c,
         const struct mangle_options *o, const struct mangle_run *want)
{
    size_t step = step_for(n, c, positions(&c->list));
    size_t k = 0;
    unsigned failed = n->failed;

    for (size_t i = 0; i < c->list.n; i++) {
        const struct mangle_seg *s = &c->list.seg[i];

        for (size_t at = 1; can_cut(s) && at < s->d.payload.n; at++) {
            if (k++ % step == 0)
                cut_one(n, c, i, at, o, want);
            if (n->failed > failed)
                return;
        }
    }
}

/* ---- copies and order ---- */

static void
duplicate(struct counts *n, const struct mangle_capture *c,
          const struct mangle_options *o, const struct mangle_run *want)
{
    struct mangle_list l = {0};

    for (size_t i = 0; i < c->list.n; i++) {
        mangle_add(&l, &c->list.seg[i]);
        mangle_add(&l, &c->list.seg[i]);
    }
    check(n, DUPLICATE, c, &l, o, want, "every packet twice");
    mangle_clear(&l);
}

/* Nothing changes places with these: they say which connection the others
 * belong to, or that it is over. */
static bool
is_fixed(const struct mangle_seg *s)
{
    return (s->d.flags & (TCP_SYN | TCP_RST)) != 0;
}

static bool
same_way(const struct mangle_seg *a, const struct mangle_seg *b)
{
    return a->d.sport == b->d.sport && a->d.dport == b->d.dport &&
           memcmp(&a->d.src, &b->d.src, sizeof(a->d.src)) == 0;
}

/* Bytes of both sides that crossed on the way have no order that a mirror could
 * disturb: whichever it shows first, something else may have happened. */
static bool
crossed(const struct mangle_seg *a, const struct mangle_seg *b)
{
    return !same_way(a, b) && a->d.payload_len > 0 && b->d.payload_len > 0 &&
           (int32_t)(b->d.ack - (a->d.seq + a->d.payload_len)) < 0;
}

static bool
may_swap(const struct mangle_list *l, size_t a, size_t b)
{
    for (size_t i = a; i <= b; i++) {
        if (is_fixed(&l->seg[i]) ||
            (i > a && crossed(&l->seg[a], &l->seg[i])) ||
            (i < b && crossed(&l->seg[i], &l->seg[b])))
            return false;
    }
    return true;
}

/* Times are those of the places: mirrors disturb the order by less than the
 * time that a hole is waited for. */
static void
even_times(struct mangle_list *l, ns_t start)
{
    for (size_t i = 0; i < l->n; i++)
        l->seg[i].when = start + i * STEP;
}

static void
shuffle(struct mangle_list *l, uint64_t seed, bool across)
{
    uint64_t state = hash_mix(seed, 1) | 1;

    for (size_t i = 0; i + 1 < l->n; i++) {
        size_t j = i + mangle_random(&state) % WINDOW;
        struct mangle_seg s = l->seg[i];

        if (j >= l->n || !may_swap(l, i, j) ||
            (!across && !same_way(&l->seg[i], &l->seg[j])))
            continue;
        l->seg[i] = l->seg[j];
        l->seg[j] = s;
        i++; /* a packet moves once or twice, never far */
    }
}

static void
copy_list(struct mangle_list *to, const struct mangle_list *from)
{
    for (size_t i = 0; i < from->n; i++)
        mangle_add(to, &from->seg[i]);
}

static void
reorder(struct counts *n, const struct mangle_capture *c,
        const struct mangle_options *o)
{
    ns_t start = c->list.n > 0 ? c->list.seg[0].when : 0;
    struct mangle_list even = {0};
    struct mangle_run want;
    char what[64];

    copy_list(&even, &c->list);
    even_times(&even, start);
    mangle_go(c, &even, o, &want);
    /* Where the beginning was not seen, the first packet says where it is. */
    for (unsigned seed = 1; want.stats.midstream == 0 && seed <= 8 * n->seeds;
         seed++) {
        struct mangle_list l = {0};

        copy_list(&l, &even);
        shuffle(&l, seed, seed % 2 == 0);
        even_times(&l, start);
        (void)snprintf(what, sizeof(what), "reordered %s, seed %u",
                       seed % 2 == 0 ? "across directions" : "in a direction",
                       seed);
        check(n, REORDER, c, &l, o, &want, what);
        mangle_clear(&l);
    }
    mangle_free(&want);
    mangle_clear(&even);
}

/* ---- loss ---- */

struct drop {
    size_t packet;
    size_t from, to; /* of its payload; all of it: the packet is gone */
};

static void
add_dropped(struct mangle_list *l, const struct mangle_seg *s,
            const struct drop *d)
{
    size_t n = s->d.payload.n;

    if (d->from > 0)
        add_piece(l, s, 0, d->from);
    if (d->to < n)
        add_piece(l, s, d->to, n);
}

/* Events of other connections must be as before; of this one, those that were
 * complete before the damage, and those of transactions after it. */
static bool
compare_damaged(const struct mangle_run *want, const struct mangle_run *got,
                uint64_t flow, ns_t when, bool lockstep)
{
    bool hurt = false;
    size_t j = 0;

    for (size_t i = 0; i < want->n; i++) {
        const struct mangle_line *w = &want->line[i];
        bool found = false;

        if (w->type == EVENT_FILEINFO && w->flow == flow && w->when >= when)
            continue; /* the mail's own event tells below which was hurt */
        if (w->type != EVENT_SMTP && w->type != EVENT_FILEINFO)
            continue;
        if (w->flow == flow && w->when >= when && (!lockstep || !hurt)) {
            hurt = true;
            continue;
        }
        for (j = 0; j < got->n && !found; j++)
            found = span_eq(mangle_text(want, i), mangle_text(got, j));
        if (!found) {
            printf("  - %.*s...\n", w->n < 400 ? (int)w->n : 400,
                   (const char *)want->text.p + w->at);
            return false;
        }
    }
    return true;
}

static void
client_words(char out[128], const struct addr *a, uint16_t port)
{
    char text[ADDR_TEXT_MAX];
    size_t n = addr_format(a, text);

    (void)snprintf(out, 128, "\"src_ip\":\"%.*s\",\"src_port\":%u,", (int)n,
                   text, port);
}

/* The flow that a packet belongs to: that of the events whose client is one of
 * its ends. A port alone may serve two hosts. */
static uint64_t
flow_of(const struct mangle_run *r, const struct mangle_seg *s)
{
    char a[128], b[128];

    client_words(a, &s->d.src, s->d.sport);
    client_words(b, &s->d.dst, s->d.dport);
    for (size_t i = 0; i < r->n; i++) {
        struct span t = mangle_text(r, i);

        if (span_search(t, span_str(a)) < t.n ||
            span_search(t, span_str(b)) < t.n)
            return r->line[i].flow;
    }
    return 0;
}

static void
drop_one(struct counts *n, const struct mangle_capture *c, const struct drop *d,
         const struct mangle_run *want, uint64_t lost)
{
    static const struct mangle_options o = {.view = MANGLE_LOSSY};
    const struct mangle_seg *s = &c->list.seg[d->packet];
    bool lockstep = strstr(c->fragile, "lockstep") != NULL;
    struct mangle_list l = {0};
    struct mangle_run got;
    bool good;

    for (size_t i = 0; i < c->list.n; i++) {
        if (i == d->packet)
            add_dropped(&l, &c->list.seg[i], d);
        else
            mangle_add(&l, &c->list.seg[i]);
    }
    mangle_go(c, &l, &o, &got);
    n->runs[DROP]++;
    good = got.smtp_left == 0 && got.net_left == 0;
    good = good &&
           compare_damaged(want, &got, flow_of(want, s), s->when, lockstep);
    if (lockstep)
        good = good && got.stats.lost == lost + (d->to - d->from);
    if (!good) {
        printf("FAILED %s: segment %zu without bytes %zu to %zu: lost %llu\n",
               c->name, d->packet, d->from, d->to,
               (unsigned long long)got.stats.lost);
        n->failed++;
    }
    mangle_free(&got);
    mangle_clear(&l);
}

static void
drop_parts(struct counts *n, const struct mangle_capture *c, size_t i,
           size_t step, const struct mangle_run *want, uint64_t lost)
{
    size_t all = c->list.seg[i].d.payload.n;

    for (size_t at = 0; at < all; at += step) {
        size_t ends[] = {at + 1, at + (all - at) / 2, all};

        for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
            struct drop d = {i, at, ends[k]};

            if (d.to > d.from)
                drop_one(n, c, &d, want, lost);
        }
    }
}

static void
drops(struct counts *n, const struct mangle_capture *c)
{
    static const struct mangle_options o = {.view = MANGLE_LOSSY};
    size_t step = step_for(n, c, positions(&c->list) * 3);
    size_t whole_step = step_for(n, c, c->list.n);
    unsigned failed = n->failed;
    struct mangle_run want;

    mangle_go(c, &c->list, &o, &want);
    for (size_t i = 0; i < c->list.n && n->failed == failed; i++) {
        const struct mangle_seg *s = &c->list.seg[i];
        struct drop whole = {i, 0, s->d.payload.n};

        if (is_fixed(s) || i % whole_step != 0)
            continue;
        drop_one(n, c, &whole, &want, want.stats.lost);
        if (can_cut(s))
            drop_parts(n, c, i, step, &want, want.stats.lost);
    }
    mangle_free(&want);
}

/* ---- workers ---- */

static void
workers(struct counts *n, const struct mangle_capture *c)
{
    static const struct {
        uint64_t memory;
        uint32_t flows;
        const char *why;
    } rooms[] = {
        {0,          0,  "as configured"             },
        {64 * 16384, 64, "memory that bites"         },
        {64 * 3000,  64, "memory for next to nothing"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rooms); i++) {
        struct mangle_options o = {.frames = true,
                                   .memory_max = rooms[i].memory,
                                   .flows_max = rooms[i].flows};
        struct mangle_run want;

        mangle_go(c, NULL, &o, &want);
        for (o.n_workers = 1; o.n_workers <= 4; o.n_workers *= 2)
            check(n, WORKERS, c, NULL, &o, &want, rooms[i].why);
        mangle_free(&want);
    }
}

/* ---- captures ---- */

static void
print_events(const struct mangle_capture *c)
{
    struct mangle_options o = {.frames = true};
    struct mangle_run r;

    mangle_go(c, NULL, &o, &r);
    for (size_t i = 0; i < r.n; i++) {
        struct span s = mangle_text(&r, i);

        printf("%.*s\n", (int)s.n, (const char *)s.p);
    }
    mangle_free(&r);
}

static void
test_capture(struct counts *n, const char *path)
{
    static const struct mangle_options loose = {.view = MANGLE_LOOSE};
    struct mangle_capture c;
    struct mangle_run want;

    if (!mangle_load(&c, path)) {
        n->failed++;
        return;
    }
    if (n->print) {
        print_events(&c);
        mangle_unload(&c);
        return;
    }
    n->captures++;
    mangle_go(&c, &c.list, &loose, &want);
    if (!is_excused(&c, CUT)) {
        cut_all(n, &c, &loose, &want);
        cut_each(n, &c, &loose, &want);
    }
    if (!is_excused(&c, DUPLICATE))
        duplicate(n, &c, &loose, &want);
    if (!is_excused(&c, REORDER))
        reorder(n, &c, &loose);
    if (!is_excused(&c, DROP))
        drops(n, &c);
    if (!is_excused(&c, WORKERS))
        workers(n, &c);
    mangle_free(&want);
    mangle_unload(&c);
}

static bool
is_capture(const char *name)
{
    const char *dot = strrchr(name, '.');

    return dot != NULL &&
           (strcmp(dot, ".pcap") == 0 || strcmp(dot, ".pcapng") == 0);
}

static void
test_path(struct counts *n, const char *path, unsigned depth)
{
    struct dirent **names;
    struct stat st;
    int k;

    if (stat(path, &st) != 0) {
        printf("skipped: %s is not there\n", path);
        return;
    }
    if (!S_ISDIR(st.st_mode)) {
        test_capture(n, path);
        return;
    }
    k = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < k; i++) {
        char inner[4096];

        (void)snprintf(inner, sizeof(inner), "%s/%s", path, names[i]->d_name);
        if (is_capture(names[i]->d_name))
            test_capture(n, inner);
        else if (names[i]->d_name[0] != '.' && depth > 0 &&
                 stat(inner, &st) == 0 && S_ISDIR(st.st_mode))
            test_path(n, inner, depth - 1);
        free(names[i]);
    }
    if (k >= 0)
        free(names);
}

int
main(int argc, char **argv)
{
    struct counts n = {.seeds = 1};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seeds") == 0 && i + 1 < argc)
            n.seeds = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--print") == 0)
            n.print = true;
        else
            test_path(&n, argv[i], 1);
    }
    if (n.print)
        return n.failed > 0;
    printf("%u captures;", n.captures);
    for (unsigned k = 0; k < ARRAY_LEN(kinds); k++)
        printf(" %s %lu,", kinds[k], n.runs[k]);
    printf(" %u failed\n", n.failed);
    return n.failed > 0 || n.captures == 0;
}
