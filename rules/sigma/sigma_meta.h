#ifndef SPAN25_SIGMA_SIGMA_META_H
#define SPAN25_SIGMA_SIGMA_META_H
/* sigma_meta - what a document says for people: author, falsepositives, and the
 * map span25, whose keys are ours and are checked */
#include "rules/sigma/sigma_rule.h"

#define SIGMA_META_LIST_MAX 64U /* falsepositives of one rule */
#define SIGMA_REASON_MAX    500U

/* Fills out->info; faults are told. Behind the detection, or correlation: it
 * asks what kind of rule this is. */
void sigma_meta_read(struct sigma_reader *r, struct sigma_rule *out);

#endif
