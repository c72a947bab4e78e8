#include "rules/decide/tally.h"

#include <stdlib.h>

void
tally_init(struct tally *t, size_t max)
{
    *t = (struct tally){.max = max};
}

void
tally_fini(struct tally *t)
{
    free(t->slots);
    *t = (struct tally){.max = t->max};
}

static struct tally_slot *
slot_of(struct tally_slot *slots, size_t cap, uint64_t key)
{
    size_t at = key & (cap - 1);

    while (slots[at].key != 0 && slots[at].key != key)
        at = (at + 1) & (cap - 1);
    return &slots[at];
}

static size_t
in_use(const struct tally *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->cap; i++)
        n += t->slots[i].count > 0;
    return n;
}

/* Anew, without the places of counters at 0. */
static bool
rebuild(struct tally *t)
{
    size_t n = in_use(t);
    size_t cap = 64;
    struct tally_slot *slots;

    if (n >= t->max)
        return false;
    while (cap < (n + 1) * 2)
        cap *= 2;
    slots = calloc(cap, sizeof(*slots));
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < t->cap; i++) {
        if (t->slots[i].count > 0)
            *slot_of(slots, cap, t->slots[i].key) = t->slots[i];
    }
    free(t->slots);
    t->slots = slots;
    t->cap = cap;
    t->n = n;
    return true;
}

bool
tally_reserve(struct tally *t)
{
    if ((t->n + 1) * 4 <= t->cap * 3 && t->n < t->max)
        return true;
    return rebuild(t);
}

static uint64_t
usable(uint64_t key)
{
    return key != 0 ? key : 1;
}

uint64_t
tally_get(const struct tally *t, uint64_t key)
{
    return t->cap > 0 ? slot_of(t->slots, t->cap, usable(key))->count : 0;
}

bool
tally_add(struct tally *t, uint64_t key)
{
    struct tally_slot *s;

    key = usable(key);
    if (t->cap > 0) {
        s = slot_of(t->slots, t->cap, key);
        if (s->key == key) {
            s->count++;
            return true;
        }
    }
    if (!tally_reserve(t))
        return false;
    s = slot_of(t->slots, t->cap, key);
    *s = (struct tally_slot){key, 1};
    t->n++;
    return true;
}

void
tally_sub(struct tally *t, uint64_t key)
{
    struct tally_slot *s;

    if (t->cap == 0)
        return;
    s = slot_of(t->slots, t->cap, usable(key));
    if (s->count > 0)
        s->count--;
}

bool
tally_set(struct tally *t, uint64_t key, uint64_t count)
{
    if (!tally_add(t, key))
        return false;
    slot_of(t->slots, t->cap, usable(key))->count = count;
    return true;
}

void
tally_clear(struct tally *t)
{
    if (t->cap > 0)
        memset(t->slots, 0, t->cap * sizeof(*t->slots));
    t->n = 0;
}
