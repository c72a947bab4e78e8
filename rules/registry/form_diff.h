#ifndef SPAN25_RULES_REGISTRY_FORM_DIFF_H
#define SPAN25_RULES_REGISTRY_FORM_DIFF_H
/* form_diff - what would be another: two sets of forms, told line by line
 *
 * Forms are the same by number, one without a number is new. Lines are the same
 * by number; one without is that of the old form which asks for the same
 * address and port, else it is new. Texts are made safe for a terminal:
 *
 *     ~ form 2026-118 (Lakeside HS)
 *         notes: none -> 'by phone'
 *         ~ line 2: 192.0.2.26 port 25
 *             device: 'printer' -> 'mail server'
 *         + line 3: 192.0.2.27 port 25
 *         - line 4: 192.0.2.28 port 587
 *     + form (no number yet) (Physics), 2 lines
 *     - form 2026-117 (County Library), 1 line
 *
 * n log n in the lines, whatever they hold. */
#include "rules/registry/form.h"

struct form_diff {
    size_t forms_added, forms_removed, forms_changed, forms_same;
    size_t lines_added, lines_removed, lines_changed;
};

struct form_set {
    const struct form *const *v;
    size_t n;
};

/* all: what of from is not in to is removed; else it stays, and nothing is said
 * of it. count is written, out is appended to. ERR_NOMEM only. */
MUST_USE enum err form_diff(struct form_set from, struct form_set to, bool all,
                            struct form_diff *count, struct buf *out);

#endif
