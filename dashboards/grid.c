#include "dashboards/grid.h"

#define LAST_MIN     28 /* columns; with fewer, the last column goes below */
#define BELOW_INDENT 6
#define SOFT_MIN     6
#define TEXT_MAX     65536

#define BOLD   "\x1b[1m"
#define RED    "\x1b[1;31m"
#define YELLOW "\x1b[33m"
#define PLAIN  "\x1b[0m"

void
grid_init(struct grid *g, const struct grid_col *cols, size_t n_cols)
{
    REQUIRE(n_cols > 0 && n_cols <= GRID_COLS);
    *g = (struct grid){.cols = cols, .n_cols = n_cols};
    buf_init(&g->text, TEXT_MAX);
}

void
grid_fini(struct grid *g)
{
    buf_free(&g->text);
}

void
grid_next(struct grid *g)
{
    if (g->n_cells < g->n_cols * GRID_ROWS)
        g->ends[g->n_cells++] = g->text.n;
    else
        g->text.n = g->ends[g->n_cells - 1];
}

size_t
grid_width(struct span text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += (text.p[i] & 0xc0) != 0x80;
    return n;
}

static struct span
cell(const struct grid *g, size_t i)
{
    size_t from = i > 0 ? g->ends[i - 1] : 0;

    return span_of(g->text.p + from, g->ends[i] - from);
}

/* The first n code points. */
static struct span
head_of(struct span text, size_t n)
{
    size_t i = 0;

    for (; i < text.n; i++) {
        if ((text.p[i] & 0xc0) != 0x80 && n-- == 0)
            break;
    }
    return span_head(text, i);
}

struct span
grid_part(struct span text, size_t from, size_t n)
{
    return head_of(span_tail(text, head_of(text, from).n), n);
}

static void
pad(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_putc(out, ' ');
}

static size_t
col_width(const struct grid *g, size_t col)
{
    size_t max = g->cols[col].max;
    size_t w = grid_width(span_str(g->cols[col].title));

    for (size_t i = col; i < g->n_cells; i += g->n_cols) {
        size_t n = grid_width(cell(g, i));

        w = n > w ? n : w;
    }
    return max > 0 && w > max ? max : w;
}

static const char *
level_colour(struct span text)
{
    if (span_eq(text, SPAN_LIT("high")) || span_eq(text, SPAN_LIT("A")))
        return RED;
    return span_eq(text, SPAN_LIT("notice")) ||
                   span_eq(text, SPAN_LIT("medium")) ||
                   span_eq(text, SPAN_LIT("B"))
               ? YELLOW
               : "";
}

/* One cell, padded to w; the last of a line is not padded to its right. */
static void
put_cell(struct buf *out, struct span text, size_t w,
         const struct grid_col *col, bool colour)
{
    size_t n = grid_width(text);
    const char *paint = colour && col->level ? level_colour(text) : "";

    if (col->right && n < w)
        pad(out, w - n);
    buf_str(out, paint);
    if (n > w) {
        buf_span(out, head_of(text, w > 1 ? w - 1 : w));
        buf_str(out, "\xe2\x80\xa6");
    } else {
        buf_span(out, text);
    }
    buf_str(out, paint[0] != '\0' ? PLAIN : "");
    if (!col->right && n < w)
        pad(out, w - n);
}

/* The word at the head of text; a per cent sign stays with its number. */
static struct span
word_of(struct span text)
{
    size_t n = span_find(text, ' ');

    if (span_at(text, n + 1) == '%')
        n += 1 + span_find(span_tail(text, n + 1), ' ');
    return span_head(text, n);
}

void
grid_wrap(struct buf *out, struct span text, size_t at, size_t indent,
          size_t width)
{
    bool fresh = true; /* nothing on this line yet */

    while (text.n > 0) {
        struct span word = word_of(text);
        size_t n = grid_width(word);

        text = span_tail(text, word.n + 1);
        if (word.n == 0)
            continue;
        if (!fresh && width > 0 && at + 1 + n > width) {
            buf_putc(out, '\n');
            pad(out, indent);
            at = indent;
            fresh = true;
        }
        if (!fresh)
            buf_putc(out, ' ');
        at += n + !fresh;
        buf_span(out, word);
        fresh = false;
    }
}

static void
put_title(const struct grid *g, const size_t *widths, bool below, bool colour,
          struct buf *out)
{
    size_t last = g->n_cols - 1;

    pad(out, GRID_INDENT);
    buf_str(out, colour ? BOLD : "");
    for (size_t i = 0; i < last; i++) {
        put_cell(out, span_str(g->cols[i].title), widths[i], &g->cols[i],
                 false);
        pad(out, i + 1 < last || !below ? 2 : 0);
    }
    if (!below)
        buf_str(out, g->cols[last].title);
    buf_str(out, colour ? PLAIN "\n" : "\n");
}

static void
put_last(const struct grid *g, struct span text, size_t at, size_t width,
         struct buf *out)
{
    const struct grid_col *col = &g->cols[g->n_cols - 1];
    size_t n = grid_width(text);

    if (!col->cut)
        grid_wrap(out, text, at, at, width);
    else if (width == 0 || at + n <= width)
        buf_span(out, text);
    else
        put_cell(out, text, width > at ? width - at : 1, col, false);
    buf_putc(out, '\n');
}

/* The row whose first cell is i, up to its last cell. */
static void
put_row(const struct grid *g, size_t i, const size_t *widths, bool below,
        bool colour, struct buf *out)
{
    size_t last = g->n_cols - 1;

    pad(out, GRID_INDENT);
    for (size_t k = 0; k < last; k++) {
        put_cell(out, cell(g, i + k), widths[k], &g->cols[k], colour);
        pad(out, k + 1 < last || !below ? 2 : 0);
    }
    if (below) {
        buf_putc(out, '\n');
        pad(out, BELOW_INDENT);
    }
}

/* Widths of all columns but the last, and the column where that starts. */
static size_t
measure(const struct grid *g, unsigned width, size_t *widths)
{
    size_t at = GRID_INDENT;

    for (size_t i = 0; i + 1 < g->n_cols; i++) {
        widths[i] = col_width(g, i);
        at += widths[i] + 2;
    }
    for (size_t i = 0; i + 1 < g->n_cols && width > 0; i++) {
        while (g->cols[i].soft && at - 2 > width && widths[i] > SOFT_MIN) {
            widths[i]--;
            at--;
        }
    }
    return at;
}

void
grid_print(const struct grid *g, unsigned width, bool colour, struct buf *out)
{
    size_t widths[GRID_COLS] = {0};
    size_t last = g->n_cols - 1;
    size_t at = measure(g, width, widths);
    size_t room = col_width(g, last);
    bool below;

    room = room < LAST_MIN ? room : LAST_MIN;
    below = width > 0 && at + room > width;
    at = below ? BELOW_INDENT : at;
    put_title(g, widths, below, colour, out);
    for (size_t i = 0; i + last < g->n_cells; i += g->n_cols) {
        put_row(g, i, widths, below, colour, out);
        put_last(g, cell(g, i + last), at, width, out);
    }
    out->failed |= g->text.failed;
}
