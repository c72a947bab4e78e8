#ifndef SPAN25_APP_SERVE_ROUTES_H
#define SPAN25_APP_SERVE_ROUTES_H
/* serve_routes - the table of the API, and what is made from it
 *
 * serve_routes.def has a row for each route and each of its parameters. Who may
 * call, what is taken, the description of the API and the tests come from it.
 */
#include "dashboards/http/http.h"
#include "dashboards/http/users.h"

#define SERVE_ROOT "/api/v1"

enum serve_route_id {
#define ROUTE(id, method, path, roles, how, verb, doc) SERVE_ROUTE_##id,
#define PARAM(route, name, how, what, most, doc)
#include "sensor/app/serve_routes.def"
#undef ROUTE
#undef PARAM
    SERVE_ROUTES
};

enum serve_how {
    SERVE_VERB,
    SERVE_HERE,
    SERVE_NOW,
    SERVE_SESSIONS,
    SERVE_SENSOR,
    SERVE_AUDIT,
    SERVE_STUDIES,
    SERVE_STUDY,
    SERVE_STUDY_START,
    SERVE_STUDY_STOP,
    SERVE_STUDY_REVIEW,
    SERVE_STUDY_JUDGE,
    SERVE_STUDY_COUNT,
    SERVE_STUDY_PUBLISH,
};

/* Sets of roles that a route asks for; admin has all of them. */
#define SERVE_ROLES_NOBODY    0U /* no log-in needed */
#define SERVE_ROLES_ALL       ROLES_ALL
#define SERVE_ROLES_ANALYST   (ROLE_ANALYST | ROLE_ADMIN)
#define SERVE_ROLES_REGISTRAR (ROLE_REGISTRAR | ROLE_ADMIN)
#define SERVE_ROLES_FIREWALL  (ROLE_FIREWALL | ROLE_ADMIN)
#define SERVE_ROLES_LIFTERS   (ROLE_ANALYST | ROLE_FIREWALL | ROLE_ADMIN)
#define SERVE_ROLES_ADMIN     ROLE_ADMIN
/* Who may see what mail said. */
#define SERVE_ROLES_CONTENT (ROLE_ANALYST | ROLE_ADMIN)

enum serve_param_how {
    SERVE_FLAG,
    SERVE_SWITCH,
    SERVE_ARGUMENT,
    SERVE_LIST,
    SERVE_WORD,
    SERVE_TEXT,
    SERVE_SEARCH,
    SERVE_LIMIT,
    SERVE_AFTER,
    SERVE_VALUE,
};

struct serve_route {
    enum http_method method;
    const char *path; /* below SERVE_ROOT */
    unsigned roles;   /* SERVE_ROLES_NOBODY: whoever */
    enum serve_how how;
    const char *verb;
    const char *doc;
};

struct serve_param {
    enum serve_route_id route;
    const char *name;
    enum serve_param_how how;
    const char *what;
    size_t most; /* bytes of a value */
    const char *doc;
};

extern const struct serve_route serve_routes[SERVE_ROUTES];
extern const struct serve_param serve_params[];
extern const size_t n_serve_params;

/* The route of a path below SERVE_ROOT, and the segment of its {name}.
 * SERVE_ROUTES: there is none; *known: there is one with another method. */
enum serve_route_id serve_route_find(enum http_method method, struct span path,
                                     struct span *segment, bool *known);

/* The parameter of this name; NULL: the route has none. */
const struct serve_param *serve_route_param(enum serve_route_id id,
                                            struct span name);

/* Is the parameter the {name} of its route's path? */
bool serve_param_in_path(const struct serve_param *p);

/* OpenAPI 3.1. */
void serve_openapi(struct buf *out);

#endif
