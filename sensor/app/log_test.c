#include "sensor/app/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
/* cmocka needs the above */
#include <cmocka.h>

/* What one value becomes after "level=warn event=e k=". */
static const struct {
    const char *why, *value, *want;
} rows[] = {
    {"plain",           "a.pcap",        "a.pcap"              },
    {"empty",           "",              "\"\""                },
    {"space",           "a b",           "\"a b\""             },
    {"forged key",      "a level=info",  "\"a level=info\""    },
    {"quote",           "a\"b",          "\"a\\x22b\""         },
    {"quotes only",     "\"\"",          "\"\\x22\\x22\""      },
    {"line end",        "a\nlevel=info", "\"a\\x0alevel=info\""},
    {"terminal escape", "\x1b[2J",       "\\x1b[2J"            },
    {"backslash",       "a\\b",          "a\\\\b"              },
};

static size_t
line_of(struct log_line *l, char *room, size_t n)
{
    int fd[2];
    ssize_t got;

    assert_int_equal(pipe(fd), 0);
    log_end(l, fd[1]);
    got = read(fd[0], room, n);
    (void)close(fd[0]);
    (void)close(fd[1]);
    return got > 0 ? (size_t)got : 0;
}

static void
test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct log_line l;
        char got[256], want[256];
        size_t n;

        log_begin(&l, LOG_AT_WARN, "e");
        log_string(&l, "k", span_str(rows[i].value));
        log_number(&l, "n", 17);
        n = line_of(&l, got, sizeof(got));
        (void)snprintf(want, sizeof(want), "level=warn event=e k=%s n=17\n",
                       rows[i].want);
        if (!span_eq(span_of(got, n), span_str(want)))
            fail_msg("%s: %.*s", rows[i].why, (int)n, got);
    }
}

static void
test_long_line_still_ends(void **state)
{
    static char value[LOG_LINE + 100], got[2 * LOG_LINE];
    struct log_line l;
    size_t n;

    (void)state;
    memset(value, 'a', sizeof(value));
    log_begin(&l, LOG_AT_ERROR, "e");
    log_string(&l, "k", span_of(value, sizeof(value)));
    n = line_of(&l, got, sizeof(got));
    assert_int_equal(n, LOG_LINE);
    assert_int_equal(got[n - 1], '\n');
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_long_line_still_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
