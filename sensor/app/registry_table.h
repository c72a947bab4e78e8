#ifndef SPAN25_APP_REGISTRY_TABLE_H
#define SPAN25_APP_REGISTRY_TABLE_H
/* registry_table - rows of cells, for people, as CSV or as JSON
 *
 * Texts are of anybody: each way of writing makes them safe for its reader.
 * Cells are added row by row, in the order of the columns. */
#include "sensor/app/options.h"
#include "sensor/base/buf.h"
#include "sensor/base/ns.h"

struct registry_column {
    const char *head; /* for people; "": not for them */
    const char *key;  /* of CSV and JSON */
};

struct registry_cell;

/* What JSON says of a part of a list. */
struct registry_page {
    const char *next; /* cursor of the next part; "": this is the last one */
    uint64_t total;
    bool exact; /* else there are at least so many */
};

struct registry_table {
    const struct registry_column *columns;
    size_t n_columns;
    struct registry_cell *cells;
    size_t n, cap;
    struct buf text;
    const struct registry_page *page; /* NULL: the rows are all there are */
    bool failed;
};

void registry_table_init(struct registry_table *t,
                         const struct registry_column *columns, size_t n);
void registry_table_fini(struct registry_table *t);

void registry_table_text(struct registry_table *t, const char *text); /* or
                                                                       * NULL */
void registry_table_span(struct registry_table *t, struct span text);
void registry_table_number(struct registry_table *t, uint64_t v);
void registry_table_time(struct registry_table *t, ns_t when); /* 0: empty */
void registry_table_bool(struct registry_table *t, bool v); /* people: "yes" */

/* Into lines of so many columns, 0: of any length. What does not fit is made
 * shorter, with an ellipsis; columns without a value are left out, and where
 * that is not enough a row goes on in the next line, indented. */
MUST_USE bool registry_table_people(const struct registry_table *t, bool utc,
                                    const char *empty, size_t room,
                                    struct buf *out);

size_t registry_table_rows(const struct registry_table *t);

/* As --json, --csv or neither of c says. name: "span25.registry.list"; empty:
 * what people are told when there is no row; on a terminal the table fits it.
 * False: no memory. */
MUST_USE bool registry_table_write(const struct registry_table *t,
                                   const struct config *c, const char *name,
                                   const char *empty, struct buf *out);

#endif
