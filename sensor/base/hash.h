#ifndef SPAN25_BASE_HASH_H
#define SPAN25_BASE_HASH_H
/* hash - non-cryptographic hashing, XXH3 (libxxhash, inlined)
 *
 * Tables that hold addresses chosen by others take a seed. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "sensor/base/span.h"

static inline uint64_t
hash_span(struct span s, uint64_t seed)
{
    return XXH3_64bits_withSeed(s.p, s.n, seed);
}

/* Mixes one word into a running hash (splitmix64's finaliser). For one h no two
 * v give the same, but two h may. */
static inline uint64_t
hash_mix(uint64_t h, uint64_t v)
{
    h ^= v + UINT64_C(0x9e3779b97f4a7c15) + (h << 6) + (h >> 2);
    h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
    return h ^ (h >> 31);
}

#endif
