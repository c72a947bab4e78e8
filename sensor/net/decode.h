#ifndef SPAN25_NET_DECODE_H
#define SPAN25_NET_DECODE_H
/* decode - from a captured frame to the innermost IP packet
 *
 * Reads Ethernet, raw IP, Linux cooked (SLL, SLL2), BSD loopback and PPP; VLAN
 * stacks, LLC/SNAP, MPLS (IP or an Ethernet pseudowire), PPPoE, GRE, ERSPAN I
 * to III, VXLAN, Geneve, GTP-U, Teredo and IP in IP; IPv4 with options, IPv6
 * with extension headers, AH, TCP. One loop over the layers; nothing is
 * allocated, no state is kept between packets, all spans of the result borrow
 * the frame.
 *
 * What is set in struct decoded: kind, vlan, tunnel, the MAC addresses (of the
 * innermost Ethernet header), src, dst, proto, ttl, ip_id and payload always,
 * as zeros where there is none; the ports for PACKET_TCP and PACKET_UDP, the
 * other TCP fields only for PACKET_TCP, the frag_ fields only for
 * PACKET_FRAGMENT. VLANs and tunnels beyond FLOW_VLANS and
 * FLOW_TUNNELS are passed through but not recorded; outermost first.
 *
 * Lengths: payload.n <= payload_len and frag_data.n <= frag_len, always. The IP
 * length cuts off trailing padding. It may also say more than the frame had:
 * that is a capture with a snap length, or a mirror that truncates. An IPv4
 * total length or IPv6 payload length of 0 (TSO, BIG TCP) is taken from the
 * frame. PACKET_TCP means that the whole TCP header with its options was there.
 *
 * Checksums are never verified: on a host's own traffic they are all wrong.
 *
 * UDP tunnels are recognised by destination port (Teredo by either), so they
 * are a guess: when what is inside does not hold together, the result is the
 * outer packet as PACKET_OTHER. What comes from port 53 is no tunnel: a DNS
 * client may have taken a tunnel's port. PACKET_UDP is UDP on ports of no
 * tunnel with a whole UDP header; payload ends where the shorter of UDP and IP
 * length says.
 *
 * Known gaps: VXLAN VNI, GRE key and TEID are not kept, so two tenants with the
 * same addresses and ports look alike. GRE v1 (PPTP), GTP', 802.1ah, MACsec,
 * L2TP and ESP, encrypted or not, are PACKET_OTHER. IPv4 source routes are not
 * followed. */
#include "sensor/event/packet.h"

/* name                limit   why                                            */
#define DECODE_STEPS                                                           \
    32                    /* headers in a frame (a label stack, IP extension   \
                           * chain or GRE route list is one): the deepest      \
                           * sane overlay has 14, and it bounds the work */
#define DECODE_LABELS  16 /* MPLS labels: RFC 8662 speaks of up to about 12 */
#define DECODE_EXT     16 /* IPv6 extension and AH headers: RFC 8200 has 7 */
#define DECODE_SRE     8  /* GRE source routes, never seen alive */
#define DECODE_GTP_EXT 8  /* GTP-U extension headers: 3GPP has 6 kinds */
/* Past any of them the packet is PACKET_OTHER, whole and counted as such. */

/* iface and when of the packet are not looked at. */
void decode_packet(const struct packet *p, struct decoded *out);

/* A datagram that defrag gives back. *inout is the result for its last fragment
 * and keeps the way here (VLANs, tunnels, MAC addresses); all else is set anew.
 * May give PACKET_FRAGMENT again, for a tunnel inside, which is shorter. */
void decode_ip(struct span ip, struct decoded *inout);

#endif
