#ifndef SPAN25_DASHBOARDS_HTTP_ASK_H
#define SPAN25_DASHBOARDS_HTTP_ASK_H
/* http_ask - a request from its first line to the last byte of its answer
 *
 * Made when libmicrohttpd has read the first line; reads the fields that
 * http_request names, refuses what is wrong with them, keeps the body. */
#include <microhttpd.h>

#include "dashboards/http/http.h"

enum http_ask_state {
    ASK_HEAD,
    ASK_BODY,
    ASK_WAITS, /* for a job; its connection is suspended */
    ASK_MADE,  /* there is an answer */
    ASK_SENT,  /* it has been handed over */
};

struct http_ask {
    struct http_ask *next; /* in a queue */
    struct MHD_Connection *c;
    enum http_ask_state state;
    struct buf target; /* as on the wire */
    struct buf room;   /* what r points into */
    struct buf body;
    size_t swallowed; /* bytes of a body that is too long */
    size_t held;      /* bytes of the answer, charged */
    bool head, no_gzip, full;
    struct http_request r;
    struct http_answer a;
};

/* NULL: no memory. */
struct http_ask *http_ask_new(const char *target);
void http_ask_free(struct http_ask *k); /* NULL is fine */

/* The head has been read. False: k->a refuses, and no body is to be read. */
MUST_USE bool http_ask_head(struct http_ask *k, const char *method,
                            const char *version, const char *user_field);

/* Bytes of the body, charged to *bodies. False: the connection is to be closed.
 */
MUST_USE bool http_ask_body(struct http_ask *k, struct span bytes,
                            size_t *bodies);
/* All has been read. False: k->a refuses. */
MUST_USE bool http_ask_end(struct http_ask *k);

/* Makes k->a a refusal with the body {"error":{"message","id"}}. */
void http_ask_refuse(struct http_ask *k, unsigned status, const char *message);

#endif
