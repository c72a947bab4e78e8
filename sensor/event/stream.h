#ifndef SPAN25_EVENT_STREAM_H
#define SPAN25_EVENT_STREAM_H
/* stream - what net tells a dissector about a TCP connection
 *
 * net delivers each direction's bytes once, in order. Bytes that never came are
 * a gap. The calls for one connection: open, then data/gap in any mix, then end
 * exactly once. All times are stream time (never go back). */
#include "sensor/base/addr.h"
#include "sensor/base/ns.h"
#include "sensor/event/record.h"

enum dir { DIR_C2S, DIR_S2C };

static inline enum dir
dir_other(enum dir d)
{
    return d == DIR_C2S ? DIR_S2C : DIR_C2S;
}

/* Borrowed bytes; offset is their place in this direction's stream, from 0 at
 * the first byte after the SYN (or at the first byte seen). peer_acked is how
 * far the sender of this segment had acknowledged the other direction, as an
 * offset in that direction: what it can have read when it wrote this. It is
 * STREAM_ACK_UNKNOWN where that cannot be told. seen is the capture time of the
 * segment that first carried these bytes, in whole microseconds: when itself as
 * a rule, earlier for bytes that waited behind a hole, and never later. From
 * one chunk to the next it may go back. */
struct chunk {
    struct span data;
    enum dir dir;
    ns_t when;
    uint64_t offset;
    uint64_t peer_acked;
    ns_t seen;
};
#define STREAM_ACK_UNKNOWN UINT64_MAX

#define END_WHY_MAP(X)                                                         \
    X(FIN, "fin")                                                              \
    X(RST, "rst")                                                              \
    X(TIMEOUT, "timeout")                                                      \
    X(EVICTED, "evicted")                                                      \
    X(CAPTURE, "capture_end")                                                  \
    X(REPLACED, "replaced") /* a new SYN on the same ports */

enum end_why {
#define END_ENUM(id, name) END_##id,
    END_WHY_MAP(END_ENUM)
#undef END_ENUM
};

#define FLOW_SHARDS  64
#define FLOW_VLANS   4
#define FLOW_TUNNELS 4

/* What found the protocol on a connection. */
#define FLOW_FOUND_MAP(X)                                                      \
    X(PORT, NULL) /* its port is listed */                                     \
    X(PROBE, "probe")                                                          \
    X(NDPI, "ndpi")

enum flow_found {
#define FOUND_ENUM(id, name) FLOW_FOUND_##id,
    FLOW_FOUND_MAP(FOUND_ENUM)
#undef FOUND_ENUM
};

/* One direction's counts; offsets are stream offsets. */
struct flow_half {
    uint64_t packets;
    uint64_t bytes; /* payload delivered, each byte once */
    uint64_t acked; /* payload acknowledged by the other side */
    uint64_t lost;  /* payload in gaps */
    uint32_t gaps;
    uint32_t retransmitted;
    uint32_t duplicates;
    uint32_t reordered;
    uint32_t overlaps_differ;
    uint8_t ttl;      /* of the first packet */
    bool fin_unread;  /* its FIN acknowledged no payload of the other side */
    uint16_t skipped; /* payload before the protocol, never delivered */
};

/* Read-only for dissectors, owned by net, valid from open until end returns. */
struct flow {
    struct addr client;
    struct addr server;
    uint16_t client_port;
    uint16_t server_port;
    uint32_t next_seq; /* sequence number of the flow's next event */
    uint64_t id;       /* below 2^51 */
    ns_t start;        /* first packet, stream time */
    ns_t established;  /* stream time of the handshake's last ACK, or 0 */
    uint16_t vlan[FLOW_VLANS];
    uint8_t tunnel[FLOW_TUNNELS]; /* enum tunnel of packet.h, 0 ends */
    uint8_t n_vlan;
    uint8_t mac_src[6]; /* client's first packet; zeros where not Ethernet */
    uint8_t mac_dst[6];
    uint8_t mac_server[6]; /* source of the server's first packet */
    bool handshake;        /* SYN, SYN-ACK and an ACK of it seen */
    bool midstream;        /* neither SYN nor SYN-ACK seen, or not before the
                            * first byte: bytes before that may be missing */
    bool has_mac;
    bool has_mac_server;
    uint8_t found_by;         /* enum flow_found */
    uint8_t shard;            /* 0..FLOW_SHARDS-1; caps are per shard */
    uint16_t iface;           /* index of the capture's interface */
    struct flow_half half[2]; /* by enum dir: of that direction's sender */
};

#define ANOMALY_LEVELS(X) X(INFO, "info") X(NOTICE, "notice") X(HIGH, "high")
enum anomaly_level {
#define LEVEL_ENUM(id, name) LEVEL_##id,
    ANOMALY_LEVELS(LEVEL_ENUM)
#undef LEVEL_ENUM
};

/* An oddity of the transport, told by net to the dissector of the flow, which
 * reports it once per kind and connection. Names in anomaly.def. */
struct stream_ops {
    /* A session for this flow, or NULL: no room. Then sessions of the same
     * shard that are idle may end (END_EVICTED), and it is asked again; at last
     * the flow is ignored, which net counts. */
    void *(*open)(void *ctx, struct flow *f, ns_t when);
    void (*data)(void *session, const struct chunk *c);
    void (*gap)(void *session, enum dir d, uint64_t lost, ns_t when);
    /* kind is enum anomaly (anomaly.h); other is the second reading of bytes
     * already delivered, or empty. */
    void (*odd)(void *session, unsigned kind, enum dir d, uint64_t offset,
                struct span other, ns_t when);
    /* Called once when stream time passes what wants_tick gave. */
    void (*tick)(void *session, ns_t now);
    ns_t (*wants_tick)(const void *session); /* 0: not */
    /* Frees the session. */
    void (*end)(void *session, enum end_why why, ns_t when);
    /* A connection to a mail port that ends without a byte of payload. */
    void (*attempt)(void *ctx, struct flow *f, bool refused, bool answered,
                    ns_t when);
    /* Does this beginning of a connection on an unlisted port look like the
     * protocol? first bytes of each direction, perhaps empty.
     * 1 yes, 0 not yet known, -1 no. *skip: bytes per direction that come
     * before the protocol (an HTTP CONNECT exchange). */
    int (*probe)(struct span c2s, struct span s2c, size_t skip[2]);
    /* A second opinion, asked at the same places when probe did not say yes;
     * NULL: there is none. 0 not yet known, -1 no, or enum flow_found: yes.
     * After -1 it is not asked again, and the connection is ignored when both
     * said no. *state is its own, NULL at first and after any answer but 0;
     * else second_end is called. Whole lines count, so that it does not matter
     * how they came. */
    int (*second)(void *ctx, const struct flow *f, void **state,
                  struct span c2s, struct span s2c);
    void (*second_end)(void *ctx, const struct flow *f, void **state);
};

/* What net tells of single datagrams (UDP) from a port of interest, put
 * together from fragments where needed. A flow is one datagram: its receiver
 * is the client, its sender the server. */
struct datagram_ops {
    /* Is this payload worth a flow? Asked for each. */
    bool (*wants)(void *ctx, struct span payload);
    /* whole: not cut by the capture. f ends with the call. */
    void (*data)(void *ctx, struct flow *f, struct span payload, bool whole,
                 ns_t when);
};

#endif
