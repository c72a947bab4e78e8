#ifndef SPAN25_SIGMA_SIGMA_GATE_H
#define SPAN25_SIGMA_SIGMA_GATE_H
/* sigma_gate - what must hold before a rule is looked at in full
 *
 * Rules of a pack ask the same questions: is it outbound, is the score above
 * its limit. Items that ask the same are one question, with one number, and it
 * is answered once for a record. The gate of a rule is a list of clauses, each
 * some items of which one must hold if the rule is to match; it follows from
 * the condition, and the cheapest clauses stand first. A gate only ever keeps
 * out what could not match. Items whose work is bounded by a counter (regular
 * expressions, wildcards within, fieldref) are no part of it. */
#include "rules/sigma/sigma_set.h"

/* Numbers the items of all rules and makes their gates; after conditions are
 * compiled, with all filters. */
MUST_USE enum err sigma_gate_make(struct sigma_set *s);

#endif
