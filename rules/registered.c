#include "rules/registered.h"

#include <stdlib.h>

struct registered {
    struct summary_requirement *requirements;
    struct summary_unseen *unseen;
    size_t n_requirements, n_unseen;
    uint64_t violations, more_hosts, more_lines;
};

void
registered_free(struct registered *g)
{
    if (g == NULL)
        return;
    free(g->requirements);
    free(g->unseen);
    free(g);
}

static const struct book_line *
line_of(const struct requirements *r, const struct book *book,
        const struct addr *host)
{
    static const enum form_use uses[] = {FORM_SEND, FORM_RECEIVE};

    for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
        struct book_verdict v =
            book_judge(book, host, 25, uses[i], requirements_time(r));

        if (v.state == BOOK_PERMITTED)
            return v.line;
    }
    return NULL;
}

static void
put_text(struct summary_requirement *q, const struct req_verdict *v,
         enum requirement what)
{
    struct buf text = {(uint8_t *)q->text,  0,     sizeof(q->text) - 1,
                       sizeof(q->text) - 1, false, false};

    req_text(v, what, &text);
    q->text[text.n] = '\0';
}

static void
add_requirement(struct registered *g, const struct requirements *r,
                const struct addr *host, const struct book_line *line,
                enum requirement what)
{
    struct req_verdict v = requirements_ask(r, host, what);
    struct summary_requirement *q = &g->requirements[g->n_requirements++];

    *q = (struct summary_requirement){
        .addr = *host,
        .site = line->form->form.text[FORM_SITE],
        .name = req_word(what),
        .what = req_what(what),
        .answer = req_answer_word(v.answer),
        .observed = v.answer == REQ_OBSERVED,
        .violation = req_is_violation(what),
        .count = v.count,
        .of = v.of,
    };
    put_text(q, &v, what);
    for (size_t i = 0; i < v.n_evidence && i < SUMMARY_EVIDENCE; i++)
        memcpy(q->evidence[i], v.evidence[i], sizeof(q->evidence[i]));
    g->violations += q->observed && q->violation;
}

static bool
has_room(struct registered *g, size_t *cap)
{
    size_t more = *cap > 0 ? *cap * 2 : (size_t)64 * REQ_COUNT;
    struct summary_requirement *v;

    if (g->n_requirements + REQ_COUNT <= *cap)
        return true;
    v = realloc(g->requirements, more * sizeof(*v));
    if (v == NULL)
        return false;
    g->requirements = v;
    *cap = more;
    return true;
}

static enum err
list_hosts(struct registered *g, const struct requirements *r,
           const struct book *book)
{
    size_t cap = 0;

    for (size_t i = 0; i < requirements_n(r); i++) {
        struct addr host = requirements_host(r, i);
        const struct book_line *line = line_of(r, book, &host);

        if (line == NULL)
            continue;
        if (g->n_requirements >= (size_t)REGISTERED_HOSTS * REQ_COUNT) {
            g->more_hosts++;
            continue;
        }
        if (!has_room(g, &cap))
            return ERR_NOMEM;
        for (unsigned q = 0; q < REQ_COUNT; q++)
            add_requirement(g, r, &host, line, (enum requirement)q);
    }
    return ERR_OK;
}

static enum err
add_unseen(struct registered *g, const struct book_line *line)
{
    if (g->n_unseen == REGISTERED_LINES) {
        g->more_lines++;
        return ERR_OK;
    }
    if (g->unseen == NULL)
        g->unseen = calloc(REGISTERED_LINES, sizeof(*g->unseen));
    if (g->unseen == NULL)
        return ERR_NOMEM;
    g->unseen[g->n_unseen++] = (struct summary_unseen){
        .form = line->form->form.number,
        .line = line->line->number,
        .address = line->line->text[FORM_ADDRESS],
        .site = line->form->form.text[FORM_SITE],
        .device = line->line->text[FORM_DEVICE],
    };
    return ERR_OK;
}

static enum err
list_lines(struct registered *g, const struct requirements *r,
           const struct book *book)
{
    ns_t now = requirements_time(r);
    enum err e = ERR_OK;

    for (size_t i = 0; i < book_n_forms(book); i++) {
        const struct book_form *form = book_form_at(book, i);

        for (size_t k = 0; e == ERR_OK && k < form->form.n_lines; k++) {
            const struct book_line *line = form->lines[k];

            if (book_state_at(line, now) == BOOK_PERMITTED &&
                !requirements_saw(r, line))
                e = add_unseen(g, line);
        }
    }
    return e;
}

static int
by_weight(const void *x, const void *y)
{
    const struct summary_requirement *a = x;
    const struct summary_requirement *b = y;
    bool first = a->observed && a->violation;
    bool second = b->observed && b->violation;
    int diff = addr_cmp(&a->addr, &b->addr);

    if (first != second)
        return first ? -1 : 1;
    return diff != 0 ? diff : strcmp(a->name, b->name);
}

enum err
registered_new(const struct requirements *r, const struct book *book,
               struct registered **out)
{
    struct registered *g = calloc(1, sizeof(*g));
    enum err e;

    if (g == NULL)
        return ERR_NOMEM;
    e = list_hosts(g, r, book);
    if (e == ERR_OK)
        e = list_lines(g, r, book);
    if (e != ERR_OK) {
        registered_free(g);
        return e;
    }
    if (g->n_requirements > 0)
        qsort(g->requirements, g->n_requirements, sizeof(*g->requirements),
              by_weight);
    *out = g;
    return ERR_OK;
}

void
registered_summary(const struct registered *g, struct summary *s)
{
    if (g == NULL)
        return;
    s->requirements = g->requirements;
    s->n_requirements = g->n_requirements;
    s->violations = g->violations;
    s->requirements_more = g->more_hosts;
    s->unseen = g->unseen;
    s->n_unseen = g->n_unseen;
    s->unseen_more = g->more_lines;
}
