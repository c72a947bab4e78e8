#ifndef SPAN25_APP_STUDY_REVIEW_COUNT_H
#define SPAN25_APP_STUDY_REVIEW_COUNT_H
/* study_review_count - what reviewers said, counted
 * (rules/study/review_score.h)
 *
 * study review --key KEY A.csv B.csv [C.csv]: for a terminal, or as one JSON
 * document: {"schema":"span25-review-1","review":{...},"counts":{...},
 * "table":{...}}, review as in study.json, which study run --review takes. With
 * --output the hosts that people judged, host,class, for study run --reviewed;
 * of those that they could not judge the class is empty. */
#include "sensor/app/cli.h"

enum cli_exit study_review_count(const struct cli *c, struct buf *out,
                                 struct buf *messages);

#endif
