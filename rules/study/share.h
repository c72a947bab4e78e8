#ifndef SPAN25_RULES_STUDY_SHARE_H
#define SPAN25_RULES_STUDY_SHARE_H
/* share - intervals for counts and shares of independent units
 *
 * The units are hosts, or messages of which no two are of one host. For shares
 * of messages that come in bundles of a host these intervals are far too short
 * (DETECTION 4.3: Wilson over messages covers 8 % where it claims 95 %):
 * ratio.h is for those. `level` is that of the two-sided interval, such as
 * 0.95.
 *
 * A false, or NAN: it cannot be said, and must not be shown as a number. Pure.
 */
#include <stdbool.h>
#include <stddef.h>

#include "sensor/base/attr.h"

struct interval {
    double low, high;
};

/* Wilson (1927), score interval without continuity correction: the usual one
 * for shares of hosts. Not where a guarantee is made of it: its coverage may be
 * a little under level. k of n, n > 0. */
MUST_USE bool share_wilson(double k, double n, double level,
                           struct interval *out);

/* Clopper and Pearson (1934): covers at least level always; for k up to 5, and
 * where something is promised. */
MUST_USE bool share_exact(double k, double n, double level,
                          struct interval *out);

/* Garwood (1936): events in so much exposure, host-days for instance. Not where
 * events come in bundles. exposure > 0. */
MUST_USE bool share_rate(double events, double exposure, double level,
                         struct interval *out);

/* No event in `exposure`: at most so many in one unit of it, one-sided; 3.00 /
 * T at 0.95. */
double share_none(double exposure, double level);

/* ---- what a detector or a reviewer gets wrong ---- */

/* Of a sample: k of n. */
struct share_of {
    double k, n;
};

/* Rogan and Gladen (1978): the true share behind an apparent one, from
 * sensitivity and specificity measured on other samples, with the delta-method
 * interval (Greenland 1996), both cut to 0..1. False where sensitivity +
 * specificity is not above 1: then the detector says nothing. Not where the
 * share is near 0 or 1 and the samples are small: look at share_exact beside.
 */
struct share_true {
    double share, error; /* standard error before the cut */
    struct interval interval;
};
MUST_USE bool share_rogan_gladen(const struct share_of *apparent,
                                 const struct share_of *sensitivity,
                                 const struct share_of *specificity,
                                 double level, struct share_true *out);

/* Manski (1989): the share in all when the part f was looked at and has p, with
 * nothing assumed about the rest. */
struct interval share_bounds(double f, double p);

/* Cohen's kappa (1960) of two reviewers with the error of Fleiss, Cohen and
 * Everitt (1969). table: n_categories rows of as many, row: the first one's
 * category. False: less than two categories in use, or nothing. */
struct share_kappa {
    double kappa, error, agreed;
    struct interval interval;
};
MUST_USE bool share_kappa(const double *table, size_t n_categories,
                          double level, struct share_kappa *out);

/* McNemar (1947), exact: two detectors on the same hosts; b: the first alone is
 * right, c: the second alone. Gives the two-sided p. */
double share_mcnemar(double b, double c);

/* ---- what it costs ---- */

/* DETECTION 4.7: a host is worth stopping from this probability on that it is a
 * bot. a: malicious recipients a day, l: legitimate messages a day; what one of
 * each is worth, and a ticket. */
double share_break_even(double a, double worth, double l, double cost,
                        double ticket);

/* Horvitz and Thompson (1952): the weight of one that was seen whole with
 * probability q; never more than most, for a few weights must not carry all. */
double share_weight(double q, double most);

#endif
