#include "sensor/event/events_man.h"

#include "sensor/event/anomaly.h"
#include "sensor/event/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct span
next_line(struct span *rest)
{
    size_t n = span_find(*rest, '\n');
    struct span line = span_head(*rest, n);

    *rest = span_tail(*rest, n + 1);
    return line;
}

static bool
has_item(struct span page, const char *macro, const char *name)
{
    while (page.n > 0) {
        struct span line = next_line(&page);
        struct span head = span_str(macro);

        if (span_starts(line, head) &&
            span_starts(span_tail(line, head.n), span_str(name)))
            return true;
    }
    return false;
}

static void
has_each_name(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1U << 20);
    events_man_write(&out, "November 22, 2026");
    assert_false(out.cut || out.failed);
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        print_message("%s\n", field_table[f].path);
        assert_true(has_item(buf_view(&out), ".It Va ", field_table[f].path));
    }
    for (unsigned a = 0; a < ANOM_COUNT; a++) {
        print_message("%s\n", anomaly_table[a].name);
        assert_true(has_item(buf_view(&out), ".It Cm ", anomaly_table[a].name));
    }
    assert_true(has_item(buf_view(&out), ".It Cm ", "smtp_session"));
    assert_false(has_item(buf_view(&out), ".It Cm ", "tick"));
    buf_free(&out);
}

/* What mandoc -T lint would say: macros known, lines short, lists closed, one
 * sentence a line. */
static void
is_tidy(void **state)
{
    static const char macros[] =
        " Dd Dt Os Sh Ss Nm Nd Pp Bl El It Va Cm Bd Ed Lk ";
    struct buf out;
    struct span rest;
    size_t lists = 0;

    (void)state;
    buf_init(&out, 1U << 20);
    events_man_write(&out, "November 22, 2026");
    rest = buf_view(&out);
    while (rest.n > 0) {
        struct span line = next_line(&rest);
        char name[] = {' ', (char)span_at(line, 1), (char)span_at(line, 2), ' ',
                       '\0'};

        print_message("%.*s\n", (int)line.n, (const char *)line.p);
        assert_true(line.n > 0);
        if (span_starts(line, SPAN_LIT(".\\\"")))
            continue;
        if (span_at(line, 0) != '.') {
            assert_true(line.n <= 80);
            assert_int_not_equal(span_at(line, 0), '\'');
            assert_int_not_equal(span_at(line, line.n - 1), ' ');
            continue;
        }
        assert_non_null(strstr(macros, name));
        lists += span_starts(line, SPAN_LIT(".Bl"));
        lists -= span_starts(line, SPAN_LIT(".El"));
        assert_true(lists <= 1);
    }
    assert_int_equal(lists, 0);
    buf_free(&out);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_each_name),
        cmocka_unit_test(is_tidy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
