#ifndef SPAN25_SINKS_SINK_QUEUE_H
#define SPAN25_SINKS_SINK_QUEUE_H
/* sink_queue - lines that a peer on the network has not acknowledged yet
 *
 * A ring of at most `lines` lines and `bytes` bytes. A line is copied, with all
 * that a message about it needs, into one block, and stays until it and all
 * before it are settled: so a connection that is made anew can send it again.
 *
 *     head ... next ... tail     [head, next) were sent, [next, tail) not yet
 *
 * A line makes one message, or two (part 1 is the second one). The kind sets
 * parts, marks them sent and done, and calls settle: lines in front of which
 * all parts are done leave and are counted. again makes those that were sent
 * and not done unsent. Items are at fixed places: a pointer to a part holds
 * while its line is in the ring. */
#include "sensor/sinks/sink.h"

/* Of messages of one topic, or entries of one stream: PREFIX.name. A row is
 * enum word, name. */
#define SINK_TOPIC_MAP(X)                                                      \
    X(MAIL, "smtp.tx")                                                         \
    X(ALERT, "alert")                                                          \
    X(DECISION, "decision")                                                    \
    X(STATS, "stats")                                                          \
    X(CONTROL, "control")       /* what people entered */                      \
    X(DEADLETTER, "deadletter") /* in place of a line too long for the peer */

enum sink_topic {
#define X(id, name) SINK_TOPIC_##id,
    SINK_TOPIC_MAP(X)
#undef X
        SINK_TOPIC_COUNT
};

const char *sink_topic_name(enum sink_topic t);
enum sink_topic sink_topic_of(enum event_type t);

#define SINK_KEY_MAX 128U /* bytes of a key; what is longer is cut */
#define SINK_PARTS   2

struct sink_item;

struct sink_part {
    struct sink_item *of;
    bool sent, done;
};

/* CONTROL has what people entered, for who decides elsewhere (span25
 * aggregate): events of kinds registry, exception, block and policy, and ticks,
 * which tell that all before them is there. It may be compacted: each key
 * stands for one thing that was done, so nothing that counts goes, and what is
 * published again takes the place of what it repeats. Other kinds of control
 * are STATS.
 *
 * Spans are in the item's block. The key is what keeps an order: the source
 * address, of events without one the subject or the sensor. Of a decision it is
 * the subject, with "simulate:", "hold:" or "withheld:" before it where nothing
 * is stopped: so what is in force has a key that no other line takes, and who
 * does not know those words blocks nobody by them. */
struct sink_item {
    uint8_t *block;
    struct span line, key, event_id;
    struct span subject;  /* of a decision, else empty */
    struct span sensor;   /* that of the event */
    uint64_t schema;      /* schema_version */
    ns_t until;           /* of a decision */
    enum event_type type; /* of the event */
    enum sink_topic topic;
    bool enforced; /* a decision that stops, or ends stopping, for real */
    bool ends;     /* a lift or an expiry; else it begins */
    bool refused;  /* counts as such when all its parts are done */
    uint8_t parts;
    uint64_t mark; /* of the kind */
    struct sink_part part[SINK_PARTS];
};

struct sink_queue {
    struct sink_item *ring;
    size_t lines; /* places */
    uint64_t head, next, tail;
    size_t bytes, bytes_max;
    struct sink_counts counts;
    void (*settled)(void *ctx, bool delivered); /* of struct sink_settings */
    void *ctx;
};

MUST_USE enum err sink_queue_init(struct sink_queue *q, uint64_t lines,
                                  uint64_t bytes,
                                  const struct sink_settings *s);
void sink_queue_fini(struct sink_queue *q);

/* One line takes any number of bytes when there is no other. */
bool sink_queue_has_room(const struct sink_queue *q, size_t bytes);

/* Takes a copy of one part; NULL when there is no memory, and then nothing is
 * taken. There must be room. record is that of the line. */
struct sink_item *sink_queue_put(struct sink_queue *q, struct span record,
                                 struct span line);

static inline struct sink_item *
sink_queue_at(const struct sink_queue *q, uint64_t seq)
{
    return &q->ring[seq % q->lines];
}

static inline bool
sink_queue_is_empty(const struct sink_queue *q)
{
    return q->head == q->tail;
}

void sink_queue_settle(struct sink_queue *q);
void sink_queue_again(struct sink_queue *q);

#endif
