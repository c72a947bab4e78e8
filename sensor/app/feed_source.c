#include "sensor/app/feed_source.h"

#include <stdlib.h>

#include "rules/registry/permits.h"
#include "sensor/app/policy_fold.h"

/* ---- what is never listed ---- */

static enum err
add_never(struct feed_source *s, const struct permits_range *r,
          enum feed_why kind)
{
    if (s->n_never == s->cap_never) {
        const size_t cap = s->cap_never > 0 ? 2 * s->cap_never : 64;
        struct feed_never *v;

        if (s->n_never >= FEED_NEVER)
            return ERR_LIMIT;
        v = reallocarray(s->never, cap, sizeof(*v));
        if (v == NULL)
            return ERR_NOMEM;
        s->never = v;
        s->cap_never = cap;
    }
    s->never[s->n_never++] =
        (struct feed_never){.range = *r, .kind = (uint8_t)kind};
    return ERR_OK;
}

static enum err
add_prefix(struct feed_source *s, const struct prefix *p, enum feed_why kind)
{
    const struct permits_range r = permits_range_of(p);

    return add_never(s, &r, kind);
}

static enum err
add_permits(struct feed_source *s, const struct book *b, ns_t now)
{
    struct permits p;
    enum err e = permits_collect(b, now, FORM_BOTH, &p);

    for (size_t i = 0; e == ERR_OK && i < p.n; i++) {
        const struct permits_range r = {p.v[i].first, p.v[i].last};

        e = add_never(s, &r, FEED_WHY_REGISTERED);
    }
    permits_fini(&p);
    return e;
}

/* Asked for, and not answered; or sent back while it is protected. */
static bool
is_asked(const struct book_line *l, ns_t now)
{
    const enum book_state state = book_state_at(l, now);

    return l->line->readable &&
           (state == BOOK_REQUESTED ||
            (state == BOOK_RETURNED && l->dates.protected_until > now));
}

static enum err
add_asked(struct feed_source *s, const struct book *b, ns_t now)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < book_n_forms(b); i++) {
        const struct book_form *f = book_form_at(b, i);

        for (size_t k = 0; e == ERR_OK && k < f->form.n_lines; k++) {
            if (is_asked(f->lines[k], now))
                e = add_prefix(s, &f->lines[k]->line->prefix,
                               FEED_WHY_PERMITTED);
        }
    }
    return e;
}

static bool
is_kept(const struct exception *e, ns_t now)
{
    return (e->from & EXCEPT_BLOCK) != 0 && e->since <= now &&
           (e->until == 0 || e->until > now) &&
           (e->removed == 0 || e->removed > now);
}

static enum err
add_exceptions(struct feed_source *s, const struct exceptions *x, ns_t now)
{
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < exceptions_count(x); i++) {
        const struct exception *one = exceptions_get(x, i);

        if (is_kept(one, now))
            e = add_prefix(s, &one->prefix, FEED_WHY_EXCEPTED);
    }
    return e;
}

static enum err
read_never(const struct feed_source_in *in, struct feed_source *s)
{
    enum err e = ERR_OK;

    s->never_known = in->book != NULL && in->exceptions != NULL;
    if (in->book != NULL)
        e = add_permits(s, in->book, in->now);
    if (e == ERR_OK && in->book != NULL)
        e = add_asked(s, in->book, in->now);
    if (e == ERR_OK && in->exceptions != NULL)
        e = add_exceptions(s, in->exceptions, in->now);
    for (size_t i = 0; e == ERR_OK && i < in->keep->n; i++)
        e = add_prefix(s, &in->keep->v[i], FEED_WHY_PROTECTED);
    return e;
}

/* ---- entries ---- */

static bool
is_enforced(const struct desk_decision *d)
{
    return span_eq(record_find(d->record, FIELD_DECISION_MODE),
                   SPAN_LIT("enforce"));
}

/* Of what it was decided by: of a detector the statistic that carried it. */
static struct span
rule_of(const struct record_map *m)
{
    const struct span shown = record_map_find(m, FIELD_DECISION_SHOWN);

    return shown.n > 0 ? shown : record_map_find(m, FIELD_DECISION_ORIGIN);
}

static enum feed_origin
origin_of(const struct record_map *m)
{
    unsigned o = 0;

    while (o + 1 < FEED_ORIGIN_COUNT &&
           !record_map_is(m, FIELD_DECISION_ORIGIN,
                          feed_origin_word((enum feed_origin)o)))
        o++;
    return (enum feed_origin)o;
}

/* A person's decision has that person's words. */
static struct feed_entry
entry_of(const struct feed_source *s, const struct desk_decision *d)
{
    const struct desk_decision *act =
        desk_decisions_find(&s->acts, &d->subject);
    struct feed_entry e = {
        .prefix = d->subject, .since = d->when, .until = d->until};
    struct record_map m;

    record_map_init(&m, d->record);
    e.origin = origin_of(&m);
    e.rule = rule_of(&m);
    e.reason = e.origin == FEED_HUMAN && act != NULL
                   ? record_find(act->record, FIELD_CONTROL_REASON)
                   : record_map_find(&m, FIELD_DECISION_REASON);
    e.evidence = record_map_find(&m, FIELD_DECISION_EVIDENCE_HASH);
    e.site = record_map_find(&m, FIELD_DECISION_SITE);
    return e;
}

static bool
is_block(const struct desk_decision *d)
{
    return span_eq(record_find(d->record, FIELD_DECISION_ACTION),
                   SPAN_LIT("block"));
}

static void
take(const struct feed_source_in *in, struct feed_source *s,
     const struct desk_decision *d)
{
    /* One that says no end is no end of the newest: feed_make refuses it. */
    if (!is_block(d) || (d->until != 0 && d->until <= in->now))
        return;
    if (!in->preview && (!s->enforce || !is_enforced(d))) {
        s->before++;
        return;
    }
    s->from[s->n] = d;
    s->entries[s->n++] = entry_of(s, d);
}

static enum err
read_entries(const struct feed_source_in *in, struct feed_source *s)
{
    enum err e = desk_decisions_read(in->index, in->now, &s->decisions);
    struct rollout policy;

    if (e == ERR_OK)
        e = desk_decisions_acts(in->index, in->now, &s->acts);
    if (e == ERR_OK)
        e = policy_fold(in->index, in->now, &policy);
    if (e == ERR_OK && s->decisions.n > FEED_ENTRIES)
        e = ERR_LIMIT;
    if (e != ERR_OK)
        return e;
    s->enforce = rollout_now(&policy, in->now) == ROLLOUT_ENFORCE;
    s->entries = calloc(s->decisions.n + 1, sizeof(*s->entries));
    s->from = calloc(s->decisions.n + 1, sizeof(struct desk_decision *));
    if (s->entries == NULL || s->from == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->decisions.n; i++)
        take(in, s, &s->decisions.v[i]);
    return ERR_OK;
}

enum err
feed_source_read(const struct feed_source_in *in, struct feed_source *out)
{
    enum err e;

    *out = (struct feed_source){.n = 0};
    e = read_entries(in, out);
    return e == ERR_OK ? read_never(in, out) : e;
}

void
feed_source_fini(struct feed_source *s)
{
    desk_decisions_fini(&s->decisions);
    desk_decisions_fini(&s->acts);
    free(s->entries);
    free((void *)s->from);
    free(s->never);
    *s = (struct feed_source){.n = 0};
}

/* ---- is an empty list what was decided? ---- */

const struct desk_decision *
feed_source_about(const struct feed_source *s, const struct prefix *element)
{
    struct prefix p = *element;
    const struct desk_decision *d = desk_decisions_find(&s->decisions, &p);
    const bool v4 = addr_is_v4(&p.addr);

    while (d == NULL && p.bits > (v4 ? 96 : 0)) {
        p.bits--;
        p.addr.b[p.bits / 8] &= (uint8_t) ~(0x80U >> p.bits % 8);
        d = desk_decisions_find(&s->decisions, &p);
    }
    return d;
}

/* Of one in force nothing says why it is not listed. */
static bool
is_ended(const struct feed_source *s, const struct feed_item *i, ns_t now)
{
    const struct desk_decision *d = feed_source_about(s, &i->prefix);

    return d != NULL && (!is_block(d) || !s->enforce || !is_enforced(d) ||
                         (d->until != 0 && d->until <= now + NS_PER_S));
}

bool
feed_source_explains(const struct feed_source *s, const struct feed *last,
                     ns_t now)
{
    struct permits_range *never = calloc(s->n_never + 1, sizeof(*never));
    bool all = never != NULL;
    size_t n;

    if (never == NULL)
        return false;
    for (size_t k = 0; k < s->n_never; k++)
        never[k] = s->never[k].range;
    n = permits_join(never, s->n_never);
    for (size_t i = 0; all && i < last->n; i++) {
        const struct permits_range r = permits_range_of(&last->v[i].prefix);

        all = permits_covers(never, n, &r) || is_ended(s, &last->v[i], now);
    }
    free(never);
    return all;
}

/* ---- how good the capture is ---- */

static uint64_t
share(uint64_t good, uint64_t bad)
{
    const double all = (double)good + (double)bad;

    return bad == 0 ? 1000 : (uint64_t)(1000.0 * (double)good / all);
}

uint64_t
feed_sight_permille(const struct feed_sight *s)
{
    const uint64_t bytes = share(s->seen, s->unseen);
    const uint64_t packets = share(s->packets, s->dropped);

    if (s->blind)
        return 0;
    return bytes < packets ? bytes : packets;
}

bool
feed_sight_of(const struct record_map *m, struct feed_sight *out)
{
    if (!record_map_has(m, FIELD_SIGHT_WINDOW))
        return false;
    *out = (struct feed_sight){
        .seen = record_map_u64(m, FIELD_SIGHT_SEEN, 0),
        .unseen = record_map_u64(m, FIELD_SIGHT_UNSEEN, 0),
        .packets = record_map_u64(m, FIELD_SIGHT_PACKETS, 0),
        .dropped = record_map_u64(m, FIELD_SIGHT_DROPPED, 0),
        .blind = record_map_has(m, FIELD_SIGHT_BLIND),
    };
    return true;
}
