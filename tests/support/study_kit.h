#ifndef SPAN25_TESTS_STUDY_KIT_H
#define SPAN25_TESTS_STUDY_KIT_H
/* study_kit - results of studies made by hand, for the tests of all views
 *
 * study_kit_make fills one kind; study_kit_free gives all back. The full one is
 * a campus of four weeks whose totals are the sums of its hosts. The same kind
 * is the same bytes each time. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sensor/base/attr.h"
#include "sensor/event/study_result.h"
#include "sensor/event/study_shape.h"

enum study_kit_kind {
    STUDY_KIT_FULL,
    STUDY_KIT_GOOD,    /* the same, and all criteria are met */
    STUDY_KIT_EMPTY,   /* a window in which nothing was seen */
    STUDY_KIT_ZERO,    /* all members zero */
    STUDY_KIT_NAN,     /* nothing can be said */
    STUDY_KIT_INF,     /* everything is without end */
    STUDY_KIT_HUGE,    /* every count is the largest */
    STUDY_KIT_HOSTILE, /* every text is an attack */
    STUDY_KIT_LARGE,   /* 5,000 hosts, 500 sites, 366 days */
    STUDY_KIT_KINDS,
};

static const char *const study_kit_names[STUDY_KIT_KINDS] = {
    "full", "good", "empty", "zero", "nan", "inf", "huge", "hostile", "large",
};

/* ESC, markup, bidi override, formula, quotes, invalid UTF-8, line ends. */
#define STUDY_KIT_ATTACK                                                       \
    "=cmd|'/c calc'!A1\x1b[31m</style></script><script>alert('x')</script>"    \
    "<img src=x onerror=alert(1)>\"\xe2\x80\xae"                               \
    "fdp\xff\r\n,&;\a"

#define STUDY_KIT_START                                                        \
    (UINT64_C(1790812800) * NS_PER_S) /* 2026-10-01 00:00 UTC, a Thursday */
#define STUDY_KIT_OWNED 32768

struct study_kit {
    struct study_result r;
    uint64_t random;
    void **owned;
    size_t n_owned;
};

static inline void *
study_kit_room(struct study_kit *k, size_t n, size_t size)
{
    void *v = calloc(n > 0 ? n : 1, size);

    REQUIRE(v != NULL && k->n_owned < STUDY_KIT_OWNED);
    k->owned[k->n_owned++] = v;
    return v;
}

static inline char *study_kit_text(struct study_kit *k, const char *fmt, ...)
    PRINTF(2, 3);

static inline char *
study_kit_text(struct study_kit *k, const char *fmt, ...)
{
    char *text = study_kit_room(k, 96, 1);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, 96, fmt, ap);
    va_end(ap);
    return text;
}

static inline uint64_t
study_kit_random(struct study_kit *k, uint64_t below)
{
    k->random = k->random * UINT64_C(6364136223846793005) +
                UINT64_C(1442695040888963407);
    return (k->random >> 33) % below;
}

/* ---- window ---- */

static inline void
study_kit_cover(struct study_kit *k, size_t n_days)
{
    struct study_result *r = &k->r;

    r->title = "Impact study of port 25";
    r->author = "A. Lindgren, network operations";
    r->reviewer = "P. Osei, data protection";
    r->status = "draft";
    r->classification = "internal: has addresses of hosts";
    r->command = "span25 study run --state /var/lib/span25 --from 2026-10-01 "
                 "--to 2026-10-29 --holdout 14d --criteria go.yaml -o "
                 "study.html";
    r->version = "0.1.0";
    r->rules_hash =
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    r->config_hash =
        "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752";
    r->sensors = "campus-1, campus-2";
    r->from = STUDY_KIT_START;
    r->to = r->from + n_days * 86400 * NS_PER_S;
    r->holdout = r->from + n_days / 2 * 86400 * NS_PER_S;
    r->warm_from = r->from - 7 * 86400 * NS_PER_S;
    r->proposed = "P4";
    r->effective = UINT64_C(1799625600) * NS_PER_S; /* 2027-01-11 */
    r->rollback = "span25 policy mode off; the lists are empty within a minute";
    r->criteria_file = "go.yaml";
    r->criteria_hash =
        "fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13";
    r->n_inputs = 2;
    r->inputs = study_kit_room(k, r->n_inputs, sizeof(*r->inputs));
    r->inputs[0] = (struct study_input){
        "/var/lib/span25",
        "journal",
        "c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2",
        18204114,
        0,
        r->warm_from,
        r->to - 3 * NS_PER_S};
    r->inputs[1] = (struct study_input){
        "late.jsonl.zst",    "events", NULL, 90121, 12, r->from,
        r->to - 9 * NS_PER_S};
}

static inline void
study_kit_hour(struct study_kit *k, struct study_hour *h, size_t i)
{
    size_t of_day = i % 24;
    size_t weekday = (i / 24 + 3) % 7; /* Monday 0 */
    uint64_t busy = weekday < 5 ? of_day >= 7 && of_day < 19 ? 9 : 3 : 2;
    uint64_t n = busy * 40 + study_kit_random(k, busy * 20);

    h->begin = k->r.from + i * 3600 * NS_PER_S;
    h->covered_s = 3600;
    h->packets = n * 220;
    h->dropped = study_kit_random(k, 12) == 0 ? n / 9 : 0;
    h->seen = n * 41000;
    h->unseen = n * (of_day > 8 && of_day < 17 ? 320 : 40);
    h->sessions = n;
    h->sessions_tls = n * 4 / 10;
    h->sessions_oneway = n / 90;
    h->messages[STUDY_GROUP_REGISTERED] = n / 2;
    h->messages[STUDY_GROUP_UNREGISTERED] = n / 4;
    h->messages[STUDY_GROUP_OUTSIDE] = n;
    h->messages[STUDY_GROUP_ALL] = n / 2 + n / 4 + n;
    h->bad = n / 16 + (of_day < 6 ? study_kit_random(k, 90) : 0);
    if (i >= 200 && i < 213)
        h->covered_s = i == 200 ? 1500 : 0;
    if (i % 331 == 330)
        h->covered_s = 2700;
    h->refused = i % 167 == 75;
    if (h->refused)
        h->unseen = h->seen / 11;
    if (h->covered_s == 0)
        *h = (struct study_hour){.begin = h->begin};
}

static inline void
study_kit_hours(struct study_kit *k, size_t n_days)
{
    struct study_result *r = &k->r;
    uint64_t seen = 0;
    uint64_t unseen = 0;

    r->n_hours = 24 * n_days;
    r->hours = study_kit_room(k, r->n_hours, sizeof(*r->hours));
    for (size_t i = 0; i < r->n_hours; i++) {
        struct study_hour *h = &r->hours[i];

        study_kit_hour(k, h, i);
        seen += h->seen;
        unseen += h->unseen;
        r->sessions += h->sessions;
        r->sessions_tls += h->sessions_tls;
        r->sessions_oneway += h->sessions_oneway;
        r->hours_refused += h->refused;
        r->messages_refused += h->refused ? h->messages[STUDY_GROUP_ALL] : 0;
        r->week[(i + 72) % 168] += h->covered_s >= 3240;
    }
    r->loss = (double)unseen / (double)(seen + unseen);
    r->drops = 0.0004;
    r->events = 18294235;
    r->faults = 12;
    r->late = 31;
    r->estimated_least = r->sessions_tls;
    r->estimated_most = r->sessions_tls * 3;
    for (size_t i = 0; i < ARRAY_LEN(r->q); i++) {
        r->q[i] = 0.999 - 0.021 * (double)i;
        r->q_n[i] = UINT64_C(60000) >> (2 * i);
    }
    r->q[7] = NAN;
    r->q_n[7] = 0;
}

static inline void
study_kit_days(struct study_kit *k, size_t n_days)
{
    struct study_result *r = &k->r;

    r->n_days = n_days;
    r->days = study_kit_room(k, n_days, sizeof(*r->days));
    for (size_t i = 0; i < n_days; i++) {
        struct study_day *d = &r->days[i];

        d->begin = r->from + i * 86400 * NS_PER_S;
        d->holdout = d->begin >= r->holdout;
        for (size_t h = 24 * i; h < 24 * i + 24; h++) {
            d->messages += r->hours[h].messages[STUDY_GROUP_REGISTERED] +
                           r->hours[h].messages[STUDY_GROUP_UNREGISTERED];
            d->bad += r->hours[h].bad;
        }
        d->class_a = d->bad / 14;
        d->recipients = d->messages * 13 / 9;
        d->senders = 60 + study_kit_random(k, 30);
        d->senders_new = i == 0 ? d->senders : study_kit_random(k, 9);
        d->alerts = study_kit_random(k, 7);
        d->blocks = study_kit_random(k, 4);
        d->holds = study_kit_random(k, 2);
        d->attempts = study_kit_random(k, 900);
        d->attempts_blocked = d->attempts / 3;
    }
}

/* ---- hosts and policies ---- */

#define STUDY_KIT_POLICIES 7

static inline void
study_kit_policy_names(struct study_kit *k)
{
    static const struct {
        const char *name, *title, *kind, *terms;
    } rows[STUDY_KIT_POLICIES] = {
        {"P0", "Stop nobody",                                   "none",         "nothing is stopped"          },
        {"P1", "Stop whoever is not registered",                "unregistered",
         "from the first day"                                                                                 },
        {"P2", "Limit whoever is not registered",               "rate",
         "20 messages an hour, 100 a day"                                                                     },
        {"P3", "Stop after an alert",                           "alerts",
         "1 alert of high or medium level, for 4 h; in force after 60 s"                                      },
        {"P4", "Stop what the detector finds",                  "detector",
         "the decision table as configured; in force after 60 s"                                              },
        {"P5", "Give 14 days to register, then stop",           "grace",
         "14 days; 90 % of the legitimate register"                                                           },
        {"P6", "The same, and the detector from the first day",
         "grace+detector",                                                      "14 days; in force after 60 s"},
    };
    struct study_result *r = &k->r;

    r->n_policies = STUDY_KIT_POLICIES;
    r->policies = study_kit_room(k, r->n_policies, sizeof(*r->policies));
    for (size_t i = 0; i < r->n_policies; i++) {
        r->policies[i].name = rows[i].name;
        r->policies[i].title = rows[i].title;
        r->policies[i].kind = rows[i].kind;
        r->policies[i].terms = rows[i].terms;
        r->policies[i].by_day = study_kit_room(k, r->n_days, sizeof(uint64_t));
    }
}

static inline bool
study_kit_stops(size_t policy, const struct study_host_row *h, uint64_t dice)
{
    bool bad = h->class == STUDY_BOT || h->class == STUDY_MIXED;

    switch (policy) {
    case 1: return !h->registered;
    case 2: return !h->registered && h->messages > 400;
    case 3: return bad ? dice < 80 : dice < 4 && !h->registered;
    case 4:
        return h->class == STUDY_BOT ? dice < 91 : bad ? dice < 45 : dice < 2;
    case 5: return !h->registered && (bad || dice < 12);
    case 6: return !h->registered && (bad || dice < 13);
    default: return false;
    }
}

static inline void
study_kit_outcome(struct study_kit *k, size_t policy,
                  const struct study_host_row *h, struct study_outcome *o)
{
    static const unsigned late[STUDY_KIT_POLICIES] = {0, 0, 10, 6, 4, 50, 5};
    uint64_t bad = h->class == STUDY_BOT ? h->messages : h->bad;
    uint64_t fine = h->class == STUDY_UNKNOWN ? 0 : h->messages - bad;
    uint64_t unclear = h->messages - bad - fine;
    uint64_t keep = late[policy];

    o->first = h->first + keep * 600 * NS_PER_S;
    o->before = bad * keep / 100;
    o->before_rcpt = o->before * 3;
    o->stopped[STUDY_MALICIOUS] = bad - o->before - bad / 20;
    o->after = bad - o->before;
    o->rcpt[STUDY_MALICIOUS] = o->stopped[STUDY_MALICIOUS] * 3;
    o->after_rcpt = o->after * 3;
    o->delivered[STUDY_MALICIOUS] = o->stopped[STUDY_MALICIOUS] / 2;
    o->stopped[STUDY_ORDINARY] = fine * (100 - keep) / 100;
    o->delivered[STUDY_ORDINARY] = o->stopped[STUDY_ORDINARY];
    o->rcpt[STUDY_ORDINARY] = o->stopped[STUDY_ORDINARY];
    o->stopped[STUDY_UNCLEAR] = unclear;
    o->delivered[STUDY_UNCLEAR] = unclear;
    o->lost_least = h->fire_and_forget ? o->stopped[STUDY_ORDINARY] : 0;
    o->lost_most = h->queueing ? 0 : o->stopped[STUDY_ORDINARY];
    o->delayed_least = o->stopped[STUDY_ORDINARY] - o->lost_most;
    o->delayed_most = o->stopped[STUDY_ORDINARY] - o->lost_least;
    o->delay_h = 3.4 * (double)o->delayed_most;
    o->tls_most = h->sessions_tls;
    o->blocks = 1 + study_kit_random(k, 4);
    o->blocked_h = (double)o->blocks * 4;
}

static inline void
study_kit_host(struct study_kit *k, struct study_host_row *h, size_t i)
{
    static const char *const devices[] = {"printer", "UPS", "scanner",
                                          "web application", "backup"};
    struct study_result *r = &k->r;
    uint64_t kind = study_kit_random(k, 100);
    uint8_t v4[4] = {10, (uint8_t)(20 + i / 250 % 200), (uint8_t)(i % 7),
                     (uint8_t)(i % 250 + 2)};

    h->addr = addr_v4(v4);
    h->class = kind < 14   ? STUDY_BOT
               : kind < 19 ? STUDY_MIXED
               : kind < 80 ? STUDY_LEGITIMATE
                           : STUDY_UNKNOWN;
    h->registered = h->class == STUDY_LEGITIMATE && kind % 5 == 0;
    h->site = kind % 11 == 0 ? NULL : r->sites[i % r->n_sites].code;
    h->name =
        kind % 3 == 0 ? study_kit_text(k, "host-%zu.example.edu", i) : NULL;
    h->helo = h->class == STUDY_BOT ? study_kit_text(k, "WIN-%zX", i * 7919)
                                    : study_kit_text(k, "mail%zu", i);
    h->fire_and_forget = h->class == STUDY_LEGITIMATE && kind % 7 == 1;
    h->queueing = h->registered || (!h->fire_and_forget && kind % 4 == 0);
    h->device = h->fire_and_forget ? devices[kind % ARRAY_LEN(devices)] : NULL;
    h->days = h->class == STUDY_UNKNOWN ? 1 : 1 + (uint32_t)(kind % 20);
    h->first = r->from + study_kit_random(k, r->n_days) * 86400 * NS_PER_S;
    h->last = r->to - study_kit_random(k, 3600) * NS_PER_S;
    h->messages = h->class == STUDY_UNKNOWN ? 1 + kind % 4
                                            : 20 + study_kit_random(k, 900);
    h->messages *= i % 37 == 5 ? 40 : 1;
    h->delivered = h->messages * 9 / 10;
    h->recipients = h->messages * 3;
    h->recipients_refused = h->class == STUDY_BOT ? h->messages : 0;
    h->bad = h->class == STUDY_BOT     ? h->messages * 7 / 10
             : h->class == STUDY_MIXED ? h->messages / 5
                                       : 0;
    h->class_a = h->bad / 12;
    h->sessions = h->messages + kind;
    h->sessions_tls = h->registered ? h->sessions / 2 : h->sessions / 9;
    h->reviewed = kind % 9 == 0;
    h->outcomes = study_kit_room(k, r->n_policies, sizeof(*h->outcomes));
}

static inline void
study_kit_add(struct study_outcome *to, const struct study_outcome *o)
{
    for (size_t m = 0; m < STUDY_MAIL_COUNT; m++) {
        to->stopped[m] += o->stopped[m];
        to->delivered[m] += o->delivered[m];
        to->rcpt[m] += o->rcpt[m];
    }
    to->after += o->after;
    to->after_rcpt += o->after_rcpt;
    to->before += o->before;
    to->before_rcpt += o->before_rcpt;
    to->lost_least += o->lost_least;
    to->lost_most += o->lost_most;
    to->delayed_least += o->delayed_least;
    to->delayed_most += o->delayed_most;
    to->delay_h += o->delay_h;
    to->tls_most += o->tls_most;
    to->blocks += o->blocks;
    to->blocked_h += o->blocked_h;
    if (o->first != 0 && (to->first == 0 || o->first < to->first))
        to->first = o->first;
}

static inline void
study_kit_decide(struct study_kit *k, struct study_host_row *h, size_t policy)
{
    struct study_result *r = &k->r;
    struct study_policy *p = &r->policies[policy];
    struct study_outcome *o = &h->outcomes[policy];
    size_t day;

    p->hosts_of[h->class]++;
    if (!study_kit_stops(policy, h, study_kit_random(k, 100)))
        return;
    study_kit_outcome(k, policy, h, o);
    p->hosts[h->class]++;
    p->registered += h->registered;
    p->devices += h->fire_and_forget;
    p->owners_unknown += h->class == STUDY_LEGITIMATE && h->site == NULL;
    day = policy == 1 ? 0 : (size_t)((o->first - r->from) / NS_PER_S / 86400);
    day = day < r->n_days ? day : r->n_days - 1;
    p->by_day[day]++;
    p->first_day += day == 0;
    p->later_days += day > 0;
    study_kit_add(&p->total, o);
}

/* Worst score first. */
static inline int
study_kit_worse(const void *a, const void *b)
{
    const struct study_host_row *x = a;
    const struct study_host_row *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return addr_cmp(&x->addr, &y->addr);
}

static inline void
study_kit_cell(struct study_result *r, const struct study_host_row *h)
{
    struct study_cell *c = &r->cells[h->class][h->registered];

    c->hosts++;
    c->messages += h->messages;
    c->delivered += h->delivered;
    c->recipients += h->recipients;
    c->bytes += h->messages * 41000;
    c->sessions += h->sessions;
    c->sessions_tls += h->sessions_tls;
    c->tls_least += h->sessions_tls;
    c->tls_most += h->sessions_tls * 3;
}

static inline void
study_kit_hosts(struct study_kit *k, size_t n)
{
    struct study_result *r = &k->r;

    r->n_hosts = n;
    r->hosts = study_kit_room(k, n, sizeof(*r->hosts));
    for (size_t i = 0; i < n; i++) {
        struct study_host_row *h = &r->hosts[i];

        study_kit_host(k, h, i);
        study_kit_cell(r, h);
        for (size_t p = 0; p < r->n_policies; p++)
            study_kit_decide(k, h, p);
        h->score = (double)(h->messages - h->bad) / 28 *
                   (h->class == STUDY_BOT ? 0.01 : 1) *
                   (h->fire_and_forget ? 10 : 1);
    }
    qsort(r->hosts, n, sizeof(*r->hosts), study_kit_worse);
}

/* ---- figures ---- */

/* Wilson's interval, near enough. */
static inline struct study_figure
study_kit_figure(uint64_t k, uint64_t n)
{
    double p = n > 0 ? (double)k / (double)n : NAN;
    double z = 3.84 / (n > 0 ? (double)n : 1);
    double middle = (p + z / 2) / (1 + z);
    double half = sqrt(p * (1 - p) * z + z * z / 4) / (1 + z);

    return (struct study_figure){
        (double)k,     (double)n, p, middle - half > 0 ? middle - half : 0,
        middle + half, "Wilson"};
}

static inline void
study_kit_times(struct study_kit *k, struct study_times *t, double scale,
                size_t policy, uint64_t n)
{
    double most = policy == 2 ? 0.71 : 0.93;

    t->hosts = n;
    t->truncated = n / 6;
    t->n_steps = n < 40 ? n : 40;
    t->steps = study_kit_room(k, t->n_steps, sizeof(*t->steps));
    t->median = t->p90 = t->p95 = INFINITY;
    for (size_t i = 0; i < t->n_steps; i++) {
        struct study_step *s = &t->steps[i];

        s->at = scale * exp(0.22 * (double)i) * (double)(policy + 1);
        s->share = most * (double)(i + 1) / (double)t->n_steps;
        s->low = s->share > 0.12 ? s->share - 0.12 : 0;
        s->high = s->share + 0.1 < 1 ? s->share + 0.1 : 1;
        t->median = isinf(t->median) && s->share >= 0.5 ? s->at : t->median;
        t->p90 = isinf(t->p90) && s->share >= 0.9 ? s->at : t->p90;
    }
    t->stopped = (uint64_t)(most * (double)n);
    t->median_low = t->median / 2;
    t->median_high = t->median * 2;
    if (n == 0)
        t->median = t->p90 = t->p95 = t->median_low = t->median_high = NAN;
}

static inline void
study_kit_policy(struct study_kit *k, size_t i, uint64_t all_rcpt)
{
    struct study_result *r = &k->r;
    struct study_policy *p = &r->policies[i];
    struct study_outcome *o = &p->total;
    uint64_t stopped = 0;

    for (size_t c = 0; c < STUDY_CLASS_COUNT; c++)
        stopped += p->hosts[c];
    p->host_days = (double)r->n_hosts * (double)r->n_days;
    p->wrong = study_kit_figure(p->hosts[STUDY_LEGITIMATE],
                                p->hosts_of[STUDY_LEGITIMATE]);
    p->right = study_kit_figure(p->hosts[STUDY_BOT], p->hosts_of[STUDY_BOT]);
    p->precise =
        study_kit_figure(p->hosts[STUDY_BOT] + p->hosts[STUDY_MIXED], stopped);
    p->lost = (struct study_figure){(double)o->lost_most,
                                    p->host_days,
                                    1000 * (double)o->lost_most / p->host_days,
                                    800 * (double)o->lost_most / p->host_days,
                                    1300 * (double)o->lost_most / p->host_days,
                                    "Poisson"};
    p->spared = study_kit_figure(o->rcpt[STUDY_MALICIOUS], all_rcpt);
    p->spared.method = "bootstrap-t over hosts";
    p->owners = r->n_sites < stopped ? r->n_sites : stopped;
    p->holds = i >= 3 ? 4 : 0;
    for (size_t d = 0; d < 3; d++)
        p->displaced[d] =
            (double)o->rcpt[STUDY_MALICIOUS] * (1 - 0.5 * (double)d);
    if (i > 0)
        study_kit_times(k, &p->seconds, 20, i, p->hosts_of[STUDY_BOT]);
    if (i > 0)
        study_kit_times(k, &p->messages, 2, i, p->hosts_of[STUDY_BOT]);
    p->staff_h_alerts = i >= 3 && i != 5 ? 11.4 : 0;
    p->staff_h_tickets = 0.75 * (double)p->hosts[STUDY_LEGITIMATE];
    p->staff_h_forms = i == 1 || i >= 5 ? 71.5 : 0;
    p->staff_h = p->staff_h_alerts + p->staff_h_tickets + p->staff_h_forms;
    p->tie_none = i == 0 ? NAN
                  : o->lost_most == 0
                      ? INFINITY
                      : (double)o->rcpt[STUDY_MALICIOUS] / (double)o->lost_most;
    p->tie_next = i < 2 ? NAN : p->tie_none / 2;
    p->per_day = (double)p->later_days / (double)(r->n_days - 1);
}

static inline void
study_kit_shares(struct study_kit *k)
{
    struct study_result *r = &k->r;

    r->n_shares = 2 * STUDY_GROUP_COUNT;
    for (size_t i = 0; i < r->n_shares; i++) {
        struct study_share *s = &r->shares[i];
        double v = 0.012 + 0.034 * (double)i;

        s->group = (enum study_group)(i / 2);
        s->spam = i % 2;
        s->raw = (struct study_figure){
            1000 * v, 1000, v, v / 2, v * 1.7, "bootstrap-t over hosts"};
        s->weighted = (struct study_figure){
            1040 * v, 1040, v * 1.04, v / 2, v * 1.8, "bootstrap-t over hosts"};
        s->hosts = study_kit_figure(9 + 3 * i, 12 + 40 * i);
        s->deff = 41.2 + (double)i;
        s->without_low = v * 0.8;
        s->without_high = v * 1.1;
        s->without_top = v * 0.7;
        s->clear = 0.62;
        s->bound_low = s->clear * v;
        s->bound_high = s->clear * v + 1 - s->clear;
        s->senders = 12 + 40 * i;
        s->weights_cut = i;
    }
    r->unseen = (struct study_unseen){true,
                                      r->n_hosts,
                                      61,
                                      34,
                                      r->n_days,
                                      (double)r->n_hosts + 51.6,
                                      (double)r->n_hosts + 22,
                                      (double)r->n_hosts + 118,
                                      0.964};
}

static inline void
study_kit_sweeps(struct study_kit *k)
{
    struct study_result *r = &k->r;
    static const struct {
        const char *what, *unit;
        double chosen;
    } rows[] = {
        {"per-hour", "messages an hour",        20},
        {"sessions", "sessions in ten minutes", 60},
    };

    r->n_sweeps = ARRAY_LEN(rows);
    r->sweeps = study_kit_room(k, r->n_sweeps, sizeof(*r->sweeps));
    for (size_t i = 0; i < r->n_sweeps; i++) {
        struct study_sweep *s = &r->sweeps[i];

        s->policy = i == 0 ? "P2" : "P4";
        s->what = rows[i].what;
        s->unit = rows[i].unit;
        s->chosen = rows[i].chosen;
        s->n = 9;
        s->v = study_kit_room(k, s->n, sizeof(*s->v));
        for (size_t j = 0; j < s->n; j++) {
            struct study_sweep_point *v = &s->v[j];

            v->limit = rows[i].chosen * pow(2, (double)j - 4);
            v->stopped[STUDY_BOT] = 34 - 2 * j;
            v->stopped[STUDY_MIXED] = 10 - j;
            v->stopped[STUDY_LEGITIMATE] = j < 6 ? (6 - j) * (6 - j) : 0;
            v->stopped[STUDY_UNKNOWN] = j < 3 ? 3 - j : 0;
            v->registered = j < 2 ? 2 - j : 0;
            v->total.lost_most = v->stopped[STUDY_LEGITIMATE] * 31;
            v->total.rcpt[STUDY_MALICIOUS] = v->stopped[STUDY_BOT] * 900;
        }
    }
}

static inline void
study_kit_sites(struct study_kit *k, size_t n)
{
    struct study_result *r = &k->r;

    r->n_sites = n;
    r->sites = study_kit_room(k, n, sizeof(*r->sites));
    for (size_t i = 0; i < n; i++) {
        static const char *const names[] = {"Registrar",
                                            "Physics",
                                            "Lakeside High School",
                                            "Library",
                                            "Halls of residence",
                                            "Medical centre",
                                            "Estates",
                                            "Press office"};
        struct study_site *s = &r->sites[i];

        s->code = study_kit_text(k, "S%02zu", i + 1);
        s->name = names[i % ARRAY_LEN(names)];
        s->contact =
            i % 6 == 4 ? NULL : study_kit_text(k, "it%zu@example.edu", i + 1);
        s->stopped = study_kit_room(k, STUDY_KIT_POLICIES, sizeof(uint64_t));
        s->stopped_legitimate =
            study_kit_room(k, STUDY_KIT_POLICIES, sizeof(uint64_t));
    }
}

static inline void
study_kit_count_sites(struct study_kit *k)
{
    struct study_result *r = &k->r;

    for (size_t i = 0; i < r->n_hosts; i++) {
        const struct study_host_row *h = &r->hosts[i];
        struct study_site *s = NULL;

        for (size_t j = 0; h->site != NULL && s == NULL; j++)
            s = r->sites[j].code == h->site ? &r->sites[j] : NULL;
        if (s == NULL)
            continue;
        s->hosts++;
        s->registered += h->registered;
        s->legitimate += !h->registered && h->class >= STUDY_LEGITIMATE;
        for (size_t p = 0; p < r->n_policies; p++) {
            bool stopped = h->outcomes[p].first != 0;

            s->stopped[p] += stopped;
            s->stopped_legitimate[p] += stopped && h->class >= STUDY_LEGITIMATE;
        }
    }
}

static inline void
study_kit_agreed(struct study_kit *k)
{
    static const struct study_criterion rows[] = {
        {"registered hosts stopped",           "registered-stopped",  "at most 0",     0,
         STUDY_PASS,                                                                                           NULL                },
        {"legitimate hosts stopped",           "legitimate-stopped",  "at most 0",     1,
         STUDY_FAIL,                                                                                           NULL                },
        {"share of bots stopped",              "bots-stopped-share",  "at least 0.8",  0.88,
         STUDY_PASS,                                                                                           NULL                },
        {"hours watched",                      "coverage",            "at least 0.95", 0.974, STUDY_PASS,      NULL                },
        {"time to stop",                       "time-to-stop-median", "at most 7200",  5252,
         STUDY_PASS,                                                                                           NULL                },
        {"reviewed precision of the detector", "precision-low",       "at least 0.8",
         NAN,                                                                                 STUDY_NOT_KNOWN, "no review was made"},
        {"permits within 48 hours",            "within-48h",          "at least 0.95", 0.991,
         STUDY_PASS,                                                                                           NULL                },
    };
    struct study_result *r = &k->r;

    r->n_criteria = ARRAY_LEN(rows);
    r->criteria = study_kit_room(k, r->n_criteria, sizeof(*rows));
    memcpy(r->criteria, rows, sizeof(rows));
    r->criteria[1].measured = (double)r->policies[4].hosts[STUDY_LEGITIMATE];
    r->criteria[4].measured = r->policies[4].seconds.median;
    r->queue.forms = 143;
    r->queue.n = 6;
    r->queue.v = study_kit_room(k, r->queue.n, sizeof(*r->queue.v));
    for (size_t i = 0; i < r->queue.n; i++)
        r->queue.v[i] = (struct study_queue_row){
            1U << (i / 2), i % 2 ? 4 : 1, i == 0 ? 0.62 : 0.99,
            i == 0 ? 171.2 : 40.1 - (double)i};
    r->decisions_there = true;
    r->decisions_journal = 118;
    r->decisions_here = 119;
    r->decisions_same = 118;
    r->decisions_differ =
        "block of 10.20.3.9 at 2026-10-11 04:11Z is here only";
}

static inline void
study_kit_review(struct study_kit *k)
{
    struct study_review *v = &k->r.review;

    v->there = true;
    v->sampled = 200;
    v->rated = 196;
    v->disagreed = 9;
    v->kappa = (struct study_figure){187, 196, 0.89, 0.82, 0.95, "Fleiss"};
    v->precision = study_kit_figure(58, 61);
    v->sensitivity = study_kit_figure(58, 64);
    v->specificity = study_kit_figure(129, 132);
    v->corrected =
        (struct study_figure){34, 240, 0.139, 0.1, 0.19, "Rogan and Gladen"};
}

static inline void
study_kit_full(struct study_kit *k, size_t n_days, size_t n_hosts,
               size_t n_sites)
{
    struct study_result *r = &k->r;
    uint64_t all_rcpt = 0;

    study_kit_cover(k, n_days);
    study_kit_hours(k, n_days);
    study_kit_days(k, n_days);
    study_kit_policy_names(k);
    study_kit_sites(k, n_sites);
    study_kit_hosts(k, n_hosts);
    study_kit_count_sites(k);
    for (size_t i = 0; i < r->n_hosts; i++)
        all_rcpt += 3 * (r->hosts[i].class == STUDY_BOT ? r->hosts[i].messages
                                                        : r->hosts[i].bad);
    for (size_t i = 0; i < r->n_policies; i++)
        study_kit_policy(k, i, all_rcpt);
    study_kit_shares(k);
    study_kit_sweeps(k);
    study_kit_agreed(k);
}

/* ---- kinds that are hard on a report ---- */

typedef void (*study_kit_change)(const struct study_member *m, void *at);

/* Calls change for every scalar of the result. */
static inline void
study_kit_each(struct study_result *r, study_kit_change change)
{
    struct {
        const struct study_shape *shape;
        uint8_t *at;
        size_t size, left, i;
    } stack[16] = {
        {&study_shape_result, (void *)r, 0, 0, 0}
    };

    for (size_t depth = 1; depth > 0;) {
        const struct study_member *m;
        uint8_t *at;
        size_t n;

        if (stack[depth - 1].i == stack[depth - 1].shape->n) {
            if (stack[depth - 1].left == 0) {
                depth--;
                continue;
            }
            stack[depth - 1].left--;
            stack[depth - 1].at += stack[depth - 1].size;
            stack[depth - 1].i = 0;
        }
        m = &stack[depth - 1].shape->v[stack[depth - 1].i++];
        at = stack[depth - 1].at + m->at;
        n = m->hold == STUDY_HOLD_ONE ? 1 : m->most;
        if (m->hold == STUDY_HOLD_ROWS || m->hold == STUDY_HOLD_LIST)
            memcpy(&n, stack[depth - 1].at + m->n_at, sizeof(n));
        if (m->hold == STUDY_HOLD_EACH)
            memcpy(&n, (uint8_t *)r + m->n_at, sizeof(n));
        if (m->hold >= STUDY_HOLD_LIST)
            at = *(uint8_t **)(void *)at;
        if (at == NULL || n == 0)
            continue;
        for (size_t j = 0; m->type != STUDY_TYPE_SHAPE && j < n; j++)
            change(m, at + j * m->size);
        if (m->type != STUDY_TYPE_SHAPE)
            continue;
        stack[depth].shape = m->shape;
        stack[depth].at = at;
        stack[depth].size = m->size;
        stack[depth].left = n - 1;
        stack[depth++].i = 0;
    }
}

static inline void
study_kit_to_nan(const struct study_member *m, void *at)
{
    if (m->type == STUDY_TYPE_DOUBLE)
        *(double *)at = NAN;
}

static inline void
study_kit_to_inf(const struct study_member *m, void *at)
{
    if (m->type == STUDY_TYPE_DOUBLE)
        *(double *)at = INFINITY;
}

static inline void
study_kit_to_huge(const struct study_member *m, void *at)
{
    if (m->type == STUDY_TYPE_U64 || m->type == STUDY_TYPE_TIME)
        *(uint64_t *)at = UINT64_MAX;
    if (m->type == STUDY_TYPE_U32)
        *(uint32_t *)at = UINT32_MAX;
    if (m->type == STUDY_TYPE_I32)
        *(int32_t *)at = INT32_MAX;
    if (m->type == STUDY_TYPE_DOUBLE)
        *(double *)at = 1e300;
}

static inline void
study_kit_to_attack(const struct study_member *m, void *at)
{
    if (m->type == STUDY_TYPE_TEXT)
        *(const char **)at = STUDY_KIT_ATTACK;
}

static inline void
study_kit_make(struct study_kit *k, enum study_kit_kind kind)
{
    static const study_kit_change changes[STUDY_KIT_KINDS] = {
        [STUDY_KIT_NAN] = study_kit_to_nan,
        [STUDY_KIT_INF] = study_kit_to_inf,
        [STUDY_KIT_HUGE] = study_kit_to_huge,
        [STUDY_KIT_HOSTILE] = study_kit_to_attack,
    };

    *k = (struct study_kit){.random = 25};
    k->owned = calloc(STUDY_KIT_OWNED, sizeof(*k->owned));
    REQUIRE(k->owned != NULL);
    if (kind == STUDY_KIT_ZERO)
        return;
    if (kind == STUDY_KIT_EMPTY) {
        study_kit_cover(k, 28);
        k->r.loss = k->r.drops = NAN;
        return;
    }
    if (kind == STUDY_KIT_LARGE)
        study_kit_full(k, 366, 5000, 500);
    else
        study_kit_full(k, 28, 240, 12);
    if (kind == STUDY_KIT_GOOD) {
        study_kit_review(k);
        for (size_t i = 0; i < k->r.n_criteria; i++)
            k->r.criteria[i].verdict = STUDY_PASS;
        k->r.criteria[1].limit = "at most 2";
        k->r.criteria[5].measured = 0.86;
        k->r.criteria[5].why = NULL;
        k->r.status = "final";
    }
    if (changes[kind] != NULL)
        study_kit_each(&k->r, changes[kind]);
}

static inline void
study_kit_free(struct study_kit *k)
{
    for (size_t i = 0; i < k->n_owned; i++)
        free(k->owned[i]);
    free(k->owned);
}

#endif
