#ifndef SPAN25_CORE_CARRY_H
#define SPAN25_CORE_CARRY_H
/* carry - audit records of registry.db into the journal, each once
 *
 * By the one who holds the journal's lock. In batches: the intent first, then
 * the events, a sync, and the marks. What a crash left in between is found out
 * from the journal at the place that the intent names. */
#include "sensor/core/core.h"
#include "sensor/store/registry_db.h"

#define CARRY_BATCH 1000 /* records */

struct carry {
    const char *dir; /* the state directory */
    struct registry_db *db;
    struct journal *journal;
    struct core *core; /* that writes to it */
    bool mended;       /* what a crash left was looked at; at first false */
};

/* Carries all that is not carried up to record `upto` (0: all). Failures are
 * told in message, one line without its end. */
MUST_USE enum err carry_all(struct carry *c, uint64_t upto,
                            struct buf *message);

#endif
