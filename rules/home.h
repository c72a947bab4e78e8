#ifndef SPAN25_RULES_HOME_H
#define SPAN25_RULES_HOME_H
/* home - a guess at the home networks from a few packets
 *
 * Shown the ends of mail connections. Private blocks (RFC 1918, 4193) that were
 * seen are home; without any, the /24 or /48 that stands at one end of most
 * connections, when that is at least half of them. A guess, always told as one.
 */
#include "sensor/base/addr.h"

#define HOME_GUESS_MAX 8

struct home_guess {
    uint32_t n_seen;
    uint32_t n_prefixes;
    struct prefix blocks[HOME_GUESS_MAX]; /* private ones */
    bool private_seen[HOME_GUESS_MAX];
    struct {
        struct prefix prefix;
        uint32_t count;
    } prefixes[256]; /* first ones met */
};

void home_init(struct home_guess *g);
void home_see(struct home_guess *g, const struct addr *a, const struct addr *b);
/* At most HOME_GUESS_MAX prefixes; returns how many. */
size_t home_result(const struct home_guess *g,
                   struct prefix out[HOME_GUESS_MAX]);

#endif
