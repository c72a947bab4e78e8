#ifndef SPAN25_SINKS_SINK_TEST_KIT_H
#define SPAN25_SINKS_SINK_TEST_KIT_H
/* sink_test_kit - records and lines to put, and turns of a sink */
#include "sensor/event/json_write.h"
#include "sensor/sinks/sink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define KIT_PATIENCE 6000U /* turns of 10 ms, on a machine with other work */

/* What an event says; NULL: it lacks it. */
struct kit_event {
    enum event_type type;
    unsigned id;
    const char *src, *action, *mode, *subject, *sensor;
    ns_t until;
    const char *kind, *done, *exception, *about; /* of control */
    uint64_t audit, part;
};

struct kit {
    struct json_writer json;
    struct record_out record;
    struct buf line;
    ns_t now;
};

static inline void
kit_init(struct kit *k)
{
    json_writer_init(&k->json);
    record_init(&k->record);
    buf_init(&k->line, JSON_LINE_MAX);
    k->now = NS_PER_S;
}

static inline void
kit_fini(struct kit *k)
{
    record_free(&k->record);
    buf_free(&k->line);
}

static inline void
kit_id(unsigned id, char out[17])
{
    (void)snprintf(out, 17, "%016x", id);
}

static inline void
kit_text(struct kit *k, enum field f, const char *text)
{
    if (text != NULL)
        record_text(&k->record, f, text);
}

/* Makes k->record and k->line of it. */
static inline void
kit_make(struct kit *k, const struct kit_event *e)
{
    struct record_head head = {
        .when = NS_PER_S + e->id * NS_PER_MS, .seq = e->id, .type = e->type};
    struct addr a;
    char id[17];

    kit_id(e->id, id);
    record_begin(&k->record, &head);
    record_text(&k->record, FIELD_EVENT_ID, id);
    record_u64(&k->record, FIELD_SCHEMA_VERSION, 1);
    kit_text(k, FIELD_SENSOR, e->sensor);
    if (e->src != NULL) {
        assert_true(addr_parse(span_str(e->src), &a));
        record_addr(&k->record, FIELD_SRC_IP, &a);
    }
    kit_text(k, FIELD_DECISION_ACTION, e->action);
    kit_text(k, FIELD_DECISION_MODE, e->mode);
    kit_text(k, FIELD_DECISION_SUBJECT, e->subject);
    if (e->until != 0)
        record_time(&k->record, FIELD_DECISION_UNTIL, e->until);
    kit_text(k, FIELD_CONTROL_KIND, e->kind);
    kit_text(k, FIELD_CONTROL_ACTION, e->done);
    if (e->audit != 0)
        record_u64(&k->record, FIELD_CONTROL_AUDIT, e->audit);
    if (e->part != 0)
        record_u64(&k->record, FIELD_CONTROL_PART, e->part);
    kit_text(k, FIELD_CONTROL_EXCEPTION, e->exception);
    kit_text(k, FIELD_CONTROL_SUBJECT, e->about);
    buf_reset(&k->line);
    assert_true(record_check(record_view(&k->record)));
    assert_true(json_write(&k->json, record_view(&k->record), &k->line));
}

static inline enum put
kit_put(struct kit *k, struct sink *s, const struct kit_event *e)
{
    kit_make(k, e);
    return s->ops->put(s, record_view(&k->record), buf_view(&k->line));
}

/* The clock goes on by 10 ms. */
static inline void
kit_turn(struct kit *k, struct sink *s)
{
    k->now += 10 * NS_PER_MS;
    s->ops->tick(s, k->now);
    sink_wait(s, 10);
}

static inline enum put
kit_flush(struct kit *k, struct sink *s)
{
    enum put p = s->ops->flush(s);

    for (unsigned i = 0; p == PUT_BUSY && i < KIT_PATIENCE; i++) {
        kit_turn(k, s);
        p = s->ops->flush(s);
    }
    return p;
}

/* Puts until it is taken, or until it never will be. */
static inline enum put
kit_put_wait(struct kit *k, struct sink *s, const struct kit_event *e)
{
    enum put p = kit_put(k, s, e);

    for (unsigned i = 0; p == PUT_BUSY && i < KIT_PATIENCE; i++) {
        kit_turn(k, s);
        p = kit_put(k, s, e);
    }
    return p;
}

static inline struct sink *
kit_open_with(const char *kind, const struct sink_settings *settings)
{
    struct sink *s = NULL;
    struct buf message;
    enum err e;

    buf_init(&message, 4096);
    e = sink_open(span_str(kind), settings, &s, &message);
    if (e != ERR_OK)
        fail_msg("%s: %.*s", err_text(e), (int)message.n,
                 (const char *)message.p);
    buf_free(&message);
    return s;
}

static inline struct sink *
kit_open(const char *kind, const char *target, const struct sink_value *values,
         size_t n)
{
    struct sink_settings settings = {
        .target = target, .values = values, .n_values = n};

    return kit_open_with(kind, &settings);
}

static inline bool
kit_why_is(const struct sink *s, const char *text)
{
    struct buf why;
    bool has;

    buf_init(&why, 4096);
    s->ops->why(s, &why);
    has = span_search(buf_view(&why), span_str(text)) < why.n;
    buf_free(&why);
    return has;
}

/* The same, for what must be. */
static inline bool
kit_why_has(const struct sink *s, const char *text)
{
    struct buf why;

    if (kit_why_is(s, text))
        return true;
    buf_init(&why, 4096);
    s->ops->why(s, &why);
    print_error("why: %.*s\n", (int)why.n, (const char *)why.p);
    buf_free(&why);
    return false;
}

static inline void
kit_check_counts(const struct sink *s, uint64_t taken, uint64_t delivered,
                 uint64_t refused)
{
    struct sink_counts c = s->ops->counts(s);

    assert_int_equal(c.taken, taken);
    assert_int_equal(c.delivered, delivered);
    assert_int_equal(c.refused, refused);
}

static inline void
kit_count(void *ctx, bool delivered)
{
    uint64_t *n = ctx;

    *n += delivered;
}

/* What every kind of sink must do, on something it can write to. */
static inline void
kit_check_kind(const struct sink_ops *ops, const char *target)
{
    struct kit k;
    uint64_t told = 0;
    struct sink_settings settings = {
        .target = target, .settled = kit_count, .ctx = &told};
    struct sink *s = kit_open_with(ops->name, &settings);
    struct kit_event e = {.type = EVENT_SMTP, .src = "192.0.2.7"};
    struct buf message;
    struct sink_counts c;

    kit_init(&k);
    buf_init(&message, 4096);
    assert_ptr_equal(sink_find(span_str(ops->name)), ops);
    assert_ptr_equal(s->ops, ops);
    assert_int_equal(ops->flush(s), PUT_DONE);
    for (e.id = 0; e.id < 3; e.id++)
        assert_int_equal(kit_put(&k, s, &e), PUT_DONE);
    c = ops->counts(s);
    assert_int_equal(c.taken, 3);
    assert_true(c.delivered <= 3);
    ops->tick(s, 2);
    assert_int_equal(kit_flush(&k, s), PUT_DONE);
    kit_check_counts(s, 3, 3, 0);
    assert_int_equal(ops->reopen(s), ERR_OK);
    assert_int_equal(kit_put_wait(&k, s, &e), PUT_DONE);
    assert_int_equal(kit_flush(&k, s), PUT_DONE);
    kit_check_counts(s, 4, 4, 0);
    assert_int_equal(told, 4);
    ops->why(s, &message);
    assert_true(message.n > 0);
    ops->close(s);
    ops->close(NULL);
    buf_free(&message);
    kit_fini(&k);
}

#endif
