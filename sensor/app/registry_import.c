#include "sensor/app/registry.h"

#include "rules/registry/form_diff.h"
#include "rules/registry/form_file.h"
#include "sensor/app/registry_forms.h"
#include "sensor/app/registry_submit.h"

struct count {
    size_t added, changed, same, lines;
};

/* Gives lines that have no numbers those of `as`, by place; or takes them. */
static void
number_as(struct form *f, const struct form *as)
{
    for (size_t i = 0; i < f->n_lines; i++)
        f->lines[i].number = as != NULL ? as->lines[i].number : 0;
}

static bool
has_numbers(const struct form *f)
{
    size_t i = 0;

    while (i < f->n_lines && f->lines[i].number == 0)
        i++;
    return i < f->n_lines;
}

/* What is there already, and how: an import may be done twice. */
static bool
is_same(const struct registry_call *c, struct form *f)
{
    const struct book_form *there =
        f->number[0] != 0 ? book_find(c->book, f->number) : NULL;
    bool same;

    if (there == NULL || there->form.n_lines != f->n_lines || has_numbers(f))
        return there != NULL && form_equal(&there->form, f);
    number_as(f, &there->form);
    same = form_equal(&there->form, f);
    number_as(f, NULL);
    return same;
}

/* A list without numbers is told by its addresses: what is permitted for any
 * port and both ways need not be permitted again. */
static bool
is_permitted(const struct registry_call *c, const struct form_line *l)
{
    const struct addr *a = &l->prefix.addr;
    struct book_verdict v = book_judge(c->book, a, 0, FORM_SEND, c->now);

    return v.line != NULL && v.state == BOOK_PERMITTED &&
           v.line->line->port == 0 && v.line->line->use == FORM_BOTH &&
           v.line->line->prefix.bits == l->prefix.bits &&
           addr_cmp(&v.line->line->prefix.addr, a) == 0;
}

static void
drop_permitted(struct registry_call *c, struct form *f)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->n_lines; i++) {
        struct form_line *l = &f->lines[i];

        if (l->readable && is_permitted(c, l))
            form_line_fini(l);
        else
            f->lines[kept++] = *l;
    }
    f->n_lines = kept;
}

/* What the form would change; lines that it does not have stay. */
static enum err
tell_form(struct registry_call *c, const struct form *f,
          const struct book_form *there)
{
    const struct form *from = there != NULL ? &there->form : NULL;
    const struct form_set old = {&from, there != NULL};
    const struct form_set new = {&f, 1};
    struct form_diff count;

    return form_diff(old, new, false, &count, c->out);
}

static enum err
permit(struct registry_call *c, const struct form *f, struct buf *why)
{
    struct action a = {.kind = ACTION_PERMIT, .number = f->number};
    const struct book_form *form = book_find(c->book, f->number);

    for (size_t i = 0; form != NULL && i < form->form.n_lines; i++) {
        if (form->form.lines[i].readable &&
            book_state_at(form->lines[i], c->now) == BOOK_REQUESTED) {
            a.until = c->now + c->config->permit_for;
            return registry_apply(c, &a, why);
        }
    }
    return ERR_OK;
}

static enum err
import_form(struct registry_call *c, struct form *f, bool short_list,
            struct count *n, struct buf *why)
{
    struct action a = {.kind = ACTION_SUBMIT, .form = f};
    const struct book_form *there =
        f->number[0] != 0 ? book_find(c->book, f->number) : NULL;
    const bool is_new = there == NULL;
    enum err e = ERR_OK;

    (void)form_check(f, c->now, NULL, NULL);
    if (short_list)
        drop_permitted(c, f);
    if (is_same(c, f) || (short_list && f->n_lines == 0)) {
        n->same++;
        return ERR_OK;
    }
    registry_forms_number(c->book, c->now, f);
    if (c->config->dry_run)
        e = tell_form(c, f, there);
    a.number = f->number;
    a.until = registry_submit_protect(c);
    if (e == ERR_OK)
        e = registry_apply(c, &a, why);
    if (e == ERR_OK && (short_list || c->config->permitted))
        e = permit(c, f, why);
    n->added += is_new;
    n->changed += !is_new;
    n->lines += f->n_lines;
    return e;
}

static enum cli_exit
import(struct registry_call *c, struct forms *forms)
{
    struct count n = {0};
    struct buf why;
    enum err e = book_index(c->book);
    enum cli_exit code = CLI_EXIT_DONE;

    buf_init(&why, 4096);
    for (size_t i = 0; e == ERR_OK && i < forms->n; i++)
        e = import_form(c, &forms->v[i], forms->short_list, &n, &why);
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
                   "%zu new, %zu changed, %zu unchanged forms, %zu lines%s\n",
                   n.added, n.changed, n.same, n.lines,
                   c->config->dry_run ? ": nothing was changed" : "");
    }
    buf_free(&why);
    return code;
}

enum cli_exit
registry_import(struct registry_call *c)
{
    const char *name = c->cli->arguments[0];
    enum cli_exit code = CLI_EXIT_FAILED;
    struct forms forms;
    struct buf text;
    enum err e;

    buf_init(&text, FORM_FILE_MAX);
    if (registry_load(c, name, &text) == ERR_OK) {
        e = form_file_read(buf_view(&text), name, &forms, c->messages);
        if (e == ERR_OK)
            code = import(c, &forms);
        else if (e == ERR_FORMAT)
            code = CLI_EXIT_USAGE;
        else
            code = registry_say(c, CLI_EXIT_FAILED, err_text(e));
        forms_fini(&forms);
    }
    buf_free(&text);
    return code;
}
