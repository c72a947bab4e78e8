#ifndef SPAN25_APP_LIVE_FEEDS_H
#define SPAN25_APP_LIVE_FEEDS_H
/* live_feeds - the process that makes the block lists of a live sensor
 *
 * Each LIVE_FEEDS_TURN_NS it looks whether a decision, an exception or the
 * registry is new, or an element is over, and makes a new set then; else one
 * each quarter of feeds.deadman, which moves the end of all. A set that is
 * refused (feed_make) leaves the last good one to be served until its end, and
 * the reason is logged. So is one when the sensor is blind (live_health.h),
 * when the core does not run, and when the index is LIVE_FEEDS_BEHIND_NS behind
 * the journal.
 *
 * A set without an element is made when each element of the one before has an
 * answer (feed_source_explains); the first one ever when feeds.empty says so.
 *
 * Reads index.db, registry.db and nothing else; writes STATE/feeds. */
#include "sensor/app/live.h"

#define LIVE_FEEDS_TURN_NS   (2 * NS_PER_S)
#define LIVE_FEEDS_BEHIND_NS (60 * NS_PER_S)
#define LIVE_FEEDS_SEEN_NS   (10 * NS_PER_S) /* fetches are noted so often */
#define LIVE_FEEDS_WAIT_MS   200U

/* feeds.lists, or feeds.listen and consumers. */
bool live_feeds_wanted(const struct config *c);

/* Addresses, formats, files: what is wrong is told. */
MUST_USE enum err live_feeds_check(const struct config *c,
                                   struct buf *messages);

/* Names on the board, by the supervisor. */
void live_feeds_label(struct live_board *b, const struct config *c);

/* Until the sensor is stopped. */
MUST_USE enum err live_feeds_run(struct live *l);

#endif
