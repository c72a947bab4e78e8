#include "sensor/app/feed_serve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW     (UINT64_C(1795410000) * NS_PER_S) /* 2026-11-23T05:00:00Z */
#define TOKEN_A "token-of-a-0123456789"
#define TOKEN_B "token-of-b-0123456789"
#define HASH    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct feed
make_set(const char *const *prefixes, size_t n, const struct feed *last,
         ns_t now)
{
    struct feed_entry entries[4];
    struct feed_in in = {.entries = entries,
                         .n = n,
                         .never_known = true,
                         .quality_permille = 1000,
                         .allow_empty = true,
                         .limits = &feed_limits_default,
                         .last = last,
                         .now = now};
    struct feed set;

    for (size_t i = 0; i < n; i++) {
        entries[i] = (struct feed_entry){.since = NOW - NS_PER_S,
                                         .until = NOW + 7200 * NS_PER_S,
                                         .evidence = SPAN_LIT(HASH)};
        assert_true(prefix_parse(span_str(prefixes[i]), &entries[i].prefix));
    }
    assert_int_equal(feed_make(&in, &set), FEED_DONE);
    return set;
}

static const char *const both[] = {"10.0.0.1", "10.0.0.2"};

static void
add(struct feed_serve *s, const char *name, const char *format,
    const char *token)
{
    struct feed_consumer *c = &s->v[s->n++];

    (void)memcpy(c->name, name, strlen(name) + 1);
    assert_true(feed_kind_read(span_str(format), &c->kind));
    assert_true(feed_serve_token(span_str(token), c->token));
}

static struct feed_serve
serve_of(const char *format)
{
    struct feed_serve s = {.n = 0};
    struct feed set = make_set(both, 2, NULL, NOW);

    add(&s, "a", format, TOKEN_A);
    add(&s, "b", "crowdsec", TOKEN_B);
    s.held = feed_held_new(&set);
    assert_non_null(s.held);
    return s;
}

static struct feed_request
get(const char *path, const char *authorization)
{
    return (struct feed_request){.method = SPAN_LIT("GET"),
                                 .path = span_str(path),
                                 .authorization = span_str(authorization)};
}

static unsigned
ask(struct feed_serve *s, const struct feed_request *r, ns_t now,
    struct feed_answer *a)
{
    feed_serve_answer(s, r, now, a);
    feed_held_drop(a->given);
    return a->status;
}

/* "Basic " and the base64 of NAME:TOKEN */
#define BASIC_A  "Basic YTp0b2tlbi1vZi1hLTAxMjM0NTY3ODk="
#define BASIC_BA "Basic Yjp0b2tlbi1vZi1hLTAxMjM0NTY3ODk="

static const struct {
    const char *why, *method, *path, *authorization, *key;
    unsigned status;
} requests[] = {
    {"its own list",             "GET",  "/feeds/a",             "Bearer " TOKEN_A,             "",      200},
    {"the scheme has no case",   "GET",  "/feeds/a",             "bearer " TOKEN_A,             "",      200},
    {"of appliances",            "GET",  "/feeds/a",             BASIC_A,                       "",      200},
    {"of CrowdSec",              "GET",  "/feeds/a",             "",                            TOKEN_A, 200},
    {"the key counts",           "GET",  "/feeds/a",             "Bearer " TOKEN_A,             TOKEN_B, 403},
    {"HEAD",                     "HEAD", "/feeds/a",             "Bearer " TOKEN_A,             "",      200},
    {"nothing else",             "POST", "/feeds/a",             "Bearer " TOKEN_A,             "",      405},
    {"methods have a case",      "get",  "/feeds/a",             "Bearer " TOKEN_A,             "",      405},
    {"a list of another",        "GET",  "/feeds/b",             "Bearer " TOKEN_A,             "",      403},
    {"of nobody",                "GET",  "/feeds/c",             "Bearer " TOKEN_A,             "",      403},
    {"no list",                  "GET",  "/feeds/",              "Bearer " TOKEN_A,             "",      403},
    {"not below it",             "GET",  "/feeds/a/",            "Bearer " TOKEN_A,             "",      403},
    {"the root",                 "GET",  "/",                    "Bearer " TOKEN_A,             "",      403},
    {"no token",                 "GET",  "/feeds/a",             "",                            "",      401},
    {"an empty one",             "GET",  "/feeds/a",             "Bearer ",                     "",      401},
    {"a byte less",              "GET",  "/feeds/a",             "Bearer token-of-a-012345678", "",      401},
    {"a byte more",              "GET",  "/feeds/a",             "Bearer " TOKEN_A "0",         "",      401},
    {"name of another",          "GET",  "/feeds/a",             BASIC_BA,                      "",      401},
    {"no base64",                "GET",  "/feeds/a",             "Basic ::::",                  "",      401},
    {"another scheme",           "GET",  "/feeds/a",             "Digest " TOKEN_A,             "",      401},
    {"a stream of who has none", "GET",  "/v1/decisions/stream",
     "Bearer " TOKEN_A,                                                                         "",      403},
    {"a stream",                 "GET",  "/v1/decisions/stream", "",                            TOKEN_B, 200},
    {"its list, by name",        "GET",  "/feeds/b",             "",                            TOKEN_B, 200},
};

static void
who_may_fetch_what(void **state)
{
    struct feed_serve s = serve_of("edl:plain");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct feed_request r =
            get(requests[i].path, requests[i].authorization);
        struct feed_answer a;

        r.method = span_str(requests[i].method);
        r.api_key = span_str(requests[i].key);
        if (ask(&s, &r, NOW, &a) != requests[i].status)
            fail_msg("%s: %u", requests[i].why, a.status);
        if (a.status != 200 &&
            span_search(buf_view(&a.body), SPAN_LIT("10.0.0")) < a.body.n)
            fail_msg("%s: told", requests[i].why);
        assert_int_equal(a.status == 401, a.challenge.n > 0);
        buf_free(&a.body);
    }
    feed_serve_fini(&s);
}

static const struct {
    const char *why, *text;
    bool good;
} tokens[] = {
    {"16 letters",            "0123456789abcdef",        true },
    {"a line end behind it",  "0123456789abcdef\n",      true },
    {"of DOS",                "0123456789abcdef\r\n",    true },
    {"the first line counts", "0123456789abcdef\nx y\n", true },
    {"15",                    "0123456789abcde",         false},
    {"none",                  "",                        false},
    {"a space within",        "0123456789 abcdef",       false},
    {"a control character",   "0123456789abcde\x01",     false},
    {"beyond ASCII",          "0123456789abcde\xc3\xa4", false},
};

static void
tokens_of_files(void **state)
{
    char text[FEED_SERVE_TOKEN_MOST + 2];
    uint8_t out[FEED_SERVE_DIGEST];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        if (feed_serve_token(span_str(tokens[i].text), out) != tokens[i].good)
            fail_msg("%s", tokens[i].why);
    }
    memset(text, 'x', sizeof(text));
    assert_true(feed_serve_token(span_of(text, FEED_SERVE_TOKEN_MOST), out));
    assert_false(
        feed_serve_token(span_of(text, FEED_SERVE_TOKEN_MOST + 1), out));
}

/* Of every format: who has it is told so, until there is another. */
static void
unchanged_is_not_sent(void **state)
{
    static const char *const formats[] = {"text", "json", "nft", "ipset",
                                          "edl:plain"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct feed_serve s = serve_of(formats[i]);
        struct feed_request r = get("/feeds/a", "Bearer " TOKEN_A);
        struct feed_answer a, again;
        struct feed other;

        assert_int_equal(ask(&s, &r, NOW, &a), 200);
        r.if_none_match = span_str(a.etag);
        assert_int_equal(ask(&s, &r, NOW + NS_PER_S, &again), 304);
        assert_int_equal(again.body.n, 0);
        assert_string_equal(again.etag, a.etag);
        buf_free(&again.body);
        other = make_set(both, 1, &s.held->set, NOW + NS_PER_S);
        feed_held_drop(s.held);
        s.held = feed_held_new(&other);
        assert_int_equal(ask(&s, &r, NOW + NS_PER_S, &again), 200);
        buf_free(&again.body);
        buf_free(&a.body);
        feed_serve_fini(&s);
    }
}

static void
what_is_over_is_given_to_nobody(void **state)
{
    struct feed_serve s = serve_of("edl:plain");
    const ns_t end = s.held->set.expires;
    struct feed_request r = get("/feeds/a", "Bearer " TOKEN_A);
    struct feed_answer a;

    (void)state;
    assert_int_equal(ask(&s, &r, end - 1, &a), 200);
    buf_free(&a.body);
    assert_int_equal(ask(&s, &r, end, &a), 503);
    buf_free(&a.body);
    feed_held_drop(s.held);
    s.held = NULL;
    assert_int_equal(ask(&s, &r, NOW, &a), 503);
    buf_free(&a.body);
    feed_serve_fini(&s);
}

/* A set may be made while another is still being sent: what the consumer has is
 * what it was given. */
static void
stream_tells_what_went(void **state)
{
    struct feed_serve s = serve_of("edl:plain");
    struct feed_request r = {.method = SPAN_LIT("GET"),
                             .path = SPAN_LIT("/v1/decisions/stream"),
                             .startup = SPAN_LIT("true"),
                             .api_key = SPAN_LIT(TOKEN_B)};
    struct feed_answer a;
    struct feed other;

    (void)state;
    feed_serve_answer(&s, &r, NOW, &a);
    assert_non_null(a.given);
    other = make_set(both, 1, &s.held->set, NOW + NS_PER_S);
    feed_held_drop(s.held);
    s.held = feed_held_new(&other);
    feed_serve_fetched(a.consumer, a.given, NOW + NS_PER_S);
    feed_held_drop(a.given);
    buf_free(&a.body);
    assert_int_equal(s.v[1].fetch.serial, 1);
    assert_int_equal(s.v[1].fetch.elements, 2);
    r.startup = SPAN_LIT("false");
    assert_int_equal(ask(&s, &r, NOW + 2 * NS_PER_S, &a), 200);
    assert_true(span_search(buf_view(&a.body),
                            SPAN_LIT("\"deleted\":[{\"duration\":\"0h0m0s\"")) <
                a.body.n);
    buf_free(&a.body);
    feed_serve_fini(&s);
}

static void
dates(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 64);
    feed_serve_date(NOW + 123, &text);
    assert_true(
        span_eq(buf_view(&text), SPAN_LIT("Mon, 23 Nov 2026 05:00:00 GMT")));
    buf_free(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_fetch_what),
        cmocka_unit_test(tokens_of_files),
        cmocka_unit_test(unchanged_is_not_sent),
        cmocka_unit_test(what_is_over_is_given_to_nobody),
        cmocka_unit_test(stream_tells_what_went),
        cmocka_unit_test(dates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
