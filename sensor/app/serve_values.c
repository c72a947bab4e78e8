#include "sensor/app/serve_parts.h"

#include <string.h>

#include "sensor/app/serve_json.h"
#include "sensor/base/text.h"

#define BODY_TEXT (2U << 20)

void
serve_values_free(struct serve_values *v)
{
    buf_free(&v->text);
}

struct span
serve_values_find(const struct serve_values *v, const char *name)
{
    for (size_t i = 0; i < v->n; i++) {
        if (span_eq(v->v[i].name, span_str(name)))
            return v->v[i].text;
    }
    return SPAN_NONE;
}

static bool
refuse(struct buf *why, struct span name, const char *text)
{
    buf_putc(why, '\'');
    text_term(why, span_head(name, 64));
    buf_printf(why, "' %s", text);
    return false;
}

/* An empty text is as none: forms send one for a field that was left out. */
static bool
add(enum serve_route_id id, const struct serve_value *value,
    struct serve_values *out, struct buf *why)
{
    const struct serve_param *p = serve_route_param(id, value->name);

    if (p == NULL)
        return refuse(why, value->name, "is not a parameter of this");
    if (value->listed != (p->how == SERVE_LIST))
        return refuse(why, value->name,
                      value->listed ? "is not a list" : "must be a list");
    if (memchr(value->text.n > 0 ? value->text.p : (const uint8_t *)"", 0,
               value->text.n) != NULL)
        return refuse(why, value->name, "has a NUL");
    if (value->text.n > p->most)
        return refuse(why, value->name, "is too long");
    if (!value->listed && serve_values_find(out, p->name).p != NULL)
        return refuse(why, value->name, "is there twice");
    if (p->how == SERVE_SWITCH && !span_eq(value->text, SPAN_LIT("true")) &&
        !span_eq(value->text, SPAN_LIT("false")) && value->text.n > 0)
        return refuse(why, value->name, "must be true or false");
    if (value->text.n == 0)
        return true;
    if (out->n == SERVE_BODY_VALUES)
        return refuse(why, value->name, "has too many values");
    out->v[out->n++] =
        (struct serve_value){span_str(p->name), value->text, value->listed};
    return true;
}

/* ---- the body ---- */

/* A value of the body as text: what had escapes moves to text, which never
 * moves itself (serve_values_read makes room once). */
static bool
add_json(enum serve_route_id id, struct span name, struct span raw, bool listed,
         struct serve_values *out, struct buf *why)
{
    const size_t begin = out->text.n;
    const uint8_t first = span_at(raw, 0);

    if (first == '{' || first == '[')
        return refuse(why, name, "must be a text");
    serve_json_text(raw, &out->text);
    return add(id,
               &(struct serve_value){
                   name, span_tail(buf_view(&out->text), begin), listed},
               out, why);
}

static bool
add_list(enum serve_route_id id, struct span name, struct span raw,
         struct serve_values *out, struct buf *why)
{
    struct serve_json_walk w;
    struct span value;
    bool good = true;

    serve_json_begin(&w, raw);
    while (good && serve_json_next(&w, NULL, &value))
        good = add_json(id, name, value, true, out, why);
    serve_json_end(&w);
    return good;
}

static bool
is_object(struct span body)
{
    struct buf room;
    struct json_in j = json_in_open(body, &room);
    struct span whole;
    bool good;

    buf_init(&room, BODY_TEXT);
    good = json_in_look(&j) == '{' && serve_json_value(&j, &whole) &&
           json_in_look(&j) == 0 && j.at == body.n;
    buf_free(&room);
    return good;
}

static bool
read_body(enum serve_route_id id, struct span body, struct serve_values *out,
          struct buf *why)
{
    struct serve_json_walk w;
    struct span name, value;
    bool good = true;

    if (body.n == 0)
        return true;
    if (!is_object(body)) {
        buf_str(why, "the body is not a JSON object");
        return false;
    }
    serve_json_begin(&w, body);
    while (good && serve_json_next(&w, &name, &value)) {
        if (span_eq(value, SPAN_LIT("null")))
            good = serve_route_param(id, name) != NULL ||
                   refuse(why, name, "is not a parameter of this");
        else if (span_at(value, 0) == '[')
            good = add_list(id, name, value, out, why);
        else
            good = add_json(id, name, value, false, out, why);
    }
    serve_json_end(&w);
    return good;
}

bool
serve_body_text(struct span body, const char *key, struct buf *out)
{
    struct span value;

    if (!is_object(body))
        return false;
    value = serve_json_get(body, key);
    if (span_at(value, 0) != '"')
        return false;
    serve_json_text(value, out);
    return true;
}

/* ---- all of it ---- */

static bool
read_path(enum serve_route_id id, struct span segment, struct serve_values *out,
          struct buf *why)
{
    struct addr ignored;

    for (size_t i = 0; i < n_serve_params; i++) {
        const struct serve_param *p = &serve_params[i];

        if (p->route != id || !serve_param_in_path(p))
            continue;
        if (!add(id, &(struct serve_value){span_str(p->name), segment, false},
                 out, why))
            return false;
        if (strcmp(p->what, "address") == 0 && !addr_parse(segment, &ignored))
            return refuse(why, segment, "is not an address");
        return true;
    }
    return true;
}

bool
serve_values_read(enum serve_route_id id, struct span segment,
                  const struct serve_request *r, struct serve_values *out,
                  struct buf *why)
{
    bool good;

    out->n = 0;
    buf_init(&out->text, BODY_TEXT);
    if (!buf_grow(&out->text, r->body.n + 1)) {
        buf_str(why, err_text(ERR_LIMIT));
        return false;
    }
    good = read_path(id, segment, out, why);
    if (r->method == HTTP_POST && r->n_query > 0)
        good = refuse(why, r->query[0].name, "is not a parameter of this");
    for (size_t i = 0; good && i < r->n_query; i++)
        good = add(
            id,
            &(struct serve_value){r->query[i].name, r->query[i].value, false},
            out, why);
    return good && (r->method == HTTP_GET || read_body(id, r->body, out, why));
}
