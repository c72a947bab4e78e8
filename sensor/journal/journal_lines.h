#ifndef SPAN25_JOURNAL_LINES_H
#define SPAN25_JOURNAL_LINES_H
/* journal_lines - cuts what a source gives into lines; scans a segment
 *
 * A line is lent until the next call and may be written to. One longer than the
 * bound comes in pieces, which no chain takes for good. */
#include "sensor/base/err.h"
#include "sensor/journal/journal_line.h"

/* *got == 0: nothing more for now. ERR_CORRUPT: bytes are lost here, and the
 * next call goes on behind them. */
typedef enum err journal_source_read(void *source, uint8_t *p, size_t cap,
                                     size_t *got);

struct journal_lines {
    journal_source_read *read;
    void *source;
    uint8_t *p;
    size_t cap;
    size_t start;    /* first byte not given out */
    size_t searched; /* no newline before */
    size_t end;
    uint64_t offset; /* of start, in the bytes that the source gave */
};

struct journal_raw {
    uint8_t *p;
    size_t n; /* without the newline */
    uint64_t offset;
};

void journal_lines_init(struct journal_lines *l, journal_source_read *read,
                        void *source);
void journal_lines_free(struct journal_lines *l); /* keeps it usable */

/* ERR_TRUNCATED: no whole line now. ERR_CORRUPT: bytes were lost, among them
 * the beginning of a line, perhaps; call again. Else NOMEM or IO. */
MUST_USE enum err journal_lines_next(struct journal_lines *l,
                                     struct journal_raw *out);

/* Forgets the bytes after the last newline and gives their number, for a source
 * that can be asked for them again. */
size_t journal_lines_drop(struct journal_lines *l);

struct journal_scan {
    uint64_t kept_bytes; /* up to the end of the last good line */
    uint64_t total_bytes;
    uint64_t lines;             /* good ones */
    uint64_t damaged;           /* bad lines among the kept bytes */
    struct journal_chain chain; /* where to append, never broken */
};

/* All lines of a segment. Damage is in the result, not in the error. */
MUST_USE enum err journal_lines_scan(struct journal_lines *l, uint64_t segment,
                                     struct journal_scan *out);

#endif
