#include "dashboards/report.h"

#include "dashboards/chart.h"
#include "dashboards/facts.h"
#include "dashboards/html.h"
#include "dashboards/html_hosts.h"
#include "dashboards/html_parts.h"
#include "dashboards/html_registry.h"
#include "dashboards/html_verdicts.h"
#include "dashboards/report_css.h"
#include "dashboards/style.h"
#include "sensor/base/text.h"

#define SENTENCE_MAX   4096
#define LISTINGS_SHOWN 200
#define FILES_SHOWN    50
#define FAULTS_SHOWN   20

struct page {
    const struct summary *s;
    const struct facts *f;
    struct buf raw; /* scratch for one sentence */
    struct buf *out;
};

/* ---- head ---- */

static void
put_head(struct page *p)
{
    html_raw(p->out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                     "<meta charset=\"utf-8\">\n");
    style_put(p->out, report_css, NULL,
              "; base-uri 'none'; form-action 'none'");
    html_raw(p->out, "<meta name=\"viewport\" content=\"width=device-width, "
                     "initial-scale=1\">\n"
                     "<meta name=\"referrer\" content=\"no-referrer\">\n"
                     "<meta name=\"generator\" content=\"span25 " SPAN25_VERSION
                     "\">\n<title>");
    html_raw(p->out, p->s->demo ? "Demo: " : "");
    html_raw(p->out, "Who sends mail here, ");
    words_range(&p->raw, p->s->first, p->s->last, NULL);
    html_flush(p->out, &p->raw);
    html_raw(p->out, "</title>\n</head>\n<body>\n");
}

static void
put_files_lead(struct page *p)
{
    const struct summary *s = p->s;

    html_raw(p->out, "<p class=\"lead\">");
    if (s->n_files == 1) {
        html_wire(p->out, s->files[0].name);
        html_raw(p->out, ", ");
    } else if (s->n_files > 1) {
        words_count(p->out, s->n_files, "file", NULL);
        html_raw(p->out, ", ");
    }
    words_range(&p->raw, s->first, s->last, NULL);
    buf_str(&p->raw, ", ");
    words_count(&p->raw, s->packets, "packet", NULL);
    buf_str(&p->raw, ", ");
    words_count(&p->raw, s->sessions, "SMTP session", NULL);
    html_flush(p->out, &p->raw);
    html_raw(p->out, "</p>\n");
}

static void
put_faults(struct page *p)
{
    const struct summary *s = p->s;

    if (!s->partial && s->n_faults == 0)
        return;
    html_raw(p->out, "<div class=\"note\"><strong>Partial.</strong> Not all "
                     "could be read; what was whole is counted.");
    html_raw(p->out, s->n_faults > 0 ? "<ul>\n" : "");
    for (size_t i = 0; i < s->n_faults && i < FAULTS_SHOWN; i++) {
        html_raw(p->out, "<li>");
        if (s->faults[i].file != NULL && s->faults[i].file[0] != '\0') {
            html_wire(p->out, s->faults[i].file);
            html_raw(p->out, ": ");
        }
        facts_say_fault(&p->raw, &s->faults[i]);
        html_flush(p->out, &p->raw);
        html_raw(p->out, "</li>\n");
    }
    if (s->n_faults > FAULTS_SHOWN) {
        html_raw(p->out, "<li>");
        words_count(p->out, s->n_faults - FAULTS_SHOWN, "more fault", NULL);
        html_raw(p->out, "</li>\n");
    }
    html_raw(p->out, s->n_faults > 0 ? "</ul></div>\n" : "</div>\n");
}

static void
put_header(struct page *p)
{
    html_raw(p->out, "<header>\n<p class=\"brand\">span25 " SPAN25_VERSION);
    if (p->s->sensor != NULL) {
        html_raw(p->out, " \xc2\xb7 sensor ");
        html_wire(p->out, p->s->sensor);
    }
    html_raw(p->out, "</p>\n<h1>Who sends mail here, and what the world "
                     "says about it</h1>\n");
    put_files_lead(p);
    if (p->s->demo)
        html_raw(p->out, "<p class=\"note\"><strong>Demo.</strong> This "
                         "traffic was made; none of it is yours.</p>\n");
    put_faults(p);
    html_raw(p->out, "</header>\n");
}

/* ---- the three answers ---- */

/* The sentence in raw with its first number set large. */
static void
put_big(struct page *p)
{
    struct span text = buf_view(&p->raw);
    size_t from = 0;
    size_t to;

    while (from < text.n && (text.p[from] < '0' || text.p[from] > '9'))
        from++;
    to = from;
    while (to < text.n &&
           ((text.p[to] >= '0' && text.p[to] <= '9') || text.p[to] == ','))
        to++;
    html_raw(p->out, "<span class=\"big\">");
    text_html(p->out, span_head(text, from));
    html_raw(p->out, to > from ? "<b>" : "");
    text_html(p->out, span_head(span_tail(text, from), to - from));
    html_raw(p->out, to > from ? "</b>" : "");
    text_html(p->out, span_tail(text, to));
    html_raw(p->out, "</span>");
    buf_reset(&p->raw);
}

/* Opens a card whose heading is the label and the sentence in raw. */
static void
card(struct page *p, const char *label)
{
    html_raw(p->out, "<section class=\"card\"><h2><span class=\"label\">");
    html_raw(p->out, label);
    html_raw(p->out, "</span> ");
    put_big(p);
    html_raw(p->out, "</h2>\n<p>");
}

static void
card_end(struct page *p, const char *link)
{
    html_raw(p->out, "</p>\n");
    html_raw(p->out, link);
    html_raw(p->out, "</section>\n");
}

static void
card_senders(struct page *p)
{
    const struct facts *f = p->f;

    facts_say_senders(&p->raw, p->s, f);
    card(p, "Who sends mail");
    if (p->s->has_registry && f->senders > 0) {
        words_number(&p->raw, facts_registered(f));
        buf_str(&p->raw, " of ");
        words_count(&p->raw, f->senders - f->senders_free, "sender is",
                    "senders are");
        buf_str(&p->raw, " registered. ");
    } else if (f->senders > 0) {
        buf_str(&p->raw, "Give --registry FILE to see which of them nobody "
                         "told you about. ");
    }
    facts_say_receivers(&p->raw, p->s, f);
    buf_putc(&p->raw, '.');
    html_flush(p->out, &p->raw);
    card_end(p, f->senders > 0
                    ? "<p><a href=\"#senders\">See the hosts</a></p>\n"
                    : "");
}

static void
card_blocked(struct page *p)
{
    if (p->s->has_verdicts)
        facts_say_would_stop(&p->raw, p->s);
    else
        facts_say_stopped(&p->raw, p->s, p->f);
    card(p, "If you blocked today");
    if (p->s->has_verdicts) {
        facts_say_kept(&p->raw, p->s);
        html_flush(p->out, &p->raw);
        html_raw(p->out, "</p>\n<p>");
    }
    facts_say_blocked(&p->raw, p->s, p->f);
    html_flush(p->out, &p->raw);
    if (p->s->has_registry && p->f->senders > 0) {
        html_raw(p->out, "</p>\n<p class=\"soft\">");
        facts_say_limits(&p->raw, p->s, p->f);
        html_flush(p->out, &p->raw);
    }
    card_end(p, p->s->has_verdicts
                    ? "<p><a href=\"#decisions\">See whom</a>, and <a "
                      "href=\"#sight\">what was not seen</a></p>\n"
                    : "<p><a href=\"#sight\">What was not seen</a></p>\n");
}

static void
card_world(struct page *p)
{
    const struct facts *f = p->f;

    facts_say_world(&p->raw, p->s, f);
    card(p, "What the world says about you");
    if (f->replies > 0) {
        buf_str(&p->raw, "Other servers refused ");
        words_part(&p->raw, f->refusals, f->replies,
                   "recipient or message of your senders",
                   "recipients and messages of your senders");
        buf_str(&p->raw, ". Read from their replies; nothing was asked.");
    } else {
        buf_str(&p->raw, "Replies are read where they are not encrypted.");
    }
    html_flush(p->out, &p->raw);
    card_end(p, f->replies > 0
                    ? "<p><a href=\"#world\">See the replies</a></p>\n"
                    : "");
}

static void
put_cards(struct page *p)
{
    html_raw(p->out, "<div class=\"cards\">\n");
    card_senders(p);
    card_blocked(p);
    card_world(p);
    html_raw(p->out, "</div>\n");
}

/* ---- what could be seen ---- */

static void
put_measures(struct page *p)
{
    const struct summary *s = p->s;
    static const struct html_col cols[] = {
        {"What",           false},
        {"Count",          true },
        {"Of",             true },
        {"Share",          true },
        {"Why it matters", false},
    };
    const struct {
        const char *what;
        uint64_t part, whole;
        const char *why;
    } rows[] = {
        {"TCP bytes of mail connections seen", s->bytes_seen,      p->f->bytes,
         "Below 100 %, counts here are lower bounds."               },
        {"Sessions with a gap",                s->sessions_gaps,   s->sessions,
         "Commands or replies in the gap are not counted."          },
        {"Sessions seen in one direction",     s->sessions_oneway, s->sessions,
         "Commands without replies, or replies without commands."   },
        {"Sessions with TLS",                  s->sessions_tls,    s->sessions,
         "Handshake seen; envelope, replies and message not."       },
        {"Packets cut by the capture",         s->cut_packets,     s->packets,
         "The end of a cut packet is a gap."                        },
        {"Packets that could not be decoded",  s->malformed,       s->packets,
         "Broken, or of an encapsulation not known."                },
        {"Flows given up for memory",          s->flows_evicted,   s->flows,
         "Later packets of them count as new, seen from the middle."},
    };

    html_table(p->out, "Quality of sight", cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        html_raw(p->out, "<tr><th scope=\"row\">");
        html_text(p->out, rows[i].what);
        html_raw(p->out, "</th>");
        html_cell_number(p->out, rows[i].part);
        html_cell_number(p->out, rows[i].whole);
        words_share(&p->raw, rows[i].part, rows[i].whole);
        html_raw(p->out, "<td class=\"n\">");
        html_flush(p->out, &p->raw);
        html_raw(p->out, "</td><td class=\"what\">");
        html_text(p->out, rows[i].why);
        html_raw(p->out, "</td></tr>\n");
    }
    html_table_end(p->out);
}

static void
item_count(struct page *p, const char *before, uint64_t n, const char *one,
           const char *after)
{
    if (n == 0)
        return;
    html_raw(p->out, "<li>");
    html_raw(p->out, before);
    words_count(p->out, n, one, NULL);
    html_raw(p->out, after);
    html_raw(p->out, "</li>\n");
}

static void
put_unseen(struct page *p)
{
    const struct summary *s = p->s;

    html_raw(p->out, "<h3>What was not seen</h3>\n<ul>\n");
    item_count(p, "Senders, recipients, replies and messages inside ",
               s->sessions_tls, "session", " with TLS.");
    item_count(p, "", s->bytes_lost, "byte",
               " of mail connections that the far end acknowledged and the "
               "capture does not have.");
    item_count(p, "", s->reassembly_dropped, "byte",
               " given up while TCP streams were put in order.");
    item_count(p, "", s->hosts_left_out, "sighting",
               " of hosts beyond the limit of the host table: counts of "
               "hosts are lower bounds.");
    item_count(p, "", s->listings_left_out, "citation",
               " of block lists beyond the limit of their table.");
    item_count(p, "", s->attachments_left_out, "file",
               " in which something was found, beyond the limit of the list.");
    item_count(p, "", s->parts.messages_left_out, "file",
               " of more messages under way than are followed: counts of "
               "messages by class are lower bounds.");
    item_count(p, "", s->anomalies_left_out, "report",
               " of oddities beyond the limit of their table: counts of "
               "sessions with oddities are lower bounds.");
    item_count(p, "", s->records_refused, "record",
               " that failed their check and were left out.");
    item_count(p, "", s->records_cut, "record",
               " cut at a limit; their beginning is counted.");
    item_count(p, "", s->time_backward, "packet",
               " older than the one before: the order of events may differ.");
    html_raw(p->out,
             "<li>Hosts that were silent in this time, and traffic that does "
             "not pass the place of the capture. Not seen is not the same as "
             "not there.</li>\n</ul>\n");
}

static void
put_sight(struct page *p)
{
    const struct summary *s = p->s;
    uint64_t clear =
        s->sessions > s->sessions_tls ? s->sessions - s->sessions_tls : 0;
    const struct chart_part kinds[] = {
        {"readable",            clear,               0},
        {"TLS, handshake only", s->sessions - clear, 9},
    };
    const struct chart_part ends[] = {
        {"accepted",                                s->accepted, 0},
        {"rejected",                                s->rejected, 1},
        {"deferred",                                s->deferred, 2},
        {"other (given up, without data, cut off)", s->other,    9},
    };

    html_raw(p->out, "<section id=\"sight\"><h2>What could be seen</h2>\n");
    if (s->sessions == 0) {
        html_raw(p->out, "<p>");
        facts_say_empty(&p->raw, s, p->f);
        buf_putc(&p->raw, '.');
        html_flush(p->out, &p->raw);
        html_raw(p->out, "</p>\n");
    }
    chart_stack(p->out, "SMTP sessions",
                s->sessions == 1 ? "session" : "sessions", kinds,
                ARRAY_LEN(kinds));
    chart_stack(p->out, "Mail transactions that could be read",
                s->transactions == 1 ? "transaction" : "transactions", ends,
                ARRAY_LEN(ends));
    put_measures(p);
    put_unseen(p);
    html_raw(p->out, "</section>\n");
}

/* ---- what the world says ---- */

static void
put_classes(struct page *p, const char *title, const char *what, bool refusals)
{
    struct chart_part parts[SUMMARY_CLASSES];
    struct buf names;
    size_t at[SUMMARY_CLASSES];

    buf_init(&names, SENTENCE_MAX);
    for (size_t i = 0; i < SUMMARY_CLASSES; i++) {
        at[i] = names.n;
        facts_class_name(&names, &p->s->classes[i]);
        buf_putc(&names, '\0');
    }
    for (size_t i = 0; i < SUMMARY_CLASSES; i++) {
        const struct summary_class *c = &p->s->classes[i];
        bool left_out =
            refusals && (facts_is_accepted(c) || facts_is_unanswered(c));

        parts[i] = (struct chart_part){
            names.failed || names.cut ? "" : (const char *)names.p + at[i],
            left_out ? 0 : c->replies, (unsigned)i};
    }
    chart_stack(p->out, title, what, parts, ARRAY_LEN(parts));
    p->out->failed |= names.failed;
    buf_free(&names);
}

static void
put_listings(struct page *p)
{
    static const struct html_col cols[] = {
        {"Block list",        false},
        {"Host",              false},
        {"Servers citing it", true },
        {"Replies",           true },
        {"First cited",       false},
        {"Last cited",        false},
    };
    const struct summary *s = p->s;

    if (s->n_listings == 0)
        return;
    html_table(p->out, "Block lists that other servers cited", cols,
               ARRAY_LEN(cols));
    for (size_t i = 0; i < s->n_listings && i < LISTINGS_SHOWN; i++) {
        const struct summary_listing *l = &s->listings[i];

        html_raw(p->out, "<tr><th scope=\"row\">");
        html_wire(p->out, l->list);
        html_raw(p->out, "</th><td>");
        html_addr(p->out, &l->addr);
        html_raw(p->out, "</td>");
        html_cell_number(p->out, l->citers);
        html_cell_number(p->out, l->replies);
        html_cell_time(p->out, l->first);
        html_cell_time(p->out, l->last);
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
    if (s->n_listings > LISTINGS_SHOWN) {
        html_raw(p->out, "<p>");
        words_count(p->out, s->n_listings - LISTINGS_SHOWN, "more listing",
                    NULL);
        html_raw(p->out, " not shown.</p>\n");
    }
}

static void
put_world(struct page *p)
{
    html_raw(p->out, "<section id=\"world\"><h2>What the world says about "
                     "you</h2>\n<p>");
    facts_say_world(&p->raw, p->s, p->f);
    buf_str(&p->raw, ". A listing is what a server said in a reply; whether "
                     "it still stands must be asked of the list.");
    html_flush(p->out, &p->raw);
    html_raw(p->out, "</p>\n");
    put_listings(p);
    put_classes(p, "How other servers answered recipients and messages",
                "replies", false);
    put_classes(p, "Why they refused", "refusals", true);
    html_raw(p->out, "</section>\n");
}

/* ---- oddities, files, words ---- */

static void
row_anomaly(struct page *p, const struct summary_anomaly *a)
{
    static const char *const classes[FACTS_LEVELS] = {"high", "mid", "low"};

    html_raw(p->out, "<tr><th scope=\"row\">");
    html_wire(p->out, a->name);
    html_raw(p->out, "</th><td class=\"");
    html_raw(p->out, classes[facts_level(a->level)]);
    html_raw(p->out, "\">");
    html_text(p->out, a->level);
    html_raw(p->out, "</td>");
    html_cell_number(p->out, a->sessions);
    html_raw(p->out, "<td class=\"what\">");
    html_text(p->out, a->doc);
    html_raw(p->out, "</td></tr>\n");
}

static void
put_anomalies(struct page *p)
{
    static const struct html_col cols[] = {
        {"Name",       false},
        {"Level",      false},
        {"Sessions",   true },
        {"What it is", false},
    };

    if (p->s->n_anomalies == 0)
        return;
    html_raw(p->out, "<section id=\"oddities\"><h2>Oddities</h2>\n<p>What did "
                     "not go by the rules of the protocol. The level says how "
                     "much an analyst should care (<a href=\"#words\">the "
                     "words</a>).</p>\n");
    html_table(p->out, "Oddities by level", cols, ARRAY_LEN(cols));
    for (unsigned level = 0; level < FACTS_LEVELS; level++) {
        for (size_t i = 0; i < p->s->n_anomalies; i++) {
            if (facts_level(p->s->anomalies[i].level) == level)
                row_anomaly(p, &p->s->anomalies[i]);
        }
    }
    html_table_end(p->out);
    html_raw(p->out, "</section>\n");
}

static void
put_home(struct page *p)
{
    const struct summary *s = p->s;

    if (s->n_home == 0 && !s->home_guessed)
        return;
    html_raw(p->out, s->home_guessed
                         ? "<h3>Your networks</h3>\n<p>They were guessed. If "
                           "this is right, put it into the configuration:</p>"
                           "\n"
                         : "<h3>Your networks</h3>\n<p>As the configuration "
                           "has them:</p>\n");
    html_raw(p->out, "<pre>network:\n  home: [");
    for (size_t i = 0; i < s->n_home; i++) {
        html_raw(p->out, i > 0 ? ", " : "");
        prefix_format(&s->home[i], p->out);
    }
    html_raw(p->out, "]</pre>\n");
}

static void
put_files(struct page *p)
{
    static const struct html_col cols[] = {
        {"File",         false},
        {"Size",         true },
        {"Packets",      true },
        {"First packet", false},
        {"Last packet",  false},
    };
    const struct summary *s = p->s;

    html_raw(p->out, "<section id=\"source\"><h2>Where this comes from</h2>\n");
    if (s->n_files > 0) {
        html_table(p->out, "Files read", cols, ARRAY_LEN(cols));
        for (size_t i = 0; i < s->n_files && i < FILES_SHOWN; i++) {
            html_raw(p->out, "<tr><th scope=\"row\">");
            html_wire(p->out, s->files[i].name);
            html_raw(p->out, "</th><td class=\"n\">");
            words_size(p->out, s->files[i].size);
            html_raw(p->out, "</td>");
            html_cell_number(p->out, s->files[i].packets);
            html_cell_time(p->out, s->files[i].first);
            html_cell_time(p->out, s->files[i].last);
            html_raw(p->out, "</tr>\n");
        }
        html_table_end(p->out);
        item_count(p, "",
                   s->n_files > FILES_SHOWN ? s->n_files - FILES_SHOWN : 0,
                   "more file", "");
    }
    put_home(p);
    html_raw(p->out, "</section>\n");
}

static void
put_words(struct page *p)
{
    html_raw(
        p->out,
        "<section id=\"words\"><h2>The words</h2>\n<dl>\n"
        "<dt>Session</dt><dd>A TCP connection to a mail port in which at "
        "least one side spoke. A connection without a byte is an attempt."
        "</dd>\n"
        "<dt>Sender, receiver</dt><dd>A host of your networks that opened, or "
        "answered, a session. A host that does both has a row for each.</dd>\n"
        "<dt>Not registered</dt><dd>Not in the registry that was given. It "
        "says nothing about what the host did.</dd>\n"
        "<dt>Looks like</dt><dd>What the figures of a host are consistent "
        "with, by a table of signs; those that speak for it stand beside it."
        "</dd>\n"
        "<dt>Observed, none observed, not observable</dt><dd>Seen, with the "
        "event that shows it; not seen in so many chances; or hidden, such as "
        "by TLS. Never a proof that a requirement is kept.</dd>\n"
        "<dt>Mails accepted, refused</dt><dd>Transactions that the other "
        "server took with a 2xx reply, or turned away for now (4xx) or for "
        "good (5xx). Only what was not encrypted.</dd>\n"
        "<dt>Class A, B, C, D</dt><dd>What was found in a file. A: malicious, "
        "by a signature, a list of digests or a structure that only attacks "
        "have. B: of a type that mail systems commonly refuse. C: risky, with "
        "honest uses too. D: not inspectable, such as encrypted or damaged. "
        "A file, and a message, may have several.</dd>\n"
        "<dt>Could be inspected</dt><dd>A message seen in the clear, with no "
        "byte missing, none of its files of class D, and each looked into. "
        "What is under TLS is in no count.</dd>\n"
        "<dt>Share</dt><dd>Always of the number beside it. Below 30 "
        "observations no share is given.</dd>\n"
        "<dt>Severity</dt><dd>Of an alert. High: harm to others or to your "
        "reputation is happening, by two independent signs; answer within an "
        "hour. Medium: a policy is broken or a risk is open; the same day. "
        "Low: unusual, or a registration is missing; once a week.</dd>\n"
        "<dt>Would be stopped</dt><dd>Port 25 of one IPv4 address, or of one "
        "IPv6 /64 with every host in it, would be closed both ways for a "
        "time. Only on evidence that nobody can forge; never for a host that "
        "the registry has as registered, permitted, requested or protected, "
        "nor for its /64. Where no registry is given none is known, and hosts "
        "are named that it might keep. A human is asked about whatever "
        "behaves like a mail server, and where an address does not stand for "
        "one host.</dd>\n"
        "<dt>Ordinary mails</dt><dd>Accepted messages of the last seven days "
        "that nothing speaks against: what a block would stop besides.</dd>\n"
        "<dt>Level</dt><dd>High: evasion, or tampering with the connection; "
        "look at it today. Notice: a policy question or an open risk. Info: "
        "context.</dd>\n"
        "</dl>\n</section>\n");
}

static void
put_footer(struct page *p)
{
    html_raw(p->out, "</main>\n<footer><p>Made by span25 " SPAN25_VERSION
                     " from what passed one point of the network. Times are "
                     "UTC. No message text is in this file; host addresses "
                     "and names are.</p></footer>\n</body>\n</html>\n");
}

void
report_html(const struct summary *s, struct buf *out)
{
    struct facts f = facts_of(s);
    struct page p = {.s = s, .f = &f, .out = out};

    buf_init(&p.raw, SENTENCE_MAX);
    put_head(&p);
    put_header(&p);
    html_raw(out, "<main>\n");
    put_cards(&p);
    html_alerts(out, s);
    html_decisions(out, s, &f);
    put_sight(&p);
    html_hosts_senders(out, s, &f);
    html_hosts_receivers(out, s, &f);
    html_registry(out, s);
    html_parts(out, s);
    put_world(&p);
    put_anomalies(&p);
    put_files(&p);
    put_words(&p);
    put_footer(&p);
    buf_free(&p.raw);
}
