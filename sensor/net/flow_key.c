#include "sensor/net/flow_key.h"

#include "sensor/base/hash.h"

#define FLOW_ID_SEED  UINT64_C(0x7370616e3235)
#define FLOW_ID_SHIFT 13 /* leaves 51 bits, exact in a double */

__extension__ typedef unsigned __int128 wide_t;

static uint64_t
fold(uint64_t a, uint64_t b)
{
    wide_t v = (wide_t)a * b;

    return (uint64_t)v ^ (uint64_t)(v >> 64);
}

static uint64_t
endpoint(const struct flow_key_seed *k, const struct addr *a, uint16_t port)
{
    uint64_t lo;
    uint64_t hi;

    memcpy(&lo, a->b, 8);
    memcpy(&hi, a->b + 8, 8);
    return fold(fold(lo ^ k->k[0], hi ^ k->k[1]) ^ port, k->k[2]);
}

void
flow_key_seed(struct flow_key_seed *k, uint64_t seed)
{
    for (unsigned i = 0; i < ARRAY_LEN(k->k); i++) {
        seed = hash_mix(seed, i);
        k->k[i] = seed | 1;
    }
}

uint64_t
flow_key_hash(const struct flow_key_seed *k, const struct decoded *p)
{
    uint64_t a = endpoint(k, &p->src, p->sport);
    uint64_t b = endpoint(k, &p->dst, p->dport);

    return fold((a + b) ^ k->k[3], (a ^ b) + k->k[4]);
}

bool
flow_key_match(const struct flow *f, const struct decoded *p, enum dir *d)
{
    if (f->client_port == p->sport && f->server_port == p->dport &&
        addr_cmp(&f->client, &p->src) == 0 &&
        addr_cmp(&f->server, &p->dst) == 0) {
        *d = DIR_C2S;
        return true;
    }
    *d = DIR_S2C;
    return f->client_port == p->dport && f->server_port == p->sport &&
           addr_cmp(&f->client, &p->dst) == 0 &&
           addr_cmp(&f->server, &p->src) == 0;
}

static uint64_t
flow_id(const struct flow *f, uint32_t seq)
{
    uint64_t h = hash_span(span_of(f->client.b, 16), FLOW_ID_SEED);

    h = hash_span(span_of(f->server.b, 16), h);
    h = hash_mix(h, (uint64_t)f->client_port << 16 | f->server_port);
    for (unsigned i = 0; i < f->n_vlan; i++)
        h = hash_mix(h, f->vlan[i]);
    for (unsigned i = 0; i < FLOW_TUNNELS; i++)
        h = hash_mix(h, f->tunnel[i]);
    h = hash_mix(h, f->start);
    h = hash_mix(h, seq) >> FLOW_ID_SHIFT;
    return h != 0 ? h : 1;
}

void
flow_key_fill(struct flow *f, const struct decoded *p, enum dir d)
{
    bool c2s = d == DIR_C2S;

    f->client = c2s ? p->src : p->dst;
    f->server = c2s ? p->dst : p->src;
    f->client_port = c2s ? p->sport : p->dport;
    f->server_port = c2s ? p->dport : p->sport;
    f->n_vlan = p->n_vlan < FLOW_VLANS ? p->n_vlan : FLOW_VLANS;
    for (unsigned i = 0; i < f->n_vlan; i++)
        f->vlan[i] = p->vlan[i];
    for (unsigned i = 0; i < p->n_tunnel && i < FLOW_TUNNELS; i++)
        f->tunnel[i] = p->tunnel[i];
    f->id = flow_id(f, p->seq);
}
