#ifndef SPAN25_DISSECTORS_NDPI_LINES_H
#define SPAN25_DISSECTORS_NDPI_LINES_H
/* ndpi_lines - nDPI, shown lines of two streams in packets made for it
 *
 * By itself nDPI does not reassemble and reads packets from the wire. Here it
 * is given streams in order, a line in a packet: so its word does not depend on
 * how the segments were cut, no header from the wire reaches it, and a packet
 * is never longer than NDPI_LINES_MAX and its own headers.
 *
 * Only the protocols of protocol.def and SMTP are switched on, and of these a
 * talk looks for one kind alone. Each packet is wiped, and what nDPI noted of
 * credentials: after each packet of a talk that looks for SMTP, at the end of
 * one that looks for others (FTP is told by what was noted), which shall not
 * outlive its call. Of a talk nothing is given out but a name.
 *
 * One ndpi_lines belongs to one thread: about 5 MB and 15 ms to make. A talk is
 * about 700 bytes, charged to the caller's account.
 *
 * The calls are those of nDPI 4.2 (Debian 12 and 13). Where CMake does not find
 * these, ndpi_lines_new gives ERR_NOENT and nothing is ever found. */
#include "sensor/base/attr.h"
#include "sensor/base/err.h"
#include "sensor/base/vec.h"

#define NDPI_LINES_MAX 128 /* bytes of a line that are shown */

struct ndpi_lines;
struct ndpi_talk;

enum ndpi_look {
    NDPI_LOOK_OTHERS, /* protocol.def */
    NDPI_LOOK_SMTP,
};

MUST_USE enum err ndpi_lines_new(struct ndpi_lines **out);
void ndpi_lines_free(struct ndpi_lines *n); /* NULL is fine */

/* NULL: no memory. The account and n must outlive the talk. */
struct ndpi_talk *ndpi_talk_new(struct ndpi_lines *n, enum ndpi_look look,
                                struct mem *m);
void ndpi_talk_free(struct ndpi_talk *t, struct mem *m); /* NULL is fine */

/* line is shown as it is, cut at NDPI_LINES_MAX; its end should be in it. */
void ndpi_talk_say(struct ndpi_talk *t, bool server, struct span line);

/* The same of nothing more: nDPI may guess now. */
void ndpi_talk_end(struct ndpi_talk *t);

/* In small letters, "smtp" or as protocol.def has it; NULL: not found. */
const char *ndpi_talk_name(const struct ndpi_talk *t);

/* More lines may change that: it was not found, nor ruled out. */
bool ndpi_talk_is_open(const struct ndpi_talk *t);

#endif
