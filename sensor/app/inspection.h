#ifndef SPAN25_APP_INSPECTION_H
#define SPAN25_APP_INSPECTION_H
/* inspection - what looks into parts of mail, from its configuration
 *
 * The list of hashes, the inspectors of content and those who ask clamd: made
 * before workers are, in this order, because their processes are forked when
 * there is little to copy. */
#include "dissectors/content/content.h"
#include "dissectors/content/hashlist.h"
#include "sensor/app/deep.h"
#include "sensor/app/options.h"
#include "sensor/app/worker.h"

struct inspection {
    struct hashlist *hashes; /* each may be NULL: not wanted */
    struct content *content;
    struct deep *deep;
    struct deep *clamd;
};

/* A slot for each of the plan's workers; fills the plan's members. What fails
 * is told; inspection_stop also then. */
MUST_USE enum err inspection_start(const struct config *c,
                                   struct worker_plan *plan,
                                   struct inspection *out,
                                   struct buf *messages);
/* In a process that is forked after inspection_start: deep_leave of both. */
void inspection_leave(struct inspection *i, unsigned but);
void inspection_stop(struct inspection *i); /* also of a zeroed one */

#endif
