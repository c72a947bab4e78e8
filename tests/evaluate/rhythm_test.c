/* When senders send: by a calendar, by a clock, by people's day. */
#include "tests/evaluate/rhythm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

#define HOUR (3600 * NS_PER_S)
#define DAY  (24 * HOUR)

static ns_t
at(const char *text)
{
    ns_t t;

    assert_true(ns_parse(span_str(text), &t));
    return t;
}

static void
days_are_those_of_the_calendar(void **state)
{
    static const struct {
        const char *when;
        unsigned day;
    } rows[] = {
        {"1970-01-01T00:00:00.0Z", 1 },
        {"2026-11-30T23:59:59.9Z", 30},
        {"2026-12-01T00:00:00.0Z", 1 },
        {"2028-02-29T12:00:00.0Z", 29},
        {"2100-02-28T12:00:00.0Z", 28},
        {"2100-03-01T00:00:00.0Z", 1 },
        {"2027-01-01T00:00:00.0Z", 1 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rhythm_day_of_month(at(rows[i].when)) != rows[i].day)
            fail_msg("%s: %u", rows[i].when,
                     rhythm_day_of_month(at(rows[i].when)));
    }
}

static void
clocks_keep_their_time(void **state)
{
    static const struct {
        enum rhythm rhythm;
        double days, most;
    } rows[] = {
        {RHYTHM_DAILY,   1,  1 },
        {RHYTHM_WEEKLY,  7,  7 },
        {RHYTHM_MONTHLY, 28, 31},
    };

    (void)state;
    for (uint64_t phase = 0; phase < 200; phase++) {
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            const struct rhythm_of o = {.rhythm = rows[i].rhythm,
                                        .phase = phase};
            struct rng r;
            ns_t before = 0, t = at("2026-11-09T00:00:00.0Z");

            rng_seed(&r, 1, phase);
            for (unsigned n = 0; n < 20; n++) {
                t = rhythm_next(&r, &o, t);
                if (before != 0) {
                    assert_true(t - before >=
                                (ns_t)(rows[i].days * DAY) - HOUR);
                    assert_true(t - before <=
                                (ns_t)(rows[i].most * DAY) + HOUR);
                }
                before = t;
            }
        }
    }
}

/* As many a week as the rate says, most of them in office hours. */
static void
people_work_by_day(void **state)
{
    const struct rhythm_of o = {.rhythm = RHYTHM_DAY, .mean_s = 360};
    const ns_t from = at("2026-11-02T00:00:00.0Z");
    uint64_t n = 0, night = 0, weekend = 0;
    struct rng r;

    (void)state;
    rng_seed(&r, 7, 7);
    for (ns_t t = from; t < from + 21 * DAY; t = rhythm_next(&r, &o, t)) {
        n++;
        night += t / HOUR % 24 < 6;
        weekend += (t - from) / DAY % 7 >= 5;
    }
    assert_in_range(n, 4700, 5400); /* 10 an hour for three weeks: 5,040 */
    assert_in_range(night * 100 / n, 4, 9);
    assert_in_range(weekend * 100 / n, 8, 14);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_those_of_the_calendar),
        cmocka_unit_test(clocks_keep_their_time),
        cmocka_unit_test(people_work_by_day),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
