#include "rules/alert/snap.h"

#include "sensor/base/hash.h"

void
snap_u64(struct buf *out, uint64_t v)
{
    uint8_t b[8];

    for (size_t i = 0; i < sizeof(b); i++)
        b[i] = (uint8_t)(v >> (8 * i));
    buf_put(out, b, sizeof(b));
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

void
snap_begin(struct buf *out, const char *name, uint64_t seed)
{
    buf_str(out, name);
    snap_u64(out, seed);
}

void
snap_end(struct buf *out, size_t at)
{
    snap_u64(out, hash_span(span_tail(buf_view(out), at), 0));
}

enum err
snap_open(struct span in, const char *name, uint64_t seed, struct cursor *body)
{
    struct span head = span_str(name);
    struct cursor c = cur_open(in);
    struct cursor sum;

    if (!span_starts(in, head))
        return ERR_FORMAT;
    cur_skip(&c, head.n);
    if (cur_le64(&c) != seed)
        return c.bad ? ERR_CORRUPT : ERR_FORMAT;
    if (cur_left(&c) < 8)
        return ERR_CORRUPT;
    sum = cur_open(span_tail(in, in.n - 8));
    if (cur_le64(&sum) != hash_span(span_head(in, in.n - 8), 0))
        return ERR_CORRUPT;
    *body = cur_open(cur_take(&c, cur_left(&c) - 8));
    return ERR_OK;
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
