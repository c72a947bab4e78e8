#ifndef SPAN25_DASHBOARDS_STUDY_FACTS_H
#define SPAN25_DASHBOARDS_STUDY_FACTS_H
/* study_facts - what a study amounts to: counts and sentences all views share
 *
 * A sentence is raw text: names inside it are bytes as they came. Whoever shows
 * it escapes the whole of it once, for its own kind of reader. */
#include "dashboards/study_words.h"

/* What the criteria say, and nothing else: one that failed is a no, one that
 * cannot be judged is no yes. */
enum study_advice {
    STUDY_ADVICE_YES,
    STUDY_ADVICE_NO,
    STUDY_ADVICE_NOT_YET, /* something is not known */
    STUDY_ADVICE_NONE,    /* nothing proposed, or no criteria were agreed */
};

struct study_facts {
    const struct study_result *r;
    const struct study_policy *p; /* the proposed one, or NULL */
    size_t p_at;                  /* of policies; n_policies: none */
    enum study_advice advice;
    size_t passed, failed, unknown;    /* criteria */
    uint64_t hosts[STUDY_CLASS_COUNT]; /* at home, that sent outward */
    uint64_t hosts_all;
    uint64_t hours_gap;     /* watched for less than 90 % */
    uint64_t hours_blind;   /* of which it was not measured */
    uint64_t week_gap;      /* hours of the week covered less than 3 times */
    uint64_t messages, bad; /* outward from home; judged bad or of class A */
    bool at_least;          /* there was loss, so that counts are bounds */
};

struct study_facts study_facts_of(const struct study_result *r);

/* Where a policy of that name stands, or n_policies. */
size_t study_policy_find(const struct study_result *r, const char *name);

/* Is an hour watched for 90 % and not refused. */
bool study_hour_whole(const struct study_hour *h);

const char *study_verdict_word(enum study_verdict v); /* "pass", ... */
const char *study_advice_word(enum study_advice a);   /* "Yes", "No", ... */

/* "Approve P4 on 2027-01-11?" */
void study_say_question(struct buf *b, const struct study_facts *f);
/* Why the advice is what it is; a sentence or two. */
void study_say_advice(struct buf *b, const struct study_facts *f);
/* What the measured value of a criterion is. */
void study_say_measured(struct buf *b, const struct study_criterion *c);

/* ---- the decision page ---- */

/* The i-th of its numbers: a value, what it counts, and how sure; false: no
 * more. */
struct study_key {
    struct buf *value, *label, *note;
};
#define STUDY_KEYS 5
bool study_say_key(struct study_key *k, const struct study_facts *f, size_t i);

/* Its lists. The i-th sentence, without a full stop; false where there are no
 * more. */
enum study_list {
    STUDY_BREAKS,
    STUDY_GAINS,
    STUDY_OPEN, /* what we do not know */
    STUDY_COST,
    STUDY_CONDITIONS, /* of a yes; of a no, what stands against it */
    STUDY_LIST_COUNT,
};
#define STUDY_LINES 12 /* at most, in a list */
const char *study_list_title(const struct study_facts *f, enum study_list l);
bool study_say_line(struct buf *b, const struct study_facts *f,
                    enum study_list l, size_t i);

#endif
