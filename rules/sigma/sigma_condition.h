#ifndef SPAN25_SIGMA_SIGMA_CONDITION_H
#define SPAN25_SIGMA_SIGMA_CONDITION_H
/* sigma_condition - conditions as code
 *
 * The grammar of SIGMA.md 5 by two stacks, without recursion: and, or, not,
 * parentheses, "1 of", "any of", "all of" with them or a pattern. First it is
 * postfix, which is what filters are added to; then code for one register:
 * SEL sets it, NOT turns it, JF and JT skip what cannot matter any more. */
#include "rules/sigma/sigma_rule.h"

#define SIGMA_CODE_MAX       4096U
#define SIGMA_CONDITION_MAX  65535U /* bytes of a condition */
#define SIGMA_CONDITION_NEST 64U

struct sigma_condition {
    struct sigma_code code[SIGMA_CODE_MAX];
    uint32_t n;
    char error[160];
};

/* Names of selections, or of a correlation's rules. */
struct sigma_names {
    const struct span *v;
    uint32_t n;
    bool plain; /* no "of" */
    bool *used; /* set for each name that the condition mentions */
};

/* Appends postfix code to c. False: c->error says why. */
bool sigma_condition_parse(struct sigma_condition *c, struct span text,
                           const struct sigma_names *names);
/* Appends one instruction; false when there is no room. */
bool sigma_condition_put(struct sigma_condition *c, enum sigma_code_op op,
                         uint32_t arg);

/* postfix as code with jumps; out->v is in the arena. False: no memory. */
bool sigma_condition_compile(struct sigma_arena *a,
                             struct sigma_program postfix,
                             struct sigma_program *out);

/* "*" may stand anywhere in the pattern. */
bool sigma_condition_like(struct span pattern, struct span name);

#endif
