#ifndef SPAN25_APP_SERVE_PUBLIC_H
#define SPAN25_APP_SERVE_PUBLIC_H
/* serve_public - what sites see: the form, their drafts, the state of a form
 *
 * For the second listener of the server, open to anybody, without log-in. Its
 * routes are one table (serve_public.def); nothing else is answered here. What
 * is kept for a site lies under a link with a secret (drafts.h), which comes in
 * the field X-CSRF-Token and never in an address: it is in no log, a page of
 * another site cannot send it. Of a form nobody sees more than who filled it
 * in knows, and what was decided with its reason.
 *
 * A form is submitted through the verb. One that misses something is not: the
 * answer names each field. Numbers that somebody puts into a form are not
 * believed: it is a new one, or the one of its link. Who has the link of a form
 * may withdraw its lines. That a contact reads the mail at his address is shown
 * by another link, which only the office sends there; it opens nothing else.
 *
 * Any thread: one request at a time is worked on. */
#include "dashboards/http/http.h"
#include "sensor/app/cli.h"

#define SERVE_PUBLIC_BURST   120U /* requests of an address (IPv6: /64) */
#define SERVE_PUBLIC_EACH_NS (NS_PER_S / 2) /* then one in this time */
#define SERVE_PUBLIC_BUCKETS 4096U
#define SERVE_PUBLIC_KEPT    600U /* drafts and forms taken in an hour, of all */
#define SERVE_PUBLIC_LINES   1000U /* of a form */

/* Values that are empty are not said. */
struct serve_public_decision {
    const char *form, *action;
    struct span lines, reason, reference;
};

struct serve_public_options {
    const char *state;
    const char *site;     /* who runs this; NULL: not said */
    const char *support;  /* whom to ask; NULL */
    const char *deadline; /* registry.deadline; NULL */
    const char *origin;   /* as browsers name it; NULL: by Host */
    bool read_only;
    /* `registry submit` of this text: number and due time in out, what was
     * wrong in messages. */
    enum cli_exit (*submit)(void *ctx, struct span yaml, struct buf *out,
                            struct buf *messages);
    /* `registry decide`; what was wrong in messages. */
    enum cli_exit (*decide)(void *ctx, const struct serve_public_decision *d,
                            struct buf *messages);
    void *ctx;
};

struct serve_public;

MUST_USE enum err serve_public_new(const struct serve_public_options *o,
                                   struct serve_public **out);
void serve_public_free(struct serve_public *p); /* NULL is fine */

/* Answers anything below /api/ of that listener; out is all zero, its body
 * initialised. */
void serve_public_answer(struct serve_public *p, const struct http_request *r,
                         ns_t now, struct http_answer *out);

#endif
