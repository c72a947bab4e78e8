#include "sensor/event/json_write.h"

#include "sensor/base/digits.h"
#include "sensor/base/json_out.h"
#include "sensor/base/text.h"

/* Room for all that one step writes besides its value: the objects it closes
 * and opens, two keys, a number or a time. */
#define STEP_ROOM 1024

_Static_assert(STEP_ROOM > (JSON_NODE_DEPTH + 2) * 2 * sizeof(struct json_word),
               "a step may open and close that many objects");

/* Where the next byte goes: between calls, out->n is behind. A byte written may
 * be one of the pen itself, for all that the compiler knows; so what writes a
 * value is given the place and gives the end, and neither is read again. */
struct pen {
    const struct json_writer *w;
    struct buf *out;
    uint8_t *at;
    uint8_t *end;
    uint8_t node;  /* the object that is open */
    bool comma;    /* a key was written in it */
    bool replaced; /* bytes of the last string were not UTF-8 */
};

/* Entries of one level, one ahead, so that a list is seen to end. */
struct walk {
    struct cursor c;
    struct record_entry e;
    bool has;
};

static void
walk_next(struct walk *k)
{
    k->has = record_next(&k->c, &k->e);
}

static bool
walk_same(struct walk *k, enum field f)
{
    walk_next(k);
    return k->has && k->e.field == f;
}

static bool
make_room(struct pen *p, size_t n)
{
    p->out->n = (size_t)(p->at - p->out->p);
    if (!buf_grow(p->out, n))
        return false;
    p->at = p->out->p + p->out->n;
    p->end = p->out->p + p->out->cap;
    return true;
}

static inline bool
room(struct pen *p, size_t n)
{
    return LIKELY((size_t)(p->end - p->at) >= n) || make_room(p, n);
}

static void
put(struct pen *p, uint8_t c)
{
    *p->at++ = c;
}

/* A copy of constant size is quicker than one of the right size. */
static inline uint8_t *
word_at(uint8_t *at, const struct json_word *word, bool comma)
{
    size_t skip = comma ? 0 : 1;

    memcpy(at, word->text + skip, sizeof(word->text) - 1);
    return at + word->n - skip;
}

static inline void
put_word(struct pen *p, const struct json_word *word)
{
    p->at = word_at(p->at, word, p->comma);
    p->comma = true;
}

/* Closes and opens objects until node is the open one. */
static void
change_object(struct pen *p, uint8_t node)
{
    const struct json_node *nodes = p->w->tree.node;
    uint8_t down[JSON_NODE_DEPTH];
    size_t n = 0;

    while (p->node != node) {
        if (nodes[p->node].depth >= nodes[node].depth) {
            put(p, '}');
            p->comma = true;
            p->node = nodes[p->node].parent;
        } else {
            down[n++] = node;
            node = nodes[node].parent;
        }
    }
    while (n > 0) {
        p->node = down[--n];
        put_word(p, &p->w->node[p->node]);
        put(p, '{');
        p->comma = false;
    }
}

static inline void
enter(struct pen *p, uint8_t node)
{
    if (UNLIKELY(p->node != node))
        change_object(p, node);
}

/* ---- values ---- */

static inline uint8_t *
u64_at(uint8_t *at, uint64_t v)
{
    *at = (uint8_t)('0' + v); /* of counts, most have one digit */
    return v < 10 ? at + 1 : (uint8_t *)digits_u64((char *)at, v);
}

static inline uint8_t *
i64_at(uint8_t *at, uint64_t v)
{
    if (v >> 63)
        *at++ = '-';
    return u64_at(at, v >> 63 ? ~v + 1 : v);
}

static inline uint8_t *
bool_at(uint8_t *at, bool v)
{
    memcpy(at, v ? "true " : "false", 5);
    return at + (v ? 4 : 5);
}

static inline uint8_t *
time_at(uint8_t *at, ns_t t)
{
    *at++ = '"';
    at += ns_format(t, (char *)at);
    *at++ = '"';
    return at;
}

static inline uint8_t *
addr_at(uint8_t *at, struct span v)
{
    const struct addr *a = (const struct addr *)v.p; /* bytes, like p */

    *at++ = '"';
    at += addr_format(a, (char *)at);
    *at++ = '"';
    return at;
}

/* p->replaced: the text is not the exact bytes. */
static inline uint8_t *
str_at(struct pen *p, uint8_t *at, struct span v)
{
    p->replaced = false;
    *at++ = '"';
    at = json_escape(at, v, &p->replaced);
    *at++ = '"';
    return at;
}

static bool
room_for_str(struct pen *p, struct span v)
{
    return room(p, STEP_ROOM + v.n * JSON_ESCAPE_MAX);
}

/* ---- the sibling with the exact bytes ---- */

static void
put_raw_key(struct pen *p, const struct json_word *word)
{
    static const char tail[] = JSON_RAW_SUFFIX "\":";

    put_word(p, word);
    p->at -= 2;
    memcpy(p->at, tail, sizeof(tail) - 1);
    p->at += sizeof(tail) - 1;
}

static bool
put_base64(struct pen *p, struct span v)
{
    if (!room(p, STEP_ROOM + v.n * 2))
        return false;
    put(p, '"');
    p->out->n = (size_t)(p->at - p->out->p);
    text_base64(p->out, v);
    p->at = p->out->p + p->out->n;
    put(p, '"');
    return true;
}

static bool
write_raw_list(struct pen *p, const struct json_word *word, struct walk *k)
{
    enum field f = k->e.field;
    uint8_t lead = '[';

    put_raw_key(p, word);
    do {
        if (!room(p, STEP_ROOM))
            return false;
        put(p, lead);
        lead = ',';
        if (utf8_valid(k->e.value)) {
            memcpy(p->at, "null", 4);
            p->at += 4;
        } else if (!put_base64(p, k->e.value)) {
            return false;
        }
    } while (walk_same(k, f));
    put(p, ']');
    return true;
}

/* ---- entries ---- */

static bool
write_strs(struct pen *p, const struct json_word *word, struct walk *k)
{
    struct walk again = *k;
    enum field f = k->e.field;
    bool bad = false;
    uint8_t lead = '[';

    do {
        if (!room_for_str(p, k->e.value))
            return false;
        put(p, lead);
        lead = ',';
        p->at = str_at(p, p->at, k->e.value);
        bad |= p->replaced;
    } while (walk_same(k, f));
    put(p, ']');
    return !bad || (room(p, STEP_ROOM) && write_raw_list(p, word, &again));
}

static bool
write_u64s(struct pen *p, struct walk *k)
{
    enum field f = k->e.field;
    uint8_t lead = '[';

    do {
        if (!room(p, STEP_ROOM))
            return false;
        put(p, lead);
        lead = ',';
        p->at = u64_at(p->at, entry_u64(k->e.value));
    } while (walk_same(k, f));
    put(p, ']');
    return true;
}

static NOINLINE bool
write_list(struct pen *p, const struct json_word *word, struct walk *k)
{
    put_word(p, word);
    return word->type == FT_STRS ? write_strs(p, word, k) : write_u64s(p, k);
}

static NOINLINE bool
write_raw(struct pen *p, const struct json_word *word, struct span v)
{
    if (!room(p, STEP_ROOM))
        return false;
    put_raw_key(p, word);
    return put_base64(p, v);
}

/* A field that is no list. */
static inline bool
write_value(struct pen *p, const struct json_word *word, struct span v)
{
    uint8_t *at = word_at(p->at, word, p->comma);
    bool ok = true;

    p->comma = true;
    switch ((enum field_type)word->type) {
    case FT_BOOL: p->at = bool_at(at, span_at(v, 0) != 0); break;
    case FT_U64: p->at = u64_at(at, entry_u64(v)); break;
    case FT_I64: p->at = i64_at(at, entry_u64(v)); break;
    case FT_TIME: p->at = time_at(at, entry_u64(v)); break;
    case FT_ADDR: p->at = addr_at(at, v); break;
    case FT_STR:
        p->at = str_at(p, at, v);
        ok = LIKELY(!p->replaced) || write_raw(p, word, v);
        break;
    case FT_STRS:
    case FT_U64S:
    case FT_OBJS: REQUIRE(false); break;
    }
    return ok;
}

/* Fields with all their entries, up to the end or a list of objects. The walk
 * is a copy of the caller's, so that it stays in registers. */
static bool
write_fields(struct pen *p, struct walk *from)
{
    struct walk k = *from;

    while (k.has) {
        const struct json_word *word = &p->w->field[k.e.field];

        if (word->type == FT_OBJS)
            break;
        if (!room_for_str(p, k.e.value))
            return false;
        enter(p, word->node);
        if (word->type < FT_STRS) {
            if (!write_value(p, word, k.e.value))
                return false;
            walk_next(&k);
        } else {
            *from = k;
            if (!write_list(p, word, from))
                return false;
            k = *from;
        }
    }
    *from = k;
    return true;
}

static struct walk
walk_open(struct cursor c)
{
    struct walk k = {.c = c};

    walk_next(&k);
    return k;
}

static bool
write_object(struct pen *p, uint8_t node, struct span entries)
{
    struct walk k = walk_open(cur_open(entries));

    p->node = node;
    p->comma = false;
    put(p, '{');
    if (!write_fields(p, &k) || !room(p, STEP_ROOM))
        return false;
    enter(p, node);
    put(p, '}');
    return true;
}

static bool
write_objects(struct pen *p, struct walk *k)
{
    enum field f = k->e.field;
    const struct json_word *word = &p->w->field[f];
    uint8_t lead = '[';

    if (!room(p, STEP_ROOM))
        return false;
    enter(p, word->node);
    put_word(p, word);
    do {
        if (!room(p, STEP_ROOM))
            return false;
        put(p, lead);
        lead = ',';
        if (!write_object(p, p->w->tree.child[f], k->e.value))
            return false;
    } while (walk_same(k, f));
    put(p, ']');
    p->node = word->node;
    p->comma = true;
    return true;
}

static void
write_header(struct pen *p, const struct record_head *h)
{
    const struct json_word *word = p->w->field;

    put(p, '{');
    put_word(p, &word[FIELD_TIMESTAMP]);
    p->at = time_at(p->at, h->when);
    if (h->flow_id != 0) {
        put_word(p, &word[FIELD_FLOW_ID]);
        p->at = u64_at(p->at, h->flow_id);
    }
    if (h->flow_id != 0 || h->seq != 0) {
        put_word(p, &word[FIELD_FLOW_SEQ]);
        p->at = u64_at(p->at, h->seq);
    }
    put_word(p, &word[FIELD_EVENT_TYPE]);
    p->at = str_at(p, p->at, span_str(event_type_name(h->type)));
}

static bool
write_all(struct pen *p, struct span record)
{
    struct record_head h = record_head_of(record);
    struct walk k = walk_open(record_entries_of(record));

    if (!room(p, STEP_ROOM))
        return false;
    write_header(p, &h);
    while (k.has) {
        if (!write_fields(p, &k) || (k.has && !write_objects(p, &k)))
            return false;
    }
    if (!room(p, STEP_ROOM))
        return false;
    enter(p, 0);
    put(p, '}');
    return true;
}

bool
json_write(const struct json_writer *w, struct span record, struct buf *out)
{
    size_t start = out->n;
    struct pen p = {.w = w, .out = out};
    bool ok;

    /* Never from NULL, so that the pointers may be subtracted. */
    if (!buf_grow(out, STEP_ROOM))
        return false;
    p.at = out->p + out->n;
    p.end = out->p + out->cap;
    ok = write_all(&p, record);
    out->n = ok ? (size_t)(p.at - out->p) : start;
    return ok;
}

static void
word_init(struct json_word *word, struct span key)
{
    uint8_t *at = word->text;

    /* put_word copies all but one byte of text, wherever it begins. */
    REQUIRE(key.n + 4 < sizeof(word->text));
    *at++ = ',';
    *at++ = '"';
    memcpy(at, key.p, key.n);
    at += key.n;
    *at++ = '"';
    *at++ = ':';
    word->n = (uint8_t)(at - word->text);
}

void
json_writer_init(struct json_writer *w)
{
    *w = (struct json_writer){0};
    json_tree_init(&w->tree);
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        word_init(&w->field[f], w->tree.key[f]);
        w->field[f].node = w->tree.node_of[f];
        w->field[f].type = (uint8_t)field_table[f].type;
    }
    for (unsigned i = 1; i < w->tree.n; i++)
        word_init(&w->node[i], w->tree.node[i].key);
}
