#ifndef SPAN25_TESTS_EVALUATE_TABLE_H
#define SPAN25_TESTS_EVALUATE_TABLE_H
/* table - one table, written as Markdown and as JSON at once
 *
 * Cells are written from left to right; a row is over when it has as many as
 * there are columns. In JSON a table is a list of objects under its name, all
 * values texts as people read them. */
#include "sensor/base/json_out.h"

#define TABLE_COLUMNS 16U

struct tables {
    struct buf *md;
    struct json_out json;
};

struct table {
    struct tables *to;
    const char *const *columns;
    unsigned n_columns, at;
};

/* Both open; title is a heading, lead a paragraph below it or NULL. */
struct table table_begin(struct tables *to, const char *key, const char *title,
                         const char *lead, const char *const *columns);
void table_cell(struct table *t, const char *fmt, ...) PRINTF(2, 3);
void table_end(struct table *t);

#endif
