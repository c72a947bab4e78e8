#include "sensor/event/study_json.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sensor/base/json_in.h"
#include "sensor/event/study_shape.h"

#define DEPTH      32 /* of objects and arrays, those that are skipped too */
#define NUMBER_MAX 64 /* bytes of a number; ours have 24 */
#define FIRST_ROOM 8  /* entries of a list, at first */

/* Everything that the result points to. */
struct study_json {
    struct study_result r;
    char *schema;
    void **owned;
    size_t n_owned, cap_owned;
    size_t used; /* bytes, of STUDY_JSON_ROOM */
};

/* An object or an array that is open; m is NULL where it is skipped. */
struct frame {
    const struct study_member *m; /* the array's, or of the object itself */
    bool array;
    bool brief;
    bool comma;
    uint8_t *base; /* object: its struct; array: the struct that holds it */
    uint64_t seen; /* object: members that were there */
    uint8_t *v;    /* array: its entries */
    size_t n, cap;
    size_t slot; /* of owned */
};

struct reader {
    struct json_in j;
    const char *schema; /* that it is to have */
    struct study_json *s;
    struct buf text;
    struct buf *message;
    enum err err;
    size_t each_n[2]; /* entries of lists by day, by policy; and whether one
                       * was there */
    bool each[2];
    size_t depth;
    struct frame frames[DEPTH];
};

static const struct study_member root_member = {
    .key = "the study", .type = STUDY_TYPE_SHAPE, .shape = &study_shape_result};
static const struct study_member schema_member = {
    .key = "schema", .type = STUDY_TYPE_TEXT, .size = sizeof(char *)};

/* ---- what is wrong ---- */

static bool PRINTF(3, 4)
    fail(struct reader *p, enum err why, const char *fmt, ...)
{
    char text[160];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    p->err = why;
    buf_printf(p->message, "byte %zu: %s", p->j.at + 1, text);
    return false;
}

static bool
bad_token(struct reader *p)
{
    p->j.at = p->j.why_at;
    return fail(p, p->text.failed ? ERR_NOMEM : ERR_FORMAT, "%s", p->j.why);
}

static bool
wrong_type(struct reader *p, const struct study_member *m)
{
    static const char *const wants[] = {
        [STUDY_TYPE_TEXT] = "a text or null",
        [STUDY_TYPE_BOOL] = "true or false",
        [STUDY_TYPE_U32] = "a number from 0 to 2^32-1",
        [STUDY_TYPE_I32] = "a whole number of 32 bits",
        [STUDY_TYPE_U64] = "a number from 0 to 2^64-1",
        [STUDY_TYPE_DOUBLE] = "a number, null or \"inf\"",
        [STUDY_TYPE_TIME] = "a time as in RFC 3339, or null",
        [STUDY_TYPE_ADDR] = "an address",
        [STUDY_TYPE_WORD] = "one of a few words",
        [STUDY_TYPE_SHAPE] = "an object",
    };

    return fail(p, ERR_FORMAT, "%s is %s", m->key, wants[m->type]);
}

/* ---- room ---- */

/* Memory of the result, which goes with it. *slot: where it is kept. */
static void *
take_room(struct reader *p, size_t n, size_t *slot)
{
    struct study_json *s = p->s;
    size_t cap = s->cap_owned > 0 ? 2 * s->cap_owned : 64;
    void *v;

    if (n > STUDY_JSON_ROOM - s->used) {
        (void)fail(p, ERR_LIMIT, "more than a study may hold");
        return NULL;
    }
    if (s->n_owned == s->cap_owned) {
        v = realloc(s->owned, cap * sizeof(*s->owned));
        if (v == NULL) {
            (void)fail(p, ERR_NOMEM, "out of memory");
            return NULL;
        }
        s->owned = v;
        s->cap_owned = cap;
    }
    v = calloc(1, n);
    if (v == NULL) {
        (void)fail(p, ERR_NOMEM, "out of memory");
        return NULL;
    }
    s->used += n;
    *slot = s->n_owned;
    s->owned[s->n_owned++] = v;
    return v;
}

static bool
keep_text(struct reader *p, struct span text, uint8_t *at)
{
    size_t slot;
    char *copy;

    if (span_find(text, 0) < text.n)
        return fail(p, ERR_FORMAT, "a text with a NUL");
    copy = take_room(p, text.n + 1, &slot);
    if (copy == NULL)
        return false;
    if (text.n > 0)
        memcpy(copy, text.p, text.n);
    memcpy(at, &copy, sizeof(copy));
    return true;
}

/* The next entry of an array, zeroed; NULL: there is no room. */
static uint8_t *
next_entry(struct reader *p, struct frame *f)
{
    const struct study_member *m = f->m;
    bool inside = m->hold == STUDY_HOLD_ARRAY || m->hold == STUDY_HOLD_ROWS;
    size_t slot;
    void *v;

    if (inside && f->n == m->most) {
        (void)fail(p, ERR_FORMAT, "%s has at most %zu entries", m->key,
                   m->most);
        return NULL;
    }
    if (inside)
        return f->base + m->at + f->n++ * m->size;
    if (f->n == f->cap) {
        size_t cap = f->cap > 0 ? 2 * f->cap : FIRST_ROOM;

        v = take_room(p, cap * m->size, &slot);
        if (v == NULL)
            return NULL;
        if (f->n > 0)
            memcpy(v, f->v, f->n * m->size);
        if (f->cap > 0) {
            free(p->s->owned[f->slot]);
            p->s->owned[f->slot] = NULL;
            p->s->used -= f->cap * m->size;
        }
        f->v = v;
        f->slot = slot;
        f->cap = cap;
    }
    return f->v + f->n++ * m->size;
}

/* ---- a struct before it is read ---- */

/* What a file does not have cannot be said, so numbers that could be NAN are.
 * Where 0 is left out, it is 0. */
static void
put_nan(const struct study_shape *shape, uint8_t *base)
{
    const double none = NAN;
    struct {
        const struct study_shape *shape;
        uint8_t *base;
        size_t i;
    } stack[DEPTH] = {
        {shape, base, 0}
    };

    for (size_t depth = 1; depth > 0;) {
        const struct study_member *m;
        uint8_t *at;

        if (stack[depth - 1].i == stack[depth - 1].shape->n) {
            depth--;
            continue;
        }
        m = &stack[depth - 1].shape->v[stack[depth - 1].i++];
        at = stack[depth - 1].base + m->at;
        if (m->type == STUDY_TYPE_SHAPE && m->hold == STUDY_HOLD_ONE) {
            REQUIRE(depth < DEPTH);
            stack[depth].shape = m->shape;
            stack[depth].base = at;
            stack[depth++].i = 0;
        }
        for (size_t k = 0; m->type == STUDY_TYPE_DOUBLE &&
                           k < (m->hold == STUDY_HOLD_ONE ? 1 : m->most);
             k++)
            memcpy(at + k * sizeof(none), &none, sizeof(none));
    }
}

/* ---- values ---- */

static bool
read_double(struct span s, double *out)
{
    char text[NUMBER_MAX + 1];

    if (s.n > NUMBER_MAX)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    *out = strtod(text, NULL);
    return isfinite(*out);
}

static bool
store_number(struct reader *p, const struct study_member *m, struct span s,
             uint8_t *at)
{
    bool minus = span_at(s, 0) == '-';
    uint64_t v = 0;
    double d;
    int32_t i;
    uint32_t u;

    if (m->type == STUDY_TYPE_DOUBLE && read_double(s, &d)) {
        memcpy(at, &d, sizeof(d));
        return true;
    }
    if (!span_to_u64(span_tail(s, minus ? 1 : 0), &v))
        return wrong_type(p, m);
    if (m->type == STUDY_TYPE_U64 && !minus) {
        memcpy(at, &v, sizeof(v));
        return true;
    }
    u = (uint32_t)v;
    if (m->type == STUDY_TYPE_U32 && !minus && v <= UINT32_MAX) {
        memcpy(at, &u, sizeof(u));
        return true;
    }
    if (m->type != STUDY_TYPE_I32 || v > INT32_MAX)
        return wrong_type(p, m);
    i = minus ? -(int32_t)v : (int32_t)v;
    memcpy(at, &i, sizeof(i));
    return true;
}

static bool
store_word(struct reader *p, const struct study_member *m, struct span s,
           uint8_t *at)
{
    for (unsigned i = 0; i < m->most; i++) {
        if (span_eq(s, span_str(m->words[i]))) {
            memcpy(at, &i, sizeof(i));
            return true;
        }
    }
    return wrong_type(p, m);
}

static bool
store_string(struct reader *p, const struct study_member *m, struct span s,
             uint8_t *at)
{
    bool below = span_eq(s, SPAN_LIT("-inf"));
    double d = below ? -HUGE_VAL : HUGE_VAL;
    struct addr a;
    ns_t t;

    switch (m->type) {
    case STUDY_TYPE_TEXT: return keep_text(p, s, at);
    case STUDY_TYPE_WORD: return store_word(p, m, s, at);
    case STUDY_TYPE_DOUBLE:
        if (!below && !span_eq(s, SPAN_LIT("inf")))
            break;
        memcpy(at, &d, sizeof(d));
        return true;
    case STUDY_TYPE_TIME:
        if (!ns_parse(s, &t))
            break;
        memcpy(at, &t, sizeof(t));
        return true;
    case STUDY_TYPE_ADDR:
        if (!addr_parse(s, &a))
            break;
        memcpy(at, &a, sizeof(a));
        return true;
    case STUDY_TYPE_BOOL:
    case STUDY_TYPE_U32:
    case STUDY_TYPE_I32:
    case STUDY_TYPE_U64:
    case STUDY_TYPE_SHAPE: break;
    }
    return wrong_type(p, m);
}

static bool
store_bool(struct reader *p, const struct study_member *m, bool v, uint8_t *at)
{
    if (m->type != STUDY_TYPE_BOOL)
        return wrong_type(p, m);
    memcpy(at, &v, sizeof(v));
    return true;
}

/* Text, time and number are NULL, 0 and NAN before they are read. */
static bool
store_null(struct reader *p, const struct study_member *m, bool in_array,
           uint8_t *at)
{
    const double none = NAN;

    if (m->type == STUDY_TYPE_DOUBLE)
        memcpy(at, &none, sizeof(none));
    if (m->type == STUDY_TYPE_DOUBLE || m->type == STUDY_TYPE_TEXT ||
        m->type == STUDY_TYPE_TIME)
        return true;
    return (in_array && m->brief) || wrong_type(p, m);
}

/* ---- structure ---- */

static bool
push(struct reader *p, struct frame f)
{
    if (p->depth == DEPTH)
        return fail(p, ERR_LIMIT, "deeper than %d levels", DEPTH);
    p->frames[p->depth++] = f;
    p->j.at++;
    return true;
}

/* At a bracket, for m in the struct at base; entry: of the array that m is. */
static bool
open_frame(struct reader *p, const struct study_member *m, uint8_t *base,
           bool entry, bool brief)
{
    bool array = span_at(p->j.in, p->j.at) == '[';
    bool want = m != NULL && m->hold != STUDY_HOLD_ONE && !entry;
    struct frame f = {.m = m, .array = array, .base = base};

    if (m == NULL)
        return push(p, f);
    if (want && !array)
        return fail(p, ERR_FORMAT, "%s is an array", m->key);
    if (array != want || (!array && m->type != STUDY_TYPE_SHAPE))
        return wrong_type(p, m);
    f.brief = brief || m->brief;
    if (!array)
        f.base = entry ? base : base + m->at;
    if (!array && !f.brief)
        put_nan(m->shape, f.base);
    return push(p, f);
}

/* Lists by day and by policy have as many entries as there are of these. */
static bool
check_each(struct reader *p, const struct study_member *m, size_t n)
{
    bool policies = m->n_at == offsetof(struct study_result, n_policies);

    if (p->each[policies] && p->each_n[policies] != n)
        return fail(p, ERR_FORMAT, "%s has %zu entries, another list has %zu",
                    m->key, n, p->each_n[policies]);
    p->each[policies] = true;
    p->each_n[policies] = n;
    return true;
}

static bool
close_array(struct reader *p, const struct frame *f)
{
    const struct study_member *m = f->m;

    switch (m->hold) {
    case STUDY_HOLD_ONE: return true;
    case STUDY_HOLD_ARRAY:
        return f->n == m->most ||
               fail(p, ERR_FORMAT, "%s has %zu entries", m->key, m->most);
    case STUDY_HOLD_ROWS:
        memcpy(f->base + m->n_at, &f->n, sizeof(f->n));
        return true;
    case STUDY_HOLD_LIST:
        memcpy(f->base + m->n_at, &f->n, sizeof(f->n));
        memcpy(f->base + m->at, &f->v, sizeof(f->v));
        return true;
    case STUDY_HOLD_EACH:
        memcpy(f->base + m->at, &f->v, sizeof(f->v));
        return check_each(p, m, f->n);
    }
    return true;
}

static bool
close_frame(struct reader *p)
{
    const struct frame *f = &p->frames[--p->depth];

    p->j.at++;
    return f->m == NULL || !f->array || close_array(p, f);
}

static bool
skip_value(struct reader *p, uint8_t c)
{
    struct span s;
    bool ok;

    switch (c) {
    case '{':
    case '[': return open_frame(p, NULL, NULL, false, false);
    case '"': ok = json_in_string(&p->j, &s); break;
    case 't': ok = json_in_word(&p->j, SPAN_LIT("true")); break;
    case 'f': ok = json_in_word(&p->j, SPAN_LIT("false")); break;
    case 'n': ok = json_in_word(&p->j, SPAN_LIT("null")); break;
    default: ok = json_in_number(&p->j, &s); break;
    }
    buf_reset(&p->text);
    return ok || bad_token(p);
}

/* A value of m: of a member at base, or an entry of m's array, at base. */
static bool
take_value(struct reader *p, const struct study_member *m, uint8_t *base,
           bool entry, bool brief)
{
    uint8_t c = json_in_look(&p->j);
    uint8_t *at = m == NULL || entry ? base : base + m->at;
    bool list = m != NULL && m->hold != STUDY_HOLD_ONE && !entry;
    struct span s;

    if (m == NULL)
        return skip_value(p, c);
    if (c == '{' || c == '[')
        return open_frame(p, m, base, entry, brief);
    if (list && c == 'n' && m->hold >= STUDY_HOLD_LIST)
        return json_in_word(&p->j, SPAN_LIT("null")) || bad_token(p);
    if (list)
        return fail(p, ERR_FORMAT, "%s is an array", m->key);
    switch (c) {
    case '"':
        buf_reset(&p->text);
        return json_in_string(&p->j, &s) ? store_string(p, m, s, at)
                                         : bad_token(p);
    case 't':
        return json_in_word(&p->j, SPAN_LIT("true"))
                   ? store_bool(p, m, true, at)
                   : bad_token(p);
    case 'f':
        return json_in_word(&p->j, SPAN_LIT("false"))
                   ? store_bool(p, m, false, at)
                   : bad_token(p);
    case 'n':
        return json_in_word(&p->j, SPAN_LIT("null"))
                   ? store_null(p, m, entry, at)
                   : bad_token(p);
    default:
        return json_in_number(&p->j, &s) ? store_number(p, m, s, at)
                                         : bad_token(p);
    }
}

/* What the value of this key is for; NULL in *m: a key that is not known. */
static bool
find_member(struct reader *p, struct frame *f, struct span key,
            const struct study_member **m, uint8_t **base)
{
    const struct study_shape *shape = f->m->shape;

    *m = NULL;
    *base = f->base;
    if (p->depth == 1 && span_eq(key, SPAN_LIT("schema"))) {
        *m = &schema_member;
        *base = (void *)&p->s->schema;
        return p->s->schema == NULL ||
               fail(p, ERR_FORMAT, "schema stands there twice");
    }
    REQUIRE(shape->n <= 64);
    for (size_t i = 0; i < shape->n; i++) {
        if (!span_eq(key, span_str(shape->v[i].key)))
            continue;
        if (f->seen >> i & 1)
            return fail(p, ERR_FORMAT, "%s stands there twice",
                        shape->v[i].key);
        f->seen |= UINT64_C(1) << i;
        *m = &shape->v[i];
    }
    return true;
}

static bool
take_key(struct reader *p, struct frame *f, const struct study_member **m,
         uint8_t **base)
{
    struct span key;

    *m = NULL;
    if (json_in_look(&p->j) != '"')
        return fail(p, ERR_FORMAT, "a key is missing");
    buf_reset(&p->text);
    if (!json_in_string(&p->j, &key))
        return bad_token(p);
    if (json_in_look(&p->j) != ':')
        return fail(p, ERR_FORMAT, "a colon is missing");
    p->j.at++;
    return f->m == NULL || find_member(p, f, key, m, base);
}

/* One member or entry of the innermost frame, or its end. */
static bool
step(struct reader *p)
{
    struct frame *f = &p->frames[p->depth - 1];
    const struct study_member *m = f->m;
    uint8_t closer = f->array ? ']' : '}';
    uint8_t *base = f->base;
    uint8_t c = json_in_look(&p->j);

    if (c == closer)
        return close_frame(p);
    if (f->comma && c != ',')
        return fail(p, ERR_FORMAT, "a comma or %c is missing", closer);
    p->j.at += f->comma;
    f->comma = true;
    if (!f->array)
        return take_key(p, f, &m, &base) &&
               take_value(p, m, base, false, f->brief);
    if (m != NULL)
        base = next_entry(p, f);
    return (m == NULL || base != NULL) &&
           take_value(p, m, base, true, f->brief);
}

/* ---- all of it ---- */

static bool
check_whole(struct reader *p)
{
    const struct study_result *r = &p->s->r;

    (void)json_in_look(&p->j);
    if (p->j.at < p->j.in.n)
        return fail(p, ERR_FORMAT, "something follows the study");
    if (p->s->schema == NULL)
        return fail(p, ERR_FORMAT, "it has no schema: this is no study");
    if (strcmp(p->s->schema, p->schema) != 0)
        return fail(p, ERR_FORMAT, "its schema is not %s", p->schema);
    if (p->each[0] && p->each_n[0] != r->n_days)
        return fail(p, ERR_FORMAT, "%zu days, and lists by day with %zu",
                    r->n_days, p->each_n[0]);
    if (p->each[1] && p->each_n[1] != r->n_policies)
        return fail(p, ERR_FORMAT, "%zu policies, and lists by policy with %zu",
                    r->n_policies, p->each_n[1]);
    return true;
}

static bool
read_all(struct reader *p)
{
    if (json_in_look(&p->j) != '{')
        return fail(p, ERR_FORMAT, "a study is a JSON object");
    if (!open_frame(p, &root_member, (void *)&p->s->r, false, false))
        return false;
    while (p->depth > 0) {
        if (!step(p))
            return false;
    }
    return check_whole(p);
}

enum err
study_json_read(struct span text, struct study_json **out, struct buf *message)
{
    return study_json_read_as(text, STUDY_JSON_SCHEMA, out, message);
}

enum err
study_json_read_as(struct span text, const char *schema,
                   struct study_json **out, struct buf *message)
{
    struct reader *p = calloc(1, sizeof(*p));
    enum err err = ERR_NOMEM;

    buf_reset(message);
    if (p == NULL)
        return ERR_NOMEM;
    p->message = message;
    p->schema = schema;
    buf_init(&p->text, STUDY_JSON_TEXT);
    p->j = json_in_open(text, &p->text);
    p->s = calloc(1, sizeof(*p->s));
    if (p->s != NULL) {
        err = read_all(p) ? ERR_OK : p->err;
        if (err == ERR_OK)
            *out = p->s;
        else
            study_json_free(p->s);
    }
    buf_free(&p->text);
    free(p);
    return err;
}

const struct study_result *
study_json_result(const struct study_json *s)
{
    return &s->r;
}

void
study_json_free(struct study_json *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n_owned; i++)
        free(s->owned[i]);
    free(s->owned);
    free(s);
}
