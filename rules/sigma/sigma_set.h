#ifndef SPAN25_SIGMA_SIGMA_SET_H
#define SPAN25_SIGMA_SIGMA_SET_H
/* sigma_set - a set of rules as it is in memory; for the files of this folder
 */
#include "rules/sigma/sigma_index.h"
#include "rules/sigma/sigma_rule.h"

#define SIGMA_SET_MEMORY (1U << 30) /* bytes of all rules of a set */

/* A correlation that looks at a rule. */
struct sigma_listener {
    uint32_t corr; /* rule number */
    uint32_t ref;
};

struct sigma_set {
    struct sigma_arena arena;
    struct sigma_slots slots;
    struct sigma_rule *rule;
    uint32_t n, cap;
    uint32_t *table; /* rule + 1 by hash of id and name; open addressing */
    uint32_t table_cap, table_n;
    struct sigma_regex **regex;
    uint32_t n_regex, regex_cap;
    struct sigma_defined *defined;
    uint32_t n_defined;
    struct span *disabled; /* ids and names */
    uint32_t n_disabled;
    struct span pack;
    bool keep_first, every_event;
    struct sigma_loaded loaded;
    bool compiled;
    struct sigma_index *index[EVENT_TYPE_COUNT];
    uint32_t keys_max;  /* of the largest index */
    uint32_t questions; /* see sigma_gate.h; they are numbered from 1 */
    struct sigma_listener *listener;
    uint32_t *listen; /* listeners of rule i: from listen[i] to listen[i+1] */
};

/* The rule with this id or name, or s->n. */
uint32_t sigma_set_lookup(const struct sigma_set *s, struct span word);
/* Enters id and name of rule i. */
MUST_USE enum err sigma_set_enter(struct sigma_set *s, uint32_t i);
/* Anew, after rules were taken out. */
MUST_USE enum err sigma_set_reenter(struct sigma_set *s);

#endif
