#include "rules/study/study_state.h"

#include <math.h>

#define DRAW_ANSWER   1
#define DRAW_REGISTRY 2

/* ---- what holds for whom ---- */

static const struct study_policy_plan *
plan_of(const struct study *s, size_t variant)
{
    return &s->plan->policies[s->variants[variant].policy];
}

static ns_t
begin_of(const struct study *s, const struct study_policy_plan *p)
{
    return p->from != 0 ? p->from : s->from;
}

/* Does the registry of this policy have it? */
static bool
has(const struct study *s, const struct study_policy_plan *p,
    const struct mail *m)
{
    return m->registered &&
           (p->registry >= 1 || study_draw(s, &s->hosts[m->host].addr,
                                           DRAW_REGISTRY) < p->registry);
}

static bool
by_detector(const struct study_policy_plan *p)
{
    return p->kind == STUDY_KIND_DETECTOR ||
           (p->kind == STUDY_KIND_GRACE && p->detector);
}

static bool
in_force(const struct stop *st, ns_t when)
{
    return st->until != 0 && when >= st->since && when < st->until;
}

/* ---- rate ---- */

static void
refill(struct stop *st, const struct study_policy_plan *p, ns_t when)
{
    double h;

    if (st->refilled == 0) {
        st->hour = p->per_hour;
        st->day = p->per_day;
        st->refilled = when;
        return;
    }
    if (when <= st->refilled)
        return;
    h = (double)(when - st->refilled) / (double)HOUR;
    st->hour = fmin(p->per_hour, st->hour + h * p->per_hour);
    st->day = fmin(p->per_day, st->day + h / 24 * p->per_day);
    st->refilled = when;
}

/* How many messages it lets through now. */
static uint32_t
tokens(struct stop *st, const struct study_policy_plan *p, ns_t when)
{
    refill(st, p, when);
    return (uint32_t)floor(fmin(st->hour, st->day));
}

static void
take_tokens(struct stop *st, uint32_t n)
{
    st->hour -= n;
    st->day -= n;
}

/* False: it is stopped, and *wait is the time until it would not be. */
static bool
take_token(struct stop *st, const struct study_policy_plan *p, ns_t when,
           ns_t *wait)
{
    double h;

    if (tokens(st, p, when) > 0) {
        take_tokens(st, 1);
        return true;
    }
    h = fmax((1 - st->hour) / p->per_hour, (1 - st->day) * 24 / p->per_day);
    *wait = (ns_t)(h * (double)HOUR);
    return false;
}

/* ---- stopped or not ---- */

/* How long from the message to the end of the stop; UINT64_MAX: none is in
 * sight. False: it passes. */
static bool
stopped(struct study *s, size_t variant, const struct mail *m, ns_t *wait)
{
    const struct study_policy_plan *p = plan_of(s, variant);
    struct stop *st = study_stop(s, s->hosts[m->host].scope, variant);
    const ns_t begin = begin_of(s, p);

    *wait = UINT64_MAX;
    if (m->when < begin)
        return false;
    if ((by_detector(p) || p->kind == STUDY_KIND_ALERTS) &&
        in_force(st, m->when)) {
        *wait = st->until - m->when;
        return true;
    }
    switch (p->kind) {
    case STUDY_KIND_UNREGISTERED: return !has(s, p, m);
    case STUDY_KIND_GRACE:
        return !s->variants[variant].answered &&
               m->when >= begin + p->grace * DAY && !has(s, p, m);
    case STUDY_KIND_RATE:
        return !has(s, p, m) && !take_token(st, p, m->when, wait);
    default: return false;
    }
}

/* ---- accounts ---- */

/* A server tries again each `retry`; the first time behind the stop. */
static void
delay(struct account *a, const struct study_policy_plan *p, ns_t wait)
{
    ns_t later;

    if (wait > p->give_up) {
        a->forever++;
        return;
    }
    later = (wait + p->retry - 1) / p->retry * p->retry;
    if (later > p->give_up) {
        a->forever++;
        return;
    }
    a->briefly++;
    a->delay_h += (double)later / (double)HOUR;
}

static void
account_stopped(struct study *s, size_t variant, const struct mail *m,
                ns_t wait)
{
    struct account *a = study_account(s, m->host, variant, m->part);

    a->stopped[m->raw]++;
    a->rcpt[m->raw] += m->recipients;
    if (!m->delivered)
        return;
    a->delivered[m->raw]++;
    if (m->raw == RAW_REST)
        delay(a, plan_of(s, variant), wait);
}

static void
replay(struct study *s, size_t variant, const struct mail *m)
{
    struct account *a = study_account(s, m->host, variant, m->part);
    ns_t *first = study_first(s, m->host, variant);
    ns_t wait;
    const bool stop = stopped(s, variant, m, &wait);

    if (stop && *first == 0) {
        *first = m->when;
        a->blocks += a->blocks == 0;
    }
    if (*first == 0 || m->when < *first) {
        a->before[m->raw]++;
        a->before_rcpt[m->raw] += m->recipients;
        return;
    }
    a->after[m->raw]++;
    a->after_rcpt[m->raw] += m->recipients;
    if (stop)
        account_stopped(s, variant, m, wait);
}

void
study_replay_mail(struct study *s, const struct mail *m)
{
    for (size_t v = 0; v < s->n_variants; v++)
        replay(s, v, m);
}

/* What a limit of rate stops of a session under TLS. Only the messages that
 * there were at least take of the limit: who is stopped is stopped surely. */
static void
limit_tls(struct study *s, size_t variant, const struct mail *m,
          uint32_t *least, uint32_t *most)
{
    const struct study_policy_plan *p = plan_of(s, variant);
    struct stop *st = study_stop(s, s->hosts[m->host].scope, variant);
    uint32_t room;

    if (m->when < begin_of(s, p) || has(s, p, m)) {
        *least = *most = 0;
        return;
    }
    room = tokens(st, p, m->when);
    take_tokens(st, *least < room ? *least : room);
    *least -= *least < room ? *least : room;
    *most -= *most < room ? *most : room;
}

void
study_replay_tls(struct study *s, uint32_t host, unsigned part, ns_t when,
                 uint32_t least, uint32_t most)
{
    const struct mail m = {.when = when,
                           .host = host,
                           .part = part,
                           .registered = s->hosts[host].registered};
    ns_t wait;

    for (size_t v = 0; v < s->n_variants; v++) {
        struct account *a = study_account(s, host, v, part);
        uint32_t low = least, high = most;

        if (plan_of(s, v)->kind == STUDY_KIND_RATE)
            limit_tls(s, v, &m, &low, &high);
        else if (!stopped(s, v, &m, &wait))
            continue;
        a->tls_least += low;
        a->tls_most += high;
        if (*study_first(s, host, v) == 0 &&
            (plan_of(s, v)->kind != STUDY_KIND_RATE || low > 0))
            *study_first(s, host, v) = when;
    }
}

/* ---- decisions ---- */

static unsigned
part_at(const struct study *s, ns_t when)
{
    return s->n_parts > 1 && when >= s->part ? 1 : 0;
}

/* All hosts of the scope; leases of an address stand in turn, and only who sent
 * within the day before is meant. */
static void
mark_hosts(struct study *s, uint32_t scope, size_t variant, ns_t since,
           ns_t until)
{
    const ns_t end = s->to != 0 && until > s->to ? s->to : until;

    for (uint32_t i = s->scopes[scope].first; i != NONE; i = s->hosts[i].next) {
        struct account *a = study_account(s, i, variant, part_at(s, since));

        a->planned = 0;
        if (s->hosts[i].last + DAY < since)
            continue;
        if (*study_first(s, i, variant) == 0)
            *study_first(s, i, variant) = since;
        a->blocks++;
        if (end <= since)
            continue;
        a->planned = end;
        a->blocked_h += (float)((double)(end - since) / (double)HOUR);
    }
}

static void
begin_stop(struct study *s, uint32_t scope, size_t variant, ns_t when,
           ns_t until)
{
    const struct study_policy_plan *p = plan_of(s, variant);
    struct stop *st = study_stop(s, scope, variant);
    const ns_t begin = begin_of(s, p);
    ns_t since = when + p->latency;

    if (since < begin)
        since = begin; /* it was stopped when the policy took force */
    if (until <= since || (s->to != 0 && since >= s->to))
        return;
    st->since = since;
    st->until = until;
    mark_hosts(s, scope, variant, since, until);
}

void
study_replay_block(struct study *s, unsigned detector, const struct prefix *p,
                   ns_t when, ns_t until)
{
    const uint32_t scope = study_find_scope(s, &p->addr);

    if (scope == NONE)
        return;
    for (size_t v = 0; v < s->n_variants; v++) {
        if (by_detector(plan_of(s, v)) &&
            s->o.detectors[s->variants[v].policy] == detector)
            begin_stop(s, scope, v, when, until);
    }
}

/* What was planned and does not come to pass is taken off again, of whom it was
 * planned for: others of the scope may have come since. */
static void
end_stop(struct study *s, uint32_t scope, size_t variant, ns_t when)
{
    struct stop *st = study_stop(s, scope, variant);
    const ns_t end = when > st->since ? when : st->since;

    if (st->until == 0 || when >= st->until)
        return;
    for (uint32_t i = s->scopes[scope].first; i != NONE; i = s->hosts[i].next) {
        struct account *a = study_account(s, i, variant, part_at(s, st->since));

        if (a->planned <= end)
            continue;
        a->blocked_h -= (float)((double)(a->planned - end) / (double)HOUR);
        a->planned = end;
    }
    st->until = end;
}

void
study_replay_lift(struct study *s, unsigned detector, const struct prefix *p,
                  ns_t when)
{
    const uint32_t scope = study_find_scope(s, &p->addr);

    if (scope == NONE)
        return;
    for (size_t v = 0; v < s->n_variants; v++) {
        if (by_detector(plan_of(s, v)) &&
            s->o.detectors[s->variants[v].policy] == detector)
            end_stop(s, scope, v, when);
    }
}

void
study_replay_alert(struct study *s, const struct addr *a, uint64_t severity,
                   ns_t when)
{
    const uint32_t scope = study_find_scope(s, a);

    if (scope == NONE)
        return;
    for (size_t v = 0; v < s->n_variants; v++) {
        const struct study_policy_plan *p = plan_of(s, v);
        struct stop *st = study_stop(s, scope, v);

        if (p->kind != STUDY_KIND_ALERTS || severity > p->severity ||
            when < begin_of(s, p) || in_force(st, when) || when < st->since)
            continue;
        if (++st->alerts < p->alerts)
            continue;
        st->alerts = 0;
        begin_stop(s, scope, v, when, when + p->latency + p->ttl);
    }
}

/* ---- who answers ---- */

size_t
study_variant_of(const struct study *s, size_t policy, const struct host *h,
                 enum study_class c)
{
    const struct study_policy_plan *p = &s->plan->policies[policy];
    bool answers = p->kind == STUDY_KIND_GRACE &&
                   (c == STUDY_LEGITIMATE || c == STUDY_UNKNOWN) &&
                   h->seen < begin_of(s, p) + p->grace * DAY &&
                   study_draw(s, &h->addr, DRAW_ANSWER) < p->answer;

    for (size_t v = 0; v < s->n_variants; v++) {
        if (s->variants[v].policy == policy &&
            s->variants[v].answered == answers)
            return v;
    }
    return 0;
}
