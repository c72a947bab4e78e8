#include "sensor/app/read_output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tempdir.h"

#define MAX 8

/* A report at its limit, one below and one above: whole or not at all, and
 * what stood there before stays when there is no report. */
static void
saves_whole_reports_only(void **state)
{
    (void)state;
    for (size_t n = MAX - 1; n <= MAX + 1; n++) {
        bool fits = n <= MAX;
        struct tempdir t;
        struct buf text;
        struct buf said;
        size_t got_n;
        uint8_t *got;

        tempdir_make(&t);
        tempdir_store(t.path, "report", (const uint8_t *)"old", 3);
        buf_init(&text, MAX);
        buf_init(&said, 4096);
        for (size_t i = 0; i < n; i++)
            buf_putc(&text, 'x');
        assert_int_equal(
            read_output_save(tempdir_name(t.path, "report").s, &text, &said),
            fits ? ERR_OK : ERR_LIMIT);
        assert_int_equal(said.n > 0, !fits);
        got = tempdir_load(t.path, "report", &got_n);
        assert_int_equal(got_n, fits ? n : 3);
        free(got);
        buf_free(&text);
        buf_free(&said);
        tempdir_remove(&t);
    }
}

static void
saves_nothing_without_memory(void **state)
{
    struct buf text = {.max = MAX, .failed = true};
    struct buf said;

    (void)state;
    buf_init(&said, 4096);
    assert_int_equal(read_output_save("/nonexistent/report", &text, &said),
                     ERR_NOMEM);
    text.failed = false;
    assert_int_equal(read_output_save("/nonexistent/report", &text, &said),
                     ERR_NOENT);
    buf_free(&said);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saves_whole_reports_only),
        cmocka_unit_test(saves_nothing_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
