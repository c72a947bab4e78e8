#ifndef SPAN25_APP_STUDY_PLAN_KEY_H
#define SPAN25_APP_STUDY_PLAN_KEY_H
/* study_plan_key - the keys of a plan's files, and their values
 *
 * One table for each section; what is read with it, plan_key_format writes. */
#include "rules/study/plan.h"
#include "sensor/base/buf.h"

enum plan_type {
    PLAN_TEXT, /* char *, least..most bytes */
    PLAN_NAME, /* the same, of letters, digits, - _ and . */
    PLAN_KIND, /* enum study_kind */
    PLAN_TIME, /* ns_t, a day or a time */
    PLAN_U64,
    PLAN_DOUBLE,
    PLAN_NS, /* a length of time */
    PLAN_BOOL,
    PLAN_OTHER /* read by its section */
};

struct plan_row {
    const char *key;
    size_t offset;
    double least, most;
    double preset;
    const char *unit, *why;
    enum plan_type type;
    unsigned kinds; /* 1 << enum study_kind; 0: of every kind */
};

struct plan_rows {
    const struct plan_row *v;
    unsigned n;
};

extern const struct plan_rows plan_policy_rows, plan_cost_rows,
    plan_criterion_rows;

/* n when there is none. */
unsigned plan_rows_find(const struct plan_rows *rows, struct span key);

/* at: the struct that has the member. A false leaves it as it is and adds one
 * phrase to why, escaped. */
MUST_USE bool plan_value_set(const struct plan_row *row, struct span text,
                             void *at, struct buf *why);
/* As the file has it. */
void plan_value_format(const struct plan_row *row, const void *at,
                       struct buf *out);
/* "0s..1d" */
void plan_value_range(const struct plan_row *row, struct buf *out);
/* The default of a row that is a number. */
void plan_value_preset(const struct plan_row *row, struct buf *out);

#endif
