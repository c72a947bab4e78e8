#include "sensor/app/policy_config.h"

#include "sensor/base/text.h"

static bool
take(struct policy_config *out, struct span item)
{
    const size_t at = span_find(item, '=');
    const unsigned rule = rollout_rule_find(span_head(item, at));

    return at < item.n && rule < ROLLOUT_RULES &&
           rollout_mode_parse(span_tail(item, at + 1), &out->rules[rule]);
}

enum err
policy_config_read(const struct config *c, struct policy_config *out,
                   struct buf *messages)
{
    *out = (struct policy_config){
        .start = (enum rollout_mode)((int)c->block_mode + ROLLOUT_OFF)};
    for (size_t i = 0; i < ROLLOUT_RULES; i++)
        out->rules[i] = ROLLOUT_ENFORCE;
    for (size_t i = 0; i < c->block_rules.n; i++) {
        if (take(out, span_str(c->block_rules.v[i])))
            continue;
        buf_str(messages, "span25: block.rules: '");
        text_term(messages, span_str(c->block_rules.v[i]));
        buf_str(messages, "' is not a statistic (s1 s1t s2 s3 s4 s5 s6 s7) and "
                          "a mode, such as s5=simulate\n");
        return ERR_CONFIG;
    }
    return ERR_OK;
}

bool
policy_config_tell(const struct policy_config *c, const struct rollout *now,
                   unsigned i, struct record_out *out)
{
    const bool is_rule = i < ROLLOUT_RULES;
    const enum rollout_mode mode = is_rule ? c->rules[i] : c->start;
    const struct rollout_setting *s = is_rule ? &now->rule[i] : &now->all;

    /* Of a rule that nobody has spoken of there is nothing to tell. */
    if (s->started ? mode == s->start : is_rule && mode == ROLLOUT_ENFORCE)
        return false;
    record_text(out, FIELD_CONTROL_KIND, "policy");
    record_text(out, FIELD_CONTROL_ACTION, "start");
    record_text(out, FIELD_CONTROL_ACTOR, "span25");
    record_text(out, FIELD_CONTROL_REASON, "of the configuration");
    if (is_rule)
        record_text(out, FIELD_CONTROL_RULE, rollout_rule_word(i));
    record_text(out, FIELD_CONTROL_MODE, rollout_mode_word(mode));
    return true;
}
