#include "sensor/app/publish_shape.h"

#include "sensor/event/json_read.h"
#include "sensor/event/json_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tempdir.h"

struct kit {
    struct json_reader reader;
    struct record_out record;
    struct buf message;
};

static void
kit_init(struct kit *k)
{
    json_reader_init(&k->reader);
    record_init(&k->record);
    buf_init(&k->message, 65536);
}

static void
kit_fini(struct kit *k)
{
    json_reader_free(&k->reader);
    record_free(&k->record);
    buf_free(&k->message);
}

#define COMMON                                                                 \
    "{\"timestamp\":\"2026-11-22T10:55:18.000001+0000\",\"event_type\":"
#define MAIL                                                                   \
    COMMON "\"smtp\",\"event_id\":\"00ab\",\"src_ip\":\"192.0.2.7\","          \
           "\"smtp\":{\"mail_from\":\"<john@ex.org>\",\"rcpt\":[{\"addr\":"    \
           "\"<jane@ex.net>\",\"code\":550}]}}"
#define ALERT(severity)                                                        \
    COMMON "\"alert\",\"event_id\":\"00ac\",\"src_ip\":\"192.0.2.7\","         \
           "\"alert\":{\"severity\":" severity ",\"subject\":\"192.0.2.7\"}}"
#define DECISION                                                               \
    COMMON "\"decision\",\"event_id\":\"00ad\",\"decision\":{\"action\":"      \
           "\"block\",\"mode\":\"enforce\",\"subject\":\"192.0.2.7/32\"}}"

static struct span
read_line(struct kit *k, const char *line)
{
    if (json_read(&k->reader, span_str(line), &k->record, &k->message) !=
        ERR_OK)
        fail_msg("%.*s: %s", (int)k->message.n, (const char *)k->message.p,
                 line);
    return record_view(&k->record);
}

static struct shape *
make(struct kit *k, const struct shape_settings *s)
{
    struct shape *h = NULL;

    buf_reset(&k->message);
    if (shape_new(s, &h, &k->message) != ERR_OK)
        fail_msg("%.*s", (int)k->message.n, (const char *)k->message.p);
    return h;
}

/* ---- what is wanted ---- */

#define ONLY(type) (UINT32_C(1) << EVENT_##type)

static const struct {
    const char *why;
    uint32_t kinds;
    const char *filter;
    bool mail, severe, mild, decision;
} wants[] = {
    {"all without settings",   0,                            "",                                              true,  true,  true,  true },
    {"one kind",               ONLY(ALERT),                  "",                                              false, true,  true,  false},
    {"two kinds",              ONLY(ALERT) | ONLY(DECISION), "",                                              false, true,  true,  true },
    {"a filter",               0,                            "a:\n    alert.severity|lte: 2\ncondition: a\n", false,
     true,                                                                                                                  false, false},
    {"a filter as in a rule",  0,
     "detection:\n    a:\n        alert.severity|lte: 2\n"
     "    condition: not a\n",                                                                                true,  false, true,  true },
    {"a whole rule",           0,
     "title: t\nlogsource:\n    product: span25\n    service: smtp\n"
     "detection:\n    a:\n        src_ip|cidr: 192.0.2.0/24\n"
     "    condition: a\n",                                                                                    true,  false, false, false},
    {"kinds and filter",       ONLY(SMTP) | ONLY(DECISION),
     "a:\n    smtp.rcpt.code: 550\nb:\n    decision.mode: enforce\n"
     "condition: 1 of them\n",                                                                                true,  false, false, true },
    {"whom an ECS path names", 0,                            "a:\n    source.ip: 192.0.2.7\ncondition: a",
     true,                                                                                                           true,  true,  false},
};

static void
expect_wants(struct kit *k, struct shape *h, const char *line, bool want,
             const char *why)
{
    struct span record = read_line(k, line);

    for (unsigned again = 0; again < 3; again++) {
        if (shape_wants(h, record) != want)
            fail_msg("%s: %s", why, line);
    }
}

static void
test_wants(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k);
    for (size_t i = 0; i < ARRAY_LEN(wants); i++) {
        const struct shape_settings s = {.kinds = wants[i].kinds,
                                         .filter = span_str(wants[i].filter),
                                         .filter_name = "filter"};
        struct shape *h = make(&k, &s);

        expect_wants(&k, h, MAIL, wants[i].mail, wants[i].why);
        expect_wants(&k, h, ALERT("1"), wants[i].severe, wants[i].why);
        expect_wants(&k, h, ALERT("3"), wants[i].mild, wants[i].why);
        expect_wants(&k, h, DECISION, wants[i].decision, wants[i].why);
        shape_free(h);
    }
    kit_fini(&k);
}

static const struct {
    const char *why, *filter, *message;
} faults[] = {
    {"a field that is none",
     "detection:\n    a:\n        smtp.foo: 1\n    condition: a\n",        "filter:3:"   },
    {"no condition",         "detection:\n    a:\n        smtp.helo: x\n", "filter:"     },
    {"no YAML",              "a: [",                                       "filter:"     },
    {"two rules",
     "title: x\ndetection:\n    a:\n        smtp.helo: x\n    condition: a\n"
     "logsource:\n    product: span25\n---\ntitle: y\nlogsource:\n"
     "    product: span25\n"
     "detection:\n    a:\n        smtp.helo: y\n    condition: a\n",       "not one rule"},
    {"for another product",
     "logsource:\n    product: zeek\ndetection:\n    a:\n"
     "        smtp.helo: y\n    condition: a\n",                           "not one rule"},
    {"a correlation",
     "title: x\ncorrelation:\n    type: event_count\n    rules: [y]\n"
     "    timespan: 1m\n    condition:\n        gte: 3\n",                 "filter:"     },
};

static void
test_faults(void **state)
{
    struct kit k;

    (void)state;
    kit_init(&k);
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        const struct shape_settings s = {.filter = span_str(faults[i].filter),
                                         .filter_name = "filter"};
        struct shape *h = NULL;

        buf_reset(&k.message);
        assert_int_equal(shape_new(&s, &h, &k.message), ERR_CONFIG);
        assert_null(h);
        if (span_search(buf_view(&k.message), span_str(faults[i].message)) ==
            k.message.n)
            fail_msg("%s: %.*s", faults[i].why, (int)k.message.n,
                     (const char *)k.message.p);
    }
    kit_fini(&k);
}

/* n - 1, n and n + 1 bytes of filter. */
static void
test_filter_max(void **state)
{
    static const char text[] = "detection:\n    a:\n        smtp.helo: x\n"
                               "    condition: a\n#";
    struct kit k;

    (void)state;
    kit_init(&k);
    for (size_t n = SHAPE_FILTER_MAX - 1; n <= SHAPE_FILTER_MAX + 1; n++) {
        struct shape_settings s = {.filter_name = "filter"};
        struct shape *h = NULL;
        struct buf filter;

        buf_init(&filter, n);
        buf_str(&filter, text);
        while (filter.n < n)
            buf_putc(&filter, '#');
        s.filter = buf_view(&filter);
        assert_int_equal(shape_new(&s, &h, &k.message),
                         n <= SHAPE_FILTER_MAX ? ERR_OK : ERR_CONFIG);
        shape_free(h);
        buf_free(&filter);
    }
    kit_fini(&k);
}

/* ---- what it looks like ---- */

static void
expect_shape(struct kit *k, struct shape *h, const char *in, const char *has,
             const char *lacks)
{
    struct span record = read_line(k, in);
    struct shaped out;

    assert_int_equal(shape_line(h, record, span_str(in), &out), ERR_OK);
    assert_true(record_check(out.record));
    if (span_search(out.line, span_str(has)) == out.line.n ||
        (lacks != NULL && span_search(out.line, span_str(lacks)) < out.line.n))
        fail_msg("%.*s", (int)out.line.n, (const char *)out.line.p);
}

static void
test_forms(void **state)
{
    static const char key[] = "an example of a key that nobody uses\n";
    struct tempdir dir;
    struct shape_settings s = {.format = SHAPE_EVE};
    struct shape *h;
    struct kit k;

    (void)state;
    kit_init(&k);
    tempdir_make(&dir);
    tempdir_store(dir.path, "key", key, sizeof(key) - 1);
    h = make(&k, &s);
    expect_shape(&k, h, MAIL, MAIL, NULL); /* as it was journaled */
    shape_free(h);
    s.format = SHAPE_ECS;
    h = make(&k, &s);
    expect_shape(&k, h, MAIL, "\"source\":{\"ip\":\"192.0.2.7\"}", "src_ip");
    shape_free(h);
    s.key_file = tempdir_name(dir.path, "key").s;
    s.veil = VEIL_PERSON;
    h = make(&k, &s);
    expect_shape(&k, h, MAIL, "@ex.org>\"", "john");
    expect_shape(&k, h, MAIL, "\"ip\":\"192.0.2.7\"", "jane");
    shape_free(h);
    s.veil = VEIL_NETWORK;
    s.format = SHAPE_EVE;
    h = make(&k, &s);
    expect_shape(&k, h, MAIL, "\"event_id\":\"00ab\"", "192.0.2.7");
    expect_shape(&k, h, MAIL, "\"mail_from\":\"<", "john");
    expect_shape(&k, h, DECISION, "\"subject\":\"pseudonym:", "192.0.2.7");
    assert_int_equal(shape_counts(h).lines, 3);
    assert_int_equal(shape_counts(h).cut, 0);
    shape_free(h);
    s.hide_domains = true;
    h = make(&k, &s);
    expect_shape(&k, h, MAIL, ".invalid>\"", "ex.org");
    shape_free(h);
    tempdir_remove(&dir);
    kit_fini(&k);
}

/* Keys and names that a sink makes are made of the record. */
static void
test_record_is_veiled(void **state)
{
    struct tempdir dir;
    struct shape_settings s = {.veil = VEIL_NETWORK};
    struct span record;
    struct shaped out;
    struct addr before, after;
    struct shape *h;
    struct kit k;

    (void)state;
    kit_init(&k);
    tempdir_make(&dir);
    tempdir_store(dir.path, "key", "0123456789abcdef", 16);
    s.key_file = tempdir_name(dir.path, "key").s;
    h = make(&k, &s);
    record = read_line(&k, MAIL);
    assert_int_equal(shape_line(h, record, SPAN_LIT(MAIL), &out), ERR_OK);
    assert_true(entry_addr(record_find(record, FIELD_SRC_IP), &before));
    assert_true(entry_addr(record_find(out.record, FIELD_SRC_IP), &after));
    assert_int_not_equal(addr_cmp(&before, &after), 0);
    shape_free(h);
    tempdir_remove(&dir);
    kit_fini(&k);
}

static const struct {
    const char *why, *key, *message;
} keys[] = {
    {"none",         NULL,                    "key-file"    },
    {"a short one",  "0123456789abcde\nmore", "less than 16"},
    {"an empty one", "\n",                    "has no line" },
};

static void
test_keys(void **state)
{
    struct tempdir dir;
    struct kit k;

    (void)state;
    kit_init(&k);
    tempdir_make(&dir);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct shape_settings s = {.veil = VEIL_PERSON};
        struct tempdir_name name = tempdir_name(dir.path, "key");
        struct shape *h = NULL;

        if (keys[i].key != NULL) {
            tempdir_store(dir.path, "key", keys[i].key, strlen(keys[i].key));
            s.key_file = name.s;
        }
        buf_reset(&k.message);
        assert_int_equal(shape_new(&s, &h, &k.message), ERR_CONFIG);
        if (span_search(buf_view(&k.message), span_str(keys[i].message)) ==
            k.message.n)
            fail_msg("%s: %.*s", keys[i].why, (int)k.message.n,
                     (const char *)k.message.p);
    }
    tempdir_remove(&dir);
    kit_fini(&k);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wants),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_filter_max),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_record_is_veiled),
        cmocka_unit_test(test_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
