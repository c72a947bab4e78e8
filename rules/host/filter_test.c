#include "rules/host/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sensor/base/hash.h"

#define HOUR (UINT64_C(3600) * NS_PER_S)

static struct filter
opened(uint64_t bytes)
{
    struct filter f;

    assert_int_equal(filter_init(&f, bytes, HOUR), ERR_OK);
    filter_time(&f, 100 * HOUR);
    return f;
}

static void
test_first_is_new(void **state)
{
    struct filter f = opened(1 << 20);

    (void)state;
    for (uint64_t i = 0; i < 10000; i++)
        (void)filter_add(&f, hash_mix(1, i));
    for (uint64_t i = 0; i < 10000; i++) {
        assert_true(filter_has(&f, hash_mix(1, i)));
        assert_false(filter_add(&f, hash_mix(1, i)));
    }
    filter_fini(&f);
}

/* As many false answers as it says of itself. */
static void
test_error_is_told(void **state)
{
    struct filter f = opened(1 << 20);
    uint64_t wrong = 0;
    uint64_t told;

    (void)state;
    for (uint64_t i = 0; i < 350000; i++)
        (void)filter_add(&f, hash_mix(1, i));
    for (uint64_t i = 0; i < 100000; i++)
        wrong += filter_has(&f, hash_mix(1, 1000000 + i));
    told = filter_error_permille(&f);
    assert_true(told > 20);
    /* blocks fill unevenly, so it is somewhat worse than their mean */
    assert_true(wrong / 100 >= told && wrong / 100 < told * 2);
    assert_in_range(filter_fill_permille(&f), 650, 720);
    filter_fini(&f);
}

static const struct {
    const char *why;
    unsigned hours;
    bool still;
} ages[] = {
    {"at once",              0,       true },
    {"one generation on",    1,       true },
    {"three generations on", 3,       true },
    {"four generations on",  4,       false},
    {"five",                 5,       false},
    {"years later",          1000000, false},
};

static void
test_generations(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ages); i++) {
        struct filter f = opened(4096);

        (void)filter_add(&f, 12345);
        filter_time(&f, (100 + ages[i].hours) * HOUR);
        filter_time(&f, 7 * HOUR); /* time does not go back */
        if (filter_has(&f, 12345) != ages[i].still)
            fail_msg("%s", ages[i].why);
        if (!ages[i].still)
            assert_int_equal(filter_fill_permille(&f), 0);
        filter_fini(&f);
    }
}

/* What is seen again stays. */
static void
test_renewed(void **state)
{
    struct filter f = opened(4096);

    (void)state;
    (void)filter_add(&f, 12345);
    filter_time(&f, 102 * HOUR);
    assert_false(filter_add(&f, 12345));
    filter_time(&f, 105 * HOUR);
    assert_true(filter_has(&f, 12345));
    filter_fini(&f);
}

static void
test_least_size(void **state)
{
    struct filter f = opened(0);

    (void)state;
    assert_true(filter_add(&f, 1));
    assert_int_equal(filter_bytes(&f), 256);
    filter_fini(&f);
}

static void
test_snapshot(void **state)
{
    struct filter f = opened(1 << 16);
    struct filter g;
    struct buf a;
    struct buf b;
    struct cursor c;

    (void)state;
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    for (uint64_t i = 0; i < 300; i++) {
        (void)filter_add(&f, hash_mix(1, i));
        filter_time(&f, 100 * HOUR + i * HOUR / 100);
    }
    filter_save(&f, &a);
    assert_int_equal(filter_init(&g, 1 << 16, HOUR), ERR_OK);
    c = cur_open(buf_view(&a));
    assert_int_equal(filter_load(&g, &c), ERR_OK);
    assert_int_equal(cur_left(&c), 0);
    filter_save(&g, &b);
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
    assert_int_equal(filter_fill_permille(&f), filter_fill_permille(&g));
    filter_fini(&g);
    for (size_t n = 0; n < a.n; n += 7) {
        assert_int_equal(filter_init(&g, 1 << 16, HOUR), ERR_OK);
        c = cur_open(span_of(a.p, n));
        assert_int_equal(filter_load(&g, &c), ERR_CORRUPT);
        filter_fini(&g);
    }
    filter_fini(&f);
    buf_free(&a);
    buf_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_is_new),
        cmocka_unit_test(test_error_is_told),
        cmocka_unit_test(test_generations),
        cmocka_unit_test(test_renewed),
        cmocka_unit_test(test_least_size),
        cmocka_unit_test(test_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
