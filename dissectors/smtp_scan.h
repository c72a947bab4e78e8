#ifndef SPAN25_DISSECTORS_SMTP_SCAN_H
#define SPAN25_DISSECTORS_SMTP_SCAN_H
/* smtp_scan - the one pass over message bytes
 *
 * Finds what framing must look at, a dot after CR, LF or NUL, and notes on the
 * way whether there were bare LF, bare CR, NUL or bytes above 127. Vector code
 * chosen at run time; the portable one gives the same answers by test. */
#include "sensor/base/span.h"

struct smtp_scan_facts {
    uint8_t prev; /* the byte before the input; after the call, the last read */
    bool bare_lf;
    bool bare_cr;
    bool nul;
    bool high;
};

/* Index of the first such dot, or s.n. Facts cover the bytes before it. */
typedef size_t (*smtp_scan_fn)(struct span s, struct smtp_scan_facts *f);

size_t smtp_scan_portable(struct span s, struct smtp_scan_facts *f);

struct smtp_scan_variant {
    const char *name;
    smtp_scan_fn fn; /* NULL: not on this processor */
};

/* All that this build has, best first; a row without a name ends it. */
#define SMTP_SCAN_VARIANTS 4
void smtp_scan_list(struct smtp_scan_variant out[SMTP_SCAN_VARIANTS]);

/* The fastest for this processor. */
smtp_scan_fn smtp_scan_best(void);

#endif
