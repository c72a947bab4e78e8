#include "sensor/app/registry_table.h"

#include <stdlib.h>

#include "rules/registry/csv.h"
#include "sensor/app/registry_time.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

#define TEXT_MAX (1U << 30)

enum cell_kind { CELL_NONE, CELL_TEXT, CELL_NUMBER, CELL_TIME, CELL_BOOL };

struct registry_cell {
    enum cell_kind kind;
    size_t at, n; /* of a text */
    uint64_t v;
};

void
registry_table_init(struct registry_table *t,
                    const struct registry_column *columns, size_t n)
{
    *t = (struct registry_table){.columns = columns, .n_columns = n};
    buf_init(&t->text, TEXT_MAX);
}

void
registry_table_fini(struct registry_table *t)
{
    free(t->cells);
    buf_free(&t->text);
}

static void
add(struct registry_table *t, struct registry_cell cell)
{
    if (t->n == t->cap) {
        size_t cap = t->cap > 0 ? 2 * t->cap : 256;
        struct registry_cell *cells =
            reallocarray(t->cells, cap, sizeof(*cells));

        if (cells == NULL) {
            t->failed = true;
            return;
        }
        t->cells = cells;
        t->cap = cap;
    }
    t->cells[t->n++] = cell;
}

void
registry_table_span(struct registry_table *t, struct span text)
{
    size_t at = t->text.n;

    buf_span(&t->text, text);
    add(t, (struct registry_cell){CELL_TEXT, at, t->text.n - at, 0});
}

void
registry_table_text(struct registry_table *t, const char *text)
{
    if (text != NULL)
        registry_table_span(t, span_str(text));
    else
        add(t, (struct registry_cell){.kind = CELL_NONE});
}

void
registry_table_number(struct registry_table *t, uint64_t v)
{
    add(t, (struct registry_cell){.kind = CELL_NUMBER, .v = v});
}

void
registry_table_time(struct registry_table *t, ns_t when)
{
    add(t, (struct registry_cell){.kind = when > 0 ? CELL_TIME : CELL_NONE,
                                  .v = when});
}

void
registry_table_bool(struct registry_table *t, bool v)
{
    add(t, (struct registry_cell){.kind = CELL_BOOL, .v = v});
}

size_t
registry_table_rows(const struct registry_table *t)
{
    return t->n / t->n_columns;
}

static const struct registry_cell *
cell_at(const struct registry_table *t, size_t row, size_t column)
{
    return &t->cells[row * t->n_columns + column];
}

static struct span
text_of(const struct registry_table *t, const struct registry_cell *c)
{
    return span_head(span_tail(buf_view(&t->text), c->at), c->n);
}

/* ---- for people ---- */

static void
show_cell(const struct registry_table *t, const struct registry_cell *c,
          bool utc, struct buf *out)
{
    switch (c->kind) {
    case CELL_NONE: break;
    case CELL_TEXT: text_term(out, text_of(t, c)); break;
    case CELL_NUMBER: buf_u64(out, c->v); break;
    case CELL_TIME: registry_time_show(c->v, utc, out); break;
    case CELL_BOOL: buf_str(out, c->v != 0 ? "yes" : "no"); break;
    }
}

/* Characters, not bytes. */
static size_t
width_of(struct span s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += (span_at(s, i) & 0xc0) != 0x80;
    return n;
}

static void
measure(const struct registry_table *t, bool utc, size_t *widths)
{
    struct buf room;

    buf_init(&room, 1 << 16);
    for (size_t k = 0; k < t->n_columns; k++)
        widths[k] = width_of(span_str(t->columns[k].head));
    for (size_t i = 0; i < t->n; i++) {
        size_t *w = &widths[i % t->n_columns];
        size_t n;

        buf_reset(&room);
        show_cell(t, &t->cells[i], utc, &room);
        n = width_of(buf_view(&room));
        *w = n > *w ? n : *w;
    }
    buf_free(&room);
}

/* Row -1 is the head. No blanks at the end of a line. */
static void
show_row(const struct registry_table *t, size_t row, bool head, bool utc,
         const size_t *widths, struct buf *out)
{
    size_t blanks = 0;
    struct buf room;

    buf_init(&room, 1 << 16);
    for (size_t k = 0; k < t->n_columns; k++) {
        if (t->columns[k].head[0] == 0)
            continue;
        buf_reset(&room);
        if (head)
            buf_str(&room, t->columns[k].head);
        else
            show_cell(t, cell_at(t, row, k), utc, &room);
        if (room.n > 0) {
            while (blanks-- > 0)
                buf_putc(out, ' ');
            blanks = 0;
        }
        buf_span(out, buf_view(&room));
        blanks += widths[k] + 2 - width_of(buf_view(&room));
    }
    buf_putc(out, '\n');
    buf_free(&room);
}

static bool
write_text(const struct registry_table *t, bool utc, const char *empty,
           struct buf *out)
{
    size_t *widths = calloc(t->n_columns, sizeof(*widths));

    if (widths == NULL)
        return false;
    if (t->n == 0) {
        buf_printf(out, "%s\n", empty);
        free(widths);
        return true;
    }
    measure(t, utc, widths);
    show_row(t, 0, true, utc, widths, out);
    for (size_t i = 0; i < registry_table_rows(t); i++)
        show_row(t, i, false, utc, widths, out);
    free(widths);
    return true;
}

/* ---- for programs ---- */

static void
csv_cell(const struct registry_table *t, const struct registry_cell *c,
         struct buf *out)
{
    switch (c->kind) {
    case CELL_NONE: break;
    case CELL_TEXT: csv_put(out, text_of(t, c)); break;
    case CELL_NUMBER: buf_u64(out, c->v); break;
    case CELL_TIME: registry_time_utc(c->v, out); break;
    case CELL_BOOL: buf_str(out, c->v != 0 ? "yes" : "no"); break;
    }
}

static void
write_csv(const struct registry_table *t, struct buf *out)
{
    for (size_t k = 0; k < t->n_columns; k++)
        buf_printf(out, "%s%s", k > 0 ? "," : "", t->columns[k].key);
    buf_putc(out, '\n');
    for (size_t i = 0; i < t->n; i++) {
        csv_cell(t, &t->cells[i], out);
        buf_putc(out, (i + 1) % t->n_columns == 0 ? '\n' : ',');
    }
}

static void
json_cell(const struct registry_table *t, const struct registry_cell *c,
          struct json_out *j)
{
    struct buf time;

    switch (c->kind) {
    case CELL_NONE: json_null(j); break;
    case CELL_TEXT: (void)json_str(j, text_of(t, c)); break;
    case CELL_NUMBER: json_u64(j, c->v); break;
    case CELL_TIME:
        buf_init(&time, 64);
        registry_time_utc(c->v, &time);
        (void)json_str(j, buf_view(&time));
        buf_free(&time);
        break;
    case CELL_BOOL: json_bool(j, c->v != 0); break;
    }
}

static void
write_json(const struct registry_table *t, const char *name, struct buf *out)
{
    struct json_out j = json_out_open(out);

    json_begin(&j, '{');
    json_key(&j, "schema");
    (void)json_str(&j, span_str(name));
    json_key(&j, "rows");
    json_begin(&j, '[');
    for (size_t i = 0; i < registry_table_rows(t); i++) {
        json_begin(&j, '{');
        for (size_t k = 0; k < t->n_columns; k++) {
            json_key(&j, t->columns[k].key);
            json_cell(t, cell_at(t, i, k), &j);
        }
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
    buf_putc(out, '\n');
}

bool
registry_table_write(const struct registry_table *t, const struct config *c,
                     const char *name, const char *empty, struct buf *out)
{
    if (t->failed || t->text.failed || t->text.cut)
        return false;
    if (c->json)
        write_json(t, name, out);
    else if (c->csv)
        write_csv(t, out);
    else
        return write_text(t, c->utc, empty, out);
    return true;
}
