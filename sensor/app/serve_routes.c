#include "sensor/app/serve_routes.h"

#include <stdio.h>
#include <string.h>

#include "sensor/base/json_out.h"

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

/* ---- OpenAPI ---- */

static void
text(struct json_out *j, const char *key, const char *value)
{
    json_key(j, key);
    (void)json_str(j, span_str(value));
}

/* Members of its schema. */
static void
put_type(struct json_out *j, const struct serve_param *p)
{
    if (p->how == SERVE_LIST) {
        text(j, "type", "array");
        json_key(j, "items");
        json_begin(j, '{');
    }
    text(j, "type", p->how == SERVE_SWITCH ? "boolean" : "string");
    if (p->how != SERVE_SWITCH) {
        json_key(j, "maxLength");
        json_u64(j, p->most);
    }
    if (p->how == SERVE_LIST)
        json_end(j, '}');
}

static void
put_parameters(struct json_out *j, enum serve_route_id id)
{
    const bool get = serve_routes[id].method == HTTP_GET;

    json_key(j, "parameters");
    json_begin(j, '[');
    for (size_t i = 0; i < n_serve_params; i++) {
        const struct serve_param *p = &serve_params[i];
        const bool in_path = serve_param_in_path(p);

        if (p->route != id || (!get && !in_path))
            continue;
        json_begin(j, '{');
        text(j, "name", p->name);
        text(j, "in", in_path ? "path" : "query");
        json_key(j, "required");
        json_bool(j, in_path);
        text(j, "description", p->doc);
        json_key(j, "schema");
        json_begin(j, '{');
        put_type(j, p);
        json_end(j, '}');
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void
put_body(struct json_out *j, enum serve_route_id id)
{
    json_key(j, "requestBody");
    json_begin(j, '{');
    json_key(j, "content");
    json_begin(j, '{');
    json_key(j, "application/json");
    json_begin(j, '{');
    json_key(j, "schema");
    json_begin(j, '{');
    text(j, "type", "object");
    json_key(j, "additionalProperties");
    json_bool(j, false);
    json_key(j, "properties");
    json_begin(j, '{');
    for (size_t i = 0; i < n_serve_params; i++) {
        const struct serve_param *p = &serve_params[i];

        if (p->route != id || serve_param_in_path(p))
            continue;
        json_key(j, p->name);
        json_begin(j, '{');
        text(j, "description", p->doc);
        put_type(j, p);
        json_end(j, '}');
    }
    for (unsigned k = 0; k < 5; k++)
        json_end(j, '}');
}

static void
put_roles(struct json_out *j, unsigned roles)
{
    json_key(j, "x-roles");
    json_begin(j, '[');
    for (unsigned i = 0; roles_name(i) != NULL; i++) {
        if ((roles >> i & 1U) != 0)
            (void)json_str(j, span_str(roles_name(i)));
    }
    json_end(j, ']');
}

static void
put_answers(struct json_out *j, const struct serve_route *r)
{
    static const struct {
        const char *status, *doc;
    } answers[] = {
        {"200", "data, messages, partial, as_of"                      },
        {"400", "a parameter is unknown or not valid"                 },
        {"401", "nobody is logged in"                                 },
        {"403", "a role lacks, or another page asks"                  },
        {"404", "there is no such thing"                              },
        {"409", "refused by a rule of safety; nothing was changed"    },
        {"415", "the body is not of the type application/json"        },
        {"503", "journal, index or registry cannot be read or written"},
    };

    json_key(j, "responses");
    json_begin(j, '{');
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        if (r->roles == SERVE_ROLES_NOBODY && i == 3)
            continue;
        json_key(j, answers[i].status);
        json_begin(j, '{');
        text(j, "description", answers[i].doc);
        json_end(j, '}');
    }
    json_end(j, '}');
}

static void
put_route(struct json_out *j, enum serve_route_id id)
{
    const struct serve_route *r = &serve_routes[id];
    struct buf name;

    buf_init(&name, 128);
    buf_printf(&name, "%s %s", r->method == HTTP_GET ? "get" : "post", r->path);
    json_key(j, r->method == HTTP_GET ? "get" : "post");
    json_begin(j, '{');
    json_key(j, "operationId");
    (void)json_str(j, buf_view(&name));
    text(j, "summary", r->doc);
    if (r->verb[0] != '\0')
        text(j, "x-verb", r->verb);
    put_roles(j, r->roles);
    put_parameters(j, id);
    if (r->method == HTTP_POST)
        put_body(j, id);
    put_answers(j, r);
    json_end(j, '}');
    buf_free(&name);
}

/* Is an earlier route at the same path? It has both methods then. */
static bool
is_told(unsigned id)
{
    for (unsigned i = 0; i < id; i++) {
        if (strcmp(serve_routes[i].path, serve_routes[id].path) == 0)
            return true;
    }
    return false;
}

void
serve_openapi(struct buf *out)
{
    struct json_out j = json_out_open(out);

    json_begin(&j, '{');
    text(&j, "openapi", "3.1.0");
    json_key(&j, "info");
    json_begin(&j, '{');
    text(&j, "title", "span25");
    text(&j, "version", SPAN25_VERSION);
    text(&j, "description",
         "What span25 serve answers. A change is a POST with X-CSRF-Token, "
         "which /me tells, from the same origin.");
    json_end(&j, '}');
    json_key(&j, "servers");
    json_begin(&j, '[');
    json_begin(&j, '{');
    text(&j, "url", SERVE_ROOT);
    json_end(&j, '}');
    json_end(&j, ']');
    json_key(&j, "paths");
    json_begin(&j, '{');
    for (unsigned i = 0; i < SERVE_ROUTES; i++) {
        if (is_told(i))
            continue;
        json_key(&j, serve_routes[i].path);
        json_begin(&j, '{');
        for (unsigned k = i; k < SERVE_ROUTES; k++) {
            if (strcmp(serve_routes[k].path, serve_routes[i].path) == 0)
                put_route(&j, (enum serve_route_id)k);
        }
        json_end(&j, '}');
    }
    json_end(&j, '}');
    json_end(&j, '}');
}
