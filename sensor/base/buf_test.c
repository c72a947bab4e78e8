#include "sensor/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
fills_to_max(void **state)
{
    static const uint8_t bytes[101];

    (void)state;
    for (size_t max = 0; max <= 100; max++) {
        for (size_t n = max > 0 ? max - 1 : 0; n <= max + 1 && n <= 100; n++) {
            struct buf b;

            buf_init(&b, max);
            buf_put(&b, bytes, n);
            assert_int_equal(b.n, n < max ? n : max);
            assert_int_equal(b.cut, n > max);
            assert_false(b.failed);
            assert_true(b.cap <= max);
            buf_free(&b);
        }
    }
}

static void
byte_by_byte(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 100);
    for (unsigned i = 0; i < 100; i++)
        buf_putc(&b, (uint8_t)i);
    assert_false(b.cut);
    buf_putc(&b, 100);
    assert_true(b.cut);
    assert_int_equal(b.n, 100);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(b.p[i], i);
    buf_reset(&b);
    assert_false(b.cut);
    assert_int_equal(b.n, 0);
    assert_int_equal(b.cap, 100);
    buf_free(&b);
    buf_free(&b);
    buf_free(NULL);
    buf_str(&b, "usable");
    assert_int_equal(b.n, 6);
    buf_free(&b);
}

static void
prefix_is_kept(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 5);
    buf_str(&b, "abc");
    buf_str(&b, "defg");
    assert_true(b.cut);
    assert_memory_equal(b.p, "abcde", 5);
    buf_put(&b, NULL, 0);
    assert_false(buf_grow(&b, 1));
    assert_true(buf_grow(&b, 0));
    buf_free(&b);
}

/* Nothing so large can be had, or even counted. */
static void
wild_sizes(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, SIZE_MAX);
    buf_str(&b, "abc");
    assert_false(buf_grow(&b, SIZE_MAX));
    assert_true(b.cut);
    buf_reset(&b);
    buf_str(&b, "abc");
    assert_true(span_eq(buf_view(&b), SPAN_LIT("abc")));
    buf_free(&b);
}

static void
numbers(void **state)
{
    static const struct {
        uint64_t v;
        const char *want;
    } rows[] = {
        {0,          "0"                   },
        {9,          "9"                   },
        {10,         "10"                  },
        {4294967296, "4294967296"          },
        {UINT64_MAX, "18446744073709551615"},
    };
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        buf_reset(&b);
        buf_u64(&b, rows[i].v);
        assert_true(span_eq(buf_view(&b), span_str(rows[i].want)));
    }
    buf_reset(&b);
    buf_printf(&b, "%d-%s", 7, "x");
    assert_true(span_eq(buf_view(&b), SPAN_LIT("7-x")));
    buf_reset(&b);
    buf_printf(&b, "%600d", 1);
    assert_true(b.cut);
    assert_int_equal(b.n, 511);
    buf_free(&b);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_to_max),   cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(prefix_is_kept), cmocka_unit_test(wild_sizes),
        cmocka_unit_test(numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
