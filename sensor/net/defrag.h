#ifndef SPAN25_NET_DEFRAG_H
#define SPAN25_NET_DEFRAG_H
/* defrag - put IPv4 and IPv6 datagrams together again, in stream time
 *
 * Give it each PACKET_FRAGMENT of decode; at DEFRAG_DONE *datagram is a whole
 * IP packet for decode_ip: the header of the first fragment with its length set
 * and, for IPv4, the fragment bits cleared, checksum left as it is; for IPv6
 * the fixed header without extension headers, as none of them matters here.
 *
 * Datagrams are told apart by source, destination, identification and, for
 * IPv4, protocol (RFC 791, RFC 8200 4.5); not by VLAN or tunnel, as fragments
 * may come by different ways. Where fragments overlap, the bytes that came
 * first stay, also in a teardrop and in IPv6 (RFC 5722 would drop all): hosts
 * differ, and dropping would blind us. For the same reason a TCP header split
 * over fragments is counted but read, and what reaches past the end of its
 * datagram is trimmed. A fragment that is empty, gives its datagram another
 * end, lies past the end or reaches past 65535 is DEFRAG_BAD and changes
 * nothing.
 *
 * A fragment that the capture cut leaves a hole: the datagram given back then
 * ends there, though its header says the whole length, as in any cut packet.
 *
 * A mirror port may send everything twice. A finished datagram is remembered
 * for DEFRAG_ECHO_NS: its fragments once more, all with the same bytes, give
 * nothing; with other bytes they are a new datagram, and none of it is lost.
 *
 * Memory: blocks of DEFRAG_BLOCK bytes up to max_bytes, kept for reuse until
 * defrag_free; past it, or past max_datagrams, the oldest datagram is given up.
 * The order of events depends on the input alone. Not thread-safe. */
#include "sensor/base/attr.h"
#include "sensor/event/packet.h"

/* name                 limit                why                              */
#define DEFRAG_TIMEOUT_NS                                                      \
    (30 * NS_PER_S) /* Linux gives up so late; RFC 8200                        \
                     * says 60, RFC 791 15 */
#define DEFRAG_ECHO_NS                                                         \
    (1 * NS_PER_S)        /* a mirror's copy comes in less than                \
                           * a millisecond, and an honest host                 \
                           * uses no identification twice in a                 \
                           * second (RFC 6864) */
#define DEFRAG_BLOCK 2048 /* bytes: a usual fragment and more */

enum defrag_answer { DEFRAG_WAIT, DEFRAG_DONE, DEFRAG_BAD };

#define DEFRAG_COUNTS(X)                                                       \
    X(fragments, "given to defrag")                                            \
    X(datagrams, "given back whole")                                           \
    X(cut, "given back with a hole, as the capture cut a fragment")            \
    X(duplicates, "fragments that came again with the same bytes")             \
    X(overlaps, "fragments that overlap others, not counting duplicates")      \
    X(overlaps_differ, "fragments that repeat bytes with other content")       \
    X(tiny, "fragments that split the TCP header (RFC 1858)")                  \
    X(bad, "fragments that are empty or contradict their datagram")            \
    X(trimmed, "fragments that reach past the end of their datagram")          \
    X(too_long, "fragments that reach past 65535 bytes")                       \
    X(timeouts, "datagrams not complete in time")                              \
    X(evicted, "incomplete datagrams given up for a newer one")                \
    X(no_memory, "fragments dropped as memory was out")

struct defrag_counts {
#define DEFRAG_COUNT(name, doc) uint64_t name;
    DEFRAG_COUNTS(DEFRAG_COUNT)
#undef DEFRAG_COUNT
};

struct defrag;

/* max_bytes is rounded up to what one datagram needs (64 KiB and a bit),
 * max_datagrams to 1; a datagram takes about 500 bytes besides. NULL when
 * memory is out. */
struct defrag *defrag_new(size_t max_bytes, size_t max_datagrams);
void defrag_free(struct defrag *d); /* NULL is fine */

/* *datagram is set at DEFRAG_DONE only, and borrowed until the next call.
 * frag may lie in the datagram given back last (fragments in a tunnel in
 * fragments).
 * A time before that of an earlier call counts as that earlier one. */
MUST_USE enum defrag_answer defrag_put(struct defrag *d,
                                       const struct decoded *frag, ns_t when,
                                       struct span *datagram);

/* Gives up what has timed out; for ticks, defrag_put does it by itself. */
void defrag_expire(struct defrag *d, ns_t now);

const struct defrag_counts *defrag_counts(const struct defrag *d);
size_t defrag_bytes(const struct defrag *d);   /* in blocks, all datagrams */
size_t defrag_waiting(const struct defrag *d); /* incomplete datagrams */

/* For tests: an allocation fails when deny says so. */
void defrag_deny(struct defrag *d, bool (*deny)(void *ctx), void *ctx);

#endif
