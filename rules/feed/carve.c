#include "rules/feed/carve.h"

#include <stdlib.h>

/* Prefixes that hold one another: one of each length at most. */
#define DEPTH 129

bool
carve_is_whole(const struct prefix *p)
{
    for (size_t i = p->bits; i < 128; i++) {
        if ((p->addr.b[i / 8] >> (7 - i % 8) & 1) != 0)
            return false;
    }
    return p->bits <= 128;
}

static int
by_prefix(const void *a, const void *b)
{
    const struct carve_item *x = a;
    const struct carve_item *y = b;
    int order = addr_cmp(&x->prefix.addr, &y->prefix.addr);

    if (order == 0 && x->prefix.bits != y->prefix.bits)
        order = x->prefix.bits < y->prefix.bits ? -1 : 1;
    if (order == 0 && x->id != y->id)
        order = x->id < y->id ? -1 : 1;
    return order;
}

void
carve_sort(struct carve_item *v, size_t n)
{
    if (n > 0)
        qsort(v, n, sizeof(*v), by_prefix);
}

/* The next address, or false behind the last one there is. */
static bool
above(const struct addr *a, struct addr *out)
{
    size_t i = sizeof(a->b);

    *out = *a;
    while (i > 0 && ++out->b[i - 1] == 0)
        i--;
    return i > 0;
}

/* The address before one that is not the first there is. */
static struct addr
below(const struct addr *a)
{
    struct addr out = *a;
    size_t i = sizeof(out.b);

    while (i > 0 && out.b[i - 1]-- == 0)
        i--;
    return out;
}

struct open {
    size_t id;
    struct permits_range left; /* of it, not yet given to anybody */
    bool none;                 /* nothing is */
};

static size_t
close_last(struct open *open, size_t depth, carve_put *put, void *ctx)
{
    const struct open *last = &open[depth - 1];
    const struct addr end = last->left.last;

    if (!last->none && addr_cmp(&last->left.first, &end) <= 0)
        put(ctx, last->id, &last->left);
    if (depth > 1)
        open[depth - 2].none = !above(&end, &open[depth - 2].left.first);
    return depth - 1;
}

void
carve_inner(const struct carve_item *v, size_t n, carve_put *put, void *ctx)
{
    struct open open[DEPTH];
    size_t depth = 0;

    for (size_t i = 0; i < n; i++) {
        const struct permits_range r = permits_range_of(&v[i].prefix);

        while (depth > 0 && addr_cmp(&open[depth - 1].left.last, &r.first) < 0)
            depth = close_last(open, depth, put, ctx);
        if (depth > 0 && addr_cmp(&open[depth - 1].left.first, &r.first) < 0) {
            const struct permits_range before = {open[depth - 1].left.first,
                                                 below(&r.first)};

            put(ctx, open[depth - 1].id, &before);
        }
        REQUIRE(depth < DEPTH);
        open[depth++] = (struct open){v[i].id, r, false};
    }
    while (depth > 0)
        depth = close_last(open, depth, put, ctx);
}

/* The first range that ends at or behind a. */
static size_t
first_from(const struct permits_range *v, size_t n, const struct addr *a)
{
    size_t from = 0;

    while (from < n) {
        size_t middle = from + (n - from) / 2;

        if (addr_cmp(&v[middle].last, a) < 0)
            from = middle + 1;
        else
            n = middle;
    }
    return from;
}

void
carve_without(const struct permits_range *r, const struct permits_range *holes,
              size_t n, size_t id, carve_put *put, void *ctx)
{
    struct permits_range left = *r;

    for (size_t i = first_from(holes, n, &left.first);
         i < n && addr_cmp(&holes[i].first, &r->last) <= 0; i++) {
        if (addr_cmp(&left.first, &holes[i].first) < 0) {
            const struct permits_range before = {left.first,
                                                 below(&holes[i].first)};

            put(ctx, id, &before);
        }
        if (addr_cmp(&holes[i].last, &r->last) >= 0 ||
            !above(&holes[i].last, &left.first))
            return;
    }
    put(ctx, id, &left);
}
