#include "sensor/app/registry_lines.h"

#include <stdlib.h>

#include "sensor/app/registry_time.h"

#define LIST_MAX 1024

const char *
registry_lines_use(const struct form_line *l)
{
    static const char *const words[] = {"", "send", "receive", "both"};

    return l->readable ? words[l->use & FORM_BOTH] : "";
}

static bool
is_watched(const struct form_line *l, const struct config *c)
{
    if (!l->readable || l->port == 0)
        return true;
    for (size_t i = 0; i < c->ports.n; i++) {
        if (c->ports.v[i] == l->port)
            return true;
    }
    return false;
}

static void
next(struct buf *out)
{
    if (out->n > 0)
        buf_str(out, "; ");
}

/* A change that stands in the line beforehand. */
static void
note_ahead(const struct book_line *l, const struct config *c, ns_t now,
           struct buf *out)
{
    for (size_t i = 0; i < l->n_changes; i++) {
        const struct book_change *x = &l->changes[i];

        if (x->from <= now)
            continue;
        if (x->state == BOOK_SUSPENDED) {
            next(out);
            buf_str(out, "suspended from ");
            registry_time_show(x->from, c->utc, out);
        } else if (x->state == BOOK_ENDED && x->from - now <= BOOK_RENEWAL) {
            next(out);
            buf_str(out, "renewal due");
        }
    }
}

void
registry_lines_note(const struct book_line *l, const struct config *c, ns_t now,
                    struct buf *out)
{
    struct clock clock = book_clock_at(l, now);

    if (!is_watched(l->line, c))
        buf_str(out, "not monitored");
    if (clock.state == CLOCK_RUNNING &&
        clock_mark_at(&clock, now) == CLOCK_OVERDUE) {
        next(out);
        buf_str(out, "overdue");
    }
    note_ahead(l, c, now, out);
    if (l->dates.protected_until > now &&
        book_state_at(l, now) == BOOK_REQUESTED) {
        next(out);
        buf_str(out, "protected until ");
        registry_time_show(l->dates.protected_until, c->utc, out);
    }
}

static int
by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

bool
registry_lines_read(const char *text, uint32_t **out, size_t *n)
{
    struct span rest = span_str(text);
    uint32_t *v = calloc(LIST_MAX, sizeof(*v));
    size_t kept = 0;
    bool good = v != NULL;

    *n = 0;
    while (good) {
        size_t comma = span_find(rest, ',');
        uint64_t number;

        good = *n < LIST_MAX &&
               span_to_u64(span_trim(span_head(rest, comma)), &number) &&
               number > 0 && number <= UINT32_MAX;
        if (good)
            v[(*n)++] = (uint32_t)number;
        if (comma == rest.n)
            break;
        rest = span_tail(rest, comma + 1);
    }
    if (!good) {
        free(v);
        return false;
    }
    qsort(v, *n, sizeof(*v), by_number);
    for (size_t i = 0; i < *n; i++) {
        if (kept == 0 || v[kept - 1] != v[i])
            v[kept++] = v[i];
    }
    *n = kept;
    *out = v;
    return true;
}
