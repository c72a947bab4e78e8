#ifndef SPAN25_RULES_HOST_SUBKEY_H
#define SPAN25_RULES_HOST_SUBKEY_H
/* subkey - different speakers behind one address (NAT, DETECTION 1.10)
 *
 * Told apart by the name given in HELO and by dialect, which is known once a
 * session in the clear ends. What is said before is kept for the connection,
 * and given to its speaker then: two that give the same name are two, whoever
 * spoke last. HOST_SUBFLOWS connections; beyond, the one idle longest goes to
 * the speaker of its name whose dialect is unknown.
 *
 * The first speaker has no entry: its figures are the host's, until there is a
 * second. HOST_SUBKEYS at most, the one idle longest goes.
 *
 * What had to go stays in the sum of its dialect: else a bot that gives another
 * name in each session pushes out the users it shares an address with, and with
 * them what says that they are there. HOST_SUBSUMS - 1 dialects have a sum of
 * their own, the first that came; all others share the last, which looks good
 * only if they all are. */
#include "rules/host/state.h"

/* Who speaks on that connection, or NULL while there is one speaker, or no
 * room; until the next call. Also keeps the host's own name. */
struct subkey *subkey_use(struct hosts *h, const struct host *host,
                          struct detail *d, struct span helo,
                          const struct scene *s);
/* A first contact of it. */
void subkey_verdict(struct subkey *s, const struct cusum_steps *steps,
                    bool bad);
/* The connection ended; dialect 0: it was not seen whole. */
void subkey_end(struct hosts *h, const struct host *host, struct detail *d,
                uint64_t dialect, const struct scene *s);

/* What speaks against a sum, of all its verdicts at once: a CUSUM of many
 * speakers, each of which begins at 0, would rise with their number. */
uint64_t subkey_score(const struct hosts *h, const struct host *host,
                      const struct subsum *sum);

static inline const struct subkeys *
subkey_all(const struct hosts *h, const struct detail *d)
{
    return d->subkeys != POOL_NONE ? pool_at(&h->subkeys, d->subkeys) : NULL;
}

#endif
