#ifndef SPAN25_DASHBOARDS_HTML_VERDICTS_H
#define SPAN25_DASHBOARDS_HTML_VERDICTS_H
/* html_verdicts - alerts and decisions, in the HTML report
 *
 * Nothing where no rule was run; at most REPORT_HTML_ROWS of each, with how
 * many more there are. */
#include "dashboards/facts.h"

void html_alerts(struct buf *out, const struct summary *s);
void html_decisions(struct buf *out, const struct summary *s,
                    const struct facts *f);

#endif
