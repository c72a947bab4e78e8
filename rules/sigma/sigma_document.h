#ifndef SPAN25_SIGMA_SIGMA_DOCUMENT_H
#define SPAN25_SIGMA_SIGMA_DOCUMENT_H
/* sigma_document - one document as a rule, a correlation or a filter
 *
 * Checks what SIGMA.md 1, 2, 6 and 7 ask for; every fault is told. */
#include "rules/sigma/sigma_rule.h"

/* False when the document has faults (r->faults) or memory ran out. */
bool sigma_document_read(struct sigma_reader *r, struct sigma_rule *out);

/* The part under "correlation", by sigma_correlation.c. */
bool sigma_correlation_read(struct sigma_reader *r, uint32_t node,
                            struct sigma_rule *out);

/* A list of words, or one: into *out; false on a fault. */
bool sigma_refs_read(struct sigma_reader *r, uint32_t node, const char *key,
                     struct sigma_ref **out, uint32_t *n, uint32_t max);

#endif
