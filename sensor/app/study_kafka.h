#ifndef SPAN25_APP_STUDY_KAFKA_H
#define SPAN25_APP_STUDY_KAFKA_H
/* study_kafka - the messages of topics, from their beginning to where they end
 *
 *     kafka://HOST:PORT[,HOST:PORT...]/TOPIC[,TOPIC...]
 *
 * Where each partition ends is asked when it is opened; what comes later is not
 * read. No group of consumers is joined and no offset is kept at the brokers:
 * nobody there sees more of it than its connections. Where the configuration
 * has a sink of kind kafka with the same brokers as its target, its TLS and
 * login are taken.
 *
 * Brokers that are away are waited for, STUDY_KAFKA_PATIENCE_S at a time. What
 * librdkafka holds is at most STUDY_KAFKA_MIB, and a message for each partition
 * where messages are larger than that allows. One thread. */
#include "sensor/app/options.h"
#include "sensor/base/buf.h"

#include <signal.h>

#define STUDY_KAFKA_TOPICS_MAX 16U
#define STUDY_KAFKA_PARTS_MAX  1024U /* of all topics; as for aggregate */
#define STUDY_KAFKA_PATIENCE_S 30U
#define STUDY_KAFKA_MIB        512U

struct study_kafka;

/* A partition, by (topic as in the URL, number). Offsets are those of Kafka. */
struct study_kafka_part {
    const char *topic;
    unsigned topic_at; /* its place in the URL */
    int32_t number;
    int64_t first, end; /* when it was opened; end is not in it */
    int64_t next;       /* to be taken; may be set before the start */
};

struct study_kafka_options {
    const char *url;
    const struct config *config;
    const volatile sig_atomic_t *stop; /* or NULL */
    unsigned patience_s;               /* 0: STUDY_KAFKA_PATIENCE_S */
};

enum study_kafka_got {
    STUDY_KAFKA_MESSAGE,
    STUDY_KAFKA_END,
    STUDY_KAFKA_STOPPED,
    STUDY_KAFKA_GONE, /* nobody answered for so long */
};

/* Asks and hangs up again. ERR_USAGE: no such URL; ERR_NOENT: no such topic;
 * ERR_IO: nobody answers; with a text of one line, without its end. */
MUST_USE enum err study_kafka_open(const struct study_kafka_options *o,
                                   struct study_kafka **out,
                                   struct buf *message);
void study_kafka_close(struct study_kafka *k); /* NULL is fine */

size_t study_kafka_n(const struct study_kafka *k);
struct study_kafka_part *study_kafka_part(struct study_kafka *k, size_t i);

/* Begins to read each from next to its end. */
MUST_USE enum err study_kafka_start(struct study_kafka *k, struct buf *message);

/* The next message of a partition; value is borrowed until the next call for
 * it, and p is NULL where the message has none. Waits for it. */
enum study_kafka_got study_kafka_take(struct study_kafka *k, size_t i,
                                      struct span *value, int64_t *offset);
/* Of GONE, one line without its end. */
void study_kafka_why(const struct study_kafka *k, struct buf *out);

#endif
