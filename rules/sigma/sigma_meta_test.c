/* sigma_meta_test - what a rule says for people, and whom an alert is about */
#include "rules/sigma/sigma_test_kit.h"

static void
test_people(void **state)
{
    struct kit k;
    const struct sigma_info *i;

    (void)state;
    kit_open(&k);
    kit_load(&k, "a.yml",
             SPAN_LIT(BASE
                      "title: T\nauthor: A\nfalsepositives: [one, two]\n"
                      "span25: {subject: server, reason: '{count} of {limit} "
                      "in {timespan} {smtp.helo}', limit: L, action: D}\n"
                      "correlation: {type: event_count, rules: [base], "
                      "timespan: 10m, condition: {gte: 60}}\n---\n"
                      "title: R\nfalsepositives: one\ncorrelation: {type: "
                      "event_count, rules: [base], timespan: 1h, condition: "
                      "{gt: 1, lte: 2.5}}\n"));
    kit_run(&k, NULL);
    assert_int_equal(sigma_set_count(k.set), 3);
    i = sigma_set_info(k.set, 1);
    kit_text("A", i->author);
    assert_int_equal(i->falsepositives.n, 2);
    kit_text("two", i->falsepositives.v[1]);
    kit_text("server", i->subject);
    kit_text("{count} of {limit} in {timespan} {smtp.helo}", i->reason);
    kit_text("L", i->limit);
    kit_text("D", i->action);
    kit_text("10m", i->timespan);
    kit_text("60", i->threshold);
    i = sigma_set_info(k.set, 2);
    assert_int_equal(i->falsepositives.n, 1);
    kit_text("gt 1, lte 2.5", i->threshold);
    assert_int_equal(sigma_set_ref(k.set, 2, 0), 0);
    assert_int_equal(sigma_set_ref(k.set, 2, 1), 3);
    assert_int_equal(sigma_set_ref(k.set, 0, 0), 3);
    kit_close(&k);
}

static const struct {
    const char *why, *group, *span25;
    uint32_t want;
} subjects[] = {
    {"an address",            "src_ip",               "client", 0},
    {"of several the client", "dest_ip, src_ip",      "client", 1},
    {"or the server",         "src_ip, dest_ip",      "server", 1},
    {"whichever is there",    "smtp.helo, dest_ip",   "client", 1},
    {"none is an address",    "smtp.helo, mail_from", "client", 2},
    {"an alias of one",       "smtp.helo, id.orig_h", "client", 1},
};

static void
test_subject(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
        const struct sigma_match *m;
        struct buf rule;
        struct kit k;
        size_t n;

        kit_open(&k);
        buf_init(&rule, 65536);
        buf_printf(&rule,
                   BASE
                   "title: c\nname: c\nspan25: {subject: %s}\ncorrelation: "
                   "{type: event_count, rules: [base], group-by: [%s], "
                   "timespan: 1m, condition: {gte: 1}}\n---\n"
                   "title: outer\ncorrelation: {type: event_count, rules: "
                   "[c], group-by: [%s], timespan: 1m, condition: {gte: "
                   "1}}\n",
                   subjects[i].span25, subjects[i].group, subjects[i].group);
        kit_load(&k, "r.yml", buf_view(&rule));
        kit_run(&k, NULL);
        (void)sigma_eval(
            k.run,
            kit_record(&k, "smtp", 0,
                       "\"src_ip\":\"192.0.2.1\",\"dest_ip\":\"192.0.2.2\","
                       "\"smtp\":{\"helo\":\"a\",\"mail_from\":\"<>\"}"),
            &n);
        m = sigma_correlate(k.run, 0, &n);
        if (n != 2 || m[0].subject != subjects[i].want ||
            m[1].subject != subjects[i].want)
            fail_msg("%s: %zu, %u", subjects[i].why, n,
                     n > 0 ? m[0].subject : 99);
        buf_free(&rule);
        kit_close(&k);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_people),
        cmocka_unit_test(test_subject),
    };

    return cmocka_run_group_tests_name("sigma_meta", tests, NULL, NULL);
}
