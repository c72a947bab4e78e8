#include "sensor/app/live_health.h"

#include "sensor/app/live_room.h"
#include "sensor/base/text.h"

#include <inttypes.h>
#include <stdio.h>

struct health {
    const struct live_board *board;
    const struct live_limits *limits;
    ns_t mono, utc;
    live_check_row *row;
    void *ctx;
    struct buf text; /* of the row that is being made */
};

const char *
live_level_word(enum live_level l)
{
    static const char *const words[] = {
#define X(id, word) word,
        LIVE_LEVEL_MAP(X)
#undef X
    };

    return words[l];
}

void
live_health_time(struct buf *out, ns_t t)
{
    static const struct {
        ns_t from, unit;
        const char *word;
    } units[] = {
        {48 * 3600 * NS_PER_S, 24 * 3600 * NS_PER_S, "d"  },
        {2 * 3600 * NS_PER_S,  3600 * NS_PER_S,      "h"  },
        {120 * NS_PER_S,       60 * NS_PER_S,        "min"},
        {0,                    NS_PER_S,             "s"  },
    };
    size_t i = 0;

    while (t < units[i].from)
        i++;
    buf_printf(out, "%" PRIu64 " %s", (uint64_t)(t / units[i].unit),
               units[i].word);
}

static ns_t
since(ns_t now, ns_t then)
{
    return now > then ? now - then : 0;
}

/* How long the sensor runs. */
static ns_t
uptime(const struct health *h)
{
    const ns_t from = atomic_load(&h->board->supervisor.since_utc_ns);

    return from != 0 ? since(h->utc, from) : 0;
}

/* The text is what stands in h->text. */
static void
tell(struct health *h, const char *name, enum live_level level, bool blind,
     const char *todo)
{
    const struct live_check c = {
        .name = name,
        .text = buf_view(&h->text),
        .todo = level == LIVE_LEVEL_OK ? "" : todo,
        .level = level,
        .blind = blind && level != LIVE_LEVEL_OK,
    };

    h->row(h->ctx, &c);
    buf_reset(&h->text);
}

/* "0.31 %" */
static void
put_percent(struct buf *out, uint64_t part, uint64_t whole)
{
    const double share = whole > 0 ? 100.0 * (double)part / (double)whole : 0.0;

    buf_printf(out, "%.2f %%", share);
}

static bool
above(uint64_t part, uint64_t whole, uint64_t permille)
{
    return (double)part * 1000.0 > (double)whole * (double)permille;
}

/* ---- processes ---- */

static void
look_at_process(struct health *h, enum live_role role, unsigned number)
{
    const struct live_process *p = live_board_process(h->board, role, number);
    const uint64_t beat = atomic_load(&p->beat_mono_ns);
    const bool there = atomic_load(&p->pid) != 0;
    /* The keeper of the inspectors does not beat: it sleeps in the kernel. */
    const bool silent = there && role != LIVE_CONTENT && beat != 0 &&
                        since(h->mono, beat) > h->limits->silent;

    if (atomic_load(&p->since_utc_ns) == 0 && !there)
        return; /* not of this sensor, or not yet */
    buf_str(&h->text, live_role_name(role));
    if (live_role_many(role))
        buf_printf(&h->text, " %u", number + 1);
    if (there && !silent)
        buf_str(&h->text, " runs");
    else if (there)
        buf_str(&h->text, " does not answer");
    else
        buf_str(&h->text, " is not there");
    buf_printf(&h->text, ", restarted %" PRIu32 " times",
               atomic_load(&p->restarts));
    tell(h, "process", there && !silent ? LIVE_LEVEL_OK : LIVE_LEVEL_FAIL,
         role != LIVE_INDEX && role != LIVE_WEB && role != LIVE_FEEDS,
         "look for event=process_ended in the log; it is started again");
}

static void
look_at_processes(struct health *h)
{
    for (unsigned r = 0; r < LIVE_ROLES; r++) {
        const unsigned n =
            live_role_many((enum live_role)r) ? h->board->n_workers : 1;

        for (unsigned i = 0; i < n && i < LIVE_WORKERS_MAX; i++)
            look_at_process(h, (enum live_role)r, i);
    }
}

/* ---- packets ---- */

static void
look_at_interface(struct health *h, unsigned i)
{
    const struct live_iface_sum s = live_board_iface(h->board, i);
    const bool up = s.n_up > 0;

    buf_printf(&h->text, "interface %s %s", h->board->iface_name[i],
               up ? "up" : "down or gone");
    tell(h, "interface", up ? LIVE_LEVEL_OK : LIVE_LEVEL_FAIL, true,
         "set it up: ip link set NAME up");
}

static void
look_at_packets(struct health *h, unsigned i)
{
    const struct live_iface_sum s = live_board_iface(h->board, i);
    const ns_t up = uptime(h);
    const ns_t age = s.last_utc_ns != 0 ? since(h->utc, s.last_utc_ns) : up;
    const bool quiet = age > h->limits->quiet && up > h->limits->quiet;

    if (s.last_utc_ns == 0)
        buf_str(&h->text, "no packet yet");
    else if (quiet)
        buf_str(&h->text, "no packet");
    else
        buf_printf(&h->text, "packets arrive: %" PRIu64, s.packets);
    buf_printf(&h->text, " on %s, ", h->board->iface_name[i]);
    buf_str(&h->text, s.last_utc_ns != 0 ? "the last one " : "up for ");
    live_health_time(&h->text, age);
    buf_str(&h->text, s.last_utc_ns != 0 ? " ago" : "");
    tell(h, "packets", quiet ? LIVE_LEVEL_FAIL : LIVE_LEVEL_OK, true,
         "see whether the mirror session is on, and the cable");
}

static void
look_at_interfaces(struct health *h)
{
    for (unsigned i = 0; i < h->board->n_ifaces && i < LIVE_IFACES_MAX; i++) {
        look_at_interface(h, i);
        look_at_packets(h, i);
    }
}

/* " in the last 5 min", or the shorter time that is known. */
static void
put_window(struct health *h)
{
    buf_str(&h->text, " in the last ");
    live_health_time(&h->text, atomic_load(&h->board->core.window.length_ns));
}

static void
look_at_drops(struct health *h)
{
    const struct live_window *w = &h->board->core.window;
    const uint64_t lost = atomic_load(&w->dropped) + atomic_load(&w->missed);
    const uint64_t all = atomic_load(&w->packets) + lost;
    const bool high = above(lost, all, h->limits->drop_permille);

    if (atomic_load(&w->length_ns) == 0)
        return;
    buf_str(&h->text, "the kernel dropped ");
    put_percent(&h->text, lost, all);
    buf_str(&h->text, " of the packets");
    put_window(h);
    buf_printf(&h->text, " (limit %.1f %%)",
               (double)h->limits->drop_permille / 10.0);
    tell(h, "drops", high ? LIVE_LEVEL_WARN : LIVE_LEVEL_OK, true,
         "more capture.buffer, or more capture.workers");
}

static void
look_at_records(struct health *h)
{
    const struct live_window *w = &h->board->core.window;
    const uint64_t lost = atomic_load(&w->records_lost);

    if (atomic_load(&w->length_ns) == 0)
        return;
    buf_printf(&h->text, "%" PRIu64 " records lost between worker and core",
               lost);
    put_window(h);
    tell(h, "records", lost > 0 ? LIVE_LEVEL_FAIL : LIVE_LEVEL_OK, true,
         "more limits.ring; is the disk of the state slow?");
}

/* ---- sight ---- */

static void
look_at_directions(struct health *h)
{
    const struct live_window *w = &h->board->core.window;
    const uint64_t all = atomic_load(&w->sessions);
    const uint64_t oneway = atomic_load(&w->sessions_oneway);
    const bool high = above(oneway, all, LIVE_HEALTH_ONEWAY);

    if (all < LIVE_HEALTH_COUNTED)
        return;
    buf_str(&h->text, high ? "only one direction was seen of "
                           : "both directions seen, but of ");
    put_percent(&h->text, oneway, all);
    buf_str(&h->text, " of the sessions");
    put_window(h);
    tell(h, "directions", high ? LIVE_LEVEL_WARN : LIVE_LEVEL_OK, false,
         "mirror both directions (rx and tx) of the port");
}

static void
look_at_gaps(struct health *h)
{
    const struct live_window *w = &h->board->core.window;
    const uint64_t unseen = atomic_load(&w->bytes_unseen);
    const uint64_t all = atomic_load(&w->bytes_seen) + unseen;
    const bool high = above(unseen, all, LIVE_HEALTH_UNSEEN);

    if (all == 0)
        return;
    put_percent(&h->text, unseen, all);
    buf_str(&h->text, " of the bytes of mail were acknowledged and not seen");
    put_window(h);
    buf_printf(&h->text,
               " (limit %.1f %%), parsers found their place again "
               "%" PRIu64 " times",
               LIVE_HEALTH_UNSEEN / 10.0, atomic_load(&w->resyncs));
    tell(h, "unseen", high ? LIVE_LEVEL_WARN : LIVE_LEVEL_OK, false,
         "the mirror loses packets before they come here: less traffic on it");
}

static void
look_at_expected(struct health *h, const char *what, uint64_t last,
                 const char *todo)
{
    const ns_t up = uptime(h);
    const ns_t age = last != 0 ? since(h->utc, last) : up;
    const bool gone = age > h->limits->expected;

    buf_str(&h->text, what);
    if (last == 0) {
        buf_str(&h->text, ": no packet since the start, ");
        live_health_time(&h->text, up);
        buf_str(&h->text, " ago");
    } else {
        buf_str(&h->text, ": the last packet ");
        live_health_time(&h->text, age);
        buf_str(&h->text, " ago");
    }
    tell(h, "expected", gone ? LIVE_LEVEL_FAIL : LIVE_LEVEL_OK, true, todo);
}

static void
look_at_all_expected(struct health *h)
{
    const struct live_board *b = h->board;
    char name[LIVE_EXPECT_NAME_MAX + 16];

    for (unsigned i = 0; i < b->n_vlans && i < LIVE_EXPECT_MAX; i++) {
        (void)snprintf(name, sizeof(name), "VLAN %u", (unsigned)b->vlan[i]);
        look_at_expected(h, name, live_board_vlan(b, i),
                         "ask for this VLAN on the mirror session");
    }
    for (unsigned i = 0; i < b->n_prefixes && i < LIVE_EXPECT_MAX; i++) {
        (void)snprintf(name, sizeof(name), "network %s", b->prefix[i]);
        look_at_expected(h, name, live_board_prefix(b, i),
                         "does the mirror see the way of this network?");
    }
}

/* ---- the rest ---- */

static void
look_at_journal(struct health *h)
{
    const bool failed = atomic_load(&h->board->core.journal_failed) != 0;

    buf_str(&h->text, failed ? "the journal cannot be written"
                             : "the journal is written");
    tell(h, "journal", failed ? LIVE_LEVEL_FAIL : LIVE_LEVEL_OK, true,
         "disk full or read-only? see the log");
}

static void
look_at_room(struct health *h)
{
    const struct live_core_board *b = &h->board->core;
    const uint64_t step = atomic_load(&b->room_step);
    const bool less = step != LIVE_ROOM_PLENTY && step < LIVE_ROOM_STEPS;
    const bool mail = step >= LIVE_ROOM_TRANSACTIONS;

    if (atomic_load(&b->room_mark) == 0)
        return;
    buf_printf(&h->text, "%.1f GiB free, limit %.1f GiB: %s",
               (double)atomic_load(&b->room_free) / (1U << 30),
               (double)atomic_load(&b->room_mark) / (1U << 30),
               !less  ? "all is journaled"
               : mail ? "only alerts and decisions are journaled, no mail"
                      : "no statistics and no dns are journaled");
    tell(h, "room",
         mail   ? LIVE_LEVEL_FAIL
         : less ? LIVE_LEVEL_WARN
                : LIVE_LEVEL_OK,
         mail, "make room on the disk of the state, or lower journal.keep_*");
}

/* A sink that is away costs nothing but room: blind is nobody. */
static void
look_at_sink(struct health *h, unsigned i)
{
    const struct live_sink *s = &h->board->publish.sink[i];
    const uint64_t state = atomic_load(&s->state);
    const uint64_t from = atomic_load(&s->since_utc_ns);
    const ns_t stalled = from != 0 ? since(h->utc, from) : 0;
    const bool slow = stalled > LIVE_HEALTH_STALLED;
    uint64_t waiting = 0, lost = 0;

    for (unsigned k = 0; k < KEEP_KINDS; k++) {
        const struct live_lane *l = &s->lane[k];

        /* journaled is read last: nothing is settled before it is there */
        lost += atomic_load(&l->lost);
        waiting -= atomic_load(&l->acknowledged);
        waiting += atomic_load(&l->journaled);
    }
    buf_printf(&h->text, "%s: %" PRIu64 " lines wait", h->board->sink_name[i],
               waiting - lost);
    if (slow) {
        buf_str(&h->text, ", and none was taken for ");
        live_health_time(&h->text, stalled);
    }
    if (lost > 0)
        buf_printf(&h->text, "; %" PRIu64 " are lost", lost);
    tell(h, "sink",
         state > 1      ? LIVE_LEVEL_FAIL
         : slow || lost ? LIVE_LEVEL_WARN
                        : LIVE_LEVEL_OK,
         false, "why stands in the log; what waits stays in the journal");
}

static void
look_at_sinks(struct health *h)
{
    for (unsigned i = 0; i < h->board->n_sinks && i < LIVE_SINKS_MAX; i++)
        look_at_sink(h, i);
}

static void
look_at_lag(struct health *h)
{
    uint64_t most = 0;

    for (unsigned i = 0; i < h->board->n_workers && i < LIVE_WORKERS_MAX; i++) {
        const uint64_t behind = atomic_load(&h->board->worker[i].behind_ns);

        most = behind > most ? behind : most;
    }
    buf_printf(&h->text, "workers are at most %.1f s behind",
               (double)most / NS_PER_S);
    tell(h, "behind",
         most > LIVE_HEALTH_BEHIND ? LIVE_LEVEL_WARN : LIVE_LEVEL_OK, false,
         "more capture.workers, or fewer inspections");
}

static void
look_at_clock(struct health *h)
{
    const struct live_clock *c = &h->board->core.clock;
    const uint64_t offset = atomic_load(&c->offset_ns);
    const bool in_time = atomic_load(&c->synchronised) != 0;

    if (atomic_load(&c->known) == 0)
        return;
    buf_printf(&h->text, "the clock is %ssynchronised, offset %.1f ms",
               in_time ? "" : "not ", (double)offset / NS_PER_MS);
    tell(h, "clock",
         offset > LIVE_HEALTH_OFFSET ? LIVE_LEVEL_FAIL
         : in_time                   ? LIVE_LEVEL_OK
                                     : LIVE_LEVEL_WARN,
         false, "run chrony or systemd-timesyncd");
}

void
live_health(const struct live_board *b, const struct live_limits *limits,
            ns_t mono, ns_t utc, live_check_row *row, void *ctx)
{
    static void (*const looks[])(struct health * h) = {
        look_at_processes,  look_at_interfaces,   look_at_drops,
        look_at_records,    look_at_journal,      look_at_room,
        look_at_directions, look_at_gaps,         look_at_lag,
        look_at_clock,      look_at_all_expected, look_at_sinks,
    };
    struct health h = {b, limits, mono, utc, row, ctx, {0}};

    buf_init(&h.text, 1024);
    for (size_t i = 0; i < ARRAY_LEN(looks); i++)
        looks[i](&h);
    buf_free(&h.text);
}
