#include "sensor/net/net_mem.h"

void *
net_mem_get(struct net_mem *m, size_t n)
{
    void *p;

    if (!net_mem_has(m, n) || (m->deny != NULL && m->deny(m->deny_ctx)))
        return NULL;
    p = malloc(n);
    if (p != NULL)
        m->used += n;
    return p;
}

void
net_mem_put(struct net_mem *m, void *p, size_t n)
{
    if (p == NULL)
        return;
    REQUIRE(m->used >= n);
    m->used -= n;
    free(p);
}
