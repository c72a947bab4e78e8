#ifndef SPAN25_APP_SERVE_CALL_H
#define SPAN25_APP_SERVE_CALL_H
/* serve_call - one call of the API: a route, its verb, its answer
 *
 * Knows nothing of HTTP but a method, a path, parameters and a body. The
 * caller is known already; whether he may is decided here, by the table. The
 * verb is called in this process as the command line would call it: values
 * stand behind a flag's "=" or behind "--", so none of them is taken for an
 * option. Any number of threads may call: a change waits until no other call is
 * made, as two of them cannot have the journal.
 *
 * Who sees what mail said (an alert's evidence, a session) is journaled, once
 * for SERVE_LOOK_NS; where it cannot be, nothing is shown. */
#include "sensor/app/cli.h"
#include "sensor/app/serve_routes.h"

#define SERVE_BODY_VALUES 600U /* 500 rows of a page, and the rest */
#define SERVE_ANSWER      (64U << 20)
#define SERVE_LOOK_NS     (10 * 60 * NS_PER_S)

struct serve;
struct serve_job;

struct serve_options {
    const struct cli *cli; /* of the verb serve; outlives it */
    bool read_only;
    struct serve_job *job; /* runs studies, outlives it; NULL: none are run */
};

MUST_USE enum err serve_new(const struct serve_options *o, struct serve **out);
void serve_free(struct serve *s); /* NULL is fine */

/* Reads what calls need of the journal, until it is read or serve_stop is
 * called by another thread; for a thread of its own. */
void serve_warm(struct serve *s);
void serve_stop(struct serve *s);

struct serve_caller {
    const char *user;
    unsigned roles; /* 0: nobody is logged in */
};

struct serve_request {
    enum http_method method;
    struct span path; /* below SERVE_ROOT, begins with "/" */
    const struct http_pair *query;
    size_t n_query;
    struct span body; /* JSON; of a POST */
    const char *id;   /* of the request, for who complains */
};

/* status, and the JSON of the answer, appended to out. The routes of how HERE
 * are not done here: 404. */
unsigned serve_call(struct serve *s, const struct serve_caller *who,
                    const struct serve_request *r, struct buf *out);

/* {"error":{"message":...,"id":...}} */
void serve_error(struct buf *out, struct span message, const char *id);

/* A control event of kind page: login, logout, refused. False: it could not be
 * written. who NULL: unknown; peer: from where, as text. */
MUST_USE bool serve_record(struct serve *s, const char *action, const char *who,
                           struct span peer, struct buf *messages);

/* The strings of a flat JSON object, for the log-in: false: it is none. */
MUST_USE bool serve_body_text(struct span body, const char *key,
                              struct buf *out);

#endif
