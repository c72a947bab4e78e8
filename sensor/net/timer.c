#include "sensor/net/timer.h"

#define SLOT_MASK ((UINT64_C(1) << TIMER_SLOT_BITS) - 1)
#define TICK_MAX  (UINT64_MAX >> TIMER_SLOT_BITS)

static uint32_t
slot_of(uint64_t entry)
{
    return (uint32_t)(entry & SLOT_MASK);
}

static void
place(struct timer *t, uint32_t at, uint64_t entry)
{
    t->heap[at] = entry;
    t->pos[slot_of(entry)] = at + 1;
}

static uint32_t
sift_up(struct timer *t, uint32_t at, uint64_t entry)
{
    while (at > 0 && t->heap[(at - 1) / 2] > entry) {
        place(t, at, t->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    return at;
}

static uint32_t
sift_down(struct timer *t, uint32_t at, uint64_t entry)
{
    for (;;) {
        uint32_t kid = at * 2 + 1;

        if (kid >= t->n)
            return at;
        if (kid + 1 < t->n && t->heap[kid + 1] < t->heap[kid])
            kid++;
        if (t->heap[kid] >= entry)
            return at;
        place(t, at, t->heap[kid]);
        at = kid;
    }
}

bool
timer_reserve(struct timer *t, struct net_mem *m, uint32_t cap)
{
    uint64_t *heap;
    uint32_t *pos;

    if (cap <= t->cap)
        return true;
    heap = net_mem_get(m, cap * sizeof(*heap));
    pos = net_mem_get(m, cap * sizeof(*pos));
    if (heap == NULL || pos == NULL) {
        net_mem_put(m, heap, cap * sizeof(*heap));
        net_mem_put(m, pos, cap * sizeof(*pos));
        return false;
    }
    memset(pos, 0, cap * sizeof(*pos));
    if (t->cap > 0) {
        memcpy(heap, t->heap, t->n * sizeof(*heap));
        memcpy(pos, t->pos, t->cap * sizeof(*pos));
    }
    net_mem_put(m, t->heap, t->cap * sizeof(*heap));
    net_mem_put(m, t->pos, t->cap * sizeof(*pos));
    t->heap = heap;
    t->pos = pos;
    t->cap = cap;
    return true;
}

void
timer_fini(struct timer *t, struct net_mem *m)
{
    net_mem_put(m, t->heap, t->cap * sizeof(*t->heap));
    net_mem_put(m, t->pos, t->cap * sizeof(*t->pos));
    *t = (struct timer){0};
}

void
timer_set(struct timer *t, uint32_t slot, uint64_t tick)
{
    uint64_t entry = (tick < TICK_MAX ? tick : TICK_MAX) << TIMER_SLOT_BITS;
    uint32_t at;

    REQUIRE(slot < t->cap);
    entry |= slot;
    at = t->pos[slot];
    if (at == 0)
        at = sift_up(t, t->n++, entry);
    else if (entry < t->heap[at - 1])
        at = sift_up(t, at - 1, entry);
    else
        at = sift_down(t, at - 1, entry);
    place(t, at, entry);
}

void
timer_drop(struct timer *t, uint32_t slot)
{
    uint32_t at = slot < t->cap ? t->pos[slot] : 0;
    uint64_t last;

    if (at == 0)
        return;
    t->pos[slot] = 0;
    last = t->heap[--t->n];
    if (--at == t->n)
        return;
    at = sift_up(t, at, last);
    at = sift_down(t, at, last);
    place(t, at, last);
}

uint64_t
timer_get(const struct timer *t, uint32_t slot)
{
    uint32_t at = slot < t->cap ? t->pos[slot] : 0;

    return at > 0 ? t->heap[at - 1] >> TIMER_SLOT_BITS : TIMER_NEVER;
}

uint64_t
timer_next(const struct timer *t)
{
    return t->n > 0 ? t->heap[0] >> TIMER_SLOT_BITS : TIMER_NEVER;
}

uint32_t
timer_next_slot(const struct timer *t)
{
    REQUIRE(t->n > 0);
    return slot_of(t->heap[0]);
}
