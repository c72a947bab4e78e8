#ifndef SPAN25_RULES_VERDICTS_H
#define SPAN25_RULES_VERDICTS_H
/* verdicts - events to what a summary says of alerts and decisions
 *
 * A fold of published events: host, alert and decision events count, others are
 * passed over. Each episode and each subject has one row, with what the latest
 * event told; a lift takes the subject's row away, an end of its time marks it.
 * Pure: no clock, no I/O. At most VERDICTS_ROWS of each are kept, what is
 * beyond is counted. */
#include "sensor/base/err.h"
#include "sensor/event/record.h"
#include "sensor/event/summary.h"

#define VERDICTS_ROWS  4096U
#define VERDICTS_HOSTS 1048576U /* told apart; beyond, a lower bound */

struct verdicts;

MUST_USE enum err verdicts_new(struct verdicts **out);
void verdicts_free(struct verdicts *v);

/* event is the map of a checked record. */
void verdicts_event(struct verdicts *v, const struct record_map *event);

/* Fills the lists and counts of s; they belong to v, which gets no more events.
 */
void verdicts_summary(struct verdicts *v, struct summary *s);

#endif
