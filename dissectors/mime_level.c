#include "dissectors/mime_reading.h"

struct mime_bounds *
mime_bounds_new(struct mime *m, const struct mime_values *v)
{
    struct mime_bounds *b;
    size_t size = sizeof(*b);
    uint8_t *at;

    for (unsigned i = 0; i < v->n; i++)
        size += span_head(mime_value_text(v, i), MIME_MAX_boundary).n;
    b = mem_new(m->mem, size);
    if (b == NULL) {
        mime_note(m, NULL, MIME_ODD_NO_MEMORY);
        return NULL;
    }
    b->refs = 1;
    b->size = (uint32_t)size;
    b->n = v->n;
    at = (uint8_t *)(b + 1);
    for (unsigned i = 0; i < v->n; i++) {
        struct span s = span_head(mime_value_text(v, i), MIME_MAX_boundary);

        memcpy(at, s.p, s.n);
        b->s[i] = span_of(at, s.n);
        at += s.n;
    }
    return b;
}

void
mime_bounds_free(struct mime *m, struct mime_bounds *b)
{
    if (b != NULL && --b->refs == 0)
        mem_free(m->mem, b, b->size);
}

void
mime_level_pop(struct mime *m, struct mime_reading *r)
{
    struct mime_level *l = mime_level_top(r);

    if (l->kind == MIME_LEVEL_MULTIPART && !l->closed)
        m->odd |= UINT64_C(1) << MIME_ODD_MISSING_END;
    mime_bounds_free(m, l->bounds);
    r->scope = l->scope;
    r->n_levels--;
}

/* There is room for one: body_begins has looked. */
struct mime_level *
mime_level_push(struct mime *m, struct mime_reading *r,
                enum mime_level_kind kind)
{
    struct mime_level *l = &r->levels[r->n_levels++];

    *l = (struct mime_level){.kind = (uint8_t)kind, .scope = r->scope};
    if (kind == MIME_LEVEL_MESSAGE || m->entity.boundaries.n == 0)
        return l;
    l->bounds = mime_bounds_new(m, &m->entity.boundaries);
    if (l->bounds != NULL)
        l->live = (uint16_t)((1U << l->bounds->n) - 1);
    return l;
}

static bool
same_bounds(const struct mime_bounds *a, const struct mime_bounds *b)
{
    if (a == b)
        return true;
    if (a == NULL || b == NULL || a->n != b->n)
        return false;
    for (unsigned i = 0; i < a->n; i++) {
        if (!span_eq(a->s[i], b->s[i]))
            return false;
    }
    return true;
}

bool
mime_level_same(const struct mime_level *a, const struct mime_level *b)
{
    return same_bounds(a->bounds, b->bounds) && a->live == b->live &&
           a->kind == b->kind && a->lenient == b->lenient &&
           a->after_end == b->after_end && a->sure == b->sure &&
           a->closed == b->closed;
}
