#ifndef SPAN25_APP_LIVE_NOTIFY_H
#define SPAN25_APP_LIVE_NOTIFY_H
/* live_notify - tells the service manager what the sensor does
 *
 * sd_notify(3): one datagram to the socket that NOTIFY_SOCKET names, so no
 * library is needed for it. */
#include "sensor/base/attr.h"

#include <stdbool.h>

/* "READY=1". False: nobody takes it now; nothing waits for who does not read.
 * True also where nobody wants to be told. */
bool live_notify(const char *state);

#endif
