#include "rules/registry/form_diff.h"

#include <inttypes.h>

#include "sensor/base/text.h"

/* ---- forms by number ---- */

static int
by_number(const void *a, const void *b)
{
    const struct form *const *x = a;
    const struct form *const *y = b;

    return strcmp((*x)->number, (*y)->number);
}

static const struct form **
sort_forms(struct form_set set)
{
    const struct form **v =
        calloc(set.n > 0 ? set.n : 1, sizeof(struct form *));

    if (v == NULL)
        return NULL;
    for (size_t i = 0; i < set.n; i++)
        v[i] = set.v[i];
    qsort(v, set.n, sizeof(struct form *), by_number);
    return v;
}

static const struct form *
find_form(const struct form **sorted, size_t n, const struct form *like)
{
    const struct form **found = NULL;

    if (like->number[0] != 0 && n > 0)
        found = bsearch(&like, sorted, n, sizeof(struct form *), by_number);
    return found != NULL ? *found : NULL;
}

/* ---- lines by number, or by what they ask for ---- */

struct ask {
    const struct form_line *line;
    struct prefix prefix;
    struct span address; /* as written, where it is no prefix */
    struct span port;
    size_t skip; /* of the first of equal ones: so many have been taken */
    bool taken;
};

static struct span
text_of(const struct form_line *l, enum form_field field)
{
    return l->text[field] != NULL ? span_str(l->text[field]) : SPAN_NONE;
}

static struct ask
ask_of(const struct form_line *l)
{
    struct ask a = {.line = l, .port = text_of(l, FORM_PORT)};

    a.address = text_of(l, FORM_ADDRESS);
    if (prefix_parse(a.address, &a.prefix))
        a.address = SPAN_NONE;
    else
        a.prefix = (struct prefix){0};
    return a;
}

static int
span_order(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int d = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return d != 0 ? d : a.n < b.n ? -1 : a.n > b.n;
}

static int
ask_order(const struct ask *x, const struct ask *y)
{
    int d = addr_cmp(&x->prefix.addr, &y->prefix.addr);

    if (d == 0)
        d = (int)x->prefix.bits - (int)y->prefix.bits;
    if (d == 0)
        d = span_order(x->address, y->address);
    return d != 0 ? d : span_order(x->port, y->port);
}

static int
by_ask(const void *a, const void *b)
{
    const struct ask *x = a;
    const struct ask *y = b;
    int d = ask_order(x, y);

    if (d == 0 && x->line->number != y->line->number)
        d = x->line->number < y->line->number ? -1 : 1;
    return d;
}

static int
by_line(const void *a, const void *b)
{
    const struct ask *const *x = a;
    const struct ask *const *y = b;
    uint32_t n = (*x)->line->number;
    uint32_t m = (*y)->line->number;

    return n < m ? -1 : n > m;
}

/* Lines of the old form. */
struct lines {
    struct ask *by_ask;
    struct ask **by_number;
    size_t n;
};

static void
lines_free(struct lines *l)
{
    free(l->by_ask);
    free(l->by_number);
}

static bool
lines_make(struct lines *l, const struct form *f)
{
    size_t n = f->n_lines > 0 ? f->n_lines : 1;

    *l = (struct lines){calloc(n, sizeof(*l->by_ask)),
                        calloc(n, sizeof(struct ask *)), f->n_lines};
    if (l->by_ask == NULL || l->by_number == NULL)
        return false;
    for (size_t i = 0; i < l->n; i++)
        l->by_ask[i] = ask_of(&f->lines[i]);
    qsort(l->by_ask, l->n, sizeof(*l->by_ask), by_ask);
    for (size_t i = 0; i < l->n; i++)
        l->by_number[i] = &l->by_ask[i];
    qsort(l->by_number, l->n, sizeof(struct ask *), by_line);
    return true;
}

static const struct form_line *
take(struct ask *a)
{
    if (a == NULL || a->taken)
        return NULL;
    a->taken = true;
    return a->line;
}

static const struct form_line *
take_number(struct lines *l, const struct form_line *like)
{
    const struct ask key = {.line = like};
    const struct ask *at = &key;
    struct ask **found =
        bsearch(&at, l->by_number, l->n, sizeof(struct ask *), by_line);

    return found != NULL ? take(*found) : NULL;
}

static size_t
lower_bound(const struct lines *l, const struct ask *key)
{
    size_t from = 0;
    size_t to = l->n;

    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (ask_order(&l->by_ask[mid], key) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

/* The first that nobody has taken; those before it are not looked at again. */
static const struct form_line *
take_ask(struct lines *l, const struct form_line *like)
{
    struct ask key = ask_of(like);
    size_t first = lower_bound(l, &key);

    if (first == l->n || ask_order(&l->by_ask[first], &key) != 0)
        return NULL;
    for (size_t i = first + l->by_ask[first].skip; i < l->n; i++) {
        struct ask *a = &l->by_ask[i];

        if (ask_order(a, &key) != 0)
            break;
        l->by_ask[first].skip++;
        if (!a->taken)
            return take(a);
    }
    return NULL;
}

/* ---- telling ---- */

struct teller {
    struct buf *out;
    struct form_diff *count;
    bool all;
};

static void
put_value(struct buf *out, const char *text)
{
    if (text == NULL) {
        buf_str(out, "none");
        return;
    }
    buf_putc(out, '\'');
    text_term(out, span_str(text));
    buf_putc(out, '\'');
}

static void
put_form(struct teller *t, char mark, const struct form *f)
{
    buf_printf(t->out, "%c form %s", mark,
               f->number[0] != 0 ? f->number : "(no number yet)");
    if (f->text[FORM_SITE] != NULL) {
        buf_str(t->out, " (");
        text_term(t->out, span_str(f->text[FORM_SITE]));
        buf_putc(t->out, ')');
    }
    if (mark != '~')
        buf_printf(t->out, ", %zu line%s", f->n_lines,
                   f->n_lines == 1 ? "" : "s");
    buf_putc(t->out, '\n');
}

static void
put_line(struct teller *t, char mark, const struct form_line *l)
{
    buf_printf(t->out, "    %c line", mark);
    if (l->number > 0)
        buf_printf(t->out, " %" PRIu32, l->number);
    buf_str(t->out, ": ");
    text_term(t->out, l->text[FORM_ADDRESS] != NULL ? text_of(l, FORM_ADDRESS)
                                                    : SPAN_LIT("no address"));
    if (l->text[FORM_PORT] != NULL) {
        buf_str(t->out, " port ");
        text_term(t->out, text_of(l, FORM_PORT));
    }
    buf_putc(t->out, '\n');
}

static bool
is_other(const char *a, const char *b)
{
    return (a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0);
}

static bool
differ(char *const *from, char *const *to)
{
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (is_other(from[i], to[i]))
            return true;
    }
    return false;
}

/* True when there were any. */
static bool
put_texts(struct teller *t, const char *indent, char *const *from,
          char *const *to)
{
    bool any = false;

    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        if (!is_other(from[i], to[i]))
            continue;
        any = true;
        buf_printf(t->out, "%s%s: ", indent, form_rows[i].column);
        put_value(t->out, from[i]);
        buf_str(t->out, " -> ");
        put_value(t->out, to[i]);
        buf_putc(t->out, '\n');
    }
    return any;
}

static void
tell_added_line(struct teller *t, const struct form_line *l)
{
    t->count->lines_added++;
    put_line(t, '+', l);
}

static void
tell_line(struct teller *t, const struct form_line *from,
          const struct form_line *to)
{
    if (from == NULL) {
        tell_added_line(t, to);
    } else if (differ(from->text, to->text)) {
        t->count->lines_changed++;
        put_line(t, '~', from);
        (void)put_texts(t, "        ", from->text, to->text);
    }
}

/* Numbers first: a line without one does not take what another one names. */
static enum err
tell_lines(struct teller *t, const struct form *from, const struct form *to)
{
    const struct form_line **old =
        calloc(to->n_lines > 0 ? to->n_lines : 1, sizeof(struct form_line *));
    struct lines lines = {0};
    bool good = old != NULL && lines_make(&lines, from);

    for (size_t i = 0; good && i < to->n_lines; i++) {
        if (to->lines[i].number > 0)
            old[i] = take_number(&lines, &to->lines[i]);
    }
    for (size_t i = 0; good && i < to->n_lines; i++) {
        if (to->lines[i].number == 0)
            old[i] = take_ask(&lines, &to->lines[i]);
        tell_line(t, old[i], &to->lines[i]);
    }
    for (size_t i = 0; good && t->all && i < lines.n; i++) {
        if (lines.by_number[i]->taken)
            continue;
        t->count->lines_removed++;
        put_line(t, '-', lines.by_number[i]->line);
    }
    lines_free(&lines);
    free(old);
    return good ? ERR_OK : ERR_NOMEM;
}

static void
tell_added(struct teller *t, const struct form *f)
{
    t->count->forms_added++;
    put_form(t, '+', f);
    for (size_t i = 0; i < f->n_lines; i++)
        tell_added_line(t, &f->lines[i]);
}

static void
tell_removed(struct teller *t, const struct form *f)
{
    t->count->forms_removed++;
    t->count->lines_removed += f->n_lines;
    put_form(t, '-', f);
}

static size_t
lines_told(const struct form_diff *count)
{
    return count->lines_added + count->lines_removed + count->lines_changed;
}

/* Nothing is said of a form that is the same. */
static enum err
tell_form(struct teller *t, const struct form *from, const struct form *to)
{
    size_t begin = t->out->n;
    size_t before = lines_told(t->count);
    bool any;
    enum err e;

    put_form(t, '~', to);
    any = put_texts(t, "    ", from->text, to->text);
    e = tell_lines(t, from, to);
    if (any || lines_told(t->count) > before) {
        t->count->forms_changed++;
    } else {
        t->count->forms_same++;
        t->out->n = begin;
    }
    return e;
}

enum err
form_diff(struct form_set from, struct form_set to, bool all,
          struct form_diff *count, struct buf *out)
{
    struct teller t = {out, count, all};
    const struct form **old = sort_forms(from);
    const struct form **new = sort_forms(to);
    enum err e = old != NULL && new != NULL ? ERR_OK : ERR_NOMEM;

    *count = (struct form_diff){0};
    for (size_t i = 0; e == ERR_OK && i < to.n; i++) {
        const struct form *same = find_form(old, from.n, to.v[i]);

        if (same == NULL)
            tell_added(&t, to.v[i]);
        else
            e = tell_form(&t, same, to.v[i]);
    }
    for (size_t i = 0; e == ERR_OK && all && i < from.n; i++) {
        if (find_form(new, to.n, from.v[i]) == NULL)
            tell_removed(&t, from.v[i]);
    }
    free(old);
    free(new);
    return e;
}
