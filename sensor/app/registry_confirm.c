#include "sensor/app/registry.h"

#include <stdlib.h>

#include "rules/registry/permits_read.h"
#include "sensor/base/text.h"

#define FILE_MAX     (256U << 20)
#define UNKNOWN_TOLD 1000 /* the others are counted */

/* What of a list is about one port, joined. */
struct part {
    uint32_t port; /* or PERMITS_ANY_PORT */
    struct permits_range *v;
    size_t n;
};

/* What of it is about one direction, by port. */
struct parts {
    struct part *v;
    size_t n;
    struct permits_range *ranges; /* of all of them */
};

struct work {
    struct registry_call *call;
    struct permits_list found;
    struct permits wanted;
    struct parts send, receive;
    size_t entered, lost, unknown;
};

static void
put_range(const struct permits_range *r, struct buf *out)
{
    char text[ADDR_TEXT_MAX];

    buf_put(out, text, addr_format(&r->first, text));
    if (addr_cmp(&r->first, &r->last) == 0)
        return;
    buf_putc(out, '-');
    buf_put(out, text, addr_format(&r->last, text));
}

/* ---- the list by port ---- */

static int
by_port(const void *a, const void *b)
{
    const struct permits_found *x = *(const struct permits_found *const *)a;
    const struct permits_found *y = *(const struct permits_found *const *)b;

    return (x->port > y->port) - (x->port < y->port);
}

static size_t
sort_found(const struct permits_list *found, enum form_use use,
           const struct permits_found **out)
{
    size_t n = 0;

    for (size_t i = 0; i < found->n; i++) {
        if ((found->v[i].use & use) != 0)
            out[n++] = &found->v[i];
    }
    if (n > 0)
        qsort(out, n, sizeof(*out), by_port);
    return n;
}

static void
make_parts(const struct permits_found *const *sorted, size_t n,
           struct parts *out)
{
    for (size_t i = 0; i < n;) {
        struct part *p = &out->v[out->n++];

        *p = (struct part){sorted[i]->port, out->ranges + i, 0};
        for (; i < n && sorted[i]->port == p->port; i++)
            p->v[p->n++] = sorted[i]->range;
        p->n = permits_join(p->v, p->n);
    }
}

static bool
parts_init(const struct permits_list *found, enum form_use use,
           struct parts *out)
{
    const struct permits_found **sorted =
        calloc(found->n + 1, sizeof(struct permits_found *));

    *out = (struct parts){calloc(found->n + 1, sizeof(*out->v)), 0,
                          calloc(found->n + 1, sizeof(*out->ranges))};
    if (sorted != NULL && out->v != NULL && out->ranges != NULL)
        make_parts(sorted, sort_found(found, use, sorted), out);
    free(sorted);
    return sorted != NULL && out->v != NULL && out->ranges != NULL;
}

static void
parts_fini(struct parts *p)
{
    free(p->v);
    free(p->ranges);
}

static struct part
find_part(const struct parts *p, uint32_t port)
{
    size_t from = 0;
    size_t to = p->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (p->v[middle].port < port)
            from = middle + 1;
        else
            to = middle;
    }
    return from < p->n && p->v[from].port == port
               ? p->v[from]
               : (struct part){port, NULL, 0};
}

/* ---- lines ---- */

/* Is every range that the permits of this line make in the list? Both ways of
 * it, and at least one range. */
struct look {
    const struct book_line *line;
    size_t ranges, there;
};

static bool
is_line(const struct permit *p, const struct form_line *l, enum form_use use)
{
    return p->port == l->port && (p->use & l->use & use) != 0 &&
           p->prefix.bits == l->prefix.bits &&
           addr_cmp(&p->prefix.addr, &l->prefix.addr) == 0;
}

static size_t
first_of_port(const struct permits *p, uint16_t port)
{
    size_t from = 0;
    size_t to = p->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (p->v[middle].port < port)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* Permits of a port stand by address: those of a line are within its prefix. */
static void
look_at(const struct work *w, struct look *k, enum form_use use,
        const struct parts *parts)
{
    const struct form_line *l = k->line->line;
    struct part own_port = find_part(parts, l->port);
    struct part any = find_part(parts, PERMITS_ANY_PORT);
    struct permits_range own = permits_range_of(&l->prefix);
    size_t from = first_of_port(&w->wanted, l->port);
    size_t to = w->wanted.n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const struct permit *p = &w->wanted.v[middle];

        if (p->port == l->port && addr_cmp(&p->first, &own.first) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    for (size_t i = from; i < w->wanted.n; i++) {
        const struct permit *p = &w->wanted.v[i];
        struct permits_range r = {p->first, p->last};

        if (p->port != l->port || addr_cmp(&p->first, &own.last) > 0)
            break;
        if (!is_line(p, l, use))
            continue;
        k->ranges++;
        k->there += permits_cover(own_port.v, own_port.n, any.v, any.n, &r);
    }
}

/* Line numbers of a form that an action is for. */
struct pick {
    uint32_t *enter, *lose;
    size_t n_enter, n_lose;
};

static enum err
act(struct work *w, const struct form *f, enum action_kind kind,
    const uint32_t *lines, size_t n, struct buf *why)
{
    struct action a = {
        .kind = kind, .number = f->number, .lines = lines, .n_lines = n};

    if (n == 0)
        return ERR_OK;
    text_term(w->call->out, span_str(f->number));
    buf_str(w->call->out,
            kind == ACTION_ENTER ? ": entered, line" : ": lost, line");
    for (size_t i = 0; i < n && i < 20; i++)
        buf_printf(w->call->out, " %u", lines[i]);
    buf_str(w->call->out, n > 20 ? " ...\n" : "\n");
    return registry_apply(w->call, &a, why);
}

static void
pick_line(const struct work *w, const struct book_line *l, struct pick *pick)
{
    struct look k = {.line = l};

    if (!l->line->readable || book_state_at(l, w->call->now) != BOOK_PERMITTED)
        return;
    look_at(w, &k, FORM_SEND, &w->send);
    look_at(w, &k, FORM_RECEIVE, &w->receive);
    if (k.ranges > 0 && k.there == k.ranges && l->dates.entered == 0)
        pick->enter[pick->n_enter++] = l->line->number;
    else if (k.there < k.ranges && l->dates.entered != 0)
        pick->lose[pick->n_lose++] = l->line->number;
}

static enum err
confirm_form(struct work *w, const struct book_form *form, struct buf *why)
{
    size_t n = form->form.n_lines;
    struct pick pick = {calloc(n + 1, sizeof(uint32_t)),
                        calloc(n + 1, sizeof(uint32_t)), 0, 0};
    enum err e = pick.enter != NULL && pick.lose != NULL ? ERR_OK : ERR_NOMEM;

    for (size_t i = 0; e == ERR_OK && i < n; i++)
        pick_line(w, form->lines[i], &pick);
    if (e == ERR_OK)
        e = act(w, &form->form, ACTION_ENTER, pick.enter, pick.n_enter, why);
    if (e == ERR_OK)
        e = act(w, &form->form, ACTION_LOSE, pick.lose, pick.n_lose, why);
    w->entered += pick.n_enter;
    w->lost += pick.n_lose;
    free(pick.enter);
    free(pick.lose);
    return e;
}

/* ---- entries that nothing stands for ---- */

static bool
tell_unknown(struct work *w)
{
    struct permits_range *all = calloc(w->wanted.n + 1, sizeof(*all));
    size_t n;

    if (all == NULL)
        return false;
    for (size_t i = 0; i < w->wanted.n; i++)
        all[i] =
            (struct permits_range){w->wanted.v[i].first, w->wanted.v[i].last};
    n = permits_join(all, w->wanted.n);
    for (size_t i = 0; i < w->found.n; i++) {
        const struct permits_found *f = &w->found.v[i];

        if (permits_covers(all, n, &f->range))
            continue;
        if (++w->unknown > UNKNOWN_TOLD)
            continue;
        buf_str(w->call->messages, "no permit: ");
        put_range(&f->range, w->call->messages);
        buf_putc(w->call->messages, '\n');
    }
    free(all);
    return true;
}

static enum err
compare(struct work *w, struct buf *why)
{
    struct registry_call *c = w->call;
    enum err e = permits_collect(c->book, c->now, FORM_BOTH, &w->wanted);

    if (e == ERR_OK && (!parts_init(&w->found, FORM_SEND, &w->send) ||
                        !parts_init(&w->found, FORM_RECEIVE, &w->receive)))
        e = ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < book_n_forms(c->book); i++)
        e = confirm_form(w, book_form_at(c->book, i), why);
    if (e == ERR_OK && !tell_unknown(w))
        e = ERR_NOMEM;
    return e;
}

/* What is not in the list counts as lost: so it must be a whole list. */
static const char *
unsafe(const struct work *w)
{
    if (w->found.full)
        return "the list is too long: its end is missing";
    if (w->found.n == 0 && w->lost > 0 && !w->call->config->allow_empty)
        return "the list has no entry: every line in it would count as lost; "
               "--allow-empty takes it so";
    return NULL;
}

static enum cli_exit
confirm(struct work *w)
{
    struct registry_call *c = w->call;
    struct buf why;
    enum err e;
    enum cli_exit code;

    buf_init(&why, 4096);
    e = compare(w, &why);
    if (e == ERR_OK && unsafe(w) != NULL) {
        buf_str(&why, unsafe(w));
        e = ERR_USAGE;
    }
    if (e != ERR_OK) {
        buf_reset(c->out);
        if (why.n == 0)
            buf_str(&why, err_text(e));
        code =
            registry_refuse(c,
                            e == ERR_USAGE || e == ERR_LIMIT ? CLI_EXIT_REFUSED
                            : e == ERR_NOMEM                 ? CLI_EXIT_FAILED
                                                             : CLI_EXIT_STORE,
                            &why);
    } else {
        buf_printf(c->out,
                   "%zu entries: %zu lines entered, %zu lost, %zu entries "
                   "without a permit, %zu not understood%s\n",
                   w->found.n, w->entered, w->lost, w->unknown, w->found.faulty,
                   c->config->dry_run ? ": nothing was changed" : "");
        code =
            w->unknown + w->found.faulty > 0 ? CLI_EXIT_PARTIAL : CLI_EXIT_DONE;
    }
    buf_free(&why);
    permits_fini(&w->wanted);
    parts_fini(&w->send);
    parts_fini(&w->receive);
    return code;
}

enum cli_exit
registry_confirm(struct registry_call *c)
{
    const char *name = c->cli->arguments[0];
    enum cli_exit code = CLI_EXIT_FAILED;
    struct work w = {.call = c};
    struct buf text;
    enum err e;

    buf_init(&text, FILE_MAX);
    if (registry_load(c, name, &text) == ERR_OK) {
        e = permits_read(buf_view(&text), name, &w.found, c->messages);
        if (e == ERR_OK)
            code = confirm(&w);
        else
            code = e == ERR_FORMAT ? CLI_EXIT_USAGE : CLI_EXIT_FAILED;
        permits_list_fini(&w.found);
    }
    buf_free(&text);
    return code;
}
