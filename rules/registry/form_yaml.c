#include "rules/registry/form_source.h"

#include <inttypes.h>
#include <yaml.h>

#include "sensor/base/near.h"
#include "sensor/base/text.h"

#define DEPTH_MAX                                                              \
    8 /* a list, a form, contacts, one of them; the rest is none */
#define PATH_ROOM    96
#define SECTIONS_MAX 4          /* within one another */
#define SKIPPED_MAX  (1U << 16) /* events below keys that no form has */
#define AHEAD        (1U << 16) /* read by libyaml before it is wanted */

/* What a key is, where it is no field. */
enum {
    KEY_NUMBER = FORM_FIELD_COUNT, /* "form", of a line "line" */
    KEY_LINES,
    KEY_SECTION,
    KEY_UNKNOWN
};

enum holder {
    HOLDS_FORMS,
    HOLDS_FORM, /* or a section of it */
    HOLDS_LINES,
    HOLDS_LINE, /* or a section of it */
    HOLDS_NOTHING
};

/* One open mapping or sequence. HOLDS_NOTHING: its content is skipped. */
struct frame {
    enum holder holder;
    bool has_key;  /* its value comes next */
    size_t path_n; /* of this section */
};

/* Lines in which the keys of a form or a line stand, 0: not yet. */
struct seen {
    size_t keys[KEY_SECTION];
    size_t sections[FORM_FIELD_COUNT][SECTIONS_MAX];
};

struct reader {
    struct form_source *s;
    struct span text;
    size_t at;    /* given to libyaml */
    size_t event; /* of it, when the last event came */
    bool too_long;
    size_t skipped;
    struct frame stack[DEPTH_MAX];
    size_t depth;
    char path[PATH_ROOM]; /* of the key last read */
    size_t path_n;
    unsigned key; /* what it is */
    struct form_place key_at;
    size_t form;
    struct form_line *line;
    struct seen seen[2]; /* by scope */
};

static struct form_place
place_of(yaml_mark_t at)
{
    return (struct form_place){at.line + 1, at.column + 1};
}

static struct span
path_of(const struct reader *r)
{
    return span_of(r->path, r->path_n);
}

static struct frame *
top(struct reader *r)
{
    return r->depth > 0 ? &r->stack[r->depth - 1] : NULL;
}

static enum form_scope
scope_of(const struct frame *f)
{
    return f->holder == HOLDS_LINE ? FORM_SCOPE_LINE : FORM_SCOPE_FORM;
}

/* "'contacts.site': <text>" */
static void
fault_key(struct reader *r, struct form_place at, const char *text)
{
    if (!form_source_begin(r->s, at))
        return;
    form_source_quote(r->s, path_of(r));
    buf_printf(r->s->messages, " %s\n", text);
}

/* ---- keys ---- */

static const char *
number_key(enum form_scope scope)
{
    return scope == FORM_SCOPE_LINE ? "line" : "form";
}

/* The first field below the section path, or FORM_FIELD_COUNT. */
static unsigned
first_below(struct span path, enum form_scope scope)
{
    unsigned i = 0;

    for (; i < FORM_FIELD_COUNT; i++) {
        struct span row = span_str(form_rows[i].path);

        if (form_rows[i].scope == scope && span_starts(row, path) &&
            span_at(row, path.n) == '.')
            break;
    }
    return i;
}

static unsigned
find_key(struct span path, enum form_scope scope)
{
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (form_rows[i].scope == scope &&
            span_eq(path, span_str(form_rows[i].path)))
            return i;
    }
    if (span_eq(path, span_str(number_key(scope))))
        return KEY_NUMBER;
    if (scope == FORM_SCOPE_FORM && span_eq(path, SPAN_LIT("lines")))
        return KEY_LINES;
    return first_below(path, scope) < FORM_FIELD_COUNT ? KEY_SECTION
                                                       : KEY_UNKNOWN;
}

static struct span
near_key(struct span path, enum form_scope scope)
{
    struct near near = near_start(path);

    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (form_rows[i].scope == scope)
            near_offer(&near, span_str(form_rows[i].path));
    }
    near_offer(&near, span_str(number_key(scope)));
    if (scope == FORM_SCOPE_FORM)
        near_offer(&near, SPAN_LIT("lines"));
    return near.best;
}

/* Where the line in which this key stood before is kept. */
static size_t *
seen_at(struct reader *r, enum form_scope scope)
{
    struct span path = path_of(r);
    size_t dots = 0;

    if (r->key < KEY_SECTION)
        return &r->seen[scope].keys[r->key];
    for (size_t i = 0; i < path.n; i++)
        dots += path.p[i] == '.';
    return &r->seen[scope]
                .sections[first_below(path, scope)][dots % SECTIONS_MAX];
}

static void
check_twice(struct reader *r, enum form_scope scope)
{
    size_t *seen = seen_at(r, scope);

    if (*seen == 0) {
        *seen = r->key_at.line;
        return;
    }
    r->key = KEY_UNKNOWN;
    if (!form_source_begin(r->s, r->key_at))
        return;
    form_source_quote(r->s, path_of(r));
    buf_printf(r->s->messages, " is there twice, first in line %zu\n", *seen);
}

static void
on_key(struct reader *r, struct frame *f, struct span key, yaml_mark_t at)
{
    enum form_scope scope = scope_of(f);
    size_t dot = f->path_n > 0;

    f->has_key = true;
    r->path_n = f->path_n;
    r->key_at = place_of(at);
    r->key = KEY_UNKNOWN;
    if (dot + key.n > PATH_ROOM - r->path_n) {
        form_source_unknown(r->s, r->key_at, "key", key, SPAN_NONE);
        return;
    }
    if (dot)
        r->path[r->path_n++] = '.';
    if (key.n > 0)
        memcpy(r->path + r->path_n, key.p, key.n);
    r->path_n += key.n;
    r->key = find_key(path_of(r), scope);
    if (r->key == KEY_UNKNOWN)
        form_source_unknown(r->s, r->key_at, "key", path_of(r),
                            near_key(path_of(r), scope));
    else
        check_twice(r, scope);
}

/* A value is complete: its section waits for the next key. */
static void
value_done(struct reader *r)
{
    struct frame *f = top(r);

    if (f != NULL) {
        f->has_key = false;
        r->path_n = f->path_n;
    }
}

/* ---- values ---- */

static void
on_form_number(struct reader *r, struct span text, struct form_place at)
{
    struct form *f = &r->s->out->v[r->form];
    size_t first = at.line;

    if (!form_source_is_number(r->s, text, at))
        return;
    memcpy(f->number, text.p, text.n);
    f->number[text.n] = '\0';
    if (form_source_key(r->s, FORM_SPACE_NUMBER, text, &first) ||
        !form_source_begin(r->s, at))
        return;
    buf_str(r->s->messages, "the form ");
    form_source_quote(r->s, text);
    buf_printf(r->s->messages, " is there twice, first in line %zu\n", first);
}

static void
on_value(struct reader *r, const struct frame *f, struct span text,
         struct form_place at)
{
    bool of_line = f->holder == HOLDS_LINE;

    if (r->key < FORM_FIELD_COUNT) {
        char **texts = of_line ? r->line->text : r->s->out->v[r->form].text;

        form_source_set(r->s, &texts[r->key], text, at, form_rows[r->key].path);
    } else if (r->key == KEY_NUMBER && of_line) {
        form_source_line_number(r->s, r->form, r->line, text, at);
    } else if (r->key == KEY_NUMBER) {
        on_form_number(r, text, at);
    } else if (r->key == KEY_LINES) {
        fault_key(r, at, "takes a list of lines, not a value");
    } else if (r->key == KEY_SECTION) {
        fault_key(r, at, "is a section of keys, not a value");
    }
}

static bool
is_null(const yaml_event_t *e, struct span text)
{
    return e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
           (text.n == 0 || span_eq(text, SPAN_LIT("~")) ||
            span_eq_nocase(text, SPAN_LIT("null")));
}

static void
on_scalar(struct reader *r, const yaml_event_t *e)
{
    struct span text = span_of(e->data.scalar.value, e->data.scalar.length);
    struct form_place at = place_of(e->start_mark);
    struct frame *f = top(r);

    if (f == NULL) {
        if (!is_null(e, text))
            form_source_fault(r->s, at,
                              "the file must hold a list of forms, or keys "
                              "and values of one");
        return;
    }
    switch (f->holder) {
    case HOLDS_NOTHING: break;
    case HOLDS_FORMS:
        form_source_fault(r->s, at, "a form must be keys and values");
        break;
    case HOLDS_LINES:
        form_source_fault(r->s, at, "a line must be keys and values");
        break;
    case HOLDS_FORM:
    case HOLDS_LINE:
        if (!f->has_key) {
            on_key(r, f, text, e->start_mark);
            break;
        }
        if (!is_null(e, text))
            on_value(r, f, text, at);
        value_done(r);
        break;
    }
}

/* ---- mappings and sequences ---- */

static enum holder
open_form(struct reader *r, struct form_place at)
{
    r->form = form_source_form(r->s, at);
    r->seen[FORM_SCOPE_FORM] = (struct seen){0};
    return r->form != SIZE_MAX ? HOLDS_FORM : HOLDS_NOTHING;
}

static enum holder
open_line(struct reader *r, struct form_place at)
{
    r->line = form_source_line(r->s, r->form, at);
    r->seen[FORM_SCOPE_LINE] = (struct seen){0};
    return r->line != NULL ? HOLDS_LINE : HOLDS_NOTHING;
}

/* What follows a key. */
static enum holder
open_value(struct reader *r, const struct frame *f, bool list,
           struct form_place at)
{
    if (r->key == KEY_SECTION && !list)
        return f->holder;
    if (r->key == KEY_LINES && list)
        return HOLDS_LINES;
    if (r->key == KEY_SECTION)
        fault_key(r, at, "is a section of keys, not a list");
    else if (r->key == KEY_LINES)
        fault_key(r, at, "takes a list of lines: begin each with -");
    else if (r->key != KEY_UNKNOWN)
        fault_key(r, at,
                  list ? "takes a value, not a list"
                       : "takes a value, not a section of keys");
    return HOLDS_NOTHING;
}

static enum holder
holder_of(struct reader *r, const struct frame *f, bool list,
          struct form_place at)
{
    enum holder within = f == NULL ? HOLDS_FORMS : f->holder;

    switch (within) {
    case HOLDS_FORMS:
        if (!list)
            return open_form(r, at);
        if (f == NULL)
            return HOLDS_FORMS;
        form_source_fault(r->s, at, "a form must be keys and values");
        return HOLDS_NOTHING;
    case HOLDS_LINES:
        if (!list)
            return open_line(r, at);
        form_source_fault(r->s, at, "a line must be keys and values");
        return HOLDS_NOTHING;
    case HOLDS_FORM:
    case HOLDS_LINE:
        if (f->has_key)
            return open_value(r, f, list, at);
        form_source_fault(r->s, at, "a key must be a word");
        r->s->stop = true;
        return HOLDS_NOTHING;
    case HOLDS_NOTHING: break;
    }
    return HOLDS_NOTHING;
}

static void
on_open(struct reader *r, const yaml_event_t *e)
{
    bool list = e->type == YAML_SEQUENCE_START_EVENT;
    struct form_place at = place_of(e->start_mark);
    struct frame *f = top(r);
    struct frame next = {.holder = holder_of(r, f, list, at)};

    if (r->depth == DEPTH_MAX) {
        form_source_fault(r->s, at, "nested too deeply");
        r->s->stop = true;
        return;
    }
    if (f != NULL && f->holder == next.holder)
        next.path_n = r->path_n;
    r->stack[r->depth++] = next;
}

static void
on_close(struct reader *r)
{
    r->depth--;
    value_done(r);
}

static bool
has_decoration(const yaml_event_t *e)
{
    if (e->type == YAML_SCALAR_EVENT)
        return e->data.scalar.anchor != NULL || e->data.scalar.tag != NULL;
    if (e->type == YAML_SEQUENCE_START_EVENT)
        return e->data.sequence_start.anchor != NULL ||
               e->data.sequence_start.tag != NULL;
    if (e->type == YAML_MAPPING_START_EVENT)
        return e->data.mapping_start.anchor != NULL ||
               e->data.mapping_start.tag != NULL;
    return e->type == YAML_ALIAS_EVENT;
}

/* A fault was told of what is skipped: a GiB of it says nothing more. */
static bool
skips_too_much(struct reader *r)
{
    const struct frame *f = top(r);

    return f != NULL && f->holder == HOLDS_NOTHING &&
           ++r->skipped > SKIPPED_MAX;
}

static void
on_event(struct reader *r, const yaml_event_t *e)
{
    if (skips_too_much(r)) {
        form_source_fault(r->s, place_of(e->start_mark),
                          "too much that is not of a form; not read further");
        r->s->stop = true;
        return;
    }
    if (has_decoration(e)) {
        form_source_fault(r->s, place_of(e->start_mark),
                          "anchors, aliases and tags are not allowed");
        r->s->stop = true;
        return;
    }
    switch (e->type) {
    case YAML_SCALAR_EVENT: on_scalar(r, e); break;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT: on_open(r, e); break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT: on_close(r); break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_ALIAS_EVENT: break;
    }
}

/* ---- the parser ---- */

/* libyaml keeps a value whole, however long: it gets no more than a row. */
static int
give(void *ctx, unsigned char *room, size_t size, size_t *given)
{
    struct reader *r = ctx;
    struct span rest = span_head(span_tail(r->text, r->at), size);

    r->too_long = r->at - r->event > FORM_ROW_MAX + AHEAD;
    if (r->too_long)
        return 0;
    if (rest.n > 0)
        memcpy(room, rest.p, rest.n);
    r->at += rest.n;
    *given = rest.n;
    return 1;
}

/* The reader of libyaml gives an offset, the rest of it a mark. */
static struct form_place
place_at(struct span text, size_t offset)
{
    struct form_place at = {1, 1};

    text = span_head(text, offset);
    for (size_t i = 0; i < text.n; i++) {
        at.column += (text.p[i] & 0xc0) != 0x80;
        if (text.p[i] == '\n')
            at = (struct form_place){at.line + 1, 1};
    }
    return at;
}

static void
fault_yaml(struct reader *r, const yaml_parser_t *y)
{
    struct form_place at = place_of(y->problem_mark);

    if (y->error == YAML_MEMORY_ERROR) {
        r->s->e = ERR_NOMEM;
        return;
    }
    if (r->too_long) {
        form_source_fault(r->s, place_of(y->mark),
                          "more than a MiB without a value");
        return;
    }
    if (y->error == YAML_READER_ERROR) {
        struct span rest = span_tail(r->text, y->problem_offset);
        size_t n = utf8_len(rest);

        at = place_at(r->text, y->problem_offset);
        if (form_source_is_bad(r->s, span_head(rest, n > 0 ? n : 1), at,
                               "the file"))
            return;
    }
    if (form_source_begin(r->s, at))
        buf_printf(r->s->messages, "not valid YAML: %s\n",
                   y->problem != NULL ? y->problem : "cannot be read");
}

static void
run(struct reader *r, yaml_parser_t *y)
{
    unsigned n_documents = 0;
    yaml_event_t e;
    bool end = false;

    while (!end && !r->s->stop) {
        if (!yaml_parser_parse(y, &e)) {
            fault_yaml(r, y);
            return;
        }
        r->event = r->at;
        if (e.type == YAML_DOCUMENT_START_EVENT && n_documents++ > 0) {
            form_source_fault(r->s, place_of(e.start_mark),
                              "a second document begins");
            r->s->stop = true;
        } else {
            on_event(r, &e);
        }
        end = e.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&e);
    }
}

static void
parse(struct form_source *s, struct span text)
{
    struct reader *r = calloc(1, sizeof(*r));
    yaml_parser_t y;

    if (r == NULL || !yaml_parser_initialize(&y)) {
        s->e = ERR_NOMEM;
        free(r);
        return;
    }
    r->s = s;
    r->text = text;
    yaml_parser_set_encoding(&y, YAML_UTF8_ENCODING);
    yaml_parser_set_input(&y, give, r);
    run(r, &y);
    yaml_parser_delete(&y);
    free(r);
}

enum err
form_yaml_read(struct span text, const char *name, struct forms *out,
               struct buf *messages)
{
    struct form_source s;

    forms_init(out);
    form_source_init(&s, name, out, messages);
    if (form_source_is_text(&s, text))
        parse(&s, span_starts(text, SPAN_LIT("\xef\xbb\xbf"))
                      ? span_tail(text, 3)
                      : text);
    return form_source_done(&s);
}

/* ---- writing ---- */

/* Length of a character at the head that stands for itself within quotes. */
static size_t
plain_len(struct span s)
{
    static const struct span not_plain[] = {
        SPAN_INIT("\""), SPAN_INIT("\\"),
        /* line ends, the byte order mark and what is no character */
        SPAN_INIT("\xc2\x85"), SPAN_INIT("\xe2\x80\xa8"),
        SPAN_INIT("\xe2\x80\xa9"), SPAN_INIT("\xef\xbb\xbf"),
        SPAN_INIT("\xef\xbf\xbe"), SPAN_INIT("\xef\xbf\xbf")};

    for (size_t i = 0; i < ARRAY_LEN(not_plain); i++) {
        if (span_starts(s, not_plain[i]))
            return 0;
    }
    return utf8_len(s);
}

/* The others are in the basic plane. */
static void
put_escaped(struct buf *out, struct span c)
{
    uint32_t v = c.p[0];

    if (c.n == 1) {
        buf_printf(out, "\\%c", (int)v);
        return;
    }
    v &= 0xffU >> (c.n + 1);
    for (size_t i = 1; i < c.n; i++)
        v = (v << 6) | (c.p[i] & 0x3fU);
    buf_printf(out, "\\u%04" PRIX32, v);
}

static bool
is_digits(struct span s)
{
    size_t n = 0;

    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    return n > 0 && n == s.n;
}

/* Quoted: no word of a form is yes, null or a date to another program. */
static void
put_value(struct buf *out, struct span s)
{
    if (is_digits(s)) {
        buf_span(out, s);
        return;
    }
    buf_putc(out, '"');
    while (s.n > 0) {
        size_t n = plain_len(s);

        if (n > 0) {
            buf_span(out, span_head(s, n));
        } else {
            n = utf8_len(s);
            put_escaped(out, span_head(s, n));
        }
        s = span_tail(s, n);
    }
    buf_putc(out, '"');
}

/* Writes the keys of a form or a line. */
struct writer {
    struct buf *out;
    size_t indent;
    bool any;        /* the dash is written */
    const char *row; /* path written last */
};

static void
put_indent(struct writer *w, size_t depth)
{
    for (size_t i = 0; i < w->indent + 2 * depth; i++)
        buf_putc(w->out, ' ');
    buf_str(w->out, w->any ? "  " : "- ");
    w->any = true;
}

/* How many bytes of whole sections both paths have in common. */
static size_t
common(const char *a, const char *b)
{
    size_t n = 0;

    for (size_t i = 0; a[i] != 0 && a[i] == b[i]; i++) {
        if (a[i] == '.')
            n = i + 1;
    }
    return n;
}

static void
put_field(struct writer *w, const char *path, const char *value)
{
    size_t at = common(path, w->row);
    size_t depth = 0;
    const char *dot;

    for (size_t i = 0; i < at; i++)
        depth += path[i] == '.';
    while ((dot = strchr(path + at, '.')) != NULL) {
        put_indent(w, depth++);
        buf_put(w->out, path + at, (size_t)(dot - path) - at);
        buf_str(w->out, ":\n");
        at = (size_t)(dot - path) + 1;
    }
    put_indent(w, depth);
    buf_str(w->out, path + at);
    buf_str(w->out, ": ");
    put_value(w->out, span_str(value));
    buf_putc(w->out, '\n');
    w->row = path;
}

static void
put_fields(struct writer *w, enum form_scope scope, char *const *texts)
{
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (form_rows[i].scope == scope && texts[i] != NULL)
            put_field(w, form_rows[i].path, texts[i]);
    }
}

static void
put_none(struct writer *w)
{
    if (w->any)
        return;
    put_indent(w, 0);
    buf_str(w->out, "{}\n");
}

static void
put_line(const struct form_line *l, struct buf *out)
{
    struct writer w = {out, 4, false, ""};

    if (l->number > 0) {
        put_indent(&w, 0);
        buf_printf(out, "line: %" PRIu32 "\n", l->number);
    }
    put_fields(&w, FORM_SCOPE_LINE, l->text);
    put_none(&w);
}

void
form_yaml_write(const struct form *f, struct buf *out)
{
    struct writer w = {out, 0, false, ""};

    if (f->number[0] != 0)
        put_field(&w, "form", f->number);
    put_fields(&w, FORM_SCOPE_FORM, f->text);
    if (f->n_lines > 0) {
        put_indent(&w, 0);
        buf_str(out, "lines:\n");
    }
    for (size_t i = 0; i < f->n_lines; i++)
        put_line(&f->lines[i], out);
    put_none(&w);
}
