#include "tests/evaluate/measure.h"

#include <math.h>

const struct choice choose_all = {-1, -1, -1, -1, -1, -1, 0, 0};

void
measure_init(struct measure *m, const struct condition *c, size_t n)
{
    memset(m, 0, sizeof(*m));
    m->conditions = c;
    m->n_conditions = n;
}

void
measure_free(struct measure *m)
{
    free(m->rows);
    m->rows = NULL;
    m->n = m->cap = 0;
}

/* ---- a run ---- */

struct run {
    struct play *play;
    struct outcome *rows; /* by subject's number */
    void *state[DETECTORS_MAX];
    unsigned speaking; /* detector whose verdicts come now */
};

/* Of abuse that has not begun, nobody can know; in a dry run nobody is stopped
 * or asked about, but alerts are read. */
static bool
is_early(const struct run *r, const struct subject *s, enum level level,
         ns_t when)
{
    bool abuses = s->label == LABEL_BOT || s->label == LABEL_MIXED;

    if (level == LEVEL_TOLD)
        return false;
    if (abuses)
        return s->onset == 0 || when < s->onset;
    return level >= LEVEL_HOLD && when < play_counts_from(r->play);
}

static void
take_verdict(void *ctx, struct subject *s, enum level level, ns_t when)
{
    struct run *r = ctx;
    struct outcome *o = &r->rows[s->number];
    ns_t since = s->onset != 0 ? s->onset : play_counts_from(r->play);

    if (is_early(r, s, level, when) || o->said[r->speaking][level].reached)
        return;
    o->said[r->speaking][level].reached = true;
    o->said[r->speaking][level].seconds =
        when > since ? (float)((double)(when - since) / (double)NS_PER_S) : 0;
    o->said[r->speaking][level].messages =
        (float)(s->onset != 0 ? s->bad : s->good);
}

/* Whose event it is: the client at home, else the server. */
static struct subject *
subject_of(const struct play *p, const struct record_map *m)
{
    struct addr a;
    struct subject *s = NULL;

    if (record_map_addr(m, FIELD_SRC_IP, &a))
        s = play_find(p, &a);
    if (s == NULL && record_map_addr(m, FIELD_DEST_IP, &a))
        s = play_find(p, &a);
    return s;
}

static void
take_event(void *ctx, struct span record)
{
    struct run *r = ctx;
    struct verdicts v = {.put = take_verdict, .ctx = r};
    struct record_map m;
    struct subject *s;

    record_map_init(&m, record);
    s = subject_of(r->play, &m);
    for (unsigned d = 0; d < n_detectors; d++) {
        r->speaking = d;
        detectors[d]->event(r->state[d], s, &m, &v);
    }
}

static void
finish(struct run *r, const struct measure *m, uint16_t condition,
       uint16_t seed)
{
    (void)m;
    for (uint32_t i = 0; i < r->play->n_subjects; i++) {
        const struct subject *s = &r->play->subjects[i];
        struct outcome *o = &r->rows[i];
        ns_t since = s->onset != 0 ? s->onset : play_counts_from(r->play);

        o->scenario = (uint16_t)(s->scenario - scenarios);
        o->condition = condition;
        o->seed = seed;
        o->label = (uint8_t)s->label;
        o->registered = s->registered;
        o->rate = s->rate;
        o->bad = s->bad;
        o->good = s->good;
        o->forged = s->forged;
        o->days_on = s->days_on;
        o->seconds =
            s->last > since ? (double)(s->last - since) / (double)NS_PER_S : 0;
    }
}

static void
play_to_all(struct run *r)
{
    struct record_sink sink = {take_event, r};
    struct verdicts v = {.put = take_verdict, .ctx = r};

    play_run(r->play, &sink);
    for (unsigned d = 0; d < n_detectors; d++) {
        r->speaking = d;
        if (detectors[d]->end != NULL)
            detectors[d]->end(r->state[d], r->play->now, &v);
    }
}

static enum err
room_for(struct measure *m, size_t n)
{
    struct outcome *rows;
    size_t cap = m->cap;

    if (m->n + n <= cap)
        return ERR_OK;
    cap = cap * 2 > m->n + n ? cap * 2 : m->n + n;
    rows = realloc(m->rows, cap * sizeof(*rows));
    if (rows == NULL)
        return ERR_NOMEM;
    m->rows = rows;
    m->cap = cap;
    return ERR_OK;
}

enum err
measure_add(struct measure *m, const struct outcome *row)
{
    enum err e = room_for(m, 1);

    if (e == ERR_OK)
        m->rows[m->n++] = *row;
    return e;
}

enum err
measure_run(struct measure *m, uint16_t condition, uint16_t seed,
            uint64_t seed_value, enum play_half half,
            const struct scenario_set *only)
{
    const struct condition *c = &m->conditions[condition];
    struct play_options o = {.seed = seed_value,
                             .cond = c->seen,
                             .half = half,
                             .scale = c->scale,
                             .days_most = c->days_most,
                             .warm = c->warm,
                             .cap = c->cap,
                             .only = *only};
    struct run r = {0};
    enum err e = play_new(&o, &r.play);
    unsigned made = 0;

    if (e == ERR_OK)
        e = room_for(m, r.play->n_subjects);
    for (; e == ERR_OK && made < n_detectors; made++)
        e = detectors[made]->make(r.play, &r.state[made]);
    if (e == ERR_OK) {
        r.rows = m->rows + m->n;
        memset(r.rows, 0, r.play->n_subjects * sizeof(*r.rows));
        play_to_all(&r);
        finish(&r, m, condition, seed);
        m->n += r.play->n_subjects;
        m->events += r.play->n_events;
        m->n_seeds = seed + 1U > m->n_seeds ? seed + 1U : m->n_seeds;
    }
    while (made-- > 0)
        detectors[made]->free(r.state[made]);
    play_free(r.play);
    return e;
}

/* ---- figures ---- */

static bool
is_any(int want, int is)
{
    return want < 0 || want == is;
}

bool
measure_takes(const struct choice *c, const struct outcome *o)
{
    const struct scenario *s = &scenarios[o->scenario];
    /* neighbours of a bot count as what they are, not as its row */
    bool own = o->label == (uint8_t)s->label;
    int target = own ? (int)s->target : (int)TARGET_LEGIT;

    if (c->rate_to > 0 && (o->rate < c->rate_from || o->rate > c->rate_to))
        return false;
    return is_any(c->condition, o->condition) &&
           is_any(c->scenario, o->scenario) && is_any(c->target, target) &&
           is_any(c->label, o->label) && is_any(c->seed, o->seed) &&
           is_any(c->registered, o->registered);
}

struct share
measure_share(const struct measure *m, const struct choice *c,
              unsigned detector, enum level level)
{
    struct share s = {0};

    for (size_t i = 0; i < m->n; i++) {
        const struct outcome *o = &m->rows[i];

        if (!measure_takes(c, o) || o->bad + o->good + o->forged == 0)
            continue;
        s.n++;
        s.k += o->said[detector][level].reached;
    }
    s.in = stat_wilson(s.k, s.n, .95);
    return s;
}

struct share
measure_precision(const struct measure *m, const struct choice *bots,
                  const struct choice *legit, unsigned detector,
                  enum level level)
{
    struct share right = measure_share(m, bots, detector, level);
    struct share wrong = measure_share(m, legit, detector, level);
    struct share s = {.k = right.k, .n = right.k + wrong.k};

    s.in = stat_wilson(s.k, s.n, .95);
    return s;
}

double
measure_time(const struct measure *m, const struct choice *c, unsigned detector,
             enum level level, enum unit unit, double q)
{
    struct stat_time *v = calloc(m->n + 1, sizeof(*v));
    size_t n = 0;
    double t;

    REQUIRE(v != NULL);
    for (size_t i = 0; i < m->n; i++) {
        const struct outcome *o = &m->rows[i];
        bool reached = o->said[detector][level].reached;

        if (!measure_takes(c, o) || o->bad + o->good == 0)
            continue;
        v[n].reached = reached;
        if (unit == UNIT_SECONDS)
            v[n].t =
                reached ? (double)o->said[detector][level].seconds : o->seconds;
        else
            v[n].t = reached ? (double)o->said[detector][level].messages
                             : (double)(o->bad + o->good);
        n++;
    }
    t = stat_km_quantile(v, n, q);
    free(v);
    return t;
}

struct false_blocks
measure_false(const struct measure *m, const struct choice *c,
              unsigned detector, enum level level)
{
    struct false_blocks f = {0};

    for (size_t i = 0; i < m->n; i++) {
        const struct outcome *o = &m->rows[i];

        if (!measure_takes(c, o))
            continue;
        f.days += o->days_on;
        f.blocks += o->said[detector][level].reached;
    }
    if (f.days > 0)
        f.per_1000 = stat_poisson(f.blocks, f.days / 1000, .95);
    return f;
}

struct pairs
measure_pairs(const struct measure *m, const struct choice *c, unsigned first,
              unsigned other, enum level level)
{
    struct pairs p = {0};

    for (size_t i = 0; i < m->n; i++) {
        const struct outcome *o = &m->rows[i];
        bool a = o->said[first][level].reached;
        bool b = o->said[other][level].reached;

        if (!measure_takes(c, o))
            continue;
        p.first += a && !b;
        p.other += b && !a;
    }
    p.p = stat_mcnemar(p.first, p.other);
    return p;
}

struct stat_spread
measure_spread(const struct measure *m, struct choice c, unsigned detector,
               enum level level)
{
    double *v = calloc(m->n_seeds + 1, sizeof(*v));
    struct stat_spread s;
    size_t n = 0;

    REQUIRE(v != NULL);
    for (size_t i = 0; i < m->n_seeds; i++) {
        struct share one;

        c.seed = (int)i;
        one = measure_share(m, &c, detector, level);
        if (one.n > 0)
            v[n++] = (double)one.k / (double)one.n;
    }
    s = stat_spread(v, n);
    free(v);
    return s;
}
