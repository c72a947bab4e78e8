#include "sensor/base/seen.h"

#include <stdlib.h>

void
seen_init(struct seen *s, size_t max)
{
    *s = (struct seen){.max = max};
}

void
seen_fini(struct seen *s)
{
    free(s->keys);
    *s = (struct seen){0};
}

/* Where key is, or would be. */
static uint64_t *
slot_of(uint64_t *keys, size_t cap, uint64_t key)
{
    size_t at = key & (cap - 1);

    while (keys[at] != 0 && keys[at] != key)
        at = (at + 1) & (cap - 1);
    return &keys[at];
}

static bool
grow(struct seen *s)
{
    size_t cap = s->cap > 0 ? s->cap * 2 : 256;
    uint64_t *keys;

    if (s->n * 4 < s->cap * 3)
        return true;
    keys = calloc(cap, sizeof(*keys));
    if (keys == NULL)
        return s->n + 1 < s->cap;
    for (size_t i = 0; i < s->cap; i++) {
        if (s->keys[i] != 0)
            *slot_of(keys, cap, s->keys[i]) = s->keys[i];
    }
    free(s->keys);
    s->keys = keys;
    s->cap = cap;
    return true;
}

int
seen_add(struct seen *s, uint64_t key)
{
    uint64_t *slot;

    key = key != 0 ? key : 1;
    if (!grow(s))
        return -1;
    slot = slot_of(s->keys, s->cap, key);
    if (*slot == key)
        return 0;
    if (s->n >= s->max)
        return -1;
    *slot = key;
    s->n++;
    return 1;
}

bool
seen_has(const struct seen *s, uint64_t key)
{
    key = key != 0 ? key : 1;
    return s->cap > 0 && *slot_of(s->keys, s->cap, key) == key;
}
