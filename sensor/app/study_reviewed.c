#include "sensor/app/study_reviewed.h"

#include <errno.h>
#include <stdlib.h>

#include "rules/registry/csv.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/near.h"
#include "sensor/base/text.h"

enum column { COLUMN_HOST, COLUMN_CLASS, COLUMN_COUNT };

static const char *const columns[COLUMN_COUNT] = {"host", "class"};

/* With the line it is from, to tell of two that differ. */
struct judged {
    struct study_label label;
    size_t line;
};

struct reader {
    struct csv csv;
    const char *name;
    struct buf *messages;
    size_t at[COLUMN_COUNT]; /* of the row */
    struct judged *v;
    size_t n, cap;
    unsigned n_faults;
};

/* ---- faults ---- */

static bool
fault_begin(struct reader *r, size_t line, size_t column)
{
    if (r->n_faults++ >= STUDY_REVIEWED_FAULTS)
        return false;
    text_term(r->messages, span_str(r->name));
    buf_printf(r->messages, ":%zu:%zu: ", line, column);
    return true;
}

static void
put_quoted(struct reader *r, struct span s)
{
    buf_putc(r->messages, '\'');
    text_term(r->messages, span_head(s, 100));
    buf_str(r->messages, s.n > 100 ? "...'" : "'");
}

static void
fault(struct reader *r, const struct csv_cell *at, const char *what)
{
    if (fault_begin(r, at->line, at->column))
        buf_printf(r->messages, "%s\n", what);
}

static void
fault_cell(struct reader *r, const struct csv_cell *cell, const char *what)
{
    if (!fault_begin(r, cell->line, cell->column))
        return;
    put_quoted(r, cell->text);
    buf_printf(r->messages, " %s\n", what);
}

static void
fault_class(struct reader *r, const struct csv_cell *cell)
{
    struct near near = near_start(cell->text);

    if (!fault_begin(r, cell->line, cell->column))
        return;
    for (unsigned c = 0; c < STUDY_CLASS_COUNT; c++)
        near_offer(&near, span_str(study_class_word((enum study_class)c)));
    put_quoted(r, cell->text);
    buf_str(r->messages, " is no class; ");
    if (near.best.n > 0) {
        buf_str(r->messages, "did you mean ");
        put_quoted(r, near.best);
        buf_str(r->messages, "?\n");
        return;
    }
    buf_str(r->messages, "it is one of");
    for (unsigned c = 0; c < STUDY_CLASS_COUNT; c++)
        buf_printf(r->messages, "%s %s", c > 0 ? "," : "",
                   study_class_word((enum study_class)c));
    buf_putc(r->messages, '\n');
}

/* ---- rows ---- */

static bool
read_head(struct reader *r)
{
    const size_t before = r->n_faults;

    for (unsigned k = 0; k < COLUMN_COUNT; k++) {
        size_t i = 0;

        while (i < r->csv.n_cells &&
               !span_eq_nocase(r->csv.cells[i].text, span_str(columns[k])))
            i++;
        r->at[k] = i;
        if (i == r->csv.n_cells && fault_begin(r, r->csv.line, 1))
            buf_printf(r->messages, "the first line names no column '%s'\n",
                       columns[k]);
    }
    return r->n_faults == before;
}

static bool
read_class(struct reader *r, const struct csv_cell *cell, enum study_class *out)
{
    for (unsigned c = 0; c < STUDY_CLASS_COUNT; c++) {
        *out = (enum study_class)c;
        if (span_eq_nocase(cell->text, span_str(study_class_word(*out))))
            return true;
    }
    fault_class(r, cell);
    return false;
}

static bool
add(struct reader *r, const struct study_label *label, size_t line)
{
    const size_t cap = r->cap > 0 ? r->cap * 2 : 256;
    struct judged *v = r->v;

    if (r->n == r->cap) {
        v = reallocarray(v, cap, sizeof(*v));
        if (v == NULL)
            return false;
        r->v = v;
        r->cap = cap;
    }
    v[r->n++] = (struct judged){*label, line};
    return true;
}

static enum err
read_row(struct reader *r)
{
    const struct csv_cell *host = &r->csv.cells[r->at[COLUMN_HOST]];
    const struct csv_cell *class = &r->csv.cells[r->at[COLUMN_CLASS]];
    struct study_label label;
    bool good;

    for (unsigned k = 0; k < COLUMN_COUNT; k++) {
        if (r->at[k] < r->csv.n_cells)
            continue;
        if (fault_begin(r, r->csv.line, 1))
            buf_printf(r->messages, "the row has no '%s'\n", columns[k]);
        return ERR_OK;
    }
    good = addr_parse(host->text, &label.addr);
    if (!good)
        fault_cell(r, host, "is not an address, such as 192.0.2.7");
    if (class->text.n == 0)
        return ERR_OK;
    good = read_class(r, class, &label.class) && good;
    if (!good)
        return ERR_OK;
    if (r->n == STUDY_REVIEWED_HOSTS) {
        fault(r, host, "there are more hosts than a study can have");
        return ERR_LIMIT;
    }
    return add(r, &label, r->csv.line) ? ERR_OK : ERR_NOMEM;
}

static enum err
read_rows(struct reader *r)
{
    bool head = false;
    enum err e = ERR_OK;

    while (e == ERR_OK) {
        switch (csv_next(&r->csv)) {
        case CSV_END:
            if (!head && fault_begin(r, 1, 1))
                buf_str(r->messages, "there is no first line: host,class\n");
            return ERR_OK;
        case CSV_BAD: fault(r, &r->csv.where, r->csv.fault); break;
        case CSV_ROW:
            if (head)
                e = read_row(r);
            else if (!read_head(r))
                return ERR_OK;
            head = true;
            break;
        }
    }
    return e == ERR_LIMIT ? ERR_OK : e;
}

/* ---- all of them ---- */

static int
by_address(const void *a, const void *b)
{
    const struct judged *x = a, *y = b;
    const int order = addr_cmp(&x->label.addr, &y->label.addr);

    if (order != 0)
        return order;
    return x->line < y->line ? -1 : x->line > y->line;
}

static void
fault_differ(struct reader *r, const struct judged *a, const struct judged *b)
{
    char text[ADDR_TEXT_MAX];

    if (!fault_begin(r, b->line, 1))
        return;
    buf_put(r->messages, text, addr_format(&b->label.addr, text));
    buf_printf(r->messages, " is %s here, and %s in line %zu\n",
               study_class_word(b->label.class),
               study_class_word(a->label.class), a->line);
}

/* In order, each once. */
static enum err
take(struct reader *r, struct study_reviewed *out)
{
    out->v = calloc(r->n + 1, sizeof(*out->v));
    if (out->v == NULL)
        return ERR_NOMEM;
    if (r->n > 0)
        qsort(r->v, r->n, sizeof(*r->v), by_address);
    for (size_t i = 0; i < r->n; i++) {
        const struct judged *before = i > 0 ? &r->v[i - 1] : NULL;

        if (before == NULL ||
            addr_cmp(&before->label.addr, &r->v[i].label.addr) != 0)
            out->v[out->n++] = r->v[i].label;
        else if (before->label.class != r->v[i].label.class)
            fault_differ(r, before, &r->v[i]);
    }
    return ERR_OK;
}

enum err
study_reviewed_parse(struct span text, const char *name,
                     struct study_reviewed *out, struct buf *messages)
{
    struct reader r = {.name = name, .messages = messages};
    enum err e = csv_init(&r.csv, text, STUDY_REVIEWED_ROW);

    *out = (struct study_reviewed){NULL, 0};
    if (e == ERR_OK)
        e = read_rows(&r);
    if (e == ERR_OK)
        e = take(&r, out);
    if (r.n_faults > STUDY_REVIEWED_FAULTS) {
        text_term(messages, span_str(name));
        buf_printf(messages, ": %u more faults\n",
                   r.n_faults - STUDY_REVIEWED_FAULTS);
    }
    if (e == ERR_OK && r.n_faults > 0)
        e = ERR_CONFIG;
    if (e != ERR_OK)
        study_reviewed_free(out);
    free(r.v);
    csv_fini(&r.csv);
    return e;
}

enum err
study_reviewed_read(const char *file, struct study_reviewed *out,
                    struct buf *messages)
{
    struct buf text;
    const int number = whole_file_load(file, STUDY_REVIEWED_FILE, &text);
    enum err e;

    *out = (struct study_reviewed){NULL, 0};
    if (number == 0) {
        e = study_reviewed_parse(buf_view(&text), file, out, messages);
    } else {
        e = number == EFBIG ? ERR_CONFIG : err_from_errno(number);
        buf_str(messages, "span25: cannot read ");
        text_term(messages, span_str(file));
        buf_printf(messages, ": %s\n",
                   number == EFBIG ? "it is longer than 64 MiB"
                                   : strerror(number));
    }
    buf_free(&text);
    return e;
}

void
study_reviewed_free(struct study_reviewed *r)
{
    free(r->v);
    *r = (struct study_reviewed){NULL, 0};
}

const struct study_label *
study_reviewed_find(const struct study_reviewed *r, const struct addr *a)
{
    size_t low = 0, high = r->n;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = addr_cmp(&r->v[middle].addr, a);

        if (order == 0)
            return &r->v[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
