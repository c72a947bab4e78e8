#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dashboards/http/gate_limit.h"

#define NOW (UINT64_C(1795000000) * NS_PER_S)

static struct gate_limit *
three(void)
{
    struct gate_limit *l = gate_limit_new((struct gate_rate){3, 10 * NS_PER_S});

    assert_non_null(l);
    return l;
}

static void
test_bucket(void **state)
{
    struct gate_limit *l = three();

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(gate_limit_wait(l, 1, NOW), 0);
        gate_limit_take(l, 1, NOW);
    }
    assert_int_equal(gate_limit_wait(l, 1, NOW), 10 * NS_PER_S);
    assert_int_equal(gate_limit_wait(l, 1, NOW + NS_PER_S), 9 * NS_PER_S);
    assert_int_equal(gate_limit_wait(l, 1, NOW + 10 * NS_PER_S), 0);
    assert_int_equal(gate_limit_wait(l, 2, NOW), 0);
    gate_limit_give(l, 1);
    assert_int_equal(gate_limit_wait(l, 1, NOW), 0);
    gate_limit_give(l, 2); /* nobody's */
    gate_limit_free(l);
    gate_limit_free(NULL);
}

static void
test_clock_back(void **state)
{
    struct gate_limit *l = three();

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        gate_limit_take(l, 1, NOW);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(gate_limit_wait(l, 1, NOW - 3600 * NS_PER_S), 0);
        gate_limit_take(l, 1, NOW - 3600 * NS_PER_S);
    }
    assert_int_equal(gate_limit_wait(l, 1, NOW - 3600 * NS_PER_S),
                     10 * NS_PER_S);
    gate_limit_free(l);
}

/* Full of others, the table forgets who is nearest to being forgiven. */
static void
test_bounded(void **state)
{
    struct gate_limit *l = three();

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        gate_limit_take(l, 1, NOW);
    for (uint64_t i = 0; i < 3 * (uint64_t)GATE_BUCKETS; i++)
        gate_limit_take(l, 2 + i, NOW + i);
    assert_int_equal(gate_limit_wait(l, 1, NOW), 10 * NS_PER_S);
    gate_limit_free(l);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bucket),
        cmocka_unit_test(test_clock_back),
        cmocka_unit_test(test_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
