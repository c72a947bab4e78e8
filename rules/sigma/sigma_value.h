#ifndef SPAN25_SIGMA_SIGMA_VALUE_H
#define SPAN25_SIGMA_SIGMA_VALUE_H
/* sigma_value - a field with modifiers and its values, as an item
 *
 * Wildcards, escapes and every modifier of Sigma 2.1. What a value becomes
 * (windash, base64offset, expand) is bounded by SIGMA_VARIANTS_MAX. */
#include "rules/sigma/sigma_rule.h"

#define SIGMA_VARIANTS_MAX  3125U /* windash with five dashes */
#define SIGMA_MODIFIERS_MAX 12U

/* key: the node with "field|mod|mod", or 0 for keywords without any; value: a
 * scalar or a list of them. False on a fault, which has been told. */
bool sigma_item_read(struct sigma_reader *r, uint32_t key, uint32_t value,
                     struct sigma_item *out);

/* ASCII letters in lower case. */
static inline uint8_t
sigma_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

#endif
