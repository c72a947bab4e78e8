#include "sensor/sinks/auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define KEY SPAN_LIT("0123456789abcdef0123456789abcdef")

static const struct auth_message plain = {SPAN_INIT("span25.smtp.tx"),
                                          SPAN_INIT("192.0.2.7"),
                                          SPAN_INIT("{\"a\":1}")};

static struct buf
signed_by(struct span writer, uint64_t sequence, const struct auth_message *m)
{
    struct buf b;

    buf_init(&b, AUTH_HEADER_MAX);
    assert_true(auth_sign(KEY, writer, sequence, m, &b));
    return b;
}

static void
test_round(void **state)
{
    struct buf b = signed_by(SPAN_LIT("north gate"), 42, &plain);
    struct auth_mark mark;

    (void)state;
    assert_true(auth_read(buf_view(&b), &mark));
    assert_int_equal(mark.sequence, 42);
    assert_true(span_eq(mark.writer, SPAN_LIT("north gate")));
    assert_true(auth_verify(KEY, &mark, &plain));
    assert_false(auth_verify(SPAN_LIT("another key of the same length, 0"),
                             &mark, &plain));
    assert_false(auth_verify(SPAN_NONE, &mark, &plain));
    buf_free(&b);
}

/* RFC 2104 over the layout of the header's comment, by another program:
 * tests/aggregate_test.py signs in Python. This is what it must give. */
static void
test_known(void **state)
{
    struct buf b = signed_by(SPAN_LIT("s1"), 1767600000000000, &plain);

    (void)state;
    assert_true(span_eq(
        buf_view(&b),
        SPAN_LIT(
            "1 1767600000000000 "
            "47ab5c7a671c4dad695b75ecab7eb89e2ae61873b5b73e6a3227e3fcf431151d"
            " s1")));
    buf_free(&b);
}

static const struct {
    const char *why;
    struct auth_message m;
} others[] = {
    {"another topic",
     {SPAN_INIT("span25.alert"), SPAN_INIT("192.0.2.7"),
      SPAN_INIT("{\"a\":1}")}                                            },
    {"another key",
     {SPAN_INIT("span25.smtp.tx"), SPAN_INIT("192.0.2.8"),
      SPAN_INIT("{\"a\":1}")}                                            },
    {"another value",
     {SPAN_INIT("span25.smtp.tx"), SPAN_INIT("192.0.2.7"),
      SPAN_INIT("{\"a\":2}")}                                            },
    {"a byte moved from key to value",
     {SPAN_INIT("span25.smtp.tx"), SPAN_INIT("192.0.2."),
      SPAN_INIT("7{\"a\":1}")}                                           },
    {"a tombstone",
     {SPAN_INIT("span25.smtp.tx"), SPAN_INIT("192.0.2.7"), {NULL, 0}}    },
    {"an empty value",
     {SPAN_INIT("span25.smtp.tx"), SPAN_INIT("192.0.2.7"), SPAN_INIT("")}},
};

static void
test_changed(void **state)
{
    struct buf b = signed_by(SPAN_LIT("s1"), 42, &plain);
    struct auth_mark mark, other;

    (void)state;
    assert_true(auth_read(buf_view(&b), &mark));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (auth_verify(KEY, &mark, &others[i].m))
            fail_msg("%s", others[i].why);
    }
    other = mark;
    other.sequence++;
    assert_false(auth_verify(KEY, &other, &plain));
    other = mark;
    other.writer = SPAN_LIT("s2");
    assert_false(auth_verify(KEY, &other, &plain));
    other = mark;
    other.mac[AUTH_MAC - 1] ^= 1;
    assert_false(auth_verify(KEY, &other, &plain));
    buf_free(&b);
}

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define W32 "wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww"

static const struct {
    const char *why, *header;
    bool good;
} headers[] = {
    {"whole",                       "1 7 " HEX " s1",                   true },
    {"nothing",                     "",                                 false},
    {"another version",             "2 7 " HEX " s1",                   false},
    {"no writer",                   "1 7 " HEX " ",                     false},
    {"no writer, no space",         "1 7 " HEX,                         false},
    {"a sequence with a sign",      "1 -7 " HEX " s1",                  false},
    {"a sequence past 64 bits",     "1 18446744073709551616 " HEX " s", false},
    {"the last sequence",           "1 18446744073709551615 " HEX " s", true },
    {"a digit too few",             "1 7 0" HEX " s1",                  false},
    {"capitals",
     "1 7 A0112233445566778899aabbccddeeff00112233"
     "445566778899aabbccddeeff s1",                                     false},
    {"a writer as long as may be",  "1 7 " HEX " " W32 W32 W32 W32,     true },
    {"a writer longer by one byte", "1 7 " HEX " " W32 W32 W32 W32 "w", false},
};

static void
test_headers(void **state)
{
    struct auth_mark mark;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        if (auth_read(span_str(headers[i].header), &mark) != headers[i].good)
            fail_msg("%s", headers[i].why);
    }
}

static void
test_sign_refuses(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, AUTH_HEADER_MAX);
    assert_false(auth_sign(KEY, SPAN_LIT(""), 1, &plain, &b));
    assert_false(auth_sign(KEY, SPAN_LIT(W32 W32 W32 W32 "w"), 1, &plain, &b));
    assert_false(auth_sign(SPAN_NONE, SPAN_LIT("s"), 1, &plain, &b));
    assert_int_equal(b.n, 0);
    assert_true(auth_sign(KEY, SPAN_LIT(W32 W32 W32 W32), UINT64_MAX, &plain,
                          &b)); /* the longest */
    buf_free(&b);
}

static void
test_next(void **state)
{
    (void)state;
    assert_int_equal(auth_next(0, 5000), 5);
    assert_int_equal(auth_next(4, 5000), 5);
    assert_int_equal(auth_next(5, 5999), 6);
    assert_int_equal(auth_next(9, 5000), 10); /* the clock was set back */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),        cmocka_unit_test(test_known),
        cmocka_unit_test(test_changed),      cmocka_unit_test(test_headers),
        cmocka_unit_test(test_sign_refuses), cmocka_unit_test(test_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
