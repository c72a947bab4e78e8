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
    uint16_t last;    /* object: the key before, an index of after */
    struct target in; /* array: of its entries; object: node is its own */
};

/* As JSON has it; whole: it is v, behind its sign, and nothing else. */
struct number {
    uint64_t v;
    bool minus;
    bool whole;
};

struct parse {
    struct json_reader *r;
    struct json_in j; /* its text has room for the line, and so does not move */
    struct buf *message;
    enum err err;
    struct record_out *out; /* entries go there as they come; or NULL */
    struct record_head head;
    bool has_when;
    bool has_type;
    bool unsorted; /* of items, or of inner while an object is open */
    bool unsorted_inner;
    bool in_entry;
    uint64_t event_round;
    uint64_t entry_round;
    size_t depth;
    struct frame *frames; /* JSON_READ_DEPTH of them */
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
                       : wants[field_shapes[t->field].type]);
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

/* May the field come next in the record that is coded as the line is read? */
static bool
is_next(const struct parse *p, enum field f)
{
    enum field last = p->in_entry ? p->out->last_in : p->out->last;

    return f > last || (f == last && field_is_list(f));
}

/* What comes in another order, or may not fit, is read again: see json_read. */
static bool
read_again(struct parse *p)
{
    p->err = ERR_BUSY;
    return false;
}

static bool
add_to_record(struct parse *p, const struct item *i)
{
    enum field f = (enum field)i->field;

    if (i->raw || !is_next(p, f))
        return read_again(p);
    switch ((enum field_type)field_shapes[f].type) {
    case FT_BOOL: record_bool(p->out, f, i->as.v != 0); break;
    case FT_U64:
    case FT_I64:
    case FT_TIME:
    case FT_U64S: record_u64(p->out, f, i->as.v); break;
    case FT_ADDR: record_addr(p->out, f, &i->as.a); break;
    case FT_STR:
    case FT_STRS:
        if (i->n > RECORD_STR_MAX)
            return read_again(p);
        record_str(p->out, f, span_of(i->as.p, i->n));
        break;
    case FT_OBJS: break; /* never: close_entry */
    }
    return true;
}

static bool
add_item(struct parse *p, struct item *i)
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

static bool
add(struct parse *p, struct item *i)
{
    return p->out != NULL ? add_to_record(p, i) : add_item(p, i);
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
    switch (field_shapes[i->field].type) {
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
    const uint8_t type = field_shapes[t->field].type;

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
    if (t->want != WANT_VALUE || field_shapes[t->field].type != FT_BOOL)
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
store_number(struct parse *p, const struct target *t,
             const struct number *number, size_t at)
{
    struct item i = item_of(t);
    const bool minus = number->minus;
    const uint8_t type = field_shapes[t->field].type;
    bool ok = number->whole && !t->raw;

    i.as.v = number->v;
    if (t->want == WANT_NOTHING)
        return true;
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

/* Most numbers are a few digits, and a digit that is no zero before them. */
#define DIGITS_FEW 18U

static bool
take_few_digits(struct parse *p, struct number *out)
{
    struct span s = span_tail(p->j.in, p->j.at);
    uint64_t v = 0;
    size_t n = 0;
    uint8_t c = span_at(s, 0);

    while (c >= '0' && c <= '9' && n < DIGITS_FEW) {
        v = v * 10 + (c - '0');
        c = span_at(s, ++n);
    }
    if (n == 0 || (c >= '0' && c <= '9') || c == '.' || (c | 0x20) == 'e' ||
        (n > 1 && span_at(s, 0) == '0'))
        return false;
    p->j.at += n;
    *out = (struct number){.v = v, .whole = true};
    return true;
}

static bool
take_number(struct parse *p, struct number *out)
{
    struct span s;

    if (take_few_digits(p, out))
        return true;
    *out = (struct number){0};
    if (!json_in_number(&p->j, &s))
        return bad_token(p);
    out->minus = span_at(s, 0) == '-';
    out->whole = span_to_u64(span_tail(s, out->minus ? 1 : 0), &out->v);
    return true;
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
        t->want == WANT_ENTRY && field_shapes[t->field].type == FT_OBJS;

    if (p->depth == JSON_READ_DEPTH)
        return fail(p, ERR_LIMIT, p->j.at, "deeper than %d levels",
                    JSON_READ_DEPTH);
    if (t->want != WANT_NOTHING &&
        (c == '[' ? t->want != WANT_LIST : t->want != WANT_OBJECT && !objects))
        return wrong_type(p, t, p->j.at);
    *f = (struct frame){.closer = c == '[' ? ']' : '}', .in = *t};
    if (t->want == WANT_LIST)
        f->in.want = WANT_ENTRY;
    if (objects && p->out != NULL) {
        if (!is_next(p, t->field))
            return read_again(p);
        record_object_begin(p->out, t->field);
    }
    if (objects) {
        f->is_entry = p->in_entry = true;
        f->in.want = WANT_OBJECT;
        f->in.node = p->r->tree.child[t->field];
        p->entry_round = ++p->r->round;
        p->unsorted_inner = false;
        buf_reset(&p->r->inner);
    }
    f->last = (uint16_t)(JSON_SLOTS + f->in.node);
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

    if (p->out != NULL) {
        record_object_end(p->out);
        p->in_entry = false;
        return true;
    }
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
    struct number number;
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
        return take_number(p, &number) && store_number(p, t, &number, at);
    }
}

/* ---- keys ---- */

static size_t
slot_of(uint8_t node, struct span key)
{
    return (size_t)hash_span(key, node) & (JSON_SLOTS - 1);
}

static struct span
slot_key(const struct json_reader *r, const struct json_slot *s)
{
    return span_of(r->words + s->word + 1, s->n);
}

static const struct json_slot *
slot_find(const struct json_reader *r, uint8_t node, struct span key)
{
    size_t i = slot_of(node, key);

    while (
        r->slots[i].kind != SLOT_EMPTY &&
        (r->slots[i].node != node || !span_eq(slot_key(r, &r->slots[i]), key)))
        i = (i + 1) & (JSON_SLOTS - 1);
    return r->slots[i].kind != SLOT_EMPTY ? &r->slots[i] : NULL;
}

#define WORD sizeof(uint64_t)

/* As span_starts, for the short words that keys are: no call. Words of a slot
 * have room behind them. */
static inline bool
starts_with(struct span s, const uint8_t *word, size_t n)
{
    size_t at = 0;
    uint64_t a, b;

    if (UNLIKELY(s.n < n || s.n < WORD))
        return span_starts(s, span_of(word, n));
    for (; at + WORD < n; at += WORD) {
        memcpy(&a, s.p + at, WORD);
        memcpy(&b, word + at, WORD);
        if (a != b)
            return false;
    }
    at = n < WORD ? 0 : n - WORD;
    memcpy(&a, s.p + at, WORD);
    memcpy(&b, word + at, WORD);
    return n < WORD ? (a ^ b) << (8 * (WORD - n)) == 0 : a == b;
}

/* The key that came behind the last one before, when it does so again: quotes,
 * key and colon stand there byte for byte. */
static const struct json_slot *
slot_guess(const struct parse *p, const struct frame *in)
{
    const struct json_reader *r = p->r;
    struct span rest = span_tail(p->j.in, p->j.at);

    for (unsigned i = 0; i < JSON_GUESSES; i++) {
        const struct json_slot *s = &r->slots[r->after[in->last][i]];

        if (s->kind != SLOT_EMPTY && s->node == in->in.node &&
            starts_with(rest, r->words + s->word, s->n + 3U))
            return s;
    }
    return NULL;
}

static void
slot_learn(struct json_reader *r, const struct frame *in,
           const struct json_slot *s)
{
    uint16_t *after = r->after[in->last];

    for (unsigned i = JSON_GUESSES - 1; i > 0; i--)
        after[i] = after[i - 1];
    after[0] = (uint16_t)(s - r->slots);
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

/* What the value of a key that we know is for. */
static bool
take_target(struct parse *p, const struct json_slot *s, bool raw,
            struct target *out)
{
    uint64_t round = p->in_entry ? p->entry_round : p->event_round;
    enum field f = (enum field)s->id;

    if (s->kind == SLOT_OBJECT) {
        *out = (struct target){.want = WANT_OBJECT, .node = (uint8_t)s->id};
        return true;
    }
    if (p->r->seen[f][raw] == round)
        return fail(p, ERR_FORMAT, p->j.at, "%s%s stands there twice",
                    field_table[f].path, raw ? JSON_RAW_SUFFIX : "");
    p->r->seen[f][raw] = round;
    *out = (struct target){
        .want = field_is_list(f) ? WANT_LIST : WANT_VALUE,
        .field = f,
        .raw = raw,
    };
    return true;
}

/* The same of any key in the object `in`. */
static bool
find_target(struct parse *p, struct frame *in, struct span key,
            struct target *out)
{
    struct json_reader *r = p->r;
    bool raw = strip_raw(&key);
    const struct json_slot *s = slot_find(r, in->in.node, key);

    if (s == NULL ||
        (raw && (s->kind != SLOT_FIELD || !has_raw_form((enum field)s->id)))) {
        *out = (struct target){.want = WANT_NOTHING};
        count_unknown(r, key);
        return true;
    }
    if (!raw) {
        slot_learn(r, in, s);
        in->last = (uint16_t)(s - r->slots);
    }
    return take_target(p, s, raw, out);
}

static bool
take_key(struct parse *p, struct frame *in, struct target *out)
{
    const struct json_slot *s;
    struct span key;

    if (look(p) != '"')
        return fail(p, ERR_FORMAT, p->j.at, "a key is missing");
    if (in->in.want != WANT_NOTHING && (s = slot_guess(p, in)) != NULL) {
        p->j.at += s->n + 2U;
        in->last = (uint16_t)(s - p->r->slots);
        if (!take_target(p, s, false, out))
            return false;
        p->j.at++;
        return true;
    }
    if (!take_string(p, &key))
        return false;
    if (look(p) != ':')
        return fail(p, ERR_FORMAT, p->j.at, "a colon is missing");
    if (in->in.want == WANT_NOTHING)
        *out = (struct target){.want = WANT_NOTHING};
    else if (!find_target(p, in, key, out))
        return false;
    p->j.at++;
    return true;
}

/* One member of the innermost frame, or its end. */
static bool
step(struct parse *p)
{
    struct frame *f = &p->frames[p->depth - 1];
    struct target t;
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
    if (f->closer == ']')
        return take_value(p, &f->in);
    return take_key(p, f, &t) && take_value(p, &t);
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

/* Lines that we wrote have their fields in the order of a record: they are
 * coded as they are read. Of others, and of those with faults, nothing is said
 * here. */
static bool
read_in_order(struct parse *p, struct record_out *out)
{
    uint64_t unknown = p->r->unknown;

    p->out = out;
    record_begin(out, &p->head);
    if (parse_line(p) && out->left_out == 0 && !out->buf.failed) {
        record_set_head(out, &p->head);
        return true;
    }
    p->r->unknown = unknown;
    return false;
}

/* In any order: the values first, then their entries. */
static void
read_anyhow(struct parse *p, struct record_out *out)
{
    struct json_reader *r = p->r;

    record_begin(out, &p->head);
    if (!parse_line(p) || !emit(p, &r->items, p->unsorted, &r->entries))
        return;
    record_begin(out, &p->head);
    record_entries(out, buf_view(&r->entries));
    if (out->buf.failed)
        (void)fail(p, ERR_NOMEM, p->j.at, "out of memory");
    else if (out->left_out > 0)
        (void)fail(p, ERR_LIMIT, p->j.at, "more than a record holds");
}

static struct parse
parse_begin(struct json_reader *r, struct span line, struct frame *frames,
            struct buf *message)
{
    buf_reset(message);
    buf_reset(&r->text);
    buf_reset(&r->items);
    buf_reset(&r->objects);
    buf_reset(&r->entries);
    return (struct parse){.r = r,
                          .j = json_in_open(line, &r->text),
                          .message = message,
                          .event_round = ++r->round,
                          .frames = frames};
}

enum err
json_read(struct json_reader *r, struct span line, struct record_out *out,
          struct buf *message)
{
    struct frame frames[JSON_READ_DEPTH];
    struct parse p = parse_begin(r, line, frames, message);

    if (line.n > JSON_LINE_MAX)
        (void)fail(&p, ERR_LIMIT, JSON_LINE_MAX, "the line is too long");
    else if (!buf_grow(&r->text, line.n + 1))
        (void)fail(&p, ERR_NOMEM, 0, "out of memory");
    else if (!read_in_order(&p, out)) {
        p = parse_begin(r, line, frames, message);
        read_anyhow(&p, out);
    }
    return p.err;
}

static void
slot_add(struct json_reader *r, struct span key, struct json_slot slot)
{
    size_t i = slot_of(slot.node, key);
    uint8_t *at = r->words + r->n_words;

    REQUIRE(key.n < UINT8_MAX && key.n + 3 + WORD <= JSON_WORDS - r->n_words);
    at[0] = at[key.n + 1] = '"';
    memcpy(at + 1, key.p, key.n);
    at[key.n + 2] = ':';
    slot.word = (uint16_t)r->n_words;
    slot.n = (uint8_t)key.n;
    r->n_words += (uint32_t)key.n + 3;
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
        slot_add(r, t->key[f],
                 (struct json_slot){.id = (uint16_t)f,
                                    .node = t->node_of[f],
                                    .kind = SLOT_FIELD});
    /* The objects of a list are reached through it, not by a key. */
    for (unsigned i = 1; i < t->n; i++) {
        if (t->node[i].list == FIELD_COUNT)
            slot_add(r, t->node[i].key,
                     (struct json_slot){.id = (uint16_t)i,
                                        .node = t->node[i].parent,
                                        .kind = SLOT_OBJECT});
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
