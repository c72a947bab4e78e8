#ifndef SPAN25_EVENT_PACKET_H
#define SPAN25_EVENT_PACKET_H
/* packet - a captured frame, and what decoding found in it */
#include "sensor/base/addr.h"
#include "sensor/base/ns.h"
#include "sensor/event/stream.h"

/* As capture gives it; data is borrowed until the next packet. */
struct packet {
    struct span data;  /* captured bytes */
    uint32_t wire_len; /* bytes on the wire */
    uint16_t link;     /* LINKTYPE_ value of the interface */
    uint16_t iface;    /* number of the interface, over all files */
    ns_t when;         /* capture time */
};

#define TUNNEL_MAP(X)                                                          \
    X(NONE, "")                                                                \
    X(MPLS, "mpls")                                                            \
    X(PPPOE, "pppoe")                                                          \
    X(GRE, "gre")                                                              \
    X(ERSPAN, "erspan")                                                        \
    X(VXLAN, "vxlan")                                                          \
    X(GENEVE, "geneve")                                                        \
    X(IPIP, "ipip") /* 4in4, 4in6, 6in4, 6in6 */                               \
    X(GTP, "gtp")                                                              \
    X(TEREDO, "teredo")

enum tunnel {
#define TUNNEL_ENUM(id, name) TUNNEL_##id,
    TUNNEL_MAP(TUNNEL_ENUM)
#undef TUNNEL_ENUM
};

/* What the innermost IP packet is. */
enum packet_kind {
    PACKET_TCP,      /* the TCP fields below are set */
    PACKET_FRAGMENT, /* an IP fragment: give it to defrag */
    PACKET_UDP,      /* UDP and no tunnel: ports and payload are set */
    PACKET_OTHER,    /* whole, but none of these */
    PACKET_BAD,      /* headers do not hold together, or are cut short */
};

#define TCP_FIN 0x01U
#define TCP_SYN 0x02U
#define TCP_RST 0x04U
#define TCP_PSH 0x08U
#define TCP_ACK 0x10U
#define TCP_URG 0x20U

struct decoded {
    enum packet_kind kind;
    struct addr src;
    struct addr dst;
    uint8_t ttl;
    uint8_t proto;  /* IP protocol of the innermost packet */
    uint16_t ip_id; /* IPv4 identification, 0 for IPv6 */
    /* TCP, the first two and payload of UDP too */
    uint16_t sport;
    uint16_t dport;
    uint32_t seq;
    uint32_t ack;
    uint16_t window;
    uint8_t flags;        /* TCP_ bits */
    bool urgent;          /* URG with a non-zero pointer */
    struct span payload;  /* captured part of it */
    uint32_t payload_len; /* as the IP length says; more than payload.n when
                           * the packet was cut by the capture */
    /* the way here */
    uint16_t vlan[FLOW_VLANS];
    uint8_t n_vlan;
    uint8_t n_tunnel;
    uint8_t tunnel[FLOW_TUNNELS];
    uint8_t mac_src[6];
    uint8_t mac_dst[6];
    bool has_mac;
    /* fragments: see net/defrag.h */
    uint32_t frag_id;
    uint32_t frag_offset; /* bytes */
    bool frag_more;
    struct span frag_head; /* IPv4 header with options, or the fixed 40 bytes
                            * of the IPv6 header */
    struct span frag_data; /* captured part of the fragment's payload */
    uint32_t frag_len;     /* as the IP length says */
};

#endif
