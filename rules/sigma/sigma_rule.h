#ifndef SPAN25_SIGMA_SIGMA_RULE_H
#define SPAN25_SIGMA_SIGMA_RULE_H
/* sigma_rule - a rule as it is in memory, flat; for the files of this folder
 *
 * A rule has selections, a selection is an OR of maps, a map an AND of items,
 * an item one field with groups of values: a group holds when one of its
 * values does, the item when one of its groups does (or all, with `all`). The
 * condition is kept as postfix code over selections until filters are known,
 * then as code with jumps and one register. All of it lies in the arena of the
 * set. */
#include "rules/sigma/sigma.h"
#include "rules/sigma/sigma_arena.h"
#include "rules/sigma/sigma_field.h"
#include "rules/sigma/sigma_regex.h"
#include "rules/sigma/sigma_tree.h"
#include "sensor/base/addr.h"

/* ---- values ---- */

enum sigma_op {
    SIGMA_OP_TEXT,
    SIGMA_OP_NUMBER,
    SIGMA_OP_NULL,
    SIGMA_OP_EXISTS,
    SIGMA_OP_RE,
    SIGMA_OP_CIDR,
    SIGMA_OP_COMPARE,
    SIGMA_OP_PART,
    SIGMA_OP_FIELD
};

enum sigma_how {
    SIGMA_EXACT,
    SIGMA_PREFIX,
    SIGMA_SUFFIX,
    SIGMA_CONTAINS,
    SIGMA_ANYTHING,
    SIGMA_GLOB
};

enum sigma_compare {
    SIGMA_LT,
    SIGMA_LTE,
    SIGMA_GT,
    SIGMA_GTE,
    SIGMA_EQ,
    SIGMA_NEQ
};

enum sigma_part {
    SIGMA_MINUTE,
    SIGMA_HOUR,
    SIGMA_DAY,
    SIGMA_WEEK,
    SIGMA_MONTH,
    SIGMA_YEAR
};

#define SIGMA_TOKEN_ANY 256U /* * */
#define SIGMA_TOKEN_ONE 257U /* ? */

struct sigma_value {
    uint8_t op;  /* enum sigma_op */
    uint8_t how; /* enum sigma_how, sigma_compare or sigma_part */
    bool cased;
    bool yes;      /* of exists */
    bool is_addr;  /* the text is an address */
    uint16_t slot; /* of fieldref */
    uint32_t n_glob;
    struct span text; /* in lower case, unless cased; of GLOB, its longest run
                         of bytes; of RE, the literal of its pattern */
    const uint16_t *glob;
    long double number;
    struct addr addr;
    struct prefix prefix;
    const struct sigma_regex *regex;
};

struct sigma_values {
    const struct sigma_value *v;
    uint32_t n;
};

struct sigma_item {
    uint16_t slot;
    bool all, negate;
    uint32_t n_groups;
    uint32_t question; /* items with the same number ask the same; 0: alone */
    const struct sigma_values *group;
    struct span key;  /* as written, for people */
    struct span want; /* the values as written, cut, for people */
};

struct sigma_items {
    struct sigma_item *v;
    uint32_t n;
};

struct sigma_selection {
    struct span name;
    const struct sigma_items *map;
    uint32_t n_maps;
};

/* ---- conditions ---- */

enum sigma_code_op {
    SIGMA_CODE_SEL, /* register = selection arg */
    SIGMA_CODE_NOT,
    SIGMA_CODE_AND, /* postfix only */
    SIGMA_CODE_OR,
    SIGMA_CODE_JF, /* when false, go on arg instructions later */
    SIGMA_CODE_JT
};

struct sigma_code {
    uint32_t op : 3;
    uint32_t arg : 29;
};

struct sigma_program {
    const struct sigma_code *v;
    uint32_t n;
};

/* ---- correlations ---- */

enum sigma_corr_type {
    SIGMA_EVENT_COUNT,
    SIGMA_VALUE_COUNT,
    SIGMA_TEMPORAL,
    SIGMA_TEMPORAL_ORDERED,
    SIGMA_VALUE_SUM,
    SIGMA_VALUE_AVG,
    SIGMA_VALUE_PERCENTILE,
    SIGMA_VALUE_MEDIAN
};

#define SIGMA_REFS_MAX 32U /* rules of one correlation */

struct sigma_test {
    enum sigma_compare op;
    double value;
};

struct sigma_ref {
    struct span word;
    uint32_t line, column;
    uint32_t rule; /* after compile */
};

struct sigma_alias {
    struct span alias, rule, field;
    uint32_t line, column;
};

/* Where a value of an event comes from: a slot of the record, or a group value
 * of the correlation that the event is a match of. */
struct sigma_source {
    bool of_group;
    uint16_t at;
};

struct sigma_corr {
    enum sigma_corr_type type;
    uint32_t n_refs, n_group, n_fields, n_aliases, n_tests;
    struct sigma_ref *ref;
    struct span *group; /* names */
    struct span *field;
    struct sigma_alias *alias;
    struct sigma_test test[2];
    struct sigma_program program; /* of temporal with an expression */
    ns_t timespan;
    double percentile;
    uint32_t subject; /* of group; n_group: none is an address */
    bool generate;
    bool at_end; /* the condition has an upper bound */
    /* after compile, [ref * n_group + i] */
    struct sigma_source *group_at;
    struct sigma_source *field_at;
};

/* ---- rules ---- */

#define SIGMA_SERVICES_MAX EVENT_TYPE_COUNT

struct sigma_rule {
    struct sigma_info info;
    bool bad;           /* refused by compile */
    bool referred, own; /* by a correlation; by one with generate */
    uint64_t services;  /* bit per enum event_type */
    struct span service, product, category; /* p NULL: not given */
    bool has_product;
    uint32_t n_selections, n_own; /* the others came with filters */
    struct span condition;        /* as written; a list is joined by " or " */
    struct sigma_selection *selection;
    struct sigma_program postfix; /* of all conditions */
    struct sigma_program program;
    const struct sigma_item **gate; /* see sigma_gate.h */
    uint32_t gate_n;                /* items, and a NULL behind each clause */
    struct sigma_corr *corr;
    /* of a filter */
    struct sigma_ref *target;
    uint32_t n_targets; /* 0: any */
    uint32_t column;
};

/* ---- reading ---- */

struct sigma_defined {
    struct span name, value;
};

/* One document on its way in. */
struct sigma_reader {
    struct sigma_arena *arena;
    const struct sigma_tree *t;
    struct sigma_slots *slots;
    const struct sigma_defined *defined;
    uint32_t n_defined;
    struct sigma_regex **regex; /* the set's list */
    uint32_t n_regex, regex_cap;
    struct buf *messages;
    struct span file;
    unsigned faults;
    bool nomem;
    bool every_event;  /* see sigma_set_every_event */
    bool foreign;      /* unknown fields are no fault */
    bool may_be_other; /* no product given: unknown fields make it foreign */
};

/* "file:line:column: key: " and the text; counts it. key may be empty. */
void sigma_fault(struct sigma_reader *r, uint32_t line, uint32_t column,
                 struct span key, const char *fmt, ...) PRINTF(5, 6);
void sigma_fault_at(struct sigma_reader *r, uint32_t node, struct span key,
                    const char *fmt, ...) PRINTF(4, 5);
/* Ours: a word for a message, safe and short, in static-size room. */
struct sigma_word {
    char s[100];
};
struct sigma_word sigma_word(struct span s);

#endif
