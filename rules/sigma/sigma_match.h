#ifndef SPAN25_SIGMA_SIGMA_MATCH_H
#define SPAN25_SIGMA_SIGMA_MATCH_H
/* sigma_match - does an item, a selection, a rule hold for a record
 *
 * Work is bounded: a wildcard in the middle of a pattern is tried at most
 * SIGMA_GLOB_STEPS times, pairs of fieldref are at most SIGMA_PAIRS_MAX, and
 * after SIGMA_LIMITED_MAX regular expressions of one record have come to their
 * limits no other is tried on it. What was given up does not match. */
#include "rules/sigma/sigma_rule.h"
#include "rules/sigma/sigma_view.h"

#define SIGMA_GLOB_STEPS  1000000U
#define SIGMA_PAIRS_MAX   16384U
#define SIGMA_LIMITED_MAX 8U

struct sigma_matcher {
    uint64_t *answer; /* of each question: number of the record, and yes in the
                         lowest bit */
    struct sigma_view *view;
    struct sigma_regex_match *regex;
    unsigned limited; /* of this record */
    uint64_t regex_limited, glob_limited;
};

bool sigma_match_item(struct sigma_matcher *m, const struct sigma_item *i);
bool sigma_match_selection(struct sigma_matcher *m,
                           const struct sigma_selection *s);
bool sigma_match_rule(struct sigma_matcher *m, const struct sigma_rule *r);

/* The first value of the record that one of the item's values takes, or NULL:
 * for explanations. */
struct sigma_text *sigma_match_first(struct sigma_matcher *m,
                                     const struct sigma_item *i);

bool sigma_match_test(enum sigma_compare op, long double a, long double b);

#endif
