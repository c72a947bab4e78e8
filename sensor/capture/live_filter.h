#ifndef SPAN25_CAPTURE_LIVE_FILTER_H
#define SPAN25_CAPTURE_LIVE_FILTER_H
/* live_filter - what the kernel hands to a worker, and which flows are its own
 *
 * The filter is a pcap-filter(7) text. It matches a packet untagged, with one
 * VLAN tag and with two, whether the tag stands in the frame or beside it:
 *
 *     (X) or (vlan and ((X) or (vlan and (X))))
 *
 * X takes the mail ports (or all of TCP), answers from UDP port 53 where these
 * are wanted, fragments, and tunnels where these are. Of plain TCP and UDP it
 * takes the worker's share only, told by a symmetric hash of addresses and
 * ports that is written into the filter as arithmetic. What the arithmetic
 * cannot see into (fragments, IPv6 extension headers, tunnels) goes to every
 * worker; live_filter_is_mine then tells by the packet decoded, with the same
 * hash, whose it is. So each flow has exactly one owner, whichever interface
 * its directions come on, and the death of one worker moves nobody's flows:
 * kernel fanout gives neither, for it goes by the order in which the sockets
 * joined, on each interface apart.
 *
 * The key keeps senders from choosing the worker from afar; it is as weak as 32
 * bits of multiplication are. Known gap: three VLAN tags are not matched. */
#include "sensor/base/buf.h"
#include "sensor/event/packet.h"

struct live_share {
    unsigned worker;
    unsigned n_workers; /* 1: all is its own */
    uint32_t key;       /* the same in all workers */
};

struct live_filter {
    /* Of the user, or NULL: taken besides, within each of the three forms. One
     * that speaks of VLANs itself stands alone, as it is. */
    const char *user;
    const uint16_t *ports;
    size_t n_ports;
    bool any_port; /* all of TCP: flows on other ports are probed */
    bool dns;
    bool tunnels;
    struct live_share share;
};

/* Appends the text, without NUL. plain: only X, for links without VLANs. */
void live_filter_text(const struct live_filter *f, bool plain, struct buf *out);

/* Of a packet decoded, the innermost. */
bool live_filter_is_mine(const struct live_share *s, const struct decoded *d);

#endif
