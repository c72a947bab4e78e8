#include "dashboards/report.h"

#include "dashboards/facts.h"
#include "dashboards/grid.h"
#include "sensor/base/text.h"

#define FILES_SHOWN     3
#define FAULTS_SHOWN    3
#define SENDERS_SHOWN   5
#define RECEIVERS_SHOWN 3
#define LISTINGS_SHOWN  3
#define ANOMALIES_SHOWN 4
#define FILES_FOUND     5
#define BROKEN_SHOWN    3
#define UNSEEN_SHOWN    2
#define ALERTS_SHOWN    8
#define ALERTS_ALL      (GRID_ROWS - 1)
#define NAME_WIDTH      32
#define NAME_END        14 /* of it, what is kept of the end of a long name */
#define RAW_MAX         8192
#define LABEL_WIDTH     10

#define BOLD  "\x1b[1m"
#define PLAIN "\x1b[0m"

/* What every part of the screen needs. raw is scratch for one sentence. */
struct screen {
    const struct summary *s;
    const struct facts *f;
    const struct report_style *style;
    words_zone zone;
    struct buf raw;
    struct buf *out;
};

/* Appends the sentence in raw, escaped and wrapped. */
static void
sentence(struct screen *v, size_t at, size_t indent)
{
    struct buf line;

    buf_init(&line, RAW_MAX * (size_t)4);
    text_term(&line, buf_view(&v->raw));
    grid_wrap(v->out, buf_view(&line), at, indent, v->style->width);
    v->out->failed |= line.failed || v->raw.failed;
    buf_free(&line);
    buf_reset(&v->raw);
}

static void
flush(struct screen *v, size_t at, size_t indent)
{
    sentence(v, at, indent);
    buf_putc(v->out, '\n');
}

static void
pad(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_putc(out, ' ');
}

/* "Coverage  sentence", lines below under the sentence. */
static void
labelled(struct screen *v, const char *label)
{
    size_t n = strlen(label);

    buf_str(v->out, label);
    pad(v->out, n < LABEL_WIDTH ? LABEL_WIDTH - n : 1);
    flush(v, LABEL_WIDTH, LABEL_WIDTH);
}

static void
indented(struct screen *v)
{
    pad(v->out, GRID_INDENT);
    flush(v, GRID_INDENT, GRID_INDENT);
}

/* A blank line and the sentence in raw as a heading. */
static void
heading(struct screen *v)
{
    buf_putc(v->out, '\n');
    buf_str(v->out, v->style->colour ? BOLD : "");
    sentence(v, 0, 0);
    buf_str(v->out, v->style->colour ? PLAIN "\n" : "\n");
}

static void
more(struct screen *v, uint64_t n, const char *one, const char *many,
     const char *where)
{
    if (n == 0)
        return;
    words_count(&v->raw, n, one, many);
    buf_str(&v->raw, where);
    indented(v);
}

static void
cell_term(struct grid *g, const char *text)
{
    text_term(&g->text, span_str(text));
    grid_next(g);
}

static void
cell_raw(struct grid *g, struct buf *raw)
{
    text_term(&g->text, buf_view(raw));
    g->text.failed |= raw->failed;
    buf_reset(raw);
    grid_next(g);
}

static void
cell_number(struct grid *g, uint64_t n)
{
    words_number(&g->text, n);
    grid_next(g);
}

static void
cell_addr(struct grid *g, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    buf_put(&g->text, text, addr_format(a, text));
    grid_next(g);
}

/* ---- files, coverage, totals ---- */

static void
say_files(struct screen *v)
{
    const struct summary *s = v->s;

    for (size_t i = 0; i < s->n_files && i < FILES_SHOWN; i++) {
        const struct summary_file *file = &s->files[i];

        text_term(v->out, span_str(file->name != NULL ? file->name : "-"));
        buf_str(v->out, "   ");
        words_size(v->out, file->size);
        buf_str(v->out, "   ");
        words_range(v->out, file->first, file->last, v->zone);
        buf_str(v->out, "   ");
        words_count(v->out, file->packets, "packet", NULL);
        buf_putc(v->out, '\n');
    }
    if (s->n_files > FILES_SHOWN) {
        words_count(v->out, s->n_files - FILES_SHOWN, "more file", NULL);
        buf_str(v->out, "; all:   ");
        words_range(v->out, s->first, s->last, v->zone);
        buf_str(v->out, "   ");
        words_count(v->out, s->packets, "packet", NULL);
        buf_putc(v->out, '\n');
    }
}

static void
say_faults(struct screen *v)
{
    const struct summary *s = v->s;

    if (s->demo) {
        buf_str(&v->raw, "made traffic, none of it is yours");
        labelled(v, "DEMO");
    }
    for (size_t i = 0; i < s->n_faults && i < FAULTS_SHOWN; i++) {
        const struct summary_fault *fault = &s->faults[i];

        if (fault->file != NULL && fault->file[0] != '\0') {
            buf_str(&v->raw, fault->file);
            buf_str(&v->raw, ": ");
        }
        facts_say_fault(&v->raw, fault);
        buf_str(&v->raw, "; what was whole before is counted");
        labelled(v, "partial:");
    }
    if (s->n_faults > FAULTS_SHOWN) {
        words_count(&v->raw, s->n_faults - FAULTS_SHOWN, "more fault", NULL);
        labelled(v, "partial:");
    }
    if (s->partial && s->n_faults == 0) {
        buf_str(&v->raw, "not all was read; what was read is counted");
        labelled(v, "partial:");
    }
}

static void
say_coverage(struct screen *v)
{
    const struct summary *s = v->s;
    struct buf *b = &v->raw;

    if (v->f->bytes > 0) {
        words_share(b, s->bytes_seen, v->f->bytes);
        buf_str(b, " of ");
        words_size(b, v->f->bytes);
        buf_str(b, " of TCP in mail connections seen");
    } else {
        buf_str(b, "no TCP bytes in mail connections");
    }
    if (s->sessions > 0) {
        buf_str(b, "; gaps in ");
        words_number(b, s->sessions_gaps);
        buf_str(b, " of ");
        words_count(b, s->sessions, "session", NULL);
        buf_str(b, ", one-way ");
        words_share(b, s->sessions_oneway, s->sessions);
    }
    if (s->duplicates > 0) {
        buf_str(b, "; ");
        words_count(b, s->duplicates, "duplicate packet", NULL);
    }
    if (s->cut_packets > 0) {
        buf_str(b, "; ");
        words_count(b, s->cut_packets, "packet", NULL);
        buf_str(b, " cut by the capture");
    }
    labelled(v, "Coverage");
}

static void
say_outcomes(struct screen *v)
{
    const struct summary *s = v->s;
    struct buf *b = &v->raw;

    words_count(b, s->transactions, "transaction", NULL);
    buf_str(b, ": ");
    words_number(b, s->accepted);
    buf_str(b, " accepted, ");
    words_number(b, s->rejected);
    buf_str(b, " rejected, ");
    words_number(b, s->deferred);
    buf_str(b, " deferred, ");
    words_number(b, s->other);
    buf_str(b, " other");
    labelled(v, "");
    words_count(b, s->rcpt_offered, "recipient offered", "recipients offered");
    buf_str(b, ": ");
    words_number(b, s->rcpt_accepted);
    buf_str(b, " accepted, ");
    words_number(b, s->rcpt_refused);
    buf_str(b, " refused");
    labelled(v, "");
}

static void
say_smtp(struct screen *v)
{
    const struct summary *s = v->s;
    struct buf *b = &v->raw;
    uint64_t clear =
        s->sessions > s->sessions_tls ? s->sessions - s->sessions_tls : 0;

    if (s->sessions == 0 && s->transactions == 0) {
        facts_say_empty(b, s, v->f);
        labelled(v, "SMTP");
        return;
    }
    words_count(b, s->sessions, "session", NULL);
    buf_str(b, "; ");
    words_share(b, s->sessions_tls, s->sessions);
    buf_str(b, " TLS (handshake only), ");
    words_share(b, clear, s->sessions);
    buf_str(b, " readable");
    labelled(v, "SMTP");
    say_outcomes(v);
}

/* ---- alerts ---- */

static void
row_alert(struct screen *v, struct grid *g, const struct summary_alert *a)
{
    cell_term(g, facts_level_word(a->level));
    cell_term(g, a->subject[0] != '\0' ? a->subject : "-");
    cell_term(g, a->site[0] != '\0' ? a->site : "-");
    cell_term(g, a->judged ? a->registered ? "yes" : "no" : "-");
    cell_term(g, a->rule);
    facts_say_why(&v->raw, a);
    cell_raw(g, &v->raw);
}

static void
say_alert_counts(struct screen *v, uint64_t shown)
{
    const struct summary *s = v->s;
    uint64_t minor = words_add(s->alerts_level[2], s->alerts_level[3]);
    uint64_t major = words_add(s->alerts_level[0], s->alerts_level[1]);
    uint64_t all = v->style->all ? s->n_alerts : major;

    facts_say_alerts(&v->raw, s);
    if (!v->style->all && minor > 0)
        buf_str(&v->raw, " (low and info hidden: --all)");
    if (shown < all) {
        buf_str(&v->raw, "; ");
        words_number(&v->raw, all - shown);
        buf_str(&v->raw, " of these without a row here (-o report.json has "
                         "all)");
    }
    indented(v);
}

static void
say_alerts(struct screen *v)
{
    static const struct grid_col cols[] = {
        {.title = "SEVERITY",   .level = true},
        {.title = "HOST",                     .max = 39},
        {.title = "SITE",.soft = true, .max = 16},
        {.title = "REGISTERED"      },
        {.title = "RULE",            .soft = true, .max = 40},
        {.title = "WHY"},
    };
    const struct summary *s = v->s;
    uint64_t most = v->style->all ? ALERTS_ALL : ALERTS_SHOWN;
    struct grid g;
    uint64_t n = 0;

    if (!s->has_verdicts)
        return;
    buf_str(&v->raw, "Alerts");
    heading(v);
    grid_init(&g, cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < s->n_alerts && n < most; i++) {
        if (!v->style->all && s->alerts[i].level > 1)
            continue;
        row_alert(v, &g, &s->alerts[i]);
        n++;
    }
    if (n > 0)
        grid_print(&g, v->style->width, v->style->colour, v->out);
    grid_fini(&g);
    say_alert_counts(v, n);
}

/* ---- senders and receivers ---- */

static void
row_host(struct screen *v, struct grid *g, const struct summary_host *h)
{
    cell_addr(g, &h->addr);
    cell_term(g, h->site != NULL      ? h->site
                 : h->helo[0] != '\0' ? h->helo
                                      : "-");
    cell_number(g, h->sessions);
    buf_str(&v->raw, h->peers_more ? ">" : "");
    words_number(&v->raw, h->peers);
    cell_raw(g, &v->raw);
}

static void
row_sender(struct screen *v, struct grid *g, const struct summary_host *h)
{
    row_host(v, g, h);
    words_number(&v->raw, h->accepted);
    buf_putc(&v->raw, '/');
    words_number(&v->raw, words_add(h->rejected, h->deferred));
    cell_raw(g, &v->raw);
    cell_number(g, h->rcpt_offered);
    if (h->rcpt_offered < WORDS_RATED)
        buf_putc(&v->raw, '-');
    else
        words_share(&v->raw, h->rcpt_refused, h->rcpt_offered);
    cell_raw(g, &v->raw);
    facts_say_sender(&v->raw, v->s, h);
    if (h->look != NULL) {
        buf_str(&v->raw, "; ");
        facts_say_look(&v->raw, h, 1);
    }
    cell_raw(g, &v->raw);
}

static bool
is_shown(const struct summary *s, const struct summary_host *h, bool sender)
{
    if (s->has_registry && !facts_is_new(h))
        return false;
    return sender ? facts_sends(h) : facts_receives(h);
}

static void
say_registered(struct screen *v)
{
    buf_str(&v->raw, " (");
    words_number(&v->raw, facts_registered(v->f));
    buf_str(&v->raw, " of ");
    words_count(&v->raw, v->f->senders - v->f->senders_free, "sender", NULL);
    buf_str(&v->raw, " registered)");
}

static void
say_senders(struct screen *v)
{
    static const struct grid_col cols[] = {
        {.title = "HOST", .max = 39},
        {.title = "SITE/HELO",               .soft = true, .max = 22},
        {.title = "SESSIONS",.right = true},
        {.title = "DEST",               .right = true},
        {.title = "OK/REFUSED",              .right = true},
        {.title = "RCPT", .right = true},
        {.title = "REFUSED",               .right = true},
        {.title = "WHAT IT DID"},
    };
    struct grid g;
    uint64_t n = 0;

    facts_say_senders(&v->raw, v->s, v->f);
    if (!v->s->has_registry && v->f->senders > 0)
        buf_str(&v->raw, "; give --registry FILE to see which of them nobody "
                         "told you about");
    else if (facts_registered(v->f) > 0)
        say_registered(v);
    heading(v);
    grid_init(&g, cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < v->s->n_hosts; i++) {
        if (is_shown(v->s, &v->s->hosts[i], true) && n++ < SENDERS_SHOWN)
            row_sender(v, &g, &v->s->hosts[i]);
    }
    if (n > 0)
        grid_print(&g, v->style->width, v->style->colour, v->out);
    grid_fini(&g);
    more(v, n > SENDERS_SHOWN ? n - SENDERS_SHOWN : 0, "more sender", NULL,
         " (-o hosts.csv has all)");
    if (v->s->sessions > 0)
        more(v, v->f->tried, "host only tried:", "hosts only tried:",
             " connections without an answer");
}

static void
say_receivers(struct screen *v)
{
    static const struct grid_col cols[] = {
        {.title = "HOST", .max = 39},
        {.title = "SITE/HELO",               .soft = true, .max = 22},
        {.title = "SESSIONS",.right = true},
        {.title = "CLIENTS",               .right = true},
        {.title = "WHAT IT DID"             },
    };
    struct grid g;
    uint64_t n = 0;

    if (v->f->receivers == 0)
        return;
    facts_say_receivers(&v->raw, v->s, v->f);
    heading(v);
    grid_init(&g, cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < v->s->n_hosts; i++) {
        const struct summary_host *h = &v->s->hosts[i];

        if (!is_shown(v->s, h, false) || n++ >= RECEIVERS_SHOWN)
            continue;
        row_host(v, &g, h);
        facts_say_receiver(&v->raw, h);
        cell_raw(&g, &v->raw);
    }
    if (n > 0)
        grid_print(&g, v->style->width, v->style->colour, v->out);
    grid_fini(&g);
    more(v, n > RECEIVERS_SHOWN ? n - RECEIVERS_SHOWN : 0, "more receiver",
         NULL, "");
}

static void
say_unseen(struct screen *v, const struct summary_unseen *u)
{
    buf_str(&v->raw, "not seen: ");
    buf_str(&v->raw, u->address != NULL ? u->address : "-");
    buf_str(&v->raw, ", form ");
    buf_str(&v->raw, u->form != NULL ? u->form : "-");
    if (u->device != NULL) {
        buf_str(&v->raw, ", ");
        buf_str(&v->raw, u->device);
    }
    indented(v);
}

static void
say_registry(struct screen *v)
{
    const struct summary *s = v->s;
    uint64_t lines = words_add(s->n_unseen, s->unseen_more);
    size_t n = 0;

    if (s->violations == 0 && lines == 0)
        return;
    facts_say_registered(&v->raw, s);
    heading(v);
    for (; n < s->n_requirements && n < BROKEN_SHOWN && n < s->violations;
         n++) {
        facts_say_violation(&v->raw, &s->requirements[n]);
        indented(v);
    }
    more(v, s->violations - n, "more", "more", " (-o report.html has them)");
    for (n = 0; n < s->n_unseen && n < UNSEEN_SHOWN; n++)
        say_unseen(v, &s->unseen[n]);
    more(v, lines - n, "more line not seen", "more lines not seen", "");
}

static void
say_blocked(struct screen *v)
{
    buf_str(&v->raw, "If you blocked today");
    heading(v);
    if (v->s->has_verdicts) {
        facts_say_stopping(&v->raw, v->s);
        indented(v);
        facts_say_kept(&v->raw, v->s);
        indented(v);
        facts_say_judged_on(&v->raw, v->s, v->f);
        indented(v);
    }
    facts_say_blocked(&v->raw, v->s, v->f);
    if (v->s->has_registry && v->f->senders > 0) {
        buf_putc(&v->raw, ' ');
        facts_say_limits(&v->raw, v->s, v->f);
    }
    indented(v);
}

/* ---- what the world says ---- */

static void
say_listings(struct screen *v)
{
    static const struct grid_col cols[] = {
        {.title = "BLOCK LIST", .max = 40},
        {.title = "HOST",                     .max = 39},
        {.title = "CITED BY",.right = true},
        {.title = "REPLIES",   .right = true},
        {.title = "SINCE"                    },
    };
    struct grid g;

    grid_init(&g, cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < v->s->n_listings && i < LISTINGS_SHOWN; i++) {
        const struct summary_listing *l = &v->s->listings[i];

        cell_term(&g, l->list);
        cell_addr(&g, &l->addr);
        words_count(&v->raw, l->citers, "server", NULL);
        cell_raw(&g, &v->raw);
        cell_number(&g, l->replies);
        words_time(&v->raw, l->first, v->zone);
        cell_raw(&g, &v->raw);
    }
    if (v->s->n_listings > 0)
        grid_print(&g, v->style->width, v->style->colour, v->out);
    grid_fini(&g);
    if (v->s->n_listings > LISTINGS_SHOWN)
        more(v, v->s->n_listings - LISTINGS_SHOWN, "more listing", NULL, "");
    more(v, v->s->listings_left_out, "citation", NULL,
         " of block lists beyond the limit of their table");
}

static void
say_refusals(struct screen *v)
{
    const char *sep = ": ";

    if (v->f->refusals == 0)
        return;
    words_part(&v->raw, v->f->refusals, v->f->replies, "reply refused",
               "replies refused");
    for (size_t i = 0; i < SUMMARY_CLASSES; i++) {
        const struct summary_class *c = &v->s->classes[i];

        if (c->replies == 0 || facts_is_accepted(c) || facts_is_unanswered(c))
            continue;
        buf_str(&v->raw, sep);
        facts_class_name(&v->raw, c);
        buf_putc(&v->raw, ' ');
        words_number(&v->raw, c->replies);
        if (v->f->refusals >= WORDS_RATED) {
            buf_str(&v->raw, " (");
            words_share(&v->raw, c->replies, v->f->refusals);
            buf_putc(&v->raw, ')');
        }
        sep = ", ";
    }
    indented(v);
}

static void
say_world(struct screen *v)
{
    buf_str(&v->raw, "What the world says about you");
    heading(v);
    facts_say_world(&v->raw, v->s, v->f);
    indented(v);
    say_listings(v);
    say_refusals(v);
}

/* ---- what came attached ---- */

/* The middle of a long name gives way: its ending matters. */
static void
cell_name(struct screen *v, struct grid *g, struct span name)
{
    struct buf line;
    struct span all;
    size_t n;

    buf_init(&line, RAW_MAX);
    text_term(&line, name);
    all = buf_view(&line);
    n = grid_width(all);
    if (n == 0)
        buf_putc(&g->text, '-');
    else if (n <= NAME_WIDTH)
        buf_span(&g->text, all);
    else {
        buf_span(&g->text, grid_part(all, 0, NAME_WIDTH - NAME_END - 1));
        buf_str(&g->text, "\xe2\x80\xa6");
        buf_span(&g->text, grid_part(all, n - NAME_END, NAME_END));
    }
    grid_next(g);
    v->out->failed |= line.failed;
    buf_free(&line);
}

static void
row_file(struct screen *v, struct grid *g, const struct summary_attachment *a)
{
    buf_putc(&g->text,
             (uint8_t)facts_class_letter((enum summary_finding)a->class));
    grid_next(g);
    cell_name(v, g, summary_name(a));
    cell_term(g, a->type[0] != '\0' ? a->type : "-");
    words_size(&v->raw, a->size);
    cell_raw(g, &v->raw);
    buf_str(&v->raw, a->at_least ? ">" : "");
    words_number(&v->raw, a->messages);
    cell_raw(g, &v->raw);
    cell_number(g, a->senders);
    buf_str(&v->raw, a->findings);
    buf_str(&v->raw, a->findings_more ? " and more" : "");
    cell_raw(g, &v->raw);
}

static void
say_found(struct screen *v)
{
    static const struct grid_col cols[] = {
        {.title = "CLASS", .level = true},
        {.title = "FILE"               },
        {.title = "TYPE", .max = 12},
        {.title = "SIZE",       .right = true},
        {.title = "MESSAGES",  .right = true},
        {.title = "SENDERS",                .right = true},
        {.title = "FOUND" },
    };
    const struct summary *s = v->s;
    struct grid g;

    grid_init(&g, cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < s->n_attachments && i < FILES_FOUND; i++)
        row_file(v, &g, &s->attachments[i]);
    if (s->n_attachments > 0)
        grid_print(&g, v->style->width, v->style->colour, v->out);
    grid_fini(&g);
    more(v, s->n_attachments > FILES_FOUND ? s->n_attachments - FILES_FOUND : 0,
         "more file", NULL, " (-o report.json has all)");
    more(v, s->attachments_left_out, "file", NULL, " beyond the limit");
}

static void
say_attached(struct screen *v)
{
    if (v->s->parts.told == 0)
        return;
    buf_str(&v->raw, "What came attached");
    heading(v);
    facts_say_attached(&v->raw, v->s);
    indented(v);
    facts_say_inspected(&v->raw, v->s);
    indented(v);
    say_found(v);
}

static void
say_anomalies(struct screen *v)
{
    static const struct grid_col cols[] = {
        {.title = "LEVEL", .level = true, .max = 8},
        {.title = "ODDITY",                .max = 40            },
        {.title = "SESSIONS",                .right = true},
        {.title = "WHAT IT IS",                .cut = true          },
    };
    struct grid g;
    size_t n = 0;

    if (v->s->n_anomalies == 0)
        return;
    buf_str(&v->raw, "Oddities");
    heading(v);
    grid_init(&g, cols, ARRAY_LEN(cols));
    for (unsigned level = 0; level < FACTS_LEVELS; level++) {
        for (size_t i = 0; i < v->s->n_anomalies; i++) {
            const struct summary_anomaly *a = &v->s->anomalies[i];

            if (facts_level(a->level) != level || n++ >= ANOMALIES_SHOWN)
                continue;
            cell_term(&g, a->level != NULL ? a->level : "-");
            cell_term(&g, a->name != NULL ? a->name : "-");
            cell_number(&g, a->sessions);
            cell_term(&g, a->doc != NULL ? a->doc : "");
        }
    }
    grid_print(&g, v->style->width, v->style->colour, v->out);
    grid_fini(&g);
    more(v, n > ANOMALIES_SHOWN ? n - ANOMALIES_SHOWN : 0, "more oddity",
         "more oddities", "");
    more(v, v->s->anomalies_left_out, "report", NULL,
         " of oddities beyond the limit: sessions are lower bounds");
}

/* ---- the end ---- */

static void
say_home(struct screen *v)
{
    if (!v->s->home_guessed)
        return;
    if (v->s->n_home == 0) {
        buf_str(&v->raw, "Your own networks could not be guessed; put this, "
                         "with yours, into the configuration:");
    } else {
        buf_str(&v->raw, "Your own networks were guessed. If this is right, "
                         "put it into the configuration:");
    }
    heading(v);
    buf_str(v->out, "  network:\n    home: [");
    for (size_t i = 0; i < v->s->n_home; i++) {
        buf_str(v->out, i > 0 ? ", " : "");
        prefix_format(&v->s->home[i], v->out);
    }
    buf_str(v->out, v->s->n_home > 0 ? "]\n" : "192.0.2.0/24]\n");
}

/* Only a name that a shell takes as it is may stand in a command. */
static bool
is_plain_name(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+-";

    return name != NULL && name[0] != '\0' && name[0] != '-' &&
           name[strspn(name, plain)] == '\0';
}

static void
say_next(struct screen *v)
{
    const struct summary *s = v->s;
    bool plain = s->n_files == 1 && is_plain_name(s->files[0].name);

    if (!v->style->tty || s->demo)
        return;
    buf_str(v->out, s->has_registry || v->f->senders == 0
                        ? "\nNext: span25 read -o report.html "
                        : "\nNext: span25 read --registry FILE ");
    buf_str(v->out, plain ? s->files[0].name : "CAPTURE...");
    buf_putc(v->out, '\n');
}

void
report_text(const struct summary *s, const struct report_style *style,
            struct buf *out)
{
    struct facts f = facts_of(s);
    struct screen v = {.s = s, .f = &f, .style = style, .out = out};

    v.zone = style->utc            ? NULL
             : style->zone != NULL ? style->zone
                                   : report_zone;
    buf_init(&v.raw, RAW_MAX);
    say_files(&v);
    say_faults(&v);
    say_coverage(&v);
    say_smtp(&v);
    if (s->sessions > 0 || f.senders > 0 || f.receivers > 0) {
        say_alerts(&v);
        say_senders(&v);
        say_receivers(&v);
        say_registry(&v);
        say_blocked(&v);
        say_world(&v);
    }
    say_attached(&v);
    say_anomalies(&v);
    say_home(&v);
    say_next(&v);
    buf_free(&v.raw);
}
