#ifndef SPAN25_APP_REGISTRY_TIME_H
#define SPAN25_APP_REGISTRY_TIME_H
/* registry_time - times as people write and read them
 *
 * What is written: RFC 3339 with a zone, "2026-11-22T09:12:00Z"; a day,
 * "2026-11-22", which is its beginning in UTC; a time from now, "48h" (s, m, h,
 * d). */
#include "sensor/base/buf.h"
#include "sensor/base/ns.h"

bool registry_time_read(struct span text, ns_t now, ns_t *out);
/* The same, but "48h" is so long ago (0 when that is before 1970). A time or a
 * day is what it says, also when it lies ahead. */
bool registry_time_since(struct span text, ns_t now, ns_t *out);

/* "2026-11-22T09:12:00Z" */
void registry_time_utc(ns_t t, struct buf *out);
/* "2026-11-22 09:12 +0100"; with utc "2026-11-22 09:12 UTC". */
void registry_time_show(ns_t t, bool utc, struct buf *out);
/* "1 h 40 m", "3 d 2 h", "12 m" */
void registry_time_length(ns_t t, struct buf *out);

#endif
