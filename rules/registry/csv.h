#ifndef SPAN25_RULES_REGISTRY_CSV_H
#define SPAN25_RULES_REGISTRY_CSV_H
/* csv - comma separated values of strangers, RFC 4180, and safe ones for them
 *
 * A row at a time from a text in memory. Rows end with LF, CR LF or CR; quoted
 * cells may hold line ends. Cells that are not quoted lose blanks at both ends,
 * and a quote within them is a character. A byte order mark is passed over. The
 * separator is told from the first row: of comma, semicolon and tab the one
 * that is there most often outside quotes.
 *
 * Any bytes are taken: what they mean is the caller's. A row is at most the
 * limit given, CSV_CELLS_MAX cells; one that is not is a fault, and reading
 * goes on behind the next line end: each fault costs at most one look at so
 * many bytes, the rest is linear. Memory is taken once. */
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define CSV_CELLS_MAX 256

struct csv_cell {
    struct span text;    /* borrowed until the next row */
    size_t at;           /* where it begins, from the start of the row */
    size_t line, column; /* the same, in lines and characters from 1 */
};

struct csv {
    struct csv_cell cells[CSV_CELLS_MAX];
    size_t n_cells;
    size_t line;           /* where the row begins, from 1 */
    const char *fault;     /* of CSV_BAD: "the quote is never closed", static */
    struct csv_cell where; /* of the fault, without text */
    uint8_t separator;     /* 0 before the first row */
    struct span row;       /* its bytes, without the line end */
    struct span rest;      /* behind it */
    size_t next_line;
    size_t row_max;
    uint8_t *room; /* of cells with doubled quotes */
    size_t n_room;
};

enum csv_got { CSV_ROW, CSV_END, CSV_BAD };

/* text is the caller's and outlives c. */
MUST_USE enum err csv_init(struct csv *c, struct span text, size_t row_max);
void csv_fini(struct csv *c);

/* Empty lines are passed over. */
enum csv_got csv_next(struct csv *c);

/* ---- safe cells ----
 *
 * A spreadsheet takes a cell for a formula that begins with = + - @ (also the
 * wide forms of Japanese keyboards), and one that was told another separator
 * cuts cells where we did not. So an apostrophe is put before such a character
 * at the beginning and behind every comma, semicolon, tab or quote, blanks
 * between them or not. csv_plain takes away exactly what csv_put has put in:
 * one apostrophe of those before such a character. */

/* One cell, quoted when that is needed to get it back from csv_next. */
void csv_put(struct buf *out, struct span text);
/* The text without its apostrophes: the same span when there are none, else
 * made behind what is in room, which should have space for as many bytes: spans
 * from before are lost when it has to move. */
struct span csv_plain(struct span text, struct buf *room);

#endif
