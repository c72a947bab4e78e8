#ifndef SPAN25_EVENT_EVENTS_MAN_H
#define SPAN25_EVENT_EVENTS_MAN_H
/* events_man - the manual page events(7), mdoc, from the tables
 *
 * Event types, fields of fields.def by object, anomalies of anomaly.def. */
#include "sensor/base/buf.h"

/* date as mdoc's Dd takes it: "November 22, 2026". */
void events_man_write(struct buf *out, const char *date);

#endif
