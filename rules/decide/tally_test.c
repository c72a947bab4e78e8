#include "rules/decide/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
test_counts(void **state)
{
    struct tally t;

    (void)state;
    tally_init(&t, 100000);
    assert_int_equal(tally_get(&t, 5), 0);
    tally_sub(&t, 5);
    for (uint64_t i = 0; i < 30000; i++) {
        assert_true(tally_add(&t, 1 + i % 10000));
        assert_int_equal(tally_get(&t, 1 + i % 10000), i / 10000 + 1);
    }
    for (uint64_t i = 1; i <= 10000; i++)
        tally_sub(&t, i);
    for (uint64_t i = 1; i <= 10000; i++)
        assert_int_equal(tally_get(&t, i), 2);
    tally_clear(&t);
    assert_int_equal(tally_get(&t, 7), 0);
    assert_true(tally_set(&t, 7, 3));
    assert_int_equal(tally_get(&t, 7), 3);
    tally_fini(&t);
}

static void
test_bound(void **state)
{
    struct tally t;

    (void)state;
    tally_init(&t, 100);
    for (uint64_t i = 1; i <= 100; i++)
        assert_true(tally_reserve(&t) && tally_add(&t, i));
    assert_false(tally_reserve(&t));
    assert_false(tally_add(&t, 101));
    assert_true(tally_add(&t, 100)); /* known ones go on */
    tally_sub(&t, 50);               /* and one that is free is used again */
    assert_true(tally_add(&t, 101));
    assert_false(tally_add(&t, 102));
    assert_int_equal(tally_get(&t, 100), 2);
    assert_int_equal(tally_get(&t, 50), 0);
    tally_fini(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
