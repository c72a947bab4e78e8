#include "sensor/app/registry.h"

#include <stdlib.h>

#include "sensor/app/registry_table.h"
#include "sensor/app/registry_time.h"

static const struct registry_column columns[] = {
    {"FORM",       "form"     },
    {"SITE",       "site"     },
    {"LINES",      "lines"    },
    {"STATE",      "state"    },
    {"RECEIVED",   "received" },
    {"DUE (48 h)", "due"      },
    {"LEFT",       "left"     },
    {"",           "mark"     },
    {"",           "elapsed_s"},
    {"",           "net_s"    },
};

/* A form with lines that are not entered: the line that is due first, or one
 * whose clock stands. */
struct row {
    const struct book_form *form;
    const struct book_line *line;
    struct clock clock;
    ns_t due; /* 0: the clock stands */
    size_t permitted, lines;
};

static bool
look(const struct registry_call *c, const struct book_form *form,
     struct row *row)
{
    *row = (struct row){.form = form};
    for (size_t i = 0; i < form->form.n_lines; i++) {
        const struct book_line *l = form->lines[i];
        enum book_state s = book_state_at(l, c->now);
        struct clock clock = book_clock_at(l, c->now);
        ns_t due = clock_due(&clock);

        row->lines += s != BOOK_NONE && s != BOOK_ENDED;
        row->permitted += s == BOOK_PERMITTED;
        if (s == BOOK_NONE ||
            (clock.state != CLOCK_RUNNING && clock.state != CLOCK_PAUSED))
            continue;
        if (row->line == NULL ||
            (due > 0 && (row->due == 0 || due < row->due))) {
            row->line = l;
            row->clock = clock;
            row->due = due;
        }
    }
    return row->line != NULL;
}

/* What is due comes first, what stands last. */
static int
by_due(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;

    if (x->due != y->due)
        return x->due - 1 < y->due - 1 ? -1 : 1; /* 0 is the largest */
    return strcmp(x->form->form.number, y->form->form.number);
}

static void
put_left(const struct registry_call *c, const struct row *r, struct buf *out)
{
    if (r->due == 0) {
        buf_str(out, "clock paused ");
        registry_time_length(
            clock_total(&r->clock, c->now) - clock_net(&r->clock, c->now), out);
        if (r->line->reason != NULL)
            buf_printf(out, ": \"%s\"", r->line->reason);
    } else if (r->due <= c->now) {
        buf_str(out, "overdue by ");
        registry_time_length(c->now - r->due, out);
    } else {
        registry_time_length(r->due - c->now, out);
        if (clock_mark_at(&r->clock, c->now) != CLOCK_QUIET)
            buf_str(out, "  !");
    }
}

static const char *
mark_word(enum clock_mark m)
{
    static const char *const words[] = {
#define MARK_WORD(id, hours, word) word,
        CLOCK_MARKS(MARK_WORD)
#undef MARK_WORD
    };

    return words[m];
}

static void
add_row(const struct registry_call *c, struct registry_table *t,
        const struct row *r)
{
    struct buf text;

    buf_init(&text, 4096);
    registry_table_text(t, r->form->form.number);
    registry_table_text(t, r->form->form.text[FORM_SITE]);
    buf_printf(&text, "%zu/%zu", r->permitted, r->lines);
    registry_table_span(t, buf_view(&text));
    registry_table_text(t, book_word(book_state_at(r->line, c->now)));
    registry_table_time(t, r->line->dates.received);
    registry_table_time(t, r->due);
    buf_reset(&text);
    put_left(c, r, &text);
    registry_table_span(t, buf_view(&text));
    registry_table_text(t, r->due == 0
                               ? "paused"
                               : mark_word(clock_mark_at(&r->clock, c->now)));
    registry_table_number(t, clock_total(&r->clock, c->now) / NS_PER_S);
    registry_table_number(t, clock_net(&r->clock, c->now) / NS_PER_S);
    buf_free(&text);
}

static bool
is_within(const struct registry_call *c, const struct row *r)
{
    return r->due == 0 || r->due <= c->now ||
           r->due - c->now <= c->config->within;
}

enum cli_exit
registry_due(struct registry_call *c)
{
    size_t n = 0;
    struct row *rows = calloc(book_n_forms(c->book) + 1, sizeof(*rows));
    struct registry_table t;
    bool good = rows != NULL;

    registry_table_init(&t, columns, ARRAY_LEN(columns));
    for (size_t i = 0; good && i < book_n_forms(c->book); i++)
        n += look(c, book_form_at(c->book, i), &rows[n]);
    if (n > 0)
        qsort(rows, n, sizeof(*rows), by_due);
    for (size_t i = 0; i < n; i++) {
        if (is_within(c, &rows[i]))
            add_row(c, &t, &rows[i]);
    }
    good = good && registry_table_write(&t, c->config, "span25.registry.due",
                                        "nothing is due", c->out);
    registry_table_fini(&t);
    free(rows);
    return good ? CLI_EXIT_DONE
                : registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
}
