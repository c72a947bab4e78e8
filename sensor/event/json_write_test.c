#include "sensor/event/json_write.h"

#include "sensor/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random_record.h"

#define BEGIN "{\"timestamp\":\"1970-01-01T00:00:01.000000+0000\","

static const struct record_head head = {NS_PER_S, 7, 3, EVENT_SMTP};

static void
assert_line(struct span rec, const char *want)
{
    struct json_writer w;
    struct buf out;

    json_writer_init(&w);
    buf_init(&out, JSON_LINE_MAX);
    assert_true(record_check(rec));
    assert_true(json_write(&w, rec, &out));
    buf_putc(&out, 0);
    assert_string_equal((const char *)out.p, want);
    buf_free(&out);
}

static void
header(void **state)
{
    static const struct {
        const char *why;
        struct record_head head;
        const char *want;
    } rows[] = {
        {"flow",
         {NS_PER_S, 7, 3, EVENT_SMTP},
         BEGIN "\"flow_id\":7,\"flow_seq\":3,\"event_type\":\"smtp\"}"},
        {"first of a flow",
         {NS_PER_S, 7, 0, EVENT_TLS},
         BEGIN "\"flow_id\":7,\"flow_seq\":0,\"event_type\":\"tls\"}" },
        {"no flow",
         {NS_PER_S, 0, 0, EVENT_STATS},
         BEGIN "\"event_type\":\"stats\"}"                            },
        {"no flow, but a number",
         {NS_PER_S, 0, 4, EVENT_CONTROL},
         BEGIN "\"flow_seq\":4,\"event_type\":\"control\"}"           },
    };
    struct record_out r;

    (void)state;
    record_init(&r);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].why);
        record_begin(&r, &rows[i].head);
        assert_line(record_view(&r), rows[i].want);
    }
    record_free(&r);
}

static void
nesting(void **state)
{
    struct record_out r;

    (void)state;
    record_init(&r);
    record_begin(&r, &head);
    record_text(&r, FIELD_SENSOR, "s");
    record_u64(&r, FIELD_VLAN, 1);
    record_u64(&r, FIELD_VLAN, UINT64_MAX);
    record_text(&r, FIELD_SRC_REG_STATE, "x");
    record_bool(&r, FIELD_QUALITY_ONEWAY, false);
    record_text(&r, FIELD_SMTP_EHLO_CAPS, "A");
    record_object_begin(&r, FIELD_SMTP_RCPT);
    record_text(&r, FIELD_SMTP_RCPT_ADDR, "<a>");
    record_u64(&r, FIELD_SMTP_RCPT_CODE, 250);
    record_object_end(&r);
    record_object_begin(&r, FIELD_SMTP_RCPT);
    record_object_end(&r);
    record_u64(&r, FIELD_SMTP_RCPT_OFFERED, 2);
    record_bool(&r, FIELD_SMTP_STARTTLS_USED, true);
    record_u64(&r, FIELD_SMTP_TRANSACTIONS, 1);
    record_time(&r, FIELD_FLOW_START, 1000);
    record_u64(&r, FIELD_STATS_PACKETS, 5);
    record_u64(&r, FIELD_STATS_TCP, 4);
    assert_line(
        record_view(&r), BEGIN
        "\"flow_id\":7,\"flow_seq\":3,\"event_type\":\"smtp\",\"sensor\":\"s\","
        "\"vlan\":[1,18446744073709551615],\"src_reg\":{\"state\":\"x\"},"
        "\"quality\":{\"oneway\":false},\"smtp\":{\"ehlo_caps\":[\"A\"],"
        "\"rcpt\":[{\"addr\":\"<a>\",\"code\":250},{}],\"rcpt_offered\":2,"
        "\"starttls\":{\"used\":true},\"transactions\":1},"
        "\"flow\":{\"start\":\"1970-01-01T00:00:00.000001+0000\"},"
        "\"stats\":{\"capture\":{\"packets\":5},\"tcp\":{\"packets\":4}}}");
    record_free(&r);
}

static void
raw_forms(void **state)
{
    struct record_out r;

    (void)state;
    record_init(&r);
    record_begin(&r, &head);
    record_text(&r, FIELD_SMTP_BANNER, "\xef\xbf\xbd\"\n");
    record_text(&r, FIELD_SMTP_HELO, "a\xff");
    record_text(&r, FIELD_SMTP_EHLO_CAPS, "A");
    record_text(&r, FIELD_SMTP_EHLO_CAPS, "\xc3");
    record_object_begin(&r, FIELD_SMTP_RCPT);
    record_text(&r, FIELD_SMTP_RCPT_TEXT, "\xff");
    record_object_end(&r);
    assert_line(
        record_view(&r), BEGIN
        "\"flow_id\":7,\"flow_seq\":3,\"event_type\":\"smtp\",\"smtp\":{"
        "\"banner\":\"\xef\xbf\xbd\\\"\\n\","
        "\"helo\":\"a\xef\xbf\xbd\",\"helo_raw_b64\":\"Yf8=\","
        "\"ehlo_caps\":[\"A\",\"\xef\xbf\xbd\"],"
        "\"ehlo_caps_raw_b64\":[null,\"ww==\"],"
        "\"rcpt\":[{\"text\":\"\xef\xbf\xbd\",\"text_raw_b64\":\"/w==\"}]}}");
    record_free(&r);
}

/* Whatever is in a record, the line is UTF-8 in one line. */
static void
lines_are_lines(void **state)
{
    struct json_writer w;
    struct record_out r;
    struct buf out;
    uint64_t seed = 5;

    (void)state;
    json_writer_init(&w);
    record_init(&r);
    buf_init(&out, JSON_LINE_MAX);
    for (unsigned i = 0; i < 500; i++) {
        random_record(&r, &seed, 1 + i % 6);
        buf_reset(&out);
        assert_true(json_write(&w, record_view(&r), &out));
        assert_true(utf8_valid(buf_view(&out)));
        for (size_t k = 0; k < out.n; k++)
            assert_true(out.p[k] >= 0x20 && out.p[k] != 0x7f);
    }
    buf_free(&out);
    record_free(&r);
}

/* Too little room at each size: nothing is written at all. */
static void
all_or_nothing(void **state)
{
    struct json_writer w;
    struct record_out r;
    struct buf whole;
    uint64_t seed = 77;

    (void)state;
    json_writer_init(&w);
    record_init(&r);
    random_record(&r, &seed, 8);
    buf_init(&whole, JSON_LINE_MAX);
    assert_true(json_write(&w, record_view(&r), &whole));
    for (size_t max = 4; max < whole.n + 30000; max += max / 40 + 1) {
        struct buf out;
        bool ok;

        buf_init(&out, max);
        buf_str(&out, "kept");
        ok = json_write(&w, record_view(&r), &out);
        assert_int_equal(out.cut, !ok);
        assert_int_equal(out.n, 4 + (ok ? whole.n : 0));
        assert_memory_equal(out.p, "kept", 4);
        if (ok)
            assert_memory_equal(out.p + 4, whole.p, whole.n);
        buf_free(&out);
    }
    buf_free(&whole);
    record_free(&r);
}

/* Entries of list f until the record is full: each with every child, each child
 * of these bytes. */
static void
fill(struct record_out *r, enum field f, struct span s)
{
    record_begin(r, &head);
    while (r->left_out == 0) {
        if (field_table[f].type == FT_STRS)
            record_str(r, f, s);
        if (field_table[f].type == FT_U64S)
            record_u64(r, f, UINT64_MAX);
        if (field_table[f].type != FT_OBJS)
            continue;
        record_object_begin(r, f);
        for (unsigned c = f + 1; field_parent_of((enum field)c) == f; c++) {
            if (field_table[c].type == FT_STR)
                record_str(r, (enum field)c, s);
            if (field_table[c].type == FT_BOOL)
                record_bool(r, (enum field)c, false);
        }
        record_object_end(r);
    }
}

/* JSON_LINE_MAX holds for the strings and lists that grow most. */
static void
longest_lines(void **state)
{
    static uint8_t bytes[RECORD_STR_MAX];
    static const size_t sizes[] = {1, 2, RECORD_STR_MAX / 8, RECORD_STR_MAX};
    struct json_writer w;
    struct record_out r;
    struct buf out;

    (void)state;
    json_writer_init(&w);
    record_init(&r);
    buf_init(&out, JSON_LINE_MAX);
    memset(bytes, 1, sizeof(bytes));
    bytes[0] = 0xff;
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        if (!field_is_list((enum field)f))
            continue;
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            fill(&r, (enum field)f, span_of(bytes, sizes[i]));
            buf_reset(&out);
            assert_true(json_write(&w, record_view(&r), &out));
        }
    }
    buf_free(&out);
    record_free(&r);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(header),         cmocka_unit_test(nesting),
        cmocka_unit_test(raw_forms),      cmocka_unit_test(lines_are_lines),
        cmocka_unit_test(all_or_nothing), cmocka_unit_test(longest_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
