#include "rules/sigma/sigma_set.h"

#include <inttypes.h>

#include "rules/sigma/sigma_match.h"
#include "rules/sigma/sigma_window.h"
#include "sensor/base/frame.h"
#include "sensor/base/hash.h"
#include "sensor/base/text.h"

#define MATCHES_MAX  65536U /* of correlations, in one call */
#define VALUES_MAX   4096U  /* of one event, for value_count */
#define NUMBER_LIMIT 1e15L  /* larger ones are taken as this */
#define SCRATCH_MAX  (64U << 20)
#define SAVED_KIND   0x31776d676973ULL /* "sigmw1" */
#define SAVED_MAX    (1ULL << 32)      /* bytes of one window */
#define EXPLAIN_MAX  200U              /* bytes of a value that are shown */

const struct sigma_limits sigma_limits_default = {65536, 262144, 16384};

/* An event on its way to a correlation. */
struct trip {
    uint32_t corr, ref;
    uint32_t match; /* in the list of this call */
    bool of_record;
};

struct sigma_run {
    const struct sigma_set *s;
    struct sigma_limits limits;
    uint64_t seed;
    struct sigma_view view;
    struct sigma_matcher matcher;
    struct sigma_candidates c;
    struct sigma_counts counts;
    struct sigma_match *found; /* of sigma_eval, s->n long */
    size_t n_found;
    struct sigma_window **window; /* per rule, NULL: no correlation */
    struct sigma_match *made;     /* of sigma_correlate */
    size_t n_made, cap_made;
    struct trip *trip;
    size_t n_trips, cap_trips;
    struct sigma_arena scratch; /* group values of made */
    uint64_t *hashes;           /* VALUES_MAX */
    ns_t next_end;
};

/* ---- life ---- */

static void
free_arrays(struct sigma_run *r)
{
    free(r->c.rule);
    free(r->c.stamp);
    free(r->c.seen);
    free(r->matcher.answer);
    free(r->found);
    if (r->window != NULL) {
        for (uint32_t i = 0; i < r->s->n; i++)
            sigma_window_free(r->window[i]);
    }
    free(r->window);
}

void
sigma_run_free(struct sigma_run *r)
{
    if (r == NULL)
        return;
    free_arrays(r);
    free(r->made);
    free(r->trip);
    free(r->hashes);
    sigma_view_fini(&r->view);
    sigma_regex_match_free(r->matcher.regex);
    sigma_arena_free(&r->scratch);
    free(r);
}

/* What depends on the set: made beside the old, so that an error changes
 * nothing. */
static enum err
make_arrays(struct sigma_run *r, const struct sigma_set *s)
{
    enum err e = ERR_OK;

    r->s = s;
    r->c = (struct sigma_candidates){
        .rule = calloc(s->n + 1U, sizeof(*r->c.rule)),
        .stamp = calloc(s->n + 1U, sizeof(*r->c.stamp)),
        .seen = calloc(s->keys_max + 1U, sizeof(*r->c.seen))};
    r->matcher.answer = calloc(s->questions + 1U, sizeof(uint64_t));
    r->found = calloc(s->n + 1U, sizeof(*r->found));
    r->window = calloc(s->n + 1U, sizeof(struct sigma_window *));
    if (r->c.rule == NULL || r->c.stamp == NULL || r->c.seen == NULL ||
        r->matcher.answer == NULL || r->found == NULL || r->window == NULL)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < s->n && e == ERR_OK; i++) {
        if (s->rule[i].corr != NULL)
            e = sigma_window_new(s->rule[i].corr, &r->limits, r->seed,
                                 &r->window[i]);
    }
    return e;
}

enum err
sigma_run_new(const struct sigma_set *s, uint64_t seed,
              const struct sigma_limits *limits, struct sigma_run **out)
{
    struct sigma_run *r = calloc(1, sizeof(*r));
    enum err e = ERR_NOMEM;

    REQUIRE(s->compiled);
    if (r == NULL)
        return ERR_NOMEM;
    r->s = s;
    r->seed = seed;
    r->limits = limits != NULL ? *limits : sigma_limits_default;
    r->next_end = UINT64_MAX;
    sigma_arena_init(&r->scratch, SCRATCH_MAX);
    r->hashes = calloc(VALUES_MAX, sizeof(*r->hashes));
    if (r->hashes != NULL)
        e = sigma_view_init(&r->view);
    if (e == ERR_OK)
        e = sigma_regex_match_new(&r->matcher.regex);
    if (e == ERR_OK)
        e = make_arrays(r, s);
    r->matcher.view = &r->view;
    if (e != ERR_OK) {
        sigma_run_free(r);
        return e;
    }
    *out = r;
    return ERR_OK;
}

static struct span
key_of(const struct sigma_info *i)
{
    return i->id.n > 0 ? i->id : i->name.n > 0 ? i->name : i->title;
}

static bool
is_same(const struct sigma_rule *a, const struct sigma_rule *b)
{
    return a->corr != NULL && b->corr != NULL && a->info.hash == b->info.hash &&
           span_eq(key_of(&a->info), key_of(&b->info));
}

/* The old rule that the new one is, or the old set's n. By id or name this is
 * one look; rules with a title alone are few. */
static uint32_t
old_of(const struct sigma_set *old, const struct sigma_rule *rule)
{
    struct span word = rule->info.id.n > 0 ? rule->info.id : rule->info.name;
    uint32_t i = 0;

    if (word.n > 0) {
        i = sigma_set_lookup(old, word);
        return i < old->n && is_same(&old->rule[i], rule) ? i : old->n;
    }
    while (i < old->n && !is_same(&old->rule[i], rule))
        i++;
    return i;
}

static void
find_next_end(struct sigma_run *r)
{
    r->next_end = UINT64_MAX;
    for (uint32_t i = 0; i < r->s->n; i++) {
        ns_t end =
            r->window[i] != NULL ? sigma_window_next(r->window[i]) : UINT64_MAX;

        r->next_end = end < r->next_end ? end : r->next_end;
    }
}

enum err
sigma_run_reload(struct sigma_run *r, const struct sigma_set *s)
{
    struct sigma_run fresh = {.limits = r->limits, .seed = r->seed};
    enum err e;

    REQUIRE(s->compiled);
    e = make_arrays(&fresh, s);
    if (e != ERR_OK) {
        free_arrays(&fresh);
        return e;
    }
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t old =
            fresh.window[i] != NULL ? old_of(r->s, &s->rule[i]) : r->s->n;

        if (old == r->s->n || r->window[old] == NULL)
            continue;
        sigma_window_free(fresh.window[i]);
        fresh.window[i] = r->window[old];
        r->window[old] = NULL;
        sigma_window_use(fresh.window[i], s->rule[i].corr);
    }
    free_arrays(r);
    r->s = s;
    r->c = fresh.c;
    r->matcher.answer = fresh.matcher.answer;
    r->found = fresh.found;
    r->window = fresh.window;
    r->n_found = r->n_made = 0;
    find_next_end(r);
    return ERR_OK;
}

/* ---- snapshots ---- */

static bool
has_state(const struct sigma_run *r, uint32_t i)
{
    return r->window[i] != NULL && !sigma_window_is_empty(r->window[i]);
}

static enum err
save_window(const struct sigma_run *r, uint32_t i, struct buf *out)
{
    struct span key = span_head(key_of(&r->s->rule[i].info), SIGMA_TEXT_MAX);
    struct buf part;
    enum err e;

    buf_init(&part, SAVED_MAX);
    e = sigma_window_save(r->window[i], &part);
    frame_u64(out, r->s->rule[i].info.hash);
    frame_u64(out, key.n);
    buf_span(out, key);
    frame_u64(out, part.n);
    buf_span(out, buf_view(&part));
    buf_free(&part);
    return e;
}

enum err
sigma_run_save(const struct sigma_run *r, struct buf *out)
{
    size_t at = out->n;
    uint64_t n = 0;
    enum err e = ERR_OK;

    frame_begin(out, SAVED_KIND, r->seed);
    for (uint32_t i = 0; i < r->s->n; i++)
        n += has_state(r, i);
    frame_u64(out, n);
    for (uint32_t i = 0; i < r->s->n && e == ERR_OK; i++) {
        if (has_state(r, i))
            e = save_window(r, i, out);
    }
    return e == ERR_OK ? frame_end(out, at) : e;
}

/* The correlation that a window was saved of, or s->n. */
static uint32_t
saved_of(const struct sigma_set *s, struct span key, uint64_t hash)
{
    uint32_t i = sigma_set_lookup(s, key);

    if (i == s->n) { /* rules with a title alone are few */
        i = 0;
        while (i < s->n && !(s->rule[i].info.hash == hash &&
                             span_eq(key_of(&s->rule[i].info), key)))
            i++;
    }
    return i < s->n && s->rule[i].corr != NULL && s->rule[i].info.hash == hash
               ? i
               : s->n;
}

static enum err
load_window(struct sigma_run *r, struct cursor *c)
{
    uint64_t hash = cur_le64(c);
    struct span key = cur_take(c, cur_le64(c));
    struct span part = cur_take(c, cur_le64(c));
    uint32_t i;

    if (c->bad || key.n > SIGMA_TEXT_MAX)
        return ERR_CORRUPT;
    i = saved_of(r->s, key, hash);
    return i < r->s->n ? sigma_window_load(r->window[i], part) : ERR_OK;
}

enum err
sigma_run_load(struct sigma_run *r, struct span snapshot)
{
    struct cursor c = {0};
    enum err e = frame_open(snapshot, SAVED_KIND, r->seed, &c);
    uint64_t n = e == ERR_OK ? cur_le64(&c) : 0;

    if (n > SIGMA_RULES_MAX)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < n && e == ERR_OK; i++)
        e = load_window(r, &c);
    if (e == ERR_OK && (c.bad || cur_left(&c) > 0))
        e = ERR_CORRUPT;
    find_next_end(r);
    return e;
}

/* ---- single records ---- */

static int
by_rule(const void *a, const void *b)
{
    const struct sigma_match *one = a, *two = b;

    return one->rule < two->rule ? -1 : one->rule > two->rule;
}

static void
next_epoch(struct sigma_run *r)
{
    if (++r->c.epoch != 0)
        return;
    memset(r->c.stamp, 0, (r->s->n + 1U) * sizeof(*r->c.stamp));
    memset(r->c.seen, 0, (r->s->keys_max + 1U) * sizeof(*r->c.seen));
    r->c.epoch = 1;
}

static const struct sigma_index *
index_of(const struct sigma_run *r, struct span record)
{
    enum event_type t = record_head_of(record).type;

    return t < EVENT_TYPE_COUNT ? r->s->index[t] : NULL;
}

static const struct sigma_match *
eval(struct sigma_run *r, size_t *n)
{
    const struct sigma_index *x = r->s->index[r->view.head.type];

    r->matcher.limited = 0;
    next_epoch(r);
    sigma_index_look(x, &r->view, &r->c);
    r->counts.candidates += r->c.n;
    for (uint32_t i = 0; i < r->c.n; i++) {
        if (sigma_match_rule(&r->matcher, &r->s->rule[r->c.rule[i]]))
            r->found[r->n_found++] = (struct sigma_match){
                .rule = r->c.rule[i], .when = r->view.head.when};
    }
    if (r->n_found > 1)
        qsort(r->found, r->n_found, sizeof(*r->found), by_rule);
    r->counts.matches += r->n_found;
    *n = r->n_found;
    return r->found;
}

static bool
is_asked(struct sigma_run *r, struct span record, size_t *n)
{
    *n = r->n_found = 0;
    r->counts.records++;
    return index_of(r, record) != NULL;
}

const struct sigma_match *
sigma_eval_map(struct sigma_run *r, const struct record_map *map, size_t *n)
{
    if (!is_asked(r, map->record, n))
        return r->found;
    sigma_view_open(&r->view, &r->s->slots, map);
    return eval(r, n);
}

const struct sigma_match *
sigma_eval(struct sigma_run *r, struct span record, size_t *n)
{
    if (!is_asked(r, record, n))
        return r->found;
    sigma_view_open_record(&r->view, &r->s->slots, record);
    return eval(r, n);
}

/* ---- correlations ---- */

static bool
room_made(struct sigma_run *r)
{
    size_t cap = r->cap_made > 0 ? 2 * r->cap_made : 64;
    struct sigma_match *grown;

    if (r->n_made < r->cap_made)
        return true;
    if (r->n_made >= MATCHES_MAX)
        return false;
    grown = realloc(r->made, cap * sizeof(*grown));
    if (grown == NULL)
        return false;
    r->made = grown;
    r->cap_made = cap;
    return true;
}

/* A match of correlation i; its group is copied, for the bucket may go. */
static void
make_match(struct sigma_run *r, uint32_t i, const struct sigma_hit *hit)
{
    const struct sigma_corr *c = r->s->rule[i].corr;
    struct sigma_group *g;

    if (!room_made(r))
        return;
    g = SIGMA_GET(&r->scratch, struct sigma_group, c->n_group + 1U);
    if (g == NULL)
        return;
    for (uint32_t k = 0; k < c->n_group; k++) {
        g[k].name = c->group[k];
        g[k].value = sigma_arena_span(&r->scratch, hit->group[k]);
    }
    r->made[r->n_made++] = (struct sigma_match){
        .rule = i,
        .when = hit->when,
        .figure = hit->figure,
        .group = g,
        .n_group = c->n_group,
        .subject = c->subject,
    };
    r->counts.matches++;
}

static bool
room_trips(struct sigma_run *r)
{
    size_t cap = r->cap_trips > 0 ? 2 * r->cap_trips : 64;
    struct trip *grown;

    if (r->n_trips < r->cap_trips)
        return true;
    grown = realloc(r->trip, cap * sizeof(*grown));
    if (grown == NULL)
        return false;
    r->trip = grown;
    r->cap_trips = cap;
    return true;
}

static void
add_trips(struct sigma_run *r, uint32_t rule, uint32_t match, bool of_record)
{
    for (uint32_t i = r->s->listen[rule]; i < r->s->listen[rule + 1]; i++) {
        if (!room_trips(r))
            return;
        r->trip[r->n_trips++] = (struct trip){
            r->s->listener[i].corr, r->s->listener[i].ref, match, of_record};
    }
}

/* Later rules of a correlation first: so one record cannot be two steps of a
 * temporal_ordered. */
static int
by_corr(const void *a, const void *b)
{
    const struct trip *one = a, *two = b;

    if (one->corr != two->corr)
        return one->corr < two->corr ? -1 : 1;
    if (one->ref != two->ref)
        return one->ref > two->ref ? -1 : 1;
    return one->match < two->match ? -1 : one->match > two->match;
}

/* The first value at a source, in lower case as everything is compared. */
static bool
value_at(struct sigma_run *r, const struct trip *t, struct sigma_source from,
         struct span *out)
{
    uint32_t i;

    if (!t->of_record) {
        const struct sigma_match *m = &r->made[t->match];

        if (!from.of_group || from.at >= m->n_group)
            return false;
        *out = m->group[from.at].value;
        return true;
    }
    i = from.of_group || from.at == 0 ? 0 : sigma_view_first(&r->view, from.at);
    if (i == 0)
        return false;
    *out = sigma_view_low(&r->view, &r->view.v[i]);
    return true;
}

static bool
fill_group(struct sigma_run *r, const struct trip *t,
           const struct sigma_corr *c, struct sigma_feed *f)
{
    for (uint32_t i = 0; i < c->n_group; i++) {
        if (!value_at(r, t, c->group_at[(size_t)t->ref * c->n_group + i],
                      &f->group[i]))
            return false;
    }
    return true;
}

/* Every entry of one field, or the tuple of several. */
static bool
fill_values(struct sigma_run *r, const struct trip *t,
            const struct sigma_corr *c, struct sigma_feed *f)
{
    const struct sigma_source *from =
        &c->field_at[(size_t)t->ref * c->n_fields];
    uint64_t h = r->seed;
    struct span s;

    f->value = r->hashes;
    if (c->n_fields == 1 && t->of_record && from->at != 0) {
        for (uint32_t i = sigma_view_first(&r->view, from->at);
             i != 0 && f->n_values < VALUES_MAX; i = r->view.v[i].next)
            r->hashes[f->n_values++] =
                hash_span(sigma_view_low(&r->view, &r->view.v[i]), r->seed);
        return f->n_values > 0;
    }
    for (uint32_t i = 0; i < c->n_fields; i++) {
        if (!value_at(r, t, from[i], &s))
            return false;
        h = c->n_fields == 1 ? hash_span(s, r->seed)
                             : hash_mix(h, hash_span(s, r->seed));
    }
    r->hashes[0] = h;
    f->n_values = 1;
    return true;
}

static bool
fill_number(struct sigma_run *r, const struct trip *t,
            const struct sigma_corr *c, struct sigma_feed *f)
{
    struct sigma_source from = c->field_at[(size_t)t->ref * c->n_fields];
    long double x;
    struct span s;

    uint32_t i =
        t->of_record && from.at != 0 ? sigma_view_first(&r->view, from.at) : 0;

    if (i != 0) {
        if (!sigma_view_number(&r->view, &r->view.v[i], &x))
            return false;
    } else if (!value_at(r, t, from, &s) || !sigma_number_parse(s, &x)) {
        return false;
    }
    x = x > NUMBER_LIMIT ? NUMBER_LIMIT : x < -NUMBER_LIMIT ? -NUMBER_LIMIT : x;
    f->number = (double)x;
    return true;
}

static bool
fill_feed(struct sigma_run *r, const struct trip *t, const struct sigma_corr *c,
          struct sigma_feed *f)
{
    f->ref = t->ref;
    f->when = t->of_record ? r->view.head.when : r->made[t->match].when;
    if (!fill_group(r, t, c, f))
        return false;
    switch (c->type) {
    case SIGMA_VALUE_COUNT: return fill_values(r, t, c, f);
    case SIGMA_VALUE_SUM:
    case SIGMA_VALUE_AVG:
    case SIGMA_VALUE_PERCENTILE:
    case SIGMA_VALUE_MEDIAN: return fill_number(r, t, c, f);
    case SIGMA_EVENT_COUNT:
    case SIGMA_TEMPORAL:
    case SIGMA_TEMPORAL_ORDERED: break;
    }
    return true;
}

/* What has been put on the way; matches that are made on it go on. */
static void
travel(struct sigma_run *r)
{
    size_t from = 0;

    while (from < r->n_trips) {
        size_t to = r->n_trips, before = r->n_made;

        if (to - from > 1)
            qsort(r->trip + from, to - from, sizeof(*r->trip), by_corr);
        for (size_t i = from; i < to; i++) {
            struct trip t = r->trip[i];
            const struct sigma_corr *c = r->s->rule[t.corr].corr;
            struct sigma_feed f = {0};
            struct sigma_hit hit;
            ns_t end;

            if (!fill_feed(r, &t, c, &f))
                continue;
            if (sigma_window_feed(r->window[t.corr], &f, &r->counts, &hit))
                make_match(r, t.corr, &hit);
            end = sigma_window_next(r->window[t.corr]);
            r->next_end = end < r->next_end ? end : r->next_end;
        }
        for (size_t i = before; i < r->n_made; i++)
            add_trips(r, r->made[i].rule, (uint32_t)i, false);
        from = to;
    }
    r->n_trips = 0;
}

static void
close_windows(struct sigma_run *r, ns_t now)
{
    bool met;
    struct sigma_hit hit;

    if (r->next_end >= now)
        return;
    for (uint32_t i = 0; i < r->s->n; i++) {
        while (r->window[i] != NULL &&
               sigma_window_close(r->window[i], now, &met, &hit)) {
            size_t before = r->n_made;

            if (met)
                make_match(r, i, &hit);
            sigma_window_drop(r->window[i]);
            if (r->n_made > before)
                add_trips(r, i, (uint32_t)before, false);
        }
    }
    travel(r);
    find_next_end(r);
}

const struct sigma_match *
sigma_tick(struct sigma_run *r, ns_t now, size_t *n)
{
    r->n_made = r->n_trips = 0;
    sigma_arena_reset(&r->scratch);
    close_windows(r, now);
    *n = r->n_made;
    return r->made;
}

const struct sigma_match *
sigma_correlate(struct sigma_run *r, ns_t now, size_t *n)
{
    (void)sigma_tick(r, now, n);
    for (size_t i = 0; i < r->n_found; i++)
        add_trips(r, r->found[i].rule, 0, true);
    r->n_found = 0;
    travel(r);
    *n = r->n_made;
    return r->made;
}

/* ---- windows elsewhere ---- */

/* Has each event of this reference the client in its group? */
static bool
is_by_client(const struct sigma_set *s, const struct sigma_corr *c,
             uint32_t ref)
{
    bool found = false;

    for (uint32_t i = 0; i < c->n_group; i++) {
        struct sigma_source from = c->group_at[(size_t)ref * c->n_group + i];

        found = found || (!from.of_group && from.at != 0 &&
                          s->slots.v[from.at].field == FIELD_SRC_IP);
    }
    return found;
}

bool
sigma_set_is_spread(const struct sigma_set *s, uint32_t rule)
{
    const struct sigma_rule *r = &s->rule[rule];
    bool spread = false;

    if (r->corr == NULL || r->bad || (r->info.id.n == 0 && r->info.name.n == 0))
        return false;
    for (uint32_t k = 0; k < r->corr->n_refs; k++) {
        if (s->rule[r->corr->ref[k].rule].corr != NULL)
            return false;
        spread = spread || !is_by_client(s, r->corr, k);
    }
    return spread;
}

static void
spread_match(struct sigma_run *r, uint32_t rule, const struct sigma_spread *to)
{
    const struct sigma_set *s = r->s;

    for (uint32_t i = s->listen[rule]; i < s->listen[rule + 1]; i++) {
        const struct trip t = {s->listener[i].corr, s->listener[i].ref, 0,
                               true};
        const struct sigma_corr *c = s->rule[t.corr].corr;
        struct sigma_feed f = {0};

        if (sigma_set_is_spread(s, t.corr) && fill_group(r, &t, c, &f))
            to->put(to->ctx, t.corr, f.group, c->n_group);
    }
}

void
sigma_spread(struct sigma_run *r, const struct sigma_spread *to)
{
    for (size_t i = 0; i < r->n_found; i++)
        spread_match(r, r->found[i].rule, to);
}

const struct sigma_match *
sigma_correlate_one(struct sigma_run *r, uint32_t rule, ns_t now, size_t *n)
{
    size_t kept = 0;

    (void)sigma_tick(r, now, n);
    for (size_t i = 0; i < r->n_found; i++)
        add_trips(r, r->found[i].rule, 0, true);
    for (size_t i = 0; i < r->n_trips; i++) {
        if (r->trip[i].corr == rule)
            r->trip[kept++] = r->trip[i];
    }
    r->n_trips = kept;
    r->n_found = 0;
    travel(r);
    *n = r->n_made;
    return r->made;
}

/* ---- why ---- */

static void
explain_item(struct sigma_run *r, const struct sigma_selection *s,
             const struct sigma_item *item, struct buf *out)
{
    const struct sigma_text *t = sigma_match_first(&r->matcher, item);
    struct span value;

    text_term(out, s->name);
    buf_str(out, ": ");
    if (item->key.n > 0) {
        text_term(out, item->key);
        buf_str(out, ": ");
    }
    text_term(out, span_head(item->want, EXPLAIN_MAX));
    buf_str(out, item->want.n > EXPLAIN_MAX ? "... (" : " (");
    if (t == NULL) {
        buf_str(out, item->negate ? "nothing of it is there)\n"
                                  : "no such entry)\n");
        return;
    }
    value = sigma_view_text(&r->view, &r->view.v[t - r->view.v]);
    buf_str(out, "has ");
    text_term(out, span_head(value, EXPLAIN_MAX));
    buf_str(out, value.n > EXPLAIN_MAX ? "...)\n" : ")\n");
}

static bool
map_holds(struct sigma_run *r, const struct sigma_items *map)
{
    for (uint32_t i = 0; i < map->n; i++) {
        if (!sigma_match_item(&r->matcher, &map->v[i]))
            return false;
    }
    return true;
}

static void
explain_selection(struct sigma_run *r, const struct sigma_selection *s,
                  struct buf *out)
{
    for (uint32_t m = 0; m < s->n_maps; m++) {
        if (!map_holds(r, &s->map[m]))
            continue;
        for (uint32_t i = 0; i < s->map[m].n; i++)
            explain_item(r, s, &s->map[m].v[i], out);
        return;
    }
}

/* Fills the view; false when the rule is not for this record. */
static bool
look_at(struct sigma_run *r, const struct sigma_rule *of, struct span record)
{
    r->n_found = 0;
    if (index_of(r, record) == NULL || of->info.kind != SIGMA_RULE ||
        of->info.foreign ||
        (of->services >> record_head_of(record).type & 1) == 0)
        return false;
    sigma_view_open_record(&r->view, &r->s->slots, record);
    r->matcher.limited = 0;
    return true;
}

bool
sigma_explain(struct sigma_run *r, uint32_t rule, struct span record,
              struct buf *out)
{
    const struct sigma_rule *of;

    REQUIRE(rule < r->s->n);
    of = &r->s->rule[rule];
    if (!look_at(r, of, record) || !sigma_match_rule(&r->matcher, of))
        return false;
    for (uint32_t i = 0; i < of->n_selections; i++)
        explain_selection(r, &of->selection[i], out);
    return true;
}

/* ---- what each item says ---- */

static void
put_value(struct sigma_run *r, const struct sigma_text *t, struct buf *out)
{
    struct span value = sigma_view_text(&r->view, &r->view.v[t - r->view.v]);

    buf_putc(out, '\'');
    text_term(out, span_head(value, EXPLAIN_MAX));
    buf_str(out, value.n > EXPLAIN_MAX ? "...'" : "'");
}

static bool
trace_item(struct sigma_run *r, const struct sigma_selection *s,
           const struct sigma_item *item, struct buf *out)
{
    bool yes = sigma_match_item(&r->matcher, item);
    const struct sigma_text *t = sigma_match_first(&r->matcher, item);
    uint32_t first = sigma_view_first(&r->view, item->slot);

    text_term(out, s->name);
    buf_str(out, ": ");
    if (item->key.n > 0) {
        text_term(out, item->key);
        buf_str(out, ": ");
    }
    text_term(out, item->want);
    buf_str(out, yes ? ": yes" : ": no");
    if (t != NULL) {
        buf_str(out, yes ? ", " : ", has ");
        put_value(r, t, out);
    } else if (first != 0 && item->slot != SIGMA_SLOT_ANY) {
        buf_str(out, ", has ");
        put_value(r, &r->view.v[first], out);
        if (r->view.v[first].next != 0)
            buf_str(out, " and others");
    } else if (item->slot != SIGMA_SLOT_ANY) {
        buf_str(out, ", not there");
    }
    buf_putc(out, '\n');
    return yes;
}

static uint32_t
trace_selection(struct sigma_run *r, const struct sigma_selection *s,
                struct buf *out)
{
    uint32_t missed = 0;

    for (uint32_t m = 0; m < s->n_maps; m++) {
        for (uint32_t i = 0; i < s->map[m].n; i++)
            missed += !trace_item(r, s, &s->map[m].v[i], out);
    }
    return missed;
}

bool
sigma_trace(struct sigma_run *r, uint32_t rule, struct span record,
            struct buf *out, uint32_t *missed)
{
    const struct sigma_rule *of;

    REQUIRE(rule < r->s->n);
    of = &r->s->rule[rule];
    *missed = UINT32_MAX;
    if (!look_at(r, of, record)) {
        buf_printf(out, "logsource: no, this is an event of %s\n",
                   event_type_name(record_head_of(record).type));
        return false;
    }
    *missed = 0;
    for (uint32_t i = 0; i < of->n_selections; i++)
        *missed += trace_selection(r, &of->selection[i], out);
    return sigma_match_rule(&r->matcher, of);
}

struct sigma_counts
sigma_run_counts(const struct sigma_run *r)
{
    struct sigma_counts c = r->counts;

    c.regex_limited = r->matcher.regex_limited;
    c.glob_limited = r->matcher.glob_limited;
    c.values_cut = r->view.cut;
    return c;
}

uint64_t
sigma_run_memory(const struct sigma_run *r)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < r->s->n; i++)
        n += r->window[i] != NULL ? sigma_window_memory(r->window[i]) : 0;
    return n;
}
