#include "sensor/app/serve_json.h"

#define STRING_MAX (4U << 20)

/* A number, a string or a word. */
static bool
scalar(struct json_in *j)
{
    const uint8_t c = json_in_look(j);
    struct span ignored;

    buf_reset(j->text);
    if (c == '"')
        return json_in_string(j, &ignored);
    if (c == 't')
        return json_in_word(j, SPAN_LIT("true"));
    if (c == 'f')
        return json_in_word(j, SPAN_LIT("false"));
    if (c == 'n')
        return json_in_word(j, SPAN_LIT("null"));
    return json_in_number(j, &ignored);
}

/* A key and its colon, where a member of an object begins. */
static bool
key_of(struct json_in *j, struct span *key)
{
    if (json_in_look(j) != '"' || !json_in_string(j, key) ||
        json_in_look(j) != ':')
        return false;
    j->at++;
    return true;
}

/* Behind a value: closes what ends there, or goes on behind a comma. Depth 0:
 * it is whole. */
static bool
behind(struct json_in *j, uint32_t objects, unsigned *depth)
{
    struct span key;
    uint8_t c;

    while (*depth > 0) {
        const bool object = (objects >> (*depth - 1) & 1U) != 0;

        c = json_in_look(j);
        if (c == ',') {
            j->at++;
            return !object || key_of(j, &key);
        }
        if (c != (object ? '}' : ']'))
            return false;
        j->at++;
        (*depth)--;
    }
    return true;
}

bool
serve_json_value(struct json_in *j, struct span *out)
{
    size_t begin;
    uint32_t objects = 0; /* bit per depth */
    unsigned depth = 0;
    struct span key;

    (void)json_in_look(j);
    begin = j->at;
    do {
        const uint8_t c = json_in_look(j);
        bool empty = false;

        if (c == '{' || c == '[') {
            if (depth == SERVE_JSON_DEPTH)
                return false;
            j->at++;
            objects &= ~(1U << depth);
            objects |= (c == '{' ? 1U : 0U) << depth;
            depth++;
            empty = json_in_look(j) == (c == '{' ? '}' : ']');
            if (!empty && c == '{' && !key_of(j, &key))
                return false;
        } else if (!scalar(j)) {
            return false;
        } else {
            empty = true;
        }
        if (empty && !behind(j, objects, &depth))
            return false;
    } while (depth > 0);
    *out = span_head(span_tail(j->in, begin), j->at - begin);
    return true;
}

void
serve_json_begin(struct serve_json_walk *w, struct span value)
{
    *w = (struct serve_json_walk){.in = json_in_open(value, &w->room)};
    buf_init(&w->key, STRING_MAX);
    buf_init(&w->room, STRING_MAX);
    w->object = json_in_look(&w->in) == '{';
    w->bad = !w->object && json_in_look(&w->in) != '[';
    w->in.at++;
}

void
serve_json_end(struct serve_json_walk *w)
{
    buf_free(&w->key);
    buf_free(&w->room);
}

bool
serve_json_next(struct serve_json_walk *w, struct span *key, struct span *value)
{
    struct json_in *j = &w->in;
    struct span name = SPAN_NONE;
    uint8_t c;

    if (w->bad)
        return false;
    buf_reset(&w->key);
    c = json_in_look(j);
    if (c == (w->object ? '}' : ']'))
        return false;
    w->bad = w->begun && c != ',';
    j->at += w->begun;
    w->begun = true;
    j->text = &w->key;
    if (!w->bad && w->object)
        w->bad = !key_of(j, &name);
    j->text = &w->room;
    if (key != NULL)
        *key = name;
    w->bad = w->bad || !serve_json_value(j, value);
    return !w->bad;
}

struct span
serve_json_get(struct span object, const char *key)
{
    const struct span wanted = span_str(key);
    struct span name, value, found = SPAN_NONE;
    struct serve_json_walk w;

    serve_json_begin(&w, object);
    while (found.n == 0 && w.object && serve_json_next(&w, &name, &value)) {
        if (span_eq(name, wanted))
            found = value;
    }
    serve_json_end(&w);
    return found;
}

void
serve_json_text(struct span value, struct buf *out)
{
    struct buf room;
    struct json_in j = json_in_open(value, &room);
    struct span text;

    buf_init(&room, value.n + 1);
    if (span_at(value, 0) == '"' && json_in_string(&j, &text))
        buf_span(out, text);
    else if (!span_eq(value, SPAN_LIT("null")))
        buf_span(out, value);
    buf_free(&room);
}

uint64_t
serve_json_u64(struct span value, uint64_t otherwise)
{
    uint64_t v = 0;

    for (size_t i = 0; i < value.n; i++) {
        const uint8_t c = span_at(value, i);

        if (c < '0' || c > '9' || v > UINT64_MAX / 10 - 10)
            return otherwise;
        v = v * 10 + (c - '0');
    }
    return value.n > 0 ? v : otherwise;
}

bool
serve_json_is(struct span value, const char *text)
{
    const struct span wanted = span_str(text);

    return value.n == wanted.n + 2 && span_at(value, 0) == '"' &&
           span_eq(span_head(span_tail(value, 1), wanted.n), wanted);
}
