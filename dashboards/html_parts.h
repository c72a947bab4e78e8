#ifndef SPAN25_DASHBOARDS_HTML_PARTS_H
#define SPAN25_DASHBOARDS_HTML_PARTS_H
/* html_parts - what came attached, in the HTML report
 *
 * Nothing when no part was told; at most REPORT_HTML_ROWS files, with how many
 * more there are. Names stand as they came, spaces kept, controls visible. */
#include "dashboards/facts.h"

void html_parts(struct buf *out, const struct summary *s);

#endif
