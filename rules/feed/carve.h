#ifndef SPAN25_RULES_FEED_CARVE_H
#define SPAN25_RULES_FEED_CARVE_H
/* carve - prefixes within prefixes, and what is left of a range
 *
 * Both give ranges that do not overlap, ascending. An IPv4 range and an IPv6
 * range never meet, as long as no IPv6 prefix is shorter than it takes to hold
 * ::ffff:0:0/96: the callers refuse those. Pure; no recursion. */
#include "rules/registry/permits.h"

struct carve_item {
    struct prefix prefix; /* host bits 0 */
    size_t id;            /* the caller's */
};

typedef void carve_put(void *ctx, size_t id, const struct permits_range *r);

/* No more than 128 bits, and none set behind them. */
bool carve_is_whole(const struct prefix *p);

/* By address, the shorter prefix first, then by id. */
void carve_sort(struct carve_item *v, size_t n);

/* Of sorted prefixes without doubles: each address belongs to the longest one
 * that holds it. At most 2n - 1 calls; those of one id need not follow one
 * another. */
void carve_inner(const struct carve_item *v, size_t n, carve_put *put,
                 void *ctx);

/* What of r is in none of the joined ranges (permits_join); log n and one step
 * for each range that meets r. */
void carve_without(const struct permits_range *r,
                   const struct permits_range *holes, size_t n, size_t id,
                   carve_put *put, void *ctx);

#endif
