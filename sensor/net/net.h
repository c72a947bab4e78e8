#ifndef SPAN25_NET_NET_H
#define SPAN25_NET_NET_H
/* net - packets in, TCP streams and datagrams out
 *
 * Decodes, defragments, keeps flows and puts each direction in order; tells a
 * dissector through struct stream_ops (event/stream.h has the contract).
 *
 * Shards. Flows live in FLOW_SHARDS tables by a symmetric hash of the inner
 * addresses and ports. Every worker is given every packet, keeps the time and
 * the fragments of all, and the flows of its own shards: those with
 * shard % n_workers == worker. Caps, timers and evictions are per shard, so a
 * flow's calls are the same with any number of workers. The seed must be the
 * same in all of them.
 *
 * Time. Stream time is the highest packet time seen, of all packets, in whole
 * microseconds; it never goes back. Packets with the same time move it on by
 * 1 us each limits.tie_bytes. Timers run on ticks, multiples of 100 ms, with
 * the tick's time; empty ticks are skipped. on_tick(T) comes once for all ticks
 * passed: no call with a time before T follows.
 *
 * Flows. A SYN, a SYN-ACK or a segment with payload makes one; anything else
 * of an unknown flow is ignored. The client is the sender of the SYN or
 * receiver of the SYN-ACK; without them the side whose peer has a listed port;
 * else (both or neither listed) the lower port is the server's, and of equal
 * ports the first sender is the client. midstream is cleared by either a SYN or
 * a SYN-ACK that fits the first byte seen. open() comes with the first payload
 * in either direction; a connection to a listed port that ends before is told
 * by attempt(). Flows on unlisted ports are shown to probe() with up to
 * limits.probe_bytes of each direction; until then, and after a no, they are
 * the first to be evicted, so a flood of SYNs costs its own kind only.
 *
 * Datagrams from datagram_port are told by datagram_ops, in stream time, to the
 * worker of their shard, by the same hash. Each is a flow of its own: its id
 * is made as that of a connection, with a hash of its payload for the sequence
 * number, so that several between the same ends at one time differ.
 *
 * Ends. Both FINs reached: at once, or while bytes before them are not
 * acknowledged at their acknowledgement, a RST or limits.last_ack_ms of
 * silence; such flows are among the first to be evicted. RST: when its sender
 * sends nothing new for limits.rst_linger_ms; it must have the next expected
 * number, or be near it where bytes are missing. In a capture of one side a FIN
 * and silence is an end too. A new SYN with another number replaces a flow that
 * is closed, has had no payload or was idle for limits.replace_idle_ms; else it
 * waits for a SYN-ACK that answers it, told as SYN_CHANGED.
 *
 * Where the dissector has no room for a session, up to 16 that are idle end for
 * it (evicted), out of the next of the shard's connections; after that the flow
 * is ignored (no_memory).
 *
 * Holes are given up when the peer acknowledged the bytes (or is not seen at
 * all) and limits.hole_acked_ms passed; else after limits.hole_open_ms; or when
 * the early bytes behind them pass limits.early_bytes or the shard's memory.
 * An acknowledgement of one byte beyond the last seen is taken as that of a FIN
 * not seen.
 *
 * Known gaps: window scale is not decoded, so only limits.wild_bytes bounds
 * what is plausible; PAWS and checksums are not looked at; bytes that arrive
 * after their gap was told count as retransmitted. */
#include "sensor/base/attr.h"
#include "sensor/base/err.h"
#include "sensor/event/packet.h"

struct net_limits {
#define X(name, value, unit, why) uint64_t name;
#include "sensor/net/net_limits.def"
#undef X
};
extern const struct net_limits net_limits_default;

/* X(name, scope, what). Scope ALL: of the whole capture, counted alike by every
 * worker; take one worker's. OWN: of this worker's shards; take the sum. */
#define NET_STATS_MAP(X)                                                       \
    X(packets, ALL, "packets")                                                 \
    X(bytes, ALL, "captured bytes")                                            \
    X(cut, ALL, "packets captured in part")                                    \
    X(malformed, ALL, "packets whose headers do not hold together")            \
    X(other, ALL, "packets that are not TCP")                                  \
    X(fragments, ALL, "IP fragments")                                          \
    X(defragmented, ALL, "datagrams made of fragments")                        \
    X(fragments_bad, ALL, "fragments refused")                                 \
    X(fragments_differ, ALL, "fragments that repeat bytes otherwise")          \
    X(datagrams_late, ALL, "datagrams not complete in time")                   \
    X(datagrams_evicted, ALL, "incomplete datagrams given up for newer ones")  \
    X(datagrams, ALL, "of the others, UDP datagrams from datagram_port")       \
    X(segments, ALL, "TCP segments")                                           \
    X(time_backward, ALL, "packets more than a second before the latest")      \
    X(time_ties, ALL, "microseconds added to packets of the same time")        \
    X(flows, OWN, "flows made")                                                \
    X(flows_open, OWN, "flows in the tables now")                              \
    X(sessions, OWN, "flows with a session")                                   \
    X(attempts, OWN, "connections to mail ports that ended without payload")   \
    X(midstream, OWN, "flows that began without a handshake")                  \
    X(ignored, OWN, "flows found to carry something else")                     \
    X(evicted, OWN, "live flows dropped for want of room")                     \
    X(no_memory, OWN, "flows or segments lost to a failed allocation")         \
    X(bytes_seen, OWN, "payload delivered")                                    \
    X(lost, OWN, "payload never seen")                                         \
    X(gaps, OWN, "runs of payload never seen")                                 \
    X(duplicates, OWN, "copies made by the mirror")                            \
    X(retransmitted, OWN, "segments with bytes seen before")                   \
    X(reordered, OWN, "segments that came late and filled a hole")             \
    X(overlaps_differ, OWN, "segments with another reading of old bytes")      \
    X(reassembly_dropped, OWN, "holes given up for want of room")              \
    X(wild, OWN, "segments far outside any window")                            \
    X(rst_ignored, OWN, "RSTs that did not fit")                               \
    X(memory_bytes, OWN, "memory in use now")

struct net_stats {
#define NET_STATS_FIELD(name, scope, what) uint64_t name;
    NET_STATS_MAP(NET_STATS_FIELD)
#undef NET_STATS_FIELD
};

struct net_options {
    unsigned worker;
    unsigned n_workers;    /* 1..FLOW_SHARDS */
    const uint16_t *ports; /* mail ports; copied */
    size_t n_ports;
    uint64_t memory_max; /* bytes, over all shards: flows, tables and
                          * early segments; not sessions */
    uint32_t flows_max;  /* over all shards */
    uint64_t seed;       /* of the tables */
    const struct net_limits *limits; /* NULL: the defaults; copied */
    const struct stream_ops *ops;    /* probe may be NULL: listed ports only */
    void *ops_ctx;
    uint16_t datagram_port; /* 0: no datagrams are told */
    const struct datagram_ops *datagram_ops;
    void *datagram_ctx;
    void (*on_tick)(void *ctx, ns_t tick); /* NULL is fine */
    void *tick_ctx;
    /* Asked about each TCP segment and told datagram, fragments put together;
     * false: its flow is another worker's. NULL: shards alone decide. */
    bool (*is_mine)(void *ctx, const struct decoded *d);
    void *mine_ctx;
    bool (*deny)(void *ctx); /* for tests: fails an allocation */
    void *deny_ctx;
};

struct net;

MUST_USE enum err net_new(const struct net_options *o, struct net **out);

/* Gives the stream time of the packet. */
ns_t net_packet(struct net *n, const struct packet *p);

/* The same for a packet decoded and whole: the seam for tests. */
ns_t net_segment(struct net *n, const struct decoded *d, uint16_t iface,
                 uint32_t caplen, ns_t when);

/* The time came to when without a packet, on a quiet link. */
ns_t net_time(struct net *n, ns_t when);

/* Stream time. */
ns_t net_now(const struct net *n);

/* End of the capture: all flows end now, END_CAPTURE, in the order of their
 * ids. sorted (NULL is fine) is called before the first one. False: there was
 * no memory to sort them, sorted was not called. */
bool net_finish(struct net *n, void (*sorted)(void *ctx), void *ctx);

const struct net_stats *net_stats(struct net *n);

/* Calls nobody: sessions end by net_finish, before. NULL is fine. */
void net_free(struct net *n);

#endif
