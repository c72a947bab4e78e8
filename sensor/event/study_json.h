#ifndef SPAN25_EVENT_STUDY_JSON_H
#define SPAN25_EVENT_STUDY_JSON_H
/* study_json - a study's result as JSON, and back
 *
 * {"schema":"span25-study-1","cover":{...},...}: the members of study_result.h
 * under their names, in the groups of study_shape.c. Members may be added, none
 * changes.
 *
 *   numbers   counts are exact; others have as many digits as give the same
 *             number again. What cannot be said (NAN) is null, "inf" is a time
 *             or a cost that is never reached
 *   a figure  {"value","low","high","k","n","method"}; shares are 0..1
 *   times     RFC 3339 in UTC, null for none
 *   by class, by group, by mail: an object with the words of study_result.h
 *   by policy, by day: an array in the order of policies and sight.days
 *   outcomes of a host: members that are 0 are left out, and null is a host
 *             that a policy does nothing to
 *   texts     bytes that are no UTF-8 become U+FFFD */
#include "sensor/base/buf.h"
#include "sensor/event/study_result.h"

#define STUDY_JSON_SCHEMA "span25-study-1"

void study_json_write(const struct study_result *r, struct buf *out);

#endif
