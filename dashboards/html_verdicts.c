#include "dashboards/html_verdicts.h"

#include "dashboards/html.h"
#include "dashboards/report.h"

#define SENTENCE_MAX 4096

static void
cell_class(struct buf *out, const char *class, const char *text)
{
    html_raw(out, "<td class=\"");
    html_raw(out, class);
    html_raw(out, "\">");
    html_text(out, text);
    html_raw(out, "</td>");
}

/* May hold bytes from a wire, but reads as a sentence. */
static void
cell_sentence(struct buf *out, struct buf *raw)
{
    html_raw(out, "<td class=\"what\"><bdi>");
    html_flush(out, raw);
    html_raw(out, "</bdi></td>");
}

static void
put_more(struct buf *out, uint64_t n, const char *one)
{
    if (n == 0)
        return;
    html_raw(out, "<p>");
    words_count(out, n, one, NULL);
    html_raw(out, " not shown here; <code>span25 read -o report.json</code> "
                  "has more.</p>\n");
}

static void
put_sentence(struct buf *out, struct buf *raw)
{
    html_raw(out, "<p>");
    html_flush(out, raw);
    html_raw(out, "</p>\n");
}

/* ---- alerts ---- */

static void
row_alert(struct buf *out, struct buf *raw, const struct summary_alert *a)
{
    static const char *const classes[SUMMARY_LEVELS] = {"high", "mid", "low",
                                                        "low"};

    html_raw(out, "<tr><th scope=\"row\">");
    html_wire(out, a->subject);
    html_raw(out, "</th>");
    cell_class(out, classes[a->level], facts_level_word(a->level));
    html_cell_names(out, a->site[0] != '\0' ? a->site : NULL, NULL);
    html_cell(out, a->judged ? a->registered ? "yes" : "no" : NULL);
    buf_str(raw, a->rule);
    cell_sentence(out, raw);
    facts_say_why(raw, a);
    cell_sentence(out, raw);
    html_cell_number(out, a->count);
    html_cell_time(out, a->first);
    html_raw(out, "</tr>\n");
}

void
html_alerts(struct buf *out, const struct summary *s)
{
    static const struct html_col cols[] = {
        {"Host",       false},
        {"Severity",   false},
        {"Site",       false},
        {"Registered", false},
        {"Rule",       false},
        {"Why",        false},
        {"Matches",    true },
        {"Since",      false},
    };
    size_t n = s->n_alerts < REPORT_HTML_ROWS ? s->n_alerts : REPORT_HTML_ROWS;
    struct buf raw;

    if (!s->has_verdicts)
        return;
    buf_init(&raw, SENTENCE_MAX);
    html_raw(out, "<section id=\"alerts\"><h2>Alerts</h2>\n");
    facts_say_alerts(&raw, s);
    buf_putc(&raw, '.');
    put_sentence(out, &raw);
    if (n > 0) {
        html_table(out, "Alerts, the weightiest first", cols, ARRAY_LEN(cols));
        for (size_t i = 0; i < n; i++)
            row_alert(out, &raw, &s->alerts[i]);
        html_table_end(out);
    }
    put_more(out, s->n_alerts - n, "more alert");
    html_raw(out, "</section>\n");
    out->failed |= raw.failed;
    buf_free(&raw);
}

/* ---- decisions ---- */

static void
row_decision(struct buf *out, struct buf *raw, const struct summary_decision *d)
{
    static const struct {
        const char *class, *text[2]; /* simulated, enforced */
    } actions[SUMMARY_ACTIONS] = {
        [SUMMARY_BLOCK] = {"high", {"would be stopped", "stopped"}         },
        [SUMMARY_HOLD] = {"mid",  {"a human is asked", "a human is asked"}},
        [SUMMARY_WITHHELD] = {"low",  {"would not be stopped", "not stopped"} },
    };

    html_raw(out, "<tr><th scope=\"row\">");
    prefix_format(&d->subject, raw);
    html_wire_span(out, buf_view(raw));
    buf_reset(raw);
    html_raw(out, "</th>");
    cell_class(out, actions[d->action].class,
               actions[d->action].text[d->enforced]);
    html_cell(out, d->against[0] != '\0' ? facts_cause(d) : NULL);
    html_cell_names(out, d->site[0] != '\0' ? d->site : NULL, NULL);
    html_cell_names(out, d->owner, NULL);
    html_cell_number(out, d->collateral);
    html_cell_time(out, d->since);
    html_cell_time(out, d->until);
    facts_say_clauses(raw, d);
    cell_sentence(out, raw);
    html_raw(out, "</tr>\n");
}

static void
put_lines(struct buf *out, struct buf *raw, const struct summary *s,
          const struct facts *f)
{
    facts_say_stopping(raw, s);
    put_sentence(out, raw);
    facts_say_kept(raw, s);
    put_sentence(out, raw);
    facts_say_judged_on(raw, s, f);
    put_sentence(out, raw);
}

void
html_decisions(struct buf *out, const struct summary *s, const struct facts *f)
{
    static const struct html_col cols[] = {
        {"Host",           false},
        {"Decision",       false},
        {"Against it",     false},
        {"Site",           false},
        {"Owner",          false},
        {"Ordinary mails", true },
        {"From",           false},
        {"Until",          false},
        {"Why",            false},
    };
    size_t n =
        s->n_decisions < REPORT_HTML_ROWS ? s->n_decisions : REPORT_HTML_ROWS;
    struct buf raw;

    if (!s->has_verdicts)
        return;
    buf_init(&raw, SENTENCE_MAX);
    html_raw(out, "<section id=\"decisions\"><h2>If you blocked today</h2>\n");
    put_lines(out, &raw, s, f);
    if (n > 0) {
        html_table(out, "What would be decided", cols, ARRAY_LEN(cols));
        for (size_t i = 0; i < n; i++)
            row_decision(out, &raw, &s->decisions[i]);
        html_table_end(out);
    }
    put_more(out, s->n_decisions - n, "more decision");
    html_raw(out, "</section>\n");
    out->failed |= raw.failed;
    buf_free(&raw);
}
