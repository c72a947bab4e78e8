#include "rules/feed/feed.h"

uint64_t
feed_left(const struct feed *f, const struct feed_item *i, ns_t now)
{
    const ns_t end = feed_end(f, i);

    return end > now ? (end - now) / NS_PER_S : 0;
}

static int
by_address(const struct feed_item *a, const struct feed_item *b)
{
    int order = addr_cmp(&a->prefix.addr, &b->prefix.addr);

    if (order == 0 && a->prefix.bits != b->prefix.bits)
        order = a->prefix.bits < b->prefix.bits ? -1 : 1;
    return order;
}

void
feed_diff(const struct feed *last, const struct feed *now, feed_change *tell,
          void *ctx)
{
    const size_t n = last != NULL ? last->n : 0;
    size_t i = 0, k = 0;

    while (i < n || k < now->n) {
        const int order = i == n        ? 1
                          : k == now->n ? -1
                                        : by_address(&last->v[i], &now->v[k]);

        if (order < 0) {
            tell(ctx, '-', &last->v[i++]);
        } else if (order > 0) {
            tell(ctx, '+', &now->v[k++]);
        } else {
            if (last->v[i].until != now->v[k].until)
                tell(ctx, '~', &now->v[k]);
            i++;
            k++;
        }
    }
}
