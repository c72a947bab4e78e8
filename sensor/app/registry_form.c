#include "sensor/app/registry.h"

#include "rules/registry/form_file.h"
#include "rules/registry/form_text.h"
#include "sensor/app/letter_link.h"

#define FORM_MAX    (1U << 30)
#define BLANK_LINES 6

static bool
ends_with(const char *path, const char *ending)
{
    struct span p = span_str(path != NULL ? path : "");
    struct span e = span_str(ending);

    return p.n > e.n && span_eq(span_tail(p, p.n - e.n), e);
}

/* Every key with its label, so that nobody has to look it up. */
static void
blank_scope(enum form_scope scope, const char *before, struct buf *out)
{
    for (unsigned i = 0; i < FORM_FIELD_COUNT; i++) {
        const struct form_row *row = &form_rows[i];

        if (row->scope != scope)
            continue;
        buf_printf(out, "%s%s: \"\" # %s%s%s%s\n", before, row->path,
                   row->must ? "* " : "", row->label,
                   row->help[0] != 0 ? ": " : "", row->help);
        before = scope == FORM_SCOPE_LINE ? "    " : before;
    }
}

static void
blank_yaml(struct buf *out)
{
    buf_str(out, "# Registration of mail servers; what has a star must be "
                 "there.\n");
    blank_scope(FORM_SCOPE_FORM, "", out);
    buf_str(out, "lines: # one for each address and port\n");
    blank_scope(FORM_SCOPE_LINE, "  - ", out);
}

static bool
write_form(const struct form *f, const char *path, struct buf *out)
{
    struct form_text text = {.form = f, .blank_lines = f ? 0 : BLANK_LINES};
    struct form blank;

    if (ends_with(path, ".html")) {
        form_text_html(&text, out);
        return true;
    }
    if (ends_with(path, ".txt")) {
        form_text_plain(&text, out);
        return true;
    }
    form_init(&blank);
    if (f == NULL && form_add_line(&blank) == NULL)
        return false;
    if (ends_with(path, ".csv")) {
        form_csv_head(out);
        form_csv_write(f != NULL ? f : &blank, out);
    } else if (f != NULL) {
        form_yaml_write(f, out);
    } else {
        blank_yaml(out);
    }
    form_fini(&blank);
    return true;
}

/* What the office sends its contact; a link in it is made anew each time. */
static enum cli_exit
write_receipt(struct registry_call *c, const struct book_form *f)
{
    char secret[DRAFTS_SECRET] = "";
    enum cli_exit code;
    struct buf text;
    enum err e = ERR_OK;

    if (book_mail(f) == 0)
        e = letter_link_mail(c->config, &f->form, c->now, secret);
    if (e != ERR_OK)
        return registry_say_value(c, cli_exit_of(e),
                                  "no link can be kept: ", err_text(e), "");
    buf_init(&text, LETTER_MAX);
    registry_receipt(c, f, secret, &text);
    code = text.cut || text.failed
               ? registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM))
               : registry_save(c, c->config->saved, &text);
    buf_free(&text);
    return code;
}

enum cli_exit
registry_form(struct registry_call *c)
{
    const struct book_form *f = NULL;
    const char *path = c->config->saved;
    enum cli_exit code;
    struct buf text;

    if (c->config->blank == (c->cli->n_arguments > 0))
        return registry_say(c, CLI_EXIT_USAGE,
                            "registry form needs a form's number or --blank");
    if (!c->config->blank) {
        f = book_find(c->book, c->cli->arguments[0]);
        if (f == NULL)
            return registry_say_value(c, CLI_EXIT_USAGE, "there is no form ",
                                      c->cli->arguments[0], "");
    }
    if (c->config->receipt) {
        if (f != NULL)
            return write_receipt(c, f);
        return registry_say(c, CLI_EXIT_USAGE,
                            "--receipt needs a form's number");
    }
    buf_init(&text, FORM_MAX);
    code = write_form(f != NULL ? &f->form : NULL, path, &text)
               ? registry_save(c, path, &text)
               : registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    buf_free(&text);
    return code;
}
