#include "sensor/app/options_value.h"

#include <inttypes.h>
#include <stdlib.h>

#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

#define VLAN_MAX 4094 /* IEEE 802.1Q: 0 and 4095 are none */

struct unit {
    const char *name;
    uint64_t factor;
};

/* Largest first: format takes the first that divides. */
static const struct unit size_units[] = {
    {"TiB", UINT64_C(1) << 40},
    {"GiB", UINT64_C(1) << 30},
    {"MiB", UINT64_C(1) << 20},
    {"KiB", UINT64_C(1) << 10},
    {"",    1                },
};
static const struct unit time_units[] = {
    {"d",  86400 * NS_PER_S},
    {"h",  3600 * NS_PER_S },
    {"m",  60 * NS_PER_S   },
    {"s",  NS_PER_S        },
    {"ms", NS_PER_MS       },
    {"us", NS_PER_US       },
    {"ns", 1               },
};
static const struct unit plain_units[] = {
    {"", 1},
};

struct units {
    const struct unit *v;
    size_t n;
};

static struct units
units_of(enum option_type type)
{
    if (type == OPTION_SIZE)
        return (struct units){size_units, ARRAY_LEN(size_units)};
    if (type == OPTION_DURATION)
        return (struct units){time_units, ARRAY_LEN(time_units)};
    return (struct units){plain_units, ARRAY_LEN(plain_units)};
}

static const struct {
    const char *what;
    bool list;
} types[] = {
#define X(type, c, list, what) {what, list},
    OPTION_TYPES(X)
#undef X
};

bool
options_value_is_list(enum option_type type)
{
    return types[type].list;
}

const char *
options_value_what(enum option_type type)
{
    return types[type].what;
}

static bool
number(struct span text, struct units units, uint64_t *out)
{
    size_t digits = 0;
    struct span unit;
    uint64_t v;

    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    unit = span_trim(span_tail(text, digits));
    if (!span_to_u64(span_head(text, digits), &v))
        return false;
    for (size_t i = 0; i < units.n; i++) {
        if (span_eq_nocase(unit, span_str(units.v[i].name)))
            return !__builtin_mul_overflow(v, units.v[i].factor, out);
    }
    return false;
}

static void
quote(struct buf *why, struct span text)
{
    buf_putc(why, '\'');
    text_term(why, span_head(text, 100));
    buf_str(why, text.n > 100 ? "...'" : "'");
}

static bool
is_not(const struct option_row *row, struct span text, struct buf *why)
{
    quote(why, text);
    buf_printf(why, " is not %s", options_value_what(row->type));
    return false;
}

bool
options_value_range(const struct option_row *row, uint64_t *least,
                    uint64_t *most)
{
    struct span range = span_str(row->range);
    size_t dots = span_search(range, SPAN_LIT(".."));
    struct units units = units_of(row->type);

    return dots < range.n && number(span_head(range, dots), units, least) &&
           number(span_tail(range, dots + 2), units, most);
}

static bool
has_length(enum option_type type)
{
    return type == OPTION_TEXT || type == OPTION_LINES;
}

bool
options_value_shows_range(const struct option_row *row)
{
    return row->range[0] != 0 && !has_length(row->type) &&
           !options_value_is_list(row->type);
}

static bool
in_range(const struct option_row *row, uint64_t v, struct span text,
         const char *of, struct buf *why)
{
    uint64_t least = 0, most = UINT64_MAX;

    if (!options_value_range(row, &least, &most) || (v >= least && v <= most))
        return true;
    quote(why, text);
    buf_printf(why, " is out of range: %s%s", of, row->range);
    return false;
}

static bool
set_number(const struct option_row *row, struct span text, uint64_t *at,
           struct buf *why)
{
    uint64_t v;

    if (!number(text, units_of(row->type), &v))
        return is_not(row, text, why);
    if (!in_range(row, v, text, "", why))
        return false;
    *at = v;
    return true;
}

static bool
has_control(const struct option_row *row, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (row->type == OPTION_LINES && s.p[i] == '\n')
            continue;
        if (s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    }
    return false;
}

static char *
copy(struct span text, struct buf *why)
{
    char *s = malloc(text.n + 1);

    if (s == NULL) {
        buf_str(why, err_text(ERR_NOMEM));
        return NULL;
    }
    if (text.n > 0)
        memcpy(s, text.p, text.n);
    s[text.n] = 0;
    return s;
}

/* What a text or a path may be: it is printed on one line and has no NUL; only
 * LINES have ends of lines. */
static bool
is_text(const struct option_row *row, struct span text, struct buf *why)
{
    if (has_control(row, text) || !utf8_valid(text)) {
        quote(why, text);
        buf_str(why, " has bytes that are not text");
        return false;
    }
    if (has_length(row->type))
        return in_range(row, text.n, text, "its length is ", why);
    if (text.n == 0) {
        buf_str(why, "the name is empty");
        return false;
    }
    return true;
}

static bool
set_text(const struct option_row *row, struct span text, char **at,
         struct buf *why)
{
    char *s = is_text(row, text, why) ? copy(text, why) : NULL;

    if (s == NULL)
        return false;
    if (row->type == OPTION_OUTPUT && options_value_ending(row->range, s) < 0) {
        quote(why, text);
        buf_printf(why, " has none of the endings %s", row->range);
        free(s);
        return false;
    }
    free(*at);
    *at = s;
    return true;
}

static bool
set_bool(const struct option_row *row, struct span text, bool *at,
         struct buf *why)
{
    static const struct {
        const char *word;
        bool v;
    } words[] = {
        {"true",  true },
        {"yes",   true },
        {"on",    true },
        {"false", false},
        {"no",    false},
        {"off",   false},
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (span_eq_nocase(text, span_str(words[i].word))) {
            *at = words[i].v;
            return true;
        }
    }
    return is_not(row, text, why);
}

int
options_value_choice(const char *words, struct span text)
{
    struct span all = span_str(words);

    for (int i = 0; all.n > 0; i++) {
        size_t bar = span_find(all, '|');

        if (span_eq(span_head(all, bar), text))
            return i;
        all = span_tail(all, bar + 1);
    }
    return -1;
}

int
options_value_ending(const char *endings, const char *name)
{
    struct span all = span_str(endings), s = span_str(name);

    for (int i = 0; all.n > 0; i++) {
        size_t bar = span_find(all, '|');

        if (s.n > bar &&
            span_eq_nocase(span_tail(s, s.n - bar), span_head(all, bar)))
            return i;
        all = span_tail(all, bar + 1);
    }
    return -1;
}

static bool
set_choice(const struct option_row *row, struct span text, unsigned *at,
           struct buf *why)
{
    int i = options_value_choice(row->range, text);

    if (i < 0) {
        quote(why, text);
        buf_printf(why, " is not one of %s", row->range);
        return false;
    }
    *at = (unsigned)i;
    return true;
}

/* One more item of `size` bytes at the end of a list. */
static void *
grow(const struct option_row *row, void *v, size_t n, size_t size,
     struct buf *why)
{
    uint64_t least = 0, most = UINT64_MAX;
    void *bigger;

    if (options_value_range(row, &least, &most) && n >= most) {
        buf_printf(why, "more than %" PRIu64 " items", most);
        return NULL;
    }
    bigger = reallocarray(v, n + 1, size);
    if (bigger == NULL)
        buf_str(why, err_text(ERR_NOMEM));
    return bigger;
}

/* A port or a VLAN. */
static bool
add_port(const struct option_row *row, struct span text, struct ports *at,
         struct buf *why)
{
    uint64_t port;
    uint16_t *v;
    unsigned most = row->type == OPTION_PORTS ? 65535 : VLAN_MAX;

    if (!span_to_u64(text, &port) || port < 1 || port > most) {
        quote(why, text);
        buf_printf(why, " is not a %s: 1..%u",
                   row->type == OPTION_PORTS ? "port" : "VLAN", most);
        return false;
    }
    for (size_t i = 0; i < at->n; i++) {
        if (at->v[i] == port) {
            quote(why, text);
            buf_str(why, " is there twice");
            return false;
        }
    }
    v = grow(row, at->v, at->n, sizeof(*v), why);
    if (v == NULL)
        return false;
    v[at->n] = (uint16_t)port;
    *at = (struct ports){v, at->n + 1};
    return true;
}

static bool
add_prefix(const struct option_row *row, struct span text, struct prefixes *at,
           struct buf *why)
{
    struct prefix p;
    struct prefix *v;

    if (!prefix_parse(text, &p)) {
        quote(why, text);
        buf_str(why, " is not a network such as 192.0.2.0/24 or 2001:db8::/32");
        return false;
    }
    v = grow(row, at->v, at->n, sizeof(*v), why);
    if (v == NULL)
        return false;
    v[at->n] = p;
    *at = (struct prefixes){v, at->n + 1};
    return true;
}

static bool
add_text(const struct option_row *row, struct span text, struct texts *at,
         struct buf *why)
{
    char *s = is_text(row, text, why) ? copy(text, why) : NULL;
    char **v;

    if (s == NULL)
        return false;
    v = grow(row, at->v, at->n, sizeof(*v), why);
    if (v == NULL) {
        free(s);
        return false;
    }
    v[at->n] = s;
    *at = (struct texts){v, at->n + 1};
    return true;
}

static bool
set_item(const struct option_row *row, struct span text, void *at,
         struct buf *why)
{
    switch (row->type) {
    case OPTION_TEXT:
    case OPTION_LINES:
    case OPTION_PATH:
    case OPTION_OUTPUT: return set_text(row, text, at, why);
    case OPTION_BOOL: return set_bool(row, text, at, why);
    case OPTION_UINT:
    case OPTION_SIZE:
    case OPTION_DURATION: return set_number(row, text, at, why);
    case OPTION_CHOICE: return set_choice(row, text, at, why);
    case OPTION_TEXTS: return add_text(row, text, at, why);
    case OPTION_PORTS:
    case OPTION_VLANS: return add_port(row, text, at, why);
    case OPTION_PREFIXES: return add_prefix(row, text, at, why);
    }
    return false;
}

bool
options_value_set(const struct option_row *row, struct span text, void *at,
                  struct buf *why)
{
    /* a list of texts has no separator: commas may belong to the text */
    if (!options_value_is_list(row->type) || row->type == OPTION_TEXTS)
        return set_item(row, text, at, why);
    for (;;) {
        size_t comma = span_find(text, ',');

        if (!set_item(row, span_trim(span_head(text, comma)), at, why))
            return false;
        if (comma == text.n)
            return true;
        text = span_tail(text, comma + 1);
    }
}

static void
free_texts(struct texts *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->v[i]);
    free(t->v);
    *t = (struct texts){NULL, 0};
}

static void
free_ports(struct ports *p)
{
    free(p->v);
    *p = (struct ports){NULL, 0};
}

static void
free_prefixes(struct prefixes *p)
{
    free(p->v);
    *p = (struct prefixes){NULL, 0};
}

static void
free_text(char **s)
{
    free(*s);
    *s = NULL;
}

void
options_value_free(const struct option_row *row, void *at)
{
    switch (row->type) {
    case OPTION_TEXT:
    case OPTION_LINES:
    case OPTION_PATH:
    case OPTION_OUTPUT: free_text(at); break;
    case OPTION_TEXTS: free_texts(at); break;
    case OPTION_PORTS:
    case OPTION_VLANS: free_ports(at); break;
    case OPTION_PREFIXES: free_prefixes(at); break;
    case OPTION_BOOL:
    case OPTION_UINT:
    case OPTION_SIZE:
    case OPTION_DURATION:
    case OPTION_CHOICE: break;
    }
}

size_t
options_value_count(enum option_type type, const void *at)
{
    if (type == OPTION_TEXTS)
        return ((const struct texts *)at)->n;
    if (type == OPTION_PORTS || type == OPTION_VLANS)
        return ((const struct ports *)at)->n;
    if (type == OPTION_PREFIXES)
        return ((const struct prefixes *)at)->n;
    return 1;
}

static void
format_number(struct units units, uint64_t v, struct buf *out)
{
    const struct unit *u = units.v;

    while (u + 1 < units.v + units.n && (v == 0 || v % u->factor != 0))
        u++;
    buf_u64(out, v / u->factor);
    buf_str(out, u->name);
}

/* A JSON string is a YAML string. */
static void
format_text(const char *s, struct buf *out)
{
    struct json_out j = json_out_open(out);

    if (s != NULL)
        (void)json_str(&j, span_str(s));
}

/* Quoted: a colon at an address's end would be a key. */
static void
format_prefix(const struct prefix *p, struct buf *out)
{
    buf_putc(out, '"');
    prefix_format(p, out);
    buf_putc(out, '"');
}

static void
format_list(enum option_type type, const void *at, struct buf *out)
{
    buf_putc(out, '[');
    for (size_t i = 0; i < options_value_count(type, at); i++) {
        if (i > 0)
            buf_str(out, ", ");
        if (type == OPTION_TEXTS)
            format_text(((const struct texts *)at)->v[i], out);
        else if (type == OPTION_PORTS || type == OPTION_VLANS)
            buf_u64(out, ((const struct ports *)at)->v[i]);
        else
            format_prefix(&((const struct prefixes *)at)->v[i], out);
    }
    buf_putc(out, ']');
}

static void
format_choice(const char *words, unsigned which, struct buf *out)
{
    struct span all = span_str(words);

    while (which-- > 0)
        all = span_tail(all, span_find(all, '|') + 1);
    buf_span(out, span_head(all, span_find(all, '|')));
}

void
options_value_format(const struct option_row *row, const void *at,
                     struct buf *out)
{
    switch (row->type) {
    case OPTION_TEXT:
    case OPTION_LINES:
    case OPTION_PATH:
    case OPTION_OUTPUT: format_text(*(char *const *)at, out); break;
    case OPTION_BOOL: buf_str(out, *(const bool *)at ? "true" : "false"); break;
    case OPTION_UINT:
    case OPTION_SIZE:
    case OPTION_DURATION:
        format_number(units_of(row->type), *(const uint64_t *)at, out);
        break;
    case OPTION_CHOICE:
        format_choice(row->range, *(const unsigned *)at, out);
        break;
    case OPTION_TEXTS:
    case OPTION_PORTS:
    case OPTION_VLANS:
    case OPTION_PREFIXES: format_list(row->type, at, out); break;
    }
}
