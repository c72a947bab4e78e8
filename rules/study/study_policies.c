/* What each policy would have done: DETECTION 4.7. */
#include "rules/study/study_state.h"

#include "rules/study/ratio.h"
#include "rules/study/share.h"
#include "rules/study/survive.h"
#include "sensor/base/buf.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL     0.95
#define PER_HOSTS 1000.0
#define EXACT     5.0 /* up to so many: Clopper and Pearson */
#define STEPS     400U

/* One policy being told. */
struct telling {
    const struct study *s;
    const enum study_class *classes;
    const struct study_policy_plan *plan;
    size_t policy;
    struct study_result *r;
    struct study_policy *to;
    struct ratio_host *hosts; /* room for all */
    struct survive_unit *units;
    double days;
};

/* ---- in words ---- */

static void
say_time(struct buf *b, ns_t t)
{
    const uint64_t s = t / NS_PER_S;

    if (s % 86400 == 0 && s > 0)
        buf_printf(b, "%" PRIu64 " d", s / 86400);
    else if (s % 3600 == 0 && s > 0)
        buf_printf(b, "%" PRIu64 " h", s / 3600);
    else if (s % 60 == 0 && s > 0)
        buf_printf(b, "%" PRIu64 " min", s / 60);
    else
        buf_printf(b, "%" PRIu64 " s", s);
}

static void
say_kind(struct buf *b, const struct study_policy_plan *p)
{
    switch (p->kind) {
    case STUDY_KIND_RATE:
        buf_printf(b, "%g messages an hour and %g a day", p->per_hour,
                   p->per_day);
        break;
    case STUDY_KIND_ALERTS:
        buf_printf(
            b, "after %" PRIu64 " alert%s of level %" PRIu64 " or worse, for ",
            p->alerts, p->alerts == 1 ? "" : "s", p->severity);
        say_time(b, p->ttl);
        break;
    case STUDY_KIND_GRACE:
        buf_printf(b, "%" PRIu64 " days of grace, in which %g %% register",
                   p->grace, p->answer * 100);
        if (p->detector)
            buf_str(b, "; the decision table from the first day");
        break;
    default: buf_str(b, study_kind_what(p->kind)); break;
    }
}

static const char *
terms_of(const struct study_policy_plan *p)
{
    struct buf b;

    buf_init(&b, 1024);
    say_kind(&b, p);
    if (p->kind == STUDY_KIND_ALERTS || p->kind == STUDY_KIND_DETECTOR ||
        (p->kind == STUDY_KIND_GRACE && p->detector)) {
        buf_str(&b, "; in force ");
        say_time(&b, p->latency);
        buf_str(&b, " after it is decided");
    }
    for (size_t i = 0; i < p->n_limits; i++)
        buf_printf(&b, "; %s %" PRIu64, p->limits[i].name, p->limits[i].value);
    if (p->registry < 1)
        buf_printf(&b, "; the registry has %g %% of them", p->registry * 100);
    buf_putc(&b, '\0');
    if (b.failed || b.cut) {
        buf_free(&b);
        return NULL;
    }
    return (const char *)b.p; /* freed as what malloc gave */
}

static const char *
kind_word(const struct study_policy_plan *p)
{
    return p->kind == STUDY_KIND_GRACE && p->detector
               ? "grace+detector"
               : study_kind_word(p->kind);
}

/* ---- shares ---- */

static struct study_figure
share_figure(double k, double n)
{
    struct study_figure f = {k, n, NAN, NAN, NAN, NULL};
    struct interval i;
    const bool exact = k <= EXACT;

    if (n <= 0)
        return f;
    f.value = k / n;
    if (exact ? !share_exact(k, n, LEVEL, &i) : !share_wilson(k, n, LEVEL, &i))
        return f;
    f.low = i.low;
    f.high = i.high;
    f.method = exact ? "Clopper-Pearson" : "Wilson";
    return f;
}

/* k of m by host. */
static enum err
ratio_figure(const struct telling *t, size_t n, struct study_figure *out)
{
    const struct ratio_options o = {
        .level = LEVEL, .samples = RATIO_SAMPLES, .seed = t->s->o.seed};
    struct ratio how;
    enum err e;

    *out = (struct study_figure){0, 0, NAN, NAN, NAN, NULL};
    for (size_t i = 0; i < n; i++) {
        out->k += t->hosts[i].k;
        out->n += t->hosts[i].m;
    }
    out->value = out->n > 0 ? out->k / out->n : NAN;
    if (!study_varies(t->hosts, n))
        return ERR_OK;
    e = ratio_of(t->hosts, n, &o, &how);
    if (e == ERR_USAGE)
        return ERR_OK;
    if (e != ERR_OK)
        return e;
    out->low = how.t.low;
    out->high = how.t.high;
    out->method = "bootstrap-t over hosts";
    return ERR_OK;
}

static bool
sent_in(const struct host *h, size_t part)
{
    const struct counts *c = &h->counts[part];

    return c->messages > 0 || c->sessions > 0;
}

static bool
is_here(const struct telling *t, const struct host *h)
{
    return sent_in(h, t->s->n_parts - 1);
}

static struct study_outcome
outcome_in(const struct telling *t, size_t host, size_t part)
{
    const enum study_class c = t->classes[host];

    return study_outcome_of(
        t->s, host, study_variant_of(t->s, t->policy, &t->s->hosts[host], c),
        part, c);
}

static struct study_outcome
outcome(const struct telling *t, size_t host)
{
    return outcome_in(t, host, t->s->n_parts - 1);
}

/* Without an interval: a few hosts lose most, and what claimed 95 % of other
 * weeks covered 32 to 50 of 100 (tests/results, study_campus). */
static void
fill_lost(struct telling *t)
{
    struct study_figure *to = &t->to->lost;

    *to = (struct study_figure){0, 0, NAN, NAN, NAN, NULL};
    for (size_t i = 0; i < t->s->n_hosts; i++) {
        if (!is_here(t, &t->s->hosts[i]))
            continue;
        to->k += (double)outcome(t, i).lost_most;
        to->n += t->days;
    }
    t->to->host_days = to->n;
    to->value = to->n > 0 ? to->k / to->n * PER_HOSTS : NAN;
}

static enum err
fill_rates(struct telling *t)
{
    size_t n = 0;

    fill_lost(t);
    for (size_t i = 0; i < t->s->n_hosts; i++) {
        const struct study_outcome o = outcome(t, i);
        const double all = (double)(o.before_rcpt + o.after_rcpt);

        if (is_here(t, &t->s->hosts[i]) && all > 0)
            t->hosts[n++] = (struct ratio_host){
                .k = (double)o.rcpt[STUDY_MALICIOUS],
                .m = all,
                .stratum = t->s->hosts[i].registered ? 0 : 1};
    }
    return ratio_figure(t, n, &t->to->spared);
}

/* ---- hosts ---- */

static void
count_hosts(struct telling *t)
{
    struct study_policy *to = t->to;

    for (size_t i = 0; i < t->s->n_hosts; i++) {
        const struct host *h = &t->s->hosts[i];
        const enum study_class c = t->classes[i];
        struct study_outcome o;

        if (!is_here(t, h))
            continue;
        o = outcome(t, i);
        to->hosts_of[c]++;
        study_outcome_add(&to->total, &o);
        if (o.first == 0)
            continue;
        to->hosts[c]++;
        to->registered += h->registered;
        to->devices += h->forgets;
        to->owners_unknown += c == STUDY_LEGITIMATE && h->site[0] == '\0';
        if (t->r->n_days > 0 && o.first >= t->s->base) {
            const size_t day = (o.first - t->s->base) / DAY;

            if (day < t->r->n_days)
                to->by_day[day]++;
        }
    }
}

/* On the days on which limits were set (UX 7.3: report both). */
static void
count_tuned(struct telling *t)
{
    struct study_policy *to = t->to;

    for (size_t i = 0; t->s->n_parts > 1 && i < t->s->n_hosts; i++) {
        const enum study_class c = t->classes[i];
        struct study_outcome o;
        uint64_t stops;

        if (!sent_in(&t->s->hosts[i], 0))
            continue;
        o = outcome_in(t, i, 0);
        stops = o.blocks + o.tls_most;
        for (enum study_mail k = 0; k < STUDY_MAIL_COUNT; k++)
            stops += o.stopped[k];
        to->tuned_of[c]++;
        to->tuned_hosts[c] += stops > 0;
        study_outcome_add(&to->tuned, &o);
    }
}

static void
count_owners(struct telling *t)
{
    for (size_t i = 0; i < t->r->n_sites; i++)
        t->to->owners += t->r->sites[i].stopped_legitimate[t->policy] > 0;
}

static void
fill_host_shares(struct telling *t)
{
    struct study_policy *p = t->to;
    double stopped = 0;

    for (size_t c = 0; c < STUDY_CLASS_COUNT; c++)
        stopped += (double)p->hosts[c];
    p->wrong = share_figure((double)p->hosts[STUDY_LEGITIMATE],
                            (double)p->hosts_of[STUDY_LEGITIMATE]);
    p->right = share_figure((double)p->hosts[STUDY_BOT],
                            (double)p->hosts_of[STUDY_BOT]);
    p->precise = share_figure(
        (double)(p->hosts[STUDY_BOT] + p->hosts[STUDY_MIXED]), stopped);
}

/* The first day is its own: whoever was there before it is stopped at once. */
static void
fill_days(struct telling *t)
{
    size_t first = 0, n = 0;
    const ns_t begin = t->plan->from != 0 ? t->plan->from : t->s->from;

    if (begin >= t->s->base)
        first = (begin - t->s->base) / DAY;
    if (t->plan->kind == STUDY_KIND_GRACE && !t->plan->detector)
        first += t->plan->grace;
    for (size_t d = 0; d < t->r->n_days; d++) {
        if (d <= first) {
            t->to->first_day += t->to->by_day[d];
        } else {
            t->to->later_days += t->to->by_day[d];
            n++;
        }
    }
    t->to->per_day = n == 0 ? NAN : (double)t->to->later_days / (double)n;
}

/* ---- time to stop ---- */

/* Whose abuse began within: after a day of the window without any. */
static bool
began_within(const struct telling *t, size_t i, ns_t *onset)
{
    const struct host *h = &t->s->hosts[i];

    *onset = t->classes[i] == STUDY_BOT ? h->first : h->first_bad;
    return *onset >= t->s->from + DAY && h->seen >= t->s->from;
}

static bool
is_abuser(enum study_class c)
{
    return c == STUDY_BOT || c == STUDY_MIXED;
}

static enum err
fill_times(struct telling *t, bool in_messages, struct study_times *to)
{
    struct survive sv;
    struct interval i;
    size_t n = 0;
    enum err e;

    *to = (struct study_times){.median = NAN,
                               .p90 = NAN,
                               .p95 = NAN,
                               .median_low = NAN,
                               .median_high = NAN};
    for (size_t k = 0; k < t->s->n_hosts; k++) {
        const struct host *h = &t->s->hosts[k];
        struct study_outcome o;
        ns_t onset, end;

        if (!is_abuser(t->classes[k]) || !is_here(t, h))
            continue;
        if (!began_within(t, k, &onset) || onset == 0) {
            to->truncated++;
            continue;
        }
        o = outcome(t, k);
        end = o.first != 0 ? o.first : h->last;
        t->units[n++] = (struct survive_unit){
            .time = in_messages   ? (double)o.before
                    : end > onset ? (double)(end - onset) / (double)NS_PER_S
                                  : 0,
            .end = o.first != 0 ? SURVIVE_EVENT : SURVIVE_CENSORED};
        to->stopped += o.first != 0;
    }
    to->hosts = n;
    if (n == 0)
        return ERR_OK;
    e = survive_of(t->units, n, LEVEL, &sv);
    if (e != ERR_OK)
        return e == ERR_USAGE ? ERR_OK : e;
    survive_quantile(&sv, 0.5, &to->median, &i);
    to->median_low = i.low;
    to->median_high = i.high;
    survive_quantile(&sv, 0.9, &to->p90, &i);
    survive_quantile(&sv, 0.95, &to->p95, &i);
    to->steps = calloc(STEPS, sizeof(*to->steps));
    if (to->steps == NULL) {
        survive_free(&sv);
        return ERR_NOMEM;
    }
    for (size_t k = 0; k < sv.n; k++) {
        const size_t at = sv.n <= STEPS ? k : k * STEPS / sv.n;

        to->steps[at] = (struct study_step){sv.v[k].time, 1 - sv.v[k].free,
                                            1 - sv.v[k].interval.high,
                                            1 - sv.v[k].interval.low};
        to->n_steps = at + 1;
    }
    survive_free(&sv);
    return ERR_OK;
}

/* ---- what it costs, what it gains ---- */

static void
fill_costs(struct telling *t)
{
    const struct study_costs *c = &t->s->plan->costs;
    struct study_policy *p = t->to;
    const double spared = (double)p->total.rcpt[STUDY_MALICIOUS];
    const bool detects =
        t->plan->kind == STUDY_KIND_DETECTOR ||
        t->plan->kind == STUDY_KIND_ALERTS ||
        (t->plan->kind == STUDY_KIND_GRACE && t->plan->detector);
    double forms = 0;

    for (size_t i = 0; i < t->s->n_hosts; i++) {
        const struct host *h = &t->s->hosts[i];

        forms += is_here(t, h) && !h->registered && t->classes[i] != STUDY_BOT;
    }
    if (t->plan->kind == STUDY_KIND_NONE)
        forms = 0;
    p->holds = detects && t->plan->kind != STUDY_KIND_ALERTS
                   ? t->s->holds[t->s->o.detectors[t->policy]]
                   : 0;
    p->staff_h_alerts = detects ? ((double)t->s->alerts_n * c->alert_min +
                                   (double)p->holds * c->hold_min) /
                                      60
                                : 0;
    p->staff_h_tickets =
        (double)p->hosts[STUDY_LEGITIMATE] * c->ticket_min / 60;
    p->staff_h_forms = detects && t->plan->kind != STUDY_KIND_GRACE
                           ? 0
                           : forms * c->form_min * (1 + c->rework) / 60;
    p->staff_h = p->staff_h_alerts + p->staff_h_tickets + p->staff_h_forms;
    for (size_t i = 0; i < 3; i++)
        p->displaced[i] = spared * (1 - 0.5 * (double)i);
    p->tie_none = p->total.lost_most > 0 ? spared / (double)p->total.lost_most
                  : spared > 0           ? INFINITY
                                         : NAN;
}

/* The policy before it: where one gains and loses more, a price ties them. */
static void
fill_tie(struct study_policy *p, const struct study_policy *before)
{
    const double gain = (double)p->total.rcpt[STUDY_MALICIOUS] -
                        (double)before->total.rcpt[STUDY_MALICIOUS];
    const double loss =
        (double)p->total.lost_most - (double)before->total.lost_most;

    p->tie_next = gain * loss > 0 ? gain / loss : NAN;
}

/* ---- all of it ---- */

static enum err
tell(struct telling *t)
{
    struct study_policy *to = t->to;
    enum err e;

    *to = (struct study_policy){
        .name = t->plan->name,
        .title = t->plan->title,
        .kind = kind_word(t->plan),
        .terms = terms_of(t->plan),
        .by_day = calloc(t->r->n_days + 1, sizeof(*to->by_day)),
        .tie_next = NAN,
        .per_hour = t->plan->kind == STUDY_KIND_RATE ? t->plan->per_hour : 0,
    };
    if (to->terms == NULL || to->by_day == NULL)
        return ERR_NOMEM;
    count_hosts(t);
    count_tuned(t);
    if (t->policy + t->s->o.points >= t->s->plan->n_policies)
        return ERR_OK;
    count_owners(t);
    fill_host_shares(t);
    fill_days(t);
    e = fill_rates(t);
    if (e == ERR_OK)
        e = fill_times(t, false, &to->seconds);
    if (e == ERR_OK)
        e = fill_times(t, true, &to->messages);
    fill_costs(t);
    if (t->policy > 0)
        fill_tie(to, to - 1);
    return e;
}

enum err
study_fill_policies(const struct study *s, const enum study_class *classes,
                    struct study_result *r)
{
    const ns_t begin = s->n_parts > 1 ? s->part : r->from;
    struct telling t = {
        .s = s,
        .classes = classes,
        .r = r,
        .hosts = calloc(s->n_hosts + 1, sizeof(*t.hosts)),
        .units = calloc(s->n_hosts + 1, sizeof(*t.units)),
        .days = (double)(r->to - begin) / (double)DAY,
    };
    enum err e = t.hosts == NULL || t.units == NULL ? ERR_NOMEM : ERR_OK;

    r->policies = calloc(s->plan->n_policies, sizeof(*r->policies));
    if (r->policies == NULL)
        e = ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < s->plan->n_policies; i++) {
        t.policy = i;
        t.plan = &s->plan->policies[i];
        t.to = &r->policies[i];
        r->n_policies = i + 1;
        e = tell(&t);
    }
    free(t.hosts);
    free(t.units);
    return e;
}
