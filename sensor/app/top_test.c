#include "sensor/app/top.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const char page[] = "# HELP span25_a A.\n# TYPE span25_a counter\n"
                           "span25_a{x=\"1\"} 3\nspan25_a{x=\"2\"} 4.5\n"
                           "span25_ab 100\nspan25_b 7\nspan25_c\nspan25_d ";

static void
test_sum(void **state)
{
    static const struct {
        const char *why, *name, *label;
        bool found;
        double want;
    } rows[] = {
        {"all labels",      "a", NULL,      true,  7.5},
        {"one of them",     "a", "x=\"2\"", true,  4.5},
        {"no such label",   "a", "x=\"3\"", false, 0  },
        {"without labels",  "b", NULL,      true,  7  },
        {"without a value", "c", NULL,      false, 0  },
        {"with a space",    "d", NULL,      false, 0  },
        {"no such metric",  "e", NULL,      false, 0  },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        double v = -1;

        if (top_sum(span_str(page), rows[i].name, rows[i].label, &v) !=
                rows[i].found ||
            v < rows[i].want || v > rows[i].want)
            fail_msg("%s: %f", rows[i].why, v);
    }
}

#define AT(t, n)                                                               \
    SPAN_LIT("span25_metrics_timestamp_seconds " t "\nspan25_events_total " n  \
             "\n")

static bool
shows(struct span before, struct span now, const char *want)
{
    struct buf out;
    bool good;

    buf_init(&out, 4096);
    top_write(before, now, &out);
    good = want[0] == '\0'
               ? out.n == 0
               : span_search(buf_view(&out), span_str(want)) < out.n;
    buf_free(&out);
    return good;
}

static void
test_rates(void **state)
{
    (void)state;
    assert_true(shows(AT("10", "100"), AT("12", "150"), " 25.0\n"));
    /* a core that came back */
    assert_true(shows(AT("10", "100"), AT("12", "8"), " 4.0\n"));
    /* the same page, and one before it */
    assert_true(shows(AT("10", "100"), AT("10", "100"), ""));
    assert_true(shows(AT("10", "100"), AT("9", "100"), ""));
    assert_true(shows(SPAN_NONE, AT("9", "100"), ""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sum),
        cmocka_unit_test(test_rates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
