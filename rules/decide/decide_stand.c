#include "rules/decide/decide_stand.h"

/* ---- what stands against it ---- */

static bool
is_current(const struct exception *x, ns_t now)
{
    return (x->from & EXCEPT_BLOCK) != 0 && x->since <= now &&
           (x->until == 0 || now < x->until) &&
           (x->removed == 0 || now < x->removed);
}

/* A part of a /64 that is excepted keeps all of it. */
static const struct exception *
exception_inside(const struct exceptions *all, const struct prefix *p, ns_t now)
{
    for (size_t i = 0; i < exceptions_count(all); i++) {
        const struct exception *x = exceptions_get(all, i);

        if (prefix_has(p, &x->prefix.addr) && is_current(x, now))
            return x;
    }
    return NULL;
}

const struct exception *
decide_excepted(const struct decide *d, const struct prefix *subject)
{
    const struct exceptions *all = d->options.exceptions;
    const struct exception *x;

    if (all == NULL)
        return NULL;
    x = exceptions_find(all, subject, EXCEPT_BLOCK, SPAN_NONE, d->now);
    return x != NULL || subject->bits == 128
               ? x
               : exception_inside(all, subject, d->now);
}

struct span
decide_exception_id(const struct exception *x)
{
    return x != NULL ? span_str(x->id) : SPAN_NONE;
}

/* Of the first kind, without what one event says and without immunity. */
uint32_t
decide_kept(const struct decide *d, const struct prefix *subject,
            const struct exception *x)
{
    uint32_t against = 0;

    if (d->disabled)
        against |= AGAINST(DISABLED);
    if (d->mode == ROLLOUT_OFF)
        against |= AGAINST(MODE);
    if (x != NULL)
        against |= AGAINST(EXCEPTION);
    if (decide_guard_has(&d->guard, subject))
        against |=
            subject->bits < 128 ? AGAINST(NEIGHBOUR) : AGAINST(PROTECTED);
    return against;
}

#define REGISTRY                                                               \
    (AGAINST(REGISTERED) | AGAINST(PERMITTED) | AGAINST(REQUESTED) |           \
     AGAINST(PROTECTED))

uint32_t
decide_stands(const struct decide *d, const struct subject *s,
              const struct decide_facts *f, const struct exception *x)
{
    uint32_t against = f->against | decide_kept(d, &s->key, x);

    /* The guard says it in general, the event says what. */
    if ((f->against & REGISTRY) != 0)
        against &= ~AGAINST(NEIGHBOUR) & ~(AGAINST(PROTECTED) & ~f->against);
    if (decide_guard_has(&d->servers, &s->key))
        against |= AGAINST(QUEUEING);
    if (s->key.bits < 128 && decide_guard_has(&d->others, &s->key))
        against |= AGAINST(SHARED);
    if (d->now < s->shared)
        against |= AGAINST(SHARED);
    if (d->now < s->immune)
        against |= AGAINST(IMMUNITY);
    return against;
}

/* What counts: simulating, a missing registry does not, nor that no router is
 * known: a capture of an hour would show nothing. */
uint32_t
decide_counting(bool enforce, uint32_t against)
{
    return enforce ? against
                   : against & ~(AGAINST(NO_REGISTRY) | AGAINST(PATH));
}

enum decide_act
decide_action(uint32_t counts)
{
    static const enum decide_act of_kind[] = {
        [KIND_NEVER] = ACT_WITHHELD,
        [KIND_NOT_YET] = ACT_WITHHELD,
        [KIND_HUMAN] = ACT_HOLD,
        [KIND_TOO_MANY] = ACT_WITHHELD,
    };

    for (unsigned kind = 0; kind < ARRAY_LEN(of_kind); kind++) {
        if (decide_against_kind(counts, (enum decide_kind)kind) != 0)
            return of_kind[kind];
    }
    return ACT_BLOCK;
}

unsigned
decide_first_kind(uint32_t counts)
{
    unsigned kind = 0;

    while (kind <= KIND_TOO_MANY &&
           decide_against_kind(counts, (enum decide_kind)kind) == 0)
        kind++;
    return kind;
}
