#include "sensor/event/json_read.h"

#include <stdarg.h>
#include <stdio.h>

#include "sensor/base/hash.h"
#include "sensor/base/json_in.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

#define ITEMS_MAX (2 * RECORD_MAX / 4) /* an entry has 4 bytes at least */

/* One value, before it has its place in the record. */
struct item {
    uint16_t field;
    bool raw;  /* from <key>_raw_b64 */
    bool null; /* a raw entry that is exact already */
    uint32_t n;
    uint32_t order;
    union {
        const uint8_t *p; /* STR: in the line or in text */
        uint64_t v;       /* numbers, and where an object begins */
        struct addr a;
    } as;
};

enum slot_kind { SLOT_EMPTY, SLOT_FIELD, SLOT_OBJECT };

/* What the next value is for. */
enum want {
    WANT_NOTHING, /* an unknown key */
    WANT_VALUE,   /* of a field that is no list */
    WANT_LIST,
    WANT_ENTRY,  /* of a list */
    WANT_OBJECT, /* an inner node of the tree */
};

struct target {
    enum want want;
    enum field field;
    bool raw;
    uint8_t node;
};

/* An array or object that is open. */
struct frame {
    uint8_t closer;
    bool is_entry;    /* an object of a list */
    bool comma;       /* something stands in it */
    struct target in; /* array: of its entries; object: node is its own */
};

struct parse {
    struct json_reader *r;
    struct json_in j; /* its text has room for the line, and so does not move */
    struct buf *message;
    enum err err;
    struct record_head head;
    bool has_when;
    bool has_type;
    bool unsorted; /* of items, or of inner while an object is open */
    bool unsorted_inner;
    bool in_entry;
    uint64_t event_round;
    uint64_t entry_round;
    size_t depth;
    struct frame frames[JSON_READ_DEPTH];
};

/* ---- errors ---- */

static bool PRINTF(4, 5)
    fail(struct parse *p, enum err why, size_t at, const char *fmt, ...)
{
    char text[160];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    p->err = why;
    buf_printf(p->message, "column %zu: %s", at + 1, text);
    return false;
}

static bool
wrong_type(struct parse *p, const struct target *t, size_t at)
{
    static const char *const wants[] = {
        [FT_BOOL] = "true or false",
        [FT_U64] = "a number from 0 to 2^64-1",
        [FT_I64] = "a whole number of 64 bits",
        [FT_TIME] = "a time as in RFC 3339",
        [FT_ADDR] = "an address",
        [FT_STR] = "a string",
        [FT_STRS] = "an array of strings",
        [FT_U64S] = "an array of numbers from 0 to 2^64-1",
        [FT_OBJS] = "an array of objects",
    };

    if (t->want == WANT_OBJECT)
        return fail(p, ERR_FORMAT, at, "this key holds an object");
    return fail(p, ERR_FORMAT, at, "%s%s is %s", field_table[t->field].path,
                t->raw ? JSON_RAW_SUFFIX : "",
                t->raw ? "base64, in an array for a list"
                       : wants[field_table[t->field].type]);
}

/* ---- items ---- */

static bool
before(const struct item *a, const struct item *b)
{
    if (a->field != b->field)
        return a->field < b->field;
    if (a->raw != b->raw)
        return b->raw;
    return a->order < b->order;
}

static int
compare(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;

    return before(x, y) ? -1 : before(y, x) ? 1 : 0;
}

static struct item *
items_of(struct buf *b)
{
    return (struct item *)(void *)b->p;
}

static bool
add(struct parse *p, struct item *i)
{
    struct buf *b = p->in_entry ? &p->r->inner : &p->r->items;
    bool *unsorted = p->in_entry ? &p->unsorted_inner : &p->unsorted;
    size_t n = b->n / sizeof(*i);

    if (!buf_grow(b, sizeof(*i)))
        return fail(p, b->failed ? ERR_NOMEM : ERR_LIMIT, p->j.at,
                    b->failed ? "out of memory" : "too many values");
    i->order = (uint32_t)n;
    *unsorted |= n > 0 && before(i, items_of(b) + n - 1);
    memcpy(b->p + b->n, i, sizeof(*i));
    b->n += sizeof(*i);
    return true;
}

static struct item
item_of(const struct target *t)
{
    return (struct item){.field = (uint16_t)t->field, .raw = t->raw};
}

/* The bytes of the entry that an item becomes. */
static struct span
item_bytes(const struct parse *p, const struct item *i)
{
    switch (field_table[i->field].type) {
    case FT_BOOL: return span_of(&i->as.v, 1);
    case FT_U64:
    case FT_I64:
    case FT_TIME:
    case FT_U64S: return span_of(&i->as.v, 8);
    case FT_ADDR: return span_of(i->as.a.b, 16);
    case FT_STR:
    case FT_STRS: return span_of(i->as.p, i->n);
    case FT_OBJS:
        return span_head(span_tail(buf_view(&p->r->objects), i->as.v), i->n);
    }
    return SPAN_NONE;
}

/* One field: n texts, then n raw forms or none. */
static bool
emit_field(struct parse *p, const struct item *i, size_t n, struct buf *out)
{
    size_t n_text = 0;

    while (n_text < n && !i[n_text].raw)
        n_text++;
    if (n_text < n && n != 2 * n_text)
        return fail(p, ERR_FORMAT, p->j.at,
                    "%s" JSON_RAW_SUFFIX " has not as many entries as its list",
                    field_table[i->field].path);
    for (size_t k = 0; k < n_text; k++) {
        bool exact = n_text == n || i[n_text + k].null;
        struct span v = item_bytes(p, exact ? &i[k] : &i[n_text + k]);

        /* Not sooner: with U+FFFD in it the text is longer than the bytes. */
        if (v.n > RECORD_STR_MAX)
            return fail(p, ERR_LIMIT, p->j.at, "%s is longer than %u bytes",
                        field_table[i->field].path, RECORD_STR_MAX);
        entry_put(out, (enum field)i->field, v);
    }
    return true;
}

static bool
emit(struct parse *p, struct buf *from, bool unsorted, struct buf *out)
{
    struct item *i = items_of(from);
    size_t n = from->n / sizeof(*i);
    size_t run;

    if (unsorted)
        qsort(i, n, sizeof(*i), compare);
    for (size_t at = 0; at < n; at += run) {
        run = 1;
        while (at + run < n && i[at + run].field == i[at].field)
            run++;
        if (!emit_field(p, i + at, run, out))
            return false;
    }
    if (out->failed)
        return fail(p, ERR_NOMEM, p->j.at, "out of memory");
    if (out->cut)
        return fail(p, ERR_LIMIT, p->j.at, "more than a record holds");
    return true;
}

/* ---- values ---- */

static void
count_unknown(struct json_reader *r, struct span key)
{
    struct span kept = span_head(key, sizeof(r->unknown_key));

    r->unknown++;
    r->n_unknown_key = (uint8_t)kept.n;
    if (kept.n > 0)
        memcpy(r->unknown_key, kept.p, kept.n);
}

static bool
store_header(struct parse *p, const struct item *i)
{
    struct span name;

    switch ((enum field)i->field) {
    case FIELD_TIMESTAMP:
        p->head.when = i->as.v;
        p->has_when = true;
        return true;
    case FIELD_FLOW_ID: p->head.flow_id = i->as.v; return true;
    case FIELD_FLOW_SEQ:
        if (i->as.v > UINT32_MAX)
            return fail(p, ERR_FORMAT, p->j.at, "%s is at most 2^32-1",
                        field_table[i->field].path);
        p->head.seq = (uint32_t)i->as.v;
        return true;
    default: break;
    }
    name = span_of(i->as.p, i->n);
    p->head.type = event_type_find(name);
    p->has_type = true;
    if (p->head.type == EVENT_NONE &&
        !span_eq(name, span_str(event_type_name(EVENT_NONE))))
        count_unknown(p->r, name);
    return true;
}

static bool
store(struct parse *p, struct item *i)
{
    return field_is_header((enum field)i->field) ? store_header(p, i)
                                                 : add(p, i);
}

static bool
store_raw(struct parse *p, struct item *i, struct span text, size_t at)
{
    struct buf *b = &p->r->text;
    size_t begin = b->n;

    if (!text_unbase64(b, text))
        return fail(p, ERR_FORMAT, at, "%s" JSON_RAW_SUFFIX " is not base64",
                    field_table[i->field].path);
    i->as.p = b->p + begin;
    i->n = (uint32_t)(b->n - begin);
    return true;
}

static bool
store_string(struct parse *p, const struct target *t, struct span s, size_t at)
{
    struct item i = item_of(t);
    enum field_type type = field_table[t->field].type;

    if (t->want == WANT_NOTHING)
        return true;
    if (t->want != (field_is_list(t->field) ? WANT_ENTRY : WANT_VALUE))
        return wrong_type(p, t, at);
    if (t->raw) {
        if (!store_raw(p, &i, s, at))
            return false;
    } else if (type == FT_TIME && ns_parse(s, &i.as.v)) {
        i.as.v -= i.as.v % NS_PER_US;
    } else if (type == FT_STR || type == FT_STRS) {
        i.as.p = s.p;
        i.n = (uint32_t)s.n;
    } else if (type != FT_ADDR || !addr_parse(s, &i.as.a)) {
        return wrong_type(p, t, at);
    }
    return store(p, &i);
}

static bool
store_bool(struct parse *p, const struct target *t, bool v, size_t at)
{
    struct item i = item_of(t);

    if (t->want == WANT_NOTHING)
        return true;
    if (t->want != WANT_VALUE || field_table[t->field].type != FT_BOOL)
        return wrong_type(p, t, at);
    i.as.v = v;
    return store(p, &i);
}

static bool
store_null(struct parse *p, const struct target *t, size_t at)
{
    struct item i = item_of(t);

    if (t->want == WANT_NOTHING)
        return true;
    if (t->want != WANT_ENTRY || !t->raw)
        return wrong_type(p, t, at);
    i.null = true;
    return store(p, &i);
}

static bool
store_number(struct parse *p, const struct target *t, struct span s, size_t at)
{
    struct item i = item_of(t);
    bool minus = span_at(s, 0) == '-';
    enum field_type type = field_table[t->field].type;
    bool ok;

    if (t->want == WANT_NOTHING)
        return true;
    ok = !t->raw && span_to_u64(span_tail(s, minus ? 1 : 0), &i.as.v);
    if (t->want == WANT_ENTRY)
        ok = ok && type == FT_U64S && !minus;
    else if (t->want == WANT_VALUE && type == FT_I64)
        ok = ok && i.as.v <= (uint64_t)INT64_MAX + minus;
    else
        ok = ok && t->want == WANT_VALUE && type == FT_U64 && !minus;
    if (!ok)
        return wrong_type(p, t, at);
    if (minus)
        i.as.v = ~i.as.v + 1;
    return store(p, &i);
}

/* ---- tokens ---- */

static uint8_t
look(struct parse *p)
{
    return json_in_look(&p->j);
}

static bool
bad_token(struct parse *p)
{
    return fail(p, ERR_FORMAT, p->j.why_at, "%s", p->j.why);
}

static bool
take_string(struct parse *p, struct span *out)
{
    return json_in_string(&p->j, out) || bad_token(p);
}

static bool
take_number(struct parse *p, struct span *out)
{
    return json_in_number(&p->j, out) || bad_token(p);
}

static bool
take_word(struct parse *p, struct span word)
{
    return json_in_word(&p->j, word) || bad_token(p);
}

/* ---- structure ---- */

static bool
open_frame(struct parse *p, const struct target *t, uint8_t c)
{
    struct frame *f = &p->frames[p->depth];
    bool objects =
        t->want == WANT_ENTRY && field_table[t->field].type == FT_OBJS;

    if (p->depth == JSON_READ_DEPTH)
        return fail(p, ERR_LIMIT, p->j.at, "deeper than %d levels",
                    JSON_READ_DEPTH);
    if (t->want != WANT_NOTHING &&
        (c == '[' ? t->want != WANT_LIST : t->want != WANT_OBJECT && !objects))
        return wrong_type(p, t, p->j.at);
    *f = (struct frame){.closer = c == '[' ? ']' : '}', .in = *t};
    if (t->want == WANT_LIST)
        f->in.want = WANT_ENTRY;
    if (objects) {
        f->is_entry = p->in_entry = true;
        f->in.want = WANT_OBJECT;
        f->in.node = p->r->tree.child[t->field];
        p->entry_round = ++p->r->round;
        p->unsorted_inner = false;
        buf_reset(&p->r->inner);
    }
    p->depth++;
    p->j.at++;
    return true;
}

/* The object of a list is whole: its values become one entry. */
static bool
close_entry(struct parse *p, enum field f)
{
    struct buf *b = &p->r->objects;
    struct item i = {.field = (uint16_t)f};
    size_t begin = b->n;

    if (!emit(p, &p->r->inner, p->unsorted_inner, b))
        return false;
    if (b->n - begin > RECORD_STR_MAX)
        return fail(p, ERR_LIMIT, p->j.at,
                    "an object of %s is longer than %u "
                    "bytes",
                    field_table[f].path, RECORD_STR_MAX);
    p->in_entry = false;
    i.as.v = begin;
    i.n = (uint32_t)(b->n - begin);
    return add(p, &i);
}

static bool
close_frame(struct parse *p)
{
    struct frame *f = &p->frames[--p->depth];

    p->j.at++;
    return !f->is_entry || close_entry(p, f->in.field);
}

static bool
take_value(struct parse *p, const struct target *t)
{
    uint8_t c = look(p);
    size_t at = p->j.at;
    struct span s;

    switch (c) {
    case '{':
    case '[': return open_frame(p, t, c);
    case '"': return take_string(p, &s) && store_string(p, t, s, at);
    case 't':
        return take_word(p, SPAN_LIT("true")) && store_bool(p, t, true, at);
    case 'f':
        return take_word(p, SPAN_LIT("false")) && store_bool(p, t, false, at);
    case 'n': return take_word(p, SPAN_LIT("null")) && store_null(p, t, at);
    default:
        if (c != '-' && (c < '0' || c > '9'))
            return fail(p, ERR_FORMAT, at, "a value is missing");
        return take_number(p, &s) && store_number(p, t, s, at);
    }
}

/* ---- keys ---- */

static size_t
slot_of(uint8_t node, struct span key)
{
    return (size_t)hash_span(key, node) & (JSON_SLOTS - 1);
}

static const struct json_slot *
slot_find(const struct json_reader *r, uint8_t node, struct span key)
{
    size_t i = slot_of(node, key);

    while (r->slots[i].kind != SLOT_EMPTY &&
           (r->slots[i].node != node || !span_eq(r->slots[i].key, key)))
        i = (i + 1) & (JSON_SLOTS - 1);
    return r->slots[i].kind != SLOT_EMPTY ? &r->slots[i] : NULL;
}

static bool
has_raw_form(enum field f)
{
    enum field_type t = field_table[f].type;

    return (t == FT_STR || t == FT_STRS) && !field_is_header(f);
}

static bool
strip_raw(struct span *key)
{
    struct span suffix = SPAN_LIT(JSON_RAW_SUFFIX);

    if (key->n < suffix.n ||
        !span_eq(span_tail(*key, key->n - suffix.n), suffix))
        return false;
    key->n -= suffix.n;
    return true;
}

/* What the value of this key in object `node` is for. */
static bool
find_target(struct parse *p, uint8_t node, struct span key, struct target *out)
{
    struct json_reader *r = p->r;
    bool raw = strip_raw(&key);
    const struct json_slot *s = slot_find(r, node, key);
    uint64_t round = p->in_entry ? p->entry_round : p->event_round;
    enum field f;

    *out = (struct target){.want = WANT_NOTHING};
    if (s == NULL ||
        (raw && (s->kind != SLOT_FIELD || !has_raw_form((enum field)s->id)))) {
        count_unknown(r, key);
        return true;
    }
    if (s->kind == SLOT_OBJECT) {
        *out = (struct target){.want = WANT_OBJECT, .node = (uint8_t)s->id};
        return true;
    }
    f = (enum field)s->id;
    if (r->seen[f][raw] == round)
        return fail(p, ERR_FORMAT, p->j.at, "%s%s stands there twice",
                    field_table[f].path, raw ? JSON_RAW_SUFFIX : "");
    r->seen[f][raw] = round;
    *out = (struct target){
        .want = field_is_list(f) ? WANT_LIST : WANT_VALUE,
        .field = f,
        .raw = raw,
    };
    return true;
}

static bool
take_key(struct parse *p, const struct frame *in, struct target *out)
{
    struct span key;

    if (look(p) != '"')
        return fail(p, ERR_FORMAT, p->j.at, "a key is missing");
    if (!take_string(p, &key))
        return false;
    if (look(p) != ':')
        return fail(p, ERR_FORMAT, p->j.at, "a colon is missing");
    if (in->in.want == WANT_NOTHING)
        *out = (struct target){.want = WANT_NOTHING};
    else if (!find_target(p, in->in.node, key, out))
        return false;
    p->j.at++;
    return true;
}

/* One member of the innermost frame, or its end. */
static bool
step(struct parse *p)
{
    struct frame *f = &p->frames[p->depth - 1];
    struct target t = f->in;
    uint8_t c = look(p);

    if (c == f->closer)
        return close_frame(p);
    if (f->comma) {
        if (c != ',')
            return fail(p, ERR_FORMAT, p->j.at, "a comma or %c is missing",
                        f->closer);
        p->j.at++;
    }
    f->comma = true;
    if (f->closer == '}' && !take_key(p, f, &t))
        return false;
    return take_value(p, &t);
}

static bool
parse_line(struct parse *p)
{
    static const struct target event = {.want = WANT_OBJECT};

    if (look(p) != '{')
        return fail(p, ERR_FORMAT, p->j.at, "an event is a JSON object");
    if (!open_frame(p, &event, '{'))
        return false;
    while (p->depth > 0) {
        if (!step(p))
            return false;
    }
    (void)look(p);
    if (p->j.at < p->j.in.n)
        return fail(p, ERR_FORMAT, p->j.at, "something follows the event");
    if (!p->has_when || !p->has_type)
        return fail(
            p, ERR_FORMAT, p->j.at, "%s is missing",
            field_table[p->has_when ? FIELD_EVENT_TYPE : FIELD_TIMESTAMP].path);
    return true;
}

static bool
make_record(struct parse *p, struct record_out *out)
{
    struct json_reader *r = p->r;

    if (!emit(p, &r->items, p->unsorted, &r->entries))
        return false;
    record_begin(out, &p->head);
    record_entries(out, buf_view(&r->entries));
    if (out->buf.failed)
        return fail(p, ERR_NOMEM, p->j.at, "out of memory");
    if (out->left_out > 0)
        return fail(p, ERR_LIMIT, p->j.at, "more than a record holds");
    return true;
}

enum err
json_read(struct json_reader *r, struct span line, struct record_out *out,
          struct buf *message)
{
    struct parse p = {
        .r = r, .j = json_in_open(line, &r->text), .message = message};

    buf_reset(message);
    buf_reset(&r->text);
    buf_reset(&r->items);
    buf_reset(&r->objects);
    buf_reset(&r->entries);
    p.event_round = ++r->round;
    if (line.n > JSON_LINE_MAX)
        (void)fail(&p, ERR_LIMIT, JSON_LINE_MAX, "the line is too long");
    else if (!buf_grow(&r->text, line.n + 1))
        (void)fail(&p, ERR_NOMEM, 0, "out of memory");
    else if (parse_line(&p))
        (void)make_record(&p, out);
    return p.err;
}

static void
slot_add(struct json_reader *r, struct json_slot slot)
{
    size_t i = slot_of(slot.node, slot.key);

    while (r->slots[i].kind != SLOT_EMPTY)
        i = (i + 1) & (JSON_SLOTS - 1);
    r->slots[i] = slot;
}

_Static_assert(JSON_SLOTS > 2 * (FIELD_COUNT + JSON_NODES_MAX),
               "the index must stay half empty");

void
json_reader_init(struct json_reader *r)
{
    struct json_tree *t = &r->tree;

    *r = (struct json_reader){0};
    json_tree_init(t);
    buf_init(&r->text, JSON_LINE_MAX + 1);
    buf_init(&r->items, ITEMS_MAX * sizeof(struct item));
    buf_init(&r->inner, ITEMS_MAX * sizeof(struct item));
    buf_init(&r->objects, RECORD_MAX);
    buf_init(&r->entries, RECORD_MAX);
    for (unsigned f = 0; f < FIELD_COUNT; f++)
        slot_add(r, (struct json_slot){t->key[f], (uint16_t)f, t->node_of[f],
                                       SLOT_FIELD});
    /* The objects of a list are reached through it, not by a key. */
    for (unsigned i = 1; i < t->n; i++) {
        if (t->node[i].list == FIELD_COUNT)
            slot_add(r, (struct json_slot){t->node[i].key, (uint16_t)i,
                                           t->node[i].parent, SLOT_OBJECT});
    }
}

void
json_reader_free(struct json_reader *r)
{
    if (r == NULL)
        return;
    buf_free(&r->text);
    buf_free(&r->items);
    buf_free(&r->inner);
    buf_free(&r->objects);
    buf_free(&r->entries);
}
