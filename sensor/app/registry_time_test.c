#include "sensor/app/registry_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

#define NOW (1000 * NS_PER_S)
#define H   (3600 * NS_PER_S)

/* clang-format off */
static const struct {
    const char *why, *in;
    bool good;
    ns_t want;
} reads[] = {
    {"a time", "1970-01-01T00:00:07Z", true, 7 * NS_PER_S},
    {"with a zone", "1970-01-01T02:00:07+02:00", true, 7 * NS_PER_S},
    {"a day", "1970-01-02", true, 24 * H},
    {"from now", "48h", true, NOW + 48 * H},
    {"minutes", "3m", true, NOW + 180 * NS_PER_S},
    {"days", "1d", true, NOW + 24 * H},
    {"no unit", "48", false, 0},
    {"no number", "h", false, 0},
    {"unknown unit", "3y", false, 0},
    {"negative", "-3h", false, 0},
    {"too long", "99999999999999999d", false, 0},
    {"past the end of time", "18446744073s", false, 0},
    {"no day of a calendar", "2026-02-29", false, 0},
    {"a leap day", "1972-02-29", true, 789 * 24 * H},
    {"words", "yesterday", false, 0},
    {"nothing", "", false, 0},
};

static const struct {
    const char *want;
    ns_t length;
} lengths[] = {
    {"0 m", 0},
    {"1 h 40 m", 100 * 60 * NS_PER_S},
    {"48 h 0 m", 48 * H},
    {"95 h 59 m", 96 * H - 1},
    {"4 d", 96 * H},
    {"10 d 5 h", 245 * H},
};
/* clang-format on */

static void
reads_times(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(reads); i++) {
        ns_t got = 0;
        bool good = registry_time_read(span_str(reads[i].in), NOW, &got);

        if (good != reads[i].good || (good && got != reads[i].want))
            fail_msg("%s: %d, %llu", reads[i].why, good,
                     (unsigned long long)got);
    }
}

/* clang-format off */
static const struct {
    const char *why, *in;
    bool good;
    ns_t want;
} sinces[] = {
    {"so long ago", "3m", true, NOW - 180 * NS_PER_S},
    {"since 1970 to the second", "1000s", true, 0},
    {"before 1970", "1001s", true, 0},
    {"nothing ago", "0s", true, NOW},
    {"a time", "1970-01-01T00:00:07Z", true, 7 * NS_PER_S},
    {"a time ahead stays ahead", "1970-01-01T00:20:00Z", true, 1200 * NS_PER_S},
    {"a day ahead stays ahead", "1970-01-02", true, 24 * H},
    {"words", "yesterday", false, 0},
};
/* clang-format on */

static void
reads_since(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sinces); i++) {
        ns_t got = 0;
        bool good = registry_time_since(span_str(sinces[i].in), NOW, &got);

        if (good != sinces[i].good || (good && got != sinces[i].want))
            fail_msg("%s: %d, %llu", sinces[i].why, good,
                     (unsigned long long)got);
    }
}

static void
tells_lengths(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 64);
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        buf_reset(&out);
        registry_time_length(lengths[i].length, &out);
        if (!span_eq(buf_view(&out), span_str(lengths[i].want)))
            fail_msg("%s: %.*s", lengths[i].want, (int)out.n,
                     (const char *)out.p);
    }
    buf_free(&out);
}

/* Local only where people look; across a change of the clock. */
static void
shows_local_times(void **state)
{
    struct buf out;

    (void)state;
    (void)setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
    buf_init(&out, 256);
    registry_time_show(1795338720 * NS_PER_S, false, &out);
    buf_putc(&out, '|');
    registry_time_show(1782119520 * NS_PER_S, false, &out);
    buf_putc(&out, '|');
    registry_time_show(1782119520 * NS_PER_S, true, &out);
    buf_putc(&out, '|');
    registry_time_utc(1782119520 * NS_PER_S, &out);
    buf_putc(&out, 0);
    assert_string_equal((const char *)out.p,
                        "2026-11-22 10:12 +0100|2026-06-22 11:12 +0200|"
                        "2026-06-22 09:12 UTC|2026-06-22T09:12:00Z");
    buf_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_times),
        cmocka_unit_test(reads_since),
        cmocka_unit_test(tells_lengths),
        cmocka_unit_test(shows_local_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
