#ifndef SPAN25_CAPTURE_CAPTURE_SOURCE_H
#define SPAN25_CAPTURE_CAPTURE_SOURCE_H
/* capture_source - the bytes of one file, unpacked, in a window
 *
 * For sensor/capture, and for files of other content that come compressed the
 * same way. cur is a cursor over the bytes at hand: the whole
 * file when it is plain and mapped, else what the buffer holds. fill(n) sees to
 * it that n bytes lie at the cursor and may move all bytes in the window, so
 * spans taken earlier are void after it. The buffer is as long as the longest n
 * asked for, at least SOURCE_ROOM_MIN. */
#include <signal.h>
#include <zlib.h>
#include <zstd.h>

#include "sensor/base/attr.h"
#include "sensor/base/err.h"
#include "sensor/capture/capture.h"

/* Why nothing comes after the window. */
enum capture_source_end {
    SOURCE_END,     /* the end of the file */
    SOURCE_CUT,     /* compressed data ends inside a member or frame */
    SOURCE_DAMAGED, /* compressed data makes no sense */
    SOURCE_READ,    /* a system call failed */
    SOURCE_MEMORY,
    SOURCE_STOPPED, /* *stop was set */
};

/* Sees the bytes as they come from a stream, before they are unpacked. */
struct capture_tap {
    void (*see)(void *ctx, struct span bytes); /* or NULL */
    void *ctx;
};

#define SOURCE_ZSTD_HEAD 18 /* longest frame header, RFC 8878 3.1.1.1 */

struct capture_source {
    struct cursor cur;
    uint64_t base; /* offset of the window's first byte, unpacked */
    bool ended;    /* nothing comes after the window */
    enum capture_source_end why;
    char detail[80]; /* DAMAGED, READ: what the library or the system says */

    enum capture_coding coding;
    bool whole;    /* regular file or memory: may be read again */
    uint64_t size; /* 0: not known */

    /* bytes as they lie on disk */
    int fd;             /* -1: none, or no longer needed */
    void *map;          /* to be unmapped, size bytes; or NULL */
    struct span data;   /* the whole file, if whole */
    struct cursor pipe; /* memory that comes in pieces of chunk bytes */
    size_t chunk;
    struct cursor raw; /* not yet unpacked */
    uint64_t raw_base; /* offset of the raw window's first byte */
    uint8_t *in;       /* what raw looks at, unless whole */

    uint8_t *room; /* what cur looks at, unless whole and plain */
    size_t cap;
    z_stream z;
    bool z_ready;
    bool in_member; /* inside a gzip member or zstd frame */
    ZSTD_DStream *zstd;
    size_t zstd_hint; /* what it said that it needs */
    bool zstd_full;   /* its last call filled all the room it had */
    uint8_t zstd_head[SOURCE_ZSTD_HEAD]; /* of a frame, so far */
    uint8_t n_zstd_head;
    uint64_t zstd_said;    /* the frame's own word on its length, or UNKNOWN */
    uint64_t zstd_made;    /* what it has come to so far */
    uint64_t end_position; /* once closed */
    bool closed;
    const volatile sig_atomic_t *stop;
    struct capture_tap tap;
};

/* name "-" is standard input. On failure nothing is held and message has its
 * line. */
MUST_USE enum err capture_source_open(struct capture_source *s,
                                      const char *name,
                                      const volatile sig_atomic_t *stop,
                                      struct buf *message);
/* An open file as a stream, from where it stands: a regular one is not mapped
 * either, so it may be shortened meanwhile. fd is the source's from now on,
 * also after a failure; standard input is never closed. ERR_NOMEM. */
MUST_USE enum err capture_source_stream(struct capture_source *s, int fd,
                                        const volatile sig_atomic_t *stop,
                                        const struct capture_tap *tap);
MUST_USE enum err capture_source_memory(struct capture_source *s,
                                        struct span data, size_t chunk);

/* The slow half of fill. */
bool capture_source_refill(struct capture_source *s, size_t n);

/* At least n bytes lie at the cursor; false: fewer, and there will be none. */
static inline bool
capture_source_fill(struct capture_source *s, size_t n)
{
    return LIKELY(cur_left(&s->cur) >= n) || capture_source_refill(s, n);
}

/* Offset of the cursor in the unpacked bytes. */
static inline uint64_t
capture_source_offset(const struct capture_source *s)
{
    return s->base + s->cur.at;
}

/* Of a stream that has ended, but not by READ, MEMORY or STOPPED: the tap sees
 * what is left of it. */
void capture_source_drain(struct capture_source *s);

/* Bytes on disk passed so far. */
uint64_t capture_source_position(const struct capture_source *s);

/* Back to the first byte, buffers given back. Only when whole. */
void capture_source_rewind(struct capture_source *s);

/* Gives back all it holds; position stays. May be called again. */
void capture_source_close(struct capture_source *s);

#endif
