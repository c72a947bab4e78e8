#ifndef SPAN25_TESTS_EVALUATE_CUSUM_TABLES_H
#define SPAN25_TESTS_EVALUATE_CUSUM_TABLES_H
/* cusum_tables - DETECTION 1.2 computed again, by rules/host/cusum.h
 *
 * Steps, KL, theta* and w(theta) of each design; delays by runs from 0;
 * false alarms by long sequences with a new start after each. What is printed
 * there is the expectation; what differs by more than Monte Carlo error is
 * named. */
#include "sensor/base/buf.h"

/* Tables as Markdown into out; how many cells differ from those of DETECTION.
 * runs: for each delay (1,500 there); observations for each rate of false
 * alarms (400,000 there). */
unsigned cusum_tables(uint64_t seed, unsigned runs, unsigned observations,
                      struct buf *out);

/* Positive root w of theta e^(w up) + (1 - theta) e^(w down) = 1, or 0 where
 * the drift is not negative. Steps in nats. */
double cusum_root(double theta, double up, double down);

#endif
