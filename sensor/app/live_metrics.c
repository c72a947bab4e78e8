#include "sensor/app/live_metrics.h"

#include <inttypes.h>
#include <stdio.h>

struct page {
    const struct live_board *b;
    const struct live_watch *w; /* or NULL */
    const struct live_numbers *n;
    ns_t mono;
    struct buf *out;
    const struct family *family;
    const struct live_usage *usage; /* of the process at hand */
    bool headed; /* HELP and TYPE of the family are written */
};

struct family {
    const char *name, *type, *help;
    void (*rows)(struct page *p);
};

/* ---- one line ---- */

/* A label: the value is escaped. key NULL: none. */
struct label {
    const char *key, *value;
};

static void
put_value(struct buf *out, const char *value)
{
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            buf_str(out, "\\n");
        else if (*value == '"' || *value == '\\')
            buf_printf(out, "\\%c", *value);
        else
            buf_putc(out, (uint8_t)*value);
    }
}

static void
put_head(struct page *p)
{
    const struct family *f = p->family;

    if (!p->headed)
        buf_printf(p->out, "# HELP span25_%s %s\n# TYPE span25_%s %s\n",
                   f->name, f->help, f->name, f->type);
    p->headed = true;
}

static void
put_name(struct page *p, const struct label *labels, size_t n)
{
    const char *between = "{";

    put_head(p);
    buf_printf(p->out, "span25_%s", p->family->name);
    for (size_t i = 0; i < n; i++) {
        buf_printf(p->out, "%s%s=\"", between, labels[i].key);
        put_value(p->out, labels[i].value);
        buf_putc(p->out, '"');
        between = ",";
    }
    buf_str(p->out, n > 0 ? "} " : " ");
}

static void
put(struct page *p, const struct label *labels, size_t n, uint64_t v)
{
    put_name(p, labels, n);
    buf_u64(p->out, v);
    buf_putc(p->out, '\n');
}

static void
put_one(struct page *p, const char *key, const char *value, uint64_t v)
{
    const struct label label = {key, value};

    put(p, &label, 1, v);
}

/* Nanoseconds as seconds. */
static void
put_seconds(struct page *p, const struct label *labels, size_t n, ns_t t)
{
    put_name(p, labels, n);
    buf_printf(p->out, "%" PRIu64 ".%06" PRIu64 "\n", (uint64_t)(t / NS_PER_S),
               (uint64_t)(t % NS_PER_S / NS_PER_US));
}

static void
put_known(struct page *p, const char *key, const char *value,
          const struct live_number *n)
{
    if (n->known)
        put_one(p, key, value, n->v);
}

/* ---- the sensor ---- */

static void
build_info(struct page *p)
{
    const struct label labels[] = {
        {"version", p->n->version},
        {"sensor",  p->b->sensor },
    };

    put(p, labels, ARRAY_LEN(labels), 1);
}

static void
watchdog(struct page *p)
{
    put(p, NULL, 0, 1);
}

static void
made(struct page *p)
{
    put_seconds(p, NULL, 0, p->n->made_utc);
}

/* ---- capture ---- */

typedef void iface_row(struct page *p, const char *name,
                       const struct live_iface_sum *s);

static void
each_iface(struct page *p, iface_row *row)
{
    for (unsigned i = 0; i < p->b->n_ifaces && i < LIVE_IFACES_MAX; i++) {
        const struct live_iface_sum s = live_board_iface(p->b, i);

        row(p, p->b->iface_name[i], &s);
    }
}

static void
packets_row(struct page *p, const char *name, const struct live_iface_sum *s)
{
    put_one(p, "iface", name, s->packets);
}

static void
packets(struct page *p)
{
    each_iface(p, packets_row);
}

static void
bytes_row(struct page *p, const char *name, const struct live_iface_sum *s)
{
    put_one(p, "iface", name, s->bytes);
}

static void
bytes(struct page *p)
{
    each_iface(p, bytes_row);
}

static void
dropped_row(struct page *p, const char *name, const struct live_iface_sum *s)
{
    const struct label ring[] = {
        {"iface",  name    },
        {"reason", "kernel"},
    };
    const struct label card[] = {
        {"iface",  name       },
        {"reason", "interface"},
    };

    put(p, ring, ARRAY_LEN(ring), s->dropped);
    put(p, card, ARRAY_LEN(card), s->missed);
}

static void
dropped(struct page *p)
{
    each_iface(p, dropped_row);
}

static void
last_row(struct page *p, const char *name, const struct live_iface_sum *s)
{
    const struct label label = {"iface", name};

    if (s->last_utc_ns != 0)
        put_seconds(p, &label, 1, s->last_utc_ns);
}

static void
last_packet(struct page *p)
{
    each_iface(p, last_row);
}

static void
up_row(struct page *p, const char *name, const struct live_iface_sum *s)
{
    put_one(p, "iface", name, s->n_up > 0);
}

static void
iface_up(struct page *p)
{
    each_iface(p, up_row);
}

/* ---- sinks ---- */

typedef void sink_row(struct page *p, const char *name,
                      const struct live_sink *s);

static void
each_sink(struct page *p, sink_row *row)
{
    for (unsigned i = 0; i < p->b->n_sinks && i < LIVE_SINKS_MAX; i++)
        row(p, p->b->sink_name[i], &p->b->publish.sink[i]);
}

static void
sink_up_row(struct page *p, const char *name, const struct live_sink *s)
{
    put_one(p, "sink", name, atomic_load(&s->state) == 0);
}

static void
sinks_up(struct page *p)
{
    each_sink(p, sink_up_row);
}

/* journaled is read last: what waits is never less than nothing. */
#define LANE_ROW(word, value)                                                  \
    static void word##_row(struct page *p, const char *name,                   \
                           const struct live_sink *s)                          \
    {                                                                          \
        for (unsigned k = 0; k < KEEP_KINDS; k++) {                            \
            const struct live_lane *lane = &s->lane[k];                        \
            const uint64_t acknowledged = atomic_load(&lane->acknowledged);    \
            const uint64_t lost = atomic_load(&lane->lost);                    \
            const uint64_t journaled = atomic_load(&lane->journaled);          \
            const struct label labels[] = {                                    \
                {"sink", name                        },                                                \
                {"lane", keep_word((enum keep_kind)k)},                        \
            };                                                                 \
                                                                               \
            (void)acknowledged, (void)lost, (void)journaled;                   \
            put(p, labels, ARRAY_LEN(labels), value);                          \
        }                                                                      \
    }                                                                          \
    static void word(struct page *p)                                           \
    {                                                                          \
        each_sink(p, word##_row);                                              \
    }

LANE_ROW(sink_journaled, journaled)
LANE_ROW(sink_acknowledged, acknowledged)
LANE_ROW(sink_waiting, journaled - acknowledged - lost)
LANE_ROW(sink_lost, lost)
#undef LANE_ROW

static void
unread_row(struct page *p, const char *name, const struct live_sink *s)
{
    put_one(p, "sink", name, atomic_load(&s->unread));
}

static void
sink_unread(struct page *p)
{
    each_sink(p, unread_row);
}

static void
since_row(struct page *p, const char *name, const struct live_sink *s)
{
    const struct label label = {"sink", name};
    const uint64_t since = atomic_load(&s->since_utc_ns);

    if (since != 0)
        put_seconds(p, &label, 1, since);
}

static void
sink_since(struct page *p)
{
    each_sink(p, since_row);
}

/* ---- block lists ---- */

/* Only of a sensor that makes them. */
static bool
has_feeds(const struct page *p)
{
    return atomic_load(&p->b->feeds.process.since_utc_ns) != 0;
}

#define FEEDS_ROW(word)                                                        \
    static void feeds_##word(struct page *p)                                   \
    {                                                                          \
        if (has_feeds(p))                                                      \
            put(p, NULL, 0, atomic_load(&p->b->feeds.word));                   \
    }

FEEDS_ROW(serial)
FEEDS_ROW(elements)
FEEDS_ROW(refused)
FEEDS_ROW(kept_out)
FEEDS_ROW(waiting)
FEEDS_ROW(strangers)
#undef FEEDS_ROW

static void
feeds_time(struct page *p, uint64_t when)
{
    if (has_feeds(p) && when != 0)
        put_seconds(p, NULL, 0, when);
}

static void
feeds_made(struct page *p)
{
    feeds_time(p, atomic_load(&p->b->feeds.made_utc_ns));
}

static void
feeds_expires(struct page *p)
{
    feeds_time(p, atomic_load(&p->b->feeds.expires_utc_ns));
}

/* Of verdict FEED_DONE, which is 0. */
static void
feeds_fresh(struct page *p)
{
    if (has_feeds(p))
        put(p, NULL, 0, atomic_load(&p->b->feeds.verdict) == 0);
}

#define CONSUMER_ROW(word, call, value)                                        \
    static void consumer_##word(struct page *p)                                \
    {                                                                          \
        for (unsigned i = 0; i < p->b->n_consumers && i < LIVE_CONSUMERS_MAX;  \
             i++) {                                                            \
            const struct live_consumer *c = &p->b->feeds.consumer[i];          \
            const struct label label = {"consumer", p->b->consumer_name[i]};   \
                                                                               \
            (void)c;                                                           \
            call(p, &label, 1, value);                                         \
        }                                                                      \
    }

CONSUMER_ROW(last, put_seconds, atomic_load(&c->last_utc_ns))
CONSUMER_ROW(serial, put, atomic_load(&c->serial))
CONSUMER_ROW(fetches, put, atomic_load(&c->fetches))
CONSUMER_ROW(late, put_seconds, p->b->consumer_late_ns[i])
#undef CONSUMER_ROW

/* ---- workers ---- */

static void
each_worker(struct page *p, uint64_t (*value)(const struct live_worker *w))
{
    char number[8];

    for (unsigned i = 0; i < p->b->n_workers && i < LIVE_WORKERS_MAX; i++) {
        (void)snprintf(number, sizeof(number), "%u", i + 1);
        put_one(p, "worker", number, value(&p->b->worker[i]));
    }
}

#define WORKER_ROW(word)                                                       \
    static uint64_t value_##word(const struct live_worker *w)                  \
    {                                                                          \
        return atomic_load(&w->word);                                          \
    }                                                                          \
    static void rows_##word(struct page *p)                                    \
    {                                                                          \
        each_worker(p, value_##word);                                          \
    }

WORKER_ROW(records)
WORKER_ROW(records_lost)
WORKER_ROW(memory_bytes)
WORKER_ROW(connections)
#undef WORKER_ROW

static void
behind(struct page *p)
{
    char number[8];
    const struct label label = {"worker", number};

    for (unsigned i = 0; i < p->b->n_workers && i < LIVE_WORKERS_MAX; i++) {
        (void)snprintf(number, sizeof(number), "%u", i + 1);
        put_seconds(p, &label, 1, atomic_load(&p->b->worker[i].behind_ns));
    }
}

static void
longest_pause(struct page *p)
{
    char number[8];
    const struct label label = {"worker", number};

    for (unsigned i = 0; i < p->b->n_workers && i < LIVE_WORKERS_MAX; i++) {
        (void)snprintf(number, sizeof(number), "%u", i + 1);
        put_seconds(p, &label, 1, atomic_load(&p->b->worker[i].pause_ns));
    }
}

/* ---- processes ---- */

typedef void process_row(struct page *p, const struct label *labels, size_t n,
                         const struct live_process *process);

static void
each_process(struct page *p, process_row *row)
{
    char number[8] = "";
    struct label labels[] = {
        {"process", NULL  },
        {"worker",  number},
    };

    for (unsigned r = 0; r < LIVE_ROLES; r++) {
        const bool many = live_role_many((enum live_role)r);
        const unsigned n = many ? p->b->n_workers : 1;

        labels[0].value = live_role_name((enum live_role)r);
        for (unsigned i = 0; i < n && i < LIVE_WORKERS_MAX; i++) {
            const struct live_process *process =
                live_board_process(p->b, (enum live_role)r, i);

            (void)snprintf(number, sizeof(number), "%u", i + 1);
            p->usage =
                &p->b->core.usage[live_board_usage((enum live_role)r, i)];
            if (atomic_load(&process->since_utc_ns) != 0)
                row(p, labels, many ? 2 : 1, process);
        }
    }
}

static void
up_of(struct page *p, const struct label *labels, size_t n,
      const struct live_process *process)
{
    put(p, labels, n, atomic_load(&process->pid) != 0);
}

static void
processes_up(struct page *p)
{
    each_process(p, up_of);
}

static void
restarts_of(struct page *p, const struct label *labels, size_t n,
            const struct live_process *process)
{
    put(p, labels, n, atomic_load(&process->restarts));
}

static void
restarts(struct page *p)
{
    each_process(p, restarts_of);
}

static void
beat_of(struct page *p, const struct label *labels, size_t n,
        const struct live_process *process)
{
    const uint64_t beat = atomic_load(&process->beat_mono_ns);

    if (beat != 0)
        put_seconds(p, labels, n, p->mono > beat ? p->mono - beat : 0);
}

static void
beats(struct page *p)
{
    each_process(p, beat_of);
}

static void
cpu_of(struct page *p, const struct label *labels, size_t n,
       const struct live_process *process)
{
    const uint64_t cpu = atomic_load(&p->usage->cpu_ns);

    (void)process;
    if (cpu != 0)
        put_seconds(p, labels, n, cpu);
}

static void
cpus(struct page *p)
{
    each_process(p, cpu_of);
}

static void
memory_of(struct page *p, const struct label *labels, size_t n,
          const struct live_process *process)
{
    const uint64_t bytes_in_ram = atomic_load(&p->usage->resident_bytes);

    (void)process;
    if (bytes_in_ram != 0)
        put(p, labels, n, bytes_in_ram);
}

static void
memories(struct page *p)
{
    each_process(p, memory_of);
}

static void
starts_of(struct page *p, const struct label *labels, size_t n,
          const struct live_process *process)
{
    put_seconds(p, labels, n, atomic_load(&process->since_utc_ns));
}

static void
starts(struct page *p)
{
    each_process(p, starts_of);
}

/* ---- the core ---- */

#define CORE_ROW(word)                                                         \
    static void rows_##word(struct page *p)                                    \
    {                                                                          \
        put(p, NULL, 0, atomic_load(&p->b->core.word));                        \
    }

CORE_ROW(events)
CORE_ROW(refused)
CORE_ROW(journal_failed)
CORE_ROW(journal_seq)
CORE_ROW(unjournaled)
CORE_ROW(retained_segments)
CORE_ROW(retained_bytes)
CORE_ROW(ready)
CORE_ROW(config_loads)
CORE_ROW(config_refused)
#undef CORE_ROW

static void
stream_time(struct page *p)
{
    const uint64_t at = atomic_load(&p->b->core.stream_ns);

    if (at != 0)
        put_seconds(p, NULL, 0, at);
}

static void
clock_synchronised(struct page *p)
{
    if (atomic_load(&p->b->core.clock.known) != 0)
        put(p, NULL, 0, atomic_load(&p->b->core.clock.synchronised));
}

static void
clock_offset(struct page *p)
{
    if (atomic_load(&p->b->core.clock.known) != 0)
        put_seconds(p, NULL, 0, atomic_load(&p->b->core.clock.offset_ns));
}

/* ---- room, and what is old ---- */

static void
room_step(struct page *p)
{
    if (atomic_load(&p->b->core.room_mark) != 0)
        put(p, NULL, 0, atomic_load(&p->b->core.room_step));
}

static void
room_mark(struct page *p)
{
    const uint64_t mark = atomic_load(&p->b->core.room_mark);

    if (mark != 0)
        put(p, NULL, 0, mark);
}

static void
put_keeps(struct page *p, const _Atomic uint64_t n[KEEP_KINDS])
{
    for (unsigned k = 0; k < KEEP_KINDS; k++)
        put_one(p, "kind", keep_word((enum keep_kind)k), atomic_load(&n[k]));
}

/* Alerts and decisions are never given up. */
static void
shed(struct page *p)
{
    for (unsigned k = KEEP_ALERTS + 1; k < KEEP_KINDS; k++)
        put_one(p, "kind", keep_word((enum keep_kind)k),
                atomic_load(&p->b->core.shed[k]));
}

static void
retained_lines(struct page *p)
{
    put_keeps(p, p->b->core.retained_lines);
}

static void
index_retained(struct page *p)
{
    put_keeps(p, p->b->index_retained);
}

static void
rows_index_seq(struct page *p)
{
    put(p, NULL, 0, atomic_load(&p->b->index_seq));
}

/* ---- what was seen ---- */

static void
put_sum(struct page *p, enum live_sum which)
{
    if (p->w != NULL && p->w->counted)
        put(p, NULL, 0, p->w->sum[which]);
}

#define SUM_ROW(id)                                                            \
    static void rows_##id(struct page *p)                                      \
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

static void
sessions(struct page *p)
{
    static const char *const tls[] = {"no", "yes"};

    for (unsigned i = 0; i < LIVE_DIRECTIONS * 2 * LIVE_EVIDENCES; i++) {
        const unsigned d = i / (2 * LIVE_EVIDENCES);
        const unsigned t = i / LIVE_EVIDENCES % 2;
        const unsigned e = i % LIVE_EVIDENCES;
        const struct label labels[] = {
            {"direction", directions[d]},
            {"tls",       tls[t]       },
            {"evidence",  evidences[e] },
        };

        if (p->w != NULL)
            put(p, labels, ARRAY_LEN(labels), p->w->sessions[d][t][e]);
    }
}

static void
transactions(struct page *p)
{
    for (unsigned i = 0; p->w != NULL && i < LIVE_DIRECTIONS * LIVE_OUTCOMES;
         i++) {
        const unsigned d = i / LIVE_OUTCOMES;
        const unsigned o = i % LIVE_OUTCOMES;
        const struct label labels[] = {
            {"direction", directions[d]},
            {"outcome",   outcomes[o]  },
        };

        put(p, labels, ARRAY_LEN(labels), p->w->transactions[d][o]);
    }
}

static void
files(struct page *p)
{
    for (unsigned i = 0; p->w != NULL && i < LIVE_CLASSES; i++)
        put_one(p, "class", classes[i], p->w->files[i]);
}

/* Without a registry nothing is judged, and no 0 is claimed. */
static void
findings(struct page *p)
{
    for (unsigned f = 0;
         p->w != NULL && p->n->lines[0].name != NULL && f < POLICY_COUNT; f++)
        put_one(p, "finding", policy_word((enum policy_finding)f),
                p->w->findings[f]);
}

/* Of the stream and of what is spoken in it; others are no parse errors. */
static void
parse_errors(struct page *p)
{
    for (unsigned i = 0; p->w != NULL && i < ANOM_COUNT; i++) {
        if (p->w->anomalies[i] > 0)
            put_one(p, "reason", anomaly_table[i].name, p->w->anomalies[i]);
    }
}

static void
put_rule(struct page *p, const char *rule, const struct live_rule_count *r)
{
    for (unsigned s = 0; s < LIVE_SEVERITIES; s++) {
        const struct label labels[] = {
            {"rule",     rule         },
            {"severity", severities[s]},
        };

        if (r->opened[s] > 0)
            put(p, labels, ARRAY_LEN(labels), r->opened[s]);
    }
}

static void
alerts(struct page *p)
{
    if (p->w == NULL)
        return;
    for (size_t i = 0; i < LIVE_WATCH_RULES && p->w->rules[i].rule[0] != '\0';
         i++)
        put_rule(p, p->w->rules[i].rule, &p->w->rules[i]);
    put_rule(p, "other", &p->w->other);
}

static void
put_closed(struct page *p, const char *rule, enum live_close reason, uint64_t n)
{
    const struct label labels[] = {
        {"rule",   rule          },
        {"reason", closes[reason]},
    };

    if (n > 0)
        put(p, labels, ARRAY_LEN(labels), n);
}

static void
alert_close(struct page *p)
{
    const struct live_watch *w = p->w;

    for (size_t i = 0; w != NULL && i < LIVE_WATCH_CLOSED; i++)
        put_closed(p, w->closed[i].rule, w->closed[i].reason, w->closed[i].n);
    for (unsigned c = 0; w != NULL && c < LIVE_CLOSES; c++)
        put_closed(p, "other", (enum live_close)c, w->closed_other[c]);
}

static void
alerts_open(struct page *p)
{
    for (unsigned s = 0; s < LIVE_SEVERITIES; s++)
        put_known(p, "severity", severities[s], &p->n->open[s]);
}

static void
block_states(struct page *p)
{
    for (unsigned i = 0; i < LIVE_BLOCKS; i++)
        put_known(p, "state", blocks[i], &p->n->blocks[i]);
}

static void
block_changes(struct page *p)
{
    for (unsigned i = 0; p->w != NULL && i < LIVE_ACTIONS * LIVE_ORIGINS; i++) {
        const unsigned a = i / LIVE_ORIGINS;
        const unsigned o = i % LIVE_ORIGINS;
        const struct label labels[] = {
            {"action", actions[a]},
            {"origin", origins[o]},
        };

        put(p, labels, ARRAY_LEN(labels), p->w->decisions[a][o]);
    }
}

static void
registry_lines(struct page *p)
{
    for (unsigned i = 0; p->n->lines[i].name != NULL; i++)
        put_one(p, "state", p->n->lines[i].name, p->n->lines[i].v);
}

static void
put_number(struct page *p, const struct live_number *n)
{
    if (n->known)
        put(p, NULL, 0, n->v);
}

static void
overdue(struct page *p)
{
    put_number(p, &p->n->overdue_forms);
}

static void
oldest_pending(struct page *p)
{
    put_number(p, &p->n->oldest_pending_s);
}

static void
next_due(struct page *p)
{
    if (p->n->next_due != 0)
        put_seconds(p, NULL, 0, p->n->next_due);
}

static void
policy_mode(struct page *p)
{
    static const char *const modes[] = {"off", "simulate", "enforce"};

    for (size_t i = 0; p->n->mode != NULL && i < ARRAY_LEN(modes); i++)
        put_one(p, "mode", modes[i], strcmp(modes[i], p->n->mode) == 0);
}

static void
store_bytes(struct page *p)
{
    const uint64_t packets_kept = atomic_load(&p->b->recorder_bytes);

    for (unsigned i = 0; i < LIVE_STORES; i++)
        put_known(p, "kind", stores[i], &p->n->store[i]);
    if (packets_kept > 0)
        put_one(p, "kind", "packets", packets_kept);
}

static void
store_free(struct page *p)
{
    put_number(p, &p->n->store_free);
}

static void
store_size(struct page *p)
{
    put_number(p, &p->n->store_size);
}

/* ---- what was expected ---- */

static void
expected(struct page *p)
{
    char number[8];
    const struct label label = {"vlan", number};

    for (unsigned i = 0; i < p->b->n_vlans && i < LIVE_EXPECT_MAX; i++) {
        const uint64_t at = live_board_vlan(p->b, i);

        (void)snprintf(number, sizeof(number), "%u", (unsigned)p->b->vlan[i]);
        if (at != 0)
            put_seconds(p, &label, 1, at);
    }
}

/* Which network it is, is not told: no address is in a label. */
static void
prefixes_expected(struct page *p)
{
    if (p->b->n_prefixes > 0)
        put(p, NULL, 0, p->b->n_prefixes);
}

static void
prefixes_seen(struct page *p)
{
    uint64_t oldest = UINT64_MAX;

    for (unsigned i = 0; i < p->b->n_prefixes && i < LIVE_EXPECT_MAX; i++) {
        const uint64_t at = live_board_prefix(p->b, i);

        oldest = at < oldest ? at : oldest;
    }
    if (oldest != UINT64_MAX && oldest != 0)
        put_seconds(p, NULL, 0, oldest);
}

static const struct family families[] = {
#define X(name, type, rows, help) {#name, #type, help, rows},
#include "sensor/app/live_metrics.def"
#undef X
};

void
live_metrics_write(const struct live_board *b, const struct live_watch *w,
                   const struct live_numbers *n, ns_t mono, struct buf *out)
{
    struct page p = {.b = b, .w = w, .n = n, .mono = mono, .out = out};

    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        p.family = &families[i];
        p.headed = false;
        families[i].rows(&p);
    }
}

/* ---- checks ---- */

static void
put_check(void *ctx, const struct live_check *c)
{
    buf_printf(ctx, "# check %s %s %s\t", live_level_word(c->level),
               c->blind ? "blind" : "sees", c->name);
    for (size_t i = 0; i < c->text.n; i++) {
        const uint8_t byte = span_at(c->text, i);

        buf_putc(ctx, byte < ' ' ? '?' : byte);
    }
    buf_printf(ctx, "\t%s\n", c->todo);
}

void
live_metrics_checks(const struct live_board *b,
                    const struct live_limits *limits, ns_t mono, ns_t utc,
                    struct buf *out)
{
    live_health(b, limits, mono, utc, put_check, out);
}
