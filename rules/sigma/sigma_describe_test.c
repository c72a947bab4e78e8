/* sigma_describe_test - a rule in words, and what its items say of a record
 */
/* clang-format off: version 14 does not live through such tables */
#include "rules/sigma/sigma_test_kit.h"

static const struct {
    const char *why, *detection, *body, *want;
    uint32_t missed;
} traces[] = {
    {"all hold", "{s: {smtp.helo: a, dest_port: 25}, condition: s}", "\"dest_port\":25,\"smtp\":{\"helo\":\"a\"}", "s: smtp.helo: a: yes, 'a'\ns: dest_port: 25: yes, '25'\n", 0},
    {"one does not", "{s: {smtp.helo: ['a b', c], dest_port: 25}, condition: s}", "\"dest_port\":26,\"smtp\":{\"helo\":\"c\"}", "s: smtp.helo: 'a b', c: yes, 'c'\ns: dest_port: 25: no, has '26'\n", 1},
    {"one is not there", "{s: {smtp.helo|re: a+}, condition: s}", "", "s: smtp.helo|re: a+: no, not there\n", 1},
    {"of several the first", "{s: {smtp.rcpt_to: a}, condition: s}", "\"smtp\":{\"rcpt_to\":[\"b\",\"c\"]}", "s: smtp.rcpt_to: a: no, has 'b' and others\n", 1},
    {"a filter that holds", "{s: {smtp.helo: a}, f: {dest_port: 25}, condition: s and not f}", "\"dest_port\":25,\"smtp\":{\"helo\":\"a\"}", "s: smtp.helo: a: yes, 'a'\nf: dest_port: 25: yes, '25'\n", 0},
    {"keywords", "{k: [evil, bad], condition: k}", "\"smtp\":{\"helo\":\"x\"}", "k: evil, bad: no\n", 1},
    {"null", "{s: {smtp.helo: null}, condition: s}", "", "s: smtp.helo: null: yes, not there\n", 0},
    {"neq", "{s: {smtp.helo|neq: a}, condition: s}", "\"smtp\":{\"helo\":\"a\"}", "s: smtp.helo|neq: a: no, has 'a'\n", 1},
    {"escaped", "{s: {smtp.helo: a}, condition: s}", "\"smtp\":{\"helo\":\"\\u001b\"}", "s: smtp.helo: a: no, has '\\x1b'\n", 1},
};

static void
test_trace(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(traces); i++) {
        struct buf rule, got;
        struct kit k;
        uint32_t missed;
        size_t n;
        bool yes;

        kit_open(&k);
        buf_init(&rule, 65536);
        buf_init(&got, 65536);
        buf_printf(&rule, LOG "detection: %s\n", traces[i].detection);
        kit_load(&k, "r.yml", buf_view(&rule));
        kit_run(&k, NULL);
        yes = sigma_trace(k.run, 0, kit_record(&k, "smtp", 0, traces[i].body),
                          &got, &missed);
        if (!span_eq(buf_view(&got), span_str(traces[i].want)) ||
            missed != traces[i].missed)
            fail_msg("%s: %u %.*s", traces[i].why, missed, (int)got.n,
                     (const char *)got.p);
        (void)sigma_eval(k.run, record_view(&k.record), &n);
        assert_int_equal(n, yes);
        buf_reset(&got);
        assert_false(sigma_trace(k.run, 0, kit_record(&k, "tls", 0, ""), &got,
                                 &missed));
        assert_int_equal(missed, UINT32_MAX);
        kit_text("logsource: no, this is an event of tls\n",
                    buf_view(&got));
        buf_free(&rule);
        buf_free(&got);
        kit_close(&k);
    }
}

static const struct {
    const char *why, *rules, *want;
} descriptions[] = {
    {"a rule", LOG "detection: {s: [{smtp.helo|contains: [a, 'b c']}, {dest_port: 25}], k: [x], condition: [s, k]}\n",
     "logsource: product span25, service smtp\ncondition: s or k\ns: smtp.helo|contains: a, 'b c'\ns: or dest_port: 25\nk: x\n"},
    {"another product", "title: t\nlogsource: {product: windows, category: process_creation}\ndetection: {s: {Image: a}, condition: s}\n",
     "logsource: product windows, category process_creation (not of span25: it never matches)\ncondition: s\ns: Image: a\n"},
    {"a count", BASE "title: c\ncorrelation: {type: event_count, rules: [base], group-by: [src_ip, smtp.helo], timespan: 10m, condition: {gt: 1, lte: 20}}\n",
     "correlation: number of events more than 1 at most 20, within 10m, for each src_ip, smtp.helo\nof: b\n"},
    {"values", BASE "title: c\ncorrelation: {type: value_percentile, rules: [base], timespan: 10m, condition: {gte: 9, percentile: 75, field: smtp.message_bytes}}\n",
     "correlation: percentile 75 of smtp.message_bytes at least 9, within 10m\nof: b\n"},
    {"an expression", BASE "title: c\ncorrelation: {type: temporal, rules: [base], timespan: 10m, condition: not base}\n",
     "correlation: all of the rules, in any order, within 10m\ncondition: not base\nof: b\n"},
};

static void
test_describe(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(descriptions); i++) {
        struct buf got;
        struct kit k;

        kit_open(&k);
        buf_init(&got, 65536);
        kit_load(&k, "r.yml", span_str(descriptions[i].rules));
        kit_run(&k, NULL);
        sigma_describe(k.set, sigma_set_count(k.set) - 1, &got);
        if (!span_eq(buf_view(&got), span_str(descriptions[i].want)))
            fail_msg("%s: %.*s", descriptions[i].why, (int)got.n,
                     (const char *)got.p);
        buf_free(&got);
        kit_close(&k);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace),
        cmocka_unit_test(test_describe),
    };

    return cmocka_run_group_tests_name("sigma_describe", tests, NULL, NULL);
}
