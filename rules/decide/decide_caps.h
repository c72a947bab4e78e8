#ifndef SPAN25_RULES_DECIDE_DECIDE_CAPS_H
#define SPAN25_RULES_DECIDE_DECIDE_CAPS_H
/* decide_caps - how much may be stopped at once, and the breaker: DETECTION 6.3
 *
 * Asked before a block is decided, told when one begins and ends. Times never
 * go back. Where there is no memory to count, the answer is cap:day. */
#include "rules/decide/decide_rule.h"
#include "rules/decide/tally.h"
#include "sensor/base/seen.h"

#define CAPS_DAY   65536U   /* blocks of the last day that are remembered */
#define CAPS_HOSTS 1048576U /* active hosts told apart in a day */
#define CAPS_SITES 65536U

struct caps_block {
    ns_t when;
    uint64_t site; /* 0: none */
};

struct caps {
    uint64_t seed;
    struct decide_limits limits;
    uint64_t active;    /* in force */
    ns_t breaker_until; /* 0: closed */
    struct tally nets;  /* in force, by network */
    /* blocks of the last day, oldest first: a ring */
    struct caps_block *log;
    size_t first, n, cap;
    struct tally site_blocks;
    /* hosts of this UTC day; of the one before only how many */
    uint64_t day;
    struct seen today;
    uint64_t hosts_before;
    struct tally site_hosts[2];
};

void decide_caps_init(struct caps *c, uint64_t seed,
                      const struct decide_limits *l);
void decide_caps_fini(struct caps *c);

/* site may be empty, which is none. */
void decide_caps_host(struct caps *c, const struct addr *host, struct span site,
                      ns_t now);
/* A set of AGAINST bits; opens the breaker when it has to. */
uint32_t decide_caps_against(struct caps *c, const struct prefix *subject,
                             struct span site, ns_t now);
void decide_caps_begin(struct caps *c, const struct prefix *subject,
                       struct span site, ns_t now);
/* Blocks so far do not count for the limits of a minute and a day. */
void decide_caps_forget(struct caps *c);
void decide_caps_end(struct caps *c, const struct prefix *subject);

/* One more in the log of the day, for snapshots. False: no room. */
bool decide_caps_log(struct caps *c, struct caps_block block);

/* How many may be in force now. */
uint64_t decide_caps_active_limit(const struct caps *c);

#endif
