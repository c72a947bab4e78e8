#include "dashboards/report.h"

#include "dashboards/facts.h"
#include "sensor/base/json_out.h"

#define TIME_MAX 64

static void
put_u64(struct json_out *j, const char *key, uint64_t v)
{
    json_key(j, key);
    json_u64(j, v);
}

static void
put_bool(struct json_out *j, const char *key, bool v)
{
    json_key(j, key);
    json_bool(j, v);
}

static void
put_str(struct json_out *j, const char *key, const char *text)
{
    json_key(j, key);
    if (text == NULL)
        json_null(j);
    else
        (void)json_str(j, span_str(text));
}

static void
put_time(struct json_out *j, const char *key, ns_t t)
{
    struct buf text;

    json_key(j, key);
    if (t == 0) {
        json_null(j);
        return;
    }
    buf_init(&text, TIME_MAX);
    words_rfc3339(&text, t);
    (void)json_str(j, buf_view(&text));
    j->out->failed |= text.failed;
    buf_free(&text);
}

static void
put_addr(struct json_out *j, const char *key, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    json_key(j, key);
    (void)json_str(j, span_of(text, addr_format(a, text)));
}

static void
open_list(struct json_out *j, const char *key)
{
    json_key(j, key);
    json_begin(j, '[');
}

static void
put_files(struct json_out *j, const struct summary *s)
{
    open_list(j, "files");
    for (size_t i = 0; i < s->n_files; i++) {
        json_begin(j, '{');
        put_str(j, "name", s->files[i].name);
        put_u64(j, "size", s->files[i].size);
        put_u64(j, "packets", s->files[i].packets);
        put_u64(j, "bytes", s->files[i].bytes);
        put_time(j, "first", s->files[i].first);
        put_time(j, "last", s->files[i].last);
        json_end(j, '}');
    }
    json_end(j, ']');
    open_list(j, "faults");
    for (size_t i = 0; i < s->n_faults; i++) {
        json_begin(j, '{');
        put_str(j, "file", s->faults[i].file);
        put_str(j, "text", s->faults[i].text);
        put_u64(j, "offset", s->faults[i].offset);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void
put_home(struct json_out *j, const struct summary *s)
{
    struct buf text;

    buf_init(&text, TIME_MAX);
    open_list(j, "home");
    for (size_t i = 0; i < s->n_home; i++) {
        prefix_format(&s->home[i], &text);
        (void)json_str(j, buf_view(&text));
        buf_reset(&text);
    }
    json_end(j, ']');
    put_bool(j, "home_guessed", s->home_guessed);
    buf_free(&text);
}

/* A null is not known: without a registry nobody is unregistered. */
static void
put_new(struct json_out *j, const char *key, const struct summary *s,
        uint64_t n)
{
    json_key(j, key);
    if (s->has_registry)
        json_u64(j, n);
    else
        json_null(j);
}

static void
put_answers(struct json_out *j, const struct summary *s, const struct facts *f)
{
    json_key(j, "answers");
    json_begin(j, '{');
    put_bool(j, "lower_bounds", s->hosts_left_out > 0);
    put_u64(j, "senders", f->senders);
    put_new(j, "senders_unregistered", s, f->senders_new);
    put_new(j, "senders_with_form", s, f->senders_asked);
    put_u64(j, "hosts_only_tried", f->tried);
    put_u64(j, "receivers", f->receivers);
    put_new(j, "receivers_unregistered", s, f->receivers_new);
    put_new(j, "receivers_with_form", s, f->receivers_asked);
    put_u64(j, "messages_accepted", f->sent);
    put_u64(j, "senders_without_need", f->senders_free);
    put_u64(j, "senders_port_25", f->senders_25);
    put_new(j, "senders_stopped", s, f->senders_stop);
    put_u64(j, "receivers_port_25", f->receivers_25);
    put_new(j, "receivers_stopped", s, f->receivers_stop);
    put_new(j, "messages_accepted_unregistered", s, f->sent_new);
    put_u64(j, "sender_sessions", f->sessions);
    put_u64(j, "sender_sessions_tls", f->sessions_tls);
    put_u64(j, "replies", f->replies);
    put_u64(j, "refusals", f->refusals);
    put_u64(j, "block_lists", f->lists);
    put_u64(j, "hosts_listed", f->listed);
    json_end(j, '}');
}

static void
put_coverage(struct json_out *j, const struct summary *s)
{
    const struct {
        const char *key;
        uint64_t n;
    } counts[] = {
        {"packets",              s->packets                },
        {"bytes",                s->bytes                  },
        {"cut_packets",          s->cut_packets            },
        {"malformed",            s->malformed              },
        {"tcp_packets",          s->tcp_packets            },
        {"flows",                s->flows                  },
        {"flows_evicted",        s->flows_evicted          },
        {"bytes_seen",           s->bytes_seen             },
        {"bytes_lost",           s->bytes_lost             },
        {"gaps",                 s->gaps                   },
        {"duplicates",           s->duplicates             },
        {"reassembly_dropped",   s->reassembly_dropped     },
        {"sessions",             s->sessions               },
        {"sessions_tls",         s->sessions_tls           },
        {"sessions_oneway",      s->sessions_oneway        },
        {"sessions_gaps",        s->sessions_gaps          },
        {"hosts_left_out",       s->hosts_left_out         },
        {"listings_left_out",    s->listings_left_out      },
        {"anomalies_left_out",   s->anomalies_left_out     },
        {"attachments_left_out", s->attachments_left_out   },
        {"messages_left_out",    s->parts.messages_left_out},
        {"events",               s->events                 },
        {"records_refused",      s->records_refused        },
        {"records_cut",          s->records_cut            },
        {"time_backward",        s->time_backward          },
    };

    json_key(j, "coverage");
    json_begin(j, '{');
    put_time(j, "first", s->first);
    put_time(j, "last", s->last);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        put_u64(j, counts[i].key, counts[i].n);
    json_end(j, '}');
}

static void
put_smtp(struct json_out *j, const struct summary *s)
{
    json_key(j, "smtp");
    json_begin(j, '{');
    put_u64(j, "transactions", s->transactions);
    put_u64(j, "messages", s->messages);
    put_u64(j, "accepted", s->accepted);
    put_u64(j, "rejected", s->rejected);
    put_u64(j, "deferred", s->deferred);
    put_u64(j, "other", s->other);
    put_u64(j, "rcpt_offered", s->rcpt_offered);
    put_u64(j, "rcpt_accepted", s->rcpt_accepted);
    put_u64(j, "rcpt_refused", s->rcpt_refused);
    json_end(j, '}');
}

/* Classes are our own words and stand as values, never as keys: a list that
 * grows breaks no reader. */
static void
put_classes(struct json_out *j, const struct summary *s, const uint64_t *n)
{
    open_list(j, "replies");
    for (size_t i = 0; i < SUMMARY_CLASSES; i++) {
        uint64_t v = n != NULL ? n[i] : s->classes[i].replies;

        if (v == 0)
            continue;
        json_begin(j, '{');
        put_str(j, "class", s->classes[i].name);
        put_u64(j, "n", v);
        json_end(j, '}');
    }
    json_end(j, ']');
}

/* Letters as values too. */
static void
put_letter(struct json_out *j, const char *key, enum summary_finding c)
{
    const char letter = facts_class_letter(c);

    json_key(j, key);
    (void)json_str(j, span_of(&letter, 1));
}

static void
put_host_counts(struct json_out *j, const struct summary_host *h)
{
    put_u64(j, "sessions", h->sessions);
    put_u64(j, "sessions_tls", h->sessions_tls);
    put_u64(j, "peers", h->peers);
    put_bool(j, "peers_at_least", h->peers_more);
    put_u64(j, "transactions", h->transactions);
    put_u64(j, "accepted", h->accepted);
    put_u64(j, "rejected", h->rejected);
    put_u64(j, "deferred", h->deferred);
    put_u64(j, "other", h->other);
    put_u64(j, "rcpt_offered", h->rcpt_offered);
    put_u64(j, "rcpt_accepted", h->rcpt_accepted);
    put_u64(j, "rcpt_refused", h->rcpt_refused);
    put_u64(j, "bytes", h->bytes);
    put_u64(j, "attempts", h->attempts);
    put_u64(j, "anomalies_high", h->anomalies_high);
}

static void
put_messages(struct json_out *j, const struct summary_host *h)
{
    open_list(j, "messages_by_class");
    for (unsigned i = 0; i < SUMMARY_FINDINGS; i++) {
        if (h->messages_class[i] == 0)
            continue;
        json_begin(j, '{');
        put_letter(j, "class", (enum summary_finding)i);
        put_u64(j, "n", h->messages_class[i]);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void
put_hosts(struct json_out *j, const struct summary *s)
{
    open_list(j, "hosts");
    for (size_t i = 0; i < s->n_hosts; i++) {
        const struct summary_host *h = &s->hosts[i];

        json_begin(j, '{');
        put_addr(j, "address", &h->addr);
        put_str(j, "site", h->site);
        if (s->has_registry)
            put_bool(j, "registered", h->registered);
        put_bool(j, "sends", h->sends);
        put_bool(j, "receives", h->receives);
        put_time(j, "first", h->first);
        put_time(j, "last", h->last);
        put_str(j, "helo", h->helo[0] != '\0' ? h->helo : NULL);
        put_str(j, "look", h->look);
        put_str(j, "look_why", h->look_why);
        put_host_counts(j, h);
        put_classes(j, s, h->rcpt_class);
        put_messages(j, h);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void
put_listings(struct json_out *j, const struct summary *s)
{
    open_list(j, "listings");
    for (size_t i = 0; i < s->n_listings; i++) {
        const struct summary_listing *l = &s->listings[i];

        json_begin(j, '{');
        put_str(j, "list", l->list);
        put_addr(j, "address", &l->addr);
        put_u64(j, "citers", l->citers);
        put_u64(j, "replies", l->replies);
        put_time(j, "first", l->first);
        put_time(j, "last", l->last);
        json_end(j, '}');
    }
    json_end(j, ']');
    put_classes(j, s, NULL);
}

static void
put_parts(struct json_out *j, const struct summary *s)
{
    const struct summary_parts *p = &s->parts;

    json_key(j, "parts");
    json_begin(j, '{');
    put_bool(j, "inspection", !p->off);
    put_u64(j, "told", p->told);
    put_u64(j, "bytes", p->bytes);
    put_u64(j, "whole", p->whole);
    put_u64(j, "inspected", p->inspected);
    put_u64(j, "other_readings", p->other_readings);
    put_u64(j, "beyond_limit", p->beyond);
    put_u64(j, "messages", p->messages);
    put_u64(j, "messages_complete", p->complete);
    put_u64(j, "messages_could_inspect", p->could_inspect);
    open_list(j, "classes");
    for (unsigned i = 0; i < SUMMARY_FINDINGS; i++) {
        json_begin(j, '{');
        put_letter(j, "class", (enum summary_finding)i);
        put_str(j, "meaning", facts_class_meaning((enum summary_finding)i));
        put_u64(j, "parts", p->class_parts[i]);
        put_u64(j, "messages", p->class_messages[i]);
        put_u64(j, "messages_could_inspect", p->class_could_inspect[i]);
        json_end(j, '}');
    }
    json_end(j, ']');
    json_end(j, '}');
}

static void
put_attachment_classes(struct json_out *j, const struct summary_attachment *a)
{
    put_letter(j, "class", (enum summary_finding)a->class);
    open_list(j, "classes");
    for (unsigned i = 0; i < SUMMARY_FINDINGS; i++) {
        const char letter = facts_class_letter((enum summary_finding)i);

        if ((a->classes >> i & 1U) != 0)
            (void)json_str(j, span_of(&letter, 1));
    }
    json_end(j, ']');
}

/* The names of findings stand in one text, with ", " between. */
static void
put_findings(struct json_out *j, const struct summary_attachment *a)
{
    struct span left = span_str(a->findings);

    open_list(j, "findings");
    while (left.n > 0) {
        struct span one = span_head(left, span_find(left, ','));

        (void)json_str(j, one);
        left = span_tail(left, one.n + 2);
    }
    json_end(j, ']');
    put_bool(j, "findings_more", a->findings_more);
}

static void
put_attachments(struct json_out *j, const struct summary *s)
{
    open_list(j, "attachments");
    for (size_t i = 0; i < s->n_attachments; i++) {
        const struct summary_attachment *a = &s->attachments[i];

        json_begin(j, '{');
        put_attachment_classes(j, a);
        json_key(j, "name");
        (void)json_str(j, summary_name(a));
        put_bool(j, "other_names", a->other_names);
        put_str(j, "type", a->type[0] != '\0' ? a->type : NULL);
        put_str(j, "sha256", a->sha256[0] != '\0' ? a->sha256 : NULL);
        put_u64(j, "size", a->size);
        put_findings(j, a);
        put_u64(j, "parts", a->parts);
        put_bool(j, "at_least", a->at_least);
        put_u64(j, "messages", a->messages);
        put_u64(j, "senders", a->senders);
        put_u64(j, "receivers", a->receivers);
        put_time(j, "first", a->first);
        put_time(j, "last", a->last);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void
put_anomalies(struct json_out *j, const struct summary *s)
{
    open_list(j, "anomalies");
    for (size_t i = 0; i < s->n_anomalies; i++) {
        json_begin(j, '{');
        put_str(j, "name", s->anomalies[i].name);
        put_str(j, "level", s->anomalies[i].level);
        put_str(j, "doc", s->anomalies[i].doc);
        put_u64(j, "sessions", s->anomalies[i].sessions);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void
put_requirement(struct json_out *j, const struct summary_requirement *q)
{
    json_begin(j, '{');
    put_addr(j, "address", &q->addr);
    put_str(j, "site", q->site);
    put_str(j, "requirement", q->name);
    put_str(j, "what", q->what);
    put_str(j, "answer", q->answer);
    put_bool(j, "violation", q->violation);
    put_u64(j, "count", q->count);
    put_u64(j, "of", q->of);
    put_str(j, "text", q->text);
    open_list(j, "evidence");
    for (size_t i = 0; i < SUMMARY_EVIDENCE && q->evidence[i][0] != '\0'; i++)
        (void)json_str(j, span_str(q->evidence[i]));
    json_end(j, ']');
    json_end(j, '}');
}

static void
put_registered(struct json_out *j, const struct summary *s)
{
    open_list(j, "requirements");
    for (size_t i = 0; i < s->n_requirements; i++)
        put_requirement(j, &s->requirements[i]);
    json_end(j, ']');
    put_u64(j, "violations_observed", s->violations);
    put_u64(j, "requirements_left_out", s->requirements_more);
    open_list(j, "registered_not_seen");
    for (size_t i = 0; i < s->n_unseen; i++) {
        json_begin(j, '{');
        put_str(j, "address", s->unseen[i].address);
        put_str(j, "form", s->unseen[i].form);
        put_u64(j, "line", s->unseen[i].line);
        put_str(j, "site", s->unseen[i].site);
        put_str(j, "device", s->unseen[i].device);
        json_end(j, '}');
    }
    json_end(j, ']');
    put_u64(j, "registered_not_seen_left_out", s->unseen_more);
}

static void
put_alert(struct json_out *j, const struct summary_alert *a)
{
    json_begin(j, '{');
    put_str(j, "id", a->id);
    put_str(j, "severity", facts_level_word(a->level));
    put_str(j, "subject", a->subject);
    put_str(j, "site", a->site[0] != '\0' ? a->site : NULL);
    if (a->judged)
        put_bool(j, "registered", a->registered);
    put_str(j, "rule", a->rule);
    put_str(j, "reason", a->reason);
    put_u64(j, "count", a->count);
    put_time(j, "first", a->first);
    put_time(j, "last", a->last);
    put_bool(j, "ended", a->ended);
    json_end(j, '}');
}

static void
put_decision(struct json_out *j, const struct summary_decision *d)
{
    struct buf text;

    buf_init(&text, ADDR_TEXT_MAX + 4);
    prefix_format(&d->subject, &text);
    json_begin(j, '{');
    json_key(j, "subject");
    (void)json_str(j, buf_view(&text));
    put_str(j, "action", facts_action_word(d->action));
    put_bool(j, "enforced", d->enforced);
    put_bool(j, "over", d->over);
    put_str(j, "against", d->against[0] != '\0' ? d->against : NULL);
    put_str(j, "reason", d->reason);
    put_str(j, "site", d->site[0] != '\0' ? d->site : NULL);
    put_str(j, "owner", d->owner);
    put_u64(j, "collateral", d->collateral);
    put_time(j, "since", d->since);
    put_time(j, "until", d->until);
    json_end(j, '}');
    buf_free(&text);
}

static void
put_verdicts(struct json_out *j, const struct summary *s)
{
    struct facts_verdicts f = facts_verdicts_of(s);

    if (!s->has_verdicts)
        return;
    open_list(j, "alerts");
    for (size_t i = 0; i < s->n_alerts; i++)
        put_alert(j, &s->alerts[i]);
    json_end(j, ']');
    put_u64(j, "alerts_silenced", s->alerts_silenced);
    put_u64(j, "alerts_left_out", s->alerts_left_out);
    open_list(j, "decisions");
    for (size_t i = 0; i < s->n_decisions; i++)
        put_decision(j, &s->decisions[i]);
    json_end(j, ']');
    put_u64(j, "decisions_left_out", s->decisions_left_out);
    json_key(j, "if_blocked");
    json_begin(j, '{');
    put_u64(j, "hosts", s->verdict_hosts);
    put_u64(j, "stopped", f.n[SUMMARY_BLOCK]);
    put_u64(j, "stopped_over", f.over);
    put_u64(j, "stopped_with_ordinary_mail", f.ordinary);
    put_u64(j, "ordinary_messages", f.messages);
    put_u64(j, "stopped_with_site", f.placed);
    put_u64(j, "stopped_with_owner", f.owned);
    put_u64(j, "held", f.n[SUMMARY_HOLD]);
    put_u64(j, "withheld", f.n[SUMMARY_WITHHELD]);
    json_end(j, '}');
}

void
report_json(const struct summary *s, struct buf *out)
{
    struct facts f = facts_of(s);
    struct json_out j = json_out_open(out);

    json_begin(&j, '{');
    put_str(&j, "schema", "span25-summary-1");
    put_str(&j, "version", SPAN25_VERSION);
    put_str(&j, "sensor", s->sensor);
    put_bool(&j, "demo", s->demo);
    put_bool(&j, "partial", s->partial || s->n_faults > 0);
    put_bool(&j, "registry", s->has_registry);
    put_files(&j, s);
    put_home(&j, s);
    put_answers(&j, s, &f);
    put_coverage(&j, s);
    put_smtp(&j, s);
    put_hosts(&j, s);
    put_registered(&j, s);
    put_listings(&j, s);
    put_anomalies(&j, s);
    put_parts(&j, s);
    put_attachments(&j, s);
    put_verdicts(&j, s);
    json_end(&j, '}');
    buf_putc(out, '\n');
}
