#include "sensor/app/serve.h"

#include <stdio.h>

enum cli_exit
serve_main(const struct cli *c)
{
    if (c->config.state == NULL) {
        (void)fputs("span25: --state DIR is needed\n", stderr);
        return CLI_EXIT_USAGE;
    }
    (void)fputs("span25: serve is not there yet\n", stderr);
    return CLI_EXIT_FAILED;
}
