#ifndef SPAN25_CORE_REPLAY_H
#define SPAN25_CORE_REPLAY_H
/* replay - events of the journal, from a sequence number on, as records
 *
 * Lines that are damaged, or not events, are told in messages, counted and
 * passed over. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/base/span.h"

/* The record has passed record_check and is borrowed during the call. An error
 * ends the replay. */
struct replay_sink {
    enum err (*put)(void *ctx, struct span record, uint64_t seq);
    void *ctx;
};

/* dir is the state directory. upto is the last sequence wanted: the journal's
 * last durable one. ERR_NOENT: there is no journal. */
MUST_USE enum err replay_journal(const char *dir, uint64_t from, uint64_t upto,
                                 const struct replay_sink *sink,
                                 uint64_t *damaged, struct buf *messages);

#endif
