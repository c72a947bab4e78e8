#ifndef SPAN25_DASHBOARDS_CHART_H
#define SPAN25_DASHBOARDS_CHART_H
/* chart - bars as inline SVG, with their numbers as text beside them
 *
 * Shapes only are drawn; names and numbers are HTML, so they wrap, grow with
 * the reader's font and reach a screen reader. Colours are the classes c0 to
 * c9 of the style sheet; no two things differ by colour alone. */
#include "sensor/base/buf.h"

#define CHART_PARTS 10

struct chart_part {
    const char *label; /* any bytes */
    uint64_t n;
    unsigned colour; /* 0..9 */
};

/* One bar of all parts and a legend with counts and shares; what names one
 * thing counted, "replies". Parts of 0 are left out. */
void chart_stack(struct buf *out, const char *title, const char *what,
                 const struct chart_part *parts, size_t n_parts);

/* A bar of n in max, for the cell of a table that has the number too: solid,
 * or an outline. */
void chart_bar(struct buf *out, uint64_t n, uint64_t max, bool solid);

#endif
