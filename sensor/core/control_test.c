#include "sensor/core/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sensor/event/json_read.h"
#include "sensor/event/json_write.h"

/* Takes events through JSON, as the journal does, and puts them together. */
struct rig {
    struct json_writer *writer;
    struct json_reader *json;
    struct control_reader reader;
    struct record_out record;
    struct buf line;
    size_t n, whole;
    ns_t when;
    uint64_t drop; /* this part is lost */
    uint32_t seqs[64];
};

static void
rig_init(struct rig *r)
{
    *r = (struct rig){.n = 0};
    r->writer = malloc(sizeof(*r->writer));
    r->json = malloc(sizeof(*r->json));
    assert_true(r->writer != NULL && r->json != NULL);
    json_writer_init(r->writer);
    json_reader_init(r->json);
    control_reader_init(&r->reader);
    record_init(&r->record);
    buf_init(&r->line, JSON_LINE_MAX);
}

static void
rig_fini(struct rig *r)
{
    control_reader_free(&r->reader);
    record_free(&r->record);
    buf_free(&r->line);
    json_reader_free(r->json);
    free(r->json);
    free(r->writer);
}

static void
put(void *ctx, struct span record)
{
    struct rig *r = ctx;
    struct buf message;
    struct span event;

    assert_true(record_check(record));
    buf_init(&message, 512);
    buf_reset(&r->line);
    assert_true(json_write(r->writer, record, &r->line));
    assert_int_equal(
        json_read(r->json, buf_view(&r->line), &r->record, &message), ERR_OK);
    event = record_view(&r->record);
    assert_true(span_eq(event, record));
    r->when = record_head_of(event).when;
    if (r->n < ARRAY_LEN(r->seqs))
        r->seqs[r->n] = record_head_of(event).seq;
    r->n++;
    if (record_find_u64(event, FIELD_CONTROL_PART, 0) != r->drop ||
        r->drop == 0)
        r->whole += control_reader_take(&r->reader, event);
    buf_free(&message);
}

/* A form whose text is at least n bytes, with a two-byte character at every
 * place. */
static void
make_text(size_t n, struct buf *out)
{
    struct form form;
    struct action a = {.kind = ACTION_SUBMIT,
                       .when = 7 * NS_PER_S,
                       .actor = "ada",
                       .number = "2026-118",
                       .form = &form};
    struct buf device;
    uint32_t number = 0;

    form_init(&form);
    buf_init(&device, FORM_TEXT_MAX);
    for (unsigned i = 0; i < 450; i++)
        buf_str(&device, i % 50 == 0 ? "a" : "\xc3\xa9");
    (void)snprintf(form.number, sizeof(form.number), "2026-118");
    assert_int_equal(form_set(&form.text[FORM_SITE], SPAN_LIT("Lakeside")),
                     ERR_OK);
    for (size_t at = 0; at < n; at += device.n) {
        struct form_line *l = form_add_line(&form);

        assert_non_null(l);
        l->number = ++number;
        assert_int_equal(form_set(&l->text[FORM_DEVICE], buf_view(&device)),
                         ERR_OK);
    }
    action_code(&a, out);
    assert_false(out->cut || out->failed);
    form_fini(&form);
    buf_free(&device);
}

static void
goes_through_the_journal(void **state)
{
    static const size_t sizes[] = {0, CONTROL_DATA / 2, 2 * CONTROL_DATA,
                                   30 * CONTROL_DATA};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct audit audit = {.number = 41};
        struct rig r;
        struct record_sink sink = {put, &r};
        struct buf text;

        rig_init(&r);
        buf_init(&text, 64 << 20);
        make_text(sizes[i], &text);
        assert_int_equal(action_seal(buf_view(&text), 41, audit.before, &audit),
                         ERR_OK);
        assert_int_equal(control_emit(&audit, buf_view(&text), 0, &sink),
                         ERR_OK);
        assert_int_equal(r.whole, 1);
        assert_true(r.n >= 1 + sizes[i] / CONTROL_DATA);
        assert_int_equal(r.when, 7 * NS_PER_S); /* the action's own */
        assert_int_equal(r.reader.audit.number, 41);
        assert_memory_equal(r.reader.audit.hash, audit.hash, 32);
        assert_true(span_eq(buf_view(&r.reader.text), buf_view(&text)));
        for (size_t k = 1; k < r.n && k < ARRAY_LEN(r.seqs); k++)
            assert_int_equal(r.seqs[k], r.seqs[0] + k);
        assert_int_equal(
            control_emit(&audit, buf_view(&text), 9 * NS_PER_S, &sink), ERR_OK);
        assert_int_equal(r.when, 9 * NS_PER_S); /* told */
        assert_int_equal(r.whole, 2);
        buf_free(&text);
        rig_fini(&r);
    }
}

/* Cut off by a crash, then all of it again. */
static void
drops_what_is_not_whole(void **state)
{
    (void)state;
    for (uint64_t drop = 1; drop <= 3; drop++) {
        struct audit audit = {.number = 41};
        struct rig r;
        struct record_sink sink = {put, &r};
        struct buf text;

        rig_init(&r);
        r.drop = drop;
        buf_init(&text, 64 << 20);
        make_text(CONTROL_DATA * 2, &text);
        assert_int_equal(control_emit(&audit, buf_view(&text), 0, &sink),
                         ERR_OK);
        assert_int_equal(r.n, 3);
        assert_int_equal(r.whole, 0);
        r.drop = 0;
        assert_int_equal(control_emit(&audit, buf_view(&text), 0, &sink),
                         ERR_OK);
        assert_int_equal(r.whole, 1);
        assert_true(span_eq(buf_view(&r.reader.text), buf_view(&text)));
        buf_free(&text);
        rig_fini(&r);
    }
}

static void
emits_nothing_but_actions(void **state)
{
    struct audit audit = {.number = 1};
    struct rig r;
    struct record_sink sink = {put, &r};

    (void)state;
    rig_init(&r);
    assert_int_equal(control_emit(&audit, SPAN_LIT("nonsense"), 0, &sink),
                     ERR_FORMAT);
    assert_int_equal(
        control_emit(&audit, span_of("x", (size_t)CONTROL_DATA * CONTROL_PARTS),
                     0, &sink),
        ERR_LIMIT);
    assert_int_equal(r.n, 0);
    rig_fini(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_through_the_journal),
        cmocka_unit_test(drops_what_is_not_whole),
        cmocka_unit_test(emits_nothing_but_actions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
