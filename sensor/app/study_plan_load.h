#ifndef SPAN25_APP_STUDY_PLAN_LOAD_H
#define SPAN25_APP_STUDY_PLAN_LOAD_H
/* study_plan_load - texts of people added to a plan, and what is wrong in them
 *
 * One text after the other, then plan_load_check for what only all of them
 * together can be asked. Every fault is a line "file:line:column: ..." with
 * what would be right, up to STUDY_PLAN_FAULTS. What is no YAML at all ends its
 * text at the first fault. */
#include "rules/study/plan.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"

#define STUDY_PLAN_POLICIES 64U  /* each is replayed: time */
#define STUDY_PLAN_CRITERIA 256U /* more than a page of people would read */
#define STUDY_PLAN_NAME     32U  /* bytes of a policy's name, a column's head */
#define STUDY_PLAN_FAULTS   20U
#define STUDY_PLAN_MEMORY   (16U << 20) /* of the texts while they are read */

/* Where something stands. file NULL: nowhere, or it is shipped. */
struct plan_place {
    const char *file;
    uint32_t line, column;
};

/* X(id, key) - lists and costs may be in several texts, the others in one. */
#define STUDY_PLAN_KEYS(X)                                                     \
    X(POLICIES, "policies")                                                    \
    X(COSTS, "costs")                                                          \
    X(PROPOSED, "proposed")                                                    \
    X(EFFECTIVE, "effective")                                                  \
    X(ROLLBACK, "rollback")                                                    \
    X(CRITERIA, "criteria")

enum plan_key {
#define X(id, key) PLAN_KEY_##id,
    STUDY_PLAN_KEYS(X)
#undef X
        PLAN_KEY_COUNT
};

#define X(member, ...) PLAN_COST_##member,
enum plan_cost { STUDY_COST_KEYS(X) PLAN_COST_COUNT };
#undef X

struct plan_load {
    struct study_plan *plan;
    struct buf *messages;
    const char *file; /* of the text in hand */
    unsigned n_faults;
    bool stop;   /* too many faults */
    bool failed; /* no memory */
    bool broken; /* a text is no YAML */
    struct plan_place keys[PLAN_KEY_COUNT];
    struct plan_place costs[PLAN_COST_COUNT];
    struct plan_place policies[STUDY_PLAN_POLICIES]; /* their names */
    struct plan_place criteria[STUDY_PLAN_CRITERIA]; /* what names a policy */
};

/* file outlives it. *criteria: the text has some. */
void plan_load_text(struct plan_load *l, struct span text, const char *file,
                    bool *criteria);
/* A policy that is shipped; false: there is none of that name. */
bool plan_load_shipped(struct plan_load *l, const char *name);
void plan_load_all_shipped(struct plan_load *l);
/* Names that are spoken of are there. */
void plan_load_check(struct plan_load *l);
/* ERR_OK, ERR_CONFIG (told), ERR_NOMEM. */
MUST_USE enum err plan_load_result(const struct plan_load *l);

/* Names of the shipped ones, "P0, P1, ...". */
void plan_load_shipped_names(struct buf *out);

#endif
