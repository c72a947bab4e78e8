#ifndef SPAN25_DASHBOARDS_REPORT_CSS_H
#define SPAN25_DASHBOARDS_REPORT_CSS_H
/* report_css - the style sheet of the HTML report
 *
 * Light, dark and print; text at least 4.5:1 and shapes at least 3:1 against
 * their ground (WCAG 2.2 AA); nothing is wider than 320 CSS pixels but the
 * tables, which scroll in their own box. */
extern const char *const report_css[]; /* in parts, the last is NULL */

#endif
