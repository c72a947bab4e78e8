#include "rules/registry/merge.h"

#include "rules/registry/line.h"

#define NUMBER_WORDS (FORM_LINES_MAX / 64 + 1)

/* What is needed while a form is merged. */
struct merging {
    const struct book_form *old;
    const struct asks *asks;
    const struct action *a;
    struct merge *out;
    struct buf *why;
    uint64_t taken[NUMBER_WORDS]; /* numbers of lines submitted */
    uint32_t most;                /* highest number of all */
};

static enum err
refuse(const struct merging *m, enum err e, uint32_t number, const char *what)
{
    buf_printf(m->why, "form %s: line %u %s", m->out->sent.number, number,
               what);
    return e;
}

/* ---- numbers ---- */

static bool
is_taken(const struct merging *m, uint32_t number)
{
    return (m->taken[number / 64] >> (number % 64) & 1) != 0;
}

static void
take(struct merging *m, uint32_t number)
{
    m->taken[number / 64] |= UINT64_C(1) << (number % 64);
    m->most = m->most < number ? number : m->most;
}

static enum err
take_given(struct merging *m)
{
    const struct form *f = &m->out->sent;

    for (size_t i = 0; i < f->n_lines; i++) {
        uint32_t number = f->lines[i].number;

        if (number == 0)
            continue;
        if (number > FORM_LINES_MAX)
            return refuse(m, ERR_LIMIT, number, "has too high a number");
        if (is_taken(m, number))
            return refuse(m, ERR_USAGE, number, "stands there twice");
        take(m, number);
    }
    return ERR_OK;
}

static int
by_ask(const struct form_line *a, const struct form_line *b)
{
    int k = addr_cmp(&a->prefix.addr, &b->prefix.addr);

    if (a->readable != b->readable)
        return a->readable ? -1 : 1;
    if (k == 0)
        k = (int)a->prefix.bits - (int)b->prefix.bits;
    return k != 0 ? k : (int)a->port - (int)b->port;
}

/* The first, in the order that form_check has left, that is not before l. */
static size_t
lower_bound(const struct form *f, const struct form_line *l)
{
    size_t from = 0;
    size_t to = f->n_lines;

    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (by_ask(&f->lines[f->lines[mid].order], l) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

/* The number of the line that asked for the same, or 0. */
static uint32_t
match(const struct merging *m, const struct form_line *l)
{
    const struct form *f = &m->old->form;
    uint32_t ended = 0;

    for (size_t i = lower_bound(f, l); i < f->n_lines; i++) {
        const struct form_line *x = &f->lines[f->lines[i].order];
        const struct book_line *line = m->old->lines[f->lines[i].order];

        if (by_ask(x, l) != 0)
            break;
        if (is_taken(m, x->number))
            continue;
        if (book_state_at(line, m->a->when) != BOOK_ENDED)
            return x->number;
        ended = ended > 0 ? ended : x->number;
    }
    return ended;
}

static void
take_matching(struct merging *m)
{
    struct form *f = &m->out->sent;

    for (size_t i = 0; m->old != NULL && i < f->n_lines; i++) {
        struct form_line *l = &f->lines[i];

        if (l->number != 0 || !l->readable)
            continue;
        l->number = match(m, l);
        if (l->number != 0)
            take(m, l->number);
    }
}

static enum err
take_next(struct merging *m)
{
    struct form *f = &m->out->sent;

    for (size_t i = 0; i < f->n_lines; i++) {
        if (f->lines[i].number != 0)
            continue;
        if (m->most >= FORM_LINES_MAX)
            return refuse(m, ERR_LIMIT, m->most, "is the last that can be");
        f->lines[i].number = m->most + 1;
        take(m, m->most + 1);
    }
    return ERR_OK;
}

static enum err
give_numbers(struct merging *m)
{
    const struct book_form *old = m->old;
    enum err e = take_given(m);

    if (old != NULL && old->form.n_lines > 0) {
        uint32_t last = old->form.lines[old->form.n_lines - 1].number;

        m->most = m->most < last ? last : m->most;
    }
    if (e == ERR_OK) {
        take_matching(m);
        e = take_next(m);
    }
    return e;
}

/* ---- old and new together ---- */

static bool
make_room(struct merging *m)
{
    struct merge *out = m->out;
    size_t most =
        out->sent.n_lines + (m->old != NULL ? m->old->form.n_lines : 0) + 1;

    out->whole.lines = malloc(most * sizeof(*out->whole.lines));
    out->old = calloc(most, sizeof(struct book_line *));
    out->is_sent = calloc(most, sizeof(*out->is_sent));
    out->whole.cap_lines = most;
    return out->whole.lines != NULL && out->old != NULL && out->is_sent != NULL;
}

static void
put(struct merge *out, const struct form_line *l, struct book_line *old,
    bool is_sent)
{
    size_t at = out->whole.n_lines++;

    out->whole.lines[at] = *l;
    out->old[at] = old;
    out->is_sent[at] = is_sent;
    out->n_new += old == NULL;
}

/* place[n]: of the line sent with number n. Old lines stand by number, and what
 * comes of it does too. */
static void
put_all(struct merging *m, const uint32_t *place)
{
    const struct book_form *old = m->old;
    size_t at = 0;

    for (uint32_t n = 1; n <= m->most; n++) {
        struct book_line *line = NULL;

        if (old != NULL && at < old->form.n_lines &&
            old->form.lines[at].number == n)
            line = old->lines[at++];
        if (is_taken(m, n))
            put(m->out, &m->out->sent.lines[place[n]], line, true);
        else if (line != NULL)
            put(m->out, line->line, line, false);
    }
}

/* ---- is it complete ---- */

struct faults {
    const struct form *form;
    struct book_line *const *lines; /* NULL in it: a new one */
    const bool *is_sent;
    ns_t when;
    size_t n;
};

static bool
has_ended(const struct faults *x, uint32_t number)
{
    size_t from = 0;
    size_t to = x->form->n_lines;

    while (from < to) {
        size_t mid = from + (to - from) / 2;

        if (x->form->lines[mid].number < number)
            from = mid + 1;
        else
            to = mid;
    }
    return from < x->form->n_lines && x->lines[from] != NULL &&
           (x->is_sent == NULL || !x->is_sent[from]) &&
           book_state_at(x->lines[from], x->when) == BOOK_ENDED;
}

static void
count_fault(void *ctx, const struct form_fault *fault)
{
    struct faults *x = ctx;

    x->n += !fault->asks && (fault->line == 0 || !has_ended(x, fault->line));
}

bool
merge_complete(struct form *f, struct book_line *const *lines,
               const bool *is_sent, ns_t when)
{
    struct faults x = {f, lines, is_sent, when, 0};

    (void)form_check(f, when, count_fault, &x);
    return x.n == 0;
}

static enum err
put_together(struct merging *m)
{
    struct merge *out = m->out;
    uint32_t *place = calloc((size_t)m->most + 1, sizeof(*place));
    bool good = place != NULL && make_room(m);

    for (size_t i = 0; good && i < out->sent.n_lines; i++)
        place[out->sent.lines[i].number] = (uint32_t)i;
    if (good)
        put_all(m, place);
    free(place);
    if (!good)
        return ERR_NOMEM;
    if (out->whole.n_lines > FORM_LINES_MAX)
        return refuse(m, ERR_LIMIT, m->most, "is more than a form can have");
    memcpy(out->whole.number, out->sent.number, sizeof(out->whole.number));
    memcpy(out->whole.text, out->sent.text, sizeof(out->whole.text));
    out->whole.source = out->sent.source;
    out->complete =
        merge_complete(&out->whole, out->old, out->is_sent, m->a->when);
    return ERR_OK;
}

/* ---- may it be ---- */

static bool
is_moved(const struct book_line *old, const struct form_line *l, ns_t when)
{
    return book_state_at(old, when) == BOOK_PERMITTED &&
           (by_ask(old->line, l) != 0 || old->line->use != l->use);
}

static enum err
check_lines(const struct merging *m)
{
    const struct merge *out = m->out;

    for (size_t i = 0; i < out->whole.n_lines; i++) {
        const struct form_line *l = &out->whole.lines[i];
        const struct book_line *old = out->old[i];
        const char *why = NULL;

        if (!out->is_sent[i] || old == NULL)
            continue;
        why = line_unfit(old, m->a);
        if (why == NULL && is_moved(old, l, m->a->when))
            why = "is permitted: withdraw it, then ask for another address, "
                  "port or direction";
        if (why != NULL)
            return refuse(m, ERR_USAGE, l->number, why);
    }
    return ERR_OK;
}

static bool
is_news(const struct merging *m, size_t i)
{
    const struct merge *out = m->out;

    return out->is_sent[i] &&
           asks_is_news(m->asks, out->old[i], &out->whole.lines[i],
                        line_protection(out->old[i], m->a));
}

static bool
same_prefix(const struct form_line *a, const struct form_line *b)
{
    return a->prefix.bits == b->prefix.bits &&
           addr_cmp(&a->prefix.addr, &b->prefix.addr) == 0;
}

/* Lines of one prefix follow each other in the order of form_check. */
static enum err
check_counts(const struct merging *m)
{
    const struct form *f = &m->out->whole;
    const struct form_line *last = NULL;
    uint32_t n = 0;

    for (size_t i = 0; i < f->n_lines; i++) {
        const struct form_line *l = &f->lines[f->lines[i].order];

        if (!l->readable)
            break;
        if (last == NULL || !same_prefix(last, l))
            n = asks_count(m->asks, &l->prefix);
        last = l;
        if (!is_news(m, f->lines[i].order))
            continue;
        m->out->n_asks++;
        if (++n > BOOK_SAME_MAX)
            return refuse(m, ERR_LIMIT, l->number,
                          "has an address that was asked for too often");
    }
    return ERR_OK;
}

static enum err
make(struct merging *m)
{
    struct merge *out = m->out;
    enum err e = form_copy(&out->sent, m->a->form);

    if (e != ERR_OK)
        return e;
    (void)form_check(&out->sent, m->a->when, NULL, NULL);
    e = give_numbers(m);
    if (e == ERR_OK)
        e = put_together(m);
    if (e == ERR_OK)
        e = check_lines(m);
    return e == ERR_OK ? check_counts(m) : e;
}

enum err
merge_make(const struct book_form *old, const struct asks *k,
           const struct action *a, struct merge *out, struct buf *why)
{
    struct merging m = {.old = old, .asks = k, .a = a, .out = out, .why = why};

    *out = (struct merge){0};
    return make(&m);
}

void
merge_take(struct merge *m, struct book_form *f)
{
    size_t at = 0;

    for (size_t i = 0; i < m->whole.n_lines; i++) {
        if (m->old[i] != NULL && m->is_sent[i])
            form_line_fini(&f->form.lines[at]);
        at += m->old[i] != NULL;
    }
    free(f->form.lines);
    f->form.lines = NULL;
    f->form.n_lines = 0;
    form_fini(&f->form);
    f->form = m->whole;
    f->complete = m->complete;
    /* their texts are the form's now */
    free(m->sent.lines);
    m->sent = (struct form){0};
    m->whole = (struct form){0};
}

void
merge_fini(struct merge *m)
{
    form_fini(&m->sent);
    free(m->whole.lines);
    free(m->old);
    free(m->is_sent);
    *m = (struct merge){0};
}
