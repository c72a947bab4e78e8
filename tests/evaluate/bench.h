#ifndef SPAN25_TESTS_EVALUATE_BENCH_H
#define SPAN25_TESTS_EVALUATE_BENCH_H
/* bench - how many records a second each detector takes, on one core
 *
 * Records are decoded and in memory before the clock starts; each is mapped
 * once, as the core does it, and who it is of is known beforehand. Two streams:
 * the whole cast of the scenarios, of which bots send nearly all, and a campus
 * of innocents with few bots. Of a detector the best of three rounds counts,
 * each from an empty state, in processor time. Conclusions are counted and
 * hashed in a round of their own: equal hashes, equal bytes. */
#include "tests/evaluate/play.h"

/* All of them, or the one of that name. False when there was no memory for a
 * stream. */
bool bench_run(const struct play_options *o, const char *only);

#endif
