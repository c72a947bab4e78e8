#include "rules/registry/permits_read.h"

#include <stdlib.h>

#include "rules/registry/csv.h"
#include "sensor/base/text.h"

#define DEPTH   32
#define ROW_MAX (1U << 16)

struct set {
    enum form_use use;
    uint32_t port;
    bool ours;
};

struct reading {
    struct permits_list *out;
    const char *name;
    struct buf *messages;
    struct set set; /* that the next entries are in */
    size_t line;
    size_t understood;
    enum err e;
};

/* Whatever is missing would count as lost. */
static void
refuse_half(struct reading *r)
{
    text_term(r->messages, span_str(r->name));
    buf_printf(r->messages, ":%zu: the list ends in the middle\n", r->line);
    r->e = ERR_FORMAT;
}

static const struct set unknown_set = {FORM_BOTH, PERMITS_ANY_PORT, false};

/* ---- entries ---- */

static bool
read_range(struct span text, struct permits_range *out)
{
    size_t dash = span_find(text, '-');
    struct prefix p;

    if (dash == text.n) {
        if (!prefix_parse(text, &p))
            return false;
        *out = permits_range_of(&p);
        return true;
    }
    return addr_parse(span_head(text, dash), &out->first) &&
           addr_parse(span_tail(text, dash + 1), &out->last) &&
           addr_is_v4(&out->first) == addr_is_v4(&out->last) &&
           addr_cmp(&out->first, &out->last) <= 0;
}

static void
keep(struct reading *r, const struct permits_range *range)
{
    struct permits_list *l = r->out;

    r->understood++;
    if (l->n >= PERMITS_MAX) {
        l->full = true;
        return;
    }
    if (l->n == l->cap) {
        size_t cap = l->cap > 0 ? 2 * l->cap : 64;
        struct permits_found *v = reallocarray(l->v, cap, sizeof(*v));

        if (v == NULL) {
            r->e = ERR_NOMEM;
            return;
        }
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] =
        (struct permits_found){*range, r->set.use, r->set.port, r->set.ours};
}

static void
add(struct reading *r, struct span text)
{
    struct permits_range range;

    if (read_range(text, &range)) {
        keep(r, &range);
        return;
    }
    if (r->out->faulty++ >= PERMITS_FAULTS)
        return;
    text_term(r->messages, span_str(r->name));
    buf_printf(r->messages, ":%zu: '", r->line);
    text_term(r->messages, span_head(text, 60));
    buf_str(r->messages, "' is not an address, prefix or range\n");
}

/* "span25-send-25-v4", "receive_any_v6" */
static struct set
set_of(struct span name)
{
    static const struct {
        const char *word;
        enum form_use use;
    } ways[] = {
        {"send",    FORM_SEND   },
        {"receive", FORM_RECEIVE},
    };
    struct set set = unknown_set;

    if (span_starts(name, SPAN_LIT("span25-")))
        name = span_tail(name, 7);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct span word = span_str(ways[i].word);
        struct span rest = span_tail(name, word.n + 1);
        struct span port = span_head(rest, rest.n > 3 ? rest.n - 3 : 0);
        uint64_t number = 0;

        if (!span_starts(name, word) ||
            (!span_eq(port, SPAN_LIT("any")) &&
             (!span_to_u64(port, &number) || number < 1 || number > 65535)))
            continue;
        set = (struct set){ways[i].use, (uint32_t)number, true};
    }
    return set;
}

/* ---- words ---- */

struct words {
    struct span rest;
    size_t line;
    bool quoted;
};

static bool
is_mark(uint8_t c)
{
    return c == '{' || c == '}' || c == ',' || c == '=' || c == ';' ||
           c == '\n' || c == '"';
}

/* The next word, text in quotes, or one of the marks; # to the line's end is
 * passed over. Empty at the end. */
static struct span
next_word(struct words *w)
{
    size_t n = 0;
    struct span word;

    w->quoted = false;
    while (w->rest.n > 0 &&
           (span_at(w->rest, 0) == ' ' || span_at(w->rest, 0) == '\t' ||
            span_at(w->rest, 0) == '\r'))
        w->rest = span_tail(w->rest, 1);
    if (span_at(w->rest, 0) == '#')
        w->rest = span_tail(w->rest, span_find(w->rest, '\n'));
    if (span_at(w->rest, 0) == '"') {
        w->quoted = true;
        w->rest = span_tail(w->rest, 1);
        n = span_find(w->rest, '"');
        word = span_head(w->rest, n);
        w->rest = span_tail(w->rest, n + 1);
        return word;
    }
    if (w->rest.n > 0 && is_mark(span_at(w->rest, 0))) {
        word = span_head(w->rest, 1);
        w->line += span_at(word, 0) == '\n';
        w->rest = span_tail(w->rest, 1);
        return word;
    }
    while (n < w->rest.n && !is_mark(span_at(w->rest, n)) &&
           span_at(w->rest, n) != ' ' && span_at(w->rest, n) != '\t' &&
           span_at(w->rest, n) != '\r')
        n++;
    word = span_head(w->rest, n);
    w->rest = span_tail(w->rest, n);
    return word;
}

static bool
is(struct span word, const char *what)
{
    return span_eq(word, span_str(what));
}

/* ---- nft list ---- */

/* False: it does not end. */
static bool
nft_elements(struct reading *r, struct words *w)
{
    bool first = true; /* word of an element */

    while (w->rest.n > 0 && r->e == ERR_OK) {
        struct span word = next_word(w);

        r->line = w->line;
        if (!w->quoted && is(word, "}"))
            return true;
        if (!w->quoted && is(word, ","))
            first = true;
        else if (word.n > 0 && !w->quoted && !is(word, "\n") && first) {
            add(r, word);
            first = false;
        }
    }
    return false;
}

static void
nft_open(struct reading *r, struct words *w, const struct span before[4],
         size_t *depth)
{
    bool whole = false;

    if (is(before[0], "=") && is(before[1], "elements")) {
        whole = nft_elements(r, w);
    } else if (is(before[3], "element")) {
        r->set = set_of(before[0]);
        whole = nft_elements(r, w);
    } else if (is(before[1], "set") || is(before[1], "map")) {
        r->set = set_of(before[0]);
        r->understood++;
    } else if (is(before[2], "table")) {
        r->understood++;
    }
    *depth += !whole;
}

static void
read_nft(struct reading *r, struct span text)
{
    struct words w = {.rest = text, .line = 1};
    struct span before[4] = {SPAN_NONE}; /* words, latest first */
    size_t depth = 0;

    while (w.rest.n > 0 && r->e == ERR_OK) {
        struct span word = next_word(&w);

        if (w.quoted || is(word, "\n"))
            continue;
        if (is(word, "{"))
            nft_open(r, &w, before, &depth);
        else if (is(word, "}"))
            depth -= depth > 0;
        memmove(before + 1, before, sizeof(before) - sizeof(before[0]));
        before[0] = word;
    }
    r->line = w.line;
    if (r->e == ERR_OK && depth > 0)
        refuse_half(r);
}

/* ---- ipset save, lists ---- */

static void
read_lines(struct reading *r, struct span text, bool ipset)
{
    while (text.n > 0 && r->e == ERR_OK) {
        struct words w = {.rest = span_head(text, span_find(text, '\n'))};
        struct span word = next_word(&w);

        r->line++;
        text = span_tail(text, span_find(text, '\n') + 1);
        if (!ipset && word.n > 0) {
            add(r, word);
        } else if (is(word, "create")) {
            r->understood++;
        } else if (is(word, "add")) {
            r->set = set_of(next_word(&w));
            add(r, next_word(&w));
        }
    }
}

/* ---- nft -j list ---- */

struct frame {
    struct span key; /* of the container */
    bool array;
};

struct json {
    struct frame frames[DEPTH];
    size_t depth;
    struct span key;  /* of the next value, empty in arrays */
    struct span addr; /* of a prefix, until its length comes */
    struct span from; /* of a range, until its end comes */
};

static void
json_pair(struct reading *r, struct span a, char between, struct span b)
{
    struct buf text;

    buf_init(&text, 256);
    buf_span(&text, a);
    buf_putc(&text, (uint8_t)between);
    buf_span(&text, b);
    add(r, buf_view(&text));
    buf_free(&text);
}

static void
json_value(struct reading *r, struct json *j, struct span value)
{
    const struct frame *f = j->depth > 0 ? &j->frames[j->depth - 1] : NULL;
    struct span key = f != NULL && f->array ? f->key : j->key;

    if (f == NULL)
        return;
    if (is(key, "name") && (is(f->key, "set") || is(f->key, "map"))) {
        r->set = set_of(value);
        r->understood++;
    } else if (is(key, "addr") && is(f->key, "prefix")) {
        j->addr = value;
    } else if (is(key, "len") && is(f->key, "prefix") && j->addr.n > 0) {
        json_pair(r, j->addr, '/', value);
    } else if (is(key, "range") && j->from.n == 0) {
        j->from = value;
    } else if (is(key, "range")) {
        json_pair(r, j->from, '-', value);
    } else if (is(key, "elem") || is(key, "val")) {
        add(r, value);
    }
    j->key = SPAN_NONE;
}

/* False: deeper than any list is. */
static bool
json_open(struct json *j, bool array)
{
    const struct frame *f = j->depth > 0 ? &j->frames[j->depth - 1] : NULL;
    struct span key = f != NULL && f->array ? f->key : j->key;

    if (j->depth == DEPTH)
        return false;
    j->frames[j->depth++] = (struct frame){key, array};
    j->key = j->from = j->addr = SPAN_NONE;
    return true;
}

/* A string as it stands: addresses and names have no escapes. */
static struct span
json_string(struct span *rest)
{
    size_t n = 0;
    struct span s;

    while (n < rest->n && span_at(*rest, n) != '"')
        n += span_at(*rest, n) == '\\' ? 2 : 1;
    s = span_head(*rest, n);
    *rest = span_tail(*rest, n + 1);
    return s;
}

static struct span
json_skip_blanks(struct span s)
{
    size_t n = 0;

    while (n < s.n && span_at(s, n) <= ' ')
        n++;
    return span_tail(s, n);
}

static size_t
json_word(struct span s)
{
    size_t n = 0;

    while (n < s.n && span_at(s, n) > ' ' && span_at(s, n) != ',' &&
           span_at(s, n) != '}' && span_at(s, n) != ']' &&
           span_at(s, n) != '"' && span_at(s, n) != '{' && span_at(s, n) != '[')
        n++;
    return n > 0 ? n : 1;
}

static void
json_text(struct reading *r, struct json *j, struct span *rest)
{
    struct span s = json_string(rest);
    const struct frame *f = j->depth > 0 ? &j->frames[j->depth - 1] : NULL;

    *rest = json_skip_blanks(*rest);
    if (f != NULL && !f->array && span_at(*rest, 0) == ':') {
        j->key = s;
        *rest = span_tail(*rest, 1);
    } else {
        json_value(r, j, s);
    }
}

static void
read_json(struct reading *r, struct span rest)
{
    struct json j = {.depth = 0};

    r->line = 1;
    while ((rest = json_skip_blanks(rest)).n > 0 && r->e == ERR_OK) {
        uint8_t c = span_at(rest, 0);
        size_t n = 1;

        if (c == '"') {
            rest = span_tail(rest, 1);
            json_text(r, &j, &rest);
            continue;
        }
        if (c == '{' || c == '[') {
            if (!json_open(&j, c == '[')) {
                refuse_half(r);
                return;
            }
        } else if (c == '}' || c == ']') {
            j.depth -= j.depth > 0;
        } else if (c != ',' && c != ':') {
            n = json_word(rest);
            json_value(r, &j, span_head(rest, n));
        }
        rest = span_tail(rest, n);
    }
    if (r->e == ERR_OK && j.depth > 0)
        refuse_half(r);
}

/* ---- CSV ---- */

static size_t
column(const struct csv *c, const char *name)
{
    size_t i = 0;

    while (i < c->n_cells && !span_eq_nocase(c->cells[i].text, span_str(name)))
        i++;
    return i;
}

static struct span
cell(const struct csv *c, size_t i)
{
    return i < c->n_cells ? c->cells[i].text : SPAN_NONE;
}

static void
csv_row(struct reading *r, const struct csv *c, const size_t at[3])
{
    struct span port = cell(c, at[1]);
    struct span way = cell(c, at[2]);
    uint64_t number;

    r->set = (struct set){FORM_BOTH, PERMITS_ANY_PORT, true};
    if (is(port, "any"))
        r->set.port = 0;
    else if (span_to_u64(port, &number) && number > 0 && number < 65536)
        r->set.port = (uint32_t)number;
    else if (port.n > 0)
        r->set.port = PERMITS_NO_PORT;
    if (is(way, "send"))
        r->set.use = FORM_SEND;
    else if (is(way, "receive"))
        r->set.use = FORM_RECEIVE;
    add(r, cell(c, at[0]));
}

static void
read_csv(struct reading *r, struct span text)
{
    struct csv c;
    size_t at[3];
    enum csv_got got;

    r->e = csv_init(&c, text, ROW_MAX);
    if (r->e != ERR_OK)
        return;
    if (csv_next(&c) == CSV_ROW) {
        at[0] = column(&c, "address");
        at[1] = column(&c, "port");
        at[2] = column(&c, "direction");
        r->understood += at[0] < c.n_cells;
        while (at[0] < c.n_cells && r->e == ERR_OK &&
               (got = csv_next(&c)) != CSV_END) {
            r->line = c.line;
            if (got == CSV_ROW)
                csv_row(r, &c, at);
            else
                r->out->faulty++;
        }
    }
    csv_fini(&c);
}

/* ---- all ---- */

static bool
has_line(struct span text, const char *head)
{
    while (text.n > 0) {
        if (span_starts(text, span_str(head)))
            return true;
        text = span_tail(text, span_find(text, '\n') + 1);
    }
    return false;
}

static void
read_any(struct reading *r, struct span text)
{
    struct span first = json_skip_blanks(text);
    struct span head = span_head(first, span_find(first, '\n'));

    if (span_at(first, 0) == '{')
        read_json(r, text);
    else if (has_line(text, "create ") || has_line(text, "add span25-"))
        read_lines(r, text, true);
    else if (has_line(text, "table ") || has_line(text, "add element ") ||
             has_line(first, "set "))
        read_nft(r, text);
    else if (span_contains_nocase(head, SPAN_LIT("address")))
        read_csv(r, text);
    else
        read_lines(r, text, false);
}

/* Where our own sets are, others are not about us. */
static void
drop_others(struct permits_list *l)
{
    bool ours = false;
    size_t kept = 0;

    for (size_t i = 0; i < l->n; i++)
        ours = ours || l->v[i].ours;
    for (size_t i = 0; i < l->n; i++) {
        if (!ours || l->v[i].ours)
            l->v[kept++] = l->v[i];
    }
    l->n = kept;
}

enum err
permits_read(struct span text, const char *name, struct permits_list *out,
             struct buf *messages)
{
    struct reading r = {
        .out = out, .name = name, .messages = messages, .set = unknown_set};

    *out = (struct permits_list){.n = 0};
    if (span_starts(text, SPAN_LIT("\xef\xbb\xbf")))
        text = span_tail(text, 3);
    read_any(&r, text);
    drop_others(out);
    if (r.e == ERR_OK && r.understood == 0 && json_skip_blanks(text).n > 0) {
        text_term(messages, span_str(name));
        buf_str(messages, ": not a list that is understood: nft list, nft -j "
                          "list, ipset save, addresses, or CSV\n");
        return ERR_FORMAT;
    }
    return r.e;
}

void
permits_list_fini(struct permits_list *l)
{
    free(l->v);
    *l = (struct permits_list){.n = 0};
}
