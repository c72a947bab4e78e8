#ifndef SPAN25_RULES_DECIDE_DECIDE_PEOPLE_H
#define SPAN25_RULES_DECIDE_DECIDE_PEOPLE_H
/* decide_people - what people order: control events of kind block */
#include "rules/decide/decide_state.h"

void decide_people(struct decide *d, const struct record_map *event,
                   const struct record_sink *sink);

#endif
