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

/* One slot on its way to be filled. */
struct filling {
    struct sigma_view *w;
    uint16_t slot;
    enum field field; /* FIELD_COUNT: every one */
    enum sigma_lens lens;
    uint32_t last;
};

static void
add(struct filling *f, struct span raw, uint8_t type)
{
    struct sigma_view *w = f->w;

    if (!has_room(w))
        return;
    w->v[w->n] = (struct sigma_text){.raw = raw, .type = type};
    if (f->last == 0)
        w->first[f->slot] = w->n;
    else
        w->v[f->last].next = w->n;
    f->last = w->n++;
}

static uint8_t
type_of(enum field f)
{
    uint8_t type = field_shapes[f].type;

    return type == FT_STRS ? FT_STR : type == FT_U64S ? FT_U64 : type;
}

static void
add_entry(struct filling *f, const struct record_entry *e)
{
    uint8_t type = type_of(e->field);
    struct span seen = e->value;

    if (type == FT_STR)
        seen = sigma_lens_apply(f->lens, seen);
    if (f->lens != SIGMA_LENS_DOMAIN || seen.p != NULL)
        add(f, seen, type);
}

/* Every entry of the list, and every one in its objects that is wanted. */
static void
add_all(struct filling *f, struct cursor c, enum field list)
{
    struct record_entry e, child;

    while (record_next(&c, &e) && (list == FIELD_COUNT || e.field == list)) {
        struct cursor object = cur_open(e.value);

        if (field_shapes[e.field].type != FT_OBJS) {
            add_entry(f, &e);
            continue;
        }
        while (record_next(&object, &child)) {
            if (f->field == FIELD_COUNT || child.field == f->field)
                add_entry(f, &child);
        }
    }
}

/* What stands in the header. */
static void
add_header(struct filling *f)
{
    struct sigma_view *w = f->w;
    struct span record = w->map->record;
    uint64_t seq = w->head.seq;

    switch (f->field) {
    case FIELD_TIMESTAMP: add(f, span_head(record, 8), FT_TIME); break;
    case FIELD_FLOW_ID:
        add(f, span_head(span_tail(record, 8), 8), FT_U64);
        break;
    case FIELD_FLOW_SEQ:
        memcpy(w->seq, &seq, sizeof(w->seq));
        add(f, span_of(w->seq, sizeof(w->seq)), FT_U64);
        break;
    case FIELD_EVENT_TYPE:
        add(f, span_str(event_type_name(w->head.type)), FT_STR);
        break;
    default: break;
    }
}

void
sigma_view_fill(struct sigma_view *w, uint16_t slot)
{
    const struct sigma_slot *s = &w->slots->v[slot];
    struct filling f = {w, slot, s->field, s->lens, 0};
    const struct record_map *m = w->map;
    enum field where = w->slots->where[slot];

    w->filled[slot] = w->number;
    w->first[slot] = 0;
    if (slot == SIGMA_SLOT_ANY) {
        f = (struct filling){w, slot, FIELD_COUNT, SIGMA_LENS_WHOLE, 0};
        add_all(&f, record_entries_of(m->record), FIELD_COUNT);
    } else if (field_is_header(where)) {
        add_header(&f);
    } else if (field_is_list(where)) {
        add_all(&f, record_map_list(m, where), where);
    } else if (record_map_has(m, where)) {
        struct record_entry e = {where, record_map_find(m, where)};

        add_entry(&f, &e);
    }
}

void
sigma_view_open(struct sigma_view *w, const struct sigma_slots *slots,
                const struct record_map *map)
{
    w->number++;
    w->n = 1;
    sigma_arena_reset(&w->scratch);
    w->slots = slots;
    w->map = map;
    w->head = record_head_of(map->record);
}

void
sigma_view_open_record(struct sigma_view *w, const struct sigma_slots *slots,
                       struct span record)
{
    record_map_init(&w->own, record);
    sigma_view_open(w, slots, &w->own);
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
    if (t->type != FT_STR && t->type != FT_TIME) {
        t->low = s; /* it has no capitals */
        return s;
    }
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
