#ifndef SPAN25_APP_CSV_TABLE_H
#define SPAN25_APP_CSV_TABLE_H
/* csv_table - CSV with a head, written or filled by people
 *
 * rules/registry/csv.h, of which a line names the columns; those that are asked
 * for may stand in any order among others. Faults are told as "FILE:LINE:
 * COLUMN: ...", CSV_TABLE_FAULTS of them, and reading goes on.
 *
 *     e = csv_table_open(&t, text, &about, messages);
 *     while (e == ERR_OK && csv_table_next(&t))
 *         csv_table_cell(&t, COLUMN_HOST) ...
 *     e = csv_table_close(&t, e);  */
#include "rules/registry/csv.h"
#include "sensor/base/attr.h"
#include "sensor/base/err.h"
#include "sensor/base/near.h"

#define CSV_TABLE_COLUMNS 16U
#define CSV_TABLE_FAULTS  20U
#define CSV_TABLE_CUT     100U /* bytes of a cell that a fault shows */

struct csv_table_about {
    const char *name; /* of the file, for messages */
    const char *const *columns;
    size_t n;        /* of them */
    size_t row_max;  /* bytes */
    bool after_text; /* lines before the one that begins with the first column
                      * are text for people */
};

struct csv_table {
    struct csv csv;
    struct csv_table_about about;
    struct buf *messages;
    size_t at[CSV_TABLE_COLUMNS]; /* of the row */
    size_t lines;                 /* that were passed over */
    unsigned n_faults;
    bool has_head;
};

/* text, name and columns outlive t. ERR_NOMEM. */
MUST_USE enum err csv_table_open(struct csv_table *t, struct span text,
                                 const struct csv_table_about *about,
                                 struct buf *messages);
/* To the next row that has all columns; false: there is none. */
bool csv_table_next(struct csv_table *t);
const struct csv_cell *csv_table_cell(const struct csv_table *t, size_t column);
/* Of the file, from 1; a cell's own line counts from the head. */
size_t csv_table_line(const struct csv_table *t);
/* Of the first line, when there was no other; ERR_CONFIG where there were
 * faults, else e. */
enum err csv_table_close(struct csv_table *t, enum err e);

/* ---- faults ---- */

/* "FILE:LINE:COLUMN: "; false: it is counted only, for enough were told. */
bool csv_table_fault(struct csv_table *t, size_t line, size_t column);
/* "... 'TEXT' WHAT" */
void csv_table_fault_cell(struct csv_table *t, const struct csv_cell *cell,
                          const char *what);
/* "'TEXT' is no WHAT; did you mean ...", of n words. */
void csv_table_fault_word(struct csv_table *t, const struct csv_cell *cell,
                          const char *what, const char *const *words, size_t n);

#endif
