#include "rules/registry.h"

#include "sensor/base/text.h"

#include <stdlib.h>

#define COLUMNS_MAX 64
#define SITE_MAX    256
#define QUOTED_MAX  4096 /* bytes of a record that quotes make span lines */

struct row {
    struct prefix prefix;
    size_t line;
    char *site;
};

/* Rows of one prefix length. */
struct level {
    size_t from, to;
};

struct registry {
    struct row *rows; /* longest prefix first, then by address */
    size_t n, cap;
    struct level levels[129];
    size_t n_levels;
};

/* ---- CSV, RFC 4180 ---- */

struct csv {
    struct span rest;
    size_t line; /* of the record last read, from 1 */
    size_t next; /* line where the next begins */
};

/* The record as far as limit, of which quotes may hold line ends; false when a
 * quote is still open there. A quote opens a field only at its beginning:
 * elsewhere it is a character. */
static bool
csv_split(struct csv *c, size_t limit, struct buf *room, size_t *ends,
          size_t *n)
{
    struct span s = span_head(c->rest, limit);
    bool quoted = false;
    size_t begin = 0;
    size_t at;

    buf_reset(room);
    *n = 0;
    for (at = 0;; at++) {
        uint8_t b = span_at(s, at);
        bool end = at >= s.n || (!quoted && b == '\n');

        if (end || (!quoted && b == ',')) {
            if (*n < COLUMNS_MAX)
                ends[(*n)++] = room->n;
            if (end)
                break;
            begin = room->n;
        } else if (quoted && b == '"' && span_at(s, at + 1) == '"') {
            buf_putc(room, s.p[at++]);
        } else if (b == '"' && (quoted || room->n == begin)) {
            quoted = !quoted;
        } else if (b != '\r' && (quoted || room->n > begin || b != ' ')) {
            buf_putc(room, b);
        }
        c->next += b == '\n';
    }
    c->next++;
    c->rest = span_tail(c->rest, at + 1);
    return !quoted;
}

/* One record into fields (their text in room); false at the end. A quote that
 * is never closed costs its own line, not the rest of the file. */
static bool
csv_next(struct csv *c, struct buf *room, struct span *fields, size_t *n)
{
    size_t ends[COLUMNS_MAX];
    struct csv before = *c;
    size_t line = span_find(c->rest, '\n');
    size_t from = 0;

    if (c->rest.n == 0)
        return false;
    if (!csv_split(c, line > QUOTED_MAX ? line : QUOTED_MAX, room, ends, n)) {
        *c = before;
        (void)csv_split(c, line, room, ends, n);
    }
    c->line = before.next;
    for (size_t i = 0; i < *n; i++) {
        fields[i] = span_trim(
            span_head(span_tail(buf_view(room), from), ends[i] - from));
        from = ends[i];
    }
    return true;
}

static size_t
column(const struct span *fields, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq_nocase(fields[i], span_str(name)))
            return i;
    }
    return n;
}

/* ---- rows ---- */

static bool
is_same(const struct prefix *a, const struct prefix *b)
{
    return a->bits == b->bits && addr_cmp(&a->addr, &b->addr) == 0;
}

static int
by_length(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;

    if (x->prefix.bits != y->prefix.bits)
        return x->prefix.bits > y->prefix.bits ? -1 : 1;
    if (!is_same(&x->prefix, &y->prefix))
        return addr_cmp(&x->prefix.addr, &y->prefix.addr);
    return x->line < y->line ? -1 : x->line > y->line;
}

static bool
rows_grow(struct registry *r)
{
    size_t cap = r->cap > 0 ? r->cap * 2 : 64;
    struct row *rows;

    if (r->n < r->cap)
        return true;
    rows = realloc(r->rows, cap * sizeof(*rows));
    if (rows == NULL)
        return false;
    r->rows = rows;
    r->cap = cap;
    return true;
}

static enum err
add(struct registry *r, const struct prefix *p, size_t line, struct span site)
{
    char *text;

    if (!rows_grow(r))
        return ERR_NOMEM;
    site = span_head(site, SITE_MAX);
    text = strndup(site.n > 0 ? (const char *)site.p : "", site.n);
    if (text == NULL)
        return ERR_NOMEM;
    r->rows[r->n++] = (struct row){*p, line, text};
    return ERR_OK;
}

static void
place(struct buf *messages, const char *name, size_t line)
{
    text_term(messages, span_str(name));
    buf_printf(messages, ":%zu: ", line);
}

static void
complain(struct buf *messages, const char *name, size_t line, struct span value)
{
    place(messages, name, line);
    buf_putc(messages, '"');
    text_term(messages, span_head(value, 60));
    buf_str(messages, "\" is neither an address nor a prefix with all host "
                      "bits zero, such as 192.0.2.0/24; the line is left "
                      "out\n");
}

static void
complain_twice(struct buf *messages, const char *name, const struct row *first,
               const struct row *again)
{
    place(messages, name, again->line);
    prefix_format(&again->prefix, messages);
    buf_printf(messages,
               " stands in line %zu with another site; the line is left out\n",
               first->line);
}

/* A prefix counts once, with the site of its first line. */
static void
drop_doubles(struct registry *r, const char *name, size_t *faulty,
             struct buf *messages)
{
    size_t n = 0;

    for (size_t i = 0; i < r->n; i++) {
        struct row *row = &r->rows[i];

        if (n == 0 || !is_same(&r->rows[n - 1].prefix, &row->prefix)) {
            r->rows[n++] = *row;
            continue;
        }
        if (strcmp(r->rows[n - 1].site, row->site) != 0) {
            ++*faulty;
            complain_twice(messages, name, &r->rows[n - 1], row);
        }
        free(row->site);
    }
    r->n = n;
}

static void
find_levels(struct registry *r)
{
    for (size_t i = 0; i < r->n; i++) {
        if (i == 0 || r->rows[i].prefix.bits != r->rows[i - 1].prefix.bits)
            r->levels[r->n_levels++].from = i;
        r->levels[r->n_levels - 1].to = i + 1;
    }
}

static enum err
parse_rows(struct registry *r, struct csv *c, const char *name,
           const size_t columns[2], size_t *faulty, struct buf *messages)
{
    struct span fields[COLUMNS_MAX];
    struct buf room;
    size_t n;
    enum err e = ERR_OK;

    buf_init(&room, 1 << 16);
    while (e == ERR_OK && csv_next(c, &room, fields, &n)) {
        struct prefix p;
        struct span site = columns[1] < n ? fields[columns[1]] : SPAN_NONE;

        if (n == 1 && fields[0].n == 0)
            continue;
        if (columns[0] < n && prefix_parse(fields[columns[0]], &p)) {
            e = add(r, &p, c->line, site);
            continue;
        }
        ++*faulty;
        complain(messages, name, c->line,
                 columns[0] < n ? fields[columns[0]] : SPAN_NONE);
    }
    buf_free(&room);
    return e;
}

static void
complain_head(struct buf *messages, const char *name)
{
    place(messages, name, 1);
    buf_str(messages, "the first line must name the columns, at least "
                      "\"address\": write address,site\n");
}

enum err
registry_parse(struct span csv, const char *name, struct registry **out,
               size_t *faulty, struct buf *messages)
{
    struct registry *r = calloc(1, sizeof(*r));
    struct csv c = {csv, 0, 1};
    struct span fields[COLUMNS_MAX];
    struct buf room;
    size_t columns[2] = {0, 0};
    size_t n = 0;
    bool has_head;
    enum err e = ERR_FORMAT;

    if (r == NULL)
        return ERR_NOMEM;
    *faulty = 0;
    if (span_starts(c.rest, SPAN_LIT("\xef\xbb\xbf")))
        c.rest = span_tail(c.rest, 3);
    buf_init(&room, 1 << 16);
    has_head = csv_next(&c, &room, fields, &n);
    columns[0] = column(fields, n, "address");
    columns[1] = column(fields, n, "site");
    buf_free(&room);
    if (has_head && columns[0] < n)
        e = parse_rows(r, &c, name, columns, faulty, messages);
    else
        complain_head(messages, name);
    if (e != ERR_OK) {
        registry_free(r);
        return e;
    }
    if (r->n > 0)
        qsort(r->rows, r->n, sizeof(*r->rows), by_length);
    drop_doubles(r, name, faulty, messages);
    find_levels(r);
    *out = r;
    return ERR_OK;
}

void
registry_free(struct registry *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++)
        free(r->rows[i].site);
    free(r->rows);
    free(r);
}

size_t
registry_size(const struct registry *r)
{
    return r->n;
}

/* First row of this length whose address is not below a's. */
static size_t
lower_bound(const struct registry *r, size_t from, size_t to,
            const struct addr *a)
{
    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (addr_cmp(&r->rows[mid].prefix.addr, a) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static struct addr
masked(const struct addr *a, unsigned bits)
{
    struct addr m = *a;

    for (unsigned i = bits / 8; i < 16; i++) {
        unsigned kept = i == bits / 8 ? 0xff00U >> (bits % 8) : 0;

        m.b[i] = (uint8_t)(m.b[i] & kept);
    }
    return m;
}

const char *
registry_site(const struct registry *r, const struct addr *a)
{
    for (size_t i = 0; i < r->n_levels; i++) {
        const struct level *l = &r->levels[i];
        const struct row *first = &r->rows[l->from];
        struct addr m = masked(a, first->prefix.bits);
        size_t at = lower_bound(r, l->from, l->to, &m);

        if (at < l->to && addr_cmp(&r->rows[at].prefix.addr, &m) == 0 &&
            prefix_has(&r->rows[at].prefix, a))
            return r->rows[at].site;
    }
    return NULL;
}
