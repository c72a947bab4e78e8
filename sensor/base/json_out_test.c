#include "sensor/base/json_out.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S(lit)                                                                 \
    {                                                                          \
        (const uint8_t *)(lit), sizeof(lit) - 1                                \
    }

static const struct {
    const char *why;
    struct span in, want;
    bool replaced;
} strings[] = {
    {"nothing",         S(""),                         S("\"\""),                                false},
    {"text",            S("abc"),                      S("\"abc\""),                             false},
    {"a word and more", S("abcdefghijk"),              S("\"abcdefghijk\""),                     false},
    {"quote",           S("a\"b"),                     S("\"a\\\"b\""),                          false},
    {"backslash",       S("\\"),                       S("\"\\\\\""),                            false},
    {"slash stays",     S("</a>"),                     S("\"</a>\""),                            false},
    {"line ends",       S("\r\n\t"),                   S("\"\\r\\n\\t\""),                       false},
    {"controls",        S("\0\x1f\x7f"),               S("\"\\u0000\\u001f\\u007f\""),           false},
    {"UTF-8",           S("\xc3\xa4\xf0\x9f\x98\x80"), S("\"\xc3\xa4\xf0\x9f\x98\x80\""),
     false                                                                                            },
    {"not UTF-8",
     S("a\xff"
       "b"),
     S("\"a\xef\xbf\xbd"
       "b\""),
     true                                                                                             },
    {"cut",             S("abcdefg\xe2\x82"),          S("\"abcdefg\xef\xbf\xbd\xef\xbf\xbd\""),
     true                                                                                             },
};

static void
writes_strings(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 10000);
    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        struct json_out j = json_out_open(&b);

        print_message("%s\n", strings[i].why);
        buf_reset(&b);
        assert_int_equal(json_str(&j, strings[i].in), strings[i].replaced);
        assert_true(span_eq(buf_view(&b), strings[i].want));
    }
    buf_free(&b);
}

/* Sixteen bytes, words of eight and single bytes must agree: each byte at each
 * place. */
static void
every_byte_everywhere(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        bool plain = c >= 0x20 && c < 0x7f && c != '"' && c != '\\';

        for (size_t at = 0; at < 20; at++) {
            uint8_t in[20];
            uint8_t out[20 * JSON_ESCAPE_MAX];
            bool replaced = false;
            size_t n;

            memset(in, 'x', sizeof(in));
            in[at] = (uint8_t)c;
            assert_int_equal(json_plain_run(span_of(in, 20)), plain ? 20 : at);
            n = (size_t)(json_escape(out, span_of(in, 20), &replaced) - out);
            assert_int_equal(replaced, c >= 0x80);
            assert_memory_equal(out, in, at);
            assert_memory_equal(out + n - (19 - at), in + at + 1, 19 - at);
            if (plain)
                assert_int_equal(out[at], c);
            else if (c >= 0x80)
                assert_memory_equal(out + at, "\xef\xbf\xbd", 3);
            else
                assert_int_equal(out[at], '\\');
        }
    }
}

/* A byte that needs care at each place of strings of each length: words that
 * overlap must neither lose nor double a byte, nor touch what lies behind. */
static void
every_length(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 40; n++) {
        for (size_t at = 0; at <= n; at++) {
            uint8_t in[40];
            uint8_t want[41];
            uint8_t got[40 * JSON_ESCAPE_MAX];
            size_t len = n + (at < n);
            bool replaced = false;
            struct span s = span_of(in, n);

            for (size_t i = 0; i < n; i++)
                in[i] = want[i] = (uint8_t)('a' + i % 26);
            if (at < n) {
                in[at] = want[at + 1] = '"';
                want[at] = '\\';
                for (size_t i = at + 1; i < n; i++)
                    want[i + 1] = (uint8_t)('a' + i % 26);
            }
            memset(got, 0xee, sizeof(got));
            assert_int_equal(json_escape(got, s, &replaced) - got, len);
            assert_memory_equal(got, want, len);
            assert_int_equal(json_plain_run(s), at);
        }
    }
}

static void
full_buffers(void **state)
{
    struct span in = SPAN_LIT("ab\"\x01\xff\xc3\xa4");
    struct span want = SPAN_LIT("\"ab\\\"\\u0001\xef\xbf\xbd\xc3\xa4\"");

    (void)state;
    for (size_t max = 0; max <= want.n + 2; max++) {
        struct buf b;
        struct json_out j = json_out_open(&b);

        buf_init(&b, max);
        (void)json_str(&j, in);
        assert_int_equal(b.cut, max < want.n);
        assert_true(span_eq(buf_view(&b), span_head(want, max)));
        buf_free(&b);
    }
}

static void
structure(void **state)
{
    struct buf b;
    struct json_out j = json_out_open(&b);

    (void)state;
    buf_init(&b, 1000);
    json_begin(&j, '{');
    json_key(&j, "a");
    json_u64(&j, UINT64_MAX);
    json_key(&j, "b");
    json_begin(&j, '[');
    json_i64(&j, INT64_MIN);
    json_i64(&j, 7);
    json_begin(&j, '{');
    json_end(&j, '}');
    json_null(&j);
    json_end(&j, ']');
    json_key(&j, "c");
    json_bool(&j, true);
    json_key(&j, "d");
    json_raw(&j, SPAN_LIT("[1]"));
    json_end(&j, '}');
    assert_true(span_eq(
        buf_view(&b),
        SPAN_LIT("{\"a\":18446744073709551615,\"b\":[-9223372036854775808,7,"
                 "{},null],\"c\":true,\"d\":[1]}")));
    buf_free(&b);
}

static void
writes_doubles(void **state)
{
    static const struct {
        double v;
        const char *want;
    } rows[] = {
        {0,         "0"                 },
        {0.1,       "0.1"               },
        {1.0 / 3,   "0.3333333333333333"},
        {-2.5e-300, "-2.5e-300"         },
        {NAN,       "null"              },
        {INFINITY,  "\"inf\""           },
        {-INFINITY, "\"-inf\""          },
    };
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct json_out j = json_out_open(&b);

        buf_reset(&b);
        json_double(&j, rows[i].v);
        assert_true(span_eq(buf_view(&b), span_str(rows[i].want)));
    }
    buf_free(&b);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_strings),
        cmocka_unit_test(writes_doubles),
        cmocka_unit_test(every_byte_everywhere),
        cmocka_unit_test(every_length),
        cmocka_unit_test(full_buffers),
        cmocka_unit_test(structure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
