#ifndef SPAN25_DISSECTORS_RFC2047_H
#define SPAN25_DISSECTORS_RFC2047_H
/* rfc2047 - encoded words of mail headers, RFC 2047, with RFC 2231 section 5
 *
 * Reads what mail clients read, not only what the RFC allows: words of any
 * length, inside quoted strings and beside other text, spaces in Q, base64
 * without padding, lower-case letters. Spaces between two encoded words are
 * dropped; bytes of neighbours in one charset are joined before they are
 * converted, for a character may be split between them.
 *
 * Known gaps: a word whose end "?=" is missing stays as it is. */
#include "dissectors/charset.h"

#define RFC2047_WORDS           1U /* at least one encoded word */
#define RFC2047_UNKNOWN_CHARSET 2U /* its bytes were kept as they are */
#define RFC2047_BAD             4U /* bytes outside the alphabet or charset */

struct encoded_word {
    struct span charset; /* without the language of RFC 2231 */
    struct span text;
    uint8_t encoding; /* 'b' or 'q' */
    size_t n;         /* bytes of the whole word */
};

/* Is there an encoded word at the head of s? *no_end is set when s has no "?="
 * after the word's beginning; then no later word of s has one either. */
bool rfc2047_word(struct span s, struct encoded_word *out, bool *no_end);

/* Index of the next "=?", or s.n. */
size_t rfc2047_find(struct span s);

/* Appends in to out with its encoded words decoded; gives RFC2047_ bits. */
unsigned rfc2047_decode(struct charset *cs, struct span in, struct buf *out);

#endif
