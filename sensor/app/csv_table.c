#include "sensor/app/csv_table.h"

#include "sensor/base/text.h"

#define BOM SPAN_LIT("\xef\xbb\xbf")

/* ---- faults ---- */

size_t
csv_table_line(const struct csv_table *t)
{
    return t->csv.line + t->lines;
}

bool
csv_table_fault(struct csv_table *t, size_t line, size_t column)
{
    if (t->n_faults++ >= CSV_TABLE_FAULTS)
        return false;
    text_term(t->messages, span_str(t->about.name));
    buf_printf(t->messages, ":%zu:%zu: ", line, column);
    return true;
}

static void
put_quoted(struct csv_table *t, struct span s)
{
    buf_putc(t->messages, '\'');
    text_term(t->messages, span_head(s, CSV_TABLE_CUT));
    buf_str(t->messages, s.n > CSV_TABLE_CUT ? "...'" : "'");
}

void
csv_table_fault_cell(struct csv_table *t, const struct csv_cell *cell,
                     const char *what)
{
    if (!csv_table_fault(t, cell->line + t->lines, cell->column))
        return;
    put_quoted(t, cell->text);
    buf_printf(t->messages, " %s\n", what);
}

void
csv_table_fault_word(struct csv_table *t, const struct csv_cell *cell,
                     const char *what, const char *const *words, size_t n)
{
    struct near near = near_start(cell->text);

    if (!csv_table_fault(t, cell->line + t->lines, cell->column))
        return;
    for (size_t i = 0; i < n; i++)
        near_offer(&near, span_str(words[i]));
    put_quoted(t, cell->text);
    buf_printf(t->messages, " is no %s; ", what);
    if (near.best.n > 0) {
        buf_str(t->messages, "did you mean ");
        put_quoted(t, near.best);
        buf_str(t->messages, "?\n");
        return;
    }
    buf_str(t->messages, "it is one of");
    for (size_t i = 0; i < n; i++)
        buf_printf(t->messages, "%s %s", i > 0 ? "," : "", words[i]);
    buf_putc(t->messages, '\n');
}

/* ---- rows ---- */

/* Of the line that names the columns: whether quoted or not. */
static bool
is_head(struct span line, struct span first)
{
    if (span_starts(line, BOM))
        line = span_tail(line, BOM.n);
    line = span_trim(line);
    if (span_at(line, 0) == '"')
        line = span_tail(line, 1);
    return span_starts_nocase(line, first) &&
           span_find(SPAN_LIT(",;\t\""), span_at(line, first.n)) < 4;
}

static struct span
skip_text(struct csv_table *t, struct span text)
{
    const struct span first = span_str(t->about.columns[0]);
    struct span rest = text;

    while (rest.n > 0 && !is_head(rest, first)) {
        rest = span_tail(rest, span_find(rest, '\n') + 1);
        t->lines++;
    }
    if (rest.n > 0)
        return rest;
    t->lines = 0;
    return text;
}

enum err
csv_table_open(struct csv_table *t, struct span text,
               const struct csv_table_about *about, struct buf *messages)
{
    REQUIRE(about->n > 0 && about->n <= CSV_TABLE_COLUMNS);
    *t = (struct csv_table){.about = *about, .messages = messages};
    if (about->after_text)
        text = skip_text(t, text);
    return csv_init(&t->csv, text, about->row_max);
}

static bool
read_head(struct csv_table *t)
{
    bool good = true;

    for (size_t k = 0; k < t->about.n; k++) {
        const struct span name = span_str(t->about.columns[k]);
        size_t i = 0;

        while (i < t->csv.n_cells &&
               !span_eq_nocase(t->csv.cells[i].text, name))
            i++;
        t->at[k] = i;
        if (i < t->csv.n_cells)
            continue;
        good = false;
        if (csv_table_fault(t, csv_table_line(t), 1))
            buf_printf(t->messages, "the first line names no column '%s'\n",
                       t->about.columns[k]);
    }
    return good;
}

static bool
has_all(struct csv_table *t)
{
    for (size_t k = 0; k < t->about.n; k++) {
        if (t->at[k] < t->csv.n_cells)
            continue;
        if (csv_table_fault(t, csv_table_line(t), 1))
            buf_printf(t->messages, "the row has no '%s'\n",
                       t->about.columns[k]);
        return false;
    }
    return true;
}

bool
csv_table_next(struct csv_table *t)
{
    for (;;) {
        switch (csv_next(&t->csv)) {
        case CSV_END: return false;
        case CSV_BAD:
            if (csv_table_fault(t, t->csv.where.line + t->lines,
                                t->csv.where.column))
                buf_printf(t->messages, "%s\n", t->csv.fault);
            break;
        case CSV_ROW:
            if (t->has_head && has_all(t))
                return true;
            if (!t->has_head && !read_head(t)) {
                t->has_head = true;
                return false;
            }
            t->has_head = true;
            break;
        }
    }
}

const struct csv_cell *
csv_table_cell(const struct csv_table *t, size_t column)
{
    return &t->csv.cells[t->at[column]];
}

enum err
csv_table_close(struct csv_table *t, enum err e)
{
    if (e == ERR_OK && !t->has_head && csv_table_fault(t, 1, 1)) {
        buf_str(t->messages, "there is no first line: ");
        for (size_t k = 0; k < t->about.n; k++)
            buf_printf(t->messages, "%s%s", k > 0 ? "," : "",
                       t->about.columns[k]);
        buf_putc(t->messages, '\n');
    }
    if (t->n_faults > CSV_TABLE_FAULTS) {
        text_term(t->messages, span_str(t->about.name));
        buf_printf(t->messages, ": %u more faults\n",
                   t->n_faults - CSV_TABLE_FAULTS);
    }
    csv_fini(&t->csv);
    return e == ERR_OK && t->n_faults > 0 ? ERR_CONFIG : e;
}
