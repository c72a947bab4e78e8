#include "sensor/base/digits.h"

#include "sensor/base/span.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void
check(uint64_t v)
{
    char want[DIGITS_MAX + 1];
    char got[DIGITS_MAX + 1];

    (void)snprintf(want, sizeof(want), "%" PRIu64, v);
    memset(got, 'x', sizeof(got));
    *digits_u64(got, v) = '\0';
    assert_string_equal(got, want);
}

/* Each power of ten and of two, one less and one more. */
static void
numbers(void **state)
{
    uint64_t ten = 1;

    (void)state;
    for (unsigned i = 0; i < DIGITS_MAX; i++, ten *= 10) {
        check(ten - 1);
        check(ten);
        check(ten + 1);
    }
    for (unsigned i = 0; i < 64; i++) {
        check((UINT64_C(1) << i) - 1);
        check(UINT64_C(1) << i);
    }
    check(UINT64_MAX);
    for (uint64_t v = 0; v < 20000; v++)
        check(v);
}

static void
pairs(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 100; v++) {
        char want[16];
        char got[3] = "xx";

        (void)snprintf(want, sizeof(want), "%02u", v);
        assert_ptr_equal(digits_pair(got, v), got + 2);
        assert_string_equal(got, want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(pairs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
