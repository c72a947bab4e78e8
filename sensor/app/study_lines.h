#ifndef SPAN25_APP_STUDY_LINES_H
#define SPAN25_APP_STUDY_LINES_H
/* study_lines - lines of a file or a pipe, unpacked, and the hash of its bytes
 *
 * Plain, gzip or zstd, by the first bytes. One buffer, of at most twice the
 * longest line; nothing is allocated for a line. A line of more than
 * JSON_LINE_MAX bytes is passed over, and comes as LONG. What stands behind the
 * last newline is a line too, unless the data is damaged there.
 *
 * The hash is SHA-256 of the bytes as they lie on disk (sha256sum FILE). A mark
 * is how many of them were read and what their hash was then: a file that is
 * read again to that point is the same or is not. */
#include "sensor/capture/capture_source.h"
#include "sensor/event/json_read.h"

#include <openssl/evp.h>

#define STUDY_LINES_SHA 32U

enum study_line { STUDY_LINE, STUDY_LINE_LONG, STUDY_LINE_END };

struct study_mark {
    uint64_t bytes;
    uint8_t sha[STUDY_LINES_SHA];
};

struct study_lines {
    struct capture_source src;
    EVP_MD_CTX *sha, *at_mark;
    uint64_t bytes;  /* on disk, read so far */
    uint64_t number; /* of the line given last, from 1 */
    size_t scanned;  /* behind the cursor, without a newline */
    bool in_long;
    bool sha_failed;
    struct study_mark expect; /* bytes 0: none, or it was compared */
    bool differs;
    bool drained;
    const volatile sig_atomic_t *stop;
};

struct study_lines_options {
    const EVP_MD *sha256;            /* fetched once, by the caller */
    const struct study_mark *expect; /* or NULL; copied */
    const volatile sig_atomic_t *stop;
};

/* Takes fd over, also on failure; standard input stays open. l stays
 * where it is until it is closed. ERR_NOMEM. */
MUST_USE enum err study_lines_open(struct study_lines *l, int fd,
                                   const struct study_lines_options *o);
void study_lines_close(struct study_lines *l); /* zeroed is fine */

/* The first n bytes, unpacked; fewer where there are fewer. Before any line. */
struct span study_lines_peek(struct study_lines *l, size_t n);

/* Without its newline; borrowed until the next call. */
enum study_line study_lines_next(struct study_lines *l, struct span *line);

/* The next one needs no reading. */
bool study_lines_have(const struct study_lines *l);

/* After the end: why it ended. */
enum capture_source_end study_lines_why(const struct study_lines *l,
                                        const char **detail);

/* After the end, reads what may follow it. False: it could not be told. */
MUST_USE bool study_lines_hash(struct study_lines *l,
                               uint8_t out[STUDY_LINES_SHA]);

MUST_USE bool study_lines_mark(const struct study_lines *l,
                               struct study_mark *out);
/* It came to the mark that was expected, and it is another file; or it ended
 * before, and its hash was asked for. */
bool study_lines_differs(const struct study_lines *l);

#endif
