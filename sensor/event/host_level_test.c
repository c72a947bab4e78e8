#include "sensor/event/host_level.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
test_levels(void **state)
{
    static const struct {
        const char *why, *s1, *s7, *p;
        enum host_level want;
    } rows[] = {
        {"nothing was observed", NULL,     NULL,    NULL,    HOST_LEVEL_NORMAL},
        {"all is normal",        "normal", NULL,    NULL,    HOST_LEVEL_NORMAL},
        {"no word of ours",      "raise",  NULL,    "",      HOST_LEVEL_NORMAL},
        {"raised",               "raised", NULL,    NULL,    HOST_LEVEL_RAISED},
        {"the last one counts",  "raised", NULL,    "alert", HOST_LEVEL_ALERT },
        {"the highest counts",   "block",  "alert", "alert", HOST_LEVEL_BLOCK },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct record_out r;
        struct record_map m;

        record_init(&r);
        record_begin(&r, &(struct record_head){.type = EVENT_HOST});
        if (rows[i].s1 != NULL)
            record_text(&r, FIELD_HOST_S1_LEVEL, rows[i].s1);
        if (rows[i].s7 != NULL)
            record_text(&r, FIELD_HOST_S7_LEVEL, rows[i].s7);
        if (rows[i].p != NULL)
            record_text(&r, FIELD_HOST_P_LEVEL, rows[i].p);
        record_map_init(&m, record_view(&r));
        if (host_level_of(&m) != rows[i].want)
            fail_msg("%s: %s", rows[i].why, host_level_word(host_level_of(&m)));
        record_free(&r);
    }
    assert_string_equal(host_level_word(HOST_LEVEL_BLOCK), "block");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
