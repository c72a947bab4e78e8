/* rules explain: a rule for a person, and what it says of events */
#include "sensor/app/rules.h"

#include <inttypes.h>
#include <stdlib.h>

#include "sensor/app/help.h"
#include "sensor/app/registry_time.h"
#include "sensor/app/rules_events.h"
#include "sensor/app/rules_load.h"
#include "sensor/base/near.h"
#include "sensor/base/text.h"

#define HEAD_MIN  4U  /* bytes of an id, name or title that may stand for it */
#define NAMED_MAX 20U /* rules told when several begin so */
#define SHOWN_MAX 5U  /* events that are told in full */
#define INDENT    4U
#define TRACE_MAX 65536U
#define SEED      1U /* of the windows: the answer is the same each time */

/* ---- which rule ---- */

static bool
begins(const struct sigma_info *info, struct span word)
{
    return word.n >= HEAD_MIN && (span_starts_nocase(info->id, word) ||
                                  span_starts_nocase(info->name, word) ||
                                  span_starts_nocase(info->title, word));
}

/* The only rule that is called so, or that begins so; n: none. *heads gets how
 * many begin so. */
static uint32_t
by_title_or_head(const struct sigma_set *s, struct span word, uint32_t *heads)
{
    uint32_t n = sigma_set_count(s), found = n;

    *heads = 0;
    for (uint32_t i = 0; i < n; i++) {
        const struct sigma_info *info = sigma_set_info(s, i);

        if (span_eq_nocase(info->title, word))
            return i;
        if (begins(info, word)) {
            found = i;
            ++*heads;
        }
    }
    return *heads == 1 ? found : n;
}

static enum cli_exit
several_rules(struct rules_call *c, const struct sigma_set *s, struct span word)
{
    uint32_t told = 0;

    buf_str(c->messages, "span25: several rules begin with '");
    text_term(c->messages, word);
    buf_str(c->messages, "':\n");
    for (uint32_t i = 0; i < sigma_set_count(s) && told < NAMED_MAX; i++) {
        const struct sigma_info *info = sigma_set_info(s, i);

        if (!begins(info, word))
            continue;
        told++;
        buf_str(c->messages, "  ");
        text_term(c->messages, info->id);
        buf_str(c->messages, "  ");
        text_term(c->messages, info->title);
        buf_putc(c->messages, '\n');
    }
    return CLI_EXIT_USAGE;
}

static struct span
nearest(const struct sigma_set *s, struct span word)
{
    struct near near = near_start(word);

    for (uint32_t i = 0; i < sigma_set_count(s); i++) {
        near_offer(&near, sigma_set_info(s, i)->title);
        near_offer(&near, sigma_set_info(s, i)->name);
    }
    return near.best;
}

static enum cli_exit
no_rule(struct rules_call *c, const struct sigma_set *s, struct span word)
{
    struct span near = nearest(s, word);

    buf_str(c->messages, "span25: no rule has the id, name or title '");
    text_term(c->messages, word);
    if (near.n > 0) {
        buf_str(c->messages, "'; did you mean '");
        text_term(c->messages, near);
        buf_str(c->messages, "'?\n");
    } else {
        buf_str(c->messages, "'; span25 rules list shows them\n");
    }
    return CLI_EXIT_USAGE;
}

/* ---- what it is ---- */

static void
put_wrapped(const char *before, struct span text, struct buf *out)
{
    struct buf safe;
    size_t column = strlen(before);

    buf_init(&safe, 1U << 20);
    text_term(&safe, text);
    buf_str(out, before);
    help_wrap(out, buf_view(&safe), column, column, HELP_WIDTH);
    if (out->n > 0 && out->p[out->n - 1] != '\n')
        buf_putc(out, '\n');
    buf_free(&safe);
}

/* Paragraphs of a description stay apart; its line ends are spaces. */
static void
put_part(const char *head, struct span text, struct buf *out)
{
    if (text.n == 0)
        return;
    buf_printf(out, "\n%s\n", head);
    while (text.n > 0) {
        size_t n = span_search(text, SPAN_LIT("\n\n"));
        struct buf one;

        buf_init(&one, n + 1);
        for (size_t i = 0; i < n; i++)
            buf_putc(&one, text.p[i] == '\n' ? ' ' : text.p[i]);
        put_wrapped("    ", span_trim(buf_view(&one)), out);
        buf_free(&one);
        text = span_tail(text, n + 2);
    }
}

static void
put_list(const char *head, const struct sigma_list *list, struct buf *out)
{
    if (list->n > 0)
        buf_printf(out, "\n%s\n", head);
    for (uint32_t i = 0; i < list->n; i++)
        put_wrapped("  - ", list->v[i], out);
}

static void
put_tags(const struct sigma_info *info, struct buf *out)
{
    const char *before = "\ntags: ";

    for (uint32_t i = 0; i < info->n_tags; i++) {
        buf_str(out, before);
        text_term(out, info->tags[i]);
        before = ", ";
    }
    if (info->n_tags > 0)
        buf_putc(out, '\n');
}

static void
put_head(const struct sigma_info *info, struct buf *out)
{
    text_term(out, info->title);
    buf_printf(out, "\n%s, pack ", rules_level(info->level));
    text_term(out, info->pack.n > 0 ? info->pack : SPAN_LIT("local"));
    if (info->id.n > 0) {
        buf_str(out, ", id ");
        text_term(out, info->id);
    }
    buf_str(out, "\n");
    text_term(out, info->file);
    buf_printf(out, ":%" PRIu32, info->line);
    if (info->disabled)
        buf_str(out, ", disabled by rules.disable");
    else if (!info->alerts && info->kind == SIGMA_RULE && !info->foreign)
        buf_str(out, ", does not alert, it serves a correlation");
    buf_putc(out, '\n');
}

static void
put_indented(struct span rest, unsigned indent, struct buf *out)
{
    while (rest.n > 0) {
        size_t n = span_find(rest, '\n');

        buf_printf(out, "%*s", (int)indent, "");
        buf_span(out, span_head(rest, n));
        buf_putc(out, '\n');
        rest = span_tail(rest, n + 1);
    }
}

static void
put_rule(const struct sigma_set *s, uint32_t rule, struct buf *out)
{
    const struct sigma_info *info = sigma_set_info(s, rule);
    struct buf text;

    buf_init(&text, 1U << 20);
    put_head(info, out);
    put_part("why it matters", info->description, out);
    put_part("what an alert says, behind the address", info->reason, out);
    put_part("limit, and how it was chosen", info->limit, out);
    put_list("benign causes", &info->falsepositives, out);
    put_part("what to do", info->action, out);
    buf_str(out, "\nwhat it looks for\n");
    sigma_describe(s, rule, &text);
    for (uint32_t k = 0; sigma_set_ref(s, rule, k) < sigma_set_count(s); k++)
        sigma_describe(s, sigma_set_ref(s, rule, k), &text);
    put_indented(buf_view(&text), INDENT, out);
    put_tags(info, out);
    buf_free(&text);
}

/* ---- what it says of events ---- */

struct watching {
    struct rules_call *call;
    const struct sigma_set *set;
    struct sigma_run *run;
    uint32_t rule;
    uint64_t events, hits;
    uint64_t *seen; /* matches of each rule */
    struct buf trace,
        best; /* of this event, and of the one that came nearest */
    uint32_t best_missed;
    uint64_t best_line;
    ns_t now;
};

static void
put_event(const struct watching *w, uint64_t line, ns_t when)
{
    struct buf *out = w->call->out;

    buf_printf(out, "\nline %" PRIu64 ", ", line);
    registry_time_utc(when, out);
}

static void
put_completed(struct watching *w, const struct sigma_match *m, uint64_t line)
{
    struct buf *out = w->call->out;

    put_event(w, line, m->when);
    buf_printf(out, ": completed with %.15g", m->figure);
    for (uint32_t i = 0; i < m->n_group; i++) {
        buf_str(out, i == 0 ? " for " : ", ");
        text_term(out, m->group[i].name);
        buf_str(out, " ");
        text_term(out, m->group[i].value);
    }
    buf_putc(out, '\n');
}

static void
take_matches(struct watching *w, const struct sigma_match *m, size_t n,
             uint64_t line)
{
    for (size_t i = 0; i < n; i++) {
        w->seen[m[i].rule]++;
        if (m[i].rule == w->rule && w->hits++ < SHOWN_MAX)
            put_completed(w, &m[i], line);
    }
}

/* Of a rule without a correlation; also counts it. */
static void
trace(struct watching *w, struct span record, uint64_t line)
{
    uint32_t missed;

    buf_reset(&w->trace);
    if (sigma_trace(w->run, w->rule, record, &w->trace, &missed)) {
        if (w->hits++ < SHOWN_MAX) {
            put_event(w, line, record_head_of(record).when);
            buf_str(w->call->out, ": matches\n");
            put_indented(buf_view(&w->trace), INDENT, w->call->out);
        }
    } else if (missed < w->best_missed) {
        w->best_missed = missed;
        w->best_line = line;
        buf_reset(&w->best);
        buf_span(&w->best, buf_view(&w->trace));
    }
}

static void
take_event(struct watching *w, struct span record, uint64_t line)
{
    ns_t when = record_head_of(record).when;
    const struct sigma_match *m;
    size_t n;

    w->events++;
    w->now = when > w->now ? when : w->now;
    if (sigma_set_info(w->set, w->rule)->kind == SIGMA_RULE) {
        trace(w, record, line);
        return;
    }
    m = sigma_eval(w->run, record, &n);
    take_matches(w, m, n, line);
    m = sigma_correlate(w->run, w->now, &n);
    take_matches(w, m, n, line);
}

static void
put_nearest(const struct watching *w)
{
    struct buf *out = w->call->out;
    uint32_t n = sigma_set_count(w->set);

    if (w->hits == 0 && w->best.n > 0) {
        buf_printf(out, "nearest: line %" PRIu64 "\n", w->best_line);
        put_indented(buf_view(&w->best), INDENT, out);
    }
    for (uint32_t k = 0; sigma_set_ref(w->set, w->rule, k) < n; k++) {
        uint32_t ref = sigma_set_ref(w->set, w->rule, k);

        buf_printf(out, "    %" PRIu64 " matches of '", w->seen[ref]);
        text_term(out, sigma_set_info(w->set, ref)->title);
        buf_str(out, "'\n");
    }
}

static enum cli_exit
watch_file(struct watching *w, const char *path)
{
    struct rules_events *e;
    struct span record, line;
    uint64_t number, faults;

    if (rules_events_open(path, w->call->messages, &e) != ERR_OK)
        return CLI_EXIT_FAILED;
    while (rules_events_next(e, &record, &line, &number))
        take_event(w, record, number);
    faults = rules_events_faults(e);
    rules_events_close(e);
    buf_printf(w->call->out, "\nof %" PRIu64 " event%s %" PRIu64 " match%s\n",
               w->events, w->events == 1 ? "" : "s", w->hits,
               w->hits == 1 ? "es" : "");
    put_nearest(w);
    return faults > 0 ? CLI_EXIT_PARTIAL : CLI_EXIT_DONE;
}

static enum cli_exit
watch(struct rules_call *c, const struct sigma_set *s, uint32_t rule)
{
    struct watching w = {
        .call = c, .set = s, .rule = rule, .best_missed = UINT32_MAX};
    enum cli_exit code;

    buf_init(&w.trace, TRACE_MAX);
    buf_init(&w.best, TRACE_MAX);
    w.seen = calloc(sigma_set_count(s) + 1U, sizeof(*w.seen));
    if (w.seen != NULL && sigma_run_new(s, SEED, NULL, &w.run) == ERR_OK)
        code = watch_file(&w, c->config->explain_events);
    else
        code = rules_failed(c, ERR_NOMEM);
    sigma_run_free(w.run);
    free(w.seen);
    buf_free(&w.trace);
    buf_free(&w.best);
    return code;
}

enum cli_exit
rules_explain(struct rules_call *c)
{
    struct span word = span_str(c->cli->arguments[0]);
    struct sigma_set *s = NULL;
    struct rules_loaded loaded;
    enum err e = rules_load(c->config, NULL, 0, &s, &loaded, c->messages);
    enum cli_exit code = CLI_EXIT_DONE;
    uint32_t rule, heads = 0;

    if (e != ERR_OK)
        return rules_failed(c, e);
    rule = sigma_set_find(s, word);
    if (rule == sigma_set_count(s))
        rule = by_title_or_head(s, word, &heads);
    if (rule == sigma_set_count(s)) {
        code = heads > 1 ? several_rules(c, s, word) : no_rule(c, s, word);
    } else {
        put_rule(s, rule, c->out);
        if (c->config->explain_events != NULL)
            code = watch(c, s, rule);
        code = code == CLI_EXIT_DONE ? rules_loaded_exit(&loaded) : code;
    }
    sigma_set_free(s);
    return code;
}
