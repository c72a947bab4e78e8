#ifndef SPAN25_RULES_REGISTRY_PREFIX_MAP_H
#define SPAN25_RULES_REGISTRY_PREFIX_MAP_H
/* prefix_map - the longest prefix that holds an address
 *
 * Built once from prefixes and their values, then read only. A look-up in
 * 100,000 prefixes waits for memory about once when cold, as its probes
 * overlap; twice when more than twelve lengths occur in a family (IPv4, IPv6),
 * whatever the prefixes. A place gives its value from the same cache line.
 * An IPv4 address is in IPv4 prefixes only. Each prefix knows the next shorter
 * one around it, so a caller that does not like the longest can go on. */
#include "sensor/base/addr.h"
#include "sensor/base/err.h"

#define PREFIX_MAP_NONE UINT32_MAX
#define PREFIX_MAP_MAX  (1U << 24)

#define PREFIX_MAP_BESIDE 32U /* bytes of the caller's in a wide map */

struct prefix_map;

struct prefix_item {
    struct prefix prefix; /* host bits 0 */
    uint32_t value;       /* < PREFIX_MAP_NONE */
};

/* items are the caller's. Of equal prefixes the first counts; the number of
 * others is in *doubles (if not NULL). ERR_LIMIT past PREFIX_MAP_MAX. */
MUST_USE enum err prefix_map_new(const struct prefix_item *items, size_t n,
                                 struct prefix_map **out, size_t *doubles);
/* The same, of double size: in the cache line of each prefix are
 * PREFIX_MAP_BESIDE bytes of the caller's, 0 at first. */
MUST_USE enum err prefix_map_new_wide(const struct prefix_item *items, size_t n,
                                      struct prefix_map **out);
void prefix_map_free(struct prefix_map *m);

/* The place of the longest prefix that holds a, or PREFIX_MAP_NONE. */
uint32_t prefix_map_find(const struct prefix_map *m, const struct addr *a);
uint32_t prefix_map_value(const struct prefix_map *m, uint32_t place);
/* The next shorter prefix around it, or PREFIX_MAP_NONE. */
uint32_t prefix_map_outer(const struct prefix_map *m, uint32_t place);
/* What stands beside it in a wide map; aligned for a pointer. */
void *prefix_map_beside(struct prefix_map *m, uint32_t place);

#endif
