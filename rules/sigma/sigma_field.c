#include "rules/sigma/sigma_field.h"

#include "sensor/base/attr.h"

static const struct {
    const char *name;
    enum field field;
    enum sigma_lens lens;
} aliases[] = {
#define X(name, field, lens, doc) {name, FIELD_##field, SIGMA_LENS_##lens},
#include "rules/sigma/sigma_field.def"
#undef X
};

/* True when path without its "[]" is the name. */
static bool
is_path(struct span path, struct span name)
{
    size_t at = 0;

    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '[' || path.p[i] == ']')
            continue;
        if (span_at(name, at++) != path.p[i])
            return false;
    }
    return at == name.n;
}

bool
sigma_field_find(struct span name, struct sigma_slot *out)
{
    unsigned f = field_find(name);

    *out = (struct sigma_slot){FIELD_COUNT, SIGMA_LENS_WHOLE};
    if (name.n == 0)
        return false;
    if (f == FIELD_COUNT) {
        for (f = 0; f < FIELD_COUNT; f++) {
            if (is_path(span_str(field_table[f].path), name))
                break;
        }
    }
    for (size_t i = 0; f == FIELD_COUNT && i < ARRAY_LEN(aliases); i++) {
        if (span_eq(span_str(aliases[i].name), name)) {
            *out = (struct sigma_slot){aliases[i].field, aliases[i].lens};
            return true;
        }
    }
    if (f == FIELD_COUNT) {
        for (f = 0; f < FIELD_COUNT; f++) {
            if (span_eq(span_str(field_table[f].ecs), name))
                break;
        }
    }
    out->field = (enum field)f;
    return f != FIELD_COUNT;
}

struct span
sigma_field_near(struct span name)
{
    struct near near = near_start(name);

    for (unsigned f = 0; f < FIELD_COUNT; f++)
        near_offer(&near, span_str(field_table[f].path));
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        near_offer(&near, span_str(aliases[i].name));
    return near.best;
}

void
sigma_slots_init(struct sigma_slots *s)
{
    *s = (struct sigma_slots){.n = 1};
}

uint16_t
sigma_slots_add(struct sigma_slots *s, struct sigma_slot slot)
{
    uint16_t i = s->first[slot.field];

    while (i != 0 && s->v[i].lens != slot.lens)
        i = s->next[i];
    if (i != 0 || s->n == SIGMA_SLOTS_MAX)
        return i;
    i = s->n++;
    s->v[i] = slot;
    s->where[i] = field_parent_of(slot.field);
    if (s->where[i] == FIELD_COUNT)
        s->where[i] = slot.field;
    s->next[i] = s->first[slot.field];
    s->first[slot.field] = i;
    return i;
}

static struct span
path_of(struct span v)
{
    size_t at;

    v = span_trim(v);
    at = v.n;
    if (v.n == 0 || v.p[v.n - 1] != '>')
        return v;
    while (at > 0 && v.p[at - 1] != '<')
        at--;
    return at > 0 ? span_of(v.p + at, v.n - 1 - at) : v;
}

struct span
sigma_lens_apply(enum sigma_lens lens, struct span value)
{
    size_t at;

    if (lens == SIGMA_LENS_WHOLE)
        return value;
    value = path_of(value);
    if (lens == SIGMA_LENS_PATH)
        return value;
    at = value.n;
    while (at > 0 && value.p[at - 1] != '@')
        at--;
    return at > 0 ? span_tail(value, at) : SPAN_NONE;
}
