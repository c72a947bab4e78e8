#include "rules/verdicts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

struct run {
    struct verdicts *v;
    struct record_out out;
    struct summary s;
};

static void
begin(struct run *r)
{
    *r = (struct run){0};
    record_init(&r->out);
    assert_int_equal(verdicts_new(&r->v), ERR_OK);
}

static void
finish(struct run *r)
{
    verdicts_free(r->v);
    record_free(&r->out);
}

static void
head(struct run *r, enum event_type type, uint64_t seconds)
{
    struct record_head h = {seconds * NS_PER_S, 0, 1, type};

    record_begin(&r->out, &h);
}

static void
show(struct run *r)
{
    struct record_map map;

    assert_true(record_check(record_view(&r->out)));
    record_map_init(&map, record_view(&r->out));
    verdicts_event(r->v, &map);
}

static void
host(struct run *r, const char *ip, bool home, uint64_t sessions)
{
    struct addr a;

    assert_true(addr_parse(span_str(ip), &a));
    head(r, EVENT_HOST, 1);
    record_addr(&r->out, FIELD_SRC_IP, &a);
    record_bool(&r->out, FIELD_HOST_HOME, home);
    record_u64(&r->out, FIELD_HOST_SESSIONS, sessions);
    show(r);
}

static void
alert(struct run *r, const char *id, const char *state, uint64_t severity,
      uint64_t count, const char *reg, const char *silenced)
{
    head(r, EVENT_ALERT, 2);
    if (reg != NULL)
        record_text(&r->out, FIELD_SRC_REG_STATE, reg);
    record_text(&r->out, FIELD_ALERT_ID, id);
    record_text(&r->out, FIELD_ALERT_STATE, state);
    record_text(&r->out, FIELD_ALERT_SIGNATURE, "Burst");
    record_u64(&r->out, FIELD_ALERT_SEVERITY, severity);
    record_text(&r->out, FIELD_ALERT_SUBJECT, "10.2.3.4");
    record_text(&r->out, FIELD_ALERT_REASON, "10.2.3.4 opened much.");
    record_u64(&r->out, FIELD_ALERT_COUNT, count);
    if (silenced != NULL)
        record_text(&r->out, FIELD_ALERT_SILENCED, silenced);
    show(r);
}

static void
decision(struct run *r, const char *subject, const char *action,
         const char *against, uint64_t collateral)
{
    head(r, EVENT_DECISION, 3);
    record_text(&r->out, FIELD_DECISION_ACTION, action);
    record_text(&r->out, FIELD_DECISION_MODE, "simulate");
    record_text(&r->out, FIELD_DECISION_SUBJECT, subject);
    if (against != NULL) {
        record_text(&r->out, FIELD_DECISION_AGAINST, against);
        record_text(&r->out, FIELD_DECISION_AGAINST, "pool");
    }
    record_u64(&r->out, FIELD_DECISION_COLLATERAL, collateral);
    record_text(&r->out, FIELD_DECISION_SITE, "LAKE");
    show(r);
}

static void
test_nothing(void **state)
{
    struct run r;

    (void)state;
    begin(&r);
    verdicts_summary(r.v, &r.s);
    assert_false(r.s.has_verdicts);
    assert_int_equal(r.s.n_alerts + r.s.n_decisions, 0);
    finish(&r);
}

static void
test_alerts(void **state)
{
    struct run r;

    (void)state;
    begin(&r);
    host(&r, "10.2.3.4", true, 3);
    host(&r, "10.2.3.4", true, 4);
    host(&r, "10.2.3.5", true, 0);   /* did not send */
    host(&r, "192.0.2.1", false, 9); /* outside */
    alert(&r, "aa", "opened", 3, 1, NULL, NULL);
    alert(&r, "bb", "opened", 1, 1, "registered", NULL);
    alert(&r, "cc", "opened", 1, 1, "unregistered", NULL);
    alert(&r, "cc", "ended", 1, 70, "unregistered", NULL);
    alert(&r, "dd", "opened", 1, 99, NULL, "0123456789abcdef");
    alert(&r, "ee", "opened", 9, 1, NULL, NULL); /* no such severity */
    verdicts_summary(r.v, &r.s);
    assert_true(r.s.has_verdicts);
    assert_int_equal(r.s.verdict_hosts, 1);
    assert_int_equal(r.s.n_alerts, 4);
    assert_string_equal(r.s.alerts[0].id, "cc"); /* more matches */
    assert_true(r.s.alerts[0].ended && r.s.alerts[0].judged);
    assert_false(r.s.alerts[0].registered);
    assert_string_equal(r.s.alerts[1].id, "bb");
    assert_true(r.s.alerts[1].registered);
    assert_string_equal(r.s.alerts[2].id, "aa");
    assert_false(r.s.alerts[2].judged);
    assert_int_equal(r.s.alerts[3].level, 3);
    assert_int_equal(r.s.alerts_level[0], 2);
    assert_int_equal(r.s.alerts_silenced, 1);
    finish(&r);
}

static void
test_decisions(void **state)
{
    struct run r;

    (void)state;
    begin(&r);
    decision(&r, "10.2.3.1/32", "withheld", "registered", 0);
    decision(&r, "10.2.3.2/32", "hold", "queueing", 1);
    decision(&r, "10.2.3.3/32", "block", NULL, 2);
    decision(&r, "10.2.3.4/32", "block", NULL, 9);
    decision(&r, "10.2.3.4/32", "expire", NULL, 9);
    decision(&r, "10.2.3.5/32", "block", NULL, 5);
    decision(&r, "10.2.3.5/32", "lift", NULL, 5);
    decision(&r, "2001:db8::/64", "withheld", "evidence:sessions", 0);
    decision(&r, "2001:db8::/64", "block", NULL, 2);
    decision(&r, "10.2.3.9/32", "dance", NULL, 5);
    decision(&r, "10.2.3.9/33", "block", NULL, 5);
    verdicts_summary(r.v, &r.s);
    assert_int_equal(r.s.n_decisions, 5);
    assert_int_equal(r.s.decisions[0].collateral, 9);
    assert_true(r.s.decisions[0].over);
    assert_int_equal(r.s.decisions[1].subject.bits, 128);
    assert_int_equal(r.s.decisions[2].subject.bits, 64);
    assert_int_equal(r.s.decisions[3].action, SUMMARY_HOLD);
    assert_string_equal(r.s.decisions[3].against, "queueing, pool");
    assert_int_equal(r.s.decisions[4].action, SUMMARY_WITHHELD);
    assert_string_equal(r.s.decisions[4].site, "LAKE");
    finish(&r);
}

static void
test_bounds(void **state)
{
    struct run r;

    (void)state;
    begin(&r);
    for (unsigned i = 0; i <= VERDICTS_ROWS; i++) {
        char text[32];

        snprintf(text, sizeof(text), "%016x", i);
        alert(&r, text, "opened", 1, i, NULL, NULL);
        snprintf(text, sizeof(text), "10.%u.%u.1/32", i >> 8, i & 255);
        decision(&r, text, "block", NULL, i);
    }
    decision(&r, "10.0.0.1/32", "lift", NULL, 0); /* known ones go on */
    verdicts_summary(r.v, &r.s);
    assert_int_equal(r.s.n_alerts, VERDICTS_ROWS);
    assert_int_equal(r.s.alerts_left_out, 1);
    assert_int_equal(r.s.n_decisions, VERDICTS_ROWS - 1);
    assert_int_equal(r.s.decisions_left_out, 1);
    finish(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
