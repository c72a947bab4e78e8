#ifndef SPAN25_APP_LIVE_ORDERS_H
#define SPAN25_APP_LIVE_ORDERS_H
/* live_orders - what the supervisor tells the core
 *
 * Records of type control in a ring of their own, see live_core.h. One that has
 * no room is told in messages and lost. */
#include "sensor/app/live.h"

struct live_orders {
    struct ring *ring;
    uint32_t n;
    struct buf *messages;
};

/* A process was not there from since (UTC) until now. */
void live_orders_gap(struct live_orders *o, struct span text, ns_t since);
/* The configuration is to be read again; it was found good. */
void live_orders_reload(struct live_orders *o);

#endif
