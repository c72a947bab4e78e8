#include "dashboards/study_facts.h"

#include "sensor/base/text.h"

#include <math.h>

#define HOUR_WHOLE  3240 /* seconds: 90 % */
#define WEEK_THRICE 3U
#define FIRST_HOSTS 3U /* named on the decision page */

/* ---- counts ---- */

bool
study_hour_whole(const struct study_hour *h)
{
    return h->covered_s >= HOUR_WHOLE && !h->refused;
}

size_t
study_policy_find(const struct study_result *r, const char *name)
{
    for (size_t i = 0; name != NULL && i < r->n_policies; i++) {
        const char *has = r->policies[i].name;

        if (has != NULL && strcmp(has, name) == 0)
            return i;
    }
    return r->n_policies;
}

static void
count_sight(struct study_facts *f)
{
    const struct study_result *r = f->r;

    for (size_t i = 0; i < r->n_hours; i++) {
        f->hours_gap +=
            r->hours[i].covered_s >= 0 && r->hours[i].covered_s < HOUR_WHOLE;
        f->hours_blind += r->hours[i].covered_s < 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(r->week); i++)
        f->week_gap += r->week[i] < WEEK_THRICE;
    for (size_t i = 0; i < r->n_days; i++) {
        f->messages = words_add(f->messages, r->days[i].messages);
        f->bad = words_add(f->bad, r->days[i].bad);
    }
    f->at_least = !(r->loss <= 0) || f->hours_gap > 0 || r->hours_refused > 0;
}

static void
count_criteria(struct study_facts *f)
{
    const struct study_result *r = f->r;

    for (size_t i = 0; i < r->n_criteria; i++) {
        f->passed += r->criteria[i].verdict == STUDY_PASS;
        f->failed += r->criteria[i].verdict == STUDY_FAIL;
    }
    f->unknown = r->n_criteria - f->passed - f->failed;
    if (f->p == NULL || r->n_criteria == 0)
        f->advice = STUDY_ADVICE_NONE;
    else if (f->failed > 0)
        f->advice = STUDY_ADVICE_NO;
    else
        f->advice = f->unknown > 0 ? STUDY_ADVICE_NOT_YET : STUDY_ADVICE_YES;
}

struct study_facts
study_facts_of(const struct study_result *r)
{
    struct study_facts f = {.r = r};

    f.p_at = study_policy_find(r, r->proposed);
    f.p = f.p_at < r->n_policies ? &r->policies[f.p_at] : NULL;
    for (size_t c = 0; c < STUDY_CLASS_COUNT; c++) {
        f.hosts[c] = words_add(r->cells[c][0].hosts, r->cells[c][1].hosts);
        f.hosts_all = words_add(f.hosts_all, f.hosts[c]);
    }
    count_sight(&f);
    count_criteria(&f);
    return f;
}

const char *
study_verdict_word(enum study_verdict v)
{
    switch (v) {
    case STUDY_PASS: return "pass";
    case STUDY_FAIL: return "fail";
    case STUDY_NOT_KNOWN: break;
    }
    return "not known";
}

const char *
study_advice_word(enum study_advice a)
{
    switch (a) {
    case STUDY_ADVICE_YES: return "Yes";
    case STUDY_ADVICE_NO: return "No";
    case STUDY_ADVICE_NOT_YET: return "Not yet";
    case STUDY_ADVICE_NONE: break;
    }
    return "None";
}

/* ---- question and advice ---- */

static void
put_name(struct buf *b, const char *name)
{
    buf_str(b, name != NULL && name[0] != '\0' ? name : "(no name)");
}

void
study_say_question(struct buf *b, const struct study_facts *f)
{
    const struct study_result *r = f->r;

    if (r->proposed == NULL) {
        buf_str(b, "No policy is proposed");
        return;
    }
    buf_str(b, "Approve ");
    put_name(b, r->proposed);
    if (r->effective != 0) {
        buf_str(b, " on ");
        study_put_date(b, r->effective);
    }
    buf_putc(b, '?');
}

void
study_say_measured(struct buf *b, const struct study_criterion *c)
{
    study_put_real(b, c->measured, "not reached");
}

static void
say_criteria(struct buf *b, const struct study_facts *f, size_t n,
             const char *what)
{
    words_number(b, n);
    buf_str(b, " of ");
    words_count(b, f->r->n_criteria, "criterion", "criteria");
    buf_str(b, " agreed on before ");
    buf_str(b, what);
}

void
study_say_advice(struct buf *b, const struct study_facts *f)
{
    const struct study_result *r = f->r;

    if (r->proposed == NULL) {
        buf_str(b, "the table of policies compares what each would do");
    } else if (f->p == NULL) {
        buf_str(b, "the policy that is proposed was not replayed");
    } else if (r->n_criteria == 0) {
        buf_str(b, "no criteria were agreed on before the study, so that none "
                   "can be met");
    } else if (f->failed > 0) {
        say_criteria(b, f, f->failed, f->failed == 1 ? "fails" : "fail");
        if (f->unknown > 0) {
            buf_str(b, ", ");
            words_number(b, f->unknown);
            buf_str(b, " cannot be judged");
        }
    } else if (f->unknown > 0) {
        say_criteria(b, f, f->unknown, "cannot be judged");
    } else {
        say_criteria(b, f, f->passed, f->passed == 1 ? "is met" : "are met");
    }
}

/* ---- numbers ---- */

static void
key_class(struct study_key *k, const struct study_facts *f, enum study_class c,
          const struct study_figure *sure)
{
    uint64_t stopped = f->p->hosts[c];
    uint64_t of = f->p->hosts_of[c];

    study_put_hosts(k->value, f->r->few, stopped);
    buf_str(k->value, " of ");
    study_put_hosts(k->value, f->r->few, of);
    buf_str(k->label, c == STUDY_BOT
                          ? "hosts that behave like a spam bot are stopped"
                          : "hosts that look legitimate are stopped");
    study_put_rate(k->note, f->r->few, stopped, of, sure);
}

static void
key_registered(struct study_key *k, const struct study_facts *f)
{
    study_put_hosts(k->value, f->r->few, f->p->registered);
    buf_str(k->label, f->p->registered == 1 ? "registered host is stopped"
                                            : "registered hosts are stopped");
    buf_str(k->note, f->p->registered == 0
                         ? "none seen in this window"
                         : "they have a permit: look at each");
}

static void
key_spared(struct study_key *k, const struct study_facts *f)
{
    const struct study_outcome *o = &f->p->total;

    study_put_range(k->value, o->rcpt[STUDY_MALICIOUS], o->after_rcpt);
    buf_str(k->label, "recipients spared malicious mail");
    if (!isnan(f->p->spared.n)) {
        buf_str(k->note, "of ");
        words_number(k->note, study_count(f->p->spared.n));
        buf_str(k->note, " that accepted such mail; ");
    }
    buf_str(k->note, "fewer, or none, if it goes another way");
}

static void
key_lost(struct study_key *k, const struct study_facts *f)
{
    const struct study_outcome *o = &f->p->total;

    study_put_range(k->value, o->lost_least, o->lost_most);
    buf_str(k->label, "ordinary messages lost");
    buf_str(k->note, "and delayed: ");
    study_put_range(k->note, o->delayed_least, o->delayed_most);
}

bool
study_say_key(struct study_key *k, const struct study_facts *f, size_t i)
{
    if (f->p == NULL)
        return false;
    switch (i) {
    case 0: key_class(k, f, STUDY_BOT, &f->p->right); return true;
    case 1: key_class(k, f, STUDY_LEGITIMATE, &f->p->wrong); return true;
    case 2: key_registered(k, f); return true;
    case 3: key_spared(k, f); return true;
    case 4: key_lost(k, f); return true;
    default: return false;
    }
}

/* ---- what breaks ---- */

static bool
breaks_hosts(struct buf *b, const struct study_facts *f)
{
    const struct study_policy *p = f->p;

    if (p == NULL)
        return false;
    if (p->hosts[STUDY_LEGITIMATE] == 0 && p->hosts[STUDY_UNKNOWN] == 0) {
        buf_str(b, "none of the hosts that look legitimate, or of which too "
                   "little was seen to tell, would be stopped");
        return true;
    }
    study_count_hosts(b, f->r->few, p->hosts[STUDY_LEGITIMATE],
                      "host that looks legitimate",
                      "hosts that look legitimate");
    buf_str(b, " and ");
    study_count_hosts(b, f->r->few, p->hosts[STUDY_UNKNOWN],
                      "host of which too little was seen to tell",
                      "hosts of which too little was seen to tell");
    buf_str(b, " would be stopped");
    return true;
}

/* Who is stopped of those is right for one reason and wrong for another. */
static bool
breaks_mixed(struct buf *b, const struct study_facts *f)
{
    const struct study_policy *p = f->p;

    if (p == NULL || p->hosts_of[STUDY_MIXED] == 0)
        return false;
    study_put_hosts(b, f->r->few, p->hosts[STUDY_MIXED]);
    buf_str(b, " of ");
    study_count_hosts(b, f->r->few, p->hosts_of[STUDY_MIXED],
                      "host with abuse beside ordinary mail",
                      "hosts with abuse beside ordinary mail");
    buf_str(b, " would be stopped");
    return true;
}

static bool
breaks_mail(struct buf *b, const struct study_facts *f)
{
    const struct study_outcome *o = f->p != NULL ? &f->p->total : NULL;

    if (o == NULL || (o->lost_most == 0 && o->delayed_most == 0))
        return false;
    buf_str(b, "ordinary messages lost: ");
    study_put_least_most(b, o->lost_least, o->lost_most);
    buf_str(b, "; late: ");
    study_put_least_most(b, o->delayed_least, o->delayed_most);
    if (o->delayed_most > 0 && o->delay_h > 0 && isfinite(o->delay_h)) {
        buf_str(b, ", on average by ");
        study_put_seconds(b, o->delay_h * 3600 / (double)o->delayed_most);
    }
    return true;
}

/* Bots do not try again either, and are not meant here. */
static bool
breaks_devices(struct buf *b, const struct study_facts *f)
{
    const struct study_result *r = f->r;
    uint64_t n = 0;

    for (size_t i = 0; f->p != NULL && i < r->n_hosts; i++) {
        const struct study_host_row *h = &r->hosts[i];

        n += h->class >= STUDY_LEGITIMATE && h->fire_and_forget &&
             h->outcomes != NULL && h->outcomes[f->p_at].first != 0;
    }
    if (n == 0)
        return false;
    words_count(b, n, "of these gives up at the first refusal",
                "of these give up at the first refusal");
    buf_str(b, ", as printers, alarms and scripts do: their mail is lost");
    return true;
}

static bool
breaks_owners(struct buf *b, const struct study_facts *f)
{
    if (f->p == NULL || (f->p->owners == 0 && f->p->owners_unknown == 0))
        return false;
    study_count_hosts(b, f->r->few, f->p->owners, "site is to be written to",
                      "sites are to be written to");
    if (f->p->owners_unknown > 0) {
        buf_str(b, "; of ");
        study_put_hosts(b, f->r->few, f->p->owners_unknown);
        buf_str(b, " of the legitimate ones no owner is known");
    }
    return true;
}

static bool
is_wrong(const struct study_facts *f, const struct study_host_row *h)
{
    return (h->class == STUDY_LEGITIMATE || h->registered) &&
           h->outcomes != NULL && h->outcomes[f->p_at].first != 0;
}

static void
put_host(struct buf *b, const struct study_host_row *h)
{
    char addr[ADDR_TEXT_MAX];
    const char *name = h->name != NULL ? h->name : h->helo;

    buf_put(b, addr, addr_format(&h->addr, addr));
    if (name != NULL && name[0] != '\0') {
        buf_str(b, " (");
        text_plain(b, span_str(name), 60);
        buf_putc(b, ')');
    }
}

static bool
breaks_first(struct buf *b, const struct study_facts *f)
{
    const struct study_result *r = f->r;
    size_t n = 0;

    for (size_t i = 0; f->p != NULL && i < r->n_hosts && n < FIRST_HOSTS; i++) {
        if (!is_wrong(f, &r->hosts[i]))
            continue;
        buf_str(b, n == 0 ? "to look at first: " : ", ");
        put_host(b, &r->hosts[i]);
        n++;
    }
    return n > 0;
}

/* ---- what we gain ---- */

static bool
gains_messages(struct buf *b, const struct study_facts *f)
{
    const struct study_outcome *o = f->p != NULL ? &f->p->total : NULL;

    if (o == NULL)
        return false;
    words_count(b, o->stopped[STUDY_MALICIOUS], "malicious message", NULL);
    buf_str(b, " not sent");
    if (o->after > o->stopped[STUDY_MALICIOUS]) {
        buf_str(b, ", up to ");
        words_number(b, o->after);
        buf_str(b, " if a stopped bot gives up for good");
    }
    return true;
}

static bool
gains_displaced(struct buf *b, const struct study_facts *f)
{
    if (f->p == NULL || isnan(f->p->displaced[0]))
        return false;
    buf_str(b, "recipients spared if none, half or all of it goes another "
               "way: ");
    for (size_t i = 0; i < ARRAY_LEN(f->p->displaced); i++) {
        buf_str(b, i > 0 ? ", " : "");
        study_put_real(b, f->p->displaced[i], "not known");
    }
    return true;
}

static bool
gains_time(struct buf *b, const struct study_facts *f)
{
    const struct study_times *t = f->p != NULL ? &f->p->seconds : NULL;

    if (t == NULL || isnan(t->median))
        return false;
    study_put_hosts(b, f->r->few, t->stopped);
    buf_str(b, " of ");
    study_count_hosts(b, f->r->few, t->hosts, "host", NULL);
    buf_str(b, " (bots and mixed) whose abuse began in the window stopped "
               "before its end");
    if (isinf(t->median))
        return true;
    buf_str(b, ": half within ");
    study_put_seconds(b, t->median);
    if (isfinite(t->p90)) {
        buf_str(b, ", nine of ten within ");
        study_put_seconds(b, t->p90);
    }
    return true;
}

/* ---- what we do not know ---- */

static bool
open_loss(struct buf *b, const struct study_facts *f)
{
    const struct study_result *r = f->r;

    if (r->loss <= 0)
        return false;
    if (isnan(r->loss)) {
        buf_str(b, "how much mail the sensor missed: it was not measured");
        return true;
    }
    study_put_share(b, r->loss);
    buf_str(b, " of the bytes that receivers acknowledged was not seen: "
               "counts are lower bounds");
    return true;
}

static bool
open_hours(struct buf *b, const struct study_facts *f)
{
    const struct study_result *r = f->r;

    if (f->hours_gap == 0 && r->hours_refused == 0 && f->hours_blind == 0)
        return false;
    if (f->hours_gap > 0 || f->hours_blind == 0) {
        words_number(b, f->hours_gap);
        buf_str(b, " of ");
        words_count(b, r->n_hours, "hour was", "hours were");
        buf_str(b, " watched for less than 90 %");
    }
    if (f->hours_blind > 0) {
        buf_str(b, f->hours_gap > 0 ? "; of " : "of ");
        words_count(b, f->hours_blind, "hour", NULL);
        buf_str(b, " it was not measured");
    }
    if (r->hours_refused > 0) {
        buf_str(b, "; ");
        words_count(b, r->hours_refused, "hour", NULL);
        buf_str(b, " with more than 5 % unseen: left out of all shares");
    }
    return true;
}

static bool
open_tls(struct buf *b, const struct study_facts *f)
{
    const struct study_result *r = f->r;

    if (r->sessions_tls == 0)
        return false;
    buf_str(b, "what was in the mail of ");
    words_part(b, r->sessions_tls, r->sessions, "session", NULL);
    buf_str(b, ": encrypted");
    if (r->estimated_most > 0) {
        buf_str(b, ", ");
        study_put_range(b, r->estimated_least, r->estimated_most);
        buf_str(b, " messages by estimate");
    }
    return true;
}

static bool
open_unseen(struct buf *b, const struct study_facts *f)
{
    const struct study_unseen *u = &f->r->unseen;
    double more = u->there - (double)u->seen;

    if (!u->known || !(more >= 0.5) || isinf(more))
        return false;
    buf_str(b, "senders that did not send in these weeks: at least ");
    study_put_real(b, rint(more), "not known");
    buf_str(b, " more exist (UPS, alarms and the like)");
    return true;
}

static bool
open_class(struct buf *b, const struct study_facts *f)
{
    if (f->hosts[STUDY_UNKNOWN] == 0)
        return false;
    buf_str(b, "what ");
    words_part(b, f->hosts[STUDY_UNKNOWN], f->hosts_all, "host", NULL);
    buf_str(b, " is: too little was seen to tell");
    return true;
}

static bool
open_review(struct buf *b, const struct study_facts *f)
{
    if (f->r->review.there)
        return false;
    buf_str(b, "how often the judgement of hosts is right: no review was made");
    return true;
}

static bool
open_season(struct buf *b, const struct study_facts *f)
{
    if (f->week_gap == 0)
        return false;
    buf_str(b, "other weeks: ");
    words_number(b, f->week_gap);
    buf_str(b, " of the 168 hours of a week were covered fewer than three "
               "times");
    return true;
}

static bool
open_holdout(struct buf *b, const struct study_facts *f)
{
    if (f->r->holdout != 0)
        return false;
    buf_str(b, "how the limits do on other weeks: they were set and tried on "
               "the same ones");
    return true;
}

static bool
open_decisions(struct buf *b, const struct study_facts *f)
{
    const struct study_result *r = f->r;

    if (!r->decisions_there || (r->decisions_same >= r->decisions_journal &&
                                r->decisions_here <= r->decisions_same))
        return false;
    buf_str(b, "why the replay decides otherwise than the sensor did: ");
    words_number(b, r->decisions_same);
    buf_str(b, " of ");
    words_count(b, r->decisions_journal, "journaled decision is",
                "journaled decisions are");
    buf_str(b, " the same");
    if (r->decisions_here > r->decisions_same) {
        buf_str(b, ", ");
        words_number(b, r->decisions_here - r->decisions_same);
        buf_str(b, " are here only");
    }
    return true;
}

static bool
open_bounds(struct buf *b, const struct study_facts *f)
{
    if (f->r->hosts_refused == 0)
        return false;
    buf_str(b, "hosts beyond the room of the study: ");
    words_count(b, f->r->hosts_refused, "event was", "events were");
    buf_str(b, " not counted");
    return true;
}

/* ---- cost and conditions ---- */

static bool
cost_hours(struct buf *b, const struct study_facts *f)
{
    const struct study_policy *p = f->p;

    if (p == NULL)
        return false;
    study_put_real(b, p->staff_h, "not known");
    buf_str(b, " staff hours in the window: ");
    study_put_real(b, p->staff_h_alerts, "not known");
    buf_str(b, " for alerts, ");
    study_put_real(b, p->staff_h_tickets, "not known");
    buf_str(b, " for stops that were wrong, ");
    study_put_real(b, p->staff_h_forms, "not known");
    buf_str(b, " for forms");
    return true;
}

static bool
cost_tie(struct buf *b, const struct study_facts *f)
{
    if (f->p == NULL || isnan(f->p->tie_none))
        return false;
    if (isinf(f->p->tie_none)) {
        buf_str(b, "no ordinary message is lost, whatever one is worth");
        return true;
    }
    buf_str(b, "worth it while a lost ordinary message costs less than ");
    study_put_real(b, f->p->tie_none, "");
    buf_str(b, " spared recipients");
    return true;
}

static bool
cost_back(struct buf *b, const struct study_facts *f)
{
    if (f->p == NULL)
        return false;
    buf_str(b, "to undo it: ");
    if (f->r->rollback != NULL && f->r->rollback[0] != '\0')
        text_plain(b, span_str(f->r->rollback), 400);
    else
        buf_str(b, "not written down");
    return true;
}

/* Which criteria stand against it, by name. */
static bool
condition_criterion(struct buf *b, const struct study_facts *f, size_t i)
{
    const struct study_result *r = f->r;

    for (size_t k = 0; k < r->n_criteria; k++) {
        const struct study_criterion *c = &r->criteria[k];

        if (c->verdict == STUDY_PASS || i-- > 0)
            continue;
        buf_str(b, study_verdict_word(c->verdict));
        buf_str(b, ": ");
        put_name(b, c->name);
        buf_str(b, c->verdict == STUDY_FAIL ? ", measured " : ", ");
        if (c->verdict == STUDY_FAIL)
            study_say_measured(b, c);
        else
            buf_str(b, c->why != NULL ? c->why : "no reason is given");
        buf_str(b, "; the limit is ");
        buf_str(b, c->limit != NULL ? c->limit : "not given");
        return true;
    }
    return false;
}

static bool
condition_wrong(struct buf *b, const struct study_facts *f)
{
    uint64_t n = f->p->hosts[STUDY_LEGITIMATE];

    if (n == 0)
        return false;
    buf_str(b, "the ");
    study_count_hosts(b, f->r->few, n, "stopped host that looks legitimate has",
                      "stopped hosts that look legitimate have");
    buf_str(b, " a permit or another way to send before that day");
    return true;
}

static bool
condition_owners(struct buf *b, const struct study_facts *f)
{
    if (f->p->owners_unknown == 0)
        return false;
    buf_str(b, "the owners that are not known (");
    study_put_hosts(b, f->r->few, f->p->owners_unknown);
    buf_str(b, ") are found, or a human decides for each host");
    return true;
}

static bool
condition_forms(struct buf *b, const struct study_facts *f)
{
    if (f->r->queue.forms == 0)
        return false;
    words_count(b, f->r->queue.forms, "form", NULL);
    buf_str(b, " can be entered before that day");
    return true;
}

static bool
condition_back(struct buf *b, const struct study_facts *f)
{
    bool there = f->r->rollback != NULL && f->r->rollback[0] != '\0';

    buf_str(b, there ? "the way back is tried once before that day"
                     : "a way back is written down and tried once");
    return true;
}

static bool
condition_pause(struct buf *b, const struct study_facts *f)
{
    (void)f;
    buf_str(b, "it is paused when more than two hosts a day turn out to be "
               "stopped by mistake");
    return true;
}

static bool
condition_final(struct buf *b, const struct study_facts *f)
{
    const char *status = f->r->status;

    if (f->r->demo) {
        buf_str(b, "none: this is made traffic, and there is nothing to "
                   "approve");
        return true;
    }
    if (status != NULL && strcmp(status, "final") == 0)
        return false;
    buf_str(b, "this report is a draft: it is reviewed and made final");
    return true;
}

/* ---- lists ---- */

typedef bool (*say_line)(struct buf *, const struct study_facts *);

static const say_line lines[STUDY_LIST_COUNT][STUDY_LINES] = {
    [STUDY_BREAKS] = {breaks_hosts,     breaks_mixed,    breaks_mail, breaks_devices,
                      breaks_owners,                                              breaks_first  },
    [STUDY_GAINS] = {gains_messages,   gains_displaced, gains_time },
    [STUDY_OPEN] = {open_loss,     open_hours,          open_tls,                                    open_unseen,               open_class,
                      open_review, open_season, open_holdout, open_decisions,
                      open_bounds},
    [STUDY_COST] = {cost_hours,                cost_tie,                      cost_back         },
    [STUDY_CONDITIONS] = {condition_wrong, condition_owners,                    condition_forms,
                      condition_back,                                       condition_pause,                     condition_final                    },
};

const char *
study_list_title(const struct study_facts *f, enum study_list l)
{
    static const char *const titles[STUDY_LIST_COUNT] = {
        [STUDY_BREAKS] = "What breaks",
        [STUDY_GAINS] = "What we gain",
        [STUDY_OPEN] = "What we do not know",
        [STUDY_COST] = "What it costs, and the way back",
        [STUDY_CONDITIONS] = "Conditions",
    };

    if (l == STUDY_CONDITIONS && f->advice != STUDY_ADVICE_YES)
        return "What stands against it";
    return titles[l];
}

/* A sentence begins with a capital. */
static void
raise_first(struct buf *b, size_t begin)
{
    if (b->n > begin && b->p[begin] >= 'a' && b->p[begin] <= 'z')
        b->p[begin] = (uint8_t)(b->p[begin] - 'a' + 'A');
}

bool
study_say_line(struct buf *b, const struct study_facts *f, enum study_list l,
               size_t i)
{
    size_t begin = b->n;
    bool said = false;

    if (l == STUDY_CONDITIONS && f->advice == STUDY_ADVICE_NONE)
        return false;
    if (l == STUDY_CONDITIONS && f->advice != STUDY_ADVICE_YES)
        said = i < STUDY_LINES && condition_criterion(b, f, i);
    else
        for (size_t k = 0; k < STUDY_LINES && lines[l][k] != NULL && !said;
             k++) {
            b->n = begin;
            said = lines[l][k](b, f) && i-- == 0;
        }
    if (said)
        raise_first(b, begin);
    else
        b->n = begin;
    return said;
}
