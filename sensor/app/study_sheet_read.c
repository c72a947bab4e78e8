#include "sensor/app/study_sheet_read.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "sensor/app/csv_table.h"
#include "sensor/app/whole_file.h"
#include "sensor/base/text.h"

#define ROW_MAX    (128U << 10) /* bytes; a row of a sheet has less */
#define NUMBER_MAX 40U          /* bytes of a weight */

static const char *const class_words[] = {
#define X(id, word, people) word,
    STUDY_CLASSES(X)
#undef X
};

static const char *const said_words[] = {
#define X(id, word) word,
    STUDY_MAILS(X)
#undef X
};

/* ---- the key ---- */

enum key_column {
    KEY_NUMBER,
    KEY_HOST,
    KEY_STRATUM,
    KEY_CLASS,
    KEY_WEIGHT,
    KEY_NTH,
    KEY_COLUMNS
};

static const char *const key_columns[KEY_COLUMNS] = {
    "number", "host", "stratum", "class", "weight", "nth"};

struct key_row {
    struct addr addr;
    uint64_t number, stratum, nth;
    double weight;
    enum study_class class;
    size_t line;
};

struct key_reader {
    struct csv_table table;
    struct key_row *v;
    size_t n, cap;
};

static bool
read_number(struct csv_table *t, size_t column, uint64_t least, uint64_t most,
            uint64_t *out)
{
    const struct csv_cell *cell = csv_table_cell(t, column);

    if (span_to_u64(cell->text, out) && *out >= least && *out <= most)
        return true;
    csv_table_fault_cell(t, cell, "is no number that can stand here");
    return false;
}

/* "12.5": what our own key has; no sign, no exponent, no other base. */
static bool
read_weight(struct csv_table *t, double *out)
{
    const struct csv_cell *cell = csv_table_cell(t, KEY_WEIGHT);
    char text[NUMBER_MAX + 1];
    char *end = text;
    bool good = cell->text.n > 0 && cell->text.n <= NUMBER_MAX;

    for (size_t i = 0; good && i < cell->text.n; i++) {
        text[i] = (char)cell->text.p[i];
        good = (text[i] >= '0' && text[i] <= '9') || text[i] == '.';
    }
    if (good) {
        text[cell->text.n] = '\0';
        *out = strtod(text, &end);
        good = end == text + cell->text.n && *out > 0 && isfinite(*out);
    }
    if (!good)
        csv_table_fault_cell(t, cell, "is no weight, such as 12.5");
    return good;
}

static bool
read_class(struct csv_table *t, enum study_class *out)
{
    const struct csv_cell *cell = csv_table_cell(t, KEY_CLASS);

    for (unsigned c = 0; c < STUDY_CLASS_COUNT; c++) {
        *out = (enum study_class)c;
        if (span_eq_nocase(cell->text, span_str(class_words[c])))
            return true;
    }
    csv_table_fault_word(t, cell, "class", class_words, ARRAY_LEN(class_words));
    return false;
}

static enum err
read_key_row(struct key_reader *r)
{
    const size_t cap = r->cap > 0 ? r->cap * 2 : 256;
    struct csv_table *t = &r->table;
    const struct csv_cell *host = csv_table_cell(t, KEY_HOST);
    struct key_row row = {.line = csv_table_line(t)};
    struct key_row *v;
    bool good = read_number(t, KEY_NUMBER, 1, STUDY_SHEET_ROWS, &row.number);

    if (!addr_parse(host->text, &row.addr)) {
        csv_table_fault_cell(t, host, "is not an address, such as 192.0.2.7");
        good = false;
    }
    good &= read_number(t, KEY_STRATUM, 0, REVIEW_STRATA - 1, &row.stratum);
    good &= read_number(t, KEY_NTH, 1, REVIEW_MESSAGES, &row.nth);
    good &= read_weight(t, &row.weight);
    good &= read_class(t, &row.class);
    if (!good)
        return ERR_OK;
    if (r->n == r->cap) {
        v = reallocarray(r->v, cap, sizeof(*v));
        if (v == NULL)
            return ERR_NOMEM;
        r->v = v;
        r->cap = cap;
    }
    r->v[r->n++] = row;
    return r->n > STUDY_SHEET_ROWS ? ERR_LIMIT : ERR_OK;
}

static int
by_host(const void *a, const void *b)
{
    const struct key_row *x = a, *y = b;
    const int order = addr_cmp(&x->addr, &y->addr);

    if (order != 0)
        return order;
    if (x->nth != y->nth)
        return x->nth < y->nth ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static void
fault_key(struct key_reader *r, const struct key_row *row, const char *what,
          const struct key_row *other)
{
    char text[ADDR_TEXT_MAX];

    if (!csv_table_fault(&r->table, row->line, 1))
        return;
    buf_put(r->table.messages, text, addr_format(&row->addr, text));
    buf_printf(r->table.messages, " %s in line %zu\n", what, other->line);
}

static bool
is_alike(const struct key_row *a, const struct key_row *b)
{
    /* the same text of the same file */
    return a->stratum == b->stratum && a->class == b->class &&
           memcmp(&a->weight, &b->weight, sizeof(a->weight)) == 0;
}

static void
take_row(struct key_reader *r, size_t i, struct study_sheets *out)
{
    const struct key_row *row = &r->v[i];
    const struct key_row *before = i > 0 ? &r->v[i - 1] : NULL;
    const bool same =
        before != NULL && addr_cmp(&before->addr, &row->addr) == 0;

    if (!same)
        out->hosts[out->n_hosts++] = row->addr;
    else if (!is_alike(row, before))
        fault_key(r, row, "is of another stratum, class or weight", before);
    else if (row->nth == before->nth)
        fault_key(r, row, "has the same nth", before);
    out->rows[i] = (struct review_row){
        .host = (uint32_t)(out->n_hosts - 1),
        .stratum = (unsigned)row->stratum,
        .weight = row->weight,
        .held = row->class,
    };
    if (row->number > r->n) {
        if (csv_table_fault(&r->table, row->line, 1))
            buf_printf(r->table.messages,
                       "number %llu, and there are %zu rows\n",
                       (unsigned long long)row->number, r->n);
        return;
    }
    if (out->of_number[row->number - 1] != SIZE_MAX)
        fault_key(r, row, "has the same number as another",
                  &r->v[out->of_number[row->number - 1]]);
    out->of_number[row->number - 1] = i;
}

static enum err
take_key(struct key_reader *r, struct study_sheets *out)
{
    out->n = r->n;
    out->rows = calloc(r->n + 1, sizeof(*out->rows));
    out->hosts = calloc(r->n + 1, sizeof(*out->hosts));
    out->of_number = calloc(r->n + 1, sizeof(*out->of_number));
    if (out->rows == NULL || out->hosts == NULL || out->of_number == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->n; i++)
        out->of_number[i] = SIZE_MAX;
    if (r->n > 0)
        qsort(r->v, r->n, sizeof(*r->v), by_host);
    for (size_t i = 0; i < r->n; i++)
        take_row(r, i, out);
    return ERR_OK;
}

enum err
study_sheets_key_text(struct span text, const char *name,
                      struct study_sheets *out, struct buf *messages)
{
    const struct csv_table_about about = {
        .name = name,
        .columns = key_columns,
        .n = KEY_COLUMNS,
        .row_max = ROW_MAX,
        .after_text = true,
    };
    struct key_reader r = {.v = NULL};
    enum err e = csv_table_open(&r.table, text, &about, messages);

    *out = (struct study_sheets){0};
    while (e == ERR_OK && csv_table_next(&r.table))
        e = read_key_row(&r);
    if (e == ERR_OK && r.table.n_faults == 0)
        e = take_key(&r, out);
    e = csv_table_close(&r.table, e);
    free(r.v);
    if (e != ERR_OK)
        study_sheets_free(out);
    return e;
}

/* ---- a sheet ---- */

enum said_column { SAID_NUMBER, SAID_VERDICT, SAID_COLUMNS };

static const char *const said_columns[SAID_COLUMNS] = {"number", "verdict"};

static void
read_said(struct csv_table *t, unsigned rater, struct study_sheets *s,
          size_t *lines)
{
    const struct csv_cell *verdict = csv_table_cell(t, SAID_VERDICT);
    const enum review_said said = review_said_find(verdict->text);
    uint64_t number;

    if (!read_number(t, SAID_NUMBER, 1, s->n, &number))
        return;
    if (lines[number - 1] != 0) {
        if (csv_table_fault(t, csv_table_line(t), 1))
            buf_printf(t->messages, "number %llu is in line %zu too\n",
                       (unsigned long long)number, lines[number - 1]);
        return;
    }
    lines[number - 1] = csv_table_line(t);
    if (verdict->text.n > 0 && said == REVIEW_NOTHING)
        csv_table_fault_word(t, verdict, "verdict", said_words,
                             ARRAY_LEN(said_words));
    s->rows[s->of_number[number - 1]].said[rater] = said;
}

enum err
study_sheets_said_text(struct span text, const char *name, unsigned rater,
                       struct study_sheets *s, struct buf *messages)
{
    const struct csv_table_about about = {
        .name = name,
        .columns = said_columns,
        .n = SAID_COLUMNS,
        .row_max = ROW_MAX,
        .after_text = true,
    };
    size_t *lines = calloc(s->n + 1, sizeof(*lines));
    struct csv_table t;
    enum err e = ERR_NOMEM;

    if (lines == NULL)
        return e;
    e = csv_table_open(&t, text, &about, messages);
    while (e == ERR_OK && csv_table_next(&t))
        read_said(&t, rater, s, lines);
    free(lines);
    return csv_table_close(&t, e);
}

/* ---- files ---- */

static enum err
load(const char *file, struct buf *text, struct buf *messages)
{
    const int number = whole_file_load(file, STUDY_SHEET_READ_MAX, text);

    if (number == 0)
        return ERR_OK;
    buf_str(messages, "span25: cannot read ");
    text_term(messages, span_str(file));
    buf_printf(messages, ": %s\n",
               number == EFBIG ? "it is longer than 512 MiB"
                               : strerror(number));
    return number == EFBIG ? ERR_CONFIG : err_from_errno(number);
}

enum err
study_sheets_key(const char *file, struct study_sheets *out,
                 struct buf *messages)
{
    struct buf text;
    enum err e = load(file, &text, messages);

    *out = (struct study_sheets){0};
    if (e == ERR_OK)
        e = study_sheets_key_text(buf_view(&text), file, out, messages);
    buf_free(&text);
    return e;
}

enum err
study_sheets_said(const char *file, unsigned rater, struct study_sheets *s,
                  struct buf *messages)
{
    struct buf text;
    enum err e = load(file, &text, messages);

    if (e == ERR_OK)
        e = study_sheets_said_text(buf_view(&text), file, rater, s, messages);
    buf_free(&text);
    return e;
}

void
study_sheets_free(struct study_sheets *s)
{
    free(s->rows);
    free(s->hosts);
    free(s->of_number);
    *s = (struct study_sheets){0};
}
