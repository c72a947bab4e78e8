#include "sensor/app/live_metrics_page.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- one line ---- */

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
put_head(struct metrics_page *p)
{
    const struct metrics_family *f = p->family;

    if (!p->headed)
        buf_printf(p->out, "# HELP span25_%s %s\n# TYPE span25_%s %s\n",
                   f->name, f->help, f->name, f->type);
    p->headed = true;
}

static void
put_name(struct metrics_page *p, const struct metrics_label *labels, size_t n)
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

void
metrics_put(struct metrics_page *p, const struct metrics_label *labels,
            size_t n, uint64_t v)
{
    put_name(p, labels, n);
    buf_u64(p->out, v);
    buf_putc(p->out, '\n');
}

void
metrics_one(struct metrics_page *p, const char *key, const char *value,
            uint64_t v)
{
    const struct metrics_label label = {key, value};

    metrics_put(p, &label, 1, v);
}

void
metrics_seconds(struct metrics_page *p, const struct metrics_label *labels,
                size_t n, ns_t t)
{
    put_name(p, labels, n);
    buf_printf(p->out, "%" PRIu64 ".%06" PRIu64 "\n", (uint64_t)(t / NS_PER_S),
               (uint64_t)(t % NS_PER_S / NS_PER_US));
}

void
metrics_known(struct metrics_page *p, const char *key, const char *value,
              const struct live_number *n)
{
    if (n->known)
        metrics_one(p, key, value, n->v);
}

/* ---- the sensor ---- */

static void
build_info(struct metrics_page *p)
{
    const struct metrics_label labels[] = {
        {"version", p->n->version},
        {"sensor",  p->b->sensor },
    };

    metrics_put(p, labels, ARRAY_LEN(labels), 1);
}

static void
watchdog(struct metrics_page *p)
{
    metrics_put(p, NULL, 0, 1);
}

static void
made(struct metrics_page *p)
{
    metrics_seconds(p, NULL, 0, p->n->made_utc);
}

/* ---- capture ---- */

typedef void iface_row(struct metrics_page *p, const char *name,
                       const struct live_iface_sum *s);

static void
each_iface(struct metrics_page *p, iface_row *row)
{
    for (unsigned i = 0; i < p->b->n_ifaces && i < LIVE_IFACES_MAX; i++) {
        const struct live_iface_sum s = live_board_iface(p->b, i);

        row(p, p->b->iface_name[i], &s);
    }
}

static void
packets_row(struct metrics_page *p, const char *name,
            const struct live_iface_sum *s)
{
    metrics_one(p, "iface", name, s->packets);
}

static void
packets(struct metrics_page *p)
{
    each_iface(p, packets_row);
}

static void
bytes_row(struct metrics_page *p, const char *name,
          const struct live_iface_sum *s)
{
    metrics_one(p, "iface", name, s->bytes);
}

static void
bytes(struct metrics_page *p)
{
    each_iface(p, bytes_row);
}

static void
dropped_row(struct metrics_page *p, const char *name,
            const struct live_iface_sum *s)
{
    const struct metrics_label ring[] = {
        {"iface",  name    },
        {"reason", "kernel"},
    };
    const struct metrics_label card[] = {
        {"iface",  name       },
        {"reason", "interface"},
    };

    metrics_put(p, ring, ARRAY_LEN(ring), s->dropped);
    metrics_put(p, card, ARRAY_LEN(card), s->missed);
}

static void
dropped(struct metrics_page *p)
{
    each_iface(p, dropped_row);
}

static void
last_row(struct metrics_page *p, const char *name,
         const struct live_iface_sum *s)
{
    const struct metrics_label label = {"iface", name};

    if (s->last_utc_ns != 0)
        metrics_seconds(p, &label, 1, s->last_utc_ns);
}

static void
last_packet(struct metrics_page *p)
{
    each_iface(p, last_row);
}

static void
up_row(struct metrics_page *p, const char *name, const struct live_iface_sum *s)
{
    metrics_one(p, "iface", name, s->n_up > 0);
}

static void
iface_up(struct metrics_page *p)
{
    each_iface(p, up_row);
}

/* ---- sinks ---- */

typedef void sink_row(struct metrics_page *p, const char *name,
                      const struct live_sink *s);

static void
each_sink(struct metrics_page *p, sink_row *row)
{
    for (unsigned i = 0; i < p->b->n_sinks && i < LIVE_SINKS_MAX; i++)
        row(p, p->b->sink_name[i], &p->b->publish.sink[i]);
}

static void
sink_up_row(struct metrics_page *p, const char *name, const struct live_sink *s)
{
    metrics_one(p, "sink", name, atomic_load(&s->state) == 0);
}

static void
sinks_up(struct metrics_page *p)
{
    each_sink(p, sink_up_row);
}

/* journaled is read last: what waits is never less than nothing. */
#define LANE_ROW(word, value)                                                  \
    static void word##_row(struct metrics_page *p, const char *name,           \
                           const struct live_sink *s)                          \
    {                                                                          \
        for (unsigned k = 0; k < KEEP_KINDS; k++) {                            \
            const struct live_lane *lane = &s->lane[k];                        \
            const uint64_t acknowledged = atomic_load(&lane->acknowledged);    \
            const uint64_t lost = atomic_load(&lane->lost);                    \
            const uint64_t journaled = atomic_load(&lane->journaled);          \
            const struct metrics_label labels[] = {                            \
                {"sink", name                        },                                                \
                {"lane", keep_word((enum keep_kind)k)},                        \
            };                                                                 \
                                                                               \
            (void)acknowledged, (void)lost, (void)journaled;                   \
            metrics_put(p, labels, ARRAY_LEN(labels), value);                  \
        }                                                                      \
    }                                                                          \
    static void word(struct metrics_page *p)                                   \
    {                                                                          \
        each_sink(p, word##_row);                                              \
    }

LANE_ROW(sink_journaled, journaled)
LANE_ROW(sink_acknowledged, acknowledged)
LANE_ROW(sink_waiting, journaled - acknowledged - lost)
LANE_ROW(sink_lost, lost)
#undef LANE_ROW

static void
unread_row(struct metrics_page *p, const char *name, const struct live_sink *s)
{
    metrics_one(p, "sink", name, atomic_load(&s->unread));
}

static void
sink_unread(struct metrics_page *p)
{
    each_sink(p, unread_row);
}

static void
since_row(struct metrics_page *p, const char *name, const struct live_sink *s)
{
    const struct metrics_label label = {"sink", name};
    const uint64_t since = atomic_load(&s->since_utc_ns);

    if (since != 0)
        metrics_seconds(p, &label, 1, since);
}

static void
sink_since(struct metrics_page *p)
{
    each_sink(p, since_row);
}

/* ---- block lists ---- */

/* Only of a sensor that makes them. */
static bool
has_feeds(const struct metrics_page *p)
{
    return atomic_load(&p->b->feeds.process.since_utc_ns) != 0;
}

#define FEEDS_ROW(word)                                                        \
    static void feeds_##word(struct metrics_page *p)                           \
    {                                                                          \
        if (has_feeds(p))                                                      \
            metrics_put(p, NULL, 0, atomic_load(&p->b->feeds.word));           \
    }

FEEDS_ROW(serial)
FEEDS_ROW(elements)
FEEDS_ROW(refused)
FEEDS_ROW(kept_out)
FEEDS_ROW(waiting)
FEEDS_ROW(strangers)
#undef FEEDS_ROW

static void
feeds_time(struct metrics_page *p, uint64_t when)
{
    if (has_feeds(p) && when != 0)
        metrics_seconds(p, NULL, 0, when);
}

static void
feeds_made(struct metrics_page *p)
{
    feeds_time(p, atomic_load(&p->b->feeds.made_utc_ns));
}

static void
feeds_expires(struct metrics_page *p)
{
    feeds_time(p, atomic_load(&p->b->feeds.expires_utc_ns));
}

/* Of verdict FEED_DONE, which is 0. */
static void
feeds_fresh(struct metrics_page *p)
{
    if (has_feeds(p))
        metrics_put(p, NULL, 0, atomic_load(&p->b->feeds.verdict) == 0);
}

#define CONSUMER_ROW(word, call, value)                                        \
    static void consumer_##word(struct metrics_page *p)                        \
    {                                                                          \
        for (unsigned i = 0; i < p->b->n_consumers && i < LIVE_CONSUMERS_MAX;  \
             i++) {                                                            \
            const struct live_consumer *c = &p->b->feeds.consumer[i];          \
            const struct metrics_label label = {"consumer",                    \
                                                p->b->consumer_name[i]};       \
                                                                               \
            (void)c;                                                           \
            call(p, &label, 1, value);                                         \
        }                                                                      \
    }

CONSUMER_ROW(last, metrics_seconds, atomic_load(&c->last_utc_ns))
CONSUMER_ROW(serial, metrics_put, atomic_load(&c->serial))
CONSUMER_ROW(fetches, metrics_put, atomic_load(&c->fetches))
CONSUMER_ROW(late, metrics_seconds, p->b->consumer_late_ns[i])
#undef CONSUMER_ROW

/* ---- workers ---- */

static void
each_worker(struct metrics_page *p,
            uint64_t (*value)(const struct live_worker *w))
{
    char number[8];

    for (unsigned i = 0; i < p->b->n_workers && i < LIVE_WORKERS_MAX; i++) {
        (void)snprintf(number, sizeof(number), "%u", i + 1);
        metrics_one(p, "worker", number, value(&p->b->worker[i]));
    }
}

#define WORKER_ROW(word)                                                       \
    static uint64_t value_##word(const struct live_worker *w)                  \
    {                                                                          \
        return atomic_load(&w->word);                                          \
    }                                                                          \
    static void rows_##word(struct metrics_page *p)                            \
    {                                                                          \
        each_worker(p, value_##word);                                          \
    }

WORKER_ROW(records)
WORKER_ROW(records_lost)
WORKER_ROW(memory_bytes)
WORKER_ROW(connections)
#undef WORKER_ROW

static void
behind(struct metrics_page *p)
{
    char number[8];
    const struct metrics_label label = {"worker", number};

    for (unsigned i = 0; i < p->b->n_workers && i < LIVE_WORKERS_MAX; i++) {
        (void)snprintf(number, sizeof(number), "%u", i + 1);
        metrics_seconds(p, &label, 1, atomic_load(&p->b->worker[i].behind_ns));
    }
}

static void
longest_pause(struct metrics_page *p)
{
    char number[8];
    const struct metrics_label label = {"worker", number};

    for (unsigned i = 0; i < p->b->n_workers && i < LIVE_WORKERS_MAX; i++) {
        (void)snprintf(number, sizeof(number), "%u", i + 1);
        metrics_seconds(p, &label, 1, atomic_load(&p->b->worker[i].pause_ns));
    }
}

/* ---- processes ---- */

typedef void process_row(struct metrics_page *p,
                         const struct metrics_label *labels, size_t n,
                         const struct live_process *process);

static void
each_process(struct metrics_page *p, process_row *row)
{
    char number[8] = "";
    struct metrics_label labels[] = {
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
up_of(struct metrics_page *p, const struct metrics_label *labels, size_t n,
      const struct live_process *process)
{
    metrics_put(p, labels, n, atomic_load(&process->pid) != 0);
}

static void
processes_up(struct metrics_page *p)
{
    each_process(p, up_of);
}

static void
restarts_of(struct metrics_page *p, const struct metrics_label *labels,
            size_t n, const struct live_process *process)
{
    metrics_put(p, labels, n, atomic_load(&process->restarts));
}

static void
restarts(struct metrics_page *p)
{
    each_process(p, restarts_of);
}

static void
beat_of(struct metrics_page *p, const struct metrics_label *labels, size_t n,
        const struct live_process *process)
{
    const uint64_t beat = atomic_load(&process->beat_mono_ns);

    if (beat != 0)
        metrics_seconds(p, labels, n, p->mono > beat ? p->mono - beat : 0);
}

static void
beats(struct metrics_page *p)
{
    each_process(p, beat_of);
}

static void
cpu_of(struct metrics_page *p, const struct metrics_label *labels, size_t n,
       const struct live_process *process)
{
    const uint64_t cpu = atomic_load(&p->usage->cpu_ns);

    (void)process;
    if (cpu != 0)
        metrics_seconds(p, labels, n, cpu);
}

static void
cpus(struct metrics_page *p)
{
    each_process(p, cpu_of);
}

static void
memory_of(struct metrics_page *p, const struct metrics_label *labels, size_t n,
          const struct live_process *process)
{
    const uint64_t bytes_in_ram = atomic_load(&p->usage->resident_bytes);

    (void)process;
    if (bytes_in_ram != 0)
        metrics_put(p, labels, n, bytes_in_ram);
}

static void
memories(struct metrics_page *p)
{
    each_process(p, memory_of);
}

static void
starts_of(struct metrics_page *p, const struct metrics_label *labels, size_t n,
          const struct live_process *process)
{
    metrics_seconds(p, labels, n, atomic_load(&process->since_utc_ns));
}

static void
starts(struct metrics_page *p)
{
    each_process(p, starts_of);
}

/* ---- the core ---- */

#define CORE_ROW(word)                                                         \
    static void rows_##word(struct metrics_page *p)                            \
    {                                                                          \
        metrics_put(p, NULL, 0, atomic_load(&p->b->core.word));                \
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
stream_time(struct metrics_page *p)
{
    const uint64_t at = atomic_load(&p->b->core.stream_ns);

    if (at != 0)
        metrics_seconds(p, NULL, 0, at);
}

static void
clock_synchronised(struct metrics_page *p)
{
    if (atomic_load(&p->b->core.clock.known) != 0)
        metrics_put(p, NULL, 0, atomic_load(&p->b->core.clock.synchronised));
}

static void
clock_offset(struct metrics_page *p)
{
    if (atomic_load(&p->b->core.clock.known) != 0)
        metrics_seconds(p, NULL, 0, atomic_load(&p->b->core.clock.offset_ns));
}

/* ---- room, and what is old ---- */

static void
room_step(struct metrics_page *p)
{
    if (atomic_load(&p->b->core.room_mark) != 0)
        metrics_put(p, NULL, 0, atomic_load(&p->b->core.room_step));
}

static void
room_mark(struct metrics_page *p)
{
    const uint64_t mark = atomic_load(&p->b->core.room_mark);

    if (mark != 0)
        metrics_put(p, NULL, 0, mark);
}

static void
put_keeps(struct metrics_page *p, const _Atomic uint64_t n[KEEP_KINDS])
{
    for (unsigned k = 0; k < KEEP_KINDS; k++)
        metrics_one(p, "kind", keep_word((enum keep_kind)k),
                    atomic_load(&n[k]));
}

/* Alerts and decisions are never given up. */
static void
shed(struct metrics_page *p)
{
    for (unsigned k = KEEP_ALERTS + 1; k < KEEP_KINDS; k++)
        metrics_one(p, "kind", keep_word((enum keep_kind)k),
                    atomic_load(&p->b->core.shed[k]));
}

static void
retained_lines(struct metrics_page *p)
{
    put_keeps(p, p->b->core.retained_lines);
}

static void
index_retained(struct metrics_page *p)
{
    put_keeps(p, p->b->index_retained);
}

static void
rows_index_seq(struct metrics_page *p)
{
    metrics_put(p, NULL, 0, atomic_load(&p->b->index_seq));
}

/* ---- what was expected ---- */

static void
expected(struct metrics_page *p)
{
    char number[8];
    const struct metrics_label label = {"vlan", number};

    for (unsigned i = 0; i < p->b->n_vlans && i < LIVE_EXPECT_MAX; i++) {
        const uint64_t at = live_board_vlan(p->b, i);

        (void)snprintf(number, sizeof(number), "%u", (unsigned)p->b->vlan[i]);
        if (at != 0)
            metrics_seconds(p, &label, 1, at);
    }
}

/* Which network it is, is not told: no address is in a label. */
static void
prefixes_expected(struct metrics_page *p)
{
    if (p->b->n_prefixes > 0)
        metrics_put(p, NULL, 0, p->b->n_prefixes);
}

static void
prefixes_seen(struct metrics_page *p)
{
    uint64_t oldest = UINT64_MAX;

    for (unsigned i = 0; i < p->b->n_prefixes && i < LIVE_EXPECT_MAX; i++) {
        const uint64_t at = live_board_prefix(p->b, i);

        oldest = at < oldest ? at : oldest;
    }
    if (oldest != UINT64_MAX && oldest != 0)
        metrics_seconds(p, NULL, 0, oldest);
}

static const struct metrics_family families[] = {
#define X(name, type, rows, help) {#name, #type, help, rows},
#include "sensor/app/live_metrics.def"
#undef X
};

void
live_metrics_write(const struct live_board *b, const struct live_watch *w,
                   const struct live_numbers *n, ns_t mono, struct buf *out)
{
    struct metrics_page p = {.b = b, .w = w, .n = n, .mono = mono, .out = out};

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
