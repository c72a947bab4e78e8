#include "sensor/app/registry.h"

#include "rules/registry/form_file.h"
#include "sensor/app/registry_forms.h"
#include "sensor/app/registry_submit.h"
#include "sensor/app/registry_time.h"
#include "sensor/base/text.h"

#define FILE_MAX (64U << 20)

ns_t
registry_submit_protect(const struct registry_call *c)
{
    ns_t day;

    if (c->config->deadline == NULL ||
        !registry_time_read(span_str(c->config->deadline), 0, &day) ||
        c->now >= day)
        return 0;
    return __builtin_add_overflow(day, c->config->protect, &day) ? UINT64_MAX
                                                                 : day;
}

void
registry_submit_fault(void *ctx, const struct form_fault *fault)
{
    struct registry_call *c = ctx;
    const struct form_row *row = &form_rows[fault->field];

    buf_str(c->messages, fault->asks ? "question: " : "missing: ");
    if (fault->line > 0)
        buf_printf(c->messages, "line %u: ", fault->line);
    buf_printf(c->messages, "%s (%s): %s", row->label, row->path, fault->what);
    if (fault->hint != NULL)
        buf_printf(c->messages, ", %s", fault->hint);
    buf_putc(c->messages, '\n');
}

static void
tell(struct registry_call *c, const struct form *f, bool complete)
{
    const struct book_form *form = book_find(c->book, f->number);
    ns_t due = 0;

    text_term(c->out, span_str(f->number));
    buf_printf(c->out, ": %s, ",
               c->config->dry_run ? "would be received" : "received");
    for (size_t i = 0; form != NULL && i < form->form.n_lines; i++) {
        struct clock clock = book_clock_at(form->lines[i], c->now);
        ns_t at = clock_due(&clock);

        due = at > 0 && (due == 0 || at < due) ? at : due;
    }
    if (due > 0) {
        buf_str(c->out, "due ");
        registry_time_show(due, c->config->utc, c->out);
    } else {
        buf_str(c->out, !complete ? "not complete: the clock does not run"
                        : form == NULL || form->complete
                            ? "no clock runs"
                            : "the clock does not run: an earlier line of the "
                              "form is not complete; correct it by its number, "
                              "or withdraw it");
    }
    buf_putc(c->out, '\n');
}

/* The number of another's form, mistaken or not, would change that one. */
static void
ask_site(struct registry_call *c, const struct form *f)
{
    const struct book_form *there =
        f->number[0] != 0 ? book_find(c->book, f->number) : NULL;
    const char *site = there != NULL ? there->form.text[FORM_SITE] : NULL;
    const char *now = f->text[FORM_SITE] != NULL ? f->text[FORM_SITE] : "";

    if (site == NULL || strcmp(site, now) == 0)
        return;
    buf_printf(c->messages, "question: %s (%s): form ",
               form_rows[FORM_SITE].label, form_rows[FORM_SITE].path);
    text_term(c->messages, span_str(f->number));
    buf_str(c->messages, " was that of '");
    text_term(c->messages, span_str(site));
    buf_str(c->messages, "', is it the same site?\n");
}

static enum cli_exit
submit(struct registry_call *c, struct form *f)
{
    struct action a = {.kind = ACTION_SUBMIT, .form = f};
    struct buf why;
    size_t missing;
    enum err e;

    ask_site(c, f);
    registry_forms_number(c->book, c->now, f);
    a.number = f->number;
    a.until = registry_submit_protect(c);
    missing = form_check(f, c->now, registry_submit_fault, c);
    buf_init(&why, 4096);
    e = registry_apply(c, &a, &why);
    if (e == ERR_USAGE || e == ERR_LIMIT) {
        enum cli_exit code = registry_refuse(c, CLI_EXIT_REFUSED, &why);

        buf_free(&why);
        return code;
    }
    buf_free(&why);
    if (e != ERR_OK)
        return CLI_EXIT_STORE;
    tell(c, f, missing == 0);
    return missing == 0 ? CLI_EXIT_DONE : CLI_EXIT_PARTIAL;
}

enum cli_exit
registry_submit(struct registry_call *c)
{
    const char *name = c->cli->arguments[0];
    enum cli_exit code = CLI_EXIT_FAILED;
    struct forms forms;
    struct buf text;
    enum err e;

    buf_init(&text, FILE_MAX);
    e = registry_load(c, name, &text);
    if (e == ERR_OK) {
        e = form_file_read(buf_view(&text), name, &forms, c->messages);
        code = e == ERR_FORMAT ? CLI_EXIT_USAGE : CLI_EXIT_FAILED;
        if (e == ERR_OK && forms.n != 1)
            code = registry_say_value(
                c, CLI_EXIT_USAGE, "", name,
                forms.n == 0 ? " holds no form"
                             : " holds several forms; use registry import");
        else if (e == ERR_OK)
            code = submit(c, &forms.v[0]);
        forms_fini(&forms);
    }
    buf_free(&text);
    return code;
}
