#ifndef SPAN25_RULES_REGISTRY_SLOTS_H
#define SPAN25_RULES_REGISTRY_SLOTS_H
/* slots - where in an array the item with this hash is
 *
 * The array is the caller's; slots knows hashes and indices only. Nothing is
 * taken out. A hash that as many others stand before as SLOTS_PROBES is not
 * taken: items whose hashes somebody chose to collide are left out, as past a
 * limit, instead of making every look-up long.
 *
 *     struct slots_walk w = slots_begin(&s, hash);
 *     while ((i = slots_next(&w)) != SLOTS_NONE)
 *         if (items[i] is the one)
 *             return i;
 *     if (!slots_add(&s, hash, n))
 *         count it as left out;  */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOTS_NONE   UINT32_MAX
#define SLOTS_PROBES 256U

struct slot {
    uint64_t hash;
    uint32_t place; /* index + 1; 0: free */
};

struct slots {
    struct slot *v;
    size_t n, cap; /* cap is a power of two, or 0 */
};

struct slots_walk {
    const struct slots *s;
    uint64_t hash;
    size_t at;
};

void slots_init(struct slots *s);
void slots_fini(struct slots *s);

struct slots_walk slots_begin(const struct slots *s, uint64_t hash);
uint32_t slots_next(struct slots_walk *w);

/* False: no memory, or too many hashes that collide. */
bool slots_add(struct slots *s, uint64_t hash, uint32_t index);

#endif
