#ifndef SPAN25_DISSECTORS_SMTP_SUSPECT_H
#define SPAN25_DISSECTORS_SMTP_SUSPECT_H
/* smtp_suspect - a second look at a connection on a port that is not listed
 *
 * The second opinion of stream.h. The first one (smtp.c) reads the first line
 * of either side; here the first SMTP_SUSPECT_LINES lines of both count, so
 * that a connection is found that began before the capture did, or with
 * something else than a greeting and a hello. Two may suspect:
 *
 *   nDPI (ndpi_lines.h), to which the lines are shown: it wants three kinds of
 *   commands and replies, whoever says them and to whom. By itself it takes
 * FTP, POP3 and chats for SMTP. Only lines that begin with a code or a command
 * are shown, since it rules out what has none among its first four.
 *
 *   Our own reader: `evidence` commands that no other protocol has.
 *
 * Whoever suspects, our own reader confirms: by such a command, by a 354 to a
 * DATA, or, where only the server is seen, by replies that no other protocol
 * has and nothing but replies. What each finds and costs is in
 * tests/results/2026-11-23-odd_ports.txt.
 *
 * A suspect takes up to 850 bytes of the account of its shard, and a shard has
 * at most SMTP_SUSPECTS_MAX: past it there is no second look (counted). A
 * control character ends it at once, so binary protocols cost nothing.
 * Continued lines of a reply, and empty ones, are not looked at. */
#include "dissectors/ndpi_lines.h"
#include "sensor/event/stream.h"

#define SMTP_SUSPECT_LINES    16U
#define SMTP_SUSPECTS_MAX     64U /* at once in a shard: 3 MiB in all */
#define SMTP_SUSPECT_EVIDENCE 2U

struct smtp_suspect_stats {
    uint64_t shown;   /* connections looked at */
    uint64_t found;   /* of them SMTP */
    uint64_t refused; /* not looked at, for want of room */
};

struct smtp_suspects {
    struct ndpi_lines *ndpi; /* borrowed; NULL: our own reader alone */
    unsigned evidence;
    uint16_t n[FLOW_SHARDS]; /* now */
    struct smtp_suspect_stats stats;
};

/* As stream_ops.second: *state is NULL at first, and after any answer but
 * 0. The bytes are the same as before, and more. */
int smtp_suspect_ask(struct smtp_suspects *all, const struct flow *f,
                     void **state, struct span c2s, struct span s2c,
                     struct mem *m);
void smtp_suspect_end(struct smtp_suspects *all, const struct flow *f,
                      void **state, struct mem *m);

#endif
