/* Ties the rules of a set together: references, filters, code, indexes. */
#include "rules/sigma/sigma_condition.h"
#include "rules/sigma/sigma_gate.h"

#define FILTERED_MAX 65536U /* instructions of a rule with its filters */

struct compiler {
    struct sigma_set *s;
    struct sigma_reader r; /* for messages */
    uint32_t *order;       /* correlations, each behind what it looks at */
    uint32_t n_order;
    bool nomem;
};

static void
refuse(struct compiler *c, struct sigma_rule *rule)
{
    if (!rule->bad)
        c->s->loaded.refused++;
    rule->bad = true;
    c->r.faults = 0;
}

static struct sigma_reader *
messages_of(struct compiler *c, const struct sigma_rule *rule)
{
    c->r.file = rule->info.file;
    return &c->r;
}

/* ---- references ---- */

static void
find_ref(struct compiler *c, struct sigma_rule *rule, struct sigma_ref *ref,
         bool filter)
{
    ref->rule = sigma_set_lookup(c->s, ref->word);
    if (ref->rule < c->s->n &&
        c->s->rule[ref->rule].info.kind !=
            (filter ? SIGMA_CORRELATION : SIGMA_FILTER) &&
        c->s->rule[ref->rule].info.kind != SIGMA_FILTER)
        return;
    sigma_fault(messages_of(c, rule), ref->line, ref->column, SPAN_LIT("rules"),
                ref->rule == c->s->n
                    ? "no rule has the id or name '%s'; load it too, or "
                      "repair the name"
                : filter ? "'%s' is no rule that a filter can act on"
                         : "'%s' is a filter, name rules",
                sigma_word(ref->word).s);
    refuse(c, rule);
}

static void
find_refs(struct compiler *c)
{
    for (uint32_t i = 0; i < c->s->n; i++) {
        struct sigma_rule *r = &c->s->rule[i];

        for (uint32_t k = 0; r->corr != NULL && k < r->corr->n_refs; k++)
            find_ref(c, r, &r->corr->ref[k], false);
        for (uint32_t k = 0; k < r->n_targets; k++)
            find_ref(c, r, &r->target[k], true);
    }
}

/* ---- order ---- */

static bool
is_ready(const struct compiler *c, const struct sigma_rule *r, const bool *done)
{
    for (uint32_t k = 0; k < r->corr->n_refs; k++) {
        uint32_t ref = r->corr->ref[k].rule;

        if (c->s->rule[ref].corr != NULL && !done[ref])
            return false;
    }
    return true;
}

static void
drop_needing_bad(struct compiler *c, struct sigma_rule *r)
{
    for (uint32_t k = 0; k < r->corr->n_refs && !r->bad; k++) {
        const struct sigma_ref *ref = &r->corr->ref[k];

        if (!c->s->rule[ref->rule].bad)
            continue;
        sigma_fault(messages_of(c, r), ref->line, ref->column,
                    SPAN_LIT("rules"), "'%s' was refused, repair it first",
                    sigma_word(ref->word).s);
        refuse(c, r);
    }
}

static void
drop_cycle(struct compiler *c, struct sigma_rule *r)
{
    sigma_fault(messages_of(c, r), r->info.line, r->column, SPAN_LIT("rules"),
                "this correlation is part of a circle, or looks at one; let "
                "one of them name other rules");
    refuse(c, r);
}

/* Each round takes what is ready. Chains are short; a round that takes nothing
 * leaves circles. */
#define ROUNDS_MAX 64U

static void
sort(struct compiler *c, bool *done)
{
    bool again = true;

    for (unsigned round = 0; again && round < ROUNDS_MAX; round++) {
        again = false;
        for (uint32_t i = 0; i < c->s->n; i++) {
            struct sigma_rule *r = &c->s->rule[i];

            if (r->corr == NULL || done[i] ||
                (!r->bad && !is_ready(c, r, done)))
                continue;
            done[i] = again = true;
            c->order[c->n_order++] = i;
            if (!r->bad)
                drop_needing_bad(c, r);
        }
    }
    for (uint32_t i = 0; i < c->s->n; i++) {
        if (c->s->rule[i].corr != NULL && !done[i])
            drop_cycle(c, &c->s->rule[i]);
    }
}

/* ---- group-by and fields ---- */

/* What the alias is for this rule, or the word itself. */
static struct span
through_alias(const struct sigma_corr *c, struct span word,
              const struct sigma_rule *rule, const struct sigma_ref *ref)
{
    for (uint32_t i = 0; i < c->n_aliases; i++) {
        if (span_eq(c->alias[i].alias, word) &&
            (span_eq(c->alias[i].rule, rule->info.name) ||
             span_eq(c->alias[i].rule, ref->word)))
            return c->alias[i].field;
    }
    return word;
}

static bool
find_source(struct compiler *c, const struct sigma_rule *rule, struct span word,
            struct sigma_source *out)
{
    struct sigma_slot slot;

    if (rule->corr != NULL) {
        for (uint32_t i = 0; i < rule->corr->n_group; i++) {
            if (span_eq(rule->corr->group[i], word)) {
                *out = (struct sigma_source){true, (uint16_t)i};
                return true;
            }
        }
        return false;
    }
    *out = (struct sigma_source){false, 0};
    if (rule->info.foreign)
        return true;
    if (!sigma_field_find(word, &slot))
        return false;
    out->at = sigma_slots_add(&c->s->slots, slot);
    return out->at != 0;
}

static void
find_sources(struct compiler *c, struct sigma_rule *r, const struct span *words,
             uint32_t n, struct sigma_source *out)
{
    for (uint32_t k = 0; k < r->corr->n_refs; k++) {
        const struct sigma_ref *ref = &r->corr->ref[k];
        const struct sigma_rule *of = &c->s->rule[ref->rule];

        for (uint32_t i = 0; i < n && !r->bad; i++) {
            struct span word = through_alias(r->corr, words[i], of, ref);

            if (find_source(c, of, word, &out[k * n + i]))
                continue;
            sigma_fault(messages_of(c, r), ref->line, ref->column, word,
                        of->corr != NULL
                            ? "the correlation '%s' has no such field in its "
                              "group-by"
                            : "no such field for '%s', see events(7), or add "
                              "an alias",
                        sigma_word(ref->word).s);
            refuse(c, r);
        }
    }
}

static void
check_aliases(struct compiler *c, struct sigma_rule *r)
{
    for (uint32_t i = 0; i < r->corr->n_aliases && !r->bad; i++) {
        const struct sigma_alias *a = &r->corr->alias[i];
        bool found = false;

        for (uint32_t k = 0; k < r->corr->n_refs; k++)
            found =
                found || span_eq(a->rule, r->corr->ref[k].word) ||
                span_eq(a->rule, c->s->rule[r->corr->ref[k].rule].info.name);
        if (found)
            continue;
        sigma_fault(messages_of(c, r), a->line, a->column, a->alias,
                    "'%s' is not in rules, write a name that is",
                    sigma_word(a->rule).s);
        refuse(c, r);
    }
}

static void
tie_correlation(struct compiler *c, struct sigma_rule *r)
{
    struct sigma_corr *k = r->corr;
    struct sigma_arena *a = &c->s->arena;

    k->group_at =
        SIGMA_GET(a, struct sigma_source, k->n_refs * k->n_group + 1U);
    k->field_at =
        SIGMA_GET(a, struct sigma_source, k->n_refs * k->n_fields + 1U);
    if (k->group_at == NULL || k->field_at == NULL) {
        c->nomem = true;
        return;
    }
    check_aliases(c, r);
    find_sources(c, r, k->group, k->n_group, k->group_at);
    find_sources(c, r, k->field, k->n_fields, k->field_at);
}

/* The field that group value i is of; FIELD_COUNT when that is no address. */
static enum field
address_at(const struct sigma_set *s, const struct sigma_corr *c, uint32_t i)
{
    struct sigma_source from = c->group_at[i];
    const struct sigma_rule *of = &s->rule[c->ref[0].rule];
    enum field f;

    if (from.of_group)
        return of->corr != NULL && of->corr->subject == from.at ? FIELD_SRC_IP
                                                                : FIELD_COUNT;
    f = s->slots.v[from.at].field;
    return from.at != 0 && field_table[f].type == FT_ADDR ? f : FIELD_COUNT;
}

/* The first address; of several the one that span25.subject names. */
static void
find_subject(const struct sigma_set *s, struct sigma_rule *r)
{
    enum field want = span_eq(r->info.subject, SPAN_LIT("server"))
                          ? FIELD_DEST_IP
                          : FIELD_SRC_IP;
    struct sigma_corr *c = r->corr;

    c->subject = c->n_group;
    for (uint32_t i = 0; i < c->n_group; i++) {
        enum field f = address_at(s, c, i);

        if (f != FIELD_COUNT && (f == want || c->subject == c->n_group))
            c->subject = i;
    }
}

/* In order, so that what was refused takes along what looks at it. */
static void
tie_correlations(struct compiler *c)
{
    for (uint32_t i = 0; i < c->n_order && !c->nomem; i++) {
        struct sigma_rule *r = &c->s->rule[c->order[i]];

        if (!r->bad)
            drop_needing_bad(c, r);
        if (!r->bad)
            tie_correlation(c, r);
        if (!r->bad && !c->nomem)
            find_subject(c->s, r);
    }
}

/* ---- taking out what was refused ---- */

static void
compact(struct sigma_set *s)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < s->n; i++) {
        struct sigma_rule *r = &s->rule[i];

        if (!r->bad) {
            s->rule[n++] = *r;
            continue;
        }
        s->loaded.rules -= r->info.kind == SIGMA_RULE;
        s->loaded.correlations -= r->info.kind == SIGMA_CORRELATION;
        s->loaded.filters -= r->info.kind == SIGMA_FILTER;
    }
    s->n = n;
}

static void
find_again(struct sigma_set *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        struct sigma_rule *r = &s->rule[i];

        for (uint32_t k = 0; r->corr != NULL && k < r->corr->n_refs; k++) {
            struct sigma_ref *ref = &r->corr->ref[k];

            ref->rule = sigma_set_lookup(s, ref->word);
            s->rule[ref->rule].referred = true;
            s->rule[ref->rule].own =
                s->rule[ref->rule].own || r->corr->generate;
        }
        for (uint32_t k = 0; k < r->n_targets; k++)
            r->target[k].rule = sigma_set_lookup(s, r->target[k].word);
    }
    for (uint32_t i = 0; i < s->n; i++) {
        struct sigma_rule *r = &s->rule[i];

        r->info.alerts = r->info.kind != SIGMA_FILTER && !r->info.foreign &&
                         !r->info.disabled && (!r->referred || r->own);
    }
}

/* ---- filters ---- */

static bool
same_or_none(struct span of_filter, struct span of_rule)
{
    return of_filter.p == NULL || span_eq(of_filter, of_rule);
}

static bool
has_target(const struct sigma_rule *filter, uint32_t rule)
{
    for (uint32_t i = 0; i < filter->n_targets; i++) {
        if (filter->target[i].rule == rule)
            return true;
    }
    return filter->n_targets == 0;
}

static bool
applies(const struct sigma_rule *filter, const struct sigma_rule *rule,
        uint32_t i)
{
    return rule->info.kind == SIGMA_RULE && !rule->info.foreign &&
           !filter->info.foreign &&
           same_or_none(filter->product, rule->product) &&
           same_or_none(filter->category, rule->category) &&
           same_or_none(filter->service, rule->service) &&
           has_target(filter, i);
}

/* (condition of the rule) and (condition of the filter), whose selections
 * come behind those of the rule. */
static bool
add_filter(struct compiler *c, const struct sigma_rule *filter,
           struct sigma_rule *rule)
{
    uint32_t n = rule->n_selections + filter->n_selections;
    uint32_t code = rule->postfix.n + filter->postfix.n + 1;
    struct sigma_selection *s =
        SIGMA_GET(&c->s->arena, struct sigma_selection, n);
    struct sigma_code *v = SIGMA_GET(&c->s->arena, struct sigma_code, code);

    if (s == NULL || v == NULL || code > FILTERED_MAX) {
        c->nomem = s == NULL || v == NULL;
        return false;
    }
    memcpy(s, rule->selection, rule->n_selections * sizeof(*s));
    memcpy(s + rule->n_selections, filter->selection,
           filter->n_selections * sizeof(*s));
    memcpy(v, rule->postfix.v, rule->postfix.n * sizeof(*v));
    memcpy(v + rule->postfix.n, filter->postfix.v,
           filter->postfix.n * sizeof(*v));
    for (uint32_t i = rule->postfix.n; i + 1 < code; i++) {
        if (v[i].op == SIGMA_CODE_SEL)
            v[i].arg = (v[i].arg + rule->n_selections) & ((1U << 29) - 1);
    }
    v[code - 1] = (struct sigma_code){.op = SIGMA_CODE_AND};
    rule->selection = s;
    rule->n_selections = n;
    rule->postfix = (struct sigma_program){v, code};
    return true;
}

static void
filter_all(struct compiler *c, struct sigma_rule *filter)
{
    for (uint32_t i = 0; i < c->s->n && !c->nomem; i++) {
        if (!applies(filter, &c->s->rule[i], i) ||
            add_filter(c, filter, &c->s->rule[i]) || c->nomem)
            continue;
        sigma_fault(messages_of(c, filter), filter->info.line, filter->column,
                    SPAN_LIT("filter"),
                    "not applied to '%s', which has too many filters",
                    sigma_word(c->s->rule[i].info.title).s);
        c->r.faults = 0;
    }
}

static void
compile_code(struct compiler *c)
{
    for (uint32_t i = 0; i < c->s->n; i++) {
        if (c->s->rule[i].info.kind == SIGMA_FILTER)
            filter_all(c, &c->s->rule[i]);
    }
    for (uint32_t i = 0; i < c->s->n && !c->nomem; i++) {
        struct sigma_rule *r = &c->s->rule[i];

        if (r->info.kind == SIGMA_RULE)
            c->nomem =
                !sigma_condition_compile(&c->s->arena, r->postfix, &r->program);
    }
}

/* ---- listeners ---- */

static enum err
list_listeners(struct sigma_set *s)
{
    uint32_t total = 0;

    s->listen = calloc(s->n + 2U, sizeof(*s->listen));
    if (s->listen == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < s->n; i++) {
        for (uint32_t k = 0;
             s->rule[i].corr != NULL && k < s->rule[i].corr->n_refs;
             k++, total++)
            s->listen[s->rule[i].corr->ref[k].rule + 2]++;
    }
    s->listener = calloc(total + 1U, sizeof(*s->listener));
    if (s->listener == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 2; i < s->n + 2; i++)
        s->listen[i] += s->listen[i - 1];
    for (uint32_t i = 0; i < s->n; i++) {
        for (uint32_t k = 0;
             s->rule[i].corr != NULL && k < s->rule[i].corr->n_refs; k++)
            s->listener[s->listen[s->rule[i].corr->ref[k].rule + 1]++] =
                (struct sigma_listener){i, k};
    }
    return ERR_OK;
}

static enum err
make_indexes(struct sigma_set *s)
{
    enum err e = ERR_OK;

    for (unsigned t = 0; t < EVENT_TYPE_COUNT && e == ERR_OK; t++) {
        e = sigma_index_new(s->rule, s->n, &s->slots, (enum event_type)t,
                            &s->index[t]);
        if (e == ERR_OK && s->index[t] != NULL &&
            s->index[t]->mask + 1 > s->keys_max)
            s->keys_max = s->index[t]->mask + 1;
    }
    return e;
}

static enum err
tie(struct compiler *c, bool *done)
{
    enum err e;

    find_refs(c);
    sort(c, done);
    tie_correlations(c);
    if (c->nomem)
        return ERR_NOMEM;
    compact(c->s);
    e = sigma_set_reenter(c->s);
    if (e != ERR_OK)
        return e;
    find_again(c->s);
    compile_code(c);
    if (c->nomem)
        return ERR_NOMEM;
    e = sigma_gate_make(c->s);
    if (e == ERR_OK)
        e = list_listeners(c->s);
    return e == ERR_OK ? make_indexes(c->s) : e;
}

enum err
sigma_set_compile(struct sigma_set *s, struct buf *messages)
{
    uint32_t refused = s->loaded.refused;
    struct compiler c = {.s = s, .r = {.messages = messages}};
    bool *done = calloc(s->n + 1U, sizeof(*done));
    enum err e = ERR_NOMEM;

    REQUIRE(!s->compiled);
    s->compiled = true;
    c.order = calloc(s->n + 1U, sizeof(*c.order));
    if (done != NULL && c.order != NULL)
        e = tie(&c, done);
    free(done);
    free(c.order);
    if (e != ERR_OK)
        return e;
    return s->loaded.refused > refused ? ERR_FORMAT : ERR_OK;
}
