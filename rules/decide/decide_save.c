#include "rules/decide/decide_state.h"

#include "sensor/base/hash.h"

#include <stdlib.h>

/* magic, check of all that follows, then: each number 8 bytes little-endian,
 * each table its length and its entries. */
#define MAGIC    UINT64_C(0x3565646963656473) /* "sdecide5" */
#define SAVE_MAX (64U << 20)

static void
put(struct buf *b, uint64_t v)
{
    buf_put(b, &v, sizeof(v));
}

/* X(member) of struct subject that are numbers */
#define SUBJECT_NUMBERS(X)                                                     \
    X(human)                                                                   \
    X(enforced)                                                                \
    X(struck)                                                                  \
    X(fresh_wanted)                                                            \
    X(base_known)                                                              \
    X(step)                                                                    \
    X(against)                                                                 \
    X(since)                                                                   \
    X(told)                                                                    \
    X(until)                                                                   \
    X(held)                                                                    \
    X(ended)                                                                   \
    X(immune)                                                                  \
    X(shared)                                                                  \
    X(base_sessions)                                                           \
    X(base_bad)                                                                \
    X(collateral)                                                              \
    X(macs)                                                                    \
    X(levels)                                                                  \
    X(approver)                                                                \
    X(wanted)

#define SUBJECT_TEXTS(X) X(id) X(lease) X(site)

static void
put_subject(struct buf *b, const struct subject *s)
{
    buf_put(b, s->key.addr.b, 16);
    put(b, s->key.bits);
    buf_put(b, s->host.b, 16);
    buf_put(b, s->base_host.b, 16);
    put(b, (uint64_t)s->state);
#define PUT_NUMBER(member) put(b, s->member);
    SUBJECT_NUMBERS(PUT_NUMBER)
#undef PUT_NUMBER
#define PUT_TEXT(member) buf_put(b, s->member, sizeof(s->member));
    SUBJECT_TEXTS(PUT_TEXT)
#undef PUT_TEXT
}

static void
get_bytes(struct cursor *c, void *out, size_t n)
{
    struct span s = cur_take(c, n);

    if (s.n == n)
        memcpy(out, s.p, n);
}

static void
get_text(struct cursor *c, char *out, size_t n)
{
    get_bytes(c, out, n);
    c->bad |= out[n - 1] != '\0';
}

static bool
get_subject(struct cursor *c, struct subject *s)
{
    uint64_t state;

    *s = (struct subject){0};
    get_bytes(c, s->key.addr.b, 16);
    s->key.bits = (uint8_t)cur_le64(c);
    get_bytes(c, s->host.b, 16);
    get_bytes(c, s->base_host.b, 16);
    state = cur_le64(c);
    s->state = (enum subject_state)(state & 3);
#define GET_NUMBER(member) s->member = (__typeof__(s->member))cur_le64(c);
    SUBJECT_NUMBERS(GET_NUMBER)
#undef GET_NUMBER
#define GET_TEXT(member) get_text(c, s->member, sizeof(s->member));
    SUBJECT_TEXTS(GET_TEXT)
#undef GET_TEXT
    c->bad |= s->key.bits != 128 && s->key.bits != 64;
    return !c->bad;
}

static void
put_tally(struct buf *b, const struct tally *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->cap; i++)
        n += t->slots[i].count > 0;
    put(b, n);
    for (size_t i = 0; i < t->cap; i++) {
        if (t->slots[i].count == 0)
            continue;
        put(b, t->slots[i].key);
        put(b, t->slots[i].count);
    }
}

static enum err
get_tally(struct cursor *c, struct tally *t)
{
    uint64_t n = cur_le64(c);

    for (uint64_t i = 0; i < n && !c->bad; i++) {
        uint64_t key = cur_le64(c);
        uint64_t count = cur_le64(c);

        if (c->bad || key == 0 || count == 0)
            return ERR_CORRUPT;
        if (!tally_set(t, key, count))
            return ERR_NOMEM;
    }
    return c->bad ? ERR_CORRUPT : ERR_OK;
}

static void
put_caps(struct buf *b, const struct caps *caps)
{
    put(b, caps->active);
    put(b, caps->breaker_until);
    put(b, caps->day);
    put(b, caps->hosts_before);
    put_tally(b, &caps->nets);
    put_tally(b, &caps->site_blocks);
    put_tally(b, &caps->site_hosts[0]);
    put_tally(b, &caps->site_hosts[1]);
    put(b, caps->n);
    for (size_t i = 0; i < caps->n; i++) {
        const struct caps_block *at =
            &caps->log[(caps->first + i) & (caps->cap - 1)];

        put(b, at->when);
        put(b, at->site);
    }
    put(b, caps->today.n);
    for (size_t i = 0; i < caps->today.cap; i++) {
        if (caps->today.keys[i] != 0)
            put(b, caps->today.keys[i]);
    }
}

static enum err
get_log(struct cursor *c, struct caps *caps)
{
    uint64_t n = cur_le64(c);

    for (uint64_t i = 0; i < n && !c->bad; i++) {
        struct caps_block at = {cur_le64(c), 0};

        at.site = cur_le64(c);
        if (c->bad)
            return ERR_CORRUPT;
        if (!decide_caps_log(caps, at))
            return ERR_NOMEM;
    }
    return c->bad ? ERR_CORRUPT : ERR_OK;
}

static enum err
get_caps(struct cursor *c, struct caps *caps)
{
    struct tally *tallies[] = {&caps->nets, &caps->site_blocks,
                               &caps->site_hosts[0], &caps->site_hosts[1]};
    enum err e = ERR_OK;
    uint64_t n;

    caps->active = cur_le64(c);
    caps->breaker_until = cur_le64(c);
    caps->day = cur_le64(c);
    caps->hosts_before = cur_le64(c);
    for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(tallies); i++)
        e = get_tally(c, tallies[i]);
    if (e == ERR_OK)
        e = get_log(c, caps);
    n = cur_le64(c);
    for (uint64_t i = 0; e == ERR_OK && !c->bad && i < n; i++) {
        if (seen_add(&caps->today, cur_le64(c)) < 0)
            e = ERR_NOMEM;
    }
    return e == ERR_OK && c->bad ? ERR_CORRUPT : e;
}

static void
put_notes(struct buf *b, const struct notes *notes)
{
    size_t n = notes->notes != NULL ? (size_t)NOTES_SETS * NOTES_WAYS : 0;

    for (size_t i = 0; i < n; i++) {
        const struct note *note = &notes->notes[i];

        if (note->subject == 0)
            continue;
        put(b, i + 1);
        put(b, note->subject);
        put(b, note->when);
        buf_put(b, note->id, sizeof(note->id));
        buf_put(b, note->hash, sizeof(note->hash));
    }
    put(b, 0);
}

static enum err
get_notes(struct cursor *c, struct notes *notes)
{
    size_t max = (size_t)NOTES_SETS * NOTES_WAYS;
    uint64_t i;

    while ((i = cur_le64(c)) != 0 && !c->bad) {
        struct note note = {.subject = cur_le64(c)};

        note.when = cur_le64(c);
        get_text(c, note.id, sizeof(note.id));
        get_bytes(c, note.hash, sizeof(note.hash));
        if (c->bad || i > max)
            return ERR_CORRUPT;
        if (notes->notes == NULL)
            notes->notes = calloc(max, sizeof(*notes->notes));
        if (notes->notes == NULL)
            return ERR_NOMEM;
        notes->notes[i - 1] = note;
    }
    return c->bad ? ERR_CORRUPT : ERR_OK;
}

/* X(member) of struct decide and what hangs off it */
#define DECIDE_NUMBERS(X)                                                      \
    X(now)                                                                     \
    X(seq)                                                                     \
    X(disabled)                                                                \
    X(mode)                                                                    \
    X(mistake)                                                                 \
    X(clock_us)                                                                \
    X(counts.decided)                                                          \
    X(counts.controls_unread)                                                  \
    X(counts.lost)                                                             \
    X(table.swept)                                                             \
    X(table.next_end)                                                          \
    X(table.refused)                                                           \
    X(guard.full)                                                              \
    X(servers.full)                                                            \
    X(others.full)

enum err
decide_save(const struct decide *d, struct buf *out)
{
    struct buf body;
    enum err e = ERR_OK;

    buf_init(&body, SAVE_MAX);
    put(&body, hash_mix(d->options.seed, 1)); /* the seed itself is a secret */
#define PUT_NUMBER(member) put(&body, (uint64_t)d->member);
    DECIDE_NUMBERS(PUT_NUMBER)
#undef PUT_NUMBER
    put(&body, d->table.n);
    for (size_t i = 0; i < d->table.n; i++)
        put_subject(&body, &d->table.rows[i]);
    put_tally(&body, &d->guard.hosts);
    put_tally(&body, &d->guard.subjects);
    put_tally(&body, &d->servers.hosts);
    put_tally(&body, &d->servers.subjects);
    put_tally(&body, &d->others.hosts);
    put_tally(&body, &d->others.subjects);
    rollout_save(&d->policy, &body);
    put_caps(&body, &d->caps);
    put_notes(&body, &d->notes);
    buf_put(&body, d->version, sizeof(d->version));
    buf_put(&body, d->rules, sizeof(d->rules));
    decide_traces_save(&d->traces, &body);
    put(out, MAGIC);
    put(out, hash_span(buf_view(&body), 0));
    buf_span(out, buf_view(&body));
    if (body.failed || out->failed)
        e = ERR_NOMEM;
    else if (body.cut || out->cut)
        e = ERR_LIMIT;
    buf_free(&body);
    return e;
}

static enum err
get_subjects(struct cursor *c, struct decide *d)
{
    uint64_t n = cur_le64(c);

    for (uint64_t i = 0; i < n && !c->bad; i++) {
        struct subject row;
        struct subject *s;

        if (!get_subject(c, &row) ||
            decide_table_find(&d->table, &row.key) != NULL)
            return ERR_CORRUPT;
        s = decide_table_get(&d->table, &row.key, row.held);
        if (s == NULL)
            return ERR_NOMEM;
        *s = row;
    }
    return c->bad ? ERR_CORRUPT : ERR_OK;
}

/* Where nobody has said anything the configuration is that of now. */
static enum err
get_policy(struct cursor *c, struct decide *d)
{
    if (!rollout_load(&d->policy, c))
        return ERR_CORRUPT;
    rollout_configure(&d->policy, d->options.start, d->options.rules);
    return ERR_OK;
}

static enum err
get_all(struct decide *d, struct cursor *c)
{
    struct tally *tallies[] = {&d->guard.hosts,   &d->guard.subjects,
                               &d->servers.hosts, &d->servers.subjects,
                               &d->others.hosts,  &d->others.subjects};
    enum err e;
    ns_t swept;
    uint64_t refused;

#define GET_NUMBER(member) d->member = (__typeof__(d->member))cur_le64(c);
    DECIDE_NUMBERS(GET_NUMBER)
#undef GET_NUMBER
    swept = d->table.swept;
    refused = d->table.refused;
    e = get_subjects(c, d);
    d->table.swept = swept;
    d->table.refused = refused;
    for (size_t i = 0; e == ERR_OK && i < ARRAY_LEN(tallies); i++)
        e = get_tally(c, tallies[i]);
    if (e == ERR_OK)
        e = get_policy(c, d);
    if (e == ERR_OK)
        e = get_caps(c, &d->caps);
    if (e == ERR_OK)
        e = get_notes(c, &d->notes);
    get_text(c, d->version, sizeof(d->version));
    get_text(c, d->rules, sizeof(d->rules));
    if (e == ERR_OK)
        e = decide_traces_load(&d->traces, c);
    return e == ERR_OK && cur_left(c) > 0 ? ERR_CORRUPT : e;
}

enum err
decide_load(struct decide *d, struct span snapshot)
{
    struct cursor c = cur_open(snapshot);
    struct decide *new;
    struct decide old;
    uint64_t check;
    enum err e;

    if (cur_le64(&c) != MAGIC)
        return ERR_FORMAT;
    check = cur_le64(&c);
    if (c.bad || hash_span(span_tail(snapshot, 16), 0) != check)
        return ERR_CORRUPT;
    if (cur_le64(&c) != hash_mix(d->options.seed, 1))
        return ERR_FORMAT;
    e = decide_new(&d->options, &new);
    if (e != ERR_OK)
        return e;
    new->store = d->store;
    e = get_all(new, &c);
    if (e == ERR_OK) {
        old = *d;
        *d = *new;
        *new = old;
    }
    decide_free(new);
    return e;
}
