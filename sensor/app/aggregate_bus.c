#include "sensor/app/aggregate_bus.h"

#include "sensor/app/clock.h"
#include "sensor/app/log.h"
#include "sensor/base/text.h"
#include "sensor/sinks/kafka_conf.h"
#include "sensor/sinks/sink_kafka.h"
#include "sensor/sinks/sink_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define WHY_MAX   400U
#define TOPIC_MAX 250U
#define BATCH     1000U      /* messages of one poll */
#define LINES_MAX "1000000"  /* of the producer's queue */
#define MAKE_MS   30000      /* for making topics */
#define ASK_MS    1000       /* for one look at a topic */
#define READ_MS   100        /* for one message of a state */
#define BIGGEST   "10485760" /* bytes of a message: as sensors may be set */
#define TELL_NS   (60 * NS_PER_S) /* between two lines of what is waited for */

/* Rows: stage, topic, topic of its states */
static const struct {
    const char *topic, *state;
} names[AGGREGATE_STAGE_COUNT] = {
    [AGGREGATE_SOURCE] = {"smtp.tx",    "agg.source.state"},
    [AGGREGATE_GROUP] = {"agg.group",  "agg.group.state" },
    [AGGREGATE_DECIDE] = {"agg.decide", "agg.decide.state"},
};

struct bus {
    struct bus_calls calls;
    const struct sink_settings *sink;
    rd_kafka_t *consumer, *producer, *people, *states;
    rd_kafka_queue_t *queue; /* of the consumer */
    char topic[AGGREGATE_STAGE_COUNT][TOPIC_MAX];
    char state[AGGREGATE_STAGE_COUNT][TOPIC_MAX];
    char control[TOPIC_MAX];
    unsigned partitions[AGGREGATE_STAGE_COUNT];
    uint64_t too_long; /* lines that no broker takes */
    ns_t told;         /* that it waits */
    struct buf bad;
};

static void
set_bad(struct bus *b, const char *text)
{
    if (b->bad.n == 0)
        text_term(&b->bad, span_str(text));
}

uint64_t
bus_too_long(const struct bus *b)
{
    return b->too_long;
}

struct span
bus_bad(const struct bus *b)
{
    return buf_view(&b->bad);
}

const char *
bus_topic(const struct bus *b, enum aggregate_stage s)
{
    return b->topic[s];
}

const char *
bus_state_topic(const struct bus *b, enum aggregate_stage s)
{
    return b->state[s];
}

unsigned
bus_sources(const struct bus *b)
{
    return b->partitions[AGGREGATE_SOURCE];
}

static bool
goes_on(const struct bus *b)
{
    return b->bad.n == 0 && !b->calls.stopped(b->calls.ctx);
}

/* ---- what librdkafka calls back, in our thread ---- */

/* What mends itself, or can be mended while we wait. */
static void
tell(struct bus *b, const char *why)
{
    ns_t now = clock_of(CLOCK_MONOTONIC);
    struct log_line l;

    if (b->told != 0 && now - b->told < TELL_NS)
        return;
    b->told = now;
    log_begin(&l, LOG_AT_WARN, "aggregate_waits");
    log_string(&l, "why", span_str(why));
    log_end(&l, STDERR_FILENO);
}

/* A reader's own trouble comes in the place of a message. */
static void
note(struct bus *b, const rd_kafka_message_t *m)
{
    if (m->err != 0 && m->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        tell(b, rd_kafka_message_errstr(m));
}

/* A line that the broker finds too long would be as long after a restart: it is
 * lost, as one that a sensor cannot publish is. States have no such lines. */
static void
not_put(struct bus *b, const char *topic, rd_kafka_resp_err_t err)
{
    enum aggregate_stage s = 0;

    while (s < AGGREGATE_STAGE_COUNT && strcmp(b->topic[s], topic) != 0)
        s++;
    if (err != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
        s == AGGREGATE_STAGE_COUNT)
        set_bad(b, rd_kafka_err2str(err));
    else
        b->too_long++;
}

static void
on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *ctx)
{
    (void)rk;
    if (m->err != RD_KAFKA_RESP_ERR_NO_ERROR)
        not_put(ctx, rd_kafka_topic_name(m->rkt), m->err);
}

/* Brokers that are away are waited for. */
static void
on_error(rd_kafka_t *rk, int err, const char *reason, void *ctx)
{
    char text[WHY_MAX] = "";

    if (err != RD_KAFKA_RESP_ERR__FATAL) {
        tell(ctx, reason);
        return;
    }
    (void)rd_kafka_fatal_error(rk, text, sizeof(text));
    set_bad(ctx, text);
}

static void
on_log(const rd_kafka_t *rk, int level, const char *what, const char *text)
{
    (void)rk;
    (void)level;
    (void)what;
    (void)text;
}

/* AGGREGATE_STAGE_COUNT: none of ours. */
static enum aggregate_stage
stage_of(const struct bus *b, const char *topic)
{
    enum aggregate_stage s = 0;

    while (s < AGGREGATE_STAGE_COUNT && strcmp(b->topic[s], topic) != 0)
        s++;
    return s;
}

/* Is there less than a state says that there was? Then it was another topic:
 * nothing would be read until there is as much, and what is said of it has
 * sequences that were there. */
static bool
is_shorter(struct bus *b, const rd_kafka_topic_partition_t *p)
{
    int64_t first, end;

    return p->offset > 0 &&
           rd_kafka_query_watermark_offsets(b->consumer, p->topic, p->partition,
                                            &first, &end, MAKE_MS) == 0 &&
           end < p->offset;
}

static void
assign(struct bus *b, rd_kafka_topic_partition_list_t *list)
{
    for (int i = 0; i < list->cnt; i++) {
        rd_kafka_topic_partition_t *p = &list->elems[i];
        enum aggregate_stage s = stage_of(b, p->topic);
        int64_t offset = -1;

        if (s == AGGREGATE_STAGE_COUNT ||
            b->calls.assigned(b->calls.ctx, s, (unsigned)p->partition,
                              &offset) != ERR_OK)
            set_bad(b, "the state of a partition cannot be read");
        p->offset = offset >= 0 ? offset : RD_KAFKA_OFFSET_BEGINNING;
        if (is_shorter(b, p))
            set_bad(b, "a topic has fewer messages than its state says: it was "
                       "made anew, so delete all topics agg.* of this prefix");
    }
    rd_kafka_error_destroy(rd_kafka_incremental_assign(b->consumer, list));
}

static void
give_back(struct bus *b, rd_kafka_topic_partition_list_t *list)
{
    bool lost = rd_kafka_assignment_lost(b->consumer) != 0;

    for (int i = 0; i < list->cnt; i++) {
        enum aggregate_stage s = stage_of(b, list->elems[i].topic);

        if (s < AGGREGATE_STAGE_COUNT)
            b->calls.revoked(b->calls.ctx, s,
                             (unsigned)list->elems[i].partition, lost);
    }
    rd_kafka_error_destroy(rd_kafka_incremental_unassign(b->consumer, list));
}

static void
on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
             rd_kafka_topic_partition_list_t *list, void *ctx)
{
    (void)rk;
    if (err == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS)
        assign(ctx, list);
    else
        give_back(ctx, list);
}

/* ---- clients ---- */

struct setting {
    const char *name, *value;
};

static const struct setting of_all[] = {
    {"client.id",                "span25-aggregate"},
    {"reconnect.backoff.ms",     "100"             },
    {"reconnect.backoff.max.ms", "500"             },
    {"socket.keepalive.enable",  "true"            },
    {"log_level",                "4"               },
};

static const struct setting of_producer[] = {
    {"enable.idempotence",           "true"          },
    {"acks",                         "all"           },
    {"message.timeout.ms",           "0"             },
    {"partitioner",                  "murmur2_random"},
    {"linger.ms",                    "5"             },
    {"compression.codec",            "zstd"          },
    {"queue.buffering.max.messages", LINES_MAX       },
    {"message.max.bytes",            BIGGEST         },
};

static const struct setting of_reader[] = {
    {"enable.auto.commit",       "false"   },
    {"enable.auto.offset.store", "false"   },
    {"auto.offset.reset",        "earliest"},
    {"enable.partition.eof",     "true"    },
    {"fetch.wait.max.ms",        "100"     },
    {"fetch.message.max.bytes",  BIGGEST   },
    {"check.crcs",               "true"    },
};

static const struct setting of_group[] = {
    {"partition.assignment.strategy", "cooperative-sticky"},
    {"session.timeout.ms",            "10000"             },
    {"heartbeat.interval.ms",         "2000"              },
};

static enum err
set_all(rd_kafka_conf_t *conf, const struct setting *v, size_t n,
        struct buf *messages)
{
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < n; i++)
        e = kafka_set(conf, v[i].name, v[i].value, messages);
    return e;
}

/* Takes conf over. */
static enum err
make(struct bus *b, rd_kafka_type_t type, rd_kafka_conf_t *conf,
     rd_kafka_t **out, struct buf *messages)
{
    char text[WHY_MAX] = "";
    enum err e = set_all(conf, of_all, ARRAY_LEN(of_all), messages);

    if (e == ERR_OK)
        e = kafka_conf_peer(conf, sink_kafka_options, b->sink, messages);
    rd_kafka_conf_set_opaque(conf, b);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    if (e == ERR_OK)
        *out = rd_kafka_new(type, conf, text, sizeof(text));
    if (e == ERR_OK && *out != NULL)
        return ERR_OK;
    rd_kafka_conf_destroy(conf);
    text_term(messages, span_str(text));
    return ERR_CONFIG;
}

static enum err
make_producer(struct bus *b, struct buf *messages)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum err e = set_all(conf, of_producer, ARRAY_LEN(of_producer), messages);

    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    if (e == ERR_OK)
        return make(b, RD_KAFKA_PRODUCER, conf, &b->producer, messages);
    rd_kafka_conf_destroy(conf);
    return e;
}

/* group: its members share what they read; else it reads what it is told to. */
static enum err
make_reader(struct bus *b, bool group, rd_kafka_t **out, struct buf *messages)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char id[TOPIC_MAX];
    enum err e = set_all(conf, of_reader, ARRAY_LEN(of_reader), messages);

    (void)snprintf(id, sizeof(id), "%.200s.aggregate",
                   sink_text(sink_kafka_options, b->sink, "prefix"));
    if (e == ERR_OK)
        e = kafka_set(conf, "group.id", id, messages);
    if (e == ERR_OK && group)
        e = set_all(conf, of_group, ARRAY_LEN(of_group), messages);
    if (group)
        rd_kafka_conf_set_rebalance_cb(conf, on_rebalance);
    if (e == ERR_OK)
        return make(b, RD_KAFKA_CONSUMER, conf, out, messages);
    rd_kafka_conf_destroy(conf);
    return e;
}

/* ---- topics ---- */

#define TOPICS (2 * AGGREGATE_STAGE_COUNT + 3)

struct topic {
    char name[TOPIC_MAX];
    unsigned partitions;
    bool compact; /* else: the broker's time in each message */
};

static size_t
list_topics(const struct bus *b, struct topic out[TOPICS])
{
    const char *prefix = sink_text(sink_kafka_options, b->sink, "prefix");
    size_t n = 0;

    for (enum aggregate_stage s = 0; s < AGGREGATE_STAGE_COUNT; s++) {
        struct topic *t = &out[n];

        memcpy(t[0].name, b->topic[s], TOPIC_MAX);
        memcpy(t[1].name, b->state[s], TOPIC_MAX);
        t[0].partitions = t[1].partitions = b->partitions[s];
        t[0].compact = false;
        t[1].compact = true;
        n += 2;
    }
    memcpy(out[n].name, b->control, TOPIC_MAX);
    out[n].partitions = 1;
    out[n++].compact = true;
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(out[n].name, TOPIC_MAX, "%.200s.%s", prefix,
                       i == 0 ? "alert" : "decision");
        out[n].partitions = b->partitions[AGGREGATE_SOURCE];
        out[n++].compact = i == 1;
    }
    return n;
}

static void
make_topic(rd_kafka_NewTopic_t **at, const struct topic *t)
{
    char text[WHY_MAX];
    rd_kafka_NewTopic_t *n = rd_kafka_NewTopic_new(t->name, (int)t->partitions,
                                                   -1, text, sizeof(text));

    if (n != NULL) {
        (void)rd_kafka_NewTopic_set_config(n, "message.timestamp.type",
                                           "LogAppendTime");
        if (t->compact)
            (void)rd_kafka_NewTopic_set_config(n, "cleanup.policy", "compact");
    }
    *at = n;
}

/* The answer that matters is what is there afterwards. */
static void
make_topics(struct bus *b)
{
    struct topic list[TOPICS];
    rd_kafka_NewTopic_t *topics[TOPICS];
    size_t n = list_topics(b, list), made = 0;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(b->producer);
    rd_kafka_event_t *event = NULL;

    for (size_t i = 0; i < n; i++) {
        make_topic(&topics[made], &list[i]);
        made += topics[made] != NULL;
    }
    rd_kafka_CreateTopics(b->producer, topics, made, NULL, queue);
    for (unsigned ms = 0; event == NULL && ms < MAKE_MS && goes_on(b);
         ms += ASK_MS) {
        event = rd_kafka_queue_poll(queue, ASK_MS);
        (void)rd_kafka_poll(b->producer, 0);
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy_array(topics, made);
}

/* Partitions that it has; 0: it is not there, or nobody answers. */
static unsigned
count_partitions(struct bus *b, const char *name)
{
    rd_kafka_topic_t *t = rd_kafka_topic_new(b->producer, name, NULL);
    const rd_kafka_metadata_t *m = NULL;
    unsigned n = 0;

    if (t != NULL && rd_kafka_metadata(b->producer, 0, t, &m, ASK_MS) == 0) {
        if (m->topic_cnt == 1 && m->topics[0].err == 0)
            n = (unsigned)m->topics[0].partition_cnt;
        rd_kafka_metadata_destroy(m);
    }
    if (t != NULL)
        rd_kafka_topic_destroy(t);
    return n;
}

/* All topics are there, and a state has a partition for each of its stage. */
static enum err
check_topics(struct bus *b, struct buf *messages)
{
    for (enum aggregate_stage s = 0; s < AGGREGATE_STAGE_COUNT; s++) {
        unsigned n = 0, states = 0;

        while (goes_on(b) && (n == 0 || states == 0)) {
            n = count_partitions(b, b->topic[s]);
            states = count_partitions(b, b->state[s]);
            (void)rd_kafka_poll(b->producer, 0); /* it says what is wrong */
        }
        if (n == states && n > 0 && (s != AGGREGATE_DECIDE || n == 1)) {
            b->partitions[s] = n;
            continue;
        }
        buf_printf(messages,
                   "span25: topic %s has %u partitions, and %s %u: they must "
                   "have as many, and those of stage decide one\n",
                   b->topic[s], n, b->state[s], states);
        return n == 0 || states == 0 ? ERR_IO : ERR_CONFIG;
    }
    if (count_partitions(b, b->control) == 1)
        return ERR_OK;
    buf_printf(messages, "span25: topic %s must have one partition\n",
               b->control);
    return ERR_CONFIG;
}

static void
name_topics(struct bus *b)
{
    const char *prefix = sink_text(sink_kafka_options, b->sink, "prefix");

    for (enum aggregate_stage s = 0; s < AGGREGATE_STAGE_COUNT; s++) {
        (void)snprintf(b->topic[s], TOPIC_MAX, "%.200s.%s", prefix,
                       names[s].topic);
        (void)snprintf(b->state[s], TOPIC_MAX, "%.200s.%s", prefix,
                       names[s].state);
    }
    (void)snprintf(b->control, TOPIC_MAX, "%.200s.%s", prefix,
                   sink_topic_name(SINK_TOPIC_CONTROL));
}

/* ---- in ---- */

static void
read_message(const rd_kafka_message_t *m, const char *topic,
             struct gate_message *out)
{
    rd_kafka_timestamp_type_t type;
    int64_t when = rd_kafka_message_timestamp(m, &type);
    rd_kafka_headers_t *headers;
    const void *p = NULL;
    size_t n = 0;

    if (rd_kafka_message_headers(m, &headers) != 0 ||
        rd_kafka_header_get_last(headers, AUTH_HEADER, &p, &n) != 0)
        n = 0;
    *out = (struct gate_message){
        .header = span_of(p, n),
        .message = {span_str(topic), span_of(m->key, m->key_len),
                    span_of(m->payload, m->len)},
    };
    if (type == RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME && when > 0)
        out->appended = (ns_t)when * NS_PER_MS;
}

/* True: for now, there is no more. */
static bool
poll_people(struct bus *b, int ms)
{
    rd_kafka_message_t *m = rd_kafka_consumer_poll(b->people, ms);
    bool is_end = false;
    unsigned n = 0;

    while (m != NULL) {
        struct gate_message g;

        is_end |= m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (m->err == 0) {
            read_message(m, b->control, &g);
            b->calls.control(b->calls.ctx, &g, (uint64_t)m->offset);
        }
        note(b, m);
        rd_kafka_message_destroy(m);
        m = ++n < BATCH ? rd_kafka_consumer_poll(b->people, 0) : NULL;
    }
    return is_end;
}

/* ---- life ---- */

static enum err
subscribe(struct bus *b)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(AGGREGATE_STAGE_COUNT);
    rd_kafka_topic_partition_list_t *people =
        rd_kafka_topic_partition_list_new(1);
    enum err e = ERR_OK;

    for (enum aggregate_stage s = 0; s < AGGREGATE_STAGE_COUNT; s++)
        (void)rd_kafka_topic_partition_list_add(list, b->topic[s],
                                                RD_KAFKA_PARTITION_UA);
    rd_kafka_topic_partition_list_add(people, b->control, 0)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
    if (rd_kafka_assign(b->people, people) != 0)
        e = ERR_IO;
    while (e == ERR_OK && goes_on(b) && !poll_people(b, READ_MS))
        ;
    if (e == ERR_OK && rd_kafka_subscribe(b->consumer, list) != 0)
        e = ERR_IO;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_topic_partition_list_destroy(people);
    return e;
}

enum err
bus_open(const struct bus_options *o, struct bus **out, struct buf *messages)
{
    struct bus *b = calloc(1, sizeof(*b));
    enum err e;

    if (b == NULL)
        return ERR_NOMEM;
    b->calls = o->calls;
    b->sink = o->sink;
    memcpy(b->partitions, o->partitions, sizeof(b->partitions));
    buf_init(&b->bad, WHY_MAX);
    name_topics(b);
    e = make_producer(b, messages);
    if (e == ERR_OK)
        e = make_reader(b, true, &b->consumer, messages);
    if (e == ERR_OK)
        e = make_reader(b, false, &b->people, messages);
    if (e == ERR_OK)
        e = make_reader(b, false, &b->states, messages);
    if (e == ERR_OK)
        (void)rd_kafka_poll_set_consumer(b->consumer);
    if (e == ERR_OK)
        make_topics(b);
    if (e == ERR_OK)
        e = check_topics(b, messages);
    if (e == ERR_OK)
        e = subscribe(b);
    if (e != ERR_OK) {
        bus_close(b);
        return e;
    }
    *out = b;
    return ERR_OK;
}

void
bus_close(struct bus *b)
{
    if (b == NULL)
        return;
    if (b->consumer != NULL) {
        (void)rd_kafka_consumer_close(b->consumer);
        rd_kafka_destroy(b->consumer);
    }
    if (b->people != NULL)
        rd_kafka_destroy(b->people);
    if (b->states != NULL)
        rd_kafka_destroy(b->states);
    if (b->producer != NULL)
        rd_kafka_destroy(b->producer);
    buf_free(&b->bad);
    free(b);
}

/* ---- messages ---- */

static void
on_message(struct bus *b, const rd_kafka_message_t *m)
{
    const char *topic = rd_kafka_topic_name(m->rkt);
    enum aggregate_stage s = stage_of(b, topic);
    struct aggregate_in in = {.offset = (uint64_t)m->offset};

    if (s == AGGREGATE_STAGE_COUNT)
        return;
    read_message(m, topic, &in.message);
    in.misplaced = m->key_len == 0 ||
                   rd_kafka_msg_partitioner_murmur2(m->rkt, m->key, m->key_len,
                                                    (int32_t)b->partitions[s],
                                                    NULL, NULL) != m->partition;
    b->calls.message(b->calls.ctx, s, (unsigned)m->partition, &in);
}

void
bus_poll(struct bus *b, unsigned ms)
{
    rd_kafka_message_t *m;
    unsigned n = 0;

    (void)rd_kafka_poll(b->producer, 0);
    (void)poll_people(b, 0);
    m = rd_kafka_consumer_poll(b->consumer, (int)ms);
    while (m != NULL) {
        if (m->err == 0)
            on_message(b, m);
        note(b, m);
        rd_kafka_message_destroy(m);
        m = ++n < BATCH && b->bad.n == 0
                ? rd_kafka_consumer_poll(b->consumer, 0)
                : NULL;
    }
}

/* ---- out ---- */

struct message {
    const char *topic;
    int32_t partition;
    struct span key, value, header;
};

/* As librdkafka wants them; it copies. */
static void *
lend(struct span s)
{
    void *p;

    memcpy(&p, &s.p, sizeof(p));
    return p;
}

static rd_kafka_resp_err_t
produce(struct bus *b, const struct message *m)
{
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC,     .u.cstr = m->topic                   },
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = m->partition                },
        {.vtype = RD_KAFKA_VTYPE_KEY,       .u.mem = {lend(m->key), m->key.n}    },
        {.vtype = RD_KAFKA_VTYPE_VALUE,     .u.mem = {lend(m->value), m->value.n}},
        {.vtype = RD_KAFKA_VTYPE_HEADER,
         .u.header = {AUTH_HEADER, m->header.p, (ssize_t)m->header.n}            },
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS,  .u.i = RD_KAFKA_MSG_F_COPY           },
    };
    rd_kafka_error_t *error =
        rd_kafka_produceva(b->producer, parts, ARRAY_LEN(parts));
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);

    rd_kafka_error_destroy(error);
    return code;
}

static void
insist(struct bus *b, const struct message *m)
{
    rd_kafka_resp_err_t err = produce(b, m);

    while (err == RD_KAFKA_RESP_ERR__QUEUE_FULL && goes_on(b)) {
        (void)rd_kafka_poll(b->producer, READ_MS);
        err = produce(b, m);
    }
    if (err != 0)
        not_put(b, m->topic, err);
}

void
bus_put(struct bus *b, enum aggregate_stage s, struct span key,
        struct span value, struct span header)
{
    const struct message m = {b->topic[s], RD_KAFKA_PARTITION_UA, key, value,
                              header};

    insist(b, &m);
}

void
bus_put_state(struct bus *b, enum aggregate_stage s, unsigned partition,
              struct span key, struct span value, struct span header)
{
    const struct message m = {b->state[s], (int32_t)partition, key, value,
                              header};

    insist(b, &m);
}

enum err
bus_flush(struct bus *b)
{
    while (rd_kafka_flush(b->producer, READ_MS) != 0 && goes_on(b))
        ;
    return b->bad.n == 0 && rd_kafka_outq_len(b->producer) == 0 ? ERR_OK
                                                                : ERR_IO;
}

void
bus_commit(struct bus *b, enum aggregate_stage s, unsigned partition,
           uint64_t offset)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, b->topic[s], (int32_t)partition)
        ->offset = (int64_t)offset;
    (void)rd_kafka_commit(b->consumer, list, 1);
    rd_kafka_topic_partition_list_destroy(list);
}

/* ---- states ---- */

static bool
begin_state(rd_kafka_t *rk, const char *topic, unsigned partition)
{
    rd_kafka_topic_partition_list_t *list =
        rd_kafka_topic_partition_list_new(1);
    bool good;

    rd_kafka_topic_partition_list_add(list, topic, (int32_t)partition)->offset =
        RD_KAFKA_OFFSET_BEGINNING;
    good = rd_kafka_assign(rk, list) == 0;
    rd_kafka_topic_partition_list_destroy(list);
    return good;
}

enum err
bus_read_state(struct bus *b, enum aggregate_stage s, unsigned partition,
               void (*take)(void *ctx, const struct gate_message *m), void *ctx)
{
    bool is_end = false, failed = false;

    if (!begin_state(b->states, b->state[s], partition))
        return ERR_IO;
    while (!is_end && !failed && goes_on(b)) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(b->states, READ_MS);
        struct gate_message g;

        if (m == NULL)
            continue;
        is_end = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        failed = m->err != 0 && !is_end; /* such as: no such partition */
        if (m->err == 0) {
            read_message(m, b->state[s], &g);
            take(ctx, &g);
        }
        note(b, m);
        rd_kafka_message_destroy(m);
    }
    return rd_kafka_assign(b->states, NULL) == 0 && is_end ? ERR_OK : ERR_IO;
}
