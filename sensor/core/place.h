#ifndef SPAN25_CORE_PLACE_H
#define SPAN25_CORE_PLACE_H
/* place - where an address stands: at home or not, registered or not */
#include "rules/registry.h"

struct place {
    const struct prefix *home;
    size_t n_home;
    const struct registry *registry; /* or NULL */
};

bool place_is_home(const struct place *p, const struct addr *a);

/* outbound, inbound, internal or external; NULL without home networks. */
const char *place_direction(const struct place *p, const struct addr *client,
                            const struct addr *server);

#endif
