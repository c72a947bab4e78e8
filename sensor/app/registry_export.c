#include "sensor/app/registry.h"

#include "rules/registry/permits.h"
#include "sensor/base/text.h"

#define LIST_MAX (1U << 30)

/* The words of --direction, in the order of its row. */
static const enum form_use ways[] = {FORM_SEND, FORM_RECEIVE, FORM_BOTH};

static enum cli_exit
check(struct registry_call *c, const struct permits *p)
{
    struct permits_all all;

    if (permits_find_all(p, &all) != ERR_OK)
        return registry_say(c, CLI_EXIT_FAILED, err_text(ERR_NOMEM));
    if (p->n == 0 && !c->config->allow_empty)
        return registry_say(c, CLI_EXIT_REFUSED,
                            "no permit is in force: a list without an entry "
                            "would stop everybody; --allow-empty prints it");
    if (all.permit == NULL)
        return CLI_EXIT_DONE;
    buf_str(c->messages, "span25: form '");
    text_term(c->messages, span_str(all.permit->line->form->form.number));
    buf_printf(c->messages, "' line %u %s every address: no list is printed\n",
               all.permit->line->line->number,
               all.alone ? "permits" : "and others together permit");
    return CLI_EXIT_REFUSED;
}

enum cli_exit
registry_export(struct registry_call *c)
{
    struct permits p;
    struct buf text;
    enum err e = permits_collect(c->book, c->now, ways[c->config->way], &p);
    enum cli_exit code;

    if (e != ERR_OK) {
        permits_fini(&p);
        return registry_say(c, CLI_EXIT_FAILED, err_text(e));
    }
    code = check(c, &p);
    if (code == CLI_EXIT_DONE) {
        buf_init(&text, LIST_MAX);
        permits_write(&p, (enum permits_format)c->config->format, c->now,
                      &text);
        code = registry_save(c, c->config->saved, &text);
        buf_free(&text);
    }
    permits_fini(&p);
    return code;
}
