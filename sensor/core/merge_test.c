#include "sensor/core/merge.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "random_record.h"
#include "sensor/event/carve.h"

#define RINGS 4

/* ---- what comes out ---- */

struct got {
    struct buf order; /* struct record_head each */
    struct buf bytes;
    struct buf offsets; /* carve.offset of each, else 1 */
    size_t farewells;
};

static void
got_init(struct got *g)
{
    *g = (struct got){0};
    buf_init(&g->order, SIZE_MAX / 2);
    buf_init(&g->bytes, SIZE_MAX / 2);
    buf_init(&g->offsets, SIZE_MAX / 2);
}

static void
got_free(struct got *g)
{
    buf_free(&g->order);
    buf_free(&g->bytes);
    buf_free(&g->offsets);
}

static void
got_put(void *ctx, struct span record)
{
    struct got *g = ctx;
    struct record_head h = record_head_of(record);
    uint64_t offset = record_find_u64(record, FIELD_CARVE_OFFSET, 1);

    buf_put(&g->offsets, &offset, sizeof(offset));
    buf_put(&g->order, &h, sizeof(h));
    buf_span(&g->bytes, record);
}

static void
got_farewell(void *ctx, struct span record)
{
    struct got *g = ctx;

    (void)record;
    g->farewells++;
}

static size_t
got_n(const struct got *g)
{
    return g->order.n / sizeof(struct record_head);
}

static struct record_head
got_head(const struct got *g, size_t i)
{
    struct record_head h;

    memcpy(&h, g->order.p + i * sizeof(h), sizeof(h));
    return h;
}

/* ---- rings, bell and merge of a test ---- */

struct rig {
    struct ring_bell *bell;
    struct ring rings[RINGS];
    size_t n;
    struct merge *merge;
    struct record_out out;
    struct got got;
};

static void
rig_init(struct rig *r, size_t n, size_t ring_bytes)
{
    *r = (struct rig){.n = n};
    assert_int_equal(ring_bell_new(&r->bell), ERR_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(ring_new(ring_bytes, r->bell, &r->rings[i]), ERR_OK);
    assert_int_equal(merge_new(r->rings, n, r->bell, &r->merge), ERR_OK);
    record_init(&r->out);
    got_init(&r->got);
}

static void
rig_fini(struct rig *r)
{
    merge_free(r->merge);
    for (size_t i = 0; i < r->n; i++)
        ring_free(&r->rings[i]);
    ring_bell_free(r->bell);
    record_free(&r->out);
    got_free(&r->got);
}

static bool
step(struct rig *r)
{
    struct record_sink sink = {got_put, &r->got};
    struct record_sink farewell = {got_farewell, &r->got};

    return merge_step(r->merge, &sink, &farewell);
}

static void
send(struct rig *r, size_t w, enum event_type type, uint64_t us, uint64_t flow,
     uint32_t seq)
{
    struct record_head h = {us * NS_PER_US, flow, seq, type};

    record_begin(&r->out, &h);
    assert_true(ring_put(&r->rings[w], record_view(&r->out)));
}

static void
close_all(struct rig *r)
{
    for (size_t i = 0; i < r->n; i++)
        ring_close(&r->rings[i]);
    while (step(r))
        ;
}

/* ---- when a record is given ---- */

static void
waits_for_the_slowest(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 2, 0);
    send(&r, 0, EVENT_SMTP, 5, 9, 0);
    send(&r, 0, EVENT_SMTP, 7, 9, 1);
    assert_true(step(&r));
    assert_int_equal(got_n(&r.got), 0); /* nothing is known of the other */
    send(&r, 1, EVENT_TICK, 5, 0, 0);
    assert_true(step(&r));
    assert_int_equal(got_n(&r.got), 0); /* it may still send one at 5 */
    send(&r, 1, EVENT_SMTP, 6, 3, 0);
    assert_true(step(&r));
    assert_int_equal(got_n(&r.got), 1);
    ring_close(&r.rings[1]);
    send(&r, 0, EVENT_TICK, 7, 0, 0); /* or the step would wait for one */
    assert_true(step(&r));
    assert_int_equal(got_n(&r.got), 2); /* the first may still send at 7 */
    close_all(&r);
    assert_int_equal(got_n(&r.got), 3);
    assert_int_equal(got_head(&r.got, 1).flow_id, 3);
    assert_int_equal(merge_refused(r.merge), 0);
    rig_fini(&r);
}

static void
orders_by_flow_and_number(void **state)
{
    static const uint64_t want[][2] = {
        {1, 0},
        {1, 2},
        {3, 0},
        {3, 1},
        {8, 0}
    };
    struct rig r;

    (void)state;
    rig_init(&r, 2, 0);
    send(&r, 0, EVENT_SMTP, 5, 8, 0);
    send(&r, 0, EVENT_SMTP, 5, 1, 2);
    send(&r, 0, EVENT_SMTP, 5, 1, 0);
    send(&r, 1, EVENT_TLS, 5, 3, 1);
    send(&r, 1, EVENT_TLS, 5, 3, 0);
    close_all(&r);
    assert_int_equal(got_n(&r.got), ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        assert_int_equal(got_head(&r.got, i).flow_id, want[i][0]);
        assert_int_equal(got_head(&r.got, i).seq, want[i][1]);
    }
    rig_fini(&r);
}

static void
send_piece(struct rig *r, uint64_t us, uint64_t flow, uint32_t seq,
           uint64_t offset, size_t bytes)
{
    static const uint8_t room[CARVE_STRING];
    struct record_head h = {us * NS_PER_US, flow, seq, EVENT_CARVE};

    record_begin(&r->out, &h);
    record_u64(&r->out, FIELD_CARVE_OFFSET, offset);
    for (; bytes > 0; bytes -= bytes < CARVE_STRING ? bytes : CARVE_STRING)
        record_str(&r->out, FIELD_CARVE_BYTES,
                   span_of(room, bytes < CARVE_STRING ? bytes : CARVE_STRING));
    assert_true(ring_put(&r->rings[0], record_view(&r->out)));
}

/* The pieces of a file in their order, whatever their length, then the event
 * that tells of it. */
static void
gives_pieces_before_their_event(void **state)
{
    static const struct {
        uint64_t flow, offset; /* of an event: 1 */
        uint32_t seq;
    } want[] = {
        {1, 0,                    4},
        {1, CARVE_PIECE,          4},
        {1, 2ULL * CARVE_PIECE,   4},
        {1, 300ULL * CARVE_PIECE, 4},
        {1, 1,                    4},
        {1, 0,                    5},
        {1, 1,                    5},
        {2, 1,                    0},
    };
    struct rig r;

    (void)state;
    rig_init(&r, 1, 64 << 20);
    send(&r, 0, EVENT_SMTP, 5, 2, 0);
    send_piece(&r, 5, 1, 4, 0, CARVE_PIECE);
    send_piece(&r, 5, 1, 4, 1ULL * CARVE_PIECE, CARVE_PIECE);
    send_piece(&r, 5, 1, 4, 2ULL * CARVE_PIECE, 3);
    send_piece(&r, 5, 1, 4, 300ULL * CARVE_PIECE, 2);
    send(&r, 0, EVENT_FILEINFO, 5, 1, 4);
    send_piece(&r, 5, 1, 5, 0, 1);
    send(&r, 0, EVENT_FILEINFO, 5, 1, 5);
    close_all(&r);
    assert_int_equal(merge_refused(r.merge), 0);
    assert_int_equal(got_n(&r.got), ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        uint64_t offset;

        memcpy(&offset, r.got.offsets.p + i * sizeof(offset), sizeof(offset));
        assert_int_equal(got_head(&r.got, i).flow_id, want[i].flow);
        assert_int_equal(got_head(&r.got, i).seq, want[i].seq);
        assert_int_equal(offset, want[i].offset);
    }
    rig_fini(&r);
}

/* However far the offset says it is, a piece comes before its event. */
static void
gives_any_piece_before_its_event(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 1, 0);
    send(&r, 0, EVENT_FILEINFO, 5, 1, 4);
    send_piece(&r, 5, 1, 4, UINT64_MAX, 1);
    close_all(&r);
    assert_int_equal(got_n(&r.got), 2);
    assert_int_equal(got_head(&r.got, 0).type, EVENT_CARVE);
    rig_fini(&r);
}

/* Behind the tick that says so, equal times stream through. */
static void
streams_what_comes_sorted(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 1, 0);
    send(&r, 0, EVENT_SMTP, 5, 4, 0);
    assert_true(step(&r));
    assert_int_equal(got_n(&r.got), 0);
    send(&r, 0, EVENT_TICK, 5, 0, TICK_SORTED);
    send(&r, 0, EVENT_SMTP, 5, 2, 0);
    send(&r, 0, EVENT_SMTP, 5, 6, 0);
    assert_true(step(&r));
    assert_int_equal(got_n(&r.got), 2);
    send(&r, 0, EVENT_SMTP, 5, 5, 0); /* goes back in the order */
    send(&r, 0, EVENT_SMTP, 5, 6, 1);
    send(&r, 0, EVENT_SMTP, 6, 1, 0);
    send(&r, 0, EVENT_TICK, 9, 0, 0);
    send(&r, 0, EVENT_SMTP, 9, 1, 0); /* a tick begins a new time */
    send(&r, 0, EVENT_SMTP, 9, 3, 0);
    send(&r, 0, EVENT_SMTP, 9, 2, 0); /* nor is it sorted any more */
    close_all(&r);
    assert_int_equal(got_n(&r.got), 8);
    assert_int_equal(merge_refused(r.merge), 1);
    rig_fini(&r);
}

static void
gives_farewells_at_once(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 2, 0);
    send(&r, 0, EVENT_SMTP, 5, 1, 0);
    send(&r, 0, EVENT_STATS, 0, 0, 0); /* its time does not count */
    send(&r, 0, EVENT_CONTROL, 0, 0, 1);
    assert_true(step(&r));
    assert_int_equal(r.got.farewells, 2);
    assert_int_equal(got_n(&r.got), 0);
    close_all(&r);
    assert_int_equal(got_n(&r.got), 1);
    assert_int_equal(merge_refused(r.merge), 0);
    rig_fini(&r);
}

/* ---- hostile workers ---- */

static void
forge(struct rig *r, enum field f)
{
    static const struct addr nowhere;
    struct record_head h = {NS_PER_S, 1, 0, EVENT_SMTP};

    record_begin(&r->out, &h);
    switch (field_table[f].type) {
    case FT_U64: record_u64(&r->out, f, 1); break;
    case FT_ADDR: record_addr(&r->out, f, &nowhere); break;
    default: record_text(&r->out, f, "registered"); break;
    }
    assert_true(ring_put(&r->rings[0], record_view(&r->out)));
}

static void
refuses_what_is_the_cores(void **state)
{
    static const struct {
        enum field field;
        bool refused;
    } fields[] = {
        {FIELD_EVENT_ID,       true },
        {FIELD_SCHEMA_VERSION, true },
        {FIELD_SENSOR,         true },
        {FIELD_COMMUNITY_ID,   false},
        {FIELD_IN_IFACE,       false},
        {FIELD_SRC_IP,         false},
        {FIELD_TX_ID,          false},
        {FIELD_DIRECTION,      true },
        {FIELD_SRC_REG_STATE,  true },
        {FIELD_SRC_REG_SITE,   true },
        {FIELD_DEST_REG_STATE, true },
        {FIELD_DEST_REG_SITE,  true },
        {FIELD_QUALITY_LOSS,   false},
        {FIELD_CARVE_KIND,     true },
        {FIELD_CARVE_BYTES,    true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        struct rig r;

        rig_init(&r, 1, 0);
        forge(&r, fields[i].field);
        close_all(&r);
        if (merge_refused(r.merge) != fields[i].refused ||
            got_n(&r.got) != !fields[i].refused)
            fail_msg("%s", field_table[fields[i].field].path);
        rig_fini(&r);
    }
}

/* clang-format off */
static const struct {
    const char *why;
    struct record_head head;
} heads[] = {
    {"no type", {NS_PER_S, 1, 0, EVENT_NONE}},
    {"a type of tomorrow", {NS_PER_S, 1, 0, EVENT_TYPE_COUNT}},
    {"totals of a flow", {NS_PER_S, 1, 0, EVENT_STATS}},
    {"control of a flow", {NS_PER_S, 1, 0, EVENT_CONTROL}},
    {"a flow out of range", {NS_PER_S, UINT64_C(1) << 51, 0, EVENT_SMTP}},
    {"the last flow of all", {NS_PER_S, UINT64_MAX, 0, EVENT_SMTP}},
    {"a time between microseconds", {NS_PER_S + 1, 1, 0, EVENT_SMTP}},
};
/* clang-format on */

static void
put_head(struct rig *r, const struct record_head *h)
{
    uint8_t raw[RECORD_HEAD];
    uint32_t type = (uint32_t)h->type;

    memcpy(raw, &h->when, 8);
    memcpy(raw + 8, &h->flow_id, 8);
    memcpy(raw + 16, &h->seq, 4);
    memcpy(raw + 20, &type, 4);
    assert_true(ring_put(&r->rings[0], span_of(raw, sizeof(raw))));
}

static void
refuses_heads(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
        struct rig r;

        rig_init(&r, 1, 0);
        put_head(&r, &heads[i].head);
        close_all(&r);
        if (merge_refused(r.merge) != 1 || got_n(&r.got) + r.got.farewells > 0)
            fail_msg("%s", heads[i].why);
        rig_fini(&r);
    }
}

/* Every valid record cut anywhere, and with any byte changed: what is given
 * passes the check, the rest is counted, and nothing is lost between. */
static void
counts_every_damaged_record(void **state)
{
    uint64_t x = 20260101;
    struct rig r;
    size_t sent = 0;

    (void)state;
    rig_init(&r, 1, 1 << 20);
    for (unsigned i = 0; i < 4000; i++) {
        uint8_t bytes[4096];
        struct record_head h = {NS_PER_S, 1 + i % 5, i, EVENT_SMTP};
        size_t n;

        random_record(&r.out, &x, 40);
        n = record_view(&r.out).n;
        if (n > sizeof(bytes))
            continue;
        memcpy(bytes, record_view(&r.out).p, n);
        record_begin(&r.out, &h);
        memcpy(bytes, record_view(&r.out).p, RECORD_HEAD);
        if (i % 3 == 0)
            n = (size_t)(random_next(&x) % (n + 1));
        else if (i % 3 == 1)
            bytes[random_next(&x) % n] ^= (uint8_t)(1U << (i % 8));
        while (!ring_put(&r.rings[0], span_of(bytes, n)))
            assert_true(step(&r));
        sent++;
    }
    close_all(&r);
    assert_int_equal(got_n(&r.got) + r.got.farewells + merge_refused(r.merge),
                     sent);
    assert_true(merge_refused(r.merge) > sent / 4);
    rig_fini(&r);
}

static void
refuses_time_that_goes_back(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 1, 0);
    send(&r, 0, EVENT_SMTP, 9, 1, 0);
    send(&r, 0, EVENT_SMTP, 8, 1, 1);
    send(&r, 0, EVENT_TICK, 3, 0, 0);
    send(&r, 0, EVENT_SMTP, 9, 1, 2);
    close_all(&r);
    assert_int_equal(got_n(&r.got), 2);
    assert_int_equal(merge_refused(r.merge), 1);
    assert_false(merge_corrupt(r.merge));
    rig_fini(&r);
}

/* Sends a record whose length cannot be. */
static void
send_corrupt(struct rig *r, size_t w)
{
    uint8_t *data = (uint8_t *)r->rings[w].shared;
    uint8_t *end = data + r->rings[w].size;
    uint32_t length = 1 << 30;

    send(r, w, EVENT_SMTP, 5, 0x1122334455, 0);
    /* the message is found by its flow id in the mapping */
    while (data < end && memcmp(data, "\x55\x44\x33\x22\x11", 5) != 0)
        data++;
    assert_true(data < end);
    memcpy(data - 8 - 4, &length, sizeof(length));
}

/* That ring ends; the other one goes on. */
static void
ends_a_corrupt_ring(void **state)
{
    struct rig r;

    (void)state;
    rig_init(&r, 2, 0);
    send_corrupt(&r, 0);
    send(&r, 1, EVENT_SMTP, 6, 2, 0);
    ring_close(&r.rings[1]);
    while (step(&r))
        ;
    assert_true(merge_corrupt(r.merge));
    assert_int_equal(got_n(&r.got), 1);
    rig_fini(&r);
}

/* ---- the one order, whatever the interleaving ---- */

struct plan {
    struct buf records; /* u32 length and record, in the order of the time */
    size_t n;
};

/* Times repeat often, flows belong to one worker, numbers go up in a flow. The
 * last fifth is at one time and sorted, as a capture's end. */
static void
plan_make(struct plan *p, uint64_t seed)
{
    uint64_t x = seed * 2654435761 + 1;
    struct record_out out;
    uint32_t seqs[64] = {0};
    uint64_t us = 1000;

    buf_init(&p->records, SIZE_MAX / 2);
    record_init(&out);
    p->n = 400 + random_next(&x) % 400;
    for (size_t i = 0; i < p->n; i++) {
        bool end = i >= p->n * 4 / 5;
        uint64_t flow = end ? i : random_next(&x) % 64;
        struct record_head h = {.type = EVENT_SMTP};
        uint32_t n;

        us += !end && random_next(&x) % 3 == 0 ? random_next(&x) % 50 : 0;
        h.when = (us + (end ? 1 : 0)) * NS_PER_US;
        h.flow_id = end ? 1000 + flow : flow;
        h.seq = end ? 0 : seqs[flow]++;
        record_begin(&out, &h);
        record_u64(&out, FIELD_TX_ID, i);
        for (uint64_t k = random_next(&x) % 8; k > 0; k--)
            record_text(&out, FIELD_SMTP_EHLO_CAPS, "PIPELINING");
        n = (uint32_t)record_view(&out).n;
        buf_put(&p->records, &n, sizeof(n));
        buf_span(&p->records, record_view(&out));
    }
    record_free(&out);
}

struct writer {
    const struct plan *plan;
    struct ring *ring;
    size_t number, of;
    uint64_t x;
};

static void
tell_tick(struct writer *w, struct record_out *out, ns_t when, uint32_t number)
{
    struct record_head h = {when, 0, number, EVENT_TICK};

    record_begin(out, &h);
    ring_put_wait(w->ring, record_view(out));
}

static void *
write_mine(void *arg)
{
    struct writer *w = arg;
    struct cursor c = cur_open(buf_view(&w->plan->records));
    struct record_out out;
    bool sorted = false;

    record_init(&out);
    while (cur_left(&c) > 0) {
        struct span record = cur_take(&c, cur_le32(&c));
        struct record_head h = record_head_of(record);

        if (h.flow_id >= 1000 && !sorted) {
            tell_tick(w, &out, h.when, TICK_SORTED);
            sorted = true;
        }
        if (h.flow_id % w->of == w->number)
            ring_put_wait(w->ring, record);
        if (random_next(&w->x) % 7 == 0)
            tell_tick(w, &out, h.when, 0);
        if (random_next(&w->x) % 11 == 0)
            (void)sched_yield();
    }
    record_free(&out);
    ring_close(w->ring);
    return NULL;
}

static void
run(const struct plan *p, size_t n, uint64_t seed, struct got *out)
{
    struct rig r;
    struct writer w[RINGS];
    pthread_t threads[RINGS];

    rig_init(&r, n, 0);
    for (size_t i = 0; i < n; i++) {
        w[i] = (struct writer){p, &r.rings[i], i, n, seed * 77 + i + 1};
        assert_int_equal(pthread_create(&threads[i], NULL, write_mine, &w[i]),
                         0);
    }
    while (step(&r))
        ;
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(merge_refused(r.merge), 0);
    assert_int_equal(got_n(&r.got), p->n);
    *out = r.got;
    got_init(&r.got);
    rig_fini(&r);
}

static bool
is_sorted(const struct got *g)
{
    for (size_t i = 1; i < got_n(g); i++) {
        struct record_head a = got_head(g, i - 1);
        struct record_head b = got_head(g, i);

        if (a.when > b.when ||
            (a.when == b.when && (a.flow_id > b.flow_id ||
                                  (a.flow_id == b.flow_id && a.seq >= b.seq))))
            return false;
    }
    return true;
}

static void
has_one_order_for_any_number_of_workers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct plan p;
        struct got one;

        plan_make(&p, seed);
        run(&p, 1, seed, &one);
        assert_true(is_sorted(&one));
        for (size_t n = 1; n <= RINGS; n++) {
            struct got other;

            run(&p, n, seed * 10 + n, &other);
            if (other.bytes.n != one.bytes.n ||
                memcmp(other.bytes.p, one.bytes.p, one.bytes.n) != 0)
                fail_msg("seed %zu, %zu workers", (size_t)seed, n);
            got_free(&other);
        }
        got_free(&one);
        buf_free(&p.records);
    }
}

/* Two workers that claim the same place, as with equal flow ids: the order is
 * that of the bytes, not of who came first. */
static void
orders_equal_places_by_content(void **state)
{
    struct got got[2];

    (void)state;
    for (size_t first = 0; first < 2; first++) {
        struct rig r;

        rig_init(&r, 2, 0);
        for (size_t i = 0; i < 2; i++) {
            size_t w = first ^ i;
            struct record_head h = {NS_PER_S, 1, 0, EVENT_SMTP};

            record_begin(&r.out, &h);
            record_u64(&r.out, FIELD_TX_ID, w);
            assert_true(ring_put(&r.rings[w], record_view(&r.out)));
            (void)step(&r);
        }
        close_all(&r);
        got[first] = r.got;
        got_init(&r.got);
        rig_fini(&r);
    }
    assert_int_equal(got[0].bytes.n, got[1].bytes.n);
    assert_memory_equal(got[0].bytes.p, got[1].bytes.p, got[0].bytes.n);
    got_free(&got[0]);
    got_free(&got[1]);
}

/* ---- memory ---- */

static void
fill(struct rig *r, size_t w, size_t n, uint64_t us)
{
    struct record_head h = {us * NS_PER_US, 1, 0, EVENT_SMTP};
    uint8_t text[60000] = {0};

    for (size_t i = 0; i < n; i++) {
        h.seq = (uint32_t)i;
        record_begin(&r->out, &h);
        record_str(&r->out, FIELD_SMTP_BANNER, span_of(text, sizeof(text)));
        if (!ring_put(&r->rings[w], record_view(&r->out)))
            return;
    }
}

/* The one that is far ahead waits for a worker whose ring is found damaged: the
 * step must not sleep then, as nobody may ring again. */
static void
goes_on_after_a_corrupt_ring(void **state)
{
    struct rig r;
    uint64_t before = UINT64_MAX;

    (void)state;
    rig_init(&r, 2, 4 << 20);
    for (uint64_t us = 10; before != r.rings[0].tail; us++) {
        before = r.rings[0].tail;
        fill(&r, 0, 1000, us);
        send(&r, 1, EVENT_TICK, 1, 0, 0); /* or the step would wait for one */
        (void)step(&r);
    }
    send_corrupt(&r, 1);
    (void)step(&r);
    assert_true(merge_corrupt(r.merge));
    assert_int_equal(ring_bell_look(r.bell) & 1, 0); /* it did not sleep */
    (void)step(&r);
    assert_true(r.rings[0].tail > before);
    close_all(&r);
    rig_fini(&r);
}

/* One worker far ahead of the other stops being read, and goes on when the
 * other comes after it. */
/* A worker whose time stands still fills what may wait and no more; when time
 * goes on, all that was kept is given and there is room again. */
static void
bounds_what_waits(void **state)
{
    struct rig r;
    size_t n;

    (void)state;
    rig_init(&r, 1, 1 << 20);
    merge_bound(r.merge, 10000);
    for (uint32_t i = 0; i < 1000; i++)
        send(&r, 0, EVENT_SMTP, 5, 1, i);
    assert_true(step(&r));
    assert_int_equal(got_n(&r.got), 0);
    assert_true(merge_refused(r.merge) > 0 && merge_refused(r.merge) < 1000);
    n = 1000 - (size_t)merge_refused(r.merge);
    assert_true(n <= 10000 / RECORD_HEAD);
    send(&r, 0, EVENT_TICK, 6, 0, 0);
    assert_true(step(&r));
    assert_int_equal(got_n(&r.got), n);
    send(&r, 0, EVENT_SMTP, 7, 1, 0);
    close_all(&r);
    assert_int_equal(got_n(&r.got), n + 1);
    rig_fini(&r);
}

static void
does_not_read_on_while_much_waits(void **state)
{
    struct rig r;
    uint64_t before = UINT64_MAX;
    uint64_t us = 10;

    (void)state;
    rig_init(&r, 2, 4 << 20);
    for (; before != r.rings[0].tail && us < 2000; us++) {
        before = r.rings[0].tail;
        fill(&r, 0, 1000, us);
        send(&r, 1, EVENT_TICK, 1, 0, 0); /* or the step would wait for one */
        (void)step(&r);
    }
    assert_true(before > MERGE_AHEAD);
    assert_true(before < MERGE_AHEAD + MERGE_AHEAD / 16);
    assert_int_equal(got_n(&r.got), 0);
    send(&r, 1, EVENT_TICK, 5000, 0, 0);
    (void)step(&r);
    assert_true(got_n(&r.got) > 0);
    send(&r, 1, EVENT_TICK, 5000, 0, 0);
    (void)step(&r);
    assert_true(r.rings[0].tail > before);
    close_all(&r);
    assert_int_equal(merge_refused(r.merge), 0);
    rig_fini(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_the_slowest),
        cmocka_unit_test(orders_by_flow_and_number),
        cmocka_unit_test(gives_pieces_before_their_event),
        cmocka_unit_test(gives_any_piece_before_its_event),
        cmocka_unit_test(streams_what_comes_sorted),
        cmocka_unit_test(gives_farewells_at_once),
        cmocka_unit_test(refuses_what_is_the_cores),
        cmocka_unit_test(refuses_heads),
        cmocka_unit_test(counts_every_damaged_record),
        cmocka_unit_test(refuses_time_that_goes_back),
        cmocka_unit_test(ends_a_corrupt_ring),
        cmocka_unit_test(has_one_order_for_any_number_of_workers),
        cmocka_unit_test(orders_equal_places_by_content),
        cmocka_unit_test(goes_on_after_a_corrupt_ring),
        cmocka_unit_test(does_not_read_on_while_much_waits),
        cmocka_unit_test(bounds_what_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
