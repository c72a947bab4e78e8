#include "sensor/event/record.h"

#include "sensor/base/hash.h"

static const char *const type_names[] = {
#define EVENT_NAME(id, name) [EVENT_##id] = (name),
    EVENT_TYPE_MAP(EVENT_NAME)
#undef EVENT_NAME
};

const char *
event_type_name(enum event_type t)
{
    return type_names[t];
}

uint64_t
record_coding(void)
{
    uint64_t h = fields_coding(field_table, FIELD_COUNT);

    for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++)
        h = hash_span(span_str(type_names[t]), h);
    return hash_mix(h, RECORD_HEAD);
}

enum event_type
event_type_find(struct span name)
{
    for (unsigned t = 0; t < EVENT_TYPE_COUNT; t++) {
        if (span_eq(name, span_str(type_names[t])))
            return (enum event_type)t;
    }
    return EVENT_NONE;
}

/* ---- coder ---- */

void
record_init(struct record_out *r)
{
    *r = (struct record_out){0};
    buf_init(&r->buf, RECORD_MAX);
}

void
record_free(struct record_out *r)
{
    buf_free(&r->buf);
}

static void
put_record_head(struct buf *b, const struct record_head *head)
{
    uint32_t type = (uint32_t)head->type;
    ns_t when = head->when - head->when % NS_PER_US;

    buf_put(b, &when, 8);
    buf_put(b, &head->flow_id, 8);
    buf_put(b, &head->seq, 4);
    buf_put(b, &type, 4);
}

void
record_begin(struct record_out *r, const struct record_head *head)
{
    buf_reset(&r->buf);
    r->last = r->last_in = (enum field)0;
    r->object_at = 0;
    r->object_cut = false;
    r->left_out = 0;
    if (buf_grow(&r->buf, RECORD_HEAD))
        put_record_head(&r->buf, head);
}

void
record_set_head(struct record_out *r, const struct record_head *head)
{
    struct buf b = {r->buf.p, 0, RECORD_HEAD, RECORD_HEAD, false, false};

    if (r->buf.n >= RECORD_HEAD)
        put_record_head(&b, head);
}

struct span
record_view(const struct record_out *r)
{
    REQUIRE(r->object_at == 0);
    return buf_view(&r->buf);
}

#define ENTRY_HEAD 4U

/* There is room. Gives the place of the value. */
static inline uint8_t *
put_head(struct buf *b, enum field f, size_t n)
{
    uint16_t head[2] = {(uint16_t)f, (uint16_t)n};
    uint8_t *at = b->p + b->n;

    memcpy(at, head, ENTRY_HEAD);
    b->n += ENTRY_HEAD + n;
    return at + ENTRY_HEAD;
}

/* Without a header, or once something of the open object is missing, nothing
 * more is taken: what follows would stand where it does not belong. */
static inline bool
has_room(struct record_out *r, size_t n)
{
    if (r->buf.n >= RECORD_HEAD && !r->object_cut && buf_grow(&r->buf, n))
        return true;
    if (r->object_at == 0)
        r->left_out++;
    else
        r->object_cut = true;
    return false;
}

static inline void
keep_order(struct record_out *r, enum field f)
{
    enum field *last = r->object_at > 0 ? &r->last_in : &r->last;

    REQUIRE(f < FIELD_COUNT && (f > *last || f == (enum field)0 ||
                                (f == *last && field_is_list(f))));
    *last = f;
}

/* The place for a value of n bytes, or NULL. */
static uint8_t *
begin_entry(struct record_out *r, enum field f, size_t n)
{
    keep_order(r, f);
    return LIKELY(has_room(r, ENTRY_HEAD + n)) ? put_head(&r->buf, f, n) : NULL;
}

/* Inline, so that a copy of constant size is no call. */
static inline void
put(struct record_out *r, enum field f, const void *p, size_t n)
{
    uint8_t *at = begin_entry(r, f, n);

    if (LIKELY(at != NULL && n > 0))
        memcpy(at, p, n);
}

void
record_bool(struct record_out *r, enum field f, bool v)
{
    uint8_t b = v ? 1 : 0;

    put(r, f, &b, 1);
}

void
record_u64(struct record_out *r, enum field f, uint64_t v)
{
    put(r, f, &v, 8);
}

void
record_time(struct record_out *r, enum field f, ns_t v)
{
    v -= v % NS_PER_US;
    put(r, f, &v, 8);
}

void
record_addr(struct record_out *r, enum field f, const struct addr *a)
{
    put(r, f, a->b, 16);
}

void
record_str(struct record_out *r, enum field f, struct span s)
{
    put(r, f, s.p, s.n < RECORD_STR_MAX ? s.n : RECORD_STR_MAX);
}

void
record_text(struct record_out *r, enum field f, const char *s)
{
    record_str(r, f, span_str(s));
}

void
record_object_begin(struct record_out *r, enum field f)
{
    REQUIRE(r->object_at == 0 && field_table[f].type == FT_OBJS);
    keep_order(r, f);
    r->object_at = r->buf.n > 0 ? r->buf.n : RECORD_HEAD;
    r->object_cut = false;
    r->last_in = (enum field)0;
    if (has_room(r, ENTRY_HEAD))
        (void)put_head(&r->buf, f, 0);
}

/* The length is known now; an object that did not fit is taken back whole. */
void
record_object_end(struct record_out *r)
{
    size_t at = r->object_at;
    size_t n = r->buf.n >= at + 4 ? r->buf.n - at - 4 : 0;
    uint16_t len = (uint16_t)n;

    REQUIRE(at > 0);
    r->object_at = 0;
    if (r->object_cut || n > RECORD_STR_MAX) {
        if (r->buf.n > at)
            r->buf.n = at;
        r->object_cut = false;
        r->left_out++;
        return;
    }
    memcpy(r->buf.p + at + 2, &len, 2);
}

void
record_entries(struct record_out *r, struct span entries)
{
    struct cursor c = cur_open(entries);
    struct record_entry e;

    while (record_next(&c, &e))
        put(r, e.field, e.value.p, e.value.n);
}

void
entry_put(struct buf *b, enum field f, struct span value)
{
    size_t n = value.n < RECORD_STR_MAX ? value.n : RECORD_STR_MAX;

    if (buf_grow(b, ENTRY_HEAD + n)) {
        uint8_t *at = put_head(b, f, n);

        if (n > 0)
            memcpy(at, value.p, n);
    }
}

void
entry_put_u64(struct buf *b, enum field f, uint64_t v)
{
    entry_put(b, f, span_of(&v, sizeof(v)));
}

/* ---- reader ---- */

static inline bool
value_fits(const struct field_shape *s, struct span v)
{
    if (s->size != FIELD_ANY_SIZE && v.n != s->size)
        return false;
    if (s->type == FT_BOOL)
        return v.p[0] <= 1;
    return s->type != FT_TIME || entry_u64(v) % NS_PER_US == 0;
}

/* Entries of one level stand in fields [least, end), ascending, all of them
 * children of a list or none. */
struct level {
    unsigned least; /* may come next: a list goes on, others do not */
    unsigned end;
    bool child;
};

static inline bool
is_next(struct level *l, const struct record_entry *e)
{
    unsigned f = (unsigned)e->field;
    const struct field_shape *s;

    if (f < l->least || f >= l->end)
        return false;
    s = &field_shapes[f];
    l->least = f + !field_is_list(e->field);
    return s->child == l->child && !s->header && value_fits(s, e->value);
}

/* Children stand together, right after their list. */
static bool
check_object(struct span entries, enum field list)
{
    struct cursor c = cur_open(entries);
    struct record_entry e;
    struct level l = {(unsigned)list + 1, (unsigned)list + 1, true};

    while (l.end < FIELD_COUNT && field_shapes[l.end].child)
        l.end++;
    while (record_next(&c, &e)) {
        if (!is_next(&l, &e))
            return false;
    }
    return !c.bad;
}

static bool
check_entries(struct cursor c, enum field *last)
{
    struct record_entry e = {.field = FIELD_TIMESTAMP};
    struct level l = {0, FIELD_COUNT, false};

    while (record_next(&c, &e)) {
        if (!is_next(&l, &e) || (field_shapes[e.field].type == FT_OBJS &&
                                 !check_object(e.value, e.field)))
            return false;
    }
    *last = e.field;
    return !c.bad;
}

bool
record_check_last(struct span record, enum field *last)
{
    struct record_head head;

    if (record.n < RECORD_HEAD || record.n > RECORD_MAX)
        return false;
    head = record_head_of(record);
    return (unsigned)head.type < EVENT_TYPE_COUNT &&
           head.when % NS_PER_US == 0 &&
           check_entries(record_entries_of(record), last);
}

bool
record_check(struct span record)
{
    enum field last;

    return record_check_last(record, &last);
}

struct record_head
record_head_of(struct span record)
{
    struct cursor c = cur_open(record);
    struct record_head h;

    h.when = cur_le64(&c);
    h.flow_id = cur_le64(&c);
    h.seq = cur_le32(&c);
    h.type = (enum event_type)cur_le32(&c);
    return h;
}

struct cursor
record_entries_of(struct span record)
{
    return cur_open(span_tail(record, RECORD_HEAD));
}

struct span
record_find(struct span record, enum field f)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    while (record_next(&c, &e)) {
        if (e.field == f)
            return e.value.n > 0 ? e.value : span_of("", 0);
        if (e.field > f)
            break;
    }
    return SPAN_NONE;
}

uint64_t
record_find_u64(struct span record, enum field f, uint64_t otherwise)
{
    struct span v = record_find(record, f);

    return v.n == 8 ? entry_u64(v) : otherwise;
}

bool
record_find_bool(struct span record, enum field f)
{
    return span_at(record_find(record, f), 0) != 0;
}

void
record_map_init(struct record_map *m, struct span record)
{
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    m->record = record;
    memset(m->has, 0, sizeof(m->has));
    while (record_next(&c, &e)) {
        uint64_t bit = UINT64_C(1) << (e.field % 64U);

        if ((m->has[e.field / 64U] & bit) != 0)
            continue;
        m->has[e.field / 64U] |= bit;
        m->place[e.field].at = (uint32_t)(e.value.p - record.p);
        m->place[e.field].n = (uint32_t)e.value.n;
    }
}

/* Entries of a that lie between from and to, as they are. */
static void
copy_range(struct record_out *out, struct span entries, size_t from, size_t to)
{
    struct span s = span_head(span_tail(entries, from), to - from);

    if (s.n == 0)
        return;
    if (s.n <= RECORD_MAX - out->buf.n && buf_grow(&out->buf, s.n))
        buf_span(&out->buf, s);
    else
        record_entries(out, s);
}

void
record_merge(struct record_out *out, struct span a, struct span b)
{
    struct record_head head = record_head_of(a);
    struct cursor ca = record_entries_of(a);
    struct cursor cb = record_entries_of(b);
    struct record_entry ea;
    struct record_entry eb;
    size_t from = 0;
    size_t at = 0;
    bool has_a = record_next(&ca, &ea);

    record_begin(out, &head);
    while (record_next(&cb, &eb)) {
        while (has_a && ea.field < eb.field) {
            at = ca.at;
            has_a = record_next(&ca, &ea);
        }
        copy_range(out, ca.in, from, at);
        from = at;
        if (has_a && ea.field == eb.field && !field_is_list(ea.field)) {
            from = at = ca.at;
            has_a = record_next(&ca, &ea);
        }
        out->last = (enum field)0;
        put(out, eb.field, eb.value.p, eb.value.n);
    }
    out->last = (enum field)0;
    copy_range(out, ca.in, from, ca.in.n);
}
