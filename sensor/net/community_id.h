#ifndef SPAN25_NET_COMMUNITY_ID_H
#define SPAN25_NET_COMMUNITY_ID_H
/* community_id - Community ID flow hash, version 1, seed 0, of TCP and UDP
 *
 * github.com/corelight/community-id-spec: SHA-1 over seed, the two addresses,
 * protocol and the two ports, the smaller end first, so both directions give
 * the same. An address that was ::ffff:a.b.c.d on the wire counts as IPv4, as
 * everywhere here. The digest is looked up once, so no lock is taken per flow.
 * One context per thread. */
#include "sensor/base/addr.h"
#include "sensor/base/err.h"

#define COMMUNITY_ID_LEN 30 /* "1:" and 28 characters of base64 */

struct community_id_ctx;

/* ERR_NOMEM also when the library will not give SHA-1. */
MUST_USE enum err community_id_new(struct community_id_ctx **out);
void community_id_free(struct community_id_ctx *c); /* NULL is fine */

struct community_id_end {
    const struct addr *addr;
    uint16_t port;
};

/* Exactly COMMUNITY_ID_LEN bytes, no NUL. proto: 6 TCP, 17 UDP. */
void community_id(struct community_id_ctx *c, uint8_t proto,
                  struct community_id_end a, struct community_id_end b,
                  char out[COMMUNITY_ID_LEN]);

#endif
