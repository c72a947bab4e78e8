#ifndef SPAN25_SIGMA_SIGMA_WINDOW_H
#define SPAN25_SIGMA_SIGMA_WINDOW_H
/* sigma_window - the buckets of one correlation
 *
 * A bucket is a tuple of group-by values with what happened to it: events in
 * time order, or distinct values, or when each rule matched last. Sliding: an
 * event counts until it is older than timespan, measured from the newest of
 * the bucket. Buckets, events of all buckets and events of one have maxima; the
 * idlest bucket, or the oldest event, makes room and is counted.
 *
 * Keys are hashes of 64 bits with a seed: two tuples, or two values, with the
 * same hash count as one. */
#include "rules/sigma/sigma_rule.h"

struct sigma_window;

/* One event for a window. */
struct sigma_feed {
    uint32_t ref;
    ns_t when;
    struct span group[SIGMA_GROUP_MAX];
    const uint64_t *value; /* hashes of value_count */
    uint32_t n_values;
    double number; /* of value_sum and the like; at most 10^15 */
};

/* What a bucket says when its condition is met; group lies in the bucket and
 * is borrowed until the next call. */
struct sigma_hit {
    ns_t when;
    double figure;
    struct span group[SIGMA_GROUP_MAX];
};

MUST_USE enum err sigma_window_new(const struct sigma_corr *c,
                                   const struct sigma_limits *limits,
                                   uint64_t seed, struct sigma_window **out);
void sigma_window_free(struct sigma_window *w);
/* The same correlation, read anew. */
void sigma_window_use(struct sigma_window *w, const struct sigma_corr *c);

/* True when the event completes the correlation. */
bool sigma_window_feed(struct sigma_window *w, const struct sigma_feed *f,
                       struct sigma_counts *counts, struct sigma_hit *hit);

/* When the first window of a condition with an upper bound ends; UINT64_MAX:
 * none is open. */
ns_t sigma_window_next(const struct sigma_window *w);
/* One that ended before now: *met says whether its condition held. It stays,
 * with what hit borrows from it, until sigma_window_drop. False: none. */
bool sigma_window_close(struct sigma_window *w, ns_t now, bool *met,
                        struct sigma_hit *hit);
void sigma_window_drop(struct sigma_window *w);

bool sigma_window_is_empty(const struct sigma_window *w);
/* All buckets, for sigma_window_load of a window of the same correlation, seed
 * and limits; what it held is gone. ERR_CORRUPT, ERR_LIMIT: the bytes are not
 * what was saved; the window may then hold a part of them. */
MUST_USE enum err sigma_window_save(const struct sigma_window *w,
                                    struct buf *out);
MUST_USE enum err sigma_window_load(struct sigma_window *w, struct span part);

uint64_t sigma_window_memory(const struct sigma_window *w);

#endif
