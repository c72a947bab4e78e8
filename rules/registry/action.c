#include "rules/registry/action.h"

#include <openssl/evp.h>

#include "sensor/base/buf.h"

enum { TEXT_ACTOR, TEXT_REASON, TEXT_REFERENCE };

static const char *const words[ACTION_COUNT] = {
#define ACTION_WORD(id, word, from, doc) word,
    ACTION_MAP(ACTION_WORD)
#undef ACTION_WORD
};

const char *
action_word(enum action_kind k)
{
    return words[k];
}

/* ---- writing ---- */

static bool
is_plain(uint8_t c)
{
    return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

/* Control characters never get here from a form; should one, the record is
 * still one line. */
static void
put_special(struct buf *out, uint8_t c)
{
    if (c == '"' || c == '\\') {
        buf_putc(out, '\\');
        buf_putc(out, c);
    } else {
        buf_printf(out, "\\x%02x", c);
    }
}

static void
put_quoted(struct buf *out, struct span s)
{
    buf_putc(out, '"');
    while (s.n > 0) {
        size_t n = 0;

        while (n < s.n && is_plain(s.p[n]))
            n++;
        buf_span(out, span_head(s, n));
        if (n < s.n)
            put_special(out, s.p[n]);
        s = span_tail(s, n + 1);
    }
    buf_putc(out, '"');
}

static void
put_text(struct buf *out, const char *key, const char *text)
{
    if (text == NULL)
        return;
    buf_putc(out, ' ');
    buf_str(out, key);
    buf_putc(out, '=');
    put_quoted(out, span_str(text));
}

static void
put_number(struct buf *out, const char *key, uint64_t v)
{
    buf_putc(out, ' ');
    buf_str(out, key);
    buf_putc(out, '=');
    buf_u64(out, v);
}

static void
put_fields(struct buf *out, char *const *text, enum form_scope scope)
{
    for (unsigned f = 0; f < FORM_FIELD_COUNT; f++) {
        if (form_rows[f].scope == scope)
            put_text(out, form_rows[f].path, text[f]);
    }
}

static void
put_form(struct buf *out, const struct form *f)
{
    put_fields(out, f->text, FORM_SCOPE_FORM);
    for (size_t i = 0; i < f->n_lines; i++) {
        put_number(out, "line", f->lines[i].number);
        put_fields(out, f->lines[i].text, FORM_SCOPE_LINE);
    }
}

/* How many numbers from i on follow each other. */
static size_t
run_of(const struct action *a, size_t i)
{
    size_t n = 1;

    while (i + n < a->n_lines && a->lines[i + n] == a->lines[i] + n)
        n++;
    return n;
}

void
action_lines(const struct action *a, struct buf *out)
{
    for (size_t i = 0, n; i < a->n_lines; i += n) {
        n = run_of(a, i);
        if (i > 0)
            buf_putc(out, ',');
        buf_u64(out, a->lines[i]);
        if (n > 1) {
            buf_putc(out, '-');
            buf_u64(out, a->lines[i + n - 1]);
        }
    }
}

static bool
has_form(const struct action *a)
{
    return a->kind == ACTION_SUBMIT && a->form != NULL;
}

void
action_code(const struct action *a, struct buf *out)
{
    const char *number = has_form(a) ? a->form->number : a->number;

    buf_str(out, words[a->kind]);
    put_number(out, "when", a->when);
    put_text(out, "actor", a->actor);
    buf_str(out, " form=");
    if (number != NULL)
        buf_str(out, number);
    if (a->n_lines > 0)
        buf_str(out, " lines=");
    action_lines(a, out);
    put_text(out, "reason", a->reason);
    put_text(out, "reference", a->reference);
    if (a->until > 0)
        put_number(out, "until", a->until);
    if (has_form(a))
        put_form(out, a->form);
}

/* ---- reading ---- */

static struct span
rest(const struct cursor *c)
{
    return span_tail(c->in, c->at);
}

/* Steps over lit when it stands there. */
static bool
skip(struct cursor *c, struct span lit)
{
    if (!span_starts(rest(c), lit))
        return false;
    cur_skip(c, lit.n);
    return true;
}

/* Steps over " key=" and the quote or digit behind it is next. */
static bool
skip_key(struct cursor *c, const char *key)
{
    struct span name = span_str(key);
    struct span at = rest(c);

    if (span_at(at, 0) != ' ' || !span_starts(span_tail(at, 1), name) ||
        span_at(at, name.n + 1) != '=')
        return false;
    cur_skip(c, name.n + 2);
    return true;
}

static bool
read_number(struct cursor *c, uint64_t *out)
{
    struct span at = rest(c);
    size_t n = 0;

    while (n < at.n && at.p[n] >= '0' && at.p[n] <= '9')
        n++;
    cur_skip(c, n);
    return span_to_u64(span_head(at, n), out);
}

static enum err
read_quoted(struct cursor *c, char **out)
{
    uint8_t room[FORM_TEXT_MAX];
    size_t n = 0;
    uint8_t b;

    if (cur_u8(c) != '"')
        return ERR_FORMAT;
    while ((b = cur_u8(c)) != '"') {
        if (b == '\\')
            b = cur_u8(c);
        if (c->bad || n == sizeof(room))
            return ERR_FORMAT;
        room[n++] = b;
    }
    if (n == 0)
        return ERR_FORMAT;
    return form_set(out, span_of(room, n));
}

static enum err
read_text(struct cursor *c, const char *key, char **out)
{
    return skip_key(c, key) ? read_quoted(c, out) : ERR_OK;
}

static enum err
read_fields(struct cursor *c, char **text, enum form_scope scope)
{
    enum err e = ERR_OK;

    for (unsigned f = 0; f < FORM_FIELD_COUNT && e == ERR_OK; f++) {
        if (form_rows[f].scope == scope)
            e = read_text(c, form_rows[f].path, &text[f]);
    }
    return e;
}

static enum err
read_line(struct cursor *c, struct form *f)
{
    struct form_line *l;
    uint64_t number;

    if (!read_number(c, &number) || number > FORM_LINES_MAX ||
        f->n_lines == FORM_LINES_MAX)
        return ERR_FORMAT;
    l = form_add_line(f);
    if (l == NULL)
        return ERR_NOMEM;
    l->number = (uint32_t)number;
    return read_fields(c, l->text, FORM_SCOPE_LINE);
}

static enum err
read_form(struct cursor *c, struct form *f)
{
    enum err e = read_fields(c, f->text, FORM_SCOPE_FORM);

    while (e == ERR_OK && skip_key(c, "line"))
        e = read_line(c, f);
    return e;
}

/* "3" or "3-5". */
static bool
read_run(struct cursor *c, uint64_t *first, uint64_t *last)
{
    if (!read_number(c, first))
        return false;
    *last = *first;
    if (skip(c, SPAN_LIT("-")) && !read_number(c, last))
        return false;
    return *first > 0 && *first <= *last && *last <= FORM_LINES_MAX;
}

/* Counts, and with out keeps, what stands there. */
static bool
walk_lines(struct cursor *c, uint32_t *out, size_t *n)
{
    uint64_t last = 0;

    *n = 0;
    do {
        uint64_t from;
        uint64_t to;

        if (!read_run(c, &from, &to) || from <= last)
            return false;
        for (last = to; from <= to; from++, (*n)++) {
            if (out != NULL)
                out[*n] = (uint32_t)from;
        }
    } while (skip(c, SPAN_LIT(",")));
    return true;
}

static enum err
read_lines(struct cursor *c, struct action_room *room, size_t *n)
{
    struct cursor ahead = *c;

    if (!walk_lines(&ahead, NULL, n))
        return ERR_FORMAT;
    room->lines = malloc(*n * sizeof(*room->lines));
    if (room->lines == NULL)
        return ERR_NOMEM;
    return walk_lines(c, room->lines, n) ? ERR_OK : ERR_FORMAT;
}

static bool
read_kind(struct cursor *c, enum action_kind *out)
{
    struct span word = span_head(rest(c), span_find(rest(c), ' '));

    for (unsigned k = 0; k < ACTION_COUNT; k++) {
        if (span_eq(word, span_str(words[k]))) {
            *out = (enum action_kind)k;
            cur_skip(c, word.n);
            return true;
        }
    }
    return false;
}

static bool
read_form_number(struct cursor *c, char out[FORM_NUMBER_MAX + 1])
{
    struct span at = rest(c);
    struct span number = span_head(at, span_find(at, ' '));

    if (!form_number_good(number))
        return false;
    memcpy(out, number.p, number.n);
    cur_skip(c, number.n);
    return true;
}

static enum err
read_head(struct cursor *c, struct action *a, struct action_room *room)
{
    enum err e;

    if (!read_kind(c, &a->kind) || !skip_key(c, "when") ||
        !read_number(c, &a->when) || !skip_key(c, "actor"))
        return ERR_FORMAT;
    e = read_quoted(c, &room->texts[TEXT_ACTOR]);
    if (e != ERR_OK)
        return e;
    if (!skip_key(c, "form") || !read_form_number(c, room->number))
        return ERR_FORMAT;
    return skip_key(c, "lines") ? read_lines(c, room, &a->n_lines) : ERR_OK;
}

static enum err
read_options(struct cursor *c, struct action *a, struct action_room *room)
{
    enum err e = read_text(c, "reason", &room->texts[TEXT_REASON]);

    if (e == ERR_OK)
        e = read_text(c, "reference", &room->texts[TEXT_REFERENCE]);
    if (e == ERR_OK && skip_key(c, "until") && !read_number(c, &a->until))
        e = ERR_FORMAT;
    return e;
}

static enum err
read_all(struct cursor *c, struct action *a, struct action_room *room)
{
    enum err e = read_head(c, a, room);

    if (e == ERR_OK)
        e = read_options(c, a, room);
    if (e == ERR_OK && a->kind == ACTION_SUBMIT)
        e = read_form(c, &room->form);
    if (e == ERR_OK && (c->bad || cur_left(c) > 0))
        e = ERR_FORMAT;
    return e == ERR_LIMIT ? ERR_FORMAT : e;
}

static void
point(struct action *a, struct action_room *room)
{
    a->actor = room->texts[TEXT_ACTOR];
    a->reason = room->texts[TEXT_REASON];
    a->reference = room->texts[TEXT_REFERENCE];
    a->number = room->number;
    a->lines = room->lines;
    memcpy(room->form.number, room->number, sizeof(room->number));
    a->form = a->kind == ACTION_SUBMIT ? &room->form : NULL;
}

/* Leading zeros, escapes that need not be, runs that could be joined: many
 * texts mean the same, one is canonical. */
static enum err
check_canonical(const struct action *a, struct span text)
{
    struct buf again;
    enum err e;

    buf_init(&again, ACTION_CODE_MAX);
    (void)buf_grow(&again, text.n);
    action_code(a, &again);
    e = again.failed                      ? ERR_NOMEM
        : span_eq(buf_view(&again), text) ? ERR_OK
                                          : ERR_FORMAT;
    buf_free(&again);
    return e;
}

enum err
action_read(struct span text, struct action *out, struct action_room *room)
{
    struct action a = {0};
    struct cursor c = cur_open(text);
    enum err e;

    *room = (struct action_room){0};
    if (text.n > ACTION_CODE_MAX)
        return ERR_FORMAT;
    e = read_all(&c, &a, room);
    if (e == ERR_OK) {
        point(&a, room);
        e = check_canonical(&a, text);
    }
    if (e == ERR_OK)
        *out = a;
    return e;
}

void
action_room_fini(struct action_room *room)
{
    form_fini(&room->form);
    for (size_t i = 0; i < sizeof(room->texts) / sizeof(room->texts[0]); i++)
        free(room->texts[i]);
    free(room->lines);
    *room = (struct action_room){0};
}

/* ---- sealing ---- */

enum err
action_seal(struct span text, uint64_t number, const uint8_t before[32],
            struct audit *out)
{
    struct audit a = {.number = number};
    uint64_t wire = __builtin_bswap64(number);
    EVP_MD_CTX *run = EVP_MD_CTX_new();
    bool good;

    memcpy(a.before, before, sizeof(a.before));
    good = run != NULL && EVP_DigestInit_ex(run, EVP_sha256(), NULL) == 1 &&
           EVP_DigestUpdate(run, before, sizeof(a.before)) == 1 &&
           EVP_DigestUpdate(run, &wire, sizeof(wire)) == 1 &&
           EVP_DigestUpdate(run, text.p, text.n) == 1 &&
           EVP_DigestFinal_ex(run, a.hash, NULL) == 1;
    EVP_MD_CTX_free(run);
    if (!good)
        return ERR_NOMEM;
    *out = a;
    return ERR_OK;
}
