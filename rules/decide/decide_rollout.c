#include "rules/decide/decide_rollout.h"

#define DAY (86400 * NS_PER_S)

static enum rollout_mode
most(const struct decide *d)
{
    return d->options.may_enforce ? ROLLOUT_ENFORCE : ROLLOUT_SIMULATE;
}

static enum rollout_mode
mode_now(const struct decide *d)
{
    const enum rollout_mode m = rollout_now(&d->policy, d->now);

    return m < most(d) ? m : most(d);
}

void
decide_fit(struct decide *d)
{
    d->mode = mode_now(d);
}

uint32_t
decide_allowed(const struct decide *d, enum rollout_mode least)
{
    uint32_t allowed = 0;

    for (unsigned i = 0; d->mode >= least && i < ROLLOUT_RULES; i++) {
        if (d->policy.rule[i].mode >= least)
            allowed |= UINT32_C(1) << i;
    }
    return allowed;
}

bool
decide_enforces(const struct decide *d, uint64_t levels)
{
    return decide_holds((uint32_t)levels, decide_allowed(d, ROLLOUT_ENFORCE));
}

/* ---- what is in force ---- */

/* A hold stops nobody, whatever the mode. */
static bool
may_stay(const struct decide *d, const struct subject *s,
         enum decide_changed what)
{
    if (d->mode == ROLLOUT_OFF)
        return false;
    if (s->state == SUBJECT_HOLD)
        return true;
    if (s->human || s->levels == 0)
        return s->enforced == (d->mode == ROLLOUT_ENFORCE) &&
               (s->human || what != CHANGED_RULE);
    return s->enforced == decide_enforces(d, s->levels) &&
           decide_holds((uint32_t)s->levels,
                        decide_allowed(d, ROLLOUT_SIMULATE));
}

/* Nobody was stopped by what was simulated: it counts for nothing. */
static void
forget_simulated(struct decide *d)
{
    decide_caps_forget(&d->caps);
    for (size_t i = 0; i < d->table.n; i++) {
        if (!d->table.rows[i].enforced)
            d->table.rows[i].step = 0;
    }
}

void
decide_settle(struct decide *d, enum decide_changed what,
              const struct record_sink *sink)
{
    const enum rollout_mode before = d->mode;

    decide_fit(d);
    if (d->mode == before && what == CHANGED_TIME)
        return;
    for (size_t i = 0; i < d->table.n; i++) {
        struct subject *s = &d->table.rows[i];

        if (subject_in_force(s) && !may_stay(d, s, what))
            decide_end(d, s, ACT_LIFT, "policy",
                       (struct stand){AGAINST(MODE), SPAN_NONE}, sink);
    }
    if (d->mode == ROLLOUT_ENFORCE && before != ROLLOUT_ENFORCE)
        forget_simulated(d);
}

void
decide_on_policy(struct decide *d, const struct record_map *event,
                 const struct record_sink *sink)
{
    if (!rollout_event(&d->policy, event)) {
        d->counts.controls_unread++;
        return;
    }
    if (record_map_is(event, FIELD_CONTROL_ACTION, "resume"))
        d->caps.breaker_until = 0;
    decide_settle(d,
                  record_map_has(event, FIELD_CONTROL_RULE) ? CHANGED_RULE
                                                            : CHANGED_MODE,
                  sink);
}

/* ---- what goes wrong ---- */

static void
roll_back(struct decide *d, const char *reason, const struct record_sink *sink)
{
    static const enum rollout_mode to = ROLLOUT_SIMULATE;
    const struct decide_doing what = {
        .action = "rollback", .reason = reason, .mode = &to};

    if (d->mode != ROLLOUT_ENFORCE)
        return;
    decide_do(d, &what, sink);
    decide_settle(d, CHANGED_MODE, sink);
}

void
decide_mistake(struct decide *d, struct subject *s,
               const struct record_sink *sink)
{
    const bool again = d->mistake != 0 && d->now - d->mistake < DAY;

    if (!s->struck)
        return;
    s->struck = false;
    d->mistake = d->now;
    if (again)
        roll_back(d, "two hosts were stopped by mistake within 24 hours", sink);
}

void
decide_never_hit(struct decide *d, const struct subject *s,
                 const struct record_sink *sink)
{
    if (s->enforced)
        roll_back(d, "a host was stopped that is never to be", sink);
}
