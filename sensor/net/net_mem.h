#ifndef SPAN25_NET_MEM_H
#define SPAN25_NET_MEM_H
/* net_mem - a shard's memory account
 *
 * Counts what is taken and given back; used is back at 0 when all was. Past max
 * there is no memory: a caller that can make room looks at net_mem_has first.
 */
#include "sensor/base/attr.h"
#include "sensor/base/span.h"

struct net_mem {
    uint64_t used;
    uint64_t max;
    bool (*deny)(void *ctx); /* for tests: true makes an allocation fail */
    void *deny_ctx;
};

/* NULL when memory is out; not cleared. n is given again to put it back. */
void *net_mem_get(struct net_mem *m, size_t n);
void net_mem_put(struct net_mem *m, void *p, size_t n); /* NULL is fine */

static inline bool
net_mem_has(const struct net_mem *m, uint64_t n)
{
    return n <= m->max && m->used <= m->max - n;
}

#endif
