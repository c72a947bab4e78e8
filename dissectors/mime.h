#ifndef SPAN25_DISSECTORS_MIME_H
#define SPAN25_DISSECTORS_MIME_H
/* mime - the parts of a message, streaming: RFC 2045, 2046, 2183, 2231, 5322
 *
 *     mime_new(&options, mem, &m);
 *     mime_data(m, bytes);  any number of times, cut anywhere; the message from
 *     mime_gap(m, lost);    its first header byte, dots unstuffed, line ends
 * kept mime_end(m, complete); mime_free(m);
 *
 * Leaf parts come out decoded through mime_ops, in order, while they arrive.
 * Nothing of a body is kept here; header sections of parts are, up to a limit.
 * A message/rfc822 is its own scope, read like a message; a uuencoded file in
 * text is a part of its own, and so is what is nested in them.
 *
 * Readings. Where mail clients read differently (two boundaries, comments and
 * quotes in parameters, two encodings, header lines that only some see, a
 * missing end, ...) the reader forks and follows each way, at most
 * MIME_READINGS at a time; readings that come to the same state are one again.
 * So one stretch of bytes may come out as several parts: they carry the
 * reading's number and the odds that name the fork. A message that all clients
 * read alike has one reading and no odd of kind fork. Past the limit
 * MIME_ODD_READINGS_CUT is set. Never are more than MIME_READINGS parts open.
 * What is given does not depend on how the message is cut.
 *
 * What forks the structure: boundaries, delimiters, types, ends of header
 * sections. What forks one part only: its encodings, and where its decoder
 * forks (part_fork).
 *
 * A gap in a header section may have taken the boundary along: the first line
 * in the leaf that looks like a delimiter before a Content- field is taken for
 * one by a reading of its own (MIME_ODD_UNDECLARED, and MIME_ODD_GAP).
 *
 * A message/rfc822 in base64 or quoted-printable, which RFC 2046 5.2.1 forbids,
 * is one part (its file), and to another reading what is nested in it; such
 * messages are opened MIME_NESTED deep.
 *
 * Memory is charged to mem; when it refuses, what needs it is left out and
 * MIME_ODD_NO_MEMORY set. A plain message needs about 4 KiB; the worst some
 * 2.5 MiB for each reader of MIME_NESTED + 1: per reading a header section
 * (limit header) and the boundaries of its levels. Beside it the text of the
 * section being read is held, at most 240 KiB, not charged. Time is linear in
 * the bytes; a header section is read some ten times over, and each reading
 * costs its own. Limits: mime.def.
 *
 * Known gaps: yEnc, gzip64, TNEF and message/partial are not opened. */
#include "dissectors/charset.h"
#include "dissectors/decode.h"
#include "sensor/base/err.h"
#include "sensor/base/vec.h"

#define MIME_READINGS 8
#define MIME_NAMES    6
#define MIME_NESTED   2

enum mime_limit {
#define LIMIT(name, number, unit, why) MIME_MAX_##name = (number),
#include "dissectors/mime.def"
};

enum mime_odd {
#define ODD(id, name, fork, doc) MIME_ODD_##id,
#include "dissectors/mime.def"
    MIME_ODD_COUNT
};

/* A name that some client shows. raw is as written, without quotes; text is
 * UTF-8 as far as the charset was known. */
struct mime_name {
    struct span raw;
    struct span text;
};

enum mime_disposition { MIME_INLINE_DEFAULT, MIME_INLINE, MIME_ATTACHMENT };

/* A leaf. All spans are borrowed for the call of part_begin. */
struct mime_part {
    uint32_t number; /* in the message, from 0, in order of beginning */
    uint32_t parent; /* scope: number of the message/rfc822, 0 is the mail */
    uint8_t depth;   /* multiparts and messages around it */
    uint8_t reading; /* 0: what the RFCs say */
    uint8_t disposition;
    uint8_t decode;  /* enum decode_kind */
    uint8_t n_names; /* different ones, the likeliest first */
    struct mime_name names[MIME_NAMES];
    struct span type;     /* "type/subtype", lower case; text/plain when none */
    struct span charset;  /* parameter, as written */
    struct span encoding; /* Content-Transfer-Encoding as written */
    struct span content_id;
    uint64_t offset; /* in the message, of the first body byte */
    uint64_t odd;    /* bits by enum mime_odd known so far, of this part */
    bool declared;   /* there was a Content-Type */
    bool uu;         /* found in text, not declared */
};

struct mime_part_end {
    uint64_t offset;     /* in the message, behind the last body byte */
    uint64_t odd;        /* bits by enum mime_odd */
    uint32_t decode_odd; /* bits by enum decode_odd */
    uint64_t lost;       /* encoded bytes never seen */
    bool cut;            /* the message ended within it */
};

struct mime_ops {
    /* The handle of the part, or NULL: its bytes are not wanted. */
    void *(*part_begin)(void *ctx, const struct mime_part *p);
    void (*part_data)(void *part, struct span decoded);
    void (*part_gap)(void *part, uint64_t lost); /* encoded bytes */
    /* A second handle that has had the same bytes so far: two readings of the
     * part go on apart. NULL: not possible, one reading is dropped. */
    void *(*part_fork)(void *part);
    void (*part_end)(void *part, const struct mime_part_end *e);
    /* A message/rfc822 that is opened, when it has a name or is attached: it is
     * no part, its leaves come by themselves. NULL: not wanted. */
    void (*message)(void *ctx, const struct mime_part *p);
};

struct mime_options {
    const struct mime_ops *ops;
    void *ctx;
    struct charset *charset; /* borrowed */
};

struct mime;

MUST_USE enum err mime_new(const struct mime_options *o, struct mem *mem,
                           struct mime **out);
void mime_free(struct mime *m); /* NULL-safe; parts begun are ended before */

void mime_data(struct mime *m, struct span in);
void mime_gap(struct mime *m, uint64_t lost);
void mime_end(struct mime *m, bool complete);

/* Of the whole message, all readings. */
uint64_t mime_odds(const struct mime *m);
uint32_t mime_parts(const struct mime *m); /* leaves in reading 0 */
/* Leaves in any reading that were not given out, for the limit of parts. */
uint32_t mime_parts_more(const struct mime *m);

const char *mime_odd_name(enum mime_odd o);
/* Does it name a place where clients differ? */
bool mime_odd_is_fork(enum mime_odd o);

#endif
