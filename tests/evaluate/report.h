#ifndef SPAN25_TESTS_EVALUATE_REPORT_H
#define SPAN25_TESTS_EVALUATE_REPORT_H
/* report - what was measured, for people (Markdown) and programs (JSON)
 *
 * Every target of DETECTION 5.3 beside the baselines, met or not; then what
 * the pooled figures hide: each scenario for itself, each condition, pairs of
 * detectors, and which families had a say in tuning. */
#include "tests/evaluate/measure.h"

struct report_head {
    const char *date, *command, *half;
    uint64_t first_seed;
};

void report_write(const struct measure *m, const struct report_head *h,
                  struct buf *md, struct buf *json);

/* What must never be, whatever else is measured: how many registered hosts were
 * stopped under any condition; and under the first one, behind a dry run, how
 * many innocents and victims of forgery. Lines about them into out. */
unsigned report_wrongs(const struct measure *m, struct buf *out);

#endif
