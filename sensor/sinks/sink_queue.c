#include "sensor/sinks/sink_queue.h"

#include "sensor/base/attr.h"
#include "sensor/base/digits.h"

#include <stdlib.h>

const char *
sink_topic_name(enum sink_topic t)
{
    static const char *const names[] = {
#define X(id, name) name,
        SINK_TOPIC_MAP(X)
#undef X
    };

    return names[t];
}

/* All that is not here is about mail. */
enum sink_topic
sink_topic_of(enum event_type t)
{
    static const enum sink_topic topics[EVENT_TYPE_COUNT] = {
        [EVENT_ALERT] = SINK_TOPIC_ALERT,
        [EVENT_DECISION] = SINK_TOPIC_DECISION,
        [EVENT_STATS] = SINK_TOPIC_STATS,
        [EVENT_HOST] = SINK_TOPIC_STATS,
        [EVENT_CONTROL] = SINK_TOPIC_STATS,
    };

    return t < EVENT_TYPE_COUNT ? topics[t] : SINK_TOPIC_MAIL;
}

enum err
sink_queue_init(struct sink_queue *q, uint64_t lines, uint64_t bytes,
                const struct sink_settings *s)
{
    *q = (struct sink_queue){.lines = lines,
                             .bytes_max = bytes,
                             .settled = s->settled,
                             .ctx = s->ctx};
    q->ring = calloc(lines, sizeof(*q->ring));
    return q->ring != NULL ? ERR_OK : ERR_NOMEM;
}

void
sink_queue_fini(struct sink_queue *q)
{
    for (; q->head < q->tail; q->head++)
        free(sink_queue_at(q, q->head)->block);
    free(q->ring);
    *q = (struct sink_queue){.lines = 0};
}

bool
sink_queue_has_room(const struct sink_queue *q, size_t bytes)
{
    if (q->tail - q->head >= q->lines)
        return false;
    return sink_queue_is_empty(q) ||
           (q->bytes <= q->bytes_max && bytes <= q->bytes_max - q->bytes);
}

/* ---- what a decision says ---- */

static const struct {
    const char *action;
    const char *word; /* before its subject in the key */
    bool enforced, ends;
} actions[] = {
    {"block",    "",          true,  false},
    {"lift",     "",          true,  true },
    {"expire",   "",          true,  true },
    {"hold",     "hold:",     false, false},
    {"withheld", "withheld:", false, false},
};

static const char *
read_decision(struct sink_item *item, struct span record)
{
    struct span action = record_find(record, FIELD_DECISION_ACTION);
    const char *word = "other:";

    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (span_eq(action, span_str(actions[i].action))) {
            word = actions[i].word;
            item->enforced = actions[i].enforced;
            item->ends = actions[i].ends;
        }
    }
    if (!span_eq(record_find(record, FIELD_DECISION_MODE),
                 SPAN_LIT("enforce"))) {
        item->enforced = false;
        word = "simulate:";
    }
    item->until = record_find_u64(record, FIELD_DECISION_UNTIL, 0);
    return word;
}

/* ---- the key ---- */

struct text {
    uint8_t p[SINK_KEY_MAX];
    size_t n;
};

static void
add(struct text *t, struct span s)
{
    s = span_head(s, sizeof(t->p) - t->n);
    if (s.n > 0)
        memcpy(t->p + t->n, s.p, s.n);
    t->n += s.n;
}

/* The first of these that the event has. */
static void
make_key(struct text *t, struct span record)
{
    struct span address = record_find(record, FIELD_SRC_IP);
    struct span subject = record_find(record, FIELD_ALERT_SUBJECT);
    char room[ADDR_TEXT_MAX];
    struct addr a;

    if (entry_addr(address, &a))
        add(t, span_of(room, addr_format(&a, room)));
    else if (subject.n > 0)
        add(t, subject);
    else
        add(t, record_find(record, FIELD_SENSOR));
}

/* ---- what people entered ---- */

/* What tells the things of one kind apart. */
static const struct {
    const char *kind;
    enum field words[3]; /* FIELD_COUNT: no more */
} controls[] = {
    {"registry",  {FIELD_CONTROL_AUDIT, FIELD_CONTROL_PART, FIELD_COUNT}      },
    {"exception", {FIELD_CONTROL_EXCEPTION, FIELD_CONTROL_ACTION, FIELD_COUNT}},
    {"block",     {FIELD_CONTROL_SUBJECT, FIELD_CONTROL_ACTION, FIELD_COUNT}  },
    {"policy",    {FIELD_EVENT_ID, FIELD_COUNT, FIELD_COUNT}                  },
    {"tick",      {FIELD_SENSOR, FIELD_COUNT, FIELD_COUNT}                    },
};

static void
add_word(struct text *t, struct span record, enum field f)
{
    struct span v = record_find(record, f);
    char number[DIGITS_MAX + 1];

    add(t, SPAN_LIT("/"));
    if (field_shapes[f].type != FT_U64)
        add(t, v);
    else if (v.n > 0)
        add(t, span_of(number,
                       (size_t)(digits_u64(number, entry_u64(v)) - number)));
}

/* False: it is none of these. */
static bool
make_control_key(struct text *t, struct span record)
{
    struct span kind = record_find(record, FIELD_CONTROL_KIND);
    size_t i = 0;

    while (i < ARRAY_LEN(controls) &&
           !span_eq(kind, span_str(controls[i].kind)))
        i++;
    if (i == ARRAY_LEN(controls))
        return false;
    add(t, kind);
    for (size_t w = 0; w < 3 && controls[i].words[w] != FIELD_COUNT; w++)
        add_word(t, record, controls[i].words[w]);
    return true;
}

/* ---- in and out ---- */

static struct span
copy(uint8_t **at, struct span s)
{
    struct span to = span_of(*at, s.n);

    if (s.n > 0)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return to;
}

struct sink_item *
sink_queue_put(struct sink_queue *q, struct span record, struct span line)
{
    struct sink_item *item = sink_queue_at(q, q->tail);
    struct span id =
        span_head(record_find(record, FIELD_EVENT_ID), SINK_KEY_MAX);
    struct text key = {.n = 0};
    struct span sensor = record_find(record, FIELD_SENSOR);
    struct span subject = SPAN_NONE;
    size_t n;
    uint8_t *at;

    REQUIRE(q->tail - q->head < q->lines);
    *item = (struct sink_item){.type = record_head_of(record).type, .parts = 1};
    item->topic = sink_topic_of(item->type);
    item->schema =
        record_find_u64(record, FIELD_SCHEMA_VERSION, SCHEMA_VERSION);
    if (item->type == EVENT_DECISION) {
        subject = span_head(record_find(record, FIELD_DECISION_SUBJECT),
                            SINK_KEY_MAX);
        add(&key, span_str(read_decision(item, record)));
        add(&key, subject);
    } else if (item->type == EVENT_CONTROL && make_control_key(&key, record)) {
        item->topic = SINK_TOPIC_CONTROL;
    } else {
        make_key(&key, record);
    }
    sensor = span_head(sensor, SINK_KEY_MAX);
    n = line.n + id.n + key.n + subject.n + sensor.n;
    at = item->block = malloc(n > 0 ? n : 1);
    if (at == NULL)
        return NULL;
    item->line = copy(&at, line);
    item->event_id = copy(&at, id);
    item->key = copy(&at, span_of(key.p, key.n));
    item->subject = copy(&at, subject);
    item->sensor = copy(&at, sensor);
    for (unsigned i = 0; i < SINK_PARTS; i++)
        item->part[i].of = item;
    q->bytes += line.n;
    q->tail++;
    q->counts.taken++;
    return item;
}

static bool
is_done(const struct sink_item *item)
{
    bool done = true;

    for (unsigned i = 0; i < item->parts; i++)
        done &= item->part[i].done;
    return done;
}

void
sink_queue_settle(struct sink_queue *q)
{
    while (q->head < q->tail) {
        struct sink_item *item = sink_queue_at(q, q->head);

        if (!is_done(item))
            return;
        q->counts.refused += item->refused;
        q->counts.delivered += !item->refused;
        q->bytes -= item->line.n;
        free(item->block);
        item->block = NULL;
        q->head++;
        if (q->next < q->head)
            q->next = q->head;
        if (q->settled != NULL)
            q->settled(q->ctx, !item->refused);
    }
}

void
sink_queue_again(struct sink_queue *q)
{
    for (uint64_t i = q->head; i < q->tail; i++) {
        struct sink_item *item = sink_queue_at(q, i);

        for (unsigned k = 0; k < item->parts; k++)
            item->part[k].sent = item->part[k].done;
    }
    q->next = q->head;
}
