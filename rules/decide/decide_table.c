#include "rules/decide/decide_table.h"

#include "sensor/base/hash.h"

#include <stdlib.h>

void
decide_table_init(struct table *t, uint64_t seed)
{
    *t = (struct table){.seed = seed, .next_end = UINT64_MAX};
}

void
decide_table_fini(struct table *t)
{
    free(t->rows);
    free(t->slots);
    free(t->due);
    *t = (struct table){.seed = t->seed, .next_end = UINT64_MAX};
}

static size_t
slot_of(const struct table *t, const struct prefix *key)
{
    uint64_t h = hash_span(span_of(key->addr.b, 16), t->seed + key->bits);
    size_t at = h & (t->cap_slots - 1);

    while (t->slots[at] != 0) {
        const struct subject *s = &t->rows[t->slots[at] - 1];

        if (s->key.bits == key->bits && addr_cmp(&s->key.addr, &key->addr) == 0)
            break;
        at = (at + 1) & (t->cap_slots - 1);
    }
    return at;
}

static void
index_rows(struct table *t)
{
    memset(t->slots, 0, t->cap_slots * sizeof(*t->slots));
    for (size_t i = 0; i < t->n; i++)
        t->slots[slot_of(t, &t->rows[i].key)] = (uint32_t)i + 1;
}

static bool
grow(struct table *t)
{
    size_t cap = t->cap > 0 ? t->cap * 2 : 64;
    struct subject *rows = realloc(t->rows, cap * sizeof(*rows));
    uint32_t *due;
    uint32_t *slots;

    if (rows == NULL)
        return false;
    t->rows = rows;
    due = realloc(t->due, cap * sizeof(*due));
    if (due == NULL)
        return false;
    t->due = due;
    slots = calloc(cap * 2, sizeof(*slots));
    if (slots == NULL)
        return false;
    free(t->slots);
    t->slots = slots;
    t->cap = cap;
    t->cap_slots = cap * 2;
    index_rows(t);
    return true;
}

static bool
is_idle(const struct subject *s, ns_t now)
{
    return !subject_in_force(s) && s->step == 0 && now >= s->immune &&
           now >= s->shared && now - s->held >= TABLE_STALE;
}

static void
sweep(struct table *t, ns_t now)
{
    size_t kept = 0;

    if (now - t->swept < TABLE_SWEEP)
        return;
    for (size_t i = 0; i < t->n; i++) {
        if (!is_idle(&t->rows[i], now))
            t->rows[kept++] = t->rows[i];
    }
    t->n = kept;
    t->swept = now;
    index_rows(t);
}

struct subject *
decide_table_find(struct table *t, const struct prefix *key)
{
    size_t at;

    if (t->cap_slots == 0)
        return NULL;
    at = slot_of(t, key);
    return t->slots[at] != 0 ? &t->rows[t->slots[at] - 1] : NULL;
}

struct subject *
decide_table_get(struct table *t, const struct prefix *key, ns_t now)
{
    struct subject *s = decide_table_find(t, key);

    if (s != NULL)
        return s;
    if (t->n >= DECIDE_SUBJECTS)
        sweep(t, now);
    if (t->n >= DECIDE_SUBJECTS || (t->n == t->cap && !grow(t))) {
        t->refused++;
        return NULL;
    }
    t->slots[slot_of(t, key)] = (uint32_t)t->n + 1;
    s = &t->rows[t->n++];
    *s = (struct subject){.key = *key, .held = now};
    return s;
}

void
decide_table_set(struct table *t, struct subject *s, enum subject_state state,
                 ns_t since, ns_t until)
{
    s->state = state;
    s->since = since;
    s->until = until;
    if (subject_in_force(s) && until < t->next_end)
        t->next_end = until;
}

static int
by_end(const void *x, const void *y, void *rows)
{
    const struct subject *all = rows;
    const struct subject *a = &all[*(const uint32_t *)x];
    const struct subject *b = &all[*(const uint32_t *)y];

    if (a->until != b->until)
        return a->until < b->until ? -1 : 1;
    return addr_cmp(&a->key.addr, &b->key.addr);
}

const uint32_t *
decide_table_due(struct table *t, ns_t now, size_t *n)
{
    *n = 0;
    if (now < t->next_end)
        return t->due;
    t->next_end = UINT64_MAX;
    for (size_t i = 0; i < t->n; i++) {
        const struct subject *s = &t->rows[i];

        if (!subject_in_force(s))
            continue;
        if (s->until <= now)
            t->due[(*n)++] = (uint32_t)i;
        else if (s->until < t->next_end)
            t->next_end = s->until;
    }
    if (*n > 1)
        qsort_r(t->due, *n, sizeof(*t->due), by_end, t->rows);
    return t->due;
}
