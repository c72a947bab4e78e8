#ifndef SPAN25_APP_LIVE_CORE_H
#define SPAN25_APP_LIVE_CORE_H
/* live_core - the core of a live sensor, in a process of its own
 *
 * Merges the workers' records, journals them, detects and decides. What is
 * new is given to the kernel at once, but not again within LIVE_FLUSH_NS: who
 * follows the journal waits so long for a mail at most; alerts and decisions
 * are on disk at once, everything within LIVE_SYNC_NS: index and page know
 * what is on disk, and people are to see a mail within a second. Each
 * LIVE_STATS_NS it journals the workers' counts and its own, each
 * LIVE_SNAPSHOT_NS a child saves the state of detection. While no event comes a
 * control event of kind tick moves the time, so that episodes end.
 *
 * After a crash it goes on where the last snapshot and the journal end; what
 * waited in its memory and was not yet flushed is lost, which the supervisor's
 * gap tells. */
#include "sensor/app/live.h"

#define LIVE_FLUSH_NS (10 * NS_PER_MS)
#define LIVE_SYNC_NS  (250 * NS_PER_MS)
/* Of what is older than this before its last beat nothing is lost with it:
 * the merge has waited for ticks, and all is flushed. */
#define LIVE_UNSAID_NS   (150 * NS_PER_MS)
#define LIVE_STATS_NS    (10 * NS_PER_S)
#define LIVE_SNAPSHOT_NS (60 * NS_PER_S)
#define LIVE_TICK_NS     (10 * NS_PER_S)

/* What the supervisor tells the core: a record of type CONTROL, whose kind is
 * "gap" (journaled as it is) or "reload" (not journaled; what takes force is).
 */
MUST_USE enum err live_core_run(struct live *l);

#endif
