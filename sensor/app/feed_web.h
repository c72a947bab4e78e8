#ifndef SPAN25_APP_FEED_WEB_H
#define SPAN25_APP_FEED_WEB_H
/* feed_web - block lists over HTTP or HTTPS (libmicrohttpd, TLS by GnuTLS)
 *
 * One thread: feed_web_turn waits for requests and answers them, as feed_serve
 * says. At most FEED_WEB_CONNECTIONS at a time, FEED_WEB_EACH from an address,
 * each for FEED_WEB_S without a byte; a request with a body is read no further
 * than its head. Needs no file and no new socket once it is open. */
#include "sensor/app/feed_serve.h"

#define FEED_WEB_CONNECTIONS 64U
#define FEED_WEB_EACH        16U
#define FEED_WEB_S           10U
#define FEED_WEB_MEMORY      32768U /* bytes of a connection: head of requests */

struct feed_web_options {
    int listener;            /* its own from then on */
    const char *certificate; /* PEM; NULL: HTTP */
    const char *key;
    struct feed_serve *serve;
    /* Who has fetched a list, after the last byte; NULL: a stranger asked. */
    void (*done)(void *ctx, struct feed_consumer *c);
    ns_t (*now)(void);
    void *ctx;
};

struct feed_web;

/* ERR_CONFIG: certificate or key are none, or do not fit. */
MUST_USE enum err feed_web_open(const struct feed_web_options *o,
                                struct feed_web **out);
/* At most so many milliseconds. */
void feed_web_turn(struct feed_web *w, unsigned ms);
void feed_web_close(struct feed_web *w); /* NULL is fine */

#endif
