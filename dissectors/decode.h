#ifndef SPAN25_DISSECTORS_DECODE_H
#define SPAN25_DISSECTORS_DECODE_H
/* decode - content transfer decoders, streaming: RFC 2045 6.7 and 6.8, uuencode
 * (POSIX), BinHex 4.0 (RFC 1741)
 *
 * Bytes of the encoded body go in as they arrive, cut anywhere; the decoded
 * bytes come out in the caller's room. The state is plain memory: copying the
 * struct forks the decoder. The line end before a boundary is no part of the
 * body (RFC 2046 5.1.1): the caller keeps it back.
 *
 *     while (in.n > 0) {
 *         n = decode_push(&d, &in, room, sizeof(room));
 *         use(room, n);
 *         if (d.fork != DECODE_FORK_NONE)
 *             decode_choose(copy, choice) on a copy for each further choice
 *     }
 *     n = decode_end(&d, room, sizeof(room));
 *
 * Dirt is read as mail clients read it (bytes outside the alphabet skipped, QP
 * with lower-case digits, missing padding) and noted in odd. Where clients
 * differ on what follows, decode_push stops before it and sets fork; a decoder
 * for which nobody chooses goes on with choice 0. A choice holds for the rest
 * of the body, so a body forks at most once for each kind of fork.
 *
 * base64 chooses its kernel at run time (AVX-512 VBMI, AVX2, portable); all
 * give the same bytes. Line lengths and line ends cost it little. */
#include "sensor/base/span.h"

enum decode_kind {
    DECODE_IDENTITY, /* 7bit, 8bit, binary: a copy; better not called at all */
    DECODE_BASE64,
    DECODE_QP,
    DECODE_UU,     /* from the "begin" line to "end"; without "begin" when the
                    * first line is one of data */
    DECODE_BINHEX, /* the data fork */
    DECODE_KIND_COUNT
};

#define DECODE_ODD_MAP(X)                                                      \
    X(JUNK, "junk")               /* bytes outside the alphabet */             \
    X(AFTER_PAD, "after_padding") /* data behind the padding */                \
    X(BAD_PAD, "bad_padding")     /* '=' where none belongs, or one of two */  \
    X(NO_PAD, "missing_padding")  /* ends within a group */                    \
    X(BAD_ESCAPE, "bad_escape")   /* '=' without two digits in QP */           \
    X(LOWER_ESCAPE, "lower_escape") /* =ab instead of =AB */                   \
    X(RAW_8BIT, "raw_8bit")         /* bytes above 127 in QP */                \
    X(LONG_LINE, "long_line")       /* longer than 76 in QP */                 \
    X(BAD_LENGTH, "bad_length")     /* uu: line length and line differ */      \
    X(NO_BEGIN, "no_begin")         /* uu: data without "begin" */             \
    X(NO_END, "no_end")             /* uu: no "end"; BinHex: no last colon */  \
    X(BLANK_LINE, "blank_line")     /* within base64 */                        \
    X(CHECKSUM, "checksum")         /* BinHex */

enum decode_odd {
#define DECODE_ODD_ENUM(id, name) DECODE_ODD_##id,
    DECODE_ODD_MAP(DECODE_ODD_ENUM)
#undef DECODE_ODD_ENUM
};

/* What follows when clients differ: the choices, the likeliest first. */
enum decode_fork {
    DECODE_FORK_NONE,
    /* base64, data behind a '=': 0 it ends its group, or is nothing within one;
     * 1 it ends the body; 2 only "==" and "=" that complete a group end the
     * body, others are nothing; 3 it is a digit of value 0 */
    DECODE_FORK_PAD,
    /* base64, blank line within a group: 0 goes on in the group, 1 anew */
    DECODE_FORK_RESTART,
    /* base64, a first line of less than 16 digits ends within a group: 0 goes
     * on, 1 begins anew at each line */
    DECODE_FORK_LINE,
    /* base64, printable byte outside the alphabet: 0 it is skipped, 1 with the
     * rest of its line */
    DECODE_FORK_JUNK,
    /* QP, '=' without two digits: 0 kept as it is, 1 the '=' is left out, 2 and
     * the two bytes behind it as far as they are not '=' or the line's end.
     * Bulk mail that says QP and is none has these in text: there a caller may
     * go on with 0 and call nothing ambiguous. */
    DECODE_FORK_ESCAPE,
    /* QP, digits of both letter cases: 0 all are digits, 1 lower-case ones are
     * none, and read as the bytes of choice 2 above */
    DECODE_FORK_CASE,
    DECODE_FORK_COUNT
};

#define DECODE_HELD 98 /* no padding behind it: see decode_same */

struct decode {
    uint8_t kind;   /* enum decode_kind */
    uint8_t fork;   /* enum decode_fork */
    uint8_t kernel; /* of base64 */
    uint8_t state;  /* of the kind, as all below but odd */
    uint8_t n_group;
    uint8_t group[4];
    uint8_t pads;
    uint8_t line_ends;
    uint8_t run;                       /* count of a repetition to come */
    uint8_t choice[DECODE_FORK_COUNT]; /* 1 + the choice, 0 when open */
    uint8_t n_held;
    uint8_t held[DECODE_HELD];
    uint16_t crc;
    uint32_t odd;  /* bits by enum decode_odd */
    uint32_t line; /* bytes of the line so far */
    uint32_t left; /* of a fork */
};

#define DECODE_ROOM_MIN 64 /* bytes of room that always make progress */

void decode_init(struct decode *d, enum decode_kind kind);

/* Takes from the head of *in, gives the number of bytes written. Returns with
 * in->n > 0 only when the room is full (less than DECODE_ROOM_MIN is left) or
 * fork is set. Never writes more than room, which is at least
 * DECODE_ROOM_MIN. */
size_t decode_push(struct decode *d, struct span *in, uint8_t *out,
                   size_t room);

/* How many choices a fork has; 0 for DECODE_FORK_NONE. */
unsigned decode_choices(enum decode_fork f);
/* Settles the fork that decode_push has stopped at. */
void decode_choose(struct decode *d, unsigned choice);

/* What is left when the body ends; at most DECODE_ROOM_MIN bytes. */
size_t decode_end(struct decode *d, uint8_t *out, size_t room);

/* Whatever follows, they give the same from here on. May say false for two
 * that would. */
bool decode_same(const struct decode *a, const struct decode *b);

const char *decode_odd_name(enum decode_odd o);
const char *decode_fork_name(enum decode_fork f);

/* Kernels of base64, for tests and benchmarks: the name of number i, NULL past
 * the last; number 0 runs everywhere. decode_init takes the best that this
 * machine runs; decode_use gives another to one decoder, false when the machine
 * cannot. */
const char *decode_kernel(unsigned i);
bool decode_use(struct decode *d, unsigned kernel);

#endif
