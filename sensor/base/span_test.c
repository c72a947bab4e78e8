#include "sensor/base/span.h"

#include "sensor/base/attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
finds(void **state)
{
    static const struct {
        const char *why, *in, *want;
        size_t at;
    } rows[] = {
        {"at the head",           "abc",  "ab",   0},
        {"at the end",            "abc",  "c",    2},
        {"absent",                "abc",  "d",    3},
        {"longer than the input", "abc",  "abcd", 3},
        {"nothing is everywhere", "abc",  "",     0},
        {"nothing in nothing",    "",     "",     0},
        {"something in nothing",  "",     "a",    0},
        {"the first of two",      "abab", "ab",   0},
        {"a false start",         "aab",  "ab",   1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].why);
        assert_int_equal(
            span_search(span_str(rows[i].in), span_str(rows[i].want)),
            rows[i].at);
    }
    assert_int_equal(span_find(SPAN_LIT("a\0b"), 0), 1);
    assert_int_equal(span_find(SPAN_NONE, 'x'), 0);
}

static void
compares(void **state)
{
    static const struct {
        const char *why, *a, *b;
        bool exact, nocase, starts, contains;
    } rows[] = {
        {"same",                 "MAIL",      "MAIL", true,  true,  true,  true },
        {"other case",           "mail",      "MAIL", false, true,  true,  true },
        {"head",                 "MAIL FROM", "mail", false, false, true,  true },
        {"middle",               "xMAILx",    "mail", false, false, false, true },
        {"@ is not `",           "@",         "`",    false, false, false, false},
        {"[ is not {",           "[",         "{",    false, false, false, false},
        {"nothing",              "",          "",     true,  true,  true,  true },
        {"nothing in something", "a",         "",     false, false, true,  true },
        {"something in nothing", "",          "a",    false, false, false, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct span a = span_str(rows[i].a);
        struct span b = span_str(rows[i].b);

        print_message("%s\n", rows[i].why);
        assert_int_equal(span_eq(a, b), rows[i].exact);
        assert_int_equal(span_eq_nocase(a, b), rows[i].nocase);
        assert_int_equal(span_starts_nocase(a, b), rows[i].starts);
        assert_int_equal(span_contains_nocase(a, b), rows[i].contains);
    }
    assert_true(span_eq(SPAN_NONE, SPAN_LIT("")));
    assert_true(span_starts(SPAN_NONE, SPAN_NONE));
    assert_true(span_contains_nocase(SPAN_NONE, SPAN_NONE));
    assert_false(span_starts(SPAN_LIT("a"), SPAN_LIT("ab")));
}

static void
cuts(void **state)
{
    struct span s = SPAN_LIT("abcd");

    (void)state;
    for (size_t n = 0; n < 8; n++) {
        struct span head = span_head(s, n);
        struct span tail = span_tail(s, n);

        assert_int_equal(head.n, n < 4 ? n : 4);
        assert_int_equal(head.n + tail.n, 4);
        assert_ptr_equal(tail.p, head.p + head.n);
    }
    assert_null(span_tail(SPAN_NONE, 3).p);
    assert_int_equal(span_at(s, 3), 'd');
    assert_int_equal(span_at(s, 4), 0);
    assert_int_equal(span_at(SPAN_NONE, 0), 0);
    assert_true(span_eq(span_trim(SPAN_LIT(" \t a b\t ")), SPAN_LIT("a b")));
    assert_int_equal(span_trim(SPAN_LIT(" \t ")).n, 0);
    assert_int_equal(span_trim(SPAN_NONE).n, 0);
}

static void
numbers(void **state)
{
    static const struct {
        const char *why, *in;
        bool ok;
        uint64_t want;
    } rows[] = {
        {"plain",         "1024",                  true,  1024      },
        {"zero",          "0",                     true,  0         },
        {"leading zeros", "0007",                  true,  7         },
        {"the largest",   "18446744073709551615",  true,  UINT64_MAX},
        {"one more",      "18446744073709551616",  false, 0         },
        {"ten times",     "184467440737095516150", false, 0         },
        {"nothing",       "",                      false, 0         },
        {"sign",          "-1",                    false, 0         },
        {"plus",          "+1",                    false, 0         },
        {"space",         "1 ",                    false, 0         },
        {"hexadecimal",   "0x10",                  false, 0         },
        {"byte before 0", "/",                     false, 0         },
        {"byte after 9",  ":",                     false, 0         },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint64_t v = 77;

        print_message("%s\n", rows[i].why);
        assert_int_equal(span_to_u64(span_str(rows[i].in), &v), rows[i].ok);
        assert_true(v == (rows[i].ok ? rows[i].want : 77));
    }
}

/* Every reader at every length: too short turns bad, yields 0, stays bad. */
static void
cursor_ends(void **state)
{
    static const uint8_t bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    (void)state;
    for (size_t n = 0; n <= 8; n++) {
        struct span in = span_of(bytes, n);
        struct cursor c = cur_open(in);

        assert_int_equal(cur_u8(&c), n >= 1 ? 1 : 0);
        assert_int_equal(c.bad, n < 1);
        c = cur_open(in);
        assert_int_equal(cur_be16(&c), n >= 2 ? 0x0102 : 0);
        assert_int_equal(c.bad, n < 2);
        c = cur_open(in);
        assert_int_equal(cur_le16(&c), n >= 2 ? 0x0201 : 0);
        c = cur_open(in);
        assert_int_equal(cur_be24(&c), n >= 3 ? 0x010203 : 0);
        c = cur_open(in);
        assert_int_equal(cur_be32(&c), n >= 4 ? 0x01020304 : 0);
        c = cur_open(in);
        assert_int_equal(cur_le32(&c), n >= 4 ? 0x04030201 : 0);
        assert_int_equal(c.bad, n < 4);
        c = cur_open(in);
        assert_true(cur_le64(&c) ==
                    (n == 8 ? UINT64_C(0x0807060504030201) : 0));
        assert_int_equal(c.bad, n < 8);
        if (c.bad) {
            assert_int_equal(cur_u8(&c), 0);
            assert_int_equal(cur_left(&c), 0);
            assert_int_equal(cur_rest(&c).n, 0);
        }
    }
}

static void
cursor_takes(void **state)
{
    struct cursor c = cur_open(SPAN_LIT("abcdef"));

    (void)state;
    assert_true(span_eq(cur_take(&c, 2), SPAN_LIT("ab")));
    cur_skip(&c, 1);
    assert_int_equal(cur_left(&c), 3);
    assert_int_equal(cur_take(&c, 0).n, 0);
    assert_false(c.bad);
    assert_int_equal(cur_take(&c, SIZE_MAX).n, 0);
    assert_true(c.bad);
    c = cur_open(SPAN_LIT("abc"));
    cur_skip(&c, 1);
    assert_true(span_eq(cur_rest(&c), SPAN_LIT("bc")));
    assert_int_equal(cur_rest(&c).n, 0);
    assert_false(c.bad);
}

static size_t
slow_search(struct span s, struct span want, bool nocase)
{
    for (size_t i = 0; i + want.n <= s.n; i++) {
        struct span here = span_head(span_tail(s, i), want.n);

        if (nocase ? span_eq_nocase(here, want) : span_eq(here, want))
            return i;
    }
    return s.n;
}

/* Vectors and what is left behind them: every length, every place. */
static void
searches_like_a_loop(void **state)
{
    uint32_t seed = 25;

    (void)state;
    for (size_t round = 0; round < 20000; round++) {
        static const char bytes[] = "aAbBzZ[{@`\r\n -";
        uint8_t text[80], want[40];
        struct span s = span_of(text, round % 80);
        struct span w = span_of(want, 1 + round / 80 % 36);

        for (size_t i = 0; i < s.n + w.n; i++) {
            uint8_t *to = i < s.n ? &text[i] : &want[i - s.n];

            seed = seed * 1664525 + 1013904223;
            /* few different ones, so that much of a text fits */
            *to = (uint8_t)bytes[(seed >> 16) % (round % 3 == 0 ? 2 : 14)];
        }
        if (s.n > w.n && round % 5 == 0)
            memcpy(text + (seed >> 8) % (s.n - w.n), want, w.n);
        assert_int_equal(span_search(s, w), slow_search(s, w, false));
        assert_int_equal(span_contains_nocase(s, w),
                         slow_search(s, w, true) < s.n);
    }
}

static void
finds_control_bytes(void **state)
{
    uint8_t text[70];

    (void)state;
    for (size_t n = 0; n < sizeof(text); n++) {
        for (size_t at = 0; at <= n; at++) {
            for (unsigned c = 0; c < 256; c += c < 0x22 ? 1 : 55) {
                bool low = c < 0x20 && c != '\n' && c != '\t';

                memset(text, 'x', n);
                if (at > 0)
                    text[at - 1] = '\n';
                if (at < n)
                    text[at] = (uint8_t)c;
                assert_int_equal(span_find_control(span_of(text, n),
                                                   1U << '\n' | 1U << '\t'),
                                 low ? at : n);
            }
        }
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds),
        cmocka_unit_test(compares),
        cmocka_unit_test(cuts),
        cmocka_unit_test(numbers),
        cmocka_unit_test(cursor_ends),
        cmocka_unit_test(cursor_takes),
        cmocka_unit_test(searches_like_a_loop),
        cmocka_unit_test(finds_control_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
