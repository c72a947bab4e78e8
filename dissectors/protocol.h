#ifndef SPAN25_DISSECTORS_PROTOCOL_H
#define SPAN25_DISSECTORS_PROTOCOL_H
/* protocol - what a connection on a mail port carries that is not mail
 *
 * Our own dissector decides what is SMTP. Of what is not, the first bytes of
 * both sides are shown to nDPI, in packets made for it: so it sees streams in
 * order, whatever the segments were (by itself it does not reassemble), and
 * never a packet from the wire. Only the protocols of protocol.def are switched
 * on; HTTP is told by its first line, because nDPI 4.2 had faults in that part
 * that were mended later. What nDPI notes of credentials is wiped.
 *
 * One namer belongs to one thread: about 5 MB and 15 ms to make. Where it
 * cannot be had, only HTTP is named. */
#include "sensor/base/attr.h"
#include "sensor/base/err.h"
#include "sensor/base/span.h"

#define PROTOCOL_BYTES 128 /* of each side are looked at */

struct protocol;

MUST_USE enum err protocol_new(struct protocol **out);
void protocol_free(struct protocol *p); /* NULL is fine */

/* A name in small letters ("ssh", "http"), or NULL: not known. Either span may
 * be empty; p NULL: only what needs no library. */
const char *protocol_name(struct protocol *p, struct span c2s, struct span s2c);

#endif
