#include "sensor/app/aggregate_people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "rules/registry/book_make.h"
#include "sensor/core/control.h"
#include "sensor/event/json_write.h"
#include "tempdir.h"

#define NORTH "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
#define SOUTH "ssssssssssssssssssssssssssssssss"
#define OURS  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NOW   (UINT64_C(1800000000) * NS_PER_S)

struct rig {
    struct tempdir dir;
    struct gate_keys *keys;
    struct people *people;
    struct people_told told;
    struct json_writer *writer;
    struct record_out extra, event;
    struct buf line;
    struct book *book; /* of who makes the records */
    uint64_t n;        /* messages */
    uint64_t skip;     /* this audit record is lost */
};

static void
open_rig(struct rig *r)
{
    struct buf said;

    *r = (struct rig){.n = 0};
    tempdir_make(&r->dir);
    tempdir_store(r->dir.path, "north", NORTH, sizeof(NORTH) - 1);
    tempdir_store(r->dir.path, "south", SOUTH, sizeof(SOUTH) - 1);
    tempdir_store(r->dir.path, "aggregate", OURS, sizeof(OURS) - 1);
    buf_init(&said, 4096);
    assert_int_equal(gate_keys_load(r->dir.path, &r->keys, &said), ERR_OK);
    buf_free(&said);
    assert_int_equal(people_new(r->keys, "north", &r->people), ERR_OK);
    r->writer = malloc(sizeof(*r->writer));
    assert_non_null(r->writer);
    json_writer_init(r->writer);
    record_init(&r->extra);
    record_init(&r->event);
    buf_init(&r->line, JSON_LINE_MAX);
    assert_int_equal(book_new(&r->book), ERR_OK);
}

static void
close_rig(struct rig *r)
{
    people_free(r->people);
    gate_keys_free(r->keys);
    free(r->writer);
    record_free(&r->extra);
    record_free(&r->event);
    buf_free(&r->line);
    book_free(r->book);
    tempdir_remove(&r->dir);
}

/* As the core and the sink of this sensor would send the record. */
static enum gate_verdict
send_as(struct rig *r, struct span record, const char *sensor,
        const char *secret, uint64_t id)
{
    const struct record_head head = record_head_of(record);
    struct gate_message m = {.appended = NOW + ++r->n * NS_PER_MS};
    uint8_t room[AUTH_HEADER_MAX];
    struct buf header = {room, 0, sizeof(room), sizeof(room), false, false};
    char text[17];

    (void)snprintf(text, sizeof(text), "%016llx", (unsigned long long)id);
    record_begin(&r->extra, &head);
    record_text(&r->extra, FIELD_EVENT_ID, text);
    record_u64(&r->extra, FIELD_SCHEMA_VERSION, 1);
    record_text(&r->extra, FIELD_SENSOR, sensor);
    record_merge(&r->event, record, record_view(&r->extra));
    buf_reset(&r->line);
    assert_true(json_write(r->writer, record_view(&r->event), &r->line));
    m.message = (struct auth_message){SPAN_LIT("p.control"), SPAN_LIT("k"),
                                      buf_view(&r->line)};
    assert_true(auth_sign(span_str(secret), span_str(sensor),
                          m.appended / NS_PER_US, &m.message, &header));
    m.header = buf_view(&header);
    people_take(r->people, &m, r->n, &r->told);
    return r->told.verdict;
}

static void
put(void *ctx, struct span record)
{
    struct rig *r = ctx;

    if (record_find_u64(record, FIELD_CONTROL_AUDIT, 0) != r->skip)
        assert_int_equal(send_as(r, record, "north", NORTH, 1000 + r->n),
                         GATE_OK);
}

/* A form is entered: what tells of it is sent, `times` times. */
static void
submit(struct rig *r, const char *number, unsigned times)
{
    struct form form;
    struct action a = {.kind = ACTION_SUBMIT,
                       .when = NOW + r->n * NS_PER_S,
                       .actor = "ada",
                       .number = number,
                       .form = &form};
    const struct record_sink sink = {put, r};
    struct buf text, why;
    struct audit audit;

    buf_init(&text, 1U << 20);
    buf_init(&why, 4096);
    make_form(&form, number);
    (void)make_line(&form, 1, "10.0.0.9", "25", "send");
    if (book_apply(r->book, &a, &audit, &text, &why) != ERR_OK)
        fail_msg("%.*s", (int)why.n, (const char *)why.p);
    for (unsigned i = 0; i < times; i++)
        assert_int_equal(control_emit(&audit, buf_view(&text), 0, &sink),
                         ERR_OK);
    form_fini(&form);
    buf_free(&text);
    buf_free(&why);
}

/* A control event of this kind, with what it is about. */
static struct span
control(struct record_out *out, ns_t when, const char *kind, const char *id)
{
    const struct record_head head = {.when = when, .type = EVENT_CONTROL};

    record_begin(out, &head);
    record_text(out, FIELD_CONTROL_KIND, kind);
    if (id != NULL) {
        record_text(out, FIELD_CONTROL_ACTION, "add");
        record_text(out, FIELD_CONTROL_EXCEPTION, id);
        record_text(out, FIELD_CONTROL_SUBJECT, "10.0.0.9/32");
        record_text(out, FIELD_CONTROL_FROM, "block");
    }
    return record_view(out);
}

static void
test_registry(void **state)
{
    struct rig r;

    (void)state;
    open_rig(&r);
    assert_int_equal(people_copy(r.people).as_of, 0);
    submit(&r, "2026-1", 1);
    submit(&r, "2026-2", 2); /* the second one is published again */
    assert_int_equal(book_n_forms(people_book(r.people)), 2);
    assert_int_equal(people_copy(r.people).records, 2);
    assert_true(people_copy(r.people).as_of >= NOW);
    assert_int_equal(people_why(r.people).n, 0);
    close_rig(&r);
}

/* Without a record the copy is never up to date, whatever comes behind. */
static void
test_hole(void **state)
{
    struct record_out out;
    struct rig r;

    (void)state;
    open_rig(&r);
    record_init(&out);
    r.skip = 2;
    submit(&r, "2026-1", 1);
    submit(&r, "2026-2", 1);
    assert_true(people_copy(r.people).as_of > 0);
    submit(&r, "2026-3", 1);
    assert_int_equal(people_copy(r.people).as_of, 0);
    assert_true(people_why(r.people).n > 0);
    (void)send_as(&r, control(&out, NOW, "tick", NULL), "north", NORTH, 1);
    assert_int_equal(people_copy(r.people).as_of, 0);
    record_free(&out);
    close_rig(&r);
}

static void
test_acts(void **state)
{
    struct record_out out;
    struct rig r;

    (void)state;
    open_rig(&r);
    record_init(&out);
    assert_int_equal(
        send_as(&r, control(&out, NOW, "exception", "00e1"), "north", NORTH, 1),
        GATE_OK);
    assert_true(r.told.has_act);
    assert_true(record_map_is(&r.told.act, FIELD_CONTROL_EXCEPTION, "00e1"));
    assert_int_equal(
        send_as(&r, control(&out, NOW, "exception", "00e1"), "north", NORTH, 1),
        GATE_DOUBLE);
    assert_false(r.told.has_act);
    assert_int_equal(people_copy(r.people).records, 1);
    assert_int_equal(people_copy(r.people).as_of, NOW);
    assert_int_equal(send_as(&r,
                             control(&out, NOW + 9 * NS_PER_S, "tick", NULL),
                             "north", NORTH, 2),
                     GATE_OK);
    assert_false(r.told.has_act);
    assert_int_equal(people_copy(r.people).as_of, NOW + 9 * NS_PER_S);
    assert_int_equal(send_as(&r,
                             control(&out, NOW + 2 * GATE_AHEAD, "tick", NULL),
                             "north", NORTH, 4),
                     GATE_STALE); /* else it would never be too old */
    (void)send_as(&r, control(&out, NOW, "tick", NULL), "north", NORTH, 3);
    assert_int_equal(people_copy(r.people).as_of, NOW + 9 * NS_PER_S);
    record_free(&out);
    close_rig(&r);
}

/* Only the sensor that has the registry is listened to. */
static void
test_others(void **state)
{
    struct record_out out;
    struct rig r;

    (void)state;
    open_rig(&r);
    record_init(&out);
    assert_int_equal(
        send_as(&r, control(&out, NOW, "exception", "00e1"), "south", SOUTH, 1),
        GATE_REFUSED);
    assert_int_equal(
        send_as(&r, control(&out, NOW, "exception", "00e1"), "north", SOUTH, 1),
        GATE_FORGED);
    assert_int_equal(people_copy(r.people).records, 0);
    assert_int_equal(people_copy(r.people).as_of, 0);
    people_free(r.people);
    assert_int_equal(people_new(r.keys, NULL, &r.people), ERR_OK);
    assert_int_equal(
        send_as(&r, control(&out, NOW, "tick", NULL), "north", NORTH, 1),
        GATE_REFUSED);
    record_free(&out);
    close_rig(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry),
        cmocka_unit_test(test_hole),
        cmocka_unit_test(test_acts),
        cmocka_unit_test(test_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
