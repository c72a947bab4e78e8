#ifndef SPAN25_DISSECTORS_CONTENT_UNESCAPE_H
#define SPAN25_DISSECTORS_CONTENT_UNESCAPE_H
/* unescape - what markup and scripts write in other words
 *
 * Understood, whatever the context: character references (&#106; &#x6a, &colon;
 * and the other names that are of use in an address or in a script), %6a,
 * %u006a, \x6a, \u006a, \u{6a} and \152. Anything else is one byte of itself.
 * So a reader sees at least what a browser would, now and then more. */
#include "sensor/base/span.h"

/* One character at `at` (below s.n): its number in *out, the bytes it takes as
 * the result, at least 1 and at most UNESCAPE_MAX. */
#define UNESCAPE_MAX 16
size_t unescape_one(struct span s, size_t at, uint32_t *out);

#endif
