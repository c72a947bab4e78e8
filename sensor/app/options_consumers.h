#ifndef SPAN25_APP_OPTIONS_CONSUMERS_H
#define SPAN25_APP_OPTIONS_CONSUMERS_H
/* options_consumers - the list `consumers` of the configuration file: who
 * fetches which block list */
#include "sensor/app/feed_store.h"
#include "sensor/app/options_list.h"

#define OPTIONS_CONSUMERS_MAX  32U
#define OPTIONS_CONSUMERS_LATE (900 * NS_PER_S)

extern const struct options_list options_consumers;

/* Of one that passed the check. */
struct feed_kind options_consumers_kind(const struct config_consumer *c);
ns_t options_consumers_late(const struct config_consumer *c);

#endif
