#include "sensor/app/rules.h"

static const struct {
    enum verb verb;
    enum cli_exit (*run)(struct rules_call *c);
} verbs[] = {
    {VERB_RULES_LIST,    rules_list   },
    {VERB_RULES_CHECK,   rules_check  },
    {VERB_RULES_TEST,    rules_test   },
    {VERB_RULES_EXPLAIN, rules_explain},
};

const char *
rules_level(enum sigma_level level)
{
    static const char *const words[] = {
        [SIGMA_LEVEL_NONE] = "none", [SIGMA_INFORMATIONAL] = "informational",
        [SIGMA_LOW] = "low",         [SIGMA_MEDIUM] = "medium",
        [SIGMA_HIGH] = "high",       [SIGMA_CRITICAL] = "critical",
    };

    return words[level];
}

enum cli_exit
rules_say(struct rules_call *c, enum cli_exit code, const char *text)
{
    buf_printf(c->messages, "span25: %s\n", text);
    return code;
}

enum cli_exit
rules_failed(struct rules_call *c, enum err e)
{
    if (e == ERR_CONFIG || e == ERR_NOENT)
        return CLI_EXIT_USAGE;
    return rules_say(c, CLI_EXIT_FAILED, err_text(e));
}

enum cli_exit
rules_loaded_exit(const struct rules_loaded *how)
{
    return how->refused > 0 || how->unread > 0 ? CLI_EXIT_PARTIAL
                                               : CLI_EXIT_DONE;
}

enum cli_exit
rules_run(const struct cli *c, struct buf *out, struct buf *messages)
{
    struct rules_call call = {c, &c->config, out, messages};
    size_t i = 0;

    while (i + 1 < ARRAY_LEN(verbs) && verbs[i].verb != c->verb)
        i++;
    return verbs[i].run(&call);
}
