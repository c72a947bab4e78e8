#ifndef SPAN25_RULES_STUDY_REVIEW_SCORE_H
#define SPAN25_RULES_STUDY_REVIEW_SCORE_H
/* review_score - what two people said of messages, and what the detector did
 *
 * Each message was judged by two reviewers without the other's answer. Where
 * they differ a third one's counts; without one the message is unclear.
 *
 * AGREEMENT is Cohen's kappa (share.h) over the first message of each host that
 * both judged. A HOST is abusive when one or more of its messages are
 * malicious, clean when others are ordinary and none malicious, and else not
 * known. So the only message of a mixed host may make it clean: sensitivity is
 * of hosts as far as their drawn messages show. Its class is bot when all of
 * two or more are malicious, or the detector holds it for one; else mixed.
 *
 *   precision     of the hosts that the detector holds for abuse, those that
 *                 are abusive
 *   sensitivity   of the abusive hosts, those that it holds for abuse
 *   specificity   of the clean hosts, those that it does not
 *   corrected     share of abusive hosts in the frame: what the detector says,
 *                 by Rogan and Gladen
 *
 * Shares are weighted by stratum; hosts that are not known are left out and
 * those of their stratum stand for them, which is right only if they are like
 * them. A stratum of which nothing is known is in no share: uncovered.
 *
 * INTERVALS. The hosts held for abuse and the others are two samples. For the
 * share of abusive ones of each: share.h, with the number of hosts that would
 * be as good without weights (Korn and Graubard 1998), exact where k or n - k
 * is 5 or less, else Wilson. The others are made of these two, by what each of
 * their ends moves them, squared and added (Newcombe 1998): the delta method
 * says that sensitivity is 1 for sure when no abusive host was found among the
 * few drawn of many others. Simulated (review_score_test.c) they cover 94 to
 * 100 % for 95. Sensitivity is wide: where abuse is rare most of what was not
 * found stands behind a few hosts of large weight.
 *
 * Reviewers who err by e in a message leave about 3 e^2 of them wrong, with the
 * third; where abuse is rare that is soon as much as there is. Not where both
 * err in the same way: nothing here shows that. Pure. */
#include "rules/study/review.h"
#include "rules/study/share.h"
#include "sensor/event/study_result.h"

#define REVIEW_RATERS 3U

/* X(id, word): what a reviewer may write. */
enum review_said {
    REVIEW_NOTHING,
    REVIEW_MALICIOUS,
    REVIEW_ORDINARY,
    REVIEW_UNCLEAR,
};

/* REVIEW_NOTHING: none of the words of STUDY_MAILS. */
enum review_said review_said_find(struct span word);
const char *review_said_word(enum review_said s);

struct review_row {
    uint32_t host; /* from 0; rows of a host are neighbours */
    unsigned stratum;
    double weight;         /* of the host */
    enum study_class held; /* what the detector holds the host for */
    enum review_said said[REVIEW_RATERS];
};

struct review_scored {
    struct study_review review;
    uint64_t hosts, abusive, clean, not_known; /* drawn */
    double frame;                              /* hosts that they stand for */
    double uncovered; /* of them in strata of which nothing is known */
    double apparent;  /* share that the detector holds for abuse, of the others
                       */
    uint64_t rated_twice, resolved, unresolved; /* messages */
    uint64_t missing[REVIEW_RATERS];            /* messages without an answer */
    double table[9]; /* first messages: the first reviewer's answer by the
                      * second's, in the order of enum review_said */
};

/* classes: of each host, n_hosts of them: what it is held for by people;
 * STUDY_UNKNOWN where that is not known. ERR_USAGE: rows are not in order, or
 * numbers that are none; ERR_NOMEM. */
MUST_USE enum err review_score(const struct review_row *rows, size_t n,
                               size_t n_hosts, double level,
                               enum study_class *classes,
                               struct review_scored *out);

#endif
