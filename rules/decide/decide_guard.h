#ifndef SPAN25_RULES_DECIDE_DECIDE_GUARD_H
#define SPAN25_RULES_DECIDE_DECIDE_GUARD_H
/* decide_guard - addresses that something keeps from being stopped
 *
 * By the registry, because they behave like mail servers, or because they do
 * nothing wrong beside one that does; as the latest event of each showed. An
 * IPv6 /64 is one subject for many hosts of which an event shows one, so the
 * others are remembered here. GUARD_MAX addresses; beyond, every /64 counts as
 * kept, for good. */
#include "rules/decide/decide_rule.h"
#include "rules/decide/tally.h"

#define GUARD_MAX 65536U

struct guard {
    uint64_t seed;
    struct tally hosts;    /* 1: kept */
    struct tally subjects; /* how many of its hosts are */
    bool full;
};

void decide_guard_init(struct guard *g, uint64_t seed);
void decide_guard_fini(struct guard *g);
void decide_guard_set(struct guard *g, const struct addr *host, bool kept);
bool decide_guard_has(const struct guard *g, const struct prefix *subject);

#endif
