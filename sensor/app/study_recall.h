#ifndef SPAN25_APP_STUDY_RECALL_H
#define SPAN25_APP_STUDY_RECALL_H
/* study_recall - what the registry said of a host, by its latest event
 *
 * Events carry what the registry said when they happened. Where the registry
 * itself is not among the inputs, conclusions about a host are placed by that:
 * the state of its latest mail outward on port 25. At most STUDY_HOME hosts;
 * of others nothing is known. Keyed hashes. */
#include "sensor/base/err.h"
#include "sensor/event/record.h"

struct study_recall;

MUST_USE enum err study_recall_new(uint64_t seed, struct study_recall **out);
void study_recall_free(struct study_recall *r); /* NULL is fine */

void study_recall_event(struct study_recall *r, const struct record_map *event);

/* As a core_recall: ctx is the study_recall. Coded entries of src_reg, borrowed
 * until the next event; empty: nothing is known. */
struct span study_recall_find(void *ctx, const struct addr *a);

/* For a checkpoint. */
void study_recall_save(const struct study_recall *r, struct buf *out);
MUST_USE bool study_recall_load(struct study_recall *r, struct span saved);

#endif
