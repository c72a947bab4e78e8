#include "rules/decide/decide_tell.h"

/* ---- telling ---- */

const struct decide_action decide_actions[] = {
    [ACT_BLOCK] = {"block",    {"would be stopped", "is stopped"},         SUBJECT_BLOCK},
    [ACT_HOLD] = {"hold",
                   {"a human is asked", "a human is asked"},
                   SUBJECT_HOLD                                                         },
    [ACT_WITHHELD] = {"withheld",
                   {"would not be stopped", "is not stopped"},
                   SUBJECT_WITHHELD                                                     },
    [ACT_EXPIRE] = {"expire",
                   {"its time is over", "its time is over"},
                   SUBJECT_IDLE                                                         },
    [ACT_LIFT] = {"lift",
                   {"would no longer be stopped", "is no longer stopped"},
                   SUBJECT_IDLE                                                         },
};

/* Subject, what becomes of it, and what stands against that. */
void
decide_tell_head(struct decide *d, const struct subject *s,
                 enum decide_act action, uint32_t against)
{
    const char *between = " (";

    buf_reset(&d->reason);
    prefix_format(&s->key, &d->reason);
    buf_str(&d->reason,
            action == ACT_HOLD || action == ACT_EXPIRE ? ": " : " ");
    buf_str(&d->reason, decide_actions[action].told[s->enforced]);
    for (unsigned i = 0; i < AGAINST_COUNT; i++) {
        if ((against >> i & 1) == 0)
            continue;
        buf_str(&d->reason, between);
        buf_str(&d->reason, decide_against_word((enum decide_against)i));
        between = ", ";
    }
    if (between[0] == ',')
        buf_str(&d->reason, ")");
}

void
decide_tell_clauses(struct decide *d, const struct record_map *event,
                    const struct decide_facts *f)
{
    for (size_t i = 0; i < f->n_shown; i++) {
        buf_str(&d->reason, i == 0 ? ": " : "; ");
        decide_stat_text(event, f->shown[i], &d->reason);
    }
    buf_str(&d->reason, "; ");
    buf_u64(&d->reason, f->sessions);
    buf_str(&d->reason, " whole sessions with servers of ");
    buf_u64(&d->reason,
            record_map_u64(event, FIELD_HOST_EVIDENCE_ORGANISATIONS, 0));
    buf_str(&d->reason, " organisations in ");
    buf_u64(&d->reason, record_map_u64(event, FIELD_HOST_EVIDENCE_SECONDS, 0));
    buf_str(&d->reason, " s");
    if ((f->against & AGAINST(VOLUME)) == 0)
        return;
    buf_str(&d->reason, "; ");
    buf_u64(&d->reason, f->volume);
    buf_str(&d->reason, " in the last hour (least ");
    buf_u64(&d->reason, d->options.limits.volume);
    buf_str(&d->reason, ")");
}

void
decide_tell(struct decide *d, struct decision *what,
            const struct record_sink *sink)
{
    what->when = d->now;
    what->seq = d->seq++;
    what->enforce = what->subject->enforced;
    what->reason = buf_view(&d->reason);
    decide_record(&d->out, what);
    sink->put(sink->ctx, record_view(&d->out));
    d->counts.decided++;
}

/* Others number control events of the same time from 0. */
#define DOING_SEQ UINT32_C(0x80000000)

void
decide_do(struct decide *d, const struct decide_doing *what,
          const struct record_sink *sink)
{
    const struct record_head head = {d->now, 0, DOING_SEQ | d->seq++,
                                     EVENT_CONTROL};
    struct record_map m;

    record_begin(&d->out, &head);
    record_text(&d->out, FIELD_CONTROL_KIND, "policy");
    record_text(&d->out, FIELD_CONTROL_ACTION, what->action);
    record_time(&d->out, FIELD_CONTROL_TIME, d->now);
    record_text(&d->out, FIELD_CONTROL_ACTOR, "span25");
    record_text(&d->out, FIELD_CONTROL_REASON, what->reason);
    if (what->mode != NULL)
        record_text(&d->out, FIELD_CONTROL_MODE,
                    rollout_mode_word(*what->mode));
    if (what->until != 0)
        record_time(&d->out, FIELD_CONTROL_UNTIL, what->until);
    record_map_init(&m, record_view(&d->out));
    (void)rollout_event(&d->policy, &m);
    sink->put(sink->ctx, record_view(&d->out));
}

uint64_t
decide_step_seconds(const struct decide_limits *l, unsigned step)
{
    const uint64_t steps[] = {l->step1_s, l->step2_s, l->step3_s, l->step4_s};

    return steps[step < ARRAY_LEN(steps) ? step - 1 : ARRAY_LEN(steps) - 1];
}

/* ---- the end of a decision ---- */

void
decide_leave(struct decide *d, struct subject *s)
{
    if (s->state == SUBJECT_BLOCK && !s->human)
        decide_caps_end(&d->caps, &s->key);
    s->ended = d->now;
    s->fresh_wanted = true;
    s->base_known = false;
    s->told = 0;
    s->human = false;
    s->approver = 0;
    s->wanted = 0;
    decide_table_set(&d->table, s, SUBJECT_IDLE, d->now, 0);
}

void
decide_end(struct decide *d, struct subject *s, enum decide_act action,
           const char *origin, struct stand stand,
           const struct record_sink *sink)
{
    struct decision what = {.action = decide_actions[action].word,
                            .origin = origin,
                            .subject = s,
                            .against = stand.against,
                            .exception = stand.exception};

    decide_leave(d, s);
    decide_tell_head(d, s, action, stand.against);
    decide_tell(d, &what, sink);
}

void
decide_keep_text(char *out, size_t size, struct span s)
{
    s = span_head(s, size - 1);
    memcpy(out, s.n > 0 ? s.p : (const uint8_t *)"", s.n);
    out[s.n] = '\0';
}
