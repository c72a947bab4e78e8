#include "tests/campus/kind.h"

#include "sensor/base/attr.h"

#define BOTS       150.0 /* weight of all families together */
#define MIXED      20.0  /* of servers and forms that somebody else uses */
#define FORGED     28.0
#define NATS       8.0
#define STEADY     60   /* an hour; slower ones never rest */
#define RATE_HI    1000 /* messages an hour, from which on campaigns are long */
#define RATE_LEAST .1   /* messages an hour: nobody is made rarer than that */
#define BOUT       1000.0
#define BOUT_LO    300.0
#define BOUT_MIN   50.0
#define CARRIERS   3U /* every third family sends malware too */
#define ATTACHED   40000U
#define FLOOD      10000U /* attempts of an event, with two events an hour */
#define GROUP      8U /* hosts of one network that belong together, at most */

/* What rows of kind.def share; a row may set again what its kind has set. */
#define MTA                                                                    \
    .label = LABEL_LEGIT, .rhythm = RHYTHM_DAY, .retries = 1, .full = .01,     \
    .refused = .005, .asks_mx = .5, .named = true, .malware_bytes = ATTACHED
#define DEVICE                                                                 \
    .label = LABEL_LEGIT, .recipients = {1, 1}, .batch = {1, 1}, .full = .01,  \
    .refused = .005, .asks_mx = .5, .content = CONTENT_DEVICE

#pragma GCC diagnostic push
#ifdef __clang__
#pragma GCC diagnostic ignored "-Winitializer-overrides"
#else
#pragma GCC diagnostic ignored "-Woverride-init"
#endif
static const struct kind rows[] = {
#define X(id, w, t, in, l, ...)                                                \
    {.weight = (w),                                                            \
     .tls = (t),                                                               \
     .inbound = (in),                                                          \
     .late = (l),                                                              \
     .drawn = true,                                                            \
     .row = {__VA_ARGS__}},
#include "tests/campus/kind.def"
#undef X
};
#pragma GCC diagnostic pop

static double
scaled(double rate, double scale)
{
    const double least = rate < RATE_LEAST ? rate : RATE_LEAST;

    return rate * scale > least ? rate * scale : least;
}

static struct kind *
add(struct kinds *k, const struct kind *what)
{
    k->v[k->n] = *what;
    return &k->v[k->n++];
}

static void
add_ordinary(struct kinds *k, double scale)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct kind *w = add(k, &rows[i]);

        w->row.rate.lo = scaled(w->row.rate.lo, scale);
        w->row.rate.hi = scaled(w->row.rate.hi, scale);
        w->inbound *= scale;
    }
}

/* A campaign, then some hours of silence. */
static void
in_bouts(struct scenario *s, double scale)
{
    double bout = s->rate.lo >= RATE_HI ? BOUT : BOUT_LO;

    s->cap = 0;
    if (s->rate.lo < STEADY && s->together == 0)
        return;
    bout *= scale;
    s->bout = (uint32_t)(bout > BOUT_MIN ? bout : BOUT_MIN);
    s->rest = (struct range){6, 36};
}

static void
add_bot(struct kinds *k, const struct scenario *s, double scale)
{
    struct kind *w = add(k, &(struct kind){.row = *s, .weight = 1});

    w->drawn = s->together == 0 && !s->submits;
    w->row.quiet_rate *= scale;
    if (w->row.together > GROUP)
        w->row.together = GROUP;
    if (w->row.one_in > GROUP)
        w->row.one_in = GROUP;
    in_bouts(&w->row, scale);
    w->row.malware_bytes = ATTACHED;
    w->row.spread = .5;
    if (k->n % CARRIERS == 0) {
        w->row.content = CONTENT_CARRIER;
        w->row.malware = .3;
    } else if (w->row.content == CONTENT_WORM)
        w->row.content = CONTENT_CARRIER;
}

static void
add_mixed(struct kinds *k, const struct scenario *s, double scale)
{
    struct kind *w = add(k, &(struct kind){.row = *s,
                                           .weight = s->behind > 0 ? 2 : 1,
                                           .tls = .2,
                                           .drawn = true});

    w->behind = s->behind;
    w->own = s->behind > 0 ? 8 * scale : 4 * scale;
    if (s->behind > 0 && !s->one_name)
        w->pool = "nat";
    w->row.malware_bytes = ATTACHED;
    w->row.malware = .05;
    w->row.serves = 0; /* what comes in is not what it is abused for */
    in_bouts(&w->row, scale);
}

static void
add_forged(struct kinds *k, const struct scenario *s, double scale)
{
    struct kind *w = add(k, &(struct kind){.row = *s, .weight = 1});

    w->own = s->genuine * scale;
    w->row.cap = (uint32_t)(s->cap * scale);
    if (s->syn_only) {
        w->row.rate = (struct range){2, 2};
        w->row.syns = FLOOD;
    }
}

/* Weights of kinds from i on become those of all of them together. */
static void
weigh(struct kinds *k, unsigned i, double all)
{
    double sum = 0;

    for (unsigned j = i; j < k->n; j++)
        sum += k->v[j].weight;
    for (; i < k->n; i++)
        k->v[i].weight *= all / sum;
}

static void
add_label(struct kinds *k, enum label l, bool nat, double scale)
{
    for (unsigned i = 0; i < SCENARIO_COUNT; i++) {
        const struct scenario *s = &scenarios[i];

        if (s->label != l || (s->behind > 0) != nat)
            continue;
        if (l == LABEL_BOT)
            add_bot(k, s, scale);
        else if (l == LABEL_MIXED)
            add_mixed(k, s, scale);
        else
            add_forged(k, s, scale);
    }
}

void
kinds_init(struct kinds *k, double scale)
{
    unsigned from;

    k->n = 0;
    add_ordinary(k, scale);
    from = k->n;
    add_label(k, LABEL_BOT, false, scale);
    weigh(k, from, BOTS);
    from = k->n;
    add_label(k, LABEL_MIXED, false, scale);
    weigh(k, from, MIXED);
    from = k->n;
    add_label(k, LABEL_MIXED, true, scale);
    weigh(k, from, NATS);
    from = k->n;
    add_label(k, LABEL_VICTIM, false, scale);
    weigh(k, from, FORGED);
    for (unsigned i = 0; i < k->n; i++)
        k->v[i].row.days = KIND_DAYS;
}

static uint32_t
at_least(const struct kind *w)
{
    return w->row.together > 0 ? w->row.together : 1;
}

/* By weight, rounded down; what is left over goes where the most was cut off.
 */
void
kinds_share(const struct kinds *k, uint32_t hosts, uint32_t *of)
{
    double sum = 0, left[KINDS_MAX];
    uint32_t n = 0;

    for (unsigned i = 0; i < k->n; i++)
        sum += k->v[i].weight;
    for (unsigned i = 0; i < k->n; i++) {
        double exact = k->v[i].weight * hosts / sum;

        of[i] =
            exact > at_least(&k->v[i]) ? (uint32_t)exact : at_least(&k->v[i]);
        left[i] = exact - of[i];
        n += of[i];
    }
    while (n != hosts) {
        unsigned best = k->n;

        for (unsigned i = 0; i < k->n; i++) {
            if (n > hosts && of[i] <= at_least(&k->v[i]))
                continue;
            if (best == k->n ||
                (n < hosts ? left[i] > left[best] : left[i] < left[best]))
                best = i;
        }
        if (best == k->n)
            return; /* too few hosts for all kinds: there are more */
        of[best] += n < hosts ? 1 : -1U;
        left[best] += n < hosts ? -1 : 1;
        n += n < hosts ? 1 : -1U;
    }
}
