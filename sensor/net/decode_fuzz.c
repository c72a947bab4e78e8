/* Link type by the first byte, bytes missing from the capture by the second;
 * the rest is the frame, in a block of exactly its size. */
#include <stdint.h>
#include <stdlib.h>

#include "sensor/base/attr.h"
#include "sensor/net/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const uint16_t links[] = {1,   0,   9,   12,  14,  50,  51,  101,
                                 108, 113, 228, 229, 276, 147, 127, 65535};

static void
require_inside(struct span s, struct span all)
{
    REQUIRE(s.n == 0 || (s.p >= all.p && s.p + s.n <= all.p + all.n));
}

static void
require_sound(const struct decoded *d, struct span all)
{
    REQUIRE(d->n_vlan <= FLOW_VLANS && d->n_tunnel <= FLOW_TUNNELS);
    for (size_t i = 0; i < FLOW_TUNNELS; i++) {
        REQUIRE(d->tunnel[i] <= TUNNEL_TEREDO);
        REQUIRE((d->tunnel[i] != TUNNEL_NONE) == (i < d->n_tunnel));
    }
    for (size_t i = 0; i < FLOW_VLANS; i++)
        REQUIRE(d->vlan[i] <= 0xfff && (i < d->n_vlan || d->vlan[i] == 0));
    switch (d->kind) {
    case PACKET_TCP:
        require_inside(d->payload, all);
        REQUIRE(d->payload.n <= d->payload_len && d->proto == 6);
        REQUIRE(all.n >= d->payload.n + 40);
        REQUIRE((d->flags & 0xc0) == 0);
        return;
    case PACKET_UDP:
        require_inside(d->payload, all);
        REQUIRE(d->payload.n <= d->payload_len && d->proto == 17);
        REQUIRE(all.n >= d->payload.n + 28);
        return;
    case PACKET_FRAGMENT:
        require_inside(d->frag_data, all);
        require_inside(d->frag_head, all);
        REQUIRE(d->frag_head.n >= 20 && d->frag_head.n <= 60);
        REQUIRE(d->frag_data.n <= d->frag_len);
        REQUIRE(d->frag_offset % 8 == 0 && d->frag_offset <= 65528);
        REQUIRE(d->frag_offset > 0 || d->frag_more);
        REQUIRE(d->payload.n == 0);
        return;
    case PACKET_OTHER:
    case PACKET_BAD: REQUIRE(d->payload.n == 0 && d->payload_len == 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct packet p = {.iface = 0};
    struct decoded d, again;
    uint8_t *copy;

    if (n < 2)
        return 0;
    copy = malloc(n - 2 > 0 ? n - 2 : 1);
    if (copy == NULL)
        return 0;
    memcpy(copy, data + 2, n - 2);
    p.link = links[data[0] % ARRAY_LEN(links)];
    p.data = span_of(copy, n - 2);
    p.wire_len = (uint32_t)(n - 2 + (data[1] & 0x80 ? data[1] * 64U : 0));
    memset(&d, 0, sizeof(d));
    memset(&again, 0xff, sizeof(again));
    decode_packet(&p, &d);
    require_sound(&d, p.data);
    /* nothing is left over from the packet before */
    decode_packet(&p, &again);
    REQUIRE(d.kind == again.kind && addr_cmp(&d.src, &again.src) == 0);
    REQUIRE(memcmp(d.mac_src, again.mac_src, 6) == 0 && d.proto == again.proto);
    decode_ip(p.data, &d);
    require_sound(&d, p.data);
    free(copy);
    return 0;
}
