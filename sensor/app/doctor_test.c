#include "sensor/app/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/base/attr.h"
#include "sensor/base/ns.h"
#include "tests/support/tempdir.h"

static const struct {
    const char *why, *page, *want;
    unsigned warn, fail;
} rows[] = {
    {"ok has nothing to do",   "# check ok sees journal\tit is written\t\n",
     "ok    it is written\n",                                                                                                0, 0},
    {"a failure and a metric",
     "a 1\n# check fail blind packets\tno packet\tsee the cable\nb 2\n",                 "fail  no packet: see the cable\n", 0, 1},
    {"two of them",            "# check warn sees a\tb\tc\n# check warn sees a\td\te\n",
     "warn  b: c\nwarn  d: e\n",                                                                                             2, 0},
    {"no last line end",       "# check warn blind a\tb\tc",                             "warn  b: c\n",                     1, 0},
    {"another level",          "# check good sees a\tb\tc\n",                            "",                                 0, 0},
    {"no text",                "# check fail sees a\n",                                  "",                                 0, 0},
    {"cut in the middle",      "# check fa",                                             "",                                 0, 0},
    {"a terminal's escape",    "# check ok sees a\tx\033[2Jy\t\n",
     "ok    x\\x1b[2Jy\n",                                                                                                   0, 0},
    {"nothing",                "",                                                       "",                                 0, 0},
};

static void
test_page(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned warn = 0, fail = 0;
        struct buf out;

        buf_init(&out, 4096);
        doctor_page(span_str(rows[i].page), &out, &warn, &fail);
        if (!span_eq(buf_view(&out), span_str(rows[i].want)) ||
            warn != rows[i].warn || fail != rows[i].fail)
            fail_msg("%s: %.*s", rows[i].why, (int)out.n, (char *)out.p);
        buf_free(&out);
    }
}

static const struct {
    const char *why, *text;
    size_t columns;
    const char *want;
} folds[] = {
    {"no terminal",        "aa bb cc dd ee ff",                                 0,  "aa bb cc dd ee ff\n"                                },
    {"it fits",            "aa bb cc dd",                                       17, "aa bb cc dd\n"                                      },
    {"a column too few",   "aa bb cc dd",                                       16, "aa bb cc\n      dd\n"                               },
    {"three lines",        "aaaaaa bbbbbb cc",                                  13, "aaaaaa\n      bbbbbb\n      cc\n"                   },
    {"a long word",        "aaaaaaaaaaaaaa b",                                  13, "aaaaaaaaaaaaaa\n      b\n"                          },
    {"a word alone",       "aaaaaaaaaaaaaa",                                    13, "aaaaaaaaaaaaaa\n"                                   },
    {"columns, no bytes",  "\xc3\xa4\xc3\xa4\xc3\xa4 \xc3\xa4\xc3\xa4\xc3\xa4",
     13,                                                                            "\xc3\xa4\xc3\xa4\xc3\xa4 \xc3\xa4\xc3\xa4\xc3\xa4\n"},
    {"nothing",            "",                                                  13, "\n"                                                 },
    {"a space at the end", "aaaaaaa ",                                          13, "aaaaaaa\n      \n"                                  },
    {"too narrow to fold", "aa bb cc dd",                                       12, "aa bb cc dd\n"                                      },
};

static void
test_fold(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    for (size_t i = 0; i < ARRAY_LEN(folds); i++) {
        buf_reset(&out);
        doctor_fold(span_str(folds[i].text), folds[i].columns, &out);
        if (!span_eq(buf_view(&out), span_str(folds[i].want)))
            fail_msg("%s: %.*s", folds[i].why, (int)out.n, (const char *)out.p);
    }
    buf_free(&out);
}

#define OLD 1700000000

static const struct {
    const char *why, *page;
    bool old; /* older than a sensor's that runs */
    enum doctor_sight want;
    uint64_t since; /* seconds; 0: not known */
} sights[] = {
    {"all is well",               "# check ok sees packets\tthey come\t\n", false,
     DOCTOR_SEES,                                                                                    0         },
    {"a warning alone",           "# check warn sees clock\ta\tb\n",        false, DOCTOR_SEES,
     0                                                                                                         },
    {"a sensor that is gone",     "# check ok sees packets\tthey come\t\n", true,
     DOCTOR_BLIND,                                                                                   OLD       },
    {"none was ever here",        NULL,                                     false, DOCTOR_NO_SENSOR, 0         },
    {"no packets",
     "span25_capture_last_packet_timestamp_seconds{iface=\"a b\"} "
     "1700000009.5\n"
     "span25_capture_last_packet_timestamp_seconds{iface=\"b\"} 1700000005.25\n"
     "# check fail blind packets\ta\tb\n",                                  false, DOCTOR_BLIND,     1700000005},
    {"no packet since the start",
     "span25_process_start_time_seconds{process=\"core\"} 1700000001.0\n"
     "# check fail blind interface\ta\tb\n",                                false, DOCTOR_BLIND,     1700000001},
    {"blind for another reason",
     "span25_capture_last_packet_timestamp_seconds{iface=\"b\"} 1700000005.25\n"
     "# check fail blind journal\ta\tb\n",                                  false, DOCTOR_BLIND,     0         },
    {"a time that is none",
     "span25_capture_last_packet_timestamp_seconds{iface=\"b\"} "
     "99999999999999999999\n"
     "span25_capture_last_packet_timestamp_seconds{iface=\"b\"} 18446744073.0\n"
     "span25_capture_last_packet_timestamp_seconds{\n"
     "# check fail blind packets\ta\tb\n",                                  false, DOCTOR_BLIND,     0         },
};

/* With the time of 2023 where it is old. */
static void
put_page(const char *path, const char *page, bool old)
{
    const struct timespec then[] = {{.tv_sec = OLD}, {.tv_sec = OLD}};
    FILE *f;

    (void)unlink(path);
    if (page == NULL)
        return;
    f = fopen(path, "w");
    tempdir_check(f != NULL && fputs(page, f) >= 0 && fclose(f) == 0, path);
    if (old)
        tempdir_check(utimensat(AT_FDCWD, path, then, 0) == 0, path);
}

static void
test_sight(void **state)
{
    struct tempdir dir;
    struct tempdir_name path;

    (void)state;
    tempdir_make(&dir);
    path = tempdir_name(dir.path, "board.prom");
    for (size_t i = 0; i < ARRAY_LEN(sights); i++) {
        enum doctor_sight got;
        ns_t since = 7;

        put_page(path.s, sights[i].page, sights[i].old);
        got = doctor_look(dir.path, &since);
        /* a moment goes by between two readings of the clock */
        if (got != sights[i].want || since / NS_PER_S != sights[i].since)
            fail_msg("%s: %s, %llu", sights[i].why, doctor_sight_word(got),
                     (unsigned long long)since);
    }
    tempdir_remove(&dir);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_sight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
