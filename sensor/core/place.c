#include "sensor/core/place.h"

bool
place_is_home(const struct place *p, const struct addr *a)
{
    for (size_t i = 0; i < p->n_home; i++) {
        if (prefix_has(&p->home[i], a))
            return true;
    }
    return false;
}

const char *
place_direction(const struct place *p, const struct addr *client,
                const struct addr *server)
{
    static const char *const names[2][2] = {
        {"external", "inbound" },
        {"outbound", "internal"}
    };

    if (p->n_home == 0)
        return NULL;
    return names[place_is_home(p, client)][place_is_home(p, server)];
}
