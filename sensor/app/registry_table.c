#include "sensor/app/registry_table.h"

#include <stdlib.h>

#include "rules/registry/csv.h"
#include "sensor/app/caller.h"
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

        if (t->columns[i % t->n_columns].head[0] == 0)
            continue;
        buf_reset(&room);
        show_cell(t, &t->cells[i], utc, &room);
        n = width_of(buf_view(&room));
        *w = n > *w ? n : *w;
    }
    buf_free(&room);
}

/* ---- fitting a terminal ---- */

#define LEAST_TEXT 24U /* columns to which a text is made shorter */
#define BREAK      ((size_t)1 << 32) /* more blanks than a line can have */
#define INDENT     4U                /* of the lines in which a row goes on */

struct layout {
    size_t *widths; /* 0: not shown */
    bool *breaks;   /* a new line before this column */
    bool *texts;    /* may be made shorter */
    bool utc;
};

static size_t
line_width(const struct registry_table *t, const struct layout *l)
{
    size_t n = 0;

    for (size_t k = 0; k < t->n_columns; k++)
        n += l->widths[k] > 0 ? l->widths[k] + (n > 0 ? 2 : 0) : 0;
    return n;
}

/* The widest text that may still be made shorter; n_columns: none. */
static size_t
widest(const struct registry_table *t, const struct layout *l)
{
    size_t at = t->n_columns;

    for (size_t k = 0; k < t->n_columns; k++) {
        if (l->texts[k] && l->widths[k] > LEAST_TEXT &&
            (at == t->n_columns || l->widths[k] > l->widths[at]))
            at = k;
    }
    return at;
}

/* The last of all has the rest of its line. */
static bool
is_last(const struct registry_table *t, const struct layout *l, size_t k)
{
    while (++k < t->n_columns) {
        if (l->widths[k] > 0)
            return false;
    }
    return true;
}

/* What even so does not fit goes on in further lines. */
static void
fold(const struct registry_table *t, struct layout *l, size_t room)
{
    size_t column = 0;

    for (size_t k = 0; k < t->n_columns; k++) {
        size_t left = column + 2 < room ? room - column - 2 : 0;

        if (l->widths[k] == 0)
            continue;
        if (column > 0 && l->widths[k] > left) {
            l->breaks[k] = true;
            column = INDENT;
        } else if (column > 0) {
            column += 2;
        }
        left = room - column;
        if (l->texts[k] && (l->widths[k] > left || is_last(t, l, k)))
            l->widths[k] = left;
        column += l->widths[k];
    }
}

static void
find_texts(const struct registry_table *t, struct layout *l)
{
    for (size_t k = 0; k < t->n_columns; k++) {
        bool empty = true;

        for (size_t row = 0; row < registry_table_rows(t); row++) {
            const struct registry_cell *c = cell_at(t, row, k);

            l->texts[k] |= c->kind == CELL_TEXT;
            empty &=
                c->kind == CELL_NONE || (c->kind == CELL_TEXT && c->n == 0);
        }
        if (empty)
            l->widths[k] = 0;
    }
}

static void
fit(const struct registry_table *t, struct layout *l, size_t room)
{
    size_t wide;

    if (line_width(t, l) <= room)
        return;
    find_texts(t, l);
    for (size_t k = 0; k < t->n_columns; k++) {
        if (l->texts[k] && l->widths[k] > room)
            l->widths[k] = room - INDENT;
    }
    while (line_width(t, l) > room && (wide = widest(t, l)) < t->n_columns)
        l->widths[wide]--;
    if (line_width(t, l) > room)
        fold(t, l, room);
}

/* At most so many characters of what is UTF-8 already; an ellipsis says that
 * there was more. */
static void
put_cut(struct buf *out, struct span text, size_t width)
{
    size_t chars = 0, n = 0;

    if (width_of(text) <= width) {
        buf_span(out, text);
        return;
    }
    while (n < text.n) {
        chars += (span_at(text, n) & 0xc0) != 0x80;
        if (chars >= width)
            break;
        n++;
    }
    buf_span(out, span_head(text, n));
    buf_str(out, "\xe2\x80\xa6");
}

/* No blanks at the end of a line. */
static void
show_row(const struct registry_table *t, size_t row, bool head,
         const struct layout *l, struct buf *out)
{
    size_t blanks = 0;
    struct buf room, cell;

    buf_init(&room, 1 << 16);
    buf_init(&cell, 1 << 16);
    for (size_t k = 0; k < t->n_columns; k++) {
        if (l->widths[k] == 0)
            continue;
        buf_reset(&room);
        buf_reset(&cell);
        if (head)
            buf_str(&room, t->columns[k].head);
        else
            show_cell(t, cell_at(t, row, k), l->utc, &room);
        put_cut(&cell, buf_view(&room), l->widths[k]);
        if (l->breaks[k])
            blanks = BREAK;
        if (cell.n > 0 && blanks >= BREAK) {
            buf_putc(out, '\n');
            blanks = INDENT + blanks - BREAK;
        }
        if (cell.n > 0) {
            while (blanks-- > 0)
                buf_putc(out, ' ');
            blanks = 0;
        }
        buf_span(out, buf_view(&cell));
        blanks += l->widths[k] + 2 - width_of(buf_view(&cell));
    }
    buf_putc(out, '\n');
    buf_free(&room);
    buf_free(&cell);
}

static void
show_rows(const struct registry_table *t, struct layout *l, size_t room,
          struct buf *out)
{
    measure(t, l->utc, l->widths);
    if (room > 0)
        fit(t, l, room);
    show_row(t, 0, true, l, out);
    for (size_t i = 0; i < registry_table_rows(t); i++)
        show_row(t, i, false, l, out);
}

bool
registry_table_people(const struct registry_table *t, bool utc,
                      const char *empty, size_t room, struct buf *out)
{
    struct layout l = {
        .widths = calloc(t->n_columns, sizeof(*l.widths)),
        .breaks = calloc(t->n_columns, sizeof(*l.breaks)),
        .texts = calloc(t->n_columns, sizeof(*l.texts)),
        .utc = utc,
    };
    bool good = l.widths != NULL && l.breaks != NULL && l.texts != NULL;

    if (good && t->n == 0)
        buf_printf(out, "%s\n", empty);
    else if (good)
        show_rows(t, &l, room, out);
    free(l.widths);
    free(l.breaks);
    free(l.texts);
    return good;
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
write_page(const struct registry_page *page, struct json_out *j)
{
    json_key(j, "next");
    if (page->next[0] != 0)
        (void)json_str(j, span_str(page->next));
    else
        json_null(j);
    json_key(j, "total");
    json_u64(j, page->total);
    json_key(j, "exact");
    json_bool(j, page->exact);
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
    if (t->page != NULL)
        write_page(t->page, &j);
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
        return registry_table_people(t, c->utc, empty, caller_columns(), out);
    return true;
}
