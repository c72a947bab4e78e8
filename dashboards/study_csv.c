#include "dashboards/study_report.h"

#include "dashboards/study_facts.h"
#include "sensor/base/text.h"
#include "sensor/event/study_json.h"

#include <inttypes.h>
#include <math.h>

#define FIELD_MAX 65536

struct row {
    struct buf *out;
    struct buf term; /* a text as it can be seen */
    bool any;
};

static const char *const words[STUDY_TABLE_COUNT] = {
#define X(id, word, what) word,
    STUDY_TABLES(X)
#undef X
};

const char *
study_table_word(enum study_table t)
{
    return words[t];
}

void
study_report_json(const struct study_result *r, struct buf *out)
{
    study_json_write(r, out);
}

/* ---- fields ---- */

static void
separate(struct row *w)
{
    if (w->any)
        buf_putc(w->out, ',');
    w->any = true;
}

static void
put_text(struct row *w, const char *text)
{
    separate(w);
    buf_reset(&w->term);
    text_term(&w->term, span_str(text != NULL ? text : ""));
    text_csv(w->out, buf_view(&w->term));
    w->out->failed |= w->term.failed;
}

static void
put_u64(struct row *w, uint64_t v)
{
    separate(w);
    buf_u64(w->out, v);
}

static void
put_bool(struct row *w, bool v)
{
    separate(w);
    buf_str(w->out, v ? "yes" : "no");
}

static void
put_time(struct row *w, ns_t t)
{
    separate(w);
    if (t != 0)
        words_rfc3339(w->out, t);
}

/* What cannot be said is empty. */
static void
put_double(struct row *w, double v)
{
    separate(w);
    if (isinf(v))
        buf_str(w->out, v > 0 ? "inf" : "-inf");
    else if (!isnan(v))
        buf_printf(w->out, "%.15g", v);
}

static void
end_row(struct row *w)
{
    buf_str(w->out, "\r\n");
    w->any = false;
}

/* Names with ',' between them. */
static void
put_header(struct row *w, const char *names)
{
    buf_str(w->out, names);
    end_row(w);
}

static void
put_figure(struct row *w, const struct study_figure *f)
{
    put_double(w, f->value);
    put_double(w, f->low);
    put_double(w, f->high);
}

static void
put_counts(struct row *w, const uint64_t *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_u64(w, v[i]);
}

/* ---- tables ---- */

#define OUTCOME_NAMES                                                          \
    "stopped_malicious,stopped_ordinary,stopped_unclear,"                      \
    "delivered_malicious,delivered_ordinary,delivered_unclear,"                \
    "rcpt_malicious,rcpt_ordinary,rcpt_unclear,after,after_rcpt,before,"       \
    "before_rcpt,lost_least,lost_most,delayed_least,delayed_most,delay_h,"     \
    "tls_least,tls_most,blocks,blocked_h,first"

static void
put_outcome(struct row *w, const struct study_outcome *o)
{
    put_counts(w, o->stopped, STUDY_MAIL_COUNT);
    put_counts(w, o->delivered, STUDY_MAIL_COUNT);
    put_counts(w, o->rcpt, STUDY_MAIL_COUNT);
    put_u64(w, o->after);
    put_u64(w, o->after_rcpt);
    put_u64(w, o->before);
    put_u64(w, o->before_rcpt);
    put_u64(w, o->lost_least);
    put_u64(w, o->lost_most);
    put_u64(w, o->delayed_least);
    put_u64(w, o->delayed_most);
    put_double(w, o->delay_h);
    put_u64(w, o->tls_least);
    put_u64(w, o->tls_most);
    put_u64(w, o->blocks);
    put_double(w, o->blocked_h);
    put_time(w, o->first);
}

static void
put_times(struct row *w, const struct study_times *t)
{
    put_u64(w, t->hosts);
    put_u64(w, t->stopped);
    put_u64(w, t->truncated);
    put_double(w, t->median);
    put_double(w, t->p90);
    put_double(w, t->p95);
}

static void
put_policy_hosts(struct row *w, const struct study_policy *p)
{
    put_text(w, p->name);
    put_text(w, p->title);
    put_text(w, p->kind);
    put_text(w, p->terms);
    put_counts(w, p->hosts, STUDY_CLASS_COUNT);
    put_counts(w, p->hosts_of, STUDY_CLASS_COUNT);
    put_u64(w, p->registered);
    put_u64(w, p->devices);
    put_u64(w, p->owners);
    put_u64(w, p->owners_unknown);
    put_u64(w, p->holds);
    put_double(w, p->host_days);
}

static void
put_policy_figures(struct row *w, const struct study_policy *p)
{
    const struct study_figure *const figures[] = {
        &p->wrong, &p->right, &p->precise, &p->lost, &p->spared};
    const double last[] = {p->staff_h,         p->staff_h_alerts,
                           p->staff_h_tickets, p->staff_h_forms,
                           p->tie_none,        p->tie_next};

    for (size_t k = 0; k < ARRAY_LEN(figures); k++)
        put_figure(w, figures[k]);
    for (size_t k = 0; k < ARRAY_LEN(p->displaced); k++)
        put_double(w, p->displaced[k]);
    put_times(w, &p->seconds);
    put_times(w, &p->messages);
    for (size_t k = 0; k < ARRAY_LEN(last); k++)
        put_double(w, last[k]);
    put_u64(w, p->first_day);
    put_u64(w, p->later_days);
    put_double(w, p->per_day);
}

static void
policies(struct row *w, const struct study_result *r)
{
    put_header(
        w, "name,title,kind,terms,bot,mixed,legitimate,unknown,bot_of,mixed_of,"
           "legitimate_of,unknown_of,registered,devices,owners,owners_unknown,"
           "holds,host_days," OUTCOME_NAMES ",wrong,wrong_low,wrong_high,right,"
           "right_low,right_high,precise,precise_low,precise_high,lost_rate,"
           "lost_rate_low,lost_rate_high,spared,spared_low,spared_high,"
           "displaced_0,displaced_50,displaced_100,seconds_hosts,"
           "seconds_stopped,seconds_truncated,seconds_median,seconds_p90,"
           "seconds_p95,messages_hosts,messages_stopped,messages_truncated,"
           "messages_median,messages_p90,messages_p95,staff_h,staff_h_alerts,"
           "staff_h_tickets,staff_h_forms,tie_none,tie_next,first_day,"
           "later_days,per_day");
    for (size_t i = 0; i < r->n_policies; i++) {
        put_policy_hosts(w, &r->policies[i]);
        put_outcome(w, &r->policies[i].total);
        put_policy_figures(w, &r->policies[i]);
        end_row(w);
    }
}

static void
put_host(struct row *w, const struct study_host_row *h)
{
    char addr[ADDR_TEXT_MAX];

    separate(w);
    buf_put(w->out, addr, addr_format(&h->addr, addr));
    put_text(w, h->site);
    put_text(w, h->name);
    put_text(w, h->helo);
    put_text(w, h->device);
    put_text(w, study_class_word(h->class));
    put_bool(w, h->registered);
    put_bool(w, h->reviewed);
    put_bool(w, h->queueing);
    put_bool(w, h->fire_and_forget);
    put_time(w, h->first);
    put_time(w, h->last);
    put_u64(w, h->days);
    put_u64(w, h->messages);
    put_u64(w, h->delivered);
    put_u64(w, h->recipients);
    put_u64(w, h->recipients_refused);
    put_u64(w, h->bad);
    put_u64(w, h->class_a);
    put_u64(w, h->sessions);
    put_u64(w, h->sessions_tls);
    put_u64(w, h->peak);
    put_double(w, h->score);
}

/* A host without outcomes, or a study without policies, has a row too. */
static void
hosts(struct row *w, const struct study_result *r)
{
    static const struct study_outcome nothing;

    put_header(w, "address,site,name,helo,device,class,registered,reviewed,"
                  "queueing,fire_and_forget,first_seen,last_seen,days,messages,"
                  "delivered,recipients,recipients_refused,bad,class_a,"
                  "sessions,sessions_tls,peak_10min,score,policy,is_"
                  "stopped," OUTCOME_NAMES);
    for (size_t i = 0; i < r->n_hosts; i++) {
        const struct study_host_row *h = &r->hosts[i];
        size_t n = h->outcomes != NULL ? r->n_policies : 0;

        for (size_t p = 0; p < (n > 0 ? n : 1); p++) {
            const struct study_outcome *o = n > 0 ? &h->outcomes[p] : &nothing;

            put_host(w, h);
            put_text(w, n > 0 ? r->policies[p].name : NULL);
            put_bool(w, o->first != 0);
            put_outcome(w, o);
            end_row(w);
        }
    }
}

/* A column has the policy's name, which a person gave. */
static void
put_policy_column(struct row *w, const struct study_policy *p,
                  const char *before)
{
    struct buf name;

    buf_init(&name, FIELD_MAX);
    buf_str(&name, before);
    text_term(&name, span_str(p->name != NULL ? p->name : ""));
    separate(w);
    text_csv(w->out, buf_view(&name));
    w->out->failed |= name.failed;
    buf_free(&name);
}

static void
sites(struct row *w, const struct study_result *r)
{
    buf_str(w->out, "code,name,contact,hosts,registered,legitimate");
    w->any = true;
    for (size_t p = 0; p < r->n_policies; p++) {
        put_policy_column(w, &r->policies[p], "stopped_");
        put_policy_column(w, &r->policies[p], "stopped_legitimate_");
    }
    end_row(w);
    for (size_t i = 0; i < r->n_sites; i++) {
        const struct study_site *s = &r->sites[i];

        put_text(w, s->code);
        put_text(w, s->name);
        put_text(w, s->contact);
        put_u64(w, s->hosts);
        put_u64(w, s->registered);
        put_u64(w, s->legitimate);
        for (size_t p = 0; p < r->n_policies; p++) {
            put_u64(w, s->stopped != NULL ? s->stopped[p] : 0);
            put_u64(w, s->stopped_legitimate != NULL ? s->stopped_legitimate[p]
                                                     : 0);
        }
        end_row(w);
    }
}

static void
hours(struct row *w, const struct study_result *r)
{
    put_header(w, "begin,covered_s,packets,dropped,seen,unseen,sessions,"
                  "sessions_tls,sessions_oneway,messages_all,"
                  "messages_registered,messages_unregistered,messages_outside,"
                  "bad,refused");
    for (size_t i = 0; i < r->n_hours; i++) {
        const struct study_hour *h = &r->hours[i];

        put_time(w, h->begin);
        separate(w);
        if (h->covered_s >= 0)
            buf_u64(w->out, (uint64_t)h->covered_s);
        put_u64(w, h->packets);
        put_u64(w, h->dropped);
        put_u64(w, h->seen);
        put_u64(w, h->unseen);
        put_u64(w, h->sessions);
        put_u64(w, h->sessions_tls);
        put_u64(w, h->sessions_oneway);
        put_counts(w, h->messages, STUDY_GROUP_COUNT);
        put_u64(w, h->bad);
        put_bool(w, h->refused);
        end_row(w);
    }
}

static void
days(struct row *w, const struct study_result *r)
{
    put_header(w, "begin,holdout,messages,bad,class_a,recipients,senders,"
                  "senders_new,alerts,blocks,holds,attempts,attempts_blocked");
    for (size_t i = 0; i < r->n_days; i++) {
        const struct study_day *d = &r->days[i];

        put_time(w, d->begin);
        put_bool(w, d->holdout);
        put_u64(w, d->messages);
        put_u64(w, d->bad);
        put_u64(w, d->class_a);
        put_u64(w, d->recipients);
        put_u64(w, d->senders);
        put_u64(w, d->senders_new);
        put_u64(w, d->alerts);
        put_u64(w, d->blocks);
        put_u64(w, d->holds);
        put_u64(w, d->attempts);
        put_u64(w, d->attempts_blocked);
        end_row(w);
    }
}

static void
shares(struct row *w, const struct study_result *r)
{
    static const char *const groups[] = {
#define X(id, word, people) word,
        STUDY_GROUPS(X)
#undef X
    };

    put_header(w, "group,of,senders,k,n,raw,raw_low,raw_high,weighted,"
                  "weighted_low,weighted_high,hosts,hosts_low,hosts_high,deff,"
                  "without_low,without_high,without_top,bound_low,bound_high,"
                  "clear,weights_cut,method");
    for (size_t i = 0; i < r->n_shares && i < ARRAY_LEN(r->shares); i++) {
        const struct study_share *s = &r->shares[i];
        const double rest[] = {s->deff,        s->without_low, s->without_high,
                               s->without_top, s->bound_low,   s->bound_high,
                               s->clear};

        put_text(w, groups[s->group]);
        put_text(w, s->spam ? "spam" : "all");
        put_u64(w, s->senders);
        put_double(w, s->raw.k);
        put_double(w, s->raw.n);
        put_figure(w, &s->raw);
        put_figure(w, &s->weighted);
        put_figure(w, &s->hosts);
        for (size_t k = 0; k < ARRAY_LEN(rest); k++)
            put_double(w, rest[k]);
        put_u64(w, s->weights_cut);
        put_text(w, s->raw.method);
        end_row(w);
    }
}

void
study_report_csv(const struct study_result *r, enum study_table t,
                 struct buf *out)
{
    static void (*const tables[STUDY_TABLE_COUNT])(
        struct row *, const struct study_result *) = {
        [STUDY_TABLE_POLICIES] = policies, [STUDY_TABLE_HOSTS] = hosts,
        [STUDY_TABLE_SITES] = sites,       [STUDY_TABLE_HOURS] = hours,
        [STUDY_TABLE_DAYS] = days,         [STUDY_TABLE_SHARES] = shares,
    };
    struct row w = {.out = out};

    buf_init(&w.term, FIELD_MAX);
    tables[t](&w, r);
    buf_free(&w.term);
}
