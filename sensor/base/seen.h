#ifndef SPAN25_BASE_SEEN_H
#define SPAN25_BASE_SEEN_H
/* seen - a bounded set of hashes: was this here before?
 *
 * For counts of different things. Two things with the same 64 bits count as
 * one. Past its limit, or without memory, nothing new is taken: counts made
 * with it are lower bounds then. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen {
    uint64_t *keys; /* 0 is free */
    size_t n, cap;
    size_t max;
};

void seen_init(struct seen *s, size_t max);
void seen_fini(struct seen *s);

/* 1: new, 0: known, -1: no room. */
int seen_add(struct seen *s, uint64_t key);
bool seen_has(const struct seen *s, uint64_t key);

#endif
