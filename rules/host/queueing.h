#ifndef SPAN25_RULES_HOST_QUEUEING_H
#define SPAN25_RULES_HOST_QUEUEING_H
/* queueing - does it behave like a mail server? (S7, the veto, DETECTION 1.10)
 *
 * Deferred pairs of envelope sender and recipient (4xx) are remembered by hash,
 * at most HOST_PAIRS a host: those with the lowest hashes, which are a fair
 * sample whatever order they come in. A pair is retried when it is offered
 * again in another connection, retry_least_s later or more. */
#include "rules/host/state.h"

struct queueing_sum {
    uint32_t deferred; /* remembered, of the last pair_s */
    uint32_t retried;
    uint32_t ripe;    /* retried, or older than ripe_s */
    uint32_t settled; /* retried, or older than retry_grace_s */
    bool waits;       /* some are not ripe */
};

/* Each pair that is offered, before its reply is looked at. True when it is a
 * retry. */
bool queueing_offer(struct hosts *h, const struct detail *d, uint64_t pair,
                    uint64_t flow, ns_t now);
void queueing_defer(struct hosts *h, struct detail *d, uint64_t pair,
                    uint64_t flow, ns_t now);
struct queueing_sum queueing_sum(const struct hosts *h, const struct detail *d,
                                 ns_t now);

/* A session that it took as a server. */
void queueing_served(const struct hosts *h, struct detail *d,
                     struct span banner);
/* Its HELO of now. */
void queueing_name(const struct hosts *h, const struct host *host,
                   struct detail *d, struct span helo, ns_t now);

/* A message of which something was read: with the fields of lists? */
void queueing_read(struct detail *d, bool bulk);
/* At the end of a message or session: since when does it look like a list, or
 * like a server by its name. */
void queueing_looks(struct detail *d, ns_t now);
/* It looks like a server and was not seen not to try again: fewer than
 * retry_pairs deferred pairs have settled and chance_s have not passed since it
 * looked so first, or some_percent of them were tried again. Anybody may look
 * so, by two header fields; who has no queue gains two hours, once. */
bool queueing_open(const struct hosts *h, const struct detail *d, ns_t now);

/* Bits of host.queueing_why; 0: nothing speaks for it. */
enum queueing_why { QUEUEING_RETRIES, QUEUEING_SERVES, QUEUEING_NAME };
#define QUEUEING_WHYS 3U
uint32_t queueing_why(const struct hosts *h, const struct detail *d, ns_t now);
const char *queueing_word(enum queueing_why w);

#endif
