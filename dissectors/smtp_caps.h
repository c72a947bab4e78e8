#ifndef SPAN25_DISSECTORS_SMTP_CAPS_H
#define SPAN25_DISSECTORS_SMTP_CAPS_H
/* smtp_caps - EHLO lines kept small
 *
 * Every open connection keeps what its server offered, and most servers say
 * the same few words (IANA registry of SMTP service extensions). A line that
 * begins with one of them is kept as one byte and the rest; any other as it is.
 * Exact both ways, letter case included. */
#include "sensor/base/buf.h"

/* line is without its line end; appends its small form, which has no LF. */
void smtp_caps_pack(struct span line, struct buf *out);

/* Appends the line that packed stands for. */
void smtp_caps_unpack(struct span packed, struct buf *out);

#endif
