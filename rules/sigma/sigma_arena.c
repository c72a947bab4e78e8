#include "rules/sigma/sigma_arena.h"

#include <stddef.h>

#define CHUNK 65536U
#define KEEP  1048576U /* bytes of a chunk that a reset keeps */

struct sigma_chunk {
    struct sigma_chunk *before;
    size_t n, cap;
    _Alignas(max_align_t) uint8_t bytes[];
};

void
sigma_arena_init(struct sigma_arena *a, size_t max)
{
    *a = (struct sigma_arena){.max = max};
}

static void
drop_last(struct sigma_arena *a)
{
    struct sigma_chunk *c = a->last;

    a->last = c->before;
    a->used -= c->cap;
    free(c);
}

void
sigma_arena_free(struct sigma_arena *a)
{
    while (a->last != NULL)
        drop_last(a);
    a->failed = false;
}

static bool
add_chunk(struct sigma_arena *a, size_t n)
{
    size_t cap = n > CHUNK ? n : CHUNK;
    struct sigma_chunk *c;

    if (cap > a->max - a->used)
        return false;
    c = malloc(sizeof(*c) + cap);
    if (c == NULL)
        return false;
    c->before = a->last;
    c->n = 0;
    c->cap = cap;
    a->last = c;
    a->used += cap;
    return true;
}

void *
sigma_arena_get(struct sigma_arena *a, size_t count, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    struct sigma_chunk *c = a->last;
    size_t n;
    void *p;

    if (__builtin_mul_overflow(count, size, &n) || n > a->max) {
        a->failed = true;
        return NULL;
    }
    n = (n + align - 1) / align * align;
    if ((c == NULL || n > c->cap - c->n) && !add_chunk(a, n)) {
        a->failed = true;
        return NULL;
    }
    c = a->last;
    p = c->bytes + c->n;
    c->n += n;
    if (n > 0)
        memset(p, 0, n);
    return p;
}

struct span
sigma_arena_span(struct sigma_arena *a, struct span s)
{
    uint8_t *p = sigma_arena_get(a, s.n > 0 ? s.n : 1, 1);

    if (p == NULL)
        return SPAN_NONE;
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    return span_of(p, s.n);
}

struct sigma_mark
sigma_arena_mark(const struct sigma_arena *a)
{
    return (struct sigma_mark){a->last, a->last != NULL ? a->last->n : 0};
}

void
sigma_arena_rewind(struct sigma_arena *a, struct sigma_mark m)
{
    while (a->last != m.last)
        drop_last(a);
    if (a->last != NULL)
        a->last->n = m.n;
    a->failed = false;
}

void
sigma_arena_reset(struct sigma_arena *a)
{
    while (a->last != NULL && (a->last->before != NULL || a->last->cap > KEEP))
        drop_last(a);
    if (a->last != NULL)
        a->last->n = 0;
    a->failed = false;
}
