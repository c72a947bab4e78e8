#include "sensor/app/live_watch.h"

#define X(id, word) word,
static const char *const directions[] = {LIVE_DIRECTION_MAP(X)};
static const char *const outcomes[] = {LIVE_OUTCOME_MAP(X)};
static const char *const classes[] = {LIVE_CLASS_MAP(X)};
static const char *const actions[] = {LIVE_ACTION_MAP(X)};
static const char *const origins[] = {LIVE_ORIGIN_MAP(X)};
static const char *const closes[] = {LIVE_CLOSE_MAP(X)};
#undef X

#define X(id, field) FIELD_##field,
static const enum field sums[] = {LIVE_SUM_MAP(X)};
#undef X

/* Index of the word, or n. */
static unsigned
word_index(const char *const *words, unsigned n, struct span word)
{
    unsigned i = 0;

    while (i < n && !span_eq(word, span_str(words[i])))
        i++;
    return i;
}

/* ---- events ---- */

/* What a session's entries say of it. */
struct session {
    unsigned direction;
    unsigned findings; /* bits 1 << enum policy_finding */
    bool tls, midstream, gaps, oneway;
};

static bool
is_true(struct span value)
{
    return value.n == 1 && span_at(value, 0) != 0;
}

static unsigned
finding_bit(struct span word)
{
    for (unsigned f = 0; f < POLICY_COUNT; f++) {
        if (span_eq(word, span_str(policy_word((enum policy_finding)f))))
            return 1U << f;
    }
    return 0;
}

static void
look_at_entry(struct session *s, const struct record_entry *e)
{
    switch (e->field) {
    case FIELD_DIRECTION:
        s->direction = word_index(directions, LIVE_DIRECTION_UNKNOWN, e->value);
        break;
    case FIELD_POLICY_FINDINGS: s->findings |= finding_bit(e->value); break;
    case FIELD_SMTP_STARTTLS_USED: s->tls |= is_true(e->value); break;
    case FIELD_TLS_VERSION:
    case FIELD_TLS_EST_MESSAGES_MIN: s->tls = true; break;
    case FIELD_QUALITY_MIDSTREAM: s->midstream |= is_true(e->value); break;
    case FIELD_QUALITY_ONEWAY: s->oneway |= is_true(e->value); break;
    case FIELD_QUALITY_GAPS: s->gaps |= entry_u64(e->value) > 0; break;
    default: break; /* 500 others */
    }
}

static void
count_session(struct live_watch *w, struct span record)
{
    struct session s = {.direction = LIVE_DIRECTION_UNKNOWN};
    struct cursor c = record_entries_of(record);
    struct record_entry e;

    while (record_next(&c, &e))
        look_at_entry(&s, &e);
    w->sessions[s.direction][s.tls][s.oneway      ? LIVE_EVIDENCE_ONEWAY
                                    : s.gaps      ? LIVE_EVIDENCE_GAPS
                                    : s.midstream ? LIVE_EVIDENCE_MIDSTREAM
                                                  : LIVE_EVIDENCE_WHOLE]++;
    for (unsigned f = 0; f < POLICY_COUNT; f++)
        w->findings[f] += s.findings >> f & 1U;
}

/* One that reports in parts is counted with the last. */
static void
count_transaction(struct live_watch *w, struct span record)
{
    const unsigned direction = word_index(directions, LIVE_DIRECTION_UNKNOWN,
                                          record_find(record, FIELD_DIRECTION));
    const unsigned outcome =
        word_index(outcomes, LIVE_OUTCOME_UNKNOWN,
                   record_find(record, FIELD_SMTP_OUTCOME));

    if (record_find_u64(record, FIELD_SMTP_PART, 0) == 0 ||
        record_find_bool(record, FIELD_SMTP_LAST))
        w->transactions[direction][outcome]++;
}

static void
count_file(struct live_watch *w, struct span record)
{
    w->files[word_index(classes, LIVE_CLASS_NONE,
                        record_find(record, FIELD_FILEINFO_CLASS))]++;
}

static struct live_rule_count *
rule_of(struct live_watch *w, struct span id)
{
    const struct span name = span_head(id, LIVE_WATCH_RULE - 1);

    for (size_t i = 0; i < LIVE_WATCH_RULES; i++) {
        struct live_rule_count *r = &w->rules[i];

        if (r->rule[0] == '\0' && name.n > 0)
            memcpy(r->rule, name.p, name.n);
        if (span_eq(span_str(r->rule), name))
            return r;
    }
    return &w->other;
}

static void
count_alert(struct live_watch *w, struct span record)
{
    const uint64_t severity = record_find_u64(record, FIELD_ALERT_SEVERITY, 0);

    if (record_find_bool(record, FIELD_ALERT_TEST) || severity < 1 ||
        severity > LIVE_SEVERITIES ||
        !span_eq(record_find(record, FIELD_ALERT_STATE), SPAN_LIT("opened")))
        return;
    rule_of(w, record_find(record, FIELD_ALERT_RULE))->opened[severity - 1]++;
}

static void
count_anomaly(struct live_watch *w, struct span record)
{
    const struct span name = record_find(record, FIELD_ANOMALY_EVENT);

    for (unsigned i = 0; i < ANOM_COUNT; i++) {
        if (span_eq(name, span_str(anomaly_table[i].name))) {
            w->anomalies[i]++;
            return;
        }
    }
}

static void
count_decision(struct live_watch *w, struct span record)
{
    const unsigned action = word_index(
        actions, LIVE_ACTIONS, record_find(record, FIELD_DECISION_ACTION));
    const unsigned origin = word_index(
        origins, LIVE_ORIGINS, record_find(record, FIELD_DECISION_ORIGIN));

    if (action < LIVE_ACTIONS && origin < LIVE_ORIGINS)
        w->decisions[action][origin]++;
}

static uint64_t *
closed_of(struct live_watch *w, struct span rule, enum live_close reason)
{
    const struct span name = span_head(rule, LIVE_WATCH_RULE - 1);

    for (size_t i = 0; i < LIVE_WATCH_CLOSED; i++) {
        struct live_closed *c = &w->closed[i];

        if (c->n == 0) {
            memcpy(c->rule, name.p, name.n);
            c->reason = reason;
        }
        if (c->reason == reason && span_eq(span_str(c->rule), name))
            return &c->n;
    }
    return &w->closed_other[reason];
}

/* Of people's acts that a close; one without a rule is of an older verb. */
static void
count_act(struct live_watch *w, struct span record)
{
    const struct span rule = record_find(record, FIELD_CONTROL_RULE);
    const unsigned reason = word_index(
        closes, LIVE_CLOSES, record_find(record, FIELD_CONTROL_REASON));

    if (reason < LIVE_CLOSES && rule.n > 0 &&
        span_eq(record_find(record, FIELD_CONTROL_KIND), SPAN_LIT("alert")) &&
        span_eq(record_find(record, FIELD_CONTROL_ACTION), SPAN_LIT("close")))
        ++*closed_of(w, rule, (enum live_close)reason);
}

void
live_watch_event(struct live_watch *w, struct span record)
{
    static void (*const counts[])(struct live_watch *, struct span) = {
        [EVENT_SMTP] = count_transaction,     [EVENT_FILEINFO] = count_file,
        [EVENT_SMTP_SESSION] = count_session, [EVENT_ALERT] = count_alert,
        [EVENT_ANOMALY] = count_anomaly,      [EVENT_DECISION] = count_decision,
        [EVENT_CONTROL] = count_act,
    };
    const enum event_type type = record_head_of(record).type;

    if ((size_t)type < ARRAY_LEN(counts) && counts[type] != NULL)
        counts[type](w, record);
}

/* ---- counts of workers ---- */

void
live_watch_stats(struct live_watch *w, struct span record)
{
    const uint64_t n =
        record_find_u64(record, FIELD_STATS_WORKER, LIVE_WORKERS_MAX);

    if (n >= LIVE_WORKERS_MAX || record_find(record, FIELD_STATS_IFACE).n > 0)
        return;
    w->counted = true;
    for (unsigned i = 0; i < LIVE_SUMS; i++) {
        const uint64_t v = record_find_u64(record, sums[i], 0);
        const uint64_t before = w->latest[n][i];

        w->sum[i] += v >= before ? v - before : v;
        w->latest[n][i] = v;
    }
}

/* ---- the window ---- */

static struct live_sample
sample_of(const struct live_watch *w, const struct live_board *b, ns_t mono)
{
    struct live_sample s = {.mono = mono, .resyncs = w->anomalies[ANOM_RESYNC]};

    for (unsigned i = 0; i < b->n_ifaces && i < LIVE_IFACES_MAX; i++) {
        const struct live_iface_sum f = live_board_iface(b, i);

        s.packets += f.packets;
        s.dropped += f.dropped;
        s.missed += f.missed;
    }
    for (unsigned i = 0; i < b->n_workers && i < LIVE_WORKERS_MAX; i++)
        s.records_lost += atomic_load(&b->worker[i].records_lost);
    memcpy(s.sum, w->sum, sizeof(s.sum));
    return s;
}

static void
show_window(struct live_window *to, const struct live_sample *from,
            const struct live_sample *now)
{
    const uint64_t *a = from->sum;
    const uint64_t *b = now->sum;

    atomic_store(&to->packets, now->packets - from->packets);
    atomic_store(&to->dropped, now->dropped - from->dropped);
    atomic_store(&to->missed, now->missed - from->missed);
    atomic_store(&to->records_lost, now->records_lost - from->records_lost);
    atomic_store(&to->resyncs, now->resyncs - from->resyncs);
    atomic_store(&to->bytes_seen,
                 b[LIVE_SUM_BYTES_SEEN] - a[LIVE_SUM_BYTES_SEEN]);
    atomic_store(&to->bytes_unseen,
                 b[LIVE_SUM_BYTES_UNSEEN] - a[LIVE_SUM_BYTES_UNSEEN]);
    atomic_store(&to->sessions, b[LIVE_SUM_SESSIONS] - a[LIVE_SUM_SESSIONS]);
    atomic_store(&to->sessions_oneway, b[LIVE_SUM_ONEWAY] - a[LIVE_SUM_ONEWAY]);
    atomic_store(&to->length_ns, now->mono - from->mono);
}

void
live_watch_sample(struct live_watch *w, struct live_board *b, ns_t mono)
{
    const struct live_sample now = sample_of(w, b, mono);
    const unsigned oldest =
        w->n_samples < LIVE_WATCH_SAMPLES ? 0 : w->next_sample;

    if (w->n_samples > 0)
        show_window(&b->core.window, &w->samples[oldest], &now);
    w->samples[w->next_sample] = now;
    w->next_sample = (w->next_sample + 1) % LIVE_WATCH_SAMPLES;
    w->n_samples += w->n_samples < LIVE_WATCH_SAMPLES;
}
