/* The part of a document under "correlation": SIGMA.md 6. */
#include "rules/sigma/sigma_condition.h"
#include "rules/sigma/sigma_document.h"

#define ALIASES_MAX  256U
#define TIMESPAN_MAX (UINT64_C(10) * 31556952) /* seconds */

static const struct sigma_node *
at(const struct sigma_reader *r, uint32_t i)
{
    return &r->t->node[i];
}

static const struct {
    struct span word;
    enum sigma_corr_type type;
    bool temporal;
    bool field; /* needs one */
} types[] = {
    {SPAN_INIT("event_count"),      SIGMA_EVENT_COUNT,      false, false},
    {SPAN_INIT("value_count"),      SIGMA_VALUE_COUNT,      false, true },
    {SPAN_INIT("temporal"),         SIGMA_TEMPORAL,         true,  false},
    {SPAN_INIT("temporal_ordered"), SIGMA_TEMPORAL_ORDERED, true,  false},
    {SPAN_INIT("value_sum"),        SIGMA_VALUE_SUM,        false, true },
    {SPAN_INIT("value_avg"),        SIGMA_VALUE_AVG,        false, true },
    {SPAN_INIT("value_percentile"), SIGMA_VALUE_PERCENTILE, false, true },
    {SPAN_INIT("value_median"),     SIGMA_VALUE_MEDIAN,     false, true },
};

static size_t
read_type(struct sigma_reader *r, uint32_t map)
{
    uint32_t v = sigma_tree_get(r->t, map, "type", NULL);

    if (v == 0) {
        sigma_fault_at(r, map, SPAN_LIT("type"),
                       "is missing, such as event_count");
        return ARRAY_LEN(types);
    }
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (span_eq(types[i].word, at(r, v)->text))
            return i;
    }
    sigma_fault_at(r, v, SPAN_LIT("type"),
                   "'%s' is not known, write event_count, value_count, "
                   "temporal, temporal_ordered, value_sum, value_avg, "
                   "value_percentile or value_median",
                   sigma_word(at(r, v)->text).s);
    return ARRAY_LEN(types);
}

/* ---- timespan ---- */

static const struct {
    uint8_t unit;
    uint32_t seconds;
} units[] = {
    {'s', 1       },
    {'m', 60      },
    {'h', 3600    },
    {'d', 86400   },
    {'w', 604800  },
    {'M', 2629746 },
    {'y', 31556952}
};

static ns_t
timespan_of(struct span s)
{
    uint64_t n;

    if (s.n < 2 || !span_to_u64(span_head(s, s.n - 1), &n) || n == 0 ||
        n > TIMESPAN_MAX)
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (units[i].unit == s.p[s.n - 1] &&
            n * units[i].seconds <= TIMESPAN_MAX)
            return n * units[i].seconds * NS_PER_S;
    }
    return 0;
}

static void
read_timespan(struct sigma_reader *r, uint32_t map, struct sigma_rule *out)
{
    struct sigma_corr *c = out->corr;
    uint32_t v = sigma_tree_get(r->t, map, "timespan", NULL);

    if (v == 0) {
        sigma_fault_at(r, map, SPAN_LIT("timespan"), "is missing, such as 5m");
        return;
    }
    c->timespan = timespan_of(at(r, v)->text);
    out->info.timespan = at(r, v)->text;
    if (c->timespan == 0)
        sigma_fault_at(r, v, SPAN_LIT("timespan"),
                       "'%s' is none, write a number and s, m, h, d, w, M or "
                       "y, such as 5m",
                       sigma_word(at(r, v)->text).s);
}

/* ---- lists of words ---- */

static struct span *
read_words(struct sigma_reader *r, uint32_t node, const char *key, uint32_t *n)
{
    struct sigma_ref *refs;
    struct span *v;

    *n = 0;
    if (!sigma_refs_read(r, node, key, &refs, n, SIGMA_GROUP_MAX))
        return NULL;
    v = SIGMA_GET(r->arena, struct span, *n);
    if (v == NULL)
        r->nomem = true;
    for (uint32_t i = 0; v != NULL && i < *n; i++)
        v[i] = refs[i].word;
    return v;
}

static void
read_alias(struct sigma_reader *r, uint32_t key, struct sigma_corr *c)
{
    uint32_t map = at(r, key)->next;

    if (at(r, map)->kind != SIGMA_MAP || at(r, map)->n == 0) {
        sigma_fault_at(r, map, at(r, key)->text,
                       "an alias must be rule names, each with a field");
        return;
    }
    for (uint32_t k = at(r, map)->first; k != 0;
         k = at(r, at(r, k)->next)->next) {
        uint32_t v = at(r, k)->next;

        if (at(r, v)->kind != SIGMA_SCALAR || c->n_aliases == ALIASES_MAX) {
            sigma_fault_at(r, v, at(r, key)->text,
                           "a rule's name takes one field");
            return;
        }
        c->alias[c->n_aliases++] = (struct sigma_alias){
            at(r, key)->text, at(r, k)->text, at(r, v)->text, at(r, v)->line,
            at(r, v)->column};
    }
}

static void
read_aliases(struct sigma_reader *r, uint32_t map, struct sigma_corr *c)
{
    uint32_t v = sigma_tree_get(r->t, map, "aliases", NULL);

    if (v == 0)
        return;
    if (at(r, v)->kind != SIGMA_MAP) {
        sigma_fault_at(r, v, SPAN_LIT("aliases"), "must be keys and values");
        return;
    }
    c->alias = SIGMA_GET(r->arena, struct sigma_alias, ALIASES_MAX);
    if (c->alias == NULL) {
        r->nomem = true;
        return;
    }
    for (uint32_t k = at(r, v)->first; k != 0; k = at(r, at(r, k)->next)->next)
        read_alias(r, k, c);
}

/* ---- condition ---- */

static const struct {
    struct span word;
    enum sigma_compare op;
    bool at_end;
} tests[] = {
    {SPAN_INIT("gt"),  SIGMA_GT,  false},
    {SPAN_INIT("gte"), SIGMA_GTE, false},
    {SPAN_INIT("lt"),  SIGMA_LT,  true },
    {SPAN_INIT("lte"), SIGMA_LTE, true },
    {SPAN_INIT("eq"),  SIGMA_EQ,  true },
    {SPAN_INIT("neq"), SIGMA_NEQ, true },
};

static void
add_test(struct sigma_reader *r, uint32_t key, size_t row, struct sigma_corr *c)
{
    uint32_t v = at(r, key)->next;
    long double number;

    if (sigma_tree_type(at(r, v)) != SIGMA_IS_NUMBER ||
        !sigma_number_parse(at(r, v)->text, &number)) {
        sigma_fault_at(r, v, tests[row].word, "must be a number");
        return;
    }
    if (c->n_tests == 2) {
        sigma_fault_at(r, key, SPAN_LIT("condition"),
                       "has more than two operators");
        return;
    }
    c->test[c->n_tests++] = (struct sigma_test){tests[row].op, (double)number};
    c->at_end = c->at_end || tests[row].at_end;
}

static void
read_percentile(struct sigma_reader *r, uint32_t map, struct sigma_corr *c)
{
    uint32_t v = sigma_tree_get(r->t, map, "percentile", NULL);
    long double p = 50;

    if (c->type == SIGMA_VALUE_PERCENTILE && v == 0)
        sigma_fault_at(r, map, SPAN_LIT("percentile"),
                       "is missing, such as percentile: 95");
    if (v != 0 && (!sigma_number_parse(at(r, v)->text, &p) || p < 0 || p > 100))
        sigma_fault_at(r, v, SPAN_LIT("percentile"), "must be from 0 to 100");
    c->percentile = (double)p;
}

static size_t
find_test(struct span word)
{
    size_t i = 0;

    while (i < ARRAY_LEN(tests) && !span_eq(tests[i].word, word))
        i++;
    return i;
}

static void
read_operators(struct sigma_reader *r, uint32_t map, bool needs_field,
               struct sigma_corr *c)
{
    uint32_t field = sigma_tree_get(r->t, map, "field", NULL);
    unsigned faults = r->faults;

    for (uint32_t k = at(r, map)->first; k != 0;
         k = at(r, at(r, k)->next)->next) {
        size_t row = find_test(at(r, k)->text);

        if (row < ARRAY_LEN(tests))
            add_test(r, k, row, c);
        else if (!span_eq(at(r, k)->text, SPAN_LIT("field")) &&
                 !span_eq(at(r, k)->text, SPAN_LIT("percentile")))
            sigma_fault_at(r, k, at(r, k)->text,
                           "is no operator, write gt, gte, lt, lte, eq or "
                           "neq");
    }
    if (c->n_tests == 0 && r->faults == faults)
        sigma_fault_at(r, map, SPAN_LIT("condition"),
                       "has no operator, such as gte: 10");
    if (needs_field && field == 0)
        sigma_fault_at(r, map, SPAN_LIT("field"),
                       "is missing, name what is counted");
    if (field != 0)
        c->field = read_words(r, field, "field", &c->n_fields);
    if (c->n_fields > 1 && c->type != SIGMA_VALUE_COUNT)
        sigma_fault_at(r, field, SPAN_LIT("field"),
                       "only value_count takes several");
    read_percentile(r, map, c);
}

/* The number alone; with two bounds both, with what they are. */
static void
keep_threshold(struct sigma_reader *r, uint32_t map, struct sigma_rule *out)
{
    struct buf text;

    buf_init(&text, SIGMA_TEXT_MAX);
    for (uint32_t k = at(r, map)->first; k != 0;
         k = at(r, at(r, k)->next)->next) {
        if (find_test(at(r, k)->text) == ARRAY_LEN(tests))
            continue;
        buf_str(&text, text.n > 0 ? ", " : "");
        if (out->corr->n_tests > 1) {
            buf_span(&text, at(r, k)->text);
            buf_putc(&text, ' ');
        }
        buf_span(&text, at(r, at(r, k)->next)->text);
    }
    out->info.threshold = sigma_arena_span(r->arena, buf_view(&text));
    r->nomem = r->nomem || out->info.threshold.p == NULL;
    buf_free(&text);
}

/* An expression over rule names; each must be in rules, and the reverse. */
static void
read_expression(struct sigma_reader *r, uint32_t node, struct sigma_corr *c)
{
    struct sigma_condition *code = calloc(1, sizeof(*code));
    struct span names[SIGMA_REFS_MAX];
    bool used[SIGMA_REFS_MAX] = {0};
    struct sigma_names all = {names, c->n_refs, true, used};
    struct sigma_code *v;

    if (code == NULL) {
        r->nomem = true;
        return;
    }
    for (uint32_t i = 0; i < c->n_refs; i++)
        names[i] = c->ref[i].word;
    if (!sigma_condition_parse(code, at(r, node)->text, &all)) {
        sigma_fault_at(r, node, SPAN_LIT("condition"), "%s", code->error);
        free(code);
        return;
    }
    for (uint32_t i = 0; i < c->n_refs; i++) {
        if (!used[i])
            sigma_fault_at(r, node, SPAN_LIT("condition"),
                           "does not name '%s' of rules",
                           sigma_word(names[i]).s);
    }
    v = SIGMA_GET(r->arena, struct sigma_code, code->n);
    if (v != NULL) {
        memcpy(v, code->code, code->n * sizeof(*v));
        r->nomem = !sigma_condition_compile(
            r->arena, (struct sigma_program){v, code->n}, &c->program);
    } else {
        r->nomem = true;
    }
    free(code);
}

static void
read_condition(struct sigma_reader *r, uint32_t map, size_t type,
               struct sigma_rule *out)
{
    struct sigma_corr *c = out->corr;
    uint32_t v = sigma_tree_get(r->t, map, "condition", NULL);

    if (v == 0 && types[type].temporal) {
        c->test[c->n_tests++] = (struct sigma_test){SIGMA_GTE, c->n_refs};
        return;
    }
    if (v == 0) {
        sigma_fault_at(r, map, SPAN_LIT("condition"),
                       "is missing, such as gte: 10 below it");
    } else if (at(r, v)->kind == SIGMA_MAP) {
        read_operators(r, v, types[type].field, c);
        keep_threshold(r, v, out);
    } else if (at(r, v)->kind == SIGMA_SCALAR && types[type].temporal &&
               c->type == SIGMA_TEMPORAL) {
        read_expression(r, v, c);
        out->condition = at(r, v)->text;
    } else {
        sigma_fault_at(r, v, SPAN_LIT("condition"),
                       "must be an operator and a number, such as gte: 10");
    }
}

/* ---- the whole ---- */

static void
read_generate(struct sigma_reader *r, uint32_t map, struct sigma_corr *c)
{
    uint32_t v = sigma_tree_get(r->t, map, "generate", NULL);

    if (v == 0)
        return;
    if (sigma_tree_type(at(r, v)) != SIGMA_IS_BOOL)
        sigma_fault_at(r, v, SPAN_LIT("generate"), "must be true or false");
    else
        c->generate = c->generate || (span_at(at(r, v)->text, 0) | 0x20) == 't';
}

static void
read_refs(struct sigma_reader *r, uint32_t map, struct sigma_corr *c)
{
    uint32_t v = sigma_tree_get(r->t, map, "rules", NULL);

    if (v == 0)
        sigma_fault_at(r, map, SPAN_LIT("rules"),
                       "is missing, list ids or names");
    else
        (void)sigma_refs_read(r, v, "rules", &c->ref, &c->n_refs,
                              SIGMA_REFS_MAX);
}

bool
sigma_correlation_read(struct sigma_reader *r, uint32_t node,
                       struct sigma_rule *out)
{
    struct sigma_corr *c = SIGMA_GET(r->arena, struct sigma_corr, 1);
    uint32_t group;
    size_t type;

    if (c == NULL) {
        r->nomem = true;
        return false;
    }
    out->corr = c;
    if (at(r, node)->kind != SIGMA_MAP) {
        sigma_fault_at(r, node, SPAN_LIT("correlation"),
                       "must be keys and values");
        return false;
    }
    type = read_type(r, node);
    read_refs(r, node, c);
    group = sigma_tree_get(r->t, node, "group-by", NULL);
    if (group != 0)
        c->group = read_words(r, group, "group-by", &c->n_group);
    read_timespan(r, node, out);
    read_aliases(r, node, c);
    read_generate(r, node, c);
    read_generate(r, 1, c);
    if (type < ARRAY_LEN(types)) {
        c->type = types[type].type;
        read_condition(r, node, type, out);
    }
    return r->faults == 0;
}
