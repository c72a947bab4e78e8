#ifndef SPAN25_APP_READ_H
#define SPAN25_APP_READ_H
/* read - the verb: captures to events, a summary and a report */
#include "sensor/app/cli.h"

/* Runs to the end; messages go to standard error, the summary to standard
 * output. */
MUST_USE enum cli_exit read_main(const struct cli *cli);

#endif
