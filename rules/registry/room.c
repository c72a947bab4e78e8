#include "rules/registry/room.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_FIRST 2048U
#define BLOCK_MOST  (1U << 20)

struct room_block {
    struct room_block *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

void
room_fini(struct room *r)
{
    while (r->blocks != NULL) {
        struct room_block *next = r->blocks->next;

        free(r->blocks);
        r->blocks = next;
    }
}

static struct room_block *
add_block(struct room *r, size_t n)
{
    size_t size = r->blocks != NULL ? r->blocks->size * 2 : BLOCK_FIRST;
    struct room_block *b;

    size = size > BLOCK_MOST ? BLOCK_MOST : size;
    size = size < n ? n : size;
    if (size > SIZE_MAX - sizeof(*b))
        return NULL;
    b = malloc(sizeof(*b) + size);
    if (b == NULL)
        return NULL;
    b->size = size;
    b->used = 0;
    b->next = r->blocks;
    r->blocks = b;
    return b;
}

void *
room_get(struct room *r, size_t n, size_t size)
{
    struct room_block *b = r->blocks;
    size_t want;
    void *p;

    if (n > (SIZE_MAX - alignof(max_align_t)) / size)
        return NULL;
    want = (n * size + alignof(max_align_t) - 1) / alignof(max_align_t) *
           alignof(max_align_t);
    if (b == NULL || b->size - b->used < want)
        b = add_block(r, want);
    if (b == NULL)
        return NULL;
    p = b->bytes + b->used;
    b->used += want;
    return memset(p, 0, want);
}

char *
room_text(struct room *r, const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = room_get(r, n, 1);

    return copy != NULL ? memcpy(copy, text, n) : NULL;
}
