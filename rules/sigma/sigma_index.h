#ifndef SPAN25_SIGMA_SIGMA_INDEX_H
#define SPAN25_SIGMA_SIGMA_INDEX_H
/* sigma_index - which rules of a service a record may match
 *
 * Of each rule's condition a guard is worked out: a set of signs of which one
 * must be there if the rule is to match. A sign is a whole value, two to four
 * bytes within a value, a number above or below a threshold, a network, or that
 * a field is there at all. Rules without a guard are looked at for every
 * record. So a record costs its own bytes and the rules whose signs it carries,
 * not all rules; and what the index says is only a candidate, never a match. */
#include "rules/sigma/sigma_rule.h"
#include "rules/sigma/sigma_view.h"

struct sigma_index_key {
    uint64_t key;
    uint32_t first, n; /* of rules; n 0: free */
};

/* A threshold; those of one slot and kind stand together, the ones that most
 * numbers pass first. */
struct sigma_bound {
    uint16_t slot;
    uint8_t kind;
    uint32_t rule;
    long double at;
};

#define SIGMA_NETS_MAX 256U

struct sigma_net {
    uint16_t slot;
    uint8_t bits;
};

/* A slot that has signs, in the chain of the field that it stands in. */
struct sigma_look {
    uint16_t slot, next; /* of looks; 0 ends */
};

struct sigma_index {
    uint64_t fields[RECORD_MAP_WORDS]; /* that have looks */
    uint16_t first[FIELD_COUNT];       /* of looks */
    struct sigma_look *looks;          /* looks[0] is none */
    uint16_t n_looks;
    uint16_t signs[SIGMA_SLOTS_MAX]; /* kinds that a slot has, a bit each */
    uint32_t above[SIGMA_SLOTS_MAX]; /* first in bound */
    uint32_t below[SIGMA_SLOTS_MAX];
    struct sigma_bound *bound;
    uint32_t n_bounds, bound_cap;
    struct sigma_net net[SIGMA_NETS_MAX]; /* lengths that a slot has */
    uint32_t n_nets;
    uint64_t bitmap[1024];         /* top 16 bits of the keys */
    struct sigma_index_key *table; /* open addressing, a power of two */
    uint32_t mask;
    uint32_t *rules;
    uint32_t *always;
    uint32_t n_always, n_rules;
};

/* Candidates of one record; arrays as long as the set has rules, or the table
 * of its largest index has keys. */
struct sigma_candidates {
    uint32_t *rule, n;
    uint32_t *stamp; /* per rule */
    uint32_t *seen;  /* per key */
    uint32_t epoch;
};

/* Of the rules of the set that apply to this event type; *out is NULL when
 * none does. */
MUST_USE enum err sigma_index_new(const struct sigma_rule *rules, uint32_t n,
                                  const struct sigma_slots *slots,
                                  enum event_type type,
                                  struct sigma_index **out);
void sigma_index_free(struct sigma_index *x);

void sigma_index_look(const struct sigma_index *x, struct sigma_view *w,
                      struct sigma_candidates *c);

#endif
