#include "rules/study/plan.h"

#include <stdlib.h>

static const char *const words[] = {
#define X(id, word, what) word,
    STUDY_KINDS(X)
#undef X
};

static const char *const whats[] = {
#define X(id, word, what) what,
    STUDY_KINDS(X)
#undef X
};

const struct study_costs study_costs_default = {
#define X(member, key, preset, ...) .member = (preset),
    STUDY_COST_KEYS(X)
#undef X
};

const char *
study_kind_word(enum study_kind k)
{
    return words[k];
}

const char *
study_kind_what(enum study_kind k)
{
    return whats[k];
}

void
study_policy_plan_init(struct study_policy_plan *p, enum study_kind k)
{
    *p = (struct study_policy_plan){.kind = k,
#define X(member, key, type, preset, ...) .member = (preset),
                                    STUDY_POLICY_KEYS(X)
#undef X
    };
}

void
study_plan_init(struct study_plan *p)
{
    *p = (struct study_plan){.costs = study_costs_default};
}

static void
free_policy(struct study_policy_plan *p)
{
    free(p->name);
    free(p->title);
    for (size_t i = 0; i < p->n_limits; i++)
        free(p->limits[i].name);
    free(p->limits);
}

void
study_plan_free(struct study_plan *p)
{
    for (size_t i = 0; i < p->n_policies; i++)
        free_policy(&p->policies[i]);
    for (size_t i = 0; i < p->n_criteria; i++) {
        free(p->criteria[i].name);
        free(p->criteria[i].measure);
        free(p->criteria[i].policy);
    }
    free(p->policies);
    free(p->criteria);
    free(p->proposed);
    free(p->rollback);
    study_plan_init(p);
}
