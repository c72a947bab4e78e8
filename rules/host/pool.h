#ifndef SPAN25_RULES_HOST_POOL_H
#define SPAN25_RULES_HOST_POOL_H
/* pool - blocks of one size with numbers that stay, at most `max` of them
 *
 * Memory grows by chunks and stays. Numbers begin at 1, so a zeroed block that
 * names others names none. Blocks are zeroed when taken. A free block holds the
 * number of the next free one in its first four bytes, else zeros. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define POOL_NONE 0U

struct pool {
    uint8_t **chunks;
    uint32_t size;  /* of a block, at least 4 */
    uint32_t shift; /* blocks of a chunk are 1 << shift */
    uint32_t max;
    uint32_t high; /* blocks ever taken: their numbers are 1..high */
    uint32_t free; /* the first free one */
    uint32_t n;    /* in use */
    uint64_t bytes;
};

MUST_USE enum err pool_init(struct pool *p, uint32_t size, uint32_t max);
void pool_fini(struct pool *p);

/* POOL_NONE: max are in use, or no memory. */
uint32_t pool_take(struct pool *p);
void pool_give(struct pool *p, uint32_t i);

/* Block i of 1..high. */
static inline void *
pool_at(const struct pool *p, uint32_t i)
{
    uint32_t k = i - 1;

    REQUIRE(k < p->high);
    return p->chunks[k >> p->shift] +
           (size_t)(k & ((1U << p->shift) - 1)) * p->size;
}

/* As they lie, for a snapshot of the same program on the same machine. load
 * into an empty pool; ERR_CORRUPT when numbers do not hold together. */
void pool_save(const struct pool *p, struct buf *out);
MUST_USE enum err pool_load(struct pool *p, struct cursor *in);

#endif
