#include "rules/study/queue.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/base/attr.h"

static struct study_queue_row
run(const struct queue_options *o)
{
    struct study_queue_row row = {0};

    assert_int_equal(queue_simulate(o, &row), ERR_OK);
    return row;
}

/* With work that takes no time only nights and week-ends count: late is who
 * came from Friday 17:00 to Saturday 08:00, or to midnight where Saturday does
 * not count. From Monday noon these are 101 to 116 hours, and 108. */
static void
as_worked_by_hand(void **state)
{
    struct queue_options o = queue_default;
    const double all = 0.6 * (exp(-101 / 24.0) - exp(-116 / 24.0)) + 0.4 / 16;
    const double friday =
        0.6 * (exp(-101 / 24.0) - exp(-108 / 24.0)) + 0.4 * 7 / 240;

    (void)state;
    o.forms = 600;
    o.form_min = 0;
    o.cutover_h = 12;
    o.any_time = true;
    assert_true(fabs(run(&o).within_48h - (1 - friday)) < 0.003);
    o.weekend_counts = true;
    assert_true(fabs(run(&o).within_48h - (1 - all)) < 0.003);
    o.any_time = false; /* on Friday only from 17:00 to 19:00 */
    o.weekend_counts = false;
    assert_true(run(&o).within_48h > 1 - friday);
}

/* A form that takes longer than a day is finished at night, or on the next
 * day; a hundred hours of work take one clerk more than eleven days. */
static void
clerks_go_home(void **state)
{
    struct queue_options o = queue_default;

    (void)state;
    o.forms = 1;
    o.form_min = 1000; /* 16 h 40 */
    o.rework = 0;
    assert_true(run(&o).p95_h > 16.6);
    o.stops = true;
    assert_true(run(&o).p95_h > 40);
    o.form_min = 60;
    o.forms = 100;
    o.cutover_h = 8;
    assert_true(run(&o).p95_h > 48);
    o.clerks = 64;
    assert_true(run(&o).p95_h < 48);
}

/* All that is worked on twice costs as much as forms twice as long. */
static void
rework_is_work(void **state)
{
    struct queue_options once = queue_default, twice = queue_default;

    (void)state;
    once.forms = twice.forms = 300;
    once.form_min = 50;
    once.rework = 0;
    twice.rework = 1;
    assert_true(fabs(run(&once).p95_h - run(&twice).p95_h) < 3);
    twice.rework_way = QUEUE_REWORK_LAST;
    assert_true(run(&twice).p95_h > run(&once).p95_h);
    once.clerks = twice.clerks = 64;
    once.rework = twice.rework = 1;
    twice.rework_way = QUEUE_REWORK_NEXT_DAY;
    assert_true(run(&twice).p95_h > run(&once).p95_h + 12);
}

static void
of_the_seed_alone(void **state)
{
    struct queue_options o = queue_default;
    struct study_queue_row a, b;

    (void)state;
    o.forms = 300;
    a = run(&o);
    b = run(&o);
    assert_true(a.within_48h == b.within_48h && a.p95_h == b.p95_h);
    o.seed = 1;
    b = run(&o);
    assert_true(a.p95_h != b.p95_h);
}

/* DETECTION 4.9: more clerks, or more waves, never keep anybody waiting. */
static void
as_a_table(void **state)
{
    struct study_queue q = {0};

    (void)state;
    assert_int_equal(study_queue_fill(300, 25, 0.15, 7, &q), ERR_OK);
    assert_true(q.forms == 300 && q.n == 12);
    for (size_t i = 0; i < q.n; i++) {
        const struct study_queue_row *row = &q.v[i];

        assert_true(row->clerks == 1U << i / 3 && row->waves == 1U << i % 3);
        if (i >= 3)
            assert_true(row->within_48h > q.v[i - 3].within_48h - 0.01);
        if (i % 3 > 0)
            assert_true(row->p95_h < q.v[i - 1].p95_h + 1);
    }
    assert_true(q.v[0].within_48h < 0.2 && q.v[11].within_48h > 0.97);
    free(q.v);
}

static void
without_forms(void **state)
{
    struct study_queue q = {0};

    (void)state;
    assert_int_equal(study_queue_fill(0, 25, 0.15, 7, &q), ERR_OK);
    assert_true(q.n == 12 && isnan(q.v[3].within_48h) && isnan(q.v[3].p95_h));
    free(q.v);
}

static void
what_is_none(void **state)
{
    static const struct {
        enum err want;
        struct queue_options o;
    } rows[] = {
        {ERR_USAGE, {.forms = 1, .waves = 1}                                },
        {ERR_USAGE, {.forms = 1, .clerks = 1}                               },
        {ERR_USAGE, {.forms = 1, .clerks = 1, .waves = 1, .form_min = NAN}  },
        {ERR_USAGE, {.forms = 1, .clerks = 1, .waves = 1, .rework = 1.1}    },
        {ERR_USAGE, {.forms = 1, .clerks = 1, .waves = 1, .cutover_h = 168} },
        {ERR_LIMIT, {.forms = QUEUE_FORMS_MAX + 1, .clerks = 1, .waves = 1} },
        {ERR_LIMIT, {.forms = 1, .clerks = QUEUE_CLERKS_MAX + 1, .waves = 1}},
        {ERR_LIMIT, {.forms = 1, .clerks = 1, .waves = QUEUE_WAVES_MAX + 1} },
        {ERR_OK,    {.forms = 1, .clerks = QUEUE_CLERKS_MAX, .waves = 1}    },
        {ERR_OK,    {.forms = 1, .clerks = 1, .waves = QUEUE_WAVES_MAX}     },
        {ERR_OK,    {.forms = QUEUE_FORMS_MAX, .clerks = 1, .waves = 1}     },
    };
    struct study_queue_row row;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(queue_simulate(&rows[i].o, &row), rows[i].want);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_worked_by_hand),
        cmocka_unit_test(clerks_go_home),
        cmocka_unit_test(rework_is_work),
        cmocka_unit_test(of_the_seed_alone),
        cmocka_unit_test(as_a_table),
        cmocka_unit_test(without_forms),
        cmocka_unit_test(what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
