#ifndef SPAN25_JOURNAL_LINE_H
#define SPAN25_JOURNAL_LINE_H
/* journal_line - what a line of the journal says about itself
 *
 * A line is the caller's JSON object with one key more, and a newline:
 *
 *     {"timestamp":...,"journal":{"seq":17,"check":"0123456789abcdef"}}
 *
 * The body is all bytes before ,"journal". check is XXH3-64 of the body with
 * the seed (check of the line before + seq) modulo 2^64, 16 lower-case digits;
 * before the first line of a segment stands the number in its name. So a line
 * that is altered, lost, repeated or moved does not check. This finds damage;
 * it does not keep out somebody who can compute checks.
 *
 * A chain walks the lines. Over a bad line it keeps what could be the seed of
 * the next one (its written check, its computed one, the last good one): one
 * damaged or inserted line costs that line alone. When a whole line is missing,
 * the one after it cannot be checked and is lost to the reader too.
 *
 * Lines that were removed because of their age leave one for each run of them,
 *
 *     {"gone":28,"journal":{"seq":44,"check":"..."}}
 *
 * which stands for 28 numbers, 44 the last of them. No caller's object begins
 * with the key gone. */
#include "sensor/base/attr.h"
#include "sensor/base/span.h"

#define JOURNAL_LINE_MAX (8U << 20) /* bytes of the caller's object */
#define JOURNAL_TAIL_MAX 72         /* the added key, brace and newline */
#define JOURNAL_GONE_MAX (JOURNAL_TAIL_MAX + 32)

struct journal_chain {
    uint64_t next_seq;
    uint64_t good;     /* check of the last good line */
    uint64_t computed; /* over the first bad one after it */
    uint64_t written;  /* at the end of the last bad one that has one */
    bool has_computed;
    bool has_written;
    bool broken; /* the line before was not good */
};

struct journal_parts {
    struct span body; /* the object without its closing brace */
    uint64_t seq;
    uint64_t gone; /* lines that this one stands for; 0: it is the caller's */
};

void journal_chain_init(struct journal_chain *c, uint64_t segment);

/* A line without its newline: true when it is the next one (after a break: a
 * later one). Writes out only then. */
bool journal_chain_take(struct journal_chain *c, struct span line,
                        struct journal_parts *out);
/* Bytes were lost here. */
void journal_chain_break(struct journal_chain *c);

/* The tail for a body, with newline; gives its length, moves the chain on. */
size_t journal_chain_put(struct journal_chain *c, struct span body,
                         char tail[JOURNAL_TAIL_MAX]);

/* A whole line that stands for n lines, n > 0; gives its length. */
size_t journal_chain_put_gone(struct journal_chain *c, uint64_t n,
                              char line[JOURNAL_GONE_MAX]);
/* Does an object begin as only such a line may? */
bool journal_is_gone(struct span json);

#endif
