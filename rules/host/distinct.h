#ifndef SPAN25_RULES_HOST_DISTINCT_H
#define SPAN25_RULES_HOST_DISTINCT_H
/* distinct - how many different things: exact while few, then an estimate
 *
 * 68 bytes. Up to DISTINCT_EXACT hashes are kept as they are; with one more
 * they become 64 registers of a HyperLogLog (Flajolet and others 2007; linear
 * counting below 160), standard error 13 %. Hashes are keyed by the caller. */
#include <stdbool.h>
#include <stdint.h>

#define DISTINCT_EXACT     16U
#define DISTINCT_REGISTERS 64U
#define DISTINCT_PERMILLE  130U /* standard error of an estimate */

struct distinct {
    uint16_t n; /* exact ones */
    bool many;  /* registers are used */
    union {
        uint32_t exact[DISTINCT_EXACT];
        uint8_t reg[DISTINCT_REGISTERS];
    };
};

/* Begins as zeros. True when this was certainly not there before. */
bool distinct_add(struct distinct *d, uint32_t hash);
uint32_t distinct_count(const struct distinct *d);
/* Of both together. */
uint32_t distinct_union(const struct distinct *a, const struct distinct *b);

#endif
