#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "rules/registry/clock.h"
#include "sensor/base/attr.h"

#define H CLOCK_HOURS

static ns_t
at(const char *text)
{
    ns_t t = 0;

    assert_true(ns_parse(span_str(text), &t));
    return t;
}

static struct clock
started(ns_t when)
{
    struct clock c = {0};

    clock_start(&c, when);
    return c;
}

/* ---- elapsed time is elapsed time ---- */

static void
test_days(void **state)
{
    static const struct {
        const char *why, *from, *to;
    } rows[] = {
        {"two plain days",                           "2026-11-18T09:00:00Z",      "2026-11-20T09:00:00Z"},
        {"a week-end",                               "2026-11-20T17:00:00Z",      "2026-11-22T17:00:00Z"},
        {"summer time ends in Europe",               "2026-10-24T12:00:00+02:00",
         "2026-10-26T11:00:00+01:00"                                                                    },
        {"summer time begins in Europe",             "2026-03-28T12:00:00+01:00",
         "2026-03-30T13:00:00+02:00"                                                                    },
        {"summer time ends in America",              "2026-10-31T12:00:00-05:00",
         "2026-11-02T11:00:00-06:00"                                                                    },
        {"the leap day",                             "2028-02-28T12:00:00Z",      "2028-03-01T12:00:00Z"},
        {"no leap day",                              "2027-02-28T12:00:00Z",      "2027-03-02T12:00:00Z"},
        {"a century without one",                    "2100-02-27T12:00:00Z",
         "2100-03-01T12:00:00Z"                                                                         },
        {"the turn of the year",                     "2026-12-30T23:59:59Z",
         "2027-01-01T23:59:59Z"                                                                         },
        {"the last leap second: days have 86,400 s", "2016-12-30T00:00:00Z",
         "2017-01-01T00:00:00Z"                                                                         },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct clock c = started(at(rows[i].from));
        ns_t end = at(rows[i].to);

        if (clock_due(&c) != end || clock_net(&c, end) != CLOCK_LIMIT ||
            clock_total(&c, end) != CLOCK_LIMIT ||
            clock_mark_at(&c, end - 1) != CLOCK_LAST ||
            clock_mark_at(&c, end) != CLOCK_OVERDUE)
            fail_msg("%s", rows[i].why);
    }
}

/* ---- what happens, hour by hour ---- */

/* s start, p pause, x stop, at the hours given; then what is known at hour
 * `now`. */
static const struct {
    const char *why, *what;
    unsigned hours[8];
    unsigned now, net, total, due;
    enum clock_state state;
    enum clock_mark mark;
} walks[] = {
    {"never started",                            "",   {0},               90,  0,  0,  0,   CLOCK_IDLE,    CLOCK_QUIET  },
    {"runs",                                     "s",  {1},               6,   5,  5,  49,  CLOCK_RUNNING, CLOCK_QUIET  },
    {"35 h",                                     "s",  {1},               36,  35, 35, 49,  CLOCK_RUNNING, CLOCK_QUIET  },
    {"36 h",                                     "s",  {1},               37,  36, 36, 49,  CLOCK_RUNNING, CLOCK_SOON   },
    {"43 h",                                     "s",  {1},               44,  43, 43, 49,  CLOCK_RUNNING, CLOCK_SOON   },
    {"44 h",                                     "s",  {1},               45,  44, 44, 49,  CLOCK_RUNNING, CLOCK_LAST   },
    {"47 h",                                     "s",  {1},               48,  47, 47, 49,  CLOCK_RUNNING, CLOCK_LAST   },
    {"48 h",                                     "s",  {1},               49,  48, 48, 49,  CLOCK_RUNNING, CLOCK_OVERDUE},
    {"asked before it began",
     "s",                                              {10},
     5,                                                                        0,
     0,                                                                                58,
     CLOCK_RUNNING,                                                                                        CLOCK_QUIET  },
    {"start again has no effect",
     "ss",                                             {1, 5},
     6,                                                                        5,
     5,                                                                                49,
     CLOCK_RUNNING,                                                                                        CLOCK_QUIET  },
    {"returned",                                 "sp", {1, 11},           100, 10, 99, 0,   CLOCK_PAUSED,  CLOCK_QUIET  },
    {"returned twice over",
     "spp",                                            {1, 11, 20},
     100,                                                                      10,
     99,                                                                               0,
     CLOCK_PAUSED,                                                                                         CLOCK_QUIET  },
    {"resubmitted",
     "sps",                                            {1, 11, 101},
     102,                                                                      11,
     101,                                                                              139,
     CLOCK_RUNNING,                                                                                        CLOCK_QUIET  },
    {"and returned again",
     "spsp",                                           {1, 11, 101, 131},
     200,                                                                      40,
     199,                                                                              0,
     CLOCK_PAUSED,                                                                                         CLOCK_SOON   },
    {"late when returned: late when it goes on",
     "sps",                                            {1, 61, 70},
     71,                                                                       61,
     70,                                                                               70,
     CLOCK_RUNNING,                                                                                        CLOCK_OVERDUE},
    {"entered",                                  "sx", {1, 11},           100, 10, 10, 0,   CLOCK_STOPPED, CLOCK_QUIET  },
    {"entered late keeps its mark",
     "sx",                                             {1, 50},
     100,                                                                      49,
     49,                                                                               0,
     CLOCK_STOPPED,                                                                                        CLOCK_OVERDUE},
    {"ends while returned",
     "spx",                                            {1, 11, 20},
     100,                                                                      10,
     19,                                                                               0,
     CLOCK_STOPPED,                                                                                        CLOCK_QUIET  },
    {"stopped twice",
     "sxx",                                            {1, 11, 20},
     100,                                                                      10,
     10,                                                                               0,
     CLOCK_STOPPED,                                                                                        CLOCK_QUIET  },
    {"lost from the list: anew",
     "sxs",                                            {1, 11, 100},
     105,                                                                      5,
     5,                                                                                148,
     CLOCK_RUNNING,                                                                                        CLOCK_QUIET  },
    {"pause of what does not run",
     "p",                                              {5},
     100,                                                                      0,
     0,                                                                                0,
     CLOCK_IDLE,                                                                                           CLOCK_QUIET  },
    {"stop of what does not run",
     "x",                                              {5},
     100,                                                                      0,
     0,                                                                                0,
     CLOCK_IDLE,                                                                                           CLOCK_QUIET  },
    {"pause of what stopped",
     "sxp",                                            {1, 11, 12},
     100,                                                                      10,
     10,                                                                               0,
     CLOCK_STOPPED,                                                                                        CLOCK_QUIET  },
    {"time goes back at a pause",
     "sp",                                             {10, 5},
     100,                                                                      0,
     90,                                                                               0,
     CLOCK_PAUSED,                                                                                         CLOCK_QUIET  },
    {"time goes back at a resume",
     "sps",                                            {10, 20, 15},
     21,                                                                       11,
     11,                                                                               58,
     CLOCK_RUNNING,                                                                                        CLOCK_QUIET  },
    {"time goes back at a stop",
     "sx",                                             {10, 5},
     100,                                                                      0,
     0,                                                                                0,
     CLOCK_STOPPED,                                                                                        CLOCK_QUIET  },
    {"time goes back at a new start",
     "sxs",                                            {10, 20, 15},
     21,                                                                       1,
     1,                                                                                68,
     CLOCK_RUNNING,                                                                                        CLOCK_QUIET  },
};

static void
walk(struct clock *c, const char *what, const unsigned *hours)
{
    for (size_t i = 0; what[i] != '\0'; i++) {
        switch (what[i]) {
        case 's': clock_start(c, hours[i] * H); break;
        case 'p': clock_pause(c, hours[i] * H); break;
        case 'x': clock_stop(c, hours[i] * H); break;
        }
    }
}

static void
test_walks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(walks); i++) {
        struct clock c = {0};
        ns_t now = walks[i].now * H;

        walk(&c, walks[i].what, walks[i].hours);
        if (c.state != walks[i].state ||
            clock_net(&c, now) != walks[i].net * H ||
            clock_total(&c, now) != walks[i].total * H ||
            clock_due(&c) != walks[i].due * H ||
            clock_mark_at(&c, now) != walks[i].mark)
            fail_msg("%s: state %u, net %u h, total %u h, due %u h, %s",
                     walks[i].why, c.state, (unsigned)(clock_net(&c, now) / H),
                     (unsigned)(clock_total(&c, now) / H),
                     (unsigned)(clock_due(&c) / H),
                     clock_word(clock_mark_at(&c, now)));
    }
}

static void
test_marks(void **state)
{
    struct clock c = started(H);

    (void)state;
    assert_int_equal(clock_mark_at(&c, 37 * H - 1), CLOCK_QUIET);
    assert_int_equal(clock_mark_at(&c, 37 * H), CLOCK_SOON);
    assert_int_equal(clock_mark_at(&c, 45 * H - 1), CLOCK_SOON);
    assert_int_equal(clock_mark_at(&c, 45 * H), CLOCK_LAST);
    assert_int_equal(clock_mark_at(&c, 49 * H - 1), CLOCK_LAST);
    assert_int_equal(clock_mark_at(&c, 49 * H), CLOCK_OVERDUE);
    assert_int_equal(clock_mark_at(&c, UINT64_MAX), CLOCK_OVERDUE);
    assert_string_equal(clock_word(CLOCK_QUIET), "in time");
    assert_string_equal(clock_word(CLOCK_OVERDUE), "overdue");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),
        cmocka_unit_test(test_walks),
        cmocka_unit_test(test_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
