#include "rules/registry/form_source.h"

#include <inttypes.h>
#include <search.h>

#include "sensor/base/text.h"

#define SHOWN_MAX 60U

void
form_source_init(struct form_source *s, const char *name, struct forms *out,
                 struct buf *messages)
{
    *s = (struct form_source){.name = name, .out = out, .messages = messages};
}

/* ---- faults ---- */

static void
put_place(struct form_source *s, struct form_place at)
{
    text_term(s->messages, span_str(s->name));
    buf_printf(s->messages, ":%zu:", at.line);
    if (at.column > 0)
        buf_printf(s->messages, "%zu:", at.column);
    buf_putc(s->messages, ' ');
}

bool
form_source_begin(struct form_source *s, struct form_place at)
{
    if (s->stop)
        return false;
    put_place(s, at);
    if (s->n_faults++ < FORM_FAULTS_MAX)
        return true;
    buf_str(s->messages, "more faults follow\n");
    s->stop = true;
    return false;
}

void
form_source_fault(struct form_source *s, struct form_place at, const char *text)
{
    if (!form_source_begin(s, at))
        return;
    buf_str(s->messages, text);
    buf_putc(s->messages, '\n');
}

void
form_source_quote(struct form_source *s, struct span value)
{
    size_t n = value.n;

    if (n > SHOWN_MAX) {
        n = SHOWN_MAX;
        while (n > SHOWN_MAX - 4 && (value.p[n] & 0xc0) == 0x80)
            n--;
    }
    buf_putc(s->messages, '\'');
    text_term(s->messages, span_head(value, n));
    buf_str(s->messages, n < value.n ? "...'" : "'");
}

void
form_source_unknown(struct form_source *s, struct form_place at,
                    const char *what, struct span name, struct span near)
{
    if (!form_source_begin(s, at))
        return;
    buf_printf(s->messages, "unknown %s ", what);
    form_source_quote(s, name);
    if (near.n > 0) {
        buf_str(s->messages, "; did you mean ");
        form_source_quote(s, near);
        buf_putc(s->messages, '?');
    }
    buf_putc(s->messages, '\n');
}

static void
no_memory(struct form_source *s)
{
    s->e = ERR_NOMEM;
    s->stop = true;
}

/* ---- what is no text ---- */

#define AS_UTF8 "; save it as UTF-8 (in a spreadsheet: \"CSV UTF-8\")\n"

static const struct {
    const char *magic;
    size_t n;
    const char *what;
} formats[] = {
  /* UTF-32 begins as UTF-16 does */
    {"\xff\xfe\0\0",     4,  "the file is UTF-32" AS_UTF8                          },
    {"\0\0\xfe\xff",     4,  "the file is UTF-32" AS_UTF8                          },
    {"\xff\xfe",         2,  "the file is UTF-16" AS_UTF8                          },
    {"\xfe\xff",         2,  "the file is UTF-16" AS_UTF8                          },
    {"PK\3\4",           4,
     "the file is a workbook or an archive; save the sheet as \"CSV UTF-8\"\n"     },
    {"\xd0\xcf\x11\xe0", 4,
     "the file is an old workbook; save the sheet as \"CSV UTF-8\"\n"              },
    {"\x1f\x8b",         2,  "the file is compressed; unpack it first (gunzip)\n"  },
    {"\x28\xb5\x2f\xfd", 4,  "the file is compressed; unpack it (unzstd)\n"        },
    {"%PDF-",            5,  "the file is a PDF; forms are read from CSV or YAML\n"},
    {"SQLite format 3",  16, "the file is a database, not a list of forms\n"       },
};

/* Without a byte order mark: every other byte of what is mostly ASCII is 0. */
static bool
is_utf16(struct span text)
{
    size_t zeros[2] = {0, 0};
    struct span head = span_head(text, 512);

    for (size_t i = 0; i < head.n; i++)
        zeros[i % 2] += head.p[i] == 0;
    return (zeros[0] > head.n / 4 && zeros[1] < head.n / 16 + 1) ||
           (zeros[1] > head.n / 4 && zeros[0] < head.n / 16 + 1);
}

static const char *
format_of(struct span text)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (span_starts(text, span_of(formats[i].magic, formats[i].n)))
            return formats[i].what;
    }
    return is_utf16(text) ? "the file is UTF-16" AS_UTF8 : NULL;
}

bool
form_source_is_text(struct form_source *s, struct span text)
{
    const struct form_place at = {1, 1};
    const char *what = format_of(text);

    if (text.n > FORM_FILE_MAX)
        form_source_fault(s, at, "the file is longer than 1 GiB");
    else if (what != NULL && form_source_begin(s, at))
        buf_str(s->messages, what);
    return s->n_faults == 0;
}

/* ---- values ---- */

static void
fault_encoding(struct form_source *s, struct span value, struct form_place at)
{
    size_t n;

    if (s->told_encoding)
        return;
    s->told_encoding = true;
    while ((n = utf8_len(value)) > 0)
        value = span_tail(value, n);
    if (form_source_begin(s, at))
        buf_printf(s->messages,
                   "not UTF-8 (byte 0x%02x; said once for the whole file)%s",
                   span_at(value, 0), AS_UTF8);
}

static void
fault_control(struct form_source *s, struct span value, struct form_place at,
              const char *name)
{
    size_t i = span_find_control(value, 0);
    uint8_t b = span_at(value, i);

    if (!form_source_begin(s, at))
        return;
    buf_printf(s->messages, "'%s' holds ", name);
    if (i == value.n)
        buf_str(s->messages, "a control character");
    else if (b == '\n' || b == '\r')
        buf_str(s->messages, "a line break");
    else
        buf_printf(s->messages, "the control character 0x%02x", b);
    buf_str(s->messages, "; put it on one line, without such\n");
}

static void
fault_long(struct form_source *s, struct form_place at, const char *name)
{
    if (form_source_begin(s, at))
        buf_printf(s->messages, "'%s' is longer than %d bytes\n", name,
                   FORM_TEXT_MAX);
}

void
form_source_set(struct form_source *s, char **text, struct span value,
                struct form_place at, const char *name)
{
    enum err e = form_set(text, value);

    if (e == ERR_LIMIT)
        fault_long(s, at, name);
    else if (e == ERR_FORMAT && !utf8_valid(value))
        fault_encoding(s, value, at);
    else if (e == ERR_FORMAT)
        fault_control(s, value, at, name);
    else if (e != ERR_OK)
        no_memory(s);
}

bool
form_source_is_bad(struct form_source *s, struct span value,
                   struct form_place at, const char *name)
{
    if (!utf8_valid(value))
        fault_encoding(s, value, at);
    else if (span_find_control(value, 0) < value.n)
        fault_control(s, value, at, name);
    else
        return false;
    return true;
}

bool
form_source_is_number(struct form_source *s, struct span value,
                      struct form_place at)
{
    bool good = form_number_good(value);

    if (!good && form_source_begin(s, at)) {
        form_source_quote(s, value);
        buf_printf(s->messages,
                   " is not the number of a form: at most %d letters, digits, "
                   "'.', '_', '-', a letter or digit first\n",
                   FORM_NUMBER_MAX);
    }
    return good;
}

/* ---- keys ---- */

struct key {
    size_t space;
    size_t form;     /* of SPACE_LINE */
    uint64_t number; /* of SPACE_LINE */
    size_t value;
    size_t n;
    uint8_t text[];
};

#define SPACE_LINE 2U /* behind those of enum form_space */

static int
by_key(const void *a, const void *b)
{
    const struct key *x = a;
    const struct key *y = b;

    if (x->space != y->space)
        return x->space < y->space ? -1 : 1;
    if (x->form != y->form)
        return x->form < y->form ? -1 : 1;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return x->n > 0 ? memcmp(x->text, y->text, x->n) : 0;
}

/* True when it is new; else *value is that of the first. */
static bool
keep_key(struct form_source *s, const struct key *like, struct span text,
         size_t *value)
{
    struct key *key = malloc(sizeof(*key) + text.n);
    struct key **found = NULL;

    if (key != NULL) {
        *key = *like;
        key->value = *value;
        key->n = text.n;
        if (text.n > 0)
            memcpy(key->text, text.p, text.n);
        found = tsearch(key, &s->keys, by_key);
    }
    if (found != NULL && *found == key)
        return true;
    free(key);
    if (found == NULL)
        no_memory(s);
    else
        *value = (*found)->value;
    return found == NULL;
}

bool
form_source_key(struct form_source *s, enum form_space space, struct span text,
                size_t *value)
{
    const struct key like = {.space = (size_t)space};

    return keep_key(s, &like, text, value);
}

void
form_source_line_number(struct form_source *s, size_t form,
                        struct form_line *line, struct span value,
                        struct form_place at)
{
    struct key like = {.space = SPACE_LINE, .form = form};
    size_t first = at.line;

    if (!span_to_u64(value, &like.number) || like.number > UINT32_MAX) {
        if (form_source_begin(s, at)) {
            form_source_quote(s, value);
            buf_str(s->messages, " is not the number of a line: 1, 2, ...\n");
        }
        return;
    }
    line->number = (uint32_t)like.number;
    if (line->number == 0 || keep_key(s, &like, SPAN_NONE, &first))
        return;
    if (form_source_begin(s, at))
        buf_printf(s->messages,
                   "the form has a line %" PRIu32 " already, in line %zu of "
                   "the file\n",
                   line->number, first);
}

/* ---- forms and lines ---- */

static bool
forms_grow(struct forms *f)
{
    size_t cap = f->cap > 0 ? f->cap * 2 : 16;
    struct form *v;

    if (f->n < f->cap)
        return true;
    v = realloc(f->v, cap * sizeof(*v));
    if (v == NULL)
        return false;
    f->v = v;
    f->cap = cap;
    return true;
}

static void
too_many(struct form_source *s, struct form_place at, const char *what)
{
    if (form_source_begin(s, at))
        buf_printf(s->messages, "more than %d %s; divide the file\n",
                   FORM_LINES_MAX, what);
    s->stop = true;
}

size_t
form_source_form(struct form_source *s, struct form_place at)
{
    struct form *f;

    if (s->out->n == FORM_LINES_MAX) {
        too_many(s, at, "forms");
        return SIZE_MAX;
    }
    if (!forms_grow(s->out)) {
        no_memory(s);
        return SIZE_MAX;
    }
    f = &s->out->v[s->out->n];
    form_init(f);
    f->source = at.line < UINT32_MAX ? (uint32_t)at.line : UINT32_MAX;
    return s->out->n++;
}

struct form_line *
form_source_line(struct form_source *s, size_t form, struct form_place at)
{
    struct form_line *l;

    if (s->n_lines == FORM_LINES_MAX) {
        too_many(s, at, "lines");
        return NULL;
    }
    l = form_add_line(&s->out->v[form]);
    if (l == NULL) {
        no_memory(s);
        return NULL;
    }
    s->n_lines++;
    l->source = at.line < UINT32_MAX ? (uint32_t)at.line : UINT32_MAX;
    return l;
}

/* ---- overlaps ---- */

struct item {
    struct prefix prefix;
    uint64_t port; /* 0: any */
    size_t order;
    const struct form *form;
    const struct form_line *line;
};

static int
by_place(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;
    int d;

    if (x->port != y->port)
        return x->port < y->port ? -1 : 1;
    d = addr_cmp(&x->prefix.addr, &y->prefix.addr);
    if (d != 0)
        return d;
    if (x->prefix.bits != y->prefix.bits)
        return x->prefix.bits < y->prefix.bits ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool
read_port(const char *text, uint64_t *port)
{
    return text == NULL || span_eq_nocase(span_str(text), SPAN_LIT("any")) ||
           span_to_u64(span_str(text), port);
}

/* Of every line with an address that can be read; NULL: none, or no memory. */
static struct item *
list_items(struct form_source *s, size_t *n)
{
    struct item *v = NULL;

    *n = 0;
    if (s->n_lines == 0)
        return NULL;
    v = calloc(s->n_lines, sizeof(*v));
    if (v == NULL) {
        no_memory(s);
        return NULL;
    }
    for (size_t i = 0; i < s->out->n; i++) {
        const struct form *f = &s->out->v[i];

        for (size_t j = 0; j < f->n_lines; j++) {
            const struct form_line *l = &f->lines[j];
            struct item *item = &v[*n];

            *item = (struct item){.form = f, .line = l, .order = *n};
            if (l->text[FORM_ADDRESS] != NULL &&
                prefix_parse(span_str(l->text[FORM_ADDRESS]), &item->prefix) &&
                read_port(l->text[FORM_PORT], &item->port))
                ++*n;
        }
    }
    return v;
}

static bool
is_same(const struct prefix *a, const struct prefix *b)
{
    return a->bits == b->bits && addr_cmp(&a->addr, &b->addr) == 0;
}

static const char *
word_of(const struct item *i, bool short_list)
{
    const char *word = short_list ? i->form->text[FORM_SITE] : i->form->number;

    return word != NULL ? word : "";
}

/* As it was written. */
static void
put_address(struct form_source *s, const struct item *i)
{
    text_term(s->messages, span_str(i->line->text[FORM_ADDRESS]));
}

static void
put_owner(struct form_source *s, const struct item *i)
{
    const char *word = word_of(i, s->out->short_list);

    buf_printf(s->messages, "line %" PRIu32, i->line->source);
    if (word[0] == 0)
        return;
    buf_str(s->messages, s->out->short_list ? " (site " : " (form ");
    form_source_quote(s, span_str(word));
    buf_putc(s->messages, ')');
}

/* What is for the office to look at, but may be meant so. */
static void
ask(struct form_source *s, const struct item *outer, const struct item *inner)
{
    const struct form_place at = {inner->line->source, 0};

    if (s->n_questions++ > FORM_FAULTS_MAX)
        return;
    put_place(s, at);
    buf_str(s->messages, "question: ");
    if (s->n_questions > FORM_FAULTS_MAX) {
        buf_str(s->messages, "more addresses overlap\n");
        return;
    }
    put_address(s, inner);
    if (is_same(&outer->prefix, &inner->prefix)) {
        buf_str(s->messages, " stands also in ");
    } else {
        buf_str(s->messages, " is part of ");
        put_address(s, outer);
        buf_str(s->messages, " in ");
    }
    put_owner(s, outer);
    buf_putc(s->messages, '\n');
}

/* In a short list nothing says which site is right. */
static void
compare(struct form_source *s, const struct item *outer,
        const struct item *inner)
{
    const struct form_place at = {inner->line->source, 0};
    bool same = is_same(&outer->prefix, &inner->prefix);

    if (s->out->short_list && same && outer->form != inner->form) {
        if (form_source_begin(s, at)) {
            put_address(s, inner);
            buf_str(s->messages, " stands with another site in ");
            put_owner(s, outer);
            buf_putc(s->messages, '\n');
        }
    } else if (outer->form != inner->form || (s->out->short_list && same)) {
        ask(s, outer, inner);
    }
}

/* Prefixes that hold one another come from the widest to the narrowest, so the
 * open ones are a stack. */
static void
sweep(struct form_source *s, const struct item *v, size_t n)
{
    const struct item *open[130];
    size_t depth = 0;

    for (size_t i = 0; i < n && !s->stop; i++) {
        const struct prefix *p = &v[i].prefix;

        while (depth > 0 && (open[depth - 1]->port != v[i].port ||
                             !prefix_has(&open[depth - 1]->prefix, &p->addr)))
            depth--;
        if (depth > 0)
            compare(s, open[depth - 1], &v[i]);
        if (depth == 0 || !is_same(&open[depth - 1]->prefix, p))
            open[depth++] = &v[i];
    }
}

static void
look_for_overlaps(struct form_source *s)
{
    size_t n;
    struct item *v = list_items(s, &n);

    if (n > 0) {
        qsort(v, n, sizeof(*v), by_place);
        sweep(s, v, n);
    }
    free(v);
}

enum err
form_source_done(struct form_source *s)
{
    tdestroy(s->keys, free);
    s->keys = NULL;
    if (s->e == ERR_OK && s->n_faults == 0)
        look_for_overlaps(s);
    if (s->e == ERR_OK && s->n_faults > 0)
        s->e = ERR_FORMAT;
    if (s->e != ERR_OK) {
        forms_fini(s->out);
        forms_init(s->out);
    }
    return s->e;
}
