/* Figures over outcomes made by hand. */
#include "tests/evaluate/measure.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* 4 bots of two seeds, of them 3 told; 3 innocents, one of them told and one
 * registered. */
static const struct outcome made[] = {
    {.scenario = SCENARIO_TRICKLE_A,
     .seed = 0,
     .label = LABEL_BOT,
     .bad = 100,
     .rate = 300,
     .seconds = 1000,
     .said[0][LEVEL_ALERT] = {true, 10, 5}},
    {.scenario = SCENARIO_TRICKLE_A,
     .seed = 0,
     .label = LABEL_BOT,
     .bad = 100,
     .rate = 300,
     .seconds = 1000,
     .said[0][LEVEL_ALERT] = {true, 20, 7}},
    {.scenario = SCENARIO_TRICKLE_A,
     .seed = 1,
     .label = LABEL_BOT,
     .bad = 100,
     .rate = 300,
     .seconds = 1000,
     .said[0][LEVEL_ALERT] = {true, 30, 9}},
    {.scenario = SCENARIO_TRICKLE_C,
     .seed = 1,
     .label = LABEL_BOT,
     .bad = 100,
     .rate = 60,
     .seconds = 15,
     .said[1][LEVEL_ALERT] = {true, 1, 1}},
    {.scenario = SCENARIO_SMALL_MTA,
     .label = LABEL_LEGIT,
     .good = 50,
     .days_on = 500,
     .said[0][LEVEL_ALERT] = {true, 1, 1},
     .said[0][LEVEL_BLOCK] = {true, 1, 1}},
    {.scenario = SCENARIO_PRINTER,
     .label = LABEL_LEGIT,
     .good = 50,
     .days_on = 1500},
    {.scenario = SCENARIO_PRINTER,
     .label = LABEL_LEGIT,
     .good = 50,
     .days_on = 1500,
     .registered = true},
    {.scenario = SCENARIO_V6_NET,                     .label = LABEL_LEGIT,   .good = 1 },
};

static struct measure
a_measure(struct outcome rows[ARRAY_LEN(made)])
{
    memcpy(rows, made, sizeof(made));
    return (struct measure){.rows = rows, .n = ARRAY_LEN(made), .n_seeds = 2};
}

static struct choice
bots(void)
{
    struct choice c = choose_all;

    c.target = TARGET_DIRECT;
    return c;
}

static void
shares(void **state)
{
    struct outcome rows[ARRAY_LEN(made)];
    struct measure m = a_measure(rows);
    struct choice c = bots(), legit = choose_all;
    struct share s = measure_share(&m, &c, 0, LEVEL_ALERT);

    (void)state;
    assert_int_equal(s.k, 3);
    assert_int_equal(s.n, 4);
    legit.label = LABEL_LEGIT;
    s = measure_precision(&m, &c, &legit, 0, LEVEL_ALERT);
    assert_int_equal(s.k, 3);
    assert_int_equal(s.n, 4);
    legit.registered = 1;
    assert_int_equal(measure_share(&m, &legit, 0, LEVEL_ALERT).n, 1);
    c.rate_from = c.rate_to = 300;
    assert_int_equal(measure_share(&m, &c, 0, LEVEL_ALERT).n, 3);
    /* a bot's neighbour counts among the innocents, not for the bot's target */
    legit = choose_all;
    legit.target = TARGET_LEGIT;
    assert_int_equal(measure_share(&m, &legit, 0, LEVEL_ALERT).n, 4);
}

static void
times(void **state)
{
    struct outcome rows[ARRAY_LEN(made)];
    struct measure m = a_measure(rows);
    struct choice c = bots();
    double s = measure_time(&m, &c, 0, LEVEL_ALERT, UNIT_SECONDS, .5);

    (void)state;
    /* 10; 15 censored; 20; 30: S falls to 3/4, 3/8, 0 */
    assert_true(s == 20);
    assert_true(measure_time(&m, &c, 0, LEVEL_ALERT, UNIT_MESSAGES, .5) == 7);
    assert_true(isinf(measure_time(&m, &c, 0, LEVEL_BLOCK, UNIT_SECONDS, .5)));
}

static void
false_alarms(void **state)
{
    struct outcome rows[ARRAY_LEN(made)];
    struct measure m = a_measure(rows);
    struct choice c = choose_all;
    struct false_blocks f;

    (void)state;
    c.label = LABEL_LEGIT;
    c.registered = 0;
    f = measure_false(&m, &c, 0, LEVEL_BLOCK);
    assert_int_equal(f.blocks, 1);
    assert_true(f.days == 2000);
    assert_true(fabs(f.per_1000.hi - 5.5716 / 2) < 1e-3);
}

static void
pairs_and_seeds(void **state)
{
    struct outcome rows[ARRAY_LEN(made)];
    struct measure m = a_measure(rows);
    struct choice c = bots();
    struct pairs p = measure_pairs(&m, &c, 0, 1, LEVEL_ALERT);
    struct stat_spread s = measure_spread(&m, c, 0, LEVEL_ALERT);

    (void)state;
    assert_int_equal(p.first, 3);
    assert_int_equal(p.other, 1);
    assert_true(p.p > .6 && p.p < .65);
    assert_true(s.mean == .75 && s.least == .5 && s.most == 1);
}

/* A whole run: everybody has a row, and no baseline accuses a printer. */
static void
runs(void **state)
{
    static const struct condition clear = {
        .name = "clear", .scale = .2, .days_most = .5};
    const struct scenario_set all = {{0}};
    struct choice printers = choose_all;
    struct measure m;

    (void)state;
    measure_init(&m, &clear, 1);
    assert_int_equal(measure_run(&m, 0, 0, 7, PLAY_BOTH, &all), ERR_OK);
    assert_true(m.n > 100 && m.events > 10000);
    printers.scenario = SCENARIO_PRINTER;
    for (unsigned d = 0; d < n_detectors; d++)
        assert_int_equal(measure_share(&m, &printers, d, LEVEL_ALERT).k, 0);
    for (size_t i = 0; i < m.n; i++)
        assert_true(m.rows[i].label < LABEL_COUNT);
    measure_free(&m);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares),       cmocka_unit_test(times),
        cmocka_unit_test(false_alarms), cmocka_unit_test(pairs_and_seeds),
        cmocka_unit_test(runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
