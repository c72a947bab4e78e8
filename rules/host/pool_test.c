#include "rules/host/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void
test_limit_and_reuse(void **state)
{
    struct pool p;

    (void)state;
    assert_int_equal(pool_init(&p, 24, 5), ERR_OK);
    for (uint32_t i = 1; i <= 5; i++) {
        assert_int_equal(pool_take(&p), i);
        memset(pool_at(&p, i), 0xee, 24);
    }
    assert_int_equal(pool_take(&p), POOL_NONE);
    pool_give(&p, 2);
    pool_give(&p, 4);
    assert_int_equal(p.n, 3);
    for (uint32_t want = 4; want >= 2; want -= 2) {
        static const uint8_t zeros[24];

        assert_int_equal(pool_take(&p), want);
        assert_memory_equal(pool_at(&p, want), zeros, 24);
    }
    assert_int_equal(pool_take(&p), POOL_NONE);
    pool_fini(&p);
}

/* Numbers stay while memory grows by chunks. */
static void
test_many(void **state)
{
    struct pool p;

    (void)state;
    assert_int_equal(pool_init(&p, 128, 100000), ERR_OK);
    for (uint32_t i = 1; i <= 100000; i++) {
        assert_int_equal(pool_take(&p), i);
        memcpy(pool_at(&p, i), &i, sizeof(i));
    }
    for (uint32_t i = 1; i <= 100000; i++)
        assert_memory_equal(pool_at(&p, i), &i, sizeof(i));
    assert_in_range(p.bytes, 128 * 100000, 128 * 100000 + 65536);
    pool_fini(&p);
}

static const struct {
    const char *why;
    size_t at;
    uint8_t value;
} damages[] = {
    {"another size of block",      0,       25},
    {"more blocks than bytes",     4,       9 },
    {"more than the limit",        5,       9 },
    {"first free one beyond",      8,       9 },
    {"free list is longer",        12,      7 },
    {"free list is shorter",       12,      2 },
    {"free list runs in a circle", 16 + 24, 2 },
};

static void
test_snapshot(void **state)
{
    struct pool p;
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_int_equal(pool_init(&p, 24, 100), ERR_OK);
    for (uint32_t i = 0; i < 8; i++)
        (void)pool_take(&p);
    pool_give(&p, 7);
    pool_give(&p, 2);
    pool_save(&p, &b);
    pool_fini(&p);
    for (size_t i = 0; i <= ARRAY_LEN(damages); i++) {
        size_t at = i > 0 ? damages[i - 1].at : 0;
        uint8_t was = b.p[at];
        struct cursor c = cur_open(buf_view(&b));
        enum err e;

        if (i > 0)
            b.p[at] = damages[i - 1].value;
        assert_int_equal(pool_init(&p, 24, 100), ERR_OK);
        e = pool_load(&p, &c);
        if (e != (i == 0 ? ERR_OK : ERR_CORRUPT))
            fail_msg("%s", i > 0 ? damages[i - 1].why : "as it was saved");
        if (i == 0)
            assert_int_equal(pool_take(&p), 2);
        pool_fini(&p);
        b.p[at] = was;
    }
    buf_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_and_reuse),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
