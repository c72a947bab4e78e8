#include "sensor/app/policy_fold.h"

struct fold {
    struct rollout *policy;
    ns_t upto;
};

static void
fold_one(void *ctx, uint64_t seq, struct span record)
{
    const struct fold *f = ctx;
    struct record_map m;

    (void)seq;
    if (record_head_of(record).when > f->upto)
        return;
    record_map_init(&m, record);
    (void)rollout_event(f->policy, &m);
}

enum err
policy_fold(struct index_reader *r, ns_t upto, struct rollout *out)
{
    struct fold f = {out, upto};

    rollout_init(out, ROLLOUT_SIMULATE, NULL);
    return index_acts(r, "policy", SPAN_NONE, fold_one, &f);
}
