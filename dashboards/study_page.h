#ifndef SPAN25_DASHBOARDS_STUDY_PAGE_H
#define SPAN25_DASHBOARDS_STUDY_PAGE_H
/* study_page - what the sections of a study's HTML report share
 *
 * A section appends to out; raw is scratch for one sentence, which the page_
 * functions take as it is, escape and empty. Markup that is ours is written by
 * html_raw. */
#include "dashboards/html.h"
#include "dashboards/study_facts.h"
#include "dashboards/study_report.h"
#include "dashboards/study_svg.h"

struct study_page {
    const struct study_result *r;
    const struct study_facts *f;
    struct buf raw;
    struct buf *out;
};

void page_section(struct study_page *p, const char *id, const char *title);
void page_section_end(struct study_page *p);
void page_heading(struct study_page *p, const char *title); /* of a part */

/* Paragraphs: our own words; what is in raw, as a sentence. */
void page_words(struct study_page *p, const char *words);
void page_say(struct study_page *p);
void page_item(struct study_page *p); /* of a list that is open */

/* Cells: what is in raw, as a number or from the left; the first of its row. */
void page_cell(struct study_page *p);
void page_cell_left(struct study_page *p);
void page_row_head(struct study_page *p);
/* A number for display; NAN is a dash. */
void page_cell_share(struct study_page *p, double share);
void page_cell_hosts(struct study_page *p, uint64_t n);
void page_cell_range(struct study_page *p, uint64_t least, uint64_t most);

/* A name that a person gave; NULL or empty: what stands for it. */
void page_name(struct study_page *p, const char *name, const char *otherwise);
/* A row's first cell with the name of a policy. */
void page_policy_head(struct study_page *p, const struct study_policy *policy);

/* Mark and word. */
void page_verdict(struct study_page *p, enum study_verdict v, const char *word);

/* "212 more rows: the CSV file of hosts has all", when not all n are shown;
 * table NULL: the JSON file. */
void page_more(struct study_page *p, size_t n, const char *table);

/* A figure that scrolls by itself: its title, then the chart. */
void page_figure(struct study_page *p, const char *title);
void page_figure_end(struct study_page *p);

/* A row a weekday, a column an hour; cell puts that of hour 0 to 167, Monday 00
 * UTC first. */
void page_week(struct study_page *p, const char *title,
               void (*cell)(struct study_page *, const void *, size_t),
               const void *of);
#define PAGE_SHADES 4U /* classes h0 to h4 of cells */

/* A row of a definition list. */
void page_term(struct study_page *p, const char *term, const char *meaning);

/* ---- parts of what was found ---- */

void study_html_peaks(struct study_page *p);
void study_html_weeks(struct study_page *p);

/* ---- sections, each in its own file ---- */

void study_html_cover(struct study_page *p);
void study_html_decision(struct study_page *p);
void study_html_criteria(struct study_page *p);
void study_html_method(struct study_page *p);
void study_html_sight(struct study_page *p);
void study_html_found(struct study_page *p);
void study_html_policies(struct study_page *p);
void study_html_limits(struct study_page *p);
void study_html_errors(struct study_page *p);
void study_html_sites(struct study_page *p);
void study_html_rollout(struct study_page *p);
void study_html_work(struct study_page *p);
void study_html_privacy(struct study_page *p);
void study_html_passive(struct study_page *p);
void study_html_hosts(struct study_page *p);
void study_html_glossary(struct study_page *p);
void study_html_estimators(struct study_page *p);
void study_html_repeat(struct study_page *p);

#endif
