#ifndef SPAN25_CORE_FOLLOW_H
#define SPAN25_CORE_FOLLOW_H
/* follow - brings the index up to the journal
 *
 * Reads the journal from the index's position on and adds what is missing; an
 * index that is absent or ahead of the journal is built anew. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/event/keep.h"

/* dir is the state directory; durable is the journal's last durable sequence.
 * damaged counts runs of bad lines, and an end that the journal had and has no
 * more (the index was ahead of it); each is told in messages. */
MUST_USE enum err follow_index(const char *dir, uint64_t durable,
                               uint64_t *damaged, struct buf *messages);

/* The same for who must be heard of meanwhile: at most so many lines on. *at is
 * 0 in the first call and then where the one before came to, as lines that were
 * removed move no index on. */
MUST_USE enum err follow_index_some(const char *dir, uint64_t durable,
                                    uint64_t most, uint64_t *at,
                                    uint64_t *damaged, struct buf *messages);

/* Removes from the index what is older than before[], by kind (0: nothing of
 * it), a part of it at a time: *removed is 0 when nothing is left to do.
 * rows counts up. An index that is not there is fine. */
MUST_USE enum err follow_expire(const char *dir, const ns_t before[KEEP_KINDS],
                                uint64_t rows[KEEP_KINDS], uint64_t *removed,
                                struct buf *messages);

#endif
