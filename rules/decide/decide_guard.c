#include "rules/decide/decide_guard.h"

#include "sensor/base/hash.h"

void
decide_guard_init(struct guard *g, uint64_t seed)
{
    *g = (struct guard){.seed = seed};
    tally_init(&g->hosts, GUARD_MAX);
    tally_init(&g->subjects, GUARD_MAX);
}

void
decide_guard_fini(struct guard *g)
{
    tally_fini(&g->hosts);
    tally_fini(&g->subjects);
}

static uint64_t
key_of(const struct guard *g, const struct addr *a)
{
    return hash_span(span_of(a->b, 16), g->seed);
}

void
decide_guard_set(struct guard *g, const struct addr *host, bool kept)
{
    struct prefix subject;
    uint64_t key = key_of(g, host);
    uint64_t whole;

    if ((tally_get(&g->hosts, key) > 0) == kept)
        return;
    subject = decide_subject_of(host);
    whole = key_of(g, &subject.addr);
    if (!kept) {
        tally_sub(&g->hosts, key);
        tally_sub(&g->subjects, whole);
        return;
    }
    if (!tally_reserve(&g->hosts) || !tally_add(&g->subjects, whole)) {
        g->full = true;
        return;
    }
    (void)tally_add(&g->hosts, key);
}

bool
decide_guard_has(const struct guard *g, const struct prefix *subject)
{
    return (g->full && subject->bits < 128) ||
           tally_get(&g->subjects, key_of(g, &subject->addr)) > 0;
}
