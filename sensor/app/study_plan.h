#ifndef SPAN25_APP_STUDY_PLAN_H
#define SPAN25_APP_STUDY_PLAN_H
/* study_plan - policies, costs and criteria of a study, from YAML files
 *
 *     policies:
 *       - name: P4
 *         title: Stop what the detector finds
 *         kind: detector            # words of STUDY_KINDS
 *         latency: 60s              # keys of STUDY_POLICY_KEYS
 *         from: 2026-10-01
 *         block:                    # kind detector: keys of the
 * configuration's sessions: 20            # section block (decide.def) costs:
 * # keys of STUDY_COST_KEYS alert-minutes: 6 proposed: P4 effective: 2027-01-11
 *     rollback: policy mode off; lists empty within a minute
 *     criteria:
 *       - name: registered hosts stopped
 *         measure: registered-stopped   # words of study_measure (criteria.h)
 *         at-most: 0
 *         policy: P1                    # else the proposed one
 *
 * Any of the keys may be in any of the files; a name may be given once. What is
 * wrong is told with file, line, column and a suggestion; everything that is
 * wrong, not the first fault only. */
#include "rules/study/plan.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

struct study_plan_files {
    char *const
        *policies;        /* files, or the names of shipped policies (P0..P6) */
    size_t n_policies;    /* 0: all that are shipped */
    const char *criteria; /* a file, or NULL */
};

/* ERR_CONFIG: told in messages, *out is untouched. hash: SHA-256 over all files
 * of criteria, 64 hexadecimal digits and a NUL, or "". */
MUST_USE enum err study_plan_read(const struct study_plan_files *files,
                                  struct study_plan *out, char hash[65],
                                  struct buf *messages);

/* What is shipped, as a file that could be given: for people to begin with. */
void study_plan_text(struct buf *out);

#endif
