#include "sensor/base/ns.h"

#include "sensor/base/attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define AT(s) ((s)*NS_PER_S)

static void
known_times(void **state)
{
    static const struct {
        const char *why;
        ns_t t;
        const char *text;
    } rows[] = {
        {"the beginning",       0,                          "1970-01-01T00:00:00.000000+0000"},
        {"a microsecond",       1000,                       "1970-01-01T00:00:00.000001+0000"},
        {"nanoseconds drop",    1999,                       "1970-01-01T00:00:00.000001+0000"},
        {"leap day 1972",       AT(68169600),               "1972-02-29T00:00:00.000000+0000"},
        {"2000 is a leap year", AT(951782400),
         "2000-02-29T00:00:00.000000+0000"                                                   },
        {"the day after",       AT(951868800),              "2000-03-01T00:00:00.000000+0000"},
        {"2100 is none",        AT(4107542400),             "2100-03-01T00:00:00.000000+0000"},
        {"the day before",      AT(4107542399),             "2100-02-28T23:59:59.000000+0000"},
        {"end of a year",       AT(1798761599) + 999999000,
         "2026-12-31T23:59:59.999999+0000"                                                   },
        {"end of ns_t",         UINT64_MAX,                 "2554-07-21T23:34:33.709551+0000"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[NS_TEXT_MAX];
        struct span s = span_of(text, ns_format(rows[i].t, text));
        ns_t back;

        print_message("%s\n", rows[i].why);
        assert_true(span_eq(s, span_str(rows[i].text)));
        assert_true(ns_parse(s, &back));
        assert_true(back == rows[i].t - rows[i].t % NS_PER_US);
    }
}

/* Each day to the end, and each day only once. */
static void
every_day(void **state)
{
    char last[NS_TEXT_MAX] = "";

    (void)state;
    for (uint64_t day = 0; day <= UINT64_MAX / NS_PER_S / 86400; day++) {
        char text[NS_TEXT_MAX];
        ns_t t = AT(day * 86400);
        ns_t back;

        assert_true(ns_parse(span_of(text, ns_format(t, text)), &back));
        assert_true(back == t);
        assert_true(memcmp(last, text, 10) < 0);
        memcpy(last, text, sizeof(text));
    }
}

static void
parses(void **state)
{
    static const struct {
        const char *why, *in;
        bool ok;
        ns_t want;
    } rows[] = {
        {"Z",                   "1970-01-01T00:00:01Z",            true,  AT(1)         },
        {"small z",             "1970-01-01T00:00:01z",            true,  AT(1)         },
        {"nine digits",         "1970-01-01T00:00:00.000000001Z",  true,  1             },
        {"one digit",           "1970-01-01T00:00:00.5Z",          true,  500000000     },
        {"ten digits",          "1970-01-01T00:00:00.0000000001Z", false, 0             },
        {"no digit",            "1970-01-01T00:00:00.Z",           false, 0             },
        {"zone with colon",     "1970-01-01T02:00:00+01:30",       true,  AT(1800)      },
        {"zone without",        "1970-01-01T02:00:00+0130",        true,  AT(1800)      },
        {"zone west",           "1970-01-01T00:00:00-01:00",       true,  AT(3600)      },
        {"before 1970 by zone", "1970-01-01T00:00:00+01:00",       false, 0             },
        {"zone of 24 hours",    "1970-01-02T00:00:00+24:00",       false, 0             },
        {"no zone",             "1970-01-01T00:00:00",             false, 0             },
        {"something behind",    "1970-01-01T00:00:00Z ",           false, 0             },
        {"leap second",         "1972-06-30T23:59:60Z",            true,  AT(78796800)  },
        {"second 61",           "1972-06-30T23:59:61Z",            false, 0             },
        {"30 February",         "2024-02-30T00:00:00Z",            false, 0             },
        {"29 February 2023",    "2023-02-29T00:00:00Z",            false, 0             },
        {"29 February 2024",    "2024-02-29T00:00:00Z",            true,  AT(1709164800)},
        {"29 February 2100",    "2100-02-29T00:00:00Z",            false, 0             },
        {"31 April",            "2024-04-31T00:00:00Z",            false, 0             },
        {"month 13",            "2024-13-01T00:00:00Z",            false, 0             },
        {"month 0",             "2024-00-01T00:00:00Z",            false, 0             },
        {"day 0",               "2024-01-00T00:00:00Z",            false, 0             },
        {"hour 24",             "2024-01-01T24:00:00Z",            false, 0             },
        {"1969",                "1969-12-31T23:59:59Z",            false, 0             },
        {"past ns_t",           "2554-07-21T23:34:34Z",            false, 0             },
        {"just past ns_t",      "2554-07-21T23:34:33.709551616Z",  false, 0             },
        {"end of ns_t",         "2554-07-21T23:34:33.709551615Z",  true,  UINT64_MAX    },
        {"9999",                "9999-12-31T23:59:59.999999+0000", false, 0             },
        {"signs for digits",    "+970-01-01T00:00:00Z",            false, 0             },
        {"blank for T",         "1970-01-01 00:00:00Z",            false, 0             },
        {"nothing",             "",                                false, 0             },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ns_t t = 77;

        print_message("%s\n", rows[i].why);
        assert_int_equal(ns_parse(span_str(rows[i].in), &t), rows[i].ok);
        assert_true(t == (rows[i].ok ? rows[i].want : 77));
    }
}

static void
every_cut_is_refused(void **state)
{
    struct span s = SPAN_LIT("2026-11-22T10:55:18.000001+0000");
    ns_t t;

    (void)state;
    for (size_t n = 0; n < s.n; n++)
        assert_false(ns_parse(span_head(s, n), &t));
    assert_true(ns_parse(s, &t));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times),
        cmocka_unit_test(every_day),
        cmocka_unit_test(parses),
        cmocka_unit_test(every_cut_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
