/* What holds whatever arrives: memory, suspects, order, snapshots. */
#include "rules/host/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "rules/host/hosts_stream_kit.h"
#include "sensor/base/hash.h"
#include "tests/support/random_record.h"

static const struct kit_speaker bot = {
    .src = "10.1.2.3",
    .dest = "192.0.2.25",
    .direction = "outbound",
    .helo = "pc17",
    .from = "<a@spam.example>",
    .port = 25,
};

/* ---- memory ---- */

static void
refuse(struct kit_run *k, const struct kit_speaker *s, unsigned i)
{
    char rcpt[64];
    struct kit_rcpt r = {rcpt, 550, "unknown_user", NULL};

    (void)snprintf(rcpt, sizeof(rcpt), "<u%u@org%u.example>", i, i);
    kit_mail(k, s, &r, 1, 0, 0, true);
}

/* Connections that never carried data make no state, however many. */
static void
test_spoofed_flood(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;
    uint64_t before;
    char src[64];

    (void)state;
    kit_open(&k, &o);
    before = hosts_counts(k.h).memory_bytes;
    s.src = src;
    s.oneway = true;
    for (unsigned i = 0; i < 20000; i++) {
        (void)snprintf(src, sizeof(src), "10.%u.%u.%u", i >> 16 & 255,
                       i >> 8 & 255, i & 255);
        kit_begin(&k, &s, EVENT_SMTP_SESSION);
        record_u64(&k.out, FIELD_ATTEMPTS_COUNT, 1000);
        kit_give(&k);
        kit_session(&k, &s);
    }
    kit_end(&k);
    assert_int_equal(hosts_counts(k.h).hosts, 0);
    assert_int_equal(hosts_counts(k.h).memory_bytes, before);
    assert_int_equal(k.n, 0);
    kit_close(&k);
}

static void
test_one_source_many_recipients(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;
    uint64_t before;

    (void)state;
    kit_open(&k, &o);
    for (unsigned i = 0; i < 1000; i++)
        refuse(&k, &bot, i);
    before = hosts_counts(k.h).memory_bytes;
    for (unsigned i = 1000; i < 100000; i++)
        refuse(&k, &bot, i);
    assert_int_equal(hosts_counts(k.h).memory_bytes, before);
    assert_int_equal(hosts_counts(k.h).hosts, 1);
    /* and few words are lost about it */
    assert_true(k.n < 120);
    kit_close(&k);
}

/* ---- eviction ---- */

static void
test_suspects_stay(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;
    char src[64];

    (void)state;
    o.hosts = 200;
    o.detail = 50;
    kit_open(&k, &o);
    s.src = src;
    for (unsigned i = 0; i < 40; i++) { /* three failures: over half of 9.2 */
        (void)snprintf(src, sizeof(src), "10.77.0.%u", i);
        for (unsigned j = 0; j < 3; j++)
            refuse(&k, &s, j);
    }
    for (unsigned i = 0; i < 20000; i++) {
        (void)snprintf(src, sizeof(src), "10.8.%u.%u", i >> 8, i & 255);
        kit_time(&k, k.now + NS_PER_MS);
        kit_session(&k, &s);
    }
    assert_int_equal(hosts_counts(k.h).hosts, 200);
    assert_true(hosts_counts(k.h).evicted >= 19000);
    buf_reset(&k.text);
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(src, sizeof(src), "10.77.0.%u", i);
        refuse(&k, &s, 3);
        assert_int_equal(kit_u64(&k, src, FIELD_HOST_S1_BAD), 4);
        assert_int_equal(kit_u64(&k, src, FIELD_HOST_RCPT_UNKNOWN), 4);
    }
    kit_close(&k);
}

/* Of equals the one that was idle longest. */
static void
test_idlest_goes(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;
    char src[64];

    (void)state;
    o.hosts = 16;
    kit_open(&k, &o);
    s.src = src;
    for (unsigned i = 0; i < 18; i++) { /* 0 again, then a newcomer */
        kit_time(&k, k.now + NS_PER_S);
        (void)snprintf(src, sizeof(src), "10.77.0.%u", i == 16 ? 0 : i);
        kit_session(&k, &s);
    }
    assert_int_equal(hosts_counts(k.h).evicted, 1);
    (void)snprintf(src, sizeof(src), "10.77.0.0");
    kit_session(&k, &s);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, "10.77.0.0", FIELD_HOST_SESSIONS), 3);
    assert_int_equal(kit_u64(&k, "10.77.0.2", FIELD_HOST_SESSIONS), 1);
    assert_null(kit_last(&k, "10.77.0.1"));
    kit_close(&k);
}

/* Those that left make room in the share of their /48. */
static void
test_shares_are_given_back(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;
    char src[64];

    (void)state;
    o.hosts = 100;
    kit_open(&k, &o);
    s.src = src;
    s.dest = "10.0.0.25";
    s.direction = "inbound";
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(src, sizeof(src), "2001:db8:1:%x::1", i);
        refuse(&k, &s, 1);
    }
    assert_int_equal(hosts_counts(k.h).hosts, 100);
    assert_int_equal(hosts_counts(k.h).evicted, 900);
    assert_int_equal(hosts_counts(k.h).refused, 0);
    kit_close(&k);
}

static void
test_full_of_suspects(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;
    char src[64];

    (void)state;
    o.hosts = 60;
    kit_open(&k, &o);
    s.src = src;
    for (unsigned i = 0; i < 61; i++) {
        (void)snprintf(src, sizeof(src), "10.77.0.%u", i);
        for (unsigned j = 0; j < 4; j++)
            refuse(&k, &s, j);
        assert_int_equal(hosts_counts(k.h).hosts, i < 60 ? i + 1 : 60);
    }
    assert_int_equal(hosts_counts(k.h).evicted, 0);
    assert_int_equal(hosts_counts(k.h).refused, 4);
    kit_close(&k);
}

/* ---- attacks on scores ---- */

static void
test_banked_successes(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;
    char rcpt[64];
    struct kit_rcpt r = {rcpt, 250, "accepted", NULL};

    (void)state;
    kit_open(&k, &o);
    for (unsigned i = 0; i < 500; i++) {
        (void)snprintf(rcpt, sizeof(rcpt), "<u@good%u.example>", i);
        kit_mail(&k, &bot, &r, 1, 250, 0, true);
    }
    for (unsigned i = 0; i < 5; i++)
        refuse(&k, &bot, i);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, "10.1.2.3", FIELD_HOST_S1_SCORE), 5 * 2079);
    kit_close(&k);
}

/* One bot in a /64 of a hundred hosts at home: it alone stands out. */
static void
test_one_of_a_network(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;
    char src[64];

    (void)state;
    kit_open(&k, &o);
    s.src = src;
    for (unsigned i = 1; i <= 100; i++) {
        (void)snprintf(src, sizeof(src), "2001:db8:1:2::%x", i);
        for (unsigned j = 0; j < 8; j++) {
            struct kit_rcpt fine = {"<u@org.example>", 250, "accepted", NULL};

            if (i == 50)
                refuse(&k, &s, j);
            else
                kit_mail(&k, &s, &fine, 1, 250, 0, true);
        }
    }
    kit_end(&k);
    assert_int_equal(hosts_counts(k.h).hosts, 100);
    assert_true(kit_is(&k, "2001:db8:1:2::32", FIELD_HOST_S1_LEVEL, "block"));
    assert_true(kit_is(&k, "2001:db8:1:2::31", FIELD_HOST_S1_LEVEL, "normal"));
    kit_close(&k);
}

/* A /64 at home with more than 1,024 addresses is one host from then on. */
static void
test_folded_network(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;
    char src[64];

    (void)state;
    kit_open(&k, &o);
    s.src = src;
    for (unsigned i = 0; i < 3000; i++) {
        (void)snprintf(src, sizeof(src), "2001:db8:1:2::%x", i);
        kit_session(&k, &s);
    }
    kit_end(&k);
    assert_int_equal(hosts_counts(k.h).hosts, 1025);
    (void)snprintf(src, sizeof(src), "2001:db8:1:2::5");
    kit_session(&k, &s); /* one of before is still itself */
    kit_end(&k);
    assert_int_equal(kit_u64(&k, "2001:db8:1:2::5", FIELD_HOST_SESSIONS), 2);
    (void)snprintf(src, sizeof(src), "2001:db8:1:2:ffff::1");
    kit_session(&k, &s);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, "2001:db8:1:2::", FIELD_HOST_SESSIONS), 1977);
    assert_true(record_map_bool(kit_last(&k, "2001:db8:1:2::"),
                                FIELD_HOST_IDENTITY_CONFLICT));
    kit_close(&k);
}

static void
test_outside_networks(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_speaker s = bot;
    struct kit_run k;
    char src[64];

    (void)state;
    kit_open(&k, &o);
    s.src = src;
    s.dest = "10.0.0.25";
    s.direction = "inbound";
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(src, sizeof(src), "2001:db8:1:%x::1", i);
        refuse(&k, &s, 1);
    }
    assert_int_equal(hosts_counts(k.h).hosts, 256);
    assert_int_equal(hosts_counts(k.h).refused, 744);
    kit_close(&k);
}

static void
test_reset(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;
    struct addr a;

    (void)state;
    kit_open(&k, &o);
    for (unsigned i = 0; i < 9; i++)
        refuse(&k, &bot, i);
    assert_true(kit_is(&k, "10.1.2.3", FIELD_HOST_S1_LEVEL, "block"));
    REQUIRE(addr_parse(SPAN_LIT("10.1.2.3"), &a));
    hosts_reset(k.h, &a);
    refuse(&k, &bot, 100);
    kit_end(&k);
    assert_int_equal(kit_u64(&k, "10.1.2.3", FIELD_HOST_S1_SCORE), 2079);
    kit_close(&k);
}

/* ---- order and snapshots ---- */

#define STREAM 6000U

static const struct kit_stream stream = {
    .x = UINT64_C(0x5eed5eed5eed), .homes = 300, .step = 60 * NS_PER_S};

static void
assert_same(const struct kit_run *a, const struct kit_run *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->text.n, b->text.n);
    assert_memory_equal(a->text.p, b->text.p, a->text.n);
}

/* However time is told: not at all, or all the time. */
static void
test_any_ticks_same_events(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_stream s = stream;
    struct kit_run plain;
    struct kit_run ticked;

    (void)state;
    o.hosts = 150; /* so that some are evicted */
    kit_open(&plain, &o);
    kit_open(&ticked, &o);
    for (unsigned i = 0; i < STREAM; i++)
        stream_next(&plain, &s);
    kit_end(&plain);
    s = stream;
    ticked.told = KIT_START;
    ticked.tick = 700 * NS_PER_MS;
    for (unsigned i = 0; i < STREAM; i++)
        stream_next(&ticked, &s);
    kit_end(&ticked);
    assert_true(plain.n > 500);
    assert_same(&plain, &ticked);
    kit_close(&plain);
    kit_close(&ticked);
}

static void
test_time_in_steps(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_stream s = stream;
    struct kit_run once;
    struct kit_run many;

    (void)state;
    kit_open(&once, &o);
    kit_open(&many, &o);
    for (unsigned i = 0; i < 500; i++)
        stream_next(&once, &s);
    s = stream;
    for (unsigned i = 0; i < 500; i++)
        stream_next(&many, &s);
    kit_time(&once, once.now + 3 * KIT_DAY);
    for (unsigned i = 0; i < 3 * 24 * 60 * 2; i++)
        kit_time(&many, many.now + 30 * NS_PER_S);
    assert_same(&once, &many);
    kit_close(&once);
    kit_close(&many);
}

static void
test_snapshot_in_the_middle(void **state)
{
    static const unsigned cuts[] = {0, 1, 100, 3000};
    struct hosts_options o = kit_options();

    (void)state;
    o.hosts = 150;
    for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
        struct kit_stream s = stream;
        struct kit_run a;
        struct kit_run b;
        struct buf first;
        struct buf second;

        buf_init(&first, SIZE_MAX / 2);
        buf_init(&second, SIZE_MAX / 2);
        kit_open(&a, &o);
        kit_open(&b, &o);
        for (unsigned i = 0; i < cuts[c]; i++)
            stream_next(&a, &s);
        assert_int_equal(hosts_save(a.h, &first), ERR_OK);
        assert_int_equal(hosts_load(b.h, buf_view(&first)), ERR_OK);
        assert_int_equal(hosts_save(b.h, &second), ERR_OK);
        assert_int_equal(first.n, second.n);
        assert_memory_equal(first.p, second.p, first.n);
        b.now = a.now;
        b.flow = a.flow;
        b.tx = a.tx;
        buf_reset(&a.text);
        a.n = 0;
        {
            struct kit_stream again = s;

            for (unsigned i = 0; i < 3000; i++)
                stream_next(&a, &s);
            for (unsigned i = 0; i < 3000; i++)
                stream_next(&b, &again);
        }
        kit_end(&a);
        kit_end(&b);
        assert_same(&a, &b);
        buf_free(&first);
        buf_free(&second);
        kit_close(&a);
        kit_close(&b);
    }
}

static struct buf
a_snapshot(const struct hosts_options *o, struct kit_run *k)
{
    struct kit_stream s = stream;
    struct buf b;

    buf_init(&b, SIZE_MAX / 2);
    kit_open(k, o);
    for (unsigned i = 0; i < 400; i++)
        stream_next(k, &s);
    assert_int_equal(hosts_save(k->h, &b), ERR_OK);
    return b;
}

static void
test_damaged_snapshots(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;
    struct buf b = a_snapshot(&o, &k);
    struct buf after;
    uint64_t x = 7;

    (void)state;
    buf_init(&after, SIZE_MAX / 2);
    for (unsigned i = 0; i < 60; i++) {
        size_t at = random_next(&x) % b.n;

        /* damage adds up */
        b.p[at] = (uint8_t)(b.p[at] ^ 1U << (random_next(&x) % 8));
        assert_int_not_equal(hosts_load(k.h, buf_view(&b)), ERR_OK);
        assert_int_not_equal(hosts_load(k.h, span_of(b.p, at)), ERR_OK);
    }
    assert_int_equal(hosts_load(k.h, SPAN_NONE), ERR_FORMAT);
    /* nothing was taken over */
    assert_int_equal(hosts_save(k.h, &after), ERR_OK);
    buf_reset(&b);
    assert_int_equal(hosts_save(k.h, &b), ERR_OK);
    assert_memory_equal(b.p, after.p, b.n);
    buf_free(&b);
    buf_free(&after);
    kit_close(&k);
}

/* Damage under a right sum: refused, or harmless. */
static void
test_forged_snapshots(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;
    struct buf b = a_snapshot(&o, &k);
    uint64_t seed = hash_mix(o.seed, UINT64_C(0x686f737473));
    uint64_t x = 99;

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        struct kit_run other;
        size_t at = 40 + random_next(&x) % (b.n - 40);
        uint8_t was = b.p[at];
        uint64_t sum;

        if (i < 150) /* what is dense: lists and records */
            at = 40 + random_next(&x) % 40000;
        was = b.p[at];
        b.p[at] = (uint8_t)random_next(&x);
        sum = hash_span(span_tail(buf_view(&b), 40), seed);
        memcpy(b.p + 24, &sum, sizeof(sum));
        kit_open(&other, &o);
        if (hosts_load(other.h, buf_view(&b)) == ERR_OK) {
            struct kit_stream s = stream;

            other.now = k.now;
            for (unsigned n = 0; n < 200; n++)
                stream_next(&other, &s);
            kit_end(&other);
        }
        kit_close(&other);
        b.p[at] = was;
    }
    buf_free(&b);
    kit_close(&k);
}

static void
test_other_options_are_refused(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_run k;
    struct kit_run other;
    struct buf b = a_snapshot(&o, &k);

    (void)state;
    o.seed++;
    kit_open(&other, &o);
    assert_int_equal(hosts_load(other.h, buf_view(&b)), ERR_FORMAT);
    kit_close(&other);
    o.seed--;
    o.hosts++;
    kit_open(&other, &o);
    assert_int_equal(hosts_load(other.h, buf_view(&b)), ERR_FORMAT);
    kit_close(&other);
    buf_free(&b);
    kit_close(&k);
}

/* A clock gone mad ends no loop late. */
static void
test_wild_time(void **state)
{
    struct hosts_options o = kit_options();
    struct kit_stream s = stream;
    struct kit_run k;

    (void)state;
    kit_open(&k, &o);
    for (unsigned i = 0; i < 300; i++)
        stream_next(&k, &s);
    kit_time(&k, UINT64_MAX - NS_PER_S);
    k.now = KIT_START; /* back again: time stands */
    for (unsigned i = 0; i < 300; i++)
        stream_next(&k, &s);
    kit_end(&k);
    kit_close(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spoofed_flood),
        cmocka_unit_test(test_one_source_many_recipients),
        cmocka_unit_test(test_suspects_stay),
        cmocka_unit_test(test_full_of_suspects),
        cmocka_unit_test(test_idlest_goes),
        cmocka_unit_test(test_shares_are_given_back),
        cmocka_unit_test(test_banked_successes),
        cmocka_unit_test(test_one_of_a_network),
        cmocka_unit_test(test_folded_network),
        cmocka_unit_test(test_outside_networks),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_any_ticks_same_events),
        cmocka_unit_test(test_time_in_steps),
        cmocka_unit_test(test_snapshot_in_the_middle),
        cmocka_unit_test(test_damaged_snapshots),
        cmocka_unit_test(test_forged_snapshots),
        cmocka_unit_test(test_other_options_are_refused),
        cmocka_unit_test(test_wild_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
