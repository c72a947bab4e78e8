/* What a study makes of a few events that anybody can count. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "rules/study/study.h"
#include "sensor/base/attr.h"

#define T0   (UINT64_C(1790000000) / 86400 * 86400 * NS_PER_S) /* a midnight */
#define MIN  (60 * NS_PER_S)
#define HOUR (60 * MIN)
#define DAY  (24 * HOUR)

struct kit {
    struct study_plan plan;
    uint8_t detectors[STUDY_POLICIES];
    struct study_options o;
    struct study *s;
    struct study_result r;
    struct record_out out;
    uint64_t flow;
};

static struct study_policy_plan *
add(struct kit *k, const char *name, enum study_kind kind)
{
    struct study_policy_plan *p;

    k->plan.policies = realloc(k->plan.policies, (k->plan.n_policies + 1) *
                                                     sizeof(*k->plan.policies));
    assert_non_null(k->plan.policies);
    p = &k->plan.policies[k->plan.n_policies++];
    study_policy_plan_init(p, kind);
    p->name = strdup(name);
    p->title = strdup(name);
    return p;
}

static void
begin(struct kit *k)
{
    *k = (struct kit){0};
    study_plan_init(&k->plan);
    record_init(&k->out);
}

static void
open_study(struct kit *k)
{
    k->o.plan = &k->plan;
    k->o.detectors = k->detectors;
    if (k->o.from == 0)
        k->o.from = T0;
    assert_int_equal(study_new(&k->o, &k->s), ERR_OK);
}

static void
end(struct kit *k)
{
    study_result_free(&k->r);
    study_free(k->s);
    study_plan_free(&k->plan);
    record_free(&k->out);
}

static void
finish(struct kit *k)
{
    assert_int_equal(study_finish(k->s, NULL, &k->r), ERR_OK);
}

/* ---- events ---- */

struct message {
    const char *from, *site;
    ns_t when;
    bool registered, inward, bad, refused, tls, oneway;
    uint32_t recipients;
    uint64_t bytes;
    const char *class; /* of a part */
    bool cut;
};

static struct addr
addr_of(const char *text)
{
    struct addr a;

    assert_true(addr_parse(span_str(text), &a));
    return a;
}

static void
show(struct kit *k, bool judged, bool bad)
{
    struct record_map m;

    assert_true(record_check(record_view(&k->out)));
    record_map_init(&m, record_view(&k->out));
    study_begin(k->s, &m);
    if (judged)
        study_judged(k->s, true, bad);
    study_event(k->s, &m);
}

static void
head(struct kit *k, enum event_type type, ns_t when, uint64_t flow)
{
    const struct record_head h = {.when = when, .type = type, .flow_id = flow};

    record_begin(&k->out, &h);
}

static void
put_part(struct kit *k, const struct message *m)
{
    const struct addr a = addr_of(m->from);

    head(k, EVENT_FILEINFO, m->when, k->flow);
    record_addr(&k->out, FIELD_SRC_IP, &a);
    record_u64(&k->out, FIELD_FILEINFO_TX_ID, 0);
    record_text(&k->out, FIELD_FILEINFO_CLASS, m->class);
    record_text(&k->out, FIELD_FILEINFO_CLASSES, m->class);
    show(k, false, false);
}

static void
send_one(struct kit *k, const struct message *m)
{
    const struct addr a = addr_of(m->from);
    const uint32_t n = m->recipients == 0 ? 1 : m->recipients;

    k->flow++;
    if (m->class != NULL)
        put_part(k, m);
    head(k, EVENT_SMTP, m->when, k->flow);
    record_addr(&k->out, FIELD_SRC_IP, &a);
    record_u64(&k->out, FIELD_DEST_PORT, 25);
    record_u64(&k->out, FIELD_TX_ID, 0);
    record_text(&k->out, FIELD_DIRECTION, m->inward ? "inbound" : "outbound");
    if (!m->inward)
        record_text(&k->out, FIELD_SRC_REG_STATE,
                    m->registered ? "registered" : "unregistered");
    if (m->site != NULL)
        record_text(&k->out, FIELD_SRC_HOST_SITE, m->site);
    if (m->cut)
        record_bool(&k->out, FIELD_QUALITY_TRUNCATED, true);
    if (m->oneway)
        record_bool(&k->out, FIELD_QUALITY_ONEWAY, true);
    record_text(&k->out, FIELD_SMTP_HELO, "h.example");
    record_text(&k->out, FIELD_SMTP_MAIL_FROM, "<a@b.example>");
    record_u64(&k->out, FIELD_SMTP_RCPT_OFFERED, n);
    record_u64(&k->out, FIELD_SMTP_RCPT_ACCEPTED, m->refused ? 0 : n);
    record_text(&k->out, FIELD_SMTP_VIA, "DATA");
    record_text(&k->out, FIELD_SMTP_OUTCOME,
                m->refused ? "rejected" : "accepted");
    record_u64(&k->out, FIELD_SMTP_MESSAGE_BYTES,
               m->bytes == 0 ? 1000 : m->bytes);
    if (m->cut)
        record_text(&k->out, FIELD_SMTP_CUT, "gap");
    show(k, true, m->bad);
}

static void
session(struct kit *k, const char *from, ns_t when, uint64_t seen,
        uint64_t unseen)
{
    const struct addr a = addr_of(from);

    k->flow++;
    head(k, EVENT_SMTP_SESSION, when, k->flow);
    record_addr(&k->out, FIELD_SRC_IP, &a);
    record_u64(&k->out, FIELD_DEST_PORT, 25);
    record_text(&k->out, FIELD_DIRECTION, "outbound");
    record_text(&k->out, FIELD_SRC_REG_STATE, "unregistered");
    record_u64(&k->out, FIELD_FLOW_BYTES_TOSERVER, seen);
    record_u64(&k->out, FIELD_TCP_LOST_TOSERVER, unseen);
    show(k, false, false);
}

static void
decide(struct kit *k, unsigned detector, const char *action,
       const char *subject, ns_t when, ns_t until, bool journal)
{
    struct record_map m;

    head(k, EVENT_DECISION, when, 0);
    record_text(&k->out, FIELD_DECISION_ACTION, action);
    record_text(&k->out, FIELD_DECISION_MODE, journal ? "enforce" : "simulate");
    record_text(&k->out, FIELD_DECISION_SUBJECT, subject);
    record_u64(&k->out, FIELD_DECISION_STEP, 1);
    if (until != 0)
        record_time(&k->out, FIELD_DECISION_UNTIL, until);
    record_map_init(&m, record_view(&k->out));
    if (journal)
        study_journaled(k->s, &m);
    else
        study_conclude(k->s, detector, &m);
}

static void
alert(struct kit *k, const char *subject, uint64_t severity, ns_t when)
{
    struct record_map m;

    head(k, EVENT_ALERT, when, 0);
    record_text(&k->out, FIELD_ALERT_STATE, "opened");
    record_u64(&k->out, FIELD_ALERT_SEVERITY, severity);
    record_text(&k->out, FIELD_ALERT_SUBJECT, subject);
    record_map_init(&m, record_view(&k->out));
    study_conclude(k->s, 0, &m);
}

/* It was seen to try again (or not to). */
static void
host(struct kit *k, const char *from, bool queues, uint64_t ripe, ns_t when)
{
    const struct addr a = addr_of(from);
    struct record_map m;

    head(k, EVENT_HOST, when, 0);
    record_addr(&k->out, FIELD_SRC_IP, &a);
    record_bool(&k->out, FIELD_HOST_HOME, true);
    record_u64(&k->out, FIELD_HOST_S7_RETRIED, queues ? ripe : 0);
    record_u64(&k->out, FIELD_HOST_S7_RIPE, ripe);
    record_map_init(&m, record_view(&k->out));
    study_conclude(k->s, 0, &m);
}

static const struct study_host_row *
row_of(const struct kit *k, const char *from)
{
    const struct addr a = addr_of(from);

    for (size_t i = 0; i < k->r.n_hosts; i++) {
        if (addr_cmp(&k->r.hosts[i].addr, &a) == 0)
            return &k->r.hosts[i];
    }
    fail_msg("%s is not there", from);
    return NULL;
}

/* ---- tests ---- */

static void
test_unregistered(void **state)
{
    struct kit k;

    (void)state;
    begin(&k);
    (void)add(&k, "P0", STUDY_KIND_NONE);
    add(&k, "P1", STUDY_KIND_UNREGISTERED)->from = T0 + 2 * HOUR;
    open_study(&k);
    for (unsigned i = 0; i < 20; i++) {
        send_one(&k, &(struct message){.from = "10.0.0.1",
                                       .when = T0 + i * 15 * MIN,
                                       .recipients = 2});
        send_one(&k, &(struct message){.from = "10.0.0.2",
                                       .when = T0 + i * 15 * MIN,
                                       .registered = true});
    }
    finish(&k);
    assert_int_equal(k.r.n_hosts, 2);
    assert_int_equal(k.r.policies[0].total.stopped[STUDY_ORDINARY], 0);
    /* those of the first two hours pass: 8 of 20 */
    assert_int_equal(k.r.policies[1].total.stopped[STUDY_ORDINARY], 12);
    assert_int_equal(k.r.policies[1].total.rcpt[STUDY_ORDINARY], 24);
    assert_int_equal(k.r.policies[1].total.lost_least, 12);
    assert_int_equal(k.r.policies[1].total.delayed_most, 0);
    assert_int_equal(k.r.policies[1].hosts[STUDY_LEGITIMATE], 1);
    assert_int_equal(k.r.policies[1].registered, 0);
    assert_int_equal(row_of(&k, "10.0.0.1")->outcomes[1].first, T0 + 2 * HOUR);
    assert_int_equal(k.r.policies[1].wrong.n, 2);
    assert_float_equal(k.r.policies[1].wrong.value, 0.5, 1e-12);
    end(&k);
}

/* Five at once of a bucket of three an hour: three pass; one each twenty
 * minutes after that. */
static void
test_rate(void **state)
{
    struct study_policy_plan *p;
    struct kit k;

    (void)state;
    begin(&k);
    p = add(&k, "P2", STUDY_KIND_RATE);
    p->per_hour = 3;
    p->per_day = 6;
    open_study(&k);
    for (unsigned i = 0; i < 5; i++)
        send_one(&k, &(struct message){.from = "10.0.0.1", .when = T0 + i});
    send_one(&k, &(struct message){.from = "10.0.0.1", .when = T0 + 19 * MIN});
    send_one(&k, &(struct message){.from = "10.0.0.1", .when = T0 + 21 * MIN});
    for (unsigned i = 0; i < 4; i++) /* of a day's six, two are left */
        send_one(&k, &(struct message){.from = "10.0.0.1",
                                       .when = T0 + 2 * HOUR + i});
    host(&k, "10.0.0.1", true, 3, T0 + 3 * HOUR);
    finish(&k);
    assert_int_equal(k.r.policies[0].total.stopped[STUDY_ORDINARY], 2 + 1 + 2);
    assert_int_equal(k.r.policies[0].total.delayed_least, 5);
    assert_int_equal(k.r.policies[0].total.lost_most, 0);
    end(&k);
}

static void
test_block_and_lift(void **state)
{
    struct study_policy_plan *p;
    struct kit k;

    (void)state;
    begin(&k);
    p = add(&k, "P4", STUDY_KIND_DETECTOR);
    p->latency = 60 * NS_PER_S;
    open_study(&k);
    for (unsigned i = 0; i < 60; i++) { /* a message a minute */
        send_one(&k, &(struct message){.from = "10.0.0.1",
                                       .when = T0 + i * MIN + 1,
                                       .bad = true,
                                       .recipients = 3});
        if (i == 9)
            decide(&k, 0, "block", "10.0.0.1/32", T0 + 9 * MIN + 1,
                   T0 + 29 * MIN + 1, false);
        if (i == 19)
            decide(&k, 0, "lift", "10.0.0.1/32", T0 + 19 * MIN + 1, 0, false);
    }
    finish(&k);
    assert_int_equal(row_of(&k, "10.0.0.1")->class, STUDY_BOT);
    /* in force from minute 10 to 19, both included: lifted behind 19 */
    assert_int_equal(k.r.policies[0].total.stopped[STUDY_MALICIOUS], 10);
    assert_int_equal(k.r.policies[0].total.rcpt[STUDY_MALICIOUS], 30);
    assert_int_equal(k.r.policies[0].total.before, 10);
    assert_int_equal(k.r.policies[0].total.after, 50);
    assert_int_equal(k.r.policies[0].total.after_rcpt, 150);
    assert_int_equal(k.r.policies[0].hosts[STUDY_BOT], 1);
    assert_float_equal(k.r.policies[0].total.blocked_h, 9.0 / 60, 1e-6);
    end(&k);
}

/* Nothing was planned for who comes when the stop is on: so a lift takes
 * nothing off. */
static void
test_lift_of_who_came_later(void **state)
{
    struct kit k;

    (void)state;
    begin(&k);
    add(&k, "P4", STUDY_KIND_DETECTOR)->latency = 0;
    open_study(&k);
    send_one(&k, &(struct message){.from = "2001:db8::1", .when = T0 + 1});
    decide(&k, 0, "block", "2001:db8::/64", T0 + MIN, T0 + 61 * MIN, false);
    send_one(&k,
             &(struct message){.from = "2001:db8::2", .when = T0 + 11 * MIN});
    decide(&k, 0, "lift", "2001:db8::/64", T0 + 21 * MIN, 0, false);
    finish(&k);
    assert_float_equal(k.r.policies[0].total.blocked_h, 20.0 / 60, 1e-6);
    for (size_t i = 0; i < k.r.n_hosts; i++)
        assert_true(k.r.hosts[i].outcomes[0].blocked_h >= 0);
    end(&k);
}

/* Another address of the same /64 is stopped with it. */
static void
test_ipv6(void **state)
{
    struct kit k;

    (void)state;
    begin(&k);
    add(&k, "P4", STUDY_KIND_DETECTOR)->latency = 0;
    open_study(&k);
    send_one(&k, &(struct message){.from = "2001:db8::1", .when = T0 + 1});
    send_one(&k, &(struct message){.from = "2001:db8::2", .when = T0 + 2});
    send_one(&k, &(struct message){.from = "2001:db8:0:1::2", .when = T0 + 3});
    decide(&k, 0, "block", "2001:db8::/64", T0 + 4, T0 + HOUR, false);
    send_one(&k, &(struct message){.from = "2001:db8::2", .when = T0 + 5});
    send_one(&k, &(struct message){.from = "2001:db8:0:1::2", .when = T0 + 6});
    finish(&k);
    assert_int_equal(
        row_of(&k, "2001:db8::2")->outcomes[0].stopped[STUDY_MALICIOUS], 1);
    assert_int_equal(row_of(&k, "2001:db8:0:1::2")->outcomes[0].first, 0);
    assert_int_not_equal(row_of(&k, "2001:db8::1")->outcomes[0].first, 0);
    end(&k);
}

static void
test_alerts(void **state)
{
    struct study_policy_plan *p;
    struct kit k;

    (void)state;
    begin(&k);
    p = add(&k, "P3", STUDY_KIND_ALERTS);
    p->alerts = 2;
    p->latency = 0;
    p->ttl = HOUR;
    open_study(&k);
    send_one(&k, &(struct message){.from = "10.0.0.1", .when = T0 + 1});
    alert(&k, "10.0.0.1", 2, T0 + 2);
    alert(&k, "10.0.0.1", 3, T0 + 3); /* too low to count */
    send_one(&k, &(struct message){.from = "10.0.0.1", .when = T0 + 4});
    alert(&k, "10.0.0.1 lease 0123", 1, T0 + 5);
    alert(&k, "10.0.0.1", 1, T0 + 6); /* while stopped none counts */
    send_one(&k, &(struct message){.from = "10.0.0.1", .when = T0 + 7});
    send_one(&k, &(struct message){.from = "10.0.0.1", .when = T0 + HOUR + 5});
    alert(&k, "10.0.0.1", 1, T0 + HOUR + 6);
    send_one(&k, &(struct message){.from = "10.0.0.1", .when = T0 + HOUR + 7});
    finish(&k);
    assert_int_equal(row_of(&k, "10.0.0.1")->outcomes[0].blocks, 1);
    assert_int_equal(k.r.policies[0].total.stopped[STUDY_UNCLEAR], 1);
    assert_int_equal(k.r.policies[0].total.before + 0, 0);
    end(&k);
}

/* Who registers in the days of grace is not stopped behind them; a bot is. */
static void
test_grace(void **state)
{
    struct study_policy_plan *p;
    struct kit k;

    (void)state;
    begin(&k);
    p = add(&k, "all", STUDY_KIND_GRACE);
    p->grace = 1;
    p->answer = 1;
    p = add(&k, "nobody", STUDY_KIND_GRACE);
    p->grace = 1;
    p->answer = 0;
    open_study(&k);
    for (unsigned i = 0; i < 48; i++) {
        send_one(&k, &(struct message){.from = "10.0.0.1",
                                       .when = T0 + i * HOUR + 1});
        send_one(&k, &(struct message){.from = "10.0.0.2",
                                       .when = T0 + i * HOUR + 2,
                                       .bad = true});
        if (i == 0)
            decide(&k, 0, "block", "10.0.0.2/32", T0 + 3, T0 + HOUR, false);
        if (i == 30) /* was never there in the days of grace */
            send_one(&k, &(struct message){.from = "10.0.0.3",
                                           .when = T0 + i * HOUR + 3});
    }
    finish(&k);
    assert_int_equal(row_of(&k, "10.0.0.1")->class, STUDY_LEGITIMATE);
    assert_int_equal(row_of(&k, "10.0.0.1")->outcomes[0].first, 0);
    assert_int_equal(
        row_of(&k, "10.0.0.1")->outcomes[1].stopped[STUDY_ORDINARY], 24);
    assert_int_equal(
        row_of(&k, "10.0.0.2")->outcomes[0].stopped[STUDY_MALICIOUS], 24);
    assert_int_equal(row_of(&k, "10.0.0.3")->outcomes[0].stopped[STUDY_UNCLEAR],
                     1);
    end(&k);
}

/* ---- what a stop does to ordinary mail ---- */

static void
test_delayed_or_lost(void **state)
{
    static const char *const from[] = {"10.0.0.1", "10.0.0.2", "10.0.0.3"};
    struct study_policy_plan *p;
    struct kit k;

    (void)state;
    begin(&k);
    p = add(&k, "P3", STUDY_KIND_ALERTS);
    p->latency = 0;
    p->ttl = HOUR;
    open_study(&k);
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned n = 0; n < 12; n++)
            send_one(&k,
                     &(struct message){.from = from[i], .when = T0 + n + 1});
        alert(&k, from[i], 1, T0 + MIN);
        /* 50 minutes are left of the stop: the second retry, an hour on */
        send_one(&k, &(struct message){.from = from[i], .when = T0 + 11 * MIN});
    }
    host(&k, from[0], true, 4, T0 + DAY);
    host(&k, from[1], false, 4, T0 + DAY);
    finish(&k);
    assert_int_equal(row_of(&k, from[0])->outcomes[0].lost_most, 0);
    assert_int_equal(row_of(&k, from[0])->outcomes[0].delayed_least, 1);
    assert_float_equal(row_of(&k, from[0])->outcomes[0].delay_h, 1, 1e-9);
    assert_int_equal(row_of(&k, from[1])->outcomes[0].lost_least, 1);
    assert_int_equal(row_of(&k, from[1])->outcomes[0].delayed_most, 0);
    assert_int_equal(row_of(&k, from[2])->outcomes[0].lost_least, 0);
    assert_int_equal(row_of(&k, from[2])->outcomes[0].lost_most, 1);
    assert_int_equal(row_of(&k, from[2])->outcomes[0].delayed_most, 1);
    assert_int_equal(k.r.policies[0].devices, 1);
    end(&k);
}

/* ---- shares ---- */

/* Of large messages half are cut: what they had counts twice. An hour of which
 * more than a twentieth was not seen is left out. */
static void
test_shares(void **state)
{
    const struct study_share *all;
    struct kit k;

    (void)state;
    begin(&k);
    (void)add(&k, "P0", STUDY_KIND_NONE);
    open_study(&k);
    for (unsigned i = 0; i < 10; i++) {
        char from[16];

        (void)snprintf(from, sizeof(from), "10.0.1.%u", i + 1);
        send_one(&k, &(struct message){.from = from, .when = T0 + i + 1});
        send_one(&k, &(struct message){.from = from,
                                       .when = T0 + i + 1,
                                       .bytes = 2000000,
                                       .class = i < 5 ? "A" : "C"});
        send_one(&k, &(struct message){.from = from,
                                       .when = T0 + i + 1,
                                       .bytes = 2000000,
                                       .cut = true});
        /* cannot be looked into: it is in no share */
        send_one(&k, &(struct message){
                         .from = from, .when = T0 + i + 1, .class = "D"});
    }
    session(&k, "10.0.1.1", T0 + 100, 95001, 4999);
    for (unsigned i = 0; i < 10; i++) /* an hour with a loss of 10 % */
        send_one(&k, &(struct message){.from = "10.0.1.1",
                                       .when = T0 + HOUR + i + 1,
                                       .class = "A"});
    session(&k, "10.0.1.1", T0 + HOUR + 100, 90000, 10000);
    send_one(&k, &(struct message){.from = "203.0.113.9",
                                   .when = T0 + 2 * HOUR,
                                   .inward = true,
                                   .class = "A"});
    finish(&k);
    assert_int_equal(k.r.hours_refused, 1);
    assert_int_equal(k.r.messages_refused, 10);
    assert_float_equal(k.r.q[5], 0.5, 1e-12);
    assert_int_equal(k.r.n_shares, 2 * STUDY_GROUP_COUNT);
    all = &k.r.shares[2 * STUDY_GROUP_UNREGISTERED];
    assert_int_equal(all->group, STUDY_GROUP_UNREGISTERED);
    assert_false(all->spam);
    assert_float_equal(all->raw.k, 5, 1e-9);
    assert_float_equal(all->raw.n, 20, 1e-9);
    /* small ones were whole: what cannot be looked into is not lost */
    assert_float_equal(all->weighted.k, 10, 1e-9);
    assert_float_equal(all->weighted.n, 30, 1e-9);
    assert_float_equal(all->hosts.value, 0.5, 1e-9);
    assert_int_equal(k.r.shares[2 * STUDY_GROUP_OUTSIDE].senders, 1);
    assert_true(isnan(k.r.shares[2 * STUDY_GROUP_OUTSIDE].raw.low));
    end(&k);
}

/* ---- bounds, parts of the window, comparing ---- */

static void
test_no_room(void **state)
{
    struct kit k;

    (void)state;
    begin(&k);
    k.o.home = 3;
    k.o.outside = 1;
    (void)add(&k, "P1", STUDY_KIND_UNREGISTERED);
    open_study(&k);
    for (unsigned i = 0; i < 9; i++) {
        char from[16];

        (void)snprintf(from, sizeof(from), "10.0.1.%u", i + 1);
        send_one(&k, &(struct message){.from = from, .when = T0 + i + 1});
        send_one(&k, &(struct message){
                         .from = from, .when = T0 + i + 1, .inward = true});
    }
    finish(&k);
    assert_int_equal(k.r.n_hosts, 3);
    assert_int_equal(k.r.hosts_refused, 6 + 8);
    end(&k);
}

static void
test_holdout(void **state)
{
    struct kit k;

    (void)state;
    begin(&k);
    k.o.to = T0 + 4 * DAY;
    k.o.holdout = 2 * DAY;
    (void)add(&k, "P1", STUDY_KIND_UNREGISTERED);
    open_study(&k);
    for (unsigned i = 0; i < 120; i++) /* from a day before to a day behind */
        send_one(&k, &(struct message){.from = "10.0.0.1",
                                       .when = T0 - DAY + i * HOUR + 1});
    finish(&k);
    assert_int_equal(k.r.holdout, T0 + 2 * DAY);
    assert_int_equal(row_of(&k, "10.0.0.1")->messages, 48);
    assert_int_equal(row_of(&k, "10.0.0.1")->outcomes[0].first, T0);
    assert_int_equal(k.r.policies[0].total.stopped[STUDY_ORDINARY], 48);
    assert_int_equal(k.r.n_hours, 96);
    assert_int_equal(k.r.n_days, 4);
    assert_true(k.r.days[2].holdout && !k.r.days[1].holdout);
    end(&k);
}

static void
test_decisions_compared(void **state)
{
    struct kit k;

    (void)state;
    begin(&k);
    (void)add(&k, "P4", STUDY_KIND_DETECTOR);
    open_study(&k);
    send_one(&k, &(struct message){.from = "10.0.0.1", .when = T0 + 1});
    decide(&k, 0, "block", "10.0.0.1/32", T0 + 5000, T0 + HOUR, false);
    decide(&k, 0, "block", "10.0.0.1/32", T0 + 5000, T0 + HOUR, true);
    decide(&k, 0, "hold", "10.0.0.2/32", T0 + 6000, 0, false); /* here alone */
    decide(&k, 0, "hold", "10.0.0.1/32", T0 + 7000, 0, false);
    decide(&k, 0, "hold", "10.0.0.1/32", T0 + 7000, 0, true);
    decide(&k, 0, "lift", "10.0.0.1/32", T0 + 8000, 0, true); /* only there */
    finish(&k);
    assert_int_equal(k.r.decisions_journal, 3);
    assert_int_equal(k.r.decisions_same, 2);
    assert_int_equal(k.r.decisions_here, 3);
    assert_non_null(k.r.decisions_differ);
    assert_non_null(strstr(k.r.decisions_differ, "lift of 10.0.0.1/32"));
    end(&k);
}

/* ---- going on later ---- */

static void
play(struct kit *k, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char host_[16];

        (void)snprintf(host_, sizeof(host_), "10.0.0.%u", i % 7 + 1);
        send_one(k, &(struct message){.from = host_,
                                      .when = T0 + i * 17 * MIN,
                                      .bad = i % 3 == 0,
                                      .registered = i % 7 == 2,
                                      .class = i % 5 == 0 ? "A" : NULL});
        send_one(k, &(struct message){.from = "203.0.113.1",
                                      .when = T0 + i * 17 * MIN + 1,
                                      .inward = true});
        if (i % 20 == 7)
            decide(k, 0, "block", "10.0.0.1/32", T0 + i * 17 * MIN + 2,
                   T0 + (i + 9) * 17 * MIN, false);
    }
}

static void
set_up(struct kit *k)
{
    begin(k);
    (void)add(k, "P1", STUDY_KIND_UNREGISTERED);
    (void)add(k, "P2", STUDY_KIND_RATE);
    (void)add(k, "P4", STUDY_KIND_DETECTOR);
    (void)add(k, "P5", STUDY_KIND_GRACE);
    open_study(k);
}

static void
test_saved_anywhere(void **state)
{
    enum { N = 60 };
    struct kit whole, half;
    struct buf saved;

    (void)state;
    set_up(&whole);
    play(&whole, 0, N);
    finish(&whole);
    for (unsigned at = 0; at <= N; at += 7) {
        buf_init(&saved, 1ULL << 30);
        set_up(&half);
        play(&half, 0, at);
        assert_int_equal(study_save(half.s, &saved), ERR_OK);
        study_free(half.s);
        assert_int_equal(study_new(&half.o, &half.s), ERR_OK);
        assert_int_equal(study_load(half.s, buf_view(&saved)), ERR_OK);
        play(&half, at, N);
        finish(&half);
        assert_int_equal(half.r.n_hosts, whole.r.n_hosts);
        for (size_t p = 0; p < whole.r.n_policies; p++)
            assert_memory_equal(&half.r.policies[p].total,
                                &whole.r.policies[p].total,
                                sizeof(half.r.policies[p].total));
        assert_memory_equal(half.r.cells, whole.r.cells, sizeof(half.r.cells));
        assert_memory_equal(half.r.hours, whole.r.hours,
                            half.r.n_hours * sizeof(*half.r.hours));
        end(&half);
        buf_free(&saved);
    }
    end(&whole);
}

/* Any byte of it changed, any end cut off: loaded, or refused, never worse. */
static void
test_saved_and_damaged(void **state)
{
    struct kit k;
    struct buf saved;
    size_t loaded = 0;

    (void)state;
    buf_init(&saved, 1ULL << 30);
    set_up(&k);
    play(&k, 0, 30);
    assert_int_equal(study_save(k.s, &saved), ERR_OK);
    study_free(k.s);
    for (size_t at = 0; at < saved.n; at += 1 + at / 64) {
        const uint8_t was = saved.p[at];

        saved.p[at] = (uint8_t)~was;
        assert_int_equal(study_new(&k.o, &k.s), ERR_OK);
        loaded += study_load(k.s, buf_view(&saved)) == ERR_OK;
        study_free(k.s);
        saved.p[at] = was;
        assert_int_equal(study_new(&k.o, &k.s), ERR_OK);
        assert_int_not_equal(study_load(k.s, span_head(buf_view(&saved), at)),
                             ERR_OK);
        study_free(k.s);
    }
    assert_true(loaded > 0); /* a count is as good as another */
    assert_int_equal(study_new(&k.o, &k.s), ERR_OK);
    buf_free(&saved);
    end(&k);
}

static void
test_refused_plans(void **state)
{
    struct kit k;

    (void)state;
    begin(&k);
    (void)add(&k, "P1", STUDY_KIND_UNREGISTERED);
    k.o = (struct study_options){.plan = &k.plan,
                                 .detectors = k.detectors,
                                 .from = T0,
                                 .to = T0 + 401 * DAY};
    assert_int_equal(study_new(&k.o, &k.s), ERR_LIMIT);
    k.o.to = T0;
    assert_int_equal(study_new(&k.o, &k.s), ERR_LIMIT);
    k.o.to = T0 + DAY;
    k.o.holdout = DAY;
    assert_int_equal(study_new(&k.o, &k.s), ERR_USAGE);
    k.o.holdout = 0;
    assert_int_equal(study_new(&k.o, &k.s), ERR_OK);
    finish(&k); /* nothing came */
    assert_int_equal(k.r.n_hosts, 0);
    end(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unregistered),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_block_and_lift),
        cmocka_unit_test(test_lift_of_who_came_later),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_grace),
        cmocka_unit_test(test_delayed_or_lost),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_holdout),
        cmocka_unit_test(test_decisions_compared),
        cmocka_unit_test(test_saved_anywhere),
        cmocka_unit_test(test_saved_and_damaged),
        cmocka_unit_test(test_refused_plans),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
