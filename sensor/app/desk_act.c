#include "sensor/app/desk_alerts.h"

#include "sensor/base/text.h"

/* What a verb writes, and what is said of it. */
static const struct act {
    enum verb verb;
    enum desk_status status;
    const char *action, *done;
} acts[] = {
    {VERB_ALERTS_ACK,      DESK_ACK,       "ack",       "acknowledged"},
    {VERB_ALERTS_ESCALATE, DESK_ESCALATED, "escalate",  "escalated"   },
    {VERB_ALERTS_CLOSE,    DESK_CLOSED,    "close",     "closed"      },
    {VERB_ALERTS_REOPEN,   DESK_NEW,       DESK_REOPEN, "opened again"},
};

static const struct act *
act_of(enum verb verb)
{
    size_t i = 0;

    while (acts[i].verb != verb)
        i++;
    return &acts[i];
}

/* A word of the list, or of reopen a sentence. */
static const char *
reason_of(const struct config *c)
{
    return c->close_reason != NULL ? c->close_reason : c->except_reason;
}

static enum cli_exit
check(struct desk *d, const struct act *act)
{
    const struct config *c = d->config;

    if ((d->cli->n_arguments > 0) == c->all_matching)
        return desk_say(d, CLI_EXIT_USAGE,
                        "either ids are needed, or --all-matching");
    if (reason_of(c) == NULL && act->status == DESK_CLOSED)
        return desk_say(d, CLI_EXIT_REFUSED,
                        "alerts close needs --reason; nothing was changed");
    if (reason_of(c) == NULL && act->status == DESK_NEW)
        return desk_say(d, CLI_EXIT_REFUSED,
                        "alerts reopen needs --reason; nothing was changed");
    if (c->close_reason == NULL)
        return CLI_EXIT_DONE;
    if (desk_reason_find(span_str(c->close_reason)) == NULL)
        return desk_say_value(d, CLI_EXIT_USAGE,
                              "--reason: ", span_str(c->close_reason),
                              " is not one of compromised-host, misuse, "
                              "misconfiguration, legitimate-bulk, test, "
                              "not-ours, duplicate, not-enough-evidence");
    return CLI_EXIT_DONE;
}

static void
put_alert(struct buf *out, const struct desk_alert *a)
{
    buf_put(out, a->id, a->shown);
    buf_putc(out, ' ');
    text_term(out, span_str(a->subject));
    buf_str(out, ": ");
}

/* One that is there already, or closed, or not closed where that is to be taken
 * back, is told: it keeps nobody from the others. */
static bool
is_needless(struct desk *d, const struct act *act, const struct desk_alert *a)
{
    bool closed = a->status == DESK_CLOSED;

    if (act->status == DESK_NEW ? closed : a->status != act->status && !closed)
        return false;
    put_alert(d->messages, a);
    if (act->status == DESK_NEW)
        buf_str(d->messages, "is not closed; nothing was changed\n");
    else
        buf_printf(d->messages, "is %s already; nothing was changed%s\n",
                   desk_status_word(a->status),
                   closed && act->status != DESK_CLOSED
                       ? "; alerts reopen opens it again"
                       : "");
    return true;
}

/* Not before the alert was opened: a history goes forward. */
static void
write_act(struct desk_writer *w, struct desk *d, const struct act *act,
          struct desk_alert *a)
{
    const struct config *c = d->config;
    struct record_out r;

    d->now = d->now > a->first ? d->now : a->first;
    record_init(&r);
    desk_begin(d, &r, "alert", act->action);
    if (reason_of(c) != NULL)
        record_text(&r, FIELD_CONTROL_REASON, reason_of(c));
    record_text(&r, FIELD_CONTROL_ALERT, a->id);
    if (c->note != NULL)
        record_text(&r, FIELD_CONTROL_NOTE, c->note);
    if (a->rule[0] != '\0')
        record_text(&r, FIELD_CONTROL_RULE, a->rule);
    desk_tell(w, &r);
    record_free(&r);
    a->status = act->status; /* the same id may be named twice */
    put_alert(d->out, a);
    buf_printf(d->out, "%s%s\n", c->dry_run ? "would be " : "", act->done);
}

/* All ids are looked up before anything is written. */
static enum cli_exit
find_all(struct desk *d, const struct desk_alerts *a)
{
    enum cli_exit code = CLI_EXIT_DONE;

    for (size_t i = 0; i < d->cli->n_arguments; i++) {
        if (desk_alerts_find(d, a, span_str(d->cli->arguments[i])) == NULL)
            code = CLI_EXIT_USAGE;
    }
    return code;
}

static struct desk_alert *
named(struct desk *d, struct desk_alerts *a, size_t i)
{
    const struct desk_alert *it =
        desk_alerts_find(d, a, span_str(d->cli->arguments[i]));

    return it != NULL ? &a->v[it - a->v] : NULL;
}

static void
do_one(struct desk_writer *w, struct desk *d, const struct act *act,
       struct desk_alert *a)
{
    if (a != NULL && !is_needless(d, act, a))
        write_act(w, d, act, a);
}

static void
do_all(struct desk_writer *w, struct desk *d, const struct act *act,
       struct desk_alerts *a, ns_t since)
{
    for (size_t i = 0; i < d->cli->n_arguments; i++)
        do_one(w, d, act, named(d, a, i));
    for (size_t i = 0; d->config->all_matching && i < a->n; i++) {
        if (desk_alerts_wanted(d, &a->v[i], since))
            do_one(w, d, act, &a->v[i]);
    }
    if (d->config->all_matching && d->told == 0)
        (void)desk_say(d, CLI_EXIT_DONE, "no alert matches");
}

enum cli_exit
desk_alerts_act(struct desk *d)
{
    const struct act *act = act_of(d->cli->verb);
    enum cli_exit code = check(d, act);
    struct desk_writer *w = NULL;
    struct desk_alerts a;
    ns_t since;

    if (code != CLI_EXIT_DONE)
        return code;
    if (!desk_since(d, d->config->since, &since))
        return CLI_EXIT_USAGE;
    code = d->config->all_matching ? desk_alerts_read(d, &a)
                                   : desk_alerts_named(d, d->cli->arguments,
                                                       d->cli->n_arguments, &a);
    if (code == CLI_EXIT_DONE)
        code = find_all(d, &a);
    if (a.acted > d->now)
        d->now = a.acted;
    if (code == CLI_EXIT_DONE)
        code = desk_open(d, &w);
    if (code == CLI_EXIT_DONE)
        do_all(w, d, act, &a, since);
    code = desk_close(w, code);
    desk_alerts_fini(&a);
    return code;
}
