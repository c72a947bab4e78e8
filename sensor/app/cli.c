#include "sensor/app/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "sensor/app/config.h"
#include "sensor/app/config_text.h"
#include "sensor/app/desk.h"
#include "sensor/app/doctor.h"
#include "sensor/app/help.h"
#include "sensor/app/help_completion.h"
#include "sensor/base/near.h"
#include "sensor/app/options_value.h"
#include "sensor/app/registry.h"
#include "sensor/app/rules.h"
#include "sensor/app/serve_user.h"
#include "sensor/app/study.h"
#include "sensor/app/aggregate.h"
#include "sensor/app/test_alert.h"
#include "sensor/app/metrics.h"
#include "sensor/app/top.h"
#include "sensor/base/text.h"

/* What is left of argv while it is read. */
struct args {
    char **v;
    size_t n;
    size_t at;
    struct cli *cli;
    struct buf *messages;
};

static enum err
fault(struct buf *messages, const char *text)
{
    buf_printf(messages, "span25: %s\n", text);
    return ERR_USAGE;
}

/* "unknown flag '--evnts'; did you mean '--events'?" */
static enum err
fault_unknown(struct buf *messages, const char *what, struct span typed,
              struct span near)
{
    buf_printf(messages, "span25: unknown %s '", what);
    text_term(messages, typed);
    buf_putc(messages, '\'');
    if (near.n > 0) {
        buf_str(messages, "; did you mean '");
        buf_span(messages, near);
        buf_str(messages, "'?");
    }
    buf_putc(messages, '\n');
    return ERR_USAGE;
}

/* Name of an option in messages: its flag, or its letter. */
static void
put_flag(struct buf *out, const struct option_row *row)
{
    if (row->flag[0] != 0)
        buf_str(out, row->flag);
    else
        buf_printf(out, "-%c", row->letter);
}

static enum err
set_flag(struct args *a, enum option_id id, struct span value)
{
    struct origin from = {ORIGIN_FLAG, 0};
    struct buf why;
    enum err e = ERR_OK;

    buf_init(&why, 1024);
    if (!options_set(&a->cli->config, id, value, from, &why)) {
        buf_str(a->messages, "span25: ");
        put_flag(a->messages, &options_rows[id]);
        buf_str(a->messages, ": ");
        buf_span(a->messages, buf_view(&why));
        buf_putc(a->messages, '\n');
        e = ERR_USAGE;
    }
    buf_free(&why);
    return e;
}

/* The next argument as the value of a flag. "-" is a value; another word with
 * a dash is taken for a forgotten value. */
static enum err
set_from_next(struct args *a, enum option_id id)
{
    const struct option_row *row = &options_rows[id];
    const char *next = a->at < a->n ? a->v[a->at] : NULL;

    if (next == NULL || (next[0] == '-' && next[1] != 0)) {
        buf_str(a->messages, "span25: ");
        put_flag(a->messages, row);
        buf_printf(a->messages, " needs a value: %s", row->argument);
        if (next != NULL) {
            buf_str(a->messages, ", not '");
            text_term(a->messages, span_str(next));
            buf_putc(a->messages, '\'');
        }
        buf_putc(a->messages, '\n');
        return ERR_USAGE;
    }
    a->at++;
    return set_flag(a, id, span_str(next));
}

/* A flag that this verb does not know, but another does. */
static enum err
fault_flag(struct args *a, struct span name)
{
    struct near near = near_start(name);

    for (unsigned v = 0; v < VERB_COUNT; v++) {
        if (options_find_flag(name, (enum verb)v) == OPTION_COUNT)
            continue;
        buf_str(a->messages, "span25: ");
        text_term(a->messages, name);
        buf_printf(a->messages, " is a flag of '%s', not of '%s'\n",
                   options_verbs[v].words, options_verbs[a->cli->verb].words);
        return ERR_USAGE;
    }
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        if (options_has_flag((enum option_id)i, a->cli->verb))
            near_offer(&near, span_str(options_rows[i].flag));
    }
    return fault_unknown(a->messages, "flag", name, near.best);
}

static enum err
parse_long(struct args *a, struct span arg)
{
    size_t equals = span_find(arg, '=');
    struct span name = span_head(arg, equals);
    enum option_id id = options_find_flag(name, a->cli->verb);

    if (id == OPTION_COUNT)
        return fault_flag(a, name);
    if (equals < arg.n)
        return set_flag(a, id, span_tail(arg, equals + 1));
    if (options_rows[id].type == OPTION_BOOL)
        return set_flag(a, id, SPAN_LIT("true"));
    return set_from_next(a, id);
}

/* -q, -nq, -f EXPR, -fEXPR */
static enum err
parse_letters(struct args *a, struct span arg)
{
    enum err e = ERR_OK;

    for (size_t i = 1; i < arg.n && e == ERR_OK; i++) {
        char letter[2] = {'-', (char)span_at(arg, i)};
        enum option_id id = options_find_letter(letter[1], a->cli->verb);

        if (id == OPTION_COUNT || letter[1] == 0)
            return fault_unknown(a->messages, "flag", span_of(letter, 2),
                                 SPAN_NONE);
        if (options_rows[id].type == OPTION_BOOL)
            e = set_flag(a, id, SPAN_LIT("true"));
        else if (i + 1 < arg.n)
            return set_flag(a, id, span_tail(arg, i + 1));
        else
            return set_from_next(a, id);
    }
    return e;
}

static enum err
parse_rest(struct args *a)
{
    bool options_end = false;
    enum err e = ERR_OK;

    while (a->at < a->n && e == ERR_OK) {
        char *word = a->v[a->at++];
        struct span arg = span_str(word);

        if (options_end || arg.n < 2 || word[0] != '-')
            a->cli->arguments[a->cli->n_arguments++] = word;
        else if (span_eq(arg, SPAN_LIT("--")))
            options_end = true;
        else if (span_starts(arg, SPAN_LIT("--")))
            e = parse_long(a, arg);
        else
            e = parse_letters(a, arg);
    }
    return e;
}

/* How many of the words name this verb: 1 or 2; else 0. */
static size_t
match_verb(struct span verb, char *const *words, size_t n)
{
    size_t space = span_find(verb, ' ');

    if (n < 1 || !span_eq(span_head(verb, space), span_str(words[0])))
        return 0;
    if (space == verb.n)
        return 1;
    if (n > 1 && span_eq(span_tail(verb, space + 1), span_str(words[1])))
        return 2;
    return 0;
}

/* VERB_COUNT when there is none. */
static enum verb
find_verb(char *const *words, size_t n, size_t *used)
{
    unsigned v = 0;

    *used = 0;
    while (v < VERB_COUNT) {
        *used = match_verb(span_str(options_verbs[v].words), words, n);
        if (*used > 0)
            break;
        v++;
    }
    return (enum verb)v;
}

/* What may follow the noun, or for an empty noun what may come first. */
static struct span
next_word(enum verb verb, struct span noun)
{
    struct span words = span_str(options_verbs[verb].words);
    size_t space = span_find(words, ' ');

    if (noun.n == 0)
        return span_head(words, space);
    if (!span_eq(span_head(words, space), noun))
        return SPAN_NONE;
    return span_tail(words, space + 1);
}

static bool
is_noun(struct span word)
{
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        if (next_word((enum verb)v, word).n > 0)
            return true;
    }
    return false;
}

static enum err
fault_verb(struct args *a, struct span noun, struct span typed)
{
    struct near near = near_start(typed);

    for (unsigned v = 0; v < VERB_COUNT; v++) {
        struct span word = next_word((enum verb)v, noun);

        if (word.n > 0)
            near_offer(&near, word);
    }
    return fault_unknown(a->messages, "verb", typed, near.best);
}

static enum err
fault_noun(struct args *a, const char *noun)
{
    const char *between = "";

    buf_printf(a->messages, "span25: '%s' needs one of: ", noun);
    for (unsigned v = 0; v < VERB_COUNT; v++) {
        struct span word = next_word((enum verb)v, span_str(noun));

        if (word.n == 0)
            continue;
        buf_str(a->messages, between);
        buf_span(a->messages, word);
        between = ", ";
    }
    buf_putc(a->messages, '\n');
    return ERR_USAGE;
}

static enum err
set_topic(struct args *a, struct span topic)
{
    if (topic.n >= CLI_TOPIC)
        return fault_verb(a, SPAN_NONE, topic);
    a->cli->verb = VERB_HELP;
    if (topic.n > 0)
        memcpy(a->cli->topic, topic.p, topic.n);
    a->cli->topic[topic.n] = 0;
    return ERR_OK;
}

static bool
is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* The verb, or what is said instead of one. */
static enum err
parse_verb(struct args *a)
{
    const char *first = a->v[0];
    size_t used;

    a->cli->verb = find_verb(a->v, a->n, &used);
    a->at = used;
    if (used > 0)
        return ERR_OK;
    a->at = a->n;
    if (is_help(first))
        return set_topic(a, SPAN_NONE);
    if (strcmp(first, "--version") == 0) {
        a->cli->verb = VERB_VERSION;
        return ERR_OK;
    }
    if (first[0] == '-')
        return fault(a->messages,
                     "the verb comes first: span25 VERB [OPTION...]");
    if (!is_noun(span_str(first)))
        return fault_verb(a, SPAN_NONE, span_str(first));
    if (a->n < 2)
        return fault_noun(a, first);
    if (is_help(a->v[1]))
        return set_topic(a, span_str(first));
    return fault_verb(a, span_str(first), span_str(a->v[1]));
}

static enum err
check_count(struct args *a)
{
    const struct verb_row *row = &options_verbs[a->cli->verb];
    size_t n = a->cli->n_arguments;

    if (n >= row->least && n <= row->most)
        return ERR_OK;
    if (row->most == 0) {
        buf_printf(a->messages, "span25: '%s' takes no argument: '",
                   row->words);
        text_term(a->messages, span_str(a->cli->arguments[0]));
        buf_str(a->messages, "'\n");
    } else {
        buf_printf(a->messages, "span25: '%s' needs %s: %s\n", row->words,
                   n < row->least ? "an argument" : "fewer arguments",
                   row->arguments);
    }
    return ERR_USAGE;
}

/* "-" can be read, or written, once. */
static enum err
check_streams(struct args *a)
{
    const struct config *c = &a->cli->config;
    unsigned n = c->file != NULL && strcmp(c->file, "-") == 0;

    for (size_t i = 0; i < a->cli->n_arguments; i++)
        n += strcmp(a->cli->arguments[i], "-") == 0;
    if (n > 1)
        return fault(a->messages, "standard input can be read only once");
    return ERR_OK;
}

/* "span25 help config show" */
static enum err
join_topic(struct args *a)
{
    struct buf topic;
    enum err e;

    buf_init(&topic, CLI_TOPIC);
    for (size_t i = 0; i < a->cli->n_arguments; i++) {
        if (i > 0)
            buf_putc(&topic, ' ');
        buf_str(&topic, a->cli->arguments[i]);
    }
    e = topic.failed ? ERR_NOMEM : set_topic(a, buf_view(&topic));
    buf_free(&topic);
    return e;
}

static enum err
check_topic(struct args *a)
{
    struct buf text;
    bool known;

    buf_init(&text, 1U << 16);
    known = help_write(a->cli->topic, &text);
    buf_free(&text);
    if (known)
        return ERR_OK;
    return fault_verb(a, SPAN_NONE, span_str(a->cli->topic));
}

static enum err
finish(struct args *a)
{
    struct cli *c = a->cli;
    enum err e = ERR_OK;

    if (c->config.help)
        return set_topic(a, span_str(options_verbs[c->verb].words));
    if (c->config.version) {
        c->verb = VERB_VERSION;
        return ERR_OK;
    }
    e = check_count(a);
    if (e == ERR_OK)
        e = check_streams(a);
    if (e == ERR_OK && c->verb == VERB_HELP && c->topic[0] == 0)
        e = join_topic(a);
    if (e == ERR_OK && c->verb == VERB_HELP)
        e = check_topic(a);
    if (e == ERR_OK && c->config.file != NULL)
        e = config_load(c->config.file, &c->config, a->messages);
    return e;
}

static enum err
parse(struct args *a)
{
    enum err e;

    if (a->n == 0)
        return fault(a->messages, "no verb; span25 --help lists them");
    e = parse_verb(a);
    if (e == ERR_OK)
        e = parse_rest(a);
    return e == ERR_OK ? finish(a) : e;
}

enum err
cli_parse(int argc, char **argv, struct cli *out, struct buf *messages)
{
    size_t n = argc > 1 ? (size_t)argc - 1 : 0;
    struct args a = {argv + 1, n, 0, out, messages};
    enum err e;

    *out = (struct cli){.arguments = calloc(n + 1, sizeof(char *))};
    e = out->arguments != NULL ? options_init(&out->config) : ERR_NOMEM;
    if (e == ERR_OK)
        e = parse(&a);
    if (e == ERR_NOMEM)
        (void)fault(messages, err_text(e));
    if (e != ERR_OK)
        cli_free(out);
    return e;
}

void
cli_free(struct cli *c)
{
    free(c->arguments);
    options_fini(&c->config);
    *c = (struct cli){0};
}

enum cli_exit
cli_exit_of(enum err e)
{
    if (e == ERR_OK)
        return CLI_EXIT_DONE;
    return e == ERR_USAGE || e == ERR_CONFIG ? CLI_EXIT_USAGE : CLI_EXIT_FAILED;
}

static enum err
write_all(int fd, struct span s)
{
    while (s.n > 0) {
        ssize_t n = write(fd, s.p, s.n);

        if (n < 0 && errno != EINTR)
            return err_from_errno(errno);
        s = span_tail(s, n > 0 ? (size_t)n : 0);
    }
    return ERR_OK;
}

/* Never overwrites a file, and leaves none that is cut. */
static enum err
write_new(const char *file, struct span text)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    enum err e;

    if (fd < 0)
        return err_from_errno(errno);
    e = write_all(fd, text);
    if (close(fd) != 0 && e == ERR_OK)
        e = err_from_errno(errno);
    if (e != ERR_OK)
        (void)unlink(file);
    return e;
}

static enum cli_exit
run_init(const struct cli *c, struct buf *out, struct buf *messages)
{
    const char *file = c->config.output;
    enum err e;

    config_text_init(out);
    if (file == NULL || strcmp(file, "-") == 0)
        return CLI_EXIT_DONE;
    e = out->failed ? ERR_NOMEM : write_new(file, buf_view(out));
    buf_reset(out);
    if (e != ERR_OK) {
        buf_str(messages, "span25: ");
        text_term(messages, span_str(file));
        buf_printf(messages, ": %s\n", err_text(e));
    }
    return cli_exit_of(e);
}

static enum cli_exit
run_check(const struct cli *c, struct buf *out, struct buf *messages)
{
    const char *file = c->arguments[0];
    struct config scratch;
    enum err e = options_init(&scratch);

    if (e != ERR_OK)
        return cli_exit_of(e);
    e = config_load(file, &scratch, messages);
    options_fini(&scratch);
    if (e == ERR_OK) {
        text_term(out, span_str(file));
        buf_str(out, ": valid\n");
    }
    return cli_exit_of(e);
}

static enum cli_exit
run_completion(const struct cli *c, struct buf *out, struct buf *messages)
{
    const struct verb_row *row = &options_verbs[VERB_COMPLETION];
    struct span shell = span_str(c->arguments[0]);
    int i = options_value_choice(row->arguments, shell);

    if (i >= 0) {
        help_completion((enum help_shell)i, out);
        return CLI_EXIT_DONE;
    }
    (void)fault_unknown(messages, "shell", shell, SPAN_NONE);
    return CLI_EXIT_USAGE;
}

enum cli_exit
cli_run(const struct cli *c, struct buf *out, struct buf *messages)
{
    switch (c->verb) {
    case VERB_CONFIG_INIT: return run_init(c, out, messages);
    case VERB_CONFIG_CHECK: return run_check(c, out, messages);
    case VERB_CONFIG_SHOW:
        config_text_show(&c->config, c->config.show_origin, out);
        return CLI_EXIT_DONE;
    case VERB_CONFIG_DEFAULT: config_text_default(out); return CLI_EXIT_DONE;
    case VERB_COMPLETION: return run_completion(c, out, messages);
    case VERB_HELP: (void)help_write(c->topic, out); return CLI_EXIT_DONE;
    case VERB_VERSION:
        buf_str(out, "span25 " SPAN25_VERSION "\n");
        return CLI_EXIT_DONE;
    case VERB_ALERTS_LIST:
    case VERB_ALERTS_SHOW:
    case VERB_ALERTS_ACK:
    case VERB_ALERTS_ESCALATE:
    case VERB_ALERTS_CLOSE:
    case VERB_ALERTS_REOPEN:
    case VERB_HOSTS_LIST:
    case VERB_HOSTS_SHOW:
    case VERB_BLOCKS_LIST:
    case VERB_BLOCKS_ADD:
    case VERB_BLOCKS_LIFT:
    case VERB_BLOCKS_EXPORT:
    case VERB_BLOCKS_DIFF:
    case VERB_BLOCKS_REPORT:
    case VERB_BLOCKS_APPROVE:
    case VERB_BLOCKS_REFUSE:
    case VERB_POLICY_SHOW:
    case VERB_POLICY_MODE:
    case VERB_POLICY_PAUSE:
    case VERB_POLICY_RESUME:
    case VERB_EXPLAIN:
    case VERB_EXCEPTIONS_ADD:
    case VERB_EXCEPTIONS_LIST:
    case VERB_EXCEPTIONS_REMOVE: return desk_run(c, out, messages);
    case VERB_DOCTOR: return doctor_run(c, out, messages);
    case VERB_METRICS: return metrics_run(c, out, messages);
    case VERB_TOP: return top_run(c, out, messages);
    case VERB_TEST_ALERT: return test_alert_run(c, out, messages);
    case VERB_AGGREGATE: return aggregate_run(c, messages);
    case VERB_STUDY_RUN:
    case VERB_STUDY_SWEEP:
    case VERB_STUDY_COMPARE:
    case VERB_STUDY_SHOW:
    case VERB_STUDY_REVIEW: return study_run(c, out, messages);
    case VERB_REGISTRY_IMPORT:
    case VERB_REGISTRY_LIST:
    case VERB_REGISTRY_SHOW:
    case VERB_REGISTRY_CANDIDATES:
    case VERB_REGISTRY_SUBMIT:
    case VERB_REGISTRY_DECIDE:
    case VERB_REGISTRY_CONFIRM:
    case VERB_REGISTRY_DUE:
    case VERB_REGISTRY_CONTACTS:
    case VERB_REGISTRY_LETTERS:
    case VERB_REGISTRY_EXPORT:
    case VERB_REGISTRY_FORM: return registry_run(c, out, messages);
    case VERB_RULES_LIST:
    case VERB_RULES_CHECK:
    case VERB_RULES_TEST:
    case VERB_RULES_EXPLAIN: return rules_run(c, out, messages);
    case VERB_SERVE_USER: return serve_user_run(c, out, messages);
    case VERB_READ:
    case VERB_LIVE:
    case VERB_SERVE:
    case VERB_COUNT: break;
    }
    return CLI_EXIT_FAILED;
}

bool
cli_color(unsigned when, bool terminal, const char *no_color, const char *term)
{
    if (when != COLOR_AUTO)
        return when == COLOR_ALWAYS;
    return terminal && (no_color == NULL || no_color[0] == 0) &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

enum cli_report
cli_report_of(const struct config *c)
{
    if (c->report == NULL)
        return CLI_REPORT_NONE;
    return (enum cli_report)options_value_ending(
        options_rows[OPTION_ID_report].range, c->report);
}
