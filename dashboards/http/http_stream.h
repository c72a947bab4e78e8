#ifndef SPAN25_DASHBOARDS_HTTP_STREAM_H
#define SPAN25_DASHBOARDS_HTTP_STREAM_H
/* http_stream - streams of events to many clients
 *
 * One ring holds the newest bytes; a stream is a place in it, so a client that
 * does not read costs nothing. One that falls out of the ring ends. All calls
 * but http_stream_tell are for the thread that runs the daemons, which the
 * descriptor `wake` awakens. */
#include <microhttpd.h>

#include "dashboards/http/http.h"

#define HTTP_STREAM_RING 65536U

struct http_stream;
struct http_streams;

/* stays: as in http_options. */
MUST_USE enum err http_streams_new(int wake,
                                   bool (*stays)(void *ctx, uint64_t of),
                                   void *ctx, struct http_streams **out);
void http_streams_free(struct http_streams *s); /* NULL is fine */

/* Any thread. */
void http_stream_tell(struct http_streams *s, const char *kind,
                      struct span data);

/* A stream of this connection; its end is the end of the response. NULL: there
 * are HTTP_STREAMS, or no memory. */
struct MHD_Response *http_stream_open(struct http_streams *s,
                                      struct MHD_Connection *c, uint64_t of);

/* Resumes those that have something to send. */
void http_streams_run(struct http_streams *s);
/* Once a second: shows clients that are gone, and ends streams that are old or
 * may not go on. */
void http_streams_tick(struct http_streams *s);
/* All end; no new one is opened. */
void http_streams_end(struct http_streams *s);

unsigned http_streams_count(const struct http_streams *s); /* any thread */

#endif
