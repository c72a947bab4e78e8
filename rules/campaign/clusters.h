#ifndef SPAN25_RULES_CAMPAIGN_CLUSTERS_H
#define SPAN25_RULES_CAMPAIGN_CLUSTERS_H
/* clusters - what belongs together: sources and messages within an hour
 *
 * An hour is the minute that runs and the 59 before. A cluster lives while one
 * of its messages is that young; whoever remembers it does so by a struct
 * cluster_ref, which finds nothing once the place was given to another. Without
 * a free place among CLUSTERS_LOOKS, the one of them with the fewest sources
 * goes, and is counted. Sources are exact up to CAMPAIGN_SOURCES each and
 * CLUSTERS_SOURCES in all, then at least. */
#include "rules/campaign/campaigns.h"

#define CLUSTERS_LOOKS   16U
#define CLUSTERS_SOURCES 1048576U /* 8 bytes each, of all clusters */
#define CLUSTERS_MINUTES 60U

struct clusters;

struct cluster_ref {
    uint32_t slot; /* + 1; 0: none */
    uint32_t generation;
};

MUST_USE enum err clusters_new(struct clusters **out);
void clusters_free(struct clusters *c); /* NULL is fine */

/* Opens one; about is the caller's (clusters_about). */
struct cluster_ref clusters_open(struct clusters *c, enum campaign_kind kind,
                                 uint64_t id, uint32_t about, uint32_t minute);
bool clusters_is(const struct clusters *c, struct cluster_ref r,
                 uint32_t minute);

/* Messages of a source, which is never 0. */
void clusters_add(struct clusters *c, struct cluster_ref r, uint32_t source,
                  uint32_t messages, uint32_t minute);

/* Is there a source besides this one? */
bool clusters_has_other(const struct clusters *c, struct cluster_ref r,
                        uint32_t source, uint32_t minute);

uint32_t *clusters_about(struct clusters *c, struct cluster_ref r);

/* Fills all but duplicate. */
void clusters_tell(const struct clusters *c, struct cluster_ref r,
                   uint32_t minute, struct campaign_join *out);

void clusters_save(const struct clusters *c, struct buf *out);
MUST_USE bool clusters_load(struct clusters *c, struct cursor *in);

struct clusters_counts {
    uint64_t living, evicted, memory_bytes;
};
struct clusters_counts clusters_counts(const struct clusters *c,
                                       uint32_t minute);

#endif
