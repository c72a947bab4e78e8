#ifndef SPAN25_SINKS_DATE_H
#define SPAN25_SINKS_DATE_H
/* date - a point in time as mail and HTTP write it
 *
 * RFC 5322 3.3: "[Sun,] 6 Nov 2026 08:49[:37] +0100", also with GMT, UT, UTC or
 * Z as the zone, and with words behind it; RFC 9110's IMF-fixdate is one of
 * them. Years of two digits and zones of letters are not read. */
#include "sensor/base/ns.h"

bool date_parse(struct span text, ns_t *out);

#endif
