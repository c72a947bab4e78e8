#ifndef SPAN25_SINKS_SINK_EXTRACT_H
#define SPAN25_SINKS_SINK_EXTRACT_H
/* sink_extract - files that the operator asked for, from records of type CARVE
 *
 * A folder, made with mode 0700: files of mode 0600 named by their SHA-256 and
 * nothing else, each once, and index.csv with a line for each (RFC 4180):
 * time, event_id, sha256, size, type, class, name. Only there stands what the
 * wire said, escaped as for a terminal.
 *
 * The folder is new, empty, or one of an earlier run, whose files older than
 * keep are deleted first, with their lines; any other is refused and left as it
 * is. It belongs to us, and to one run at a time.
 *
 * Nothing in a record is believed: a file appears under its name when its bytes
 * have that digest and its line is written. What is past a limit is counted:
 * a file larger than file_max is left out, the first one past files_max or
 * bytes_max, both with what an earlier run left, ends the writing, as does a
 * failure to write. */
#include "sensor/base/err.h"
#include "sensor/event/record.h"

#define SINK_EXTRACT_INDEX (256U << 20) /* largest index.csv */

struct sink_extract;

struct sink_extract_settings {
    const char *dir;
    uint64_t file_max, bytes_max, files_max;
    ns_t keep, now;
};

struct sink_extract_counts {
    uint64_t files, bytes; /* written by this run */
    uint64_t expired;      /* of earlier runs, deleted */
    uint64_t not_kept;     /* left out: larger than file_max, or not whole */
    uint64_t past_limit;   /* left out: after the writing ended */
    uint64_t refused;      /* left out: records that do not hold together */
};

/* A failure has its text in message, one line without its end. */
MUST_USE enum err sink_extract_open(const struct sink_extract_settings *s,
                                    struct sink_extract **out,
                                    struct buf *message);
void sink_extract_close(struct sink_extract *x); /* NULL is fine */

/* record is a checked one of type CARVE. */
void sink_extract_put(struct sink_extract *x, struct span record,
                      struct span event_id);

/* Is there a file with this digest, in hexadecimal? */
bool sink_extract_has(const struct sink_extract *x, struct span sha256);

/* After the last record. */
void sink_extract_end(struct sink_extract *x);

struct sink_extract_counts sink_extract_counts_of(const struct sink_extract *x);

/* ERR_OK, or what ended the writing: a limit (ERR_LIMIT) or a failure; the
 * reason is appended to why, as the end of "12 files left out". */
enum err sink_extract_why(const struct sink_extract *x, struct buf *why);

#endif
