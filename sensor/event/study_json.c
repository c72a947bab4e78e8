#include "sensor/event/study_json.h"

#include <string.h>

#include "sensor/base/json_out.h"
#include "sensor/event/study_shape.h"

#define MICRO_LEN 26 /* of ns_format, without the zone */
#define NANO_TEXT (MICRO_LEN + 4)

/* An object that is being written, or an array of them. */
struct frame {
    const struct study_shape *shape;
    const uint8_t *at;
    size_t member;
    size_t left; /* objects of the array after this one */
    size_t size;
    bool in_array;
    bool brief;
};

struct writer {
    struct json_out j;
    const struct study_result *r;
    size_t depth;
    struct frame frames[JSON_DEPTH];
};

/* ---- scalars ---- */

static void
put_time(struct json_out *j, ns_t t)
{
    char text[NS_TEXT_MAX];
    struct buf b;
    unsigned nano = (unsigned)(t % NS_PER_US);

    if (t == 0) {
        json_null(j);
        return;
    }
    buf_init(&b, NANO_TEXT);
    (void)ns_format(t, text);
    buf_put(&b, text, MICRO_LEN);
    if (nano > 0)
        buf_printf(&b, "%03u", nano);
    buf_putc(&b, 'Z');
    (void)json_str(j, buf_view(&b));
    j->out->failed |= b.failed;
    buf_free(&b);
}

static void
put_text(struct json_out *j, const char *text)
{
    if (text == NULL)
        json_null(j);
    else
        (void)json_str(j, span_str(text));
}

static void
put_addr(struct json_out *j, const struct addr *a)
{
    char text[ADDR_TEXT_MAX];

    (void)json_str(j, span_of(text, addr_format(a, text)));
}

#define READ(type, at) (*(const type *)(const void *)(at))

/* A pointer of any type. */
static const void *
read_pointer(const uint8_t *at)
{
    const void *p;

    memcpy(&p, at, sizeof(p));
    return p;
}

static void
put_scalar(struct json_out *j, const struct study_member *m, const uint8_t *at)
{
    unsigned word;

    switch (m->type) {
    case STUDY_TYPE_TEXT: put_text(j, read_pointer(at)); break;
    case STUDY_TYPE_BOOL: json_bool(j, READ(bool, at)); break;
    case STUDY_TYPE_U32: json_u64(j, READ(uint32_t, at)); break;
    case STUDY_TYPE_I32: json_i64(j, READ(int32_t, at)); break;
    case STUDY_TYPE_U64: json_u64(j, READ(uint64_t, at)); break;
    case STUDY_TYPE_DOUBLE: json_double(j, READ(double, at)); break;
    case STUDY_TYPE_TIME: put_time(j, READ(ns_t, at)); break;
    case STUDY_TYPE_ADDR: put_addr(j, (const void *)at); break;
    case STUDY_TYPE_WORD:
        word = READ(unsigned, at);
        put_text(j, word < m->most ? m->words[word] : NULL);
        break;
    case STUDY_TYPE_SHAPE: break;
    }
}

/* ---- structure ---- */

static bool
all_zero(const uint8_t *at, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (at[i] != 0)
            return false;
    }
    return true;
}

/* How many there are, and where the first one is. */
static size_t
find_items(const struct writer *w, const struct study_member *m,
           const uint8_t *base, const uint8_t **first)
{
    const uint8_t *root = (const void *)w->r;

    *first = base + m->at;
    switch (m->hold) {
    case STUDY_HOLD_ONE: return 1;
    case STUDY_HOLD_ARRAY: return m->most;
    case STUDY_HOLD_ROWS: {
        size_t n = READ(size_t, base + m->n_at);

        return n < m->most ? n : m->most;
    }
    case STUDY_HOLD_LIST:
        *first = read_pointer(base + m->at);
        return *first != NULL ? READ(size_t, base + m->n_at) : 0;
    case STUDY_HOLD_EACH:
        *first = read_pointer(base + m->at);
        return *first != NULL ? READ(size_t, root + m->n_at) : 0;
    }
    return 0;
}

static void
push(struct writer *w, struct frame f)
{
    REQUIRE(w->depth < JSON_DEPTH);
    w->frames[w->depth++] = f;
}

/* An entry of an array that has nothing to say is null. */
static void
open_object(struct writer *w, struct frame *f)
{
    if (f->brief && f->in_array && all_zero(f->at, f->size)) {
        json_null(&w->j);
        f->member = f->shape->n + 1;
        return;
    }
    json_begin(&w->j, '{');
    f->member = 0;
}

static void
put_items(struct writer *w, const struct study_member *m, const uint8_t *base,
          bool brief)
{
    const uint8_t *at;
    size_t n = find_items(w, m, base, &at);
    struct frame f = {.shape = m->shape,
                      .at = at,
                      .size = m->size,
                      .in_array = m->hold != STUDY_HOLD_ONE,
                      .brief = brief || m->brief};

    if (m->hold == STUDY_HOLD_EACH && at == NULL) {
        json_null(&w->j);
        return;
    }
    if (f.in_array)
        json_begin(&w->j, '[');
    if (m->type == STUDY_TYPE_SHAPE && n > 0) {
        f.left = n - 1;
        open_object(w, &f);
        push(w, f);
        return;
    }
    for (size_t i = 0; i < n; i++)
        put_scalar(&w->j, m, at + i * m->size);
    if (f.in_array)
        json_end(&w->j, ']');
}

static void
put_member(struct writer *w, const struct frame *f)
{
    const struct study_member *m = &f->shape->v[f->member];

    if (f->brief && all_zero(f->at + m->at, m->size))
        return;
    json_key(&w->j, m->key);
    put_items(w, m, f->at, f->brief);
}

/* The object is whole: the next one of its array, or the end of it. */
static void
close_object(struct writer *w)
{
    struct frame *f = &w->frames[w->depth - 1];

    if (f->member == f->shape->n)
        json_end(&w->j, '}');
    if (f->left > 0) {
        f->left--;
        f->at += f->size;
        open_object(w, f);
        return;
    }
    if (f->in_array)
        json_end(&w->j, ']');
    w->depth--;
}

void
study_json_write(const struct study_result *r, struct buf *out)
{
    struct writer w = {.j = json_out_open(out), .r = r};
    struct frame root = {.shape = &study_shape_result,
                         .at = (const void *)r,
                         .size = sizeof(*r)};

    json_begin(&w.j, '{');
    json_key(&w.j, "schema");
    (void)json_str(&w.j, SPAN_LIT(STUDY_JSON_SCHEMA));
    push(&w, root);
    while (w.depth > 0) {
        struct frame *f = &w.frames[w.depth - 1];

        if (f->member >= f->shape->n) {
            close_object(&w);
            continue;
        }
        put_member(&w, f);
        /* put_member may have pushed: the frame is still the same one. */
        f->member++;
    }
    buf_putc(out, '\n');
}

void
study_json_figure(struct json_out *j, const struct study_figure *f)
{
    const struct {
        const char *key;
        double v;
    } members[] = {
        {"value", f->value},
        {"low",   f->low  },
        {"high",  f->high },
        {"k",     f->k    },
        {"n",     f->n    },
    };

    json_begin(j, '{');
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        json_key(j, members[i].key);
        json_double(j, members[i].v);
    }
    json_key(j, "method");
    put_text(j, f->method);
    json_end(j, '}');
}
