#include "rules/alert/snap.h"

#include "sensor/base/frame.h"

void
snap_u64(struct buf *out, uint64_t v)
{
    frame_u64(out, v);
}

void
snap_text(struct buf *out, struct span s)
{
    s = span_head(s, SNAP_TEXT_MAX);
    snap_u64(out, s.n);
    buf_span(out, s);
}

void
snap_addr(struct buf *out, const struct addr *a)
{
    buf_put(out, a->b, sizeof(a->b));
}

struct span
snap_take_text(struct cursor *c)
{
    return cur_take(c, snap_take_count(c, SNAP_TEXT_MAX));
}

struct addr
snap_take_addr(struct cursor *c)
{
    struct addr a = {{0}};
    struct span s = cur_take(c, sizeof(a.b));

    if (s.n == sizeof(a.b))
        memcpy(a.b, s.p, sizeof(a.b));
    return a;
}

uint64_t
snap_take_count(struct cursor *c, uint64_t max)
{
    uint64_t n = cur_le64(c);

    if (n <= max)
        return n;
    c->bad = true;
    return 0;
}
