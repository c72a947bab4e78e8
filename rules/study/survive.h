#ifndef SPAN25_RULES_STUDY_SURVIVE_H
#define SPAN25_RULES_STUDY_SURVIVE_H
/* survive - time until something, for hosts of which some never come to it
 *
 * Time to detection or block is censored by the end of the study and by a
 * host's last activity: the mean over those that were detected says nothing
 * (DETECTION 4.5). Kaplan and Meier (1958) with Greenwood's variance and the
 * log-log interval (Kalbfleisch and Prentice 1980); with competing events, such
 * as a lease that ended or a host that was cleaned, Aalen and Johansen (1978).
 *
 * Not for hosts that were there before the window: their time is not known
 * (left-truncated). Times are in the caller's unit, censoring must not depend
 * on what would have come. Ties: events before censorings.
 *
 * Pure. Time n log n. */
#include <stdbool.h>
#include <stddef.h>

#include "rules/study/share.h"
#include "sensor/base/err.h"

enum survive_end { SURVIVE_CENSORED, SURVIVE_EVENT, SURVIVE_OTHER };

struct survive_unit {
    double time;
    enum survive_end end;
};

/* One time at which events or competing events were. */
struct survive_step {
    double time;
    size_t at_risk, events, others;
    double free;  /* S(t): share to which the event has not come, with the
                   * others taken for censored */
    double error; /* Greenwood; 0 where free is 0 */
    struct interval interval;
    double incidence; /* share to which it has come, the others counted as what
                       * they are: never again */
};

struct survive {
    struct survive_step *v; /* by time */
    size_t n;
    size_t units, events, others;
    double last; /* the longest time of all */
};

/* units are sorted in place. ERR_USAGE: none, a time that is no number or below
 * zero, or a level that is none. To be freed by survive_free. */
MUST_USE enum err survive_of(struct survive_unit *units, size_t n, double level,
                             struct survive *out);
void survive_free(struct survive *s);

/* The time by which the event has come to the share p, and its interval from
 * the limits of S(t) (Brookmeyer and Crowley 1982); infinite where it is not
 * reached. */
void survive_quantile(const struct survive *s, double p, double *time,
                      struct interval *out);

/* Mean time without the event up to tau (restricted mean), its standard error
 * in *error. tau beyond the last time: NAN, for nobody was watched so long. */
double survive_mean(const struct survive *s, double tau, double *error);

#endif
