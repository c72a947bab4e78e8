#include "rules/study/study_state.h"

#include "rules/study/queue.h"
#include "rules/study/share.h"
#include "rules/study/unseen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEVEL         0.95
#define MIXED_BAD     0.05 /* of judged messages, without an accusation */
#define MIXED_LEAST   20U
#define COVERED       0.9
#define WEEK          168U
#define MONDAY_OFFSET 72U /* hours from the first Monday 00:00 back to 1970 */

/* ---- what a host is held for ---- */

static struct counts
all_counts(const struct study *s, const struct host *h)
{
    struct counts sum = h->counts[0];

    for (unsigned p = 1; p < s->n_parts; p++) {
        const struct counts *c = &h->counts[p];

        sum.messages += c->messages;
        sum.judged += c->judged;
        sum.bad += c->bad;
        sum.malicious += c->malicious;
    }
    return sum;
}

/* By all that was seen of it in the window, its holdout too: who it is does not
 * depend on where figures begin. */
enum study_class
study_class_of(const struct study *s, const struct host *h)
{
    const struct counts c = all_counts(s, h);

    if (h->reviewed)
        return (enum study_class)h->label;
    if (h->condemned && !h->queueing)
        return STUDY_BOT;
    if (h->accused || c.malicious > 0 ||
        (c.judged >= MIXED_LEAST &&
         (double)c.bad >= MIXED_BAD * (double)c.judged))
        return STUDY_MIXED;
    if (h->registered || h->queueing || c.judged >= STUDY_JUDGED)
        return STUDY_LEGITIMATE;
    return STUDY_UNKNOWN;
}

/* ---- accounts in words ---- */

static enum study_mail
kind_of(enum raw raw, enum study_class c)
{
    if (raw == RAW_BAD || c == STUDY_BOT)
        return STUDY_MALICIOUS;
    return c == STUDY_UNKNOWN ? STUDY_UNCLEAR : STUDY_ORDINARY;
}

/* What became of ordinary mail within stops. */
static void
lose(struct study_outcome *o, const struct host *h, const struct account *a)
{
    const uint64_t all = (uint64_t)a->forever + a->briefly;

    o->lost_least = h->forgets ? all : a->forever;
    o->lost_most = h->queueing ? a->forever : all;
    o->delayed_least = h->queueing ? a->briefly : 0;
    o->delayed_most = h->forgets ? 0 : a->briefly;
    o->delay_h = h->forgets ? 0 : a->delay_h;
}

struct study_outcome
study_outcome_of(const struct study *s, size_t host, size_t variant,
                 size_t part, enum study_class c)
{
    const struct account *a = study_account(s, host, variant, part);
    struct study_outcome o = {
        .tls_least = a->tls_least,
        .tls_most = a->tls_most,
        .blocks = a->blocks,
        .blocked_h = a->blocked_h,
        .first = *study_first(s, host, variant),
    };

    for (enum raw r = 0; r < RAW_COUNT; r++) {
        const enum study_mail k = kind_of(r, c);

        o.stopped[k] += a->stopped[r];
        o.delivered[k] += a->delivered[r];
        o.rcpt[k] += a->rcpt[r];
        if (k != STUDY_MALICIOUS)
            continue;
        o.after += a->after[r];
        o.after_rcpt += a->after_rcpt[r];
        o.before += a->before[r];
        o.before_rcpt += a->before_rcpt[r];
    }
    if (kind_of(RAW_REST, c) == STUDY_ORDINARY)
        lose(&o, &s->hosts[host], a);
    return o;
}

void
study_outcome_add(struct study_outcome *sum, const struct study_outcome *o)
{
    for (enum study_mail k = 0; k < STUDY_MAIL_COUNT; k++) {
        sum->stopped[k] += o->stopped[k];
        sum->delivered[k] += o->delivered[k];
        sum->rcpt[k] += o->rcpt[k];
    }
    sum->after += o->after;
    sum->after_rcpt += o->after_rcpt;
    sum->before += o->before;
    sum->before_rcpt += o->before_rcpt;
    sum->lost_least += o->lost_least;
    sum->lost_most += o->lost_most;
    sum->delayed_least += o->delayed_least;
    sum->delayed_most += o->delayed_most;
    sum->delay_h += o->delay_h;
    sum->tls_least += o->tls_least;
    sum->tls_most += o->tls_most;
    sum->blocks += o->blocks;
    sum->blocked_h += o->blocked_h;
    if (sum->first == 0 || (o->first != 0 && o->first < sum->first))
        sum->first = o->first;
}

/* ---- time ---- */

static enum err
fill_hours(const struct study *s, struct study_result *r)
{
    const ns_t last = r->to == 0 ? 0 : r->to - 1;
    const size_t begin = (r->from - s->base) / HOUR;
    const size_t n = last < r->from ? 0 : (last - s->base) / HOUR + 1 - begin;

    r->hours = calloc(n + 1, sizeof(*r->hours));
    if (r->hours == NULL)
        return ERR_NOMEM;
    r->n_hours = n;
    for (size_t i = 0; i < n; i++) {
        const struct hour none = {0};
        const struct hour *h =
            begin + i < s->n_hours ? &s->hours[begin + i] : &none;
        struct study_hour *to = &r->hours[i];

        *to = (struct study_hour){
            .begin = s->base + (begin + i) * HOUR,
            .covered_s = s->has_sight ? (int32_t)(h->covered + 0.5) : -1,
            .packets = h->packets,
            .dropped = h->dropped,
            .seen = h->seen,
            .unseen = h->unseen,
            .sessions = h->sessions,
            .sessions_tls = h->tls,
            .sessions_oneway = h->oneway,
            .bad = h->bad,
            .refused = h->refused,
        };
        memcpy(to->messages, h->messages, sizeof(to->messages));
        to->messages[STUDY_GROUP_ALL] = h->messages[STUDY_GROUP_REGISTERED] +
                                        h->messages[STUDY_GROUP_UNREGISTERED] +
                                        h->messages[STUDY_GROUP_OUTSIDE];
        r->hours_refused += h->refused;
    }
    return ERR_OK;
}

/* Nobody told what was watched: then an hour counts from the first event to the
 * last, and the report says that it is not measured. */
static void
fill_week(struct study_result *r)
{
    uint64_t packets = 0, dropped = 0;

    for (size_t i = 0; i < r->n_hours; i++) {
        const struct study_hour *h = &r->hours[i];
        const size_t hour = (h->begin / HOUR + MONDAY_OFFSET) % WEEK;

        packets += h->packets;
        dropped += h->dropped;
        if (h->covered_s < 0 || h->covered_s >= COVERED * 3600)
            r->week[hour]++;
    }
    r->drops = packets + dropped == 0
                   ? NAN
                   : (double)dropped / (double)(packets + dropped);
}

static enum err
fill_days(const struct study *s, struct study_result *r)
{
    const size_t n = r->to == 0 ? 0 : (r->to - 1 - s->base) / DAY + 1;

    r->days = calloc(n + 1, sizeof(*r->days));
    if (r->days == NULL)
        return ERR_NOMEM;
    r->n_days = n;
    for (size_t i = 0; i < n; i++) {
        const struct day none = {0};
        const struct day *d = i < s->n_days ? &s->days[i] : &none;

        r->days[i] = (struct study_day){
            .begin = s->base + i * DAY,
            .holdout = s->n_parts > 1 && s->base + i * DAY >= s->part,
            .messages = d->messages,
            .bad = d->bad,
            .class_a = d->malicious,
            .recipients = d->recipients,
            .senders = d->senders,
            .senders_new = d->senders_new,
            .alerts = d->alerts,
            .blocks = d->blocks,
            .holds = d->holds,
            .attempts = d->attempts,
            .attempts_blocked = d->attempts_blocked,
        };
    }
    return ERR_OK;
}

/* ---- hosts ---- */

static bool
is_there(const struct study *s, const struct host *h)
{
    const struct counts *c = &h->counts[s->n_parts - 1];

    return c->messages > 0 || c->sessions > 0;
}

static double
score_of(const struct host *h, const struct counts *c, enum study_class class,
         double days)
{
    static const double likely[] = {[STUDY_BOT] = 0,
                                    [STUDY_MIXED] = 0.8,
                                    [STUDY_LEGITIMATE] = 1,
                                    [STUDY_UNKNOWN] = 0.5};
    const double ordinary = (double)c->delivered - (double)c->bad;

    return fmax(0, ordinary) / days * study_device_weight(h->device) *
           (h->forgets ? 2 : 1) * likely[class];
}

static enum err
fill_host(const struct study *s, size_t i, enum study_class class, double days,
          struct study_host_row *to)
{
    const struct host *h = &s->hosts[i];
    const struct counts *c = &h->counts[s->n_parts - 1];
    const size_t n = s->plan->n_policies;

    *to = (struct study_host_row){
        .addr = h->addr,
        .site = h->site[0] != '\0' ? h->site : NULL,
        .name = h->name[0] != '\0' ? h->name : NULL,
        .helo = h->helo[0] != '\0' ? h->helo : NULL,
        .device = study_device_name(h->device),
        .registered = h->registered,
        .queueing = h->queueing,
        .fire_and_forget = h->forgets,
        .reviewed = h->reviewed,
        .class = class,
        .first = h->first,
        .last = h->last,
        .days = h->days,
        .messages = c->messages,
        .delivered = c->delivered,
        .recipients = c->recipients,
        .recipients_refused = c->refused,
        .bad = c->bad,
        .class_a = c->malicious,
        .sessions = c->sessions,
        .peak = c->peak,
        .sessions_tls = c->tls,
        .score = score_of(h, c, class, days),
        .outcomes = calloc(n, sizeof(*to->outcomes)),
    };
    if (to->outcomes == NULL)
        return ERR_NOMEM;
    for (size_t p = 0; p < n; p++)
        to->outcomes[p] = study_outcome_of(
            s, i, study_variant_of(s, p, h, class), s->n_parts - 1, class);
    return ERR_OK;
}

static int
worst_first(const void *a, const void *b)
{
    const struct study_host_row *x = a, *y = b;

    if (x->score > y->score || x->score < y->score)
        return x->score < y->score ? 1 : -1;
    if (x->messages != y->messages)
        return x->messages < y->messages ? 1 : -1;
    return addr_cmp(&x->addr, &y->addr);
}

static void
count_cell(const struct study *s, const struct host *h, enum study_class class,
           struct study_result *r)
{
    const struct counts *c = &h->counts[s->n_parts - 1];
    struct study_cell *to = &r->cells[class][h->registered ? 1 : 0];

    to->hosts++;
    to->messages += c->messages;
    to->delivered += c->delivered;
    to->recipients += c->recipients;
    to->bytes += c->bytes;
    to->sessions += c->sessions;
    to->sessions_tls += c->tls;
    to->tls_least += c->tls_least;
    to->tls_most += c->tls_most;
    r->estimated_least += c->tls_least;
    r->estimated_most += c->tls_most;
}

static enum err
fill_hosts(const struct study *s, const enum study_class *classes,
           struct study_result *r)
{
    const ns_t begin = s->n_parts > 1 ? s->part : r->from;
    const double days = fmax(1, (double)(r->to - begin) / (double)DAY);
    enum err e = ERR_OK;

    r->hosts = calloc(s->n_hosts + 1, sizeof(*r->hosts));
    if (r->hosts == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < s->n_hosts; i++) {
        if (!is_there(s, &s->hosts[i]))
            continue;
        count_cell(s, &s->hosts[i], classes[i], r);
        e = fill_host(s, i, classes[i], days, &r->hosts[r->n_hosts++]);
    }
    qsort(r->hosts, r->n_hosts, sizeof(*r->hosts), worst_first);
    return e;
}

/* ---- sites ---- */

static int
by_code(const void *a, const void *b)
{
    const struct study_site *x = a, *y = b;

    return strcmp(x->code, y->code);
}

static int
cmp_code(const void *key, const void *site)
{
    const struct study_site *x = site;

    return strcmp(key, x->code);
}

static struct study_site *
site_of(struct study_result *r, const char *code)
{
    return bsearch(code, r->sites, r->n_sites, sizeof(*r->sites), cmp_code);
}

static enum err
list_sites(const struct study *s, struct study_result *r)
{
    size_t n = 0;

    r->sites = calloc(r->n_hosts + 1, sizeof(*r->sites));
    if (r->sites == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->n_hosts; i++) {
        if (r->hosts[i].site != NULL)
            r->sites[n++].code = r->hosts[i].site;
    }
    qsort(r->sites, n, sizeof(*r->sites), by_code);
    for (size_t i = 0; i < n; i++) {
        if (r->n_sites == 0 ||
            strcmp(r->sites[r->n_sites - 1].code, r->sites[i].code) != 0)
            r->sites[r->n_sites++].code = r->sites[i].code;
    }
    for (size_t i = 0; i < r->n_sites; i++) {
        struct study_site *t = &r->sites[i];

        t->stopped = calloc(s->plan->n_policies, sizeof(*t->stopped));
        t->stopped_legitimate =
            calloc(s->plan->n_policies, sizeof(*t->stopped_legitimate));
        if (t->stopped == NULL || t->stopped_legitimate == NULL)
            return ERR_NOMEM;
    }
    return ERR_OK;
}

static bool
is_stopped(const struct study_outcome *o)
{
    return o->first != 0;
}

static void
count_sites(const struct study *s, struct study_result *r)
{
    for (size_t i = 0; i < r->n_hosts; i++) {
        const struct study_host_row *h = &r->hosts[i];
        const bool innocent =
            h->class == STUDY_LEGITIMATE || h->class == STUDY_UNKNOWN;
        struct study_site *t = h->site == NULL ? NULL : site_of(r, h->site);

        if (t == NULL)
            continue;
        t->hosts++;
        t->registered += h->registered;
        t->legitimate += !h->registered && innocent;
        for (size_t p = 0; p < s->plan->n_policies; p++) {
            t->stopped[p] += is_stopped(&h->outcomes[p]);
            t->stopped_legitimate[p] += innocent && is_stopped(&h->outcomes[p]);
        }
    }
}

static enum err
fill_sites(const struct study *s, const struct study_places *places,
           struct study_result *r)
{
    enum err e = list_sites(s, r);

    if (e != ERR_OK)
        return e;
    count_sites(s, r);
    for (size_t i = 0; places != NULL && i < r->n_sites; i++)
        places->find(places->ctx, &r->sites[i]);
    return ERR_OK;
}

/* ---- the rest ---- */

static void
fill_unseen(const struct study *s, const enum study_class *classes,
            struct study_result *r)
{
    double days[STUDY_DAYS] = {0};
    size_t n = r->n_days < STUDY_DAYS ? r->n_days : STUDY_DAYS;
    struct unseen u;

    for (size_t i = 0; i < s->n_hosts; i++) {
        const struct host *h = &s->hosts[i];

        if (h->registered || classes[i] == STUDY_BOT || h->days == 0)
            continue;
        if (h->days <= n)
            days[h->days - 1]++;
    }
    if (n < 2 || !unseen_of(days, n, LEVEL, &u))
        return;
    r->unseen = (struct study_unseen){
        .known = true,
        .seen = (uint64_t)u.seen,
        .once = (uint64_t)u.once,
        .twice = (uint64_t)u.twice,
        .days = n,
        .there = u.there,
        .low = u.interval.low,
        .high = u.interval.high,
        .coverage = u.coverage,
    };
}

static enum err
fill_queue(const struct study *s, const enum study_class *classes,
           struct study_result *r)
{
    uint64_t forms = 0;

    for (size_t i = 0; i < s->n_hosts; i++) {
        const struct host *h = &s->hosts[i];

        forms += is_there(s, h) && !h->registered && classes[i] != STUDY_BOT;
    }
    if (forms == 0)
        return ERR_OK;
    if (forms > QUEUE_FORMS_MAX)
        forms = QUEUE_FORMS_MAX; /* late is late */
    return study_queue_fill(forms, s->plan->costs.form_min,
                            s->plan->costs.rework, s->o.seed, &r->queue);
}

static enum err
fill_criteria(const struct study *s, struct study_result *r)
{
    const struct study_plan *p = s->plan;

    r->criteria = calloc(p->n_criteria + 1, sizeof(*r->criteria));
    if (r->criteria == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->n_criteria; i++) {
        r->criteria[i].name = p->criteria[i].name;
        r->criteria[i].measure = p->criteria[i].measure;
        r->criteria[i].measured = NAN;
    }
    r->n_criteria = p->n_criteria;
    return ERR_OK;
}

static void
fill_plain(const struct study *s, struct study_result *r)
{
    r->from = s->from;
    r->to = s->to != 0 ? s->to : s->last_event + 1;
    r->holdout = s->n_parts > 1 ? s->part : 0;
    r->warm_from = s->first_event;
    r->events = s->events;
    r->hosts_refused = s->refused;
    r->late = s->late;
    r->sessions = s->n_sessions;
    r->sessions_tls = s->n_tls;
    r->sessions_oneway = s->n_oneway;
    r->loss = s->n_seen + s->n_unseen == 0
                  ? NAN
                  : (double)s->n_unseen / (double)(s->n_seen + s->n_unseen);
    r->messages_refused = s->messages_refused;
    for (size_t i = 0; i < BINS; i++) {
        r->q_n[i] = s->q_framed[i];
        r->q[i] = s->q_framed[i] == 0
                      ? NAN
                      : (double)s->q_whole[i] / (double)s->q_framed[i];
    }
    r->decisions_there = s->journal_n > 0;
    r->decisions_journal = s->journal_n;
    r->decisions_same = s->same_n;
    r->decisions_here = s->here_n;
    r->decisions_differ = s->differ != 0 ? s->differ_text : NULL;
    r->proposed = s->plan->proposed;
    r->effective = s->plan->effective;
    r->rollback = s->plan->rollback;
}

enum err
study_finish(struct study *s, const struct study_places *places,
             struct study_result *out)
{
    enum study_class *classes = calloc(s->n_hosts + 1, sizeof(*classes));
    struct study_result r = {0};
    enum err e = classes == NULL ? ERR_NOMEM : ERR_OK;

    study_close_hour(s);
    if (s->base == 0) { /* nothing came */
        s->base = s->from != 0 ? s->from - s->from % DAY : DAY;
        s->from = s->from != 0 ? s->from : s->base;
    }
    fill_plain(s, &r);
    for (size_t i = 0; e == ERR_OK && i < s->n_hosts; i++)
        classes[i] = study_class_of(s, &s->hosts[i]);
    if (e == ERR_OK)
        e = fill_hours(s, &r);
    if (e == ERR_OK)
        e = fill_days(s, &r);
    fill_week(&r);
    if (e == ERR_OK)
        e = fill_hosts(s, classes, &r);
    if (e == ERR_OK)
        e = fill_sites(s, places, &r);
    if (e == ERR_OK)
        e = study_fill_shares(s, &r);
    if (e == ERR_OK)
        e = study_fill_policies(s, classes, &r);
    if (e == ERR_OK) {
        fill_unseen(s, classes, &r);
        e = fill_queue(s, classes, &r);
    }
    if (e == ERR_OK)
        e = fill_criteria(s, &r);
    free(classes);
    if (e != ERR_OK) {
        study_result_free(&r);
        return e;
    }
    *out = r;
    return ERR_OK;
}

void
study_result_keep(struct study_result *r, size_t n)
{
    while (r->policies != NULL && r->n_policies > n) {
        struct study_policy *p = &r->policies[--r->n_policies];

        free(p->seconds.steps);
        free(p->messages.steps);
        free(p->by_day);
        free((char *)(uintptr_t)p->terms);
    }
}

void
study_result_free(struct study_result *r)
{
    study_result_keep(r, 0);
    for (size_t i = 0; i < r->n_hosts; i++)
        free(r->hosts[i].outcomes);
    for (size_t i = 0; i < r->n_sites; i++) {
        free(r->sites[i].stopped);
        free(r->sites[i].stopped_legitimate);
    }
    free(r->hours);
    free(r->days);
    free(r->hosts);
    free(r->sites);
    free(r->policies);
    free(r->criteria);
    free(r->queue.v);
    *r = (struct study_result){0};
}
