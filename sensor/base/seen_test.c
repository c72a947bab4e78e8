#include "sensor/base/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
knows_what_it_had(void **state)
{
    struct seen s;

    (void)state;
    seen_init(&s, 10000);
    for (uint64_t i = 0; i < 10000; i++)
        assert_int_equal(seen_add(&s, i), i == 1 ? 0 : 1); /* 0 is 1 */
    for (uint64_t i = 0; i < 10000; i++)
        assert_int_equal(seen_add(&s, i), 0);
    assert_true(seen_has(&s, 0));
    assert_true(seen_has(&s, 9999));
    assert_false(seen_has(&s, 10000));
    assert_int_equal(s.n, 9999);
    seen_fini(&s);
}

static void
takes_no_more_than_its_limit(void **state)
{
    struct seen s;

    (void)state;
    seen_init(&s, 3);
    assert_false(seen_has(&s, 10));
    assert_int_equal(seen_add(&s, 10), 1);
    assert_int_equal(seen_add(&s, 20), 1);
    assert_int_equal(seen_add(&s, 30), 1);
    assert_int_equal(seen_add(&s, 40), -1);
    assert_int_equal(seen_add(&s, 20), 0);
    assert_int_equal(s.n, 3);
    seen_fini(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_it_had),
        cmocka_unit_test(takes_no_more_than_its_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
