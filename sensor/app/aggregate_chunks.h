#ifndef SPAN25_APP_AGGREGATE_CHUNKS_H
#define SPAN25_APP_AGGREGATE_CHUNKS_H
/* aggregate_chunks - a state in messages that a broker takes
 *
 * A state stands for all of a partition below one offset. It is compressed
 * (zstd) and cut into messages of at most CHUNKS_BYTES:
 *
 *     key "OFFSET-WRITER/NUMBER"    a piece; numbers from 0
 *     key "OFFSET-WRITER/whole"     how many pieces, bytes, and a hash of them
 *
 * with 16 hexadecimal digits each; WRITER is another number in each run of an
 * aggregator. The last message is written when all pieces are acknowledged: a
 * state without it is not there. So a key is never written twice, and
 * compaction keeps what is in force; the messages of states that are no more
 * wanted are ended with tombstones. A reader takes all messages of the topic's
 * partition in their order, and the state of the highest offset that is whole:
 * an aggregator that lost its partition and writes late changes nothing.
 *
 * MEMORY: pieces of CHUNKS_STATES states at once; those of the lowest offset go
 * when there are more. Pure. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define CHUNKS_BYTES  (512U << 10) /* half of what brokers take by default */
#define CHUNKS_MAX    (1ULL << 30) /* bytes of a state, and of it compressed */
#define CHUNKS_KEY    56U          /* room for a key and its NUL */
#define CHUNKS_STATES 4U

struct chunks_id {
    uint64_t offset, writer;
};

/* ---- writing ---- */

struct chunks_out {
    struct buf packed;
    struct chunks_id id;
    size_t n; /* messages, the last one included */
    uint8_t whole[24];
};

/* ERR_LIMIT: more than CHUNKS_MAX. */
MUST_USE enum err chunks_pack(struct chunks_out *c, struct chunks_id id,
                              struct span state);
/* Message i of n; value is borrowed. */
void chunks_message(const struct chunks_out *c, size_t i, char key[CHUNKS_KEY],
                    struct span *value);
void chunks_out_free(struct chunks_out *c); /* also of a zeroed one */

/* The keys of a state that was written: i of n, n messages in all. */
void chunks_key(struct chunks_id id, size_t i, size_t n, char key[CHUNKS_KEY]);

/* ---- reading ---- */

struct chunks_in;

MUST_USE enum err chunks_in_new(struct chunks_in **out);
void chunks_in_free(struct chunks_in *c);

/* A message; value.p NULL: a tombstone. What is no key of ours is passed over.
 * ERR_NOMEM. */
MUST_USE enum err chunks_take(struct chunks_in *c, struct span key,
                              struct span value);

/* The state in force. ERR_NOENT: there is none. ERR_CORRUPT: those that there
 * are do not hold. n: its messages. */
MUST_USE enum err chunks_best(const struct chunks_in *c, struct chunks_id *id,
                              size_t *n, struct buf *state);

/* Of states other than `keep` (NULL: all): the one at i, and how many messages
 * it has, whole or not; false: there is no such. For tombstones. */
bool chunks_other(const struct chunks_in *c, const struct chunks_id *keep,
                  size_t i, struct chunks_id *id, size_t *n);

#endif
