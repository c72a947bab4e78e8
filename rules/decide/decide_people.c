#include "rules/decide/decide_people.h"

#include "rules/decide/decide_stand.h"

/* ---- people ---- */

/* A person's decision rests on no event. */
static bool
name(struct decide *d, struct subject *s, enum decide_act action,
     uint32_t against, struct decision *what)
{
    char id[TABLE_ID];

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

static void
add(struct decide *d, const struct record_map *event, struct subject *s,
    const struct record_sink *sink)
{
    uint64_t until =
        record_map_u64(event, FIELD_CONTROL_UNTIL,
                       d->now + d->options.limits.step1_s * NS_PER_S);
    const struct exception *x = decide_excepted(d, &s->key);
    uint32_t against = decide_kept(d, &s->key, x);
    enum decide_act action = against != 0 ? ACT_WITHHELD : ACT_BLOCK;
    struct decision what;

    if (until <= d->now ||
        (action == ACT_BLOCK && s->human && s->until == until) ||
        !name(d, s, action, against, &what))
        return;
    if (subject_in_force(s))
        decide_leave(d, s);
    s->against = against;
    s->told = action == ACT_WITHHELD ? d->now : 0;
    s->immune = 0;
    s->human = action == ACT_BLOCK;
    s->lease[0] = '\0';
    decide_table_set(&d->table, s, decide_actions[action].state, d->now,
                     action == ACT_BLOCK ? until : 0);
    what.exception = decide_exception_id(x);
    what.ttl_s = action == ACT_BLOCK ? (until - d->now) / NS_PER_S + 1 : 0;
    decide_tell_head(d, s, action, against);
    decide_tell(d, &what, sink);
}

static void
lift(struct decide *d, const struct record_map *event, struct subject *s,
     const struct record_sink *sink)
{
    struct decision what;

    (void)event;
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
    {"lift",    NULL,    lift},
    {"add",     NULL,    add },
    {"disable", disable, NULL},
    {"enable",  enable,  NULL},
    {"resume",  resume,  NULL},
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
