#include "sensor/app/feed_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Lists themselves are tests/blocks_test.py's: here is what is counted. */
static const struct {
    const char *why;
    struct feed_sight sight;
    uint64_t permille;
} sights[] = {
    {"a quiet night",               {0, 0, 0, 0, false},                   1000},
    {"all seen",                    {100, 0, 10, 0, false},                1000},
    {"a twentieth of the bytes",    {95, 5, 10, 0, false},                 950 },
    {"a little more",               {9499, 501, 10, 0, false},             949 },
    {"packets, which are fewer",    {95, 5, 9, 1, false},                  900 },
    {"nothing but what was missed", {0, 5, 10, 0, false},                  0   },
    {"blind",                       {100, 0, 10, 0, true},                 0   },
    {"no overflow",                 {UINT64_MAX, UINT64_MAX, 1, 0, false}, 500 },
};

static void
how_good_the_capture_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sights); i++) {
        if (feed_sight_permille(&sights[i].sight) != sights[i].permille)
            fail_msg("%s", sights[i].why);
    }
}

/* Without a list before there is nothing to explain; of an element that nothing
 * is known of there is no answer. */
static void
an_empty_list_needs_an_answer(void **state)
{
    struct feed_source s = {.n = 0};
    struct feed_item item;
    struct feed last = {.v = &item, .n = 0};
    struct feed_never never = {.kind = FEED_WHY_REGISTERED};
    struct prefix wide;

    (void)state;
    item = (struct feed_item){.since = 0};
    assert_true(prefix_parse(SPAN_LIT("10.0.0.1"), &item.prefix));
    assert_true(prefix_parse(SPAN_LIT("10.0.0.0/24"), &wide));
    assert_true(feed_source_explains(&s, &last, 1));
    last.n = 1;
    assert_false(feed_source_explains(&s, &last, 1));
    never.range = permits_range_of(&wide);
    s.never = &never;
    s.n_never = 1;
    assert_true(feed_source_explains(&s, &last, 1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_good_the_capture_is),
        cmocka_unit_test(an_empty_list_needs_an_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
