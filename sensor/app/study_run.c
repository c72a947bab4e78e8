#include "sensor/app/study.h"

enum cli_exit
study_run_run(const struct cli *c, struct buf *out, struct buf *messages)
{
    (void)c;
    (void)out;
    buf_str(messages, "span25: study run is not there yet\n");
    return CLI_EXIT_FAILED;
}
