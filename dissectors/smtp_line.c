#include "dissectors/smtp_line.h"

static void
finish(struct span text, struct line *out)
{
    out->eol = EOL_LF;
    if (text.n > 0 && span_at(text, text.n - 1) == '\r') {
        out->eol = EOL_CRLF;
        text.n--;
    }
    out->text = text;
}

/* The end of a long line decides its line end, so its last byte is kept. */
static void
carry(struct line_in *l, struct mem *m, struct span s, size_t max)
{
    size_t room = max > l->carry.n ? max - l->carry.n : 0;

    if (s.n == 0)
        return;
    if (s.n > room || !vec_put(&l->carry, m, s.p, s.n)) {
        struct span head = span_head(s, room);

        l->cut = true;
        if (head.n > 0 && vec_put(&l->carry, m, head.p, head.n))
            s = span_tail(s, head.n);
        if (l->carry.n > 0 && s.n > 0)
            l->carry.p[l->carry.n - 1] = span_at(s, s.n - 1);
    }
}

bool
line_take(struct line_in *l, struct mem *m, struct span *in, size_t max,
          struct line *out)
{
    size_t at;
    struct span head;

    if (l->spent)
        line_reset(l, m);
    at = span_find(*in, '\n');
    head = span_head(*in, at);
    if (at == in->n) {
        carry(l, m, head, max);
        *in = span_tail(*in, in->n);
        return false;
    }
    *in = span_tail(*in, at + 1);
    if (l->carry.n == 0 && !l->cut && head.n <= max + 1) {
        out->cut = false;
        finish(head, out);
        return true;
    }
    carry(l, m, head, max + 1);
    out->cut = l->cut;
    l->spent = true;
    finish(vec_view(&l->carry), out);
    return true;
}

void
line_reset(struct line_in *l, struct mem *m)
{
    if (l->carry.n > 0) /* it may have held credentials */
        explicit_bzero(l->carry.p, l->carry.n);
    vec_free(&l->carry, m);
    l->cut = l->spent = false;
}

struct span
line_begun(const struct line_in *l)
{
    return l->spent ? SPAN_NONE : vec_view(&l->carry);
}
