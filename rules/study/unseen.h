#ifndef SPAN25_RULES_STUDY_UNSEEN_H
#define SPAN25_RULES_STUDY_UNSEEN_H
/* unseen - senders that are there and were not seen
 *
 * From the days on which each sender was seen (DETECTION 4.5): printers, UPS
 * and alarms mail rarely, and a block hurts them most. Chao (1987),
 * bias-corrected form for incidence, which is a lower bound: at least so many
 * more exist. Not with fewer than two days, nor where the days are not alike (a
 * window of holidays). Pure. */
#include <stdbool.h>
#include <stddef.h>

#include "rules/study/share.h"

struct unseen {
    double seen, once, twice; /* senders; on exactly one, or two days */
    double there;             /* at least */
    double error;
    struct interval interval; /* of `there`, log-normal (Chao 1987) */
    double coverage;          /* Good (1953): share of all sender-days that
                               * belongs to senders that were seen */
};

/* days[j], j from 0: senders seen on exactly j + 1 of n_days days. False: fewer
 * than two days, or nobody. */
MUST_USE bool unseen_of(const double *days, size_t n_days, double level,
                        struct unseen *out);

#endif
