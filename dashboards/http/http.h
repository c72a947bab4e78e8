#ifndef SPAN25_DASHBOARDS_HTTP_H
#define SPAN25_DASHBOARDS_HTTP_H
/* http - a server of a page, of JSON and of a stream of events
 *
 * libmicrohttpd, TLS by GnuTLS. One thread holds all connections and never
 * waits for an answer: requests that were read whole go to HTTP_JOBS threads,
 * which call `answer`. HTTP/1.1 (RFC 9112), server-sent events (HTML Living
 * Standard 9.2). Of a request only what is named here is looked at; its path is
 * percent-decoded once, and one with a NUL, a backslash or "." and ".."
 * segments is answered 400 and goes no further; so is a field named here that
 * is there twice. What is no HTTP, or has a head of more than 32 KiB, is
 * refused by libmicrohttpd itself, with a fixed text and none of our fields.
 *
 * Needs a descriptor for each connection: see to RLIMIT_NOFILE. Opens no file
 * and no socket. Its threads take no signals. */
#include "sensor/base/addr.h"
#include "sensor/base/attr.h"
#include "sensor/base/buf.h"
#include "sensor/base/err.h"
#include "sensor/base/ns.h"
#include "sensor/base/span.h"

#define HTTP_LISTENERS   2U     /* operations, registration */
#define HTTP_CONNECTIONS 10000U /* at a time; more wait in the kernel */
#define HTTP_EACH        256U   /* of one address, loopback apart */
#define HTTP_IDLE_S      10U    /* without a byte, of a request or taken */
#define HTTP_WHOLE_S     30U    /* for a request, idle before it included */
#define HTTP_TAKE_S      300U   /* for an answer to be taken by the client */
#define HTTP_STREAM_S    900U   /* a stream then ends, and is asked for anew */
#define HTTP_HEAD        16384U /* bytes of a head */
#define HTTP_BODY        1048576U
#define HTTP_BODIES      67108864U  /* bytes of all bodies; more: 503 */
#define HTTP_ANSWER      67108864U  /* bytes of one; more: 500 */
#define HTTP_ANSWERS     268435456U /* of all that are being sent; more: 503 */
#define HTTP_EVENT       8192U      /* bytes of data; more: it is not told */
#define HTTP_QUERY       32U        /* parameters */
#define HTTP_JOBS        4U         /* answers made at a time */
#define HTTP_WAITING     256U       /* requests that wait for one; more: 503 */
#define HTTP_STREAMS     256U       /* streams of events at a time; more: 503 */
#define HTTP_ID          17U /* of a request, to be quoted; with its NUL */

enum http_method { HTTP_GET, HTTP_POST }; /* HEAD is a GET; others: 405 */

struct http_pair {
    struct span name, value; /* decoded */
};

/* Borrowed for the call. A field that is not there is empty. */
struct http_request {
    enum http_method method;
    unsigned listener; /* its place in http_options */
    struct addr peer;
    bool secure; /* TLS */
    struct span path;
    struct http_pair query[HTTP_QUERY];
    size_t n_query;
    struct span body, content_type;
    struct span host, origin, cookie, fetch_site;
    struct span csrf; /* X-CSRF-Token */
    struct span user; /* of the field that options.user_field names */
    struct span if_none_match, last_event_id;
    char id[HTTP_ID];
};

struct http_answer {
    unsigned status;
    const char *type;   /* NULL: no body */
    struct buf body;    /* freed by the server */
    const char *policy; /* Content-Security-Policy; NULL: http_policy */
    struct span fixed;  /* in place of body: lives as long as the server */
    bool gzip;       /* fixed is compressed; a client that takes none is 406 */
    bool immutable;  /* may be kept for ever; else no-cache with etag, or
                      * no-store */
    bool attachment; /* a download, with `name` */
    bool stream;     /* of events, see http_tell; status 200 */
    uint64_t of;     /* of a stream: for http_options.stays */
    char name[64];
    char etag[36];    /* without quotes; the server answers If-None-Match */
    char cookie[256]; /* Set-Cookie; empty: none */
    unsigned retry_after_s;
};

struct http_listener {
    int fd;                  /* its own once it is open */
    const char *certificate; /* PEM; NULL: HTTP */
    const char *key;
};

struct http_options {
    struct http_listener listeners[HTTP_LISTENERS];
    size_t n_listeners;
    const char *user_field; /* such as X-Remote-User; NULL: none is read */
    unsigned idle_s;        /* 0: HTTP_IDLE_S */
    unsigned whole_s;       /* 0: HTTP_WHOLE_S */
    /* On a thread of the server's own; several at a time. out is zero but for
     * body: an empty buf of at most HTTP_ANSWER bytes. */
    void (*answer)(void *ctx, const struct http_request *r,
                   struct http_answer *out);
    /* May the stream of an answer with this `of` go on? Asked once a second, by
     * the thread that holds all connections: it is not to wait. NULL: yes. */
    bool (*stays)(void *ctx, uint64_t of);
    void *ctx;
};

struct http;

/* ERR_CONFIG: certificate or key are none, or do not fit. */
MUST_USE enum err http_open(const struct http_options *o, struct http **out);

/* An event to everybody with a stream. kind: ours, a word; data: one line.
 * A client that does not read loses events beyond 64 KiB, then the stream
 * ends, and it comes again. Any thread. */
void http_tell(struct http *h, const char *kind, struct span data);

/* How many connections and streams there are. */
void http_count(const struct http *h, unsigned *connections, unsigned *streams);

/* Waits for the answers that are being made. NULL is fine. */
void http_close(struct http *h);

/* ---- of every answer, also of refusals ---- */

/* Content-Security-Policy of the page (UX 10.2), with Trusted Types. */
extern const char http_policy[];

#endif
