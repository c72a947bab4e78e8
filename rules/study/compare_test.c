#include "rules/study/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/study/random.h"

#define DAY_NS (UINT64_C(86400) * NS_PER_S)
#define FIRST  UINT64_C(20727) /* 2026-10-01 */
#define DAYS   28U

/* Two studies of four weeks, the second right behind the first. */
struct pair {
    struct study_result a, b;
    struct study_day days_a[DAYS], days_b[DAYS];
    struct study_hour hours[24 * DAYS];
    struct study_policy p[2], q[2];
    struct study_share shares[2];
};

static void
fill_days(struct study_day *v, ns_t from, double share, uint64_t *random)
{
    for (unsigned i = 0; i < DAYS; i++) {
        const uint64_t noise = random_below(random, 40);

        v[i] = (struct study_day){
            .begin = from + i * DAY_NS,
            .messages = 1000 + 5 * noise,
            .bad = (uint64_t)(share * (double)(200 + noise)),
            .class_a = noise / 20,
            .senders = 50,
            .attempts_blocked = share < 1 ? 300 + 10 * noise : 0,
        };
    }
}

static struct pair *
make(void)
{
    struct pair *t = calloc(1, sizeof(*t));
    uint64_t random = 3;

    assert_non_null(t);
    t->a = t->b = (struct study_result){.rules_hash = "r",
                                        .config_hash = "c",
                                        .version = "1",
                                        .sensors = "s",
                                        .loss = 0.01,
                                        .sessions = 1000,
                                        .sessions_tls = 100};
    t->a.from = FIRST * DAY_NS;
    t->a.to = t->b.from = t->a.from + DAYS * DAY_NS;
    t->b.to = t->b.from + DAYS * DAY_NS;
    fill_days(t->days_a, t->a.from, 1, &random);
    fill_days(t->days_b, t->b.from, 0.3, &random);
    t->a.days = t->days_a;
    t->b.days = t->days_b;
    t->a.n_days = t->b.n_days = DAYS;
    for (unsigned i = 0; i < 24 * DAYS; i++)
        t->hours[i] = (struct study_hour){
            .begin = t->a.from + i * (DAY_NS / 24), .covered_s = 3600};
    t->a.hours = t->hours;
    t->a.n_hours = 24 * DAYS;
    return t;
}

static struct compare
run(const struct pair *t)
{
    struct compare c;

    assert_int_equal(compare_of(&t->a, &t->b, &c), ERR_OK);
    return c;
}

static bool
has_note(const struct compare *c, enum compare_note n)
{
    return (c->notes >> n & 1) != 0;
}

static void
series(void **state)
{
    struct pair *t = make();
    struct compare c = run(t);
    const struct compare_line *bad = &c.lines[COMPARE_BAD];
    const struct compare_line *mail = &c.lines[COMPARE_MESSAGES];
    const struct compare_line *tries = &c.lines[COMPARE_ATTEMPTS_BLOCKED];
    struct series_term factor;

    (void)state;
    assert_int_equal(c.why, COMPARE_FINE);
    assert_true(c.days_before == DAYS && c.days_after == DAYS);
    assert_true(c.cut == FIRST + DAYS && !c.effective && c.days_left_out == 0);
    assert_true(bad->why == SERIES_FINE && bad->s.scale == SERIES_LOG);
    factor = series_factor(&bad->s.ar1.mean_change);
    assert_true(factor.interval.low < 0.3 && factor.interval.high > 0.28);
    assert_true(factor.interval.high < 0.4);
    factor = series_factor(&mail->s.ar1.mean_change);
    assert_true(factor.interval.low < 1 && factor.interval.high > 1);
    assert_int_equal(c.lines[COMPARE_SENDERS].why, SERIES_NOTHING_VARIES);
    assert_true(c.lines[COMPARE_SENDERS].mean_after == 50);
    assert_true(tries->s.scale == SERIES_COUNTS && tries->mean_before == 0);
    assert_true(tries->s.ar1.mean_change.interval.low > 400);
    compare_free(&c);
    free(t);
}

/* The exact Poisson interval, and the wider one of days that vary more. */
static void
residual(void **state)
{
    struct pair *t = make();
    struct compare c;
    struct interval i;

    (void)state;
    for (unsigned k = 0; k < DAYS; k++)
        t->days_b[k].attempts_blocked = 10;
    c = run(t);
    assert_true(share_rate(280, 28, 0.95, &i));
    assert_true(c.residual.value == 10 && c.residual.k == 280);
    assert_true(fabs(c.residual.low - i.low) < 1e-9);
    assert_true(fabs(c.residual.high - i.high) < 1e-9 && c.spread == 0);
    compare_free(&c);
    for (unsigned k = 0; k < DAYS; k++)
        t->days_b[k].attempts_blocked = k % 2 != 0 ? 20 : 0;
    c = run(t);
    assert_true(share_rate(280 / c.spread, 28 / c.spread, 0.95, &i));
    assert_true(c.spread > 10 && fabs(c.residual.low - i.low) < 1e-9);
    assert_true(c.residual.value == 10 && c.residual.high > 14);
    compare_free(&c);
    free(t);
}

/* Where it took force, when that lies within the second window. */
static void
cuts(void **state)
{
    struct pair *t = make();
    struct compare c;

    (void)state;
    t->b.effective = t->b.from + 9 * DAY_NS + 5;
    c = run(t);
    assert_true(c.effective && c.cut == FIRST + DAYS + 9);
    assert_true(c.days_before == DAYS + 9 && c.days_after == DAYS - 9);
    compare_free(&c);
    t->b.effective = t->b.to;
    t->a.effective = t->b.from + 3 * DAY_NS;
    c = run(t);
    assert_true(c.effective && c.cut == FIRST + DAYS + 3);
    compare_free(&c);
    t->a.effective = t->a.from;
    c = run(t);
    assert_true(!c.effective && c.cut == FIRST + DAYS);
    compare_free(&c);
    free(t);
}

/* Days in part, with gaps, out of order. */
static void
days_left_out(void **state)
{
    struct pair *t = make();
    struct compare c;

    (void)state;
    t->a.from += 1;        /* the first day */
    t->b.to -= DAY_NS / 2; /* the last one */
    t->hours[24 * 5].covered_s = t->hours[24 * 5 + 1].covered_s = 3239;
    t->hours[24 * 6].covered_s = t->hours[24 * 6 + 1].covered_s = 3239;
    t->hours[24 * 6 + 2].refused = true;
    t->hours[24 * 7].covered_s = -1;
    t->days_b[20].begin = t->days_b[19].begin;
    c = run(t);
    assert_int_equal(c.days_left_out, 4);
    assert_int_equal(c.days_before, DAYS - 2);
    assert_int_equal(c.days_after, DAYS - 2);
    compare_free(&c);
    free(t);
}

static void
figures(void **state)
{
    struct pair *t = make();
    struct compare c;
    const struct compare_figure *f = NULL, *bots = NULL;

    (void)state;
    t->p[0] = (struct study_policy){
        .name = "P4",
        .kind = "detector",
        .terms = "as usual",
        .right = {40, 50, 0.8, 0.7, 0.9, "Wilson"},
        .wrong = {0,  50, NAN, NAN, NAN, NULL    }
    };
    t->q[0] = t->p[0];
    t->q[0].right = (struct study_figure){30, 50, 0.6, 0.5, 0.7, "Wilson"};
    t->p[1] = (struct study_policy){.name = "P5", .terms = "7 days"};
    t->q[1] = (struct study_policy){.name = "P5", .terms = "9 days"};
    t->a.policies = t->p;
    t->b.policies = t->q;
    t->a.n_policies = t->b.n_policies = 2;
    t->b.cells[STUDY_BOT][0].hosts = 4;
    t->b.cells[STUDY_BOT][1].hosts = 1;
    c = run(t);
    for (size_t i = 0; i < c.n_figures; i++) {
        if (strcmp(c.figures[i].key, "right") == 0)
            f = &c.figures[i];
        if (strcmp(c.figures[i].key, "hosts_bot") == 0)
            bots = &c.figures[i];
        assert_string_not_equal(c.figures[i].key, "wrong");
    }
    assert_non_null(f);
    assert_string_equal(f->policy, "P4");
    assert_true(fabs(f->change + 0.2) < 1e-12);
    assert_true(fabs(f->low - (-0.2 - hypot(0.1, 0.1))) < 1e-12);
    assert_true(fabs(f->high - (-0.2 + hypot(0.1, 0.1))) < 1e-12);
    assert_non_null(bots);
    assert_true(bots->before.value == 0 && bots->after.value == 5);
    assert_true(isnan(bots->change));
    assert_true(c.n_others == 1 && c.others[0].why == COMPARE_OTHER_TERMS);
    compare_free(&c);
    t->q[1].name = "P6";
    c = run(t);
    assert_int_equal(c.n_others, 2);
    assert_true(c.others[0].why == COMPARE_ONLY_AFTER);
    assert_true(c.others[1].why == COMPARE_ONLY_BEFORE);
    compare_free(&c);
    free(t);
}

static void
notes(void **state)
{
    struct pair *t = make();
    struct study_host_row row = {.reviewed = true};
    struct compare c = run(t);

    (void)state;
    /* the second study has no hours */
    assert_int_equal(c.notes, 1U << COMPARE_NOTE_NOT_MEASURED);
    compare_free(&c);
    t->b.rules_hash = "other";
    t->b.config_hash = NULL;
    t->b.version = "2";
    t->b.sensors = "t";
    t->b.to -= 2 * DAY_NS;
    t->b.from += 8 * DAY_NS;
    t->b.few = 5;
    t->b.holdout = t->b.from + 5;
    t->b.hosts = &row;
    t->b.n_hosts = 1;
    c = run(t);
    for (enum compare_note n = 0; n < COMPARE_NOTE_COUNT; n++) {
        assert_true(has_note(&c, n) != (n == COMPARE_NOTE_WATCHED));
        assert_true(strlen(compare_note_text(n)) > 0);
        assert_true(strlen(compare_note_word(n)) > 0);
    }
    compare_free(&c);
    free(t);
}

static void
what_was_watched(void **state)
{
    struct pair *t = make();
    struct study_hour half[24 * DAYS];
    struct compare c;

    (void)state;
    memcpy(half, t->hours, sizeof(half));
    for (unsigned i = 0; i < 24 * DAYS; i++) {
        half[i].begin += DAYS * DAY_NS;
        if (i % 10 == 0)
            half[i].covered_s = 0;
    }
    t->b.hours = half;
    t->b.n_hours = 24 * DAYS;
    c = run(t);
    assert_int_equal(c.notes, 1U << COMPARE_NOTE_WATCHED);
    compare_free(&c);
    free(t);
}

static void
refused(void **state)
{
    struct pair *t = make();
    struct compare c;

    (void)state;
    t->b.from -= 1;
    assert_int_equal(run(t).why, COMPARE_OVERLAP);
    t->b.from = t->a.from - 1;
    t->b.to = t->a.from;
    assert_int_equal(run(t).why, COMPARE_OTHER_ORDER);
    t->b.to = t->b.from;
    c = run(t);
    assert_int_equal(c.why, COMPARE_NO_WINDOW);
    assert_true(strlen(compare_why_text(c.why)) > 0);
    compare_free(&c);
    free(t);
    t = make();
    t->b.demo = true;
    assert_int_equal(run(t).why, COMPARE_DEMO);
    free(t);
}

/* Nothing in them but a window. */
static void
empty(void **state)
{
    struct study_result a = {.from = DAY_NS, .to = 2 * DAY_NS};
    struct study_result b = {.from = 2 * DAY_NS, .to = 3 * DAY_NS};
    struct compare c;

    (void)state;
    assert_int_equal(compare_of(&a, &b, &c), ERR_OK);
    assert_true(c.why == COMPARE_FINE && isnan(c.residual.value));
    for (enum compare_series s = 0; s < COMPARE_SERIES_COUNT; s++) {
        assert_int_equal(c.lines[s].why, SERIES_FEW_DAYS);
        assert_true(isnan(c.lines[s].mean_before));
    }
    assert_string_equal(compare_series_word(COMPARE_CLASS_A), "class_a");
    assert_true(strlen(compare_series_text(COMPARE_CLASS_A)) > 0);
    compare_free(&c);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series),
        cmocka_unit_test(residual),
        cmocka_unit_test(cuts),
        cmocka_unit_test(days_left_out),
        cmocka_unit_test(figures),
        cmocka_unit_test(notes),
        cmocka_unit_test(what_was_watched),
        cmocka_unit_test(refused),
        cmocka_unit_test(empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
