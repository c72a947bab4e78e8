#include "rules/alert/exceptions.h"

#include "rules/alert/alerts_test_kit.h"

#define ID_A "aaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbb"
#define ID_C "cccccccccccccccc"
#define HOUR (3600 * NS_PER_S)

static enum err
tell(struct kit *k, struct exceptions *x, ns_t at, const char *keys)
{
    char more[1024];

    (void)snprintf(more, sizeof(more),
                   ",\"control\": {\"kind\": \"exception\", %s}", keys);
    return exceptions_event(x, kit_event(k, "control", at, more));
}

static enum err
add(struct kit *k, struct exceptions *x, ns_t at, const char *id,
    const char *subject, const char *from, const char *more)
{
    char keys[512];

    (void)snprintf(keys, sizeof(keys),
                   "\"action\": \"add\", \"exception\": \"%s\", "
                   "\"subject\": \"%s\", \"from\": \"%s\", "
                   "\"reason\": \"why\", \"actor\": \"mk\"%s",
                   id, subject, from, more);
    return tell(k, x, at, keys);
}

static enum err
take_away(struct kit *k, struct exceptions *x, ns_t at, const char *id)
{
    char keys[128];

    (void)snprintf(keys, sizeof(keys),
                   "\"action\": \"remove\", \"exception\": \"%s\", "
                   "\"reason\": \"done\", \"actor\": \"ann\"",
                   id);
    return tell(k, x, at, keys);
}

/* The letter of the exception that keeps text from that, or '-'. */
static char
found(const struct exceptions *x, const char *text, enum exception_from from,
      const char *rule, ns_t at)
{
    const struct exception *e;
    struct prefix p;

    assert_true(prefix_parse(span_str(text), &p));
    e = exceptions_find(x, &p, from, span_str(rule), KIT_EPOCH + at);
    return e != NULL ? e->id[0] : '-';
}

static void
whom(void **state)
{
    static const struct {
        const char *why, *subject, *rule;
        enum exception_from from;
        char want;
    } rows[] = {
        {"the address itself",      "10.1.2.3",      "r", EXCEPT_ALERT, 'b'},
        {"longest prefix first",    "10.1.2.4",      "r", EXCEPT_ALERT, 'a'},
        {"a prefix within",         "10.1.2.0/25",   "r", EXCEPT_ALERT, 'a'},
        {"all of a prefix or not",  "10.1.0.0/16",   "r", EXCEPT_ALERT, '-'},
        {"beside the prefix",       "10.1.3.0",      "r", EXCEPT_ALERT, '-'},
        {"only from alerts",        "10.1.2.4",      "r", EXCEPT_BLOCK, '-'},
        {"both is from blocks too", "10.1.2.3",      "r", EXCEPT_BLOCK, 'b'},
        {"asked for both",          "10.1.2.3",      "r", EXCEPT_BOTH,  'b'},
        {"both asks for both",      "10.1.2.4",      "r", EXCEPT_BOTH,  '-'},
        {"a /64 of IPv6",           "2001:db8::7",   "q", EXCEPT_ALERT, 'c'},
        {"the whole /64",           "2001:db8::/64", "q", EXCEPT_ALERT, 'c'},
        {"of one rule",             "2001:db8::7",   "r", EXCEPT_ALERT, '-'},
        {"no IPv4 in ::/0",         "192.0.2.1",     "r", EXCEPT_ALERT, '-'},
        {"but all IPv6",            "2001:db9::1",   "r", EXCEPT_ALERT, 'd'},
    };
    struct exceptions *x;
    struct kit k;

    (void)state;
    kit_open(&k);
    assert_int_equal(exceptions_new(&x), ERR_OK);
    assert_int_equal(add(&k, x, 0, ID_A, "10.1.2.0/24", "alert", ""), ERR_OK);
    assert_int_equal(add(&k, x, 0, ID_B, "10.1.2.3", "both", ""), ERR_OK);
    assert_int_equal(
        add(&k, x, 0, ID_C, "2001:db8::/64", "both", ", \"rule\": \"q\""),
        ERR_OK);
    assert_int_equal(
        add(&k, x, 0, "dddddddddddddddd", "2001::/16", "alert",
            ", \"rule\": \"r\", \"until\": \"2026-01-01T01:00:00Z\""),
        ERR_OK);
    assert_int_equal(
        add(&k, x, 0, "eeeeeeeeeeeeeeee", "::/0", "alert", ", \"rule\": \"z\""),
        ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char got;

        if (rows[i].want == '-' && rows[i].subject[0] == '2')
            continue; /* 2001::/16 has them, for that rule */
        got = found(x, rows[i].subject, rows[i].from, rows[i].rule, 1);
        if (got != rows[i].want)
            fail_msg("%s: %c, not %c", rows[i].why, got, rows[i].want);
    }
    exceptions_free(x);
    kit_close(&k);
}

static void
when(void **state)
{
    static const struct {
        const char *why;
        ns_t at;
        char want;
    } rows[] = {
        {"before it was added", HOUR - NS_PER_US,     '-'},
        {"from then on",        HOUR,                 'a'},
        {"just before its end", 3 * HOUR - NS_PER_US, 'a'},
        {"its end is out",      3 * HOUR,             '-'},
        {"after its end",       3 * HOUR + NS_PER_US, '-'},
    };
    struct exceptions *x;
    struct kit k;

    (void)state;
    kit_open(&k);
    assert_int_equal(exceptions_new(&x), ERR_OK);
    assert_int_equal(add(&k, x, 2 * HOUR, ID_A, "10.1.2.3", "alert",
                         ", \"time\": \"2026-01-01T01:00:00Z\", "
                         "\"until\": \"2026-01-01T03:00:00Z\""),
                     ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (found(x, "10.1.2.3", EXCEPT_ALERT, "r", rows[i].at) != rows[i].want)
            fail_msg("%s", rows[i].why);
    }
    assert_int_equal(take_away(&k, x, 2 * HOUR, ID_A), ERR_OK);
    assert_int_equal(found(x, "10.1.2.3", EXCEPT_ALERT, "r", 2 * HOUR - 1000),
                     'a');
    assert_int_equal(found(x, "10.1.2.3", EXCEPT_ALERT, "r", 2 * HOUR), '-');
    /* A second removal changes nothing. */
    assert_int_equal(take_away(&k, x, 4 * HOUR, ID_A), ERR_OK);
    assert_int_equal(exceptions_get(x, 0)->removed, KIT_EPOCH + 2 * HOUR);
    assert_string_equal(exceptions_get(x, 0)->removed_why, "done");
    assert_string_equal(exceptions_get(x, 0)->removed_by, "ann");
    exceptions_free(x);
    kit_close(&k);
}

static void
refused(void **state)
{
    static const struct {
        const char *why, *keys;
    } rows[] = {
        {"no action",    "\"exception\": \"" ID_B "\""                                              },
        {"other action", "\"action\": \"change\""                                                   },
        {"no subject",   "\"action\": \"add\", \"exception\": \"" ID_B
                       "\", \"from\": \"alert\""                              },
        {"host bits",    "\"action\": \"add\", \"exception\": \"" ID_B
                      "\", \"from\": \"alert\", \"subject\": "
                      "\"10.0.0.1/8\""                                         },
        {"no from",      "\"action\": \"add\", \"exception\": \"" ID_B
                    "\", \"subject\": \"10.0.0.1\""                              },
        {"other from",   "\"action\": \"add\", \"exception\": \"" ID_B
                       "\", \"from\": \"mail\", \"subject\": \"10.0.0.1\""    },
        {"short id",     "\"action\": \"add\", \"exception\": \"b\", "
                     "\"from\": \"alert\", \"subject\": \"10.0.0.1\""           },
        {"same id",      "\"action\": \"add\", \"exception\": \"" ID_A
                    "\", \"from\": \"alert\", \"subject\": \"10.0.0.2\""         },
        {"ends at once", "\"action\": \"add\", \"exception\": \"" ID_B
                         "\", \"from\": \"alert\", \"subject\": "
                         "\"10.0.0.1\", \"until\": \"2026-01-01T00:00:00Z\""},
        {"unknown id",   "\"action\": \"remove\", \"exception\": \"" ID_B "\""                      },
        {"remove no id", "\"action\": \"remove\""                                                   },
    };
    struct exceptions *x;
    struct kit k;

    (void)state;
    kit_open(&k);
    assert_int_equal(exceptions_new(&x), ERR_OK);
    assert_int_equal(add(&k, x, 0, ID_A, "10.1.2.3", "alert", ""), ERR_OK);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (tell(&k, x, 0, rows[i].keys) != ERR_FORMAT)
            fail_msg("%s", rows[i].why);
        assert_int_equal(exceptions_count(x), 1);
    }
    /* What is none of ours. */
    assert_int_equal(exceptions_event(x, kit_event(&k, "smtp", 0, "")), ERR_OK);
    assert_int_equal(
        exceptions_event(x, kit_event(&k, "control", 0,
                                      ", \"control\": {\"kind\": \"start\"}")),
        ERR_OK);
    exceptions_free(x);
    kit_close(&k);
}

static enum err
add_numbered(struct kit *k, struct exceptions *x, unsigned i, ns_t at,
             const char *more)
{
    char id[17], subject[32];

    (void)snprintf(id, sizeof(id), "%016x", i);
    (void)snprintf(subject, sizeof(subject), "10.%u.%u.%u", i >> 16,
                   i >> 8 & 255, i & 255);
    return add(k, x, at, id, subject, "both", more);
}

static void
full(void **state)
{
    struct exceptions *x;
    struct kit k;

    (void)state;
    kit_open(&k);
    assert_int_equal(exceptions_new(&x), ERR_OK);
    for (unsigned i = 0; i < EXCEPTIONS_MAX; i++)
        assert_int_equal(
            add_numbered(&k, x, i, 0,
                         i == 7 ? ", \"until\": \"2026-01-01T01:00:00Z\"" : ""),
            ERR_OK);
    assert_int_equal(add_numbered(&k, x, EXCEPTIONS_MAX, HOUR - 1000, ""),
                     ERR_LIMIT);
    /* Number 7 is over: it makes room, and the others are still found. */
    assert_int_equal(add_numbered(&k, x, EXCEPTIONS_MAX, HOUR, ""), ERR_OK);
    assert_int_equal(exceptions_count(x), EXCEPTIONS_MAX);
    assert_null(exceptions_by_id(x, span_str("0000000000000007")));
    assert_non_null(exceptions_by_id(x, span_str("0000000000000008")));
    assert_int_equal(found(x, "10.0.0.8", EXCEPT_ALERT, "r", HOUR), '0');
    assert_int_equal(found(x, "10.0.0.7", EXCEPT_ALERT, "r", HOUR), '-');
    assert_int_equal(add_numbered(&k, x, EXCEPTIONS_MAX + 1, HOUR, ""),
                     ERR_LIMIT);
    exceptions_free(x);
    kit_close(&k);
}

static void
snapshot(void **state)
{
    struct exceptions *x, *y;
    struct buf a, b;
    struct kit k;

    (void)state;
    kit_open(&k);
    buf_init(&a, 1U << 20);
    buf_init(&b, 1U << 20);
    assert_int_equal(exceptions_new(&x), ERR_OK);
    assert_int_equal(exceptions_new(&y), ERR_OK);
    assert_int_equal(add(&k, x, 0, ID_A, "10.1.2.0/24", "alert",
                         ", \"rule\": \"q\", \"until\": "
                         "\"2026-01-02T00:00:00Z\""),
                     ERR_OK);
    assert_int_equal(add(&k, x, 0, ID_B, "2001:db8::1", "both", ""), ERR_OK);
    assert_int_equal(take_away(&k, x, HOUR, ID_B), ERR_OK);
    assert_int_equal(exceptions_save(x, &a), ERR_OK);
    assert_int_equal(exceptions_load(y, buf_view(&a)), ERR_OK);
    assert_int_equal(exceptions_save(y, &b), ERR_OK);
    assert_true(span_eq(buf_view(&a), buf_view(&b)));
    assert_int_equal(found(y, "10.1.2.9", EXCEPT_ALERT, "q", HOUR), 'a');
    for (size_t i = 0; i < a.n; i++) {
        a.p[i] ^= 0x20;
        assert_int_not_equal(exceptions_load(y, buf_view(&a)), ERR_OK);
        a.p[i] ^= 0x20;
        assert_int_not_equal(exceptions_load(y, span_of(a.p, i)), ERR_OK);
    }
    assert_int_equal(exceptions_count(y), 2);
    exceptions_free(x);
    exceptions_free(y);
    buf_free(&a);
    buf_free(&b);
    kit_close(&k);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(whom),     cmocka_unit_test(when),
        cmocka_unit_test(refused),  cmocka_unit_test(full),
        cmocka_unit_test(snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
