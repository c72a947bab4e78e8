#ifndef SPAN25_CAPTURE_PCAPNG_OUT_H
#define SPAN25_CAPTURE_PCAPNG_OUT_H
/* pcapng_out - blocks of a pcapng file (draft-ietf-opsawg-pcapng), appended to
 * a buffer
 *
 * One section, little-endian, times in nanoseconds. The order is the caller's:
 * the head, every interface, then packets. A frame is written as it was
 * captured, its VLAN tags in it. */
#include "sensor/base/buf.h"
#include "sensor/event/packet.h"

/* Bytes that a block has besides the frame, with its padding. */
#define PCAPNG_OUT_OVERHEAD 36U

void pcapng_out_head(struct buf *b);
/* Its number is how many were written before. name: at most 65,535 bytes. */
void pcapng_out_iface(struct buf *b, uint16_t link, uint32_t snaplen,
                      struct span name);
/* p->link is not looked at, iface stands for p->iface. */
void pcapng_out_packet(struct buf *b, uint32_t iface, const struct packet *p);

#endif
