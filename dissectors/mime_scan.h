#ifndef SPAN25_DISSECTORS_MIME_SCAN_H
#define SPAN25_DISSECTORS_MIME_SCAN_H
/* mime_scan - the one pass over body bytes: where may a delimiter line begin?
 *
 * A hot place is behind a LF or a CR (some readers take it for a line end) and
 * has "--", or with uu a "be" as of "begin". Nothing else of a body is looked
 * at, so a part goes to its decoder in long runs. Vector code chosen at run
 * time; the portable one gives the same answers by test. */
#include "sensor/base/span.h"

/* Index of the first hot place, or s.n. before: the byte that was read before
 * s. A place whose second byte has not come yet is hot. */
typedef size_t (*mime_scan_fn)(struct span s, uint8_t before, bool uu);

size_t mime_scan_portable(struct span s, uint8_t before, bool uu);

struct mime_scan_variant {
    const char *name;
    mime_scan_fn fn; /* NULL: not on this processor */
};

/* All that this build has, best first; a row without a name ends it. */
#define MIME_SCAN_VARIANTS 4
void mime_scan_list(struct mime_scan_variant out[MIME_SCAN_VARIANTS]);

/* The fastest for this processor. */
mime_scan_fn mime_scan_best(void);

#endif
