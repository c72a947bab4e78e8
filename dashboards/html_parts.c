#include "dashboards/html_parts.h"

#include "dashboards/html.h"
#include "dashboards/report.h"

#define SENTENCE_MAX 2048

static void
say(struct buf *out, struct buf *raw)
{
    html_raw(out, "<p>");
    buf_putc(raw, '.');
    html_flush(out, raw);
    html_raw(out, "</p>\n");
}

/* ---- classes ---- */

static void
cell_class(struct buf *out, enum summary_finding c)
{
    static const char *const looks[SUMMARY_FINDINGS] = {
        [SUMMARY_A] = "high",
        [SUMMARY_B] = "mid",
        [SUMMARY_C] = "low",
        [SUMMARY_D] = "low",
    };

    html_raw(out, "<th scope=\"row\"><span class=\"");
    html_raw(out, looks[c]);
    html_raw(out, "\">");
    buf_putc(out, (uint8_t)facts_class_letter(c));
    html_raw(out, " <span class=\"of\">");
    html_text(out, facts_class_meaning(c));
    html_raw(out, "</span></span></th>");
}

/* Of D there is no share here: it is what could not be inspected. */
static void
row_class(struct buf *out, const struct summary_parts *p,
          enum summary_finding c)
{
    html_raw(out, "<tr>");
    cell_class(out, c);
    html_cell_number(out, p->class_parts[c]);
    html_cell_number(out, p->class_messages[c]);
    if (c == SUMMARY_D || p->off) {
        html_raw(out, "<td class=\"n\">");
        html_text(out, NULL);
        html_raw(out, "</td><td class=\"n\">");
        html_text(out, NULL);
        html_raw(out, "</td></tr>\n");
        return;
    }
    html_cell_number(out, p->class_could_inspect[c]);
    html_cell_share(out, p->class_could_inspect[c], p->could_inspect);
    html_raw(out, "</tr>\n");
}

static void
put_classes(struct buf *out, const struct summary_parts *p)
{
    static const struct html_col cols[] = {
        {"Class",                    false},
        {"Files",                    true },
        {"Messages with them",       true },
        {"Of these, inspectable",    true },
        {"Share of all inspectable", true },
    };

    html_table(out, "What was found in messages", cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < SUMMARY_FINDINGS; i++)
        row_class(out, p, facts_classes[i]);
    html_table_end(out);
}

/* ---- files ---- */

static void
cell_count(struct buf *out, const struct summary_attachment *a, uint64_t n)
{
    html_raw(out, "<td class=\"n\">");
    html_raw(out, a->at_least ? "at least " : "");
    words_number(out, n);
    html_raw(out, "</td>");
}

static void
cell_file(struct buf *out, const struct summary_attachment *a)
{
    html_raw(out, "<td class=\"file\">");
    html_wire_span(out, summary_name(a));
    html_raw(out, a->other_names
                      ? " <span class=\"soft\">and other names</span>"
                      : "");
    html_raw(out, "<br><span class=\"sum\">");
    html_text(out, a->sha256[0] != '\0' ? a->sha256 : "no SHA-256");
    html_raw(out, "</span></td>");
}

static void
cell_seen(struct buf *out, const struct summary_attachment *a)
{
    html_raw(out, "<td class=\"t\">");
    html_time(out, a->first);
    html_raw(out, "<br>");
    html_time(out, a->last);
    html_raw(out, "</td>");
}

static void
row_file(struct buf *out, const struct summary_attachment *a)
{
    html_raw(out, "<tr>");
    cell_class(out, (enum summary_finding)a->class);
    cell_file(out, a);
    html_raw(out, "<td class=\"what\">");
    html_text(out, a->findings[0] != '\0' ? a->findings : NULL);
    html_raw(out, a->findings_more ? " and more</td>" : "</td>");
    html_cell(out, a->type[0] != '\0' ? a->type : NULL);
    html_raw(out, "<td class=\"n\">");
    words_size(out, a->size);
    html_raw(out, "</td>");
    cell_count(out, a, a->messages);
    cell_count(out, a, a->senders);
    cell_count(out, a, a->receivers);
    cell_seen(out, a);
    html_raw(out, "</tr>\n");
}

static void
put_files(struct buf *out, const struct summary *s)
{
    static const struct html_col cols[] = {
        {"Class",               false},
        {"File",                false},
        {"Found",               false},
        {"Type",                false},
        {"Size",                true },
        {"Messages",            true },
        {"Home senders",        true },
        {"Home receivers",      true },
        {"First and last seen", false},
    };

    if (s->n_attachments == 0)
        return;
    html_table(out, "Files in which something was found", cols,
               ARRAY_LEN(cols));
    for (size_t i = 0; i < s->n_attachments && i < REPORT_HTML_ROWS; i++)
        row_file(out, &s->attachments[i]);
    html_table_end(out);
    if (s->n_attachments > REPORT_HTML_ROWS) {
        html_raw(out, "<p>");
        words_count(out, s->n_attachments - REPORT_HTML_ROWS, "more file",
                    NULL);
        html_raw(out, " not shown here; <code>span25 read -o report.json"
                      "</code> lists all.</p>\n");
    }
}

void
html_parts(struct buf *out, const struct summary *s)
{
    struct buf raw;

    if (s->parts.told == 0)
        return;
    buf_init(&raw, SENTENCE_MAX);
    html_raw(out, "<section id=\"attached\"><h2>What came attached</h2>\n");
    facts_say_attached(&raw, s);
    say(out, &raw);
    facts_say_inspected(&raw, s);
    say(out, &raw);
    put_classes(out, &s->parts);
    put_files(out, s);
    html_raw(out, "</section>\n");
    buf_free(&raw);
}
