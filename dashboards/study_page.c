#include "dashboards/study_page.h"

#include "sensor/base/text.h"

#include <math.h>

void
page_section(struct study_page *p, const char *id, const char *title)
{
    html_raw(p->out, "<section id=\"");
    html_raw(p->out, id);
    html_raw(p->out, "\"><h2>");
    html_text(p->out, title);
    html_raw(p->out, "</h2>\n");
}

void
page_section_end(struct study_page *p)
{
    html_raw(p->out, "</section>\n");
}

void
page_heading(struct study_page *p, const char *title)
{
    html_raw(p->out, "<h3>");
    html_text(p->out, title);
    html_raw(p->out, "</h3>\n");
}

void
page_words(struct study_page *p, const char *words)
{
    html_raw(p->out, "<p>");
    html_text(p->out, words);
    html_raw(p->out, "</p>\n");
}

/* Raw as a sentence, with its full stop. */
static void
sentence(struct study_page *p)
{
    uint8_t last = p->raw.n > 0 ? p->raw.p[p->raw.n - 1] : '.';

    if (last != '.' && last != '?' && last != ':')
        buf_putc(&p->raw, '.');
    html_flush(p->out, &p->raw);
}

void
page_say(struct study_page *p)
{
    html_raw(p->out, "<p>");
    sentence(p);
    html_raw(p->out, "</p>\n");
}

void
page_item(struct study_page *p)
{
    html_raw(p->out, "<li>");
    html_flush(p->out, &p->raw);
    html_raw(p->out, "</li>\n");
}

void
page_cell(struct study_page *p)
{
    html_raw(p->out, "<td class=\"n\">");
    html_flush(p->out, &p->raw);
    html_raw(p->out, "</td>");
}

void
page_cell_left(struct study_page *p)
{
    html_raw(p->out, "<td class=\"say\">");
    html_flush(p->out, &p->raw);
    html_raw(p->out, "</td>");
}

void
page_row_head(struct study_page *p)
{
    html_raw(p->out, "<tr><th scope=\"row\">");
    html_flush(p->out, &p->raw);
    html_raw(p->out, "</th>");
}

void
page_cell_share(struct study_page *p, double share)
{
    html_raw(p->out, "<td class=\"n\">");
    if (isnan(share)) {
        html_text(p->out, NULL);
    } else {
        study_put_share(&p->raw, share);
        html_flush(p->out, &p->raw);
    }
    html_raw(p->out, "</td>");
}

void
page_cell_hosts(struct study_page *p, uint64_t n)
{
    study_put_hosts(&p->raw, p->r->few, n);
    page_cell(p);
}

void
page_cell_range(struct study_page *p, uint64_t least, uint64_t most)
{
    study_put_range(&p->raw, least, most);
    page_cell(p);
}

void
page_name(struct study_page *p, const char *name, const char *otherwise)
{
    bool any = name != NULL && name[0] != '\0';

    html_raw(p->out, any ? "<bdi>" : "<span class=\"soft\">");
    html_text(p->out, any ? name : otherwise);
    html_raw(p->out, any ? "</bdi>" : "</span>");
}

void
page_policy_head(struct study_page *p, const struct study_policy *policy)
{
    html_raw(p->out, "<tr><th scope=\"row\">");
    page_name(p, policy->name, "(no name)");
    if (policy == p->f->p)
        html_raw(p->out, " <span class=\"of\">(proposed)</span>");
    html_raw(p->out, "</th>");
}

void
page_verdict(struct study_page *p, enum study_verdict v, const char *word)
{
    study_svg_verdict(p->out, v);
    html_text(p->out, word);
}

void
page_more(struct study_page *p, size_t n, const char *table)
{
    if (n <= STUDY_REPORT_ROWS)
        return;
    words_count(&p->raw, n - STUDY_REPORT_ROWS, "more row", NULL);
    buf_str(&p->raw, ": the ");
    buf_str(&p->raw, table != NULL ? "CSV file of " : "JSON file");
    buf_str(&p->raw, table != NULL ? table : "");
    buf_str(&p->raw, " has all");
    page_say(p);
}

void
page_figure(struct study_page *p, const char *title)
{
    html_raw(p->out, "<figure><figcaption>");
    html_text(p->out, title);
    html_raw(p->out, "</figcaption>\n<div class=\"scroll\" role=\"region\" "
                     "tabindex=\"0\" aria-label=\"");
    html_text(p->out, title);
    html_raw(p->out, "\">");
}

void
page_figure_end(struct study_page *p)
{
    html_raw(p->out, "</div></figure>\n");
}

/* "00" to "23". */
static void
name_hours(struct html_col cols[24], char names[24][3])
{
    for (size_t i = 0; i < 24; i++) {
        names[i][0] = (char)('0' + i / 10);
        names[i][1] = (char)('0' + i % 10);
        names[i][2] = '\0';
        cols[i] = (struct html_col){names[i], true};
    }
}

void
page_week(struct study_page *p, const char *title,
          void (*cell)(struct study_page *, const void *, size_t),
          const void *of)
{
    static const char *const days[] = {"Monday",   "Tuesday", "Wednesday",
                                       "Thursday", "Friday",  "Saturday",
                                       "Sunday"};
    struct html_col cols[25] = {
        {"Day", false}
    };
    char names[24][3];

    name_hours(cols + 1, names);
    html_raw(p->out, "<div class=\"week\">");
    html_table(p->out, title, cols, ARRAY_LEN(cols));
    for (size_t day = 0; day < ARRAY_LEN(days); day++) {
        html_raw(p->out, "<tr><th scope=\"row\">");
        html_text(p->out, days[day]);
        html_raw(p->out, "</th>");
        for (size_t h = 0; h < 24; h++)
            cell(p, of, 24 * day + h);
        html_raw(p->out, "</tr>\n");
    }
    html_table_end(p->out);
    html_raw(p->out, "</div>\n");
}

void
page_term(struct study_page *p, const char *term, const char *meaning)
{
    html_raw(p->out, "<dt>");
    html_text(p->out, term);
    html_raw(p->out, "</dt><dd>");
    html_text(p->out, meaning);
    html_raw(p->out, "</dd>\n");
}
