#ifndef SPAN25_APP_LISTEN_H
#define SPAN25_APP_LISTEN_H
/* listen - the addresses at which HTTP is served */
#include "sensor/base/addr.h"
#include "sensor/base/attr.h"

/* "127.0.0.1:9125", "[::1]:9125" */
MUST_USE bool listen_address(struct span text, struct addr *out,
                             uint16_t *port);

/* The same; port 0 is fine: the system chooses one. */
MUST_USE bool listen_any(struct span text, struct addr *out, uint16_t *port);

/* 127.0.0.0/8 or ::1: nobody else reads what is said there. */
bool listen_is_loopback(const struct addr *a);

/* A listening socket that does not block, also before the address is there. -1:
 * it cannot be, and errno says why. */
MUST_USE int listen_open(const struct addr *a, uint16_t port);

#endif
