#include "sensor/core/place.h"

static const char *const pool_words[] = {
#define POOL_WORD(id, word, doc) [SITES_POOL_##id] = word,
    SITES_POOLS(POOL_WORD)
#undef POOL_WORD
};

struct place_host
place_find(const struct place *p, const struct addr *a, uint16_t vlan,
           ns_t when)
{
    struct place_host h = {false, NULL, NULL, NULL};
    struct sites_place found;

    if (p->sites == NULL)
        return h;
    found = sites_find(p->sites, a, vlan);
    h.home = found.home;
    h.site = found.site;
    if (found.pool != SITES_POOL_NONE)
        h.pool = pool_words[found.pool];
    /* Behind nat and vpn a lease would name one of many. */
    if (p->leases != NULL && found.home &&
        (found.pool == SITES_POOL_NONE || found.pool == SITES_POOL_DHCP))
        h.lease = leases_find(p->leases, a, when);
    return h;
}

const char *
place_direction(const struct place *p, const struct place_host *client,
                const struct place_host *server)
{
    static const char *const names[2][2] = {
        {"external", "inbound" },
        {"outbound", "internal"}
    };

    if (p->sites == NULL || sites_n_home(p->sites) == 0)
        return NULL;
    return names[client->home][server->home];
}
