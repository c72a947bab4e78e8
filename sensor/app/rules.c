#include "sensor/app/rules.h"

static const struct {
    enum verb verb;
    enum cli_exit (*run)(struct rules_call *c);
} verbs[] = {
    {VERB_RULES_CHECK, rules_check},
    {VERB_RULES_TEST,  rules_test },
};

enum cli_exit
rules_say(struct rules_call *c, enum cli_exit code, const char *text)
{
    buf_printf(c->messages, "span25: %s\n", text);
    return code;
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
