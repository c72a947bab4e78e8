#ifndef SPAN25_JOURNAL_H
#define SPAN25_JOURNAL_H
/* journal - the append-only truth: DIR/journal, JSON Lines in segments
 *
 * One writer at a time, kept by a lock; one thread calls it. Lines get numbers
 * from 1 on, without holes. How a line and a file look: journal_line.h,
 * journal_segment.h; reading: journal_reader.h.
 *
 * Life of a line: journal_append takes it into a buffer; journal_flush makes it
 * visible to readers, and it then survives kill -9; after journal_sync it
 * survives a power failure. Full segments are closed by a sync, and compressed
 * by a thread of the journal's own.
 *
 * When a write fails (disk full), the call gives ERR_IO, what was taken stays
 * in the buffer, and the next call tries again from the byte where it stopped:
 * the file has no hole and no half line in its middle. A line that was refused
 * has no number. When a sync fails, nobody knows what is on disk: all further
 * calls give ERR_IO until the journal is opened anew.
 *
 * Opening scans the last segment. What follows its last good line (a torn or
 * damaged tail) is moved to journal/damaged-SEGMENT-OFFSET and cut off; bad
 * lines between good ones stay where they are, for the reader to report.
 *
 * A process forked while the journal is open holds its lock as well; it calls
 * journal_forget. What is old is removed when journal_retain_start says so. */
#include "sensor/journal/journal_retain.h"

#define JOURNAL_SEGMENT_BYTES (64U << 20)
#define JOURNAL_BUFFER_BYTES  (256U << 10)

struct journal_options {
    uint64_t segment_bytes;      /* 0: JOURNAL_SEGMENT_BYTES */
    uint64_t sync_bytes;         /* append syncs when so many bytes wait for it,
                                  * before it takes the line; 0: when asked */
    bool keep_plain;             /* do not compress closed segments */
    const struct journal_io *io; /* NULL: the system's */
};

/* What opening found in the last segment. */
struct journal_recovery {
    uint64_t lines;       /* good ones in it */
    uint64_t moved_bytes; /* into the damaged- file; 0: the tail was whole */
    uint64_t bad_lines;   /* between good ones, left where they are */
    uint64_t next_seq;
};

struct journal_position {
    uint64_t next_seq;
    uint64_t flushed; /* last sequence readers can see, 0: none */
    uint64_t durable; /* last sequence on disk, 0: none */
    uint64_t segment; /* that the next line goes to, unless it is full */
    uint64_t offset;  /* in it, buffered bytes included */
    uint64_t compress_failed; /* closed segments that stayed plain; tried again
                               * at the next closing and the next start */
};

struct journal;

/* dir is the state directory; DIR/journal is made when it is missing. opts may
 * be NULL. ERR_BUSY, with the pid in the message, when another has it open. */
MUST_USE enum err journal_open(const char *dir,
                               const struct journal_options *opts,
                               struct journal **out,
                               struct journal_recovery *rec,
                               struct buf *message);

/* json is one object with at least one key, of which the first is not gone, and
 * without newlines: ERR_FORMAT. At
 * most JOURNAL_LINE_MAX bytes: ERR_LIMIT. seq may be NULL. */
MUST_USE enum err journal_append(struct journal *j, struct span json,
                                 uint64_t *seq);
MUST_USE enum err journal_flush(struct journal *j);
MUST_USE enum err journal_sync(struct journal *j);
struct journal_position journal_position(const struct journal *j);

/* Last durable sequence; may be asked from any thread. */
uint64_t journal_durable(const struct journal *j);

/* Removes what is old, in the journal's thread, from the segments that are
 * closed now. False: that thread is busy, or the run before was not asked for;
 * to be tried again. now: UTC. */
MUST_USE bool journal_retain_start(struct journal *j,
                                   const struct journal_keep *keep, ns_t now);
/* True, once for each run: it is over, out is what it did; e may tell why it
 * did nothing. */
MUST_USE bool journal_retain_done(struct journal *j, struct journal_kept *out,
                                  enum err *e);

/* Why the last call gave ERR_IO. */
void journal_why(const struct journal *j, struct buf *out);

/* Flushes, syncs, waits for the compressing thread, unlocks and frees, whatever
 * fails; the error is that of flush and sync. NULL is fine. */
enum err journal_close(struct journal *j);
/* Frees the memory only: for a child of fork. */
void journal_forget(struct journal *j);

#endif
