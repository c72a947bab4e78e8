#ifndef SPAN25_DASHBOARDS_HTML_HOSTS_H
#define SPAN25_DASHBOARDS_HTML_HOSTS_H
/* html_hosts - the tables of hosts in the HTML report
 *
 * Each shows up to REPORT_HTML_ROWS and says how many more there are. */
#include "dashboards/facts.h"

void html_hosts_senders(struct buf *out, const struct summary *s,
                        const struct facts *f);
void html_hosts_receivers(struct buf *out, const struct summary *s,
                          const struct facts *f);

#endif
