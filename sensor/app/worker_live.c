#include "sensor/app/worker_live.h"

#include "sensor/app/live_links.h"
#include "sensor/app/worker_late.h"
#include "sensor/app/worker_parts.h"
#include "sensor/capture/live_capture.h"

#include <stdlib.h>
#include <time.h>

#define WAIT_MS    10U
#define TIMEOUT_MS 10U /* of a block in the kernel's ring */
#define GAUGE_NS   NS_PER_S
/* All within the time that the supervisor gives, LIVE_STOP_NS. */
#define DRAIN_NS    (5 * NS_PER_S)  /* packets in the kernel's rings are read */
#define FAREWELL_NS (10 * NS_PER_S) /* room for records is waited for */
#define LAST_NS     (10 * NS_PER_S) /* and then for the counts */
#define SETTLED_NS                                                             \
    (20 * TIMEOUT_MS * NS_PER_MS) /* a block's timer has run out */
#define REST_MS 1U                /* for an answer, when there are no packets */
#define ASK_NS  (2 * NS_PER_S)    /* inspections under way are waited for */

struct worker_live {
    struct worker parts;
    const struct worker_live_plan *plan;
    struct live_worker *mine; /* on the board */
    struct live_capture *capture;
    struct live_share share;
    struct ring *ring;
    ns_t told;          /* stream time of the last tick */
    ns_t told_mono;     /* when it was told */
    ns_t looked_mono;   /* at the kernel's rings */
    ns_t gauged_mono;   /* when the gauges were read */
    ns_t counted_mono;  /* when the STATS records were written */
    ns_t patient_until; /* 0: the packet path; else the end of the farewell */
    uint64_t lost;      /* records of this worker */
    uint32_t bound[LIVE_IFACES_MAX]; /* as of the board */
    uint32_t vlans_awaited; /* a bit for each not seen in this second */
    uint32_t prefixes_awaited;
    uint64_t
        base_packets[LIVE_IFACES_MAX]; /* of the workers before, below too */
    uint64_t base_bytes[LIVE_IFACES_MAX];
    uint64_t base_dropped[LIVE_IFACES_MAX];
    uint64_t base_missed[LIVE_IFACES_MAX];
};

static ns_t
mono(void)
{
    struct timespec t = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (ns_t)t.tv_sec * NS_PER_S + (ns_t)t.tv_nsec;
}

/* One writer, so no read-modify-write. */
static void
add(_Atomic uint64_t *word, uint64_t n)
{
    atomic_store_explicit(word,
                          atomic_load_explicit(word, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static void
set(_Atomic uint64_t *word, uint64_t v)
{
    atomic_store_explicit(word, v, memory_order_relaxed);
}

/* ---- records ---- */

/* Packets have ended: now there is time, but not for ever. */
static bool
put_patiently(struct worker_live *w, struct span record)
{
    static const struct timespec nap = {.tv_nsec = 1000000};

    while (!ring_put(w->ring, record)) {
        if (record.n > ring_message_max(w->ring) || mono() > w->patient_until)
            return false;
        ring_flush(w->ring);
        (void)nanosleep(&nap, NULL);
        set(&w->mine->process.beat_mono_ns, mono());
    }
    return true;
}

static void
put(void *ctx, struct span record)
{
    struct worker_live *w = ctx;

    if (ring_put(w->ring, record) ||
        (w->patient_until != 0 && put_patiently(w, record))) {
        add(&w->mine->records, 1);
        return;
    }
    w->lost++;
    add(&w->mine->records_lost, 1);
}

static struct span
iface_name(void *ctx, uint16_t iface)
{
    const struct worker_live *w = ctx;

    return iface < live_capture_n(w->capture)
               ? span_str(live_capture_iface(w->capture, iface)->name)
               : SPAN_NONE;
}

static void
tell_iface(struct worker_live *w, const struct live_capture_iface *f)
{
    struct record_out *r = &w->parts.out;

    worker_parts_begin(&w->parts, EVENT_STATS);
    record_u64(r, FIELD_STATS_PACKETS, f->packets);
    record_u64(r, FIELD_STATS_BYTES, f->bytes);
    if (f->last != 0)
        record_time(r, FIELD_STATS_LAST, f->last);
    record_text(r, FIELD_STATS_IFACE, f->name);
    record_u64(r, FIELD_STATS_DROPPED, f->dropped);
    record_u64(r, FIELD_STATS_MISSED, f->missed);
    record_bool(r, FIELD_STATS_UP, f->up);
    record_u64(r, FIELD_STATS_WORKER, w->parts.number);
    worker_parts_put(&w->parts);
}

static void
tell_counts(struct worker_live *w)
{
    struct worker_live_counts sum = {
        .clock_steps = live_capture_clock_steps(w->capture),
        .records_lost = w->lost,
    };

    live_capture_count(w->capture);
    for (size_t i = 0; i < live_capture_n(w->capture); i++) {
        const struct live_capture_iface *f = live_capture_iface(w->capture, i);

        sum.dropped += f->dropped;
        sum.missed += f->missed;
        tell_iface(w, f);
    }
    worker_parts_tell(&w->parts, &sum);
}

/* ---- the board ---- */

/* Counts go on from what stands there. */
static void
look_at_board(struct worker_live *w)
{
    for (size_t i = 0; i < w->plan->n_ifaces; i++) {
        const struct live_iface *b = &w->mine->iface[i];

        w->bound[i] = atomic_load(&b->bound);
        w->base_packets[i] = atomic_load(&b->packets);
        w->base_bytes[i] = atomic_load(&b->bytes);
        w->base_dropped[i] = atomic_load(&b->dropped);
        w->base_missed[i] = atomic_load(&b->missed);
    }
}

static void
show_ifaces(struct worker_live *w)
{
    for (size_t i = 0; i < live_capture_n(w->capture); i++) {
        const struct live_capture_iface *f = live_capture_iface(w->capture, i);
        struct live_iface *b = &w->mine->iface[i];

        set(&b->packets, w->base_packets[i] + f->packets);
        set(&b->bytes, w->base_bytes[i] + f->bytes);
        set(&b->dropped, w->base_dropped[i] + f->dropped);
        set(&b->missed, w->base_missed[i] + f->missed);
        if (f->last != 0)
            set(&b->last_utc_ns, f->last);
        atomic_store_explicit(&b->up, f->up ? 1 : 0, memory_order_relaxed);
    }
}

static void
show_gauges(struct worker_live *w)
{
    const struct net_stats *s = net_stats(w->parts.net);

    live_capture_count(w->capture);
    set(&w->mine->memory_bytes, s->memory_bytes);
    set(&w->mine->connections, s->flows_open);
}

/* One bit for each of n that is expected: seen once a second is enough. */
static uint32_t
all_of(size_t n)
{
    REQUIRE(n <= LIVE_EXPECT_MAX);
    return n == 0 ? 0 : UINT32_MAX >> (LIVE_EXPECT_MAX - n);
}

static void
await_expected(struct worker_live *w)
{
    w->vlans_awaited = all_of(w->plan->n_vlans);
    w->prefixes_awaited = all_of(w->plan->n_prefixes);
}

static void
show(struct worker_live *w, ns_t now_mono)
{
    const ns_t stream = net_now(w->parts.net);
    const ns_t now = live_capture_now(w->capture);

    set(&w->mine->process.beat_mono_ns, now_mono);
    set(&w->mine->stream_ns, stream);
    set(&w->mine->behind_ns, now > stream ? now - stream : 0);
    if (now_mono - w->gauged_mono >= GAUGE_NS) {
        w->gauged_mono = now_mono;
        show_gauges(w);
        await_expected(w);
    }
    show_ifaces(w);
}

/* ---- the loop ---- */

static void
on_packet(void *ctx, const struct packet *p)
{
    struct worker_live *w = ctx;

    (void)net_packet(w->parts.net, p);
    if (!worker_late_is_idle(w->parts.late))
        worker_late_turn(w->parts.late, 0);
}

/* The merge gives nothing out before all workers are past its time. */
static void
heartbeat(struct worker_live *w, ns_t now_mono)
{
    const ns_t stream = net_now(w->parts.net);

    if (stream == w->told || now_mono - w->told_mono < WORKER_LIVE_TICK_NS)
        return;
    w->told = stream;
    w->told_mono = now_mono;
    worker_parts_tick(&w->parts, stream);
}

static void
note_pause(struct worker_live *w, ns_t now_mono)
{
    const ns_t pause = w->looked_mono != 0 ? now_mono - w->looked_mono : 0;

    if (pause > atomic_load(&w->mine->pause_ns))
        set(&w->mine->pause_ns, pause);
    w->looked_mono = now_mono;
}

static enum err
step(struct worker_live *w, unsigned wait_ms, bool *drained)
{
    const struct live_capture_sink sink = {on_packet, w};
    const uint64_t before = atomic_load(&w->mine->records);
    const ns_t lag = w->plan->lag != 0 ? w->plan->lag : WORKER_LIVE_LAG_NS;
    const bool waits = !worker_late_is_idle(w->parts.late);
    enum err e =
        live_capture_step(w->capture, waits ? 0 : wait_ms, &sink, drained);
    ns_t now_mono;

    if (*drained)
        (void)net_time(w->parts.net, live_capture_now(w->capture) - lag);
    if (*drained && waits)
        worker_late_rest(w->parts.late, REST_MS);
    now_mono = mono();
    worker_late_turn(w->parts.late, now_mono);
    note_pause(w, now_mono);
    heartbeat(w, now_mono);
    show(w, now_mono);
    if (now_mono - w->counted_mono >= w->plan->stats_interval) {
        w->counted_mono = now_mono;
        tell_counts(w);
    }
    if (atomic_load(&w->mine->records) != before)
        ring_flush(w->ring);
    return e;
}

/* What had come when the stop came is read, within reason: also what lies in a
 * block whose timer has not closed it. More may come all the while. */
static void
drain(struct worker_live *w)
{
    const ns_t begin = mono();
    ns_t settled = begin + SETTLED_NS;
    bool drained = false;

    live_capture_count(w->capture);
    while (live_capture_unread(w->capture) > 0 && mono() < settled &&
           mono() < begin + DRAIN_NS && step(w, WAIT_MS, &drained) == ERR_OK) {
        if (!drained)
            settled = mono() + SETTLED_NS;
    }
}

/* The counts come last, and without them nobody knew what is missing: they have
 * a time of their own, however long the flows took. */
static void
finish(struct worker_live *w)
{
    drain(w);
    live_capture_leave(w->capture);
    w->patient_until = mono() + FAREWELL_NS;
    worker_late_finish(w->parts.late, mono() + ASK_NS);
    w->patient_until = mono() + FAREWELL_NS;
    (void)net_finish(w->parts.net, worker_parts_sorted, &w->parts);
    w->patient_until = mono() + LAST_NS;
    tell_counts(w);
    show(w, mono());
}

/* Sockets that the supervisor has bound to what is there now. */
static void
look_for_bound(struct worker_live *w)
{
    for (size_t i = 0; i < w->plan->n_ifaces; i++) {
        const uint32_t n = atomic_load(&w->mine->iface[i].bound);

        if (n == w->bound[i])
            continue;
        w->bound[i] = n;
        live_capture_back(w->capture, i);
    }
}

/* There is no interface now, but there may be. */
static enum err
rest_without(void)
{
    static const struct timespec nap = {.tv_nsec = WAIT_MS * NS_PER_MS};

    (void)nanosleep(&nap, NULL);
    return ERR_OK;
}

static enum err
loop(struct worker_live *w)
{
    const volatile sig_atomic_t *stop = w->parts.plan->stop;
    enum err e = ERR_OK;
    bool drained;

    w->gauged_mono = w->counted_mono = mono();
    /* From now on: what other workers have told is not overtaken. */
    (void)net_time(w->parts.net, live_capture_now(w->capture));
    while (e == ERR_OK && *stop == 0 && atomic_load(&w->mine->leave) == 0) {
        look_for_bound(w);
        e = step(w, WAIT_MS, &drained);
        if (e == ERR_GONE && w->plan->kept)
            e = rest_without();
    }
    finish(w);
    return e == ERR_OK && *stop == 0 ? ERR_GONE : e;
}

void
worker_live_hand_over(const struct worker_live *w, int to)
{
    int fds[LIVE_IFACES_MAX];
    const size_t n = live_capture_n(w->capture);

    for (size_t i = 0; i < n; i++)
        fds[i] = live_capture_fd(w->capture, i);
    live_links_hand_over(to, fds, n);
}

enum err
worker_live_run(struct worker_live *w, struct ring *ring)
{
    enum err e = ring_attach_writer(ring);

    w->ring = ring;
    if (e == ERR_OK) {
        ring_be_quiet(ring);
        e = loop(w);
        ring_close(ring);
    }
    set(&w->mine->failed, e);
    return e;
}

/* ---- life ---- */

static void
see_vlans(struct worker_live *w, const struct decoded *d)
{
    for (unsigned i = 0; i < d->n_vlan; i++) {
        for (uint32_t left = w->vlans_awaited; left != 0; left &= left - 1) {
            const unsigned k = (unsigned)__builtin_ctz(left);

            if (w->plan->vlans[k] != d->vlan[i])
                continue;
            set(&w->mine->vlan_utc_ns[k], net_now(w->parts.net));
            w->vlans_awaited &= ~(UINT32_C(1) << k);
        }
    }
}

static void
see_prefixes(struct worker_live *w, const struct decoded *d)
{
    for (uint32_t left = w->prefixes_awaited; left != 0; left &= left - 1) {
        const unsigned k = (unsigned)__builtin_ctz(left);
        const struct prefix *p = &w->plan->prefixes[k];

        if (!prefix_has(p, &d->src) && !prefix_has(p, &d->dst))
            continue;
        set(&w->mine->prefix_utc_ns[k], net_now(w->parts.net));
        w->prefixes_awaited &= ~(UINT32_C(1) << k);
    }
}

/* Also of flows of others: each segment passes here. */
static bool
is_mine(void *ctx, const struct decoded *d)
{
    struct worker_live *w = ctx;

    if (w->vlans_awaited != 0)
        see_vlans(w, d);
    if (w->prefixes_awaited != 0)
        see_prefixes(w, d);
    return live_filter_is_mine(&w->share, d);
}

static enum err
open_capture(struct worker_live *w, struct buf *message)
{
    const struct worker_plan *p = w->parts.plan;
    const struct live_capture_options o = {
        .ifaces = w->plan->ifaces,
        .n_ifaces = w->plan->n_ifaces,
        .buffer_bytes = w->plan->buffer_bytes,
        .timeout_ms = TIMEOUT_MS,
        .absent_ok = w->plan->absent_ok,
        .not_before = atomic_load(&w->mine->stream_ns),
        .filter = {.user = p->filter,
                   .ports = p->ports,
                   .n_ports = p->n_ports,
                   .any_port = w->plan->any_port,
                   .dns = p->dns,
                   .tunnels = w->plan->tunnels,
                   .share = w->share},
    };

    return live_capture_open(&o, &w->capture, message);
}

static enum err
start(struct worker_live *w, struct buf *message)
{
    const struct worker_plan *p = w->parts.plan;
    const struct worker_share share = {
        .worker = 0,
        .n_workers = 1,
        .memory_max = p->memory_max / p->n_workers,
        .flows_max = p->flows_max / p->n_workers,
        .seed = w->plan->seed,
        .is_mine = is_mine,
        .mine_ctx = w,
    };
    enum err e;

    w->share = (struct live_share){
        .worker = w->parts.number,
        .n_workers = p->n_workers,
        .key = (uint32_t)(w->plan->seed >> 32),
    };
    e = worker_parts_start(&w->parts, &share);
    if (e == ERR_OK)
        e = worker_late_new(&w->parts);
    if (e == ERR_OK)
        e = open_capture(w, message);
    if (e == ERR_OK) {
        look_at_board(w);
        await_expected(w);
        show_ifaces(w);
    }
    return e;
}

enum err
worker_live_open(const struct worker_plan *plan,
                 const struct worker_live_plan *live, unsigned number,
                 struct live_board *board, struct worker_live **out,
                 struct buf *message)
{
    struct worker_live *w;
    enum err e;

    REQUIRE(number < plan->n_workers && plan->n_workers <= LIVE_WORKERS_MAX &&
            live->n_ifaces <= LIVE_IFACES_MAX);
    w = calloc(1, sizeof(*w));
    if (w == NULL)
        return ERR_NOMEM;
    w->parts.plan = plan;
    w->parts.number = number;
    w->parts.ones = 1;
    w->parts.sink = (struct record_sink){put, w};
    w->parts.iface_name = iface_name;
    w->parts.iface_ctx = w;
    w->plan = live;
    w->mine = &board->worker[number];
    e = start(w, message);
    set(&w->mine->failed, e);
    if (e != ERR_OK) {
        worker_live_free(w);
        return e;
    }
    *out = w;
    return ERR_OK;
}

void
worker_live_free(struct worker_live *w)
{
    if (w == NULL)
        return;
    worker_parts_end(&w->parts);
    live_capture_close(w->capture);
    free(w);
}
