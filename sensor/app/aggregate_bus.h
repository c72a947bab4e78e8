#ifndef SPAN25_APP_AGGREGATE_BUS_H
#define SPAN25_APP_AGGREGATE_BUS_H
/* aggregate_bus - the topics of aggregate.h, through librdkafka
 *
 * One consumer of the group for the partitions of all stages, one producer, one
 * reader of what people entered, and one for each state that is read. The group
 * hands partitions over one by one (cooperative-sticky): what stays is not
 * interrupted. Offsets are ours: a partition begins where its state says; those
 * committed to the group are for who looks at its lag.
 *
 * Topics that are not there are made at the start; of those that are, nothing
 * is changed. The producer is idempotent with acks=all and no time-out: while
 * the brokers are away, put and flush wait, and nothing else goes on either.
 *
 * bus_bad: something that waiting does not mend. Then the process ends, and
 * another begins with the states. All callbacks run in bus_poll. One thread. */
#include "sensor/app/aggregate_task.h"
#include "sensor/sinks/sink.h"

struct bus;

struct bus_calls {
    /* The partition is ours from now on; *offset: where to begin, or -1: with
     * the oldest message there is. */
    enum err (*assigned)(void *ctx, enum aggregate_stage s, unsigned partition,
                         int64_t *offset);
    /* No more; lost: another one may have it already. */
    void (*revoked)(void *ctx, enum aggregate_stage s, unsigned partition,
                    bool lost);
    void (*message)(void *ctx, enum aggregate_stage s, unsigned partition,
                    const struct aggregate_in *in);
    /* What people entered; what was there at the start comes before the first
     * partition. */
    void (*control)(void *ctx, const struct gate_message *m, uint64_t offset);
    bool (*stopped)(void *ctx); /* ends every wait */
    void *ctx;
};

struct bus_options {
    const struct sink_settings *sink;           /* of a sink of kind kafka */
    unsigned partitions[AGGREGATE_STAGE_COUNT]; /* of topics that are made */
    struct bus_calls calls;
};

/* ERR_CONFIG, ERR_IO: with a message. */
MUST_USE enum err bus_open(const struct bus_options *o, struct bus **out,
                           struct buf *messages);
void bus_close(struct bus *b); /* leaves the group; NULL is fine */

/* Takes messages and gives them out; returns after ms, or sooner. */
void bus_poll(struct bus *b, unsigned ms);

/* Partitions of stage source. */
unsigned bus_sources(const struct bus *b);

/* Names, for who signs. */
const char *bus_topic(const struct bus *b, enum aggregate_stage s);
const char *bus_state_topic(const struct bus *b, enum aggregate_stage s);

/* Lines that were put and that no broker takes: longer than its
 * max.message.bytes. Those of states are bad (bus_bad) instead. */
uint64_t bus_too_long(const struct bus *b);

/* Everything is copied. Waits while the queue is full. */
void bus_put(struct bus *b, enum aggregate_stage s, struct span key,
             struct span value, struct span header);
void bus_put_state(struct bus *b, enum aggregate_stage s, unsigned partition,
                   struct span key, struct span value, struct span header);
/* All that was put is acknowledged. ERR_IO: it is not, and will not be. */
MUST_USE enum err bus_flush(struct bus *b);

/* Every message of a state's partition, in its order. */
MUST_USE enum err
bus_read_state(struct bus *b, enum aggregate_stage s, unsigned partition,
               void (*take)(void *ctx, const struct gate_message *m),
               void *ctx);

/* For who looks at the group's lag; not waited for. */
void bus_commit(struct bus *b, enum aggregate_stage s, unsigned partition,
                uint64_t offset);

/* Why it cannot go on; empty: it can. */
struct span bus_bad(const struct bus *b);

#endif
