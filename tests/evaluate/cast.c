#include "tests/evaluate/cast.h"

#include "sensor/base/hash.h"

#define HOUR        (3600 * NS_PER_S)
#define DAY         (24 * HOUR)
#define SITES       40U
#define ONSET_HOURS 6U /* in which all of them begin */

static ns_t
days_ns(double days)
{
    return days > 0 ? (ns_t)(days * (double)DAY) : 0;
}

static uint32_t
hosts_of(const struct play_options *o, enum scenario_id id)
{
    const struct scenario *s = &scenarios[id];
    bool is_tuning = scenario_is_tuning(s);

    if (!scenario_none(&o->only) && !scenario_has(&o->only, id))
        return 0;
    if (s->family != NULL && o->half != PLAY_BOTH &&
        is_tuning != (o->half == PLAY_TUNING))
        return 0;
    if (s->hosts == 0 || s->together > 0)
        return s->hosts;
    return (uint32_t)(s->hosts * o->scale) > 0 ? (uint32_t)(s->hosts * o->scale)
                                               : 1;
}

static uint32_t
actors_of(const struct scenario *s)
{
    return s->genuine > 0 || s->behind > 0 ? 2 : 1;
}

/* Each host stands in a /24 of its own, hosts that belong together in one. */
static struct addr
home_v4(uint32_t net, uint32_t host)
{
    uint32_t spread = (net * 40503U) & 0xffffU;
    uint8_t b[4] = {10, (uint8_t)(spread >> 8), (uint8_t)spread,
                    (uint8_t)(host + 1)};

    return addr_v4(b);
}

static struct addr
home_v6(uint32_t net, uint32_t host)
{
    uint8_t b[16] = {0xfd, 0x25, 0, 0x20};

    b[6] = (uint8_t)(net >> 8);
    b[7] = (uint8_t)net;
    b[14] = (uint8_t)(host >> 8);
    b[15] = (uint8_t)(host + 1);
    return addr_v6(b);
}

static void
cast_subject(struct play *p, const struct scenario *s, uint32_t i, uint32_t net)
{
    struct subject *t = &p->subjects[p->n_subjects];
    uint32_t host = s->together > 0 ? i % s->together : 0;
    struct rng r;

    rng_seed(&r, p->options.seed, 1000000 + p->n_subjects);
    memset(t, 0, sizeof(*t));
    t->number = p->n_subjects++;
    t->scenario = s;
    t->label = s->label;
    if (s->one_in > 0 && i % s->one_in != 0)
        t->label = LABEL_LEGIT;
    t->ipv6 = rng_chance(&r, s->ipv6);
    t->registered = rng_chance(&r, s->registered);
    t->addr = t->ipv6 ? home_v6(net, host) : home_v4(net, host);
    memcpy(t->site, "S00", 4);
    t->site[1] = (char)('0' + net % SITES / 10);
    t->site[2] = (char)('0' + net % 10);
    t->mac[0] = 2;
    t->mac[1] = 1;
    t->mac[3] = (uint8_t)(t->number >> 16);
    t->mac[4] = (uint8_t)(t->number >> 8);
    t->mac[5] = (uint8_t)t->number;
}

/* Abuse begins when the dry run is over, the others have been there before. */
static void
cast_actor(struct play *p, const struct actor_options *o)
{
    struct actor *a = &p->actors[p->n_actors++];
    double days = p->options.days_most, warm = p->options.warm;

    actor_init(a, o);
    if (days > 0 && a->until > a->onset + days_ns(days))
        a->until = a->onset + days_ns(days);
    if (p->options.cap > 0 && (a->cap == 0 || a->cap > p->options.cap))
        a->cap = p->options.cap;
    if (o->abuses || o->subject->rate <= 0)
        o->subject->rate = a->rate;
    if (!o->abuses)
        a->until += days_ns(warm);
}

/* Its own mail, beside the abuse: a server's, or that of users behind it. */
static void
cast_other(struct play *p, struct actor_options o)
{
    const struct scenario *s = o.scenario;

    o.scenario = &scenarios[s->behind > 0 || s->desktop ? SCENARIO_CROWD
                                                        : SCENARIO_GENUINE];
    o.abuses = false;
    o.rate = s->behind > 0 ? s->behind * .5 : s->genuine;
    o.users = s->one_name ? 0 : s->behind;
    o.stream += 500000;
    o.born = PLAY_START + NS_PER_S * (o.stream % 3600);
    cast_actor(p, &o);
    p->actors[p->n_actors - 1].until = p->actors[p->n_actors - 2].until;
}

static void
cast_host(struct play *p, const struct scenario *s, struct subject *t)
{
    struct actor_options o = {
        .scenario = s,
        .cond = &p->options.cond,
        .subject = t,
        .seed = p->options.seed,
        .stream = t->number,
        .born = PLAY_START +
                hash_mix(p->options.seed, t->number) % (ONSET_HOURS * HOUR),
        .abuses = s->label != LABEL_LEGIT,
    };

    if (o.abuses && t->label != LABEL_LEGIT)
        o.born += days_ns(p->options.warm - s->quiet_days);

    if (t->label == LABEL_LEGIT && s->label != LABEL_LEGIT) {
        o.scenario = &scenarios[SCENARIO_CROWD];
        o.rate = .5;
        o.abuses = false;
    }
    cast_actor(p, &o);
    if (actors_of(s) > 1)
        cast_other(p, o);
}

static void
fill(void *ctx, struct play *p)
{
    uint32_t net = 0;

    (void)ctx;
    for (unsigned id = 0; id < SCENARIO_COUNT; id++) {
        const struct scenario *s = &scenarios[id];
        uint32_t n = hosts_of(&p->options, (enum scenario_id)id);

        for (uint32_t i = 0; i < n; i++) {
            net += s->together == 0 || i % s->together == 0;
            cast_subject(p, s, i, net);
            cast_host(p, s, &p->subjects[p->n_subjects - 1]);
        }
    }
}

struct play_cast
cast_of(const struct play_options *o)
{
    struct play_cast c = {.fill = fill};

    for (unsigned id = 0; id < SCENARIO_COUNT; id++) {
        uint32_t n = hosts_of(o, (enum scenario_id)id);

        c.subjects += n;
        c.actors += n * actors_of(&scenarios[id]);
    }
    return c;
}
