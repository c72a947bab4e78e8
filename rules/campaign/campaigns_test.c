#include "rules/campaign/campaigns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "rules/campaign/bodies.h"
#include "sensor/base/hash.h"
#include "tests/support/random_record.h"

#define MINUTE ((ns_t)60 * 1000000000)
#define START  ((ns_t)1700006400 * 1000000000)

/* A mail that goes out, as its source made it; what is 0 is as usual. */
struct sent {
    unsigned source; /* 10.20.x.y by its number */
    uint64_t print;
    unsigned rcpt; /* user and domain by its number */
    ns_t when;     /* minutes after START */
    const char *from, *url, *digest, *direction, *list;
    unsigned received;
    unsigned more; /* recipients that follow rcpt */
    uint64_t bytes;
    bool registered, no_print, no_message, in_net6;
};

struct bench {
    struct campaigns *c;
    struct record_out out;
    struct record_map map;
};

static void
bench_init(struct bench *b)
{
    assert_int_equal(campaigns_new(7, &b->c), ERR_OK);
    record_init(&b->out);
}

static void
bench_fini(struct bench *b)
{
    campaigns_free(b->c);
    record_free(&b->out);
}

static struct addr
source_addr(const struct sent *s)
{
    struct addr a = {
        .b = {0xfd, 0x25, 0, 0x20}
    };
    const uint8_t four[4] = {10, (uint8_t)(20 + (s->source >> 16)),
                             (uint8_t)(s->source >> 8), (uint8_t)s->source};

    if (!s->in_net6)
        return addr_v4(four);
    a.b[15] = (uint8_t)s->source;
    a.b[7] = (uint8_t)(s->source >> 8); /* another /64 of the same /48 */
    return a;
}

static void
put_rcpts(struct record_out *r, const struct sent *s)
{
    for (unsigned i = 0; i <= s->more; i++) {
        char text[64];

        (void)snprintf(text, sizeof(text), "<u%u@d%u.example>", s->rcpt + i,
                       (s->rcpt + i) % 50);
        record_text(r, FIELD_SMTP_RCPT_TO, text);
    }
    record_u64(r, FIELD_SMTP_RCPT_ACCEPTED, s->more + 1);
}

static void
put_message(struct record_out *r, const struct sent *s)
{
    char hex[17];

    if (!s->no_message) {
        record_text(r, FIELD_SMTP_VIA, "DATA");
        record_text(r, FIELD_SMTP_OUTCOME, "accepted");
        record_u64(r, FIELD_SMTP_MESSAGE_BYTES, s->bytes);
    }
    if (s->digest != NULL)
        record_text(r, FIELD_SMTP_BODY_SHA256, s->digest);
    for (unsigned i = 0; i < s->received; i++)
        record_text(r, FIELD_EMAIL_RECEIVED, "from a by b");
    if (s->list != NULL)
        record_text(r, FIELD_EMAIL_BULK, s->list);
    if (s->url != NULL)
        record_text(r, FIELD_EMAIL_URL, s->url);
    (void)snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)s->print);
    if (!s->no_print)
        record_text(r, FIELD_EMAIL_SIMHASH, hex);
}

static const struct record_map *
event(struct bench *b, const struct sent *s)
{
    struct record_head head = {
        .when = START + s->when * MINUTE, .flow_id = 1, .type = EVENT_SMTP};
    struct addr a = source_addr(s);

    record_begin(&b->out, &head);
    record_addr(&b->out, FIELD_SRC_IP, &a);
    record_text(&b->out, FIELD_DIRECTION,
                s->direction != NULL ? s->direction : "outbound");
    if (s->registered)
        record_text(&b->out, FIELD_SRC_REG_STATE, "registered");
    if (s->from != NULL)
        record_text(&b->out, FIELD_SMTP_MAIL_FROM, s->from);
    put_rcpts(&b->out, s);
    put_message(&b->out, s);
    record_map_init(&b->map, record_view(&b->out));
    return &b->map;
}

static struct campaign_join
send(struct bench *b, struct sent s)
{
    struct campaign_join j;
    bool said = campaigns_event(b->c, event(b, &s), &j);

    assert_int_equal(said, j.cluster != 0 || j.duplicate);
    return j;
}

#define PRINT UINT64_C(0x0123456789abcdef)

/* ---- bodies ---- */

/* Sources 1 to n in turn, until all have sent m in all. */
static struct campaign_join
send_all(struct bench *b, unsigned sources, unsigned messages)
{
    struct campaign_join j = {0};

    for (unsigned i = 0; i < messages; i++)
        j = send(b, (struct sent){
                        .source = 1 + i % sources, .print = PRINT, .rcpt = i});
    return j;
}

static void
counts_sources_and_messages(void **state)
{
    (void)state;
    for (unsigned sources = 1; sources <= 4; sources++) {
        for (unsigned messages = 19; messages <= 21; messages++) {
            struct bench b;
            struct campaign_join j;

            bench_init(&b);
            j = send_all(&b, sources, messages);
            assert_int_equal(j.cluster != 0, sources > 1);
            assert_int_equal(j.duplicate, sources > 1);
            assert_int_equal(j.sources, sources > 1 ? sources : 0);
            assert_int_equal(j.messages, sources > 1 ? messages : 0);
            assert_int_equal(j.kind, CAMPAIGN_BODY);
            bench_fini(&b);
        }
    }
}

static void
takes_bodies_that_differ_a_little(void **state)
{
    static const struct {
        uint64_t differs;
        bool same;
    } rows[] = {
        {0,                            true },
        {1,                            true },
        {UINT64_C(0x8000000000000001), true },
        {UINT64_C(0x0001000100010000), true },
        {UINT64_C(0x0000000000000007), true },
        {UINT64_C(0x0001000100010001), false}, /* a bit in each band */
        {UINT64_C(0x000000000000000f), false},
        {~UINT64_C(0),                 false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;

        bench_init(&b);
        (void)send(&b, (struct sent){.source = 1, .print = PRINT, .rcpt = 1});
        assert_int_equal(
            send(&b, (struct sent){.source = 2,
                                   .print = PRINT ^ rows[i].differs,
                                   .rcpt = 2})
                .duplicate,
            rows[i].same);
        bench_fini(&b);
    }
}

/* A template whose words vary: each message is near one before. */
static void
follows_templates(void **state)
{
    struct bench b;
    uint64_t x = 99;
    struct campaign_join j = {0};

    (void)state;
    bench_init(&b);
    for (unsigned i = 0; i < 60; i++) {
        uint64_t print = PRINT;

        if (i % 2 == 1)
            print ^= UINT64_C(1) << random_next(&x) % 64;
        j = send(&b,
                 (struct sent){.source = 1 + i % 3, .print = print, .rcpt = i});
    }
    assert_int_equal(j.sources, 3);
    assert_int_equal(j.messages, 60);
    bench_fini(&b);
}

static void
lets_the_hour_pass(void **state)
{
    struct bench b;
    struct campaign_join j, k;

    (void)state;
    bench_init(&b);
    (void)send(&b, (struct sent){.source = 1, .print = PRINT, .rcpt = 1});
    assert_true(
        send(&b,
             (struct sent){.source = 2, .print = PRINT, .rcpt = 2, .when = 59})
            .duplicate);
    j = send(&b,
             (struct sent){.source = 3, .print = PRINT, .rcpt = 3, .when = 60});
    /* the first one is beyond its hour, the cluster goes on */
    assert_int_equal(j.sources, 2);
    assert_int_equal(j.messages, 2);
    k = send(
        &b, (struct sent){.source = 4, .print = PRINT, .rcpt = 4, .when = 119});
    assert_true(k.cluster == j.cluster);
    assert_int_equal(k.sources, 2);
    /* nothing for an hour: forgotten */
    k = send(
        &b, (struct sent){.source = 5, .print = PRINT, .rcpt = 5, .when = 179});
    assert_int_equal(k.cluster, 0);
    k = send(
        &b, (struct sent){.source = 6, .print = PRINT, .rcpt = 6, .when = 180});
    assert_true(k.cluster != 0 && k.cluster != j.cluster);
    /* time that steps back stands */
    k = send(&b,
             (struct sent){.source = 7, .print = PRINT, .rcpt = 7, .when = 0});
    assert_int_equal(k.sources, 3);
    bench_fini(&b);
}

static void
keeps_clusters_apart(void **state)
{
    struct bench b;
    struct campaign_join one = {0}, two = {0};

    (void)state;
    bench_init(&b);
    for (unsigned i = 0; i < 40; i++) {
        one = send(
            &b, (struct sent){.source = 1 + i % 4, .print = PRINT, .rcpt = i});
        two = send(&b, (struct sent){.source = 1 + i % 5,
                                     .print = ~PRINT,
                                     .rcpt = 100 + i});
    }
    assert_true(one.cluster != two.cluster);
    assert_int_equal(one.sources, 4);
    assert_int_equal(two.sources, 5);
    assert_int_equal(one.messages, 40);
    assert_int_equal(two.messages, 40);
    assert_int_equal(campaigns_counts(b.c).clusters, 2);
    bench_fini(&b);
}

/* clang-format off */
static const struct { const char *why; struct sent mail; } innocents[] = {
    {"a newsletter that is forwarded", {.print = PRINT, .received = 2}},
    {"a mailing list", {.print = PRINT, .received = 1, .list = "list-id"}},
    {"registered servers", {.print = PRINT, .registered = true}},
    {"too little text", {.no_print = true}},
    {"too little text, equal bytes", {.no_print = true, .digest = "aa",
        .bytes = CAMPAIGN_DIGEST_BYTES - 1}},
    {"between hosts at home", {.print = PRINT, .direction = "internal"}},
    {"what comes in", {.print = PRINT, .direction = "inbound"}},
    {"bounces", {.print = PRINT, .from = "<>"}},
    {"no message yet", {.print = PRINT, .no_message = true}},
};
/* clang-format on */

static void
clusters_no_innocents(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(innocents); i++) {
        struct bench b;

        bench_init(&b);
        for (unsigned k = 0; k < 40; k++) {
            struct sent s = innocents[i].mail;

            s.source = 1 + k % 4;
            s.rcpt = k;
            if (send(&b, s).cluster != 0)
                fail_msg("%s", innocents[i].why);
        }
        bench_fini(&b);
    }
}

static void
passes_over_notices_to_one_person(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    for (unsigned k = 0; k < 40; k++)
        assert_int_equal(
            send(&b,
                 (struct sent){.source = 1 + k % 4, .print = PRINT, .rcpt = 7})
                .cluster,
            0);
    bench_fini(&b);
}

static void
takes_equal_bytes_without_text(void **state)
{
    struct sent s = {
        .no_print = true, .digest = "ab", .bytes = CAMPAIGN_DIGEST_BYTES};
    struct bench b;

    (void)state;
    bench_init(&b);
    s.source = s.rcpt = 1;
    assert_false(send(&b, s).duplicate);
    s.source = s.rcpt = 2;
    assert_true(send(&b, s).duplicate);
    s.source = s.rcpt = 3;
    s.digest = "ac";
    assert_false(send(&b, s).duplicate);
    bench_fini(&b);
}

static void
tells_a_registered_source_of_a_cluster(void **state)
{
    struct sent s = {
        .source = 9, .print = PRINT, .rcpt = 900, .registered = true};
    struct campaign_join j;
    struct bench b;

    (void)state;
    bench_init(&b);
    (void)send_all(&b, 3, 20);
    j = send(&b, s);
    assert_true(j.cluster != 0);
    assert_int_equal(j.sources, 3);
    assert_int_equal(j.messages, 20);
    assert_false(j.duplicate);
    bench_fini(&b);
}

/* ---- recipients ---- */

/* Sources first to first + n - 1 each write to the same recipients. */
static struct campaign_join
share(struct bench *b, unsigned first, unsigned n, unsigned rcpts, ns_t when)
{
    struct campaign_join j = {0};

    for (unsigned s = 0; s < n; s++) {
        for (unsigned i = 0; i < rcpts; i++)
            j = send(b, (struct sent){.source = first + s,
                                      .print = hash_mix(s, i),
                                      .rcpt = 1000 + i,
                                      .when = when});
    }
    return j;
}

static void
ties_sources_by_recipients(void **state)
{
    static const struct {
        unsigned sources, rcpts;
        bool tied;
    } rows[] = {
        {2, 20,                  false},
        {3, CAMPAIGN_SHARED - 1, false},
        {3, CAMPAIGN_SHARED,     true },
        {3, 20,                  true },
        {5, 20,                  true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        struct campaign_join j;

        bench_init(&b);
        j = share(&b, 1, rows[i].sources, rows[i].rcpts, 0);
        assert_int_equal(j.cluster != 0, rows[i].tied);
        if (rows[i].tied) {
            assert_int_equal(j.kind, CAMPAIGN_RECIPIENTS);
            assert_int_equal(j.sources, rows[i].sources);
            assert_true(j.messages >= rows[i].rcpts);
        }
        assert_false(j.duplicate);
        bench_fini(&b);
    }
}

static void
knows_recipients_of_old(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b);
    (void)share(&b, 1, 1, 20, 0);
    assert_int_equal(share(&b, 2, 3, 20, 60).cluster, 0);
    bench_fini(&b);
    bench_init(&b);
    (void)share(&b, 1, 1, 20, 0);
    assert_true(share(&b, 2, 3, 20, 59).cluster != 0);
    bench_fini(&b);
}

/* ---- snowshoe ---- */

/* n sources of one /24, each with some messages. */
static struct campaign_join
snow(struct bench *b, unsigned n, unsigned each, struct sent s)
{
    struct campaign_join j = {0};

    for (unsigned i = 0; i < each; i++) {
        for (unsigned k = 0; k < n; k++) {
            struct sent t = s;

            t.source = s.source + k;
            t.print = hash_mix(k, i);
            t.rcpt = s.rcpt + i * n + k;
            j = send(b, t);
        }
    }
    return j;
}

/* clang-format off */
static const struct {
    const char *why;
    unsigned n, each;
    struct sent mail;
    bool found;
} snows[] = {
    {"a link", 5, 4, {.url = "http://x.example/a"}, true},
    {"a link with user and port", 5, 4,
        {.url = "https://me@x.example:8443?a@b"}, true},
    {"a sender's domain", 5, 4, {.from = "<a@x.example>"}, true},
    {"networks of IPv6", 5, 4, {.from = "<a@x.example>", .in_net6 = true}, true},
    {"four sources", 4, 8, {.url = "http://x.example/a"}, false},
    {"nineteen messages", 19, 1, {.url = "http://x.example/a"}, false},
    {"one host's newsletter", 1, 200, {.url = "http://x.example/a",
        .from = "<n@x.example>"}, false},
    {"loud sources", 5, 31, {.url = "http://x.example/a", .rcpt = 1}, true},
    {"over two networks", 5, 4, {.source = 253, .url = "http://x.example"}, false},
    {"nothing in common", 8, 8, {.source = 1}, false},
    {"link without a host", 8, 8, {.url = "http://"}, false},
    {"no link", 8, 8, {.url = "mailto:a@x.example"}, false},
};
/* clang-format on */

static void
finds_snowshoes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(snows); i++) {
        struct bench b;
        struct campaign_join j;
        struct sent s = snows[i].mail;

        bench_init(&b);
        s.source = s.source > 0 ? s.source : 256;
        j = snow(&b, snows[i].n, snows[i].each, s);
        if ((j.cluster != 0) != snows[i].found ||
            (j.cluster != 0 && j.kind != CAMPAIGN_SNOWSHOE))
            fail_msg("%s", snows[i].why);
        bench_fini(&b);
    }
}

static void
knows_what_is_the_sites_own(void **state)
{
    static const struct {
        const char *why;
        struct sent first, mail;
    } rows[] = {
        {"mail comes in for it",
         {.direction = "inbound", .rcpt = 7, .from = "<a@out.example>"},
         {.from = "<a@d7.example>", .url = "http://www.d7.example/"}},
        {"registered sources write it",
         {.source = 900,
          .registered = true,
          .received = 3,
          .from = "<a@x.example>",
          .url = "http://y.example/"},
         {.from = "<a@x.example>", .url = "http://cdn.y.example/"}  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct bench b;
        struct sent s = rows[i].mail;

        bench_init(&b);
        s.source = 256;
        (void)send(&b, rows[i].first);
        if (snow(&b, 8, 8, s).cluster != 0)
            fail_msg("%s", rows[i].why);
        bench_fini(&b);
    }
}

static void
knows_links_of_old(void **state)
{
    struct sent s = {.source = 256, .url = "http://x.example/"};
    struct bench b;

    (void)state;
    bench_init(&b);
    (void)send(&b, (struct sent){.source = 5000, .url = s.url, .print = 1});
    s.when = 60;
    assert_int_equal(snow(&b, 8, 8, s).cluster, 0);
    bench_fini(&b);
}

/* ---- hostile and large ---- */

static void
bounds_its_work(void **state)
{
    struct bench b;
    struct campaign_join j;

    (void)state;
    bench_init(&b);
    /* one band equal, all else far apart: a chain far beyond its bound */
    for (uint64_t i = 0; i < 50000; i++)
        (void)send(&b, (struct sent){.source = 1 + (unsigned)(i % 100),
                                     .print = hash_mix(3, i) << 16 | 0x1234,
                                     .rcpt = (unsigned)i});
    (void)send(&b, (struct sent){.source = 1, .print = 0x1234, .rcpt = 1});
    for (uint64_t i = 0; i < 50000; i++)
        (void)send(&b, (struct sent){.source = 1 + (unsigned)(i % 100),
                                     .print = hash_mix(5, i) << 16 | 0x1234,
                                     .rcpt = (unsigned)i});
    /* an equal body is found all the same, and a near one by another band */
    j = send(&b, (struct sent){.source = 2, .print = 0x1234, .rcpt = 2});
    assert_true(j.duplicate);
    j = send(&b, (struct sent){.source = 3, .print = 0x1235, .rcpt = 3});
    assert_true(j.duplicate);
    bench_fini(&b);
}

static void
counts_sources_at_least(void **state)
{
    struct bench b;
    struct campaign_join j = {0};

    (void)state;
    bench_init(&b);
    for (unsigned i = 0; i < CAMPAIGN_SOURCES + 50; i++) {
        j = send(&b, (struct sent){.source = 1 + i, .print = PRINT, .rcpt = i});
        assert_int_equal(j.sources, i == 0                 ? 0
                                    : i < CAMPAIGN_SOURCES ? i + 1
                                                           : CAMPAIGN_SOURCES);
    }
    assert_int_equal(j.messages, CAMPAIGN_SOURCES + 50);
    bench_fini(&b);
}

static double
seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void
holds_a_million_messages(void **state)
{
    const unsigned n = CAMPAIGNS_MESSAGES + 1000;
    struct bench b;
    double began, made;
    uint64_t memory;

    (void)state;
    bench_init(&b);
    memory = campaigns_counts(b.c).memory_bytes;
    began = seconds();
    for (unsigned i = 0; i < n; i++) {
        struct sent s = {
            .source = i % 5000, .print = hash_mix(1, i), .rcpt = i};

        (void)event(&b, &s);
    }
    made = seconds() - began;
    for (unsigned i = 0; i < n; i++)
        (void)send(&b, (struct sent){.source = i % 5000,
                                     .print = hash_mix(1, i),
                                     .rcpt = i});
    print_message("%u messages: %.0f ns each, %.1f MB\n", n,
                  (seconds() - began - 2 * made) * 1e9 / n,
                  (double)campaigns_counts(b.c).memory_bytes / 1e6);
    assert_int_equal(campaigns_counts(b.c).memory_bytes, memory);
    assert_int_equal(campaigns_counts(b.c).messages, CAMPAIGNS_MESSAGES);
    assert_int_equal(campaigns_counts(b.c).forgotten, n - CAMPAIGNS_MESSAGES);
    bench_fini(&b);
}

static void
goes_on_alike_when_restored(void **state)
{
    struct bench a, b;
    struct buf one, two;
    uint64_t x = 5;

    (void)state;
    bench_init(&a);
    bench_init(&b);
    buf_init(&one, 1U << 28);
    buf_init(&two, 1U << 28);
    for (unsigned i = 0; i < 4000; i++) {
        struct sent s = {
            .source = 1 + (unsigned)(random_next(&x) % 30),
            .print = PRINT * (1 + random_next(&x) % 200) ^
                     UINT64_C(1) << random_next(&x) % 64,
            .rcpt = (unsigned)(random_next(&x) % 500),
            .when = i / 20,
            .url = random_next(&x) % 2 ? "http://x.example" : NULL,
        };

        if (i == 2000) {
            assert_int_equal(campaigns_save(a.c, &one), ERR_OK);
            assert_int_equal(campaigns_load(b.c, buf_view(&one)), ERR_OK);
        }
        if (i >= 2000) {
            struct campaign_join j = send(&a, s), k = send(&b, s);

            assert_true(j.cluster == k.cluster && j.sources == k.sources &&
                        j.messages == k.messages && j.kind == k.kind &&
                        j.duplicate == k.duplicate);
        } else {
            (void)send(&a, s);
        }
    }
    for (size_t i = 0; i < one.n; i += i < 100 ? 1 : one.n / 30) {
        one.p[i] ^= 0x40;
        assert_true(campaigns_load(b.c, buf_view(&one)) != ERR_OK);
        one.p[i] ^= 0x40;
        assert_true(campaigns_load(b.c, span_head(buf_view(&one), i)) !=
                    ERR_OK);
    }
    buf_reset(&one);
    assert_int_equal(campaigns_save(a.c, &one), ERR_OK);
    assert_int_equal(campaigns_save(b.c, &two), ERR_OK);
    assert_true(span_eq(buf_view(&one), buf_view(&two)));
    buf_free(&one);
    buf_free(&two);
    bench_fini(&a);
    bench_fini(&b);
}

/* ---- against a model ---- */

#define MODEL_MAX 6000U

/* All that was ever sent, looked at one by one. */
struct model_mail {
    uint64_t print;
    unsigned minute, source;
    int group; /* of the mails that are near each other, or -1: no duty */
};

struct model_group {
    unsigned last;  /* minute */
    uint64_t id;    /* what the code under test calls it */
    bool several;   /* sources */
    unsigned first; /* source */
};

struct model_body {
    uint64_t print;
    unsigned last;
    int group;
};

static struct {
    struct model_mail mail[MODEL_MAX];
    struct model_body body[MODEL_MAX];
    struct model_group group[MODEL_MAX];
    unsigned n_mail, n_body, n_group;
} model;

static bool
is_within(unsigned then, unsigned now)
{
    return now - then < 60;
}

static struct model_body *
model_near(uint64_t print, unsigned minute)
{
    struct model_body *best = NULL;
    int best_d = 4;

    for (unsigned i = 0; i < model.n_body; i++) {
        struct model_body *y = &model.body[i];
        int d = __builtin_popcountll(y->print ^ print);

        if (!is_within(y->last, minute) || d > 3 || d > best_d)
            continue;
        if (best != NULL && d == best_d &&
            (y->last < best->last ||
             (y->last == best->last && y->print > best->print)))
            continue;
        best = y;
        best_d = d;
    }
    return best;
}

static void
model_send(const struct sent *s, struct campaign_join *out)
{
    unsigned minute = (unsigned)s->when;
    struct model_body *y = model_near(s->print, minute);
    struct model_group *g;
    unsigned seen[64] = {0};
    int group;

    *out = (struct campaign_join){0};
    if (y == NULL ||
        (!model.group[y->group].several &&
         model.group[y->group].first == s->source && y->print != s->print)) {
        if (y != NULL) /* a variant of its own: the old one counts one more */
            model.mail[model.n_mail++] =
                (struct model_mail){y->print, minute, s->source, y->group};
        model.group[model.n_group] =
            (struct model_group){.first = s->source, .last = minute};
        model.body[model.n_body++] =
            (struct model_body){s->print, minute, (int)model.n_group};
        /* that message counts once: where the first other source shows */
        model.mail[model.n_mail++] = (struct model_mail){
            s->print, minute, s->source, (int)model.n_group++};
        return;
    }
    group = y->group;
    g = &model.group[group];
    model.mail[model.n_mail++] =
        (struct model_mail){s->print, minute, s->source, group};
    if (!g->several && g->first != s->source) {
        g->several = true;
        /* those before count at the time of the latest */
        for (unsigned i = 0; i + 1 < model.n_mail; i++) {
            if (model.mail[i].group == group)
                model.mail[i].minute = y->last;
        }
    }
    if (y->print == s->print)
        y->last = minute;
    else
        model.body[model.n_body++] =
            (struct model_body){s->print, minute, group};
    if (!g->several)
        return;
    for (unsigned i = 0; i < model.n_mail; i++) {
        const struct model_mail *m = &model.mail[i];

        if (m->group == group && is_within(m->minute, minute)) {
            out->messages++;
            out->sources += seen[m->source]++ == 0;
        }
    }
    out->duplicate = out->sources > 1;
    out->cluster = 1 + (uint64_t)group;
}

static void
agrees_with_a_model(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        uint64_t x = seed * 0x9e3779b97f4a7c15U;
        unsigned minute = 0, clustered = 0;
        struct bench b;

        bench_init(&b);
        memset(&model, 0, sizeof(model));
        for (unsigned i = 0; i < MODEL_MAX / 2; i++) {
            struct sent s = {
                .source = 1 + (unsigned)(random_next(&x) % (2 + seed)),
                .rcpt = i,
                .print = hash_mix(seed, random_next(&x) % (20 * seed)),
            };
            struct campaign_join got, want;

            for (unsigned k = (unsigned)(random_next(&x) % 3); k > 0; k--)
                s.print ^= UINT64_C(1) << random_next(&x) % 64;
            minute += random_next(&x) % 8 == 0;
            minute += random_next(&x) % 500 == 0 ? 30 : 0;
            s.when = minute;
            got = send(&b, s);
            model_send(&s, &want);
            if ((got.cluster != 0) != (want.cluster != 0) ||
                got.messages != want.messages || got.sources != want.sources ||
                got.duplicate != want.duplicate)
                fail_msg("seed %u, mail %u: %u of %u, want %u of %u",
                         (unsigned)seed, i, got.messages, got.sources,
                         want.messages, want.sources);
            if (want.cluster != 0) {
                uint64_t *id = &model.group[want.cluster - 1].id;

                clustered++;
                assert_true(*id == 0 || *id == got.cluster);
                *id = got.cluster;
            }
        }
        assert_true(clustered > 100);
        bench_fini(&b);
    }
}

/* ---- any record ---- */

static void
takes_any_record(void **state)
{
    struct bench b;
    uint64_t x = 77;

    (void)state;
    bench_init(&b);
    for (unsigned i = 0; i < 30000; i++) {
        struct campaign_join j;

        random_record(&b.out, &x, 1 + (unsigned)(random_next(&x) % 4));
        if (!record_check(record_view(&b.out)))
            continue;
        record_map_init(&b.map, record_view(&b.out));
        (void)campaigns_event(b.c, &b.map, &j);
    }
    bench_fini(&b);
}

static void
names_its_kinds(void **state)
{
    (void)state;
    assert_string_equal(campaign_word(CAMPAIGN_BODY), "body");
    assert_string_equal(campaign_word(CAMPAIGN_RECIPIENTS), "recipients");
    assert_string_equal(campaign_word(CAMPAIGN_SNOWSHOE), "snowshoe");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_sources_and_messages),
        cmocka_unit_test(takes_bodies_that_differ_a_little),
        cmocka_unit_test(follows_templates),
        cmocka_unit_test(lets_the_hour_pass),
        cmocka_unit_test(keeps_clusters_apart),
        cmocka_unit_test(clusters_no_innocents),
        cmocka_unit_test(passes_over_notices_to_one_person),
        cmocka_unit_test(takes_equal_bytes_without_text),
        cmocka_unit_test(tells_a_registered_source_of_a_cluster),
        cmocka_unit_test(ties_sources_by_recipients),
        cmocka_unit_test(knows_recipients_of_old),
        cmocka_unit_test(finds_snowshoes),
        cmocka_unit_test(knows_what_is_the_sites_own),
        cmocka_unit_test(knows_links_of_old),
        cmocka_unit_test(bounds_its_work),
        cmocka_unit_test(counts_sources_at_least),
        cmocka_unit_test(holds_a_million_messages),
        cmocka_unit_test(goes_on_alike_when_restored),
        cmocka_unit_test(agrees_with_a_model),
        cmocka_unit_test(takes_any_record),
        cmocka_unit_test(names_its_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
