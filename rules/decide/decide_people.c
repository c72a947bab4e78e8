#include "rules/decide/decide_people.h"

#include "rules/decide/decide_rollout.h"
#include "rules/decide/decide_stand.h"
#include "sensor/base/hash.h"

/* ---- people ---- */

/* A person's decision rests on no event. */
static bool
name(struct decide *d, struct subject *s, enum decide_act action,
     uint32_t against, struct decision *what)
{
    char id[TABLE_ID];

    s->enforced = d->mode == ROLLOUT_ENFORCE;
    *what = (struct decision){.when = d->now,
                              .action = decide_actions[action].word,
                              .origin = "human",
                              .subject = s,
                              .against = against};
    if (!decide_hash(what) || !decide_id(what, id)) {
        d->counts.lost++;
        return false;
    }
    memcpy(s->id, id, sizeof(id));
    return true;
}

/* What this person has said makes of it. until 0: of a hold, its end. */
struct order {
    enum decide_act action;
    uint32_t against;
    const struct exception *exception;
    ns_t until;
    uint64_t approver;
};

static uint64_t
approver_of(const struct decide *d, const struct record_map *event)
{
    return hash_span(record_map_find(event, FIELD_CONTROL_ACTOR),
                     d->options.seed) |
           1;
}

/* Is another person still to agree? */
static bool
needs_another(const struct decide *d, const struct subject *s, uint64_t me)
{
    return d->options.approvals >= 2 && (s->approver == 0 || s->approver == me);
}

static void
obey(struct decide *d, struct subject *s, const struct order *o,
     const struct record_sink *sink)
{
    struct decision what;

    if (!name(d, s, o->action, o->against, &what))
        return;
    if (subject_in_force(s))
        decide_leave(d, s);
    s->against = o->against;
    s->told = o->action == ACT_WITHHELD ? d->now : 0;
    s->immune = 0;
    s->human = o->action != ACT_WITHHELD;
    s->lease[0] = '\0';
    s->approver = o->approver;
    s->struck = s->struck && o->action != ACT_BLOCK;
    decide_table_set(&d->table, s, decide_actions[o->action].state, d->now,
                     o->until);
    what.exception = decide_exception_id(o->exception);
    what.ttl_s = o->until != 0 ? (o->until - d->now) / NS_PER_S + 1 : 0;
    decide_tell_head(d, s, o->action, o->against);
    decide_tell(d, &what, sink);
}

/* One person of two has said so: until a second does it is a hold, or the block
 * that it is already: who asks for more shall not end it. */
static void
wait_for_another(struct decide *d, struct subject *s, struct order *o,
                 ns_t wanted, const struct record_sink *sink)
{
    const bool held = s->state == SUBJECT_HOLD;

    if (s->state == SUBJECT_BLOCK) {
        s->approver = o->approver;
        return;
    }
    if (held && s->approver == o->approver && s->wanted == wanted)
        return;
    o->action = ACT_HOLD;
    o->against = AGAINST(APPROVAL);
    o->until = held ? s->until : d->now + d->options.limits.hold_s * NS_PER_S;
    obey(d, s, o, sink);
    s->wanted = wanted;
}

/* until 0: the next step of the ladder. */
static void
stop(struct decide *d, const struct record_map *event, struct subject *s,
     ns_t until, const struct record_sink *sink)
{
    struct order o = {.action = ACT_BLOCK,
                      .exception = decide_excepted(d, &s->key),
                      .until = until,
                      .approver = approver_of(d, event)};

    o.against = decide_kept(d, &s->key, o.exception);
    if (o.against != 0) {
        o.action = ACT_WITHHELD;
        o.until = 0;
    } else if (s->state == SUBJECT_BLOCK && s->human && s->until == until) {
        return;
    } else if (needs_another(d, s, o.approver)) {
        wait_for_another(d, s, &o, until, sink);
        return;
    } else if (until == 0) {
        s->step = (uint8_t)(s->step < 4 ? s->step + 1 : 4);
        o.until = d->now +
                  decide_step_seconds(&d->options.limits, s->step) * NS_PER_S;
    }
    o.approver = 0;
    obey(d, s, &o, sink);
}

static void
add(struct decide *d, const struct record_map *event, struct subject *s,
    const struct record_sink *sink)
{
    const ns_t until =
        record_map_u64(event, FIELD_CONTROL_UNTIL,
                       d->now + d->options.limits.step1_s * NS_PER_S);

    if (until > d->now)
        stop(d, event, s, until, sink);
}

/* The answer to a hold. What the first of two asked for stands. */
static void
approve(struct decide *d, const struct record_map *event, struct subject *s,
        const struct record_sink *sink)
{
    const ns_t until = record_map_u64(event, FIELD_CONTROL_UNTIL, s->wanted);

    if (s->state == SUBJECT_HOLD)
        stop(d, event, s, until > d->now ? until : 0, sink);
}

static void
lift_one(struct decide *d, struct subject *s, const struct record_sink *sink)
{
    struct decision what;

    if (subject_in_force(s)) {
        s->immune = d->now + d->options.limits.immunity_s * NS_PER_S;
        if (s->step > 0 && !s->human && s->state == SUBJECT_BLOCK)
            s->step--;
        decide_end(d, s, ACT_LIFT, "human", (struct stand){0, SPAN_NONE}, sink);
        return;
    }
    if (d->now < s->immune || !name(d, s, ACT_LIFT, 0, &what))
        return;
    s->immune = d->now + d->options.limits.immunity_s * NS_PER_S;
    s->told = 0;
    decide_table_set(&d->table, s, SUBJECT_IDLE, d->now, 0);
    decide_tell_head(d, s, ACT_LIFT, 0);
    decide_tell(d, &what, sink);
}

static void
lift(struct decide *d, const struct record_map *event, struct subject *s,
     const struct record_sink *sink)
{
    lift_one(d, s, sink);
    if (record_map_bool(event, FIELD_CONTROL_MISTAKE))
        decide_mistake(d, s, sink);
}

static void
disable(struct decide *d, const struct record_sink *sink)
{
    d->disabled = true;
    for (size_t i = 0; i < d->table.n; i++) {
        struct subject *s = &d->table.rows[i];

        if (subject_in_force(s))
            decide_end(d, s, ACT_LIFT, "human",
                       (struct stand){AGAINST(DISABLED), SPAN_NONE}, sink);
    }
}

static void
enable(struct decide *d, const struct record_sink *sink)
{
    (void)sink;
    d->disabled = false;
}

static void
resume(struct decide *d, const struct record_sink *sink)
{
    (void)sink;
    d->caps.breaker_until = 0;
}

static const struct {
    const char *action;
    void (*all)(struct decide *, const struct record_sink *);
    void (*one)(struct decide *, const struct record_map *, struct subject *,
                const struct record_sink *);
} controls[] = {
    {"lift",    NULL,    lift   },
    {"add",     NULL,    add    },
    {"approve", NULL,    approve},
    {"disable", disable, NULL   },
    {"enable",  enable,  NULL   },
    {"resume",  resume,  NULL   },
};

void
decide_people(struct decide *d, const struct record_map *event,
              const struct record_sink *sink)
{
    struct span action = record_map_find(event, FIELD_CONTROL_ACTION);
    struct prefix subject;
    struct subject *s;

    for (size_t i = 0; i < ARRAY_LEN(controls); i++) {
        if (!span_eq(action, span_str(controls[i].action)))
            continue;
        if (controls[i].all != NULL) {
            controls[i].all(d, sink);
            return;
        }
        if (!decide_notes_subject(record_map_find(event, FIELD_CONTROL_SUBJECT),
                                  &subject))
            break;
        s = decide_table_get(&d->table, &subject, d->now);
        if (s == NULL)
            return;
        if (s->id[0] == '\0')
            s->host = subject.addr;
        controls[i].one(d, event, s, sink);
        return;
    }
    d->counts.controls_unread++;
}
