/* span25 - one program, its verbs in a table (sensor/app/options_verbs.def) */
#include "sensor/app/live.h"
#include "sensor/app/read.h"
#include "sensor/app/serve.h"

#include <stdio.h>

/* False: not all of it could be written. */
static bool
print(FILE *to, struct buf *text)
{
    bool good = text->n == 0 || fwrite(text->p, 1, text->n, to) == text->n;

    buf_free(text);
    return fflush(to) == 0 && good;
}

/* A full disk must not look like an empty answer. */
static enum cli_exit
print_all(struct buf *out, struct buf *messages, enum cli_exit code)
{
    if (!print(stdout, out)) {
        buf_str(messages, "span25: standard output: what was printed is not "
                          "all there\n");
        code = code == CLI_EXIT_DONE ? CLI_EXIT_FAILED : code;
    }
    (void)print(stderr, messages);
    return code;
}

static enum cli_exit
run(const struct cli *cli, int argc, char **argv)
{
    struct buf out;
    struct buf messages;
    enum cli_exit code;

    if (cli->verb == VERB_READ)
        return read_main(cli);
    if (cli->verb == VERB_LIVE)
        return live_main(cli, argc, argv);
    if (cli->verb == VERB_SERVE)
        return serve_main(cli);
    buf_init(&out, 1U << 30);      /* a registry of 100,000 lines is long */
    buf_init(&messages, 1U << 26); /* faults of thousands of rules */
    code = cli_run(cli, &out, &messages);
    return print_all(&out, &messages, code);
}

int
main(int argc, char **argv)
{
    struct cli cli;
    struct buf messages;
    enum cli_exit code;
    enum err e;

    buf_init(&messages, 1 << 20);
    e = cli_parse(argc, argv, &cli, &messages);
    (void)print(stderr, &messages);
    if (e != ERR_OK)
        return (int)cli_exit_of(e);
    code = run(&cli, argc, argv);
    cli_free(&cli);
    return (int)code;
}
