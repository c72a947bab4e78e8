#include "sensor/base/near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
/* cmocka needs the above */
#include <cmocka.h>

#include "sensor/base/attr.h"

static const struct {
    const char *why, *a, *b;
    unsigned want;
} distances[] = {
    {"equal",              "read",    "read",    0},
    {"empty",              "",        "",        0},
    {"all new",            "",        "abc",     3},
    {"one gone",           "captur",  "capture", 1},
    {"one other",          "live",    "love",    1},
    {"neighbours swapped", "exlpain", "explain", 1},
    {"swap at the end",    "raed",    "read",    1},
    {"swap and change",    "exlpaim", "explain", 2},
    {"nothing in common",  "abc",     "xyz",     3},
};

static void
test_distance(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(distances); i++) {
        struct span a = span_str(distances[i].a), b = span_str(distances[i].b);

        if (near_distance(a, b) != distances[i].want ||
            near_distance(b, a) != distances[i].want)
            fail_msg("%s: %u, %u", distances[i].why, near_distance(a, b),
                     near_distance(b, a));
    }
}

static void
test_bounds(void **state)
{
    char room[NEAR_MAX + 1];
    struct span full, over;

    (void)state;
    memset(room, 'a', sizeof(room));
    full = span_of(room, NEAR_MAX);
    over = span_of(room, sizeof(room));
    assert_int_equal(near_distance(full, full), 0);
    assert_int_equal(near_distance(full, span_str("")), NEAR_MAX);
    assert_int_equal(near_distance(over, over), NEAR_MAX + 1);
}

static const struct {
    const char *why, *typed, *want;
} offers[] = {
    {"typo",                      "exlpain", "explain"},
    {"closest wins",              "bock",    "block"  },
    {"too far",                   "xyz",     ""       },
    {"one letter is never close", "x",       ""       },
    {"empty",                     "",        ""       },
};

static void
test_offers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
        struct near n = near_start(span_str(offers[i].typed));

        near_offer(&n, SPAN_LIT("explain"));
        near_offer(&n, SPAN_LIT("blocks"));
        near_offer(&n, SPAN_LIT("block"));
        near_offer(&n, SPAN_LIT("a"));
        if (!span_eq(n.best, span_str(offers[i].want)))
            fail_msg("%s", offers[i].why);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_offers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
