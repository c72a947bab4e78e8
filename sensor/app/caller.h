#ifndef SPAN25_APP_CALLER_H
#define SPAN25_APP_CALLER_H
/* caller - who calls a verb that keeps what people do, and when */
#include "sensor/app/options.h"

ns_t caller_clock(void);

/* The time of --at, else the clock. False: --at is no time, which is told. */
MUST_USE bool caller_now(const struct config *c, struct buf *messages,
                         ns_t *now);

/* --actor, else the name of the user; borrowed. */
const char *caller_name(const struct config *c);

#endif
