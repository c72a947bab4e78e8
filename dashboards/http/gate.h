#ifndef SPAN25_DASHBOARDS_GATE_H
#define SPAN25_DASHBOARDS_GATE_H
/* gate - who asks, and whether a change may be asked for
 *
 * A user comes from a session (a cookie with 256 random bits, of which only the
 * hash is kept), from the field of a proxy that is trusted, or, where the
 * server is open, is the one of gate_options. Reads no clock and no file; any
 * thread. All tables are bounded.
 *
 * A log-in, in this order, because the password takes long to look at:
 *     gate_try(g, r, name, now, &retry_s)         429 with Retry-After
 *     roles = users_check(users, name, password)  401 on 0
 *     gate_enter(g, r, name, roles, now, &user, answer->cookie)
 *
 * A request:
 *     said = gate_ask(g, r, now, touch, &user)    gate_status(said)
 *     roles of the route & user.roles, else GATE_ROLE
 */
#include "dashboards/http/http.h"
#include "dashboards/http/users.h"

#define GATE_SESSIONS 1024U /* more: the one that was longest idle goes */
#define GATE_EACH     16U   /* of one user */
#define GATE_PROXIES  16U
#define GATE_BUCKETS  4096U /* each of addresses and users that tried */
#define GATE_COOKIE   256U
#define GATE_TOKEN    65U

#define GATE_IDLE_NS (NS_PER_S * 60 * 30)
#define GATE_LIFE_NS (NS_PER_S * 3600 * 12)
#define GATE_WARN_NS (NS_PER_S * 60 * 2) /* before the end of a session */

enum gate_said {
    GATE_OK,
    GATE_NOBODY,   /* 401: no session, or its time is over */
    GATE_FOREIGN,  /* 403: a page of another site asks */
    GATE_NO_TOKEN, /* 403: X-CSRF-Token is missing or another one */
    GATE_ROLE,     /* 403: for the caller, when a role is lacking */
    GATE_SLOW,     /* 429 */
};

struct gate_options {
    /* As browsers name this server, such as "https://span25.example.org"; then
     * only it is answered. NULL: by the Host of each request. To be set where
     * a proxy speaks TLS. */
    const char *origin;
    /* Whose field of http_options.user_field is believed; without its own
     * roles a user has user_roles(ctx, name), and nobody comes by 0. */
    struct prefix proxies[GATE_PROXIES];
    size_t n_proxies;
    unsigned (*user_roles)(void *ctx, struct span name);
    void *ctx;
    /* No log-in: everybody is this user (a demonstration on one's own machine);
     * then Host must be origin, an address, or localhost. NULL: log in. */
    const char *open_user;
    unsigned open_roles;
};

struct gate_user {
    char name[USERS_NAME];
    unsigned roles;
    char csrf[GATE_TOKEN]; /* what X-CSRF-Token has to be */
    uint64_t number;       /* of the session, for gate_stays */
    bool session;          /* by log-in: can log out, and ends */
    ns_t expires;          /* if nothing more is asked for; 0: never */
    ns_t warn;             /* when to say so; 0: never */
};

struct gate;

MUST_USE enum err gate_new(const struct gate_options *o, struct gate **out);
void gate_free(struct gate *g); /* NULL is fine */

/* Who asks. For a POST also where it comes from, and its token. touch: a person
 * did this, the session is not idle; not so what a page fetches by itself. */
MUST_USE enum gate_said gate_ask(struct gate *g, const struct http_request *r,
                                 ns_t now, bool touch, struct gate_user *out);

/* May a log-in be tried? GATE_OK, GATE_FOREIGN, or GATE_SLOW with the seconds
 * to wait: by address (an IPv6 /64), by name whether it exists or not, by all.
 * Each try counts; what gate_enter lets in is given back. */
MUST_USE enum gate_said gate_try(struct gate *g, const struct http_request *r,
                                 struct span name, ns_t now, unsigned *retry_s);

/* A new session in place of the one that the request came with. cookie: for
 * http_answer.cookie. ERR_IO: no random bytes. */
MUST_USE enum err gate_enter(struct gate *g, const struct http_request *r,
                             struct span name, unsigned roles, ns_t now,
                             struct gate_user *out, char cookie[GATE_COOKIE]);

/* Ends the session of a request, if it has one. Ask gate_ask first. */
void gate_leave(struct gate *g, const struct http_request *r,
                char cookie[GATE_COOKIE]);

/* After users were loaded again: sessions of users whose roles are others now
 * end. Who has more than before logs in anew, so that no id of the time before
 * gets them. */
void gate_renew(struct gate *g, unsigned (*roles)(void *ctx, struct span name),
                void *ctx);

/* Is what gate_ask said still so? For what goes on after a request. False: the
 * session ended, or users were loaded again and there was none. */
bool gate_stays(struct gate *g, uint64_t number, ns_t now);

size_t gate_sessions(struct gate *g, ns_t now);

unsigned gate_status(enum gate_said said); /* 200, 401, 403, 429 */
/* A sentence for people. */
const char *gate_text(enum gate_said said);

#endif
