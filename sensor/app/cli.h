#ifndef SPAN25_APP_CLI_H
#define SPAN25_APP_CLI_H
/* cli - the command line
 *
 * span25 VERB [OPTION...] [ARGUMENT...]. Options and arguments may be mixed;
 * "--" ends the options; "-" is an argument. --flag=VALUE and --flag VALUE are
 * the same, --flag=false turns a switch off. Nothing may be abbreviated. A flag
 * of a list may be repeated; of another flag the last one counts. */
#include "sensor/app/options.h"

/* X(name, code, meaning) */
#define CLI_EXITS(X)                                                           \
    X(DONE, 0, "done; what was found does not change it")                      \
    X(FAILED, 1, "failed while running")                                       \
    X(USAGE, 2, "wrong usage, filter or configuration")                        \
    X(PARTIAL, 4, "done, but something is missing, damaged, or a faulty rule") \
    X(REFUSED, 5, "refused: a state, a missing reason or an empty list")       \
    X(STORE, 6, "the registry, journal or index cannot be read or written")    \
    X(INTERRUPTED, 130, "interrupted")

enum cli_exit {
#define X(name, code, meaning) CLI_EXIT_##name = (code),
    CLI_EXITS(X)
#undef X
};

#define CLI_TOPIC 64

struct cli {
    enum verb verb;
    struct config config;
    char **arguments; /* n of them, each borrowed from argv */
    size_t n_arguments;
    char topic[CLI_TOPIC]; /* of VERB_HELP: "", "config", "config show" */
    /* What a verb reads in place of standard input, where it is not NULL: set
     * behind cli_parse by who calls a verb within a program. */
    struct span input;
    struct kept *kept; /* set so as well; NULL: there is none */
};

/* On success: defaults, then the file of --config, then the flags; what is to
 * be printed as a warning may be in messages. --help gives VERB_HELP, --version
 * VERB_VERSION. On an error *out needs no cli_free, and messages has at least
 * one line: ERR_USAGE the command line, ERR_CONFIG the file, others as they
 * came. argv must outlive *out. */
MUST_USE enum err cli_parse(int argc, char **argv, struct cli *out,
                            struct buf *messages);
void cli_free(struct cli *c);

/* The exit code that an error stands for. */
enum cli_exit cli_exit_of(enum err e);

/* Does every verb but read, live and serve: out is for standard output,
 * messages for standard error. */
MUST_USE enum cli_exit cli_run(const struct cli *c, struct buf *out,
                               struct buf *messages);

/* Colour or not: --color, NO_COLOR and TERM (NULL when unset). */
bool cli_color(unsigned when, bool terminal, const char *no_color,
               const char *term);

/* Report formats, in the order of the endings of --output. */
enum cli_report {
    CLI_REPORT_NONE = -1,
    CLI_REPORT_HTML,
    CLI_REPORT_JSON,
    CLI_REPORT_CSV
};
enum cli_report cli_report_of(const struct config *c);

#endif
