#include "sensor/app/read_total.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
count(void *ctx, struct span record)
{
    uint64_t *n = ctx;

    assert_true(record_check(record));
    assert_true(record_head_of(record).type != EVENT_CONTROL ||
                record_find(record, FIELD_CONTROL_TEXT).n > 0);
    ++*n;
}

/* A worker that tells of faults without end fills READ_TOTAL_MAX and no more;
 * all that was kept is told again, the rest is counted. */
static void
bound_of(size_t n)
{
    static const uint8_t text[RECORD_STR_MAX];
    uint64_t sent = READ_TOTAL_MAX / n + 10;
    uint64_t told = 0;
    struct record_head h = {.type = EVENT_CONTROL};
    struct record_sink sink = {count, &told};
    struct read_total *t;
    struct record_out r;

    record_init(&r);
    assert_int_equal(read_total_new(&t), ERR_OK);
    record_begin(&r, &h);
    record_text(&r, FIELD_CONTROL_KIND, "fault");
    record_str(&r, FIELD_CONTROL_TEXT, span_of(text, n));
    for (uint64_t i = 0; i < sent; i++)
        read_total_put(t, record_view(&r));
    assert_true(read_total_refused(t) >= 10);
    assert_int_equal(read_total_n_faults(t), sent - read_total_refused(t));
    read_total_emit(t, 0, &sink);
    assert_int_equal(told, sent - read_total_refused(t) + 1);
    record_free(&r);
    read_total_free(t);
}

/* The second size leaves room for one more record, but not for its length: 257
 * times 97 bytes go into the limit all but one byte. */
static void
bounds_what_is_told(void **state)
{
    (void)state;
    bound_of(RECORD_STR_MAX);
    bound_of(257 * 97 - 4 - RECORD_HEAD - (4 + 5) - 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_what_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
