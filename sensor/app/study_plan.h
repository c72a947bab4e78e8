#ifndef SPAN25_APP_STUDY_PLAN_H
#define SPAN25_APP_STUDY_PLAN_H
/* study_plan - policies, costs and criteria of a study, from YAML files
 *
 *     policies:
 *       - name: P4
 *         title: What the detector finds is stopped
 *         kind: detector            # words of STUDY_KINDS
 *         latency: 60s              # keys of STUDY_POLICY_KEYS
 *         from: 2026-10-01
 *         block:                    # as the section block of the
 *           sessions: 20            # configuration (decide.def)
 *     costs:                        # keys of STUDY_COST_KEYS
 *       alert-minutes: 6
 *     proposed: P4
 *     effective: 2027-01-11
 *     rollback: policy mode off; lists are empty within a minute
 *     criteria:
 *       - name: registered hosts stopped
 *         measure: registered-stopped   # words of STUDY_MEASURES
 *         at-most: 0
 *         policy: P1                    # else the proposed one
 *
 * Any of the keys may be in any of the files; a name may be given once, and
 * each value in one file. What is wrong is told with file, line, column and a
 * suggestion; everything that is wrong, not the first fault only. A key that
 * does nothing in a policy of its kind is wrong. */
#include "rules/study/plan.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define STUDY_PLAN_FILE (1U << 20) /* bytes of one */

struct study_plan_files {
    char *const *policies; /* files, or the names of shipped policies (P0..P6);
                            * a file of such a name is ./P0 */
    size_t n_policies;
    const char *criteria; /* a file, or NULL */
};

/* When none of the files has a policy and none is named, all that are shipped
 * are there. Texts and lists of *out are its own (study_plan_free). hash:
 * SHA-256 over the bytes of the files that have criteria, one after the other,
 * and of the one called so: 64 hexadecimal digits and a NUL, or "" without any.
 * ERR_CONFIG: told in messages; so are files that cannot be read, with the
 * error of that. *out is then untouched. */
MUST_USE enum err study_plan_read(const struct study_plan_files *files,
                                  struct study_plan *out, char hash[65],
                                  struct buf *messages);
/* The same for one text; name is what messages call it. */
MUST_USE enum err study_plan_parse(struct span text, const char *name,
                                   struct study_plan *out,
                                   struct buf *messages);

/* What is shipped, as a file that could be given: for people to begin with.
 * Lines that begin with "#" and no space are settings that may be set. */
void study_plan_text(struct buf *out);

#endif
