#ifndef SPAN25_RULES_SNAP_H
#define SPAN25_RULES_SNAP_H
/* snap - the frame of a saved state: what it is, of which seed, and a checksum
 *
 *     snap_begin(out, KIND, seed);          what follows is the caller's
 *     err = snap_end(out, at);              at: out->n before the beginning
 *
 *     err = snap_open(s, KIND, seed, &c);   c walks the caller's part
 *
 * kind names the content and its version in 8 bytes. A changed byte is found
 * (XXH3, not against who forges it: snapshots are the core's own files).
 * Numbers are little-endian. */
#include "sensor/base/err.h"
#include "sensor/base/hash.h"
#include "sensor/base/buf.h"

#define SNAP_HEAD 16U
#define SNAP_SUM  8U

static inline void
snap_u64(struct buf *b, uint64_t v)
{
    uint8_t room[8];

    for (unsigned i = 0; i < 8; i++)
        room[i] = (uint8_t)(v >> (8 * i));
    buf_put(b, room, sizeof(room));
}

static inline uint64_t
snap_seed_mark(uint64_t seed)
{
    return hash_mix(seed, UINT64_C(0x736e6170));
}

static inline void
snap_begin(struct buf *b, uint64_t kind, uint64_t seed)
{
    snap_u64(b, kind);
    snap_u64(b, snap_seed_mark(seed));
}

MUST_USE static inline enum err
snap_end(struct buf *b, size_t at)
{
    snap_u64(b, hash_span(span_tail(buf_view(b), at), 0));
    if (b->failed)
        return ERR_NOMEM;
    return b->cut ? ERR_LIMIT : ERR_OK;
}

MUST_USE static inline enum err
snap_open(struct span s, uint64_t kind, uint64_t seed, struct cursor *out)
{
    struct cursor head = cur_open(s);
    struct cursor sum;

    if (cur_le64(&head) != kind || cur_le64(&head) != snap_seed_mark(seed))
        return ERR_FORMAT;
    if (cur_left(&head) < SNAP_SUM)
        return ERR_CORRUPT;
    sum = cur_open(span_tail(s, s.n - SNAP_SUM));
    if (cur_le64(&sum) != hash_span(span_head(s, s.n - SNAP_SUM), 0))
        return ERR_CORRUPT;
    *out = cur_open(span_of(s.p + SNAP_HEAD, s.n - SNAP_HEAD - SNAP_SUM));
    return ERR_OK;
}

#endif
