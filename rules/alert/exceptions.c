#include "rules/alert/exceptions.h"

#include "rules/alert/snap.h"
#include "sensor/base/frame.h"
#include "sensor/base/hash.h"

#include <stdlib.h>

#define NONE     UINT32_MAX
#define BITS     129U
#define SNAPSHOT UINT64_C(0x325f747065637865) /* "except_2" */

struct entry {
    struct exception x;
    uint32_t next_prefix, next_id; /* of the same bucket */
};

struct exceptions {
    struct entry *v;
    size_t n, cap;
    uint32_t *by_prefix, *by_id; /* cap buckets each */
    uint32_t lengths[BITS];      /* how many have that many bits */
};

static const struct {
    unsigned from;
    const char *word;
} froms[] = {
    {EXCEPT_ALERT, "alert"},
    {EXCEPT_BLOCK, "block"},
    {EXCEPT_BOTH,  "both" },
};

enum err
exceptions_new(struct exceptions **out)
{
    struct exceptions *x = calloc(1, sizeof(*x));

    if (x == NULL)
        return ERR_NOMEM;
    *out = x;
    return ERR_OK;
}

static void
entry_clear(struct entry *e)
{
    free(e->x.reason);
    free(e->x.actor);
    free(e->x.removed_why);
    free(e->x.removed_by);
}

void
exceptions_free(struct exceptions *x)
{
    if (x == NULL)
        return;
    for (size_t i = 0; i < x->n; i++)
        entry_clear(&x->v[i]);
    free(x->v);
    free(x->by_prefix);
    free(x->by_id);
    free(x);
}

/* ---- the two tables; what is in them was chosen by operators ---- */

static size_t
prefix_bucket(const struct exceptions *x, const struct prefix *p)
{
    return hash_span(span_of(p->addr.b, 16), p->bits) & (x->cap - 1);
}

static size_t
id_bucket(const struct exceptions *x, struct span id)
{
    return hash_span(id, 0) & (x->cap - 1);
}

static void
link_entry(struct exceptions *x, uint32_t i)
{
    struct entry *e = &x->v[i];
    uint32_t *prefix = &x->by_prefix[prefix_bucket(x, &e->x.prefix)];
    uint32_t *id = &x->by_id[id_bucket(x, span_str(e->x.id))];

    e->next_prefix = *prefix;
    e->next_id = *id;
    *prefix = *id = i;
    x->lengths[e->x.prefix.bits]++;
}

static void
link_all(struct exceptions *x)
{
    memset(x->lengths, 0, sizeof(x->lengths));
    for (size_t i = 0; i < x->cap; i++)
        x->by_prefix[i] = x->by_id[i] = NONE;
    for (size_t i = 0; i < x->n; i++)
        link_entry(x, (uint32_t)i);
}

static bool
set_cap(struct exceptions *x, size_t cap)
{
    struct entry *v = realloc(x->v, cap * sizeof(*v));
    uint32_t *prefix = malloc(cap * sizeof(*prefix));
    uint32_t *id = malloc(cap * sizeof(*id));

    if (v != NULL)
        x->v = v;
    if (v == NULL || prefix == NULL || id == NULL) {
        free(prefix);
        free(id);
        return false;
    }
    free(x->by_prefix);
    free(x->by_id);
    x->by_prefix = prefix;
    x->by_id = id;
    x->cap = cap;
    link_all(x);
    return true;
}

static bool
is_over(const struct exception *e, ns_t when)
{
    return (e->removed != 0 && e->removed <= when) ||
           (e->until != 0 && e->until <= when);
}

/* Forgets those that are over, to make room. */
static void
forget_over(struct exceptions *x, ns_t when)
{
    size_t kept = 0;

    for (size_t i = 0; i < x->n; i++) {
        if (is_over(&x->v[i].x, when))
            entry_clear(&x->v[i]);
        else
            x->v[kept++] = x->v[i];
    }
    x->n = kept;
    link_all(x);
}

static enum err
make_room(struct exceptions *x, ns_t when)
{
    if (x->n >= EXCEPTIONS_MAX)
        forget_over(x, when);
    if (x->n >= EXCEPTIONS_MAX)
        return ERR_LIMIT;
    if (x->n < x->cap)
        return ERR_OK;
    return set_cap(x, x->cap > 0 ? x->cap * 2 : 16) ? ERR_OK : ERR_NOMEM;
}

static uint32_t
find_id(const struct exceptions *x, struct span id)
{
    uint32_t i = x->cap > 0 ? x->by_id[id_bucket(x, id)] : NONE;

    while (i != NONE && !span_eq(span_str(x->v[i].x.id), id))
        i = x->v[i].next_id;
    return i;
}

/* ---- events ---- */

static char *
copy(struct span s)
{
    s = span_head(s, EXCEPTIONS_TEXT);
    return strndup(s.n > 0 ? (const char *)s.p : "", s.n);
}

/* Takes the texts over when it succeeds. */
static enum err
add(struct exceptions *x, struct exception *e, ns_t when)
{
    enum err err = make_room(x, when);

    if (err != ERR_OK)
        return err;
    if (e->reason == NULL || e->actor == NULL)
        return ERR_NOMEM;
    x->v[x->n] = (struct entry){.x = *e};
    link_entry(x, (uint32_t)x->n++);
    return ERR_OK;
}

static unsigned
from_of(struct span word)
{
    for (size_t i = 0; i < ARRAY_LEN(froms); i++) {
        if (span_eq(span_str(froms[i].word), word))
            return froms[i].from;
    }
    return 0;
}

static ns_t
time_of(const struct record_map *m)
{
    return record_map_u64(m, FIELD_CONTROL_TIME,
                          record_head_of(m->record).when);
}

static void
copy_word(char *to, size_t cap, struct span s)
{
    size_t n = s.n < cap ? s.n : cap - 1;

    if (n > 0)
        memcpy(to, s.p, n);
    to[n] = '\0';
}

static enum err
event_add(struct exceptions *x, const struct record_map *m)
{
    struct span id = record_map_find(m, FIELD_CONTROL_EXCEPTION);
    struct span rule = record_map_find(m, FIELD_CONTROL_RULE);
    struct exception e = {
        .from = from_of(record_map_find(m, FIELD_CONTROL_FROM)),
        .since = time_of(m),
        .until = record_map_u64(m, FIELD_CONTROL_UNTIL, 0),
    };
    enum err err;

    if (!prefix_parse(record_map_find(m, FIELD_CONTROL_SUBJECT), &e.prefix) ||
        e.from == 0 || id.n != sizeof(e.id) - 1 || rule.n >= sizeof(e.rule) ||
        (e.until != 0 && e.until <= e.since) || find_id(x, id) != NONE)
        return ERR_FORMAT;
    copy_word(e.id, sizeof(e.id), id);
    copy_word(e.rule, sizeof(e.rule), rule);
    e.reason = copy(record_map_find(m, FIELD_CONTROL_REASON));
    e.actor = copy(record_map_find(m, FIELD_CONTROL_ACTOR));
    err = add(x, &e, record_head_of(m->record).when);
    if (err != ERR_OK)
        entry_clear(&(struct entry){.x = e});
    return err;
}

static enum err
event_remove(struct exceptions *x, const struct record_map *m)
{
    uint32_t i = find_id(x, record_map_find(m, FIELD_CONTROL_EXCEPTION));
    struct exception *e;

    if (i == NONE)
        return ERR_FORMAT;
    e = &x->v[i].x;
    if (e->removed != 0)
        return ERR_OK; /* the first removal counts */
    e->removed = time_of(m);
    e->removed_why = copy(record_map_find(m, FIELD_CONTROL_REASON));
    e->removed_by = copy(record_map_find(m, FIELD_CONTROL_ACTOR));
    return e->removed_why != NULL && e->removed_by != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
exceptions_event(struct exceptions *x, const struct record_map *event)
{
    if (record_head_of(event->record).type != EVENT_CONTROL ||
        !record_map_is(event, FIELD_CONTROL_KIND, "exception"))
        return ERR_OK;
    if (record_map_is(event, FIELD_CONTROL_ACTION, "add"))
        return event_add(x, event);
    if (record_map_is(event, FIELD_CONTROL_ACTION, "remove"))
        return event_remove(x, event);
    return ERR_FORMAT;
}

/* ---- questions ---- */

static bool
applies(const struct exception *e, enum exception_from from, struct span rule,
        ns_t when)
{
    return (e->from & (unsigned)from) == (unsigned)from && e->since <= when &&
           !is_over(e, when) &&
           (e->rule[0] == '\0' || span_eq(span_str(e->rule), rule));
}

static struct prefix
shorter(const struct prefix *p, unsigned bits)
{
    struct prefix out = {.bits = (uint8_t)bits};
    unsigned whole = bits / 8;

    memcpy(out.addr.b, p->addr.b, whole);
    if (bits % 8 != 0)
        out.addr.b[whole] =
            (uint8_t)(p->addr.b[whole] & (0xff00U >> (bits % 8)));
    return out;
}

const struct exception *
exceptions_find(const struct exceptions *x, const struct prefix *p,
                enum exception_from from, struct span rule, ns_t when)
{
    /* Not ::/0 has 192.0.2.1: see prefix_has. */
    unsigned least = addr_is_v4(&p->addr) && p->bits >= 96 ? 96 : 0;

    for (unsigned bits = p->bits + 1U; bits-- > least;) {
        struct prefix at = shorter(p, bits);
        uint32_t i =
            x->lengths[bits] > 0 ? x->by_prefix[prefix_bucket(x, &at)] : NONE;

        for (; i != NONE; i = x->v[i].next_prefix) {
            const struct exception *e = &x->v[i].x;

            if (e->prefix.bits == bits &&
                addr_cmp(&e->prefix.addr, &at.addr) == 0 &&
                applies(e, from, rule, when))
                return e;
        }
    }
    return NULL;
}

size_t
exceptions_count(const struct exceptions *x)
{
    return x->n;
}

const struct exception *
exceptions_get(const struct exceptions *x, size_t i)
{
    return i < x->n ? &x->v[i].x : NULL;
}

const struct exception *
exceptions_by_id(const struct exceptions *x, struct span id)
{
    uint32_t i = find_id(x, id);

    return i != NONE ? &x->v[i].x : NULL;
}

/* ---- snapshots ---- */

static struct span
text_of(const char *text)
{
    return text != NULL ? span_str(text) : SPAN_NONE;
}

enum err
exceptions_save(const struct exceptions *x, struct buf *out)
{
    size_t at = out->n;

    frame_begin(out, SNAPSHOT, 0);
    snap_u64(out, x->n);
    for (size_t i = 0; i < x->n; i++) {
        const struct exception *e = &x->v[i].x;

        snap_text(out, span_str(e->id));
        snap_addr(out, &e->prefix.addr);
        snap_u64(out, e->prefix.bits);
        snap_u64(out, e->from);
        snap_text(out, span_str(e->rule));
        snap_u64(out, e->since);
        snap_u64(out, e->until);
        snap_u64(out, e->removed);
        snap_text(out, span_str(e->reason));
        snap_text(out, span_str(e->actor));
        snap_text(out, text_of(e->removed_why));
        snap_text(out, text_of(e->removed_by));
    }
    return frame_end(out, at);
}

static char *
copy_removed(const struct exception *e, struct span text)
{
    return e->removed != 0 ? copy(text) : NULL;
}

static enum err
load_one(struct exceptions *x, struct cursor *c)
{
    struct exception e = {0};
    enum err err;

    copy_word(e.id, sizeof(e.id), snap_take_text(c));
    e.prefix.addr = snap_take_addr(c);
    e.prefix.bits = (uint8_t)snap_take_count(c, BITS - 1);
    e.from = (unsigned)snap_take_count(c, EXCEPT_BOTH);
    copy_word(e.rule, sizeof(e.rule), snap_take_text(c));
    e.since = cur_le64(c);
    e.until = cur_le64(c);
    e.removed = cur_le64(c);
    e.reason = copy(snap_take_text(c));
    e.actor = copy(snap_take_text(c));
    e.removed_why = copy_removed(&e, snap_take_text(c));
    e.removed_by = copy_removed(&e, snap_take_text(c));
    err = c->bad ? ERR_CORRUPT : add(x, &e, 0);
    if (err != ERR_OK)
        entry_clear(&(struct entry){.x = e});
    return err;
}

enum err
exceptions_load(struct exceptions *x, struct span snapshot)
{
    struct exceptions *new = NULL;
    struct exceptions old = *x;
    struct cursor c;
    uint64_t n = 0;
    enum err err = frame_open(snapshot, SNAPSHOT, 0, &c);

    if (err == ERR_OK)
        err = exceptions_new(&new);
    if (err == ERR_OK)
        n = snap_take_count(&c, EXCEPTIONS_MAX);
    for (uint64_t i = 0; err == ERR_OK && i < n; i++)
        err = load_one(new, &c);
    if (err == ERR_OK && (c.bad || cur_left(&c) > 0))
        err = ERR_CORRUPT;
    if (err == ERR_OK) {
        *x = *new;
        *new = old;
    }
    exceptions_free(new);
    return err;
}
