#include "sensor/app/serve_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

/* The value at the head of a text; "" when it is none. */
static const char *
value_of(const char *text, char out[256])
{
    struct buf room;
    struct json_in j = json_in_open(span_str(text), &room);
    struct span value = SPAN_NONE;

    buf_init(&room, 4096);
    out[0] = 0;
    if (serve_json_value(&j, &value))
        (void)snprintf(out, 256, "%.*s", (int)value.n, (const char *)value.p);
    buf_free(&room);
    return out;
}

static void
test_values(void **state)
{
    static const struct {
        const char *why, *in, *want;
    } rows[] = {
        {"object",         " {\"a\":1} x",          "{\"a\":1}"          },
        {"nested",         "[{\"a\":[1,{}]},[]],2", "[{\"a\":[1,{}]},[]]"},
        {"string",         "\"a\\\"}\" ",           "\"a\\\"}\""         },
        {"words",          "[true,false,null]",     "[true,false,null]"  },
        {"nothing",        "",                      ""                   },
        {"cut",            "{\"a\":[1",             ""                   },
        {"crossed",        "{\"a\":[1}]",           ""                   },
        {"no key",         "{1:2}",                 ""                   },
        {"no value",       "{\"a\":}",              ""                   },
        {"comma at end",   "[1,]",                  ""                   },
        {"no comma",       "[1 2]",                 ""                   },
        {"no such word",   "[nil]",                 ""                   },
        {"bad escape",     "\"\\x\"",               ""                   },
        {"control",        "\"a\nb\"",              ""                   },
        {"half of a pair", "\"\\ud800\"",           ""                   },
    };
    char got[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(value_of(rows[i].in, got), rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].why, got);
    }
}

/* As deep as may be, and deeper by one. */
static void
test_depth(void **state)
{
    char text[2 * SERVE_JSON_DEPTH + 3] = "", got[256];

    (void)state;
    memset(text, '[', SERVE_JSON_DEPTH);
    memset(text + SERVE_JSON_DEPTH, ']', SERVE_JSON_DEPTH);
    assert_string_equal(value_of(text, got), text);
    memset(text, '[', SERVE_JSON_DEPTH + 1);
    memset(text + SERVE_JSON_DEPTH + 1, ']', SERVE_JSON_DEPTH + 1);
    assert_string_equal(value_of(text, got), "");
}

static void
test_get(void **state)
{
    const struct span o = SPAN_LIT(
        "{\"a\":1,\"\\u0062\":\"x\",\"c\":{\"d\":2},\"a\":3,\"e\":null}");

    (void)state;
    assert_true(span_eq(serve_json_get(o, "a"), SPAN_LIT("1")));
    assert_true(span_eq(serve_json_get(o, "b"), SPAN_LIT("\"x\"")));
    assert_true(
        span_eq(serve_json_get(serve_json_get(o, "c"), "d"), SPAN_LIT("2")));
    assert_int_equal(serve_json_get(o, "d").n, 0);
    assert_int_equal(serve_json_get(SPAN_LIT("[1]"), "a").n, 0);
    assert_int_equal(serve_json_get(SPAN_LIT("{\"z\":\""), "a").n, 0);
    assert_int_equal(serve_json_get(SPAN_NONE, "a").n, 0);
}

static void
test_walk(void **state)
{
    static const struct {
        const char *why, *in;
        unsigned n;
        bool bad;
    } rows[] = {
        {"array",        "[1,\"a\",{}]",       3, false},
        {"object",       "{\"a\":1,\"b\":[]}", 2, false},
        {"empty",        "[]",                 0, false},
        {"no container", "7",                  0, true },
        {"cut",          "[1,2",               2, true },
        {"broken",       "[1,x,3]",            1, true },
        {"nothing",      "",                   0, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct serve_json_walk w;
        struct span value;
        unsigned n = 0;

        serve_json_begin(&w, span_str(rows[i].in));
        while (serve_json_next(&w, NULL, &value))
            n++;
        if (n != rows[i].n || w.bad != rows[i].bad)
            fail_msg("%s: %u %d", rows[i].why, n, w.bad);
        serve_json_end(&w);
    }
}

static void
test_scalars(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    serve_json_text(SPAN_LIT("\"a\\u00e9\\n\""), &out);
    assert_true(span_eq(buf_view(&out), SPAN_LIT("a\xc3\xa9\n")));
    buf_reset(&out);
    serve_json_text(SPAN_LIT("null"), &out);
    assert_int_equal(out.n, 0);
    serve_json_text(SPAN_LIT("12.5"), &out);
    assert_true(span_eq(buf_view(&out), SPAN_LIT("12.5")));
    buf_free(&out);
    assert_int_equal(serve_json_u64(SPAN_LIT("500"), 7), 500);
    assert_int_equal(serve_json_u64(SPAN_LIT("-1"), 7), 7);
    assert_int_equal(serve_json_u64(SPAN_LIT("1e3"), 7), 7);
    assert_int_equal(serve_json_u64(SPAN_LIT(""), 7), 7);
    assert_int_equal(serve_json_u64(SPAN_LIT("99999999999999999999999"), 7), 7);
    assert_true(serve_json_is(SPAN_LIT("\"ack\""), "ack"));
    assert_false(serve_json_is(SPAN_LIT("\"acks\""), "ack"));
    assert_false(serve_json_is(SPAN_LIT("ack"), "ack"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),  cmocka_unit_test(test_depth),
        cmocka_unit_test(test_get),     cmocka_unit_test(test_walk),
        cmocka_unit_test(test_scalars),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
