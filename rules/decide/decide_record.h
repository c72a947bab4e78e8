#ifndef SPAN25_RULES_DECIDE_DECIDE_RECORD_H
#define SPAN25_RULES_DECIDE_DECIDE_RECORD_H
/* decide_record - a decision event, and the hash of what it rests on
 *
 * EVIDENCE HASH: SHA-256 of the evidence object (decide_evidence.h), which
 * names each event of decision.evidence, in that order, with the SHA-256 of its
 * record as it was published. */
#include "rules/decide/decide_table.h"

#define DECIDE_HASH     32
#define DECIDE_EVIDENCE 5 /* events of one decision: a host event, alerts */

struct evidence {
    struct span id; /* its event_id */
    uint8_t hash[DECIDE_HASH];
};

struct decision {
    ns_t when;
    uint32_t seq;
    const char *action; /* static */
    const char *origin;
    bool enforce;
    const struct subject *subject; /* as it is then */
    struct span reason;
    const uint8_t *shown; /* of enum stat */
    size_t n_shown;
    uint32_t against;
    struct span exception; /* id of the one that stands against it */
    uint64_t ttl_s;        /* 0: none */
    const struct evidence *evidence;
    size_t n_evidence;
    uint8_t hash[DECIDE_HASH];
};

MUST_USE bool decide_sha256(struct span s, uint8_t out[DECIDE_HASH]);
/* Of no evidence, into hash: a person's decision rests on none. */
MUST_USE bool decide_hash(struct decision *d);
/* decision.id: of subject, action, time and evidence; hash is there. */
MUST_USE bool decide_id(const struct decision *d, char out[TABLE_ID]);
void decide_record(struct record_out *out, const struct decision *d);

#endif
