#ifndef SPAN25_RULES_DECIDE_DECIDE_TELL_H
#define SPAN25_RULES_DECIDE_DECIDE_TELL_H
/* decide_tell - what becomes of a subject, and the event that says so */
#include "rules/decide/decide_state.h"

enum decide_act { ACT_BLOCK, ACT_HOLD, ACT_WITHHELD, ACT_EXPIRE, ACT_LIFT };

struct decide_action {
    const char *word;
    const char *told[2]; /* simulating, enforcing */
    enum subject_state state;
};
extern const struct decide_action decide_actions[];

/* The reason of the next event: subject, what becomes of it, and what stands
 * against that; then what it rests on. */
void decide_tell_head(struct decide *d, const struct subject *s,
                      enum decide_act action, uint32_t against);
void decide_tell_clauses(struct decide *d, const struct record_map *event,
                         const struct decide_facts *f);
/* Time, number and reason are filled in. */
void decide_tell(struct decide *d, struct decision *what,
                 const struct record_sink *sink);

/* What the program itself does to the policy, as a control event of kind
 * policy; and it is in force. until 0, mode NULL: without. */
struct decide_doing {
    const char *action, *reason;
    const enum rollout_mode *mode;
    ns_t until;
};
void decide_do(struct decide *d, const struct decide_doing *what,
               const struct record_sink *sink);

/* Of the ladder; step from 1. */
uint64_t decide_step_seconds(const struct decide_limits *l, unsigned step);

/* Out of force, and fresh evidence is wanted for more; not told. */
void decide_leave(struct decide *d, struct subject *s);
/* What stands against it; of an exception its id. */
struct stand {
    uint32_t against;
    struct span exception;
};

/* The same, told. */
void decide_end(struct decide *d, struct subject *s, enum decide_act action,
                const char *origin, struct stand stand,
                const struct record_sink *sink);

/* As much as fits, with a NUL. */
void decide_keep_text(char *out, size_t size, struct span s);

#endif
