#ifndef SPAN25_DISSECTORS_CONTENT_OFFICE_TEST_H
#define SPAN25_DISSECTORS_CONTENT_OFFICE_TEST_H
/* office_test - what tests of documents compare; cmocka is included before */
#include "dissectors/content/inspect_test.h"

/* The findings of documents, and those that other judges make of what is in
 * them: not what names and types alone give. */
static inline void
office_list(const struct inspected *t, struct buf *out)
{
    for (unsigned k = 0; k < FINDING_COUNT; k++) {
        if (!inspected_has(t, (enum finding)k) ||
            ((k < FIND_VBA_MACRO || k > FIND_SCRIPT_MACRO) &&
             k != FIND_MALFORMED && k != FIND_FORBIDDEN_MEMBER &&
             k != FIND_FORBIDDEN_CONTENT && k != FIND_INSPECTION_LIMIT))
            continue;
        if (out->n > 0)
            buf_putc(out, ' ');
        buf_str(out, finding_name((enum finding)k));
    }
}

/* Inspects and fails unless these are the findings. */
static inline void
office_check(struct inspected *t, struct span bytes, const char *name,
             const char *why, const char *want)
{
    struct buf got;

    buf_init(&got, 4096);
    inspected_run(t, bytes, name);
    office_list(t, &got);
    if (!span_eq(buf_view(&got), span_str(want)))
        fail_msg("%s: %.*s", why, (int)got.n, (const char *)got.p);
    buf_free(&got);
}

#endif
