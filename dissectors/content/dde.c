#include "dissectors/content/dde.h"

#include "dissectors/content/embed.h"

static bool
is_name(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '_' || c == '.' || c == '\\' ||
           c == '/' || c == ':' || c == '-';
}

static bool
is_formula_mark(uint8_t c)
{
    return c == '=' || c == '+' || c == '-' || c == '@';
}

static bool
is_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* A program's name, plain or in quotes, right before the bar. */
static bool
has_program(struct span before)
{
    size_t n = 0;

    if (before.n > 0 && span_at(before, before.n - 1) == '\'')
        return before.n > 2;
    while (n < before.n && is_name(span_at(before, before.n - 1 - n)) && n < 16)
        n++;
    return n >= 2 && is_letter(span_at(before, before.n - n));
}

/* topic!item behind the bar. *n is how much was looked at. */
static bool
has_topic(struct span after, size_t *n)
{
    size_t k = 0;

    if (span_at(after, 0) == '\'') {
        k = 1 + span_find(span_tail(after, 1), '\'') + 1;
        *n = k;
        return k > 2 && span_at(after, k) == '!';
    }
    while (k < after.n && is_name(span_at(after, k)))
        k++;
    *n = k;
    return k > 0 && span_at(after, k) == '!' &&
           (is_letter(span_at(after, k + 1)) ||
            memchr("_$'", span_at(after, k + 1), 3) != NULL);
}

struct cells {
    struct span text;
    struct span separators;
    size_t cell; /* where it begins */
    bool formula;
    bool quoted; /* separators are text until the quote closes */
    struct findings *out;
};

static void
begin_cell(struct cells *c, size_t at)
{
    while (span_at(c->text, at) == ' ')
        at++;
    c->quoted = span_at(c->text, at) == '"';
    at += c->quoted;
    while (span_at(c->text, at) == ' ')
        at++;
    c->cell = at;
    c->formula = is_formula_mark(span_at(c->text, at));
}

static void
note(struct cells *c)
{
    struct span cell = span_tail(c->text, c->cell);
    size_t n = 0;

    while (n < cell.n && span_at(cell, n) != '\r' && span_at(cell, n) != '\n')
        n++;
    findings_add_detail(c->out, FIND_DDE, span_head(cell, n));
}

/* Gives how many bytes further the search goes on. */
static size_t
bar(struct cells *c, size_t at)
{
    size_t n = 0;

    if (c->formula && has_program(span_head(c->text, at)) &&
        has_topic(span_tail(c->text, at + 1), &n)) {
        note(c);
        c->formula = false; /* once a cell */
    }
    return n;
}

static bool
is_function(struct span before)
{
    struct span name =
        before.n >= 3 ? span_tail(before, before.n - 3) : SPAN_NONE;
    uint8_t c = before.n > 3 ? span_at(before, before.n - 4) : '=';

    return span_eq_nocase(name, SPAN_LIT("DDE")) && !is_letter(c) && c != '_';
}

static bool
is_separator(const struct cells *c, uint8_t b)
{
    return c->separators.n > 0 && !c->quoted &&
           memchr(c->separators.p, b, c->separators.n) != NULL;
}

void
dde_judge(struct span text, struct span separators, struct findings *out)
{
    struct cells c = {.text = text, .separators = separators, .out = out};

    begin_cell(&c, 0);
    for (size_t at = 0; at < text.n; at++) {
        uint8_t b = span_at(text, at);

        if (is_separator(&c, b)) {
            begin_cell(&c, at + 1);
        } else if (b == '"' && at >= c.cell) {
            c.quoted = !c.quoted && c.separators.n > 0 && c.cell > 0 &&
                       span_at(text, c.cell - 1) == '"';
        } else if (b == '|') {
            at += bar(&c, at);
        } else if (b == '(' && c.formula && is_function(span_head(text, at))) {
            note(&c);
            c.formula = false;
        }
    }
}

/* ---- text files ---- */

static bool
is_table_name(struct span name)
{
    static const struct span extensions[] = {
        SPAN_INIT("csv"), SPAN_INIT("tsv"), SPAN_INIT("tab"),
        SPAN_INIT("xls"), SPAN_INIT("dif"), SPAN_INIT("prn"),
    };
    struct span e = filename_extension(name);

    for (size_t k = 0; k < ARRAY_LEN(extensions); k++)
        if (span_eq_nocase(e, extensions[k]))
            return true;
    return false;
}

static bool
csv_wants(const struct content_item *item)
{
    return is_table_name(item->name) && item->bytes.n > 0 &&
           span_find(span_head(item->bytes, FILETYPE_HEAD), 0) >=
               span_head(item->bytes, FILETYPE_HEAD).n;
}

static void
csv_inspect(struct inspection *i, const struct content_item *item)
{
    if (span_find(item->bytes, '|') < item->bytes.n ||
        span_contains_nocase(span_head(item->bytes, 1U << 20),
                             SPAN_LIT("DDE(")))
        dde_judge(item->bytes, SPAN_LIT(",;\t\r\n"), inspection_findings(i));
}

static bool
slk_wants(const struct content_item *item)
{
    return span_starts(item->bytes, SPAN_LIT("ID;"));
}

/* A record: letters, then fields, each behind a semicolon. */
static struct span
next_field(struct span *record)
{
    struct span f = span_head(*record, span_find(*record, ';'));

    *record = span_tail(*record, f.n + 1);
    return f;
}

static void
slk_record(struct inspection *i, const struct content_item *item,
           struct span line)
{
    struct span type = next_field(&line);

    while (line.n > 0) {
        struct span rest = line;
        struct span f = next_field(&line);

        if (span_eq(type, SPAN_LIT("ID")) && span_eq(f, SPAN_LIT("E")))
            inspection_note(i, item, FIND_XLM_MACRO);
        if (span_eq(type, SPAN_LIT("NN")) &&
            span_starts_nocase(f, SPAN_LIT("NAuto_")))
            embed_note(i, item, FIND_XLM_MACRO, span_tail(f, 1));
        if (span_eq(type, SPAN_LIT("C")) && span_at(f, 0) == 'E') {
            struct buf formula;

            buf_init(&formula, FILETYPE_HEAD);
            buf_putc(&formula, '=');
            buf_span(&formula, span_tail(rest, 1));
            dde_judge(buf_view(&formula), SPAN_NONE, inspection_findings(i));
            buf_free(&formula);
            return;
        }
    }
}

static void
slk_inspect(struct inspection *i, const struct content_item *item)
{
    struct span s = item->bytes;

    while (s.n > 0) {
        size_t n = span_find(s, '\n');
        struct span line = span_head(s, n);

        if (line.n > 0 && span_at(line, line.n - 1) == '\r')
            line = span_head(line, line.n - 1);
        slk_record(i, item, line);
        s = span_tail(s, n + 1);
    }
}

const struct inspector csv_inspector = {
    .name = "csv",
    .wants = csv_wants,
    .inspect = csv_inspect,
};

const struct inspector slk_inspector = {
    .name = "slk",
    .wants = slk_wants,
    .inspect = slk_inspect,
};
