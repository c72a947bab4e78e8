#ifndef SPAN25_APP_STUDY_H
#define SPAN25_APP_STUDY_H
/* study - the verbs of span25 study: what would happen if we blocked
 *
 *   run      one pass over events, policies replayed, a report (study_run.c)
 *   sweep    one limit of one policy from low to high (study_sweep.c)
 *   compare  two studies, before and after (study_compare.c)
 *   show     a study.json for the terminal (study_show.c)
 *   review   messages for two people to judge blindly, and what their answers
 *            say (study_review.c) */
#include "sensor/app/cli.h"

MUST_USE enum cli_exit study_run(const struct cli *c, struct buf *out,
                                 struct buf *messages);

/* Of one verb each. */
enum cli_exit study_run_run(const struct cli *c, struct buf *out,
                            struct buf *messages);
enum cli_exit study_run_sweep(const struct cli *c, struct buf *out,
                              struct buf *messages);
enum cli_exit study_run_compare(const struct cli *c, struct buf *out,
                                struct buf *messages);
enum cli_exit study_run_show(const struct cli *c, struct buf *out,
                             struct buf *messages);
enum cli_exit study_run_review(const struct cli *c, struct buf *out,
                               struct buf *messages);

#endif
