#include "dissectors/smtp_line.h"

void
line_wipe(struct vec *v, struct mem *m)
{
    if (v->cap > 0)
        explicit_bzero(v->p, v->cap);
    vec_free(v, m);
}

/* realloc would leave the old bytes where they were. */
bool
line_store(struct vec *v, struct mem *m, const void *p, size_t n)
{
    if (n > v->cap - v->n) {
        struct vec next = {0};

        if (!vec_reserve(&next, m, v->n + (n > v->n ? n : v->n)))
            return false;
        (void)vec_put(&next, m, v->p, v->n);
        line_wipe(v, m);
        *v = next;
    }
    return vec_put(v, m, p, n);
}

static void
finish(struct span text, bool over, bool cr, size_t max, struct line *out)
{
    out->eol = cr ? EOL_CRLF : EOL_LF;
    if (cr && !over)
        text.n--;
    out->cut = over || text.n > max;
    out->text = span_head(text, max);
}

/* One byte more than max is kept: it may be the CR. */
static void
carry(struct line_in *l, struct mem *m, struct span s, size_t max)
{
    struct span head = span_head(s, max + 1 - l->carry.n);

    if (s.n == 0)
        return;
    l->last_cr = span_at(s, s.n - 1) == '\r';
    l->over |= !line_store(&l->carry, m, head.p, head.n) || head.n < s.n;
}

bool
line_take(struct line_in *l, struct mem *m, struct span *in, size_t max,
          struct line *out)
{
    size_t at = span_find(*in, '\n');
    struct span head = span_head(*in, at);

    line_done(l, m);
    if (at == in->n) {
        carry(l, m, head, max);
        *in = span_tail(*in, in->n);
        return false;
    }
    *in = span_tail(*in, at + 1);
    if (l->carry.n == 0 && !l->over) {
        finish(head, false, at > 0 && span_at(head, at - 1) == '\r', max, out);
        return true;
    }
    carry(l, m, head, max);
    l->spent = true;
    finish(vec_view(&l->carry), l->over, l->last_cr, max, out);
    return true;
}

void
line_reset(struct line_in *l, struct mem *m)
{
    line_wipe(&l->carry, m);
    l->over = l->last_cr = l->spent = false;
}

void
line_done(struct line_in *l, struct mem *m)
{
    if (l->spent)
        line_reset(l, m);
}

struct span
line_begun(const struct line_in *l)
{
    return l->spent ? SPAN_NONE : vec_view(&l->carry);
}
