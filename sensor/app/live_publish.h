#ifndef SPAN25_APP_LIVE_PUBLISH_H
#define SPAN25_APP_LIVE_PUBLISH_H
/* live_publish - the process that gives events to the configured sinks
 *
 * Reads the journal and shows each line to each sink (publish.h): alerts,
 * decisions and what people did when the core says that they are on disk, the
 * rest when it is written, for a disk is slow to sync. So a machine that loses
 * its power may have published what its journal then lacks, of at most
 * LIVE_SYNC_NS. A sink that is away or slow costs disk and
 * nothing else. What a sink has acknowledged is on the board and, every
 * LIVE_PUBLISH_SAVE_NS and at the end, in its cursor.
 *
 * A sink whose cursor cannot be read or made is left out, told of and tried
 * again each LIVE_PUBLISH_AGAIN_NS; the others go on.
 *
 * At a stop it goes on until all is acknowledged, LIVE_PUBLISH_LAST_NS at most
 * after the core has ended; the rest goes out after the next start. */
#include "sensor/app/live.h"

#define LIVE_PUBLISH_SAVE_NS  (2 * NS_PER_S)
#define LIVE_PUBLISH_LAST_NS  (10 * NS_PER_S)
#define LIVE_PUBLISH_AGAIN_NS (5 * NS_PER_S)
#define LIVE_PUBLISH_NAP_NS   (2 * NS_PER_MS)
#define LIVE_PUBLISH_STEP     256U /* lines of the journal in one turn */

/* Names on the board, by the supervisor. */
void live_publish_prepare(struct live_board *b, const struct config_sinks *s);

/* Until the sensor is stopped. */
MUST_USE enum err live_publish_run(struct live *l);

#endif
