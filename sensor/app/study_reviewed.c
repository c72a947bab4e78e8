#include "sensor/app/study_reviewed.h"

#include <errno.h>
#include <stdlib.h>

#include "sensor/app/csv_table.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

enum column { COLUMN_HOST, COLUMN_CLASS, COLUMN_COUNT };

static const char *const columns[COLUMN_COUNT] = {"host", "class"};

static const char *const class_words[] = {
#define X(id, word, people) word,
    STUDY_CLASSES(X)
#undef X
};

/* With the line it is from, to tell of two that differ. */
struct judged {
    struct study_label label;
    size_t line;
};

struct reader {
    struct csv_table table;
    struct judged *v;
    size_t n, cap;
};

/* ---- rows ---- */

static bool
read_class(struct reader *r, const struct csv_cell *cell, enum study_class *out)
{
    for (unsigned c = 0; c < STUDY_CLASS_COUNT; c++) {
        *out = (enum study_class)c;
        if (span_eq_nocase(cell->text, span_str(class_words[c])))
            return true;
    }
    csv_table_fault_word(&r->table, cell, "class", class_words,
                         ARRAY_LEN(class_words));
    return false;
}

static bool
add(struct reader *r, const struct study_label *label)
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
    v[r->n++] = (struct judged){*label, csv_table_line(&r->table)};
    return true;
}

static enum err
read_row(struct reader *r)
{
    const struct csv_cell *host = csv_table_cell(&r->table, COLUMN_HOST);
    const struct csv_cell *class = csv_table_cell(&r->table, COLUMN_CLASS);
    struct study_label label;
    bool good = addr_parse(host->text, &label.addr);

    if (!good)
        csv_table_fault_cell(&r->table, host,
                             "is not an address, such as 192.0.2.7");
    if (class->text.n == 0)
        return ERR_OK;
    good = read_class(r, class, &label.class) && good;
    if (!good)
        return ERR_OK;
    if (r->n == STUDY_REVIEWED_HOSTS) {
        csv_table_fault_cell(&r->table, host,
                             "is one host more than a study can have");
        return ERR_LIMIT;
    }
    return add(r, &label) ? ERR_OK : ERR_NOMEM;
}

static enum err
read_rows(struct reader *r)
{
    enum err e = ERR_OK;

    while (e == ERR_OK && csv_table_next(&r->table))
        e = read_row(r);
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

    if (!csv_table_fault(&r->table, b->line, 1))
        return;
    buf_put(r->table.messages, text, addr_format(&b->label.addr, text));
    buf_printf(r->table.messages, " is %s here, and %s in line %zu\n",
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
    const struct csv_table_about about = {
        .name = name,
        .columns = columns,
        .n = COLUMN_COUNT,
        .row_max = STUDY_REVIEWED_ROW,
    };
    struct reader r = {.v = NULL};
    enum err e = csv_table_open(&r.table, text, &about, messages);

    *out = (struct study_reviewed){NULL, 0};
    if (e == ERR_OK)
        e = read_rows(&r);
    if (e == ERR_OK)
        e = take(&r, out);
    e = csv_table_close(&r.table, e);
    if (e != ERR_OK)
        study_reviewed_free(out);
    free(r.v);
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
