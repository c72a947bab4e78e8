#include "dashboards/html_hosts.h"

#include "dashboards/chart.h"
#include "dashboards/html.h"
#include "dashboards/report.h"

#define TOP          10
#define SENTENCE_MAX 2048

enum which { SENDERS_NEW, SENDERS_KNOWN, RECEIVERS_NEW, RECEIVERS_KNOWN };

static bool
is_in(const struct summary *s, const struct summary_host *h, enum which w)
{
    bool known = s->has_registry && !facts_is_new(h);

    switch (w) {
    case SENDERS_NEW: return facts_sends(h) && !known;
    case SENDERS_KNOWN: return facts_sends(h) && known;
    case RECEIVERS_NEW: return facts_receives(h) && !known;
    case RECEIVERS_KNOWN: return facts_receives(h) && known;
    }
    return false;
}

static void
row_head(struct buf *out, const struct summary_host *h)
{
    html_raw(out, "<tr><th scope=\"row\">");
    html_addr(out, &h->addr);
    html_raw(out, "</th>");
    html_cell_names(out, h->site, h->helo);
}

static void
cell_peers(struct buf *out, const struct summary_host *h)
{
    html_raw(out, "<td class=\"n\">");
    html_raw(out, h->peers_more ? "at least " : "");
    words_number(out, h->peers);
    html_raw(out, "</td>");
}

static void
say_look(struct buf *raw, const struct summary_host *h)
{
    if (h->look == NULL)
        return;
    buf_str(raw, "; ");
    facts_say_look(raw, h, SIZE_MAX);
}

static void
row_sender(struct buf *out, const struct summary *s,
           const struct summary_host *h)
{
    struct buf raw;

    buf_init(&raw, SENTENCE_MAX);
    row_head(out, h);
    html_cell_number(out, h->sessions);
    cell_peers(out, h);
    html_cell_number(out, h->accepted);
    html_cell_number(out, words_add(h->rejected, h->deferred));
    html_cell_number(out, h->rcpt_offered);
    html_cell_share(out, h->rcpt_refused, h->rcpt_offered);
    html_raw(out, "<td class=\"what\">");
    facts_say_sender(&raw, s, h);
    say_look(&raw, h);
    html_flush(out, &raw);
    html_raw(out, "</td></tr>\n");
    buf_free(&raw);
}

static void
row_receiver(struct buf *out, const struct summary_host *h)
{
    struct buf raw;

    buf_init(&raw, SENTENCE_MAX);
    row_head(out, h);
    html_cell_number(out, h->sessions);
    cell_peers(out, h);
    html_cell_number(out, h->accepted);
    html_cell_number(out, words_add(h->rejected, h->deferred));
    html_cell_number(out, h->rcpt_offered);
    html_cell_time(out, h->first);
    html_raw(out, "<td class=\"what\">");
    facts_say_receiver(&raw, h);
    say_look(&raw, h);
    html_flush(out, &raw);
    html_raw(out, "</td></tr>\n");
    buf_free(&raw);
}

static void
say_more(struct buf *out, uint64_t n)
{
    if (n <= REPORT_HTML_ROWS)
        return;
    html_raw(out, "<p>");
    words_count(out, n - REPORT_HTML_ROWS, "more host", NULL);
    html_raw(out, " not shown here; <code>span25 read -o hosts.csv</code> "
                  "lists all.</p>\n");
}

static void
senders(struct buf *out, const struct summary *s, enum which w,
        const char *caption)
{
    static const struct html_col cols[] = {
        {"Host",               false},
        {"Site, name it gave", false},
        {"Sessions",           true },
        {"Destinations",       true },
        {"Mails accepted",     true },
        {"Mails refused",      true },
        {"Recipients",         true },
        {"Recipients refused", true },
        {"What it did",        false},
    };
    uint64_t n = 0;

    html_table(out, caption, cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < s->n_hosts; i++) {
        if (is_in(s, &s->hosts[i], w) && n++ < REPORT_HTML_ROWS)
            row_sender(out, s, &s->hosts[i]);
    }
    html_table_end(out);
    say_more(out, n);
}

static void
receivers(struct buf *out, const struct summary *s, enum which w,
          const char *caption)
{
    static const struct html_col cols[] = {
        {"Host",               false},
        {"Site, name it gave", false},
        {"Sessions",           true },
        {"Clients",            true },
        {"Mails accepted",     true },
        {"Mails refused",      true },
        {"Recipients",         true },
        {"First seen",         false},
        {"What it did",        false},
    };
    uint64_t n = 0;

    html_table(out, caption, cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < s->n_hosts; i++) {
        if (is_in(s, &s->hosts[i], w) && n++ < REPORT_HTML_ROWS)
            row_receiver(out, &s->hosts[i]);
    }
    html_table_end(out);
    say_more(out, n);
}

/* Keeps top[] sorted, most sessions first; equal ones stay in their order. */
static size_t
top_add(const struct summary_host **top, size_t n, const struct summary_host *h)
{
    size_t at = n;

    while (at > 0 && top[at - 1]->sessions < h->sessions)
        at--;
    if (at == TOP)
        return n;
    n = n < TOP ? n + 1 : TOP;
    for (size_t i = n - 1; i > at; i--)
        top[i] = top[i - 1];
    top[at] = h;
    return n;
}

/* The senders with most sessions, registered or not, with bars. */
static void
put_top(struct buf *out, const struct summary *s, const struct facts *f)
{
    const struct html_col cols[] = {
        {"Host",                                                 false},
        {"Site, name it gave",                                   false},
        {"Registered",                                           false},
        {"Sessions",                                             true },
        {"Share",                                                true },
        {s->has_registry ? "Solid: not registered" : "Compared", false},
    };
    const struct summary_host *top[TOP];
    size_t n = 0;

    for (size_t i = 0; i < s->n_hosts; i++) {
        if (facts_sends(&s->hosts[i]))
            n = top_add(top, n, &s->hosts[i]);
    }
    if (n < 2)
        return;
    html_table(out, "Senders with most sessions", cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < n; i++) {
        row_head(out, top[i]);
        html_cell(out, !s->has_registry     ? NULL
                       : !top[i]->judged    ? "not needed"
                       : top[i]->registered ? "yes"
                                            : "no");
        html_cell_number(out, top[i]->sessions);
        html_cell_share(out, top[i]->sessions, f->sessions);
        html_raw(out, "<td class=\"wide\">");
        chart_bar(out, top[i]->sessions, top[0]->sessions,
                  facts_is_new(top[i]));
        html_raw(out, "</td></tr>\n");
    }
    html_table_end(out);
}

static void
heading(struct buf *out, struct buf *raw)
{
    html_raw(out, "<h2>");
    html_flush(out, raw);
    html_raw(out, "</h2>\n");
}

void
html_hosts_senders(struct buf *out, const struct summary *s,
                   const struct facts *f)
{
    struct buf raw;

    buf_init(&raw, SENTENCE_MAX);
    html_raw(out, "<section id=\"senders\">");
    facts_say_senders(&raw, s, f);
    heading(out, &raw);
    if (f->senders > 0 && !s->has_registry)
        html_raw(out, "<p>No registry was given, so nobody can be told apart: "
                      "<code>--registry FILE</code> names the hosts that may "
                      "send.</p>\n");
    if (f->senders_new > 0)
        senders(out, s, SENDERS_NEW,
                s->has_registry ? "Senders that are not registered"
                                : "Hosts that send mail");
    put_top(out, s, f);
    if (s->has_registry && f->senders > f->senders_new)
        senders(out, s, SENDERS_KNOWN,
                "Senders that are registered, or need no permit");
    if (f->tried > 0) {
        html_raw(out, "<p>");
        words_count(out, f->tried, "more host", NULL);
        html_raw(out, " only tried: connections to mail ports without an "
                      "answer. Not counted as senders.</p>\n");
    }
    html_raw(out, "</section>\n");
    buf_free(&raw);
}

void
html_hosts_receivers(struct buf *out, const struct summary *s,
                     const struct facts *f)
{
    struct buf raw;

    buf_init(&raw, SENTENCE_MAX);
    html_raw(out, "<section id=\"receivers\">");
    facts_say_receivers(&raw, s, f);
    heading(out, &raw);
    if (f->receivers_new > 0)
        receivers(out, s, RECEIVERS_NEW,
                  s->has_registry ? "Receivers that are not registered"
                                  : "Hosts that receive mail");
    if (s->has_registry && f->receivers > f->receivers_new)
        receivers(out, s, RECEIVERS_KNOWN, "Registered receivers");
    html_raw(out, "</section>\n");
    buf_free(&raw);
}
