#include "rules/feed/feed_test_kit.h"

#include <stdlib.h>

#include "rules/feed/feed_seal.h"
#include "tests/support/alloc_fails.h"

#define WHY(id) (UINT32_C(1) << FEED_WHY_##id)

/* clang-format off */
static const struct {
    const char *why, *prefix;
    uint8_t bits; /* 0: those of prefix */
    uint8_t v4, v6; /* widest */
    uint32_t want;
} alone[] = {
    {"one address", "192.0.2.1", 0, 32, 64, 0},
    {"one /64", "2001:db8::/64", 0, 32, 64, 0},
    {"one IPv6 address", "2001:db8::1", 0, 32, 64, 0},
    {"as wide as allowed", "192.0.2.0/24", 0, 24, 64, 0},
    {"one bit wider", "192.0.2.0/23", 0, 24, 64, WHY(TOO_WIDE)},
    {"one bit narrower", "192.0.2.0/25", 0, 24, 64, 0},
    {"the default is one address", "192.0.2.0/31", 0, 32, 64, WHY(TOO_WIDE)},
    {"as wide as allowed, IPv6", "2001:db8::/56", 0, 32, 56, 0},
    {"one bit wider, IPv6", "2001:db8::/55", 0, 32, 56, WHY(TOO_WIDE)},
    {"one bit narrower, IPv6", "2001:db8::/57", 0, 32, 56, 0},
    {"all of IPv4", "0.0.0.0/0", 0, 16, 32, WHY(EVERYTHING)},
    {"all of IPv6", "::/0", 0, 16, 32, WHY(EVERYTHING)},
    {"half of IPv4", "128.0.0.0/1", 0, 16, 32, WHY(TOO_WIDE)},
    {"half of IPv6", "8000::/1", 0, 16, 32, WHY(TOO_WIDE)},
    {"IPv4 and more, as IPv6", "::/64", 0, 16, 32, WHY(NO_HOST)},
    {"IPv4 in an IPv6 prefix of 32 bits", "::/32", 0, 16, 32, WHY(NO_HOST)},
    {"host bits", "192.0.2.1", 127, 24, 64, WHY(MALFORMED)},
    {"host bits of the mapped form", "192.0.2.0", 90, 16, 32, WHY(MALFORMED)},
    {"too long", "192.0.2.0", 129, 16, 32, WHY(MALFORMED)},
    {"this network", "0.0.0.1", 0, 32, 64, WHY(NO_HOST)},
    {"loopback", "127.0.0.1", 0, 32, 64, WHY(NO_HOST)},
    {"multicast", "224.0.0.1", 0, 32, 64, WHY(NO_HOST)},
    {"broadcast", "255.255.255.255", 0, 32, 64, WHY(NO_HOST)},
    {"before multicast", "223.255.255.255", 0, 32, 64, 0},
    {"holds loopback", "127.0.0.0/16", 0, 16, 64, WHY(NO_HOST)},
    {"IPv6 loopback", "::1", 0, 32, 64, WHY(NO_HOST)},
    {"link-local", "fe80::/64", 0, 32, 64, WHY(NO_HOST)},
    {"IPv6 multicast", "ff02::1", 0, 32, 64, WHY(NO_HOST)},
};
/* clang-format on */

static void
looks_at_each_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(alone); i++) {
        struct kit k;
        struct feed_entry *e;

        kit_init(&k);
        k.limits.widest_v4 = alone[i].v4;
        k.limits.widest_v6 = alone[i].v6;
        k.in.allow_empty = true;
        e = kit_add(&k, alone[i].prefix, 600);
        if (alone[i].bits != 0)
            e->prefix.bits = alone[i].bits;
        assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
        if (k.f.n != (alone[i].want == 0) ||
            k.f.n_notes != (alone[i].want != 0) ||
            (k.f.n_notes > 0 && k.f.notes[0].why != alone[i].want))
            fail_msg("%s: %zu listed, why %x", alone[i].why, k.f.n,
                     k.f.n_notes > 0 ? k.f.notes[0].why : 0);
        feed_fini(&k.f);
    }
}

/* Seconds from now on. */
static const struct {
    const char *why;
    int64_t since, until;
    bool endless;
    enum feed_origin origin;
    size_t hash; /* digits of it */
    uint32_t want;
    uint64_t left;
} times[] = {
    {"in force",            -1, 60,   false, FEED_DETECTOR, 64, 0,                60  },
    {"begins now",          0,  60,   false, FEED_DETECTOR, 64, 0,                60  },
    {"begins in a second",  1,  60,   false, FEED_DETECTOR, 64, WHY(NOT_BEGUN),   0   },
    {"ends now",            -1, 0,    false, FEED_DETECTOR, 64, WHY(OVER),        0   },
    {"ends in a second",    -1, 1,    false, FEED_DETECTOR, 64, 0,                1   },
    {"ended",               -9, -1,   false, FEED_DETECTOR, 64, WHY(OVER),        0   },
    {"no end",              -1, 0,    true,  FEED_HUMAN,    64, WHY(NO_END),      0   },
    {"as long as allowed",  -1, 1000, false, FEED_DETECTOR, 64, 0,                1000},
    {"a second longer",     -1, 1001, false, FEED_DETECTOR, 64, WHY(SHORTENED),
     1000                                                                             },
    {"no evidence",         -1, 60,   false, FEED_DETECTOR, 0,  WHY(NO_EVIDENCE), 0   },
    {"half a hash",         -1, 60,   false, FEED_DETECTOR, 63, WHY(NO_EVIDENCE), 0   },
    {"a person needs none", -1, 60,   false, FEED_HUMAN,    0,  0,                60  },
};

static void
looks_at_times_and_evidence(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        struct kit k;
        struct feed_entry *e;

        kit_init(&k);
        k.limits.longest_s = 1000;
        k.in.allow_empty = true;
        e = kit_add(&k, "192.0.2.1", 0);
        e->since = KIT_NOW + (uint64_t)times[i].since * NS_PER_S;
        e->until = times[i].endless
                       ? 0
                       : KIT_NOW + (uint64_t)times[i].until * NS_PER_S;
        e->origin = times[i].origin;
        e->evidence.n = times[i].hash;
        assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
        if ((k.f.n_notes > 0 ? k.f.notes[0].why : 0) != times[i].want ||
            k.f.n != (times[i].left > 0) ||
            (k.f.n > 0 && feed_left(&k.f, &k.f.v[0], KIT_NOW) != times[i].left))
            fail_msg("%s", times[i].why);
        feed_fini(&k.f);
    }
}

static void
ends_with_the_dead_man(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k);
    k.limits.deadman_s = 60;
    (void)kit_add(&k, "192.0.2.1", 59);
    (void)kit_add(&k, "192.0.2.2", 60);
    (void)kit_add(&k, "192.0.2.3", 61);
    assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
    assert_int_equal(k.f.expires, KIT_NOW + 60 * NS_PER_S);
    assert_int_equal(feed_left(&k.f, &k.f.v[0], KIT_NOW), 59);
    assert_int_equal(feed_left(&k.f, &k.f.v[1], KIT_NOW), 60);
    assert_int_equal(feed_left(&k.f, &k.f.v[2], KIT_NOW), 60);
    assert_int_equal(feed_left(&k.f, &k.f.v[2], KIT_NOW + 59 * NS_PER_S), 1);
    assert_int_equal(feed_left(&k.f, &k.f.v[2], KIT_NOW + 59 * NS_PER_S + 1),
                     0);
    assert_int_equal(feed_left(&k.f, &k.f.v[2], KIT_NOW + 60 * NS_PER_S), 0);
    assert_int_equal(feed_left(&k.f, &k.f.v[2], KIT_NOW + 99 * NS_PER_S), 0);
    feed_fini(&k.f);
}

/* ---- beside one another, around what is never listed ---- */

#define NONE                                                                   \
    {                                                                          \
        NULL, 0                                                                \
    }

static const struct {
    const char *why;
    struct {
        const char *prefix;
        uint64_t left;
    } entries[4];
    struct {
        const char *prefix;
        unsigned kind;
    } never[3];
    const char *want;
    uint32_t notes[4]; /* by entry */
} sets[] = {
    {"sorted",
     {{"192.0.2.9", 60}, {"192.0.2.1", 60}, {"2001:db8::/64", 60}},
     {NONE},
     "192.0.2.1/32 192.0.2.9/32 2001:db8::/64",  {0}                             },
    {"twice: who lasts longer stays",
     {{"192.0.2.9", 60}, {"192.0.2.9", 90}, {"192.0.2.9", 70}},
     {NONE},
     "192.0.2.9/32",                             {WHY(DOUBLE), 0, WHY(DOUBLE)}   },
    {"within one that lasts as long",
     {{"192.0.2.9", 60}, {"192.0.2.8/30", 60}},
     {NONE},
     "192.0.2.8/30",                             {WHY(DOUBLE), 0}                },
    {"within one that ends before",
     {{"192.0.2.9", 61}, {"192.0.2.8/30", 60}},
     {NONE},
     "192.0.2.8/32 192.0.2.9/32 192.0.2.10/31",  {0, 0}                          },
    {"three within one another",
     {{"192.0.2.9", 70}, {"192.0.2.8/30", 60}, {"192.0.2.8/31", 70}},
     {NONE},
     "192.0.2.8/31 192.0.2.10/31",               {WHY(DOUBLE), 0, 0}             },
    {"registered whole",
     {{"192.0.2.9", 60}, {"192.0.2.1", 60}},
     {{"192.0.2.8/29", 0}},
     "192.0.2.1/32",                             {WHY(REGISTERED), 0}            },
    {"split around one that is registered",
     {{"192.0.2.8/29", 60}},
     {{"192.0.2.9", 0}},
     "192.0.2.8/32 192.0.2.10/31 192.0.2.12/30", {WHY(REGISTERED)}               },
    {"the first and the last address are kept out",
     {{"192.0.2.8/30", 60}},
     {{"192.0.2.8", 1}, {"192.0.2.11", 2}},
     "192.0.2.9/32 192.0.2.10/32",               {WHY(PERMITTED) | WHY(EXCEPTED)}},
    {"beside: nothing is cut",
     {{"192.0.2.8/30", 60}},
     {{"192.0.2.7", 1}, {"192.0.2.12", 3}},
     "192.0.2.8/30",                             {0}                             },
    {"of a kind that nobody knows",
     {{"192.0.2.8/31", 60}},
     {{"192.0.2.8", 77}},
     "192.0.2.9/32",                             {WHY(PROTECTED)}                },
    {"all of IPv6 is registered: IPv4 is not",
     {{"192.0.2.8", 60}, {"2001:db8::/64", 60}},
     {{"::/0", 0}},
     "192.0.2.8/32",                             {0, WHY(REGISTERED)}            },
    {"all of IPv4 is registered: IPv6 is not",
     {{"192.0.2.8", 60}, {"2001:db8::/64", 60}},
     {{"0.0.0.0/0", 0}},
     "2001:db8::/64",                            {WHY(REGISTERED), 0}            },
};

static void
test_set(size_t i)
{
    uint32_t notes[4] = {0};
    char text[512];
    struct kit k;

    kit_init(&k);
    k.limits.widest_v4 = 24;
    k.in.allow_empty = true;
    for (size_t e = 0; e < 4 && sets[i].entries[e].prefix != NULL; e++)
        (void)kit_add(&k, sets[i].entries[e].prefix, sets[i].entries[e].left);
    for (size_t e = 0; e < 3 && sets[i].never[e].prefix != NULL; e++)
        kit_never(&k, sets[i].never[e].prefix, sets[i].never[e].kind);
    assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
    kit_text(&k.f, text, sizeof(text));
    for (size_t e = 0; e < k.f.n_notes; e++)
        notes[k.f.notes[e].entry] = k.f.notes[e].why;
    if (strcmp(text, sets[i].want) != 0 ||
        memcmp(notes, sets[i].notes, sizeof(notes)) != 0)
        fail_msg("%s: %s, notes %x %x", sets[i].why, text, notes[0], notes[1]);
    feed_fini(&k.f);
}

static void
makes_sets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sets); i++)
        test_set(i);
}

static void
one_address_of_a_64_is_63_and_more_prefixes(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k);
    (void)kit_add(&k, "2001:db8::/64", 60);
    kit_never(&k, "2001:db8::9", 0);
    k.limits.pieces = 64;
    assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
    assert_int_equal(k.f.n, 64);
    feed_fini(&k.f);
    k.limits.pieces = 63;
    assert_int_equal(feed_make(&k.in, &k.f), FEED_EMPTY);
    assert_int_equal(k.f.n_notes, 1);
    assert_int_equal(k.f.notes[0].why, WHY(REGISTERED) | WHY(PIECES));
    assert_false(k.f.notes[0].listed);
    feed_fini(&k.f);
}

/* ---- caps ---- */

static void
caps_all(void **state)
{
    (void)state;
    for (uint64_t cap = 2; cap <= 4; cap++) {
        struct kit k;

        kit_init(&k);
        k.limits.total = cap;
        for (unsigned i = 0; i < 3; i++) {
            char text[32];

            (void)snprintf(text, sizeof(text), "192.0.2.%u", 9 - i);
            kit_add(&k, text, 60)->since -= i * NS_PER_S;
        }
        assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
        assert_int_equal(k.f.n, cap < 3 ? cap : 3);
        assert_int_equal(k.f.counts[FEED_WHY_CAP_TOTAL], cap < 3);
        /* the latest decision, which is of .9, waits */
        assert_int_equal(k.f.v[0].prefix.addr.b[15], 7);
        feed_fini(&k.f);
    }
}

static void
caps_an_hour(void **state)
{
    static const struct {
        const char *why;
        uint64_t later_s, hour, want;
    } rows[] = {
        {"three are fewer than four",        60,   4, 4},
        {"three are three",                  60,   3, 3},
        {"the hour is not over",             3599, 3, 3},
        {"the hour is over",                 3600, 3, 4},
        {"fewer than are listed: they stay", 60,   1, 3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kit k;
        struct feed last;

        kit_init(&k);
        k.limits.hour = 3;
        for (unsigned n = 0; n < 3; n++) {
            char text[32];

            (void)snprintf(text, sizeof(text), "192.0.2.%u", 5 + n);
            (void)kit_add(&k, text, 9000);
        }
        assert_int_equal(feed_make(&k.in, &last), FEED_DONE);
        assert_int_equal(last.added, 3);
        (void)kit_add(&k, "192.0.2.1", 9000);
        k.in.last = &last;
        k.in.now += rows[i].later_s * NS_PER_S;
        k.limits.hour = rows[i].hour;
        assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
        if (k.f.n != rows[i].want ||
            k.f.counts[FEED_WHY_CAP_HOUR] != (rows[i].want == 3))
            fail_msg("%s: %zu", rows[i].why, k.f.n);
        feed_fini(&k.f);
        feed_fini(&last);
    }
}

/* An older decision that comes later takes nobody's place. */
static void
keeps_who_is_listed(void **state)
{
    struct kit k;
    struct feed last;
    char text[128];

    (void)state;
    kit_init(&k);
    k.limits.total = 2;
    (void)kit_add(&k, "192.0.2.5", 9000);
    (void)kit_add(&k, "192.0.2.6", 9000);
    assert_int_equal(feed_make(&k.in, &last), FEED_DONE);
    kit_add(&k, "192.0.2.1", 9000)->since -= 600 * NS_PER_S;
    k.in.last = &last;
    assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
    kit_text(&k.f, text, sizeof(text));
    assert_string_equal(text, "192.0.2.5/32 192.0.2.6/32");
    feed_fini(&k.f);
    feed_fini(&last);
}

/* Whoever leaves within the hour has come all the same. */
static void
counts_who_left(void **state)
{
    struct kit k;
    struct feed last;

    (void)state;
    kit_init(&k);
    k.limits.hour = 2;
    (void)kit_add(&k, "192.0.2.1", 9000);
    (void)kit_add(&k, "192.0.2.2", 9000);
    assert_int_equal(feed_make(&k.in, &last), FEED_DONE);
    k.in.n = 1;
    (void)kit_add(&k, "192.0.2.3", 9000);
    k.in.last = &last;
    k.in.now += 60 * NS_PER_S;
    assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
    assert_int_equal(k.f.n, 1);
    feed_fini(&k.f);
    feed_fini(&last);
}

/* ---- the whole set ---- */

static void
refuses_sets(void **state)
{
    static const struct {
        const char *why;
        uint64_t quality;
        bool unknown, empty, allowed, backward;
        uint32_t deadman;
        enum feed_verdict want;
    } rows[] = {
        {"good",                 950,  false, false, false, false, 3600,   FEED_DONE    },
        {"too little seen",      949,  false, false, false, false, 3600,
         FEED_QUALITY                                                                   },
        {"more than needed",     951,  false, false, false, false, 3600,   FEED_DONE    },
        {"registry unknown",     1000, true,  false, false, false, 3600,
         FEED_UNKNOWN                                                                   },
        {"empty",                1000, false, true,  false, false, 3600,   FEED_EMPTY   },
        {"empty on purpose",     1000, false, true,  true,  false, 3600,   FEED_DONE    },
        {"back in time",         1000, false, false, false, true,  3600,   FEED_BACKWARD},
        {"least dead man's end", 1000, false, false, false, false, 60,
         FEED_DONE                                                                      },
        {"below it",             1000, false, false, false, false, 59,     FEED_LIMITS  },
        {"most",                 1000, false, false, false, false, 604800, FEED_DONE    },
        {"above it",             1000, false, false, false, false, 604801, FEED_LIMITS  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct feed last = {.made = KIT_NOW + rows[i].backward, .serial = 6};
        struct kit k;

        kit_init(&k);
        if (!rows[i].empty)
            (void)kit_add(&k, "192.0.2.1", 60);
        k.limits.deadman_s = rows[i].deadman;
        k.in.quality_permille = rows[i].quality;
        k.in.never_known = !rows[i].unknown;
        k.in.allow_empty = rows[i].allowed;
        k.in.last = &last;
        if (feed_make(&k.in, &k.f) != rows[i].want ||
            k.f.serial != (rows[i].want == FEED_DONE ? 7 : 0))
            fail_msg("%s", rows[i].why);
        feed_fini(&k.f);
    }
}

static void
collect_change(void *ctx, char kind, const struct feed_item *i)
{
    struct buf *b = ctx;

    buf_putc(b, (uint8_t)kind);
    prefix_format(&i->prefix, b);
    buf_putc(b, ' ');
}

static void
tells_what_changed(void **state)
{
    struct kit k;
    struct feed last;
    struct buf b;

    (void)state;
    kit_init(&k);
    buf_init(&b, 1024);
    (void)kit_add(&k, "192.0.2.1", 600);
    (void)kit_add(&k, "192.0.2.2", 600);
    (void)kit_add(&k, "192.0.2.3", 600);
    assert_int_equal(feed_make(&k.in, &last), FEED_DONE);
    assert_int_equal(last.serial, 1);
    feed_diff(NULL, &last, collect_change, &b);
    assert_true(span_eq(
        buf_view(&b), SPAN_LIT("+192.0.2.1/32 +192.0.2.2/32 +192.0.2.3/32 ")));
    k.in.last = &last;
    assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
    assert_int_equal(k.f.serial, 1);
    assert_string_equal(k.f.digest, last.digest);
    feed_fini(&k.f);
    k.entries[0].prefix = kit_prefix("192.0.2.4");
    k.entries[1].until += NS_PER_S;
    assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
    assert_int_equal(k.f.serial, 2);
    buf_reset(&b);
    feed_diff(&last, &k.f, collect_change, &b);
    assert_true(span_eq(
        buf_view(&b), SPAN_LIT("-192.0.2.1/32 ~192.0.2.2/32 +192.0.2.4/32 ")));
    feed_fini(&k.f);
    feed_fini(&last);
    buf_free(&b);
}

static void
cuts_texts(void **state)
{
    char text[FEED_TEXT + 1];

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t n = FEED_TEXT - 1; n <= FEED_TEXT + 1; n++) {
        struct kit k;

        kit_init(&k);
        kit_add(&k, "192.0.2.1", 60)->reason = span_of(text, n);
        assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
        assert_int_equal(k.f.v[0].reason.n, n < FEED_TEXT ? n : FEED_TEXT);
        feed_fini(&k.f);
    }
}

/* ---- saved ---- */

static void
goes_on_after_a_start(void **state)
{
    struct kit k;
    struct feed last, again;
    struct buf b;

    (void)state;
    kit_init(&k);
    k.limits.hour = 2;
    (void)kit_add(&k, "192.0.2.1", 9000);
    kit_add(&k, "2001:db8::/64", 9000)->reason = SPAN_LIT("\0\xff");
    assert_int_equal(feed_make(&k.in, &last), FEED_DONE);
    buf_init(&b, 1 << 16);
    assert_int_equal(feed_save(&last, &b), ERR_OK);
    assert_int_equal(feed_load(buf_view(&b), &again), ERR_OK);
    assert_string_equal(again.digest, last.digest);
    assert_true(again.serial == last.serial && again.made == last.made &&
                again.expires == last.expires && again.n == 2 &&
                again.widest[0] == 32 && again.widest[1] == 64);
    assert_true(span_eq(again.v[1].reason, last.v[1].reason));
    (void)kit_add(&k, "192.0.2.2", 9000);
    k.in.last = &again;
    assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
    assert_int_equal(k.f.n, 2);
    assert_int_equal(k.f.serial, 1);
    assert_int_equal(k.f.counts[FEED_WHY_CAP_HOUR], 1);
    feed_fini(&k.f);
    feed_fini(&again);
    feed_fini(&last);
    buf_free(&b);
}

static void
loads_nothing_that_is_damaged(void **state)
{
    struct kit k;
    struct feed again;
    struct buf b;

    (void)state;
    kit_init(&k);
    (void)kit_add(&k, "192.0.2.1", 9000);
    (void)kit_add(&k, "192.0.2.9", 9000);
    assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
    buf_init(&b, 1 << 16);
    assert_int_equal(feed_save(&k.f, &b), ERR_OK);
    for (size_t i = 0; i < b.n; i++) {
        enum err e = feed_load(span_head(buf_view(&b), i), &again);

        assert_true(e == ERR_CORRUPT || e == ERR_FORMAT);
        b.p[i] ^= 1;
        e = feed_load(buf_view(&b), &again);
        assert_true(e == ERR_CORRUPT || e == ERR_FORMAT);
        assert_null(again.v);
        b.p[i] ^= 1;
    }
    feed_fini(&k.f);
    buf_free(&b);
}

/* Well sealed, but no set of ours. */
static void
loads_no_set_that_is_not_sound(void **state)
{
    static const struct {
        const char *why;
        uint8_t bits[2], last[2];
        uint8_t came; /* later than the set was made */
        enum err want;
    } rows[] = {
        {"sound",                  {128, 128}, {1, 2}, 0, ERR_OK     },
        {"the other order",        {128, 128}, {2, 1}, 0, ERR_CORRUPT},
        {"twice",                  {128, 128}, {1, 1}, 0, ERR_CORRUPT},
        {"within one another",     {126, 128}, {0, 1}, 0, ERR_CORRUPT},
        {"host bits",              {126, 128}, {1, 9}, 0, ERR_CORRUPT},
        {"came after it was made", {128, 128}, {1, 2}, 1, ERR_CORRUPT},
        {"too long",               {129, 128}, {1, 9}, 0, ERR_CORRUPT},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kit k;
        struct feed again;
        struct buf b;

        kit_init(&k);
        (void)kit_add(&k, "192.0.2.1", 9000);
        (void)kit_add(&k, "192.0.2.2", 9000);
        assert_int_equal(feed_make(&k.in, &k.f), FEED_DONE);
        for (size_t n = 0; n < 2; n++) {
            k.f.v[n].prefix.bits = rows[i].bits[n];
            k.f.v[n].prefix.addr.b[15] = rows[i].last[n];
        }
        k.f.came[0] += rows[i].came;
        k.f.came[1] += rows[i].came;
        assert_true(feed_digest(&k.f, k.f.digest));
        buf_init(&b, 1 << 16);
        assert_int_equal(feed_save(&k.f, &b), ERR_OK);
        if (feed_load(buf_view(&b), &again) != rows[i].want)
            fail_msg("%s", rows[i].why);
        feed_fini(&again);
        feed_fini(&k.f);
        buf_free(&b);
    }
}

static void
survives_without_memory(void **state)
{
    enum feed_verdict v = FEED_MEMORY;

    (void)state;
    for (int n = 0; v == FEED_MEMORY && n < 1000; n++) {
        struct kit k;

        kit_init(&k);
        k.limits.widest_v4 = 24;
        (void)kit_add(&k, "192.0.2.0/28", 60);
        kit_never(&k, "192.0.2.3", 0);
        calls_left = n;
        v = feed_make(&k.in, &k.f);
        calls_left = -1;
        assert_true(v == FEED_DONE || (v == FEED_MEMORY && k.f.n == 0));
        feed_fini(&k.f);
    }
    assert_int_equal(v, FEED_DONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_at_each_prefix),
        cmocka_unit_test(looks_at_times_and_evidence),
        cmocka_unit_test(ends_with_the_dead_man),
        cmocka_unit_test(makes_sets),
        cmocka_unit_test(one_address_of_a_64_is_63_and_more_prefixes),
        cmocka_unit_test(caps_all),
        cmocka_unit_test(caps_an_hour),
        cmocka_unit_test(keeps_who_is_listed),
        cmocka_unit_test(counts_who_left),
        cmocka_unit_test(refuses_sets),
        cmocka_unit_test(tells_what_changed),
        cmocka_unit_test(cuts_texts),
        cmocka_unit_test(goes_on_after_a_start),
        cmocka_unit_test(loads_nothing_that_is_damaged),
        cmocka_unit_test(loads_no_set_that_is_not_sound),
        cmocka_unit_test(survives_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
