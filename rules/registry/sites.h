#ifndef SPAN25_RULES_REGISTRY_SITES_H
#define SPAN25_RULES_REGISTRY_SITES_H
/* sites - the networks of a site: prefixes, VLANs, owner, pools
 *
 * From the configuration (`sites:`). The home networks are all their prefixes
 * and those of network.home. A site is found by the longest prefix that holds
 * an address; an address at home that is in no site's prefix belongs to the
 * site of its VLAN. A pool is a prefix whose addresses do not stand for one
 * host: nat and vpn (many at a time), dhcp (one after the other); the longest
 * counts, and a pool alone makes no home. A look-up is one of prefix_map. */
#include "rules/registry/prefix_map.h"
#include "sensor/base/ns.h"

#define SITES_MAX      100000
#define SITES_VLAN_MAX 4094 /* IEEE 802.1Q: 0 and 4095 are none */

/* X(id, word, doc) */
#define SITES_POOLS(X)                                                         \
    X(NONE, "static", "one host holds the address for good")                   \
    X(DHCP, "dhcp", "handed out for a time")                                   \
    X(NAT, "nat", "several hosts behind one address")                          \
    X(VPN, "vpn", "handed out to whoever dials in")

enum sites_pool {
#define SITES_ENUM(id, word, doc) SITES_POOL_##id,
    SITES_POOLS(SITES_ENUM)
#undef SITES_ENUM
};

struct site {
    const char *code; /* short name, unique */
    const char *name;
    const char *owner;   /* who answers for it, or NULL */
    const char *contact; /* e-mail or phone, or NULL */
    const char *zone;    /* time zone of display, or NULL */
};

struct sites;

/* Building: texts are copied. */
MUST_USE enum err sites_new(struct sites **out);
void sites_free(struct sites *s);
/* ERR_EXISTS: the code is taken; ERR_LIMIT past SITES_MAX. *index is for the
 * calls below. */
MUST_USE enum err sites_add(struct sites *s, const struct site *site,
                            uint32_t *index);
/* ERR_LIMIT past PREFIX_MAP_MAX prefixes of all kinds. */
MUST_USE enum err sites_add_prefix(struct sites *s, uint32_t site,
                                   const struct prefix *p);
MUST_USE enum err sites_add_pool(struct sites *s, const struct prefix *p,
                                 enum sites_pool kind);
/* ERR_USAGE: not a VLAN, 1..SITES_VLAN_MAX. */
MUST_USE enum err sites_add_vlan(struct sites *s, uint32_t site, uint16_t vlan);
/* A home network of no site. */
MUST_USE enum err sites_add_home(struct sites *s, const struct prefix *p);
/* ERR_EXISTS, with a line in why, when two sites have the same prefix or VLAN,
 * or a prefix is a pool of two kinds. To be called once, before look-ups. */
MUST_USE enum err sites_done(struct sites *s, struct buf *why);

size_t sites_n(const struct sites *s);
const struct site *sites_at(const struct sites *s, size_t i);
/* The home networks by address, without those within another. */
size_t sites_n_home(const struct sites *s);
const struct prefix *sites_home(const struct sites *s);

struct sites_place {
    bool home;
    const struct site *site; /* or NULL */
    enum sites_pool pool;
};
/* vlan is the innermost of the event, 0: none. */
struct sites_place sites_find(const struct sites *s, const struct addr *a,
                              uint16_t vlan);

#endif
