#include "sensor/app/study.h"

#include "sensor/app/caller.h"
#include "sensor/app/study_compare_show.h"
#include "sensor/app/study_file.h"
#include "sensor/base/text.h"

struct task {
    const struct cli *c;
    struct buf *out, *messages;
    struct study_json *before, *after;
    struct compare compare;
};

static enum cli_exit
refuse(const struct task *t)
{
    buf_str(t->messages, "span25: ");
    text_term(t->messages, span_str(t->c->arguments[0]));
    buf_str(t->messages, " and ");
    text_term(t->messages, span_str(t->c->arguments[1]));
    buf_printf(t->messages, " cannot be compared: %s\n",
               compare_why_text(t->compare.why));
    return CLI_EXIT_REFUSED;
}

static enum cli_exit
show(const struct task *t)
{
    const struct study_compare_view v = {
        .before = study_json_result(t->before),
        .after = study_json_result(t->after),
        .c = &t->compare,
        .width = (unsigned)caller_columns(),
    };

    if (t->compare.why != COMPARE_FINE)
        return refuse(t);
    if (t->c->config.json)
        study_compare_json(&v, t->out);
    else
        study_compare_text(&v, t->out);
    return CLI_EXIT_DONE;
}

enum cli_exit
study_run_compare(const struct cli *c, struct buf *out, struct buf *messages)
{
    struct task t = {.c = c, .out = out, .messages = messages};
    enum err e = study_file_load(c->arguments[0], &t.before, messages);
    enum cli_exit code;

    if (e == ERR_OK)
        e = study_file_load(c->arguments[1], &t.after, messages);
    if (e == ERR_OK)
        e = compare_of(study_json_result(t.before), study_json_result(t.after),
                       &t.compare);
    code = e == ERR_OK ? show(&t) : cli_exit_of(e);
    if (e != ERR_OK && messages->n == 0)
        buf_printf(messages, "span25: %s\n", err_text(e));
    compare_free(&t.compare);
    study_json_free(t.before);
    study_json_free(t.after);
    return code;
}
