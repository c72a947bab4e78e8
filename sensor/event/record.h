#ifndef SPAN25_EVENT_RECORD_H
#define SPAN25_EVENT_RECORD_H
/* record - one event between stages: pointer-free, length-prefixed, checkable
 *
 * Layout, all little-endian: a header of RECORD_HEAD bytes, then entries
 * {u16 field, u16 length, bytes} with ascending field numbers; a list is
 * several entries of the same field. An entry of type OBJS holds entries of its
 * child fields by the same rules, one level deep. timestamp, flow_id, flow_seq
 * and event_type are in the header and never entries. Times are whole
 * microseconds, as in JSON: so the order of events is the same before and after
 * the journal. The coder refuses what would break the order of fields (our
 * fault, REQUIRE); the checker trusts nothing, for a record may come from a
 * process that was taken over. */
#include "sensor/base/addr.h"
#include "sensor/base/ns.h"
#include "sensor/event/fields.h"

#define EVENT_TYPE_MAP(X)                                                      \
    X(NONE, "none")                                                            \
    X(SMTP, "smtp")                                                            \
    X(SMTP_SESSION, "smtp_session")                                            \
    X(TLS, "tls")                                                              \
    X(ANOMALY, "anomaly")                                                      \
    X(STATS, "stats")                                                          \
    X(CONTROL, "control")                                                      \
    X(ATTEMPT,                                                                 \
      "attempt")    /* worker to core only: one connection without data */     \
    X(TICK, "tick") /* worker to core only: stream time has come to when */    \
    X(FILEINFO, "fileinfo")                                                    \
    X(CARVE, "carve") /* worker to core only: bytes for a file, see carve.h */ \
    X(DNS, "dns")                                                              \
    X(HOST, "host")                                                            \
    X(ALERT, "alert")                                                          \
    X(DECISION, "decision")

enum event_type {
#define EVENT_ENUM(id, name) EVENT_##id,
    EVENT_TYPE_MAP(EVENT_ENUM)
#undef EVENT_ENUM
        EVENT_TYPE_COUNT
};

const char *event_type_name(enum event_type t);
enum event_type event_type_find(struct span name); /* EVENT_NONE if unknown */

#define RECORD_HEAD 24
#define RECORD_MAX                                                             \
    ((1U << 20) - 64)         /* with its header; a ring of 4 MiB takes it */
#define RECORD_STR_MAX 65535U /* bytes of one entry */

/* Order of events: (when, flow_id, seq); flow_id is 0 without a flow. */
/* The number of a tick that says: from now on this worker's records come in
 * exactly the order of (when, flow_id, seq). */
#define TICK_SORTED 1

struct record_head {
    ns_t when;
    uint64_t flow_id;
    uint32_t seq;
    enum event_type type;
};

/* A number of all that coded records depend on: the rows of fields.def and the
 * types of events, in their order. What keeps records from run to run (index,
 * snapshots) keeps it too, and takes none of another number: their fields would
 * be others. The journal spells names, and is read by every build. */
uint64_t record_coding(void);

/* ---- coder ---- */

struct record_out {
    struct buf buf;     /* at most RECORD_MAX; cut when entries were left out */
    enum field last;    /* to REQUIRE ascending order */
    enum field last_in; /* the same within an object */
    size_t object_at;   /* where the open object's entry begins, or 0 */
    bool object_cut;    /* something of the open object did not fit */
    uint32_t left_out;  /* entries that did not fit */
};

void record_init(struct record_out *r);
void record_free(struct record_out *r);
void record_begin(struct record_out *r, const struct record_head *head);
/* Another header for a record that was begun: who codes entries as they come
 * may know it last. */
void record_set_head(struct record_out *r, const struct record_head *head);
/* The finished record, borrowed until the next begin. Empty when there was no
 * memory for its header: record_check refuses it. */
struct span record_view(const struct record_out *r);

/* Each appends one entry; strings are cut at RECORD_STR_MAX. An entry that
 * would pass RECORD_MAX is left out and counted, with the whole object it is
 * in. Times are rounded down to microseconds. */
void record_bool(struct record_out *r, enum field f, bool v);
void record_u64(struct record_out *r, enum field f, uint64_t v);
void record_time(struct record_out *r, enum field f, ns_t v);
void record_addr(struct record_out *r, enum field f, const struct addr *a);
void record_str(struct record_out *r, enum field f, struct span s);
void record_text(struct record_out *r, enum field f, const char *s);
/* An object of list f: child entries between begin and end. */
void record_object_begin(struct record_out *r, enum field f);
void record_object_end(struct record_out *r);
/* Entries coded before by entry_put, copied as they are. */
void record_entries(struct record_out *r, struct span entries);

/* Codes entries outside a record, for objects that are kept until their record
 * is written; no order is checked here. */
void entry_put(struct buf *b, enum field f, struct span value);
void entry_put_u64(struct buf *b, enum field f, uint64_t v);

/* ---- reader ---- */

struct record_entry {
    enum field field;
    struct span value;
};

/* True when head, lengths, field numbers, order, types and nesting hold. */
MUST_USE bool record_check(struct span record);

/* The same, and the field of the last entry, which is the highest; of a record
 * without entries FIELD_TIMESTAMP, which is none. */
MUST_USE bool record_check_last(struct span record, enum field *last);

/* Of a record that passed the check. */
struct record_head record_head_of(struct span record);
struct cursor record_entries_of(struct span record);

/* Next entry, false at the end; also walks the entries of an object. */
static inline bool
record_next(struct cursor *c, struct record_entry *out)
{
    uint16_t head[2];
    size_t left = cur_left(c);

    if (left == 0)
        return false;
    if (left < sizeof(head)) {
        c->bad = true;
        return false;
    }
    memcpy(head, c->in.p + c->at, sizeof(head));
    if (head[1] > left - sizeof(head)) {
        c->bad = true;
        return false;
    }
    out->field = (enum field)head[0];
    out->value = span_of(c->in.p + c->at + sizeof(head), head[1]);
    c->at += sizeof(head) + head[1];
    return true;
}

/* First entry of field f, or an empty span with p == NULL. */
struct span record_find(struct span record, enum field f);
uint64_t record_find_u64(struct span record, enum field f, uint64_t otherwise);
bool record_find_bool(struct span record, enum field f);

static inline uint64_t
entry_u64(struct span value)
{
    struct cursor c = cur_open(value);

    return cur_le64(&c);
}

static inline bool
entry_addr(struct span value, struct addr *out)
{
    if (value.n != sizeof(out->b))
        return false;
    memcpy(out->b, value.p, sizeof(out->b));
    return true;
}

/* A record walked once, for who looks at many of its fields. Places of fields
 * that are not in it are not set: a record has some fifty of 500 fields, and to
 * clear all places would cost more than the walk. */
#define RECORD_MAP_WORDS (((unsigned)FIELD_COUNT + 63) / 64)
struct record_map {
    struct span record;
    uint64_t has[RECORD_MAP_WORDS]; /* a bit for each field */
    struct {
        uint32_t at; /* of the first entry's value */
        uint32_t n;
    } place[FIELD_COUNT];
};

void record_map_init(struct record_map *m, struct span record);

static inline bool
record_map_has(const struct record_map *m, enum field f)
{
    return (m->has[f / 64U] >> (f % 64U) & 1) != 0;
}

/* As record_find. */
static inline struct span
record_map_find(const struct record_map *m, enum field f)
{
    return record_map_has(m, f)
               ? span_of(m->record.p + m->place[f].at, m->place[f].n)
               : SPAN_NONE;
}

/* Walks from the first entry of list f, which others follow: its entries are
 * those before the first of another field. */
static inline struct cursor
record_map_list(const struct record_map *m, enum field f)
{
    struct cursor c = cur_open(m->record);

    c.at = record_map_has(m, f) ? m->place[f].at - 2 * sizeof(uint16_t)
                                : m->record.n;
    return c;
}

static inline uint64_t
record_map_u64(const struct record_map *m, enum field f, uint64_t otherwise)
{
    struct span v = record_map_find(m, f);

    return v.n == 8 ? entry_u64(v) : otherwise;
}

static inline bool
record_map_addr(const struct record_map *m, enum field f, struct addr *out)
{
    return entry_addr(record_map_find(m, f), out);
}

/* Is it this text? */
static inline bool
record_map_is(const struct record_map *m, enum field f, const char *text)
{
    return span_eq(record_map_find(m, f), span_str(text));
}

static inline bool
record_map_bool(const struct record_map *m, enum field f)
{
    return span_at(record_map_find(m, f), 0) != 0;
}

/* Both records' entries in field order under a's header; where both have a
 * scalar field, b's counts; of a list, b's entries come first. out is begun
 * anew and holds neither a nor b. Both have passed the check. */
void record_merge(struct record_out *out, struct span a, struct span b);

/* ---- where records go ---- */

struct record_sink {
    void (*put)(void *ctx, struct span record);
    void *ctx;
};

#endif
