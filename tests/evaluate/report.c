#include "tests/evaluate/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "tests/evaluate/table.h"

#define MAIN 0 /* the condition that the targets are of */
#define OWN  0 /* the detector */

/* ---- figures as texts ---- */

struct text {
    char s[64];
};

static struct text
share_text(struct share s)
{
    struct text t = {"-"};

    if (s.n > 0)
        (void)snprintf(t.s, sizeof(t.s), "%.3f (%.3f-%.3f) %u/%u",
                       (double)s.k / (double)s.n, s.in.lo, s.in.hi,
                       (unsigned)s.k, (unsigned)s.n);
    return t;
}

/* Seconds as people say them; "never" when the share was not reached. */
static struct text
duration_text(double s)
{
    static const struct {
        double from, unit;
        const char *word;
    } units[] = {
        {172800, 86400, "d"  },
        {5400,   3600,  "h"  },
        {120,    60,    "min"},
        {0,      1,     "s"  }
    };
    struct text t = {"never"};

    for (size_t i = 0; !isinf(s) && i < ARRAY_LEN(units); i++) {
        if (s < units[i].from)
            continue;
        (void)snprintf(t.s, sizeof(t.s), "%.1f %s", s / units[i].unit,
                       units[i].word);
        break;
    }
    return t;
}

static struct text
count_text(double n)
{
    struct text t = {"never"};

    if (!isinf(n))
        (void)snprintf(t.s, sizeof(t.s), "%.0f", n);
    return t;
}

/* ---- targets of 5.3 ---- */

static struct choice
of_target(enum target t, double from, double to)
{
    struct choice c = choose_all;

    c.condition = MAIN;
    c.target = (int)t;
    c.rate_from = from;
    c.rate_to = to;
    return c;
}

static struct choice
of_legit(void)
{
    struct choice c = choose_all;

    c.condition = MAIN;
    c.label = LABEL_LEGIT;
    c.registered = 0;
    return c;
}

/* What a row of the table of targets says of a detector. */
struct goal_value {
    double value; /* to compare */
    struct text text;
};

struct goal {
    const char *what, *want;
    struct goal_value (*of)(const struct measure *m, const struct goal *g,
                            unsigned detector);
    enum target target;
    double from, to; /* messages an hour */
    enum level level;
    double q; /* of times */
    enum unit unit;
    double bound;
    bool at_least;
};

static struct goal_value
goal_share(const struct measure *m, const struct goal *g, unsigned d)
{
    struct choice c = of_target(g->target, g->from, g->to);
    struct share s = measure_share(m, &c, d, g->level);

    return (struct goal_value){s.n > 0 ? (double)s.k / (double)s.n : NAN,
                               share_text(s)};
}

static struct goal_value
goal_bound(const struct measure *m, const struct goal *g, unsigned d)
{
    struct choice c = of_target(g->target, g->from, g->to);
    struct share s = measure_share(m, &c, d, g->level);

    return (struct goal_value){s.n > 0 ? s.in.lo : NAN, share_text(s)};
}

static struct goal_value
goal_precision(const struct measure *m, const struct goal *g, unsigned d)
{
    struct choice bots = of_target(g->target, g->from, g->to);
    struct choice legit = of_legit();
    struct share s = measure_precision(m, &bots, &legit, d, g->level);

    return (struct goal_value){s.n > 0 ? (double)s.k / (double)s.n : NAN,
                               share_text(s)};
}

static struct goal_value
goal_time(const struct measure *m, const struct goal *g, unsigned d)
{
    struct choice c = of_target(g->target, g->from, g->to);
    double t = measure_time(m, &c, d, g->level, g->unit, g->q);

    return (struct goal_value){t, g->unit == UNIT_SECONDS ? duration_text(t)
                                                          : count_text(t)};
}

static struct goal_value
goal_false_blocks(const struct measure *m, const struct goal *g, unsigned d)
{
    struct choice c = of_legit();
    struct false_blocks f = measure_false(m, &c, d, g->level);
    double upper =
        f.days > 0 ? stat_poisson_upper(f.blocks, f.days / 1000, .95) : NAN;
    struct text t = {""};

    (void)snprintf(t.s, sizeof(t.s), "%u in %.0f days: %.3f (%.3f-%.3f)",
                   (unsigned)f.blocks, f.days,
                   f.days > 0 ? (double)f.blocks * 1000 / f.days : 0,
                   f.per_1000.lo, f.per_1000.hi);
    return (struct goal_value){upper, t};
}

static struct goal_value
goal_registered(const struct measure *m, const struct goal *g, unsigned d)
{
    struct choice c = choose_all;
    struct share s;

    c.registered = 1;
    s = measure_share(m, &c, d, g->level);
    return (struct goal_value){(double)s.k, share_text(s)};
}

static struct goal_value
goal_spoof(const struct measure *m, const struct goal *g, unsigned d)
{
    struct choice c = choose_all;
    uint64_t blocks = 0, forged = 0;
    struct text t = {""};

    c.target = (int)g->target;
    for (size_t i = 0; i < m->n; i++) {
        if (!measure_takes(&c, &m->rows[i]))
            continue;
        blocks += m->rows[i].said[d][g->level].reached;
        forged += m->rows[i].forged;
    }
    (void)snprintf(t.s, sizeof(t.s), "%u; %.3g forged connections",
                   (unsigned)blocks, (double)forged);
    return (struct goal_value){(double)blocks, t};
}

static const struct goal goals[] = {
#define X(what, want, of, target, from, to, level, q, unit, bound, at_least)   \
    {what,          want, goal_##of,   TARGET_##target, from,    to,           \
     LEVEL_##level, q,    UNIT_##unit, bound,           at_least},
#include "tests/evaluate/goal.def"
#undef X
};

static const char *
verdict(const struct goal *g, double value)
{
    if (isnan(value))
        return "no host";
    if (g->want[0] == '-')
        return "-";
    return (g->at_least ? value >= g->bound : value <= g->bound)
               ? "met"
               : "**not met**";
}

/* Names of all detectors behind some columns. */
static const char *const *
with_detectors(const char *const *head, const char *room[TABLE_COLUMNS + 1])
{
    unsigned n = 0;

    while (head[n] != NULL) {
        room[n] = head[n];
        n++;
    }
    for (unsigned d = 0; d < n_detectors; d++)
        room[n++] = detectors[d]->name;
    room[n] = NULL;
    return room;
}

static void
goals_table(const struct measure *m, struct tables *to)
{
    static const char *const head[] = {"quantity", "target", "verdict", NULL};
    const char *room[TABLE_COLUMNS + 1];
    struct table t =
        table_begin(to, "targets", "Targets of DETECTION 5.3",
                    "Shares with Wilson's 95 % interval, rates with Poisson's "
                    "exact one; times by Kaplan-Meier. The verdict is that of "
                    "the first detector.",
                    with_detectors(head, room));

    for (size_t i = 0; i < ARRAY_LEN(goals); i++) {
        table_cell(&t, "%s", goals[i].what);
        table_cell(&t, "%s", goals[i].want);
        table_cell(&t, "%s",
                   verdict(&goals[i], goals[i].of(m, &goals[i], OWN).value));
        for (unsigned d = 0; d < n_detectors; d++)
            table_cell(&t, "%s", goals[i].of(m, &goals[i], d).text.s);
    }
    table_end(&t);
}

/* ---- each scenario ---- */

static struct choice
of_scenario(unsigned id, enum label l)
{
    struct choice c = choose_all;

    c.condition = MAIN;
    c.scenario = (int)id;
    c.label = (int)l;
    return c;
}

static void
scenario_row(const struct measure *m, unsigned id, enum label l,
             struct table *t)
{
    struct choice c = of_scenario(id, l);
    struct share any = measure_share(m, &c, OWN, LEVEL_ALERT);
    struct share hold = measure_share(m, &c, OWN, LEVEL_HOLD);

    if (any.n == 0)
        return;
    table_cell(t, "%s%s", scenarios[id].name,
               l == scenarios[id].label ? "" : ", neighbours");
    table_cell(t, "%s", label_word(l));
    table_cell(t, "%s", share_text(any).s);
    for (unsigned i = 0; i < 2; i++) {
        enum level level = i == 0 ? LEVEL_ALERT : LEVEL_BLOCK;

        if (i == 1) {
            table_cell(t, "%u", (unsigned)hold.k);
            table_cell(t, "%s", share_text(measure_share(m, &c, OWN, level)).s);
        }
        table_cell(
            t, "%s / %s",
            count_text(measure_time(m, &c, OWN, level, UNIT_MESSAGES, .5)).s,
            count_text(measure_time(m, &c, OWN, level, UNIT_MESSAGES, .95)).s);
        table_cell(
            t, "%s / %s",
            duration_text(measure_time(m, &c, OWN, level, UNIT_SECONDS, .5)).s,
            duration_text(measure_time(m, &c, OWN, level, UNIT_SECONDS, .95))
                .s);
    }
}

static void
scenario_table(const struct measure *m, struct tables *to)
{
    static const char *const columns[] = {
        "scenario",      "hosts are",
        "alerted",       "messages to alert, median / p95",
        "time to alert", "asked",
        "blocked",       "messages to block, median / p95",
        "time to block", NULL};
    struct table t = table_begin(
        to, "scenarios", "Each scenario, first detector",
        "In the clear, answers mirrored. Of innocents the messages are all "
        "that they sent, and the times are from the start.",
        columns);

    for (unsigned id = 0; id < SCENARIO_COUNT; id++) {
        for (unsigned l = 0; l < LABEL_COUNT; l++)
            scenario_row(m, id, (enum label)l, &t);
    }
    table_end(&t);
}

static void
beside_table(const struct measure *m, struct tables *to)
{
    static const char *const head[] = {"scenario", "hosts are", NULL};
    const char *room[TABLE_COLUMNS + 1];
    struct table t = table_begin(to, "beside", "Alerted, beside the baselines",
                                 NULL, with_detectors(head, room));

    for (unsigned id = 0; id < SCENARIO_COUNT; id++) {
        struct choice c = of_scenario(id, scenarios[id].label);

        if (measure_share(m, &c, OWN, LEVEL_ALERT).n == 0)
            continue;
        table_cell(&t, "%s", scenarios[id].name);
        table_cell(&t, "%s", label_word(scenarios[id].label));
        for (unsigned d = 0; d < n_detectors; d++) {
            struct share s = measure_share(m, &c, d, LEVEL_ALERT);

            table_cell(&t, "%.2f", (double)s.k / (double)s.n);
        }
    }
    table_end(&t);
}

/* ---- conditions ---- */

static void
condition_row(const struct measure *m, unsigned i, struct table *t)
{
    struct choice bots = of_target(TARGET_DIRECT, 0, 0), legit = of_legit();
    struct false_blocks f;

    bots.condition = legit.condition = (int)i;
    table_cell(t, "%s", m->conditions[i].name);
    for (unsigned l = 0; l < 2; l++) {
        enum level level = l == 0 ? LEVEL_ALERT : LEVEL_BLOCK;

        table_cell(t, "%s", share_text(measure_share(m, &bots, OWN, level)).s);
        table_cell(
            t, "%s",
            share_text(measure_precision(m, &bots, &legit, OWN, level)).s);
    }
    f = measure_false(m, &legit, OWN, LEVEL_BLOCK);
    table_cell(t, "%u in %.0f", (unsigned)f.blocks, f.days);
    for (unsigned d = 0; d < n_detectors; d++) {
        struct share s = measure_share(m, &bots, d, LEVEL_ALERT);

        table_cell(t, "%.3f", s.n > 0 ? (double)s.k / (double)s.n : 0);
    }
}

static void
condition_table(const struct measure *m, struct tables *to)
{
    static const char *const head[] = {"condition",
                                       "recall of alerts",
                                       "precision of alerts",
                                       "recall of blocks",
                                       "precision of blocks",
                                       "innocents blocked, in host-days",
                                       NULL};
    const char *room[TABLE_COLUMNS + 1];
    struct table t = table_begin(
        to, "conditions", "What was seen: TLS, mirrored DNS, faults",
        "Direct bots >= 60/h; the last columns are recall of alerts of each "
        "detector.",
        with_detectors(head, room));

    for (unsigned i = 0; i < m->n_conditions; i++)
        condition_row(m, i, &t);
    table_end(&t);
}

/* ---- pairs, seeds, halves ---- */

static void
pairs_table(const struct measure *m, struct tables *to)
{
    static const char *const columns[] = {
        "first beside",
        "bots that only the first alerts",
        "only the other",
        "p",
        "innocents that only the first alerts",
        "only the other",
        "p",
        NULL};
    struct choice bots = of_target(TARGET_DIRECT, 0, 0), legit = of_legit();
    struct table t =
        table_begin(to, "mcnemar", "Pairs (McNemar, exact)", NULL, columns);

    for (unsigned d = 1; d < n_detectors; d++) {
        struct pairs a = measure_pairs(m, &bots, OWN, d, LEVEL_ALERT);
        struct pairs b = measure_pairs(m, &legit, OWN, d, LEVEL_ALERT);

        table_cell(&t, "%s", detectors[d]->name);
        table_cell(&t, "%u", (unsigned)a.first);
        table_cell(&t, "%u", (unsigned)a.other);
        table_cell(&t, "%.2g", a.p);
        table_cell(&t, "%u", (unsigned)b.first);
        table_cell(&t, "%u", (unsigned)b.other);
        table_cell(&t, "%.2g", b.p);
    }
    table_end(&t);
}

static void
spread_table(const struct measure *m, struct tables *to)
{
    static const char *const columns[] = {
        "detector", "recall of alerts",  "standard deviation", "least",
        "most",     "innocents alerted", "standard deviation", NULL};
    struct choice bots = of_target(TARGET_DIRECT, 0, 0), legit = of_legit();
    struct table t = table_begin(to, "seeds", "Over the seeds", NULL, columns);

    for (unsigned d = 0; d < n_detectors; d++) {
        struct stat_spread a = measure_spread(m, bots, d, LEVEL_ALERT);
        struct stat_spread b = measure_spread(m, legit, d, LEVEL_ALERT);

        table_cell(&t, "%s", detectors[d]->name);
        table_cell(&t, "%.3f", a.mean);
        table_cell(&t, "%.3f", a.sd);
        table_cell(&t, "%.3f", a.least);
        table_cell(&t, "%.3f", a.most);
        table_cell(&t, "%.3f", b.mean);
        table_cell(&t, "%.3f", b.sd);
    }
    table_end(&t);
}

static void
split_table(struct tables *to)
{
    static const char *const columns[] = {"family", "half", "rate an hour",
                                          "failing", NULL};
    struct table t = table_begin(
        to, "halves", "Families and halves",
        "By a fixed hash of the family's name. Nothing was tuned on the "
        "reporting half.",
        columns);

    for (unsigned i = 0; i < SCENARIO_COUNT; i++) {
        const struct scenario *s = &scenarios[i];

        if (s->family == NULL)
            continue;
        table_cell(&t, "%s", s->family);
        table_cell(&t, "%s", scenario_is_tuning(s) ? "tuning" : "reporting");
        table_cell(&t, "%g to %g", s->rate.lo, s->rate.hi);
        table_cell(&t, "%g to %g", s->failing.lo, s->failing.hi);
    }
    table_end(&t);
}

static void
head(const struct measure *m, const struct report_head *h, struct tables *to)
{
    buf_printf(to->md,
               "# Evaluation of the detector\n\n"
               "%s, `%s`; half: %s; seeds %" PRIu64 " to %" PRIu64 "; %" PRIu64
               " events, %.0f hosts watched.\n",
               h->date, h->command, h->half, h->first_seed,
               h->first_seed + m->n_seeds - 1, m->events, (double)m->n);
    json_key(&to->json, "date");
    json_str(&to->json, span_str(h->date));
    json_key(&to->json, "command");
    json_str(&to->json, span_str(h->command));
    json_key(&to->json, "half");
    json_str(&to->json, span_str(h->half));
    json_key(&to->json, "seeds");
    json_u64(&to->json, m->n_seeds);
    json_key(&to->json, "events");
    json_u64(&to->json, m->events);
}

void
report_write(const struct measure *m, const struct report_head *h,
             struct buf *md, struct buf *json)
{
    struct tables to = {md, json_out_open(json)};

    json_begin(&to.json, '{');
    head(m, h, &to);
    goals_table(m, &to);
    scenario_table(m, &to);
    beside_table(m, &to);
    condition_table(m, &to);
    pairs_table(m, &to);
    spread_table(m, &to);
    split_table(&to);
    json_end(&to.json, '}');
    buf_putc(json, '\n');
}

unsigned
report_wrongs(const struct measure *m, struct buf *out)
{
    struct choice rows[] = {choose_all, choose_all, choose_all};
    static const char *const what[] = {"registered hosts", "innocents",
                                       "victims of forgery"};
    unsigned wrong = 0;

    rows[0].registered = 1;
    rows[1].label = LABEL_LEGIT;
    rows[2].target = TARGET_SPOOF;
    rows[1].condition = rows[2].condition = MAIN;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct share s = measure_share(m, &rows[i], OWN, LEVEL_BLOCK);

        if (s.k > 0)
            buf_printf(out, "%s blocked: %u of %u\n", what[i], (unsigned)s.k,
                       (unsigned)s.n);
        wrong += s.k > 0;
    }
    return wrong;
}
