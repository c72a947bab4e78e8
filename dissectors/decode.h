#ifndef SPAN25_DISSECTORS_DECODE_H
#define SPAN25_DISSECTORS_DECODE_H
/* decode - content transfer decoders, streaming: RFC 2045 6.7 and 6.8, uuencode
 * (POSIX), BinHex 4.0 (RFC 1741)
 *
 * Bytes of the encoded body go in as they arrive, cut anywhere; the decoded
 * bytes come out in the caller's room. The state is plain memory: copying the
 * struct forks the decoder.
 *
 *     while (in.n > 0) {
 *         n = decode_push(&d, &in, room, sizeof(room));
 *         use(room, n);
 *         if (d.fork != DECODE_FORK_NONE)
 *             two readings from here on: decode_fork(&copy, choice) each
 *     }
 *     n = decode_end(&d, room, sizeof(room));
 *
 * Dirt is read as mail clients read it (bytes outside the alphabet skipped, QP
 * with lower-case digits, missing padding) and noted in odd. Where clients
 * differ on what follows, decode_push stops before it and sets fork; an
 * unforked decoder goes on with the first choice.
 *
 * base64 chooses its kernel at run time (AVX-512 VBMI, AVX2, portable); all
 * give the same bytes. */
#include "sensor/base/span.h"

enum decode_kind {
    DECODE_IDENTITY, /* 7bit, 8bit, binary */
    DECODE_BASE64,
    DECODE_QP,
    DECODE_UU,     /* from the "begin" line to "end" */
    DECODE_BINHEX, /* the data fork */
    DECODE_KIND_COUNT
};

#define DECODE_ODD_MAP(X)                                                      \
    X(JUNK, "junk")                  /* bytes outside the alphabet */          \
    X(AFTER_PAD, "after_padding")    /* data behind the padding */             \
    X(BAD_PAD, "bad_padding")        /* '=' where none belongs */              \
    X(NO_PAD, "missing_padding")     /* ends within a group */                 \
    X(BAD_ESCAPE, "bad_escape")      /* '=' without two digits in QP */        \
    X(LOWER_ESCAPE, "lower_escape")  /* =ab instead of =AB */                  \
    X(RAW_8BIT, "raw_8bit")          /* bytes above 127 in 7-bit text */       \
    X(LONG_LINE, "long_line")        /* longer than 76 (998 for identity) */   \
    X(BAD_LENGTH, "bad_length")      /* uu: line length and line differ */     \
    X(NO_END, "no_end")              /* uu: no "end"; BinHex: no last colon */ \
    X(BLANK_LINE, "blank_line")      /* within base64 */                       \
    X(CHECKSUM, "checksum")          /* BinHex */

enum decode_odd {
#define DECODE_ODD_ENUM(id, name) DECODE_ODD_##id,
    DECODE_ODD_MAP(DECODE_ODD_ENUM)
#undef DECODE_ODD_ENUM
};

enum decode_fork {
    DECODE_FORK_NONE,
    DECODE_FORK_PAD,     /* data behind base64 padding: 0 goes on, 1 ends */
    DECODE_FORK_RESTART, /* blank line after a group that is not complete:
                          * 0 goes on in the group, 1 begins anew */
};

struct decode {
    uint8_t kind; /* enum decode_kind */
    uint8_t fork; /* enum decode_fork */
    uint8_t state;
    uint8_t n_group;   /* bytes of the group begun */
    uint8_t group[8];  /* and they */
    uint32_t odd;      /* bits by enum decode_odd */
    uint32_t line;     /* bytes of the line so far */
    uint64_t more[6];  /* of the kind */
};

#define DECODE_ROOM_MIN 64 /* bytes of room that always make progress */

void decode_init(struct decode *d, enum decode_kind kind);

/* Takes from the head of *in, gives the number of bytes written. Returns with
 * in->n > 0 only when the room is full or fork is set. Never writes more than
 * room, which is at least DECODE_ROOM_MIN. */
size_t decode_push(struct decode *d, struct span *in, uint8_t *out,
                   size_t room);

/* Settles the fork that decode_push has stopped at. */
void decode_choose(struct decode *d, unsigned choice);

/* What is left when the body ends; at most DECODE_ROOM_MIN bytes. */
size_t decode_end(struct decode *d, uint8_t *out, size_t room);

const char *decode_odd_name(enum decode_odd o);

/* Kernels, for tests and benchmarks: names of those that this machine runs,
 * NULL past the last; decode_use makes one the choice of the process (at start
 * only; false when this machine cannot). */
const char *decode_kernel(size_t i);
bool decode_use(const char *kernel);

#endif
