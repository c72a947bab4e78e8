#include "sensor/app/serve_routes.h"

#include <stdio.h>
#include <string.h>

#include "sensor/base/json_out.h"

#define NAME_MAX_BYTES 63U /* of a member */

/* What data is, by route: serve_answers.def. */
struct serve_answer {
    const char *schema, *members, *rows;
};

static const struct serve_answer answers[SERVE_ROUTES] = {
#define ANSWER(id, schema, members, rows)                                      \
    [SERVE_ROUTE_##id] = {schema, members, rows},
#include "sensor/app/serve_answers.def"
#undef ANSWER
};

static const char components[] =
    "{\"schemas\":{\"Error\":{\"type\":\"object\",\"required\":[\"error\"],"
    "\"properties\":{\"error\":{\"type\":\"object\",\"required\":[\"message\","
    "\"id\"],\"properties\":{\"message\":{\"type\":\"string\"},\"id\":{"
    "\"type\":"
    "\"string\"}}}},\"examples\":[{\"error\":{\"message\":\"no alert begins "
    "with 00\",\"id\":\"0123456789abcdef\"}}]}}}";

static void
text(struct json_out *j, const char *key, const char *value)
{
    json_key(j, key);
    (void)json_str(j, span_str(value));
}

/* A name of our tables: it has no NUL. */
static void
key(struct json_out *j, struct span name)
{
    char room[NAME_MAX_BYTES + 1];
    const size_t n = name.n < NAME_MAX_BYTES ? name.n : NAME_MAX_BYTES;

    memcpy(room, name.p, n);
    room[n] = '\0';
    json_key(j, room);
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

/* ---- what comes back ---- */

/* "ns": a type that may be null is a list of two. */
static void
put_kind(struct json_out *j, char letter)
{
    static const struct {
        char letter;
        const char *type;
    } types[] = {
        {'s', "string" },
        {'n', "number" },
        {'b', "boolean"},
        {'o', "object" },
        {'a', "array"  },
    };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (types[i].letter == letter) {
            json_key(j, "type");
            json_begin(j, '[');
            (void)json_str(j, span_str(types[i].type));
            (void)json_str(j, SPAN_LIT("null"));
            json_end(j, ']');
        } else if (types[i].letter - 'a' + 'A' == letter) {
            text(j, "type", types[i].type);
        }
    }
}

/* The next of "id:S site:s?". False: there is no more. */
static bool
next_member(struct span *rest, struct span *name, char *letter, bool *must)
{
    const size_t end = span_find(*rest, ' ');
    const struct span one = span_head(*rest, end);
    const size_t colon = span_find(one, ':');

    if (one.n == 0)
        return false;
    *name = span_head(one, colon);
    *letter = (char)span_at(one, colon + 1);
    *must = span_at(one, one.n - 1) != '?';
    *rest = span_tail(*rest, end + 1);
    return true;
}

static void
put_required(struct json_out *j, const char *members)
{
    struct span rest = span_str(members), name;
    bool must;
    char letter;

    json_key(j, "required");
    json_begin(j, '[');
    while (next_member(&rest, &name, &letter, &must)) {
        if (must)
            (void)json_str(j, name);
    }
    json_end(j, ']');
}

static void
put_row(struct json_out *j, const char *members)
{
    struct span rest = span_str(members), name;
    bool must;
    char letter;

    json_key(j, "items");
    json_begin(j, '{');
    text(j, "type", "object");
    put_required(j, members);
    json_key(j, "properties");
    json_begin(j, '{');
    while (next_member(&rest, &name, &letter, &must)) {
        key(j, name);
        json_begin(j, '{');
        put_kind(j, letter);
        json_end(j, '}');
    }
    json_end(j, '}');
    json_end(j, '}');
}

/* "required" and "properties" of an object that is open. rows: what those of
 * the member rows have; schema: the value of the member schema. */
static void
put_members(struct json_out *j, const char *members, const char *schema,
            const char *rows)
{
    struct span rest = span_str(members), name;
    bool must;
    char letter;

    put_required(j, members);
    json_key(j, "properties");
    json_begin(j, '{');
    while (next_member(&rest, &name, &letter, &must)) {
        key(j, name);
        json_begin(j, '{');
        put_kind(j, letter);
        if (schema[0] != '\0' && span_eq(name, SPAN_LIT("schema")))
            text(j, "const", schema);
        if (rows[0] != '\0' && span_eq(name, SPAN_LIT("rows")))
            put_row(j, rows);
        json_end(j, '}');
    }
    json_end(j, '}');
}

/* Of a registry that nobody has begun there is no data. By a writer of its own:
 * it lies deeper than one goes. */
static void
put_data(struct json_out *outer, enum serve_route_id id)
{
    const struct serve_answer *a = &answers[id];
    const bool maybe = strncmp(serve_routes[id].verb, "registry", 8) == 0;
    struct json_out j = json_out_open(outer->out);

    json_key(outer, "data");
    json_raw(outer, SPAN_NONE); /* the comma is the outer one's */
    json_begin(&j, '{');
    if (a->members == NULL) {
        text(&j, "type", "null");
    } else {
        put_kind(&j, maybe ? 'o' : 'O');
        put_members(&j, a->members, a->schema, a->rows);
    }
    json_end(&j, '}');
}

static void
put_envelope(struct json_out *j, enum serve_route_id id)
{
    const bool whole = serve_routes[id].how != SERVE_HERE;

    text(j, "type", "object");
    json_key(j, "required");
    json_raw(j, whole
                    ? SPAN_LIT("[\"data\",\"messages\",\"partial\",\"as_of\"]")
                    : SPAN_LIT("[\"data\"]"));
    json_key(j, "properties");
    json_begin(j, '{');
    put_data(j, id);
    if (whole) {
        json_key(j, "messages");
        json_raw(j, SPAN_LIT("{\"type\":\"array\",\"items\":{\"type\":"
                             "\"string\"}}"));
        json_key(j, "partial");
        json_raw(j, SPAN_LIT("{\"type\":\"boolean\"}"));
        json_key(j, "as_of");
        json_raw(j, SPAN_LIT("{\"type\":\"string\"}"));
    }
    json_end(j, '}');
}

static void
put_content(struct json_out *j, enum serve_route_id id, bool good)
{
    const char *const plain = !good                      ? NULL
                              : id == SERVE_ROUTE_STREAM ? "text/event-stream"
                              : id == SERVE_ROUTE_STUDY_REPORT ? "text/html"
                                                               : NULL;

    json_key(j, "content");
    json_begin(j, '{');
    json_key(j, plain != NULL ? plain : "application/json");
    json_begin(j, '{');
    json_key(j, "schema");
    json_begin(j, '{');
    if (!good)
        text(j, "$ref", "#/components/schemas/Error");
    else if (plain != NULL)
        text(j, "type", "string");
    else if (id == SERVE_ROUTE_OPENAPI)
        text(j, "type", "object");
    else
        put_envelope(j, id);
    for (unsigned k = 0; k < 3; k++)
        json_end(j, '}');
}

static void
put_answers(struct json_out *j, enum serve_route_id id)
{
    const struct serve_route *r = &serve_routes[id];
    static const struct {
        const char *status, *doc;
    } all[] = {
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
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (r->roles == SERVE_ROLES_NOBODY && i == 3)
            continue;
        json_key(j, all[i].status);
        json_begin(j, '{');
        text(j, "description", all[i].doc);
        put_content(j, id, i == 0);
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
    put_answers(j, id);
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
    json_key(&j, "components");
    json_raw(&j, span_str(components));
    json_end(&j, '}');
}
