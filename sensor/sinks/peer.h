#ifndef SPAN25_SINKS_PEER_H
#define SPAN25_SINKS_PEER_H
/* peer - a connection to the other side, called again until it is there
 *
 * A Unix socket, or TCP to a host, with TLS where the settings say so. Nothing
 * blocks: a host's name is looked up beside (peer_name.h), before each call,
 * and its addresses are called in turn. Calls are made after 0.1 s, then twice
 * as long up to 2 s; who has heard from the other side what shows that it works
 * says so by peer_good, and the waiting begins anew. A call that is not taken,
 * or a handshake that is not over, within 5 s is given up.
 *
 * `losses` counts connections that were there and are no more: the next one
 * knows nothing of what was under way.
 *
 * For the kinds of this folder. One thread. */
#include "sensor/base/ns.h"
#include "sensor/sinks/peer_name.h"
#include "sensor/sinks/peer_tls.h"

enum peer_state { PEER_AWAY, PEER_NAMING, PEER_CALLING, PEER_SHAKING, PEER_UP };

struct peer {
    int fd; /* -1: none */
    enum peer_state state;
    ns_t now, call_at, deadline, backoff;
    char *target;             /* as in the settings */
    char host[SINK_HOST_MAX]; /* empty: target is the path of a socket */
    uint16_t port;
    unsigned calls;         /* made so far */
    struct peer_name *name; /* while NAMING */
    uint64_t losses;
    struct peer_tls *tls; /* NULL: none */
    struct buf why;       /* one line, safe for a terminal; empty: no error */
};

/* ERR_CONFIG with a message: not such a target. */
void peer_init(struct peer *p);
MUST_USE enum err peer_set_path(struct peer *p, const char *path,
                                struct buf *message);
MUST_USE enum err peer_set_host(struct peer *p, const char *target,
                                uint16_t otherwise, struct buf *message);
void peer_fini(struct peer *p); /* after peer_init */

/* Gives the clock. One that was set back makes nobody wait longer: what is to
 * come is moved, and so is, by peer_earlier, what the caller keeps. Gives how
 * far back. */
ns_t peer_set_now(struct peer *p, ns_t now);
ns_t peer_earlier(ns_t when, ns_t back); /* 0 at least */
/* The same, and calls when it is time to. */
void peer_tick(struct peer *p, ns_t now);
/* Goes on with a call; true: the connection is there. */
bool peer_turn(struct peer *p);

/* DONE: *n bytes, at least one. Never END: that is FAILED, and the peer is
 * lost. */
enum peer_io peer_write(struct peer *p, struct span bytes, size_t *n);
enum peer_io peer_read(struct peer *p, uint8_t *room, size_t max, size_t *n);

/* Closes it, says why and when to call again. */
void peer_lost(struct peer *p, const char *why);
/* Closes it, to be called again at this time. */
void peer_leave(struct peer *p, ns_t call_at);
void peer_good(struct peer *p);

/* Returns when something has come, when what is to be written (more) can be,
 * or after ms. */
void peer_wait(const struct peer *p, bool more, unsigned ms);

/* "kind target: why", with "no error". */
void peer_why(const struct peer *p, const char *kind, struct buf *out);

#endif
