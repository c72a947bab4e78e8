#include "dashboards/facts.h"

/* The first signs of a look, each up to its comma. */
static struct span
some_signs(const char *why, size_t max)
{
    struct span all = span_str(why);
    size_t n = 0;

    while (n < all.n && max > 0) {
        size_t comma = span_find(span_tail(all, n), ',');

        max--;
        if (max == 0 || n + comma >= all.n)
            return span_head(all, n + comma);
        n += comma + 1;
    }
    return span_head(all, n);
}

void
facts_say_look(struct buf *b, const struct summary_host *h, size_t max)
{
    if (h->look == NULL)
        return;
    buf_str(b, span_starts(span_str(h->look), SPAN_LIT("behaves")) ? ""
               : span_find(SPAN_LIT("aeiou"), (uint8_t)h->look[0]) < 5
                   ? "looks like an "
                   : "looks like a ");
    buf_str(b, h->look);
    if (h->look_why == NULL || max == 0)
        return;
    buf_str(b, ": ");
    buf_span(b, some_signs(h->look_why, max));
}

void
facts_say_violation(struct buf *b, const struct summary_requirement *q)
{
    char addr[ADDR_TEXT_MAX];

    buf_put(b, addr, addr_format(&q->addr, addr));
    buf_putc(b, ' ');
    buf_str(b, q->what);
    buf_str(b, ": ");
    buf_str(b, q->text);
    for (size_t i = 0; i < SUMMARY_EVIDENCE && q->evidence[i][0] != '\0'; i++) {
        buf_str(b, i == 0 ? " (" : ", ");
        buf_str(b, q->evidence[i]);
    }
    buf_str(b, q->evidence[0][0] != '\0' ? ")" : "");
}

void
facts_say_registered(struct buf *b, const struct summary *s)
{
    words_count(b, s->violations, "requirement", NULL);
    buf_str(b, s->violations == 1 ? " was seen broken by a registered host"
                                  : " were seen broken by registered hosts");
    if (words_add(s->n_unseen, s->unseen_more) == 0)
        return;
    buf_str(b, "; ");
    words_count(b, words_add(s->n_unseen, s->unseen_more), "registered line",
                NULL);
    buf_str(b, " not seen");
}
