#include "sensor/base/buf.h"

#include "sensor/base/digits.h"

#include <stdarg.h>
#include <stdio.h>

void
buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void
buf_free(struct buf *b)
{
    if (b == NULL)
        return;
    free(b->p);
    *b = (struct buf){.max = b->max};
}

bool
buf_grow_slow(struct buf *b, size_t n)
{
    size_t cap = b->cap > 0 ? b->cap : 64;
    uint8_t *p;

    if (n <= b->cap - b->n)
        return true;
    if (n > b->max - b->n) {
        b->cut = true;
        return false;
    }
    while (cap - b->n < n && cap < b->max)
        cap = cap > b->max / 2 ? b->max : cap * 2;
    if (cap > b->max)
        cap = b->max;
    p = realloc(b->p, cap);
    if (p == NULL) {
        b->failed = true;
        return false;
    }
    b->p = p;
    b->cap = cap;
    return true;
}

void
buf_put_slow(struct buf *b, const void *p, size_t n)
{
    if (n == 0)
        return;
    if (!buf_grow(b, n)) {
        if (b->failed)
            return;
        n = b->max - b->n;
        if (n == 0 || !buf_grow(b, n))
            return;
        b->cut = true;
    }
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if ((size_t)n >= sizeof(text)) {
        b->cut = true;
        n = (int)sizeof(text) - 1;
    }
    buf_put(b, text, (size_t)n);
}

void
buf_u64(struct buf *b, uint64_t v)
{
    char digits[DIGITS_MAX];

    buf_put(b, digits, (size_t)(digits_u64(digits, v) - digits));
}
