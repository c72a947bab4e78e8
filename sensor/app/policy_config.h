#ifndef SPAN25_APP_POLICY_CONFIG_H
#define SPAN25_APP_POLICY_CONFIG_H
/* policy_config - what the configuration says of the policy
 *
 * block.mode, and block.rules, a list of RULE=MODE. A live sensor tells of it
 * in the journal whenever it is not what it told before (rollout.h, start). */
#include "rules/decide/rollout.h"
#include "sensor/app/options.h"
#include "sensor/base/err.h"

struct policy_config {
    enum rollout_mode start, rules[ROLLOUT_RULES];
};

/* ERR_CONFIG, told: an item of block.rules is none. */
MUST_USE enum err policy_config_read(const struct config *c,
                                     struct policy_config *out,
                                     struct buf *messages);

/* From 0 to ROLLOUT_RULES, for which it is block.mode: what is to be told, if
 * anything, as control events of kind policy. Appends to a record begun. */
#define POLICY_CONFIG_TELLS (ROLLOUT_RULES + 1)
bool policy_config_tell(const struct policy_config *c,
                        const struct rollout *now, unsigned i,
                        struct record_out *out);

#endif
