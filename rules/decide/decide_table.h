#ifndef SPAN25_RULES_DECIDE_DECIDE_TABLE_H
#define SPAN25_RULES_DECIDE_DECIDE_TABLE_H
/* decide_table - what is remembered of each subject that a rule held for
 *
 * Found by a keyed hash; kept in the order of arrival. When DECIDE_SUBJECTS are
 * full, those of which nothing need be remembered go (at most once an hour, for
 * it looks at all); those in force, with immunity or with steps never do. */
#include "rules/decide/decide_rule.h"

#define TABLE_ID    17 /* 16 hexadecimal digits and a NUL */
#define TABLE_SITE  64
#define TABLE_SWEEP (3600 * NS_PER_S)
#define TABLE_STALE (86400 * NS_PER_S)

enum subject_state {
    SUBJECT_IDLE,
    SUBJECT_BLOCK,
    SUBJECT_HOLD,
    SUBJECT_WITHHELD
};

struct subject {
    struct prefix key;
    struct addr host; /* that the latest decision was made on */
    enum subject_state state;
    bool human;            /* a person's block, or hold for another one */
    bool enforced;         /* the latest decision was told as such */
    bool struck;           /* the latest block was the detector's, enforced, and
                            * nobody has called it a mistake */
    bool fresh_wanted;     /* something ended; fresh evidence is asked for */
    bool base_known;       /* base_* are of behind that end */
    uint8_t step;          /* of the ladder: 0 none yet */
    uint32_t against;      /* as last told */
    ns_t since, until;     /* of the state */
    ns_t told;             /* when it was told as withheld; 0: not since */
    ns_t held;             /* when the rule last held */
    ns_t ended;            /* of the latest block or hold */
    ns_t immune;           /* until when */
    ns_t shared;           /* until when: others were seen behind it */
    struct addr base_host; /* of a /64, whose counts these are */
    uint64_t base_sessions, base_bad;
    uint64_t collateral, macs;
    uint64_t levels;   /* of decide_facts; 0: not known */
    uint64_t approver; /* who waits for another person to agree: hash; or 0 */
    ns_t wanted;       /* the end that this one asked for; 0: none */
    char id[TABLE_ID], lease[TABLE_ID], site[TABLE_SITE]; /* "" none */
};

struct table {
    uint64_t seed;
    struct subject *rows;
    uint32_t *slots; /* index + 1; cap_slots of them, a power of two */
    uint32_t *due;   /* scratch of table_due, as many as rows */
    size_t n, cap, cap_slots;
    ns_t swept;
    ns_t next_end; /* no row in force ends before */
    uint64_t refused;
};

void decide_table_init(struct table *t, uint64_t seed);
void decide_table_fini(struct table *t);

struct subject *decide_table_find(struct table *t, const struct prefix *key);
/* Pointers stay good until the next one is made. NULL: full, or no memory;
 * counted. */
struct subject *decide_table_get(struct table *t, const struct prefix *key,
                                 ns_t now);

static inline bool
subject_in_force(const struct subject *s)
{
    return s->state == SUBJECT_BLOCK || s->state == SUBJECT_HOLD;
}

void decide_table_set(struct table *t, struct subject *s,
                      enum subject_state state, ns_t since, ns_t until);
/* Indices of rows in force that end at now or before, by end, then address. */
const uint32_t *decide_table_due(struct table *t, ns_t now, size_t *n);

#endif
