#ifndef SPAN25_RULES_HOST_SKETCH_H
#define SPAN25_RULES_HOST_SKETCH_H
/* sketch - how many different ones, in 72 bytes
 *
 * Up to SKETCH_EXACT hashes are kept as they are; the next one makes a
 * HyperLogLog (Flajolet and others 2007) of them: with 256 registers where the
 * pool has a block for it, else with the 64 that fit in here. Hashes are keyed
 * by the caller; 0 and 1 count as one. */
#include "rules/host/pool.h"

#define SKETCH_EXACT 8U
#define SKETCH_LARGE 256U /* size of a block of the pool */

enum sketch_kind { SKETCH_IS_EXACT, SKETCH_IS_SMALL, SKETCH_IS_LARGE };

struct sketch {
    union {
        uint64_t exact[SKETCH_EXACT];
        uint8_t reg[64];
    } u;
    uint32_t large; /* number in the pool */
    uint16_t kind;
    uint16_t n; /* of exact */
};

/* True when the set may have grown: exactly, while it is exact. */
bool sketch_add(struct sketch *d, struct pool *large, uint64_t hash);
uint64_t sketch_count(const struct sketch *d, const struct pool *large);
/* Standard error of the count, of a thousand; 0 when exact. */
uint32_t sketch_error_permille(const struct sketch *d);
/* Gives the block back; d is empty then. */
void sketch_clear(struct sketch *d, struct pool *large);
/* Of one that was loaded: does it hold together? */
bool sketch_valid(const struct sketch *d, const struct pool *large);

#endif
