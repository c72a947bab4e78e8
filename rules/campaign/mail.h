#ifndef SPAN25_RULES_CAMPAIGN_MAIL_H
#define SPAN25_RULES_CAMPAIGN_MAIL_H
/* mail - what the kinds of clusters need to know of an event */
#include "sensor/event/record.h"

struct mail {
    const struct record_map *event;
    uint32_t minute;
    uint32_t source; /* keyed hash of lease or address, never 0 */
    uint64_t prefix; /* keyed hash of its /24 or /48 */
    uint64_t seed;
    bool outbound, inbound;
    bool registered;
    bool relayed;  /* somebody else made it */
    bool message;  /* it was sent, and this event tells its end */
    uint32_t rcpt; /* keyed hash of the first recipient */
};

#endif
