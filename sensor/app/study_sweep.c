#include "sensor/app/study_sweep.h"

#include "dashboards/grid.h"
#include "dashboards/words.h"
#include "rules/study/study.h"
#include "sensor/app/study_plan_key.h"
#include "sensor/base/attr.h"
#include "sensor/base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK "block."

/* ---- one key of one policy, as a number ---- */

static double
number_get(const struct plan_row *row, const struct study_policy_plan *p)
{
    const char *at = (const char *)p + row->offset;

    switch (row->type) {
    case PLAN_U64: return (double)*(const uint64_t *)(const void *)at;
    case PLAN_NS: return (double)*(const ns_t *)(const void *)at;
    case PLAN_DOUBLE: return *(const double *)(const void *)at;
    default: return NAN;
    }
}

static void
number_set(const struct plan_row *row, struct study_policy_plan *p, double v)
{
    char *at = (char *)p + row->offset;

    switch (row->type) {
    case PLAN_U64: *(uint64_t *)(void *)at = (uint64_t)v; break;
    case PLAN_NS: *(ns_t *)(void *)at = (ns_t)v; break;
    case PLAN_DOUBLE: *(double *)(void *)at = v; break;
    default: break;
    }
}

static const struct plan_row *
row_of(const char *key, const struct study_policy_plan *p)
{
    const unsigned i = plan_rows_find(&plan_policy_rows, span_str(key));
    const struct plan_row *row =
        i < plan_policy_rows.n ? &plan_policy_rows.v[i] : NULL;

    if (row == NULL || isnan(number_get(row, p)) || row->least >= row->most ||
        (row->kinds != 0 && (row->kinds >> p->kind & 1U) == 0))
        return NULL;
    return row;
}

/* In the unit of reports: times in seconds. */
static double
shown(const struct plan_row *row, double v)
{
    return row->type == PLAN_NS ? v / (double)NS_PER_S : v;
}

/* ---- points ---- */

static bool
copy_text(const char *from, char **to)
{
    *to = from == NULL ? NULL : strdup(from);
    return from == NULL || *to != NULL;
}

static bool
copy_limits(const struct study_policy_plan *from, struct study_policy_plan *to)
{
    to->limits = NULL;
    to->n_limits = 0;
    if (from->n_limits == 0)
        return true;
    to->limits = calloc(from->n_limits, sizeof(*to->limits));
    if (to->limits == NULL)
        return false;
    for (size_t i = 0; i < from->n_limits; i++) {
        to->limits[i].value = from->limits[i].value;
        to->n_limits++;
        if (!copy_text(from->limits[i].name, &to->limits[i].name))
            return false;
    }
    return true;
}

/* A policy like that one, behind the others; NULL: no memory. What was made of
 * it is the plan's. */
static struct study_policy_plan *
add_point(struct study_plan *plan, size_t policy)
{
    struct study_policy_plan *v =
        realloc(plan->policies, (plan->n_policies + 1) * sizeof(*v));
    struct study_policy_plan *p;
    bool ok;

    if (v == NULL)
        return NULL;
    plan->policies = v;
    p = &v[plan->n_policies];
    *p = v[policy];
    p->name = p->title = NULL;
    ok = copy_limits(&v[policy], p);
    ok = copy_text(v[policy].name, &p->name) && ok;
    ok = copy_text(v[policy].title, &p->title) && ok;
    plan->n_policies++;
    return ok ? p : NULL;
}

/* ---- what every study has ---- */

static const struct usual {
    enum study_kind kind;
    const char *key, *what;
    double values[5]; /* 0: no more; of what is chosen, or as they are */
    bool relative;
} usual[] = {
    {STUDY_KIND_UNREGISTERED,
     "registry",                        "share of the registered hosts that the registry has",
     {0.8, 0.9, 0.95, 0.98, 1},
     false                                                                                                        },
    {STUDY_KIND_RATE,
     "per-hour",                        "messages an hour",
     {0.25, 0.5, 1, 2, 4},
     true                                                                                                         },
    {STUDY_KIND_ALERTS,       "alerts", "alerts before a stop",                                {1, 2, 3, 5}, false},
    {STUDY_KIND_DETECTOR,
     "latency",                         "seconds from a decision to the firewall",
     {5, 60, 900},
     false                                                                                                        },
    {STUDY_KIND_GRACE,        "grace",  "days of grace",                                       {7, 14, 30},  false},
};

static enum err
add_usual(struct study_plan *plan, size_t policy, const struct usual *u,
          struct study_sweeps *out)
{
    const struct plan_row *row = row_of(u->key, &plan->policies[policy]);
    struct study_sweep_plan *s = &out->v[out->n];

    if (row == NULL || out->n == SWEEPS_MAX)
        return ERR_OK;
    *s = (struct study_sweep_plan){.policy = policy,
                                   .what = u->what,
                                   .unit = row->unit,
                                   .chosen =
                                       number_get(row, &plan->policies[policy]),
                                   .first = plan->n_policies};
    out->n++;
    for (size_t i = 0; i < ARRAY_LEN(u->values) && u->values[i] > 0; i++) {
        double v = u->relative ? s->chosen * u->values[i] : u->values[i];
        struct study_policy_plan *p = add_point(plan, policy);

        if (p == NULL)
            return ERR_NOMEM;
        if (row->type == PLAN_NS && !u->relative)
            v *= (double)NS_PER_S;
        v = fmin(row->most, fmax(row->least, v));
        number_set(row, p, v);
        s->values[s->n++] = shown(row, v);
    }
    s->chosen = shown(row, s->chosen);
    return ERR_OK;
}

enum err
study_sweeps_usual(struct study_plan *plan, struct study_sweeps *out)
{
    bool done[STUDY_KIND_COUNT] = {false};
    enum err e = ERR_OK;

    *out = (struct study_sweeps){.own = plan->n_policies};
    for (size_t i = 0; e == ERR_OK && i < out->own; i++) {
        const enum study_kind kind = plan->policies[i].kind;

        for (size_t k = 0; e == ERR_OK && k < ARRAY_LEN(usual); k++) {
            if (usual[k].kind != kind || done[kind])
                continue;
            done[kind] = true;
            e = add_usual(plan, i, &usual[k], out);
        }
    }
    return e;
}

/* ---- what was asked for ---- */

static enum err
refuse(struct buf *messages, const char *what, const char *text)
{
    buf_printf(messages, "span25: %s", what);
    if (text != NULL) {
        buf_str(messages, ", not ");
        text_term(messages, span_str(text));
    }
    buf_putc(messages, '\n');
    return ERR_USAGE;
}

/* A value as the file would have it, such as 60s. */
static bool
read_value(const struct plan_row *row, const char *text,
           const struct study_policy_plan *like, double *out,
           struct buf *messages)
{
    struct study_policy_plan p = *like;
    struct buf why;
    bool ok;

    buf_init(&why, 4096);
    ok = text != NULL && plan_value_set(row, span_str(text), &p, &why);
    if (!ok) {
        buf_printf(messages, "span25: --low and --high of %s: ", row->key);
        buf_span(messages, buf_view(&why));
        buf_putc(messages, '\n');
    }
    *out = number_get(row, &p);
    buf_free(&why);
    return ok;
}

/* Equal ratios, from zero equal differences; whole numbers each once. */
static size_t
spread(double low, double high, size_t n, bool whole,
       double out[STUDY_SWEEP_POINTS])
{
    size_t m = 0;

    for (size_t i = 0; i < n; i++) {
        const double f = (double)i / (double)(n - 1);
        double v = low > 0 ? low * pow(high / low, f) : low + (high - low) * f;

        if (i == n - 1)
            v = high;
        if (whole)
            v = floor(v + 0.5);
        if (m == 0 || v > out[m - 1])
            out[m++] = v;
    }
    return m;
}

static enum err
ask_key(struct study_plan *plan, const struct study_sweep_ask *ask,
        struct study_sweep_plan *s, struct buf *messages)
{
    const struct plan_row *row = row_of(ask->key, &plan->policies[0]);
    double low, high, v[STUDY_SWEEP_POINTS];

    if (row == NULL)
        return refuse(messages,
                      "--limit is a number among the keys of the policy "
                      "(span25 study run --print-policies shows them), or "
                      "block.KEY of the decision table",
                      ask->key);
    if (!read_value(row, ask->low, &plan->policies[0], &low, messages) ||
        !read_value(row, ask->high, &plan->policies[0], &high, messages))
        return ERR_USAGE;
    if (low >= high)
        return refuse(messages, "--low must be below --high", NULL);
    s->what = row->key;
    s->unit = row->type == PLAN_NS ? "seconds" : row->unit;
    s->chosen = shown(row, number_get(row, &plan->policies[0]));
    s->n = spread(low, high, ask->n, row->type != PLAN_DOUBLE, v);
    for (size_t i = 0; i < s->n; i++) {
        struct study_policy_plan *p = add_point(plan, 0);

        if (p == NULL)
            return ERR_NOMEM;
        number_set(row, p, v[i]);
        s->values[i] = shown(row, v[i]);
    }
    return ERR_OK;
}

/* Is there such a limit, and what is it by default? */
static bool
limit_of(const char *name, uint64_t *preset, uint64_t *least, uint64_t *most)
{
    static const struct {
        const char *name;
        uint64_t preset, least, most;
    } rows[] = {
#define X(name, value, least, most, unit, why) {#name, value, least, most},
#include "rules/decide/decide.def"
#undef X
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        *preset = rows[i].preset;
        *least = rows[i].least;
        *most = rows[i].most;
        return true;
    }
    return false;
}

static bool
read_whole(const char *text, double *out)
{
    char *end;

    if (text == NULL || text[0] < '0' || text[0] > '9')
        return false;
    *out = (double)strtoull(text, &end, 10);
    return *end == '\0';
}

static bool
set_limit(struct study_policy_plan *p, const char *name, uint64_t value)
{
    struct study_limit *v;

    for (size_t i = 0; i < p->n_limits; i++) {
        if (strcmp(p->limits[i].name, name) == 0) {
            p->limits[i].value = value;
            return true;
        }
    }
    v = realloc(p->limits, (p->n_limits + 1) * sizeof(*v));
    if (v == NULL)
        return false;
    p->limits = v;
    v[p->n_limits].value = value;
    v[p->n_limits].name = strdup(name);
    return v[p->n_limits++].name != NULL;
}

static enum err
ask_block(struct study_plan *plan, const struct study_sweep_ask *ask,
          struct study_sweep_plan *s, struct buf *messages)
{
    const char *name = ask->key + strlen(BLOCK);
    uint64_t preset, least, most;
    double low, high, v[STUDY_SWEEP_POINTS];

    if (!limit_of(name, &preset, &least, &most))
        return refuse(messages,
                      "--limit block.KEY is a key of the section "
                      "block of the configuration",
                      ask->key);
    if (!read_whole(ask->low, &low) || !read_whole(ask->high, &high) ||
        low >= high || low < (double)least || high > (double)most)
        return refuse(messages,
                      "--low and --high are whole numbers within the range of "
                      "the limit (span25 config default)",
                      NULL);
    s->what = ask->key;
    s->unit = "";
    s->chosen = (double)preset;
    s->n = spread(low, high, ask->n, true, v);
    for (size_t i = 0; i < s->n; i++) {
        struct study_policy_plan *p = add_point(plan, 0);

        if (p == NULL || !set_limit(p, name, (uint64_t)v[i]))
            return ERR_NOMEM;
        s->values[i] = v[i];
    }
    return ERR_OK;
}

enum err
study_sweeps_asked(struct study_plan *plan, const struct study_sweep_ask *ask,
                   struct study_sweeps *out, struct buf *messages)
{
    struct study_sweep_plan *s = &out->v[0];

    *out = (struct study_sweeps){.own = plan->n_policies};
    if (plan->n_policies != 1)
        return refuse(messages, "give one policy to sweep: --policy P2", NULL);
    if (ask->key == NULL || ask->low == NULL || ask->high == NULL)
        return refuse(messages, "give --limit KEY, --low and --high", NULL);
    out->n = 1;
    s->first = 1;
    if (strncmp(ask->key, BLOCK, strlen(BLOCK)) == 0)
        return ask_block(plan, ask, s, messages);
    return ask_key(plan, ask, s, messages);
}

/* ---- the result ---- */

static void
take_point(const struct study_policy *p, double limit,
           struct study_sweep_point *to)
{
    *to = (struct study_sweep_point){
        .limit = limit, .registered = p->registered, .total = p->total};
    memcpy(to->stopped, p->hosts, sizeof(to->stopped));
}

enum err
study_sweeps_collect(struct study_sweeps *s, struct study_result *r)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct study_sweep_plan *from = &s->v[i];
        struct study_sweep *to = &s->result[i];

        *to = (struct study_sweep){.policy = r->policies[from->policy].name,
                                   .what = from->what,
                                   .unit = from->unit,
                                   .chosen = from->chosen,
                                   .v = calloc(from->n, sizeof(*to->v))};
        if (to->v == NULL)
            return ERR_NOMEM;
        for (; to->n < from->n; to->n++)
            take_point(&r->policies[from->first + to->n], from->values[to->n],
                       &to->v[to->n]);
    }
    study_result_keep(r, s->own);
    r->sweeps = s->result;
    r->n_sweeps = s->n;
    return ERR_OK;
}

void
study_sweeps_free(struct study_sweeps *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->result[i].v);
        s->result[i].v = NULL;
    }
}

/* ---- for people and programs ---- */

static const struct grid_col columns[] = {
    {.title = "LIMIT",       .right = true},
    {.title = "BOTS",        .right = true},
    {.title = "MIXED",       .right = true},
    {.title = "LEGITIMATE",  .right = true},
    {.title = "UNKNOWN",     .right = true},
    {.title = "REGISTERED",  .right = true},
    {.title = "RCPT SPARED", .right = true},
    {.title = "MAIL LOST",   .right = true},
};

static void
cell(struct grid *g, uint64_t n)
{
    words_number(&g->text, n);
    grid_next(g);
}

static void
put_row(struct grid *g, const struct study_sweep_point *p, bool chosen)
{
    buf_printf(&g->text, "%.6g%s", p->limit, chosen ? " *" : "  ");
    grid_next(g);
    for (enum study_class c = 0; c < STUDY_CLASS_COUNT; c++)
        cell(g, p->stopped[c]);
    cell(g, p->registered);
    cell(g, p->total.rcpt[STUDY_MALICIOUS]);
    words_number(&g->text, p->total.lost_least);
    if (p->total.lost_most != p->total.lost_least) {
        buf_str(&g->text, " to ");
        words_number(&g->text, p->total.lost_most);
    }
    grid_next(g);
}

void
study_sweep_text(const struct study_sweep *s, unsigned width, struct buf *out)
{
    struct grid g;

    buf_str(out, "Hosts that ");
    text_term(out, span_str(s->policy));
    buf_printf(out, " stops, by %s", s->what);
    if (s->unit != NULL && s->unit[0] != '\0')
        buf_printf(out, " (%s)", s->unit);
    buf_printf(out, "; chosen: %.6g *\n", s->chosen);
    grid_init(&g, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < s->n; i++)
        put_row(&g, &s->v[i], fabs(s->v[i].limit - s->chosen) < 1e-9);
    grid_print(&g, width, false, out);
    grid_fini(&g);
}

void
study_sweep_csv(const struct study_sweep *s, struct buf *out)
{
    buf_str(out, "limit,bots,mixed,legitimate,unknown,registered,"
                 "recipients_spared,lost_least,lost_most\r\n");
    for (size_t i = 0; i < s->n; i++) {
        const struct study_sweep_point *p = &s->v[i];

        buf_printf(out, "%.15g", p->limit);
        for (enum study_class c = 0; c < STUDY_CLASS_COUNT; c++)
            buf_printf(out, ",%" PRIu64, p->stopped[c]);
        buf_printf(out, ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\r\n",
                   p->registered, p->total.rcpt[STUDY_MALICIOUS],
                   p->total.lost_least, p->total.lost_most);
    }
}
