#include "rules/alert/alerts.h"

#include "rules/alert/alerts_test_kit.h"
#include "alloc_fails.h"

#define RULE   "11111111-2222-3333-4444-555555555555"
#define CLIENT ", \"src_ip\": \"10.2.3.4\", \"dest_ip\": \"192.0.2.9\""
#define OUT    ", \"direction\": \"outbound\""

struct desk {
    struct kit k;
    struct alerts *a;
    struct exceptions *x;
    struct alert_rule rule;
    struct span matched;
};

static void
desk_open(struct desk *d)
{
    static const struct span tags[] = {
        SPAN_INIT("attack.t1566.001"),
        SPAN_INIT("attack.initial-access"),
        SPAN_INIT("span25.x"),
        SPAN_INIT("attack.T1071.003"),
    };

    *d = (struct desk){
        .rule = {.id = SPAN_LIT(RULE),
                 .title = SPAN_LIT("Many refused recipients"),
                 .level = SPAN_LIT("high"),
                 .pack = SPAN_LIT("behaviour"),
                 .tags = tags,
                 .n_tags = ARRAY_LEN(tags),
                 .hash = 0x123},
    };
    d->matched = SPAN_LIT("selection: smtp.outcome: rejected\n");
    kit_open(&d->k);
    assert_int_equal(exceptions_new(&d->x), ERR_OK);
    assert_int_equal(
        alerts_new(&(struct alerts_options){.seed = 7, .exceptions = d->x},
                   &d->a),
        ERR_OK);
}

static void
desk_close(struct desk *d)
{
    alerts_free(d->a);
    exceptions_free(d->x);
    kit_close(&d->k);
}

static void
match_event(struct desk *d, const struct record_map *event, double figure)
{
    struct record_sink sink = kit_sink(&d->k);
    struct alert_match m = {
        .rule = d->rule,
        .event = event,
        .when = record_head_of(event->record).when,
        .matched = d->matched,
        .correlation = figure > 0,
        .figure = figure,
        .timespan = SPAN_LIT("10m"),
        .limit = SPAN_LIT("60"),
    };

    alerts_match(d->a, &m, &sink);
}

static void
match(struct desk *d, ns_t at, const char *more)
{
    match_event(d, kit_event(&d->k, "smtp", at, more), 0);
}

static void
pass(struct desk *d, ns_t at)
{
    struct record_sink sink = kit_sink(&d->k);

    alerts_time(d->a, KIT_EPOCH + at, &sink);
}

/* ---- episodes ---- */

static void
opens(void **state)
{
    static const char *const want[] = {
        "\"event_type\":\"alert\"",
        "\"src_ip\":\"10.2.3.4\"",
        "\"state\":\"opened\"",
        "\"signature\":\"Many refused recipients\"",
        "\"severity\":1",
        "\"category\":\"behaviour\"",
        "\"metadata\":{\"attack\":[\"T1566.001\",\"T1071.003\"]}",
        "\"rule\":\"" RULE "\"",
        "\"rule_hash\":\"0000000000000123\"",
        "\"level\":\"high\"",
        "\"subject\":\"10.2.3.4\"",
        "\"site\":\"lakeside\"",
        "\"reason\":\"10.2.3.4 (lakeside, not registered): Many refused "
        "recipients\"",
        "\"count\":1",
        "\"matched\":[\"selection: smtp.outcome: rejected\"]",
        "\"role\":\"first\",\"event_id\":\"0000000000000001\"",
        "\"role\":\"worst\",\"event_id\":\"0000000000000001\"",
        "\"role\":\"latest\",\"event_id\":\"0000000000000001\"",
        "\"sight\":\"envelope\"",
        "\"name\":\"s1\",\"result\":\"not_observable\",\"observed\":\"no "
        "statistics of this host by then\"",
        "\"block\":{\"scope\":\"tcp/25 outbound from 10.2.3.4/32\"}",
    };
    struct desk d;

    (void)state;
    desk_open(&d);
    match(&d, 0,
          CLIENT OUT ", \"src_reg\": {\"state\": \"unregistered\", \"site\": "
                     "\"lakeside\"}");
    assert_int_equal(d.k.n_told, 1);
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        kit_has("opened", kit_told(&d.k, 0), want[i]);
    kit_lacks("nobody else", kit_told(&d.k, 0), "\"related\"");
    kit_lacks("not silenced", kit_told(&d.k, 0), "\"silenced\"");
    assert_int_equal(alerts_counts(d.a).open, 1);
    desk_close(&d);
}

/* What is told after an opening at 0, of a second match. */
static void
quiet(void **state)
{
    static const struct {
        const char *why;
        ns_t at;
        bool ended;
    } rows[] = {
        {"a microsecond before", ALERTS_QUIET - NS_PER_US, false},
        {"exactly",              ALERTS_QUIET,             true },
        {"a microsecond after",  ALERTS_QUIET + NS_PER_US, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct desk d;

        desk_open(&d);
        match(&d, 0, CLIENT OUT);
        kit_forget(&d.k);
        match(&d, rows[i].at, CLIENT OUT);
        print_message("%s\n", rows[i].why);
        assert_int_equal(d.k.n_told, rows[i].ended ? 2 : 0);
        if (rows[i].ended) {
            kit_has(rows[i].why, kit_told(&d.k, 0), "\"state\":\"ended\"");
            kit_has(rows[i].why, kit_told(&d.k, 1), "\"state\":\"opened\"");
            kit_has(rows[i].why, kit_told(&d.k, 1),
                    "\"event_id\":\"0000000000000002\"");
        }
        assert_int_equal(alerts_counts(d.a).open, 1);
        assert_int_equal(alerts_counts(d.a).ended, rows[i].ended);
        desk_close(&d);
    }
}

/* The same by the passing of time alone, to the nanosecond. */
static void
quiet_ticks(void **state)
{
    struct desk d;

    (void)state;
    desk_open(&d);
    match(&d, 0, CLIENT OUT);
    pass(&d, ALERTS_QUIET - 1);
    assert_int_equal(d.k.n_told, 1);
    pass(&d, ALERTS_QUIET);
    assert_int_equal(d.k.n_told, 2);
    pass(&d, ALERTS_QUIET + 1);
    assert_int_equal(d.k.n_told, 2);
    assert_int_equal(alerts_counts(d.a).open, 0);
    /* Time that goes back does nothing. */
    pass(&d, 0);
    assert_int_equal(d.k.n_told, 2);
    desk_close(&d);
}

static void
grows(void **state)
{
    struct desk d;

    (void)state;
    desk_open(&d);
    for (unsigned i = 0; i < 9; i++)
        match(&d, ALERTS_REPEAT + i, CLIENT OUT);
    assert_int_equal(d.k.n_told, 1); /* nine: not ten times one */
    match(&d, ALERTS_REPEAT + NS_PER_S, CLIENT OUT);
    assert_int_equal(d.k.n_told, 1); /* ten, but told of a second ago */
    pass(&d, 2 * ALERTS_REPEAT - 1);
    assert_int_equal(d.k.n_told, 1);
    pass(&d, 2 * ALERTS_REPEAT);
    assert_int_equal(d.k.n_told, 2);
    kit_has("ten times", kit_told(&d.k, 1), "\"state\":\"ongoing\"");
    kit_has("ten times", kit_told(&d.k, 1), "\"count\":10");
    pass(&d, 4 * ALERTS_REPEAT);
    for (unsigned i = 0; i < 89; i++)
        match(&d, 4 * ALERTS_REPEAT + i, CLIENT OUT);
    assert_int_equal(d.k.n_told, 2);
    match(&d, 4 * ALERTS_REPEAT + NS_PER_S, CLIENT OUT);
    assert_int_equal(d.k.n_told, 3); /* a hundred, and long not told of */
    desk_close(&d);
}

/* What is still untold when the input is over. */
static void
the_end_tells_all(void **state)
{
    struct desk d;
    struct record_sink sink;

    (void)state;
    desk_open(&d);
    sink = kit_sink(&d.k);
    for (unsigned i = 0; i < 3; i++)
        match(&d, i, CLIENT OUT);
    alerts_end(d.a, KIT_EPOCH + 9, &sink);
    assert_int_equal(d.k.n_told, 2);
    kit_has("the end", kit_told(&d.k, 1), "\"state\":\"ongoing\"");
    kit_has("the end", kit_told(&d.k, 1), "\"count\":3");
    alerts_end(d.a, KIT_EPOCH + 9, &sink);
    assert_int_equal(d.k.n_told, 2); /* once */
    assert_int_equal(alerts_counts(d.a).open, 1);
    desk_close(&d);
}

static void
repeats_are_limited(void **state)
{
    struct desk d;

    (void)state;
    desk_open(&d);
    for (unsigned i = 0; i < 3600; i++) {
        char more[256];

        (void)snprintf(more, sizeof(more),
                       CLIENT OUT ", \"smtp\": {\"rcpt_refused\": %u}", i + 1);
        match(&d, i * NS_PER_S, more);
    }
    /* Worse each second, told each ten minutes: at 0, 600, ... 3000, before the
     * match of that second. */
    assert_int_equal(d.k.n_told, 6);
    kit_has("the last", kit_told(&d.k, 5), "\"count\":3000");
    desk_close(&d);
}

static void
worst(void **state)
{
    static const struct {
        const char *why, *type, *mild, *bad;
    } rows[] = {
        {"more recipients refused",  "smtp",     ", \"smtp\": {\"rcpt_refused\": 3}",
         ", \"smtp\": {\"rcpt_refused\": 4}"                                                                                                         },
        {"points before recipients", "smtp",
         ", \"smtp\": {\"rcpt_refused\": 99}",                                         ", \"smtp\": {\"rcpt_refused\": 1}, \"email\": {\"score\": 1}"},
        {"class A before B",         "fileinfo", ", \"fileinfo\": {\"class\": \"B\"}",
         ", \"fileinfo\": {\"class\": \"A\"}"                                                                                                        },
        {"a class before none",      "fileinfo", "",
         ", \"fileinfo\": {\"class\": \"D\"}"                                                                                                        },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        static const char *const order[] = {"mild", "bad", "mild", "bad"};
        struct desk d;

        desk_open(&d);
        for (size_t j = 0; j < ARRAY_LEN(order); j++) {
            char more[512];

            (void)snprintf(more, sizeof(more), CLIENT OUT "%s",
                           j % 2 == 0 ? rows[i].mild : rows[i].bad);
            match_event(&d, kit_event(&d.k, rows[i].type, j, more), 0);
        }
        pass(&d, ALERTS_QUIET + NS_PER_S);
        kit_has(rows[i].why, kit_told(&d.k, d.k.n_told - 1),
                "\"role\":\"first\",\"event_id\":\"0000000000000001\"");
        kit_has(rows[i].why, kit_told(&d.k, d.k.n_told - 1),
                "\"role\":\"worst\",\"event_id\":\"0000000000000002\"");
        kit_has(rows[i].why, kit_told(&d.k, d.k.n_told - 1),
                "\"role\":\"latest\",\"event_id\":\"0000000000000004\"");
        desk_close(&d);
    }
}

/* Host events are judged by the statistics that the rule asked for and met. */
static const struct {
    const char *why, *matched, *event[3]; /* inside "host" */
    const char *worst;                    /* id */
} worst_rows[] = {
    {"a higher share of the limit",
     "a: host.s1.score|gte: 9200\nb: host.s3.score|gte: 6900\n", {"\"s3\": {\"score\": 9000, \"limit\": 6900}",
      "\"s1\": {\"score\": 13000, \"limit\": 9200}", ""},
     "2"},
    {"of two that agree, their sum",
     "a: host.s1.score|gte: 9200\nb: host.s3.score|gte: 6900\n", {"\"s1\": {\"score\": 50000, \"limit\": 9200},"
      "\"s3\": {\"score\": 20000, \"limit\": 6900}",
      "\"s1\": {\"score\": 50000, \"limit\": 9200},"
      "\"s3\": {\"score\": 30000, \"limit\": 6900}",
      "\"s1\": {\"score\": 49000, \"limit\": 9200},"
      "\"s3\": {\"score\": 30000, \"limit\": 6900}"},
     "2"},
    {"one statistic more is worse",
     "a: host.s1.score|gte: 9200\nb: host.s3.score|gte: 6900\n"
     "c: host.s5.messages|gte: 1\n",                             {"\"s1\": {\"score\": 50000, \"limit\": 9200}",
      "\"s1\": {\"score\": 50000, \"limit\": 9200},"
      "\"s5\": {\"messages\": 1}",
      "\"s1\": {\"score\": 59000, \"limit\": 9200}"},
     "2"},
    {"one that is met early and no more does not keep it at its start",
     "a: host.s1.score|gte: 9200\nb: host.s2.score|gte: 6900\n", {"\"s1\": {\"score\": 22409, \"limit\": 9200},"
      "\"s2\": {\"score\": 7653, \"limit\": 6900}",
      "\"s1\": {\"score\": 172372, \"limit\": 9200}", ""},
     "2"},
    {"figures past all bounds are not milder",
     "a: host.s1.score|gte: 9200\nb: host.s3.score|gte: 6900\n", {"\"s1\": {\"score\": 10000, \"limit\": 9200},"
      "\"s3\": {\"score\": 90000, \"limit\": 6900}",
      "\"s1\": {\"score\": 9223372036854775807, \"limit\": 1},"
      "\"s3\": {\"score\": 9223372036854775807, \"limit\": 1}",
      ""},
     "2"},
    {"not of what it did not ask for",
     "a: host.s1.score|gte: 9200\n",                             {"\"s1\": {\"score\": 10000, \"limit\": 9200},"
      "\"s3\": {\"score\": 90000, \"limit\": 6900}",
      "\"s1\": {\"score\": 13000, \"limit\": 9200},"
      "\"s3\": {\"score\": 7000, \"limit\": 6900}",
      "\"s1\": {\"score\": 12000, \"limit\": 9200}"},
     "2"},
    {"not of what was to be small",
     "a: host.s1.score|lt: 9200\n",                              {"\"s1\": {\"score\": 9000, \"limit\": 9200}",
      "\"s1\": {\"score\": 8000, \"limit\": 9200}", ""},
     "3"},
    {"s1t is not s1",
     "a: host.s1t.score|gte: 9200\n",                            {"\"s1\": {\"score\": 90000, \"limit\": 9200}",
      "\"s1t\": {\"score\": 9300, \"limit\": 9200}", ""},
     "2"},
    {"a count, where it has no score",
     "a: host.s5.messages|gte: 1\n",                             {"\"s5\": {\"messages\": 2}", "\"s5\": {\"messages\": 7}",
      "\"s5\": {\"messages\": 6}"},
     "2"},
    {"the later of equals, whose counts are the most",
     "a: host.s1.score|gte: 9200\n",                             {"\"s1\": {\"score\": 13000, \"limit\": 9200}",
      "\"s1\": {\"score\": 13000, \"limit\": 9200}",
      "\"s1\": {\"score\": 9000, \"limit\": 9200}"},
     "2"},
    {"no limit in the event",
     "a: host.s1.score|gte: 9200\n",                             {"\"s1\": {\"score\": 13000}", "\"s1\": {\"score\": 10, \"limit\": 9200}",
      ""},
     "2"},
};

static void
worst_of_host(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(worst_rows); i++) {
        struct desk d;
        char want[64];

        desk_open(&d);
        d.matched = span_str(worst_rows[i].matched);
        for (size_t j = 0; j < ARRAY_LEN(worst_rows[i].event); j++) {
            char more[512];

            (void)snprintf(more, sizeof(more), CLIENT OUT ", \"host\": {%s}",
                           worst_rows[i].event[j]);
            match_event(&d, kit_event(&d.k, "host", j, more), 0);
        }
        pass(&d, ALERTS_QUIET + NS_PER_S);
        (void)snprintf(want, sizeof(want),
                       "\"role\":\"worst\",\"event_id\":\"000000000000000%s\"",
                       worst_rows[i].worst);
        kit_has(worst_rows[i].why, kit_told(&d.k, d.k.n_told - 1), want);
        desk_close(&d);
    }
}

static void
level_rises(void **state)
{
    struct desk d;

    (void)state;
    desk_open(&d);
    d.rule.level = SPAN_LIT("medium");
    match(&d, 0, CLIENT OUT);
    d.rule.level = SPAN_LIT("critical");
    d.rule.hash = 0x124;
    match(&d, ALERTS_REPEAT, CLIENT OUT);
    assert_int_equal(d.k.n_told, 2);
    kit_has("it was", kit_told(&d.k, 0), "\"severity\":2");
    kit_has("it is", kit_told(&d.k, 1), "\"severity\":1");
    kit_has("it is", kit_told(&d.k, 1), "\"level\":\"high\"");
    kit_has("its text", kit_told(&d.k, 1),
            "\"rule_hash\":\"0000000000000124\"");
    desk_close(&d);
}

static void
id_of(struct desk *d, char out[17])
{
    const char *at = strstr(kit_told(&d->k, 0), "\"alert\":{\"id\":\"");

    assert_non_null(at);
    at += sizeof("\"alert\":{\"id\":\"") - 1;
    memcpy(out, at, 16);
    out[16] = 0;
}

static void
ids(void **state)
{
    static const struct {
        const char *why, *rule, *more;
        unsigned before; /* events before, so another event id */
        bool same;
    } rows[] = {
        {"the same again",  RULE,    CLIENT OUT,                         0, true },
        {"another rule",    "other", CLIENT OUT,                         0, false},
        {"another event",   RULE,    CLIENT OUT,                         1, false},
        {"another subject", RULE,    ", \"src_ip\": \"10.2.3.5\"",       0, false},
        {"another lease",   RULE,
         CLIENT OUT ", \"src_host\": {\"lease\": \"0123456789abcdef\"}", 0,
         false                                                                   },
    };
    char first[17], other[17];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct desk d;

        desk_open(&d);
        if (i == 0) {
            struct desk e;

            desk_open(&e);
            match(&e, 0, CLIENT OUT);
            id_of(&e, first);
            desk_close(&e);
        }
        d.rule.id = span_str(rows[i].rule);
        d.k.events = rows[i].before;
        match(&d, 0, rows[i].more);
        id_of(&d, other);
        if ((strcmp(first, other) == 0) != rows[i].same)
            fail_msg("%s: %s %s", rows[i].why, first, other);
        desk_close(&d);
    }
}

/* ---- subjects ---- */

static void
subjects(void **state)
{
    static const struct {
        const char *why, *subject, *group, *more, *want;
        bool blockable;
    } rows[] = {
        {"the client",                 "",       "",             CLIENT OUT,                            "\"subject\":\"10.2.3.4\"",          true },
        {"the server",                 "server", "",             CLIENT ", \"direction\": \"inbound\"",
         "\"subject\":\"192.0.2.9\"",                                                                                                        false},
        {"a lease",                    "client", "",
         CLIENT OUT ", \"src_host\": {\"lease\": \"0123456789abcdef\"}",
         "\"subject\":\"10.2.3.4 lease 0123456789abcdef\"",                                                                                  true },
        {"an outside IPv6 client",     "",       "",
         ", \"src_ip\": \"2001:db8:1:2:3::4\", \"direction\": \"inbound\"",                             "\"subject\":\"2001:db8:1:2::/64\"", false},
        {"an IPv6 client at home",     "",       "",
         ", \"src_ip\": \"2001:db8:1:2:3::4\", \"direction\": \"outbound\"",                            "\"subject\":\"2001:db8:1:2:3::4\"", true },
        {"an outside IPv4 client",     "",       "",
         ", \"src_ip\": \"198.51.100.7\", \"direction\": \"inbound\"",                                  "\"subject\":\"198.51.100.7\"",      false},
        {"a group that is the client", "",       "10.2.3.4",     CLIENT OUT,
         "\"subject\":\"10.2.3.4\"",                                                                                                         true },
        {"a group that is the server", "",       "192.0.2.9",    CLIENT OUT,
         "\"subject\":\"192.0.2.9\"",                                                                                                        false},
        {"a group that is neither",    "",       "10.9.9.9",     CLIENT OUT,
         "\"subject\":\"10.9.9.9\"",                                                                                                         true },
        {"a group that is no address", "",       "evil.example", CLIENT OUT,
         "\"subject\":\"10.2.3.4\"",                                                                                                         true },
        {"no address at all",          "",       "",             "",                                    "\"subject\":\"unknown\"",           false},
        {"a registered client",        "",       "",
         CLIENT OUT ", \"src_reg\": {\"state\": \"registered\"}",
         "\"subject\":\"10.2.3.4\"",                                                                                                         false},
        {"a protected client",         "",       "",
         CLIENT OUT ", \"src_reg\": {\"state\": \"unregistered\", "
                    "\"protected\": true}",                                                             "\"subject\":\"10.2.3.4\"",          false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct record_sink sink;
        struct alert_match m;
        struct desk d;

        desk_open(&d);
        sink = kit_sink(&d.k);
        m = (struct alert_match){
            .rule = d.rule,
            .event = kit_event(&d.k, "smtp", 0, rows[i].more),
            .when = KIT_EPOCH,
            .correlation = rows[i].group[0] != '\0',
            .group_subject = span_str(rows[i].group),
            .figure = 3,
        };
        m.rule.subject = span_str(rows[i].subject);
        alerts_match(d.a, &m, &sink);
        kit_has(rows[i].why, kit_told(&d.k, 0), rows[i].want);
        (rows[i].blockable ? kit_has : kit_lacks)(
            rows[i].why, kit_told(&d.k, 0), "\"block\":{");
        desk_close(&d);
    }
}

static void
two_leases_are_two(void **state)
{
    struct desk d;

    (void)state;
    desk_open(&d);
    match(&d, 0,
          CLIENT OUT ", \"src_host\": {\"lease\": \"00000000000000aa\"}");
    match(&d, 1,
          CLIENT OUT ", \"src_host\": {\"lease\": \"00000000000000bb\"}");
    assert_int_equal(alerts_counts(d.a).open, 2);
    desk_close(&d);
}

/* ---- silence ---- */

static void
silenced(void **state)
{
    struct desk d;

    (void)state;
    desk_open(&d);
    assert_int_equal(
        exceptions_event(
            d.x, kit_event(&d.k, "control", 0,
                           ", \"control\": {\"kind\": \"exception\", "
                           "\"action\": \"add\", \"subject\": \"10.2.3.0/24\", "
                           "\"exception\": \"00000000000000e1\", "
                           "\"from\": \"both\", "
                           "\"until\": \"2026-01-01T01:00:00Z\"}")),
        ERR_OK);
    match(&d, 0, CLIENT OUT);
    kit_has("told all the same", kit_told(&d.k, 0),
            "\"silenced\":\"00000000000000e1\"");
    kit_lacks("and not to be stopped", kit_told(&d.k, 0), "\"block\":{");
    assert_int_equal(alerts_counts(d.a).silenced, 1);
    match(&d, 3600 * NS_PER_S, CLIENT OUT ", \"smtp\": {\"rcpt_refused\": 1}");
    kit_lacks("its end is over", kit_told(&d.k, 1), "\"silenced\"");
    kit_has("its end is over", kit_told(&d.k, 1), "\"block\":{");
    match(&d, 1, ", \"src_ip\": \"10.2.4.4\"");
    kit_lacks("another host", kit_told(&d.k, 2), "\"silenced\"");
    desk_close(&d);
}

/* ---- reasons ---- */

static void
reasons(void **state)
{
    static const struct {
        const char *why, *template, *more, *want;
        double figure;
    } rows[] = {
        {"no template",                    "",                                         "",                                           "10.2.3.4: Many refused recipients",              0   },
        {"no template, a correlation",     "",                                         "",
         "10.2.3.4: Many refused recipients (1,412 in 10m, limit 60)",                                                                                                                 1412},
        {"count, limit, timespan",
         "opened {count} connections in {timespan}; limit {limit}.",                   "",
         "10.2.3.4 opened 1,412 connections in 10m; limit 60.",                                                                                                                        1412},
        {"a fraction",                     "had {count}",                              "",                                           "10.2.3.4 had 2.5",                               2.5 },
        {"matches",                        "{count} matches",                          "",                                           "10.2.3.4 1 matches",                             0   },
        {"a field",                        "said {smtp.helo}.",                        ", \"smtp\": {\"helo\": \"pc7\"}",
         "10.2.3.4 said pc7.",                                                                                                                                                         0   },
        {"an absent one",                  "said {smtp.helo}.",                        "",
         "10.2.3.4 said (not observed).",                                                                                                                                              0   },
        {"an unknown one",                 "said {smtp.hello}.",                       "",
         "10.2.3.4 said {smtp.hello}.",                                                                                                                                                0   },
        {"a brace without end",            "said {smtp.helo",                          "",
         "10.2.3.4 said {smtp.helo",                                                                                                                                                   0   },
        {"nothing in braces",              "a {} b {{count}}",                         "",                                           "10.2.3.4 a {} b {1}",                            0   },
        {"a list",                         "to {smtp.rcpt_to}",
         ", \"smtp\": {\"rcpt_to\": [\"<a>\", \"<b>\", \"<c>\", \"<d>\", "
         "\"<e>\"]}",                                                                                                                "10.2.3.4 to <a>, <b>, <c> and 2 more",           0   },
        {"values of objects",              "got {smtp.rcpt[].code}",
         ", \"smtp\": {\"rcpt\": [{\"code\": 550}, {\"addr\": \"<x>\"}, "
         "{\"code\": 250}]}",                                                                                                        "10.2.3.4 got 550, 250",                          0   },
        {"without brackets",               "got {smtp.rcpt.code}",
         ", \"smtp\": {\"rcpt\": [{\"code\": 550}]}",                                                                                "10.2.3.4 got 550",                               0   },
        {"another name",                   "from {mailfrom}",
         ", \"smtp\": {\"mail_from\": \"<a@x.org>\"}",                                                                               "10.2.3.4 from a@x.org",
         0                                                                                                                                                                                 },
        {"a domain",                       "from {mail_from_domain}",
         ", \"smtp\": {\"mail_from\": \"<a@x.org>\"}",                                                                               "10.2.3.4 from x.org",
         0                                                                                                                                                                                 },
        {"ECS",                            "to {destination.ip}",                      "",                                           "10.2.3.4 to 192.0.2.9",                          0   },
        {"nats",                           "score {host.s1.score} of {host.s1.limit}",
         ", \"host\": {\"s1\": {\"score\": 15249, \"limit\": 9200}}",                                                                "10.2.3.4 score 15.2 of 9.2",                     0   },
        {"a bool and an address",          "{smtp.null_sender} {dest_ip}",
         ", \"smtp\": {\"null_sender\": true}",                                                                                      "10.2.3.4 yes 192.0.2.9",                         0   },
        {"control characters",             "said {smtp.helo}.",
         ", \"smtp\": {\"helo\": \"a\\u001b[31m\\r\\nb\\u0000c\\u007f\"}",                                                           "10.2.3.4 said a [31m b c.",                      0   },
        {"right to left",                  "said {smtp.helo}.",
         ", \"smtp\": {\"helo\": \"a\\u202eb\\u200bc\"}",                                                                            "10.2.3.4 said abc.",
         0                                                                                                                                                                                 },
        {"a value that looks like a name", "said {smtp.helo} {count}",
         ", \"smtp\": {\"helo\": \"{count}{limit}\"}",                                                                               "10.2.3.4 said {count}{limit} 1",                 0   },
        {"a site that lies",               "is it",
         ", \"src_reg\": {\"state\": \"unregistered\", \"site\": "
         "\"x, registered\\u0007\"}",                                                                                                "10.2.3.4 (x, registered, not registered) is it", 0   },
        {"registered",                     "is it",                                    ", \"src_reg\": {\"state\": \"registered\"}",
         "10.2.3.4 (registered) is it",                                                                                                                                                0   },
        {"a site by the configuration",    "is it",
         ", \"src_host\": {\"site\": \"lab\"}",                                                                                      "10.2.3.4 (lab) is it",                           0   },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char more[512], want[512];
        struct desk d;

        desk_open(&d);
        d.rule.reason = span_str(rows[i].template);
        (void)snprintf(more, sizeof(more), CLIENT OUT "%s", rows[i].more);
        (void)snprintf(want, sizeof(want), "\"reason\":\"%s\"", rows[i].want);
        match_event(&d, kit_event(&d.k, "smtp", 0, more), rows[i].figure);
        kit_has(rows[i].why, kit_told(&d.k, 0), want);
        desk_close(&d);
    }
}

static size_t
reason_length(struct kit *k)
{
    const char *at = strstr(kit_told(k, 0), "\"reason\":\"");

    assert_non_null(at);
    return strcspn(at + 10, "\"");
}

static void
long_values(void **state)
{
    struct desk d;
    char *more = malloc(70000);
    int n;

    (void)state;
    assert_non_null(more);
    desk_open(&d);
    n = snprintf(more, 70000, CLIENT ", \"smtp\": {\"helo\": \"");
    memset(more + n, 'x', 60000);
    (void)snprintf(more + n + 60000, 10000 - (size_t)n, "\"}");
    d.rule.reason = SPAN_LIT("{smtp.helo}{smtp.helo}{smtp.helo}{smtp.helo}"
                             "{smtp.helo}{smtp.helo}{smtp.helo}{smtp.helo}");
    match(&d, 0, more);
    assert_in_range(reason_length(&d.k), 400, 520);
    desk_close(&d);
    free(more);
}

/* ---- checks ---- */

#define HOST(keys)                                                             \
    ", \"src_ip\": \"10.2.3.4\", \"host\": {\"home\": true, " keys "}"

static const struct {
    const char *why, *host, *want;
} check_rows[] = {
    {"s1 fired",
     HOST("\"s1\": {\"score\": 15249, \"limit\": 9200, \"level\": "
          "\"block\", \"n\": 1204, \"bad\": 855}"),
     "{\"name\":\"s1\",\"result\":\"fired\",\"observed\":\"71 % of 1,204 "
     "first contacts refused as unknown, score 15.2\",\"limit\":\"score "
     "9.2\"}"                                                       },
    {"s1 passed at raised",
     HOST("\"s1\": {\"score\": 0, \"limit\": 9200, \"level\": "
          "\"raised\", \"n\": 0, \"bad\": 0}"),
     "{\"name\":\"s1\",\"result\":\"passed\",\"observed\":\"no first "
     "contacts, score 0.0\""                                        },
    {"all but one is not all",
     HOST("\"s1\": {\"score\": 0, \"limit\": 9200, \"level\": "
          "\"alert\", \"n\": 1000, \"bad\": 999}"),
     "\"observed\":\"99 % of 1,000"                                 },
    {"s1 not observable",
     HOST("\"unobservable\": [\"s1: all sessions under TLS\", \"mx: no "
          "DNS answers seen\"], \"s1\": {\"level\": \"normal\"}"),
     "{\"name\":\"s1\",\"result\":\"not_observable\",\"observed\":\"all "
     "sessions under TLS\"}"                                        },
    {"s1t is not s1",
     HOST("\"unobservable\": [\"s1t: no TLS\"], \"s1\": {\"level\": "
          "\"normal\"}"),
     "{\"name\":\"s1\",\"result\":\"passed\""                       },
    {"without a level",                             HOST("\"sessions\": 3"),
     "{\"name\":\"s2\",\"result\":\"not_observable\",\"observed\":"
     "\"nothing of it was seen\"}"                                  },
    {"s2 says why",
     HOST("\"s2\": {\"level\": \"alert\", \"n\": 40, \"bad\": 20, "
          "\"why\": [\"score\", \"duplicate\"]}"),
     "50 % of 40 messages judged bad (score, duplicate), score 0.0" },
    {"one of each",
     HOST("\"s2\": {\"level\": \"normal\", \"n\": 1, \"bad\": 1}, "
          "\"s3\": {\"level\": \"normal\", \"n\": 1}"),
     "100 % of 1 message judged bad, score 0.0"                     },
    {"one organisation",                            HOST("\"s3\": {\"level\": \"normal\", \"n\": 1}"),
     "\"1 organisation written to for the first time, 0 in"         },
    {"s7: none can be judged",
     HOST("\"s7\": {\"level\": \"normal\", \"ripe\": 0}"),
     "\"observed\":\"no deferred mail that could be judged yet\""   },
    {"s7: one that was tried again within the day",
     HOST("\"s7\": {\"level\": \"normal\", \"retried\": 1, \"ripe\": 1}"),
     "\"observed\":\"1 tried again, of 1 deferred mail tried again or a "
     "day old\""                                                    },
    {"s3 has a baseline",
     HOST("\"s3\": {\"score\": 7000, \"limit\": 6900, \"level\": "
          "\"alert\", \"n\": 287, \"expected\": 18000}, \"hour\": "
          "{\"organisations\": 61}, \"baseline\": {\"days\": 9, "
          "\"organisations_hour_p95\": 12}"),
     "\"observed\":\"287 organisations written to for the first time, 61 "
     "in the last hour, score 7.0\",\"limit\":\"score 6.9\",\"baseline\":"
     "\"18.0 an hour; its own busiest hours: 12 (95 % of 9 days)\"}"},
    {"s4",
     HOST("\"s4\": {\"level\": \"alert\", \"cluster\": \"c\", "
          "\"kind\": \"body\", \"sources\": 5, \"messages\": 120}"),
     "\"observed\":\"same body from 5 hosts, 120 messages within an "
     "hour\",\"limit\":\"3 hosts and 20 messages\"}"                },
    {"s5",
     HOST("\"s5\": {\"level\": \"alert\", \"messages\": 3, "
          "\"organisations\": 2}"),
     "\"observed\":\"3 messages with a malicious part, to 2 "
     "organisations\",\"limit\":\"1 message\"}"                     },
    {"mx passed: nobody asked",                     HOST("\"hour\": {\"mx\": 287}"),
     "{\"name\":\"mx\",\"result\":\"passed\",\"observed\":\"asked for "
     "the mail servers of 287 domains within an hour\"}"            },
    {"hostile numbers",
     HOST("\"s1\": {\"level\": \"alert\", \"n\": 1, \"bad\": "
          "18446744073709551615}"),
     "100 % of 1 first contact refused"                             },
    {"a hostile why",                               HOST("\"unobservable\": [\"s1: \\u001b[2J\\u202etls\"]"),
     "\"observed\":\"[2Jtls\"}"                                     },
};

static void
checks(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(check_rows); i++) {
        struct desk d;

        desk_open(&d);
        alerts_event(d.a, kit_event(&d.k, "host", 0, check_rows[i].host));
        match(&d, 1, CLIENT OUT);
        kit_has(check_rows[i].why, kit_told(&d.k, 0), check_rows[i].want);
        desk_close(&d);
    }
}

static void
mx_fires_when_asked_for(void **state)
{
    struct record_sink sink;
    struct alert_match m;
    struct desk d;

    (void)state;
    desk_open(&d);
    sink = kit_sink(&d.k);
    m = (struct alert_match){
        .rule = d.rule,
        .event = kit_event(&d.k, "host", 0,
                           HOST("\"hour\": {\"mx\": 11}, \"ordinary\": 14")),
        .when = KIT_EPOCH,
        .matched = SPAN_LIT("many: host.hour.mx|gt: 11\n"),
    };
    alerts_event(d.a, m.event);
    alerts_match(d.a, &m, &sink);
    kit_has("mx", kit_told(&d.k, 0), "{\"name\":\"mx\",\"result\":\"fired\"");
    kit_has("what else a block would stop", kit_told(&d.k, 0),
            "\"collateral\":14}");
    desk_close(&d);
}

/* ---- related ---- */

static void
related(void **state)
{
    static const struct {
        const char *why, *one, *two, *want; /* events of 10.2.3.4, 10.2.3.5 */
    } rows[] = {
        {"the same HELO",                  ", \"smtp\": {\"helo\": \"pc\"}",
         ", \"smtp\": {\"helo\": \"pc\"}",                                                                                                             "[{\"subject\":\"10.2.3.4\",\"what\":\"helo\"}]"},
        {"the same site",                  ", \"src_host\": {\"site\": \"lab\"}",
         ", \"src_host\": {\"site\": \"lab\"}",                                                                                                        "[{\"subject\":\"10.2.3.4\",\"what\":\"site\"}]"},
        {"told once, by what counts most",
         ", \"smtp\": {\"helo\": \"pc\"}, \"src_host\": {\"site\": \"lab\"}",     ", \"smtp\": {\"helo\": \"pc\"}, \"src_host\": {\"site\": \"lab\"}",
         "[{\"subject\":\"10.2.3.4\",\"what\":\"helo\"}]"                                                                                                                                              },
        {"another HELO",                   ", \"smtp\": {\"helo\": \"pc\"}",
         ", \"smtp\": {\"helo\": \"pd\"}",                                                                                                             NULL                                            },
        {"no HELO is none in common",      "",                                    "",                                                                  NULL                                            },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char more[512];
        struct desk d;

        desk_open(&d);
        (void)snprintf(more, sizeof(more), ", \"src_ip\": \"10.2.3.4\"%s",
                       rows[i].one);
        match(&d, 0, more);
        (void)snprintf(more, sizeof(more), ", \"src_ip\": \"10.2.3.5\"%s",
                       rows[i].two);
        match(&d, 1, more);
        if (rows[i].want != NULL)
            kit_has(rows[i].why, kit_told(&d.k, 1), rows[i].want);
        else
            kit_lacks(rows[i].why, kit_told(&d.k, 1), "\"related\"");
        desk_close(&d);
    }
}

static void
related_by_statistics(void **state)
{
    struct desk d;

    (void)state;
    desk_open(&d);
    for (unsigned i = 4; i < 6; i++) {
        char more[512];

        (void)snprintf(more, sizeof(more),
                       ", \"src_ip\": \"10.2.3.%u\", \"host\": {\"home\": "
                       "true, \"dialect\": \"d1\", \"s4\": {\"cluster\": "
                       "\"c1c1c1c1c1c1c1c1\"}}",
                       i);
        alerts_event(d.a, kit_event(&d.k, "host", i, more));
        (void)snprintf(more, sizeof(more), ", \"src_ip\": \"10.2.3.%u\"", i);
        match(&d, i, more);
    }
    kit_has("cluster", kit_told(&d.k, 1), "\"cluster\":\"c1c1c1c1c1c1c1c1\"");
    kit_has("cluster", kit_told(&d.k, 1),
            "[{\"subject\":\"10.2.3.4\",\"what\":\"cluster\"}]");
    desk_close(&d);
}

/* Buckets are shared by many values: those of others are no relation. */
static void
no_relation(void **state)
{
    struct desk d;

    (void)state;
    desk_open(&d);
    for (unsigned i = 0; i < 20000; i++) {
        char more[256];

        kit_forget(&d.k);
        (void)snprintf(more, sizeof(more),
                       ", \"src_ip\": \"10.2.%u.%u\", \"smtp\": {\"helo\": "
                       "\"pc%u\"}",
                       i / 250, i % 250, i);
        match(&d, i, more);
        kit_lacks("another name", kit_told(&d.k, 0), "\"related\"");
    }
    desk_close(&d);
}

/* An event without a direction does not say that the host is at home. */
static void
statistics_of_the_same_host(void **state)
{
    struct desk d;

    (void)state;
    desk_open(&d);
    alerts_event(d.a, kit_event(&d.k, "host", 0,
                                ", \"src_ip\": \"10.2.3.4\", \"host\": "
                                "{\"home\": false, \"s1\": {\"level\": "
                                "\"alert\"}}"));
    match(&d, 1, ", \"src_ip\": \"10.2.3.4\"");
    kit_has("found", kit_told(&d.k, 0), "\"name\":\"s1\",\"result\":\"fired\"");
    desk_close(&d);
}

static void
related_are_limited(void **state)
{
    struct desk d;
    const char *at;
    size_t n = 0;

    (void)state;
    desk_open(&d);
    for (unsigned i = 0; i < 2000; i++) {
        char more[256];

        kit_forget(&d.k);
        (void)snprintf(more, sizeof(more),
                       ", \"src_ip\": \"10.2.%u.%u\", \"smtp\": {\"helo\": "
                       "\"pc\"}",
                       i / 250, i % 250);
        match(&d, i, more);
    }
    at = kit_told(&d.k, 0);
    while ((at = strstr(at, "\"what\":")) != NULL) {
        at++;
        n++;
    }
    assert_int_equal(n, ALERTS_RELATED);
    kit_has("the latest of them", kit_told(&d.k, 0),
            "[{\"subject\":\"10.2.7.248\"");
    desk_close(&d);
}

/* ---- sight ---- */

static void
sights(void **state)
{
    static const struct {
        const char *why, *type, *more, *want;
    } rows[] = {
        {"a whole mail",       "smtp",         ", \"email\": {\"fields\": 5, \"parts\": 1}",
         "text"                                                                                         },
        {"one with a hole",    "smtp",
         ", \"email\": {\"fields\": 5, \"parts\": 1}, \"quality\": "
         "{\"truncated\": true}",                                                            "headers"  },
        {"an envelope",        "smtp",         "",                                           "envelope" },
        {"a file",             "fileinfo",     "",                                           "text"     },
        {"a session",          "smtp_session", ", \"smtp\": {\"commands\": 4}",
         "envelope"                                                                                     },
        {"one under TLS",      "smtp_session",
         ", \"smtp\": {\"commands\": 4, \"starttls\": {\"used\": true}}",                    "handshake"},
        {"one that is TLS",    "smtp_session", ", \"app_proto\": \"tls\"",
         "handshake"                                                                                    },
        {"attempts",           "smtp_session", ", \"attempts\": {\"count\": 9}",             "flow"     },
        {"TLS itself",         "tls",          "",                                           "handshake"},
        {"statistics of TLS",  "host",
         ", \"host\": {\"sessions\": 9, \"sessions_tls\": 9}",                               "handshake"},
        {"statistics of mail", "host",         ", \"host\": {\"transactions\": 1}",
         "envelope"                                                                                     },
        {"an oddity",          "anomaly",      "",                                           "flow"     },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char want[64];
        struct desk d;

        desk_open(&d);
        match_event(&d, kit_event(&d.k, rows[i].type, 0, rows[i].more), 0);
        (void)snprintf(want, sizeof(want), "\"sight\":\"%s\"", rows[i].want);
        kit_has(rows[i].why, kit_told(&d.k, 0), want);
        desk_close(&d);
    }
}

/* ---- bounds ---- */

static void
open_many(struct desk *d, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        char more[256];

        kit_forget(&d->k);
        (void)snprintf(more, sizeof(more),
                       ", \"src_ip\": \"10.%u.%u.%u\", \"smtp\": {\"helo\": "
                       "\"pc%u\"}, \"direction\": \"outbound\"",
                       i >> 16, i >> 8 & 255, i & 255, i % 1000);
        match(d, i * NS_PER_US, more);
    }
}

static void
many(void **state)
{
    struct desk d;

    (void)state;
    desk_open(&d);
    open_many(&d, 0, ALERTS_OPEN);
    assert_int_equal(alerts_counts(d.a).open, ALERTS_OPEN);
    assert_int_equal(alerts_counts(d.a).evicted, 0);
    /* The first is not the idlest any more. */
    kit_forget(&d.k);
    match(&d, ALERTS_OPEN * NS_PER_US,
          ", \"src_ip\": \"10.0.0.0\", \"direction\": \"outbound\"");
    assert_int_equal(d.k.n_told, 0);
    open_many(&d, ALERTS_OPEN, ALERTS_OPEN + 1);
    assert_int_equal(alerts_counts(d.a).open, ALERTS_OPEN);
    assert_int_equal(alerts_counts(d.a).evicted, 1);
    kit_has("the idlest", kit_told(&d.k, 0), "\"subject\":\"10.0.0.1\"");
    kit_has("the idlest", kit_told(&d.k, 0), "\"state\":\"ended\"");
    assert_int_equal(alerts_counts(d.a).failed, 0);
    desk_close(&d);
}

/* ---- snapshots ---- */

static void
save(struct alerts *a, struct buf *out)
{
    buf_reset(out);
    assert_int_equal(alerts_save(a, out), ERR_OK);
}

static void
load_fresh(struct desk *d, struct span snapshot)
{
    alerts_free(d->a);
    assert_int_equal(
        alerts_new(&(struct alerts_options){.seed = 7, .exceptions = d->x},
                   &d->a),
        ERR_OK);
    assert_int_equal(alerts_load(d->a, snapshot), ERR_OK);
}

/* What comes after is the same with and without a snapshot in between. */
static void
snapshots(void **state)
{
    struct buf before, after;
    struct desk d[2];

    (void)state;
    buf_init(&before, 64U << 20);
    buf_init(&after, 64U << 20);
    for (size_t i = 0; i < 2; i++) {
        desk_open(&d[i]);
        alerts_event(d[i].a, kit_event(&d[i].k, "host", 0,
                                       HOST("\"s1\": {\"level\": \"alert\"}")));
        match(&d[i], 0, CLIENT OUT ", \"smtp\": {\"helo\": \"pc\"}");
        open_many(&d[i], 0, 300);
        match(&d[i], NS_PER_S, CLIENT OUT ", \"smtp\": {\"rcpt_refused\": 3}");
        /* Told of second, matched last: the order of telling stays. */
        match(&d[i], 2 * NS_PER_S, ", \"src_ip\": \"10.9.9.1\"");
        match(&d[i], 3 * NS_PER_S, ", \"src_ip\": \"10.9.9.2\"");
        match(&d[i], 4 * NS_PER_S,
              ", \"src_ip\": \"10.9.9.2\", \"smtp\": {\"rcpt_refused\": 1}");
        match(&d[i], 5 * NS_PER_S,
              ", \"src_ip\": \"10.9.9.1\", \"smtp\": {\"rcpt_refused\": 1}");
    }
    save(d[1].a, &before);
    load_fresh(&d[1], buf_view(&before));
    save(d[1].a, &after);
    assert_true(span_eq(buf_view(&before), buf_view(&after)));
    for (size_t i = 0; i < 2; i++) {
        kit_forget(&d[i].k);
        match(&d[i], 2 * NS_PER_S,
              ", \"src_ip\": \"10.2.3.9\", \"smtp\": "
              "{\"helo\": \"pc7\"}");
        pass(&d[i], ALERTS_REPEAT + NS_PER_S);
    }
    assert_int_equal(d[0].k.n_told, 2);
    assert_int_equal(d[1].k.n_told, 2);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(kit_told(&d[0].k, i), kit_told(&d[1].k, i));
    for (size_t i = 0; i < 2; i++)
        desk_close(&d[i]);
    buf_free(&before);
    buf_free(&after);
}

static void
bad_snapshots(void **state)
{
    struct buf good, again;
    struct alerts *other;
    struct desk d;

    (void)state;
    buf_init(&good, 1U << 20);
    buf_init(&again, 1U << 20);
    desk_open(&d);
    match(&d, 0, CLIENT OUT);
    save(d.a, &good);
    for (size_t i = 0; i < good.n; i++) {
        good.p[i] ^= 1;
        assert_int_not_equal(alerts_load(d.a, buf_view(&good)), ERR_OK);
        good.p[i] ^= 1;
        assert_int_not_equal(alerts_load(d.a, span_of(good.p, i)), ERR_OK);
    }
    save(d.a, &again);
    assert_true(span_eq(buf_view(&good), buf_view(&again)));
    assert_int_equal(alerts_new(&(struct alerts_options){.seed = 8}, &other),
                     ERR_OK);
    assert_int_equal(alerts_load(other, buf_view(&good)), ERR_FORMAT);
    alerts_free(other);
    desk_close(&d);
    buf_free(&good);
    buf_free(&again);
}

/* ---- memory ---- */

static void
drop(void *ctx, struct span record)
{
    (void)ctx;
    (void)record;
}

/* Everything once, with the n-th allocation failing; true: none was left to. */
static bool
survives(const struct record_map *host, const struct record_map *mail, int n)
{
    static const struct span tag[] = {SPAN_INIT("attack.t1")};
    struct record_sink sink = {drop, NULL};
    struct alert_match m = {
        .rule = {.id = SPAN_LIT("r"), .tags = tag, .n_tags = 1},
        .event = mail,
        .when = KIT_EPOCH,
        .matched = SPAN_LIT("x\n"),
    };
    struct alerts *a = NULL, *b = NULL;
    struct buf saved;
    bool all;

    buf_init(&saved, 1U << 20);
    calls_left = n;
    if (alerts_new(&(struct alerts_options){.seed = 1}, &a) == ERR_OK) {
        alerts_event(a, host);
        alerts_match(a, &m, &sink);
        if (alerts_save(a, &saved) == ERR_OK &&
            alerts_new(&(struct alerts_options){.seed = 1}, &b) == ERR_OK &&
            alerts_load(b, buf_view(&saved)) == ERR_OK)
            alerts_match(b, &m, &sink);
        alerts_time(a, KIT_EPOCH + ALERTS_QUIET, &sink);
    }
    all = calls_left >= 0;
    calls_left = -1;
    alerts_free(a);
    alerts_free(b);
    buf_free(&saved);
    return all;
}

static void
no_memory(void **state)
{
    struct kit host, mail;
    int n = 0;

    (void)state;
    kit_open(&host);
    kit_open(&mail);
    (void)kit_event(&host, "host", 0, HOST("\"s1\": {\"level\": \"alert\"}"));
    (void)kit_event(&mail, "smtp", 0,
                    CLIENT OUT ", \"src_host\": {\"site\": \"lab\"}");
    while (!survives(&host.map, &mail.map, n))
        n++;
    assert_in_range(n, 40, 1000);
    kit_close(&host);
    kit_close(&mail);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens),
        cmocka_unit_test(quiet),
        cmocka_unit_test(quiet_ticks),
        cmocka_unit_test(grows),
        cmocka_unit_test(the_end_tells_all),
        cmocka_unit_test(repeats_are_limited),
        cmocka_unit_test(worst),
        cmocka_unit_test(worst_of_host),
        cmocka_unit_test(level_rises),
        cmocka_unit_test(ids),
        cmocka_unit_test(subjects),
        cmocka_unit_test(two_leases_are_two),
        cmocka_unit_test(silenced),
        cmocka_unit_test(reasons),
        cmocka_unit_test(long_values),
        cmocka_unit_test(checks),
        cmocka_unit_test(mx_fires_when_asked_for),
        cmocka_unit_test(related),
        cmocka_unit_test(related_by_statistics),
        cmocka_unit_test(related_are_limited),
        cmocka_unit_test(no_relation),
        cmocka_unit_test(statistics_of_the_same_host),
        cmocka_unit_test(sights),
        cmocka_unit_test(many),
        cmocka_unit_test(snapshots),
        cmocka_unit_test(bad_snapshots),
        cmocka_unit_test(no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
