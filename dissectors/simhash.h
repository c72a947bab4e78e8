#ifndef SPAN25_DISSECTORS_SIMHASH_H
#define SPAN25_DISSECTORS_SIMHASH_H
/* simhash - a fingerprint of a text that nearly equal texts share (Charikar,
 * STOC 2002; DETECTION 2)
 *
 * Words of three in a row are hashed; each bit of the result is the majority of
 * that bit over all of them. Texts that differ in a few words differ in a few
 * bits. Before that the text is made plain: tags go, letters become lower case,
 * digits '#', of a URL only the host stays, words of more than 30 bytes are
 * dropped. Streaming, cut anywhere; SIMHASH_TEXT bytes of plain text count, for
 * spam is short and this is done for every mail. Plain memory, no allocation.
 *
 * Known gaps: character references are words like others; bytes above 127 are
 * letters of whatever charset. */
#include "sensor/base/span.h"

#define SIMHASH_TEXT  2048U
#define SIMHASH_WORDS 8U /* with fewer shingles there is no fingerprint */

struct simhash {
    uint64_t planes[11]; /* bit-sliced counters: bit i of planes[k] is bit k
                          * of the count of ones at bit i */
    uint64_t seed;
    uint64_t word;    /* hash of the word begun */
    uint64_t last[2]; /* of the words before, newest first */
    uint32_t n;       /* shingles */
    uint32_t left;    /* plain bytes still taken */
    uint8_t word_n;   /* bytes of the word begun, at most 255 */
    uint8_t state;    /* enum in the .c file */
    uint8_t n_last;
    bool html;
};

void simhash_init(struct simhash *s, uint64_t seed, bool html);
void simhash_push(struct simhash *s, struct span text);
/* False when there was too little text. */
bool simhash_end(struct simhash *s, uint64_t *out);

#endif
