#include "dashboards/report.h"

#include "dashboards/facts.h"
#include "sensor/base/text.h"

#include <stdlib.h>

#define FIELD_MAX 65536
#define LISTS_MAX 8

/* An entry of a list that is sorted by address. */
struct decided {
    const struct summary_decision *d;
};

struct row {
    struct buf *out;
    struct buf raw;  /* the field as it came */
    struct buf term; /* as it can be seen */
    bool any;
    /* by address; they do not overlap */
    struct decided *decided;
    size_t n_decided;
};

static int
by_addr(const void *x, const void *y)
{
    const struct decided *a = x;
    const struct decided *b = y;

    return addr_cmp(&a->d->subject.addr, &b->d->subject.addr);
}

static void
sort_decisions(struct row *r, const struct summary *s)
{
    if (s->n_decisions == 0)
        return;
    r->decided = calloc(s->n_decisions, sizeof(*r->decided));
    r->out->failed |= r->decided == NULL;
    if (r->decided == NULL)
        return;
    for (size_t i = 0; i < s->n_decisions; i++)
        r->decided[i].d = &s->decisions[i];
    r->n_decided = s->n_decisions;
    qsort(r->decided, r->n_decided, sizeof(*r->decided), by_addr);
}

static void
separate(struct row *r)
{
    if (r->any)
        buf_putc(r->out, ',');
    r->any = true;
}

static void
put_text(struct row *r, const char *text)
{
    separate(r);
    buf_reset(&r->term);
    text_term(&r->term, span_str(text != NULL ? text : ""));
    text_csv(r->out, buf_view(&r->term));
    r->out->failed |= r->term.failed;
}

static void
put_u64(struct row *r, uint64_t v)
{
    separate(r);
    buf_u64(r->out, v);
}

static void
put_bool(struct row *r, bool v)
{
    separate(r);
    buf_str(r->out, v ? "yes" : "no");
}

static void
put_time(struct row *r, ns_t t)
{
    separate(r);
    if (t != 0)
        words_rfc3339(r->out, t);
}

static void
end_row(struct row *r)
{
    buf_str(r->out, "\r\n");
    r->any = false;
}

static void
put_lists(struct row *r, const struct summary *s, const struct summary_host *h)
{
    buf_reset(&r->raw);
    (void)facts_say_lists(&r->raw, s, h, LISTS_MAX);
    buf_putc(&r->raw, '\0');
    put_text(r, r->raw.n > 0 ? (const char *)r->raw.p : "");
    r->out->failed |= r->raw.failed;
}

static void
put_header(struct row *r, const struct summary *s)
{
    static const char *const names[] = {
        "address",      "site",           "registered",     "sends",
        "receives",     "first",          "last",           "sessions",
        "sessions_tls", "peers",          "peers_at_least", "transactions",
        "accepted",     "rejected",       "deferred",       "other",
        "rcpt_offered", "rcpt_accepted",  "rcpt_refused",   "bytes",
        "attempts",     "anomalies_high", "helo",           "listed_by",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        put_text(r, names[i]);
    for (size_t i = 0; i < SUMMARY_CLASSES; i++) {
        buf_reset(&r->raw);
        buf_str(&r->raw, "replies_");
        if (s->classes[i].name != NULL)
            buf_str(&r->raw, s->classes[i].name);
        else
            buf_u64(&r->raw, i);
        buf_putc(&r->raw, '\0');
        put_text(r, r->raw.n > 0 ? (const char *)r->raw.p : "");
    }
    for (unsigned i = 0; i < SUMMARY_FINDINGS; i++)
        put_text(r, (const char[]){'m', 'e', 's', 's', 'a', 'g', 'e', 's', '_',
                                   (char)('a' + (int)i), '\0'});
    put_text(r, "look");
    put_text(r, "look_why");
    put_text(r, "decision");
    put_text(r, "against");
    end_row(r);
}

static void
put_decision(struct row *r, const struct addr *host)
{
    const struct summary_decision *d = NULL;
    size_t low = 0;

    for (size_t high = r->n_decided; low < high;) {
        size_t at = low + (high - low) / 2;
        const struct summary_decision *here = r->decided[at].d;

        if (prefix_has(&here->subject, host)) {
            d = here;
            break;
        }
        if (addr_cmp(&here->subject.addr, host) < 0)
            low = at + 1;
        else
            high = at;
    }
    put_text(r, d != NULL ? facts_action_word(d->action) : "");
    put_text(r, d != NULL ? d->against : "");
}

static void
put_host(struct row *r, const struct summary *s, const struct summary_host *h)
{
    char addr[ADDR_TEXT_MAX];
    const uint64_t counts[] = {
        h->transactions, h->accepted,     h->rejected,       h->deferred,
        h->other,        h->rcpt_offered, h->rcpt_accepted,  h->rcpt_refused,
        h->bytes,        h->attempts,     h->anomalies_high,
    };

    separate(r);
    buf_put(r->out, addr, addr_format(&h->addr, addr));
    put_text(r, h->site);
    if (s->has_registry)
        put_bool(r, h->registered);
    else
        put_text(r, "");
    put_bool(r, h->sends);
    put_bool(r, h->receives);
    put_time(r, h->first);
    put_time(r, h->last);
    put_u64(r, h->sessions);
    put_u64(r, h->sessions_tls);
    put_u64(r, h->peers);
    put_bool(r, h->peers_more);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++)
        put_u64(r, counts[i]);
    put_text(r, h->helo);
    put_lists(r, s, h);
    for (size_t i = 0; i < SUMMARY_CLASSES; i++)
        put_u64(r, h->rcpt_class[i]);
    for (size_t i = 0; i < SUMMARY_FINDINGS; i++)
        put_u64(r, h->messages_class[i]);
    put_text(r, h->look);
    put_text(r, h->look_why);
    put_decision(r, &h->addr);
    end_row(r);
}

void
report_csv(const struct summary *s, struct buf *out)
{
    struct row r = {.out = out};

    buf_init(&r.raw, FIELD_MAX);
    buf_init(&r.term, FIELD_MAX);
    sort_decisions(&r, s);
    put_header(&r, s);
    for (size_t i = 0; i < s->n_hosts; i++)
        put_host(&r, s, &s->hosts[i]);
    buf_free(&r.raw);
    buf_free(&r.term);
    free(r.decided);
}
