#ifndef SPAN25_RULES_STUDY_CRITERIA_H
#define SPAN25_RULES_STUDY_CRITERIA_H
/* criteria - go or no go: what was agreed on before, against what was measured
 *
 * A measure is a number of the result, or of one policy in it. Not known is
 * neither pass nor fail, and says why. Where only bounds are known the measure
 * is the one that speaks against going: hours not measured are not covered, as
 * many messages as there may be were under TLS. A count of hosts or of what
 * they lose that had no room for all hosts may be too low: it can exceed a
 * limit, and cannot keep one. Pure. */
#include "rules/study/plan.h"
#include "sensor/event/study_result.h"

/* X(id, word, of a policy, what) */
#define STUDY_MEASURES(X)                                                      \
    X(REGISTERED_STOPPED, "registered-stopped", true,                          \
      "registered hosts that it stops")                                        \
    X(LEGITIMATE_STOPPED, "legitimate-stopped", true,                          \
      "hosts that look legitimate and that it stops")                          \
    X(WRONG_SHARE_HIGH, "wrong-share-high", true,                              \
      "upper end of the share of legitimate hosts that it stops")              \
    X(BOTS_STOPPED_SHARE, "bots-stopped-share", true,                          \
      "share of the hosts that behave like bots that it stops")                \
    X(SPARED_SHARE_LOW, "spared-share-low", true,                              \
      "lower end of the share of malicious recipients spared")                 \
    X(LOST_MOST, "lost-most", true, "ordinary messages lost, at most")         \
    X(LOST_RATE, "lost-rate", true,                                            \
      "ordinary messages lost for 1,000 host-days, at most")                   \
    X(STOPPED_DAY_MOST, "stopped-day-most", true,                              \
      "most hosts stopped for the first time on one day")                      \
    X(TIME_TO_STOP_MEDIAN, "time-to-stop-median", true,                        \
      "seconds from the first bad message to the stop, median")                \
    X(STAFF_HOURS, "staff-hours", true, "hours of work")                       \
    X(OWNERS_UNKNOWN, "owners-unknown", true,                                  \
      "legitimate hosts that it stops and whose owner is not known")           \
    X(COVERAGE, "coverage", false,                                             \
      "share of the window's hours that were watched for 90 % or more")        \
    X(WEEK_COVERED, "week-covered", false,                                     \
      "of the 168 hours of the week, those covered three times or more")       \
    X(LOSS, "loss", false, "share of bytes acknowledged and never seen")       \
    X(CLEAR, "clear", false, "share of outward mail that could be read")       \
    X(KAPPA, "kappa", false, "agreement of the two reviewers")                 \
    X(PRECISION_LOW, "precision-low", false,                                   \
      "lower end of the reviewed precision of the detector")                   \
    X(WITHIN_48H, "within-48h", false,                                         \
      "share of permits entered within 48 hours, all forms in one wave, with " \
      "the fewest clerks that were weighed")                                   \
    X(DECISIONS_SAME, "decisions-same", false,                                 \
      "share of journaled decisions that the study makes too")

enum study_measure {
#define X(id, word, policy, what) STUDY_MEASURE_##id,
    STUDY_MEASURES(X)
#undef X
        STUDY_MEASURE_COUNT
};

/* STUDY_MEASURE_COUNT: none of that word. */
enum study_measure study_measure_find(const char *word);
const char *study_measure_word(enum study_measure m);
const char *study_measure_what(enum study_measure m);
bool study_measure_of_policy(enum study_measure m);

/* Fills r->criteria's measured, verdict and why (static); name, measure and
 * limit are there already. plan->criteria and r->criteria are as many, in
 * order. The rest of r is read, so it is filled before. */
void study_criteria_judge(const struct study_plan *plan,
                          struct study_result *r);

#endif
