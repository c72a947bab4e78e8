#ifndef SPAN25_DASHBOARDS_STUDY_CSS_H
#define SPAN25_DASHBOARDS_STUDY_CSS_H
/* study_css - what the report of a study has beyond the style of report_css
 *
 * The decision page is one page of A4 and of Letter on paper. */
extern const char *const study_css[]; /* in parts, the last is NULL */

#endif
