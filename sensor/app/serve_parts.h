#ifndef SPAN25_APP_SERVE_PARTS_H
#define SPAN25_APP_SERVE_PARTS_H
/* serve_parts - what the files of serve_call share */
#include "sensor/app/kept.h"
#include "sensor/app/serve_view.h"

#include <pthread.h>

#define SERVE_LOOKS     256U /* remembered; more: one is journaled again */
#define SERVE_LOOK_TEXT 96U

/* Somebody saw something, which was journaled then. */
struct serve_look {
    char user[USERS_NAME];
    char what[SERVE_LOOK_TEXT];
    ns_t when;
};

struct serve {
    const struct cli *cli;
    struct serve_job *job; /* the caller's; NULL: no study can be run */
    bool read_only;
    pthread_rwlock_t lock; /* calls that look; alone: one that writes */
    pthread_mutex_t looks_lock;
    struct serve_look looks[SERVE_LOOKS];
    size_t next_look;
    pthread_mutex_t now_lock; /* one /now is made, the others get it too */
    struct buf now;
    ns_t now_when, now_kept;
    struct kept kept; /* between calls of verbs */
};

/* ---- what is journaled ---- */

/* Of a control event of kind page; what is empty or NULL is not told. */
struct serve_told {
    const char *action, *actor;
    const char *hash;
    struct span text, reason, alert, subject;
};

/* The caller has the lock, alone. False: it could not be written. */
MUST_USE bool serve_tell(struct serve *s, const struct serve_told *t,
                         struct buf *messages);

/* ---- what was asked ---- */

struct serve_values {
    struct serve_value v[SERVE_BODY_VALUES];
    size_t n;
    struct buf text; /* strings of the body that had escapes, and words */
};

/* The query, the {name} of the path, or the body. False: why has a sentence. */
MUST_USE bool serve_values_read(enum serve_route_id id, struct span segment,
                                const struct serve_request *r,
                                struct serve_values *out, struct buf *why);
void serve_values_free(struct serve_values *v);
struct span serve_values_find(const struct serve_values *v, const char *name);

/* ---- a verb ---- */

/* Runs it; json: out has a document. The caller has the lock. */
enum cli_exit serve_verb_run(struct serve *s, enum serve_route_id id,
                             const char *user, const struct serve_values *v,
                             struct buf *out, struct buf *messages, bool *json);

#endif
