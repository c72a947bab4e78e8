#include "rules/host/pool.h"

#include <stdlib.h>

#define CHUNK_BYTES 65536U

static uint32_t
shift_of(uint32_t size)
{
    uint32_t shift = 0;

    while (size << (shift + 1) <= CHUNK_BYTES)
        shift++;
    return shift;
}

static uint32_t
chunks_of(const struct pool *p, uint32_t blocks)
{
    return (blocks + (1U << p->shift) - 1) >> p->shift;
}

enum err
pool_init(struct pool *p, uint32_t size, uint32_t max)
{
    *p = (struct pool){.size = size, .max = max};
    REQUIRE(size >= sizeof(uint32_t) && size <= CHUNK_BYTES);
    REQUIRE(max <= UINT32_MAX / 2);
    p->shift = shift_of(size);
    p->chunks = calloc(chunks_of(p, max) + 1U, sizeof(*p->chunks));
    return p->chunks != NULL ? ERR_OK : ERR_NOMEM;
}

void
pool_fini(struct pool *p)
{
    for (uint32_t i = 0; p->chunks != NULL && i < chunks_of(p, p->high); i++)
        free(p->chunks[i]);
    free(p->chunks);
    *p = (struct pool){0};
}

/* Room for block number high + 1. */
static bool
extend(struct pool *p)
{
    uint32_t chunk = p->high >> p->shift;
    size_t bytes = (size_t)p->size << p->shift;

    if (p->high >= p->max)
        return false;
    if (p->chunks[chunk] == NULL) {
        p->chunks[chunk] = calloc(1, bytes);
        if (p->chunks[chunk] == NULL)
            return false;
        p->bytes += bytes;
    }
    p->high++;
    return true;
}

uint32_t
pool_take(struct pool *p)
{
    uint32_t i = p->free;
    void *block;

    if (i == POOL_NONE) {
        if (!extend(p))
            return POOL_NONE;
        p->n++;
        return p->high;
    }
    block = pool_at(p, i);
    memcpy(&p->free, block, sizeof(p->free));
    memset(block, 0, sizeof(p->free));
    p->n++;
    return i;
}

void
pool_give(struct pool *p, uint32_t i)
{
    void *block = pool_at(p, i);

    memset(block, 0, p->size);
    memcpy(block, &p->free, sizeof(p->free));
    p->free = i;
    p->n--;
}

/* ---- snapshots ---- */

static void
put_u32(struct buf *out, uint32_t v)
{
    buf_put(out, &v, sizeof(v));
}

void
pool_save(const struct pool *p, struct buf *out)
{
    put_u32(out, p->size);
    put_u32(out, p->high);
    put_u32(out, p->free);
    put_u32(out, p->n);
    for (uint32_t i = 1; i <= p->high; i++)
        buf_put(out, pool_at(p, i), p->size);
}

/* high - n free blocks are on the list, each once. */
static bool
free_list_holds(const struct pool *p)
{
    uint32_t left = p->high - p->n;
    uint32_t i = p->free;

    for (; left > 0 && i != POOL_NONE && i <= p->high; left--)
        memcpy(&i, pool_at(p, i), sizeof(i));
    return left == 0 && i == POOL_NONE;
}

enum err
pool_load(struct pool *p, struct cursor *in)
{
    uint32_t size = cur_le32(in);
    uint32_t high = cur_le32(in);
    uint32_t first = cur_le32(in);
    uint32_t n = cur_le32(in);

    REQUIRE(p->high == 0);
    if (in->bad || size != p->size || high > p->max || n > high ||
        cur_left(in) / size < high)
        return ERR_CORRUPT;
    for (uint32_t i = 1; i <= high; i++) {
        struct span block = cur_take(in, size);

        if (!extend(p))
            return ERR_NOMEM;
        memcpy(pool_at(p, i), block.p, size);
    }
    p->free = first;
    p->n = n;
    return free_list_holds(p) ? ERR_OK : ERR_CORRUPT;
}
