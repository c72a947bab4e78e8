/* study_plan_fuzz - any file is refused with a message or is a plan in range */
#include "sensor/app/study_plan.h"
#include "sensor/base/attr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_policy(const struct study_plan *plan, size_t i)
{
    const struct study_policy_plan *p = &plan->policies[i];

    REQUIRE(p->name != NULL && p->title != NULL);
    REQUIRE((unsigned)p->kind < STUDY_KIND_COUNT);
    for (size_t k = 0; k < i; k++)
        REQUIRE(strcmp(plan->policies[k].name, p->name) != 0);
#define X(member, key, type, preset, least, most, ...)                         \
    REQUIRE((double)p->member >= (double)(least) &&                            \
            (double)p->member <= (double)(most));
    STUDY_POLICY_KEYS(X)
#undef X
}

static bool
is_there(const struct study_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->n_policies; i++) {
        if (strcmp(plan->policies[i].name, name) == 0)
            return true;
    }
    return false;
}

static void
check(const struct study_plan *plan)
{
    REQUIRE(plan->n_policies >= 1);
    for (size_t i = 0; i < plan->n_policies; i++)
        check_policy(plan, i);
    REQUIRE(plan->proposed == NULL || is_there(plan, plan->proposed));
    for (size_t i = 0; i < plan->n_criteria; i++) {
        const struct study_criterion_plan *c = &plan->criteria[i];

        REQUIRE(c->name != NULL && c->measure != NULL);
        REQUIRE(c->policy == NULL || is_there(plan, c->policy));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t *in = malloc(n + (n == 0));
    struct study_plan plan;
    struct buf messages;
    enum err e;

    if (in == NULL)
        return 0;
    if (n > 0)
        memcpy(in, data, n);
    buf_init(&messages, 1U << 20);
    e = study_plan_parse(span_of(in, n), "f", &plan, &messages);
    REQUIRE((e == ERR_CONFIG) == (messages.n > 0));
    if (e == ERR_OK) {
        check(&plan);
        study_plan_free(&plan);
    }
    buf_free(&messages);
    free(in);
    return 0;
}
