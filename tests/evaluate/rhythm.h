#ifndef SPAN25_TESTS_EVALUATE_RHYTHM_H
#define SPAN25_TESTS_EVALUATE_RHYTHM_H
/* rhythm - when a sender begins its next connection
 *
 * Hours, weekdays and days of the month are those of UTC. */
#include "sensor/base/ns.h"
#include "tests/evaluate/rng.h"
#include "tests/evaluate/scenario.h"

struct rhythm_of {
    enum rhythm rhythm;
    double mean_s;  /* between two of them, on the average of a week */
    uint64_t phase; /* when its day, week or month begins; any number */
    ns_t born;      /* a burst's weeks count from it */
};

/* Later than after. */
ns_t rhythm_next(struct rng *r, const struct rhythm_of *o, ns_t after);

/* 1 to 31. */
unsigned rhythm_day_of_month(ns_t t);

/* Hours of a week for each that is an office hour. */
#define RHYTHM_OFFICE_TIMES (24.0 * 7 / (10 * 5))

#endif
