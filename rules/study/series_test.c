#include "rules/study/series.h"

#include "rules/study/reference_kit.h"

#include <stdlib.h>
#include <string.h>

#define FIRST 20454 /* 2026-01-01, a Thursday */
#define DAYS  80

struct made {
    struct series_day v[DAYS];
    size_t n;
    struct series_options o;
};

/* As tests/study_reference.py makes them. */
static const struct shape {
    unsigned before, after, between;
    enum series_scale scale;
    bool weekdays;
    size_t lag;
} shapes[] = {
    {20, 20, 0,  SERIES_LOG,    false, 3},
    {28, 28, 0,  SERIES_COUNTS, true,  7},
    {8,  9,  5,  SERIES_LOG,    false, 0},
    {30, 16, 12, SERIES_LOG,    true,  3},
};

static void
make(size_t which, struct made *m)
{
    static const int64_t week[] = {0, 5, 9, 4, -3, -30, -35};
    const struct shape *s = &shapes[which];
    const int64_t cut = s->before + s->between;
    uint64_t state = which + 1;

    m->n = 0;
    m->o = (struct series_options){FIRST + cut, 0.95, s->scale, s->weekdays,
                                   s->lag};
    for (int64_t i = 0; i < cut + s->after; i++) {
        int64_t count;

        state = (state * 1103515245 + 12345) % (UINT64_C(1) << 31);
        count = 60 + i / 2 + (int64_t)(state >> 16) % 40 +
                week[(FIRST + i + 3) % 7];
        if (i >= cut)
            count = count * 6 / 10;
        if (i < s->before || i >= cut)
            m->v[m->n++] = (struct series_day){FIRST + i, (double)count};
    }
}

static const struct series_term *
term_of(const struct series_fitted *f, double which)
{
    const struct series_term *const terms[] = {
        &f->level, &f->trend, &f->level_change, &f->trend_change,
        &f->mean_change};

    return terms[(size_t)which];
}

static void
run(size_t which, struct series *out)
{
    struct made m;

    make(which, &m);
    assert_int_equal(series_of(m.v, m.n, &m.o, out), SERIES_FINE);
    assert_int_equal(out->before, shapes[which].before);
    assert_int_equal(out->after, shapes[which].after);
    assert_int_equal(out->lag, shapes[which].lag);
    assert_true(out->weekdays == shapes[which].weekdays);
}

static bool
compute_newey_west(const struct reference_row *r, double *got)
{
    struct series s;

    if (r->what != NEWEY_WEST && r->what != NEWEY_WEST_ERROR &&
        r->what != NEWEY_WEST_LOW)
        return false;
    run((size_t)r->a, &s);
    *got = r->what == NEWEY_WEST ? term_of(&s.newey_west, r->b)->value
           : r->what == NEWEY_WEST_ERROR
               ? term_of(&s.newey_west, r->b)->error
               : term_of(&s.newey_west, r->b)->interval.low;
    return true;
}

static bool
compute_ar1(const struct reference_row *r, double *got)
{
    struct series s;

    if (r->what != AR1 && r->what != AR1_ERROR && r->what != AR1_RHO)
        return false;
    run((size_t)r->a, &s);
    *got = r->what == AR1_RHO ? s.rho
           : r->what == AR1   ? term_of(&s.ar1, r->b)->value
                              : term_of(&s.ar1, r->b)->error;
    return true;
}

/* rho is where a hill is flat: the other program finds it to 1e-7 or so. */
static void
as_statsmodels_has_them(void **state)
{
    (void)state;
    reference_check(compute_newey_west, 1e-9, 60);
    reference_check(compute_ar1, 2e-5, 44);
}

/* Two lines without noise to speak of give themselves back. */
static void
two_lines(void **state)
{
    const struct series_options o = {FIRST + 10, 0.95, SERIES_COUNTS, false,
                                     SERIES_LAG_DEFAULT};
    struct series_day v[20];
    struct series s;

    (void)state;
    for (int64_t i = 0; i < 20; i++)
        v[i] = (struct series_day){
            FIRST + i, (i < 10 ? 100.0 + 2 * (double)i : 50 + (double)i) +
                           (i % 2 > 0 ? 1e-4 : 0)};
    assert_int_equal(series_of(v, 20, &o, &s), SERIES_FINE);
    assert_true(fabs(s.ar1.level.value - 120) < 1e-2);
    assert_true(fabs(s.ar1.trend.value - 2) < 1e-3);
    assert_true(fabs(s.ar1.level_change.value + 60) < 1e-2);
    assert_true(fabs(s.newey_west.trend_change.value + 1) < 1e-3);
    assert_true(fabs(s.newey_west.mean_change.value + 64.5) < 1e-2);
    assert_int_equal(s.lag, 2);
    assert_true(s.newey_west.df == 16 && s.ar1.df <= 16);
}

static void
factors(void **state)
{
    const struct series_term t = {
        log(0.5), 0.1, {log(0.25), log(1)}
    };
    const struct series_term f = series_factor(&t);

    (void)state;
    assert_true(fabs(f.value - 0.5) < 1e-12 && fabs(f.error - 0.05) < 1e-12);
    assert_true(fabs(f.interval.low - 0.25) < 1e-12 && f.interval.high == 1);
}

static void
which_scale(void **state)
{
    struct made m;

    (void)state;
    make(0, &m);
    assert_int_equal(series_scale(m.v, m.n, m.o.cut), SERIES_LOG);
    for (size_t i = 20; i < m.n; i++)
        m.v[i].count = 4.9;
    assert_int_equal(series_scale(m.v, m.n, m.o.cut), SERIES_COUNTS);
}

/* One large mailing right at the cut makes the change of level. */
static void
one_big_day(void **state)
{
    struct made m;
    struct series s;

    (void)state;
    make(0, &m);
    assert_int_equal(series_of(m.v, m.n, &m.o, &s), SERIES_FINE);
    assert_false(s.one_day);
    m.v[20].count = 100000;
    assert_int_equal(series_of(m.v, m.n, &m.o, &s), SERIES_FINE);
    assert_true(s.one_day && s.which == FIRST + 20);
    assert_true(s.ar1.mean_change.value > s.without.interval.high);
    for (size_t i = 0; i < m.n; i++)
        m.v[i].count = i == 20 ? 9 : 7;
    assert_int_equal(series_of(m.v, m.n, &m.o, &s), SERIES_FINE);
    assert_true(s.one_day && s.which == FIRST + 20);
}

/* Without a Monday there is no column for Mondays. */
static void
a_weekday_is_missing(void **state)
{
    struct made m;
    struct series s;
    size_t n = 0;

    (void)state;
    make(1, &m);
    for (size_t i = 0; i < m.n; i++) {
        if ((m.v[i].day + 3) % 7 != 0)
            m.v[n++] = m.v[i];
    }
    assert_int_equal(series_of(m.v, n, &m.o, &s), SERIES_FINE);
    assert_false(s.weekdays);
}

static void
what_is_refused(void **state)
{
    struct made m;
    struct series s;

    (void)state;
    make(2, &m);
    assert_int_equal(series_of(m.v, m.n, &m.o, &s), SERIES_FINE);
    assert_int_equal(series_of(m.v + 1, m.n - 1, &m.o, &s), SERIES_FEW_DAYS);
    assert_int_equal(series_of(m.v, 15, &m.o, &s), SERIES_FEW_DAYS);
    assert_int_equal(series_of(m.v, 16, &m.o, &s), SERIES_FINE);
    assert_int_equal(series_of(m.v, 0, &m.o, &s), SERIES_FEW_DAYS);
    m.o.cut += 3;
    for (size_t i = 8; i < m.n; i++)
        m.v[i].day += 3; /* eight days before, eight between */
    assert_int_equal(series_of(m.v, m.n, &m.o, &s), SERIES_FINE);
    for (size_t i = 8; i < m.n; i++)
        m.v[i].day += 1;
    assert_int_equal(series_of(m.v, m.n, &m.o, &s), SERIES_FAR_APART);
    make(2, &m);
    m.v[4].day = m.v[3].day;
    assert_int_equal(series_of(m.v, m.n, &m.o, &s), SERIES_NO_DAYS);
    make(2, &m);
    m.v[4].count = NAN;
    assert_int_equal(series_of(m.v, m.n, &m.o, &s), SERIES_NO_DAYS);
    make(2, &m);
    m.v[0].day = INT64_MIN;
    assert_int_equal(series_of(m.v, m.n, &m.o, &s), SERIES_NO_DAYS);
    make(2, &m);
    for (size_t i = 0; i < m.n; i++)
        m.v[i].count = 7;
    assert_int_equal(series_of(m.v, m.n, &m.o, &s), SERIES_NOTHING_VARIES);
    for (size_t i = 0; i < m.n; i++)
        m.v[i].count = 0;
    assert_int_equal(series_of(m.v, m.n, &m.o, &s), SERIES_NOTHING_VARIES);
    m.o.level = 1;
    assert_int_equal(series_of(m.v, m.n, &m.o, &s), SERIES_NO_DAYS);
    assert_string_equal(series_why_text(SERIES_FINE), "");
    assert_true(strlen(series_why_text(SERIES_NO_MEMORY)) > 0);
}

/* The largest that are taken, and one more. */
static void
many_days(void **state)
{
    const struct series_options o = {2000, 0.95, SERIES_LOG, true,
                                     SERIES_LAG_DEFAULT};
    struct series_day *v = calloc(SERIES_DAYS_MAX + 1, sizeof(*v));
    struct series s;

    (void)state;
    assert_non_null(v);
    for (size_t i = 0; i <= SERIES_DAYS_MAX; i++)
        v[i] = (struct series_day){(int64_t)i, (double)(i * i % 1009)};
    assert_int_equal(series_of(v, SERIES_DAYS_MAX, &o, &s), SERIES_FINE);
    assert_true(s.weekdays && isfinite(s.ar1.mean_change.error));
    assert_int_equal(series_of(v, SERIES_DAYS_MAX + 1, &o, &s),
                     SERIES_TOO_MANY);
    free(v);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_statsmodels_has_them),
        cmocka_unit_test(two_lines),
        cmocka_unit_test(factors),
        cmocka_unit_test(which_scale),
        cmocka_unit_test(one_big_day),
        cmocka_unit_test(a_weekday_is_missing),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(many_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
