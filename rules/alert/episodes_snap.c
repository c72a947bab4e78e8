#include "rules/alert/episodes.h"
#include "rules/alert/snap.h"

static void
put_text(struct buf *out, const char *s)
{
    snap_text(out, s != NULL ? span_str(s) : SPAN_NONE);
}

/* ---- writing ---- */

static void
save_subject(struct buf *out, const struct subject *s)
{
    snap_addr(out, &s->prefix.addr);
    snap_u64(out, s->prefix.bits);
    snap_u64(out, s->known);
    snap_u64(out, s->home);
    put_text(out, s->lease);
}

static void
save_rule(struct buf *out, const struct rule_kept *r)
{
    snap_u64(out, r->hash);
    put_text(out, r->id);
    put_text(out, r->title);
    put_text(out, r->level);
    put_text(out, r->pack);
    put_text(out, r->tags);
}

static void
save_evidence(struct buf *out, const struct evidence *v)
{
    put_text(out, v->event);
    snap_u64(out, v->sight);
    snap_u64(out, v->when);
}

/* The numbers of an episode, in the order in which they are written. */
#define NUMBERS(X)                                                             \
    X(server)                                                                  \
    X(registered)                                                              \
    X(protected)                                                               \
    X(dirty)                                                                   \
    X(recent)                                                                  \
    X(mx)                                                                      \
    X(told_severity)                                                           \
    X(id)                                                                      \
    X(first)                                                                   \
    X(last)                                                                    \
    X(told)                                                                    \
    X(count)                                                                   \
    X(told_count)                                                              \
    X(worth)                                                                   \
    X(told_worth)                                                              \
    X(told_number)

static void
save_episode(struct buf *out, const struct episode *e)
{
    save_subject(out, &e->subject);
    save_rule(out, e->rule);
#define X(name) snap_u64(out, e->name);
    NUMBERS(X)
#undef X
    for (size_t i = 0; i < SHARE_COUNT; i++)
        snap_u64(out, e->share[i]);
    for (size_t i = 0; i < ROLE_COUNT; i++)
        save_evidence(out, &e->evidence[i]);
    put_text(out, e->cluster);
    put_text(out, e->site);
    put_text(out, e->reason);
    put_text(out, e->matched);
}

void
episodes_save(const struct episodes *s, struct buf *out)
{
    snap_u64(out, s->n_hosts);
    for (uint32_t i = s->host_age.head; i != 0; i = s->host_age.at[i].next) {
        save_subject(out, &s->hosts[i].subject);
        snap_text(out, span_of(s->hosts[i].record, s->hosts[i].n));
    }
    snap_u64(out, s->n);
    for (uint32_t i = s->idle.head; i != 0; i = s->idle.at[i].next)
        save_episode(out, &s->v[i]);
}

/* ---- reading ---- */

static bool
load_word(struct cursor *c, char *to, size_t cap)
{
    struct span s = snap_take_text(c);

    if (s.n >= cap) {
        c->bad = true;
        return false;
    }
    memset(to, 0, cap);
    if (s.n > 0)
        memcpy(to, s.p, s.n);
    return true;
}

static struct subject
load_subject(struct cursor *c)
{
    struct subject s = {0};

    s.prefix.addr = snap_take_addr(c);
    s.prefix.bits = (uint8_t)snap_take_count(c, 128);
    s.known = (uint8_t)snap_take_count(c, 1);
    s.home = (uint8_t)snap_take_count(c, 1);
    (void)load_word(c, s.lease, sizeof(s.lease));
    return s;
}

/* The record is of this program's own making, but a checksum is no proof. */
static enum err
load_host(struct episodes *s, struct cursor *c)
{
    struct subject subject = load_subject(c);
    struct span record = snap_take_text(c);

    if (c->bad || (record.n > 0 && !record_check(record)))
        return ERR_CORRUPT;
    return episodes_host(s, &subject, record) || record.n == 0 ? ERR_OK
                                                               : ERR_NOMEM;
}

static enum err
load_texts(struct episode *e, struct cursor *c)
{
    bool ok = episodes_text(&e->site, snap_take_text(c)) &&
              episodes_text(&e->reason, snap_take_text(c)) &&
              episodes_text(&e->matched, snap_take_text(c));

    return c->bad ? ERR_CORRUPT : ok ? ERR_OK : ERR_NOMEM;
}

static struct rule_kept *
load_rule(struct episodes *s, struct cursor *c)
{
    uint64_t hash = cur_le64(c);
    struct span id = snap_take_text(c);
    struct alert_rule r = {.hash = hash, .id = id};
    struct rule_kept *k;
    struct span tags;

    r.title = snap_take_text(c);
    r.level = snap_take_text(c);
    r.pack = snap_take_text(c);
    tags = snap_take_text(c);
    k = c->bad ? NULL : episodes_rule(s, &r);
    return k != NULL && episodes_text(&k->tags, tags) ? k : NULL;
}

static bool
load_numbers(struct episode *e, struct cursor *c)
{
    bool fits = true;

#define X(name)                                                                \
    do {                                                                       \
        uint64_t v = cur_le64(c);                                              \
                                                                               \
        memcpy(&e->name, &v, sizeof(e->name));                                 \
        fits = fits && (sizeof(e->name) == 8 || v < 256);                      \
    } while (0);
    NUMBERS(X)
#undef X
    return fits;
}

static void
load_evidence(struct cursor *c, struct evidence *v)
{
    (void)load_word(c, v->event, sizeof(v->event));
    v->sight = (uint8_t)snap_take_count(c, SIGHT_COUNT - 1);
    v->when = cur_le64(c);
}

static void
load_shares(struct episodes *s, uint32_t slot, struct cursor *c)
{
    for (size_t i = 0; i < SHARE_COUNT; i++)
        episodes_join_share(s, slot, (enum share)i, cur_le64(c));
}

static enum err
load_episode(struct episodes *s, struct cursor *c)
{
    struct subject subject = load_subject(c);
    struct rule_kept *rule = load_rule(s, c);
    uint32_t slot;
    bool fits;

    if (c->bad || rule == NULL)
        return c->bad ? ERR_CORRUPT : ERR_NOMEM;
    if (episodes_find(s, span_str(rule->id), &subject) != 0)
        return ERR_CORRUPT;
    slot = episodes_open(s, rule, &subject);
    if (slot == 0)
        return ERR_NOMEM;
    fits = load_numbers(&s->v[slot], c);
    load_shares(s, slot, c);
    for (size_t i = 0; i < ROLE_COUNT; i++)
        load_evidence(c, &s->v[slot].evidence[i]);
    (void)load_word(c, s->v[slot].cluster, sizeof(s->v[slot].cluster));
    return fits ? load_texts(&s->v[slot], c) : ERR_CORRUPT;
}

static int
by_telling(const void *a, const void *b)
{
    const uint64_t *x = a;
    const uint64_t *y = b;

    return (x[0] > y[0]) - (x[0] < y[0]);
}

/* The list of those told of lately, in its old order. */
static enum err
load_recent(struct episodes *s)
{
    uint64_t(*order)[2] = calloc((size_t)s->n + 1, sizeof(*order));
    size_t n = 0;

    if (order == NULL)
        return ERR_NOMEM;
    for (uint32_t i = s->idle.head; i != 0; i = s->idle.at[i].next) {
        if (s->v[i].recent == 0)
            continue;
        s->v[i].recent = 0;
        order[n][0] = s->v[i].told_number;
        order[n++][1] = i;
    }
    qsort(order, n, sizeof(*order), by_telling);
    for (size_t i = 0; i < n; i++)
        episodes_told(s, (uint32_t)order[i][1]);
    free(order);
    return ERR_OK;
}

enum err
episodes_load(struct episodes *s, struct cursor *c)
{
    uint64_t n = snap_take_count(c, ALERTS_HOSTS);
    enum err err = ERR_OK;

    for (uint64_t i = 0; err == ERR_OK && i < n; i++)
        err = load_host(s, c);
    n = err == ERR_OK ? snap_take_count(c, ALERTS_OPEN) : 0;
    for (uint64_t i = 0; err == ERR_OK && i < n; i++)
        err = load_episode(s, c);
    if (err == ERR_OK)
        err = load_recent(s);
    return err == ERR_OK && c->bad ? ERR_CORRUPT : err;
}
