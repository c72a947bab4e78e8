#include "rules/registry/slots.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint32_t
find(const struct slots *s, uint64_t hash)
{
    struct slots_walk w = slots_begin(s, hash);

    return slots_next(&w);
}

static void
finds_what_was_added(void **state)
{
    struct slots s;

    (void)state;
    slots_init(&s);
    assert_int_equal(find(&s, 7), SLOTS_NONE);
    for (uint32_t i = 0; i < 100000; i++)
        assert_true(slots_add(&s, i * UINT64_C(0x9e3779b97f4a7c15), i));
    for (uint32_t i = 0; i < 100000; i++)
        assert_int_equal(find(&s, i * UINT64_C(0x9e3779b97f4a7c15)), i);
    assert_int_equal(find(&s, 1), SLOTS_NONE);
    slots_fini(&s);
    slots_fini(&s);
}

static void
gives_all_of_a_hash(void **state)
{
    struct slots_walk w;
    struct slots s;

    (void)state;
    slots_init(&s);
    for (uint32_t i = 0; i < 3; i++)
        assert_true(slots_add(&s, 64, i));
    assert_true(slots_add(&s, 0, 3));
    w = slots_begin(&s, 64);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(slots_next(&w), i);
    assert_int_equal(slots_next(&w), SLOTS_NONE);
    slots_fini(&s);
}

static void
refuses_chosen_collisions(void **state)
{
    struct slots_walk w;
    struct slots s;

    (void)state;
    slots_init(&s);
    for (uint32_t i = 0; i < SLOTS_PROBES; i++)
        assert_true(slots_add(&s, 5, i));
    assert_false(slots_add(&s, 5, SLOTS_PROBES));
    w = slots_begin(&s, 5);
    for (uint32_t i = 0; i < SLOTS_PROBES; i++)
        assert_int_not_equal(slots_next(&w), SLOTS_NONE);
    assert_int_equal(slots_next(&w), SLOTS_NONE);
    for (uint64_t i = 0; i < 5000; i++) /* others are served as before */
        assert_true(slots_add(&s, 5 + (i + 1) * UINT64_C(0x9e3779b97f4b), 9));
    for (uint64_t i = 0; i < 5000; i++) /* though they begin at one place */
        assert_true(slots_add(&s, 7 + (i << 33), (uint32_t)i));
    for (uint64_t i = 0; i < 5000; i++)
        assert_int_equal(find(&s, 7 + (i << 33)), i);
    slots_fini(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added),
        cmocka_unit_test(gives_all_of_a_hash),
        cmocka_unit_test(refuses_chosen_collisions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
