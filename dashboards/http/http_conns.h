#ifndef SPAN25_DASHBOARDS_HTTP_CONNS_H
#define SPAN25_DASHBOARDS_HTTP_CONNS_H
/* http_conns - the open connections: how many of whom, and since when
 *
 * libmicrohttpd ends a connection on which nothing moves. A client that sends
 * or takes a byte now and then is ended here, by the seconds that a whole
 * request or answer may last. One thread, but for the count. */
#include <microhttpd.h>

#include "dashboards/http/http.h"

enum http_conn_state {
    CONN_READS, /* a request, or waits for one */
    CONN_WORKS, /* its answer is being made, or is a stream */
    CONN_SENDS,
};

struct http_conn;
struct http_conns;

MUST_USE enum err http_conns_new(unsigned whole_s, struct http_conns **out);
void http_conns_free(struct http_conns *s); /* NULL is fine */

/* False: this address has HTTP_EACH. IPv6 counts by /64. */
bool http_conns_admit(const struct http_conns *s, const struct sockaddr *from);

/* NULL: no memory; the connection is then not watched. */
struct http_conn *http_conn_add(struct http_conns *s, int fd,
                                const struct sockaddr *from);
void http_conn_drop(struct http_conns *s, struct http_conn *c);
/* From now on its time in this state is counted. */
void http_conn_is(struct http_conn *c, enum http_conn_state state);

/* Once a second. */
void http_conns_tick(struct http_conns *s);
unsigned http_conns_count(const struct http_conns *s); /* any thread */

struct addr http_conn_addr(const struct sockaddr *from);

#endif
