#include "rules/decide/decide.h"

#include "rules/decide/decide_evidence.h"
#include "rules/decide/decide_people.h"
#include "rules/decide/decide_rollout.h"
#include "rules/decide/decide_stand.h"
#include "rules/decide/decide_tell.h"

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
    decide_guard_init(&d->others, o->seed);
    d->notes.seed = o->seed;
    rollout_init(&d->policy, o->start, o->rules);
    decide_fit(d);
    d->traces.seed = o->seed;
    record_init(&d->out);
    buf_init(&d->object, EVIDENCE_MAX);
    buf_init(&d->line, EVIDENCE_HOST);
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
    decide_guard_fini(&d->others);
    decide_notes_fini(&d->notes);
    decide_traces_fini(&d->traces);
    record_free(&d->out);
    buf_free(&d->object);
    buf_free(&d->line);
    buf_free(&d->reason);
    free(d);
}

void
decide_time(struct decide *d, ns_t now, const struct record_sink *sink)
{
    const uint32_t *due;
    size_t n;

    now -= now % NS_PER_US;
    if (now > d->now)
        d->now = now;
    decide_settle(d, CHANGED_TIME, sink);
    due = decide_table_due(&d->table, d->now, &n);
    for (size_t i = 0; i < n; i++) {
        struct subject *s = &d->table.rows[due[i]];

        decide_end(d, s, ACT_EXPIRE, s->human ? "human" : "detector",
                   (struct stand){0, SPAN_NONE}, sink);
    }
}

/* ---- a decision ---- */

static void
keep_facts(struct subject *s, const struct decide_facts *f)
{
    s->host = f->host;
    s->collateral = f->collateral;
    s->macs = f->macs;
    s->levels = f->levels;
    decide_keep_text(s->lease, sizeof(s->lease), f->lease);
    decide_keep_text(s->site, sizeof(s->site), f->site);
}

/* The state that the action leads to; gives its seconds. */
static uint64_t
enter(struct decide *d, struct subject *s, enum decide_act action)
{
    uint64_t ttl = 0;

    if (action == ACT_BLOCK) {
        s->step = (uint8_t)(s->step < 4 ? s->step + 1 : 4);
        s->struck = s->enforced;
        ttl = decide_step_seconds(&d->options.limits, s->step);
        decide_caps_begin(&d->caps, &s->key, span_str(s->site), d->now);
    } else if (action == ACT_HOLD) {
        ttl = d->options.limits.hold_s;
    }
    decide_table_set(&d->table, s, decide_actions[action].state, d->now,
                     ttl > 0 ? d->now + ttl * NS_PER_S : 0);
    return ttl;
}

/* A score that goes up and down around its level is no news; that less stands
 * against it is. */
static bool
was_told(const struct decide *d, const struct subject *s, uint32_t against,
         bool enforce)
{
    bool less = against != s->against && (against & ~s->against) == 0;

    return !less &&
           (s->state == SUBJECT_WITHHELD ||
            (s->told > 0 && d->now - s->told < DECIDE_REPEAT)) &&
           decide_first_kind(decide_counting(enforce, s->against)) ==
               decide_first_kind(decide_counting(enforce, against));
}

static bool
store(struct decide *d, const uint8_t hash[DECIDE_HASH])
{
    char hex[EVIDENCE_HEX];

    if (d->store.keep == NULL)
        return true;
    decide_evidence_hex(hash, hex);
    return d->store.keep(d->store.ctx, hex, buf_view(&d->object));
}

static void
decide_on(struct decide *d, struct subject *s, const struct decide_facts *f,
          enum decide_act action, struct stand stand,
          const struct record_sink *sink)
{
    struct evidence evidence[DECIDE_EVIDENCE] = {{.id = f->id}};
    struct decision what = {.when = d->now,
                            .action = decide_actions[action].word,
                            .origin = "detector",
                            .subject = s,
                            .shown = f->shown,
                            .n_shown = f->n_shown,
                            .against = stand.against,
                            .exception = stand.exception,
                            .evidence = evidence};
    char id[TABLE_ID];

    what.n_evidence =
        1 + decide_notes_find(&d->notes, &s->key, d->now, evidence + 1);
    if (!decide_sha256(f->event->record, evidence[0].hash) ||
        !decide_evidence_make(d, f, &what)) {
        d->counts.lost++;
        return;
    }
    if (action != ACT_WITHHELD && !store(d, what.hash)) {
        stand.against |= AGAINST(STORE);
        if (was_told(d, s, stand.against, s->enforced)) {
            decide_table_set(&d->table, s, SUBJECT_WITHHELD, s->since, 0);
            return;
        }
        action = ACT_WITHHELD;
        what.action = decide_actions[action].word;
        what.against = stand.against;
    }
    if (!decide_id(&what, id)) {
        d->counts.lost++;
        return;
    }
    memcpy(s->id, id, sizeof(id));
    keep_facts(s, f);
    s->against = stand.against;
    s->told = action == ACT_WITHHELD ? d->now : 0;
    what.ttl_s = enter(d, s, action);
    decide_tell_head(d, s, action, stand.against);
    decide_tell_clauses(d, f->event, f);
    decide_tell(d, &what, sink);
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

/* DETECTION 6.3: somebody is to know at once. */
static uint32_t
ask_caps(struct decide *d, const struct subject *s,
         const struct decide_facts *f, const struct record_sink *sink)
{
    const ns_t before = d->caps.breaker_until;
    const uint32_t against =
        decide_caps_against(&d->caps, &s->key, f->site, d->now);
    const struct decide_doing what = {
        .action = "breaker",
        .reason =
            (against & AGAINST(CAP_MINUTE)) != 0 ? "cap:minute" : "cap:active",
        .until = d->caps.breaker_until};

    if (d->caps.breaker_until != before)
        decide_do(d, &what, sink);
    return against;
}

static void
consider(struct decide *d, struct subject *s, const struct decide_facts *f,
         const struct record_sink *sink)
{
    const struct exception *x = decide_excepted(d, &s->key);
    const bool enforce = decide_enforces(d, f->levels);
    uint32_t against = decide_stands(d, s, f, x);
    enum decide_act action;

    if (enforce && d->options.approve_all)
        against |= AGAINST(APPROVAL);
    action = decide_action(decide_counting(enforce, against));
    if (action == ACT_BLOCK) {
        against |= ask_caps(d, s, f, sink);
        action = decide_action(decide_counting(enforce, against));
    }
    if (action == ACT_WITHHELD && was_told(d, s, against, enforce)) {
        decide_table_set(&d->table, s, SUBJECT_WITHHELD, s->since, 0);
        return;
    }
    s->enforced = enforce;
    decide_on(d, s, f, action, (struct stand){against, decide_exception_id(x)},
              sink);
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

/* A host of the detector's that is protected: nobody asked for a permit in the
 * meantime, it should not have been stopped. */
static void
end_kept(struct decide *d, struct subject *s, struct stand stand,
         const struct record_sink *sink)
{
    const bool hit = s->state == SUBJECT_BLOCK && !s->human &&
                     (stand.against & AGAINST(PROTECTED)) != 0;

    decide_end(d, s, ACT_LIFT, "policy", stand, sink);
    if (hit)
        decide_never_hit(d, s, sink);
}

/* True: it is in force still. */
static bool
goes_on(struct decide *d, struct subject *s, const struct decide_facts *f,
        const struct record_sink *sink)
{
    const struct exception *x = decide_excepted(d, &s->key);
    uint32_t against = decide_stands(d, s, f, x) & ~AGAINST(IMMUNITY);
    uint32_t never =
        decide_against_kind(decide_counting(s->enforced, against), KIND_NEVER) &
        ~(s->human ? AGAINST(NO_REGISTRY) : 0);
    uint32_t human = decide_against_kind(against, KIND_HUMAN);

    if (s->human && s->lease[0] == '\0' && !addr_cmp(&s->host, &f->host))
        decide_keep_text(s->lease, sizeof(s->lease), f->lease);
    if (never != 0) {
        end_kept(d, s, (struct stand){never, decide_exception_id(x)}, sink);
    } else if (changed_hands(s, f)) {
        /* Another machine: nothing of the old one is held against it. */
        s->step = 0;
        decide_end(d, s, ACT_LIFT, "detector",
                   (struct stand){AGAINST(IDENTITY), SPAN_NONE}, sink);
    } else if (!s->human && s->state == SUBJECT_BLOCK &&
               (human != 0 || has_new_mac(s, f))) {
        decide_end(
            d, s, ACT_LIFT, "detector",
            (struct stand){human != 0 ? human : AGAINST(IDENTITY), SPAN_NONE},
            sink);
        s->fresh_wanted = human == 0 || !f->holds; /* else a human is asked */
    } else {
        return true;
    }
    return false;
}

/* A hold that nobody answers ends; who stands behind the address is there
 * still, though the latest event may show others. */
static void
keep_shared(struct decide *d, struct subject *s, const struct decide_facts *f)
{
    if (s != NULL && (f->against & AGAINST(SHARED)) != 0)
        s->shared = d->now + d->options.limits.shared_s * NS_PER_S;
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
    decide_traces_host(&d->traces, event, &f.subject);
    decide_guard_set(&d->servers, &f.host,
                     (f.against & AGAINST(QUEUEING)) != 0);
    decide_guard_set(&d->others, &f.host, f.subject.bits < 128 && !f.holds);
    f.holds = decide_holds(f.levels, decide_allowed(d, ROLLOUT_SIMULATE));
    s = decide_table_find(&d->table, &f.subject);
    keep_shared(d, s, &f);
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
    keep_shared(d, s, &f);
    s->held = d->now;
    if (is_fresh(d, s, &f))
        consider(d, s, &f, sink);
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
        end_kept(d, s, (struct stand){against, SPAN_NONE}, sink);
}

static void
end_excepted(struct decide *d, const struct record_sink *sink)
{
    for (size_t i = 0; i < d->table.n; i++) {
        struct subject *s = &d->table.rows[i];
        const struct exception *x =
            subject_in_force(s) ? decide_excepted(d, &s->key) : NULL;

        if (x != NULL)
            decide_end(
                d, s, ACT_LIFT, "policy",
                (struct stand){AGAINST(EXCEPTION), decide_exception_id(x)},
                sink);
    }
}

/* It began, as far as is known now, and then there was no room for its
 * evidence. */
static void
was_not_kept(struct decide *d, struct subject *s)
{
    if (s->state == SUBJECT_BLOCK) {
        decide_caps_end(&d->caps, &s->key);
        s->step = (uint8_t)(s->step > 0 ? s->step - 1 : 0);
        s->struck = false;
    }
    s->against |= AGAINST(STORE);
    s->told = d->now;
    decide_table_set(&d->table, s, SUBJECT_WITHHELD, s->since, 0);
}

static void
on_control(struct decide *d, const struct record_map *event,
           const struct record_sink *sink)
{
    if (record_map_is(event, FIELD_CONTROL_KIND, "block"))
        decide_people(d, event, sink);
    else if (record_map_is(event, FIELD_CONTROL_KIND, "policy"))
        decide_on_policy(d, event, sink);
    else if (record_map_is(event, FIELD_CONTROL_KIND, "exception"))
        end_excepted(d, sink);
}

/* As it was told then; what it rests on may not be had now, or not all. */
static void
on_own(struct decide *d, const struct record_map *e)
{
    const enum decide_act as =
        record_map_is(e, FIELD_DECISION_ACTION, "hold") ? ACT_HOLD : ACT_BLOCK;
    const struct span id = record_map_find(e, FIELD_DECISION_ID);
    struct prefix key;
    struct subject *s = NULL;

    if (d->table.n > 0 &&
        decide_notes_subject(record_map_find(e, FIELD_DECISION_SUBJECT), &key))
        s = decide_table_find(&d->table, &key);
    if (s == NULL || !subject_in_force(s) || s->human)
        return;
    if (record_map_is(e, FIELD_DECISION_ACTION, "withheld"))
        was_not_kept(d, s);
    else if (s->state == decide_actions[as].state && id.n > 0 &&
             record_map_is(e, FIELD_DECISION_ACTION, decide_actions[as].word))
        decide_keep_text(s->id, sizeof(s->id), id);
}

void
decide_keep_evidence(struct decide *d, const struct decide_store *to)
{
    d->store = *to;
}

void
decide_event(struct decide *d, const struct record_map *event,
             const struct record_sink *sink)
{
    struct record_head head = record_head_of(event->record);

    decide_evidence_note(d, event);
    if (head.type == EVENT_DECISION) {
        on_own(d, event);
        return;
    }
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
        const struct subject *s = &d->table.rows[i];

        counts.active += s->state == SUBJECT_BLOCK;
        counts.enforced += s->state == SUBJECT_BLOCK && s->enforced;
        counts.holds += s->state == SUBJECT_HOLD;
    }
    return counts;
}

const struct rollout *
decide_policy(const struct decide *d)
{
    return &d->policy;
}

enum rollout_mode
decide_mode(const struct decide *d)
{
    return d->mode;
}
