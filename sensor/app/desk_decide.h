#ifndef SPAN25_APP_DESK_DECIDE_H
#define SPAN25_APP_DESK_DECIDE_H
/* desk_decide - what follows of what people say, where no sensor runs
 *
 * The core's part done here: decisions are made anew from those of the index
 * and the policy, shown the event, and what comes of it is journaled behind it.
 * Enforced is only what the policy says, and only in a live sensor's state. */
#include "sensor/app/desk.h"

enum cli_exit desk_decide(struct desk *d, struct desk_writer *w,
                          const struct record_out *told);

/* Is this a live sensor's state? */
bool desk_is_sensors(struct desk *d);

#endif
