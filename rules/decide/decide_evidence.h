#ifndef SPAN25_RULES_DECIDE_DECIDE_EVIDENCE_H
#define SPAN25_RULES_DECIDE_DECIDE_EVIDENCE_H
/* decide_evidence - the evidence object of a decision, DETECTION 6.1
 *
 * One JSON document, at most EVIDENCE_MAX bytes, with a newline; its SHA-256 is
 * decision.evidence_hash. What it holds is in the journal before it, so that
 * the same journal makes the same bytes: subject, time, sensor, version and
 * rules that took force last, offset of the clock as last measured, the host
 * event with all its counters, event_id and SHA-256 of it and of the alerts
 * that agree, the scores of late, and examples of mail by event_id and SHA-256
 * of the event. No address but those in the host event, no words of mail.
 *
 * A host event that leaves no room for the rest is left out; its SHA-256 is
 * there still. */
#include "rules/decide/decide_state.h"

#define EVIDENCE_MAX  (64U << 10)
#define EVIDENCE_HOST (48U << 10) /* of the host event, at most */

/* Of what else goes by: versions and clock. */
void decide_evidence_note(struct decide *d, const struct record_map *event);

/* Into d->object, and its hash into what. False: no memory. */
MUST_USE bool decide_evidence_make(struct decide *d,
                                   const struct decide_facts *f,
                                   struct decision *what);

/* decision.evidence_hash in hexadecimal, with a NUL. */
#define EVIDENCE_HEX (2 * DECIDE_HASH + 1)
void decide_evidence_hex(const uint8_t hash[DECIDE_HASH],
                         char out[EVIDENCE_HEX]);

#endif
