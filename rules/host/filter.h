#ifndef SPAN25_RULES_HOST_FILTER_H
#define SPAN25_RULES_HOST_FILTER_H
/* filter - was this key seen lately? A blocked Bloom filter in generations
 *
 * Keys are hashes that nobody outside can foresee (the caller keys them). Each
 * key sets FILTER_BITS bits of one block of 64 bytes, a cache line, in the
 * generation of its time; a look asks all generations. A generation lasts
 * `lasts` of stream time; the oldest is emptied for the next one. A key that
 * was never added may be said to have been, as often as filter_error_permille
 * says; one that was added less than three generations ago is never missed.
 * Bloom 1970; Putze, Sanders, Singler 2007 for the blocks. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

#define FILTER_GENERATIONS 4U
#define FILTER_BITS        7U

struct filter {
    uint64_t *words[FILTER_GENERATIONS];
    uint64_t set[FILTER_GENERATIONS]; /* bits */
    uint64_t blocks;                  /* of a generation */
    uint64_t number;                  /* of the present generation */
    ns_t lasts;
};

/* bytes for all generations; lasts above 0. */
MUST_USE enum err filter_init(struct filter *f, uint64_t bytes, ns_t lasts);
void filter_fini(struct filter *f);

/* Stream time has come to now; never goes back. */
void filter_time(struct filter *f, ns_t now);

/* Asks the memory for what a look at key will need. */
static inline void
filter_prefetch(const struct filter *f, uint64_t key)
{
    uint64_t block = ((key >> 32) * f->blocks) >> 32;

    __builtin_prefetch(f->words[f->number % FILTER_GENERATIONS] + block * 8);
}

bool filter_has(const struct filter *f, uint64_t key);
/* False: it was there already, and is now in the present generation. */
bool filter_add(struct filter *f, uint64_t key);

/* Bits set in the fullest generation, of a thousand. */
uint32_t filter_fill_permille(const struct filter *f);
/* Share of new keys that would be taken for known ones, of a thousand. */
uint32_t filter_error_permille(const struct filter *f);
uint64_t filter_bytes(const struct filter *f);

/* Only blocks that hold something are written. load into an empty one of the
 * same size. */
void filter_save(const struct filter *f, struct buf *out);
MUST_USE enum err filter_load(struct filter *f, struct cursor *in);

#endif
