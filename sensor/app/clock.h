#ifndef SPAN25_APP_CLOCK_H
#define SPAN25_APP_CLOCK_H
/* clock - the system's clocks, read at the edge
 *
 * Nanoseconds of CLOCK_REALTIME (UTC) or CLOCK_MONOTONIC; 0 where the system
 * has no such clock. */
#include "sensor/base/ns.h"

#include <time.h>

ns_t clock_of(clockid_t which);

#endif
