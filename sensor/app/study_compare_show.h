#ifndef SPAN25_APP_STUDY_COMPARE_SHOW_H
#define SPAN25_APP_STUDY_COMPARE_SHOW_H
/* study_compare_show - what changed between two studies (rules/study/compare.h)
 *
 *   text  for a terminal of so many columns, 0: as wide as it is
 *   json  {"schema":"span25-study-compare-1","before":{...},"after":{...},
 *         "cut":DAY,"took_force":BOOL,"notes":[WORD],"days":{...},"series":[...],
 *         "residual":{...},"figures":[...],"policies_not_compared":[...]}. A
 *         term of a series is {"value","error","low","high"}, on the scale that
 *         it names; of a log scale "factor" has the same as a factor. What
 *         cannot be said is null */
#include "rules/study/compare.h"
#include "sensor/base/buf.h"

struct study_compare_view {
    const struct study_result *before, *after;
    const struct compare *c;
    unsigned width;
};

void study_compare_text(const struct study_compare_view *v, struct buf *out);
void study_compare_json(const struct study_compare_view *v, struct buf *out);

#endif
