#ifndef SPAN25_JOURNAL_READER_H
#define SPAN25_JOURNAL_READER_H
/* journal_reader - reads the journal from a sequence number on
 *
 * Any number of readers, in any thread or process, also while the writer
 * appends and compresses: a reader takes no lock, and writes nothing. It sees
 * what the writer has flushed, which may be more than what is durable: whoever
 * acts on a line outside of this machine waits for journal_durable.
 *
 * Opening at from_seq reads its segment from the beginning, to check it. When
 * the segment of from_seq is gone, reading starts at the next one there is.
 *
 * Lines that were removed because of their age (journal_retain.h) are passed
 * over: the number of the next one is then higher, and nothing is lost.
 *
 * Damage is reported where it begins, once for a run of bad lines; reading goes
 * on with the next line that checks (see journal_line.h). The bytes behind the
 * last newline of the last segment are a line not yet whole, not damage; a new
 * writer moves them away. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

enum journal_read {
    JOURNAL_READ_LINE,
    JOURNAL_READ_WAIT,    /* nothing more now; call again later */
    JOURNAL_READ_DAMAGED, /* out says where; call again to go on */
    JOURNAL_READ_FAILED,  /* memory or input/output; may be called again */
};

struct journal_line {
    struct span json; /* the object as given to journal_append; borrowed until
                       * the next call; empty when damaged */
    uint64_t seq;     /* when damaged: the one that was expected */
    uint64_t lost;    /* sequence numbers missing just before this line */
    uint64_t segment;
    uint64_t line;   /* in the segment, from 1 */
    uint64_t offset; /* of the line in the plain segment; behind a damaged
                      * zstd frame: in what could be read of it */
};

struct journal_reader;

/* dir is the state directory. ERR_NOENT when it has no journal. */
MUST_USE enum err journal_reader_open(const char *dir, uint64_t from_seq,
                                      struct journal_reader **out,
                                      struct buf *message);
enum journal_read journal_read(struct journal_reader *r,
                               struct journal_line *out);
/* What the last DAMAGED or FAILED was, in one line. */
void journal_reader_why(const struct journal_reader *r, struct buf *out);
/* The last sequence that a reader can see now, 0: none. Reads the last segment.
 */
MUST_USE enum err journal_reader_last(const char *dir, uint64_t *seq,
                                      struct buf *message);
void journal_reader_close(struct journal_reader *r); /* NULL is fine */

#endif
