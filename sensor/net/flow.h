#ifndef SPAN25_NET_FLOW_H
#define SPAN25_NET_FLOW_H
/* flow - what a TCP segment means to its connection, RFC 9293
 *
 * One function: looks the connection up, or makes one, and goes through SYN,
 * RST, acknowledgement, payload and FIN. It sees both ends from the middle, so
 * it believes what is consistent and reports the rest; net.h says how.
 *
 * Copies by the mirror: a segment is one when direction, seq, ack, flags,
 * length, window and IP identification are those of one of the last CONN_SEEN
 * segments of the connection, within limits.duplicate_ms. Where there is no
 * identification (IPv6, or 0) a true retransmission looks the same, but comes
 * an RTO later: limits.duplicate_blind_us then, and never for a bare ACK, which
 * a receiver may repeat at once. A copy is counted and goes no further. */
#include "sensor/net/flow_life.h"

void flow_segment(struct flow_env *e, struct shard *s, const struct decoded *p,
                  uint16_t iface, uint32_t tag);

#endif
