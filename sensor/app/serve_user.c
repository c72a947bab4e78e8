#include "sensor/app/serve_user.h"

enum cli_exit
serve_user_run(const struct cli *c, struct buf *out, struct buf *messages)
{
    (void)c;
    (void)out;
    buf_str(messages, "span25: serve user is not there yet\n");
    return CLI_EXIT_FAILED;
}
