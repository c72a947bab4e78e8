#include "sensor/app/study.h"

enum cli_exit
study_run(const struct cli *c, struct buf *out, struct buf *messages)
{
    switch (c->verb) {
    case VERB_STUDY_RUN: return study_run_run(c, out, messages);
    case VERB_STUDY_SWEEP: return study_run_sweep(c, out, messages);
    case VERB_STUDY_COMPARE: return study_run_compare(c, out, messages);
    case VERB_STUDY_SHOW: return study_run_show(c, out, messages);
    case VERB_STUDY_REVIEW: return study_run_review(c, out, messages);
    default: return CLI_EXIT_FAILED;
    }
}
