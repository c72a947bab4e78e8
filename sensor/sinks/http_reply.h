#ifndef SPAN25_SINKS_HTTP_REPLY_H
#define SPAN25_SINKS_HTTP_REPLY_H
/* http_reply - the answer of an HTTP/1.1 server, RFC 9112, as bytes come
 *
 * Only what a sender needs: the code, how long to wait, whether the connection
 * can be used again. Bodies, by length or in chunks, are counted and forgotten;
 * interim answers (1xx) are passed over. Any cut of the bytes gives the same.
 *
 * BOUNDS. A line is looked at up to HTTP_LINE_MAX bytes; a head of more than
 * HTTP_HEAD_MAX is BAD. A body of more than HTTP_BODY_MAX, or without an end of
 * its own, is not waited for: the answer is DONE, and the connection is not to
 * be used again. */
#include "sensor/base/ns.h"

#define HTTP_LINE_MAX 1024U
#define HTTP_HEAD_MAX (64U << 10)
#define HTTP_BODY_MAX (1U << 20)

enum http_state {
    HTTP_STATUS,
    HTTP_FIELD,
    HTTP_BODY,
    HTTP_CHUNK_SIZE,
    HTTP_CHUNK,
    HTTP_CHUNK_END,
    HTTP_TRAILER,
    HTTP_DONE,
    HTTP_BAD /* no answer of HTTP/1: the connection is of no use */
};

struct http_reply {
    enum http_state state;
    unsigned code;    /* 200 to 599, once it is DONE */
    bool keeps;       /* another request may follow on this connection */
    bool has_retry;   /* Retry-After: */
    uint64_t retry_s; /* in seconds, */
    ns_t retry_at;    /* or, when not 0, as a date */
    bool is_chunked;  /* the rest is its own */
    bool has_length;
    uint64_t left, length;
    uint64_t head, body; /* bytes so far */
    size_t n_line;       /* bytes of the line at hand, those kept */
    uint8_t line[HTTP_LINE_MAX];
};

void http_reply_init(struct http_reply *r);

/* How many of the bytes belong to this answer; all of them, unless it is then
 * DONE or BAD. */
size_t http_reply_feed(struct http_reply *r, struct span bytes);

#endif
