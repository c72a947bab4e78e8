#ifndef SPAN25_JOURNAL_SNAPSHOT_H
#define SPAN25_JOURNAL_SNAPSHOT_H
/* snapshot - DIR/snapshots/NAME: state at a position of the journal
 *
 * Whoever restores it goes on with the journal from the next sequence number.
 * Written beside, synced and put in its place, so there is the old one or the
 * new one, whole. A file that is damaged, of another version or of another
 * content (kind, a number of the caller's) is told and not taken: the journal
 * has it all. So is one of a build that codes records otherwise
 * (record_coding), for snapshots hold records. Bytes are little-endian. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define SNAPSHOT_BYTES_MAX (1ULL << 32)

/* Failures are told in message, one line. */
MUST_USE enum err snapshot_write(const char *dir, const char *name,
                                 uint64_t kind, uint64_t seq,
                                 struct span content, struct buf *message);

/* content is begun anew. ERR_NOENT: there is none (not told); ERR_CORRUPT,
 * ERR_FORMAT, ERR_IO: told. */
MUST_USE enum err snapshot_read(const char *dir, const char *name,
                                uint64_t kind, uint64_t *seq,
                                struct buf *content, struct buf *message);

#endif
