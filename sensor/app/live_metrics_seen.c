#include "sensor/app/live_metrics_page.h"

#include <string.h>

static void
put_sum(struct metrics_page *p, enum live_sum which)
{
    if (p->w != NULL && p->w->counted)
        metrics_put(p, NULL, 0, p->w->sum[which]);
}

#define SUM_ROW(id)                                                            \
    void seen_##id(struct metrics_page *p)                                     \
    {                                                                          \
        put_sum(p, LIVE_SUM_##id);                                             \
    }

SUM_ROW(BYTES_SEEN)
SUM_ROW(BYTES_UNSEEN)
SUM_ROW(MESSAGES)
SUM_ROW(FLOWS_EVICTED)
SUM_ROW(NO_MEMORY)
SUM_ROW(MALFORMED)
#undef SUM_ROW

#define X(id, word) word,
static const char *const directions[] = {LIVE_DIRECTION_MAP(X)};
static const char *const evidences[] = {LIVE_EVIDENCE_MAP(X)};
static const char *const outcomes[] = {LIVE_OUTCOME_MAP(X)};
static const char *const classes[] = {LIVE_CLASS_MAP(X)};
static const char *const severities[] = {LIVE_SEVERITY_MAP(X)};
static const char *const actions[] = {LIVE_ACTION_MAP(X)};
static const char *const origins[] = {LIVE_ORIGIN_MAP(X)};
static const char *const closes[] = {LIVE_CLOSE_MAP(X)};
static const char *const blocks[] = {LIVE_BLOCK_MAP(X)};
static const char *const stores[] = {LIVE_STORE_MAP(X)};
#undef X

void
seen_sessions(struct metrics_page *p)
{
    static const char *const tls[] = {"no", "yes"};

    for (unsigned i = 0; i < LIVE_DIRECTIONS * 2 * LIVE_EVIDENCES; i++) {
        const unsigned d = i / (2 * LIVE_EVIDENCES);
        const unsigned t = i / LIVE_EVIDENCES % 2;
        const unsigned e = i % LIVE_EVIDENCES;
        const struct metrics_label labels[] = {
            {"direction", directions[d]},
            {"tls",       tls[t]       },
            {"evidence",  evidences[e] },
        };

        if (p->w != NULL)
            metrics_put(p, labels, ARRAY_LEN(labels), p->w->sessions[d][t][e]);
    }
}

void
seen_transactions(struct metrics_page *p)
{
    for (unsigned i = 0; p->w != NULL && i < LIVE_DIRECTIONS * LIVE_OUTCOMES;
         i++) {
        const unsigned d = i / LIVE_OUTCOMES;
        const unsigned o = i % LIVE_OUTCOMES;
        const struct metrics_label labels[] = {
            {"direction", directions[d]},
            {"outcome",   outcomes[o]  },
        };

        metrics_put(p, labels, ARRAY_LEN(labels), p->w->transactions[d][o]);
    }
}

void
seen_files(struct metrics_page *p)
{
    for (unsigned i = 0; p->w != NULL && i < LIVE_CLASSES; i++)
        metrics_one(p, "class", classes[i], p->w->files[i]);
}

/* Without a registry nothing is judged, and no 0 is claimed. */
void
seen_findings(struct metrics_page *p)
{
    for (unsigned f = 0;
         p->w != NULL && p->n->lines[0].name != NULL && f < POLICY_COUNT; f++)
        metrics_one(p, "finding", policy_word((enum policy_finding)f),
                    p->w->findings[f]);
}

/* Of the stream and of what is spoken in it; others are no parse errors. */
void
seen_parse_errors(struct metrics_page *p)
{
    for (unsigned i = 0; p->w != NULL && i < ANOM_COUNT; i++) {
        if (p->w->anomalies[i] > 0)
            metrics_one(p, "reason", anomaly_table[i].name, p->w->anomalies[i]);
    }
}

static void
put_rule(struct metrics_page *p, const char *rule,
         const struct live_rule_count *r)
{
    for (unsigned s = 0; s < LIVE_SEVERITIES; s++) {
        const struct metrics_label labels[] = {
            {"rule",     rule         },
            {"severity", severities[s]},
        };

        if (r->opened[s] > 0)
            metrics_put(p, labels, ARRAY_LEN(labels), r->opened[s]);
    }
}

void
seen_alerts(struct metrics_page *p)
{
    if (p->w == NULL)
        return;
    for (size_t i = 0; i < LIVE_WATCH_RULES && p->w->rules[i].rule[0] != '\0';
         i++)
        put_rule(p, p->w->rules[i].rule, &p->w->rules[i]);
    put_rule(p, "other", &p->w->other);
}

static void
put_closed(struct metrics_page *p, const char *rule, enum live_close reason,
           uint64_t n)
{
    const struct metrics_label labels[] = {
        {"rule",   rule          },
        {"reason", closes[reason]},
    };

    if (n > 0)
        metrics_put(p, labels, ARRAY_LEN(labels), n);
}

void
seen_alert_close(struct metrics_page *p)
{
    const struct live_watch *w = p->w;

    for (size_t i = 0; w != NULL && i < LIVE_WATCH_CLOSED; i++)
        put_closed(p, w->closed[i].rule, w->closed[i].reason, w->closed[i].n);
    for (unsigned c = 0; w != NULL && c < LIVE_CLOSES; c++)
        put_closed(p, "other", (enum live_close)c, w->closed_other[c]);
}

void
seen_alerts_open(struct metrics_page *p)
{
    for (unsigned s = 0; s < LIVE_SEVERITIES; s++)
        metrics_known(p, "severity", severities[s], &p->n->open[s]);
}

void
seen_block_states(struct metrics_page *p)
{
    for (unsigned i = 0; i < LIVE_BLOCKS; i++)
        metrics_known(p, "state", blocks[i], &p->n->blocks[i]);
}

void
seen_block_changes(struct metrics_page *p)
{
    for (unsigned i = 0; p->w != NULL && i < LIVE_ACTIONS * LIVE_ORIGINS; i++) {
        const unsigned a = i / LIVE_ORIGINS;
        const unsigned o = i % LIVE_ORIGINS;
        const struct metrics_label labels[] = {
            {"action", actions[a]},
            {"origin", origins[o]},
        };

        metrics_put(p, labels, ARRAY_LEN(labels), p->w->decisions[a][o]);
    }
}

void
seen_registry_lines(struct metrics_page *p)
{
    for (unsigned i = 0; p->n->lines[i].name != NULL; i++)
        metrics_one(p, "state", p->n->lines[i].name, p->n->lines[i].v);
}

static void
put_number(struct metrics_page *p, const struct live_number *n)
{
    if (n->known)
        metrics_put(p, NULL, 0, n->v);
}

void
seen_overdue(struct metrics_page *p)
{
    put_number(p, &p->n->overdue_forms);
}

void
seen_oldest_pending(struct metrics_page *p)
{
    put_number(p, &p->n->oldest_pending_s);
}

void
seen_next_due(struct metrics_page *p)
{
    if (p->n->next_due != 0)
        metrics_seconds(p, NULL, 0, p->n->next_due);
}

void
seen_policy_mode(struct metrics_page *p)
{
    static const char *const modes[] = {"off", "simulate", "enforce"};

    for (size_t i = 0; p->n->mode != NULL && i < ARRAY_LEN(modes); i++)
        metrics_one(p, "mode", modes[i], strcmp(modes[i], p->n->mode) == 0);
}

void
seen_store_bytes(struct metrics_page *p)
{
    const uint64_t packets_kept = atomic_load(&p->b->recorder_bytes);

    for (unsigned i = 0; i < LIVE_STORES; i++)
        metrics_known(p, "kind", stores[i], &p->n->store[i]);
    if (packets_kept > 0)
        metrics_one(p, "kind", "packets", packets_kept);
}

void
seen_store_free(struct metrics_page *p)
{
    put_number(p, &p->n->store_free);
}

void
seen_store_size(struct metrics_page *p)
{
    put_number(p, &p->n->store_size);
}
