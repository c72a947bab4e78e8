#include "sensor/core/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *client, *server, *want;
} ways[] = {
    {"10.0.0.1",        "203.0.113.5",    "outbound"},
    {"203.0.113.5",     "10.255.255.255", "inbound" },
    {"10.0.0.1",        "10.0.0.2",       "internal"},
    {"10.0.0.1",        "2001:db8::25",   "internal"},
    {"203.0.113.5",     "203.0.113.6",    "external"},
    {"2001:db8::1",     "2001:db9::1",    "outbound"},
    {"11.0.0.1",        "9.255.255.255",  "external"},
    {"::ffff:10.0.0.1", "203.0.113.5",    "outbound"},
};

static struct addr
addr(const char *text)
{
    struct addr a;

    assert_true(addr_parse(span_str(text), &a));
    return a;
}

static void
tells_the_direction(void **state)
{
    struct prefix home[2];
    struct place p = {home, 2, NULL};
    struct place nowhere = {NULL, 0, NULL};

    (void)state;
    assert_true(prefix_parse(SPAN_LIT("10.0.0.0/8"), &home[0]));
    assert_true(prefix_parse(SPAN_LIT("2001:db8::/32"), &home[1]));
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct addr client = addr(ways[i].client);
        struct addr server = addr(ways[i].server);
        const char *got = place_direction(&p, &client, &server);

        if (strcmp(got, ways[i].want) != 0)
            fail_msg("%s to %s: %s", ways[i].client, ways[i].server, got);
        assert_null(place_direction(&nowhere, &client, &server));
        assert_false(place_is_home(&nowhere, &client));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_the_direction),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
