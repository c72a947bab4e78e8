#include "sensor/app/study_recall.h"

#include "rules/registry/slots.h"
#include "rules/study/study.h"
#include "sensor/base/hash.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 480U /* of a host; a longer site's name is left out */
#define MAIL_PORT   25

struct recalled {
    struct addr addr;
    uint16_t n;
    uint8_t entries[ENTRIES_MAX];
};

struct study_recall {
    uint64_t seed;
    struct slots slots;
    struct recalled *v;
    size_t n, room;
    struct buf coded;
};

enum err
study_recall_new(uint64_t seed, struct study_recall **out)
{
    struct study_recall *r = calloc(1, sizeof(*r));

    if (r == NULL)
        return ERR_NOMEM;
    r->seed = seed;
    slots_init(&r->slots);
    buf_init(&r->coded, RECORD_STR_MAX);
    *out = r;
    return ERR_OK;
}

void
study_recall_free(struct study_recall *r)
{
    if (r == NULL)
        return;
    slots_fini(&r->slots);
    buf_free(&r->coded);
    free(r->v);
    free(r);
}

static struct recalled *
find(const struct study_recall *r, const struct addr *a)
{
    struct slots_walk w =
        slots_begin(&r->slots, hash_span(span_of(a->b, sizeof(a->b)), r->seed));
    uint32_t i;

    while ((i = slots_next(&w)) != SLOTS_NONE) {
        if (addr_cmp(&r->v[i].addr, a) == 0)
            return &r->v[i];
    }
    return NULL;
}

static struct recalled *
add(struct study_recall *r, const struct addr *a)
{
    const uint64_t h = hash_span(span_of(a->b, sizeof(a->b)), r->seed);

    if (r->n == r->room) {
        const size_t room = r->room == 0 ? 64 : r->room * 2;
        struct recalled *v;

        if (room > STUDY_HOME)
            return NULL;
        v = realloc(r->v, room * sizeof(*v));
        if (v == NULL)
            return NULL;
        r->v = v;
        r->room = room;
    }
    if (!slots_add(&r->slots, h, (uint32_t)r->n))
        return NULL;
    r->v[r->n] = (struct recalled){.addr = *a};
    return &r->v[r->n++];
}

/* The fields of src_reg stand together. */
static void
code(struct study_recall *r, const struct record_map *m, bool site)
{
    buf_reset(&r->coded);
    for (enum field f = FIELD_SRC_REG_STATE; f <= FIELD_SRC_REG_PROTECTED;
         f++) {
        if (record_map_has(m, f) && (site || f != FIELD_SRC_REG_SITE))
            entry_put(&r->coded, f, record_map_find(m, f));
    }
}

void
study_recall_event(struct study_recall *r, const struct record_map *m)
{
    struct recalled *x;
    struct addr a;

    if (!record_map_has(m, FIELD_SRC_REG_STATE) ||
        !record_map_is(m, FIELD_DIRECTION, "outbound") ||
        record_map_u64(m, FIELD_DEST_PORT, 0) != MAIL_PORT ||
        !record_map_addr(m, FIELD_SRC_IP, &a))
        return;
    code(r, m, true);
    if (r->coded.n > ENTRIES_MAX)
        code(r, m, false);
    x = find(r, &a);
    if (x == NULL)
        x = add(r, &a);
    if (x == NULL || r->coded.n > ENTRIES_MAX)
        return;
    memcpy(x->entries, r->coded.p, r->coded.n);
    x->n = (uint16_t)r->coded.n;
}

struct span
study_recall_find(void *ctx, const struct addr *a)
{
    const struct recalled *x = find(ctx, a);

    return x == NULL ? SPAN_NONE : span_of(x->entries, x->n);
}

void
study_recall_save(const struct study_recall *r, struct buf *out)
{
    for (size_t i = 0; i < r->n; i++) {
        buf_put(out, r->v[i].addr.b, sizeof(r->v[i].addr.b));
        buf_put(out, &r->v[i].n, sizeof(r->v[i].n));
        buf_put(out, r->v[i].entries, r->v[i].n);
    }
}

/* Entries of a file are those of a record, or nothing is believed. */
static bool
sound(struct span entries)
{
    const struct record_head head = {.type = EVENT_HOST};
    struct record_out out;
    bool ok;

    record_init(&out);
    record_begin(&out, &head);
    record_entries(&out, entries);
    ok = record_check(record_view(&out));
    record_free(&out);
    return ok;
}

bool
study_recall_load(struct study_recall *r, struct span saved)
{
    struct cursor c = cur_open(saved);

    while (cur_left(&c) > 0) {
        const struct span addr = cur_take(&c, sizeof(r->v->addr.b));
        const uint16_t n = cur_le16(&c);
        const struct span entries = cur_take(&c, n);
        struct recalled *x;
        struct addr a;

        if (c.bad || n > ENTRIES_MAX || !sound(entries))
            return false;
        memcpy(a.b, addr.p, sizeof(a.b));
        x = add(r, &a);
        if (x == NULL)
            return false;
        memcpy(x->entries, entries.p, n);
        x->n = n;
    }
    return true;
}
