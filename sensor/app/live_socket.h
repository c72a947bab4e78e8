#ifndef SPAN25_APP_LIVE_SOCKET_H
#define SPAN25_APP_LIVE_SOCKET_H
/* live_socket - who writes into the journal while a sensor has it
 *
 * DIR/core.sock is a stream socket of the Unix domain, 0600, and answers root
 * and the user of the core only. A message is its length, four bytes in network
 * order, and that many bytes: a record of type control (record.h). The answer
 * is a line: "ok" once the event is on disk, or why not. More messages may
 * follow on the same connection, one after the other.
 *
 * The core's side never waits: a step takes what is there. At most
 * LIVE_SOCKET_CLIENTS are served at a time; who has not sent a whole message
 * LIVE_SOCKET_NS after the last one, or sends what is none, is sent away. */
#include "sensor/base/attr.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"

#define LIVE_SOCKET_FILE    "core.sock"
#define LIVE_SOCKET_CLIENTS 16
#define LIVE_SOCKET_MESSAGE (64U << 10)
#define LIVE_SOCKET_NS      (2 * NS_PER_S)
/* A record may be so far ahead of the clock. */
#define LIVE_SOCKET_AHEAD_NS (3600 * NS_PER_S)

/* ---- the core's side ---- */

struct live_socket;

/* What becomes of a message. ERR_OK: it is on disk; others: why has a line
 * without its end. */
struct live_socket_taker {
    enum err (*take)(void *ctx, struct span record, struct buf *why);
    void *ctx;
};

/* A socket that an earlier core left is replaced. */
MUST_USE enum err live_socket_new(const char *state,
                                  const struct live_socket_taker *taker,
                                  struct live_socket **out);
void live_socket_step(struct live_socket *s, ns_t mono);
/* Removes the socket. NULL is fine. */
void live_socket_free(struct live_socket *s);

/* Is this a record that people's verbs make: well-formed, of type control, of
 * one of their kinds, with fields of control only, not ahead of now? Else why
 * has a word on it. */
MUST_USE bool live_socket_check(struct span record, ns_t now, struct buf *why);

/* ---- the other side ---- */

/* ERR_NOENT: nobody listens there. The descriptor is the caller's. */
MUST_USE enum err live_socket_dial(const char *state, int *fd);
/* Waits for the answer, some seconds. ERR_OK: taken; others: why has a line. */
MUST_USE enum err live_socket_ask(int fd, struct span record, struct buf *why);

#endif
