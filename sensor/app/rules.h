#ifndef SPAN25_APP_RULES_H
#define SPAN25_APP_RULES_H
/* rules - the verbs of rules: list, check, test, explain */
#include "rules/sigma/sigma.h"
#include "sensor/app/cli.h"
#include "sensor/app/rules_load.h"

struct rules_call {
    const struct cli *cli;
    const struct config *config;
    struct buf *out;      /* for standard output */
    struct buf *messages; /* for standard error */
};

/* Does a verb of rules. */
MUST_USE enum cli_exit rules_run(const struct cli *c, struct buf *out,
                                 struct buf *messages);

/* A line of messages: "span25: " and text. Gives code. */
enum cli_exit rules_say(struct rules_call *c, enum cli_exit code,
                        const char *text);

const char *rules_level(enum sigma_level level);

/* The same of what rules_load failed with, unless it has told. */
enum cli_exit rules_failed(struct rules_call *c, enum err e);

/* PARTIAL when a rule was refused or a file of rules was not read: the others
 * are there. The same for every verb that loads rules, and for read. */
enum cli_exit rules_loaded_exit(const struct rules_loaded *how);

/* ---- one file each: rules_<verb>.c ---- */

enum cli_exit rules_list(struct rules_call *c);
enum cli_exit rules_check(struct rules_call *c);
enum cli_exit rules_test(struct rules_call *c);
enum cli_exit rules_explain(struct rules_call *c);

#endif
