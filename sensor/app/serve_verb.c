#include "sensor/app/serve_parts.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/app/options_value.h"

#define ARGUMENTS (SERVE_BODY_VALUES + 32U)

/* argv of a verb; each word is its own block. */
struct words {
    char *v[ARGUMENTS + 1];
    size_t n;
    bool failed;
};

static void
add_span(struct words *w, const char *flag, struct span value)
{
    struct buf b;

    buf_init(&b, SERVE_ANSWER);
    if (flag != NULL) {
        buf_str(&b, flag);
        buf_putc(&b, '=');
    }
    buf_span(&b, value);
    buf_putc(&b, 0);
    w->failed = w->failed || w->n == ARGUMENTS || b.failed || b.cut;
    if (w->failed)
        buf_free(&b);
    else
        w->v[w->n++] = (char *)b.p;
}

static void
add(struct words *w, const char *text)
{
    add_span(w, NULL, span_str(text));
}

static void
words_free(struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->v[i]);
}

static bool
has_flag(enum verb verb, const char *flag)
{
    return options_find_flag(span_str(flag), verb) != OPTION_COUNT;
}

/* The words of the verb, and what every verb is told. */
static void
begin(struct words *w, const struct serve *s, enum verb verb, const char *user)
{
    const struct config *c = &s->cli->config;
    struct span words = span_str(options_verbs[verb].words);

    add(w, "span25");
    while (words.n > 0) {
        const size_t space = span_find(words, ' ');

        add_span(w, NULL, span_head(words, space));
        words = span_tail(words, space + 1);
    }
    if (has_flag(verb, "--json"))
        add(w, "--json");
    if (has_flag(verb, "--utc"))
        add(w, "--utc");
    if (has_flag(verb, "--state"))
        add_span(w, "--state", span_str(c->state));
    if (c->file != NULL && has_flag(verb, "--config"))
        add_span(w, "--config", span_str(c->file));
    if (user != NULL && has_flag(verb, "--actor"))
        add_span(w, "--actor", span_str(user));
}

/* A page of rows where none is asked for: a list may be of 100,000. */
static void
add_limit(struct words *w, enum serve_route_id id, const struct serve_values *v)
{
    const struct serve_param *p = serve_route_param(id, SPAN_LIT("limit"));

    if (p != NULL && p->how == SERVE_FLAG &&
        serve_values_find(v, p->name).n == 0)
        add(w, "--limit=500");
}

static void
add_flags(struct words *w, enum serve_route_id id, const struct serve_values *v)
{
    add_limit(w, id, v);
    for (size_t i = 0; i < v->n; i++) {
        const struct serve_param *p = serve_route_param(id, v->v[i].name);

        if (p->how == SERVE_FLAG || p->how == SERVE_SWITCH)
            add_span(w, p->what, v->v[i].text);
    }
}

/* In the order of the table, behind the end of the options. */
static void
add_arguments(struct words *w, enum serve_route_id id,
              const struct serve_values *v)
{
    add(w, "--");
    for (size_t i = 0; i < n_serve_params; i++) {
        const struct serve_param *p = &serve_params[i];

        if (p->route != id)
            continue;
        if (p->how == SERVE_TEXT)
            add(w, "-");
        if (p->how != SERVE_ARGUMENT && p->how != SERVE_LIST)
            continue;
        for (size_t k = 0; k < v->n; k++) {
            if (span_eq(v->v[k].name, span_str(p->name)))
                add_span(w, NULL, v->v[k].text);
        }
    }
}

/* VERB_COUNT: no such words. */
static enum verb
find_verb(struct span words)
{
    unsigned v = 0;

    while (v < VERB_COUNT && !span_eq(words, span_str(options_verbs[v].words)))
        v++;
    return (enum verb)v;
}

/* The verb of a route; of one with a {name} as the value says. VERB_COUNT: that
 * is none of its words, which is told. */
static enum verb
verb_of(enum serve_route_id id, const struct serve_values *v,
        struct buf *messages)
{
    const struct span words = span_str(serve_routes[id].verb);
    const size_t brace = span_find(words, '{');
    const struct serve_param *p;
    struct span value;
    struct buf text;
    enum verb verb;

    if (brace == words.n)
        return find_verb(words);
    p = serve_route_param(
        id, span_head(span_tail(words, brace + 1), words.n - brace - 2));
    REQUIRE(p != NULL);
    value = serve_values_find(v, p->name);
    if (options_value_choice(p->what, value) < 0) {
        buf_printf(messages, "span25: '%s' must be one of %s\n", p->name,
                   p->what);
        return VERB_COUNT;
    }
    buf_init(&text, 64);
    buf_span(&text, span_head(words, brace));
    buf_span(&text, value);
    verb = find_verb(buf_view(&text));
    buf_free(&text);
    return verb;
}

static enum cli_exit
call(struct serve *s, struct words *w, enum verb verb, struct span input,
     struct buf *out, struct buf *messages)
{
    struct cli cli;
    enum cli_exit code;
    enum err e = w->failed ? ERR_NOMEM : ERR_OK;

    if (e == ERR_OK)
        e = cli_parse((int)w->n, w->v, &cli, messages);
    else
        buf_printf(messages, "span25: %s\n", err_text(e));
    if (e != ERR_OK)
        return cli_exit_of(e);
    cli.input = input;
    cli.kept = &s->kept;
    /* the name of this process's user is nobody's who asks */
    if (cli.config.actor == NULL)
        cli.config.actor = strdup("span25");
    code = cli.verb == verb ? cli_run(&cli, out, messages) : CLI_EXIT_FAILED;
    cli_free(&cli);
    while (out->n > 0 && out->p[out->n - 1] == '\n')
        out->n--;
    return code;
}

enum cli_exit
serve_verb_run(struct serve *s, enum serve_route_id id, const char *user,
               const struct serve_values *v, struct buf *out,
               struct buf *messages, bool *json)
{
    const enum verb verb = verb_of(id, v, messages);
    struct span input = SPAN_NONE;
    struct words w = {.n = 0};
    enum cli_exit code;

    *json = false;
    if (verb == VERB_COUNT)
        return CLI_EXIT_USAGE;
    for (size_t i = 0; i < v->n; i++) {
        if (serve_route_param(id, v->v[i].name)->how == SERVE_TEXT)
            input = v->v[i].text;
    }
    if (input.p == NULL)
        input = SPAN_LIT(""); /* never this process's standard input */
    begin(&w, s, verb, user);
    add_flags(&w, id, v);
    add_arguments(&w, id, v);
    code = call(s, &w, verb, input, out, messages);
    words_free(&w);
    *json = has_flag(verb, "--json");
    return code;
}

enum cli_exit
serve_verb(struct serve *s, enum verb verb, const char *const *flags,
           struct buf *out, struct buf *messages)
{
    struct words w = {.n = 0};
    enum cli_exit code;

    begin(&w, s, verb, NULL);
    for (; flags != NULL && *flags != NULL; flags++)
        add(&w, *flags);
    code = call(s, &w, verb, SPAN_LIT(""), out, messages);
    words_free(&w);
    return code;
}
