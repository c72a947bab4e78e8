#ifndef SPAN25_APP_DESK_HOSTS_H
#define SPAN25_APP_DESK_HOSTS_H
/* desk_hosts - the statistics of a host, as people read them */
#include "sensor/app/desk.h"

/* All that is known of an address: itself and its leases; as JSON the events,
 * with commas between. */
MUST_USE enum cli_exit desk_hosts_put(struct desk *d, const struct addr *a);
/* Of each of these events its checks, as an array of arrays. */
MUST_USE enum cli_exit desk_hosts_checks_json(struct desk *d,
                                              const struct addr *a);

/* The list: registry_table_fini afterwards. A row is of a host event. */
void desk_hosts_table(struct registry_table *t);
void desk_hosts_row(struct registry_table *t, struct span record);

#endif
