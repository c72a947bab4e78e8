#include "sensor/app/aggregate_people.h"

#include "sensor/base/frame.h"
#include "sensor/core/control.h"
#include "sensor/event/json_read.h"

#include <inttypes.h>
#include <stdlib.h>

#define WHY_MAX 4096U

struct people {
    const char *sensor;
    struct gate *gate;
    struct json_reader reader;
    struct record_out event;
    struct control_reader parts;
    struct book *book;
    struct buf acts; /* offset, length, record */
    struct aggregate_copy copy;
    bool broken; /* something is missing: never up to date */
    struct buf why, text;
};

enum err
people_new(const struct gate_keys *keys, const char *sensor,
           struct people **out)
{
    struct people *p = calloc(1, sizeof(*p));
    enum err e;

    if (p == NULL)
        return ERR_NOMEM;
    p->sensor = sensor;
    json_reader_init(&p->reader);
    record_init(&p->event);
    control_reader_init(&p->parts);
    buf_init(&p->acts, PEOPLE_BYTES);
    buf_init(&p->why, WHY_MAX);
    buf_init(&p->text, WHY_MAX);
    e = aggregate_gate_new(keys, UINT64_MAX,
                           &p->gate); /* what was entered long ago */
    if (e == ERR_OK)
        e = book_new(&p->book);
    if (e == ERR_OK)
        e = book_index(p->book);
    if (e != ERR_OK) {
        people_free(p);
        return e;
    }
    *out = p;
    return ERR_OK;
}

void
people_free(struct people *p)
{
    if (p == NULL)
        return;
    aggregate_gate_free(p->gate);
    json_reader_free(&p->reader);
    record_free(&p->event);
    control_reader_free(&p->parts);
    book_free(p->book);
    buf_free(&p->acts);
    buf_free(&p->why);
    buf_free(&p->text);
    free(p);
}

const struct book *
people_book(const struct people *p)
{
    return p->book;
}

struct aggregate_copy
people_copy(const struct people *p)
{
    struct aggregate_copy c = p->copy;

    if (p->broken)
        c.as_of = 0;
    return c;
}

struct span
people_why(const struct people *p)
{
    return buf_view(&p->why);
}

static void
broken(struct people *p, const char *what)
{
    p->broken = true;
    buf_reset(&p->why);
    buf_str(&p->why, what);
}

/* ---- the registry ---- */

/* A record whose number was there is one that was published again. Its hash is
 * over that of the one before: which must be the last that came. */
static void
apply(struct people *p)
{
    const struct audit last = book_last(p->book);
    struct audit a = p->parts.audit;
    enum err e;

    if (a.number <= last.number)
        return;
    memcpy(a.before, last.hash, sizeof(a.before));
    buf_reset(&p->text);
    e = book_replay(p->book, buf_view(&p->parts.text), &a, &p->text);
    if (e == ERR_OK)
        e = book_index(p->book);
    if (e != ERR_OK) {
        broken(p, "a record of the registry is missing or is not as it was "
                  "made: the sensor must publish all of its journal");
        return;
    }
    p->copy.records++;
}

/* ---- what tasks are shown ---- */

static bool
is_act(const struct record_map *event)
{
    return record_map_is(event, FIELD_CONTROL_KIND, "exception") ||
           record_map_is(event, FIELD_CONTROL_KIND, "block") ||
           record_map_is(event, FIELD_CONTROL_KIND, "policy");
}

static void
keep(struct people *p, struct span record, uint64_t offset)
{
    size_t before = p->acts.n;

    frame_u64(&p->acts, offset);
    frame_u64(&p->acts, record.n);
    buf_span(&p->acts, record);
    p->copy.records++;
    if (p->acts.n == before + 2 * sizeof(uint64_t) + record.n)
        return;
    p->acts.n = before;
    broken(p, "more exceptions and lifts than can be kept");
}

void
people_show(const struct people *p, struct aggregate_task *t)
{
    struct cursor c = cur_open(buf_view(&p->acts));

    while (cur_left(&c) > 0) {
        uint64_t offset = cur_le64(&c);
        struct record_map map;

        record_map_init(&map, cur_take(&c, cur_le64(&c)));
        aggregate_task_control(t, &map, offset);
    }
}

/* ---- messages ---- */

static enum gate_verdict
read_event(struct people *p, const struct gate_message *m,
           struct record_map *event)
{
    struct auth_mark mark;
    enum gate_verdict v = gate_admit(p->gate, m, &mark);

    if (v != GATE_OK)
        return v;
    buf_reset(&p->text);
    if (p->sensor == NULL || !span_eq(mark.writer, span_str(p->sensor)) ||
        json_read(&p->reader, m->message.value, &p->event, &p->text) != ERR_OK)
        return GATE_REFUSED;
    record_map_init(event, record_view(&p->event));
    if (record_head_of(event->record).type != EVENT_CONTROL ||
        !record_map_is(event, FIELD_SENSOR, p->sensor))
        return GATE_REFUSED;
    if (gate_is_ahead(m, record_head_of(event->record).when))
        return GATE_STALE; /* the copy would be up to date for ever */
    return gate_first(p->gate, mark.writer,
                      record_map_find(event, FIELD_EVENT_ID))
               ? GATE_OK
               : GATE_DOUBLE;
}

void
people_take(struct people *p, const struct gate_message *m, uint64_t offset,
            struct people_told *told)
{
    ns_t when;

    told->has_act = false;
    told->verdict = read_event(p, m, &told->act);
    if (told->verdict != GATE_OK)
        return;
    told->has_act = is_act(&told->act);
    if (told->has_act)
        keep(p, told->act.record, offset);
    else if (control_reader_take(&p->parts, told->act.record))
        apply(p);
    when = record_head_of(told->act.record).when;
    if (when > p->copy.as_of)
        p->copy.as_of = when;
}
