#ifndef SPAN25_CORE_MERGE_H
#define SPAN25_CORE_MERGE_H
/* merge - records of all workers in the one order (timestamp, flow_id, seq)
 *
 * Each worker's ring carries records whose time never goes back (and whose flow
 * ids do not, once it said so by a tick of TICK_SORTED). A record is
 * given out when no worker can still send one that comes before it: when all
 * have gone past its time, as a later record or a tick shows, or have ended.
 * So the order is the same for any number of workers.
 *
 * Records of one place in this order are one event and the pieces of its file
 * (carve.h), which come before it.
 *
 * Records are checked here, once: what does not pass is counted and dropped, as
 * is what only the core may say (FIELD_EVENT_ID, places), and a record that
 * would have come before the worker's last one. Memory: a worker that is ahead
 * is not read further while more than MERGE_AHEAD bytes wait; the one that is
 * behind always is. So a worker whose time stands still could fill all memory:
 * what comes while MERGE_WAITING bytes wait is refused. */
#include "sensor/base/buf.h"
#include "sensor/base/ring.h"
#include "sensor/event/record.h"

#define MERGE_AHEAD   (64U << 20)
#define MERGE_WAITING (1U << 30)

struct merge;

MUST_USE enum err merge_new(struct ring *rings, size_t n,
                            struct ring_bell *bell, struct merge **out);
void merge_free(struct merge *m);

/* Another bound than MERGE_WAITING. */
void merge_bound(struct merge *m, uint64_t bytes);

/* Gives all records there are now to sink, in order, and returns; waits when
 * there is none. False when all workers have ended and all was given. Records
 * of type STATS and CONTROL without a flow are a worker's farewell: they are
 * given at once, in whatever order, through farewell. */
bool merge_step(struct merge *m, const struct record_sink *sink,
                const struct record_sink *farewell);

uint64_t merge_refused(const struct merge *m);

/* A worker's ring was damaged by a hostile or dying process. */
bool merge_corrupt(const struct merge *m);

#endif
