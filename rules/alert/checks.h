#ifndef SPAN25_RULES_ALERT_CHECKS_H
#define SPAN25_RULES_ALERT_CHECKS_H
/* checks - every statistic of a host in words, for alert.checks[]
 *
 * One object a statistic, whatever the rule looked at: fired at its alert or
 * block level, passed below it, not observable where host.unobservable says so
 * (with its reason) or nothing is known. "mx" has no level of its own: it fired
 * when the rule asked for it. */
#include "sensor/event/record.h"

#define CHECKS_TEXT 256U  /* bytes of a text that is kept of a host event */
#define CHECKS_KEEP 8192U /* bytes kept of one */

/* What checks and alerts need of a host event, as a record; borrowed until the
 * next begin of out. */
struct span checks_keep(struct record_out *out, const struct record_map *host);

/* The objects of alert.checks; host NULL: there is no host event. */
void checks_write(struct record_out *out, const struct record_map *host,
                  bool mx_fired);

#endif
