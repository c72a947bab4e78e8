#ifndef SPAN25_SIGMA_SIGMA_ARENA_H
#define SPAN25_SIGMA_SIGMA_ARENA_H
/* sigma_arena - many small things that are freed together
 *
 * Blocks come zeroed and aligned for anything. NULL, and failed is set, when
 * there is no memory or max is passed. Rewinding to a mark gives back what
 * came later. */
#include "sensor/base/attr.h"
#include "sensor/base/span.h"

struct sigma_chunk;

struct sigma_arena {
    struct sigma_chunk *last;
    size_t used, max; /* bytes of chunks */
    bool failed;
};

struct sigma_mark {
    struct sigma_chunk *last;
    size_t n;
};

void sigma_arena_init(struct sigma_arena *a, size_t max);
void sigma_arena_free(struct sigma_arena *a);
void *sigma_arena_get(struct sigma_arena *a, size_t count, size_t size);
/* A copy; p is NULL only on failure. */
struct span sigma_arena_span(struct sigma_arena *a, struct span s);
struct sigma_mark sigma_arena_mark(const struct sigma_arena *a);
void sigma_arena_rewind(struct sigma_arena *a, struct sigma_mark m);
/* Empties it and keeps one chunk. */
void sigma_arena_reset(struct sigma_arena *a);

#define SIGMA_GET(a, type, count)                                              \
    ((type *)sigma_arena_get((a), (count), sizeof(type)))

#endif
