#ifndef SPAN25_JOURNAL_RETAIN_H
#define SPAN25_JOURNAL_RETAIN_H
/* journal_retain - removes from a journal what is older than it is to be
 *
 * Closed, compressed segments only. A segment is as old as its last line. When
 * a kind of keep.h is past its time it is taken out (journal_thin.h); when all
 * are, the segment is deleted, the oldest first, so that what is left has no
 * hole. When the journal is larger than it may be, everything but the most
 * worthy kind is taken out from the oldest segments on, and then the oldest are
 * deleted.
 *
 * A segment with a line that is still needed, by number, stays whole: it and
 * all behind it are counted as held when they are past their time. One run
 * rewrites at most JOURNAL_RETAIN_MOST segments; what is left is for the next.
 */
#include "sensor/base/ns.h"
#include "sensor/journal/journal_thin.h"

#define JOURNAL_RETAIN_MOST 64U

struct journal_keep {
    ns_t age[KEEP_KINDS]; /* 0: for ever */
    uint64_t bytes;       /* of all segments; 0: any number */
    uint64_t needed;      /* from this line on: stays */
};

/* What a run did. */
struct journal_kept {
    uint64_t segments;          /* deleted */
    uint64_t thinned;           /* rewritten */
    uint64_t lines[KEEP_KINDS]; /* removed */
    uint64_t bytes;             /* freed */
    ns_t upto;        /* the newest segment that was touched is so old, UTC */
    uint64_t held;    /* segments past their time that are needed */
    uint64_t failed;  /* that could not be removed or rewritten */
    uint64_t damaged; /* left as they are, with what would have been cut */
    bool more;        /* there is more to do */
};

/* below: segments from this one on are not closed. now: UTC. */
MUST_USE enum err journal_retain(int dir, const struct journal_keep *keep,
                                 uint64_t below, ns_t now,
                                 const struct journal_io *io,
                                 struct journal_kept *out);

#endif
