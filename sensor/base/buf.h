#ifndef SPAN25_BASE_BUF_H
#define SPAN25_BASE_BUF_H
/* buf - a growing byte buffer with a maximum given at birth
 *
 * Appending past max keeps what fits, sets cut and goes on; running out of
 * memory sets failed and keeps the content. So a writer appends all it has and
 * looks once at the end. The buffer owns its bytes until buf_free. */
#include "sensor/base/attr.h"
#include "sensor/base/span.h"

struct buf {
    uint8_t *p;
    size_t n;
    size_t cap;
    size_t max;
    bool cut;
    bool failed;
};

void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b); /* NULL-safe; leaves an empty usable buffer */

/* Room for n more bytes, or false (cut or failed is set). */
bool buf_grow_slow(struct buf *b, size_t n);
void buf_put_slow(struct buf *b, const void *p, size_t n);

static inline bool
buf_grow(struct buf *b, size_t n)
{
    return LIKELY(n <= b->cap - b->n) || buf_grow_slow(b, n);
}

static inline void
buf_put(struct buf *b, const void *p, size_t n)
{
    if (n == 0)
        return;
    if (UNLIKELY(n > b->cap - b->n)) {
        buf_put_slow(b, p, n);
        return;
    }
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

void buf_printf(struct buf *b, const char *fmt, ...) PRINTF(2, 3);

static inline void
buf_putc(struct buf *b, uint8_t c)
{
    if (LIKELY(b->n < b->cap))
        b->p[b->n++] = c;
    else
        buf_put(b, &c, 1);
}

static inline void
buf_span(struct buf *b, struct span s)
{
    buf_put(b, s.p, s.n);
}

static inline void
buf_str(struct buf *b, const char *s)
{
    buf_put(b, s, strlen(s));
}

/* Decimal, without printf. */
void buf_u64(struct buf *b, uint64_t v);

static inline struct span
buf_view(const struct buf *b)
{
    return span_of(b->p, b->n);
}

static inline void
buf_reset(struct buf *b)
{
    b->n = 0;
    b->cut = b->failed = false;
}

#endif
