#ifndef SPAN25_APP_SERVE_PUBLIC_PARTS_H
#define SPAN25_APP_SERVE_PUBLIC_PARTS_H
/* serve_public_parts - what the routes of the registration page share
 *
 * serve_public.c has who may ask and the forms, serve_public_book.c how far a
 * form is, serve_public_change.c what a site changes of its own lines. For
 * these alone. */
#include <pthread.h>

#include "rules/registry/book.h"
#include "rules/registry/form_file.h"
#include "sensor/app/drafts.h"
#include "sensor/app/serve_public.h"
#include "sensor/base/json_out.h"

struct registry_db;

struct serve_public {
    struct serve_public_options o;
    pthread_mutex_t lock;
    uint64_t seed;
    ns_t paid[SERVE_PUBLIC_BUCKETS]; /* until when the requests of it count */
    ns_t hour;                       /* that kept is counted in */
    unsigned kept;
    struct registry_db *db; /* or NULL */
    struct book *book;
};

/* A request that is worked on. */
struct asked {
    struct serve_public *p;
    const struct http_request *r;
    struct http_answer *out;
    ns_t now;
    char secret[DRAFTS_SECRET]; /* "": none came */
    struct draft draft;         /* what is under it */
    struct forms forms;         /* of the body; one */
};

/* {"error": ...}, in place of what was written. */
void serve_public_fail(struct asked *a, unsigned status, struct span message);
/* {"data": and what follows is its value; end is called then. */
struct json_out serve_public_begin(struct asked *a);
void serve_public_end(struct asked *a, struct json_out *j);
void serve_public_put_time(struct json_out *j, const char *key, ns_t when);
void serve_public_put_text(struct json_out *j, const char *key,
                           const char *text);

/* Each false: it may not, and was told why. */
bool serve_public_may_keep(struct asked *a);
bool serve_public_is_asked_here(struct asked *a);
/* What is under the link that came, if one came; need: one must have. mail: one
 * of kind mail, and no other. */
bool serve_public_open_link(struct asked *a, bool mail);
bool serve_public_need_link(struct asked *a, bool mail);
/* What a verb said that did not do it. */
void serve_public_refuse(struct asked *a, enum cli_exit code,
                         const struct buf *messages);

/* NULL: no such form, or no registry. */
const struct book_form *serve_public_find_form(struct serve_public *p,
                                               const char *number);
/* "state": how far the form of the link is. */
void serve_public_put_state(struct asked *a, struct json_out *j);
void serve_public_forget_registry(struct serve_public *p);

/* ---- routes ---- */

void serve_public_withdraw(struct asked *a);
void serve_public_discard(struct asked *a);
void serve_public_address(struct asked *a);
void serve_public_mail(struct asked *a);

#endif
