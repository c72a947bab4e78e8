#include "rules/host/sketch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sensor/base/hash.h"

static uint64_t
count_of(uint64_t n, uint32_t blocks, uint64_t seed, uint32_t *error)
{
    struct pool large;
    struct sketch s = {0};
    uint64_t got;

    assert_int_equal(pool_init(&large, SKETCH_LARGE, blocks), ERR_OK);
    for (uint64_t round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < n; i++)
            (void)sketch_add(&s, &large, hash_mix(seed, i));
    }
    assert_true(sketch_valid(&s, &large));
    got = sketch_count(&s, &large);
    *error = sketch_error_permille(&s);
    sketch_clear(&s, &large);
    assert_int_equal(large.n, 0);
    pool_fini(&large);
    return got;
}

static void
test_exact_up_to_eight(void **state)
{
    uint32_t error;

    (void)state;
    for (uint64_t n = 0; n <= SKETCH_EXACT; n++) {
        assert_int_equal(count_of(n, 1, 5, &error), n);
        assert_int_equal(error, 0);
    }
    assert_in_range(count_of(SKETCH_EXACT + 1, 1, 5, &error), 9, 10);
    assert_int_equal(error, 65);
    (void)count_of(SKETCH_EXACT + 1, 0, 5, &error);
    assert_int_equal(error, 130);
}

/* The error that it tells is the one it has, over many keys. */
static void
test_errors(void **state)
{
    static const uint64_t sizes[] = {12, 50, 200, 1000, 20000};

    (void)state;
    for (uint32_t blocks = 0; blocks <= 1; blocks++) {
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            double sum = 0;
            double bias = 0;
            uint32_t error = 0;

            for (uint64_t seed = 1; seed <= 100; seed++) {
                double off = (double)count_of(sizes[i], blocks, seed, &error) /
                                 (double)sizes[i] -
                             1;

                sum += off * off;
                bias += off;
            }
            if (sum / 100 > 1.7 * error * error / 1e6)
                fail_msg("%u of %u: variance %f", (unsigned)sizes[i], blocks,
                         sum / 100);
            assert_true(bias / 100 < .04 && bias / 100 > -.04);
        }
    }
}

static void
test_new_or_known(void **state)
{
    struct pool large;
    struct sketch s = {0};

    (void)state;
    assert_int_equal(pool_init(&large, SKETCH_LARGE, 0), ERR_OK);
    assert_true(sketch_add(&s, &large, 100));
    assert_false(sketch_add(&s, &large, 100));
    assert_true(sketch_add(&s, &large, 102));
    pool_fini(&large);
}

static void
test_damaged(void **state)
{
    struct pool large;
    struct sketch s = {0};

    (void)state;
    assert_int_equal(pool_init(&large, SKETCH_LARGE, 1), ERR_OK);
    s.kind = 3;
    assert_false(sketch_valid(&s, &large));
    s.kind = SKETCH_IS_LARGE;
    assert_false(sketch_valid(&s, &large));
    s.large = 1; /* no such block */
    assert_false(sketch_valid(&s, &large));
    s.large = POOL_NONE;
    s.kind = SKETCH_IS_SMALL;
    assert_true(sketch_valid(&s, &large));
    s.u.reg[63] = 60;
    assert_false(sketch_valid(&s, &large));
    pool_fini(&large);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_up_to_eight),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_new_or_known),
        cmocka_unit_test(test_damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
