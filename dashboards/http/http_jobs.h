#ifndef SPAN25_DASHBOARDS_HTTP_JOBS_H
#define SPAN25_DASHBOARDS_HTTP_JOBS_H
/* http_jobs - the threads that make answers
 *
 * Requests wait in a bounded queue; those answered wait to be fetched by the
 * thread that gave them, which the descriptor `wake` awakens. */
#include "dashboards/http/http_ask.h"

struct http_jobs;

struct http_jobs_options {
    void (*answer)(void *ctx, const struct http_request *r,
                   struct http_answer *out);
    void *ctx;
    int wake;
};

MUST_USE enum err http_jobs_new(const struct http_jobs_options *o,
                                struct http_jobs **out);

/* False: HTTP_WAITING wait already. */
MUST_USE bool http_jobs_put(struct http_jobs *j, struct http_ask *k);
/* A list of those that have an answer. */
struct http_ask *http_jobs_done(struct http_jobs *j);

/* Waits for answers that are being made; requests that wait are refused, and
 * are fetched with http_jobs_done. */
void http_jobs_stop(struct http_jobs *j);
void http_jobs_free(struct http_jobs *j); /* stopped; NULL is fine */

#endif
