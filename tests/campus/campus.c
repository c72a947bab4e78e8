#include "tests/campus/campus.h"

#include <math.h>

#include "sensor/base/hash.h"

#define HOUR          (3600 * NS_PER_S)
#define DAY           (24 * HOUR)
#define BEFORE        .25 /* share of what abuses that did before the window */
#define BEFORE_DAYS   20.0
#define ACTIVE_DAYS   9.0 /* mean, until somebody cleans it */
#define ACTIVE_MOST   14.0
#define ACTIVE_LEAST  1.0
#define LAST_ONSET    1.0              /* days before the end */
#define SILENT_AT_END (600 * NS_PER_S) /* so that connections end in time */
#define NEIGHBOUR     .5 /* messages an hour of who belongs to a bad one */
#define STREAMS       1000000U /* of random numbers, for each sort of actor */
#define NET           8U       /* hosts of a /24 */
#define GROUP_NETS    200U     /* from here on, of those that belong together */

enum {
    STREAM_OWN,
    STREAM_OTHER,
    STREAM_INBOUND,
    STREAM_ATTEMPTS,
    STREAM_CAST,
};

static ns_t
days_ns(double days)
{
    return days > 0 ? (ns_t)(days * (double)DAY) : 0;
}

/* What all that differs from week to week is drawn from. */
static uint64_t
draws(const struct campus *c)
{
    return c->options.week == 0 ? c->options.seed
                                : hash_mix(c->options.seed, c->options.week);
}

/* ---- actors ---- */

static struct actor *
put_actor(struct campus *c, struct subject *t, const struct scenario *s,
          unsigned sort)
{
    struct play *p = c->play;
    const struct campus_host *h = &c->hosts[t->number];
    const struct kind *k = &c->kinds.v[h->kind];
    struct conditions *seen = &c->seen[c->n_seen];
    struct actor *a = &p->actors[p->n_actors++];
    struct actor_options o = {
        .scenario = s,
        .cond = seen,
        .subject = t,
        .seed = c->options.seed,
        .stream = sort * STREAMS + t->number,
        .week = c->options.week,
        .born = CAMPUS_START + hash_mix(c->options.seed, t->number) % HOUR,
    };

    if (sort == STREAM_INBOUND)
        o.rate = k->inbound;
    else if (sort == STREAM_OTHER)
        o.rate = k->own > 0 ? k->own : NEIGHBOUR * fmin(1, c->options.scale);
    c->tls[c->n_seen++] = seen->tls = sort == STREAM_INBOUND ? .6 : k->tls;
    seen->dns = true;
    seen->each = true;
    o.abuses = sort == STREAM_OWN && t->label != LABEL_LEGIT;
    if (o.abuses && h->onset > CAMPUS_START) {
        ns_t quiet = days_ns(s->quiet_days);

        o.born = h->onset - CAMPUS_START > quiet ? h->onset - quiet : o.born;
    }
    if (sort == STREAM_OTHER)
        o.users = k->row.one_name ? 0 : k->behind;
    actor_init(a, &o);
    a->until = campus_end(c) - SILENT_AT_END;
    if (o.abuses) {
        a->onset = h->onset > CAMPUS_START ? h->onset : a->born;
        a->until = h->until < a->until ? h->until : a->until;
        t->rate = a->rate;
    }
    if (a->next >= a->until)
        a->stage = STAGE_OVER;
    return a;
}

/* New ones come in the second to the last but one week. */
static void
come_late(struct campus *c, struct actor *a, struct rng *r)
{
    double days = c->options.days;

    if (!rng_chance(r, c->kinds.v[c->hosts[a->subject->number].kind].late))
        return;
    a->next = CAMPUS_START + days_ns(rng_uniform(r, days / 4, days * 3 / 4));
    a->stage = STAGE_HELLO;
}

static void
put_actors(struct campus *c, struct subject *t, struct rng *r)
{
    unsigned id = c->hosts[t->number].kind;
    const struct kind *k = &c->kinds.v[id];
    struct actor *a;

    if (t->label == LABEL_LEGIT && k->row.label != LABEL_LEGIT) {
        (void)put_actor(c, t, &c->other[id], STREAM_OTHER);
        return;
    }
    a = put_actor(c, t, &k->row, STREAM_OWN);
    if (t->label == LABEL_LEGIT)
        come_late(c, a, r);
    if (k->own > 0)
        (void)put_actor(c, t, &c->other[id], STREAM_OTHER);
    if (k->inbound > 0)
        (void)put_actor(c, t, &c->inbound[id], STREAM_INBOUND);
    if (t->label == LABEL_BOT && !k->row.submits) {
        a = put_actor(c, t, &c->attempts, STREAM_ATTEMPTS);
        if (c->hosts[t->number].onset > a->next)
            a->next = c->hosts[t->number].onset;
        if (c->hosts[t->number].until < a->until)
            a->until = c->hosts[t->number].until;
    }
}

/* ---- hosts ---- */

static void
set_addr(struct subject *t, unsigned site, uint32_t net, uint32_t host)
{
    uint8_t v4[4] = {10, (uint8_t)site, (uint8_t)net, (uint8_t)(10 + host)};
    uint8_t v6[16] = {0xfd, 0x25, 0, 0x20, 0, (uint8_t)site, 0, (uint8_t)net};

    v6[15] = (uint8_t)(10 + host);
    t->addr = t->ipv6 ? addr_v6(v6) : addr_v4(v4);
}

/* place: among those that belong together; 0 for all others. */
static void
settle(struct campus *c, struct subject *t, const struct subject *first,
       uint32_t place, struct rng *r)
{
    struct campus_host *h = &c->hosts[t->number];
    uint32_t k;

    h->site = first != NULL ? c->hosts[first->number].site
                            : 1 + (unsigned)rng_below(r, c->options.sites);
    if (t->scenario->together > 0) {
        c->groups += place == 0;
        set_addr(t, h->site, GROUP_NETS + c->groups % 50, place);
    } else {
        k = c->at_site[h->site]++;
        /* of IPv6 hosts each has a /64 */
        set_addr(t, h->site, t->ipv6 ? k % GROUP_NETS : k / NET, k % NET);
    }
    t->vlan = (uint16_t)(CAMPUS_VLAN + (h->site - 1) / CAMPUS_SITE_VLANS);
    memcpy(t->site, "S00", 4);
    t->site[1] = (char)('0' + h->site / 10 % 10);
    t->site[2] = (char)('0' + h->site % 10);
    if (h->site >= 100)
        t->site[0] = (char)('S' + h->site / 100);
}

/* In a smaller campus they send less by being found sooner. */
static double
active_days(const struct campus *c)
{
    double d = ACTIVE_DAYS * sqrt(c->options.scale);

    return d > ACTIVE_MOST ? ACTIVE_MOST : d > ACTIVE_LEAST ? d : ACTIVE_LEAST;
}

static void
set_times(struct campus *c, struct campus_host *h, const struct subject *first,
          struct rng *r)
{
    double days = c->options.days;

    if (first != NULL) {
        *h = (struct campus_host){.kind = h->kind,
                                  .onset = c->hosts[first->number].onset,
                                  .until = c->hosts[first->number].until};
        return;
    }
    if (rng_chance(r, BEFORE))
        h->onset = CAMPUS_START - days_ns(rng_uniform(r, 0, BEFORE_DAYS));
    else
        h->onset = CAMPUS_START + days_ns(rng_uniform(r, 0, days - LAST_ONSET));
    h->until = (h->onset > CAMPUS_START ? h->onset : CAMPUS_START) +
               days_ns(rng_exponential(r, active_days(c)));
}

/* first: the one that it belongs to, or NULL. */
static struct subject *
put_host(struct campus *c, unsigned kind, const struct subject *first,
         uint32_t place)
{
    const struct kind *k = &c->kinds.v[kind];
    const struct scenario *s = &k->row;
    struct subject *t = &c->play->subjects[c->play->n_subjects];
    struct campus_host *h = &c->hosts[c->play->n_subjects];
    struct rng r, week;

    memset(t, 0, sizeof(*t));
    t->number = c->play->n_subjects++;
    rng_seed(&r, c->options.seed, STREAM_CAST * STREAMS + t->number);
    t->scenario = s;
    t->label = s->one_in > 0 && place % s->one_in != 0 ? LABEL_LEGIT : s->label;
    t->ipv6 = rng_chance(&r, s->ipv6);
    t->registered = rng_chance(&r, s->registered);
    t->pool = k->pool;
    t->mac[0] = 2;
    t->mac[1] = 1;
    t->mac[4] = (uint8_t)(t->number >> 8);
    t->mac[5] = (uint8_t)t->number;
    h->kind = kind;
    if (s->label != LABEL_LEGIT) {
        rng_seed(&week, draws(c), STREAM_CAST * STREAMS + t->number);
        set_times(c, h, first, &week);
    }
    settle(c, t, first, place, &r);
    if (t->label == LABEL_LEGIT)
        h->onset = h->until = 0;
    put_actors(c, t, &r);
    return t;
}

/* ---- the cast ---- */

/* One of the kinds of which `abuse` is true, or of the others. */
static unsigned
draw_kind(const struct campus *c, bool abuse, struct rng *r)
{
    double sum = 0, at;
    unsigned last = 0;

    for (unsigned i = 0; i < c->kinds.n; i++) {
        if (kind_drawn(&c->kinds.v[i], abuse))
            sum += c->kinds.v[i].weight;
    }
    at = rng_unit(r) * sum;
    for (unsigned i = 0; i < c->kinds.n && at >= 0; i++) {
        if (!kind_drawn(&c->kinds.v[i], abuse))
            continue;
        at -= c->kinds.v[i].weight;
        last = i;
    }
    return last;
}

/* Who is there is the campus's; who is abused instead is the weeks'. */
static void
fill_drawn(struct campus *c)
{
    double all = 0, bad = 0;
    struct rng r;

    for (unsigned i = 0; i < c->kinds.n; i++) {
        bad += kind_drawn(&c->kinds.v[i], true) ? c->kinds.v[i].weight : 0;
        all += c->kinds.v[i].drawn ? c->kinds.v[i].weight : 0;
    }
    rng_seed(&r, draws(c), STREAM_CAST * STREAMS - 1);
    for (uint32_t n = 0; n < c->options.hosts; n++) {
        bool abused = rng_chance(&r, bad / all);
        struct rng own;

        rng_seed(&own, c->options.seed, STREAM_CAST * STREAMS - 2 - n);
        (void)put_host(c, draw_kind(c, abused, abused ? &r : &own), NULL, 0);
    }
}

static void
fill(void *ctx, struct play *p)
{
    struct campus *c = ctx;

    c->play = p;
    p->render.sensor = "campus";
    if (c->options.drawn) {
        fill_drawn(c);
        return;
    }
    for (unsigned i = 0; i < c->kinds.n; i++) {
        uint32_t group = c->kinds.v[i].row.together;
        const struct subject *first = NULL;

        for (uint32_t n = 0; n < c->of[i]; n++) {
            uint32_t place = group > 0 ? n % group : 0;
            const struct subject *t =
                put_host(c, i, place > 0 ? first : NULL, place);

            first = place > 0 ? first : t;
        }
    }
}

/* Who else sends, and what comes in. */
static void
set_rows(struct campus *c)
{
    for (unsigned i = 0; i < c->kinds.n; i++) {
        const struct kind *k = &c->kinds.v[i];
        struct scenario *in = &c->inbound[i], *other = &c->other[i];

        *in = scenarios[SCENARIO_GENUINE];
        in->serves = 1;
        in->batch = (struct range){1, 1};
        in->rhythm = RHYTHM_DAY;
        in->fresh = .3;
        in->foul = .35;
        in->foul_malware = .08;
        in->malware = .001;
        in->malware_bytes = 40000;
        in->days = KIND_DAYS;
        *other = scenarios[k->behind > 0 || k->row.desktop || k->row.one_in > 0
                               ? SCENARIO_CROWD
                               : SCENARIO_GENUINE];
        other->serves = 0;
        other->days = KIND_DAYS;
        other->rhythm = RHYTHM_DAY;
    }
    c->attempts = (struct scenario){
        .name = "attempts",
        .label = LABEL_LEGIT,
        .days = KIND_DAYS,
        .rate = {2, 2},
        .recipients = {1, 1},
        .batch = {1, 1},
        .fresh = 1,
        .syn_only = true,
        .syns = 3
    };
}

enum err
campus_new(const struct campus_options *o, struct campus **out)
{
    struct campus *c = calloc(1, sizeof(*c));
    const struct play_options plays = {.seed = o->seed};
    struct play_cast cast = {.fill = fill, .ctx = c};
    enum err e;

    if (c == NULL)
        return ERR_NOMEM;
    c->options = *o;
    kinds_init(&c->kinds, o->scale);
    kinds_share(&c->kinds, o->hosts, c->of);
    for (unsigned i = 0; i < c->kinds.n; i++)
        c->n += c->of[i];
    if (o->drawn)
        c->n = o->hosts;
    set_rows(c);
    c->hosts = calloc(c->n, sizeof(*c->hosts));
    c->seen = calloc(c->n * 4, sizeof(*c->seen));
    c->tls = calloc(c->n * 4, sizeof(*c->tls));
    cast.subjects = c->n;
    cast.actors = c->n * 4;
    e = c->hosts == NULL || c->seen == NULL || c->tls == NULL
            ? ERR_NOMEM
            : play_new_of(&plays, &cast, &c->play);
    if (e != ERR_OK)
        campus_free(c);
    else
        *out = c;
    return e;
}

void
campus_free(struct campus *c)
{
    if (c == NULL)
        return;
    play_free(c->play);
    free(c->hosts);
    free(c->seen);
    free(c->tls);
    free(c);
}
