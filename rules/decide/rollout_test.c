#include "rules/decide/rollout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S NS_PER_S

struct one {
    const char *action, *mode, *rule;
    ns_t at, until;
};

static void
tell_kind(struct rollout *p, const char *kind, const struct one *o)
{
    const struct record_head head = {.when = o->at, .type = EVENT_CONTROL};
    struct record_out r;
    struct record_map m;

    record_init(&r);
    record_begin(&r, &head);
    record_text(&r, FIELD_CONTROL_KIND, kind);
    record_text(&r, FIELD_CONTROL_ACTION, o->action);
    record_text(&r, FIELD_CONTROL_ACTOR, "mk");
    record_text(&r, FIELD_CONTROL_REASON, "why");
    if (o->rule != NULL)
        record_text(&r, FIELD_CONTROL_RULE, o->rule);
    if (o->mode != NULL)
        record_text(&r, FIELD_CONTROL_MODE, o->mode);
    if (o->until != 0)
        record_time(&r, FIELD_CONTROL_UNTIL, o->until);
    record_map_init(&m, record_view(&r));
    (void)rollout_event(p, &m);
    record_free(&r);
}

/* What is in force at 100 s, of all and of s5. */
static const struct {
    const char *why;
    struct one told[4];
    enum rollout_mode mode, s5;
} rows[] = {
    {"nothing was told",                                        {{0}},        ROLLOUT_SIMULATE, ROLLOUT_SIMULATE},
    {"a configuration",
     {{"start", "enforce", NULL, 1, 0}},
     ROLLOUT_ENFORCE,                                                                           ROLLOUT_ENFORCE },
    {"a person",
     {{"mode", "enforce", NULL, 1, 0}},
     ROLLOUT_ENFORCE,                                                                           ROLLOUT_ENFORCE },
    {"a person, and the same configuration again",
     {{"start", "enforce", NULL, 1, 0},
      {"mode", "off", NULL, 2, 0},
      {"start", "enforce", NULL, 3, 0}},
     ROLLOUT_OFF,                                                                               ROLLOUT_OFF     },
    {"a configuration does not turn on what people turned off",
     {{"start", "simulate", NULL, 1, 0},
      {"mode", "off", NULL, 2, 0},
      {"start", "enforce", NULL, 3, 0}},
     ROLLOUT_OFF,                                                                               ROLLOUT_OFF     },
    {"a configuration that has become lower",
     {{"start", "simulate", NULL, 1, 0},
      {"mode", "enforce", NULL, 2, 0},
      {"start", "off", NULL, 3, 0}},
     ROLLOUT_OFF,                                                                               ROLLOUT_OFF     },
    {"a configuration that is the same does not turn off",
     {{"start", "simulate", NULL, 1, 0},
      {"mode", "enforce", NULL, 2, 0},
      {"start", "simulate", NULL, 3, 0}},
     ROLLOUT_ENFORCE,                                                                           ROLLOUT_ENFORCE },
    {"a pause",
     {{"mode", "enforce", NULL, 1, 0}, {"pause", NULL, NULL, 2, 101 * S}},
     ROLLOUT_OFF,                                                                               ROLLOUT_OFF     },
    {"a pause ends with its time",
     {{"mode", "enforce", NULL, 1, 0}, {"pause", NULL, NULL, 2, 100 * S}},
     ROLLOUT_ENFORCE,                                                                           ROLLOUT_ENFORCE },
    {"a pause without an end is none",
     {{"mode", "enforce", NULL, 1, 0}, {"pause", NULL, NULL, 2, 0}},
     ROLLOUT_ENFORCE,                                                                           ROLLOUT_ENFORCE },
    {"resumed",
     {{"mode", "enforce", NULL, 1, 0},
      {"pause", NULL, NULL, 2, 1000 * S},
      {"resume", NULL, NULL, 3, 0}},
     ROLLOUT_ENFORCE,                                                                           ROLLOUT_ENFORCE },
    {"resume does not turn on",
     {{"mode", "off", NULL, 1, 0}, {"resume", NULL, NULL, 3, 0}},
     ROLLOUT_OFF,                                                                               ROLLOUT_OFF     },
    {"a rule may lead to less",
     {{"mode", "enforce", NULL, 1, 0}, {"mode", "off", "s5", 2, 0}},
     ROLLOUT_ENFORCE,                                                                           ROLLOUT_OFF     },
    {"a rule never leads to more",
     {{"mode", "enforce", "s5", 2, 0}},
     ROLLOUT_SIMULATE,                                                                          ROLLOUT_SIMULATE},
    {"another rule",
     {{"mode", "enforce", NULL, 1, 0}, {"mode", "off", "s1t", 2, 0}},
     ROLLOUT_ENFORCE,                                                                           ROLLOUT_ENFORCE },
    {"no such rule changes nothing",
     {{"mode", "enforce", NULL, 1, 0}, {"mode", "off", "s9", 2, 0}},
     ROLLOUT_ENFORCE,                                                                           ROLLOUT_ENFORCE },
    {"a rule of the configuration",
     {{"mode", "enforce", NULL, 1, 0}, {"start", "simulate", "s5", 2, 0}},
     ROLLOUT_ENFORCE,                                                                           ROLLOUT_SIMULATE},
    {"rolled back",
     {{"mode", "enforce", NULL, 1, 0}, {"rollback", "simulate", NULL, 2, 0}},
     ROLLOUT_SIMULATE,                                                                          ROLLOUT_SIMULATE},
    {"rolled back is not turned on",
     {{"mode", "off", NULL, 1, 0}, {"rollback", "simulate", NULL, 2, 0}},
     ROLLOUT_OFF,                                                                               ROLLOUT_OFF     },
    {"rolled back, and started anew",
     {{"start", "enforce", NULL, 1, 0},
      {"rollback", "simulate", NULL, 2, 0},
      {"start", "enforce", NULL, 3, 0}},
     ROLLOUT_SIMULATE,                                                                          ROLLOUT_SIMULATE},
    {"no such mode",
     {{"mode", "enforced", NULL, 1, 0}},
     ROLLOUT_SIMULATE,                                                                          ROLLOUT_SIMULATE},
    {"no mode",
     {{"mode", NULL, NULL, 1, 0}},
     ROLLOUT_SIMULATE,                                                                          ROLLOUT_SIMULATE},
    {"no such action",
     {{"modes", "enforce", NULL, 1, 0}},
     ROLLOUT_SIMULATE,                                                                          ROLLOUT_SIMULATE},
};

static void
told(struct rollout *p, const struct one v[4])
{
    rollout_init(p, ROLLOUT_SIMULATE, NULL);
    for (size_t i = 0; i < 4 && v[i].action != NULL; i++)
        tell_kind(p, "policy", &v[i]);
}

static void
test_fold(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rollout p;

        told(&p, rows[i].told);
        if (rollout_now(&p, 100 * S) != rows[i].mode ||
            rollout_rule(&p, rollout_rule_find(SPAN_LIT("s5")), 100 * S) !=
                rows[i].s5)
            fail_msg("%s", rows[i].why);
    }
}

static void
test_other_kinds(void **state)
{
    static const struct one o = {"mode", "enforce", NULL, 1, 0};
    struct rollout p;

    (void)state;
    rollout_init(&p, ROLLOUT_SIMULATE, NULL);
    tell_kind(&p, "block", &o);
    tell_kind(&p, "policy2", &o);
    assert_int_equal(rollout_now(&p, 2), ROLLOUT_SIMULATE);
}

static void
test_who_and_breaker(void **state)
{
    static const struct one breaker = {"breaker", NULL, NULL, 5 * S, 50 * S};
    static const struct one off = {"mode", "off", NULL, 7 * S, 0};
    static const struct one resume = {"resume", NULL, NULL, 9, 0};
    struct rollout p;

    (void)state;
    rollout_init(&p, ROLLOUT_SIMULATE, NULL);
    tell_kind(&p, "policy", &breaker);
    tell_kind(&p, "policy", &off);
    assert_int_equal(p.breaker, 50 * S);
    assert_int_equal(p.breaker_by.when, 5 * S);
    assert_int_equal(p.all.by.when, 7 * S);
    assert_string_equal(p.all.by.actor, "mk");
    assert_string_equal(p.all.by.reason, "why");
    tell_kind(&p, "policy", &resume);
    assert_int_equal(p.breaker, 0);
}

/* Every fold comes back from a snapshot, and nothing from a cut one. */
static void
test_snapshots(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rollout p, again;
        struct cursor c;
        struct buf b;

        told(&p, rows[i].told);
        buf_init(&b, 1 << 16);
        rollout_save(&p, &b);
        c = cur_open(buf_view(&b));
        assert_true(rollout_load(&again, &c));
        assert_int_equal(cur_left(&c), 0);
        assert_memory_equal(&p, &again, sizeof(p));
        for (size_t cut = 0; cut < b.n; cut += 7) {
            c = cur_open(span_head(buf_view(&b), cut));
            assert_false(rollout_load(&again, &c));
        }
        b.p[0] = 3; /* no mode */
        c = cur_open(buf_view(&b));
        assert_false(rollout_load(&again, &c));
        buf_free(&b);
    }
}

/* What the configuration says holds for what nobody has spoken of. */
static void
test_configuration(void **state)
{
    static const struct one off = {"mode", "off", NULL, 1, 0};
    enum rollout_mode of[ROLLOUT_RULES];
    struct rollout p;

    (void)state;
    for (size_t i = 0; i < ROLLOUT_RULES; i++)
        of[i] = i == 3 ? ROLLOUT_OFF : ROLLOUT_ENFORCE;
    rollout_init(&p, ROLLOUT_ENFORCE, of);
    assert_int_equal(rollout_now(&p, 1), ROLLOUT_ENFORCE);
    assert_int_equal(rollout_rule(&p, 3, 1), ROLLOUT_OFF);
    assert_int_equal(rollout_rule(&p, 2, 1), ROLLOUT_ENFORCE);
    tell_kind(&p, "policy", &off);
    rollout_configure(&p, ROLLOUT_ENFORCE, NULL);
    assert_int_equal(rollout_now(&p, 1), ROLLOUT_OFF);
    assert_int_equal(p.rule[3].mode, ROLLOUT_ENFORCE);
}

static void
test_words(void **state)
{
    enum rollout_mode m;

    (void)state;
    for (int i = ROLLOUT_OFF; i <= ROLLOUT_ENFORCE; i++) {
        assert_true(rollout_mode_parse(
            span_str(rollout_mode_word((enum rollout_mode)i)), &m));
        assert_int_equal(m, i);
    }
    assert_false(rollout_mode_parse(SPAN_NONE, &m));
    for (unsigned i = 0; i < ROLLOUT_RULES; i++)
        assert_int_equal(rollout_rule_find(span_str(rollout_rule_word(i))), i);
    assert_int_equal(rollout_rule_find(SPAN_NONE), ROLLOUT_RULES);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fold),
        cmocka_unit_test(test_other_kinds),
        cmocka_unit_test(test_who_and_breaker),
        cmocka_unit_test(test_snapshots),
        cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
