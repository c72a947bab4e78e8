#ifndef SPAN25_NET_TIMER_H
#define SPAN25_NET_TIMER_H
/* timer - one deadline per slot, a binary heap
 *
 * Slots are small numbers (below 2^26), ticks count TIMER_TICK_NS since 1970.
 * Equal ticks come out by slot, so the order depends on nothing else. Room is
 * reserved beforehand: setting a timer cannot fail. */
#include "sensor/base/ns.h"
#include "sensor/net/net_mem.h"

#define TIMER_TICK_NS   (100 * NS_PER_MS)
#define TIMER_SLOT_BITS 26
#define TIMER_NEVER     UINT64_MAX

struct timer {
    uint64_t *heap; /* tick << TIMER_SLOT_BITS | slot */
    uint32_t *pos;  /* of a slot in heap, from 1; 0: not set */
    uint32_t n;
    uint32_t cap;
};

/* The first tick at or after t. */
static inline uint64_t
timer_tick_of(ns_t t)
{
    return t / TIMER_TICK_NS + (t % TIMER_TICK_NS != 0);
}

/* Room for slots below cap. */
MUST_USE bool timer_reserve(struct timer *t, struct net_mem *m, uint32_t cap);
void timer_fini(struct timer *t, struct net_mem *m);

/* Sets or moves. */
void timer_set(struct timer *t, uint32_t slot, uint64_t tick);
void timer_drop(struct timer *t, uint32_t slot); /* one not set is fine */

/* The tick of a slot, or TIMER_NEVER. */
uint64_t timer_get(const struct timer *t, uint32_t slot);

/* The earliest tick, or TIMER_NEVER; its slot. */
uint64_t timer_next(const struct timer *t);
uint32_t timer_next_slot(const struct timer *t);

#endif
