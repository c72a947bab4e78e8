#ifndef SPAN25_RULES_ANSWERS_H
#define SPAN25_RULES_ANSWERS_H
/* answers - events to the first answers: who sends, who receives, who refuses
 *
 * Pure: (state, event) to state, no clock, no I/O. Reads events as the core
 * publishes them. Bounded: ANSWERS_HOSTS home hosts, ANSWERS_PAIRS pairs each
 * of host and peer, listing and server, session and kind of anomaly,
 * ANSWERS_LISTINGS listings, messages and files as mails.h and attached.h say;
 * what is beyond is counted. */
#include "sensor/base/err.h"
#include "sensor/event/record.h"
#include "sensor/event/summary.h"

#define ANSWERS_HOSTS    100000U
#define ANSWERS_PAIRS    4000000U
#define ANSWERS_LISTINGS 4096U

struct answers;

MUST_USE enum err answers_new(struct answers **out);
void answers_free(struct answers *a);

/* event is the map of a checked record of type smtp, smtp_session, anomaly,
 * fileinfo or stats. */
void answers_event(struct answers *a, const struct record_map *event);

/* Fills the lists and totals of s; they belong to a, which gets no more
 * events. Files, home networks and the like are the caller's to fill. */
void answers_summary(struct answers *a, struct summary *s);

#endif
