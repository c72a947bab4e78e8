#include "rules/sigma/sigma_view.h"

#include "rules/sigma/sigma_tree.h"
#include "rules/sigma/sigma_value.h"
#include "sensor/base/digits.h"

#define SCRATCH_MAX (64U << 20) /* more than a record can become */

enum err
sigma_view_init(struct sigma_view *w)
{
    *w = (struct sigma_view){.n = 1, .cap = 256};
    sigma_arena_init(&w->scratch, SCRATCH_MAX);
    w->v = calloc(w->cap, sizeof(*w->v));
    return w->v != NULL ? ERR_OK : ERR_NOMEM;
}

void
sigma_view_fini(struct sigma_view *w)
{
    free(w->v);
    w->v = NULL;
    sigma_arena_free(&w->scratch);
}

static bool
has_room(struct sigma_view *w)
{
    struct sigma_text *grown;

    if (w->n < w->cap)
        return true;
    if (w->cap >= SIGMA_VALUES_MAX) {
        w->cut++;
        return false;
    }
    grown = realloc(w->v, 2 * (size_t)w->cap * sizeof(*grown));
    if (grown == NULL) {
        w->cut++;
        return false;
    }
    w->v = grown;
    w->cap *= 2;
    return true;
}

static void
add(struct sigma_view *w, uint16_t slot, struct span raw, uint8_t type)
{
    if (!has_room(w))
        return;
    w->v[w->n] = (struct sigma_text){.raw = raw, .type = type};
    if (w->first[slot] == 0) {
        w->first[slot] = w->n;
        w->touched[w->n_touched++] = slot;
    } else {
        w->v[w->last[slot]].next = w->n;
    }
    w->last[slot] = w->n++;
}

static uint8_t
type_of(enum field f)
{
    uint8_t type = field_shapes[f].type;

    return type == FT_STRS ? FT_STR : type == FT_U64S ? FT_U64 : type;
}

static void
add_field(struct sigma_view *w, bool any, enum field f, struct span raw,
          uint8_t type)
{
    if (any)
        add(w, SIGMA_SLOT_ANY, raw, type);
    for (uint16_t s = w->slots->first[f]; s != 0; s = w->slots->next[s]) {
        enum sigma_lens lens = w->slots->v[s].lens;
        struct span seen = type == FT_STR ? sigma_lens_apply(lens, raw) : raw;

        if (lens != SIGMA_LENS_DOMAIN || seen.p != NULL)
            add(w, s, seen, type);
    }
}

static void
add_objects(struct sigma_view *w, const struct sigma_want *want,
            struct span object)
{
    struct cursor c = cur_open(object);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (want->field[e.field] == SIGMA_WANT_VALUE)
            add_field(w, want->any, e.field, e.value, type_of(e.field));
    }
}

static void
add_header(struct sigma_view *w)
{
    const char *name = event_type_name(w->head.type);
    uint64_t seq = w->head.seq;

    memcpy(w->seq, &seq, sizeof(w->seq));
    add_field(w, false, FIELD_TIMESTAMP, span_head(w->record, 8), FT_TIME);
    add_field(w, false, FIELD_FLOW_ID, span_head(span_tail(w->record, 8), 8),
              FT_U64);
    add_field(w, false, FIELD_FLOW_SEQ, span_of(w->seq, 8), FT_U64);
    add_field(w, false, FIELD_EVENT_TYPE, span_str(name), FT_STR);
}

static void
clear(struct sigma_view *w)
{
    for (uint16_t i = 0; i < w->n_touched; i++)
        w->first[w->touched[i]] = 0;
    w->n_touched = 0;
    w->n = 1;
    sigma_arena_reset(&w->scratch);
}

void
sigma_view_fill(struct sigma_view *w, const struct sigma_slots *slots,
                const struct sigma_want *want, struct span record)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    clear(w);
    w->slots = slots;
    w->record = record;
    w->head = record_head_of(record);
    add_header(w);
    while (record_next(&c, &e)) {
        uint8_t how = want->field[e.field];

        if (how == SIGMA_WANT_VALUE)
            add_field(w, want->any, e.field, e.value, type_of(e.field));
        else if (how == SIGMA_WANT_OBJECT)
            add_objects(w, want, e.value);
    }
}

/* ---- text ---- */

static size_t
format(const struct sigma_text *t, char *out)
{
    struct addr a;

    switch ((enum field_type)t->type) {
    case FT_U64: return (size_t)(digits_u64(out, entry_u64(t->raw)) - out);
    case FT_I64:
        if ((int64_t)entry_u64(t->raw) >= 0)
            return (size_t)(digits_u64(out, entry_u64(t->raw)) - out);
        out[0] = '-';
        return (size_t)(digits_u64(out + 1, 0 - entry_u64(t->raw)) - out);
    case FT_TIME: return ns_format(entry_u64(t->raw), out);
    case FT_ADDR:
        memcpy(a.b, t->raw.p, sizeof(a.b));
        return addr_format(&a, out);
    case FT_BOOL:
    case FT_STR:
    case FT_STRS:
    case FT_U64S:
    case FT_OBJS: break;
    }
    return 0;
}

struct span
sigma_view_text(struct sigma_view *w, struct sigma_text *t)
{
    char room[ADDR_TEXT_MAX + NS_TEXT_MAX];

    if (t->text.p != NULL)
        return t->text;
    if (t->type == FT_STR)
        t->text = t->raw.p != NULL ? t->raw : SPAN_LIT("");
    else if (t->type == FT_BOOL)
        t->text =
            span_at(t->raw, 0) != 0 ? SPAN_LIT("true") : SPAN_LIT("false");
    else
        t->text = sigma_arena_span(&w->scratch, span_of(room, format(t, room)));
    return t->text;
}

struct span
sigma_view_low(struct sigma_view *w, struct sigma_text *t)
{
    struct span s;
    uint8_t *p;

    if (t->low.p != NULL)
        return t->low;
    s = sigma_view_text(w, t);
    p = sigma_arena_get(&w->scratch, s.n + 1, 1);
    if (p == NULL)
        return SPAN_NONE;
    for (size_t i = 0; i < s.n; i++)
        p[i] = sigma_lower(s.p[i]);
    t->low = span_of(p, s.n);
    return t->low;
}

bool
sigma_view_number(struct sigma_view *w, struct sigma_text *t, long double *out)
{
    switch ((enum field_type)t->type) {
    case FT_U64: *out = (long double)entry_u64(t->raw); return true;
    case FT_I64: *out = (long double)(int64_t)entry_u64(t->raw); return true;
    case FT_TIME:
        *out = (long double)entry_u64(t->raw) / (long double)NS_PER_S;
        return true;
    case FT_STR: return sigma_number_parse(sigma_view_text(w, t), out);
    case FT_BOOL:
    case FT_ADDR:
    case FT_STRS:
    case FT_U64S:
    case FT_OBJS: break;
    }
    return false;
}
