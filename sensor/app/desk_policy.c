/* desk_policy - what the policy is, and what people make of it
 *
 * It is folded from the control events of kind policy in the journal
 * (rules/decide/rollout.h), and changed by one more of them. */
#include "sensor/app/desk.h"
#include "sensor/app/desk_decide.h"
#include "sensor/app/policy_fold.h"
#include "sensor/app/registry_time.h"

/* ---- what is in force ---- */

static const struct registry_column columns[] = {
    {"WHAT",  "what"  },
    {"STATE", "state" },
    {"UNTIL", "until" },
    {"SINCE", "since" },
    {"BY",    "by"    },
    {"WHY",   "reason"},
};

static void
add(struct registry_table *t, const char *what, const char *state, ns_t until,
    const struct rollout_act *by)
{
    registry_table_text(t, what);
    registry_table_text(t, state);
    registry_table_time(t, until);
    registry_table_time(t, by->when);
    registry_table_text(t, by->actor[0] != '\0' ? by->actor : NULL);
    registry_table_text(t, by->reason[0] != '\0' ? by->reason : NULL);
}

static void
add_all(struct registry_table *t, const struct rollout *p, ns_t now)
{
    const bool paused = rollout_is_paused(p, now);
    const bool open = now < p->breaker;

    add(t, "mode", rollout_mode_word(p->all.mode), 0, &p->all.by);
    for (unsigned i = 0; i < ROLLOUT_RULES; i++) {
        const struct rollout_setting *s = &p->rule[i];

        if (s->by.when != 0)
            add(t, rollout_rule_word(i), rollout_mode_word(s->mode), 0, &s->by);
    }
    add(t, "pause", paused ? "paused" : "none", paused ? p->paused : 0,
        &p->paused_by);
    add(t, "breaker", open ? "open" : "closed", open ? p->breaker : 0,
        &p->breaker_by);
}

static const char *
meaning(enum rollout_mode m)
{
    switch (m) {
    case ROLLOUT_OFF:
        return "off: nothing is decided by itself, and nothing is stopped";
    case ROLLOUT_SIMULATE:
        return "simulate: it is told what would be stopped; nothing is";
    case ROLLOUT_ENFORCE:
        return "enforce: lists of this sensor stop what is decided";
    }
    return "";
}

enum cli_exit
desk_policy_show(struct desk *d)
{
    struct registry_table t;
    struct rollout p;
    enum cli_exit code;

    if (policy_fold(d->index, d->now, &p) != ERR_OK)
        return desk_say_index(d);
    registry_table_init(&t, columns, ARRAY_LEN(columns));
    add_all(&t, &p, d->now);
    code = desk_table(d, &t, "span25.policy.show", "");
    registry_table_fini(&t);
    if (code == CLI_EXIT_DONE && !d->config->json && !d->config->csv)
        buf_printf(d->out, "%s\n", meaning(rollout_now(&p, d->now)));
    return code;
}

/* ---- what people make of it ---- */

static const struct saying {
    enum verb verb;
    const char *action;
    const char *without; /* a reason */
} sayings[] = {
    {VERB_POLICY_MODE,   "mode",
     "policy mode needs --reason; nothing was changed"  },
    {VERB_POLICY_PAUSE,  "pause",
     "policy pause needs --reason; nothing was changed" },
    {VERB_POLICY_RESUME, "resume",
     "policy resume needs --reason; nothing was changed"},
};

static const struct saying *
saying_of(enum verb verb)
{
    size_t i = 0;

    while (sayings[i].verb != verb)
        i++;
    return &sayings[i];
}

static enum cli_exit
check_mode(struct desk *d)
{
    const struct span word = span_str(d->cli->arguments[0]);
    enum rollout_mode m;

    if (!rollout_mode_parse(word, &m))
        return desk_say_value(d, CLI_EXIT_USAGE, "", word,
                              " is not one of off, simulate, enforce");
    if (d->config->except_rule != NULL &&
        rollout_rule_find(span_str(d->config->except_rule)) == ROLLOUT_RULES)
        return desk_say_value(d, CLI_EXIT_USAGE,
                              "--rule: ", span_str(d->config->except_rule),
                              " is not one of s1, s1t, s2, s3, s4, s5, s6, s7; "
                              "other rules only alert");
    if (m == ROLLOUT_ENFORCE && !desk_is_sensors(d))
        return desk_say(d, CLI_EXIT_REFUSED,
                        "this is the state of captures: nothing of it is ever "
                        "enforced; nothing was changed");
    return CLI_EXIT_DONE;
}

static enum cli_exit
check_pause(struct desk *d, ns_t *until)
{
    const char *text = d->config->except_for;

    if (text == NULL)
        return desk_say(d, CLI_EXIT_USAGE, "policy pause needs --for TIME");
    if (!registry_time_read(span_str(text), d->now, until) || *until <= d->now)
        return desk_say_value(d, CLI_EXIT_USAGE, "--for: ", span_str(text),
                              " is not a time ahead, such as 30m");
    *until = *until / NS_PER_US * NS_PER_US;
    return CLI_EXIT_DONE;
}

static void
put_record(struct desk *d, const struct saying *s, ns_t until,
           struct record_out *r)
{
    desk_begin(d, r, "policy", s->action);
    record_text(r, FIELD_CONTROL_REASON, d->config->except_reason);
    if (d->config->except_rule != NULL)
        record_text(r, FIELD_CONTROL_RULE, d->config->except_rule);
    if (s->verb == VERB_POLICY_MODE)
        record_text(r, FIELD_CONTROL_MODE, d->cli->arguments[0]);
    if (until != 0)
        record_time(r, FIELD_CONTROL_UNTIL, until);
}

static enum cli_exit
tell(struct desk *d, const struct saying *s, ns_t until)
{
    struct desk_writer *w = NULL;
    enum cli_exit code = desk_open(d, &w);
    struct record_out r;

    if (code == CLI_EXIT_DONE) {
        record_init(&r);
        put_record(d, s, until, &r);
        desk_tell(w, &r);
        if (!desk_is_live(w))
            code = desk_decide(d, w, &r);
        record_free(&r);
    }
    return desk_close(w, code);
}

static void
put_done(struct desk *d, const struct saying *s, ns_t until)
{
    const struct config *c = d->config;

    buf_printf(d->out, "%spolicy %s", c->dry_run ? "would be: " : "",
               s->action);
    if (s->verb == VERB_POLICY_MODE)
        buf_printf(d->out, " %s", d->cli->arguments[0]);
    if (c->except_rule != NULL)
        buf_printf(d->out, " of %s", c->except_rule);
    if (until != 0) {
        buf_str(d->out, " until ");
        registry_time_show(until, c->utc, d->out);
    }
    buf_putc(d->out, '\n');
}

enum cli_exit
desk_policy_say(struct desk *d)
{
    const struct saying *s = saying_of(d->cli->verb);
    enum cli_exit code = CLI_EXIT_DONE;
    ns_t until = 0;

    if (d->config->except_reason == NULL)
        return desk_say(d, CLI_EXIT_REFUSED, s->without);
    if (s->verb == VERB_POLICY_MODE)
        code = check_mode(d);
    if (s->verb == VERB_POLICY_PAUSE)
        code = check_pause(d, &until);
    if (code == CLI_EXIT_DONE)
        code = tell(d, s, until);
    if (code == CLI_EXIT_DONE)
        put_done(d, s, until);
    return code;
}
