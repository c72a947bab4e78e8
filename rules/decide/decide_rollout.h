#ifndef SPAN25_RULES_DECIDE_DECIDE_ROLLOUT_H
#define SPAN25_RULES_DECIDE_DECIDE_ROLLOUT_H
/* decide_rollout - what the mode of the policy makes of decisions, and what
 * goes wrong with them makes of the mode: DETECTION 6.4 */
#include "rules/decide/decide_tell.h"

/* The mode is that of now; what is in force is left alone. */
void decide_fit(struct decide *d);
/* The same, and what it does not allow ends. What is known from a log alone,
 * without what it rests on, ends when a rule's mode has changed. */
enum decide_changed { CHANGED_TIME, CHANGED_MODE, CHANGED_RULE };
void decide_settle(struct decide *d, enum decide_changed what,
                   const struct record_sink *sink);
/* A control event of kind policy. */
void decide_on_policy(struct decide *d, const struct record_map *event,
                      const struct record_sink *sink);

/* Statistics that may lead to this. */
uint32_t decide_allowed(const struct decide *d, enum rollout_mode least);
/* Would a block that rests on these levels be enforced? */
bool decide_enforces(const struct decide *d, uint64_t levels);

/* A block of the detector was in force that a person calls a mistake, or of a
 * host that turns out to be protected. */
void decide_mistake(struct decide *d, struct subject *s,
                    const struct record_sink *sink);
void decide_never_hit(struct decide *d, const struct subject *s,
                      const struct record_sink *sink);

#endif
