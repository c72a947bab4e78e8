#include "sensor/event/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random_record.h"

static const struct record_head head = {1000000, 7, 3, EVENT_SMTP};

static void
round_trip(void **state)
{
    struct record_out r;
    struct record_head back;
    struct addr a = addr_v4((const uint8_t *)"\xc0\x00\x02\x01");
    struct cursor c;
    struct record_entry e = {0};
    struct span rec;

    (void)state;
    record_init(&r);
    record_begin(&r, &head);
    record_u64(&r, FIELD_VLAN, 100);
    record_u64(&r, FIELD_VLAN, 200);
    record_addr(&r, FIELD_SRC_IP, &a);
    record_bool(&r, FIELD_QUALITY_ONEWAY, true);
    record_text(&r, FIELD_SMTP_HELO, "");
    record_object_begin(&r, FIELD_SMTP_RCPT);
    record_text(&r, FIELD_SMTP_RCPT_ADDR, "<a@b>");
    record_u64(&r, FIELD_SMTP_RCPT_CODE, 250);
    record_object_end(&r);
    record_object_begin(&r, FIELD_SMTP_RCPT);
    record_object_end(&r);
    record_time(&r, FIELD_FLOW_START, 1234567);
    rec = record_view(&r);
    assert_true(record_check(rec));
    back = record_head_of(rec);
    assert_memory_equal(&back, &head, sizeof(head));
    assert_int_equal(record_find_u64(rec, FIELD_VLAN, 0), 100);
    assert_int_equal(record_find_u64(rec, FIELD_TX_ID, 9), 9);
    assert_true(record_find_bool(rec, FIELD_QUALITY_ONEWAY));
    assert_false(record_find_bool(rec, FIELD_QUALITY_TRUNCATED));
    assert_non_null(record_find(rec, FIELD_SMTP_HELO).p);
    assert_int_equal(record_find(rec, FIELD_SMTP_HELO).n, 0);
    assert_null(record_find(rec, FIELD_SMTP_BANNER).p);
    assert_int_equal(record_find_u64(rec, FIELD_FLOW_START, 0), 1234000);
    c = cur_open(record_find(rec, FIELD_SMTP_RCPT));
    assert_true(record_next(&c, &e));
    assert_int_equal(e.field, FIELD_SMTP_RCPT_ADDR);
    assert_true(record_next(&c, &e));
    assert_int_equal(entry_u64(e.value), 250);
    assert_false(record_next(&c, &e));
    assert_false(c.bad);
    record_free(&r);
}

/* ---- the checker ---- */

static void
put16(struct buf *b, unsigned v)
{
    uint16_t w = (uint16_t)v;

    buf_put(b, &w, 2);
}

/* A record of entries {field, length}, each filled with ones. */
static bool
check_of(const struct record_head *h, const unsigned (*rows)[2], size_t n)
{
    struct buf b;
    uint32_t type = (uint32_t)h->type;
    bool ok;

    buf_init(&b, 2 * RECORD_MAX);
    buf_put(&b, &h->when, 8);
    buf_put(&b, &h->flow_id, 8);
    buf_put(&b, &h->seq, 4);
    buf_put(&b, &type, 4);
    for (size_t i = 0; i < n; i++) {
        put16(&b, rows[i][0]);
        put16(&b, rows[i][1]);
        for (unsigned k = 0; k < rows[i][1]; k++)
            buf_putc(&b, 1);
    }
    ok = record_check(buf_view(&b));
    buf_free(&b);
    return ok;
}

static void
checker_refuses(void **state)
{
    static const struct {
        const char *why;
        bool ok;
        unsigned rows[2][2];
    } cases[] = {
        {"in order",              true,  {{FIELD_SRC_PORT, 8}, {FIELD_DEST_PORT, 8}}  },
        {"out of order",          false, {{FIELD_DEST_PORT, 8}, {FIELD_SRC_PORT, 8}}  },
        {"a scalar twice",        false, {{FIELD_SRC_PORT, 8}, {FIELD_SRC_PORT, 8}}   },
        {"a list twice",          true,  {{FIELD_VLAN, 8}, {FIELD_VLAN, 8}}           },
        {"unknown field",         false, {{FIELD_SRC_PORT, 8}, {FIELD_COUNT, 8}}      },
        {"field 65535",           false, {{FIELD_SRC_PORT, 8}, {65535, 8}}            },
        {"short number",          false, {{FIELD_SRC_PORT, 7}, {FIELD_PROTO, 1}}      },
        {"long number",           false, {{FIELD_SRC_PORT, 9}, {FIELD_PROTO, 1}}      },
        {"IPv4 of 4 bytes",       false, {{FIELD_SRC_IP, 4}, {FIELD_PROTO, 1}}        },
        {"address",               true,  {{FIELD_SRC_IP, 16}, {FIELD_PROTO, 1}}       },
        {"bool of 2",             false, {{FIELD_PROTO, 1}, {FIELD_QUALITY_ONEWAY, 2}}},
        {"empty bool",            false, {{FIELD_PROTO, 1}, {FIELD_QUALITY_ONEWAY, 0}}},
        {"time with nanoseconds",
         false,                          {{FIELD_PROTO, 1}, {FIELD_FLOW_START, 8}}    },
        {"child at the top",
         false,                          {{FIELD_PROTO, 1}, {FIELD_SMTP_RCPT_ADDR, 1}}},
        {"object of garbage",     false, {{FIELD_PROTO, 1}, {FIELD_SMTP_RCPT, 5}}     },
        {"empty object",          true,  {{FIELD_PROTO, 1}, {FIELD_SMTP_RCPT, 0}}     },
        {"timestamp",             false, {{FIELD_TIMESTAMP, 8}, {FIELD_PROTO, 1}}     },
        {"event type",            false, {{FIELD_EVENT_TYPE, 1}, {FIELD_PROTO, 1}}    },
    };
    struct record_head bad = head;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        print_message("%s\n", cases[i].why);
        assert_int_equal(check_of(&head, cases[i].rows, 2), cases[i].ok);
    }
    assert_true(check_of(&head, NULL, 0));
    bad.type = EVENT_TYPE_COUNT;
    assert_false(check_of(&bad, NULL, 0));
    bad = head;
    bad.when = 1;
    assert_false(check_of(&bad, NULL, 0));
}

/* A cut record is whole only between entries. */
static void
every_cut(void **state)
{
    struct record_out r;
    uint64_t seed = 4711;
    struct span rec;
    struct cursor c;
    struct record_entry e = {0};
    size_t at = RECORD_HEAD;

    (void)state;
    record_init(&r);
    random_record(&r, &seed, 4);
    rec = record_view(&r);
    c = record_entries_of(rec);
    for (size_t n = 0; n <= rec.n; n++) {
        uint8_t *copy = malloc(n + 1);

        assert_non_null(copy);
        memcpy(copy, rec.p, n);
        if (n > at) {
            assert_true(record_next(&c, &e));
            at += 4 + e.value.n;
        }
        assert_int_equal(record_check(span_of(copy, n)), n == at);
        free(copy);
    }
    record_free(&r);
}

/* ---- room ---- */

static void
stays_sound(struct record_out *r)
{
    struct span rec = record_view(r);

    if (rec.n > 0)
        assert_true(record_check(rec));
}

/* As if memory ended at each size: what is there stays a record. */
static void
no_room_at_each_size(void **state)
{
    struct record_out r;
    uint64_t seed = 99;
    size_t whole;

    (void)state;
    record_init(&r);
    random_record(&r, &seed, 5);
    whole = record_view(&r).n;
    assert_int_equal(r.left_out, 0);
    for (size_t max = 0; max <= whole; max++) {
        record_free(&r);
        buf_init(&r.buf, max);
        seed = 99;
        random_record(&r, &seed, 5);
        stays_sound(&r);
        assert_int_equal(r.left_out > 0, max < whole);
    }
    record_free(&r);
}

static void
object_is_whole_or_absent(void **state)
{
    (void)state;
    for (size_t max = RECORD_HEAD; max < RECORD_HEAD + 40; max++) {
        struct record_out r;
        bool fits = max >= RECORD_HEAD + 4 + 9 + 12;

        record_init(&r);
        buf_init(&r.buf, max);
        record_begin(&r, &head);
        record_object_begin(&r, FIELD_SMTP_RCPT);
        record_text(&r, FIELD_SMTP_RCPT_ADDR, "<a@b>");
        record_u64(&r, FIELD_SMTP_RCPT_CODE, 250);
        record_object_end(&r);
        assert_int_equal(record_view(&r).n, RECORD_HEAD + (fits ? 25 : 0));
        assert_int_equal(r.left_out, fits ? 0 : 1);
        stays_sound(&r);
        record_free(&r);
    }
}

static void
object_too_long(void **state)
{
    static const uint8_t bytes[RECORD_STR_MAX + 1];
    struct record_out r;

    (void)state;
    record_init(&r);
    for (size_t n = RECORD_STR_MAX - 5; n <= RECORD_STR_MAX; n++) {
        record_begin(&r, &head);
        record_object_begin(&r, FIELD_SMTP_RCPT);
        record_str(&r, FIELD_SMTP_RCPT_ADDR, span_of(bytes, n));
        record_object_end(&r);
        record_u64(&r, FIELD_SMTP_RCPT_OFFERED, 1);
        assert_int_equal(r.left_out, n + 4 > RECORD_STR_MAX ? 1 : 0);
        stays_sound(&r);
    }
    record_begin(&r, &head);
    record_str(&r, FIELD_SMTP_HELO, span_of(bytes, sizeof(bytes)));
    assert_int_equal(record_find(record_view(&r), FIELD_SMTP_HELO).n,
                     RECORD_STR_MAX);
    record_free(&r);
}

/* RECORD_MAX at n-1, n and n+1. */
static void
record_max(void **state)
{
    static const uint8_t bytes[RECORD_STR_MAX];
    size_t whole = (RECORD_MAX - RECORD_HEAD) / (RECORD_STR_MAX + 4);
    size_t rest = RECORD_MAX - RECORD_HEAD - whole * (RECORD_STR_MAX + 4) - 4;

    (void)state;
    for (size_t n = rest - 1; n <= rest + 1; n++) {
        struct record_out r;

        record_init(&r);
        record_begin(&r, &head);
        for (size_t i = 0; i < whole; i++)
            record_str(&r, FIELD_SMTP_RCPT_TO, span_of(bytes, sizeof(bytes)));
        record_str(&r, FIELD_SMTP_RCPT_TO, span_of(bytes, n));
        assert_int_equal(r.left_out, n > rest);
        assert_true(record_check(record_view(&r)));
        record_free(&r);
    }
}

/* ---- merge ---- */

static void
merges(void **state)
{
    struct record_out a;
    struct record_out b;
    struct record_out out;
    struct span rec;
    struct cursor c;
    struct record_entry e = {0};

    (void)state;
    record_init(&a);
    record_init(&b);
    record_init(&out);
    record_begin(&a, &head);
    record_u64(&a, FIELD_VLAN, 1);
    record_u64(&a, FIELD_SRC_PORT, 1);
    record_text(&a, FIELD_SMTP_HELO, "a");
    record_begin(&b, &(struct record_head){2000, 9, 9, EVENT_TLS});
    record_text(&b, FIELD_SENSOR, "s");
    record_u64(&b, FIELD_VLAN, 2);
    record_u64(&b, FIELD_SRC_PORT, 2);
    record_merge(&out, record_view(&a), record_view(&b));
    rec = record_view(&out);
    assert_true(record_check(rec));
    assert_int_equal(record_head_of(rec).flow_id, 7);
    assert_int_equal(record_head_of(rec).type, EVENT_SMTP);
    assert_int_equal(record_find_u64(rec, FIELD_SRC_PORT, 0), 2);
    assert_int_equal(record_find(rec, FIELD_SMTP_HELO).n, 1);
    c = record_entries_of(rec);
    assert_true(record_next(&c, &e));
    assert_int_equal(e.field, FIELD_SENSOR);
    assert_true(record_next(&c, &e));
    assert_int_equal(entry_u64(e.value), 2);
    assert_true(record_next(&c, &e));
    assert_int_equal(entry_u64(e.value), 1);
    record_free(&a);
    record_free(&b);
    record_free(&out);
}

static void
merges_anything(void **state)
{
    uint64_t seed = 1234567;
    struct record_out a;
    struct record_out b;
    struct record_out out;

    (void)state;
    record_init(&a);
    record_init(&b);
    record_init(&out);
    for (unsigned i = 0; i < 500; i++) {
        random_record(&a, &seed, 1 + i % 7);
        random_record(&b, &seed, 1 + i % 5);
        assert_true(record_check(record_view(&a)));
        record_merge(&out, record_view(&a), record_view(&b));
        assert_true(record_check(record_view(&out)));
        assert_int_equal(out.left_out, 0);
        record_merge(&b, record_view(&out), record_view(&a));
        assert_true(record_check(record_view(&b)));
    }
    record_free(&a);
    record_free(&b);
    record_free(&out);
}

/* Two full records do not fit in one: what is left out is counted. */
static void
merges_too_much(void **state)
{
    static const uint8_t bytes[60000];
    struct record_out a;
    struct record_out out;

    (void)state;
    record_init(&a);
    record_init(&out);
    record_begin(&a, &head);
    for (unsigned i = 0; i < 17; i++)
        record_str(&a, FIELD_SMTP_RCPT_TO, span_of(bytes, sizeof(bytes)));
    record_u64(&a, FIELD_SMTP_RCPT_OFFERED, 17);
    record_merge(&out, record_view(&a), record_view(&a));
    assert_true(record_check(record_view(&out)));
    assert_int_equal(out.left_out, 17);
    assert_int_equal(
        record_find_u64(record_view(&out), FIELD_SMTP_RCPT_OFFERED, 0), 17);
    record_free(&a);
    record_free(&out);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(checker_refuses),
        cmocka_unit_test(every_cut),
        cmocka_unit_test(no_room_at_each_size),
        cmocka_unit_test(object_is_whole_or_absent),
        cmocka_unit_test(object_too_long),
        cmocka_unit_test(record_max),
        cmocka_unit_test(merges),
        cmocka_unit_test(merges_anything),
        cmocka_unit_test(merges_too_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
