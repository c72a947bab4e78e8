#ifndef SPAN25_RULES_DECIDE_TALLY_H
#define SPAN25_RULES_DECIDE_TALLY_H
/* tally - a bounded table of counters by a keyed hash (0 counts as 1)
 *
 * Two things with the same 64 bits count as one. A counter that came back to 0
 * gives its place up when the table is made larger. */
#include "sensor/base/buf.h"

struct tally_slot {
    uint64_t key; /* 0 is free */
    uint64_t count;
};

struct tally {
    struct tally_slot *slots;
    size_t n, cap; /* n: used, those at 0 too */
    size_t max;
};

void tally_init(struct tally *t, size_t max);
void tally_fini(struct tally *t);

/* Room for one key more; false: at its bound, or out of memory. */
bool tally_reserve(struct tally *t);
uint64_t tally_get(const struct tally *t, uint64_t key);
/* False: no room, and nothing counted. */
bool tally_add(struct tally *t, uint64_t key);
/* Of one that is not counted: nothing. */
void tally_sub(struct tally *t, uint64_t key);
/* Of a key that is not counted yet; for snapshots. False: no room. */
bool tally_set(struct tally *t, uint64_t key, uint64_t count);
void tally_clear(struct tally *t);

#endif
