#include "dissectors/mime_reading.h"

static void
reading_free(struct mime *m, struct mime_reading *r)
{
    if (r == NULL)
        return;
    while (r->n_levels > 0) {
        mime_bounds_free(m, mime_level_top(r)->bounds);
        r->n_levels--;
    }
    mime_header_free(&r->header, m->mem);
    vec_free(&r->pending, m->mem);
    mem_free(m->mem, r, sizeof(*r));
}

bool
mime_readings_first(struct mime *m)
{
    struct mime_reading *r = mem_new(m->mem, sizeof(*r));

    if (r == NULL)
        return false;
    m->readings[m->n_readings++] = r;
    return true;
}

void
mime_readings_free(struct mime *m)
{
    while (m->n_readings > 0)
        reading_free(m, m->readings[--m->n_readings]);
}

/* Another reading in the same state; NULL when there are enough. */
struct mime_reading *
mime_readings_fork(struct mime *m, struct mime_reading *r)
{
    struct mime_reading *f;

    if (m->n_readings == MIME_READINGS) {
        mime_note(m, r, MIME_ODD_READINGS_CUT);
        return NULL;
    }
    f = mem_new(m->mem, sizeof(*f));
    if (f == NULL) {
        mime_note(m, r, MIME_ODD_NO_MEMORY);
        return NULL;
    }
    *f = *r;
    f->streams = 0;
    f->pending = (struct vec){0};
    for (unsigned i = 0; i < f->n_levels; i++) {
        if (f->levels[i].bounds != NULL)
            f->levels[i].bounds->refs++;
    }
    if (!mime_header_copy(&r->header, m->mem, &f->header) ||
        !vec_put(&f->pending, m->mem, r->pending.p, r->pending.n))
        mime_note(m, r, MIME_ODD_NO_MEMORY);
    if (m->next_number < UINT8_MAX)
        m->next_number++;
    f->number = m->next_number;
    mime_leaf_fork(m, r, f);
    m->readings[m->n_readings++] = f;
    return f;
}

struct mime_reading *
mime_readings_fork_bare(struct mime *m, struct mime_reading *r)
{
    const uint8_t streams = r->streams;
    struct mime_reading *f;

    r->streams = 0;
    f = mime_readings_fork(m, r);
    r->streams = streams;
    return f;
}

static bool
same_reading(const struct mime_reading *a, const struct mime_reading *b)
{
    if (a->state != b->state || a->state == MIME_IN_LEAF ||
        a->n_levels != b->n_levels || a->header.n != b->header.n ||
        a->header.n > 0 || a->header.any != b->header.any ||
        a->want != MIME_WANT_NOTHING || b->want != MIME_WANT_NOTHING ||
        a->shadow != b->shadow)
        return false;
    for (unsigned i = 0; i < a->n_levels; i++) {
        if (!mime_level_same(&a->levels[i], &b->levels[i]))
            return false;
    }
    return true;
}

void
mime_readings_merge(struct mime *m)
{
    unsigned n = 0;

    for (unsigned i = 0; i < m->n_readings; i++) {
        struct mime_reading *r = m->readings[i];
        unsigned k = 0;

        while (k < n && !same_reading(m->readings[k], r))
            k++;
        if (k < n || r->dead)
            reading_free(m, r);
        else
            m->readings[n++] = r;
    }
    m->n_readings = (uint8_t)n;
    m->changed = false;
}
