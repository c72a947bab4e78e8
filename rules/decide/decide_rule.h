#ifndef SPAN25_RULES_DECIDE_DECIDE_RULE_H
#define SPAN25_RULES_DECIDE_DECIDE_RULE_H
/* decide_rule - the block rule of DETECTION 1.10 and the minima of 6.1
 *
 * Of one host event, without memory of others. The rule holds when S1, S2 or S5
 * is at block level, or S1T with S3, and a second statistic of another nature
 * is at alert level. Natures: lists of addresses (S1, S1T), content (S2, S4,
 * S5), fan-out (S3), reputation (S6), retries (S7). So one of the two is never
 * of content. P is policy and carries nothing. What is absent from the event is
 * not observable: it fires nothing and meets no minimum.
 *
 * Beside the minima of 6.1 the last hour must have been busy (evidence:volume):
 * what sends 20 messages a day is for humans, DETECTION 5.3, whatever agrees
 * against it. And who looks like a mailing
 * list or a server (host.queueing_open) is given the time to be seen to try
 * again (evidence:retries), unless something other than refusals and fan-out
 * speaks against it: a stale newsletter has both in its first minute. */
#include "rules/decide/decide.h"

/* X(id, word, kind) in the order of DETECTION 6.3: the first one that stands
 * decides. */
#define DECIDE_AGAINST(X)                                                      \
    X(DISABLED, "disabled", NEVER)                                             \
    X(MODE, "mode", NEVER)                                                     \
    X(EXCEPTION, "exception", NEVER)                                           \
    X(REGISTERED, "registered", NEVER)                                         \
    X(PERMITTED, "permitted", NEVER)                                           \
    X(REQUESTED, "permit_requested", NEVER)                                    \
    X(PROTECTED, "protected", NEVER)                                           \
    X(NEIGHBOUR, "neighbour", NEVER)                                           \
    X(NO_REGISTRY, "registry:none", NEVER)                                     \
    X(IMMUNITY, "immunity", NEVER)                                             \
    X(SESSIONS, "evidence:sessions", NOT_YET)                                  \
    X(ORGANISATIONS, "evidence:organisations", NOT_YET)                        \
    X(NETWORKS, "evidence:networks", NOT_YET)                                  \
    X(SECONDS, "evidence:seconds", NOT_YET)                                    \
    X(VOLUME, "evidence:volume", NOT_YET)                                      \
    X(RETRIES, "evidence:retries", NOT_YET)                                    \
    X(REPLIES, "evidence:replies", NOT_YET)                                    \
    X(LOSS, "evidence:loss", NOT_YET)                                          \
    X(PATH, "evidence:path", NOT_YET)                                          \
    X(STORE, "evidence:store", NOT_YET)                                        \
    X(QUEUEING, "queueing", HUMAN)                                             \
    X(POOL, "pool", HUMAN)                                                     \
    X(IDENTITY, "identity", HUMAN)                                             \
    X(SHARED, "shared", HUMAN)                                                 \
    X(APPROVAL, "approval", HUMAN)                                             \
    X(BREAKER, "breaker", TOO_MANY)                                            \
    X(CAP_MINUTE, "cap:minute", TOO_MANY)                                      \
    X(CAP_ACTIVE, "cap:active", TOO_MANY)                                      \
    X(CAP_NET, "cap:net", TOO_MANY)                                            \
    X(CAP_SITE, "cap:site", TOO_MANY)                                          \
    X(CAP_DAY, "cap:day", TOO_MANY)

enum decide_against {
#define AGAINST_ENUM(id, word, kind) AGAINST_##id,
    DECIDE_AGAINST(AGAINST_ENUM)
#undef AGAINST_ENUM
        AGAINST_COUNT
};

enum decide_kind { KIND_NEVER, KIND_NOT_YET, KIND_HUMAN, KIND_TOO_MANY };

#define AGAINST(id) (UINT32_C(1) << AGAINST_##id)

const char *decide_against_word(enum decide_against a);
/* Those of the set that are of this kind. */
uint32_t decide_against_kind(uint32_t set, enum decide_kind kind);

#define DECIDE_STATS 8 /* s1 s1t s2 s3 s4 s5 s6 s7 */

struct decide_facts {
    const struct record_map *event; /* that they are of */
    struct addr host;
    struct prefix subject;
    bool holds;                  /* the rule of 1.10 */
    uint32_t levels;             /* of statistics, for decide_holds */
    uint32_t against;            /* of what the event itself says */
    uint8_t shown[DECIDE_STATS]; /* at alert or block level, strongest first */
    size_t n_shown;
    uint64_t sessions, bad; /* of evidence; of what carries */
    uint64_t volume;        /* of the last hour, as the minimum counts it */
    uint64_t collateral, macs;
    struct span lease, site, id; /* in the event */
};

/* False: not of a host at home. event is of type host. */
bool decide_facts(const struct record_map *event, const struct decide_limits *l,
                  struct decide_facts *out);
/* Does the rule of 1.10 hold with these statistics alone? Bits 1 << stat. */
bool decide_holds(uint32_t levels, uint32_t stats);
#define DECIDE_STATS_ALL ((UINT32_C(1) << DECIDE_STATS) - 1)
/* What the registry says of one end of any event. */
uint32_t decide_registry(const struct record_map *event, bool client);
/* The address, or the /64 that it is in. */
struct prefix decide_subject_of(const struct addr *a);

const char *decide_stat_word(unsigned stat);
/* One clause for people: "41 of 97 first contacts refused as ...". */
void decide_stat_text(const struct record_map *event, unsigned stat,
                      struct buf *out);

#endif
