#ifndef SPAN25_APP_POLICY_FOLD_H
#define SPAN25_APP_POLICY_FOLD_H
/* policy_fold - what the policy is, from an index
 *
 * All control events of kind policy up to a time, folded (rollout.h). What is
 * in force then is rollout_now(out, upto). ERR_OK, or what the index says. */
#include "rules/decide/rollout.h"
#include "sensor/base/err.h"
#include "sensor/store/index_query.h"

MUST_USE enum err policy_fold(struct index_reader *r, ns_t upto,
                              struct rollout *out);

#endif
