#include "rules/decide/decide_rollout.h"

/* ---- from a log alone ---- */

static const char *const replayed[] = {"block", "hold", "withheld", "expire",
                                       "lift"};

static void
replay_begin(struct decide *d, const struct record_map *e, struct subject *s,
             enum decide_act action)
{
    s->human = record_map_is(e, FIELD_DECISION_ORIGIN, "human") &&
               action != ACT_WITHHELD;
    s->host = s->key.addr;
    (void)record_map_addr(e, FIELD_SRC_IP, &s->host);
    s->collateral = record_map_u64(e, FIELD_DECISION_COLLATERAL, 0);
    decide_keep_text(s->id, sizeof(s->id),
                     record_map_find(e, FIELD_DECISION_ID));
    decide_keep_text(s->site, sizeof(s->site),
                     record_map_find(e, FIELD_DECISION_SITE));
    s->macs = UINT64_MAX; /* not in the log */
    if (action == ACT_BLOCK && !s->human)
        decide_caps_begin(&d->caps, &s->key, span_str(s->site), d->now);
    decide_table_set(&d->table, s, decide_actions[action].state, d->now,
                     record_map_u64(e, FIELD_DECISION_UNTIL, 0));
}

void
decide_replay(struct decide *d, const struct record_map *e)
{
    struct record_head head = record_head_of(e->record);
    unsigned action = 0;
    struct prefix key;
    struct subject *s;

    if (rollout_event(&d->policy, e))
        d->caps.breaker_until = d->policy.breaker;
    while (action < ARRAY_LEN(replayed) &&
           !record_map_is(e, FIELD_DECISION_ACTION, replayed[action]))
        action++;
    if (head.type != EVENT_DECISION || action == ARRAY_LEN(replayed) ||
        !decide_notes_subject(record_map_find(e, FIELD_DECISION_SUBJECT), &key))
        return;
    if (head.when > d->now)
        d->now = head.when;
    s = decide_table_get(&d->table, &key, d->now);
    if (s == NULL)
        return;
    if (subject_in_force(s))
        decide_leave(d, s);
    s->held = d->now;
    s->enforced = record_map_is(e, FIELD_DECISION_MODE, "enforce");
    s->levels = 0; /* not in the log */
    if (action == ACT_BLOCK)
        s->struck =
            s->enforced && record_map_is(e, FIELD_DECISION_ORIGIN, "detector");
    s->step = (uint8_t)record_map_u64(e, FIELD_DECISION_STEP, s->step);
    if (action <= ACT_WITHHELD)
        replay_begin(d, e, s, (enum decide_act)action);
    else if (action == ACT_LIFT &&
             record_map_is(e, FIELD_DECISION_ORIGIN, "human") &&
             record_map_find(e, FIELD_DECISION_AGAINST).p == NULL)
        s->immune = d->now + d->options.limits.immunity_s * NS_PER_S;
}

void
decide_replayed(struct decide *d, ns_t now)
{
    if (now > d->now)
        d->now = now - now % NS_PER_US;
    decide_fit(d);
}
