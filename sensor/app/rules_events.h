#ifndef SPAN25_APP_RULES_EVENTS_H
#define SPAN25_APP_RULES_EVENTS_H
/* rules_events - a file of events, a line at a time
 *
 * As read --events writes it. A line that is no event is told and passed over;
 * after RULES_EVENTS_TOLD of them they are only counted. */
#include "sensor/base/err.h"
#include "sensor/event/json_read.h"

#define RULES_EVENTS_TOLD 20U

struct rules_events;

/* path: - is standard input. A failure is told in messages, which must outlive
 * it. */
MUST_USE enum err rules_events_open(const char *path, struct buf *messages,
                                    struct rules_events **out);
void rules_events_close(struct rules_events *e); /* NULL is fine */

/* The next event as a record and its line, borrowed until the next call; false
 * at the end. */
bool rules_events_next(struct rules_events *e, struct span *record,
                       struct span *line, uint64_t *number);

/* Lines that were no events, or that reading failed in between. */
uint64_t rules_events_faults(const struct rules_events *e);

#endif
