/* span25 - one program, its verbs in a table (sensor/app/options_verbs.def) */
#include "sensor/app/read.h"

#include <stdio.h>

static void
print(FILE *to, struct buf *text)
{
    if (text->n > 0)
        (void)fwrite(text->p, 1, text->n, to);
    buf_free(text);
}

static enum cli_exit
run(const struct cli *cli)
{
    struct buf out;
    struct buf messages;
    enum cli_exit code;

    if (cli->verb == VERB_READ)
        return read_main(cli);
    buf_init(&out, 1U << 30);      /* a registry of 100,000 lines is long */
    buf_init(&messages, 1U << 26); /* faults of thousands of rules */
    code = cli_run(cli, &out, &messages);
    print(stdout, &out);
    print(stderr, &messages);
    return code;
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
    print(stderr, &messages);
    if (e != ERR_OK)
        return (int)cli_exit_of(e);
    code = run(&cli);
    cli_free(&cli);
    return (int)code;
}
