#ifndef SPAN25_NET_FLOW_KEY_H
#define SPAN25_NET_FLOW_KEY_H
/* flow_key - which flow a segment belongs to
 *
 * The key is addresses and ports, in either order; not VLAN and tunnel, for a
 * mirror shows one packet in several of them. */
#include "sensor/event/packet.h"

struct flow_key_seed {
    uint64_t k[5];
};

void flow_key_seed(struct flow_key_seed *k, uint64_t seed);

/* Symmetric; upper 6 bits are the shard, lower 32 the tag. */
uint64_t flow_key_hash(const struct flow_key_seed *k, const struct decoded *p);

/* True when p belongs to f, and in which direction. */
bool flow_key_match(const struct flow *f, const struct decoded *p, enum dir *d);

/* Writes tuple, way, TTL, MACs and id of a flow from its first packet. */
void flow_key_fill(struct flow *f, const struct decoded *p, enum dir d);

#endif
