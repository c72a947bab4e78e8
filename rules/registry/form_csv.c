#include "rules/registry/csv.h"
#include "rules/registry/form_source.h"

#include <inttypes.h>
#include <stdio.h>

#include "sensor/base/near.h"
#include "sensor/base/text.h"

/* What a column holds: a field, or one of these. */
enum {
    COLUMN_FORM = FORM_FIELD_COUNT,
    COLUMN_LINE,
    COLUMN_NAMELESS, /* as long as nothing is in it */
    COLUMN_PASSED    /* x_..., and those that a fault was told of */
};

#define EMPTY_MAX (1U << 21) /* rows; a sheet has half as many */

#define NEW_FORM SPAN_LIT("#") /* begins one that has no number yet */

struct reader {
    struct form_source *s;
    struct csv csv;
    unsigned columns[CSV_CELLS_MAX];
    size_t n_columns;
    size_t n_empty;                     /* rows */
    struct span cells[COLUMN_LINE + 1]; /* of the row, empty where none */
    struct form_place places[COLUMN_LINE + 1];
    struct buf room; /* of cells that lost an apostrophe */
    size_t current;  /* form of the row before, or SIZE_MAX */
    bool by_site;    /* the current form was found by its site */
};

static struct form_place
place_of(const struct csv_cell *cell)
{
    return (struct form_place){cell->line, cell->column};
}

static struct form_place
row_place(const struct reader *r)
{
    return (struct form_place){r->csv.line, 1};
}

/* ---- the head ---- */

static const char *
name_of(unsigned column)
{
    if (column == COLUMN_FORM)
        return "form";
    return column == COLUMN_LINE ? "line" : form_rows[column].column;
}

static unsigned
find_column(struct span name)
{
    for (unsigned i = 0; i <= COLUMN_LINE; i++) {
        if (span_eq_nocase(name, span_str(name_of(i))))
            return i;
    }
    if (name.n == 0)
        return COLUMN_NAMELESS;
    return COLUMN_PASSED;
}

static struct span
near_column(struct span name)
{
    struct near near = near_start(name);

    for (unsigned i = 0; i <= COLUMN_LINE; i++)
        near_offer(&near, span_str(name_of(i)));
    return near.best;
}

static void
fault_twice(struct reader *r, struct form_place at, unsigned column)
{
    if (form_source_begin(r->s, at))
        buf_printf(r->s->messages, "the column '%s' is there twice\n",
                   name_of(column));
}

static void
take_column(struct reader *r, size_t i, bool *seen)
{
    struct span name = csv_plain(r->csv.cells[i].text, &r->room);
    struct form_place at = place_of(&r->csv.cells[i]);
    unsigned column = find_column(name);

    r->columns[i] = column;
    if (column == COLUMN_PASSED) {
        if (!span_starts_nocase(name, SPAN_LIT("x_")))
            form_source_unknown(r->s, at, "column", name, near_column(name));
    } else if (column != COLUMN_NAMELESS && seen[column]) {
        fault_twice(r, at, column);
        r->columns[i] = COLUMN_PASSED;
    } else if (column != COLUMN_NAMELESS) {
        seen[column] = true;
    }
}

/* A list of addresses and their sites. */
static bool
is_short(const bool *seen)
{
    for (unsigned i = 0; i <= COLUMN_LINE; i++) {
        if (seen[i] && i != FORM_ADDRESS && i != FORM_SITE)
            return false;
    }
    return true;
}

static bool
names_any(const struct reader *r)
{
    for (size_t i = 0; i < r->csv.n_cells; i++) {
        if (find_column(r->csv.cells[i].text) <= COLUMN_LINE)
            return true;
    }
    return false;
}

static void
fault_row(struct reader *r)
{
    if (!form_source_begin(r->s, place_of(&r->csv.where)))
        return;
    buf_printf(r->s->messages, "%s (at most %u cells and %u bytes)\n",
               r->csv.fault, CSV_CELLS_MAX, FORM_ROW_MAX);
}

/* False: nothing can be made of the file. */
static bool
read_head(struct reader *r)
{
    bool seen[COLUMN_LINE + 1] = {false};
    enum csv_got got = csv_next(&r->csv);

    if (got == CSV_BAD) {
        fault_row(r);
        return false;
    }
    if (got == CSV_ROW && names_any(r)) {
        r->n_columns = r->csv.n_cells;
        for (size_t i = 0; i < r->n_columns; i++)
            take_column(r, i, seen);
    }
    if (!seen[FORM_ADDRESS])
        form_source_fault(r->s, (struct form_place){r->csv.line, 1},
                          "the first line must name the columns, at least "
                          "'address': write address,site");
    r->s->out->short_list = r->s->n_faults == 0 && is_short(seen);
    return seen[FORM_ADDRESS];
}

/* ---- rows ---- */

static void
fault_outside(struct reader *r, size_t i)
{
    if (!form_source_begin(r->s, place_of(&r->csv.cells[i])))
        return;
    form_source_quote(r->s, r->csv.cells[i].text);
    buf_str(r->s->messages, " stands in a column without a name\n");
}

/* False when all are empty: spreadsheets write such rows at the end. */
static bool
take_cells(struct reader *r)
{
    bool any = false;

    buf_reset(&r->room);
    for (size_t i = 0; i <= COLUMN_LINE; i++)
        r->cells[i] = SPAN_NONE;
    for (size_t i = 0; i < r->csv.n_cells; i++) {
        struct span text = r->csv.cells[i].text;
        unsigned column =
            i < r->n_columns ? r->columns[i] : (unsigned)COLUMN_NAMELESS;

        if (text.n == 0)
            continue;
        any = true;
        if (column == COLUMN_NAMELESS)
            fault_outside(r, i);
        if (column > COLUMN_LINE)
            continue;
        r->cells[column] = csv_plain(text, &r->room);
        r->places[column] = place_of(&r->csv.cells[i]);
    }
    return any;
}

static const char *
site_of(const struct reader *r, size_t form)
{
    const char *site = r->s->out->v[form].text[FORM_SITE];

    return site != NULL ? site : "";
}

static size_t
new_form(struct reader *r)
{
    return form_source_form(r->s, row_place(r));
}

static size_t
form_by_number(struct reader *r)
{
    struct span number = r->cells[COLUMN_FORM];
    size_t form = r->s->out->n;
    struct form *f;

    if (!form_source_is_number(r->s, number, r->places[COLUMN_FORM]))
        return SIZE_MAX;
    if (!form_source_key(r->s, FORM_SPACE_NUMBER, number, &form))
        return form;
    form = new_form(r);
    if (form == SIZE_MAX)
        return form;
    f = &r->s->out->v[form];
    memcpy(f->number, number.p, number.n);
    f->number[number.n] = '\0';
    return form;
}

static size_t
form_by_site(struct reader *r)
{
    size_t form = r->s->out->n;

    r->by_site = true;
    if (!form_source_key(r->s, FORM_SPACE_SITE, r->cells[FORM_SITE], &form))
        return form;
    return new_form(r);
}

/* A row without a number goes on with the form of the row before, as long as
 * it does not name another site. */
static size_t
form_by_row(struct reader *r)
{
    struct span site = r->cells[FORM_SITE];
    bool goes_on = r->current != SIZE_MAX && !r->s->out->short_list;

    if (goes_on && site.n == 0)
        return r->current;
    if (r->by_site || r->current == SIZE_MAX || r->s->out->short_list)
        return form_by_site(r);
    if (r->s->out->v[r->current].text[FORM_SITE] == NULL ||
        span_eq(span_str(site_of(r, r->current)), site))
        return r->current;
    form_source_fault(r->s, r->places[FORM_SITE],
                      "another site than in the row before, and no number in "
                      "column 'form'; write # there for a new form");
    return SIZE_MAX;
}

static size_t
find_form(struct reader *r)
{
    struct span number = r->cells[COLUMN_FORM];

    if (number.n == 0)
        return form_by_row(r);
    r->by_site = false;
    return span_eq(number, NEW_FORM) ? new_form(r) : form_by_number(r);
}

static void
fault_differs(struct reader *r, unsigned field, const struct form *f)
{
    if (!form_source_begin(r->s, r->places[field]))
        return;
    buf_printf(r->s->messages, "'%s' is ", form_rows[field].column);
    form_source_quote(r->s, r->cells[field]);
    buf_str(r->s->messages, ", but ");
    form_source_quote(r->s, span_str(f->text[field]));
    buf_printf(r->s->messages,
               " in a row before; the form begins in line %" PRIu32 "\n",
               f->source);
}

static void
set_cell(struct reader *r, char **texts, unsigned field)
{
    form_source_set(r->s, &texts[field], r->cells[field], r->places[field],
                    form_rows[field].column);
}

static void
take_form_cells(struct reader *r, struct form *f)
{
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (form_rows[i].scope != FORM_SCOPE_FORM || r->cells[i].n == 0)
            continue;
        if (f->text[i] == NULL)
            set_cell(r, f->text, i);
        else if (!span_eq(span_str(f->text[i]), r->cells[i]))
            fault_differs(r, i, f);
    }
}

static bool
has_line(const struct reader *r)
{
    if (r->cells[COLUMN_LINE].n > 0)
        return true;
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (form_rows[i].scope == FORM_SCOPE_LINE && r->cells[i].n > 0)
            return true;
    }
    return false;
}

/* In the short form nobody looks at the address later. */
static void
check_short(struct reader *r, struct form_line *l)
{
    struct prefix p;

    if (prefix_parse(r->cells[FORM_ADDRESS], &p)) {
        form_source_set(r->s, &l->text[FORM_PORT], SPAN_LIT("any"),
                        row_place(r), "port");
        return;
    }
    if (r->cells[FORM_ADDRESS].n > 0) {
        if (!form_source_begin(r->s, r->places[FORM_ADDRESS]))
            return;
        form_source_quote(r->s, r->cells[FORM_ADDRESS]);
        buf_str(r->s->messages,
                " is neither an address nor a prefix with all host bits zero, "
                "such as 192.0.2.0/24\n");
    } else {
        form_source_fault(r->s, row_place(r), "an address is missing");
    }
}

static void
take_line_cells(struct reader *r, size_t form)
{
    struct form_line *l = form_source_line(r->s, form, row_place(r));

    if (l == NULL)
        return;
    if (r->cells[COLUMN_LINE].n > 0)
        form_source_line_number(r->s, form, l, r->cells[COLUMN_LINE],
                                r->places[COLUMN_LINE]);
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (form_rows[i].scope == FORM_SCOPE_LINE && r->cells[i].n > 0)
            set_cell(r, l->text, i);
    }
    if (r->s->out->short_list)
        check_short(r, l);
}

static void
take_row(struct reader *r)
{
    size_t form;

    if (!take_cells(r)) {
        if (++r->n_empty > EMPTY_MAX) {
            form_source_fault(r->s, row_place(r), "too many empty rows");
            r->s->stop = true;
        }
        return;
    }
    form = find_form(r);
    r->current = form;
    if (form == SIZE_MAX || r->s->stop)
        return;
    take_form_cells(r, &r->s->out->v[form]);
    if (has_line(r) || r->s->out->short_list)
        take_line_cells(r, form);
}

static void
read_rows(struct reader *r)
{
    enum csv_got got = CSV_ROW;

    while (!r->s->stop && got != CSV_END) {
        got = csv_next(&r->csv);
        if (got == CSV_BAD)
            fault_row(r);
        else if (got == CSV_ROW)
            take_row(r);
    }
}

enum err
form_csv_read(struct span text, const char *name, struct forms *out,
              struct buf *messages)
{
    struct form_source s;
    struct reader *r = calloc(1, sizeof(*r));

    forms_init(out);
    if (r == NULL)
        return ERR_NOMEM;
    form_source_init(&s, name, out, messages);
    r->s = &s;
    r->current = SIZE_MAX;
    buf_init(&r->room, span_head(text, FORM_ROW_MAX).n + 1);
    s.e = csv_init(&r->csv, text, FORM_ROW_MAX);
    if (s.e == ERR_OK && !buf_grow(&r->room, r->room.max))
        s.e = ERR_NOMEM;
    if (s.e == ERR_OK && form_source_is_text(&s, text) && read_head(r))
        read_rows(r);
    csv_fini(&r->csv);
    buf_free(&r->room);
    free(r);
    return form_source_done(&s);
}

/* ---- writing ---- */

void
form_csv_head(struct buf *out)
{
    buf_str(out, "form,line");
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        buf_putc(out, ',');
        buf_str(out, form_rows[i].column);
    }
    buf_str(out, "\r\n");
}

static void
put_text(const char *text, struct buf *out)
{
    buf_putc(out, ',');
    if (text != NULL)
        csv_put(out, span_str(text));
}

/* line may be NULL, and so may the texts of the form. */
static void
put_row(struct span number, const struct form_line *line, char *const *texts,
        struct buf *out)
{
    char digits[16] = "";
    bool any = false;

    for (unsigned i = 0; line != NULL && i < FORM_FIELD_COUNT; i++)
        any = any || line->text[i] != NULL;
    /* 0 holds the place of a line of which nothing is known */
    if (line != NULL && (line->number > 0 || !any))
        (void)snprintf(digits, sizeof(digits), "%" PRIu32, line->number);
    csv_put(out, number);
    put_text(digits, out);
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (form_rows[i].scope == FORM_SCOPE_LINE)
            put_text(line != NULL ? line->text[i] : NULL, out);
        else
            put_text(texts != NULL ? texts[i] : NULL, out);
    }
    buf_str(out, "\r\n");
}

/* What is of the form stands in its first row only: who changes it has one
 * place to do so. */
void
form_csv_write(const struct form *f, struct buf *out)
{
    bool numbered = f->number[0] != 0;
    struct span number = numbered ? span_str(f->number) : SPAN_NONE;

    put_row(numbered ? number : NEW_FORM, f->n_lines > 0 ? f->lines : NULL,
            f->text, out);
    for (size_t i = 1; i < f->n_lines; i++)
        put_row(number, &f->lines[i], NULL, out);
}
