#include "rules/registry.h"

#include "sensor/base/text.h"

#include <stdlib.h>

#define COLUMNS_MAX 64
#define SITE_MAX 256

struct row {
    struct prefix prefix;
    char *site;
};

struct registry {
    struct row *rows;
    size_t n;
};

/* ---- CSV, RFC 4180 ---- */

struct csv {
    struct span rest;
    size_t line; /* of the record last read, from 1 */
    size_t next; /* line where the next begins */
};

/* One record into fields (their text in room); false at the end. */
static bool
csv_next(struct csv *c, struct buf *room, struct span *fields, size_t *n)
{
    size_t ends[COLUMNS_MAX];
    size_t at = 0;
    bool quoted = false;
    struct span s = c->rest;

    if (s.n == 0)
        return false;
    buf_reset(room);
    *n = 0;
    c->line = c->next;
    for (;; at++) {
        uint8_t b = span_at(s, at);
        bool end = at >= s.n || (!quoted && b == '\n');

        if (end || (!quoted && b == ',')) {
            if (*n < COLUMNS_MAX)
                ends[(*n)++] = room->n;
            if (end)
                break;
        } else if (b == '"') {
            if (quoted && span_at(s, at + 1) == '"')
                buf_putc(room, s.p[at++]);
            else
                quoted = !quoted;
        } else if (b != '\r') {
            buf_putc(room, b);
        }
        if (b == '\n')
            c->next++;
    }
    c->next++;
    c->rest = span_tail(s, at + 1);
    for (size_t i = 0, from = 0; i < *n; i++) {
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

static int
by_length(const void *a, const void *b)
{
    const struct row *x = a;
    const struct row *y = b;

    if (x->prefix.bits != y->prefix.bits)
        return x->prefix.bits > y->prefix.bits ? -1 : 1;
    return addr_cmp(&x->prefix.addr, &y->prefix.addr);
}

static enum err
add(struct registry *r, const struct prefix *p, struct span site)
{
    struct row *rows = realloc(r->rows, (r->n + 1) * sizeof(*rows));
    char *text;

    if (rows == NULL)
        return ERR_NOMEM;
    r->rows = rows;
    site = span_head(site, SITE_MAX);
    text = strndup(site.n > 0 ? (const char *)site.p : "", site.n);
    if (text == NULL)
        return ERR_NOMEM;
    r->rows[r->n++] = (struct row){*p, text};
    return ERR_OK;
}

static void
complain(struct buf *messages, const char *name, size_t line,
         struct span value)
{
    buf_printf(messages, "%s:%zu: \"", name, line);
    text_term(messages, span_head(value, 60));
    buf_str(messages, "\" is neither an address nor a prefix with all host "
                      "bits zero, such as 192.0.2.0/24; the line is left "
                      "out\n");
}

static enum err
parse_rows(struct registry *r, struct csv *c, const char *name, size_t columns[2],
           size_t *faulty, struct buf *messages)
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
            e = add(r, &p, site);
            continue;
        }
        ++*faulty;
        complain(messages, name, c->line,
                 columns[0] < n ? fields[columns[0]] : SPAN_NONE);
    }
    buf_free(&room);
    return e;
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
        buf_printf(messages,
                   "%s:1: the first line must name the columns, at least "
                   "\"address\": write address,site\n",
                   name);
    if (e != ERR_OK) {
        registry_free(r);
        return e;
    }
    qsort(r->rows, r->n, sizeof(*r->rows), by_length);
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

static size_t
end_of_length(const struct registry *r, size_t from)
{
    size_t to = from;

    while (to < r->n && r->rows[to].prefix.bits == r->rows[from].prefix.bits)
        to++;
    return to;
}

const char *
registry_site(const struct registry *r, const struct addr *a)
{
    for (size_t from = 0; from < r->n;) {
        size_t to = end_of_length(r, from);
        struct addr m = masked(a, r->rows[from].prefix.bits);
        size_t i = lower_bound(r, from, to, &m);

        if (i < to && addr_cmp(&r->rows[i].prefix.addr, &m) == 0)
            return r->rows[i].site;
        from = to;
    }
    return NULL;
}
