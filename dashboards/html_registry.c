#include "dashboards/html_registry.h"

#include "dashboards/html.h"
#include "dashboards/report.h"

#define SENTENCE_MAX 2048

static void
cell_evidence(struct buf *out, const struct summary_requirement *q)
{
    html_raw(out, "<td class=\"what\">");
    for (size_t i = 0; i < SUMMARY_EVIDENCE && q->evidence[i][0] != '\0'; i++) {
        html_raw(out, i > 0 ? ", <code>" : "<code>");
        html_text(out, q->evidence[i]);
        html_raw(out, "</code>");
    }
    html_raw(out, q->evidence[0][0] == '\0' ? "\xe2\x80\x93</td>" : "</td>");
}

static void
row_requirement(struct buf *out, const struct summary_requirement *q)
{
    html_raw(out, "<tr><th scope=\"row\">");
    html_addr(out, &q->addr);
    html_raw(out, "</th>");
    html_cell_names(out, q->site, NULL);
    html_cell(out, q->what);
    html_raw(out, q->observed && q->violation ? "<td class=\"high\">"
                                              : "<td class=\"low\">");
    html_text(out, q->text);
    html_raw(out, "</td>");
    cell_evidence(out, q);
    html_raw(out, "</tr>\n");
}

static void
put_more(struct buf *out, uint64_t n, const char *one)
{
    if (n == 0)
        return;
    html_raw(out, "<p>");
    words_count(out, n, one, NULL);
    html_raw(out, " not shown here; <code>span25 read -o hosts.json</code> "
                  "has more.</p>\n");
}

static void
put_requirements(struct buf *out, const struct summary *s)
{
    static const struct html_col cols[] = {
        {"Host",                   false},
        {"Site",                   false},
        {"What would be observed", false},
        {"Answer",                 false},
        {"Events that show it",    false},
    };
    size_t n = s->n_requirements < REPORT_HTML_ROWS ? s->n_requirements
                                                    : REPORT_HTML_ROWS;

    if (n == 0)
        return;
    html_table(out, "Requirements of registered hosts", cols, ARRAY_LEN(cols));
    for (size_t i = 0; i < n; i++)
        row_requirement(out, &s->requirements[i]);
    html_table_end(out);
    put_more(out, s->n_requirements - n, "more answer");
}

static void
put_unseen(struct buf *out, const struct summary *s)
{
    static const struct html_col cols[] = {
        {"Address", false},
        {"Form",    false},
        {"Line",    true },
        {"Site",    false},
        {"Device",  false},
    };
    size_t n = s->n_unseen < REPORT_HTML_ROWS ? s->n_unseen : REPORT_HTML_ROWS;

    if (n == 0)
        return;
    html_table(out, "Registered lines that were not seen", cols,
               ARRAY_LEN(cols));
    for (size_t i = 0; i < n; i++) {
        html_raw(out, "<tr><th scope=\"row\">");
        html_wire(out, s->unseen[i].address);
        html_raw(out, "</th>");
        html_cell_wire(out, s->unseen[i].form);
        html_cell_number(out, s->unseen[i].line);
        html_cell_names(out, s->unseen[i].site, NULL);
        html_cell_names(out, s->unseen[i].device, NULL);
        html_raw(out, "</tr>\n");
    }
    html_table_end(out);
    put_more(out, words_add(s->n_unseen - n, s->unseen_more), "more line");
}

void
html_registry(struct buf *out, const struct summary *s)
{
    struct buf raw;

    if (s->n_requirements == 0 && s->n_unseen == 0)
        return;
    buf_init(&raw, SENTENCE_MAX);
    html_raw(out, "<section id=\"registered\"><h2>What was registered</h2>\n"
                  "<p>");
    facts_say_registered(&raw, s);
    buf_str(&raw, ". What was not observed is not thereby fulfilled: the "
                  "denominator says how often it could have been seen.");
    html_flush(out, &raw);
    html_raw(out, "</p>\n");
    put_requirements(out, s);
    put_unseen(out, s);
    html_raw(out, "</section>\n");
    buf_free(&raw);
}
