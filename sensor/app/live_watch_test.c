#include "sensor/app/live_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>

#include <cmocka.h>

#include "sensor/app/desk_alerts.h"

static void
begin(struct record_out *r, enum event_type type)
{
    const struct record_head head = {.when = NS_PER_S, .type = type};

    record_begin(r, &head);
}

/* ---- events ---- */

/* One letter each: t under TLS, m midstream, g gaps, o oneway. */
static const struct {
    const char *why, *direction, *facts;
    enum live_direction d;
    unsigned tls;
    enum live_evidence e;
} sessions[] = {
    {"plain",           "outbound", "",     LIVE_DIRECTION_OUTBOUND, 0, LIVE_EVIDENCE_WHOLE},
    {"under TLS",       "inbound",  "t",    LIVE_DIRECTION_INBOUND,  1,
     LIVE_EVIDENCE_WHOLE                                                                   },
    {"a strange word",  "sideways", "",     LIVE_DIRECTION_UNKNOWN,  0,
     LIVE_EVIDENCE_WHOLE                                                                   },
    {"midstream",       "internal", "m",    LIVE_DIRECTION_INTERNAL, 0,
     LIVE_EVIDENCE_MIDSTREAM                                                               },
    {"gaps are worse",  "external", "mg",   LIVE_DIRECTION_EXTERNAL, 0,
     LIVE_EVIDENCE_GAPS                                                                    },
    {"oneway is worst", "external", "tmgo", LIVE_DIRECTION_EXTERNAL, 1,
     LIVE_EVIDENCE_ONEWAY                                                                  },
};

static void
test_sessions(void **state)
{
    struct record_out r;

    (void)state;
    record_init(&r);
    for (size_t i = 0; i < ARRAY_LEN(sessions); i++) {
        struct live_watch *w = calloc(1, sizeof(*w));
        const char *facts = sessions[i].facts;

        assert_non_null(w);
        begin(&r, EVENT_SMTP_SESSION);
        record_text(&r, FIELD_DIRECTION, sessions[i].direction);
        record_u64(&r, FIELD_QUALITY_GAPS, strchr(facts, 'g') != NULL);
        record_bool(&r, FIELD_QUALITY_ONEWAY, strchr(facts, 'o') != NULL);
        record_bool(&r, FIELD_QUALITY_MIDSTREAM, strchr(facts, 'm') != NULL);
        record_bool(&r, FIELD_SMTP_STARTTLS_USED, strchr(facts, 't') != NULL);
        live_watch_event(w, record_view(&r));
        if (w->sessions[sessions[i].d][sessions[i].tls][sessions[i].e] != 1)
            fail_msg("%s", sessions[i].why);
        free(w);
    }
    record_free(&r);
}

/* A transaction in parts is one; each finding of a session counts once. */
static void
test_transactions(void **state)
{
    static const struct {
        const char *direction, *outcome;
        uint64_t part; /* 0: none */
        bool last;
    } rows[] = {
        {"outbound", "accepted",   0, false},
        {"outbound", "accepted",   1, false},
        {"outbound", "accepted",   2, true },
        {"inbound",  "no-data",    0, false},
        {"inbound",  "a new word", 0, false},
    };
    struct live_watch *w = calloc(1, sizeof(*w));
    struct record_out r;

    (void)state;
    assert_non_null(w);
    record_init(&r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        begin(&r, EVENT_SMTP);
        record_text(&r, FIELD_DIRECTION, rows[i].direction);
        record_text(&r, FIELD_SMTP_OUTCOME, rows[i].outcome);
        if (rows[i].part != 0)
            record_u64(&r, FIELD_SMTP_PART, rows[i].part);
        record_bool(&r, FIELD_SMTP_LAST, rows[i].last);
        live_watch_event(w, record_view(&r));
    }
    assert_int_equal(
        w->transactions[LIVE_DIRECTION_OUTBOUND][LIVE_OUTCOME_ACCEPTED], 2);
    assert_int_equal(
        w->transactions[LIVE_DIRECTION_INBOUND][LIVE_OUTCOME_NO_DATA], 1);
    assert_int_equal(
        w->transactions[LIVE_DIRECTION_INBOUND][LIVE_OUTCOME_UNKNOWN], 1);
    record_free(&r);
    free(w);
}

static void
test_findings_and_files(void **state)
{
    struct live_watch *w = calloc(1, sizeof(*w));
    struct record_out r;

    (void)state;
    assert_non_null(w);
    record_init(&r);
    begin(&r, EVENT_SMTP_SESSION);
    record_text(&r, FIELD_POLICY_FINDINGS, "unregistered_sender");
    record_text(&r, FIELD_POLICY_FINDINGS, "suspended");
    live_watch_event(w, record_view(&r));
    begin(&r, EVENT_FILEINFO);
    record_text(&r, FIELD_FILEINFO_CLASS, "C");
    live_watch_event(w, record_view(&r));
    begin(&r, EVENT_FILEINFO);
    live_watch_event(w, record_view(&r));
    assert_int_equal(w->findings[POLICY_SENDER], 1);
    assert_int_equal(w->findings[POLICY_SUSPENDED], 1);
    assert_int_equal(w->findings[POLICY_OTHER_PORT], 0);
    assert_int_equal(w->files[LIVE_CLASS_C], 1);
    assert_int_equal(w->files[LIVE_CLASS_NONE], 1);
    record_free(&r);
    free(w);
}

static void
tell_alert(struct live_watch *w, struct record_out *r, const char *rule,
           const char *what, uint64_t severity)
{
    begin(r, EVENT_ALERT);
    record_text(r, FIELD_ALERT_STATE, what);
    record_u64(r, FIELD_ALERT_SEVERITY, severity);
    record_text(r, FIELD_ALERT_RULE, rule);
    live_watch_event(w, record_view(r));
}

static void
test_alerts(void **state)
{
    struct live_watch *w = calloc(1, sizeof(*w));
    struct record_out r;
    char name[32];

    (void)state;
    assert_non_null(w);
    record_init(&r);
    tell_alert(w, &r, "a", "opened", 1);
    tell_alert(w, &r, "a", "opened", 1);
    tell_alert(w, &r, "a", "ongoing", 1);
    tell_alert(w, &r, "a", "opened", 0);
    tell_alert(w, &r, "a", "opened", 5);
    assert_int_equal(w->rules[0].opened[0], 2);
    for (unsigned i = 0; i <= LIVE_WATCH_RULES; i++) {
        (void)snprintf(name, sizeof(name), "rule %u", i);
        tell_alert(w, &r, name, "opened", 4);
    }
    /* a took a row: two did not fit. */
    assert_int_equal(w->rules[LIVE_WATCH_RULES - 1].opened[3], 1);
    assert_int_equal(w->other.opened[3], 2);
    record_free(&r);
    free(w);
}

/* ---- workers ---- */

static void
tell(struct live_watch *w, struct record_out *r, uint64_t worker,
     uint64_t unseen)
{
    begin(r, EVENT_STATS);
    record_u64(r, FIELD_STATS_WORKER, worker);
    record_u64(r, FIELD_STATS_BYTES_LOST, unseen);
    live_watch_stats(w, record_view(r));
}

static void
test_restart(void **state)
{
    static const struct {
        const char *why;
        uint64_t worker, told, want;
    } rows[] = {
        {"first",          0,                10, 10},
        {"the same again", 0,                10, 10},
        {"more",           0,                25, 25},
        {"another worker", 1,                5,  30},
        {"a new start",    0,                3,  33},
        {"from there on",  0,                4,  34},
        {"no such worker", LIVE_WORKERS_MAX, 9,  34},
    };
    struct live_watch *w = calloc(1, sizeof(*w));
    struct record_out r;

    (void)state;
    assert_non_null(w);
    record_init(&r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        tell(w, &r, rows[i].worker, rows[i].told);
        if (w->sum[LIVE_SUM_BYTES_UNSEEN] != rows[i].want)
            fail_msg("%s", rows[i].why);
    }
    record_free(&r);
    free(w);
}

static void
test_window(void **state)
{
    struct live_watch *w = calloc(1, sizeof(*w));
    struct live_board *b;
    const struct live_window *win;

    (void)state;
    assert_non_null(w);
    assert_int_equal(live_board_new(&b), ERR_OK);
    win = &b->core.window;
    b->n_workers = b->n_ifaces = 1;
    for (unsigned i = 0; i < 100; i++) {
        const unsigned span = i < LIVE_WATCH_SAMPLES ? i : LIVE_WATCH_SAMPLES;

        atomic_store(&b->worker[0].iface[0].packets, i * 7ULL);
        atomic_store(&b->worker[0].records_lost, i * 2ULL);
        w->sum[LIVE_SUM_SESSIONS] = i;
        live_watch_sample(w, b, (1 + i) * 10 * NS_PER_S);
        assert_int_equal(atomic_load(&win->length_ns), span * 10 * NS_PER_S);
        assert_int_equal(atomic_load(&win->packets), span * 7ULL);
        assert_int_equal(atomic_load(&win->records_lost), span * 2ULL);
        assert_int_equal(atomic_load(&win->sessions), span);
    }
    live_board_free(b);
    free(w);
}

static void
tell_act(struct live_watch *w, struct record_out *r, const char *action,
         const char *reason, const char *rule)
{
    const struct record_head head = {.type = EVENT_CONTROL};

    record_begin(r, &head);
    record_text(r, FIELD_CONTROL_KIND, "alert");
    record_text(r, FIELD_CONTROL_ACTION, action);
    record_text(r, FIELD_CONTROL_REASON, reason);
    record_text(r, FIELD_CONTROL_RULE, rule);
    live_watch_event(w, record_view(r));
}

/* By rule and reason, in a table of fixed size; other acts are not counted. */
static void
test_closed(void **state)
{
    struct live_watch *w = calloc(1, sizeof(*w));
    struct record_out r;
    char name[32];

    (void)state;
    assert_non_null(w);
    record_init(&r);
    tell_act(w, &r, "close", "test", "a");
    tell_act(w, &r, "close", "test", "a");
    tell_act(w, &r, "close", "misuse", "a");
    tell_act(w, &r, "ack", "misuse", "a");
    tell_act(w, &r, "close", "no such word", "a");
    tell_act(w, &r, "close", "test", "");
    assert_string_equal(w->closed[0].rule, "a");
    assert_int_equal(w->closed[0].reason, LIVE_CLOSE_TEST);
    assert_int_equal(w->closed[0].n, 2);
    assert_int_equal(w->closed[1].n, 1);
    assert_int_equal(w->closed[2].n, 0);
    for (unsigned i = 2; i <= LIVE_WATCH_CLOSED; i++) {
        (void)snprintf(name, sizeof(name), "rule %u", i);
        tell_act(w, &r, "close", "duplicate", name);
    }
    assert_int_equal(w->closed[LIVE_WATCH_CLOSED - 1].n, 1);
    assert_int_equal(w->closed_other[LIVE_CLOSE_DUPLICATE], 1);
    record_free(&r);
    free(w);
}

/* They are the reasons of the verb. */
static void
test_reasons(void **state)
{
    static const char *const words[] = {
#define X(id, word) word,
        LIVE_CLOSE_MAP(X)
#undef X
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        assert_non_null(desk_reason_find(span_str(words[i])));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sessions),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_closed),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_transactions),
        cmocka_unit_test(test_findings_and_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
