#include "sensor/app/test_alert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ID "0123456789abcdef"

static const struct {
    const char *why, *kind, *id;
    bool want;
} rows[] = {
    {"one",                    "test",  ID,                  true },
    {"another kind",           "alert", ID,                  false},
    {"no id",                  "test",  NULL,                false},
    {"a digit too few",        "test",  "0123456789abcde",   false},
    {"one too many",           "test",  "0123456789abcdef0", false},
    {"capitals",               "test",  "0123456789ABCDEF",  false},
    {"what a file name holds", "test",  "../../../../../ab", false},
};

static void
asked(void **state)
{
    struct record_out in, out;

    (void)state;
    record_init(&in);
    record_init(&out);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct record_head head = {.when = 5 * NS_PER_S,
                                         .type = EVENT_CONTROL};

        record_begin(&in, &head);
        record_text(&in, FIELD_CONTROL_KIND, rows[i].kind);
        record_text(&in, FIELD_CONTROL_ACTOR, "eve\x1b[31m\n");
        if (rows[i].id != NULL)
            record_text(&in, FIELD_CONTROL_ALERT, rows[i].id);
        if (test_alert_of(record_view(&in), &out) != rows[i].want)
            fail_msg("%s", rows[i].why);
    }
    record_free(&in);
    record_free(&out);
}

/* Marked, about nobody, and of the lowest severity. */
static void
marked(void **state)
{
    const struct record_head head = {.when = 5 * NS_PER_S,
                                     .type = EVENT_CONTROL};
    struct record_out in, out;
    struct span made;

    (void)state;
    record_init(&in);
    record_init(&out);
    record_begin(&in, &head);
    record_text(&in, FIELD_CONTROL_KIND, "test");
    record_text(&in, FIELD_CONTROL_ACTOR, "eve\x1b[31m");
    record_text(&in, FIELD_CONTROL_ALERT, ID);
    assert_true(test_alert_of(record_view(&in), &out));
    made = record_view(&out);
    assert_true(record_check(made));
    assert_int_equal(record_head_of(made).type, EVENT_ALERT);
    assert_int_equal(record_head_of(made).when, head.when);
    assert_true(record_find_bool(made, FIELD_ALERT_TEST));
    assert_true(span_eq(record_find(made, FIELD_ALERT_ID), SPAN_LIT(ID)));
    assert_int_equal(record_find_u64(made, FIELD_ALERT_SEVERITY, 0), 4);
    assert_null(record_find(made, FIELD_SRC_IP).p);
    assert_true(span_find(record_find(made, FIELD_ALERT_REASON), 0x1b) ==
                record_find(made, FIELD_ALERT_REASON).n);
    record_free(&in);
    record_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asked),
        cmocka_unit_test(marked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
