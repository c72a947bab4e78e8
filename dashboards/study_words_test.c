#include "dashboards/study_words.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
assert_text(struct buf *b, const char *why, const char *want)
{
    if (!span_eq(buf_view(b), span_str(want)))
        fail_msg("%s: \"%.*s\", not \"%s\"", why, (int)b->n, b->p, want);
    buf_reset(b);
}

static void
rates(void **state)
{
    static const struct study_figure sure = {.low = 0.774, .high = 0.967};
    static const struct study_figure none = {.low = 0, .high = 0.0254};
    static const struct study_figure open = {.low = (double)NAN,
                                             .high = (double)NAN};
    static const struct {
        const char *why;
        uint32_t few;
        uint64_t k, n;
        const struct study_figure *f;
        const char *want;
    } rows[] = {
  /* clang-format off */
        {"a share with its interval", 0, 31, 34, &sure,
         "91.2 %; in other weeks 77.4 to 96.7 %"},
        {"zero is not nought", 0, 0, 150, &none,
         "none seen; up to 2.5 % would be compatible"},
        {"29 are too few", 0, 3, 29, &sure, "fewer than 30: not rated"},
        {"30 are enough", 0, 3, 30, &open, "10 %"},
        {"no interval is known", 0, 15, 150, &open, "10 %"},
        {"no figure at all", 0, 0, 150, NULL, "0 %"},
        {"nobody", 0, 0, 0, NULL, "fewer than 30: not rated"},
        {"rounded for sharing", 5, 4, 150, &sure, "too few to be told"},
        {"not rounded", 5, 5, 150, NULL, "3.3 %"},
  /* clang-format on */
    };
    struct buf b;

    (void)state;
    buf_init(&b, 256);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        study_put_rate(&b, rows[i].few, rows[i].k, rows[i].n, rows[i].f);
        assert_text(&b, rows[i].why, rows[i].want);
    }
    buf_free(&b);
}

static void
numbers(void **state)
{
    static const struct {
        double v;
        const char *share, *real, *seconds;
    } rows[] = {
  /* clang-format off */
        {0, "0 %", "0", "0 s"},
        {1, "100 %", "1", "1 s"},
        {0.004, "0.4 %", "0.004", "under 1 s"},
        {0.0001, "<0.1 %", "0.0001", "under 1 s"},
        {0.9999, ">99.9 %", "1.00", "under 1 s"},
        {0.31, "31 %", "0.31", "under 1 s"},
        {14.52, "100 %", "14.5", "14 s"},
        {5246.2, "100 %", "5,246", "1 h 27 m"},
        {-3, "0 %", "-3", "0 s"},
        {1e300, "100 %", "18,446,744,073,709,551,615", "213503 d 23 h"},
        {(double)NAN, "not known", "not known", "not known"},
        {(double)INFINITY, "100 %", "never", "not reached"},
  /* clang-format on */
    };
    struct buf b;

    (void)state;
    buf_init(&b, 256);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        study_put_share(&b, rows[i].v);
        assert_text(&b, "share", rows[i].share);
        study_put_real(&b, rows[i].v, "never");
        assert_text(&b, "number", rows[i].real);
        study_put_seconds(&b, rows[i].v);
        assert_text(&b, "time", rows[i].seconds);
    }
    buf_free(&b);
}

static void
ranges(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 256);
    study_put_range(&b, 3, 17);
    assert_text(&b, "two", "3 to 17");
    study_put_range(&b, 17, 17);
    assert_text(&b, "one", "17");
    study_put_range(&b, 17, 3);
    assert_text(&b, "the wrong way about", "17");
    study_put_least_most(&b, 3, 17);
    assert_text(&b, "two", "at least 3, at most 17");
    study_put_least_most(&b, 0, 17);
    assert_text(&b, "none at least", "at most 17");
    study_put_least_most(&b, 0, 0);
    assert_text(&b, "none", "0");
    buf_free(&b);
}

static void
hosts(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 256);
    study_put_hosts(&b, 0, 4);
    assert_text(&b, "exact", "4");
    study_put_hosts(&b, 5, 4);
    assert_text(&b, "few", "fewer than 5");
    study_put_hosts(&b, 5, 0);
    assert_text(&b, "none", "0");
    study_count_hosts(&b, 5, 4, "host", NULL);
    assert_text(&b, "few with a noun", "fewer than 5 hosts");
    study_count_hosts(&b, 0, 1, "host that is", "hosts that are");
    assert_text(&b, "one", "1 host that is");
    study_put_date(&b, UINT64_C(1799625600) * NS_PER_S);
    assert_text(&b, "a date", "2027-01-11");
    study_put_date(&b, 0);
    assert_text(&b, "no date", "no date");
    buf_free(&b);
}

static void
figures(void **state)
{
    static const struct study_figure f = {
        .value = 0.31, .low = 0.2, .high = 0.44};
    static const struct study_figure alone = {
        .value = 0.31, .low = (double)NAN, .high = (double)NAN};
    static const struct study_figure none = {.value = (double)NAN};
    struct buf b;

    (void)state;
    buf_init(&b, 256);
    study_put_figure(&b, &f, true);
    assert_text(&b, "share", "31 % (20.0 to 44.0 %)");
    study_put_figure(&b, &f, false);
    assert_text(&b, "number", "0.31 (0.20 to 0.44)");
    study_put_figure(&b, &alone, true);
    assert_text(&b, "without", "31 %");
    study_put_figure(&b, &none, true);
    assert_text(&b, "not known", "not known");
    buf_free(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates),   cmocka_unit_test(numbers),
        cmocka_unit_test(ranges),  cmocka_unit_test(hosts),
        cmocka_unit_test(figures),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
