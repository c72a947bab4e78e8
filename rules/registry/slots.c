#include "rules/registry/slots.h"

#include <stdlib.h>

#define FIRST_CAP 64U

void
slots_init(struct slots *s)
{
    *s = (struct slots){0};
}

void
slots_fini(struct slots *s)
{
    free(s->v);
    *s = (struct slots){0};
}

/* Odd, so that it comes past every slot: hashes that begin at one place go
 * different ways. */
static size_t
step_of(uint64_t hash)
{
    return (size_t)(hash >> 32) | 1;
}

struct slots_walk
slots_begin(const struct slots *s, uint64_t hash)
{
    return (struct slots_walk){s, hash, s->cap > 0 ? hash & (s->cap - 1) : 0};
}

uint32_t
slots_next(struct slots_walk *w)
{
    const struct slots *s = w->s;

    while (s->cap > 0 && s->v[w->at].place != 0) {
        const struct slot *slot = &s->v[w->at];

        w->at = (w->at + step_of(w->hash)) & (s->cap - 1);
        if (slot->hash == w->hash)
            return slot->place - 1;
    }
    return SLOTS_NONE;
}

/* There is always a free one: no more than half are taken. */
static size_t
put(struct slot *v, size_t cap, struct slot slot)
{
    size_t at = slot.hash & (cap - 1);
    size_t probes = 0;

    for (; v[at].place != 0; probes++)
        at = (at + step_of(slot.hash)) & (cap - 1);
    if (probes < SLOTS_PROBES)
        v[at] = slot;
    return probes;
}

static bool
grow(struct slots *s)
{
    size_t cap = s->cap > 0 ? s->cap * 2 : FIRST_CAP;
    struct slot *v;
    size_t n = 0;

    if (s->n * 2 < s->cap)
        return true;
    v = calloc(cap, sizeof(*v));
    if (v == NULL)
        return false;
    for (size_t i = 0; i < s->cap; i++) {
        if (s->v[i].place != 0)
            n += put(v, cap, s->v[i]) < SLOTS_PROBES;
    }
    free(s->v);
    s->v = v;
    s->cap = cap;
    s->n = n;
    return true;
}

bool
slots_add(struct slots *s, uint64_t hash, uint32_t index)
{
    if (!grow(s))
        return false;
    if (put(s->v, s->cap, (struct slot){hash, index + 1}) >= SLOTS_PROBES)
        return false;
    s->n++;
    return true;
}
