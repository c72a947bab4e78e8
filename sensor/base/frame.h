#ifndef SPAN25_BASE_FRAME_H
#define SPAN25_BASE_FRAME_H
/* frame - the envelope of a saved state: its kind, its seed, a checksum
 *
 *     frame_begin(out, KIND, seed);          what follows is the caller's
 *     err = frame_end(out, at);              at: out->n before the beginning
 *
 *     err = frame_open(s, KIND, seed, &c);   c walks the caller's part
 *
 * kind names the content and its version in 8 bytes. A changed byte is found
 * (XXH3, not against who forges it: snapshots are the core's own files).
 * Numbers are little-endian. */
#include "sensor/base/err.h"
#include "sensor/base/hash.h"
#include "sensor/base/buf.h"

#define FRAME_HEAD 16U
#define FRAME_SUM  8U

static inline void
frame_u64(struct buf *b, uint64_t v)
{
    uint8_t room[8];

    for (unsigned i = 0; i < 8; i++)
        room[i] = (uint8_t)(v >> (8 * i));
    buf_put(b, room, sizeof(room));
}

static inline uint64_t
frame_seed_mark(uint64_t seed)
{
    return hash_mix(seed, UINT64_C(0x736e6170));
}

static inline void
frame_begin(struct buf *b, uint64_t kind, uint64_t seed)
{
    frame_u64(b, kind);
    frame_u64(b, frame_seed_mark(seed));
}

MUST_USE static inline enum err
frame_end(struct buf *b, size_t at)
{
    frame_u64(b, hash_span(span_tail(buf_view(b), at), 0));
    if (b->failed)
        return ERR_NOMEM;
    return b->cut ? ERR_LIMIT : ERR_OK;
}

MUST_USE static inline enum err
frame_open(struct span s, uint64_t kind, uint64_t seed, struct cursor *out)
{
    struct cursor head = cur_open(s);
    struct cursor sum;

    if (cur_le64(&head) != kind || cur_le64(&head) != frame_seed_mark(seed))
        return ERR_FORMAT;
    if (cur_left(&head) < FRAME_SUM)
        return ERR_CORRUPT;
    sum = cur_open(span_tail(s, s.n - FRAME_SUM));
    if (cur_le64(&sum) != hash_span(span_head(s, s.n - FRAME_SUM), 0))
        return ERR_CORRUPT;
    *out = cur_open(span_of(s.p + FRAME_HEAD, s.n - FRAME_HEAD - FRAME_SUM));
    return ERR_OK;
}

#endif
