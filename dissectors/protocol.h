#ifndef SPAN25_DISSECTORS_PROTOCOL_H
#define SPAN25_DISSECTORS_PROTOCOL_H
/* protocol - what a connection on a mail port carries that is not mail
 *
 * Our own dissector decides what is SMTP. Of what is not, the first bytes of
 * both sides are shown to nDPI (ndpi_lines.h). HTTP is told by its first line,
 * because nDPI 4.2 had faults in that part that were mended later. */
#include "dissectors/ndpi_lines.h"

#define PROTOCOL_BYTES 128 /* of each side are looked at */

/* A name in small letters ("ssh", "http"), or NULL: not known. Either span may
 * be empty; n NULL: only what needs no library. */
const char *protocol_name(struct ndpi_lines *n, struct span c2s,
                          struct span s2c);

#endif
