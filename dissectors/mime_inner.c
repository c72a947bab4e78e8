#include "dissectors/mime_reading.h"

/* A part of the nested reader is one of ours. */
static void *
inner_begin(void *ctx, const struct mime_part *p)
{
    struct mime_inner *in = ctx;
    struct mime *m = in->outer;
    struct mime_part mine = *p;

    if (m->n_parts >= MIME_MAX_parts) {
        mime_note(m, NULL, MIME_ODD_TOO_MANY_PARTS);
        m->n_more++;
        return NULL;
    }
    mine.number = m->n_parts++;
    mine.parent += in->scope;
    mine.depth = (uint8_t)(mine.depth + in->depth);
    mine.reading = in->reading;
    mine.odd |= in->odd;
    return m->o.ops->part_begin(m->o.ctx, &mine);
}

static void
inner_message(void *ctx, const struct mime_part *p)
{
    struct mime_inner *in = ctx;
    struct mime_part mine = *p;

    mine.parent += in->scope;
    mine.depth = (uint8_t)(mine.depth + in->depth);
    mine.reading = in->reading;
    mine.odd |= in->odd;
    in->outer->o.ops->message(in->outer->o.ctx, &mine);
}

struct mime_inner *
mime_inner_new(struct mime *m, struct mime_reading *r)
{
    struct mime_inner *in;
    struct mime_options o = {.charset = m->o.charset};

    if (m->nested == MIME_NESTED || r->n_levels >= MIME_MAX_depth)
        return NULL;
    mime_note(m, NULL, MIME_ODD_ENCODED_MESSAGE);
    in = mem_new(m->mem, sizeof(*in));
    if (in == NULL) {
        mime_note(m, r, MIME_ODD_NO_MEMORY);
        return NULL;
    }
    in->outer = m;
    in->ops = *m->o.ops;
    in->ops.part_begin = inner_begin;
    if (in->ops.message != NULL)
        in->ops.message = inner_message;
    in->scope = ++m->n_scopes;
    in->depth = (uint8_t)(r->n_levels + 1);
    if (m->next_number < UINT8_MAX)
        m->next_number++;
    in->reading = m->next_number;
    in->odd = r->odd | UINT64_C(1) << MIME_ODD_ENCODED_MESSAGE;
    o.ops = &in->ops;
    o.ctx = in;
    if (mime_new(&o, m->mem, &in->m) != ERR_OK) {
        mime_note(m, r, MIME_ODD_NO_MEMORY);
        mem_free(m->mem, in, sizeof(*in));
        return NULL;
    }
    in->m->root = m->root;
    in->m->nested = (uint8_t)(m->nested + 1);
    return in;
}

void
mime_inner_end(struct mime_inner *in, bool complete)
{
    if (in == NULL)
        return;
    mime_end(in->m, complete);
    in->outer->odd |= mime_odds(in->m);
    in->outer->n_scopes += in->m->n_scopes;
    in->outer->n_more += in->m->n_more;
    mime_free(in->m);
    mem_free(in->outer->mem, in, sizeof(*in));
}
