#ifndef SPAN25_RULES_STUDY_RANDOM_H
#define SPAN25_RULES_STUDY_RANDOM_H
/* random - numbers of a seed alone, the same everywhere
 *
 * SplitMix64 (Steele, Lea and Flood 2014). The state is a number, begun with
 * the seed. For simulations and draws that can be repeated; nobody is kept from
 * guessing them. */
#include <math.h>
#include <stddef.h>
#include <stdint.h>

static inline uint64_t
random_next(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

/* 0 to n - 1, each as likely but for n / 2^32; n is 1 to 2^32. */
static inline size_t
random_below(uint64_t *state, size_t n)
{
    return (size_t)((random_next(state) >> 32) * n >> 32);
}

/* Above 0 and below 1. */
static inline double
random_share(uint64_t *state)
{
    return ((double)(random_next(state) >> 11) + 0.5) / 9007199254740992.0;
}

/* Of the exponential distribution with mean 1. */
static inline double
random_exponential(uint64_t *state)
{
    return -log(random_share(state));
}

#endif
