#include "rules/decide/decide.h"

#include "rules/decide/decide_state.h"

#include <stdlib.h>

#define REASON_MAX 1024U

enum err
decide_new(const struct decide_options *o, struct decide **out)
{
    struct decide *d = calloc(1, sizeof(*d));

    if (d == NULL)
        return ERR_NOMEM;
    d->options = *o;
    decide_table_init(&d->table, o->seed);
    decide_caps_init(&d->caps, o->seed, &o->limits);
    decide_guard_init(&d->guard, o->seed);
    decide_guard_init(&d->servers, o->seed);
    d->notes.seed = o->seed;
    record_init(&d->out);
    buf_init(&d->reason, REASON_MAX);
    *out = d;
    return ERR_OK;
}

void
decide_free(struct decide *d)
{
    if (d == NULL)
        return;
    decide_table_fini(&d->table);
    decide_caps_fini(&d->caps);
    decide_guard_fini(&d->guard);
    decide_guard_fini(&d->servers);
    decide_notes_fini(&d->notes);
    record_free(&d->out);
    buf_free(&d->reason);
    free(d);
}

/* ---- telling ---- */

enum action { BLOCK, HOLD, WITHHELD, EXPIRE, LIFT };

static const struct {
    const char *word;
    const char *told[2]; /* simulating, enforcing */
    enum subject_state state;
} actions[] = {
    [BLOCK] = {"block",    {"would be stopped", "is stopped"},         SUBJECT_BLOCK},
    [HOLD] = {"hold",     {"a human is asked", "a human is asked"},   SUBJECT_HOLD },
    [WITHHELD] = {"withheld",
               {"would not be stopped", "is not stopped"},
               SUBJECT_WITHHELD                                                     },
    [EXPIRE] = {"expire",
               {"its time is over", "its time is over"},
               SUBJECT_IDLE                                                         },
    [LIFT] = {"lift",
               {"would no longer be stopped", "is no longer stopped"},
               SUBJECT_IDLE                                                         },
};

/* Subject, what becomes of it, and what stands against that. */
static void
put_head(struct decide *d, const struct subject *s, enum action action,
         uint32_t against)
{
    const char *between = " (";

    buf_reset(&d->reason);
    prefix_format(&s->key, &d->reason);
    buf_str(&d->reason, action == HOLD || action == EXPIRE ? ": " : " ");
    buf_str(&d->reason, actions[action].told[d->options.enforce]);
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

static void
put_clauses(struct decide *d, const struct record_map *event,
            const struct decide_facts *f)
{
    for (size_t i = 0; i < f->n_shown; i++) {
        buf_str(&d->reason, i == 0 ? ": " : "; ");
        decide_stat_text(event, f->shown[i], &d->reason);
    }
    buf_str(&d->reason, "; ");
    buf_u64(&d->reason, f->sessions);
    buf_str(&d->reason, " sessions to ");
    buf_u64(&d->reason,
            record_map_u64(event, FIELD_HOST_EVIDENCE_ORGANISATIONS, 0));
    buf_str(&d->reason, " organisations in ");
    buf_u64(&d->reason, record_map_u64(event, FIELD_HOST_EVIDENCE_SECONDS, 0));
    buf_str(&d->reason, " s");
}

static void
tell(struct decide *d, struct decision *what, const struct record_sink *sink)
{
    what->when = d->now;
    what->seq = d->seq++;
    what->enforce = d->options.enforce;
    what->reason = buf_view(&d->reason);
    decide_record(&d->out, what);
    sink->put(sink->ctx, record_view(&d->out));
    d->counts.decided++;
}

/* ---- the end of a decision ---- */

static void
leave(struct decide *d, struct subject *s)
{
    if (s->state == SUBJECT_BLOCK && !s->human)
        decide_caps_end(&d->caps, &s->key);
    s->ended = d->now;
    s->fresh_wanted = true;
    s->base_known = false;
    s->told = 0;
    s->human = false;
    decide_table_set(&d->table, s, SUBJECT_IDLE, d->now, 0);
}

static void
end(struct decide *d, struct subject *s, enum action action, const char *origin,
    uint32_t against, struct span exception, const struct record_sink *sink)
{
    struct decision what = {.action = actions[action].word,
                            .origin = origin,
                            .subject = s,
                            .against = against,
                            .exception = exception};

    leave(d, s);
    put_head(d, s, action, against);
    tell(d, &what, sink);
}

void
decide_time(struct decide *d, ns_t now, const struct record_sink *sink)
{
    const uint32_t *due;
    size_t n;

    now -= now % NS_PER_US;
    if (now > d->now)
        d->now = now;
    due = decide_table_due(&d->table, d->now, &n);
    for (size_t i = 0; i < n; i++) {
        struct subject *s = &d->table.rows[due[i]];

        end(d, s, EXPIRE, s->human ? "human" : "detector", 0, SPAN_NONE, sink);
    }
}

/* ---- what stands against it ---- */

static bool
is_current(const struct exception *x, ns_t now)
{
    return (x->from & EXCEPT_BLOCK) != 0 && x->since <= now &&
           (x->until == 0 || now < x->until) &&
           (x->removed == 0 || now < x->removed);
}

/* A part of a /64 that is excepted keeps all of it. */
static const struct exception *
exception_inside(const struct exceptions *all, const struct prefix *p, ns_t now)
{
    for (size_t i = 0; i < exceptions_count(all); i++) {
        const struct exception *x = exceptions_get(all, i);

        if (prefix_has(p, &x->prefix.addr) && is_current(x, now))
            return x;
    }
    return NULL;
}

static const struct exception *
exception_of(const struct decide *d, const struct prefix *subject)
{
    const struct exceptions *all = d->options.exceptions;
    const struct exception *x;

    if (all == NULL)
        return NULL;
    x = exceptions_find(all, subject, EXCEPT_BLOCK, SPAN_NONE, d->now);
    return x != NULL || subject->bits == 128
               ? x
               : exception_inside(all, subject, d->now);
}

static struct span
id_of(const struct exception *x)
{
    return x != NULL ? span_str(x->id) : SPAN_NONE;
}

/* Of the first kind, without what one event says and without immunity. */
static uint32_t
kept(const struct decide *d, const struct prefix *subject,
     const struct exception *x)
{
    uint32_t against = 0;

    if (d->disabled)
        against |= AGAINST(DISABLED);
    if (x != NULL)
        against |= AGAINST(EXCEPTION);
    if (decide_guard_has(&d->guard, subject))
        against |=
            subject->bits < 128 ? AGAINST(NEIGHBOUR) : AGAINST(PROTECTED);
    return against;
}

#define REGISTRY                                                               \
    (AGAINST(REGISTERED) | AGAINST(PERMITTED) | AGAINST(REQUESTED) |           \
     AGAINST(PROTECTED))

static uint32_t
against_of(const struct decide *d, const struct subject *s,
           const struct decide_facts *f, const struct exception *x)
{
    uint32_t against = f->against | kept(d, &s->key, x);

    /* The guard says it in general, the event says what. */
    if ((f->against & REGISTRY) != 0)
        against &= ~AGAINST(NEIGHBOUR) & ~(AGAINST(PROTECTED) & ~f->against);
    if (decide_guard_has(&d->servers, &s->key))
        against |= AGAINST(QUEUEING);
    if (d->now < s->immune)
        against |= AGAINST(IMMUNITY);
    return against;
}

/* What counts: simulating, a missing registry does not. */
static uint32_t
counting(const struct decide *d, uint32_t against)
{
    return d->options.enforce ? against : against & ~AGAINST(NO_REGISTRY);
}

static enum action
action_of(uint32_t counts)
{
    static const enum action of_kind[] = {
        [KIND_NEVER] = WITHHELD,
        [KIND_NOT_YET] = WITHHELD,
        [KIND_HUMAN] = HOLD,
        [KIND_TOO_MANY] = WITHHELD,
    };

    for (unsigned kind = 0; kind < ARRAY_LEN(of_kind); kind++) {
        if (decide_against_kind(counts, (enum decide_kind)kind) != 0)
            return of_kind[kind];
    }
    return BLOCK;
}

static unsigned
first_kind(uint32_t counts)
{
    unsigned kind = 0;

    while (kind <= KIND_TOO_MANY &&
           decide_against_kind(counts, (enum decide_kind)kind) == 0)
        kind++;
    return kind;
}

/* ---- a decision ---- */

static uint64_t
step_seconds(const struct decide_limits *l, unsigned step)
{
    const uint64_t steps[] = {l->step1_s, l->step2_s, l->step3_s, l->step4_s};

    return steps[step < ARRAY_LEN(steps) ? step - 1 : ARRAY_LEN(steps) - 1];
}

static void
keep_text(char *out, size_t size, struct span s)
{
    s = span_head(s, size - 1);
    memcpy(out, s.n > 0 ? s.p : (const uint8_t *)"", s.n);
    out[s.n] = '\0';
}

static void
keep_facts(struct subject *s, const struct decide_facts *f)
{
    s->host = f->host;
    s->collateral = f->collateral;
    s->macs = f->macs;
    keep_text(s->lease, sizeof(s->lease), f->lease);
    keep_text(s->site, sizeof(s->site), f->site);
}

/* The state that the action leads to; gives its seconds. */
static uint64_t
enter(struct decide *d, struct subject *s, enum action action)
{
    uint64_t ttl = 0;

    if (action == BLOCK) {
        s->step = (uint8_t)(s->step < 4 ? s->step + 1 : 4);
        ttl = step_seconds(&d->options.limits, s->step);
        decide_caps_begin(&d->caps, &s->key, span_str(s->site), d->now);
    } else if (action == HOLD) {
        ttl = d->options.limits.hold_s;
    }
    decide_table_set(&d->table, s, actions[action].state, d->now,
                     ttl > 0 ? d->now + ttl * NS_PER_S : 0);
    return ttl;
}

static void
decide_on(struct decide *d, const struct record_map *event, struct subject *s,
          const struct decide_facts *f, enum action action, uint32_t against,
          struct span exception, const struct record_sink *sink)
{
    struct evidence evidence[DECIDE_EVIDENCE] = {{.id = f->id}};
    struct decision what = {.when = d->now,
                            .action = actions[action].word,
                            .origin = "detector",
                            .subject = s,
                            .shown = f->shown,
                            .n_shown = f->n_shown,
                            .against = against,
                            .exception = exception,
                            .evidence = evidence};
    char id[TABLE_ID];

    what.n_evidence =
        1 + decide_notes_find(&d->notes, &s->key, d->now, evidence + 1);
    if (!decide_sha256(event->record, evidence[0].hash) ||
        !decide_hash(&what) || !decide_id(&what, id)) {
        d->counts.lost++;
        return;
    }
    memcpy(s->id, id, sizeof(id));
    keep_facts(s, f);
    s->against = against;
    s->told = action == WITHHELD ? d->now : 0;
    what.ttl_s = enter(d, s, action);
    put_head(d, s, action, against);
    put_clauses(d, event, f);
    tell(d, &what, sink);
}

/* The ladder, DETECTION 6.3: nothing anew on what is old. */
static bool
is_fresh(struct decide *d, struct subject *s, const struct decide_facts *f)
{
    if (!s->fresh_wanted)
        return true;
    if (!s->base_known || addr_cmp(&s->base_host, &f->host) != 0 ||
        f->sessions < s->base_sessions || f->bad < s->base_bad) {
        s->base_known = true;
        s->base_host = f->host;
        s->base_sessions = f->sessions;
        s->base_bad = f->bad;
        return false;
    }
    return f->sessions - s->base_sessions >= d->options.limits.fresh &&
           f->bad > s->base_bad;
}

static void
forget_steps(const struct decide *d, struct subject *s)
{
    ns_t last = s->held > s->ended ? s->held : s->ended;

    if (d->now - last >= d->options.limits.clean_s * NS_PER_S)
        s->step = 0;
}

/* A score that goes up and down around its level is no news. */
static bool
was_told(const struct decide *d, const struct subject *s, uint32_t against)
{
    return (s->state == SUBJECT_WITHHELD ||
            (s->told > 0 && d->now - s->told < DECIDE_REPEAT)) &&
           first_kind(counting(d, s->against)) ==
               first_kind(counting(d, against));
}

static void
consider(struct decide *d, const struct record_map *event, struct subject *s,
         const struct decide_facts *f, const struct record_sink *sink)
{
    const struct exception *x = exception_of(d, &s->key);
    uint32_t against = against_of(d, s, f, x);
    enum action action = action_of(counting(d, against));

    if (action == BLOCK) {
        against |= decide_caps_against(&d->caps, &s->key, f->site, d->now);
        action = action_of(counting(d, against));
    }
    if (action == WITHHELD && was_told(d, s, against)) {
        decide_table_set(&d->table, s, SUBJECT_WITHHELD, s->since, 0);
        return;
    }
    decide_on(d, event, s, f, action, against, id_of(x), sink);
}

/* ---- a decision in force, and an event of its subject ---- */

static bool
changed_hands(const struct subject *s, const struct decide_facts *f)
{
    return addr_cmp(&s->host, &f->host) == 0 &&
           !span_eq(span_str(s->lease), f->lease);
}

static bool
has_new_mac(const struct subject *s, const struct decide_facts *f)
{
    return addr_cmp(&s->host, &f->host) == 0 && f->macs > s->macs;
}

/* True: it is in force still. */
static bool
goes_on(struct decide *d, struct subject *s, const struct decide_facts *f,
        const struct record_sink *sink)
{
    const struct exception *x = exception_of(d, &s->key);
    uint32_t against = against_of(d, s, f, x) & ~AGAINST(IMMUNITY);
    uint32_t never = decide_against_kind(counting(d, against), KIND_NEVER) &
                     ~(s->human ? AGAINST(NO_REGISTRY) : 0);
    uint32_t human = decide_against_kind(against, KIND_HUMAN);

    if (s->human && s->lease[0] == '\0' && !addr_cmp(&s->host, &f->host))
        keep_text(s->lease, sizeof(s->lease), f->lease);
    if (never != 0) {
        end(d, s, LIFT, "policy", never, id_of(x), sink);
    } else if (changed_hands(s, f)) {
        /* Another machine: nothing of the old one is held against it. */
        s->step = 0;
        end(d, s, LIFT, "detector", AGAINST(IDENTITY), SPAN_NONE, sink);
    } else if (s->human || s->state == SUBJECT_HOLD) {
        return true;
    } else if (human != 0 || has_new_mac(s, f)) {
        end(d, s, LIFT, "detector", human != 0 ? human : AGAINST(IDENTITY),
            SPAN_NONE, sink);
        s->fresh_wanted = human == 0 || !f->holds; /* else a human is asked */
    } else {
        return true;
    }
    return false;
}

static void
on_host(struct decide *d, const struct record_map *event,
        const struct record_sink *sink)
{
    struct decide_facts f;
    struct subject *s;

    if (!decide_facts(event, &d->options.limits, &f))
        return;
    decide_caps_host(&d->caps, &f.host, f.site, d->now);
    decide_guard_set(&d->servers, &f.host,
                     (f.against & AGAINST(QUEUEING)) != 0);
    s = decide_table_find(&d->table, &f.subject);
    if (s != NULL && subject_in_force(s) && goes_on(d, s, &f, sink)) {
        if (f.holds)
            s->held = d->now;
        return;
    }
    if (!f.holds) {
        if (s != NULL && s->state == SUBJECT_WITHHELD)
            decide_table_set(&d->table, s, SUBJECT_IDLE, d->now, 0);
        return;
    }
    s = decide_table_get(&d->table, &f.subject, d->now);
    if (s == NULL)
        return;
    forget_steps(d, s);
    s->held = d->now;
    if (is_fresh(d, s, &f))
        consider(d, event, s, &f, sink);
}

/* ---- other events ---- */

static void
on_end(struct decide *d, const struct record_map *event, bool client,
       const struct record_sink *sink)
{
    uint32_t against = decide_registry(event, client);
    struct prefix subject;
    struct subject *s;
    struct addr host;

    if ((against == 0 && record_map_find(event, client ? FIELD_SRC_REG_STATE
                                                       : FIELD_DEST_REG_STATE)
                                 .n == 0) ||
        !record_map_addr(event, client ? FIELD_SRC_IP : FIELD_DEST_IP, &host))
        return;
    decide_guard_set(&d->guard, &host, against != 0);
    if (against == 0 || d->table.n == 0)
        return;
    subject = decide_subject_of(&host);
    s = decide_table_find(&d->table, &subject);
    if (s != NULL && subject_in_force(s))
        end(d, s, LIFT, "policy", against, SPAN_NONE, sink);
}

static void
end_excepted(struct decide *d, const struct record_sink *sink)
{
    for (size_t i = 0; i < d->table.n; i++) {
        struct subject *s = &d->table.rows[i];
        const struct exception *x =
            subject_in_force(s) ? exception_of(d, &s->key) : NULL;

        if (x != NULL)
            end(d, s, LIFT, "policy", AGAINST(EXCEPTION), id_of(x), sink);
    }
}

/* ---- people ---- */

/* A person's decision rests on no event. */
static bool
name(struct decide *d, struct subject *s, enum action action, uint32_t against,
     struct decision *what)
{
    char id[TABLE_ID];

    *what = (struct decision){.when = d->now,
                              .action = actions[action].word,
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
    const struct exception *x = exception_of(d, &s->key);
    uint32_t against = kept(d, &s->key, x);
    enum action action = against != 0 ? WITHHELD : BLOCK;
    struct decision what;

    if (until <= d->now || (action == BLOCK && s->human && s->until == until) ||
        !name(d, s, action, against, &what))
        return;
    if (subject_in_force(s))
        leave(d, s);
    s->against = against;
    s->told = action == WITHHELD ? d->now : 0;
    s->immune = 0;
    s->human = action == BLOCK;
    s->lease[0] = '\0';
    decide_table_set(&d->table, s, actions[action].state, d->now,
                     action == BLOCK ? until : 0);
    what.exception = id_of(x);
    what.ttl_s = action == BLOCK ? (until - d->now) / NS_PER_S + 1 : 0;
    put_head(d, s, action, against);
    tell(d, &what, sink);
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
        end(d, s, LIFT, "human", 0, SPAN_NONE, sink);
        return;
    }
    if (d->now < s->immune || !name(d, s, LIFT, 0, &what))
        return;
    s->immune = d->now + d->options.limits.immunity_s * NS_PER_S;
    s->told = 0;
    decide_table_set(&d->table, s, SUBJECT_IDLE, d->now, 0);
    put_head(d, s, LIFT, 0);
    tell(d, &what, sink);
}

static void
disable(struct decide *d, const struct record_sink *sink)
{
    d->disabled = true;
    for (size_t i = 0; i < d->table.n; i++) {
        struct subject *s = &d->table.rows[i];

        if (subject_in_force(s))
            end(d, s, LIFT, "human", AGAINST(DISABLED), SPAN_NONE, sink);
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

static void
on_block(struct decide *d, const struct record_map *event,
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

static void
on_control(struct decide *d, const struct record_map *event,
           const struct record_sink *sink)
{
    if (record_map_is(event, FIELD_CONTROL_KIND, "block"))
        on_block(d, event, sink);
    else if (record_map_is(event, FIELD_CONTROL_KIND, "exception"))
        end_excepted(d, sink);
}

void
decide_event(struct decide *d, const struct record_map *event,
             const struct record_sink *sink)
{
    struct record_head head = record_head_of(event->record);

    if (head.type == EVENT_DECISION)
        return;
    decide_time(d, head.when, sink);
    on_end(d, event, true, sink);
    on_end(d, event, false, sink);
    if (head.type == EVENT_HOST)
        on_host(d, event, sink);
    else if (head.type == EVENT_ALERT)
        decide_notes_alert(&d->notes, event, d->now);
    else if (head.type == EVENT_CONTROL)
        on_control(d, event, sink);
}

/* ---- from a log alone ---- */

static const char *const replayed[] = {"block", "hold", "withheld", "expire",
                                       "lift"};

static void
replay_begin(struct decide *d, const struct record_map *e, struct subject *s,
             enum action action)
{
    s->human =
        record_map_is(e, FIELD_DECISION_ORIGIN, "human") && action == BLOCK;
    s->host = s->key.addr;
    (void)record_map_addr(e, FIELD_SRC_IP, &s->host);
    s->collateral = record_map_u64(e, FIELD_DECISION_COLLATERAL, 0);
    keep_text(s->id, sizeof(s->id), record_map_find(e, FIELD_DECISION_ID));
    keep_text(s->site, sizeof(s->site),
              record_map_find(e, FIELD_DECISION_SITE));
    s->macs = UINT64_MAX; /* not in the log */
    if (action == BLOCK && !s->human)
        decide_caps_begin(&d->caps, &s->key, span_str(s->site), d->now);
    decide_table_set(&d->table, s, actions[action].state, d->now,
                     record_map_u64(e, FIELD_DECISION_UNTIL, 0));
}

void
decide_replay(struct decide *d, const struct record_map *e)
{
    struct record_head head = record_head_of(e->record);
    unsigned action = 0;
    struct prefix key;
    struct subject *s;

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
        leave(d, s);
    s->held = d->now;
    s->step = (uint8_t)record_map_u64(e, FIELD_DECISION_STEP, s->step);
    if (action <= WITHHELD)
        replay_begin(d, e, s, (enum action)action);
    else if (action == LIFT &&
             record_map_is(e, FIELD_DECISION_ORIGIN, "human") &&
             record_map_find(e, FIELD_DECISION_AGAINST).p == NULL)
        s->immune = d->now + d->options.limits.immunity_s * NS_PER_S;
}

/* ---- for summaries ---- */

size_t
decide_count(const struct decide *d)
{
    return d->table.n;
}

struct decide_entry
decide_get(const struct decide *d, size_t i)
{
    const struct subject *s = &d->table.rows[i];

    return (struct decide_entry){
        .subject = s->key,
        .since = s->since,
        .until = subject_in_force(s) ? s->until : 0,
        .collateral = s->collateral,
        .hold = s->state == SUBJECT_HOLD,
        .withheld = s->state == SUBJECT_WITHHELD,
        .site = s->site[0] != '\0' ? s->site : NULL,
    };
}

struct decide_counts
decide_counts(const struct decide *d)
{
    struct decide_counts counts = d->counts;

    counts.refused = d->table.refused;
    for (size_t i = 0; i < d->table.n; i++) {
        counts.active += d->table.rows[i].state == SUBJECT_BLOCK;
        counts.holds += d->table.rows[i].state == SUBJECT_HOLD;
    }
    return counts;
}
