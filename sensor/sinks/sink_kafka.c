#include "sensor/sinks/sink_kafka.h"

#include "sensor/base/attr.h"
#include "sensor/base/digits.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"
#include "sensor/sinks/auth.h"
#include "sensor/sinks/kafka_conf.h"
#include "sensor/sinks/sink_queue.h"

#include <librdkafka/rdkafka.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_MAX      400U
#define TOPIC_MAX    250U  /* bytes of a name, Kafka's limit is 249 */
#define OVERHEAD_MAX 2048U /* bytes of key, headers and frame of a message */
#define STUB_MAX     (1U << 20) /* an event_id may be any text */
#define NUMBER_MAX   (DIGITS_MAX + 1)
#define SCRAM_MENDED 0x020601ff /* librdkafka#4895 */

struct kafka_sink {
    struct sink sink;
    struct sink_queue q;
    rd_kafka_t *rk; /* NULL: a reopen failed */
    rd_kafka_conf_t *conf;
    char *target;
    char topic[SINK_TOPIC_COUNT][TOPIC_MAX];
    rd_kafka_topic_t *known[SINK_TOPIC_COUNT]; /* or NULL */
    size_t line_max;
    bool dead;
    struct buf hmac_key; /* empty: nothing is signed */
    ns_t now;            /* the caller's clock */
    uint64_t sequence;   /* of the last message signed */
    struct buf why;
};

const struct sink_option sink_kafka_options[] = {
    {"prefix",            "span25",  0,    0,       "word before the names of topics"         },
    {"compression",       "zstd",    0,    0,       "none, gzip, snappy, lz4 or zstd"         },
    {"linger-ms",         "5",       0,    60000,   "time for which messages gather"          },
    {"queue-lines",       "20000",   1,    1000000,
     "lines kept until they are acknowledged"                                                 },
    {"queue-mib",         "64",      1,    16384,   "MiB of them"                             },
    {"line-max",          "1000000", 1000, 8388608,
     "bytes of a line; see message.max.bytes of the broker"                                   },
    {"tls",               "no",      0,    0,       "yes: TLS, with the broker's name checked"},
    {"ca-file",           "",        0,    0,
     "certificates that may sign the broker's; else the system's"                             },
    {"cert-file",         "",        0,    0,       "certificate to show to the broker"       },
    {"key-file",          "",        0,    0,       "its key"                                 },
    {"key-password-file", "",        0,    0,       "file with the key's password"            },
    {"sasl",              "",        0,    0,       "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512"   },
    {"hmac-key-file",     "",        0,    0,
     "file with the sensor's key: messages are signed, for aggregate"                         },
    {"user",              "",        0,    0,       "name to log in with"                     },
    {"password-file",     "",        0,    0,       "file with its password"                  },
    {NULL,                NULL,      0,    0,       NULL                                      },
};

static const struct sink_option *const options = sink_kafka_options;

static struct kafka_sink *
self(struct sink *s)
{
    return (struct kafka_sink *)(void *)s;
}

static const struct kafka_sink *
self_const(const struct sink *s)
{
    return (const struct kafka_sink *)(const void *)s;
}

static void
set_why(struct kafka_sink *k, const char *text)
{
    buf_reset(&k->why);
    text_term(&k->why, span_str(text));
}

static enum put
dead(struct kafka_sink *k, const char *text)
{
    set_why(k, text);
    k->dead = true;
    return PUT_DEAD;
}

/* ---- what librdkafka calls back, in our thread ---- */

static void
on_report(rd_kafka_t *rk, const rd_kafka_message_t *m, void *ctx)
{
    struct kafka_sink *k = ctx;
    struct sink_part *part = m->_private;

    (void)rk;
    if (m->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        part->done = true;
        if (!k->dead)
            buf_reset(&k->why); /* what was, is over */
        return;
    }
    part->sent = false;
    if (!k->dead)
        (void)dead(k, rd_kafka_err2str(m->err));
}

static void
on_error(rd_kafka_t *rk, int err, const char *reason, void *ctx)
{
    struct kafka_sink *k = ctx;
    char text[WHY_MAX] = "";

    if (k->dead)
        return; /* what came first tells more */
    if (err != RD_KAFKA_RESP_ERR__FATAL) {
        set_why(k, reason);
        if (strstr(reason, "SCRAM") != NULL &&
            rd_kafka_version() < SCRAM_MENDED)
            buf_str(&k->why, "; librdkafka before 2.6.1 cannot log in to "
                             "Kafka 4 by SCRAM, use PLAIN");
        return;
    }
    (void)rd_kafka_fatal_error(rk, text, sizeof(text));
    (void)dead(k, text);
}

static void
on_log(const rd_kafka_t *rk, int level, const char *what, const char *text)
{
    struct kafka_sink *k = rd_kafka_opaque(rk);

    (void)level;
    if (k != NULL && !k->dead && strcmp(what, "CONFWARN") != 0)
        set_why(k, text);
}

/* ---- configuration ---- */

static const struct {
    const char *name, *value;
} fixed[] = {
    {"client.id",                "span25"        },
    {"enable.idempotence",       "true"          },
    {"acks",                     "all"           },
 /* a message that fails must not let the next one of its key pass it */
    {"enable.gapless.guarantee", "true"          },
    {"message.timeout.ms",       "0"             },
    {"partitioner",              "murmur2_random"},
    {"reconnect.backoff.ms",     "100"           },
    {"reconnect.backoff.max.ms", "500"           },
    {"socket.keepalive.enable",  "true"          },
    {"log.queue",                "true"          },
    {"log_level",                "4"             },
};

static enum err
set_number(struct kafka_sink *k, const char *name, uint64_t value,
           struct buf *message)
{
    char text[NUMBER_MAX];

    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    return kafka_set(k->conf, name, text, message);
}

static enum err
set_fixed(struct kafka_sink *k, struct buf *message)
{
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(fixed); i++)
        e = kafka_set(k->conf, fixed[i].name, fixed[i].value, message);
    return e;
}

static enum err
set_hmac(struct kafka_sink *k, const struct sink_settings *s,
         struct buf *message)
{
    enum err e =
        sink_secret(options, s, "hmac-key-file", &k->hmac_key, message);

    if (e != ERR_OK || k->hmac_key.n == 0 || k->hmac_key.n >= AUTH_KEY_LEAST)
        return e;
    buf_printf(message, "kafka: hmac-key-file: less than %u characters",
               AUTH_KEY_LEAST);
    return ERR_CONFIG;
}

/* Room in librdkafka for all that the queue can hold, so that the queue is what
 * says when there is none. */
static enum err
set_room(struct kafka_sink *k, const struct sink_settings *s,
         struct buf *message)
{
    uint64_t lines = sink_number(options, s, "queue-lines");
    uint64_t mib = sink_number(options, s, "queue-mib");
    enum err e;

    k->line_max = sink_number(options, s, "line-max");
    e = sink_queue_init(&k->q, lines, mib << 20, s);
    if (e == ERR_OK)
        e = set_number(k, "queue.buffering.max.messages", SINK_PARTS * lines,
                       message);
    if (e == ERR_OK)
        e = set_number(k, "queue.buffering.max.kbytes", 2 * (mib << 10),
                       message);
    if (e == ERR_OK)
        e = set_number(k, "message.max.bytes", k->line_max + OVERHEAD_MAX,
                       message);
    return e;
}

static enum err
name_topics(struct kafka_sink *k, const struct sink_settings *s,
            struct buf *message)
{
    const char *prefix = sink_text(options, s, "prefix");

    for (unsigned t = 0; t < SINK_TOPIC_COUNT; t++) {
        int n = snprintf(k->topic[t], TOPIC_MAX, "%s.%s", prefix,
                         sink_topic_name((enum sink_topic)t));

        if (n < 0 || n >= (int)TOPIC_MAX) {
            buf_str(message, "kafka: prefix: is too long");
            return ERR_CONFIG;
        }
    }
    return ERR_OK;
}

static enum err
configure(struct kafka_sink *k, const struct sink_settings *s,
          struct buf *message)
{
    enum err e = set_fixed(k, message);

    if (e == ERR_OK)
        e = kafka_conf_peer(k->conf, options, s, message);
    if (e == ERR_OK)
        e = kafka_set(k->conf, "compression.codec",
                      sink_text(options, s, "compression"), message);
    if (e == ERR_OK)
        e = kafka_set(k->conf, "linger.ms", sink_text(options, s, "linger-ms"),
                      message);
    if (e == ERR_OK)
        e = set_hmac(k, s, message);
    if (e == ERR_OK)
        e = set_room(k, s, message);
    if (e == ERR_OK)
        e = name_topics(k, s, message);
    rd_kafka_conf_set_opaque(k->conf, k);
    rd_kafka_conf_set_dr_msg_cb(k->conf, on_report);
    rd_kafka_conf_set_error_cb(k->conf, on_error);
    rd_kafka_conf_set_log_cb(k->conf, on_log);
    return e;
}

/* ---- opening ---- */

/* Where their leaders are is asked for now: the first alert would wait up to a
 * second for the answer. A broker may make a topic that is asked for, so no
 * others: who aggregates makes them as they must be. */
static void
know_topics(struct kafka_sink *k)
{
    static const enum sink_topic urgent[] = {SINK_TOPIC_ALERT,
                                             SINK_TOPIC_DECISION};

    for (size_t i = 0; i < ARRAY_LEN(urgent); i++)
        k->known[urgent[i]] =
            rd_kafka_topic_new(k->rk, k->topic[urgent[i]], NULL);
}

static void
end_producer(struct kafka_sink *k)
{
    for (unsigned t = 0; t < SINK_TOPIC_COUNT; t++) {
        if (k->known[t] != NULL)
            rd_kafka_topic_destroy(k->known[t]);
        k->known[t] = NULL;
    }
    if (k->rk != NULL)
        rd_kafka_destroy(k->rk);
    k->rk = NULL;
}

/* A producer of the configuration, which is kept for the next one. */
static enum err
begin(struct kafka_sink *k)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(k->conf);
    char text[WHY_MAX] = "";

    k->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (k->rk == NULL) {
        rd_kafka_conf_destroy(conf);
        (void)dead(k, text);
        return ERR_CONFIG;
    }
    (void)rd_kafka_set_log_queue(k->rk, NULL);
    know_topics(k);
    k->dead = false;
    buf_reset(&k->why);
    return ERR_OK;
}

static void
kafka_close(struct sink *s)
{
    struct kafka_sink *k;

    if (s == NULL)
        return;
    k = self(s);
    end_producer(k); /* its threads have let go of our blocks */
    if (k->conf != NULL)
        rd_kafka_conf_destroy(k->conf);
    sink_queue_fini(&k->q);
    if (k->hmac_key.p != NULL)
        explicit_bzero(k->hmac_key.p, k->hmac_key.cap);
    buf_free(&k->hmac_key);
    buf_free(&k->why);
    free(k->target);
    free(k);
}

static void
kafka_why(const struct sink *s, struct buf *out)
{
    const struct kafka_sink *k = self_const(s);

    buf_str(out, "kafka ");
    text_term(out, span_str(k->target));
    buf_str(out, ": ");
    if (k->why.n > 0)
        buf_span(out, buf_view(&k->why));
    else
        buf_str(out, "no error");
}

static enum err
kafka_open(struct sink **out, const struct sink_settings *s,
           struct buf *message)
{
    struct kafka_sink *k = calloc(1, sizeof(*k));
    enum err e = ERR_NOMEM;

    if (k == NULL)
        return ERR_NOMEM;
    k->sink.ops = &sink_kafka;
    buf_init(&k->why, WHY_MAX);
    buf_init(&k->hmac_key, SINK_SECRET_MAX);
    k->target = strdup(s->target);
    k->conf = rd_kafka_conf_new();
    if (k->target != NULL && k->conf != NULL)
        e = configure(k, s, message);
    if (e == ERR_OK) {
        e = begin(k);
        if (e != ERR_OK)
            kafka_why(&k->sink, message);
    }
    if (e != ERR_OK) {
        kafka_close(&k->sink);
        return e;
    }
    *out = &k->sink;
    return ERR_OK;
}

/* ---- messages ---- */

/* The same bytes, as librdkafka wants them; it does not write there. */
static uint8_t *
lend(const struct sink_item *i, struct span s)
{
    return i->block + (s.p - i->block);
}

/* In header, begun anew; false: it is not to be signed, or cannot be, and who
 * checks refuses it. */
static bool
sign(const struct kafka_sink *k, const struct sink_item *i, unsigned part,
     struct buf *header)
{
    const struct auth_message m = {
        .topic = span_str(k->topic[i->topic]),
        .key = i->key,
        .value = part > 0 ? SPAN_NONE : i->line,
    };

    return k->hmac_key.n > 0 && auth_sign(buf_view(&k->hmac_key), i->sensor,
                                          i->mark + part, &m, header);
}

/* Our block is lent until the report; key and headers are copied. */
static rd_kafka_resp_err_t
produce(struct kafka_sink *k, const struct sink_item *i, struct sink_part *part)
{
    bool is_tombstone = part != &i->part[0];
    char schema[NUMBER_MAX];
    uint8_t room[AUTH_HEADER_MAX];
    struct buf hmac = {room, 0, sizeof(room), sizeof(room), false, false};
    bool is_signed = sign(k, i, is_tombstone, &hmac);
    const rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC,     .u.cstr = k->topic[i->topic]        },
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = RD_KAFKA_PARTITION_UA      },
        {.vtype = RD_KAFKA_VTYPE_KEY,       .u.mem = {lend(i, i->key), i->key.n}},
        {.vtype = RD_KAFKA_VTYPE_VALUE,
         .u.mem = {is_tombstone ? NULL : lend(i, i->line),
                   is_tombstone ? 0 : i->line.n}                                },
        {.vtype = RD_KAFKA_VTYPE_HEADER,
         .u.header = {"event_id", i->event_id.p, (ssize_t)i->event_id.n}        },
        {.vtype = RD_KAFKA_VTYPE_HEADER,
         .u.header = {"schema_version", schema,
                      digits_u64(schema, i->schema) - schema}                   },
        {.vtype = RD_KAFKA_VTYPE_HEADER,
         .u.header = {"content-type", "application/json", -1}                   },
        {.vtype = RD_KAFKA_VTYPE_OPAQUE,    .u.ptr = part                       },
        {.vtype = RD_KAFKA_VTYPE_HEADER,
         .u.header = {AUTH_HEADER, room, (ssize_t)hmac.n}                       },
    };
    rd_kafka_error_t *error =
        rd_kafka_produceva(k->rk, parts, ARRAY_LEN(parts) - !is_signed);
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);

    rd_kafka_error_destroy(error);
    return code;
}

/* False: not all of it, the queue of librdkafka is full or it is dead. */
static bool
send_item(struct kafka_sink *k, struct sink_item *i)
{
    for (unsigned p = 0; p < i->parts; p++) {
        struct sink_part *part = &i->part[p];
        rd_kafka_resp_err_t err;

        if (part->sent)
            continue;
        err = produce(k, i, part);
        if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL && !k->dead)
                (void)dead(k, rd_kafka_err2str(err));
            return false;
        }
        part->sent = true;
    }
    return true;
}

static void
turn(struct kafka_sink *k, unsigned ms)
{
    if (k->rk == NULL)
        return;
    (void)rd_kafka_poll(k->rk, (int)ms);
    sink_queue_settle(&k->q);
    while (!k->dead && k->q.next < k->q.tail &&
           send_item(k, sink_queue_at(&k->q, k->q.next)))
        k->q.next++;
}

/* In place of a line that no broker would take. */
static void
write_stub(struct buf *b, struct span record, size_t bytes)
{
    struct json_out j = json_out_open(b);

    json_begin(&j, '{');
    json_key(&j, "event_id");
    (void)json_str(&j, record_find(record, FIELD_EVENT_ID));
    json_key(&j, "event_type");
    (void)json_str(&j, span_str(event_type_name(record_head_of(record).type)));
    json_key(&j, "bytes");
    json_u64(&j, bytes);
    json_key(&j, "reason");
    (void)json_str(&j, SPAN_LIT("longer than line-max"));
    json_end(&j, '}');
}

/* A line keeps its number when it is sent again: it is the same message. */
static struct sink_item *
number(struct kafka_sink *k, struct sink_item *item)
{
    if (item != NULL) {
        item->mark = auth_next(k->sequence, k->now);
        k->sequence = item->mark + item->parts - 1;
    }
    return item;
}

static struct sink_item *
take(struct kafka_sink *k, struct span record, struct span line)
{
    struct sink_item *item = NULL;
    struct buf stub;

    if (line.n <= k->line_max) {
        item = sink_queue_put(&k->q, record, line);
        if (item != NULL && item->type == EVENT_DECISION && item->ends)
            item->parts = 2;
        return item;
    }
    buf_init(&stub, STUB_MAX);
    write_stub(&stub, record, line.n);
    if (!stub.failed && !stub.cut)
        item = sink_queue_put(&k->q, record, buf_view(&stub));
    if (item != NULL) {
        item->topic = SINK_TOPIC_DEADLETTER;
        item->refused = true;
    }
    buf_free(&stub);
    return item;
}

static enum put
kafka_put(struct sink *s, struct span record, struct span line)
{
    struct kafka_sink *k = self(s);

    turn(k, 0);
    if (k->dead)
        return PUT_DEAD;
    if (k->q.next < k->q.tail || !sink_queue_has_room(&k->q, line.n))
        return PUT_BUSY;
    if (number(k, take(k, record, line)) == NULL)
        return PUT_BUSY; /* memory may come back */
    turn(k, 0);
    return PUT_DONE;
}

static enum put
kafka_flush(struct sink *s)
{
    struct kafka_sink *k = self(s);

    turn(k, 0);
    if (sink_queue_is_empty(&k->q))
        return PUT_DONE;
    return k->dead ? PUT_DEAD : PUT_BUSY;
}

static enum err
kafka_reopen(struct sink *s)
{
    struct kafka_sink *k = self(s);
    enum err e;

    if (!k->dead)
        return ERR_OK; /* it finds its brokers again by itself */
    end_producer(k);
    e = begin(k);
    if (e != ERR_OK)
        return e;
    sink_queue_again(&k->q);
    turn(k, 0);
    return ERR_OK;
}

static void
kafka_tick(struct sink *s, ns_t now)
{
    self(s)->now = now;
    turn(self(s), 0);
}

static void
kafka_wait(struct sink *s, unsigned ms)
{
    turn(self(s), ms);
}

static struct sink_counts
kafka_counts(const struct sink *s)
{
    return self_const(s)->q.counts;
}

const struct sink_ops sink_kafka = {
    .name = "kafka",
    .help = "Messages of Apache Kafka; target: the brokers to ask first, "
            "HOST:PORT,HOST:PORT.",
    .options = sink_kafka_options,
    .open = kafka_open,
    .put = kafka_put,
    .flush = kafka_flush,
    .reopen = kafka_reopen,
    .tick = kafka_tick,
    .wait = kafka_wait,
    .counts = kafka_counts,
    .why = kafka_why,
    .close = kafka_close,
};
