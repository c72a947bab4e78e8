#ifndef SPAN25_APP_SERVE_WEB_H
#define SPAN25_APP_SERVE_WEB_H
/* serve_web - requests of a browser: the page, log-in and log-out, the API
 *
 * Says who asks (gate.h), then lets serve_call answer. Reads no clock but for
 * the gate, and files only when users are loaded. Any thread. */
#include "dashboards/http/gate.h"
#include "sensor/app/serve_call.h"

struct serve_web_options {
    const struct config *config;
    struct serve *serve;
    struct buf *messages; /* why it could not be begun */
};

struct serve_web;

/* ERR_CONFIG, ERR_PERM: the users or what the gate is told; messages say. */
MUST_USE enum err serve_web_new(const struct serve_web_options *o,
                                struct serve_web **out);
void serve_web_free(struct serve_web *w); /* NULL is fine */

/* For http_options: ctx is a struct serve_web. */
void serve_web_answer(void *ctx, const struct http_request *r,
                      struct http_answer *out);

/* For http_options: does the session of this stream go on? Any thread. */
bool serve_web_stays(struct serve_web *w, uint64_t of);

/* Users anew; with a fault the old ones stay, and messages say why. */
MUST_USE enum err serve_web_reload(struct serve_web *w, struct buf *messages);

#endif
