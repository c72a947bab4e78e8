#ifndef SPAN25_APP_LIVE_KEEP_H
#define SPAN25_APP_LIVE_KEEP_H
/* live_keep - what the core removes from its state, and no longer writes
 *
 * Each LIVE_KEEP_NS journal and index lose what is older than journal.keep_*
 * (journal_retain.h, index_expire). A line of the journal stays while the index
 * has not taken it and while it is behind the last snapshot. That evidence of
 * an open alert goes stops nothing, but is told.
 *
 * Each LIVE_KEEP_EVIDENCE_NS the evidence objects of decisions older than
 * journal.keep_alerts go as well, some in each second (evidence_store.h).
 *
 * Each second the room on the disk is looked at, and what is journaled follows
 * it (live_room.h).
 *
 * All of it becomes events of type control: kind retention with how much of
 * what was removed; kind disk at each step (control.number), the last one with
 * the time from control.time to control.until in which something was not
 * journaled, and how much; kind gap when the packet ring stops, and again, with
 * both times, when it goes on. The numbers are on the board. */
#include "sensor/app/live.h"

#define LIVE_KEEP_NS          (60 * NS_PER_S)
#define LIVE_KEEP_FIRST_NS    (2 * NS_PER_S)
#define LIVE_KEEP_EVIDENCE_NS (3600 * NS_PER_S)

struct core;
struct detect;
struct journal;
struct live_keep;

struct live_keep_parts {
    const struct live *live;
    struct core *core;
    struct journal *journal;
    const struct detect *detect;
    struct record_sink tell; /* control records; their heads are not used */
};

MUST_USE enum err live_keep_new(const struct live_keep_parts *p,
                                struct live_keep **out);
void live_keep_free(struct live_keep *k); /* NULL is fine */

/* Once a second. saved: the journal position of the last good snapshot. */
void live_keep_second(struct live_keep *k, ns_t mono, ns_t utc, uint64_t saved,
                      struct buf *messages);

/* Is there so little room that only alerts may have it? */
bool live_keep_is_full(const struct live_keep *k);

/* In the process of the index: removes what is old from it. */
MUST_USE enum err live_keep_index(const struct live *l, struct buf *messages);

#endif
