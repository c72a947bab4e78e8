#ifndef SPAN25_CORE_PLACE_H
#define SPAN25_CORE_PLACE_H
/* place - where an address stands: at home or not, whose, registered or not
 *
 * All that is pointed to is the caller's. Without sites nothing is at home. An
 * address is looked up once for an event: place_find, and the answers to
 * place_direction. */
#include "rules/registry/book.h"
#include "rules/registry/leases.h"
#include "rules/registry/sites.h"

struct place {
    const struct sites *sites;   /* done; or NULL */
    const struct leases *leases; /* done; or NULL */
    const struct book *book;     /* indexed; or NULL: no registry */
};

struct place_host {
    bool home;
    const struct site *site;   /* or NULL */
    const char *pool;          /* word of SITES_POOLS; NULL: one host's */
    const struct lease *lease; /* in force, of an address at home; or NULL */
};

/* vlan is the innermost of the event, 0: none. */
struct place_host place_find(const struct place *p, const struct addr *a,
                             uint16_t vlan, ns_t when);

/* outbound, inbound, internal or external; NULL without home networks. */
const char *place_direction(const struct place *p,
                            const struct place_host *client,
                            const struct place_host *server);

#endif
