#include "rules/study/criteria.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
/* cmocka needs the above */
#include <cmocka.h>

#define HOUR (3600 * NS_PER_S)
#define N(a) (sizeof(a) / sizeof((a)[0]))

/* A small result of which every measure is known. */
struct sample {
    struct study_result r;
    struct study_policy policies[2];
    struct study_hour hours[4];
    struct study_day days[3];
    uint64_t by_day[2][3];
    struct study_queue_row queue[4];
    struct study_criterion criterion;
};

static void
fill_policies(struct sample *s)
{
    struct study_policy *p = &s->policies[1];

    s->policies[0] =
        (struct study_policy){.name = "P0", .by_day = s->by_day[0]};
    *p = (struct study_policy){
        .name = "P4",
        .registered = 2,
        .hosts = {[STUDY_BOT] = 9, [STUDY_LEGITIMATE] = 1},
        .owners_unknown = 3,
        .wrong = {1,               40, 0.025, 0.0044, 0.1288, "Wilson"},
        .right = {9,10, 0.9, 0.596, 0.982, "Wilson"},
        .spared = {90,         100, 0.9, 0.7, 0.95, "bootstrap-t over hosts"},
        .lost = {5,       100, 50, 10, 120, "Garwood"},
        .total = {.lost_least = 3,               .lost_most = 5},
        .seconds = {.median = 240           },
        .staff_h = 12.5,
        .by_day = s->by_day[1],
    };
    s->by_day[1][0] = 4;
    s->by_day[1][1] = 6;
    s->by_day[1][2] = 1;
}

/* From half past: the first hour has only half of it in the window. */
static void
fill_hours(struct sample *s)
{
    static const int32_t covered[] = {1620, 3600, 3239, 3240};

    s->r.from = 100 * HOUR + HOUR / 2;
    s->r.to = 104 * HOUR;
    for (unsigned i = 0; i < N(covered); i++)
        s->hours[i] = (struct study_hour){.begin = (100 + i) * HOUR,
                                          .covered_s = covered[i]};
    s->r.week[0] = 2;
    s->r.week[1] = 3;
    s->r.week[167] = 4;
}

static void
fill(struct sample *s)
{
    static const struct study_queue_row queue[] = {
        {2, 1, 0.5,  80 },
        {1, 2, 0.9,  40 },
        {1, 1, 0.25, 200},
        {4, 1, 0.99, 30 }
    };

    *s = (struct sample){0};
    memcpy(s->queue, queue, sizeof(queue));
    s->r = (struct study_result){
        .policies = s->policies,
        .n_policies = 2,
        .hours = s->hours,
        .n_hours = 4,
        .days = s->days,
        .n_days = 3,
        .loss = 0.002,
        .estimated_least = 10,
        .estimated_most = 60,
        .queue = {7,             s->queue,  N(queue)      },
        .review = {.there = true,
                  .kappa = {.value = 0.85},
                  .precision = {.value = 0.95, .low = 0.9}},
        .decisions_there = true,
        .decisions_journal = 50,
        .decisions_same = 49,
        .criteria = &s->criterion,
        .n_criteria = 1,
    };
    s->r.cells[STUDY_BOT][0].messages = 100;
    s->r.cells[STUDY_LEGITIMATE][1].messages = 40;
    s->r.cells[STUDY_LEGITIMATE][1].hosts = 6;
    fill_policies(s);
    fill_hours(s);
}

static const struct study_criterion *
judge(struct sample *s, const char *word, const char *policy,
      const char *proposed, bool at_least, double limit)
{
    char measure[64], of[8], is_proposed[8];
    struct study_criterion_plan c = {.at_least = at_least, .limit = limit};
    struct study_plan plan = {.criteria = &c, .n_criteria = 1};

    (void)snprintf(measure, sizeof(measure), "%s", word);
    c.measure = measure;
    if (policy != NULL) {
        (void)snprintf(of, sizeof(of), "%s", policy);
        c.policy = of;
    }
    if (proposed != NULL) {
        (void)snprintf(is_proposed, sizeof(is_proposed), "%s", proposed);
        plan.proposed = is_proposed;
    }
    s->criterion = (struct study_criterion){.verdict = STUDY_PASS};
    study_criteria_judge(&plan, &s->r);
    return &s->criterion;
}

/* Every measure of the sample. */
static const struct {
    const char *word;
    double want;
} values[] = {
    {"registered-stopped",  2          },
    {"legitimate-stopped",  1          },
    {"wrong-share-high",    0.1288     },
    {"bots-stopped-share",  0.9        },
    {"spared-share-low",    0.7        },
    {"lost-most",           5          },
    {"lost-rate",           50         },
    {"stopped-day-most",    6          },
    {"time-to-stop-median", 240        },
    {"staff-hours",         12.5       },
    {"owners-unknown",      3          },
    {"coverage",            0.75       },
    {"week-covered",        2          },
    {"loss",                0.002      },
    {"clear",               140.0 / 200},
    {"kappa",               0.85       },
    {"precision-low",       0.9        },
    {"within-48h",          0.25       },
    {"decisions-same",      0.98       },
};

static void
test_values(void **state)
{
    struct sample s;

    (void)state;
    fill(&s);
    assert_int_equal(N(values), STUDY_MEASURE_COUNT);
    for (size_t i = 0; i < N(values); i++) {
        const double want = values[i].want;
        const struct study_criterion *c;

        assert_int_equal(study_measure_find(values[i].word), i);
        c = judge(&s, values[i].word, "P4", NULL, false, want);
        if (c->measured != want || c->verdict != STUDY_PASS || c->why != NULL)
            fail_msg("%s is %.17g, not %.17g", values[i].word, c->measured,
                     want);
        c = judge(&s, values[i].word, NULL, "P4", true, want);
        assert_int_equal(c->verdict, STUDY_PASS);
        c = judge(&s, values[i].word, "P4", NULL, false,
                  nextafter(want, -1e300));
        assert_int_equal(c->verdict, STUDY_FAIL);
        c = judge(&s, values[i].word, "P4", "P0", true, nextafter(want, 1e300));
        assert_int_equal(c->verdict, STUDY_FAIL);
    }
}

static void
expect_unknown(struct sample *s, const char *word, const char *why)
{
    const struct study_criterion *c = judge(s, word, "P4", NULL, false, 1e9);

    if (c->verdict != STUDY_NOT_KNOWN || c->why == NULL ||
        strstr(c->why, why) == NULL)
        fail_msg("%s: verdict %d, %s", word, (int)c->verdict,
                 c->why != NULL ? c->why : "no reason");
    assert_int_equal(judge(s, word, "P4", NULL, true, -1e9)->verdict,
                     STUDY_NOT_KNOWN);
}

static void
test_unknown_of_policy(void **state)
{
    struct study_policy *p;
    struct sample s;

    (void)state;
    fill(&s);
    p = &s.policies[1];
    s.r.cells[STUDY_LEGITIMATE][1].hosts = 0;
    expect_unknown(&s, "registered-stopped", "no registered host");
    p->wrong.n = 0;
    expect_unknown(&s, "wrong-share-high", "no host looks legitimate");
    p->wrong.n = 40;
    p->wrong.high = (double)NAN;
    expect_unknown(&s, "wrong-share-high", "too little");
    p->right.n = 0;
    expect_unknown(&s, "bots-stopped-share", "no host behaves");
    p->spared.n = (double)NAN;
    expect_unknown(&s, "spared-share-low", "no malicious mail");
    p->lost.value = (double)NAN;
    expect_unknown(&s, "lost-rate", "no host was seen");
    p->seconds.median = (double)NAN;
    expect_unknown(&s, "time-to-stop-median", "within the window");
    p->staff_h = (double)NAN;
    expect_unknown(&s, "staff-hours", "not estimated");
    s.r.n_days = 0;
    expect_unknown(&s, "stopped-day-most", "no day");
    p->name = "P5";
    expect_unknown(&s, "lost-most", "not among those");
    p->name = "P4";
    assert_string_equal(judge(&s, "lost-most", NULL, NULL, false, 1e9)->why,
                        "no policy is named, and none is proposed");
    expect_unknown(&s, "speed", "no such measure");
}

static void
test_unknown_of_all(void **state)
{
    struct sample s;

    (void)state;
    fill(&s);
    s.r.review.kappa.value = (double)NAN;
    expect_unknown(&s, "kappa", "too small");
    s.r.review.there = false;
    expect_unknown(&s, "kappa", "nobody");
    expect_unknown(&s, "precision-low", "nobody");
    s.r.loss = (double)NAN;
    expect_unknown(&s, "loss", "acknowledged");
    s.r.decisions_journal = 0;
    expect_unknown(&s, "decisions-same", "no decisions");
    s.queue[2].within_48h = (double)NAN;
    expect_unknown(&s, "within-48h", "no form");
    s.r.queue.n = 0;
    expect_unknown(&s, "within-48h", "not worked out");
    memset(s.r.cells, 0, sizeof(s.r.cells));
    s.r.estimated_most = 0;
    expect_unknown(&s, "clear", "no outward mail");
    for (unsigned i = 0; i < 4; i++)
        s.hours[i].covered_s = -1;
    expect_unknown(&s, "coverage", "when the sensor was watching");
    expect_unknown(&s, "week-covered", "when the sensor was watching");
    s.hours[1].covered_s = 3600;
    assert_true(judge(&s, "coverage", NULL, NULL, true, 0.25)->measured ==
                0.25);
    s.r.n_hours = 0;
    expect_unknown(&s, "coverage", "when the sensor was watching");
}

/* Half of the bots are never stopped: that is no small number of seconds. */
static void
test_never(void **state)
{
    struct sample s;

    (void)state;
    fill(&s);
    s.policies[1].seconds.median = (double)INFINITY;
    assert_int_equal(
        judge(&s, "time-to-stop-median", "P4", NULL, false, 1e9)->verdict,
        STUDY_FAIL);
}

static void
test_no_room(void **state)
{
    struct sample s;

    (void)state;
    fill(&s);
    s.r.hosts_refused = 1;
    assert_int_equal(judge(&s, "lost-most", "P4", NULL, false, 5)->verdict,
                     STUDY_NOT_KNOWN);
    assert_non_null(s.criterion.why);
    assert_true(s.criterion.measured == 5);
    assert_int_equal(judge(&s, "lost-most", "P4", NULL, false, 4)->verdict,
                     STUDY_FAIL);
    assert_int_equal(judge(&s, "lost-most", "P4", NULL, true, 5)->verdict,
                     STUDY_PASS);
    assert_int_equal(judge(&s, "loss", "P4", NULL, false, 1)->verdict,
                     STUDY_PASS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_unknown_of_policy),
        cmocka_unit_test(test_unknown_of_all),
        cmocka_unit_test(test_never),
        cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
