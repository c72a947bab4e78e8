#include "sensor/app/aggregate_task.h"

#include "rules/campaign/campaigns.h"
#include "sensor/base/frame.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"
#include "sensor/core/core.h"
#include "sensor/event/json_read.h"
#include "sensor/event/json_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define KIND       UINT64_C(0x316b736174353273) /* "s25task1" */
#define NAME_MAX_  32U
#define KEY_MAX    128U /* bytes of a key */
#define INDEX_BITS 20U  /* of a sequence: outputs of one message */
#define REASON_MAX 4096U
#define OUTBOX_MAX (256U << 20)

const char *
aggregate_stage_word(enum aggregate_stage s)
{
    static const char *const words[] = {
#define AGGREGATE_WORD(id, word) word,
        AGGREGATE_STAGES(AGGREGATE_WORD)
#undef AGGREGATE_WORD
    };

    return words[s];
}

struct aggregate_task {
    const struct aggregate_parts *parts;
    enum aggregate_stage stage;
    char name[NAME_MAX_];
    const struct aggregate_sink *sink;
    struct gate *gate;
    struct detect_options options;
    struct detect *detect;
    struct core *core;           /* of it */
    struct campaigns *campaigns; /* group */
    struct json_reader reader;
    struct json_writer *writer;
    struct record_out event; /* the message at hand */
    struct record_out made;  /* what is made of it */
    struct buf line, why;
    uint64_t offset;   /* of the next message */
    uint64_t control;  /* of the next thing that people did */
    struct buf outbox; /* records with their lengths */
    uint64_t index;    /* outputs since the one before it */
    struct aggregate_copy copy;
    ns_t now; /* of the aggregator's clock, for the age of the copy */
    struct aggregate_counts counts;
};

const char *
aggregate_task_name(const struct aggregate_task *t)
{
    return t->name;
}

uint64_t
aggregate_task_offset(const struct aggregate_task *t)
{
    return t->offset;
}

void
aggregate_task_begin(struct aggregate_task *t, uint64_t offset)
{
    t->offset = offset;
}

struct aggregate_counts
aggregate_task_counts(const struct aggregate_task *t)
{
    struct aggregate_counts c = t->counts;

    c.failed += detect_counts(t->detect).dropped;
    return c;
}

/* ---- what goes out ---- */

/* Rises with the messages, and is the same when they are read again. */
static uint64_t
next_sequence(struct aggregate_task *t)
{
    uint64_t most = (UINT64_C(1) << INDEX_BITS) - 1;
    uint64_t index = t->index < most ? ++t->index : most;

    return t->offset << INDEX_BITS | index;
}

static struct span
key_of(struct span record, char room[ADDR_TEXT_MAX])
{
    struct addr a;

    if (!entry_addr(record_find(record, FIELD_SRC_IP), &a))
        return span_head(record_find(record, FIELD_ALERT_SUBJECT), KEY_MAX);
    return span_of(room, addr_format(&a, room));
}

static void
put(struct aggregate_task *t, enum aggregate_stage to, struct span key,
    struct span line)
{
    const struct aggregate_out out = {
        .to = to,
        .key = key,
        .line = line,
        .sequence = next_sequence(t),
    };

    t->sink->put(t->sink->ctx, &out);
}

static void
put_made(struct aggregate_task *t, enum aggregate_stage to, struct span key)
{
    buf_reset(&t->line);
    if (json_write(t->writer, record_view(&t->made), &t->line))
        put(t, to, key, buf_view(&t->line));
    else
        t->counts.failed++;
}

/* ---- what the world is told ---- */

static void
put_world(struct aggregate_task *t, struct span record)
{
    size_t before = t->outbox.n;

    frame_u64(&t->outbox, record.n);
    buf_span(&t->outbox, record);
    if (t->outbox.n == before + sizeof(uint64_t) + record.n)
        return;
    t->outbox.n = before;
    t->counts.failed++;
}

bool
aggregate_task_waits(const struct aggregate_task *t)
{
    return t->outbox.n > 0;
}

void
aggregate_task_told(struct aggregate_task *t)
{
    buf_reset(&t->outbox);
}

void
aggregate_task_tell(struct aggregate_task *t,
                    void (*tell)(void *ctx, struct span record,
                                 struct span line),
                    void *ctx)
{
    struct cursor c = cur_open(buf_view(&t->outbox));

    while (cur_left(&c) > 0) {
        struct span record = cur_take(&c, cur_le64(&c));

        buf_reset(&t->line);
        if (json_write(t->writer, record, &t->line))
            tell(ctx, record, buf_view(&t->line));
        else
            t->counts.failed++;
    }
}

/* Read from a state: records are what they must be. */
static bool
is_outbox(struct span s)
{
    struct cursor c = cur_open(s);

    while (cur_left(&c) > 0) {
        struct span record = cur_take(&c, cur_le64(&c));

        if (c.bad || !record_check(record))
            return false;
    }
    return !c.bad;
}

/* ---- stage source ---- */

/* Of group: alerts. Host events and alerts of source; its own decisions have no
 * caps of the whole. */
static void
source_line(void *ctx, struct span record, struct span line)
{
    struct aggregate_task *t = ctx;
    enum event_type type = record_head_of(record).type;
    char room[ADDR_TEXT_MAX];

    if (type == EVENT_HOST || type == EVENT_ALERT)
        put(t, AGGREGATE_DECIDE, key_of(record, room), line);
}

static void
conclude(struct aggregate_task *t)
{
    struct span record;

    while ((record = detect_take(t->detect)).n > 0)
        core_tell(t->core, record);
}

/* ---- what several sources have in common ---- */

/* An event for one group of one rule: "ID/HASH", hashed so that who chooses
 * values does not choose a partition. */
static void
to_spread(void *ctx, const struct record_map *event, struct span rule,
          const struct span *group, uint32_t n_group)
{
    struct aggregate_task *t = ctx;
    uint64_t h = t->options.hosts.seed;
    uint8_t room[KEY_MAX];
    struct buf key = {room, 0, sizeof(room), sizeof(room), false, false};

    for (uint32_t i = 0; i < n_group; i++)
        h = hash_mix(h, hash_span(group[i], h));
    buf_span(&key, rule);
    buf_putc(&key, '/');
    text_hex(&key, span_of(&h, sizeof(h)));
    buf_reset(&t->line);
    if (!key.cut && json_write(t->writer, event->record, &t->line))
        put(t, AGGREGATE_GROUP, buf_view(&key), buf_view(&t->line));
    else
        t->counts.failed++;
}

/* What campaigns look at, in the order of fields.def. */
static bool
is_of_campaign(enum field f)
{
    static const enum field fields[] = {
        FIELD_EVENT_ID,
        FIELD_SCHEMA_VERSION,
        FIELD_SENSOR,
        FIELD_SRC_IP,
        FIELD_DIRECTION,
        FIELD_SRC_HOST_LEASE,
        FIELD_SRC_REG_STATE,
        FIELD_SMTP_MAIL_FROM,
        FIELD_SMTP_RCPT_TO,
        FIELD_SMTP_VIA,
        FIELD_SMTP_OUTCOME,
        FIELD_SMTP_NULL_SENDER,
        FIELD_SMTP_BODY_SHA256,
        FIELD_SMTP_MESSAGE_BYTES,
        FIELD_SMTP_RCPT_ACCEPTED,
        FIELD_EMAIL_BULK,
        FIELD_EMAIL_RECEIVED,
        FIELD_EMAIL_SIMHASH,
        FIELD_EMAIL_URL,
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (fields[i] == f)
            return true;
    }
    return false;
}

static void
make_campaign(struct aggregate_task *t, struct span record)
{
    struct record_head head = record_head_of(record);
    struct cursor c = record_entries_of(record);
    struct record_entry e;
    size_t at = c.at;

    record_begin(&t->made, &head);
    for (; record_next(&c, &e); at = c.at) {
        if (is_of_campaign(e.field))
            record_entries(&t->made, span_of(c.in.p + at, c.at - at));
    }
}

static void
to_group(struct aggregate_task *t, const struct record_map *event)
{
    if (record_head_of(event->record).type != EVENT_SMTP ||
        !(record_map_is(event, FIELD_DIRECTION, "outbound") ||
          record_map_is(event, FIELD_DIRECTION, "inbound")))
        return;
    make_campaign(t, event->record);
    put_made(t, AGGREGATE_GROUP, SPAN_LIT(AGGREGATE_CAMPAIGN));
}

static bool
read_hex(struct span s, uint64_t *out)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = span_at(s, i);

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
        v = v << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *out = v;
    return s.n == 16;
}

/* What stage group found. */
static enum gate_verdict
on_joined(struct aggregate_task *t, const struct record_map *event)
{
    struct campaign_join j = {
        .sources = (uint32_t)record_map_u64(event, FIELD_HOST_S4_SOURCES, 0),
        .messages = (uint32_t)record_map_u64(event, FIELD_HOST_S4_MESSAGES, 0),
    };
    struct span kind = record_map_find(event, FIELD_HOST_S4_KIND);

    if (!read_hex(record_map_find(event, FIELD_HOST_S4_CLUSTER), &j.cluster))
        return GATE_REFUSED;
    while (j.kind < CAMPAIGN_KIND_COUNT &&
           !span_eq(kind, span_str(campaign_word(j.kind))))
        j.kind++;
    if (j.kind == CAMPAIGN_KIND_COUNT)
        return GATE_REFUSED;
    detect_joined(t->detect, event, &j);
    conclude(t);
    return GATE_OK;
}

/* Of sensors: what they saw, never what they concluded. */
static bool
is_seen(enum event_type type)
{
    return type == EVENT_SMTP || type == EVENT_SMTP_SESSION ||
           type == EVENT_FILEINFO || type == EVENT_TLS ||
           type == EVENT_ANOMALY || type == EVENT_DNS;
}

static enum gate_verdict
source_event(struct aggregate_task *t, const struct record_map *event,
             const struct auth_mark *mark, const struct gate_message *m)
{
    enum event_type type = record_head_of(event->record).type;
    struct span sensor = record_map_find(event, FIELD_SENSOR);
    char room[ADDR_TEXT_MAX];

    if (!span_eq(m->message.key, key_of(event->record, room)))
        return GATE_REFUSED;
    if (gate_is_ours(mark->writer))
        return type == EVENT_HOST ? on_joined(t, event) : GATE_REFUSED;
    if (!is_seen(type) || !span_eq(sensor, mark->writer))
        return GATE_REFUSED;
    if (gate_is_ahead(m, record_head_of(event->record).when))
        return GATE_STALE;
    if (!gate_first(t->gate, sensor, record_map_find(event, FIELD_EVENT_ID)))
        return GATE_DOUBLE;
    detect_event(t->detect, event);
    conclude(t);
    to_group(t, event);
    return GATE_OK;
}

/* ---- stage group ---- */

static void
put_hex(struct record_out *r, enum field f, uint64_t v)
{
    uint8_t room[16];
    struct buf hex = {room, 0, sizeof(room), sizeof(room), false, false};

    v = __builtin_bswap64(v);
    text_hex(&hex, span_of(&v, sizeof(v)));
    record_str(r, f, buf_view(&hex));
}

static void
make_joined(struct aggregate_task *t, const struct record_map *event,
            const struct campaign_join *j)
{
    const struct record_head head = {.when = record_head_of(event->record).when,
                                     .type = EVENT_HOST};
    struct span id = record_map_find(event, FIELD_EVENT_ID);
    struct addr a;

    (void)record_map_addr(event, FIELD_SRC_IP, &a);
    record_begin(&t->made, &head);
    put_hex(&t->made, FIELD_EVENT_ID, hash_span(id, j->cluster));
    record_u64(&t->made, FIELD_SCHEMA_VERSION, SCHEMA_VERSION);
    record_text(&t->made, FIELD_SENSOR, t->name);
    record_addr(&t->made, FIELD_SRC_IP, &a);
    record_str(&t->made, FIELD_DIRECTION,
               record_map_find(event, FIELD_DIRECTION));
    if (record_map_has(event, FIELD_SRC_HOST_LEASE))
        record_str(&t->made, FIELD_SRC_HOST_LEASE,
                   record_map_find(event, FIELD_SRC_HOST_LEASE));
    put_hex(&t->made, FIELD_HOST_S4_CLUSTER, j->cluster);
    record_text(&t->made, FIELD_HOST_S4_KIND, campaign_word(j->kind));
    record_u64(&t->made, FIELD_HOST_S4_SOURCES, j->sources);
    record_u64(&t->made, FIELD_HOST_S4_MESSAGES, j->messages);
}

/* "ID/HASH", 16 digits. */
static enum gate_verdict
group_spread(struct aggregate_task *t, const struct record_map *event,
             struct span key)
{
    struct span rule = span_head(key, key.n > 17 ? key.n - 17 : 0);

    if (!detect_spread(t->detect, event, rule))
        return GATE_REFUSED;
    conclude(t);
    return GATE_OK;
}

static enum gate_verdict
group_event(struct aggregate_task *t, const struct record_map *event,
            const struct auth_mark *mark, struct span key)
{
    struct campaign_join j;
    char room[ADDR_TEXT_MAX];

    if (!gate_is_ours(mark->writer))
        return GATE_REFUSED;
    if (!span_eq(key, SPAN_LIT(AGGREGATE_CAMPAIGN)))
        return group_spread(t, event, key);
    if (!campaigns_event(t->campaigns, event, &j) || j.cluster == 0)
        return GATE_OK;
    make_joined(t, event, &j);
    put_made(t, AGGREGATE_SOURCE, key_of(event->record, room));
    return GATE_OK;
}

/* ---- stage decide ---- */

/* How old what people entered is, as far as it is known here. */
static bool
is_copy_good(const struct aggregate_task *t)
{
    return t->copy.as_of > 0 && t->now <= t->copy.as_of + AGGREGATE_COPY_AGE;
}

static void
put_decision(struct aggregate_task *t, struct span record)
{
    const struct record_head head = record_head_of(record);
    ns_t age = t->now > t->copy.as_of ? t->now - t->copy.as_of : 0;
    char text[64];
    struct record_out extra;

    (void)snprintf(text, sizeof(text), "%" PRIu64 " records, %" PRIu64 " s old",
                   t->copy.records, age / NS_PER_S);
    record_init(&extra);
    record_begin(&extra, &head);
    record_text(&extra, FIELD_DECISION_REGISTRY, text);
    record_merge(&t->made, record, record_view(&extra));
    record_free(&extra);
    put_world(t, record_view(&t->made));
    t->counts.decisions++;
}

static void
decide_line(void *ctx, struct span record, struct span line)
{
    (void)line;
    if (record_head_of(record).type == EVENT_DECISION)
        put_decision(ctx, record);
}

static enum gate_verdict
decide_message(struct aggregate_task *t, const struct record_map *event,
               const struct auth_mark *mark)
{
    enum event_type type = record_head_of(event->record).type;

    if (!gate_is_ours(mark->writer) ||
        (type != EVENT_HOST && type != EVENT_ALERT))
        return GATE_REFUSED;
    if (!gate_first(t->gate, mark->writer,
                    record_map_find(event, FIELD_EVENT_ID)))
        return GATE_DOUBLE;
    if (type == EVENT_ALERT) {
        put_world(t, event->record);
        t->counts.alerts++;
    }
    if (type == EVENT_HOST && !is_copy_good(t)) {
        t->counts.unjudged++;
        return GATE_OK;
    }
    detect_event(t->detect, event);
    conclude(t);
    return GATE_OK;
}

/* ---- messages ---- */

static enum gate_verdict
on_event(struct aggregate_task *t, const struct record_map *event,
         const struct auth_mark *mark, const struct gate_message *m)
{
    switch (t->stage) {
    case AGGREGATE_SOURCE: return source_event(t, event, mark, m);
    case AGGREGATE_GROUP: return group_event(t, event, mark, m->message.key);
    case AGGREGATE_DECIDE: return decide_message(t, event, mark);
    case AGGREGATE_STAGE_COUNT: break;
    }
    return GATE_REFUSED;
}

static enum gate_verdict
read_message(struct aggregate_task *t, const struct aggregate_in *in)
{
    struct auth_mark mark;
    enum gate_verdict v = gate_admit(t->gate, &in->message, &mark);
    struct record_map event;

    if (v != GATE_OK)
        return v;
    buf_reset(&t->why);
    if (in->misplaced || json_read(&t->reader, in->message.message.value,
                                   &t->event, &t->why) != ERR_OK)
        return GATE_REFUSED;
    record_map_init(&event, record_view(&t->event));
    return on_event(t, &event, &mark, &in->message);
}

void
aggregate_task_message(struct aggregate_task *t, const struct aggregate_in *in)
{
    if (in->offset < t->offset)
        return;
    if (t->offset > 0)
        t->counts.skipped += in->offset - t->offset;
    t->offset = in->offset;
    t->index = 0;
    t->counts.verdicts[read_message(t, in)]++;
    t->offset = in->offset + 1;
    t->index = 0;
}

void
aggregate_task_control(struct aggregate_task *t, const struct record_map *event,
                       uint64_t offset)
{
    if (offset < t->control)
        return;
    t->control = offset + 1;
    detect_event(t->detect, event);
    conclude(t);
}

void
aggregate_task_copy(struct aggregate_task *t, const struct aggregate_copy *copy,
                    ns_t now)
{
    t->copy = *copy;
    t->now = now;
}

/* ---- life ---- */

static enum err
new_detect(struct aggregate_task *t)
{
    struct core_options core = {
        .sensor = t->name,
        .place = t->parts->place,
        .lines = {t->stage == AGGREGATE_DECIDE ? decide_line : source_line, t},
    };
    enum err e = detect_new(&t->options, &t->detect);

    core.detect = t->detect;
    return e == ERR_OK ? core_new(&core, &t->core) : e;
}

/* Each partition has its share of what one sensor would take. */
static void
set_options(struct aggregate_task *t)
{
    t->options = t->parts->detect;
    t->options.part =
        t->stage == AGGREGATE_GROUP ? DETECT_SPREAD : DETECT_CLIENTS;
    t->options.hosts.filter /= t->parts->sources;
    if (t->stage == AGGREGATE_SOURCE)
        t->options.spread = (struct detect_spread){to_spread, t};
    else
        t->options.hosts.filter = 1U << 20; /* it counts no first contacts */
    if (t->stage == AGGREGATE_DECIDE)
        t->options.rules = NULL;
}

enum err
aggregate_task_new(const struct aggregate_parts *parts,
                   enum aggregate_stage stage, unsigned number,
                   const struct aggregate_sink *sink,
                   struct aggregate_task **out)
{
    struct aggregate_task *t = calloc(1, sizeof(*t));
    enum err e = ERR_NOMEM;

    if (t == NULL)
        return ERR_NOMEM;
    t->parts = parts;
    t->stage = stage;
    t->sink = sink;
    (void)snprintf(t->name, sizeof(t->name), GATE_OURS "/%s/%u",
                   aggregate_stage_word(stage), number);
    json_reader_init(&t->reader);
    record_init(&t->event);
    record_init(&t->made);
    buf_init(&t->line, JSON_LINE_MAX);
    buf_init(&t->why, REASON_MAX);
    buf_init(&t->outbox, OUTBOX_MAX);
    set_options(t);
    t->writer = malloc(sizeof(*t->writer));
    if (t->writer != NULL) {
        json_writer_init(t->writer);
        e = aggregate_gate_new(parts->keys, parts->max_age, &t->gate);
    }
    if (e == ERR_OK && stage == AGGREGATE_GROUP)
        e = campaigns_new(t->options.hosts.seed, &t->campaigns);
    if (e == ERR_OK)
        e = new_detect(t);
    if (e != ERR_OK) {
        aggregate_task_free(t);
        return e;
    }
    *out = t;
    return ERR_OK;
}

void
aggregate_task_free(struct aggregate_task *t)
{
    if (t == NULL)
        return;
    core_free(t->core);
    detect_free(t->detect);
    campaigns_free(t->campaigns);
    aggregate_gate_free(t->gate);
    json_reader_free(&t->reader);
    record_free(&t->event);
    record_free(&t->made);
    buf_free(&t->line);
    buf_free(&t->why);
    buf_free(&t->outbox);
    free(t->writer);
    free(t);
}

/* ---- snapshots ---- */

/* A state is only good for who counts alike; its records are coded. */
static uint64_t
kind_of(const struct aggregate_task *t)
{
    const struct hosts_options *h = &t->options.hosts;
    uint64_t mark = hash_span(span_of(h->design, sizeof(h->design)), h->seed);

    mark = hash_mix(hash_mix(mark, record_coding()), h->filter);
    return hash_mix(mark, t->stage);
}

#define PARTS 3U

static enum err
save_part(const struct aggregate_task *t, unsigned i, struct buf *out)
{
    struct buf part;
    enum err e = ERR_OK;

    buf_init(&part, UINT32_MAX);
    switch (i) {
    case 0: e = gate_save(t->gate, &part); break;
    case 1: e = detect_save(t->detect, &part); break;
    case 2:
        if (t->campaigns != NULL)
            e = campaigns_save(t->campaigns, &part);
        break;
    }
    frame_u64(out, part.n);
    buf_span(out, buf_view(&part));
    buf_free(&part);
    return e;
}

enum err
aggregate_task_save(const struct aggregate_task *t, struct buf *out)
{
    size_t at = out->n;
    enum err e;

    frame_begin(out, KIND, 0);
    frame_u64(out, t->offset);
    frame_u64(out, t->control);
    frame_u64(out, kind_of(t));
    frame_u64(out, t->outbox.n);
    buf_span(out, buf_view(&t->outbox));
    e = save_part(t, 0, out);
    for (unsigned i = 1; e == ERR_OK && i < PARTS; i++)
        e = save_part(t, i, out);
    return e == ERR_OK ? frame_end(out, at) : e;
}

enum err
aggregate_task_load(struct aggregate_task *t, struct span state)
{
    struct span gate, statistics, clusters, outbox;
    struct cursor c;
    uint64_t kind;
    enum err e = frame_open(state, KIND, 0, &c);

    if (e != ERR_OK)
        return ERR_CORRUPT;
    t->offset = cur_le64(&c);
    t->control = cur_le64(&c);
    kind = cur_le64(&c);
    outbox = cur_take(&c, cur_le64(&c));
    gate = cur_take(&c, cur_le64(&c));
    statistics = cur_take(&c, cur_le64(&c));
    clusters = cur_take(&c, cur_le64(&c));
    if (c.bad || gate_load(t->gate, gate) != ERR_OK)
        return ERR_CORRUPT;
    if (outbox.n > 0 && kind == kind_of(t) && !is_outbox(outbox))
        return ERR_CORRUPT;
    if (kind != kind_of(t))
        return ERR_FORMAT;
    buf_span(&t->outbox, outbox);
    e = detect_load(t->detect, statistics);
    if (e == ERR_OK && t->campaigns != NULL)
        e = campaigns_load(t->campaigns, clusters);
    return e == ERR_OK || e == ERR_NOMEM ? e : ERR_CORRUPT;
}
