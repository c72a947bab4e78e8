#include "sensor/event/schema.h"

#include "sensor/event/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static size_t
count(struct span s, struct span want)
{
    size_t n = 0;
    size_t at = span_search(s, want);

    while (at < s.n) {
        n++;
        s = span_tail(s, at + want.n);
        at = span_search(s, want);
    }
    return n;
}

/* All is right with it as JSON, except that it is no event. */
static void
is_json(void **state)
{
    static struct json_reader r;
    struct record_out rec;
    struct buf out;
    struct buf message;

    (void)state;
    json_reader_init(&r);
    record_init(&rec);
    buf_init(&out, 1U << 20);
    buf_init(&message, 1000);
    schema_write(&out);
    assert_false(out.cut || out.failed);
    assert_int_equal(json_read(&r, buf_view(&out), &rec, &message), ERR_FORMAT);
    assert_true(span_contains_nocase(buf_view(&message),
                                     SPAN_LIT("timestamp is missing")));
    buf_free(&message);
    buf_free(&out);
    record_free(&rec);
    json_reader_free(&r);
}

static void
has_each_field(void **state)
{
    struct json_tree t;
    struct buf out;
    size_t objects;

    (void)state;
    json_tree_init(&t);
    buf_init(&out, 1U << 20);
    schema_write(&out);
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        struct buf key;

        buf_init(&key, 1000);
        buf_putc(&key, '"');
        buf_span(&key, t.key[f]);
        buf_str(&key, "\":{\"description\":\"");
        buf_str(&key, field_table[f].doc);
        print_message("%s\n", field_table[f].path);
        assert_true(span_search(buf_view(&out), buf_view(&key)) < out.n);
        buf_free(&key);
    }
    objects = count(buf_view(&out), SPAN_LIT("\"additionalProperties\":false"));
    assert_int_equal(objects, t.n);
    assert_int_equal(count(buf_view(&out), SPAN_LIT("\"x-since\":")),
                     FIELD_COUNT);
    buf_free(&out);
}

static void
knows_journaled_types_only(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1U << 20);
    schema_write(&out);
    assert_true(span_search(buf_view(&out),
                            SPAN_LIT("\"enum\":[\"smtp\",\"smtp_session\"")) <
                out.n);
    assert_int_equal(count(buf_view(&out), SPAN_LIT("\"tick\"")), 0);
    assert_int_equal(count(buf_view(&out), SPAN_LIT("\"attempt\"")), 0);
    buf_free(&out);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_json),
        cmocka_unit_test(has_each_field),
        cmocka_unit_test(knows_journaled_types_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
