#ifndef SPAN25_RULES_HOST_PATHS_H
#define SPAN25_RULES_HOST_PATHS_H
/* paths - who brings the packets of the outside, DETECTION 6.2
 *
 * On a mirror port whoever is inside can speak for both ends of a connection.
 * Two things are learned from connections whose both sides were heard, and the
 * connections that count as evidence are held against them:
 *
 * WAYS. A MAC address that for some time brings outside networks to several
 * hosts at home is a router (limits.def: path_*). It must serve a fair part of
 * the hosts of the one that serves most, and when one is known already, a
 * further one waits longer; else a forger would only have to begin early. Each
 * sensor has its own. PATH_BOUND: the outside's packets came by a router, those
 * of home did not.
 *
 * TTL. The hop limit with which a server's packets arrive, once two hosts saw
 * the same by a router; and whether a router brings different ones at all,
 * which behind a proxy it does not.
 *
 * What cannot be told: a forger who copies the router's MAC address and each
 * server's hop limit. Nothing that a passive sensor sees tells such packets
 * from true ones; where the victim's own stack hears them, it objects with a
 * RST (session.c).
 *
 * MEMORY is bounded: PATHS_MAX addresses, of which routers are never pushed out
 * by strangers, and PATHS_SERVERS servers. Keyed hashes. A router not seen for
 * path_kept_s is forgotten. More than PATHS_SENSORS sensors share what is known
 * about how many there are. */
#include "sensor/base/addr.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

#define PATHS_MAX     1024U
#define PATHS_SERVERS 16384U
#define PATHS_SENSORS 16U

enum path {
    PATH_UNSEEN,   /* no link layer on the mirror */
    PATH_LEARNING, /* no router is known yet */
    PATH_BOUND,
    PATH_UNPROVEN, /* home's packets came by a router too */
    PATH_ONE,      /* both ends by the same address */
    PATH_FOREIGN,  /* the outside's came by no router, and there is one */
};

/* One connection across the border. ttl is of the outside's packets, 0: not
 * known. */
struct path_flow {
    struct span sensor;
    struct span home_mac, away_mac; /* texts, or nothing */
    struct addr home, away;
    uint8_t ttl;
    bool away_serves;
    ns_t now;
};

enum path_ttl { TTL_UNKNOWN, TTL_AS_OTHERS, TTL_ODD };

struct paths;

MUST_USE enum err paths_new(uint64_t seed, struct paths **out);
void paths_free(struct paths *p);

/* Judges, then learns. */
enum path paths_see(struct paths *p, const struct path_flow *f);
/* Does the server's hop limit fit what other hosts saw? Of a connection that
 * paths_see was told of. */
enum path_ttl paths_ttl(const struct paths *p, const struct path_flow *f);
/* Do connections of this sensor show different hop limits? */
bool paths_varied(const struct paths *p, struct span sensor);
uint64_t paths_bytes(void);

/* Bytes as they lie in memory. load into a new one of the same seed. */
void paths_save(const struct paths *p, struct buf *out);
MUST_USE enum err paths_load(struct paths *p, struct cursor *in);

#endif
