#include "sensor/base/ways.h"

#include <stdlib.h>

#include "sensor/base/frame.h"

enum err
ways_init(struct ways *w, size_t size, size_t n)
{
    REQUIRE(size >= sizeof(struct way) && n > 0 && n % WAYS == 0);
    *w = (struct ways){.size = size, .n = n};
    w->base = calloc(n, size);
    return w->base != NULL ? ERR_OK : ERR_NOMEM;
}

void
ways_fini(struct ways *w)
{
    free(w->base);
    *w = (struct ways){0};
}

static void *
entry_at(const struct ways *w, size_t i)
{
    return w->base + i * w->size;
}

static size_t
set_of(const struct ways *w, uint64_t key)
{
    return (size_t)(key % (w->n / WAYS)) * WAYS;
}

void *
ways_find(const struct ways *w, uint64_t key)
{
    size_t set = set_of(w, key);

    for (size_t i = 0; i < WAYS; i++) {
        struct way *e = entry_at(w, set + i);

        if (e->key == key && key != 0)
            return e;
    }
    return NULL;
}

/* A free entry, else the oldest. */
static struct way *
victim(const struct ways *w, size_t set)
{
    struct way *worst = entry_at(w, set);

    for (size_t i = 0; i < WAYS; i++) {
        struct way *e = entry_at(w, set + i);

        if (e->key == 0)
            return e;
        if (e->last < worst->last)
            worst = e;
    }
    return worst;
}

void *
ways_take(struct ways *w, uint64_t key, ns_t now, bool *fresh)
{
    struct way *e;

    key = key != 0 ? key : 1;
    e = ways_find(w, key);
    *fresh = e == NULL;
    if (e == NULL) {
        e = victim(w, set_of(w, key));
        w->evicted += e->key != 0;
        memset(e, 0, w->size);
        e->key = key;
    }
    e->last = now;
    return e;
}

size_t
ways_count(const struct ways *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->n; i++)
        n += ((const struct way *)entry_at(w, i))->key != 0;
    return n;
}

void
ways_save(const struct ways *w, struct buf *out)
{
    frame_u64(out, w->size);
    frame_u64(out, w->n);
    frame_u64(out, w->evicted);
    frame_u64(out, ways_count(w));
    for (size_t i = 0; i < w->n; i++) {
        const struct way *e = entry_at(w, i);

        if (e->key == 0)
            continue;
        frame_u64(out, i);
        buf_put(out, e, w->size);
    }
}

static bool
load_entry(struct ways *w, struct cursor *in)
{
    uint64_t at = cur_le64(in);
    struct span raw = cur_take(in, w->size);
    struct way *e;

    if (in->bad || at >= w->n)
        return false;
    e = entry_at(w, (size_t)at);
    memcpy(e, raw.p, raw.n);
    return e->key != 0 && set_of(w, e->key) == at / WAYS * WAYS;
}

bool
ways_load(struct ways *w, struct cursor *in)
{
    uint64_t n;

    if (cur_le64(in) != w->size || cur_le64(in) != w->n)
        return false;
    w->evicted = cur_le64(in);
    n = cur_le64(in);
    for (uint64_t i = 0; i < n && !in->bad; i++) {
        if (!load_entry(w, in))
            return false;
    }
    return !in->bad;
}
