#include "sensor/app/study_kafka.h"

#include "sensor/app/clock.h"
#include "sensor/app/options_sinks.h"
#include "sensor/base/text.h"
#include "sensor/sinks/kafka_conf.h"
#include "sensor/sinks/sink_kafka.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define URL_HEAD  "kafka://"
#define URL_MAX   4096U
#define TOPIC_MAX 249U /* Kafka's own limit */
#define WHY_MAX   400U
#define BATCH     256U
#define ASK_MS    1000 /* for one question */
#define WAIT_MS   100  /* between looks at *stop */
#define FETCH_MIB 64U  /* of one answer for all partitions */

struct part {
    struct study_kafka_part told;
    rd_kafka_message_t *batch[BATCH];
    size_t n, at;
    rd_kafka_message_t *lent; /* whose value somebody has */
    bool started, ended;
};

struct study_kafka {
    const struct config *config;
    const volatile sig_atomic_t *stop;
    ns_t patience;
    char *text; /* of the URL, cut at its commas */
    const char *hosts;
    const char *topics[STUDY_KAFKA_TOPICS_MAX];
    unsigned n_topics;
    rd_kafka_t *rk;
    rd_kafka_topic_t *known[STUDY_KAFKA_TOPICS_MAX];
    struct part *parts;
    size_t n_parts;
    struct buf why;
};

/* ---- the URL ---- */

static bool
is_topic(const char *name)
{
    static const char set[] = "abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = strlen(name);

    return n > 0 && n <= TOPIC_MAX && strspn(name, set) == n;
}

static bool
take_topics(struct study_kafka *k, char *at)
{
    while (at != NULL) {
        char *comma = strchr(at, ',');

        if (comma != NULL)
            *comma++ = '\0';
        if (!is_topic(at) || k->n_topics == STUDY_KAFKA_TOPICS_MAX)
            return false;
        for (unsigned i = 0; i < k->n_topics; i++) {
            if (strcmp(k->topics[i], at) == 0)
                return false;
        }
        k->topics[k->n_topics++] = at;
        at = comma;
    }
    return true;
}

static enum err
take_url(struct study_kafka *k, const char *url, struct buf *message)
{
    const size_t head = strlen(URL_HEAD);
    char *slash;

    if (strlen(url) < head || strlen(url) > URL_MAX)
        return ERR_USAGE;
    k->text = strdup(url + head);
    if (k->text == NULL)
        return ERR_NOMEM;
    slash = strchr(k->text, '/');
    if (slash != NULL && slash != k->text) {
        *slash = '\0';
        k->hosts = k->text;
        if (take_topics(k, slash + 1))
            return ERR_OK;
    }
    buf_printf(message,
               "is no kafka://HOST:PORT[,HOST:PORT...]/TOPIC[,TOPIC...] with "
               "at most %u different topics",
               STUDY_KAFKA_TOPICS_MAX);
    return ERR_USAGE;
}

/* ---- what librdkafka calls back, in our thread ---- */

static void
set_why(struct study_kafka *k, const char *text)
{
    buf_reset(&k->why);
    buf_str(&k->why, text);
}

static void
on_error(rd_kafka_t *rk, int err, const char *reason, void *ctx)
{
    (void)rk;
    (void)err;
    set_why(ctx, reason);
}

static void
on_log(const rd_kafka_t *rk, int level, const char *what, const char *text)
{
    (void)rk;
    (void)level;
    (void)what;
    (void)text;
}

/* ---- the client ---- */

static const struct {
    const char *name, *value;
} fixed[] = {
    {"client.id",                "span25-study"},
    {"enable.auto.commit",       "false"       },
    {"auto.offset.reset",        "earliest"    },
    {"enable.partition.eof",     "true"        },
    {"check.crcs",               "true"        },
    {"fetch.wait.max.ms",        "100"         },
    {"reconnect.backoff.ms",     "100"         },
    {"reconnect.backoff.max.ms", "500"         },
    {"socket.keepalive.enable",  "true"        },
    {"log_level",                "4"           },
};

static enum err
set_number(rd_kafka_conf_t *conf, const char *name, uint64_t value,
           struct buf *message)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    return kafka_set(conf, name, text, message);
}

static uint64_t
count_with_messages(const struct study_kafka *k)
{
    uint64_t n = 0;

    for (size_t i = 0; i < k->n_parts; i++)
        n += k->parts[i].told.next < k->parts[i].told.end;
    return n > 0 ? n : 1;
}

/* What is held for all partitions together: each has its own queue. A full one
 * is not looked at for a second, unless the library lets us say otherwise
 * (2.2), so more than is needed is held. */
static enum err
set_room(const struct study_kafka *k, rd_kafka_conf_t *conf,
         struct buf *message)
{
    uint64_t n = count_with_messages(k);
    uint64_t held = ((uint64_t)STUDY_KAFKA_MIB << 10) / n;
    uint64_t got = ((uint64_t)FETCH_MIB << 20) / n;
    enum err e = set_number(conf, "queued.max.messages.kbytes", held, message);

    if (got > (1U << 20))
        got = 1U << 20;
    if (e == ERR_OK)
        e = set_number(conf, "fetch.message.max.bytes", got, message);
    (void)rd_kafka_conf_set(conf, "fetch.queue.backoff.ms", "10", NULL, 0);
    return e;
}

/* The settings of the sink that writes to the same brokers, or none. */
static enum err
set_peer(const struct study_kafka *k, rd_kafka_conf_t *conf,
         struct buf *message)
{
    const struct config_sinks *sinks = &k->config->sinks;
    struct sink_settings settings = {.target = k->hosts};
    struct sink_value *values = NULL;
    enum err e;

    for (size_t i = 0; i < sinks->n && values == NULL; i++) {
        const struct config_sink *one = &sinks->v[i];

        if (strcmp(one->kind, sink_kafka.name) != 0 ||
            strcmp(one->target, k->hosts) != 0)
            continue;
        values = calloc(one->n_settings + 1, sizeof(*values));
        if (values == NULL)
            return ERR_NOMEM;
        settings = options_sinks_settings(one, values);
    }
    e = kafka_conf_peer(conf, sink_kafka_options, &settings, message);
    free(values);
    return e;
}

static enum err
configure(struct study_kafka *k, rd_kafka_conf_t *conf, struct buf *message)
{
    enum err e = set_peer(k, conf, message);

    for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(fixed); i++)
        e = kafka_set(conf, fixed[i].name, fixed[i].value, message);
    if (e == ERR_OK)
        e = set_room(k, conf, message);
    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_error_cb(conf, on_error);
    rd_kafka_conf_set_log_cb(conf, on_log);
    return e;
}

/* A topic's own settings come from the client's. */
static enum err
connect_client(struct study_kafka *k, struct buf *message)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char text[WHY_MAX] = "";
    enum err e = configure(k, conf, message);

    if (e == ERR_OK)
        k->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    if (k->rk == NULL) {
        rd_kafka_conf_destroy(conf);
        text_term(message, span_str(text));
        return e == ERR_OK ? ERR_CONFIG : e;
    }
    for (unsigned i = 0; i < k->n_topics; i++) {
        k->known[i] = rd_kafka_topic_new(k->rk, k->topics[i], NULL);
        if (k->known[i] == NULL)
            return ERR_NOMEM;
    }
    return ERR_OK;
}

static void
let_go(struct part *p)
{
    if (p->lent != NULL)
        rd_kafka_message_destroy(p->lent);
    p->lent = NULL;
}

static void
end_part(struct study_kafka *k, struct part *p)
{
    let_go(p);
    while (p->at < p->n)
        rd_kafka_message_destroy(p->batch[p->at++]);
    if (p->started)
        (void)rd_kafka_consume_stop(k->known[p->told.topic_at], p->told.number);
    p->started = false;
    p->n = p->at = 0;
}

static void
hang_up(struct study_kafka *k)
{
    for (size_t i = 0; i < k->n_parts; i++)
        end_part(k, &k->parts[i]);
    for (unsigned i = 0; i < k->n_topics; i++) {
        if (k->known[i] != NULL)
            rd_kafka_topic_destroy(k->known[i]);
        k->known[i] = NULL;
    }
    if (k->rk != NULL)
        rd_kafka_destroy(k->rk);
    k->rk = NULL;
}

static bool
is_stopped(const struct study_kafka *k)
{
    return k->stop != NULL && *k->stop != 0;
}

static bool
is_patient(const struct study_kafka *k, ns_t since)
{
    (void)rd_kafka_poll(k->rk, 0); /* it says what is wrong */
    return !is_stopped(k) && clock_of(CLOCK_MONOTONIC) - since < k->patience;
}

static void
sleep_some(void)
{
    const struct timespec t = {.tv_nsec = (long)(WAIT_MS * NS_PER_MS)};

    (void)nanosleep(&t, NULL);
}

/* ---- where topics begin and end ---- */

/* What will not be otherwise in a moment. */
static bool
is_final(rd_kafka_resp_err_t err)
{
    return err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
           err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
           err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
           err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           err == RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION;
}

/* How many partitions a topic has; 0: not told, err says why. */
static int
count_partitions(struct study_kafka *k, unsigned topic,
                 rd_kafka_resp_err_t *err)
{
    const rd_kafka_metadata_t *m = NULL;
    int n = 0;

    *err = rd_kafka_metadata(k->rk, 0, k->known[topic], &m, ASK_MS);
    if (*err == 0 && m->topic_cnt == 1) {
        *err = m->topics[0].err;
        n = *err == 0 ? m->topics[0].partition_cnt : 0;
    }
    if (m != NULL)
        rd_kafka_metadata_destroy(m);
    return n;
}

void
study_kafka_why(const struct study_kafka *k, struct buf *out)
{
    buf_printf(out, "no answer within %" PRIu64 " s", k->patience / NS_PER_S);
    if (k->why.n > 0)
        buf_str(out, ": ");
    text_term(out, buf_view(&k->why));
}

static enum err
no_answer(struct study_kafka *k, rd_kafka_resp_err_t err, const char *topic,
          struct buf *message)
{
    if (is_stopped(k)) {
        buf_str(message, "stopped");
        return ERR_IO;
    }
    if (is_final(err)) {
        buf_str(message, "topic ");
        text_term(message, span_str(topic));
        buf_str(message, ": ");
        text_term(message, span_str(rd_kafka_err2str(err)));
        return ERR_NOENT;
    }
    if (k->why.n == 0)
        set_why(k, rd_kafka_err2str(err));
    study_kafka_why(k, message);
    return ERR_IO;
}

static enum err
add_parts(struct study_kafka *k, unsigned topic, int n, struct buf *message)
{
    struct part *v;

    if ((size_t)n > STUDY_KAFKA_PARTS_MAX - k->n_parts) {
        buf_printf(message, "has more than %u partitions",
                   STUDY_KAFKA_PARTS_MAX);
        return ERR_LIMIT;
    }
    v = reallocarray(k->parts, k->n_parts + (size_t)n, sizeof(*v));
    if (v == NULL)
        return ERR_NOMEM;
    k->parts = v;
    for (int32_t i = 0; i < n; i++)
        v[k->n_parts++] = (struct part){
            .told = {k->topics[topic], topic, i, 0, 0, 0}
        };
    return ERR_OK;
}

static enum err
ask_topic(struct study_kafka *k, unsigned topic, struct buf *message)
{
    ns_t since = clock_of(CLOCK_MONOTONIC);
    rd_kafka_resp_err_t err;
    int n;

    do
        n = count_partitions(k, topic, &err);
    while (n == 0 && !is_final(err) && is_patient(k, since));
    return n > 0 ? add_parts(k, topic, n, message)
                 : no_answer(k, err, k->topics[topic], message);
}

static enum err
ask_ends(struct study_kafka *k, struct study_kafka_part *p, struct buf *message)
{
    ns_t since = clock_of(CLOCK_MONOTONIC);
    rd_kafka_resp_err_t err;

    for (;;) {
        err = rd_kafka_query_watermark_offsets(k->rk, p->topic, p->number,
                                               &p->first, &p->end, ASK_MS);
        if (err == 0)
            break;
        if (is_final(err) || !is_patient(k, since))
            return no_answer(k, err, p->topic, message);
        sleep_some();
    }
    p->next = p->first;
    return ERR_OK;
}

static enum err
ask(struct study_kafka *k, struct buf *message)
{
    enum err e = ERR_OK;

    for (unsigned i = 0; e == ERR_OK && i < k->n_topics; i++)
        e = ask_topic(k, i, message);
    for (size_t i = 0; e == ERR_OK && i < k->n_parts; i++)
        e = ask_ends(k, &k->parts[i].told, message);
    return e;
}

/* ---- life ---- */

enum err
study_kafka_open(const struct study_kafka_options *o, struct study_kafka **out,
                 struct buf *message)
{
    struct study_kafka *k = calloc(1, sizeof(*k));
    enum err e;

    if (k == NULL)
        return ERR_NOMEM;
    k->config = o->config;
    k->stop = o->stop;
    k->patience =
        (o->patience_s > 0 ? o->patience_s : STUDY_KAFKA_PATIENCE_S) * NS_PER_S;
    buf_init(&k->why, WHY_MAX);
    e = take_url(k, o->url, message);
    if (e == ERR_OK)
        e = connect_client(k, message);
    if (e == ERR_OK)
        e = ask(k, message);
    if (e != ERR_OK) {
        study_kafka_close(k);
        return e;
    }
    hang_up(k);
    *out = k;
    return ERR_OK;
}

void
study_kafka_close(struct study_kafka *k)
{
    if (k == NULL)
        return;
    hang_up(k);
    free(k->parts);
    free(k->text);
    buf_free(&k->why);
    free(k);
}

size_t
study_kafka_n(const struct study_kafka *k)
{
    return k->n_parts;
}

struct study_kafka_part *
study_kafka_part(struct study_kafka *k, size_t i)
{
    REQUIRE(i < k->n_parts);
    return &k->parts[i].told;
}

enum err
study_kafka_start(struct study_kafka *k, struct buf *message)
{
    enum err e = connect_client(k, message);

    buf_reset(&k->why);
    for (size_t i = 0; e == ERR_OK && i < k->n_parts; i++) {
        struct part *p = &k->parts[i];

        p->ended = p->told.next >= p->told.end;
        if (p->ended)
            continue;
        if (rd_kafka_consume_start(k->known[p->told.topic_at], p->told.number,
                                   p->told.next) != 0) {
            text_term(message,
                      span_str(rd_kafka_err2str(rd_kafka_last_error())));
            e = ERR_IO;
        } else {
            p->started = true;
        }
    }
    return e;
}

/* ---- messages ---- */

/* What is there, else one that comes in a while. */
static void
fetch(struct study_kafka *k, struct part *p)
{
    rd_kafka_topic_t *topic = k->known[p->told.topic_at];
    ssize_t n =
        rd_kafka_consume_batch(topic, p->told.number, 0, p->batch, BATCH);

    p->at = 0;
    p->n = n > 0 ? (size_t)n : 0;
    if (p->n > 0)
        return;
    p->batch[0] = rd_kafka_consume(topic, p->told.number, WAIT_MS);
    p->n = p->batch[0] != NULL;
}

/* A message that is what it is for; else it may be the end, or trouble. What is
 * left of a topic that was made anew ends before its end. */
static bool
look(struct study_kafka *k, struct part *p, const rd_kafka_message_t *m)
{
    bool is_end = m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;

    if (is_end || (m->err == 0 && m->offset >= p->told.end)) {
        p->ended = true;
        p->told.next = m->offset < p->told.end ? m->offset : p->told.end;
        return false;
    }
    if (m->err != 0)
        set_why(k, rd_kafka_message_errstr(m));
    return m->err == 0 && m->offset >= p->told.next;
}

/* The next one that is there, or NULL. */
static const rd_kafka_message_t *
next_message(struct study_kafka *k, struct part *p)
{
    let_go(p);
    if (p->at == p->n)
        fetch(k, p);
    while (p->at < p->n && !p->ended) {
        let_go(p);
        p->lent = p->batch[p->at++];
        if (look(k, p, p->lent))
            return p->lent;
    }
    return NULL;
}

enum study_kafka_got
study_kafka_take(struct study_kafka *k, size_t i, struct span *value,
                 int64_t *offset)
{
    struct part *p = &k->parts[i];
    ns_t since = 0;

    while (!p->ended && p->told.next < p->told.end) {
        const rd_kafka_message_t *m = next_message(k, p);

        if (m != NULL) {
            *value = span_of(m->payload, m->len);
            *offset = m->offset;
            p->told.next = m->offset + 1;
            return STUDY_KAFKA_MESSAGE;
        }
        if (since == 0)
            since = clock_of(CLOCK_MONOTONIC);
        if (is_stopped(k))
            return STUDY_KAFKA_STOPPED;
        if (!p->ended && !is_patient(k, since))
            return STUDY_KAFKA_GONE;
    }
    end_part(k, p);
    return STUDY_KAFKA_END;
}
