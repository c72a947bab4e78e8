#ifndef SPAN25_APP_AGGREGATE_GATE_H
#define SPAN25_APP_AGGREGATE_GATE_H
/* aggregate_gate - which messages of a partition are let in
 *
 * Of a writer whose key is known (auth.h), signed rightly, of a higher sequence
 * than all before of that writer in this partition, not older than max_age, not
 * from the future; and each event once.
 *
 * AGE is the time at which the broker took the message, less that at which it
 * was signed: so it does not matter when it is read, and a partition that is
 * read again gives the same answers. A message without the broker's time
 * (message.timestamp.type=LogAppendTime) cannot prove its age. What an outage
 * holds up is signed before it: max_age is the longest outage that costs
 * nothing, and how long a recorded message could be played back to an
 * aggregate that has lost all its state; else sequences are what keeps those
 * out.
 *
 * WRITERS are files of a folder, a name each, with the key on the first line.
 * "aggregate" is the key of the aggregators: of it are all writers whose name
 * begins with "aggregate/". Their sequences are no times, and have no age.
 *
 * DOUBLES. A sensor that went on from its cursor tells again, newly signed,
 * what it had told: of the latest GATE_SEEN event ids of a partition at least
 * half are known. Pure but for
 * the reading of the folder; one thread. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"
#include "sensor/sinks/auth.h"

#define GATE_KEYS    1024U  /* files of the folder */
#define GATE_WRITERS 4096U  /* of a partition: sensors, and tasks of ours */
#define GATE_SEEN    32768U /* event ids */
#define GATE_AHEAD   (60 * NS_PER_S) /* clocks may differ by so much */
#define GATE_OURS    "aggregate"

/* X(id, word): why a message was not let in */
#define GATE_VERDICTS(X)                                                       \
    X(OK, "taken")                                                             \
    X(FORGED, "forged")     /* no header, unknown writer, wrong HMAC */        \
    X(REPLAYED, "replayed") /* its sequence, or a higher one, came before */   \
    X(STALE, "stale")       /* too old, from the future, or of no time */      \
    X(DOUBLE, "double")     /* the event came before */                        \
    X(REFUSED, "refused")   /* none of ours, or not where it belongs */        \
    X(FULL, "full")         /* more than GATE_WRITERS writers */

enum gate_verdict {
#define GATE_ENUM(id, word) GATE_##id,
    GATE_VERDICTS(GATE_ENUM)
#undef GATE_ENUM
        GATE_VERDICT_COUNT
};
const char *gate_word(enum gate_verdict v);

/* ---- keys ---- */

struct gate_keys;

/* Every file of the folder but those that begin with a dot. ERR_CONFIG: it
 * cannot be read, a key is shorter than AUTH_KEY_LEAST, or there is none of
 * GATE_OURS; told. */
MUST_USE enum err gate_keys_load(const char *dir, struct gate_keys **out,
                                 struct buf *messages);
void gate_keys_free(struct gate_keys *k); /* wipes them */
size_t gate_keys_count(const struct gate_keys *k);
/* Of this writer; empty: none. */
struct span gate_key(const struct gate_keys *k, struct span writer);
bool gate_is_ours(struct span writer);

/* ---- a partition ---- */

struct gate;

struct gate_message {
    struct span header;          /* of AUTH_HEADER; empty: it has none */
    struct auth_message message; /* what it is about */
    ns_t appended;               /* the broker's time; 0: none */
};

/* keys outlive it. */
MUST_USE enum err aggregate_gate_new(const struct gate_keys *keys, ns_t max_age,
                                     struct gate **out);
void aggregate_gate_free(struct gate *g);

/* GATE_OK: mark says who wrote it (borrowed from the header), and its sequence
 * counts as come. */
enum gate_verdict gate_admit(struct gate *g, const struct gate_message *m,
                             struct auth_mark *mark);

/* Is what an event says of its time later than that at which the broker took
 * it? One such event would end the windows and episodes of all sources. */
bool gate_is_ahead(const struct gate_message *m, ns_t when);

/* Did this event not come before? From now on it did. */
bool gate_first(struct gate *g, struct span sensor, struct span event_id);

/* The highest sequence of a writer; 0: none came. */
uint64_t gate_sequence(const struct gate *g, struct span writer);

/* Into a new one; ERR_FORMAT, ERR_CORRUPT: only to be freed. */
MUST_USE enum err gate_save(const struct gate *g, struct buf *out);
MUST_USE enum err gate_load(struct gate *g, struct span snapshot);

#endif
