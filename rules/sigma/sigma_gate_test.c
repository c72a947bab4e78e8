#include "rules/sigma/sigma_test_kit.h"

#define RULE(detection) LOG "detection: {" detection "}\n"

/* Bits of the records that a rule must match. */
static const struct {
    const char *why, *rule;
    unsigned want;
} rows[] = {
    {"each item must hold",
     RULE("s: {direction: outbound, smtp.rcpt_refused|gte: 3}, condition: s"),
     1                                                                                                             },
    {"the same question again",
     RULE("s: {smtp.rcpt_refused|gte: 3, direction: outbound}, condition: s"),
     1                                                                                                             },
    {"another limit is another question",
     RULE("s: {smtp.rcpt_refused|gte: 1}, condition: s"),                                                     1 | 2},
    {"above is not at least",
     RULE("s: {smtp.rcpt_refused|gt: 1}, condition: s"),                                                      1    },
    {"case is another question",
     RULE("s: {smtp.helo|cased: Mail}, condition: s"),                                                        2    },
    {"without it both are the same",              RULE("s: {smtp.helo: Mail}, condition: s"),
     1 | 2                                                                                                         },
    {"one of two maps",
     RULE(
         "s: [{direction: inbound}, {smtp.rcpt_refused|gte: 3}], condition: s"),
     1 | 4                                                                                                         },
    {"a map that cannot be asked opens the gate",
     RULE("s: [{direction: inbound}, {smtp.helo|re: '^ma'}], condition: s"),
     1 | 4                                                                                                         },
    {"either",
     RULE("a: {direction: inbound}, b: {smtp.helo|cased: Mail}, condition: a "
          "or b"),
     2 | 4                                                                                                         },
    {"both",
     RULE("a: {direction: outbound}, b: {smtp.helo|cased: Mail}, condition: a "
          "and b"),
     2                                                                                                             },
    {"both of either",
     RULE("a1: {direction: inbound}, a2: {smtp.rcpt_refused|gte: 3}, b: "
          "{smtp.null_sender: true}, condition: 1 of a* and b"),
     4                                                                                                             },
    {"what must not hold is no part of it",
     RULE("a: {direction: outbound}, b: {smtp.rcpt_refused|gte: 3}, condition: "
          "a and not b"),
     2                                                                                                             },
    {"nor in an either",
     RULE("a: {direction: inbound}, b: {smtp.helo|exists: true}, condition: a "
          "or not b"),
     4                                                                                                             },
    {"neq is a question",                         RULE("s: {smtp.rcpt_refused|neq: 1}, condition: s"),
     1 | 4                                                                                                         },
    {"so is absence",                             RULE("s: {smtp.helo: null}, condition: s"),                 4    },
    {"entries of a list",
     RULE("s: {smtp.rcpt_to|contains: 'b@'}, condition: s"),                                                  1    },
    {"all of a list",
     RULE("s: {smtp.rcpt_to|contains|all: ['a@', 'b@']}, condition: s"),                                      1    },
    {"within objects",                            RULE("s: {smtp.rcpt.class: unknown_user}, condition: s"),
     2                                                                                                             },
    {"a field of the header",
     RULE("s: {event_type: smtp, smtp.null_sender: true}, condition: s"),                                     4    },
    {"two fields",                                RULE("s: {smtp.helo|fieldref: smtp.banner}, condition: s"),
     2                                                                                                             },
};

static const char *const records[] = {
    "\"direction\":\"outbound\",\"smtp\":{\"helo\":\"mail\",\"rcpt_to\":[\"<a@"
    "x.example>\",\"<b@x.example>\"],\"rcpt_refused\":3}",
    "\"direction\":\"outbound\",\"smtp\":{\"banner\":\"MAIL\",\"helo\":"
    "\"Mail\",\"rcpt\":[{\"addr\":\"<a@x.example>\",\"class\":\"unknown_user\"}"
    "],\"rcpt_refused\":1}",
    "\"direction\":\"inbound\",\"smtp\":{\"null_sender\":true}",
};

static bool
has(const struct sigma_match *m, size_t n, uint32_t rule)
{
    for (size_t i = 0; i < n; i++) {
        if (m[i].rule == rule)
            return true;
    }
    return false;
}

static void
show(struct kit *k, unsigned i)
{
    struct span r = kit_record(k, "smtp", 1000 * i, records[i]);
    const struct sigma_match *m;
    size_t n;

    m = sigma_eval(k->run, r, &n);
    for (uint32_t row = 0; row < ARRAY_LEN(rows); row++) {
        if (has(m, n, row) != ((rows[row].want >> i & 1) != 0))
            fail_msg("%s: record %u", rows[row].why, i);
    }
}

/* All in one set, so that they share questions; records in every order, so that
 * no answer outlives its record. */
static void
test_rules_that_share(void **state)
{
    static const unsigned order[] = {0, 1, 2, 2, 1, 0, 0, 2, 0, 1};
    struct kit k;

    (void)state;
    kit_open(&k);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        kit_load(&k, "rule.yaml", span_str(rows[i].rule));
        if (k.loaded != ERR_OK)
            fail_msg("%s: %s", rows[i].why, kit_messages(&k));
    }
    kit_run(&k, NULL);
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        show(&k, order[i]);
    kit_close(&k);
}

/* To explain one rule between two records changes no answer. */
static void
test_explain_between(void **state)
{
    struct buf why;
    struct kit k;

    (void)state;
    buf_init(&why, 1U << 16);
    kit_open(&k);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        kit_load(&k, "rule.yaml", span_str(rows[i].rule));
    kit_run(&k, NULL);
    show(&k, 0);
    assert_true(sigma_explain(k.run, 0, record_view(&k.record), &why));
    show(&k, 1);
    assert_false(sigma_explain(k.run, 0, record_view(&k.record), &why));
    show(&k, 0);
    kit_close(&k);
    buf_free(&why);
}

/* Maps, each of one question, around the room that a gate has: the last one
 * still counts. */
static void
test_many_maps(void **state)
{
    (void)state;
    for (unsigned maps = 14; maps < 36; maps++) {
        struct buf text;
        struct kit k;
        size_t n;

        buf_init(&text, 1U << 16);
        buf_str(&text, LOG "detection: {s: [");
        for (unsigned i = 1; i < maps; i++)
            buf_printf(&text, "{smtp.rcpt_refused: %u}, ", 100 + i);
        buf_str(&text, "{smtp.rcpt_refused: 3}], condition: s}\n");
        kit_open(&k);
        kit_load(&k, "rule.yaml", buf_view(&text));
        kit_run(&k, NULL);
        (void)sigma_eval(k.run, kit_record(&k, "smtp", 0, records[0]), &n);
        assert_int_equal(n, 1);
        (void)sigma_eval(k.run, kit_record(&k, "smtp", 0, records[1]), &n);
        assert_int_equal(n, 0);
        kit_close(&k);
        buf_free(&text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_that_share),
        cmocka_unit_test(test_explain_between),
        cmocka_unit_test(test_many_maps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
