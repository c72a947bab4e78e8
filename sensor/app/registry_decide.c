#include "sensor/app/registry.h"

#include <stdlib.h>

#include "sensor/app/registry_lines.h"
#include "sensor/app/registry_time.h"
#include "sensor/base/text.h"

static const struct decision {
    const char *word;
    enum action_kind kind;
    bool needs_reason;
    const char *done; /* what is told */
} decisions[] = {
    {"permit",    ACTION_PERMIT,    false, "permitted until"},
    {"return",    ACTION_RETURN,    true,  "returned"       },
    {"reject",    ACTION_REJECT,    true,  "rejected"       },
    {"suspend",   ACTION_SUSPEND,   true,  "suspended from" },
    {"reinstate", ACTION_REINSTATE, false, "reinstated"     },
    {"renew",     ACTION_RENEW,     false, "permitted until"},
    {"revoke",    ACTION_REVOKE,    true,  "revoked"        },
    {"withdraw",  ACTION_WITHDRAW,  false, "withdrawn"      },
    {"check",     ACTION_CHECK,     false, "checked"        },
    {"mail",      ACTION_MAIL,      false, "mail confirmed" },
};

static const struct decision *
find_decision(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(decisions); i++) {
        if (strcmp(decisions[i].word, word) == 0)
            return &decisions[i];
    }
    return NULL;
}

/* A renewal prolongs what there is. */
static ns_t
end_of_permit(const struct registry_call *c, const struct book_form *f,
              const struct action *a)
{
    ns_t from = c->now;

    for (size_t i = 0; a->kind == ACTION_RENEW && i < f->form.n_lines; i++) {
        ns_t until = f->lines[i]->dates.until;

        if (book_state_at(f->lines[i], c->now) != BOOK_ENDED && until > from)
            from = until;
    }
    return from + c->config->permit_for;
}

static bool
set_until(const struct registry_call *c, const struct book_form *f,
          struct action *a)
{
    bool takes = a->kind == ACTION_PERMIT || a->kind == ACTION_RENEW ||
                 a->kind == ACTION_SUSPEND;

    if (c->config->until != NULL)
        return takes && registry_time_read(span_str(c->config->until), c->now,
                                           &a->until);
    if (a->kind == ACTION_SUSPEND)
        a->until = c->now + c->config->notice;
    else if (takes)
        a->until = end_of_permit(c, f, a);
    return true;
}

static enum cli_exit
apply(struct registry_call *c, const struct decision *d, struct action *a)
{
    enum cli_exit code = CLI_EXIT_STORE;
    struct buf why;
    enum err e;

    buf_init(&why, 4096);
    e = registry_apply(c, a, &why);
    if (e == ERR_OK) {
        text_term(c->out, span_str(a->number));
        if (c->config->lines != NULL) {
            buf_str(c->out, " lines ");
            text_term(c->out, span_str(c->config->lines));
        }
        buf_printf(c->out, ": %s%s", c->config->dry_run ? "would be " : "",
                   d->done);
        if (a->until > 0) {
            buf_putc(c->out, ' ');
            registry_time_show(a->until, c->config->utc, c->out);
        }
        buf_putc(c->out, '\n');
        code = CLI_EXIT_DONE;
    } else if (why.n > 0) {
        code = registry_refuse(c, CLI_EXIT_REFUSED, &why);
    }
    buf_free(&why);
    return code;
}

static enum cli_exit
check_lines(struct registry_call *c, const struct book_form *f,
            const struct action *a)
{
    for (size_t i = 0; i < a->n_lines; i++) {
        if (book_line(f, a->lines[i]) == NULL) {
            buf_str(c->messages, "span25: form '");
            text_term(c->messages, span_str(f->form.number));
            buf_printf(c->messages, "' has no line %u\n", a->lines[i]);
            return CLI_EXIT_USAGE;
        }
    }
    return CLI_EXIT_DONE;
}

static enum cli_exit
decide(struct registry_call *c, const struct decision *d,
       const struct book_form *f)
{
    struct action a = {.kind = d->kind,
                       .number = f->form.number,
                       .reason = c->config->reason,
                       .reference = c->config->reference};
    uint32_t *lines = NULL;
    enum cli_exit code;

    if (c->config->lines != NULL &&
        !registry_lines_read(c->config->lines, &lines, &a.n_lines))
        return registry_say_value(c, CLI_EXIT_USAGE,
                                  "--lines: ", c->config->lines,
                                  " is not a list of lines such as 1,2");
    a.lines = lines;
    code = check_lines(c, f, &a);
    if (code == CLI_EXIT_DONE && !set_until(c, f, &a))
        code =
            registry_say_value(c, CLI_EXIT_USAGE, "--until: ", c->config->until,
                               " is not a time that this action takes");
    if (code == CLI_EXIT_DONE && d->needs_reason && a.reason == NULL)
        code = registry_say_value(c, CLI_EXIT_REFUSED, "", d->word,
                                  " needs --reason; nothing was changed");
    if (code == CLI_EXIT_DONE)
        code = apply(c, d, &a);
    free(lines);
    return code;
}

enum cli_exit
registry_decide(struct registry_call *c)
{
    const char *number = c->cli->arguments[0];
    const struct decision *d = find_decision(c->cli->arguments[1]);
    const struct book_form *f = book_find(c->book, number);

    if (d == NULL)
        return registry_say_value(
            c, CLI_EXIT_USAGE, "", c->cli->arguments[1],
            " is not one of permit|return|reject|suspend|reinstate|renew|"
            "revoke|withdraw|check|mail");
    if (f == NULL)
        return registry_say_value(c, CLI_EXIT_USAGE, "there is no form ",
                                  number, "");
    return decide(c, d, f);
}
