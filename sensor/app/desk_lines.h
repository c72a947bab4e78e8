#ifndef SPAN25_APP_DESK_LINES_H
#define SPAN25_APP_DESK_LINES_H
/* desk_lines - what people are told in lines, as JSON for a page */
#include "sensor/base/buf.h"
#include "sensor/base/span.h"

#define DESK_LINES_MAX ((size_t)1 << 20) /* bytes of the lines of one part */

/* An array of strings: the lines of a text without their indent; empty ones are
 * left out. */
void desk_lines_json(struct span text, struct buf *out);

/* An array of {"who":"C","text":"EHLO ..."}, of what desk_event_transcript has
 * written: C is the client, S the server; who is "" of what is told about the
 * two, whose brackets are taken off. */
void desk_lines_said_json(struct span text, struct buf *out);

#endif
