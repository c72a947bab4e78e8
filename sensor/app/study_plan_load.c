#include "sensor/app/study_plan_load.h"

#include <stdlib.h>

#include "rules/decide/decide.h"
#include "rules/study/criteria.h"
#include "sensor/app/study_plan_section.h"
#include "sensor/base/near.h"
#include "sensor/base/text.h"

static const char *const keys[] = {
#define X(id, key) key,
    STUDY_PLAN_KEYS(X)
#undef X
};

static const struct {
    const char *name;
    uint64_t least, most;
} limits[] = {
#define X(name, value, least, most, unit, why) {#name, least, most},
#include "rules/decide/decide.def"
#undef X
};

static void *
grow(struct plan_load *l, void *v, size_t n, size_t size)
{
    void *more = reallocarray(v, n + 1, size);

    l->failed = l->failed || more == NULL;
    return more;
}

static char *
copy(struct plan_load *l, const char *text)
{
    char *s = strdup(text);

    l->failed = l->failed || s == NULL;
    return s;
}

/* ---- a policy ---- */

static void
put_kinds(struct buf *out, unsigned kinds)
{
    const char *between = "";

    for (unsigned k = 0; k < STUDY_KIND_COUNT; k++) {
        if ((kinds & 1U << k) == 0)
            continue;
        buf_printf(out, "%s%s", between, study_kind_word((enum study_kind)k));
        between = ", ";
    }
}

/* A key that would be without effect is a mistake. */
static void
check_kinds(const struct plan_section *s, uint32_t map, enum study_kind kind)
{
    const struct sigma_node *v = s->t->node;

    for (uint32_t k = v[map].first; k != 0; k = v[v[k].next].next) {
        unsigned i = plan_rows_find(s->rows, v[k].text);
        struct buf why;

        if (i == s->rows->n || s->rows->v[i].kinds == 0 ||
            (s->rows->v[i].kinds & 1U << kind) != 0)
            continue;
        buf_init(&why, PLAN_PHRASE);
        buf_printf(&why, "does nothing in a policy of kind %s; it is of kind ",
                   study_kind_word(kind));
        put_kinds(&why, s->rows->v[i].kinds);
        plan_fault_value(s, k, v[k].text, buf_view(&why));
        buf_free(&why);
    }
}

static void
set_limit(const struct plan_section *s, struct study_policy_plan *p,
          uint32_t key)
{
    const struct span name = s->t->node[key].text;
    struct near near = near_start(name);
    struct plan_row row = {.type = PLAN_U64};
    struct study_limit *grown;
    struct study_limit one = {0};
    struct plan_section into = *s;
    unsigned i = 0;

    for (; i < ARRAY_LEN(limits); i++) {
        near_offer(&near, span_str(limits[i].name));
        if (span_eq(name, span_str(limits[i].name)))
            break;
    }
    if (i == ARRAY_LEN(limits)) {
        plan_fault_unknown(s, key, near.best);
        return;
    }
    row.key = limits[i].name;
    row.offset = offsetof(struct study_limit, value);
    row.least = (double)limits[i].least;
    row.most = (double)limits[i].most;
    into.at = &one;
    if (!plan_set(&into, &row, key))
        return;
    grown = grow(s->l, p->limits, p->n_limits, sizeof(*grown));
    if (grown == NULL)
        return;
    p->limits = grown;
    one.name = copy(s->l, limits[i].name);
    if (one.name != NULL)
        p->limits[p->n_limits++] = one;
}

static void
read_block(const struct plan_section *s, struct study_policy_plan *p,
           uint32_t map)
{
    const struct sigma_node *v = s->t->node;
    struct plan_section block = *s;
    uint32_t key = 0;
    const uint32_t value = sigma_tree_get(s->t, map, "block", &key);

    if (value == 0 || sigma_tree_type(&v[value]) == SIGMA_IS_NULL)
        return;
    if (v[value].kind != SIGMA_MAP) {
        plan_fault_value(s, value, v[key].text,
                         SPAN_LIT("is a section of keys, such as sessions"));
        return;
    }
    if (p->kind == STUDY_KIND_GRACE && !p->detector)
        plan_fault_value(s, key, v[key].text,
                         SPAN_LIT("does nothing without detector: true"));
    block.path = "policies[].block.";
    for (uint32_t k = v[value].first; k != 0; k = v[v[k].next].next)
        set_limit(&block, p, k);
}

static const struct study_policy_plan *
find_policy(const struct study_plan *plan, struct span name, size_t *at)
{
    for (size_t i = 0; i < plan->n_policies; i++) {
        if (plan->policies[i].name == NULL ||
            !span_eq(span_str(plan->policies[i].name), name))
            continue;
        *at = i;
        return &plan->policies[i];
    }
    return NULL;
}

/* An empty one at the end; NULL: no memory, or too many. */
static struct study_policy_plan *
new_policy(struct plan_load *l, enum study_kind kind,
           const struct plan_place *at)
{
    struct study_plan *plan = l->plan;
    struct study_policy_plan *grown;

    if (plan->n_policies == STUDY_PLAN_POLICIES) {
        if (plan_fault_begin(l, at))
            buf_printf(l->messages, "more than %u policies\n",
                       STUDY_PLAN_POLICIES);
        return NULL;
    }
    grown = grow(l, plan->policies, plan->n_policies, sizeof(*grown));
    if (grown == NULL)
        return NULL;
    plan->policies = grown;
    l->policies[plan->n_policies] = *at;
    study_policy_plan_init(&grown[plan->n_policies], kind);
    return &grown[plan->n_policies++];
}

static void
check_policy(struct plan_load *l, const struct study_policy_plan *p)
{
    size_t first = 0;

    if (p->name != NULL && find_policy(l->plan, span_str(p->name), &first) != p)
        plan_fault_twice(l, &l->policies[l->plan->n_policies - 1], "policy ",
                         span_str(p->name), &l->policies[first]);
}

/* Before all others: the kind says which other keys there may be. Where it is
 * not known they are looked at all the same, but not whether they fit. */
static bool
read_kind(const struct plan_section *s, uint32_t map)
{
    const unsigned i = plan_rows_find(s->rows, SPAN_LIT("kind"));
    uint32_t key = 0;

    if (!plan_has(s, map, "kind", "policy"))
        return false;
    (void)sigma_tree_get(s->t, map, "kind", &key);
    return plan_set(s, &s->rows->v[i], key);
}

static void
read_policy(struct plan_section s, uint32_t map)
{
    const struct plan_place at = plan_place_of(s.l, &s.t->node[map]);
    struct study_policy_plan *p;
    bool known;

    s.path = "policies[].";
    s.rows = &plan_policy_rows;
    p = new_policy(s.l, STUDY_KIND_NONE, &at);
    if (p == NULL)
        return;
    s.at = p;
    (void)plan_has(&s, map, "name", "policy");
    known = read_kind(&s, map);
    plan_set_all(&s, map);
    if (known)
        check_kinds(&s, map, p->kind);
    if (!known || p->kind == STUDY_KIND_DETECTOR || p->kind == STUDY_KIND_GRACE)
        read_block(&s, p, map);
    if (p->title == NULL)
        p->title = copy(s.l, study_kind_what(p->kind));
    check_policy(s.l, p);
}

/* ---- what is shipped ---- */

struct shipped {
    const char *name, *title;
    enum study_kind kind;
    bool detector;
};

#define SHIPPED(name, title, kind, detector)                                   \
    {                                                                          \
        name, title, STUDY_KIND_##kind, detector                               \
    }

static const struct shipped shipped[] = {
    SHIPPED("P0", "Nothing is stopped", NONE, false),
    SHIPPED("P1", "Whoever is not registered is stopped at once", UNREGISTERED,
            false),
    SHIPPED("P2",
            "Whoever is not registered may send 20 messages an hour and 100 a "
            "day",
            RATE, false),
    SHIPPED("P3", "A host is stopped for 4 hours after one alert", ALERTS,
            false),
    SHIPPED("P4", "What the detector finds is stopped", DETECTOR, false),
    SHIPPED("P5",
            "After 14 days of grace whoever has not registered is stopped",
            GRACE, false),
    SHIPPED("P6",
            "As P5, and what the detector finds is stopped from the first day "
            "on",
            GRACE, true),
};

static void
add_shipped(struct plan_load *l, size_t i)
{
    const struct plan_place nowhere = {"(shipped)", 0, 0};
    struct study_policy_plan *p = new_policy(l, shipped[i].kind, &nowhere);

    if (p == NULL)
        return;
    l->policies[l->plan->n_policies - 1].file = NULL;
    p->name = copy(l, shipped[i].name);
    p->title = copy(l, shipped[i].title);
    p->detector = shipped[i].detector;
}

bool
plan_load_shipped(struct plan_load *l, const char *name)
{
    size_t at;

    for (size_t i = 0; i < ARRAY_LEN(shipped); i++) {
        if (strcmp(name, shipped[i].name) != 0)
            continue;
        if (find_policy(l->plan, span_str(name), &at) == NULL) {
            add_shipped(l, i);
            return true;
        }
        buf_printf(l->messages, "span25: policy %s is named twice\n", name);
        l->n_faults++;
        return true;
    }
    return false;
}

void
plan_load_all_shipped(struct plan_load *l)
{
    for (size_t i = 0; i < ARRAY_LEN(shipped); i++)
        add_shipped(l, i);
}

void
plan_load_shipped_names(struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(shipped); i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", shipped[i].name);
}

/* ---- costs ---- */

static void
fault_cost(struct plan_load *l, const struct plan_place *at, const char *key,
           const struct plan_place *first)
{
    struct buf name;

    buf_init(&name, 256);
    buf_printf(&name, "costs.%s", key);
    plan_fault_twice(l, at, "", buf_view(&name), first);
    buf_free(&name);
}

static void
read_costs(struct plan_section s, uint32_t key)
{
    const struct sigma_node *v = s.t->node;
    const uint32_t map = v[key].next;

    if (sigma_tree_type(&v[map]) == SIGMA_IS_NULL)
        return;
    if (v[map].kind != SIGMA_MAP) {
        plan_fault_value(
            &s, map, v[key].text,
            SPAN_LIT("is a section of keys, such as alert-minutes"));
        return;
    }
    s.path = "costs.";
    s.rows = &plan_cost_rows;
    s.at = &s.l->plan->costs;
    plan_set_all(&s, map);
    for (uint32_t k = v[map].first; k != 0; k = v[v[k].next].next) {
        const unsigned i = plan_rows_find(s.rows, v[k].text);
        const struct plan_place at = plan_place_of(s.l, &v[k]);

        if (i == s.rows->n)
            continue;
        if (s.l->costs[i].file != NULL)
            fault_cost(s.l, &at, s.rows->v[i].key, &s.l->costs[i]);
        s.l->costs[i] = at;
    }
}

/* ---- criteria ---- */

static void
fault_measure(const struct plan_section *s, uint32_t value)
{
    const struct span word = s->t->node[value].text;
    struct near near = near_start(word);
    struct buf why;

    buf_init(&why, PLAN_PHRASE);
    plan_quote(&why, word);
    buf_str(&why, " is no measure; ");
    for (unsigned m = 0; m < STUDY_MEASURE_COUNT; m++)
        near_offer(&near, span_str(study_measure_word((enum study_measure)m)));
    if (near.best.n > 0) {
        buf_str(&why, "did you mean ");
        plan_quote(&why, near.best);
        buf_putc(&why, '?');
    } else {
        buf_str(&why, "it is one of");
        for (unsigned m = 0; m < STUDY_MEASURE_COUNT; m++)
            buf_printf(&why, "%s %s", m > 0 ? "," : "",
                       study_measure_word((enum study_measure)m));
    }
    plan_fault_value(s, value, SPAN_LIT("measure"), buf_view(&why));
    buf_free(&why);
}

static void
read_measure(const struct plan_section *s, struct study_criterion_plan *c,
             uint32_t map)
{
    uint32_t key = 0;
    const uint32_t value = sigma_tree_get(s->t, map, "measure", &key);
    const struct sigma_node *v = s->t->node;

    if (!plan_has(s, map, "measure", "criterion") || !plan_is_value(s, key))
        return;
    for (unsigned m = 0; m < STUDY_MEASURE_COUNT; m++) {
        const char *word = study_measure_word((enum study_measure)m);

        if (!span_eq(v[value].text, span_str(word)))
            continue;
        c->measure = copy(s->l, word);
        if (!study_measure_of_policy((enum study_measure)m) &&
            sigma_tree_get(s->t, map, "policy", &key) != 0)
            plan_fault_value(
                s, key, v[key].text,
                SPAN_LIT("the measure is of the whole study, not of a "
                         "policy: leave it out"));
        return;
    }
    fault_measure(s, value);
}

static void
read_bound(const struct plan_section *s, struct study_criterion_plan *c,
           uint32_t map)
{
    const bool most = sigma_tree_get(s->t, map, "at-most", NULL) != 0;
    uint32_t key = 0;
    const bool least = sigma_tree_get(s->t, map, "at-least", &key) != 0;

    c->at_least = least;
    if (most && least)
        plan_fault_value(
            s, key, SPAN_LIT("at-least"),
            SPAN_LIT("there is at-most too; make two criteria of it"));
    else if (!most && !least && plan_fault_at(s, map))
        buf_str(s->l->messages,
                "the criterion has no limit: 'at-most' or 'at-least'\n");
}

static struct study_criterion_plan *
new_criterion(struct plan_load *l, const struct plan_place *at)
{
    struct study_plan *plan = l->plan;
    struct study_criterion_plan *grown;

    if (plan->n_criteria == STUDY_PLAN_CRITERIA) {
        if (plan_fault_begin(l, at))
            buf_printf(l->messages, "more than %u criteria\n",
                       STUDY_PLAN_CRITERIA);
        return NULL;
    }
    grown = grow(l, plan->criteria, plan->n_criteria, sizeof(*grown));
    if (grown == NULL)
        return NULL;
    plan->criteria = grown;
    l->criteria[plan->n_criteria] = *at;
    grown[plan->n_criteria] = (struct study_criterion_plan){0};
    return &grown[plan->n_criteria++];
}

static void
read_criterion(struct plan_section s, uint32_t map)
{
    const struct plan_place at = plan_place_of(s.l, &s.t->node[map]);
    const struct study_plan *plan = s.l->plan;
    struct study_criterion_plan *c = new_criterion(s.l, &at);
    uint32_t policy;

    if (c == NULL)
        return;
    s.path = "criteria[].";
    s.rows = &plan_criterion_rows;
    s.at = c;
    (void)plan_has(&s, map, "name", "criterion");
    plan_set_all(&s, map);
    read_measure(&s, c, map);
    read_bound(&s, c, map);
    policy = sigma_tree_get(s.t, map, "policy", NULL);
    if (policy != 0)
        s.l->criteria[plan->n_criteria - 1] =
            plan_place_of(s.l, &s.t->node[policy]);
    for (size_t i = 0; c->name != NULL && i + 1 < plan->n_criteria; i++) {
        if (plan->criteria[i].name != NULL &&
            strcmp(plan->criteria[i].name, c->name) == 0) {
            plan_fault_twice(s.l, &at, "criterion ", span_str(c->name),
                             &s.l->criteria[i]);
            break;
        }
    }
}

/* ---- one text ---- */

/* Rows of the keys that are one value. */
#define VALUE(key, type, member, least, most)                                  \
    {                                                                          \
        key, offsetof(struct study_plan, member), least, most, 0, "", "",      \
            type, 0                                                            \
    }

static const struct plan_row values[PLAN_KEY_COUNT] = {
    [PLAN_KEY_PROPOSED] =
        VALUE("proposed", PLAN_NAME, proposed, 1, STUDY_PLAN_NAME),
    [PLAN_KEY_EFFECTIVE] = VALUE("effective", PLAN_TIME, effective, 0, 0),
    [PLAN_KEY_ROLLBACK] = VALUE("rollback", PLAN_TEXT, rollback, 1, 1000),
};

/* Of lists there may be one in each file. */
static void
check_once(const struct plan_section *s, enum plan_key k, uint32_t node)
{
    const struct plan_place at = plan_place_of(s->l, &s->t->node[node]);
    struct plan_place *first = &s->l->keys[k];

    if (first->file != NULL)
        plan_fault_twice(s->l, &at, "", s->t->node[node].text, first);
    *first = at;
}

static void
read_key(const struct plan_section *s, enum plan_key k, uint32_t node)
{
    switch (k) {
    case PLAN_KEY_POLICIES: plan_read_list(s, node, read_policy); break;
    case PLAN_KEY_CRITERIA: plan_read_list(s, node, read_criterion); break;
    case PLAN_KEY_COSTS: read_costs(*s, node); break;
    case PLAN_KEY_PROPOSED:
    case PLAN_KEY_EFFECTIVE:
    case PLAN_KEY_ROLLBACK:
        check_once(s, k, node);
        (void)plan_set(s, &values[k], node);
        break;
    case PLAN_KEY_COUNT: break;
    }
}

static void
read_top(const struct plan_section *s, bool *criteria)
{
    const struct sigma_node *v = s->t->node;

    if (v[1].kind != SIGMA_MAP) {
        if (plan_fault_at(s, 1))
            buf_str(s->l->messages, "the file must hold keys and values\n");
        return;
    }
    for (uint32_t k = v[1].first; k != 0; k = v[v[k].next].next) {
        struct near near = near_start(v[k].text);
        unsigned i = 0;

        for (; i < PLAN_KEY_COUNT; i++) {
            near_offer(&near, span_str(keys[i]));
            if (span_eq(v[k].text, span_str(keys[i])))
                break;
        }
        if (i == PLAN_KEY_COUNT)
            plan_fault_unknown(s, k, near.best);
        else
            read_key(s, (enum plan_key)i, k);
        *criteria = *criteria || i == PLAN_KEY_CRITERIA;
    }
}

void
plan_load_text(struct plan_load *l, struct span text, const char *file,
               bool *criteria)
{
    struct sigma_arena arena;
    struct sigma_tree tree;
    struct sigma_fault why = {0};
    const struct plan_section s = {
        .l = l, .t = &tree, .path = "", .at = l->plan};

    *criteria = false;
    l->file = file;
    sigma_arena_init(&arena, STUDY_PLAN_MEMORY);
    switch (sigma_tree_read(&tree, &arena, text, 1, &why)) {
    case SIGMA_TREE_OK: read_top(&s, criteria); break;
    case SIGMA_TREE_EMPTY: break;
    case SIGMA_TREE_BAD: {
        const struct plan_place at = {file, why.line, why.column};

        l->broken = true;
        if (plan_fault_begin(l, &at)) {
            text_term(l->messages, span_str(why.text));
            buf_putc(l->messages, '\n');
        }
        break;
    }
    case SIGMA_TREE_NOMEM: l->failed = true; break;
    }
    sigma_tree_free(&tree);
    sigma_arena_free(&arena);
}

/* ---- all of them ---- */

static void
check_name(struct plan_load *l, const char *name, const struct plan_place *at)
{
    struct near near = near_start(span_str(name));
    size_t i;

    if (find_policy(l->plan, span_str(name), &i) != NULL ||
        !plan_fault_begin(l, at))
        return;
    buf_str(l->messages, "there is no policy ");
    plan_quote(l->messages, span_str(name));
    for (i = 0; i < l->plan->n_policies; i++) {
        if (l->plan->policies[i].name != NULL)
            near_offer(&near, span_str(l->plan->policies[i].name));
    }
    if (near.best.n > 0) {
        buf_str(l->messages, "; did you mean ");
        plan_quote(l->messages, near.best);
        buf_putc(l->messages, '?');
    }
    buf_putc(l->messages, '\n');
}

void
plan_load_check(struct plan_load *l)
{
    const struct study_plan *plan = l->plan;

    if (plan->proposed != NULL)
        check_name(l, plan->proposed, &l->keys[PLAN_KEY_PROPOSED]);
    for (size_t i = 0; i < plan->n_criteria; i++) {
        const struct study_criterion_plan *c = &plan->criteria[i];

        if (c->policy != NULL)
            check_name(l, c->policy, &l->criteria[i]);
        else if (c->measure != NULL && plan->proposed == NULL &&
                 l->keys[PLAN_KEY_PROPOSED].file == NULL &&
                 study_measure_of_policy(study_measure_find(c->measure)) &&
                 plan_fault_begin(l, &l->criteria[i]))
            buf_printf(l->messages,
                       "'%s' is measured of a policy: name one with 'policy', "
                       "or a proposed one\n",
                       c->measure);
    }
}

enum err
plan_load_result(const struct plan_load *l)
{
    if (l->failed)
        return ERR_NOMEM;
    return l->n_faults > 0 ? ERR_CONFIG : ERR_OK;
}
