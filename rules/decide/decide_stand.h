#ifndef SPAN25_RULES_DECIDE_DECIDE_STAND_H
#define SPAN25_RULES_DECIDE_DECIDE_STAND_H
/* decide_stand - what stands against stopping a subject, and what follows */
#include "rules/decide/decide_tell.h"

/* The exception that keeps it, or a part of its /64, from being stopped. */
const struct exception *decide_excepted(const struct decide *d,
                                        const struct prefix *subject);
struct span decide_exception_id(const struct exception *x);

/* Of the first kind, without what one event says and without immunity. */
uint32_t decide_kept(const struct decide *d, const struct prefix *subject,
                     const struct exception *x);
/* All but caps. */
uint32_t decide_stands(const struct decide *d, const struct subject *s,
                       const struct decide_facts *f, const struct exception *x);
/* What counts: simulating, a missing registry does not. */
uint32_t decide_counting(bool enforce, uint32_t against);
enum decide_act decide_action(uint32_t counts);
/* enum decide_kind, or one more when nothing counts. */
unsigned decide_first_kind(uint32_t counts);

#endif
