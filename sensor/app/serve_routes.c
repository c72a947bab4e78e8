#include "sensor/app/serve_routes.h"

#include <string.h>

#define GET  HTTP_GET
#define POST HTTP_POST

const struct serve_route serve_routes[SERVE_ROUTES] = {
#define ROUTE(id, method, path, roles, how, verb, doc)                         \
    {method, path, SERVE_ROLES_##roles, SERVE_##how, verb, doc},
#define PARAM(route, name, how, what, most, doc)
#include "sensor/app/serve_routes.def"
#undef ROUTE
#undef PARAM
};

const struct serve_param serve_params[] = {
#define ROUTE(id, method, path, roles, how, verb, doc)
#define PARAM(route, name, how, what, most, doc)                               \
    {SERVE_ROUTE_##route, name, SERVE_##how, what, most, doc},
#include "sensor/app/serve_routes.def"
#undef ROUTE
#undef PARAM
};

const size_t n_serve_params = ARRAY_LEN(serve_params);

/* ---- finding ---- */

/* Does the path fit, a {name} being one segment that is not empty? */
static bool
fits(const char *pattern, struct span path, struct span *segment)
{
    struct span want = span_str(pattern);
    const size_t brace = span_find(want, '{');

    *segment = SPAN_NONE;
    if (brace == want.n)
        return span_eq(want, path);
    if (!span_starts(path, span_head(want, brace)))
        return false;
    *segment = span_tail(path, brace);
    return segment->n > 0 && span_find(*segment, '/') == segment->n;
}

enum serve_route_id
serve_route_find(enum http_method method, struct span path,
                 struct span *segment, bool *known)
{
    unsigned found = SERVE_ROUTES;
    struct span one;

    *known = false;
    for (unsigned i = 0; i < SERVE_ROUTES; i++) {
        const struct serve_route *r = &serve_routes[i];

        if (!fits(r->path, path, &one))
            continue;
        *known = true;
        /* a path without a {name} is the nearer one */
        if (r->method == method && (found == SERVE_ROUTES || one.n == 0)) {
            found = i;
            *segment = one;
        }
    }
    return (enum serve_route_id)found;
}

const struct serve_param *
serve_route_param(enum serve_route_id id, struct span name)
{
    for (size_t i = 0; i < n_serve_params; i++) {
        if (serve_params[i].route == id &&
            span_eq(span_str(serve_params[i].name), name))
            return &serve_params[i];
    }
    return NULL;
}

bool
serve_param_in_path(const struct serve_param *p)
{
    const struct span path = span_str(serve_routes[p->route].path);
    const struct span at = span_tail(path, span_find(path, '{') + 1);

    return at.n > 1 && span_eq(span_head(at, at.n - 1), span_str(p->name));
}
