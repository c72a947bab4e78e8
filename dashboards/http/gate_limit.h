#ifndef SPAN25_DASHBOARDS_GATE_LIMIT_H
#define SPAN25_DASHBOARDS_GATE_LIMIT_H
/* gate_limit - how often somebody may try
 *
 * Buckets of tokens by key, each kept as the time at which it will be full
 * again. When GATE_BUCKETS are in use, the one that is nearest to full makes
 * room. Not for several threads at once. */
#include "dashboards/http/gate.h"

struct gate_rate {
    unsigned burst; /* tries at once */
    ns_t every;     /* one more after this time */
};

struct gate_limit;

struct gate_limit *gate_limit_new(struct gate_rate rate); /* NULL: no memory */
void gate_limit_free(struct gate_limit *l);               /* NULL is fine */

/* How long until there is a token; 0: there is one. */
ns_t gate_limit_wait(const struct gate_limit *l, uint64_t key, ns_t now);
void gate_limit_take(struct gate_limit *l, uint64_t key, ns_t now);
void gate_limit_give(struct gate_limit *l, uint64_t key);

#endif
