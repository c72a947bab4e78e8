#include "sensor/app/registry.h"

#include <stdlib.h>

#include "rules/registry/permits_read.h"
#include "sensor/base/text.h"

#define FILE_MAX (256U << 20)

/* What of a list is about one direction and port, joined. */
struct part {
    struct permits_range *v;
    size_t n;
};

struct work {
    struct registry_call *call;
    struct permits_list found;
    struct permits wanted;
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

static bool
is_for(const struct permits_found *f, enum form_use use, uint16_t port)
{
    return (f->use & use) != 0 &&
           (f->port == PERMITS_ANY_PORT || f->port == port);
}

static bool
part_of(const struct work *w, enum form_use use, uint16_t port,
        struct part *out)
{
    *out = (struct part){calloc(w->found.n + 1, sizeof(*out->v)), 0};
    if (out->v == NULL)
        return false;
    for (size_t i = 0; i < w->found.n; i++) {
        if (is_for(&w->found.v[i], use, port))
            out->v[out->n++] = w->found.v[i].range;
    }
    out->n = permits_join(out->v, out->n);
    return true;
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
        const struct part *part)
{
    const struct form_line *l = k->line->line;
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
        k->there += permits_covers(part->v, part->n, &r);
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

/* Parts by direction, for the port asked for last: ports come in runs. */
struct parts {
    struct part send, receive;
    uint32_t port;
};

static void
parts_free(struct parts *p)
{
    free(p->send.v);
    free(p->receive.v);
    *p = (struct parts){.port = PERMITS_ANY_PORT};
}

static bool
parts_for(const struct work *w, uint16_t port, struct parts *p)
{
    if (p->port == port)
        return true;
    parts_free(p);
    if (!part_of(w, FORM_SEND, port, &p->send) ||
        !part_of(w, FORM_RECEIVE, port, &p->receive))
        return false;
    p->port = port;
    return true;
}

static bool
pick_line(const struct work *w, const struct book_line *l, struct parts *parts,
          struct pick *pick)
{
    struct look k = {.line = l};

    if (!l->line->readable || book_state_at(l, w->call->now) != BOOK_PERMITTED)
        return true;
    if (!parts_for(w, l->line->port, parts))
        return false;
    look_at(w, &k, FORM_SEND, &parts->send);
    look_at(w, &k, FORM_RECEIVE, &parts->receive);
    if (k.ranges > 0 && k.there == k.ranges && l->dates.entered == 0)
        pick->enter[pick->n_enter++] = l->line->number;
    else if (k.there < k.ranges && l->dates.entered != 0)
        pick->lose[pick->n_lose++] = l->line->number;
    return true;
}

static enum err
confirm_form(struct work *w, const struct book_form *form, struct parts *parts,
             struct buf *why)
{
    size_t n = form->form.n_lines;
    struct pick pick = {calloc(n + 1, sizeof(uint32_t)),
                        calloc(n + 1, sizeof(uint32_t)), 0, 0};
    enum err e = pick.enter != NULL && pick.lose != NULL ? ERR_OK : ERR_NOMEM;

    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        if (!pick_line(w, form->lines[i], parts, &pick))
            e = ERR_NOMEM;
    }
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
    struct part all = {calloc(w->wanted.n + 1, sizeof(*all.v)), 0};

    if (all.v == NULL)
        return false;
    for (size_t i = 0; i < w->wanted.n; i++)
        all.v[i] =
            (struct permits_range){w->wanted.v[i].first, w->wanted.v[i].last};
    all.n = permits_join(all.v, w->wanted.n);
    for (size_t i = 0; i < w->found.n; i++) {
        const struct permits_found *f = &w->found.v[i];

        if (permits_covers(all.v, all.n, &f->range))
            continue;
        w->unknown++;
        buf_str(w->call->messages, "no permit: ");
        put_range(&f->range, w->call->messages);
        buf_putc(w->call->messages, '\n');
    }
    free(all.v);
    return true;
}

static enum cli_exit
confirm(struct work *w)
{
    struct registry_call *c = w->call;
    struct parts parts = {.port = PERMITS_ANY_PORT};
    struct buf why;
    enum err e = permits_collect(c->book, c->now, FORM_BOTH, &w->wanted);
    enum cli_exit code;

    buf_init(&why, 4096);
    for (size_t i = 0; e == ERR_OK && i < book_n_forms(c->book); i++)
        e = confirm_form(w, book_form_at(c->book, i), &parts, &why);
    if (e == ERR_OK && !tell_unknown(w))
        e = ERR_NOMEM;
    parts_free(&parts);
    if (e != ERR_OK) {
        buf_reset(c->out);
        if (why.n == 0)
            buf_str(&why, err_text(e));
        code = registry_refuse(
            c, e == ERR_USAGE ? CLI_EXIT_REFUSED : CLI_EXIT_FAILED, &why);
    } else {
        buf_printf(c->out,
                   "%zu entries: %zu lines entered, %zu lost, %zu entries "
                   "without a permit, %zu not understood%s\n",
                   w->found.n, w->entered, w->lost, w->unknown, w->found.faulty,
                   c->config->dry_run ? ": nothing was changed" : "");
        code = w->unknown + w->found.faulty > 0 || w->found.full
                   ? CLI_EXIT_PARTIAL
                   : CLI_EXIT_DONE;
    }
    buf_free(&why);
    permits_fini(&w->wanted);
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
