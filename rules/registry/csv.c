#include "rules/registry/csv.h"

#define BOM SPAN_LIT("\xef\xbb\xbf")

enum err
csv_init(struct csv *c, struct span text, size_t row_max)
{
    *c = (struct csv){.next_line = 1, .row_max = row_max};
    c->rest = span_starts(text, BOM) ? span_tail(text, 3) : text;
    c->room = malloc((text.n < row_max ? text.n : row_max) + 1);
    return c->room != NULL ? ERR_OK : ERR_NOMEM;
}

void
csv_fini(struct csv *c)
{
    free(c->room);
    c->room = NULL;
}

static bool
is_end(uint8_t b)
{
    return b == '\n' || b == '\r';
}

/* CR LF is one. */
static size_t
end_len(struct span s)
{
    return s.n == 0 ? 0 : span_starts(s, SPAN_LIT("\r\n")) ? 2 : 1;
}

/* ---- the separator ---- */

/* In the first row; a tie is the comma's. */
static uint8_t
find_separator(struct span s)
{
    static const uint8_t known[] = {',', ';', '\t'};
    size_t counts[256] = {0};
    uint8_t best = ',';
    bool quoted = false;

    for (size_t i = 0; i < s.n && (quoted || !is_end(s.p[i])); i++) {
        if (s.p[i] == '"')
            quoted = !quoted;
        else if (!quoted)
            counts[s.p[i]]++;
    }
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (counts[known[i]] > counts[best])
            best = known[i];
    }
    return best;
}

/* ---- cells ---- */

/* Reads one row: s is what may be of it, at the place in it. */
struct reader {
    struct csv *c;
    struct span s;
    size_t at;
};

static bool
is_blank(const struct reader *r, uint8_t b)
{
    return b == ' ' || (b == '\t' && r->c->separator != '\t');
}

static bool
ends_cell(const struct reader *r, size_t at)
{
    uint8_t b = span_at(r->s, at);

    return at >= r->s.n || b == r->c->separator || is_end(b);
}

static size_t
skip_blanks(const struct reader *r, size_t at)
{
    while (at < r->s.n && is_blank(r, r->s.p[at]))
        at++;
    return at;
}

static bool
fail(struct reader *r, size_t at, const char *fault)
{
    r->c->fault = fault;
    r->c->where = (struct csv_cell){.at = at};
    return false;
}

static void
put_room(struct csv *c, struct span s)
{
    if (s.n > 0)
        memcpy(c->room + c->n_room, s.p, s.n);
    c->n_room += s.n;
}

/* Behind the quote. A cell without doubled quotes stays where it is. */
static bool
read_quoted(struct reader *r, struct span *out)
{
    struct csv *c = r->c;
    size_t open = r->at - 1;
    size_t made = c->n_room;
    struct span part;

    for (;;) {
        struct span rest = span_tail(r->s, r->at);

        part = span_head(rest, span_find(rest, '"'));
        if (part.n == rest.n)
            return fail(r, open, "the quote is never closed");
        r->at += part.n + 1;
        if (span_at(r->s, r->at) != '"')
            break;
        put_room(c, span_of(part.p, part.n + 1));
        r->at++;
    }
    if (c->n_room > made) {
        put_room(c, part);
        part = span_of(c->room + made, c->n_room - made);
    }
    *out = part;
    r->at = skip_blanks(r, r->at);
    if (ends_cell(r, r->at))
        return true;
    return fail(r, r->at, "text follows the closing quote");
}

static void
read_bare(struct reader *r, struct span *out)
{
    size_t begin = r->at;
    size_t end;

    while (!ends_cell(r, r->at))
        r->at++;
    end = r->at;
    while (end > begin && is_blank(r, r->s.p[end - 1]))
        end--;
    *out = span_of(r->s.p + begin, end - begin);
}

static bool
read_cell(struct reader *r)
{
    struct csv *c = r->c;
    size_t begin = r->at;
    struct csv_cell *cell;

    r->at = skip_blanks(r, r->at);
    if (c->n_cells == CSV_CELLS_MAX)
        return fail(r, begin, "the row has too many cells");
    cell = &c->cells[c->n_cells++];
    cell->at = r->at;
    if (span_at(r->s, r->at) != '"') {
        read_bare(r, &cell->text);
        return true;
    }
    r->at++;
    return read_quoted(r, &cell->text);
}

/* All cells; r->at is left on the line end. */
static bool
read_row(struct reader *r)
{
    while (read_cell(r)) {
        if (r->at >= r->s.n || is_end(r->s.p[r->at]))
            return true;
        r->at++;
    }
    return false;
}

/* ---- rows ---- */

/* Place of the first line end, or s.n. */
static size_t
find_end(struct span s)
{
    size_t n = span_find(s, '\n');

    return span_find(span_head(s, n), '\r');
}

/* Counts the line ends of s and gives what follows the last. */
static struct span
last_line(struct span s, size_t *n)
{
    for (;;) {
        size_t end = find_end(s);

        if (end == s.n)
            return s;
        ++*n;
        s = span_tail(s, end);
        s = span_tail(s, end_len(s));
    }
}

/* Whatever is behind the first n bytes is for the next row. */
static void
leave(struct csv *c, size_t n)
{
    struct span used = span_head(c->rest, n);

    c->next_line = c->line;
    (void)last_line(used, &c->next_line);
    c->rest = span_tail(c->rest, n);
}

/* Goes on from what the cell before it has, so that a row is walked once. */
static void
set_place(const struct csv *c, const struct csv_cell *before,
          struct csv_cell *cell)
{
    struct span way = span_tail(c->row, before->at);
    struct span rest;

    way = span_head(way, cell->at - before->at);
    cell->line = before->line;
    rest = last_line(way, &cell->line);
    cell->column = cell->line > before->line ? 1 : before->column;
    for (size_t i = 0; i < rest.n; i++)
        cell->column += (rest.p[i] & 0xc0) != 0x80;
}

/* A quote that is never closed costs its own line, not the rest of the file. */
static enum csv_got
bad_row(struct csv *c, size_t from)
{
    const struct csv_cell first = {.line = c->line, .column = 1};
    size_t end = from + find_end(span_tail(c->rest, from));

    set_place(c, &first, &c->where);
    leave(c, end + end_len(span_tail(c->rest, end)));
    return CSV_BAD;
}

static void
skip_empty(struct csv *c)
{
    while (c->rest.n > 0 && is_end(c->rest.p[0])) {
        c->rest = span_tail(c->rest, end_len(c->rest));
        c->next_line++;
    }
}

static void
set_places(struct csv *c)
{
    struct csv_cell before = {.line = c->line, .column = 1};

    for (size_t i = 0; i < c->n_cells; i++) {
        set_place(c, &before, &c->cells[i]);
        before = c->cells[i];
    }
}

enum csv_got
csv_next(struct csv *c)
{
    struct reader r = {c, SPAN_NONE, 0};

    skip_empty(c);
    c->line = c->next_line;
    c->n_cells = c->n_room = 0;
    if (c->rest.n == 0)
        return CSV_END;
    r.s = span_head(c->rest, c->row_max + 1);
    if (c->separator == 0)
        c->separator = find_separator(r.s);
    c->row = r.s;
    if (!read_row(&r))
        return bad_row(c, c->where.at);
    if (r.at > c->row_max) {
        (void)fail(&r, 0, "the row is too long");
        return bad_row(c, r.at);
    }
    c->row = span_head(r.s, r.at);
    set_places(c);
    leave(c, r.at + end_len(span_tail(c->rest, r.at)));
    return CSV_ROW;
}

/* ---- safe cells ---- */

/* Length of a character at the head that makes a formula, or 0. */
static size_t
formula_len(struct span s)
{
    static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b",
                                       "\xef\xbc\x8d", "\xef\xbc\xa0"};
    uint8_t b = span_at(s, 0);

    if (s.n == 0)
        return 0;
    if (b == '=' || b == '+' || b == '-' || b == '@' || b == '\t' || is_end(b))
        return 1;
    for (size_t i = 0; b == 0xef && i < ARRAY_LEN(wide); i++) {
        if (span_starts(s, span_str(wide[i])))
            return 3;
    }
    return 0;
}

/* Behind it somebody may think that a cell begins. */
static bool
is_border(uint8_t b)
{
    return b == ',' || b == ';' || b == '"' || b == '\t' || is_end(b);
}

static size_t
run_of(struct span s, uint8_t b)
{
    size_t n = 0;

    while (n < s.n && s.p[n] == b)
        n++;
    return n;
}

/* A piece of a text: blanks and apostrophes at the begin of a cell, and what
 * follows them up to where the next cell may begin. */
struct piece {
    struct span blanks, marks, rest;
    bool formula; /* rest begins with what makes one */
};

static struct piece
next_piece(struct span *s)
{
    struct piece p;
    size_t n;

    p.blanks = span_head(*s, run_of(*s, ' '));
    *s = span_tail(*s, p.blanks.n);
    p.marks = span_head(*s, run_of(*s, '\''));
    *s = span_tail(*s, p.marks.n);
    n = formula_len(*s);
    p.formula = n > 0;
    n = 0;
    while (n < s->n && !is_border(s->p[n]))
        n++;
    p.rest = span_head(*s, n + 1);
    *s = span_tail(*s, n + 1);
    return p;
}

static bool
needs_quotes(struct span s)
{
    if (s.n > 0 && (s.p[0] == ' ' || s.p[s.n - 1] == ' '))
        return true;
    for (size_t i = 0; i < s.n; i++) {
        if (is_border(s.p[i]))
            return true;
    }
    return false;
}

static void
put_doubled(struct buf *out, struct span s)
{
    while (s.n > 0) {
        size_t n = span_find(s, '"') + 1;

        buf_span(out, span_head(s, n));
        if (n <= s.n)
            buf_putc(out, '"');
        s = span_tail(s, n);
    }
}

void
csv_put(struct buf *out, struct span text)
{
    bool quoted = needs_quotes(text);

    if (quoted)
        buf_putc(out, '"');
    while (text.n > 0) {
        struct piece p = next_piece(&text);

        buf_span(out, p.blanks);
        if (p.formula)
            buf_putc(out, '\'');
        buf_span(out, p.marks);
        put_doubled(out, p.rest);
    }
    if (quoted)
        buf_putc(out, '"');
}

struct span
csv_plain(struct span text, struct buf *room)
{
    size_t begin = room->n;

    if (span_find(text, '\'') == text.n)
        return text;
    while (text.n > 0) {
        struct piece p = next_piece(&text);

        buf_span(room, p.blanks);
        buf_span(room, p.formula ? span_tail(p.marks, 1) : p.marks);
        buf_span(room, p.rest);
    }
    return span_tail(buf_view(room), begin);
}
