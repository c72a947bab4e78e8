#ifndef SPAN25_DASHBOARDS_GRID_H
#define SPAN25_DASHBOARDS_GRID_H
/* grid - a table for a terminal
 *
 * Cells are filled left to right, row after row, with printable text (after
 * text_term); columns are as wide as their widest cell, up to their max. The
 * last column is wrapped at the width given, under itself or, when there is
 * little room, under its row. Width is counted in code points. */
#include "sensor/base/buf.h"

#define GRID_COLS   8
#define GRID_ROWS   64
#define GRID_INDENT 2

struct grid_col {
    const char *title;
    bool right;
    bool level; /* "high" and "notice", "medium", A and B are coloured */
    bool soft;  /* gives way when the row is wider than the screen */
    bool cut;   /* as the last column: cut at the width, not wrapped */
    size_t max; /* code points; 0: no limit; not of the last column */
};

struct grid {
    const struct grid_col *cols;
    size_t n_cols;
    size_t n_cells;
    size_t ends[GRID_ROWS * GRID_COLS];
    struct buf text;
};

void grid_init(struct grid *g, const struct grid_col *cols, size_t n_cols);
void grid_fini(struct grid *g);

/* Call after the text of each cell was appended to g->text; those beyond
 * GRID_ROWS are dropped. */
void grid_next(struct grid *g);

void grid_print(const struct grid *g, unsigned width, bool colour,
                struct buf *out);

/* Words of text (printable) from column at on, wrapped before width with lines
 * that start at indent; 0 is no width. */
void grid_wrap(struct buf *out, struct span text, size_t at, size_t indent,
               size_t width);

size_t grid_width(struct span text);
/* Code points from .. from + n of text. */
struct span grid_part(struct span text, size_t from, size_t n);

#endif
