#ifndef SPAN25_DASHBOARDS_HTML_H
#define SPAN25_DASHBOARDS_HTML_H
/* html - the few elements a report is made of
 *
 * Markup is a string of ours and written as it is; everything else goes
 * through text_html. Bytes from a wire stand in <bdi>, so that a right-to-left
 * name cannot move its neighbours. */
#include "dashboards/words.h"
#include "sensor/base/addr.h"

/* Our own markup, as it is. */
static inline void
html_raw(struct buf *out, const char *markup)
{
    buf_str(out, markup);
}

void html_text(struct buf *out, const char *text); /* NULL: a dash */

/* The sentence in raw, which is emptied. */
void html_flush(struct buf *out, struct buf *raw);

void html_wire(struct buf *out, const char *text); /* <bdi>; NULL, "": dash */
/* The same; empty: a dash. */
void html_wire_span(struct buf *out, struct span text);
void html_addr(struct buf *out, const struct addr *a);
void html_time(struct buf *out, ns_t t); /* <time>, UTC */

/* A table in a box that scrolls by itself and can be reached by keyboard. */
struct html_col {
    const char *title;
    bool number;
};

void html_table(struct buf *out, const char *caption,
                const struct html_col *cols, size_t n_cols);
void html_table_end(struct buf *out);

/* Cells: text and wire start left, numbers right; the first is the row's
 * header. */
void html_cell(struct buf *out, const char *text);
void html_cell_raw(struct buf *out, struct buf *raw);
/* A name given by a person over one given by a machine; either may be
 * absent. */
void html_cell_names(struct buf *out, const char *person, const char *wire);
void html_cell_wire(struct buf *out, const char *text);
void html_cell_number(struct buf *out, uint64_t n);
void html_cell_share(struct buf *out, uint64_t part, uint64_t whole);
void html_cell_time(struct buf *out, ns_t t);

#endif
