/* What detection says of hosts, and whether it said the same when the journal
 * was written. */
#include "rules/study/study_state.h"

#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#include <stdio.h>
#include <string.h>

#define GIVEN_UP 3U /* deferred, ripe and never tried again: it does not */

/* ---- hosts ---- */

static void
on_host(struct study *s, const struct record_map *m)
{
    const struct span lease = record_map_find(m, FIELD_SRC_HOST_LEASE);
    const uint64_t ripe = record_map_u64(m, FIELD_HOST_S7_RIPE, 0);
    const uint64_t retried = record_map_u64(m, FIELD_HOST_S7_RETRIED, 0);
    struct span name = record_map_find(m, FIELD_HOST_NAME);
    struct host *h;
    struct addr a;
    uint32_t i;

    if (!record_map_bool(m, FIELD_HOST_HOME) ||
        !record_map_addr(m, FIELD_SRC_IP, &a))
        return;
    i = study_find_host(s, &a, lease.n == 0 ? 0 : hash_span(lease, 0) | 1);
    if (i == NONE)
        return;
    h = &s->hosts[i];
    h->queueing |= record_map_bool(m, FIELD_HOST_QUEUEING) || retried > 0;
    h->forgets = !h->queueing && ripe >= GIVEN_UP && retried == 0;
    if (name.n > 0 && name.n < sizeof(h->name)) {
        memcpy(h->name, name.p, name.n);
        h->name[name.n] = '\0';
    }
}

/* ---- alerts ---- */

/* The address at the head of "10.2.3.4 lease 0123". */
static bool
subject_of(struct span text, struct addr *out)
{
    return addr_parse(span_head(text, span_find(text, ' ')), out);
}

static void
on_alert(struct study *s, const struct record_map *m)
{
    const ns_t when = record_head_of(m->record).when;
    const uint64_t severity = record_map_u64(m, FIELD_ALERT_SEVERITY, 4);
    unsigned part;
    struct addr a;

    if (!record_map_is(m, FIELD_ALERT_STATE, "opened") ||
        record_map_has(m, FIELD_ALERT_SILENCED) ||
        !study_window(s, when, &part))
        return;
    if (severity <= 2) {
        study_day_at(s, when)->alerts++;
        s->alerts_n++;
    }
    if (subject_of(record_map_find(m, FIELD_ALERT_SUBJECT), &a))
        study_replay_alert(s, &a, severity, when);
}

/* ---- decisions ---- */

/* The only reasons not to stop it were how many others are stopped. Where
 * nothing is enforced, two are named and do not count (decide.h). */
static bool
only_capped(const struct record_map *m)
{
    struct cursor c = record_map_list(m, FIELD_DECISION_AGAINST);
    struct record_entry e;
    bool capped = false, other = false;

    while (record_next(&c, &e) && e.field == FIELD_DECISION_AGAINST) {
        if (span_starts(e.value, SPAN_LIT("cap:")) ||
            span_eq(e.value, SPAN_LIT("breaker")))
            capped = true;
        else if (!span_eq(e.value, SPAN_LIT("evidence:path")) &&
                 !span_eq(e.value, SPAN_LIT("registry:none")))
            other = true;
    }
    return capped && !other;
}

static void
accuse(struct study *s, const struct prefix *p, bool condemned)
{
    const uint32_t scope = study_find_scope(s, &p->addr);

    if (scope == NONE)
        return;
    for (uint32_t i = s->scopes[scope].first; i != NONE; i = s->hosts[i].next) {
        s->hosts[i].accused = true;
        s->hosts[i].condemned |= condemned;
    }
}

static uint64_t
what_of(const struct record_map *m)
{
    uint64_t h = hash_span(record_map_find(m, FIELD_DECISION_ACTION), 0);

    h = hash_span(record_map_find(m, FIELD_DECISION_SUBJECT), h);
    return hash_mix(h, record_map_u64(m, FIELD_DECISION_STEP, 0));
}

static void
remember(struct study *s, const struct record_map *m)
{
    s->here_n++;
    if (s->n_told == TOLD_MAX) { /* the journal has none of them */
        memmove(s->told, s->told + 1, (TOLD_MAX - 1) * sizeof(*s->told));
        s->n_told--;
    }
    s->told[s->n_told++] =
        (struct told){record_head_of(m->record).when, what_of(m)};
}

static void
on_decision(struct study *s, unsigned detector, const struct record_map *m)
{
    const ns_t when = record_head_of(m->record).when;
    const bool block = record_map_is(m, FIELD_DECISION_ACTION, "block");
    const bool hold = record_map_is(m, FIELD_DECISION_ACTION, "hold");
    const bool withheld = record_map_is(m, FIELD_DECISION_ACTION, "withheld");
    struct prefix p;
    unsigned part;

    if (detector == 0)
        remember(s, m);
    if (!prefix_parse(record_map_find(m, FIELD_DECISION_SUBJECT), &p))
        return;
    if (block)
        study_replay_block(s, detector, &p, when,
                           entry_u64(record_map_find(m, FIELD_DECISION_UNTIL)));
    if (record_map_is(m, FIELD_DECISION_ACTION, "lift"))
        study_replay_lift(s, detector, &p, when);
    if (detector == 0 && (block || hold || withheld))
        accuse(s, &p, block || (withheld && only_capped(m)));
    if (!study_window(s, when, &part))
        return;
    s->holds[detector] += hold;
    if (detector != 0)
        return;
    study_day_at(s, when)->blocks += block;
    study_day_at(s, when)->holds += hold;
}

void
study_conclude(struct study *s, unsigned detector,
               const struct record_map *event)
{
    switch (record_head_of(event->record).type) {
    case EVENT_HOST:
        if (detector == 0)
            on_host(s, event);
        break;
    case EVENT_ALERT:
        if (detector == 0)
            on_alert(s, event);
        break;
    case EVENT_DECISION: on_decision(s, detector, event); break;
    default: break;
    }
}

/* ---- what was decided then ---- */

static void
differs(struct study *s, const struct record_map *m)
{
    char when[NS_TEXT_MAX];
    struct span action = record_map_find(m, FIELD_DECISION_ACTION);
    struct span subject = record_map_find(m, FIELD_DECISION_SUBJECT);

    if (s->differ != 0)
        return;
    s->differ = record_head_of(m->record).when;
    (void)snprintf(s->differ_text, sizeof(s->differ_text),
                   "%.*s: %.*s of %.*s is in the journal and not here",
                   (int)ns_format(s->differ, when), when, (int)action.n,
                   (const char *)action.p, (int)subject.n,
                   (const char *)subject.p);
}

/* Ours come first, in the same order: those before the equal one are ours
 * alone. */
static void
compare(struct study *s, const struct record_map *m)
{
    const struct told want = {record_head_of(m->record).when, what_of(m)};

    s->journal_n++;
    for (uint32_t i = 0; i < s->n_told; i++) {
        if (s->told[i].when != want.when || s->told[i].what != want.what)
            continue;
        s->same_n++;
        s->n_told -= i + 1;
        memmove(s->told, s->told + i + 1, s->n_told * sizeof(*s->told));
        return;
    }
    differs(s, m);
}

static void
enforced(struct study *s, const struct record_map *m)
{
    const ns_t when = record_head_of(m->record).when;
    struct prefix p;
    uint32_t scope;

    if (!prefix_parse(record_map_find(m, FIELD_DECISION_SUBJECT), &p))
        return;
    scope = study_find_scope(s, &p.addr);
    if (scope == NONE)
        return;
    if (record_map_is(m, FIELD_DECISION_ACTION, "block"))
        s->scopes[scope].journal_until =
            entry_u64(record_map_find(m, FIELD_DECISION_UNTIL));
    else if (record_map_is(m, FIELD_DECISION_ACTION, "lift"))
        s->scopes[scope].journal_until = when;
}

void
study_journaled(struct study *s, const struct record_map *event)
{
    if (record_head_of(event->record).type != EVENT_DECISION)
        return;
    compare(s, event);
    if (record_map_is(event, FIELD_DECISION_MODE, "enforce"))
        enforced(s, event);
}
