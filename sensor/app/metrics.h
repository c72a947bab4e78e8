#ifndef SPAN25_APP_METRICS_H
#define SPAN25_APP_METRICS_H
/* metrics - the books of each sink: span25 metrics
 *
 * From the cursors in the state (publish.h), which are at most
 * LIVE_PUBLISH_SAVE_NS old while a sensor runs, and exact for the line of the
 * journal that they name. */
#include "sensor/app/cli.h"

MUST_USE enum cli_exit metrics_run(const struct cli *c, struct buf *out,
                                   struct buf *messages);

#endif
